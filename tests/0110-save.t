#!/bin/sh
# kfkd-save: what was loaded comes back, with ids where they are needed.

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
ok "loading what was saved gives the same stream" cmp raw again
kfkd-save --output saved.csv raw
is "--output" "$(kfkd-save raw)" "$(cat saved.csv)"

# -- ids ----------------------------------------------------------------------------

kfkd-dropna raw >dropped
refuses "ids that do not count" 1 \
	"^kfkd-save: row 2 has the id 3: give --ids .* or --no-ids" kfkd-save dropped
is "--ids" "$(kfkd-save --ids dropped)" "$(printf '%s\n' ImageId,a_x,a_y,Image \
	'1,1.5,2,0 1 2 3' '3,33.42226,1.4013e-45,4 5 6 7')"
kfkd-save -i dropped | kfkd-load >again
ok "... and loading it gives the same stream" cmp dropped again
is "--no-ids" "$(kfkd-save -n dropped | kfkd-load | kfkd-save)" \
	"$(kfkd-save -n dropped)"
is "--no-ids without targets" "$(kfkd-load test.csv | kfkd-save -n)" \
	"$(printf 'Image\n1 2 3 4\n5 6 7 8')"
refuses "two streams count twice" 1 "row 4 has the id 1" \
	sh -c 'cat raw raw | kfkd-save'

# -- what CSV does not hold -----------------------------------------------------------

refuses "a scaled stream" 1 'kfkd-scale --undo' sh -c 'kfkd-scale raw | kfkd-save'
is "... undone" "$(kfkd-load training.csv -c a_x | kfkd-scale | kfkd-scale -u | kfkd-save)" \
	"$(kfkd-load training.csv -c a_x | kfkd-save | sed 's/^-0/0/')"
refuses "no predictions" 1 'no predictions.*kfkd-predict' kfkd-save -p raw
head -c $(($(wc -c <raw) - 1)) raw >cut
refuses "a cut stream" 1 "'cut'.*truncated" kfkd-save cut

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
refuses "an infinity" 1 "row 4, column 'p2': an infinity" kfkd-save --ids -p inf

done_testing
