#!/bin/sh
# A random search: nets with other rates, momenta, batches and layers, a table of what each
# came to, and the learning curves of the best.
#
#   sh search.sh [jobs] [TRAINING.csv [DIRECTORY]]
#
# writes to DIRECTORY, by default ./search.  TRAINING.csv has Kaggle's layout; without it,
# faces are drawn.  A run that is there already is not repeated: so a search that was
# stopped goes on, also with more RUNS.  With `jobs`, it leaves the runs to other machines.
#
#   RUNS    how many (20)
#   NETS    layers to choose from, with commas between
#   EPOCHS  passes over the rows, of each net (30)
#   BEST    of how many the curves are drawn (5)
#   JOBS    how many nets learn at a time (the number of processors)
#   ROWS    how many faces to draw (2000)
set -eu
runs=${RUNS:-20}
nets='dense100 relu dense, dense500 relu drop.5 dense'
nets=${NETS:-$nets, pool2 conv16x3 relu pool2 conv32x3 relu pool2 dense200 relu dense}
epochs=${EPOCHS:-30}
best=${BEST:-5}
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
			"--patience $((epochs / 4 + 1)) --threads 1 --log $run.tsv faces.kfkd"
	}
done | settle_jobs

status=0
run_jobs "$runs nets" diverged || status=1

# -- the table ------------------------------------------------------------------

# fields NAME ...: those columns of a table
fields() {
	awk -F '\t' -v names="$*" 'BEGIN { n = split(names, name, " ") }
		FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
		{ for (i = 1; i <= n; i++)
			printf "%s%s", $at[name[i]], i < n ? "\t" : "\n" }'
}

# Of runs whose loss grew without bound there is no model: the same columns, as far as they
# are known.
diverged() {
	for run in $(seq "$runs"); do
		if [ ! -e "$run.kfkd" ] && grep -qs 'loss is not finite' "$run.log"; then
			printf '%s\t%s\n' "$run.kfkd" "$(draw "$run")"
		fi
	done | awk -F '\t' -v header="$1" '{
		of["file"] = $1; of["train.rate"] = $2; of["train.momentum"] = $3
		of["train.batch"] = $4; of["net"] = $5
		of["valid_loss"] = of["train_loss"] = of["px"] = "inf"
		n = split(header, name, "\t")
		for (i = 1; i <= n; i++)
			printf "%s%s", name[i] in of ? of[name[i]] : "-", i < n ? "\t" : "\n"
	}'
}

# the models of these runs that are there
models() {
	for run in $(seq "$runs"); do
		[ ! -e "$run.kfkd" ] || echo "$run.kfkd"
	done
}

header='file	epochs	best_epoch	valid_loss	px	train_loss	seconds	net'
header="$header	train.rate	train.momentum	train.batch"
if [ "$(models)" ]; then
	kfkd-stat --table --logs .tsv --output models.tsv $(models)
	IFS= read -r header <models.tsv
else
	echo "$header" >models.tsv
fi
{
	head -n 1 models.tsv
	{ tail -n +2 models.tsv; diverged "$header"; } | sort -t "$tab" -g -k 4,4
} >search.tsv
rm models.tsv

step "The best:"
fields px best_epoch file train.rate train.momentum train.batch net <search.tsv | head -n $((best + 1))
if [ "$(models)" ]; then
	kfkd-plot --curve --colour --output best.ppm \
		$(fields valid_loss file <search.tsv | sed -n "2,$((best + 1))s/^[0-9].*$tab//p")
fi

step "Done.  In $PWD there are
  search.tsv   all runs, the best first, as kfkd-stat --table --logs .tsv has them; a loss
               that grew without bound is inf
  best.ppm     learning curves of the best
  *.kfkd       their nets; *.tsv has the epochs of each, as they come, and *.log what
               kfkd-train said
  jobs         the commands that trained them"
exit $status
