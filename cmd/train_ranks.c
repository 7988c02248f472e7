/* kfkd-train as one of several ranks. */
#define _GNU_SOURCE
#include "train_ranks.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "stream/digest.h"

static struct kf_comm *joined; /* for abandon */

/* A rank that ends on its own would leave the others waiting. */
static void abandon(void)
{
	if (joined)
		joined->op->abort(joined);
}

/* This rank's share of the machine's processors, unless it may only use fewer. */
static int share_of_threads(const struct kf_comm *c)
{
	cpu_set_t mine;
	int all = (int)sysconf(_SC_NPROCESSORS_ONLN), may = all;
	int share = all > c->local ? all / c->local : 1;

	if (sched_getaffinity(0, sizeof mine, &mine) == 0)
		may = CPU_COUNT(&mine);
	return may < share ? may : share;
}

/* path with each "%r" replaced by the rank; NULL where there is none. */
static char *name_shard(const char *path, int rank)
{
	const char *mark;
	char *name;
	size_t size;
	FILE *f;

	if (!strstr(path, "%r"))
		return NULL;
	f = open_memstream(&name, &size);
	must_alloc(f);
	for (; (mark = strstr(path, "%r")); path = mark + 2)
		fprintf(f, "%.*s%d", (int)(mark - path), path, rank);
	fputs(path, f);
	if (fclose(f))
		must_alloc(NULL);
	return name;
}

static void check_options(const struct settings *s, const struct options *o)
{
	if (!strcmp(o->operands[0], "-") ||
		(s->validation && !strcmp(s->validation, "-")))
		die("several processes cannot share standard input; give a file that "
		    "each of them can open");
	if (!o->output || !strcmp(o->output, "-"))
		die("several processes share standard output; name the model's file with "
		    "--output");
}

void ranks_join(struct settings *s, struct options *o)
{
	static char place[32];
	struct kf_comm *c;
	struct kf_err err;
	char *shard;

	check(kf_comm_open(s->comm, &c, &err), &err);
	if (!c)
		return;
	joined = s->train.comm = c;
	atexit(abandon);
	if (c->size > 1) {
		snprintf(place, sizeof place, "rank %d", c->rank);
		messages_place(place);
		check_options(s, o);
	}
	if ((shard = name_shard(o->operands[0], c->rank))) {
		o->operands[0] = shard;
		s->train.shards = s->train.valid_shards = true;
	}
	if (s->validation) {
		shard = name_shard(s->validation, c->rank);
		s->validation = shard ? shard : s->validation;
		s->train.valid_shards = shard;
	}
	if (!s->device.options.threads && !getenv("OMP_NUM_THREADS"))
		s->device.options.threads = share_of_threads(c);
	s->device.options.device = c->local_rank;
	if (c->rank > 0) {
		s->quiet = true;
		s->checkpoint = s->log = NULL;
	}
}

bool ranks_first(const struct settings *s)
{
	return !s->train.comm || s->train.comm->rank == 0;
}

/* all (size) becomes each rank's v. */
static uint64_t *gather(struct kf_comm *c, uint64_t v)
{
	uint64_t *all = calloc((size_t)c->size, sizeof *all);
	double *parts = calloc(4 * (size_t)c->size, sizeof *parts); /* of 16 bits */
	struct kf_err err;

	must_alloc(all);
	must_alloc(parts);
	for (int i = 0; i < 4; i++)
		parts[4 * c->rank + i] = (double)(v >> 16 * i & 0xffff);
	check(c->op->sum_doubles(c, parts, 4 * (size_t)c->size, &err), &err);
	for (int i = 0; i < 4 * c->size; i++)
		all[i / 4] |= (uint64_t)parts[i] << 16 * (i % 4);
	free(parts);
	return all;
}

/* What data must have in common; what is not in the images is enough to tell. */
static uint64_t outline(const struct settings *s, const struct kf_dataset *d)
{
	const struct kf_schema *f = &d->schema;
	/* rows that all ranks have */
	size_t first = s->train.valid_shards ? d->n_valid : 0;
	size_t n = (s->train.shards ? d->n_valid : d->n) - first;
	uint64_t parts[9 + KF_COLUMNS_MAX] = { (uint64_t)f->c, (uint64_t)f->h,
		(uint64_t)f->w, (uint64_t)d->m, (uint64_t)f->classes };

	for (int i = 0; i < f->columns.n; i++)
		parts[9 + i] =
			XXH3_64bits(f->columns.name[i], strlen(f->columns.name[i]));
	parts[6] = n;
	parts[7] = XXH3_64bits(d->id + first, n * sizeof *d->id);
	parts[8] = XXH3_64bits(d->y + first * (size_t)d->m,
		n * (size_t)d->m * sizeof *d->y);
	return XXH3_64bits(parts, sizeof parts);
}

/* Dies with a message where this rank's v is not rank 0's. */
static void compare(struct kf_comm *c, uint64_t v, const char *message)
{
	uint64_t *all = gather(c, v);

	if (all[c->rank] != all[0])
		die("%s", message);
	free(all);
}

void ranks_check_data(const struct settings *s, const struct kf_dataset *d)
{
	if (s->train.comm)
		compare(s->train.comm, outline(s, d),
			s->train.shards ?
				"its shard has other images or columns than rank 0's" :
				"its data are not those of rank 0");
}

static uint64_t add_text(uint64_t hash, const char *text)
{
	return XXH3_64bits_withSeed(text, strlen(text), hash);
}

void ranks_check_options(const struct settings *s, const struct kf_model *m)
{
	uint64_t hash = add_text(s->keeps, s->line);

	if (!s->train.comm)
		return;
	for (int i = 0; i < m->notes.n; i++)
		hash = add_text(add_text(hash, m->notes.key[i]), m->notes.value[i]);
	compare(s->train.comm, hash, "its options are not those of rank 0");
}

void ranks_check_start(const struct settings *s, const struct kf_trainer *t)
{
	struct kf_backend *b = t->net->b;
	size_t n = t->net->layers->floats;
	uint64_t parts[4] = { (uint64_t)t->epoch, t->batches, t->step };
	float *weights;
	struct kf_err err;

	if (!s->train.comm)
		return;
	weights = calloc(n, sizeof *weights);
	must_alloc(weights);
	b->op->read(b, t->net->weights, 0, weights, n);
	check(b->op->sync(b, &err), &err);
	parts[3] = XXH3_64bits(weights, n * sizeof *weights);
	free(weights);
	compare(s->train.comm, XXH3_64bits(parts, sizeof parts),
		"it would begin elsewhere than rank 0: is what --resume or --init names "
		"the same file for each?");
}

size_t ranks_total(const struct settings *s, bool shards, size_t v)
{
	double sum = (double)v;
	struct kf_err err;

	if (!s->train.comm || !shards)
		return v;
	check(s->train.comm->op->sum_doubles(s->train.comm, &sum, 1, &err), &err);
	return (size_t)sum;
}

uint64_t ranks_digest(const struct settings *s, uint64_t digest)
{
	struct kf_comm *c = s->train.comm;
	uint64_t *all;

	if (!c || !(s->train.shards || s->train.valid_shards))
		return digest;
	all = gather(c, digest);
	digest = XXH3_64bits(all, (size_t)c->size * sizeof *all);
	free(all);
	return digest;
}

int ranks_stop(struct settings *s, int number)
{
	double received[NSIG] = { 0 };
	struct kf_err err;

	if (!s->train.comm)
		return number;
	received[number] = 1;
	check(s->train.comm->op->sum_doubles(s->train.comm, received, NSIG, &err),
		&err);
	for (int i = 1; i < NSIG; i++)
		if (received[i] > 0)
			number = i;
	ranks_leave(s);
	return number;
}

void ranks_leave(struct settings *s)
{
	struct kf_comm *c = s->train.comm;

	joined = s->train.comm = NULL;
	if (c)
		c->op->close(c);
}
