// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Numbers as an SVG, that can be read at its own width of 400 and needs no other file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart-range.h"
#include "layout.h"

#define WIDTH		400
/* Of what is drawn in a frame; labels are around it. */
#define LEFT		50
#define RIGHT		388
#define TOP		54
#define BOTTOM		208
/* A bar beside its name. */
#define BAR_HEIGHT	20
#define BAR_LEFT	184
#define BAR_RIGHT	336
#define NAME_WIDTH	24

/* Without variables, which not all that draw SVGs know. */
static const char style[] =
	"<style>\n"
	"text { font: 12px system-ui, sans-serif; fill: #59636e }\n"
	".title, .name { fill: #1f2328 }\n"
	".title { font-size: 14px; font-weight: 600 }\n"
	".page { fill: #ffffff }\n"
	".bar { fill: #0969da }\n"
	".grid { stroke: #d8dee4; fill: none }\n"
	".area { fill: #0969da; fill-opacity: 0.2 }\n"
	".line { stroke: #0969da; stroke-width: 2; stroke-linejoin: round; fill: none }\n"
	"@media (prefers-color-scheme: dark) {\n"
	"text { fill: #9198a1 }\n"
	".title, .name { fill: #f0f6fc }\n"
	".page { fill: #0d1117 }\n"
	".bar { fill: #4493f8 }\n"
	".grid { stroke: #30363d }\n"
	".area { fill: #4493f8 }\n"
	".line { stroke: #4493f8 }\n"
	"}\n"
	"</style>\n";

/* What has a meaning in XML stands for itself. @text: NULL after no memory */
static void put_escaped(struct line *line, const char *text)
{
	if (!text)
		line_no_memory(line);
	for (; text && *text; text++) {
		if (strchr("<>&\"'", *text))
			line_print(line, "&#%d;", *text);
		else
			line_put(line, text, 1);
	}
}

static void put_label(struct line *line, double x, double y, const char *more, const char *text)
{
	line_print(line, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, more);
	put_escaped(line, text);
	line_print(line, "</text>\n");
}

static void begin_svg(struct line *line, const struct chart *chart, unsigned int height)
{
	line_print(line, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\" role=\"img\">\n",
		   WIDTH, height, WIDTH, height);
	line_print(line, "<title>");
	put_escaped(line, chart->title);
	line_print(line, ": ");
	put_escaped(line, chart->what);
	line_print(line, "</title>\n%s", style);
	line_print(line, "<rect class=\"page\" width=\"%d\" height=\"%u\" rx=\"6\"/>\n", WIDTH, height);
	put_label(line, 12, 22, " class=\"title\"", chart->title);
	put_label(line, 12, 40, "", chart->what);
}

/* What is seen when one points at it. */
static void put_hint(struct line *line, const struct chart *chart, size_t n)
{
	char *name = bar_name(chart, n);

	line_print(line, "<title>");
	put_escaped(line, name);
	line_print(line, ": ");
	put_quantity(line, chart->number[n]);
	line_print(line, "</title>");
	free(name);
}

/* --- Up and to the right --- */

static double y_of(const struct range *range, long double number)
{
	return BOTTOM - (number - range->low) / (range->high - range->low) * (BOTTOM - TOP);
}

static void put_grid(struct line *line, const struct range *range)
{
	long double at;

	for (at = range->low; at < range->high + range->step / 2; at += range->step) {
		double y = y_of(range, at);
		struct line text = {};

		put_short(&text, fabsl(at) < range->step / 2 ? 0 : at);
		line_print(line, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>\n", LEFT, y, RIGHT);
		put_label(line, LEFT - 6, y + 4, " text-anchor=\"end\"", text.text);
		free(text.text);
	}
}

/* Where a bar begins, of a power of 2; else below its middle. */
static void put_index(struct line *line, const struct chart *chart, size_t n, double slot)
{
	static const char * const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	double x = LEFT + n * slot + (chart->is_log2 ? 0 : slot / 2);
	struct line text = {};

	line_put(&text, "", 0);
	if (!chart->is_log2)
		line_print(&text, "%zu", n);
	else if (n < 64)
		line_print(&text, "%u%s", n ? 1U << n % 10 : 0, units[n / 10]);
	put_label(line, x, BOTTOM + 18, " text-anchor=\"middle\"", text.text);
	free(text.text);
}

static void put_columns(struct line *line, const struct chart *chart, size_t count)
{
	struct range range = range_of(chart);
	double slot = (double)(RIGHT - LEFT) / count, gap = slot > 8 ? 1.5 : slot / 6, zero, y;
	size_t n, each = 1;

	put_grid(line, &range);
	zero = y_of(&range, 0);
	for (n = 0; n < count; n++) {
		y = y_of(&range, chart->number[n]);
		line_print(line, "<rect class=\"bar\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">",
			   LEFT + n * slot + gap / 2, fmin(y, zero), slot - gap, fabs(zero - y));
		put_hint(line, chart, n);
		line_print(line, "</rect>\n");
	}
	/* A label has some 40 pixels. */
	while (each * slot < 40)
		each *= 2;
	for (n = 0; n < count; n += each)
		put_index(line, chart, n, slot);
}

static double x_of(const struct chart *chart, size_t n)
{
	double span = chart->time[chart->count - 1];

	return LEFT + (span > 0 ? chart->time[n] / span * (RIGHT - LEFT) : 0);
}

static void put_points(struct line *line, const struct chart *chart, const struct range *range)
{
	size_t n;

	for (n = 0; n < chart->count; n++)
		line_print(line, "%s%.1f %.1f", n ? "L" : "", x_of(chart, n),
			   y_of(range, chart->number[n]));
}

static void put_time(struct line *line, const struct chart *chart)
{
	double span = chart->time[chart->count - 1], step = nice_step(span > 0 ? span / 5 : 1), at;

	for (at = 0; at <= span; at += step) {
		double x = LEFT + (span > 0 ? at / span * (RIGHT - LEFT) : 0);
		struct line text = {};

		line_print(&text, "%.4g s", at);
		/* What would not fit is left out. */
		if (x < RIGHT - 4)
			put_label(line, x, BOTTOM + 18, " text-anchor=\"middle\"", text.text);
		free(text.text);
	}
}

static void put_curve(struct line *line, const struct chart *chart)
{
	struct range range = range_of(chart);
	size_t last = chart->count - 1;

	put_grid(line, &range);
	line_print(line, "<path class=\"area\" d=\"M%.1f %.1fL", x_of(chart, 0), y_of(&range, 0));
	put_points(line, chart, &range);
	line_print(line, "L%.1f %.1fZ\"/>\n", x_of(chart, last), y_of(&range, 0));
	line_print(line, "<path class=\"line\" d=\"M");
	put_points(line, chart, &range);
	line_print(line, "\"/>\n");
	put_time(line, chart);
}

/* --- Beside names --- */

static void put_named_bars(struct line *line, const struct chart *chart)
{
	long double most = 0;
	size_t n;

	for (n = 0; n < chart->count; n++)
		most = fmaxl(most, chart->number[n]);
	for (n = 0; n < chart->count; n++) {
		double y = TOP + n * BAR_HEIGHT, length = 0;
		struct line text = {};

		if (chart->number[n] > 0)
			length = chart->number[n] / most * (BAR_RIGHT - BAR_LEFT);
		/* Its end is in the hint. */
		line_padded(&text, chart->name[n], min(width_of(chart->name[n]), NAME_WIDTH), false);
		put_label(line, BAR_LEFT - 6, y + 14, " class=\"name\" text-anchor=\"end\"", text.text);
		line_print(line, "<rect class=\"bar\" x=\"%d\" y=\"%.1f\" width=\"%.2f\" height=\"%d\">",
			   BAR_LEFT, y + 2, length, BAR_HEIGHT - 4);
		put_hint(line, chart, n);
		line_print(line, "</rect>\n");
		text.len = 0;
		put_short(&text, chart->number[n]);
		put_label(line, BAR_LEFT + length + 6, y + 14, "", text.text);
		free(text.text);
	}
}

void put_svg(struct line *line, const struct chart *chart)
{
	unsigned int height = BOTTOM + 30;

	if (chart->name)
		height = TOP + chart->count * BAR_HEIGHT + 10;
	begin_svg(line, chart, height);
	if (chart->name)
		put_named_bars(line, chart);
	else if (chart->time)
		put_curve(line, chart);
	else
		put_columns(line, chart, shown_bars(chart));
	line_print(line, "</svg>\n");
}
