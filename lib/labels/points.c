/* Points made of those that labels have. */
#define _GNU_SOURCE
#include "labels/points.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/lines.h"

#define LINE_BYTES ((size_t)64 << 10)

struct kf_point_rule {
	char *name, *source; /* the two sides of a line */
	uint64_t line;
};

/* -- reading ------------------------------------------------------------------------ */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cuts off the blanks on both sides. */
static char *trim(char *text)
{
	size_t n;

	while (is_blank(*text))
		text++;
	for (n = strlen(text); n > 0 && is_blank(text[n - 1]); n--)
		text[n - 1] = '\0';
	return text;
}

/* Cuts off a comment: a # at the start or after a blank. */
static void cut_comment(char *text)
{
	for (char *p = text; *p; p++)
		if (*p == '#' && (p == text || is_blank(p[-1]))) {
			*p = '\0';
			return;
		}
}

/* Whether it can be a point's: a column's with _x or _y after it. */
static int check_name(const struct kf_point_list *l, const char *name,
	struct kf_err *err)
{
	char column[256];

	if (!*name)
		return kf_fail(err, "there is no name before '='");
	snprintf(column, sizeof column, "%.240s_x", name);
	if (kf_name_check(column, err) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->rule[i].name, name))
			return kf_fail(err, "there are two points '%s'", name);
	return 0;
}

static int add_rule(struct kf_point_list *l, const char *name, const char *source,
	uint64_t line, struct kf_err *err)
{
	struct kf_point_rule rule = { .line = line };

	if (l->n == KF_COLUMNS_MAX / 2)
		return kf_fail(err, "more than %d points", KF_COLUMNS_MAX / 2);
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 32;
		struct kf_point_rule *more = realloc(l->rule, room * sizeof *more);

		if (!more)
			return kf_fail_memory(err);
		l->rule = more;
		l->room = room;
	}
	rule.name = strdup(name);
	rule.source = strdup(source);
	if (!rule.name || !rule.source) {
		free(rule.name);
		free(rule.source);
		return kf_fail_memory(err);
	}
	l->rule[l->n++] = rule;
	return 0;
}

static int take_line(struct kf_point_list *l, char *text, uint64_t line,
	struct kf_err *err)
{
	char *name, *source;

	cut_comment(text);
	source = name = trim(text);
	if (!*name)
		return 0;
	strsep(&source, "=");
	if (!source)
		return kf_fail(err, "there is no '='");
	name = trim(name);
	source = trim(source);
	if (check_name(l, name, err) < 0)
		return -1;
	if (!*source)
		return kf_fail(err, "there is no point after '='");
	return add_rule(l, name, source, line, err);
}

static int read_line(struct kf_point_list *l, struct kf_lines *lines, size_t n,
	struct kf_err *err)
{
	char *text;
	int rc;

	if (n > LINE_BYTES)
		return kf_fail(err, "a line of more than %zu bytes", LINE_BYTES);
	if (memchr(lines->in->at, '\0', n))
		return kf_fail(err, "there is a NUL byte");
	text = strndup(lines->in->at, n);
	if (!text)
		return kf_fail_memory(err);
	rc = take_line(l, text, lines->next, err);
	free(text);
	return rc;
}

static int read_lines(struct kf_point_list *l, struct kf_input *in, struct kf_err *err)
{
	struct kf_lines lines;
	ssize_t n;

	if (kf_lines_open(&lines, in, err) < 0)
		return -1;
	while ((n = kf_lines_whole(&lines, LINE_BYTES, err)) > 0) {
		if (read_line(l, &lines, (size_t)n, err) < 0)
			return kf_place(err, "'%s', line %llu", l->name,
				(unsigned long long)lines.next);
		kf_lines_use(&lines, (size_t)n);
	}
	if (n == 0 && l->n == 0)
		return kf_fail(err, "'%s' names no points", l->name);
	return (int)n;
}

int kf_point_list_read(struct kf_point_list *l, int fd, const char *name,
	struct kf_err *err)
{
	struct kf_input in;
	int rc;

	*l = (struct kf_point_list){ .name = name };
	if (kf_input_open(&in, fd, name, err) < 0)
		return -1;
	rc = read_lines(l, &in, err);
	kf_input_close(&in);
	return rc;
}

void kf_point_list_free(struct kf_point_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->rule[i].name);
		free(l->rule[i].source);
	}
	free(l->rule);
	*l = (struct kf_point_list){ 0 };
}

/* -- which points are meant ----------------------------------------------------------- */

/* The points of the labels. */
struct known {
	struct kf_names names;
	int *number;   /* (names.n) that the name is, or -1 */
	bool numbered; /* some name is a number */
};

/* The points that a rule means. */
struct meant {
	size_t n, room;
	int *point; /* (n) */
};

/* The number at the start of a text, and *end where it ends; -1 where there is none. */
static int parse_number(const char *text, const char **end)
{
	int value = 0;
	size_t n = strspn(text, "0123456789");

	*end = text + n;
	if (n == 0 || n > 8)
		return -1;
	while (n-- > 0)
		value = 10 * value + (*text++ - '0');
	return value;
}

/* The number that a whole text is, or -1. */
static int number_of(const char *text)
{
	const char *end;
	int number = parse_number(text, &end);

	return *end ? -1 : number;
}

static int list_known(struct known *k, const struct kf_names *columns,
	struct kf_err *err)
{
	char name[256];

	k->number = malloc(((size_t)columns->n + 1) * sizeof *k->number);
	if (!k->number)
		return kf_fail_memory(err);
	for (int i = 0; i < columns->n; i += 2) {
		snprintf(name, sizeof name, "%.*s", (int)strlen(columns->name[i]) - 2,
			columns->name[i]);
		if (kf_names_add(&k->names, name) < 0)
			return kf_fail_memory(err);
		k->number[i / 2] = number_of(name);
		k->numbered |= k->number[i / 2] >= 0;
	}
	return 0;
}

static int find_number(const struct known *k, int number)
{
	if (!k->numbered)
		return number < k->names.n ? number : -1;
	for (int i = 0; i < k->names.n; i++)
		if (k->number[i] == number)
			return i;
	return -1;
}

/* The point that a word means, or -1. */
static int find_point(const struct known *k, const char *word)
{
	int i = kf_names_find(&k->names, word), number = number_of(word);

	return i < 0 && number >= 0 ? find_number(k, number) : i;
}

static int add_meant(struct meant *m, int point, struct kf_err *err)
{
	if (m->n == m->room) {
		size_t room = m->room ? 2 * m->room : 16;
		int *more = realloc(m->point, room * sizeof *more);

		if (!more)
			return kf_fail_memory(err);
		m->point = more;
		m->room = room;
	}
	m->point[m->n++] = point;
	return 0;
}

/* A-B: whether the word is a range. */
static bool is_range(const char *word, int *from, int *to)
{
	const char *end;

	*from = parse_number(word, &end);
	if (*from < 0 || *end != '-')
		return false;
	*to = number_of(end + 1);
	return *to >= *from;
}

static int add_word(const struct known *k, const char *word, struct meant *m,
	struct kf_err *err)
{
	int from, to, point = find_point(k, word);

	if (point >= 0)
		return add_meant(m, point, err);
	if (!is_range(word, &from, &to))
		return kf_fail(err, "the labels have no point '%.200s'", word);
	for (int i = from; i <= to; i++) {
		point = find_number(k, i);
		if (point < 0)
			return kf_fail(err, "the labels have no point '%d'", i);
		if (add_meant(m, point, err) < 0)
			return -1;
	}
	return 0;
}

/* All words after "mean"; else the whole text is one, which may have blanks in it. */
static int resolve(const struct known *k, const char *source, struct meant *m,
	struct kf_err *err)
{
	char *copy, *rest, *word;
	int rc = 0;

	m->n = 0;
	if (strncmp(source, "mean", 4) || !is_blank(source[4])) {
		int point = find_point(k, source);

		if (point >= 0)
			return add_meant(m, point, err);
		return kf_fail(err, "the labels have no point '%.200s'%s", source,
			strpbrk(source, " \t-") ? "; of several take the mean" : "");
	}
	copy = rest = strdup(source + 4);
	if (!copy)
		return kf_fail_memory(err);
	while (rc == 0 && (word = strsep(&rest, " \t")))
		if (*word)
			rc = add_word(k, word, m, err);
	free(copy);
	return rc;
}

/* -- replacing points ------------------------------------------------------------------ */

/* Sets a point to the mean of those that are meant: NaN where one is. */
static void average(double *to, const double *from, const struct meant *m)
{
	for (int axis = 0; axis < 2; axis++) {
		double sum = 0;

		for (size_t i = 0; i < m->n; i++)
			sum += from[2 * m->point[i] + axis];
		to[axis] = sum / (double)m->n;
	}
}

static int replace_points(struct kf_photo_face *face, const struct meant *m, size_t n,
	struct kf_err *err)
{
	double *point = malloc(2 * n * sizeof *point);

	if (!point)
		return kf_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		average(point + 2 * i, face->point, &m[i]);
	free(face->point);
	face->point = point;
	return 0;
}

static int resolve_all(const struct kf_point_list *l, const struct known *k,
	struct meant *m, struct kf_err *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (resolve(k, l->rule[i].source, &m[i], err) < 0)
			return kf_place(err, "'%s', line %llu", l->name,
				(unsigned long long)l->rule[i].line);
	return 0;
}

static int rename_points(const struct kf_point_list *l, struct kf_faces *f,
	struct kf_err *err)
{
	struct kf_names names = { 0 };
	int rc = 0;

	for (size_t i = 0; i < l->n && rc == 0; i++)
		if (kf_names_add(&names, l->rule[i].name) < 0)
			rc = kf_fail_memory(err);
	kf_names_free(&f->columns);
	if (rc == 0)
		rc = kf_faces_name_points(f, &names, err);
	kf_names_free(&names);
	return rc;
}

int kf_point_list_apply(const struct kf_point_list *l, struct kf_faces *f,
	struct kf_err *err)
{
	struct known k = { 0 };
	struct meant *m;
	int rc;

	if (!f->columns.n)
		return kf_fail(err, "'%s' names points, but the labels have none",
			l->name);
	m = calloc(l->n + 1, sizeof *m);
	rc = m ? list_known(&k, &f->columns, err) : kf_fail_memory(err);
	if (rc == 0)
		rc = resolve_all(l, &k, m, err);
	for (size_t i = 0; i < f->n && rc == 0; i++)
		rc = replace_points(&f->face[i], m, l->n, err);
	if (rc == 0)
		rc = rename_points(l, f, err);
	for (size_t i = 0; m && i < l->n; i++)
		free(m[i].point);
	free(m);
	free(k.number);
	kf_names_free(&k.names);
	return rc;
}
