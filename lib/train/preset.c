/* The tutorial's nets, two better ones, and those of Lasagne's MNIST example. */
#include "train/preset.h"

#include <stddef.h>
#include <string.h>

#define CONVOLUTIONS "conv32x3 relu pool2 conv64x2 relu pool2 conv128x2 relu pool2 "
#define DROPPED \
	"conv32x3 relu pool2 drop.1 conv64x2 relu pool2 drop.2 " \
	"conv128x2 relu pool2 drop.3 "
#define NET2 CONVOLUTIONS "dense500 relu dense500 relu dense"
#define NET6 DROPPED "dense500 relu drop.5 dense500 relu dense"
#define NET7 DROPPED "dense1000 relu drop.5 dense1000 relu dense"
#define SMALL \
	"pool2 conv32x3 relu pool2 conv64x3 relu pool2 conv128x3 relu pool2 " \
	"dense300 relu drop.3 dense"
/* an hourglass: two steps down, one up, and a map for each point */
#define BEST \
	"pool2 conv32x3p1 batchnorm relu pool2 conv64x3p1 batchnorm relu pool2 " \
	"res64 save pool2 res64 res64 upscale2 add64x1 maps softargmax"
#define MLP "drop.2 dense800 relu drop.5 dense800 relu drop.5 dense"
#define CNN "conv32x5 relu pool2 conv32x5 relu pool2 drop.5 dense256 relu drop.5 dense"

#define NESTEROV .rule = KF_NESTEROV
#define FACES NESTEROV, .batch = 128, .valid = 0.2
#define FROM(a, b) .from = (a), .to = (b)
#define CONSTANT .rate = { FROM(0.01, 0.01) }, .momentum = { FROM(0.9, 0.9) }
#define SCHEDULE .rate = { FROM(0.03, 0.0001) }, .momentum = { FROM(0.9, 0.999) }
#define FLIP .augment = { .flip = true }
#define MNIST \
	NESTEROV, CONSTANT, .batch = 500, .valid = 1 / 6.0, .shuffle = true, \
			    .classify = true, .epochs = 500

static const struct kf_preset presets[] = {
	{ "net1", "dense100 relu dense", { FACES, CONSTANT, .epochs = 400 } },
	{ "net2", NET2, { FACES, CONSTANT, .epochs = 1000 } },
	{ "net3", NET2, { FACES, CONSTANT, FLIP, .epochs = 3000 } },
	{ "net4", NET2, { FACES, SCHEDULE, .epochs = 1000 } },
	{ "net5", NET2, { FACES, SCHEDULE, FLIP, .epochs = 2000 } },
	{ "net6", NET6, { FACES, SCHEDULE, FLIP, .epochs = 3000 } },
	{ "net7", NET7, { FACES, SCHEDULE, FLIP, .epochs = 10000 } },
	{ "small", SMALL,
		{ .rule = KF_ADAM,
			.rate = { FROM(0.001, 0.00001) },
			.momentum = { FROM(0.9, 0.9) },
			.batch = 128,
			.valid = 0.2,
			.shuffle = true,
			.epochs = 200 } },
	/* of the nets tried on real faces, the lowest error after minutes on two cores */
	{ "best", BEST,
		{ .rule = KF_ADAM,
			.rate = { FROM(0.001, 0.000001), .shape = KF_COSINE_SHAPE },
			.warmup = 3,
			.momentum = { FROM(0.9, 0.9) },
			.batch = 128,
			.valid = 0.2,
			.shuffle = true,
			.epochs = 200,
			.loss = { KF_WING, 10, 2 },
			.augment = { .flip = true,
				.find_sum = true,
				.shift = 4,
				.rotate = 15,
				.scale = 0.15,
				.contrast = 0.3,
				.brightness = 0.15 } } },
	{ "mnist-mlp", MLP, { MNIST } },
	{ "mnist-cnn", CNN, { MNIST } },
};

const struct kf_preset *kf_preset_at(int i)
{
	size_t n = sizeof presets / sizeof *presets;

	return i >= 0 && (size_t)i < n ? &presets[i] : NULL;
}

const struct kf_preset *kf_preset_find(const char *name)
{
	const struct kf_preset *p;

	for (int i = 0; (p = kf_preset_at(i)); i++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}
