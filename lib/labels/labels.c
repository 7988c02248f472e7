/* Telling label files apart, and reading them. */
#define _GNU_SOURCE
#include "labels/labels.h"

#include <string.h>

#include "base/filetype.h"
#include "labels/coco.h"
#include "labels/dlib_xml.h"
#include "labels/file_csv.h"
#include "labels/pts.h"

static const char blank[] = " \t\r\n";

static bool starts_with(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

/* By the first text of an input, as exactly as it takes not to claim a CSV's header. */
static enum kf_labels_kind kind_of(const char *text)
{
	static const char *const xml[] = { "<?xml", "<!--", "<dataset" };

	text += starts_with(text, "\xef\xbb\xbf") ? 3 : 0;
	text += strspn(text, blank);
	if (*text == '{' && text[1 + strspn(text + 1, blank)] == '"')
		return KF_LABELS_COCO;
	for (size_t i = 0; i < sizeof xml / sizeof *xml; i++)
		if (starts_with(text, xml[i]))
			return KF_LABELS_DLIB;
	if (starts_with(text, "version") && text[7 + strspn(text + 7, blank)] == ':')
		return KF_LABELS_PTS;
	return KF_LABELS_NONE;
}

/* Whether the first bytes are those of a text: no other format begins without a NUL,
 * unless netpbm, or a type of file that must be turned into something first. */
static bool is_text(const struct kf_input *in, size_t n)
{
	return n > 0 && !memchr(in->at, '\0', n) && !kf_filetype_of(in->at, n);
}

int kf_labels_claims(struct kf_input *in, struct kf_err *err)
{
	char first[KF_FILETYPE_BYTES + 1] = "";
	enum kf_labels_kind kind;
	size_t n;
	int csv;

	/* an image may be all that comes for now */
	if (kf_input_need(in, 10, err) < 0)
		return -1;
	if (kf_is_netpbm(in->at, in->n) ||
		memchr(in->at, '\0', in->n < 10 ? in->n : 10))
		return KF_LABELS_NONE;
	if (kf_input_need(in, KF_FILETYPE_BYTES, err) < 0)
		return -1;
	n = in->n < KF_FILETYPE_BYTES ? in->n : KF_FILETYPE_BYTES;
	if (!is_text(in, n))
		return KF_LABELS_NONE;
	memcpy(first, in->at, n);
	kind = kind_of(first);
	if (kind != KF_LABELS_NONE)
		return (int)kind;
	csv = kf_file_csv_claims(in, err);
	return csv <= 0 ? csv : KF_LABELS_CSV;
}

static int read_kind(enum kf_labels_kind kind, struct kf_faces *f, struct kf_input *in,
	const char *directory, struct kf_err *err)
{
	switch (kind) {
	case KF_LABELS_COCO: return kf_coco_read(f, in, directory, KF_COCO_MAX, err);
	case KF_LABELS_PTS: return kf_pts_read(f, in, directory, err);
	case KF_LABELS_DLIB: return kf_dlib_xml_read(f, in, directory, err);
	case KF_LABELS_CSV: return kf_file_csv_read(f, in, directory, err);
	case KF_LABELS_NONE: break;
	}
	return kf_fail(err,
		"these are no labels of photographs: neither COCO's JSON, dlib's XML, "
		".pts nor CSV with file names");
}

int kf_faces_read(struct kf_faces *f, struct kf_input *in, const char *directory,
	struct kf_err *err)
{
	struct kf_faces list = { 0 };
	int kind, rc;

	if (kf_input_check(in, err) < 0 || (kind = kf_labels_claims(in, err)) < 0)
		return -1;
	rc = read_kind((enum kf_labels_kind)kind, &list, in, directory, err);
	if (rc == 0 && list.n == 0)
		rc = kf_fail(err, "there are no faces");
	if (rc == 0)
		rc = kf_faces_append(f, &list, err);
	kf_faces_free(&list);
	return rc < 0 ? kf_place(err, "'%s'", in->name) : 0;
}
