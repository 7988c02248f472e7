#!/bin/sh
# Completion: what a program answers a shell that asks, and what shells make of it.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1
completion=$KFKD_BUILD/completion

kfkd-synth -n 3 -o faces.csv
kfkd-load faces.csv >faces.kfkd
kfkd-load -c nose_tip_x,nose_tip_y faces.csv | kfkd-scale >nose.kfkd
kfkd-train -q -n dense -e 0 nose.kfkd >model
kfkd-synth -n 3 -t | kfkd-load | kfkd-scale | kfkd-predict -m model >found.kfkd
mkfifo pipe
is "files are made" $? 0

# -- the programs' answers -------------------------------------------------------

# answers N WORD ... : what stands before the tabs, in one line; "/" for files
answers() {
	answers_program=$1
	shift
	limited "$answers_program" --completion "$@" </dev/null 2>&1 | sed 's/	.*//; s/^$/\//' |
		paste -s -d ' '
}

for path in "$KFKD_BUILD"/bin/kfkd-*; do
	program=${path##*/}
	is "$program answers with the options of --help" \
		"$(answers "$program" 1 - | tr ' ' '\n' | sort)" \
		"$("$program" --help | sed -n 's/^  *\(-.\), \(--[a-z0-9-]*\).*/\1\n\2/p
			s/^  *\(--[a-z0-9-]*\).*/\1/p' | sort)"
	is "... and their texts" "$("$program" --completion 1 --outp)" \
		"--output	write to OUT, which appears when it is whole"
	case $program in
	kfkd-synth) is "$program takes no files" "$(answers "$program" 1 '' | grep -c /)" 0 ;;
	*) is "$program takes files" "$(answers "$program" 1 '')" / ;;
	esac
done

# The words that stand in --help, as "net1 to net7, small or best", one a line.
words_of_help() {
	kfkd-train --completion 1 "$1" | sed 's/.*	//; s/.*preset: //; s/;.*//; s/(.*//; s/, which.*//
		s/: joins.*//; s/, or / /; s/ or / /g; s/,[^A-Z0-9]/ /g; s/\[[^]]*\]//g
		s/net1 to net7/net1 net2 net3 net4 net5 net6 net7/' | tr -s ' ' '\n' | sort
}

for option in --net --update --loss --backend --comm; do
	is "$option: its words" "$(answers kfkd-train 2 $option '' | tr ' ' '\n' | sort)" \
		"$(words_of_help $option)"
done
is "a word that has begun" "$(answers kfkd-train 2 --net net)" \
	"net1 net2 net3 net4 net5 net6 net7"
is "... joined to its option" "$(answers kfkd-train 1 --net=be)" --net=best
is "... after a letter" "$(answers kfkd-train 3 -q -n be)" best
is "... at the end of others" "$(answers kfkd-train 2 -qSn be)" best
is "... after an abbreviation" "$(answers kfkd-train 2 --upd adad)" adadelta
is "no word after a letter's own argument" "$(answers kfkd-train 2 -nbest be)" /
is "... after an ambiguous abbreviation" "$(answers kfkd-train 2 --re best)" /
is "... for what begins otherwise" "$(answers kfkd-train 2 --net x)" ""
is "no words for a number" "$(answers kfkd-train 2 --epochs '')" ""
is "names of files for an option's" "$(answers kfkd-train 2 --init '')" /
is "... joined to it" "$(answers kfkd-train 1 --init=x)" /
is "... after --" "$(answers kfkd-train 2 -- -n)" /
is "an option in the midst" "$(answers kfkd-train 2 -q --warm faces)" --warmup
is "kfkd-split's words" "$(answers kfkd-split 2 --by '')" "name file"
is "the word after the last" "$(answers kfkd-train 2 --net)" \
	"$(answers kfkd-train 2 --net '')"

is "the columns of a CSV" "$(answers kfkd-load 2 -c nose faces.csv)" "nose_tip_x nose_tip_y"
is "... and of a stream" "$(answers kfkd-select 3 faces.kfkd --columns nose)" \
	"nose_tip_x nose_tip_y"
is "... in a list, each once" "$(answers kfkd-load 2 -c nose_tip_y,nose_tip faces.csv)" \
	"nose_tip_y,nose_tip_x nose_tip_y,nose_tip_x,"
is "... joined to the option" "$(answers kfkd-load 2 faces.csv --columns=left_eye_c)" \
	"--columns=left_eye_center_x --columns=left_eye_center_y"
is "a column may be followed by others" "$(answers kfkd-load 2 -c nose_tip_x faces.csv)" \
	"nose_tip_x nose_tip_x,"
is "... and of predictions alone" "$(answers kfkd-select 2 -c nose found.kfkd)" \
	"nose_tip_x nose_tip_y"
for other in missing pipe . model faces.csv "$KFKD_BUILD/bin/kfkd-cat"; do
	is "no columns of ${other##*/}" "$(answers kfkd-select 2 -c '' "$other")" ""
done
for other in missing pipe . faces.kfkd "$KFKD_BUILD/bin/kfkd-cat"; do
	is "kfkd-load: no columns of ${other##*/}" "$(answers kfkd-load 2 -c '' "$other")" ""
done
is "nothing is wrong with odd numbers" "$(answers kfkd-cat x -o; answers kfkd-cat 99 -o;
	answers kfkd-cat -1)" "$(printf '/\n/\n/')"
like "--completion alone is no option" "$(kfkd-select --completion 2>&1)" \
	"unrecognized option '--completion'"
is "--complete of kfkd-select is still one" "$(kfkd-select --complete faces.kfkd |
	kfkd-stat | grep -c rows)" 1

# -- shells ------------------------------------------------------------------------

# typed SHELL-COMMAND KEYS: the words of the line after these keys, in brackets.  What
# is printed stands before the line and what keeps it in a file after it.
typed() {
	rm -f line
	printf "$2"'\001printf "[%%s]" \005 >line\nexit\n' |
		TERM=dumb limited script -qc "$1" /dev/null >typed.out 2>&1
	cat line
}

# can SHELL: whether it is there, and a terminal for it
can() {
	command -v "$1" >/dev/null && script -qc true /dev/null >/dev/null 2>&1 </dev/null
}

# check_shell NAME SHELL-COMMAND: completions on a terminal
check_shell() {
	is "$1: a preset" "$(typed "$2" 'kfkd-train -n bes\t')" "[kfkd-train][-n][best]"
	is "$1: ... joined" "$(typed "$2" 'kfkd-train --net=bes\t')" "[kfkd-train][--net=best]"
	is "$1: an option" "$(typed "$2" 'kfkd-train --warm\t 3')" "[kfkd-train][--warmup][3]"
	is "$1: after a colon" "$(typed "$2" 'kfkd-train --rate 0.1:0.01 --upd\t adad\t')" \
		"[kfkd-train][--rate][0.1:0.01][--update][adadelta]"
	is "$1: a file" "$(typed "$2" 'kfkd-stat fac\tk\t')" "[kfkd-stat][faces.kfkd]"
	is "$1: ... joined" "$(typed "$2" 'kfkd-train --init=mod\t')" \
		"[kfkd-train][--init=model]"
	is "$1: columns, a list of them" \
		"$(typed "$2" 'kfkd-load faces.csv -c nose_tip_y,no\t')" \
		"[kfkd-load][faces.csv][-c][nose_tip_y,nose_tip_x]"
}

if can bash; then
	echo ". '$completion/kfkd.bash'" >bashrc
	check_shell bash "bash --noprofile --rcfile bashrc -i"
	is "bash: columns of a file that follows" \
		"$(typed "bash --noprofile --rcfile bashrc -i" \
			'kfkd-load -c  faces.csv\001\006\006\006\006\006\006\006\006\006\006\006\006\006no\t')" \
		"[kfkd-load][-c][nose_tip_][faces.csv]"
else
	skip "bash completes" "there is no bash, or no terminal for it"
fi

if can zsh; then
	mkdir zdot
	cp "$completion/kfkd.zsh" zdot/_kfkd
	cat >zdot/.zshrc <<-EOT
		fpath=('$tmp/zdot' \$fpath)
		autoload -U compinit
		compinit -u -D
		bindkey -e
	EOT
	check_shell zsh "env ZDOTDIR=zdot zsh -d -i"
else
	skip "zsh completes" "there is no zsh, or no terminal for it"
fi

# fish says without a terminal what it would offer.
fish_offers() {
	HOME=$tmp limited fish -N -c "source '$completion/kfkd.fish'
		complete -C '$1'" </dev/null 2>&1 | paste -s -d ' '
}

if command -v fish >/dev/null; then
	is "fish: presets" "$(fish_offers 'kfkd-train -n net')" \
		"net1 net2 net3 net4 net5 net6 net7"
	is "fish: ... joined" "$(fish_offers 'kfkd-train --net=be')" --net=best
	is "fish: an option and its text" "$(fish_offers 'kfkd-train --warm')" \
		"$(kfkd-train --completion 1 --warm)"
	is "fish: files" "$(fish_offers 'kfkd-load x | kfkd-stat faces')" "faces.csv faces.kfkd"
	is "fish: ... joined" "$(fish_offers 'kfkd-train --init=mod')" --init=model
	is "fish: columns" "$(fish_offers 'kfkd-load faces.csv -c nose')" "nose_tip_x nose_tip_y"
else
	skip "fish completes" "fish is not installed"
fi

done_testing
