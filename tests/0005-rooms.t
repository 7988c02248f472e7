#!/bin/sh
# The rooms of lib include one another as the table in lib/README.md says, which
# only goes down; and the files of a room depend on one another without a cycle.
. "${0%/*}/lib.sh"
cd "${0%/*}/.." || exit 1

# The table's rows as "room: room room ...".
sed -n 's/^| `\([a-z]*\)` |.*| \([a-z ]*\) |$/\1: \2 /p' lib/README.md >"$tmp/rooms"
for folder in lib/*/; do
	room=$(basename "$folder")
	ok "$room is in the table of lib/README.md" grep -q "^$room: " "$tmp/rooms"
done

above=
while IFS=: read -r room allowed; do
	ok "$room exists" test -d "lib/$room"
	for other in $allowed; do
		ok "$room may include $other, which stands above it" \
			sh -c 'case " $1 " in *" $2 "*) ;; *) exit 1; esac' sh "$above" "$other"
	done
	above="$above $room"
	is "$room includes nothing else" "$(grep -Ho '^#include "[a-z]*/[a-z0-9_]*\.h"' \
		lib/"$room"/*.[ch] | while IFS='"' read -r file header; do
		case " $room $allowed" in
		*" ${header%%/*} "*) ;;
		*) echo "${file%:*}: $header" ;;
		esac
	done)" ""
	is "... and no file without its room" \
		"$(grep -H '^#include "[^/"]*"' lib/"$room"/*.[ch])" ""
done <"$tmp/rooms"

# Modules, each a .c and its .h, and what they include: tsort reports cycles.
# The drawing of faces is one module in several files.
for room in lib/*/; do
	[ "$room" != lib/synth/ ] || continue
	grep -Ho '^#include "[a-z]*/[a-z0-9_]*\.h"' "$room"*.[ch] |
		sed 's|^lib/\([^.]*\)\.[ch]:#include "\(.*\)\.h"|\1 \2|' |
		awk '$1 != $2' >"$tmp/edges"
	is "the files of $room build on one another" "$(tsort "$tmp/edges" 2>&1 >/dev/null)" ""
done
done_testing
