#!/bin/sh
# kfkd-train --log: a line of TSV for each epoch, while they come.
. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 60 -s 1 | kfkd-load | kfkd-scale >faces

# train OPTION ...: a small net, quietly
train() {
	kfkd-train -q -n 'dense10 relu dense' -B 16 "$@" faces
}

# column LOG NUMBER: without the header, in one line
column() {
	tail -n +2 "$1" | cut -f "$2" | tr '\n' ' '
}

# -- what is in it -------------------------------------------------------------------

header="$(printf 'epoch\ttrain\tvalid\tpx\trate\tmomentum\tseconds\trows_per_s')"
train -e 6 -r .02:.01 --warmup 2 -M .9:.8:step:2 --log log -o model
is "the first line names the columns" "$(head -n 1 log)" "$header"
is "there is one for each epoch" "$(column log 1)" "1 2 3 4 5 6 "
tail -n +2 log | cut -f 1-3 >losses
kfkd-stat -H model | tail -n +2 >history
equal "epochs and losses are those of the model" losses history
is "px is the RMSE of validation" "$(awk 'NR > 1 { d = 48 * sqrt($3) - $4; n += d * d < 1e-6 }
	END { print n }' log)" 6
is "the rate is the epoch's" "$(column log 5 | cut -d ' ' -f 1-4)" \
	"0.00666666667 0.0133333333 0.02 0.02"
is "... and the momentum" "$(column log 6)" "0.9 0.9 0.9 0.8 0.8 0.8 "
is "rows a second are all of them by the seconds" "$(awk 'NR > 1 { d = $7 * $8 / 60 - 1
	n += $7 > 0 && d * d < 1e-6 } END { print n }' log)" 6
train -e 2 -v 0 -u adam --log log -o model
is "a new run replaces it" "$(column log 1)" "1 2 "
is "nothing validates" "$(column log 3)" "- - "
is "... px is that of training" "$(awk 'NR > 1 { d = 48 * sqrt($2) - $4; n += d * d < 1e-6 }
	END { print n }' log)" 2
is "... and adam has no momentum" "$(column log 6)" "- - "
perl -e 'open my $x, ">", "images"; open my $l, ">", "labels";
	print $x pack("CCCCN*", 0, 0, 8, 3, 40, 4, 4), pack("C*", map { $_ * 7 % 256 } 1 .. 640);
	print $l pack("CCCCN*", 0, 0, 8, 1, 40), pack("C*", map { $_ % 4 } 0 .. 39)'
kfkd-load -l labels images | kfkd-scale >digits
kfkd-train -q -l crossentropy -n dense -e 2 --log log -o model digits
is "classes have no pixels" "$(column log 4)" "- - "
rm log
train -e 0 --log log -o model
ok "no epochs, no log" test ! -e log

# -- while it trains -------------------------------------------------------------------

# lines LOG N: whether it has so many
cat >lines <<'A'
test "$(wc -l <"$1")" -ge "$2"
A
kfkd-train -q -n 'dense10 relu dense' -e 1000000 --log log -o model faces &
pid=$!
soon "lines are there while the run goes on" 60 sh lines log 5
refuses "another run cannot have it meanwhile" 1 "'log' is in use by another program" \
	kfkd-train -q -e 1 --log log -o other faces
kill -KILL $pid
finish $pid 60
is "a run that is killed leaves whole lines" "$(tail -c 1 log | od -An -c | tr -d ' ')" '\n'
is "... of all columns" "$(awk -F '\t' '{ print NF }' log | sort -u)" 8

mkfifo pipe
cat pipe >piped &
pid=$!
train -e 3 --log pipe -o model
finish $pid 60
is "a pipe gets the same" "$(head -n 1 piped) $(column piped 1)" "$header 1 2 3 "

# -- resuming --------------------------------------------------------------------------

# past LOG: its columns without the times
past() {
	cut -f 1-6 "$1"
}
train -e 9 -r .02 --log whole.log -o whole
train -e 5 -r .02 -c point -N 5 -o model
cp point five
# As by a run that went on to its seventh epoch after this checkpoint, and was killed
# while it wrote a line.
head -n 8 whole.log >log
printf '8\t0.0' >>log
head -n 6 log >before
train -e 9 -r .02 -R five --log log -o model
equal "a run that is resumed comes to the same model" whole model
past log >got
past whole.log >want
equal "... and to the same log" got want
head -n 6 log >got
equal "... in which the lines of its past stay" got before
head -n 3 whole.log >log
train -e 9 -r .02 -R five --log log -o model
past log >got
equal "lines that are missing come from the checkpoint" got want
is "... without times" "$(column log 7 | awk '{ print $3 $4 $5, ($2 > 0), ($6 > 0) }')" "--- 1 1"
rm log
train -e 9 -r .02 -R five --log log -o model
past log >got
equal "... all of them, if need be" got want
train -e 9 -r .03 --log log -o model
train -e 9 -r .02 -R five --log log -o model
past log >got
equal "... as where the log is another run's" got want

# -- what it refuses -------------------------------------------------------------------

cp faces copy
refuses "a file that is no log" 1 \
	"'copy' is not a log of kfkd-train, and --log does not replace it" \
	kfkd-train -q -e 1 --log copy -o model copy
equal "... stays as it is" copy faces
refuses "a directory that is not there" 1 "cannot write 'none/log': No such file" \
	kfkd-train -q -e 1 --log none/log -o model faces
refuses "a full disk" 1 "cannot write '/dev/full': No space left" \
	kfkd-train -q -e 1 --log /dev/full -o model faces
misuses "the model's own file" "--log and --output are the same file: 'm'" -o m --log m
misuses "the checkpoint's" "--log and --checkpoint are the same file: 'm'" -c m --log m
misuses "standard output" "--log: it is a file" --log -
rm -f model
head -n 2 pipe >piped &
refuses "a log that ends before the run" 1 "cannot write 'pipe': Broken pipe; training goes on" \
	sh -c "kfkd-train -q -n 'conv16x5 relu pool4 dense' -B 4 -e 20 --log pipe -o model faces"
wait
like "... leaves the model" "$(kfkd-stat model)" "^epochs: 20"

done_testing
