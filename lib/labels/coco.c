/* COCO's JSON, by jansson. */
#define _GNU_SOURCE
#include "labels/coco.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels/text.h"
#include "stream/json.h"

/* What has an id: an image or a category. */
struct item {
	json_t *id, *object;
	size_t at; /* in the file's list */
};

struct items {
	size_t n;
	struct item *item; /* (n) by id */
};

/* An annotation that is a face. */
struct annotation {
	json_t *object;
	const struct item *image;
	size_t at; /* in the file's list */
};

struct coco {
	struct kf_faces *f;
	struct kf_input *in;
	const char *directory;
	json_t *annotations;
	struct items images, categories;
	bool names_points;       /* some category does */
	struct annotation *face; /* (n) */
	size_t n;
	/* Of the first face, and so of all: */
	size_t points;
	const json_t *names; /* of the points, or NULL */
	double *point;       /* (points, 2) of the current face */
};

/* -- the text ------------------------------------------------------------------- */

struct feed {
	struct kf_input *in;
	size_t left; /* bytes that may still come */
	struct kf_err *err;
	bool failed;
};

/* jansson's callback for more text. */
static size_t more(void *to, size_t n, void *data)
{
	struct feed *feed = data;
	ssize_t got = kf_input_read(feed->in, to, n, feed->err);

	if (got >= 0 && (size_t)got > feed->left)
		got = kf_fail(feed->err, "too large to be read");
	if (got < 0)
		feed->failed = true;
	else
		feed->left -= (size_t)got;
	return (size_t)got;
}

static json_t *parse(struct kf_input *in, size_t most, struct kf_err *err)
{
	struct feed feed = { in, most, err, false };
	json_error_t e;
	json_t *root;

	kf_json_begin();
	root = json_load_callback(more, &feed, JSON_REJECT_DUPLICATES, &e);
	if (root && !feed.failed && !kf_json_ran_out())
		return root;
	if (kf_json_ran_out())
		kf_fail_memory(err);
	else if (!feed.failed) {
		kf_fail(err, "not JSON: %s", e.text);
		kf_place(err, "'%s', line %d", in->name, e.line);
	}
	json_decref(root);
	return NULL;
}

/* -- ids ------------------------------------------------------------------------- */

/* Whole numbers before texts. */
static int compare_ids(const json_t *a, const json_t *b)
{
	json_int_t x = json_integer_value(a), y = json_integer_value(b);

	if (json_is_string(a) != json_is_string(b))
		return json_is_string(a) ? 1 : -1;
	if (json_is_string(a))
		return strcmp(json_string_value(a), json_string_value(b));
	return (x > y) - (x < y);
}

static int by_id(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return compare_ids(x->id, y->id);
}

static bool is_id(const json_t *id)
{
	return json_is_integer(id) || json_is_string(id);
}

/* An id for a message. */
struct shown {
	char text[60];
};

static struct shown show(const json_t *id)
{
	struct shown s;

	if (json_is_string(id))
		snprintf(s.text, sizeof s.text, "'%.50s'", json_string_value(id));
	else
		snprintf(s.text, sizeof s.text, "%lld",
			(long long)json_integer_value(id));
	return s;
}

/* Places a failure at the object of this number in a list, by its id if it has one. */
static int place(const struct coco *c, const char *what, const json_t *object,
	size_t at, struct kf_err *err)
{
	const json_t *id = json_object_get(object, "id");

	if (is_id(id))
		return kf_place(err, "'%s', %s %s", c->in->name, what, show(id).text);
	return kf_place(err, "'%s', %s number %zu", c->in->name, what, at + 1);
}

/* Sorts a list of objects, each with an id of its own, into a table. */
static int list_items(struct coco *c, struct items *table, const char *what,
	const json_t *list, struct kf_err *err)
{
	size_t n = json_array_size(list);

	table->item = calloc(n + 1, sizeof *table->item);
	if (!table->item)
		return kf_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		json_t *object = json_array_get(list, i);
		json_t *id = json_object_get(object, "id");

		if (!is_id(id)) {
			kf_fail(err, "there is no id");
			return place(c, what, object, i, err);
		}
		table->item[i] = (struct item){ id, object, i };
	}
	table->n = n;
	qsort(table->item, n, sizeof *table->item, by_id);
	for (size_t i = 1; i < n; i++)
		if (!by_id(&table->item[i - 1], &table->item[i]))
			return kf_fail(err, "there are two %s with the id %s",
				strcmp(what, "image") ? "categories" : "images",
				show(table->item[i].id).text);
	return 0;
}

static const struct item *find(const struct items *table, json_t *id)
{
	struct item key = { .id = id };

	if (!is_id(id))
		return NULL;
	return bsearch(&key, table->item, table->n, sizeof key, by_id);
}

/* -- what an annotation is ---------------------------------------------------------- */

static bool has_values(const json_t *array)
{
	return json_array_size(array) > 0;
}

/* The names of points that the annotation's category has, or NULL.  Where there is but
 * one category, it need not be said. */
static const json_t *names_of(const struct coco *c, const json_t *annotation)
{
	json_t *id = json_object_get(annotation, "category_id");
	const struct item *category = find(&c->categories, id);
	const json_t *names;

	if (!id && c->categories.n == 1)
		category = &c->categories.item[0];
	names = category ? json_object_get(category->object, "keypoints") : NULL;
	return has_values(names) ? names : NULL;
}

/* Whether the file declares that an annotation is something else than a face. */
static bool is_other(const struct coco *c, const json_t *annotation)
{
	return c->names_points && !names_of(c, annotation) &&
		find(&c->categories, json_object_get(annotation, "category_id")) &&
		!has_values(json_object_get(annotation, "keypoints"));
}

static int by_image(const void *a, const void *b)
{
	const struct annotation *x = a, *y = b;

	if (x->image != y->image)
		return x->image->at < y->image->at ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* The image of an annotation that is a face. */
static int find_image(const struct coco *c, struct annotation *a, struct kf_err *err)
{
	json_t *id = json_object_get(a->object, "image_id");

	if (!id)
		return kf_fail(err, "there is no 'image_id'");
	if (!is_id(id))
		return kf_fail(err, "'image_id' is neither a whole number nor a text");
	a->image = find(&c->images, id);
	if (!a->image)
		return kf_fail(err, "no image has the id %s", show(id).text);
	return 0;
}

/* Finds the faces and puts them into the order of their images. */
static int list_faces(struct coco *c, struct kf_err *err)
{
	size_t n = json_array_size(c->annotations), without = 0;

	c->face = calloc(n + 1, sizeof *c->face);
	if (!c->face)
		return kf_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		struct annotation a = { .at = i };

		a.object = json_array_get(c->annotations, i);
		without += !has_values(json_object_get(a.object, "keypoints"));
		if (is_other(c, a.object))
			continue;
		if (find_image(c, &a, err) < 0)
			return place(c, "annotation", a.object, i, err);
		c->face[c->n++] = a;
	}
	if (n > 0 && without == n)
		return kf_fail(err, "no annotation has keypoints");
	qsort(c->face, c->n, sizeof *c->face, by_image);
	return 0;
}

/* -- points --------------------------------------------------------------------------- */

static int name_points(struct coco *c, struct kf_err *err)
{
	struct kf_names names = { 0 };
	int rc = 0;

	if (!c->names)
		return kf_faces_number_points(c->f, c->points, err);
	for (size_t i = 0; i < c->points && rc == 0; i++) {
		const json_t *name = json_array_get(c->names, i);

		if (!json_is_string(name))
			rc = kf_fail(err, "its category names a point by no text");
		else if (i == KF_COLUMNS_MAX / 2)
			rc = kf_fail(err, "more than %d points", KF_COLUMNS_MAX / 2);
		else if (kf_names_add(&names, json_string_value(name)) < 0)
			rc = kf_fail_memory(err);
	}
	if (rc == 0)
		rc = kf_faces_name_points(c->f, &names, err);
	kf_names_free(&names);
	return rc;
}

/* Names that are as many as the points count. */
static const json_t *fitting_names(const struct coco *c, const struct annotation *a)
{
	const json_t *names = names_of(c, a->object);

	return json_array_size(names) == c->points ? names : NULL;
}

/* All faces must have the points of the first. */
static int check_points(struct coco *c, const struct annotation *a, size_t points,
	struct kf_err *err)
{
	const json_t *names;

	if (c->f->n == 0) {
		c->points = points;
		c->names = fitting_names(c, a);
		c->point = malloc(2 * points * sizeof *c->point);
		return c->point ? name_points(c, err) : kf_fail_memory(err);
	}
	if (points != c->points)
		return kf_fail(err, "%zu keypoints, not %zu as before", points,
			c->points);
	names = fitting_names(c, a);
	if (names != c->names && !(names && c->names && json_equal(names, c->names)))
		return kf_fail(err,
			"its category has other names of keypoints than before");
	return 0;
}

/* Value i of a list that the file calls name. */
static int take_number(const json_t *list, const char *name, size_t i, double *value,
	struct kf_err *err)
{
	const json_t *number = json_array_get(list, i);

	if (!json_is_number(number))
		return kf_fail(err, "%s, value %zu: not a number", name, i + 1);
	*value = json_number_value(number);
	return kf_label_check(*value, err);
}

static int take_keypoints(struct coco *c, const struct annotation *a,
	struct kf_err *err)
{
	const json_t *list = json_object_get(a->object, "keypoints");
	size_t n = json_array_size(list);
	double v;

	if (!n)
		return kf_fail(err, "there are no keypoints");
	if (n % 3)
		return kf_fail(err,
			"the keypoints are %zu numbers, which is no multiple of 3", n);
	if (check_points(c, a, n / 3, err) < 0)
		return -1;
	for (size_t i = 0; i < c->points; i++) {
		double *p = c->point + 2 * i;

		if (take_number(list, "keypoints", 3 * i, &p[0], err) < 0 ||
			take_number(list, "keypoints", 3 * i + 1, &p[1], err) < 0 ||
			take_number(list, "keypoints", 3 * i + 2, &v, err) < 0)
			return -1;
		if (v == 0)
			p[0] = p[1] = NAN;
	}
	return 0;
}

/* An empty list or null is no box. */
static int take_box(const json_t *box, struct kf_photo_face *face, struct kf_err *err)
{
	if (!box || json_is_null(box) || (json_is_array(box) && !has_values(box)))
		return 0;
	if (json_array_size(box) != 4)
		return kf_fail(err, "the bbox is not 4 numbers");
	return take_number(box, "bbox", 0, &face->x, err) < 0 ||
			take_number(box, "bbox", 1, &face->y, err) < 0 ||
			take_number(box, "bbox", 2, &face->w, err) < 0 ||
			take_number(box, "bbox", 3, &face->h, err) < 0 ?
		-1 :
		0;
}

static int add_face(struct coco *c, const struct annotation *a, struct kf_err *err)
{
	struct kf_photo_face face = { KF_NO_BOX };
	const json_t *file = json_object_get(a->image->object, "file_name");
	char *name;
	int rc;

	if (take_keypoints(c, a, err) < 0 ||
		take_box(json_object_get(a->object, "bbox"), &face, err) < 0)
		return -1;
	if (!json_is_string(file)) {
		kf_fail(err, "there is no 'file_name'");
		return place(c, "image", a->image->object, a->image->at, err);
	}
	face.file = name = strdup(json_string_value(file));
	face.point = c->point;
	rc = name ? kf_faces_add(c->f, c->directory, &face, c->points, err) :
		    kf_fail_memory(err);
	free(name);
	return rc;
}

/* -- the file -------------------------------------------------------------------------- */

/* A list of the root's. */
static json_t *list_of(const json_t *root, const char *name, struct kf_err *err)
{
	json_t *list = json_object_get(root, name);

	if (!json_is_array(list)) {
		kf_fail(err, "there is no list '%s'", name);
		return NULL;
	}
	return list;
}

static int read_root(struct coco *c, const json_t *root, struct kf_err *err)
{
	const json_t *images = list_of(root, "images", err);

	if (!images || !(c->annotations = list_of(root, "annotations", err)))
		return -1;
	if (list_items(c, &c->images, "image", images, err) < 0 ||
		list_items(c, &c->categories, "category",
			json_object_get(root, "categories"), err) < 0)
		return -1;
	for (size_t i = 0; i < c->categories.n; i++)
		c->names_points |= has_values(
			json_object_get(c->categories.item[i].object, "keypoints"));
	if (list_faces(c, err) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		if (add_face(c, &c->face[i], err) < 0)
			return place(c, "annotation", c->face[i].object, c->face[i].at,
				err);
	return 0;
}

static int skip_mark(struct kf_input *in, struct kf_err *err)
{
	if (kf_input_need(in, 3, err) < 0)
		return -1;
	if (in->n >= 3 && !memcmp(in->at, "\xef\xbb\xbf", 3))
		kf_input_use(in, 3);
	return 0;
}

int kf_coco_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	size_t most, struct kf_err *err)
{
	struct coco c = { .f = f, .in = in, .directory = directory };
	json_t *root;
	int rc;

	if (skip_mark(in, err) < 0 || !(root = parse(in, most, err)))
		return -1;
	rc = read_root(&c, root, err);
	json_decref(root);
	free(c.images.item);
	free(c.categories.item);
	free(c.face);
	free(c.point);
	return rc;
}
