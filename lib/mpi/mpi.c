/*
 * The engine that joins ranks by MPI.
 *
 * Where all ranks are on one machine, a sum is made when it is asked for: their processors
 * have nothing to wait for.  Across a network a thread of its own makes those that may go
 * on in the background, with a communicator of its own, while the others compute.
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/signals.h"
#include "net/comm.h"

/* Elements in a message: MPI counts in int. */
#define PIECE ((size_t)1 << 28)
/* From so many floats on, sums go round the ring, in messages of at most so many. */
#define RING_MIN ((size_t)1 << 16)
#define RING_MESSAGE ((size_t)1 << 18)
/* Sums that wait at a time; further ones wait for these. */
#define QUEUE 16

struct job {
	float *v;
	size_t n;
};

struct mpi {
	struct kf_comm base; /* first: the handle is this */
	float *received;     /* (RING_MESSAGE) */
	bool overlaps;
	bool started; /* the thread */
	pthread_t thread;
	MPI_Comm background; /* the thread's */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct job job[QUEUE]; /* `jobs` of them, the first being worked on */
	int jobs;
	bool ends;
	bool failed;
	struct kf_err first; /* the first failure */
};

static struct mpi *mpi(struct kf_comm *c)
{
	return (struct mpi *)c;
}

/* 0, or -1 with what MPI says. */
static int done(int rc, const char *what, struct kf_err *err)
{
	char text[MPI_MAX_ERROR_STRING] = "";
	int n = 0;

	if (rc == MPI_SUCCESS)
		return 0;
	MPI_Error_string(rc, text, &n);
	return kf_fail(err, "MPI: %s failed: %.300s", what, text);
}

/* -- sums ------------------------------------------------------------------------ */

static int sum(void *v, size_t n, size_t size, MPI_Datatype type, MPI_Comm on,
	struct kf_err *err)
{
	for (size_t at = 0; at < n; at += PIECE) {
		int count = (int)(n - at < PIECE ? n - at : PIECE);

		if (done(MPI_Allreduce(MPI_IN_PLACE, (char *)v + at * size, count, type,
				 MPI_SUM, on),
			    "summing", err) < 0)
			return -1;
	}
	return 0;
}

static int mpi_sum(struct kf_comm *c, float *v, size_t n, struct kf_err *err)
{
	(void)c;
	return sum(v, n, sizeof *v, MPI_FLOAT, MPI_COMM_WORLD, err);
}

static int mpi_sum_doubles(struct kf_comm *c, double *v, size_t n, struct kf_err *err)
{
	(void)c;
	return sum(v, n, sizeof *v, MPI_DOUBLE, MPI_COMM_WORLD, err);
}

static int mpi_broadcast(struct kf_comm *c, void *v, size_t bytes, struct kf_err *err)
{
	(void)c;
	for (size_t at = 0; at < bytes; at += PIECE) {
		int count = (int)(bytes - at < PIECE ? bytes - at : PIECE);

		if (done(MPI_Bcast((char *)v + at, count, MPI_BYTE, 0, MPI_COMM_WORLD),
			    "a broadcast", err) < 0)
			return -1;
	}
	return 0;
}

/* -- round the ring ------------------------------------------------------------------ */

/*
 * Sums of many floats, by a ring: each rank adds what its neighbour sends to one part after
 * another, until each has one part's sum, and then these go round.  Every rank sends and
 * receives 2 (size - 1) / size of the whole, which is the least that there can be;
 * MPI_Allreduce may choose to send all of it to each.  Parts are small enough to stay in
 * the cache.
 */
struct ring {
	struct mpi *m;
	MPI_Comm on;
	float *v;
	size_t n; /* at most RING_MESSAGE for each rank */
};

static float *part(const struct ring *r, int i, int *n)
{
	size_t size = (size_t)r->m->base.size;
	size_t k = (size_t)(i + 2 * r->m->base.size) % size;
	size_t from = r->n * k / size;

	*n = (int)(r->n * (k + 1) / size - from);
	return r->v + from;
}

/* Sends part `out` to the next rank, and receives from the one before. */
static int pass_on(const struct ring *r, int out, float *in, int n_in,
	struct kf_err *err)
{
	int rank = r->m->base.rank, size = r->m->base.size, n_out;
	const float *from = part(r, out, &n_out);

	return done(MPI_Sendrecv(from, n_out, MPI_FLOAT, (rank + 1) % size, 0, in, n_in,
			    MPI_FLOAT, (rank + size - 1) % size, 0, r->on,
			    MPI_STATUS_IGNORE),
		"summing", err);
}

static int go_round(const struct ring *r, struct kf_err *err)
{
	int rank = r->m->base.rank, size = r->m->base.size, n;

	for (int i = 0; i < size - 1; i++) {
		float *to = part(r, rank - i - 1, &n);

		if (pass_on(r, rank - i, r->m->received, n, err) < 0)
			return -1;
		for (int j = 0; j < n; j++)
			to[j] += r->m->received[j];
	}
	for (int i = 0; i < size - 1; i++) {
		float *to = part(r, rank - i, &n);

		if (pass_on(r, rank - i + 1, to, n, err) < 0)
			return -1;
	}
	return 0;
}

static int sum_gradients(struct mpi *m, float *v, size_t n, MPI_Comm on,
	struct kf_err *err)
{
	size_t most = RING_MESSAGE * (size_t)m->base.size;

	if (n < RING_MIN || m->base.size == 1)
		return sum(v, n, sizeof *v, MPI_FLOAT, on, err);
	if (!m->received && !(m->received = malloc(RING_MESSAGE * sizeof *v)))
		return kf_fail_memory(err);
	for (size_t at = 0; at < n; at += most) {
		struct ring r = { m, on, v + at, n - at < most ? n - at : most };

		if (go_round(&r, err) < 0)
			return -1;
	}
	return 0;
}

/* -- in the background ------------------------------------------------------------- */

/* Makes one sum after another, until it is to end. */
static void *work(void *context)
{
	struct mpi *m = context;

	pthread_mutex_lock(&m->lock);
	while (m->jobs || !m->ends) {
		struct job job = m->job[0];
		struct kf_err err;
		int rc;

		if (!m->jobs) {
			pthread_cond_wait(&m->changed, &m->lock);
			continue;
		}
		pthread_mutex_unlock(&m->lock);
		rc = sum_gradients(m, job.v, job.n, m->background, &err);
		pthread_mutex_lock(&m->lock);
		if (rc < 0 && !m->failed) {
			m->failed = true;
			m->first = err;
		}
		m->jobs--;
		memmove(m->job, m->job + 1, (size_t)m->jobs * sizeof *m->job);
		pthread_cond_broadcast(&m->changed);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* The thread leaves signals to others. */
static int start(struct mpi *m, struct kf_err *err)
{
	sigset_t all, before;
	int rc;

	if (m->started)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&m->thread, NULL, work, m);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return kf_fail(err, "cannot start a thread: %s", strerror(rc));
	m->started = true;
	return 0;
}

static int mpi_begin_sum(struct kf_comm *c, float *v, size_t n, struct kf_err *err)
{
	struct mpi *m = mpi(c);

	if (!m->overlaps)
		return sum_gradients(m, v, n, MPI_COMM_WORLD, err);
	if (start(m, err) < 0)
		return -1;
	pthread_mutex_lock(&m->lock);
	while (m->jobs == QUEUE)
		pthread_cond_wait(&m->changed, &m->lock);
	m->job[m->jobs++] = (struct job){ v, n };
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

static int mpi_finish(struct kf_comm *c, struct kf_err *err)
{
	struct mpi *m = mpi(c);
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	while (m->jobs)
		pthread_cond_wait(&m->changed, &m->lock);
	if (m->failed) {
		*err = m->first;
		rc = -1;
	}
	pthread_mutex_unlock(&m->lock);
	return rc;
}

/* -- opening and closing ------------------------------------------------------------- */

static void mpi_abort(struct kf_comm *c)
{
	(void)c;
	MPI_Abort(MPI_COMM_WORLD, 1);
}

static void mpi_close(struct kf_comm *c)
{
	struct mpi *m = mpi(c);

	pthread_mutex_lock(&m->lock);
	m->ends = true;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	if (m->started)
		pthread_join(m->thread, NULL);
	MPI_Finalize();
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->changed);
	free(m->received);
	free(m);
}

static const struct kf_comm_ops operations = {
	.sum = mpi_sum,
	.sum_doubles = mpi_sum_doubles,
	.begin_sum = mpi_begin_sum,
	.finish = mpi_finish,
	.broadcast = mpi_broadcast,
	.abort = mpi_abort,
	.close = mpi_close,
};

/* How many ranks are on this machine, and which of them this one is. */
static int find_local(struct kf_comm *c, struct kf_err *err)
{
	MPI_Comm here;

	if (done(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0,
			 MPI_INFO_NULL, &here),
		    "finding the ranks of this machine", err) < 0)
		return -1;
	MPI_Comm_size(here, &c->local);
	MPI_Comm_rank(here, &c->local_rank);
	MPI_Comm_free(&here);
	return 0;
}

/* "Open MPI v4.1.4" of a longer text. */
static void describe(struct kf_comm *c)
{
	char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
	int n = 0;

	MPI_Get_library_version(text, &n);
	text[strcspn(text, ",\n")] = '\0';
	snprintf(c->engine, sizeof c->engine, "mpi (%.60s), %d ranks", text, c->size);
}

/* The ranks have to decide alike; KFKD_MPI_OVERLAP is for tests. */
static int choose_overlap(struct mpi *m, int provided, struct kf_err *err)
{
	const char *wanted = getenv("KFKD_MPI_OVERLAP");
	double apart[] = { m->base.local < m->base.size,
		provided < MPI_THREAD_MULTIPLE };

	if (wanted && *wanted)
		apart[0] = strcmp(wanted, "no") != 0;
	if (mpi_sum_doubles(&m->base, apart, 2, err) < 0)
		return -1;
	m->overlaps = apart[0] > 0 && apart[1] == 0;
	if (!m->overlaps)
		return 0;
	return done(MPI_Comm_dup(MPI_COMM_WORLD, &m->background), "a communicator",
		err);
}

static struct kf_comm *mpi_open(struct kf_err *err)
{
	struct mpi *m = calloc(1, sizeof *m);
	sigset_t fatal, before;
	int provided = 0;

	if (!m) {
		kf_fail_memory(err);
		return NULL;
	}
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	m->base.op = &operations;
	/* MPI's own threads are not to take signals from the one that handles them */
	kf_fatal_signals(&fatal);
	pthread_sigmask(SIG_BLOCK, &fatal, &before);
	/* which ends the process where it fails */
	MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	MPI_Comm_rank(MPI_COMM_WORLD, &m->base.rank);
	MPI_Comm_size(MPI_COMM_WORLD, &m->base.size);
	describe(&m->base);
	if (find_local(&m->base, err) == 0 && choose_overlap(m, provided, err) == 0)
		return &m->base;
	mpi_abort(&m->base);
	return NULL;
}

__attribute__((visibility("default")))
const struct kf_comm_plugin kf_comm_plugin = { KF_COMM_ABI, mpi_open };
