/* The names of classes, line by line. */
#define _GNU_SOURCE
#include "formats/class_names.h"

#include <string.h>

#include "formats/lines.h"
#include "stream/texts.h"

#define NAME_BYTES 200 /* as kf_name_check allows */
#define LINE_BYTES ((size_t)1024)

static int add(struct kf_names *names, const char *name, struct kf_err *err)
{
	if (!*name)
		return kf_fail(err, "the line is empty");
	if (strlen(name) > NAME_BYTES)
		return kf_fail(err, "a name of %zu bytes; it may have %d", strlen(name),
			NAME_BYTES);
	if (strchr(name, ','))
		return kf_fail(err, "'%s' has a comma", name);
	if (kf_names_find(names, name) >= 0)
		return kf_fail(err, "'%s' is there twice", name);
	if (names->n == KF_COLUMNS_MAX)
		return kf_fail(err, "more than %d classes", KF_COLUMNS_MAX);
	return kf_names_add(names, name) < 0 ? kf_fail_memory(err) : 0;
}

/* A line of n bytes with its end. */
static int add_line(struct kf_names *names, const char *line, size_t n,
	struct kf_err *err)
{
	char name[LINE_BYTES + 1];

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	while (n > 0 && line[n - 1] == ' ')
		n--;
	for (; n > 0 && *line == ' '; n--)
		line++;
	memcpy(name, line, n);
	name[n] = '\0';
	if (strlen(name) < n)
		return kf_fail(err, "there is a NUL byte");
	return kf_texts_check(name, err) < 0 ? -1 : add(names, name, err);
}

static int read_lines(struct kf_names *names, struct kf_input *in, struct kf_err *err)
{
	struct kf_lines lines;
	ssize_t n;

	if (kf_input_check(in, err) < 0 || kf_lines_open(&lines, in, err) < 0)
		return -1;
	while ((n = kf_lines_whole(&lines, LINE_BYTES, err)) > 0) {
		int rc = (size_t)n > LINE_BYTES ?
			kf_fail(err, "a line of more than %zu bytes", LINE_BYTES) :
			add_line(names, in->at, (size_t)n, err);

		if (rc < 0)
			return kf_place(err, "'%s', line %llu", in->name,
				(unsigned long long)lines.next);
		kf_lines_use(&lines, (size_t)n);
	}
	return (int)n;
}

int kf_class_names_read(struct kf_names *names, int fd, const char *name,
	struct kf_err *err)
{
	struct kf_input in;
	int rc;

	if (kf_input_open(&in, fd, name, err) < 0)
		return -1;
	rc = read_lines(names, &in, err);
	kf_input_close(&in);
	if (rc < 0)
		kf_names_free(names);
	return rc;
}
