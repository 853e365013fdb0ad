// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory of a queue or a stack: peek reads the element at its end, pop
 * takes it out, push puts one in.
 *
 * pop opens only for reading and writing (cat <>pop), so that nothing that
 * walks a tree drains a queue.
 */
#include <linux/uio.h>

#include "bpffs.h"

enum {
	PEEK,
	POP,
	PUSH,
};

static const struct file_operations take_fops;
static const struct file_operations push_fops;

static const struct {
	const char *name;
	umode_t mode;
	const struct file_operations *fops;
} files[] = {
	[PEEK]	= { "peek", 0444, &take_fops },
	[POP]	= { "pop",  0666, &take_fops },
	[PUSH]	= { "push", 0222, &push_fops },
};

/**
 * struct queue_open - an open peek, pop or push
 * @lock: guards the rest
 * @value: the element read; NULL before the first read
 * @has: is there one? A read at offset 0 takes the next
 * @owed: but not if it has been popped, and nobody was given any of it
 * @pos: where in its text the last read ended
 * @parser: of the text being written, NULL before the first write
 * @next: the offset at which a write continues that text
 */
struct queue_open {
	struct mutex lock; /* see above */
	void *value;
	bool has;
	bool owed;
	struct bpffs_text_pos pos;
	struct bpffs_parser *parser;
	loff_t next;
};

static int queue_open(struct inode *inode, struct file *file)
{
	const struct bpffs_info *info = bpffs_info(inode);
	struct queue_open *open;

	if (inode->i_private == &files[POP] && (file->f_flags & O_ACCMODE) != O_RDWR)
		return -EACCES;
	if (inode->i_private == &files[PUSH] && file->f_mode & FMODE_READ)
		return -EACCES;
	if (inode->i_private == &files[PEEK] && file->f_mode & FMODE_WRITE)
		return -EACCES;
	if (bpffs_shape_bytes(&info->shape) > BPFFS_VALUE_MAX)
		return -EFBIG;
	open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);
	if (!open)
		return -ENOMEM;
	mutex_init(&open->lock);
	file->private_data = open;
	return 0;
}

/* --- Reading --- */

static int take_element(struct inode *inode, struct queue_open *open)
{
	const struct bpffs_info *info = bpffs_info(inode);
	int err;

	if (!open->value)
		open->value = kvzalloc(bpffs_shape_bytes(&info->shape), GFP_KERNEL_ACCOUNT);
	if (!open->value)
		return -ENOMEM;
	err = inode->i_private == &files[POP] ? bpffs_map_pop(info, open->value) :
						bpffs_map_peek(info, open->value);
	open->has = !err;
	memset(&open->pos, 0, sizeof(open->pos));
	return err;
}

/* An empty queue reads as an empty file. */
static ssize_t take_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct queue_open *open = iocb->ki_filp->private_data;
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret = 0;

	if (!iov_iter_count(to))
		return 0;
	/* What is popped cannot be put back: look at the reader's memory before. */
	if (fault_in_iov_iter_writeable(to, 1))
		return -EFAULT;
	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	if (iocb->ki_pos == 0 && !open->owed)
		ret = take_element(inode, open);
	if (!ret && open->has) {
		ret = bpffs_text_to_iter(&bpffs_info(inode)->shape, open->value, &open->pos,
					 &iocb->ki_pos, to);
		open->owed = ret < 0 && inode->i_private == &files[POP];
	}
	mutex_unlock(&open->lock);
	return ret == -ENOENT ? 0 : ret;
}

/* --- Writing --- */

static int push_text(struct bpffs_info *info, struct queue_open *open)
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
static int take_line(struct bpffs_info *info, struct queue_open *open,
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
static ssize_t push_lines(struct bpffs_info *info, struct queue_open *open,
			  struct iov_iter *from)
{
	char window[BPFFS_WINDOW] __uninitialized;
	size_t base = 0, done = 0, want, got, at, len;
	const char *end;
	bool pushed;
	int err = 0;

	while (!err && (want = min(iov_iter_count(from), sizeof(window)))) {
		got = copy_from_iter(window, want, from);
		for (at = 0; at < got && !err; at += len) {
			end = memchr(window + at, '\n', got - at);
			len = end ? end - (window + at) + 1 : got - at;
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
	return done ?: err;
}

static ssize_t push_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct queue_open *open = iocb->ki_filp->private_data;
	struct bpffs_info *info = bpffs_info(file_inode(iocb->ki_filp));
	ssize_t ret = 0;

	if (mutex_lock_killable(&open->lock))
		return -EINTR;
	if (!open->parser)
		open->parser = bpffs_parser_new(&info->shape);
	if (!open->parser)
		ret = -ENOMEM;
	else if (iocb->ki_pos != open->next)
		bpffs_parse_begin(open->parser);
	if (!ret)
		ret = push_lines(info, open, from);
	if (ret > 0)
		iocb->ki_pos += ret;
	open->next = iocb->ki_pos;
	mutex_unlock(&open->lock);
	return ret;
}

/* A text without a final newline is complete at the end, if it is its writer's. */
static void push_rest(struct bpffs_info *info, struct queue_open *open)
{
	struct bpffs_reason why = {};
	bool some;

	bpffs_parse_pause(open->parser, NULL);
	some = bpffs_parse_next_fresh(open->parser, 0) != U64_MAX;
	if (!some && !bpffs_parse_unfinished(open->parser, &why))
		return;
	if (bpffs_closed_by_kill())
		bpffs_refuse(info, "push: killed before the end of a text; nothing was pushed");
	else if (some && bpffs_parse_all_fresh(open->parser))
		push_text(info, open);
	else
		bpffs_refuse(info,
			     "push: closed before every field was named; nothing was pushed");
}

static int queue_release(struct inode *inode, struct file *file)
{
	struct bpffs_info *info = bpffs_info(inode);
	struct queue_open *open = file->private_data;

	if (open->parser)
		push_rest(info, open);
	if (open->owed)
		bpffs_refuse(info, "pop: the reader's memory went away; an element is lost");
	bpffs_parser_free(open->parser);
	kvfree(open->value);
	mutex_destroy(&open->lock);
	kfree(open);
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

static struct inode *file_inode_of(struct inode *dir, unsigned int i)
{
	struct bpffs_info *info = bpffs_info(dir);
	struct inode *inode;

	inode = bpffs_new_inode(dir->i_sb, info,
				bpffs_salted_ino(info, BPFFS_INO_QUEUE + i),
				S_IFREG | (info->mode & files[i].mode));
	if (IS_ERR(inode))
		return inode;
	inode->i_size = BPFFS_SIZE_UNKNOWN;
	inode->i_private = (void *)&files[i];
	inode->i_op = &bpffs_fixed_iops;
	inode->i_fop = files[i].fops;
	return inode;
}

static struct dentry *queue_lookup(struct inode *dir, struct dentry *dentry,
				   unsigned int flags)
{
	const struct qstr *name = &dentry->d_name;
	struct inode *inode = NULL;
	unsigned int i;

	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (bpffs_is_dot_bpf(name))
		inode = bpffs_attr_root(dir->i_sb, bpffs_info(dir), BPFFS_INO_DOT_BPF);
	for (i = 0; i < ARRAY_SIZE(files) && !inode; i++)
		if (name->len == strlen(files[i].name) &&
		    !memcmp(name->name, files[i].name, name->len))
			inode = file_inode_of(dir, i);
	return d_splice_alias(inode, dentry);
}

static int queue_iterate(struct file *file, struct dir_context *ctx)
{
	const struct bpffs_info *info = bpffs_info(file_inode(file));
	unsigned int i;

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < ARRAY_SIZE(files); ctx->pos++) {
		i = ctx->pos - 2;
		if (!dir_emit(ctx, files[i].name, strlen(files[i].name),
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
