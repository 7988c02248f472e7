#!/bin/sh
# kfkd-join: targets and labels from a CSV go to the rows of their ids.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

cat >faces.csv <<'EOT'
a_x,a_y,Image
1.5,2,0 1 2 3
,2.5,255 20 3 100
33.4,5,4 5 6 7
EOT
kfkd-load faces.csv >raw
printf 'ImageId,Image\n1,1 2 3 4\n2,5 6 7 8\n' | kfkd-load >test

# joined WHAT TABLE WANT OPTION ...: the table as printf takes it; what kfkd-save says of
# raw, lines separated by spaces and images left out
joined() {
	joined_name=$1
	printf "$2" >table.csv
	joined_want=$3
	shift 3
	is "$joined_name" "$(kfkd-join -t table.csv "$@" raw | kfkd-save --no-ids |
		sed 's/,[^,]*$//' | tr '\n' ' ')" "$joined_want "
}

joined "a target is replaced" 'id,a_x\n1,7\n2,8\n3,9.25\n' 'a_x,a_y 7,2 8,2.5 9.25,5'
joined "... in any order of lines" 'id,a_x\n3,9.25\n1,7\n2,8\n' 'a_x,a_y 7,2 8,2.5 9.25,5'
joined "... and of columns" 'a_y,id,a_x\n4,3,9\n5,1,7\n6,2,8\n' 'a_x,a_y 7,5 8,6 9,4'
joined "a target is added" 'id,b_x\n1,7\n2,8\n3,9\n' 'a_x,a_y,b_x 1.5,2,7 ,2.5,8 33.4,5,9'
joined "... beside one that is replaced" 'b_x,ImageId,a_y\n7,1,0\n8,2,1\n9,3,2\n' \
	'a_x,a_y,b_x 1.5,0,7 ,1,8 33.4,2,9'
joined "missing values" 'id,a_x,b_x\n1,,\n2,NA,1\n3,9,NaN\n' \
	'a_x,a_y,b_x ,2, ,2.5,1 9,5,'
joined "ids that the stream lacks" 'id,a_x\n1,7\n2,8\n3,9\n4,10\n0,3\n' \
	'a_x,a_y 7,2 8,2.5 9,5'
joined "--keep" 'id,a_x,b_x\n2,8,9\n' 'a_x,a_y,b_x 1.5,2, 8,2.5,9 33.4,5,' --keep
joined "... with no lines at all" 'id,b_x\n' 'a_x,a_y,b_x 1.5,2, ,2.5, 33.4,5,' -k
joined "--columns" 'id,who,a_x,b_x\n1,Ann,7,1\n2,Bo,8,2\n3,Cy,9,3\n' \
	'a_x,a_y 7,2 8,2.5 9,5' --columns a_x
joined "quotes and CRLF" '"id","a_x"\r\n"1","7"\r\n2,8\r\n3,"9"\r\n' 'a_x,a_y 7,2 8,2.5 9,5'
kfkd-save --ids raw >saved.csv
kfkd-join -t saved.csv raw >same
equal "what kfkd-save --ids writes, images and all" raw same
ok "the table on standard input" sh -c 'kfkd-join -t - raw <saved.csv | cmp - raw'
kfkd-cat raw raw >twice
kfkd-join -t saved.csv twice >same
equal "every row of an id, in all chunks" twice same
kfkd-join -t saved.csv -o out raw
equal "--output" raw out

# -- names -------------------------------------------------------------------------

printf 'name,a_x,Image\nanna,1,2\n"b, c",2,3\nanna,3,4\n,4,5\n' | kfkd-load >named
printf 'a_x,name\n8,"b, c"\n7,anna\n9,dora\n' >table.csv
is "by name: all rows of a name" "$(kfkd-join -k -t table.csv named | kfkd-save --no-images)" \
	"$(printf 'name,a_x\nanna,7\n"b, c",8\nanna,7\n,4')"
refuses "... not without --keep" 1 "'table.csv' has no row for the name ''" \
	kfkd-join -t table.csv named
printf 'name,label\nanna,1\n' >labels.csv
refuses "... no label" 1 "'labels.csv' has no label for the name 'b, c'" \
	kfkd-join -k -t labels.csv named
kfkd-save --ids named >saved-names.csv
ok "by id where there are ids and names" sh -c 'kfkd-join -t saved-names.csv named | cmp - named'

# -- labels ------------------------------------------------------------------------

printf 'id,label\n2,4\n1,0\n' >labels.csv
kfkd-join -t labels.csv test >digits
ok "labels" sh -c 'kfkd-select -l 4 digits >x; kfkd-select -i 2 digits | cmp - x'
ok "... of five classes" grep -aq '"classes":"5"' digits
printf 'id,label\n2,1\n' >labels.csv
kfkd-join -k -t labels.csv digits >again
ok "... replaced, where the table has them" \
	sh -c 'kfkd-select -l 1 again >x; kfkd-select -i 2 again | cmp - x'
ok "... and the others stay" sh -c 'kfkd-select -l 0 again >x; kfkd-select -i 1 again | cmp - x'
refuses "rows cannot lack a label" 1 "'labels.csv' has no label for the id 1" \
	kfkd-join -k -t labels.csv test
printf 'id,label,a_x\n1,0,3\n2,1,4\n' >both.csv
kfkd-join -t both.csv test >both
ok "labels and targets" sh -c 'kfkd-select -l 1 -w a_x=4 both >x; kfkd-select -i 2 both | cmp - x'

# -- other streams -----------------------------------------------------------------

kfkd-scale raw >scaled
printf 'id,label\n1,0\n2,1\n3,0\n' >labels.csv
ok "labels of a scaled stream" sh -c 'kfkd-join -t labels.csv scaled | kfkd-cat'
refuses "targets of a scaled stream" 1 'join before kfkd-scale' kfkd-join -t saved.csv scaled
ok "a stream without rows" sh -c 'kfkd-head -n 0 raw >none; kfkd-join -t saved.csv none | cmp - none'

# -- what it refuses ---------------------------------------------------------------

# wrong WHAT PATTERN TABLE: as printf takes it
wrong() {
	printf "$3" >bad.csv
	refuses "$1" 1 "^kfkd-join: 'bad.csv'$2\$" kfkd-join -t bad.csv -o none raw
}
wrong "a row that the table lacks" " has no row for the id 3" 'id,a_x\n1,1\n2,2\n'
wrong "an id twice" " has the id 2 twice" 'id,a_x\n1,1\n2,2\n2,2\n3,3\n'
wrong "no id" ", line 1: there is no column 'id', nor 'name' or 'file'" 'row,a_x\n1,1\n'
wrong "two ids" ", line 1: both 'id' and 'ImageId' are columns" 'id,ImageId,a_x\n1,1,1\n'
wrong "names and files" ", line 1: both 'name' and 'file' are columns.*" 'name,file,a_x\na,b,1\n'
printf "name,a_x\na,1\n" >bad.csv
refuses "names of a stream without" 1 "^kfkd-join: the rows of the stream have no names" \
	kfkd-join -t bad.csv raw
wrong "an empty name" ", line 2: name: the name is empty" 'name,a_x\n,1\n'
wrong "a name twice" " has the name 'a' twice" 'name,a_x\na,1\nb,2\na,1\n'
wrong "a column twice" ", line 1: there are two columns 'a_x'" 'id,a_x,a_x\n1,1,1\n'
wrong "nothing to join" ", line 1: there is neither a label nor a target" 'id,Image\n1,1 2\n'
wrong "semicolons" ", line 1: there is no column 'id'.*" 'id;a_x\n1;1\n'
wrong "a word" ", line 3: a_x: 'x' is not a number" 'id,a_x\n1,1\n2,x\n'
wrong "a word for an id" ", line 2: id: 'x' is not a whole number from 0" 'id,a_x\nx,1\n'
wrong "a negative label" ", line 2: label: '-1' is not a whole number from 0" 'id,label\n1,-1\n'
wrong "a large label" ", line 2: label: 2147483647 is too large" 'id,label\n1,2147483647\n'
wrong "a field less" ", line 2.*" 'id,a_x\n1\n'
wrong "an empty file" ".*empty.*" ''
refuses "no column of a name" 1 "there is no column 'b_x'" kfkd-join -t saved.csv -c b_x raw
refuses "no such file" 1 "cannot open 'none.csv'" kfkd-join -t none.csv raw
kfkd-join raw >out 2>err
like "no table is misuse" "$? $(head -n 1 err)" '^2 kfkd-join: no table'
kfkd-join -t - <raw >out 2>err
like "table and stream on standard input" "$? $(head -n 1 err)" '^2 .*standard input'

done_testing
