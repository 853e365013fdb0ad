/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a type of map can do: docs/types.rst as code; and words for types. */
#ifndef _BPFFS_TYPES_H
#define _BPFFS_TYPES_H

#include "pure.h"

/* Numbers of enum bpf_map_type, of those with a row. */
enum bpffs_type_number {
	BPFFS_TYPE_HASH			= 1,
	BPFFS_TYPE_ARRAY		= 2,
	BPFFS_TYPE_PERCPU_HASH		= 5,
	BPFFS_TYPE_PERCPU_ARRAY		= 6,
	BPFFS_TYPE_LRU_HASH		= 9,
	BPFFS_TYPE_LRU_PERCPU_HASH	= 10,
	BPFFS_TYPE_LPM_TRIE		= 11,
	BPFFS_TYPE_ARRAY_OF_MAPS	= 12,
	BPFFS_TYPE_HASH_OF_MAPS		= 13,
	BPFFS_TYPE_CGROUP_STORAGE	= 19,
	BPFFS_TYPE_QUEUE		= 22,
	BPFFS_TYPE_STACK		= 23,
	BPFFS_TYPE_RINGBUF		= 27,
	BPFFS_TYPE_BLOOM_FILTER		= 30,
	BPFFS_TYPE_USER_RINGBUF		= 31,
	BPFFS_TYPE_ARENA		= 33,
};

/* Numbers of enum bpf_link_type, of those of which something is told. */
enum bpffs_link_number {
	BPFFS_LINK_RAW_TRACEPOINT	= 1,
	BPFFS_LINK_TRACING		= 2,
	BPFFS_LINK_CGROUP		= 3,
	BPFFS_LINK_ITER			= 4,
	BPFFS_LINK_NETNS		= 5,
	BPFFS_LINK_XDP			= 6,
	BPFFS_LINK_PERF_EVENT		= 7,
	BPFFS_LINK_KPROBE_MULTI		= 8,
	BPFFS_LINK_STRUCT_OPS		= 9,
	BPFFS_LINK_NETFILTER		= 10,
	BPFFS_LINK_TCX			= 11,
	BPFFS_LINK_UPROBE_MULTI		= 12,
	BPFFS_LINK_NETKIT		= 13,
	BPFFS_LINK_SOCKMAP		= 14,
};

enum bpffs_can {
	BPFFS_CAN_LIST		= 1U << 0,
	BPFFS_CAN_READ		= 1U << 1,
	BPFFS_CAN_WRITE		= 1U << 2,
	BPFFS_CAN_CREATE	= 1U << 3,
	BPFFS_CAN_DELETE	= 1U << 4,
	BPFFS_IS_ARRAY		= 1U << 5,	/* every index exists */
	BPFFS_EVICTS		= 1U << 6,	/* makes room by itself, is never full */
	BPFFS_PERCPU		= 1U << 7,	/* a value for each possible CPU */
	BPFFS_BY_NEXT_KEY	= 1U << 8,	/* lists so, having no better way */
	BPFFS_IS_TRIE		= 1U << 9,	/* keys are prefixes */
	BPFFS_IS_SET		= 1U << 10,	/* keys without values: a bloom filter */
	BPFFS_IS_QUEUE		= 1U << 11,	/* values without keys; or a stack */
	BPFFS_OF_MAPS		= 1U << 12,	/* values are maps */
	BPFFS_HAS_MEMORY	= 1U << 13,	/* can be mapped and maybe polled */
	BPFFS_CAN_STREAM	= 1U << 14,	/* by batch operations */
	BPFFS_BY_INDEX		= 1U << 15,	/* keys are indices */
	BPFFS_KEEPS_PLACE	= 1U << 16,	/* the first mapping says where all others are */
	BPFFS_BY_BATCH		= 1U << 17,	/* its lock needs tracing programs disabled */
};

/* Has it files beside .bpf? */
#define BPFFS_HAS_ELEMENTS	(BPFFS_CAN_LIST | BPFFS_IS_SET | BPFFS_IS_QUEUE)

/* The row of a type: bits of enum bpffs_can; 0 for one that has attributes only. */
u32 bpffs_type_can(u32 type);

/*
 * type-words.c: a type of map, program or link, of attachment, of perf event, by its
 * number. NULL: it is a newer kernel's, and has only the number here.
 */
const char *bpffs_map_word(u32 type);
const char *bpffs_prog_word(u32 type);
const char *bpffs_link_word(u32 type);
const char *bpffs_attach_word(u32 type);
const char *bpffs_perf_word(u32 type);

#endif
