#!/bin/sh
# kfkd-save for other programs: truth beside prediction, and JSON lines.

. "${0%/*}/lib.sh"
tests=$(cd "${0%/*}" && pwd)
cd "$tmp" || exit 1

kfkd-synth -n 40 --missing .3 | awk -f "$tests/shrink.awk" >faces.csv
points=nose_tip_y,nose_tip_x,mouth_center_top_lip_y
kfkd-load faces.csv | kfkd-scale >scaled
kfkd-load -c nose_tip_x,nose_tip_y,left_eye_center_y faces.csv | kfkd-scale |
	kfkd-train -q -n dense -e 3 -o model
kfkd-train -q -n dense -e 3 -o whole scaled
kfkd-predict -m whole scaled | kfkd-scale -u -o all
kfkd-load -c $points faces.csv | kfkd-scale | kfkd-predict -m model | kfkd-scale -u -o some
kfkd-dropna -o complete all
"$KFKD_BUILD/tests/mkclasses" 6 3 >classes

have_python() {
	python3 -c 'import csv, json' 2>/dev/null
}

# -- truth beside prediction -----------------------------------------------------------

kfkd-save --truth --no-images -o both.csv some
is "--truth: a prediction behind its target, then the others" "$(head -n 1 both.csv)" \
	"nose_tip_y,predicted_nose_tip_y,nose_tip_x,predicted_nose_tip_x,$(
	)mouth_center_top_lip_y,predicted_left_eye_center_y"
kfkd-save --no-images some >truth.csv
is "... the truth is that of the targets" "$(cut -d, -f1,3,5 both.csv)" "$(cat truth.csv)"
like "... and some of it is missing" "$(cat truth.csv)" ',$'
kfkd-save -p --no-images some | sed '1s/^/predicted_/; 1s/,/&predicted_/g' >predictions.csv
is "... the predictions are those of -p" \
	"$(awk -F, -v OFS=, '{ print $4, $2, $6 }' both.csv)" "$(cat predictions.csv)"
is "... with -p, the same" "$(kfkd-save -p --truth --no-images some)" "$(cat both.csv)"
is "... with ids" "$(kfkd-save -i --truth --no-images complete | cut -d, -f1)" \
	"$(kfkd-save -i --no-images complete | cut -d, -f1)"
refuses "... which must count" 1 'give --ids' kfkd-save --truth complete
kfkd-save --truth some | sed 's/,[^,]*$//' >left.csv
equal "... with images, these come last" left.csv both.csv
is "... which kfkd-load reads" "$(kfkd-save --truth some | kfkd-load | kfkd-save)" \
	"$(kfkd-save --truth some)"
is "... of classes: the label, and what each got" \
	"$(kfkd-save --truth --no-images classes | head -n 3)" "$(printf '%s\n' \
	label,predicted_class_2,predicted_class_1,predicted_class_0 \
	1,0.1,0.6,0.1 2,0.6,0.1,0.1)"

kfkd-save some | awk -F, -v OFS=, 'NR == 1 { print "name", $0 } NR > 1 { print "p" NR % 3, $0 }' |
	kfkd-load | kfkd-scale | kfkd-predict -m model | kfkd-scale -u -o named
is "... names come first" "$(kfkd-save --truth --no-images named)" \
	"$(awk 'NR == 1 { print "name," $0 } NR > 1 { print "p" NR % 3 "," $0 }' both.csv)"
is "... with predictions alone, too" "$(kfkd-save -ip --no-images named | cut -d, -f1,2 | head -n 2)" \
	"$(printf 'ImageId,name\n1,p2')"

refuses "... no predictions" 1 'no predictions; .*kfkd-predict' \
	sh -c 'kfkd-load faces.csv | kfkd-save --truth'
refuses "... no targets" 1 'there are no targets to put beside the predictions' \
	sh -c 'sed "s/.*,//" faces.csv | kfkd-load | kfkd-scale |
		kfkd-predict -m model | kfkd-scale -u | kfkd-save --truth'
sed '1s/left_eye_center_x/predicted_nose_tip_x/' faces.csv | kfkd-load | kfkd-scale |
	kfkd-predict -m model | kfkd-scale -u -o twice
refuses "... a name twice" 1 "column 'predicted_nose_tip_x' has a name" \
	kfkd-save --truth twice
ok "... but not without --truth" sh -c 'kfkd-save twice && kfkd-save -p twice'
kfkd-save --truth -l none some >out 2>err
is "... with --lookup exits 2" $? 2
refuses "... a full disk" 1 'No space left' kfkd-save --truth -o /dev/full some

if have_python; then
	kfkd-save --truth --no-images -o both.csv all
	kfkd-save --no-images -o truth.csv all
	kfkd-save -p --no-images -o predictions.csv all
	ok "... as Python reads it" python3 -c '
import csv
def read(name):
    return list(csv.DictReader(open(name, newline="")))
both, y, p = map(read, ["both.csv", "truth.csv", "predictions.csv"])
assert len(both) == len(y) == len(p) == 40
for b, t, f in zip(both, y, p):
    assert len(b) == 60
    for name in t:
        assert b[name] == t[name] and b["predicted_" + name] == f[name]
assert any(v == "" for b in both for v in b.values())
'
else
	skip "... as Python reads it" "there is no python3"
fi
if command -v mlr >/dev/null; then
	is "... as Miller does" "$(mlr --icsv --ojson \
		put '$e = $nose_tip_x - $predicted_nose_tip_x' both.csv |
		grep -c '"predicted_nose_tip_x": [0-9]')" 40
else
	skip "... as Miller does" "miller is not installed"
fi

# -- JSON lines -------------------------------------------------------------------------

"$KFKD_BUILD/tests/mkclasses" 2 2 >two
is "--json: an object a line" "$(kfkd-save --json two)" "$(cat <<'LINES'
{"id":1,"label":1,"class":1,"predictions":{"class_1":0.6,"class_0":0.1}}
{"id":2,"label":0,"class":0,"predictions":{"class_1":0.1,"class_0":0.6}}
LINES
)"
is "... predictions alone" "$(kfkd-save --json -p two | head -n 1)" \
	'{"id":1,"class":1,"predictions":{"class_1":0.6,"class_0":0.1}}'
printf 'a_x,b \\ ""c,a_y,Image\n1.5,39,,1 2 3 4\n,,0.1,5 6 7 8\n' |
	sed '1s/b .*c/"&"/' >odd.csv
is "... missing values are null, names escaped" "$(kfkd-load odd.csv | kfkd-save --json)" \
	"$(cat <<'LINES'
{"id":1,"points":{"a":{"x":1.5,"y":null},"b \\ \"c":39.0}}
{"id":2,"points":{"a":{"x":null,"y":0.1},"b \\ \"c":null}}
LINES
)"
is "... nothing but ids" "$(sed 's/.*,//; 3q' faces.csv | kfkd-load | kfkd-save --json)" \
	"$(printf '{"id":%d}\n' 1 2)"
is "... rows keep their ids" "$(kfkd-save --json complete | sed 's/^{"id":\([0-9]*\),.*/\1/')" \
	"$(kfkd-save --ids --no-images complete | sed '1d; s/,.*//')"
kfkd-save --json -o all.json all
is "... with --truth, the same" "$(kfkd-save --json --truth all)" "$(cat all.json)"
is "... with --no-images, too" "$(kfkd-save --json --no-images all)" "$(cat all.json)"
is "... of a stream without images" "$(kfkd-predict -m whole --no-images scaled |
	kfkd-scale -u | kfkd-save --json)" "$(cat all.json)"
is "... as rows come" "$(kfkd-cat all all | kfkd-save --json)" "$(cat all.json all.json)"
kfkd-head -n 0 all >none
is "... no rows" "$(kfkd-save --json none | wc -c)" 0

refuses "... scaled" 1 'kfkd-scale --undo' kfkd-save --json scaled
for option in -p --truth; do
	refuses "... $option without predictions" 1 'no predictions; .*kfkd-predict' \
		sh -c "kfkd-load faces.csv | kfkd-save --json $option"
done
refuses "... --truth without targets" 1 'there are no targets' \
	sh -c 'sed "s/.*,//" faces.csv | kfkd-load | kfkd-scale |
		kfkd-predict -m model | kfkd-scale -u | kfkd-save --json --truth'
for option in --ids --no-ids '--lookup x'; do
	kfkd-save --json $option all >out 2>err
	is "... with $option exits 2" $? 2
done
head -c $(($(wc -c <all) - 1)) all >cut
refuses "... a cut stream" 1 "'cut'.*truncated" kfkd-save --json cut
refuses "... and no file" 1 "'cut'" kfkd-save --json -o new.json cut
ok "... nor a part of one" test ! -e new.json
refuses "... a full disk" 1 'No space left' kfkd-save --json -o /dev/full all
for copy in 1 2 3 4 5 6 7 8; do
	cat all all all all all all all all
done >long
{ kfkd-save --json long 2>err; echo $? >status; } | head -c 1 >/dev/null
is "... a reader that goes away" "$(cat status err)" 141

if have_python; then
	kfkd-save --ids --truth --no-images -o both.csv all
	ok "... as Python reads them: the CSV's values" python3 -c '
import csv, json
rows = [json.loads(line) for line in open("all.json")]
table = list(csv.DictReader(open("both.csv", newline="")))
assert len(rows) == len(table) == 40
for row, line in zip(rows, table):
    assert list(row) == ["id", "points", "predictions"]
    assert row["id"] == int(line.pop("ImageId")) and len(line) == 60
    for name, text in line.items():
        part = "points"
        if name.startswith("predicted_"):
            part, name = "predictions", name[len("predicted_"):]
        value = row[part][name[:-2]][name[-1]]
        assert value is None if text == "" else value == float(text), name
'
else
	skip "... as Python reads them" "there is no python3"
fi
if command -v jq >/dev/null; then
	is "... as jq does" "$(jq -r '.predictions.nose_tip.x' all.json | tr '\n' ' ')" \
		"$(kfkd-save -p --no-images all | cut -d, -f21 | sed 1d | tr '\n' ' ')"
else
	skip "... as jq does" "jq is not installed"
fi

done_testing
