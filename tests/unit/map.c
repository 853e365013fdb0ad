// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A map that is a few lines of C, below core; and its allocator and interrupter. */
#include <stdlib.h>
#include <string.h>

#include "map.h"

unsigned long fail_alloc, fail_copy, stop;
bool has_failed, has_stopped;
long allocated;
void (*at_turn)(void);

void *bpffs_zalloc(size_t size)
{
	if (fail_alloc && !--fail_alloc) {
		has_failed = true;
		return NULL;
	}
	allocated++;
	return calloc(1, size);
}

void bpffs_free(void *p)
{
	if (p)
		allocated--;
	free(p);
}

size_t bpffs_copied(size_t len)
{
	if (fail_copy > len) {
		fail_copy -= len;
	} else if (fail_copy) {
		len = fail_copy - 1;
		fail_copy = 0;
		has_failed = true;
	}
	return len;
}

bool bpffs_killed(void)
{
	return has_stopped;
}

bool bpffs_go_on(void)
{
	if (at_turn)
		at_turn();
	if (stop && !--stop)
		has_stopped = true;
	return !has_stopped;
}

static struct map *map_of(const struct bpffs_info *info)
{
	return (struct map *)((char *)info - offsetof(struct map, info));
}

struct map *map_new(u32 type, const char *key, u32 key_size, const char *value,
		    u32 value_size, u32 cpus, bool sum)
{
	static const u32 numbers[] = { 0, 2, 5, 7 };
	struct map *map = calloc(1, sizeof(*map));
	struct bpffs_info *info = &map->info;
	struct bpffs_reason why = {};
	u32 i;

	map->kind = BPFFS_MAP;
	info->can = bpffs_type_can(type);
	info->map_type = type;
	info->key_size = key_size;
	info->value_size = value_size;
	info->max_entries = MAP_MAX / 2;
	info->mode = 0600;
	info->sum = sum;
	bpffs_errors_init(&info->errors);
	bpffs_shorts_init(&info->shorts);
	if ((key && bpffs_layout_compile(&info->key, key, strlen(key), key_size, BPFFS_KEY,
					 &why)) ||
	    (value && bpffs_layout_compile(&info->value, value, strlen(value), value_size,
					   BPFFS_VALUE, &why))) {
		printf("# layout: %s\n", why.text);
		abort();
	}
	info->stored.layout = info->value;
	info->stored.copies = cpus ? cpus : 1;
	info->stored.cpus = cpus ? numbers : NULL;
	info->stored.stride = (value_size + 7) / 8 * 8;
	info->stored.separator = '\n';
	info->shape = info->stored;
	if (sum) {
		info->shape.copies = 1;
		info->shape.cpus = NULL;
	}
	for (i = 0; bpffs_map_can(info, BPFFS_IS_ARRAY) && i < info->max_entries; i++) {
		map->there[i] = true;
		memcpy(map->key[i], &i, sizeof(i));
	}
	return map;
}

void map_free(struct map *map)
{
	bpffs_layout_release(map->info.key);
	bpffs_layout_release(map->info.value);
	bpffs_errors_free(&map->info.errors);
	bpffs_shorts_free(&map->info.shorts);
	free(map);
}

int map_find(const struct map *map, const void *key)
{
	int i;

	for (i = 0; i < MAP_MAX; i++)
		if (map->there[i] && !memcmp(map->key[i], key, map->info.key_size))
			return i;
	return -1;
}

int map_elements(const struct map *map)
{
	int i, n = 0;

	for (i = 0; i < MAP_MAX; i++)
		n += map->there[i];
	return n;
}

int bpffs_map_has(const struct bpffs_info *info, const void *key)
{
	return map_of(info)->has_error ?: map_find(map_of(info), key) >= 0;
}

int bpffs_map_read(const struct bpffs_info *info, const void *key, void *value)
{
	struct map *map = map_of(info);
	int i = map_find(map, key);

	if (!bpffs_map_can(info, BPFFS_CAN_READ))
		return -EOPNOTSUPP;
	if (i < 0)
		return -ENOENT;
	memcpy(value, map->value[i], bpffs_shape_bytes(&info->stored));
	return 0;
}

int bpffs_map_restore(const struct bpffs_info *info, const void *key, const void *value,
		      struct bpffs_scratch *s)
{
	struct map *map = map_of(info);
	int i = map_find(map, key);

	if (map->store_error)
		return map->store_error;
	if (map->frozen)
		return -EPERM;
	if (i < 0) {
		for (i = 0; map->there[i]; i++)
			;
		if (map_elements(map) == (int)info->max_entries) {
			if (!bpffs_map_can(info, BPFFS_EVICTS))
				return -ENOSPC;
			i = 0;
		}
		map->there[i] = true;
		memcpy(map->key[i], key, info->key_size);
	}
	memcpy(map->value[i], value, bpffs_shape_bytes(&info->stored));
	return 0;
}

int bpffs_map_update(const struct bpffs_info *info, const void *key, const void *value,
		     u64 flags, struct bpffs_scratch *s)
{
	bool has = bpffs_map_has(info, key);

	if (!bpffs_map_can(info, BPFFS_CAN_WRITE | BPFFS_IS_SET))
		return -EOPNOTSUPP;
	if (flags == BPFFS_NOEXIST && has)
		return -EEXIST;
	if (flags == BPFFS_EXIST && !has)
		return -ENOENT;
	return bpffs_map_restore(info, key, value, s);
}

int bpffs_map_delete(const struct bpffs_info *info, const void *key)
{
	struct map *map = map_of(info);
	int i = map_find(map, key);

	if (map->frozen)
		return -EPERM;
	if (i < 0)
		return -ENOENT;
	map->there[i] = false;
	return 0;
}

bool bpffs_map_special(const struct bpffs_info *info, u32 i, u32 *offset, u32 *size)
{
	*offset = map_of(info)->special;
	*size = map_of(info)->special_size;
	return !i && *size;
}

bool bpffs_map_owns(const struct bpffs_info *info)
{
	return map_of(info)->owns;
}

int bpffs_map_place(const struct bpffs_info *info, const void *key, unsigned long *place)
{
	*place = map_of(info)->unaligned;
	if (bpffs_map_has(info, key) <= 0)
		return -ENOENT;
	return map_of(info)->frozen ? -EPERM : 0;
}

bool bpffs_map_can_add(const struct bpffs_info *info, const struct bpffs_leaf *leaf)
{
	return !map_of(info)->adds_words || leaf->size == 8;
}

static u64 get_unit(const unsigned char *at, const struct bpffs_leaf *leaf)
{
	u64 number = 0;
	u32 i;

	for (i = 0; i < leaf->size; i++)
		number |= (u64)at[leaf->big_endian ? leaf->size - 1 - i : i] << 8 * i;
	return number;
}

static void put_unit(unsigned char *at, const struct bpffs_leaf *leaf, u64 number)
{
	u32 i;

	for (i = 0; i < leaf->size; i++)
		at[leaf->big_endian ? leaf->size - 1 - i : i] = number >> 8 * i;
}

static void store_leaf(unsigned char *value, const unsigned char *from,
		       const struct bpffs_leaf *leaf, bool add)
{
	u64 mask = leaf->width ? (leaf->width == 64 ? ~0ULL : (1ULL << leaf->width) - 1) : ~0ULL;
	u64 is, given;

	value += leaf->offset;
	from += leaf->offset;
	if (!leaf->width && !add) {
		memcpy(value, from, leaf->size);
		return;
	}
	mask <<= leaf->bit;
	is = get_unit(value, leaf);
	given = get_unit(from, leaf) & mask;
	put_unit(value, leaf, (is & ~mask) | ((add ? is + given : given) & mask));
}

/* One leaf a call, so that core has to come again. */
int bpffs_map_store(const struct bpffs_info *info, const void *key, u32 copy, bool counted,
		    struct bpffs_store *store)
{
	struct map *map = map_of(info);
	int i = map_find(map, key);
	enum bpffs_store_step step;
	struct bpffs_leaf leaf;

	if (map->store_error)
		return map->store_error;
	if (map->frozen)
		return -EPERM;
	if (i < 0)
		return -ENOENT;
	step = bpffs_store_step(store, &leaf);
	if (step == BPFFS_STORE_SET || step == BPFFS_STORE_ADD)
		store_leaf(map->value[i] + copy * info->stored.stride, store->from, &leaf,
			   step == BPFFS_STORE_ADD);
	return 0;
}

bool bpffs_map_count(const struct bpffs_info *info, u64 *count)
{
	*count = map_elements(map_of(info));
	return !bpffs_map_can(info, BPFFS_OF_MAPS) && !map_of(info)->uncounted;
}

bool bpffs_map_writable(const struct bpffs_info *info)
{
	return !map_of(info)->frozen;
}

bool bpffs_chunk_possible(const struct bpffs_info *info)
{
	return info->map_type == BPFFS_TYPE_HASH || info->map_type == BPFFS_TYPE_PERCPU_HASH;
}

/* Two elements a chunk. */
int bpffs_chunk_next(const struct bpffs_info *info, struct bpffs_chunk *chunk)
{
	u64 bytes = bpffs_batch_value_bytes(info);
	struct map *map = map_of(info);
	int err = map->batch_error;

	chunk->count = 0;
	map->batch_error = 0;
	if (err)
		return err;
	if (!chunk->keys)
		chunk->keys = bpffs_zalloc(2 * (info->key_size + bytes));
	if (!chunk->keys)
		return -ENOMEM;
	chunk->values = (char *)chunk->keys + 2 * info->key_size;
	for (; chunk->token < MAP_MAX && chunk->count < 2; chunk->token++) {
		if (!map->there[chunk->token])
			continue;
		memcpy((char *)chunk->keys + chunk->count * info->key_size,
		       map->key[chunk->token], info->key_size);
		memcpy((char *)chunk->values + chunk->count * bytes,
		       map->value[chunk->token], bytes);
		chunk->count++;
	}
	return 0;
}

void bpffs_chunk_free(struct bpffs_chunk *chunk)
{
	bpffs_free(chunk->keys);
	chunk->keys = NULL;
	chunk->count = 0;
}

/* What it does not give, it may yet have written to. */
int bpffs_batch_next(const struct bpffs_info *info, struct bpffs_batch *batch,
		     void *keys, void *values, u32 capacity, u32 *count)
{
	u64 bytes = bpffs_batch_value_bytes(info);
	struct map *map = map_of(info);
	u32 bucket = map->bucket ? map->bucket : 1, at = 0, n, i;
	int err = map->batch_error;

	*count = 0;
	map->batch_error = 0;
	if (err)
		return err;
	memset(keys, 0xee, (size_t)capacity * info->key_size);
	memset(values, 0xee, capacity * bytes);
	if (batch->started)
		memcpy(&at, batch->token, sizeof(at));
	for (; at < MAP_MAX; at += bucket) {
		for (n = 0, i = at; i < at + bucket && i < MAP_MAX; i++)
			n += map->there[i];
		if (*count + n > capacity)
			break;
		for (i = at; i < at + bucket && i < MAP_MAX; i++) {
			if (!map->there[i])
				continue;
			memcpy((char *)keys + *count * info->key_size, map->key[i],
			       info->key_size);
			memcpy((char *)values + *count * bytes, map->value[i], bytes);
			++*count;
		}
	}
	if (!*count && at < MAP_MAX)
		return -ENOSPC;
	memcpy(batch->token, &at, sizeof(at));
	batch->started = true;
	return at >= MAP_MAX;
}

int bpffs_room_begin(const struct bpffs_info *info, struct bpffs_room *room, u64 capacity)
{
	room->bytes = capacity * (info->key_size + bpffs_batch_value_bytes(info)) + 24;
	room->at = bpffs_zalloc(room->bytes);
	return room->at ? 0 : -ENOMEM;
}

void bpffs_room_end(struct bpffs_room *room)
{
	bpffs_free(room->at);
}

struct bpffs_keys {
	u64 count;
	u32 key_size;
	unsigned char key[MAP_MAX][KEY_BYTES];
};

struct bpffs_keys *bpffs_keys_get(const struct bpffs_info *info)
{
	struct bpffs_keys *keys = bpffs_zalloc(sizeof(*keys));
	struct map *map = map_of(info);
	int i;

	if (!keys)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < MAP_MAX; i++)
		if (map->there[i])
			memcpy(keys->key[keys->count++], map->key[i], KEY_BYTES);
	return keys;
}

void bpffs_keys_free(struct bpffs_keys *keys)
{
	bpffs_free(keys);
}

u64 bpffs_keys_count(const struct bpffs_keys *keys)
{
	return keys->count;
}

const void *bpffs_keys_run(const struct bpffs_keys *keys, u64 n, u32 *run)
{
	*run = 1;
	return n < keys->count ? keys->key[n] : NULL;
}

const void *bpffs_keys_at(const struct bpffs_keys *keys, u64 n)
{
	u32 run;

	return bpffs_keys_run(keys, n, &run);
}

/* A queue: values from the front on. */
int bpffs_map_peek(const struct bpffs_info *info, void *value)
{
	struct map *map = map_of(info);

	if (!map->there[0])
		return -ENOENT;
	memcpy(value, map->value[0], info->value_size);
	return 0;
}

int bpffs_map_pop(const struct bpffs_info *info, void *value)
{
	struct map *map = map_of(info);
	int err = map->store_error ?: map->frozen ? -EPERM : bpffs_map_peek(info, value);

	if (err)
		return err;
	memmove(map->there, map->there + 1, (MAP_MAX - 1) * sizeof(map->there[0]));
	memmove(map->value, map->value + 1, (MAP_MAX - 1) * sizeof(map->value[0]));
	return 0;
}

int bpffs_map_push(const struct bpffs_info *info, const void *value)
{
	struct map *map = map_of(info);
	u32 n = map_elements(map);

	if (map->store_error)
		return map->store_error;
	if (map->frozen)
		return -EPERM;
	if (n == info->max_entries)
		return -ENOSPC;
	map->there[n] = true;
	memcpy(map->value[n], value, info->value_size);
	return 0;
}

/* --- The object --- */

enum bpffs_kind bpffs_object_kind(const struct bpffs_info *info)
{
	return map_of(info)->kind;
}

bool bpffs_object_serves(const struct bpffs_info *info, enum bpffs_attr_file file)
{
	return !map_of(info)->is_inner && file != BPFFS_ATTR_PIN;
}

u32 bpffs_object_id(const struct bpffs_info *info)
{
	return 7;
}

u32 bpffs_object_type(const struct bpffs_info *info)
{
	return map_of(info)->kind == BPFFS_MAP ? info->map_type : map_of(info)->type;
}

const char *bpffs_object_name(const struct bpffs_info *info)
{
	return "conns";
}

bool bpffs_object_frozen(const struct bpffs_info *info)
{
	return map_of(info)->frozen;
}

int bpffs_object_describe(const struct bpffs_info *info, struct seq_file *seq)
{
	if (!map_of(info)->described)
		return -ENFILE;
	seq_puts(seq, map_of(info)->described);
	return 0;
}

bool bpffs_object_map_id(const struct bpffs_info *info, u32 n, u32 *id)
{
	*id = map_of(info)->map_ids[n];
	return *id;
}

bool bpffs_object_has_link_info(const struct bpffs_info *info)
{
	return map_of(info)->link_err != -ENOSYS;
}

int bpffs_object_link_info(const struct bpffs_info *info, void *bytes)
{
	memcpy(bytes, map_of(info)->link_info, BPFFS_LINK_INFO_MAX);
	return map_of(info)->link_err;
}
