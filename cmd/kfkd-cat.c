/* kfkd-cat: joins streams, and turns them into one safetensors file and back. */
#include <unistd.h>

#include "cli.h"

static const struct program program = {
	.name = "kfkd-cat",
	.synopsis = { "[-1] [-o OUT] [FILE ...]" },
	.about = "Joins tensor streams, or safetensors files that hold an X.",
	.rows = {
		{ '1', "single",
			.help = "write one safetensors file of all rows, not a stream" },
	},
};

static struct kf_writer *open_output(const struct kf_schema *schema, bool single)
{
	struct kf_writer *out;
	struct kf_err err;

	if (!single)
		return cli_writer(schema);
	output_is_binary();
	out = kf_writer_open_single(STDOUT_FILENO, output_name(), schema, &err);
	must(out, &err);
	return out;
}

int main(int argc, char **argv)
{
	struct kf_schema first;
	struct kf_writer *out = NULL;
	struct kf_chunk *chunk;
	struct kf_err err;
	struct options o;
	bool single = false;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == '1')
			single = true;
	for (int i = 0; o.operands[i]; i++) {
		const char *name;
		int fd = cli_open(o.operands[i], &name);
		struct kf_reader *in = cli_stream(fd, name, true);
		const struct kf_schema *schema = kf_reader_schema(in);
		const char *what = i ? kf_schema_differs(&first, schema) : NULL;

		if (what)
			die("'%s' has another %s than '%s'", name, what, o.operands[0]);
		if (i == 0) {
			check(kf_schema_copy(&first, schema, &err), &err);
			output_begin(o.output);
			out = open_output(&first, single);
		}
		while ((chunk = cli_next(in)))
			cli_write(out, chunk);
		kf_reader_close(in);
		close(fd);
	}
	cli_end(out);
	kf_schema_free(&first);
	return output_finish();
}
