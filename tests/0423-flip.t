#!/bin/sh
# kfkd-predict --flip: the mean with mirror images, and labels beside their pixels.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 300 -s 1 >faces.csv
# The same faces with labels that lie one pixel to the right.
awk -F , -v OFS=, 'NR > 1 { for (i = 1; i <= 30; i += 2) $i += 1 } 1' faces.csv >right.csv
# move PIXELS: faces and labels alike to the right
move() {
	awk -F , -v OFS=, -v by="$1" 'NR > 1 { for (i = 1; i <= 30; i += 2) $i += by
		split($31, v, " "); $31 = ""
		for (r = 0; r < 96; r++) for (c = 0; c < 96; c++)
			$31 = $31 (r + c ? " " : "") v[96 * r + (c > by ? c - by : 0) + 1] } 1' \
		faces.csv
}
move 2 >moved.csv
move 12 >beside.csv
kfkd-synth -n 20 -s 3 --test >test.csv
# Their mirror images.
awk -F , -v OFS=, 'NR > 1 { split($2, v, " "); $2 = ""
	for (r = 0; r < 96; r++) for (c = 95; c >= 0; c--)
		$2 = $2 (r + 95 - c ? " " : "") v[96 * r + c + 1] } 1' test.csv >mirror.csv
for f in faces right moved beside test mirror; do
	kfkd-load $f.csv | kfkd-scale >$f
done
for f in faces right; do
	kfkd-train -q -n 'pool2 dense60 relu dense' -e 60 -B 32 -o $f.kfkd $f
done

# pixels FILE: predictions, 30 a line
pixels() {
	kfkd-scale -u "$1" | kfkd-save -p | tail -n +2 | cut -d , -f 1-30 | tr , ' '
}

# averaged SUM FILE FILE FLIPPED: how many values of FLIPPED are the means of the first
# two files' pixels, those of mirror images having been mirrored back
kfkd-predict -m faces.kfkd test | kfkd-scale -u | kfkd-save -p | head -n 1 >names
averaged() {
	pixels "$2" >a
	pixels "$3" >b
	pixels "$4" >c
	paste -d ' ' a b c | awk -v sum="$1" 'BEGIN {
		getline line <"names"
		split(line, name, ",")
		for (i = 1; i <= 30; i++)
			at[name[i]] = i
	}
	{
		for (i = 1; i <= 30; i++) {
			other = name[i]
			sub(/left/, "RIGHT", other) || sub(/right/, "left", other)
			sub(/RIGHT/, "right", other)
			v = $(30 + at[other])
			if (name[i] ~ /_x$/)
				v = sum - v
			d = ($i + v) / 2 - $(60 + i)
			n += d * d < 3e-5
		}
	}
	END { print n }'
}

kfkd-predict -m faces.kfkd test >plain
kfkd-predict -m faces.kfkd mirror >mirrored
kfkd-predict -m faces.kfkd --flip test >flipped 2>said
is "--flip exits 0" $? 0
is "... and says nothing of labels that lie where pixels do" "$(cat said)" ""
differ "it changes predictions" flipped plain
is "... to the mean with those for mirror images" \
	"$(averaged 95 plain mirrored flipped)" 600
kfkd-head -n 1 test | kfkd-predict -m faces.kfkd --flip >one 2>said
is "one row says nothing of its labels" "$(cat said)" ""
pixels one >one.pixels
pixels flipped | head -n 1 >first.pixels
is "a row alone gives the same to 0.001 pixels" "$(cat one.pixels first.pixels |
	awk 'NR == 1 { split($0, v) } NR == 2 { for (i = 1; i <= NF; i++)
		n += ($i - v[i]) ^ 2 < 1e-6 } END { print n }')" 30
kfkd-predict -m faces.kfkd -m faces.kfkd --flip test >twice
equal "two models are averaged as ever" twice flipped

# -- another sum -------------------------------------------------------------------

kfkd-predict -m right.kfkd --flip right >flipped 2>said
is "labels one pixel to the right: a line" "$(wc -l <said)" 1
like "... says what x add up to, and what to do" "$(cat said)" \
	"^kfkd-predict: 'right.kfkd': .* add up to (96\.[89]|97\.[0-2]) on average, not 95; .*--augment flip:auto$"
is "... and nothing else changes" "$(kfkd-predict -m right.kfkd --flip right 2>&1 \
	>again; cmp flipped again; echo $?)" "$(cat said; echo 0)"
kfkd-train -q -n 'pool2 dense60 relu dense' -e 5 -a flip:97 -o sum.kfkd right
kfkd-predict -m sum.kfkd test >plain
kfkd-predict -m sum.kfkd mirror >mirrored
kfkd-predict -m sum.kfkd --flip test >flipped 2>said
is "a model tells what it was trained with" "$(averaged 97 plain mirrored flipped)" 600
is "... and what it was taught is no news" "$(cat said)" ""
kfkd-predict -m right.kfkd -m sum.kfkd --flip right >both 2>said
is "of two models, the one that differs is named" "$(cut -d : -f 1,2 said)" \
	"kfkd-predict: 'right.kfkd'"

# -- a sum that is found while training -----------------------------------------------

# auto FACES: a model that looks for the labels' sum, which is $found
auto() {
	kfkd-train -n 'pool2 dense60 relu dense' -B 32 -e 24 -a flip:auto "$1" 2>log
	found=$(sed -n 's/^x of a point and of its mirror image add up to \(.*\) px$/\1/p' log)
}
auto moved >out
ok "flip:auto does not take where faces are for it ($found, not 99)" \
	awk -v found="$found" 'BEGIN { exit !(found > 94 && found < 96) }'
auto beside >out
like "of faces beside the middle it learns nothing" "$(cat log)" 'was not found: .* beside'
is "... and says nothing in the model" "$(head -c 3000 out | grep -ac flip.sum)" 0
auto right >out
is "... as it would" "$(head -c 3000 out | grep -ac flip.sum)" 1
mv out auto.kfkd
ok "flip:auto finds what x add up to ($found)" \
	awk -v found="$found" 'BEGIN { exit !(found > 96.5 && found < 97.5) }'
kfkd-predict -m auto.kfkd test >plain
kfkd-predict -m auto.kfkd mirror >mirrored
kfkd-predict -m auto.kfkd --flip test >flipped 2>said
is "... which predictions use" "$(averaged "$found" plain mirrored flipped)" 600
is "... without a word" "$(cat said)" ""
auto right >again
equal "it is found again" again auto.kfkd
kfkd-train -q -n dense -e 100000 -c point -a flip:auto -B 32 right >out 2>said &
pid=$!
soon "a long run has a checkpoint" 60 test -s point
kill -TERM $pid
finish $pid 60
refuses "it is looked for in a share of the epochs, which must stay the same" 1 \
	'--epochs 100000, not 24' \
	kfkd-train -q -n dense -e 24 -R point -a flip:auto -B 32 right

# -- what has no mirror image -------------------------------------------------------

# part COLUMN,...: a model of these columns
part() {
	kfkd-load -c "$1" faces.csv | kfkd-scale | kfkd-train -q -n 'pool8 dense' -e 1 -o part
}
part nose_tip_x,nose_tip_y
ok "columns of neither side mirror alone" kfkd-predict -m part --flip -o out test
part left_eye_center_x,left_eye_center_y
refuses "a column without its other side" 1 \
	"flip: 'left_eye_center_x' lacks its other side, 'right_eye_center_x'" \
	kfkd-predict -m part --flip test
refuses "... among several models" 1 "'left_eye_center_x' lacks its other side" \
	kfkd-predict -m faces.kfkd -m part --flip test
perl -e 'my $header = q({"__metadata__":{"classes":"2"},) .
	q("X":{"dtype":"U8","shape":[2,1,4,4],"data_offsets":[0,32]},) .
	q("label":{"dtype":"I64","shape":[2],"data_offsets":[32,48]}});
	print pack("Q<", length $header), $header, chr(64) x 32, pack("q<*", 0, 1);' |
	kfkd-cat | kfkd-scale >digits
kfkd-train -q -l crossentropy -n dense -e 1 -o classes digits
refuses "a model of classes" 1 'flip: classes have no mirror image' \
	kfkd-predict -m classes --flip digits

done_testing
