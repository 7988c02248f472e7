#!/bin/sh
# Runs the fuzz targets, two at a time: `make fuzz` calls it.
#
#   sh tests/fuzz.sh TARGETS LIMIT [SEED]
#
# TARGETS is the directory of those built with libFuzzer, LIMIT an option of libFuzzer's
# that ends the run; a SEED of 0, the default, is another each time.  Each target starts
# from a corpus that our own programs make, and from what earlier runs found.  Prints the
# number of executions by target; exits 1 if one fails, and leaves its input in TARGETS.
set -eu
targets=$(cd "$1" && pwd)
limit=$2 seed=${3-0}
KFKD_PLUGINS=$KFKD_BUILD/lib/kfkd
ASAN_OPTIONS=allocator_may_return_null=1
export KFKD_PLUGINS ASAN_OPTIONS
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

# -- corpora ------------------------------------------------------------------------

mkdir csv idx pgm labels points stream model checkpoint submission tables layers text photo

# Faces of 4 x 4 with four columns.
small() {
	kfkd-synth -n 4 -s 3 "$@" | awk -F , -v OFS=, '
		NR > 1 { n = split($NF, v, " "); pixels = v[1]
			for (i = 2; i <= 16; i++) pixels = pixels " " v[500 * i] }
		NR == 1 { pixels = $NF }
		{ print ((NF > 4) ? $1 OFS $2 OFS $3 OFS $4 : $1) OFS pixels }'
}
small >faces.csv
small -m .4 >missing.csv
small -t >test.csv
printf '%s\n' name anna '"Jörg, ""x"" "' ' b ' '' | paste -d, - faces.csv >names.csv
printf 'P5 4 4 255\n0123456789abcdef' >one.pgm
printf 'P2\n# grey\n3 2 9\n1 2 3\n4 5 6\n' >plain.pgm
printf '\0\0\10\3\0\0\0\2\0\0\0\3\0\0\0\2abcdefghijkl' >images.idx
printf '\0\0\10\1\0\0\0\3\1\2\0' >labels.idx
cat one.pgm one.pgm >two.pgm

# The first byte says how the rest is read.
load_seed() {
	printf "$1" | cat - "$2" >"$3/${2%.*}-${1#?}"
}
for how in '\000' '\002' '\011'; do
	for csv in faces.csv missing.csv test.csv names.csv; do
		load_seed "$how" $csv csv
	done
	load_seed "$how" one.pgm pgm
	load_seed "$how" two.pgm pgm
	load_seed "$how" images.idx idx
	load_seed "$how" labels.idx idx
done
load_seed '\001' plain.pgm pgm
load_seed '\006' images.idx idx

cat >coco.json <<'EOT'
{"categories": [{"id": 1, "keypoints": ["a", "b"]}], "images": [{"id": "i", "file_name": "a.png"}],
"annotations": [{"id": 7, "image_id": "i", "category_id": 1, "keypoints": [1, 2, 1, 0, 0, 0],
"bbox": [1, 2, 3, 4]}]}
EOT
cat >one.pts <<'EOT'
version: 1
n_points: 2
{
1 2.5
3 4e1
}
EOT
cat >dlib.xml <<'EOT'
<?xml version='1.0'?>
<dataset><images><image file='a.jpg'><box top='1' left='2' width='3' height='4'>
<label>A &amp; B</label><part name='a' x='1' y='2'/><part name='b' x='3' y='4'/></box>
<box top='1' left='2' width='3' height='4' ignore='1'/><!-- c --></image></images></dataset>
EOT
cat >file.csv <<'EOT'
f,x,y,w,h,name,label,a_x,a_y,b_y,b_x
a.jpg,1,2,3,4,n,l,1,2,3,4
"b.jpg",,,,,,,5,NA,,6
EOT
cat >numbers.csv <<'EOT'
,0,1,2,3
a.pgm,1,2,3,4
EOT
cat >some.points <<'EOT'
# c
x = 0
y = mean 0-0 a 2
z = b c # d
EOT
for file in coco.json one.pts dlib.xml file.csv numbers.csv; do
	load_seed '\003' $file labels
done
load_seed '\004' test.csv labels
load_seed '\000' some.points points
: >fuzz.png # beside a .pts

kfkd-load faces.csv >stream/raw
kfkd-load missing.csv | kfkd-scale >stream/scaled
kfkd-load missing.csv | kfkd-scale --bytes >stream/bytes
kfkd-load test.csv >stream/test
kfkd-load -l labels.idx one.pgm >stream/one 2>/dev/null || rm stream/one
kfkd-cat --single stream/raw >stream/single
kfkd-load faces.csv | kfkd-scale >scaled
kfkd-train -q -v 0 -n 'dense2 relu dense' -e 2 -B 2 scaled >model/dense
kfkd-train -q -v 0 -n 'conv2x2 relu pool2 drop.1 dense' -e 1 -B 2 -a flip,contrast:.1 scaled \
	>model/conv
kfkd-train -q -v 0 -n dense -e 1 -c model/checkpoint -u adam scaled >model/adam
kfkd-predict -m model/dense scaled >stream/predicted
kfkd-predict -m model/dense --no-images scaled >stream/no-images
kfkd-predict -m model/dense --saliency scaled >stream/saliency
kfkd-predict -m model/conv --activations scaled | kfkd-cat --single >stream/activations
"$KFKD_BUILD/tests/fuzz_checkpoint" -w checkpoint/adam
cat >submission/table <<'EOT'
RowId,ImageId,FeatureName,Location
1,1,left_eye_center_x,
2,1,left_eye_center_y,
3,2,"left_eye_center_x",?
EOT
printf 'id,group\n1,a\n2,"b"\n' >tables/groups
printf 'T-shirt/top\n bag \n' >tables/classes
printf 'name,group\na,1\n"b, c",2\n' >tables/name-groups
printf 'file,a_x\nb.jpg,1\n' >tables/file-join
printf 'epoch\ttrain\tvalid\tpx\tseconds\n1\t.2\t-\t\t1\n3\t.1\t.2\t9\t1\n' >tables/log
printf 'ImageId,label,a_x,b_y,Image\n2,1,3.5,,1 2\n1,0,,4,3 4\n' >tables/join
printf '\0\137\137\036dense100 relu dense' >layers/net1
printf '\0\137\137\036conv32x3 relu pool2 drop.1 conv64x2 tanh dense9 sigmoid dense' \
	>layers/net7
printf 'flip:96,shift:2,rotate:10,scale:.1,contrast:.2' >text/augment
printf 'flip:auto,brightness:.1,shear:5,hole:20' >text/more
printf 'wing:10,2' >text/loss
printf 'step:4' >text/shape
printf '\0\137\137\036pool2 conv8x3p1s2 batchnorm relu res16 save pool2 upscale2 add16x1 maps softargmax' \
	>layers/hourglass
printf '48 48 48 48' >text/scales
printf '3,7-20,30-' >text/ranges
printf 'id >= 2.5' >text/where
printf 'name=[a-c]*a' >text/name
printf 'label != 7' >text/class
printf 'right=1' >text/right
printf '0 255' >text/scale
# Six bytes of a region come first.
photo_seed() {
	{ printf '\001\377\002\003\006\010' && cat; } >"photo/$1"
}
photo_seed pgm <one.pgm
photo_seed plain <plain.pgm
printf 'P1 3 2\n1 0 1 0 1 0\n' | photo_seed pbm
printf 'P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 300\nTUPLTYPE RGB_ALPHA\nENDHDR\n0\0001\0002\0003\0' |
	photo_seed pam
printf 'II*\0\010\0\0\0\001\0\022\001\003\0\001\0\0\0\006\0\0\0\0\0\0\0' >tiff
{ printf '\0\042Exif\0\0' && cat tiff; } >exif
pgmtoppm red-yellow one.pgm >one.ppm
pnmtojpeg one.pgm | photo_seed grey
pnmtojpeg -exif=exif one.ppm | photo_seed jpeg
pnmtojpeg -progressive -exif=exif one.ppm | photo_seed progressive
pnmtojpeg -restart=1 one.ppm | photo_seed restarts
pnmtopng one.pgm 2>png.log | photo_seed png
pnmtopng -force -interlace one.ppm >one.png 2>png.log
# eXIf, without a checksum
{ head -c 33 one.png && printf '\0\0\0\032eXIf' && cat tiff && printf '\0\0\0\0' &&
	tail -c +34 one.png; } | photo_seed interlaced

# -- running ------------------------------------------------------------------------

# The corpus, the target and the longest input of each.
cat >table <<'EOT'
csv fuzz_load 2048
idx fuzz_load 512
pgm fuzz_load 512
labels fuzz_labels 512
points fuzz_labels 128
stream fuzz_stream 8192
model fuzz_model 8192
checkpoint fuzz_checkpoint 8192
submission fuzz_submission 1024
tables fuzz_tables 512
layers fuzz_layers 256
text fuzz_text 128
photo fuzz_photo 2048
EOT

# run CORPUS TARGET LENGTH
run() {
	mkdir -p "$targets/corpus/$1"
	"$targets/$2" -seed="$seed" "$limit" -max_len="$3" \
		-timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$targets/$1-" "$targets/corpus/$1" "$1" \
		>"$1.log" 2>&1 || echo "$1" >>failed
}
: >failed
while read -r corpus rest; do
	run "$corpus" $rest &
	first=$!
	if read -r corpus rest; then
		run "$corpus" $rest
	fi
	wait $first
done <table
while read -r corpus target rest; do
	printf '%s\t%s executions\n' "$corpus" \
		"$(sed -n 's/^stat::number_of_executed_units: *//p' "$corpus.log")"
done <table
while read -r corpus; do
	echo "$corpus fails:"
	grep -v '^#\|^INFO\|NEW_FUNC' "$corpus.log" | head -n 60
done <failed
[ ! -s failed ]
