/* What kfkd-train prints: layers, the table of epochs, the time left. */
#include "progress.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "listing.h"

#define BLUE "\033[94m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"
#define PAUSE 0.2 /* seconds from a line with batches to the next */
#define CLEAR_LINE "\r\033[K"

void progress_start(struct progress *p, bool quiet, int epochs, bool classify,
	double pixels)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	*p = (struct progress){ .quiet = quiet,
		.epochs = epochs,
		.classify = classify,
		.pixels = pixels };
	p->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
	p->colour = p->terminal && !(no_colour && *no_colour);
}

void progress_say(const struct progress *p, const char *fmt, ...)
{
	va_list ap;

	if (p->quiet)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* -- layers -------------------------------------------------------------------- */

void progress_layers(const struct progress *p, const struct kf_layers *l)
{
	if (!p->quiet)
		list_layers(stderr, l);
}

/* -- the table ----------------------------------------------------------------- */

void progress_head(struct progress *p)
{
	p->since = kf_seconds();
	progress_say(p,
		"\n Epoch  |  Train loss  |  Valid loss  |  Train / Val  |%s|  Dur\n"
		"--------|--------------|--------------|---------------|%s|-------",
		p->classify ? "  Valid acc  " : "    px     ",
		p->classify ? "-------------" : "-----------");
}

/* A value in its column, coloured if it is the best so far. */
static void print_value(const struct progress *p, float v, bool best,
	const char *colour)
{
	bool paint = best && p->colour;

	fprintf(stderr, "  |  %s%10.6f%s", paint ? colour : "", v, paint ? PLAIN : "");
}

/* When so many seconds of the epoch after one have passed. */
static void print_left(const struct progress *p, int epoch, double passed)
{
	double seconds = p->seconds / p->done * (p->epochs - epoch) - passed;
	long long left = seconds > 0 ? (long long)(seconds + 0.5) : 0;

	if (left >= 3600)
		fprintf(stderr, ", %lld:%02lld:%02lld left", left / 3600,
			left / 60 % 60, left % 60);
	else
		fprintf(stderr, ", %lld:%02lld left", left / 60, left % 60);
}

void progress_batch(struct progress *p, int epoch, size_t done, size_t batches)
{
	double now;

	if (!p->terminal || p->quiet)
		return;
	now = kf_seconds();
	if (now - p->since < 1 || now - p->told < PAUSE)
		return;
	p->told = now;
	progress_clear(p);
	fprintf(stderr, "epoch %d of %d, ", epoch, p->epochs);
	if (done < batches)
		fprintf(stderr, "batch %zu of %zu", done + 1, batches);
	else
		fputs("validating", stderr);
	if (p->done)
		print_left(p, epoch - 1, now - p->since);
}

void progress_row(struct progress *p, const struct kf_epoch *e)
{
	p->seconds += e->seconds;
	p->done++;
	p->since = kf_seconds();
	if (e->best_valid) {
		p->best_epoch = e->epoch;
		p->best_loss = e->valid_loss;
	}
	if (p->quiet)
		return;
	progress_clear(p);
	fprintf(stderr, "%6d", e->epoch);
	print_value(p, e->train_loss, e->best_train, BLUE);
	print_value(p, e->valid_loss, e->best_valid, GREEN);
	fprintf(stderr, "  |  %11.6f", e->train_loss / e->valid_loss);
	if (p->classify)
		fprintf(stderr, "  |  %8.2f%%", 100 * e->accuracy);
	else
		fprintf(stderr, "  |  %7.3f", progress_pixels(p, e));
	fprintf(stderr, "  |  %.2fs\n", e->seconds);
	if (!p->terminal || e->epoch == p->epochs)
		return;
	fprintf(stderr, "epoch %d of %d", e->epoch, p->epochs);
	print_left(p, e->epoch, 0);
}

double progress_pixels(const struct progress *p, const struct kf_epoch *e)
{
	float loss = isnan(e->valid_loss) ? e->train_loss : e->valid_loss;

	return p->classify ? NAN : p->pixels * sqrt(loss);
}

void progress_best(struct progress *p, int epoch, float loss)
{
	if (!isfinite(loss))
		return;
	p->best_epoch = epoch;
	p->best_loss = loss;
}

void progress_clear(const struct progress *p)
{
	if (p->terminal && !p->quiet)
		fputs(CLEAR_LINE, stderr);
}

void progress_end(const struct progress *p)
{
	if (p->best_epoch && p->classify)
		progress_say(p, "\nbest valid loss %.6f in epoch %d, %.1f s in all",
			p->best_loss, p->best_epoch, p->seconds);
	else if (p->best_epoch)
		progress_say(p,
			"\nbest valid loss %.6f in epoch %d (RMSE %.3f px), "
			"%.1f s in all",
			p->best_loss, p->best_epoch, p->pixels * sqrt(p->best_loss),
			p->seconds);
}
