/* EXIF's orientation, by libexif. */
#include "photo/exif.h"

#include <libexif/exif-data.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* libexif passes over what it has no memory for; these remember it. */
static _Thread_local bool no_memory;

static void *allocate(ExifLong n)
{
	void *p = calloc(1, n);

	no_memory |= !p;
	return p;
}

static void *reallocate(void *old, ExifLong n)
{
	void *p = realloc(old, n);

	no_memory |= !p && n;
	return p;
}

static ExifData *parse(const unsigned char *data, unsigned n)
{
	ExifMem *memory = exif_mem_new(allocate, reallocate, free);
	ExifData *exif = memory ? exif_data_new_mem(memory) : NULL;

	if (exif)
		exif_data_load_data(exif, data, n);
	if (memory)
		exif_mem_unref(memory);
	return exif;
}

static int orientation_in(ExifData *exif)
{
	ExifEntry *e =
		exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
	int o = 1;

	if (e && e->format == EXIF_FORMAT_SHORT && e->size >= 2)
		o = exif_get_short(e->data, exif_data_get_byte_order(exif));
	return o >= 1 && o <= 8 ? o : 1;
}

int kf_exif_orientation(const unsigned char *data, size_t n, struct kf_err *err)
{
	size_t size = KF_EXIF_MARK_BYTES + n;
	unsigned char *marked;
	ExifData *exif;
	int o;

	if (size > UINT_MAX)
		return 1;
	/* libexif knows data by the mark */
	if (!(marked = malloc(size)))
		return kf_fail_memory(err);
	memcpy(marked, KF_EXIF_MARK, KF_EXIF_MARK_BYTES);
	memcpy(marked + KF_EXIF_MARK_BYTES, data, n);
	no_memory = false;
	exif = parse(marked, (unsigned)size);
	free(marked);
	o = exif ? orientation_in(exif) : 1;
	exif_data_unref(exif);
	return !exif || no_memory ? kf_fail_memory(err) : o;
}
