# Seconds of a step by the rows in it, and from them, by cluster_model.awk, what ranks would
# take on machines like this one.  What it goes by is left in build/cluster.tsv;
# cluster.tsv, beside this file, is what the table in kfkd-cluster(7) goes by.

cluster_once() {
	for net in net1 net7 best; do
		for rows in 128 64 32 16 8 4 2; do
			steps $net.$rows.steps $net $rows kfkd-train
		done
	done
}
again 3 cluster_once

inputs=$KFKD_BUILD/cluster.tsv
printf 'net\tparameters\tnorms\trows\tseconds\n' >"$inputs"
for net in net1 net7 best; do
	kfkd-train -n $net -e 0 faces 2>log >/dev/null
	for rows in 128 64 32 16 8 4 2; do
		printf '%s\t%s\t%s\t%s\t%.6f\n' $net \
			"$(sed -n 's/^all .* //p' log)" \
			"$(grep -c '^batchnorm' log)" $rows "$(median $net.$rows.steps)"
	done
done >>"$inputs"
awk -f "$bench/cluster_model.awk" "$inputs"
