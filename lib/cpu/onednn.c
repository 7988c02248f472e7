/* oneDNN's memory, primitives and changes of layout. */
#include "cpu/onednn.h"

#include <stdlib.h>

#include "cpu/memory.h"

bool cpu_has(dnnl_cpu_isa_t isa)
{
	return (dnnl_get_effective_cpu_isa() & isa) == isa;
}

/* -- memory descriptors -------------------------------------------------------- */

#if DNNL_VERSION_MAJOR >= 3

cpu_md cpu_md_new(dnnl_data_type_t type, int rank, const dnnl_dims_t dims,
	dnnl_format_tag_t tag)
{
	cpu_md md = NULL;

	if (dnnl_memory_desc_create_with_tag(&md, rank, dims, type, tag) !=
		dnnl_success)
		return NULL;
	return md;
}

void cpu_md_free(cpu_md md)
{
	if (md)
		dnnl_memory_desc_destroy(md);
}

#else

cpu_md cpu_md_new(dnnl_data_type_t type, int rank, const dnnl_dims_t dims,
	dnnl_format_tag_t tag)
{
	cpu_md md = malloc(sizeof *md);

	if (md &&
		dnnl_memory_desc_init_by_tag(md, rank, dims, type, tag) == dnnl_success)
		return md;
	free(md);
	return NULL;
}

void cpu_md_free(cpu_md md)
{
	free(md);
}

#endif

static dnnl_format_tag_t tag_of(int block)
{
	switch (block) {
	case 0: return dnnl_format_tag_any;
	case 8: return dnnl_aBcd8b;
	case 16: return dnnl_aBcd16b;
	default: return dnnl_abcd;
	}
}

cpu_md cpu_md_image(dnnl_data_type_t type, const struct cpu_layout *l, int block)
{
	const dnnl_dims_t dims = { 1, l->c, l->h, l->w };

	return cpu_md_new(type, 4, dims, tag_of(block));
}

cpu_md cpu_md_images(int n, const struct cpu_layout *l, int block)
{
	const dnnl_dims_t dims = { n, l->c, l->h, l->w };

	return cpu_md_new(dnnl_f32, 4, dims, tag_of(block));
}

size_t cpu_md_floats(cpu_const_md md)
{
	return (dnnl_memory_desc_get_size(md) + sizeof(float) - 1) / sizeof(float);
}

/* -- memory -------------------------------------------------------------------- */

bool cpu_good(struct kf_backend *b, dnnl_status_t status, const char *what)
{
	if (status != dnnl_success)
		cpu_fail(b, "oneDNN: %s failed with status %d", what, (int)status);
	return !cpu(b)->failed;
}

dnnl_memory_t cpu_memory_new(struct kf_backend *b, cpu_const_md md, float *data)
{
	dnnl_memory_t m = NULL;

	cpu_good(b, dnnl_memory_create(&m, md, cpu(b)->engine, data), "memory");
	return m;
}

void cpu_memory_set(struct kf_backend *b, dnnl_memory_t m, float *data)
{
	cpu_good(b, dnnl_memory_set_data_handle(m, data), "memory");
}

void cpu_memory_free(dnnl_memory_t m)
{
	if (m)
		dnnl_memory_destroy(m);
}

/* -- primitives ---------------------------------------------------------------- */

void cpu_argument(struct cpu_arguments *a, int name, dnnl_memory_t m)
{
	if (m)
		a->at[a->n++] = (dnnl_exec_arg_t){ name, m };
}

void cpu_execute(struct kf_backend *b, const struct cpu_primitive *p,
	const struct cpu_arguments *a)
{
	dnnl_stream_t stream = cpu(b)->stream;

	if (cpu_good(b, dnnl_primitive_execute(p->p, stream, a->n, a->at), "execution"))
		cpu_good(b, dnnl_stream_wait(stream), "execution");
}

void cpu_primitive_free(struct cpu_primitive *p)
{
	if (p->p)
		dnnl_primitive_destroy(p->p);
	if (p->pd)
		dnnl_primitive_desc_destroy(p->pd);
}

void cpu_reorder_make(struct kf_backend *b, struct cpu_primitive *p, cpu_const_md from,
	cpu_const_md to, dnnl_primitive_attr_t attr)
{
	dnnl_engine_t e = cpu(b)->engine;

	if (cpu_good(b,
		    dnnl_reorder_primitive_desc_create(&p->pd, from, e, to, e, attr),
		    "reorder"))
		cpu_good(b, dnnl_primitive_create(&p->p, p->pd), "reorder");
}

void cpu_reorder(struct kf_backend *b, cpu_const_md from, float *src, cpu_const_md to,
	float *dst)
{
	dnnl_memory_t m1 = NULL, m2 = NULL;
	struct cpu_primitive p = { 0 };
	struct cpu_arguments a = { 0 };

	cpu_reorder_make(b, &p, from, to, NULL);
	if (!cpu(b)->failed && (m1 = cpu_memory_new(b, from, src)) &&
		(m2 = cpu_memory_new(b, to, dst))) {
		cpu_argument(&a, DNNL_ARG_FROM, m1);
		cpu_argument(&a, DNNL_ARG_TO, m2);
		cpu_execute(b, &p, &a);
	}
	cpu_memory_free(m1);
	cpu_memory_free(m2);
	cpu_primitive_free(&p);
}
