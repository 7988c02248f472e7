/* kfkd-stat: says what a stream or a model holds. */
#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "stat.h"

static const struct program program = {
	.name = "kfkd-stat",
	.synopsis = { "[-H] [-o OUT] [FILE]" },
	.about = "Says what a tensor stream or a model holds.",
	.rows = {
		{ 'H', "history",
			.help = "of a model: the losses of each epoch, as TSV" },
	},
};

/* Opens the first header, which shows whether it is a stream or a model. */
static void open_header(struct kf_st *st, struct kf_source *src)
{
	struct kf_err err;
	int rc;

	if (isatty(src->fd))
		misuse("%s is a terminal; give a file, or pipe one in", src->name);
	rc = kf_st_open(st, src, &err);
	check(rc, &err);
	if (rc == 0)
		die("'%s' is empty: there is no stream or model in it", src->name);
}

int main(int argc, char **argv)
{
	struct kf_source src = { 0 };
	struct options o;
	struct kf_st st;
	bool history = false;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		if (key == 'H')
			history = true;
	src.fd = cli_input(&o, &src.name);
	open_header(&st, &src);
	output_begin(o.output);
	if (kf_st_find(&st, "X") && !history)
		stat_stream(&st);
	else
		stat_model(&st, history);
	return output_finish();
}
