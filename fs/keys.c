// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keys of a map at one moment, for a listing.
 *
 * A hash is read by its batch operation, which is exact. An LPM trie and cgroup
 * storage know only the next key. Without user memory, which the batch needs,
 * a pass by for_each serves for a hash. It is not exact under a writer: its
 * keys are looked up again, and each is taken once.
 */
#include <linux/xarray.h>

#include "batch.h"

#define CHUNK_BYTES	SZ_32K
/* Keys and values of a batch; the least is one bucket's elements. */
#define SCRATCH_BYTES	SZ_128K
/* Elements of a map that a process may walk in one pass. */
#define PASS_MAX	SZ_1M

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

u64 bpffs_keys_count(const struct bpffs_keys *keys)
{
	return keys->count;
}

/* The @n-th key, with *@run keys from it on in a row; NULL behind the last. */
const void *bpffs_keys_run(const struct bpffs_keys *keys, u64 n, u32 *run)
{
	u64 chunk;
	u32 i;

	if (n >= keys->count)
		return NULL;
	chunk = div_u64_rem(n, keys->per_chunk, &i);
	*run = min_t(u64, keys->per_chunk - i, keys->count - n);
	return xa_load((struct xarray *)&keys->chunks, chunk) +
	       (size_t)i * keys->key_size;
}

const void *bpffs_keys_at(const struct bpffs_keys *keys, u64 n)
{
	u32 run;

	return bpffs_keys_run(keys, n, &run);
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

/* --- A hash: by batch --- */

static int take_batch(struct bpffs_keys *keys, const struct bpffs_scratch *s, u32 count)
{
	const void *from = s->keys;
	void *to;
	u32 room;

	for (; count; count -= room) {
		to = keys_tail(keys, &room);
		if (IS_ERR(to))
			return PTR_ERR(to);
		room = min(room, count);
		memcpy(to, from, (size_t)room * keys->key_size);
		from += (size_t)room * keys->key_size;
		keys->count += room;
	}
	return 0;
}

/* Elements, so that keys and values together take about SCRATCH_BYTES. */
static u64 first_capacity(const struct bpffs_info *info)
{
	const struct bpf_map *map = bpffs_bpf_map(info);
	u64 each = map->key_size + bpffs_shape_bytes(&info->stored);

	return clamp_t(u64, div64_u64(SCRATCH_BYTES, each), 1,
		       map->max_entries + 1ULL);
}

static int keys_by_batch(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	struct bpffs_scratch s = {};
	u32 token = 0, count;
	int err, taken;

	err = bpffs_scratch_map(&s, info, first_capacity(info), false);
	while (!err) {
		err = bpffs_batch_hash(bpffs_bpf_map(info), &s, &token, &count);
		taken = take_batch(keys, &s, count);
		if (taken)
			err = taken;
		if (err == -ENOSPC) {
			u64 capacity = 2ULL * s.capacity;

			bpffs_scratch_unmap(&s);
			err = bpffs_scratch_map(&s, info, capacity, false);
		}
		/* Only who writes to the scratch meanwhile finds more than there are. */
		if (!err && keys->count > 4ULL * info->max_entries + 1024)
			err = -EBUSY;
		if (!err && !bpffs_go_on())
			err = -EINTR;
	}
	bpffs_scratch_unmap(&s);
	bpffs_scratch_free(&s);
	return err < 0 ? err : 0;
}

/* --- Each key once --- */

/* Merge two sorted runs, one behind the other, of @a and @b keys. */
static int merge_runs(const u8 *from, u64 a, u64 b, u8 *to, u32 key_size, u32 *turns)
{
	const u8 *other = from + a * key_size;

	for (; a || b; to += key_size) {
		if (!bpffs_go_on_turn(turns))
			return -EINTR;
		if (a && (!b || memcmp(from, other, key_size) <= 0)) {
			memcpy(to, from, key_size);
			from += key_size;
			a--;
		} else {
			memcpy(to, other, key_size);
			other += key_size;
			b--;
		}
	}
	return 0;
}

/* As sort(), which does not end for who is killed. They come to be in *@keys. */
static int sort_keys(u8 **keys, u8 **room, u64 count, u32 key_size)
{
	u64 run, at, a, b;
	u32 turns = 0;
	int err;

	for (run = 1; run < count; run *= 2) {
		for (at = 0; at < count; at += a + b) {
			a = min(run, count - at);
			b = min(run, count - at - a);
			err = merge_runs(*keys + at * key_size, a, b,
					 *room + at * key_size, key_size, &turns);
			if (err)
				return err;
		}
		swap(*keys, *room);
	}
	return 0;
}

/* Add each of @sorted once; with @info, if it is still there. */
static int add_sorted(const struct bpffs_info *info, struct bpffs_keys *keys,
		      const u8 *sorted, u64 count)
{
	u32 key_size = keys->key_size, room, turns = 0;
	const u8 *key = sorted, *last = NULL;
	void *to;

	for (; count; count--, last = key, key += key_size) {
		if (!bpffs_go_on_turn(&turns))
			return -EINTR;
		if (last && !memcmp(last, key, key_size))
			continue;
		if (info && !bpffs_map_has(info, key))
			continue;
		to = keys_tail(keys, &room);
		if (IS_ERR(to))
			return PTR_ERR(to);
		memcpy(to, key, key_size);
		keys->count++;
	}
	return 0;
}

/*
 * Room for keys, which may be more than an allocation can have: then there is no
 * memory for them, and nothing to warn of.
 */
static u8 *new_room(u64 count, u32 key_size)
{
	return kvmalloc_array(count, key_size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

/* Add each of @all once, which are kvfree()d; with @info, if it is still there. */
static int add_once(const struct bpffs_info *info, struct bpffs_keys *keys, u8 *all,
		    u64 count)
{
	u8 *room = new_room(count, keys->key_size);
	int err = room ? sort_keys(&all, &room, count, keys->key_size) : -ENOMEM;

	if (!err)
		err = add_sorted(info, keys, all, count);
	kvfree(all);
	kvfree(room);
	return err;
}

static int drop_repeats(struct bpffs_keys *keys)
{
	u64 count = keys->count, n;
	u32 turns = 0;
	u8 *all, *key;

	all = new_room(count, keys->key_size);
	if (!all)
		return -ENOMEM;
	for (n = 0, key = all; n < count; n++, key += keys->key_size) {
		if (!bpffs_go_on_turn(&turns)) {
			kvfree(all);
			return -EINTR;
		}
		memcpy(key, bpffs_keys_at(keys, n), keys->key_size);
	}
	keys->count = 0;
	return add_once(NULL, keys, all, count);
}

/* --- What has only a next key: an LPM trie, cgroup storage --- */

/* How far back to look for a key to go on from, in one RCU section. */
#define BACK_MAX	256

/*
 * The trie restarts at its leftmost key when the one it is asked to go on from
 * is gone. So go on from the last one taken that is still there.
 */
static const void *last_there(const struct bpffs_info *info,
			      const struct bpffs_keys *keys, u64 *back)
{
	u64 end = *back > BACK_MAX ? *back - BACK_MAX : 0;
	const void *key;

	for (; *back > end; --*back) {
		key = bpffs_keys_at(keys, *back - 1);
		if (bpffs_map_has(info, key))
			return key;
	}
	return NULL;
}

/*
 * Was @from there when the next key was looked for? If not, even if it is back, a trie has
 * begun again, and cgroup storage has ended.
 */
static bool went_on(const struct bpffs_info *info, const void *from, const void *to, int err)
{
	if (bpffs_map_can(info, BPFFS_IS_TRIE))
		return err || bpffs_prefix_follows(from, to, bpffs_bpf_map(info)->key_size);
	return !err || bpffs_map_has(info, from);
}

/* Take the key that follows. Return: 0, 1 at the end, -EAGAIN, -ENOMEM. */
static int take_next(const struct bpffs_info *info, struct bpffs_keys *keys,
		     bool *repeats)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	u64 back = keys->count;
	const void *from;
	u32 room;
	void *to;
	int err;

	to = keys_tail(keys, &room);
	if (IS_ERR(to))
		return PTR_ERR(to);
	rcu_read_lock();
	from = last_there(info, keys, &back);
	err = map->ops->map_get_next_key(map, (void *)from, to);
	if (from && !went_on(info, from, to, err))
		err = -EAGAIN;
	rcu_read_unlock();
	if (err)
		return err == -ENOENT ? 1 : err;
	if (back < keys->count)
		*repeats = true;
	/* As it is called, for all that have it; the walk does not look at them. */
	if (bpffs_map_can(info, BPFFS_IS_TRIE))
		bpffs_clear_host_bits(to, keys->key_size);
	keys->count++;
	return 0;
}

static int keys_by_next(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	u64 limit = info->max_entries;
	bool repeats = false;
	int err = 0, tries = 0;

	if (!bpffs_bpf_map(info)->ops->map_get_next_key)
		return -EOPNOTSUPP;
	/* Others may insert as fast as we walk. Cgroup storage says 0: no limit. */
	limit = limit ? limit + 1024 : U32_MAX;
	while (!err && keys->count < limit) {
		err = take_next(info, keys, &repeats);
		if (err == -EAGAIN && ++tries < 1000)
			err = 0;
		if (!bpffs_go_on())
			err = -EINTR;
	}
	if (err >= 0 && repeats)
		err = drop_repeats(keys);
	return min(err, 0);
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

static int keys_by_pass(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	struct bpf_map *map = bpffs_bpf_map(info);
	struct pass pass = { .key_size = map->key_size };
	int tries = 3;
	int err;

	err = run_pass(map, pass_count, &pass);
	while (!err) {
		/* More may come until the second pass. */
		pass.room = pass.count + pass.count / 4 + 64;
		pass.keys = new_room(pass.room, pass.key_size);
		if (!pass.keys)
			return -ENOMEM;
		err = run_pass(map, pass_take, &pass);
		if (!err && pass.count <= pass.room)
			return add_once(info, keys, pass.keys, pass.count);
		kvfree(pass.keys);
		if (!err && !--tries)
			err = -EBUSY;
	}
	return err;
}

/*
 * Without user memory, or without enough of it, the pass is better than nothing.
 * And where the batch would give the user addresses of the kernel.
 */
static int keys_of_hash(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	int err = -ENOMEM;

	/* Of an offloaded map, neither. */
	if (!bpffs_bpf_map(info)->ops->map_lookup_batch &&
	    !bpffs_bpf_map(info)->ops->map_for_each_callback)
		return -EOPNOTSUPP;
	if (bpffs_batch_possible(info) && !bpffs_value_links(bpffs_bpf_map(info)))
		err = keys_by_batch(info, keys);
	if (err != -ENOMEM && err != -EFBIG)
		return err;
	/* It holds a CPU from begin to end. */
	if (current->mm && info->max_entries > PASS_MAX)
		return err;
	if (!bpffs_bpf_map(info)->ops->map_for_each_callback)
		return err;
	keys->count = 0;
	return keys_by_pass(info, keys);
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
	struct bpffs_keys *keys;
	int err;

	keys = keys_new(bpffs_bpf_map(info));
	if (!keys)
		return ERR_PTR(-ENOMEM);
	if (bpffs_map_can(info, BPFFS_BY_NEXT_KEY))
		err = keys_by_next(info, keys);
	else
		err = keys_of_hash(info, keys);
	if (!err)
		return keys;
	bpffs_keys_free(keys);
	return ERR_PTR(err);
}
