/* Matrix products by cuBLAS. */
#include "cublas.h"

#include "memory.h"

void cuda_gemm(struct kf_backend *h, cublasOperation_t op_a, cublasOperation_t op_b,
	size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	size_t ldb, float beta, float *c, size_t ldc)
{
	static const float one = 1;
	cublasStatus_t status;

	if (cuda(h)->failed)
		return;
	status = cublasGemmEx(cuda(h)->blas, op_b, op_a, (int)n, (int)m, (int)k, &one,
		b, CUDA_R_32F, (int)ldb, a, CUDA_R_32F, (int)lda, &beta, c, CUDA_R_32F,
		(int)ldc, cuda(h)->compute, CUBLAS_GEMM_DEFAULT);
	if (status != CUBLAS_STATUS_SUCCESS)
		cuda_fail(h, "cuBLAS: a product of %zu x %zu x %zu failed: %s", m, n, k,
			cublasGetStatusString(status));
}
