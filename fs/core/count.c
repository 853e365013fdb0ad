// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How many elements a map has; and what an LRU map gave up for those it was given. */
#include "key.h"

/* Of an array of maps, the slots that are not empty. Return: 0, -EINTR, or as bpffs_map_has(). */
static int count_slots(const struct bpffs_info *info, u64 *count)
{
	u32 index;
	int there;

	*count = 0;
	for (index = 0; index < info->max_entries; index++) {
		there = bpffs_map_has(info, &index);
		if (there < 0)
			return there;
		*count += there;
		if (!bpffs_go_on())
			return -EINTR;
	}
	return 0;
}

/**
 * bpffs_count - how many keys are listed: as the kernel counts them, or by a walk
 * @info: of a map that can list
 * @count: filled
 *
 * Return: 0, or an errno of bpffs_keys_get() or bpffs_map_has().
 */
int bpffs_count(const struct bpffs_info *info, u64 *count)
{
	struct bpffs_keys *keys;

	if (bpffs_map_count(info, count))
		return 0;
	if (bpffs_map_can(info, BPFFS_BY_INDEX))
		return count_slots(info, count);
	keys = bpffs_keys_get(info);
	if (IS_ERR(keys))
		return PTR_ERR(keys);
	*count = bpffs_keys_count(keys);
	bpffs_keys_free(keys);
	return 0;
}

/**
 * bpffs_count_free - how many elements can still be made, for statfs(2); never a walk
 * @info: of the mount
 * @free: filled, but for: false
 *
 * What cannot be full shows none: no monitor shall call an array or an LRU list full.
 */
bool bpffs_count_free(const struct bpffs_info *info, u64 *free)
{
	u64 count;

	if (bpffs_map_can(info, BPFFS_IS_ARRAY | BPFFS_EVICTS) || !bpffs_map_count(info, &count))
		return false;
	*free = info->max_entries - count;
	return true;
}

/**
 * bpffs_evictions_expect - an element is about to be stored
 * @evictions: zeroed before the first
 * @info: of the mount
 * @key: of the element
 *
 * Return: 0, 1 if it will be a new one in a map that evicts; or an errno.
 */
int bpffs_evictions_expect(struct bpffs_evictions *evictions,
			   const struct bpffs_info *info, const void *key)
{
	int there, err;

	if (!bpffs_map_can(info, BPFFS_EVICTS))
		return 0;
	there = bpffs_map_has(info, key);
	if (there)
		return there < 0 ? there : 0;
	if (!evictions->created) {
		err = bpffs_count(info, &evictions->before);
		if (err)
			return err;
	}
	evictions->created++;
	return 1;
}

/**
 * bpffs_evictions_check - are there as many elements as there ought to be?
 * @evictions: since bpffs_evictions_expect() was called for the first of them
 * @info: of the mount
 * @file: what was written, for the sentence
 *
 * Return: 0; -ENOSPC: fewer, as the map made room, or as others deleted some.
 */
int bpffs_evictions_check(struct bpffs_evictions *evictions, struct bpffs_info *info,
			  const char *file)
{
	u64 expected = evictions->before + evictions->created, count;
	int err;

	if (!evictions->created)
		return 0;
	evictions->created = 0;
	err = bpffs_count(info, &count);
	if (err || count >= expected)
		return err;
	bpffs_refuse(info, "%s: %llu elements are gone: the map evicts to make room; it has %llu",
		     file, expected - count, count);
	return -ENOSPC;
}
