#!/bin/sh
# Fashion-MNIST: ten classes of clothes in 28 x 28 pixels, 60,000 to learn from
# and 10,000 to test.  A net of dense layers and one with convolutions.
#
#   sh fashion-mnist.sh [DIRECTORY]     writes there, by default ./fashion-mnist
#
#   EPOCHS  passes over the images, for both nets (10)
#   IMAGES  how many of the images to learn from (60000)
#   DATA    where the data set is, if not from Debian's package
#           dataset-fashion-mnist
#
# The authors of the data set list what others reached on the 10,000 test
# images (github.com/zalandoresearch/fashion-mnist, "Benchmark"; accuracies that
# they did not check).  Without preprocessing or augmentation:
#
#   MLP 256-128-100            0.8833
#   2 convolutions + pooling   0.876 and, after over 300 epochs, 0.916
set -eu
dir=${1:-fashion-mnist}
epochs=${EPOCHS:-10}
images=${IMAGES:-60000}
data=${DATA:-/usr/share/datasets/fashion-mnist}

if ! [ -e "$data/train-images-idx3-ubyte.gz" ]; then
	echo "fashion-mnist.sh: no data set in '$data';" \
		"apt-get install dataset-fashion-mnist" >&2
	exit 1
fi
mkdir -p "$dir"
cd "$dir"

step() {
	printf '\n%s\n' "$*"
}

step "Loading ..."
printf '%s\n' T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag 'Ankle boot' \
	>classes
zcat "$data/train-labels-idx1-ubyte.gz" >labels
zcat "$data/train-images-idx3-ubyte.gz" | kfkd-load --labels labels --classes classes |
	kfkd-head --rows "$images" | kfkd-scale --output train.kfkd
zcat "$data/t10k-labels-idx1-ubyte.gz" >labels
zcat "$data/t10k-images-idx3-ubyte.gz" | kfkd-load --labels labels --classes classes |
	kfkd-scale --output test.kfkd
rm labels classes

# The presets' rate, 0.01, is meant for 500 epochs; so few get further with one
# that starts high and ends low.
for net in mnist-mlp mnist-cnn; do
	step "Training $net ..."
	kfkd-train --net $net --rate 0.1:0.001 --epochs "$epochs" \
		--output $net.kfkd train.kfkd
	kfkd-predict --model $net.kfkd --output $net.predicted test.kfkd
	kfkd-score --output $net.tsv $net.predicted
	kfkd-score --confusion --output $net.confusion.tsv $net.predicted
	kfkd-plot --colour --grid 8x5 --zoom 3 --output $net.ppm $net.predicted
	rm $net.predicted
done
rm train.kfkd test.kfkd

step "Done.  In $PWD there are, for mnist-mlp and mnist-cnn,
  NET.kfkd    the model; the curve: kfkd-plot --curve NET.kfkd
  NET.tsv     the accuracy in each class and overall
  NET.confusion.tsv   which class was taken for which
  NET.ppm     40 test images, with what was predicted for them

Accuracy on the test images after $epochs epochs:"
for net in mnist-mlp mnist-cnn; do
	printf '  %s  %s\n' $net "$(tail -n 1 $net.tsv | cut -f 2)"
done
