#compdef @PROGRAMS@
# Completion for zsh: each program of kfkd says itself what may stand at a word.

local answer files
local -a options others

while IFS= read -r answer; do
	case $answer in
	('') files=yes ;;
	(*$'\t'*) options+=("${${answer%%$'\t'*}//:/\\:}:${answer#*$'\t'}") ;;
	(*) others+=("$answer") ;;
	esac
done < <(${~words[1]} --completion $((CURRENT - 1)) "${(@Q)words[2,-1]}" 2>/dev/null)

if [[ $files ]]; then
	compset -P '--*='
	_files
else
	_describe -o option options
	compadd -a others
fi
