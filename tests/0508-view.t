#!/bin/sh
# kfkd-plot --view: pictures in the terminal.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
printf 'Image\n0 255 255 0\n' | kfkd-load --size 4x1 >tiny
mkdir with without
cat >with/chafa <<'EOT'
#!/bin/sh
[ "$*" = - ] || exit 9
cat
exit ${STATUS:-0}
EOT
chmod +x with/chafa
for program in kfkd-plot sh cat; do
	ln -s "$(command -v $program)" without/
done

# -- through a viewer -------------------------------------------------------------------

kfkd-plot --png tiny >want.png
PATH=$PWD/with:$PATH kfkd-plot --view tiny >got.png
is "a viewer in PATH is run" $? 0
equal "... and reads the picture" got.png want.png
STATUS=7 PATH=$PWD/with:$PATH kfkd-plot --view tiny >got.png
is "... whose status counts" $? 7
kfkd-plot --png <tiny >want.png
PATH=$PWD/with:$PATH kfkd-plot --view <tiny >got.png
equal "what is drawn may be read from standard input" got.png want.png
head -c $(($(wc -c <tiny) - 9)) tiny >cut
PATH=$PWD/with:$PATH refuses "a picture that does not come about" 1 "'cut'" kfkd-plot --view cut
PATH=$PWD/with:$PATH kfkd-plot --view cut >got.png 2>/dev/null
is "... is not shown" "$(wc -c <got.png)" 0

# -- in the terminal itself ---------------------------------------------------------------

without=$PWD/without
kfkd_plot=$(command -v kfkd-plot)
PATH=$without "$kfkd_plot" --view tiny >out 2>err
is "without a viewer or a terminal there is nothing to show it" $? 1
like "... and a line says what to do" "$(cat err)" \
	"^kfkd-plot: --view: there is no chafa in PATH, .*install chafa, or write a file: -o x.png$"

# terminal ANSWER OPTION ...: what kfkd-plot writes to a terminal that answers so
terminal() {
	tap_answer=$1
	shift
	printf "$tap_answer" |
		limited script -qec "PATH=$without kfkd-plot --view $*" log >/dev/null 2>&1
	tr -d '\r' <log
}

if command -v script >/dev/null; then
	terminal '\033[?62;4;6c' -g 1x1 -z 1 tiny >sixels
	like "a terminal that has sixels gets them" "$(tr -d '\033' <sixels)" \
		'Pq"1;1;4;1#0;2;0;0;0#1;2;0;0;20#'
	like "... of each colour in turn" "$(tr -d '\033' <sixels)" \
		'#255;2;100;100;100#216@\?\?@\$#255\?@@\?\$-\\$'
	terminal '\033[?62;4;6c' -c -g 1x1 -z 9 tiny >sixels
	like "... with runs of the same" "$(tr -d '\033' <sixels)" '#216!9~!18\?!9~\$'
	terminal '\033[?62;6;24c' tiny >sixels
	like "one that has none does not" "$(cat sixels)" 'the terminal draws no sixels'
	terminal '' tiny >sixels
	like "nor does one that says nothing" "$(cat sixels)" 'the terminal draws no sixels'
else
	skip "terminals" "there is no script(1)"
fi

for options in "--output x" "--each x" "--each -" --png "--png --curve"; do
	# shellcheck disable=SC2086
	kfkd-plot --view $options tiny >out 2>err
	is "misuse: --view $options" $? 2
done
done_testing
