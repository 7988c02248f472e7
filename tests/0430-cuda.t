#!/bin/sh
# The CUDA backend against the CPU's, in complete runs on small images; where it
# cannot run, its messages.
. "${0%/*}/lib.sh"

here=$(cd "${0%/*}" && pwd)
cd "$tmp" || exit 1
kfkd-synth -n 60 -s 1 --missing .5 | awk -f "$here/shrink.awk" |
	kfkd-load | kfkd-scale >faces
unset KFKD_BACKEND

# -- without it --------------------------------------------------------------------

mkdir none
mkdir cpu
cp "$KFKD_BUILD/lib/kfkd/backend_cpu.so" cpu
KFKD_PLUGINS=cpu kfkd-train -e 0 faces >model 2>said
like "auto without a plugin for CUDA takes the CPU" "$(head -n 1 said)" '^backend cpu '
KFKD_PLUGINS=none refuses "no plugin" 1 "backend cuda: cannot open its plugin 'none/.*': No such" \
	kfkd-train -b cuda -e 0 faces
KFKD_PLUGINS=none KFKD_BACKEND=cuda refuses "no plugin, by KFKD_BACKEND" 1 \
	"backend cuda: cannot open its plugin" kfkd-predict -m model faces

if ! kfkd-train -q -b cuda -e 0 faces >model 2>said; then
	like "what is missing is said" "$(cat said)" \
		'^kfkd-train: backend cuda: (cannot open its plugin|cannot load its plugin|there is no|the NVIDIA driver|no device)'
	why=$(cut -d: -f2- said)
	kfkd-train -e 0 faces >model 2>said
	like "auto takes the CPU then" "$(head -n 1 said)" '^backend cpu '
	skip "whole runs on CUDA" "$why"
	done_testing
fi

# -- with it -----------------------------------------------------------------------

kfkd-train -b cuda -e 0 --tf32 faces 2>said >model
like "the log names the device, and TF32" "$(head -n 1 said)" '^backend cuda \(.*, TF32\)$'
kfkd-train -b cuda -e 0 faces 2>said >model
like "which is off unless asked for" "$(head -n 1 said)" '^backend cuda \(.* MiB\)$'

# Losses of two models, epoch by epoch: the largest relative difference.
difference() {
	kfkd-stat --history "$1" | cut -f 2,3 >one
	kfkd-stat --history "$2" | cut -f 2,3 >two
	paste one two | awk '
		function apart(a, b) { a = a / b - 1; return a < 0 ? -a : a }
		NR > 1 {
			n++
			for (i = 1; i <= 2; i++)
				if (apart($i, $(i + 2)) > worst)
					worst = apart($i, $(i + 2))
		}
		END { print n ? worst + 0 : 9 }'
}

# Trains on both, to the same losses.
same_losses() {
	name=$1
	shift
	rm -f cpu.kfkd cuda.kfkd
	kfkd-train -q -b cpu "$@" -o cpu.kfkd
	kfkd-train -q -b cuda "$@" -o cuda.kfkd
	off=$(difference cpu.kfkd cuda.kfkd)
	ok "$name: the CPU's losses ($off)" awk "BEGIN { exit !($off <= 1e-4) }"
}

every='conv4x3 relu pool2 drop.2 conv6x2 tanh pool3 conv8x2 sigmoid dense20 leakyrelu drop.5 dense'
branches='conv8x3p1s2 batchnorm relu res save pool2 res12 upscale2 add12x1 leakyrelu drop.1 maps softargmax'
same_losses "net1" -e 5 faces
if kfkd-train -b cuda -e 5 --bf16 -o rounded.kfkd faces 2>said; then
	like "the log names bf16" "$(head -n 1 said)" '^backend cuda \(.*, bf16\)$'
	off=$(difference cpu.kfkd rounded.kfkd)
	ok "... whose losses are near ($off)" awk "BEGIN { exit !($off <= .02) }"
else
	like "what --bf16 lacks is said" "$(cat said)" \
		'^kfkd-train: backend cuda: .*, has no bf16 instructions \(8.0 and later have\)$'
fi
same_losses "net1 with flips, in shuffled batches" -a flip -S -B 16 -e 5 faces
same_losses "every kind of layer, all of augmentation, missing targets" -n "$every" \
	-a flip,shift:2,rotate:5,scale:.1,contrast:.2,brightness:.1,shear:5,hole:4 -B 16 -e 5 faces
same_losses "branches, batch norm and softargmax" -n "$branches" -a flip,contrast:.2 \
	-u adam -r .01 -B 16 -e 4 faces
same_losses "batch norm of units" -n 'avgpool2 dense20 batchnorm relu avgpool dense' -r .1 \
	-B 16 -e 4 faces
for loss in smoothl1 wing wing:3,.5; do
	same_losses "loss $loss" -n "$every" -l $loss -a flip -r .1 -B 16 -e 3 faces
done
same_losses "the best weights restored" -n "$every" -p 2 -r .5 -B 16 -e 6 faces
for rule in $(cut -f 1 "$here/vectors/net1.tsv" | uniq); do
	same_losses "$rule" -n 'conv4x3 relu pool2 dense' -u $rule -w .001 -B 16 -e 2 faces
done

for net in "$every" "$branches"; do
	kfkd-train -q -b cpu -n "$net" -B 16 -e 2 faces -o model
	kfkd-predict -b cpu -m model faces | kfkd-score | tail -n 1 >cpu.score
	kfkd-predict -b cuda -m model faces | kfkd-score | tail -n 1 >cuda.score
	equal "predictions score the same" cuda.score cpu.score
done

# -- scaled bytes ----------------------------------------------------------------------

kfkd-scale --undo faces | kfkd-scale --bytes >bytes
kfkd-scale --undo faces | kfkd-scale >floats

# of_bytes NAME OPTION ...: trains on both kinds, and predicts mirrored, too
of_bytes() {
	name=$1
	shift
	for f in bytes floats; do
		kfkd-train -q -b cuda -B 16 -e 2 "$@" $f -o $f.kfkd
		kfkd-predict -b cuda -m $f.kfkd --flip $f 2>said | kfkd-scale --undo >$f.found
	done
	equal "$name: a model of bytes is that of floats" bytes.kfkd floats.kfkd
	equal "... and so are predictions" bytes.found floats.found
}
of_bytes "batches in order" -n 'dense20 relu dense'
of_bytes "shuffled, warped images" -n "$every" -S -a flip,rotate:5,contrast:.2,hole:4
of_bytes "branches" -n "$branches"

# -- images beyond memory --------------------------------------------------------------

kfkd-cat --single faces -o whole.kfkd
for memory in '' '--memory 60K'; do
	kfkd-train -b cuda -n "$every" -S -a flip -B 16 -e 3 $memory -o "beyond$memory" \
		whole.kfkd 2>said
done
like "some images stay in the file" "$(cat said)" 'do not fit into memory'
equal "... and the model is the same" beyond "beyond--memory 60K"

# -- classes -------------------------------------------------------------------------

# Ten classes, each with bright columns at a different position, in noise.
perl -e 'srand 3;
	open my $images, ">:raw", "images"; open my $labels, ">:raw", "labels";
	print $images pack("CCCCN3", 0, 0, 8, 3, 60, 16, 16);
	print $labels pack("CCCCN", 0, 0, 8, 1, 60);
	for my $i (0 .. 59) {
		print $labels pack("C", $i % 10);
		print $images pack("C*", map { my $x = $_ % 16;
			rand(100) + ($x >= $i % 10 && $x < $i % 10 + 5 ? 150 : 0) } 0 .. 255)
	}'
kfkd-load -l labels images | kfkd-scale >classes
classifier='conv4x5 relu pool4 dense20 relu dense'
same_losses "cross-entropy" -n "$classifier" -l crossentropy \
	-a shift:1 -r .1 -B 16 -e 4 classes

# accuracy BACKEND: the share of validation that is right, epoch by epoch
accuracy() {
	kfkd-train -b "$1" -n "$classifier" -l crossentropy -r .1 -B 16 -e 8 classes \
		2>&1 >/dev/null | sed -n 's/^ *[0-9]*  |.*| *\([0-9.]*\)%  |.*s$/\1/p'
}
accuracy cpu >cpu.accuracy
accuracy cuda >cuda.accuracy
is "an accuracy for each of 8 epochs" "$(wc -l <cpu.accuracy)" 8
ok "which differ" test "$(sort -u cpu.accuracy | wc -l)" -gt 1
equal "and are the CPU's" cuda.accuracy cpu.accuracy

# Scores of the same model on both.
kfkd-train -q -b cpu -n "$classifier" -l crossentropy -r .1 -B 16 -e 8 classes -o model
kfkd-predict -b cpu -m model classes | kfkd-score >cpu.score
kfkd-predict -b cuda -m model classes | kfkd-score >cuda.score
like "classes are predicted" "$(tail -n 1 cpu.score)" '^overall	(0\.[1-9]|1)'
equal "with the CPU's accuracy" cuda.score cpu.score

# -- checkpoints ---------------------------------------------------------------------

train() {
	kfkd-train -q -n "$net" -a flip -S -B 16 -p 3 "$@" faces
}
for net in "$every" "$branches"; do
	rm -f whole
	train -b cpu -e 6 -o whole
	for backends in 'cpu cuda' 'cuda cpu'; do
		rm -f point part resumed
		train -b ${backends% *} -e 3 -c point -o part
		train -b ${backends#* } -e 6 -R point -o resumed
		off=$(difference whole resumed)
		ok "a run of ${backends% *} goes on with ${backends#* } ($off)" \
			awk "BEGIN { exit !($off <= 1e-4) }"
	done
done
done_testing
