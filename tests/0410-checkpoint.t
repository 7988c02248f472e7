#!/bin/sh
# Checkpoints: a run that is stopped at any moment resumes to the same bytes.
. "${0%/*}/lib.sh"

cd "$tmp" || exit 1
kfkd-synth -n 60 -s 1 --missing .5 | kfkd-load | kfkd-scale >faces
kfkd-synth -n 150 -s 2 | kfkd-load | kfkd-scale >others

# Everything that a run can have: convolution, dropout, augmentation, schedules,
# shuffled batches, patience.
# A shell without job control starts commands in the background with SIGINT
# ignored; env gives it back.
train() {
	exec env --default-signal=INT kfkd-train -q -n 'conv4x5 batchnorm relu pool4 res drop.2 dense20 relu drop.5 dense' \
		-a flip:auto,shift:2,rotate:5,scale:.1,contrast:.2,brightness:.1,shear:5,hole:20 -S -B 16 -e 12 \
		-r .02:.001 -M .9:.99 -p 6 "$@"
}

start=$(date +%s%N)

(train -o whole faces)
took=$((($(date +%s%N) - start) / 1000000))

# Ends the run by a signal after this many milliseconds; its status in $status.
end_after() {
	(train -c point -N 1 -o part faces) 2>said &
	pid=$!
	sleep "$(awk "BEGIN { print $1 / 1000 }")"
	kill -"$2" $pid 2>/dev/null
	finish $pid 60
	status=$?
}

# -- twenty ends at random moments ---------------------------------------------------

awk -v took="$took" 'BEGIN { srand(7); for (i = 0; i < 20; i++)
	printf "%d %s\n", rand() * took, i % 3 == 2 ? "KILL" : i % 3 == 1 ? "INT" : "TERM"
}' >moments
same=0
resumed=0
while read -r moment signal; do
	rm -f point part
	end_after "$moment" "$signal" </dev/null
	if [ -f point ]; then
		resumed=$((resumed + 1))
		(train -c point -R point -o part faces) </dev/null
	else
		(train -o part faces) </dev/null # ended before its first checkpoint
	fi
	cmp -s whole part && same=$((same + 1))
done <moments
is "runs that ended at random moments come to the same bytes" $same 20
ok "many of them from a checkpoint ($resumed)" test $resumed -ge 5

# -- how a run ends by a signal --------------------------------------------------------

rm -f point part*
kfkd-train -q -e 100000 -c point -o part others 2>said &
pid=$!
soon "a long run writes its first checkpoint" 60 test -s point
kill -TERM $pid
finish $pid 60
is "SIGTERM ends it with 143" $? 143
like "it says how to go on" "$(cat said)" \
	'stopped in epoch [0-9]+; the same command with --resume point goes on'
ok "the checkpoint is there" test -s point
ok "there is no model, nor a part of one" sh -c "! ls part* 2>/dev/null"
rm -f point
env --default-signal=INT kfkd-train -q -e 100000 -c point -o part others 2>said &
pid=$!
soon "... and another its own" 60 test -s point
kill -INT $pid
finish $pid 60
is "SIGINT with 130" $? 130

# -- what it refuses ----------------------------------------------------------------------

rm -f point
(train -c point -e 4 -o four faces)
refuses "other data" 1 'cannot resume from .point.: it is of other data' \
	sh -c "kfkd-head -n 59 faces | kfkd-train -q -R point"
# The same but for one thing: targets, pixels or ids.
kfkd-synth -n 60 -s 1 --missing .5 >faces.csv
kfkd-synth -n 60 -s 1 >targets.csv
sed '2s/,\([0-9]*\) \([0-9]*\) /,\2 \1 /' faces.csv >pixels.csv
awk 'NR == 1 { print "ImageId," $0; next } { print NR "," $0 }' faces.csv >ids.csv
cat >args <<'A'
train() {
	kfkd-train -q -n 'conv4x5 batchnorm relu pool4 res drop.2 dense20 relu drop.5 dense' \
		-a flip:auto,shift:2,rotate:5,scale:.1,contrast:.2,brightness:.1,shear:5,hole:20 -S -B 16 -e 4 \
		-r .02:.001 -M .9:.99 -p 6 -R point "$@"
}
A
kfkd-load faces.csv | kfkd-scale >same
ok "the same data" sh -c ". ./args; train same >model"
for what in targets pixels ids; do
	kfkd-load $what.csv | kfkd-scale >$what
	refuses "other $what" 1 'it is of other data' sh -c ". ./args; train $what >model"
done
sed '1s/nose_tip/chin/g' faces.csv | kfkd-load | kfkd-scale >names
refuses "other columns" 1 "it is of other columns: column 21 is 'nose_tip_x', not 'chin_x'" \
	sh -c ". ./args; train names >model"
for option in "-s 43|--seed 42, not 43" "-B 32|--batch 16, not 32" \
	"-a none|--augment flip" "-e 5|--epochs 4, not 5" "-r .1|--rate 0.02:0.001" \
	"-u momentum|--update nesterov" "-w .1|weight-decay"; do
	refuses "another option: ${option%%|*}" 1 "cannot resume from 'point'.*${option#*|}" \
		sh -c ". ./args; train ${option%%|*} faces >model"
done
refuses "another net" 1 "of the net 'conv4x5" sh -c "
	. ./args; train -n 'dense20 relu dense' faces >model"
refuses "a model that is no checkpoint" 1 'a model, not a checkpoint' \
	kfkd-train -q -R four faces
refuses "no such file" 1 "cannot open 'none'" kfkd-train -q -R none faces
head -c 10000 point >cut
refuses "a cut checkpoint" 1 'truncated' kfkd-train -q -R cut faces
ok "a finished run resumed writes the same model" sh -c "
	. ./args; train -o again faces && cmp four again"

# -- more epochs than were asked for first ------------------------------------------------

constant() {
	kfkd-train -q -n 'conv4x5 relu pool4 drop.2 dense' -a flip -S -B 16 "$@"
}
constant -e 5 -o five faces
constant -e 2 -c two -o part faces
constant -e 5 -R two -o more faces

# told OPTION ...: the last line of the log, without the time
told() {
	kfkd-train -n 'conv4x5 relu pool4 drop.2 dense' -a flip -S -B 16 "$@" faces \
		2>&1 >/dev/null | sed -n 's/^\(best .*\), [0-9.]* s in all$/\1/p'
}
for epochs in 2 5; do
	told -e $epochs >once
	told -e $epochs -R two >resumed
	equal "$epochs epochs from epoch 2 on: the log tells the best of the whole run" \
		once resumed
done
ok "a finished run goes on for longer, where rates are constant" cmp five more
refuses "but not for less" 1 "cannot resume from 'two': it is past epoch 1" \
	kfkd-train -q -n 'conv4x5 relu pool4 drop.2 dense' -a flip -S -B 16 -e 1 -R two faces

# -- the best epoch's weights -------------------------------------------------------------

# It overshoots: of 7 epochs, the best is the fifth, before the checkpoint.
rising() {
	kfkd-train -q -n 'dense10 relu dense' -B 16 -r .2 -M .95 "$@" faces
}
rising -e 7 -o seven
rising -e 7 --last -o last
rising -e 6 -c six -N 1 -o m
like "the best epoch is before the checkpoint" "$(kfkd-stat seven)" '^weights: epoch 5$'
rising -e 7 -R six -o again
equal "it has the best epoch's weights" again seven
rising -e 7 --last -R six -o again
equal "... or goes on to the last, if these are wanted now" again last
rising -e 6 -R six -o again
like "no further epochs write the best so far" "$(kfkd-stat again)" '^weights: epoch 5$'
# As older ones, that of a run with --last lacks the best.
rising -e 6 --last -c six.last -o m
rising -e 7 -R six.last -c next -o again 2>said
is "where it lacks them, the run says so once" "$(sed 's/^kfkd-train: //' said)" \
	"'six.last' lacks the best epoch's weights, as older checkpoints and those of --last do; the last epoch's are written"
equal "... and goes on to the last" again last
rising -e 8 -R next -o again 2>said
like "... and so does one that goes on from it" "$(cat said)" "^kfkd-train: 'next' lacks"
ok "... but not with --last" sh -c "test -z \"\$(kfkd-train -n 'dense10 relu dense' -q -B 16 -r .2 \
	-M .95 -e 8 --last -R next -o again faces 2>&1)\""

# -- a checkpoint is a model ------------------------------------------------------------------

ok "a checkpoint predicts" sh -c "kfkd-predict -m point others | kfkd-score"
ok "and tells of itself" sh -c "kfkd-stat point | grep -q '^epochs: 4'"
refuses "a directory that cannot be written" 1 "cannot create 'none/point" \
	kfkd-train -q -e 1 -c none/point -o m faces

done_testing
