/* The weights of a net's first layer as pictures. */
#include "draw/weights.h"

#include <math.h>
#include <unistd.h>

#include "base/io.h"
#include "draw/sheet.h"

#define FILTER_SIDE 64 /* small filters are enlarged to about this size */
#define FRAME 1        /* around each picture, dark between them and a light gap */

/* -- reading --------------------------------------------------------------------- */

/* The first look finds the first parameter's name, the second its data. */
static int read_twice(struct kf_model *m, int fd, const char *name, struct kf_err *err)
{
	off_t start = lseek(fd, 0, SEEK_CUR);
	char want[KF_NAME_MAX] = "";

	if (kf_model_read(m, fd, name, want, err) < 0)
		return -1;
	if (m->n)
		snprintf(want, sizeof want, "%s", m->param[0].name);
	kf_model_free(m);
	if (lseek(fd, start, SEEK_SET) < 0)
		return kf_fail_errno(err, "cannot rewind '%s'", name);
	return kf_model_read(m, fd, name, want, err);
}

static int take_shape(struct kf_weights *k, struct kf_err *err)
{
	const struct kf_model *m = &k->model;
	const struct kf_tensor *t = m->n ? &m->param[0] : NULL;

	for (int i = 0; t && i < t->rank; i++)
		if (t->shape[i] < 1 || t->shape[i] > 1 << 28)
			return kf_fail(err, "the first layer has no weights");
	if (t && t->rank == 4) {
		k->c = (int)t->shape[1];
		k->h = (int)t->shape[2];
		k->w = (int)t->shape[3];
	} else if (t && t->rank == 2 && t->shape[1] == (int64_t)m->c * m->h * m->w) {
		k->c = m->c;
		k->h = m->h;
		k->w = m->w;
	} else {
		return kf_fail(err,
			"the first layer has no weights that make "
			"pictures of %d x %d x %d",
			m->c, m->h, m->w);
	}
	k->units = (int)t->shape[0];
	k->value = t->data;
	return 0;
}

int kf_weights_read(struct kf_weights *k, int fd, const char *name, struct kf_err *err)
{
	int file = kf_seekable(fd, name, err), rc;

	*k = (struct kf_weights){ 0 };
	if (file < 0)
		return -1;
	rc = read_twice(&k->model, file, name, err);
	if (file != fd)
		close(file);
	if (rc < 0)
		return -1;
	if (take_shape(k, err) < 0) {
		kf_model_free(&k->model);
		return kf_place(err, "'%s'", name);
	}
	return 0;
}

void kf_weights_free(struct kf_weights *k)
{
	kf_model_free(&k->model);
}

/* -- drawing --------------------------------------------------------------------- */

int kf_weights_columns(const struct kf_weights *k)
{
	return kf_sheet_columns(k->units, (double)k->w * k->c, k->h) * k->c;
}

static double largest(const float *v, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++)
		if (fabs(v[i]) > most)
			most = fabs(v[i]);
	return most;
}

/* The tone of a weight; part is from -1 to 1. */
static struct kf_colour tone(double part, bool colour)
{
	unsigned char pale = (unsigned char)(255 * (1 - fabs(part)) + 0.5);

	if (!colour)
		return kf_grey((int)(127.5 + 127.5 * part + 0.5));
	return part > 0 ? (struct kf_colour){ 255, pale, pale } :
			  (struct kf_colour){ pale, pale, 255 };
}

static void draw_unit(struct kf_canvas *canvas, int left, int top, int zoom,
	const struct kf_weights *k, int unit, int channel)
{
	size_t plane = (size_t)k->h * (size_t)k->w, all = plane * (size_t)k->c;
	const float *v = k->value + (size_t)unit * all;
	double most = largest(v, all);

	v += (size_t)channel * plane;
	for (int y = 0; y < k->h; y++)
		for (int x = 0; x < k->w; x++, v++) {
			double part = most > 0 ? *v / most : 0;
			int l = left + x * zoom, t = top + y * zoom;

			kf_draw_box(canvas, (struct kf_box){ l, t, l + zoom, t + zoom },
				tone(isfinite(part) ? part : 0, canvas->depth == 3));
		}
}

int kf_draw_weights(const struct kf_weights *k, const struct kf_outlet *to, int columns,
	int rows, int zoom, bool colour, struct kf_err *err)
{
	int side = k->w > k->h ? k->w : k->h, rc = 1;
	struct kf_sheet sheet;
	struct kf_box cell;

	if (zoom == 0)
		zoom = side > FILTER_SIDE / 2 ? 1 : FILTER_SIDE / side;
	if (kf_sheet_begin(&sheet, to, columns, rows, k->w * zoom + 2 * FRAME,
		    k->h * zoom + 2 * FRAME, colour, KF_WHITE, err) < 0)
		return -1;
	for (long long i = 0; i < (long long)k->units * k->c && rc == 1; i++) {
		rc = kf_sheet_cell(&sheet, &cell, err);
		if (rc != 1)
			break;
		kf_draw_box(&sheet.strip, cell, kf_grey(40));
		draw_unit(&sheet.strip, cell.left + FRAME, cell.top + FRAME, zoom, k,
			(int)(i / k->c), (int)(i % k->c));
	}
	if (rc >= 0)
		rc = kf_sheet_end(&sheet, err);
	kf_sheet_free(&sheet);
	return rc;
}
