# What specialists.sh, folds.sh and search.sh share: they split what they do into jobs,
# lines of shell commands in DIRECTORY/jobs that run there, in any order and on any
# machine that sees the directory.  A job trains NAME.kfkd by job.sh, which says more.

recipe=${0##*/}
cluster=$(cd "${0%/*}/cluster" && pwd)
jobs=${JOBS:-$(nproc)}

step() {
	printf '\n%s\n' "$*"
}

die() {
	echo "$recipe: $*" >&2
	exit 1
}

# enter DIRECTORY [jobs] [TRAINING.csv [DIRECTORY]]: goes to the second directory, by
# default the first; sets $csv, for which $rows faces are drawn where none is given, and
# $given, its name in messages.
enter() {
	dir=$1
	shift
	only_jobs=
	if [ "${1:-}" = jobs ]; then
		only_jobs=yes
		shift
	fi
	given=${1:-faces.csv}
	csv=$given
	case ${1:-} in
	/* | '') ;;
	*) csv=$PWD/$csv ;;
	esac
	mkdir -p "${2:-$dir}"
	cd "${2:-$dir}"
	# not beneath jobs that run
	cmp -s "$cluster/job.sh" job.sh || cp "$cluster/job.sh" .
	if [ -z "${1:-}" ]; then
		step "Drawing $rows faces ..."
		kfkd-synth --rows "$rows" --missing 0.7 --output "$csv"
	fi
	[ -r "$csv" ] || die "cannot read '$given'"
}

# settle FILE: standard input becomes the file.  What lies beside one of other content was
# made from that.
settle() {
	cat >"$1.new"
	if [ ! -e "$1" ]; then
		mv "$1.new" "$1"
	elif cmp -s "$1" "$1.new"; then
		rm "$1.new"
	else
		rm "$1.new"
		die "'$PWD' holds results of other faces or options; choose another directory"
	fi
}

# The names of the jobs in a list of them, in its order.
names() {
	sed 's/.*job\.sh \([^ ]*\) .*/\1/' "$@"
}

# settle_jobs: the same of the list of jobs, which may have more of them than before, or
# fewer.
settle_jobs() {
	cat >jobs.more
	changed=
	[ ! -e jobs ] || changed=$(sort -u jobs jobs.more | names | sort | uniq -d)
	[ "$changed" ] || rm -f jobs
	{ rm jobs.more; settle jobs; } <jobs.more
}

# run_jobs WHAT [diverged]: runs the list, $jobs at a time, or ends the script where only
# that list is wanted.  A job that leaves no model is named, and the status is 1, unless it
# has diverged and may.
run_jobs() {
	if [ "$only_jobs" ]; then
		hand_out
		exit 0
	fi
	step "Training $1, $jobs at a time ..."
	[ "$jobs" = 0 ] || xargs -d '\n' -P "$jobs" -n 1 sh -c <jobs || :
	lacking=0
	for name in $(names jobs); do
		if [ -e "$name.kfkd" ] ||
			{ [ "${2:-}" ] && grep -qs 'loss is not finite' "$name.log"; }; then
			continue
		fi
		echo "$recipe: no $name.kfkd: $(tail -n 1 "$name.log" 2>/dev/null ||
			echo "not run")" >&2
		lacking=1
	done
	return $lacking
}

hand_out() {
	step "$(wc -l <jobs) jobs are in $PWD/jobs.  Run there one of
  xargs -d '\\n' -P $(nproc) -n 1 sh -c <jobs
  sh $cluster/parallel.sh HOSTS
  sbatch --array=1-$(wc -l <jobs) $cluster/array.slurm
and then the same command as now, but without \"jobs\"."
}
