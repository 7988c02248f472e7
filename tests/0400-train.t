#!/bin/sh
# kfkd-train and kfkd-predict from the command line.
. "${0%/*}/lib.sh"

kfkd-synth -n 200 -s 1 | kfkd-load | kfkd-scale >"$tmp/faces"
kfkd-synth -n 60 -s 2 --missing 0.7 | kfkd-load | kfkd-scale >"$tmp/missing"
kfkd-synth -n 20 -s 3 --test | kfkd-load | kfkd-scale >"$tmp/test"
kfkd-synth -n 20 -s 3 | kfkd-load >"$tmp/raw"
kfkd-scale "$tmp/raw" >"$tmp/test80"

# -- what it says ---------------------------------------------------------------

ok "three epochs" sh -c "kfkd-train -e 3 '$tmp/faces' >'$tmp/a' 2>'$tmp/log'"
like "the log starts with the backend" "$(head -n 1 "$tmp/log")" '^backend cpu '
is "layers are listed as kfkd-stat lists a model's" "$(sed -n '/^layer /,/^all /p' "$tmp/log")" \
	"$(kfkd-stat "$tmp/a" | sed -n '/^layer /,/^all .* .* /p')"
like "multiply-adds and parameters are counted" "$(cat "$tmp/log")" \
	'^dense1 relu  *100  *921600  *921700$'
like "... in all, too" "$(cat "$tmp/log")" '^all  *924600  *924730$'
for net in $(kfkd-train --completion 2 --net ''); do
	is "the log of $net fits 80 columns" "$(kfkd-train -n "$net" -l squared -B 20 -e 0 \
		"$tmp/test80" 2>&1 >/dev/null | grep -c '.\{81\}')" 0
done
is "a line for each epoch" "$(grep -c '^ *[0-9]*  |  .*s$' "$tmp/log")" 3
is "... with the quotient of its losses" "$(awk -F '|' '/^ *[0-9]+  \|.*s$/ {
	d = $2 / $3 - $4; n += d * d < 1e-8 }
	END { print n }' "$tmp/log")" 3
is "... and the RMSE of validation, in pixels" "$(awk -F '|' '/^ *[0-9]+  \|.*s$/ {
	d = 48 * sqrt($3) - $5; n += d * d < 1e-6 } END { print n }' "$tmp/log")" 3
kfkd-train -v 0 -e 2 "$tmp/faces" 2>"$tmp/log" >"$tmp/b"
is "... or of training where nothing validates" "$(awk -F '|' '/^ *[0-9]+  \|.*s$/ {
	d = 48 * sqrt($2) - $5; n += d * d < 1e-6 } END { print n }' "$tmp/log")" 2
kfkd-train -e 3 "$tmp/faces" 2>"$tmp/log" >"$tmp/b"
is "... and the RMSE of the best" "$(sed -n \
	's/^best valid loss \(.*\) in epoch 3 (RMSE \(.*\) px),.*/\1 \2/p' "$tmp/log" |
	awk '{ d = 48 * sqrt($1) - $2; print d * d < 1e-4 }')" 1
is "plain text where there is no terminal" \
	"$(tr -d '\n\t' <"$tmp/log" | tr -d ' -~' | wc -c)" 0
is "... and the table's lines alone" "$(sed -n '/^--------|/,/^$/p' "$tmp/log" | grep -cv '|')" 1
# on_terminal OPTION ...: what is said there, in lines
on_terminal() {
	limited script -qec "kfkd-train -t 1 $* >'$tmp/b'" /dev/null </dev/null |
		tr '\r' '\n'
}
if command -v script >/dev/null && script -qec true /dev/null </dev/null >"$tmp/log"; then
	TERM=xterm
	export TERM
	kfkd-head -n 100 "$tmp/faces" >"$tmp/half"
	convolutions='conv32x5 relu conv32x5 relu conv32x5 relu conv32x5 relu'
	slow="-n '$convolutions pool4 dense' -B 4 -r .0001"
	on_terminal "$slow -e 2 '$tmp/half'" >"$tmp/log"
	like "a terminal is told the batch of a long epoch" "$(cat "$tmp/log")" \
		'epoch 1 of 2, batch [0-9]+ of 20$'
	like "... the time left, once an epoch is done" "$(cat "$tmp/log")" \
		'epoch 2 of 2, batch [0-9]+ of 20, [0-9]+:[0-9][0-9] left'
	is "... and the epochs" "$(grep -c '^.\[K *[12]  |.*s$' "$tmp/log")" 2
	on_terminal "$slow -e 1 -v .9 '$tmp/faces'" >"$tmp/log"
	like "... and when it validates" "$(cat "$tmp/log")" 'epoch 1 of 1, validating'
	on_terminal "-n dense -e 5 -r .0001 '$tmp/faces'" >"$tmp/log"
	is "... but no batch of short ones" "$(grep -c 'batch' "$tmp/log")" 0
	is "--quiet says nothing there either" "$(on_terminal "-q $slow -e 1 '$tmp/half'" | wc -c)" 0
	unset TERM
else
	skip "a terminal" "script is not installed"
fi
is "--quiet says nothing" "$(kfkd-train -q -e 1 "$tmp/faces" 2>&1 >/dev/null)" ""
like "missing values are counted" \
	"$(kfkd-train -e 1 "$tmp/missing" 2>&1 >/dev/null)" \
	'of 1800 target values are missing'

# -- the same again ---------------------------------------------------------------

mkdir "$tmp/elsewhere"
ok "a run elsewhere and later" sh -c "sleep 1; cd '$tmp/elsewhere' &&
	kfkd-train -q -e 3 -o a ../faces"
equal "gives the same bytes" "$tmp/a" "$tmp/elsewhere/a"
ok "another seed" kfkd-train -q -e 3 -s 43 -o "$tmp/b" "$tmp/faces"
differ "gives others" "$tmp/a" "$tmp/b"

# -- starting weights ---------------------------------------------------------------

ok "no epochs" kfkd-train -q -e 0 -o "$tmp/start" "$tmp/faces"
ok "no epochs, from a model" kfkd-train -q -e 0 -i "$tmp/a" -o "$tmp/again" "$tmp/faces"
for m in a again; do
	kfkd-predict -m "$tmp/$m" "$tmp/test" >"$tmp/p.$m"
done
equal "--init takes the weights over" "$tmp/p.a" "$tmp/p.again"
like "--init names what does not fit" \
	"$(kfkd-train -e 0 -n 'dense100 relu dense50 relu dense' -i "$tmp/a" \
		"$tmp/faces" 2>&1 >/dev/null)" 'dense2.weight starts at random'

kfkd-synth -n 5 | awk -F, -v OFS=, 'NR > 1 { split($31, v, " "); $31 = v[1]
	for (i = 2; i <= 4608; i++) $31 = $31 " " v[i] } 1' |
	kfkd-load --size 96x48 | kfkd-scale >"$tmp/half"
kfkd-train -e 0 -i "$tmp/a" -o "$tmp/again" "$tmp/half" 2>"$tmp/log"
like "... as weights of half as many inputs do not" "$(cat "$tmp/log")" \
	'dense1.weight starts at random'
like "... but those of the next layer" "$(cat "$tmp/log")" 'dense2.weight is taken over'
refuses "--init with a model of which nothing fits" 1 "nothing in '.*/a' fits" \
	kfkd-train -q -e 0 -n 'conv2x3 pool8 dense7 dense7 dense' -i "$tmp/a" "$tmp/faces"

# What another program has saved has no metadata; that of PyTorch counts batches, too.
plain() {
	perl -0777 -pe 's/"__metadata__":\{[^}]*\},/" " x length $&/e; '"${1-}" "$tmp/a" >"$tmp/plain"
}
plain
ok "--init takes weights that another program has saved" \
	kfkd-train -q -e 0 -i "$tmp/plain" -o "$tmp/again" "$tmp/faces"
kfkd-predict -m "$tmp/again" "$tmp/test" >"$tmp/p.again"
equal "... all of them" "$tmp/p.a" "$tmp/p.again"
ok "... from a pipe, too" sh -c "cat '$tmp/plain' | kfkd-train -q -e 0 -i - -o '$tmp/piped' \
	'$tmp/faces' && cmp '$tmp/piped' '$tmp/again'"
# given DESCRIPTION PATTERN: the weights are refused
given() {
	refuses "$1" 1 "^kfkd-train: '.*/plain'(, [^:]*)?: $2" kfkd-train -q -e 0 \
		-n "${3-net1}" -i "$tmp/plain" "$tmp/faces"
}
given "... but not those of another shape" \
	"tensor 'dense1.weight' is 100 x 9216, and 50 x 9216 in the net$" 'dense50 relu dense'
plain 's/"dense2.bias"/"dense7.bias"/'
given "... or of another name" "there is no tensor 'dense2.bias' of the net's, but a 'dense7.bias'$"
plain 's/"history.train_loss"/"dense3.train.bias_"/'
given "... or more of them" "tensor 'dense3.train.bias_' is none of the net's parameters$"
plain 's/"dense2.bias":\{"dtype":"F32","shape":\[30\]/"dense2.bias":{"dtype":"I64","shape":[15]/'
given "... or of another type" "tensor 'dense2.bias' is not F32$"
plain 's/"F32"/"F16"/'
given "... or of one that is not known" "tensor '.*' is of type F16, not U8, I64 or F32$"
plain '$_ .= "x"'
given "... or with something behind them" "something follows"
head -c 100000 "$tmp/plain" >"$tmp/cut"
refuses "... or cut" 1 "'.*/cut'.*truncated" kfkd-train -q -e 0 -i "$tmp/cut" "$tmp/faces"
refuses "... or a stream" 1 "'.*/faces': a stream, not a model" \
	kfkd-train -q -e 0 -i "$tmp/faces" "$tmp/faces"
: >"$tmp/empty"
refuses "... or nothing" 1 "'.*/empty' is empty: there is no model in it" \
	kfkd-train -q -e 0 -i "$tmp/empty" "$tmp/faces"

# -- predicting ----------------------------------------------------------------------

ok "predictions for rows without targets" sh -c "kfkd-predict -m '$tmp/a' '$tmp/test' |
	kfkd-stat | grep -q 'p.shape == (20, 30)'"
ok "two models are averaged" sh -c "kfkd-predict -m '$tmp/a' -m '$tmp/a' '$tmp/test' |
	cmp - '$tmp/p.a'"
# values FILE FIELD: one column of its predictions, in pixels
values() {
	kfkd-scale -u "$tmp/$1" | kfkd-save --ids -p | tail -n +2 | cut -d, -f "$2"
}
kfkd-synth -n 200 -s 1 | kfkd-load -c nose_tip_x,nose_tip_y | kfkd-scale |
	kfkd-train -q -e 3 -n 'dense10 relu dense' -o "$tmp/nose"
kfkd-predict -m "$tmp/nose" "$tmp/test" >"$tmp/p.nose"
kfkd-predict -m "$tmp/a" -m "$tmp/nose" "$tmp/test" >"$tmp/p.both"
values p.a 2 >"$tmp/left_eye"
values p.a 22 >"$tmp/nose_a"
values p.nose 2 >"$tmp/nose_b"
values p.both 2 >"$tmp/left_eye_both"
equal "what only one of two predicts stays as it is" "$tmp/left_eye_both" "$tmp/left_eye"
is "... and what both do becomes the mean" "$(values p.both 22 |
	paste "$tmp/nose_a" "$tmp/nose_b" - |
	awk '{ d = ($1 + $2) / 2 - $3; n += d * d < 1e-6 } END { print n }')" 20
kfkd-head -n 1 "$tmp/test" | kfkd-predict -m "$tmp/a" >"$tmp/one"
kfkd-head -n 1 "$tmp/p.a" >"$tmp/first"
for m in one first; do
	kfkd-scale -u "$tmp/$m" | kfkd-save -p | tail -n 1 | cut -d , -f 1-30 |
		tr , '\n' >"$tmp/$m.values"
done
is "a row alone gives the same to 0.001 pixels" \
	"$(paste "$tmp/one.values" "$tmp/first.values" |
		awk '($1 - $2) ^ 2 < 1e-6 { same++ } END { print same }')" 30
refuses "a column predicted twice" 1 "predictions of '.*' already" \
	kfkd-predict -m "$tmp/a" "$tmp/p.a"

# -- refusals -------------------------------------------------------------------------

refuses "train: images not scaled" 1 'pipe through kfkd-scale' kfkd-train -q "$tmp/raw"
refuses "predict: images not scaled" 1 'pipe through kfkd-scale' \
	kfkd-predict -m "$tmp/a" "$tmp/raw"
kfkd-synth -n 1 --test | awk -F, 'NR > 1 { n = split($2, v, " "); $0 = "1," v[1]
	for (i = 2; i <= n / 2; i++) $0 = $0 " " v[i] } 1' >"$tmp/half.csv"
for size in 96x48 48x96; do
	kfkd-load --size $size "$tmp/half.csv" | kfkd-scale >"$tmp/half"
	refuses "images of $size" 1 \
		"for images of 1 x 96 x 96, and the stream has 1 x ${size#*x} x ${size%x*}" \
		kfkd-predict -m "$tmp/a" "$tmp/half"
done
refuses "no targets" 1 'no targets' kfkd-train -q "$tmp/test"
refuses "no rows" 1 'no rows' sh -c "kfkd-head -n 0 '$tmp/faces' | kfkd-train -q"
refuses "one row cannot validate and train" 1 'leave none to train' \
	sh -c "kfkd-head -n 1 '$tmp/faces' | kfkd-train -q"
kfkd-synth -n 20 | awk -F, -v OFS=, 'NR > 1 { $21 = $22 = "" } 1' | kfkd-load | kfkd-scale >"$tmp/noseless"
refuses "a target that is missing in every row" 1 \
	"no row to train on has a value of 'nose_tip_x'; .* kfkd-load --columns" \
	kfkd-train -q -e 1 "$tmp/noseless"
refuses "a loss that explodes" 1 'epoch [0-9]+: the .* loss is not finite' \
	kfkd-train -q -r 1000 "$tmp/faces"
refuses "a layer that is none" 1 "layer 2 of 'dense10 rellu dense', 'rellu'" \
	kfkd-train -q -n 'dense10 rellu dense' "$tmp/faces"
refuses "a first layer without a number" 1 "layer 1 of .*, 'dense'" \
	kfkd-train -q -n 'dense relu dense' "$tmp/faces"
refuses "outputs that are not the targets" 1 'ends in 29 outputs' \
	kfkd-train -q -n 'dense29' "$tmp/faces"
refuses "a stream for a model" 1 'a stream, not a model' \
	kfkd-predict -m "$tmp/faces" "$tmp/test"
refuses "a model for a stream" 1 "no tensor 'X'" kfkd-predict -m "$tmp/a" "$tmp/a"
refuses "a backend that is not there" 1 "backend none: cannot open its plugin '.*backend_none.so': No such file" \
	kfkd-train -q -b none "$tmp/faces"
kfkd-synth -n 4 | kfkd-load | kfkd-scale >"$tmp/small"
refuses "a full disk" 1 'No space left' sh -c "kfkd-train -q -e 1 '$tmp/small' >/dev/full"
like "an unknown rule" "$(kfkd-train -u best "$tmp/faces" 2>&1)" "no rule 'best'"
like "no model" "$(kfkd-predict "$tmp/test" 2>&1)" 'no --model'

done_testing
