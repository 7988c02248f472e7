#!/bin/sh
# A live source: each image comes out at the far end of a pipeline before the
# next one goes in.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
live=$KFKD_BUILD/tests/live

# flows WHAT ARGUMENT ...: with those for live
flows() {
	what=$1
	shift
	if "$live" "$@" >out 2>err; then
		pass "$what: $(cat out)"
	else
		fail "$what" "$(cat err)"
	fi
}

# -- images drawn here ------------------------------------------------------------------

for ahead in 0 1 5 20 9000; do
	flows "kfkd-load, with $ahead bytes of the next image" -a $ahead 30 kfkd-load
done
flows "kfkd-load | kfkd-scale" 30 "kfkd-load | kfkd-scale"
flows "... and all that pass rows on" -a 9000 30 \
	"kfkd-load | kfkd-scale | kfkd-scale --undo | kfkd-head -n 1000 | kfkd-cat"

kfkd-synth --rows 32 | kfkd-load | kfkd-scale |
	kfkd-train --quiet --epochs 1 --output model.kfkd
is "a model is trained" $? 0
marked="kfkd-load | kfkd-scale | kfkd-predict --model model.kfkd | kfkd-plot --each -"
flows "... and kfkd-predict" 30 "${marked% | kfkd-plot*}"
flows "... and kfkd-plot --each -, as pictures" -p 30 "$marked"

# -- ffmpeg's test source ------------------------------------------------------------------

if command -v ffmpeg >/dev/null; then
	film() {
		ffmpeg -v error -nostdin -re -f lavfi -i testsrc=size=96x96:rate=10 \
			-frames:v 12 "$@" 2>ffmpeg.err
	}
	chunks() {
		grep -ao '{"__metadata__"' "$1" | wc -l
	}
	film -f rawvideo -pix_fmt gray frames
	film -f image2pipe -c:v pgm - | kfkd-load | kfkd-cat --output film.kfkd
	perl -e 'local $/ = \9216; while (<>) { print join(" ", unpack("C*", $_)), "\n" }' \
		frames >want
	kfkd-save -n film.kfkd | tail -n +2 >got
	ok "ffmpeg's frames come as they were" cmp got want
	# on a busy machine two may come at once
	ok "... and as they come ($(chunks film.kfkd) chunks)" test "$(chunks film.kfkd)" -gt 6
	film -f image2pipe -c:v pgm - | sh -c "$marked" | kfkd-load | kfkd-cat -o marked.kfkd
	ok "... marked, too ($(chunks marked.kfkd) chunks)" test "$(chunks marked.kfkd)" -gt 6
	like "... each of them" "$(kfkd-stat marked.kfkd)" "rows: 12\$"
else
	skip "ffmpeg's test source" "ffmpeg is not installed"
fi

done_testing
