#!/bin/sh
# kfkd-select: rows by what they are, columns by their names.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

cat >faces.csv <<'EOT'
a_x,a_y,b_x,b_y,Image
1.5,2,0.1,1,0 1 2 3
,2.5,3,1,255 20 3 100
33.4,5,6,,4 5 6 7
4,4,4,4,4 4 4 4
5,,,5,5 5 5 5
EOT
kfkd-load faces.csv >raw
kfkd-synth -n 60 --missing 0.5 | kfkd-load >drawn
kfkd-scale drawn | kfkd-train -q --epochs 3 >net
kfkd-scale drawn | kfkd-predict -m net >found
perl -e 'open my $x, ">:raw", "images"; open my $l, ">:raw", "labels";
	print $x pack("CCCCN3", 0, 0, 8, 3, 12, 2, 2);
	print $l pack("CCCCN", 0, 0, 8, 1, 12), pack("C*", map { $_ % 4 } 0 .. 11);
	print $x pack("C*", map { $_ * 5 % 256 } 1 .. 48)'
kfkd-load -l labels images >digits

# The ids of a stream, from a table with a line for each row.
ids() {
	kfkd-save --ids | sed 1d | cut -d, -f1 | tr '\n' ' '
}

# chosen WANT OPTION ...: the ids of the five rows that are left
chosen() {
	chosen_want=$1
	shift
	is "kfkd-select $*" "$(kfkd-select "$@" raw | ids)" "${chosen_want:+$chosen_want }"
}

# -- rows --------------------------------------------------------------------------

chosen "1 2 3 4 5"
chosen "3" --id 3
chosen "1 3 4" --id 4,1,3
chosen "2 3 4" --id 2-4
chosen "4 5" --id 4-
chosen "1 2" --id=-2
chosen "1 2 3 4 5" --id 3,1-4,5-5
chosen "1 5" --id 5 -i 1
chosen "5" --id 5-9223372036854775807
chosen "" --id 6-
chosen "1 4" --complete
chosen "2 3 5" --missing
chosen "2 3 5" --complete --invert
chosen "1 2 5" -v --id 3,4
is "--rows counts the rows of the stream" \
	"$(kfkd-select --id 2-4 raw | kfkd-select --rows 2- | ids)" "3 4 "
is "... across chunks" "$(kfkd-cat raw raw | kfkd-select -r 5-7,10 | ids)" "5 1 2 5 "
is "a row stays what it is" "$(kfkd-select -i 2,3 raw | kfkd-save --no-ids)" \
	"$(sed -n '1p;3,4p' faces.csv)"
kfkd-select raw >all
equal "without options nothing changes" raw all
kfkd-select --complete drawn >chosen
kfkd-dropna drawn >dropped
equal "--complete is what kfkd-dropna does" chosen dropped

# -- conditions --------------------------------------------------------------------

chosen "4 5" -w 'id>3'
chosen "3 4 5" --where 'id >= 3'
chosen "1" -w 'a_x<4'
chosen "1 4" -w 'a_x<=4'
chosen "3" -w a_x=33.4
chosen "3" -w a_x==33.4
chosen "1 4 5" -w 'a_x != 33.4'
chosen "1" -w b_x=.1
chosen "2" -w a_x=missing
chosen "1 3 4 5" -w a_x!=missing
chosen "5" -w a_y=missing -w 'a_x>3'
chosen "1 2 3 4" -v -w a_y=missing
is "scaled targets are compared in pixels" "$(kfkd-scale raw | kfkd-select -w 'a_x>33.3' |
	kfkd-scale --undo | ids)" "3 "
kfkd-score -r found | awk '$1 != "id" && $1 != "overall" && $2 != "-" && $2 > 5 { print $1 }' >want
kfkd-select -w 'rmse>5' found | kfkd-score -r | sed '1d;$d' | cut -f1 >got
equal "rmse is what kfkd-score prints" want got
kfkd-scale --undo found | kfkd-save -p -i |
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "nose_tip_x") n = i; next }
		$n < 48 { print $1 }' >want
kfkd-select -w 'p.nose_tip_x<48' found | kfkd-score -r | sed '1d;$d' | cut -f1 >got
equal "p.COLUMN is a prediction" want got
kfkd-select --label 0,3 digits >got
kfkd-select --id 1,4,5,8,9,12 digits >want
equal "--label" want got
ok "... as a condition" sh -c 'kfkd-select -l 0-1 digits >a &&
	kfkd-select -w "label<2" digits | cmp - a'

# -- columns -----------------------------------------------------------------------

# columns WANT OPTION ...: the header and the first row of what is left
columns() {
	columns_want=$1
	shift
	is "-c $*" "$(kfkd-select -c "$@" raw | kfkd-save --no-ids | head -n 2 | tr '\n' ' ')" \
		"$columns_want "
}
columns "b_x,Image 0.1,0 1 2 3" b_x
columns "b_y,a_x,Image 1,1.5,0 1 2 3" b_y,a_x
columns "a_x,b_x,Image 1.5,0.1,0 1 2 3" '*_x'
columns "b_x,b_y,a_x,a_y,Image 0.1,1,1.5,2,0 1 2 3" 'b_x,b_*,?_*'
columns "a_y,b_y,Image 2,1,0 1 2 3" '[ab]_y'
is "rows are chosen by all columns" \
	"$(kfkd-select -c a_x --complete raw | kfkd-select -w a_x!=missing | ids)" "1 4 "
kfkd-load -c b_y,a_x faces.csv >loaded
kfkd-select -c b_y,a_x raw >chosen
equal "as kfkd-load --columns has it" loaded chosen
kfkd-select -c 'nose_*' found >nose
is "predictions, too" "$(kfkd-score nose | cut -f 1 | tr '\n' ' ')" \
	"keypoint nose_tip overall "
is "... with the same error" "$(kfkd-score nose | grep nose)" "$(kfkd-score found | grep nose)"
kfkd-select -c nose_tip_x drawn | kfkd-scale | kfkd-predict -m net >few
kfkd-select -c mouth_left_corner_y few >other
refuses "targets of which none is left are left out" 1 'no targets' kfkd-score other
ok "... and the rest can be unscaled and scaled" \
	sh -c 'kfkd-scale --undo other | kfkd-scale | kfkd-cat'

# -- other streams -----------------------------------------------------------------

kfkd-scale drawn | kfkd-predict -m net --no-images >bare
kfkd-select -w 'rmse>5' bare >chosen
kfkd-select -w 'rmse>5' found >images
is "a stream without images" "$(kfkd-score chosen)" "$(kfkd-score images)"
kfkd-head -n 0 raw >none
ok "a stream without rows" sh -c 'kfkd-select -w a_x=missing -c a_x none | kfkd-cat'
kfkd-cat -1 raw >single
is "a single file" "$(kfkd-select -i 2- single | ids)" "2 3 4 5 "

# -- what it refuses ---------------------------------------------------------------

refuses "no column of a name" 1 "there is no column 'c_x'" kfkd-select -c a_x,c_x raw
refuses "... of a pattern" 1 "there is no column 'c_\*'" kfkd-select -c 'c_*' raw
refuses "... in a condition" 1 "there is no column 'c_x'" kfkd-select -w 'c_x>1' raw
refuses "no prediction" 1 "there is no column 'p.a_x'" kfkd-select -w 'p.a_x>1' raw
refuses "no labels" 1 'no labels' kfkd-select -l 1 raw
refuses "... in a condition" 1 'no labels' kfkd-select -w label=1 raw
refuses "no predictions for rmse" 1 'pipe through kfkd-predict' kfkd-select -w 'rmse>1' raw
refuses "no targets" 1 'no targets' kfkd-select --complete digits

# misused PATTERN OPTION ...
misused() {
	misused_pattern=$1
	shift
	kfkd-select "$@" raw >out 2>err
	like "kfkd-select $*" "$? $(head -n 1 err)" "^2 kfkd-select: $misused_pattern"
}
for list in '' x 1, ,1 1-2-3 3-2 -- 1-x 0x1 ' 1' 9223372036854775808; do
	misused "--id: '.*' is not a number from 0 on" "--id=$list"
done
misused "--rows: '0' is not a number from 1 on" --rows 0
for text in '' a_x '>1' 'a_x>' 'a_x>x' 'a_x>1x' 'a_x=>1' 'a_x!1' 'a_x>missing' 'a_x>nan' \
	'a_x<1<2'; do
	misused "--where: '.*' is not a condition" -w "$text"
done
misused '--columns: a column has an empty name' -c a_x,,b_x
misused '--complete and --missing' --complete --missing

done_testing
