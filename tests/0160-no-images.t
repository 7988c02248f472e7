#!/bin/sh
# Streams whose images kfkd-predict --no-images has left out: whoever needs none of them
# takes such a stream, and the others say what is missing.

. "${0%/*}/lib.sh"
tests=$(cd "${0%/*}" && pwd)
cd "$tmp" || exit 1

kfkd-synth --rows 40 --missing 0.1 --seed 5 | awk -f "$tests/shrink.awk" >faces.csv
kfkd-load faces.csv >raw
kfkd-scale -o scaled raw
kfkd-train -q -n dense -e 1 -o model scaled
kfkd-predict -m model -o with scaled
kfkd-predict -m model --no-images -o without scaled

# -- what is in it -------------------------------------------------------------------

is "kfkd-stat: all but the images is the same" \
	"$(kfkd-stat with | grep -v 'X.shape\|^images')" \
	"$(kfkd-stat without | grep -v '^images')"
like "... which are said to be missing" "$(kfkd-stat without)" \
	'^images: none, of 16 x 16, channels: 1$'
is "the metadata has their shape" "$(grep -ao '"X.shape":"[^"]*"' without | uniq)" \
	'"X.shape":"1 16 16"'
is "... and a stream with them has not" "$(grep -ac X.shape with)" 0
ok "the stream is small ($(wc -c <without) bytes)" test "$(wc -c <without)" -lt 20000

# -- who takes it ---------------------------------------------------------------------

for options in '' --rows; do
	is "kfkd-score $options" "$(kfkd-score $options without)" "$(kfkd-score $options with)"
done
kfkd-scale --undo -o undone without
kfkd-scale --undo -o with.undone with
is "kfkd-scale --undo" "$(kfkd-stat undone | grep -v '^images')" \
	"$(kfkd-stat with.undone | grep -v 'X.shape\|^images')"
kfkd-scale -o again undone
kfkd-scale -o with.again with.undone
is "... and kfkd-scale" "$(kfkd-stat again | grep -v '^images')" \
	"$(kfkd-stat with.again | grep -v 'X.shape\|^images')"
like "... which has the shape still" "$(kfkd-stat again)" '^images: none, of 16 x 16'
is "kfkd-dropna" "$(kfkd-dropna without | kfkd-score)" "$(kfkd-dropna with | kfkd-score)"
is "kfkd-head" "$(kfkd-head -n 7 without | kfkd-score)" "$(kfkd-head -n 7 with | kfkd-score)"
is "kfkd-cat" "$(kfkd-cat without without | kfkd-score)" "$(kfkd-cat with with | kfkd-score)"
kfkd-cat --single -o single without
is "kfkd-cat --single" "$(kfkd-score single)" "$(kfkd-score with)"
kfkd-cat -o back single
equal "... and back" back without
kfkd-head -n 0 -o none without
is "a stream without rows" "$(kfkd-cat none without | kfkd-score)" "$(kfkd-score with)"

# -- as CSV ---------------------------------------------------------------------------

for options in '' --predictions '--ids --predictions'; do
	kfkd-save $options -o with.csv with.undone
	kfkd-save $options -o without.csv undone
	sed 's/,[^,]*$//' with.csv >want.csv
	equal "kfkd-save $options: no column Image" without.csv want.csv
	kfkd-save $options --no-images -o left.csv with.undone
	equal "... the same with --no-images" left.csv want.csv
	kfkd-save $options --no-images -o left.csv undone
	equal "... which finds none" left.csv want.csv
done
printf 'RowId,ImageId,FeatureName,Location\n1,2,nose_tip_x,\n2,1,nose_tip_y,\n' >table
kfkd-save --lookup table -o with.csv with
kfkd-save --lookup table -o without.csv without
equal "kfkd-save --lookup" without.csv with.csv

# without targets there are ids alone
sed 's/.*,//; 1s/.*/Image/' faces.csv | kfkd-load | kfkd-scale |
	kfkd-predict -m model --no-images | kfkd-scale --undo -o test
is "kfkd-save: ids alone" "$(kfkd-save test | head -n 3)" "$(printf 'ImageId\n1\n2')"
refuses "... or nothing" 1 'neither images nor targets, and without ids nothing is left' \
	kfkd-save --no-ids test
sed 's/.*,//; 1s/.*/Image/' faces.csv | kfkd-load -o test.raw
is "kfkd-save --no-images: ids alone" "$(kfkd-save --no-images test.raw)" "$(kfkd-save test)"
refuses "... or nothing" 1 'no targets, and without images and ids nothing is left' \
	kfkd-save --no-ids --no-images test.raw

# a line with nothing in it would be skipped
printf 'nose_tip_x,Image\n1,1 2 3 4\n,1 2 3 4\n3,1 2 3 4\n' | kfkd-load | kfkd-scale -o one
kfkd-train -q -n dense -e 1 -o one.model one
kfkd-predict -m one.model --no-images one | kfkd-scale --undo -o one.undone
is "kfkd-save: the only number is missing" "$(kfkd-save one.undone)" \
	"$(printf 'nose_tip_x\n1\n""\n3')"
kfkd-save -o one.csv one.undone
is "... which Python reads back" "$(python3 -c 'import csv
print([r["nose_tip_x"] for r in csv.DictReader(open("one.csv"))])')" "['1', '', '3']"
refuses "... and kfkd-load does not" 1 Image kfkd-load one.csv
printf 'nose_tip_x,Image\n1,1 2 3 4\n,1 2 3 4\n3,1 2 3 4\n' | kfkd-load |
	kfkd-save --no-images -o left.csv
equal "... the same with --no-images" left.csv one.csv
is "kfkd-save --ids: ... beside an id" "$(kfkd-save --ids one.undone | sed -n 3p)" '2,'

# what CSV does not hold matters only where it is written
"$KFKD_BUILD/tests/mkclasses" 2 2 >classes
is "kfkd-save -p --no-images: classes" "$(kfkd-save -p --no-images classes)" \
	"$(printf '%s\n' class_1,class_0 0.6,0.1 0.1,0.6)"
is "kfkd-save --no-images: labels" "$(kfkd-save --no-images classes)" \
	"$(printf '%s\n' ImageId,label 1,1 2,0)"
refuses "kfkd-save --no-images: scaled" 1 'kfkd-scale --undo' kfkd-save --no-images with
perl -e '$h = qq({"X":{"dtype":"F32","shape":[1,3,1,1],"data_offsets":[8,20]},) .
	qq("id":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}});
	print pack("Q<", length $h), $h, pack("q<f<3", 7, .5, .5, .5)' | kfkd-cat -o colours
refuses "kfkd-save: floats" 1 'the pixels are F32' kfkd-save colours
is "... with --no-images" "$(kfkd-save --no-images colours)" "$(printf 'ImageId\n7')"
kfkd-save --no-images --lookup table with >out 2>err
is "kfkd-save: --lookup with --no-images exits 2" $? 2
refuses "a full disk" 1 'No space left' kfkd-save -p --no-images -o /dev/full undone

# -- who does not ---------------------------------------------------------------------

message='the stream has no images: kfkd-predict --no-images has left them out$'
refuses "kfkd-train" 1 "$message" kfkd-train -n dense -e 1 without
refuses "kfkd-predict" 1 "$message" kfkd-predict -m model without
for mode in '' '--each face' '--each -' '--worst 3'; do
	refuses "kfkd-plot $mode" 1 "$message" kfkd-plot $mode without
done
refuses "kfkd-cat: one with and one without" 1 \
	"'without' has other images than 'with': none\$" kfkd-cat with without
refuses "kfkd-cat: one without and one with" 1 \
	"'with' has other images than 'without': the first has none\$" kfkd-cat without with
refuses "cat: one with and one without" 1 \
	'a second stream: other images than before: none$' \
	sh -c 'cat with without | kfkd-cat'
refuses "kfkd-predict: a stream is no model" 1 'a stream, not a model$' \
	kfkd-predict -m without scaled

# -- damaged ---------------------------------------------------------------------------

# edit FROM TO: in the header, with the checksum that it had
edit() {
	perl -e 'local $/; $_ = <STDIN>; s/$ARGV[0]/$ARGV[1]/; print' "$1" "$2" <without
}
edit '"1 16 16"' '"1 16 96"' >damaged
refuses "a changed shape" 1 'damaged: the checksum' kfkd-score damaged
edit '"1 16 16"' '"1 16 -6"' >damaged
refuses "a shape that is none" 1 'images of 1 x 16 x -6 are out of bounds' kfkd-score damaged
edit '"1 16 16"' '"1 16 1x"' >damaged
refuses "a shape that is no number" 1 "'X.shape' is not 'channels height width': '1 16 1x'" \
	kfkd-score damaged
edit '"X.shape"' '"X.shade"' >damaged
refuses "no shape" 1 "there is no tensor 'X'" kfkd-score damaged
perl -e 'local $/; $_ = <STDIN>; substr($_, 2000, 1) ^= "\1"; print' <test >damaged
for program in kfkd-score kfkd-cat; do
	refuses "$program: a changed byte" 1 'damaged: the checksum' $program damaged
done
head -c 3000 without >damaged
refuses "a cut stream" 1 'truncated' kfkd-score damaged

done_testing
