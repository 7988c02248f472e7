/* Named strings. */
#define _GNU_SOURCE
#include "stream/meta.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kf_meta_set(struct kf_meta *m, const char *key, const char *fmt, ...)
{
	char *value;
	va_list ap;
	int i;

	va_start(ap, fmt);
	if (vasprintf(&value, fmt, ap) < 0)
		abort();
	va_end(ap);
	for (i = 0; i < m->n && strcmp(m->key[i], key); i++)
		;
	if (i == m->n) {
		m->key = realloc(m->key, (size_t)(i + 1) * sizeof *m->key);
		m->value = realloc(m->value, (size_t)(i + 1) * sizeof *m->value);
		if (!m->key || !m->value || !(m->key[i] = strdup(key)))
			abort();
		m->n++;
	} else {
		free(m->value[i]);
	}
	m->value[i] = value;
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
