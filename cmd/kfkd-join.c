/* kfkd-join: targets and labels for the rows of a stream, from a CSV. */
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats/join.h"

static const struct program program = {
	.name = "kfkd-join",
	.synopsis = { "-t TABLE [-c A,B,...] [-k] [-o OUT] [FILE]" },
	.about = "Gives the rows of a tensor stream targets and labels from a CSV, by id or name.",
	.rows = {
		{ 't', "table", "TABLE",
			"CSV with the column id, ImageId, name or file; label is a class,\n"
			"others are targets in pixels",
			.kind = OPTION_FILE },
		{ 'c', "columns", "A,B,...", "of its targets, these alone (all)",
			.kind = OPTION_TEXT },
		{ 'k', "keep", .help = "keep rows that it lacks as they are, not an error" },
	},
};

static void read_table(struct kf_join *join, const char *operand,
	const struct kf_names *only)
{
	struct kf_err err;
	const char *name;
	int fd = cli_open(operand, &name);

	check(kf_join_read(join, fd, name, only, &err), &err);
	close(fd);
}

static void set_columns(struct kf_names *only, const char *text)
{
	struct kf_err err;

	kf_names_free(only);
	if (kf_names_split(only, text, &err) == 0)
		return;
	if (err.memory)
		die("%s", err.msg);
	misuse("--columns: %s", err.msg);
}

int main(int argc, char **argv)
{
	struct kf_join join = { .keep = false };
	struct kf_names only = { 0 };
	struct kf_schema joined;
	struct kf_chunk *chunk, rows;
	const char *table = NULL;
	struct kf_reader *in;
	struct kf_writer *out;
	struct options o;
	struct kf_err err;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 't': table = o.text; break;
		case 'c': set_columns(&only, o.text); break;
		case 'k': join.keep = true; break;
		}
	if (!table)
		misuse("no table; give --table TABLE");
	if (!strcmp(table, "-") && !strcmp(o.operands[0], "-"))
		misuse("the table and the stream are both standard input");
	in = cli_reader(&o);
	join.class_names = &kf_reader_schema(in)->class_names;
	read_table(&join, table, &only);
	check(kf_join_schema(&join, kf_reader_schema(in), &joined, &err), &err);
	output_begin(o.output);
	out = cli_writer(&joined);
	while ((chunk = cli_next(in))) {
		check(kf_join_rows(&join, kf_reader_schema(in), chunk, &joined, &rows,
			      &err),
			&err);
		cli_write(out, &rows);
	}
	cli_end(out);
	kf_reader_close(in);
	kf_schema_free(&joined);
	kf_join_free(&join);
	kf_names_free(&only);
	return output_finish();
}
