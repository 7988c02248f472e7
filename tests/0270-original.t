#!/bin/sh
# Back to the photograph: kfkd-save --original, kfkd-score --original and --nme, and what
# else says where a row is from.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
mkoriginal=$KFKD_BUILD/tests/mkoriginal

# Three crops of photographs: one that leaves the picture, one at the far end of a large one,
# and one that is turned; with a target missing, and half of one.
cat >rows <<'EOT'
a/small.png 1 1.6 0 25.5 0 1.6 30.25  -3.5 -12 20 30 25.25 -  -3 -11 21 30 25 7
a/large,1.jpg 2 0.37 0 -7254.3 0 0.37 -5000.7  19650.25 13590.5 19700 13600 19612.75 13640.125  19651.25 13592.5 19700 13600 19612.75 13641
- 1 0.8 0.6 -100 -0.6 0.8 20  90 95 - - 101 110  90 95 100 100 101.5 110
EOT
"$mkoriginal" a_x,a_y,b_x,b_y,c_x,c_y a_x,a_y,b_x,b_y,c_x,c_y <rows >raw
kfkd-scale -o scaled raw

# near WANT GOT: whether two CSVs have the same fields, numbers to 0.01
near() {
	awk -F, 'NR == FNR { line[FNR] = $0; n = FNR; next }
		{ if (split(line[FNR], want) != NF) exit 1
		  for (i = 1; i <= NF; i++)
			if ($i != want[i] && !($i ~ /^-?[0-9.]+$/ && want[i] ~ /^-?[0-9.]+$/ &&
				($i - want[i]) ^ 2 < 1e-4)) exit 1 }
		END { if (FNR != n) exit 1 }' "$1" "$2"
}

# -- CSV ------------------------------------------------------------------------------

cat >want.csv <<'EOT'
file,face,a_x,a_y,b_x,b_y,c_x,c_y
a/small.png,1,-3.5,-12,20,30,25.25,
"a/large,1.jpg",2,19650.25,13590.5,19700,13600,19612.75,13640.125
,1,90,95,,,101,110
EOT
kfkd-save --original raw >got.csv
is "--original: points of the photographs" "$(near want.csv got.csv; echo $?)" 0
is "... exactly, but for the names" "$(head -n 1 got.csv)" "$(head -n 1 want.csv)"
kfkd-save --original scaled >got.csv
is "... of a scaled stream, too" "$(near want.csv got.csv; echo $?)" 0
like "... which is refused without" "$(kfkd-save scaled 2>&1)" 'kfkd-scale --undo'
kfkd-scale --undo scaled | kfkd-save --original >undone.csv
is "... or of one undone" "$(near want.csv undone.csv; echo $?)" 0
kfkd-save --no-images raw >image.csv
is "... which is no place in an image" "$(near want.csv image.csv; echo $?)" 1
is "... through a pipe" "$(cat scaled | kfkd-save --original)" "$(cat got.csv)"
is "... with --no-images, the same" "$(kfkd-save --original --no-images scaled)" \
	"$(cat got.csv)"
is "... behind the ids" "$(kfkd-save --original --ids scaled | cut -d, -f1-3 | head -n 2)" \
	"$(printf 'ImageId,file,face\n1,a/small.png,1')"
refuses "... which must count" 1 'row 1 has the id 2: give --ids' \
	sh -c 'kfkd-tail -n 2 scaled | kfkd-save --original'
is "... whatever row comes last" "$(kfkd-tail -n 1 scaled | kfkd-save --original -n)" \
	"$(sed '2,3d' got.csv)"
is "... of a part of the columns" \
	"$(kfkd-select -c 'b_*' scaled | kfkd-save --original)" \
	"$(awk -F, '{ print /"/ ? $1 "," $2 "," $3 "," $6 "," $7 : $1 "," $2 "," $5 "," $6 }' \
		got.csv)"
awk '{ for (i = 9; i < 15; i++) $i = ""; print }' rows |
	"$mkoriginal" '' a_x,a_y,b_x,b_y,c_x,c_y >untold
is "--predictions" "$(kfkd-save -p --original scaled)" \
	"$(kfkd-scale untold | kfkd-save -p --original)"
is "... are in the photographs" "$(kfkd-save -p --original scaled | sed -n 2p |
	awk -F, '{ printf "%s %.2f %.2f\n", $1, $3, $8 }')" 'a/small.png -3.00 7.00'
kfkd-save --truth --original scaled >both.csv
is "--truth: file and face come first" "$(head -n 1 both.csv | cut -d, -f1-6)" \
	file,face,a_x,predicted_a_x,a_y,predicted_a_y
is "... with the targets of --original" "$(sed 's/"a.*"/a/' both.csv |
	cut -d, -f1-3,5,7,9,11,13)" "$(sed 's/"a.*"/a/' got.csv)"
refuses "no photographs" 1 'the stream has no transform: it was not loaded from photographs' \
	sh -c 'kfkd-synth -n 2 | kfkd-load | kfkd-save --original'
refuses "a transform that has no inverse" 1 'the row with id 2: its transform has no inverse' \
	sh -c 'printf "a 1 1 0 0 0 1 0 5\nb 1 1 0 0 1 0 0 5\n" | "$1" a_x "" |
		kfkd-save --original' - "$mkoriginal"
refuses "half a point, turned" 1 "the row with id 1: .* column 'a_x' lacks its '_y'" \
	sh -c 'echo a 1 0 1 0 -1 0 0 5 | "$1" a_x "" | kfkd-save --original' - "$mkoriginal"
is "... but not upright" "$(echo a 1 2 0 0 0 1 0 5 | "$mkoriginal" a_x '' |
	kfkd-save --original)" "$(printf 'file,face,a_x\na,1,5')"
kfkd-save --original --lookup rows raw >out 2>err
is "with --lookup, exits 2" $? 2
like "... and says why" "$(head -n 1 err)" '^kfkd-save: --lookup does not go with --original'

# Wide pictures, crops that leave them, and any turn: 400 rows of random points.
awk 'BEGIN { srand(11)
	for (i = 0; i < 400; i++) {
		half = exp(2.5 + 6.5 * rand()); x = 20000 * rand(); y = 20000 * rand()
		angle = i % 2 ? 6.28 * rand() : 0; s = 48 / half
		a = s * cos(angle); b = s * sin(angle)
		line = sprintf("%.9g %.9g %.9g %.9g %.9g %.9g", a, b, 47.5 - a * x - b * y,
			-b, a, 47.5 + b * x - a * y)
		points = ""; csv = "f" i ",1"
		for (j = 0; j < 6; j++) {
			v = sprintf("%.4f", (j % 2 ? y : x) + half * (2 * rand() - 1))
			if (v > 20000) v = "20000.0000"
			points = points " " v; csv = csv "," v
		}
		print "f" i, 1, line points >"far"
		print csv >"far.csv"
	} }'
"$mkoriginal" a_x,a_y,b_x,b_y,c_x,c_y '' <far >far.kfkd
{ head -n 1 want.csv; cat far.csv; } >want-far.csv
is "points up to 20,000 pixels" "$(awk -F, '{ for (i = 3; i < 9; i++) {
	n += $i > 19000; m += $i < 0 } } END { print (n > 20), (m > 5) }' far.csv)" "1 1"
kfkd-save --original far.kfkd >got-far.csv
is "... come back to 0.01" "$(near want-far.csv got-far.csv; echo $?)" 0
kfkd-scale far.kfkd | kfkd-save --original >got-far.csv
is "... scaled, too" "$(near want-far.csv got-far.csv; echo $?)" 0

# -- what says where a row is from ----------------------------------------------------

is "--no-images: file and face come first" "$(kfkd-save --no-images raw | cut -d, -f1-2 |
	head -n 2)" "$(printf 'file,face\na/small.png,1')"
is "... and the points stay in the image" "$(kfkd-save --no-images raw | sed -n 2p |
	cut -d, -f3)" 19.9
"$KFKD_BUILD/tests/mkmodel" dense 1 96 96 2x9216 1 1 bias >model
kfkd-predict -m model -o found scaled
kfkd-predict --no-images -m model scaled >without
is "... of a stream without images, too" "$(kfkd-scale -u without | kfkd-save -p)" \
	"$(kfkd-scale -u found | kfkd-save -p --no-images)"
is "... and --original" "$(kfkd-save -p --original without)" "$(kfkd-save -p --original found)"
like "... which has predictions" "$(kfkd-save -p --original without | tail -n 1)" \
	'^,1(,-?[0-9.]+){8}$'
is "with images they are left out" "$(kfkd-save raw | head -n 1)" \
	a_x,a_y,b_x,b_y,c_x,c_y,Image
kfkd-save raw | kfkd-load >again
is "... so that kfkd-load reads it" "$(kfkd-save again)" "$(kfkd-save raw)"
"$mkoriginal" '' '' <<'EOT' >files
a/b.png 1 1 0 0 0 1 0
- 2 1 0 0 0 1 0
EOT
is "photographs alone" "$(kfkd-save --original files)" "$(printf '%s\n' ImageId,file,face \
	1,a/b.png,1 2,,2)"
is "... without ids" "$(kfkd-save --original -n files)" "$(printf '%s\n' file,face \
	a/b.png,1 ,2)"
"$mkoriginal" '' '' <<'EOT' >files
a/b.png 0 1 0 0 0 1 0
- 0 1 0 0 0 1 0
EOT
is "... without faces: no blank line" "$(kfkd-save --original -n files)" \
	"$(printf '%s\n' file a/b.png '""')"
is "... with ids" "$(kfkd-save --original files)" \
	"$(printf '%s\n' ImageId,file 1,a/b.png 2,)"
echo - 3 1 0 0 0 1 0 5 | "$mkoriginal" a_x '' >faces
is "faces without photographs" "$(kfkd-save --original faces)" "$(printf 'face,a_x\n3,5')"
echo - 0 1 0 0 0 1 0 - | "$mkoriginal" a_x '' >bare
is "neither" "$(kfkd-save --original bare)" "$(printf 'a_x\n""')"
echo a 1 1 0 0 0 1 0 5 6 | "$mkoriginal" file,face '' >taken
refuses "a column called file" 1 "column 'file' has a name that CSV keeps" \
	kfkd-save --no-images taken
ok "... but not with images" kfkd-save taken

# -- JSON -----------------------------------------------------------------------------

kfkd-save --json raw >raw.json
is "--json: file and face behind the id" "$(sed -n 's/,"points.*//p' raw.json)" \
	"$(printf '%s\n' '{"id":1,"file":"a/small.png","face":1' \
		'{"id":2,"file":"a/large,1.jpg","face":2' '{"id":3,"file":null,"face":1')"
like "... and points of the image" "$(head -n 1 raw.json)" '"points":\{"a":\{"x":19.9,'
like "... or of the photograph" "$(kfkd-save --json --original scaled | head -n 1)" \
	'"points":\{"a":\{"x":-3.[45][0-9]*,.*"c":\{"x":25.2[0-9]*,"y":null\}\},"predictions":'
if python3 -c 'import csv, json' 2>/dev/null; then
	ok "... the CSV's values" sh -c 'kfkd-save --json --original scaled |
		python3 -c "
import csv, json, sys
for line, row in zip(csv.DictReader(open(\"got.csv\")), map(json.loads, sys.stdin)):
    assert line.pop(\"file\") == (row[\"file\"] or \"\")
    assert line.pop(\"face\") == str(row[\"face\"])
    for name, text in line.items():
        value = row[\"points\"][name[0]][name[2]]
        assert value is None if text == \"\" else value == float(text)
"'
else
	skip "... the CSV's values" "there is no python3"
fi

# -- scores ---------------------------------------------------------------------------

# 90 rows of four points, predicted some pixels off; every third is turned, every fifth is
# scaled more in one axis; some values are missing, and all of some points.
awk 'function value(v) { return rand() < 0.12 ? "-" : sprintf("%.3f", v) }
	BEGIN { srand(5)
	for (i = 0; i < 90; i++) {
		half = 30 + 400 * rand(); x = 3000 * rand(); y = 2000 * rand()
		angle = i % 3 ? 0 : 6.28 * rand(); s = 48 / half; r = i % 5 ? s : 2 * s
		a = s * cos(angle); b = s * sin(angle); d = -r * sin(angle); e = r * cos(angle)
		line = i % 7 ? "dir/" int(i / 2) ".jpg " i % 2 + 1 : "- 1"
		line = line sprintf(" %.8g %.8g %.8g %.8g %.8g %.8g", a, b, 47.5 - a * x - b * y,
			d, e, 47.5 - d * x - e * y)
		truth = found = ""
		for (j = 0; j < 8; j++) {
			v = (j % 2 ? y : x) + half * (2 * rand() - 1)
			truth = truth " " value(v)
			found = found sprintf(" %.3f", v + half * (rand() - 0.5) / 4)
		}
		print line truth found
	} }' >many
columns=a_x,a_y,36_x,36_y,b_x,b_y,c_x,c_y
"$mkoriginal" $columns $columns <many >many.kfkd
kfkd-scale -o scored many.kfkd
kfkd-save --truth --ids --original scored >photo.csv
kfkd-scale -u scored | kfkd-save --truth --ids --no-images >image.csv

# nme A B [rows]: reads a CSV with truth beside prediction of four points, behind three other
# columns, and prints the table of kfkd-score --nme, or --rows, with two decimals, and numbers
# in place of points.  A and B are such numbers, or A is box.
nme() {
	awk -F, -v from="$1" -v to="$2" -v rows="${3-}" '
	function at(point, what) { return $(4 * point + what) }
	NR == 1 { next }
	{
		x0 = y0 = 1e9; x1 = y1 = -1e9; d = 0
		for (k = 1; k <= 4; k++) {
			x = at(k, 0); y = at(k, 2)
			if (x == "" || y == "") continue
			if (x + 0 < x0) x0 = x + 0; if (x + 0 > x1) x1 = x + 0
			if (y + 0 < y0) y0 = y + 0; if (y + 0 > y1) y1 = y + 0
		}
		if (from == "box")
			d = x0 > x1 ? 0 : sqrt((x1 - x0) * (y1 - y0))
		else if (at(from, 0) != "" && at(from, 2) != "" && at(to, 0) != "" &&
			at(to, 2) != "")
			d = sqrt((at(from, 0) - at(to, 0)) ^ 2 + (at(from, 2) - at(to, 2)) ^ 2)
		own = m = own2 = m2 = 0
		for (k = 1; k <= 4; k++) {
			for (j = 0; j < 4; j += 2) {
				if (at(k, j) == "") continue
				e = (at(k, j) - at(k, j + 1)) ^ 2
				square[k] += e; n[k]++; own2 += e; m2++
			}
			if (!d || at(k, 0) == "" || at(k, 2) == "") continue
			e = sqrt((at(k, 0) - at(k, 1)) ^ 2 + (at(k, 2) - at(k, 3)) ^ 2) / d
			sum[k] += e; count[k]++; own += e; m++
		}
		if (m) { all += own / m; all_rows++ }
		if (rows) print $1, m2 ? sprintf("%.2f", sqrt(own2 / m2)) : "-", m2,
			m ? sprintf("%.2f", 100 * own / m) : "-"
		square[5] += own2; n[5] += m2
	}
	END {
		for (k = 1; k <= 4 && !rows; k++)
			printf "%s %.2f %d %.2f\n", k, sqrt(square[k] / n[k]), n[k],
				100 * sum[k] / count[k]
		printf "overall %.2f %d %.2f\n", sqrt(square[5] / n[5]), n[5],
			100 * all / all_rows
	}'
}

# score OPTION ...: the table with two decimals, without header and names of points
score() {
	kfkd-score "$@" | awk -F '\t' 'NR > 1 { print $1 == "overall" || $1 ~ /^[0-9]+$/ &&
		ids ? $1 : NR - 1, $2 == "-" ? "-" : sprintf("%.2f", $2), $3,
		$4 == "-" ? "-" : sprintf("%.2f", $4) } NR == 1 { ids = $1 == "id" }'
}

# alike TABLE TABLE: the same, numbers to 0.011, since both are rounded
alike() {
	awk 'NR == FNR { line[NR] = $0; n = NR; next }
		{ split(line[FNR], v); for (i = 1; i <= 4; i++)
			if (v[i] != $i && (v[i] !~ /^[0-9.]+$/ || $i !~ /^[0-9.]+$/ ||
				(v[i] - $i) ^ 2 > 0.011 ^ 2)) exit 1 }
		END { exit !(n == FNR && n > 4) }' "$1" "$2"
}

for norm in 'box box' '2 4'; do
	set -- $norm
	name=box
	[ $1 = box ] || name=36,c
	score --original --nme $name scored >got
	nme $1 $2 <photo.csv >want
	is "--original --nme $name, as awk computes them" "$(alike want got; echo $?)" 0
	score -r --original --nme $name scored >got
	nme $1 $2 rows <photo.csv >want
	is "... of each row" "$(alike want got; echo $?)" 0
	is "... some of which have none" "$(awk '$4 == "-"' got | wc -l | awk '{
		print ($1 > 0 && $1 < 60) }')" 1
	kfkd-score --nme $name scored >both
	kfkd-score --original --nme $name scored >got
	is "... the same NME without --original" "$(cut -f 1,4 both)" "$(cut -f 1,4 got)"
	kfkd-score scored >plain
	is "... beside the RMSE in the image" "$(cut -f 1-3 both)" "$(cat plain)"
	is "... of a stream that is not scaled" "$(score --original --nme $name many.kfkd)" \
		"$(score --original --nme $name scored)"
done
differ "RMSE in the photograph is another" plain got
nme 2 4 <image.csv >want
score --nme 36,c scored >got
is "NME in the image is another, where a scale is not uniform" "$(alike want got; echo $?)" 1
awk '{ $3 = $7 = ($3 + 0 ? $3 : 0.3); $4 = $6 = 0; print }' many |
	"$mkoriginal" $columns $columns >uniform
kfkd-scale uniform | kfkd-score --nme box >got
kfkd-scale uniform | kfkd-scale -u | kfkd-save --truth --ids --no-images | nme box box >want
is "... and the same where it is" "$(sed 1d got | awk '{ print $4 }' |
	awk '{ printf "%.2f\n", $1 }' | paste -s -d ' ')" \
	"$(awk '{ print $4 }' want | paste -s -d ' ')"

kfkd-synth -n 60 --missing .3 | kfkd-load | kfkd-scale -o drawn
kfkd-train -q -n dense -e 2 -o net drawn
eyes=left_eye_outer_corner,right_eye_outer_corner
kfkd-predict -m net drawn | kfkd-select -c 'left_eye_outer*,right_eye_outer*,nose_tip_*,mouth_left*' \
	-o points
kfkd-scale -u points | kfkd-save --truth --ids --no-images |
	awk -F, -v OFS=, '{ $1 = $1 ",,"; print }' >drawn.csv
first=$(kfkd-score points | cut -f 1 | sed '1d;$d' | grep -n left_eye | cut -d: -f1)
second=$(kfkd-score points | cut -f 1 | sed '1d;$d' | grep -n right_eye | cut -d: -f1)
nme "$first" "$second" <drawn.csv >want
score --nme $eyes points >got
is "--nme of faces without photographs, in the image" "$(alike want got; echo $?)" 0
refuses "... which have no --original" 1 'the stream has no transform' \
	kfkd-score --original points

kfkd-score --nme box scored >table
is "the column comes last" "$(head -n 1 table)" "$(printf 'keypoint\tRMSE\tvalues\tNME')"
is "... in each line" "$(awk -F '\t' '{ print NF }' table | sort -u)" 4
like "... with four decimals" "$(tail -n 1 table | cut -f 4)" '^[0-9]+\.[0-9]{4}$'
kfkd-score --rows scored >table
is "--rows: file and face come last" "$(head -n 1 table)" \
	"$(printf 'id\tRMSE\tvalues\tfile\tface')"
is "... of each row" "$(sed '1d;$d' table | cut -f 4,5)" \
	"$(awk '{ print $1 "\t" $2 }' many)"
like "... but of the last line" "$(tail -n 1 table | tr '\t' ' ')" '^overall [0-9.]+ [0-9]+ - -$'
is "... behind the NME" "$(kfkd-score --rows --nme box scored | head -n 1)" \
	"$(printf 'id\tRMSE\tvalues\tNME\tfile\tface')"
is "... all lines alike" "$(kfkd-score --rows --nme box scored | awk -F '\t' '{ print NF }' |
	sort -u)" 6
is "... not without --rows" "$(kfkd-score scored | head -n 1)" \
	"$(printf 'keypoint\tRMSE\tvalues')"

echo a 1 1 0 0 0 1 0 5 5 5 5 6 6 6 6 | "$mkoriginal" a_x,a_y,b_x,b_y a_x,a_y,b_x,b_y >same
for name in box a,b; do
	is "no d, no NME: $name" "$(kfkd-score --nme $name same | cut -f 1,2,4 | tr '\t\n' ' ;')" \
		"keypoint RMSE NME;a 1.0000 -;b 1.0000 -;overall 1.0000 -;"
done
refuses "a point that is not there" 1 "there is no point 'nose' among the targets" \
	kfkd-score --nme a,nose same
for wrong in a a,b,c ,a a, '' boxes; do
	kfkd-score --nme "$wrong" same >out 2>err
	is "--nme '$wrong' exits 2" $? 2
	like "... and says why" "$(head -n 1 err)" 'neither box nor two points'
done
kfkd-score --nme a,a same >out 2>err
is "--nme a,a exits 2" $? 2

# Classes.
"$mkoriginal" '' class_0,class_1 <<'EOT' >unlabelled
x/y.png 1 1 0 0 0 1 0 .1 .9
- 2 1 0 0 0 1 0 .2 .8
EOT
printf 'id,label\n1,1\n2,0\n' >labels.csv
kfkd-join -t labels.csv -o labelled unlabelled
is "classes: file and face, too" "$(kfkd-score --rows labelled)" "$(printf '%b\n' \
	'id\tlabel\tpredicted\tfile\tface' '1\t1\t1\tx/y.png\t1' '2\t0\t1\t-\t2' \
	'overall\t0.5000\t2\t-\t-')"
is "... not without --rows" "$(kfkd-score labelled | tail -n 1)" \
	"$(printf 'overall\t0.5000\t2')"
for option in --original '--nme box'; do
	refuses "... no $option" 1 "labels and no targets: ${option% *} is of keypoints" \
		kfkd-score $option labelled
done
is "... as CSV" "$(kfkd-save --truth --original labelled)" "$(printf '%s\n' \
	file,face,label,predicted_class_0,predicted_class_1 x/y.png,1,1,0.1,0.9 ,2,0,0.2,0.8)"
is "... as JSON" "$(kfkd-save --json --original labelled | tail -n 1)" \
	'{"id":2,"file":null,"face":2,"label":0,"class":1,"predictions":{"class_0":0.2,"class_1":0.8}}'

done_testing
