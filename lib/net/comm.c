/* Opens an engine that joins ranks. */
#include "net/comm.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "net/plugin.h"

static const struct {
	const char *name, *target, *package; /* `make target` builds it, with this */
} engines[] = { { "mpi", "mpi", "libopenmpi-dev" },
	{ "nccl", "nccl", "NCCL beside the CUDA toolkit, and libopenmpi-dev" } };

#define ENGINES ((int)(sizeof engines / sizeof *engines))

const char *kf_comm_name(int i)
{
	return i >= 0 && i < ENGINES ? engines[i].name : NULL;
}

/* The number of processes that were started together, as Open MPI, or MPICH and its kin,
 * tell each of them; 0 if it is not told, which is so with PMIx (that Slurm has as well). */
static int started_together(void)
{
	static const char *const sizes[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE" };
	const char *size;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if ((size = getenv(sizes[i])))
			return atoi(size);
	return getenv("PMIX_RANK") ? 0 : 1;
}

static bool told_of_others(void)
{
	const char *rank = getenv("PMIX_RANK");

	return started_together() > 1 || (rank && atoi(rank) > 0);
}

static struct kf_comm *open_engine(int i, struct kf_err *err)
{
	const struct kf_comm_plugin *plugin;
	bool others = told_of_others(); /* before MPI changes the environment */
	struct kf_comm *c;
	struct kf_err why;

	plugin = kf_plugin_load("comm", engines[i].name, "kf_comm_plugin", KF_COMM_ABI,
		&why);
	if (!plugin) {
		kf_fail(err,
			"%s; `make %s` builds it, for which it needs %s; without it, "
			"--comm none",
			why.msg, engines[i].target, engines[i].package);
		return NULL;
	}
	c = plugin->open(&why);
	if (!c) {
		kf_fail(err, "comm %s: %s", engines[i].name, why.msg);
	} else if (others && c->size == 1) {
		/* each would train the whole net, and all write the same files */
		kf_fail(err,
			"comm %s: several processes were started, but %.80s finds only "
			"this one; start them with its own mpirun, or by Slurm with "
			"srun --mpi=pmix",
			engines[i].name, c->engine);
		c->op->close(c);
		c = NULL;
	}
	return c;
}

int kf_comm_open(const char *name, struct kf_comm **c, struct kf_err *err)
{
	const char *preferred = getenv("KFKD_COMM");

	*c = NULL;
	if (!strcmp(name, "auto") && preferred && *preferred)
		name = preferred;
	if (!strcmp(name, "auto"))
		name = started_together() == 1 ? "none" : "mpi";
	if (!strcmp(name, "none"))
		return 0;
	for (int i = 0; i < ENGINES; i++)
		if (!strcmp(name, engines[i].name))
			return (*c = open_engine(i, err)) ? 0 : -1;
	return kf_fail(err, "there is no engine '%s' to join processes", name);
}
