/* Plugins: backends and engines that join ranks, opened by name. */
#ifndef KF_PLUGIN_H
#define KF_PLUGIN_H

#include "base/err.h"

/*
 * Loads <kind>_<name>.so and returns what it exports as `symbol`: a struct whose first
 * member is an int, the version of its interface, which has to be abi.  Plugins are
 * looked for in the directory KFKD_PLUGINS, else in ../lib/kfkd relative to the running
 * program's directory, and never unloaded.  NULL on failure.
 */
const void *kf_plugin_load(const char *kind, const char *name, const char *symbol,
	int abi, struct kf_err *err);

#endif
