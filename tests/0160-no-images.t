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

# a line with nothing in it would be skipped
printf 'nose_tip_x,Image\n1,1 2 3 4\n,1 2 3 4\n3,1 2 3 4\n' | kfkd-load | kfkd-scale -o one
kfkd-train -q -n dense -e 1 -o one.model one
kfkd-predict -m one.model --no-images one | kfkd-scale --undo -o one.undone
is "kfkd-save: the only number is missing" "$(kfkd-save one.undone)" \
	"$(printf 'nose_tip_x\n1\n""\n3')"
kfkd-save -o one.csv one.undone
is "... which Python reads back" "$(python3 -c 'import csv
print([r["nose_tip_x"] for r in csv.DictReader(open("one.csv"))])')" "['1', '', '3']"
is "kfkd-save --ids: ... beside an id" "$(kfkd-save --ids one.undone | sed -n 3p)" '2,'

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
