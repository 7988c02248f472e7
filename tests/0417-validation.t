#!/bin/sh
# What validates: rows of a file of their own, or a fold.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
TMPDIR=$tmp
export TMPDIR

kfkd-synth -n 90 -s 1 >faces.csv
kfkd-load faces.csv | kfkd-scale >all
kfkd-split --fold 2/5 -r rest all >part
part_rows=$(kfkd-stat part | sed -n 's/^X.shape == (\([0-9]*\),.*/\1/p')
rest_rows=$((90 - part_rows))

# train OPTION ...: a program, for a run that overshoots, quietly
cat >train <<'A'
#!/bin/sh
exec kfkd-train -q -n 'dense10 relu dense' -B 32 -r .2 -M .95 -e 9 "$@"
A
chmod +x train
PATH=$tmp:$PATH

# weights MODEL OUT: what it finds
weights() {
	kfkd-predict -m "$1" -o "$2" all
}

# -- a file ------------------------------------------------------------------------

kfkd-train -n 'dense10 relu dense' -B 32 -r .2 -M .95 -e 9 --validation part -o model rest 2>said
like "the log says what validates" "$(cat said)" \
	"^90 rows: $rest_rows to train on, $part_rows to validate, those of part\$"
like "... and the model how much" "$(kfkd-stat model)" "^validation: $part_rows rows\$"
is "... in place of a share" "$(kfkd-stat model | grep -c '^valid:')" 0
kfkd-predict -m model part | kfkd-score | tail -n 1 >score
is "the least loss is what the model's weights come to" "$(kfkd-stat -H model | tail -n +2 |
	sort -g -k 3 | head -n 1 | awk -v score="$(cut -f 2 score)" '{ d = 48 * sqrt($3) / score - 1
		print (d * d < 1e-6) }')" 1
train --last --validation part -o last rest
train -v 0 -o alone rest
weights last last.found
weights alone alone.found
equal "the run trains on all other rows, as without validation" last.found alone.found
kfkd-stat -H last | cut -f 1-2 >last.losses
kfkd-stat -H alone | cut -f 1-2 >alone.losses
equal "... to the same losses" last.losses alone.losses
train --validation - -o piped rest <part
equal "it may be standard input" piped model
kfkd-predict -m model part >predicted
train --validation predicted -o other rest
equal "... and have more than it needs" other model
kfkd-train -e 1 -v .3 all 2>said >other
like "of a share the log tells the share" "$(cat said)" \
	'^90 rows: 63 to train on, 27 to validate, a share of 0.3$'
kfkd-train -e 1 -v 0 all 2>said >other
like "... if there is one" "$(cat said)" '^90 rows: 90 to train on, 0 to validate$'

perl -e 'open my $x, ">", "images"; open my $l, ">", "labels";
	print $x pack("CCCCN*", 0, 0, 8, 3, 40, 4, 4), pack("C*", map { $_ * 7 % 256 } 1 .. 640);
	print $l pack("CCCCN*", 0, 0, 8, 1, 40), pack("C*", map { $_ % 4 } 0 .. 39)'
kfkd-load -l labels images | kfkd-scale >digits
kfkd-head -n 7 digits >some
kfkd-train -l crossentropy -n dense -B 16 -e 2 --validation some -o classes digits 2>said
like "labels validate, too" "$(cat said)" '^47 rows: 40 to train on, 7 to validate, those of some'
kfkd-train -l crossentropy -n dense -B 16 -u sgd -r 0 -i classes -e 1 --validation some \
	digits 2>said >out
is "... as kfkd-score counts them" "$(awk -F '|' '/^ *1  \|/ { printf "%.0f", $5 * 7 / 100 }' said)" \
	"$(kfkd-predict -m classes some | kfkd-score | awk '/^overall/ { printf "%.0f", $2 * 7 }')"

# -- folds ---------------------------------------------------------------------------

# numbers MODEL: all but its notes
numbers() {
	kfkd-stat -H "$1"
	n=$(head -c 8 "$1" | od -An -t u8)
	tail -c +$((n + 9)) "$1" | od -An -v -t f4
}
kfkd-train -n 'dense10 relu dense' -B 32 -r .2 -M .95 -e 9 --fold 2/5 -o fold all 2>said
numbers fold >fold.numbers
numbers model >model.numbers
equal "a fold is as if kfkd-split had divided the rows" fold.numbers model.numbers
like "... the log says which" "$(cat said)" \
	"^90 rows: $rest_rows to train on, $part_rows to validate, fold 2/5\$"
like "... and the model" "$(kfkd-stat fold)" '^fold: 2/5$'
kfkd-split --fold 2/5 -s 7 -r rest.7 all >part.7
train -s 7 --validation part.7 -o model.7 rest.7
train -s 7 --fold 2/5 -o fold.7 all
numbers fold.7 >fold.numbers
numbers model.7 >model.numbers
equal "... with another seed, too" fold.numbers model.numbers
is "all folds together are all rows" "$(for i in 1 2 3; do
	kfkd-train -n dense -e 1 -r .0001 --fold $i/3 all 2>&1 >other |
		sed -n 's/.*on, \([0-9]*\) to validate.*/\1/p'
done | awk '{ n += $1 } END { print n }')" 90
train --fold 2/5 -e 4 -c fold.point -o other all
train --fold 2/5 -R fold.point -o resumed all
equal "a run of a fold goes on from a checkpoint" resumed fold
refuses "... but not as another" 1 'it was made with --fold 2/5, not 3/5' \
	train --fold 3/5 -R fold.point all
train --fold 2/5 --memory 1M -B 4 -o bounded all
train --fold 2/5 -B 4 -o whole all
equal "images that do not fit stay in the file" bounded whole

# -- checkpoints ---------------------------------------------------------------------

train --validation part -e 4 -c point -o other rest
train --validation part -R point -o resumed rest
equal "a run goes on from a checkpoint" resumed model
kfkd-head -n $((part_rows - 1)) part >less
kfkd-shuffle part >moved
refuses "... not without it" 1 'it is of other data' train -R point rest
refuses "... nor with fewer rows" 1 'it is of other data' train --validation less -R point rest
refuses "... nor in another order" 1 'it is of other data' train --validation moved -R point rest

# -- beyond memory ---------------------------------------------------------------------

options="-B 4 -S -e 3 --memory 500K --validation"
train -B 4 -S -e 3 --validation part -o whole rest
# shellcheck disable=SC2086
kfkd-train -n 'dense10 relu dense' -r .2 -M .95 $options part -o bounded rest 2>said
equal "images that do not fit stay in both files" whole bounded
like "... as the log says" "$(cat said)" 'do not fit into memory and stay in the files part and rest$'
# shellcheck disable=SC2002,SC2086 # they are to be pipes
{
	cat rest | train $options part -o bounded
	equal "... or go to a temporary one, where the others come through a pipe" whole bounded
	cat part | train $options - -o bounded rest
	equal "... or those that validate" whole bounded
	mkfifo pipe
	cat part >pipe &
	cat rest | train $options pipe -o bounded
	equal "... or both" whole bounded
}
kfkd-head -n 60 rest >longer
# As much as the first file has fits, but not the second.
train -B 4 -e 2 --validation part -o whole longer
cat longer | train -B 4 -e 2 --memory 1M --validation part -o bounded
equal "... some of them only then" whole bounded

# -- what it refuses ---------------------------------------------------------------------

misuses "a share and a file" "give one of --valid, --validation and --fold" -v .2 --validation part
misuses "a fold and a file" "give one of --valid, --validation and --fold" --fold 1/2 --validation part
misuses "a fold and a share" "give one of --valid, --validation and --fold" --fold 1/2 -v 0
for fold in 0/3 4/3 2 2/3/4 a/b; do
	misuses "fold $fold" "--fold: '$fold' is not one of some folds such as 2/5" --fold $fold
done
kfkd-head -n 1 all >first
for fold in 1/2 2/2; do
	train --fold $fold -o other first 2>&1
done | sed 's/^kfkd-train: //; s/ [12].2 / /' | sort >said
is "a fold that has no row, and one that has all" "$(cat said)" "fold has none of the rows
of 1 rows, 1 for validation leave none to train on"
kfkd-train -q --validation - - <rest >out 2>said
is "both from standard input exits 2" $? 2
like "... and says why" "$(head -n 1 said)" "--validation and the stream are both standard input"
refuses "no such file" 1 "cannot open 'none': No such file" train --validation none rest
kfkd-load faces.csv >raw
refuses "rows that are not scaled" 1 \
	"'raw', which is to validate: the images are not scaled; pipe through kfkd-scale" \
	train --validation raw rest
kfkd-load faces.csv | kfkd-scale --bytes >bytes
refuses "bytes beside floats" 1 "'bytes' has bytes, and the rows to train on have floats; scale" \
	train --validation bytes rest
kfkd-load -c 'nose_tip_x,nose_tip_y' faces.csv | kfkd-scale >nose
refuses "other columns" 1 \
	"'nose' has other columns than the rows to train on: column 1 is 'nose_tip_x', not 'left_eye_center_x'" \
	train --validation nose rest
kfkd-synth -n 3 --test | kfkd-load | kfkd-scale >unknown
refuses "no targets" 1 "'unknown', which is to validate: the stream has no targets to learn" \
	train --validation unknown rest
refuses "labels in place of targets" 1 \
	"'some', which is to validate: the stream has labels, not targets" train --validation some rest
awk 'NR == 1 || /./ { n = split($0, v, ","); $0 = v[1] "," v[2] "," (NR == 1 ? v[31] : "1 2 3 4") }
	1' faces.csv | kfkd-load --size 2x2 | kfkd-scale >tiny
kfkd-load -c left_eye_center_x,left_eye_center_y faces.csv | kfkd-scale >eye
refuses "images of another size" 1 "'tiny' has another image size than the rows to train on" \
	train --validation tiny eye
kfkd-head -n 0 part >empty
head -n 4 faces.csv | sed '2,$s/^.*,/,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,/' >nothing.csv
kfkd-load nothing.csv | kfkd-scale >nothing
refuses "rows of which no target is known" 1 \
	"^kfkd-train: 'nothing' has no value of any target to validate by\$" train --validation nothing rest
refuses "no rows" 1 "'empty': the stream has no rows" train --validation empty rest
head -c 100000 part >cut
refuses "half of a file" 1 "'cut'.*truncated" train --validation cut rest
refuses "a model" 1 "no tensor 'X'" train --validation model rest

done_testing
