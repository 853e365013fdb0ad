/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/*
 * What can be done with a map by bpf(2), and with one field of an element by a BPF
 * program. It knows how the kernel's operations behave, and nothing of names, texts or
 * permissions.
 *
 *	bpf-map.c	elements, one by one and in batches
 *	place.c		one field, stored where the element lies
 *	place-prog.c	the program that does it
 *	count.c		how many elements there are
 *	special.c	fields that are a lock's, timer's or pointer's
 *
 * Functions return 0 or a negative errno, in the words of a file system: -ENOSPC the
 * map is full, -EOPNOTSUPP it cannot do that, -EBUSY it has a lock that is taken just
 * now, -EPERM it is frozen or the descriptor may not. All but map_open() and map_close()
 * may be called by several threads at once, and need no privilege but where it is said.
 */
#ifndef BPFFS_FUSE_MAP_H
#define BPFFS_FUSE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "../lib/array-size.h"

struct place;

/**
 * struct map_special - a field that is a lock's, timer's or pointer's
 * @offset: in a value
 * @size: in bytes
 * @owns: an update of the value would destroy what it owns
 */
struct map_special {
	__u32 offset;
	__u32 size;
	bool owns;
};

/**
 * struct map - a map that is open
 * @fd: the caller's
 * @type: BPF_MAP_TYPE_*
 * @key_size: of a key
 * @value_size: of a value; of a per-CPU type, of one CPU's
 * @max_entries: as the kernel has it
 * @flags: it was made with
 * @id: of it
 * @cpus: the possible CPUs, ascending; of a per-CPU type, else NULL
 * @copies: how many there are; 1 of any other type
 * @stride: from a copy to the next
 * @special: fields of a value, by their offsets
 * @specials: how many they are
 * @place: to store single fields; NULL: that cannot be done
 * @count: the program that tells how many elements there are; -1: none does
 * @place_error: why, a negative errno; 0: of its type it never can
 */
struct map {
	int fd;
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 flags;
	__u32 id;
	const __u32 *cpus;
	__u32 copies;
	size_t stride;
	struct map_special *special;
	__u32 specials;
	struct place *place;
	int place_error;
	int count;
};

/*
 * Needs the privileges of bpf(2) for programs only for @place. @read_only: there is none,
 * and no file and no object is opened, but for types, if another map was open before.
 */
int map_open(struct map *map, int fd, bool read_only);
void map_close(struct map *map);

/* Bytes of a value in all its copies. */
static inline size_t map_value_bytes(const struct map *map)
{
	return map->copies * map->stride;
}

/* May it be written to, and is it not frozen? 0, -EPERM. */
int map_check_writable(const struct map *map);

/* special.c */
int map_find_special(struct map *map);
bool map_owns(const struct map *map);
/* Zeros for what they have in @count copies of a value, or values; not an address. */
void map_clear_special(const struct map *map, void *values, __u32 count);

/* count.c: false: the kernel does not tell, or not without a right that is not there. */
bool map_count(const struct map *map, __u64 *count);

/* --- One element --- */

/*
 * No key counts as used by these two. Is there one? 1 or 0; or a negative errno, as it
 * cannot be said.
 */
int map_has(const struct map *map, const void *key);
int map_read(const struct map *map, const void *key, void *value);

/*
 * @flags: BPF_ANY, BPF_NOEXIST, BPF_EXIST; of all CPUs. As one, but in an LRU map, where
 * what exists is written word by word, so that nothing is evicted for it.
 */
int map_update(const struct map *map, const void *key, const void *value, __u64 flags);
int map_delete(const struct map *map, const void *key);

/* A queue or stack; and push is that of a bloom filter, too. */
int map_peek(const struct map *map, void *value);
int map_pop(const struct map *map, void *value);
int map_push(const struct map *map, const void *value);

/* Has a bloom filter seen the value? As map_has(). */
int map_maybe_has(const struct map *map, const void *value);

/* Of a map of maps. Needs CAP_SYS_ADMIN. Returns a descriptor. */
int map_open_inner(const struct map *map, const void *key, bool read_only);

/* --- All elements --- */

/**
 * struct map_batch - elements of a map, some at a time; all zero at first
 * @keys: of the batch
 * @values: of them, as map_read() has them; of a map of maps, their ids
 * @count: of the batch
 * @capacity: of the memory
 * @token: where to go on
 * @begun: at the beginning, or not
 * @at_end: this batch was the last
 */
struct map_batch {
	void *keys;
	void *values;
	__u32 count;
	__u32 capacity;
	void *token;
	bool begun;
	bool at_end;
};

/**
 * map_batch_next() - the next elements
 * @map: of a type that has batches
 * @batch: freed by map_batch_free(), whatever is returned
 *
 * Of a hash, no key that stays is lost or doubled, whatever writers do. Of a trie, one
 * that is deleted just then may hide or double others.
 */
int map_batch_next(const struct map *map, struct map_batch *batch);
void map_batch_free(struct map_batch *batch);

/*
 * The same, into memory of the caller; of *@count, which becomes how many there are, with
 * -ENOENT too, at the end. -ENOSPC: the next bucket has more. @token: of a key, at least
 * 4 bytes, from the call before if it has @begun.
 */
int map_batch_into(const struct map *map, bool begun, void *token, void *keys, void *values,
		   __u32 *count);

/* The key after @key, or the first (NULL). -ENOENT: there is none. */
int map_next_key(const struct map *map, const void *key, void *next);

/* --- One field, where it lies; -ENOENT: there is no such element --- */

/* A field of one copy. */
struct map_field {
	__u32 copy;
	__u32 offset;
	__u32 size;
};

/**
 * map_store() - a field, or a string of bytes
 * @field: of 1, 2, 4 or 8 bytes and aligned, it is one store; else several
 *
 * Return: -ESTALE: the element was deleted or replaced meanwhile, and another key's may
 * have got it.
 */
int map_store(const struct map *map, const void *key, const struct map_field *field,
	      const void *bytes);

/**
 * map_exchange() - a unit of 4 or 8 bytes, if it is still what it was
 * @field: aligned, both in the value and in memory, as map_place() tells
 * @expected: its bytes as a number of the machine; when it returns 0, what they were
 * @bytes: what they are to be
 * @on_cpu: on the copy's own CPU, where no program is in the middle of changing it
 */
int map_exchange(const struct map *map, const void *key, const struct map_field *field,
		 __u64 *expected, __u64 bytes, bool on_cpu);

/* The address of a value, modulo 8. */
__u32 map_place(const struct map *map);

#endif
