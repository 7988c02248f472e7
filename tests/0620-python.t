#!/bin/sh
# examples/python: streams as arrays, models as modules of PyTorch and as ONNX, and weights
# from PyTorch.  Arrays need the numpy of build/venv.  What PyTorch computes is stored in
# vectors/layers.tsv; it runs itself where KFKD_TORCH_PYTHON names a Python that has it,
# or `make bench` has installed one.

. "${0%/*}/lib.sh"
vectors=$(cd "${0%/*}/vectors" && pwd)
examples=$(cd "${0%/*}/../examples/python" && pwd)
PYTHONPATH=$examples PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
cd "$tmp" || exit 1

python=$KFKD_BUILD/venv/bin/python
if ! "$python" -c 'import numpy, safetensors.numpy' 2>/dev/null; then
	skip "Python" "no numpy or safetensors in $KFKD_BUILD/venv"
	done_testing
fi
ok "kfkd.py has at most 80 lines" test "$(wc -l <"$examples/kfkd.py")" -le 80

# verdicts FILE COUNT: a point for each line "ok WHAT" or "BAD WHAT" of a Python script
verdicts() {
	while read -r verdict what; do
		is "Python: $what" "$verdict" ok
	done <"$1"
	ok "Python: all of that ran" test "$(wc -l <"$1")" -eq "$2"
}

# -- streams -----------------------------------------------------------------------------

{
	kfkd-synth -n 40 -m .5
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do
		kfkd-synth -n 40 -s $i | tail -n +2
	done
} >faces.csv
kfkd-load faces.csv >raw
kfkd-scale raw >scaled
kfkd-scale --bytes raw >bytes
cat raw raw >twice
for f in raw scaled bytes; do
	kfkd-cat -1 $f >$f.safetensors
done
printf 'a.jpg 1 1 0 0 0 1 0 5 6\n- 0 1 0 0 0 1 0 - 7\n\303\244/b.png 2 1 0 0 0 1 0 8 9\n' |
	"$KFKD_BUILD/tests/mkoriginal" a_x,a_y '' >photos
kfkd-head -n 0 raw >none
kfkd-train -q -t 1 -e 2 -n 'pool8 dense3 relu dense' -o model scaled
kfkd-predict -t 1 --no-images -m model scaled >found
size=$(wc -c <raw)
last=$(grep -abo '{"__metadata__"' raw | tail -n 1)
head -c $((${last%%:*} - 8)) raw >endless
second=$(grep -abo '{"__metadata__"' raw | sed -n 2p)
{ head -c $((${second%%:*} - 8)) raw; tail -c +$((${last%%:*} - 7)) raw; } >lacking
head -c $((size - 1)) raw >cut
head -c $((${last%%:*} - 3)) raw >cut-early
{ cat raw; printf '123'; } >more
cat raw scaled >unlike
cat >streams.py <<'END'
import subprocess
import sys
import numpy as np
from safetensors.numpy import load_file
import kfkd

def test(what, condition):
    print("ok" if condition else "BAD", what)

def same(a, b):
    return a.keys() == b.keys() and all(
        a[k].dtype == b[k].dtype and np.array_equal(a[k], b[k], a[k].dtype == "f4") for k in a)

def refused(source, why):
    try:
        kfkd.stream(source)
        return False
    except ValueError as error:
        return why in str(error)

raw, meta = kfkd.stream("raw")
test("a stream is what safetensors reads of it", same(raw, load_file("raw.safetensors")))
test("... of several chunks", len(list(kfkd.chunks("raw"))) > 2)
test("... with its metadata", meta["columns"].split(",")[20:22] == ["nose_tip_x", "nose_tip_y"]
     and "rows" not in meta and "xxh3" not in meta)
test("a single file is the same", same(raw, kfkd.stream("raw.safetensors")[0]))
scaled, meta = kfkd.stream("scaled")
test("a scaled stream", same(scaled, load_file("scaled.safetensors")) and meta["X.scale"] == "0 255")
test("scaled bytes are the floats", same(scaled, kfkd.stream("bytes")[0])
     and same(scaled, kfkd.stream("bytes.safetensors")[0]))
pipe = subprocess.Popen(["kfkd-cat", "raw"], stdout=subprocess.PIPE)
test("a pipe", same(raw, kfkd.stream(pipe.stdout)[0]) and pipe.wait() == 0)
test("standard input", same(raw, kfkd.stream()[0]))
test("what cat joins", len(kfkd.stream("twice")[0]["id"]) == 2 * len(raw["id"]))
test("a stream without rows", kfkd.stream("none")[0]["X"].shape == (0, 1, 96, 96))
photos, _ = kfkd.stream("photos")
test("names of files are str", photos["file"].tolist() == ["a.jpg", "", "\u00e4/b.png"])
found, meta = kfkd.stream("found")
test("a stream without images", sorted(found) == ["id", "p", "y"] and meta["X.shape"] == "1 96 96")
(tensors, meta), = kfkd.blobs("model")
test("a model", tensors["dense1.weight"].shape == (3, 144) and meta["train.update"] == "nesterov")
x = scaled["X"].reshape(-1, 12, 8, 12, 8).max((2, 4)).reshape(-1, 144)
for i in (1, 2):
    x = x @ tensors[f"dense{i}.weight"].T + tensors[f"dense{i}.bias"]
    x = x if i == 2 else np.maximum(x, 0)
test("... that predicts as kfkd-predict", np.abs(x - found["p"]).max() < 1e-5)
test("no last chunk is refused", refused("endless", "its last chunk is missing"))
test("... and a chunk that is missing", refused("lacking", "rows, where 560 should be"))
test("... and a cut in a chunk", refused("cut", "truncated") and refused("cut-early", "truncated"))
test("... and something behind the stream", refused("more", "truncated"))
test("... and another stream", refused("unlike", "not like the first"))
test("... and a model", refused("model", "no chunk of a stream"))
test("... and a CSV", refused("faces.csv", "no stream or model"))
test("... and nothing", refused("/dev/null", "last chunk is missing"))
END
"$python" streams.py <raw >out 2>err || fail "streams.py" "$(cat err)"
verdicts out 22
is "its values are kfkd-save's" "$("$python" -c '
import kfkd
tensors, meta = kfkd.stream()
column = meta["columns"].split(",").index("nose_tip_x")
print("\n".join("%.4f" % v for v in tensors["y"][:, column]))' <raw | cksum)" \
	"$(kfkd-save --no-images -n raw | tail -n +2 | cut -d, -f 21 |
		awk '{ printf "%s\n", $1 == "" ? "nan" : sprintf("%.4f", $1) }' | cksum)"

# -- weights from PyTorch, and what it made of them ----------------------------------------

"$python" "$vectors/layers.py" faces | kfkd-load --size 26x26 | kfkd-scale >small
cat >compare.py <<'END'
"""compare.py NUMBER: kfkd's outputs and losses of a net against the stored ones."""
import sys
import numpy as np
import kfkd

(model, _), = kfkd.blobs("further")
own = {"p": kfkd.stream("predicted")[0]["p"][:3].ravel(),
       "losses": [model["history.train_loss"][0], model["history.valid_loss"][0]]}
for line in open(sys.argv[1]):
    number, what, *values = line.split("\t")
    if number == sys.argv[2]:
        off = np.abs(np.array(own[what]) - np.array(values, float)).max()
        print("same" if off < 1e-5 else f"{what} off by {off}")
END
number=0
while read -r net; do
	number=$((number + 1))
	kfkd-train -q -e 0 -n "$net" -o model small
	"$python" "$vectors/layers.py" state model state
	is "the state of a module is taken over: $net" \
		"$(kfkd-train -e 0 -n "$net" -i state -o model small 2>&1 | grep -c ' is taken over$')" \
		"$(kfkd-stat model | sed -n '/^parameter/,/^all/p' | grep -vc '^parameter\|^all')"
	kfkd-predict -t 1 -m model small | kfkd-cat -1 >predicted
	kfkd-train -q -t 1 -e 1 -B 8 -n "$(echo "$net" | sed 's/ drop[.0-9]*//g')" -i state \
		-o further small
	is "... and predicts, and trains further, as PyTorch does" \
		"$("$python" compare.py "$vectors/layers.tsv" $number | tr '\n' ' ')" "same same "
done <"$vectors/layers.txt"
is "all nets have stored values" "$(cut -f 1 "$vectors/layers.tsv" | sort -u | wc -l)" $number

# -- live ----------------------------------------------------------------------------------

torch=${KFKD_TORCH_PYTHON-$KFKD_BUILD/venv-bench/bin/python}
if ! "$torch" -c 'import torch, safetensors.torch' 2>/dev/null; then
	skip "PyTorch" "no torch and safetensors in $torch"
	done_testing
fi
kfkd-dropna scaled | kfkd-head -n 60 >few
is "the stored values are PyTorch's" "$("$torch" "$vectors/layers.py" <"$vectors/layers.txt" |
	awk -F '\t' 'NR == FNR { want[FNR] = $0; next }
	{ split(want[FNR], w, "\t"); bad = w[1] != $1 || w[2] != $2
		for (i = 3; i <= NF; i++) bad = bad || (w[i] - $i) ^ 2 > 1e-10
		print bad ? "differs" : "same" }' "$vectors/layers.tsv" - | uniq -c | tr -s ' ')" " 6 same"
i=0
for net in net1 net7 small best \
	'conv8x3 relu pool2 drop.2 conv16x2 tanh pool3 drop.1 dense40 sigmoid drop.5 dense' \
	'pool2 conv6x3p1s2 batchnorm relu save avgpool2 res9 upscale2 add9x3p1 tanh pool2 maps softargmax' \
	'pool4 conv6x3s2 save pool2 upscale2 add leakyrelu res avgpool batchnorm dense12 batchnorm relu
		save dense12 add save add12x1 batchnorm conv9x1 dense'; do
	i=$((i + 1))
	kfkd-train -q -t 2 -e 1 -B 50 -n "$net" -o $i.kfkd few
	kfkd-predict -t 2 -m $i.kfkd few | kfkd-cat -1 >$i.found
done
"$torch" "$examples/export_onnx.py" 1.kfkd 1.onnx 2>err || skip "ONNX" "$(tail -n 1 err)"
cat >live.py <<'END'
import sys
from collections import OrderedDict
import numpy as np
import torch
import kfkd
import kfkd_layers
try:
    import onnxruntime
    from export_onnx import export
except ImportError:
    onnxruntime = None

def agree(what, p, q):
    off = np.abs(p - q).max()
    print("ok" if off < 1e-5 and p.shape == q.shape else "BAD", what, "" if off < 1e-5 else off)

for i in range(1, int(sys.argv[1]) + 1):
    found, meta = kfkd.stream(f"{i}.found")
    net = kfkd.model(f"{i}.kfkd")
    with torch.no_grad():
        agree(net.meta["net"] + ": PyTorch", net(torch.from_numpy(found["X"])).numpy(), found["p"])
    if onnxruntime:
        run = onnxruntime.InferenceSession(
            "1.onnx" if i == 1 else export(net).SerializeToString(),
            providers=["CPUExecutionProvider"])
        agree("... ONNX Runtime", run.run(["p"], {"X": found["X"]})[0], found["p"])
        print("ok" if run.get_modelmeta().custom_metadata_map == net.meta else "BAD", "... metadata")
    else:
        print("ok ... without ONNX Runtime\nok ... skipped")

(tensors, meta), = kfkd.blobs("2.kfkd")
plain = torch.nn.Sequential(OrderedDict(kfkd_layers.layers(tensors, meta))).eval()
print("ok" if not plain.load_state_dict(
    {k: torch.tensor(v) for k, v in tensors.items() if not k.startswith("history.")}).missing_keys
    else "BAD", "an nn.Sequential of these names takes a model's parameters")
found, meta = kfkd.stream("2.found")
with torch.no_grad():
    agree("... and predicts", plain(torch.from_numpy(found["X"])).numpy(), found["p"])
tensors.pop("conv1.bias")
try:
    kfkd_layers.net(tensors | {"conv9.bias": tensors["conv2.bias"]}, net.meta)
    print("BAD what does not fit is refused")
except (KeyError, RuntimeError):
    print("ok what does not fit is refused")
END
"$torch" -W ignore live.py $i >out 2>err || fail "live.py" "$(cat err)"
verdicts out $((3 * i + 3))

# Trained an epoch further by both: the same losses, and weights that predict the same.
for net in net1 'pool2 conv16x3p1 batchnorm relu pool2 res24 save pool2 res upscale2 add maps softargmax'; do
	kfkd-train -q -t 2 -e 2 -n "$net" -o start few
	kfkd-train -q -t 2 -e 1 -n "$net" -i start -o further few
	"$torch" "$examples/train_on.py" start few 1 state >theirs 2>err || fail "train_on.py" "$(cat err)"
	is "an epoch further in PyTorch comes to the same losses: $net" \
		"$({ kfkd-stat -H further; cat theirs; } | grep '^1' | awk -F '\t' 'NR == 1 { t = $2; v = $3 }
		END { print NR, (t - $2) ^ 2 < 1e-10, (v - $3) ^ 2 < 1e-10 }')" "2 1 1"
	kfkd-train -q -e 0 -n "$net" -i state -o back few
	for m in further back; do
		kfkd-predict -t 2 -m $m few | kfkd-scale -u | kfkd-save -p -n --no-images >$m.csv
	done
	is "... and its weights to the same predictions" "$(paste -d, further.csv back.csv |
		awk -F, 'NR > 1 { for (i = 1; i <= NF / 2; i++) bad += ($i - $(i + NF / 2)) ^ 2 > 1e-6
			n += NF / 2 } END { print n, bad + 0 }')" "1800 0"
done

done_testing
