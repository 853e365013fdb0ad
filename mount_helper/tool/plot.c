// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs plot: a field of a mounted map as a picture: a histogram, elements, or a series. */
#include <curses.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <term.h>
/* A macro of that. */
#undef columns
#include <unistd.h>

#include "chart.h"
#include "internal.h"
#include "progress.h"
#include "view.h"

#define SAMPLES		60
#define SAMPLES_MAX	10000
/* What fits on no terminal. */
#define ELEMENTS_MAX	4096

enum form {
	BY_FIELD,
	OF_ARRAY,
	OF_ELEMENTS,
	OF_SERIES,
};

/**
 * struct plot - a picture of a map
 * @view: of the map
 * @column: the field
 * @form: what is drawn; BY_FIELD: it is not known yet
 * @is_array: of more than one element, which are numbered
 * @rate: what is added per second
 * @svg: not as text
 * @interval: of two samples, in ns
 * @samples: of a series
 * @file: to write to, or NULL
 * @failed: of a series, there were no more samples to be had
 * @what: the field, in words
 * @chart: what is drawn
 */
struct plot {
	struct view view;
	const struct column *column;
	enum form form;
	bool is_array;
	bool rate;
	bool svg;
	u64 interval;
	unsigned long samples;
	const char *file;
	bool failed;
	char *what;
	struct chart chart;
};

/* --- What is drawn --- */

static enum status no_memory(void)
{
	return fail("plot: %s", strerror(ENOMEM));
}

/* That of powers of 2, an array, or the first number. */
static const struct column *first_column(const struct columns *columns)
{
	const struct column *found = NULL;
	size_t i;

	for (i = 0; i < columns->count; i++) {
		const struct column *column = &columns->column[i];

		if (!bpffs_is_numeric(column->field))
			continue;
		if (!found || has_bars(column) + (has_bars(column) && is_log2(column)) >
			      has_bars(found) + (has_bars(found) && is_log2(found)))
			found = column;
	}
	return found;
}

static enum status choose_column(struct plot *plot, const char *field)
{
	const struct columns *values = &plot->view.values;

	plot->column = field ? find_column(values, field) : first_column(values);
	if (!plot->column)
		return field ? fail("plot: the values have no field \"%s\"", field) :
			       fail("plot: the values have no number");
	if (!bpffs_is_numeric(plot->column->field))
		return fail("plot: the field \"%s\" is not a number", field);
	if (asprintf(&plot->what, "%s%s", field_name(plot->column), plot->rate ? "/s" : "") < 0) {
		plot->what = NULL;
		return no_memory();
	}
	return DONE;
}

static enum status choose_form(struct plot *plot)
{
	const struct map *map = &plot->view.map;

	if (see_type(map->dir, map->root, "array", &plot->is_array))
		return FAILED;
	plot->is_array &= plot->view.max_entries > 1;
	if (plot->form == BY_FIELD)
		plot->form = has_bars(plot->column) ? OF_ARRAY :
			     plot->is_array ? OF_ELEMENTS : OF_SERIES;
	if (plot->samples && plot->form != OF_SERIES)
		return fail("plot: only a series has a number of samples (see --series)");
	if (plot->form == OF_ARRAY)
		plot->chart.is_log2 |= is_log2(plot->column);
	if (!plot->samples)
		plot->samples = SAMPLES;
	return DONE;
}

static bool is_gone(const struct row *row)
{
	return row->mark == '-';
}

/* Of all elements together. */
static long double sum(const struct plot *plot, u64 n)
{
	long double all = 0;
	const struct view *view = &plot->view;
	size_t r;

	for (r = 0; r < view->rows; r++)
		if (!is_gone(&view->row[r]))
			all += row_number(view, &view->row[r], plot->column, n, plot->rate);
	return all;
}

static enum status make_array(struct plot *plot)
{
	struct chart *chart = &plot->chart;

	chart->number = calloc(plot->column->count, sizeof(*chart->number));
	if (!chart->number)
		return no_memory();
	for (; chart->count < plot->column->count; chart->count++)
		chart->number[chart->count] = sum(plot, chart->count);
	return DONE;
}

/* An array's indices are as the places in a field are, if they are all there. */
static enum status make_elements(struct plot *plot)
{
	const struct view *view = &plot->view;
	struct chart *chart = &plot->chart;
	bool named = !plot->is_array || view->patterns;
	size_t r;

	if (view->rows > ELEMENTS_MAX)
		return fail("plot: %zu elements are more than %d: name some of them", view->rows,
			    ELEMENTS_MAX);
	chart->number = calloc(view->rows + 1, sizeof(*chart->number));
	chart->name = named ? calloc(view->rows + 1, sizeof(*chart->name)) : NULL;
	if (!chart->number || (named && !chart->name))
		return no_memory();
	for (r = 0; r < view->rows; r++) {
		const struct row *row = &view->row[r];

		if (is_gone(row))
			continue;
		chart->number[chart->count++] = row_number(view, row, plot->column, ALL_LEAVES,
							   plot->rate);
		if (named)
			chart->name[chart->count - 1] = row_name(view, row);
		if (named && !chart->name[chart->count - 1])
			return no_memory();
	}
	return chart->count ? DONE : fail("%s: there are no such elements", view->map.dir);
}

/* --- Where it is drawn --- */

static struct winsize screen_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		size.ws_col = size.ws_row = 0;
	size.ws_col = size.ws_col ?: 80;
	size.ws_row = size.ws_row ?: 24;
	return size;
}

/* To be freed; NULL: no memory. */
static char *chart_text(const struct plot *plot)
{
	const struct chart *chart = &plot->chart;
	u32 width = screen_size().ws_col;
	struct line line = {};

	if (plot->svg) {
		put_svg(&line, chart);
	} else {
		line_print(&line, "%s: %s\n", chart->title, chart->what);
		if (plot->form == OF_SERIES)
			put_series(&line, chart, width);
		else
			put_bars(&line, chart, width);
	}
	return line.text;
}

static enum status put_chart(const struct plot *plot)
{
	char *text = chart_text(plot);

	if (!text)
		return no_memory();
	fputs(text, stdout);
	free(text);
	return end_output();
}

/* Of a series, with the line of the cursor below it; else going back would miss some. */
static bool fits(const struct plot *plot)
{
	struct winsize size = screen_size();
	u32 title = width_of(plot->chart.title) + strlen(": ") + width_of(plot->chart.what);

	return size.ws_row > CHART_LINES + 1 && size.ws_col >= max(title, CHART_WIDTH_MIN);
}

/* Over the picture before, on a terminal that can. */
static void go_back(int count)
{
	char *up = tigetstr("cuu");

	if (up && up != (char *)-1)
		putp(tparm(up, count, 0, 0, 0, 0, 0, 0, 0, 0));
}

/* Does it grow before the eyes of somebody? */
static bool is_live(const struct plot *plot)
{
	int err;

	return !plot->svg && !plot->file && isatty(STDOUT_FILENO) &&
	       setupterm(NULL, STDOUT_FILENO, &err) == OK && tigetstr("cuu") &&
	       tigetstr("cuu") != (char *)-1;
}

/* A map that cannot be read any more: what it was like comes before the sentence. */
static struct plot *unfinished;

static void put_unfinished(void)
{
	char *text = chart_text(unfinished);

	before_sentence = NULL;
	if (!text)
		return;
	fputs(text, stdout);
	free(text);
	unfinished->failed = !fflush(stdout) && !ferror(stdout);
}

static enum status next_sample(struct plot *plot, bool live)
{
	enum status status;

	wait_after(&plot->view.now, plot->interval);
	unfinished = plot;
	before_sentence = live ? NULL : put_unfinished;
	status = sample_view(&plot->view);
	before_sentence = NULL;
	return status;
}

static enum status make_series(struct plot *plot)
{
	struct chart *chart = &plot->chart;
	u64 begin = plot->view.now.when;
	enum status status = DONE;
	bool live = is_live(plot);

	/* It is all drawn at the end. */
	if (!live)
		progress_begin("bpffs: plot", "samples", plot->samples);
	chart->samples = plot->samples;
	chart->number = calloc(plot->samples, sizeof(*chart->number));
	chart->time = calloc(plot->samples, sizeof(*chart->time));
	if (!chart->number || !chart->time)
		return no_memory();
	while (!status) {
		chart->number[chart->count] = sum(plot, ALL_LEAVES);
		chart->time[chart->count++] = (plot->view.now.when - begin) / 1e9;
		progress_add(1);
		/* It can have got smaller meanwhile. */
		live = live && fits(plot);
		if (live && chart->count > 1)
			go_back(CHART_LINES + 1);
		if (live)
			status = put_chart(plot);
		if (status || chart->count == plot->samples)
			break;
		status = next_sample(plot, live);
	}
	/* A file is then what there was. */
	if (plot->failed)
		return DONE;
	progress_end();
	return live ? status : status ?: put_chart(plot);
}

/* A rate is one between two samples. */
static enum status draw(void *context)
{
	struct plot *plot = context;
	enum status status = sample_view(&plot->view);

	if (!status && plot->rate) {
		wait_after(&plot->view.now, plot->interval);
		status = sample_view(&plot->view);
	}
	if (status || plot->form == OF_SERIES)
		return status ?: make_series(plot);
	status = plot->form == OF_ARRAY ? make_array(plot) : make_elements(plot);
	if (!status && plot->svg && shown_bars(&plot->chart) > CHART_BARS_MAX)
		status = fail("plot: %zu bars are too many for a picture of %d at most",
			      shown_bars(&plot->chart), CHART_BARS_MAX);
	return status ?: put_chart(plot);
}

/* --- The command --- */

static enum status open_plot(struct plot *plot, const char *dir, const char *field)
{
	int root = open_mount(dir);
	enum status status;

	if (root < 0)
		return FAILED;
	status = open_view(&plot->view, dir, root);
	/* In the order of the keys. */
	plot->view.sort = 0;
	status = status ?: choose_column(plot, field) ?: choose_form(plot);
	plot->chart.title = plot->view.about;
	plot->chart.what = plot->what;
	return status;
}

static void free_plot(struct plot *plot)
{
	size_t n;

	for (n = 0; plot->chart.name && n < plot->chart.count; n++)
		free(plot->chart.name[n]);
	free(plot->chart.name);
	free(plot->chart.number);
	free(plot->chart.time);
	free(plot->what);
	free_view(&plot->view);
}

static bool choose(struct plot *plot, enum form form)
{
	bool is_other = plot->form != BY_FIELD && plot->form != form;

	plot->form = form;
	return !is_other || !fail("plot: --elements and --series are two pictures");
}

/* False: a sentence has been printed. */
static bool take_option(struct plot *plot, int option, const char **field)
{
	switch (option) {
	case 'e':
		return choose(plot, OF_ELEMENTS);
	case 's':
		return choose(plot, OF_SERIES);
	case 'f':
		*field = optarg;
		return true;
	case 'd':
	case 'i':
		plot->interval = read_seconds("plot", optarg);
		return plot->interval;
	case 'l':
		plot->chart.is_log2 = true;
		return true;
	case 'n':
		plot->samples = read_count("plot", optarg);
		if (plot->samples > SAMPLES_MAX)
			return !fail("plot: more than %d samples", SAMPLES_MAX);
		return plot->samples;
	case 'o':
		plot->file = optarg;
		return true;
	case 'r':
		plot->rate = true;
		return true;
	case 'S':
		plot->svg = true;
		return true;
	}
	return false;
}

enum status plot_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "delay", required_argument, NULL, 'd' },
		{ "elements", no_argument, NULL, 'e' },
		{ "field", required_argument, NULL, 'f' },
		{ "interval", required_argument, NULL, 'i' },
		{ "log2", no_argument, NULL, 'l' },
		{ "output", required_argument, NULL, 'o' },
		{ "rate", no_argument, NULL, 'r' },
		{ "series", no_argument, NULL, 's' },
		{ "svg", no_argument, NULL, 'S' },
		{}
	};
	struct plot plot = { .interval = 1000000000, .view.map.root = -1 };
	const char *field = NULL;
	enum status status;
	int option;

	/* Blocks; but a point in numbers, as SVG has it. */
	setlocale(LC_CTYPE, "");
	while ((option = next_option(argc, argv, ":d:ef:i:ln:o:rs", options)) != -1)
		if (!take_option(&plot, option, &field))
			return FAILED;
	if (optind == argc)
		return fail("plot: DIR is missing (see bpffs --help)");
	if (argv[optind + 1])
		plot.view.patterns = argv + optind + 1;
	status = open_plot(&plot, argv[optind], field);
	if (!status)
		status = plot.file ? write_file(plot.file, draw, &plot) : draw(&plot);
	if (plot.failed)
		status = FAILED;
	free_plot(&plot);
	return status;
}
