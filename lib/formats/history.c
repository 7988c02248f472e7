/* The log of a training run. */
#define _GNU_SOURCE
#include "formats/history.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/lines.h"

#define LINE_MAX_BYTES 4096

enum { EPOCH, TRAIN, VALID, PX, SECONDS, COLUMNS };

static const char *const column[COLUMNS] = { "epoch", "train", "valid", "px",
	"seconds" };
#define NEEDED PX /* the columns before this one */

struct table {
	struct kf_history *history;
	int room;        /* epochs that there is memory for */
	int at[COLUMNS]; /* in a line, or -1 */
	double spent;    /* seconds up to this line */
	double most_px;  /* of the epoch that pixels is from */
};

/* A model's first eight bytes are a number below 2^20; text has no such bytes. */
int kf_history_claims(int fd, const char *name, struct kf_err *err)
{
	char first[8];
	off_t at = lseek(fd, 0, SEEK_CUR);
	ssize_t n = pread(fd, first, sizeof first, at);

	if (at < 0 || n < 0)
		return kf_fail_errno(err, "cannot read '%s'", name);
	if (n == 0)
		return kf_fail(err, "'%s' is empty: there is no epoch in it so far",
			name);
	return !memchr(first, '\0', (size_t)n);
}

/* -- lines ----------------------------------------------------------------------- */

/* The next line without its end, as text: 1, 0 where none is complete, or -1. */
static int next_line(struct kf_lines *lines, char text[LINE_MAX_BYTES + 1],
	struct kf_err *err)
{
	ssize_t n = kf_lines_whole(lines, LINE_MAX_BYTES, err);
	const char *line = lines->in->at;
	size_t length;

	if (n < 0)
		return -1;
	if (n > LINE_MAX_BYTES)
		return kf_fail(err, "the line is longer than %d bytes", LINE_MAX_BYTES);
	if (n == 0 || (line[n - 1] != '\n' && line[n - 1] != '\r'))
		return 0;
	length = strcspn(line, "\r\n");
	if (memchr(line, '\0', (size_t)n))
		return kf_fail(err, "the line holds a NUL byte");
	memcpy(text, line, length);
	text[length] = '\0';
	kf_lines_use(lines, (size_t)n);
	return 1;
}

static int take_header(struct table *t, char *text, struct kf_err *err)
{
	int field = 0;

	for (int i = 0; i < COLUMNS; i++)
		t->at[i] = -1;
	for (char *name; (name = strsep(&text, "\t")); field++)
		for (int i = 0; i < COLUMNS; i++)
			if (!strcmp(name, column[i]) && t->at[i] < 0)
				t->at[i] = field;
	for (int i = 0; i < NEEDED; i++)
		if (t->at[i] < 0)
			return kf_fail(err,
				"there is no column '%s': it is neither a model nor a "
				"run's log",
				column[i]);
	return 0;
}

static int take_value(const char *text, const char *name, double *value,
	struct kf_err *err)
{
	char *end;

	*value = NAN;
	if (!*text || !strcmp(text, "-"))
		return 0;
	*value = strtod(text, &end);
	if (end == text || *end)
		return kf_fail(err, "'%.32s' in column '%s' is not a number", text,
			name);
	return 0;
}

/* Makes room for epochs up to this one; those in between have no losses. */
static int reach(struct table *t, int epochs, struct kf_err *err)
{
	struct kf_history *h = t->history;

	if (epochs > t->room) {
		size_t room = (size_t)epochs * 2;
		float *train = realloc(h->train, room * sizeof *train), *valid;
		double *seconds;

		h->train = train ? train : h->train;
		valid = realloc(h->valid, room * sizeof *valid);
		h->valid = valid ? valid : h->valid;
		seconds = realloc(h->seconds, room * sizeof *seconds);
		h->seconds = seconds ? seconds : h->seconds;
		if (!train || !valid || !seconds)
			return kf_fail_memory(err);
		t->room = (int)room;
	}
	for (; h->epochs < epochs; h->epochs++) {
		h->train[h->epochs] = h->valid[h->epochs] = NAN;
		h->seconds[h->epochs] = t->spent;
	}
	return 0;
}

static int take_epoch(struct table *t, const double value[COLUMNS], struct kf_err *err)
{
	struct kf_history *h = t->history;
	double epoch = value[EPOCH];
	int i;

	if (!(epoch >= 1 && epoch <= KF_HISTORY_EPOCHS && epoch == floor(epoch)))
		return kf_fail(err, "the epoch is no whole number from 1 to %d",
			KF_HISTORY_EPOCHS);
	if (epoch <= h->epochs)
		return kf_fail(err, "epoch %.0f comes after epoch %d", epoch,
			h->epochs);
	i = (int)epoch - 1;
	if (reach(t, i + 1, err) < 0)
		return -1;
	h->train[i] = (float)value[TRAIN];
	h->valid[i] = (float)value[VALID];
	h->seconds[i] = t->spent += value[SECONDS];
	/* the largest is written with the most digits */
	if (value[PX] > t->most_px && value[VALID] > 0 && isfinite(value[PX])) {
		t->most_px = value[PX];
		h->pixels = value[PX] / sqrt(value[VALID]);
	}
	return 0;
}

static int take_line(struct table *t, char *text, struct kf_err *err)
{
	double value[COLUMNS];
	int field = 0;

	for (int i = 0; i < COLUMNS; i++)
		value[i] = NAN;
	for (char *word; (word = strsep(&text, "\t")); field++)
		for (int i = 0; i < COLUMNS; i++)
			if (t->at[i] == field &&
				take_value(word, column[i], &value[i], err) < 0)
				return -1;
	return take_epoch(t, value, err);
}

/* -- the whole ------------------------------------------------------------------- */

static int read_lines(struct table *t, struct kf_lines *lines, const char *name,
	struct kf_err *err)
{
	char text[LINE_MAX_BYTES + 1];
	bool header = true;
	int rc;

	for (;;) {
		unsigned long long number = lines->next;

		rc = next_line(lines, text, err);
		if (rc > 0)
			rc = header   ? take_header(t, text, err) :
				*text ? take_line(t, text, err) :
					0;
		else if (rc == 0)
			break;
		if (rc < 0)
			return kf_place(err, "'%s', line %llu", name, number);
		header = false;
	}
	if (t->history->epochs == 0)
		return kf_fail(err, "'%s' has no epoch so far", name);
	return 0;
}

int kf_history_read(struct kf_history *h, int fd, const char *name, struct kf_err *err)
{
	struct table t = { .history = h };
	struct kf_lines lines;
	struct kf_input in;
	int rc;

	*h = (struct kf_history){ 0 };
	if (kf_input_open(&in, fd, name, err) < 0)
		return -1;
	rc = kf_lines_open(&lines, &in, err);
	if (rc == 0)
		rc = read_lines(&t, &lines, name, err);
	kf_input_close(&in);
	if (rc < 0)
		kf_history_free(h);
	return rc;
}

void kf_history_free(struct kf_history *h)
{
	free(h->train);
	free(h->valid);
	free(h->seconds);
	*h = (struct kf_history){ 0 };
}
