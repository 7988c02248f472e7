/*
 * What fuzz targets share.  `make fuzz` builds them with libFuzzer; without
 * KF_LIBFUZZER they are plain programs, which read the files that they are given:
 *
 *     fuzz_<name> FILE ...
 *
 * A target of safetensors defines FUZZ_SAFETENSORS first, and one with a main of its own
 * FUZZ_OWN_MAIN.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A file of these bytes, at its start; the next call overwrites it. */
static inline int fuzz_file(const uint8_t *data, size_t n)
{
	static int fd = -1;
	struct kf_err err;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) != 0 ||
		kf_write(fd, "fuzz", data, n, &err) < 0 || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

/* The bytes as a string of their exact size, for the caller to free. */
static inline char *fuzz_text(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);

	if (!text)
		abort();
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	return text;
}

#if defined KF_LIBFUZZER && defined FUZZ_SAFETENSORS

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed);

/* Mostly, the length of the first header is set to match it again: few other changes of
 * a header get beyond its first bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed)
{
	uint8_t *end;

	n = LLVMFuzzerMutate(data, n, room);
	if (n < 16 || seed % 8 == 0 || !(end = memmem(data, n, "}}", 2)))
		return n;
	end += 2;
	while (end < data + n && *end == ' ')
		end++;
	for (int i = 0; i < 8; i++)
		data[i] = (uint8_t)((uint64_t)(end - data - 8) >> (8 * i));
	return n;
}

#endif

#ifndef KF_LIBFUZZER

/* main of a plain program. */
static inline int fuzz_replay(int argc, char **argv)
{
	static uint8_t data[1 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rb");

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, f));
		fclose(f);
	}
	return 0;
}

#ifndef FUZZ_OWN_MAIN
int main(int argc, char **argv)
{
	return fuzz_replay(argc, argv);
}
#endif

#endif

#endif
