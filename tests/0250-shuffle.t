#!/bin/sh
# kfkd-shuffle: all rows in another order, or some of them.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
TMPDIR=$tmp
export TMPDIR

two_streams

# The ids of a stream on standard input, one a line.
ids() {
	kfkd-save --ids | sed 1d | cut -d, -f1
}

kfkd-shuffle raw >mixed
is "it succeeds" $? 0
is "all rows are there" "$(ids <mixed | sort -n | tr '\n' ' ')" "$(seq 1000 | tr '\n' ' ')"
kfkd-save --ids raw | sort >all
kfkd-save --ids mixed | sort >same
equal "... with all that belongs to them" all same
n=$(ids <mixed | awk '$1 == NR { n++ } END { print n + 0 }')
ok "hardly any is where it was ($n)" test "$n" -lt 8
is "a row goes anywhere: the mean of the first half" \
	"$(ids <mixed | awk 'NR <= 500 { s += $1 } END { print (s / 500 > 450 && s / 500 < 550) }')" 1
kfkd-shuffle <raw >again
equal "again, from a pipe, the same order" mixed again
kfkd-shuffle -s 7 raw >other
differ "another seed, another order" mixed other
ok "the order is that of the places, not of chunks" sh -c '
	for i in 1 41 300; do kfkd-select -r $i- raw | kfkd-head -n 40; done >chunks
	kfkd-cat -1 chunks | kfkd-shuffle >x; kfkd-shuffle chunks | cmp - x'

# -- samples -----------------------------------------------------------------------

for n in 0 1 2 7 100 999 1000 1001; do
	kfkd-shuffle --sample $n raw >sample
	kfkd-head -n $n mixed | kfkd-cat >first
	ids <sample >a
	ids <first >b
	is "a sample of $n: the first of all" "$(cat a)" "$(cat b)"
done
for seed in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	kfkd-shuffle -n 100 -s $seed raw | ids
done >drawn
is "samples are of all rows alike" "$(awk '{ n[int(($1 - 1) / 250)]++ }
	END { for (i = 0; i < 4; i++) bad += n[i] < 420 || n[i] > 580; print bad + 0 }' drawn)" 0

# -- other streams -----------------------------------------------------------------

kfkd-shuffle digits >x
is "labels stay with their images" "$(for l in 0 1 2 3; do
	kfkd-select -l $l x | kfkd-stat | grep -c '^X'; done | sort -u)" 1
kfkd-select -l 2 digits | kfkd-stat | sed 1d >a
kfkd-shuffle digits | kfkd-select -l 2 | kfkd-stat | sed 1d >b
equal "... by their statistics" a b
ok "a stream without rows" sh -c 'kfkd-head -n 0 raw >none && kfkd-shuffle none | cmp - none'
is "one row" "$(kfkd-head -n 1 raw | kfkd-shuffle | ids)" 1

# -- what fails --------------------------------------------------------------------

refuses "no directory for the temporary file" 1 "TMPDIR|none" \
	env TMPDIR="$tmp/none.d" kfkd-shuffle raw
refuses "a temporary file beyond the limit" 1 "cannot write 'temporary file in TMPDIR'" \
	sh -c 'ulimit -f 4; kfkd-shuffle raw >/dev/null'
is "nothing is left" "$(ls -a | grep -e tmp -e '^\.kfkd')" ""

done_testing
