/* Presets: a net's layers with the options that go with them. */
#ifndef KF_PRESET_H
#define KF_PRESET_H

#include "train/train.h"

struct kf_preset {
	const char *name;
	const char *line;              /* of layers */
	struct kf_train_options train; /* all but the seed */
};

/* The tutorial's net1 ... net7, and others; NULL if there is none with this name. */
const struct kf_preset *kf_preset_find(const char *name);

/* The i-th preset, NULL after the last. */
const struct kf_preset *kf_preset_at(int i);

#endif
