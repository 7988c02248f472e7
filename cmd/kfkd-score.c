/* kfkd-score: how far predictions are from the truth, or how often they are
 * right. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "score.h"

enum { ORIGINAL = OPTION_NO_LETTER, NME, CONFUSION };

static const struct program program = {
	.name = "kfkd-score",
	.synopsis = { "[-r] [--original] [--nme A,B | box] [-o OUT] [FILE]",
		"--confusion [-o OUT] [FILE]" },
	.about = "Prints the root mean square error in pixels, per keypoint and overall, of a\n"
		 "tensor stream with targets and predictions; where it has labels in place of\n"
		 "targets, the part of predicted classes that is right.",
	.rows = {
		{ 'r', "rows", .help = "print each row's error, not each keypoint's" },
		{ ORIGINAL, "original",
			.help = "errors in pixels of the photographs that rows are from" },
		{ NME, "nme", "A,B",
			"the normalised mean error, too, in percent: over the distance\n"
			"between the points A and B, or \"box\", the size of all points",
			.kind = OPTION_TEXT },
		{ CONFUSION, "confusion",
			.help = "of classes: print how often each was taken for which" },
	},
};

/* "box", or two names with a comma between them. */
static void parse_nme(struct score_how *how, const char *text)
{
	static char copy[512];
	char *comma;

	how->nme = true;
	how->from = how->to = NULL;
	if (!strcmp(text, "box"))
		return;
	snprintf(copy, sizeof copy, "%s", text);
	comma = strchr(copy, ',');
	if (!comma || comma == copy || !comma[1] || strchr(comma + 1, ','))
		misuse("--nme: '%s' is neither box nor two points with a comma between",
			text);
	*comma = '\0';
	how->from = copy;
	how->to = comma + 1;
	if (!strcmp(how->from, how->to))
		misuse("--nme: '%s' is no distance: both points are the same", text);
}

/* What scores keypoints does not go with classes, and the reverse. */
static void check_stream(const struct kf_schema *s, const struct score_how *how)
{
	if (!score_of_classes(s) && how->confusion)
		die("the stream has no labels: there are no classes to confuse");
	if (score_of_classes(s) && (how->original || how->nme))
		die("the stream has labels and no targets: --%s is of keypoints",
			how->nme ? "nme" : "original");
}

int main(int argc, char **argv)
{
	struct options o;
	struct kf_reader *in;
	struct score_how how = { 0 };
	int key;

	options_begin(&o, &program, argc, argv);
	while ((key = options_next(&o)))
		switch (key) {
		case 'r': how.rows = true; break;
		case ORIGINAL: how.original = true; break;
		case NME: parse_nme(&how, o.text); break;
		case CONFUSION: how.confusion = true; break;
		}
	if (how.rows && how.confusion)
		misuse("give either --rows or --confusion");
	in = cli_reader(&o);
	check_stream(kf_reader_schema(in), &how);
	output_begin(o.output);
	if (score_of_classes(kf_reader_schema(in)))
		score_classes(in, &how);
	else
		score_keypoints(in, &how);
	kf_reader_close(in);
	return output_finish();
}
