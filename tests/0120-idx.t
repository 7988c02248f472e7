#!/bin/sh
# kfkd-load: IDX images and their labels, and what is wrong with others.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
mkfifo pipe

# idx TYPE SIZE ...: a header; the rank is the number of sizes.
idx() {
	perl -e 'my ($type, @size) = @ARGV;
		print pack("CCCCN*", 0, 0, $type, scalar @size, @size)' "$@"
}

# 3 images of 2 x 4, or as many as asked for; their pixels count from 0.
images() {
	idx 8 "${1-3}" 4 2
	perl -e 'print pack("C*", map { $_ % 256 } 0 .. 8 * $ARGV[0] - 1)' "${1-3}"
}

# labels LABEL ...
labels() {
	idx 8 $#
	perl -e 'print pack("C*", @ARGV)' "$@"
}

images >images
labels 2 0 7 >labels

# -- what comes of it -----------------------------------------------------------------

is "images as they are" "$(kfkd-load images | kfkd-save -n)" "$(printf '%s\n' Image \
	'0 1 2 3 4 5 6 7' '8 9 10 11 12 13 14 15' '16 17 18 19 20 21 22 23')"
is "from standard input, with ids from 1" "$(kfkd-load <images | kfkd-save | cut -d, -f1)" \
	"$(printf '%s\n' ImageId 1 2 3)"
like "width and height are not mixed up" "$(kfkd-load images | kfkd-stat)" "images: 2 x 4"
kfkd-load --labels labels images >labelled
is "--labels" $? 0
is "... as kfkd-stat tells" "$(kfkd-stat labelled | grep '^label')" \
	"label.shape == (3, 1); label.min == 0.000; label.max == 7.000; label.mean == 3.000"
ok "... from a pipe" sh -c 'cat labels >pipe & kfkd-load -l pipe images | cmp - labelled'
ok "... or standard input" sh -c 'kfkd-load -l - images <labels | cmp - labelled'
ok "... and images from a pipe" sh -c 'cat images | kfkd-load -l labels | cmp - labelled'
ok "... passes through kfkd-scale and back" sh -c \
	'kfkd-scale labelled | kfkd-scale --undo | cmp - labelled'
idx 8 0 4 2 >none
is "no images" "$(kfkd-load none | kfkd-save)" ImageId,Image

python=$KFKD_BUILD/venv/bin/python
if "$python" -c 'import numpy, safetensors' 2>/dev/null; then
	cat >make.py <<-'EOT'
	import numpy, struct
	r = numpy.random.default_rng(1)
	X = r.integers(0, 256, (20000, 28, 28), numpy.uint8)
	label = r.integers(0, 7, 20000, numpy.uint8)
	open("many", "wb").write(struct.pack(">4B3I", 0, 0, 8, 3, *X.shape) + X.tobytes())
	open("many.labels", "wb").write(struct.pack(">4BI", 0, 0, 8, 1, 20000) + label.tobytes())
	numpy.savez("many.npz", X=X, label=label)
	EOT
	cat >check.py <<-'EOT'
	import numpy
	from safetensors import safe_open
	want = numpy.load("many.npz")
	with safe_open("many.safetensors", "numpy") as f:
	    assert (f.get_tensor("X") == want["X"][:, None]).all()
	    assert f.get_tensor("label").dtype == numpy.int64
	    assert (f.get_tensor("label") == want["label"]).all()
	    assert (f.get_tensor("id") == numpy.arange(1, 20001)).all()
	    assert f.metadata()["classes"] == "7", f.metadata()
	    assert sorted(f.keys()) == ["X", "id", "label"]
	EOT
	"$python" make.py
	kfkd-load -l many.labels many | kfkd-cat --single >many.safetensors
	ok "20,000 images and labels, as numpy made them" "$python" check.py
else
	skip "as numpy made them" "no numpy and safetensors in $KFKD_BUILD/venv"
fi

# -- what is wrong ----------------------------------------------------------------------

# wrong WHAT PATTERN: refuses the file bad as images, after no complete stream.
wrong() {
	refuses "$1" 1 "^kfkd-load: 'bad'.*$2" kfkd-load bad
	kfkd-load bad 2>load.err | kfkd-cat >out 2>err
	is "... and kfkd-cat fails with it" $? 1
}
head -c 15 images >bad
wrong "cut inside its header" "byte 15: truncated"
head -c 16 images >bad
wrong "cut behind its header" "truncated: it ends at byte 16, before image 1 of 3 is whole"
head -c 39 images >bad
wrong "cut inside an image" "truncated: it ends at byte 39, before image 3 of 3 is whole"
{ cat images; printf x; } >bad
wrong "a byte behind it" "byte 40: further bytes behind the last image\$"
{ cat none; printf x; } >bad
wrong "a byte behind none" "byte 16: further bytes"
{ idx 13 3 4 2; cat images; } >bad
wrong "floats" "type 0x0d; only unsigned bytes, type 0x08"
{ idx 8 3 4; cat images; } >bad
wrong "a matrix" "holds a matrix .*; it should hold images"
{ idx 8 3 1 4 2; cat images; } >bad
wrong "rank 4" "rank 4; it should hold images"
{ printf '\0\0\010\310'; cat images; } >bad
wrong "rank 200" "rank 200; it should hold images"
cp labels bad
wrong "labels" "holds labels .*; it should hold images"
{ idx 8 3 0 2; cat images; } >bad
wrong "images without height" "2 x 0 are out of bounds"
{ idx 8 4294967295 4294967295 4294967295; cat images; } >bad
wrong "2^96 pixels" "4294967295 x 4294967295 are out of bounds"
{ idx 8 4294967295 16384 16384; cat images; } >bad
wrong "2^60 pixels" "truncated: .* image 1 of 4294967295"
gzip -c images >bad
wrong "compressed" "compressed by gzip; pipe it through zcat\$"
refuses "--columns" 1 "'images', which is IDX" kfkd-load -c a images
refuses "--size" 1 "'images', which is IDX" kfkd-load -z 4x2 images

# wrong_labels WHAT PATTERN: the same with labels
wrong_labels() {
	refuses "$1" 1 "^kfkd-load: .*'bad'.*$2" kfkd-load -l bad images
	kfkd-load -l bad images 2>load.err | kfkd-cat >out 2>err
	is "... and kfkd-cat fails with it" $? 1
}
labels 1 2 >bad
wrong_labels "too few labels" "has 2 labels\$"
labels 1 2 3 4 >bad
wrong_labels "too many labels" "has 4 labels\$"
head -c 10 labels >bad
wrong_labels "cut labels" "truncated: 2 of 3 labels\$"
head -c 6 labels >bad
wrong_labels "labels cut inside their header" "byte 6: truncated"
{ cat labels; printf x; } >bad
wrong_labels "a byte behind labels" "byte 11: further bytes behind the last label\$"
idx 8 0 >bad
wrong_labels "no labels" "holds no labels"
idx 8 4294967295 >bad
wrong_labels "2^32 labels" "4294967295 labels; at most 16777216"
: >bad
wrong_labels "an empty file of labels" "is empty"
echo 1,2,3 >bad
wrong_labels "labels as text" "not IDX: it should hold labels"
cp images bad
wrong_labels "images for labels" "holds images .*; it should hold labels"
gzip -c labels >bad
wrong_labels "compressed labels" "compressed by gzip; pipe it through zcat\$"
refuses "no file of labels" 1 "cannot open 'none.labels'" kfkd-load -l none.labels images
printf 'Image\n1\n' >faces.csv
refuses "labels for a CSV" 1 "'faces.csv', which is CSV" kfkd-load -l labels faces.csv
kfkd-load --labels - <labels >out 2>err
is "labels and images from standard input exit 2" $? 2

# -- much ---------------------------------------------------------------------------------

for piece in images labels; do
	{ printf '\006'; cat $piece; } >fuzz.$piece
done
ok "the fuzz target: the same in small pieces" \
	"$KFKD_BUILD/tests/fuzz_load" fuzz.images fuzz.labels images labels bad

if grep -q __asan_init "$(command -v kfkd-load)"; then
	skip "memory" "the address checker takes more for itself"
else
	n=16777216
	{ idx 8 $n; head -c $n /dev/zero; } >many.labels
	{ idx 8 $n 2 2; head -c $((4 * n)) /dev/zero; } |
		"$KFKD_BUILD/tests/maxrss" rss kfkd-load -l many.labels >out
	is "as many labels as it reads" $? 0
	ok "... in 64 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 65536
fi

done_testing
