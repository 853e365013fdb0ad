// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * .bpf/table: the whole map, a line an element: NAME field=text field=text
 *
 * Of a hash, the map's batch operation gives keys and values together; of others
 * each element is read when its line is made.
 *
 * A reader begins at 0 and goes on. It may go back a little, as head and a shell's
 * read do when they have read more than they took: the last of the text is kept.
 *
 * Written, each complete line is stored as its element's file would store it,
 * so that cat restores what grep, awk and sort have worked on.
 */
#include "table.h"

/*
 * Bytes of text that are made at a time, but for a long name, and kept: what programs
 * read at a time.
 */
#define TEXT_MADE	2048
#define TEXT_KEPT	(128U << 10)

int bpffs_table_begin(const struct bpffs_info *info, struct bpffs_table *table,
		      struct bpffs_scratch *scratch)
{
	if (!bpffs_map_can(info, BPFFS_CAN_READ | BPFFS_CAN_STREAM))
		return -EOPNOTSUPP;
	if (bpffs_shape_bytes(&info->shape) > BPFFS_VALUE_MAX)
		return -EFBIG;
	table->name_room = max_t(u32, bpffs_layout_name_max(info->key), BPFFS_NAME_MAX) + 1;
	table->text_made = TEXT_MADE + table->name_room - (BPFFS_NAME_MAX + 1);
	table->shape = info->shape;
	table->shape.separator = ' ';
	table->text_from = -1;
	table->line = 1;
	table->scratch = scratch;
	return 0;
}

void bpffs_table_end(struct bpffs_info *info, struct bpffs_table *table)
{
	if (table->parser && (table->in_fields || table->name_len))
		bpffs_refuse(info, "table: closed in the middle of line %llu, which was not stored",
			     table->line);
	bpffs_chunk_free(&table->chunk);
	bpffs_keys_free(table->keys);
	bpffs_parser_free(table->parser);
	bpffs_free(table->value);
	bpffs_free(table->text);
	bpffs_free(table->key);
	bpffs_free(table->name);
}

/* --- Reading --- */

/*
 * Where the batch operation cannot be used, or there is not enough memory for it,
 * element by element.
 */
static int begin_rows(const struct bpffs_info *info, struct bpffs_table *table)
{
	struct bpffs_keys *keys;
	int err;

	table->by_chunk = false;
	if (bpffs_chunk_possible(info)) {
		err = bpffs_chunk_next(info, &table->chunk);
		table->by_chunk = !err;
		if (!bpffs_map_can(info, BPFFS_CAN_READ) || (err != -ENOMEM && err != -EFBIG))
			return err;
	}
	if (bpffs_map_can(info, BPFFS_IS_ARRAY))
		return 0;
	keys = bpffs_keys_get(info);
	if (IS_ERR(keys))
		return PTR_ERR(keys);
	table->keys = keys;
	return 0;
}

static int begin_reading(const struct bpffs_info *info, struct bpffs_table *table)
{
	int err;

	if (!table->value)
		table->value = bpffs_zalloc(bpffs_shape_bytes(&table->shape));
	if (!table->value)
		return -ENOMEM;
	bpffs_keys_free(table->keys);
	table->keys = NULL;
	bpffs_chunk_free(&table->chunk);
	memset(&table->chunk, 0, sizeof(table->chunk));
	table->row = 0;
	table->sample = NULL;
	table->text_len = 0;
	table->text_from = -1;
	err = begin_rows(info, table);
	if (!err)
		table->text_from = 0;
	return err;
}

/* The key of the next element, and its value. NULL: there are no more. */
static const void *next_of_chunk(const struct bpffs_info *info, struct bpffs_table *table)
{
	struct bpffs_chunk *chunk = &table->chunk;
	const void *value;
	u64 row;
	int err;

	if (table->row == chunk->count) {
		err = bpffs_chunk_next(info, chunk);
		table->row = 0;
		if (err)
			return ERR_PTR(err);
		if (!chunk->count)
			return NULL;
	}
	row = table->row;
	value = chunk->values + row * bpffs_batch_value_bytes(info);
	if (info->sum) {
		bpffs_value_sum(&info->stored, value, table->value);
		/* Then it is not the sum, and others may have this file open. */
		if (bpffs_killed())
			return ERR_PTR(-EINTR);
		value = table->value;
	}
	table->sample = value;
	table->row++;
	return chunk->keys + row * info->key_size;
}

static const void *row_key(const struct bpffs_info *info, struct bpffs_table *table,
			   u32 *index)
{
	if (table->keys)
		return bpffs_keys_at(table->keys, table->row);
	*index = table->row;
	return bpffs_map_can(info, BPFFS_IS_ARRAY) &&
	       table->row < info->max_entries ? index : NULL;
}

/* The same, of the next one that is still there. */
static const void *next_by_key(const struct bpffs_info *info, struct bpffs_table *table,
			       u32 *index)
{
	const void *key;
	int err;

	while ((key = row_key(info, table, index))) {
		err = bpffs_read(info, key, table->value);
		/* The row is read again by the next read. */
		if (err && err != -ENOENT)
			return ERR_PTR(err);
		if (!bpffs_go_on())
			return ERR_PTR(-EINTR);
		table->row++;
		if (err)
			continue;
		table->sample = table->value;
		return key;
	}
	return NULL;
}

/* The begin of the next element's line. Return: its length, 0 at the end. */
static int begin_row(const struct bpffs_info *info, struct bpffs_table *table, char *to)
{
	const void *key;
	u32 index, len;

	if (table->by_chunk)
		key = next_of_chunk(info, table);
	else
		key = next_by_key(info, table, &index);
	if (IS_ERR_OR_NULL(key))
		return PTR_ERR_OR_ZERO(key);
	len = bpffs_name_whole(info->key, key, to);
	to[len++] = ' ';
	table->off = 0;
	memset(&table->text_pos, 0, sizeof(table->text_pos));
	return len;
}

/* Room to make more text. Only of a long one, the begin is given up. */
static int make_text_room(struct bpffs_table *table)
{
	size_t room = max_t(size_t, 2 * table->text_room, 2 * table->text_made), given_up;
	char *text;

	if (table->text_room - table->text_len > table->text_made)
		return 0;
	if (table->text_room >= 2 * TEXT_KEPT) {
		given_up = table->text_len - TEXT_KEPT;
		memmove(table->text, table->text + given_up, TEXT_KEPT + 1);
		table->text_len -= given_up;
		table->text_from += given_up;
		return 0;
	}
	text = bpffs_zalloc(room);
	if (!text)
		return -ENOMEM;
	if (table->text)
		memcpy(text, table->text, table->text_len + 1);
	bpffs_free(table->text);
	table->text = text;
	table->text_room = room;
	return 0;
}

/*
 * Make more text. An error comes when what was made before it has been read.
 * Return: 0 or an errno; nothing was made at the end.
 */
static int make_text(const struct bpffs_info *info, struct bpffs_table *table)
{
	size_t len = 0, got;
	char *out;
	int ret;

	ret = make_text_room(table);
	if (ret)
		return ret;
	out = table->text + table->text_len;
	if (table->sample)
		len++;
	for (;;) {
		if (!table->sample) {
			if (table->text_made - len <= table->name_room)
				break;
			ret = begin_row(info, table, out + len);
			if (ret <= 0)
				break;
			len += ret;
		}
		got = bpffs_text_read(&table->shape, table->sample, table->off,
				      &table->text_pos, out + len, table->text_made - len);
		len += got;
		table->off += got;
		if (len == table->text_made)
			break;
		/* Then it may not be the end of the text. */
		if (bpffs_killed()) {
			ret = -EINTR;
			break;
		}
		out[len - 1] = '\n';
		table->sample = NULL;
	}
	if (table->sample)
		len--;
	table->text_len += len;
	return len ? 0 : min(ret, 0);
}

static ssize_t read_rows(const struct bpffs_info *info, struct bpffs_table *table,
			 loff_t pos, struct iov_iter *to)
{
	size_t want, from, copied;
	ssize_t done = 0;
	loff_t end;
	int err;

	while ((want = iov_iter_count(to))) {
		end = table->text_from + table->text_len;
		if (pos >= end) {
			err = make_text(info, table);
			if (err)
				return done ?: err;
			if (table->text_from + (loff_t)table->text_len == end)
				break;
		} else {
			from = pos - table->text_from;
			want = min(want, table->text_len - from);
			copied = copy_to_iter(table->text + from, want, to);
			pos += copied;
			done += copied;
			if (copied < want)
				return done ?: -EFAULT;
		}
		if (!bpffs_go_on())
			return done ?: -EINTR;
	}
	return done;
}

ssize_t bpffs_table_read(const struct bpffs_info *info, struct bpffs_table *table,
			 loff_t *pos, struct iov_iter *to)
{
	ssize_t ret = 0;

	if (*pos == 0 || table->text_from < 0)
		ret = begin_reading(info, table);
	else if (*pos < table->text_from)
		ret = -ESPIPE;
	if (!ret)
		ret = read_rows(info, table, *pos, to);
	if (ret > 0)
		*pos += ret;
	return ret;
}

bool bpffs_table_goes_on_at(const struct bpffs_table *table, loff_t pos, bool reads)
{
	return pos == 0 || pos == table->write_pos || (reads && pos >= table->text_from);
}

/* --- Writing --- */

static void begin_line(struct bpffs_table *table)
{
	bpffs_parse_begin(table->parser);
	table->name_len = 0;
	table->in_fields = false;
}

static int begin_writing(const struct bpffs_info *info, struct bpffs_table *table)
{
	if (!table->parser)
		table->parser = bpffs_parser_new(&table->shape);
	if (!table->key)
		table->key = bpffs_zalloc(bpffs_key_size(info));
	if (!table->name)
		table->name = bpffs_zalloc(table->name_room);
	if (!table->parser || !table->key || !table->name)
		return -ENOMEM;
	begin_line(table);
	table->line = 1;
	table->write_pos = 0;
	table->failed = 0;
	return 0;
}

/* A line is refused: "table: line 7: REASON". */
__printf(3, 4)
static int refuse_line(struct bpffs_info *info, const struct bpffs_table *table,
		       const char *fmt, ...)
{
	char before[sizeof("table: line : ") + 20];
	va_list args;

	snprintf(before, sizeof(before), "table: line %llu: ", table->line);
	va_start(args, fmt);
	bpffs_refuse_within(info, before, fmt, args, UNCHANGED);
	va_end(args);
	return -EINVAL;
}

/* The name of a line is complete. */
static int end_name(struct bpffs_info *info, struct bpffs_table *table)
{
	char quoted[4 * BPFFS_QUOTED_MAX + 1];
	struct bpffs_reason why = {};
	int err;

	err = bpffs_name_to_key(info, table->name, table->name_len, table->key, &why);
	if (err == -EINVAL)
		return refuse_line(info, table, "\"%s\" names no key: %s",
				   bpffs_quote_name(quoted, table->name, table->name_len),
				   why.text);
	if (err)
		return err;
	err = bpffs_check_key(info, table->key);
	if (err) {
		refuse_line(info, table, "%.*s: the array has %u elements",
			    (int)table->name_len, table->name,
			    info->max_entries);
		return err;
	}
	table->in_fields = true;
	return 0;
}

static int store_whole(struct bpffs_info *info, struct bpffs_table *table)
{
	int is_new = bpffs_evictions_expect(&table->evictions, info, table->key);
	int err;

	if (is_new < 0)
		return is_new;
	err = bpffs_store_whole(info, table->key, bpffs_parse_value(table->parser), BPFFS_ANY,
				table->scratch);
	if (err)
		table->evictions.created -= is_new;
	return err;
}

static int store_line(struct bpffs_info *info, struct bpffs_table *table)
{
	struct bpffs_parser *parser = table->parser;
	int err;

	/* A value can have no text at all: padding that is zero. */
	if (!bpffs_parse_any_fresh(parser) && !bpffs_parse_all_fresh(parser))
		return refuse_line(info, table, "no field is named");
	if (bpffs_store_is_whole(info, parser))
		return store_whole(info, table);
	err = bpffs_store_fields(info, table->key, parser);
	if (err == -ENOENT && bpffs_parse_adds(parser))
		refuse_line(info, table, "there is no such element to add to");
	else if (err == -ENOENT)
		refuse_line(info, table, "there is no such element, and not every field is named");
	return err;
}

/* Bytes of the name at @text; it ends at a blank or the end of the line. */
static int take_name(struct bpffs_info *info, struct bpffs_table *table,
		     const char *text, size_t len, size_t *used)
{
	size_t n = 0;

	while (n < len && text[n] != ' ' && text[n] != '\t' && text[n] != '\n')
		n++;
	*used = n;
	if (table->name_len + n >= table->name_room)
		return refuse_line(info, table, "the name is longer than %u bytes",
				   table->name_room - 1);
	memcpy(table->name + table->name_len, text, n);
	table->name_len += n;
	if (n == len)
		return 0;
	if (table->name_len)
		return end_name(info, table);
	/* An empty line, or blanks before the name. */
	if (text[n] == '\n')
		table->line++;
	*used = n + 1;
	return 0;
}

/* Fields at @text up to the end of the line, which stores them. */
static int take_fields(struct bpffs_info *info, struct bpffs_table *table,
		       const char *text, size_t len, size_t *used, bool *stored)
{
	const char *end = memchr(text, '\n', len);
	struct bpffs_reason why = {};
	int err;

	*used = end ? (size_t)(end - text) + 1 : len;
	err = bpffs_parse_piece(table->parser, text, *used, &why);
	if (err == -EINVAL)
		refuse_line(info, table, "%.*s: %s", (int)table->name_len, table->name,
			    why.text);
	if (err)
		return err;
	if (!end)
		return 0;
	err = store_line(info, table);
	if (err)
		return err;
	*stored = true;
	table->line++;
	begin_line(table);
	return 0;
}

/*
 * Take in one window. *@done counts the bytes up to the end of the last line
 * stored, of @base before this window; behind it is line *@line.
 */
static int take_window(struct bpffs_info *info, struct bpffs_table *table, size_t len,
		       size_t base, size_t *done, u64 *line)
{
	size_t at, used;
	int err;

	for (at = 0; at < len; at += used) {
		const char *text = table->in + at;
		bool stored = false;

		if (table->in_fields)
			err = take_fields(info, table, text, len - at, &used, &stored);
		else
			err = take_name(info, table, text, len - at, &used);
		if (err)
			return err;
		if (stored) {
			*done = base + at + used;
			*line = table->line;
		}
		if (!bpffs_go_on())
			return -EINTR;
	}
	return 0;
}

static ssize_t write_lines(struct bpffs_info *info, struct bpffs_table *table,
			   struct iov_iter *from)
{
	bool within = table->name_len || table->in_fields;
	size_t base = 0, done = 0, want, got;
	u64 line = table->line;
	int err = 0;

	while (!err && (want = min(iov_iter_count(from), sizeof(table->in)))) {
		got = copy_from_iter(table->in, want, from);
		err = take_window(info, table, got, base, &done, &line);
		base += got;
		if (!err && got < want)
			err = -EFAULT;
	}
	if (!err)
		return base;
	/* The lines before the bad one are stored: say so by a short write. */
	begin_line(table);
	/* Empty ones behind it are written again. */
	table->line = line;
	if (within && !done)
		table->failed = bpffs_stays_failed(err);
	return done ? (ssize_t)done : err;
}

ssize_t bpffs_table_write(struct bpffs_info *info, struct bpffs_table *table,
			  loff_t *pos, struct iov_iter *from)
{
	ssize_t ret = 0;

	if (*pos == 0) {
		ret = begin_writing(info, table);
	} else if (*pos != table->write_pos) {
		ret = -ESPIPE;
	} else if (table->failed) {
		refuse_line(info, table,
			    "a write has failed in it: write from the start of the file");
		ret = table->failed;
	}
	if (!ret)
		ret = write_lines(info, table, from);
	if (ret > 0) {
		*pos += ret;
		table->write_pos = *pos;
	}
	return ret;
}

int bpffs_table_flush(struct bpffs_info *info, struct bpffs_table *table)
{
	return bpffs_evictions_check(&table->evictions, info, "table");
}
