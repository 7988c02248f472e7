/*
 * Ranks: processes that share batches out among them find the losses, gradients and
 * statistics of all of a batch, as one process does that has it alone, and make the same
 * steps.  Under mpirun the ranks are those that it started, joined by the engine that
 * KFKD_COMM names; else this test forks some, which it joins by memory that they share.
 */
#define _GNU_SOURCE
#include "net/net.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "backend_test.h"
#include "net/comm.h"
#include "reference.h"

/* -- ranks that share memory -------------------------------------------------------- */

enum { RANKS_MAX = 3, ROOM = 4096, BEGUN_MAX = 16 };

struct meeting {
	pthread_barrier_t all;
	double v[RANKS_MAX][ROOM];
};

struct forked {
	struct kf_comm base; /* first: the handle is this */
	struct meeting *meeting;
	/* sums that were begun, which are made as late as can be */
	struct {
		float *v;
		size_t n;
	} begun[BEGUN_MAX];
	int n_begun;
};

/* Adds up what all ranks have put into the meeting's v. */
static void add_up(struct kf_comm *c, size_t n, double *sums)
{
	struct meeting *m = ((struct forked *)c)->meeting;

	pthread_barrier_wait(&m->all);
	for (size_t i = 0; i < n; i++) {
		sums[i] = 0;
		for (int r = 0; r < c->size; r++)
			sums[i] += m->v[r][i];
	}
	pthread_barrier_wait(&m->all);
}

static size_t piece(size_t n)
{
	return n < ROOM ? n : ROOM;
}

static int sum_doubles(struct kf_comm *c, double *v, size_t n, struct kf_err *err)
{
	(void)err;
	for (size_t at = 0; at < n; at += ROOM) {
		memcpy(((struct forked *)c)->meeting->v[c->rank], v + at,
			piece(n - at) * sizeof *v);
		add_up(c, piece(n - at), v + at);
	}
	return 0;
}

static int sum_floats(struct kf_comm *c, float *v, size_t n, struct kf_err *err)
{
	double part[ROOM];

	for (size_t at = 0; at < n; at += ROOM) {
		for (size_t i = 0; i < piece(n - at); i++)
			part[i] = v[at + i];
		sum_doubles(c, part, piece(n - at), err);
		for (size_t i = 0; i < piece(n - at); i++)
			v[at + i] = (float)part[i];
	}
	return 0;
}

static int begin_sum(struct kf_comm *c, float *v, size_t n, struct kf_err *err)
{
	struct forked *f = (struct forked *)c;

	if (f->n_begun == BEGUN_MAX)
		return kf_fail(err, "too many sums at once");
	f->begun[f->n_begun].v = v;
	f->begun[f->n_begun++].n = n;
	return 0;
}

static int finish(struct kf_comm *c, struct kf_err *err)
{
	struct forked *f = (struct forked *)c;

	for (int i = 0; i < f->n_begun; i++)
		sum_floats(c, f->begun[i].v, f->begun[i].n, err);
	f->n_begun = 0;
	return 0;
}

static int broadcast(struct kf_comm *c, void *v, size_t bytes, struct kf_err *err)
{
	struct meeting *m = ((struct forked *)c)->meeting;
	char *to = v;

	(void)err;
	for (size_t at = 0; at < bytes; at += sizeof m->v[0]) {
		size_t n = bytes - at < sizeof m->v[0] ? bytes - at : sizeof m->v[0];

		if (c->rank == 0)
			memcpy(m->v[0], to + at, n);
		pthread_barrier_wait(&m->all);
		memcpy(to + at, m->v[0], n);
		pthread_barrier_wait(&m->all);
	}
	return 0;
}

static void end_all(struct kf_comm *c)
{
	(void)c;
	_exit(1);
}

static void leave(struct kf_comm *c)
{
	munmap(((struct forked *)c)->meeting, sizeof(struct meeting));
	free(c);
}

static const struct kf_comm_ops operations = { .sum = sum_floats,
	.sum_doubles = sum_doubles,
	.begin_sum = begin_sum,
	.finish = finish,
	.broadcast = broadcast,
	.abort = end_all,
	.close = leave };

static struct meeting *call_meeting(int size)
{
	struct meeting *m = mmap(NULL, sizeof *m, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t shared;

	if (m == MAP_FAILED)
		exit(1);
	pthread_barrierattr_init(&shared);
	pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&m->all, &shared, (unsigned)size);
	return m;
}

/* This process becomes rank 0, and returns last; the others return true in *child. */
static struct kf_comm *fork_ranks(int size, bool *child)
{
	struct forked *f = calloc(1, sizeof *f);

	f->base = (struct kf_comm){ .op = &operations,
		.size = size,
		.local = size,
		.engine = "shared memory" };
	f->meeting = call_meeting(size);
	*child = false;
	for (int r = 1; r < size && !*child; r++) {
		pid_t pid = fork();

		if (pid < 0)
			exit(1);
		*child = pid == 0;
		if (*child)
			f->base.rank = f->base.local_rank = r;
	}
	if (*child)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return &f->base;
}

/* A rank that fails would leave the others waiting for it. */
static void child_ended(int signal)
{
	static const char said[] = "Bail out!  A rank failed\n";
	int status;

	(void)signal;
	while (waitpid(-1, &status, WNOHANG) > 0)
		if (status) {
			if (write(STDOUT_FILENO, said, sizeof said - 1) < 0)
				_exit(2);
			_exit(1);
		}
}

/* -- what a rank does ---------------------------------------------------------------- */

struct ranks_case {
	int n, c, h, w; /* of the input; n rows in the largest batch */
	const char *line;
	bool classify;
};

enum { BATCHES = 4 };

/* What is found with all of the batches: with ranks, each one's part of losses and hits. */
struct found {
	double losses[BATCHES], hits[BATCHES];
	float *grads[BATCHES], *weights;
};

struct run {
	const struct ranks_case *c;
	struct kf_layers l;
	struct kf_net net;
	size_t m; /* targets a row */
	float *x, *t, *w;
	struct kf_mem *images, *targets, *losses, *hits, *velocity;
};

/* The rows of batch i: as many as can be, fewer, and one, so that ranks get different
 * numbers of them, or none. */
static int rows_of(const struct ranks_case *c, int i)
{
	const int n[BATCHES] = { c->n, 1, (c->n + 1) / 2, c->n };

	return n[i];
}

static bool open_run(struct run *r, const struct ranks_case *c, struct kf_err *err)
{
	size_t n = (size_t)c->n, pixels = (size_t)(c->c * c->h * c->w);

	*r = (struct run){ .c = c };
	if (kf_layers_parse(&r->l, c->line, c->c, c->h, c->w, 0, err) < 0 ||
		kf_net_open(&r->net, b, &r->l, err) < 0)
		return false;
	r->m = c->classify ? 1 : (size_t)kf_layer_outputs(&r->l.layer[r->l.n - 1]);
	r->x = numbers(n * pixels, 51);
	r->t = numbers(n * r->m, 52);
	r->w = parameters(&r->l, 53);
	for (size_t i = 0; i < r->l.learned; i++)
		r->w[i] *= 0.2f;
	for (size_t i = 0; i < n * r->m; i++)
		if (c->classify)
			r->t[i] = (float)(i % 3);
		else if (i % 5 == 1 || i < r->m) /* row 0 has none */
			r->t[i] = NAN;
	r->images = upload(r->x, n * pixels);
	r->targets = upload(r->t, n * r->m);
	r->losses = b->op->alloc(b, BATCHES);
	r->hits = b->op->alloc(b, BATCHES);
	r->velocity = b->op->alloc(b, r->l.learned);
	for (int i = 0; i < r->l.n_params; i++)
		b->op->write_param(b, r->net.weights, &r->l.param[i],
			r->w + r->l.param[i].offset);
	return true;
}

static void close_run(struct run *r)
{
	kf_net_close(&r->net);
	kf_layers_free(&r->l);
	b->op->free(b, r->images);
	b->op->free(b, r->targets);
	b->op->free(b, r->losses);
	b->op->free(b, r->hits);
	b->op->free(b, r->velocity);
	free(r->x), free(r->t), free(r->w);
}

static double count_present(const struct run *r, const uint32_t *rows, int n)
{
	double present = 0;

	for (int i = 0; i < n; i++)
		for (size_t j = 0; j < r->m; j++)
			present += !isnan(r->t[rows[i] * r->m + j]);
	return present;
}

/* A step by batch i, or by this rank's slice of it: the last one as a pass and a step in
 * one. */
static bool step(struct run *r, struct kf_comm *comm, int i)
{
	const struct kf_update u = kf_update(KF_NESTEROV, 0.1, 0.9, 0, i + 1);
	int n = rows_of(r->c, i), rank = comm ? comm->rank : 0;
	int size = comm ? comm->size : 1;
	int first = n * rank / size, end = n * (rank + 1) / size;
	bool idle = first == end;
	uint32_t *rows = calloc((size_t)n, sizeof *rows);
	struct kf_pass pass = { .train = true, .seed = 9, .step = (uint32_t)i + 2 };
	struct kf_target target = { .values = r->targets,
		.classify = r->c->classify,
		.losses = r->losses,
		.hits = r->hits,
		.slot = (size_t)i };
	struct kf_err err;
	bool good;

	for (int k = 0; k < n; k++)
		rows[k] = (uint32_t)(r->c->n - 1 - k);
	target.present = idle ? (double)INFINITY : count_present(r, rows, n);
	if (comm)
		pass.share = (struct kf_share){ comm, idle ? 0 : first, n, idle };
	target.rows = idle ? rows : rows + first;
	n = idle ? 1 : end - first;
	if (i < BATCHES - 1) {
		good = kf_net_loss(&r->net, r->images, target.rows, NULL, n, &target,
			       &pass, &err) == 0;
		kf_net_update(&r->net, &u, r->velocity, NULL);
	} else {
		good = kf_net_train(&r->net, r->images, target.rows, NULL, n, &target,
			       &pass, &u, r->velocity, NULL, &err) == 0;
	}
	if (idle && r->c->classify)
		b->op->write(b, r->hits, (size_t)i, &(float){ 0 }, 1);
	free(rows);
	return good;
}

static bool find(struct found *f, const struct ranks_case *c, struct kf_comm *comm)
{
	float losses[BATCHES], hits[BATCHES];
	struct run r;
	struct kf_err err;
	bool good = true;

	*f = (struct found){ .weights = NULL };
	if (!open_run(&r, c, &err))
		return false;
	for (int i = 0; good && i < BATCHES; i++) {
		good = step(&r, comm, i);
		if (good && i < BATCHES - 1)
			f->grads[i] = download(r.net.grads, 0, r.l.floats);
	}
	b->op->read(b, r.losses, 0, losses, BATCHES);
	b->op->read(b, r.hits, 0, hits, BATCHES);
	f->weights = download(r.net.weights, 0, r.l.floats);
	for (int i = 0; i < BATCHES; i++)
		f->losses[i] = losses[i], f->hits[i] = hits[i];
	close_run(&r);
	return good && healthy();
}

static void free_found(struct found *f)
{
	for (int i = 0; i < BATCHES; i++)
		free(f->grads[i]);
	free(f->weights);
}

/* -- comparing ---------------------------------------------------------------------- */

/* Whether all ranks say so; only rank 0 prints it. */
__attribute__((format(printf, 3, 4))) static void all_ok(struct kf_comm *c, bool good,
	const char *fmt, ...)
{
	double failed = !good;
	char what[300];
	struct kf_err err;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (c->op->sum_doubles(c, &failed, 1, &err) < 0)
		c->op->abort(c);
	if (c->rank == 0)
		ok(failed == 0, "%s", what);
	else
		tap_failed |= failed != 0;
}

/* Whether rank 0's floats are the same bytes. */
static bool same_as_first(struct kf_comm *c, const float *v, size_t n)
{
	float *first = malloc(n * sizeof *v);
	struct kf_err err;
	bool good;

	memcpy(first, v, n * sizeof *v);
	if (c->op->broadcast(c, first, n * sizeof *v, &err) < 0)
		c->op->abort(c);
	good = !memcmp(first, v, n * sizeof *v);
	free(first);
	return good;
}

/* Parameter by parameter. */
static bool near(const struct kf_layers *l, const float *got, const float *want)
{
	bool good = true;

	for (int i = 0; i < l->n_params; i++) {
		const struct kf_param *p = &l->param[i];
		double *wide = widen(want + p->offset, p->count);

		if (!similar(got + p->offset, wide, p->count, 2e-5, 0.01)) {
			note("%s", p->name);
			good = false;
		}
		free(wide);
	}
	return good;
}

static bool near_losses(struct kf_comm *c, struct found *got, const struct found *want)
{
	struct kf_err err;
	bool good = true;

	if (c->op->sum_doubles(c, got->losses, BATCHES, &err) < 0 ||
		c->op->sum_doubles(c, got->hits, BATCHES, &err) < 0)
		c->op->abort(c);
	for (int i = 0; i < BATCHES; i++)
		if (!(fabs(got->losses[i] - want->losses[i]) <=
			    1e-5 * fabs(want->losses[i])) ||
			got->hits[i] != want->hits[i]) {
			note("batch %d: loss %g, hits %g, not %g, %g", i,
				got->losses[i], got->hits[i], want->losses[i],
				want->hits[i]);
			good = false;
		}
	return good;
}

static void test_case(struct kf_comm *c, const struct ranks_case *t)
{
	struct found got, want;
	struct kf_layers l;
	struct kf_err err;
	bool alone, joined;

	if (kf_layers_parse(&l, t->line, t->c, t->h, t->w, 0, &err) < 0)
		c->op->abort(c);
	alone = find(&want, t, NULL);
	joined = alone && find(&got, t, c);
	all_ok(c, joined, "'%s', a batch of %d by %d ranks", t->line, t->n, c->size);
	if (tap_failed && !joined)
		c->op->abort(c); /* the others would wait for it */
	all_ok(c, near_losses(c, &got, &want), "losses");
	for (int i = 0; i < BATCHES - 1; i++) {
		bool same = same_as_first(c, got.grads[i], l.floats);

		all_ok(c, near(&l, got.grads[i], want.grads[i]) && same,
			"gradients and statistics of %d rows", rows_of(t, i));
	}
	joined = same_as_first(c, got.weights, l.floats);
	all_ok(c, near(&l, got.weights, want.weights) && joined, "and the weights");
	free_found(&got);
	free_found(&want);
	kf_layers_free(&l);
}

static void test_cases(struct kf_comm *c)
{
	static const struct ranks_case cases[] = {
		/* gradients that go ahead while the pass goes on */
		{ 7, 1, 24, 24, "dense500 relu drop.5 dense4", false },
		/* 90 and 36 values of an image, of which four are drawn at a time */
		{ 5, 3, 7, 5,
			"conv6x3 relu drop.3 pool2 drop.1 dense7 tanh drop.5 dense3",
			false },
		{ 5, 1, 5, 5, "drop.2 conv3x3 relu dense5 drop.3 dense3", false },
		{ 6, 2, 9, 8,
			"conv8x3p1 batchnorm relu pool2 conv5x2 batchnorm tanh "
			"dense6 batchnorm relu dense3",
			false },
		{ 5, 3, 8, 8,
			"conv16x3p1 batchnorm relu res res24 drop.2 avgpool dense3",
			false },
		{ 3, 1, 16, 16,
			"conv16x3p1s2 batchnorm relu save pool2 res20 upscale2 "
			"add20x1 conv3x1 softargmax",
			false },
		{ 2, 1, 6, 6, "dense5 batchnorm relu dense2", false },
		{ 5, 1, 6, 6, "conv4x3 batchnorm relu drop.2 dense4", true },
		{ 4, 1, 6, 6, "dense5 tanh dense3", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		test_case(c, &cases[i]);
}

/* -- the worlds that ranks live in ---------------------------------------------------- */

static void test_ranks(struct kf_comm *c)
{
	struct kf_backend_options options = { .threads = 1, .device = c->local_rank };
	struct kf_err err;

	do {
		b = kf_backend_open("auto", &options, &err);
		all_ok(c, b != NULL, "a backend opens");
		if (tap_failed && !b)
			c->op->abort(c);
		if (c->rank == 0)
			note("backend %s, ranks by %s", b->device, c->engine);
		test_cases(c);
		options.recompute = !options.recompute && !strncmp(b->device, "cpu", 3);
		b->op->close(b);
	} while (options.recompute);
}

static bool all_ended_well(void)
{
	bool good = true;
	int status;
	pid_t pid;

	while ((pid = wait(&status)) > 0 || errno == EINTR)
		good &= pid < 0 || status == 0;
	return good;
}

/* Worlds of two and of three processes, this one being in each. */
static int test_forked(void)
{
	struct sigaction action = { .sa_handler = child_ended, .sa_flags = SA_RESTART };
	struct kf_comm *worlds[RANKS_MAX - 1];
	bool child;

	sigaction(SIGCHLD, &action, NULL);
	for (int i = 0; i < RANKS_MAX - 1; i++) {
		worlds[i] = fork_ranks(i + 2, &child);
		if (child) {
			test_ranks(worlds[i]);
			return tap_failed;
		}
	}
	for (int i = 0; i < RANKS_MAX - 1; i++) {
		test_ranks(worlds[i]);
		worlds[i]->op->close(worlds[i]);
	}
	signal(SIGCHLD, SIG_DFL);
	ok(all_ended_well(), "the other ranks end well");
	return done_testing();
}

int main(void)
{
	struct kf_comm *c;
	struct kf_err err;
	bool first;

	if (kf_comm_open("auto", &c, &err) < 0) {
		fprintf(stderr, "test_ranks: %s\n", err.msg);
		return 1;
	}
	if (!c)
		return test_forked();
	test_ranks(c);
	first = c->rank == 0;
	c->op->close(c);
	return first ? done_testing() : tap_failed;
}
