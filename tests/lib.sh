# TAP for shell tests.  A test sources this, calls the functions below, and
# ends with done_testing.  $tmp is an empty directory that goes away at the
# end; the programs are found through PATH.
#
#   ok DESCRIPTION COMMAND ...        passes when the command succeeds
#   is DESCRIPTION GOT WANT           passes when both texts are the same
#   like DESCRIPTION TEXT PATTERN     passes when the text matches (grep -E)
#   equal DESCRIPTION FILE FILE       passes when both hold the same bytes, and some
#   differ DESCRIPTION FILE FILE      passes when both hold bytes, and not the same
#   refuses DESCRIPTION STATUS PATTERN COMMAND ...
#       passes when the command exits with that status and its standard error
#       is exactly one line and matches; standard input is the caller's
#   soon DESCRIPTION SECONDS COMMAND ...
#       repeats the command until it succeeds, and fails after so many seconds
#   skip DESCRIPTION REASON
#
# No test may wait for ever:
#
#   limited COMMAND ...               runs it for 5 minutes at most; 124 if killed
#   finish PID SECONDS                waits for a background process without the
#                                     shell's remarks and returns its exit status,
#                                     or kills it and returns 124
#
# ok and refuses run their commands, which must be programs and not functions,
# under limited; a whole script may take half an hour.  On a terminal an interrupt
# reaches all of them; elsewhere a timeout ends what they started, too.

tap_timeout='timeout -k 10'
[ ! -t 2 ] || tap_timeout="$tap_timeout --foreground"
if [ -z "${TAP_LIMITED-}" ]; then
	TAP_LIMITED=yes exec $tap_timeout 1800 sh "$0" "$@"
fi
unset TAP_LIMITED

set -u
LC_ALL=C
export LC_ALL
# A program that exits on an error leaves its memory to the system; the unit
# tests check for leaks.
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS
tap_count=0
tap_failed=0
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM PIPE

pass() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s\n' $tap_count "$1"
}

fail() {
	tap_count=$((tap_count + 1))
	tap_failed=1
	printf 'not ok %d - %s\n' $tap_count "$1"
	shift
	for line; do
		printf '%s\n' "$line" | sed 's/^/# /' >&2
	done
}

limited() {
	$tap_timeout 300 "$@"
}

ok() {
	tap_name=$1
	shift
	if limited "$@" >"$tmp/ok.out" 2>&1; then
		pass "$tap_name"
	else
		fail "$tap_name" "failed ($?): $*" "$(head -c 2000 "$tmp/ok.out")"
	fi
}

is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:  $2" "want: $3"
	fi
}

like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		pass "$1"
	else
		fail "$1" "got:     $2" "pattern: $3"
	fi
}

equal() {
	if ! [ -s "$2" ] || ! [ -s "$3" ]; then
		fail "$1" "missing or empty: $2 or $3"
	elif cmp -s "$2" "$3"; then
		pass "$1"
	else
		fail "$1" "$(cmp "$2" "$3" 2>&1)"
	fi
}

differ() {
	if ! [ -s "$2" ] || ! [ -s "$3" ]; then
		fail "$1" "missing or empty: $2 or $3"
	elif cmp -s "$2" "$3"; then
		fail "$1" "$2 and $3 hold the same bytes"
	else
		pass "$1"
	fi
}

refuses() {
	tap_name=$1
	tap_status=$2
	tap_pattern=$3
	shift 3
	limited "$@" >"$tmp/refuses.out" 2>"$tmp/refuses.err"
	tap_got=$?
	if [ $tap_got -ne "$tap_status" ]; then
		fail "$tap_name" "exit status $tap_got, not $tap_status: $*" \
			"$(head -c 2000 "$tmp/refuses.err")"
	elif [ "$(wc -l <"$tmp/refuses.err")" -ne 1 ]; then
		fail "$tap_name" "standard error is not one line: $*" \
			"$(head -c 2000 "$tmp/refuses.err")"
	elif ! grep -Eq -e "$tap_pattern" "$tmp/refuses.err"; then
		fail "$tap_name" "pattern: $tap_pattern" "$(cat "$tmp/refuses.err")"
	else
		pass "$tap_name"
	fi
}

# misuses DESCRIPTION PATTERN OPTION ...: kfkd-train with these on the stream `faces`, for
# tests that have one: exit status 2, and a first line that matches
misuses() {
	misuse_name=$1
	misuse_pattern=$2
	shift 2
	kfkd-train "$@" faces >out 2>err
	is "$misuse_name exits 2" $? 2
	like "... and says why" "$(head -n 1 err)" "$misuse_pattern"
}

soon() {
	tap_name=$1
	tap_tries=$((10 * $2))
	shift 2
	until "$@" >"$tmp/soon.out" 2>&1; do
		tap_tries=$((tap_tries - 1))
		if [ $tap_tries -le 0 ]; then
			fail "$tap_name" "not in time: $*"
			return 1
		fi
		sleep 0.1
	done
	pass "$tap_name"
}

# While it waits for sleep, the shell also reaps the process, and kill -0 fails.
finish() {
	tap_tries=$((20 * $2))
	while kill -0 "$1" 2>/dev/null; do
		tap_tries=$((tap_tries - 1))
		if [ $tap_tries -le 0 ]; then
			kill -KILL "$1"
			wait "$1" 2>/dev/null
			return 124
		fi
		sleep 0.05
	done
	wait "$1" 2>/dev/null # where the shell says "Terminated"
}

skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' $tap_count "$1" "$2"
}

# two_streams: raw, 1,000 rows of two pixels whose ids count them, in chunks of up to 40;
# and digits, 40 labelled images
two_streams() {
	awk 'BEGIN { print "a_x,a_y,Image"; for (i = 1; i <= 1000; i++)
		printf "%d,%s,%d %d\n", i, i % 3 ? i / 4 : "", i % 256, i * 7 % 256 }' >faces.csv
	kfkd-load --size 2x1 faces.csv >raw
	perl -e 'open my $x, ">:raw", "images"; open my $l, ">:raw", "labels";
		print $x pack("CCCCN3", 0, 0, 8, 3, 40, 2, 2);
		print $l pack("CCCCN", 0, 0, 8, 1, 40), pack("C*", map { $_ % 4 } 0 .. 39);
		print $x pack("C*", map { $_ * 5 % 256 } 1 .. 160)'
	kfkd-load -l labels images >digits
}

done_testing() {
	echo "1..$tap_count"
	exit $tap_failed
}
