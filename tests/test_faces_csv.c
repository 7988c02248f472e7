/*
 * kfkd-load's CSV reader.  Its fast paths are compared with slow and simple
 * ones: numbers against strtof, pixels against a loop, by all instructions that this
 * processor has, whole files against libcsv, with random input of which much is
 * unusual or wrong.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "formats/loader.h"
#include "formats/parse.h"
#include "formats/parse_pixels.h"
#include "random64.h"
#include "tap.h"

/* -- random numbers ------------------------------------------------------------ */

/* 0 to n - 1 */
static int below(int n)
{
	return (int)((random64() >> 20) % (uint64_t)n);
}

static bool one_in(int n)
{
	return below(n) == 0;
}

/* -- numbers ------------------------------------------------------------------- */

static float float_of(uint32_t bits)
{
	float v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

static uint32_t bits_of(float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	return bits;
}

static bool like_strtof(const char *text)
{
	char *end;
	float want = strtof(text, &end), got = 0;
	const char *p = kf_parse_number(text, &got);
	bool same = p == end && bits_of(got) == bits_of(want);

	if (!same)
		note("'%s': %a, strtof %a", text, got, want);
	return same;
}

static void random_decimal(char *text)
{
	char *p = text;
	int whole = below(6), places = below(one_in(4) ? 30 : 14);

	if (one_in(4))
		*p++ = one_in(4) ? '+' : '-';
	for (int i = 0; i < whole; i++)
		*p++ = (char)('0' + below(10));
	if (places || whole == 0) {
		*p++ = '.';
		for (int i = 0; i <= places; i++)
			*p++ = (char)('0' + below(10));
	}
	*p = '\0';
	if (one_in(8))
		sprintf(p, "%c%d", one_in(2) ? 'e' : 'E', below(90) - 50);
}

/* Exactly between two floats, and next to there: where rounding twice fails. */
static void random_midpoint(char *text)
{
	uint32_t bits = (uint32_t)(90 + below(60)) << 23 | (uint32_t)below(1 << 23);
	double middle = ((double)float_of(bits) + (double)float_of(bits + 1)) / 2;

	sprintf(text, "%.*f", 10 + below(50), middle);
	if (one_in(2))
		strcat(text, one_in(2) ? "0001" : "0");
}

static void test_numbers(void)
{
	static const char *const good[] = { "0", "-0", "-0.0", "5.", ".5", "+1",
		"00012", "66.0335639098", "1e5", "1E-5", "1e+05", "16777217",
		"16777219", "1.17549435e-38", "1e-45", "7e-46", "1e-400", "0e999",
		"340282346638528859811704183484516925440", "9007199254740993",
		"9007199254740992", "123456789012345678901234567890", "1e40", "-1e40",
		"0.00000000000000000000000000000000000000000000011754943508222875",
		"8388608.5", "8388609.5", "0.000000000000000000001" };
	static const char *const bad[] = { "", "-", "+", ".", "-.", "e5", "nan", "inf",
		"-inf", "infinity", "NaN", "x", "--1", "1e", "1e+", "- 1", " 1" };
	static const char *const partly[] = { "0x10", "1.5.2", "1,5", "1 2", "5f",
		"0x1p3" };
	char text[200];
	bool same = true, refused = true, partial = true;
	float v;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		same &= like_strtof(good[i]);
	ok(same, "numbers as strtof reads them");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused &= !kf_parse_number(bad[i], &v);
	ok(refused, "what is no number is refused");
	for (size_t i = 0; i < sizeof partly / sizeof *partly; i++)
		partial &= *kf_parse_number(partly[i], &v) != '\0';
	ok(partial, "a number ends where it ceases to be decimal");
	same = true;
	for (int i = 0; i < 300000 && same; i++) {
		random_decimal(text);
		same = like_strtof(text);
	}
	ok(same, "random decimals as strtof reads them, bit for bit");
	for (int i = 0; i < 100000 && same; i++) {
		random_midpoint(text);
		same = like_strtof(text);
	}
	ok(same, "so with decimals between two floats");
}

/* -- pixels --------------------------------------------------------------------- */

/* The same as kf_parse_pixels, simply. */
static const char *simple_pixels(const char *p, uint8_t *pixel, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int value = 0, digits = 0;

		if (i > 0 && *p++ != ' ')
			return NULL;
		for (; isdigit((unsigned char)*p); p++, digits++)
			value = digits < 4 ? value * 10 + (*p - '0') : 1000;
		if (digits < 1 || digits > 3 || value > 255)
			return NULL;
		pixel[i] = (uint8_t)value;
	}
	return *p == ' ' ? NULL : p;
}

/* Memory between pages that must not be touched. */
static char *fenced(size_t pages)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, (pages + 2) * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);

	if (p == MAP_FAILED || mprotect(p + page, pages * page, PROT_READ | PROT_WRITE))
		abort();
	return p + page;
}

#define ROOM 4096 /* at most a page */
static char *text_room;
static uint8_t *pixel_room;

/* Whether a parser reads what follows text[0], which is a separator, like
 * simple_pixels; at_end: what it may read ends with the room, else it starts there. */
static bool parses(const struct kf_pixel_parser *parser, const char *text, size_t n,
	bool at_end)
{
	size_t length = strspn(text + 1, "0123456789 ") + 64;
	char *copy = text_room + (at_end ? ROOM - length : 7);
	uint8_t want[ROOM], *got = pixel_room + ROOM - n;
	const char *end;
	bool same;

	memset(text_room, one_in(2) ? '7' : 0, ROOM);
	memcpy(copy - 1, text, length + 1);
	memset(got, 0, n);
	end = simple_pixels(copy, want, n);
	same = parser->parse(copy, got, n) == end && (!end || !memcmp(got, want, n));
	if (!same)
		note("%s: %zu pixels: '%s'", parser->name, n, text);
	return same;
}

/* Whether all parsers that this processor runs do so. */
static bool pixels_agree(const char *text, size_t n)
{
	bool same = true;

	for (int i = 0; i < KF_PIXEL_PARSERS; i++)
		if (kf_pixel_parsers[i].runs())
			same = same && parses(&kf_pixel_parsers[i], text, n, false) &&
				parses(&kf_pixel_parsers[i], text, n, true);
	return same;
}

static char *random_pixels(char *p, int n)
{
	int most = one_in(2) ? 256 : one_in(2) ? 100 : 10;

	for (int i = 0; i < n; i++)
		p += sprintf(p, one_in(50) ? "%s%03d" : "%s%d", i ? " " : "",
			below(most));
	return p;
}

/* Of numbers and separators one in odd is unusual. */
static char *random_text(char *p, int n, int odd)
{
	static const char *const between[] = { "  ", "\t", "", "x", ",", " \n" };
	static const char *const formats[] = { "%05d", "%04d", "%d1", "%03d", "-%d",
		"%d." };

	for (int i = 0; i < n; i++) {
		if (i > 0)
			p += sprintf(p, "%s", one_in(odd) ? between[below(6)] : " ");
		p += sprintf(p, one_in(odd) ? formats[below(6)] : "%d",
			below(one_in(odd) ? 100000 : 256));
	}
	return p;
}

/* What may follow a column of pixels, and then whatever comes. */
static void put_behind(char *p)
{
	static const char behind[] = ",\n\r\"\0x";

	*p = behind[below(sizeof behind - 1)];
	memset(p + 1, one_in(2) ? '7' : ' ', 63);
	p[64] = '\0';
}

static void test_pixels(void)
{
	static const char junk[] = "0129 ,.-+e\"\t\n\xff/:";
	static char room[ROOM];
	char *text = room + 1, *end;
	bool same = true, damaged = true, odd = true, numbers = true;

	text_room = fenced(1);
	pixel_room = (uint8_t *)fenced(1);
	for (int i = 0; i < KF_PIXEL_PARSERS; i++)
		note("instructions: %s, %s", kf_pixel_parsers[i].name,
			kf_pixel_parsers[i].runs() ? "tested" :
						     "not on this processor");
	for (int i = 0; i < 100000 && same && damaged; i++) {
		int n = 1 + below(200), want = one_in(10) ? n + below(3) - 1 : n;

		text[-1] = ",\n"[below(2)];
		end = random_pixels(text, n);
		put_behind(end);
		same = pixels_agree(room, (size_t)(want ? want : 1));
		text[below((int)(end - text))] = junk[below(sizeof junk - 1)];
		damaged = pixels_agree(room, (size_t)n);
	}
	ok(same, "random pixels as a simple loop reads them");
	ok(damaged, "so with one byte changed");
	for (int i = 0; i < 100000 && odd; i++) {
		int n = 1 + below(200);

		put_behind(random_text(text, n, one_in(2) ? 300 : 10));
		odd = pixels_agree(room, (size_t)n);
	}
	ok(odd, "so with much that is unusual");
	memset(room, 0, sizeof room);
	room[0] = ',';
	for (int at = 0; at < 70; at++)
		for (int value = 0; value < 2000; value++) {
			for (int i = 0; i < at; i++)
				text[i] = i % 2 ? ' ' : '7';
			sprintf(text + at - at % 2, "%d 3\n", value);
			numbers = numbers && pixels_agree(room, (size_t)at / 2 + 2);
		}
	ok(numbers, "each number at each place of a block");
}

/* -- whole files ------------------------------------------------------------------ */

/* All that comes of a CSV, as text and bytes: schema, rows, error. */
struct result {
	char *bytes;
	size_t n;
	char error[512]; /* "" when there is none */
};

static void write_rows(FILE *f, const struct kf_schema *s, const struct kf_chunk *c)
{
	if (s->columns.n)
		fwrite(c->y, sizeof *c->y, c->n * (size_t)s->columns.n, f);
	fwrite(c->id, sizeof *c->id, c->n, f);
	if (s->name_width)
		fwrite(c->name, (size_t)s->name_width, c->n, f);
	fwrite(c->X, kf_image_bytes(s), c->n, f);
}

static struct result load(const char *csv, size_t n,
	const struct kf_load_options *options, size_t piece)
{
	struct result r = { 0 };
	FILE *f = open_memstream(&r.bytes, &r.n);
	struct kf_err err = { .msg = "" };
	struct kf_input in;
	const struct kf_chunk *chunk;
	int rc, fd = memfd_create("csv", MFD_CLOEXEC);
	struct kf_loader *l;

	if (!f || fd < 0 || kf_write(fd, "test", csv, n, &err) < 0 ||
		lseek(fd, 0, SEEK_SET) != 0 || kf_input_open(&in, fd, "t", &err) < 0)
		abort();
	in.piece = piece;
	l = kf_loader_open(&in, options, &err);
	if (l) {
		const struct kf_schema *s = kf_loader_schema(l);
		char *names = kf_names_join(&s->columns);

		fprintf(f, "%s %d %d\n", names, s->w, s->h);
		free(names);
		while ((rc = kf_loader_next(l, &chunk, &err)) > 0)
			write_rows(f, s, chunk);
		kf_loader_close(l);
	}
	if (!l || rc < 0)
		snprintf(r.error, sizeof r.error, "%s", *err.msg ? err.msg : "?");
	kf_input_close(&in);
	close(fd);
	fclose(f);
	return r;
}

/* A field as it is, quoted, spaced or with a byte of something else. */
static void put_field(FILE *f, const char *text, int odd)
{
	static const char junk[] = "\"\" ,\r\n\t\0x-.e9";
	const char *before = one_in(odd) ? " " : "", *after = one_in(odd) ? " " : "";
	bool quoted = one_in(odd);

	fputs(before, f);
	if (quoted)
		fputc('"', f);
	for (const char *p = text; *p; p++) {
		if (one_in(odd * 300))
			fputc(junk[below(sizeof junk - 1)], f);
		if (*p == '"')
			fputc('"', f);
		fputc(*p, f);
	}
	if (quoted)
		fputc('"', f);
	fputs(after, f);
}

static void put_end(FILE *f, bool crlf, int odd)
{
	if (one_in(odd * 8))
		fputc('\0', f);
	fputs(crlf ? "\r\n" : one_in(odd * 4) ? "\r" : "\n", f);
	if (one_in(odd * 2))
		fputs(one_in(2) ? "\n" : " \t\r\n", f);
}

/* A name of a person, of which few are too long or no text. */
static void random_name(char *text)
{
	static const char *const part[] = { "anna", "J\xc3\xb6rg", " ", "\xe6\x9d\x8e",
		"\"", ",", "\t", "\xc2\x85", "\xff" };
	int n = one_in(40) ? 10 + below(15) : below(5);

	for (*text = '\0'; n > 0; n--)
		strcat(text, part[below(one_in(30) ? 9 : one_in(6) ? 6 : 4)]);
}

/* A CSV with images of w x h whose rows are plain but for one in odd or so. */
static char *random_csv(size_t *n, int w, int h, int odd)
{
	static const char *const names[] = { "a_x", "b_y", "c \"d\"", "name", "ImageId",
		"Image" };
	char *csv = NULL, text[2000];
	FILE *f = open_memstream(&csv, n);
	int columns = 1 + below(6), first = 6 - columns, turn = below(columns);
	int rows = below(8);
	bool crlf = one_in(3);

	if (one_in(10))
		fputs("\xef\xbb\xbf", f);
	for (int i = 0; i < columns; i++) {
		if (i)
			fputc(',', f);
		put_field(f, names[first + (i + turn) % columns], odd);
	}
	put_end(f, crlf, odd);
	for (int row = 0; row < rows; row++) {
		int fields = one_in(odd * 10) ? 1 + below(7) : columns;

		for (int i = 0; i < fields; i++) {
			const char *name = names[first + (i + turn) % columns];

			if (i)
				fputc(',', f);
			if (!strcmp(name, "Image"))
				random_pixels(text,
					one_in(odd * 10) ? below(90) : w * h);
			else if (!strcmp(name, "ImageId"))
				sprintf(text, "%d", below(1000) + !one_in(100));
			else if (!strcmp(name, "name"))
				random_name(text);
			else
				random_decimal(text);
			if (one_in(strncmp(name, "Image", 5) ? 5 : odd * 10))
				*text = '\0';
			put_field(f, text, odd);
		}
		if (row < rows - 1 || one_in(2))
			put_end(f, crlf, odd);
	}
	fclose(f);
	return csv;
}

static bool results_equal(const struct result *a, const struct result *b)
{
	return a->n == b->n && !memcmp(a->bytes, b->bytes, a->n) &&
		!strcmp(a->error, b->error);
}

static void test_random_csv(void)
{
	int failures = 0, good = 0;

	for (int i = 0; i < 6000 && failures < 5; i++) {
		static const int how_odd[] = { 1000000, 30, 10, 3 };
		int w = 1 + below(9), h = one_in(2) ? w : 1 + below(9);
		size_t n;
		char *csv = random_csv(&n, w, h, how_odd[below(4)]);
		struct kf_load_options fast = { 0 }, slow = { .libcsv_only = true };
		struct result a, b;

		if (w != h || one_in(2))
			fast.w = slow.w = w, fast.h = slow.h = h;
		a = load(csv, n, &fast,
			one_in(2) ? KF_INPUT_PIECE : (size_t)(1 + below((int)n + 1)));
		b = load(csv, n, &slow, KF_INPUT_PIECE);
		if (!results_equal(&a, &b)) {
			note("fast: '%s', libcsv: '%s'", a.error, b.error);
			fwrite(csv, 1, n, stderr);
			failures++;
		}
		good += !*a.error;
		free(a.bytes);
		free(b.bytes);
		free(csv);
	}
	ok(failures == 0, "random CSV: the same values or the same error as libcsv's");
	ok(good > 1000, "of which %d were good", good);
}

static void test_pieces(void)
{
	static const char csv[] =
		"\xef\xbb\xbf"
		"a_x,Image,ImageId\r\n"
		"1.25,1 22 255 4,7\r\n\r\n,\"5 6 7 8\", 8 \r\n\"2\",9 9 9 9,9\n3,0 0 0 0,10";
	struct kf_load_options how = { 0 };
	struct result whole = load(csv, sizeof csv - 1, &how, KF_INPUT_PIECE);
	bool same = !*whole.error;

	if (*whole.error)
		note("%s", whole.error);
	for (size_t piece = 1; piece < sizeof csv; piece++) {
		struct result r = load(csv, sizeof csv - 1, &how, piece);

		same &= results_equal(&r, &whole);
		free(r.bytes);
	}
	ok(same, "input that comes in pieces of any size");
	free(whole.bytes);
}

/* Quotes, spaces and letters of other scripts in names. */
static void test_names(void)
{
	static const char csv[] =
		"name,Image\nanna,1\n\" b \",2\n c ,3\n\"d, \"\"e\"\"\",4\n"
		"J\xc3\xb6rg,5\n,6\n\"\",7\n";
	static const char *const want[] = { "anna", " b ", "c", "d, \"e\"",
		"J\xc3\xb6rg", "", "" };
	bool same = true;

	for (int slow = 0; slow < 2; slow++) {
		struct kf_load_options how = { .libcsv_only = slow };
		struct result r = load(csv, sizeof csv - 1, &how, KF_INPUT_PIECE);
		size_t at = strlen(" 1 1\n") + 7 * sizeof(int64_t);

		same &= !*r.error && r.n == at + 7 * 64 + 7;
		for (size_t i = 0; same && i < 7; i++)
			same &= !strncmp(r.bytes + at + i * 64, want[i], 64);
		free(r.bytes);
	}
	ok(same, "names in quotes, with spaces, of other scripts, and none");
}

static void test_values(void)
{
	static const char csv[] = "Image,\"b\",ImageId,a\n1 2 3 4 5 255,-1.5,12,\n";
	static const float y[] = { NAN, -1.5f };
	static const int64_t id = 12;
	static const uint8_t X[] = { 1, 2, 3, 4, 5, 255 };
	struct kf_load_options how = { .w = 3, .h = 2 };
	struct kf_names columns = { 0 };
	struct result r;
	char want[100];
	int n = sprintf(want, "a,b 3 2\n");

	memcpy(want + n, y, sizeof y);
	memcpy(want + n + 8, &id, sizeof id);
	memcpy(want + n + 16, X, sizeof X);
	kf_names_add(&columns, "a");
	kf_names_add(&columns, "b");
	how.columns = &columns;
	r = load(csv, sizeof csv - 1, &how, KF_INPUT_PIECE);
	ok(!*r.error && r.n == (size_t)n + 22 && !memcmp(r.bytes, want, r.n),
		"columns in any order come out as they were asked for");
	free(r.bytes);
	kf_names_free(&columns);
}

int main(void)
{
	test_numbers();
	test_pixels();
	test_values();
	test_names();
	test_pieces();
	test_random_csv();
	return done_testing();
}
