/* A net on a backend: its weights, and passes over batches of rows. */
#ifndef KF_NET_H
#define KF_NET_H

#include "net/backend.h"
#include "net/layers.h"
#include "stream/tensor.h"

struct kf_net {
	struct kf_backend *b;
	const struct kf_layers *layers;
	struct kf_mem *weights; /* (layers->floats) */
	/* Of the same size, and NULL until the first training pass: gradients, but not
	 * after kf_net_train, and, where weights has statistics, those of the last
	 * batch. */
	struct kf_mem *grads;
	bool *made; /* (layers->n_params): steps made in a pass, likewise NULL */
	struct kf_batch *batches; /* plans and activations for each batch size */
};

/*
 * Opens a net with zero weights on a backend, which must outlive it, as must layers.
 * -1 on failure; kf_net_close it in any case.
 */
int kf_net_open(struct kf_net *net, struct kf_backend *b,
	const struct kf_layers *layers, struct kf_err *err);
void kf_net_close(struct kf_net *net);

/*
 * Initializes the weights like Lasagne's GlorotUniform: uniformly from -a to a, where
 * a = sqrt(6 / ((n1 + n2) field)), n1 and n2 are the first two dimensions and field
 * is the product of the others.  Batch norm's weights and variances are 1; biases and
 * means stay 0.  -1 when out of memory.
 */
int kf_net_init(struct kf_net *net, uint64_t seed, struct kf_err *err);

/*
 * Copies the first n parameters of an arena (weights, gradients or an optimizer state)
 * to a tensor each, in PyTorch's shape, whose name is the prefix and the parameter's.
 * The caller frees each tensor's data and the array.  NULL when out of memory.
 */
struct kf_tensor *kf_net_get(struct kf_net *net, const struct kf_mem *arena,
	const char *prefix, int n);

/*
 * The inverse: sets those of the first n_found parameters of an arena that t (n) has
 * under such a name and in the same shape.  found (n_found) tells which; returns how
 * many.
 */
int kf_net_set(struct kf_net *net, struct kf_mem *arena, const char *prefix,
	const struct kf_tensor *t, int n, bool *found, int n_found);

/*
 * The outputs for n rows of images (.., c, h, w), warped unless warps is NULL.  They
 * belong to the net and are valid until the next pass; NULL when it cannot be started.
 * As the operations on them fail later, the backend's sync reports further failures.
 */
struct kf_act *kf_net_forward(struct kf_net *net, const struct kf_mem *images,
	const uint32_t *rows, const struct kf_warp *warps, int n,
	const struct kf_pass *pass, struct kf_err *err);

/* A batch's targets, and where its loss goes; see the backend's loss operations. */
struct kf_target {
	const struct kf_mem *values; /* targets (.., outputs), or labels (..) */
	const uint32_t *rows;        /* (n) of values */
	double present; /* number of targets that are not missing, of all ranks; rows */
			/* of the batch where it classifies; infinite if none counts */
	bool classify;  /* cross-entropy, else loss */
	struct kf_loss loss;
	struct kf_mem *losses, *hits;
	size_t slot; /* index into losses and hits */
};

/*
 * One pass over n rows of images, warped unless warps is NULL: sets the loss and, in a
 * training pass, the net's gradients; pass->make is ignored.  Where ranks share the batch
 * out, gradients and statistics are those of all of it, and the loss is this rank's part.
 * -1 when it cannot be started; the backend's sync reports further failures.
 */
int kf_net_loss(struct kf_net *net, const struct kf_mem *images, const uint32_t *rows,
	const struct kf_warp *warps, int n, const struct kf_target *target,
	const struct kf_pass *pass, struct kf_err *err);

/*
 * A training pass, for which pass->train is true, and a step by its gradients: what
 * kf_net_loss and then kf_net_update do, but with less memory to go through, as gradients
 * need not be stored.
 */
int kf_net_train(struct kf_net *net, const struct kf_mem *images, const uint32_t *rows,
	const struct kf_warp *warps, int n, const struct kf_target *target,
	const struct kf_pass *pass, const struct kf_update *u, struct kf_mem *state1,
	struct kf_mem *state2, struct kf_err *err);

/*
 * The gradient at the input (n, c, h, w) of something whose gradient at the outputs of the
 * last pass is dy (n, outputs), a pass with pass->train over n rows.  It belongs to the net
 * and is valid until the next pass; NULL when it cannot be started.
 */
struct kf_act *kf_net_input_gradient(struct kf_net *net, const float *dy, int n,
	const struct kf_pass *pass, struct kf_err *err);

/* The outputs of the last pass, which was over n rows. */
struct kf_act *kf_net_outputs(struct kf_net *net, int n);
/* The same of layer i, unless the pass trained. */
struct kf_act *kf_net_layer(struct kf_net *net, int n, int i);

/* How far batch norm's statistics move towards those of a batch. */
#define KF_STATISTICS_PART 0.1F

/* One step of an update rule by the gradients of the last pass of kf_net_loss; statistics move
 * towards those of its batch. */
void kf_net_update(struct kf_net *net, const struct kf_update *u, struct kf_mem *state1,
	struct kf_mem *state2);

#endif
