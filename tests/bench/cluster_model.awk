# What a step takes with 2 to 64 ranks, from what it takes one process: the table in
# kfkd-cluster(7), which states the assumptions.
#
#   awk -f cluster_model.awk [-v gbit="1 10 100"] [-v latency="50 20 5"] [-v norm=2] FILE
#
# FILE has lines of a net, its parameters, its batchnorms, rows and seconds of a step of so
# many rows, with tabs between and a heading; cluster.sh measures them.  `latency` is of
# one message, in microseconds, for each speed; `norm` is how many sums over all ranks a
# batchnorm needs in a step.
#
# A ring adds up n bytes of R ranks in 2 (R - 1) messages of n / R bytes that each rank
# sends and receives; log2(R) messages are enough for what is small: the counts of targets
# and the sums of batchnorms.

BEGIN {
	FS = "\t"
	speeds = split(gbit == "" ? "1 10 100" : gbit, speed, " ")
	split(latency == "" ? "50 20 5" : latency, wait, " ")
	if (norm == "")
		norm = 2
}

FNR == 1 { next }

# the first line of a net has the whole batch
$1 != net {
	net = $1
	bytes = 4 * $2
	batch = $4
	alone = $5
	printf "%s%s: %.1f MB a step; ms\n", (NR > 2 ? "\n" : ""), net, bytes / 1e6
	printf "ranks  rows  computing"
	for (i = 1; i <= speeds; i++)
		printf "%16s", speed[i] " Gbit/s"
	print ""
}

{
	ranks = batch / $4
	printf "%5d %5d %10s", ranks, $4, digits(1000 * $5)
	for (i = 1; i <= speeds; i++) {
		t = $5 + sums(speed[i] * 1e9 / 8, wait[i] / 1e6)
		printf " %8s %6s", digits(1000 * t), digits(alone / t)
	}
	print ""
}

# Three digits.
function digits(x) {
	return sprintf(x < 10 ? "%.2f" : x < 100 ? "%.1f" : "%.0f", x)
}

# The seconds that a step's sums over the ranks take, of bytes a second and seconds a
# message.
function sums(rate, message) {
	ring = 2 * (ranks - 1) * (bytes / ranks / rate + message)
	return ring + (1 + norm * $3) * log(ranks) / log(2) * message
}
