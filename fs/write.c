// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes to an element's file: when does a text change what.
 *
 * A text is parsed before anything changes. An element that is not there yet
 * appears when every field of it has been named, so that no BPF program sees
 * a half-made one.
 */
#include <linux/uio.h>

#include "batch.h"
#include "element.h"

static void refuse(struct inode *inode, const char *reason)
{
	bpffs_refuse_element(bpffs_info(inode), bpffs_element_key(inode),
			     "%s", reason);
}

static int store_whole(struct inode *inode, struct bpffs_open *open)
{
	struct bpffs_info *info = bpffs_info(inode);
	struct bpffs_scratch s = {};
	u64 flags = BPF_EXIST;
	int err;

	if ((open->may_insert && open->excl) ||
	    (open->pending && bpffs_value_owns(bpffs_bpf_map(info))))
		flags = BPF_NOEXIST;
	else if (open->may_insert)
		flags = BPF_ANY;
	err = bpffs_store_whole(info, bpffs_element_key(inode),
				bpffs_parse_value(open->parser), flags, &s);
	bpffs_scratch_unmap(&s);
	bpffs_scratch_free(&s);
	if (err)
		return err;
	open->complete = true;
	open->pending = false;
	open->may_insert = false;
	return 0;
}

/* -ENOENT only if the element is gone for good, or needed to add to it. */
static int store_fields(struct inode *inode, struct bpffs_open *open)
{
	bool adds = bpffs_parse_adds(open->parser);
	int err = -ENOENT;

	if (!open->pending)
		err = bpffs_store_fields(bpffs_info(inode), bpffs_element_key(inode),
					 open->parser);
	if (err == -ENOENT && open->may_insert && !adds) {
		open->pending = true;
		return bpffs_go_on() ? 0 : -EINTR;
	}
	if (err == -ENOENT && adds)
		refuse(inode, "there is no such element to add to; no element was made");
	else if (err == -ENOENT)
		refuse(inode, "the element is gone" UNCHANGED);
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
	return open->pending || !bpffs_value_owns(bpffs_bpf_map(info));
}

/* Store what the pieces so far have completed. Return: 0 or an errno. */
static int store_fresh(struct inode *inode, struct bpffs_open *open)
{
	if (bpffs_parse_next_fresh(open->parser, 0) == U64_MAX)
		return 0;
	if (is_whole(bpffs_info(inode), open))
		return store_whole(inode, open);
	return store_fields(inode, open);
}

/* --- Pieces of text --- */

static void begin_text(struct bpffs_open *open, loff_t pos)
{
	bpffs_parse_begin(open->parser);
	open->next = pos;
	open->complete = false;
}

static int parse_pieces(struct inode *inode, struct bpffs_open *open,
			struct iov_iter *from)
{
	struct bpffs_reason why = {};
	char window[BPFFS_WINDOW] __uninitialized;
	size_t want, got;
	int err;

	while ((want = min(iov_iter_count(from), sizeof(window)))) {
		got = copy_from_iter(window, want, from);
		if (got < want)
			return -EFAULT;
		err = bpffs_parse_piece(open->parser, window, got, &why);
		if (err == -EINVAL)
			bpffs_refuse_text(bpffs_info(inode),
					  bpffs_element_key(inode), &why);
		if (err)
			return err;
		if (!bpffs_go_on())
			return -EINTR;
	}
	if (!bpffs_parse_pause(open->parser, &why))
		return 0;
	bpffs_refuse_text(bpffs_info(inode), bpffs_element_key(inode), &why);
	return -EINVAL;
}

static int write_text(struct inode *inode, struct bpffs_open *open, loff_t pos,
		      struct iov_iter *from)
{
	const struct bpffs_info *info = bpffs_info(inode);
	int err;

	if (!bpffs_map_can(info, BPFFS_CAN_WRITE))
		return -EOPNOTSUPP;
	if (!open->parser) {
		open->parser = bpffs_parser_new(&info->shape);
		if (!open->parser)
			return -ENOMEM;
	}
	if (pos == 0)
		begin_text(open, 0);
	if (pos != open->next) {
		refuse(inode, "a text is written from its start, without gaps" UNCHANGED);
		return -EINVAL;
	}
	open->zero_on_close = false;
	err = parse_pieces(inode, open, from);
	if (!err)
		err = store_fresh(inode, open);
	if (err) {
		begin_text(open, pos);
		return err;
	}
	bpffs_parse_commit(open->parser);
	open->sampled = false;
	return 0;
}

ssize_t bpffs_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct bpffs_open *open = iocb->ki_filp->private_data;
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t len = iov_iter_count(from);
	int err;

	if (!len)
		return 0;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	err = write_text(inode, open, iocb->ki_pos, from);
	if (!err) {
		iocb->ki_pos += len;
		open->next = iocb->ki_pos;
	}
	mutex_unlock(&open->lock);
	return err ?: len;
}

/*
 * touch: is the caller to make the element, all zero? If nothing was written and it
 * was not there. Once only.
 */
bool bpffs_write_claims_zero(struct bpffs_open *open)
{
	if (!open->pending || open->parser)
		return false;
	open->pending = false;
	open->zero_on_close = false;
	return true;
}

/* The last chance to say that a text was not finished. */
void bpffs_write_close(struct inode *inode, struct bpffs_open *open)
{
	struct bpffs_reason why = {};

	if (open->zero_on_close && !sb_rdonly(inode->i_sb) && !bpffs_closed_by_kill() &&
	    bpffs_write_claims_zero(open) &&
	    bpffs_store_zero(bpffs_info(inode), bpffs_element_key(inode)) == -ENOMEM)
		refuse(inode, "there was no memory for it; no element was made");
	if (!open->parser)
		return;
	if (bpffs_parse_unfinished(open->parser, &why))
		bpffs_refuse_element(bpffs_info(inode), bpffs_element_key(inode),
				     "closed in the middle of a field, which was not changed: %s",
				     why.text);
	else if (open->pending && open->next)
		refuse(inode, "closed before every field was named; no element was made");
}
