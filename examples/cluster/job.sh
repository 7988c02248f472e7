#!/bin/sh
# A job that any machine can do, and any number of times:
#
#   sh job.sh NAME COMMAND ...
#
# trains, unless NAME.kfkd is there, with COMMAND ... --output NAME.kfkd, whose messages go
# to NAME.log, and prints how it ended.  A run whose loss is not finite would come to the
# same again: it is done, without a model.
name=$1
shift

finished() {
	[ -e "$name.kfkd" ] || grep -qs 'loss is not finite' "$name.log"
}

# a run of its own, also where srun has started it beside others
export KFKD_COMM=none
finished || "$@" --output "$name.kfkd" 2>"$name.log"
status=$?
! finished || status=0
[ $status -eq 0 ] || exec >&2
rows=$(sed -n 's/^\([0-9]* rows\):.*/\1; /p' "$name.log")
# without validation, the last line is one of the table
echo "$name: $rows$(tail -n 1 "$name.log" |
	sed 's/^ *\([0-9]*\)  |  *\([0-9.]*\) .*/train loss \2 in epoch \1/')"
exit $status
