/* kfkd-head: the first rows of a stream, or all but the last. */
#include "cli.h"
#include "rows/last.h"

static const struct program program = {
	.name = "kfkd-head",
	.synopsis = { "[-n N] [-o OUT] [FILE]" },
	.about = "Passes on the first rows of a tensor stream.",
	.rows = {
		{ 'n', "rows", "N", "how many (16); with a minus, all but the last N",
			OPTION_INT, .min = -INT64_MAX, .max = INT64_MAX },
	},
};

static void pass_first(struct kf_reader *in, struct kf_writer *out, uint64_t left)
{
	struct kf_chunk *chunk;

	while (left > 0 && (chunk = cli_next(in))) {
		if (chunk->n > left)
			chunk->n = left;
		left -= chunk->n;
		cli_write(out, chunk);
	}
}

static void pass_all_but(struct kf_reader *in, struct kf_writer *out, uint64_t n)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_last last;
	struct kf_chunk *chunk;
	struct kf_err err;

	kf_last_init(&last, n);
	while ((chunk = cli_next(in))) {
		check(kf_last_pass(&last, chunk, schema, &err), &err);
		cli_write(out, chunk);
	}
	kf_last_free(&last);
}

int main(int argc, char **argv)
{
	struct options o;
	long long n = 16;
	bool all_but = false;
	struct kf_reader *in;
	struct kf_writer *out;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'n') {
			all_but = *o.text == '-'; /* also of none */
			n = o.number < 0 ? -o.number : o.number;
		}
	in = cli_reader(&o);
	output_begin(o.output);
	out = cli_writer(kf_reader_schema(in));
	if (all_but)
		pass_all_but(in, out, (uint64_t)n);
	else
		pass_first(in, out, (uint64_t)n);
	cli_end(out);
	kf_reader_close(in);
	return output_finish();
}
