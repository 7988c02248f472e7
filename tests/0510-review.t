#!/bin/sh
# Reviewing predictions: errors of rows, the worst rows, pictures one after
# another, errors as bars, and classes.

. "${0%/*}/lib.sh"
mkclasses=$KFKD_BUILD/tests/mkclasses
cd "$tmp" || exit 1

# Ten rows of 24 x 24 pixels, each of a grey level of its own that tells which
# one it is: 20 times its id.  Row 3 has no target, row 5 only one.
awk 'BEGIN {
	print "nose_x,nose_y,chin_x,chin_y,Image"
	for (i = 1; i <= 10; i++) {
		printf i == 3 ? ",,,," : i == 5 ? ",,9,," : "12,8,11,20,"
		for (j = 0; j < 576; j++)
			printf "%d%s", 20 * i, j < 575 ? " " : "\n"
	}
}' >faces.csv
kfkd-load faces.csv | kfkd-scale >faces &&
	kfkd-train -q --epochs 0 --net dense faces >net.kfkd &&
	kfkd-predict -m net.kfkd faces >found
is "predictions are made" $? 0

# -- errors of rows ---------------------------------------------------------------

kfkd-score --rows found >rows
is "--rows exits 0" $? 0
is "--rows has a header" "$(head -n 1 rows)" "$(printf 'id\tRMSE\tvalues')"
is "... and a line for each row" "$(sed '1d;$d' rows | cut -f 1 | tr '\n' ' ')" \
	"1 2 3 4 5 6 7 8 9 10 "
is "... and the last line is the overall error" "$(tail -n 1 rows)" \
	"$(kfkd-score found | tail -n 1)"
is "a row without targets has no error" "$(sed -n 4p rows)" "$(printf '3\t-\t0')"
like "missing targets do not count" "$(sed -n 6p rows | tr '\t' ' ')" '^5 [0-9.]+ 1$'
is "all rows make the overall error" \
	"$(sed '1d;$d' rows | awk '$3 { s += $3 * $2 * $2; n += $3 }
		END { printf "%.2f\n", sqrt(s / n) }')" \
	"$(tail -n 1 rows | awk '{ printf "%.2f\n", $2 }')"
is "through a pipe the same" "$(cat found | kfkd-score -r)" "$(cat rows)"
head -c $(($(wc -c <found) - 9)) found >cut
kfkd-score -r cut >out 2>err
is "a cut stream fails" $? 1
is "... and gets no last line" "$(grep -c overall out)" 0
refuses "... and no file" 1 "'cut'" kfkd-score -r -o new cut
ok "... nor a part of one" test ! -e new
refuses "a full disk" 1 'cannot write' sh -c 'kfkd-score -r found >/dev/full'
sed -n '1p;4p' faces.csv | kfkd-load | kfkd-scale | kfkd-predict -m net.kfkd >none
refuses "no row with a target" 1 'no row has a target' sh -c 'kfkd-score -r none >out'
worst=$(sed '1d;$d' rows | awk '$3' | sort -k 2,2gr | cut -f 1 | tr '\n' ' ')

# -- one picture after another ----------------------------------------------------

mkdir each
kfkd-plot --each each/ found
for i in 1 2 3 4 5 6 7 8 9 10; do
	cat "each/$i.pgm"
done >want.pgm
kfkd-plot --each - found | cmp - want.pgm
is "--each - writes the same pictures one after another" $? 0
# shellcheck disable=SC2002
cat found | kfkd-plot -e - | cmp - want.pgm
is "... from a pipe too" $? 0
kfkd-plot -e - -o out.pgm found
is "... and to a file" "$(cmp out.pgm want.pgm 2>&1)" ""
frame=$((13 + 48 * 48)) # bytes of a picture
is "... each of its size" "$(wc -c <want.pgm)" $((10 * frame))
is "... with --colour PPMs" "$(kfkd-plot -c -z 1 -e - found | wc -c)" \
	$((10 * (13 + 24 * 24 * 3)))
kfkd-head -n 0 found | kfkd-plot -e - >out.pgm
is "no rows, no pictures" "$? $(wc -c <out.pgm)" "0 0"
(cd each && kfkd-head -n 1 ../found | kfkd-plot -e ./-)
ok "./- is a prefix" test -s each/-1.pgm
refuses "a full disk" 1 '^kfkd-plot: cannot write .*No space left' \
	sh -c 'kfkd-plot -e - found >/dev/full'
kfkd-plot -e - cut >out.pgm 2>err
is "a cut stream fails" $? 1
is "... behind whole pictures" $(($(wc -c <out.pgm) % frame)) 0

# Pictures come before the input ends: the second stream is held back until all
# of the first have been seen, or ten seconds have passed.
: >live.pgm
{
	cat found
	i=0
	while [ "$(wc -c <live.pgm)" -lt $((10 * frame)) ] && [ $i -lt 100 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	wc -c <live.pgm >early
	cat found
} | kfkd-plot -e - >live.pgm
is "pictures do not wait for what follows" "$(cat early)" $((10 * frame))
is "... and none is missing" "$(wc -c <live.pgm)" $((20 * frame))

# A reader that goes away ends it, whatever input remains.
(
	set +e
	kfkd-cat found found found found | kfkd-plot -z 20 -e - 2>err
	echo $? >status
) | head -c 100 >/dev/null
is "a reader that goes away" "$(cat status)" 141
is "... without a word" "$(cat err)" ""

# -- the worst rows ---------------------------------------------------------------

# The ids of the pictures, of 24 x 24 pixels, on standard input.  A level that
# fills most of a picture tells its id.
ids_of() {
	od -An -v -tu1 | tr -s ' ' '\n' | grep . | awk '
	{
		at = (NR - 1) % (13 + 24 * 24)
		if (at == 0)
			split("", count)
		if (at >= 13)
			count[$1]++
		if (at == 12 + 24 * 24) {
			best = 0
			for (v in count)
				if (v % 20 == 0 && v > 0 && count[v] > count[best])
					best = v
			printf "%d ", best / 20
		}
	}'
}
kfkd-plot -w 4 -z 1 -e - found >worst.pgm
is "--worst exits 0" $? 0
is "--worst has the largest errors first" "$(ids_of <worst.pgm)" \
	"$(echo "$worst" | cut -d ' ' -f 1-4) "
mkdir worst
kfkd-plot --worst 4 --each worst/ found
is "... also as files" "$(ls worst | sort -n | tr '\n' ' ')" \
	"$(echo "$worst" | tr ' ' '\n' | head -n 4 | sort -n | sed 's/$/.pgm/' | tr '\n' ' ')"
is "rows without a target are left out" \
	"$(kfkd-plot -w 99 -z 1 -e - found | ids_of)" "$worst"
if command -v pamfile >/dev/null; then
	size() {
		pamfile | sed 's/^[^:]*:[[:space:]]*//' | tr -s ' ' | cut -d ' ' -f 3-5
	}
	is "five make a sheet of 3 x 2" "$(kfkd-plot -w 5 found | size)" "148 by 98"
	is "nine one of 3 x 3" "$(kfkd-plot --worst 99 found | size)" "148 by 148"
	is "--grid says otherwise" "$(kfkd-plot -g 5x1 -w 3 found | size)" "248 by 48"
	is "--errors is as high as there are bars" "$(kfkd-plot --errors found | size)" \
		"800 by 169"
	is "... with --size as large as asked for" \
		"$(kfkd-plot --errors -c -S 400x300 found | size)" "400 by 300"
else
	skip "sizes of pictures" "netpbm's programs are not installed"
fi
kfkd-plot -w 2 found >a.pgm
kfkd-plot -w 2 -i found >b.pgm
equal "ids are there without --ids" a.pgm b.pgm
refuses "no predictions" 1 'kfkd-predict' kfkd-plot -w 3 faces
kfkd-synth -n 3 --test | kfkd-load >test
refuses "no targets nor predictions" 1 'no predictions' kfkd-plot -w 3 test
refuses "no row with a target" 1 'no row has a target' kfkd-plot -w 3 none
refuses "more rows than there is memory for" 1 '^kfkd-plot: 90000 rows .*at most [0-9]+$' \
	kfkd-plot -w 90000 found
refuses "a cut stream" 1 "'cut'" kfkd-plot -w 3 cut
is "... has no picture" "$(kfkd-plot -w 3 cut 2>/dev/null | wc -c)" 0

# -- errors as bars ---------------------------------------------------------------

kfkd-plot --errors -o bars.pgm found
is "--errors exits 0" $? 0
kfkd-scale --undo found | kfkd-plot --errors | cmp - bars.pgm
is "unscaled the same" $? 0
refuses "no predictions" 1 'kfkd-predict' kfkd-plot --errors faces
refuses "no row with a target" 1 'no row has a target' kfkd-plot --errors none
refuses "a cut stream" 1 "'cut'" kfkd-plot --errors cut
refuses "a size without room for the bars" 1 '320x100 is smaller than 320x[0-9]+' \
	kfkd-plot --errors -S 320x100 found
refuses "a full disk" 1 '^kfkd-plot: cannot write .*No space left' \
	sh -c 'kfkd-plot --errors found >/dev/full'

# -- classes ----------------------------------------------------------------------

"$mkclasses" 25 10 >classes
kfkd-score classes >score
is "accuracy exits 0" $? 0
is "accuracy of classes" "$(tr '\t' ' ' <score)" "class accuracy rows
0 0.0000 2
1 1.0000 3
2 1.0000 3
3 1.0000 3
4 1.0000 3
5 0.0000 3
6 1.0000 2
7 1.0000 2
8 1.0000 2
9 1.0000 2
overall 0.8000 25"
is "--rows of classes" "$(kfkd-score -r classes | sed -n '1,2p;6p;$p' | tr '\t' ' ')" \
	"id label predicted
1 1 1
5 5 6
overall 0.8000 25"
is "a class without rows" "$("$mkclasses" 3 5 | kfkd-score | sed -n 2p)" \
	"$(printf '0\t-\t0')"
kfkd-plot -g 5x1 classes >sheet.pgm 2>err
is "a sheet of classes" $? 0
is "... without a warning" "$(cat err)" ""
kfkd-plot -c -g 5x1 classes >sheet.ppm
if command -v ppmhist >/dev/null; then
	like "what is right is green" "$(ppmhist -noheader sheet.ppm)" '^ *60 +220 +130'
	like "what is wrong is red" "$(ppmhist -noheader sheet.ppm)" '^ *255 +90 +60'
	kfkd-head -n 4 classes | kfkd-plot -c | ppmhist -noheader >colours
	is "nothing else is" "$(grep -Eo '^ *(255 +90 +60|60 +220 +130)' colours |
		tr -s ' ')" " 60 220 130"
else
	skip "colours of classes" "netpbm's programs are not installed"
fi
"$mkclasses" 0 10 >empty
refuses "no rows" 1 'no rows' kfkd-score empty
refuses "classes have no errors in pixels" 1 'no targets' kfkd-plot -w 3 classes

# -- memory -----------------------------------------------------------------------

if grep -q __asan_init "$KFKD_BUILD/bin/kfkd-plot"; then
	skip "memory" "the address checker takes more for itself"
else
	kfkd-synth -n 20 --missing 0.2 >some.csv
	tail -n +2 some.csv >some
	{
		cat some.csv
		i=0
		while [ $i -lt 44 ]; do
			cat some
			i=$((i + 1))
		done
	} | kfkd-load | kfkd-scale >many
	kfkd-head -n 20 many | kfkd-train -q --epochs 0 --net dense >dense.kfkd &&
		kfkd-predict -m dense.kfkd many >found
	most=$(kfkd-plot -w 90000 found 2>&1 | sed 's/.* //')
	"$KFKD_BUILD/tests/maxrss" rss kfkd-plot -c --worst "$most" found >out.ppm
	is "the $most worst faces" $? 0
	ok "... within 64 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 65536
	"$KFKD_BUILD/tests/maxrss" rss kfkd-plot -e - found >/dev/null
	is "900 pictures" $? 0
	ok "... within 64 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 65536
	"$KFKD_BUILD/tests/maxrss" rss kfkd-plot --errors found >/dev/null
	is "bars of 900 faces" $? 0
	ok "... within 64 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 65536
fi

# -- misuse -----------------------------------------------------------------------

misused() {
	kfkd-plot "$@" found >out 2>err
	is "misuse: $*" $? 2
	like "... says what: $*" "$(head -n 1 err)" "^kfkd-plot: "
	ok "... and writes nothing: $*" test ! -s out
}
misused --worst 0
misused --worst two
misused --worst 3 --curve
misused --errors --curve
misused --errors --each -
misused --errors --worst 3
misused --errors --grid 2x2
misused --errors --zoom 2
misused --errors --ids
misused --errors --ylim 1:2
misused --each - --grid 2x2
misused --mean
misused --weights --mean
is "--each - is not idle with --output" "$(kfkd-plot -e - -o out.pgm found; echo $?)" 0

done_testing
