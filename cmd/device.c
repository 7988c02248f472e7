/* The options by which a program chooses a backend. */
#include "device.h"

const char *device_word(int i)
{
	static const char *const words[] = { "auto", "cpu", "cuda", NULL };

	return words[i];
}

void device_option(struct device *d, int key, const struct options *o)
{
	switch (key) {
	case 'b': d->backend = o->text; break;
	case 't': d->options.threads = (int)o->number; break;
	case DEVICE_TF32: d->options.tf32 = true; break;
	}
}
