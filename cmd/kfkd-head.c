/* kfkd-head: the first rows of a stream. */
#include "cli.h"

static const struct program program = {
	.name = "kfkd-head",
	.synopsis = { "[-n N] [-o OUT] [FILE]" },
	.about = "Passes on the first rows of a tensor stream.",
	.rows = {
		{ 'n', "rows", "N", "how many (16)", OPTION_INT, .max = INT64_MAX },
	},
};

int main(int argc, char **argv)
{
	struct options o;
	unsigned long long left = 16;
	struct kf_reader *in;
	struct kf_writer *out;
	struct kf_chunk *chunk;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'n')
			left = (unsigned long long)o.number;
	in = cli_reader(&o);
	output_begin(o.output);
	out = cli_writer(kf_reader_schema(in));
	while (left > 0 && (chunk = cli_next(in))) {
		if (chunk->n > left)
			chunk->n = left;
		left -= chunk->n;
		cli_write(out, chunk);
	}
	cli_end(out);
	kf_reader_close(in);
	return output_finish();
}
