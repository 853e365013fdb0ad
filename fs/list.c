// SPDX-License-Identifier: GPL-2.0-only
/* getdents of a map's root: the names of its keys. */
#include <linux/slab.h>

#include "bpffs.h"

/*
 * struct listing - of one open directory, guarded by its f_pos_lock
 * @keys: as they were at the first getdents since the last rewinddir, so that
 *	telldir and seekdir are positions in it; NULL until then, and for arrays
 */
struct listing {
	struct bpffs_keys *keys;
};

/* Behind "." and "..", the position in the directory is that of the key. */
#define DOTS	2

static int list_open(struct inode *inode, struct file *file)
{
	struct listing *listing = kzalloc(sizeof(*listing), GFP_KERNEL_ACCOUNT);

	file->private_data = listing;
	return listing ? 0 : -ENOMEM;
}

static int list_release(struct inode *inode, struct file *file)
{
	struct listing *listing = file->private_data;

	bpffs_keys_free(listing->keys);
	kfree(listing);
	return 0;
}

static inline unsigned int type_of_keys(const struct bpffs_info *info)
{
	return bpffs_map_can(info, BPFFS_OF_MAPS) ? DT_DIR : DT_REG;
}

/* @name: room for it, as a part of a loop. */
static __always_inline bool emit_key(struct bpffs_info *info, struct dir_context *ctx,
				     const void *key, unsigned int type,
				     char name[BPFFS_NAME_MAX + 1])
{
	int len = bpffs_name_encode(info->key, key, name);

	if (unlikely(len >= BPFFS_SHORT_NAME_MIN))
		bpffs_short_note(info, name, len, key);
	return dir_emit(ctx, name, len, bpffs_key_ino(info, key), type);
}

static int list_array(struct bpffs_info *info, struct dir_context *ctx)
{
	char name[BPFFS_NAME_MAX + 1] __uninitialized;
	unsigned int type = type_of_keys(info);
	u32 index;

	for (; ctx->pos - DOTS < info->max_entries; ctx->pos++) {
		if (!bpffs_go_on())
			return -EINTR;
		index = ctx->pos - DOTS;
		/* Slots of an array of maps can be empty. */
		if (!bpffs_map_can(info, BPFFS_IS_ARRAY) && !bpffs_map_has(info, &index))
			continue;
		if (!emit_key(info, ctx, &index, type, name))
			break;
	}
	return 0;
}

static int list_keys(struct bpffs_info *info, struct listing *listing,
		     struct dir_context *ctx)
{
	u32 key_size = info->key_size, run;
	char name[BPFFS_NAME_MAX + 1] __uninitialized;
	unsigned int type = type_of_keys(info);
	const void *key;

	if (!listing->keys) {
		struct bpffs_keys *keys = bpffs_keys_get(info);

		if (IS_ERR(keys))
			return PTR_ERR(keys);
		listing->keys = keys;
	}
	while ((key = bpffs_keys_run(listing->keys, ctx->pos - DOTS, &run))) {
		for (; run; run--, key += key_size, ctx->pos++)
			if (!emit_key(info, ctx, key, type, name))
				return 0;
		if (!bpffs_go_on())
			return -EINTR;
	}
	return 0;
}

static int list_iterate(struct file *file, struct dir_context *ctx)
{
	struct bpffs_info *info = bpffs_info(file_inode(file));
	struct listing *listing = file->private_data;

	if (ctx->pos == 0) {
		bpffs_keys_free(listing->keys);
		listing->keys = NULL;
	}
	if (!dir_emit_dots(file, ctx))
		return 0;
	if (!info->key || !bpffs_map_can(info, BPFFS_CAN_LIST))
		return 0;
	if (bpffs_map_can(info, BPFFS_BY_INDEX))
		return list_array(info, ctx);
	return list_keys(info, listing, ctx);
}

const struct file_operations bpffs_list_fops = {
	.open		= list_open,
	.release	= list_release,
	.read		= generic_read_dir,
	.iterate_shared	= list_iterate,
	.llseek		= generic_file_llseek,
	.fsync		= noop_fsync,
};
