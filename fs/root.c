// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root directory of a map: a name becomes a key and a dentry.
 *
 * The map changes without the VFS, so nothing is cached: a dentry lives while it
 * is in use. Nor is that of an element shared: each open of its name gets one of its
 * own, and whoever looks at one that is open, too. So its inode is one open file's,
 * and fstat() can answer from its sample, stat() from a new one.
 */
#include <linux/namei.h>

#include "bpffs.h"

static const struct inode_operations root_iops;

/*
 * Of the directories in a map of maps, all but .bpf are inner maps. The name of
 * @dentry is stable: nothing here is ever renamed.
 */
static bool inner_is_current(struct dentry *dentry)
{
	struct dentry *parent = dget_parent(dentry);
	struct bpffs_info *outer = bpffs_info(d_inode(parent));
	bool is;

	is = d_inode(parent)->i_op != &root_iops ||
	     !bpffs_map_can(outer, BPFFS_OF_MAPS) || bpffs_is_dot_bpf(&dentry->d_name) ||
	     bpffs_inner_is_current(d_inode(dentry), outer, &dentry->d_name);
	dput(parent);
	return is;
}

static int BPFFS_D_REVALIDATE(bpffs_d_revalidate)
{
	struct inode *inode;

	if (flags & LOOKUP_RCU)
		return -ECHILD;
	inode = d_inode(dentry);
	if (!inode)
		return 0;
	if (S_ISDIR(inode->i_mode))
		return inner_is_current(dentry);
	if (!bpffs_is_element(inode))
		return 1;
	/* But not away from under what is mounted on it. */
	if ((flags & LOOKUP_OPEN || bpffs_element_is_open(inode)) && !d_mountpoint(dentry))
		return 0;
	return bpffs_map_has(bpffs_info(inode), bpffs_element_key(inode));
}

const struct dentry_operations bpffs_dentry_ops = {
	.d_revalidate	= bpffs_d_revalidate,
	.d_delete	= always_delete_dentry,
	.d_automount	= bpffs_pin_automount,
	.d_manage	= bpffs_pin_manage,
};

bool bpffs_is_dot_bpf(const struct qstr *name)
{
	return name->len == 4 && !memcmp(name->name, ".bpf", 4);
}

/* The inode of a name: NULL if no element has it. */
static struct inode *find_inode(struct inode *dir, const struct qstr *name)
{
	struct bpffs_info *info = bpffs_info(dir);
	struct bpffs_key key __uninitialized;
	struct inode *inode = NULL;
	int err;

	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (bpffs_is_dot_bpf(name))
		return bpffs_attr_root(dir->i_sb, info, BPFFS_INO_DOT_BPF);
	err = bpffs_key_begin(info, &key);
	if (err)
		return ERR_PTR(err);
	err = bpffs_file_to_key(info, name->name, name->len, key.bytes);
	if (err && err != -EINVAL && err != -EOPNOTSUPP)
		inode = ERR_PTR(err);
	else if (!err && bpffs_map_can(info, BPFFS_OF_MAPS))
		inode = bpffs_inner_inode(dir->i_sb, info, key.bytes);
	else if (!err && bpffs_map_has(info, key.bytes))
		inode = bpffs_element_inode(dir->i_sb, info, key.bytes);
	bpffs_key_end(&key);
	return inode;
}

static struct dentry *bpffs_lookup(struct inode *dir, struct dentry *dentry,
				   unsigned int flags)
{
	return d_splice_alias(find_inode(dir, &dentry->d_name), dentry);
}

/*
 * Open a file of which the map has no element yet. It gets an inode on a
 * dentry of its own, which is never hashed: no one else sees the name until
 * a write has made the element.
 */
static int open_new(struct inode *dir, struct dentry *dentry, struct file *file)
{
	struct bpffs_info *info = bpffs_info(dir);
	struct bpffs_key key __uninitialized;
	struct inode *inode;
	struct dentry *new;
	int err;

	err = bpffs_key_begin(info, &key);
	if (err)
		return err;
	err = bpffs_may_create(info, dentry->d_name.name, dentry->d_name.len, key.bytes);
	inode = err ? ERR_PTR(err) : bpffs_element_inode(dir->i_sb, info, key.bytes);
	bpffs_key_end(&key);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	new = d_alloc(dentry->d_parent, &dentry->d_name);
	if (!new) {
		iput(inode);
		return -ENOMEM;
	}
	d_instantiate(new, inode);
	file->f_mode |= FMODE_CREATED;
	err = finish_open(file, new, bpffs_element_open_new);
	dput(new);
	return err;
}

static int bpffs_atomic_open(struct inode *dir, struct dentry *dentry,
			     struct file *file, unsigned int flags, umode_t mode)
{
	struct dentry *found = NULL;

	if (d_in_lookup(dentry)) {
		found = bpffs_lookup(dir, dentry, 0);
		if (IS_ERR(found))
			return PTR_ERR(found);
	}
	if (!(flags & O_CREAT) || d_really_is_positive(found ?: dentry))
		return finish_no_open(file, found);
	dput(found);
	return open_new(dir, dentry, file);
}

static int bpffs_unlink(struct inode *dir, struct dentry *dentry)
{
	struct bpffs_info *info = bpffs_info(dir);
	struct inode *inode = d_inode(dentry);

	if (!bpffs_is_element(inode))
		return -EPERM;
	return bpffs_element_delete(info, bpffs_element_key(inode));
}

/* The slot is emptied, whatever is inside; the inner map itself stays as it is. */
static int bpffs_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct bpffs_info *info = bpffs_info(dir);
	struct bpffs_key key __uninitialized;
	int err;

	if (!bpffs_map_can(info, BPFFS_OF_MAPS) || bpffs_is_dot_bpf(&dentry->d_name))
		return -EPERM;
	err = bpffs_key_begin(info, &key);
	if (err)
		return err;
	err = bpffs_file_to_key(info, dentry->d_name.name, dentry->d_name.len, key.bytes);
	if (!err)
		err = bpffs_map_delete(info, key.bytes);
	bpffs_key_end(&key);
	return err;
}

/* EXDEV, so that mv copies and deletes. */
static int bpffs_rename(struct mnt_idmap *idmap, struct inode *old_dir,
			struct dentry *old_dentry, struct inode *new_dir,
			struct dentry *new_dentry, unsigned int flags)
{
	return -EXDEV;
}

static const struct inode_operations root_iops = {
	.lookup		= bpffs_lookup,
	.atomic_open	= bpffs_atomic_open,
	.unlink		= bpffs_unlink,
	.rmdir		= bpffs_rmdir,
	.rename		= bpffs_rename,
	.setattr	= bpffs_fixed_setattr,
};

/* The directory of a map: the root of a mount, or an inner map. */
struct inode *bpffs_map_root(struct super_block *sb, struct bpffs_info *info,
			     u64 ino)
{
	bool queue = bpffs_map_can(info, BPFFS_IS_QUEUE);
	struct inode *inode;

	inode = bpffs_new_inode(sb, info, ino, S_IFDIR | bpffs_dir_mode(info->mode));
	if (IS_ERR(inode))
		return inode;
	inode->i_op = queue ? &bpffs_queue_iops : &root_iops;
	inode->i_fop = queue ? &bpffs_queue_dir_fops : &bpffs_list_fops;
	return inode;
}
