# A step with 1, 2 and 4 ranks of one thread each on this machine, beside what the model
# of kfkd-cluster(7) says: through its memory, and, where root may make a network of its
# own, through one of 1 and 10 Gbit/s a rank.

# started RANKS GBIT COMMAND ...: all ranks send through one loopback, which carries what
# they send together; 0 is no network.
started() {
	ranks=$1 gbit=$2
	shift 2
	set -- mpirun --oversubscribe --bind-to none -n "$ranks" "$@"
	export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	if [ "$gbit" = 0 ]; then
		"$@"
	else
		OMPI_MCA_btl=tcp,self OMPI_MCA_btl_tcp_if_include=lo unshare -n sh -euc '
			ip link set lo up
			tc qdisc add dev lo root tbf rate "$0"gbit burst 256kb latency 200ms
			exec "$@"' $((ranks * gbit)) "$@"
	fi
}

networks="0 1 10"
started 1 1 true 2>log || networks=0

ranks_once() {
	for net in net1 net7 best; do
		for ranks in 1 2 4; do
			steps $net.$ranks.alone $net $((128 / ranks)) kfkd-train -t 1
			for gbit in $networks; do
				steps $net.$ranks.$gbit $net 128 started $ranks $gbit kfkd-train -t 1
			done
		done
	done
}
again 3 ranks_once

# Ranks that have no processor of their own take turns.
for net in net1 net7 best; do
	kfkd-train -n $net -e 0 faces 2>log >/dev/null
	bytes=$((4 * $(sed -n 's/^all .* //p' log)))
	for ranks in 1 2 4; do
		turns=$((ranks > threads ? ranks / threads : 1))
		for gbit in $networks; do
			what="$net, $ranks ranks, $gbit Gbit/s"
			row "$what" kfkd-train s $net.$ranks.$gbit
			sums=0
			[ "$gbit" = 0 ] || sums="2 * ($ranks - 1) / $ranks * $bytes / ($gbit * 1.25e8)"
			row "$what" model s "$(calc "$turns * $(median $net.$ranks.alone) + $sums")"
		done
	done
done
