/* A tensor stream as JSON lines. */
#define _GNU_SOURCE
#include "formats/save_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rows/classes.h"
#include "stream/json.h"
#include "stream/texts.h"

/* The columns of y or of p, and where each goes in their object. */
struct columns {
	const struct kf_names *names;
	char **point; /* (n) "nose_tip"; NULL: a member of its own */
};

struct kf_save_json {
	struct kf_save *save;
	bool targets; /* whether they are written, and labels */
	struct columns y, p;
	struct kf_classes classes;
};

/* -- columns ------------------------------------------------------------------- */

/* A point's name is a member, and cannot be a column's, too. */
static int check_member(const struct kf_names *names, const char *name,
	struct kf_err *err)
{
	static const char *const axis[] = { "_x", "_y" };
	char column[300]; /* a name has 200 bytes at most */

	for (int i = 0; i < 2; i++) {
		snprintf(column, sizeof column, "%s%s", name, axis[i]);
		if (kf_names_find(names, column) >= 0)
			return kf_fail(err,
				"the columns '%s' and '%s' would have the same "
				"name in JSON",
				name, column);
	}
	return 0;
}

static int find_points(struct columns *c, const struct kf_names *names,
	struct kf_err *err)
{
	c->names = names;
	c->point = calloc((size_t)names->n + 1, sizeof *c->point);
	if (!c->point)
		return kf_fail_memory(err);
	for (int i = 0; i < names->n; i++) {
		const char *name = names->name[i];

		if (kf_axis(name) < 0) {
			if (check_member(names, name, err) < 0)
				return -1;
			continue;
		}
		c->point[i] = strndup(name, strlen(name) - 2);
		if (!c->point[i])
			return kf_fail_memory(err);
	}
	return 0;
}

static void free_columns(struct columns *c)
{
	for (int i = 0; c->point && i < c->names->n; i++)
		free(c->point[i]);
	free(c->point);
}

/* -- opening ------------------------------------------------------------------- */

static int open_columns(struct kf_save_json *j, struct kf_err *err)
{
	const struct kf_schema *schema = j->save->schema;

	if (find_points(&j->y, &schema->columns, err) < 0 ||
		find_points(&j->p, &schema->p_columns, err) < 0)
		return -1;
	return kf_classes_find(&j->classes, &schema->p_columns) < 0 ?
		kf_fail_memory(err) :
		0;
}

struct kf_save_json *kf_save_json_open(struct kf_save *save, struct kf_err *err)
{
	struct kf_save_json *j;

	if (kf_save_check(save, err) < 0)
		return NULL;
	j = calloc(1, sizeof *j);
	if (!j) {
		kf_fail_memory(err);
		return NULL;
	}
	j->save = save;
	j->targets = save->truth || !save->predictions;
	if (open_columns(j, err) < 0) {
		kf_save_json_free(j);
		return NULL;
	}
	return j;
}

void kf_save_json_free(struct kf_save_json *j)
{
	if (!j)
		return;
	free_columns(&j->y);
	free_columns(&j->p);
	kf_classes_free(&j->classes);
	free(j);
}

/* -- rows ---------------------------------------------------------------------- */

/* jansson prints the digits of a double, and those of a float are fewer. */
static json_t *number(float v)
{
	char text[KF_NUMBER_TEXT];

	if (isnan(v))
		return json_null();
	kf_save_digits(v, text);
	return json_real(strtod(text, NULL));
}

/* The member of this name, an object that is added if it is new. */
static json_t *member_object(json_t *in, const char *name)
{
	json_t *member = json_object_get(in, name);

	if (member)
		return member;
	return json_object_set_new(in, name, json_object()) < 0 ?
		NULL :
		json_object_get(in, name);
}

/* -1 when out of memory, as with all that add to a row. */
static int add_values(json_t *row, const char *name, const struct columns *c,
	const float *v)
{
	json_t *object = member_object(row, name);
	int rc = object ? 0 : -1;

	for (int i = 0; i < c->names->n && rc == 0; i++) {
		const char *column = c->names->name[i], *point = c->point[i];

		if (point)
			rc = json_object_set_new(member_object(object, point),
				kf_axis(column) ? "y" : "x", number(v[i]));
		else
			rc = json_object_set_new(object, column, number(v[i]));
	}
	return rc;
}

/* A class by its name, if classes have names. */
static json_t *class_value(const struct kf_schema *s, int64_t class)
{
	if (class >= 0 && class < s->class_names.n)
		return json_string(s->class_names.name[class]);
	return json_integer(class);
}

static int add_class(json_t *row, const struct kf_save_json *j, const float *p)
{
	int best = kf_classes_best(&j->classes, p);

	return json_object_set_new(row, "class",
		best < 0 ? json_null() : class_value(j->save->schema, best));
}

/* The photograph, null where a row has none, and the face there. */
static int add_photograph(json_t *row, const struct kf_schema *s,
	const struct kf_chunk *c, size_t i)
{
	char text[KF_TEXT_MAX + 1];
	int rc = 0;

	if (s->file_width)
		rc = json_object_set_new(row, "file",
			kf_texts_get(c->file, s->file_width, i, text) ?
				json_string(text) :
				json_null());
	if (rc == 0 && s->has_face)
		rc = json_object_set_new(row, "face", json_integer(c->face[i]));
	return rc;
}

static int add_name(json_t *row, const struct kf_chunk *c, int width, size_t i)
{
	char text[KF_TEXT_MAX + 1];
	size_t n = kf_texts_get(c->name, width, i, text);

	return json_object_set_new(row, "name",
		n ? json_stringn(text, n) : json_null());
}

static int fill_row(const struct kf_save_json *j, const struct kf_chunk *c, size_t i,
	json_t *row)
{
	const struct kf_schema *schema = j->save->schema;
	const float *p = c->p + i * (size_t)schema->p_columns.n;
	int rc = json_object_set_new(row, "id", json_integer(c->id[i]));

	if (rc == 0 && schema->name_width)
		rc = add_name(row, c, schema->name_width, i);
	if (rc == 0)
		rc = add_photograph(row, schema, c, i);
	if (rc == 0 && j->targets && schema->has_label)
		rc = json_object_set_new(row, "label",
			class_value(schema, c->label[i]));
	if (rc == 0 && j->classes.n)
		rc = add_class(row, j, p);
	if (rc == 0 && j->targets && schema->columns.n)
		rc = add_values(row, "points", &j->y,
			c->y + i * (size_t)schema->columns.n);
	if (rc == 0 && schema->p_columns.n)
		rc = add_values(row, "predictions", &j->p, p);
	return rc;
}

static int check_values(const struct kf_save_json *j, const struct kf_names *names,
	const float *v, struct kf_err *err)
{
	for (int i = 0; i < names->n; i++)
		if (isinf(v[i]))
			return kf_fail(err,
				"row %llu, column '%s': an infinity; JSON "
				"holds numbers only",
				(unsigned long long)j->save->rows + 1, names->name[i]);
	return 0;
}

static int write_row(const struct kf_save_json *j, const struct kf_chunk *c, size_t i,
	struct kf_err *err)
{
	const struct kf_schema *schema = j->save->schema;
	json_t *row;
	int rc;

	if ((j->targets &&
		    check_values(j, &schema->columns,
			    c->y + i * (size_t)schema->columns.n, err) < 0) ||
		check_values(j, &schema->p_columns,
			c->p + i * (size_t)schema->p_columns.n, err) < 0)
		return -1;
	row = json_object();
	rc = row ? fill_row(j, c, i, row) : -1;
	if (rc == 0)
		rc = json_dumpf(row, j->save->file,
			JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(row);
	if (rc < 0 && !ferror(j->save->file))
		return kf_fail_memory(err);
	fputc('\n', j->save->file);
	return 0;
}

int kf_save_json_rows(struct kf_save_json *j, const struct kf_chunk *chunk,
	struct kf_err *err)
{
	kf_json_begin();
	for (size_t i = 0; i < chunk->n && !ferror(j->save->file); i++) {
		if (write_row(j, chunk, i, err) < 0)
			return -1;
		j->save->rows++;
	}
	return kf_save_flush(j->save, err);
}
