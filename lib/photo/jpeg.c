/*
 * JPEG, by libjpeg.  Its grey is the channel Y as it is stored, so that chroma is neither
 * transformed nor enlarged.
 */
#include "photo/jpeg.h"

#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <string.h>

#include "photo/exif.h"

struct jpeg {
	struct jpeg_decompress_struct d; /* client_data points to this struct */
	struct jpeg_error_mgr errors;
	jmp_buf failed;
	struct kf_photo *photo;
	struct kf_err *err;
};

/* -- errors -------------------------------------------------------------------------- */

/* Ends with what libjpeg has to say. */
_Noreturn static void fail(j_common_ptr d, const char *what)
{
	struct jpeg *j = d->client_data;
	char text[JMSG_LENGTH_MAX];

	d->err->format_message(d, text);
	if (d->err->msg_code == JERR_OUT_OF_MEMORY)
		kf_fail_memory(j->err);
	else
		kf_fail(j->err, "%s: %s", what, text);
	longjmp(j->failed, 1);
}

static void on_error(j_common_ptr d)
{
	fail(d, "cannot be decoded");
}

/*
 * Whether a warning says that pixels are damaged, which libjpeg fills in then.  Bytes
 * too many after all rows, which many cameras and editors leave, do no harm; before a
 * restart, they are the end of rows that were damaged.
 */
static bool is_damage(const struct jpeg_error_mgr *e)
{
	switch (e->msg_code) {
	case JWRN_ADOBE_XFORM:
	case JWRN_JFIF_MAJOR: return false;
	case JWRN_EXTRANEOUS_DATA:
		return e->msg_parm.i[1] >= JPEG_RST0 &&
			e->msg_parm.i[1] <= JPEG_RST0 + 7;
	default: return true;
	}
}

static void on_message(j_common_ptr d, int level)
{
	if (level < 0 && is_damage(d->err))
		fail(d, "truncated or damaged");
}

/* -- decoding ------------------------------------------------------------------------ */

static int orientation(const struct jpeg *j)
{
	const jpeg_saved_marker_ptr first = j->d.marker_list;

	for (jpeg_saved_marker_ptr m = first; m; m = m->next)
		if (m->data_length > KF_EXIF_MARK_BYTES &&
			!memcmp(m->data, KF_EXIF_MARK, KF_EXIF_MARK_BYTES))
			return kf_exif_orientation(m->data + KF_EXIF_MARK_BYTES,
				m->data_length - KF_EXIF_MARK_BYTES, j->err);
	return 1;
}

static void read_rows(struct jpeg *j, const struct kf_places *to)
{
	j_decompress_ptr d = &j->d;
	JSAMPROW row =
		(*d->mem->alloc_small)((j_common_ptr)d, JPOOL_IMAGE, d->output_width);

	while (d->output_scanline < d->output_height) {
		int y = (int)d->output_scanline;
		JSAMPROW in_place = to->first + y * to->dy;

		jpeg_read_scanlines(d, to->dx == 1 ? &in_place : &row, 1);
		if (to->dx != 1)
			kf_put_row(to, y, 0, 1, row, (int)d->output_width);
	}
}

static int decode(struct jpeg *j, FILE *f)
{
	j_decompress_ptr d = &j->d;
	struct kf_places to;
	int turned;

	jpeg_create_decompress(d);
	jpeg_stdio_src(d, f);
	jpeg_save_markers(d, JPEG_APP0 + 1, 0xffff);
	jpeg_read_header(d, TRUE);
	if (d->jpeg_color_space == JCS_CMYK || d->jpeg_color_space == JCS_YCCK)
		return kf_fail(j->err,
			"its colours are CMYK; convert it to RGB first, such as "
			"by ImageMagick's convert FILE -colorspace sRGB FILE.png");
	turned = orientation(j);
	if (turned < 0 ||
		kf_photo_begin(j->photo, d->image_width, d->image_height, turned, &to,
			j->err) < 0)
		return -1;
	d->out_color_space = JCS_GRAYSCALE;
	jpeg_start_decompress(d);
	read_rows(j, &to);
	jpeg_finish_decompress(d);
	return 0;
}

/* Where decode has not returned, its variables are lost. */
static int decode_or_fail(struct jpeg *j, FILE *f)
{
	return setjmp(j->failed) ? -1 : decode(j, f);
}

int kf_read_jpeg(struct kf_photo *p, FILE *f, struct kf_err *err)
{
	struct jpeg j = { .photo = p, .err = err };
	int rc;

	j.d.err = jpeg_std_error(&j.errors);
	j.d.client_data = &j;
	j.errors.error_exit = on_error;
	j.errors.emit_message = on_message;
	rc = decode_or_fail(&j, f);
	jpeg_destroy_decompress(&j.d);
	return rc;
}
