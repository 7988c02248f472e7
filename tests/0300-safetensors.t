#!/bin/sh
# Python's safetensors reads our files, we read Python's, and a stream and a
# single file can be turned into each other.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth --rows 20 --missing 0.5 | kfkd-load >raw.kfkd
kfkd-scale raw.kfkd >scaled.kfkd
kfkd-scale --bytes raw.kfkd >bytes.kfkd

# -- there and back ------------------------------------------------------------

for name in raw scaled bytes; do
	kfkd-cat --single $name.kfkd >$name.safetensors
	kfkd-cat $name.safetensors >$name.back
	ok "$name: stream to file to stream" cmp $name.kfkd $name.back
	kfkd-cat --single $name.safetensors >$name.again
	ok "$name: file to file" cmp $name.safetensors $name.again
	cat $name.kfkd | kfkd-cat --single | cat >$name.piped
	ok "$name: the same through pipes" cmp $name.safetensors $name.piped
	ok "$name: a single file is a stream as it stands" \
		sh -c "kfkd-dropna $name.safetensors >/dev/null"
done
{
	kfkd-synth --rows 20 >small.csv
	cat small.csv
	for i in 1 2 3 4 5 6 7 8; do
		for j in 1 2 3 4 5 6; do
			tail -n +2 small.csv
		done
	done
} | kfkd-load >long.kfkd
kfkd-cat --single long.kfkd >long.safetensors
ok "several chunks to file to stream" \
	sh -c 'kfkd-cat long.safetensors | cmp - long.kfkd'
ok "... through pipes" \
	sh -c 'cat long.kfkd | kfkd-cat --single | kfkd-cat | cmp - long.kfkd'
is "... of three chunks and the last" \
	"$(grep -ao '{"__metadata__"' long.kfkd | wc -l)" 4
kfkd-head -n 0 raw.kfkd | kfkd-cat --single >none.safetensors
ok "no rows: file to stream" sh -c 'kfkd-cat none.safetensors >none.kfkd'
head -c 30000 raw.safetensors >cut.safetensors
refuses "a single file that is cut" 1 'truncated: [0-9]* bytes of data' \
	kfkd-cat cut.safetensors
ok "temporary files are gone" sh -c 'mkdir t; TMPDIR=t kfkd-cat --single raw.kfkd |
	cmp - raw.safetensors && test -z "$(ls t)"'
refuses "no place for temporary files" 1 "cannot create temporary file '/none/" \
	env TMPDIR=/none kfkd-cat --single raw.kfkd

# -- by eye --------------------------------------------------------------------

like "head -c shows a header" "$(head -c 300 raw.kfkd | tail -c +9)" \
	'^\{"__metadata__":\{"kfkd":"1","columns":"[a-z_,]*'

# -- saved again by another program ------------------------------------------------

# resave META FILE: as safetensors' library does, which sorts the tensors; META says
# which metadata is kept: all, others than kfkd and xxh3, or none
cat >resave.pl <<'EOT'
use strict; use JSON::PP;
my ($keep, $file) = @ARGV;
local $/; open my $in, "<:raw", $file or die; my $blob = <$in>;
my $n = unpack "Q<", $blob;
my $h = decode_json substr $blob, 8, $n;
my $meta = delete $h->{__metadata__};
delete @$meta{qw(kfkd xxh3)} if $keep eq "others";
my %size = (I64 => 8, F32 => 4, U8 => 1);
my ($data, @parts) = ("");
push @parts, '"__metadata__":' . encode_json $meta if $keep ne "none";
for my $k (sort { $size{$h->{$b}{dtype}} <=> $size{$h->{$a}{dtype}} || $a cmp $b } keys %$h) {
	my ($from, $to) = @{$h->{$k}{data_offsets}};
	$h->{$k}{data_offsets} = [length $data, length($data) + $to - $from];
	$data .= substr $blob, 8 + $n + $from, $to - $from;
	push @parts, "\"$k\":" . encode_json $h->{$k};
}
my $json = "{" . join(",", @parts) . "}";
$json .= " " while length($json) % 64 != 48; # a multiple of 8, but not where kfkd ends it
print pack("Q<", length $json), $json, $data;
EOT
if perl -MJSON::PP -e 1 2>/dev/null; then
	kfkd-train -q -t 1 -e 1 -n 'dense3 relu dense' -o model scaled.kfkd
	kfkd-predict -t 1 -m model -o found scaled.kfkd
	kfkd-cat --single found >found.safetensors
	kfkd-predict -t 1 --no-images -m model -o without scaled.kfkd
	kfkd-cat --single without >without.safetensors
	for f in raw.safetensors bytes.safetensors found.safetensors without.safetensors \
		model; do
		for keep in all others; do
			perl resave.pl $keep $f >again
			kfkd-cat again >out
			case $f in
			model) kfkd-predict -t 1 -m out scaled.kfkd >back ;;
			*) cp out back ;;
			esac
			case $f in
			raw* | bytes*) kfkd-cat "${f%.*}.kfkd" >want ;;
			without*) kfkd-cat without >want ;;
			*) kfkd-cat found >want ;;
			esac
			equal "$f saved again with $keep metadata: kfkd-cat takes it" back want
			refuses "... and another program says so" 1 'pass it through kfkd-cat' \
				kfkd-stat again
			[ $f != model ] || refuses "... as does kfkd-predict" 1 \
				'another program saved it again.* kfkd-cat' \
				kfkd-predict -m again scaled.kfkd
		done
	done
	perl resave.pl none model >again
	refuses "a model without its metadata" 1 "the metadata 'net' of a model: did another program" \
		kfkd-cat again
	perl resave.pl none raw.safetensors >again
	like "a stream without is taken as any other file" "$(kfkd-cat again | kfkd-stat)" \
		'^X.shape == \(20, 9216\)'
	perl -pe 's/"X.scale":"0 255"/"X.scale":"0 254"/' model >bad
	refuses "a change of what kfkd wrote is damage still" 1 "'bad', byte [0-9]*: damaged" \
		kfkd-cat bad
else
	skip "saved again" "perl lacks JSON::PP"
fi
kfkd-cat model >out
equal "kfkd-cat passes a model on" out model
refuses "... but joins no two" 1 "'model', .*no tensor 'X'" kfkd-cat model model

# -- pixels that were scaled elsewhere ---------------------------------------------

# pixels TYPE TEMPLATE VALUE ...: two images of 1 x 2 as a file without metadata
pixels() {
	perl -e 'my ($type, $template, @v) = @ARGV; my $data = pack "$template*", @v;
		my $json = sprintf q({"X":{"dtype":"%s","shape":[2,1,1,2],"data_offsets":[0,%d]}}),
			$type, length $data;
		print pack("Q<", length $json), $json, $data' "$@" | kfkd-cat
}
pixels F32 'f<' 0 0.25 0.5 1 >unit
refuses "floats from 0 to 1 are scaled already" 1 'from 0 to 1, .* no X.scale; .* from 0 to 255' \
	kfkd-scale unit
pixels U8 C 0 1 1 0 >unit
kfkd-scale unit 2>err | kfkd-stat >said
like "bytes of 0 and 1 get a warning" "$(cat err)" '^kfkd-scale: the pixels are 0 and 1 only'
like "... but pass" "$(cat said)" '^rows: 2$'
for v in 'F32 f< 0 0 0 0' 'F32 f< 0 0.5 1 2' 'F32 f< 0 1 1 -1' 'U8 C 0 0 0 0' 'U8 C 0 1 2 1'; do
	pixels $v >other
	is "no word of $v" "$(kfkd-scale other 2>&1 >out)" ""
done
kfkd-load <<EOT | kfkd-scale 2>err | kfkd-scale --undo >out
Image
0 1 1 0
EOT
like "--undo says nothing of them" "$(wc -l <err) $(kfkd-scale -u scaled.kfkd 2>&1 >out)" '^1 $'

# -- by Python -----------------------------------------------------------------

python=$KFKD_BUILD/venv/bin/python
if ! "$python" -c 'import safetensors.numpy' 2>/dev/null; then
	skip "Python" "no safetensors in $KFKD_BUILD/venv"
	done_testing
fi

cat >check.py <<'EOT'
"""Compares our files with each other and with the CSV, and writes others."""
import csv, sys
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

raw, scaled = load_file("raw.safetensors"), load_file("scaled.safetensors")
small = load_file("bytes.safetensors")
model = load_file("net.kfkd")
with safe_open("scaled.safetensors", "np") as f:
    meta = f.metadata()
with safe_open("bytes.safetensors", "np") as f:
    of_bytes = f.metadata()
with safe_open("net.kfkd", "np") as f:
    net = f.metadata()
rows = list(csv.DictReader(open("faces.csv")))
columns = meta["columns"].split(",")
images = np.array([[int(v) for v in r["Image"].split()] for r in rows])
targets = np.array([[np.float32(r[c] or "nan") for c in columns] for r in rows])

def test(what, condition):
    print("ok" if condition else "BAD", what)

test("shapes and types", raw["X"].shape == (20, 1, 96, 96) and raw["X"].dtype == "u1"
     and raw["y"].shape == (20, 30) and scaled["X"].dtype == "f4"
     and raw["id"].dtype == "i8")
test("metadata", meta["kfkd"] == "1" and meta["rows"] == "20" and len(columns) == 30
     and meta["X.scale"] == "0 255" and meta["y.scale"] == "48 48 48 48")
test("ids", (raw["id"] == np.arange(1, 21)).all())
test("pixels", (raw["X"].reshape(20, -1) == images).all())
test("targets", np.array_equal(raw["y"], targets, equal_nan=True))
test("scaled pixels", (scaled["X"] == (raw["X"] / 255).astype("f4")).all())
test("scaled bytes", small["X"].dtype == "u1" and of_bytes["X.scale"] == "0 255"
     and ((small["X"] / 255).astype("f4") == scaled["X"]).all())
test("scaled targets", np.array_equal(scaled["y"],
     ((raw["y"].astype("f8") - 48) / 48).astype("f4"), equal_nan=True))
test("a model's shapes", model["dense1.weight"].shape == (100, 9216)
     and model["dense2.bias"].shape == (30,)
     and model["history.train_loss"].shape == (2,))
test("a model's metadata", net["columns"] == meta["columns"]
     and net["net"] == "dense100 relu dense" and net["input"] == "1 96 96"
     and net["y.scale"] == meta["y.scale"])
save_file({"X": raw["X"], "id": raw["id"], "y": raw["y"]}, "theirs.safetensors",
     metadata={"columns": meta["columns"]})
save_file({"X": raw["X"][:, 0].astype("f4"), "y": raw["y"],
     "label": np.arange(20)}, "bare.safetensors")
save_file({"images": raw["X"]}, "other.safetensors")
save_file({"X": raw["X"].astype("f8")}, "double.safetensors")
EOT
kfkd-cat -1 raw.kfkd >raw.safetensors
kfkd-synth --rows 20 --missing 0.5 >faces.csv
kfkd-dropna scaled.kfkd | kfkd-train --quiet --epochs 2 >net.kfkd
"$python" check.py >python.out 2>&1 || fail "check.py" "$(cat python.out)"
while read -r verdict what; do
	is "Python: $what" "$verdict" ok
done <python.out
ok "Python: all checks ran" test "$(wc -l <python.out)" -eq 10

kfkd-cat theirs.safetensors >theirs.kfkd
ok "a file made by Python becomes a stream" cmp raw.kfkd theirs.kfkd
ok "... also from a pipe" sh -c 'cat theirs.safetensors | kfkd-cat | cmp - raw.kfkd'
refuses "other programs leave it to kfkd-cat" 1 'pass it through kfkd-cat' \
	kfkd-scale theirs.safetensors
like "ids and columns are made up" "$(kfkd-cat bare.safetensors | head -c 400 |
	tail -c +9)" '"columns":"y1,y2,y3,.*"label"'
refuses "no X" 1 "no tensor 'X'" kfkd-cat other.safetensors
refuses "doubles" 1 "tensor 'X' is of type F64, not U8, I64 or F32" \
	kfkd-cat double.safetensors

done_testing
