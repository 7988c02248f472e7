/*
 * Reads model files, damaged ones too, with their layers: what is accepted can be
 * written, and reads the same again.  Weights of other programs are read, too.
 */
#define _GNU_SOURCE
#define FUZZ_SAFETENSORS
#include "fuzz.h"

#include "net/layers_parse.h"
#include "net/model.h"

static void write_again(const struct kf_model *m)
{
	struct kf_model again;
	struct kf_err err;
	int fd = memfd_create("again", MFD_CLOEXEC);

	if (fd < 0 || kf_model_write(m, fd, "again", &err) < 0)
		abort();
	if (lseek(fd, 0, SEEK_SET) != 0 ||
		kf_model_read(&again, fd, "again", NULL, &err) < 0)
		abort();
	if (strcmp(again.net, m->net) || again.n != m->n || again.epochs != m->epochs ||
		!kf_names_equal(&again.columns, &m->columns))
		abort();
	kf_model_free(&again);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct kf_layers layers;
	struct kf_model m;
	struct kf_err err;

	if (kf_model_read_weights(&m, fuzz_file(data, n), "fuzz", &err) == 0)
		kf_model_free(&m);
	if (kf_model_read(&m, fuzz_file(data, n), "fuzz", NULL, &err) < 0)
		return 0;
	if (kf_layers_parse(&layers, m.net, m.c, m.h, m.w, m.columns.n, &err) == 0)
		kf_layers_free(&layers);
	write_again(&m);
	kf_model_free(&m);
	return 0;
}
