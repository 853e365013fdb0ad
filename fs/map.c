// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys and values of a map: the one place that calls map->ops.
 *
 * An op that exists is not an op that may be called (the value of a sockmap's
 * update is taken for a struct sock), so a type does only what its row (types.c) says,
 * and each op is checked for NULL before it is called (offloaded maps).
 */
#include <linux/rcupdate.h>

#include "batch.h"

/**
 * struct bpffs_access - how elements of a type are found
 * @lookup: the value of a key, NULL, or an error pointer; under rcu_read_lock.
 *	Looking must not count as using. A per-CPU type has lookup_cpu() instead
 * @has: is there such a key? NULL where a lookup tells
 */
struct bpffs_access {
	void *(*lookup)(struct bpf_map *map, void *key);
	bool (*has)(struct bpf_map *map, void *key);
};

static void *lookup(struct bpf_map *map, void *key)
{
	return map->ops->map_lookup_elem ? map->ops->map_lookup_elem(map, key) :
					   ERR_PTR(-EOPNOTSUPP);
}

/* One CPU's copy. */
static void *lookup_cpu(struct bpf_map *map, void *key, u32 cpu)
{
	return map->ops->map_lookup_percpu_elem ?
	       map->ops->map_lookup_percpu_elem(map, key, cpu) :
	       ERR_PTR(-EOPNOTSUPP);
}

static void *lookup_lru(struct bpf_map *map, void *key)
{
	return map->ops->map_lookup_elem_sys_only ?
	       map->ops->map_lookup_elem_sys_only(map, key) :
	       ERR_PTR(-EOPNOTSUPP);
}

/*
 * The trie finds the longest match of at most this length. It is of this very
 * length if one of less length is another, and if it is still the same then: an
 * update replaces the node, also that of the shorter one.
 */
static void *lookup_trie(struct bpf_map *map, void *key)
{
	u8 shorter[BPFFS_PREFIX_MAX] __uninitialized;
	void *value, *other;
	int tries;
	u32 plen;

	memcpy(&plen, key, sizeof(plen));
	if (plen > 8 * (map->key_size - sizeof(plen)) || map->key_size > sizeof(shorter))
		return NULL;
	if (!plen)
		return lookup(map, key);
	memcpy(shorter, key, map->key_size);
	plen--;
	memcpy(shorter, &plen, sizeof(plen));
	for (tries = 0; tries < 64; tries++) {
		value = lookup(map, key);
		if (IS_ERR_OR_NULL(value))
			return value;
		other = lookup(map, shorter);
		if (value == other)
			return NULL;
		if (value == lookup(map, key))
			return value;
	}
	return ERR_PTR(-EBUSY);
}

/*
 * The last bytes of a key of 16 do not count: one element would have many names.
 */
static void *lookup_storage(struct bpf_map *map, void *key)
{
	const size_t end = offsetofend(struct bpf_cgroup_storage_key, attach_type);

	if (map->key_size > end && memchr_inv(key + end, 0, map->key_size - end))
		return NULL;
	return lookup(map, key);
}

/*
 * Asked for what follows a key that is not there, a hash gives its first key,
 * which follows none that is. That does not count as use of the key.
 */
static bool has_by_next(struct bpf_map *map, void *key)
{
	u8 few[3 * BPFFS_NAME_MAX] __uninitialized;
	u8 *first = few, *next, *again;
	u32 size = map->key_size;
	bool has = false;
	int tries, err;

	if (!map->ops->map_get_next_key)
		return false;
	if (3 * (u64)size > sizeof(few))
		first = kmalloc_array(3, size, GFP_ATOMIC);
	if (!first)
		return false;
	next = first + size;
	again = next + size;
	for (tries = 0; tries < 64; tries++) {
		if (map->ops->map_get_next_key(map, NULL, first))
			break;
		err = map->ops->map_get_next_key(map, key, next);
		/* Only if the first one has not changed meanwhile. */
		if (!map->ops->map_get_next_key(map, NULL, again) &&
		    !memcmp(first, again, size)) {
			has = err || memcmp(first, next, size);
			break;
		}
	}
	if (first != few)
		kfree(first);
	return has;
}

/* Not for the value, which is a map: only whether there is one. */
static bool has_by_lookup(struct bpf_map *map, void *key)
{
	return !IS_ERR_OR_NULL(lookup(map, key));
}

/* A bloom filter: the key asked for is the value it was given. */
static bool has_by_peek(struct bpf_map *map, void *key)
{
	return map->ops->map_peek_elem && !map->ops->map_peek_elem(map, key);
}

static const struct bpffs_access accesses[] = {
	[BPF_MAP_TYPE_HASH] = { .lookup = lookup },
	[BPF_MAP_TYPE_LRU_HASH] = { .lookup = lookup_lru },
	[BPF_MAP_TYPE_ARRAY] = { .lookup = lookup },
	[BPF_MAP_TYPE_LRU_PERCPU_HASH] = { .has = has_by_next },
	[BPF_MAP_TYPE_LPM_TRIE] = { .lookup = lookup_trie },
	[BPF_MAP_TYPE_CGROUP_STORAGE] = { .lookup = lookup_storage },
	[BPF_MAP_TYPE_BLOOM_FILTER] = { .has = has_by_peek },
	[BPF_MAP_TYPE_ARRAY_OF_MAPS] = { .has = has_by_lookup },
	[BPF_MAP_TYPE_HASH_OF_MAPS] = { .has = has_by_lookup },
};

static const struct bpffs_access by_ops_only;

/* How elements of a map are found; never NULL. */
const struct bpffs_access *bpffs_map_access(const struct bpf_map *map)
{
	return map->map_type < ARRAY_SIZE(accesses) ? &accesses[map->map_type] : &by_ops_only;
}

#define EQUAL(ours, theirs) static_assert((u32)(ours) == (u32)(theirs))
#define SAME(type) EQUAL(BPFFS_TYPE_##type, BPF_MAP_TYPE_##type)

SAME(HASH);
SAME(ARRAY);
SAME(PERCPU_HASH);
SAME(PERCPU_ARRAY);
SAME(LRU_HASH);
SAME(LRU_PERCPU_HASH);
SAME(LPM_TRIE);
SAME(ARRAY_OF_MAPS);
SAME(HASH_OF_MAPS);
SAME(CGROUP_STORAGE);
SAME(QUEUE);
SAME(STACK);
SAME(RINGBUF);
SAME(BLOOM_FILTER);
SAME(USER_RINGBUF);
SAME(ARENA);

EQUAL(BPFFS_ANY, BPF_ANY);
EQUAL(BPFFS_NOEXIST, BPF_NOEXIST);
EQUAL(BPFFS_EXIST, BPF_EXIST);

/* A copy of the value of @key, NULL, or an error pointer. Under rcu_read_lock. */
static void *find(const struct bpffs_info *info, const void *key, u32 copy)
{
	struct bpf_map *map = bpffs_bpf_map(info);

	/* The ops do not write to the key; their prototype is older than const. */
	if (bpffs_map_can(info, BPFFS_PERCPU))
		return lookup_cpu(map, (void *)key, info->stored.cpus[copy]);
	return bpffs_instance(info)->access->lookup(map, (void *)key);
}

int bpffs_map_has(const struct bpffs_info *info, const void *key)
{
	const struct bpffs_access *access = bpffs_instance(info)->access;
	bool has;

	if (!access->has && !bpffs_map_can(info, BPFFS_CAN_READ))
		return false;
	rcu_read_lock();
	if (access->has)
		has = access->has(bpffs_bpf_map(info), (void *)key);
	else
		has = !IS_ERR_OR_NULL(find(info, key, 0));
	rcu_read_unlock();
	return has;
}

/*
 * Word by word where there is room for whole words, as there is not in the nodes
 * of a trie nor in cgroup storage.
 */
static void copy_value(const struct bpffs_info *info, void *to, void *from)
{
	if (bpffs_map_can(info, BPFFS_BY_NEXT_KEY))
		copy_map_value(bpffs_bpf_map(info), to, from);
	else
		copy_map_value_long(bpffs_bpf_map(info), to, from);
}

/**
 * bpffs_map_read - copy the value of an element
 * @info: of the mount
 * @key: of the element
 * @value: zeroed by the caller, of info->stored. The bytes of special fields
 *	stay zero; so never check_and_init_map_value(), which writes kernel
 *	addresses.
 *
 * As bpf(2): an aligned word is whole, a value under a writer may not be.
 *
 * Return: 0, -ENOENT, -EOPNOTSUPP.
 */
int bpffs_map_read(const struct bpffs_info *info, const void *key, void *value)
{
	const struct bpffs_shape *stored = &info->stored;
	void *from;
	int err = 0;
	u32 i;

	if (!bpffs_map_can(info, BPFFS_CAN_READ))
		return -EOPNOTSUPP;
	rcu_read_lock();
	for (i = 0; i < stored->copies && !err; i++) {
		from = find(info, key, i);
		if (!from)
			err = -ENOENT;
		else if (IS_ERR(from))
			err = PTR_ERR(from);
		else
			copy_value(info, value + (size_t)i * stored->stride, from);
	}
	rcu_read_unlock();
	return err;
}

/*
 * Like bpf(2), first announce the write, then look whether it is allowed: so a
 * concurrent freeze either fails (EBUSY) or is seen here.
 */
static int begin_write(const struct bpffs_info *info, unsigned int what)
{
	struct bpf_map *map = bpffs_bpf_map(info);

	if (!bpffs_map_can(info, what))
		return -EOPNOTSUPP;
	atomic64_inc(&map->writecnt);
	if (bpffs_object_writable(bpffs_object(info)))
		return 0;
	atomic64_dec(&map->writecnt);
	return -EPERM;
}

static void end_write(const struct bpffs_info *info)
{
	atomic64_dec(&bpffs_bpf_map(info)->writecnt);
}

/* What the ops of the kernel return, in the words of a file system. */
static int file_error(long err)
{
	switch (err) {
	case -E2BIG:
		return -ENOSPC;
	case -ENOTSUPP:
		return -EOPNOTSUPP;
	}
	return bpffs_bucket_busy(err) ? -EBUSY : err;
}

/*
 * bpf(2) disables tracing programs meanwhile, which modules cannot. One that comes
 * back to this map gets EBUSY from a hash, whose buckets have a guard.
 */
static long update_one(struct bpf_map *map, const void *key, const void *value,
		       u64 flags)
{
	long err;

	if (!map->ops->map_update_elem)
		return -EOPNOTSUPP;
	migrate_disable();
	rcu_read_lock();
	err = map->ops->map_update_elem(map, (void *)key, (void *)value, flags);
	rcu_read_unlock();
	migrate_enable();
	return err;
}

/*
 * What was stored at @value may be in another key's element: a hash uses the memory
 * of one that is deleted or replaced at once. Nothing excludes that, but the caller
 * is told. Under rcu_read_lock, which is enough for other types.
 */
static int check_place(const struct bpffs_info *info, const void *key, u32 copy,
		       const void *value)
{
	if (bpffs_map_can(info, BPFFS_BY_INDEX | BPFFS_BY_NEXT_KEY))
		return 0;
	return find(info, key, copy) == value ? 0 : -ESTALE;
}

/* Copy @value where the element lies, to each CPU's copy; -ENOENT if there is none. */
static int copy_in_place(const struct bpffs_info *info, const void *key,
			 const void *value, unsigned int what)
{
	const struct bpffs_shape *stored = &info->stored;
	int err;
	void *to;
	u32 i;

	err = begin_write(info, what);
	if (err)
		return err;
	rcu_read_lock();
	for (i = 0; i < stored->copies && !err; i++) {
		to = find(info, key, i);
		if (IS_ERR_OR_NULL(to)) {
			err = to ? PTR_ERR(to) : -ENOENT;
			break;
		}
		copy_value(info, to, (void *)value + (size_t)i * stored->stride);
		err = check_place(info, key, i, to);
	}
	rcu_read_unlock();
	end_write(info);
	return err;
}

static int put_mapped(const struct bpffs_info *info, const void *key,
		      const void *value, unsigned int what, struct bpffs_scratch *s)
{
	int err;

	err = bpffs_scratch_map(s, info, 1, true);
	if (!err)
		err = bpffs_scratch_lock(s);
	if (err)
		return err;
	err = begin_write(info, what);
	if (!err) {
		err = bpffs_batch_put(info, key, value, s);
		end_write(info);
	}
	bpffs_scratch_unlock(s);
	return err;
}

static int put_by_batch(const struct bpffs_info *info, const void *key,
			const void *value, unsigned int what, struct bpffs_scratch *s)
{
	struct bpffs_scratch one = {};
	int err;

	if (s)
		return put_mapped(info, key, value, what, s);
	err = put_mapped(info, key, value, what, &one);
	bpffs_scratch_unmap(&one);
	bpffs_scratch_free(&one);
	return err;
}

/*
 * The batch operation makes or replaces an element on all CPUs, with tracing programs
 * disabled; but it takes no flags: between looking and making, another may make it too,
 * and is then replaced. What must exist is written where it lies instead: nothing that
 * is gone comes back. So is what exists in an LRU map, which would make room for it at
 * another's cost.
 */
static int update_by_batch(const struct bpffs_info *info, const void *key,
			   const void *value, u64 flags, unsigned int what,
			   struct bpffs_scratch *s)
{
	bool must_exist = flags == BPF_EXIST || bpffs_map_can(info, BPFFS_IS_ARRAY);
	int err = -ENOENT;

	if (flags == BPF_NOEXIST && bpffs_map_has(info, key))
		return -EEXIST;
	if (must_exist || (flags == BPF_ANY && bpffs_map_can(info, BPFFS_EVICTS)))
		err = copy_in_place(info, key, value, what);
	if (err != -ENOENT || must_exist)
		return err;
	return put_by_batch(info, key, value, what, s);
}

static int push(const struct bpffs_info *info, const void *value)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	long err;

	err = begin_write(info, BPFFS_IS_SET | BPFFS_IS_QUEUE);
	if (err)
		return err;
	err = -EOPNOTSUPP;
	if (!map->ops->map_push_elem)
		goto out;
	migrate_disable();
	rcu_read_lock();
	err = map->ops->map_push_elem(map, (void *)value, BPF_ANY);
	rcu_read_unlock();
	migrate_enable();
out:
	end_write(info);
	return file_error(err);
}

/* Is it a new element of a per-CPU hash, and zero on all CPUs? */
static bool is_new_zero(const struct bpffs_info *info, const void *value, u64 flags)
{
	return flags == BPF_NOEXIST && !bpffs_map_can(info, BPFFS_BY_BATCH) &&
	       !memchr_inv(value, 0, bpffs_shape_bytes(&info->stored));
}

/**
 * bpffs_map_update - store a whole value
 * @info: of the mount
 * @key: of the element
 * @value: of info->stored
 * @flags: BPF_ANY, BPF_NOEXIST or BPF_EXIST
 * @s: for one element, zeroed before the first of several updates; the caller unmaps
 *	and frees it after the last. NULL for a single update
 *
 * Context: takes mmap_lock.
 * Return: 0; -EPERM (frozen, read-only, or the update would destroy what the
 * value owns), -ENOENT, -EEXIST, -ENOSPC, -EOPNOTSUPP, -ENOMEM, -EBUSY, -EINTR;
 * -ESTALE: the element went meanwhile, and another key's may have got the value.
 */
int bpffs_map_update(const struct bpffs_info *info, const void *key,
		     const void *value, u64 flags, struct bpffs_scratch *s)
{
	long err;

	if (bpffs_map_can(info, BPFFS_IS_SET))
		return push(info, key);
	/* The op for one element gives the other CPUs zeros. */
	if (bpffs_map_can(info, BPFFS_BY_BATCH | BPFFS_PERCPU) && !is_new_zero(info, value, flags))
		return file_error(update_by_batch(info, key, value, flags, BPFFS_CAN_WRITE, s));
	err = begin_write(info, BPFFS_CAN_WRITE);
	if (err)
		return err;
	err = update_one(bpffs_bpf_map(info), key, value, flags);
	end_write(info);
	return file_error(err);
}

/*
 * Store an element of a stream, new or not; also of a type whose elements are
 * not written one by one otherwise. @s is as above.
 */
int bpffs_map_restore(const struct bpffs_info *info, const void *key,
		      const void *value, struct bpffs_scratch *s)
{
	if (bpffs_map_can(info, BPFFS_CAN_WRITE))
		return bpffs_map_update(info, key, value, BPF_ANY, s);
	return file_error(update_by_batch(info, key, value, BPF_ANY, BPFFS_CAN_STREAM, s));
}

/**
 * bpffs_map_edit - change a value where it lies, as a BPF program does
 * @info: of the mount
 * @key: of the element
 * @copy: which of info->stored
 * @edit: called under rcu_read_lock with the live copy: may not sleep, and
 *	stores bytes of no special field
 * @arg: for @edit
 *
 * Return: 0, -ENOENT, -EPERM, -EOPNOTSUPP; -ESTALE as bpffs_map_update().
 */
int bpffs_map_edit(const struct bpffs_info *info, const void *key, u32 copy,
		   void (*edit)(void *value, void *arg), void *arg)
{
	void *value;
	int err;

	err = begin_write(info, BPFFS_CAN_WRITE);
	if (err)
		return err;
	rcu_read_lock();
	value = find(info, key, copy);
	if (!value)
		err = -ENOENT;
	else if (IS_ERR(value))
		err = PTR_ERR(value);
	else
		edit(value, arg);
	if (!err)
		err = check_place(info, key, copy, value);
	rcu_read_unlock();
	end_write(info);
	return err;
}

static int delete_by_batch(const struct bpffs_info *info, const void *key)
{
	struct bpffs_scratch s = {};
	int err;

	err = bpffs_scratch_map(&s, info, 1, true);
	if (err)
		goto out;
	err = bpffs_scratch_lock(&s);
	if (err)
		goto out;
	err = begin_write(info, BPFFS_CAN_DELETE);
	if (!err) {
		err = bpffs_batch_delete(info, key, &s);
		end_write(info);
	}
	bpffs_scratch_unlock(&s);
out:
	bpffs_scratch_unmap(&s);
	bpffs_scratch_free(&s);
	return err;
}

/*
 * Context: takes mmap_lock.
 * Return: 0, -ENOENT, -EPERM (also: an array's element), -EOPNOTSUPP, -EBUSY, -ENOMEM,
 * -EINTR.
 */
int bpffs_map_delete(const struct bpffs_info *info, const void *key)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	long err;

	if (bpffs_map_can(info, BPFFS_IS_ARRAY))
		return -EPERM;
	if (bpffs_map_can(info, BPFFS_BY_BATCH))
		return file_error(delete_by_batch(info, key));
	err = begin_write(info, BPFFS_CAN_DELETE);
	if (err)
		return err;
	err = -EOPNOTSUPP;
	if (!map->ops->map_delete_elem)
		goto out;
	migrate_disable();
	rcu_read_lock();
	err = map->ops->map_delete_elem(map, (void *)key);
	rcu_read_unlock();
	migrate_enable();
	/* As bpf(2): no program uses the inner map by the old slot any more. */
	if (!err && bpffs_map_can(info, BPFFS_OF_MAPS))
		synchronize_rcu();
out:
	end_write(info);
	return file_error(err);
}

bool bpffs_map_writable(const struct bpffs_info *info)
{
	return bpffs_object_writable(bpffs_object(info));
}

bool bpffs_map_special(const struct bpffs_info *info, u32 i, u32 *offset, u32 *size)
{
	return bpffs_special_field(bpffs_bpf_map(info), i, offset, size);
}

bool bpffs_map_owns(const struct bpffs_info *info)
{
	return bpffs_value_owns(bpffs_bpf_map(info));
}

/**
 * bpffs_map_count - how many elements, without a walk
 * @info: of the mount
 * @count: filled
 *
 * The sum over CPUs that the kernel itself shows; under concurrent change it
 * is a moment's estimate, so clamp it to what is possible.
 *
 * Return: does the kernel keep a count for this map?
 */
bool bpffs_map_count(const struct bpffs_info *info, u64 *count)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	const s64 __percpu *counts;
	s64 sum = 0;
	int cpu;

	/* A program or link can nothing, and has no count where a map has it. */
	if (!bpffs_map_can(info, BPFFS_CAN_LIST))
		return false;
	if (bpffs_map_can(info, BPFFS_IS_ARRAY)) {
		*count = map->max_entries;
		return true;
	}
	counts = bpffs_elem_count(map);
	if (!counts)
		return false;
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counts, cpu));
	*count = clamp_t(s64, sum, 0, map->max_entries);
	return true;
}

/**
 * bpffs_map_memory_size - how much of a map can be mapped
 * @info: of a map that can BPFFS_HAS_MEMORY
 */
u64 bpffs_map_memory_size(const struct bpffs_info *info)
{
	const struct bpf_map *map = bpffs_bpf_map(info);

	switch ((u32)map->map_type) {
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		/* Positions of consumer and producer, and the data twice. */
		return 2 * PAGE_SIZE + 2ULL * map->max_entries;
	case BPF_MAP_TYPE_ARENA:
		return (u64)map->max_entries << PAGE_SHIFT;
	}
	return PAGE_ALIGN((u64)map->max_entries * round_up((u64)map->value_size, 8));
}

/* --- Queues and stacks --- */

/* Copy the element that would be popped. Return: 0, -ENOENT (it is empty). */
int bpffs_map_peek(const struct bpffs_info *info, void *value)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	long err;

	if (!bpffs_map_can(info, BPFFS_IS_QUEUE) || !map->ops->map_peek_elem)
		return -EOPNOTSUPP;
	rcu_read_lock();
	err = map->ops->map_peek_elem(map, value);
	rcu_read_unlock();
	return file_error(err);
}

/* Take an element out. Return: 0, -ENOENT (it is empty), -EPERM. */
int bpffs_map_pop(const struct bpffs_info *info, void *value)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	long err;

	err = begin_write(info, BPFFS_IS_QUEUE);
	if (err)
		return err;
	err = -EOPNOTSUPP;
	if (!map->ops->map_pop_elem)
		goto out;
	migrate_disable();
	rcu_read_lock();
	err = map->ops->map_pop_elem(map, value);
	rcu_read_unlock();
	migrate_enable();
out:
	end_write(info);
	return file_error(err);
}

/* Put an element in. Return: 0, -ENOSPC, -EPERM. */
int bpffs_map_push(const struct bpffs_info *info, const void *value)
{
	return push(info, value);
}

/* --- Maps of maps --- */

/* The inner map at @key with a reference, or NULL. */
struct bpf_map *bpffs_map_inner(const struct bpffs_info *info, const void *key)
{
	struct bpf_map *inner;

	rcu_read_lock();
	inner = lookup(bpffs_bpf_map(info), (void *)key);
	if (!IS_ERR_OR_NULL(inner))
		inner = bpf_map_inc_not_zero(inner);
	rcu_read_unlock();
	return IS_ERR(inner) ? NULL : inner;
}

bool bpffs_map_is_inner(const struct bpffs_info *info, const void *key,
			const struct bpf_map *inner)
{
	bool is;

	rcu_read_lock();
	is = lookup(bpffs_bpf_map(info), (void *)key) == inner;
	rcu_read_unlock();
	return is;
}
