// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An open element: its sample, and when a text that is written changes what.
 *
 * A text is parsed before anything changes. An element that is not there yet
 * appears when every field of it has been named, so that no BPF program sees
 * a half-made one.
 */
#ifndef __KERNEL__
#include <fcntl.h>
#endif

#include "element.h"

/* Beyond it, a sample has an allocation of its own, when it is taken. */
#define SMALL_VALUE	256

size_t bpffs_open_room(const struct bpffs_info *info)
{
	u64 bytes = bpffs_shape_bytes(&info->shape);

	return bytes > SMALL_VALUE ? 0 : bytes;
}

void bpffs_open_begin(const struct bpffs_info *info, struct bpffs_open *open,
		      unsigned int flags, bool pending)
{
	if (bpffs_shape_bytes(&info->shape) <= SMALL_VALUE)
		open->value = open->room;
	/* The flags of creation are still here, but gone at the end. */
	open->pending = pending;
	open->may_insert = flags & O_CREAT && bpffs_map_can(info, BPFFS_CAN_CREATE);
	open->excl = flags & O_EXCL;
	open->zero_on_close = pending && !(flags & (O_TRUNC | O_EXCL | O_APPEND));
}

/* --- Reading --- */

/* A new sample. Return: 0, -ENOENT, -EOPNOTSUPP, -ENOMEM. */
static int take_sample(const struct bpffs_info *info, const void *key,
		       struct bpffs_open *open)
{
	int err;

	open->sampled = false;
	if (!open->value)
		open->value = bpffs_zalloc(bpffs_shape_bytes(&info->shape));
	if (!open->value)
		return -ENOMEM;
	/* What changes from now on is later. */
	open->sampled_at = bpffs_now();
	err = bpffs_read(info, key, open->value);
	if (err)
		return err;
	open->sampled = true;
	open->consumed = false;
	open->size = U64_MAX;
	memset(&open->pos, 0, sizeof(open->pos));
	return 0;
}

int bpffs_open_size(const struct bpffs_info *info, const void *key,
		    struct bpffs_open *open, u64 *size)
{
	int err;

	*size = 0;
	if (open->pending)
		return 0;
	if (!open->sampled) {
		err = take_sample(info, key, open);
		if (err)
			return err;
	}
	if (open->size == U64_MAX) {
		*size = bpffs_text_size(&info->shape, open->value);
		/* Then it may be less, and others may have this file open. */
		if (bpffs_killed())
			return -EINTR;
		open->size = *size;
	}
	*size = open->size;
	return 0;
}

/**
 * bpffs_text_to_iter - give a reader the text of a value
 * @shape: of the value
 * @value: the sample
 * @text: where in the text the last read ended
 * @pos: of the file, moved on
 * @to: the reader
 *
 * Return: bytes given, or -EFAULT.
 */
ssize_t bpffs_text_to_iter(const struct bpffs_shape *shape, const void *value,
			   struct bpffs_text_pos *text, loff_t *pos, struct iov_iter *to)
{
	char window[BPFFS_WINDOW] __uninitialized;
	size_t want, got, copied;
	ssize_t done = 0;

	while ((want = min(iov_iter_count(to), sizeof(window)))) {
		got = bpffs_text_read(shape, value, *pos, text, window, want);
		if (!got)
			break;
		copied = copy_to_iter(window, got, to);
		*pos += copied;
		done += copied;
		if (copied < got)
			return done ?: -EFAULT;
		/* Less is the end of the text. */
		if (got < want || !bpffs_go_on())
			break;
	}
	return done;
}

ssize_t bpffs_open_read(const struct bpffs_info *info, const void *key,
			struct bpffs_open *open, loff_t *pos, struct iov_iter *to)
{
	int err;

	if (open->pending)
		return 0;
	if (!open->sampled || (*pos == 0 && open->consumed)) {
		err = take_sample(info, key, open);
		if (err)
			return err;
	}
	if (*pos == 0)
		open->consumed = true;
	return bpffs_text_to_iter(&info->shape, open->value, &open->pos, pos, to);
}

int bpffs_element_size(const struct bpffs_info *info, const void *key, u64 *size)
{
	void *value;
	int err;

	value = bpffs_zalloc(bpffs_shape_bytes(&info->shape));
	if (!value)
		return -ENOMEM;
	err = bpffs_read(info, key, value);
	if (!err)
		*size = bpffs_text_size(&info->shape, value);
	bpffs_free(value);
	return err;
}

int bpffs_element_delete(struct bpffs_info *info, const void *key)
{
	if (!bpffs_map_can(info, BPFFS_IS_ARRAY))
		return bpffs_map_delete(info, key);
	bpffs_refuse_element(info, key, "an element of an array stays" UNCHANGED);
	return -EPERM;
}

/* --- Writing --- */

static int store_whole(struct bpffs_info *info, const void *key, struct bpffs_open *open)
{
	u64 flags = BPFFS_EXIST;
	int err;

	if ((open->may_insert && open->excl) || (open->pending && bpffs_map_owns(info)))
		flags = BPFFS_NOEXIST;
	else if (open->may_insert)
		flags = BPFFS_ANY;
	err = bpffs_store_whole(info, key, bpffs_parse_value(open->parser), flags, NULL);
	if (err)
		return err;
	open->complete = true;
	open->pending = false;
	open->may_insert = false;
	return 0;
}

/* -ENOENT only if the element is gone for good, or needed to add to it. */
static int store_fields(struct bpffs_info *info, const void *key, struct bpffs_open *open)
{
	bool adds = bpffs_parse_adds(open->parser);
	int err = -ENOENT;

	if (!open->pending)
		err = bpffs_store_fields(info, key, open->parser);
	if (err == -ENOENT && open->may_insert && !adds) {
		open->pending = true;
		return bpffs_go_on() ? 0 : -EINTR;
	}
	if (err == -ENOENT && adds)
		bpffs_refuse_element(info, key,
				     "there is no such element to add to; no element was made");
	else if (err == -ENOENT)
		bpffs_refuse_element(info, key, "the element is gone" UNCHANGED);
	else if (!err)
		open->may_insert = false;
	return err;
}

/*
 * Is it time for an update of the whole element? When one write names every
 * field; and once, when the pieces of a text have come to do so, unless that
 * would destroy what the value owns: then they were stored one by one.
 */
static bool is_whole(const struct bpffs_info *info, const struct bpffs_open *open)
{
	if (bpffs_parse_all_fresh(open->parser))
		return open->pending || bpffs_store_is_whole(info, open->parser);
	if (open->complete || !bpffs_parse_all_named(open->parser))
		return false;
	return open->pending || !bpffs_map_owns(info);
}

/* Store what the pieces so far have completed. Return: 0 or an errno. */
static int store_fresh(struct bpffs_info *info, const void *key, struct bpffs_open *open)
{
	if (!bpffs_parse_any_fresh(open->parser))
		return 0;
	if (is_whole(info, open))
		return store_whole(info, key, open);
	return store_fields(info, key, open);
}

static void begin_text(struct bpffs_open *open, loff_t pos)
{
	bpffs_parse_begin(open->parser);
	open->next = pos;
	open->failed = 0;
	open->complete = false;
}

static int parse_pieces(struct bpffs_info *info, const void *key, struct bpffs_open *open,
			struct iov_iter *from)
{
	struct bpffs_reason why __uninitialized;
	char window[BPFFS_WINDOW] __uninitialized;
	size_t want, got;
	int err;

	while ((want = min(iov_iter_count(from), sizeof(window)))) {
		got = copy_from_iter(window, want, from);
		if (got < want)
			return -EFAULT;
		err = bpffs_parse_piece(open->parser, window, got, &why);
		if (err == -EINVAL)
			bpffs_refuse_text(info, key, &why);
		if (err)
			return err;
		if (!bpffs_go_on())
			return -EINTR;
	}
	if (!bpffs_parse_pause(open->parser, &why))
		return 0;
	bpffs_refuse_text(info, key, &why);
	return -EINVAL;
}

int bpffs_open_write(struct bpffs_info *info, const void *key, struct bpffs_open *open,
		     loff_t pos, struct iov_iter *from)
{
	size_t len = iov_iter_count(from);
	bool within;
	int err;

	if (!bpffs_map_can(info, BPFFS_CAN_WRITE))
		return -EOPNOTSUPP;
	open->zero_on_close = false;
	if (!open->parser) {
		open->parser = bpffs_parser_new(&info->shape);
		if (!open->parser)
			return -ENOMEM;
	}
	if (pos == 0)
		begin_text(open, 0);
	if (pos != open->next) {
		bpffs_refuse_element(info, key,
				     "a text is written from its start, without gaps" UNCHANGED);
		return -EINVAL;
	}
	if (open->failed) {
		bpffs_refuse_element(info, key,
				     "a write has failed in this text: write it from its start");
		return open->failed;
	}
	/* What was named so far of a new element is lost, too. */
	within = bpffs_parse_is_within(open->parser) || (open->pending && open->next);
	err = parse_pieces(info, key, open, from);
	if (!err)
		err = store_fresh(info, key, open);
	if (err) {
		begin_text(open, pos);
		if (within)
			open->failed = bpffs_stays_failed(err);
		return err;
	}
	bpffs_parse_commit(open->parser);
	open->sampled = false;
	open->next = pos + len;
	return 0;
}

int bpffs_open_truncate(const struct bpffs_open *open, u64 size)
{
	return !size || size == (u64)open->next ? 0 : -EINVAL;
}

bool bpffs_open_claims_zero(struct bpffs_open *open)
{
	if (!open->pending || open->parser || open->excl)
		return false;
	open->pending = false;
	open->zero_on_close = false;
	return true;
}

/* The last chance to say that a text was not finished. */
static void end_text(struct bpffs_info *info, const void *key, struct bpffs_open *open)
{
	struct bpffs_reason why = {};

	if (bpffs_parse_unfinished(open->parser, &why))
		bpffs_refuse_element(info, key,
				     "closed in the middle of a field, which was not changed: %s",
				     why.text);
	else if (open->pending && open->next)
		bpffs_refuse_element(info, key,
				     "closed before every field was named; no element was made");
}

void bpffs_open_end(struct bpffs_info *info, const void *key, struct bpffs_open *open,
		    bool stop)
{
	if (open->zero_on_close && !stop && bpffs_open_claims_zero(open) &&
	    bpffs_store_zero(info, key) == -ENOMEM)
		bpffs_refuse_element(info, key, "there was no memory for it; no element was made");
	if (open->parser)
		end_text(info, key, open);
	bpffs_parser_free(open->parser);
	if (open->value != open->room)
		bpffs_free(open->value);
}
