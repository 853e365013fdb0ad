/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* All elements of a map at a moment, in memory. */
#ifndef LIBBPFFS_SAMPLE_H
#define LIBBPFFS_SAMPLE_H

#include "mounted-map.h"

/**
 * struct sample - the elements, a record each: the key, and the value as it is shown
 * @key_size: where in a record the value begins, a multiple of 8
 * @record_size: of all of it, likewise
 * @count: of elements
 * @room: for how many there is memory
 * @record: the bytes
 * @slot: of the hash table of keys: number of a record and 1
 * @slots: how many, a power of 2
 * @when: it was begun, in ns of CLOCK_MONOTONIC
 */
struct sample {
	size_t key_size;
	size_t record_size;
	size_t count;
	size_t room;
	char *record;
	u32 *slot;
	size_t slots;
	u64 when;
};

/* @sample: zero, or of the same map before, whose memory is used again */
enum status take_sample(struct sample *sample, struct map *map);
void free_sample(struct sample *sample);

static inline const void *sample_key(const struct sample *sample, size_t n)
{
	return sample->record + n * sample->record_size;
}

static inline const void *sample_value(const struct sample *sample, size_t n)
{
	return sample->record + n * sample->record_size + sample->key_size;
}

/* The value of @key, or NULL. */
const void *sample_find(const struct sample *sample, const struct map *map, const void *key);

/* Does it match a pattern of the shell, of those up to a NULL? */
bool is_one_of(const char *name, char **patterns);

/* Sleep until @interval ns after @sample was begun. */
void wait_after(const struct sample *sample, u64 interval);

#endif
