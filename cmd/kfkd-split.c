/* kfkd-split: divides rows in two by chance. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats/groups.h"
#include "rows/split.h"

enum { BY = OPTION_NO_LETTER };

static const char *by_word(int i)
{
	static const char *const words[] = { "name", "file", NULL };

	return words[i];
}

static const struct program program = {
	.name = "kfkd-split",
	.synopsis = { "--share F [-g GROUPS | --by WHAT] [-s N] [-r REST] [-o OUT] [FILE]",
		"--fold I/K [-g GROUPS | --by WHAT] [-s N] [-r REST] [-o OUT] [FILE]" },
	.about = "Passes on a part of a tensor stream's rows, drawn by chance, and writes the rest\n"
		 "to a file.",
	.rows = {
		{ 'S', "share", "F", "pass on each row with this chance, such as 0.8",
			OPTION_REAL, .low = 0, .high = 1 },
		{ 'k', "fold", "I/K", "pass on the I-th of K folds, such as 2/5",
			.kind = OPTION_TEXT },
		{ 'g', "groups", "FILE",
			"a CSV with the columns id or name, and group: keep rows of a group\n"
			"together",
			.kind = OPTION_FILE },
		{ BY, "by", "WHAT",
			"%s: keep rows of the same name, or photograph, together",
			OPTION_WORD, .word = by_word },
		{ 's', "seed", "N", "of the random numbers (42)", OPTION_INT,
			.max = INT64_MAX },
		{ 'r', "rest", "FILE", "write the other rows to a file (drop them)",
			.kind = OPTION_FILE },
	},
};

/* What the command line asks for. */
struct job {
	struct kf_split split;
	struct kf_groups groups;
	const char *groups_name; /* of the operand, or NULL */
	bool grouped;            /* rows of the same name or file are a group */
	enum kf_key_kind by;     /* what rows go by */
	const char *rest_name;   /* likewise */
	const struct kf_schema *schema;
	bool *taken; /* (room) of the current chunk */
	size_t room;
	struct kf_writer *out, *rest; /* rest may be NULL */
	struct kf_chunk other;        /* rows for the rest */
};

static void set_fold(struct kf_split *s, const char *text)
{
	struct kf_err err;

	if (kf_split_fold(s, text, &err) < 0)
		misuse("--fold: %s", err.msg);
}

static void set_key(struct job *job, const char *text)
{
	job->grouped = true;
	job->by = !strcmp(text, "file") ? KF_BY_FILE : KF_BY_NAME;
	if (strcmp(text, kf_key_column(job->by)))
		misuse("--by: '%s' is neither 'name' nor 'file'", text);
}

static void read_options(struct options *o, struct job *job)
{
	int key;

	while ((key = options_next(o)))
		switch (key) {
		case 'S': job->split.share = o->real; break;
		case 'k': set_fold(&job->split, o->text); break;
		case 'g': job->groups_name = o->text; break;
		case BY: set_key(job, o->text); break;
		case 's': job->split.seed = (uint64_t)o->number; break;
		case 'r': job->rest_name = o->text; break;
		}
	if (options_given(o, 'S') == options_given(o, 'k'))
		misuse("give either --share or --fold");
	if (job->grouped && job->groups_name)
		misuse("give either --groups or --by");
	if (job->rest_name && o->output && !strcmp(job->rest_name, o->output))
		misuse("--rest and --output are the same file: '%s'", o->output);
	if (job->rest_name && !strcmp(job->rest_name, "-"))
		misuse("--rest is a file; what goes to standard output is the other part");
	if (job->groups_name && !strcmp(job->groups_name, "-") &&
		!strcmp(o->operands[0], "-"))
		misuse("--groups and the stream are both standard input");
}

static void read_groups(struct job *job)
{
	struct kf_err err;
	int fd;

	if (job->groups_name) {
		fd = cli_open(job->groups_name, &job->groups_name);
		check(kf_groups_read(&job->groups, fd, job->groups_name, &err), &err);
		close(fd);
		job->by = job->groups.by;
	}
	if (job->groups_name || job->grouped)
		check(kf_key_check(job->by, job->schema, &err), &err);
}

static void open_rest(struct job *job)
{
	struct kf_err err;
	int fd;

	if (!job->rest_name)
		return;
	fd = output_also(job->rest_name);
	job->rest = kf_writer_open(fd, job->rest_name, job->schema, &err);
	must(job->rest, &err);
}

/* What says on which side a row is: its group, or itself.  A name that is a group gives
 * what a table with that group would. */
static uint64_t side_of(const struct job *job, const struct kf_chunk *c, size_t row)
{
	char text[KF_TEXT_MAX + 1], what[KF_KEY_TEXT];
	struct kf_key key = kf_key_of_row(job->by, job->schema, c, row, text);
	uint64_t group;

	if (job->grouped && !*text)
		die("the row with id %lld has no %s", (long long)c->id[row],
			kf_key_column(job->by));
	if (job->grouped)
		return kf_group_number(text, strlen(text));
	if (!job->groups_name)
		return (uint64_t)key.id;
	if (kf_groups_find(&job->groups, &key, &group) < 0) {
		kf_key_print(&key, job->by, what);
		die("'%s' has no group for the row with %s", job->groups_name, what);
	}
	return group;
}

static void pass_on(struct job *job, struct kf_chunk *chunk)
{
	struct kf_err err;

	if (chunk->n > job->room) {
		job->room = chunk->n;
		job->taken = realloc(job->taken, job->room * sizeof *job->taken);
		must_alloc(job->taken);
	}
	for (size_t i = 0; i < chunk->n; i++)
		job->taken[i] = kf_split_takes(&job->split, side_of(job, chunk, i));
	job->other.n = 0;
	check(kf_split_rows(chunk, job->taken, &job->other, job->schema, &err), &err);
	cli_write(job->out, chunk);
	if (job->rest)
		cli_write(job->rest, &job->other);
}

int main(int argc, char **argv)
{
	struct job job = { .split = { .seed = 42 }, .by = KF_BY_ID };
	struct options o;
	struct kf_reader *in;
	struct kf_chunk *chunk;

	options_begin(&o, &program, argc, argv);
	read_options(&o, &job);
	in = cli_reader(&o);
	job.schema = kf_reader_schema(in);
	read_groups(&job);
	output_begin(o.output);
	job.out = cli_writer(job.schema);
	open_rest(&job);
	while ((chunk = cli_next(in)))
		pass_on(&job, chunk);
	cli_end(job.out);
	if (job.rest)
		cli_end(job.rest);
	kf_chunk_free(&job.other);
	free(job.taken);
	kf_groups_free(&job.groups);
	kf_reader_close(in);
	return output_finish();
}
