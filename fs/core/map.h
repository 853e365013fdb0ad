/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a map can do: what is below core. The module has it by map->ops (fs/map.c,
 * in-place.c, batch.c, keys.c), user space by bpf(2), a unit test by a few lines of C; which
 * one is the linker's choice.
 *
 * Errors are those of a file system: -ENOSPC of a map that is full, -EPERM of one that
 * is frozen or whose descriptor is read-only, -EOPNOTSUPP of what its row does not have,
 * -EBUSY of a lock that is not to be had.
 */
#ifndef _BPFFS_MAP_H
#define _BPFFS_MAP_H

#include "info.h"

/* Flags of an update: BPF_ANY, BPF_NOEXIST, BPF_EXIST. */
enum bpffs_update {
	BPFFS_ANY,
	BPFFS_NOEXIST,
	BPFFS_EXIST,
};

/* Memory that serves for several updates; what it is, is private to the map. */
struct bpffs_scratch;

/* Can it be written? Not if it is frozen, or its descriptor read-only. */
bool bpffs_map_writable(const struct bpffs_info *info);

/* Is there such a key? Return: 1, 0, or an errno: it cannot be said. */
int bpffs_map_has(const struct bpffs_info *info, const void *key);

/*
 * Copy a value, of info->stored, to @value, which is zeroed: bytes of special fields
 * stay zero. An aligned word is whole, a value under a writer may not be. Return: 0,
 * -ENOENT, -EOPNOTSUPP.
 */
int bpffs_map_read(const struct bpffs_info *info, const void *key, void *value);

/*
 * Store a whole value, of info->stored. @flags are enum bpffs_update; @s is for several
 * updates, or NULL. Return: 0, -EPERM, -ENOENT, -EEXIST, -ENOSPC, -EOPNOTSUPP, -ENOMEM,
 * -EBUSY, -EINTR; -ESTALE: the element went meanwhile, and another key's may have got
 * the value; -EFAULT: the process changed its memory, the element may have changed.
 */
int bpffs_map_update(const struct bpffs_info *info, const void *key,
		     const void *value, u64 flags, struct bpffs_scratch *s);
/* The same, new or not, also of a type whose elements are else not written one by one. */
int bpffs_map_restore(const struct bpffs_info *info, const void *key,
		      const void *value, struct bpffs_scratch *s);

/* Return: 0, -ENOENT, -EPERM, -EOPNOTSUPP, -EBUSY, -ENOMEM, -EINTR. */
int bpffs_map_delete(const struct bpffs_info *info, const void *key);

/* The @i-th field of a value that is a lock's, timer's, pointer's; false behind the last. */
bool bpffs_map_special(const struct bpffs_info *info, u32 i, u32 *offset, u32 *size);
/* Would an update of an element destroy what its value owns? Locks are not such. */
bool bpffs_map_owns(const struct bpffs_info *info);

/*
 * The place of the first byte of a value, modulo 8; the same for all values of the map
 * and all copies. Return: 0, and as bpffs_map_store().
 */
int bpffs_map_place(const struct bpffs_info *info, const void *key, unsigned long *place);

/* Can be added to a number of one copy that is aligned? */
bool bpffs_map_can_add(const struct bpffs_info *info, const struct bpffs_leaf *leaf);

/**
 * struct bpffs_store - fields on their way into one copy of a value
 * @layout: of the copy
 * @parser: which of its leaves are fresh
 * @from: their bytes
 * @base: the number of the copy's first leaf in @parser
 * @next: the next fresh leaf there, U64_MAX if there is none
 * @is_rest: a sum's other copy: numbers become zero, and nothing is added
 */
struct bpffs_store {
	const struct bpffs_layout *layout;
	const struct bpffs_parser *parser;
	const void *from;
	u64 base;
	u64 next;
	bool is_rest;
};

enum bpffs_store_step {
	BPFFS_STORE_END,	/* there are no more */
	BPFFS_STORE_SKIP,
	BPFFS_STORE_SET,	/* its bytes are those at @from + leaf->offset */
	BPFFS_STORE_ADD,	/* these are to be added, wrapping at its width */
};

/* core/store.c: the next leaf, and what is to be done with it. Does not sleep. */
enum bpffs_store_step bpffs_store_step(struct bpffs_store *store, struct bpffs_leaf *leaf);

/*
 * Store leaves, by bpffs_store_step(), where copy @copy of a value lies, without touching
 * what lies beside them: at least one, not necessarily all. @counted: of a per-CPU map,
 * programs may be counting in that copy, and no count may be lost. With an error, what has
 * been taken may be stored, or some of it. Return: 0, -ENOENT, -EPERM, -EOPNOTSUPP; -ESTALE
 * as bpffs_map_update().
 */
int bpffs_map_store(const struct bpffs_info *info, const void *key, u32 copy,
		    bool counted, struct bpffs_store *store);

/* How many elements, if that is known without a walk. */
bool bpffs_map_count(const struct bpffs_info *info, u64 *count);

/* Queues and stacks. Return: 0, -ENOENT (it is empty), -ENOSPC, -EPERM, -EOPNOTSUPP. */
int bpffs_map_peek(const struct bpffs_info *info, void *value);
int bpffs_map_pop(const struct bpffs_info *info, void *value);
int bpffs_map_push(const struct bpffs_info *info, const void *value);

/**
 * struct bpffs_chunk - elements of a hash, as many at a time as is handy
 * @keys: of @count elements
 * @values: likewise, of bpffs_batch_value_bytes() each
 * @count: how many there are; 0 at the end
 * @capacity: the rest is the map's: how many there is room for
 * @token: where to go on
 * @at_end: there are no more
 * @scratch: the operation's
 *
 * Zeroed, it is the start. To be given to bpffs_chunk_free().
 */
struct bpffs_chunk {
	void *keys;
	void *values;
	u32 count;
	u32 capacity;
	u32 token;
	bool at_end;
	struct bpffs_scratch *scratch;
};

/* Can elements be had so? Else one by one, by their keys. */
bool bpffs_chunk_possible(const struct bpffs_info *info);
/*
 * The next elements; after an error there are none, and the next call goes on. Return: 0,
 * -EINTR, -EFBIG, -ENOMEM, -EFAULT, -EOPNOTSUPP.
 */
int bpffs_chunk_next(const struct bpffs_info *info, struct bpffs_chunk *chunk);
void bpffs_chunk_free(struct bpffs_chunk *chunk);

/**
 * struct bpffs_batch - a walk over all elements, a batch at a time
 * @token: where it goes on: the number of a bucket, or a key; of bpffs_token_bytes()
 * @started: is there a token?
 * @scratch: the operation's
 */
struct bpffs_batch {
	void *token;
	bool started;
	struct bpffs_scratch *scratch;
};

static inline u32 bpffs_token_bytes(const struct bpffs_info *info)
{
	return max_t(u32, info->key_size, sizeof(u32));
}

/*
 * The next elements, at most @capacity: keys to @keys, values, of
 * bpffs_batch_value_bytes() each, to @values. *@count are there, at least one but at the
 * end; behind them anything may be. Return: 0, 1 at the end; -ENOSPC: a bucket has more
 * than @capacity, -EINTR: of both, nothing is lost; other errors, of which elements may be.
 */
int bpffs_batch_next(const struct bpffs_info *info, struct bpffs_batch *batch,
		     void __user *keys, void __user *values, u32 capacity, u32 *count);

/**
 * struct bpffs_room - memory for a batch that the reader has no room for
 * @at: where it is; what is there is had by copy_from_user()
 * @bytes: of it
 * @scratch: the operation's
 */
struct bpffs_room {
	void __user *at;
	size_t bytes;
	struct bpffs_scratch *scratch;
};

/* For keys and values of @capacity elements. Return: 0, -EFBIG, -ENOMEM, -EINTR. */
int bpffs_room_begin(const struct bpffs_info *info, struct bpffs_room *room, u64 capacity);
void bpffs_room_end(struct bpffs_room *room);

/*
 * The keys of a map that is no array, at one moment. bpffs_keys_run() gives the @n-th,
 * with *@run of them from it on in a row, NULL behind the last.
 */
struct bpffs_keys;

struct bpffs_keys *bpffs_keys_get(const struct bpffs_info *info);
void bpffs_keys_free(struct bpffs_keys *keys);
u64 bpffs_keys_count(const struct bpffs_keys *keys);
const void *bpffs_keys_run(const struct bpffs_keys *keys, u64 n, u32 *run);
const void *bpffs_keys_at(const struct bpffs_keys *keys, u64 n);

#endif
