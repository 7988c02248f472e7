#!/bin/sh
# What kfkd-stat prints about streams and models.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

# -- a stream --------------------------------------------------------------------

cat >small.csv <<'EOT'
a_x,a_y,b,Image
1,0.5,-3,0 10 20 30
2,,5,255 1 2 2
,,,0 0 0 0
EOT
kfkd-load small.csv >small
is "a stream as loaded" "$(kfkd-stat small)" "$(cat <<'EOT'
rows: 3
images: 2 x 2, channels: 1, type: U8

column of y                     count       min       max      mean
a_x                                 2     1.000     2.000     1.500
a_y                                 1     0.500     0.500     0.500
b                                   2    -3.000     5.000     1.000

X.shape == (3, 4); X.min == 0.000; X.max == 255.000; X.mean == 26.667
y.shape == (3, 3); y.min == -3.000; y.max == 5.000; y.mean == 1.100
EOT
)"
is "through a pipe the same" "$(cat small | kfkd-stat)" "$(kfkd-stat small)"
is "- is standard input" "$(kfkd-stat - <small)" "$(kfkd-stat small)"
kfkd-load --columns a_x,a_y small.csv | kfkd-scale >scaled
is "a scaled stream" "$(kfkd-stat scaled | grep -v '^a_')" "$(cat <<'EOT'
rows: 3
images: 2 x 2, channels: 1, type: F32
X.scale: 0 255
y.scale: 1 1 1 1

column of y                     count       min       max      mean

X.shape == (3, 4); X.min == 0.000; X.max == 1.000; X.mean == 0.105
y.shape == (3, 2); y.min == -0.500; y.max == 1.000; y.mean == 0.167
EOT
)"
is "a stream without rows" "$(kfkd-head -n 0 small | kfkd-stat | tail -n 2)" \
"X.shape == (0, 4); X.min == nan; X.max == nan; X.mean == nan
y.shape == (0, 3); y.min == nan; y.max == nan; y.mean == nan"
is "a stream without targets" \
	"$(kfkd-synth -n 2 --test | kfkd-load | kfkd-stat | sed 's/;.*//')" \
"rows: 2
images: 96 x 96, channels: 1, type: U8

X.shape == (2, 9216)"

# Many chunks: each of about 450 rows.
kfkd-synth -n 1000 >faces.csv
kfkd-load faces.csv >faces
is "count and mean over many chunks" \
	"$(kfkd-stat faces | awk '$1 == "nose_tip_y" { print $2, $5 }')" \
	"$(awk -F, 'NR > 1 { n++; s += $22 } END { printf "%d %.3f\n", n, s / n }' faces.csv)"
is "the mean of all pixels" \
	"$(kfkd-stat faces | sed -n 's/^X.*mean == //p')" \
	"$(cut -d, -f 31 faces.csv | awk 'NR > 1 { n += NF; for (i = 1; i <= NF; i++) s += $i }
		END { printf "%.3f\n", s / n }')"

# -- a model ---------------------------------------------------------------------

"$KFKD_BUILD/tests/mkmodel" "dense2 relu dense" 1 4 4 2x16 3 1 >model
kfkd-stat model >said
like "a model's net" "$(cat said)" '^net: dense2 relu dense$'
like "its images" "$(cat said)" '^images: 4 x 4, channels: 1$'
like "its loss" "$(cat said)" '^loss: squared error$'
is "its layers" "$(sed -n '/^layer /,/^$/p' said)" "$(cat <<'EOT'
layer                        output               multiply-adds parameters
input                        1 x 4 x 4                        0          0
dense1 relu                  2                               32         34
dense2                       2                                4          6
all                                                          36         40
EOT
)"
like "its parameters" "$(cat said)" '^dense1\.weight +2 x 16 +32$'
like "its epochs" "$(cat said)" '^epochs: 3$'
like "its last losses" "$(cat said)" '^last losses: train 0\.018667, valid 0\.019667$'
like "its best loss" "$(cat said)" '^best valid loss: 0\.019667 in epoch 3, an RMSE of '
like "its targets" "$(cat said)" '^targets: [0-9]+$'
is "through a pipe the same" "$(cat model | kfkd-stat)" "$(cat said)"
kfkd-stat --history model >history
is "the history's header" "$(head -n 1 history)" "$(printf 'epoch\ttrain_loss\tvalid_loss')"
is "the history has a line an epoch" "$(cut -f 1 history | tr '\n' ' ')" "epoch 1 2 3 "
is "the history's losses" "$(tail -n 1 history | awk '{ printf "%.6f %.6f\n", $2, $3 }')" \
	"0.018667 0.019667"
is "the history through a pipe" "$(cat model | kfkd-stat -H)" "$(cat history)"
"$KFKD_BUILD/tests/mkmodel" "dense2 relu dense" 1 4 4 2x16 2 0 >unvalidated
is "without validation" "$(kfkd-stat -H unvalidated | cut -f 3 | tr '\n' ' ')" \
	"valid_loss nan nan "
is "... there is no best loss" "$(kfkd-stat unvalidated | grep 'losses\|^best')" \
	"last losses: train 0.027000, valid nan"

# Layers of all kinds, and a net that this version does not know.
layers() {
	"$KFKD_BUILD/tests/mkmodel" "$1" 3 ${2-9 8} 4x3x2x2 1 1 >layers
	kfkd-stat layers
}
is "layers of all kinds" "$(layers 'conv4x2 tanh pool2 drop.5 dense5 sigmoid dense' |
	sed -n '/^layer /,/^$/p')" "$(cat <<'EOT'
layer                        output               multiply-adds parameters
input                        3 x 9 x 8                        0          0
conv1 tanh                   4 x 8 x 7                     2688         52
pool1                        4 x 4 x 3                        0          0
drop1                        4 x 4 x 3                        0          0
dense1 sigmoid               5                              240        245
dense2                       2                               10         12
all                                                        2938        309
EOT
)"
branches='conv4x3p1s2 relu save pool2 upscale2 batchnorm add res8 save add avgpool dense'
is "layers of branches" "$(layers "$branches" '16 16' | sed -n '/^conv1 /,/^all/p')" "$(cat <<'EOT'
conv1 relu                   4 x 8 x 8                     6912        112
pool1                        4 x 4 x 4                        0          0
upscale1                     4 x 8 x 8                        0          0
batchnorm1                   4 x 8 x 8                        0          8
add1 of conv1                4 x 8 x 8                        0          0
conv2                        8 x 8 x 8                    18432        288
batchnorm2 relu              8 x 8 x 8                        0         16
conv3                        8 x 8 x 8                    36864        576
batchnorm3                   8 x 8 x 8                        0         16
conv4 of add1                8 x 8 x 8                     2048         40
add2 of conv4 relu           8 x 8 x 8                        0          0
add3 of add2                 8 x 8 x 8                        0          0
avgpool1                     8                                0          0
dense1                       2                               16         18
all                                                       64272       1074
EOT
)"
like "a net of unknown layers" "$(layers 'conv4x2 swish dense')" \
	"^layers: .*'swish'"
like "a layer of too many values" "$(layers 'conv1000000x1 dense' '90 90')" \
	"^layers: .*'conv1000000x1': its output is too large"
"$KFKD_BUILD/tests/mkmodel" dense 9000 9000 9000 2x2 1 1 >layers
like "images of too many values" "$(kfkd-stat layers)" '^layers: images .* too large'
"$KFKD_BUILD/tests/mkmodel" dense 1 4 4 2x16 1 1 classify >classes
kfkd-stat classes >said
like "a net for classes" "$(cat said)" '^loss: cross-entropy$'
like "... has losses without pixels" "$(cat said)" '^best valid loss: .* in epoch 1$'

# -- a table of models -----------------------------------------------------------

# table COLUMN MODEL ...: these fields of all but the header
table() {
	fields=$1
	shift
	kfkd-stat --table "$@" | tail -n +2 | cut -f "$fields"
}
kfkd-scale faces | kfkd-head -n 40 >few
kfkd-train -q -n 'pool8 dense3 relu dense' -e 2 few >given.kfkd
kfkd-train -q -n 'dense3 dense' -u adam -r .01:.001 -S -e 1 -v 0 -o other.kfkd few
kfkd-stat --table model given.kfkd other.kfkd >said
is "the table's header" "$(head -n 1 said | tr '\t' ' ')" "file epochs best_epoch \
valid_loss px train_loss seconds net train.update train.rate train.momentum train.epochs \
train.batch train.valid train.seed train.weights train.shuffle"
is "a line a model" "$(cut -f 1 said | tr '\n' ' ')" "file model given.kfkd other.kfkd "
is "... of as many fields" "$(awk -F '\t' '{ print NF }' said | sort -u)" 17
is "... none of them empty" "$(grep -cE '^\t|\t\t|\t$' said)" 0
is "the best epoch of a model without options" "$(sed -n 2p said | tr '\t' ' ')" \
	"model 3 3 0.0196666662 0.280 0.018666666 - dense2 relu dense - - - - - - - - -"
is "... whose pixels are kfkd-stat's" "$(kfkd-stat model | grep -c 'RMSE of 0.280 ')" 1
is "options as they were given" "$(table 8- other.kfkd | tr '\t' ' ')" \
	"dense3 dense adam 0.01:0.001 1 128 yes 0 42 epoch 1"
is "where nothing validates, the train loss tells" "$(table 2-5 other.kfkd | tr '\t' ' ')" \
	"1 1 - -"
is "... and is there" "$(table 6 other.kfkd)" "$(kfkd-stat -H other.kfkd | tail -n 1 | cut -f 2)"
is "two epochs of which one is best" "$(table 3,4 given.kfkd | tr '\t' ' ')" \
	"$(kfkd-stat -H given.kfkd | tail -n +2 | sort -g -k 3 | head -n 1 |
		awk '{ print $1, $3 }')"
is "a table is sorted by sort" "$(kfkd-stat --table given.kfkd model | tail -n +2 |
	sort -t "$(printf '\t')" -g -k 4 | cut -f 1 | tr '\n' ' ')" "model given.kfkd "
"$KFKD_BUILD/tests/mkmodel" "dense2 relu dense" 1 4 4 2x16 1 1 classify >classes
is "classes have no pixels" "$(table 4,5 classes | tr '\t' ' ')" "0.0529999994 -"
kfkd-train -q -n 'dense3 dense' -e 0 -o fresh.kfkd few
is "a model without epochs" "$(table 2-7 fresh.kfkd | tr '\t' ' ')" "0 - - - - -"
is "a model from standard input" "$(table 1-2 - <model | tr '\t' ' ')" "standard input 3"
is "... or a pipe, without an operand" "$(cat model | kfkd-stat -t | tail -n 1 | cut -f 1)" \
	"standard input"

# Seconds are in logs, which grow while models are trained.
mkdir runs.d
cp model runs.d/net
cp model net.kfkd
printf 'epoch\ttrain\tseconds\n1\t9\t0.5\n2\t9\t0.25\n3\t9\t1\n4\t9\t7\n' >net.tsv
printf 'epoch\tseconds\n1\t2\n2\t2\n3\t2' >runs.d/net.tsv
printf 'epoch\tseconds\n1\t2\n' >given.tsv
is "seconds of a model's epochs, from its log" \
	"$(table 7 --logs .tsv net.kfkd given.kfkd other.kfkd runs.d/net | tr '\n' ' ')" "1.75 - - - "
printf '\n' >>runs.d/net.tsv
is "... whose last line is whole now" "$(table 7 --logs .tsv runs.d/net)" 6
printf 'epoch\tseconds\n1\t-\n2\t2\n3\t2\n' >runs.d/net.tsv
is "... and of which one lacks its seconds" "$(table 7 --logs .tsv runs.d/net)" -
printf '2\ts\n' >>runs.d/net.tsv
refuses "a log without seconds in a line" 1 "'runs.d/net.tsv', line 5: " \
	kfkd-stat -t --logs .tsv runs.d/net
: >given.tsv
is "a log that is still empty" "$(table 7 --logs .tsv given.kfkd)" -
echo epochs >given.tsv
refuses "what is no log" 1 "'given.tsv' is no log" kfkd-stat -t --logs .tsv given.kfkd
refuses "a log that cannot be read" 1 "cannot open 'given.kfkd/x'" \
	kfkd-stat -t --logs .kfkd/x given.kfkd
refuses "a stream in a table" 1 "'small': a stream, not a model" \
	kfkd-stat -t model small
kfkd-stat -t -o out model none 2>/dev/null
ok "no table where a model is missing" test ! -e out
for wrong in "-t -H" "--logs .tsv"; do
	kfkd-stat $wrong model >out 2>err
	is "$wrong exits 2" $? 2
done
rm out

# -- control characters -----------------------------------------------------------

# controls FILE: how many bytes of it are control characters other than newlines and
# tabs; it has no letters beyond ASCII
controls() {
	tr -d '\n\t -~' <"$1" | wc -c
}
"$KFKD_BUILD/tests/mkmodel" "$(printf 'dense \033[2J \302\233')" 1 2 2 2x4 1 1 >strange
kfkd-stat strange >said
is "a net's control characters do not reach a terminal" "$(controls said)" 0
like "... but are shown" "$(cat said)" '^net: dense \\x1b\[2J \\xc2\\x9b$'
kfkd-stat -t strange >said
is "... nor from a table" "$(controls said)" 0
kfkd-stat "$(printf 'none\033\233\302\233')" 2>said
is "nor do those of a file's name" "$(controls said)" 0
kfkd-stat --"$(printf '\033')" -"$(printf '\233')" 2>said
is "nor those of an option" "$(controls said)" 0
ln -s "$(command -v kfkd-stat)" "$(printf 'stat\033')"
"./$(printf 'stat\033')" none 2>said
is "nor those of the program's name" "$(controls said)" 0

# -- what it refuses -------------------------------------------------------------

refuses "the history of a stream" 1 "'small'.* a stream, not a model" kfkd-stat -H small
refuses "nothing" 1 'standard input. is empty' kfkd-stat </dev/null
refuses "a CSV" 1 "'small.csv'" kfkd-stat small.csv
head -c 100 small >cut
refuses "a cut stream" 1 "'cut'" kfkd-stat cut
head -c "$(($(wc -c <faces) - 1))" faces >cut
refuses "a stream whose last chunk is cut" 1 "'cut'" kfkd-stat cut
head -c "$(($(wc -c <model) - 1))" model >cut
refuses "a cut model" 1 "'cut'" kfkd-stat cut
{ cat model; echo; } >more
refuses "a model with something behind it" 1 "'more'" kfkd-stat more
refuses "no such file" 1 "cannot open 'none'" kfkd-stat none
refuses "a full disk" 1 'cannot write' sh -c 'kfkd-stat small >/dev/full'
kfkd-stat -o out cut 2>/dev/null
ok "no output where it fails" test ! -e out
kfkd-stat -o out small
is "--output" "$(cat out)" "$(kfkd-stat small)"

done_testing
