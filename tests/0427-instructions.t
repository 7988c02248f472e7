#!/bin/sh
# The backend's inner loops for instructions of older processors, which others run only
# when they are told so.
. "${0%/*}/lib.sh"

[ "$(uname -m)" = x86_64 ] || {
	skip "older instructions" "not an x86"
	done_testing
}
KFKD_BACKEND=cpu
export KFKD_BACKEND
for isa in AVX2 SSE41; do
	for test in test_backend test_net; do
		ok "$test with no more than $isa" env DNNL_MAX_CPU_ISA=$isa \
			"$KFKD_BUILD/tests/$test"
	done
done
done_testing
