/* kfkd-select: rows by what they are, columns by their names. */
#include "cli.h"
#include "rows/select.h"

static int columns_of(int fd, struct kf_names *columns)
{
	struct kf_err err;
	struct kf_reader *in = kf_reader_open_eager(fd, "", &err);
	const struct kf_schema *s;
	int rc = -1;

	if (in) {
		s = kf_reader_schema(in);
		rc = kf_names_copy(columns, s->columns.n ? &s->columns : &s->p_columns);
		kf_reader_close(in);
	}
	return rc;
}

static const struct program program = {
	.name = "kfkd-select",
	.synopsis = { "[-i RANGES] [-w CONDITION ...] [-c A,B,...] [OPTION ...] [FILE]" },
	.about = "Passes on the rows of a tensor stream that fulfil all that is asked for, with the\n"
		 "columns that are.  RANGES are numbers such as 3,7,10-20, 5- or -9.",
	.rows = {
		{ .help = "Rows:" },
		{ 'i', "id", "RANGES", "with these ids",
			.kind = OPTION_TEXT },
		{ 'r', "rows", "RANGES", "at these places, counted from 1",
			.kind = OPTION_TEXT },
		{ 'l', "label", "RANGES", "with these labels",
			.kind = OPTION_TEXT },
		{ OPTION_NO_LETTER, "complete", .help = "with all of their targets" },
		{ OPTION_NO_LETTER + 1, "missing", .help = "without one of them" },
		{ 'w', "where", "CONDITION",
			"such as 'rmse>5', label=3, 'p.nose_tip_x<=40.5' or\n"
			"nose_tip_x=missing; several are all required",
			.kind = OPTION_TEXT },
		{ 'v', "invert", .help = "the rows that are not chosen" },
		{ .help = "Columns:" },
		{ 'c', "columns", "A,B,...",
			"these, in this order, by name or pattern: '*_eye_*'",
			.kind = OPTION_COLUMNS },
		{ .help = "Output:" },
	},
	.columns = columns_of,
};

enum { COMPLETE = OPTION_NO_LETTER, MISSING };

/* Ends the program where an option's argument is not what it should be. */
static void usable(int rc, const struct kf_err *err, const struct options *o, int key)
{
	if (rc < 0 && err->memory)
		die("%s", err->msg);
	if (rc < 0)
		misuse("--%s: %s", options_name(o, key), err->msg);
}

static void set_option(const struct options *o, int key, struct kf_select *s,
	struct kf_names *patterns)
{
	struct kf_err err;
	int rc = 0;

	switch (key) {
	case 'i': rc = kf_ranges_add(&s->ids, o->text, 0, &err); break;
	case 'r': rc = kf_ranges_add(&s->places, o->text, 1, &err); break;
	case 'l': rc = kf_ranges_add(&s->labels, o->text, 0, &err); break;
	case COMPLETE: s->complete = true; break;
	case MISSING: s->missing = true; break;
	case 'w': rc = kf_where_add(&s->where, o->text, &err); break;
	case 'v': s->invert = true; break;
	case 'c':
		kf_names_free(patterns);
		rc = kf_names_split(patterns, o->text, &err);
		break;
	}
	usable(rc, &err, o, key);
}

int main(int argc, char **argv)
{
	struct kf_select select = { .invert = false };
	struct kf_names patterns = { 0 };
	struct kf_columns columns = { .y = NULL };
	const struct kf_schema *schema;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk;
	struct options o;
	struct kf_err err;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		set_option(&o, key, &select, &patterns);
	if (select.complete && select.missing)
		misuse("--complete and --missing: no row is both");
	in = cli_reader(&o);
	schema = kf_reader_schema(in);
	check(kf_select_begin(&select, schema, &err), &err);
	if (patterns.n)
		check(kf_columns_init(&columns, schema, &patterns, &err), &err);
	output_begin(o.output);
	out = cli_writer(patterns.n ? &columns.schema : schema);
	while ((chunk = cli_next(in))) {
		check(kf_select_rows(&select, schema, chunk, &err), &err);
		if (patterns.n)
			kf_columns_keep(&columns, chunk);
		cli_write(out, chunk);
	}
	cli_end(out);
	kf_reader_close(in);
	kf_columns_free(&columns);
	kf_names_free(&patterns);
	kf_select_free(&select);
	return output_finish();
}
