/*
 * What the rows of a stream have in common (column names, scaling, image
 * size), rows in memory, and the table of the tensors that rows consist of.
 */
#ifndef KF_SCHEMA_H
#define KF_SCHEMA_H

#include <stdbool.h>

#include "base/err.h"
#include "stream/names.h"
#include "stream/scale.h"
#include "stream/tensor.h"

/* A full chunk holds as many rows as fit into this, at one byte a pixel.  Fuzz targets
 * are compiled with less, which makes them ten times faster. */
#ifndef KF_CHUNK_BYTES
#define KF_CHUNK_BYTES ((size_t)4 << 20)
#endif

/* Bounds of an image: of each of c, h and w, and of their product. */
#define KF_SIDE_MAX 16384
#define KF_PIXELS_MAX ((int64_t)1 << 28)

/* What all rows of a stream have in common; free it with kf_schema_free. */
struct kf_schema {
	/* Of X: KF_U8 or KF_F32.  With an x_scale, which then is kf_pixel_scale, bytes
	 * stand for scaled values, v / 255. */
	enum kf_dtype dtype;
	int c, h, w;               /* one image */
	bool no_images;            /* X is left out; what is said of it still holds */
	struct kf_names columns;   /* of y; none: there is no y */
	struct kf_names p_columns; /* of p; none: there is no p */
	bool has_label;
	int classes;                 /* how many there are; 0: unknown */
	struct kf_names class_names; /* (classes), or none */
	int name_width, file_width; /* bytes of a row's text, stream/texts.h; 0: none */
	bool has_face, has_transform;
	int map[3]; /* channels, height and width of a row's map; 0: there is none */
	struct kf_scale x_scale;    /* of X */
	struct kf_scale y_scale[2]; /* of targets: [0] for x, [1] for y */
	struct kf_scale p_scale[2];
};

/* n rows; a tensor that the schema lacks is NULL. All zeros is an empty
 * chunk; free it with kf_chunk_free. */
struct kf_chunk {
	size_t n;
	int64_t *id;    /* (n) */
	int64_t *label; /* (n) */
	char *name;     /* (n, name_width): what the row is called, such as a person */
	char *file;     /* (n, file_width): the photograph that it is from, */
	int64_t *face;  /* (n): and the number of the face there, from 1 */
	/* (n, 2, 3): takes a position in that photograph, as seen upright, to that in the
	 * image, x' = t[0] x + t[1] y + t[2] and y' = t[3] x + t[4] y + t[5]. */
	float *transform;
	float *y;    /* (n, columns.n), NaN where missing */
	float *p;    /* (n, p_columns.n) */
	float *map;  /* (n, map): what a model makes of the image */
	void *X;     /* (n, c, h, w) of dtype */
	size_t room; /* rows allocated */
};

/* -- the schema ------------------------------------------------------------- */

/* Sets to, which held nothing; -1 when out of memory, with nothing to free. */
int kf_schema_copy(struct kf_schema *to, const struct kf_schema *from,
	struct kf_err *err);
void kf_schema_free(struct kf_schema *s);

/* What differs, for messages such as "<what> than before<how>". */
struct kf_difference {
	char what[40]; /* "another image size", "other columns" */
	char how[500]; /* "", or after a colon what differs: the first column, sizes */
};

/* Whether b differs from a; d tells the first difference. */
bool kf_schema_differs(const struct kf_schema *a, const struct kf_schema *b,
	struct kf_difference *d);
bool kf_schema_is_scaled(const struct kf_schema *s);
bool kf_scaled_bytes(const struct kf_schema *s); /* whether X is of such bytes */
/* -1 for a schema without images, for programs that need them. */
int kf_schema_need_images(const struct kf_schema *s, struct kf_err *err);
/* Whether a stream may have images, or maps, of that many channels, rows and columns. */
bool kf_size_in_bounds(int64_t c, int64_t h, int64_t w);
size_t kf_image_pixels(const struct kf_schema *s); /* c * h * w */
size_t kf_image_bytes(const struct kf_schema *s);  /* of one image */
size_t kf_map_values(const struct kf_schema *s);   /* in one map; 0 without any */
size_t kf_chunk_rows(const struct kf_schema *s);   /* of a full chunk */

/* The keys of its parts in the metadata of streams and models. */
#define KF_KEY_COLUMNS "columns"
#define KF_KEY_P_COLUMNS "p.columns"
#define KF_KEY_X_SHAPE "X.shape" /* of one image, where X is left out */
#define KF_KEY_X_SCALE "X.scale"
#define KF_KEY_Y_SCALE "y.scale"
#define KF_KEY_P_SCALE "p.scale"
#define KF_KEY_CLASSES "classes"
#define KF_KEY_CLASS_NAMES "class_names"

/* The scales of a schema, in the order of the metadata. */
#define KF_SCALES 3
extern const struct kf_scale_key {
	const char *key;
	size_t scale; /* its offset in struct kf_schema */
	int n;        /* 1, or 2 for x and y */
} kf_scale_keys[KF_SCALES];

/* -- the tensors ------------------------------------------------------------- */

/*
 * One of the tensors that rows consist of.  A row of it is an image, a map, one value for
 * each of its columns, a text, a matrix, or a single value.  An offset of 0 means none: no
 * such member comes first in its struct.
 */
struct kf_field {
	const char *name;
	size_t data;         /* offset in struct kf_chunk of the pointer to it */
	enum kf_dtype dtype; /* an image has the schema's instead */
	bool image;
	const char *key; /* its columns' names in the metadata */
	size_t columns; /* offset in struct kf_schema of these names; none: no tensor */
	size_t width;   /* of a text: an int in struct kf_schema; 0 there: no tensor */
	int matrix[2];  /* its rows and columns */
	size_t size;    /* of a map: int[3] in struct kf_schema; 0 there: no tensor */
	size_t present; /* a bool in struct kf_schema: whether it exists */
};

/* All fields, in the order in which they are written. */
#define KF_FIELDS 10
extern const struct kf_field kf_fields[KF_FIELDS];

const struct kf_field *kf_field_find(const char *name); /* or NULL */
/* Bytes of one row; 0 where the schema lacks the tensor. */
size_t kf_field_bytes(const struct kf_field *f, const struct kf_schema *s);
void *kf_field_data(const struct kf_field *f, const struct kf_chunk *c);

/* A chunk's tensors for n rows, with data where c has it; returns how many. */
int kf_chunk_tensors(const struct kf_chunk *c, const struct kf_schema *s, size_t n,
	struct kf_tensor t[KF_FIELDS]);

/* -- rows ------------------------------------------------------------------- */

/* Makes room for at least n rows, keeping those that are there.  Does not set
 * n.  0, or -1 when out of memory. */
int kf_chunk_reserve(struct kf_chunk *c, const struct kf_schema *s, size_t n,
	struct kf_err *err);
/* n rows of c from `first` on, which stay where they are. */
struct kf_chunk kf_chunk_part(const struct kf_chunk *c, const struct kf_schema *s,
	size_t first, size_t n);
/* Row i of to becomes row j of from; to may be from. */
void kf_chunk_copy_row(struct kf_chunk *to, size_t i, const struct kf_chunk *from,
	size_t j, const struct kf_schema *s);
void kf_chunk_free(struct kf_chunk *c);

#endif
