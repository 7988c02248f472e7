#!/bin/sh
# run.sh [PART ...]: how fast kfkd is here, beside other software and the
# machine's limits, on the same work in the same run.  `make bench` calls it.
# The parts are load, train, predict and growth, all by default; cluster, what several
# machines would take; and ranks, what several processes do.
#
# Programs run in turn, with equal threads, and each value is a median.  A row's
# ratio is its value to that of the work's first row, which is kfkd's: 2 stands
# for twice the time or memory.  KFKD_FACES names a CSV of faces for training
# and predicting; by default they are drawn.
set -eu
LC_ALL=C
export LC_ALL
bench=$(cd "${0%/*}" && pwd)
python=$bench/python
table=$KFKD_BUILD/bench.tsv
tmp=$(mktemp -d "$KFKD_BUILD/bench.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
. "$bench/lib.sh"

# As many complete rows as the tutorial has, over and over the same if need be.
if [ "${KFKD_FACES:-}" ]; then
	kfkd-load "$KFKD_FACES"
else
	kfkd-synth -n 2140 | kfkd-load
fi | kfkd-dropna | kfkd-scale -o "$tmp/some"
cd "$tmp"
kfkd-cat $(yes some | head -n 2140) | kfkd-head -n 2140 -o faces
kfkd-cat --single -o faces.safetensors faces
kfkd-scale -u faces | kfkd-scale --bytes -o faces.bytes

echo "$threads threads,$(sed -n 's/^model name[^:]*://p' /proc/cpuinfo | uniq)"
kfkd-train -V
"$python" "$bench/versions.py" numpy pandas polars pyarrow torch scikit-learn onnx \
	onnxruntime >versions || echo "no peer is installed"
cat versions
printf 'work\twho\tvalue\tunit\tratio\twant\treached\n' | tee "$table" | print_rows
load_before=$(cut -d ' ' -f 1 /proc/loadavg)
for part in ${*:-load train predict growth}; do
	. "$bench/$part.sh"
done
echo
echo "processes ready to run: $load_before before, now $(cut -d ' ' -f 1 /proc/loadavg)"
echo "the table: $table"
