// SPDX-License-Identifier: GPL-2.0-only
/* The file of an element: its inode; what core/element.c says, as the VFS asks it. */
#include "bpffs.h"

/**
 * struct bpffs_open_file - an open element file
 * @lock: guards @open. It is held while user memory is read and written, which
 *	may take as long as its owner likes: nobody else waits for it
 * @open: the open element
 */
struct bpffs_open_file {
	struct mutex lock; /* see above */
	struct bpffs_open open;
};

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

static int open_element(struct inode *inode, struct file *file, bool pending)
{
	const struct bpffs_info *info = bpffs_info(inode);
	struct bpffs_element *element = bpffs_element(inode);
	struct bpffs_open_file *open;

	if (bpffs_shape_bytes(&info->shape) > BPFFS_VALUE_MAX)
		return -EFBIG;
	/* The VFS says so too late: at close an element would be made. */
	if (file->f_flags & O_DIRECT)
		return -EINVAL;
	open = kzalloc(sizeof(*open) + bpffs_open_room(info), GFP_KERNEL_ACCOUNT);
	if (!open)
		return -ENOMEM;
	mutex_init(&open->lock);
	bpffs_open_begin(info, &open->open, file->f_flags, pending);

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
	struct bpffs_open_file *open = file->private_data;

	mutex_lock(&element->lock);
	element->opens--;
	element->open = NULL;
	mutex_unlock(&element->lock);

	bpffs_open_end(bpffs_info(inode), bpffs_element_key(inode), &open->open,
		       sb_rdonly(inode->i_sb) || bpffs_closed_by_kill());
	mutex_destroy(&open->lock);
	kfree(open);
	return 0;
}

static ssize_t element_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct bpffs_open_file *open = iocb->ki_filp->private_data;
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	ret = bpffs_open_read(bpffs_info(inode), bpffs_element_key(inode), &open->open,
			      &iocb->ki_pos, to);
	mutex_unlock(&open->lock);
	return ret;
}

static ssize_t element_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct bpffs_open_file *open = iocb->ki_filp->private_data;
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t len = iov_iter_count(from);
	int err;

	if (!len)
		return 0;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	err = bpffs_open_write(bpffs_info(inode), bpffs_element_key(inode), &open->open,
			       iocb->ki_pos, from);
	if (!err)
		iocb->ki_pos += len;
	mutex_unlock(&open->lock);
	return err ?: len;
}

static loff_t element_llseek(struct file *file, loff_t offset, int whence)
{
	struct bpffs_open_file *open = file->private_data;
	struct inode *inode = file_inode(file);
	u64 size = 0;
	int err = 0;

	/* SEEK_HOLE and SEEK_DATA too: all of it is data, as cp must know. */
	if (whence != SEEK_SET && whence != SEEK_CUR) {
		if (mutex_lock_killable(&open->lock))
			return -EINTR;
		err = bpffs_open_size(bpffs_info(inode), bpffs_element_key(inode),
				      &open->open, &size);
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
	.write_iter	= element_write_iter,
	.llseek		= element_llseek,
	.splice_read	= copy_splice_read,
	.splice_write	= iter_file_splice_write,
	.lock		= element_lock,
	.flock		= element_lock,
	BPFFS_NO_LEASES
	.fsync		= noop_fsync,
};

/*
 * Size and time of an open file are those of its sample: who looks before and after
 * reading it (tar) sees that nothing has changed of what was read.
 */
static int stat_sample(struct inode *inode, struct kstat *stat)
{
	const struct bpffs_info *info = bpffs_info(inode);
	struct bpffs_element *element = bpffs_element(inode);
	struct bpffs_open_file *open;
	u64 size = 0;
	int err;

	mutex_lock(&element->lock);
	open = element->open;
	/* In the middle of a read or write, its sample is about to change anyway. */
	if (open && mutex_trylock(&open->lock)) {
		err = bpffs_open_size(info, element->key, &open->open, &size);
		if (open->open.sampled)
			stat->mtime = ns_to_timespec64(open->open.sampled_at);
		mutex_unlock(&open->lock);
	} else {
		err = bpffs_element_size(info, element->key, &size);
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
	struct bpffs_open_file *open = bpffs_element(inode)->open;
	int err = 0;

	if (attr->ia_valid & ATTR_SIZE && !attr->ia_size)
		return 0;
	if (!open)
		return attr->ia_valid & ATTR_SIZE ? -EINVAL : 0;
	if (!mutex_trylock(&open->lock))
		return -EBUSY;
	if (attr->ia_valid & ATTR_SIZE)
		err = bpffs_open_truncate(&open->open, attr->ia_size);
	else
		*make_zero = bpffs_open_claims_zero(&open->open);
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
