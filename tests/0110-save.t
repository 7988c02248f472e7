#!/bin/sh
# kfkd-save: what was loaded comes back, with ids where they are needed; and
# submissions.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

cat >training.csv <<'EOT'
a_x,a_y,Image
1.5,2,0 1 2 3
-0,,255 20 3 100
33.42226,1.4013e-45,4 5 6 7
EOT
printf 'ImageId,Image\n1,1 2 3 4\n2,5 6 7 8\n' >test.csv

is "training.csv comes back" "$(kfkd-load training.csv | kfkd-save)" "$(cat training.csv)"
is "test.csv comes back" "$(kfkd-load test.csv | kfkd-save)" "$(cat test.csv)"
kfkd-load training.csv >raw
kfkd-save raw | kfkd-load >again
equal "loading what was saved gives the same stream" raw again
kfkd-save --output saved.csv raw
is "--output" "$(kfkd-save raw)" "$(cat saved.csv)"

# -- ids ----------------------------------------------------------------------------

kfkd-dropna raw >dropped
refuses "ids that do not count" 1 \
	"^kfkd-save: row 2 has the id 3: give --ids .* or --no-ids" kfkd-save dropped
is "--ids" "$(kfkd-save --ids dropped)" "$(printf '%s\n' ImageId,a_x,a_y,Image \
	'1,1.5,2,0 1 2 3' '3,33.42226,1.4013e-45,4 5 6 7')"
kfkd-save -i dropped | kfkd-load >again
equal "... and loading it gives the same stream" dropped again
is "--no-ids" "$(kfkd-save -n dropped)" "$(printf '%s\n' a_x,a_y,Image \
	'1.5,2,0 1 2 3' '33.42226,1.4013e-45,4 5 6 7')"
is "--no-ids without targets" "$(kfkd-load test.csv | kfkd-save -n)" \
	"$(printf 'Image\n1 2 3 4\n5 6 7 8')"
refuses "two streams count twice" 1 "row 4 has the id 1" \
	sh -c 'cat raw raw | kfkd-save'

# -- names --------------------------------------------------------------------------

cat >names.csv <<'EOT'
ImageId,name,a_x,a_y,Image
5,anna,1.5,2,0 1 2 3
3,"O'Neil, ""J""",,,255 20 3 100
4,,1,2,4 5 6 7
9," Jörg Å ",1,2,4 5 6 7
EOT
kfkd-load names.csv >named
is "names come back" "$(kfkd-save --ids named)" "$(cat names.csv)"
kfkd-save --ids named | kfkd-load >again
equal "... and loading them gives the same stream" named again
is "... without ids and images" "$(kfkd-save --no-ids --no-images -o - named | head -n 3)" \
	"$(printf 'name,a_x,a_y\nanna,1.5,2\n"O'"'"'Neil, ""J""",,')"
printf 'name,Image\nanna,1\n,2\n"",3\n' >alone.csv
is "... of a stream without targets" "$(kfkd-load alone.csv | kfkd-save)" \
	"$(printf 'ImageId,name,Image\n1,anna,1\n2,,2\n3,,3')"
is "... alone" "$(kfkd-load alone.csv | kfkd-save --no-ids --no-images)" \
	"$(printf 'name\nanna\n""\n""')"
is "... as JSON" "$(kfkd-save --json named | cut -d, -f1,2 | head -n 3)" \
	"$(printf '%s\n' '{"id":5,"name":"anna"' '{"id":3,"name":"O'"'"'Neil' '{"id":4,"name":null')"
is "... with quotes" "$(kfkd-save --json named | sed -n 2p)" \
	'{"id":3,"name":"O'"'"'Neil, \"J\"","points":{"a":{"x":null,"y":null}}}'

# -- what CSV does not hold -----------------------------------------------------------

refuses "a scaled stream" 1 'kfkd-scale --undo' sh -c 'kfkd-scale raw | kfkd-save'
is "... undone" "$(kfkd-load training.csv -c a_x | kfkd-scale | kfkd-scale -u | kfkd-save)" \
	"$(printf '%s\n' a_x,Image '1.5,0 1 2 3' '0,255 20 3 100' '33.42226,4 5 6 7')"
refuses "no predictions" 1 'no predictions.*kfkd-predict' kfkd-save -p raw
head -c $(($(wc -c <raw) - 1)) raw >cut
refuses "a cut stream" 1 "'cut'.*truncated" kfkd-save cut

# -- submissions ----------------------------------------------------------------------

kfkd-synth --rows 40 | kfkd-load | kfkd-scale |
	kfkd-train --quiet --epochs 2 --output model.kfkd
kfkd-synth --rows 20 --seed 7 --test | kfkd-load | kfkd-scale |
	kfkd-predict --model model.kfkd --output found
kfkd-scale --undo found >pixels

# What kfkd-save --predictions has, as "image feature value".
kfkd-save --ids --predictions pixels | awk -F, '
	NR == 1 { for (i = 2; i < NF; i++) name[i] = $i; next }
	{ for (i = 2; i < NF; i++) print $1, name[i], $i }' >values

# A table that asks for some of them in a mixed order, and the answer.
awk 'BEGIN { print "RowId,ImageId,FeatureName,Location" }
	NR % 7 == 3 { printf "%d,%d,%s,\n", 1000 - NR, $1, $2 }' values >up.csv
{ head -n 1 up.csv; tail -n +2 up.csv | sort -t, -k3,3 -k1,1n; } >table.csv
awk -F, 'BEGIN { print "RowId,Location" }
	NR == FNR { split($0, v, " "); value[v[1] "," v[2]] = v[3]; next }
	FNR > 1 { print $1 "," value[$2 "," $3] }' values table.csv >want
is "a table asks for 86 of 600 values" "$(grep -c '^[0-9]*,[0-9.]*$' want)" 86
ok "a submission has what the table asks for, in its order" sh -c \
	'kfkd-save --lookup table.csv found | cmp - want'
ok "... of unscaled predictions" sh -c 'kfkd-save -l table.csv pixels | cmp - want'
ok "... with the table on standard input" sh -c 'kfkd-save -l - found <table.csv | cmp - want'
ok "... with --output" sh -c 'kfkd-save -l table.csv -o out found && cmp out want'
cp table.csv usual.csv

# same WHAT: the file table.csv, written differently, has the same answer
same() {
	ok "$1" sh -c 'kfkd-save --lookup table.csv found | cmp - want'
}
sed 's/$/\r/' usual.csv >table.csv
same "CRLF"
tr '\n' '\r' <usual.csv >table.csv
same "CR"
{ printf '\357\273\277'; cat usual.csv; } >table.csv
same "a byte order mark"
printf '%s' "$(cat usual.csv)" >table.csv
same "no newline at the end"
sed 's/[^,]*/ "&" /g' usual.csv >table.csv
same "quotes and spaces"
sed 's/$/\n\n/' usual.csv >table.csv
same "blank lines"
cut -d, -f1-3 usual.csv >table.csv
same "no Location"
sed '2,$s/$/?/' usual.csv >table.csv
same "any Location"
sed '2,$s/,$//; s/$/\r/' usual.csv >table.csv
same "four names, three fields and CR LF, as Kaggle's"
sed '2,$s/,$//; s/$/\r\r/' usual.csv >table.csv
same "... and CR CR LF"
{ echo RowId,ImageId,FeatureName; tail -n +2 usual.csv; } >table.csv
same "a comma behind each row but the header"
awk -F, '{ print $4 ",x," $3 "," $1 "," $2 }' usual.csv >table.csv
same "columns in another order, and one more"

kfkd-save --lookup usual.csv found | sort -n >sorted
sort -t, -k1,1n usual.csv | kfkd-save --lookup - found | sort -n >out
equal "another order of rows, the same values" sorted out
printf 'RowId,ImageId,FeatureName\n5,3,nose_tip_x\n4,3,nose_tip_x\n' >table.csv
is "a value that is asked for twice" "$(kfkd-save -l table.csv found | cut -d, -f2 |
	tail -n +2 | uniq -c | awk '{ print $1 }')" 2

# wrong WHAT PATTERN TABLE: as printf takes it
wrong() {
	printf "$3" >bad.csv
	refuses "$1" 1 "^kfkd-save: 'bad.csv'$2\$" kfkd-save --lookup bad.csv found
	is "... and nothing is written" "$(cat "$tmp/refuses.out")" ""
}
head=RowId,ImageId,FeatureName
wrong "an unknown feature" ", line 3: there are no predictions of 'ear_x'" \
	"$head\n1,1,nose_tip_x\n2,1,ear_x\n"
wrong "... in a last line without end" ", line 3: there are no predictions of 'ear_x'" \
	"$head\n1,1,nose_tip_x\n2,1,ear_x"
wrong "an image that is not there" ", line 3: image 21 is not in the stream" \
	"$head\n1,20,nose_tip_x\n2,21,nose_tip_x\n3,22,nose_tip_x"
wrong "a row twice" ", line 4: RowId 7 is that of line 2, too" \
	"$head\n7,1,nose_tip_x\n8,1,nose_tip_x\n7,2,nose_tip_x\n"
wrong "no RowId" ", line 1: there is no column 'RowId'" "ImageId,FeatureName\n1,nose_tip_x\n"
wrong "no FeatureName" ", line 1: there is no column 'FeatureName'" "RowId,ImageId\n1,1\n"
wrong "a column twice" ", line 1: there are two columns 'ImageId'" \
	"$head,ImageId\n1,1,nose_tip_x,1\n"
wrong "too few fields" ", line 2: 2 fields, but the header has 3" "$head\n1,1\n"
wrong "too many" ", line 2: 4 fields, but the header has 3" "$head\n1,1,nose_tip_x,1\n"
wrong "too few before a column that is not used" ", line 3: 3 fields, but the header has 4" \
	"RowId,ImageId,Location,FeatureName\n1,1,,nose_tip_x\n2,1,nose_tip_x\n"
wrong "semicolons" ", line 1: there is no column 'RowId'; its .* not semicolons" \
	"RowId;ImageId;FeatureName\n1;1;nose_tip_x\n"
wrong "a word behind CR CR LF" ", line 3: ImageId: 'one' .*" \
	"$head\r\r\n1,1,nose_tip_x\r\r\n2,one,nose_tip_x\r\r\n"
wrong "a word for a number" ", line 2: ImageId: 'one' is not a whole number from 0" \
	"$head\n1,one,nose_tip_x\n"
wrong "no number" ", line 2: RowId: '' is not a whole number from 0" "$head\n,1,nose_tip_x\n"
wrong "a NUL" ", line 2: there is a NUL byte" "$head\n1,1,nose_tip_x\000\n"
wrong "a quote in the wrong place" ", line 3: a quote in the wrong place" \
	"$head\n1,1,nose_tip_x\n2,1,nose\"tip\n"
wrong "a quote that is not closed" ", line 3: a quote is not closed" \
	"$head\n1,1,nose_tip_x\n2,1,\"nose_tip_x\n"
wrong "an empty table" " is empty" ""
wrong "a header alone" " asks for nothing: it has no rows" "$head\n"
wrong "blank lines alone" " asks for nothing: it has no rows" "\n\n"
refuses "a row without end" 1 'line 1: a row of more than 65536 bytes; is this CSV' \
	sh -c 'yes | tr -d "\n" | kfkd-save -l - found'
refuses "... in quotes" 1 'line [0-9]*: a row of more than 65536 bytes' \
	sh -c '{ echo "$1"; printf \"; yes; } | kfkd-save -l - found' - $head
gzip -c usual.csv >bad.csv
refuses "compressed" 1 "compressed by gzip; pipe it through zcat" kfkd-save -l bad.csv found
refuses "no table" 1 "cannot open 'none.csv'" kfkd-save -l none.csv found
refuses "no predictions" 1 'no predictions; pipe .* kfkd-predict' kfkd-save -l usual.csv raw
refuses "an image twice" 1 'image [0-9]* is in the stream twice' \
	sh -c 'cat found found | kfkd-save -l usual.csv'
head -c $(($(wc -c <found) - 1)) found >cut
refuses "a cut stream" 1 "'cut'.*truncated" kfkd-save -l usual.csv cut
is "... and nothing is written" "$(cat "$tmp/refuses.out")" ""
refuses "a full disk" 1 "cannot write '/dev/full'" kfkd-save -l usual.csv -o /dev/full found
for option in --ids --no-ids --predictions; do
	kfkd-save --lookup usual.csv $option found >out 2>err
	is "--lookup with $option exits 2" $? 2
done
kfkd-save --lookup - <found >out 2>err
is "table and stream from standard input exit 2" $? 2

if grep -q __asan_init "$(command -v kfkd-save)"; then
	skip "memory" "the address checker takes more for itself"
else
	awk 'BEGIN { print "RowId,ImageId,FeatureName"
		for (i = 1; i <= 524288; i++) print i "," i % 20 + 1 ",nose_tip_x" }' >large.csv
	"$KFKD_BUILD/tests/maxrss" rss kfkd-save -l large.csv found >out
	is "as large a table as it reads" "$? $(wc -l <out)" "0 524289"
	ok "... in 64 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 65536
	echo 524289,1,nose_tip_x >>large.csv
	refuses "a larger one" 1 'line 524290: more than 524288 rows' \
		kfkd-save -l large.csv found
fi

# -- against Python -------------------------------------------------------------------

python=$KFKD_BUILD/venv/bin/python
if ! "$python" -c 'import numpy, safetensors' 2>/dev/null; then
	skip "against Python" "no numpy and safetensors in $KFKD_BUILD/venv"
	done_testing
fi
cat >make.py <<'EOT'
import json, numpy
from safetensors.numpy import save_file
r = numpy.random.default_rng(1)
n = 700
def floats(m):
    v = r.integers(0, 2**32, (n, m), numpy.uint32).view(numpy.float32)
    v[::2] = r.uniform(0, 96, (n + 1) // 2 * m).reshape(-1, m)
    v[::7] = r.uniform(-1e-38, 1e-38, (len(v[::7]), m))
    v[numpy.isinf(v)] = -0.0
    return numpy.where(numpy.isnan(v), numpy.float32("nan"), v)
t = {"id": r.permutation(10 * n)[:n] + 1, "y": floats(5), "p": floats(2),
     "X": r.integers(0, 256, (n, 1, 7, 7), numpy.uint8)}
save_file(t, "made.safetensors",
          {"columns": "a_x,a_y,b c,d\"e,f", "p.columns": "a_y,a_x"})
save_file({**t, "X": t["X"].repeat(3, 1)}, "rgb.safetensors")
save_file({**t, "X": t["X"].astype("f4")}, "f32.safetensors")
t["p"][3, 1] = numpy.inf
save_file(t, "inf.safetensors")
save_file({**t, "label": t["id"]}, "label.safetensors")
t["p"] = r.uniform(-200, 200, (n, 2)).astype("f4")
t["X"] = r.integers(0, 256, (n, 1, 50, 100), numpy.uint8)
save_file(t, "wide.safetensors", {"p.columns": "a_y,a_x", "p.scale": "50 50 25 25"})
save_file({**t, "p": t["p"] * numpy.float32("nan")}, "nan.safetensors",
          {"p.columns": "a_y,a_x"})
save_file(t, "axis.safetensors", {"p.columns": "a_y,a"})
with open("wide.csv", "w") as f:
    print("RowId,ImageId,FeatureName,Location", file=f)
    for i, row in enumerate(t["id"], 1):
        print(2 * i, row, "a_x", "", sep=",", file=f)
        print(2 * i + 1, row, "a_y", "", sep=",", file=f)
y, x = t["p"].astype("f8").T
want = numpy.stack([(x * 50 + 50).clip(0, 100), (y * 25 + 25).clip(0, 50)], 1)
numpy.save("wide.npy", want.astype("f4").ravel())
EOT
cat >check.py <<'EOT'
import csv, sys, numpy
from safetensors.numpy import load_file
t = load_file("made.safetensors")
key, names = sys.argv[2], sys.argv[3:]
rows = list(csv.reader(open(sys.argv[1], newline="")))
assert rows[0] == ["ImageId"] + names + ["Image"], rows[0]
def bits(v):
    return numpy.asarray(v, numpy.float32).view(numpy.uint32)
want = t[key]
got = [[numpy.float32(f or "nan") for f in row[1:-1]] for row in rows[1:]]
assert [int(row[0]) for row in rows[1:]] == t["id"].tolist()
assert (bits(got) == bits(want)).all()
assert ([[int(p) for p in row[-1].split(" ")] for row in rows[1:]]
        == t["X"].reshape(len(want), -1)).all()
EOT
"$python" make.py
kfkd-cat made.safetensors >made && kfkd-save --ids made >made.csv
ok "random floats, as Python reads them" \
	"$python" check.py made.csv y a_x a_y 'b c' 'd"e' f
kfkd-save --ids --predictions made >found.csv
ok "--predictions" "$python" check.py found.csv p a_y a_x
cat >tensors.py <<'EOT'
import sys, numpy
from safetensors.numpy import load_file
a, b = load_file("made.safetensors"), load_file(sys.argv[1])
for name in "id", "y", "X":
    assert a[name].tobytes() == b[name].tobytes(), name
EOT
kfkd-load made.csv | kfkd-cat --single >loaded.safetensors
ok "what was loaded equals what was saved, bit for bit" \
	"$python" tensors.py loaded.safetensors
kfkd-cat rgb.safetensors >rgb
refuses "three channels" 1 '3 channels' kfkd-save --ids rgb
kfkd-cat f32.safetensors >f32
refuses "pixels that are F32" 1 'F32' kfkd-save --ids f32
kfkd-cat label.safetensors >label
refuses "labels" 1 'labels' kfkd-save --ids label
kfkd-cat inf.safetensors >inf
cat >submitted.py <<'EOT'
import numpy
rows = [line.split(",") for line in open("wide.out").read().splitlines()]
assert rows[0] == ["RowId", "Location"]
assert [int(row[0]) for row in rows[1:]] == list(range(2, 1402))
assert (numpy.array([row[1] for row in rows[1:]], "f4") == numpy.load("wide.npy")).all()
EOT
kfkd-cat wide.safetensors | kfkd-save --lookup wide.csv >wide.out
ok "a submission is clipped to width and height" "$python" submitted.py
ok "... which takes both ends" sh -c \
	'for v in 0 100 50; do grep -q ",$v\$" wide.out || exit 1; done'
kfkd-cat nan.safetensors >nan
refuses "a prediction that is no number" 1 "image [0-9]*, column 'a_x': .*not a number" \
	kfkd-save --lookup wide.csv nan
kfkd-cat axis.safetensors >axis
printf 'RowId,ImageId,FeatureName\n1,1,a\n' >axis.csv
refuses "a feature that is no keypoint" 1 "line 2: 'a' is no keypoint" \
	kfkd-save --lookup axis.csv axis
refuses "an infinity" 1 "row 4, column 'p2': an infinity" kfkd-save --ids -p inf

done_testing
