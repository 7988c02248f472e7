#!/bin/sh
# The tutorial: from a CSV of faces to a net that finds keypoints, step by step.
#
#   sh tutorial.sh [DIRECTORY [TRAINING.csv TEST.csv]]
#
# writes to DIRECTORY, by default ./tutorial.  The two files have Kaggle's
# layout (https://www.kaggle.com/c/facial-keypoints-detection/data); without
# them, faces are drawn.  Each step prints its commands, runs them, and says
# which picture they draw; pictures are PGM or PPM, and pnmtopng makes PNG.
#
#   EPOCHS  of net1 (400); the shorter trainings never have more
#   ROWS    how many faces to draw (2140, as many as Kaggle's complete rows)
#   IMAGES  how many of Fashion-MNIST's images to learn from (60000)
#   DATA    where Fashion-MNIST is, if not from Debian's package
#           dataset-fashion-mnist
set -eu
dir=${1:-tutorial}
training=${2:-}
test=${3:-}
epochs=${EPOCHS:-400}
rows=${ROWS:-2140}
images=${IMAGES:-60000}
clothes=${DATA:-/usr/share/datasets/fashion-mnist}

if [ -n "$training" ] && [ -z "$test" ]; then
	echo "usage: tutorial.sh [DIRECTORY [TRAINING.csv TEST.csv]]" >&2
	exit 2
fi

absolute() {
	case $1 in
	/* | '') echo "$1" ;;
	*) echo "$PWD/$1" ;;
	esac
}

# The smaller of two numbers.
least() {
	echo $(($1 < $2 ? $1 : $2))
}

heading() {
	printf '\n== %s\n\n' "$*"
}

say() {
	printf '%s\n' "$@"
}

# Prints a command, and runs it.
run() {
	printf '$ %s\n' "$1"
	eval "$1"
}

training=$(absolute "$training")
test=$(absolute "$test")
mkdir -p "$dir"
cd "$dir"
rm -f training.csv test.csv

# -------------------------------------------------------------------------------
heading "The data"

if [ -n "$training" ]; then
	run "ln -s '$training' training.csv"
	run "ln -s '$test' test.csv"
else
	say "No files are given: faces are drawn in their place."
	run "kfkd-synth --rows $rows --output training.csv"
	run "kfkd-synth --rows 64 --seed 1 --test --output test.csv"
fi
say "" "Each row has the x and y of up to 15 keypoints, in pixels, and an image of
96 x 96.  In Kaggle's data most rows lack some: see the column 'count'."
run "kfkd-load training.csv | kfkd-stat"
say "" "A net learns from pixels in [0,1] and positions in [-1,1], and in this tutorial
only from rows with all points."
run "kfkd-load training.csv | kfkd-dropna | kfkd-scale --output faces.kfkd"
run "kfkd-stat faces.kfkd | tail -n 2"

# -------------------------------------------------------------------------------
heading "A face with three of its keypoints"

run 'kfkd-load --columns left_eye_center_x,left_eye_center_y,\
right_eye_center_x,right_eye_center_y,nose_tip_x,nose_tip_y training.csv |
	kfkd-head --rows 1 | kfkd-plot --grid 1x1 --zoom 4 --output face.pgm'
say "-> face.pgm"

# -------------------------------------------------------------------------------
heading "The first net: one hidden layer of 100 units"

run "kfkd-train --net net1 --epochs $epochs --output net1.kfkd faces.kfkd"
say "" "The loss is the mean squared error of scaled positions; its root times 48
is the error in pixels.  A row in five was kept for validation: where its loss
stays above that of training, the net has learnt some faces by heart."
run "kfkd-stat net1.kfkd | grep loss"
run "kfkd-plot --curve --ylim 1e-3:1e-2 --output curve.pgm net1.kfkd"
say "-> curve.pgm"

# -------------------------------------------------------------------------------
heading "What it finds in faces that it has not seen"

run "kfkd-load test.csv | kfkd-scale | kfkd-predict --model net1.kfkd |
	kfkd-plot --stretch --output sheet.pgm"
say "-> sheet.pgm"

# -------------------------------------------------------------------------------
heading "Other ways to go downhill"

say "Each update rule starts from the same weights, and has its own rate."
few=$(least "$epochs" 60)
for rule in sgd momentum nesterov adagrad rmsprop adadelta adam; do
	run "kfkd-train --quiet --update $rule --epochs $few --output $rule.kfkd faces.kfkd"
done
run "kfkd-plot --curve --ylim 3e-3:3e-1 --colour --output rules.ppm \\
	sgd.kfkd momentum.kfkd nesterov.kfkd adagrad.kfkd rmsprop.kfkd adadelta.kfkd adam.kfkd"
say "-> rules.ppm"

# -------------------------------------------------------------------------------
heading "Hello world: a classifier"

few=$(least "$epochs" 3)
if [ -d "$clothes" ]; then
	say "Clothes of ten classes, 28 x 28 pixels each."
	run "zcat $clothes/train-labels-idx1-ubyte.gz >labels"
	run "zcat $clothes/train-images-idx3-ubyte.gz | kfkd-load --labels labels |
	kfkd-head --rows $images | kfkd-scale |
	kfkd-train --net mnist-mlp --epochs $few --output clothes.kfkd"
	run "zcat $clothes/t10k-labels-idx1-ubyte.gz >labels"
	run "zcat $clothes/t10k-images-idx3-ubyte.gz | kfkd-load --labels labels |
	kfkd-scale | kfkd-predict --model clothes.kfkd --output clothes.predicted"
	run "kfkd-score clothes.predicted"
	run "kfkd-plot --colour --grid 8x5 --zoom 3 --output clothes.ppm clothes.predicted"
	run "rm labels clothes.predicted"
	say "-> clothes.ppm; more in fashion-mnist.sh"
else
	say "Skipped: it needs the data set Fashion-MNIST
(apt-get install dataset-fashion-mnist)."
fi

# -------------------------------------------------------------------------------
heading "Done"

say "In $PWD there are
  face.pgm     a face with three keypoints
  net1.kfkd    the model (kfkd-stat net1.kfkd)
  curve.pgm    its learning curve
  sheet.pgm    16 faces with what it finds
  rules.ppm    the update rules compared"
if [ -d "$clothes" ]; then
	say "  clothes.kfkd, clothes.ppm    the classifier, and 40 of its answers"
fi
