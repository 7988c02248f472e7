/* Which group each row belongs to. */
#define _GNU_SOURCE
#include "formats/groups.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "formats/csv_rows.h"

#define ROW_BYTES ((size_t)64 << 10)

/* The columns that are used; others may hold anything. */
enum { GROUP = KF_BY_ID + 1, USED };

struct kf_group_row {
	struct kf_key key;
	uint64_t group;
};

struct table {
	struct kf_groups *groups;
	struct kf_csv rows;
	char *first;  /* the name of the first column */
	int at[USED]; /* where the columns are, by kf_key_kind; -1: not found */
	bool in_header;
	struct kf_group_row row; /* the current one */
};

uint64_t kf_group_number(const char *text, size_t n)
{
	return XXH3_64bits(text, n);
}

static const char *column(int i)
{
	return i == GROUP ? "group" : kf_key_column((enum kf_key_kind)i);
}

static int take_name(struct table *t, int field, const char *text, struct kf_err *err)
{
	if (field == 0 && !(t->first = strdup(text)))
		return kf_fail_memory(err);
	for (int i = 0; i < USED; i++) {
		if (strcmp(column(i), text))
			continue;
		if (t->at[i] >= 0)
			return kf_fail(err, "there are two columns '%s'", text);
		t->at[i] = field;
	}
	return 0;
}

static int take_field(void *user, int field, char *text, size_t len, struct kf_err *err)
{
	struct table *t = user;

	if (t->in_header)
		return take_name(t, field, text, err);
	if (field == t->at[t->groups->by])
		return kf_key_take(&t->row.key, t->groups->by, text, len, err);
	if (field == t->at[GROUP] && len == 0)
		return kf_fail(err, "the group is empty");
	if (field == t->at[GROUP])
		t->row.group = kf_group_number(text, len);
	return 0;
}

/* Takes over the row's key. */
static int add(struct kf_groups *g, struct kf_group_row *row, struct kf_err *err)
{
	if (g->n == g->room) {
		size_t room = g->room ? 2 * g->room : 1024;
		struct kf_group_row *more = realloc(g->row, room * sizeof *more);

		if (!more)
			return kf_fail_memory(err);
		g->row = more;
		g->room = room;
	}
	g->row[g->n++] = *row;
	row->key.text = NULL;
	return 0;
}

static int check_header(const struct table *t, struct kf_err *err)
{
	const char *hint = t->first ? kf_csv_separator_hint(t->first) : "";
	int by;

	if (*hint && t->at[KF_BY_ID] < 0)
		return kf_fail(err, "there is no column 'id'%s", hint);
	by = kf_key_choose(t->at, err);
	if (by < 0)
		return -1;
	if (t->at[GROUP] < 0)
		return kf_fail(err, "there is no column 'group'%s", hint);
	t->groups->by = (enum kf_key_kind)by;
	return 0;
}

/* The header, then all rows: 0 at the end, or -1. */
static int read_rows(void *user, struct kf_err *err)
{
	struct table *t = user;
	int rc = kf_csv_row(&t->rows, err);

	if (rc < 0 || check_header(t, err) < 0)
		return -1;
	t->in_header = false;
	while ((rc = kf_csv_row(&t->rows, err)) > 0)
		if (add(t->groups, &t->row, err) < 0)
			return -1;
	return rc;
}

static int by_key(const void *a, const void *b)
{
	const struct kf_group_row *x = a, *y = b;

	return kf_key_order(&x->key, &y->key);
}

static int sort(struct kf_groups *g, const char *name, struct kf_err *err)
{
	char key[KF_KEY_TEXT];

	if (g->n == 0)
		return kf_fail(err, "'%s' has no rows", name);
	qsort(g->row, g->n, sizeof *g->row, by_key);
	for (size_t i = 1; i < g->n; i++)
		if (!by_key(&g->row[i], &g->row[i - 1]) &&
			g->row[i].group != g->row[i - 1].group) {
			kf_key_print(&g->row[i].key, g->by, key);
			return kf_fail(err, "'%s': the %s is in two groups", name, key);
		}
	return 0;
}

int kf_groups_read(struct kf_groups *g, int fd, const char *name, struct kf_err *err)
{
	struct table t = { .groups = g, .at = { -1, -1, -1, -1 }, .in_header = true };
	struct kf_input in;
	int rc;

	*g = (struct kf_groups){ 0 };
	if (kf_input_open(&in, fd, name, err) < 0)
		return -1;
	rc = kf_csv_table(&t.rows, &in, ROW_BYTES, take_field, read_rows, &t, err);
	kf_input_close(&in);
	free(t.first);
	free(t.row.key.text);
	if (rc == 0)
		rc = sort(g, name, err);
	if (rc < 0)
		kf_groups_free(g);
	return rc;
}

int kf_groups_find(const struct kf_groups *g, const struct kf_key *key, uint64_t *group)
{
	struct kf_group_row like = { .key = *key };
	const struct kf_group_row *found = NULL;

	if (g->n)
		found = bsearch(&like, g->row, g->n, sizeof like, by_key);
	if (!found)
		return -1;
	*group = found->group;
	return 0;
}

void kf_groups_free(struct kf_groups *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->row[i].key.text);
	free(g->row);
	*g = (struct kf_groups){ 0 };
}
