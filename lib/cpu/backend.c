/* The CPU backend's table of operations, and how it is opened. */
#define _GNU_SOURCE
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "base/signals.h"
#include "cpu/batch.h"
#include "cpu/chain.h"
#include "cpu/learn.h"
#include "cpu/memory.h"
#include "cpu/onednn.h"
#include "cpu/panel_kernels.h"
#include "cpu/panels.h"
#include "cpu/team.h"

/* Nothing goes on in the background. */
static int cpu_sync(struct kf_backend *b, struct kf_err *err)
{
	if (!cpu(b)->failed)
		return 0;
	*err = cpu(b)->first;
	return -1;
}

static void cpu_close(struct kf_backend *b)
{
	free(cpu(b)->workspace);
	dnnl_stream_destroy(cpu(b)->stream);
	dnnl_engine_destroy(cpu(b)->engine);
	free(b);
}

static void cpu_read_act(struct kf_backend *b, struct kf_act *a, float *dst)
{
	cpu_copy_rows(b, a);
	cpu_materialize(b, a);
	if (cpu(b)->failed)
		return;
	if (a->layout.block == 1)
		memcpy(dst, a->f, cpu_batch_floats(a) * sizeof *dst);
	else
		cpu_to_plain(b, a, dst);
}

/* -- layers ---------------------------------------------------------------------- */

static const struct cpu_layer *const layers[KF_LAYER_KIND_COUNT] = {
#define ROW(NAME, word, ...) [KF_##NAME] = &cpu_##word,
	KF_LAYER_KINDS(ROW)
#undef ROW
};

static const struct kf_param *param(const struct kf_param *params, int index)
{
	return index < 0 ? NULL : &params[index];
}

static struct kf_plan *cpu_plan(struct kf_backend *b, const struct kf_layer *layer,
	const struct kf_param *params, int n)
{
	struct kf_plan *plan = calloc(1, sizeof *plan);

	if (!plan) {
		cpu_fail(b, "out of memory");
		return NULL;
	}
	plan->layer = layer;
	plan->weight = param(params, layer->weight);
	plan->bias = param(params, layer->bias);
	plan->mean = param(params, layer->mean);
	plan->variance = param(params, layer->variance);
	plan->n = n;
	plan->ops = layers[layer->kind];
	plan->x = cpu_layout_of(b, layer->in);
	plan->y = cpu_layout_of(b, layer->out);
	plan->ops->make(b, plan);
	return plan;
}

static void cpu_free_plan(struct kf_backend *b, struct kf_plan *plan)
{
	if (plan->ops->free)
		plan->ops->free(plan);
	cpu_chain_free(b, plan);
	free(plan);
}

static void cpu_forward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights,
	const struct kf_flow *f)
{
	struct kf_act *x = f->x, *y = f->y;
	struct cpu_deferred d = { .plan = plan,
		.pass = *pass,
		.weights = weights,
		.x = x,
		.other = f->other };

	if (cpu(b)->failed)
		return;
	if (!plan->ops->takes_rows || x->layout.block > 1)
		cpu_copy_rows(b, x);
	if (f->other)
		cpu_copy_rows(b, f->other);
	if (cpu(b)->failed)
		return;
	if (plan->ops->survey)
		plan->ops->survey(b, plan, pass, weights, f);
	if (plan->ops->only_in_training && !pass->train) {
		y->f = x->f;
		y->state = x->state;
		y->deferred = x->deferred;
	} else if (plan->ops->image_forward) {
		cpu_chain_forward(&d, y);
	} else {
		cpu_materialize(b, x);
		if (!cpu(b)->failed)
			plan->ops->forward(b, plan, weights, f);
	}
	/* else each reader would compute it */
	if (plan->layer->readers > 1)
		cpu_materialize(b, y);
}

static void backward_complete(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	cpu_materialize(b, f->dy);
	if (f->sum_dx && f->dx)
		cpu_materialize(b, f->dx);
	if (f->sum_other && f->d_other)
		cpu_materialize(b, f->d_other);
	if (!cpu(b)->failed)
		plan->ops->backward(b, plan, pass, weights, grads, f);
}

/* Only a gradient that one layer sets, from an output that has no other reader, may be
 * with respect to the pre-activation: others are wanted with respect to the output. */
static bool sets_preactivation(const struct kf_plan *plan, const struct kf_flow *f)
{
	return cpu_gives_preactivation(plan, f->x) && !f->sum_dx;
}

static void cpu_backward(struct kf_backend *b, struct kf_plan *plan,
	const struct kf_pass *pass, const struct kf_mem *weights, struct kf_mem *grads,
	const struct kf_flow *f)
{
	struct cpu_deferred d = { .plan = plan,
		.pass = *pass,
		.weights = weights,
		.grads = grads,
		.x = f->x,
		.other = f->other,
		.y = f->y,
		.dy = f->dy };

	if (cpu(b)->failed)
		return;
	if (plan->ops->survey_backward)
		plan->ops->survey_backward(b, plan, weights, grads, f);
	if (f->dx)
		f->dx->wrt_preactivation = sets_preactivation(plan, f);
	if (f->dx && !f->sum_dx)
		f->dx->state = CPU_READY;
	if (f->d_other && !f->sum_other)
		f->d_other->state = CPU_READY;
	if (f->d_other)
		f->d_other->wrt_preactivation = false;
	if (plan->ops->image_backward)
		cpu_chain_backward(b, &d, f->dx, f->sum_dx);
	else
		backward_complete(b, plan, pass, weights, grads, f);
}

/* -- opening --------------------------------------------------------------------- */

static const struct kf_backend_ops operations = {
	.close = cpu_close,
	.sync = cpu_sync,
	.check = cpu_sync,
	.alloc = cpu_alloc,
	.adopt = cpu_adopt,
	.show = cpu_show,
	.free = cpu_free,
	.write = cpu_write,
	.read = cpu_read,
	.copy = cpu_copy,
	.write_param = cpu_write_param,
	.read_param = cpu_read_param,
	.plan = cpu_plan,
	.free_plan = cpu_free_plan,
	.act = cpu_act,
	.free_act = cpu_free_act,
	.input = cpu_input,
	.take = cpu_take,
	.write_act = cpu_write_act,
	.read_act = cpu_read_act,
	.forward = cpu_forward,
	.backward = cpu_backward,
	.regression = cpu_regression,
	.cross_entropy = cpu_cross_entropy,
	.update = cpu_update,
	.sum = cpu_sum,
	.finish_sums = cpu_finish_sums,
	.average = cpu_average,
};

/*
 * Flushes denormals to zero in the calling thread: the velocities of dead units become
 * denormal within 60 epochs, which slows some CPUs down.
 */
static void flush_denormals(void)
{
#if defined(__SSE2__)
	_mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
	uint64_t fpcr;

	__asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
	__asm__ volatile("msr fpcr, %0" : : "r"(fpcr | (uint64_t)1 << 24));
#endif
}

/*
 * Starts the team of threads, of at most so many as are asked for, and returns how many
 * OpenMP gives: the environment may limit them.  oneDNN's products wait for as many as
 * it was promised, and are wrong if there are fewer; so from here on the number that is
 * asked for is the number that was given, and it does not change between regions.
 */
static int start_team(int wanted)
{
	int threads = 1;

	omp_set_dynamic(0);
	omp_set_max_active_levels(1);
	if (wanted <= 0)
		wanted = omp_get_max_threads();
	omp_set_num_threads(wanted < KF_THREADS_MAX ? wanted : KF_THREADS_MAX);
	/*
	 * Threads inherit the mode of denormals from the one that starts them.  It is
	 * set in the calling thread as well as in the team, as clang's OpenMP restores
	 * the caller's mode after the region.
	 */
	flush_denormals();
#pragma omp parallel
	{
		flush_denormals();
		kf_signal_stack(); /* data may be mapped */
#pragma omp single
		threads = omp_get_num_threads();
	}
	omp_set_num_threads(threads);
	return threads;
}

static struct kf_backend *cpu_open(const struct kf_backend_options *options,
	struct kf_err *err)
{
	const dnnl_version_t *v = dnnl_version();
	struct cpu *c;

	/* processors with AMX-BF16 have these, too */
	if (options->bf16 && !cpu_has(dnnl_cpu_isa_avx512_core_bf16)) {
		kf_fail(err,
			"this processor has no bf16 instructions (avx512_bf16 or "
			"amx_bf16)");
		return NULL;
	}
	c = calloc(1, sizeof *c);
	if (!c) {
		kf_fail_memory(err);
		return NULL;
	}
	c->threads = start_team(options->threads);
	cpu_team_start(&c->base);
	c->base.op = &operations;
	c->recompute = options->recompute;
	c->bf16 = options->bf16;
	c->kernels = cpu_kernels(c->bf16);
	/* the environment may allow oneDNN to round to fewer bits */
	dnnl_set_default_fpmath_mode(dnnl_fpmath_mode_strict);
	/* as many channels as a vector register has floats */
	c->block = cpu_has(dnnl_cpu_isa_avx512_core) ? 16 : 8;
	if (dnnl_engine_create(&c->engine, dnnl_cpu, 0) != dnnl_success ||
		dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags) !=
			dnnl_success) {
		kf_fail(err, "oneDNN does not start");
		free(c);
		return NULL;
	}
	snprintf(c->base.device, sizeof c->base.device,
		"cpu (oneDNN %d.%d.%d, %d thread%s%s)", v->major, v->minor, v->patch,
		c->threads, c->threads == 1 ? "" : "s", c->bf16 ? ", bf16" : "");
	return &c->base;
}

__attribute__((visibility("default")))
const struct kf_plugin kf_plugin = { KF_PLUGIN_ABI, cpu_open };
