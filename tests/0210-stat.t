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
