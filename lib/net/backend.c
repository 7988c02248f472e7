/* Opens a backend's plugin, by name or the best one that runs on this machine. */
#define _GNU_SOURCE
#include "net/backend.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "net/plugin.h"

static struct kf_backend *open_plugin(const char *name,
	const struct kf_backend_options *options, struct kf_err *err)
{
	const struct kf_plugin *plugin =
		kf_plugin_load("backend", name, "kf_plugin", KF_PLUGIN_ABI, err);
	struct kf_backend *b;
	struct kf_err why;

	if (!plugin)
		return NULL;
	b = plugin->open(options, &why);
	if (!b)
		kf_fail(err, "backend %s: %s", name, why.msg);
	return b;
}

/* -- backends ------------------------------------------------------------------ */

/* Where there is no driver, CUDA's large libraries need not be loaded. */
static bool has_driver(void)
{
	return dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != NULL;
}

static bool always(void)
{
	return true;
}

/* In the order in which "auto" tries them. */
static const struct {
	const char *name;
	bool (*worth_a_try)(void);
} backends[] = { { "cuda", has_driver }, { "cpu", always } };

#define BACKENDS ((int)(sizeof backends / sizeof *backends))

const char *kf_backend_name(int i)
{
	return i >= 0 && i < BACKENDS ? backends[i].name : NULL;
}

/*
 * Limits how long libgomp's threads spin while they wait for one another; it reads
 * these variables when it is loaded.  The default is long, which doubles the run time
 * when another process competes for their cores.  A few microseconds cover most waits
 * inside a matrix product: an epoch of net1 takes 7% less time than with threads that
 * sleep at once.
 */
static void limit_spinning(void)
{
	if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
		return;
	setenv("OMP_WAIT_POLICY", "passive", 1);
	setenv("GOMP_SPINCOUNT", "1000", 1);
}

struct kf_backend *kf_backend_open(const char *name,
	const struct kf_backend_options *options, struct kf_err *err)
{
	static const struct kf_backend_options none;
	const char *preferred = getenv("KFKD_BACKEND");
	struct kf_backend *b = NULL;

	limit_spinning();
	options = options ? options : &none;
	if (!strcmp(name, "auto") && preferred && *preferred)
		name = preferred;
	if (strcmp(name, "auto"))
		return open_plugin(name, options, err);
	for (int i = 0; !b && i < BACKENDS; i++)
		if (backends[i].worth_a_try())
			b = open_plugin(backends[i].name, options, err);
	return b;
}
