/* Faces of photographs as rows. */
#include "labels/crops.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "labels/face_classes.h"
#include "photo/crop.h"
#include "photo/photo.h"
#include "stream/texts.h"

struct kf_crops {
	const struct kf_faces *faces;
	const struct kf_crop_options *options;
	struct kf_schema schema;
	struct kf_chunk chunk;
	size_t next; /* face */
	struct kf_photo photo;
	const char *open; /* the file that is in it, or NULL */
	const char *bad;  /* the last file that could not be read, or NULL */
	struct kf_cropper cropper;
	struct kf_face_classes classes;
};

/* -- where to cut ---------------------------------------------------------------- */

/* The smallest region that holds a face's points; whether it has any. */
static bool around_points(const struct kf_photo_face *face, int points,
	struct kf_region *r)
{
	double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };

	for (int i = 0; i < points; i++)
		for (int axis = 0; axis < 2; axis++) {
			double v = face->point[2 * i + axis];

			if (v < low[axis])
				low[axis] = v;
			if (v > high[axis])
				high[axis] = v;
		}
	/* Pixels count from their middle, and regions from the corner. */
	*r = (struct kf_region){ low[0] + .5, low[1] + .5, high[0] - low[0],
		high[1] - low[1] };
	return low[0] <= high[0] && low[1] <= high[1];
}

static bool meets(const struct kf_region *r, const struct kf_photo *p)
{
	return r->x < p->w && r->y < p->h && r->x + r->w > 0 && r->y + r->h > 0;
}

/* The square around a region, enlarged and shifted. */
static struct kf_region square(const struct kf_region *r,
	const struct kf_crop_options *o)
{
	double was = fmax(r->w, r->h), side = was * o->enlarge;
	double x = r->x + r->w / 2 + o->shift[0] * was;
	double y = r->y + r->h / 2 + o->shift[1] * was;

	return (struct kf_region){ x - side / 2, y - side / 2, side, side };
}

/* The same middle in the shape of an image, with all that was inside. */
static struct kf_region fit(const struct kf_region *r, int w, int h)
{
	double scale = fmax(r->w / w, r->h / h);

	return (struct kf_region){ r->x + r->w / 2 - scale * w / 2,
		r->y + r->h / 2 - scale * h / 2, scale * w, scale * h };
}

/* Whether a face has what it is to be cut out by. */
static int check_face(const struct kf_crops *c, const struct kf_photo_face *face,
	struct kf_err *err)
{
	struct kf_region r;
	bool has_box = kf_face_has_box(face);
	bool has_points = around_points(face, c->faces->columns.n / 2, &r);

	if (c->options->by == KF_CROP_NONE ||
		(c->options->by == KF_CROP_BOX ? has_box : has_points))
		return 0;
	if (has_points)
		kf_fail(err, "it has no box; --crop points needs none");
	else if (has_box)
		kf_fail(err,
			"it has no points to cut it out by; --crop box needs none");
	else
		kf_fail(err,
			"there is neither a box nor a point to cut it out by; a "
			"file of labels gives them");
	return kf_place(err, "'%s', face %d", face->file, face->number);
}

/* What is cut out for a face, before it takes the image's shape. */
static int find_region(const struct kf_crops *c, const struct kf_photo_face *face,
	struct kf_region *r, struct kf_err *err)
{
	const struct kf_photo *p = &c->photo;
	bool box = c->options->by == KF_CROP_BOX;
	const char *what = box ? "its box" : "the square around its points";

	if (c->options->by == KF_CROP_NONE) {
		*r = (struct kf_region){ 0, 0, p->w, p->h };
		return 0;
	}
	if (box)
		*r = (struct kf_region){ face->x, face->y, face->w, face->h };
	else
		around_points(face, c->schema.columns.n / 2, r);
	if (fmax(r->w, r->h) < KF_CROP_LEAST || (box && fmin(r->w, r->h) <= 0))
		return kf_fail(err, "%s, %g x %g pixels, is too small for a face", what,
			r->w, r->h);
	if (!meets(r, p))
		return kf_fail(err,
			"%s, %g x %g pixels at %g, %g, is outside the picture of %d x "
			"%d",
			what, r->w, r->h, r->x, r->y, p->w, p->h);
	*r = square(r, c->options);
	if (!meets(r, p))
		return kf_fail(err, "%s is shifted out of the picture of %d x %d", what,
			p->w, p->h);
	return 0;
}

/* -- photographs ------------------------------------------------------------------ */

/* Has the face's photograph in memory. */
static int open_photo(struct kf_crops *c, const struct kf_photo_face *face,
	struct kf_err *err)
{
	if (c->open && !strcmp(c->open, face->file))
		return 0;
	c->open = NULL;
	if (kf_photo_read(&c->photo, face->file, err) < 0)
		return -1;
	c->open = face->file;
	return 0;
}

/* Without a size or a crop all are as the first one. */
static int check_size(const struct kf_crops *c, struct kf_err *err)
{
	const struct kf_photo *p = &c->photo;
	const struct kf_schema *s = &c->schema;

	if (c->options->by != KF_CROP_NONE || c->options->w ||
		(p->w == s->w && p->h == s->h))
		return 0;
	return kf_fail(err,
		"%d x %d pixels, but the first picture has %d x %d; give a size with "
		"--size",
		p->w, p->h, s->w, s->h);
}

/* -- rows -------------------------------------------------------------------------- */

/* The map is of regions, so it does not mix the axes. */
static void set_targets(struct kf_crops *c, const struct kf_photo_face *face,
	size_t row)
{
	const float *t = c->chunk.transform + 6 * row;
	size_t m = (size_t)c->schema.columns.n;
	float *y = c->chunk.y + row * m;

	for (size_t i = 0; i < m; i += 2) {
		y[i] = (float)((double)t[0] * face->point[i] + (double)t[2]);
		y[i + 1] = (float)((double)t[4] * face->point[i + 1] + (double)t[5]);
	}
}

/* Cuts a face out, which becomes the chunk's next row. */
static int add_row(struct kf_crops *c, const struct kf_photo_face *face,
	struct kf_err *err)
{
	const struct kf_schema *s = &c->schema;
	struct kf_chunk *chunk = &c->chunk;
	size_t row = chunk->n;
	struct kf_region r;

	if (check_size(c, err) < 0 || find_region(c, face, &r, err) < 0)
		return kf_place(err, "'%s', face %d", face->file, face->number);
	r = fit(&r, s->w, s->h);
	kf_region_transform(&r, s->w, s->h, chunk->transform + 6 * row);
	if (kf_crop(&c->cropper, &c->photo, &r, s->w, s->h,
		    (uint8_t *)chunk->X + row * kf_image_bytes(s), err) < 0)
		return -1;
	chunk->id[row] = (int64_t)c->next + 1;
	chunk->face[row] = face->number;
	kf_texts_set(chunk->file, s->file_width, row, face->file);
	if (s->name_width)
		kf_texts_set(chunk->name, s->name_width, row,
			face->name ? face->name : "");
	if (s->has_label)
		chunk->label[row] = kf_face_classes_number(&c->classes, face->label);
	set_targets(c, face, row);
	chunk->n++;
	return 0;
}

/* Leaves out what failed, if that is wanted: 0, or -1.  Who lacks memory gains nothing. */
static int skip(const struct kf_crops *c, const struct kf_err *err)
{
	if (!c->options->skip || err->memory)
		return -1;
	c->options->skip(err);
	return 0;
}

/* A face whose photograph could not be read is left out without another word. */
static int next_face(struct kf_crops *c, struct kf_err *err)
{
	const struct kf_photo_face *face = &c->faces->face[c->next];

	if (c->bad && !strcmp(c->bad, face->file))
		return 0;
	if (check_face(c, face, err) < 0)
		return skip(c, err);
	if (open_photo(c, face, err) < 0) {
		c->bad = face->file;
		return skip(c, err);
	}
	return add_row(c, face, err) < 0 ? skip(c, err) : 0;
}

int kf_crops_next(struct kf_crops *c, const struct kf_chunk **chunk, struct kf_err *err)
{
	size_t full = kf_chunk_rows(&c->schema);

	*chunk = &c->chunk;
	c->chunk.n = 0;
	for (; c->next < c->faces->n && c->chunk.n < full; c->next++)
		if (next_face(c, err) < 0)
			return -1;
	return c->chunk.n > 0;
}

/* -- opening ---------------------------------------------------------------------- */

/* Every face has what it is to be cut out by, or is left out later. */
static int check_faces(const struct kf_crops *c, struct kf_err *err)
{
	const struct kf_faces *faces = c->faces;

	if (faces->n == 0)
		return kf_fail(err, "there is no face");
	for (size_t i = 0; i < faces->n && !c->options->skip; i++)
		if (check_face(c, &faces->face[i], err) < 0)
			return -1;
	return 0;
}

static void set_widths(struct kf_crops *c)
{
	size_t file = 0, name = 0;

	for (size_t i = 0; i < c->faces->n; i++) {
		const struct kf_photo_face *face = &c->faces->face[i];

		if (strlen(face->file) > file)
			file = strlen(face->file);
		if (face->name && strlen(face->name) > name)
			name = strlen(face->name);
	}
	c->schema.file_width = kf_texts_width(file);
	c->schema.name_width = name ? kf_texts_width(name) : 0;
}

/* Whole photographs without a size are as large as the first that can be read. */
static int set_size(struct kf_crops *c, struct kf_err *err)
{
	const struct kf_crop_options *o = c->options;
	int side = o->by == KF_CROP_NONE ? 0 : KF_CROP_SIDE;

	c->schema.w = o->w ? o->w : side;
	c->schema.h = o->h ? o->h : side;
	for (; c->schema.w == 0 && c->next < c->faces->n; c->next++) {
		const struct kf_photo_face *face = &c->faces->face[c->next];

		if (open_photo(c, face, err) == 0) {
			c->schema.w = c->photo.w;
			c->schema.h = c->photo.h;
			break;
		}
		c->bad = face->file;
		if (skip(c, err) < 0)
			return -1;
	}
	if (c->schema.w == 0)
		return kf_fail(err, "no picture could be read");
	if (c->schema.w <= KF_SIDE_MAX && c->schema.h <= KF_SIDE_MAX &&
		(int64_t)c->schema.w * c->schema.h <= KF_PIXELS_MAX)
		return 0;
	return kf_fail(err,
		"an image of %d x %d is out of bounds; give another with --size",
		c->schema.w, c->schema.h);
}

static int set_schema(struct kf_crops *c, struct kf_err *err)
{
	c->schema = (struct kf_schema){ .dtype = KF_U8,
		.c = 1,
		.has_face = true,
		.has_transform = true };
	if (kf_names_copy(&c->schema.columns, &c->faces->columns) < 0)
		return kf_fail_memory(err);
	if (kf_face_classes_find(&c->classes, c->faces, c->options->class_names, err) <
		0)
		return -1;
	c->schema.has_label = c->classes.n > 0;
	c->schema.classes = c->classes.n;
	if (kf_names_copy(&c->schema.class_names, &c->classes.names) < 0)
		return kf_fail_memory(err);
	set_widths(c);
	return set_size(c, err);
}

struct kf_crops *kf_crops_open(const struct kf_faces *faces,
	const struct kf_crop_options *options, struct kf_err *err)
{
	struct kf_crops *c = calloc(1, sizeof *c);

	if (!c) {
		kf_fail_memory(err);
		return NULL;
	}
	c->faces = faces;
	c->options = options;
	if (check_faces(c, err) < 0 || set_schema(c, err) < 0 ||
		kf_chunk_reserve(&c->chunk, &c->schema,
			faces->n < kf_chunk_rows(&c->schema) ?
				faces->n :
				kf_chunk_rows(&c->schema),
			err) < 0) {
		kf_crops_close(c);
		return NULL;
	}
	return c;
}

const struct kf_schema *kf_crops_schema(const struct kf_crops *c)
{
	return &c->schema;
}

void kf_crops_close(struct kf_crops *c)
{
	if (!c)
		return;
	kf_photo_free(&c->photo);
	kf_cropper_free(&c->cropper);
	kf_face_classes_free(&c->classes);
	kf_chunk_free(&c->chunk);
	kf_schema_free(&c->schema);
	free(c);
}
