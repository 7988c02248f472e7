#!/bin/sh
# Do two builds give the same results, byte for byte?  For a change that should not
# change any:
#
#   sh tests/same.sh OLD/build/bin NEW/build/bin [FACES.csv]
#
# Every program runs in every mode with both, on drawn faces or on those given:
# streams, models, checkpoints, pictures, tables, and messages for damaged input.
# Prints what differs; exits 1 if anything does.
set -u
old=$(cd "$1" && pwd) new=$(cd "$2" && pwd)
[ $# -lt 3 ] || faces=$(realpath "$3")
tests=$(cd "${0%/*}" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
mkdir old new in
KFKD_BACKEND=cpu
export KFKD_BACKEND
compared=0 differ=0

# same NAME COMMAND ...: runs it with both builds, in old/ and new/; compares what it
# prints, its messages, its status and the files that it leaves.  NAME.out stays.
same() {
	name=$1
	shift
	for build in old new; do
		eval "bin=\$$build"
		(
			cd $build || exit 1
			PATH=$bin:$PATH
			"$@" >"$name.out" 2>"$name.err"
			echo "status $?" >>"$name.err"
		)
	done
	compared=$((compared + 1))
	for file in "$name.out" "$name.err"; do
		# a run's table has times, which are never the same
		for build in old new; do
			sed 's/[0-9.]*s$//; s/, [0-9.]* s in all//' "$build/$file" >$build.plain
		done
		cmp -s "old/$file" "new/$file" || cmp -s old.plain new.plain || {
			echo "differs: $file of: $*"
			diff old.plain new.plain | head -n 5
			differ=$((differ + 1))
		}
	done
}

# the same of a pipeline, as one line of shell
pipe() {
	same "$1" sh -c "$2"
}

# -- input --------------------------------------------------------------------------

PATH=$old:$PATH kfkd-synth -n 300 -s 7 --missing .4 >in/drawn.csv
head -n 400 "${faces:-in/drawn.csv}" >in/faces.csv
head -n 61 in/drawn.csv | awk -f "$tests/shrink.awk" >in/small.csv
PATH=$old:$PATH kfkd-synth -n 5 -s 8 -t >in/test.csv
perl -e 'srand 3; open my $x, ">:raw", "in/images"; open my $l, ">:raw", "in/labels";
	print $x pack("CCCCN3", 0, 0, 8, 3, 80, 16, 16);
	print $l pack("CCCCN", 0, 0, 8, 1, 80), pack("C*", map { $_ % 4 } 0 .. 79);
	print $x pack("C*", map { rand 256 } 1 .. 80 * 256)'

# -- streams ------------------------------------------------------------------------

same synth kfkd-synth -n 20 -s 3 -m .5
same load kfkd-load ../in/faces.csv
same load-columns kfkd-load -c nose_tip_x,nose_tip_y ../in/faces.csv
same load-test kfkd-load ../in/test.csv
same load-idx kfkd-load -l ../in/labels ../in/images
pipe load-pgm 'for i in 1 2 3; do printf "P5\n4 3\n200\n%s" "abcdefghijkl"; done | kfkd-load'
same dropna kfkd-dropna load.out
same scale kfkd-scale load.out
same unscale kfkd-scale --undo scale.out
same scale-bytes kfkd-scale --bytes load.out
same unscale-bytes kfkd-scale --undo scale-bytes.out
same head kfkd-head -n 7 load.out
same cat kfkd-cat load.out load.out
same single kfkd-cat -1 load.out
same back kfkd-cat single.out
same save kfkd-save load.out
same save-ids kfkd-save -i load.out
same stat kfkd-stat load.out
same stat-scaled kfkd-stat scale.out
pipe digits 'kfkd-scale load-idx.out'
pipe small 'kfkd-load ../in/small.csv | kfkd-scale'

# -- models -------------------------------------------------------------------------

every='conv8x3 relu pool2 drop.2 conv16x2 tanh pool3 drop.1 dense40 sigmoid drop.5 dense'
branches='conv16x3p1s2 batchnorm relu save avgpool2 res20 upscale2 add20x3p1 tanh pool2 maps softargmax'
all='flip,shift:2,rotate:5,scale:.1,contrast:.2'
same net1 kfkd-train -t 2 -e 4 scale.out
same of-bytes kfkd-train -t 2 -e 2 -S -a flip,contrast:.2 scale-bytes.out
same one-thread kfkd-train -t 1 -e 2 scale.out
same net2 kfkd-train -n net2 -t 2 -e 1 -B 40 scale.out
same net7 kfkd-train -n net7 -t 2 -e 1 -B 40 small.out
same best kfkd-train -n small -t 2 -e 2 scale.out
same branches kfkd-train -n "$branches" -t 2 -e 2 -u adamw -w .1 -l wing -a flip:auto small.out
same every kfkd-train -n "$every" -t 2 -e 4 -B 17 -S -a $all -p 2 -c point small.out
same resumed kfkd-train -n "$every" -t 2 -e 4 -B 17 -S -a $all -p 2 -R point small.out
same recompute kfkd-train -n "$every" -t 2 -e 2 -B 7 --recompute small.out
for rule in sgd momentum adagrad rmsprop adadelta adam; do
	same $rule kfkd-train -n 'dense20 relu dense' -u $rule -w .01 -e 3 small.out
done
same classes kfkd-train -l crossentropy -n 'dense20 relu dense' -e 3 -B 16 digits.out
same init kfkd-train -i net1.out -e 1 -r .02:.001 -M .9:.99 scale.out
same predict kfkd-predict -m net1.out -m best.out scale.out
same predict-bytes kfkd-predict -m net1.out scale-bytes.out
same predict-flip kfkd-predict --flip -m branches.out small.out
same maps kfkd-predict --saliency -m branches.out small.out
pipe predict-classes 'kfkd-predict -m classes.out digits.out'
same model kfkd-stat every.out
same history kfkd-stat -H every.out
same checkpoint kfkd-stat point
cmp -s old/point new/point || { echo "differs: the checkpoint"; differ=$((differ + 1)); }

# -- tables and pictures ------------------------------------------------------------

same score kfkd-score predict.out
same score-rows kfkd-score -r predict.out
same score-classes kfkd-score predict-classes.out
pipe lookup 'kfkd-scale --undo predict.out | kfkd-save -p -n | head -n 3'
pipe submission 'printf "RowId,ImageId,FeatureName,Location\n1,2,nose_tip_x,\n2,1,nose_tip_y,\n" >t
	kfkd-save -l t predict.out'
same sheet kfkd-plot predict.out
same colour kfkd-plot -c -i -g 3x2 -z 3 predict.out
same worst kfkd-plot -w 5 predict.out
same errors kfkd-plot --errors predict.out
same curve kfkd-plot --curve --mean -c net1.out best.out
same weights kfkd-plot --weights net1.out
same filters kfkd-plot --weights -c every.out
pipe each 'kfkd-head -n 3 predict.out | kfkd-plot -e face; cat face*'

# -- rows, where the old build has the programs ----------------------------------------

if [ -x "$old/kfkd-select" ]; then
	same select kfkd-select -i 3,7,10-20 -c '*_eye_*,nose_*' load.out
	same select-where kfkd-select -w 'rmse>5' -w 'nose_tip_x!=missing' predict.out
	same select-label kfkd-select -v -l 1-2 load-idx.out
fi

if [ -x "$old/kfkd-split" ]; then
	pipe split 'kfkd-split --share .7 -r rest load.out; cat rest'
fi

if [ -x "$old/kfkd-tail" ]; then
	same head-but kfkd-head -n -7 load.out
	same tail kfkd-tail -n 7 load.out
	same tail-from kfkd-tail -n +7 load.out
fi

if [ -x "$old/kfkd-shuffle" ]; then
	same shuffle kfkd-shuffle -s 3 load.out
	same sample kfkd-shuffle -n 20 load.out
fi

if [ -x "$old/kfkd-join" ]; then
	printf 'id,nose_tip_x,ear_x\n1,2,3\n2,,1\n' >in/join
	same join kfkd-join -k -t ../in/join load.out
fi

# -- what is refused ----------------------------------------------------------------

for at in 0 8 40 300 5000; do
	pipe flipped-$at "perl -e 'local \$/; \$_ = <STDIN>; substr(\$_, $at, 1) ^= chr 32;
		print' <load.out | kfkd-scale"
	pipe cut-$at "head -c $at load.out | kfkd-cat"
	pipe model-$at "head -c $at net1.out >m; kfkd-predict -m m scale.out"
done
while IFS='|' read -r what script; do
	pipe "csv-$what" "head -n 4 ../in/drawn.csv | perl -ne '$script' | kfkd-load"
done <<'EOT'
cut|print $. < 3 ? $_ : substr($_, 0, 5000) if $. < 4
pixel|s/ \d+$/ 256/ if $. == 3; print
fields|s/^[^,]*,// if $. == 3; print
word|s/^[^,]*/word/ if $. == 3; print
quote|s/^([^,]*)/"$1/ if $. == 3; print
image|s/,Image$/,Picture/; print
twice|s/^([^,]*),[^,]*/$1,$1/ if $. == 1; print
EOT
pipe pgm-cut 'printf "P5\n4 3\n255\nabc" | kfkd-load'
pipe pgm-16 'printf "P5\n4 3\n999\nabc" | kfkd-load'
pipe idx-rank 'kfkd-load ../in/labels'
pipe idx-cut 'head -c 900 ../in/images | kfkd-load'
pipe lookup-bad 'printf "RowId,ImageId,FeatureName\n1,x,nose_tip_x\n" >t; kfkd-save -l t predict.out'
same twice kfkd-scale scale.out
same raw kfkd-train -e 1 load.out
same other-data kfkd-train -n "$every" -e 4 -R point scale.out
same no-layer kfkd-train -n 'dense5 rely dense' -e 1 scale.out
same no-model kfkd-predict -m load.out scale.out
same missing kfkd-stat none

echo "$compared commands compared, $differ differences"
[ $differ = 0 ]
