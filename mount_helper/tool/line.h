/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* A line of text that grows. */
#ifndef LIBBPFFS_LINE_H
#define LIBBPFFS_LINE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct line - text, all zero at first
 * @text: to be freed; NULL after no memory
 * @len: of @text
 * @room: for it
 */
struct line {
	char *text;
	size_t len;
	size_t room;
};

void line_put(struct line *line, const char *text, size_t len);

__attribute__((format(printf, 2, 3)))
void line_print(struct line *line, const char *fmt, ...);

/* There is none for a part of it, so that it has no text any more. */
void line_no_memory(struct line *line);

/* How many columns of a terminal a text has, of UTF-8. */
unsigned int width_of(const char *text);

/* What is wider is cut, and then it must be ASCII. @text: NULL after no memory */
void line_padded(struct line *line, const char *text, unsigned int width, bool right);

#endif
