#!/bin/sh
# Every program but kfkd-train and kfkd-predict stays under 64 MiB, shared
# libraries included, however long its input is; and kfkd-train takes a byte for a pixel
# that is one.

. "${0%/*}/lib.sh"
maxrss=$KFKD_BUILD/tests/maxrss
limit=65536 # KiB

if grep -q __asan_init "$KFKD_BUILD/bin/kfkd-cat"; then
	skip "memory" "the address checker takes more for itself"
	done_testing
fi

TMPDIR=$tmp
export TMPDIR
cd "$tmp" || exit 1

# Streams of one full chunk, which are repeated to make long ones.
kfkd-synth --rows 450 --missing 0.2 >faces.csv &&
	kfkd-load faces.csv | kfkd-cat --output raw.kfkd &&
	kfkd-scale --output scaled.kfkd raw.kfkd &&
	kfkd-head -n 256 scaled.kfkd |
	kfkd-train --quiet --epochs 1 --output net.kfkd 2>train.err &&
	kfkd-predict --model net.kfkd --output found.kfkd scaled.kfkd
is "the streams are made" $? 0

repeat() {
	i=0
	while [ $i -lt "$1" ]; do
		cat "$2"
		i=$((i + 1))
	done
}

# within INPUT COMMAND ...: succeeds, and within the limit.  INPUT is a command
# whose output it reads.
within() {
	source=$1
	shift
	description="$* after $source"
	rm -f rss
	eval "$source" | limited "$maxrss" rss "$@" >/dev/null 2>err
	status=$?
	kib=$(cat rss)
	if [ $status -ne 0 ]; then
		fail "$description" "exit status $status" "$(head -c 500 err)"
	elif [ "$kib" -lt $limit ]; then
		pass "$description ($((kib / 1024)) MiB)"
	else
		fail "$description" "$kib KiB"
	fi
}

within "repeat 50 raw.kfkd" kfkd-dropna
within "repeat 50 raw.kfkd" kfkd-select --complete --columns '*_x'
within "repeat 50 raw.kfkd" kfkd-split --share .5 --rest rest
within "repeat 50 raw.kfkd" kfkd-head --rows -1000
within "repeat 50 raw.kfkd" kfkd-tail --rows 1000
within "repeat 50 raw.kfkd" kfkd-shuffle
within "repeat 50 raw.kfkd" kfkd-shuffle --sample 9000
{ echo id,a_x; seq 450 | sed 's/$/,1/'; } >table.csv
within "repeat 50 raw.kfkd" kfkd-join --table table.csv
within "repeat 50 raw.kfkd" kfkd-scale
within "repeat 50 raw.kfkd" kfkd-scale --bytes
within "repeat 15 scaled.kfkd" kfkd-scale --undo
within "repeat 15 scaled.kfkd" kfkd-head --rows 6000
within "repeat 15 scaled.kfkd" kfkd-cat
within "repeat 15 scaled.kfkd" kfkd-stat
within "repeat 50 raw.kfkd" kfkd-stat
within "repeat 8 raw.kfkd" kfkd-save --no-ids
within "repeat 50 raw.kfkd" kfkd-save --json
within "repeat 15 found.kfkd" kfkd-score
within "repeat 15 found.kfkd" kfkd-plot
within : kfkd-synth --rows 1000
tail -n +2 faces.csv >rows
within "cat faces.csv; repeat 15 rows" kfkd-load

# One file of all rows, which no program may hold in memory completely.
within "repeat 40 raw.kfkd" kfkd-cat --single
repeat 40 raw.kfkd | kfkd-cat --single >single.kfkd
within : kfkd-scale single.kfkd
within "cat single.kfkd" kfkd-scale
within "cat single.kfkd" kfkd-cat
within : kfkd-stat single.kfkd
within : kfkd-cat --single single.kfkd

# A model larger than the limit, which takes little memory to inspect.
kfkd-head -n 20 scaled.kfkd | kfkd-train --quiet --epochs 0 \
	--net "dense2000 relu dense2000 relu dense" --output large.kfkd 2>train.err
ok "a model of more than 64 MiB" test "$(wc -c <large.kfkd)" -gt 67108864
within : kfkd-stat large.kfkd

# 2,250 images are 20 MiB of bytes, and 79 MiB of floats.
for kind in floats bytes; do
	option=
	[ $kind = floats ] || option=--bytes
	repeat 5 raw.kfkd | kfkd-scale $option |
		"$maxrss" $kind.rss kfkd-train --quiet --threads 1 --epochs 1 --output $kind.kfkd 2>train.err
done
saved=$((($(cat floats.rss) - $(cat bytes.rss)) / 1024))
ok "training on bytes takes $saved MiB less than on floats" test $saved -gt 50
ok "... for the same model" cmp floats.kfkd bytes.kfkd

# A small model that claims a large net is refused before memory is taken for it.
printf 'nose_x,nose_y,Image\n1,2,1 2 3 4\n' | kfkd-load | kfkd-scale >small.kfkd
"$KFKD_BUILD/tests/mkmodel" 'dense1000000 relu dense2000 dense' 1 2 2 1x1 1 1 >claims.kfkd
refuses "a model that lacks most of its net" 1 "the model lacks 'dense1.weight'" \
	"$maxrss" rss kfkd-predict --threads 1 --model claims.kfkd small.kfkd
ok "... takes less than 200 MiB ($(($(cat rss) / 1024)))" test "$(cat rss)" -lt 204800

done_testing
