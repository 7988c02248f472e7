#!/bin/sh
# make install puts everything in its place, and make uninstall takes exactly that away.

. "${0%/*}/lib.sh"
source=$(cd "${0%/*}/.." && pwd)

quietly() {
	make -s --no-print-directory -C "$source" BUILD="$KFKD_BUILD" DESTDIR="$tmp/root" \
		PREFIX=/opt/kfkd "$@" >"$tmp/make.out" 2>&1 </dev/null
	quietly_rc=$?
	sed -i '/jobserver/d' "$tmp/make.out" # of a make -j that runs the tests
	return $quietly_rc
}

prefix=$tmp/root/opt/kfkd
mkdir -p "$tmp/root/opt"
quietly install
is "make install" "$? $(cat "$tmp/make.out")" "0 "
is "all programs are there" "$(cd "$prefix/bin" && ls)" "$(cd "$KFKD_BUILD/bin" && ls)"
is "... all pages" "$(cd "$prefix/share/man" && ls -- */*)" \
	"$(cd "$source/man" && for s in 1 5 7; do printf "man$s/%s\n" *.$s; done)"
is "... all examples" "$(cd "$prefix/share/doc/kfkd/examples" && find . -type f | sort)" \
	"$(cd "$source/examples" && find . -type f ! -path '*/__pycache__/*' | sort)"
ok "... NEWS, README and licence" sh -c \
	"cd '$prefix/share/doc/kfkd' && test -s NEWS && test -s README.md && test -s LICENSE"
like "NEWS begins with this version" "$(sed -n '3p' "$prefix/share/doc/kfkd/NEWS")" \
	"^$("$prefix/bin/kfkd-cat" --version | cut -d ' ' -f 2)\$"
for program in "$prefix"/bin/*; do
	name=${program##*/}
	grep -q "$name" "$prefix/share/bash-completion/completions/$name" \
		"$prefix/share/fish/vendor_completions.d/$name.fish" \
		"$prefix/share/zsh/site-functions/_kfkd" || echo "$name"
done >"$tmp/unlisted"
is "shells find completion for each program" "$(cat "$tmp/unlisted")" ""
is "an installed program finds the installed backend" \
	"$("$prefix/bin/kfkd-synth" -n 20 | "$prefix/bin/kfkd-load" |
		"$prefix/bin/kfkd-scale" | "$prefix/bin/kfkd-train" -n dense -e 1 -q |
		"$prefix/bin/kfkd-stat" | grep -c '^net: dense$')" 1

# What is not ours stays.
echo mine >"$prefix/bin/mine"
echo mine >"$prefix/share/man/man1/mine.1"
mkdir "$prefix/lib/empty"
echo old >"$prefix/bin/kfkd-old"
echo bin/kfkd-old >>"$prefix/lib/kfkd/installed"
quietly install
is "make install again" "$? $(cat "$tmp/make.out")" "0 "
is "... takes away what an older one put there" "$(ls "$prefix/bin/kfkd-old" 2>&1 | grep -c No)" 1
quietly uninstall
is "make uninstall" "$? $(cat "$tmp/make.out")" "0 "
is "... leaves what others put there and nothing else" \
	"$(cd "$prefix" && find . ! -type d -o -empty | sort | tr '\n' ' ')" \
	"./bin/mine ./lib/empty ./share/man/man1/mine.1 "
rm -r "$prefix"
quietly install && quietly uninstall
is "it leaves nothing of its own" "$? $(find "$tmp/root" | tail -n 1)" "0 $tmp/root/opt"
quietly uninstall
is "make uninstall where nothing is" "$? $(grep -c "nothing is installed there" "$tmp/make.out")" "2 1"

done_testing
