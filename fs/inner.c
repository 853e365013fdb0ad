// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inner maps of a map of maps, each a directory that is only read.
 *
 * Its inodes hold the inner map by way of their bpffs_info, so that it lives
 * while a file in it is open. A slot whose map has been replaced is found by the
 * next lookup: the dentry of the old one is not valid any more.
 */
#include "bpffs.h"

/* The directory of the inner map at @key; NULL if the slot is empty. */
struct inode *bpffs_inner_inode(struct super_block *sb, struct bpffs_info *outer,
				const void *key)
{
	struct bpf_map *map = bpffs_map_inner(outer, key);
	u64 ino = bpffs_key_ino(outer, key);
	struct bpffs_info *info;
	struct inode *inode;

	if (!map)
		return NULL;
	info = bpffs_info_inner(outer, map, ino);
	if (IS_ERR(info))
		return ERR_CAST(info);
	inode = bpffs_map_root(sb, info, ino);
	/* The inode has a reference of its own. */
	bpffs_info_put(info);
	return inode;
}

/* Is the map of the directory @inode still in the slot called @name? */
bool bpffs_inner_is_current(const struct inode *inode, struct bpffs_info *outer,
			    const struct qstr *name)
{
	struct bpffs_key key __uninitialized;
	bool is;

	if (bpffs_key_begin(outer, &key))
		return false;
	is = !bpffs_file_to_key(outer, name->name, name->len, key.bytes) &&
	     bpffs_map_is_inner(outer, key.bytes, bpffs_bpf_map(bpffs_info(inode)));
	bpffs_key_end(&key);
	return is;
}
