#!/bin/sh
# Faults in every program, one at a time: allocations and system calls that fail.
#
#   sh tests/faults.sh [STEP]
#
# Each case runs once without a fault.  Then each of its allocations fails, alone and
# with all after it, and each of its calls of the system below.  With a STEP of 20,
# one in 20 allocations does and one in two calls of the system, which are fewer; the
# same ones each time.  A run has ended well if
#
#   - it exits 0 with the same files as without a fault, or
#   - it exits 1 with one line on standard error, and the files that are there are
#     whole.  Where a checkpoint fails, there may be several lines.
#
# Prints a table of how many runs there were and how they ended, and of those that did
# not end well the first lines of what they said.  Exits 1 if there are any.
#
# Left alone are the calls of the loader before the program starts, and whatever oneDNN
# and OpenMP call: without memory for its code oneDNN crashes.  The table counts those
# of their system calls; allocations are told apart by tests/faults.c.
set -u
LC_ALL=C KFKD_BACKEND=cpu OMP_NUM_THREADS=1
export LC_ALL KFKD_BACKEND OMP_NUM_THREADS
step=${1:-1}
system_step=$(((step + 9) / 10))
shim=$KFKD_BUILD/tests/faults.so
tests=$(cd "${0%/*}" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
cd "$tmp" || exit 1
TMPDIR=$tmp/temporary
export TMPDIR
mkdir in want got temporary

# SYSTEM CALL:ERROR, for each kind of fault
calls='read:EIO pread64:EIO write:ENOSPC openat:EMFILE fsync:EIO rename:EACCES
	renameat:EACCES link:EACCES linkat:EACCES mmap:ENOMEM clone3:EAGAIN'
traced=munmap
for pair in $calls; do
	traced=$traced,${pair%:*}
done
strace -o /dev/null true 2>/dev/null || {
	echo "strace cannot trace here: system calls are left out"
	calls=
}
warnings='; (training goes on|the model is written all the same)$'
cases=0 wrong_runs=0

# wrong WHAT: the run that has just ended did not end well.
wrong() {
	wrong=$((wrong + 1))
	wrong_runs=$((wrong_runs + 1))
	[ $wrong -gt 3 ] ||
		printf '%s, %s %d: %s: %s\n' "$name" "$kind" "$n" "$1" "$(head -n 2 err)"
}

# Whether each file in got/ is whole: as it is without a fault or, of a checkpoint,
# as some run may have left it.
whole() {
	for file in got/*; do
		[ -e "$file" ] || continue
		case $file in
		*.tmp) return 1 ;;
		*/checkpoint) kfkd-stat "$file" >stat 2>&1 || return 1 ;;
		*) cmp -s "$file" "want/${file#got/}" || return 1 ;;
		esac
	done
}

same() {
	cmp -s stdout want.stdout || return 1
	for file in want/*; do
		[ -e "$file" ] || continue
		cmp -s "$file" "got/${file#want/}" || return 1
	done
	whole
}

# Judges a run by its exit status.
judge() {
	runs=$((runs + 1))
	case $1 in
	0) if same; then
		harmless=$((harmless + 1))
	else
		wrong "exit status 0 with other files"
	fi ;;
	1) if ! [ -s err ] || [ "$(grep -Evc "$warnings" err)" -gt 1 ]; then
			wrong "not one line"
		elif whole; then
			reported=$((reported + 1))
		else
			wrong "exit status 1 and part of a file"
		fi ;;
	*) wrong "exit status $1" ;;
	esac
}

begin() {
	kind=$1 runs=0 harmless=0 reported=0 wrong=0 left_out=0
}

end() {
	printf '%s\t%s\t%d\t%d\t%d\t%d\t%d\n' "$name" "$kind" $runs $harmless \
		$reported $wrong $left_out >>table
}

# memory KIND AFTER COMMAND ...
memory() {
	begin "$1"
	after=$2 n=$((cases % step + 1))
	shift 2
	while [ $n -le "$count" ]; do
		rm -rf got/*
		env FAULTS_AT=$n ${after:+FAULTS_AFTER=yes} LD_PRELOAD="$shim" "$@" \
			</dev/null >stdout 2>err
		judge $?
		n=$((n + step))
	done
	end
}

# The numbers of a call in the trace that may fail, and on the last line how many are
# left out.  The loader ends by unmapping its cache, before the program starts.
numbers() {
	awk -v call="$1" '
		function judge() {
			if (mine)
				print n
			else if (pending)
				out++
			pending = mine = 0
		}
		!/^ >/ { judge() }
		index($0, call "(") == 1 { pending = main; mine = main; n++ }
		/^munmap\(/ { main = 1 }
		/^ >.*\/lib(dnnl|gomp|omp|OpenCL|stdc)/ { mine = 0 }
		END { judge(); print "out", out + 0 }' trace
}

# system CALL ERROR COMMAND ...
system() {
	begin "$1"
	call=$1 error=$2 next=$((cases % system_step + 1)) i=0
	shift 2
	numbers "$call" >numbers
	while read -r n left_out; do
		i=$((i + 1))
		[ "$n" != out ] || break
		[ $i -eq $next ] || continue
		next=$((next + system_step))
		rm -rf got/*
		strace -qq -o /dev/null -e trace="$call" \
			-e inject="$call:error=$error:when=$n" "$@" \
			</dev/null >stdout 2>err
		judge $?
	done <numbers
	end
}

# threads CALL ERROR COMMAND ...: the calls of further threads, which each count their own,
# fail from the first on that the first thread does not come to.
threads() {
	begin "$1 ahead"
	call=$1 error=$2
	shift 2
	rm -rf got/*
	strace -f -o trace -e trace="$call" "$@" </dev/null >stdout 2>err
	awk -v call="$call(" 'index($2, call) == 1 { if (!first) first = $1; n[$1]++ }
		END { for (t in n) if (t != first && n[t] > most) most = n[t]
			print n[first] + 1, most + 0 }' trace >numbers
	read -r n most <numbers
	while [ "$n" -le "$most" ]; do
		rm -rf got/*
		strace -f -qq -o /dev/null -e trace="$call" \
			-e inject="$call:error=$error:when=$n" "$@" \
			</dev/null >stdout 2>err
		judge $?
		n=$((n + system_step))
	done
	end
}

# faults NAME COMMAND ...: the command writes to files in got/.
faults() {
	name=$1
	shift
	rm -rf want/* got/*
	if ! "$@" </dev/null >want.stdout 2>err || ! cp -r got/. want; then
		echo "$name fails without a fault: $(cat err)"
		wrong_runs=$((wrong_runs + 1))
		return
	fi
	rm -rf got/*
	FAULTS_COUNT=$tmp/count LD_PRELOAD=$shim "$@" </dev/null >stdout 2>err
	count=$(cat count)
	memory "allocation" "" "$@"
	memory "allocations" yes "$@"
	rm -rf got/*
	[ -z "$calls" ] ||
		strace -k -o trace -e trace="$traced" "$@" </dev/null >stdout 2>err
	for pair in $calls; do
		system "${pair%:*}" "${pair#*:}" "$@"
	done
	cases=$((cases + 1))
}

# -- input --------------------------------------------------------------------------

kfkd-synth -n 8 -s 7 --missing .4 | awk -f "$tests/shrink.awk" >in/faces.csv
awk -F, -v OFS=, '{ $NF = "\"" $NF "\""; print }' in/faces.csv >in/quoted.csv
perl -e 'open my $x, ">:raw", "in/images"; open my $l, ">:raw", "in/labels";
	print $x pack("CCCCN3", 0, 0, 8, 3, 12, 8, 8);
	print $l pack("CCCCN", 0, 0, 8, 1, 12), pack("C*", map { $_ % 3 } 0 .. 11);
	print $x pack("C*", map { $_ * 7 % 256 } 1 .. 12 * 64)'
printf 'P5\n4 3\n200\nabcdefghijklP5\n4 3\n200\nabcdefghijkl' >in/pgm
every='conv4x3 relu pool2 drop.2 conv4x3 tanh pool2 drop.1 dense10 sigmoid drop.5 dense'
branches='conv4x3p1 batchnorm relu save avgpool2 res5 upscale2 add5x3p1 tanh pool2 maps softargmax'
{
	kfkd-load -o in/raw in/faces.csv
	kfkd-cat -1 -o in/single in/raw
	kfkd-scale -o in/scaled in/raw
	kfkd-scale --bytes -o in/bytes in/raw
	kfkd-train -q -t 1 -n dense -e 3 -v .3 -o in/model in/scaled
	kfkd-train -q -t 1 -n "$every" -e 2 -B 3 -c in/checkpoint -o in/every in/scaled
	kfkd-train -q -t 1 -n "$branches" -e 2 -B 3 -o in/branches in/scaled
	kfkd-predict -t 1 -m in/model -o in/predicted in/scaled
	kfkd-scale --undo -o in/found in/predicted
	kfkd-predict -t 1 -m in/model --saliency -o in/mapped in/scaled
	kfkd-load -l in/labels in/images | kfkd-scale -o in/digits
	kfkd-train -q -t 1 -l crossentropy -n "dense4 relu dense" -e 1 -o in/classes in/digits
	kfkd-predict -t 1 -m in/classes -o in/classified in/digits
} || exit 1
printf '%s\n' 'a/b.png 1 2 0 3 0 2 4  5 6 7 9  5 7 8 9' '- 1 2 1 3 -1 2 4  5 6 - 9  5 7 8 9' |
	"$KFKD_BUILD/tests/mkoriginal" a_x,a_y,b_x,b_y a_x,a_y,b_x,b_y >in/photos || exit 1
printf 'RowId,ImageId,FeatureName,Location\n1,2,nose_tip_x,\n2,1,nose_tip_y,\n' >in/table

# Photographs of 24 x 16 and labels of each kind; the JPEG has EXIF data.
perl -e 'print "P5 24 16 255\n", map { chr($_ * 7 % 200) } 1 .. 384' >in/face.pgm
perl -e 'my $d = "Exif\0\0MM\0*" . pack "Nn nnNnn N", 8, 1, 0x112, 3, 1, 6, 0, 0;
	print pack "n a*", length($d) + 2, $d' >in/exif
pnmtojpeg -exif=in/exif in/face.pgm >in/turned.jpg || exit 1
pnmtopng in/face.pgm >in/face.png 2>/dev/null || exit 1
printf 'version: 1\nn_points: 2\n{\n4 5\n13 12\n}\n' >in/face.pts
printf '%s\n' 'name,file,label,x,y,w,h,a_x,a_y,b_x,b_y' 'ada,face.png,in,2,3,9,9,4,4,8,8' \
	'bo,turned.jpg,out,2,3,9,9,4,4,,' >in/labels.csv
cat >in/coco.json <<'EOT'
{"images": [{"id": 1, "file_name": "face.png"}, {"id": "two", "file_name": "turned.jpg"}],
"categories": [{"id": 1, "keypoints": ["a", "b"]}], "annotations": [
{"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 9, 9], "keypoints": [4, 4, 2, 8, 8, 1]},
{"id": 2, "image_id": "two", "category_id": 1, "bbox": [2, 3, 9, 9], "keypoints": [4, 4, 2, 0, 0, 0]}]}
EOT
cat >in/dlib.xml <<'EOT'
<dataset><images><image file='face.png'><box top='3' left='2' width='9' height='9'>
<label>ada</label><part name='0' x='4' y='4'/><part name='1' x='8' y='8'/></box></image>
<image file='face.pgm'><box top='3' left='2' width='9' height='9'/></image></images></dataset>
EOT
printf 'eye = a\nmiddle = mean a b\n' >in/points
longer=in/$(printf 'd%.0s' $(seq 70))
mkdir "$longer"
cp in/face.png "$longer"
{
	kfkd-load -C box -z 8x8 -o in/crops in/labels.csv
	kfkd-load -z 8x8 -o in/whole in/face.png
	kfkd-load -z 8x8 -o in/deep "$longer/face.png"
} || exit 1

# -- cases --------------------------------------------------------------------------

faults usage kfkd-train --help
faults synth kfkd-synth -n 2 -o got/out
faults load kfkd-load -o got/out in/faces.csv
faults load-quoted kfkd-load -c nose_tip_x,nose_tip_y -o got/out in/quoted.csv
faults load-idx kfkd-load -l in/labels -o got/out in/images
faults load-pgm kfkd-load -o got/out in/pgm
faults load-jpeg kfkd-load -o got/out in/turned.jpg
faults load-png kfkd-load -o got/out in/face.png
faults load-netpbm kfkd-load -z 8x6 -o got/out in/face.pgm in/face.png
faults load-csv kfkd-load -C box -z 8x8 -o got/out in/labels.csv
faults load-coco kfkd-load -C box -z 8x8 -o got/out in/coco.json
faults load-dlib kfkd-load -C box -z 8x8 -o got/out in/dlib.xml
faults load-pts kfkd-load -C points -z 8x8 -o got/out in/face.pts
faults load-points kfkd-load -C box --points in/points -z 8x8 -o got/out in/coco.json
faults dropna kfkd-dropna -o got/out in/raw
faults select kfkd-select -w 'rmse>1' -i 2-7 -c '*_x,nose_*' -o got/out in/predicted
printf 'id,group\n1,a\n2,b\n3,a\n4,c\n5,d\n6,b\n7,c\n8,d\n' >in/groups
faults split kfkd-split --share .5 -g in/groups -r got/rest -o got/out in/raw
faults shuffle kfkd-shuffle -o got/out in/raw
faults sample kfkd-shuffle -n 3 -o got/out in/raw
printf 'id,nose_tip_x,ear_x\n1,2,3\n2,,1\n3,3,3\n' >in/join
faults join kfkd-join -k -t in/join -o got/out in/raw
faults scale kfkd-scale -o got/out in/raw
faults scale-bytes kfkd-scale --bytes -o got/out in/raw
faults unscale kfkd-scale --undo -o got/out in/predicted
faults head kfkd-head -n 3 -o got/out in/raw
faults head-but kfkd-head -n -3 -o got/out in/raw
faults tail kfkd-tail -n 3 -o got/out in/raw
faults tail-from kfkd-tail -n +3 -o got/out in/raw
faults cat kfkd-cat -o got/out in/raw in/single
faults cat-wider kfkd-cat -o got/out in/whole in/deep
faults single kfkd-cat -1 -o got/out in/raw
faults save kfkd-save -i -o got/out in/raw
faults save-truth kfkd-save --truth --no-images -o got/out in/found
faults save-json kfkd-save --json -o got/out in/found
faults save-original kfkd-save --truth --original -o got/out in/photos
faults save-crops kfkd-save --original -o got/out in/crops
faults json-original kfkd-save --json --original -o got/out in/photos
faults submission kfkd-save -l in/table -o got/out in/predicted
faults stat kfkd-stat -o got/out in/predicted
faults stat-model kfkd-stat -o got/out in/every
faults history kfkd-stat -H -o got/out in/model
printf 'epoch\tseconds\n1\t1\n2\t1\n3\t1\n' >in/model.tsv
faults table kfkd-stat -t --logs .tsv -o got/out in/model in/every
faults score kfkd-score -o got/out in/predicted
faults score-rows kfkd-score -r -o got/out in/predicted
faults score-nme kfkd-score -r --nme a,b -o got/out in/photos
faults score-original kfkd-score --original --nme box -o got/out in/photos
faults score-classes kfkd-score -o got/out in/classified
faults sheet kfkd-plot -c -i -g 2x2 -o got/out in/predicted
faults worst kfkd-plot -w 3 -o got/out in/predicted
faults each kfkd-plot -e got/face in/classified
faults plot-original kfkd-plot -i -e got/face --original in/crops
faults png kfkd-plot --png -c -e got/face in/classified
faults sheet-png kfkd-plot -g 2x2 -o got/out.png in/predicted
faults errors kfkd-plot --errors -o got/out in/predicted
faults curve kfkd-plot --curve --mean -o got/out in/model in/model
printf 'epoch\ttrain\tvalid\tpx\n1\t.2\t.1\t9\n2\t.1\t.1\t9\n5\t.1\t-\t\n' >in/curve.tsv
faults curve-log kfkd-plot --curve -o got/out in/curve.tsv in/model
faults weights kfkd-plot --weights -o got/out in/every
faults train kfkd-train -q -t 1 -n "$every" -e 2 -B 3 -S -p 2 -N 1 -c got/checkpoint \
	-a flip,shift:1,rotate:5,contrast:.1 -o got/out in/scaled
faults train-bytes kfkd-train -q -t 1 -n "dense4 relu dense" -e 2 -B 3 -c got/checkpoint \
	-a flip,rotate:5 -o got/out in/bytes
faults train-classes kfkd-train -q -t 1 -n 'dense4 relu dense' -l crossentropy -u adam \
	-e 2 -i in/classes -o got/out in/digits
perl -0777 -pe 's/"__metadata__":\{[^}]*\},/" " x length $&/e' in/every >in/plain
faults init-plain kfkd-train -q -t 1 -n "$every" -e 0 -i in/plain -o got/out in/scaled
faults branches kfkd-train -q -t 1 -n "$branches" -e 2 -B 3 -u adamw -l wing -N 1 \
	-r .01:.001:step -a flip:auto,shear:5,hole:2 -c got/checkpoint -o got/out in/scaled
# Images beyond memory, in the file that is read and in a temporary one.
beyond="-q -t 1 -n dense -e 2 -B 3 -S --memory 12K -N 1 -c got/checkpoint -o got/out"
# shellcheck disable=SC2086
faults beyond kfkd-train $beyond in/scaled
# shellcheck disable=SC2086
faults beyond-validation kfkd-train $beyond --validation in/scaled in/scaled
# shellcheck disable=SC2086
[ -z "$calls" ] || threads pread64 EIO kfkd-train $beyond in/scaled
traced_calls=$calls
calls= # of a shell
faults beyond-piped sh -c "cat in/scaled | kfkd-train $beyond"
calls=$traced_calls
if kfkd-train -q --bf16 -n dense -e 0 -o in/rounded in/scaled 2>/dev/null; then
	faults rounded kfkd-train -q -t 1 --bf16 -n "$branches" -e 1 -B 3 -o got/out in/scaled
fi
# The log has times, which differ from run to run.
faults log kfkd-train -q -t 1 -n dense -e 2 -B 3 --log in/log -o got/out in/scaled
faults log-resumed kfkd-train -q -t 1 -n "$every" -e 3 -B 3 -R in/checkpoint --log in/log \
	-o got/out in/scaled
faults resume kfkd-train -q -t 1 -n "$every" -e 3 -B 3 -R in/checkpoint -o got/out in/scaled
faults predict kfkd-predict -t 1 -m in/model -o got/out in/scaled
faults predict-bytes kfkd-predict -t 1 -m in/every -o got/out in/bytes
faults predict-two kfkd-predict -t 1 -m in/every -m in/model -o got/out in/scaled
faults predict-flip kfkd-predict --flip -t 1 -m in/branches -o got/out in/scaled
faults occlusion kfkd-predict -t 1 -m in/every --occlusion 6 -o got/out in/scaled
faults saliency kfkd-predict -t 1 -m in/model --saliency -o got/out in/scaled
faults activations kfkd-predict -t 1 -m in/every --activations -o got/out in/bytes
faults maps kfkd-plot --maps -c -i -g 2x2 -o got/out in/mapped
faults stat-branches kfkd-stat -o got/out in/branches

# -- the table ----------------------------------------------------------------------

{
	printf 'case\tfault\truns\tsame\treported\twrong\tleft out\n'
	awk -F '\t' '$3 + $7' table
	awk -F '\t' -v OFS='\t' '{ for (i = 3; i < 8; i++) sum[i] += $i }
		END { print "all", "", sum[3], sum[4], sum[5], sum[6], sum[7] }' table
} | expand -t 16,30,40,50,60,70
[ $wrong_runs = 0 ]
