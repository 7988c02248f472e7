/*
 * Arrays of the host's that come one after another.  Each goes to pinned memory, and from
 * there in a stream of its own to the device; both are there twice and serve in turn, so
 * that neither the host nor the copy has to wait for what the device does with the array
 * before.
 */
#include "show.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* Larger ones are few, and not worth as much pinned memory: they are copied as they lie. */
#define PINNED_MAX ((size_t)64 << 20)

struct buffer {
	void *host, *device;
	size_t host_bytes, device_bytes;
	cudaEvent_t copied; /* from host to device */
	cudaEvent_t used;   /* by all that read device until the next array came */
};

struct shown {
	struct buffer buffer[2];
	int now; /* the one that was shown last */
};

static struct kf_mem *new_shown(struct kf_backend *b)
{
	struct kf_mem *m = calloc(1, sizeof *m);

	if (m && (m->shown = calloc(1, sizeof *m->shown)))
		return m;
	free(m);
	cuda_fail(b, "out of memory");
	return NULL;
}

static void free_buffer(struct kf_backend *b, struct buffer *t)
{
	cuda_check(b, cudaFree(t->device), "freeing memory"); /* waits for all work */
	cuda_check(b, cudaFreeHost(t->host), "freeing pinned memory");
	if (t->copied)
		cudaEventDestroy(t->copied);
	if (t->used)
		cudaEventDestroy(t->used);
}

void cuda_free_shown(struct kf_backend *b, struct shown *s)
{
	for (int i = 0; i < 2; i++)
		free_buffer(b, &s->buffer[i]);
	free(s);
}

static void copy_beside(struct kf_backend *b, struct buffer *t, const void *host,
	size_t bytes)
{
	cudaStream_t copies = cuda(b)->copies;

	cuda_check(b, cudaEventSynchronize(t->copied), "copying to the device");
	cuda_grow_pinned(b, &t->host, &t->host_bytes, bytes);
	if (cuda(b)->failed)
		return;
	memcpy(t->host, host, bytes);
	cuda_check(b, cudaStreamWaitEvent(copies, t->used, 0), "waiting for an event");
	cuda_check(b,
		cudaMemcpyAsync(t->device, t->host, bytes, cudaMemcpyHostToDevice,
			copies),
		"copying to the device");
	cuda_order(b, copies, t->copied, 0);
}

/* Makes the other buffer the current one, with this array. */
static void turn(struct kf_backend *b, struct shown *s, const void *host, size_t bytes)
{
	struct buffer *last = &s->buffer[s->now], *t = &s->buffer[!s->now];

	cuda_make_stream(b, &cuda(b)->copies);
	for (int i = 0; i < 2; i++) {
		cuda_make_event(b, &s->buffer[i].copied);
		cuda_make_event(b, &s->buffer[i].used);
	}
	cuda_grow(b, &t->device, &t->device_bytes, bytes, 1);
	if (cuda(b)->failed)
		return;
	s->now = !s->now;
	cuda_check(b, cudaEventRecord(last->used, 0), "recording an event");
	if (bytes <= PINNED_MAX)
		copy_beside(b, t, host, bytes);
	else
		cuda_check(b,
			cudaMemcpy(t->device, host, bytes, cudaMemcpyHostToDevice),
			"copying to the device");
}

struct kf_mem *cuda_show(struct kf_backend *b, struct kf_mem *m, void *host,
	enum kf_dtype dtype, size_t n)
{
	if (!m && !(m = new_shown(b)))
		return NULL;
	turn(b, m->shown, host, n * kf_dtype_size(dtype));
	if (cuda(b)->failed) {
		cuda_free(b, m);
		return NULL;
	}
	m->f = m->shown->buffer[m->shown->now].device;
	m->n = n;
	m->bytes = dtype == KF_U8;
	return m;
}
