#!/bin/sh
# Scaled bytes: whatever reads a scaled stream makes the same of one whose pixels stayed
# bytes.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 90 -s 1 --missing .3 | kfkd-load >raw
kfkd-scale raw >floats
kfkd-scale --bytes raw >bytes

# both NAME COMMAND: the command, of which $f is the stream, succeeds and gives and says the
# same from either
both() {
	for f in floats bytes; do
		f=$f limited sh -c "$2" >"$f.out" 2>"$f.err" || echo "exit status $? of $f" >>"$f.err"
	done
	if cmp -s floats.err bytes.err; then
		equal "$1" floats.out bytes.out
	else
		fail "$1" "$(head -c 500 floats.err bytes.err)"
	fi
}

# -- the stream ---------------------------------------------------------------------

is "one byte a pixel, and the targets" "$(($(wc -c <floats) - $(wc -c <bytes)))" $((90 * 9216 * 3))
like "the header says so" "$(head -c 1000 bytes | tr '{' '\n')" \
	'^"dtype":"U8","shape":\[90,1,96,96\]'
like "... and how they were scaled" "$(head -c 1000 bytes)" '"X.scale":"0 255"'
kfkd-stat bytes >said
is "kfkd-stat tells what they are" "$(sed -n '2,3p' said | tr '\n' /)" \
	"images: 96 x 96, channels: 1, type: U8, bytes that stand for v / 255/X.scale: 0 255/"
both "kfkd-stat: the same values" 'kfkd-stat $f | grep -v type:'
both "kfkd-scale --undo gives the same bytes" 'kfkd-scale --undo $f'
both "... behind all that passes rows on" 'kfkd-cat $f $f | kfkd-dropna | kfkd-head -n 11 |
	kfkd-cat --single | kfkd-cat | kfkd-scale --undo'
kfkd-load <<'CSV' | kfkd-scale --bytes | kfkd-scale --undo | kfkd-save >back
a_x,a_y,Image
2,2,0 1 2 127 128 200 253 254 255
1,,9 8 7 6 5 4 3 2 1
CSV
is "there and back is no change" "$(tr '\n' / <back)" \
	"a_x,a_y,Image/2,2,0 1 2 127 128 200 253 254 255/1,,9 8 7 6 5 4 3 2 1/"
ok "no rows" sh -c 'kfkd-head -n 0 raw | kfkd-scale --bytes | kfkd-scale -u | kfkd-cat'

# -- whole numbers as floats ------------------------------------------------------------

# pixels TYPE TEMPLATE VALUE ...: two images of 1 x 2 of another program
pixels() {
	perl -e 'my ($type, $template, @v) = @ARGV; my $data = pack "$template*", @v;
		my $json = sprintf q({"X":{"dtype":"%s","shape":[2,1,1,2],"data_offsets":[0,%d]}}),
			$type, length $data;
		print pack("Q<", length $json), $json, $data' "$@" | kfkd-cat
}
pixels F32 'f<' 0 17 254 255 | kfkd-scale --bytes >whole
pixels U8 C 0 17 254 255 | kfkd-scale --bytes >same
equal "floats that are whole numbers become bytes" whole same
for v in 17.5 256 -1 nan; do
	pixels F32 'f<' 0 1 2 $v >other
	refuses "but not $v" 1 "row 2: pixel 2 is -?$v, and bytes are whole numbers from 0 to 255" \
		kfkd-scale --bytes other
done

# -- refusals -----------------------------------------------------------------------------

refuses "scaled twice" 1 'scaled already' kfkd-scale bytes
refuses "... also to bytes" 1 'scaled already' kfkd-scale --bytes bytes
refuses "floats to bytes" 1 'scaled already' kfkd-scale --bytes floats
kfkd-scale --bytes -u bytes >out 2>err
is "--bytes with --undo is misuse" "$? $(head -n 1 err)" \
	"2 kfkd-scale: --bytes does not go with --undo, which always writes bytes"
refuses "joined with floats" 1 'another type of X' kfkd-cat bytes floats
refuses "joined with bytes that are not scaled" 1 "another X.scale" kfkd-cat raw bytes
refuses "kfkd-save" 1 'pipe it through kfkd-scale --undo' kfkd-save bytes

# -- training ------------------------------------------------------------------------------

both "training a dense net" "kfkd-train -q -e 3 -B 32 -S -n 'dense20 relu dense' \$f"
both "... batches in order" "kfkd-train -q -e 3 -B 32 -n 'dense20 relu dense' \$f"
both "... on all rows" "kfkd-train -q -e 2 -v 0 -B 90 -n 'dense20 relu dense' \$f"
both "a net with convolutions, warped images and holes" \
	"kfkd-train -q -e 2 -B 32 -S -n 'conv4x5 batchnorm relu pool4 res dense20 relu drop.5 dense' \
		-a flip,rotate:10,shift:2,scale:.1,contrast:.2,brightness:.1,hole:20 \$f"
both "a net that finds the sum of mirrored labels" \
	"kfkd-train -q -e 2 -B 32 -n 'conv4x5s4 relu dense' -a flip:auto \$f"
perl -e 'srand 3; open my $x, ">:raw", "images"; open my $l, ">:raw", "labels";
	print $x pack("CCCCN3", 0, 0, 8, 3, 80, 16, 16);
	print $l pack("CCCCN", 0, 0, 8, 1, 80), pack("C*", map { $_ % 4 } 0 .. 79);
	print $x pack("C*", map { rand 256 } 1 .. 80 * 256)'
kfkd-load -l labels images | kfkd-scale >classes.floats
kfkd-load -l labels images | kfkd-scale --bytes >classes.bytes
both "classes" "kfkd-train -q -l crossentropy -e 3 -B 16 -a flip -n 'conv6x3 relu pool2 dense' \
	classes.\$f"

# A checkpoint of one goes on with the other.
run() {
	kfkd-train -q -e 4 -B 32 -S -n 'conv3x5s3 relu dense' -a flip,rotate:10 "$@"
}
for f in floats bytes; do
	rm -f point
	run -o whole $f
	run -e 2 -c point -o half $f
	cp point point.$f
done
equal "checkpoints are the same" point.floats point.bytes
for f in floats bytes; do
	run -R point.floats -o resumed.$f $f
done
equal "one resumed on floats comes to the same" resumed.floats whole
equal "... and on bytes" resumed.bytes whole
kfkd-load <<'CSV' | kfkd-scale --bytes >small
a_x,a_y,Image
1,1,0 1 2 3
0,1,9 8 7 6
CSV
kfkd-train -q -v 0 -e 1 -n dense -c small.point -o model small
is "the digest of the data is that of floats" \
	"$(grep -ao '"run.data":"[0-9a-f]*"' small.point)" '"run.data":"b8a58b6b33827c83"'

# -- predicting and pictures ------------------------------------------------------------------

kfkd-train -q -e 2 -n 'dense20 relu dense' -o net floats
kfkd-train -q -e 2 -n 'conv4x5s4 relu dense' -o conv bytes
for options in '-m net' '-m conv' '-m net -m conv --flip'; do
	both "kfkd-predict $options" "kfkd-predict $options \$f | kfkd-scale -u"
	both "... of a row alone" "kfkd-head -n 1 \$f | kfkd-predict $options | kfkd-scale -u"
done
is "predicting leaves X as it is" "$(kfkd-predict -m net bytes | kfkd-stat | sed -n 2p)" \
	"$(kfkd-stat bytes | sed -n 2p)"
for f in floats bytes; do
	kfkd-predict -m net -m conv $f >found.$f
done
both "kfkd-score" 'kfkd-score -r found.$f'
both "kfkd-plot" 'kfkd-plot found.$f'
both "... in colour" 'kfkd-plot -c -i found.$f'
both "... the worst" 'kfkd-plot -w 5 found.$f'
both "... errors" 'kfkd-plot --errors found.$f'
both "... each" 'kfkd-head -n 3 found.$f | kfkd-plot --each -'
both "... classes" 'kfkd-plot classes.$f'

done_testing
