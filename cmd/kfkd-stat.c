/* kfkd-stat: says what a stream or a model holds. */
#include <stdio.h>

#include "cli.h"
#include "stat.h"
#include "stream/header.h"

enum { LOGS = OPTION_NO_LETTER };

static const struct program program = {
	.name = "kfkd-stat",
	.synopsis = { "[-H] [-o OUT] [FILE]", "-t [--logs SUFFIX] [-o OUT] MODEL ..." },
	.about = "Says what a tensor stream or a model holds.",
	.rows = {
		{ 'H', "history",
			.help = "of a model: the losses of each epoch, as TSV" },
		{ 't', "table",
			.help = "of models: a line each, of losses and options, as TSV" },
		{ LOGS, "logs", "SUFFIX",
			"with --table: seconds from logs, named as the models but for\n"
			"the suffix",
			.kind = OPTION_TEXT },
	},
};

static void describe(const struct options *o, bool history)
{
	struct kf_source src = { 0 };
	struct kf_st st;

	src.fd = cli_input(o, &src.name);
	cli_header(&st, &src);
	output_begin(o->output);
	if (kf_header_is_chunk(&st) && !history)
		stat_stream(&st);
	else
		stat_model(&st, history);
}

int main(int argc, char **argv)
{
	bool history = false, table = false;
	const char *suffix = NULL;
	struct options o;
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 'H': history = true; break;
		case 't': table = true; break;
		case LOGS: suffix = o.text; break;
		}
	if (history && table)
		misuse("give either --history or --table");
	if (suffix && !table)
		misuse("--logs: it is for --table, which is not given");
	if (table) {
		output_begin(o.output);
		stat_table(o.operands, o.n_operands ? o.n_operands : 1, suffix);
	} else {
		describe(&o, history);
	}
	return output_finish();
}
