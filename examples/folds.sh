#!/bin/sh
# Folds: nets that each learn without another part of the rows, and what their average
# finds on faces that none has seen.
#
#   sh folds.sh [TRAINING.csv [DIRECTORY]]
#
# writes to DIRECTORY, by default ./folds.  TRAINING.csv has Kaggle's layout; without it,
# faces are drawn.
#
#   FOLDS   how many nets, each without one part of so many (5)
#   NET     layers or preset of all nets (best)
#   EPOCHS  passes over the rows, of each net (20)
#   JOBS    how many nets learn at a time (the number of processors)
#   ROWS    how many faces to draw (2000)
set -eu
csv=${1:-}
dir=${2:-folds}
folds=${FOLDS:-5}
net=${NET:-best}
epochs=${EPOCHS:-20}
jobs=${JOBS:-$(nproc)}
rows=${ROWS:-2000}

case $csv in
/* | '') ;;
*) csv=$PWD/$csv ;;
esac
mkdir -p "$dir"
cd "$dir"

step() {
	printf '\n%s\n' "$*"
}

if [ -z "$csv" ]; then
	step "Drawing $rows faces ..."
	csv=faces.csv
	kfkd-synth --rows "$rows" --missing 0.7 --output "$csv"
fi

# Neighbours may show the same person: blocks of 20 rows stay together.  Each sixth is
# held out, and the others go round the folds.
block='int((NR - 2) / 20)'
awk "NR == 1 || $block % 6 == 5" "$csv" >held-out.csv
awk "NR == 1 || $block % 6 != 5" "$csv" >training.csv
if [ "$(wc -l <held-out.csv)" -lt 2 ]; then
	echo "folds.sh: '${1:-$csv}' has fewer than 101 rows; none can be held out" >&2
	exit 1
fi

# -- nets -----------------------------------------------------------------------

step "Training $folds nets, $jobs at a time ..."
export folds net epochs block
seq "$folds" | xargs -P "$jobs" -I FOLD sh -euc '
	awk "NR == 1 || $block % $folds != FOLD - 1" training.csv | kfkd-load | kfkd-scale |
		kfkd-train --net "$net" --epochs "$epochs" --valid 0 --seed FOLD --threads 1 \
			--output net-FOLD.kfkd 2>net-FOLD.log ||
		{ tail -n 1 net-FOLD.log >&2; exit 1; }
	echo "net-FOLD.kfkd"
'

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
