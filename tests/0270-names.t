#!/bin/sh
# Names of classes on their way from kfkd-load to what people read, and rows chosen by names.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
mkclasses=$KFKD_BUILD/tests/mkclasses

# idx SIZE ...: a header; bytes BYTE ...: the data
idx() {
	perl -e 'print pack("CCCCN*", 0, 0, 8, scalar @ARGV, @ARGV)' "$@"
}
bytes() {
	perl -e 'print pack("C*", @ARGV)' "$@"
}
{ idx 4 2 2; bytes 0 1 2 3 50 60 70 80 9 8 7 6 200 201 202 203; } >images
{ idx 4; bytes 0 2 1 2; } >labels

# -- loading -----------------------------------------------------------------------

printf 'T-shirt/top\nankle boot\nbag, no\n' | tr -d , >names.txt
kfkd-load -l labels --classes names.txt images >named
like "--classes" "$(kfkd-stat named)" '^names of classes: T-shirt/top, ankle boot, bag no$'
printf 'T-shirt/top\r\n  ankle boot  \r\nbag no' >form.txt
kfkd-load -l labels --classes form.txt images >form
equal "... with CRLF, spaces around, and no end of the last line" named form
ok "... kept by kfkd-scale, kfkd-select and kfkd-cat" sh -c \
	'kfkd-scale named | kfkd-scale -u | kfkd-select -i 1- | kfkd-cat | cmp - named'
{ cat names.txt; echo hat; } >four.txt
like "more names than labels: as many classes" \
	"$(kfkd-load -l labels --classes four.txt images | kfkd-stat)" '^classes: 4$'

# wrong PATTERN NAMES: as printf takes it
wrong() {
	printf "$2" >bad.txt
	refuses "$2" 1 "^kfkd-load: $1\$" kfkd-load -l labels --classes bad.txt images
}
wrong "'labels' has the label 2, and 2 classes have names" 'a\nb\n'
wrong "'bad.txt', line 2: 'b,c' has a comma" 'a\nb,c\nd\n'
wrong "'bad.txt', line 3: 'a' is there twice" 'a\nb\na\n'
wrong "'bad.txt', line 2: the line is empty" 'a\n\nb\n'
wrong "'bad.txt', line 2: it has a control character" 'a\nb\tc\nd\n'
wrong "'bad.txt', line 1: it is not UTF-8" 'a\377\nb\nc\n'
wrong "'bad.txt', line 1: there is a NUL byte" 'a\0b\nb\nc\n'
wrong "'bad.txt', line 2: a name of 201 bytes; it may have 200" "a\n$(printf '%0201d' 0)\nc\n"
wrong "'bad.txt', line 1: a line of more than 1024 bytes" "$(printf '%02000d' 0)\n"
wrong "'bad.txt' is empty.*" ''
printf 'a_x,Image\n1,2\n' >faces.csv
refuses "of a CSV" 1 '[-]-labels does not go with' kfkd-load -l labels --classes names.txt faces.csv
kfkd-load --classes names.txt images >out 2>err
like "names without labels exit 2" "$? $(head -n 1 err)" '^2 .*give these by --labels'
kfkd-load -l labels --classes - images <names.txt >out 2>err
like "names from standard input exit 2" "$? $(head -n 1 err)" '^2 .*--classes is a file'

# -- models ------------------------------------------------------------------------

kfkd-scale named >scaled
kfkd-train -q -v 0 -n dense --loss crossentropy -e 2 -o model scaled
like "a model has them" "$(kfkd-stat model)" '^names of classes: T-shirt/top, ankle boot, bag no$'
ok "... one without has none" sh -c 'kfkd-load -l labels images | kfkd-scale |
	kfkd-train -q -v 0 -n dense --loss crossentropy -e 2 -o plain && ! grep -a class_names plain'
kfkd-train -q -v 0 -n dense --loss crossentropy -e 1 -c checkpoint scaled >/dev/null
sed '1s/.*/shirt/' names.txt >other.txt
kfkd-load -l labels --classes other.txt images | kfkd-scale >other
refuses "a run of other names" 1 'its classes have other names' \
	kfkd-train -q -v 0 -n dense --loss crossentropy -e 2 --resume checkpoint other
kfkd-load images | kfkd-scale | kfkd-predict -m model >unlabelled
like "predictions have the model's names" "$(kfkd-stat unlabelled)" \
	'^names of classes: T-shirt/top, ankle boot, bag no$'
kfkd-load -l labels images | kfkd-scale >unnamed
ok "... of a stream that has labels" sh -c \
	'kfkd-predict -m model unnamed >x; kfkd-predict -m model scaled | cmp - x'
{ idx 4; bytes 0 1 1 0; } >few
like "... of fewer classes" "$(kfkd-load -l few images | kfkd-scale | kfkd-predict -m model |
	kfkd-stat)" '^classes: 3$'
ok "a stream's names stay with a model that has none" sh -c \
	'kfkd-predict -m plain scaled | kfkd-stat | grep -q "ankle boot"'
refuses "other names than the model's" 1 \
	"class 0 is 'shirt', and the model's 'T-shirt/top'" kfkd-predict -m model other
{ idx 4; bytes 0 1 4 0; } >many
kfkd-load -l many images | kfkd-scale >five
refuses "more classes than the model's" 1 'the stream has 5 classes, the model 3' \
	kfkd-predict -m model five
kfkd-load -l labels --classes four.txt images | kfkd-scale >four
refuses "more names than the model's" 1 'names of 4 classes, and the model has 3' \
	kfkd-predict -m model four

# -- scores ------------------------------------------------------------------------

"$mkclasses" 25 3 'top,ankle boot,"bag"' >classes
"$mkclasses" 25 3 >numbers
named_by() {
	awk -F '\t' -v OFS='\t' -v columns="$1" 'BEGIN { name[0] = "top"; name[1] = "ankle boot"
		name[2] = "\"bag\"" } { for (i = 1; i <= NF; i++)
		if (index(columns, i) && $i in name) $i = name[$i] } 1'
}
is "kfkd-score names classes" "$(kfkd-score classes)" "$(kfkd-score numbers | named_by 1)"
is "... and with --rows" "$(kfkd-score -r classes)" "$(kfkd-score -r numbers | named_by 23)"
kfkd-score --confusion numbers >table
is "--confusion: a line and a column for each class" "$(cut -f 1 table | tr '\n' ' ')/ $(
	head -n 1 table)" "$(printf 'label 0 1 2 / label\t0\t1\t2')"
is "... counts what --rows has" "$(sed 1d table | cut -f 2- | tr '\n' '\t')" "$(
	kfkd-score -r numbers | sed '1d;$d' | awk '{ n[$2, $3]++ } END { for (i = 0; i < 3; i++)
		for (j = 0; j < 3; j++) printf "%d\t", n[i, j] }')"
is "... by names" "$(kfkd-score --confusion classes)" "$({ head -n 1 table |
	sed 's/0/top/;s/1/ankle boot/;s/2/"bag"/'; sed 1d table | named_by 1; })"
kfkd-score --confusion -r classes >out 2>err
is "... with --rows exits 2" $? 2
refuses "... without rows" 1 'no rows' sh -c "$mkclasses 0 3 | kfkd-score --confusion"

# -- saving ------------------------------------------------------------------------

is "labels by name in CSV" "$(kfkd-save --truth --no-images classes | cut -d, -f1 | head -n 4)" \
	"$(printf 'label\nankle boot\n"""bag"""\ntop')"
is "... and in JSON, with the class" "$(kfkd-save --json classes | sed -n '1p;5p' | cut -d, -f1-3)" \
	"$(printf '%s\n' '{"id":1,"label":"ankle boot","class":"ankle boot"' \
	'{"id":5,"label":"\"bag\"","class":"top"')"
kfkd-save --truth --no-images -i classes | cut -d, -f1,2 >labels.csv
ok "kfkd-join reads them again" sh -c 'kfkd-join -t labels.csv classes | cmp - classes'
printf 'id,label\n1,3\n' >labels.csv
refuses "... but no label without a name" 1 "'labels.csv' has the label 3, and 3 classes have" \
	kfkd-join -k -t labels.csv classes
printf 'id,label\n1,hat\n' >labels.csv
refuses "... and no other name" 1 "'hat' is not a whole number" kfkd-join -k -t labels.csv classes

# -- rows by their classes ----------------------------------------------------------

# chosen WANT CONDITION STREAM: the ids
ids() {
	kfkd-select -w "$1" "$2" | kfkd-save --json | sed 's/.*"id":\([0-9]*\).*/\1/' | tr '\n' ' '
}
is "label=NAME" "$(ids 'label=ankle boot' classes)" "$(ids label=1 classes)"
is "... with spaces" "$(ids 'label = "bag"' classes)" "$(ids label=2 classes)"
is "label!=NAME" "$(ids 'label!=top' classes)" "$(ids 'label>0' classes)"
is "right=0" "$(ids right=0 classes)" "5 10 15 20 25 "
is "right=1" "$(ids right=1 classes | wc -w)" 20
is "... without names the same" "$(ids right=0 numbers)" "5 10 15 20 25 "
refuses "no such class" 1 "there is no class 'hat'" kfkd-select -w label=hat classes
refuses "no names at all" 1 "there is no class 'top'" kfkd-select -w label=top numbers
refuses "right without labels" 1 "there are no labels" kfkd-select -w right=1 unlabelled
refuses "right without predictions" 1 "no predictions of classes" kfkd-select -w right=1 named
kfkd-select -w 'label<top' classes >out 2>err
like "a name that is not compared by = exits 2" "$? $(head -n 1 err)" '^2 .*is not a condition'

# -- rows by their names ------------------------------------------------------------

printf 'name,Image\nanna,1\nanna b,2\nBo,3\n,4\nJörg,5\n' | kfkd-load >people
while IFS='|' read -r condition want; do
	is "$condition" "$(ids "$condition" people)" "$want"
done <<'EOT'
name=anna|1 
name=anna*|1 2 
name = *|1 2 3 4 5 
name=[ab]*|1 2 
name!=anna*|3 4 5 
name=|4 
name!=|1 2 3 5 
name==J*rg|5 
name=missing|
EOT
refuses "a stream without names" 1 'the rows have no names' kfkd-select -w name=x numbers
refuses "... or files" 1 'the rows have no files' kfkd-select -w 'file!=x' people
refuses "... or faces" 1 "the rows have no faces' numbers" kfkd-select -w face=1 people
kfkd-select -w 'name>a' people >out 2>err
like "a name that is not compared by = exits 2" "$? $(head -n 1 err)" '^2 .*is not a condition'

# -- pictures ----------------------------------------------------------------------

kfkd-plot -z 3 numbers >plain.pgm
kfkd-plot -z 3 classes >named.pgm
differ "kfkd-plot draws names of classes" plain.pgm named.pgm
kfkd-plot -z 3 -g 1x1 numbers >one.pgm
"$mkclasses" 1 3 0,1,2 | kfkd-plot -z 3 -g 1x1 >same.pgm
equal "... which may be numbers" one.pgm same.pgm
kfkd-synth -n 2 -t >faces.csv
awk -F, -v OFS=, 'NR == 1 { print "name", $0 } NR > 1 { print "ann", $0 }' faces.csv |
	kfkd-load >ann
kfkd-load faces.csv | kfkd-plot -i >ids.pgm
kfkd-plot -i ann >names.pgm
differ "... and of rows beside their ids" ids.pgm names.pgm
kfkd-load faces.csv | kfkd-plot >none.pgm
kfkd-plot ann >out.pgm
equal "... only with these" none.pgm out.pgm
awk -F, -v OFS=, 'NR == 1 { print "name", $0 } NR > 1 { print "Jörg", $0 }' faces.csv |
	kfkd-load | kfkd-plot -i >umlaut.pgm
awk -F, -v OFS=, 'NR == 1 { print "name", $0 } NR > 1 { print "J?rg", $0 }' faces.csv |
	kfkd-load | kfkd-plot -i >mark.pgm
equal "... a letter beyond ASCII is one mark" umlaut.pgm mark.pgm
long=$(printf '%063d' 0)
awk -F, -v OFS=, -v n=$long 'NR == 1 { print "name", $0 } NR > 1 { print n, $0 }' faces.csv |
	kfkd-load | kfkd-plot -i -g 1x1 >long.pgm
awk -F, -v OFS=, -v n=${long}1 'NR == 1 { print "name", $0 } NR > 1 { print substr(n, 5), $0 }' \
	faces.csv | kfkd-load | kfkd-plot -i -g 1x1 >longer.pgm
equal "... and a long name is cut, which shows" long.pgm longer.pgm

done_testing
