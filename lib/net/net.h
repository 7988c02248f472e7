/* A net on a backend: its weights, and passes over batches of rows. */
#ifndef KF_NET_H
#define KF_NET_H

#include "net/backend.h"
#include "net/layers.h"
#include "stream/tensor.h"

struct kf_net {
	struct kf_backend *b;
	const struct kf_layers *layers;
	struct kf_mem *weights;   /* layers->floats */
	struct kf_mem *grads;     /* the same; NULL before a backward pass */
	struct kf_batch *batches; /* plans and activations per batch size */
};

/* Backend and layers must outlive the net.  Weights start at 0. */
int kf_net_open(struct kf_net *net, struct kf_backend *b,
	const struct kf_layers *layers, struct kf_err *err);
void kf_net_close(struct kf_net *net);

/*
 * Draws the weights as Lasagne's GlorotUniform: from -a to a, where
 * a = sqrt(6 / ((n1 + n2) field)), n1 and n2 being the first two dimensions
 * and field the product of the others.  Biases become 0.
 */
int kf_net_init(struct kf_net *net, uint64_t seed, struct kf_err *err);

/*
 * An arena of the net's layout (weights, gradients, a rule's state) as one
 * tensor for each parameter, in PyTorch's shapes, named prefix and parameter;
 * NULL when out of memory.
 */
struct kf_tensor *kf_net_get(struct kf_net *net, const struct kf_mem *arena,
	const char *prefix);

/*
 * The inverse: sets what t holds under these names with the same shape, and
 * marks it in taken (layers->n_params).  Returns how many.
 */
int kf_net_set(struct kf_net *net, struct kf_mem *arena, const char *prefix,
	const struct kf_tensor *t, int n, bool *taken);

/*
 * The outputs for n rows of images (.., c, h, w), valid until the next pass of
 * as many rows; NULL after a failure, which the backend's sync reports.
 */
struct kf_act *kf_net_forward(struct kf_net *net, const struct kf_mem *images,
	const uint32_t *rows, int n, const struct kf_pass *pass);

/* What a batch is compared with, and where its loss goes. */
struct kf_target {
	const struct kf_mem *values; /* targets (.., outputs), or labels (..) */
	const uint32_t *rows;        /* (n) of values */
	double present;              /* targets that are not missing */
	bool classify;               /* cross-entropy, else squared error: see */
	/* these operations of the backend */
	struct kf_mem *losses, *hits;
	size_t slot;
};

/*
 * One pass over n rows of images, warped unless warps is NULL: sets the loss
 * and, in a training pass, the gradients.
 */
void kf_net_loss(struct kf_net *net, const struct kf_mem *images, const uint32_t *rows,
	const struct kf_warp *warps, int n, const struct kf_target *target,
	const struct kf_pass *pass);

#endif
