/* What the rows of a table are found by. */
#define _GNU_SOURCE
#include "formats/keys.h"

#include <stdio.h>
#include <string.h>

#include "formats/fields.h"

static const char *const columns[] = { "name", "file", "id" };

const char *kf_key_column(enum kf_key_kind kind)
{
	return columns[kind];
}

int kf_key_choose(const int at[KF_BY_ID + 1], struct kf_err *err)
{
	if (at[KF_BY_ID] >= 0)
		return KF_BY_ID;
	if (at[KF_BY_NAME] >= 0 && at[KF_BY_FILE] >= 0)
		return kf_fail(err,
			"both 'name' and 'file' are columns: rows go by one of them");
	if (at[KF_BY_NAME] < 0 && at[KF_BY_FILE] < 0)
		return kf_fail(err, "there is no column 'id', nor 'name' or 'file'");
	return at[KF_BY_NAME] >= 0 ? KF_BY_NAME : KF_BY_FILE;
}

int kf_key_take(struct kf_key *key, enum kf_key_kind kind, const char *text, size_t len,
	struct kf_err *err)
{
	key->text = NULL;
	if (kind == KF_BY_ID)
		return kf_field_id(text, len, &key->id, err);
	key->id = 0;
	if (len == 0)
		return kf_fail(err, "the %s is empty", columns[kind]);
	key->text = strdup(text);
	return key->text ? 0 : kf_fail_memory(err);
}

int kf_key_order(const struct kf_key *a, const struct kf_key *b)
{
	if (a->text && b->text)
		return strcmp(a->text, b->text);
	return (a->id > b->id) - (a->id < b->id);
}

static int width(enum kf_key_kind kind, const struct kf_schema *s)
{
	return kind == KF_BY_NAME ? s->name_width : s->file_width;
}

int kf_key_check(enum kf_key_kind kind, const struct kf_schema *s, struct kf_err *err)
{
	if (kind == KF_BY_ID || width(kind, s))
		return 0;
	return kf_fail(err, "the rows of the stream have no %ss", columns[kind]);
}

struct kf_key kf_key_of_row(enum kf_key_kind kind, const struct kf_schema *s,
	const struct kf_chunk *c, size_t row, char text[KF_TEXT_MAX + 1])
{
	const char *tensor = kind == KF_BY_NAME ? c->name : c->file;

	if (kind == KF_BY_ID)
		return (struct kf_key){ .id = c->id[row] };
	kf_texts_get(tensor, width(kind, s), row, text);
	return (struct kf_key){ .text = text };
}

void kf_key_print(const struct kf_key *key, enum kf_key_kind kind,
	char text[KF_KEY_TEXT])
{
	if (kind == KF_BY_ID)
		snprintf(text, KF_KEY_TEXT, "id %lld", (long long)key->id);
	else
		snprintf(text, KF_KEY_TEXT, "%s '%.200s'", columns[kind], key->text);
}
