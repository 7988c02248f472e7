#!/bin/sh
# kfkd-save for other programs: truth beside prediction.

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

done_testing
