# An epoch, training and validation, of 2,140 faces in batches of 128, after a
# first epoch that warms up.  net7 goes without mirroring faces, which would cost
# PyTorch more.

# At the same batches, rule and first weights, PyTorch must come to the same losses
# as kfkd, or it did other work.
same_loss() {
	awk '/^ +[0-9]+  \|/ { ours = $3 } NF == 3 && $1 + 0 { theirs = $2 }
		END { off = ours / theirs - 1; exit !(off < 0.01 && off > -0.01) }' \
		"$1.log" "$1.torch.log" || fail "$1: other losses in PyTorch"
}

# Layers alone are trained as net1 is, by the rule that PyTorch has here; of the
# tutorial's nets the presets are, too.
spec() {
	case $1 in
	net*) echo "$1" ;;
	*) kfkd-train -qn "$1" -e 0 faces | kfkd-stat | sed -n 's/^net: //p' ;;
	esac
}

# Both round the factors of products; PyTorch keeps most activations so, too.
kfkd-train -q --bf16 -e 0 -o rounds faces 2>log || sed 's/.*: //' log
bf16_once() {
	kfkd_epochs "$1.bf16" -n "$(spec "$1")" -e "$2" --bf16
	! have torch || torch_epochs "$1.bf16.torch" "$1" "$2" 128 "$threads" bf16
}

# train_once NET EPOCHS
train_once() {
	spec=$(spec "$1")
	kfkd_epochs "$1" -n "$spec" -e "$2"
	# no row of it where there are no such instructions
	[ ! -f rounds ] || bf16_once "$1" "$2"
	[ "$1" != net1 ] || data=faces.bytes kfkd_epochs net1.bytes -n net1 -e "$2"
	# a net without convolutions has nothing to compute again
	[ "$1" = net1 ] || kfkd_epochs "$1.recompute" -n "$spec" -e "$2" --recompute
	if have torch; then
		torch_epochs "$1.torch" "$1" "$2" 128 "$threads"
	fi
	if [ "$1" = net1 ] && have torch; then
		# a little faster, but many times slower beside other work: so only a few
		OMP_WAIT_POLICY=active torch_epochs net1.spin net1 8 128 "$threads"
	fi
	if [ "$1" = net1 ] && have scikit-learn; then
		peer net1.sklearn train_sklearn.py faces.safetensors "$2" 128
	fi
	"$KFKD_BUILD/tests/sgemm_rate" >>"$1.rate"
}

# report NET OPTION PEER LIMIT: with the ratios wanted to PyTorch and to the
# machine's matrix products; OPTION is one of kfkd-train, or nothing.
report() {
	us=kfkd-train${2:+ --$2} run=$1${2:+.$2}
	rate=$(median "$1.rate")
	what="$1, an epoch${2:+, --$2}"
	row "$what" "$us" s "$run"
	row "$what" "$us, of kfkd-scale --bytes" s "$run.bytes"
	row "$what" PyTorch s "$1.torch" "$3"
	row "$what" "PyTorch, its threads spinning" s "$1.spin" "$3"
	row "$what" scikit-learn s "$1.sklearn"
	row "$what" "limit: at the $rate GFLOP/s of sgemm" s \
		"$(calc "$(flop "$1" epoch) / 1e9 / $rate")" "$4"

	weights=$(awk '/^all / { print $3 }' "$1.log")
	what="$1, peak memory in training${2:+, --$2}"
	row "$what" "$us" MiB "$run.mib"
	row "$what" PyTorch MiB "$1.torch.mib"
	row "$what" scikit-learn MiB "$1.sklearn.mib"
	row "$what" "bound: 1.3 (data + 3 weights)" MiB \
		"$(calc "1.3 * 4 * (2140 * (9216 + 30) + 3 * $weights) / 2^20")" 1
}

# report_bf16 NET PEER
report_bf16() {
	what="$1, an epoch, --bf16"
	row "$what" "kfkd-train --bf16" s "$1.bf16"
	row "$what" "kfkd-train" s "$1"
	row "$what" "PyTorch, autocast" s "$1.bf16.torch" "$2"
}

# train NET EPOCHS ROUNDS PEER LIMIT
train() {
	kfkd-train -qn "$(spec "$1")" -e 0 -o "$1.start" faces
	again "$3" train_once "$1" "$2"
	# net7's dropout draws other units in PyTorch
	[ "$1" = net7 ] || ! have torch || same_loss "$1"
	[ "$1" = net7 ] || [ ! -f "$1.bf16.torch" ] || same_loss "$1.bf16"
	report "$1" "" "$4" "$5"
	[ "$1" = net1 ] || report "$1" recompute "$4" "$5"
	[ ! -f "$1.bf16" ] || report_bf16 "$1" "$4"
}

train net1 20 3 1.5 0.7
train net2 3 3 1.8 0.65
train net7 3 3 1.8 0.65
train best 3 3 1.8 0.65

# As many faces as Kaggle has, of which three in ten would be complete.
kfkd-synth -n 7049 | kfkd-load | kfkd-scale --bytes -o many
data=many kfkd_epochs many -n net1 -e 2
what="net1, peak memory in training, 7,049 faces of --bytes"
row "$what" kfkd-train MiB many.mib
row "$what" "bound" MiB 130 1

# Threads that wait for one another must not wait for a neighbour's whole turn.
# busy_once NET EPOCHS
busy_once() {
	taskset -c 1 sh -c 'while :; do :; done' &
	neighbour=$!
	kfkd_epochs "$1.busy" -n "$(spec "$1")" -e "$2"
	! have torch || torch_epochs "$1.busy.torch" "$1" "$2" 128 2
	kill $neighbour
	kfkd_epochs "$1.alone" -n "$(spec "$1")" -e "$2" -t 1
}

if [ "$(nproc)" -eq 2 ]; then
	for net in net1 net7; do
		again 3 busy_once $net $([ $net = net1 ] && echo 20 || echo 3)
		what="$net, an epoch, 1 of 2 cores busy"
		row "$what" kfkd-train s $net.busy
		row "$what" "kfkd-train -t 1, none busy" s $net.alone 0.952
		row "$what" PyTorch s $net.busy.torch
	done
fi
