// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keys of short names. Such a name does not say all of its key, so the keys of the
 * map are looked through for the one that has it.
 *
 * What name a key has never changes: so keys that were seen with a short name are kept
 * as hints, for those who list a directory and then open its files. Whether the map has
 * the key is always asked of the map.
 */
#include <linux/hash.h>
#include <linux/list.h>

#include "bpffs.h"

/* Keys kept of one map, and bytes of them. */
#define LONGS_MAX	16384
#define LONGS_BYTES	SZ_8M
#define LONGS_BITS	10
#define LONGS_BUCKETS	BIT(LONGS_BITS)

struct long_key {
	struct hlist_node node;
	u64 hash;
	u8 key[];
};

/**
 * struct bpffs_longs - keys of short names
 * @lock: guards the rest
 * @count: of them
 * @bucket: by the hash in their names
 */
struct bpffs_longs {
	struct mutex lock; /* nothing is taken under it */
	unsigned int count;
	struct hlist_head bucket[LONGS_BUCKETS];
};

static void forget(struct bpffs_longs *longs)
{
	struct hlist_node *next;
	struct long_key *found;
	unsigned int i;

	for (i = 0; i < LONGS_BUCKETS; i++) {
		hlist_for_each_entry_safe(found, next, &longs->bucket[i], node)
			kfree(found);
		INIT_HLIST_HEAD(&longs->bucket[i]);
	}
	longs->count = 0;
}

void bpffs_longs_free(struct bpffs_longs *longs)
{
	if (!longs)
		return;
	forget(longs);
	mutex_destroy(&longs->lock);
	kvfree(longs);
}

static struct bpffs_longs *longs_of(struct bpffs_info *info)
{
	struct bpffs_longs *longs = READ_ONCE(bpffs_instance(info)->longs), *new;

	if (longs)
		return longs;
	new = kvzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	mutex_init(&new->lock);
	longs = cmpxchg(&bpffs_instance(info)->longs, NULL, new);
	if (!longs)
		return new;
	bpffs_longs_free(new);
	return longs;
}

/* Of digits of the hash that ends a short name. False: it is none. */
static bool hash_of(const char *name, size_t len, u64 *hash)
{
	u64 digits[2];

	if (!bpffs_name_is_short(name, len))
		return false;
	memcpy(digits, name + len - sizeof(digits), sizeof(digits));
	*hash = hash_64(digits[0], 64) ^ digits[1];
	return true;
}

static struct hlist_head *bucket_of(struct bpffs_longs *longs, u64 hash)
{
	return &longs->bucket[hash_64(hash, LONGS_BITS)];
}

static struct long_key *find(struct bpffs_longs *longs, u64 hash)
{
	struct long_key *found;

	hlist_for_each_entry(found, bucket_of(longs, hash), node)
		if (found->hash == hash)
			return found;
	return NULL;
}

static unsigned int longs_max(const struct bpffs_info *info)
{
	return min_t(u32, LONGS_MAX,
		     LONGS_BYTES / (sizeof(struct long_key) + bpffs_key_size(info)));
}

static void note(struct bpffs_info *info, u64 hash, const void *key, bool make_room)
{
	struct bpffs_longs *longs = longs_of(info);
	struct long_key *new;

	if (!longs)
		return;
	mutex_lock(&longs->lock);
	if (find(longs, hash) || (longs->count >= longs_max(info) && !make_room))
		goto out;
	new = kmalloc(struct_size(new, key, bpffs_key_size(info)),
		      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!new)
		goto out;
	if (longs->count >= longs_max(info))
		forget(longs);
	new->hash = hash;
	memcpy(new->key, key, bpffs_key_size(info));
	hlist_add_head(&new->node, bucket_of(longs, hash));
	longs->count++;
out:
	mutex_unlock(&longs->lock);
}

/**
 * bpffs_long_note - a key has been listed by a short name
 * @info: of the map
 * @name: of the key
 * @len: of @name
 * @key: the key
 *
 * Without memory it is forgotten. Context: may sleep.
 */
void bpffs_long_note(struct bpffs_info *info, const char *name, size_t len, const void *key)
{
	u64 hash;

	if (hash_of(name, len, &hash))
		note(info, hash, key, true);
}

/* Has the key this name? If it has another short one, that is noted. */
static bool has_name(struct bpffs_info *info, const void *key, const struct qstr *name)
{
	char its[BPFFS_NAME_MAX + 1] __uninitialized;
	u64 hash;
	int len;

	len = bpffs_name_encode(info->key, key, its);
	if (!hash_of(its, len, &hash))
		return false;
	note(info, hash, key, false);
	return len == name->len && !memcmp(its, name->name, len);
}

static bool is_noted(struct bpffs_info *info, const struct qstr *name, u64 hash, void *key)
{
	char its[BPFFS_NAME_MAX + 1] __uninitialized;
	struct bpffs_longs *longs = longs_of(info);
	struct long_key *found;
	bool is = false;

	if (!longs)
		return false;
	mutex_lock(&longs->lock);
	found = find(longs, hash);
	if (found) {
		memcpy(key, found->key, bpffs_key_size(info));
		is = bpffs_name_encode(info->key, key, its) == name->len &&
		     !memcmp(its, name->name, name->len);
	}
	mutex_unlock(&longs->lock);
	return is;
}

static int find_index(struct bpffs_info *info, const struct qstr *name, void *key)
{
	u32 index;

	for (index = 0; index < info->max_entries; index++) {
		if (!(index % 1024) && !bpffs_go_on())
			return -EINTR;
		if (!has_name(info, &index, name))
			continue;
		memcpy(key, &index, sizeof(index));
		return 0;
	}
	return -ENOENT;
}

static int find_key(struct bpffs_info *info, const struct qstr *name, void *key)
{
	struct bpffs_keys *keys = bpffs_keys_get(info);
	int err = -ENOENT;
	const u8 *found;
	u64 n = 0;
	u32 run;

	if (IS_ERR(keys))
		return PTR_ERR(keys);
	while (err == -ENOENT && (found = bpffs_keys_run(keys, n, &run))) {
		for (n += run; run && err; run--, found += bpffs_key_size(info)) {
			if (!has_name(info, found, name))
				continue;
			memcpy(key, found, bpffs_key_size(info));
			err = 0;
		}
		if (err && !bpffs_go_on())
			err = -EINTR;
	}
	bpffs_keys_free(keys);
	return err;
}

/**
 * bpffs_long_find - the key of a short name
 * @info: of the map, which has names
 * @name: any name
 * @key: filled
 *
 * All keys of the map are looked at, unless the name has been listed before.
 *
 * Context: as bpffs_keys_get().
 * Return: 0 (the map may not have it any more); -ENOENT: no key has this name;
 * -EINTR, -ENOMEM.
 */
int bpffs_long_find(struct bpffs_info *info, const struct qstr *name, void *key)
{
	u64 hash;

	if (!hash_of(name->name, name->len, &hash) || !bpffs_map_can(info, BPFFS_CAN_LIST) ||
	    bpffs_layout_name_max(info->key) <= BPFFS_NAME_MAX)
		return -ENOENT;
	if (is_noted(info, name, hash, key))
		return 0;
	return bpffs_map_can(info, BPFFS_BY_INDEX) ? find_index(info, name, key) :
						     find_key(info, name, key);
}
