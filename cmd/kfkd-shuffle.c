/* kfkd-shuffle: rows in a random order, or a sample of them. */
#include "cli.h"
#include "rows/shuffle.h"

static const struct program program = {
	.name = "kfkd-shuffle",
	.synopsis = { "[-n N] [-s SEED] [-o OUT] [FILE]" },
	.about = "Passes on the rows of a tensor stream in a random order.",
	.rows = {
		{ 'n', "sample", "N", "no more than N rows, drawn by chance (all)",
			OPTION_INT, .max = INT64_MAX },
		{ 's', "seed", "N", "another order for each N (42)", OPTION_INT,
			.max = INT64_MAX },
	},
};

int main(int argc, char **argv)
{
	uint64_t max = UINT64_MAX, seed = 42;
	struct kf_shuffle *shuffle;
	struct kf_chunk *chunk, rows = { 0 };
	struct kf_reader *in;
	struct kf_writer *out;
	struct options o;
	struct kf_err err;
	int key, rc;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'n')
			max = (uint64_t)o.number;
		else
			seed = (uint64_t)o.number;
	in = cli_reader(&o);
	output_begin(o.output);
	out = cli_writer(kf_reader_schema(in));
	shuffle = kf_shuffle_open(kf_reader_schema(in), seed, max, &err);
	must(shuffle, &err);
	while ((chunk = cli_next(in)))
		check(kf_shuffle_add(shuffle, chunk, &err), &err);
	while ((rc = kf_shuffle_next(shuffle, &rows, &err)) > 0)
		cli_write(out, &rows);
	check(rc, &err);
	cli_end(out);
	kf_shuffle_close(shuffle);
	kf_chunk_free(&rows);
	kf_reader_close(in);
	return output_finish();
}
