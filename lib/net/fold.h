/* Folding batch norm into the layer in front of it, so that predicting costs nothing for
 * it; and nets without anything that training does otherwise. */
#ifndef KF_FOLD_H
#define KF_FOLD_H

#include "net/layers.h"

/*
 * Changes l to a net that computes the same outside training: a convolution or dense
 * layer that only batch norm reads gets a bias and the norm's activation, and the norm
 * goes.  t (n) has all parameters of l; those of the new net come back, l->n_params
 * tensors that the caller frees with kf_fold_free.  NULL when out of memory, with l
 * still to be freed.
 */
struct kf_tensor *kf_fold(struct kf_layers *l, const struct kf_tensor *t, int n,
	struct kf_err *err);
/*
 * The same, and more: all other batch norm becomes convolutions or dense layers that do
 * what it does, and dropout goes.  Such a net computes in training what l does outside, and
 * so gives the gradients of that.
 */
struct kf_tensor *kf_fold_all(struct kf_layers *l, const struct kf_tensor *t, int n,
	struct kf_err *err);
void kf_fold_free(struct kf_tensor *folded, int n);

#endif
