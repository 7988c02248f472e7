#!/bin/sh
# Synthetic faces: layout, missing values, and that a face depends on the seed
# and its row alone.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

points='left_eye_center right_eye_center left_eye_inner_corner
	left_eye_outer_corner right_eye_inner_corner right_eye_outer_corner
	left_eyebrow_inner_end left_eyebrow_outer_end right_eyebrow_inner_end
	right_eyebrow_outer_end nose_tip mouth_left_corner mouth_right_corner
	mouth_center_top_lip mouth_center_bottom_lip'
header=$(for p in $points; do printf '%s_x,%s_y,' "$p" "$p"; done)Image

kfkd-synth -n 300 >faces.csv
is "the header is Kaggle's" "$(head -n 1 faces.csv)" "$header"
is "so many rows" "$(wc -l <faces.csv)" 301
is "2000 rows by default" "$(kfkd-synth | wc -l)" 2001
is "no rows" "$(kfkd-synth -n 0)" "$header"

# -- rows ----------------------------------------------------------------------

is "each row has 30 values and 9216 pixels from 0 to 255" "$(
	awk -F, 'NR > 1 {
		n = split($31, v, " ")
		for (i = 1; i <= n; i++)
			if (v[i] !~ /^[0-9]+$/ || v[i] > 255) bad++
		if (NF != 31 || n != 9216) bad++
	} END { print bad + 0 }' faces.csv)" 0
is "each keypoint lies in the picture" "$(
	awk -F, 'NR > 1 { for (i = 1; i <= 30; i++)
		if ($i !~ /^[0-9]+\.[0-9]+$/ || $i >= 95) bad++
	} END { print bad + 0 }' faces.csv)" 0
is "left is the person's left, brows over eyes over nose over mouth" "$(
	awk -F, 'NR > 1 && !($1 > $3 && $7 > $5 && $9 > $11 && $24 > $22 - 1 &&
		$23 > $25 + 0 && $2 < $22 && $18 < $10 && $28 < $30) { bad++ }
		END { print bad + 0 }' faces.csv | sed 's/^[0-3]$/few/')" few

# -- the same again, and others --------------------------------------------------

kfkd-synth --rows 300 | cmp -s - faces.csv
is "the same faces again" $? 0
kfkd-synth --rows 40 --seed 42 >fewer.csv
head -n 41 faces.csv | cmp -s - fewer.csv
is "a face does not depend on how many there are" $? 0
is "all faces differ" "$(tail -n +2 faces.csv | sort -u | wc -l)" 300
kfkd-synth --rows 40 --seed 43 >others.csv
is "another seed, other faces" \
	"$(tail -n +2 others.csv | cat - fewer.csv | sort -u | wc -l)" 81
kfkd-synth --rows 3 --seed 9223372036854775807 >large.csv
is "a seed may be large" "$(wc -l <large.csv)" 4

# -- as test data ----------------------------------------------------------------

kfkd-synth --rows 40 --test >test.csv
is "the test data's header is Kaggle's" "$(head -n 1 test.csv)" ImageId,Image
is "the test data is numbered from 1" "$(cut -d, -f 1 test.csv | tail -n +2 | tr '\n' ' ')" \
	"$(seq 40 | tr '\n' ' ')"
is "the test data has the same pictures" \
	"$(cut -d, -f 2 test.csv | cksum)" "$(cut -d, -f 31 fewer.csv | cksum)"

# -- missing values --------------------------------------------------------------

kfkd-synth -n 2000 --missing 0.7 | cut -d, -f 1-30 >missing
# 0.7 of 2000 rows are 1400, give or take 5 standard deviations of 20
like "70 % of the rows lack values" \
	"$(tail -n +2 missing | grep -c ',,')" '^(13[0-9][0-9]|14[0-9][0-9]|1500)$'
is "they lack all but eye centres, nose tip and bottom lip" "$(
	awk -F, 'NR > 1 && /,,/ {
		for (i = 5; i <= 28; i++)
			if ($i != "" && i != 21 && i != 22) bad++
	} END { print bad + 0 }' missing)" 0
like "a few of these lack another point" "$(
	awk -F, 'NR > 1 && /,,/ {
		lost = ($1 == "") + ($3 == "") + ($21 == "") + ($29 == "")
		n += lost == 1
		bad += lost > 1
	} END { print n - 1000 * bad }' missing)" \
	'^([2-9]|[123][0-9])$'
is "x and y are missing together" "$(
	awk -F, 'NR > 1 { for (i = 1; i < 30; i += 2)
		if (($i == "") != ($(i + 1) == "")) bad++
	} END { print bad + 0 }' missing)" 0
kfkd-synth -n 300 --missing 0.7 | cut -d, -f 31 >pictures
is "pictures stay the same" "$(cksum <pictures)" "$(cut -d, -f 31 faces.csv | cksum)"
is "--missing 1 leaves no row whole" \
	"$(kfkd-synth -n 50 --missing 1 | tail -n +2 | grep -c ,,)" 50

# -- together with the others ----------------------------------------------------

is "kfkd-load reads them" "$(kfkd-load faces.csv | kfkd-stat | head -n 1)" "rows: 300"
kfkd-synth -n 40 -o written.csv
is "--output" "$(cksum <written.csv)" "$(cksum <fewer.csv)"

misused() {
	kfkd-synth "$@" >out 2>err
	is "exits 2: $*" $? 2
	like "... and says why" "$(head -n 1 err)" '^kfkd-synth: '
}
misused faces.csv
misused --rows -1
misused --rows 4294967296
misused --missing 1.1
misused --missing nan
misused --seed x
misused --seed 9223372036854775808
refuses "a full disk is noticed" 1 'cannot write' sh -c 'kfkd-synth -n 20 >/dev/full'

done_testing
