# Predicting as many faces as Kaggle's test set has, and one from a cold start.

kfkd-head -n 1783 -o many faces
kfkd-head -n 1 -o one faces
kfkd-synth -t -n 1 -o one.csv
for n in many one; do
	kfkd-cat --single -o $n.safetensors $n
done
! have numpy || "$python" "$bench/to_npy.py" one.safetensors one.npy

# Of the peers' batches from 64 to 1,783 faces 256 were the fastest.
# peer_predicts PEER MODEL
peer_predicts() {
	[ -f "$2" ] && have "$1" || return 0
	clock "$net.$1.whole" "$KFKD_BUILD/tests/maxrss" kib \
		"$python" "$bench/predict_$1.py" "$2" many.safetensors "$net.$1.npy" 256 "$threads" \
		>seconds
	awk '{ print $1 / 1024 }' kib >>"$net.$1.predict.mib"
	cut -d ' ' -f 1 seconds >>"$net.$1.warm"
	cut -d ' ' -f 2 seconds >>"$net.$1.alone"
	clock "$net.$1.cold" "$python" "$bench/face_$1.py" "$2" one.npy >/dev/null
}

predict_once() {
	# first, since memory that a peer gave back may come slowly from a host
	"$KFKD_BUILD/tests/predict_rate" "$net.kfkd" many "$threads" >>"$net.alone"
	clock "$net.whole" kfkd-predict -m "$net.kfkd" many >/dev/null
	clock "$net.lean" kfkd-predict --no-images -m "$net.kfkd" many.safetensors >/dev/null
	clock "$net.cold" kfkd-predict -m "$net.kfkd" one >/dev/null
	paste "$net.lean" "$net.cold" | awk '{ d = $1 - $2 } END { print d }' >>"$net.warm"
	clock "$net.line" sh -c 'kfkd-load one.csv | kfkd-scale | kfkd-predict -m "$0"' \
		"$net.kfkd" >/dev/null
	clock "$net.cat" cat "$net.kfkd" >/dev/null
	peer_predicts torch "$net.kfkd"
	peer_predicts onnxruntime "$net.onnx"
	"$KFKD_BUILD/tests/sgemm_rate" >>"$net.predict.rate"
}

# predict NET MS CATS: one face may take MS milliseconds from a cold start and
# CATS times what it takes to read the model.
predict() {
	net=$1
	kfkd-train -qn "$net" -e 1 -o "$net.kfkd" faces
	! have onnx || "$python" "$bench/onnx_export.py" "$net.kfkd" "$net.onnx"
	again 5 predict_once

	kfkd-predict -m "$net.kfkd" many | kfkd-cat --single -o found
	for p in torch onnxruntime; do
		[ ! -f "$net.$p.npy" ] || "$python" "$bench/agree.py" found "$net.$p.npy" 2>log ||
			fail "$net in $p"
	done

	what="$net, 1,783 faces in memory"
	row "$what" "what kfkd-predict does with them" s "$net.alone"
	row "$what" PyTorch s "$net.torch.alone" 1.3
	row "$what" "ONNX Runtime" s "$net.onnxruntime.alone" 1
	rate=$(median "$net.predict.rate")
	row "$what" "limit: at the $rate GFLOP/s of sgemm" s \
		"$(calc "1783 * $(flop "$net" face) / 1e9 / $rate")"

	what="$net, 1,783 faces, whole process"
	row "$what" "kfkd-predict --no-images" s "$net.lean"
	row "$what" PyTorch s "$net.torch.whole" 1.3
	row "$what" "ONNX Runtime" s "$net.onnxruntime.whole" 1
	row "$what" "kfkd-predict, which passes them on" s "$net.whole"

	# The same file, which all use where it lies in memory, and kfkd checks, too.  The
	# peers are running processes; of kfkd it is a whole one, and that less one of a
	# single face.
	what="$net, the same when started"
	row "$what" "kfkd-predict --no-images, whole" s "$net.lean"
	row "$what" "... less one face" s "$net.warm"
	row "$what" PyTorch s "$net.torch.warm"
	row "$what" "ONNX Runtime" s "$net.onnxruntime.warm"

	what="$net, one face, cold start"
	row "$what" "kfkd-load | kfkd-scale | kfkd-predict" s "$net.line"
	row "$what" "kfkd-predict alone" s "$net.cold"
	row "$what" PyTorch s "$net.torch.cold" 1
	row "$what" "ONNX Runtime" s "$net.onnxruntime.cold" 1
	row "$what" "limit: cat of the model" s "$net.cat"
	row "$what" "bound: $2 ms + $3 cat of the model" s \
		"$(calc "$2 / 1000 + $3 * $(median "$net.cat")")" 1

	what="$net, 1,783 faces, peak memory"
	memory "$net.predict.mib" kfkd-predict -m "$net.kfkd" many >/dev/null
	row "$what" kfkd-predict MiB "$net.predict.mib"
	row "$what" PyTorch MiB "$net.torch.predict.mib"
	row "$what" "ONNX Runtime" MiB "$net.onnxruntime.predict.mib"
}

predict net1 40 0
predict net7 40 2
predict best 40 2
