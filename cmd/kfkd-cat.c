/* kfkd-cat: joins streams, and turns them into one safetensors file and back. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "net/model.h"
#include "rows/widen.h"
#include "stream/header.h"

static const struct program program = {
	.name = "kfkd-cat",
	.synopsis = { "[-1] [-o OUT] [FILE ...]" },
	.about = "Joins tensor streams, or safetensors files that hold an X; or takes a model\n"
		 "that another program has saved again.",
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

/* Writes a model, which another program may have saved again. */
static void write_model(struct kf_st *st, const char *output)
{
	struct kf_model m;
	struct kf_err err;

	check(kf_model_from(&m, st, NULL, &err), &err);
	output_begin(output);
	output_is_binary();
	check(kf_model_write(&m, STDOUT_FILENO, output_name(), &err), &err);
	kf_model_free(&m);
}

/* What becomes of the inputs; the first one opens the output. */
struct joined {
	struct kf_schema schema;
	struct kf_writer *out;
	struct kf_schema
		widest; /* no more than the widths of texts: the largest there are */
	struct kf_chunk rows;
};

/* Looks into an input for the widths of its texts.  What cannot be read is left for
 * later, and so is a pipe, which can be read once only. */
static void look_into(struct kf_schema *widest, const char *path)
{
	struct kf_source src = { .name = path };
	struct kf_schema s;
	struct kf_err err;
	struct stat file;
	struct kf_st st;
	size_t rows;

	if (!strcmp(path, "-") || stat(path, &file) < 0 || !S_ISREG(file.st_mode))
		return;
	src.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (src.fd < 0)
		return;
	if (kf_st_open(&st, &src, &err) > 0) {
		if (kf_header_schema(&st, &s, &rows, &err) == 0) {
			kf_widen_schema(widest, &s);
			kf_schema_free(&s);
		}
		kf_st_free(&st);
	}
	close(src.fd);
}

static void begin(struct joined *j, const struct kf_schema *first,
	const struct options *o, bool single)
{
	struct kf_err err;

	check(kf_schema_copy(&j->schema, first, &err), &err);
	kf_widen_schema(&j->schema, &j->widest);
	output_begin(o->output);
	j->out = open_output(&j->schema, single);
}

/* All rows of one input. */
static void add_stream(struct joined *j, struct kf_st *st, const struct options *o,
	const char *name, bool single)
{
	const struct kf_schema *schema;
	struct kf_chunk *chunk;
	struct kf_err err;
	struct kf_reader *in = kf_reader_from(st, true, &err);
	struct kf_schema wide;
	struct kf_difference d;

	must(in, &err);
	schema = kf_reader_schema(in);
	if (!j->out)
		begin(j, schema, o, single);
	wide = *schema;
	kf_widen_schema(&wide, &j->schema);
	if (kf_schema_differs(&j->schema, &wide, &d))
		die("'%s' has %s than '%s'%s", name, d.what, o->operands[0], d.how);
	while ((chunk = cli_next(in))) {
		check(kf_widen_rows(schema, chunk, &wide, &j->rows, &err), &err);
		cli_write(j->out, &j->rows);
	}
	kf_reader_close(in);
}

int main(int argc, char **argv)
{
	struct joined joined = { .widest = { .name_width = 1, .file_width = 1 } };
	struct options o;
	bool single = false;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == '1')
			single = true;
	for (int i = 0; o.n_operands > 1 && o.operands[i]; i++)
		look_into(&joined.widest, o.operands[i]);
	for (int i = 0; o.operands[i]; i++) {
		struct kf_source src = { 0 };
		struct kf_st st;

		src.fd = cli_open(o.operands[i], &src.name);
		cli_header(&st, &src);
		st.adopt = true;
		if (o.n_operands <= 1 && !kf_header_is_chunk(&st)) {
			write_model(&st, o.output);
			return output_finish();
		}
		add_stream(&joined, &st, &o, src.name, single);
		close(src.fd);
	}
	cli_end(joined.out);
	kf_schema_free(&joined.schema);
	kf_widen_free(&joined.rows);
	return output_finish();
}
