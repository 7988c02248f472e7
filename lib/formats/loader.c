/* Recognising formats, and what they have in common. */
#include "formats/loader.h"

#include <stdlib.h>
#include <string.h>

#include "formats/faces_csv.h"
#include "formats/idx.h"
#include "formats/pgm.h"

/* CSV has no magic number: it is whatever no other format claims. */
static const struct kf_format *const formats[] = { &kf_idx, &kf_pgm, &kf_faces_csv };

static const struct kf_format *recognise(const struct kf_input *in)
{
	unsigned char first[KF_FIRST_BYTES] = { 0 };
	size_t i = 0;

	memcpy(first, in->at, in->n < sizeof first ? in->n : sizeof first);
	while (!formats[i]->claims(first))
		i++;
	return formats[i];
}

static int check_options(const struct kf_loader *l, struct kf_err *err)
{
	const struct kf_load_options *o = l->options;
	const char *option = NULL;

	if (o->columns && !l->format->takes_targets)
		option = "--columns";
	if (o->w && !l->format->takes_targets)
		option = "--size";
	if (o->labels && !l->format->takes_labels)
		option = "--labels";
	if (option)
		return kf_fail(err, "%s does not go with '%s', which is %s", option,
			l->in->name, l->format->name);
	return 0;
}

struct kf_loader *kf_loader_open(struct kf_input *in,
	const struct kf_load_options *options, struct kf_err *err)
{
	const struct kf_format *format;
	struct kf_loader *l;

	if (kf_input_check(in, err) < 0)
		return NULL;
	format = recognise(in);
	l = calloc(1, format->size);
	if (!l) {
		kf_fail_memory(err);
		return NULL;
	}
	l->format = format;
	l->in = in;
	l->options = options;
	if (check_options(l, err) < 0 || format->open(l, err) < 0) {
		kf_loader_close(l);
		return NULL;
	}
	return l;
}

const struct kf_schema *kf_loader_schema(const struct kf_loader *l)
{
	return &l->schema;
}

int kf_loader_next(struct kf_loader *l, const struct kf_chunk **chunk,
	struct kf_err *err)
{
	*chunk = &l->chunk;
	return l->format->next(l, err);
}

void kf_loader_close(struct kf_loader *l)
{
	if (!l)
		return;
	l->format->close(l);
	kf_chunk_free(&l->chunk);
	kf_schema_free(&l->schema);
	free(l);
}
