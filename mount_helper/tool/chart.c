// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Numbers as a picture of text. */
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart-range.h"
#include "layout.h"

void put_quantity(struct line *line, long double number)
{
	line_print(line, fabsl(number) < 100 && number != truncl(number) ? "%.1Lf" : "%.0Lf",
		   number);
}

/* --- Blocks --- */

#define EIGHTHS		8

static const char *block(unsigned int eighths)
{
	static const char * const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char * const marks[] = { " ", ".", ".", ":", ":", "+", "*", "#", "@" };

	return (strcmp(nl_langinfo(CODESET), "UTF-8") ? marks : blocks)[eighths];
}

/* In a row of @rows, counted from below; whatever is more than nothing is seen. */
static const char *block_of(long double share, unsigned int row, unsigned int rows)
{
	unsigned int height = share > 0 ? 1 + (unsigned int)(share * (rows * EIGHTHS - 1)) : 0;

	if (height <= row * EIGHTHS)
		return block(0);
	height -= row * EIGHTHS;
	return block(height < EIGHTHS ? height : EIGHTHS);
}

void put_blocks(struct line *line, const long double *number, size_t count)
{
	long double most = 1;
	size_t n;

	for (n = 0; n < count; n++)
		most = fmaxl(most, number[n]);
	for (n = 0; n < count; n++)
		line_print(line, "%s", block_of(number[n] / most, 0, 1));
}

/* --- Bars --- */

static char *number_text(long double number)
{
	struct line line = {};

	put_quantity(&line, number);
	return line.text;
}

size_t shown_bars(const struct chart *chart)
{
	size_t count = chart->count;

	while (!chart->name && count > 1 && !chart->number[count - 1])
		count--;
	return count;
}

char *bar_name(const struct chart *chart, size_t n)
{
	struct line line = {};

	if (chart->name)
		line_print(&line, "%s", chart->name[n]);
	else if (chart->is_log2 && n < 64)
		line_print(&line, "%llu -> %llu", n ? 1ULL << n : 0, (2ULL << n) - 1);
	else
		line_print(&line, "%zu", n);
	return line.text;
}

/* A name is cut, as is one of a row. */
#define NAME_WIDTH	44

void put_bars(struct line *line, const struct chart *chart, unsigned int width)
{
	long double most = 0;
	unsigned int name_width = 1, number_width = 1, room, bar;
	size_t count = shown_bars(chart), n;
	char *name, *number;

	for (n = 0; n < count; n++) {
		name = bar_name(chart, n);
		number = number_text(chart->number[n]);
		if (!name || !number)
			line_no_memory(line);
		name_width = max(name_width, name ? width_of(name) : 0);
		number_width = max(number_width, number ? width_of(number) : 0);
		most = fmaxl(most, chart->number[n]);
		free(name);
		free(number);
	}
	name_width = min(name_width, NAME_WIDTH);
	room = name_width + number_width + 4;
	room = width > room + 8 ? width - room : 8;
	for (n = 0; n < count; n++) {
		name = bar_name(chart, n);
		number = number_text(chart->number[n]);
		line_put(line, " ", 1);
		line_padded(line, name, name_width, !chart->name);
		line_put(line, " ", 1);
		line_padded(line, number, number_width, true);
		line_put(line, " |", 2);
		bar = chart->number[n] > 0 ? 1 + (unsigned int)(chart->number[n] / most * (room - 1)) : 0;
		while (bar--)
			line_put(line, "#", 1);
		line_put(line, "\n", 1);
		free(name);
		free(number);
	}
}

/* --- A series --- */

struct range range_of(const struct chart *chart)
{
	struct range range = {};
	bool whole = true;
	size_t n;

	for (n = 0; n < chart->count; n++) {
		range.low = fminl(range.low, chart->number[n]);
		range.high = fmaxl(range.high, chart->number[n]);
		whole &= chart->number[n] == truncl(chart->number[n]);
	}
	if (range.low == range.high)
		range.high++;
	range.step = nice_step((range.high - range.low) / 4);
	/* Half an element is none. */
	if (whole)
		range.step = fmaxl(range.step, 1);
	range.low = floorl(range.low / range.step) * range.step;
	range.high = ceill(range.high / range.step) * range.step;
	return range;
}

long double nice_step(long double least)
{
	long double power = powl(10, floorl(log10l(least)));
	long double digit = least / power;

	return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

void put_short(struct line *line, long double number)
{
	static const char * const units[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t unit = 0;

	for (; fabsl(number) >= 1000 && unit < 6; unit++)
		number /= 1000;
	line_print(line, "%.4Lg%s", number, units[unit]);
}

static char *short_text(long double number)
{
	struct line line = {};

	put_short(&line, number);
	return line.text;
}

/* The mean of those that share a column. */
static long double mean(const struct chart *chart, size_t first, size_t count)
{
	long double sum = 0;
	size_t n;

	for (n = 0; n < count; n++)
		sum += chart->number[first + n];
	return sum / count;
}

/* At the top, in the middle and at the bottom there are numbers; the rows are their space. */
static void put_margin(struct line *line, const struct range *range, unsigned int row,
		       unsigned int width)
{
	long double at = row == CHART_ROWS - 1 ? range->high :
			 row ? (range->low + range->high) / 2 : range->low;
	struct line text = {};

	line_put(&text, "", 0);
	if (!row || row == CHART_ROWS - 1 || row == CHART_ROWS / 2)
		put_short(&text, at);
	line_padded(line, text.text, width, true);
	line_put(line, " |", 2);
	free(text.text);
}

void put_series(struct line *line, const struct chart *chart, unsigned int width)
{
	unsigned int margin = 7, room = width > margin + 12 ? width - margin - 4 : 8, row, i;
	/* Of each sample several columns, or of each column several samples. */
	size_t wide = chart->samples < room ? room / chart->samples : 1;
	size_t deep = (chart->samples + room - 1) / room, n, used;
	struct range range = range_of(chart);
	char *end;

	for (row = CHART_ROWS; row--;) {
		put_margin(line, &range, row, margin);
		for (n = 0; n < chart->count; n += deep) {
			long double number = mean(chart, n, min(deep, chart->count - n));
			long double share = (number - range.low) / (range.high - range.low);

			for (i = 0; i < wide; i++)
				line_print(line, "%s", block_of(share, row, CHART_ROWS));
		}
		line_put(line, "\n", 1);
	}
	end = short_text(roundl(chart->time[chart->count - 1] * 10) / 10);
	used = (chart->count + deep - 1) / deep * wide;
	line_print(line, "%*s  0", (int)margin, "");
	line_padded(line, end, used < 8 ? 7 : used - 1, true);
	line_print(line, " s\n");
	free(end);
}
