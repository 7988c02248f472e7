#!/bin/sh
# How fast the programs are here, as ratios to yardsticks of the same run:
# medians of runs in turn.  `make bench` calls it.
set -eu
LC_ALL=C
export LC_ALL OMP_WAIT_POLICY=passive
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
runs=7

# Seconds that a command took, added as a line to a file.
clock() {
	to=$1
	shift
	start=$(date +%s%N)
	"$@" >/dev/null 2>"$tmp/log"
	echo "$start $(date +%s%N)" | awk '{ print ($2 - $1) / 1e9 }' >>"$to"
}

median() {
	sort -g "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

per() {
	awk "BEGIN { printf \"%.3f\n\", $1 }"
}

# -- loading ---------------------------------------------------------------------

kfkd-synth -n 7049 -o "$tmp/faces.csv"
for i in $(seq $runs); do
	clock "$tmp/load" kfkd-load "$tmp/faces.csv"
	clock "$tmp/scan" sh -c '"$1/tests/csv_scan" <"$2"' - "$KFKD_BUILD" "$tmp/faces.csv"
done
load=$(median "$tmp/load") scan=$(median "$tmp/scan")
echo "load 7,049 rows: $load s; libcsv over them, fields ignored: $scan s;" \
	"ratio $(per "$load / $scan")"

# -- an epoch of net1 ----------------------------------------------------------------

# Median seconds of an epoch, without the first ones; needs finer times than the
# table's, so it takes the difference of a long and a short run.
epoch() {
	rm -f "$tmp/long" "$tmp/short"
	for i in 1 2 3; do
		clock "$tmp/short" kfkd-train "$@" -e 2 "$tmp/faces"
		clock "$tmp/long" kfkd-train "$@" -e 32 "$tmp/faces"
	done
	per "($(median "$tmp/long") - $(median "$tmp/short")) / 30"
}

kfkd-synth -n 2164 | kfkd-load | kfkd-scale -o "$tmp/faces"
rate=$("$KFKD_BUILD/tests/sgemm_rate")
two=$(epoch)
# 2,164 rows forward, 1,731 of them for the weights' gradients, too
flop="(2164 + 1731) * 2 * (9216 * 100 + 100 * 30) + 1731 * 2 * 100 * 30"
echo "epoch of net1, 2,164 rows: $two s; the best 2048^3 product: $rate GFLOP/s;" \
	"share of that rate $(per "($flop) / 1e9 / $two / $rate")"

one=$(epoch -t 1)
echo "the same on one thread: $one s"
if command -v taskset >/dev/null && [ "$(nproc)" -eq 2 ]; then
	taskset -c 1 sh -c 'while :; do :; done' &
	busy=$!
	trap 'kill $busy; rm -rf "$tmp"' EXIT
	shared=$(epoch)
	echo "with one of two processors busy: $shared s;" \
		"ratio to one thread $(per "$shared / $one")"
fi
