#!/bin/sh
# Jobs on several machines by GNU parallel (Debian: parallel).
#
#   sh parallel.sh HOSTS
#
# runs in a directory that specialists.sh, folds.sh or search.sh has prepared.  HOSTS is a
# file with a machine a line, [CORES/][USER@]NAME, to which ssh must lead without a
# password; ":" is this one.  All see the directory under the same name, and have the
# programs in the PATH of this shell.  Each gets a job for each of its cores, or of CORES;
# `joblog` has a line for each job that has ended.
set -eu
hosts=$1

parallel --nonall --tag --sshloginfile "$hosts" --workdir . --env PATH \
	'test -e jobs && kfkd-train -V >/dev/null' ||
	{ echo "parallel.sh: a machine lacks the programs or does not see $PWD" >&2; exit 1; }
parallel --sshloginfile "$hosts" --workdir . --env PATH --joblog joblog <jobs
