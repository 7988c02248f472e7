/* Opening a backend's plugin. */
#define _GNU_SOURCE
#include "backend.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directory of plugins. */
static int plugin_dir(char *dir, size_t size, struct kf_err *err)
{
	const char *env = getenv("KFKD_PLUGINS");
	ssize_t n;
	char *slash;

	if (env && *env) {
		snprintf(dir, size, "%s", env);
		return 0;
	}
	n = readlink("/proc/self/exe", dir, size - 1);
	if (n < 0)
		return kf_fail_errno(err, "cannot tell where the program lies; "
			"set KFKD_PLUGINS");
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	snprintf(slash, size - (size_t)(slash - dir), "/../lib/kfkd");
	return 0;
}

struct kf_backend *kf_backend_open(const char *name, int threads,
	struct kf_err *err)
{
	char dir[4096], path[4352];
	const char *preferred = getenv("KFKD_BACKEND");
	const struct kf_plugin *plugin;
	void *handle;

	if (!strcmp(name, "auto"))
		name = preferred && *preferred && strcmp(preferred, "auto") ?
			preferred : "cpu";

	/*
	 * libgomp reads this when it is loaded.  Threads that spin while they
	 * wait cost twice the time when another process wants a processor.
	 */
	setenv("OMP_WAIT_POLICY", "passive", 0);
	if (plugin_dir(dir, sizeof dir, err) < 0)
		return NULL;
	snprintf(path, sizeof path, "%s/backend_%s.so", dir, name);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		kf_fail(err, "cannot open backend '%s': %.400s", name, dlerror());
		return NULL;
	}
	plugin = dlsym(handle, "kf_plugin");
	if (!plugin || plugin->abi != KF_PLUGIN_ABI) {
		kf_fail(err, "cannot open backend '%s': '%.300s' is of another version",
			name, path);
		return NULL;
	}
	return plugin->open(threads, err);
}
