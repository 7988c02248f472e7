/*
 * Rows of CSV, read by libcsv: fields may be quoted in any way that RFC 4180
 * allows, and lines end in any way.  Lines with nothing in them are skipped.
 *
 * The first row is the header; each further row has as many fields, unless the
 * caller allows fewer.
 */
#ifndef KF_CSV_ROWS_H
#define KF_CSV_ROWS_H

#include <csv.h>
#include <stdbool.h>

#include "formats/lines.h"

/* Takes a field of the row; text has len bytes, none of them NUL, and a NUL
 * after them.  Fields beyond those of the header are not passed on. */
typedef int kf_csv_take(void *user, int field, char *text, size_t len,
	struct kf_err *err);

struct kf_csv {
	struct kf_lines lines;
	size_t most;      /* bytes that a row may have; the caller sets it, */
	const char *hint; /* and what to append to the message about more */
	int columns;      /* of the header; 0 before it was read */
	/* The caller may set this after the header: a row then needs only so many
	 * fields, and further ones may be anything, or empty beyond the header's. */
	int least;
	/* The current row. */
	uint64_t first_line, last_line;
	int field; /* how many it has; after a failure which one failed, or -1 */
	/* private */
	struct csv_parser parser;
	kf_csv_take *take;
	void *user;
	size_t bytes; /* of the row, given to libcsv so far */
	bool whole, failed;
	bool beyond;        /* a field beyond the header's is not empty */
	struct kf_err *err; /* of the current call, for libcsv's callbacks */
};

/* in and user stay the caller's and outlive c, which the caller closes even if
 * this fails. */
int kf_csv_open(struct kf_csv *c, struct kf_input *in, kf_csv_take *take, void *user,
	struct kf_err *err);

/* Reads ahead until the first line of the next row is complete at in->at.
 * Returns its length, 0 at the end of the input, or -1. */
ssize_t kf_csv_peek(struct kf_csv *c, struct kf_err *err);

/* Reads a row: 1, 0 at the end of the input, -1. */
int kf_csv_row(struct kf_csv *c, struct kf_err *err);

void kf_csv_close(struct kf_csv *c);

/*
 * Reads a whole table, in rows of at most so many bytes: opens c on in, has read_rows(user)
 * read them, and closes c.  A failure of read_rows gets the line as its place.  0 or -1.
 */
int kf_csv_table(struct kf_csv *c, struct kf_input *in, size_t most, kf_csv_take *take,
	int (*read_rows)(void *user, struct kf_err *err), void *user,
	struct kf_err *err);

/*
 * For a header that lacks a column, of which name is the only or first one: what
 * to append to the message where it looks separated by something other than
 * commas, else "".
 */
const char *kf_csv_separator_hint(const char *name);

#endif
