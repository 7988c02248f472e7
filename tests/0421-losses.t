#!/bin/sh
# Losses of coordinates: what is trained for and what is told of it; schedules, warm-up
# and decoupled weight decay.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 60 -s 1 | kfkd-load | kfkd-scale >faces
small='dense10 relu dense'

# train OPTION ...: a model of the faces, quietly
train() {
	kfkd-train -q "$@" faces
}

history() {
	train "$@" | kfkd-stat --history | tail -n +2
}

# note NAME OPTION ...: what the model notes of an option
note() {
	note_name=$1
	shift
	train -e 0 "$@" | kfkd-stat | sed -n "s/^$note_name: //p"
}

# -- losses ------------------------------------------------------------------------

train -n "$small" -e 3 >plain
train -n "$small" -e 3 -l squared >squared
equal "squared is the default" plain squared
is "... which has no note" "$(grep -Fc '"train.loss"' plain)" 0
for loss in smoothl1 wing; do
	train -n "$small" -e 3 -l $loss >$loss
	differ "$loss trains otherwise" $loss plain
	ok "... and its model predicts" sh -c "kfkd-predict -m $loss faces | kfkd-score"
	kfkd-stat -H $loss | sed -n 2p | cut -f 2 >$loss.first
	grep -ao '"loss":"[a-z]*"' $loss >$loss.kind
done
is "a model of another loss says squared error to all readers" \
	"$(cat smoothl1.kind wing.kind | sort -u)" '"loss":"squared"'
like "kfkd-stat tells what it was trained for" "$(kfkd-stat wing)" \
	'^loss: squared error, trained for wing:10,2$'
train -n "$small" -e 3 -l smoothl1:1 >one
equal "smoothl1 has 1 pixel" one smoothl1
train -n "$small" -e 3 -l wing:10,2 >ten
equal "wing has 10 and 2" ten wing

# The loss that is told is the squared error: of the same weights, the same.
for loss in squared smoothl1:3 wing:5,1; do
	history -n "$small" -e 1 -u sgd -r 0 -l $loss >told.${loss%:*}
done
equal "losses are told as squared errors: smoothl1" told.smoothl1 told.squared
equal "... and wing" told.wing told.squared

# Far beyond 1000 pixels nothing is linear: smoothl1 is the squared error over 2000
# pixels, which are 2000 / 48 as outputs are scaled.
history -n "$small" -e 4 -u sgd -r .024 >by_square
history -n "$small" -e 4 -u sgd -r 1 -l smoothl1:1000 >by_smooth
is "smoothl1 of many pixels is the squared error over twice their number" \
	"$(paste by_square by_smooth | awk '{ d = $2 / $5 - 1; n += d * d < 1e-8 }
		END { print n }')" 4
# Below a hundredth of a pixel nothing is: both are then the absolute error.
history -n "$small" -e 4 -u sgd -r .1 -l smoothl1:0.000001 >by_smooth
history -n "$small" -e 4 -u sgd -r .1 -l wing:0.000001,1 >by_wing
is "of none, smoothl1 and wing are the absolute error" \
	"$(paste by_wing by_smooth | awk '{ d = $2 / $5 - 1; n += d * d < 1e-8 }
		END { print n }')" 4

kfkd-train -q -n "$small" -e 2 -l wing -c point -o model faces
refuses "a run of another loss does not go on from a checkpoint" 1 \
	"cannot resume from 'point': it was made with --loss wing:10,2, not wing:8,2" \
	kfkd-train -q -n "$small" -e 4 -l wing:8,2 -R point faces
refuses "... nor one of the squared error" 1 "it was made with --loss wing:10,2" \
	kfkd-train -q -n "$small" -e 4 -R point faces
train -n "$small" -e 4 -l wing >whole
train -n "$small" -e 4 -l wing -R point >resumed
equal "one of the same loss does, to the same bytes" whole resumed

for bad in "smoothl1:|smoothl1\[:PX\], with pixels above 0" "smoothl1:0|above 0" \
	"smoothl1:1,2|should be smoothl1" "wing:5|should be wing\[:PX,E\]" \
	"wing:5,|should be" "wing:5,0|should be" "wing:nan,1|should be" \
	"squared:1|should be squared$" "wings|there is no 'wings', but squared"; do
	misuses "--loss ${bad%%|*}" "--loss: .*${bad#*|}" -l "${bad%%|*}"
done

# -- schedules ---------------------------------------------------------------------

is "a line is noted as ever" "$(note rate -r .1:.01:linear)" 0.1:0.01
is "a cosine" "$(note rate -r .1:0:cosine)" 0.1:0:cosine
is "steps, of which there are 3" "$(note rate -r .1:.01:step)" 0.1:0.01:step:3
is "... or as many as are asked for" "$(note momentum -M .9:.99:step:5)" 0.9:0.99:step:5
is "from A to A is A, in any shape" "$(note rate -r .1:.1:cosine)" 0.1
is "a warm-up" "$(note warmup --warmup 3)" 3

# A rate of 0 leaves the weights alone.
history -n "$small" -e 4 -u sgd -r .02 >constant
history -n "$small" -e 4 -u sgd -r .02:.0002:step:2 >step
is "the first of two steps has the first rate" "$(head -n 2 step)" "$(head -n 2 constant)"
for n in 3 4; do
	sed -n ${n}p step >step.$n
	sed -n ${n}p constant >constant.$n
	differ "... the second another: epoch $n" step.$n constant.$n
done
# Half of the cosine's way is done after half of the epochs.
train -n "$small" -e 2 -u sgd -r .02:.01:cosine >cosine
train -n "$small" -e 1 -u sgd -r .02 >half
train -n "$small" -e 1 -u sgd -r .015 -i half -o other
for m in cosine other; do
	kfkd-predict -m $m faces >$m.p
done
equal "the middle of a cosine is half-way" cosine.p other.p
# Two epochs of warm-up to .03 are at .01 and .02.
train -n "$small" -e 2 -u sgd -r .03:.001 --warmup 2 >warm
train -n "$small" -e 1 -u sgd -r .01 >first
train -n "$small" -e 1 -u sgd -r .02 -i first >second
for m in warm second; do
	kfkd-predict -m $m faces >$m.p
done
equal "the rate rises in equal steps" warm.p second.p

rm point
for shape in step:3 cosine; do
	kfkd-train -q -n "$small" -e 2 -r .02:.001:$shape -c point -o model faces
	refuses "a schedule goes on for as many epochs only: $shape" 1 \
		'--epochs 2, not 4' \
		kfkd-train -q -n "$small" -e 4 -r .02:.001:$shape -R point faces
	rm point
done
train -n "$small" -e 2 -r .02 --warmup 3 -c point >model
train -n "$small" -e 6 -r .02 --warmup 3 >whole
train -n "$small" -e 6 -r .02 --warmup 3 -R point >resumed
equal "a warm-up to a constant rate goes on for longer" whole resumed
refuses "another warm-up does not" 1 '--warmup 3, not 2' \
	kfkd-train -q -n "$small" -e 6 -r .02 --warmup 2 -R point faces

misuses "no such shape" "--rate: 'round' is none of linear, cosine, step and step:N" \
	-r .1:.01:round
misuses "one step" "--rate: 'step:1' is not a number of stages from 2" -r .1:.01:step:1
misuses "steps to 0" "--rate: 'step' goes by factors" -r .1:0:step
misuses "a shape without an end" "--rate: 'cosine' is not a number" -r .1:cosine
misuses "a momentum above 1" "--momentum: '1.1' is not from 0 to 1" -M .9:1.1:cosine

# -- adamw -------------------------------------------------------------------------

train -n "$small" -e 3 -u adam >adam
train -n "$small" -e 3 -u adamw >adamw
for m in adam adamw; do
	kfkd-predict -m $m faces >$m.p
done
equal "without weight decay adamw is adam" adam.p adamw.p

# weights MODEL: all numbers in it, one a line; the losses come last
weights() {
	n=$(head -c 8 "$1" | od -An -t u8)
	tail -c +$((n + 9)) "$1" | od -An -v -w4 -t f4
}
# One batch, so one update: w becomes (1 - r F) w - what adam does.
train -n "$small" -e 0 >start
train -n "$small" -e 1 -v 0 -B 60 -u adam -r .001 >adam
train -n "$small" -e 1 -v 0 -B 60 -u adamw -r .001 -w 20 >adamw
for m in start adam adamw; do
	weights $m >$m.w
done
is "adamw takes its share of each weight away" \
	"$(paste start.w adam.w adamw.w | awk 'NF == 3 { n++; d = $3 - $2 + .001 * 20 * $1
		if (d * d > 1e-12) wrong++ } END { print n, wrong + 0 }')" \
	"$((9216 * 10 + 10 + 300 + 30)) 0"

done_testing
