// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpffs: one mount, one BPF object.
 *
 * Each mount is a fresh superblock that holds the map, program or link whose
 * descriptor came as fd=N. It lives until the superblock goes.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/statfs.h>
#include <uapi/linux/bpffs.h>

#include "instance.h"

/* A key's layout longer than this is not shown in /proc/mounts. */
#define SHOWN_LAYOUT_MAX	64

static struct kmem_cache *inode_cache;

/* --- Inodes --- */

/**
 * bpffs_new_inode - make an inode
 * @sb: the superblock
 * @info: of the object it is part of: the mount's, or an inner map's
 * @ino: its number
 * @mode: its type and permissions
 */
struct inode *bpffs_new_inode(struct super_block *sb, struct bpffs_info *info,
			      u64 ino, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	bpffs_inode(inode)->info = bpffs_info_get(info);
	inode->i_ino = ino;
	inode->i_mode = mode;
	inode->i_uid = bpffs_instance(info)->uid;
	inode->i_gid = bpffs_instance(info)->gid;
	bpffs_inode_set_times(inode, bpffs_instance(info)->born);
	if (S_ISDIR(mode))
		inc_nlink(inode);
	return inode;
}

static struct inode *bpffs_alloc_inode(struct super_block *sb)
{
	struct bpffs_inode *inode;

	inode = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);
	if (!inode)
		return NULL;
	inode->info = NULL;
	inode->element.key = inode->element.room;
	return &inode->vfs;
}

static void bpffs_evict_inode(struct inode *inode)
{
	clear_inode(inode);
	/* An inner map goes here: not a moment after its last file. */
	bpffs_info_put(bpffs_info(inode));
	bpffs_inode(inode)->info = NULL;
	if (bpffs_element(inode)->key != bpffs_element(inode)->room)
		kfree(bpffs_element(inode)->key);
}

/* After a grace period: a lookup under RCU may still look. */
static void bpffs_free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, bpffs_inode(inode));
}

static void init_inode_once(void *inode)
{
	struct bpffs_inode *new = inode;

	inode_init_once(&new->vfs);
	mutex_init(&new->element.lock);
}

/* --- The superblock --- */

/* Inodes are elements. */
static int bpffs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	const struct bpffs_info *info = bpffs_sb_info(dentry->d_sb);
	u64 free;

	buf->f_type = dentry->d_sb->s_magic;
	buf->f_bsize = PAGE_SIZE;
	buf->f_namelen = NAME_MAX;
	buf->f_fsid = u64_to_fsid(huge_encode_dev(dentry->d_sb->s_dev));
	if (bpffs_count_free(info, &free)) {
		buf->f_files = info->max_entries;
		buf->f_ffree = free;
	}
	return 0;
}

/* Never the descriptor's number, which means nothing to anyone else. */
static int bpffs_show_options(struct seq_file *seq, struct dentry *root)
{
	const struct bpffs_info *info = bpffs_sb_info(root->d_sb);
	const char *name = bpffs_object_name(info);
	char key[SHOWN_LAYOUT_MAX + 1];

	seq_printf(seq, ",id=%u", bpffs_object_id(info));
	if (*name)
		seq_show_option(seq, "name", name);
	if (info->no_keys)
		seq_puts(seq, ",key=none");
	else if (info->key &&
		 bpffs_layout_print(info->key, key, sizeof(key)) < sizeof(key) &&
		 strcmp(key, "hex"))
		seq_show_option(seq, "key", key);
	if (info->sum || (bpffs_instance(info)->inner && bpffs_instance(info)->inner->sum))
		seq_puts(seq, ",percpu=sum");
	if (!uid_eq(bpffs_instance(info)->uid, GLOBAL_ROOT_UID))
		seq_printf(seq, ",uid=%u",
			   from_kuid_munged(&init_user_ns, bpffs_instance(info)->uid));
	if (!gid_eq(bpffs_instance(info)->gid, GLOBAL_ROOT_GID))
		seq_printf(seq, ",gid=%u",
			   from_kgid_munged(&init_user_ns, bpffs_instance(info)->gid));
	if (info->mode != 0600)
		seq_printf(seq, ",mode=%#o", info->mode);
	return 0;
}

static const struct super_operations bpffs_super_ops = {
	.alloc_inode	= bpffs_alloc_inode,
	.free_inode	= bpffs_free_inode,
	.evict_inode	= bpffs_evict_inode,
	.drop_inode	= inode_just_drop,
	.statfs		= bpffs_statfs,
	.show_options	= bpffs_show_options,
};

int bpffs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct bpffs_info *info = bpffs_sb_info(sb);
	struct inode *root;

	sb->s_magic = BPFFS_SUPER_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;
	/* overlayfs keeps dentries, which here do not last. */
	sb->s_stack_depth = FILESYSTEM_MAX_STACK_DEPTH;
	/* Nothing here is a program, a device or set-uid. */
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	sb->s_op = &bpffs_super_ops;
	set_default_d_op(sb, &bpffs_dentry_ops);

	if (bpffs_object(info)->kind == BPFFS_MAP)
		root = bpffs_map_root(sb, info, BPFFS_INO_ROOT);
	else
		root = bpffs_attr_root(sb, info, BPFFS_INO_ROOT);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static void bpffs_kill_sb(struct super_block *sb)
{
	struct bpffs_info *info = bpffs_sb_info(sb);

	kill_anon_super(sb);
	bpffs_info_put(info);
}

static struct file_system_type bpffs_type = {
	.owner			= THIS_MODULE,
	.name			= "bpffs",
	.fs_flags		= FS_ALLOW_IDMAP,
	.init_fs_context	= bpffs_init_fs_context,
	.parameters		= bpffs_parameters,
	.kill_sb		= bpffs_kill_sb,
};

static int __init bpffs_init(void)
{
	int err;

	inode_cache = kmem_cache_create("bpffs_inode", sizeof(struct bpffs_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, init_inode_once);
	if (!inode_cache)
		return -ENOMEM;
	err = bpffs_scratch_init();
	if (err)
		goto no_scratch;
	err = register_filesystem(&bpffs_type);
	if (err)
		goto no_filesystem;
	return 0;

no_filesystem:
	bpffs_scratch_exit();
no_scratch:
	kmem_cache_destroy(inode_cache);
	return err;
}

static void __exit bpffs_exit(void)
{
	unregister_filesystem(&bpffs_type);
	bpffs_scratch_exit();
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}

module_init(bpffs_init);
module_exit(bpffs_exit);

MODULE_DESCRIPTION("One mount, one BPF object: keys as files");
MODULE_LICENSE("GPL");
MODULE_ALIAS_FS("bpffs");
BPFFS_IMPORT_NS;
