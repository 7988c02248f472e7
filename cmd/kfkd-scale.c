/* kfkd-scale: pixels to [0,1], targets to [-1,1], or back. */
#include "cli.h"
#include "rows/filter.h"

enum { BYTES = OPTION_NO_LETTER };

static const struct program program = {
	.name = "kfkd-scale",
	.synopsis = { "[--bytes] [-o OUT] [FILE]", "-u [-o OUT] [FILE]" },
	.about = "Scales pixels to [0,1] and targets to [-1,1].",
	.rows = {
		{ BYTES, "bytes",
			.help = "leave pixels as bytes, which stand for v / 255" },
		{ 'u', "undo",
			.help = "back to pixels of 0 to 255 and targets in pixels" },
	},
};

/* Pixels from elsewhere may have been scaled without a word of it; floats between 0 and
 * 1 surely were, while bytes may be a dark or a black and white picture. */
static void check_range(const struct kf_schema *schema, const struct kf_chunk *chunk)
{
	if (!kf_looks_scaled(schema, chunk))
		return;
	if (schema->dtype == KF_F32)
		die("the pixels are from 0 to 1, so they are scaled already, but there "
		    "is no X.scale; they should be from 0 to 255");
	warn("the pixels are 0 and 1 only, and should be from 0 to 255; were they "
	     "scaled before they became U8?");
}

int main(int argc, char **argv)
{
	const struct kf_schema *schema;
	struct kf_schema scaled;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk, to = { 0 };
	struct kf_err err;
	struct options o;
	bool undo = false, bytes = false, first = true;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 'u': undo = true; break;
		case BYTES: bytes = true; break;
		}
	if (undo && bytes)
		misuse("--bytes does not go with --undo, which always writes bytes");
	in = cli_reader(&o);
	schema = kf_reader_schema(in);
	check(undo ? kf_unscale_schema(schema, &scaled, &err) :
		     kf_scale_schema(schema, bytes, &scaled, &err),
		&err);
	output_begin(o.output);
	out = cli_writer(&scaled);
	while ((chunk = cli_next(in))) {
		if (first && !undo)
			check_range(schema, chunk);
		first = false;
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
