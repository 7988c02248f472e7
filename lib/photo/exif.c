/* EXIF's orientation, by libexif. */
#include "photo/exif.h"

#include <libexif/exif-data.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

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
	exif = exif_data_new_from_data(marked, (unsigned)size);
	free(marked);
	if (!exif)
		return kf_fail_memory(err);
	o = orientation_in(exif);
	exif_data_unref(exif);
	return o;
}
