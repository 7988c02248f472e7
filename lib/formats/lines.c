/* Lines with their numbers. */
#include "formats/lines.h"

#include <string.h>

int kf_lines_open(struct kf_lines *l, struct kf_input *in, struct kf_err *err)
{
	static const char mark[] = "\xef\xbb\xbf";

	*l = (struct kf_lines){ .in = in, .next = 1 };
	if (kf_input_need(in, 3, err) < 0)
		return -1;
	if (in->n >= 3 && !memcmp(in->at, mark, 3))
		kf_input_use(in, 3);
	return 0;
}

/* The length of the line at p including its end; 0 where it has no end. */
static size_t line_length(const char *p, size_t from, size_t n)
{
	const char *lf = memchr(p + from, '\n', n - from), *cr;

	if (lf)
		n = (size_t)(lf - p) + 1;
	cr = memchr(p + from, '\r', n - from);
	if (!cr || cr + 1 == lf)
		return lf ? n : 0;
	return (size_t)(cr - p) + 1;
}

ssize_t kf_lines_whole(struct kf_lines *l, size_t most, struct kf_err *err)
{
	struct kf_input *in = l->in;
	size_t seen = 0;

	for (;;) {
		size_t n = line_length(in->at, seen, in->n);
		/* the newline that belongs to it may not have been read yet */
		bool cut = n > 0 && n == in->n && in->at[n - 1] == '\r';

		if ((n && !cut) || in->ended || in->n > most)
			return (ssize_t)(n ? n : in->n);
		seen = cut ? n - 1 : in->n;
		if (kf_input_more(in, err) < 0)
			return -1;
	}
}

void kf_lines_use(struct kf_lines *l, size_t n)
{
	const char *line = l->in->at;

	/* What follows a carriage return at once does not end another line: a newline,
	 * or both where the carriage return was doubled. */
	if (!(l->after_cr && line[n - 1] == '\n' &&
		    (n == 1 || (n == 2 && *line == '\r'))))
		l->next++;
	l->after_cr = line[n - 1] == '\r';
	kf_input_use(l->in, n);
}
