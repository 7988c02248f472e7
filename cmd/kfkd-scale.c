/* kfkd-scale: pixels to [0,1], targets to [-1,1], or back. */
#include "cli.h"
#include "rows/filter.h"

static const struct program program = {
	.name = "kfkd-scale",
	.synopsis = { "[-u] [-o OUT] [FILE]" },
	.about = "Scales pixels to [0,1] and targets to [-1,1].",
	.rows = {
		{ 'u', "undo",
			.help = "back to pixels of 0 to 255 and targets in pixels" },
	},
};

int main(int argc, char **argv)
{
	const struct kf_schema *schema;
	struct kf_schema scaled;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk, to = { 0 };
	struct kf_err err;
	struct options o;
	bool undo = false;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'u')
			undo = true;
	in = cli_reader(&o);
	schema = kf_reader_schema(in);
	check(undo ? kf_unscale_schema(schema, &scaled, &err) :
		     kf_scale_schema(schema, &scaled, &err),
		&err);
	output_begin(o.output);
	out = cli_writer(&scaled);
	while ((chunk = cli_next(in))) {
		check(undo ? kf_unscale_rows(schema, chunk, &scaled, &to, &err) :
			     kf_scale_rows(schema, chunk, &scaled, &to, &err),
			&err);
		cli_write(out, &to);
	}
	cli_end(out);
	kf_chunk_free(&to);
	kf_schema_free(&scaled);
	kf_reader_close(in);
	return output_finish();
}
