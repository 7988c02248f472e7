/* The line of layers: shapes, parameters, and errors that name the word. */
#include <string.h>

#include "net/layers.h"
#include "train/preset.h"
#include "tap.h"

static void test_net7(void)
{
	static const int shapes[][3] = { { 32, 94, 94 }, { 32, 47, 47 }, { 32, 47, 47 },
		{ 64, 46, 46 }, { 64, 23, 23 }, { 64, 23, 23 }, { 128, 22, 22 },
		{ 128, 11, 11 }, { 128, 11, 11 }, { 1000, 1, 1 }, { 1000, 1, 1 },
		{ 1000, 1, 1 }, { 30, 1, 1 } };
	struct kf_layers l;
	struct kf_err err;
	bool same = true;

	ok(kf_layers_parse(&l, kf_preset_find("net7")->line, 1, 96, 96, 30, &err) ==
				0 &&
			l.n == 13 && l.floats == 16561502,
		"net7 has 16,561,502 parameters");
	for (int i = 0; i < l.n; i++)
		same &= !memcmp(l.layer[i].out, shapes[i], sizeof shapes[i]);
	ok(same, "its shapes");
	ok(!strcmp(l.layer[11].name, "drop4") || !strcmp(l.layer[10].name, "drop4"),
		"layers are counted by kind");
	ok(!strcmp(l.param[2].name, "conv2.weight") && l.param[2].rank == 4 &&
			l.param[2].shape[0] == 64 && l.param[2].shape[1] == 32 &&
			l.param[2].shape[2] == 2,
		"conv2.weight is 64 x 32 x 2 x 2");
	kf_layers_free(&l);
}

static void test_presets(void)
{
	static const struct {
		const char *name;
		size_t floats;
	} want[] = { { "net1", 924730 }, { "net2", 8051502 }, { "net3", 8051502 },
		{ "net4", 8051502 }, { "net5", 8051502 }, { "net6", 8051502 } };
	const struct kf_preset *p;
	struct kf_layers l;
	struct kf_err err;

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		ok(kf_layers_parse(&l, kf_preset_find(want[i].name)->line, 1, 96, 96,
			   30, &err) == 0 &&
				l.floats == want[i].floats,
			"%s has %zu parameters", want[i].name, want[i].floats);
		kf_layers_free(&l);
	}
	for (int i = 0; (p = kf_preset_at(i)); i++) {
		ok(kf_layers_parse(&l, p->line, 1, 96, 96, 10, &err) == 0,
			"preset %s parses", p->name);
		kf_layers_free(&l);
	}
	ok(!kf_preset_find("net8"), "there is no net8");
	ok(kf_layers_parse(&l, "dense5 relu dense tanh", 1, 4, 4, 3, &err) == 0 &&
			l.layer[1].out[0] == 3,
		"the last dense may have an activation");
	kf_layers_free(&l);
}

static void test_refusals(void)
{
	static const struct {
		const char *line, *part;
	} bad[] = {
		{ "", "empty" },
		{ "   ", "empty" },
		{ "dens100 dense", "layer 1 of 'dens100 dense', 'dens100'" },
		{ "dense relu dense", "layer 1 " },
		{ "dense drop.5", "layer 1 " },
		{ "dense0 dense", "layer 1 " },
		{ "dense-3 dense", "layer 1 " },
		{ "dense1000001 dense", "layer 1 " },
		{ "dense10x dense", "layer 1 " },
		{ "relu dense", "layer 1 " },
		{ "dense5 relu relu dense", "layer 3 " },
		{ "pool2 relu dense", "layer 2 " },
		{ "drop.5 relu dense", "layer 2 " },
		{ "dense5 relu2 dense", "layer 2 " },
		{ "conv32 dense", "'conv32': should be convNxK" },
		{ "conv32x dense", "layer 1 " },
		{ "convx3 dense", "layer 1 " },
		{ "conv3x0 dense", "layer 1 " },
		{ "conv8x3x3 dense", "layer 1 " },
		{ "conv8x97 dense", "larger than what they see" },
		{ "pool dense", "poolK" },
		{ "pool97 dense", "larger" },
		{ "pool2x2 dense", "layer 1 " },
		{ "drop dense", "dropP" },
		{ "drop1 dense", "dropP" },
		{ "drop0 dense", "dropP" },
		{ "drop-.1 dense", "layer 1 " },
		{ "drop.5x dense", "layer 1 " },
		{ "dense1000000 relu dense1000000 dense", "too large" },
		{ "conv1000000x90 dense", "too large" },
		{ "dense31", "ends in 31 outputs, and there are 30 targets" },
		{ "dense10 relu", "ends in 10 outputs" },
		{ "conv30x95", "not in numbers" },
		{ "pool2", "nothing to learn" },
	};
	struct kf_layers l;
	struct kf_err err;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		err.msg[0] = '\0';
		if (!ok(kf_layers_parse(&l, bad[i].line, 1, 96, 96, 30, &err) < 0 &&
				    strstr(err.msg, bad[i].part),
			    "'%s' is refused", bad[i].line))
			note("%s", err.msg);
	}
}

int main(void)
{
	test_net7();
	test_presets();
	test_refusals();
	return done_testing();
}
