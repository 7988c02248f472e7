# Completion for fish: each program of kfkd says itself what may stand at a word.

# fish shows a completion the line as far as the cursor.
function __kfkd_answers
	set -l words (commandline -opc)
	set -l word (commandline -ct)

	for answer in ($words[1] --completion (count $words) $words[2..] "$word" 2>/dev/null)
		if test -n "$answer"
			echo $answer
		else # names of files
			set -l option (string match -r -- '^--[^=]*=' $word)
			set -l path (string replace -- "$option" '' $word)
			string replace -r '^' -- "$option" (__fish_complete_path $path)
		end
	end
end

for program in @PROGRAMS@
	complete -c $program -f -a '(__kfkd_answers)'
end
