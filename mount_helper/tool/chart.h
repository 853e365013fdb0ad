/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* Numbers as a picture: of text, or as SVG. */
#ifndef LIBBPFFS_CHART_H
#define LIBBPFFS_CHART_H

#include "line.h"

/**
 * struct chart - numbers to be drawn
 * @number: the numbers; a long double holds those of 64 bits
 * @title: which map they are of
 * @what: which ones
 * @count: how many
 * @name: of each, as bars; NULL: they are numbered from 0 on
 * @is_log2: a number in place n counts what was from 2^n on
 * @time: of a series: when each was, in seconds since the first; else NULL
 * @samples: of a series: how many there will be
 */
struct chart {
	long double *number;
	const char *title;
	const char *what;
	size_t count;
	char **name;
	bool is_log2;
	double *time;
	size_t samples;
};

/* A number; what is not whole, and small, with a decimal. */
void put_quantity(struct line *line, long double number);

/* A line of characters, high as the numbers are: blocks, if the locale has them. */
void put_blocks(struct line *line, const long double *number, size_t count);

/* How many bars there are to see: if they are numbered, up to the last that is not 0. */
size_t shown_bars(const struct chart *chart);

/* These below each other, a line each. */
void put_bars(struct line *line, const struct chart *chart, unsigned int width);

/* A series, from left to right, in so many lines. */
#define CHART_ROWS	8
#define CHART_LINES	(CHART_ROWS + 1)
/* On a narrower terminal, lines go on in the next one. */
#define CHART_WIDTH_MIN	20U
void put_series(struct line *line, const struct chart *chart, unsigned int width);

/* A picture, for light and dark pages; more bars nobody can tell apart. */
#define CHART_BARS_MAX	128
void put_svg(struct line *line, const struct chart *chart);

#endif
