#!/bin/sh
# Work that several machines share: jobs of the recipes under examples/, in any order, by
# xargs, GNU parallel and Slurm's scripts; and the table of cost in kfkd-cluster(7).

. "${0%/*}/lib.sh"
tests=$(cd "${0%/*}" && pwd)
examples=$tests/../examples
cluster=$examples/cluster
cd "$tmp" || exit 1

kfkd-synth --rows 60 --missing .3 -o training.csv
EPOCHS=3 RUNS=4 NETS="pool4 dense10 relu dense, pool8 dense5 tanh dense"
export EPOCHS RUNS NETS

# untimed TABLE: without the seconds, which are others each time
untimed() {
	cut -f 1-6,8- "$1"
}

# in DIRECTORY COMMAND ...
in_directory() {
	(cd "$1" && shift && limited "$@")
}

# -- a search ---------------------------------------------------------------------------

ok "a search runs" sh "$examples/search.sh" training.csv here
is "... and makes a table of its runs" "$(cut -f 1,8,10,11,13 here/search.tsv | sort)" \
	"1.kfkd	pool4 dense10 relu dense	0.0052	0.892	16
2.kfkd	pool8 dense5 tanh dense	0.0027	0.996	128
3.kfkd	pool4 dense10 relu dense	0.0014	0.988	32
4.kfkd	pool8 dense5 tanh dense	0.071	0.957	16
file	net	train.rate	train.momentum	train.batch"
is "... kfkd-stat's" "$(sort here/search.tsv | cksum)" \
	"$(cd here && kfkd-stat --table --logs .tsv [1-4].kfkd | sort | cksum)"
ok "... which took some time" awk -F '\t' 'NR > 1 && !($7 > 0) { exit 1 }' here/search.tsv
is "... the best first" "$(tail -n +2 here/search.tsv | cut -f 4 | sort -g | tr '\n' ' ')" \
	"$(tail -n +2 here/search.tsv | cut -f 4 | tr '\n' ' ')"
is "... with the losses of the best epochs" "$(sed -n 2p here/search.tsv | cut -f 4)" \
	"$(for i in 1 2 3 4; do kfkd-stat --history here/$i.kfkd; done |
		grep -v epoch | cut -f 3 | sort -g | head -n 1)"

best=$(sed -n '2,6s/\t.*//p' here/search.tsv)
like "... and draws the best" "$(head -c 11 here/best.ppm | tr '\n' ' ')" '^P6 800 600'
(cd here && kfkd-plot --curve --colour -o ../best.ppm $best)
equal "... their curves" here/best.ppm best.ppm

ok "the same search for others to run" sh "$examples/search.sh" jobs training.csv others
is "... is a list of jobs" "$(wc -l <others/jobs)" 4
ok "... and nothing has run" test ! -e others/1.kfkd
JOBS=0 sh "$examples/search.sh" training.csv others >out 2>err
is "a search of which nothing has run fails" $? 1
is "... and names what is missing" "$(sed -n 3p err)" "search.sh: no 3.kfkd: not run"
tac others/jobs >backwards
in_directory others xargs -d '\n' -P 3 -n 1 sh -c <backwards >out 2>&1
is "all jobs run, the last first, three at a time" $? 0
like "... and say how they ended" "$(cat out)" \
	"^3: 60 rows; best valid loss 0\.[0-9]+ in epoch [123] "
JOBS=0 ok "... and are put together" sh "$examples/search.sh" training.csv others
is "... to the same table" "$(untimed others/search.tsv)" "$(untimed here/search.tsv)"
equal "... of the same models" others/2.kfkd here/2.kfkd
cp here/search.tsv here.tsv

refuses "a search without faces" 1 "^search.sh: cannot read 'nowhere.csv'" \
	sh "$examples/search.sh" nowhere.csv nothing

# -- once more --------------------------------------------------------------------------

state() {
	stat -c '%n %i %y %s' here/*.kfkd here/*.log
}
state >before
ok "the same search once more" sh "$examples/search.sh" training.csv here
is "... repeats nothing" "$(state)" "$(cat before)"
rm here/2.kfkd
ok "where a model is missing" sh "$examples/search.sh" training.csv here
is "... it repeats that run" "$(state | grep -v '/2\.')" \
	"$(grep -v '/2\.' before)"
equal "... to the same model" here/2.kfkd others/2.kfkd
RUNS=6 ok "a search goes on with more runs" sh "$examples/search.sh" training.csv here
is "... all of them in the table" "$(wc -l <here/search.tsv)" 7
is "... and those that were there stay" "$(state | grep '/[134]\.')" \
	"$(grep '/[134]\.' before)"
EPOCHS=4 refuses "other options in the same directory" 1 \
	"^search.sh: '$tmp/here' holds results of other faces or options" \
	sh "$examples/search.sh" training.csv here
head -n 51 training.csv >fewer.csv
refuses "other faces in the same directory" 1 "other faces or options" \
	sh "$examples/search.sh" fewer.csv here
is "... of which nothing is left" "$(ls here | grep -E 'new|more')" ""

# -- runs that fail ---------------------------------------------------------------------

NETS="pool4 dense10 relu dense, dense5 nonsense dense" sh "$examples/search.sh" \
	training.csv fails >out 2>err
is "a search of which runs fail exits 1" $? 1
like "... and names them" "$(cat err)" "^search.sh: no 2.kfkd: kfkd-train: .*nonsense"
is "... all of them" "$(grep -c '^search' err)" 2
is "... with a table of the others" "$(cut -f 1 fails/search.tsv | sort | tr '\n' ' ')" \
	"1.kfkd 3.kfkd file "
in_directory fails sh -c "$(sed -n 2p fails/jobs)" >out 2>err
is "such a job fails by itself, too" $? 1
like "... and says why" "$(cat err)" "^2: kfkd-train: .*nonsense"

is "a job that is killed ends as its program did" \
	"$(sh "$cluster/job.sh" killed sh -c 'kill -TERM $$' >out 2>&1; echo $?)" 143

NETS="dense300 dense300 dense300 dense" EPOCHS=30 ok "runs that diverge do not fail" \
	sh "$examples/search.sh" training.csv diverges
like "... and are the last in the table" "$(tail -n 1 diverges/search.tsv)" \
	"^[0-9].kfkd	-	-	inf	inf	inf	-	dense300 [a-z0-9 ]*	-	0\..*	-$"
is "... which has as many fields for them" \
	"$(awk -F '\t' '{ print NF }' diverges/search.tsv | uniq -c | tr -s ' ')" " 5 17"
NETS="dense300 dense300 dense300 dense300 dense300 dense" RUNS=1 EPOCHS=30 \
	ok "where all runs diverge" sh "$examples/search.sh" training.csv all
is "... there is a table" "$(cut -f 1,4 all/search.tsv | tr '\t\n' '  ')" "file valid_loss 1.kfkd inf "
ok "... and no picture" test ! -e all/best.ppm
(cd diverges && stat -c '%n %y' ./*.log) >before
NETS="dense300 dense300 dense300 dense" EPOCHS=30 ok "once more" \
	sh "$examples/search.sh" training.csv diverges
is "... they are not repeated" "$(cd diverges && stat -c '%n %y' ./*.log)" "$(cat before)"

# -- folds and specialists --------------------------------------------------------------

kfkd-synth --rows 140 --missing .3 -o more.csv
FOLDS=2 NET="pool4 dense10 relu dense"
export FOLDS NET
for recipe in folds specialists; do
	ok "$recipe.sh for others to run" sh "$examples/$recipe.sh" jobs more.csv $recipe.jobs
	tac $recipe.jobs/jobs | in_directory $recipe.jobs xargs -d '\n' -n 1 sh -c >out 2>&1
	is "... in another order" $? 0
	JOBS=0 limited sh "$examples/$recipe.sh" more.csv $recipe.jobs >$recipe.jobs.out 2>&1
	is "... and put together" $? 0
	limited sh "$examples/$recipe.sh" more.csv $recipe.here >$recipe.here.out 2>&1
	is "... as by itself" "$(sed -n '/^The error/,/^$/p' $recipe.jobs.out)" \
		"$(sed -n '/^The error/,/^$/p' $recipe.here.out)"
	equal "... to the same picture" $recipe.jobs/sheet.pgm $recipe.here/sheet.pgm
done
rm folds.here/net-2.kfkd
JOBS=0 refuses "a fold that is missing is named" 1 \
	"^folds.sh: no net-2.kfkd: " \
	sh "$examples/folds.sh" more.csv folds.here

# -- GNU parallel -----------------------------------------------------------------------

if parallel --version 2>/dev/null | grep -q '^GNU parallel'; then
	PARALLEL_HOME=$tmp/parallel
	export PARALLEL_HOME
	mkdir "$PARALLEL_HOME"
	echo "2/:" >hosts
	sh "$examples/search.sh" jobs training.csv by-parallel >out 2>&1
	in_directory by-parallel sh "$cluster/parallel.sh" ../hosts >out 2>&1
	is "GNU parallel runs the jobs" $? 0
	is "... and notes them" "$(tail -n +2 by-parallel/joblog | cut -f 7 | tr '\n' ' ')" \
		"0 0 0 0 "
	JOBS=0 ok "... which are put together" \
		sh "$examples/search.sh" training.csv by-parallel
	is "... to the same table" "$(untimed by-parallel/search.tsv)" "$(untimed here.tsv)"
	mkdir empty
	in_directory empty sh "$cluster/parallel.sh" ../hosts >out 2>&1
	is "without jobs it fails" $? 1
	like "... and says so" "$(cat out)" "^parallel.sh: .* '?$tmp/empty"
else
	skip "GNU parallel runs the jobs" "parallel is not installed"
fi

# -- Slurm ------------------------------------------------------------------------------

sh "$examples/search.sh" jobs training.csv by-slurm >out 2>&1
SLURM_ARRAY_TASK_ID=2 in_directory by-slurm sh "$cluster/array.slurm" >out 2>&1
is "a task of an array" $? 0
is "... does the job with its number" "$(cd by-slurm && ls [0-9]*.kfkd)" 2.kfkd

SLURM_ARRAY_TASK_ID=5 in_directory by-slurm sh "$cluster/array.slurm" >out 2>&1
is "a task without a job fails" $? 1
like "... and says so" "$(cat out)" "^array.slurm: '.*/jobs' has no job 5"

# A Slurm that sends SIGUSR1 once the first epoch is done, unless a run goes on.
mkdir bin
cat >bin/srun <<'END'
#!/bin/sh
echo "$*" >>srun.log
while case $1 in --*) ;; *) false ;; esac; do
	shift
done
case $* in
*--resume*) exec "$@" ;;
esac
"$@" 2>train.log &
until grep -q '^ *1  |' train.log; do
	kill -0 $! || break
	sleep .1
done
kill -USR1 $!
wait $!
END
cat >bin/scontrol <<'END'
#!/bin/sh
echo "$*" >>scontrol.log
END
chmod +x bin/*
kfkd-load training.csv | kfkd-scale -o faces
ranks() {
	PATH=$tmp/bin:$PATH SLURM_JOB_ID=77 SLURM_CPUS_PER_TASK=1 limited \
		sh "$cluster/mpi.slurm" faces "the net.kfkd" -n 'pool4 dense10 relu dense' -N 1000 "$@"
}
ranks -e 5000 >out 2>&1
is "a job of ranks that runs out of time" $? 0
is "... queues up again" "$(cat scontrol.log)" "requeue 77"
ok "... without a model" test ! -e "the net.kfkd"
ranks -e 5000 >out 2>&1
is "then it goes on" $? 0
like "... from its checkpoint" "$(tail -n 1 srun.log)" " --resume=the net.kfkd.point "
ok "... to a model" kfkd-stat "the net.kfkd"
is "... and is done" "$(wc -l <scontrol.log)" 1
ranks -e 5000 -r 0.1 >out 2>&1
is "a job of ranks that fails" $? 1
is "... does not queue up" "$(wc -l <scontrol.log)" 1

# -- what it costs ----------------------------------------------------------------------

awk -f "$tests/bench/cluster_model.awk" "$tests/bench/cluster.tsv" >table
ok "there is a table" test "$(grep -c . table)" -eq 27
is "... which is kfkd-cluster(7)'s" \
	"$(sed -n '/^net1: /,/^\.Ed/p' "$tests/../man/kfkd-cluster.7" | grep -v '^\.Ed')" \
	"$(cat table)"
# 64 Mbit of gradients by 2 ranks: each sends 64 Mbit, a message of 1 ms each way, and
# 1 + 2 * 3 small ones
printf 'net\tparameters\tnorms\trows\tseconds\nn\t2000000\t3\t8\t1\nn\t2000000\t3\t4\t.5\n' |
	awk -v gbit=1 -v latency=1000 -f "$tests/bench/cluster_model.awk" >table
is "the sum of its terms" "$(tail -n 1 table | tr -s ' ')" " 2 4 500 573 1.75"

done_testing
