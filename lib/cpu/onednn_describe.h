/* Descriptions of convolutions, which differ between oneDNN's versions 2 and 3. */
#ifndef KF_CPU_ONEDNN_DESCRIBE_H
#define KF_CPU_ONEDNN_DESCRIBE_H

#include "cpu/onednn.h"

/* The tensors of a convolution; in backward directions, some are gradients. */
enum cpu_conv_role { CPU_CONV_X, CPU_CONV_WEIGHTS, CPU_CONV_BIAS, CPU_CONV_Y };
enum { CPU_CONV_ROLES = CPU_CONV_Y + 1 };

/* The tensors' layouts, NULL for a bias that is not there, and the geometry. */
struct cpu_conv_description {
	cpu_const_md l[CPU_CONV_ROLES];
	dnnl_dims_t strides, pad, no_dilation;
};

/* Describes a convolution as a primitive; forward is NULL in that direction. */
dnnl_status_t cpu_conv_describe(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
	enum cpu_direction direction, const struct cpu_conv_description *c,
	const_dnnl_primitive_attr_t attr, const_dnnl_primitive_desc_t forward);

dnnl_status_t cpu_append_relu(dnnl_post_ops_t ops);

#endif
