#!/bin/sh
# A search: nets with other rates, momenta, batches and layers, and a table of what each
# came to.
#
#   sh search.sh [jobs] [TRAINING.csv [DIRECTORY]]
#
# writes to DIRECTORY, by default ./search.  TRAINING.csv has Kaggle's layout; without it,
# faces are drawn.  A run that is there already is not repeated: so a search goes on, also
# with more RUNS.  With `jobs`, it leaves the runs to other machines.
#
#   RUNS    how many (20)
#   NETS    layers to choose from, with commas between
#   EPOCHS  passes over the rows, of each net (30)
#   JOBS    how many nets learn at a time (the number of processors)
#   ROWS    how many faces to draw (2000)
set -eu
runs=${RUNS:-20}
nets='dense100 relu dense, dense500 relu drop.5 dense'
nets=${NETS:-$nets, pool2 conv16x3 relu pool2 conv32x3 relu pool2 dense200 relu dense}
epochs=${EPOCHS:-30}
rows=${ROWS:-2000}
. "${0%/*}/cluster/lib.sh"
enter search "$@"

# -- runs -----------------------------------------------------------------------

# draw RUN: its rate, momentum, rows in a batch and layers, with tabs between.  They follow
# from its number alone: times the powers of 1/g, where g to the fifth is g + 1, less whole
# numbers, it makes points that fill four dimensions more evenly than random ones do.
draw() {
	awk -v run="$1" -v nets="$nets" 'BEGIN {
		for (k = 1; k <= 4; k++) {
			u[k] = .5 + run / 1.1673039782614187 ^ k
			u[k] -= int(u[k])
		}
		n = split(nets, net, / *, */)
		printf "%.2g\t%.3g\t%d\t%s\n", 10 ^ (2 * u[1] - 3), 1 - 10 ^ (-.5 - 2 * u[2]),
			2 ^ int(4 + 5 * u[3]), net[int(1 + n * u[4])]
	}'
}

kfkd-load "$csv" | kfkd-scale --bytes | settle faces.kfkd
tab=$(printf '\t')
for run in $(seq "$runs"); do
	draw "$run" | {
		IFS=$tab read -r rate momentum batch net
		echo "sh job.sh $run kfkd-train --rate $rate --momentum $momentum" \
			"--batch $batch --net '$net' --epochs $epochs" \
			"--patience $((epochs / 4 + 1)) --threads 1 faces.kfkd"
	}
done | settle_jobs

status=0
run_jobs "$runs nets" diverged || status=1

# -- the table ------------------------------------------------------------------

# losses RUN: of its best epoch, for validation and training, and which that is
losses() {
	if [ -e "$1.kfkd" ]; then
		kfkd-stat --history "$1.kfkd" | tail -n +2 | sort -g -k 3 | head -n 1 |
			awk -v OFS='\t' '{ print $3, $2, $1 }'
	elif grep -qs 'loss is not finite' "$1.log"; then
		printf 'inf\tinf\t-\n'
	fi
}

for run in $(seq "$runs"); do
	found=$(losses "$run")
	[ -z "$found" ] || printf '%s\t%s\t%s\n' "$found" "$run" "$(draw "$run")"
done | sort -g | {
	printf 'valid_loss\ttrain_loss\tepoch\trun\trate\tmomentum\tbatch\tnet\n'
	cat
} >search.tsv

step "The best:"
head -n 6 search.tsv

step "Done.  In $PWD there are
  search.tsv   all runs, the best first; a loss that grew without bound is inf
  *.kfkd       their nets; *.log has what kfkd-train said of each
  jobs         the commands that trained them"
exit $status
