#!/bin/sh
# Debian packages, by dpkg-deb alone, of a tree as `make stage` leaves it.
#
#   sh deb.sh STAGE OUT CUDA   writes OUT/kfkd_VERSION_ARCHITECTURE.deb, and one for
#                              each plugin besides the CPU's: kfkd-cuda, kfkd-mpi;
#                              CUDA is where the toolkit's libraries are
#
# They are the same bytes for the same commit and the same tools.
set -eu
stage=$1 out=$2 cuda=$3
version=$(sed -n 's/^#define VERSION "\(.*\)".*/\1/p' cmd/options.h)-1
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-The kfkd developers} <${DEBEMAIL:-developers@kfkd.invalid}>"
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y NEWS)}"
export SOURCE_DATE_EPOCH

# The packages that the programs and plugins of a tree need.
depends() {
	mkdir -p "$out/shlibs/debian"
	printf 'Source: kfkd\n\nPackage: kfkd\nArchitecture: any\n' >"$out/shlibs/debian/control"
	tree=$(realpath "$1")
	(cd "$out/shlibs" && find "$tree" \( -path '*/bin/*' -o -name '*.so' \) -type f -exec \
		dpkg-shlibdeps -O --ignore-missing-info -l"$cuda" {} +) >"$out/depends" 2>"$out/log" || {
		cat "$out/log" >&2
		exit 1
	}
	sed 's/^shlibs:Depends=//' "$out/depends"
}

# pack PACKAGE SECTION DEPENDS: the tree $out/PACKAGE, with what stands on standard input
# as its description.
pack() {
	tree=$out/$1
	find "$tree" -type d -exec chmod 755 {} +
	find "$tree" \( -path '*/bin/*' -o -name '*.so' \) -type f -exec \
		strip --strip-unneeded --remove-section=.comment --remove-section=.note {} +
	needs=$(depends "$tree")
	mkdir -p "$tree/DEBIAN"
	(cd "$tree" && find usr -type f -printf '%P\0' | LC_ALL=C sort -z |
		(cd usr && xargs -0 md5sum) | sed 's|  |  usr/|') >"$tree/DEBIAN/md5sums"
	{
		cat <<-EOT
			Package: $1
			Source: kfkd
			Version: $version
			Architecture: $architecture
			Maintainer: $maintainer
			Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$tree" | cut -f 1)
			Depends: $3${3:+${needs:+, }}$needs
			Section: $2
			Priority: optional
		EOT
		cat
	} >"$tree/DEBIAN/control"
	dpkg-deb --root-owner-group --build "$tree" \
		"$out/$1_${version}_$architecture.deb"
}

rm -rf "$out/kfkd" "$out/kfkd-cuda" "$out/kfkd-mpi" "$out"/kfkd*.deb
mkdir -p "$out/kfkd"
cp -a "$stage" "$out/kfkd/usr"

# plugin FILE PACKAGE: moves a plugin to a package of its own; whether it is there
plugin() {
	[ -e "$out/kfkd/usr/lib/kfkd/$1" ] || return
	mkdir -p "$out/$2/usr/lib/kfkd" "$out/$2/usr/share/doc"
	mv "$out/kfkd/usr/lib/kfkd/$1" "$out/$2/usr/lib/kfkd"
	ln -s kfkd "$out/$2/usr/share/doc/$2"
}

if plugin backend_cuda.so kfkd-cuda; then
	pack kfkd-cuda contrib/science "kfkd (= $version)" <<-EOT
		Description: facial keypoints in pipelines, on NVIDIA's GPUs
		 The plugin by which kfkd-train and kfkd-predict use a GPU.  It needs NVIDIA's
		 driver, and CUDA's runtime and cuBLAS where the system finds libraries:
		 $(objdump -p "$out/kfkd-cuda/usr/lib/kfkd/backend_cuda.so" |
			sed -n 's/.*NEEDED *\(libcu.*\)/\1/p' | paste -s -d , | sed 's/,/ and /').
	EOT
fi
if plugin comm_mpi.so kfkd-mpi; then
	pack kfkd-mpi science "kfkd (= $version), openmpi-bin" <<-EOT
		Description: facial keypoints in pipelines, trained by several processes
		 The plugin by which several processes of kfkd-train, on one machine or
		 several, train one net, joined by Open MPI.
	EOT
fi
rm -f "$out/kfkd/usr/lib/kfkd/comm_nccl.so" # NCCL is in no package of Debian's main

doc=$out/kfkd/usr/share/doc/kfkd
rm "$doc/LICENSE"
{
	cat <<-EOT
		Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
		Upstream-Name: kfkd

		Files: *
		Copyright: $(sed -n 's/^Copyright (c) //p' LICENSE)
		License: ISC
	EOT
	sed '1,/^Permission/{/^Permission/!d}; s/^$/./; s/^/ /' LICENSE
} >"$doc/copyright"
{
	cat <<-EOT
		kfkd ($version) unstable; urgency=medium

		  * Version ${version%-1}; changelog.gz says what is new.

		 -- $maintainer  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
	EOT
} | gzip -9n >"$doc/changelog.Debian.gz"
gzip -9n <"$doc/NEWS" >"$doc/changelog.gz"
rm "$doc/NEWS"
find "$out/kfkd/usr/share/man" -type f -exec gzip -9n {} +
pack kfkd science "" <<-EOT
	Suggests: kfkd-mpi, bash-completion, ffmpeg, man-db, netpbm
	Description: small programs that learn facial keypoints, for pipelines
	 Each program does one step, reads a stream of tensors and writes one: they
	 load faces from CSV or labelled photographs, drop and scale rows, train
	 nets, predict, score, and draw what was found.  Streams and models are
	 safetensors.
	 .
	 Nets are trained on the CPU, by oneDNN; with kfkd-mpi several processes
	 train one.
EOT
