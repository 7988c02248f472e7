/* Reading and writing model files. */
#define _GNU_SOURCE
#include "net/model.h"

#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/large.h"
#include "stream/header.h"

static const char train_history[] = "history.train_loss";
static const char valid_history[] = "history.valid_loss";
static const char note_prefix[] = "train.";
static const char run_prefix[] = "run."; /* only in checkpoints */
static const char flip_sum[] = "flip.sum";
static const char crossentropy[] = "crossentropy", squared[] = "squared";

/* -- reading ------------------------------------------------------------------ */

static int read_columns(struct kf_model *m, const struct kf_st *st, struct kf_err *err)
{
	const char *columns = kf_meta_get(&st->meta, KF_KEY_COLUMNS);

	if (!columns)
		return kf_fail(err, "the metadata 'columns' is missing");
	if (!*columns)
		return kf_fail(err, "the metadata 'columns' names none");
	return kf_names_split(&m->columns, columns, err);
}

static int read_loss(struct kf_model *m, const struct kf_st *st, struct kf_err *err)
{
	const char *loss = kf_meta_get(&st->meta, "loss");
	const char *y_scale = kf_meta_get(&st->meta, KF_KEY_Y_SCALE);

	if (loss && strcmp(loss, squared) && strcmp(loss, crossentropy))
		return kf_fail(err, "the metadata 'loss' is neither '%s' nor '%s'",
			squared, crossentropy);
	m->classify = loss && !strcmp(loss, crossentropy);
	if (!m->classify && (!y_scale || kf_scales_parse(m->y_scale, 2, y_scale) < 0))
		return kf_fail(err, "the metadata '%s' is missing or no scale",
			KF_KEY_Y_SCALE);
	return 0;
}

static int read_flip_sum(struct kf_model *m, const struct kf_st *st, struct kf_err *err)
{
	const char *text = kf_meta_get(&st->meta, flip_sum);
	char *end;

	if (!text)
		return 0;
	m->flip_sum = strtod(text, &end);
	if (end == text || *end || !(m->flip_sum > -1e6 && m->flip_sum < 1e6))
		return kf_fail(err, "the metadata '%s' is no sum of pixels", flip_sum);
	return 0;
}

static int read_metadata(struct kf_model *m, const struct kf_st *st, struct kf_err *err)
{
	const char *net = kf_meta_get(&st->meta, "net");
	const char *input = kf_meta_get(&st->meta, "input");
	const char *x_scale = kf_meta_get(&st->meta, KF_KEY_X_SCALE);
	char tail;

	if (!net && kf_header_is_chunk(st))
		return kf_fail(err, "a stream, not a model");
	if (!net && st->foreign)
		return kf_fail(err,
			"there is no tensor 'X' of a stream, nor the metadata 'net' "
			"of a model: did another program save it without?");
	if (!net)
		return kf_fail(err, "not a model: the metadata 'net' is missing");
	if (!(m->net = strdup(net)))
		return kf_fail_memory(err);
	if (!input || sscanf(input, "%6d %6d %6d%c", &m->c, &m->h, &m->w, &tail) != 3 ||
		m->c < 1 || m->h < 1 || m->w < 1)
		return kf_fail(err,
			"the metadata 'input' is not 'channels height width'");
	if (!x_scale || kf_scales_parse(&m->x_scale, 1, x_scale) < 0)
		return kf_fail(err, "the metadata '%s' is missing or no scale",
			KF_KEY_X_SCALE);
	for (int i = 0; i < st->meta.n; i++) {
		const char *key = st->meta.key[i];

		if (!strncmp(key, note_prefix, strlen(note_prefix)))
			kf_model_note(m, key + strlen(note_prefix), "%s",
				st->meta.value[i]);
		if (!strncmp(key, run_prefix, strlen(run_prefix)))
			kf_meta_set(&m->state, key + strlen(run_prefix), "%s",
				st->meta.value[i]);
	}
	if (m->notes.incomplete || m->state.incomplete)
		return kf_fail_memory(err);
	if (read_loss(m, st, err) < 0 || read_flip_sum(m, st, err) < 0)
		return -1;
	if (read_columns(m, st, err) < 0)
		return -1;
	return m->classify ?
		kf_header_class_names(st, m->columns.n, &m->class_names, err) :
		0;
}

/* Adds a tensor to the model, with its data if that is wanted. */
static int read_tensor(struct kf_model *m, struct kf_st *st, const struct kf_tensor *t,
	const char *want, struct kf_err *err)
{
	bool train = !strcmp(t->name, train_history);
	bool history = train || !strcmp(t->name, valid_history);
	size_t bytes = kf_tensor_bytes(t);
	void *data = NULL;

	if (t->dtype != KF_F32)
		return kf_fail(err, "tensor '%s' is not F32", t->name);
	if (history && (t->rank != 1 || t->shape[0] > 1 << 28))
		return kf_fail(err, "tensor '%s' is not one value an epoch", t->name);
	if (history || !want || !strcmp(want, t->name)) {
		data = kf_large_alloc(bytes + 1);
		if (!data)
			return kf_fail(err, "out of memory for tensor '%s'", t->name);
	}
	if (!strncmp(t->name, run_prefix, strlen(run_prefix))) {
		m->extra[m->n_extra] = *t;
		m->extra[m->n_extra++].data = data;
	} else if (!history) {
		m->param[m->n] = *t;
		m->param[m->n++].data = data;
	} else if (train) {
		m->train_loss = data;
		m->epochs = (int)t->shape[0];
	} else {
		m->valid_loss = data;
	}
	return kf_st_read(st, data, bytes, err);
}

static int check_histories(const struct kf_st *st, struct kf_err *err)
{
	const struct kf_tensor *train = kf_st_find(st, train_history);
	const struct kf_tensor *valid = kf_st_find(st, valid_history);

	if (!train || !valid || train->rank != 1 || valid->rank != 1 ||
		train->shape[0] != valid->shape[0])
		return kf_fail(err, "the histories are missing or of unequal length");
	return 0;
}

/* Whether it counts batches, as PyTorch does for batch norm, and nothing needs it. */
static bool is_count(const struct kf_tensor *t)
{
	static const char end[] = ".num_batches_tracked";
	size_t n = strlen(t->name), n_end = sizeof end - 1;

	return n > n_end && !strcmp(t->name + n - n_end, end);
}

static int read_tensors(struct kf_model *m, struct kf_st *st, const char *want,
	struct kf_err *err)
{
	m->param = calloc((size_t)st->n, sizeof *m->param);
	m->extra = calloc((size_t)st->n, sizeof *m->extra);
	if (st->n && (!m->param || !m->extra))
		return kf_fail_memory(err);
	for (int i = 0; i < st->n; i++) {
		const struct kf_tensor *t = &st->tensor[i];

		if (!m->net && is_count(t)) {
			if (kf_st_read(st, NULL, kf_tensor_bytes(t), err) < 0)
				return -1;
		} else if (read_tensor(m, st, t, want, err) < 0) {
			return -1;
		}
	}
	return kf_st_finish(st, err);
}

static int read_blob(struct kf_model *m, struct kf_st *st, const char *want,
	struct kf_err *err)
{
	if (st->foreign && !st->adopt && kf_meta_get(&st->meta, "net"))
		return kf_fail(err,
			"another program saved it again; pass it through kfkd-cat");
	if (read_metadata(m, st, err) < 0 || check_histories(st, err) < 0)
		return -1;
	return read_tensors(m, st, want, err);
}

/* Ends the reading of st, which came to rc: nothing may follow. */
static int end_reading(struct kf_model *m, struct kf_st *st, int rc, struct kf_err *err)
{
	struct kf_source *src = st->src;
	char more;

	kf_st_free(st);
	if (rc == 0 && (rc = (int)kf_read(src, &more, 1, err)) > 0)
		rc = kf_fail(err, "something follows the model");
	if (rc < 0) {
		kf_model_free(m);
		kf_place(err, "'%s'", src->name);
	}
	return rc;
}

/* Reads the header of what must not be empty. */
static int open_blob(struct kf_st *st, struct kf_source *src, struct kf_err *err)
{
	int rc = kf_st_open(st, src, err);

	if (rc == 0)
		return kf_fail(err, "'%s' is empty: there is no model in it",
			src->name);
	return rc < 0 ? -1 : 0;
}

int kf_model_read(struct kf_model *m, int fd, const char *name, const char *want,
	struct kf_err *err)
{
	struct kf_source src = { .fd = fd, .name = name };
	struct kf_st st;

	*m = (struct kf_model){ 0 };
	return open_blob(&st, &src, err) < 0 ? -1 : kf_model_from(m, &st, want, err);
}

int kf_model_from(struct kf_model *m, struct kf_st *st, const char *want,
	struct kf_err *err)
{
	*m = (struct kf_model){ 0 };
	return end_reading(m, st, read_blob(m, st, want, err), err);
}

int kf_model_read_weights(struct kf_model *m, int fd, const char *name,
	struct kf_err *err)
{
	struct kf_source src = { .fd = fd, .name = name };
	struct kf_st st;

	*m = (struct kf_model){ 0 };
	if (open_blob(&st, &src, err) < 0)
		return -1;
	if (!st.foreign || kf_header_is_chunk(&st) || kf_meta_get(&st.meta, "net"))
		return kf_model_from(m, &st, NULL, err);
	return end_reading(m, &st, read_tensors(m, &st, NULL, err), err);
}

/* -- writing ------------------------------------------------------------------ */

static void set_names(struct kf_meta *meta, const char *key,
	const struct kf_names *names)
{
	char *text = kf_names_join(names);

	if (text)
		kf_meta_set(meta, key, "%s", text);
	meta->incomplete |= !text;
	free(text);
}

static void set_metadata(const struct kf_model *m, struct kf_meta *meta)
{
	char text[160];

	kf_meta_set(meta, "net", "%s", m->net);
	kf_meta_set(meta, "input", "%d %d %d", m->c, m->h, m->w);
	set_names(meta, KF_KEY_COLUMNS, &m->columns);
	if (m->class_names.n)
		set_names(meta, KF_KEY_CLASS_NAMES, &m->class_names);
	meta->incomplete |= m->notes.incomplete || m->state.incomplete;
	kf_meta_set(meta, "loss", "%s", m->classify ? crossentropy : squared);
	kf_scales_print(&m->x_scale, 1, text, sizeof text);
	kf_meta_set(meta, KF_KEY_X_SCALE, "%s", text);
	if (!m->classify) {
		kf_scales_print(m->y_scale, 2, text, sizeof text);
		kf_meta_set(meta, KF_KEY_Y_SCALE, "%s", text);
	}
	if (m->flip_sum != 0)
		kf_meta_set(meta, flip_sum, "%.17g", m->flip_sum);
	for (int i = 0; i < m->notes.n; i++) {
		snprintf(text, sizeof text, "%s%s", note_prefix, m->notes.key[i]);
		kf_meta_set(meta, text, "%s", m->notes.value[i]);
	}
	for (int i = 0; i < m->state.n; i++) {
		snprintf(text, sizeof text, "%s%s", run_prefix, m->state.key[i]);
		kf_meta_set(meta, text, "%s", m->state.value[i]);
	}
}

int kf_model_write(const struct kf_model *m, int fd, const char *name,
	struct kf_err *err)
{
	struct kf_meta meta = { 0 };
	struct kf_tensor *t = calloc((size_t)(m->n + m->n_extra) + 2, sizeof *t);
	int64_t epochs = m->epochs;
	int rc, n = 0;

	if (!t)
		return kf_fail_memory(err);
	for (int i = 0; i < m->n; i++)
		t[n++] = m->param[i];
	for (int i = 0; i < m->n_extra; i++)
		t[n++] = m->extra[i];
	t[n] = kf_tensor(train_history, KF_F32, 1, &epochs);
	t[n++].data = m->train_loss;
	t[n] = kf_tensor(valid_history, KF_F32, 1, &epochs);
	t[n++].data = m->valid_loss;
	set_metadata(m, &meta);
	rc = kf_st_write(fd, name, &meta, t, n, NULL, err);
	kf_meta_free(&meta);
	free(t);
	return rc;
}

void kf_model_note(struct kf_model *m, const char *key, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	kf_meta_set(&m->notes, key, "%s", text);
}

void kf_model_free(struct kf_model *m)
{
	for (int i = 0; i < m->n; i++)
		free(m->param[i].data);
	free(m->param);
	for (int i = 0; i < m->n_extra; i++)
		free(m->extra[i].data);
	free(m->extra);
	kf_meta_free(&m->state);
	free(m->train_loss);
	free(m->valid_loss);
	free(m->net);
	kf_names_free(&m->columns);
	kf_names_free(&m->class_names);
	kf_meta_free(&m->notes);
	*m = (struct kf_model){ 0 };
}

double kf_model_pixels(const struct kf_model *m)
{
	return kf_scales_pixels(m->y_scale);
}
