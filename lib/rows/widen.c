/* Wider texts. */
#include "rows/widen.h"

#include <stdlib.h>
#include <string.h>

#include "stream/texts.h"

static int *width_of(const struct kf_field *f, struct kf_schema *s)
{
	return (int *)(void *)((char *)s + f->width);
}

void kf_widen_schema(struct kf_schema *s, const struct kf_schema *other)
{
	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		size_t is = kf_field_bytes(f, s), wider = kf_field_bytes(f, other);

		if (f->width && is && wider > is)
			*width_of(f, s) = (int)wider;
	}
}

/* Sets the member of a chunk that points to a field. */
static void set_data(const struct kf_field *f, struct kf_chunk *c, void *data)
{
	memcpy((char *)c + f->data, &data, sizeof data);
}

int kf_widen_rows(const struct kf_schema *in, const struct kf_chunk *from,
	const struct kf_schema *out, struct kf_chunk *to, struct kf_err *err)
{
	struct kf_chunk own = *to;

	*to = *from;
	for (int i = 0; i < KF_FIELDS; i++) {
		const struct kf_field *f = &kf_fields[i];
		size_t wide = f->width ? kf_field_bytes(f, out) : 0;
		void *data;

		if (!wide)
			continue;
		data = realloc(kf_field_data(f, &own), (from->n + 1) * wide);
		if (!data) {
			*to = own;
			return kf_fail_memory(err);
		}
		set_data(f, &own, data);
		set_data(f, to, data);
		kf_texts_widen(kf_field_data(f, from), (int)kf_field_bytes(f, in), data,
			(int)wide, from->n);
	}
	return 0;
}

void kf_widen_free(struct kf_chunk *to)
{
	for (int i = 0; i < KF_FIELDS; i++)
		if (kf_fields[i].width)
			free(kf_field_data(&kf_fields[i], to));
	*to = (struct kf_chunk){ 0 };
}
