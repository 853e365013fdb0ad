// SPDX-License-Identifier: GPL-2.0-only
/* The directory of a queue or a stack, and its files: core/queue.c, as the VFS asks it. */
#include <linux/uio.h>

#include "bpffs.h"
#include "core/queue.h"

/**
 * struct queue_file - an open peek, pop or push
 * @lock: guards @open
 * @open: what is open
 */
struct queue_file {
	struct mutex lock; /* see above */
	struct bpffs_queue_open open;
};

static enum bpffs_queue_file number_of(const struct inode *inode)
{
	return (unsigned long)inode->i_private;
}

static int queue_open(struct inode *inode, struct file *file)
{
	struct queue_file *queue;
	int err;

	err = bpffs_queue_may_open(bpffs_info(inode), number_of(inode),
				   file->f_mode & FMODE_READ, file->f_mode & FMODE_WRITE);
	if (err)
		return err;
	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return -ENOMEM;
	mutex_init(&queue->lock);
	queue->open.pops = number_of(inode) == BPFFS_POP;
	file->private_data = queue;
	return 0;
}

static ssize_t take_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct queue_file *queue = iocb->ki_filp->private_data;
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	/* What is popped cannot be put back: look at the reader's memory before. */
	if (fault_in_iov_iter_writeable(to, 1))
		return -EFAULT;
	if (mutex_lock_killable(&queue->lock))
		return -EINTR;
	ret = bpffs_queue_read(bpffs_info(file_inode(iocb->ki_filp)), &queue->open,
			       &iocb->ki_pos, to);
	mutex_unlock(&queue->lock);
	return ret;
}

static ssize_t push_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct queue_file *queue = iocb->ki_filp->private_data;
	ssize_t ret;

	if (mutex_lock_killable(&queue->lock))
		return -EINTR;
	ret = bpffs_queue_write(bpffs_info(file_inode(iocb->ki_filp)), &queue->open,
				&iocb->ki_pos, from);
	mutex_unlock(&queue->lock);
	return ret;
}

static int queue_release(struct inode *inode, struct file *file)
{
	struct queue_file *queue = file->private_data;

	bpffs_queue_end(bpffs_info(inode), &queue->open, bpffs_closed_by_kill());
	mutex_destroy(&queue->lock);
	kfree(queue);
	return 0;
}

static const struct file_operations take_fops = {
	.owner		= THIS_MODULE,
	.open		= queue_open,
	.release	= queue_release,
	.read_iter	= take_read_iter,
	.splice_read	= copy_splice_read,
	.llseek		= no_seek_end_llseek,
};

static const struct file_operations push_fops = {
	.owner		= THIS_MODULE,
	.open		= queue_open,
	.release	= queue_release,
	.write_iter	= push_write_iter,
	.splice_write	= iter_file_splice_write,
	.llseek		= noop_llseek,
	.fsync		= noop_fsync,
};

/* --- The directory --- */

static struct inode *file_inode_of(struct inode *dir, enum bpffs_queue_file i)
{
	struct bpffs_info *info = bpffs_info(dir);
	struct inode *inode;

	inode = bpffs_new_inode(dir->i_sb, info,
				bpffs_salted_ino(info, BPFFS_INO_QUEUE + i),
				S_IFREG | (info->mode & bpffs_queue_mode(i)));
	if (IS_ERR(inode))
		return inode;
	inode->i_size = BPFFS_SIZE_UNKNOWN;
	inode->i_private = (void *)(unsigned long)i;
	inode->i_op = &bpffs_fixed_iops;
	inode->i_fop = i == BPFFS_PUSH ? &push_fops : &take_fops;
	return inode;
}

static struct dentry *queue_lookup(struct inode *dir, struct dentry *dentry,
				   unsigned int flags)
{
	const struct qstr *name = &dentry->d_name;
	enum bpffs_queue_file found;
	struct inode *inode = NULL;

	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	found = bpffs_queue_find(name->name, name->len);
	if (bpffs_is_dot_bpf(name))
		inode = bpffs_attr_root(dir->i_sb, bpffs_info(dir), BPFFS_INO_DOT_BPF);
	else if (found < BPFFS_QUEUE_FILES)
		inode = file_inode_of(dir, found);
	return d_splice_alias(inode, dentry);
}

static int queue_iterate(struct file *file, struct dir_context *ctx)
{
	const struct bpffs_info *info = bpffs_info(file_inode(file));
	unsigned int i;

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < BPFFS_QUEUE_FILES; ctx->pos++) {
		i = ctx->pos - 2;
		if (!dir_emit(ctx, bpffs_queue_name(i), strlen(bpffs_queue_name(i)),
			      bpffs_salted_ino(info, BPFFS_INO_QUEUE + i), DT_REG))
			break;
	}
	return 0;
}

const struct inode_operations bpffs_queue_iops = {
	.lookup		= queue_lookup,
	.setattr	= bpffs_fixed_setattr,
};

const struct file_operations bpffs_queue_dir_fops = {
	.owner		= THIS_MODULE,
	.read		= generic_read_dir,
	.iterate_shared	= queue_iterate,
	.llseek		= generic_file_llseek,
	.fsync		= noop_fsync,
};
