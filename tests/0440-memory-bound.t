#!/bin/sh
# --memory: images beyond the bound stay in a file, or go to a temporary one, and the model
# is the same, byte for byte.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
maxrss=$KFKD_BUILD/tests/maxrss
TMPDIR=$tmp
export TMPDIR

# 400 rows of 36 KiB, in several chunks; all take 14 MiB, and 2 batches of 16 rows 1.2.
bound=2M
kfkd-synth -n 400 -s 1 --missing .4 >faces.csv
kfkd-load faces.csv >raw
kfkd-load --columns left_eyebrow_inner_end_x faces.csv | kfkd-scale >sparse
for rows in 1 3 70 326; do
	kfkd-head -n $rows raw
done | kfkd-scale >faces
kfkd-cat --single faces >single
for rows in 1 3 70 326; do
	kfkd-head -n $rows raw
done | kfkd-scale --bytes >bytes

# same NAME STREAM OPTION ...: with and without a bound, from a file and a pipe
same() {
	name=$1 stream=$2
	shift 2
	limited kfkd-train -q "$@" -o whole "$stream" 2>err ||
		fail "$name in memory" "$(head -c 500 err)"
	limited kfkd-train --memory $bound "$@" -o bounded "$stream" 2>said
	equal "$name" whole bounded
	like "... of which images stay in the file" "$(cat said)" \
		"^the images, [0-9]+ MiB, do not fit into memory and stay in the file $stream\$"
	# shellcheck disable=SC2002 # it is to be a pipe
	cat "$stream" | limited kfkd-train --memory $bound "$@" -o piped 2>said
	equal "... from a pipe" whole piped
	like "... of which they go to a temporary file" "$(cat said)" \
		'^the images, [0-9]+ MiB, do not fit into memory and go to a temporary file in TMPDIR$'
	rm -f whole bounded piped
}

# -- the same bytes -----------------------------------------------------------------

for stream in faces single bytes; do
	same "net1 on $stream" $stream -e 3 -B 16
done
same "batches of one row" bytes -e 1 -B 1 -n dense -r 1e-5
same "batches, flips and turns drawn anew" faces -e 3 -B 17 -S -a flip,rotate:5,shift:2 -p 1
same "no validation" faces -e 2 -B 16 -v 0
same "batches without a target, which are passed over" sparse -e 2 -B 2 -n dense -S -r 1e-5
same "a convolutional net" bytes -e 1 -B 10 -S -a flip:auto,hole:10 \
	-n 'conv4x5 batchnorm relu pool4 res drop.2 dense20 relu drop.5 dense'
kfkd-train -q -e 2 -B 16 -o whole faces
kfkd-train -q -e 2 -B 16 --memory $bound -t 1 -o bounded <faces
equal "standard input that is a file" whole bounded
{
	head -c 100 /dev/zero
	cat faces
} >later
{
	head -c 100 >/dev/null
	kfkd-train -e 2 -B 16 --memory $bound -o bounded 2>said
} <later
if [ -s bounded ]; then # where head leaves the rest
	equal "... and is at its middle" whole bounded
fi
kfkd-train -e 2 -B 16 --memory 1G -o bounded faces 2>said
ok "nothing is said of what fits" sh -c '! grep memory said'

perl -e 'open my $x, ">:raw", "images"; open my $l, ">:raw", "labels";
	print $x pack("CCCCN3", 0, 0, 8, 3, 3000, 28, 28);
	print $l pack("CCCCN", 0, 0, 8, 1, 3000), pack("C*", map { $_ % 3 } 1 .. 3000);
	print $x pack("C*", map { $_ * 7 % 251 } 1 .. 784) x 3000'
kfkd-load --labels labels images | kfkd-scale >digits
same "classes" digits -l crossentropy -n 'dense10 relu dense' -e 2

# -- checkpoints --------------------------------------------------------------------

kfkd-train -q -e 6 -B 16 -S -o whole faces
for way in "to a bound|--memory 1G|--memory $bound" "from a bound|--memory $bound|--memory 1G"; do
	first=${way#*|}
	# shellcheck disable=SC2086
	{
		kfkd-train -q -e 3 -B 16 -S -c point ${first%|*} -o part faces
		kfkd-train -q -e 6 -B 16 -S -R point ${first#*|} -o resumed faces
	}
	equal "a run goes on ${way%%|*}" whole resumed
	rm -f point part resumed
done
kfkd-train -q -e 6 -B 16 -S -c point -o part --memory $bound faces
kfkd-head -n 399 faces >fewer
refuses "other data" 1 "cannot resume from 'point': it is of other data" \
	kfkd-train -q -e 6 -B 16 -S -R point --memory $bound fewer
kfkd-train -q -e 6 -B 16 -S -c point --overwrite --memory $bound -o part bytes
kfkd-train -q -e 6 -B 16 -S -R point -o resumed faces
equal "bytes and floats are the same data, read from a file, too" whole resumed

# A signal ends it at any moment.
rm -f point
kfkd-train -q -e 100000 -B 16 --memory $bound -c point -o part2 faces 2>said &
pid=$!
soon "a long run writes its first checkpoint" 60 test -s point
kill -TERM $pid
finish $pid 60
is "SIGTERM ends it with 143" $? 143
like "... and says how to go on" "$(cat said)" 'the same command with --resume point goes on'

# -- a file that changes ----------------------------------------------------------------

# spoil HOW PATTERN COMMAND: while a run reads `spoilt`, whose checkpoint stays whole
spoil() {
	cp faces spoilt
	rm -f point
	kfkd-train -q -e 100000 -N 1 -B 16 --memory $bound -c point -o part2 spoilt 2>said &
	pid=$!
	soon "a run begins" 60 test -s point
	eval "$3"
	finish $pid 60
	is "a file that is $1 while it is read ends the run" $? 1
	like "... with an error" "$(cat said)" "$2"
	is "... of one line" "$(wc -l <said)" 1
	ok "... and the last checkpoint is whole" kfkd-stat point
}
spoil shortened "^kfkd-train: 'spoilt' became shorter while it was read$" \
	'truncate -s 3000000 spoilt'
spoil changed "^kfkd-train: 'spoilt' was changed while it was read$" \
	'printf x | dd of=spoilt bs=1 seek=5000000 conv=notrunc status=none'
spoil extended "^kfkd-train: 'spoilt' was changed while it was read$" 'cat faces >>spoilt'
cp faces gone
rm -f point
kfkd-train -q -e 300 -n dense -B 16 --memory $bound -c point -o left gone 2>said &
pid=$!
soon "another run begins" 60 test -s point
rm gone
finish $pid 120
is "a file that is removed stays readable" $? 0

# -- what fails -----------------------------------------------------------------------

refuses "a bound too low even for rows" 1 \
	'^kfkd-train: 400 rows take at least [0-9]+ KiB even where their images stay in a file, and --memory is 1000 KiB; a smaller --batch takes less$' \
	kfkd-train -q -B 16 --memory 1000K faces
least=$(sed 's/.*at least \([0-9]*\) KiB.*/\1/' refuses.err)
ok "... says what is enough" kfkd-train -q -e 1 -B 16 --memory "${least}K" -o part faces
refuses "no directory for a temporary file" 1 \
	"the images do not fit into memory, and cannot create temporary file '/nowhere/" \
	sh -c 'cat faces | TMPDIR=/nowhere kfkd-train -q -B 16 --memory '$bound
refuses "a temporary file that gets too large" 1 "'temporary file in TMPDIR'" \
	sh -c 'trap "" XFSZ; ulimit -f 8000; cat faces |
		kfkd-train -q -e 1 -B 16 --memory '$bound
for size in 0 -1 x 1.5G 1T 5k 2MM ''; do
	misuses "--memory '$size'" "^kfkd-train: --memory: '$size' is not a size in bytes" \
		--memory "$size"
done
misuses "--memory beyond all bounds" 'is too much' --memory 9999999999G

# -- how much memory ------------------------------------------------------------------

if grep -q __asan_init "$KFKD_BUILD/bin/kfkd-train"; then
	skip "memory" "the address checker takes more for itself"
	done_testing
fi
for i in 1 2 3 4 5 6 7 8 9 10; do
	cat faces
done >many # 140 MiB of images
"$maxrss" all.rss kfkd-train -q -t 1 -e 1 -o whole many
"$maxrss" file.rss kfkd-train -q -t 1 -e 1 --memory 20M -o bounded many
cat many | "$maxrss" pipe.rss kfkd-train -q -t 1 -e 1 --memory 20M -o piped
equal "3,980 faces" whole bounded
equal "... piped" whole piped
for how in file pipe; do
	saved=$((($(cat all.rss) - $(cat $how.rss)) / 1024))
	ok "from a $how $saved MiB less are in memory" test $saved -gt 100
done

# Half of what the process may take is the bound by default; and where memory is refused
# nonetheless, images leave it.
for option in "" "--memory 1G"; do
	# shellcheck disable=SC2086
	(ulimit -d 130000 && exec kfkd-train -t 1 -e 1 $option -o bounded many) 2>said
	equal "a limited process trains ${option:-by default}" whole bounded
	like "... on a file" "$(cat said)" 'do not fit into memory and stay in the file many$'
done
(ulimit -d 130000 && cat many | kfkd-train -t 1 -e 1 --memory 1G -o bounded) 2>said
equal "... on a pipe" whole bounded
like "... by a temporary file" "$(cat said)" 'go to a temporary file in TMPDIR$'

done_testing
