/* CSV with names of pictures. */
#define _GNU_SOURCE
#include "labels/file_csv.h"

#include <stdlib.h>
#include <string.h>

#include "formats/csv_rows.h"
#include "labels/text.h"

#define ROW_BYTES ((size_t)1 << 20)
#define FIELDS_MAX (2 * KF_COLUMNS_MAX)

/* -- recognising ------------------------------------------------------------------ */

/* What the first two rows say. */
struct look {
	int row, field;
	int image;        /* the column Image, or -1 */
	bool pixels;      /* which holds no picture's name */
	bool found;       /* a picture's name, in the header or the first row */
	bool zero, ended; /* there is a NUL byte; both rows are complete */
};

static void look_at_field(void *text, size_t len, void *data)
{
	struct look *l = data;
	bool picture = kf_is_picture_name(text);

	if (l->ended)
		return;
	l->zero |= memchr(text, '\0', len) != NULL;
	l->found |= picture;
	if (l->row == 0 && !strcmp(text, "Image"))
		l->image = l->field;
	if (l->row == 1 && l->field == l->image)
		l->pixels = !picture;
	l->field++;
}

static void look_at_end(int terminator, void *data)
{
	struct look *l = data;

	(void)terminator;
	l->field = 0;
	l->ended |= ++l->row == 2;
}

/* Gives libcsv the input, a little at a time, as far as the two rows reach: 0, 1 where it
 * is none after all, or -1. */
static int look_at_rows(struct csv_parser *parser, struct look *l, struct kf_input *in,
	struct kf_err *err)
{
	size_t at = in->n >= 3 && !memcmp(in->at, "\xef\xbb\xbf", 3) ? 3 : 0;

	while (!l->ended && at < ROW_BYTES) {
		size_t n;

		if (kf_input_need(in, at + 1, err) < 0)
			return -1;
		n = in->n - at < 4096 ? in->n - at : 4096;
		if (n == 0)
			break;
		/* what follows the two rows may be damaged */
		if (csv_parse(parser, in->at + at, n, look_at_field, look_at_end, l) !=
				n &&
			!l->ended)
			return csv_error(parser) == CSV_EPARSE ? 1 :
								 kf_fail_memory(err);
		at += n;
	}
	if (!l->ended && at >= ROW_BYTES)
		return 1;
	if (!l->ended && csv_fini(parser, look_at_field, look_at_end, l) != 0)
		return csv_error(parser) == CSV_EPARSE ? 1 : kf_fail_memory(err);
	return 0;
}

int kf_file_csv_claims(struct kf_input *in, struct kf_err *err)
{
	struct look l = { .image = -1 };
	struct csv_parser parser;
	int rc;

	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL))
		return kf_fail_memory(err);
	rc = look_at_rows(&parser, &l, in, err);
	csv_free(&parser);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	/* a table with an Image but no rows is one without faces, as ever */
	return l.found && !l.zero && !l.pixels && (l.row > 1 || l.image < 0);
}

/* -- a row -------------------------------------------------------------------------- */

/* Fields of a row, one after another, each with a NUL. */
struct fields {
	int n;
	size_t *at; /* (n) in text */
	char *text;
	size_t length, room, at_room;
};

static int keep_field(struct fields *f, const char *text, size_t len,
	struct kf_err *err)
{
	while (f->room - f->length < len + 1) {
		size_t room = f->room ? 2 * f->room : 1024;
		char *more = realloc(f->text, room);

		if (!more)
			return kf_fail_memory(err);
		f->text = more;
		f->room = room;
	}
	if ((size_t)f->n == f->at_room) {
		size_t room = f->at_room ? 2 * f->at_room : 64;
		size_t *more = realloc(f->at, room * sizeof *more);

		if (!more)
			return kf_fail_memory(err);
		f->at = more;
		f->at_room = room;
	}
	f->at[f->n++] = f->length;
	memcpy(f->text + f->length, text, len + 1);
	f->length += len + 1;
	return 0;
}

static char *field(const struct fields *f, int i)
{
	return f->text + f->at[i];
}

static void free_fields(struct fields *f)
{
	free(f->at);
	free(f->text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* -- columns -------------------------------------------------------------------------- */

/* What a column is; from 0 on, the coordinate of that number. */
enum { IGNORED = -1, FILE_NAME = -2, NAME = -3, LABEL = -4, UNKNOWN = -5, BOX = -9 };
/* BOX to BOX + 3 are x, y, w and h. */

static const char *const boxes[2][4] = { { "x", "y", "w", "h" },
	{ "left", "top", "width", "height" } };

struct table {
	struct kf_faces *f;
	struct kf_input *in;
	const char *directory;
	struct kf_csv rows;
	bool in_header;
	struct fields header, row;
	int *role; /* (header.n) */
	double *point;
	size_t points;
};

static const char *name_of(const struct table *t, int i)
{
	return field(&t->header, i);
}

/* The first column of a name, or -1. */
static int column(const struct table *t, const char *name)
{
	for (int i = 0; i < t->header.n; i++)
		if (!strcmp(name_of(t, i), name))
			return i;
	return -1;
}

/* Gives a column that has no role yet the one of its name. */
static int set_role(struct table *t, const char *name, int role, struct kf_err *err)
{
	bool found = false;

	for (int i = 0; i < t->header.n; i++) {
		if (t->role[i] != UNKNOWN || strcmp(name_of(t, i), name))
			continue;
		if (found && role != IGNORED)
			return kf_fail(err, "there are two columns '%s'", name);
		found = true;
		t->role[i] = role;
	}
	return 0;
}

static int find_box(struct table *t, struct kf_err *err)
{
	bool has[2];

	for (int b = 0; b < 2; b++) {
		has[b] = true;
		for (int i = 0; i < 4; i++)
			has[b] &= column(t, boxes[b][i]) >= 0;
	}
	if (has[0] && has[1])
		return kf_fail(err,
			"there are two boxes, 'x,y,w,h' and 'left,top,width,height'");
	for (int b = 0; b < 2; b++)
		for (int i = 0; i < 4 && has[b]; i++)
			if (set_role(t, boxes[b][i], BOX + i, err) < 0)
				return -1;
	return 0;
}

/* The column of the first row that names a picture. */
static int find_file(struct table *t, struct kf_err *err)
{
	for (int i = 0; i < t->header.n; i++)
		if (kf_is_picture_name(name_of(t, i)))
			return kf_fail(err,
				"there is no header, as '%.200s' is a picture's name",
				name_of(t, i));
	for (int i = 0; i < t->row.n; i++)
		if (kf_is_picture_name(field(&t->row, i))) {
			t->role[i] = FILE_NAME;
			return 0;
		}
	return kf_fail(err, "there is no column with names of pictures");
}

/* -- columns of points ------------------------------------------------------------------ */

/* Whether a column may hold coordinates by its name: those of one kind do. */
typedef bool is_kind(const char *name);

static bool is_axis(const char *name)
{
	return kf_axis(name) >= 0;
}

static bool is_number(const char *name)
{
	return *name && !name[strspn(name, "0123456789")];
}

static bool is_empty(const char *name)
{
	return !*name;
}

static int count(const struct table *t, is_kind *kind)
{
	int n = 0;

	for (int i = 0; i < t->header.n; i++)
		n += t->role[i] == UNKNOWN && kind(name_of(t, i));
	return n;
}

/* The column that goes with column i: the same name but for the axis. */
static int partner(const struct table *t, int i)
{
	const char *name = name_of(t, i);
	size_t n = strlen(name);

	for (int j = 0; j < t->header.n; j++) {
		const char *other = name_of(t, j);

		if (t->role[j] != FILE_NAME && strlen(other) == n &&
			!strncmp(name, other, n - 1) && kf_axis(other) >= 0 &&
			kf_axis(other) != kf_axis(name))
			return j;
	}
	return -1;
}

/* Points by pairs of names, in the order in which their first columns come. */
static int pair_columns(struct table *t, struct kf_names *points, struct kf_err *err)
{
	for (int i = 0; i < t->header.n; i++) {
		char *name = field(&t->header, i), kept;
		int other, rc, axis = kf_axis(name);
		size_t n = strlen(name);

		if (t->role[i] != UNKNOWN || axis < 0)
			continue;
		other = partner(t, i);
		if (other < 0)
			return kf_fail(err, "the column '%.200s' has no partner in _%c",
				name, axis ? 'x' : 'y');
		if (t->role[other] != UNKNOWN)
			return kf_fail(err, "there are two columns '%.200s'", name);
		t->role[i] = 2 * points->n + axis;
		t->role[other] = 2 * points->n + !axis;
		kept = name[n - 2];
		name[n - 2] = '\0';
		rc = kf_names_add(points, name);
		name[n - 2] = kept;
		if (rc < 0)
			return kf_fail_memory(err);
	}
	return kf_faces_name_points(t->f, points, err);
}

/* Points by the order of columns. */
static int number_columns(struct table *t, is_kind *kind, int n, struct kf_err *err)
{
	int next = 0;

	if (n % 2)
		return kf_fail(err, "%d columns of coordinates are no pairs of x and y",
			n);
	for (int i = 0; i < t->header.n; i++)
		if (t->role[i] == UNKNOWN && kind(name_of(t, i)))
			t->role[i] = next++;
	return kf_faces_number_points(t->f, (size_t)n / 2, err);
}

static int find_points(struct table *t, struct kf_err *err)
{
	int numbered = count(t, is_number), unnamed = count(t, is_empty);
	struct kf_names points = { 0 };
	int rc, left = 0;
	bool useful = false;

	if (count(t, is_axis)) {
		rc = pair_columns(t, &points, err);
		kf_names_free(&points);
		return rc;
	}
	for (int i = 0; i < t->header.n; i++) {
		left += t->role[i] == UNKNOWN;
		useful |= t->role[i] < IGNORED && t->role[i] != FILE_NAME &&
			t->role[i] != UNKNOWN;
	}
	if (left && numbered + unnamed == left)
		return numbered ? number_columns(t, is_number, numbered, err) :
				  number_columns(t, is_empty, unnamed, err);
	if (left && !useful)
		return kf_fail(err,
			"no column is one of coordinates: of their names none ends in "
			"_x or _y, nor are all numbers; those of a box are x, y, w, h or "
			"left, top, width, height");
	return 0;
}

static int assign_roles(struct table *t, struct kf_err *err)
{
	t->role = malloc((size_t)t->header.n * sizeof *t->role);
	if (!t->role)
		return kf_fail_memory(err);
	for (int i = 0; i < t->header.n; i++)
		t->role[i] = UNKNOWN;
	if (find_file(t, err) < 0 || set_role(t, "name", NAME, err) < 0 ||
		set_role(t, "label", LABEL, err) < 0 ||
		set_role(t, "id", IGNORED, err) < 0 ||
		set_role(t, "ImageId", IGNORED, err) < 0 ||
		set_role(t, "face", IGNORED, err) < 0 || find_box(t, err) < 0 ||
		find_points(t, err) < 0)
		return -1;
	t->points = (size_t)t->f->columns.n / 2;
	t->point = malloc((2 * t->points + 1) * sizeof *t->point);
	return t->point ? 0 : kf_fail_memory(err);
}

/* -- values --------------------------------------------------------------------------- */

/* Whether a field is empty, or a word for missing that pandas and R write. */
static bool is_missing(const char *text)
{
	return !*text || !strcmp(text, "NaN") || !strcmp(text, "NA");
}

static int take_number(const char *text, double *value, struct kf_err *err)
{
	*value = NAN;
	return is_missing(text) ? 0 : kf_label_number(text, strlen(text), value, err);
}

static int take_value(struct table *t, int role, char *text, struct kf_photo_face *face,
	struct kf_err *err)
{
	double *const box[4] = { &face->x, &face->y, &face->w, &face->h };

	if (role >= 0)
		return take_number(text, &t->point[role], err);
	if (role >= BOX && role < BOX + 4)
		return take_number(text, box[role - BOX], err);
	if (role == FILE_NAME)
		face->file = text;
	if (role == NAME)
		face->name = *text ? text : NULL;
	if (role == LABEL)
		face->label = *text ? text : NULL;
	return 0;
}

static int check_box(const struct kf_photo_face *face, struct kf_err *err)
{
	int missing = isnan(face->x) + isnan(face->y) + isnan(face->w) + isnan(face->h);

	return missing % 4 ? kf_fail(err, "a part of the box is missing") : 0;
}

static int add_row(struct table *t, struct kf_err *err)
{
	struct kf_photo_face face = { KF_NO_BOX };

	for (int i = 0; i < t->header.n; i++)
		if (take_value(t, t->role[i], field(&t->row, i), &face, err) < 0)
			return kf_place(err, "'%s', line %llu, column '%.100s'",
				t->in->name, (unsigned long long)t->rows.last_line,
				name_of(t, i));
	if (check_box(&face, err) < 0)
		return -1;
	face.point = t->point;
	return kf_faces_add(t->f, t->directory, &face, t->points, err);
}

static int take_field(void *user, int at, char *text, size_t len, struct kf_err *err)
{
	struct table *t = user;

	if (at >= FIELDS_MAX)
		return kf_fail(err, "more than %d columns", FIELDS_MAX);
	for (; len > 0 && is_blank(*text); len--)
		text++;
	for (; len > 0 && is_blank(text[len - 1]); len--)
		text[len - 1] = '\0';
	return keep_field(t->in_header ? &t->header : &t->row, text, len, err);
}

/* The header, then all rows: 0 at the end, or -1. */
static int read_rows(void *user, struct kf_err *err)
{
	struct table *t = user;
	int rc = kf_csv_row(&t->rows, err);

	while (rc > 0) {
		t->in_header = false;
		t->row.n = 0;
		t->row.length = 0;
		rc = kf_csv_row(&t->rows, err);
		if (rc < 0 || (!t->role && assign_roles(t, err) < 0))
			return -1;
		if (rc > 0 && add_row(t, err) < 0)
			return -1;
	}
	return rc;
}

int kf_file_csv_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err)
{
	struct table t = { .f = f,
		.in = in,
		.directory = directory,
		.in_header = true };
	int rc = kf_csv_table(&t.rows, in, ROW_BYTES, take_field, read_rows, &t, err);

	free_fields(&t.header);
	free_fields(&t.row);
	free(t.role);
	free(t.point);
	return rc;
}
