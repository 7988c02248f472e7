/* A model's net on a backend, as it is applied to rows: batch norm is folded. */
#ifndef KF_MODEL_NET_H
#define KF_MODEL_NET_H

#include "net/model.h"
#include "net/net.h"

struct kf_model_net {
	struct kf_layers layers;
	struct kf_net net;
	bool opened;
};

/*
 * Opens the net of a model, which may be freed afterwards, on a backend that must outlive
 * it.  With `trains` nothing in it behaves otherwise in a training pass: there is no
 * dropout and no batch norm, so that gradients are those of what it predicts.  -1 where
 * the model lacks weights of its net; kf_model_net_close it in any case.
 */
int kf_model_net_open(struct kf_model_net *t, struct kf_backend *b,
	const struct kf_model *m, bool trains, struct kf_err *err);
void kf_model_net_close(struct kf_model_net *t);

#endif
