/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What place.c and its program share. */
#ifndef BPFFS_FUSE_PLACE_H
#define BPFFS_FUSE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct bpf_insn;
struct map;
struct place;

/**
 * struct place_job - what the program is asked, in an array that both have in memory
 * @op: enum place_op
 * @cpu: of a per-CPU map, whose copy
 * @offset: of the field
 * @has_shorter: a trie's: @key is followed by the one that is shorter by a bit
 * @value: what is stored
 * @expected: of PLACE_EXCHANGE; then, what was there
 * @key: of key_size bytes, rounded up to 8; of a trie, both; then room for a value
 */
struct place_job {
	__u32 op;
	__u32 cpu;
	__u32 offset;
	__u32 has_shorter;
	__u64 value;
	__u64 expected;
	__u8 key[];
};

/* With the size of the field added: 1, 2, 4, 8; PLACE_EXCHANGE of 4, 8. */
enum place_op {
	PLACE_STORE	= 0x00,
	PLACE_EXCHANGE	= 0x10,
	PLACE_READ	= 0x20,		/* the value, behind the keys */
};

/* Where in a job. */
size_t place_shorter_at(const struct map *map);
size_t place_value_at(const struct map *map);
size_t place_job_size(const struct map *map);

/* Does a trie's program read whole values, too? */
bool place_reads(const struct map *map);

/* NULL: errno. */
struct place *place_open(const struct map *map);
void place_close(struct place *place);

/* A trie's value, of exactly this prefix. */
int place_read(const struct map *map, const void *key, void *value);

/* count.c: a descriptor, or a negative number */
int count_open(const struct map *map);

/* Returns a descriptor, or a negative errno. @jobs: of the array */
int place_load(const struct map *map, int jobs);
/* Likewise: for bpf_prog_test_run_opts() of libbpf */
int load_program(const char *name, const struct bpf_insn *insns, size_t count);

#endif
