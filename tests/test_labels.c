/* Label files of photographs: what is read of each format, and what each refuses. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "formats/loader.h"
#include "labels/coco.h"
#include "labels/labels.h"
#include "labels/points.h"
#include "tap.h"

/* -- helpers --------------------------------------------------------------------- */

/* A file of these bytes. */
static int file_of(const char *text, size_t n)
{
	struct kf_err err;
	int fd = memfd_create("labels", MFD_CLOEXEC);

	if (fd < 0 || kf_write(fd, "test", text, n, &err) < 0 ||
		lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
}

static void put_number(FILE *f, double v)
{
	if (isnan(v))
		fputs("-", f);
	else
		fprintf(f, "%.10g", v);
}

/* A list as text: its columns, then a line a face. */
static char *show(const struct kf_faces *f)
{
	size_t size;
	char *text, *columns = kf_names_join(&f->columns);
	FILE *to = open_memstream(&text, &size);

	if (!to || !columns)
		abort();
	fprintf(to, "%s\n", columns);
	free(columns);
	for (size_t i = 0; i < f->n; i++) {
		const struct kf_photo_face *face = &f->face[i];

		fprintf(to, "%s %d", face->file, face->number);
		if (kf_face_has_box(face))
			fprintf(to, " [%.10g %.10g %.10g %.10g]", face->x, face->y,
				face->w, face->h);
		if (face->name)
			fprintf(to, " name=%s", face->name);
		if (face->label)
			fprintf(to, " label=%s", face->label);
		if (!face->point != !f->columns.n)
			fputs(" points and columns differ", to);
		for (int j = 0; face->point && j < f->columns.n; j++) {
			fputc(j % 2 ? ',' : ' ', to);
			put_number(to, face->point[j]);
		}
		fputc('\n', to);
	}
	fclose(to);
	return text;
}

/* Appends what a text holds, read in pieces of so many bytes. */
static int append(struct kf_faces *f, const char *text, const char *name,
	const char *directory, size_t piece, struct kf_err *err)
{
	int rc, fd = file_of(text, strlen(text));
	struct kf_input in;

	if (kf_input_open(&in, fd, name, err) < 0)
		abort();
	in.piece = piece;
	rc = kf_faces_read(f, &in, directory, err);
	kf_input_close(&in);
	close(fd);
	return rc;
}

static bool same(const char *got, const char *want)
{
	if (!strcmp(got, want))
		return true;
	note("got:  %s", got);
	note("want: %s", want);
	return false;
}

/* One point: a text gives this list, however it arrives. */
static void gives(const char *what, const char *text, const char *name,
	const char *directory, const char *want)
{
	static const size_t pieces[] = { KF_INPUT_PIECE, 1, 7 };
	bool good = true;

	for (int i = 0; i < 3; i++) {
		struct kf_faces f = { 0 };
		struct kf_err err = { .msg = "" };
		char *got;

		if (append(&f, text, name, directory, pieces[i], &err) < 0)
			note("%s", err.msg);
		else
			kf_faces_number(&f, &err);
		got = show(&f);
		good &= same(got, want);
		free(got);
		kf_faces_free(&f);
	}
	ok(good, "%s", what);
}

/* One point: a text is refused with this message, and adds nothing. */
static void refuses(const char *text, const char *name, const char *message)
{
	struct kf_faces f = { 0 };
	struct kf_err err = { .msg = "" };
	int rc = append(&f, text, name, "", KF_INPUT_PIECE, &err);

	ok(rc < 0 && f.n == 0 && same(err.msg, message), "refused: %.*s",
		(int)strcspn(message, "\n"), message);
	kf_faces_free(&f);
}

/* -- COCO ---------------------------------------------------------------------------- */

static void test_coco(void)
{
	gives("COCO: names of points, missing ones, boxes, the order of images",
		"\xef\xbb\xbf {\"categories\": [{\"id\": 1, \"keypoints\": "
		"[\"nose\", \"chin\"]}], \"images\": ["
		"{\"id\": 7, \"file_name\": \"b.jpg\"},"
		"{\"id\": 9, \"file_name\": \"/a/none.jpg\"},"
		"{\"id\": \"x\", \"file_name\": \"/a/a.jpg\"}],\n\"annotations\": ["
		"{\"id\": 1, \"image_id\": \"x\", \"category_id\": 1, "
		"\"keypoints\": [1.5, 2, 2, 3, 4, 1], \"bbox\": [0, 1, 20.5, 30]},"
		"{\"id\": 2, \"image_id\": 7, \"category_id\": 1, "
		"\"keypoints\": [0, 0, 0, -3, 4, 1.0], \"bbox\": []},"
		"{\"id\": 3, \"image_id\": \"x\", "
		"\"keypoints\": [0, 0, 1, 5, 6, 0], \"bbox\": [0, 0, 0, 0]}]}",
		"l.json", "dir",
		"nose_x,nose_y,chin_x,chin_y\n"
		"dir/b.jpg 1 -,- -3,4\n"
		"/a/a.jpg 1 [0 1 20.5 30] 1.5,2 3,4\n"
		"/a/a.jpg 2 0,0 -,-\n");
	gives("COCO: points without names are numbers",
		"{\"images\": [{\"id\": 1, \"file_name\": \"a.png\"}], \"annotations\": "
		"[{\"image_id\": 1, \"keypoints\": [1, 2, 1, 3, 4, 1]}]}",
		"l.json", "", "0_x,0_y,1_x,1_y\na.png 1 1,2 3,4\n");
	gives("COCO: so where there are not as many names",
		"{\"categories\": [{\"id\": 1, \"keypoints\": [\"nose\", \"chin\"]}], "
		"\"images\": [{\"id\": 1, \"file_name\": \"a.png\"}], \"annotations\": "
		"[{\"image_id\": 1, \"category_id\": 1, \"keypoints\": [1, 2, 1]}]}",
		"l.json", ".", "0_x,0_y\na.png 1 1,2\n");
	gives("COCO: what the file declares to be without keypoints is left out",
		"{\"categories\": [{\"id\": 1, \"keypoints\": [\"nose\"]}, "
		"{\"id\": 2, \"name\": \"car\"}], "
		"\"images\": [{\"id\": 1, \"file_name\": \"a.png\"}], \"annotations\": "
		"[{\"image_id\": 1, \"category_id\": 2, \"bbox\": [1, 2, 3, 4]}, "
		"{\"image_id\": 1, \"category_id\": 1, \"keypoints\": [1, 2, 1]}]}",
		"l.json", "d/", "nose_x,nose_y\nd/a.png 1 1,2\n");
}

#define IMAGES "\"images\": [{\"id\": 1, \"file_name\": \"a.png\"}]"
#define OF(annotation) "{" IMAGES ", \"annotations\": [" annotation "]}"

static void test_coco_errors(void)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "{\"images\":\n[}",
			"'l', line 2: not JSON: unexpected token near '}'" },
		{ "{\"images\": []}", "'l': there is no list 'annotations'" },
		{ "{\"annotations\": []}", "'l': there is no list 'images'" },
		{ OF(""), "'l': there are no faces" },
		{ OF("{\"id\": 5, \"image_id\": 1}"),
			"'l': no annotation has keypoints" },
		{ OF("{\"id\": 5, \"image_id\": 1, \"keypoints\": [1, 2, 1]}, "
		     "{\"id\": \"six\", \"image_id\": 1}"),
			"'l', annotation 'six': there are no keypoints" },
		{ OF("{\"image_id\": 1, \"keypoints\": [1, 2]}"),
			"'l', annotation number 1: the keypoints are 2 numbers, which is "
			"no multiple of 3" },
		{ OF("{\"id\": 1, \"image_id\": 1, \"keypoints\": [1, 2, 1]}, "
		     "{\"id\": 2, \"image_id\": 1, \"keypoints\": [1, 2, 1, 3, 4, 1]}"),
			"'l', annotation 2: 2 keypoints, not 1 as before" },
		{ OF("{\"id\": 1, \"image_id\": 2, \"keypoints\": [1, 2, 1]}"),
			"'l', annotation 1: no image has the id 2" },
		{ OF("{\"id\": 1, \"image_id\": \"1\", \"keypoints\": [1, 2, 1]}"),
			"'l', annotation 1: no image has the id '1'" },
		{ OF("{\"id\": 1, \"image_id\": 1.5, \"keypoints\": [1, 2, 1]}"),
			"'l', annotation 1: 'image_id' is neither a whole number nor a "
			"text" },
		{ OF("{\"id\": 1, \"keypoints\": [1, 2, 1]}"),
			"'l', annotation 1: there is no 'image_id'" },
		{ OF("{\"id\": 1, \"image_id\": 1, \"keypoints\": [1, null, 1]}"),
			"'l', annotation 1: keypoints, value 2: not a number" },
		{ OF("{\"id\": 1, \"image_id\": 1, \"keypoints\": [1, 1e7, 1]}"),
			"'l', annotation 1: 1e+07 is too large for a coordinate" },
		{ OF("{\"id\": 1, \"image_id\": 1, \"keypoints\": [1, NaN, 1]}"),
			"'l', line 1: not JSON: invalid token near 'NaN'" },
		{ OF("{\"id\": 1, \"image_id\": 1, \"keypoints\": [1, 1e999, 1]}"),
			"'l', line 1: not JSON: real number overflow near '1e999'" },
		{ OF("{\"id\": 1, \"image_id\": 1, \"keypoints\": [1, 2, 1], "
		     "\"bbox\": [1, 2, 3]}"),
			"'l', annotation 1: the bbox is not 4 numbers" },
		{ OF("{\"id\": 1, \"image_id\": 1, \"keypoints\": [1, 2, 1], "
		     "\"bbox\": [1, 2, -3, 4]}"),
			"'l', annotation 1: the box is -3 x 4 pixels" },
		{ "{\"images\": [{\"file_name\": \"a\"}], \"annotations\": []}",
			"'l', image number 1: there is no id" },
		{ "{\"images\": [{\"id\": 1}, {\"id\": 1}], \"annotations\": []}",
			"'l': there are two images with the id 1" },
		{ "{\"images\": [{\"id\": 1}], \"annotations\": "
		  "[{\"id\": 4, \"image_id\": 1, \"keypoints\": [1, 2, 1]}]}",
			"'l', image 1: there is no 'file_name'" },
		{ "{\"images\": [{\"id\": 1, \"file_name\": \"a\\nb\"}], "
		  "\"annotations\": "
		  "[{\"id\": 4, \"image_id\": 1, \"keypoints\": [1, 2, 1]}]}",
			"'l', annotation 4: the file name 'a\nb' has a control "
			"character" },
		{ "{\"categories\": [{\"id\": 1, \"keypoints\": [\"a\", \"a\"]}], " IMAGES
		  ", \"annotations\": [{\"id\": 4, \"image_id\": 1, \"category_id\": 1, "
		  "\"keypoints\": [1, 2, 1, 1, 2, 1]}]}",
			"'l', annotation 4: there are two points 'a'" },
		{ "{\"categories\": [{\"id\": 1, \"keypoints\": [\"a,b\"]}], " IMAGES
		  ", \"annotations\": [{\"id\": 4, \"image_id\": 1, \"category_id\": 1, "
		  "\"keypoints\": [1, 2, 1]}]}",
			"'l', annotation 4: column name 'a,b_x' has a comma" },
		{ "{\"categories\": [{\"id\": 1, \"keypoints\": [\"a\"]}, {\"id\": 2, "
		  "\"keypoints\": [\"b\"]}], " IMAGES ", \"annotations\": ["
		  "{\"id\": 4, \"image_id\": 1, \"category_id\": 1, "
		  "\"keypoints\": [1, 2, 1]}, {\"id\": 5, \"image_id\": 1, "
		  "\"category_id\": 2, \"keypoints\": [1, 2, 1]}]}",
			"'l', annotation 5: its category has other names of keypoints "
			"than before" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(bad[i].text, "l", bad[i].message);
}

static void test_coco_bound(void)
{
	static const char text[] = OF("{\"image_id\": 1, \"keypoints\": [1, 2, 1]}");
	struct kf_faces f = { 0 };
	struct kf_input in;
	struct kf_err err = { .msg = "" };
	int fd = file_of(text, strlen(text));

	for (size_t most = strlen(text) - 1; most <= strlen(text); most++) {
		lseek(fd, 0, SEEK_SET);
		kf_input_open(&in, fd, "l", &err);
		kf_coco_read(&f, &in, "", most, &err);
		ok(f.n == most - strlen(text) + 1 && strstr(err.msg, "too large"),
			"COCO: %zu bytes where %zu may be", strlen(text), most);
		kf_input_close(&in);
	}
	kf_faces_free(&f);
	close(fd);
}

/* -- .pts ------------------------------------------------------------------------------- */

static void test_pts(void)
{
	put("a.PNG", "");
	put("a.jpg", "");
	put("b.ppm", "");
	gives(".pts: counted from 1, in the picture of its name",
		"version: 1\nn_points: 2\n{\n1 2.5\n-3 100\n}\n", "elsewhere/a.pts",
		".", "0_x,0_y,1_x,1_y\na.jpg 1 0,1.5 -4,99\n");
	gives(".pts: spaces and line ends vary",
		"\xef\xbb\xbfversion :1\r\nn_points:1\r\n\r\n { 7\t8 }", "b.PTS", "",
		"0_x,0_y\nb.ppm 1 6,7\n");
	refuses("version: 1\nn_points: 1\n{\n1 2\n}\n", "c.pts",
		"'c.pts': there is no picture 'c' in '.' that ends in .png, .jpg, "
		".jpeg, .JPG, .PNG, .pgm or .ppm");
	refuses("version: 1\nn_points: 1\n{\n1 2\n}\n", "standard input",
		"'standard input': the picture of a .pts file has its name; so give it "
		"by its name, which ends in .pts");
	refuses("version: 2\n", "a.pts", "'a.pts', line 1: version '2', not 1");
	refuses("version: 1\rn_point: 2", "a.pts",
		"'a.pts', line 2: 'n_point' in place of 'n_points'");
	refuses("version: 1", "a.pts",
		"'a.pts', line 1: 'n_points' is missing at the end");
	refuses("version: 1\nn_points: -2", "a.pts",
		"'a.pts', line 2: '-2' is no number of points");
	refuses("version: 1\nn_points: 0", "a.pts",
		"'a.pts', line 2: there are no points");
	refuses("version: 1\nn_points: 99999999999999999999", "a.pts",
		"'a.pts', line 2: more than 2048 points");
	refuses("version: 1\nn_points: 2\n{\n1 2\n}\n", "a.pts",
		"'a.pts', line 5: 2 numbers, not the 4 of 2 points");
	refuses("version: 1\nn_points: 1\n{\n1 2\n3 4\n}\n", "a.pts",
		"'a.pts', line 5: more than 1 points, or no '}' after them");
	refuses("version: 1\nn_points: 1\n{\n1 2", "a.pts",
		"'a.pts', line 4: '}' is missing at the end");
	refuses("version: 1\nn_points: 1\n{\n1 2\n}\n\nx", "a.pts",
		"'a.pts', line 7: there is more after '}'");
	refuses("version: 1\nn_points: 1\n{\n1 0x2\n}", "a.pts",
		"'a.pts', line 4: '0x2' is not a number");
	refuses("version: 1\nn_points: 1\n{\n1 "
		"1000000000000000000000000000000000000000000000000000\n}",
		"a.pts",
		"'a.pts', line 4: '100000000000000000000000000000' is not a number");
	unlink("a.PNG");
	unlink("a.jpg");
	unlink("b.ppm");
}

/* -- dlib -------------------------------------------------------------------------------- */

static void test_dlib(void)
{
	gives("dlib: several faces, parts in any order, missing and left-out ones",
		"<?xml version='1.0' encoding='ISO-8859-1'?>\n"
		"<?xml-stylesheet type='text/xsl' href='x.xsl'?>\n"
		"<dataset><name>n</name><comment>a <b>c</b></comment><images>\n"
		"<image file='d/\xc3\xa9.jpg' width='9'>\n"
		"<box top='1' left='2' width='3' height='4'>\n"
		"<label>\n Ann &amp; B </label><part name='nose' x='5' y='6.5'/></box>\n"
		"<box top='1' left='2' width='3' height='4' ignore='1'>"
		"<part name='x' x='no' y='6'/></box>\n"
		"<box top='-1' left='2' width='3' height='4' ignore='0'>"
		"<part name='chin' x='7' y='8'/><part name='nose' x='-5' y='6'/></box>"
		"</image><image file='none.jpg'/>"
		"<image file='/b.jpg'><box top='1' left='2' width='3' height='4'/></image>"
		"</images></dataset>\n",
		"l.xml", "dir",
		"nose_x,nose_y,chin_x,chin_y\n"
		"dir/d/\xc3\xa9.jpg 1 [2 1 3 4] name=Ann & B 5,6.5 -,-\n"
		"dir/d/\xc3\xa9.jpg 2 [2 -1 3 4] -5,6 7,8\n"
		"/b.jpg 1 [2 1 3 4] -,- -,-\n");
	gives("dlib: boxes without parts",
		"<dataset><images><image file='a.jpg'>"
		"<box top='1' left='2' width='3' height='4'/></image></images></dataset>",
		"l.xml", "", "\na.jpg 1 [2 1 3 4]\n");
}

#define DLIB(box) \
	"<dataset><images><image file='a.jpg'>\n" box "</image></images></dataset>"
#define PLACE "top='1' left='2' width='3' height='4'"

static void test_dlib_errors(void)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "<?xml version='1.0'?>\n<svg/>",
			"line 2: the root is 'svg', not dlib's 'dataset'" },
		{ "<dataset>\n<images>", "line 2: not XML: no element found" },
		{ "<dataset>\n</images>", "line 2: not XML: mismatched tag" },
		{ "<dataset>\n<image/></dataset>",
			"line 2: the attribute 'file' is missing" },
		{ DLIB("<box top='1' left='2' width='3'/>"),
			"line 2: the attribute 'height' is missing" },
		{ DLIB("<box top='1' left='x' width='3' height='4'/>"),
			"line 2: 'x' is not a number" },
		{ DLIB("<box top='1' left='2' width='0' height='4'/>"),
			"line 2: the box is 0 x 4 pixels" },
		{ DLIB("<box " PLACE ">\n<part x='1' y='2'/></box>"),
			"line 3: the attribute 'name' is missing" },
		{ DLIB("<box " PLACE ">\n<part name='a' x='1'/></box>"),
			"line 3: the attribute 'y' is missing" },
		{ DLIB("<box " PLACE ">\n<part name='a' x='1' y='nan'/></box>"),
			"line 3: 'nan' is not a number" },
		{ DLIB("<box " PLACE ">\n<part name='a' x='1' y='2'/>"
		       "<part name='a' x='1' y='2'/></box>"),
			"line 3: the box has two parts 'a'" },
		{ "<!-- x -->\n<!DOCTYPE dataset [<!ENTITY a 'b'>]><dataset/>",
			"line 2: entities, such as 'a', are not supported" },
		{ "<!-- x -->\n<!DOCTYPE dataset SYSTEM 'x' [<!ENTITY % a SYSTEM "
		  "'/etc/passwd'> %a;]><dataset/>",
			"line 2: entities, such as 'a', are not supported" },
		{ "<dataset>\n&b;</dataset>", "line 2: not XML: undefined entity" },
		{ "<dataset>\n\xe9</dataset>",
			"line 2: not XML: not well-formed (invalid token)" },
	};
	char message[200];

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(message, sizeof message, "'l', %s", bad[i].message);
		refuses(bad[i].text, "l", message);
	}
	refuses("<dataset></dataset>", "l", "'l': there are no faces");
	refuses(DLIB("<box " PLACE "><part name=',' x='1' y='2'/></box>"), "l",
		"'l': column name ',_x' has a comma");
}

/* What would be gigabytes, and one tag that never ends. */
static void test_dlib_bombs(void)
{
	size_t n;
	char *text;
	FILE *f = open_memstream(&text, &n);
	clock_t start = clock();

	fputs("<?xml version='1.0'?><!DOCTYPE dataset [\n<!ENTITY a0 'ha'>", f);
	for (int i = 1; i < 40; i++)
		fprintf(f, "<!ENTITY a%d '&a%d;&a%d;&a%d;'>", i, i - 1, i - 1, i - 1);
	fputs("]><dataset><images><image file='&a39;'/></images></dataset>", f);
	fclose(f);
	refuses(text, "l", "'l', line 2: entities, such as 'a0', are not supported");
	free(text);

	text = malloc(3 << 20);
	n = (size_t)sprintf(text, "<dataset><image file='");
	memset(text + n, 'x', (3 << 20) - n - 1);
	text[(3 << 20) - 1] = '\0';
	refuses(text, "l", "'l', line 1: more than 1048576 bytes without an element");
	free(text);
	ok(clock() - start < 5 * CLOCKS_PER_SEC, "dlib: bombs end at once");
}

/* -- CSV ---------------------------------------------------------------------------------- */

static void test_csv(void)
{
	gives("CSV: names of points in any order, box, name, label, other columns",
		"\xef\xbb\xbfid,b_y,Image,a_x,label,x,y,w,h,name,other,a_y,b_x\r\n"
		"1, 4 ,\"c, d.JPG\",1,happy,5,6,7,8,Ann,zzz,2,3\r\n"
		"2,NA,c.jpg,,,,,,,,,2.5,3\r\n",
		"l.csv", "dir",
		"b_x,b_y,a_x,a_y\n"
		"dir/c, d.JPG 1 [5 6 7 8] name=Ann label=happy 3,4 1,2\n"
		"dir/c.jpg 1 3,- -,2.5\n");
	gives("CSV: numbered columns are pairs",
		",0,1,2,3\na/b.jpg,1,2,3,4\na.jpg,,6,7,8\na/b.jpg,0,0,0,0\n", "l.csv",
		"",
		"0_x,0_y,1_x,1_y\na/b.jpg 1 1,2 3,4\na.jpg 1 -,6 7,8\n"
		"a/b.jpg 2 0,0 0,0\n");
	gives("CSV: so are columns without names", "file,,\na.pgm,1,2\n", "l.csv", "",
		"0_x,0_y\na.pgm 1 1,2\n");
	gives("CSV: a column of pandas's row numbers is none", ",f,0,1\n7,a.pgm,1,2\n",
		"l.csv", "", "0_x,0_y\na.pgm 1 1,2\n");
	gives("CSV: file names alone", "file\na.pgm\nb.pgm\n", "l.csv", "",
		"\na.pgm 1\nb.pgm 1\n");
	gives("CSV: boxes alone, and what is left alone",
		"ImageId,face,file,left,top,width,height,age\n"
		"1,1,a.pgm,1,2,3,4,50\n1,2,a.pgm,0,0,0,0,\n",
		"l.csv", "", "\na.pgm 1 [1 2 3 4]\na.pgm 2\n");
}

static void test_csv_errors(void)
{
	refuses("a.jpg,1,2\nb.jpg,3,4\n", "l",
		"'l', line 2: there is no header, as 'a.jpg' is a picture's name");
	refuses("a.jpg\n", "l",
		"'l', line 1: there is no header, as 'a.jpg' is a picture's name");
	refuses("f,a_x\na.jpg,1\n", "l",
		"'l', line 2: the column 'a_x' has no partner in _y");
	refuses("f,a_x,a_y,a_x\na.jpg,1,2,3\n", "l",
		"'l', line 2: there are two columns 'a_x'");
	refuses("f,0,1,2\na.jpg,1,2,3\n", "l",
		"'l', line 2: 3 columns of coordinates are no pairs of x and y");
	refuses("f,age,score\na.jpg,1,2\n", "l",
		"'l', line 2: no column is one of coordinates: of their names none ends "
		"in _x or _y, nor are all numbers; those of a box are x, y, w, h or "
		"left, top, width, height");
	refuses("f,x,y,w,h,left,top,width,height\na.jpg,1,2,3,4,1,2,3,4\n", "l",
		"'l', line 2: there are two boxes, 'x,y,w,h' and 'left,top,width,height'");
	refuses("f,name,name\na.jpg,1,2\n", "l",
		"'l', line 2: there are two columns 'name'");
	refuses("f,a_x,a_y\na.jpg,1,2\nb.jpg,1,zwei\n", "l",
		"'l', line 3, column 'a_y': 'zwei' is not a number");
	refuses("f,a_x,a_y\na.jpg,1,2\nb.jpg,1\n", "l",
		"'l', line 3: 2 fields, but the header has 3");
	refuses("f,a_x,a_y\na.jpg,1,2\n,1,2\n", "l",
		"'l', line 3: the file name is empty");
	refuses("f,a_x,a_y\na.jpg,1,2\n\xff.jpg,1,2\n", "l",
		"'l', line 3: the file name '\xff.jpg' is not UTF-8");
	refuses("f,x,y,w,h\na.jpg,1,2,3,\n", "l",
		"'l', line 2: a part of the box is missing");
}

/* -- telling them apart --------------------------------------------------------------------- */

static void test_claims(void)
{
	static const struct {
		const char *text;
		int kind;
	} inputs[] = {
		{ "a_x,Image\n1,0 0 0 0\n", KF_LABELS_NONE },
		{ "a_x,Image,path\n1,0 0 0 0,a.jpg\n", KF_LABELS_NONE },
		{ "a.jpg,Image\n1,0 0 0 0\n", KF_LABELS_NONE },
		{ "a_x,a.jpg,Image\n", KF_LABELS_NONE },
		{ "Image\n", KF_LABELS_NONE },
		{ "{},Image\n1,0 0 0 0\n", KF_LABELS_NONE },
		{ "<a>,Image\n1,0 0 0 0\n", KF_LABELS_NONE },
		{ "version,Image\n1,0 0 0 0\n", KF_LABELS_NONE },
		{ "<html><a.jpg", KF_LABELS_NONE },
		{ "version https://git-lfs.github.com/spec/v1\na.jpg", KF_LABELS_NONE },
		{ "P5 4 4 255\n0123456789abcde.jpg", KF_LABELS_NONE },
		{ "file;a_x;a_y\na.jpg;1;2\n", KF_LABELS_NONE },
		{ "f,a_x\n\"a.jpg\"x,1\n", KF_LABELS_NONE },
		{ "hello", KF_LABELS_NONE },
		{ "", KF_LABELS_NONE },
		{ "file\na.jpg", KF_LABELS_CSV },
		{ "file\na.jpg\nb.jpg\n\"b\"c\n", KF_LABELS_CSV },
		{ "a_x,Image,a_y\n1,a.jpg,2\n", KF_LABELS_CSV },
		{ "a.jpg,1,2\nb.jpg,1,2\n", KF_LABELS_CSV },
		{ " \n{ \"images", KF_LABELS_COCO },
		{ "\xef\xbb\xbf<?xml version='1.0'?>", KF_LABELS_DLIB },
		{ "\n<dataset>", KF_LABELS_DLIB },
		{ "version : 1", KF_LABELS_PTS },
	};

	for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
		const char *text = inputs[i].text;
		int fd = file_of(text, strlen(text));
		struct kf_input in;
		struct kf_err err;

		kf_input_open(&in, fd, "l", &err);
		ok(kf_labels_claims(&in, &err) == inputs[i].kind && in.offset == 0 &&
				in.n == strlen(text) && !memcmp(in.at, text, in.n),
			"it is %d: %.*s", inputs[i].kind, (int)strcspn(text, "\n"),
			text);
		kf_input_close(&in);
		close(fd);
	}
	refuses("hello", "l",
		"'l': these are no labels of photographs: neither COCO's JSON, dlib's "
		"XML, .pts nor CSV with file names");
}

/* An image of a live sequence is claimed before anything follows it. */
static void test_live(void)
{
	struct kf_input in;
	struct kf_err err;
	int ends[2];

	if (pipe(ends) || write(ends[1], "P5 1 1 255\nx", 12) != 12)
		abort();
	kf_input_open(&in, ends[0], "l", &err);
	alarm(20);
	ok(kf_labels_claims(&in, &err) == KF_LABELS_NONE, "an image that comes alone");
	alarm(1800);
	kf_input_close(&in);
	close(ends[0]);
	close(ends[1]);
}

/* -- lists ------------------------------------------------------------------------------------ */

static void test_lists(void)
{
	struct kf_faces f = { 0 };
	struct kf_err err = { .msg = "" };
	char *got;

	append(&f, "f,a_x,a_y\na.jpg,1,2\nb.jpg,3,4\n", "1", "d", KF_INPUT_PIECE, &err);
	append(&f, "f,a_x,a_y\na.jpg,5,6\n/c,7,8\n", "2", "d", KF_INPUT_PIECE, &err);
	ok(append(&f, "f,a_x,a_y,b_x,b_y\na.jpg,5,6,7,8\n", "3", "", KF_INPUT_PIECE,
		   &err) < 0 &&
			same(err.msg,
				"'3': other points than before: column 3, 'b_x', is one "
				"more"),
		"lists with other points are refused");
	ok(kf_faces_add_photo(&f, "x.png", &err) < 0 &&
			same(err.msg,
				"'x.png' has no points, but the labels before it do"),
		"so are photographs without labels");
	kf_faces_number(&f, &err);
	got = show(&f);
	ok(same(got,
		   "a_x,a_y\nd/a.jpg 1 1,2\nd/b.jpg 1 3,4\nd/a.jpg 2 5,6\n/c 1 7,8\n"),
		"lists are appended, and the faces of a file counted over all");
	free(got);
	kf_faces_free(&f);
	kf_faces_add_photo(&f, "x.png", &err);
	kf_faces_add_photo(&f, "/y.png", &err);
	ok(append(&f, "f,a_x,a_y\na.jpg,1,2\n", "1", "", KF_INPUT_PIECE, &err) < 0 &&
			strstr(err.msg, "'a_x', is one more"),
		"photographs, then points");
	append(&f, "f,x,y,w,h\na.jpg,1,2,3,4\n", "1", "", KF_INPUT_PIECE, &err);
	kf_faces_number(&f, &err);
	got = show(&f);
	ok(same(got, "\nx.png 1\n/y.png 1\na.jpg 1 [1 2 3 4]\n"),
		"photographs, then boxes");
	free(got);
	ok(kf_faces_add_photo(&f, "a\x1b", &err) < 0 &&
			same(err.msg, "the file name 'a\x1b' has a control character"),
		"a name that cannot be shown");
	kf_faces_free(&f);
}

/* A hundred thousand faces, in the order that is worst for counting. */
static void test_many(void)
{
	struct kf_photo_face face = { KF_NO_BOX };
	struct kf_faces f = { 0 };
	struct kf_err err;
	char name[20];
	bool good = true;
	clock_t start = clock();

	face.file = name;
	for (int i = 0; i < 100000; i++) {
		sprintf(name, "%d", i % 1000);
		kf_faces_add(&f, "", &face, 0, &err);
	}
	kf_faces_number(&f, &err);
	for (int i = 0; i < 100000; i++)
		good &= f.face[i].number == i / 1000 + 1;
	ok(good && f.n == 100000, "100,000 faces are counted");
	ok(clock() - start < 10 * CLOCKS_PER_SEC, "... in no time");
	kf_faces_free(&f);
}

/* -- points -------------------------------------------------------------------------------------- */

/* What a list of points makes of labels, or the message. */
static void makes(const char *points, const char *labels, const char *want)
{
	int fd = file_of(points, strlen(points));
	struct kf_point_list l;
	struct kf_faces f = { 0 };
	struct kf_err err = { .msg = "" };
	char *got = NULL;

	if (append(&f, labels, "l", "", KF_INPUT_PIECE, &err) < 0)
		note("%s", err.msg);
	if (kf_point_list_read(&l, fd, "p", &err) == 0 &&
		kf_point_list_apply(&l, &f, &err) == 0)
		got = show(&f);
	ok(same(got ? got : err.msg, want), "points: %.*s", (int)strcspn(want, "\n"),
		want);
	free(got);
	kf_faces_free(&f);
	kf_point_list_free(&l);
	close(fd);
}

static void test_points(void)
{
	static const char four[] = "f,0,1,2,3,4,5,6,7\na.jpg,1,2,3,5,5,8,,\n";
	static const char named[] =
		"f,a_x,a_y,b c_x,b c_y,0-1_x,0-1_y,mean_x,mean_y\na.jpg,1,2,3,4,5,6,7,\n";
	static const char padded[] = "f,08_x,08_y,10_x,10_y,09_x,09_y\n"
				     "a.jpg,1,2,3,4,5,9\n";

	makes("\xef\xbb\xbf# c\r\n\r\n two=2# 1\r\n", four,
		"'p', line 3: the labels have no point '2# 1'; of several take the mean");
	makes("nose = 2 # tip\nall = mean 0-2\n\nsome=mean 3 1\nlast = mean 3\nlast2 = 3",
		four,
		"nose_x,nose_y,all_x,all_y,some_x,some_y,last_x,last_y,last2_x,last2_y\n"
		"a.jpg 0 5,8 3,5 -,- -,- -,-\n");
	makes("x = mean a 0-1\ny = b c\nz = mean\nw = 1\nv = mean 1-2", named,
		"x_x,x_y,y_x,y_y,z_x,z_y,w_x,w_y,v_x,v_y\n"
		"a.jpg 0 3,4 3,4 7,- 3,4 4,5\n");
	makes("x = 8\ny = mean 8-10", padded, "x_x,x_y,y_x,y_y\na.jpg 0 1,2 3,5\n");
	makes("x = 4", four, "'p', line 1: the labels have no point '4'");
	makes("x = 1\ny = mean 2-9", four, "'p', line 2: the labels have no point '4'");
	makes("x = 7", padded, "'p', line 1: the labels have no point '7'");
	makes("x = 0-1", four,
		"'p', line 1: the labels have no point '0-1'; of several take the mean");
	makes("x = mean 2-1", four, "'p', line 1: the labels have no point '2-1'");
	makes("x = mean 1 99999999999999", four,
		"'p', line 1: the labels have no point '99999999999999'");
	makes("x = nose", four, "'p', line 1: the labels have no point 'nose'");
	makes("x = 1", "f\na.jpg\n", "'p' names points, but the labels have none");
	makes("# nothing\n", four, "'p' names no points");
	makes("x\n", four, "'p', line 1: there is no '='");
	makes("x =\n", four, "'p', line 1: there is no point after '='");
	makes(" = 1\n", four, "'p', line 1: there is no name before '='");
	makes("x = 1\nx = 2\n", four, "'p', line 2: there are two points 'x'");
	makes("a,b = 1\n", four, "'p', line 1: column name 'a,b_x' has a comma");
}

/* -- real files ------------------------------------------------------------------------------------- */

/* Reads a file of the photographs at hand. */
static int read_real(struct kf_faces *f, const char *directory, const char *file)
{
	struct kf_input in;
	struct kf_err err;
	char path[5000];
	int rc, fd;

	snprintf(path, sizeof path, "%s/%s", directory, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || kf_input_open(&in, fd, path, &err) < 0)
		return -1;
	rc = kf_faces_read(f, &in, directory, &err);
	if (rc < 0)
		note("%s", err.msg);
	kf_input_close(&in);
	close(fd);
	kf_faces_number(f, &err);
	return rc;
}

/* The examples' list makes 15 points of iBUG's 68. */
static void test_kaggle(struct kf_faces *f, const char *examples)
{
	const double *p = f->n ? f->face[0].point : NULL;
	double left = 0, chin = p ? p[2 * 8 + 1] : 0;
	struct kf_point_list l;
	struct kf_err err = { .msg = "" };
	int fd = open(examples, O_RDONLY | O_CLOEXEC);

	for (int i = 42; p && i < 48; i++)
		left += p[2 * i] / 6;
	if (kf_point_list_read(&l, fd, examples, &err) < 0 ||
		kf_point_list_apply(&l, f, &err) < 0)
		note("%s", err.msg);
	p = f->n ? f->face[0].point : NULL;
	ok(p && f->columns.n == 30 &&
			!strcmp(f->columns.name[28], "mouth_center_bottom_lip_x"),
		"iBUG's points to Kaggle's: 15 names");
	ok(p && fabs(p[0] - left) < 1e-9 && p[0] > p[2] && p[1] < p[21] &&
			p[21] < p[29] && p[29] < chin && p[22] > p[24],
		"... the left eye has the larger x, and all are below one another");
	kf_point_list_free(&l);
	close(fd);
}

/* Whether a face's picture is this file in the directory that KFKD_PHOTOS names. */
static bool is_picture(const struct kf_photo_face *face, const char *name)
{
	size_t end = strlen(face->file), n = strlen(name);

	return end > n && !strcmp(face->file + end - n, name) &&
		face->file[end - n - 1] == '/' && access(face->file, R_OK) == 0;
}

/* Reads a file below the directory of photographs. */
static bool read_photos(struct kf_faces *f, const char *photos, const char *directory,
	const char *file)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", photos, directory);
	return read_real(f, path, file) == 0;
}

/* Labels as they go round, where KFKD_PHOTOS names some. */
static void test_real(const char *examples)
{
	struct kf_faces f = { 0 };
	const char *photos = getenv("KFKD_PHOTOS");

	if (!photos) {
		ok(true, "real label files # SKIP KFKD_PHOTOS is not set");
		return;
	}
	ok(read_photos(&f, photos, "coco", "test_cofw.json") && f.n == 2 &&
			f.columns.n == 58 && f.face[0].number == 1 &&
			kf_face_has_box(&f.face[1]) &&
			is_picture(&f.face[1], "001805.jpg"),
		"COFW: two faces of 29 points");
	kf_faces_free(&f);
	ok(read_photos(&f, photos, "coco", "test_300w.json") && f.n == 2 &&
			f.columns.n == 136,
		"300-W: two faces of 68 points");
	test_kaggle(&f, examples);
	kf_faces_free(&f);
	ok(read_photos(&f, photos, "pts", "image_0010.pts") && f.n == 1 &&
			f.columns.n == 136 &&
			is_picture(&f.face[0], "image_0010.png") &&
			fabs(f.face[0].point[0] - 610.284152) < 1e-9,
		".pts: a face of 68 points");
	test_kaggle(&f, examples);
	kf_faces_free(&f);
	ok(read_photos(&f, photos, "dlib", "faces.xml") && f.n == 5 &&
			f.columns.n == 136 && kf_face_has_box(&f.face[4]) &&
			!strcmp(f.columns.name[0], "00_x") && f.face[0].number == 1 &&
			f.face[4].number > 1,
		"dlib: five faces of 68 points in two pictures");
	test_kaggle(&f, examples);
	kf_faces_free(&f);
}

int main(void)
{
	char dir[] = "/tmp/kfkd-labels-XXXXXX";

	test_real("examples/ibug68-to-kaggle15.points");
	if (!mkdtemp(dir) || chdir(dir))
		abort();
	test_coco();
	test_coco_errors();
	test_coco_bound();
	test_pts();
	test_dlib();
	test_dlib_errors();
	test_dlib_bombs();
	test_csv();
	test_csv_errors();
	test_claims();
	test_live();
	test_lists();
	test_many();
	test_points();
	ok(rmdir(dir) == 0, "nothing is left");
	return done_testing();
}
