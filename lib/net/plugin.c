/* Plugins. */
#define _GNU_SOURCE
#include "net/plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directory that holds the plugins. */
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
		return kf_fail_errno(err,
			"cannot tell where the program lies; "
			"set KFKD_PLUGINS");
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	snprintf(slash, size - (size_t)(slash - dir), "/../lib/kfkd");
	return 0;
}

const void *kf_plugin_load(const char *kind, const char *name, const char *symbol,
	int abi, struct kf_err *err)
{
	char dir[4096], path[4352];
	const int *plugin;
	void *handle;

	if (plugin_dir(dir, sizeof dir, err) < 0)
		return NULL;
	snprintf(path, sizeof path, "%s/%s_%s.so", dir, kind, name);
	if (access(path, F_OK) < 0) {
		kf_fail_errno(err, "%s %s: cannot open its plugin '%.300s'", kind, name,
			path);
		return NULL;
	}
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		kf_fail(err, "%s %s: cannot load its plugin: %.400s", kind, name,
			dlerror());
		return NULL;
	}
	plugin = dlsym(handle, symbol);
	if (plugin && *plugin == abi)
		return plugin;
	kf_fail(err, "%s %s: '%.300s' is of another version", kind, name, path);
	return NULL;
}
