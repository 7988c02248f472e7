#!/bin/sh
# Streams through the small programs: joining, heads, a live source, and
# damaged ones.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth --rows 30 --missing 0.5 | kfkd-load >a.kfkd
kfkd-synth --rows 20 --seed 7 | kfkd-load >b.kfkd

# The number of rows that the last chunk of standard input gives.
rows() {
	grep -ao '"rows":"[0-9]*"' | tail -n 1 | grep -o '[0-9]*'
}

# The byte at which the last chunk begins.
last_chunk() {
	at=$(grep -abo '{"__metadata__"' "$1" | tail -n 1)
	echo $((${at%%:*} - 8))
}

ok "20,000 changed streams end in an error or an end" \
	"$KFKD_BUILD/tests/fuzz_stream" 20000

is "kfkd-head: 16 rows" "$(kfkd-head a.kfkd | rows)" 16
is "kfkd-head: 5 rows" "$(kfkd-head -n 5 <a.kfkd | rows)" 5
is "kfkd-head: no rows" "$(kfkd-head -n 0 a.kfkd | rows)" 0
is "kfkd-head: as many as there are" "$(kfkd-head -n 99 a.kfkd | rows)" 30
kfkd-head -n 99 a.kfkd >same.kfkd
ok "... unchanged" cmp a.kfkd same.kfkd

kfkd-head -n -99 a.kfkd >none.kfkd
is "kfkd-head: all but more than there are" "$(rows <none.kfkd)" 0
is "kfkd-head: all but the last 4" "$(kfkd-head -n -4 a.kfkd | rows)" 26
kfkd-head -n -4 a.kfkd >most.kfkd
kfkd-head -n 26 a.kfkd >first.kfkd
equal "... are the first" most.kfkd first.kfkd
kfkd-head -n -0 a.kfkd >same.kfkd
equal "kfkd-head: all but none" a.kfkd same.kfkd

is "kfkd-tail: 16 rows" "$(kfkd-tail a.kfkd | rows)" 16
is "kfkd-tail: no rows" "$(kfkd-tail -n 0 a.kfkd | rows)" 0
for n in 30 99; do
	kfkd-tail -n $n a.kfkd >same.kfkd
	equal "kfkd-tail: as many as there are, of $n" a.kfkd same.kfkd
done
kfkd-tail -n 4 a.kfkd >last.kfkd
kfkd-tail -n +27 a.kfkd >from.kfkd
equal "kfkd-tail: the last 4 of 30 are those from the 27th on" last.kfkd from.kfkd
kfkd-tail -n -4 a.kfkd >minus.kfkd
equal "... with a minus as without" last.kfkd minus.kfkd
kfkd-cat most.kfkd last.kfkd >both.kfkd
is "first and last rows are all" "$(kfkd-save -n both.kfkd | cksum)" \
	"$(kfkd-save -n a.kfkd | cksum)"
for n in +0 +1; do
	kfkd-tail -n $n a.kfkd >same.kfkd
	equal "kfkd-tail: all from $n on" a.kfkd same.kfkd
done
is "kfkd-tail: from behind the end on" "$(kfkd-tail -n +31 a.kfkd | rows)" 0

# Chunks of 1 to 7 rows, against the lines of their table.
for n in 3 1 7 2 6 4 7; do
	kfkd-synth --rows $n --seed $n | kfkd-load
done >chunks.kfkd
kfkd-save -n chunks.kfkd | sed 1d >chunks.csv
for n in 0 1 2 3 5 8 13 29 30 31; do
	for program in "head -n -$n" "head -n $n" "tail -n $n" "tail -n +$n"; do
		is "kfkd-$program is as $program" \
			"$(kfkd-$program chunks.kfkd | kfkd-save -n | sed 1d | cksum)" \
			"$($program chunks.csv | cksum)"
	done
done

kfkd-cat a.kfkd - b.kfkd <b.kfkd >joined.kfkd
is "kfkd-cat: three streams" "$(rows <joined.kfkd)" 70
is "cat: two streams" "$(cat a.kfkd b.kfkd | kfkd-cat | rows)" 50
ok "a stream without rows passes through all" sh -c 'kfkd-head -n 0 a.kfkd |
	kfkd-cat | kfkd-dropna | kfkd-scale | kfkd-scale --undo | kfkd-cat --single |
	kfkd-cat >empty.kfkd'
is "... and has none" "$(rows <empty.kfkd)" 0

n=$(kfkd-dropna a.kfkd | rows)
ok "kfkd-dropna: some of 30 rows are left ($n)" test "$n" -gt 0 -a "$n" -lt 30
is "... all of the complete ones" "$(kfkd-dropna b.kfkd | rows)" 20
is "... and all of what it left" "$(kfkd-dropna a.kfkd | kfkd-dropna | rows)" "$n"

kfkd-scale a.kfkd | kfkd-scale --undo >back.kfkd
is "kfkd-scale --undo gives a stream of the same size" \
	"$(wc -c <back.kfkd)" "$(wc -c <a.kfkd)"
is "... and rows" "$(rows <back.kfkd)" 30
last=$(last_chunk a.kfkd)
for name in a back; do
	head -c "$last" $name.kfkd | tail -c $((30 * 96 * 96)) >$name.pixels
done
equal "... with the same pixels" a.pixels back.pixels

# -- a live source -------------------------------------------------------------

# Chunks are passed on before the next arrives.
mkfifo live
printf 'id,nose_tip_x\n1,2\n' >two.csv
for program in kfkd-cat kfkd-dropna kfkd-select kfkd-scale "kfkd-head -n 99" \
	"kfkd-join -k -t two.csv" "kfkd-head -n -3" "kfkd-tail -n +3" \
	"kfkd-split --share .5 --rest /dev/null"; do
	rm -f passed
	$program <live >passed 2>err &
	pid=$!
	exec 3<>live # does not wait for the program
	limited head -c "$last" a.kfkd >&3
	soon "$program passes a chunk on at once" 10 test -s passed
	exec 3>&-
	finish $pid 30
	is "... and notices that the end is missing" $? 1
done

# kfkd-head ends although its source continues.
kfkd-head -n 3 <live >passed 2>err &
pid=$!
exec 3<>live
limited head -c "$last" a.kfkd >&3
finish $pid 30
is "kfkd-head ends before its source does" $? 0
exec 3>&-

# -- joining what does not fit -------------------------------------------------

kfkd-scale b.kfkd >scaled.kfkd
refuses "kfkd-cat: other type" 1 "'scaled.kfkd' has another type of X than" \
	kfkd-cat a.kfkd scaled.kfkd
refuses "cat: other type" 1 'a second stream: another type of X' \
	sh -c 'cat a.kfkd scaled.kfkd | kfkd-cat'
printf 'a_x,a_y,Image\n1,2,3\n' | kfkd-load >two.kfkd
printf 'a_x,b_y,Image\n1,2,3\n' | kfkd-load >other.kfkd
printf 'a_x,Image\n1,3\n' | kfkd-load >one.kfkd
refuses "kfkd-cat: other columns" 1 \
	"'other.kfkd' has other columns than 'two.kfkd': column 2 is 'b_y', not 'a_y'\$" \
	kfkd-cat two.kfkd other.kfkd
refuses "kfkd-cat: a column less" 1 "than 'two.kfkd': column 2, 'a_y', is missing\$" \
	kfkd-cat two.kfkd one.kfkd
refuses "cat: a column more" 1 \
	"a second stream: other columns than before: column 2, 'a_y', is one more\$" \
	sh -c 'cat one.kfkd two.kfkd | kfkd-cat'
refuses "a missing file" 1 "cannot open 'none': No such file" kfkd-cat a.kfkd none
refuses "a directory" 1 "Is a directory" kfkd-cat .
refuses "kfkd-scale: scaled already" 1 'scaled already' kfkd-scale scaled.kfkd
refuses "kfkd-scale --undo: not scaled" 1 'not scaled' kfkd-scale --undo a.kfkd
kfkd-synth --rows 3 --test | kfkd-load >test.kfkd
refuses "kfkd-dropna: no targets" 1 'no targets' kfkd-dropna test.kfkd
head -c "$last" a.kfkd >cut.kfkd
refuses "kfkd-cat: the first of two is cut" 1 "'cut.kfkd' is truncated" \
	kfkd-cat cut.kfkd a.kfkd
refuses "cat: the first of two is cut" 1 'byte [0-9]*: the stream should have 30 ' \
	sh -c 'tail -c +'$((last + 1))' a.kfkd | cat - | kfkd-cat'

# -- a large file from elsewhere ----------------------------------------------------

# It is read in slices, of which each goes on counting where the last one ended.
perl -e 'my ($n, $bytes) = (1000, 1000 * 96 * 96);
	my $header = qq({"X":{"dtype":"U8","shape":[$n,96,96],"data_offsets":[0,$bytes]}});
	print pack("Q<", length $header), $header, "\x40" x $bytes' >foreign
for how in 'kfkd-cat foreign' 'cat foreign | kfkd-cat' 'kfkd-cat foreign foreign'; do
	sh -c "$how" | kfkd-save | tail -n +2 | cut -d , -f 1 >ids
	n=1000
	[ "$how" != 'kfkd-cat foreign foreign' ] || n=2000
	is "ids count the rows: $how" "$(awk '$1 == (NR - 1) % 1000 + 1 { n++ } END { print n }' ids)" $n
done

done_testing
