# TAP for shell tests.  A test sources this, calls the functions below, and
# ends with done_testing.  $tmp is an empty directory that goes away at the
# end; the programs are found through PATH.
#
#   ok DESCRIPTION COMMAND ...        passes when the command succeeds
#   is DESCRIPTION GOT WANT           passes when both texts are the same
#   like DESCRIPTION TEXT PATTERN     passes when the text matches (grep -E)
#   refuses DESCRIPTION STATUS PATTERN COMMAND ...
#       passes when the command exits with that status and its standard error
#       is exactly one line and matches; standard input is the caller's
#   skip DESCRIPTION REASON

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
trap 'exit 130' INT TERM

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

ok() {
	tap_name=$1
	shift
	if "$@" >"$tmp/ok.out" 2>&1; then
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

refuses() {
	tap_name=$1
	tap_status=$2
	tap_pattern=$3
	shift 3
	"$@" >"$tmp/refuses.out" 2>"$tmp/refuses.err"
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

skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' $tap_count "$1" "$2"
}

done_testing() {
	echo "1..$tap_count"
	exit $tap_failed
}
