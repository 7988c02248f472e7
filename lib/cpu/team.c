/* How many threads of a team work. */
#define _GNU_SOURCE
#include "cpu/team.h"

#include <omp.h>
#include <sys/resource.h>

#include "base/clock.h"

/* Seconds that are judged at a time. */
#define WINDOW 0.1
/* The part of its time that a thread must work on average: two that do less are slower than
 * one that does not wait. */
#define LEAST 0.55
/* Seconds with fewer threads before all are tried again, doubled each time that it is in
 * vain, and the most. */
#define REST 1.0
#define REST_MAX 8.0

/* Of all threads of this process, in seconds. */
static double processor_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void set_working(struct kf_backend *b, int working)
{
	cpu(b)->team.working = working;
	omp_set_num_threads(working);
}

static void begin_window(struct cpu_team *t)
{
	t->since = kf_seconds();
	t->processor = processor_seconds();
}

void cpu_team_start(struct kf_backend *b)
{
	struct cpu_team *t = &cpu(b)->team;

	*t = (struct cpu_team){ .rest = REST };
	set_working(b, cpu(b)->threads);
	begin_window(t);
}

/* After a rest all are tried for a window.  Whoever waits sleeps, so the processors' time
 * is what was worked. */
void cpu_team_judge(struct kf_backend *b)
{
	struct cpu_team *t = &cpu(b)->team;
	double now = kf_seconds(), worked;

	if (cpu(b)->threads == 1 || now - t->since < WINDOW)
		return;
	worked = (processor_seconds() - t->processor) / (now - t->since);
	if (t->working > 1 && worked < LEAST * t->working) {
		if (t->working == cpu(b)->threads && t->resting_until > 0)
			t->rest = t->rest < REST_MAX ? 2 * t->rest : REST_MAX;
		set_working(b, t->working - 1);
		t->resting_until = now + t->rest;
	} else if (t->working < cpu(b)->threads && now >= t->resting_until) {
		set_working(b, cpu(b)->threads);
	} else if (t->working == cpu(b)->threads) {
		t->rest = REST; /* they all work again */
		t->resting_until = 0;
	}
	begin_window(t);
}
