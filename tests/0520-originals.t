#!/bin/sh
# kfkd-plot --original: points on the photographs that faces were cut from.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

# Two photographs of 300 x 200, dark, of which one has two faces.
mkdir -p photos/a photos/b
pgmmake .2 300 200 >dark.pgm
pnmtopng dark.pgm >photos/a/one.png
pnmtopng dark.pgm >photos/b/one.png
cat >labels.csv <<'EOT'
file,x,y,w,h,nose_x,nose_y,chin_x,chin_y
photos/a/one.png,20,20,100,100,60,50,60,90
photos/b/one.png,50,50,100,100,250.5,155,,
photos/a/one.png,150,50,120,120,200,100,200,155
EOT
kfkd-load --crop box labels.csv >faces

# lit PICTURE: the middles of what is lighter than the photograph and its dark rims: all
# rings in boxes of 40 x 40
lit() {
	pamtopnm -plain "$1" | awk 'NR > 3 { for (i = 1; i <= NF; i++) v[n++] = $i }
		NR == 2 { w = $1 } END { for (i = 0; i < n; i++) if (v[i] > 120) {
			key = int((i % w + 10) / 40) "," int((int(i / w) + 10) / 40)
			x[key] += v[i] * (i % w); y[key] += v[i] * int(i / w); sum[key] += v[i] }
		for (key in sum) printf "%.1f,%.1f\n", x[key] / sum[key], y[key] / sum[key] }' |
		sort -n
}

mkdir out
kfkd-plot --each out/ --original faces
is "a picture for each photograph, by its path below the common one" "$(ls out | tr '\n' ' ')" \
	"a-one.pgm b-one.pgm "
is "... of its size" "$(head -n 2 out/a-one.pgm | tr '\n' ' ')" "P5 300 200 "
is "... with all of its faces" "$(lit out/a-one.pgm | tr '\n' ' ')" \
	"60.0,50.0 60.0,90.0 200.0,100.0 200.0,155.0 "
is "... and the other's own" "$(lit out/b-one.pgm)" "250.5,155.0"
kfkd-shuffle -s 3 faces | kfkd-scale | kfkd-plot --each - --original >both
is "the same from a shuffled and scaled stream, in its order" "$(wc -c <both | tr -d ' ')" \
	"$(cat out/*.pgm | wc -c | tr -d ' ')"
kfkd-plot --each other- --original --colour --ids faces
is "in colour, with numbers" "$(head -c 2 other-a-one.ppm)$(ls other-* | wc -l | tr -d ' ')" P62
refuses "a picture that is there already" 1 "^kfkd-plot: .*out/a-one.pgm" \
	kfkd-plot --each out/ --original faces

kfkd-scale faces | kfkd-train -q -v 0 -e 2 -n dense >net
kfkd-scale faces | kfkd-predict -m net --no-images >predicted
mkdir found
ok "predictions without images" kfkd-plot --each found/ --original predicted
is "... are marked, too" "$(cmp -s found/a-one.pgm out/a-one.pgm; echo $?)" 1

kfkd-synth -n 1 | kfkd-load >plain
refuses "a stream that is from no photograph" 1 \
	"^kfkd-plot: the stream does not name the photographs that it is from$" \
	kfkd-plot --each x --original plain
cp photos/a/one.png photos/one.png
pnmtojpeg dark.pgm >photos/one.jpg
kfkd-load photos/one.png photos/one.jpg >twins
refuses "two photographs that would be one picture" 1 \
	"^kfkd-plot: 'photos/one.*' and 'photos/one.*' would both become 'twin-one.pgm'; draw" \
	kfkd-plot --each twin- --original twins
is "... before any is written" "$(ls twin-* 2>err)" ""
for o in 1 2 3 4 5 6 7 8; do
	perl -e 'my $d = "Exif\0\0MM\0*" . pack "Nn nnNnn N", 8, 1, 0x112, 3, 1, shift, 0, 0;
		print pack "n a*", length($d) + 2, $d' $o >exif
	case $o in
	1) cat dark.pgm ;;
	2) pamflip -lr dark.pgm ;;
	3) pamflip -r180 dark.pgm ;;
	4) pamflip -tb dark.pgm ;;
	5) pamflip -xy dark.pgm ;;
	6) pamflip -ccw dark.pgm ;;
	7) pamflip -xy dark.pgm | pamflip -r180 ;;
	8) pamflip -cw dark.pgm ;;
	esac | pnmtojpeg -quality=100 -exif=exif >photos/turned$o.jpg
done
sed -n 's|photos/a/one.png|photos/turned&|p' labels.csv | sed 's|photos/turnedphotos/a/one.png|turned|' |
	awk -v OFS= '{ for (i = 1; i <= 8; i++) { t = $0
		sub(/turned/, "photos/turned" i ".jpg", t); print t } }' >rows
{ sed 1q labels.csv; cat rows; } >turned.csv
kfkd-load --crop box turned.csv | kfkd-plot --each upright- --original
for o in 1 2 3 4 5 6 7 8; do
	echo "$(lit upright-turned$o.pgm | tr '\n' ' ')$(sed -n 2p upright-turned$o.pgm)"
done | sort -u >got
is "photographs of all orientations are drawn upright" "$(cat got)" \
	"60.0,50.0 60.0,90.0 200.0,100.0 200.0,155.0 300 200"
rm photos/b/one.png
refuses "a photograph that is gone" 1 "^kfkd-plot: cannot open 'photos/b/one.png': No such" \
	kfkd-plot --each gone- --original faces
refuses "--original of a sheet" 2 "^kfkd-plot: --original goes with --each," \
	sh -c 'kfkd-plot --original faces 2>err; s=$?; head -n 1 err >&2; exit $s'
done_testing
