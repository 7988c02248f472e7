#!/bin/sh
# On a machine with a GPU: tests of the operations and of complete runs, and the
# time that they take.  `make check-gpu` calls it.
set -eu
LC_ALL=C
export LC_ALL KFKD_BACKEND=cuda
tests=$KFKD_BUILD/tests
here=$(cd "${0%/*}" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

kfkd-synth -n 2164 | kfkd-load | kfkd-scale -o "$tmp/faces"
if ! kfkd-head -n 40 "$tmp/faces" |
	timeout 600 kfkd-train -e 0 >/dev/null 2>"$tmp/log"; then
	grep -q 'there is no NVIDIA driver\|there is no device' "$tmp/log" || {
		cat "$tmp/log" >&2
		exit 1
	}
	echo "1..0 # SKIP $(cut -d: -f3- "$tmp/log")"
	exit 0
fi
head -n 1 "$tmp/log"
failed=0

# -- tests -------------------------------------------------------------------------

prove "$tests/test_backend" "$tests/test_net" "$tests/test_learn" "$tests/test_augment" "$tests/test_maps" "$tests/test_train" \
	"$tests/test_ranks" "$here/0430-cuda.t" "$here/0455-nccl.t"
if command -v compute-sanitizer >/dev/null; then
	for tool in memcheck racecheck initcheck synccheck; do
		for test in test_backend test_net test_learn; do
			timeout 1800 compute-sanitizer --tool $tool --error-exitcode 1 \
				"$tests/$test" >"$tmp/log" 2>&1 && result='no errors' ||
				result=errors failed=1
			[ "$result" = errors ] && cat "$tmp/log"
			echo "compute-sanitizer --tool $tool: $test: $result"
		done
	done
else
	echo "compute-sanitizer: not there, skipped"
fi

# -- times -------------------------------------------------------------------------

# epoch NET EPOCHS: seconds per epoch, from the difference between a long and a short
# run.  EPOCHS should take seconds, as the start of a GPU varies by tenths of one.
epoch() {
	for epochs in 2 $(($2 + 2)); do
		start=$(date +%s%N)
		timeout 600 kfkd-train -q -n $1 -e $epochs "$tmp/faces" >/dev/null
		echo "$start $(date +%s%N)"
	done | awk -v n=$2 '{ took = ($2 - $1) / 1e9 - took } END { print took / n }'
}

rate=$("$tests/copy_rate")
echo "copying on the device: $rate GB/s"
printf 'net\tepoch s\tkernels a step\tproducts a step\tMB a step\tGB/s\tshare\tTFLOP/s\n'
# 2,164 rows: 433 validate in 4 batches, 1,731 are trained on in 14
for run in 'net1 1000' 'net2 200' 'net7 100'; do
	net=${run% *}
	"$tests/step_cost" $net 96 30 128 | awk -v net=$net -v took="$(epoch $run)" \
		-v rate="$rate" '
		{ launches[NR] = $2; products[NR] = $3; bytes[NR] = $4; flop[NR] = $5 }
		END {
			moved = (bytes[1] * 1731 + bytes[2] * 433) / 128 / 1e9
			did = (flop[1] * 1731 + flop[2] * 433) / 128 / 1e12
			printf "%s\t%.4f\t%d\t%d\t%.0f\t%.0f\t%.2f\t%.2f\n", net, took,
				launches[1], products[1], bytes[1] / 1e6, moved / took,
				moved / took / rate, did / took
		}'
done
exit $failed
