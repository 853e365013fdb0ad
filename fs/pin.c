// SPDX-License-Identifier: GPL-2.0-only
/*
 * .bpf/pin: a file system of the kernel's own type "bpf", which holds a pin of
 * the object, so that everybody who can BPF_OBJ_GET a path gets it here.
 *
 * User space makes it, detached, pins the object there and gives its root. The
 * directory is an automount point: whoever walks into it gets that file system
 * mounted, and a plain umount of ours takes it along.
 */
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/namei.h>

#include "bpffs.h"

/* Is this the object's pin? The file system keeps the object in the inode. */
static bool is_pin(struct dentry *root, const char *name, const void *object)
{
	struct dentry *pin;
	bool is;

	pin = bpffs_lookup_unlocked(name, root);
	if (IS_ERR(pin))
		return false;
	is = d_is_reg(pin) && d_inode(pin)->i_private == object;
	dput(pin);
	return is;
}

static bool has_pin(const struct bpffs_object *object, struct dentry *root)
{
	switch (object->kind) {
	case BPFFS_MAP:
		return is_pin(root, "map", object->map);
	case BPFFS_PROG:
		return is_pin(root, "prog", object->prog);
	case BPFFS_LINK:
		return is_pin(root, "link", object->link);
	}
	return false;
}

/**
 * bpffs_pin_bind - take the file system that holds the pin
 * @file: its root, opened for reading
 * @object: what must be pinned there, by the name of its kind
 *
 * Return: a reference, to be given to mntput(); or an error pointer: -EINVAL.
 */
struct vfsmount *bpffs_pin_bind(const struct file *file,
				const struct bpffs_object *object)
{
	struct dentry *root = file->f_path.dentry;

	if (root->d_sb->s_magic != BPF_FS_MAGIC || root != root->d_sb->s_root ||
	    !has_pin(object, root))
		return ERR_PTR(-EINVAL);
	return mntget(file->f_path.mnt);
}

/* Have bpffs_pin_manage() asked, of a dentry that is being looked up. */
void bpffs_pin_watch(struct dentry *dentry)
{
	spin_lock(&dentry->d_lock);
	dentry->d_flags |= DCACHE_MANAGE_TRANSIT;
	spin_unlock(&dentry->d_lock);
}

/*
 * Nobody walks in by a mount that is read-only: it may have become so after the
 * pin was mounted in it, or be a copy of one in which it was (mount --rbind).
 */
int bpffs_pin_manage(const struct path *path, bool rcu_walk)
{
	return rcu_walk ? -ECHILD : bpffs_may_hand_out(path);
}

/* One more mount of the same superblock, for the one who walks in. */
struct vfsmount *bpffs_pin_automount(struct path *path)
{
	const struct bpffs_info *info = bpffs_info(d_inode(path->dentry));
	struct super_block *sb = bpffs_instance(info)->pin->mnt_sb;
	struct fs_context *fc;
	struct vfsmount *mnt;

	fc = fs_context_for_mount(sb->s_type, 0);
	if (IS_ERR(fc))
		return ERR_CAST(fc);
	/* What get_tree would do; put_fs_context() takes it back. */
	atomic_inc(&sb->s_active);
	fc->root = dget(sb->s_root);
	mnt = vfs_create_mount(fc);
	put_fs_context(fc);
	if (!IS_ERR(mnt))
		bpffs_automount_get(mnt);
	return mnt;
}
