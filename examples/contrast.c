/*
 * contrast: stretches each image of a tensor stream over all 256 shades.
 *
 *     kfkd-load faces.csv | contrast | kfkd-scale | ...
 *
 * A complete filter without libkfkd.  It changes pixels only, so a chunk's
 * header stays as it is but for the checksum.  Link with -ljansson and
 * -lxxhash.
 */
#define _GNU_SOURCE
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define MAX (64 << 20) /* of a header or its data; see kfkd-cat */

static void need(int condition, const char *otherwise)
{
	if (condition)
		return;
	fprintf(stderr, "contrast: %s\n", otherwise);
	exit(1);
}

/* The next n bytes in memory of their own. */
static char *take(size_t n)
{
	char *p = n <= MAX ? malloc(n + 1) : NULL;

	need(p != NULL, "no kfkd stream, or one with a huge chunk");
	need(fread(p, 1, n, stdin) == n, "the input is truncated");
	return p;
}

/* That of prefix, header and data, the header's own digits being 0. */
static void checksum(const char *header, size_t n, const char *data,
	size_t size, char digits[17])
{
	uint64_t prefix = n; /* little-endian, as this machine is */
	XXH3_state_t *s = XXH3_createState();

	need(s && XXH3_64bits_reset(s) == XXH_OK, "out of memory");
	XXH3_64bits_update(s, &prefix, 8);
	XXH3_64bits_update(s, header, n);
	XXH3_64bits_update(s, data, size);
	sprintf(digits, "%016llx",
		(unsigned long long)XXH3_64bits_digest(s));
	XXH3_freeState(s);
}

static void stretch(uint8_t *pixel, size_t n)
{
	unsigned low = 255, high = 0;

	for (size_t i = 0; i < n; i++) {
		low = pixel[i] < low ? pixel[i] : low;
		high = pixel[i] > high ? pixel[i] : high;
	}
	for (size_t i = 0, range = high - low; i < n && range; i++)
		pixel[i] = (uint8_t)((pixel[i] - low) * 255 / range);
}

/* What is needed of a header. */
struct chunk {
	char *header, *digits; /* of the checksum, inside the header */
	char want[17];         /* the same digits */
	json_int_t rows, size;
	json_int_t x, x_end; /* X lies in data[x] to data[x_end] */
	int last;
};

static void parse(struct chunk *c, size_t n)
{
	json_t *root = json_loadb(c->header, n, JSON_REJECT_DUPLICATES, 0);
	json_t *meta = json_object_get(root, "__metadata__"), *t;
	const char *sum = json_string_value(json_object_get(meta, "xxh3"));
	const char *name, *type = NULL;
	json_int_t rows, begin, end;

	c->digits = memmem(c->header, n, "\"xxh3\":\"", 8);
	need(sum && strlen(sum) == 16 && c->digits &&
		c->digits + 24 <= c->header + n,
		"the input is no kfkd stream");
	c->digits += 8;
	memcpy(c->want, sum, 17);
	c->last = json_object_get(meta, "rows") != NULL;
	json_object_foreach(root, name, t) {
		if (t == meta)
			continue;
		need(!json_unpack(t, "{s:[I], s:[II]}", "shape", &rows,
			"data_offsets", &begin, &end) &&
			0 <= begin && begin <= end, "a header is damaged");
		c->size = end > c->size ? end : c->size;
		if (strcmp(name, "X"))
			continue;
		type = json_string_value(json_object_get(t, "dtype"));
		need(type && !strcmp(type, "U8"),
			"X is not U8; come before kfkd-scale");
		need(0 <= rows && rows <= end - begin,
			"a header is damaged");
		c->rows = rows, c->x = begin, c->x_end = end;
	}
	need(type != NULL, "there is no X");
	json_decref(root);
}

/* Reads, changes and writes a chunk; returns whether it is the last. */
static int pass_chunk(size_t n)
{
	struct chunk c = { .header = take(n) };
	char *data, is[17];
	uint64_t prefix = n;

	parse(&c, n);
	data = take((size_t)c.size);
	memcpy(c.digits, "0000000000000000", 16);
	checksum(c.header, n, data, (size_t)c.size, is);
	need(!strcmp(is, c.want), "a chunk is damaged");
	for (json_int_t i = 0, image = c.x_end - c.x; i < c.rows; i++)
		stretch((uint8_t *)data + c.x + image / c.rows * i,
			(size_t)(image / c.rows));
	checksum(c.header, n, data, (size_t)c.size, is);
	memcpy(c.digits, is, 16);
	fwrite(&prefix, 8, 1, stdout);
	fwrite(c.header, n, 1, stdout);
	fwrite(data, (size_t)c.size, 1, stdout);
	need(!fflush(stdout) && !ferror(stdout),
		"the output cannot be written");
	free(c.header);
	free(data);
	return c.last;
}

int main(void)
{
	uint64_t n;
	size_t got;
	int last = 0;

	while ((got = fread(&n, 1, 8, stdin)) == 8)
		last = pass_chunk((size_t)n);
	need(got == 0 && last && !ferror(stdin), "the input is truncated");
	return 0;
}
