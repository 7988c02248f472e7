# Completion for bash: each program of kfkd says itself what may stand at a word.

# The words of the line as the shell will see them, where readline also divides at
# characters such as = and : within words.
_kfkd_words() {
	local rest=$COMP_LINE i word last=-1

	words=()
	for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
		word=${COMP_WORDS[i]}
		if ((last < 0)) || [[ $rest == [[:blank:]]* || ! $word ]]; then
			words[++last]=
		fi
		rest=${rest#*"$word"}
		words[last]+=$word
		if ((i == COMP_CWORD)); then
			at=$last
		fi
	done
}

_kfkd() {
	local words at whole answer

	_kfkd_words
	whole=${words[at]}
	COMPREPLY=()
	while IFS= read -r answer; do
		if [[ ! $answer ]]; then
			compopt -o default # names of files
			continue
		fi
		answer=${answer%%$'\t'*}
		if [[ $answer == "$whole"* ]]; then
			# what readline replaces is but the end of the word
			COMPREPLY+=("${answer:${#whole} - ${#2}}")
		fi
	done < <("$1" --completion "$at" "${words[@]:1}" 2>/dev/null)
}

complete -F _kfkd @PROGRAMS@
