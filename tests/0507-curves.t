#!/bin/sh
# kfkd-plot --curve: axes, the legend's place, colours, and logs of training in place of
# models.  (test_draw looks at points of curves.)

. "${0%/*}/lib.sh"
mkmodel=$KFKD_BUILD/tests/mkmodel
cd "$tmp" || exit 1
for i in 1 2 3 4 5 6 7 8 9 10; do
	"$mkmodel" "dense100 relu dense" 1 24 24 30x576 40 0.$((9 + i)) >net$i.kfkd
done
ten='net1.kfkd net2.kfkd net3.kfkd net4.kfkd net5.kfkd net6.kfkd net7.kfkd net8.kfkd net9.kfkd
	net10.kfkd'
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 1 1 >once.kfkd
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 3 0 >no-valid.kfkd

# log MODEL SECONDS: what a run's log says of it, and each epoch took so long
log() {
	kfkd-stat --history "$1" | awk -F'\t' -v OFS='\t' -v seconds="$2" '
		NR == 1 { print "epoch", "train", "valid", "px", "rate", "seconds"; next }
		{ print $1, $2, $3, 12 * sqrt($3), "0.01", seconds }'
}

# -- limits ---------------------------------------------------------------------------

printf 'epoch\ttrain\tvalid\n1\t-\t.128\n2\t-\t.112\n' >near.tsv
kfkd-plot --curve near.tsv >near.pgm
kfkd-plot --curve -y 0.11:0.13 near.tsv | cmp - near.pgm
is "curves that are nearly flat have the height for themselves" $? 0
printf 'epoch\ttrain\tvalid\n1\t-\t.15\n2\t-\t.11\n' >steep.tsv
kfkd-plot --curve steep.tsv >steep.pgm
kfkd-plot --curve -y 0.1:0.16 steep.tsv | cmp - steep.pgm
is "... from a round number on" $? 0
printf 'epoch\ttrain\tvalid\n1\t-\t.19\n2\t-\t.11\n' >steep.tsv
kfkd-plot --curve steep.tsv >steep.pgm
kfkd-plot --curve -y 0.1:0.2 steep.tsv | cmp - steep.pgm
is "... and others that of one digit" $? 0

# -- logs -----------------------------------------------------------------------------

log net1.kfkd 0.5 >net1.tsv
kfkd-plot --curve net1.kfkd >model.pgm
kfkd-plot --curve net1.tsv >log.pgm
equal "a log makes the curve that its model makes" log.pgm model.pgm
kfkd-plot --curve <net1.tsv | cmp - log.pgm
is "... from standard input" $? 0
# shellcheck disable=SC2002
cat net1.tsv | kfkd-plot --curve | cmp - log.pgm
is "... and from a pipe" $? 0
cp net1.tsv growing.tsv
printf '41\t0.1\t0.' >>growing.tsv
kfkd-plot --curve growing.tsv >growing.pgm
equal "a line that is still being written is left out" growing.pgm log.pgm
refuses "a log without a line so far is refused" 1 "'empty.tsv' is empty: there is no epoch" \
	sh -c ': >empty.tsv && kfkd-plot --curve empty.tsv'
awk -F'\t' -v OFS='\t' '{ print $6, $3, "more", $1, $2, $4 }' net1.tsv |
	kfkd-plot --curve >order.pgm
equal "columns may come in any order" order.pgm log.pgm
sed 's/\t[^\t]*$/\t-/' net1.tsv | kfkd-plot --curve >dash.pgm
equal "... and hold no value" dash.pgm log.pgm
cut -f 1-3 net1.tsv | kfkd-plot --curve >bare.pgm
differ "without pixels there is no axis of them" bare.pgm log.pgm
awk -F'\t' -v OFS='\t' 'NR > 1 { $3 = "-"; $4 = "" } { print }' net1.tsv >unvalidated.tsv
ok "a run without validation" kfkd-plot --curve unvalidated.tsv
kfkd-plot --curve net1.tsv net2.kfkd >mixed.pgm
kfkd-plot --curve net1.kfkd net2.kfkd >models.pgm
equal "logs and models may be mixed" mixed.pgm models.pgm
kfkd-plot --curve --mean net1.tsv no-valid.kfkd >out 2>err
is "... but not their mean" $? 1

head -n 1 net1.tsv >empty.tsv
refuses "a log that has only begun" 1 "^kfkd-plot: 'empty.tsv' has no epoch so far$" \
	kfkd-plot --curve empty.tsv
echo 'these are notes' >notes
refuses "a text that is no log" 1 \
	"^kfkd-plot: 'notes', line 1: there is no column 'epoch': it is neither" \
	kfkd-plot --curve notes
sed '5s/\t/\tx/' net1.tsv >word.tsv
refuses "a word in place of a loss" 1 "'word.tsv', line 5: 'x.*' in column 'train' is not a n" \
	kfkd-plot --curve word.tsv
sed '5s/^4/3/' net1.tsv >again.tsv
refuses "an epoch that comes again" 1 "'again.tsv', line 5: epoch 3 comes after epoch 3" \
	kfkd-plot --curve again.tsv
sed '5s/^4/1e9/' net1.tsv >far.tsv
refuses "an epoch beyond all bounds" 1 "'far.tsv', line 5: the epoch is no whole number" \
	kfkd-plot --curve far.tsv
sed '5s/^4/4.5/' net1.tsv >half.tsv
refuses "half an epoch" 1 "'half.tsv', line 5: the epoch is no whole number" \
	kfkd-plot --curve half.tsv

# -- the axis of epochs -----------------------------------------------------------------

kfkd-plot --curve --xlim 0:40 net1.kfkd >all.pgm
equal "--xlim of all epochs" all.pgm model.pgm
kfkd-plot --curve --xlim 10:20 net1.kfkd >part.pgm
differ "--xlim of some" part.pgm model.pgm
kfkd-plot --curve --log-x net1.kfkd >spread.pgm
differ "--log-x" spread.pgm model.pgm
log net1.kfkd 1 >second.tsv
kfkd-plot --curve second.tsv >epochs.pgm
kfkd-plot --curve --by-time second.tsv >seconds.pgm
differ "--by-time says that it counts seconds" seconds.pgm epochs.pgm
if command -v pamcut >/dev/null; then
	for picture in epochs seconds; do
		pamcut -height 545 $picture.pgm >$picture.top
	done
	equal "... and where an epoch takes one, nothing else differs" epochs.top seconds.top
else
	skip "... and where an epoch takes one, nothing else differs" "no netpbm"
fi
log net2.kfkd 2 >slow.tsv
kfkd-plot --curve --by-time second.tsv slow.tsv >slow.pgm
kfkd-plot --curve second.tsv net2.kfkd >same.pgm
differ "a slower run is longer by time" slow.pgm same.pgm
refuses "a model has no times" 1 "^kfkd-plot: --by-time: 'net1.kfkd' is a model, which" \
	kfkd-plot --curve --by-time second.tsv net1.kfkd
sed '9s/\t[^\t]*$/\t-/' second.tsv >lacks.tsv
refuses "nor a log that lacks some" 1 "^kfkd-plot: --by-time: 'lacks.tsv' lacks seconds" \
	kfkd-plot --curve --by-time lacks.tsv
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 401 1 >long.kfkd
kfkd-plot --curve long.kfkd net1.kfkd >uneven.pgm
kfkd-plot --curve --log-x long.kfkd net1.kfkd >spread.pgm
equal "curves of very different lengths have a logarithmic axis" uneven.pgm spread.pgm
kfkd-plot --curve --xlim 0:401 long.kfkd net1.kfkd >even.pgm
differ "... unless --xlim says what is to be seen" even.pgm spread.pgm
"$mkmodel" "dense100 relu dense" 1 24 24 30x576 400 1 >ten-times.kfkd
kfkd-plot --curve ten-times.kfkd net1.kfkd >uneven.pgm
kfkd-plot --curve --log-x ten-times.kfkd net1.kfkd >spread.pgm
differ "... and not where one is ten times as long" uneven.pgm spread.pgm

# -- what is drawn ------------------------------------------------------------------------

kfkd-plot --curve --ylim 5:9 net1.kfkd >fitted.pgm 2>err
equal "limits without a loss give way to the curves" fitted.pgm model.pgm
is "... and a line says so" "$(cat err)" \
	"kfkd-plot: --ylim: there is no loss from 5 to 9; drawn is as far as the curves go"
kfkd-plot --curve --xlim 50:90 net1.kfkd >fitted.pgm 2>err
equal "... of epochs, too" fitted.pgm model.pgm
like "... which another line says" "$(cat err)" '^kfkd-plot: --xlim: .* from 50 to 90'
kfkd-plot --curve --xlim 50:90 --ylim 5:9 net1.kfkd >fitted.pgm 2>err
equal "... and of both" fitted.pgm model.pgm
kfkd-plot --curve --valid-only net1.kfkd >valid.pgm
differ "--valid-only" valid.pgm model.pgm
refuses "... where there is none" 1 'there is no loss to draw' \
	kfkd-plot --curve --valid-only no-valid.kfkd
# shellcheck disable=SC2086
kfkd-plot --curve $ten >ten.pgm
is "ten models" $? 0
for size in 320x240 800x600 1600x1000 5000x300 320x2000; do
	# shellcheck disable=SC2086
	ok "... at $size" kfkd-plot --curve -c -S $size $ten
	ok "one that was trained once, at $size" kfkd-plot --curve -S $size once.kfkd
done
# shellcheck disable=SC2086
kfkd-plot --curve -S 320x240 $ten $ten $ten >many.pgm
is "more than a legend has lines for" $? 0
if command -v ppmhist >/dev/null; then
	# shellcheck disable=SC2086
	kfkd-plot --curve -c $ten | ppmhist -noheader -nomap | sort -k 5nr |
		awk '{ print $1, $2, $3 }' >colours
	for colour in '0 114 178' '213 94 0' '0 158 115' '204 121 167' '86 180 233' \
		'230 159 0' '136 34 85' '51 34 136' '17 119 51' '0 0 0'; do
		ok "the colour $colour is among the most frequent" \
			sh -c "head -n 20 colours | grep -qx '$colour'"
	done
fi

# -- misuse -----------------------------------------------------------------------------

misused() {
	kfkd-plot "$@" >out 2>err
	is "misuse: $*" $? 2
	like "... says what: $*" "$(head -n 1 err)" "^kfkd-plot: --"
}
misused --curve --xlim 5 net1.kfkd
misused --curve --xlim -1:5 net1.kfkd
misused --curve --xlim 5:5 net1.kfkd
misused --curve --xlim 0:5 --log-x net1.kfkd
misused --curve --by-time --mean second.tsv
misused --weights --log-x net1.kfkd
misused --weights --valid-only net1.kfkd
misused --errors --by-time net1.kfkd
done_testing
