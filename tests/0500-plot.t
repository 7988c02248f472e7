#!/bin/sh
# kfkd-plot: sheets, single pictures, curves and weights.  Netpbm's own
# programs read the results.  (test_draw looks at marks pixel by pixel.)

. "${0%/*}/lib.sh"
mkmodel=$KFKD_BUILD/tests/mkmodel
cd "$tmp" || exit 1

# faces FIRST LAST LEVEL: rows of 24 x 24 pixels of one grey level, with a point
# at the centre of pixel (12, 8) and another that is missing.
faces() {
	awk -v first="$1" -v last="$2" -v level="$3" 'BEGIN {
		print "nose_x,nose_y,chin_x,chin_y,Image"
		for (i = first; i <= last; i++) {
			printf "12,8,,20,"
			for (j = 0; j < 576; j++)
				printf "%d%s", level, j < 575 ? " " : "\n"
		}
	}'
}

# pixel FILE X Y: its value, or its three.
pixel() {
	pamcut -left "$2" -top "$3" -width 1 -height 1 "$1" | pamtopnm -plain |
		tail -n +4 | tr -s ' \n' ' ' | sed 's/ $//'
}

size() {
	pamfile "$1" | sed 's/^[^:]*:[[:space:]]*//'
}

is() { # netpbm may pad its columns
	tap_a=$(printf '%s' "$2" | tr -s '[:space:]' ' ')
	tap_b=$(printf '%s' "$3" | tr -s '[:space:]' ' ')
	if [ "$tap_a" = "$tap_b" ]; then
		pass "$1"
	else
		fail "$1" "got:  $2" "want: $3"
	fi
}

faces 1 6 40 | kfkd-load >dark
faces 1 6 230 | kfkd-load >light
if ! command -v pamfile >/dev/null; then
	skip "all" "netpbm's programs are not installed"
	done_testing
fi

# -- sheets -------------------------------------------------------------------------

kfkd-plot dark >sheet.pgm
is "a sheet exits 0" $? 0
is "4 x 4 cells of 48 pixels and gaps of 2" "$(size sheet.pgm)" \
	"PGM raw, 198 by 198 maxval 255"
is "... as many bytes" "$(wc -c <sheet.pgm)" $((15 + 198 * 198))
is "the first cell has the image's grey" "$(pixel sheet.pgm 2 2)" 40
is "between cells it is white" "$(pixel sheet.pgm 48 2)" 255
is "the sixth cell is used" "$(pixel sheet.pgm 52 52)" 40
is "the seventh is empty" "$(pixel sheet.pgm 102 52)" 255
kfkd-plot <dark | cmp - sheet.pgm
is "standard input gives the same" $? 0
kfkd-scale dark | kfkd-plot | cmp - sheet.pgm
is "a scaled stream gives the same" $? 0
kfkd-plot -o out.pgm dark
is "--output gives the same" "$(cmp out.pgm sheet.pgm 2>&1)" ""

for tone in dark light; do
	kfkd-plot -g 1x1 -z 8 $tone >$tone.pgm
	is "$tone: one cell of 192 pixels" "$(size $tone.pgm)" \
		"PGM raw, 192 by 192 maxval 255"
	# Pixel (12, 8) becomes 96 to 103 by 64 to 71.
	pamcut -left 92 -top 60 -width 16 -height 16 $tone.pgm >around.pgm
	like "$tone: the point has light" "$(pgmhist around.pgm | tail -n 1)" \
		'^ *(24[0-9]|25[0-5])[[:space:]]'
	like "$tone: and dark" "$(pgmhist around.pgm | sed -n 3p)" \
		'^ *[0-9]{1,2}[[:space:]]'
	grey=$(pixel $tone.pgm 3 3)
	is "$tone: and its middle is free" "$(pixel $tone.pgm 99 67)" "$grey"
	is "$tone: a missing point is not drawn" "$(pamcut -top 100 $tone.pgm |
		pgmhist | sed 1,2d | awk '{ print $1 }')" "$grey"
done

kfkd-plot --colour -g 3x1 -z 1 dark >sheet.ppm
is "--colour makes a PPM" "$(size sheet.ppm)" "PPM raw, 76 by 24 maxval 255"
is "... in which images are grey" "$(pixel sheet.ppm 1 1)" "40 40 40"
kfkd-plot -g 1x1 -z 9 -c light >big.ppm
is "... and the truth is green" "$(pixel big.ppm 112 80)" "60 220 130"
kfkd-plot -i -g 1x1 dark >ids.pgm
kfkd-plot -g 1x1 dark >plain.pgm
differ "--ids changes the picture" ids.pgm plain.pgm
kfkd-plot -g 2x3 -z 3 dark >more.pgm
is "--grid and --zoom" "$(size more.pgm)" "PGM raw, 146 by 220 maxval 255"


# pixels of 10, 11, 12 and so on
printf 'nose_x,nose_y,Image\n,,%s\n' "$(seq -s ' ' 10 45)" | kfkd-load --size 6x6 >dim
kfkd-plot -g 1x1 -z 1 dim >dim.pgm
kfkd-plot -g 1x1 -z 1 --stretch dim >stretched.pgm
is "dark faces are drawn dark" "$(pixel dim.pgm 0 0) $(pixel dim.pgm 5 5)" "10 45"
is "--stretch makes the darkest pixel black, the lightest white" \
	"$(pixel stretched.pgm 0 0) $(pixel stretched.pgm 5 5)" "0 255"
is "... and the others in proportion" "$(pixel stretched.pgm 1 0) $(pixel stretched.pgm 5 2)" \
	"7 124"
kfkd-scale dim | kfkd-plot -g 1x1 -z 1 --stretch | cmp - stretched.pgm
is "... of a scaled stream, too" $? 0
kfkd-plot --stretch dark | cmp - sheet.pgm
is "... and leaves even images alone" $? 0

faces 1 1 7 | kfkd-load --columns nose_x,chin_y | kfkd-plot >alone.pgm 2>err
is "columns without a partner are no error" $? 0
like "... but a warning" "$(cat err)" "^kfkd-plot: column 'nose_x' is not drawn"
is "... of one line" "$(wc -l <err)" 1

# Predictions, of a net that was not trained.
kfkd-load <<EOT >faces
$(faces 1 4 90 | sed 's/^12,8,,20,/12,8,16,20,/')
EOT
kfkd-scale faces >scaled && kfkd-train -q --epochs 0 --net dense scaled >net.kfkd &&
	kfkd-scale faces | kfkd-predict -m net.kfkd >found
is "predictions are made" $? 0
kfkd-plot -g 2x2 -c found >found.ppm
is "a sheet with predictions" "$(size found.ppm)" "PPM raw, 98 by 98 maxval 255"
like "... has red in it" "$(ppmhist -noheader found.ppm)" '^ *255 +90 +60'
ppmhist -noheader sheet.ppm | grep -Eq '^ *255 +90 +60'
is "... and one without has none" $? 1

# -- single pictures -------------------------------------------------------------------

mkdir each
ok "--each" kfkd-plot --each each/face- dark
is "a file for each row" "$(ls each | tr '\n' ' ')" \
	"face-1.pgm face-2.pgm face-3.pgm face-4.pgm face-5.pgm face-6.pgm "
is "... of the image's size, twice" "$(size each/face-6.pgm)" \
	"PGM raw, 48 by 48 maxval 255"
echo precious >each/face-3.pgm
rm each/face-[1245].pgm
refuses "a file that exists is an error that names it" 1 \
	"^kfkd-plot: cannot create 'each/face-3.pgm': File exists" \
	kfkd-plot -e each/face- light
is "... and stays as it was" "$(cat each/face-3.pgm)" precious
is "... and nothing else is left" "$(ls each | tr '\n' ' ')" \
	"face-1.pgm face-2.pgm face-3.pgm face-6.pgm "
ln -s nowhere each/face-1.ppm
refuses "so is a dangling link" 1 "'each/face-1.ppm': File exists" \
	kfkd-plot -c -e each/face- light
refuses "a directory that is not there" 1 "'none/1.pgm': No such file" \
	kfkd-plot -e none/ light
ok "no rows, no files" sh -c 'kfkd-head -n 0 dark | kfkd-plot -e each/none-'

# -- what is not whole --------------------------------------------------------------------

refuses "a stream without rows" 1 'no rows' sh -c 'kfkd-head -n 0 dark | kfkd-plot'
head -c $(($(wc -c <dark) - 10)) dark >cut
refuses "a truncated stream" 1 'truncated|ends' kfkd-plot -g 2x2 cut
kfkd-plot -g 2x2 cut >cut.pgm 2>/dev/null
pamtopnm cut.pgm >/dev/null 2>&1
is "... whose picture is not whole" $? 1
kfkd-plot -g 1x9 cut 2>/dev/null | pamtopnm >/dev/null 2>&1
is "... also when a part of it was written" $? 1
refuses "... and has no file" 1 . kfkd-plot -o new.pgm cut
is "... nor a part of one" "$(ls new.pgm* 2>/dev/null)" ""
if [ -e /dev/full ]; then
	refuses "a full disk" 1 '^kfkd-plot: cannot write .*No space left' \
		sh -c 'kfkd-plot dark >/dev/full'
	refuses "... with colour and many rows of cells" 1 \
		'^kfkd-plot: cannot write .*No space left' \
		sh -c 'kfkd-plot -c -g 1x6 -z 20 dark >/dev/full'
fi
refuses "a sheet that is too large" 1 'too large' kfkd-plot -g 10000x10000 -z 100 dark

# -- curves --------------------------------------------------------------------------------

"$mkmodel" "dense100 relu dense" 1 24 24 30x576 400 1 >net1.kfkd
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 200 0.5 >net2.kfkd
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 3 0 >no-valid.kfkd
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 0 1 >no-history.kfkd
kfkd-plot --curve net1.kfkd >curve.pgm
is "a curve is 800 x 600" "$(size curve.pgm)" "PGM raw, 800 by 600 maxval 255"
kfkd-plot --curve <net1.kfkd | cmp - curve.pgm
is "standard input gives the same" $? 0
kfkd-plot --curve -c -S 320x240 --ylim 1e-3:1e-2 net1.kfkd net2.kfkd >curves.ppm
is "--size and --colour" "$(size curves.ppm)" "PPM raw, 320 by 240 maxval 255"
# The plot is 84 to 723 by 20 to 541.  At epoch 200 of 400 the loss in
# validation is 0.00325, of 0.001 to 0.01: at row 541 - 521 * log10(3.25).
kfkd-plot --curve --ylim 1e-3:1e-2 net1.kfkd >curve.pgm
is "the curve is where it should be" "$(pixel curve.pgm 404 274)" 0
is "... and not elsewhere" "$(pixel curve.pgm 410 300)" 255
ok "without validation" kfkd-plot --curve no-valid.kfkd
ok "many models" kfkd-plot --curve net1.kfkd net2.kfkd net1.kfkd no-valid.kfkd net2.kfkd
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 9 0.5 classify >classes.kfkd
# Where numbers of the axis on the right would be.
right() {
	pamcut -left 728 -width 30 -height 540 "$1" | pgmhist | sed 1,2d | wc -l
}
kfkd-plot --curve net1.kfkd >pixels.pgm
kfkd-plot --curve classes.kfkd >classes.pgm
is "a model of classes has a curve" $? 0
ok "... one of keypoints an axis of pixels" test "$(right pixels.pgm)" -gt 1
is "... one of classes none" "$(right classes.pgm)" 1
# At epoch 100 the mean of the losses of net1 and net2 is 0.75 * 0.0035.  It
# ends with net2 at 200.
kfkd-plot --curve --mean --ylim 1e-3:1e-2 net1.kfkd net2.kfkd >mean.pgm
is "--mean" $? 0
is "the mean is where it should be" "$(pixel mean.pgm 244 323)" 0
is "... and thick" "$(pixel mean.pgm 244 321) $(pixel mean.pgm 244 324)" "0 0"
is "... and as long as the shortest curve" "$(pixel mean.pgm 560 345)" 255
ok "the mean of one model" kfkd-plot --curve --mean net1.kfkd
refuses "no mean without validation" 1 '--mean: there is no epoch' \
	kfkd-plot --curve --mean net1.kfkd no-valid.kfkd
refuses "a model without a history" 1 "^kfkd-plot: 'no-history.kfkd' has no history" \
	kfkd-plot --curve net1.kfkd no-history.kfkd
refuses "a stream in place of a model" 1 "a stream, not a model" kfkd-plot --curve dark
refuses "a model in place of a stream" 1 "is it a model" kfkd-plot net1.kfkd
refuses "a full disk" 1 '^kfkd-plot: cannot write .*No space left' \
	sh -c 'kfkd-plot --curve net1.kfkd >/dev/full'

# -- weights -------------------------------------------------------------------------------

kfkd-plot --weights net1.kfkd >weights.pgm
is "30 units of 24 x 24 in 6 x 5 cells" "$(size weights.pgm)" \
	"PGM raw, 310 by 258 maxval 255"
is "zero weights are mid-grey" "$(pixel weights.pgm 5 5)" 128
is "a weight of -1 in 3 is a third darker" "$(pixel weights.pgm 53 1)" 85
is "pictures have a dark frame" "$(pixel weights.pgm 49 30) $(pixel weights.pgm 52 30)" "40 40"
is "... and a light gap between them" "$(pixel weights.pgm 50 30) $(pixel weights.pgm 51 30)" "255 255"
kfkd-plot --weights <net1.kfkd | cmp - weights.pgm
is "standard input gives the same" $? 0
# shellcheck disable=SC2002
cat net1.kfkd | kfkd-plot --weights | cmp - weights.pgm
is "so does a pipe" $? 0
"$mkmodel" "conv8x3 relu dense" 1 24 24 8x1x3x3 1 1 >conv.kfkd
kfkd-plot --weights conv.kfkd >weights.pgm
is "8 filters of 3 x 3, 21 times" "$(size weights.pgm)" "PGM raw, 199 by 199 maxval 255"
kfkd-train -q --epochs 0 -n "conv6x5 relu pool2 dense" <scaled >trained.kfkd &&
	kfkd-plot --weights trained.kfkd >weights.pgm
is "a convolutional net as it is trained" $? 0
is "... has 6 filters of 5 x 5, 12 times" "$(size weights.pgm)" \
	"PGM raw, 190 by 126 maxval 255"
"$mkmodel" "conv8x3 relu dense" 3 24 24 4x3x5x5 1 1 >conv3.kfkd
kfkd-plot --weights -c -z 2 conv3.kfkd >weights.ppm
is "the channels of filters are side by side" "$(size weights.ppm)" \
	"PPM raw, 82 by 26 maxval 255"
# Units of 1 x 1 x 3 weights: (0, 1, 2) and (3, -3, -2)
"$mkmodel" "conv3x1 relu dense" 3 24 24 3x3x1x1 1 1 >conv1.kfkd
kfkd-plot --weights -g 3x3 -z 1 conv1.kfkd >weights.pgm
is "a unit's channels have one scale" "$(for at in '1 6' '6 6' '11 6' '1 11' '6 11' '11 11'; do
	echo "$(pixel weights.pgm $at)"; done | tr '\n' ' ')" "128 191 255 255 0 43 "
kfkd-plot --weights -g 2x1 -z 1 net1.kfkd >weights.pgm
is "--grid shows the first" "$(size weights.pgm)" "PGM raw, 54 by 26 maxval 255"
"$mkmodel" "dense100 relu dense" 1 24 24 30x500 1 1 >odd.kfkd
refuses "weights that are no picture" 1 "^kfkd-plot: 'odd.kfkd': .*1 x 24 x 24" \
	kfkd-plot --weights odd.kfkd
refuses "a stream in place of a model" 1 "a stream, not a model" kfkd-plot --weights dark

# -- misuse --------------------------------------------------------------------------------

misused() {
	kfkd-plot "$@" dark >out 2>err
	is "misuse: $*" $? 2
	like "... says what: $*" "$(head -n 1 err)" "^kfkd-plot: "
	ok "... and writes nothing: $*" test ! -s out
}
misused --grid 4
misused --grid 0x4
misused --zoom 0
misused --zoom two
misused --curve --weights
misused --curve --each x
misused --curve --grid 2x2
misused --curve --ids
misused --curve --stretch
misused --curve --size 10x10
misused --curve --ylim 1e-3
misused --curve --ylim 2:1
misused --curve --ylim 0:1
misused --curve --ylim a:b
misused --each x --grid 2x2
misused --each x --output y
misused --weights --ids
misused --ylim 1:2
misused --size 800x600

done_testing
