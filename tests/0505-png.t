#!/bin/sh
# kfkd-plot's pictures as PNG: the same pixels as in PGM and PPM, whole or not at all.

. "${0%/*}/lib.sh"
mkmodel=$KFKD_BUILD/tests/mkmodel
cd "$tmp" || exit 1
kfkd-synth -n 6 -s 1 | kfkd-load >faces
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 9 1 >net.kfkd
if ! command -v pngtopam >/dev/null; then
	skip "all" "netpbm's programs are not installed"
	done_testing
fi

# same WHAT OPTION ...: the picture that these make, as PNG and without
same() {
	tap_what=$1
	shift
	kfkd-plot "$@" >plain && kfkd-plot --png "$@" >coded && pngtopam coded >decoded
	equal "$tap_what" decoded plain
}

same "a sheet" faces
same "... in colour" -c -i -g 3x2 faces
same "a sheet with cells that stay white" -g 1x9 faces
same "a curve" --curve net.kfkd
same "... in colour" --curve -c net.kfkd
same "weights" --weights net.kfkd
is "a picture is of 8 bits of grey" "$(kfkd-plot --png faces | head -c 26 | tail -c 2 |
	od -An -tx1)" " 08 00"
is "... or of colours" "$(kfkd-plot --png -c faces | head -c 26 | tail -c 2 | od -An -tx1)" \
	" 08 02"

kfkd-plot --png faces >sheet.png
kfkd-plot -o out.png faces
equal "--output decides by its ending" out.png sheet.png
kfkd-plot -o OUT.PNG faces
equal "... in any case" OUT.PNG sheet.png
kfkd-plot --png -o out.pgm faces
equal "--png goes before it" out.pgm sheet.png
kfkd-plot -o png faces
is "a name without a dot is no ending" "$(head -c 2 png)" P5

mkdir each
ok "--each" kfkd-plot --png --each each/ faces
is "... names its files so" "$(ls each | tr '\n' ' ')" "1.png 2.png 3.png 4.png 5.png 6.png "
kfkd-plot --each each/ faces
pngtopam each/4.png >decoded
equal "... and they are the pictures" decoded each/4.pgm
refuses "a file that exists" 1 "^kfkd-plot: cannot create 'each/1.png': File exists" \
	kfkd-plot --png -e each/ faces
kfkd-plot --png --each - faces >all
cat each/1.png each/2.png each/3.png each/4.png each/5.png each/6.png >want
equal "--each - writes them one after another" all want

head -c $(($(wc -c <faces) - 10)) faces >cut
refuses "a truncated stream makes no file" 1 . kfkd-plot -o new.png cut
is "... nor a part of one" "$(ls new.png* 2>/dev/null)" ""
kfkd-plot --png -g 1x9 cut 2>/dev/null >part
is "... and the part on standard output has no end" "$(grep -ac IEND part)" 0
if [ -e /dev/full ]; then
	refuses "a full disk" 1 '^kfkd-plot: cannot write .*No space left' \
		sh -c 'kfkd-plot --png faces >/dev/full'
	refuses "... found while rows are written" 1 '^kfkd-plot: cannot write .*No space left' \
		sh -c 'kfkd-plot --png -c -g 1x6 -z 10 faces >/dev/full'
fi
done_testing
