/* SPDX-License-Identifier: GPL-2.0-only */
/* Batch operations on a map, through user memory of the caller. */
#ifndef _BPFFS_BATCH_H
#define _BPFFS_BATCH_H

#include "bpffs.h"

/**
 * struct bpffs_scratch - memory for batch operations, see scratch.c
 * @file: of the pages; NULL if there are none
 * @addr: where the process has them; 0 while they are not mapped
 * @bytes: of them
 * @capacity: elements that there is room for
 * @attr: where an operation writes its count, as the kernel sees it
 * @token: likewise, the bucket to go on at
 * @keys: likewise, @capacity of them
 * @values: likewise
 */
struct bpffs_scratch {
	struct file *file;
	unsigned long addr;
	unsigned long bytes;
	u32 capacity;
	union bpf_attr *attr;
	u32 *token;
	void *keys;
	void *values;
};

/*
 * Was the lock of a bucket refused, as a tracing program may hold it? A lock that
 * looks for deadlocks itself, rqspinlock, has more ways to say so.
 */
static inline bool bpffs_bucket_busy(long err)
{
	return err == -EBUSY || err == -EDEADLK || err == -ETIMEDOUT;
}

bool bpffs_batch_possible(const struct bpffs_info *info);
int bpffs_batch_hash(struct bpf_map *map, const struct bpffs_scratch *s,
		     u32 *token, u32 *count);
int bpffs_batch_put(const struct bpffs_info *info, const void *key,
		    const void *value, struct bpffs_scratch *s);
int bpffs_batch_delete(const struct bpffs_info *info, const void *key,
		       struct bpffs_scratch *s);

/* scratch.c */
int bpffs_scratch_map(struct bpffs_scratch *s, const struct bpffs_info *info,
		      u64 capacity, bool read_only);
void bpffs_scratch_unmap(struct bpffs_scratch *s);
void bpffs_scratch_free(struct bpffs_scratch *s);
void __user *bpffs_scratch_user(const struct bpffs_scratch *s, const void *at);
int bpffs_scratch_lock(struct bpffs_scratch *s);
void bpffs_scratch_unlock(struct bpffs_scratch *s);

#endif
