#!/bin/sh
# Do files stay whole, whatever happens to the programs that write them?
#
#   sh tests/kills.sh [KILLS [SECONDS]]       100 and 60; programs from PATH
#
# Kills runs of kfkd-train with SIGKILL, so many, at random moments, each resumed by
# the next, and counts checkpoints that are not whole, and what is left after a last
# run.  Then two runs keep one checkpoint at the same time, for so many seconds, and
# are started again where one is refused; counts the readings that are not whole.
# Prints the counts; exits 1 if one should be 0 and is not.
set -u
kills=${1-100} seconds=${2-60}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
kfkd-synth -n 20 | kfkd-load | kfkd-scale >faces || exit 1

# start SEED: a run in the background that saves all the time
start() {
	resume=
	[ ! -s point ] || resume="-R point"
	# shellcheck disable=SC2086
	kfkd-train -q -t 1 -n 'dense20 relu dense' -e 1000000 -N 1 -c point $resume \
		-o "model$1" faces 2>>"said$1" &
}

whole() {
	kfkd-stat point >/dev/null 2>>damage
}

# -- one run after another -----------------------------------------------------------

damaged=0 saved=0 i=0
awk -v n="$kills" 'BEGIN { srand(); while (n-- > 0) print .05 + .4 * rand() }' >moments
while read -r moment; do
	start 1
	sleep "$moment"
	kill -KILL $!
	wait $! 2>/dev/null
	i=$((i + 1))
	[ -s point ] || continue
	saved=$((saved + 1))
	whole || damaged=$((damaged + 1))
done <moments 2>/dev/null
epochs=$(kfkd-stat point | sed -n 's/^epochs: //p' | head -n 1)
start 1
sleep 1
kill -TERM $!
wait $! 2>/dev/null
left=$(ls -A | grep -Evxc 'faces|point|moments|said1|damage')
echo "$i kills, $saved checkpoints of up to $epochs epochs: $damaged damaged, $left files left over"

# -- two at once -----------------------------------------------------------------------

rm -f point
broken=0 readings=0 refused=0
start 1
one=$!
start 2
two=$!
end=$(($(date +%s) + seconds))
while [ "$(date +%s)" -lt "$end" ]; do
	kill -0 $one 2>/dev/null || { start 1; one=$!; }
	kill -0 $two 2>/dev/null || { start 2; two=$!; }
	[ -e point ] || continue
	whole || broken=$((broken + 1))
	readings=$((readings + 1))
done
kill -TERM $one $two 2>/dev/null
wait
refused=$(cat said1 said2 | grep -c 'in use by another')
other=$(cat said1 said2 | grep -v 'in use by another' | grep -vc 'stopped in epoch')
echo "$readings readings of a checkpoint of two runs: $broken damaged; $refused runs refused, $other ended otherwise"
[ ! -s damage ] || sort damage | uniq -c | head -n 5
[ "$damaged" -eq 0 ] && [ "$left" -eq 0 ] && [ $broken -eq 0 ] && [ "$other" -eq 0 ]
