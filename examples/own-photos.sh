#!/bin/sh
# From photographs to photographs: labelled ones become a model, and what it finds on new
# ones is drawn on them and saved in their coordinates.
#
#   sh own-photos.sh [DIRECTORY [LABELS BOXES]]
#
# writes to DIRECTORY, by default ./own-photos.  LABELS says where points are in the
# photographs to learn from: COCO's JSON, dlib's XML or CSV with file names.  BOXES is a CSV
# with the columns file,x,y,w,h, as a face detector writes it for new photographs.  Without
# them, photographs are drawn.
#
#   CROP    how faces are cut out to learn from: box or points (box)
#   POINTS  a file for kfkd-load --points (none)
#   NET     layers or preset (net1)
#   EPOCHS  passes over the faces (200)
#   NME     what kfkd-score --nme divides by (box)
#   PHOTOS  how many photographs to draw, of two faces each (100)
set -eu
dir=${1:-own-photos}
crop=${CROP:-box}
[ $# -le 1 ] || [ $# -eq 3 ] || {
	echo "usage: own-photos.sh [DIRECTORY [LABELS BOXES]]" >&2
	exit 2
}
labels=$(realpath "${2:-/dev/null}") boxes=$(realpath "${3:-/dev/null}")
[ -z "${POINTS-}" ] || POINTS=$(realpath "$POINTS")
mkdir -p "$dir"
cd "$dir"

step() {
	printf '\n%s\n' "$*"
}

# draw NAME COUNT SEED: photographs NAME/0001.pgm ... of two faces, NAME.csv with their
# boxes and points, and NAME-boxes.csv with boxes alone.
draw() {
	mkdir -p "$1"
	kfkd-synth --rows $((2 * $2)) --seed "$3" | awk -F , -v name="$1" -v seed="$3" '
	function put(face, from, v, n, scale, x0, y0, i, x, y) {
		n = split(face, v, ",")
		scale = .9 + .8 * rand()
		x0 = int(from + rand() * (180 - 96 * scale))
		y0 = int(rand() * (200 - 96 * scale))
		n = split(v[n], pixel, " ")
		for (y = 0; y < int(96 * scale); y++)
			for (x = 0; x < int(96 * scale); x++)
				photo[y0 + y, x0 + x] = \
					pixel[int(y / scale) * 96 + int(x / scale) + 1]
		box = sprintf("%s,%g,%g,%g,%g", file, x0 + 10 * scale, y0 + 10 * scale,
			76 * scale, 76 * scale)
		print box >(name "-boxes.csv")
		printf "%s", box >(name ".csv")
		for (i = 1; i < NF; i++) # from pixel to pixel, between their middles
			printf ",%.3f", (v[i] + .5) * scale - .5 + (i % 2 ? x0 : y0) \
				>(name ".csv")
		print "" >(name ".csv")
	}
	BEGIN { srand(seed) }
	NR == 1 {
		sub(/,Image$/, "")
		print "file,x,y,w,h," $0 >(name ".csv")
		print "file,x,y,w,h" >(name "-boxes.csv")
	}
	NR > 1 && NR % 2 == 0 { left = $0 }
	NR > 1 && NR % 2 == 1 {
		file = sprintf("%s/%04d.pgm", name, (NR - 1) / 2)
		for (y = 0; y < 200; y++)
			for (x = 0; x < 360; x++)
				photo[y, x] = 60 + int(x / 8 + y / 6 + 8 * rand())
		put(left, 0)
		put($0, 180)
		print "P2 360 200 255" >file
		for (y = 0; y < 200; y++) {
			for (x = 0; x < 360; x++)
				printf "%d ", photo[y, x] >file
			print "" >file
		}
		close(file)
	}'
}

if [ "$labels" = /dev/null ]; then
	step "Drawing ${PHOTOS:-100} photographs to learn from, and 10 others ..."
	draw known "${PHOTOS:-100}" 1
	draw new 10 2
	labels=known.csv boxes=new-boxes.csv
fi

step "Cutting faces out, a sixth of the photographs for a test ..."
kfkd-load --crop "$crop" ${POINTS:+--points "$POINTS"} "$labels" |
	kfkd-split --share .83 --by file --rest test.kfkd >train.kfkd
kfkd-plot --output faces.pgm train.kfkd

step "Training ..."
kfkd-scale train.kfkd |
	kfkd-train --net "${NET:-net1}" --epochs "${EPOCHS:-200}" --output model.kfkd

step "The error on the other photographs, in their pixels and relative to ${NME:-box}:"
kfkd-scale test.kfkd | kfkd-predict --model model.kfkd >test-predicted.kfkd
kfkd-score --original --nme "${NME:-box}" test-predicted.kfkd | tee score.tsv | tail -n 1

step "Finding points on new photographs ..."
rm -rf found
mkdir found
kfkd-load --crop box "$boxes" | kfkd-scale | kfkd-predict --model model.kfkd >found.kfkd
kfkd-save --original --predictions found.kfkd >found.csv
kfkd-plot --original --each found/ found.kfkd

step "Done.  In $PWD there are
  model.kfkd   the model
  faces.pgm    the first 16 faces as they were cut out
  score.tsv    the error of each point
  found.csv    the points of each face in new photographs
  found/       these photographs with their points"
