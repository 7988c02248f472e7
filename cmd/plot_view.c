/* Showing a picture in the terminal: through chafa, which draws in any, or as sixels. */
#define _GNU_SOURCE
#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "draw/sixel.h"

#define VIEWER "chafa"
#define PATIENCE 5 /* tenths of a second for a terminal's answer */

/* Whether PATH has a program. */
static bool in_path(const char *name)
{
	const char *at = getenv("PATH"), *end;
	char path[4096];

	for (; at && *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, ':');
		if ((size_t)snprintf(path, sizeof path, "%.*s/%s", (int)(end - at), at,
			    name) < sizeof path &&
			access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Asks a terminal for what it can do, and reads up to the end of its answer. */
static void ask(int tty, char *answer, size_t size)
{
	static const char question[] = "\033[c";
	struct termios before, raw;
	size_t n = 0;

	answer[0] = '\0';
	if (tcgetattr(tty, &before) < 0)
		return;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = PATIENCE;
	tcsetattr(tty, TCSANOW, &raw);
	if (write(tty, question, sizeof question - 1) == sizeof question - 1)
		while (n + 1 < size && read(tty, answer + n, 1) == 1 &&
			answer[n++] != 'c')
			;
	answer[n] = '\0';
	tcsetattr(tty, TCSANOW, &before);
}

/* Whether the terminal says that it draws sixels: ESC [ ? 62 ; 4 ; ... c has a 4. */
static bool draws_sixels(void)
{
	char answer[128], *at = answer;
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool found = false;

	if (tty < 0)
		return false;
	ask(tty, answer, sizeof answer);
	close(tty);
	for (strsep(&at, ";"); at && !found;)
		found = strtol(strsep(&at, ";"), NULL, 10) == 4;
	return found;
}

void plot_view_begin(struct request *q)
{
	struct kf_err err;
	int fd;

	/* the one reads PNG, and the other what needs no decoding */
	q->png = in_path(VIEWER);
	if (!q->png && !(isatty(STDOUT_FILENO) && draws_sixels()))
		die("--view: there is no " VIEWER " in PATH, and the terminal draws no "
		    "sixels; install " VIEWER ", or write a file: -o x.png");
	fd = kf_tempfile(&err);
	check(fd, &err);
	q->view = fdopen(fd, "w+b");
	must_alloc(q->view);
}

void plot_view_end(const struct request *q)
{
	int fd = fileno(q->view);
	struct kf_err err;

	if (!q->png) {
		check(kf_sixel_write(q->view, KF_TEMPFILE, stdout, output_name(), &err),
			&err);
		fclose(q->view);
		return;
	}
	if (lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) >= 0)
		execlp(VIEWER, VIEWER, "-", (char *)NULL);
	die("cannot run '" VIEWER "': %s", strerror(errno));
}
