#!/bin/sh
# --bf16: losses near to those of float32, the same bytes each time, and what it says
# where a processor lacks the instructions.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
KFKD_BACKEND=cpu
export KFKD_BACKEND

kfkd-synth -n 60 -s 1 | kfkd-load | kfkd-scale >faces
# in the second, rounding grows less
net='pool2 conv16x3p1 batchnorm relu pool2 res24 pool2 conv32x3 tanh drop.2 dense40 relu dense'
plain='pool2 conv16x3p1 relu pool2 drop.1 conv24x3 leakyrelu pool2 conv32x3s2 tanh dense40 relu dense'

train() {
	kfkd-train -n "$net" -a flip,shift:2 -S -B 16 -e 6 "$@" faces
}

# -- without them ------------------------------------------------------------------

lacks='backend cpu: this processor has no bf16 instructions \(avx512_bf16 or amx_bf16\)$'
for isa in AVX2 AVX512_CORE; do
	DNNL_MAX_CPU_ISA=$isa refuses "training where there is no more than $isa" 1 \
		"^kfkd-train: $lacks" kfkd-train --bf16 -o model faces
done
ok "... writes no model" test ! -e model
train -q -o exact
DNNL_MAX_CPU_ISA=AVX2 refuses "predicting there" 1 "^kfkd-predict: $lacks" \
	kfkd-predict --bf16 -m exact faces

if ! kfkd-train -q --bf16 -e 0 faces >model 2>said; then
	like "what is missing is said" "$(cat said)" "^kfkd-train: $lacks"
	skip "runs with --bf16" "$(cut -d: -f3- said)"
	done_testing
fi

# -- with them ---------------------------------------------------------------------

# near FILE FILE LIMIT: of two models, all losses; some of them differ
near() {
	for model in "$1" "$2"; do
		kfkd-stat --history "$model" | tail -n +2 | cut -f 2,3 >"$model.losses"
	done
	paste "$1.losses" "$2.losses" | awk -v limit="$3" '
		function apart(a, b) { a = a / b - 1; return a < 0 ? -a : a }
		{
			for (i = 1; i <= 2; i++) {
				off = apart($i, $(i + 2))
				some += off > 0
				if (!(off <= limit)) { print "epoch", NR, off; bad = 1 }
			}
		}
		END { exit bad || !some }'
}

train --bf16 2>said >one
like "the log says so" "$(head -n 1 said)" '^backend cpu \(.*, bf16\)$'
near one exact .1 >off
is "losses are near to those of float32" "$? $(cat off)" "0 "
train -q -n "$plain" -o smooth
train -q -n "$plain" --bf16 -o rough
near rough smooth .005 >off
is "... and differ by less than 0.5% in a net without batch norm" "$? $(cat off)" "0 "
train -q --bf16 -o two
equal "two runs write the same bytes" one two
train -q --bf16 --recompute -o two
equal "... with --recompute, too" one two
train -q --bf16 -t 1 -o first
train -q --bf16 -t 3 -o third
equal "... with other threads, too" first third
is "the model notes it" "$(kfkd-stat one | grep '^bf16: ')" "bf16: yes"
is "... and no other does" "$(kfkd-stat exact | grep -c bf16)" 0

# Predictions of the same weights.
kfkd-predict -m one faces >predicted
kfkd-predict -m one --bf16 faces >rounded
differ "predictions are rounded" predicted rounded
for way in predicted rounded; do
	kfkd-score $way | tail -n 1 | cut -f 2 >$way.score
done
ok "... and score the same, but for a hundredth" sh -c 'paste predicted.score rounded.score |
	awk "{ exit !(\$1 > 0 && (\$1 / \$2 - 1) ^ 2 < 1e-4) }"'

# -- resuming ----------------------------------------------------------------------

rm -f point
kfkd-train -q -n "$net" --bf16 -a flip,shift:2 -S -B 16 -e 3 -c point -o part faces
train -q --bf16 -R point -o resumed
equal "a run goes on to the same bytes" one resumed
refuses "... but not in float32" 1 "cannot resume from 'point': it was made with --bf16 yes" \
	kfkd-train -q -n "$net" -a flip,shift:2 -S -B 16 -e 6 -R point faces
rm -f point
kfkd-train -q -n "$net" -a flip,shift:2 -S -B 16 -e 3 -c point -o part faces
refuses "... nor the other way" 1 "cannot resume from 'point': it was made without --bf16" \
	kfkd-train -q -n "$net" --bf16 -a flip,shift:2 -S -B 16 -e 6 -R point faces
done_testing
