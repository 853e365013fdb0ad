// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What a map can do, as core asks it (core/map.h), by bpf(2). */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "ahead.h"
#include "object.h"

/* The header of a block of .bpf/raw, and what aligns its keys and values. */
#define ROOM_REST		64

/* Of a table, an element takes at most this much memory, or comes by itself. */
#define CHUNK_ELEMENT_MAX	(256 * 1024)

bool bpffs_map_writable(const struct bpffs_info *info)
{
	return !map_check_writable(&object_of(info)->map);
}

int bpffs_map_has(const struct bpffs_info *info, const void *key)
{
	const struct map *map = &object_of(info)->map;

	return bpffs_map_can(info, BPFFS_IS_SET) ? map_maybe_has(map, key) : map_has(map, key);
}

/* bpf(2) packs what core has aligned to 8 bytes, where there is one copy only. */
int bpffs_map_read(const struct bpffs_info *info, const void *key, void *value)
{
	const struct map *map = &object_of(info)->map;
	int err;

	if (!bpffs_map_can(info, BPFFS_CAN_READ))
		return -EOPNOTSUPP;
	err = map_read(map, key, value);
	if (!err)
		map_clear_special(map, value, map->copies);
	return err;
}

/*
 * What is read and stored again: what others change in it meanwhile can be lost, but not what
 * another thread here does.
 */
static pthread_mutex_t rewrites = PTHREAD_MUTEX_INITIALIZER;

static int update(const struct bpffs_info *info, const void *key, const void *value, __u64 flags)
{
	static const __u64 bpf_flags[] = {
		[BPFFS_ANY] = BPF_ANY, [BPFFS_NOEXIST] = BPF_NOEXIST, [BPFFS_EXIST] = BPF_EXIST,
	};
	int err;

	pthread_mutex_lock(&rewrites);
	err = map_update(&object_of(info)->map, key, value, bpf_flags[flags]);
	pthread_mutex_unlock(&rewrites);
	return err;
}

int bpffs_map_update(const struct bpffs_info *info, const void *key, const void *value,
		     u64 flags, struct bpffs_scratch *s)
{
	(void)s;
	if (bpffs_map_can(info, BPFFS_IS_SET))
		return map_push(&object_of(info)->map, key);
	if (!bpffs_map_can(info, BPFFS_CAN_WRITE))
		return -EOPNOTSUPP;
	return update(info, key, value, flags);
}

int bpffs_map_restore(const struct bpffs_info *info, const void *key, const void *value,
		      struct bpffs_scratch *s)
{
	(void)s;
	return update(info, key, value, BPFFS_ANY);
}

int bpffs_map_delete(const struct bpffs_info *info, const void *key)
{
	if (!bpffs_map_can(info, BPFFS_CAN_DELETE))
		return -EOPNOTSUPP;
	return map_delete(&object_of(info)->map, key);
}

bool bpffs_map_special(const struct bpffs_info *info, u32 i, u32 *offset, u32 *size)
{
	const struct map *map = &object_of(info)->map;

	if (i >= map->specials)
		return false;
	*offset = map->special[i].offset;
	*size = map->special[i].size;
	return true;
}

bool bpffs_map_owns(const struct bpffs_info *info)
{
	return map_owns(&object_of(info)->map);
}

int bpffs_map_place(const struct bpffs_info *info, const void *key, unsigned long *place)
{
	int there = bpffs_map_has(info, key);

	if (there <= 0)
		return there ?: -ENOENT;
	*place = map_place(&object_of(info)->map);
	return 0;
}

/* --- Fields --- */

/* The bytes of a word as the program of place-prog.c takes it: the low ones. */
static u8 *bytes_of(__u64 *word, u32 size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	(void)size;
	return (u8 *)word;
#else
	return (u8 *)(word + 1) - size;
#endif
}

/* The word of 4 bytes or 8 that the unit is in. Is it aligned, and part of the value? */
static bool word_of(const struct map *map, const struct bpffs_leaf *leaf,
		    struct map_field *word)
{
	word->size = leaf->size == 8 ? 8 : 4;
	word->offset = leaf->offset - leaf->offset % word->size;
	return !(map_place(map) % word->size) &&
	       leaf->offset + leaf->size <= word->offset + word->size &&
	       word->offset + word->size <= map->value_size;
}

/* Without the program, the value is read and updated as a whole. */
bool bpffs_map_can_add(const struct bpffs_info *info, const struct bpffs_leaf *leaf)
{
	const struct map *map = &object_of(info)->map;
	struct map_field word;

	return !map->place || word_of(map, leaf, &word);
}

/*
 * By compare and exchange, of the word that the unit is in: whoever else changes the word
 * meanwhile is not lost. -EOPNOTSUPP: it is in none.
 */
static int exchange(const struct bpffs_info *info, const void *key, u32 copy, bool counted,
		    const struct bpffs_leaf *leaf, const void *from, bool add)
{
	const struct map *map = &object_of(info)->map;
	struct map_field field = { .copy = copy };
	__u64 old = 0, was, word;
	int err;

	if (!word_of(map, leaf, &field))
		return -EOPNOTSUPP;
	do {
		word = old;
		bpffs_unit_change(leaf, bytes_of(&word, field.size) + leaf->offset - field.offset,
				  from, add);
		was = old;
		err = map_exchange(map, key, &field, &old, word, counted);
	} while (!err && old != was);
	return err;
}

/* Where it cannot be exchanged. */
static int store_byte(const struct bpffs_info *info, const void *key, u32 copy, bool counted,
		      const struct bpffs_leaf *byte, const void *from)
{
	const struct map_field field = { copy, byte->offset, 1 };
	const struct map *map = &object_of(info)->map;
	u8 *value, *to;
	int err;

	err = exchange(info, key, copy, counted, byte, from, false);
	if (err != -EOPNOTSUPP)
		return err;
	value = calloc(1, map_value_bytes(map));
	pthread_mutex_lock(&rewrites);
	err = value ? map_read(map, key, value) : -ENOMEM;
	if (!err) {
		to = value + (size_t)copy * map->stride + byte->offset;
		bpffs_unit_change(byte, to, from, false);
		err = map_store(map, key, &field, to);
	}
	pthread_mutex_unlock(&rewrites);
	free(value);
	return err;
}

static int store_bits(const struct bpffs_info *info, const void *key, u32 copy, bool counted,
		      const struct bpffs_leaf *leaf, const void *from)
{
	struct bpffs_leaf byte;
	int err;
	u32 i;

	err = exchange(info, key, copy, counted, leaf, from, false);
	if (err != -EOPNOTSUPP)
		return err;
	for (i = 0, err = 0; i < leaf->size && !err; i++)
		if (bpffs_bits_of_byte(leaf, i, &byte))
			err = store_byte(info, key, copy, counted, &byte, from + i);
	return err;
}

static int store_leaf(const struct bpffs_info *info, const void *key, u32 copy, bool counted,
		      const struct bpffs_leaf *leaf, const void *from, bool add)
{
	const struct map_field field = { copy, leaf->offset, leaf->size };

	if (add)
		return exchange(info, key, copy, counted, leaf, from, true);
	if (leaf->width)
		return store_bits(info, key, copy, counted, leaf, from);
	return map_store(&object_of(info)->map, key, &field, from);
}

/* Without the program: the whole is read and updated, which can lose what others store. */
static int store_by_update(const struct bpffs_info *info, const void *key, u32 copy,
			   struct bpffs_store *store)
{
	const struct map *map = &object_of(info)->map;
	const u64 first = store->next;
	enum bpffs_store_step step;
	struct bpffs_leaf leaf;
	char *value;
	int err;

	value = calloc(1, map_value_bytes(map));
	if (!value)
		return -ENOMEM;
	pthread_mutex_lock(&rewrites);
	err = map_read(map, key, value);
	while (!err && (step = bpffs_store_step(store, &leaf)) != BPFFS_STORE_END) {
		char *to = value + copy * map->stride + leaf.offset;
		const void *from = store->from + leaf.offset;

		if (step == BPFFS_STORE_ADD || (step == BPFFS_STORE_SET && leaf.width))
			bpffs_unit_change(&leaf, (u8 *)to, from, step == BPFFS_STORE_ADD);
		else if (step == BPFFS_STORE_SET)
			memcpy(to, from, leaf.size);
	}
	if (!err)
		err = map_update(map, key, value, BPF_EXIST);
	pthread_mutex_unlock(&rewrites);
	/* Then nothing has been stored. */
	if (err)
		store->next = first;
	free(value);
	return err;
}

int bpffs_map_store(const struct bpffs_info *info, const void *key, u32 copy, bool counted,
		    struct bpffs_store *store)
{
	const struct map *map = &object_of(info)->map;
	enum bpffs_store_step step;
	struct bpffs_leaf leaf;
	int err = 0;
	u64 at;

	if (!map->place)
		return bpffs_map_owns(info) ? -EOPNOTSUPP :
					      store_by_update(info, key, copy, store);
	do {
		at = store->next;
		step = bpffs_store_step(store, &leaf);
		if (step == BPFFS_STORE_SET || step == BPFFS_STORE_ADD)
			err = store_leaf(info, key, copy, counted, &leaf,
					 store->from + leaf.offset, step == BPFFS_STORE_ADD);
	} while (!err && step != BPFFS_STORE_END);
	/* It was frozen before that leaf, of which nothing is stored then. */
	if (err == -EPERM)
		store->next = at;
	return err;
}

bool bpffs_map_count(const struct bpffs_info *info, u64 *count)
{
	__u64 counted;

	*count = info->max_entries;
	if (bpffs_map_can(info, BPFFS_IS_ARRAY))
		return true;
	if (!map_count(&object_of(info)->map, &counted))
		return false;
	*count = counted;
	return true;
}

/* --- Queues and stacks --- */

int bpffs_map_peek(const struct bpffs_info *info, void *value)
{
	return map_peek(&object_of(info)->map, value);
}

int bpffs_map_pop(const struct bpffs_info *info, void *value)
{
	return map_pop(&object_of(info)->map, value);
}

int bpffs_map_push(const struct bpffs_info *info, const void *value)
{
	return map_push(&object_of(info)->map, value);
}

/* --- Many elements --- */

/**
 * struct bpffs_scratch - a walk in batches, of which the next may be fetched ahead
 * @job: to fetch it
 * @begun: that has been given to the other thread
 * @map: the object's
 * @walk: where it is, and the memory of the next batch; the chunk has another one's
 * @err: of the next one
 */
struct bpffs_scratch {
	struct ahead_job job;
	bool begun;
	const struct map *map;
	struct map_batch walk;
	int err;
};

static void fetch(struct ahead_job *job)
{
	struct bpffs_scratch *s = (struct bpffs_scratch *)job;

	s->walk.count = 0;
	s->err = 0;
	while (!s->err && !s->walk.at_end && !s->walk.count)
		s->err = map_batch_next(s->map, &s->walk);
}

/* A trie's would give elements of which the keys have gone, and others twice. */
bool bpffs_chunk_possible(const struct bpffs_info *info)
{
	return bpffs_map_can(info, BPFFS_CAN_STREAM) &&
	       !bpffs_map_can(info, BPFFS_BY_NEXT_KEY) && !bpffs_map_owns(info) &&
	       info->key_size + bpffs_batch_value_bytes(info) <= CHUNK_ELEMENT_MAX;
}

static struct bpffs_scratch *new_scratch(const struct bpffs_info *info)
{
	struct bpffs_scratch *s = calloc(1, sizeof(*s));

	if (s) {
		s->job.run = fetch;
		s->map = &object_of(info)->map;
	}
	return s;
}

/* What the reader has had is where the one after the next will be. */
static void swap_memory(struct map_batch *walk, struct bpffs_chunk *chunk)
{
	const struct map_batch next = *walk;

	walk->keys = chunk->keys;
	walk->values = chunk->values;
	walk->capacity = chunk->capacity;
	chunk->keys = next.keys;
	chunk->values = next.values;
	chunk->capacity = next.capacity;
}

int bpffs_chunk_next(const struct bpffs_info *info, struct bpffs_chunk *chunk)
{
	bool is_first = !chunk->scratch;
	struct bpffs_scratch *s;

	chunk->count = 0;
	if (is_first)
		chunk->scratch = new_scratch(info);
	s = chunk->scratch;
	if (!s)
		return -ENOMEM;
	if (s->begun)
		ahead_wait(&s->job);
	else
		fetch(&s->job);
	s->begun = false;
	if (s->err)
		return s->err;
	swap_memory(&s->walk, chunk);
	chunk->count = s->walk.count;
	chunk->at_end = s->walk.at_end;
	map_clear_special(s->map, chunk->values, chunk->count * s->map->copies);
	/* Who has come so far wants more; not who reads the first lines of a table. */
	if (!is_first && !chunk->at_end)
		s->begun = ahead_begin(&s->job);
	return 0;
}

void bpffs_chunk_free(struct bpffs_chunk *chunk)
{
	struct bpffs_scratch *s = chunk->scratch;

	if (s && s->begun)
		ahead_wait(&s->job);
	if (s)
		map_batch_free(&s->walk);
	free(s);
	free(chunk->keys);
	free(chunk->values);
	memset(chunk, 0, sizeof(*chunk));
}

/* Straight to where the reader has it. */
int bpffs_batch_next(const struct bpffs_info *info, struct bpffs_batch *batch, void *keys,
		     void *values, u32 capacity, u32 *count)
{
	int err = 0;

	*count = 0;
	while (!err && !*count) {
		*count = capacity;
		err = map_batch_into(&object_of(info)->map, batch->started, batch->token, keys,
				     values, count);
		batch->started |= !err || err == -ENOENT;
	}
	map_clear_special(&object_of(info)->map, values, *count * object_of(info)->map.copies);
	return err == -ENOENT ? 1 : err;
}

int bpffs_room_begin(const struct bpffs_info *info, struct bpffs_room *room, u64 capacity)
{
	size_t each = info->key_size + bpffs_batch_value_bytes(info);

	/* Beside them, what a block has around them. */
	room->bytes = capacity * each + ROOM_REST;
	room->at = calloc(1, room->bytes);
	return room->at ? 0 : -ENOMEM;
}

void bpffs_room_end(struct bpffs_room *room)
{
	free(room->at);
}
