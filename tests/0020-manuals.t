#!/bin/sh
# The manual pages: without faults, complete, and their examples run.
#
# An example is a line of a page's EXAMPLES that starts with "$ ", in a
# literal display or after .Dl; a line that ends in \ or | continues on the
# next.  Each page's examples run in order, in a directory of their own, with
# nothing on standard input.  They find there, all small and drawn:
#
#	training.csv         faces with keypoints, some of them missing
#	test.csv             faces without keypoints
#	IdLookupTable.csv    what to predict of test.csv's faces
#	net1.kfkd, net2.kfkd two models
#	photos.kfkd          faces with keypoints, from photographs
#
# An example must exit 0.

. "${0%/*}/lib.sh"
man=$(cd "${0%/*}/../man" && pwd) || exit 1
examples=$(cd "${0%/*}/../examples" && pwd) || exit 1

# -- faults --------------------------------------------------------------------

if command -v mandoc >/dev/null; then
	for page in "$man"/*.[157]; do
		is "mandoc has nothing to say on ${page##*/}" \
			"$(mandoc -T lint -W warning "$page" 2>&1)" ""
	done
else
	skip "mandoc has nothing to say" "mandoc is not installed"
fi

# -- on a terminal of 80 columns --------------------------------------------------

# Rows of columns lists that are not in one line of a rendered page, but for the end of
# the last cell; and literal lines that mandoc would fold.
torn() {
	perl -Mstrict -e 'my ($page, $rendered) = @ARGV;
		open my $in, "<", $rendered or die;
		my $text = do { local $/; <$in> };
		my $column;
		open $in, "<", $page or die;
		while (<$in>) {
			chomp;
			s/\\&|\\[cf].//g, s/\\-/-/g, s/\\\(aq/\x27/g, s/\\e/\\/g;
			$column = 1 if /^\.Bl -column/;
			$column = 0 if /^\.El/;
			print "$1\n" if /^\.Dl (.{68,})/;
			next unless $column && s/^\.It //;
			my @cell = map { s/^(Sy|Li|Cm|Va|Ar) //r } split / Ta /;
			$cell[-1] =~ s/ .*//;
			my $row = join " +", map { quotemeta } @cell;
			print "$_\n" unless $text =~ /^ +$row/m;
		}' "$1" "$2"
}

if command -v mandoc >/dev/null; then
	for page in "$man"/*.[157]; do
		mandoc -T ascii -O width=78 "$page" | sed 's/.\x08//g' >"$tmp/rendered"
		is "${page##*/} fits 80 columns" "$(grep '.\{81\}' "$tmp/rendered")" ""
		is "... no row or line is torn" "$(torn "$page" "$tmp/rendered")" ""
	done
else
	skip "pages fit 80 columns" "mandoc is not installed"
fi

# -- options -------------------------------------------------------------------

# The options that a page describes, as ".It Fl o , Fl Fl output Ar OUT" or with
# "Fl -output"; and those that -h lists.
options_of_page() {
	sed -n 's/^\.It .*Fl \(Fl \|-\)\([a-z][a-z0-9-]*\).*/--\2/p' "$1" | sort -u
}

options_of_program() {
	"$1" --help | grep -Eo -e '--[a-z][a-z0-9-]*' | sort -u
}

short_of_page() {
	sed -n '/^\.It Fl/s/^\.It Fl \([A-Za-z0-9]\)[ ,].*/-\1/p' "$1" | sort -u
}

short_of_program() {
	"$1" --help | sed -n 's/^  *\(-[A-Za-z0-9]\), --.*/\1/p' | sort -u
}

for program in "$KFKD_BUILD"/bin/kfkd-*; do
	name=${program##*/}
	page=$man/$name.1
	if [ ! -e "$page" ]; then
		fail "$name has a manual page"
		continue
	fi
	is "$name: page and -h have the same long options" \
		"$(options_of_page "$page")" "$(options_of_program "$program")"
	is "$name: page and -h have the same short options" \
		"$(short_of_page "$page")" "$(short_of_program "$program")"
	is "... --help and -V among them" "$(options_of_page "$page" | grep -x -e --help;
		short_of_page "$page" | grep -x -e -V)" "$(printf '%s\n' --help -V)"
	is "$name: sections in order" "$(sed -n 's/^\.Sh //p' "$page" |
		grep -Ex 'NAME|SYNOPSIS|DESCRIPTION|EXIT STATUS|EXAMPLES|SEE ALSO' |
		tr '\n' ' ')" \
		"NAME SYNOPSIS DESCRIPTION EXIT STATUS EXAMPLES SEE ALSO "
	ok "$name is listed in kfkd.7" grep -q "^\.It Xr $name 1" "$man/kfkd.7"
done
for page in "$man"/*.1; do
	name=${page##*/}
	ok "$name has a program" test -x "$KFKD_BUILD/bin/${name%.1}"
done

# Every page that another names is there (cat(1) and the like aside).
sed -n 's/^\.Xr \(kfkd[a-z-]*\) \([157]\).*/\1.\2/p
	s/^\.It Xr \(kfkd[a-z-]*\) \([157]\).*/\1.\2/p' "$man"/*.[157] | sort -u >"$tmp/pages"
ok "pages refer to others" test "$(wc -l <"$tmp/pages")" -gt 12
is "every page referred to exists" "$(while read -r name; do
	[ -e "$man/$name" ] || echo "$name"; done <"$tmp/pages")" ""

# -- examples ------------------------------------------------------------------

# Prints the examples of a page, one a line.
extract() {
	awk '
	/^\.Sh / { on = $2 == "EXAMPLES" }
	!on { next }
	{
		line = $0
		sub(/^\.Dl /, "", line)
		gsub(/\\&/, "", line)
		gsub(/\\-/, "-", line)
		gsub(/\\\(aq/, "\047", line)
		gsub(/\\\(dq/, "\"", line)
		gsub(/\\e/, "\\", line)
	}
	open || line ~ /^\$ / {
		if (!open) {
			line = substr(line, 3)
			text = ""
		}
		open = line ~ /[\\|]$/
		sub(/\\$/, "", line)
		text = text line
		if (!open)
			print text
	}' "$1"
}

# A verbatim C or Python text: the display after a line that matches $2.
display() {
	awk -v after="$2" '
	$0 ~ after { found = 1 }
	/^\.Ed/ && on { exit }
	on { gsub(/\\e/, "\\"); sub(/^\\&/, ""); print }
	found && /^\.Bd -literal/ { on = 1 }' "$1"
}

fixtures=$tmp/fixtures
mkdir "$fixtures"
(
	cd "$fixtures" || exit 1
	kfkd-synth --rows 48 --missing 0.3 --output training.csv &&
	kfkd-synth --rows 16 --seed 7 --test --output test.csv &&
	kfkd-load training.csv | kfkd-dropna | kfkd-scale >scaled &&
	kfkd-train --quiet --epochs 5 scaled >net1.kfkd &&
	kfkd-train --quiet --epochs 5 --seed 7 scaled >net2.kfkd &&
	rm scaled &&
	{
		echo RowId,ImageId,FeatureName,Location
		echo 1,1,left_eye_center_x,
		echo 2,1,nose_tip_y,
		echo 3,16,mouth_left_corner_x,
	} >IdLookupTable.csv &&
	for point in left_eye_outer_corner right_eye_outer_corner nose_tip; do
		echo ${point}_x,${point}_y
	done | paste -s -d , >columns &&
	printf '%s\n' 'a.jpg 1 0.5 0 -40 0 0.5 -60  220 190 140 190 180 230' \
		'a.jpg 2 0.4 0.1 -90 -0.1 0.4 -20  400 260 320 260 360 310' |
		"$KFKD_BUILD/tests/mkoriginal" "$(cat columns)" '' >photos.kfkd &&
	rm columns
)
is "files for the examples are drawn and trained" $? 0

for page in "$man"/*.[157]; do
	name=${page##*/}
	mkdir "$tmp/$name"
	cp "$fixtures"/* "$tmp/$name"
	extract "$page" >"$tmp/list"
	case $name in
	*.[17]) ok "$name has examples" test -s "$tmp/list" ;;
	esac
	while IFS= read -r line; do
		if (cd "$tmp/$name" && limited sh -c "$line" </dev/null) \
			>"$tmp/out" 2>&1; then
			pass "$name: $line"
		else
			fail "$name: $line" "$(head -c 1000 "$tmp/out")"
		fi
	done <"$tmp/list"
done

count=$(extract "$man/kfkd-plot.1" | grep wc)
is "kfkd-plot's example counts the pictures" "$(cd "$tmp/kfkd-plot.1" && sh -c "$count")" 16

# -- the filter in C and the readers in Python ---------------------------------

display "$man/kfkd-stream.5" '^\.Ss A filter in C' >"$tmp/contrast.c"
ok "the filter in kfkd-stream.5 is examples/contrast.c" \
	diff "$tmp/contrast.c" "$examples/contrast.c"

cd "$fixtures" || exit 1
kfkd-load training.csv >raw.kfkd
contrast=$KFKD_BUILD/examples/contrast
ok "it passes a stream on" sh -c \
	"'$contrast' <raw.kfkd >more.kfkd && kfkd-cat more.kfkd >/dev/null"
kfkd-stat more.kfkd | grep -v '^X' >more.stat
kfkd-stat raw.kfkd | grep -v '^X' >raw.stat
equal "nothing but the images changes" more.stat raw.stat
differ "... and they do" raw.kfkd more.kfkd
ok "again it changes nothing" sh -c "'$contrast' <more.kfkd | cmp - more.kfkd"
head -c 100000 raw.kfkd >cut.kfkd
refuses "it refuses what is cut" 1 truncated "$contrast" <cut.kfkd
{ head -c 200000 raw.kfkd; printf '\377'; tail -c +200002 raw.kfkd; } >bad.kfkd
refuses "it refuses what is damaged" 1 damaged "$contrast" <bad.kfkd
refuses "it refuses a CSV" 1 'no kfkd stream' "$contrast" <training.csv
refuses "it refuses no input" 1 truncated "$contrast" </dev/null
refuses "it refuses what is scaled" 1 U8 sh -c "kfkd-scale raw.kfkd | '$contrast'"

python=$KFKD_BUILD/venv/bin/python
if "$python" -c 'import numpy' 2>/dev/null; then
	display "$man/kfkd-stream.5" '^\.Ss A reader in Python' >reader.py
	is "the reader in kfkd-stream.5 has ten lines" \
		"$(grep -c . reader.py)" 10
	"$python" reader.py <raw.kfkd >read.txt 2>&1
	is "it reads a stream" "$(tail -n 1 read.txt)" "[] (0, 1, 96, 96)"
	like "... with all rows" "$(tr '\n' ' ' <read.txt)" ' 48\] \(48, 1, 96, 96\)'
	like "it refuses what is cut" \
		"$("$python" reader.py <cut.kfkd 2>&1)" 'Error'
	display "$man/kfkd-model.5" '^\.Ss A reader in Python' >model.py
	is "the reader in kfkd-model.5 has ten lines" \
		"$(grep -c . model.py)" 10
	like "it computes a net's outputs" \
		"$("$python" model.py <net1.kfkd 2>&1)" 'nose_tip_x'
else
	skip "the readers in Python" "no numpy in $KFKD_BUILD/venv"
fi

done_testing
