#!/bin/sh
# Live video: marks what a net finds in each frame, while the film runs.
#
#   sh live-video.sh [SOURCE [OUT]]
#
# SOURCE is a file, a camera such as /dev/video0, or "test" for ffmpeg's test
# picture (the default), which holds no face, yet shows that frames come out as
# they go in.  The marked film is shown in a window or, with OUT, written there.
#
#   MODEL     for images of 96 x 96; without it, net1 is trained on drawn faces
#             first, and kept as live-video.kfkd
#   DURATION  of the test picture, in seconds (10)
set -eu
source=${1:-test}
out=${2:-}
model=${MODEL:-live-video.kfkd}
seconds=${DURATION:-10}

command -v ffmpeg >/dev/null || {
	echo "live-video.sh: no ffmpeg; apt-get install ffmpeg" >&2
	exit 1
}
if [ -z "${MODEL:-}" ] && ! [ -e "$model" ]; then
	kfkd-synth | kfkd-load | kfkd-scale |
		kfkd-train --epochs 100 --output "$model"
fi

# The middle of each frame, 25 a second, as PGM images one behind the other.
film() {
	case $source in
	test) set -- -re -f lavfi -i "testsrc=size=96x96:rate=25:duration=$seconds" ;;
	/dev/*) set -- -f v4l2 -i "$source" ;;
	*) set -- -re -i "$source" ;;
	esac
	ffmpeg -v error -nostdin "$@" \
		-vf "fps=25,crop='min(iw,ih)':'min(iw,ih)',scale=96:96" \
		-f image2pipe -c:v pgm -
}

# A small probe: ffmpeg would otherwise wait for 5 MB before it starts.
show() {
	if [ -n "$out" ]; then
		set -- -y "$out"
	else
		set -- -pix_fmt yuv420p -f sdl2 "$source"
	fi
	ffmpeg -v error -probesize 200k -f image2pipe -c:v pgm -i - "$@"
}

film | kfkd-load | kfkd-scale | kfkd-predict --model "$model" |
	kfkd-plot --each - --zoom 4 | show
