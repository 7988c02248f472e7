/* A run of kfkd-train: epochs, checkpoints, and signals that end it. */
#define _GNU_SOURCE
#include "train_run.h"

#include <signal.h>
#include <time.h>

#include "base/signals.h"
#include "cli.h"
#include "train/checkpoint.h"

/*
 * Signals that end a run are blocked, and polled between batches.  A handler
 * would not do: oneDNN's matrix products use the stack pointer for purposes of
 * their own, and the frame of a signal delivered meanwhile overwrites the heap.
 */
static sigset_t ending;
static int end_signal; /* the one that arrived */

static bool stop(void)
{
	static const struct timespec at_once;
	int number = sigtimedwait(&ending, NULL, &at_once);

	if (number > 0)
		end_signal = number;
	return end_signal != 0;
}

/* The backend's threads start with the signals blocked, and keep them so. */
struct kf_backend *train_open_backend(const struct device *d)
{
	struct kf_backend *b;
	struct kf_err err;
	sigset_t before;

	kf_ending_signals(&ending);
	sigprocmask(SIG_BLOCK, &ending, &before);
	b = kf_backend_open(d->backend, &d->options, &err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	must(b, &err);
	return b;
}

/* Unless it is needed, a checkpoint may fail, as on a full disk: the run goes on. */
static void write_checkpoint(struct kf_trainer *t, struct kf_model *m,
	const struct settings *s, uint64_t digest, struct progress *p, bool needed)
{
	struct kf_err err;

	if (!s->checkpoint ||
		kf_checkpoint_write(s->checkpoint, t, m, digest, &err) == 0)
		return;
	progress_clear(p);
	if (needed)
		die("%s", err.msg);
	warn("%s; training goes on", err.msg);
}

static void run(struct kf_trainer *t, struct kf_model *m, const struct settings *s,
	uint64_t digest, struct progress *p)
{
	struct kf_epoch e;
	struct kf_err err;
	int rc;

	if (s->resume) {
		check(kf_checkpoint_read(s->resume, t, m, digest, &err), &err);
		progress_say(p, "resumed after epoch %d", t->epoch);
		progress_best(p, t->best_epoch, t->best_valid);
	}
	write_checkpoint(t, m, s, digest, p, true); /* can it be written at all? */
	sigprocmask(SIG_BLOCK, &ending, NULL);
	progress_head(p);
	while ((rc = kf_trainer_epoch(t, &e, stop, &err)) == 1) {
		m->train_loss[m->epochs] = e.train_loss;
		m->valid_loss[m->epochs++] = e.valid_loss;
		progress_row(p, &e);
		if (t->epoch % s->every == 0 && t->epoch < t->options.epochs)
			write_checkpoint(t, m, s, digest, p, false);
	}
	progress_clear(p);
	check(rc, &err);
	write_checkpoint(t, m, s, digest, p, true);
	if (rc == 2 && s->checkpoint)
		warn("stopped in epoch %d; the same command with --resume %s goes on",
			t->epoch + 1, s->checkpoint);
	if (rc == 2)
		output_end_by_signal(end_signal);
	progress_end(p);
	kf_trainer_finish(t);
	/* what follows is quick, and writes a whole model */
	sigprocmask(SIG_UNBLOCK, &ending, NULL);
}

void train_run(struct kf_net *net, struct kf_dataset *data, struct kf_model *m,
	const struct settings *s, struct progress *p)
{
	uint64_t digest = s->checkpoint || s->resume ? kf_dataset_digest(data) : 0;
	struct kf_trainer trainer;
	struct kf_err err;

	check(kf_dataset_shuffle(data, (uint32_t)s->train.seed, &err), &err);
	check(kf_trainer_open(&trainer, net, data, &s->train, &err), &err);
	run(&trainer, m, s, digest, p);
	kf_trainer_close(&trainer);
}
