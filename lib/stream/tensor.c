/* Tensors: sizes and names of types. */
#include "stream/tensor.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	size_t size;
} dtypes[KF_DTYPES] = { [KF_U8] = { "U8", 1 },
	[KF_I64] = { "I64", 8 },
	[KF_F32] = { "F32", 4 } };

size_t kf_dtype_size(enum kf_dtype dtype)
{
	return dtypes[dtype].size;
}

const char *kf_dtype_name(enum kf_dtype dtype)
{
	return dtypes[dtype].name;
}

int kf_dtype_find(const char *name)
{
	for (int i = 0; i < KF_DTYPES; i++)
		if (!strcmp(dtypes[i].name, name))
			return i;
	return -1;
}

size_t kf_tensor_count(const struct kf_tensor *t)
{
	size_t count = 1;

	for (int i = 0; i < t->rank; i++)
		count *= (size_t)t->shape[i];
	return count;
}

size_t kf_tensor_bytes(const struct kf_tensor *t)
{
	return kf_tensor_count(t) * kf_dtype_size(t->dtype);
}

struct kf_tensor kf_tensor(const char *name, enum kf_dtype dtype, int rank,
	const int64_t *shape)
{
	struct kf_tensor t = { .dtype = dtype, .rank = rank };

	snprintf(t.name, sizeof t.name, "%s", name);
	if (rank > 0)
		memcpy(t.shape, shape, (size_t)rank * sizeof *shape);
	return t;
}
