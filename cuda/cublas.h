/* Matrix products by cuBLAS. */
#ifndef KF_CUDA_CUBLAS_H
#define KF_CUDA_CUBLAS_H

#include "internal.h"

#define N CUBLAS_OP_N
#define T CUBLAS_OP_T

/*
 * c (m, n) = op(a) op(b) + beta c, row-major, where op is N, or T for transposed; lda,
 * ldb, ldc are the row strides as stored.  cuBLAS is column-major and sees the
 * transposes: c' = op(b)' op(a)'.
 */
void cuda_gemm(struct kf_backend *h, cublasOperation_t op_a, cublasOperation_t op_b,
	size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	size_t ldb, float beta, float *c, size_t ldc);

#endif
