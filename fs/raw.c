// SPDX-License-Identifier: GPL-2.0-only
/* .bpf/raw, whose bytes core/raw.c makes and takes, as the VFS asks for them. */
#include "batch.h"
#include "core/raw.h"

/**
 * struct raw_file - an open stream
 * @lock: guards the rest
 * @raw: both ways of it
 * @scratch: for one element
 * @writer: whose write() was the last
 */
struct raw_file {
	struct mutex lock; /* above */
	struct bpffs_raw raw;
	struct bpffs_scratch scratch;
	fl_owner_t writer;
};

static int raw_open(struct inode *inode, struct file *file)
{
	struct raw_file *open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);
	int err;

	if (!open)
		return -ENOMEM;
	err = bpffs_raw_begin(bpffs_info(inode), &open->raw, &open->scratch);
	if (err) {
		kfree(open);
		return err;
	}
	mutex_init(&open->lock);
	file->private_data = open;
	return stream_open(inode, file);
}

static int raw_release(struct inode *inode, struct file *file)
{
	struct raw_file *open = file->private_data;

	bpffs_raw_end(bpffs_info(inode), &open->raw);
	bpffs_scratch_free(&open->scratch);
	mutex_destroy(&open->lock);
	kfree(open);
	return 0;
}

static ssize_t raw_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct bpffs_info *info = bpffs_info(file_inode(file));
	struct raw_file *open = file->private_data;
	ssize_t ret;

	if (!bpffs_batch_possible(info))
		return -EOPNOTSUPP;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	ret = bpffs_raw_read(info, &open->raw, buf, len);
	mutex_unlock(&open->lock);
	return ret;
}

static ssize_t raw_write(struct file *file, const char __user *buf, size_t len,
			 loff_t *pos)
{
	struct raw_file *open = file->private_data;
	ssize_t ret;

	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	WRITE_ONCE(open->writer, current->files);
	ret = bpffs_raw_write(bpffs_info(file_inode(file)), &open->raw, buf, len);
	bpffs_scratch_unmap(&open->scratch);
	mutex_unlock(&open->lock);
	return ret;
}

/*
 * close() says that the stream has no end, to the process that has written last;
 * another's comes in the middle, of a child that exits, or of a shell's duplicate.
 */
static int raw_flush(struct file *file, fl_owner_t id)
{
	struct raw_file *open = file->private_data;
	int err;

	/* Nobody who closes it waits for another's user memory. */
	if (id != READ_ONCE(open->writer) || !mutex_trylock(&open->lock))
		return 0;
	err = bpffs_raw_flush(bpffs_info(file_inode(file)), &open->raw);
	mutex_unlock(&open->lock);
	return err;
}

/* The operations need user memory: no splice. */
const struct file_operations bpffs_raw_fops = {
	.owner		= THIS_MODULE,
	.open		= raw_open,
	.release	= raw_release,
	.read		= raw_read,
	.write		= raw_write,
	.flush		= raw_flush,
	.fsync		= noop_fsync,
};
