// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map's own batch operations, for use from within the kernel.
 *
 * They copy a bucket at a time under the bucket's lock and say where to go on,
 * so that no key that stays is lost or doubled, nothing holds a CPU for long,
 * and LRU order is not touched; and they see all CPUs. But they read and write
 * only user memory: a scratch mapping of the caller's serves.
 */
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "batch.h"

#define SCRATCH_MAX	SZ_1G

/* Can the operations be used here? A kernel thread has no user memory. */
bool bpffs_batch_possible(const struct bpffs_info *info)
{
	return current->mm && info->object.map->ops->map_lookup_batch;
}

/**
 * bpffs_scratch_map - map user memory for a batch
 * @s: filled; to be given to bpffs_scratch_unmap()
 * @info: of the mount
 * @capacity: elements
 *
 * Context: takes mmap_lock.
 * Return: 0, -EFBIG (more than 1 GiB), -ENOMEM.
 */
int bpffs_scratch_map(struct bpffs_scratch *s, const struct bpffs_info *info,
		      u64 capacity)
{
	u64 head = ALIGN(sizeof(*s->attr), 8) + 8;
	u64 keys = ALIGN(capacity * info->object.map->key_size, 8);
	u64 bytes = PAGE_ALIGN(head + keys + capacity * bpffs_shape_bytes(&info->stored));
	unsigned long addr;

	s->bytes = 0;
	if (bytes > SCRATCH_MAX)
		return -EFBIG;
	addr = vm_mmap(NULL, 0, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		return -ENOMEM;
	s->attr = (void __user *)addr;
	s->token = (void __user *)addr + ALIGN(sizeof(*s->attr), 8);
	s->keys = (void __user *)addr + head;
	s->values = (void __user *)addr + head + keys;
	s->bytes = bytes;
	s->capacity = capacity;
	return 0;
}

void bpffs_scratch_unmap(struct bpffs_scratch *s)
{
	if (s->bytes)
		vm_munmap((unsigned long)s->attr, s->bytes);
	s->bytes = 0;
}

/**
 * bpffs_batch_hash - read elements of a hash into the scratch memory
 * @map: a hash
 * @s: the scratch mapping
 * @token: the bucket to begin at; on return, the one to go on at
 * @count: how many were read, also with an error
 *
 * The scratch is user memory: the process may write to it meanwhile, so the
 * count is clamped, and a token that does not move on is refused.
 *
 * Return: 0 to go on, 1 at the end, -ENOSPC: a bucket needs more room.
 */
int bpffs_batch_hash(struct bpf_map *map, const struct bpffs_scratch *s,
		     u32 *token, u32 *count)
{
	union bpf_attr attr = {};
	u32 next;
	int err;

	*count = 0;
	if (put_user(*token, s->token))
		return -EFAULT;
	attr.batch.in_batch = (u64)(unsigned long)s->token;
	attr.batch.out_batch = attr.batch.in_batch;
	attr.batch.keys = (u64)(unsigned long)s->keys;
	attr.batch.values = (u64)(unsigned long)s->values;
	attr.batch.count = s->capacity;

	err = map->ops->map_lookup_batch(map, &attr, s->attr);
	if (err == -EFAULT || err == -ENOMEM)
		return err;
	if (get_user(*count, &s->attr->batch.count) || get_user(next, s->token)) {
		*count = 0;
		return -EFAULT;
	}
	*count = min(*count, s->capacity);
	if (err == -ENOENT)
		return 1;
	/* 6.1: a traced program holds the bucket; there again. */
	if (err == -EBUSY && next >= *token)
		err = 0;
	else if (!err && next <= *token)
		err = -EIO;
	*token = next;
	return err;
}

/**
 * bpffs_batch_put - make or replace one element, on all CPUs
 * @info: of the mount
 * @key: of the element
 * @value: in all its copies
 *
 * Of a per-CPU map, the op for a single element knows only this CPU's.
 *
 * Return: 0 or what the map's update returned; -EOPNOTSUPP, -ENOMEM, -EFAULT.
 */
int bpffs_batch_put(const struct bpffs_info *info, const void *key,
		    const void *value)
{
	struct bpf_map *map = info->object.map;
	union bpf_attr attr = {};
	struct bpffs_scratch s;
	int err;

	if (!current->mm || !map->ops->map_update_batch)
		return -EOPNOTSUPP;
	err = bpffs_scratch_map(&s, info, 1);
	if (err)
		return err;
	attr.batch.keys = (u64)(unsigned long)s.keys;
	attr.batch.values = (u64)(unsigned long)s.values;
	attr.batch.count = 1;
	/* 6.1 looks it up; maps of these types do not use it. */
	attr.batch.map_fd = -1;
	if (copy_to_user(s.keys, key, map->key_size) ||
	    copy_to_user(s.values, value, bpffs_shape_bytes(&info->stored)))
		err = -EFAULT;
	else
		err = bpffs_op_update_batch(map, &attr, s.attr);
	bpffs_scratch_unmap(&s);
	return err;
}
