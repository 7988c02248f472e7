/* Texts in rows. */
#include "stream/texts.h"

#include <stdbool.h>
#include <string.h>

#include "base/visible.h"

int kf_texts_width(size_t longest)
{
	return (int)((longest + KF_TEXT_STEP) / KF_TEXT_STEP * KF_TEXT_STEP);
}

/* The place of the first byte that is not in a text, or NULL. */
static const char *fault(const char *text, int *control)
{
	for (int n; *text; text += n) {
		n = kf_utf8_length(text, control);
		if (*control || !n)
			return text;
	}
	return NULL;
}

int kf_texts_check(const char *text, struct kf_err *err)
{
	int control;

	if (strlen(text) >= KF_TEXT_MAX)
		return kf_fail(err, "it has more than %d bytes", KF_TEXT_MAX - 1);
	if (!fault(text, &control))
		return 0;
	return kf_fail(err, control ? "it has a control character" : "it is not UTF-8");
}

void kf_texts_set(char *tensor, int width, size_t row, const char *text)
{
	strncpy(tensor + row * (size_t)width, text, (size_t)width);
}

size_t kf_texts_get(const char *tensor, int width, size_t row,
	char text[KF_TEXT_MAX + 1])
{
	memcpy(text, tensor + row * (size_t)width, (size_t)width);
	text[width] = '\0';
	return strlen(text);
}

static bool is_text(const char *tensor, int width, size_t row)
{
	char text[KF_TEXT_MAX + 1];
	size_t n = kf_texts_get(tensor, width, row, text);
	int control;

	while (n < (size_t)width && !text[n])
		n++;
	return n == (size_t)width && !fault(text, &control);
}

size_t kf_texts_scan(const char *tensor, int width, size_t n)
{
	size_t row = 0;

	while (row < n && is_text(tensor, width, row))
		row++;
	return row;
}

void kf_texts_widen(const char *from, int width, char *to, int wider, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(to + i * (size_t)wider, from + i * (size_t)width, (size_t)width);
		memset(to + i * (size_t)wider + width, 0, (size_t)(wider - width));
	}
}
