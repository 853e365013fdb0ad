// SPDX-License-Identifier: GPL-2.0-only
/* The files of core/attributes.c, as the VFS asks for them; and their directory. */
#include <linux/seq_file.h>

#include "bpffs.h"
#include "core/attributes.h"

static unsigned int number_of(const struct inode *inode)
{
	return (unsigned long)inode->i_private;
}

static int attr_show(struct seq_file *seq, void *unused)
{
	struct inode *inode = seq->private;

	return bpffs_attr_show(bpffs_info(inode), number_of(inode), seq);
}

static int attr_open(struct inode *inode, struct file *file)
{
	return single_open(file, attr_show, inode);
}

static const struct file_operations text_fops = {
	.owner		= THIS_MODULE,
	.open		= attr_open,
	.read_iter	= seq_read_iter,
	.splice_read	= copy_splice_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static const struct file_operations * const all_fops[] = {
	[BPFFS_ATTR_TEXT]	= &text_fops,
	[BPFFS_ATTR_TABLE]	= &bpffs_table_fops,
	[BPFFS_ATTR_RAW]	= &bpffs_raw_fops,
	[BPFFS_ATTR_MEMORY]	= &bpffs_memory_fops,
	[BPFFS_ATTR_FD]		= &bpffs_fd_fops,
	[BPFFS_ATTR_PIN]	= &simple_dir_operations,
};

/* Owner, mode and times are the mount's; > truncates nothing. */
int bpffs_fixed_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	return setattr_prepare(idmap, dentry, attr);
}

static int fixed_getattr(struct mnt_idmap *idmap, const struct path *path,
			 struct kstat *stat, u32 request_mask, unsigned int flags)
{
	bpffs_fillattr(idmap, request_mask, d_inode(path->dentry), stat);
	/* As files of /proc have it. */
	if (stat->size == BPFFS_SIZE_UNKNOWN)
		stat->size = 0;
	return 0;
}

/* Of files that have no size, and of .bpf/memory, which has one. */
const struct inode_operations bpffs_fixed_iops = {
	.getattr	= fixed_getattr,
	.setattr	= bpffs_fixed_setattr,
};

static struct inode *attr_inode(struct super_block *sb, struct bpffs_info *info,
				unsigned int attr)
{
	enum bpffs_attr_file file = bpffs_attr_file(attr);
	struct inode *inode;

	inode = bpffs_new_inode(sb, info, bpffs_attr_ino(info, attr),
				(file == BPFFS_ATTR_PIN ? S_IFDIR : S_IFREG) |
				bpffs_attr_mode(info, attr));
	if (IS_ERR(inode))
		return inode;
	inode->i_private = (void *)(unsigned long)attr;
	inode->i_op = &bpffs_fixed_iops;
	inode->i_fop = all_fops[file];
	if (file == BPFFS_ATTR_PIN)
		inode->i_flags |= S_AUTOMOUNT;
	else
		inode->i_size = BPFFS_SIZE_UNKNOWN;
	if (file == BPFFS_ATTR_MEMORY) {
		/* Python's mmap, for one, asks first. */
		inode->i_size = bpffs_map_memory_size(info);
		/* Page faults do not change the times. */
		inode->i_flags |= S_NOCMTIME;
	}
	/* A descriptor is full power over the object: it is root's to take. */
	if (bpffs_attr_is_roots(attr)) {
		inode->i_uid = GLOBAL_ROOT_UID;
		inode->i_gid = GLOBAL_ROOT_GID;
	}
	return inode;
}

/* --- Their directory --- */

static struct dentry *attr_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags)
{
	struct bpffs_info *info = bpffs_info(dir);
	const struct qstr *name = &dentry->d_name;
	struct inode *inode = NULL;
	unsigned int attr;

	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	attr = bpffs_attr_find(info, name->name, name->len);
	if (attr < BPFFS_ATTRS)
		inode = attr_inode(dir->i_sb, info, attr);
	if (!IS_ERR_OR_NULL(inode) && IS_AUTOMOUNT(inode))
		bpffs_pin_watch(dentry);
	return d_splice_alias(inode, dentry);
}

/* Position 2 + i is attribute i, whether or not the object has it. */
static int attr_iterate(struct file *file, struct dir_context *ctx)
{
	const struct bpffs_info *info = bpffs_info(file_inode(file));
	unsigned int attr;
	const char *name;

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < BPFFS_ATTRS; ctx->pos++) {
		attr = ctx->pos - 2;
		name = bpffs_attr_name(attr);
		if (bpffs_attr_has(info, attr) &&
		    !dir_emit(ctx, name, strlen(name), bpffs_attr_ino(info, attr),
			      bpffs_attr_file(attr) == BPFFS_ATTR_PIN ? DT_DIR : DT_REG))
			break;
	}
	return 0;
}

static const struct file_operations attr_dir_fops = {
	.owner		= THIS_MODULE,
	.read		= generic_read_dir,
	.iterate_shared	= attr_iterate,
	.llseek		= generic_file_llseek,
	.fsync		= noop_fsync,
};

static const struct inode_operations attr_dir_iops = {
	.lookup		= attr_lookup,
	.setattr	= bpffs_fixed_setattr,
};

struct inode *bpffs_attr_root(struct super_block *sb, struct bpffs_info *info,
			      u64 ino)
{
	struct inode *inode;

	inode = bpffs_new_inode(sb, info, bpffs_salted_ino(info, ino),
				S_IFDIR | bpffs_attr_dir_mode(info));
	if (IS_ERR(inode))
		return inode;
	inode->i_op = &attr_dir_iops;
	inode->i_fop = &attr_dir_fops;
	return inode;
}
