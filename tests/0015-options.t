#!/bin/sh
# Each option that --help lists is accepted under its name and its letter, asks
# for an argument where help shows one, and is named when that is invalid; there
# are no others.

. "${0%/*}/lib.sh"
vectors=$(cd "${0%/*}/vectors" && pwd)
cd "$tmp" || exit 1

kfkd-synth -n 10 | kfkd-load | kfkd-scale | kfkd-train -q -n dense -e 0 >model
is "a model for the options that read one" $? 0

# An argument that the option takes, by what help calls it.
argument_for() {
	case $1 in
	-) ;;
	N) echo 1 ;;
	F) echo 0.5 ;;
	WxH | CxR) echo 4x4 ;;
	SIZE) echo 100M ;;
	A:B) echo 1:2 ;;
	N\[:STEP\]) echo 8:4 ;;
	A\[:B\]) echo 0.5 ;;
	A,B) echo nose_tip,mouth_center_top_lip ;;
	A,B,...) echo nose_tip_x ;;
	LIST) echo flip ;;
	I/K) echo 2/5 ;;
	RANGES) echo 3,7,10-20 ;;
	CONDITION) echo 'rmse>5' ;;
	SPEC) echo net1 ;;
	SUFFIX) echo .tsv ;;
	WHAT) echo name ;;
	LOSS) echo squared ;;
	RULE) echo adam ;;
	BACKEND) echo cpu ;;
	BY) echo box ;;
	X,Y) echo 0,-0.5 ;;
	DIR) echo . ;;
	ENGINE) echo none ;;
	MODEL) echo model ;;
	FILE | OUT | PREFIX | TABLE) echo x ;;
	*) echo "no argument is known for $1" >&2 ;;
	esac
}

# What is said of the argument "x", by what help calls it.
complaint_about_x() {
	case $1 in
	N) echo "is not a whole number" ;;
	F | A\[:B\]) echo "is not a number" ;;
	WxH | CxR) echo "is not two sizes from 1 to [0-9]* such as 4x4" ;;
	SIZE) echo "is not a size in bytes" ;;
	A:B) echo "is not two numbers" ;;
	N\[:STEP\]) echo "is not the side of a square" ;;
	WHAT) echo "is neither 'name' nor 'file'" ;;
	I/K) echo "is not one of some folds" ;;
	RANGES) echo "is not a number from" ;;
	CONDITION) echo "is not a condition" ;;
	RULE) echo "no rule" ;;
	LOSS) echo "there is no 'x'" ;;
	BY) echo "is neither box nor points" ;;
	X,Y) echo "is not two numbers" ;;
	esac
}

# "LETTER NAME ARGUMENT" for each option of a program, "-" for what it lacks.
list_options() {
	"$1" --help | awk '/^  (-.,|   ) --/ {
		letter = substr($0, 3, 1) == "-" ? substr($0, 4, 1) : "-"
		option = substr($0, 7)
		sub(/  .*/, "", option) # its help
		n = split(option, word, " ")
		print letter, substr(word[1], 3), (n > 1 ? word[2] : "-")
	}'
}

# accepts DESCRIPTION COMMAND ...: the command and -h exit 0 without a message
accepts() {
	accepts_name=$1
	shift
	"$@" -h </dev/null >out 2>err
	is "$accepts_name" "$? $(cat err)" "0 "
}

# misuses DESCRIPTION PATTERN COMMAND ...: exit 2, the first line matches
misuses() {
	misuse_name=$1
	misuse_pattern=$2
	shift 2
	"$@" </dev/null >out 2>err
	like "$misuse_name" "$? $(head -n 1 err)" "^2 ${1##*/}: $misuse_pattern"
}

with_argument() {
	program=$1 letter=$2 name=$3 arg=$4
	value=$(argument_for "$arg")
	accepts "$program --$name $value" "$program" "--$name" "$value"
	accepts "$program --$name=$value" "$program" "--$name=$value"
	misuses "$program --$name wants an argument" \
		"--$name requires an argument" "$program" "--$name"
	if [ "$letter" != - ]; then
		accepts "$program -$letter $value" "$program" "-$letter" "$value"
		accepts "$program -$letter$value" "$program" "-$letter$value"
		misuses "$program -$letter wants an argument" \
			"--$name requires an argument" "$program" "-$letter"
	fi
	complaint=$(complaint_about_x "$arg")
	if [ "$complaint" ]; then
		misuses "$program --$name x is misuse" "--$name: .*$complaint" \
			"$program" "--$name" x
	fi
}

without_argument() {
	program=$1 letter=$2 name=$3
	accepts "$program --$name" "$program" "--$name"
	[ "$letter" = - ] || accepts "$program -$letter" "$program" "-$letter"
	misuses "$program --$name takes no argument" \
		"--$name takes no argument" "$program" "--$name=1"
}

for path in "$KFKD_BUILD"/bin/kfkd-*; do
	program=${path##*/}
	list_options "$program" >list
	like "$program --help lists the options of all programs" \
		"$(tr '\n' ' ' <list)" 'o output OUT h help - V version - $'
	while read -r letter name arg; do
		if [ "$arg" = - ]; then
			without_argument "$program" "$letter" "$name"
		else
			with_argument "$program" "$letter" "$name" "$arg"
		fi
	done <list

	for letter in a b c d e f g h i j k l m n o p q r s t u v w x y z \
		A B C D E F G H I J K L M N O P Q R S T U V W X Y Z \
		0 1 2 3 4 5 6 7 8 9; do
		"$program" -$letter </dev/null 2>&1 >out |
			grep -q "unrecognized option '-$letter'" || echo $letter
	done >accepted
	is "$program has the letters of --help and no others" \
		"$(sort accepted)" "$(cut -d ' ' -f 1 list | grep -v '^-$' | sort)"

	is "$program --help: texts in one column, two spaces after the widest option" \
		"$("$program" --help | awk '
		/^  (-.,|   ) --/ {
			match(substr($0, 7), /  +/)
			if (!gap || RLENGTH < gap)
				gap = RLENGTH
			at[6 + RSTART + RLENGTH]++
		}
		/^          / { match($0, /[^ ]/); at[RSTART]++ }
		END { for (column in at) columns++; print columns, gap }')" "1 2"
done

# -- words from the library --------------------------------------------------------

rules=$(kfkd-train --help | sed -n '/--update/,/--rate/p' | tr -s ' \n' ' ' |
	sed 's/.*RULE \(.*\) (nesterov).*/\1/; s/,//g; s/ or / /')
is "--help names the rules that have stored losses" \
	"$(printf '%s\n' $rules | sort)" "$(cut -f 1 "$vectors/net1.tsv" | sort -u)"
for rule in $rules; do
	accepts "... $rule is one" kfkd-train -u "$rule"
done
presets=$(kfkd-train --help | sed -n '/--net/,/--loss/p' | tr -s ' \n' ' ' |
	sed 's/.*preset: \(.*\); .*/\1/')
is "--help names the presets" "$presets" "net1 to net7, small, best, mnist-mlp, mnist-cnn"

# -- what is no option -----------------------------------------------------------

escape=$(printf '\033')
misuses "a cluster of letters" "unrecognized option '-x'" kfkd-save -nxp
misuses "a letter outside ASCII" "unrecognized option '-\\?'" kfkd-head "$(printf -- '-\303\251')"
misuses "a beginning of several names" "ambiguous option '--re'" kfkd-train --re
misuses "... and with an argument" "ambiguous option '--re=1'" kfkd-train --re=1
misuses "a name that goes on" "unrecognized option '--rows2'" kfkd-head --rows2
accepts "a beginning of one name" kfkd-head --ro 1
for word in "--x${escape}[2J" "-$escape" "--rows=$escape[2J" "--help=$escape" \
	"--x$(printf '\302\233')2J"; do
	kfkd-head "$word" >out 2>err
	is "a control character in an argument exits 2" $? 2
	is "... and does not reach the terminal" "$(tr -d ' -~\n' <err | wc -c)" 0
done
ln -s "$KFKD_BUILD/bin/kfkd-head" "head$escape"
"./head$escape" -x 2>err
like "a program under another name" "$(tr '\n' ' ' <err)" \
	"^head\\\\x1b: unrecognized option '-x' usage: head\\\\x1b .* try 'head\\\\x1b -h' for help"

done_testing
