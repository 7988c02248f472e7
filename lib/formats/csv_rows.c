/* Rows of CSV by libcsv, fed line by line. */
#include "formats/csv_rows.h"

#include <string.h>

int kf_csv_open(struct kf_csv *c, struct kf_input *in, kf_csv_take *take, void *user,
	struct kf_err *err)
{
	*c = (struct kf_csv){ .take = take, .user = user, .hint = "" };
	if (csv_init(&c->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL))
		return kf_fail_memory(err);
	csv_set_blk_size(&c->parser, 1 << 16);
	return kf_lines_open(&c->lines, in, err);
}

void kf_csv_close(struct kf_csv *c)
{
	csv_free(&c->parser);
}

/* libcsv's callback for a field. */
static void on_field(void *text, size_t len, void *data)
{
	struct kf_csv *c = data;
	int rc = 0;

	if (c->failed)
		return;
	if (memchr(text, '\0', len))
		rc = kf_fail(c->err, "there is a NUL byte");
	else if (!c->columns || c->field < c->columns)
		rc = c->take(c->user, c->field, text, len, c->err);
	else if (len > 0)
		c->beyond = true;
	c->failed = rc < 0;
	if (!c->failed)
		c->field++;
}

/* libcsv's callback for the end of a row. */
static void on_row(int terminator, void *data)
{
	struct kf_csv *c = data;

	(void)terminator;
	c->whole = true;
}

/* Reads a complete line of the row; its length, 0 at the end, or -1. */
static ssize_t next_line(struct kf_csv *c, struct kf_err *err)
{
	ssize_t most = (ssize_t)(c->most - c->bytes);
	ssize_t n = kf_lines_whole(&c->lines, (size_t)most, err);

	if (n > 0)
		c->last_line = c->lines.next;
	if (n > most)
		n = kf_fail(err, "a row of more than %zu bytes%s", c->most, c->hint);
	if (n < 0)
		c->field = -1;
	return n;
}

/* Gives libcsv a line; a quoted field may continue in the next. */
static void feed(struct kf_csv *c, size_t n)
{
	const char *line = c->lines.in->at;

	if (csv_parse(&c->parser, line, n, on_field, on_row, c) != n && !c->failed) {
		c->failed = true;
		if (csv_error(&c->parser) == CSV_EPARSE)
			kf_fail(c->err, "a quote in the wrong place");
		else
			kf_fail_memory(c->err);
	}
	c->bytes += n;
	kf_lines_use(&c->lines, n);
}

/* At the end of the input a row may end without a newline. */
static void feed_end(struct kf_csv *c)
{
	if (csv_fini(&c->parser, on_field, on_row, c) != 0 && !c->failed) {
		c->failed = true;
		kf_fail(c->err, "a quote is not closed");
	}
}

static bool is_blank(const char *line, size_t n)
{
	size_t i = strspn(line, " \t");

	return i >= n || line[i] == '\n' || line[i] == '\r';
}

ssize_t kf_csv_peek(struct kf_csv *c, struct kf_err *err)
{
	c->bytes = 0;
	c->field = 0;
	for (;;) {
		const char *line;
		ssize_t n;

		c->first_line = c->lines.next;
		n = next_line(c, err);
		line = c->lines.in->at;
		if (n <= 0 || !is_blank(line, (size_t)n))
			return n;
		kf_lines_use(&c->lines, (size_t)n);
	}
}

int kf_csv_row(struct kf_csv *c, struct kf_err *err)
{
	ssize_t n = kf_csv_peek(c, err);

	c->whole = c->failed = c->beyond = false;
	c->err = err;
	for (; n > 0; n = next_line(c, err)) {
		feed(c, (size_t)n);
		if (c->whole || c->failed)
			break;
	}
	if (n == 0)
		feed_end(c);
	if (n < 0 || c->failed)
		return -1;
	if (!c->whole)
		return 0;
	if (!c->columns)
		c->columns = c->field;
	if (c->field == c->columns)
		return 1;
	if (c->least && c->field >= c->least && !c->beyond)
		return 1;
	kf_fail(err, "%d fields, but the header has %d", c->field, c->columns);
	c->field = -1;
	return -1;
}

int kf_csv_table(struct kf_csv *c, struct kf_input *in, size_t most, kf_csv_take *take,
	int (*read_rows)(void *user, struct kf_err *err), void *user,
	struct kf_err *err)
{
	int rc;

	if (kf_input_check(in, err) < 0)
		return -1;
	rc = kf_csv_open(c, in, take, user, err);
	c->most = most;
	c->hint = "; is this CSV?";
	if (rc == 0 && (rc = read_rows(user, err)) < 0)
		kf_place(err, "'%s', line %llu", in->name,
			(unsigned long long)c->last_line);
	kf_csv_close(c);
	return rc;
}

const char *kf_csv_separator_hint(const char *name)
{
	if (strchr(name, ';'))
		return "; its columns must be separated by commas, not semicolons";
	if (strchr(name, '\t'))
		return "; its columns must be separated by commas, not tabs";
	return "";
}
