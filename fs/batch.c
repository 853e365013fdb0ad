// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map's own batch operations, for use from within the kernel.
 *
 * They copy a bucket at a time under the bucket's lock and say where to go on,
 * so that no key that stays is lost or doubled, nothing holds a CPU for long,
 * and LRU order is not touched; and they see all CPUs. And no tracing program
 * runs while they hold a lock, as a module itself cannot see to. But they read and
 * write only user memory: see scratch.c.
 */
#include "batch.h"

/* Can the operations be used here? A kernel thread has no user memory. */
bool bpffs_batch_possible(const struct bpffs_info *info)
{
	return current->mm && bpffs_bpf_map(info)->ops->map_lookup_batch;
}

static u64 user_address(const struct bpffs_scratch *s, const void *at)
{
	return (unsigned long)bpffs_scratch_user(s, at);
}

/**
 * bpffs_batch_hash - read elements of a hash into the scratch memory
 * @map: a hash
 * @s: the scratch mapping
 * @token: the bucket to begin at; on return, the one to go on at
 * @count: how many were read, also with an error
 *
 * The process can write to the scratch meanwhile, so the count is clamped, and a
 * token that does not move on is refused.
 *
 * Return: 0 to go on, 1 at the end, -ENOSPC: a bucket needs more room.
 */
int bpffs_batch_hash(struct bpf_map *map, const struct bpffs_scratch *s,
		     u32 *token, u32 *count)
{
	union bpf_attr attr = {};
	u32 next;
	int err;

	*s->token = *token;
	s->attr->batch.count = 0;
	attr.batch.in_batch = user_address(s, s->token);
	attr.batch.out_batch = attr.batch.in_batch;
	attr.batch.keys = user_address(s, s->keys);
	attr.batch.values = user_address(s, s->values);
	attr.batch.count = s->capacity;

	err = map->ops->map_lookup_batch(map, &attr, bpffs_scratch_user(s, s->attr));
	*count = 0;
	if (err == -EFAULT || err == -ENOMEM)
		return err;
	*count = min(READ_ONCE(s->attr->batch.count), s->capacity);
	next = READ_ONCE(*s->token);
	if (err == -ENOENT)
		return 1;
	/* There again. */
	if (bpffs_bucket_busy(err) && next >= *token)
		err = 0;
	else if (!err && next <= *token)
		err = -EIO;
	*token = next;
	return err;
}

/* Keys and values of a chunk, at least one element; and the most it may be. */
#define CHUNK_BYTES	SZ_128K
#define CHUNK_MAX	SZ_64M

static u64 element_bytes(const struct bpffs_info *info)
{
	return info->key_size + bpffs_batch_value_bytes(info);
}

/*
 * Only for hashes; and only if a value has no special fields but a spin lock: the
 * operation gives those it copies the state of new ones, which has addresses.
 */
bool bpffs_chunk_possible(const struct bpffs_info *info)
{
	return bpffs_batch_possible(info) && bpffs_map_can(info, BPFFS_CAN_STREAM) &&
	       !bpffs_map_can(info, BPFFS_BY_INDEX | BPFFS_BY_NEXT_KEY) &&
	       !bpffs_map_owns(info) && element_bytes(info) <= CHUNK_BYTES;
}

void bpffs_chunk_free(struct bpffs_chunk *chunk)
{
	kvfree(chunk->keys);
	chunk->keys = NULL;
	chunk->count = 0;
	if (chunk->scratch)
		bpffs_scratch_free(chunk->scratch);
	kfree(chunk->scratch);
	chunk->scratch = NULL;
}

static int make_room(const struct bpffs_info *info, struct bpffs_chunk *chunk, u64 capacity)
{
	u64 each = element_bytes(info);

	bpffs_chunk_free(chunk);
	if (capacity * each > CHUNK_MAX)
		return -EFBIG;
	chunk->keys = kvmalloc_array(capacity, each, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	chunk->scratch = kzalloc(sizeof(*chunk->scratch), GFP_KERNEL_ACCOUNT);
	if (!chunk->keys || !chunk->scratch) {
		bpffs_chunk_free(chunk);
		return -ENOMEM;
	}
	chunk->values = chunk->keys + capacity * info->key_size;
	chunk->capacity = capacity;
	return 0;
}

static int fill_chunk(const struct bpffs_info *info, struct bpffs_chunk *chunk)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	struct bpffs_scratch *s = chunk->scratch;
	u32 count;
	int err;

	err = bpffs_scratch_map(s, info, chunk->capacity, false);
	if (err)
		return err;
	err = bpffs_batch_hash(map, s, &chunk->token, &count);
	memcpy(chunk->keys, s->keys, (size_t)count * map->key_size);
	memcpy(chunk->values, s->values, (size_t)count * bpffs_batch_value_bytes(info));
	/* After it, the memory may be gone. */
	bpffs_scratch_unmap(s);
	chunk->count = count;
	return err;
}

/**
 * bpffs_chunk_next - read the next elements of a hash
 * @info: of the mount
 * @chunk: replaced by them; after an error it has none, and the next call goes on
 *
 * Context: takes mmap_lock.
 * Return: 0, -EINTR, -EFBIG, -ENOMEM, -EFAULT, -EOPNOTSUPP.
 */
int bpffs_chunk_next(const struct bpffs_info *info, struct bpffs_chunk *chunk)
{
	u64 capacity = chunk->capacity;
	int err = 0;

	if (!capacity)
		capacity = min_t(u64, CHUNK_BYTES / element_bytes(info),
				 info->max_entries);
	chunk->count = 0;
	while (!err && !chunk->count && !chunk->at_end) {
		u32 token = chunk->token;

		if (!current->mm)
			return -EOPNOTSUPP;
		if (!chunk->keys || capacity > chunk->capacity)
			err = make_room(info, chunk, capacity);
		if (!err)
			err = fill_chunk(info, chunk);
		if (err == 1) {
			chunk->at_end = true;
			return 0;
		}
		if (err)
			chunk->token = token;
		if (err == -ENOSPC) {
			capacity *= 2;
			err = 0;
		}
		if (!bpffs_go_on())
			err = -EINTR;
	}
	return err;
}

/* --- For core: batches to the reader's own memory --- */

/*
 * One batch. Count and token lie in scratch memory, so that the reader's holds nothing
 * else.
 *
 * Return: 0, 1 at the end, -ENOSPC if a bucket has more than @capacity elements.
 */
static int read_batch(const struct bpffs_info *info, struct bpffs_batch *batch,
		      void __user *keys, void __user *values, u32 capacity, u32 *count)
{
	const struct bpffs_scratch *s = batch->scratch;
	struct bpf_map *map = bpffs_bpf_map(info);
	u64 token = user_address(s, s->keys);
	union bpf_attr attr = {};
	int err;

	memcpy(s->keys, batch->token, bpffs_token_bytes(info));
	s->attr->batch.count = 0;
	if (batch->started)
		attr.batch.in_batch = token;
	attr.batch.out_batch = token;
	attr.batch.keys = (u64)(unsigned long)keys;
	attr.batch.values = (u64)(unsigned long)values;
	attr.batch.count = capacity;
	err = map->ops->map_lookup_batch(map, &attr, bpffs_scratch_user(s, s->attr));
	if (err == -EFAULT || err == -ENOMEM)
		return err;
	*count = min(READ_ONCE(s->attr->batch.count), capacity);
	if (err == -ENOENT)
		return 1;
	if (err && err != -ENOSPC && err != -EINTR && !bpffs_bucket_busy(err))
		return err;
	if (*count || !err) {
		memcpy(batch->token, s->keys, bpffs_token_bytes(info));
		batch->started = true;
	}
	return *count || err != -ENOSPC ? 0 : err;
}

/* See core/map.h. Context: takes mmap_lock. */
int bpffs_batch_next(const struct bpffs_info *info, struct bpffs_batch *batch,
		     void __user *keys, void __user *values, u32 capacity, u32 *count)
{
	int err;

	*count = 0;
	err = bpffs_scratch_map(batch->scratch, info, 1, false);
	if (err)
		return err;
	do {
		err = read_batch(info, batch, keys, values, capacity, count);
		if (!err && !*count && signal_pending(current))
			err = -EINTR;
		cond_resched();
	} while (!err && !*count);
	bpffs_scratch_unmap(batch->scratch);
	return err;
}

/* Memory of the process, as a batch writes to no other. */
int bpffs_room_begin(const struct bpffs_info *info, struct bpffs_room *room, u64 capacity)
{
	struct bpffs_scratch *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	int err;

	if (!s)
		return -ENOMEM;
	err = bpffs_scratch_map(s, info, capacity, false);
	if (err) {
		bpffs_scratch_free(s);
		kfree(s);
		return err;
	}
	room->scratch = s;
	room->at = bpffs_scratch_user(s, s->keys);
	room->bytes = s->bytes - (s->keys - (void *)s->attr);
	return 0;
}

void bpffs_room_end(struct bpffs_room *room)
{
	bpffs_scratch_unmap(room->scratch);
	bpffs_scratch_free(room->scratch);
	kfree(room->scratch);
}

/* --- One element --- */

/**
 * bpffs_batch_put - make or replace one element, on all CPUs
 * @info: of the mount
 * @key: of the element
 * @value: in all its copies
 * @s: mapped read-only, and locked
 *
 * Of a per-CPU map, the op for a single element knows only this CPU's.
 *
 * Return: 0 or what the map's update returned; -EOPNOTSUPP, -ENOMEM, -EFAULT.
 */
int bpffs_batch_put(const struct bpffs_info *info, const void *key,
		    const void *value, struct bpffs_scratch *s)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	union bpf_attr attr = {};

	if (!map->ops->map_update_batch)
		return -EOPNOTSUPP;
	memcpy(s->keys, key, map->key_size);
	memcpy(s->values, value, bpffs_batch_value_bytes(info));
	attr.batch.keys = user_address(s, s->keys);
	attr.batch.values = user_address(s, s->values);
	attr.batch.count = 1;
	/* 6.1 looks it up; maps of these types do not use it. */
	attr.batch.map_fd = -1;
	return bpffs_op_update_batch(map, &attr, bpffs_scratch_user(s, s->attr));
}

/**
 * bpffs_batch_delete - delete one element
 * @info: of the mount
 * @key: of the element
 * @s: mapped read-only, and locked
 *
 * Return: 0 or what the map's delete returned; -EOPNOTSUPP, -ENOMEM, -EFAULT.
 */
int bpffs_batch_delete(const struct bpffs_info *info, const void *key,
		       struct bpffs_scratch *s)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	union bpf_attr attr = {};

	if (!map->ops->map_delete_batch)
		return -EOPNOTSUPP;
	memcpy(s->keys, key, map->key_size);
	attr.batch.keys = user_address(s, s->keys);
	attr.batch.count = 1;
	return map->ops->map_delete_batch(map, &attr, bpffs_scratch_user(s, s->attr));
}
