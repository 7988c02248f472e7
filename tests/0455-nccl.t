#!/bin/sh
# Several processes with a GPU each, or with one for all, joined by NCCL: the losses of one
# process.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
cd "$tmp" || exit 1
OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
kfkd-synth -n 40 -s 1 --missing .5 | awk -f "$here/shrink.awk" | kfkd-load | kfkd-scale >faces

plugins=$KFKD_BUILD/lib/kfkd
mkdir none
cp "$plugins/backend_cpu.so" none
KFKD_PLUGINS=none refuses "without the plugin, what is missing is said" 1 \
	"cannot open its plugin.*make nccl" kfkd-train -b cpu --comm nccl -e 1 -o model faces
if [ ! -f "$plugins/comm_nccl.so" ] || [ ! -f "$plugins/comm_mpi.so" ] ||
	! command -v mpirun >/dev/null; then
	skip "ranks joined by NCCL" "there is no MPI, or make nccl was not run"
	done_testing
fi
if ! kfkd-train -q -b cuda -e 0 faces >model 2>said; then
	skip "ranks joined by NCCL" "$(cut -d: -f2- said)"
	done_testing
fi

# ranks N COMMAND ...: N ranks, which NCCL lets share a GPU if it takes them for those of
# several machines
ranks() {
	ranks_n=$1
	shift
	KFKD_COMM=nccl KFKD_BACKEND=cuda limited mpirun --oversubscribe -n "$ranks_n" \
		sh -c 'NCCL_HOSTID=$OMPI_COMM_WORLD_RANK exec "$@"' sh "$@"
}

for n in 2 3; do
	ranks $n "$KFKD_BUILD/tests/test_ranks" >found
	is "$n ranks: passes end well" "$? $(grep -v '^ok\|^#' found)" "0 1..$(grep -c '^ok' found)"
	like "... joined by NCCL" "$(grep '^#' found)" "ranks by nccl [0-9.]+ over mpi .*, $n ranks"
done

# 32 rows to train on, in batches of 12, 12 and 8
net='conv4x3 batchnorm relu pool4 res drop.2 dense20 batchnorm relu drop.5 dense'
train="kfkd-train -a flip,rotate:5 -B 12 -e 3 -r .003 -p 2"
$train -q -b cuda -n "$net" -o one faces
ranks 2 $train -n "$net" -o two faces 2>said
cat said >&2
like "a run of two ranks" "$(cat said)" "nccl [0-9.]+ over mpi"
for model in one two; do
	kfkd-stat --history $model | cut -f 2,3 >$model.tsv
done
off=$(paste one.tsv two.tsv | awk 'NR > 1 {
	for (i = 1; i <= 2; i++) {
		d = $i / $(i + 2) - 1
		if (!((d < 0 ? -d : d) <= most))
			most = d < 0 ? -d : d
	}
} END { print (NR == 4 ? most + 0 : "nothing") }')
ok "has the losses of one process (to $off)" awk "BEGIN { exit !($off <= 1e-4) }"
cp two before
ranks 2 $train -q -n "$net" -o two faces
equal "the same bytes in two runs" before two
done_testing
