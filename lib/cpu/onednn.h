/*
 * oneDNN's memory, primitives and changes of layout.  Its versions 2 and 3 differ in
 * some calls: this file, onednn.c and onednn_describe.c hide the differences.
 */
#ifndef KF_CPU_ONEDNN_H
#define KF_CPU_ONEDNN_H

#include "cpu/internal.h"

/* Whether oneDNN finds, and may use, all of these instructions. */
bool cpu_has(dnnl_cpu_isa_t isa);

/* A memory descriptor: type, shape and layout of a tensor.  A cpu_md is owned and must
 * be freed; a cpu_const_md is borrowed. */
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t cpu_md;
typedef const_dnnl_memory_desc_t cpu_const_md;
#else
typedef dnnl_memory_desc_t *cpu_md;
typedef const dnnl_memory_desc_t *cpu_const_md;
#endif

/* For values of this type; NULL on failure. */
cpu_md cpu_md_new(dnnl_data_type_t type, int rank, const dnnl_dims_t dims,
	dnnl_format_tag_t tag);
/* For an image in blocks of `block` channels; 0 leaves the layout to oneDNN. */
cpu_md cpu_md_image(dnnl_data_type_t type, const struct cpu_layout *l, int block);
/* The same for n images of floats. */
cpu_md cpu_md_images(int n, const struct cpu_layout *l, int block);
void cpu_md_free(cpu_md md); /* accepts NULL */
/* Floats that take as much memory. */
size_t cpu_md_floats(cpu_const_md md);

/* Records a failure of the operation `what`; true if there has been none so far. */
bool cpu_good(struct kf_backend *b, dnnl_status_t status, const char *what);

/* Memory with this descriptor at data, which stays the caller's and may be NULL until
 * it is set; NULL on failure. */
dnnl_memory_t cpu_memory_new(struct kf_backend *b, cpu_const_md md, float *data);
void cpu_memory_set(struct kf_backend *b, dnnl_memory_t m, float *data);
void cpu_memory_free(dnnl_memory_t m); /* accepts NULL */

/* The arguments of a primitive; cpu_argument ignores NULL. */
struct cpu_arguments {
	int n;
	dnnl_exec_arg_t at[5];
};
void cpu_argument(struct cpu_arguments *a, int name, dnnl_memory_t m);

/* A primitive with its descriptor. */
struct cpu_primitive {
	dnnl_primitive_desc_t pd;
	dnnl_primitive_t p;
};
void cpu_execute(struct kf_backend *b, const struct cpu_primitive *p,
	const struct cpu_arguments *a);
void cpu_primitive_free(struct cpu_primitive *p);

/* Makes a primitive that copies from one layout to another. */
void cpu_reorder_make(struct kf_backend *b, struct cpu_primitive *p, cpu_const_md from,
	cpu_const_md to, dnnl_primitive_attr_t attr);
/* Makes one, executes it and frees it; src is only read. */
void cpu_reorder(struct kf_backend *b, cpu_const_md from, float *src, cpu_const_md to,
	float *dst);

#endif
