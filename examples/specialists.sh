#!/bin/sh
# Specialists: a net for each group of keypoints, so that each learns from all
# rows that have its points, however few of the others they have.
#
#   sh specialists.sh [jobs] [TRAINING.csv [DIRECTORY]]
#
# writes to DIRECTORY, by default ./specialists.  TRAINING.csv has Kaggle's
# layout; without it, faces are drawn of which 70% lack eleven points.  What is
# there already is not trained again.  With `jobs`, it trains the one net, and
# leaves the specialists to other machines.
#
#   EPOCHS  passes over all rows, of the one net and of each specialist (60);
#           a specialist with half of the rows passes over them twice as often
#   NET     layers or preset of all nets
#   JOBS    how many specialists learn at a time (the number of processors)
#   ROWS    how many faces to draw (3000)
#
# The tutorial has NET=net7 and about 1400 epochs, which takes days on two
# cores; the default takes minutes.
set -eu
epochs=${EPOCHS:-60}
net=${NET:-pool2 conv16x3 relu pool2 conv32x3 relu pool2 dense200 relu dense}
rows=${ROWS:-3000}
. "${0%/*}/cluster/lib.sh"
enter specialists "$@"

# Neighbours may show the same person: of blocks of 20 rows each fifth is held out.
[ "$(wc -l <"$csv")" -gt 81 ] ||
	die "'$given' has fewer than 81 rows; none can be held out"
awk 'NR == 1 || int((NR - 2) / 20) % 5 != 4' "$csv" | settle training.csv
awk 'NR == 1 || int((NR - 2) / 20) % 5 == 4' "$csv" | settle held-out.csv

# -- one net for all ------------------------------------------------------------

# What all nets share; flips swap the pairs that a group has.
options="--augment flip --rate 0.03:0.0001 --momentum 0.9:0.999"

step "Training one net for all points, on all rows ..."
settle first <<END
kfkd-load training.csv | kfkd-scale | sh job.sh one kfkd-train --net '$net' $options \
	--epochs $epochs --patience $((epochs / 4 + 1))
END
sh first
all=$(kfkd-load training.csv | kfkd-stat | sed -n 's/^rows: //p')

# -- six that start from it -----------------------------------------------------
# Each shuffles its own rows, so some that validate here have trained the one
# net: the error on the rows held out is what counts.

# A group a line, in the tutorial's order: a name and its points.
cat >groups <<EOF
eye-centres left_eye_center right_eye_center
nose nose_tip
mouth mouth_left_corner mouth_right_corner mouth_center_top_lip
bottom-lip mouth_center_bottom_lip
eye-corners left_eye_inner_corner right_eye_inner_corner left_eye_outer_corner right_eye_outer_corner
eyebrows left_eyebrow_inner_end right_eyebrow_inner_end left_eyebrow_outer_end right_eyebrow_outer_end
EOF

while read -r name points; do
	columns=$(echo "$points" | sed 's/[^ ][^ ]*/&_x,&_y/g; s/ /,/g')
	rows=$(kfkd-load --columns "$columns" training.csv | kfkd-dropna | kfkd-stat |
		sed -n 's/^rows: //p')
	[ "${rows:-0}" -gt 0 ] || die "no row has all points of $name"
	passes=$((epochs * all / rows))
	echo "kfkd-load --columns $columns training.csv | kfkd-dropna | kfkd-scale |" \
		"sh job.sh $name kfkd-train --net '$net' --init one.kfkd $options" \
		"--epochs $passes --patience $((passes / 4 + 1)) --threads 1"
done <groups | settle_jobs

run_jobs "six specialists"

# -- together -------------------------------------------------------------------

specialists=$(sed 's/ .*/.kfkd/' groups)
kfkd-plot --curve --mean --colour --output curves.ppm $specialists

kfkd-load held-out.csv | kfkd-scale >faces.kfkd
kfkd-predict --model one.kfkd faces.kfkd | kfkd-score >one.tsv
kfkd-predict $(printf -- '--model %s ' $specialists) --output predicted.kfkd faces.kfkd
kfkd-score predicted.kfkd >specialists.tsv
kfkd-plot --output sheet.pgm predicted.kfkd
rm faces.kfkd

step "The error on rows that no net has seen, in pixels:"
awk -F '\t' 'NR == FNR { one[$1] = $2; next }
	FNR == 1 { $1 = ""; one[""] = "one net"; $2 = "specialists" }
	{ printf "%-28s %8s %12s\n", $1, one[$1], $2 }' one.tsv specialists.tsv

step "Done.  In $PWD there are
  one.kfkd          the net that all started from
$(printf '  %s\n' $specialists)
  *.log             what kfkd-train said of each
  jobs              the commands that trained them
  curves.ppm        their learning curves and the mean
  predicted.kfkd    the faces held out, with the predictions of all six
  sheet.pgm         the first 16 of them
  one.tsv, specialists.tsv    the errors"
