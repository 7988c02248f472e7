/*
 * What the rows of a table are found by: the column `id`, or else `name` or `file`, holds
 * what the rows of a stream have in the tensor of that name.
 */
#ifndef KF_KEYS_H
#define KF_KEYS_H

#include "stream/schema.h"
#include "stream/texts.h"

enum kf_key_kind { KF_BY_NAME, KF_BY_FILE, KF_BY_ID };

struct kf_key {
	int64_t id;
	char *text; /* NULL where the kind is KF_BY_ID */
};

/* "name", "file" or "id". */
const char *kf_key_column(enum kf_key_kind kind);

/*
 * The kind that a table goes by, whose columns are at at[kind], or negative where it lacks
 * them: id, whatever else there is.  -1 where there is none, or both of the others.
 */
int kf_key_choose(const int at[KF_BY_ID + 1], struct kf_err *err);

/* Sets a key to a field of a table; the caller frees key->text.  -1 where the field is none
 * and when out of memory. */
int kf_key_take(struct kf_key *key, enum kf_key_kind kind, const char *text, size_t len,
	struct kf_err *err);

/* The order of keys of one kind, for qsort and bsearch. */
int kf_key_order(const struct kf_key *a, const struct kf_key *b);

/* Whether the rows of a stream have such keys; -1 where they do not. */
int kf_key_check(enum kf_key_kind kind, const struct kf_schema *s, struct kf_err *err);

/* The key of a row, whose text, "" for none, is put into `text`. */
struct kf_key kf_key_of_row(enum kf_key_kind kind, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row, char text[KF_TEXT_MAX + 1]);

/* For messages: "id 7", "name 'anna'". */
#define KF_KEY_TEXT 300
void kf_key_print(const struct kf_key *key, enum kf_key_kind kind,
	char text[KF_KEY_TEXT]);

#endif
