// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What bpffs top shows, as lines of text; a terminal is not needed for it. */
#include <unistd.h>

#include "chart.h"
#include "internal.h"
#include "view.h"

/* A longer array is no histogram, and has no bars. */
#define BARS_MAX	64

/* --- Numbers of a row --- */

static const struct sample *sample_of(const struct view *view, const struct row *row)
{
	return row->mark == '-' ? &view->before : &view->now;
}

static const u8 *key_of(const struct view *view, const struct row *row)
{
	return sample_key(sample_of(view, row), row->n);
}

static const u8 *value_of(const struct view *view, const struct row *row)
{
	return sample_value(sample_of(view, row), row->n);
}

/* As a counter of that width goes on, which may wrap. */
static u64 difference(const struct bpffs_field *field, u64 now, u64 before)
{
	u32 bits = field->type == BPFFS_BITS ? field->width : 8 * field->size;
	u64 delta = now - before;

	if (bits == 64)
		return delta;
	delta &= (1ULL << bits) - 1;
	return delta >> (bits - 1) ? delta | ~0ULL << bits : delta;
}

/* One leaf, of the CPUs that the row is of; from @from on, which may be NULL. */
static u64 leaf_number(const struct view *view, const struct row *row,
		       const struct column *column, u64 n, const u8 *from)
{
	const struct bpffs_shape *shape = &view->map.shape;
	u32 first = row->copy == U32_MAX ? 0 : row->copy;
	u32 last = row->copy == U32_MAX ? shape->copies - 1 : row->copy, copy;
	const u8 *value = value_of(view, row);
	u64 sum = 0;

	for (copy = first; copy <= last; copy++) {
		size_t at = (size_t)copy * shape->stride + column_offset(column, n, NULL);
		u64 number = bpffs_load(column->field, value + at);

		sum += from ? difference(column->field, number,
					 bpffs_load(column->field, from + at)) : number;
	}
	return sum;
}

/* Leaf @n, or all of an array together. */
static u64 number_from(const struct view *view, const struct row *row,
		       const struct column *column, u64 n, const u8 *from)
{
	u64 sum = 0;

	if (n != ALL_LEAVES)
		return leaf_number(view, row, column, n, from);
	for (n = 0; n < column->count; n++)
		sum += leaf_number(view, row, column, n, from);
	return sum;
}

static const u8 *base_of(const struct view *view, const struct row *row)
{
	return view->has_base ? sample_find(&view->base, &view->map, key_of(view, row)) : NULL;
}

static u64 number_of(const struct view *view, const struct row *row,
		     const struct column *column)
{
	return number_from(view, row, column, ALL_LEAVES, base_of(view, row));
}

static bool has_rates(const struct view *view)
{
	return view->samples > 1;
}

/* Per second; of what has just come, all of it, and of what has gone, nothing. */
static double leaf_rate(const struct view *view, const struct row *row,
			const struct column *column, u64 n)
{
	double seconds = (view->now.when - view->before.when) / 1e9;
	const u8 *from;

	if (!has_rates(view) || row->mark == '-')
		return 0;
	from = sample_find(&view->before, &view->map, key_of(view, row));
	return (s64)number_from(view, row, column, n, from) / seconds;
}

static double rate_of(const struct view *view, const struct row *row,
		      const struct column *column)
{
	return leaf_rate(view, row, column, ALL_LEAVES);
}

long double row_number(const struct view *view, const struct row *row,
		       const struct column *column, u64 n, bool rate)
{
	u64 number;

	if (rate)
		return leaf_rate(view, row, column, n);
	number = number_from(view, row, column, n, base_of(view, row));
	return is_signed(column) || view->has_base ? (long double)(s64)number :
						     (long double)number;
}

/* --- Rows --- */

static bool is_shown(const struct view *view, const u8 *key)
{
	if (!*view->filter && !view->patterns)
		return true;
	bpffs_name_whole(view->map.key, key, view->name);
	return strstr(view->name, view->filter) &&
	       (!view->patterns || is_one_of(view->name, view->patterns));
}

static double sort_number(const struct view *view, const struct row *row)
{
	const struct view_column *by = &view->column[view->sort];

	switch (by->kind) {
	case OF_CPU:
		return row->copy;
	case OF_VALUE:
		return by->column->field->sign == BPFFS_SIGNED || view->has_base ?
		       (double)(s64)number_of(view, row, by->column) :
		       (double)number_of(view, row, by->column);
	case OF_RATE:
		return rate_of(view, row, by->column);
	default:
		return 0;
	}
}

static enum status add_row(struct view *view, size_t n, u32 copy, char mark)
{
	struct row *row;

	if (view->rows == view->row_room) {
		size_t room = max(2 * view->row_room, (size_t)1024);
		struct row *more = reallocarray(view->row, room, sizeof(*more));

		if (!more)
			return fail("%s: %s", view->map.dir, strerror(ENOMEM));
		view->row = more;
		view->row_room = room;
	}
	row = &view->row[view->rows++];
	row->n = n;
	row->copy = copy;
	row->mark = mark;
	row->sort = sort_number(view, row);
	return DONE;
}

static enum status add_rows(struct view *view, size_t n, char mark)
{
	enum status status = DONE;
	u32 copy;

	if (!view->per_cpu)
		return add_row(view, n, U32_MAX, mark);
	for (copy = 0; copy < view->map.shape.copies && !status; copy++)
		status = add_row(view, n, copy, mark);
	return status;
}

static int compare_column(const struct column *column, const u8 *a, const u8 *b)
{
	bool number = column->field->type == BPFFS_INT || column->field->type == BPFFS_BITS;
	int order = 0;
	u64 n, x, y;

	for (n = 0; n < column->count && !order; n++) {
		u32 at = column_offset(column, n, NULL);

		if (!number) {
			order = memcmp(a + at, b + at, column->field->size);
			continue;
		}
		x = bpffs_load(column->field, a + at);
		y = bpffs_load(column->field, b + at);
		if (x != y)
			order = (column->field->sign == BPFFS_SIGNED ? (s64)x < (s64)y :
								       x < y) ? -1 : 1;
	}
	return order;
}

static int compare_keys(const struct columns *keys, const u8 *a, const u8 *b)
{
	int order = 0;
	size_t i;

	for (i = 0; i < keys->count && !order; i++)
		order = compare_column(&keys->column[i], a, b);
	return order;
}

/* Of one CPU, or the first one. */
static const u8 *copy_of(const struct view *view, const struct row *row)
{
	return value_of(view, row) +
	       (row->copy == U32_MAX ? 0 : (size_t)row->copy * view->map.shape.stride);
}

static const u8 *resolved_bytes(const struct view *view, const struct row *row,
				const struct resolve *resolve)
{
	return resolve->is_key ? key_of(view, row) : copy_of(view, row);
}

/* Numbers begin with the largest, texts with the smallest. */
static int compare_rows(const void *a, const void *b, void *context)
{
	const struct view *view = context;
	const struct view_column *by = &view->column[view->sort];
	const struct row *x = a, *y = b;
	int order = 0;

	if (by->kind == OF_CPU)
		order = x->sort < y->sort ? -1 : x->sort > y->sort;
	else if (by->kind == OF_VALUE || by->kind == OF_RATE)
		order = x->sort > y->sort ? -1 : x->sort < y->sort;
	else if (by->kind == OF_TEXT)
		order = compare_column(by->column, value_of(view, x), value_of(view, y));
	else if (by->kind == OF_RESOLVED)
		order = compare_column(by->resolve->column, resolved_bytes(view, x, by->resolve),
				       resolved_bytes(view, y, by->resolve));
	if (!order)
		order = compare_keys(&view->keys, key_of(view, x), key_of(view, y));
	if (!order)
		order = x->copy < y->copy ? -1 : x->copy > y->copy;
	return view->reverse ? -order : order;
}

/* Over all rows that are shown. */
static void add_up(struct view *view)
{
	size_t i, r;

	for (i = 0; i < view->columns; i++) {
		struct view_column *column = &view->column[i];

		column->sum = 0;
		column->rate = 0;
		for (r = 0; r < view->rows; r++) {
			const struct row *row = &view->row[r];

			if (column->kind == OF_VALUE && row->mark != '-')
				column->sum += number_of(view, row, column->column);
			else if (column->kind == OF_RATE)
				column->rate += rate_of(view, row, column->column);
		}
	}
}

enum status sort_view(struct view *view)
{
	enum status status = DONE;
	size_t n;

	view->rows = 0;
	for (n = 0; n < view->now.count && !status; n++) {
		const void *key = sample_key(&view->now, n);
		bool is_new = has_rates(view) && !sample_find(&view->before, &view->map, key);

		if (is_shown(view, key))
			status = add_rows(view, n, is_new ? '+' : ' ');
	}
	for (n = 0; has_rates(view) && n < view->before.count && !status; n++) {
		const void *key = sample_key(&view->before, n);

		if (!sample_find(&view->now, &view->map, key) && is_shown(view, key))
			status = add_rows(view, n, '-');
	}
	if (status)
		return status;
	if (view->rows)
		qsort_r(view->row, view->rows, sizeof(*view->row), compare_rows, view);
	add_up(view);
	return DONE;
}

enum status sample_view(struct view *view)
{
	struct sample other = view->before;
	enum status status;

	view->before = view->now;
	view->now = other;
	status = take_sample(&view->now, &view->map);
	view->samples++;
	return status ?: sort_view(view);
}

void *copy_key(const struct view *view, size_t row)
{
	size_t size = bpffs_layout_size(view->map.key);
	void *key = malloc(size);

	if (key)
		memcpy(key, key_of(view, &view->row[row]), size);
	return key;
}

size_t find_row(const struct view *view, const void *key, u32 copy)
{
	size_t size = bpffs_layout_size(view->map.key), i;

	for (i = 0; i < view->rows; i++)
		if (view->row[i].copy == copy && !memcmp(key_of(view, &view->row[i]), key, size))
			break;
	return i;
}

enum status set_base(struct view *view, bool on)
{
	struct sample *base = &view->base;

	free_sample(base);
	view->has_base = false;
	if (!on)
		return sort_view(view);
	*base = view->now;
	base->room = base->count;
	base->record = malloc(base->count * base->record_size + 1);
	base->slot = malloc(base->slots * sizeof(*base->slot) + 1);
	if (!base->record || !base->slot)
		return fail("%s: %s", view->map.dir, strerror(ENOMEM));
	if (base->count)
		memcpy(base->record, view->now.record, base->count * base->record_size);
	if (base->slots)
		memcpy(base->slot, view->now.slot, base->slots * sizeof(*base->slot));
	view->has_base = true;
	return sort_view(view);
}

/* --- Columns of the screen --- */

static enum status add_view_column(struct view *view, enum kind kind,
				   const struct column *column, const char *end)
{
	struct view_column *more = reallocarray(view->column, view->columns + 1, sizeof(*more));
	const char *name = !column ? "" : field_name(column);

	if (!more)
		return fail("%s", strerror(ENOMEM));
	view->column = more;
	more += view->columns;
	memset(more, 0, sizeof(*more));
	more->kind = kind;
	more->column = column;
	if (asprintf(&more->title, "%s%s", name, end) < 0)
		return fail("%s", strerror(ENOMEM));
	view->columns++;
	return DONE;
}

/* A number and its rate, an array with bars, or a text; other arrays are details. */
static enum status add_value_columns(struct view *view, const struct column *column)
{
	enum status status;

	if (!bpffs_is_numeric(column->field))
		return column->dims ? DONE : add_view_column(view, OF_TEXT, column, "");
	status = add_view_column(view, OF_VALUE, column, "") ?:
		 add_view_column(view, OF_RATE, column, "/s");
	if (!status && column->dims == 1 && column->count <= BARS_MAX)
		status = add_view_column(view, OF_BARS, column, "");
	return status;
}

static enum status add_resolved_column(struct view *view, const struct resolve *resolve)
{
	enum status status = add_view_column(view, OF_RESOLVED, NULL, resolve->name);

	if (!status)
		view->column[view->columns - 1].resolve = resolve;
	return status;
}

static void free_view_columns(struct view *view)
{
	while (view->columns)
		free(view->column[--view->columns].title);
}

static enum status make_view_columns(struct view *view)
{
	enum status status;
	size_t i;

	free_view_columns(view);
	status = add_view_column(view, OF_KEY, NULL, "KEY");
	if (!status && view->per_cpu)
		status = add_view_column(view, OF_CPU, NULL, "CPU");
	for (i = 0; i < view->values.count && !status; i++)
		status = add_value_columns(view, &view->values.column[i]);
	for (i = 0; i < view->resolves.count && !status; i++)
		status = add_resolved_column(view, &view->resolves.one[i]);
	return status;
}

/* By the first rate, if there is one. */
static void set_first_sort(struct view *view)
{
	size_t i;

	view->sort = 0;
	for (i = 0; i < view->columns && !view->sort; i++)
		if (view->column[i].kind == OF_RATE)
			view->sort = i;
}

bool set_sort(struct view *view, const char *title)
{
	size_t i;

	for (i = 0; i < view->columns; i++)
		if (view->column[i].kind != OF_BARS && !strcasecmp(view->column[i].title, title)) {
			view->sort = i;
			return true;
		}
	return false;
}

enum status set_per_cpu(struct view *view, bool per_cpu)
{
	char *title = strdup(view->column[view->sort].title);
	enum status status = title ? DONE : fail("%s", strerror(ENOMEM));

	view->per_cpu = per_cpu && view->map.shape.cpus;
	status = status ?: make_view_columns(view);
	if (!status && !set_sort(view, title))
		set_first_sort(view);
	free(title);
	return status ?: sort_view(view);
}

/* --- Cells --- */

static void put_rate(struct line *line, const struct view *view, double rate)
{
	if (!has_rates(view))
		line_put(line, "-", 1);
	else
		put_quantity(line, rate);
}

static void put_number(struct line *line, const struct view *view,
		       const struct column *column, u64 number)
{
	line_print(line, column->field->sign == BPFFS_SIGNED || view->has_base ? "%lld" : "%llu",
		 number);
}

static void put_leaf(struct line *line, const struct bpffs_field *field, const u8 *from)
{
	char text[BPFFS_WORD_MAX + 1];
	u32 size, i;

	if (field->type == BPFFS_STR || field->type == BPFFS_HEX) {
		size = field->type == BPFFS_STR ? bpffs_str_end(from, field->size) : field->size;
		/* Longer ones are whole in the file of the element. */
		for (i = 0; i < min(size, 64); i++)
			line_put(line, text, field->type == BPFFS_HEX ?
			    bpffs_put_hex(text, from + i, 1) :
			    bpffs_put_byte(text, from[i], BPFFS_IN_NAMED_VALUE));
		if (size > 64)
			line_put(line, "...", 3);
	} else {
		line_put(line, text, bpffs_put_word(field, from, text));
	}
}

static void put_array(struct line *line, const struct view *view, const struct row *row,
		      const struct column *column)
{
	long double number[BARS_MAX];
	u64 n;

	for (n = 0; n < column->count; n++)
		number[n] = row_number(view, row, column, n, false);
	put_blocks(line, number, column->count);
}

static void put_key(struct line *line, const struct view *view, const struct row *row)
{
	bpffs_name_whole(view->map.key, key_of(view, row), view->name);
	line_put(line, view->name, strlen(view->name));
}

char *row_name(const struct view *view, const struct row *row)
{
	struct line line = {};

	put_key(&line, view, row);
	return line.text;
}

static char *cell(struct view *view, const struct row *row, const struct view_column *column)
{
	struct line line = {};

	line_put(&line, "", 0);
	switch (column->kind) {
	case OF_KEY:
		put_key(&line, view, row);
		break;
	case OF_CPU:
		line_print(&line, "%u", view->map.shape.cpus[row->copy]);
		break;
	case OF_VALUE:
		put_number(&line, view, column->column, number_of(view, row, column->column));
		break;
	case OF_RATE:
		put_rate(&line, view, rate_of(view, row, column->column));
		break;
	case OF_TEXT:
		put_leaf(&line, column->column->field,
			 copy_of(view, row) + column->column->offset);
		break;
	case OF_RESOLVED:
		put_resolved(&line, column->resolve, resolved_bytes(view, row, column->resolve));
		break;
	case OF_BARS:
		put_array(&line, view, row, column->column);
	}
	return line.text;
}

static char *total_cell(const struct view *view, const struct view_column *column)
{
	struct line line = {};

	line_put(&line, "", 0);
	if (column->kind == OF_KEY)
		line_put(&line, "TOTAL", 5);
	else if (column->kind == OF_VALUE)
		put_number(&line, view, column->column, column->sum);
	else if (column->kind == OF_RATE)
		put_rate(&line, view, column->rate);
	return line.text;
}

static bool is_right(const struct view_column *column)
{
	return column->kind == OF_CPU || column->kind == OF_VALUE || column->kind == OF_RATE;
}

/* --- Lines --- */

void measure(struct view *view, size_t first, size_t count, u32 *width)
{
	size_t i, r;
	char *text;

	for (i = 0; i < view->columns; i++) {
		const struct view_column *column = &view->column[i];

		width[i] = strlen(column->title) + (i == view->sort ? 2 : 0);
		if (column->kind == OF_BARS) {
			width[i] = column->column->count;
			continue;
		}
		text = total_cell(view, column);
		width[i] = max(width[i], text ? width_of(text) : 0);
		free(text);
		for (r = first; r < first + count && r < view->rows; r++) {
			text = cell(view, &view->row[r], column);
			width[i] = max(width[i], text ? width_of(text) : 0);
			free(text);
		}
	}
}

char *summary_line(const struct view *view)
{
	struct line line = {};

	line_print(&line, "%s: %zu elements", view->about, view->now.count);
	if (view->max_entries)
		line_print(&line, " of %llu (%llu%%)", view->max_entries,
			 view->now.count * 100 / view->max_entries);
	if (has_rates(view))
		line_print(&line, ", %.1f s", (view->now.when - view->before.when) / 1e9);
	if (view->has_base)
		line_print(&line, ", counted for %.0f s", (view->now.when - view->base.when) / 1e9);
	if (*view->filter)
		line_print(&line, ", %zu with \"%s\"", view->rows, view->filter);
	return line.text;
}

/* The key stays where it is. */
static bool is_left_out(size_t i, size_t first_column)
{
	return i && i < first_column;
}

char *title_line(const struct view *view, const u32 *width, size_t first_column)
{
	struct line line = {};
	size_t i;

	for (i = 0; i < view->columns; i++) {
		const struct view_column *column = &view->column[i];
		char *title;

		if (is_left_out(i, first_column))
			continue;
		if (asprintf(&title, "%s%s", column->kind == OF_BARS ? "" : column->title,
			     i != view->sort ? "" : view->reverse ? " ^" : " v") < 0)
			break;
		line_put(&line, " ", 1);
		line_padded(&line, title, width[i], is_right(column));
		free(title);
	}
	return line.text;
}

/* Of a row; or of the totals, which have none. */
static char *line_of(struct view *view, const u32 *width, size_t first_column,
		     const struct row *row)
{
	struct line line = {};
	size_t i;

	for (i = 0; i < view->columns; i++) {
		char *text;

		if (is_left_out(i, first_column))
			continue;
		text = row ? cell(view, row, &view->column[i]) :
			     total_cell(view, &view->column[i]);
		line_put(&line, row && !i ? &row->mark : " ", 1);
		if (text)
			line_padded(&line, text, width[i], is_right(&view->column[i]));
		free(text);
	}
	return line.text;
}

char *row_line(struct view *view, const u32 *width, size_t first_column, size_t row)
{
	return line_of(view, width, first_column, &view->row[row]);
}

char *total_line(struct view *view, const u32 *width, size_t first_column)
{
	return line_of(view, width, first_column, NULL);
}

/* --- Details --- */

bool is_log2(const struct column *column)
{
	const char *last = strrchr(column->name, '.');

	last = last ? last + 1 : column->name;
	return !strncmp(last, "slots", 5) || !strncmp(last, "hist", 4);
}

static void put_detail_array(struct line *line, const struct view *view, const struct row *row,
			     const struct column *column, u32 width)
{
	struct chart chart = {
		.number = calloc(column->count, sizeof(*chart.number)),
		.count = column->count,
		.is_log2 = is_log2(column),
	};
	u64 n;

	line_print(line, "%s\n", field_name(column));
	for (n = 0; chart.number && n < column->count; n++)
		chart.number[n] = row_number(view, row, column, n, false);
	if (chart.number)
		put_bars(line, &chart, width);
	free(chart.number);
}

char *detail_text(struct view *view, size_t n, u32 width)
{
	const struct row *row = &view->row[n];
	struct line line = {};
	size_t i;

	put_key(&line, view, row);
	if (row->copy != U32_MAX)
		line_print(&line, " CPU %u", view->map.shape.cpus[row->copy]);
	line_put(&line, "\n\n", 2);
	for (i = 0; i < view->values.count; i++) {
		const struct column *column = &view->values.column[i];

		if (has_bars(column)) {
			put_detail_array(&line, view, row, column, width);
			continue;
		}
		line_print(&line, "%-24s ", field_name(column));
		if (bpffs_is_numeric(column->field)) {
			put_number(&line, view, column, number_of(view, row, column));
			if (has_rates(view)) {
				line_put(&line, "  ", 2);
				put_rate(&line, view, rate_of(view, row, column));
				line_put(&line, "/s", 2);
			}
		} else {
			put_leaf(&line, column->field, copy_of(view, row) + column->offset);
			if (column->count > 1)
				line_print(&line, " and %llu more", column->count - 1);
		}
		line_put(&line, "\n", 1);
	}
	for (i = 0; i < view->resolves.count; i++) {
		const struct resolve *resolve = &view->resolves.one[i];

		line_print(&line, "%-24s ", resolve->name);
		put_resolved(&line, resolve, resolved_bytes(view, row, resolve));
		line_put(&line, "\n", 1);
	}
	return line.text;
}

/* --- Begin and end --- */

static enum status describe(struct view *view)
{
	const char *dir = view->map.dir;
	int root = view->map.root;
	char *name = read_file(root, ".bpf/name");
	char *type = name ? read_file(root, ".bpf/type") : NULL;
	enum status status = DONE;
	u64 id;

	if (!type)
		status = fail("%s/.bpf/%s: %s", dir, name ? "type" : "name", strerror(errno));
	else
		status = take_number(dir, root, ".bpf/id", &id);
	if (!status && asprintf(&view->about, "%s (%s, id %llu)", *name ? name : dir, type, id) < 0) {
		view->about = NULL;
		status = fail("%s", strerror(ENOMEM));
	}
	free(name);
	free(type);
	return status;
}

enum status open_view(struct view *view, const char *dir, int root)
{
	enum status status = open_map(&view->map, dir, root);

	if (status)
		return status;
	status = take_number(dir, root, ".bpf/max_entries", &view->max_entries) ?: describe(view);
	if (status)
		return status;
	view->name = malloc(view->map.key->name_max + 1);
	if (!view->name || make_columns(&view->keys, view->map.key) ||
	    make_columns(&view->values, view->map.value))
		return fail("%s", strerror(ENOMEM));
	status = bind_resolves(&view->resolves, dir, view->map.key, view->map.value) ?:
		 make_view_columns(view);
	set_first_sort(view);
	return status;
}

void free_view(struct view *view)
{
	free_view_columns(view);
	free_resolves(&view->resolves);
	free(view->column);
	free_columns(&view->keys);
	free_columns(&view->values);
	free_sample(&view->now);
	free_sample(&view->before);
	free_sample(&view->base);
	free(view->row);
	free(view->name);
	free(view->about);
	close_map(&view->map);
}
