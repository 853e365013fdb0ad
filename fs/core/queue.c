// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The files of a queue or a stack: peek reads the element at its end, pop
 * takes it out, push puts one in.
 *
 * pop opens only for reading and writing (cat <>pop), so that nothing that
 * walks a tree drains a queue.
 */
#include "queue.h"

static const struct {
	const char *name;
	unsigned short mode;
} files[] = {
	[BPFFS_PEEK]	= { "peek", 0444 },
	[BPFFS_POP]	= { "pop",  0666 },
	[BPFFS_PUSH]	= { "push", 0222 },
};

const char *bpffs_queue_name(enum bpffs_queue_file file)
{
	return files[file].name;
}

unsigned short bpffs_queue_mode(enum bpffs_queue_file file)
{
	return files[file].mode;
}

enum bpffs_queue_file bpffs_queue_find(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (len == strlen(files[i].name) && !memcmp(name, files[i].name, len))
			break;
	return i;
}

int bpffs_queue_may_open(const struct bpffs_info *info, enum bpffs_queue_file file,
			 bool reads, bool writes)
{
	if (file == BPFFS_POP && !(reads && writes))
		return -EACCES;
	if (file == BPFFS_PUSH && reads)
		return -EACCES;
	if (file == BPFFS_PEEK && writes)
		return -EACCES;
	return bpffs_shape_bytes(&info->shape) > BPFFS_VALUE_MAX ? -EFBIG : 0;
}

/* --- Reading --- */

static int take_element(const struct bpffs_info *info, struct bpffs_queue_open *open)
{
	int err;

	if (!open->value)
		open->value = bpffs_zalloc(bpffs_shape_bytes(&info->shape));
	if (!open->value)
		return -ENOMEM;
	err = open->pops ? bpffs_map_pop(info, open->value) :
			   bpffs_map_peek(info, open->value);
	open->has = !err;
	memset(&open->pos, 0, sizeof(open->pos));
	return err;
}

ssize_t bpffs_queue_read(const struct bpffs_info *info, struct bpffs_queue_open *open,
			 loff_t *pos, struct iov_iter *to)
{
	ssize_t ret = 0;

	if (*pos == 0 && !open->owed)
		ret = take_element(info, open);
	if (!ret && open->has) {
		ret = bpffs_text_to_iter(&info->shape, open->value, &open->pos, pos, to);
		open->owed = ret < 0 && open->pops;
	}
	return ret == -ENOENT ? 0 : ret;
}

/* --- Writing --- */

static int push_text(struct bpffs_info *info, struct bpffs_queue_open *open)
{
	int err = bpffs_map_push(info, bpffs_parse_value(open->parser));

	if (err == -ENOSPC)
		bpffs_refuse(info, "push: full (%u elements); nothing was pushed",
			     info->max_entries);
	else if (err)
		bpffs_refuse(info, "push: the map refuses the element (error %d)", -err);
	bpffs_parse_begin(open->parser);
	return err;
}

/* A line may complete the text of an element, which is pushed then. */
static int take_line(struct bpffs_info *info, struct bpffs_queue_open *open,
		     const char *text, size_t len, bool *pushed)
{
	struct bpffs_reason why = {};
	int err;

	*pushed = false;
	err = bpffs_parse_piece(open->parser, text, len, &why);
	if (err == -EINVAL)
		bpffs_refuse(info, "push: %s; nothing was pushed", why.text);
	if (err)
		return err;
	if (bpffs_parse_adds(open->parser)) {
		bpffs_refuse(info, "push: there is nothing to add to; nothing was pushed");
		return -EINVAL;
	}
	if (text[len - 1] != '\n' || !bpffs_parse_all_fresh(open->parser))
		return 0;
	*pushed = true;
	return push_text(info, open);
}

/* Of what could not be pushed, nothing is kept: say how far it went. */
static ssize_t push_lines(struct bpffs_info *info, struct bpffs_queue_open *open,
			  struct iov_iter *from)
{
	bool within = bpffs_parse_is_within(open->parser) || bpffs_parse_any_fresh(open->parser);
	char window[BPFFS_WINDOW] __uninitialized;
	size_t base = 0, done = 0, want, got, at, len;
	const char *end;
	bool pushed;
	int err = 0;

	while (!err && (want = min(iov_iter_count(from), sizeof(window)))) {
		got = copy_from_iter(window, want, from);
		for (at = 0; at < got && !err; at += len) {
			end = memchr(window + at, '\n', got - at);
			len = end ? (size_t)(end - (window + at)) + 1 : got - at;
			err = take_line(info, open, window + at, len, &pushed);
			if (!err && pushed)
				done = base + at + len;
			if (!err && !bpffs_go_on())
				err = -EINTR;
		}
		base += got;
		if (!err && got < want)
			err = -EFAULT;
	}
	if (!err)
		return base;
	bpffs_parse_begin(open->parser);
	if (within && !done)
		open->failed = bpffs_stays_failed(err);
	return done ? (ssize_t)done : err;
}

ssize_t bpffs_queue_write(struct bpffs_info *info, struct bpffs_queue_open *open,
			  loff_t *pos, struct iov_iter *from)
{
	ssize_t ret = 0;

	if (!open->parser)
		open->parser = bpffs_parser_new(&info->shape);
	if (!open->parser) {
		ret = -ENOMEM;
	} else if (*pos != open->next) {
		bpffs_parse_begin(open->parser);
		open->failed = 0;
	} else if (open->failed) {
		bpffs_refuse(info, "push: a write has failed in this text: open the file anew");
		ret = open->failed;
	}
	if (!ret)
		ret = push_lines(info, open, from);
	if (ret > 0)
		*pos += ret;
	open->next = *pos;
	return ret;
}

/* A text without a final newline is complete at the end, if it is its writer's. */
static void push_rest(struct bpffs_info *info, struct bpffs_queue_open *open, bool killed)
{
	struct bpffs_reason why = {};
	bool some;

	bpffs_parse_pause(open->parser, NULL);
	some = bpffs_parse_any_fresh(open->parser);
	if (!some && !bpffs_parse_unfinished(open->parser, &why))
		return;
	if (killed)
		bpffs_refuse(info, "push: killed before the end of a text; nothing was pushed");
	else if (some && bpffs_parse_all_fresh(open->parser))
		push_text(info, open);
	else
		bpffs_refuse(info,
			     "push: closed before every field was named; nothing was pushed");
}

void bpffs_queue_end(struct bpffs_info *info, struct bpffs_queue_open *open, bool killed)
{
	if (open->parser)
		push_rest(info, open, killed);
	if (open->owed)
		bpffs_refuse(info, "pop: the reader's memory went away; an element is lost");
	bpffs_parser_free(open->parser);
	bpffs_free(open->value);
}
