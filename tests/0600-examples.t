#!/bin/sh
# The recipes under examples/, scaled down: they run, and leave what they
# promise.

. "${0%/*}/lib.sh"
examples=$(cd "${0%/*}/../examples" && pwd)
cd "$tmp" || exit 1

# recipe NAME ARGUMENT ...: says what it printed where it fails
recipe() {
	recipe=$1
	shift
	limited sh "$examples/$recipe.sh" "$@" >"$recipe.out" 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		pass "$recipe.sh $* runs"
	else
		fail "$recipe.sh $* runs" "exit status $status" "$(tail -n 5 "$recipe.out")"
	fi
}

# picture FILE KIND WIDTH HEIGHT
picture() {
	if command -v pamfile >/dev/null; then
		like "... and draws $1" "$(pamfile "$1" 2>&1 | tr -s '[:space:]' ' ')" \
			"^$1: $2 raw, $3 by $4 maxval 255 ?\$"
	else
		skip "... and draws $1" "netpbm's programs are not installed"
	fi
}

# model FILE EPOCHS
model() {
	is "... and trains $1" "$(kfkd-stat --history "$1" | tail -n 1 | cut -f 1)" "$2"
}

# Fashion-MNIST in small: 300 images to learn from and 60 to test.
clothes() {
	perl -e 'my ($n, $image, $label) = @ARGV; srand 1;
		open I, "| gzip >$image" or die; open L, "| gzip >$label" or die;
		print I pack("CCCCNNN", 0, 0, 8, 3, $n, 28, 28);
		print L pack("CCCCN", 0, 0, 8, 1, $n);
		for (1 .. $n) {
			print I pack("C*", map { int rand 256 } 1 .. 784);
			print L pack("C", $_ % 10);
		}' "$@"
}
mkdir data
clothes 300 data/train-images-idx3-ubyte.gz data/train-labels-idx1-ubyte.gz
clothes 60 data/t10k-images-idx3-ubyte.gz data/t10k-labels-idx1-ubyte.gz
DATA=$tmp/data EPOCHS=2 IMAGES=200
export DATA EPOCHS IMAGES

# -- tutorial.sh ------------------------------------------------------------------------

ROWS=60 recipe tutorial
picture tutorial/face.pgm PGM 384 384
picture tutorial/curve.pgm PGM 800 600
picture tutorial/sheet.pgm PGM 774 774
picture tutorial/rules.ppm PPM 800 600
picture tutorial/clothes.ppm PPM 686 428
model tutorial/net1.kfkd 2
model tutorial/adam.kfkd 2
model tutorial/clothes.kfkd 2
like "... on drawn faces" "$(cat tutorial.out)" "^X.shape == \(60, 9216\)"
like "... printing each command" "$(cat tutorial.out)" '^\$ kfkd-train --net net1 '
like "... and its table" "$(cat tutorial.out)" "Epoch +\|  Train loss"

kfkd-synth --rows 50 --missing .3 -o training.csv
kfkd-synth --rows 3 --test -o test.csv
cp training.csv before.csv
DATA=nowhere recipe tutorial own training.csv test.csv
like "... on a CSV that is given" "$(cat tutorial.out)" "^X.shape == \(50, 9216\)"
picture own/sheet.pgm PGM 774 774
like "... and says what the classifier needs" "$(cat tutorial.out)" \
	"apt-get install dataset-fashion-mnist"
ROWS=50 DATA=nowhere recipe tutorial own
ok "... and there again, without touching that CSV" cmp training.csv before.csv
refuses "one CSV without the other" 2 "^usage: tutorial.sh" \
	sh "$examples/tutorial.sh" own training.csv

# -- specialists.sh ---------------------------------------------------------------------

NET="pool4 dense10 relu dense"
export NET
groups="eye-centres nose mouth bottom-lip eye-corners eyebrows"
ROWS=120 recipe specialists
model specialists/one.kfkd 2
for group in $groups; do
	ok "... and trains $group.kfkd" kfkd-stat specialists/$group.kfkd
	ok "... from the one net's weights" \
		grep -q 'dense1.weight is taken over' specialists/$group.log
done
is "... each with its own targets" "$(for group in $groups; do
	kfkd-stat specialists/$group.kfkd | sed -n 's/^targets: //p'; done | tr '\n' ' ')" \
	"4 2 6 2 8 8 "
like "... and all rows that have them" "$(cat specialists.out)" "^nose: (9|100)[0-9]* rows"
picture specialists/curves.ppm PPM 800 600
picture specialists/sheet.pgm PGM 774 774
is "... and scores all points" "$(wc -l <specialists/specialists.tsv)" 17
like "... of the rows held out" "$(kfkd-stat specialists/predicted.kfkd)" "^rows: 20\$"
like "... beside the one net" "$(tail -n 20 specialists.out)" \
	"^overall +[0-9.]+ +[0-9.]+\$"

kfkd-synth --rows 100 --missing .3 -o training.csv
JOBS=1 recipe specialists training.csv given
like "... on a CSV that is given" "$(kfkd-stat given/predicted.kfkd)" \
	"p.shape == \(20, 30\)"
head -n 81 training.csv >few.csv
refuses "too few rows to hold some out" 1 "'few.csv' has fewer than 81 rows" \
	sh "$examples/specialists.sh" few.csv few
cut -d, -f1-4,31 training.csv >eyes.csv
sh "$examples/specialists.sh" eyes.csv eyes >out 2>&1
ok "without the columns of a group it fails" test $? -ne 0
like "... and says so" "$(cat out)" "^kfkd-load: .*nose_tip_x"

# -- folds.sh ---------------------------------------------------------------------------

FOLDS=2 ROWS=140 NET="pool4 dense10 batchnorm relu dense" recipe folds
model folds/net-1.kfkd 2
model folds/net-2.kfkd 2
ok "... other nets" test "$(cksum <folds/net-1.kfkd)" != "$(cksum <folds/net-2.kfkd)"
like "... and scores each and all" "$(grep -E '^(net-[12]|all) ' folds.out)" \
	"^net-1 +[0-9.]+ +[0-9.]+
net-2 +[0-9.]+ +[0-9.]+
all +[0-9.]+ +[0-9.]+\$"
picture folds/sheet.pgm PGM 774 774
refuses "too few rows for that" 1 "'few.csv' has fewer than 101 rows" \
	sh "$examples/folds.sh" few.csv few

# -- own-photos.sh ---------------------------------------------------------------------

PHOTOS=12 EPOCHS=2 recipe own-photos
model own-photos/model.kfkd 2
picture own-photos/faces.pgm PGM 774 774
picture own-photos/found/0001.pgm PGM 360 200
is "... one for each new photograph" "$(ls own-photos/found | wc -l | tr -d ' ')" 10
is "... with two faces each" "$(tail -n +2 own-photos/found.csv | cut -d, -f1,2 | sort -u |
	wc -l | tr -d ' ')" 20
like "... and scores them" "$(tail -n 1 own-photos/score.tsv)" \
	"^overall	[0-9.]+	[0-9]+	[0-9.]+\$"
NME=left_eye_center,right_eye_center CROP=points EPOCHS=2 recipe own-photos mine \
	own-photos/known.csv own-photos/new-boxes.csv
is "... on photographs that are given" "$(ls mine/found | wc -l | tr -d ' ')" 10

# -- people.sh --------------------------------------------------------------------------

PEOPLE=12 recipe people
model people/net.kfkd 2
picture people/worst.pgm PGM '[0-9]+' '[0-9]+'
is "... each person on one side" "$(cat people/training.txt people/others.txt | sort -u | wc -l) $(
	cat people/training.txt people/others.txt | wc -l)" "12 12"
is "... and scores the others" "$(cut -f 1 people/people.tsv | sort)" "$(cat people/others.txt)"
is "... by all of their pictures" "$(cut -f 3 people/people.tsv | sort -u)" 5
is "... as all values together" "$(kfkd-select -w "name=$(head -n 1 people/people.tsv |
	cut -f 1)" people/predicted.kfkd | kfkd-score | tail -n 1 |
	awk '{ printf "%.2f\n", $2 }')" "$(head -n 1 people/people.tsv | cut -f 2)"

# -- fashion-mnist.sh -------------------------------------------------------------------

recipe fashion-mnist
for net in mnist-mlp mnist-cnn; do
	model fashion-mnist/$net.kfkd 2
	picture fashion-mnist/$net.ppm PPM 686 428
	is "... by the classes' names" "$(sed -n '7p;11p' fashion-mnist/$net.tsv | cut -f 1 |
		tr '\n' ,) $(sed -n 11p fashion-mnist/$net.confusion.tsv | cut -f 1)" \
		"Sandal,Ankle boot, Ankle boot"
	like "... and scores it" "$(tail -n 1 fashion-mnist/$net.tsv)" "^overall	0\.[0-9]{4}	[0-9]+\$"
done
DATA=nowhere refuses "without the data it says what to install" 1 \
	"apt-get install dataset-fashion-mnist" sh "$examples/fashion-mnist.sh"
DATA=/usr/share/datasets/fashion-mnist
if [ -d $DATA ]; then
	EPOCHS=1 IMAGES=1000 recipe fashion-mnist clothes
	is "... on Debian's data set" \
		"$(awk '{ n += $3 } END { print n }' clothes/mnist-mlp.tsv)" 10000
else
	skip "on Debian's data set" "dataset-fashion-mnist is not installed"
fi

# -- live-video.sh ----------------------------------------------------------------------

if command -v ffmpeg >/dev/null; then
	frames() {
		ffmpeg -v error -nostdin -i "$1" -f rawvideo -pix_fmt gray - |
			wc -c | awk '{ print $1 / (384 * 384) }'
	}
	MODEL=tutorial/net1.kfkd DURATION=0.4 recipe live-video test out.nut
	is "... frame for frame" "$(frames out.nut)" 10
	MODEL=tutorial/net1.kfkd recipe live-video out.nut again.nut
	is "... also from a film" "$(frames again.nut)" 10
else
	skip "live-video.sh" "ffmpeg is not installed"
fi

done_testing
