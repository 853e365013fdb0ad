/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzers share. Inputs are text where they can be, so that the
 * corpus is read, and written, by hand.
 */
#ifndef _BPFFS_FUZZ_H
#define _BPFFS_FUZZ_H

#include <stdarg.h>

#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A law is broken: say which, and let libFuzzer keep the input. */
__attribute__((format(printf, 1, 2), noreturn))
static inline void broken(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "broken: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	abort();
}

#define law(holds, ...) do { if (!(holds)) broken(__VA_ARGS__); } while (0)

/* A copy of exactly these bytes, so that ASan sees what is read behind them. */
static inline void *exact(const void *from, size_t size)
{
	void *copy = calloc(1, size ?: 1);

	if (size)
		memcpy(copy, from, size);
	return copy;
}

/* Cut the first line off *@data, without its newline. */
static inline size_t take_line(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
	size_t len = end ? (size_t)(end - *data) : *size;

	*data += end ? len + 1 : len;
	*size -= end ? len + 1 : len;
	return len;
}

/* How many bytes a layout covers; 0 if it is none. A size never fits nothing. */
static inline u32 covered(const char *text, size_t len, enum bpffs_use use)
{
	struct bpffs_reason why = {};
	struct bpffs_layout *layout;
	unsigned int bytes = 0;

	law(bpffs_layout_compile(&layout, text, len, 0, use, &why), "a layout of nothing");
	return sscanf(why.text, "the layout covers %u ", &bytes) == 1 ? bytes : 0;
}

/* The layout @line, or NULL if it is none of 1 to @max bytes. */
static inline struct bpffs_layout *layout_of(const uint8_t *line, size_t len, u32 max,
					     enum bpffs_use use)
{
	struct bpffs_layout *layout = NULL;
	char *text = exact(line, len);
	u32 size = covered(text, len, use);

	if (size && size <= max &&
	    bpffs_layout_compile(&layout, text, len, size, use, NULL))
		layout = NULL;
	free(text);
	return layout;
}

/* Are these bytes all that a name or a text may consist of? */
static inline bool is_safe(const char *text, size_t len, const char *also)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char ch = text[i];

		if (!ch || ch > '~' || (!isalnum(ch) && !strchr("._:@+,=~-%", ch) &&
					!strchr(also, ch)))
			return false;
	}
	return true;
}

/* A reason is one printable line, and points into the text or just behind it. */
static inline void check_reason(const struct bpffs_reason *why, size_t len)
{
	size_t i;

	law(memchr(why->text, '\0', sizeof(why->text)), "a reason without an end");
	law(why->text[0], "no reason");
	for (i = 0; why->text[i]; i++)
		law(why->text[i] >= ' ' && why->text[i] <= '~', "byte %u in a reason",
		    (unsigned char)why->text[i]);
	law(why->column <= len + 1, "column %u of %zu: %s", why->column, len, why->text);
}

#endif
