// SPDX-License-Identifier: GPL-2.0-only
/* Rows: two that take turns, the medians of some rounds, a table, JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "bench.h"

#define ROUNDS		7

static struct figure {
	char part[16], title[80], what[80], against[80];
	char unit[16];
	__u32 elements;
	double ours;
	double theirs;		/* negative: there is none */
	double goal, most;	/* 0: there is none */
	int rounds;
} *figures;

static size_t count;

static char current[16], title[80];
static __u32 elements;

double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *times, int n)
{
	qsort(times, n, sizeof(*times), by_size);
	return times[n / 2];
}

void part(const char *name, __u32 of, const char *what)
{
	snprintf(current, sizeof(current), "%s", name);
	snprintf(title, sizeof(title), "%s", what);
	elements = of;
	printf("# %s\n", what);
	fflush(stdout);
}

static void print_number(double number, const char *unit)
{
	printf(" %.*f %s |", fabs(number) < 100 ? 2 : 0, number, unit);
}

static void keep(const struct figure *figure)
{
	figures = realloc(figures, (count + 1) * sizeof(*figures));
	if (!figures)
		exit(1);
	figures[count++] = *figure;

	printf("%s | %s |", figure->what, figure->against);
	print_number(figure->ours, figure->unit);
	if (figure->theirs >= 0) {
		print_number(figure->theirs, figure->unit);
		printf(" %.2f", figure->theirs / figure->ours);
	} else {
		printf(" |");
	}
	if (figure->goal)
		printf(" | %.2f", figure->goal);
	else if (figure->most)
		printf(" | at most %g %s", figure->most, figure->unit);
	else
		printf(" |");
	putchar('\n');
	fflush(stdout);
}

static struct figure new_figure(const char *what, const char *against)
{
	struct figure figure = { .elements = elements };

	snprintf(figure.part, sizeof(figure.part), "%s", current);
	snprintf(figure.title, sizeof(figure.title), "%s", title);
	snprintf(figure.what, sizeof(figure.what), "%s", what);
	snprintf(figure.against, sizeof(figure.against), "%s", against);
	return figure;
}

/* Of ms; an instruction takes two nanoseconds. */
void report_times(const char *what, const char *against, double ours, double theirs,
		  double goal, int rounds)
{
	struct figure figure = new_figure(what, against);
	double scale = by_icount ? 1e6 / 2 : 1e6;

	snprintf(figure.unit, sizeof(figure.unit), by_icount ? "instr." : "ns");
	figure.ours = ours * scale;
	figure.theirs = theirs * scale;
	figure.goal = goal;
	figure.rounds = rounds;
	keep(&figure);
}

void report_size(const char *what, const char *against, double ours, double theirs,
		 const char *unit, double most)
{
	struct figure figure = new_figure(what, against);

	snprintf(figure.unit, sizeof(figure.unit), "%s", unit);
	figure.ours = ours;
	figure.theirs = theirs;
	figure.most = most;
	figure.rounds = 1;
	keep(&figure);
}

static double timed(const struct side *side)
{
	double start, end;

	if (side->before)
		side->before();
	start = now_ms();
	side->work();
	end = now_ms();
	if (side->after)
		side->after();
	return end - start;
}

void compare(const struct row *row, __u32 each)
{
	double ours[ROUNDS], theirs[ROUNDS], start = now_ms();
	/* Fewer will do if they take long, and fewer still if they are counted. */
	int least = by_icount ? 1 : 3, most = by_icount ? 3 : ROUNDS, n;
	double until = start + (by_icount ? 5e3 : 20e3);

	if (!(row->homes & (by_fuse ? IN_FUSE : IN_MODULE)))
		return;
	for (n = 0; n < least || (n < most && now_ms() < until); n++) {
		ours[n] = timed(&row->ours);
		theirs[n] = timed(&row->theirs);
	}
	report_times(row->ours.name, row->theirs.name, median(ours, n) / each,
		     median(theirs, n) / each, by_fuse ? row->fuse_goal : row->goal, n);
	if (with_profile)
		profile(&row->ours, figures[count - 1].ours);
}

/* ------------------------------------------------------------------------------ */

/* Nothing here has a control character. */
static void put_string(const char *name, const char *text)
{
	printf("\"%s\":\"", name);
	for (; *text; text++)
		printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	putchar('"');
}

static void put_number(const char *name, double number)
{
	printf(",\"%s\":%.*f", name, fabs(number) < 1000 ? 4 : 1, number);
}

static void put_figure(const struct figure *f)
{
	putchar('{');
	put_string("part", f->part);
	printf(",\"elements\":%u,", f->elements);
	put_string("title", f->title);
	putchar(',');
	put_string("what", f->what);
	putchar(',');
	put_string("against", f->against);
	putchar(',');
	put_string("unit", f->unit);
	put_number("ours", f->ours);
	if (f->theirs >= 0) {
		put_number("theirs", f->theirs);
		if (f->ours > 0)
			put_number("ratio", f->theirs / f->ours);
	}
	if (f->goal)
		put_number("goal", f->goal);
	if (f->most)
		put_number("most", f->most);
	printf(",\"rounds\":%d}", f->rounds);
}

void report_json(char *const *about, int abouts)
{
	struct utsname system;
	const char *value;
	char name[64];
	size_t i;

	uname(&system);
	putchar('{');
	put_string("kernel", system.release);
	putchar(',');
	put_string("machine", system.machine);
	putchar(',');
	put_string("home", by_fuse ? "fuse" : "module");
	for (; abouts; about++, abouts--) {
		value = strchr(*about, '=');
		snprintf(name, sizeof(name), "%.*s", (int)(value - *about), *about);
		putchar(',');
		put_string(name, value + 1);
	}
	printf(",\"rows\":[");
	for (i = 0; i < count; i++) {
		if (i)
			putchar(',');
		put_figure(&figures[i]);
	}
	printf("]}\n");
	fflush(stdout);
}
