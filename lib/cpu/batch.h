/* Batches between layers: their layout and memory, and filling them with data. */
#ifndef KF_CPU_BATCH_H
#define KF_CPU_BATCH_H

#include "cpu/internal.h"

/* The layout of images of a shape (c, h, w) between two layers.  A layer's input and
 * output differ in block where one of them has few channels or a single pixel. */
struct cpu_layout cpu_layout_of(struct kf_backend *b, const int shape[3]);

/* The position of value (c, h, w) in an image of that layout. */
static inline size_t cpu_position(const struct cpu_layout *l, int c, int h, int w)
{
	size_t row = (size_t)(c / l->block) * (size_t)l->h + (size_t)h;
	size_t pixel = row * (size_t)l->w + (size_t)w;

	return pixel * (size_t)l->block + (size_t)(c % l->block);
}

/* Floats in an image of this layout, including the padding of its last block. */
size_t cpu_image_floats(const struct cpu_layout *l);

/* The same for all images of a batch. */
size_t cpu_batch_floats(const struct kf_act *a);

/* Image i of a batch in memory; NULL if it has none, after a failure. */
float *cpu_image(const struct kf_act *a, int i);

/* Points a batch at its own or its lender's memory, allocated on first use; false on
 * failure. */
bool cpu_batch_memory(struct kf_backend *b, struct kf_act *a);

/* Copies rows of data that wait for it, if a is a batch of such. */
void cpu_copy_rows(struct kf_backend *b, struct kf_act *a);

/* Copies a batch to or from plain (n, c, h, w). */
void cpu_to_plain(struct kf_backend *b, const struct kf_act *a, float *plain);
void cpu_from_plain(struct kf_backend *b, float *plain, struct kf_act *a);

/* As struct kf_backend_ops describes them. */
struct kf_act *cpu_act(struct kf_backend *b, const struct kf_plan *plan,
	struct kf_act *lender);
struct kf_act *cpu_input(struct kf_backend *b, int n, const int shape[3]);
void cpu_free_act(struct kf_backend *b, struct kf_act *a);
void cpu_take(struct kf_backend *b, struct kf_act *a, const struct kf_mem *m,
	const uint32_t *rows, const struct kf_warp *warps);
void cpu_write_act(struct kf_backend *b, struct kf_act *a, const float *src);

#endif
