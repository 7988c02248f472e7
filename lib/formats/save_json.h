/*
 * A tensor stream as JSON lines, an object for each row, here in several lines:
 *
 *   {"id": 7, "name": "anna", "file": "party.jpg", "face": 2,
 *    "label": 2, "class": 1,                  the predicted one, or null
 *    "points": {"nose_tip": {"x": 44.2, "y": null}, "age": 31.0},
 *    "predictions": {"nose_tip": {"x": 44.9, "y": 57.1}, "class_0": 0.1}}
 *
 * What the schema lacks, or what is not to be saved, has no member; a value that a row
 * lacks is null.  A column that ends in neither _x nor _y is a member of its own.  There
 * are no images, and always ids.
 */
#ifndef KF_SAVE_JSON_H
#define KF_SAVE_JSON_H

#include "formats/save.h"

struct kf_save_json;

/* Checks that JSON can hold the stream.  Targets are written unless predictions are asked
 * for without truth, and predictions where there are any.  save is borrowed until it is
 * freed.  NULL on failure. */
struct kf_save_json *kf_save_json_open(struct kf_save *save, struct kf_err *err);

/* Writes the rows and flushes them. */
int kf_save_json_rows(struct kf_save_json *j, const struct kf_chunk *chunk,
	struct kf_err *err);

void kf_save_json_free(struct kf_save_json *j); /* NULL, too */

#endif
