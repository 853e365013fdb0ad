// SPDX-License-Identifier: GPL-2.0-only
/* .bpf/table, whose lines core/table.c makes and takes, as the VFS asks for them. */
#include "batch.h"
#include "core/table.h"

/**
 * struct table_file - an open table
 * @lock: guards the rest
 * @table: its text, both ways
 * @scratch: for elements that are written
 * @writer: whose write() was the last
 */
struct table_file {
	struct mutex lock; /* above */
	struct bpffs_table table;
	struct bpffs_scratch scratch;
	fl_owner_t writer;
};

static int table_open(struct inode *inode, struct file *file)
{
	struct table_file *open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);
	int err;

	if (!open)
		return -ENOMEM;
	err = bpffs_table_begin(bpffs_info(inode), &open->table, &open->scratch);
	if (err) {
		kfree(open);
		return err;
	}
	mutex_init(&open->lock);
	file->private_data = open;
	return 0;
}

static int table_release(struct inode *inode, struct file *file)
{
	struct table_file *open = file->private_data;

	bpffs_table_end(bpffs_info(inode), &open->table);
	bpffs_scratch_free(&open->scratch);
	mutex_destroy(&open->lock);
	kfree(open);
	return 0;
}

static ssize_t table_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct table_file *open = iocb->ki_filp->private_data;
	ssize_t ret;

	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	ret = bpffs_table_read(bpffs_info(file_inode(iocb->ki_filp)), &open->table,
			       &iocb->ki_pos, to);
	mutex_unlock(&open->lock);
	return ret;
}

/*
 * Only to where a read or a write can go on; nobody knows where the end is. A program
 * then reads from the start, as from a pipe.
 */
static loff_t table_llseek(struct file *file, loff_t offset, int whence)
{
	struct table_file *open = file->private_data;
	loff_t pos = offset;
	bool can;

	if (whence == SEEK_END)
		return -ESPIPE;
	if (whence == SEEK_CUR)
		pos += file->f_pos;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	can = pos == file->f_pos ||
	      bpffs_table_goes_on_at(&open->table, pos, file->f_mode & FMODE_READ);
	mutex_unlock(&open->lock);
	return can ? vfs_setpos(file, pos, MAX_LFS_FILESIZE) : -ESPIPE;
}

static ssize_t table_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct table_file *open = iocb->ki_filp->private_data;
	ssize_t ret;

	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	ret = bpffs_table_write(bpffs_info(file_inode(iocb->ki_filp)), &open->table,
				&iocb->ki_pos, from);
	bpffs_scratch_unmap(&open->scratch);
	WRITE_ONCE(open->writer, current->files);
	mutex_unlock(&open->lock);
	return ret;
}

/* close() says, to the process that has written last, what an LRU map evicted. */
static int table_flush(struct file *file, fl_owner_t id)
{
	struct table_file *open = file->private_data;
	int err;

	/* Nobody who closes it waits for another's user memory. */
	if (id != READ_ONCE(open->writer) || !mutex_trylock(&open->lock))
		return 0;
	err = bpffs_table_flush(bpffs_info(file_inode(file)), &open->table);
	mutex_unlock(&open->lock);
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
