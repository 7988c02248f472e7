#!/bin/sh
# Several processes that train one net: the losses of one process, and an end for all of
# them when one of them ends.
. "${0%/*}/lib.sh"
if ! command -v mpirun >/dev/null || [ ! -f "$KFKD_BUILD/lib/kfkd/comm_mpi.so" ]; then
	echo "1..0 # SKIP there is no MPI, or make mpi was not run"
	exit 0
fi
cd "$tmp" || exit 1
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM

kfkd-synth -n 90 -s 1 --missing .3 | kfkd-load | kfkd-scale >faces
# Bytes, of which no row has all values.
kfkd-synth -n 300 -s 2 --missing .3 | kfkd-load | kfkd-scale --bytes >many

# ranks N ARGUMENT ...: a run of N processes, with a thread each
ranks() {
	ranks_n=$1
	shift
	limited mpirun --oversubscribe -n "$ranks_n" kfkd-train -q -t 1 "$@"
}

# difference MODEL MODEL: the largest relative difference of their losses in any epoch
difference() {
	kfkd-stat -H "$1" >"$1.tsv"
	kfkd-stat -H "$2" | paste "$1.tsv" - | awk 'NR > 1 {
		for (i = 2; i <= 3; i++) {
			d = $i == $(i + 3) ? 0 : ($i - $(i + 3)) / $i
			d = d < 0 ? -d : d
			if (!(d <= most)) most = d
		}
	} END { print (NR > 1 ? most + 0 : "nothing") }'
}

# near DESCRIPTION MODEL MODEL: their losses are the same to 1e-5
near() {
	near_by=$(difference "$2" "$3")
	ok "$1 (to $near_by)" awk "BEGIN { exit !($near_by <= 1e-5) }"
}

# -- the losses of one process -----------------------------------------------------------

# same NAME RANKS ARGUMENT ...: for each of these numbers of ranks
same() {
	name=$1
	numbers=$2
	shift 2
	kfkd-train -q -t 1 -o one "$@"
	for n in $numbers; do
		rm -f several
		ranks "$n" -o several "$@" </dev/null
		near "$name: the losses of one process with $n ranks" one several
	done
}

# 72 rows to train on: the last batch has 8
all='conv4x5 batchnorm relu pool4 res drop.2 dense20 relu drop.5 dense'
same "all kinds of layers" "1 2 3 4" -n "$all" -S -B 16 -e 4 -p 2 -r .003 \
	-a flip,shift:2,rotate:5,contrast:.2,hole:20 faces
mv several before
ranks 4 -n "$all" -S -B 16 -e 4 -p 2 -r .003 \
	-a flip,shift:2,rotate:5,contrast:.2,hole:20 -o several faces
equal "the same bytes in two runs of as many ranks" before several
# 7 rows in 4 batches: some of three ranks, and most of four, have none of the last
kfkd-head -n 7 faces >few
same "batches of fewer rows than ranks" "2 3 4" -n 'conv4x5 relu pool4 batchnorm dense' \
	-B 2 -e 3 -r .0001 -v 0 few
same "one row" 2 -n 'dense5 relu drop.5 dense' -e 3 -B 1 -v .5 -a flip few
same "bytes" "2 3" -n 'dense20 relu dense' -e 3 -B 128 -u adam many
mv several before
ranks 3 -n 'dense20 relu dense' -e 3 -B 128 -u adam --memory 2600K -o several many
equal "images that stay in the file" before several
same "the sum of mirrored labels" 3 -n 'pool2 dense60 relu dense' -a flip:auto -e 20 -B 32 many
# found MODEL: the sum in it
found() {
	head -c 3000 "$1" | sed -n 's/.*"flip.sum":"\([0-9.]*\).*/\1/p'
}
ok "... which is found alike" awk "BEGIN { d = $(found one) - $(found several)
	exit !($(found one) > 0 && d < .001 && d > -.001) }"
KFKD_MPI_OVERLAP=yes ranks 2 -n 'dense400 relu dense400 relu dense' -e 3 -o overlaps many
KFKD_MPI_OVERLAP=no ranks 2 -n 'dense400 relu dense400 relu dense' -e 3 -o waits many
equal "gradients may be summed during the backward pass" overlaps waits

# 150 images of 8 x 8, lighter where the label says
perl -e 'open my $x, ">", "images"; open my $l, ">", "labels";
	print $x pack("CCCCN*", 0, 0, 8, 3, 150, 8, 8);
	print $l pack("CCCCN*", 0, 0, 8, 1, 150), pack("C*", map { $_ % 4 } 0 .. 149);
	for my $i (0 .. 149) {
		print $x pack("C*", map { ($_ * 37 + $i * 91) % 150 + ($_ % 4 == $i % 4) * 100 }
			0 .. 63);
	}'
kfkd-load -l labels images | kfkd-scale >classes
kfkd-train -t 1 -l crossentropy -n 'dense20 relu dense' -B 20 -e 3 -o one classes 2>said
limited mpirun --oversubscribe -n 4 kfkd-train -t 1 -l crossentropy -n 'dense20 relu dense' \
	-B 20 -e 3 --log log -o several classes 2>said.4
near "classes" one several
cut -d '|' -f 5 said | grep % >accuracy
cut -d '|' -f 5 said.4 | grep % >accuracy.4
equal "... and how many are right" accuracy accuracy.4
is "... and the log has one rank's lines" "$(cut -f 1 log | tr '\n' ' ')" "epoch 1 2 3 "
is "... of the rows of all" "$(awk 'NR > 1 { n += int($7 * $8 + .5) == 150 } END { print n }' log)" 3
is "one rank alone logs, and says by what they are joined" \
	"$(grep -c '^ranks joined by mpi (.*), 4 ranks$' said.4)" 1

# -- shards ------------------------------------------------------------------------------

kfkd-cat -o 'shard.0' few
kfkd-synth -n 9 -s 3 | kfkd-load | kfkd-scale >shard.1
kfkd-cat shard.0 shard.1 >both
kfkd-train -q -t 1 -n 'conv4x5 batchnorm relu pool4 dense' -v 0 -B 16 -e 3 -o one both
ranks 2 -n 'conv4x5 batchnorm relu pool4 dense' -v 0 -B 18 -e 3 -o several shard.%r
ok "two shards in one batch are like one set" \
	awk "BEGIN { exit !($(difference one several) < 1e-5) }"
mv several before
mkdir at.0 at.1
ln shard.0 at.0
ln shard.1 at.1
ranks 2 -n 'conv4x5 batchnorm relu pool4 dense' -v 0 -B 18 -e 3 -o several at.%r/shard.%r
equal "each %r becomes the rank" before several
limited mpirun --oversubscribe -n 2 kfkd-train -t 1 -n 'dense5 relu dense' -B 2 -v .2 -e 2 \
	-o several shard.%r 2>said
like "the log counts the rows of all" "$(cat said)" '16 rows: 12 to train on, 4 to validate'
ranks 2 -n 'dense5 relu dense' -B 2 -v .2 -e 6 -S -o whole shard.%r
ranks 2 -n 'dense5 relu dense' -B 2 -v .2 -e 3 -S -c point -o several shard.%r
ranks 2 -n 'dense5 relu dense' -B 2 -v .2 -e 6 -S -R point -o several shard.%r
equal "shards of other lengths end one after another, and a run of them resumes" whole several

# -- a file that validates ------------------------------------------------------------------

kfkd-head -n 40 faces >train.all
kfkd-tail -n 50 faces >valid.all
kfkd-head -n 13 valid.all >valid.0
kfkd-tail -n 37 valid.all >valid.1
kfkd-head -n 20 train.all >train.0
kfkd-tail -n 20 train.all >train.1
options="-n 'dense10 relu dense' -B 80 -e 2 -r .1 -M .95"
overshoot() {
	eval "\"\$@\" $options"
}
overshoot kfkd-train -q -t 1 --validation valid.all -o one train.all
for files in 'all all' 'all %r' '%r all' '%r %r'; do
	rm -f several
	overshoot ranks 2 --validation "valid.${files#* }" -o several "train.${files% *}"
	near "train.${files% *} and valid.${files#* }: the losses of one process" one several
	is "... and its best epoch" "$(kfkd-stat several | grep ^weights)" \
		"$(kfkd-stat one | grep ^weights)"
	is "... the rows of all" "$(kfkd-stat several | grep ^validation)" "validation: 50 rows"
done
limited mpirun --oversubscribe -n 2 kfkd-train -t 1 -n dense -e 1 --validation valid.%r \
	-o several train.all 2>said
like "... and the log names all of their files" "$(cat said)" \
	'40 to train on, 50 to validate, those of valid\.%r$'

overshoot kfkd-train -q -t 1 --fold 2/3 -o one faces
overshoot ranks 3 --fold 2/3 -o several faces
near "a fold: the losses of one process" one several
kfkd-head -n 50 faces >fold.0
kfkd-tail -n 40 faces >fold.1
ranks 2 -n dense -e 1 -r .0001 --fold 2/3 -o several fold.%r
kfkd-train -q -n dense -e 1 -r .0001 -B 128 --fold 2/3 -o one faces
near "... also of shards" one several

# -- ends ----------------------------------------------------------------------------------

# A run that would not end: its mpirun is $pid.
long() {
	rm -f point model
	mpirun --oversubscribe "$@" -n 4 kfkd-train -q -t 1 -n 'dense20 relu drop.5 dense' -S -B 9 \
		-a flip -N 1 -e 100000 -c point -o model many 2>said &
	pid=$!
	soon "a run of four ranks writes its first checkpoint" 60 test -s point
	sleep .3
}

# gone: nothing of it is left, 10 seconds later
gone() {
	is "... and there is no model" "$(ls model* 2>/dev/null)" ""
	soon "... and no process is left" 10 sh -c "! pgrep -f 'kfkd-trai[n] -q .* -o model many'"
}

# resumes WHAT: the checkpoint goes on with one and with three ranks, as if alone
resumes() {
	epochs=$(($(kfkd-stat point | sed -n 's/^epochs: //p' | head -n 1) + 2))
	options="-n 'dense20 relu drop.5 dense' -S -B 9 -a flip -e $epochs"
	eval "kfkd-train -q -t 1 $options -o one many"
	for n in 1 3; do
		cp point copy
		eval "ranks $n $options -R copy -o several many"
		near "$1 resumes with $n ranks to the losses of a run left alone" one several
	done
}

long
kill -USR1 $pid
finish $pid 10
is "SIGUSR1 to mpirun ends it, which tells so" $? 138
like "... and says how to go on" "$(cat said)" \
	'rank 0: stopped in epoch [0-9]+; the same command with --resume point goes on'
is "... once" "$(grep -c 'stopped in epoch' said)" 1
gone
resumes "what it kept"
long --mca odls_base_sigkill_timeout 3
kill -TERM $pid
finish $pid 20
differs=$?
ok "SIGTERM to mpirun ends it ($differs)" test $differs -ne 0
is "... and the checkpoint is saved once" "$(grep -c 'stopped in epoch' said)" 1
gone
for victim in 0 2; do
	long
	kill -KILL "$(pgrep -f 'kfkd-train -q .* -o model many' | grep -vx $pid | sort -n |
		sed -n "$((victim + 1))p")"
	finish $pid 10
	status=$?
	ok "a killed rank ends all within ten seconds ($status)" \
		test $status -ne 0 -a $status -ne 124
	like "... with a message" "$(cat said)" 'exited on signal 9'
	gone
	ok "... and the checkpoint is whole" kfkd-stat point
done
resumes "the checkpoint of a run of which one was killed"

# -- what it refuses -----------------------------------------------------------------------

# fails DESCRIPTION PATTERN COMMAND ...: with status 1, and among other lines this one
fails() {
	fails_name=$1
	fails_pattern=$2
	shift 2
	limited "$@" >out 2>said </dev/null
	is "$fails_name fails" $? 1
	like "... and says why" "$(cat said)" "$fails_pattern"
}

two='mpirun --oversubscribe -n 2'
fails "standard input" 'rank [01]: several processes cannot share standard input; give a file' \
	$two kfkd-train -q -e 1 -o model
fails "standard output" 'rank [01]: several processes share standard output; name .* --output' \
	$two kfkd-train -q -e 1 many
fails "a shard that is not there" "rank 2: cannot open 'shard.2': No such file" \
	mpirun --oversubscribe -n 3 kfkd-train -q -e 1 -o model shard.%r
fails "data that are not the same" 'rank 1: its data are not those of rank 0' \
	mpirun --oversubscribe -n 1 kfkd-train -q -e 1 -o model faces : \
	-n 1 kfkd-train -q -e 1 -o model many
fails "rows that validate and are not the same" 'rank 1: its data are not those of rank 0' \
	mpirun --oversubscribe -n 1 kfkd-train -q -e 1 --validation valid.0 -o model faces : \
	-n 1 kfkd-train -q -e 1 --validation valid.1 -o model faces
fails "only some that have these" 'rank 1: its data are not those of rank 0' \
	mpirun --oversubscribe -n 1 kfkd-train -q -e 1 --validation valid.0 -o model faces : \
	-n 1 kfkd-train -q -e 1 -o model faces
fails "rows that validate from standard input" \
	'rank [01]: several processes cannot share standard input' \
	$two kfkd-train -q -e 1 --validation - -o model faces
fails "options that are not the same" 'rank 1: its options are not those of rank 0' \
	mpirun --oversubscribe -n 1 kfkd-train -q -e 1 -o model faces : \
	-n 1 kfkd-train -q -e 2 -o model faces
# as where each machine has a file of its own under this name
mkdir ahead behind
for at in 'ahead 2' 'behind 1'; do
	kfkd-train -q -t 1 -n 'dense5 relu dense' -e "${at#* }" -c "${at% *}/point" -o left faces
done
for option in '-R point' '-i point'; do
	fails "another file for each rank by $option" \
		'rank 1: it would begin elsewhere than rank 0: is what --resume or --init names' \
		mpirun --oversubscribe -n 1 --wdir ahead kfkd-train -q -t 1 -n 'dense5 relu dense' \
		-e 4 $option -o ../model ../faces : -n 1 --wdir behind kfkd-train -q -t 1 \
		-n 'dense5 relu dense' -e 4 $option -o ../model ../faces
done
fails "a batch with fewer rows than there are shards" \
	'a batch of 1 rows has none for some of 2 ranks' \
	$two kfkd-train -q -e 1 -B 1 -o model shard.%r
kfkd-synth -n 9 -s 3 | kfkd-load --columns nose_tip_x,nose_tip_y | kfkd-scale >shard.1
fails "shards with other columns" "rank 1: its shard has other images or columns than rank 0's" \
	$two kfkd-train -q -e 1 -o model shard.%r
fails "losses beyond all bounds" 'rank [01]: epoch [0-9]+: the (train|valid) loss is not finite' \
	$two kfkd-train -q -e 9 -r 1e6 -o model many
# as by another MPI's mpirun: without a check, each would write the model
for told in PMI_SIZE=2 PMIX_RANK=1; do
	fails "an MPI that finds no other process ($told)" \
		'comm mpi: several processes were started, but mpi \(.*\), 1 ranks finds only' \
		env $told kfkd-train -q -e 1 -o model many
done
mkdir plugins
ln -s "$KFKD_BUILD/lib/kfkd/backend_cpu.so" plugins
fails "mpirun without the plugin" \
	"comm mpi: cannot open its plugin 'plugins/comm_mpi.so'.*make mpi.*libopenmpi-dev" \
	env KFKD_PLUGINS=plugins $two kfkd-train -q -e 1 -o model many
is "no model is left of these" "$(ls model* 2>/dev/null)" ""
ok "--comm none is one process for itself" env KFKD_PLUGINS=plugins \
	$two kfkd-train -q --comm none -n 'dense5 relu dense' -e 1 -o alone many
ok "... and so is KFKD_COMM=none" env KFKD_PLUGINS=plugins KFKD_COMM=none \
	$two kfkd-train -q -n 'dense5 relu dense' -e 1 -o alone.too many
equal "... with the same result" alone alone.too
ok "without mpirun no plugin is asked for" env KFKD_PLUGINS=plugins \
	kfkd-train -q -n 'dense5 relu dense' -e 1 -o alone.too many
equal "... with the same result" alone alone.too
done_testing
