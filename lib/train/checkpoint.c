/* Checkpoints: the run's state as extra tensors and metadata of a model. */
#define _GNU_SOURCE
#include "train/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/whole_file.h"

static const char best_prefix[] = "run.best.";

/* An arena besides the weights; mem is NULL if the run does not keep it. */
struct arena {
	const char *prefix;
	struct kf_mem *mem;
	int n; /* parameters in it */
};

static void list_arenas(struct kf_trainer *t, struct arena a[3])
{
	const struct kf_layers *l = t->net->layers;

	a[0] = (struct arena){ "run.state1.", t->state[0], l->n_learned };
	a[1] = (struct arena){ "run.state2.", t->state[1], l->n_learned };
	a[2] = (struct arena){ best_prefix, t->best_weights, l->n_params };
}

/* The values of m, one for each batch so far, as a tensor; data is NULL on failure. */
static struct kf_tensor read_values(struct kf_trainer *t, const char *name,
	const struct kf_mem *m)
{
	int64_t count = (int64_t)t->count;
	struct kf_tensor values = kf_tensor(name, KF_F32, 1, &count);

	values.data = malloc((t->count + 1) * sizeof(float));
	if (values.data)
		t->net->b->op->read(t->net->b, m, 0, values.data, t->count);
	return values;
}

/* -- whose it is ------------------------------------------------------------------- */

static int try_writing(const char *path, struct kf_err *err)
{
	struct kf_whole_file *f = kf_whole_open(path, KF_WHOLE_STATE, err);

	kf_whole_abandon(f);
	return f ? 0 : -1;
}

/* -1 if the file would be a loss, which the message says. */
static int check_loss(const char *path, int fd, struct kf_err *err)
{
	struct kf_model saved;
	struct kf_err why;
	bool checkpoint;
	int epochs;

	if (kf_model_read(&saved, fd, path, "", &why) < 0)
		return kf_fail(err, "'%s' is not a checkpoint; --overwrite replaces it",
			path);
	checkpoint = kf_meta_get(&saved.state, "data");
	epochs = saved.epochs;
	kf_model_free(&saved);
	if (!checkpoint)
		return kf_fail(err,
			"'%s' is a model, not a checkpoint; --overwrite replaces it",
			path);
	if (epochs)
		return kf_fail(err,
			"'%s' is a checkpoint with %d epochs done; "
			"--resume goes on from it, --overwrite replaces it",
			path, epochs);
	return 0;
}

int kf_checkpoint_open(struct kf_checkpoint *c, const char *path, const char *resume,
	bool overwrite, struct kf_err *err)
{
	struct stat there;

	*c = (struct kf_checkpoint){ .path = path, .lock = -1 };
	if (kf_lock(path, &c->lock, err) < 0 || try_writing(path, err) < 0)
		goto failed;
	if (overwrite || c->lock < 0 || fstat(c->lock, &there) || !there.st_size)
		return 0;
	if (resume && kf_has_name(c->lock, AT_FDCWD, resume))
		return 0;
	if (check_loss(path, c->lock, err) == 0)
		return 0;
failed:
	kf_checkpoint_close(c);
	return -1;
}

void kf_checkpoint_close(struct kf_checkpoint *c)
{
	if (c->lock >= 0)
		close(c->lock);
	c->lock = -1;
}

/* -- writing ----------------------------------------------------------------------- */

/* The sums of flip:auto; data is NULL on failure. */
static struct kf_tensor copy_flip(const struct kf_trainer *t)
{
	const int64_t shape[] = { 2, KF_FLIP_VALUES, t->flip.m };
	struct kf_tensor sums = kf_tensor("run.flip", KF_F32, 3, shape);
	size_t bytes = kf_tensor_bytes(&sums);

	sums.data = malloc(bytes + 1);
	if (sums.data)
		memcpy(sums.data, t->flip.sums, bytes);
	return sums;
}

static int collect(struct kf_trainer *t, struct kf_model *m, struct kf_err *err)
{
	int n = t->net->layers->n_params;
	struct arena arenas[3];

	list_arenas(t, arenas);
	m->n = n;
	m->param = kf_net_get(t->net, t->net->weights, "", n);
	m->extra = calloc((size_t)(3 * n) + 2, sizeof *m->extra);
	if (!m->param || !m->extra)
		return kf_fail(err, "out of memory for a checkpoint");
	for (int i = 0; i < 3; i++) {
		struct kf_tensor *part;

		if (!arenas[i].mem)
			continue;
		part = kf_net_get(t->net, arenas[i].mem, arenas[i].prefix, arenas[i].n);
		if (!part)
			return kf_fail(err, "out of memory for a checkpoint");
		memcpy(m->extra + m->n_extra, part, (size_t)arenas[i].n * sizeof *part);
		m->n_extra += arenas[i].n;
		free(part);
	}
	m->extra[m->n_extra] = read_values(t, "run.losses", t->losses);
	if (!m->extra[m->n_extra++].data)
		return kf_fail(err, "out of memory for a checkpoint");
	if (t->flip.sums) {
		m->extra[m->n_extra] = copy_flip(t);
		if (!m->extra[m->n_extra++].data)
			return kf_fail(err, "out of memory for a checkpoint");
	}
	return t->net->b->op->sync(t->net->b, err);
}

static void note_state(const struct kf_trainer *t, uint64_t digest, struct kf_meta *s)
{
	kf_meta_set(s, "data", "%016llx", (unsigned long long)digest);
	kf_meta_set(s, "epoch", "%d", t->epoch);
	kf_meta_set(s, "rows", "%zu", kf_slices_position(&t->train, t->batches));
	kf_meta_set(s, "step", "%lu", (unsigned long)t->step);
	kf_meta_set(s, "best_epoch", "%d", t->best_epoch);
	kf_meta_set(s, "best", "%a %a %a", t->best, t->best_train, t->best_valid);
	if (t->flip.sums)
		kf_meta_set(s, "flip_moves", "%d", t->flip.moves);
}

/* Frees what note_state and collect added to m. */
static void drop_tensors(struct kf_model *m)
{
	for (int i = 0; m->param && i < m->n; i++)
		free(m->param[i].data);
	for (int i = 0; i < m->n_extra; i++)
		free(m->extra[i].data);
	free(m->param);
	free(m->extra);
	m->param = m->extra = NULL;
	m->n = m->n_extra = 0;
	kf_meta_free(&m->state);
}

/* A first file that another run wrote since kf_checkpoint_open is not to be locked and
 * replaced, even if that run has ended. */
static int keep_lock(struct kf_checkpoint *c, struct kf_err *err)
{
	if (c->lock < 0 && !c->written)
		return 0;
	return kf_lock(c->path, &c->lock, err);
}

int kf_checkpoint_write(struct kf_checkpoint *c, struct kf_trainer *t,
	struct kf_model *m, uint64_t digest, struct kf_err *err)
{
	struct kf_whole_file *f = NULL;
	int rc = -1;

	note_state(t, digest, &m->state);
	if (collect(t, m, err) == 0 && keep_lock(c, err) == 0)
		f = kf_whole_open(c->path, KF_WHOLE_STATE, err);
	if (f && kf_model_write(m, kf_whole_fd(f), c->path, err) == 0)
		rc = kf_whole_commit_locked(f, &c->lock, err);
	else
		kf_whole_abandon(f);
	if (rc == 0)
		c->written = true;
	drop_tensors(m);
	return rc;
}

/* -- reading ----------------------------------------------------------------------- */

/* Whether the number of epochs affects the course of each. */
static bool epochs_matter(const struct kf_train_options *o)
{
	return kf_schedule_changes(&o->rate) || kf_schedule_changes(&o->momentum) ||
		o->augment.find_sum;
}

/* Compares options by the models' notes; -1 names the first that differs. */
static int check_options(const struct kf_model *saved, const struct kf_model *now,
	const struct kf_train_options *options, struct kf_err *err)
{
	const struct kf_meta a = saved->notes, b = now->notes;
	char text[480];

	if (strcmp(saved->net, now->net))
		return kf_fail(err, "it is of the net '%.200s'", saved->net);
	if (!kf_names_equal(&saved->columns, &now->columns)) {
		kf_names_difference(&now->columns, &saved->columns, text, sizeof text);
		return kf_fail(err, "it is of other columns: %s", text);
	}
	if (!kf_names_equal(&saved->class_names, &now->class_names))
		return kf_fail(err, "its classes have other names");
	if (saved->c != now->c || saved->h != now->h || saved->w != now->w)
		return kf_fail(err, "it is of images of %d x %d x %d", saved->c,
			saved->h, saved->w);
	for (int i = 0; i < b.n; i++) {
		const char *was = kf_meta_get(&a, b.key[i]);

		if (!was)
			return kf_fail(err, "it was made without --%s", b.key[i]);
		if (strcmp(was, b.value[i]) &&
			(strcmp(b.key[i], "epochs") || epochs_matter(options)))
			return kf_fail(err, "it was made with --%s %s, not %s",
				b.key[i], was, b.value[i]);
	}
	for (int i = 0; i < a.n; i++)
		if (!kf_meta_get(&b, a.key[i]))
			return kf_fail(err, "it was made with --%s %s", a.key[i],
				a.value[i]);
	return 0;
}

static int check_data(const struct kf_model *saved, uint64_t digest, struct kf_err *err)
{
	const char *was = kf_meta_get(&saved->state, "data");
	char text[32];

	snprintf(text, sizeof text, "%016llx", (unsigned long long)digest);
	if (!was)
		return kf_fail(err, "it is a model, not a checkpoint");
	if (strcmp(was, text))
		return kf_fail(err, "it is of other data");
	return 0;
}

static int parse_state(const struct kf_model *saved, struct kf_trainer *t,
	struct kf_err *err)
{
	static const char *const keys[] = { "epoch", "rows", "step", "best_epoch",
		"best" };
	const char *text[5];
	unsigned long step;
	size_t batch = (size_t)t->options.batch, rows;

	for (int i = 0; i < 5; i++)
		if (!(text[i] = kf_meta_get(&saved->state, keys[i])))
			return kf_fail(err, "its metadata 'run.%s' is missing",
				keys[i]);
	if (sscanf(text[0], "%9d", &t->epoch) != 1 || t->epoch < 0 ||
		sscanf(text[1], "%18zu", &rows) != 1 ||
		rows > kf_slices_position(&t->train, kf_slices_batches(&t->train)) ||
		sscanf(text[2], "%10lu", &step) != 1 || step > UINT32_MAX ||
		sscanf(text[3], "%9d", &t->best_epoch) != 1 ||
		sscanf(text[4], "%a %a %a", &t->best, &t->best_train, &t->best_valid) !=
			3 ||
		t->epoch != saved->epochs)
		return kf_fail(err, "its metadata is damaged");
	if (t->epoch > t->options.epochs)
		return kf_fail(err, "it is past epoch %d already", t->options.epochs);
	t->step = (uint32_t)step;
	t->batches = (rows + batch - 1) / batch;
	return 0;
}

static int set_arena(struct kf_trainer *t, const struct arena *a,
	const struct kf_tensor *tensors, int n, struct kf_err *err)
{
	bool *found = calloc((size_t)a->n, sizeof *found);
	int set;

	if (!found)
		return kf_fail_memory(err);
	set = kf_net_set(t->net, a->mem, a->prefix, tensors, n, found, a->n);
	free(found);
	return set == a->n ? 0 : kf_fail(err, "tensors '%s...' are missing", a->prefix);
}

static const struct kf_tensor *find_extra(const struct kf_model *saved,
	const char *name)
{
	for (int i = 0; i < saved->n_extra; i++)
		if (!strcmp(saved->extra[i].name, name))
			return &saved->extra[i];
	return NULL;
}

static bool has_arena(const struct kf_model *saved, const char *prefix)
{
	for (int i = 0; i < saved->n_extra; i++)
		if (!strncmp(saved->extra[i].name, prefix, strlen(prefix)))
			return true;
	return false;
}

/* What was best before is lost where it was not kept: the run goes on to its last weights. */
static void give_up_best(const struct kf_model *saved, struct kf_trainer *t)
{
	if (!t->best_weights || has_arena(saved, best_prefix))
		return;
	t->net->b->op->free(t->net->b, t->best_weights);
	t->best_weights = NULL;
	t->options.last = true;
}

static int restore(const struct kf_model *saved, struct kf_trainer *t,
	struct kf_err *err)
{
	const struct kf_tensor *losses;
	const struct arena weights = { "", t->net->weights, t->net->layers->n_params };
	struct arena arenas[3];

	give_up_best(saved, t);
	list_arenas(t, arenas);
	if (set_arena(t, &weights, saved->param, saved->n, err) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (arenas[i].mem &&
			set_arena(t, &arenas[i], saved->extra, saved->n_extra, err) < 0)
			return -1;
	losses = find_extra(saved, "run.losses");
	/* at most as many as the batches done in this epoch */
	if (!losses || losses->rank != 1 || (uint64_t)losses->shape[0] > t->batches)
		return kf_fail(err, "the tensor 'run.losses' is missing or too long");
	t->count = (size_t)losses->shape[0];
	t->net->b->op->write(t->net->b, t->losses, 0, losses->data, t->count);
	return t->net->b->op->sync(t->net->b, err);
}

/* What flip:auto has found so far. */
static int restore_flip(const struct kf_model *saved, struct kf_trainer *t,
	struct kf_err *err)
{
	const struct kf_tensor *sums = find_extra(saved, "run.flip");
	const char *moves = kf_meta_get(&saved->state, "flip_moves");
	struct kf_flip_finder *f = &t->flip;

	if (!f->sums)
		return 0;
	if (!sums || sums->rank != 3 || sums->shape[0] != 2 ||
		sums->shape[1] != KF_FLIP_VALUES || sums->shape[2] != f->m || !moves ||
		sscanf(moves, "%9d", &f->moves) != 1 || f->moves < 0 ||
		(f->moves && saved->flip_sum == 0))
		return kf_fail(err,
			"its tensor 'run.flip' or what goes with it is damaged");
	memcpy(f->sums, sums->data, kf_tensor_bytes(sums));
	if (f->moves)
		t->augmenter.flip_sum = saved->flip_sum;
	return 0;
}

int kf_checkpoint_read(const char *path, struct kf_trainer *t, struct kf_model *m,
	uint64_t digest, struct kf_err *err)
{
	struct kf_model saved;
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return kf_fail_errno(err, "cannot open '%s'", path);
	rc = kf_model_read(&saved, fd, path, NULL, err);
	close(fd);
	if (rc < 0)
		return -1;
	if (check_data(&saved, digest, err) < 0 ||
		check_options(&saved, m, &t->options, err) < 0 ||
		parse_state(&saved, t, err) < 0 || restore(&saved, t, err) < 0 ||
		restore_flip(&saved, t, err) < 0) {
		rc = kf_place(err, "cannot resume from '%s'", path);
	} else {
		m->epochs = saved.epochs;
		memcpy(m->train_loss, saved.train_loss,
			(size_t)saved.epochs * sizeof(float));
		memcpy(m->valid_loss, saved.valid_loss,
			(size_t)saved.epochs * sizeof(float));
	}
	kf_model_free(&saved);
	return rc;
}
