/* Column names, scaling, image size; rows in memory. */
#define _GNU_SOURCE
#include "stream/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- names ------------------------------------------------------------------ */

int kf_names_find(const struct kf_names *names, const char *name)
{
	for (int i = 0; i < names->n; i++)
		if (!strcmp(names->name[i], name))
			return i;
	return -1;
}

void kf_names_add(struct kf_names *names, const char *name)
{
	names->name = realloc(names->name, (size_t)(names->n + 1) * sizeof(char *));
	if (!names->name || !(names->name[names->n] = strdup(name)))
		abort();
	names->n++;
}

void kf_names_free(struct kf_names *names)
{
	for (int i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct kf_names){ 0 };
}

struct kf_names kf_names_copy(const struct kf_names *names)
{
	struct kf_names copy = { 0 };

	for (int i = 0; i < names->n; i++)
		kf_names_add(&copy, names->name[i]);
	return copy;
}

bool kf_names_equal(const struct kf_names *a, const struct kf_names *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (strcmp(a->name[i], b->name[i]))
			return false;
	return true;
}

char *kf_names_join(const struct kf_names *names)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	for (int i = 0; i < names->n; i++)
		fprintf(f, "%s%s", i ? "," : "", names->name[i]);
	if (fclose(f))
		abort();
	return text;
}

/* The length of the UTF-8 sequence at s, 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
	int n = *s < 0x80               ? 1 :
		*s >= 0xc2 && *s < 0xe0 ? 2 :
		*s >= 0xe0 && *s < 0xf0 ? 3 :
		*s >= 0xf0 && *s < 0xf5 ? 4 :
					  0;

	for (int i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

int kf_name_check(const char *name, struct kf_err *err)
{
	const unsigned char *s = (const unsigned char *)name;

	if (!*s)
		return kf_fail(err, "a column has an empty name");
	if (strlen(name) > 200)
		return kf_fail(err, "column name '%.40s...' is too long", name);
	while (*s) {
		int n = utf8_length(s);

		if (*s < ' ' || *s == 127)
			return kf_fail(err, "a column name has a control character");
		if (*s == ',')
			return kf_fail(err, "column name '%.200s' has a comma", name);
		if (!n)
			return kf_fail(err, "a column name is not UTF-8");
		s += n;
	}
	return 0;
}

int kf_names_split(struct kf_names *names, const char *text, struct kf_err *err)
{
	char *copy = strdup(text), *rest = copy, *name;
	int rc = 0;

	if (!copy)
		abort();
	*names = (struct kf_names){ 0 };
	while (*text && rc == 0 && (name = strsep(&rest, ","))) {
		rc = kf_name_check(name, err);
		if (rc == 0 && names->n == KF_COLUMNS_MAX)
			rc = kf_fail(err, "more than %d columns", KF_COLUMNS_MAX);
		if (rc == 0 && kf_names_find(names, name) >= 0)
			rc = kf_fail(err, "column '%s' is named twice", name);
		if (rc == 0)
			kf_names_add(names, name);
	}
	if (rc < 0)
		kf_names_free(names);
	free(copy);
	return rc;
}

int kf_axis(const char *name)
{
	size_t n = strlen(name);

	if (n < 2 || name[n - 2] != '_')
		return -1;
	return name[n - 1] == 'x' ? 0 : name[n - 1] == 'y' ? 1 : -1;
}

/* -- scales ------------------------------------------------------------------- */

void kf_scales_print(const struct kf_scale *s, int n, char *text, size_t size)
{
	size_t at = 0;

	for (int i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%.9g %.9g",
			i ? " " : "", s[i].offset, s[i].factor);
}

int kf_scales_parse(struct kf_scale *s, int n, const char *text)
{
	char *end;

	for (int i = 0; i < n; i++) {
		s[i].offset = strtof(text, &end);
		if (end == text)
			return -1;
		s[i].factor = strtof(text = end, &end);
		if (end == text || !(s[i].factor > 0) || !(s[i].factor < 1e30f) ||
			!(s[i].offset > -1e30f && s[i].offset < 1e30f))
			return -1;
		text = end;
	}
	return *text ? -1 : 0;
}

static bool scales_equal(const struct kf_scale *a, const struct kf_scale *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a[i].offset != b[i].offset || a[i].factor != b[i].factor)
			return false;
	return true;
}

/* -- schema ------------------------------------------------------------------- */

struct kf_schema kf_schema_copy(const struct kf_schema *s)
{
	struct kf_schema copy = *s;

	copy.columns = kf_names_copy(&s->columns);
	copy.p_columns = kf_names_copy(&s->p_columns);
	if (s->classes && !(copy.classes = strdup(s->classes)))
		abort();
	return copy;
}

void kf_schema_free(struct kf_schema *s)
{
	kf_names_free(&s->columns);
	kf_names_free(&s->p_columns);
	free(s->classes);
	s->classes = NULL;
}

const char *kf_schema_differs(const struct kf_schema *a, const struct kf_schema *b)
{
	if (!kf_names_equal(&a->columns, &b->columns))
		return "columns";
	if (!kf_names_equal(&a->p_columns, &b->p_columns))
		return "p.columns";
	if (a->has_label != b->has_label)
		return "label";
	if (!a->classes != !b->classes ||
		(a->classes && strcmp(a->classes, b->classes)))
		return "classes";
	if (a->dtype != b->dtype)
		return "type of X";
	if (a->c != b->c || a->h != b->h || a->w != b->w)
		return "image size";
	if (!scales_equal(&a->x_scale, &b->x_scale, 1))
		return "X.scale";
	if (!scales_equal(a->y_scale, b->y_scale, 2))
		return "y.scale";
	if (!scales_equal(a->p_scale, b->p_scale, 2))
		return "p.scale";
	return NULL;
}

static size_t pixels(const struct kf_schema *s)
{
	return (size_t)s->c * (size_t)s->h * (size_t)s->w;
}

size_t kf_image_bytes(const struct kf_schema *s)
{
	return pixels(s) * kf_dtype_size(s->dtype);
}

size_t kf_chunk_rows(const struct kf_schema *s)
{
	size_t columns = (size_t)s->columns.n + (size_t)s->p_columns.n;
	size_t n = KF_CHUNK_BYTES /
		(pixels(s) + sizeof(int64_t) + (s->has_label ? sizeof(int64_t) : 0) +
			columns * sizeof(float));

	return n ? n : 1;
}

/* -- rows ------------------------------------------------------------------- */

static int grow(void *pointer, size_t rows, size_t row_bytes, struct kf_err *err)
{
	void **p = pointer, *q;

	if (!row_bytes)
		return 0;
	q = realloc(*p, rows * row_bytes);
	if (!q)
		return kf_fail(err, "out of memory for %zu rows", rows);
	*p = q;
	return 0;
}

int kf_chunk_reserve(struct kf_chunk *c, const struct kf_schema *s, size_t n,
	struct kf_err *err)
{
	if (n <= c->room)
		return 0;
	if (grow(&c->id, n, sizeof *c->id, err) < 0 ||
		grow(&c->label, n, s->has_label ? sizeof *c->label : 0, err) < 0 ||
		grow(&c->y, n, (size_t)s->columns.n * sizeof *c->y, err) < 0 ||
		grow(&c->p, n, (size_t)s->p_columns.n * sizeof *c->p, err) < 0 ||
		grow(&c->X, n, kf_image_bytes(s), err) < 0)
		return -1;
	c->room = n;
	return 0;
}

void kf_chunk_copy_row(struct kf_chunk *to, size_t i, const struct kf_chunk *from,
	size_t j, const struct kf_schema *s)
{
	size_t m = (size_t)s->columns.n, k = (size_t)s->p_columns.n;
	size_t image = kf_image_bytes(s);

	to->id[i] = from->id[j];
	if (s->has_label)
		to->label[i] = from->label[j];
	if (m)
		memcpy(to->y + i * m, from->y + j * m, m * sizeof *to->y);
	if (k)
		memcpy(to->p + i * k, from->p + j * k, k * sizeof *to->p);
	memcpy((char *)to->X + i * image, (const char *)from->X + j * image, image);
}

void kf_chunk_free(struct kf_chunk *c)
{
	free(c->id);
	free(c->label);
	free(c->y);
	free(c->p);
	free(c->X);
	*c = (struct kf_chunk){ 0 };
}
