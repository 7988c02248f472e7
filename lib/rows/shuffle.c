/* Rows in a random order. */
#include "rows/shuffle.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/rng.h"

/* A row's random number, and where it is in the file, counted in rows. */
struct place {
	uint64_t number, slot;
};

struct kf_shuffle {
	const struct kf_schema *schema;
	uint64_t seed, max;
	uint64_t passed; /* rows added */
	struct place
		*place; /* (n); once there are max, a heap with the largest first */
	size_t n, room;
	size_t taken; /* of them, at the end */
	int fd;       /* of the file */
	size_t bytes; /* of a row in it: its tensors one after another */
	char *row;    /* room for one */
};

struct kf_shuffle *kf_shuffle_open(const struct kf_schema *schema, uint64_t seed,
	uint64_t max, struct kf_err *err)
{
	struct kf_shuffle *s = calloc(1, sizeof *s);

	if (!s) {
		kf_fail_memory(err);
		return NULL;
	}
	*s = (struct kf_shuffle){ .schema = schema,
		.seed = seed,
		.max = max,
		.fd = -1 };
	for (int i = 0; i < KF_FIELDS; i++)
		s->bytes += kf_field_bytes(&kf_fields[i], schema);
	s->row = malloc(s->bytes);
	if (!s->row)
		kf_fail_memory(err);
	else if ((s->fd = kf_tempfile(err)) >= 0)
		return s;
	kf_shuffle_close(s);
	return NULL;
}

/* -- the file ------------------------------------------------------------------ */

/* Copies row i of a chunk to the row in memory, or back. */
static void copy(struct kf_shuffle *s, const struct kf_chunk *c, size_t i, bool back)
{
	char *row = s->row;

	for (int k = 0; k < KF_FIELDS; k++) {
		const struct kf_field *f = &kf_fields[k];
		size_t bytes = kf_field_bytes(f, s->schema);
		char *data = kf_field_data(f, c);

		if (bytes == 0)
			continue;
		if (back)
			memcpy(data + i * bytes, row, bytes);
		else
			memcpy(row, data + i * bytes, bytes);
		row += bytes;
	}
}

static int write_row(struct kf_shuffle *s, const struct kf_chunk *c, size_t i,
	uint64_t slot, struct kf_err *err)
{
	copy(s, c, i, false);
	if (lseek(s->fd, (off_t)(slot * s->bytes), SEEK_SET) < 0)
		return kf_fail_errno(err, "cannot write '%s'", KF_TEMPFILE);
	return kf_write(s->fd, KF_TEMPFILE, s->row, s->bytes, err);
}

/* -- choosing ------------------------------------------------------------------ */

static uint64_t number_of(const struct kf_shuffle *s, uint64_t row)
{
	uint32_t word[4];

	kf_philox(s->seed, KF_RNG_SHUFFLE, 0, 0, row, word);
	return (uint64_t)word[1] << 32 | word[0];
}

/* Restores the heap below a place that may be too small. */
static void sink(struct kf_shuffle *s, size_t i)
{
	struct place moved = s->place[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < s->n &&
			s->place[child + 1].number > s->place[child].number)
			child++;
		if (child >= s->n || s->place[child].number <= moved.number)
			break;
		s->place[i] = s->place[child];
		i = child;
	}
	s->place[i] = moved;
}

static int append(struct kf_shuffle *s, uint64_t number, struct kf_err *err)
{
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		struct place *more = realloc(s->place, room * sizeof *more);

		if (!more)
			return kf_fail(err, "out of memory for %zu rows", room);
		s->place = more;
		s->room = room;
	}
	s->place[s->n] = (struct place){ number, s->n };
	if (++s->n == s->max)
		for (size_t i = s->n / 2; i-- > 0;)
			sink(s, i);
	return 0;
}

static int add_row(struct kf_shuffle *s, const struct kf_chunk *c, size_t i,
	struct kf_err *err)
{
	uint64_t number = number_of(s, s->passed++), slot = s->n;

	if (s->n < s->max) {
		if (append(s, number, err) < 0)
			return -1;
	} else if (s->max > 0 && number < s->place[0].number) {
		slot = s->place[0].slot;
		s->place[0].number = number;
		sink(s, 0);
	} else {
		return 0;
	}
	return write_row(s, c, i, slot, err);
}

int kf_shuffle_add(struct kf_shuffle *s, const struct kf_chunk *c, struct kf_err *err)
{
	for (size_t i = 0; i < c->n; i++)
		if (add_row(s, c, i, err) < 0)
			return -1;
	return 0;
}

/* -- the end ------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

int kf_shuffle_next(struct kf_shuffle *s, struct kf_chunk *to, struct kf_err *err)
{
	size_t n = kf_chunk_rows(s->schema);

	if (s->taken == s->n)
		return 0;
	if (s->taken == 0)
		qsort(s->place, s->n, sizeof *s->place, compare);
	if (n > s->n - s->taken)
		n = s->n - s->taken;
	if (kf_chunk_reserve(to, s->schema, n, err) < 0)
		return -1;
	to->n = n;
	for (size_t i = 0; i < n; i++) {
		uint64_t slot = s->place[s->taken++].slot;

		if (kf_pread(s->fd, KF_TEMPFILE, s->row, s->bytes, slot * s->bytes,
			    err) < 0)
			return -1;
		copy(s, to, i, true);
	}
	return 1;
}

void kf_shuffle_close(struct kf_shuffle *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->place);
	free(s->row);
	free(s);
}
