# What the parts of the benchmark share: clocks, medians, rows of the table.
# They run in an empty directory; $table is the file of rows, $python starts the peers.

threads=$(nproc)
export OMP_NUM_THREADS="$threads" POLARS_MAX_THREADS="$threads"

# Whether the peer is installed.
have() {
	grep -q "^$1 " versions
}

# again N COMMAND ...
again() {
	times=$1
	shift
	for _ in $(seq "$times"); do
		"$@"
	done
}

# -- measuring -------------------------------------------------------------------

fail() {
	echo "failed: $*" >&2
	cat log >&2
	exit 1
}

# clock FILE COMMAND ...: adds the seconds that it took to the file.
clock() {
	perl -MTime::HiRes=time -e 'open my $to, ">>", shift; my $start = time;
		system(@ARGV) and exit 1; printf $to "%.6f\n", time - $start' \
		"$@" 2>log || fail "$@"
}

# memory FILE COMMAND ...: adds the most memory that it held, in MiB.
memory() {
	mib=$1
	shift
	"$KFKD_BUILD/tests/maxrss" kib "$@" || fail "$@"
	awk '{ print $1 / 1024 }' kib >>"$mib"
}

# peer FILE SCRIPT ARGUMENT ...: adds what it says of itself to the file, seconds
# mostly, and the memory that it held to FILE.mib.
peer() {
	to=$1 script=$2
	shift 2
	memory "$to.mib" "$python" "$bench/$script" "$@" >>"$to" 2>log
}

# kfkd_epochs FILE ARGUMENT ...: trains on faces, or $data, and adds each epoch's seconds
# to FILE and the memory to FILE.mib.  An epoch is from one line of the log to the next,
# since the log's own times are rounded.  The best weights are not kept, as PyTorch's are
# not.
kfkd_epochs() {
	epochs=$1
	shift
	memory "$epochs.mib" kfkd-train -a none --last "$@" "${data:-faces}" 2>&1 >/dev/null |
		tee "$epochs.log" | perl -MTime::HiRes=time -ne 'next unless /^ +\d+  \|/;
			$t = time; printf "%.6f\n", $t - $last if $last; $last = $t' >>"$epochs"
	if ! grep -q '^best valid loss' "$epochs.log"; then
		cp "$epochs.log" log
		fail kfkd-train "$@"
	fi
}

# torch_epochs FILE NET EPOCHS BATCH THREADS [bf16]: the same of PyTorch.
torch_epochs() {
	epochs=$1 net=$2
	shift 2
	rm -f "$epochs.log"
	peer "$epochs.log" train_torch.py "$net.start" faces.safetensors "$@"
	mv "$epochs.log.mib" "$epochs.mib"
	awk 'NR > 1 { print $1 }' "$epochs.log" >>"$epochs"
}

# steps FILE NET ROWS COMMAND ...: kfkd-train, as the command starts it, trains the preset
# by batches of so many rows; adds the seconds of a step to FILE, in each of 3 or more
# epochs of 10 to 40 steps.
steps() {
	steps_to=$1 steps_rows=$3
	steps=$((1280 / $3 > 40 ? 40 : 1280 / $3))
	case $2 in
	net1) epochs=21 ;;
	*) epochs=4 ;;
	esac
	net=$2
	shift 3
	kfkd-head -n $((steps * steps_rows)) -o some.rows faces
	"$@" -n "$net" -B "$steps_rows" -e $epochs -v 0 -o trained some.rows 2>&1 |
		perl -MTime::HiRes=time -ne 'BEGIN { $steps = shift } next unless /^ +\d+  \|/;
			$t = time; printf "%.7f\n", ($t - $last) / $steps if $last; $last = $t' \
			$steps >>"$steps_to"
}

# flop NET epoch|face
flop() {
	kfkd-train -n "$1" -e 0 faces 2>&1 >/dev/null | awk -v of="$2" -f "$bench/flop.awk"
}

median() {
	sort -g "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

calc() {
	awk "BEGIN { printf \"%.6g\", $1 }"
}

# -- the table -------------------------------------------------------------------

# row WORK WHO UNIT VALUE [WANT]: VALUE may be a file of values, whose median
# counts; where a peer is missing there is no such file, and no row.  WANT is the
# least ratio to the work's first row that is good enough.
row() {
	case $4 in
	*[!0-9.e+-]*)
		[ -f "$4" ] || return 0
		value=$(median "$4") ;;
	*)
		value=$4 ;;
	esac
	if [ "$1" != "${work:-}" ]; then
		work=$1 ours=$value
		echo
	fi
	echo "$1	$2	$value	$3	$ours	${5:-}" | awk -F '\t' -v OFS='\t' '
		function short(x) { return sprintf(x < 1000 ? "%.3g" : "%.0f", x) }
		{
			ratio = $3 / $5
			reached = $6 == "" ? "" : ratio >= $6 ? "yes" : "no"
			print $1, $2, short($3), $4, short(ratio), $6, reached
		}' |
		tee -a "$table" | print_rows
}

print_rows() {
	awk -F '\t' '{ printf "%-36s %-36s %8s %-4s %6s %6s %s\n", $1, $2, $3, $4, $5, $6, $7 }'
}
