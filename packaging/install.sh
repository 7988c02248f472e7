#!/bin/sh
# Puts a tree of files under a prefix, and takes them away again.
#
#   sh install.sh install TREE PREFIX
#   sh install.sh uninstall PREFIX
#
# PREFIX/lib/kfkd/installed lists what was put there, one path a line, a directory only
# where there was none before.  What an earlier install put there goes first.
set -eu

put() {
	tree=$1 prefix=$2
	list=$prefix/lib/kfkd/installed
	take "$prefix"
	{ find "$tree" -printf '%P\n' | LC_ALL=C sort; echo lib/kfkd/installed; } |
		while IFS= read -r path; do
			if [ -d "$tree/$path" ] && [ ! -L "$tree/$path" ]; then
				[ ! -d "$prefix/$path" ] || continue
				mkdir -p "$prefix/$path"
			elif [ "$path" != lib/kfkd/installed ]; then
				cp -P --preserve=mode --remove-destination \
					"$tree/$path" "$prefix/$path"
			fi
			printf '%s\n' "$path"
		done >"$tree.list"
	install -m 644 "$tree.list" "$list"
}

# Backwards, so that a directory goes after what is in it; one that holds other files
# stays.
take() {
	list=$1/lib/kfkd/installed
	[ -e "$list" ] || return 0
	tac "$list" | while IFS= read -r path; do
		if [ -d "$1/$path" ] && [ ! -L "$1/$path" ]; then
			rmdir --ignore-fail-on-non-empty "$1/$path"
		else
			rm -f "$1/$path"
		fi
	done
}

case $1 in
install) put "$2" "$3" ;;
uninstall)
	[ -e "$2/lib/kfkd/installed" ] || {
		echo "$2/lib/kfkd/installed: not found; nothing is installed there" >&2
		exit 1
	}
	take "$2"
	;;
esac
