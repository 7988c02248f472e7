/* Named strings. */
#define _GNU_SOURCE
#include "stream/meta.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Appends a key with a value of NULL. */
static int append(struct kf_meta *m, const char *key)
{
	size_t bytes = (size_t)(m->n + 1) * sizeof(char *);
	char **more;

	if (!(more = realloc(m->key, bytes)))
		return -1;
	m->key = more;
	if (!(more = realloc(m->value, bytes)))
		return -1;
	m->value = more;
	if (!(m->key[m->n] = strdup(key)))
		return -1;
	m->value[m->n++] = NULL;
	return 0;
}

void kf_meta_set(struct kf_meta *m, const char *key, const char *fmt, ...)
{
	int i, length;
	char *value;
	va_list ap;

	va_start(ap, fmt);
	length = vasprintf(&value, fmt, ap);
	va_end(ap);
	for (i = 0; i < m->n && strcmp(m->key[i], key); i++)
		;
	if (length < 0) {
		m->incomplete = true;
	} else if (i == m->n && append(m, key) < 0) {
		free(value);
		m->incomplete = true;
	} else {
		free(m->value[i]);
		m->value[i] = value;
	}
}

const char *kf_meta_get(const struct kf_meta *m, const char *key)
{
	for (int i = 0; i < m->n; i++)
		if (!strcmp(m->key[i], key))
			return m->value[i];
	return NULL;
}

void kf_meta_free(struct kf_meta *m)
{
	for (int i = 0; i < m->n; i++) {
		free(m->key[i]);
		free(m->value[i]);
	}
	free(m->key);
	free(m->value);
	*m = (struct kf_meta){ 0 };
}
