/* kfkd-tail: the last rows of a stream, or all from one on. */
#include "cli.h"
#include "rows/last.h"

static const struct program program = {
	.name = "kfkd-tail",
	.synopsis = { "[-n N] [-o OUT] [FILE]" },
	.about = "Passes on the last rows of a tensor stream.",
	.rows = {
		{ 'n', "rows", "N", "how many (16); with a plus, all from the N-th on",
			OPTION_INT, .min = -INT64_MAX, .max = INT64_MAX },
	},
};

static void pass_last(struct kf_reader *in, struct kf_writer *out, uint64_t n)
{
	const struct kf_schema *schema = kf_reader_schema(in);
	struct kf_chunk *chunk, rows = { 0 };
	struct kf_last last;
	struct kf_err err;
	int rc;

	kf_last_init(&last, n);
	while ((chunk = cli_next(in)))
		check(kf_last_pass(&last, chunk, schema, &err), &err);
	while ((rc = kf_last_take(&last, &rows, schema, &err)) > 0)
		cli_write(out, &rows);
	check(rc, &err);
	kf_chunk_free(&rows);
	kf_last_free(&last);
}

/* Drops rows, in place, until none are left to skip. */
static void skip(struct kf_chunk *c, uint64_t *left, const struct kf_schema *s)
{
	size_t drop = *left < c->n ? (size_t)*left : c->n;

	for (size_t i = drop; drop > 0 && i < c->n; i++)
		kf_chunk_copy_row(c, i - drop, c, i, s);
	c->n -= drop;
	*left -= drop;
}

static void pass_from(struct kf_reader *in, struct kf_writer *out, uint64_t first)
{
	uint64_t left = first ? first - 1 : 0;
	struct kf_chunk *chunk;

	while ((chunk = cli_next(in))) {
		skip(chunk, &left, kf_reader_schema(in));
		cli_write(out, chunk);
	}
}

int main(int argc, char **argv)
{
	struct options o;
	long long n = 16;
	bool from = false;
	struct kf_reader *in;
	struct kf_writer *out;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'n') {
			from = *o.text == '+';
			n = o.number < 0 ? -o.number : o.number; /* as tail has it */
		}
	in = cli_reader(&o);
	output_begin(o.output);
	out = cli_writer(kf_reader_schema(in));
	if (from)
		pass_from(in, out, (uint64_t)n);
	else
		pass_last(in, out, (uint64_t)n);
	cli_end(out);
	kf_reader_close(in);
	return output_finish();
}
