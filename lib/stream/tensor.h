/*
 * A tensor: a name, a type, a shape and, where it is in memory, its data:
 * row-major, little-endian, contiguous.
 */
#ifndef KF_TENSOR_H
#define KF_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#define KF_RANK_MAX 4
#define KF_NAME_MAX 64

enum kf_dtype { KF_U8, KF_I64, KF_F32 };
enum { KF_DTYPES = KF_F32 + 1 };

struct kf_tensor {
	char name[KF_NAME_MAX];
	enum kf_dtype dtype;
	int rank; /* 0 to KF_RANK_MAX */
	int64_t shape[KF_RANK_MAX];
	void *data; /* NULL: not in memory */
};

size_t kf_dtype_size(enum kf_dtype dtype);
const char *kf_dtype_name(enum kf_dtype dtype); /* as in safetensors: "F32" */
int kf_dtype_find(const char *name);            /* the inverse, or -1 */

/* The product of the shape; 1 for a scalar (rank 0). */
size_t kf_tensor_count(const struct kf_tensor *t);
size_t kf_tensor_bytes(const struct kf_tensor *t);

/* A tensor of that rank with the dimensions given as int64_t; data is NULL. */
struct kf_tensor kf_tensor(const char *name, enum kf_dtype dtype, int rank,
	const int64_t *shape);

#endif
