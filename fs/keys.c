// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keys of a map at one moment, for a listing.
 *
 * A hash is read by the map's own batch operation: it copies a bucket at a
 * time under the bucket's lock and says where to go on, so that no key that
 * stays is lost or doubled, nothing holds a CPU for long, and LRU order is not
 * touched. It writes only to user memory: a scratch mapping of the reader's.
 * Without user memory (a kernel thread) the pass by for_each serves, which is
 * not exact under a writer: its keys are looked up again and deduplicated.
 */
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "bpffs.h"

#define CHUNK_BYTES	SZ_32K
/* Keys and values of a batch; the least is one bucket's elements. */
#define SCRATCH_BYTES	SZ_512K
#define SCRATCH_MAX	SZ_1G

struct bpffs_keys {
	u64 count;
	u32 key_size;
	u32 per_chunk;
	struct xarray chunks;
};

static struct bpffs_keys *keys_new(const struct bpf_map *map)
{
	struct bpffs_keys *keys = kzalloc(sizeof(*keys), GFP_KERNEL_ACCOUNT);

	if (!keys)
		return NULL;
	xa_init_flags(&keys->chunks, XA_FLAGS_ACCOUNT);
	keys->key_size = map->key_size;
	keys->per_chunk = max_t(u32, CHUNK_BYTES / map->key_size, 1);
	return keys;
}

void bpffs_keys_free(struct bpffs_keys *keys)
{
	unsigned long i;
	void *chunk;

	if (!keys)
		return;
	xa_for_each(&keys->chunks, i, chunk)
		kfree(chunk);
	xa_destroy(&keys->chunks);
	kfree(keys);
}

/* The @n-th key, NULL behind the last. */
const void *bpffs_keys_at(const struct bpffs_keys *keys, u64 n)
{
	u64 chunk;
	u32 i;

	if (n >= keys->count)
		return NULL;
	chunk = div_u64_rem(n, keys->per_chunk, &i);
	return xa_load((struct xarray *)&keys->chunks, chunk) +
	       (size_t)i * keys->key_size;
}

/* Room for keys behind the last one: *@room of them at the pointer returned. */
static void *keys_tail(struct bpffs_keys *keys, u32 *room)
{
	u64 n = keys->count;
	void *chunk;
	u64 c;
	u32 i;
	int err;

	c = div_u64_rem(n, keys->per_chunk, &i);
	*room = keys->per_chunk - i;
	chunk = xa_load(&keys->chunks, c);
	if (!chunk) {
		chunk = kmalloc_array(keys->per_chunk, keys->key_size,
				      GFP_KERNEL_ACCOUNT);
		if (!chunk)
			return ERR_PTR(-ENOMEM);
		err = xa_err(xa_store(&keys->chunks, c, chunk, GFP_KERNEL_ACCOUNT));
		if (err) {
			kfree(chunk);
			return ERR_PTR(err);
		}
	}
	return chunk + (size_t)i * keys->key_size;
}

/* --- By batch, through a scratch mapping of the reader's --- */

/**
 * struct scratch - user memory for a batch operation
 * @attr: where the operation writes its count; the token follows, then the rest
 * @token: the bucket to go on at
 * @keys: @capacity of them
 * @values: likewise
 * @bytes: of the whole mapping
 * @capacity: elements
 */
struct scratch {
	union bpf_attr __user *attr;
	u32 __user *token;
	void __user *keys;
	void __user *values;
	unsigned long bytes;
	u32 capacity;
};

static u64 value_bytes(const struct bpf_map *map)
{
	return round_up((u64)map->value_size, 8);
}

static int scratch_map(struct scratch *s, const struct bpf_map *map, u64 capacity)
{
	u64 head = ALIGN(sizeof(*s->attr), 8) + 8;
	u64 keys = ALIGN(capacity * map->key_size, 8);
	u64 bytes = PAGE_ALIGN(head + keys + capacity * value_bytes(map));
	unsigned long addr;

	if (bytes > SCRATCH_MAX)
		return -EFBIG;
	addr = vm_mmap(NULL, 0, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	s->attr = (void __user *)addr;
	s->token = (void __user *)addr + ALIGN(sizeof(*s->attr), 8);
	s->keys = (void __user *)addr + head;
	s->values = (void __user *)addr + head + keys;
	s->bytes = bytes;
	s->capacity = capacity;
	return 0;
}

static void scratch_unmap(struct scratch *s)
{
	if (s->bytes)
		vm_munmap((unsigned long)s->attr, s->bytes);
	s->bytes = 0;
}

static int take_batch(struct bpffs_keys *keys, const struct scratch *s, u32 count)
{
	const void __user *from = s->keys;
	void *to;
	u32 room;

	for (; count; count -= room) {
		to = keys_tail(keys, &room);
		if (IS_ERR(to))
			return PTR_ERR(to);
		room = min(room, count);
		if (copy_from_user(to, from, (size_t)room * keys->key_size))
			return -EFAULT;
		from += (size_t)room * keys->key_size;
		keys->count += room;
	}
	return 0;
}

/**
 * walk_batch - take one batch
 * @map: a hash
 * @keys: added to
 * @s: the scratch mapping
 * @token: the bucket to begin at; on return, the one to go on at
 *
 * The scratch is user memory: the process may write to it meanwhile, so the
 * count is clamped, and a token that does not move on is refused.
 *
 * Return: 0 to go on, 1 at the end, -ENOSPC: a bucket needs more room.
 */
static int walk_batch(struct bpf_map *map, struct bpffs_keys *keys,
		      const struct scratch *s, u32 *token)
{
	union bpf_attr attr = {};
	u32 count, next;
	int err, taken;

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
	if (get_user(count, &s->attr->batch.count) || get_user(next, s->token))
		return -EFAULT;
	taken = take_batch(keys, s, min(count, s->capacity));
	if (taken)
		return taken;
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

/* Elements, so that keys and values together take about SCRATCH_BYTES. */
static u64 first_capacity(const struct bpf_map *map)
{
	u64 each = map->key_size + value_bytes(map);

	return clamp_t(u64, div64_u64(SCRATCH_BYTES, each), 1,
		       map->max_entries + 1ULL);
}

static int keys_by_batch(struct bpf_map *map, struct bpffs_keys *keys)
{
	struct scratch s = {};
	u32 token = 0;
	int err;

	err = scratch_map(&s, map, first_capacity(map));
	while (!err) {
		err = walk_batch(map, keys, &s, &token);
		if (err == -ENOSPC) {
			u64 capacity = 2ULL * s.capacity;

			scratch_unmap(&s);
			err = scratch_map(&s, map, capacity);
		}
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	scratch_unmap(&s);
	return err < 0 ? err : 0;
}

/* --- By for_each, where there is no user memory --- */

struct pass {
	u8 *keys;
	u32 key_size;
	u64 count;
	u64 room;
};

static u64 pass_count(u64 map, u64 key, u64 value, u64 arg, u64 unused)
{
	struct pass *pass = (void *)(long)arg;

	pass->count++;
	return 0;
}

static u64 pass_take(u64 map, u64 key, u64 value, u64 arg, u64 unused)
{
	struct pass *pass = (void *)(long)arg;

	if (pass->count < pass->room)
		memcpy(pass->keys + pass->count * pass->key_size,
		       (void *)(long)key, pass->key_size);
	pass->count++;
	return 0;
}

static int run_pass(struct bpf_map *map, bpf_callback_t callback,
		    struct pass *pass)
{
	long err;

	pass->count = 0;
	migrate_disable();
	rcu_read_lock();
	err = map->ops->map_for_each_callback(map, callback, pass, 0);
	rcu_read_unlock();
	migrate_enable();
	return min(err, 0L);
}

static int compare_keys(const void *a, const void *b, const void *key_size)
{
	return memcmp(a, b, *(const u32 *)key_size);
}

/* Add the keys of a pass that are there, each once. */
static int take_pass(const struct bpffs_info *info, struct bpffs_keys *keys,
		     struct pass *pass)
{
	const u8 *last = NULL;
	u8 *key = pass->keys;
	u32 room;
	void *to;
	u64 i;

	sort_r(pass->keys, pass->count, pass->key_size, compare_keys, NULL,
	       &pass->key_size);
	for (i = 0; i < pass->count; i++, last = key, key += pass->key_size) {
		if (last && !memcmp(last, key, pass->key_size))
			continue;
		if (!bpffs_map_has(info, key))
			continue;
		to = keys_tail(keys, &room);
		if (IS_ERR(to))
			return PTR_ERR(to);
		memcpy(to, key, pass->key_size);
		keys->count++;
	}
	return 0;
}

static int keys_by_pass(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	struct bpf_map *map = info->object.map;
	struct pass pass = { .key_size = map->key_size };
	int tries = 3;
	int err;

	if (!map->ops->map_for_each_callback)
		return -EOPNOTSUPP;
	err = run_pass(map, pass_count, &pass);
	while (!err) {
		/* More may come until the second pass. */
		pass.room = pass.count + pass.count / 4 + 64;
		pass.keys = kvmalloc_array(pass.room, pass.key_size, GFP_KERNEL_ACCOUNT);
		if (!pass.keys)
			return -ENOMEM;
		err = run_pass(map, pass_take, &pass);
		if (!err && pass.count <= pass.room) {
			err = take_pass(info, keys, &pass);
			kvfree(pass.keys);
			return err;
		}
		kvfree(pass.keys);
		if (!err && !--tries)
			err = -EBUSY;
	}
	return err;
}

/**
 * bpffs_keys_get - take the keys of a map that is not an array
 * @info: of the mount
 *
 * Context: may sleep and fault; a directory's inode lock may be held, as page
 * faults of getdents' buffer take mmap_lock under it too.
 * Return: to be given to bpffs_keys_free(), or an error pointer.
 */
struct bpffs_keys *bpffs_keys_get(const struct bpffs_info *info)
{
	struct bpf_map *map = info->object.map;
	struct bpffs_keys *keys;
	int err;

	keys = keys_new(map);
	if (!keys)
		return ERR_PTR(-ENOMEM);
	err = -ENOMEM;
	if (current->mm && map->ops->map_lookup_batch)
		err = keys_by_batch(map, keys);
	if (err == -ENOMEM || err == -EFBIG) {
		keys->count = 0;
		err = keys_by_pass(info, keys);
	}
	if (!err)
		return keys;
	bpffs_keys_free(keys);
	return ERR_PTR(err);
}
