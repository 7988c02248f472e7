#!/bin/sh
# kfkd-split: two parts by chance, which together are all rows, with groups kept together.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

two_streams

# The ids of a stream, one a line.
ids() {
	kfkd-save --ids "$1" | sed 1d | cut -d, -f1
}

# -- shares ------------------------------------------------------------------------

kfkd-split --share .8 --rest rest raw >part
is "it succeeds" $? 0
n=$(ids part | wc -l)
ok "0.8 of 1,000 rows are 800, within four standard deviations ($n)" \
	test "$n" -gt 748 -a "$n" -lt 852
ids part >a
ids rest >b
ok "rows stay in their order" sh -c 'sort -n -c a && sort -n -c b'
is "both parts are all rows" "$(sort -n a b | tr '\n' ' ')" "$(seq 1000 | tr '\n' ' ')"
kfkd-save --ids raw | sort >all
{ kfkd-save --ids part; kfkd-save --ids rest | sed 1d; } | sort >both
equal "... with all that belongs to them" all both
kfkd-split --share .8 -o part2 -r rest2 raw
equal "again it gives the same" part part2
equal "... and the same rest" rest rest2
kfkd-split --share .8 raw >alone
equal "without --rest the same part" part alone
kfkd-split --share .8 --seed 7 raw >other
differ "another seed gives another" part other
kfkd-split -S .5 raw >half
is "a greater share holds a smaller one" "$(ids half | sort | comm -23 - \
	"$(ids part | sort >sorted; echo sorted)")" ""
kfkd-dropna raw | kfkd-split -S .8 >x
kfkd-dropna part >y
equal "a row is on the same side in another stream" x y
kfkd-select --rows 500- raw | kfkd-split -S .8 | kfkd-cat >x
kfkd-select --id 500- part | kfkd-cat >y
equal "... wherever it is there" x y
kfkd-split -S 1 -r none raw | cmp - raw
is "a share of 1 is everything" $? 0
is "... and leaves a stream without rows" "$(ids none)" ""
kfkd-split -S 0 -r everything raw >none
equal "a share of 0 leaves everything" everything raw

# -- folds -------------------------------------------------------------------------

for i in 1 2 3 4 5; do
	kfkd-split --fold $i/5 --rest rest$i raw >fold$i
	ids fold$i
done >a
is "each row is in one of the folds" "$(sort -n a | tr '\n' ' ')" "$(seq 1000 | tr '\n' ' ')"
for i in 1 5; do
	n=$(ids fold$i | wc -l)
	ok "a fifth of 1,000 rows are 200, within four standard deviations ($n)" \
		test "$n" -gt 149 -a "$n" -lt 251
done
is "the rest are the other folds" "$(ids rest2 | sort -n | tr '\n' ' ')" \
	"$(for i in 1 3 4 5; do ids fold$i; done | sort -n | tr '\n' ' ')"
ok "one fold is everything" sh -c 'kfkd-split -k 1/1 raw | cmp - raw'

# -- groups ------------------------------------------------------------------------

awk 'BEGIN { print "picture,group,id"; for (i = 1; i <= 1000; i++)
	printf "%d.jpg,\"person, %d\",%d\n", i, i * 37 % 100, i }' >people.csv
kfkd-split -S .7 -g people.csv -r rest raw >part
ids part | awk '{ print $1 * 37 % 100 }' | sort -u >a
ids rest | awk '{ print $1 * 37 % 100 }' | sort -u >b
is "no person is on both sides" "$(comm -12 a b)" ""
is "... and each is on one" "$(sort -nu a b | wc -l)" 100
n=$(wc -l <a)
ok "0.7 of 100 persons are 70, within four standard deviations ($n)" \
	test "$n" -gt 51 -a "$n" -lt 89
{ head -n 1 people.csv; tail -n +2 people.csv | sort -r; } >sorted.csv
ok "whatever the order of the groups" sh -c 'kfkd-split -S .7 -g sorted.csv raw | cmp - part'
ok "groups on standard input" sh -c 'kfkd-split -S .7 -g - raw <people.csv | cmp - part'

# -- names -------------------------------------------------------------------------

two_names='NR == 1 { print "name", $0 } NR > 1 { print "person " NR * 37 % 100, $0 }'
kfkd-save --ids raw | awk -F, -v OFS=, "$two_names" | kfkd-load -z 2x1 >named
names() {
	kfkd-save --ids --no-images "$1" | sed 1d | cut -d, -f2 | sort -u
}
kfkd-split -S .7 --by name -r rest named >part
names part >a
names rest >b
is "--by name: no person is on both sides" "$(comm -12 a b)" ""
is "... and each is on one" "$(sort -u a b | wc -l)" 100
n=$(wc -l <a)
ok "0.7 of 100 persons are 70, within four standard deviations ($n)" \
	test "$n" -gt 51 -a "$n" -lt 89
names named | awk 'BEGIN { print "x,name,group" } { print NR "," $0 "," $0 }' >by-name.csv
ok "--groups by name, which are the names, gives the same" \
	sh -c 'kfkd-split -S .7 -g by-name.csv named | cmp - part'
sed 's/,[^,]*$/,all/; 1s/all$/group/' by-name.csv >one.csv
is "... all of one group" "$(kfkd-split -S .7 -g one.csv named | kfkd-save -in --no-images | wc -l)" 1001
kfkd-save --ids --no-images named | cut -d, -f1,2 | sed 's/$/,all/; 1s/all$/group/' |
	sed '1s/ImageId/id/' >both.csv
ok "... by id where there are both" sh -c 'sed "2,\$s/,[^,]*,/,x,/" both.csv |
	kfkd-split -S .7 -g - named | kfkd-cat | cmp - named'
refuses "... a stream without names" 1 "the rows of the stream have no names" \
	kfkd-split -S .7 --by name raw
refuses "... or files" 1 "the rows of the stream have no files" \
	kfkd-split -S .7 --by file named
sed '1s/name/file/' by-name.csv >by-file.csv
refuses "... in a table" 1 "the rows of the stream have no files" \
	kfkd-split -S .7 -g by-file.csv named
printf 'name,Image\na,1\n,2\n' | kfkd-load >nameless
refuses "... a row without a name" 1 "the row with id 2 has no name" \
	kfkd-split -S .7 --by name nameless
printf 'name,group\na,1\n' >a.csv
refuses "... in a table" 1 "'a.csv' has no group for the row with name ''" \
	kfkd-split -S .7 -g a.csv nameless

# -- other streams -----------------------------------------------------------------

kfkd-split -S .5 -r b digits >a
is "labels" "$(kfkd-cat a b | kfkd-stat | grep -i label)" "$(kfkd-stat digits | grep -i label)"
kfkd-cat --single raw >single
kfkd-split -S .8 single | kfkd-cat -1 >x
kfkd-split -S .8 raw | kfkd-cat -1 >y
equal "a single file" x y
ok "a stream without rows" sh -c 'kfkd-head -n 0 raw | kfkd-split -S .5 -r b >a &&
	kfkd-cat a b'

# -- files -------------------------------------------------------------------------

mkdir part.d
head -c "$(($(wc -c <raw) / 2))" raw >cut
echo old >part.d/rest
refuses "a cut stream" 1 truncated kfkd-split -S .5 -r part.d/rest -o part.d/out cut
is "... leaves no file, and an old one alone" "$(ls -A part.d) $(cat part.d/rest)" "rest old"
refuses "a full disk for the rest" 1 "cannot write '/dev/full': No space" \
	kfkd-split -S .5 -r /dev/full -o part.d/out raw
is "... leaves no output" "$(ls -A part.d)" rest
refuses "a full disk for the output" 1 "cannot write '/dev/full': No space" \
	kfkd-split -S .5 -r part.d/rest -o /dev/full raw
is "... leaves an old rest alone" "$(cat part.d/rest)" old
refuses "no directory for the rest" 1 "cannot create 'none.d/x'" \
	kfkd-split -S .5 -r none.d/x -o part.d/out raw

# all rows, but not the end
at=$(grep -abo '{"__metadata__"' raw | tail -n 1)
head -c $((${at%%:*} - 8)) raw >whole
mkfifo fifo
kfkd-split -S .5 -r part.d/new -o part.d/out fifo 2>err &
pid=$!
exec 3<>fifo
limited cat whole >&3
soon "two files for what comes" 30 sh -c \
	'[ "$(ls -l /proc/'$pid'/fd | grep -Ec "part.d/(#|\.kfkd-)")" -ge 2 ]'
kill -TERM $pid
finish $pid 30
is "SIGTERM" $? 143
is "... leaves neither" "$(ls -A part.d)" rest
exec 3>&-

# -- what it refuses ---------------------------------------------------------------

# wrong WHAT PATTERN GROUPS: as printf takes it
wrong() {
	printf "$3" >bad.csv
	refuses "$1" 1 "^kfkd-split: 'bad.csv'$2\$" kfkd-split -S .5 -g bad.csv -o out raw
}
wrong "a row without a group" " has no group for the row with id 3" 'id,group\n1,a\n2,b\n'
wrong "an id in two groups" ": the id 1 is in two groups" 'id,group\n1,a\n2,b\n1,b\n'
wrong "no id" ", line 1: there is no column 'id', nor 'name' or 'file'" 'row,group\n1,a\n'
wrong "no group" ", line 1: there is no column 'group'" 'id,person\n1,a\n'
wrong "semicolons" ", line 1: there is no column 'id'.*" 'id;group\n1;a\n'
wrong "two groups" ", line 1: there are two columns 'group'" 'id,group,group\n1,a,b\n'
wrong "a word for an id" ", line 3.*" 'id,group\n1,a\nx,b\n'
wrong "an empty group" ", line 2: the group is empty" 'id,group\n1,\n'
wrong "a field less" ", line 2.*" 'id,group\n1\n'
wrong "a name in two groups" ": the name 'a' is in two groups" 'name,group\na,1\nb,1\na,2\n'
wrong "an empty name" ", line 3: the name is empty" 'name,group\na,1\n,2\n'
wrong "names and files" ", line 1: both 'name' and 'file' are .*" 'name,file,group\na,b,1\n'
wrong "no rows" " has no rows" 'id,group\n'
wrong "an empty file" ".*empty.*" ''
refuses "no such file" 1 "cannot open 'none.csv'" kfkd-split -S .5 -g none.csv raw

# misused PATTERN OPTION ...
misused() {
	misused_pattern=$1
	shift
	kfkd-split "$@" raw >out 2>err
	like "kfkd-split $*" "$? $(head -n 1 err)" "^2 kfkd-split: $misused_pattern"
}
misused 'give either --share or --fold'
misused 'give either --share or --fold' -S .5 -k 1/2
misused 'give either --groups or --by' -S .5 -g people.csv --by name
misused "--by: 'id' is neither 'name' nor 'file'" -S .5 --by id
for fold in '' 1 0/5 6/5 -1/5 1/5x 1/ /5 1/0; do
	misused "--fold: '$fold' is not one of some folds" "--fold=$fold"
done
misused "--share: '1.1' is not from 0 to 1" --share 1.1
misused "--rest and --output are the same file: 'x'" -S .5 -r x -o x
misused "--rest is a file" -S .5 -r -
kfkd-split -S .5 -g - <raw >out 2>err
like "groups and stream on standard input" "$? $(head -n 1 err)" "^2 .*standard input"

done_testing
