#!/bin/sh
# What all programs have in common, from one table: help, misuse, damaged
# input, output that cannot be written, and no partial results.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
bin=$KFKD_BUILD/bin

# -- the table -----------------------------------------------------------------
#
# program   input   kind of output   arguments that it always gets
#
# Input: csv, raw (a stream as loaded), scaled, found (with predictions), or
# none.  Output: data (binary, with --output), text (with or without --output).

cat >table <<'EOT'
kfkd-load     csv     data
kfkd-synth    none    text   --rows 200
kfkd-cat      raw     data
kfkd-head     raw     data   --rows 1000
kfkd-tail     raw     data   --rows 1000
kfkd-dropna   raw     data
kfkd-select   raw     data   --rows 1-1000
kfkd-split    raw     data   --share 1 --rest rest
kfkd-shuffle  raw     data
kfkd-join     raw     data   --table table.csv
kfkd-scale    raw     data
kfkd-train    scaled  data   --quiet --epochs 1
kfkd-predict  scaled  data   --model net.kfkd
kfkd-stat     raw     text
kfkd-score    found   text
kfkd-save     raw     text
kfkd-plot     found   data   --grid 8x8
EOT

for program in "$bin"/*; do
	ok "${program##*/} is in the table" grep -q "^${program##*/} " table
done

# each FUNCTION: calls it with program, input, output, arguments.
each() {
	while read -r each_name each_rest; do
		if [ -x "$bin/$each_name" ]; then
			# shellcheck disable=SC2086
			"$1" "$each_name" $each_rest </dev/null
		else
			fail "$each_name exists"
		fi
	done <table
}

# -- what they get to read -----------------------------------------------------

kfkd-synth --rows 24 --missing 0.3 >csv &&
	kfkd-load csv >raw &&
	kfkd-scale raw >scaled &&
	kfkd-train --quiet --epochs 2 scaled >net.kfkd &&
	kfkd-predict --model net.kfkd scaled >found
is "the files are made" $? 0
{
	echo id,nose_tip_x
	seq 24 | sed 's/$/,1/'
} >table.csv

# The byte at which the last chunk begins.
last_chunk() {
	at=$(grep -abo '{"__metadata__"' "$1" | tail -n 1)
	echo $((${at%%:*} - 8))
}

# A safetensors file of a JSON header and this many zero bytes.
blob() {
	perl -e 'print pack("Q<", length $ARGV[0]), $ARGV[0], "\0" x $ARGV[1]' "$@"
}

# The file with its byte $2 changed by $3.
flip() {
	perl -e 'my ($name, $at, $by) = @ARGV; open my $f, "<:raw", $name or die;
		local $/; $_ = <$f>; substr($_, $at, 1) ^= chr $by; binmode STDOUT;
		print' "$@"
}

# -- help and misuse -----------------------------------------------------------

help() {
	for option in -h --help; do
		"$1" $option >out 2>err
		is "$1 $option exits 0" $? 0
		like "$1 $option prints the usage" "$(head -n 1 out)" "^usage: $1"
		is "$1 $option has nothing on standard error" "$(cat err)" ""
	done
	like "$1 --version prints name and version" "$("$1" --version)" \
		"^$1 [0-9]+\.[0-9]+\.[0-9]+\$"
	is "$1 -V prints the same" "$("$1" -V)" "$("$1" --version)"
	ok "$1 --help wants no input" "$1" --help
	refuses "$1 --help: a full disk" 1 'No space left' \
		sh -c "$1 --help >/dev/full"
	for option in --no-such-option -?; do
		"$1" $option >out 2>err
		is "$1 $option exits 2" $? 2
		is "$1 $option says so, and how to get help" "$(cat err)" \
			"$1: unrecognized option '$option'
$("$1" -h | head -n 1)
try '$1 -h' for help"
		is "$1 $option has nothing on standard output" "$(cat out)" ""
	done
}
each help

operands() {
	program=$1
	input=$2
	shift 3
	[ "$input" != none ] || return
	if [ "$program" != kfkd-cat ]; then
		"$program" "$@" "$input" "$input" >out 2>err
		is "$program: two operands exit 2" $? 2
		like "... with a line of usage" "$(tr '\n' ' ' <err)" \
			"^$program: more than one file: '$input' usage: .*try '$program -h'"
		is "... and no more" "$(wc -l <err)" 3
	fi
	refuses "$program: a missing file" 1 \
		"^$program: cannot open 'none': No such file" "$program" "$@" none
	refuses "$program: a directory" 1 \
		"^$program: cannot read '/': Is a directory" "$program" "$@" /
	"$program" "$@" "$input" >one 2>err
	is "$program: a file" $? 0
	"$program" "$@" - <"$input" >two 2>err
	is "$program: - for standard input" $? 0
	ok "... with the same result" cmp one two
}
each operands

# -- damaged input -------------------------------------------------------------

# A stream reader refuses the file "bad" with one line, both as a file and from
# a pipe.
damaged() {
	what=$1
	pattern=$2
	program=$3
	shift 3
	refuses "$program: $what" 1 "^$program: .*$pattern" "$program" "$@" bad
	cat bad >pipe 2>cat.err &
	refuses "$program: $what, piped" 1 "^$program: .*$pattern" \
		"$program" "$@" <pipe
	finish $! 30
}
mkfifo pipe

streams() {
	program=$1
	input=$2
	shift 3
	case $input in
	csv | none) return ;;
	esac
	last=$(last_chunk "$input")
	: >bad
	damaged "an empty input" 'empty' "$program" "$@"
	head -c 5000 /bin/sh >bad
	damaged "garbage" "'.*', byte 0: not a kfkd" "$program" "$@"
	cp csv bad
	damaged "a CSV" "'.*', byte 0: not a kfkd" "$program" "$@"
	head -c 5 "$input" >bad
	damaged "cut inside a header's length" 'byte 5: truncated' "$program" "$@"
	head -c 100 "$input" >bad
	damaged "cut inside a header" 'byte 100: truncated' "$program" "$@"
	head -c $((last - 1)) "$input" >bad
	damaged "cut inside data" 'truncated: 1 bytes' "$program" "$@"
	head -c "$last" "$input" >bad
	damaged "cut before its last chunk" 'truncated: it ends after 24 rows' \
		"$program" "$@"
	head -c $((last + 90)) "$input" >bad
	damaged "cut inside its last chunk" 'truncated' "$program" "$@"
	{ cat "$input"; printf '\0'; } >bad
	damaged "a byte behind it" 'truncated: the input ends inside a header' \
		"$program" "$@"
	{ cat "$input"; echo 'some text behind it'; } >bad
	damaged "text behind it" 'not a kfkd' "$program" "$@"
	{ cat "$input"; tail -c "+$((last + 1))" "$input"; } >bad
	damaged "the last chunk twice" 'should have 24 rows, and has 0' \
		"$program" "$@"
	# by position: length, JSON, checksum, padding, ids, targets, pixels, end
	for at in 0 1 7 8 9 24 30 60 400 $((last / 3)) $((last / 2)) $((last - 1)) \
		$((last + 1)) $((last + 40)) $(($(wc -c <"$input") - 1)); do
		for by in 1 32 128; do
			flip "$input" $at $by >bad
			refuses "$program: byte $at changed by $by" 1 "^$program: " \
				"$program" "$@" bad
		done
	done
}
each streams

hostile() {
	program=$1
	input=$2
	shift 3
	case $input in
	csv | none) return ;;
	esac
	mark='"__metadata__":{"kfkd":"1","xxh3":"0123456789abcdef"}'
	# entries of the header: a tensor up to its shape, and the offsets after it
	id='"id":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}'
	X='"X":{"dtype":"U8","shape"'
	at='"data_offsets"'
	while IFS='|' read -r what pattern json; do
		blob "{$mark,$json}" 4096 >bad
		damaged "$what" "header at byte 0: .*$pattern" "$program" "$@"
	done <<-EOT
	2^60 rows|too many bytes|$X:[1152921504606846976,1,96,96],$at:[0,4096]}
	an overflow to 0|too many bytes|$X:[4294967296,4294967296,1,1],$at:[0,0]}
	a negative size|no list of sizes|$X:[-1,1,1,1],$at:[0,1]}
	a name twice|duplicate|$id,$id
	a hole|hole or overlaps|$id,$X:[1,1,1,1],$at:[9,10]}
	an overlap|hole or overlaps|$id,$X:[1,1,1,1],$at:[7,8]}
	wrong offsets|do not fit|$id,$X:[2,1,1,1],$at:[8,9]}
	EOT
	blob "{$mark,$id}" 8 >bad # which might be a model to kfkd-stat
	damaged "no X" "(no tensor 'X'|not a model)" "$program" "$@"
	z='"dtype":"U8","shape":[1],"data_offsets":[9,10]'
	blob "{$mark,$id,$X:[1,1,1,1],$at:[8,9]},\"z\":{$z}}" 10 >bad
	damaged "an unknown tensor" "'z'" "$program" "$@"
	blob "{$mark,\"a\\nb\":{$z}}" 10 >bad
	damaged "a line break in a name" "'a.x0ab'" "$program" "$@"
	perl -e 'print pack("Q<", 1 << 60), "{" x 100' >bad
	damaged "a header of 2^60 bytes" 'header length 1152921504606846976' \
		"$program" "$@"
	blob "{$mark" 10 >bad
	damaged "a header that is no JSON" 'not a JSON object' "$program" "$@"
	if [ "$program" != kfkd-cat ]; then
		blob '{"X":{"dtype":"U8","shape":[2,1,2,2],"data_offsets":[0,8]}}' 8 >bad
		damaged "a foreign file" 'kfkd-cat' "$program" "$@"
	fi
}
each hostile

# -- data that does not fit the program ----------------------------------------

refuses "kfkd-train: not scaled" 1 'kfkd-scale' kfkd-train --quiet --epochs 1 raw
refuses "kfkd-predict: not scaled" 1 'kfkd-scale' kfkd-predict --model net.kfkd raw
refuses "kfkd-scale: scaled twice" 1 'scaled already' kfkd-scale scaled
refuses "kfkd-predict: a stream for a model" 1 'not a model|a stream' \
	kfkd-predict --model raw scaled
refuses "kfkd-predict: no model" 1 "cannot open 'none': No such" \
	kfkd-predict --model none scaled
head -c 10000 net.kfkd >bad
refuses "kfkd-predict: a cut model" 1 "'bad', byte 10000: truncated" \
	kfkd-predict --model bad scaled
{ cat net.kfkd; echo; } >bad
refuses "kfkd-predict: a byte behind a model" 1 "'bad'.*follows" \
	kfkd-predict --model bad scaled
for at in 3 9 200 2000 900000; do
	flip net.kfkd $at 32 >bad
	refuses "kfkd-predict: byte $at of the model changed" 1 "'bad'" \
		kfkd-predict --model bad scaled
done
refuses "a model where a stream should be" 1 "model" kfkd-scale net.kfkd
kfkd-synth --rows 3 >small.csv
awk -F, -v OFS=, 'NR > 1 {
	n = split($NF, v, " ")
	$NF = v[1]
	for (i = 2; i <= 64; i++)
		$NF = $NF " " v[i]
} 1' small.csv >tiny.csv
kfkd-load tiny.csv | kfkd-scale >tiny
refuses "kfkd-predict: images of another size" 1 "8" \
	kfkd-predict --model net.kfkd tiny
refuses "kfkd-score: no predictions" 1 'predict' kfkd-score raw

# -- a CSV that does not fit ---------------------------------------------------

# The first rows of a CSV with an error: no program after kfkd-load takes them
# for the complete data.
while IFS='|' read -r what script; do
	perl -ne "$script" small.csv >bad.csv
	refuses "kfkd-load: $what" 1 '^kfkd-load: .*(row|line|column|empty|Image)' \
		kfkd-load bad.csv
	for next in kfkd-cat kfkd-dropna kfkd-select kfkd-scale "kfkd-head -n 99" \
		"kfkd-head -n -2" "kfkd-tail -n 99" kfkd-shuffle kfkd-stat kfkd-save; do
		kfkd-load bad.csv 2>load.err | $next >out 2>err
		is "... and $next fails with it" $? 1
	done
done <<'EOT'
a cut file|print $. < 3 ? $_ : substr($_, 0, 5000) if $. < 4
a pixel of 256|s/ \d+$/ 256/ if $. == 3; print
too few pixels|s/ \d+$// if $. == 3; print
too few fields|s/^[^,]*,// if $. == 3; print
a word for a number|s/^[^,]*/word/ if $. == 3; print
an infinity|s/^[^,]*/inf/ if $. == 3; print
an empty Image|s/,[^,]*$/,\n/ if $. == 3; print
no Image|s/,Image$/,Picture/; print
a column twice|s/^([^,]*),[^,]*/$1,$1/ if $. == 1; print
an empty file|
EOT
head -c 3000 /bin/sh >bad.csv
refuses "kfkd-load: garbage" 1 '^kfkd-load: ' kfkd-load bad.csv
refuses "kfkd-load: an unknown column" 1 "'ear_x'" kfkd-load --columns ear_x small.csv
sh -c 'kfkd-load bad.csv | kfkd-scale | kfkd-dropna >out' 2>err
is "a failure at the start of a pipeline reaches its end" $? 1
is "... with one line from each" "$(wc -l <err)" 3

# -- output that cannot be written ---------------------------------------------

unwritable() {
	program=$1
	input=$2
	output=$3
	shift 3
	if [ "$input" = none ]; then
		input=/dev/null
	fi
	refuses "$program: a full disk" 1 \
		"^$program: cannot write '(standard output|/dev/full)': No space left" \
		sh -c '"$@" >/dev/full' sh "$program" "$@" <$input
	refuses "$program: standard output closed" 1 \
		"^$program: cannot write 'standard output': Bad file" \
		sh -c '"$@" >&-' sh "$program" "$@" <$input
	if "$program" --help | grep -q -e --output; then
		refuses "$program --output: a full disk" 1 \
			"^$program: cannot write '/dev/full': No space left" \
			"$program" "$@" --output /dev/full <$input
		refuses "$program --output: no such directory" 1 \
			"^$program: cannot create 'none/x': No such file" \
			"$program" "$@" --output none/x <$input
	elif [ "$output" = data ]; then
		fail "$program has --output"
	fi
}
each unwritable
ok "/dev/full is still a device" test -c /dev/full

# What a symbolic link points at is written, and the link stays.
echo old >target
ln -s target link
kfkd-synth -n 1 -s 5 --output link
kfkd-synth -n 1 -s 5 >direct
ok "--output on a symbolic link: the file behind it" cmp direct target
ok "... and a link as before" test -L link

# A reader that goes away: the writer dies of SIGPIPE (13) without a word, or,
# where the signal is ignored, exits 1 with one line.
gone() {
	program=$1
	input=$2
	shift 3
	case $program in
	kfkd-stat | kfkd-score) return ;; # write a few lines, at the end
	kfkd-train) ;;
	*) [ "$input" = none ] || set -- "$@" long.$input ;;
	esac
	[ "$program" != kfkd-train ] || set -- "$@" "$input"
	{
		"$program" "$@" 2>err
		echo $? >status
	} | head -c 1 >/dev/null
	is "$program: a reader that goes away" "$(cat status)" 141
	is "... silently" "$(cat err)" ""
	{
		trap '' PIPE
		"$program" "$@" 2>err
		echo $? >status
	} | head -c 1 >/dev/null
	is "$program: the same with SIGPIPE ignored" "$(cat status)" 1
	like "... says so" "$(cat err)" \
		"^$program: cannot write 'standard output': Broken pipe\$"
}
# Each writes more than a pipe holds, which may be 1 MiB, so that none can end
# before its reader does.
head -n 1 csv >long.csv
for copy in 1 2 3 4 5 6 7 8 9 10 11 12; do
	tail -n +2 csv >>long.csv
	for input in raw scaled found; do
		cat $input >>long.$input
	done
done
each gone

# -- --output ------------------------------------------------------------------

# Whether the process has a file without a name, or with a temporary one, open there.
holds_open() {
	ls -l "/proc/$1/fd" | grep -Eq "$(cd "$2" && pwd -P)/(#|\.kfkd-)"
}

# A failure leaves nothing: neither a partial file under the name, nor another file.
partial() {
	program=$1
	input=$2
	shift 3
	"$program" --help | grep -q -e --output || return
	mkdir -p part
	rm -f part/*
	if [ "$input" != none ]; then
		head -c $(($(wc -c <$input) * 2 / 3)) $input >bad
		echo old >part/out
		"$program" "$@" --output part/out bad >out 2>err
		is "$program --output: a failure" $? 1
		is "... leaves an old file alone" "$(cat part/out)" old
		is "... and no other" "$(ls -A part)" out
		rm -f part/*
		# all rows, but not the end, and it waits for more
		[ "$input" = csv ] || head -c "$(last_chunk $input)" $input >bad
		rm -f fifo
		mkfifo fifo
		"$program" "$@" --output part/out fifo 2>err &
		pid=$!
		exec 3<>fifo # does not wait for the program
		limited cat bad >&3
		soon "$program --output: a file for what comes" 30 holds_open $pid part
		kill -TERM $pid
		finish $pid 30
		is "$program --output: SIGTERM" $? 143
		is "... leaves nothing" "$(ls -A part)" ""
		exec 3>&-
		"$program" "$@" --output part/out $input >out 2>err
		is "$program --output: success" $? 0
	else
		"$program" "$@" --output part/out >out 2>err
		is "$program --output: success" $? 0
	fi
	ok "... makes the file" test -s part/out
	is "... and no other" "$(ls -A part)" out
	is "... and writes nothing else" "$(cat out)" ""
	is "... with the rights that the umask leaves" \
		"$(stat -c %a part/out)" "$(printf %o $((0666 & ~0$(umask))))"
}
each partial

# Nothing is left after other signals either.  A shell without job control starts commands in
# the background with SIGINT ignored; env gives it back.
mkfifo ended
for signal in 'HUP 129' 'INT 130'; do
	env --default-signal=INT kfkd-cat --output ended.out ended &
	pid=$!
	exec 3<>ended
	limited head -c "$(last_chunk raw)" raw >&3
	soon "--output: a file before SIG${signal% *}" 30 holds_open $pid .
	kill -"${signal% *}" $pid
	finish $pid 30
	is "... which ends the program" $? "${signal#* }"
	is "... and leaves nothing" "$(ls -a | grep -e ended.out -e '^\.kfkd')" ""
	exec 3>&-
done

# A signal that is ignored, as by nohup, stays ignored.
mkfifo hup
sh -c 'trap "" HUP; exec kfkd-cat --output hup.out hup' &
pid=$!
exec 3<>hup
limited head -c "$(last_chunk raw)" raw >&3
soon "a program under nohup is at work" 30 holds_open $pid .
kill -HUP $pid
tail -c "+$(($(last_chunk raw) + 1))" raw >&3
exec 3>&-
finish $pid 30
is "--output under nohup: no death by SIGHUP" $? 0
ok "... and the file is whole" cmp raw hup.out

# -- terminals -----------------------------------------------------------------

# on_terminal COMMAND: with a terminal for standard input and output
on_terminal() {
	limited script -qec "$1" /dev/null </dev/null >out 2>&1
}
terminal() {
	program=$1
	input=$2
	output=$3
	shift 3
	if [ "$output" = data ] && [ "$input" != none ]; then
		on_terminal "$program $* $input"
		is "$program writes nothing binary to a terminal" $? 2
		like "... and says so" "$(tr -d '\r' <out)" "^$program: .*terminal"
	fi
	case $input in
	csv | none) return ;;
	esac
	on_terminal "$program $* >/dev/null"
	is "$program waits for no stream from a terminal" $? 2
}
if command -v script >/dev/null && on_terminal true; then
	each terminal
else
	skip "terminals" "script is not installed"
fi

done_testing
