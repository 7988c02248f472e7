/* Descriptions of convolutions for oneDNN. */
#include "cpu/onednn_describe.h"

#if DNNL_VERSION_MAJOR >= 3

dnnl_status_t cpu_append_relu(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0, 0);
}

dnnl_status_t cpu_conv_describe(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
	enum cpu_direction direction, const struct cpu_conv_description *c,
	const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward)
{
	const dnnl_alg_kind_t kind = dnnl_convolution_direct;

	switch (direction) {
	case CPU_FORWARD:
		return dnnl_convolution_forward_primitive_desc_create(pd, engine,
			dnnl_forward_training, kind, c->l[CPU_CONV_X],
			c->l[CPU_CONV_WEIGHTS], c->l[CPU_CONV_BIAS], c->l[CPU_CONV_Y],
			c->strides, c->no_dilation, c->pad, c->pad, attr);
	case CPU_BACKWARD_WEIGHTS:
		return dnnl_convolution_backward_weights_primitive_desc_create(pd,
			engine, kind, c->l[CPU_CONV_X], c->l[CPU_CONV_WEIGHTS],
			c->l[CPU_CONV_BIAS], c->l[CPU_CONV_Y], c->strides,
			c->no_dilation, c->pad, c->pad, forward, attr);
	case CPU_BACKWARD_DATA: break;
	}
	return dnnl_convolution_backward_data_primitive_desc_create(pd, engine, kind,
		c->l[CPU_CONV_X], c->l[CPU_CONV_WEIGHTS], c->l[CPU_CONV_Y], c->strides,
		c->no_dilation, c->pad, c->pad, forward, attr);
}

#else

dnnl_status_t cpu_append_relu(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
}

static dnnl_status_t init(dnnl_convolution_desc_t *d, enum cpu_direction direction,
	const struct cpu_conv_description *c)
{
	const dnnl_alg_kind_t kind = dnnl_convolution_direct;

	switch (direction) {
	case CPU_FORWARD:
		return dnnl_convolution_forward_desc_init(d, dnnl_forward_training,
			kind, c->l[CPU_CONV_X], c->l[CPU_CONV_WEIGHTS],
			c->l[CPU_CONV_BIAS], c->l[CPU_CONV_Y], c->strides, c->pad,
			c->pad);
	case CPU_BACKWARD_WEIGHTS:
		return dnnl_convolution_backward_weights_desc_init(d, kind,
			c->l[CPU_CONV_X], c->l[CPU_CONV_WEIGHTS], c->l[CPU_CONV_BIAS],
			c->l[CPU_CONV_Y], c->strides, c->pad, c->pad);
	case CPU_BACKWARD_DATA: break;
	}
	return dnnl_convolution_backward_data_desc_init(d, kind, c->l[CPU_CONV_X],
		c->l[CPU_CONV_WEIGHTS], c->l[CPU_CONV_Y], c->strides, c->pad, c->pad);
}

dnnl_status_t cpu_conv_describe(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
	enum cpu_direction direction, const struct cpu_conv_description *c,
	const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward)
{
	dnnl_convolution_desc_t d;
	dnnl_status_t status = init(&d, direction, c);

	return status != dnnl_success ?
		status :
		dnnl_primitive_desc_create(pd, &d, attr, engine, forward);
}

#endif
