/* kfkd-stat: says what a stream or a model holds. */
#include <stdio.h>

#include "cli.h"
#include "stat.h"
#include "stream/header.h"

static const struct program program = {
	.name = "kfkd-stat",
	.synopsis = { "[-H] [-o OUT] [FILE]" },
	.about = "Says what a tensor stream or a model holds.",
	.rows = {
		{ 'H', "history",
			.help = "of a model: the losses of each epoch, as TSV" },
	},
};

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
	cli_header(&st, &src);
	output_begin(o.output);
	if (kf_header_is_chunk(&st) && !history)
		stat_stream(&st);
	else
		stat_model(&st, history);
	return output_finish();
}
