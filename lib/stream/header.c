/* A chunk's header: schema to metadata and tensors, and back. */
#define _GNU_SOURCE
#include "stream/header.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/texts.h"

/* -- writing ------------------------------------------------------------------ */

static void set_names(struct kf_meta *m, const char *key, const struct kf_names *names)
{
	char *text = kf_names_join(names);

	if (text)
		kf_meta_set(m, key, "%s", text);
	m->incomplete |= !text;
	free(text);
}

struct kf_meta kf_header_meta(const struct kf_schema *s)
{
	struct kf_meta m = { 0 };

	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		const void *columns = (const char *)s + f->columns;

		if (f->columns && kf_field_bytes(f, s) > 0)
			set_names(&m, f->key, columns);
	}
	for (int i = 0; i < KF_SCALES; i++) {
		const struct kf_scale_key *k = &kf_scale_keys[i];
		const struct kf_scale *scale =
			(const void *)((const char *)s + k->scale);
		char text[160];

		if (!kf_is_scaled(*scale))
			continue;
		kf_scales_print(scale, k->n, text, sizeof text);
		kf_meta_set(&m, k->key, "%s", text);
	}
	if (s->no_images)
		kf_meta_set(&m, KF_KEY_X_SHAPE, "%d %d %d", s->c, s->h, s->w);
	if (s->classes)
		kf_meta_set(&m, KF_KEY_CLASSES, "%d", s->classes);
	if (s->class_names.n)
		set_names(&m, KF_KEY_CLASS_NAMES, &s->class_names);
	return m;
}

/* -- reading ------------------------------------------------------------------ */

static int get_scales(const struct kf_st *st, struct kf_schema *s, struct kf_err *err)
{
	for (int i = 0; i < KF_SCALES; i++) {
		const struct kf_scale_key *k = &kf_scale_keys[i];
		const char *text = kf_meta_get(&st->meta, k->key);
		void *scale = (char *)s + k->scale;

		if (text && kf_scales_parse(scale, k->n, text) < 0)
			return kf_fail(err, "metadata '%s' is no scale: '%.60s'",
				k->key, text);
	}
	if (kf_scaled_bytes(s) && !kf_scales_equal(&s->x_scale, &kf_pixel_scale, 1))
		return kf_fail(err, "'X' is U8, so its '%s' must be 0 255: '%.60s'",
			KF_KEY_X_SCALE, kf_meta_get(&st->meta, KF_KEY_X_SCALE));
	return 0;
}

static int get_classes(const struct kf_st *st, struct kf_schema *s, struct kf_err *err)
{
	const char *text = kf_meta_get(&st->meta, KF_KEY_CLASSES);
	char *end;
	long n;

	if (!text)
		return 0;
	n = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n > INT_MAX)
		return kf_fail(err, "metadata '%s' is no number: '%.60s'",
			KF_KEY_CLASSES, text);
	s->classes = (int)n;
	return 0;
}

int kf_header_class_names(const struct kf_st *st, int classes, struct kf_names *names,
	struct kf_err *err)
{
	const char *text = kf_meta_get(&st->meta, KF_KEY_CLASS_NAMES);
	struct kf_err why;

	if (!text)
		return 0;
	if (kf_names_split(names, text, &why) < 0)
		return why.memory ? kf_fail_memory(err) :
				    kf_fail(err, "metadata '%s': %.200s",
					    KF_KEY_CLASS_NAMES, why.msg);
	if (names->n != classes)
		return kf_fail(err, "there are %d classes and '%s' has %d names",
			classes, KF_KEY_CLASS_NAMES, names->n);
	return 0;
}

/* The names of the columns of a tensor of shape (n, m). */
static int get_names(const struct kf_st *st, const struct kf_tensor *t, const char *key,
	struct kf_names *names, struct kf_err *err)
{
	const char *text = kf_meta_get(&st->meta, key);
	char made[KF_NAME_MAX + 16];

	if (t->dtype != KF_F32 || t->rank != 2 || t->shape[1] < 1 ||
		t->shape[1] > KF_COLUMNS_MAX)
		return kf_fail(err,
			"tensor '%s' is not F32 of shape (rows, columns), "
			"with at most %d columns",
			t->name, KF_COLUMNS_MAX);
	if (text && kf_names_split(names, text, err) < 0)
		return -1;
	for (int i = 0; !text && st->foreign && i < t->shape[1]; i++) {
		snprintf(made, sizeof made, "%s%d", t->name, i + 1);
		if (kf_names_add(names, made) < 0)
			return kf_fail_memory(err);
	}
	if (names->n != t->shape[1])
		return kf_fail(err,
			"tensor '%s' has %lld columns and '%s' has %d names", t->name,
			(long long)t->shape[1], key, names->n);
	return 0;
}

static int get_width(const struct kf_tensor *t, int *width, struct kf_err *err)
{
	if (t->dtype != KF_U8 || t->rank != 2 || t->shape[1] < 1 ||
		t->shape[1] > KF_TEXT_MAX)
		return kf_fail(err,
			"tensor '%s' is not U8 of shape (rows, width), with a width of at "
			"most %d",
			t->name, KF_TEXT_MAX);
	*width = (int)t->shape[1];
	return 0;
}

static int get_map_size(const struct kf_tensor *t, int size[3], struct kf_err *err)
{
	const int64_t *shape = t->shape;

	if (t->dtype != KF_F32 || t->rank != 4)
		return kf_fail(err,
			"tensor '%s' is not F32 of shape (rows, channels, height, width)",
			t->name);
	if (!kf_size_in_bounds(shape[1], shape[2], shape[3]))
		return kf_fail(err, "a %s of %lld x %lld x %lld is out of bounds",
			t->name, (long long)shape[1], (long long)shape[2],
			(long long)shape[3]);
	for (int i = 0; i < 3; i++)
		size[i] = (int)shape[i + 1];
	return 0;
}

/* Which tensors there are, the sizes of texts and maps and the names of columns. */
static int get_fields(const struct kf_st *st, struct kf_schema *s, struct kf_err *err)
{
	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		const struct kf_tensor *t = kf_st_find(st, f->name);
		void *columns = (char *)s + f->columns;

		if (f->present)
			*(bool *)((char *)s + f->present) = t != NULL;
		if (t && f->columns && get_names(st, t, f->key, columns, err) < 0)
			return -1;
		if (t && f->width &&
			get_width(t, (int *)(void *)((char *)s + f->width), err) < 0)
			return -1;
		if (t && f->size &&
			get_map_size(t, (int *)(void *)((char *)s + f->size), err) < 0)
			return -1;
	}
	return 0;
}

static int set_size(struct kf_schema *s, int64_t c, int64_t h, int64_t w,
	struct kf_err *err)
{
	if (!kf_size_in_bounds(c, h, w))
		return kf_fail(err, "images of %lld x %lld x %lld are out of bounds",
			(long long)c, (long long)h, (long long)w);
	s->c = (int)c;
	s->h = (int)h;
	s->w = (int)w;
	return 0;
}

/* What is known of images that were left out; their type follows from their scale. */
static int get_shape(const struct kf_st *st, struct kf_schema *s, struct kf_err *err)
{
	const char *text = kf_meta_get(&st->meta, KF_KEY_X_SHAPE);
	int c, h, w;
	char tail;

	if (!text)
		return kf_fail(err, "there is no tensor 'X' (is it a model?)");
	if (sscanf(text, "%6d %6d %6d%c", &c, &h, &w, &tail) != 3)
		return kf_fail(err,
			"metadata '%s' is not 'channels height width': '%.60s'",
			KF_KEY_X_SHAPE, text);
	s->no_images = true;
	s->dtype = kf_meta_get(&st->meta, KF_KEY_X_SCALE) ? KF_F32 : KF_U8;
	return set_size(s, c, h, w, err);
}

static int get_image(const struct kf_st *st, struct kf_schema *s, struct kf_err *err)
{
	const struct kf_tensor *X = kf_st_find(st, "X");

	if (!X)
		return get_shape(st, s, err);
	if ((X->rank != 4 && !(st->foreign && X->rank == 3)) || X->dtype == KF_I64)
		return kf_fail(err,
			"tensor 'X' is not U8 or F32 of shape "
			"(rows, channels, height, width)");
	s->dtype = X->dtype;
	return set_size(s, X->rank == 4 ? X->shape[1] : 1, X->shape[X->rank - 2],
		X->shape[X->rank - 1], err);
}

static int unknown_tensor(const char *name, struct kf_err *err)
{
	char known[100] = "";
	size_t n = 0;

	for (int i = 0; i < KF_FIELDS; i++)
		n += (size_t)snprintf(known + n, sizeof known - n, "%s%s",
			i ? ", " : "", kf_fields[i].name);
	return kf_fail(err, "tensor '%s' is none of %s", name, known);
}

/* One that is a matrix or a single value. */
static int check_shape(const struct kf_tensor *t, const struct kf_field *f,
	struct kf_err *err)
{
	const int *m = f->matrix;

	if (m[0] &&
		(t->dtype != f->dtype || t->rank != 3 || t->shape[1] != m[0] ||
			t->shape[2] != m[1]))
		return kf_fail(err, "tensor '%s' is not %s of shape (rows, %d, %d)",
			t->name, kf_dtype_name(f->dtype), m[0], m[1]);
	if (!m[0] && (t->dtype != f->dtype || t->rank != 1))
		return kf_fail(err, "tensor '%s' is not %s of shape (rows)", t->name,
			kf_dtype_name(f->dtype));
	return 0;
}

/* All tensors must be known and have the same number of rows. */
static int count_rows(const struct kf_st *st, size_t *rows, struct kf_err *err)
{
	const struct kf_tensor *id = kf_st_find(st, "id"), *X = kf_st_find(st, "X");
	const struct kf_tensor *all = X ? X : id;

	if (!id && !(st->foreign && X)) /* ids that can be counted */
		return kf_fail(err, "there is no tensor 'id'");
	for (int i = 0; i < st->n; i++) {
		const struct kf_tensor *t = &st->tensor[i];
		const struct kf_field *f = kf_field_find(t->name);

		if (!f)
			return unknown_tensor(t->name, err);
		if (t->rank < 1 || t->shape[0] != all->shape[0])
			return kf_fail(err, "tensor '%s' has not as many rows as '%s'",
				t->name, all->name);
		if (!f->image && !f->columns && !f->width && !f->size &&
			check_shape(t, f, err) < 0)
			return -1;
	}
	*rows = (size_t)all->shape[0];
	return 0;
}

bool kf_header_is_chunk(const struct kf_st *st)
{
	return kf_st_find(st, "X") || kf_meta_get(&st->meta, KF_KEY_X_SHAPE);
}

int kf_header_schema(const struct kf_st *st, struct kf_schema *s, size_t *rows,
	struct kf_err *err)
{
	*s = (struct kf_schema){ 0 };
	if (get_image(st, s, err) < 0 || count_rows(st, rows, err) < 0 ||
		get_fields(st, s, err) < 0 || get_scales(st, s, err) < 0 ||
		get_classes(st, s, err) < 0 ||
		kf_header_class_names(st, s->classes, &s->class_names, err) < 0) {
		kf_schema_free(s);
		return -1;
	}
	return 0;
}
