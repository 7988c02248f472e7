#!/bin/sh
# kfkd-load: sequences of PGM images, and what is wrong with others.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

printf 'P5\n3 2\n255\n012345' >one
printf 'P5 3\t2\n255\nABCDEF' >two
cat one two one >three

# The pixels, one image a line.
loaded() {
	kfkd-load "$@" | kfkd-save --no-ids | tail -n +2
}

# -- what comes of it -----------------------------------------------------------------

is "an image" "$(loaded one)" "48 49 50 51 52 53"
is "three images" "$(loaded three)" "$(printf '%s\n' "48 49 50 51 52 53" \
	"65 66 67 68 69 70" "48 49 50 51 52 53")"
is "from standard input, with ids from 1" "$(kfkd-load <three | kfkd-save | cut -d, -f1)" \
	"$(printf '%s\n' ImageId 1 2 3)"
like "width and height are not mixed up" "$(kfkd-load one | kfkd-stat)" "images: 3 x 2"
is "there are no targets" "$(kfkd-load one | kfkd-stat | tr '\n' '/')" "rows: 1/images: 3 x 2, channels: 1, type: U8//X.shape == (1, 6); X.min == 48.000; X.max == 53.000; X.mean == 50.500/"
is "from a pipe in small pieces" "$(dd if=three bs=1 status=none | loaded)" "$(loaded three)"
is "a file and the same from a pipe" "$(loaded <three)" "$(loaded three)"

# Each line: what, pixels, images as printf takes them.
while IFS='|' read -r what pixels image; do
	printf "$image" >form
	is "$what" "$(loaded form | tr '\n' '/')" "$pixels/"
done <<'EOT'
a comment in the header|65 66|P5\n# by hand\n2 1\n255\nAB
comments everywhere|65 66|P5#a\n#b\n2#c\n#d\r1 #e\n255#f\nAB
a number sign for a pixel|35 10|P5 2 1 255 #\n
many blanks|65 66|P5 \t\n\v\f\r 2\r\n1\n\n255\nAB
the shortest header|65 66|P5\t2\t1\t255\tAB
zeros in front|65 66|P5 02 0001 000255\nAB
white space for pixels|32 10|P5 2 1 255\n \n
pixels like a header|80 53/65 66|P5 2 1 255\nP5P5 2 1 255\nAB
a maxval of 1|0 255|P5 2 1 1\n\000\001
a maxval of 100|0 128 255|P5 3 1 100\n\0002d
a maxval for each image|255 0/1 0/1 0|P5 2 1 1\n\001\000P5 2 1 255\n\001\000P5 2 1 254\n\001\000
EOT

# -- what is wrong ----------------------------------------------------------------------

while IFS='|' read -r what pattern image; do
	printf "$image" >bad
	refuses "$what" 1 "^kfkd-load: 'bad', $pattern" kfkd-load bad
	refuses "... piped" 1 ", $pattern" sh -c 'dd if=bad bs=1 status=none | kfkd-load'
	kfkd-load bad 2>load.err | kfkd-cat >out 2>err
	is "... and kfkd-cat fails with it" $? 1
done <<'EOT'
cut inside its header|image 1, byte 0: truncated inside its header$|P5 2 1
cut before the last blank|image 1, byte 0: truncated inside its header$|P5 2 1 255
cut behind it|image 1, byte 11: truncated: 0 of 2 pixels$|P5 2 1 255\n
cut inside an image|image 1, byte 12: truncated: 1 of 2 pixels$|P5 2 1 255\nA
cut inside the second header|image 2, byte 13: truncated inside its header$|P5 2 1 255\nABP5
cut inside the second image|image 2, byte 25: truncated: 1 of 2 pixels$|P5 2 1 255\nABP5 2 1 255\nC
a newline behind an image|image 2, byte 13: what follows is not a PGM image$|P5 2 1 255\nAB\n
too many pixels|image 2, byte 13: what follows is not a PGM image$|P5 2 1 255\nABCP5 2 1 255\nAB
P and a letter|image 2, byte 13: what follows is not a PGM image$|P5 2 1 255\nABPx 2 1 255\nAB
no blank behind P5|image 2, byte 13: what follows is not a PGM image$|P5 2 1 255\nABP52 1 255\nAB
another size|image 3, byte 26: 1 x 2 pixels, but the images before have 2 x 1$|P5 2 1 255\nABP5 2 1 255\nABP5 1 2 255\nAB
a word for a width|image 1, byte 0: there is no width in its header$|P5 two 1 255\nAB
a negative height|image 1, byte 0: there is no height in its header$|P5 2 -1 255\nAB
a fraction|image 1, byte 0: there is no maxval in its header$|P5 2 1 25.5\nAB
a width of 0|image 1, byte 0: an image of 0 x 1 is out of bounds$|P5 0 1 255\nAB
a height of 16385|image 1, byte 0: an image of 2 x 16385 is out of bounds$|P5 2 16385 255\nAB
a width of 2^64|image 1, byte 0: an image of 999999 x 1 is out of bounds$|P5 18446744073709551616 1 255\nAB
a maxval of 0|image 1, byte 0: a maxval of 0 is out of bounds$|P5 2 1 0\nAB
a maxval of 65536|image 1, byte 0: a maxval of 65536 is out of bounds$|P5 2 1 65536\nAB
a maxval of 256|image 1, byte 0: pixels of 16 bits .maxval 256.; pipe it through pamdepth 255$|P5 2 1 256\nAABB
16 bits|image 1, byte 0: pixels of 16 bits .*pipe it through pamdepth 255$|P5 2 1 65535\nAABB
a pixel above the maxval|image 1, byte 12: pixel 2 is 66, above the maxval 65$|P5 2 1 65 \nB
PPM as the second|image 2, byte 13: netpbm's format P6; .*pipe it through ppmtopgm$|P5 2 1 255\nABP6 2 1 255\nABCDEF
EOT
# Files of these are photographs; piped they are errors.
while IFS='|' read -r what pattern image; do
	printf "$image" >bad
	refuses "$what, piped" 1 "^kfkd-load: 'standard input', $pattern" \
		sh -c 'dd if=bad bs=1 status=none | kfkd-load'
done <<'EOT'
plain PGM|image 1, byte 0: netpbm's format P2; .*pipe it through ppmtopgm$|P2 2 1 255\n1 2
PBM|image 1, byte 0: netpbm's format P4; .*pipe it through ppmtopgm$|P4 2 1\nA
PPM|image 1, byte 0: netpbm's format P6; .*pipe it through ppmtopgm$|P6 1 1 255\nABC
PAM|image 1, byte 0: netpbm's format P7; .*pipe it through pamtopnm$|P7\nWIDTH 1\n
EOT
{ printf 'P5\n#'; yes | tr -d '\n' | head -c 70000; printf '\n2 1\n255\nAB'; } >bad
refuses "a comment without end" 1 "image 1, byte 0: a header of more than 65536 bytes\$" \
	kfkd-load bad
refuses "--columns" 1 "'one', which is PGM" kfkd-load -c a one
refuses "--size of a pipe" 1 "'standard input', which is PGM" sh -c 'kfkd-load -z 3x2 <one'
refuses "--labels" 1 "'one' is not IDX" kfkd-load -l one one
printf '\211PNG\r\n\032\n' >bad
refuses "PNG" 1 "is a PNG image; name such files to kfkd-load, or turn each into PGM with pngtopam FILE | ppmtopgm\$" \
	sh -c 'kfkd-load <bad'
printf '\377\330\377\340\000\020JFIF' >bad
refuses "JPEG" 1 "is a JPEG image; name such files to kfkd-load, or turn each into PGM with jpegtopnm FILE" \
	sh -c 'kfkd-load <bad'
printf 'P5_x,Image\n1,2\n' >bad
ok "a CSV whose first column is P5_x" kfkd-load bad

# -- pictures of other formats ---------------------------------------------------------------

# What the message says is right: of pictures behind each other, pngtopam and jpegtopnm
# would take the first alone.
for format in png:pngtopam jpeg:jpegtopnm tiff:tifftopnm bmp:bmptopnm; do
	to=pnmto${format%:*}
	[ "${format%:*}" != bmp ] || to=ppmtobmp
	if ! command -v "$to" >/dev/null || ! command -v ppmtopgm >/dev/null; then
		skip "${format%:*} as the message says" "netpbm's $to is not installed"
		continue
	fi
	printf 'P6 4 4 255\n%048d' 0 >picture.ppm
	"$to" picture.ppm >picture 2>netpbm.err
	kfkd-load <picture 2>err
	advice=$(sed -n 's/.* into PGM with //p' err)
	like "${format%:*}: the message says how to go on" "$advice" "^${format#*:} FILE"
	for i in 1 2 3; do
		sh -c "$(echo "$advice" | sed 's/FILE/picture/')" 2>netpbm.err
	done | kfkd-load >out
	like "... and that loads all of them" "$(kfkd-stat out)" '^rows: 3$'
done

# -- against netpbm -------------------------------------------------------------------------

if command -v pgmramp >/dev/null && command -v pnmtopnm >/dev/null; then
	for maxval in 1 2 3 99 254 255; do
		pgmramp -lr -maxval=$maxval 300 3 >ramp
		loaded ramp >got
		pamdepth 255 <ramp 2>err | loaded >want
		equal "maxval $maxval as pamdepth 255 has it" got want
	done
	for i in 1 2; do
		ppmmake rgb:ff/80/40 3 2
		pbmmake -grey 3 2
	done >colours
	is "what ppmtopgm makes of others" "$(ppmtopgm <colours 2>err | loaded | sort -u |
		wc -l)" 2
else
	skip "against netpbm" "netpbm is not installed"
fi

# -- much -------------------------------------------------------------------------------------

# 2,000 images of Kaggle's size: more than four chunks, in pieces of any size.
perl -e 'binmode STDOUT; for my $i (1 .. 2000) {
	print "P5\n96 96\n255\n", pack("C", $i % 251) x 9216 }' >many
perl -e 'print "$_\n" for map { join(" ", ($_ % 251) x 9216) } 1 .. 2000' >want
ok "2,000 images" sh -c 'kfkd-load many | kfkd-save -n | tail -n +2 | cmp - want'
ok "... from a pipe" sh -c 'cat many | kfkd-load | kfkd-save -n | tail -n +2 | cmp - want'
ok "... in odd pieces" sh -c \
	'dd if=many bs=7001 status=none | kfkd-load | kfkd-save -n | tail -n +2 | cmp - want'
{ printf '\021'; head -c 500000 many; } >fuzz.many
{ printf '\005'; cat three; } >fuzz.three
# begins like another format at the end of a piece of four bytes, and is none
printf '\004P5 4 4 99\n0123456789012345P2x' >fuzz.mark
ok "the fuzz target: the same in small pieces" \
	"$KFKD_BUILD/tests/fuzz_load" fuzz.many fuzz.three fuzz.mark bad

if grep -q __asan_init "$(command -v kfkd-load)"; then
	skip "memory" "the address checker takes more for itself"
else
	for i in 1 2 3; do
		printf 'P5 6000 4000 255\n'
		head -c 24000000 /dev/zero
	done | "$KFKD_BUILD/tests/maxrss" rss kfkd-load -o /dev/null
	is "images of 24 million pixels" $? 0
	ok "... in 64 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 65536
	cat many many many many | "$KFKD_BUILD/tests/maxrss" rss kfkd-load >out
	is "8,000 images" "$(kfkd-stat out | head -n 1)" "rows: 8000"
	ok "8,000 images in 64 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 65536
fi

done_testing
