/*
 * What the rows of a stream have in common (column names, scaling, image
 * size), and rows in memory.
 */
#ifndef KF_SCHEMA_H
#define KF_SCHEMA_H

#include <stdbool.h>

#include "base/err.h"
#include "stream/tensor.h"

/* A full chunk holds as many rows as fit with one byte a pixel. */
#define KF_CHUNK_BYTES ((size_t)4 << 20)
#define KF_COLUMNS_MAX 4096

/* A list of column names. */
struct kf_names {
	int n;
	char **name;
};

/* scaled = (raw - offset) / factor; factor 0 means that nothing was scaled. */
struct kf_scale {
	float offset, factor;
};

/* What all rows of a stream have in common. */
struct kf_schema {
	struct kf_names columns;   /* of y; none: there is no y */
	struct kf_names p_columns; /* of p; none: there is no p */
	bool has_label;
	char *classes;              /* number of classes as text, or NULL */
	enum kf_dtype dtype;        /* of X: KF_U8 or KF_F32 */
	int c, h, w;                /* one image */
	struct kf_scale x_scale;    /* of X */
	struct kf_scale y_scale[2]; /* of targets: [0] for x, [1] for y */
	struct kf_scale p_scale[2];
};

/* n rows; a tensor that the schema lacks is NULL. */
struct kf_chunk {
	size_t n;
	int64_t *id;    /* (n) */
	int64_t *label; /* (n) */
	float *y;       /* (n, columns.n), NaN where missing */
	float *p;       /* (n, p_columns.n) */
	void *X;        /* (n, c, h, w) of dtype */
	size_t room;    /* rows that there is memory for */
};

int kf_names_find(const struct kf_names *names, const char *name); /* or -1 */
void kf_names_add(struct kf_names *names, const char *name);
void kf_names_free(struct kf_names *names);
struct kf_names kf_names_copy(const struct kf_names *names);
bool kf_names_equal(const struct kf_names *a, const struct kf_names *b);

/* "a,b,c" for metadata and back; an empty text is no names. */
char *kf_names_join(const struct kf_names *names);
int kf_names_split(struct kf_names *names, const char *text, struct kf_err *err);

/* Refuses what cannot be a column's name: empty, a comma, control characters,
 * not UTF-8, longer than 200 bytes.  A list of names holds each once and at
 * most KF_COLUMNS_MAX. */
int kf_name_check(const char *name, struct kf_err *err);

/* 0 for a name that ends in _x, 1 for _y, else -1. */
int kf_axis(const char *name);

/* Scales as metadata: "offset factor" for each of the n, space between. */
void kf_scales_print(const struct kf_scale *s, int n, char *text, size_t size);
int kf_scales_parse(struct kf_scale *s, int n, const char *text);

struct kf_schema kf_schema_copy(const struct kf_schema *s);
void kf_schema_free(struct kf_schema *s);
/* NULL when a and b are the same, else what differs. */
const char *kf_schema_differs(const struct kf_schema *a, const struct kf_schema *b);
size_t kf_image_bytes(const struct kf_schema *s); /* of one row of X */
size_t kf_chunk_rows(const struct kf_schema *s);  /* of a full chunk */

/* Memory for at least n rows; what there is stays.  Does not set n. */
int kf_chunk_reserve(struct kf_chunk *c, const struct kf_schema *s, size_t n,
	struct kf_err *err);
/* Row i of to becomes row j of from; to may be from. */
void kf_chunk_copy_row(struct kf_chunk *to, size_t i, const struct kf_chunk *from,
	size_t j, const struct kf_schema *s);
void kf_chunk_free(struct kf_chunk *c);

#endif
