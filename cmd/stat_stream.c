/* What kfkd-stat prints about a stream. */
#include "stat.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli.h"
#include "rows/stats.h"

void print_scale(const char *what, const struct kf_scale *s, int n)
{
	char text[160];

	if (!kf_is_scaled(s[0]))
		return;
	kf_scales_print(s, n, text, sizeof text);
	printf("%s: %s\n", what, text);
}

static void print_columns(const char *title, const struct kf_names *names,
	const struct kf_stat *column)
{
	if (names->n == 0)
		return;
	printf("\n%-28s %8s %9s %9s %9s\n", title, "count", "min", "max", "mean");
	for (int i = 0; i < names->n; i++)
		printf("%-28s %8" PRIu64 " %9.3f %9.3f %9.3f\n", names->name[i],
			column[i].n, column[i].min, column[i].max,
			kf_stat_mean(&column[i]));
}

/* As the tutorial prints it after loading, with the mean added. */
static void print_whole(const char *tensor, uint64_t rows, size_t columns,
	const struct kf_stat *s)
{
	printf("%s.shape == (%" PRIu64 ", %zu); ", tensor, rows, columns);
	printf("%s.min == %.3f; %s.max == %.3f; %s.mean == %.3f\n", tensor, s->min,
		tensor, s->max, tensor, kf_stat_mean(s));
}

void print_names(const char *title, const struct kf_names *names)
{
	for (int i = 0; i < names->n; i++)
		printf("%s%s%s", i ? ", " : title, i ? "" : ": ", names->name[i]);
	if (names->n)
		printf("\n");
}

/* What rows say of where they are from. */
static void print_texts(const struct kf_schema *s)
{
	if (s->name_width)
		printf("name: up to %d bytes\n", s->name_width);
	if (s->file_width)
		printf("file: up to %d bytes%s%s\n", s->file_width,
			s->has_face ? ", with the face's number" : "",
			s->has_transform ? ", with the transform to the image" : "");
}

static void print_stream(const struct kf_schema *schema, const struct kf_stats *s)
{
	size_t columns = (size_t)schema->columns.n, p = (size_t)schema->p_columns.n;

	printf("rows: %" PRIu64 "\n", s->rows);
	if (schema->no_images)
		printf("images: none, of %d x %d, channels: %d\n", schema->w, schema->h,
			schema->c);
	else
		printf("images: %d x %d, channels: %d, type: %s%s\n", schema->w,
			schema->h, schema->c, kf_dtype_name(schema->dtype),
			kf_scaled_bytes(schema) ? ", bytes that stand for v / 255" :
						  "");
	if (schema->map[0])
		printf("maps: %d x %d, channels: %d\n", schema->map[2], schema->map[1],
			schema->map[0]);
	print_scale("X.scale", &schema->x_scale, 1);
	print_scale("y.scale", schema->y_scale, 2);
	print_scale("p.scale", schema->p_scale, 2);
	if (schema->classes)
		printf("classes: %d\n", schema->classes);
	print_names("names of classes", &schema->class_names);
	print_texts(schema);
	print_columns("column of y", &schema->columns, s->column);
	print_columns("column of p", &schema->p_columns, s->p_column);
	printf("\n");
	if (!schema->no_images)
		print_whole("X", s->rows, kf_image_pixels(schema), &s->X);
	if (columns)
		print_whole("y", s->rows, columns, &s->y);
	if (p)
		print_whole("p", s->rows, p, &s->p);
	if (schema->map[0])
		print_whole("map", s->rows, kf_map_values(schema), &s->map);
	if (schema->has_label)
		print_whole("label", s->rows, 1, &s->label);
}

void stat_stream(struct kf_st *st)
{
	const struct kf_schema *schema;
	struct kf_stats stats;
	struct kf_reader *in;
	struct kf_chunk *chunk;
	struct kf_err err;

	in = kf_reader_from(st, false, &err);
	must(in, &err);
	schema = kf_reader_schema(in);
	check(kf_stats_init(&stats, schema, &err), &err);
	while ((chunk = cli_next(in)))
		kf_stats_add(&stats, schema, chunk);
	print_stream(schema, &stats);
	kf_stats_free(&stats);
	kf_reader_close(in);
}
