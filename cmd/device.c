/* The options by which a program chooses a backend. */
#include "device.h"

/* The i-th word for --backend, NULL after the last. */
const char *device_word(int i)
{
	return i == 0 ? "auto" : kf_backend_name(i - 1);
}

void device_option(struct device *d, int key, const struct options *o)
{
	switch (key) {
	case 'b': d->backend = o->text; break;
	case 't': d->options.threads = (int)o->number; break;
	case DEVICE_TF32: d->options.tf32 = true; break;
	case DEVICE_BF16: d->options.bf16 = true; break;
	}
}
