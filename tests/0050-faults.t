#!/bin/sh
# Memory that runs out and system calls that fail, in a few places of every program;
# `make check-faults` tries all of them.
. "${0%/*}/lib.sh"
here=$(cd "${0%/*}" && pwd)

if grep -q __asan_init "$KFKD_BUILD/bin/kfkd-cat"; then
	skip "faults" "the address checker has an allocator of its own"
	done_testing
fi

ok "every fault is harmless or reported" sh "$here/faults.sh" 97

# -- mistakes and a lack of memory are told apart -------------------------------------

# short N COMMAND ...: its N-th allocation and all after it fail.
short() {
	at=$1
	shift
	echo "env FAULTS_AT=$at FAULTS_AFTER=yes LD_PRELOAD=$KFKD_BUILD/tests/faults.so $*"
}

refuses "no memory for --columns" 1 '^kfkd-load: out of memory$' \
	$(short 1 kfkd-load --columns a_x,a_y)
refuses "no memory for --augment" 1 '^kfkd-train: out of memory$' \
	$(short 1 kfkd-train --augment flip)
ok "help needs none" $(short 1 kfkd-plot --help)

# -- a batch without memory is not skipped --------------------------------------------

cd "$tmp" || exit 1
kfkd-synth -n 8 | awk -f "$here/shrink.awk" | kfkd-load | kfkd-scale -o faces
kfkd-train -q -t 1 -n dense -e 1 -o model faces
FAULTS_COUNT=count LD_PRELOAD=$KFKD_BUILD/tests/faults.so \
	kfkd-predict -t 1 -m model -o found faces
n=$(cat count) silent=
while [ "$n" -gt $(($(cat count) - 120)) ]; do
	FAULTS_AT=$n LD_PRELOAD=$KFKD_BUILD/tests/faults.so \
		kfkd-predict -t 1 -m model faces >out 2>err && ! cmp -s out found &&
		silent="$silent $n"
	n=$((n - 1))
done
is "predictions are right or there are none" "$silent" ""
done_testing
