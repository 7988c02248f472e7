# Loading a CSV of Kaggle's size, and the way from there to scaled faces.  kfkd's
# times are those of whole processes, the Python ones go without start and imports.

kfkd-synth -n 7049 -o csv
load_once() {
	clock load kfkd-load csv
	clock pipe sh -c 'kfkd-load csv | kfkd-dropna | kfkd-scale'
	clock bytes sh -c 'kfkd-load csv | kfkd-dropna | kfkd-scale --bytes'
	clock scan sh -c '"$0" <csv' "$KFKD_BUILD/tests/csv_scan"
	clock cat cat csv
	clock cats sh -c 'cat csv | cat | cat'
}
again 7 load_once >/dev/null
memory load.mib kfkd-load csv >/dev/null
for p in pandas polars pyarrow; do
	! have $p || again 3 peer $p csv_$p.py csv
done

what="load 7,049 rows"
row "$what" kfkd-load s load
row "$what" "pandas, the tutorial's code" s pandas 80
row "$what" polars s polars
row "$what" pyarrow s pyarrow
row "$what" "libcsv, fields ignored" s scan 1
row "$what" "limit: cat" s cat

what="load 7,049 rows, peak memory"
row "$what" kfkd-load MiB load.mib
row "$what" pandas MiB pandas.mib
row "$what" polars MiB polars.mib
row "$what" pyarrow MiB pyarrow.mib

what="load | dropna | scale, 7,049 rows"
row "$what" kfkd s pipe
row "$what" "kfkd, kfkd-scale --bytes" s bytes
row "$what" "kfkd-load alone" s load
row "$what" "pandas, the tutorial's code" s pandas
row "$what" "limit: cat | cat | cat" s cats

what="load | dropna | scale --bytes, 7,049 rows"
row "$what" kfkd s bytes
row "$what" "kfkd-load alone" s load 0.769
