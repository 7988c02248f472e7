/* Training data in memory. */
#include "train/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "stream/digest.h"

#define PIECE 1024 /* bytes that become floats at a time */

int kf_check_scaled(const struct kf_schema *s, struct kf_err *err)
{
	if (kf_schema_need_images(s, err) < 0)
		return -1;
	if (!kf_is_scaled(s->x_scale))
		return kf_fail(err,
			"the images are not scaled; pipe through kfkd-scale");
	if (s->columns.n && !kf_is_scaled(s->y_scale[0]))
		return kf_fail(err,
			"the targets are not scaled; pipe through kfkd-scale");
	return 0;
}

/* Makes room for n rows by doubling: pages take no memory until they are written. */
static int make_room(struct kf_dataset *d, size_t *room, size_t n, struct kf_err *err)
{
	size_t m = (size_t)d->m, want = *room;
	void *X;
	float *y;
	int64_t *id;

	if (n <= *room)
		return 0;
	while (want < n)
		want = want ? 2 * want : 1024;
	if ((X = realloc(d->X, want * kf_image_bytes(&d->schema))))
		d->X = X;
	if ((y = realloc(d->y, want * m * sizeof *y)))
		d->y = y;
	if ((id = realloc(d->id, want * sizeof *id)))
		d->id = id;
	if (!X || !y || !id || n > UINT32_MAX)
		return kf_fail(err, "out of memory for %zu rows", n);
	*room = want;
	return 0;
}

static int check_targets(const struct kf_schema *s, bool labels, struct kf_err *err)
{
	if (kf_check_scaled(s, err) < 0)
		return -1;
	if (labels && !s->has_label)
		return kf_fail(err, "the stream has no labels to learn");
	if (!labels && !s->columns.n)
		return kf_fail(err,
			s->has_label ? "the stream has labels, not targets; "
				       "learn them with --loss crossentropy" :
				       "the stream has no targets to learn");
	return 0;
}

/* A NaN or an infinity would spread through all weights unnoticed. */
static int check_finite(const struct kf_chunk *c, const struct kf_schema *s,
	struct kf_err *err)
{
	const float *X = s->dtype == KF_F32 ? c->X : NULL;
	size_t pixels = kf_image_pixels(s), m = (size_t)s->columns.n;

	for (size_t i = 0; i < c->n; i++) {
		float bad = 0; /* stays 0 unless a value is NaN or infinite */

		for (size_t j = 0; X && j < pixels; j++)
			bad += X[i * pixels + j] * 0;
		for (size_t j = 0; j < m; j++)
			bad += isinf(c->y[i * m + j]) ? NAN : 0;
		if (bad != 0 || isnan(bad))
			return kf_fail(err, "row %lld: a pixel or target is not finite",
				(long long)c->id[i]);
	}
	return 0;
}

static void append(struct kf_dataset *d, const struct kf_chunk *c, bool labels)
{
	size_t m = (size_t)d->m, image = kf_image_bytes(&d->schema);

	memcpy((char *)d->X + d->n * image, c->X, c->n * image);
	memcpy(d->id + d->n, c->id, c->n * sizeof *d->id);
	if (!labels)
		memcpy(d->y + d->n * m, c->y, c->n * m * sizeof *d->y);
	for (size_t i = 0; labels && i < c->n; i++)
		d->y[d->n + i] = (float)c->label[i];
	d->n += c->n;
}

int kf_dataset_read(struct kf_dataset *d, struct kf_reader *r, bool labels,
	struct kf_err *err)
{
	struct kf_chunk *c;
	size_t room = 0;
	int rc;

	*d = (struct kf_dataset){ 0 };
	if (check_targets(kf_reader_schema(r), labels, err) < 0)
		return -1;
	if (kf_schema_copy(&d->schema, kf_reader_schema(r), err) < 0)
		return -1;
	d->m = labels ? 1 : d->schema.columns.n;
	while ((rc = kf_reader_next(r, &c, err)) > 0) {
		rc = check_finite(c, &d->schema, err);
		if (rc < 0 || (rc = make_room(d, &room, d->n + c->n, err)) < 0)
			break;
		append(d, c, labels);
	}
	if (rc == 0 && d->n == 0)
		rc = kf_fail(err, "the stream has no rows");
	if (rc < 0)
		kf_dataset_free(d);
	return rc;
}

/* The digest of the floats that n bytes stand for; -1 when out of memory. */
static int digest_bytes(const uint8_t *v, size_t n, uint64_t *digest,
	struct kf_err *err)
{
	XXH3_state_t *hash = XXH3_createState();
	float piece[PIECE];

	if (!hash)
		return kf_fail_memory(err);
	XXH3_64bits_reset(hash);
	for (size_t at = 0, more; at < n; at += more) {
		more = n - at < PIECE ? n - at : PIECE;
		kf_scale_bytes(v + at, piece, more);
		XXH3_64bits_update(hash, piece, more * sizeof *piece);
	}
	*digest = XXH3_64bits_digest(hash);
	XXH3_freeState(hash);
	return 0;
}

int kf_dataset_digest(const struct kf_dataset *d, uint64_t *digest, struct kf_err *err)
{
	size_t values = d->n * kf_image_pixels(&d->schema);
	uint64_t parts[3];

	if (d->schema.dtype == KF_F32)
		parts[0] = XXH3_64bits(d->X, values * sizeof(float));
	else if (digest_bytes(d->X, values, &parts[0], err) < 0)
		return -1;
	parts[1] = XXH3_64bits(d->y, d->n * (size_t)d->m * sizeof *d->y);
	parts[2] = XXH3_64bits(d->id, d->n * sizeof *d->id);
	*digest = XXH3_64bits(parts, sizeof parts);
	return 0;
}

/*
 * Moves row from[i] to i, for rows of `bytes`, in place along the cycles of the
 * permutation.  done (n) marks the rows in place; spare has room for one row.
 */
static void permute(void *rows, size_t bytes, const uint32_t *from, size_t n,
	char *done, void *spare)
{
	char *at = rows;

	memset(done, 0, n);
	for (size_t start = 0; start < n; start++) {
		size_t i = start;

		if (done[start])
			continue;
		memcpy(spare, at + start * bytes, bytes);
		for (; from[i] != start; i = from[i]) {
			memcpy(at + i * bytes, at + from[i] * bytes, bytes);
			done[i] = 1;
		}
		memcpy(at + i * bytes, spare, bytes);
		done[i] = 1;
	}
}

int kf_dataset_shuffle(struct kf_dataset *d, uint32_t seed, struct kf_err *err)
{
	size_t image = kf_image_bytes(&d->schema);
	size_t targets = (size_t)d->m * sizeof *d->y;
	uint32_t *from = malloc(d->n * sizeof *from);
	void *spare = malloc(image + targets + sizeof *d->id);
	char *done = malloc(d->n);
	int rc = 0;

	if (from && spare && done) {
		kf_shuffle(from, (uint32_t)d->n, seed);
		permute(d->X, image, from, d->n, done, spare);
		permute(d->y, targets, from, d->n, done, spare);
		permute(d->id, sizeof *d->id, from, d->n, done, spare);
	} else {
		rc = kf_fail(err, "out of memory for %zu rows", d->n);
	}
	free(from);
	free(spare);
	free(done);
	return rc;
}

void kf_dataset_free(struct kf_dataset *d)
{
	free(d->X);
	free(d->y);
	free(d->id);
	kf_schema_free(&d->schema);
	*d = (struct kf_dataset){ 0 };
}
