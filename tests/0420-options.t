#!/bin/sh
# What kfkd-train's options do: presets, schedules, augmentation, patience,
# weight decay, labels, missing targets.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 60 -s 1 >faces.csv
kfkd-load faces.csv | kfkd-scale >faces
small='dense10 relu dense'

# train OPTION ...: a model of the faces, quietly
train() {
	kfkd-train -q "$@" faces
}

# notes OPTION ...: a model's notes on these options, in one line
notes() {
	train -e 0 "$@" | kfkd-stat | sed -n '/^update:/,/^seed:/p' | tr '\n' ' '
}

# history OPTION ...: epochs and losses, without the header; where files of them
# are compared, by equal or differ, a run that failed does not pass
history() {
	train "$@" | kfkd-stat --history | tail -n +2
}

# -- presets -----------------------------------------------------------------------

plain='batch: 128 valid: 0.2 seed: 42 '
falling='rate: 0.03:0.0001 momentum: 0.9:0.999 epochs: 0'
is "net1 is the default" "$(notes)" \
	"update: nesterov rate: 0.01 momentum: 0.9 epochs: 0 $plain"
is "net2 trains like net1" "$(notes -n net2)" "$(notes)"
is "net4 has schedules" "$(notes -n net4)" "update: nesterov $falling $plain"
is "net5 flips, too" "$(notes -n net5)" \
	"update: nesterov $falling batch: 128 augment: flip valid: 0.2 seed: 42 "
is "so does net7" "$(notes -n net7)" "$(notes -n net5)"
like "an option given wins over the preset's" "$(notes -n net5 -r .02 -B 8 -v .5)" \
	'rate: 0.02 momentum: 0.9:0.999 epochs: 0 batch: 8 augment: flip valid: 0.5'
is "... before it, too" "$(notes -r .02 -n net4)" "$(notes -n net4 -r .02)"
is "--augment none switches its flips off" "$(notes -n net5 -a none)" "$(notes -n net4)"
is "another rule brings its own rate" "$(notes -n net4 -u adam)" \
	"update: adam rate: 5e-05 epochs: 0 $plain"
is "layers in full train like net1" "$(notes -n "$small")" "$(notes)"
like "net3 lists its layers" "$(kfkd-train -n net3 -e 0 faces 2>&1 >/dev/null)" \
	'conv2 relu  *64 x 46 x 46  *17334272  *8256'
ok "an epoch of net6" kfkd-train -q -n net6 -e 1 -o net6.kfkd faces
like "is one of a net with dropout" "$(kfkd-stat net6.kfkd)" \
	'^net: conv32x3 relu pool2 drop.1 conv64x2'

# -- schedules ---------------------------------------------------------------------

like "schedules are told" "$(notes -r .02:.001 -M .9:.99)" \
	'rate: 0.02:0.001 momentum: 0.9:0.99'
history -n "$small" -e 4 -r .02 >constant
history -n "$small" -e 4 -r .02:.001 >scheduled
is "epochs 1 and 2 both have the first rate" "$(head -n 2 scheduled)" \
	"$(head -n 2 constant)"
sed -n 3p scheduled >third
sed -n 3p constant >other
differ "the third has another" third other
history -n "$small" -e 4 -r .02:.02 >third
equal "from A to A is A" third constant
history -n "$small" -e 4 -M .9:.1 >scheduled
history -n "$small" -e 4 -M .9 >constant
is "so has momentum" "$(head -n 2 scheduled)" "$(head -n 2 constant)"
sed -n 3p scheduled >third
sed -n 3p constant >other
differ "... another from the third epoch on" third other
misuses "a rate that is none" "--rate" -r .1:fast
misuses "a momentum above 1" "--momentum" -M .9:1.1
misuses "a momentum for a rule without" "--momentum: adam has none" -M .9 -u adam
misuses "--every without a checkpoint" "--every: it is for --checkpoint" -N 5

# -- batches and augmentation ------------------------------------------------------

history -n "$small" -e 3 -B 16 >ordered
history -n "$small" -e 3 -B 16 -S >shuffled
differ "--shuffle changes the batches" shuffled ordered
history -n "$small" -e 3 -B 16 -S >again
equal "... in the same way each time" again shuffled
history -n "$small" -e 3 -B 16 -S -s 7 >again
differ "... but not for another seed" again shuffled
# A rate of 0 leaves the weights alone; 48 rows make batches of 20, 20 and 8, and
# the mean of their losses depends on which rows each has.
losses() {
	history -n 'pool8 dense' -u sgd -r 0 -e 3 -B 20 "$@" | cut -f 2 | sort -u | wc -l
}
is "--shuffle draws other batches in each epoch" "$(losses -S)" 3
is "... and the same ones without it" "$(losses)" 1
for what in flip flip:97 shift:2 rotate:5 scale:.1 contrast:.2 brightness:.2 shear:5 \
	hole:20; do
	history -n "$small" -e 3 -B 16 -a $what >changed
	differ "--augment $what changes the run" changed ordered
	history -n "$small" -e 3 -B 16 -a $what >again
	equal "... in the same way each time" again changed
done
history -n "$small" -e 3 -B 16 -a shift:0,rotate:0,scale:0,contrast:0,brightness:0,shear:0,hole:0 \
	>changed
equal "amounts of 0 change nothing" changed ordered
history -n "$small" -e 3 -B 16 -a flip >changed
history -n "$small" -e 3 -B 16 -a flip:95 >again
equal "the mirror images of 96 pixels add up to 95" again changed
like "what is augmented is told" "$(notes -a flip,rotate:5)" 'augment: flip,rotate:5'
misuses "no such augmentation" "--augment: there is no 'turn:5'" -a flip,turn:5
misuses "an amount out of bounds" "--augment: 'scale:2' is not from 0" -a scale:2
kfkd-load -c left_eye_center_x,left_eye_center_y faces.csv | kfkd-scale >left
refuses "flips without the other side" 1 "flip: 'left_eye_center_x' lacks its other side" \
	kfkd-train -q -e 1 -a flip left
ok "... are not asked for otherwise" sh -c 'kfkd-train -q -e 1 -a rotate:5 left >out'
kfkd-load -c nose_tip_x faces.csv | kfkd-scale >x
refuses "turns without the other coordinate" 1 \
	"rotate: 'nose_tip_x' lacks its other coordinate, 'nose_tip_y'" \
	kfkd-train -q -e 1 -a rotate:5 x
ok "... a flip alone needs none" sh -c 'kfkd-train -q -e 1 -a flip x >out'

# -- patience ----------------------------------------------------------------------

# It overshoots: the validation loss falls for some epochs, then rises.
train -n "$small" -B 16 -r .2 -M .95 -e 40 -p 2 >patient
best=$(kfkd-stat -H patient | tail -n +2 | sort -g -k 3 | head -n 1)
best_epoch=$(printf '%s' "$best" | cut -f 1)
epochs=$(kfkd-stat -H patient | tail -n 1 | cut -f 1)
ok "the best epoch is not the last" test "$best_epoch" -lt 30
like "kfkd-stat tells it" "$(kfkd-stat patient)" "^best valid loss: .* in epoch $best_epoch,"
is "--patience 2 bears two epochs that are no better" "$epochs" $((best_epoch + 3))
# A rate of 0 leaves the weights alone, and measures their loss.
is "the model has the least validation loss" \
	"$(history -n "$small" -i patient -B 16 -u sgd -r 0 -e 1 | cut -f 3)" \
	"$(printf '%s' "$best" | cut -f 3)"
train -n "$small" -B 16 -r .2 -M .95 -e "$best_epoch" >at_best
train -n "$small" -B 16 -r .2 -M .95 -e "$((best_epoch + 1))" -p 2 >short
for m in patient at_best short; do
	kfkd-predict -m $m faces >$m.predicted
done
equal "its weights are those of that epoch" patient.predicted at_best.predicted
equal "... also where the run ends for want of epochs" patient.predicted short.predicted
is "an epoch with the same loss is no better" "$(history -n "$small" -u sgd -r 0 -e 20 \
	-p 2 | wc -l)" 4
like "without validation the train loss counts" \
	"$(history -n "$small" -v 0 -e 3 -p 1 | tail -n 1)" '^3	.*	nan$'

# -- the best epoch's weights -------------------------------------------------------

train -n "$small" -B 16 -r .2 -M .95 -e 12 -c point -N 12 >kept
train -n "$small" -B 16 -r .2 -M .95 -e 12 --last >last
for m in kept last point; do
	kfkd-predict -m $m faces >$m.predicted
done
equal "a run that validates keeps its best epoch's weights" kept.predicted \
	at_best.predicted
like "... and says which epoch that is" "$(kfkd-stat kept)" "^weights: epoch $best_epoch\$"
like "... after which it got worse" "$(kfkd-stat -H kept | awk -v best="$best_epoch" '
	$1 == best { v = $3 } END { print $1, ($3 > v) }')" '^12 1$'
differ "--last writes others" last.predicted kept.predicted
equal "... those that the run ended with" last.predicted point.predicted
like "... and says so" "$(kfkd-stat last)" "^weights: epoch 12\$"
is "the losses are the same" "$(kfkd-stat -H last)" "$(kfkd-stat -H kept)"
train -n "$small" -B 16 -r .2 -M .95 -e 12 --last -p 2 >last
like "--last writes them where patience ends a run, too" "$(kfkd-stat last)" \
	"^weights: epoch $((best_epoch + 3))\$"
train -n "$small" -B 16 -r .5 -e 12 -v 0 >unvalidated
train -n "$small" -B 16 -r .5 -e 12 -v 0 --last >last
equal "without validation the last are written as well" unvalidated last
train -n "$small" -B 16 -r .2 -M .95 -e 12 -v 0 -p 11 >last
like "... unless there is a patience" "$(kfkd-stat last)" "^weights: epoch $(
	kfkd-stat -H last | tail -n +2 | sort -g -k 2 | head -n 1 | cut -f 1)\$"

# -- weight decay ------------------------------------------------------------------

# weights MODEL: all numbers in it, one a line; the losses come last
weights() {
	n=$(head -c 8 "$1" | od -An -t u8)
	tail -c +$((n + 9)) "$1" | od -An -v -w4 -t f4
}

tiny='dense2 relu dense'
train -n "$tiny" -e 0 >start
train -n "$tiny" -u sgd -r .01 -e 1 >free
train -n "$tiny" -u sgd -r .01 -e 1 -w 20 >decayed
for m in start free decayed; do
	weights $m >$m.w
done
# One batch, so one update: -r (g + F w) in place of -r g
is "--weight-decay takes its share of each weight" \
	"$(paste start.w free.w decayed.w | awk 'NF == 3 { n++; d = $3 - $2 + .01 * 20 * $1
		if (d * d > 1e-12) wrong++ } END { print n, wrong + 0 }')" \
	"$((9216 * 2 + 2 + 60 + 30)) 0"

# -- missing targets ---------------------------------------------------------------

kfkd-synth -n 60 -s 2 --missing .7 | kfkd-load | kfkd-scale >missing
kfkd-train -q -n "$small" -B 16 -e 4 missing | kfkd-stat -H | tail -n +2 >losses
is "the loss falls where targets are missing" "$(awk '$2 < last || NR == 1 { fell++ }
	{ last = $2 } END { print fell }' losses)" 4
# Every third face has no target at all.
awk -F , -v OFS=, 'NR > 1 && NR % 3 == 0 { for (i = 1; i <= 30; i++) $i = "" } 1' \
	faces.csv >some.csv
awk 'NR == 1 || NR % 3' faces.csv >others.csv
for f in some others; do
	kfkd-load $f.csv | kfkd-scale | kfkd-train -q -n "$small" -v 0 -B 1 -u sgd -r 0 \
		-e 1 | kfkd-stat -H | tail -n 1 | cut -f 2 >$f.loss
done
is "batches without a target do not count" "$(paste some.loss others.loss |
	awk '{ d = $1 / $2 - 1; print d * d < 1e-10 ? "same" : $0 }')" same
# Nor do they count as steps, on which the size of adam's depends.
sed -n 1,2p faces.csv >one.csv
{ cat one.csv; sed -n '3s/^[0-9.,]*,/,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,/p' faces.csv; } >two.csv
for f in one two; do
	kfkd-load $f.csv | kfkd-scale | kfkd-train -q -n "$small" -v 0 -B 1 -u adam -e 2 \
		>$f.kfkd
done
equal "nor as steps of adam" one.kfkd two.kfkd
# A turn needs both coordinates: where y is missing x goes with it.
awk -F , -v OFS=, 'NR % 2 { $22 = "" } NR == 1 { $22 = "nose_tip_y" } 1' faces.csv >y.csv
awk -F , -v OFS=, 'NR > 1 && NR % 2 { $21 = $22 = "" } 1' faces.csv >xy.csv
for run in 'y -arotate:.00001' 'xy -anone'; do
	kfkd-load ${run% *}.csv | kfkd-scale | kfkd-train -q -n 'pool8 dense' -v 0 -u sgd \
		-r 0 -e 1 ${run#* } | kfkd-stat -H | tail -n 1 | cut -f 2 >${run% *}.loss
done
is "the loss of what is turned counts the targets that are left" \
	"$(paste y.loss xy.loss | awk '{ d = $1 / $2 - 1
		print d * d < 1e-10 ? "same" : $0 }')" same
awk -F , -v OFS=, 'NR > 1 { for (i = 1; i <= 30; i++) $i = "" } 1' faces.csv >none.csv
refuses "no target at all" 1 "no row to train on has a value of 'left_eye_center_x'" \
	sh -c 'kfkd-load none.csv | kfkd-scale | kfkd-train -q -e 1'

# -- labels ------------------------------------------------------------------------

# 100 images of 28 x 28: noise, and a light band where the label says
perl -e 'my ($n, $s) = (100, 1);
	open my $x, ">", "images" or die;
	open my $l, ">", "labels" or die;
	print $x pack("CCCCN*", 0, 0, 8, 3, $n, 28, 28);
	print $l pack("CCCCN*", 0, 0, 8, 1, $n), pack("C*", map { $_ % 4 } 0 .. $n - 1);
	for my $i (0 .. $n - 1) {
		for my $j (0 .. 783) {
			$s = ($s * 1103515245 + 12345) % 2147483648;
			my $light = int($j / 28 / 7) == $i % 4 ? 90 : 0;
			print $x pack("C", int($s / 65536) % 160 + $light);
		}
	}'
kfkd-load -l labels images | kfkd-scale >digits
kfkd-train -l crossentropy -n 'dense20 relu dense' -S -B 20 -r .02 -e 4 -o classes \
	digits 2>log
is "labels are learnt" $? 0
like "the table has the accuracy" "$(cat log)" '\|  Valid loss  .*\|  Valid acc  \|'
is "... in each of its lines" "$(grep -c '^ *[0-9]*  |.*|  *[0-9.]*%  |  .*s$' log)" 4
is "both losses fall" "$(kfkd-stat -H classes | awk 'NR > 2 && $2 < t && $3 < v { n++ }
	{ t = $2; v = $3 } END { print n }')" 3
like "the first is about log 4" "$(kfkd-stat -H classes | sed -n 2p)" '^1	[12]\.'
kfkd-predict -m classes digits >predicted
is "kfkd-score prints the accuracy" "$(kfkd-score predicted | head -n 1)" \
	"class	accuracy	rows"
like "... which is high" "$(kfkd-score predicted | tail -n 1)" '^overall	(1|0\.9)'
is "probabilities add up to 1" "$(kfkd-stat predicted | awk '/^class_/ { s += $5; n++
	if ($3 < 0 || $4 > 1) n = -9 } END { printf "%d %.2f", n, s }')" "4 1.00"
# The same of the table: 99 of the 100 rows, by weights that stay as they are.
kfkd-train -q -l crossentropy -n 'dense5 relu dense' -B 20 -e 1 -o half digits
table=$(kfkd-train -l crossentropy -n 'dense5 relu dense' -i half -v .99 -u sgd -r 0 \
	-e 1 digits 2>&1 >/dev/null | sed -n 's/^ *1  |.*| *\([0-9.]*\)%  |.*/\1/p')
ok "the table's accuracy is kfkd-score's ($table%)" awk -v table="$table" -v score="$(
	kfkd-predict -m half digits | kfkd-score | tail -n 1 | cut -f 2)" \
	'BEGIN { more = int(score * 100 + .5) - int(table * .99 + .5)
	exit !(table > 0 && (more == 0 || more == 1)) }'
kfkd-load images | kfkd-save -n | sed '1s/^/dot_x,/; 2,$s/^/10,/' | kfkd-load |
	kfkd-scale >dots
kfkd-train -q -n dense -e 1 -o dots.kfkd dots
refuses "models of classes and of keypoints cannot be joined" 1 \
	'one model classifies, another does not' \
	kfkd-predict -m classes -m dots.kfkd digits
for net in mnist-mlp mnist-cnn; do
	kfkd-train -q -n $net -e 1 digits >$net
	like "an epoch of $net" "$(kfkd-stat $net | tr '\n' ' ')" \
		'loss: cross-entropy .* epochs: 1 batch: 500 shuffle: yes valid: 0.16666666'
done
ok "labels can be augmented" sh -c \
	'kfkd-train -q -n mnist-cnn -e 1 -a shift:2,rotate:10,scale:.1 digits >out'
refuses "crossentropy without labels" 1 'no labels to learn' \
	kfkd-train -q -l crossentropy faces
refuses "squared error without targets" 1 'labels, not targets; learn them with --loss crossentropy' kfkd-train -q digits
refuses "outputs that are not the classes" 1 'ends in 5 outputs, and there are 4' \
	kfkd-train -q -l crossentropy -n dense5 digits
misuses "no such loss" "--loss: there is no 'hinge', but squared" -l hinge

# labelled CLASSES LABEL ...: a stream of grey images, of level $PIXEL, with these
# labels
PIXEL=64
export PIXEL
labelled() {
	perl -e 'my ($classes, @label) = @ARGV;
		my $n = @label;
		my ($x, $end) = (16 * $n, 24 * $n);
		my $header = sprintf q({"__metadata__":{"classes":"%s"},) .
			q("X":{"dtype":"U8","shape":[%d,1,4,4],"data_offsets":[0,%d]},) .
			q("label":{"dtype":"I64","shape":[%d],"data_offsets":[%d,%d]}}),
			$classes, $n, $x, $n, $x, $end;
		print pack("Q<", length $header), $header, chr($ENV{PIXEL}) x $x,
			pack("q<*", @label);' "$@" | kfkd-cat | kfkd-scale
}

labelled 3 0 1 2 0 1 2 0 2 >in
ok "labels from elsewhere" sh -c 'kfkd-train -q -l crossentropy -e 1 in >out'
kfkd-train -q -l crossentropy -n dense -e 1 -o three in
PIXEL=0
labelled 3 0 0 0 0 0 >black
PIXEL=64
like "of equal outputs the first class is taken" "$(kfkd-train -l crossentropy -n dense \
	-u sgd -r 0 -e 1 black 2>&1 >/dev/null)" '\|  *100\.00%  \|'
# Pixels of 1e6, for outputs whose exponentials are no finite numbers.
perl -e 'my $header = q({"__metadata__":{"X.scale":"0 255"},"X":{"dtype":"F32",) .
	q("shape":[2,1,4,4],"data_offsets":[0,128]}});
	print pack("Q<", length $header), $header, pack("f<*", (1e6) x 16, (-1e6) x 16)' |
	kfkd-cat | kfkd-predict -m three >extreme
is "probabilities of large outputs are 0 and 1" "$(kfkd-stat extreme | sed -n '/^p\.shape/p')" \
	"p.shape == (2, 3); p.min == 0.000; p.max == 1.000; p.mean == 0.333"
labelled 3 0 1 2 0 1 2 0 3 >in
refuses "a label too large" 1 'id 8: its label is 3, not from 0 to 2' \
	kfkd-train -q -l crossentropy -e 1 in
labelled 3 0 1 2 0 1 2 0 -1 >in
refuses "a label below 0" 1 'label.* -1.* from 0 to 2' \
	kfkd-train -q -l crossentropy -e 1 in
labelled 0 0 0 0 0 >in
refuses "no classes" 1 "number of classes, '0', is not from 1" \
	kfkd-train -q -l crossentropy -e 1 in

# numbers PIXEL TARGET: a scaled stream of two images of 4 x 4, the last pixel and the
# last target being these
numbers() {
	perl -e 'my ($pixel, $target) = @ARGV;
		my $header = q({"__metadata__":{"columns":"a_x","X.scale":"0 255",) .
		q("y.scale":"2 2 2 2"},"X":{"dtype":"F32","shape":[2,1,4,4],) .
		q("data_offsets":[0,128]},"y":{"dtype":"F32","shape":[2,1],) .
		q("data_offsets":[128,136]}});
		print pack("Q<", length $header), $header,
			pack("f<*", (0.5) x 31, $pixel, 0, $target)' -- "$@" | kfkd-cat
}
numbers .5 nan >in
ok "pixels, and a target that is missing" kfkd-train -q -v 0 -e 1 -o out in
for bad in 'inf 0' '-inf 0' 'nan 0' '.5 inf' '.5 -inf'; do
	numbers $bad >in
	refuses "pixel and target: $bad" 1 'row 2: a pixel or target is not finite' \
		kfkd-train -q -v 0 -e 1 in
done

# -- memory ------------------------------------------------------------------------

# Every kind of layer; activations whose gradient pooling computes, and others; a
# chain that ends with dropout, and one without pooling.
images='conv32x3 relu pool2 conv8x2 pool2'
for part in "$images" 'conv16x3 sigmoid pool16' \
	'conv16x3 relu pool2 drop.1 conv17x2 tanh pool2 drop.2 conv16x2 relu' \
	'conv4x3 tanh drop.2 pool3 conv16x3 relu conv32x2 relu pool2 drop.3'; do
	train -n "$part dense9 relu drop.5 dense" -e 3 -B 7 >kept
	train -n "$part dense9 relu drop.5 dense" -e 3 -B 7 --recompute >computed
	equal "--recompute comes to the same: $part" kept computed
done
# Pooling 7 rows by 2 leaves the last one out, whose gradient is 0: nothing is learnt
# from the ninth row of an image, which only it sees.
awk -F , -v OFS=, 'NR > 1 { n = split($31, v, " "); $31 = v[1]
	for (i = 2; i <= 8 * 1024; i++) $31 = $31 " " v[i] } 1' faces.csv >eight.csv
for run in '8 eight' '9 faces'; do
	kfkd-load --size 1024x${run% *} -c nose_tip_x ${run#* }.csv | kfkd-scale |
		kfkd-train -q -n 'conv16x3 relu pool2 dense' -e 3 -B 7 |
		kfkd-stat -H >${run% *}.losses
done
is "what pooling leaves over is not learnt from" "$(paste 8.losses 9.losses |
	awk 'NR > 1 { d = $2 / $5 - 1; n += d * d < 1e-8 } END { print n }')" 3
peak() {
	"$KFKD_BUILD/tests/maxrss" kib \
		kfkd-train -q -n "$images dense" -e 1 -v 0 -B 60 "$@" faces >out &&
		cat kib || echo 0
}
kept=$(peak) computed=$(peak --recompute)
ok "... in less memory: $computed KiB, not $kept" \
	test "$computed" -gt 0 -a $((kept - computed)) -gt 10000

# -- endings -----------------------------------------------------------------------

misuses "no patience" "--patience" -p 0

# Without a checkpoint, a signal ends a run, which says what would have kept it.
rm log
kfkd-train -n "$small" -e 100000000 faces >part 2>log &
pid=$!
soon "a long run ends its first epoch" 60 grep '^ *1  |' log
kill -TERM $pid
finish $pid 60
is "SIGTERM ends a run without a checkpoint" $? 143
ok "... without a model" test ! -s part
like "... but with what would have kept it" "$(tail -n 1 log)" \
	'^kfkd-train: stopped in epoch [0-9]+; --checkpoint FILE would have kept the run, to go on'

done_testing
