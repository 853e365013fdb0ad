// SPDX-License-Identifier: GPL-2.0-only
/* The file of an element: its inode, open, read and stat. */
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "element.h"

static const struct file_operations element_fops;
static const struct inode_operations element_iops;

bool bpffs_is_element(const struct inode *inode)
{
	return inode->i_fop == &element_fops;
}

bool bpffs_element_is_open(const struct inode *inode)
{
	return READ_ONCE(bpffs_element(inode)->opens);
}

struct inode *bpffs_element_inode(struct super_block *sb, struct bpffs_info *info,
				  const void *key)
{
	struct bpffs_element *element;
	struct inode *inode;

	inode = bpffs_new_inode(sb, info, bpffs_key_ino(info, key),
				S_IFREG | (info->mode & 0666));
	if (IS_ERR(inode))
		return inode;
	element = bpffs_element(inode);
	element->open = NULL;
	element->opens = 0;
	if (bpffs_key_size(info) > sizeof(element->room))
		element->key = kmalloc(bpffs_key_size(info), GFP_KERNEL_ACCOUNT);
	if (!element->key) {
		iput(inode);
		return ERR_PTR(-ENOMEM);
	}
	memcpy(element->key, key, bpffs_key_size(info));
	inode->i_size = BPFFS_SIZE_UNKNOWN;
	inode->i_op = &element_iops;
	inode->i_fop = &element_fops;
	return inode;
}

/* Beyond it, a sample has an allocation of its own, when it is taken. */
#define SMALL_VALUE	256

static int open_element(struct inode *inode, struct file *file, bool pending)
{
	const struct bpffs_info *info = bpffs_info(inode);
	struct bpffs_element *element = bpffs_element(inode);
	u64 bytes = bpffs_shape_bytes(&info->shape);
	struct bpffs_open *open;

	if (bytes > BPFFS_VALUE_MAX)
		return -EFBIG;
	/* The VFS says so too late: at close an element would be made. */
	if (file->f_flags & O_DIRECT)
		return -EINVAL;
	open = kzalloc(sizeof(*open) + (bytes > SMALL_VALUE ? 0 : bytes),
		       GFP_KERNEL_ACCOUNT);
	if (!open)
		return -ENOMEM;
	mutex_init(&open->lock);
	if (bytes <= SMALL_VALUE)
		open->value = open->room;
	/* The flags of creation are still here, but gone at ->release. */
	open->pending = pending;
	open->may_insert = file->f_flags & O_CREAT &&
			   bpffs_map_can(info, BPFFS_CAN_CREATE);
	open->excl = file->f_flags & O_EXCL;
	open->zero_on_close = pending &&
			      !(file->f_flags & (O_TRUNC | O_EXCL | O_APPEND));

	mutex_lock(&element->lock);
	element->open = element->opens++ ? NULL : open;
	mutex_unlock(&element->lock);
	file->private_data = open;
	return 0;
}

static int element_open(struct inode *inode, struct file *file)
{
	return open_element(inode, file, false);
}

/* ->open of a file whose element is not there yet. */
int bpffs_element_open_new(struct inode *inode, struct file *file)
{
	return open_element(inode, file, true);
}

static int element_release(struct inode *inode, struct file *file)
{
	struct bpffs_element *element = bpffs_element(inode);
	struct bpffs_open *open = file->private_data;

	mutex_lock(&element->lock);
	element->opens--;
	element->open = NULL;
	mutex_unlock(&element->lock);

	bpffs_write_close(inode, open);
	mutex_destroy(&open->lock);
	bpffs_parser_free(open->parser);
	if (open->value != open->room)
		kvfree(open->value);
	kfree(open);
	return 0;
}

/* A new sample. Return: 0, -ENOENT, -EOPNOTSUPP, -ENOMEM. */
static int take_sample(struct inode *inode, struct bpffs_open *open)
{
	const struct bpffs_info *info = bpffs_info(inode);
	int err;

	open->sampled = false;
	if (!open->value)
		open->value = kvzalloc(bpffs_shape_bytes(&info->shape),
				       GFP_KERNEL_ACCOUNT);
	if (!open->value)
		return -ENOMEM;
	/* What changes from now on is later. */
	ktime_get_coarse_real_ts64(&open->sampled_at);
	err = bpffs_read(info, bpffs_element_key(inode), open->value);
	if (err)
		return err;
	open->sampled = true;
	open->consumed = false;
	open->size = U64_MAX;
	memset(&open->pos, 0, sizeof(open->pos));
	return 0;
}

/* Length of the text of this open file, sampling if it has not yet. */
static int text_size(struct inode *inode, struct bpffs_open *open, u64 *size)
{
	const struct bpffs_shape *shape = &bpffs_info(inode)->shape;
	int err;

	*size = 0;
	if (open->pending)
		return 0;
	if (!open->sampled) {
		err = take_sample(inode, open);
		if (err)
			return err;
	}
	if (open->size == U64_MAX) {
		*size = bpffs_text_size(shape, open->value);
		/* Then it may be less, and others may have this file open. */
		if (fatal_signal_pending(current))
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
	ssize_t done = 0;
	size_t got, copied;

	while (iov_iter_count(to)) {
		got = bpffs_text_read(shape, value, *pos, text, window,
				      min(iov_iter_count(to), sizeof(window)));
		if (!got)
			break;
		copied = copy_to_iter(window, got, to);
		*pos += copied;
		done += copied;
		if (copied < got)
			return done ?: -EFAULT;
		if (!bpffs_go_on())
			return done;
	}
	return done;
}

static ssize_t element_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct bpffs_open *open = iocb->ki_filp->private_data;
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret = 0;

	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	if (open->pending)
		goto out;
	if (!open->sampled || (iocb->ki_pos == 0 && open->consumed)) {
		ret = take_sample(inode, open);
		if (ret)
			goto out;
	}
	if (iocb->ki_pos == 0)
		open->consumed = true;
	ret = bpffs_text_to_iter(&bpffs_info(inode)->shape, open->value, &open->pos,
				 &iocb->ki_pos, to);
out:
	mutex_unlock(&open->lock);
	return ret;
}

static loff_t element_llseek(struct file *file, loff_t offset, int whence)
{
	struct bpffs_open *open = file->private_data;
	struct inode *inode = file_inode(file);
	u64 size = 0;
	int err = 0;

	/* SEEK_HOLE and SEEK_DATA too: all of it is data, as cp must know. */
	if (whence != SEEK_SET && whence != SEEK_CUR) {
		if (mutex_lock_killable(&open->lock))
			return -EINTR;
		err = text_size(inode, open, &size);
		mutex_unlock(&open->lock);
	}
	if (err)
		return err;
	return generic_file_llseek_size(file, offset, whence,
					inode->i_sb->s_maxbytes, size);
}

/* Two open files of one key have two inodes: a lock, or a lease, would exclude nobody. */
static int element_lock(struct file *file, int cmd, struct file_lock *lock)
{
	return -EOPNOTSUPP;
}

static const struct file_operations element_fops = {
	.owner		= THIS_MODULE,
	.open		= element_open,
	.release	= element_release,
	.read_iter	= element_read_iter,
	.write_iter	= bpffs_write_iter,
	.llseek		= element_llseek,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
	.lock		= element_lock,
	.flock		= element_lock,
	BPFFS_NO_LEASES
	.fsync		= noop_fsync,
};

/* Size of an element's text when no open file has a sample of it. */
static int fresh_size(struct inode *inode, u64 *size)
{
	const struct bpffs_info *info = bpffs_info(inode);
	void *value;
	int err;

	value = kvzalloc(bpffs_shape_bytes(&info->shape), GFP_KERNEL_ACCOUNT);
	if (!value)
		return -ENOMEM;
	err = bpffs_read(info, bpffs_element_key(inode), value);
	if (!err)
		*size = bpffs_text_size(&info->shape, value);
	kvfree(value);
	return err;
}

/*
 * Size and time of an open file are those of its sample: who looks before and after
 * reading it (tar) sees that nothing has changed of what was read.
 */
static int stat_sample(struct inode *inode, struct kstat *stat)
{
	struct bpffs_element *element = bpffs_element(inode);
	struct bpffs_open *open;
	u64 size = 0;
	int err;

	mutex_lock(&element->lock);
	open = element->open;
	/* In the middle of a read or write, its sample is about to change anyway. */
	if (open && mutex_trylock(&open->lock)) {
		err = text_size(inode, open, &size);
		if (open->sampled)
			stat->mtime = open->sampled_at;
		mutex_unlock(&open->lock);
	} else {
		err = fresh_size(inode, &size);
	}
	if (err == -ENOENT && element->opens) {
		stat->nlink = 0;
		err = 0;
	}
	mutex_unlock(&element->lock);
	stat->size = size;
	/* Else cp, tar and rsync take the file for a hole. */
	stat->blocks = DIV_ROUND_UP_ULL(size, 512);
	return err;
}

/* ctime is constant, and mtime now, if there is no sample: tar and rsync need this. */
static int element_getattr(struct mnt_idmap *idmap, const struct path *path,
			   struct kstat *stat, u32 request_mask,
			   unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	const struct bpffs_info *info = bpffs_info(inode);

	bpffs_fillattr(idmap, request_mask, inode, stat);
	ktime_get_coarse_real_ts64(&stat->mtime);
	stat->size = 0;
	/* Too big for a text, or not to be read: no size, as files of /proc. */
	if (bpffs_shape_bytes(&info->shape) <= BPFFS_VALUE_MAX &&
	    bpffs_map_can(info, BPFFS_CAN_READ) &&
	    request_mask & (STATX_SIZE | STATX_MTIME))
		return stat_sample(inode, stat);
	stat->result_mask &= ~STATX_SIZE;
	return 0;
}

/* rsync cuts a file to what it has written; everybody else to nothing. */
static int change_open(struct inode *inode, const struct iattr *attr, bool *make_zero)
{
	struct bpffs_open *open = bpffs_element(inode)->open;
	int err = 0;

	if (attr->ia_valid & ATTR_SIZE && !attr->ia_size)
		return 0;
	if (!open)
		return attr->ia_valid & ATTR_SIZE ? -EINVAL : 0;
	if (!mutex_trylock(&open->lock))
		return -EBUSY;
	if (attr->ia_valid & ATTR_SIZE)
		err = attr->ia_size == open->next ? 0 : -EINVAL;
	else
		*make_zero = bpffs_write_claims_zero(open);
	mutex_unlock(&open->lock);
	return err;
}

/*
 * Times, owner and mode are accepted and ignored: refusing them would break
 * tar, rsync -a, install and cp -p. But touch, which sets a time and no size,
 * makes an element that is not there yet.
 */
static int element_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			   struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct bpffs_element *element = bpffs_element(inode);
	bool make_zero = false;
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (!(attr->ia_valid & (ATTR_SIZE | ATTR_MTIME)))
		return 0;
	mutex_lock(&element->lock);
	err = change_open(inode, attr, &make_zero);
	mutex_unlock(&element->lock);
	/* That can take long: nobody waits for it. */
	if (make_zero)
		err = bpffs_store_zero(bpffs_info(inode), bpffs_element_key(inode));
	return err;
}

static const struct inode_operations element_iops = {
	.getattr	= element_getattr,
	.setattr	= element_setattr,
};
