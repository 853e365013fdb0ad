// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The keys of short names. Such a name does not say all of its key, so the keys of the
 * map are looked through for the one that has it.
 *
 * What name a key has never changes: so keys that were seen with a short name are kept
 * as hints, for those who list a directory and then open its files. Whether the map has
 * the key is always asked of the map.
 */
#include "key.h"

/* Keys kept of one map, and bytes of them. */
#define SHORTS_MAX	16384
#define SHORTS_BYTES	(8U << 20)
#define SHORTS_BITS	10
#define SHORTS_LISTS	1024	/* numbers of SHORTS_BITS */

struct bpffs_short {
	struct bpffs_short *next;
	u64 hash;
	u8 key[];
};

static void forget(struct bpffs_shorts *shorts)
{
	struct bpffs_short *next;
	unsigned int i;

	for (i = 0; i < SHORTS_LISTS; i++)
		for (; shorts->list[i]; shorts->list[i] = next) {
			next = shorts->list[i]->next;
			bpffs_free(shorts->list[i]);
		}
	shorts->count = 0;
}

void bpffs_shorts_init(struct bpffs_shorts *shorts)
{
	mutex_init(&shorts->lock);
}

void bpffs_shorts_free(struct bpffs_shorts *shorts)
{
	if (shorts->list)
		forget(shorts);
	bpffs_free(shorts->list);
	mutex_destroy(&shorts->lock);
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

static struct bpffs_short **list_of(const struct bpffs_shorts *shorts, u64 hash)
{
	return &shorts->list[hash_64(hash, SHORTS_BITS)];
}

static struct bpffs_short *find(const struct bpffs_shorts *shorts, u64 hash)
{
	struct bpffs_short *found = shorts->list ? *list_of(shorts, hash) : NULL;

	while (found && found->hash != hash)
		found = found->next;
	return found;
}

static unsigned int shorts_max(const struct bpffs_info *info)
{
	return min_t(u32, SHORTS_MAX,
		     SHORTS_BYTES / (sizeof(struct bpffs_short) + bpffs_key_size(info)));
}

/* Under the lock. Without memory, nothing is kept. */
static void add(struct bpffs_info *info, u64 hash, const void *key)
{
	struct bpffs_shorts *shorts = &info->shorts;
	struct bpffs_short *new, **list;

	if (!shorts->list)
		shorts->list = bpffs_zalloc(SHORTS_LISTS * sizeof(*shorts->list));
	if (!shorts->list)
		return;
	new = bpffs_zalloc(sizeof(*new) + bpffs_key_size(info));
	if (!new)
		return;
	if (shorts->count >= shorts_max(info))
		forget(shorts);
	new->hash = hash;
	memcpy(new->key, key, bpffs_key_size(info));
	list = list_of(shorts, hash);
	new->next = *list;
	*list = new;
	shorts->count++;
}

static void note(struct bpffs_info *info, u64 hash, const void *key, bool make_room)
{
	struct bpffs_shorts *shorts = &info->shorts;

	mutex_lock(&shorts->lock);
	if (!find(shorts, hash) && (make_room || shorts->count < shorts_max(info)))
		add(info, hash, key);
	mutex_unlock(&shorts->lock);
}

/**
 * bpffs_short_note - a key has been listed by a short name
 * @info: of the map
 * @name: of the key
 * @len: of @name
 * @key: the key
 *
 * Without memory it is forgotten. Context: may sleep.
 */
void bpffs_short_note(struct bpffs_info *info, const char *name, size_t len, const void *key)
{
	u64 hash;

	if (hash_of(name, len, &hash))
		note(info, hash, key, true);
}

/* Has the key this name? If it has another short one, that is noted. */
static bool has_name(struct bpffs_info *info, const void *key, const char *name, size_t len)
{
	char its[BPFFS_NAME_MAX + 1] __uninitialized;
	size_t its_len;
	u64 hash;

	its_len = bpffs_name_encode(info->key, key, its);
	if (!hash_of(its, its_len, &hash))
		return false;
	note(info, hash, key, false);
	return its_len == len && !memcmp(its, name, len);
}

static bool is_noted(struct bpffs_info *info, const char *name, size_t len, u64 hash, void *key)
{
	char its[BPFFS_NAME_MAX + 1] __uninitialized;
	struct bpffs_shorts *shorts = &info->shorts;
	struct bpffs_short *found;
	bool is = false;

	mutex_lock(&shorts->lock);
	found = find(shorts, hash);
	if (found) {
		memcpy(key, found->key, bpffs_key_size(info));
		is = (size_t)bpffs_name_encode(info->key, key, its) == len &&
		     !memcmp(its, name, len);
	}
	mutex_unlock(&shorts->lock);
	return is;
}

static int find_index(struct bpffs_info *info, const char *name, size_t len, void *key)
{
	u32 index;

	for (index = 0; index < info->max_entries; index++) {
		if (!(index % 1024) && !bpffs_go_on())
			return -EINTR;
		if (!has_name(info, &index, name, len))
			continue;
		memcpy(key, &index, sizeof(index));
		return 0;
	}
	return -ENOENT;
}

static int find_key(struct bpffs_info *info, const char *name, size_t len, void *key)
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
			if (!has_name(info, found, name, len))
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

/*
 * All keys of the map are looked at, unless the name has been listed before. Return: 0 (the
 * map may not have it any more), -ENOENT, -EINTR, -ENOMEM.
 */
static int find_short(struct bpffs_info *info, const char *name, size_t len, void *key)
{
	u64 hash;

	if (!hash_of(name, len, &hash) || !bpffs_map_can(info, BPFFS_CAN_LIST) ||
	    bpffs_layout_name_max(info->key) <= BPFFS_NAME_MAX)
		return -ENOENT;
	if (is_noted(info, name, len, hash, key))
		return 0;
	return bpffs_map_can(info, BPFFS_BY_INDEX) ? find_index(info, name, len, key) :
						     find_key(info, name, len, key);
}

/**
 * bpffs_file_to_key - the key that the name of a file names, which may be a short one
 * @info: of the map
 * @name: of the file, not NUL-terminated
 * @len: of @name
 * @key: as bpffs_name_to_key() has it
 *
 * Context: as bpffs_keys_get().
 * Return: as bpffs_name_to_key(), or -EINTR, and what else bpffs_keys_get() returns. The
 * map may not have the key.
 */
int bpffs_file_to_key(struct bpffs_info *info, const char *name, size_t len, void *key)
{
	int err;

	err = bpffs_name_to_key(info, name, len, key, NULL);
	if (err != -EINVAL || !bpffs_name_is_short(name, len))
		return err;
	err = find_short(info, name, len, key);
	return err == -ENOENT ? -EINVAL : err;
}
