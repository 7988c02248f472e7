#!/bin/sh
# Folds: nets that each learn without another part of the rows, and what their average
# finds on faces that none has seen.
#
#   sh folds.sh [jobs] [TRAINING.csv [DIRECTORY]]
#
# writes to DIRECTORY, by default ./folds.  TRAINING.csv has Kaggle's layout; without it,
# faces are drawn.  What is there already is not trained again.  With `jobs`, it leaves
# the training to other machines.
#
#   FOLDS   how many nets, each without one part of so many (5)
#   NET     layers or preset of all nets (best)
#   EPOCHS  passes over the rows, of each net (20)
#   JOBS    how many nets learn at a time (the number of processors)
#   ROWS    how many faces to draw (2000)
set -eu
folds=${FOLDS:-5}
net=${NET:-best}
epochs=${EPOCHS:-20}
rows=${ROWS:-2000}
. "${0%/*}/cluster/lib.sh"
enter folds "$@"

# Neighbours may show the same person: blocks of 20 rows stay together.  Each sixth is
# held out, and the others go round the folds.
block='int((NR - 2) / 20)'
[ "$(wc -l <"$csv")" -gt 101 ] ||
	die "'$given' has fewer than 101 rows; none can be held out"
awk "NR == 1 || $block % 6 == 5" "$csv" | settle held-out.csv
awk "NR == 1 || $block % 6 != 5" "$csv" | settle training.csv

# -- nets -----------------------------------------------------------------------

for i in $(seq "$folds"); do
	echo "awk 'NR == 1 || $block % $folds != $((i - 1))' training.csv | kfkd-load |" \
		"kfkd-scale | sh job.sh net-$i kfkd-train --net '$net' --epochs $epochs" \
		"--valid 0 --seed $i --threads 1"
done | settle_jobs

run_jobs "$folds nets"

# -- their average --------------------------------------------------------------

# error NAME MODEL ...: on the rows held out, of faces alone and averaged with their
# mirror images.
error() {
	name=$1
	shift
	kfkd-predict $(printf -- '--model %s ' "$@") faces.kfkd | kfkd-score >"$name.tsv"
	kfkd-predict --flip $(printf -- '--model %s ' "$@") --output "$name.predicted" \
		faces.kfkd
	kfkd-score "$name.predicted" >"$name.flip.tsv"
	printf '%-10s %8s %8s\n' "$name" "$(tail -n 1 "$name.tsv" | cut -f 2)" \
		"$(tail -n 1 "$name.flip.tsv" | cut -f 2)"
}

kfkd-load held-out.csv | kfkd-scale >faces.kfkd
step "The error on rows that no net has seen, in pixels:"
printf '%-10s %8s %8s\n' "" face "with its mirror image"
for i in $(seq "$folds"); do
	error "net-$i" "net-$i.kfkd"
done
error all $(seq -f 'net-%g.kfkd' "$folds")
kfkd-plot --output sheet.pgm all.predicted
rm ./*.predicted faces.kfkd

step "Done.  In $PWD there are
  net-*.kfkd   the nets; net-*.log has what kfkd-train said of each
  *.tsv        their errors and, in all.tsv, that of their average
  sheet.pgm    the first 16 faces held out, with what all find together"
