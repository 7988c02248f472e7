#!/bin/sh
# Outputs and checkpoints: whole or not at all, whoever else writes, and as the user
# set them up.
. "${0%/*}/lib.sh"

tests=$(cd "${0%/*}" && pwd)
cd "$tmp" || exit 1
umask 022
kfkd-synth -n 20 -s 1 >faces.csv
kfkd-load faces.csv >raw
kfkd-scale raw >faces
kfkd-synth -n 150 -s 2 | kfkd-load | kfkd-scale >others

# train OPTION ...: a small net on few faces
train() {
	limited kfkd-train -q -t 1 -n 'dense5 relu dense' "$@" faces
}

epochs() {
	kfkd-stat "$1" | sed -n 's/^epochs: //p' | head -n 1
}

# What there is beside the files that the test itself makes.
litter() {
	ls -A "$1" | grep -e kfkd -e tmp
}

# -- as the user set them up -----------------------------------------------------------

for mode in 600 660; do
	echo old >out
	: >point
	chmod $mode out point
	kfkd-load -o out faces.csv
	is "--output: a file of mode $mode stays so" "$(stat -c %a out)" $mode
	train -e 1 -c point -o model
	is "--checkpoint: so does its file" "$(stat -c %a point)" $mode
done
rm -f out point model

mkdir far
ln -s far/point point
ln -s far/model model
train -e 1 -c point -o model
ok "links to where nothing is stay links" test -L point -a -L model
train -e 2 -c point -R point -o model
ok "... and once something is there" test -L point -a -L model
is "... which is replaced" "$(epochs far/point) $(epochs far/model)" "2 2"
rm -rf far point model

if [ "$(id -u)" -eq 0 ]; then
	echo old >out
	chown 12345:23456 out
	kfkd-load -o out faces.csv
	is "root leaves a file its owner" "$(stat -c %u:%g out)" 12345:23456
	rm -f out
else
	skip "root leaves a file its owner" "this is not root"
fi

# -- names ---------------------------------------------------------------------------------

name=$(printf '%0250d' 0)
ok "a name of 250 bytes" kfkd-load -o "$name" faces.csv
equal "... has what it should" "$name" raw
rm -f "$name"
refuses "one of 256 is refused" 1 'File name too long' \
	kfkd-load -o "${name}123456" faces.csv
kfkd-load -o - faces.csv >out
equal "--output - is standard output" out raw
ok "... and no file" test ! -e -
rm -f ./- out

echo precious >mine
for temp in point.tmp out.tmp; do
	ln -s mine $temp
done
train -e 1 -c point -o out
is "a link under another program's temporary name is not followed" "$(cat mine)" precious
rm -f -- *.tmp point out

# -- what cannot be written, or not as usual ---------------------------------------------

refuses "a limit on the size of files: a message" 1 "cannot write 'out': File too large" \
	sh -c 'ulimit -f 1; kfkd-load -o out faces.csv'
is "... and nothing left" "$(ls | grep -x out; litter .)" ""
refuses "... for a checkpoint" 1 "cannot write 'point': File too large" \
	sh -c 'ulimit -f 1; kfkd-train -q -e 1 -c point faces >model'
rm -f model
is "... and nothing left" "$(ls | grep point; litter .)" ""
refuses "standard output closed: told before training" 1 \
	"cannot write 'standard output': Bad file" \
	sh -c 'kfkd-train -e 2 -n dense others >&-'
refuses "a message on temporary files names TMPDIR" 1 'TMPDIR' \
	env TMPDIR=/none kfkd-cat --single raw
kfkd-load -o out faces.csv >&-
equal "--output needs no standard output" out raw
rm -f out

# Root writes everywhere unless it gives up the power to.
weak() {
	setpriv --bounding-set -dac_override "$@"
}
[ "$(id -u)" -eq 0 ] || weak() {
	"$@"
}
mkdir shut
echo old >shut/out
chmod 555 shut
if weak sh -c ': >shut/new' 2>/dev/null || ! weak true; then
	chmod 755 shut
	skip "a directory where no file can be created" "cannot give up the power to"
else
	weak kfkd-load -o shut/out faces.csv 2>said
	equal "a directory where no file can be created: written in place" shut/out raw
	like "... with a warning" "$(cat said)" \
		"'shut/out' cannot be replaced, and is written in place"
	weak kfkd-load -o shut/new faces.csv 2>said
	is "... and a new file is refused" $? 1
	weak kfkd-train -e 2 -c shut/out -o model faces 2>said
	is "... and a checkpoint, before training" $? 1
	like "... with the reason" "$(cat said)" "cannot create 'shut/out': Permission denied"
fi
rm -rf shut

: >mount
if unshare -m sh -c 'mount --bind mount mount' 2>/dev/null; then
	unshare -m sh -c 'mount --bind mount mount &&
		kfkd-load -o mount faces.csv 2>said; cp mount copy'
	equal "a mount point is written in place" copy raw
	like "... with a warning" "$(cat said)" "'mount' cannot be replaced"
	for program in kfkd-head kfkd-save; do
		cp raw mount
		unshare -m sh -c "mount --bind mount mount && $program -o mount mount" 2>said
		like "$program: not where it is the input, too" "$(cat said)" \
			"'mount' is input and output"
		equal "... which stays as it was" mount raw
	done
	: >mount
	refuses "a checkpoint on one is refused" 1 \
		"cannot replace 'mount', which can only be written in place" \
		unshare -m sh -c 'mount --bind mount mount &&
			kfkd-train -e 2 -c mount -o model faces'
else
	skip "a mount point" "no namespaces"
fi
rm -f mount copy

if command -v strace >/dev/null; then
	rm -f point out
	strace -f -y -e trace=fsync,rename,renameat,renameat2,link,linkat -o trace \
		kfkd-train -q -t 1 -n dense -e 1 -c point -o out faces
	is "a file is synced before it gets its name, and the directory after" \
		"$(awk -v d="<$(pwd -P)>" '
		/rename|linkat|link\(/ && !/EEXIST/ && !/\.kfkd-[^<]*", AT_SYM/ {
			named = 1; unsynced += !synced; synced = 0 }
		/fsync/ && index($0, d) { named = 0; n++ }
		/fsync/ && !index($0, d) { synced = 1 }
		END { print named, (n >= 3), unsynced + 0 }' trace)" "0 1 0"
	rm -f point out trace
else
	skip "the directory is synced" "strace is not installed"
fi

# -- a checkpoint belongs to one run ---------------------------------------------------------

kfkd-train -q -t 1 -n 'dense5 relu dense' -e 100000000 -N 1 -c point -o model others 2>said &
pid=$!
soon "a run has a checkpoint" 60 test -s point
refuses "another run with it is refused" 1 "'point' is in use by another program" \
	kfkd-train -q -e 1 -c point -o model2 faces
refuses "... even with --overwrite" 1 "'point' is in use by another program" \
	kfkd-train -q -e 1 -c point --overwrite -o model2 faces
kill -USR1 $pid
finish $pid 60
is "SIGUSR1 ends a run with 138" $? 138
like "... and its checkpoint" "$(cat said)" 'stopped in epoch [0-9]+; the same command'
is "... and leaves nothing else" "$(ls model* 2>/dev/null; litter .)" ""
kfkd-train -q -t 1 -n 'dense5 relu dense' -e 100000000 -N 1 -c point -R point -o model \
	others 2>said &
pid=$!
sleep 0.5
kill -XCPU $pid
finish $pid 60
is "SIGXCPU with 152" $? 152
rm -f point
(ulimit -c 0; exec env --default-signal=QUIT kfkd-train -q -t 1 -n 'dense5 relu dense' \
	-e 100000000 -N 1 -c point -o model others) 2>said &
pid=$!
soon "a run has a checkpoint" 60 test -s point
kill -QUIT $pid
finish $pid 60
is "SIGQUIT ends a run with 131" $? 131
ok "... at once, and its checkpoint is whole" kfkd-stat point
is "... and leaves nothing else" "$(ls model* 2>/dev/null; litter .)" ""

# -- nothing is lost ---------------------------------------------------------------------------

rm -f point
train -e 20 -c point -o model
cp point saved
refuses "the same command without --resume is refused" 1 \
	"'point' is a checkpoint with 20 epochs done; --resume .*--overwrite" \
	kfkd-train -q -t 1 -n 'dense5 relu dense' -e 20 -c point -o model2 faces
cp point other
refuses "... and that which resumes from another" 1 "'point' is a checkpoint with 20" \
	kfkd-train -q -t 1 -n 'dense5 relu dense' -e 21 -c point -R other -o model2 faces
cp faces.csv text
refuses "a file that is no checkpoint" 1 "'text' is not a checkpoint; --overwrite" \
	kfkd-train -q -e 1 -c text -o model2 faces
refuses "a model" 1 "'model' is a model, not a checkpoint; --overwrite" \
	kfkd-train -q -e 1 -c model -o model2 faces
equal "they stay as they were: a checkpoint" point saved
equal "... and a text" text faces.csv
ok "... and no model came of it" test ! -e model2
train -e 1 -c text --overwrite -o model2
is "--overwrite replaces a text" "$(epochs text)" 1
train -e 3 -c point --overwrite -o model2
is "... and a checkpoint" "$(epochs point)" 3
train -e 21 -c other -R ./other -o model2
is "--resume of the same file goes on" "$(epochs other)" 21
: >empty
train -e 1 -c empty -o model2
is "an empty file is no loss" "$(epochs empty)" 1
refuses "--overwrite without --checkpoint" 2 'for --checkpoint' sh -c '
	kfkd-train --overwrite faces 2>&1 >model2 | head -n 1 >&2; exit 2'

mkdir gone
kfkd-train -t 1 -n 'dense200 relu dense' -e 300 -N 1000000 -c gone/point -o last others 2>log &
pid=$!
soon "a run has trained some epochs" 60 grep -q '^ *5 ' log
rm -r gone
finish $pid 240
is "a last checkpoint that cannot be written: exit 1" $? 1
like "... says so" "$(cat log)" "cannot create 'gone/point'.*the model is written"
is "... and the model is there" "$(epochs last)" 300

# -- the reader of the log goes away ------------------------------------------------------------

rm -f point model
{
	kfkd-train -t 1 -n 'dense5 relu dense' -e 300 -N 1000 -c point -o model faces
	echo $? >status
} 2>&1 | head -n 3 >/dev/null
is "the run goes on without the reader of its log" "$(cat status)" 0
is "... to the end" "$(epochs point) $(epochs model)" "300 300"

# -- killed ----------------------------------------------------------------------------------------

ok "killed runs leave whole checkpoints and nothing else" sh "$tests/kills.sh" 10 3

done_testing
