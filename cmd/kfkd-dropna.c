/* kfkd-dropna: drops the rows that have a missing target. */
#include "cli.h"
#include "rows/filter.h"

static const struct program program = {
	.name = "kfkd-dropna",
	.synopsis = { "[-o OUT] [FILE]" },
	.about = "Drops the rows of a tensor stream that have a missing target.",
};

int main(int argc, char **argv)
{
	struct options o;
	const struct kf_schema *schema;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk;

	options_begin(&o, &program, argc, argv);
	options_next(&o); /* there are only those of all programs */
	in = cli_reader(&o);
	schema = kf_reader_schema(in);
	if (!schema->columns.n)
		die("the stream has no targets, so none is missing");
	output_begin(o.output);
	out = cli_writer(schema);
	while ((chunk = cli_next(in))) {
		kf_drop_missing(chunk, schema);
		cli_write(out, chunk);
	}
	cli_end(out);
	kf_reader_close(in);
	return output_finish();
}
