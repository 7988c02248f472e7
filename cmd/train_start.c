/* Starting from weights that are there already. */
#include "train_start.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "listing.h"
#include "net/model.h"

/* The first tensor whose name no parameter of the net has, or NULL. */
static const struct kf_tensor *stranger(const struct kf_layers *l,
	const struct kf_model *m)
{
	for (int i = 0; i < m->n; i++) {
		bool known = false;

		for (int j = 0; j < l->n_params; j++)
			known |= !strcmp(l->param[j].name, m->param[i].name);
		if (!known)
			return &m->param[i];
	}
	return NULL;
}

static void check_param(const struct kf_param *p, const struct kf_model *m,
	const char *name)
{
	char want[100], is[100];

	if (kf_param_find(p, "", m->param, m->n))
		return;
	shape_text(p->shape, p->rank, want, sizeof want);
	for (int i = 0; i < m->n; i++)
		if (!strcmp(p->name, m->param[i].name)) {
			shape_text(m->param[i].shape, m->param[i].rank, is, sizeof is);
			die("'%s': tensor '%s' is %s, and %s in the net", name, p->name,
				is, want);
		}
}

/* In weights that another program has saved, a name or a shape that does not fit is taken
 * for a mistake: the net is another one. */
static void check_weights(const struct kf_layers *l, const struct kf_model *m,
	const char *name, const bool *taken)
{
	const struct kf_tensor *other = stranger(l, m);

	for (int i = 0; i < l->n_params; i++)
		check_param(&l->param[i], m, name);
	for (int i = 0; i < l->n_params; i++)
		if (!taken[i])
			die("'%s': there is no tensor '%s' of the net's%s%s%s", name,
				l->param[i].name, other ? ", but a '" : "",
				other ? visible(other->name) : "", other ? "'" : "");
	if (other)
		die("'%s': tensor '%s' is none of the net's parameters", name,
			visible(other->name));
}

void train_start_from(struct kf_net *net, const char *path, struct progress *p)
{
	const struct kf_layers *l = net->layers;
	struct kf_model m;
	struct kf_err err;
	const char *name;
	bool *taken = calloc((size_t)l->n_params, sizeof *taken);
	int fd = cli_open(path, &name);
	int n;

	must_alloc(taken);
	check(kf_model_read_weights(&m, fd, name, &err), &err);
	n = kf_net_set(net, net->weights, "", m.param, m.n, taken, l->n_params);
	if (!m.net)
		check_weights(l, &m, name, taken);
	if (n == 0)
		die("nothing in '%s' fits: it has no parameter of the net's names and "
		    "shapes",
			name);
	for (int i = 0; i < l->n_params; i++)
		progress_say(p, "%s %s", l->param[i].name,
			taken[i] ? "is taken over" :
				   "starts at random: none of its name and shape");
	kf_model_free(&m);
	free(taken);
	close(fd);
}
