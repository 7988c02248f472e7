#!/bin/sh
# The whole pipeline on drawn faces: train, predict, score, pictures.
#
#   sh demo.sh [DIRECTORY]     writes there, by default to ./demo
#
# The programs are taken from PATH.
set -eu
dir=${1:-demo}
mkdir -p "$dir"
cd "$dir"

step() {
	printf '\n%s\n' "$*"
}

step "Drawing 2,000 faces to learn from, and 400 others ..."
kfkd-synth --rows 2000 --seed 1 --output training.csv
kfkd-synth --rows 400 --seed 2 --output held-out.csv

step "Training net1 ..."
kfkd-load training.csv | kfkd-dropna | kfkd-scale | kfkd-train -o net1.kfkd

step "Predicting the faces that it has not seen ..."
kfkd-load held-out.csv | kfkd-scale |
	kfkd-predict --model net1.kfkd --output predicted.kfkd
kfkd-score predicted.kfkd >score.tsv
kfkd-plot --output sheet.png predicted.kfkd
kfkd-plot --colour --worst 9 --output worst.png predicted.kfkd
kfkd-plot --errors --output errors.png predicted.kfkd
kfkd-plot --ylim 1e-3:1e-1 --output curve.png --curve net1.kfkd

step "Done.  In $PWD there are
  net1.kfkd      the model            (kfkd-stat net1.kfkd)
  sheet.png      16 faces with truth and prediction
  worst.png      the nine with the largest errors
  errors.png     the error of each keypoint
  curve.png      the learning curve
  score.tsv      the error of each keypoint; in all $(tail -n 1 score.tsv | cut -f 2) pixels

Any viewer of images shows them: xdg-open sheet.png.  In a terminal, with chafa
installed or in one that draws sixels:
  kfkd-plot --view predicted.kfkd
  kfkd-plot --view --curve net1.kfkd"
