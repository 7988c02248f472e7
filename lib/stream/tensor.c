/* Tensors: sizes and names of types. */
#include "stream/tensor.h"

#include <stdio.h>
#include <string.h>

size_t kf_dtype_size(enum kf_dtype dtype)
{
	return dtype == KF_U8 ? 1 : dtype == KF_I64 ? 8 : 4;
}

const char *kf_dtype_name(enum kf_dtype dtype)
{
	return dtype == KF_U8 ? "U8" : dtype == KF_I64 ? "I64" : "F32";
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
