#!/bin/sh
# kfkd-load: photographs, and the files that say where faces are in them.

. "${0%/*}/lib.sh"
here=$(cd "${0%/*}/.." && pwd)
cd "$tmp" || exit 1

# A photograph of 200 x 120 whose pixels are 20 at the left and 219 at the right.
awk 'BEGIN { print "P2 200 120 255"; for (y = 0; y < 120; y++) {
	for (x = 0; x < 200; x++) printf "%d ", x + 20; print "" } }' | pnmtoplainpnm |
	pamtopnm >ramp.pgm 2>/dev/null
pnmtopng ramp.pgm >ramp.png 2>/dev/null
pnmtojpeg -quality=100 ramp.pgm >ramp.jpg
pgmtoppm white ramp.pgm >ramp.ppm
pamtopam <ramp.ppm >ramp.pam

# pixels STREAM: one image a line
pixels() {
	kfkd-save --no-ids "$1" | tail -n +2 | sed 's/.*,//'
}

# back STREAM: files, faces and points in the photographs, in their order, to 1/1000 of a pixel
back() {
	kfkd-save -n --original "$@" | awk -F , -v OFS=, '{ for (i = 1; i <= NF; i++)
		if ($i ~ /^-?[0-9.]+$/) $i = sprintf("%.3f", $i) + 0; print }' | sort
}
# -- whole photographs ----------------------------------------------------------------

kfkd-load ramp.png ramp.ppm ramp.pam ramp.pgm >whole
like "photographs of one size stay as they are" "$(kfkd-stat whole)" "images: 200 x 120"
is "... PNG, PPM, PAM and PGM have the same pixels" "$(pixels whole | sort -u | wc -l)" 1
kfkd-load ramp.pgm >sequence
is "... those of a sequence of PGM" "$(pixels whole | sort -u)" "$(pixels sequence)"
is "a PGM file by itself is a sequence, as ever" "$(kfkd-stat sequence | grep -c file)" 0
is "JPEG differs by little" "$({ kfkd-load ramp.jpg | kfkd-save -n; pixels sequence; } |
	tail -n +2 | tr ' ' '\n' | awk '$1 > 255 { exit 1 } NR <= 24000 { v[NR] = $1; next }
	{ d = $1 - v[NR - 24000]; if (d * d > worst) worst = d * d }
	END { print NR, worst <= 4 }')" "48000 1"
is "ids count from 1" "$(kfkd-save -i --no-images whole | cut -d, -f1 | tr '\n' ' ')" \
	"ImageId 1 2 3 4 "

kfkd-load --size 50x30 ramp.png >small
is "a size makes them smaller" "$(pixels small | tr ' ' '\n' | sed -n '2p;26p;49p' |
	tr '\n' ' ')" "26 122 214 "
kfkd-load --size 100x120 ramp.png >tall
is "nothing is distorted: the edge goes on above" "$(pixels tall | tr ' ' '\n' |
	awk '{ row = int((NR - 1) / 100) } row == 0 || row == 60 || row == 119 {
		sum[row] += $1 } END { print sum[0] == sum[60], sum[119] == sum[60] }')" "1 1"

# -- boxes and points -----------------------------------------------------------------

printf 'file,x,y,w,h\nramp.png,40,30,48,48\nramp.jpg,-10,100,60,50\n' >boxes.csv
kfkd-load --crop box --enlarge 1 --size 48x48 boxes.csv >cut
is "a crop as large as its box has its pixels" "$(pixels cut | head -n 1 | tr ' ' '\n' |
	sed -n '1p;2p;48p;2304p' | tr '\n' ' ')" "60 61 107 107 "
is "... outside of the photograph those of its edge" "$(pixels cut | tail -n 1 | tr ' ' '\n' |
	head -n 1)" "$(kfkd-load ramp.jpg | kfkd-save -n | tail -n 1 | cut -d ' ' -f1)"
like "the file and the face are in the stream" "$(kfkd-stat cut)" \
	"file: up to 64 bytes, with the face's number, with the transform"
kfkd-load --crop box boxes.csv >large
like "crops are 96 x 96" "$(kfkd-stat large)" "images: 96 x 96"
# the square has a side of 60 around 64, 54: x from 34 to 94 in 96 pixels
is "... of the square enlarged by 1.25" "$(pixels large | head -n 1 | tr ' ' '\n' |
	sed -n '1p;96p' | tr '\n' ' ')" "54 113 "
kfkd-load --crop box --shift .5,0 --enlarge 1 --size 48x48 boxes.csv >moved
is "a shift by half of the side" "$(pixels moved | head -n 1 | cut -d ' ' -f1)" 84
refuses "a shift of one number" 2 "^kfkd-load: --shift: '1' is not two numbers" \
	sh -c 'kfkd-load -C box --shift 1 boxes.csv 2>&1 | head -n 1 >&2; kfkd-load -C box --shift 1 boxes.csv >/dev/null 2>&1'

cat >points.csv <<'EOT'
file,nose_x,nose_y,chin_x,chin_y,name,label
ramp.png,50,40,60,80,ada,smile
ramp.png,100.5,,120,60,bo,frown
ramp.jpg,1,2,3,40,,smile
EOT
kfkd-load --crop points points.csv >named
is "points go to the crop and back" "$(back named)" "$(printf '%s\n' \
	,ramp.jpg,1,smile,1,2,3,40 ada,ramp.png,1,smile,50,40,60,80 bo,ramp.png,2,frown,100.5,,120,60 \
	name,file,face,label,nose_x,nose_y,chin_x,chin_y)"
like "... and of classes, in alphabetical order" "$(kfkd-stat named)" \
	"names of classes: frown, smile"
is "... which the labels count from 0" "$(kfkd-select -l 1 named | kfkd-save --json |
	sed 's/,"points.*//' | grep -c smile)" 2

printf 'smile\nfrown\nyawn\n' >classes
is "classes in the order of a file" "$(kfkd-load -C points --classes classes points.csv |
	kfkd-stat | grep class)" "$(printf '%s\n' 'classes: 3' \
	'names of classes: smile, frown, yawn')"
printf 'smile\nyawn\n' >few
refuses "... which lacks one" 1 \
	"^kfkd-load: 'ramp.png', face 2: its label 'frown' is none of the 2 classes" \
	kfkd-load -C points --classes few points.csv
sed 's/smile$/"a,b"/' points.csv >comma.csv
refuses "a class with a comma" 1 "^kfkd-load: 'ramp.png', face 1: its label 'a,b' has a comma" \
	kfkd-load -C points comma.csv
sed 's/smile/4/; s/frown/0/' points.csv >numbers.csv
is "labels that are numbers" "$(kfkd-load -C points numbers.csv | kfkd-stat | grep class)" \
	"classes: 5"
sed 's/,smile$/,/' points.csv >some.csv
refuses "some labels" 1 "'ramp.png', face 1: it has no label, but others have" \
	kfkd-load -C points some.csv

# -- the way back survives --------------------------------------------------------------

back named >want
while read -r what filter; do
	sh -c "$filter" <named >out
	is "names and the way back survive $what" "$(back out)" "$(cat want)"
done <<'EOT'
head kfkd-head -n 100
tail kfkd-tail -n 100
select kfkd-select -i 1-3
shuffle kfkd-shuffle
scale kfkd-scale
scaling-and-back kfkd-scale | kfkd-scale --undo
cat kfkd-cat
one-file kfkd-cat --single
split kfkd-split --share 0.5 --rest rest >first; kfkd-cat first rest
EOT
is "... and dropna" "$(kfkd-dropna named | back)" "$(grep -v ',,' want)"
printf 'id,ear_x,ear_y\n1,1,2\n2,3,4\n3,5,6\n' >ears.csv
is "... and join" "$(kfkd-join -t ears.csv named |
	kfkd-select -c nose_x,nose_y,chin_x,chin_y | back)" "$(cat want)"
sed 's/,[^,]*,[^,]*$//; /100.5/d' points.csv >complete.csv
kfkd-load --crop points --size 32x32 complete.csv >complete
kfkd-scale complete | kfkd-train -q -v 0 -e 2 -n dense >net
kfkd-scale complete | kfkd-predict -m net >predicted
is "... and predict" "$(back predicted)" "$(back complete)"
kfkd-scale complete | kfkd-predict -m net --no-images >predicted
is "... without images" "$(back predicted)" "$(back complete)"

kfkd-save complete >crops.csv
kfkd-load crops.csv >without
refuses "streams with and without them do not mix" 1 \
	"^kfkd-cat: 'without' has other tensors than 'complete': 'file' is missing$" \
	kfkd-cat complete without
refuses "... in either order" 1 \
	"^kfkd-cat: 'complete' has other tensors than 'without': 'file' is one more$" \
	kfkd-cat without complete

# A net that has learnt a face by heart gives the truth back.
kfkd-load -C points --enlarge 3 --shift -.4,.3 complete.csv | kfkd-scale >truth
for id in 1 2; do
	kfkd-select -i $id truth >one
	kfkd-train -q -v 0 -e 300 -r .0002 -n dense one >heart
	kfkd-predict -m heart one | kfkd-save -n -p --original
done | grep ramp | cut -d, -f3- | tr , '\n' >got
printf '%s\n' 50 40 60 80 1 2 3 40 >want
is "cut out, predicted and back: the same places to 0.01 pixels" "$(paste got want |
	awk '($1 - $2) ^ 2 > 1e-4 { print } END { print NR }')" 8

deep=$(printf 'd%.0s' $(seq 90))
mkdir "$deep"
cp ramp.png "$deep"
sed "s|^ramp.png|$deep/ramp.png|; /jpg/d" complete.csv >deep.csv
kfkd-load --crop points --size 32x32 deep.csv >deep
{ back complete; back deep | grep ramp; } | sort >want
is "longer paths are joined" "$(kfkd-cat complete deep | back)" "$(cat want)"
is "... in either order, as one file" "$(kfkd-cat -1 deep complete | back)" "$(cat want)"
refuses "... but not from a pipe behind others" 1 "another width of file" \
	sh -c 'kfkd-cat deep | kfkd-cat complete /dev/stdin'

# -- points, directories, several files ---------------------------------------------------

printf 'tip = nose\nface = mean nose chin   # between them\n' >choice.points
is "points are chosen, named and averaged" "$(kfkd-load -C points --points choice.points \
	complete.csv | back)" "$(printf '%s\n' \
	file,face,tip_x,tip_y,face_x,face_y ramp.jpg,1,1,2,2,21 ramp.png,1,50,40,55,60)"
mkdir labels
cp complete.csv labels
refuses "pictures are sought beside their labels" 1 \
	"^kfkd-load: 'labels/complete.csv': there is no picture 'labels/ramp.png'; .* give --pictures DIR$" \
	kfkd-load -C points labels/complete.csv
printf 'version: 1\nn_points: 2\n{\n11 12\n31 42\n}\n' >labels/ramp.pts
is "... those of .pts, too" "$(kfkd-load --pictures . -C points labels/ramp.pts | back)" \
	"$(printf '%s\n' file,face,0_x,0_y,1_x,1_y ./ramp.png,1,10,11,30,41 | sed 's|\./||')"
is "... or in a directory" "$(kfkd-load --pictures . -C points labels/complete.csv |
	kfkd-save --original | cut -d, -f1 | tail -n 1)" ramp.jpg
is "labels from a pipe" "$(kfkd-load -C points -z 32x32 - <complete.csv | back)" \
	"$(back complete)"
is "several files of labels" "$(kfkd-load -C points --size 32x32 complete.csv complete.csv |
	kfkd-save -i --original | cut -d, -f1-3)" "$(printf '%s\n' ImageId,file,face \
	1,ramp.png,1 2,ramp.jpg,1 3,ramp.png,2 4,ramp.jpg,2)"
is "an id is its place in the list" "$(kfkd-load -z 9x9 ramp.png ramp.jpg |
	kfkd-save -i --no-images | cut -d, -f1 | tr '\n' ' ')" "ImageId 1 2 "

# -- what is wrong -------------------------------------------------------------------------

bad() {
	refuses "$1" 1 "^kfkd-load: $2\$" kfkd-load --crop box "$3"
}
head -c 1000 ramp.jpg >cut.jpg
refuses "a truncated JPEG" 1 "^kfkd-load: 'cut.jpg': truncated or damaged: " \
	kfkd-load cut.jpg
head -c 200 ramp.png >cut.png
refuses "a truncated PNG" 1 "^kfkd-load: 'cut.png': truncated" kfkd-load cut.png
printf 'P6 40000 25000 255\n' >huge.ppm
refuses "a header that claims 10^9 pixels" 1 \
	"^kfkd-load: 'huge.ppm': 40000 x 25000 pixels are out of bounds" kfkd-load huge.ppm
printf 'file,x,y,w,h\nramp.png,40,30,48,48\nramp.png,200,10,20,20\n' >outside.csv
bad "a box outside of the picture" "'ramp.png', face 2: its box, 20 x 20 pixels at 200, 10, is outside the picture of 200 x 120" outside.csv
refuses "... or shifted out of it" 1 \
	"^kfkd-load: 'ramp.png', face 1: its box is shifted out of the picture of 200 x 120$" \
	kfkd-load -C box --shift 9,0 boxes.csv
printf 'file,x,y,w,h\nramp.png,40,30,1,1\n' >pixel.csv
bad "a face of one pixel" "'ramp.png', face 1: its box, 1 x 1 pixels, is too small for a face" pixel.csv
printf 'file,nose_x,nose_y\nramp.png,40,30\n' >point.csv
refuses "a single point to cut out by" 1 "too small for a face" kfkd-load -C points point.csv
bad "no box to cut out by" "'ramp.png', face 1: it has no box; --crop points needs none" \
	point.csv
printf 'file,nose_x,nose_y,x,y,w,h\nramp.png,,,1,2,30,40\n' >box.csv
refuses "no points to cut out by" 1 "'ramp.png', face 1: it has no points" \
	kfkd-load -C points box.csv
echo '{"images": [{"id": 1, "file_name": "ramp.png"}], "annotations": [{"id": 5, "image_id": 1, "bbox": [1, 2, 3, 4]}]}' >none.json
refuses "JSON without keypoints" 1 "^kfkd-load: 'none.json'.*keypoints" \
	kfkd-load -C box none.json
cat >bomb.xml <<'EOT'
<?xml version="1.0"?>
<!DOCTYPE dataset [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<dataset><images><image file="&b;"/></images></dataset>
EOT
refuses "an entity bomb" 1 "^kfkd-load: 'bomb.xml', line 2: entities, such as 'a', are not supported" \
	kfkd-load -C box bomb.xml
printf 'version: 1\nn_points: 3\n{\n1 2\n3 4\n}\n' >ramp.pts
refuses "other than n_points points" 1 "^kfkd-load: 'ramp.pts', line 6: " \
	kfkd-load -C points ramp.pts
refuses "a text that is neither" 1 "^kfkd-load: 'text' is neither a picture nor a file of labels" \
	sh -c 'echo hello >text; kfkd-load ramp.png text'
refuses "another size without --size" 1 \
	"'small.pgm', face 1: 32 x 32 pixels, but the first picture has 200 x 120; give a size" \
	sh -c 'kfkd-plot -e - -z 1 complete | head -c 1037 >small.pgm
		kfkd-load ramp.png small.pgm'
refuses "--crop of a CSV with pixels" 1 \
	"^kfkd-load: --crop does not go with 'crops.csv', .*[(]JSON, XML, .pts, or names of" \
	kfkd-load --crop box crops.csv
refuses "a picture on standard input" 1 "standard input" sh -c 'kfkd-load <ramp.jpg'

cat ramp.pgm ramp.pgm >film.pgm
refuses "several images in a file of one photograph" 1 \
	"^kfkd-load: 'film.pgm': it holds several images; as a sequence of PGM give it alone" \
	kfkd-load ramp.png film.pgm
refuses "... with a size" 1 "several images" kfkd-load -z 9x9 film.pgm
is "... which alone are a sequence" "$(kfkd-load film.pgm | kfkd-stat | head -n 1)" "rows: 2"
for by in box points; do
	refuses "a photograph without labels to cut $by out of" 1 \
		"'ramp.png', face 1: there is neither a box nor a point to cut it out by; a file of labels" \
		kfkd-load -C $by ramp.png
done
for option in points pictures; do
	refuses "--$option without labels" 2 \
		"^kfkd-load: --$option has no effect without a file of labels" sh -c "
		kfkd-load --$option choice.points ramp.png >out 2>err; s=\$?
		head -n 1 err >&2; exit \$s"
done
refuses "a photograph in a pipe" 1 "is a JPEG image; name such files to kfkd-load" \
	sh -c 'cat ramp.jpg | kfkd-load -C box /dev/stdin ramp.jpg'
odd=$(printf 'odd\377')
mkdir "$odd" && cp ramp.png ramp.jpg complete.csv "$odd"
refuses "a directory whose name is no text" 1 "file name 'odd.xff/ramp.png' is not UTF-8" \
	kfkd-load -C points "$odd/complete.csv"

cat boxes.csv >mixed.csv
printf 'nowhere.jpg,1,2,30,40\nnowhere.jpg,3,4,30,40\nramp.png,500,1,20,20\ncut.jpg,1,2,30,40\n' \
	>>mixed.csv
echo 'ramp.ppm,10,10,50,50' >>mixed.csv
kfkd-load --skip-bad -C box mixed.csv >left 2>err
is "--skip-bad goes on" "$?/$(kfkd-save -i --no-images left | cut -d, -f1 | tr '\n' ' ')" \
	"0/ImageId 1 2 7 "
is "... says why, once for each picture" "$(sed '$d' err)" "$(printf 'kfkd-load: %s\n' \
	"cannot open 'nowhere.jpg': No such file or directory" \
	"'ramp.png', face 2: its box, 20 x 20 pixels at 500, 1, is outside the picture of 200 x 120" \
	"'cut.jpg': truncated or damaged: Premature end of JPEG file")"
is "... and counts" "$(tail -n 1 err)" "kfkd-load: 4 of 7 faces are left out"
is "... pictures that cannot be opened" "$(: >empty.jpg
	kfkd-load --skip-bad nowhere.png empty.jpg ramp.png 2>err | kfkd-save -i --no-images |
	cut -d, -f1-2 | tail -n 1; cat err)" "$(printf '%s\n' 3,ramp.png \
	"kfkd-load: cannot open 'nowhere.png': No such file or directory" \
	"kfkd-load: 'empty.jpg': an empty file, not a photograph" \
	"kfkd-load: 2 of 3 faces are left out")"
printf 'file,nose_x,nose_y,chin_x,chin_y\nramp.png,,,,\nramp.png,5,6,40,50\n' >some.csv
is "... faces without what they are cut out by" "$(kfkd-load --skip-bad -C points some.csv \
	2>err | kfkd-save -i --no-images | cut -d, -f1-3 | tail -n 1; head -n 1 err)" \
	"$(printf '%s\n' 2,ramp.png,2 "kfkd-load: 'ramp.png', face 1: there is neither a box nor a point to cut it out by; a file of labels gives them")"
refuses "... but does not call nothing a stream" 1 "no picture could be read" \
	sh -c 'kfkd-load --skip-bad -z 9x9 cut.jpg cut.png 2>err; s=$?; tail -n 1 err >&2; exit $s'

# -- labelled photographs, where some are at hand ---------------------------------------------

if [ -z "${KFKD_PHOTOS-}" ]; then
	skip "labelled photographs" "KFKD_PHOTOS does not name a directory of them"
	done_testing
fi

# listed SCRIPT FILE: all coordinates of a label file, one a line, by other means
listed() {
	perl -0777 -MJSON::PP -ne "$1" "$2"
}
coco='my $j = decode_json($_); my %had = map { $_->{id} => 1 } @{$j->{images}};
	for my $i (@{$j->{images}}) { for my $a (@{$j->{annotations}}) {
		next if $a->{image_id} != $i->{id}; my @k = @{$a->{keypoints}};
		while (my ($x, $y, $v) = splice @k, 0, 3) { print $v ? "$x\n$y\n" : "\n\n" } } }'
pts='while (/^\s*([-\d.e]+)\s+([-\d.e]+)\s*$/mg) { print $1 - 1, "\n", $2 - 1, "\n" }'
xml='while (/<part name="\d+" x="([-\d.]+)" y="([-\d.]+)"/g) { print "$1\n$2\n" }'

# agrees WHAT SCRIPT LABELS OPTION ...: what comes back is what the labels say
agrees() {
	agrees_what=$1 agrees_script=$2 agrees_labels=$3
	shift 3
	listed "$agrees_script" "$agrees_labels" >want
	kfkd-load "$@" "$agrees_labels" | kfkd-scale >crops
	kfkd-save --original crops | tail -n +2 | sed 's/^[^,]*,[^,]*,//' | tr , '\n' >got
	is "$agrees_what to 0.01 pixels" "$(paste got want | awk -F '\t' '
		($1 == "") != ($2 == "") || ($1 - $2) ^ 2 > 1e-4 { print NR, $0 } END { print NR }')" \
		"$(wc -l <want | tr -d ' ')"
}
photos=$KFKD_PHOTOS
agrees "faces of COFW, by boxes" "$coco" "$photos/coco/test_cofw.json" -C box
agrees "... by points" "$coco" "$photos/coco/test_cofw.json" -C points -z 64x48
agrees "300-W's points" "$pts" "$(echo "$photos"/pts/*.pts)" -C points
agrees "... in a crop that leaves the picture" "$pts" "$(echo "$photos"/pts/*.pts)" -C points \
	--enlarge 6 --shift .5,-1
agrees "dlib's faces, by boxes" "$xml" "$photos/dlib/faces.xml" -C box
refuses "a list that names a picture which is not there" 1 "there is no picture '.*indoor_029.png'" \
	kfkd-load -C box "$photos/coco/test_300w.json"
kfkd-load -C box --skip-bad "$photos/coco/test_300w.json" >left 2>err
is "... is read without it" "$(kfkd-stat left | head -n 1), $(tail -n 1 err)" \
	"rows: 1, kfkd-load: 1 of 2 faces are left out"
done_testing
