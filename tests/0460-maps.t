#!/bin/sh
# Maps: kfkd-predict makes them, all other programs pass them on, kfkd-plot draws them.
# (test_maps looks at their values.)

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 200 -s 3 --missing .3 >faces.csv
kfkd-load faces.csv | kfkd-scale >faces
net='conv16x3s2 batchnorm relu pool2 drop.2 dense40 relu dense'
kfkd-train -q -e 2 --net "$net" faces >model || exit 1
kfkd-predict -m model faces >found

# what kfkd-stat says of a stream's maps
maps_of() {
	kfkd-stat "$1" | sed -n 's/^maps: //p'
}

# -- what is added ------------------------------------------------------------------

kfkd-predict -m model --activations faces >activations
is "activations: exits 0" $? 0
is "... their size is the layer's" "$(maps_of activations)" "47 x 47, channels: 16"
kfkd-head -n 5 faces >five
kfkd-predict -m model --saliency five >saliency
is "saliency: exits 0" $? 0
is "... its size is the image's" "$(maps_of saliency)" "96 x 96, channels: 1"
kfkd-predict -m model --occlusion 24 five >occlusion
is "occlusion: exits 0" $? 0
is "... its size is the image's" "$(maps_of occlusion)" "96 x 96, channels: 1"
kfkd-predict -m model --occlusion 24:12 five | cmp - occlusion
is "... in steps of half the square" $? 0
kfkd-predict -m model --occlusion 24:24 five | kfkd-stat >coarse
differ "... or others" coarse occlusion

# rows, but for the map
rest() {
	kfkd-stat "$1" | grep -v '^map'
}

is "all else is as without maps" "$(rest activations)" "$(kfkd-stat found)"
is "... so are predictions" "$(kfkd-score -r activations)" "$(kfkd-score -r found)"
kfkd-predict -m model --no-images --saliency five >bare
is "images can be left out" "$(kfkd-stat bare | grep -E '^(images|maps)')" \
	"images: none, of 96 x 96, channels: 1
maps: 96 x 96, channels: 1"
kfkd-load faces.csv | kfkd-scale --bytes | kfkd-head -n 5 >bytes
is "of bytes it is the same" \
	"$(kfkd-predict -m model --saliency bytes | kfkd-stat | grep '^map')" \
	"$(kfkd-stat saliency | grep '^map')"
cut -d, -f31 faces.csv >images.csv
kfkd-load images.csv | kfkd-scale | kfkd-head -n 5 |
	kfkd-predict -m model --saliency >untold
is "without targets there is a map, too" "$(maps_of untold)" "96 x 96, channels: 1"

# -- passed on ----------------------------------------------------------------------

kfkd-head -n 3 saliency >a
kfkd-tail -n 2 saliency >b
kfkd-cat a b >joined
is "rows keep their maps" "$(kfkd-stat joined | grep '^map')" \
	"$(kfkd-stat saliency | grep '^map')"
kfkd-shuffle saliency | kfkd-scale --undo | kfkd-stat >shuffled
is "... shuffled and unscaled" "$(grep '^map' shuffled)" \
	"$(kfkd-stat saliency | grep '^map')"
kfkd-cat --single saliency | kfkd-cat - | kfkd-stat | grep '^map' >single
is "... and in a single file" "$(cat single)" "$(kfkd-stat saliency | grep '^map')"

# same_maps WHAT FILE WANT: the maps of these streams are the same, as far as is printed
same_maps() {
	is "$1" "$(kfkd-stat "$2" | grep '^map')" "$(kfkd-stat "$3" | grep '^map')"
}

kfkd-cat --single activations >single
kfkd-tail -n 7 activations >few
kfkd-tail -n 7 single >got
same_maps "... the last of a single file" got few
kfkd-select -w 'id>193' single >got
same_maps "... or those selected" got few
kfkd-cat single | cmp - activations
is "... or all, cut into chunks again" $? 0
kfkd-split -S .5 -r rest single >half
kfkd-cat half rest | kfkd-stat | grep '^map' | sed 's/; map.mean.*//' >parts
is "... or two parts" "$(cat parts)" "$(kfkd-stat activations | grep '^map' |
	sed 's/; map.mean.*//')"
printf 'id,nose_tip_x\n1,40\n' >table.csv
kfkd-scale --undo saliency | kfkd-join -k -c nose_tip_x -t table.csv >joined
same_maps "... joined with a table" joined saliency
refuses "streams with maps of another size are not joined" 1 \
	'another size of map .*: 1 x 96 x 96, not 16 x 47 x 47' \
	sh -c 'cat activations saliency | kfkd-cat'
refuses "nor are those without" 1 "'map' is missing" sh -c 'cat saliency found | kfkd-cat'

# chunks are no larger than others: 47 x 47 x 16 floats and an image are 3 a chunk of 4 MiB
largest=$(KFKD_FILE=activations perl -e '
	open my $f, "<:raw", $ENV{KFKD_FILE} or die; my $most = 0;
	while (read $f, my $n, 8) {
		read $f, my $header, unpack("Q<", $n);
		my $size = 0;
		$size = $2 > $size ? $2 : $size
			while $header =~ /"data_offsets":\[(\d+),(\d+)\]/g;
		seek $f, $size, 1;
		$most = $size if $size > $most;
	}
	print $most')
ok "chunks stay small ($largest bytes)" [ "$largest" -lt 6000000 ]

# -- pictures -----------------------------------------------------------------------

# the size of a picture
size() {
	head -n 2 "$1" | tail -n 1
}

kfkd-plot --maps saliency >sheet.pgm
is "faces and maps: exits 0" $? 0
is "... 4 x 4 pictures" "$(size sheet.pgm)" "774 774"
kfkd-plot --maps -g 2x1 saliency >pair.pgm
is "a face and its map" "$(size pair.pgm)" "386 192"
kfkd-plot -g 2x1 saliency >faces.pgm
# left FILE: the left half of its picture
left() {
	perl -e 'local $/; my ($h, $p) = <STDIN> =~ /^(P5\n\d+ \d+\n255\n)(.*)/s;
		print substr $p, 386 * $_, 192 for 0 .. 191' <"$1"
}
left pair.pgm >a
left faces.pgm >b
equal "... the face as without maps" a b
kfkd-plot --maps -g 2x1 -i saliency >ids.pgm
differ "--ids changes it" pair.pgm ids.pgm
kfkd-plot --maps -g 3x2 -z 1 -c saliency >colour.ppm
is "in colour" "$(head -n 1 colour.ppm) $(size colour.ppm)" "P6 292 194"
kfkd-plot --maps -g 3x2 -z 1 -c --over saliency >over.ppm
differ "... over faces" colour.ppm over.ppm
kfkd-plot --maps -z 1 activations >channels.pgm
is "a face and 16 channels: 5 x 4 pictures" "$(size channels.pgm)" "488 390"
kfkd-head -n 1 activations | kfkd-plot --maps -z 1 | cmp - channels.pgm
is "... of the first face alone" $? 0
kfkd-plot --maps -z 1 -g 5x8 activations >more.pgm
is "... or of as many as there is room for" "$(size more.pgm)" "488 782"
if command -v pnmcut >/dev/null; then
	# of small images, whose values have no room in one line
	perl -e 'print "P5 28 28 255\n", map { chr(($_ * 7919) % 251) } 1 .. 784' >one.pgm
	cat one.pgm one.pgm >two.pgm
	kfkd-load two.pgm >tiny
	printf 'id,label\n1,0\n2,1\n' >labels.csv
	kfkd-join -t labels.csv tiny | kfkd-scale >tiny.scaled
	kfkd-train -q -e 1 -v 0 -l crossentropy --net 'dense5 relu dense' tiny.scaled >tiny.model
	kfkd-predict -m tiny.model --saliency tiny.scaled | kfkd-plot --maps -g 2x1 -i >noted.pgm
	kfkd-predict -m tiny.model --saliency tiny.scaled | kfkd-plot --maps -g 2x1 >plain.pgm
	pnmcut -left -3 noted.pgm >edge
	pnmcut -left -3 plain.pgm | cmp - edge
	is "values of small maps stay within them" $? 0
	differ "... and are there" noted.pgm plain.pgm
else
	skip "values of small maps stay within them" "no netpbm"
fi
refuses "no maps" 1 'the stream has no maps' kfkd-plot --maps found
refuses "no images" 1 'has no images' kfkd-plot --maps bare
refuses "no rows" 1 'nothing to draw' sh -c 'kfkd-head -n 0 saliency | kfkd-plot --maps'
head -c 300000 saliency >cut
refuses "a cut stream" 1 "'cut'" kfkd-plot --maps -o got.pgm cut
kfkd-plot --maps --over saliency >out 2>err
is "--over in grey exits 2" $? 2
like "... and says why" "$(head -n 1 err)" '--over needs --colour'
kfkd-plot --over -c saliency >out 2>err
is "--over without maps exits 2" $? 2
is "... and says why" "$(head -n 1 err)" "kfkd-plot: --over has no effect without --maps"
kfkd-plot --mean saliency >out 2>err
is "... as for curves" "$(head -n 1 err)" "kfkd-plot: --mean has no effect without --curve"
kfkd-plot --maps --weights saliency >out 2>err
is "two kinds of pictures exit 2" $? 2

# -- mistakes -----------------------------------------------------------------------

for what in 0 -3 12: 12:0 12:13 99999 x 8:x 1e1 '' 8:4:2; do
	kfkd-predict -m model --occlusion "$what" five >out 2>err
	is "--occlusion '$what' exits 2" $? 2
	like "... and says why" "$(head -n 1 err)" '--occlusion: .* is not the side'
done
kfkd-predict -m model --saliency --activations five >out 2>err
is "two maps exit 2" $? 2
like "... and says why" "$(head -n 1 err)" 'only one of --occlusion'
kfkd-predict -m model -m model --saliency five >out 2>err
is "two models exit 2" $? 2
like "... and says why" "$(head -n 1 err)" 'maps are of one model'
kfkd-predict -m model --flip --saliency five >out 2>err
is "--flip exits 2" $? 2
like "... and says why" "$(head -n 1 err)" 'without --flip'

kfkd-train -q -e 0 --net 'pool16 dense16385 relu dense' five >wide.model
refuses "more channels than a stream may have" 1 'a map of 16385 x 1 x 1 is larger' \
	kfkd-predict -m wide.model --activations five

done_testing
