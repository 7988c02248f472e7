/* Names of columns. */
#define _GNU_SOURCE
#include "stream/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"

int kf_names_find(const struct kf_names *names, const char *name)
{
	for (int i = 0; i < names->n; i++)
		if (!strcmp(names->name[i], name))
			return i;
	return -1;
}

int kf_names_add(struct kf_names *names, const char *name)
{
	char **more = realloc(names->name, (size_t)(names->n + 1) * sizeof *more);

	if (!more)
		return -1;
	names->name = more;
	if (!(more[names->n] = strdup(name)))
		return -1;
	names->n++;
	return 0;
}

void kf_names_free(struct kf_names *names)
{
	for (int i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct kf_names){ 0 };
}

int kf_names_copy(struct kf_names *to, const struct kf_names *from)
{
	*to = (struct kf_names){ 0 };
	for (int i = 0; i < from->n; i++)
		if (kf_names_add(to, from->name[i]) < 0) {
			kf_names_free(to);
			return -1;
		}
	return 0;
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

void kf_names_difference(const struct kf_names *a, const struct kf_names *b, char *text,
	size_t size)
{
	int i = 0;

	while (i < a->n && i < b->n && !strcmp(a->name[i], b->name[i]))
		i++;
	if (i < a->n && i < b->n)
		snprintf(text, size, "column %d is '%s', not '%s'", i + 1, b->name[i],
			a->name[i]);
	else if (i < a->n)
		snprintf(text, size, "column %d, '%s', is missing", i + 1, a->name[i]);
	else if (i < b->n)
		snprintf(text, size, "column %d, '%s', is one more", i + 1, b->name[i]);
	else
		snprintf(text, size, "there is none");
}

char *kf_names_join(const struct kf_names *names)
{
	size_t size = 1;
	char *text, *to;

	for (int i = 0; i < names->n; i++)
		size += strlen(names->name[i]) + 1;
	to = text = malloc(size);
	if (!text)
		return NULL;
	*text = '\0';
	for (int i = 0; i < names->n; i++) {
		if (i)
			*to++ = ',';
		to = stpcpy(to, names->name[i]);
	}
	return text;
}

int kf_name_check(const char *name, struct kf_err *err)
{
	const char *s = name;

	if (!*s)
		return kf_fail(err, "a column has an empty name");
	if (strlen(name) > 200)
		return kf_fail(err, "column name '%.40s...' is too long", name);
	while (*s) {
		int control, n = kf_utf8_length(s, &control);

		if (control)
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

	*names = (struct kf_names){ 0 };
	if (!copy)
		return kf_fail_memory(err);
	while (*text && rc == 0 && (name = strsep(&rest, ","))) {
		rc = kf_name_check(name, err);
		if (rc == 0 && names->n == KF_COLUMNS_MAX)
			rc = kf_fail(err, "more than %d columns", KF_COLUMNS_MAX);
		if (rc == 0 && kf_names_find(names, name) >= 0)
			rc = kf_fail(err, "column '%s' is named twice", name);
		if (rc == 0 && kf_names_add(names, name) < 0)
			rc = kf_fail_memory(err);
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
