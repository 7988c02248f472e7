# How cost grows: with the rows of a pipeline, with threads, with the batch.

# rows TIMES: the CSV so many times
rows() {
	head -n 1 csv
	again "$1" tail -n +2 csv
}

[ -f csv ] || kfkd-synth -n 7049 -o csv
for n in 1 4 16; do
	rows $n >$n.csv
done
rows_once() {
	for n in 1 4 16; do
		clock $n.pipe sh -c 'kfkd-load "$0" | kfkd-dropna | kfkd-scale' $n.csv
	done
}
again 3 rows_once >/dev/null
for n in 1 4 16; do
	row "load | dropna | scale" "$((7049 * n)) rows" s $n.pipe
done
for n in 1 4 16; do
	memory $n.mib kfkd-load $n.csv >/dev/null
	row "kfkd-load, peak memory" "$((7049 * n)) rows" MiB $n.mib
done
rm 4.csv 16.csv

# grow NAME NET EPOCHS BATCH THREADS
grow() {
	grow_once() {
		kfkd_epochs "$1" -n "$2" -e "$3" -B "$4" -t "$5"
		! have torch || torch_epochs "$1.torch" "$2" "$3" "$4" "$5"
	}
	again 2 grow_once "$@"
	row "$2, batch $4, threads $5" kfkd-train s "$1"
	row "$2, batch $4, threads $5" PyTorch s "$1.torch"
}

for net in net1 net2; do
	kfkd-train -qn $net -e 0 -o $net.start faces
done
for t in $(seq "$threads"); do
	grow t$t.1 net1 20 128 "$t"
	grow t$t.2 net2 2 128 "$t"
done
for b in 16 32 64 256 512 1024; do
	grow b$b.1 net1 20 $b "$threads"
done
for b in 16 1024; do
	grow b$b.2 net2 2 $b "$threads"
done
