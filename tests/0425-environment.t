#!/bin/sh
# Results depend neither on the number of threads nor on the environment: variables that
# limit OpenMP's teams or make libraries print.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 40 | kfkd-load | kfkd-scale >faces
net='conv16x3 relu pool2 drop.1 conv16x2 relu pool2 dense64 relu drop.5 dense'

train() {
	kfkd-train -n "$net" -e 2 -B 7 "$@" faces
}

# run DIRECTORY THREADS: models and predictions, once to standard output, once to a file
run() {
	mkdir -p "$1"
	train -t "$2" >"$1/model" 2>"$1/log"
	train -t "$2" -q -o "$1/file" >"$1/stdout" 2>"$1/stderr"
	kfkd-predict -t "$2" -m "plain-1/model" faces >"$1/found" 2>"$1/stderr"
	kfkd-predict -t "$2" -m "plain-1/model" -o "$1/found.file" faces \
		>"$1/stdout" 2>"$1/stderr"
}
for threads in 1 2 3; do
	run plain-$threads $threads
done
like "the log has the number of threads" "$(cat plain-2/log)" 'backend cpu \(.*, 2 threads\)'

# Work is cut alike for any number of threads, and its sums are added in one order.
for threads in 2 3; do
	equal "$threads threads find what 1 finds" plain-1/model plain-$threads/model
done

# Sizes at which dense layers have several pieces, and incomplete ones.
for threads in 1 2 3; do
	kfkd-train -q -t $threads -n 'dense131 relu dense' -e 3 -B 33 faces >dense-$threads
done
equal "dense layers: 2 threads find what 1 finds" dense-1 dense-2
equal "... and 3" dense-1 dense-3

# All kinds of layers, in batches of some images in each piece.
every='conv8x3p1s2 batchnorm relu res save pool2 res12 upscale2 add12x1 leakyrelu drop.2
	avgpool2 save conv8x3p1 sigmoid add8x1 dense20 drop.5 dense'
for threads in 1 3; do
	kfkd-train -q -t $threads -n "$every" -a flip:auto,rotate:5 -e 2 -B 20 -S -r .001 faces \
		>every-$threads
done
equal "all kinds of layers: 3 threads find what 1 finds" every-1 every-3

# same VARIABLE=VALUE THREADS USED: THREADS are asked for, and the results are those of
# an undisturbed run with USED
same() {
	rm -rf disturbed
	(
		export "$1"
		run disturbed "$2"
	)
	for file in model file found found.file; do
		case $file in
		*file) want=${file%.file} && want=${want%file} ;;
		*) want=$file ;;
		esac
		equal "$1: $file" disturbed/$file "plain-$3/${want:-model}"
	done
	is "$1: nothing else on standard output" "$(cat disturbed/stdout)" ""
	like "$1: the log says $3 of $2 threads" "$(grep -a backend disturbed/log)" \
		", $3 threads?\)"
}

# A smaller team than is asked for, or what might lead to one.
same OMP_THREAD_LIMIT=1 2 1
same OMP_THREAD_LIMIT=2 3 2
same OMP_DYNAMIC=true 3 3
same OMP_MAX_ACTIVE_LEVELS=0 2 2
same OMP_MAX_ACTIVE_LEVELS=3 2 2
same OMP_NESTED=true 2 2
same OMP_NUM_THREADS=1 2 2
same OMP_NUM_THREADS=3,2 2 2
same OMP_SCHEDULE=dynamic,1 2 2
same OMP_PROC_BIND=true 2 2
same OMP_WAIT_POLICY=active 2 2

# Libraries that print, or round.
same ONEDNN_VERBOSE=1 2 2
same DNNL_VERBOSE=2 2 2
same OMP_DISPLAY_ENV=verbose 2 2
same ONEDNN_DEFAULT_FPMATH_MODE=BF16 2 2
(
	ONEDNN_VERBOSE=1
	export ONEDNN_VERBOSE
	kfkd-predict -m plain-1/model faces 2>said | kfkd-stat >out
)
like "what they print is on standard error" "$(cat said)" '(dnn|DNN)[lL]?_?verbose'
for closed in '2>&-' '>&-' '>&- 2>&-'; do
	ok "... and nowhere else with $closed" sh -c "ONEDNN_VERBOSE=1 kfkd-train -q \
		-n '$net' -e 2 -B 7 -t 2 -o closed faces $closed"
	equal "... and the model is the same" closed plain-2/model
	ONEDNN_VERBOSE=1 sh -c "kfkd-predict -t 2 -m plain-1/model -o closed faces $closed" 2>err
	equal "... and the predictions" closed plain-2/found
done

# One processor.
first=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
mkdir one
taskset -c "$first" kfkd-train -n "$net" -e 2 -B 7 faces >one/model 2>one/log
like "on one processor there is one thread" "$(cat one/log)" ', 1 thread\)'
equal "... with its results" one/model plain-1/model
taskset -c "$first" kfkd-train -q -n "$net" -e 2 -B 7 -t 2 faces >one/model
equal "... and as many as are asked for" one/model plain-2/model

# OMP_NUM_THREADS is as --threads, which goes up to 1024.
for threads in 3 100000; do
	OMP_NUM_THREADS=$threads kfkd-train -n 'dense2 relu dense' -e 1 faces \
		>many 2>log
	is "OMP_NUM_THREADS=$threads is no failure" $? 0
	[ $threads -le 1024 ] || threads=1024
	like "... and means $threads" "$(cat log)" ", $threads threads\)"
	kfkd-train -q -t $threads -n 'dense2 relu dense' -e 1 faces >asked
	equal "... with the results of --threads $threads" many asked
done
OMP_NUM_THREADS=3 kfkd-train -n 'dense2 relu dense' -e 1 -t 2 faces 2>&1 >many |
	grep -q ', 2 threads)'
is "--threads wins" $? 0

done_testing
