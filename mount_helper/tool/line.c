// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* A line of text that grows. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

void line_put(struct line *line, const char *text, size_t len)
{
	if (line->len + len + 1 > line->room) {
		size_t room = 2 * (line->len + len) + 128;
		char *more = line->text || !line->room ? realloc(line->text, room) : NULL;

		if (!more)
			free(line->text);
		line->text = more;
		line->room = room;
	}
	if (!line->text)
		return;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
}

void line_no_memory(struct line *line)
{
	free(line->text);
	line->text = NULL;
	line->room = 1;
}

void line_print(struct line *line, const char *fmt, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len >= 0) {
		line_put(line, text, len);
		free(text);
	} else {
		line_no_memory(line);
	}
}

unsigned int width_of(const char *text)
{
	unsigned int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

void line_padded(struct line *line, const char *text, unsigned int width, bool right)
{
	unsigned int own = text ? width_of(text) : 0;

	if (!text) {
		line_no_memory(line);
		return;
	}
	/* The end is then as less(1) has it. */
	if (own > width) {
		line_put(line, text, width - 1);
		line_put(line, ">", 1);
		return;
	}
	if (right && own < width)
		line_print(line, "%*s", (int)(width - own), "");
	line_put(line, text, strlen(text));
	if (!right && own < width)
		line_print(line, "%*s", (int)(width - own), "");
}
