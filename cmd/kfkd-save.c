/* kfkd-save: a tensor stream as CSV in Kaggle's layouts, or as JSON lines. */
#include "cli.h"
#include "formats/save_csv.h"
#include "formats/save_json.h"
#include "formats/submission.h"
#include "rows/original.h"

enum { TRUTH = OPTION_NO_LETTER, NO_IMAGES, ORIGINAL, JSON };

static const struct program program = {
	.name = "kfkd-save",
	.synopsis = { "[-inp] [--truth] [--no-images | --original] [-o OUT] [FILE]",
		"--json [-p] [--original] [-o OUT] [FILE]", "-l TABLE [-o OUT] [FILE]" },
	.about = "Writes a tensor stream as CSV in Kaggle's layout, as JSON lines, or as\n"
		 "a submission.",
	.rows = {
		{ 'i', "ids",
			.help = "with a column ImageId, as where there are no targets" },
		{ 'n', "no-ids",
			.help = "without, even where rows do not count from 1" },
		{ 'p', "predictions", .help = "predictions in place of targets" },
		{ TRUTH, "truth", .help = "targets, each with its prediction beside it" },
		{ NO_IMAGES, "no-images", .help = "leave the images out" },
		{ ORIGINAL, "original",
			.help = "coordinates in the photographs that rows are from, without\n"
				"images" },
		{ JSON, "json",
			.help = "JSON lines: an object for each row, without its image" },
		{ 'l', "lookup", "TABLE",
			"a submission: what Kaggle's IdLookupTable.csv asks for",
			.kind = OPTION_FILE },
	},
};

/* As in Kaggle's files: test.csv has ids, training.csv has none. */
static enum kf_save_ids default_ids(const struct kf_schema *schema, bool predictions)
{
	return predictions || schema->columns.n ? KF_IDS_COUNTED : KF_IDS_ALWAYS;
}

/* The next rows, in their photographs where these are given. */
static struct kf_chunk *next_rows(struct kf_reader *in,
	const struct kf_original *original)
{
	struct kf_chunk *chunk = cli_next(in);
	struct kf_err err;

	if (chunk && original)
		check(kf_original_rows(original, chunk, &err), &err);
	return chunk;
}

static void save_csv(struct kf_reader *in, const struct kf_original *original,
	struct kf_save *save)
{
	struct kf_chunk *chunk;
	struct kf_err err;

	check(kf_save_header(save, &err), &err);
	while ((chunk = next_rows(in, original)))
		check(kf_save_rows(save, chunk, &err), &err);
	kf_save_free(save);
}

static void save_json(struct kf_reader *in, const struct kf_original *original,
	struct kf_save *save)
{
	struct kf_save_json *json;
	struct kf_chunk *chunk;
	struct kf_err err;

	json = kf_save_json_open(save, &err);
	must(json, &err);
	while ((chunk = next_rows(in, original)))
		check(kf_save_json_rows(json, chunk, &err), &err);
	kf_save_json_free(json);
}

/* Writes the predictions that the table asks for. */
static void save_submission(struct kf_reader *in, int table, const char *name)
{
	struct kf_submission *submission;
	struct kf_chunk *chunk;
	struct kf_err err;

	submission = kf_submission_open(table, name, kf_reader_schema(in), &err);
	must(submission, &err);
	while ((chunk = cli_next(in)))
		check(kf_submission_add(submission, chunk, &err), &err);
	check(kf_submission_write(submission, stdout, output_name(), &err), &err);
	kf_submission_free(submission);
}

/* Writes all rows, as save says. */
static void save_rows(struct kf_reader *in, struct kf_save *save, bool json,
	bool original)
{
	static char buffer[1 << 18];
	struct kf_schema photograph = { 0 };
	struct kf_original there = { 0 };
	struct kf_err err;

	save->file = stdout;
	save->name = output_name();
	save->schema = kf_reader_schema(in);
	if (original) {
		check(kf_original_open(&there, save->schema, &photograph, &err), &err);
		save->schema = &photograph;
	}
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	if (json)
		save_json(in, original ? &there : NULL, save);
	else
		save_csv(in, original ? &there : NULL, save);
	kf_original_free(&there);
	kf_schema_free(&photograph);
}

static void check_options(const struct options *o)
{
	static const int csv[] = { 'i', 'n', 'p', TRUTH, NO_IMAGES, ORIGINAL, JSON };
	size_t n = sizeof csv / sizeof *csv;
	bool ids = options_given(o, 'i') || options_given(o, 'n');

	for (size_t i = 0; i < n && options_given(o, 'l'); i++)
		if (options_given(o, csv[i]))
			misuse("--lookup does not go with --%s",
				options_name(o, csv[i]));
	if (ids && options_given(o, JSON))
		misuse("--json does not go with --ids or --no-ids: it always has ids");
}

int main(int argc, char **argv)
{
	struct options o;
	const char *lookup = NULL, *name, *table_name;
	struct kf_save save = { .ids = KF_IDS_COUNTED };
	struct kf_reader *in;
	int key, fd, table = -1;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 'i': save.ids = KF_IDS_ALWAYS; break;
		case 'n': save.ids = KF_IDS_NEVER; break;
		case 'p': save.predictions = true; break;
		case TRUTH: save.truth = save.predictions = true; break;
		case NO_IMAGES: save.no_images = true; break;
		case 'l': lookup = o.text; break;
		}
	check_options(&o);
	fd = cli_input(&o, &name);
	if (lookup)
		table = cli_open(lookup, &table_name);
	if (table == fd)
		misuse("standard input cannot be both table and stream");
	in = cli_stream(fd, name);
	output_begin(o.output);
	if (!options_given(&o, 'i') && !options_given(&o, 'n'))
		save.ids = default_ids(kf_reader_schema(in), save.predictions);
	if (lookup)
		save_submission(in, table, table_name);
	else
		save_rows(in, &save, options_given(&o, JSON),
			options_given(&o, ORIGINAL));
	kf_reader_close(in);
	return output_finish();
}
