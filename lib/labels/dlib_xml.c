/* dlib's XML, by expat. */
#define _GNU_SOURCE
#include "labels/dlib_xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "labels/text.h"

#define SILENT_MAX ((size_t)1 << 20) /* bytes of one tag or comment */
#define LABEL_MAX 1000               /* bytes */

#if XML_MAJOR_VERSION > 2 || XML_MINOR_VERSION >= 8
#define LINE_NUMBER XML_GetCurrentLineNumber64
#else
#define LINE_NUMBER XML_GetCurrentLineNumber
#endif

/* Where the parser is, of those elements that mean something. */
enum { OUTSIDE, IN_DATASET, IN_IMAGE, IN_BOX, IN_LABEL };

struct dlib {
	struct kf_faces *f;
	struct kf_input *in;
	const char *directory;
	XML_Parser parser;
	struct kf_err *err;
	bool failed;
	bool moved; /* something was reported since this was unset */
	int where;
	int depth; /* of elements that mean nothing, below where */
	struct kf_names points;
	int *had; /* (f->n) how many points there were when a face was added */
	size_t had_room;
	char *file; /* of the image */
	/* The current box: */
	struct kf_photo_face face;
	bool ignored;
	double *point; /* (room / 2, 2) */
	size_t room;
	int next; /* the point that comes next, if parts are in the usual order */
	char label[LABEL_MAX + 1];
	size_t label_length;
};

/* Ends the parsing after a failure. */
static void stop(struct dlib *d)
{
	if (!d->failed)
		kf_place(d->err, "'%s', line %lu", d->in->name,
			(unsigned long)LINE_NUMBER(d->parser));
	d->failed = true;
	XML_StopParser(d->parser, XML_FALSE);
}

/* -- attributes -------------------------------------------------------------------- */

static const char *attribute(const char **list, const char *name)
{
	for (; *list; list += 2)
		if (!strcmp(*list, name))
			return list[1];
	return NULL;
}

static int take_text(const char **list, const char *name, const char **text,
	struct kf_err *err)
{
	*text = attribute(list, name);
	return *text ? 0 : kf_fail(err, "the attribute '%s' is missing", name);
}

static int take_number(const char **list, const char *name, double *value,
	struct kf_err *err)
{
	const char *text;

	if (take_text(list, name, &text, err) < 0)
		return -1;
	return kf_label_number(text, strlen(text), value, err);
}

/* -- elements ---------------------------------------------------------------------- */

static int open_image(struct dlib *d, const char **list, struct kf_err *err)
{
	const char *file;

	if (take_text(list, "file", &file, err) < 0)
		return -1;
	free(d->file);
	d->file = strdup(file);
	return d->file ? 0 : kf_fail_memory(err);
}

static int open_box(struct dlib *d, const char **list, struct kf_err *err)
{
	const char *ignore = attribute(list, "ignore");

	d->face = (struct kf_photo_face){ .file = d->file };
	d->ignored = ignore && strcmp(ignore, "0");
	d->next = 0;
	d->label_length = 0;
	for (size_t i = 0; i < d->room; i++)
		d->point[i] = NAN;
	return take_number(list, "left", &d->face.x, err) < 0 ||
			take_number(list, "top", &d->face.y, err) < 0 ||
			take_number(list, "width", &d->face.w, err) < 0 ||
			take_number(list, "height", &d->face.h, err) < 0 ?
		-1 :
		0;
}

/* Makes room for the point of a number. */
static int grow(struct dlib *d, int point, struct kf_err *err)
{
	size_t room = d->room ? 2 * d->room : 256;
	double *more;

	if (2 * (size_t)point < d->room)
		return 0;
	more = realloc(d->point, room * sizeof *more);
	if (!more)
		return kf_fail_memory(err);
	for (size_t i = d->room; i < room; i++)
		more[i] = NAN;
	d->point = more;
	d->room = room;
	return 0;
}

/* The number of a point, which may be new; -1. */
static int find_point(struct dlib *d, const char *name, struct kf_err *err)
{
	int i = d->next;

	if (i >= d->points.n || strcmp(d->points.name[i], name))
		i = kf_names_find(&d->points, name);
	if (i < 0) {
		i = d->points.n;
		if (i == KF_COLUMNS_MAX / 2)
			return kf_fail(err, "more than %d points", KF_COLUMNS_MAX / 2);
		if (kf_names_add(&d->points, name) < 0)
			return kf_fail_memory(err);
	}
	d->next = i + 1;
	return grow(d, i, err) < 0 ? -1 : i;
}

static int take_part(struct dlib *d, const char **list, struct kf_err *err)
{
	const char *name;
	double *p;
	int i;

	if (take_text(list, "name", &name, err) < 0)
		return -1;
	if (d->ignored)
		return 0;
	if ((i = find_point(d, name, err)) < 0)
		return -1;
	p = d->point + 2 * i;
	if (!isnan(p[0]))
		return kf_fail(err, "the box has two parts '%.200s'", name);
	return take_number(list, "x", &p[0], err) < 0 ||
			take_number(list, "y", &p[1], err) < 0 ?
		-1 :
		0;
}

/* Notes how many points a face has as it is added. */
static int note_points(struct dlib *d, struct kf_err *err)
{
	size_t room = d->had_room ? 2 * d->had_room : 64;
	int *more;

	if (d->f->n == d->had_room) {
		more = realloc(d->had, room * sizeof *more);
		if (!more)
			return kf_fail_memory(err);
		d->had = more;
		d->had_room = room;
	}
	d->had[d->f->n] = d->points.n;
	return 0;
}

/* The text of a label without the blanks around it. */
static char *trimmed(struct dlib *d)
{
	static const char blank[] = " \t\r\n";
	char *text = d->label;
	size_t n = d->label_length;

	while (n > 0 && strchr(blank, text[n - 1]))
		n--;
	text[n] = '\0';
	text += strspn(text, blank);
	return *text ? text : NULL;
}

static int close_box(struct dlib *d, struct kf_err *err)
{
	if (d->ignored)
		return 0;
	d->face.name = trimmed(d);
	d->face.point = d->point;
	if (note_points(d, err) < 0)
		return -1;
	return kf_faces_add(d->f, d->directory, &d->face, (size_t)d->points.n, err);
}

/* -- expat's callbacks ---------------------------------------------------------------- */

static int open_element(struct dlib *d, const char *name, const char **list,
	struct kf_err *err)
{
	if (d->where == OUTSIDE && strcmp(name, "dataset"))
		return kf_fail(err, "the root is '%.60s', not dlib's 'dataset'", name);
	if (d->where == OUTSIDE) {
		d->where = IN_DATASET;
	} else if (d->where == IN_DATASET && !strcmp(name, "image")) {
		d->where = IN_IMAGE;
		return open_image(d, list, err);
	} else if (d->where == IN_IMAGE && !strcmp(name, "box")) {
		d->where = IN_BOX;
		return open_box(d, list, err);
	} else if (d->where == IN_BOX && !strcmp(name, "label")) {
		d->where = IN_LABEL;
	} else if (d->where == IN_BOX && !strcmp(name, "part")) {
		d->depth++;
		return take_part(d, list, err);
	} else if (!strcmp(name, "images") && d->where == IN_DATASET) {
		/* its images are found as if it were not there */
		return 0;
	} else {
		d->depth++;
	}
	return 0;
}

static void on_open(void *data, const char *name, const char **list)
{
	struct dlib *d = data;

	d->moved = true;
	if (d->failed)
		return;
	if (d->depth > 0)
		d->depth++;
	else if (open_element(d, name, list, d->err) < 0)
		stop(d);
}

static void on_close(void *data, const char *name)
{
	struct dlib *d = data;

	d->moved = true;
	if (d->failed)
		return;
	if (d->depth > 0)
		d->depth--;
	else if (d->where == IN_BOX && close_box(d, d->err) < 0)
		stop(d);
	else if (d->where != IN_DATASET || strcmp(name, "images"))
		d->where--;
}

static void on_text(void *data, const char *text, int n)
{
	struct dlib *d = data;

	d->moved = true;
	if (d->failed || d->where != IN_LABEL || d->depth > 0)
		return;
	if ((size_t)n > LABEL_MAX - d->label_length) {
		kf_fail(d->err, "a label of more than %d bytes", LABEL_MAX);
		stop(d);
		return;
	}
	memcpy(d->label + d->label_length, text, (size_t)n);
	d->label_length += (size_t)n;
}

/* Anything else, such as comments. */
static void on_other(void *data, const char *text, int n)
{
	struct dlib *d = data;

	(void)text;
	(void)n;
	d->moved = true;
}

/* Before any entity can be used, which might stand for gigabytes. */
static void on_entity(void *data, const char *name, int is_parameter, const char *value,
	int n, const char *base, const char *system, const char *public,
	const char *notation)
{
	struct dlib *d = data;

	(void)is_parameter;
	(void)value;
	(void)n;
	(void)base;
	(void)system;
	(void)public;
	(void)notation;
	if (d->failed)
		return;
	kf_fail(d->err, "entities, such as '%.60s', are not supported", name);
	stop(d);
}

/* -- the file ---------------------------------------------------------------------------- */

static int fail_parser(struct dlib *d)
{
	enum XML_Error code = XML_GetErrorCode(d->parser);

	if (d->failed)
		return -1;
	if (code == XML_ERROR_NO_MEMORY)
		kf_fail_memory(d->err);
	else
		kf_fail(d->err, "not XML: %s", XML_ErrorString(code));
	stop(d);
	return -1;
}

/* Feeds the parser piece by piece; one without bytes is the last. */
static int parse(struct dlib *d, struct kf_err *err)
{
	struct kf_input *in = d->in;
	size_t n, silent = 0;

	do {
		if (kf_input_need(in, 1, err) < 0)
			return -1;
		n = in->n < KF_INPUT_PIECE ? in->n : KF_INPUT_PIECE;
		d->moved = false;
		if (XML_Parse(d->parser, in->at, (int)n, n == 0) != XML_STATUS_OK)
			return fail_parser(d);
		silent = d->moved ? 0 : silent + n;
		if (silent > SILENT_MAX) {
			kf_fail(err, "more than %zu bytes without an element",
				SILENT_MAX);
			stop(d);
			return -1;
		}
		kf_input_use(in, n);
	} while (n > 0);
	return 0;
}

/* Gives all faces all points, now that these are known. */
static int complete(struct dlib *d, struct kf_err *err)
{
	size_t points = (size_t)d->points.n;

	if (kf_faces_name_points(d->f, &d->points, err) < 0)
		return -1;
	for (size_t i = 0; i < d->f->n && points; i++) {
		struct kf_photo_face *face = &d->f->face[i];
		double *more = realloc(face->point, 2 * points * sizeof *more);

		if (!more)
			return kf_fail_memory(err);
		face->point = more;
		for (size_t j = 2 * (size_t)d->had[i]; j < 2 * points; j++)
			more[j] = NAN;
	}
	return 0;
}

int kf_dlib_xml_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err)
{
	struct dlib d = { .f = f, .in = in, .directory = directory, .err = err };
	int rc;

	d.parser = XML_ParserCreate("UTF-8");
	if (!d.parser)
		return kf_fail_memory(err);
	XML_SetUserData(d.parser, &d);
	XML_SetElementHandler(d.parser, on_open, on_close);
	XML_SetCharacterDataHandler(d.parser, on_text);
	XML_SetEntityDeclHandler(d.parser, on_entity);
	XML_SetDefaultHandler(d.parser, on_other);
	rc = parse(&d, err);
	if (rc == 0)
		rc = complete(&d, err);
	XML_ParserFree(d.parser);
	kf_names_free(&d.points);
	free(d.had);
	free(d.file);
	free(d.point);
	return rc;
}
