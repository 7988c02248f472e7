/*
 * Reads label files of photographs, and lists of points, which the first byte tells: they
 * must end in a clean error or a list that is sound, the same for reads of any size; and
 * no CSV with pixels is taken for one with file names.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <math.h>
#include <xxhash.h>

#include "formats/loader.h"
#include "labels/labels.h"
#include "labels/points.h"

/* Four points with a box, two of them named by numbers. */
static const char four[] = "f,x,y,w,h,name,0_x,0_y,a_x,a_y,b c_x,b c_y,2_x,2_y\n"
			   "a.pgm,1,2,3,4,n,1,2,3,4,5,6,7,8\nb.pgm,,,,,,,,,,,,,\n";

static void digest(uint64_t *sum, const void *data, size_t n)
{
	if (n)
		*sum = XXH3_64bits_withSeed(data, n, *sum);
}

static void digest_text(uint64_t *sum, const char *text)
{
	digest(sum, text ? text : "-", text ? strlen(text) : 1);
}

/* All of a list, which must be sound. */
static uint64_t digest_list(struct kf_faces *f)
{
	uint64_t sum = 0;
	struct kf_err err;

	if (kf_faces_number(f, &err) < 0)
		abort();
	for (int i = 0; i < f->columns.n; i++) {
		if (kf_axis(f->columns.name[i]) != i % 2)
			abort();
		digest_text(&sum, f->columns.name[i]);
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct kf_photo_face *face = &f->face[i];

		if (face->number < 1 || !*face->file || !face->point != !f->columns.n ||
			(kf_face_has_box(face) && !(face->w > 0 && face->h > 0)))
			abort();
		digest_text(&sum, face->file);
		digest_text(&sum, face->name);
		digest_text(&sum, face->label);
		digest(&sum, &face->number, sizeof face->number);
		digest(&sum, &face->x, 4 * sizeof face->x);
		digest(&sum, face->point, (size_t)f->columns.n * sizeof *face->point);
		for (int j = 0; j < f->columns.n; j++)
			if (isinf(face->point[j]))
				abort();
	}
	return sum;
}

static int read_list(struct kf_faces *f, int fd, size_t piece, struct kf_err *err)
{
	static const char name[] = "fuzz.pts"; /* fuzz.sh puts a picture beside it */
	struct kf_input in;
	int rc;

	if (lseek(fd, 0, SEEK_SET) != 0 || kf_input_open(&in, fd, name, err) < 0)
		abort();
	in.piece = piece;
	rc = kf_faces_read(f, &in, "d", err);
	kf_input_close(&in);
	if (rc < 0 && f->n)
		abort();
	return rc;
}

static void labels(const uint8_t *data, size_t n)
{
	uint64_t sum[2] = { 0 };
	struct kf_err err[2];
	int fd = fuzz_file(data + 1, n - 1);

	for (int i = 0; i < 2; i++) {
		struct kf_faces f = { 0 };

		strcpy(err[i].msg, "");
		if (read_list(&f, fd, i ? data[0] : KF_INPUT_PIECE, &err[i]) == 0)
			sum[i] = digest_list(&f);
		kf_faces_free(&f);
	}
	if (sum[0] != sum[1] || strcmp(err[0].msg, err[1].msg))
		abort();
}

static void pixels(const uint8_t *data, size_t n)
{
	struct kf_load_options how = { .w = data[0] % 2, .h = data[0] % 2 };
	int fd = fuzz_file(data + 1, n - 1), claimed;
	struct kf_loader *loader;
	struct kf_input in;
	struct kf_err err;

	if (kf_input_open(&in, fd, "fuzz", &err) < 0)
		abort();
	claimed = kf_labels_claims(&in, &err);
	loader = kf_loader_open(&in, &how, &err);
	if (loader && claimed == KF_LABELS_CSV)
		abort();
	kf_loader_close(loader);
	kf_input_close(&in);
}

static void points(const uint8_t *data, size_t n)
{
	struct kf_point_list l;
	struct kf_faces f = { 0 };
	struct kf_err err;

	if (read_list(&f, fuzz_file((const uint8_t *)four, sizeof four - 1),
		    KF_INPUT_PIECE, &err) < 0)
		abort();
	if (kf_point_list_read(&l, fuzz_file(data + 1, n - 1), "fuzz", &err) == 0 &&
		kf_point_list_apply(&l, &f, &err) == 0)
		digest_list(&f);
	kf_point_list_free(&l);
	kf_faces_free(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n == 0)
		return 0;
	if (data[0] == 0) {
		points(data, n);
	} else {
		labels(data, n);
		pixels(data, n);
	}
	return 0;
}
