#!/bin/sh
# Scores of predictions, end to end.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

kfkd-synth -n 120 --missing 0.5 >faces.csv
kfkd-load faces.csv >raw
kfkd-scale raw >scaled
kfkd-dropna scaled | kfkd-train --quiet --epochs 3 >net
kfkd-predict --model net scaled >found
kfkd-score found >score
is "it succeeds" $? 0
is "a header comes first" "$(head -n 1 score)" "$(printf 'keypoint\tRMSE\tvalues')"
is "15 keypoints" "$(sed '1d;$d' score | cut -f 1 | tr '\n' ' ' | sed 's/ $//')" \
	"$(head -n 1 faces.csv | tr , '\n' | sed -n 's/_x$//p' | tr '\n' ' ' |
	sed 's/ $//')"
like "the last line is the overall error" "$(tail -n 1 score | tr '\t' ' ')" \
	'^overall [0-9]+\.[0-9]+ [0-9]+$'
is "all present values count" \
	"$(sed '1d;$d' score | awk '{ n += $3 } END { print n }')" \
	"$(awk -F, 'NR > 1 { for (i = 1; i <= 30; i++) n += $i != "" } END { print n }' faces.csv)"
is "... and overall has their number" "$(tail -n 1 score | cut -f 3)" \
	"$(sed '1d;$d' score | awk '{ n += $3 } END { print n }')"
is "overall is the mean over all values" \
	"$(sed '1d;$d' score | awk '$3 { s += $3 * $2 * $2; n += $3 }
		END { printf "%.2f\n", sqrt(s / n) }')" \
	"$(awk '$1 == "overall" { printf "%.2f\n", $2 }' score)"
kfkd-scale --undo found | kfkd-score >unscaled
is "unscaled the same, to the precision of a float" "$(paste score unscaled |
	awk 'NR > 1 { bad += ($2 - $(NF / 2 + 2)) ^ 2 > 1e-6 } END { print NR, bad }')" \
	"17 0"
is "a pipe the same" "$(cat found | kfkd-score)" "$(cat score)"

# -- as a table -----------------------------------------------------------------------

for rows in '' --rows; do
	kfkd-score $rows -o table.tsv found
	is "kfkd-score $rows: three fields in each line" \
		"$(awk -F '\t' '{ print NF }' table.tsv | sort -u)" 3
	if command -v mlr >/dev/null; then
		is "... which Miller reads" \
			"$(mlr --itsv --ojson cat table.tsv | grep -c '"values": [0-9]')" \
			"$(($(wc -l <table.tsv) - 1))"
	else
		skip "... which Miller reads" "miller is not installed"
	fi
done

awk -F, -v OFS=, 'NR == 1 { print "name", $0 } NR > 1 { print NR == 4 ? "" : "p " NR % 7, $0 }' \
	faces.csv | kfkd-load | kfkd-scale | kfkd-predict --model net >named
kfkd-score --rows found >rows
kfkd-score --rows named >named.tsv
is "--rows of rows with names: the same before these" "$(cut -f 1-3 named.tsv)" "$(cat rows)"
is "... which come last, or '-' for none" "$(cut -f 4 named.tsv)" \
	"$(echo name; awk 'NR > 1 && NR < 122 { print NR == 4 ? "-" : "p " NR % 7 }' rows; echo -)"
is "... and only there" "$(kfkd-score named)" "$(cat score)"
refuses "--confusion without classes" 1 'the stream has no labels' kfkd-score --confusion found

if "$KFKD_BUILD/venv/bin/python" -c 'import numpy, safetensors' 2>/dev/null; then
	kfkd-cat --single found >single.safetensors
	is "numpy computes the same" "$("$KFKD_BUILD/venv/bin/python" -c '
from safetensors.numpy import load_file
import numpy
t = load_file("single.safetensors")
e = (t["y"].astype(float) - t["p"]) * 48
print("%.4f" % numpy.sqrt(numpy.nanmean(e * e)))')" \
		"$(tail -n 1 score | cut -f 2)"
else
	skip "numpy computes the same" "no safetensors in $KFKD_BUILD/venv"
fi

# Some columns alone.
kfkd-load --columns nose_tip_y,nose_tip_x faces.csv | kfkd-scale |
	kfkd-predict --model net >nose
is "only common columns count" "$(kfkd-score nose | cut -f 1 | tr '\n' ' ')" \
	"keypoint nose_tip overall "
is "... found by name" "$(kfkd-score nose | grep nose)" "$(grep nose score)"

# -- what it refuses -------------------------------------------------------------

refuses "no predictions" 1 'pipe through kfkd-predict' kfkd-score scaled
kfkd-synth -n 5 --test | kfkd-load | kfkd-scale | kfkd-predict --model net >test
refuses "no targets" 1 'no targets' kfkd-score test
kfkd-synth -n 30 | sed '1s/_x/q_x/g;1s/_y/q_y/g' | kfkd-load | kfkd-scale |
	kfkd-predict --model net >renamed
refuses "no common column" 1 'no column in common' kfkd-score renamed
kfkd-head -n 0 found >empty
refuses "no rows" 1 'no row has a target' kfkd-score empty
head -c "$(($(wc -c <found) - 9))" found >cut
refuses "a cut stream" 1 "'cut'" kfkd-score cut
is "... gets no score" "$(kfkd-score cut 2>/dev/null)" ""
refuses "a full disk" 1 'cannot write' sh -c 'kfkd-score found >/dev/full'

done_testing
