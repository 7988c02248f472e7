/*
 * The table of kfkd-stat --table: a row a model.  First what every model has, then a column
 * for each note that any of them has, in the order in which they are met.
 */
#define _GNU_SOURCE
#include "stat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "net/model.h"

struct row {
	const char *file;
	struct kf_model model;
};

static void read_row(struct row *row, const char *operand)
{
	struct kf_source src = { 0 };
	struct kf_st st;
	struct kf_err err;

	src.fd = cli_open(operand, &src.name);
	row->file = src.name;
	cli_header(&st, &src);
	check(kf_model_from(&row->model, &st, "", &err), &err);
	close(src.fd);
}

/* The keys of all notes; the values stay empty. */
static struct kf_meta all_notes(const struct row *row, int n)
{
	struct kf_meta keys = { 0 };

	for (int i = 0; i < n; i++)
		for (int j = 0; j < row[i].model.notes.n; j++)
			kf_meta_set(&keys, row[i].model.notes.key[j], "%s", "");
	if (keys.incomplete)
		die("out of memory");
	return keys;
}

static int least(const float *loss /* (n) */, int n)
{
	int best = -1;

	for (int i = 0; i < n; i++)
		if (!isnan(loss[i]) && (best < 0 || loss[i] < loss[best]))
			best = i;
	return best;
}

int stat_best_epoch(const struct kf_model *m)
{
	int best = least(m->valid_loss, m->epochs);

	return best < 0 ? least(m->train_loss, m->epochs) : best;
}

/* A field that is there in any case, whatever a file has put into it. */
static void print_text(const char *text)
{
	printf("\t%s", text && *text ? visible(text) : "-");
}

static void print_number(const char *format, double v)
{
	char text[64];

	snprintf(text, sizeof text, format, v);
	print_text(isnan(v) ? NULL : text);
}

static void print_row(const struct row *row, const struct kf_meta *keys,
	const char *suffix)
{
	const struct kf_model *m = &row->model;
	int best = stat_best_epoch(m);
	double valid = best < 0 ? NAN : m->valid_loss[best];

	printf("%s\t%d", visible(row->file), m->epochs);
	print_number("%.0f", best < 0 ? NAN : best + 1);
	print_number("%.9g", valid);
	print_number("%.3f", m->classify ? NAN : kf_model_pixels(m) * sqrt(valid));
	print_number("%.9g", best < 0 ? NAN : m->train_loss[best]);
	print_number("%.9g", suffix ? stat_seconds(row->file, suffix, m->epochs) : NAN);
	print_text(m->net);
	for (int i = 0; i < keys->n; i++)
		print_text(kf_meta_get(&m->notes, keys->key[i]));
	printf("\n");
}

void stat_table(char **operands, int n, const char *suffix)
{
	struct row *row = calloc((size_t)n, sizeof *row);
	struct kf_meta keys;

	must_alloc(row);
	for (int i = 0; i < n; i++)
		read_row(&row[i], operands[i]);
	keys = all_notes(row, n);
	printf("file\tepochs\tbest_epoch\tvalid_loss\tpx\ttrain_loss\tseconds\tnet");
	for (int i = 0; i < keys.n; i++)
		printf("\ttrain.%s", visible(keys.key[i]));
	printf("\n");
	for (int i = 0; i < n; i++) {
		print_row(&row[i], &keys, suffix);
		kf_model_free(&row[i].model);
	}
	kf_meta_free(&keys);
	free(row);
}
