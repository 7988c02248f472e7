#!/bin/sh
# kfkd-predict uses a file's images where they lie, and those of one large blob while they
# come: the first predictions are there before the last face, and the output passes for
# whole only if the input was.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth --rows 100 --seed 3 | kfkd-load | kfkd-scale -o some
kfkd-train -q -e 1 -o model some
kfkd-cat some some some some some some some | kfkd-cat -o stream
kfkd-cat --single -o single stream
size=$(wc -c <single)
chunk=$(wc -c <some) # more than 3 MiB of images

predicted() {
	kfkd-predict -m model "$@" 2>err | tee found | kfkd-stat
}

# -- the same from all sources -----------------------------------------------------------

predicted stream >want
like "700 rows are predicted" "$(cat want)" '^rows: 700$'
predicted <stream >got
equal "... from standard input" got want
cat stream | predicted >got
equal "... from a pipe" got want
for how in 'predicted single' 'predicted <single' 'cat single | predicted' \
	'(head -c '"$chunk"' >skipped; predicted) <beside'; do
	cat some single >beside
	eval "$how" >got
	equal "... of a single file: $how" got want
	# the rows of a stream, in chunks of other sizes
	is "... in pieces" "$(grep -ao '"shape":\[[0-9]*,1,96,96\]' found | wc -l)" 3
done
cat single stream | kfkd-predict -m model | kfkd-stat >got
like "a stream behind a single file" "$(cat got)" '^rows: 1400$'

# -- the first before the last -----------------------------------------------------------

mkfifo live
rm -f found
kfkd-predict --no-images -m model <live >found 2>err &
pid=$!
exec 3<>live # does not wait for the program
limited head -c $((size * 9 / 10)) single >&3
soon "predictions are there before the last face" 20 test -s found
exec 3>&-
finish $pid 30
is "... and the end is missed" $? 1
like "... in words" "$(cat err)" 'truncated: [0-9]* bytes of data are missing'
refuses "... and by whoever reads them" 1 "'found' is truncated" kfkd-score found

# -- damage --------------------------------------------------------------------------------

# flip BYTE FILE: changes one, in place
flip() {
	perl -e 'open my $f, "+<:raw", $ARGV[1]; seek $f, $ARGV[0], 0; read $f, my $byte, 1;
		seek $f, $ARGV[0], 0; print $f $byte ^ "\1"' "$1" "$2"
}

for name in stream single; do
	cp $name damaged
	flip $(($(wc -c <$name) - 3000)) damaged
	for how in 'kfkd-predict -m model damaged' 'cat damaged | kfkd-predict -m model'; do
		refuses "a damaged $name: $how" 1 'damaged: the checksum' \
			sh -c "$how >found"
		ok "... passes on less than the whole" test "$(wc -c <found)" -lt "$size"
		[ ! -s found ] ||
			refuses "... that nobody takes for it" 1 "'found' is truncated" \
				kfkd-cat found
	done
	rm -f found
	kfkd-predict -m model -o found damaged 2>err
	is "... a file is not written" "$? $(ls found 2>&1 | grep -c 'No such')" "1 1"
	head -c $((size / 2)) $name >cut
	refuses "a cut $name" 1 'truncated: [0-9]* bytes of data are missing' \
		kfkd-predict -m model cut
done

# who stops earlier learns of damage in the chunks of a stream, but not in a single file
for name in stream single; do
	cp $name damaged
	flip 100000 damaged # among the first images
	kfkd-predict -m model damaged 2>err | kfkd-head -n 5 -o found 2>head.err
	case $? in
	0) taken=$(kfkd-stat found | sed -n 1p) ;;
	*) taken=none ;;
	esac
	case $name in
	stream) want=none ;;
	single) want='rows: 5' ;;
	esac
	is "kfkd-head behind a damaged $name" "$taken" "$want"
	refuses "... and before it" 1 'damaged: the checksum' kfkd-head -n 5 damaged
done

# -- files that change meanwhile -----------------------------------------------------------

# meanwhile FILE ACTION ...: predicts the file; when the first chunk is on its way, which
# is more than a pipe holds, does this to the file
meanwhile() {
	file=$1
	shift
	kfkd-predict -m model "$file" >live 2>err &
	pid=$!
	exec 3<live
	head -c 1 <&3 >first
	"$@"
	cat <&3 >rest
	exec 3<&-
	finish $pid 30
}

for name in stream single; do
	cp $name changing
	meanwhile changing true
	is "a $name that stays as it is" "$?" 0
	meanwhile changing flip $((size - 3000)) changing
	is "a $name that changes behind" $? 1
	like "... in words" "$(cat err)" "'changing' was changed while it was read\$"
	cp $name changing
	meanwhile changing flip 2000000 changing
	is "a $name that changes where it was read" $? 1
	like "... in words" "$(cat err)" "'changing' was changed while it was read\$"
	cp $name changing
	meanwhile changing truncate -s 1000000 changing
	is "a $name that becomes shorter" $? 1
	is "... is one line" "$(wc -l <err)" 1
	like "... in words" "$(cat err)" "'changing' became shorter while it was read\$"
	cat first rest >found
	refuses "... and what came has no end" 1 "'found'.* (is truncated|bytes of data are)" \
		kfkd-cat found
done

done_testing
