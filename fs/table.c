// SPDX-License-Identifier: GPL-2.0-only
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
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "batch.h"

/**
 * struct table - an open table
 * @lock: guards the rest
 * @scratch: for elements that are written
 * @shape: the map's, with blanks between fields
 * @in: the piece of text that is being written
 * @text: the last of what was made to be read
 * @text_len: bytes of it; behind them, while there is a @sample, is one that is held
 *	back: the last blank of a line is a newline
 * @text_room: how much there is room for
 * @text_from: where in the file it begins; -1 if nothing has been read yet
 * @by_chunk: elements come from @chunk
 * @chunk: the elements that come next
 * @keys: else, of what is no array: the keys as of the first read
 * @row: the next element in @chunk or @keys, or index of the array
 * @value: room for a sample
 * @sample: the value of the current element; NULL if there is none
 * @off: of the next byte of its text
 * @text_pos: the same for bpffs_text_read()
 * @parser: of the fields of the current line, NULL before the first write
 * @key: of the current line
 * @name: of the current line
 * @name_len: its length
 * @in_fields: the current line's name is complete
 * @line: number of the current line
 * @write_pos: where the next write must be
 * @evictions: of new elements
 * @writer: whose write() was the last
 * @name_room: for a whole name and a NUL
 * @text_made: bytes of text that are made at a time
 */
struct table {
	struct mutex lock; /* above */
	struct bpffs_scratch scratch;
	struct bpffs_shape shape;
	char in[512];

	char *text;
	size_t text_len;
	size_t text_room;
	loff_t text_from;
	bool by_chunk;
	struct bpffs_chunk chunk;
	struct bpffs_keys *keys;
	u64 row;
	void *value;
	const void *sample;
	u64 off;
	struct bpffs_text_pos text_pos;

	struct bpffs_parser *parser;
	void *key;
	char *name;
	unsigned int name_len;
	bool in_fields;
	u64 line;
	loff_t write_pos;
	struct bpffs_evictions evictions;
	fl_owner_t writer;

	u32 name_room;
	u32 text_made;
};

/*
 * Bytes of text that are made at a time, but for a long name, and kept: what programs
 * read at a time.
 */
#define TEXT_MADE	2048
#define TEXT_KEPT	SZ_128K

static int table_open(struct inode *inode, struct file *file)
{
	const struct bpffs_info *info = bpffs_info(inode);
	struct table *table;

	if (!bpffs_map_can(info, BPFFS_CAN_READ | BPFFS_CAN_STREAM))
		return -EOPNOTSUPP;
	if (bpffs_shape_bytes(&info->shape) > BPFFS_VALUE_MAX)
		return -EFBIG;
	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	mutex_init(&table->lock);
	table->name_room = max_t(u32, bpffs_layout_name_max(info->key), BPFFS_NAME_MAX) + 1;
	table->text_made = TEXT_MADE + table->name_room - (BPFFS_NAME_MAX + 1);
	table->shape = info->shape;
	table->shape.separator = ' ';
	table->text_from = -1;
	table->line = 1;
	file->private_data = table;
	return 0;
}

static int table_release(struct inode *inode, struct file *file)
{
	struct bpffs_info *info = bpffs_info(inode);
	struct table *table = file->private_data;

	if (table->parser && (table->in_fields || table->name_len))
		bpffs_refuse(info, "table: closed in the middle of line %llu, which was not stored",
			     table->line);
	bpffs_chunk_free(&table->chunk);
	bpffs_scratch_free(&table->scratch);
	bpffs_keys_free(table->keys);
	bpffs_parser_free(table->parser);
	kvfree(table->value);
	kvfree(table->text);
	kfree(table->key);
	kvfree(table->name);
	mutex_destroy(&table->lock);
	kfree(table);
	return 0;
}

/* --- Reading --- */

/*
 * Where the batch operation cannot be used, or there is not enough memory for it,
 * element by element.
 */
static int begin_rows(const struct bpffs_info *info, struct table *table)
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

static int begin_reading(const struct bpffs_info *info, struct table *table)
{
	int err;

	if (!table->value)
		table->value = kvzalloc(bpffs_shape_bytes(&table->shape),
					GFP_KERNEL_ACCOUNT);
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
static const void *next_of_chunk(const struct bpffs_info *info, struct table *table)
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
		if (fatal_signal_pending(current))
			return ERR_PTR(-EINTR);
		value = table->value;
	}
	table->sample = value;
	table->row++;
	return chunk->keys + row * info->key_size;
}

static const void *row_key(const struct bpffs_info *info, struct table *table,
			   u32 *index)
{
	if (table->keys)
		return bpffs_keys_at(table->keys, table->row);
	*index = table->row;
	return bpffs_map_can(info, BPFFS_IS_ARRAY) &&
	       table->row < info->max_entries ? index : NULL;
}

/* The same, of the next one that is still there. */
static const void *next_by_key(const struct bpffs_info *info, struct table *table,
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
static int begin_row(const struct bpffs_info *info, struct table *table, char *to)
{
	const void *key;
	u32 index, len;

	if (table->by_chunk)
		key = next_of_chunk(info, table);
	else
		key = next_by_key(info, table, &index);
	if (IS_ERR_OR_NULL(key))
		return PTR_ERR_OR_ZERO(key);
	len = bpffs_name_whole(info->key, key, to, table->name_room);
	to[len++] = ' ';
	table->off = 0;
	memset(&table->text_pos, 0, sizeof(table->text_pos));
	return len;
}

/* Room to make more text. Only of a long one, the begin is given up. */
static int make_text_room(struct table *table)
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
	text = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!text)
		return -ENOMEM;
	if (table->text)
		memcpy(text, table->text, table->text_len + 1);
	kvfree(table->text);
	table->text = text;
	table->text_room = room;
	return 0;
}

/*
 * Make more text. An error comes when what was made before it has been read.
 * Return: 0 or an errno; nothing was made at the end.
 */
static int make_text(const struct bpffs_info *info, struct table *table)
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
		if (fatal_signal_pending(current)) {
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

static ssize_t read_rows(const struct bpffs_info *info, struct table *table,
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

static ssize_t table_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	const struct bpffs_info *info = bpffs_info(file_inode(iocb->ki_filp));
	struct table *table = iocb->ki_filp->private_data;
	ssize_t ret = 0;

	if (mutex_lock_killable(&table->lock))
		return -EINTR;
	if (iocb->ki_pos == 0 || table->text_from < 0)
		ret = begin_reading(info, table);
	else if (iocb->ki_pos < table->text_from)
		ret = -ESPIPE;
	if (!ret)
		ret = read_rows(info, table, iocb->ki_pos, to);
	if (ret > 0)
		iocb->ki_pos += ret;
	mutex_unlock(&table->lock);
	return ret;
}

/*
 * Only to where a read or a write can go on; nobody knows where the end is. A program
 * then reads from the start, as from a pipe.
 */
static loff_t table_llseek(struct file *file, loff_t offset, int whence)
{
	struct table *table = file->private_data;
	loff_t pos = offset;
	bool can;

	if (whence == SEEK_END)
		return -ESPIPE;
	if (whence == SEEK_CUR)
		pos += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (mutex_lock_killable(&table->lock))
		return -EINTR;
	can = pos == 0 || pos == file->f_pos || pos == table->write_pos ||
	      (file->f_mode & FMODE_READ && pos >= table->text_from);
	mutex_unlock(&table->lock);
	return can ? vfs_setpos(file, pos, MAX_LFS_FILESIZE) : -ESPIPE;
}

/* --- Writing --- */

static void begin_line(struct table *table)
{
	bpffs_parse_begin(table->parser);
	table->name_len = 0;
	table->in_fields = false;
}

static int begin_writing(const struct bpffs_info *info, struct table *table)
{
	if (!table->parser)
		table->parser = bpffs_parser_new(&table->shape);
	if (!table->key)
		table->key = kzalloc(bpffs_key_size(info), GFP_KERNEL_ACCOUNT);
	if (!table->name)
		table->name = kvmalloc(table->name_room, GFP_KERNEL_ACCOUNT);
	if (!table->parser || !table->key || !table->name)
		return -ENOMEM;
	begin_line(table);
	table->line = 1;
	table->write_pos = 0;
	return 0;
}

/* A line is refused: "table: line 7: REASON". */
__printf(3, 4)
static int refuse_line(struct bpffs_info *info, const struct table *table,
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
static int end_name(struct bpffs_info *info, struct table *table)
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
	err = bpffs_map_check_key(info, table->key);
	if (err) {
		refuse_line(info, table, "%.*s: the array has %u elements",
			    (int)table->name_len, table->name,
			    info->max_entries);
		return err;
	}
	table->in_fields = true;
	return 0;
}

static int store_whole(struct bpffs_info *info, struct table *table)
{
	int is_new = bpffs_evictions_expect(&table->evictions, info, table->key);
	int err;

	if (is_new < 0)
		return is_new;
	err = bpffs_store_whole(info, table->key, bpffs_parse_value(table->parser), BPFFS_ANY,
				&table->scratch);
	if (err)
		table->evictions.created -= is_new;
	return err;
}

static int store_line(struct bpffs_info *info, struct table *table)
{
	struct bpffs_parser *parser = table->parser;
	int err;

	/* A value can have no text at all: padding that is zero. */
	if (bpffs_parse_next_fresh(parser, 0) == U64_MAX && !bpffs_parse_all_fresh(parser))
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
static int take_name(struct bpffs_info *info, struct table *table,
		     const char *text, size_t len, size_t *used)
{
	size_t n = 0;

	while (n < len && text[n] != ' ' && text[n] != '\t' && text[n] != '\n')
		n++;
	if (table->name_len + n >= table->name_room)
		return refuse_line(info, table, "the name is longer than %u bytes",
				   table->name_room - 1);
	memcpy(table->name + table->name_len, text, n);
	table->name_len += n;
	*used = n;
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
static int take_fields(struct bpffs_info *info, struct table *table,
		       const char *text, size_t len, size_t *used, bool *stored)
{
	const char *end = memchr(text, '\n', len);
	struct bpffs_reason why = {};
	int err;

	*used = end ? end - text + 1 : len;
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
 * stored, of @base before this window.
 */
static int take_window(struct bpffs_info *info, struct table *table, size_t len,
		       size_t base, size_t *done)
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
		if (stored)
			*done = base + at + used;
		if (!bpffs_go_on())
			return -EINTR;
	}
	return 0;
}

static ssize_t write_lines(struct bpffs_info *info, struct table *table,
			   struct iov_iter *from)
{
	size_t base = 0, done = 0, want, got;
	int err = 0;

	while (!err && (want = min(iov_iter_count(from), sizeof(table->in)))) {
		got = copy_from_iter(table->in, want, from);
		err = take_window(info, table, got, base, &done);
		base += got;
		if (!err && got < want)
			err = -EFAULT;
	}
	if (!err)
		return base;
	/* The lines before the bad one are stored: say so by a short write. */
	begin_line(table);
	return done ?: err;
}

static ssize_t table_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct bpffs_info *info = bpffs_info(file_inode(iocb->ki_filp));
	struct table *table = iocb->ki_filp->private_data;
	ssize_t ret = 0;

	if (mutex_lock_killable(&table->lock))
		return -EINTR;
	if (iocb->ki_pos == 0)
		ret = begin_writing(info, table);
	else if (iocb->ki_pos != table->write_pos)
		ret = -ESPIPE;
	if (!ret)
		ret = write_lines(info, table, from);
	bpffs_scratch_unmap(&table->scratch);
	WRITE_ONCE(table->writer, current->files);
	if (ret > 0) {
		iocb->ki_pos += ret;
		table->write_pos = iocb->ki_pos;
	}
	mutex_unlock(&table->lock);
	return ret;
}

/* close() says, to the process that has written last, what an LRU map evicted. */
static int table_flush(struct file *file, fl_owner_t id)
{
	struct bpffs_info *info = bpffs_info(file_inode(file));
	struct table *table = file->private_data;
	int err;

	/* Nobody who closes it waits for another's user memory. */
	if (id != READ_ONCE(table->writer) || !mutex_trylock(&table->lock))
		return 0;
	err = bpffs_evictions_check(&table->evictions, info, "table");
	mutex_unlock(&table->lock);
	return err;
}

const struct file_operations bpffs_table_fops = {
	.owner		= THIS_MODULE,
	.open		= table_open,
	.release	= table_release,
	.flush		= table_flush,
	.read_iter	= table_read_iter,
	.write_iter	= table_write_iter,
	.llseek		= table_llseek,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
	.fsync		= noop_fsync,
};
