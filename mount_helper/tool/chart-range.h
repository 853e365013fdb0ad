/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What a chart of text and one of SVG have alike. */
#ifndef LIBBPFFS_CHART_RANGE_H
#define LIBBPFFS_CHART_RANGE_H

#include "chart.h"

/* Of an axis with 0 in it, in steps that one can read. */
struct range {
	long double low;
	long double high;
	long double step;
};

struct range range_of(const struct chart *chart);

/* 1, 2 or 5 of a power of 10. */
long double nice_step(long double least);

/* "1.5M" */
void put_short(struct line *line, long double number);

/* What stands at a bar, to be freed. */
char *bar_name(const struct chart *chart, size_t n);

#endif
