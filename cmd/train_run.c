/* A run of kfkd-train: epochs, checkpoints, and signals that end it. */
#define _GNU_SOURCE
#include "train_run.h"

#include <signal.h>
#include <time.h>

#include "base/signals.h"
#include "cli.h"
#include "train/checkpoint.h"
#include "train_log.h"
#include "train_ranks.h"

/*
 * Signals that end a run are blocked, and polled between batches.  A handler
 * would not do: oneDNN's matrix products use the stack pointer for purposes of
 * their own, and the frame of a signal delivered meanwhile overwrites the heap.
 */
static sigset_t ending;
static int end_signal; /* the one that arrived */

static struct kf_checkpoint checkpoint = { .lock = -1 };
static struct sigaction pipe_action; /* of SIGPIPE before the run */

/* What is told of between batches. */
static struct {
	struct progress *progress;
	const struct kf_trainer *trainer;
} told;

/* Before each batch; true if the run is to end. */
static bool before_batch(void)
{
	static const struct timespec at_once;
	int number = sigtimedwait(&ending, NULL, &at_once);

	progress_batch(told.progress, told.trainer->epoch + 1, told.trainer->batches,
		kf_slices_batches(&told.trainer->train));
	if (number > 0)
		end_signal = number;
	return end_signal != 0;
}

void train_begin(const struct settings *s)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct kf_err err;

	sigaction(SIGPIPE, &ignore, &pipe_action);
	if (s->checkpoint)
		check(kf_checkpoint_open(&checkpoint, s->checkpoint, s->resume,
			      s->overwrite, &err),
			&err);
	if (s->log && s->train.epochs > 0)
		train_log_open(s->log);
}

void train_end(void)
{
	kf_checkpoint_close(&checkpoint);
	sigaction(SIGPIPE, &pipe_action, NULL);
}

/* The backend's threads start with the signals blocked, and keep them so. */
struct kf_backend *train_open_backend(const struct device *d)
{
	struct kf_backend *b;
	struct kf_err err;
	sigset_t fatal, before;

	kf_ending_signals(&ending);
	kf_fatal_signals(&fatal);
	sigprocmask(SIG_BLOCK, &fatal, &before);
	b = kf_backend_open(d->backend, &d->options, &err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	must(b, &err);
	return b;
}

/* Describes the run so far in m, which becomes the checkpoint if there is to be one. */
static int write_checkpoint(struct kf_trainer *t, struct kf_model *m,
	const struct settings *s, uint64_t digest, struct kf_err *err)
{
	if (t->flip.moves)
		m->flip_sum = t->augmenter.flip_sum;
	if (!s->checkpoint)
		return 0;
	return kf_checkpoint_write(&checkpoint, t, m, digest, err);
}

/* The signal's end of a run whose checkpoint, if it has one, is written. */
_Noreturn static void end_stopped(const struct kf_trainer *t, struct settings *s)
{
	int number;

	if (s->checkpoint)
		warn("stopped in epoch %d; the same command with --resume %s goes on",
			t->epoch + 1, s->checkpoint);
	else if (ranks_first(s))
		warn("stopped in epoch %d; --checkpoint FILE would have kept the run, to "
		     "go on from with --resume FILE",
			t->epoch + 1);
	number = ranks_stop(s, end_signal);
	output_end_by_signal(number);
}

static void resume(struct kf_trainer *t, struct kf_model *m, const struct settings *s,
	uint64_t digest, struct progress *p)
{
	struct kf_err err;

	check(kf_checkpoint_read(s->resume, t, m, digest, &err), &err);
	kf_trainer_restored(t);
	progress_say(p, "resumed after epoch %d", t->epoch);
	progress_best(p, t->best_epoch, t->best_valid);
	if (t->options.last && !s->train.last && ranks_first(s))
		warn("'%s' lacks the best epoch's weights, as older checkpoints and those "
		     "of --last do; the last epoch's are written",
			s->resume);
}

static int run(struct kf_trainer *t, struct kf_model *m, struct settings *s,
	uint64_t digest, struct progress *p)
{
	struct kf_epoch e;
	struct kf_err err;
	int rc, status = 0;

	sigprocmask(SIG_BLOCK, &ending, NULL);
	if (s->resume)
		resume(t, m, s, digest, p);
	ranks_check_start(s, t);
	/* can it be written at all? */
	check(write_checkpoint(t, m, s, digest, &err), &err);
	train_log_start(t, m, p);
	progress_head(p);
	told.progress = p;
	told.trainer = t;
	while ((rc = kf_trainer_epoch(t, &e, before_batch, &err)) == 1) {
		m->train_loss[m->epochs] = e.train_loss;
		m->valid_loss[m->epochs++] = e.valid_loss;
		progress_row(p, &e);
		train_log_epoch(t, &e, p);
		/* it may fail, as on a full disk: the run goes on */
		if (t->epoch % s->every == 0 && t->epoch < t->options.epochs &&
			write_checkpoint(t, m, s, digest, &err) < 0) {
			progress_clear(p);
			warn("%s; training goes on", err.msg);
		}
	}
	progress_clear(p);
	check(rc, &err);
	if (train_log_close() < 0)
		status = 1;
	check(kf_trainer_gather(t, &err), &err);
	if (write_checkpoint(t, m, s, digest, &err) < 0) {
		if (rc == 2)
			die("%s", err.msg);
		warn("%s; the model is written all the same", err.msg);
		status = 1;
	}
	if (rc == 2)
		end_stopped(t, s);
	progress_end(p);
	if (t->flip.moves)
		progress_say(p,
			"x of a point and of its mirror image add up to %.2f px",
			m->flip_sum);
	else if (s->train.augment.find_sum)
		progress_say(p,
			"what x of a point and of its mirror image add up to was not "
			"found: the net has learnt too little, or faces are beside the "
			"middle");
	kf_model_note(m, "weights", "epoch %d", kf_trainer_finish(t));
	/* what follows is quick, and writes a whole model */
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
	return status;
}

int train_run(struct kf_net *net, struct kf_dataset *data, struct kf_model *m,
	struct settings *s, struct progress *p)
{
	uint64_t digest = data->digest;
	struct kf_trainer trainer;
	struct kf_err err;
	int status;

	if (s->keeps)
		digest = ranks_digest(s, digest);
	check(kf_dataset_shuffle(data, (uint32_t)s->train.seed, &err), &err);
	check(kf_trainer_open(&trainer, net, data, &s->train, &err), &err);
	status = run(&trainer, m, s, digest, p);
	kf_trainer_close(&trainer);
	return status;
}
