#!/bin/sh
# Nets with branches, batch norm and soft-argmax: from the line of layers to models,
# checkpoints and predictions.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 60 -s 1 >faces.csv
kfkd-load faces.csv | kfkd-scale >faces
kfkd-synth -n 20 -s 2 --test | kfkd-load | kfkd-scale >test
hourglass='pool2 conv16x3p1s2 batchnorm relu res16 save pool2 res upscale2 add maps softargmax'

# train OPTION ...: a model of the faces, quietly
train() {
	kfkd-train -q -B 16 "$@" faces
}

# -- training and predicting -------------------------------------------------------

train -n "$hourglass" -u adam -r .01 -e 8 >whole
is "an hourglass trains" $? 0
is "... and gets better" "$(kfkd-stat -H whole | awk 'NR == 2 { first = $2 }
	END { print $2 < first / 2 }')" 1
ok "... and predicts" sh -c "kfkd-predict -m whole test | kfkd-stat | grep -F '(20, 30)'"
is "points are in the picture" "$(kfkd-predict -m whole test | kfkd-scale -u | kfkd-save -p |
	tail -n +2 | cut -d , -f 1-30 | tr , '\n' |
	awk '$1 < -0.5 || $1 > 95.5 { out++ } END { print NR, out + 0 }')" "600 0"
train -n "$hourglass" -u adam -r .01 -e 8 >again
equal "the same again gives the same bytes" whole again
train -n "$hourglass" -u adam -r .01 -e 8 --recompute >again
equal "... with --recompute, too" whole again
ok "the mean of an image ends a net" kfkd-train -q -e 2 -B 16 -o out -n \
	'conv16x5s4 batchnorm relu res res32 avgpool dense' faces

kfkd-predict -m whole faces >all
kfkd-head -n 3 faces | kfkd-predict -m whole >some
for f in all some; do
	kfkd-scale -u $f | kfkd-save -p | sed -n 2,4p | cut -d , -f 1-30 | tr , '\n' >$f.pixels
done
is "what is predicted does not depend on the other rows" "$(paste all.pixels some.pixels |
	awk '($1 - $2) ^ 2 < 1e-6 { same++ } END { print same }')" 90

# -- models ------------------------------------------------------------------------

kfkd-stat whole >said
like "a model has statistics" "$(cat said)" '^batchnorm1\.running_mean +16 +16$'
is "a convolution in front of batch norm has no bias" "$(grep -c '^conv1\.bias' said)" 0
is "statistics are not counted as parameters" \
	"$(awk '/^all/ && NF == 3 { learned = $3 } /^all/ && NF == 2 { all = $2 }
		/running/ { statistics += $NF } END { print all - statistics - learned,
		statistics }' said)" "0 $((2 * (16 + 4 * 16)))"
kfkd-train -n "$hourglass" -i whole -u sgd -r 0 -e 1 faces 2>log >other
like "--init takes statistics over" "$(cat log)" '^batchnorm5.running_var is taken over'

# -- checkpoints -------------------------------------------------------------------

train -n "$hourglass" -u adam -r .01 -e 3 -c point >out
train -n "$hourglass" -u adam -r .01 -e 8 -R point >again
equal "a run goes on to the same bytes" whole again
train -n "$hourglass" -u adam -r .2 -e 12 -p 2 >patient
best=$(kfkd-stat -H patient | tail -n +2 | sort -g -k 3 | head -n 1 | cut -f 1)
train -n "$hourglass" -u adam -r .2 -e "$best" >at_best
for m in patient at_best; do
	kfkd-predict -m $m faces >$m.p
done
equal "--patience restores the best epoch's statistics as well" patient.p at_best.p

# -- refusals ----------------------------------------------------------------------

for bad in "conv4x3p3 dense|padding is as wide" "avgpool9999 dense|larger than what it sees" \
	"save pool2 dense|a 'save' without its 'add'" "add dense|no 'save' before it" \
	"save pool2 add dense|cannot add 1 x 96 x 96, which was saved, to 1 x 48 x 48" \
	"softargmax dense|nothing may follow it" "conv4x3 softargmax|ends in 8 outputs" \
	"batchnorm2 dense|takes no number" "relu dense|an activation follows one of"; do
	refuses "${bad%%|*}" 1 "${bad#*|}" kfkd-train -q -n "${bad%%|*}" faces
done
kfkd-load -c left_eye_center_x,right_eye_center_x faces.csv | kfkd-scale >xx
refuses "soft-argmax of columns that are not x and y of a point" 1 \
	"softargmax finds points.* columns 1 and 2 are 'left_eye_center_x' and 'right_eye" \
	kfkd-train -q -n 'pool8 maps softargmax' xx
kfkd-load -c nose_tip_x faces.csv | kfkd-scale >x
refuses "... nor of one alone" 1 'there are 1 targets' \
	kfkd-train -q -n 'pool8 maps softargmax' x
"$KFKD_BUILD/tests/mkmodel" 'conv1x1 softargmax' 1 96 96 1x1x1x1 1 1 bias >points
"$KFKD_BUILD/tests/mkmodel" 'conv1x1 softargmax' 1 96 96 1x1x1x1 1 1 swapped >swapped
ok "a model of points predicts" kfkd-predict -m points -o out test
refuses "... but not one whose y comes first" 1 \
	"softargmax finds points.* columns 1 and 2 are 'nose_y' and 'nose_x'" \
	kfkd-predict -m swapped test

done_testing
