#!/bin/sh
# People: faces are divided so that nobody is both learnt from and scored, and the error is
# told for each person.
#
#   sh people.sh [DIRECTORY]     writes there, by default to ./people
#
#   PEOPLE  how many (40), of whom there are five pictures each
#   EPOCHS  passes over the faces (40)
#
# The programs are taken from PATH.  Pictures of one's own need no more than a column
# `name` in their CSV.
set -eu
dir=${1:-people}
people=${PEOPLE:-40}
epochs=${EPOCHS:-40}
mkdir -p "$dir"
cd "$dir"

step() {
	printf '\n%s\n' "$*"
}

step "Drawing five pictures of each of $people people ..."
kfkd-synth --rows $((5 * people)) | awk '
	NR == 1 { print "name," $0 }
	NR > 1 { printf "person %d,%s\n", int((NR - 2) / 5) + 1, $0 }' >people.csv

step "Dividing them by name ..."
kfkd-load people.csv | kfkd-scale |
	kfkd-split --share .75 --by name --rest others.kfkd --output training.kfkd

# names STREAM: of all its rows, each once
names() {
	kfkd-scale --undo "$1" | kfkd-save --ids --no-images | sed 1d | cut -d , -f 2 | sort -u
}
names training.kfkd >training.txt
names others.kfkd >others.txt
both=$(join -t , training.txt others.txt)
if [ -n "$both" ]; then
	echo "people.sh: on both sides: $both" >&2
	exit 1
fi

step "Training on $(wc -l <training.txt) people ..."
kfkd-train --quiet --epochs "$epochs" --valid 0 --output net.kfkd training.kfkd

step "Scoring the $(wc -l <others.txt) others ..."
kfkd-predict --model net.kfkd --output predicted.kfkd others.kfkd
kfkd-score --rows predicted.kfkd >rows.tsv
kfkd-plot --ids --worst 16 --output worst.pgm predicted.kfkd

# The root of the mean of a person's squared errors, over all values; the last line of
# rows.tsv is the overall one.
sed '1d;$d' rows.tsv | awk -F '\t' '
	{ squares[$4] += $2 * $2 * $3; values[$4] += $3; rows[$4]++ }
	END { for (who in rows) printf "%s\t%.2f\t%d\n",
		who, sqrt(squares[who] / values[who]), rows[who] }' |
	sort -t '	' -k 2,2gr >people.tsv

step "Done.  In $PWD there are
  net.kfkd     the model
  people.tsv   the error in pixels of each person whom it has not seen, the worst first,
               and the number of pictures
  worst.pgm    the 16 pictures with the largest errors, each with its id and name

The three people with the largest errors, and all:"
head -n 3 people.tsv
tail -n 1 rows.tsv | cut -f 1,2
