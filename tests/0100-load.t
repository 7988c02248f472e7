#!/bin/sh
# kfkd-load: Kaggle's CSV in all its forms, and what is wrong with others.
# kfkd-save, which writes what was loaded in one form, is the other half.

. "${0%/*}/lib.sh"
cd "$tmp" || exit 1

# What a CSV on standard input holds, in kfkd-save's form.
loaded() {
	kfkd-load "$@" | kfkd-save --ids
}

# -- layouts ------------------------------------------------------------------------

cat >training.csv <<'EOT'
a_x,a_y,b_x,Image
1.5,2,,0 1 2 3
-3,4.25,5e-3,255 20 3 100
EOT
cat >want <<'EOT'
ImageId,a_x,a_y,b_x,Image
1,1.5,2,,0 1 2 3
2,-3,4.25,0.005,255 20 3 100
EOT
is "training.csv" "$(loaded training.csv)" "$(cat want)"
is "from standard input" "$(loaded <training.csv)" "$(cat want)"
printf 'ImageId,Image\n7,1 2 3 4\n3,5 6 7 8\n' >test.csv
is "test.csv" "$(loaded test.csv)" "$(cat test.csv)"
is "Image alone" "$(printf 'Image\n9\n8\n' | loaded)" "$(printf 'ImageId,Image\n1,9\n2,8')"
is "columns in any order" "$(printf 'a_x,Image,b_x,ImageId\n1,2,3,4\n' | loaded)" \
	"$(printf 'ImageId,a_x,b_x,Image\n4,1,3,2')"

is "--columns picks and orders" "$(loaded --columns b_x,a_x training.csv)" \
	"$(printf 'ImageId,b_x,a_x,Image\n1,,1.5,0 1 2 3\n2,0.005,-3,255 20 3 100')"
is "... and looks at no other" "$(printf 'a_x,b_x,Image\n1,word,2\n' | loaded -c a_x)" \
	"$(printf 'ImageId,a_x,Image\n1,1,2')"

# A column without a name, as pandas and R write it, is no target; with --columns
# others may be called anything.
for csv in ',a_x,Image\n0,1,2\n' '"","a_x","Image"\n"1",1,"2"\n' 'a_x,Image,\n1,2,\n' \
	',a_x,,Image\nx,1,"y,z",2\n'; do
	is "a column without a name: $csv" "$(printf "$csv" | loaded)" \
		"$(printf 'ImageId,a_x,Image\n1,1,2')"
done
for csv in 'b,b,a_x,Image\nx,y,1,2\n' '"b,c",a_x,Image\nx,1,2\n' \
	'"b\n\033[2J\302\233",a_x,Image\nx,1,2\n' '\377,a_x,Image\n0,1,2\n'; do
	is "--columns, and a column called otherwise: $csv" "$(printf "$csv" | loaded -c a_x)" \
		"$(printf 'ImageId,a_x,Image\n1,1,2')"
done
printf 'a_x,a_x,Image\n1,2,3\n' >bad.csv
refuses "--columns, and a column twice" 1 "line 1: there are two columns 'a_x'\$" \
	kfkd-load -c a_x bad.csv

is "NaN and NA are missing values" \
	"$(printf 'a,b,Image\nNaN,1,2\n1,NA,2\n"NA", NaN ,2\n' | loaded)" \
	"$(printf 'ImageId,a,b,Image\n1,,1,2\n2,1,,2\n3,,,2')"
is "ids from 0" "$(printf 'ImageId,Image\n0,1\n"00",2\n' | loaded)" \
	"$(printf 'ImageId,Image\n0,1\n0,2')"

is "--size 4x1" "$(loaded --size 4x1 training.csv)" "$(cat want)"
printf 'Image\n1 2 3 4 5 6\n' >wide.csv
is "--size for images that are not square" "$(loaded -z 3x2 wide.csv)" \
	"$(printf 'ImageId,Image\n1,1 2 3 4 5 6')"
is "no rows, but a size" "$(printf 'a_x,Image\n' | loaded --size 2x2)" "ImageId,a_x,Image"

# -- forms of CSV -------------------------------------------------------------------

# The file "form" is training.csv, written differently.
same() {
	is "$1" "$(loaded form)" "$(cat want)"
}
sed 's/$/\r/' training.csv >form
same "CRLF"
tr '\n' '\r' <training.csv >form
same "CR"
printf '%s' "$(cat training.csv)" >form
same "no newline at the end"
printf '%s\r' "$(cat training.csv)" >form
same "a carriage return at the end"
{ printf '\357\273\277'; cat training.csv; } >form
same "a byte order mark"
{ printf '\n  \n\r\n'; sed 's/$/\n\r\n \t/' training.csv; } >form
same "blank lines"
sed 's/$/\r\r/' training.csv >form
same "CR CR LF"
sed 's/[^,]*/"&"/g' training.csv >form
same "quotes around everything"
sed 's/[^,]*/ &\t/g' training.csv >form
same "spaces around everything"
sed 's/[^,]*/ " & " /g' training.csv | sed '1s/ //g' >form
same "spaces inside quotes, too"
sed '2,$s/ /  /g; 2,$s/[0-9]*$/00& /' training.csv >form
same "further spaces and zeros in the image"
is "a blank line inside quotes" "$(printf 'a,n,Image\n1,"x\n\ny",2\n' | loaded -c a)" \
	"$(printf 'ImageId,a,Image\n1,1,2')"
sed '2s/1.5/"1.5"/' training.csv >form
same "one quoted field"
sed '2s/1.5/+1.500e0/; s/4.25/42.5E-1/' training.csv >form
same "numbers written otherwise"

printf '"a ""b"", c",Image\n1,2\n' >quoted.csv
refuses "a name with a comma" 1 "line 1: column name 'a \"b\", c' has a comma" \
	kfkd-load quoted.csv
is "a name with quotes" \
	"$(printf '"a ""b""",Image\n1,2\n' | kfkd-load | kfkd-save | head -n 1)" \
	'"a ""b""",Image'

# -- names --------------------------------------------------------------------------

cat >names.csv <<'EOT'
a_x,name,Image
1,anna,2
3,"O'Neil, ""J"" ",4
5,,6
7,  Jörg ,8
EOT
is "a column of names" "$(loaded names.csv)" "$(cat <<'EOT'
ImageId,name,a_x,Image
1,anna,1,2
2,"O'Neil, ""J"" ",3,4
3,,5,6
4,Jörg,7,8
EOT
)"
is "... has them beside --columns, too" "$(loaded -c a_x names.csv)" "$(loaded names.csv)"
like "... as a tensor" "$(kfkd-load names.csv | head -c 500)" '"name":."dtype":"U8","shape":.4,64.'
name63=$(printf '%063d' 0)
is "a name of 63 bytes" "$(printf 'name,Image\n%s,1\n' $name63 | loaded)" \
	"$(printf 'ImageId,name,Image\n1,%s,1' $name63)"
while IFS='|' read -r pattern bytes; do
	printf 'name,Image\na,1\n%b,2\n' "$bytes" >bad.csv
	refuses "a name that is none: $pattern" 1 \
		"'bad.csv', line 3, row 2, column 'name': $pattern\$" kfkd-load bad.csv
done <<EOT
a name of 64 bytes; it may have 63|${name63}0
a name of 66 bytes; it may have 63|"${name63} ""x"
it has a control character|a\tb
it has a control character|"a\nb"
it has a control character|a\0302\0205
it is not UTF-8|a\0377
EOT
printf 'name,Image\na\tb,1\n' >bad.csv
refuses "--columns name" 1 "there is no target 'name', nor any other" kfkd-load -c name bad.csv
printf 'name,name,Image\na,b,1\n' >bad.csv
refuses "names twice" 1 "line 1: there are two columns 'name'" kfkd-load bad.csv

# -- what is wrong ------------------------------------------------------------------

# What people have in place of a CSV, and what is said of it.
while IFS='|' read -r pattern bytes; do
	printf "$bytes" >bad.csv
	refuses "instead of a CSV: $pattern" 1 "^kfkd-load: 'bad.csv' is $pattern" kfkd-load bad.csv
	refuses "... and of a stream" 1 "'bad.csv', byte 0: not a kfkd .* but $pattern" \
		kfkd-scale bad.csv
done <<'EOT'
compressed by gzip; pipe it through zcat$|\037\213\010\0\0\0\0\0\0\3abc
compressed by xz; pipe it through xzcat$|\3757zXZ\0\0\4abc
compressed by bzip2; pipe it through bzcat$|BZh91AY&SYabc
compressed by zstd; pipe it through zstdcat$|\050\265\057\375abcdef
compressed by lz4; pipe it through lz4cat$|\004\042\115\030abcdef
a zip archive; unpack it|PK\003\004abcdef
a 7z archive; unpack it|7z\274\257\047\034abcd
a RAR archive; unpack it|Rar!\032\7abcd
a BMP image; .*bmptopnm FILE|BM\106\0\0\0\0\0\0\0\066\0\0\0
a TIFF image; .*tifftopnm FILE|II*\0abcdef
a GIF image; .*ffmpeg -i FILE|GIF89a\10\0\10\0
a WebP image; .*ffmpeg -i FILE|RIFFabcdWEBPVP8
a film .AVI.; .*ffmpeg -i FILE|RIFFabcdAVI LIST
a film or image .MP4, MOV, HEIC.; .*ffmpeg -i FILE|\0\0\0\040ftypisom
a film .Matroska, WebM.; .*ffmpeg -i FILE|\032\105\337\243abcdef
an array of NumPy; .*safetensors|\223NUMPY\1\0v\0
an HDF5 file; .*safetensors|\211HDF\r\n\032\n
a pointer of Git LFS, not the file itself; .*git lfs pull$|version https://git-lfs.github.com/spec/v1\n
a web page; download|<!DOCTYPE html>
text in UTF-16; .*iconv -f UTF-16|\377\376a\0,\0I\0m\0a\0g\0e\0
EOT
mkdir archive && cp training.csv archive && tar -cf bad.csv archive
refuses "a type that is told by what arrives later" 1 "is a pointer of Git LFS" sh -c \
	"{ printf 'version https:'; sleep .3; printf '//git-lfs.github.com'; } | kfkd-load"
refuses "a tar archive" 1 "is a tar archive; unpack it" kfkd-load bad.csv
refuses "... instead of a stream" 1 "but a tar archive; unpack it" kfkd-scale bad.csv
is "a CSV whose first name begins like a bitmap" \
	"$(printf 'BM_ftyp,BZh9,Image\n1,2,3\n' | loaded)" "$(printf 'ImageId,BM_ftyp,BZh9,Image\n1,1,2,3')"

# What goes to the wrong program.
kfkd-load training.csv >stream
refuses "a stream for kfkd-load" 1 "'stream' is a tensor stream or model, not CSV" kfkd-load stream
printf 'P5 2 1 255\nAB' >one.pgm
printf '\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\2AB' >one.idx
for f in training.csv one.pgm one.idx; do
	refuses "$f for kfkd-scale" 1 "'$f', byte 0: not a kfkd .*; .* pass it through kfkd-load\$" \
		kfkd-scale "$f"
done

# Each line: what, pattern of the message, CSV as printf takes it.
while IFS='|' read -r what pattern csv; do
	printf "$csv" >bad.csv
	refuses "$what" 1 "^kfkd-load: 'bad.csv'.*$pattern" kfkd-load bad.csv
	kfkd-load bad.csv 2>load.err | kfkd-cat >out 2>err
	is "... and kfkd-cat fails with it" $? 1
done <<'EOT'
a row with too few fields|line 3, row 2: 1 fields, but the header has 2$|a,Image\n1,2\n3\n
a row with too many|line 3, row 2: 3 fields, but the header has 2$|a,Image\n1,2\n3,4,5\n
too few pixels|line 3, row 2, column 'Image': 3 pixels, not 2 x 2 = 4$|a,Image\n1,1 2 3 4\n3,4 5 6\n
too many pixels|line 3, row 2, column 'Image': 5 pixels, not 2 x 2 = 4$|a,Image\n1,1 2 3 4\n3,4 5 6 7 8\n
a pixel of 256|line 3, row 2, column 'Image': pixel 2 is '256', not|a,Image\n1,1 2 3 4\n3,4 256 6 7\n
a pixel of 1000|line 2, row 1, column 'Image': pixel 1 is '1000', not|a,Image\n1,1000 2 3 4\n
a negative pixel|line 2, row 1, column 'Image': pixel 4 is '-4', not|a,Image\n1,1 2 3 -4\n
a pixel with a fraction|line 2, row 1, column 'Image': pixel 2 is '2.5', not|a,Image\n1,1 2.5 3 4\n
a word for a pixel|row 2, column 'Image': pixel 1 is 'word', not|a,Image\n1,1 2 3 4\n1,word 2 3 4\n
a tab between pixels|column 'Image': pixel 1 is '1.2', not|a,Image\n1,"1\t2 3 4"\n
a word for a number|line 2, row 1, column 'a': 'word' is not a number$|a,Image\nword,1\n
nan|line 2, row 1, column 'a': 'nan' is not a number$|a,Image\nnan,1\n
an infinity|line 2, row 1, column 'a': 'inf' is not a number$|a,Image\ninf,1\n
a number too large|line 2, row 1, column 'a': '1e39' is too large$|a,Image\n1e39,1\n
a hexadecimal number|line 2, row 1, column 'a': '0x10' is not a number$|a,Image\n0x10,1\n
two numbers|line 2, row 1, column 'a': '1 2' is not a number$|a,Image\n1 2,1\n
a sign alone|line 2, row 1, column 'a': '-' is not a number$|a,Image\n-,1\n
a decimal comma|line 2, row 1, column 'a': '1,5' is not a number$|a,Image\n"1,5",1\n
no Image|line 1: there is no column 'Image'$|a,b\n1,1\n
a name with a control character of C1|line 1: a column name has a control character$|a\302\233,Image\n1,1\n
semicolons|no column 'Image'; its columns must be separated by commas, not semicolons$|a;Image\n1;1\n
tabs|no column 'Image'; its columns must be separated by commas, not tabs$|a\tImage\n1\t1\n
na|line 2, row 1, column 'a': 'na' is not a number$|a,Image\nna,1\n
a word that begins with NA|line 2, row 1, column 'a': 'NAN' is not a number$|a,Image\nNAN,1\n
NA for a pixel|line 2, row 1, column 'Image': pixel 1 is 'NA', not|a,Image\n1,NA\n
an empty Image|line 3, row 2, column 'Image': there are no pixels$|a,Image\n1,1\n1,\n
an empty Image first|line 2, row 1, column 'Image': there are no pixels$|a,Image\n1,""\n
images that are not square|line 2, row 1, column 'Image': 3 pixels do not make a square.*--size|a,Image\n1,1 2 3\n
a column twice|line 1: there are two columns 'a'$|a,b,a,Image\n1,1,1,1\n
Image twice|line 1: there are two columns 'Image'$|Image,Image\n1,1\n
a NUL in the header|line 1: there is a NUL byte$|a\000b,Image\n1,1\n
a NUL in a number|line 2, row 1, column 'a': there is a NUL byte$|a,Image\n1\0002,1\n
a NUL in an image|line 3, row 2, column 'Image': there is a NUL byte$|a,Image\n1,1\n1,1\000\n
an id of -1|line 2, row 1, column 'ImageId': '-1' is not a whole number from 0$|ImageId,Image\n-1,1\n
an empty id|line 3, row 2, column 'ImageId': '' is not a whole number|ImageId,Image\n1,1\n,1\n
an id with a fraction|row 1, column 'ImageId': '1.0' is not a whole number|ImageId,Image\n1.0,1\n
an id too large|column 'ImageId': '9223372036854775808' is not|ImageId,Image\n9223372036854775808,1\n
an id of 2^64 + 1|row 2, column 'ImageId': '18446744073709551617' is not|ImageId,Image\n1,1\n18446744073709551617,1\n
an empty file|is empty$|
blank lines only|has no header$|\n \n\n
a byte order mark only|has no header$|\357\273\277
a header without rows|has a header but no rows.*--size|a,Image\n
a quote inside a field|line 2, row 1, column 'a': a quote in the wrong place$|a,Image\n1"2",1\n
text behind a quote|line 2, row 1, column 'Image': a quote in the wrong place$|a,Image\n1,"1"2\n
a quote that is not closed|line 3, row 2, column 'Image': a quote is not closed$|a,Image\n1,1\n2,"1\n3,1\n
EOT

for end in '\n' '\r\n' '\r'; do
	printf "\nn,a,Image\n\n\"x\ny\",1,1\n \n2,x,1\n" | sed "s/\$/\r/" >bad.csv
	case $end in
	'\n') tr -d '\r' <bad.csv >bad ;;
	'\r') tr -d '\n' <bad.csv >bad ;;
	*) cp bad.csv bad ;;
	esac
	refuses "lines and rows that differ, with $end" 1 \
		"line 7, row 2, column 'a': 'x' is not a number" kfkd-load -c a bad
done

refuses "a line end that arrives in two pieces" 1 \
	"line 3, row 2, column 'a': 'x' is not a number" sh -c \
	"{ printf 'a,Image\n1,1\r\r'; sleep .3; printf '\nx,1\n'; } | kfkd-load -c a"
refuses "an unknown column" 1 "there is no target 'ear', but a_x,a_y,b_x\$" \
	kfkd-load --columns a_x,ear training.csv
refuses "Image is no target" 1 "there is no target 'Image', but a_x" \
	kfkd-load --columns Image training.csv
refuses "no targets at all" 1 "there is no target 'a_x', nor any other\$" \
	kfkd-load --columns a_x test.csv
refuses "another size" 1 "row 1, column 'Image': 4 pixels, not 3 x 1 = 3" \
	kfkd-load --size 3x1 training.csv
refuses "a row without end" 1 "line 1: a row of more than 65536 bytes; is this CSV" \
	sh -c 'yes | tr -d "\n" | kfkd-load'
refuses "... nor any newline" 1 "line 2, row 1: a row of more than 17825792 bytes" \
	sh -c '{ echo a,Image; yes 1 | tr "\n" " "; } | kfkd-load'
refuses "... in quotes" 1 "line 2, row 1: a row of more than 17825792 bytes" \
	sh -c '{ echo a,Image; printf \"; yes; } | kfkd-load'
refuses "zeros without end" 1 "line 1: " kfkd-load /dev/zero
head -c 100000 "$(command -v kfkd-load)" >bad.csv
refuses "a program" 1 "line 1: " kfkd-load bad.csv
for option in --columns=a,a --columns=a,,b --size=2 --size=0x5 --size=-1x5 --size=2x2x2 \
	--size=16385x1 --size=1x16385; do
	kfkd-load "$option" training.csv >out 2>err
	is "$option exits 2" $? 2
done

# -- much -----------------------------------------------------------------------------

# Faces as large as Kaggle's, and many more bytes than the buffer holds.
awk 'BEGIN {
	print "nose_tip_x,nose_tip_y,Image"
	for (row = 1; row <= 60; row++) {
		line = row / 8 "," (row % 3 ? row * 0.25 : "") ","
		for (i = 0; i < 9216; i++) {
			seed = (seed * 69069 + 12345) % 4294967296
			line = line (i ? " " : "") int(seed / 65536) % 256
		}
		print line
	}
}' >faces.csv
ok "60 large faces come back as they were" sh -c \
	'kfkd-load faces.csv | kfkd-save | cmp - faces.csv'
ok "so from a slow pipe in small pieces" sh -c \
	'head -n 4 faces.csv >few && dd if=few bs=37 status=none | kfkd-load |
	kfkd-save | cmp - few'
ok "so when all is quoted" sh -c "sed 's/[^,]*/\"&\"/g' faces.csv | kfkd-load |
	kfkd-save | cmp - faces.csv"

ok "the fuzz target, too, finds both ways to read in agreement" \
	"$KFKD_BUILD/tests/fuzz_load" training.csv test.csv quoted.csv bad.csv few

if grep -q __asan_init "$(command -v kfkd-load)"; then
	skip "memory and speed" "the address checker takes more"
else
	{
		echo Image
		yes 1 | head -n 8000000 | tr '\n' ' '
	} | "$KFKD_BUILD/tests/maxrss" rss kfkd-load --size 4000x2000 -o /dev/null
	is "a row of 16 MB" $? 0
	ok "... fits in 64 MiB ($(($(cat rss) / 1024)))" \
		test "$(cat rss)" -lt 65536
fi

# -- real faces, where there are any ----------------------------------------------------

if [ -n "${KFKD_FACES-}" ]; then
	kfkd-load "$KFKD_FACES" >faces.kfkd
	kfkd-save faces.kfkd | kfkd-load >again.kfkd
	equal "KFKD_FACES: saved and loaded again" again.kfkd faces.kfkd
else
	skip "KFKD_FACES" "not set"
fi

done_testing
