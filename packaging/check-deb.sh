#!/bin/sh
# Tries the packages in a directory: faults that lintian finds, and all that they are to do
# when they are installed under a root of their own, whose dpkg knows this machine's
# packages, so that dependencies count.
#
#   sh check-deb.sh DIRECTORY CUDA      as deb.sh has them
. "${0%/*}/../tests/lib.sh"
sh packaging/deb.sh "$1/stage" "$tmp/again" "$2" >/dev/null
cd "$1" || exit 1
root=$tmp/root

for deb in kfkd*.deb; do
	equal "$deb, made again, is the same" "$deb" "$tmp/again/$deb"
done

say=$(lintian --allow-root --fail-on error kfkd*.deb 2>&1)
is "lintian finds no error" "$? $(printf '%s\n' "$say" | grep ^E:)" "0 "
printf '%s\n' "$say" | sed 's/^/# /'

package() {
	dpkg --root="$root" "$@" 2>"$tmp/dpkg.err" >"$tmp/dpkg.out"
}

mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates"
cp /var/lib/dpkg/status "$root/var/lib/dpkg"
cp /var/lib/dpkg/arch "$root/var/lib/dpkg" 2>/dev/null
package -i kfkd*.deb
is "dpkg -i" "$? $(grep -v ^dpkg:.warning "$tmp/dpkg.err")" "0 "
ok "their checksums are right" sh -c "cd '$root' && cat var/lib/dpkg/info/kfkd*.md5sums |
	md5sum --check --quiet"
is "they are theirs alone" "$(cd "$root" && find usr -type f | wc -l)" \
	"$(cat "$root"/var/lib/dpkg/info/kfkd*.md5sums | wc -l)"
is "no path of this machine's is in a plugin" \
	"$(for so in "$root"/usr/lib/kfkd/*.so; do objdump -p "$so"; done | grep RUNPATH)" ""

PATH=$root/usr/bin:$PATH
export PATH
KFKD_BACKEND=cpu
export KFKD_BACKEND
unset KFKD_PLUGINS
mkdir "$tmp/work"
like "the version" "$(kfkd-train --version)" \
	"^kfkd-train $(dpkg-deb -f kfkd_*.deb Version | sed 's/-.*//')\$"
ok "the pipeline" sh -c "cd '$tmp/work' && kfkd-synth -n 100 >training.csv &&
	kfkd-synth --test -n 20 >test.csv &&
	kfkd-load training.csv | kfkd-dropna | kfkd-scale | kfkd-train -q -e 2 >net1.kfkd &&
	kfkd-load test.csv | kfkd-scale | kfkd-predict -m net1.kfkd | kfkd-plot >sheet.pgm &&
	test -s sheet.pgm"
ok "the example that is installed" sh -c "cd '$tmp/work' &&
	sh '$root/usr/share/doc/kfkd/examples/demo.sh' demo"
for program in "$root"/usr/bin/*; do
	name=${program##*/}
	man -M "$root/usr/share/man" "$name" 2>&1 | grep -q EXAMPLES || echo "$name"
done >"$tmp/pageless"
is "man shows a page for each program" "$(cat "$tmp/pageless")" ""
like "... and the overview" "$(man -M "$root/usr/share/man" 7 kfkd 2>&1)" 'kfkd-train\(1\)'
is "bash loads completion by itself" "$(cd "$tmp/work" && XDG_DATA_DIRS=$root/usr/share bash -c '
	. /usr/share/bash-completion/bash_completion
	_completion_loader kfkd-train
	complete -p kfkd-train')" "complete -F _kfkd kfkd-train"
is "... and completes" "$(kfkd-train --completion 2 --net bes)" best

package -r $(for f in kfkd*.deb; do dpkg-deb -f "$f" Package; done)
is "dpkg -r" "$? $(grep -v ^dpkg:.warning "$tmp/dpkg.err")" "0 "
is "... leaves nothing" "$(find "$root" -path "$root/var" -prune -o -print)" "$root"
package -P $(for f in kfkd*.deb; do dpkg-deb -f "$f" Package; done)
is "dpkg -P leaves nothing of them in dpkg's files" \
	"$(find "$root/var/lib/dpkg/info" -name 'kfkd*'; grep kfkd "$root/var/lib/dpkg/status")" ""

done_testing
