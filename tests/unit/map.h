/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A map that is a few lines of C, below core: see fs/core/map.h. */
#ifndef _UNIT_MAP_H
#define _UNIT_MAP_H

#include "element.h"
#include "key.h"
#include "object.h"

#define MAP_MAX		8
#define KEY_BYTES	16
#define VALUE_BYTES	4096

/* A layout of keys of 4 bytes, with long names if all but the first are 0. */
#define LONG_WORD							\
	"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"		\
	"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
#define LONG_KEY	"u8:u8{" LONG_WORD "=0}:u8{" LONG_WORD "=0}:u8{" LONG_WORD "=0}"

/**
 * struct map - the map, and what core knows of it
 * @there: is there an element? Of an array, always
 * @key: of each element
 * @value: in all its copies
 * @frozen: as bpf(2) makes it
 * @owns: an update would destroy a timer
 * @special: bytes of a lock or timer; none if @special_size is 0
 * @special_size: of them
 * @unaligned: values begin at an odd place
 * @adds_words: nothing can be added to numbers of less than 8 bytes
 * @bucket: elements of a bucket, of which a batch gives all or none; 0: 1
 * @batch_error: what the next batch or chunk returns
 * @has_error: why it cannot be said whether there is a key; 0: it can
 * @store_error: why nothing is stored, pushed or popped; 0: it is
 * @uncounted: how many elements there are is not known without a walk
 * @kind: what it is, if it is no map
 * @type: of that
 * @is_inner: an inner map
 * @described: what the kernel says of it
 * @link_info: and of a link; @link_err: or why not
 * @map_ids: of the maps that a program uses, up to a 0
 */
struct map {
	struct bpffs_info info;
	bool there[MAP_MAX];
	unsigned char key[MAP_MAX][KEY_BYTES];
	unsigned char value[MAP_MAX][VALUE_BYTES];
	bool frozen;
	bool owns;
	unsigned int special;
	unsigned int special_size;
	bool unaligned;
	bool adds_words;
	unsigned int bucket;
	int batch_error;
	int has_error;
	int store_error;
	bool uncounted;
	enum bpffs_kind kind;
	u32 type;
	bool is_inner;
	const char *described;
	unsigned char link_info[BPFFS_LINK_INFO_MAX];
	int link_err;
	u32 map_ids[4];
};

struct map *map_new(u32 type, const char *key, u32 key_size, const char *value,
		    u32 value_size, u32 cpus, bool sum);
void map_free(struct map *map);
int map_find(const struct map *map, const void *key);
int map_elements(const struct map *map);

/*
 * The @fail_alloc-th allocation from now on fails; the @fail_copy-th byte of a reader or
 * writer is not there; the @stop-th time that core asks, and from then on, whoever wants it
 * is being killed. 0: never. @allocated: not yet freed. @at_turn: called whenever core asks
 * that.
 */
extern unsigned long fail_alloc, fail_copy, stop;
extern bool has_failed, has_stopped;
extern long allocated;
extern void (*at_turn)(void);

#endif
