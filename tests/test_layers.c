/* The line of layers: shapes, parameters, and errors that name the word. */
#include <string.h>

#include "net/layers_parse.h"
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

/* A net with branches: what each layer reads, and how often its output is read. */
static void test_branches(void)
{
	static const struct {
		const char *name;
		int from, other, readers, out[3];
	} want[] = {
		{ "pool1", KF_INPUT, KF_INPUT, 2, { 1, 48, 48 } },
		{ "conv1", 0, KF_INPUT, 1, { 8, 24, 24 } },
		{ "batchnorm1", 1, KF_INPUT, 2, { 8, 24, 24 } },
		/* res16: its input has other channels */
		{ "conv2", 2, KF_INPUT, 1, { 16, 24, 24 } },
		{ "batchnorm2", 3, KF_INPUT, 1, { 16, 24, 24 } },
		{ "conv3", 4, KF_INPUT, 1, { 16, 24, 24 } },
		{ "batchnorm3", 5, KF_INPUT, 1, { 16, 24, 24 } },
		{ "conv4", 2, KF_INPUT, 1, { 16, 24, 24 } },
		{ "add1", 6, 7, 1, { 16, 24, 24 } },
		{ "avgpool1", 8, KF_INPUT, 1, { 16, 12, 12 } },
		{ "upscale1", 9, KF_INPUT, 1, { 16, 24, 24 } },
		{ "conv5", 0, KF_INPUT, 1, { 16, 24, 24 } },
		{ "add2", 10, 11, 1, { 16, 24, 24 } },
		{ "conv6", 12, KF_INPUT, 1, { 15, 24, 24 } },
		{ "softargmax1", 13, KF_INPUT, 0, { 30, 1, 1 } },
	};
	struct kf_layers l;
	struct kf_err err;
	bool same;

	if (!ok(kf_layers_parse(&l,
			"pool2 save conv8x3p1s2 batchnorm relu res16 avgpool2 "
			"upscale2 add16x3p1s2 tanh maps softargmax",
			1, 96, 96, 30, &err) == 0,
		    "a net with branches")) {
		note("%s", err.msg);
		return;
	}
	same = l.n == (int)(sizeof want / sizeof *want);
	for (int i = 0; same && i < l.n; i++) {
		const struct kf_layer *y = &l.layer[i];

		same = !strcmp(y->name, want[i].name) && y->from == want[i].from &&
			y->other == want[i].other && y->readers == want[i].readers &&
			!memcmp(y->out, want[i].out, sizeof y->out);
		if (!same)
			note("%s reads %d and %d, is read %d times: %d x %d x %d",
				y->name, y->from, y->other, y->readers, y->out[0],
				y->out[1], y->out[2]);
	}
	ok(same, "its layers");
	ok(l.layer[1].bias < 0 && l.layer[5].bias < 0 && l.layer[7].bias >= 0,
		"no bias in front of batch norm");
	ok(l.layer[8].activation == KF_RELU && l.layer[12].activation == KF_TANH &&
			l.layer[6].activation == KF_LINEAR,
		"activations behind the sum");
	ok(l.learned ==
				8 * 9 + 2 * 8 + 16 * 8 * 9 + 16 * 16 * 9 + 4 * 16 +
					16 * 8 + 16 + 16 * 9 + 16 + 15 * 16 + 15 &&
			l.floats == l.learned + 2 * 8 + 4 * 16,
		"%zu parameters and %zu statistics", l.learned, l.floats - l.learned);
	ok(l.param[l.n_learned].offset == l.learned &&
			!strcmp(l.param[l.n_learned].name, "batchnorm1.running_mean") &&
			l.layer[2].mean == l.n_learned &&
			l.param[l.layer[2].variance].init == KF_ONE,
		"statistics are behind the parameters");
	ok(kf_layer_products(&l.layer[1]) == 8 * 24 * 24 * 9 &&
			kf_layer_products(&l.layer[3]) == 16 * 24 * 24 * 8 * 9 &&
			kf_layer_products(&l.layer[2]) == 0,
		"products of a convolution");
	kf_layers_free(&l);
}

/* Pools may leave something over: best is for images of any size from 16 on. */
static void test_sizes(void)
{
	const char *line = kf_preset_find("best")->line;
	struct kf_layers l;
	struct kf_err err;
	int good = 0;

	for (int h = 16; h <= 130; h++)
		for (int w = h; w < h + 9; w += 4) {
			if (kf_layers_parse(&l, line, 1, h, w, 30, &err) < 0) {
				note("%d x %d: %s", h, w, err.msg);
				continue;
			}
			good++;
			kf_layers_free(&l);
		}
	ok(good == 115 * 3, "best for %d of 345 sizes of images", good);
}

static void test_columns(void)
{
	static const struct {
		const char *columns, *part; /* NULL if they fit */
	} cases[] = {
		{ "a_x,a_y,b_x,b_y", NULL },
		{ "a_y,a_x,b_x,b_y", "columns 1 and 2 are 'a_y' and 'a_x'" },
		{ "a_x,a_y,b_x,c_y", "columns 3 and 4 are 'b_x' and 'c_y'" },
		{ "a_x,b_x,a_y,b_y", "columns 1 and 2" },
		{ "a_x,ab_y,b_x,b_y", "columns 1 and 2" },
	};
	struct kf_names names;
	struct kf_layers l;
	struct kf_err err;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool fit;

		names = (struct kf_names){ 0 };
		kf_names_split(&names, cases[i].columns, &err);
		kf_layers_parse(&l, "maps softargmax", 1, 9, 9, 4, &err);
		fit = kf_layers_check_columns(&l, &names, &err) == 0;
		ok(fit == !cases[i].part && (fit || strstr(err.msg, cases[i].part)),
			"softargmax for %s", cases[i].columns);
		kf_layers_free(&l);
		kf_layers_parse(&l, "dense", 1, 9, 9, 4, &err);
		ok(kf_layers_check_columns(&l, &names, &err) == 0, "... a dense layer");
		kf_layers_free(&l);
		kf_names_free(&names);
	}
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
		{ "conv8x3p3 dense", "padding is as wide as" },
		{ "conv8x3s0 dense", "layer 1 " },
		{ "conv8x3s2p1 dense", "layer 1 " },
		{ "conv8x3p dense", "layer 1 " },
		{ "batchnorm2 dense",
			"layer 1 of 'batchnorm2 dense', 'batchnorm2': takes" },
		{ "save2 dense", "layer 1 " },
		{ "save dense", "has a 'save' without its 'add'" },
		{ "conv3x3 add dense",
			"layer 2 of 'conv3x3 add dense', 'add': there is no" },
		{ "save pool2 add dense",
			"cannot add 1 x 96 x 96, which was saved, to 1 x 48 x 48" },
		{ "save pool2 add3x1s2 dense", "cannot add 3 x 48 x 48" },
		{ "save pool2 add1 dense", "layer 3 " },
		{ "save addx1 dense", "layer 2 " },
		{ "conv3x3 save relu add dense", "layer 3 " },
		{ "save add relu relu dense", "layer 4 " },
		{ "res8 relu dense", "layer 2 " },
		{ "res0 dense", "layer 1 " },
		{ "upscale dense", "layer 1 " },
		{ "upscale1000 upscale1000 dense", "too large" },
		{ "avgpool97 dense", "larger than what it sees" },
		{ "avgpool-1 dense", "layer 1 " },
		{ "conv3x3 softargmax", "ends in 6 outputs, and there are 30" },
		{ "maps softargmax dense", "nothing may follow" },
		{ "maps4 softargmax", "layer 1 " },
		{ "save save save save save save save save save save save save save save "
		  "save save save dense",
			"more than 16 are saved" },
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
	test_branches();
	test_sizes();
	test_columns();
	test_refusals();
	return done_testing();
}
