// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * The keys of a map at one moment, as core asks for them.
 *
 * A hash gives them by batches, exactly. Of what knows only a next key, a walk begins
 * again where the key is gone that it would go on from, and gives others twice, but
 * leaves none out: each is taken once. Cgroup storage ends instead, and is gone on with
 * from an earlier key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

/* A walk that others make begin again for ever. */
#define WALK_MAX(map)	(4ULL * (map)->max_entries + 65536)

struct bpffs_keys {
	u8 *keys;
	u64 count;
	u64 room;
	u32 key_size;
};

void bpffs_keys_free(struct bpffs_keys *keys)
{
	if (!keys)
		return;
	free(keys->keys);
	free(keys);
}

u64 bpffs_keys_count(const struct bpffs_keys *keys)
{
	return keys->count;
}

const void *bpffs_keys_at(const struct bpffs_keys *keys, u64 n)
{
	return n < keys->count ? keys->keys + n * keys->key_size : NULL;
}

const void *bpffs_keys_run(const struct bpffs_keys *keys, u64 n, u32 *run)
{
	if (n < keys->count)
		*run = min_t(u64, keys->count - n, U32_MAX);
	return bpffs_keys_at(keys, n);
}

static int take(struct bpffs_keys *keys, const void *from, u32 count)
{
	u8 *more;

	if (!count)
		return 0;
	if (keys->count + count > keys->room) {
		keys->room = 2 * (keys->room + count);
		more = realloc(keys->keys, keys->room * keys->key_size);
		if (!more)
			return -ENOMEM;
		keys->keys = more;
	}
	memcpy(keys->keys + keys->count * keys->key_size, from, (size_t)count * keys->key_size);
	keys->count += count;
	return 0;
}

static int take_by_batch(const struct map *map, struct bpffs_keys *keys)
{
	struct map_batch batch = {};
	int err = 0;

	while (!err && !batch.at_end) {
		err = map_batch_next(map, &batch);
		if (!err)
			err = take(keys, batch.keys, batch.count);
		if (!err && keys->count > WALK_MAX(map))
			err = -EBUSY;
	}
	map_batch_free(&batch);
	return err;
}

/* Slots of arrays can be empty. */
static int take_by_index(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	u32 index;
	int err = 0;

	for (index = 0; index < info->max_entries && err >= 0; index++) {
		err = bpffs_map_has(info, &index);
		if (err > 0)
			err = take(keys, &index, 1);
	}
	return err;
}

/* --- What has only a next key --- */

/* The last key taken that is still there. NULL in @last: none, so it is from the first on. */
static int last_there(const struct bpffs_info *info, const struct bpffs_keys *keys,
		      const void **last)
{
	u64 n = keys->count;
	int there;

	for (*last = NULL; n-- && !*last;) {
		there = bpffs_map_has(info, bpffs_keys_at(keys, n));
		if (there < 0)
			return there;
		if (there)
			*last = bpffs_keys_at(keys, n);
	}
	return 0;
}

static int take_by_next(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	const struct map *map = &object_of(info)->map;
	u8 *next = malloc(map->key_size);
	const void *from = NULL, *last;
	bool ended = false;
	int err = next ? 0 : -ENOMEM;

	while (!err) {
		err = map_next_key(map, from, next);
		if (err == -ENOENT && !ended && from) {
			err = last_there(info, keys, &last);
			/* From there, it has ended. */
			if (!err && last == from)
				err = -ENOENT;
			from = last;
			ended = true;
			continue;
		}
		if (!err)
			err = take(keys, next, 1);
		if (!err && keys->count > WALK_MAX(map))
			err = -EBUSY;
		ended = false;
		from = bpffs_keys_at(keys, keys->count - 1);
	}
	free(next);
	return err == -ENOENT ? 0 : err;
}

static int compare(const void *a, const void *b, void *key_size)
{
	return memcmp(a, b, *(const u32 *)key_size);
}

static bool has_repeats(const u8 *sorted, u64 count, u32 size)
{
	u64 n;

	for (n = 1; n < count; n++)
		if (!memcmp(sorted + (n - 1) * size, sorted + n * size, size))
			return true;
	return false;
}

/* As they are called, and each once; in the order of the walk if each came once. */
static int drop_repeats(const struct bpffs_info *info, struct bpffs_keys *keys)
{
	u32 size = keys->key_size;
	u64 n, kept = 0;
	u8 *sorted;

	if (bpffs_map_can(info, BPFFS_IS_TRIE))
		for (n = 0; n < keys->count; n++)
			bpffs_clear_host_bits(keys->keys + n * size, size);
	if (!keys->count)
		return 0;
	sorted = malloc(keys->count * size);
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, keys->keys, keys->count * size);
	qsort_r(sorted, keys->count, size, compare, &size);
	if (has_repeats(sorted, keys->count, size)) {
		for (n = 0; n < keys->count; n++)
			if (!n || memcmp(sorted + (n - 1) * size, sorted + n * size, size))
				memcpy(keys->keys + kept++ * size, sorted + n * size, size);
		keys->count = kept;
	}
	free(sorted);
	return 0;
}

struct bpffs_keys *bpffs_keys_get(const struct bpffs_info *info)
{
	const struct map *map = &object_of(info)->map;
	struct bpffs_keys *keys = calloc(1, sizeof(*keys));
	int err;

	if (!keys)
		return ERR_PTR(-ENOMEM);
	keys->key_size = map->key_size;
	if (bpffs_map_can(info, BPFFS_BY_INDEX))
		err = take_by_index(info, keys);
	else if (bpffs_map_can(info, BPFFS_IS_TRIE) || !bpffs_map_can(info, BPFFS_BY_NEXT_KEY))
		err = take_by_batch(map, keys);
	else
		err = take_by_next(info, keys);
	if (!err && bpffs_map_can(info, BPFFS_BY_NEXT_KEY))
		err = drop_repeats(info, keys);
	if (!err)
		return keys;
	bpffs_keys_free(keys);
	return ERR_PTR(err);
}
