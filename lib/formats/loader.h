/*
 * What kfkd-load does: an input in one of several formats, told apart by their
 * first bytes, becomes chunks of rows.
 */
#ifndef KF_LOADER_H
#define KF_LOADER_H

#include "formats/format.h"

/*
 * Reads as far as it takes to know the schema. in stays the caller's and must
 * outlive the loader, as must the options.  NULL with err filled where the input
 * is damaged or an option does not go with its format.
 */
struct kf_loader *kf_loader_open(struct kf_input *in,
	const struct kf_load_options *options, struct kf_err *err);
const struct kf_schema *kf_loader_schema(const struct kf_loader *l);

/*
 * The next rows, a full chunk unless the format is a live one; they are the
 * loader's and live until the next call.  Returns 1, 0 at the end, or -1.
 */
int kf_loader_next(struct kf_loader *l, const struct kf_chunk **chunk,
	struct kf_err *err);
void kf_loader_close(struct kf_loader *l); /* NULL is allowed */

#endif
