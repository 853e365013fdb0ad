/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What bpffs top shows, as lines of text; a terminal is not needed for it. */
#ifndef LIBBPFFS_VIEW_H
#define LIBBPFFS_VIEW_H

#include "resolve.h"
#include "sample.h"

enum kind {
	OF_KEY,
	OF_CPU,
	OF_VALUE,
	OF_RATE,
	OF_TEXT,
	OF_RESOLVED,
	OF_BARS,
};

/**
 * struct view_column - what stands in one column of the screen
 * @kind: what it is
 * @column: of the values, or NULL
 * @resolve: whose texts, or NULL
 * @title: above it
 * @sum: of the values of all rows, but of what has gone
 * @rate: of all rows
 */
struct view_column {
	enum kind kind;
	const struct column *column;
	const struct resolve *resolve;
	char *title;
	u64 sum;
	double rate;
};

/* An element, or its value of one CPU. */
struct row {
	u32 n;		/* of its sample */
	u32 copy;	/* U32_MAX: of all CPUs together */
	char mark;	/* '+': it has come since the sample before; '-': it has gone */
	double sort;	/* a number to sort by */
};

/**
 * struct view - a map as it is shown
 * @map: of it
 * @now: the last sample
 * @before: the one before
 * @base: what values are counted from, if @has_base
 * @samples: how many there have been
 * @keys: leaves of the key
 * @values: fields of the value
 * @resolves: what else is shown of these; bound
 * @column: of the screen
 * @columns: how many
 * @sort: number of the column to sort by
 * @reverse: smallest first
 * @filter: only names with that in them; "" is all
 * @patterns: only names that match one of them, up to a NULL; or NULL
 * @per_cpu: a row for each CPU
 * @has_base: counted from @base on
 * @row: what is shown, sorted
 * @rows: how many
 * @row_room: of @row
 * @name: room for the name of a key
 * @max_entries: of the map
 * @about: which map it is
 */
struct view {
	struct map map;
	struct sample now;
	struct sample before;
	struct sample base;
	unsigned long samples;
	struct columns keys;
	struct columns values;
	struct resolves resolves;
	struct view_column *column;
	size_t columns;
	size_t sort;
	bool reverse;
	char filter[256];
	char **patterns;
	bool per_cpu;
	bool has_base;
	struct row *row;
	size_t rows;
	size_t row_room;
	char *name;
	u64 max_entries;
	char *about;
};

/* @root: of the map, closed with the view; free_view() is due in any case */
enum status open_view(struct view *view, const char *dir, int root);
void free_view(struct view *view);

/* Another sample, and its rows. */
enum status sample_view(struct view *view);

/* The rows again, after sort, filter or the CPUs have changed. */
enum status sort_view(struct view *view);

/* A row for each CPU, or none. */
enum status set_per_cpu(struct view *view, bool per_cpu);

/* The key of a row, to be freed, and where its row is then; @view->rows: nowhere. */
void *copy_key(const struct view *view, size_t row);
size_t find_row(const struct view *view, const void *key, u32 copy);

/* Values are counted from now on; without @on, from zero again. */
enum status set_base(struct view *view, bool on);

/* By title, ignoring case; false: there is none. */
bool set_sort(struct view *view, const char *title);

/* --- Numbers --- */

#define ALL_LEAVES	U64_MAX

/**
 * row_number() - a number of an element
 * @n: of the leaf in @column, or ALL_LEAVES together
 * @rate: instead, what has been added per second since the sample before
 */
long double row_number(const struct view *view, const struct row *row,
		       const struct column *column, u64 n, bool rate);

/* The name of its key, to be freed; NULL without memory. */
char *row_name(const struct view *view, const struct row *row);

/* An array that can be shown as bars? */
static inline bool has_bars(const struct column *column)
{
	return bpffs_is_numeric(column->field) && column->dims == 1 && column->count <= 4096;
}

/* Does its name say that it counts by powers of 2? */
bool is_log2(const struct column *column);

/* --- Lines; each is to be freed, and NULL without memory --- */

/* How wide each column of the screen is, for these rows. */
void measure(struct view *view, size_t first, size_t count, u32 *width);

char *summary_line(const struct view *view);
char *title_line(const struct view *view, const u32 *width, size_t first_column);
char *row_line(struct view *view, const u32 *width, size_t first_column, size_t row);
char *total_line(struct view *view, const u32 *width, size_t first_column);

/* All of one element, with arrays as bars; the lines are separated by newlines. */
char *detail_text(struct view *view, size_t row, u32 width);

#endif
