/* Schemas; the table of tensors; rows in memory. */
#define _GNU_SOURCE
#include "stream/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/large.h"

#define IN_SCHEMA(member) offsetof(struct kf_schema, member)
#define IN_CHUNK(member) offsetof(struct kf_chunk, member)

const struct kf_field kf_fields[KF_FIELDS] = {
	{ .name = "id", .data = IN_CHUNK(id), .dtype = KF_I64 },
	{ .name = "label",
		.data = IN_CHUNK(label),
		.dtype = KF_I64,
		.present = IN_SCHEMA(has_label) },
	{ .name = "name",
		.data = IN_CHUNK(name),
		.dtype = KF_U8,
		.width = IN_SCHEMA(name_width) },
	{ .name = "file",
		.data = IN_CHUNK(file),
		.dtype = KF_U8,
		.width = IN_SCHEMA(file_width) },
	{ .name = "face",
		.data = IN_CHUNK(face),
		.dtype = KF_I64,
		.present = IN_SCHEMA(has_face) },
	{ .name = "transform",
		.data = IN_CHUNK(transform),
		.dtype = KF_F32,
		.matrix = { 2, 3 },
		.present = IN_SCHEMA(has_transform) },
	{ .name = "y",
		.data = IN_CHUNK(y),
		.dtype = KF_F32,
		.key = KF_KEY_COLUMNS,
		.columns = IN_SCHEMA(columns) },
	{ .name = "p",
		.data = IN_CHUNK(p),
		.dtype = KF_F32,
		.key = KF_KEY_P_COLUMNS,
		.columns = IN_SCHEMA(p_columns) },
	{ .name = "map",
		.data = IN_CHUNK(map),
		.dtype = KF_F32,
		.size = IN_SCHEMA(map) },
	{ .name = "X", .data = IN_CHUNK(X), .image = true },
};

const struct kf_scale_key kf_scale_keys[KF_SCALES] = {
	{ KF_KEY_X_SCALE, IN_SCHEMA(x_scale), 1 },
	{ KF_KEY_Y_SCALE, IN_SCHEMA(y_scale), 2 },
	{ KF_KEY_P_SCALE, IN_SCHEMA(p_scale), 2 },
};

static const void *part(const struct kf_schema *s, size_t offset)
{
	return (const char *)s + offset;
}

/* -- the schema --------------------------------------------------------------- */

int kf_schema_copy(struct kf_schema *to, const struct kf_schema *from,
	struct kf_err *err)
{
	*to = *from;
	to->columns = to->p_columns = to->class_names = (struct kf_names){ 0 };
	if (kf_names_copy(&to->columns, &from->columns) == 0 &&
		kf_names_copy(&to->p_columns, &from->p_columns) == 0 &&
		kf_names_copy(&to->class_names, &from->class_names) == 0)
		return 0;
	kf_schema_free(to);
	return kf_fail_memory(err);
}

void kf_schema_free(struct kf_schema *s)
{
	kf_names_free(&s->columns);
	kf_names_free(&s->p_columns);
	kf_names_free(&s->class_names);
}

/* Whether the schema has a field that is neither an image nor has columns. */
static bool is_present(const struct kf_field *f, const struct kf_schema *s)
{
	if (f->size)
		return *(const int *)part(s, f->size) > 0;
	if (f->width)
		return *(const int *)part(s, f->width) > 0;
	return !f->present || *(const bool *)part(s, f->present);
}

/* The key of the columns that differ, or NULL. */
static const char *columns_differ(const struct kf_schema *a, const struct kf_schema *b,
	struct kf_difference *d)
{
	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		size_t colon;

		if (!f->columns ||
			kf_names_equal(part(a, f->columns), part(b, f->columns)))
			continue;
		colon = (size_t)snprintf(d->how, sizeof d->how, ": ");
		kf_names_difference(part(a, f->columns), part(b, f->columns),
			d->how + colon, sizeof d->how - colon);
		return f->key;
	}
	return NULL;
}

static bool map_differs(const struct kf_field *f, const int was[3], const int is[3],
	struct kf_difference *d)
{
	if (!memcmp(was, is, 3 * sizeof *is))
		return false;
	snprintf(d->what, sizeof d->what, "another size of %s", f->name);
	snprintf(d->how, sizeof d->how, ": %d x %d x %d, not %d x %d x %d", is[0],
		is[1], is[2], was[0], was[1], was[2]);
	return true;
}

/* Whether both have the field, of another size or width. */
static bool sizes_differ(const struct kf_field *f, const struct kf_schema *a,
	const struct kf_schema *b, struct kf_difference *d)
{
	int was, is;

	if (f->size)
		return map_differs(f, part(a, f->size), part(b, f->size), d);
	if (!f->width)
		return false;
	was = *(const int *)part(a, f->width);
	is = *(const int *)part(b, f->width);
	if (was == is)
		return false;
	snprintf(d->what, sizeof d->what, "another width of %s", f->name);
	snprintf(d->how, sizeof d->how, ": %d, not %d; kfkd-cat joins such files", is,
		was);
	return true;
}

/* Whether one has a tensor that the other lacks, or of another size. */
static bool tensors_differ(const struct kf_schema *a, const struct kf_schema *b,
	struct kf_difference *d)
{
	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		if (f->columns || f->image)
			continue;
		if (is_present(f, a) != is_present(f, b)) {
			snprintf(d->what, sizeof d->what, "other tensors");
			snprintf(d->how, sizeof d->how, ": '%s' is %s", f->name,
				is_present(f, b) ? "one more" : "missing");
			return true;
		}
		if (sizes_differ(f, a, b, d))
			return true;
	}
	return false;
}

/* What else differs, or NULL. */
static const char *others_differ(const struct kf_schema *a, const struct kf_schema *b)
{
	if (a->classes != b->classes)
		return KF_KEY_CLASSES;
	if (!kf_names_equal(&a->class_names, &b->class_names))
		return KF_KEY_CLASS_NAMES;
	if (a->dtype != b->dtype)
		return "type of X";
	if (a->c != b->c || a->h != b->h || a->w != b->w)
		return "image size";
	for (int i = 0; i < KF_SCALES; i++) {
		const struct kf_scale_key *k = &kf_scale_keys[i];

		if (!kf_scales_equal(part(a, k->scale), part(b, k->scale), k->n))
			return k->key;
	}
	return NULL;
}

bool kf_schema_differs(const struct kf_schema *a, const struct kf_schema *b,
	struct kf_difference *d)
{
	const char *columns, *other;

	*d = (struct kf_difference){ .what = "" };
	if (a->no_images != b->no_images) {
		snprintf(d->what, sizeof d->what, "other images");
		snprintf(d->how, sizeof d->how, ": %s",
			b->no_images ? "none" : "the first has none");
		return true;
	}
	columns = columns_differ(a, b, d);
	if (!columns && tensors_differ(a, b, d))
		return true;
	other = columns ? NULL : others_differ(a, b);
	if (columns)
		snprintf(d->what, sizeof d->what, "other %s", columns);
	if (other)
		snprintf(d->what, sizeof d->what, "another %s", other);
	return columns || other;
}

bool kf_schema_is_scaled(const struct kf_schema *s)
{
	return kf_is_scaled(s->x_scale) || kf_is_scaled(s->y_scale[0]) ||
		kf_is_scaled(s->p_scale[0]);
}

bool kf_scaled_bytes(const struct kf_schema *s)
{
	return s->dtype == KF_U8 && kf_is_scaled(s->x_scale);
}

int kf_schema_need_images(const struct kf_schema *s, struct kf_err *err)
{
	if (!s->no_images)
		return 0;
	return kf_fail(err,
		"the stream has no images: kfkd-predict --no-images has left them out");
}

bool kf_size_in_bounds(int64_t c, int64_t h, int64_t w)
{
	return c >= 1 && h >= 1 && w >= 1 && c <= KF_SIDE_MAX && h <= KF_SIDE_MAX &&
		w <= KF_SIDE_MAX && c * h <= KF_PIXELS_MAX &&
		c * h * w <= KF_PIXELS_MAX;
}

size_t kf_image_pixels(const struct kf_schema *s)
{
	return (size_t)s->c * (size_t)s->h * (size_t)s->w;
}

size_t kf_image_bytes(const struct kf_schema *s)
{
	return kf_image_pixels(s) * kf_dtype_size(s->dtype);
}

size_t kf_map_values(const struct kf_schema *s)
{
	return (size_t)s->map[0] * (size_t)s->map[1] * (size_t)s->map[2];
}

size_t kf_chunk_rows(const struct kf_schema *s)
{
	size_t row = 0, n;

	for (int i = 0; i < KF_FIELDS; i++)
		row += kf_fields[i].image && !s->no_images ?
			kf_image_pixels(s) :
			kf_field_bytes(&kf_fields[i], s);
	n = KF_CHUNK_BYTES / row;
	return n ? n : 1;
}

/* -- the tensors -------------------------------------------------------------- */

const struct kf_field *kf_field_find(const char *name)
{
	for (int i = 0; i < KF_FIELDS; i++)
		if (!strcmp(kf_fields[i].name, name))
			return &kf_fields[i];
	return NULL;
}

static enum kf_dtype dtype_of(const struct kf_field *f, const struct kf_schema *s)
{
	return f->image ? s->dtype : f->dtype;
}

/* For n rows; returns the rank, or 0 where the schema lacks the tensor. */
static int shape_of(const struct kf_field *f, const struct kf_schema *s, size_t n,
	int64_t shape[KF_RANK_MAX])
{
	shape[0] = (int64_t)n;
	if (f->image) {
		shape[1] = s->c;
		shape[2] = s->h;
		shape[3] = s->w;
		return s->no_images ? 0 : 4;
	}
	if (f->columns) {
		const struct kf_names *columns = part(s, f->columns);

		shape[1] = columns->n;
		return columns->n ? 2 : 0;
	}
	if (!is_present(f, s))
		return 0;
	if (f->size) {
		const int *size = part(s, f->size);

		for (int i = 0; i < 3; i++)
			shape[i + 1] = size[i];
		return 4;
	}
	if (f->width) {
		shape[1] = *(const int *)part(s, f->width);
		return 2;
	}
	if (f->matrix[0]) {
		shape[1] = f->matrix[0];
		shape[2] = f->matrix[1];
		return 3;
	}
	return 1;
}

size_t kf_field_bytes(const struct kf_field *f, const struct kf_schema *s)
{
	int64_t shape[KF_RANK_MAX];
	int rank = shape_of(f, s, 1, shape);
	size_t bytes = rank ? kf_dtype_size(dtype_of(f, s)) : 0;

	for (int i = 0; i < rank; i++)
		bytes *= (size_t)shape[i];
	return bytes;
}

void *kf_field_data(const struct kf_field *f, const struct kf_chunk *c)
{
	void *data;

	memcpy(&data, (const char *)c + f->data, sizeof data);
	return data;
}

int kf_chunk_tensors(const struct kf_chunk *c, const struct kf_schema *s, size_t n,
	struct kf_tensor t[KF_FIELDS])
{
	int count = 0;

	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		int64_t shape[KF_RANK_MAX];
		int rank = shape_of(f, s, n, shape);

		if (rank == 0)
			continue;
		t[count] = kf_tensor(f->name, dtype_of(f, s), rank, shape);
		t[count++].data = kf_field_data(f, c);
	}
	return count;
}

/* -- rows --------------------------------------------------------------------- */

int kf_chunk_reserve(struct kf_chunk *c, const struct kf_schema *s, size_t n,
	struct kf_err *err)
{
	if (n <= c->room)
		return 0;
	for (int i = 0; i < KF_FIELDS; i++) {
		size_t bytes = kf_field_bytes(&kf_fields[i], s);
		void *data = kf_field_data(&kf_fields[i], c);

		if (bytes == 0)
			continue;
		data = realloc(data, n * bytes);
		if (!data)
			return kf_fail(err, "out of memory for %zu rows", n);
		kf_large(data, n * bytes);
		memcpy((char *)c + kf_fields[i].data, &data, sizeof data);
	}
	c->room = n;
	return 0;
}

struct kf_chunk kf_chunk_part(const struct kf_chunk *c, const struct kf_schema *s,
	size_t first, size_t n)
{
	struct kf_chunk part = { .n = n };

	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		char *data = kf_field_data(f, c);

		if (data)
			data += first * kf_field_bytes(f, s);
		memcpy((char *)&part + f->data, &data, sizeof data);
	}
	return part;
}

void kf_chunk_copy_row(struct kf_chunk *to, size_t i, const struct kf_chunk *from,
	size_t j, const struct kf_schema *s)
{
	for (int k = 0; k < KF_FIELDS; k++) {
		const struct kf_field *f = &kf_fields[k];
		size_t bytes = kf_field_bytes(f, s);

		if (bytes)
			memcpy((char *)kf_field_data(f, to) + i * bytes,
				(char *)kf_field_data(f, from) + j * bytes, bytes);
	}
}

void kf_chunk_free(struct kf_chunk *c)
{
	for (int i = 0; i < KF_FIELDS; i++)
		free(kf_field_data(&kf_fields[i], c));
	*c = (struct kf_chunk){ 0 };
}
