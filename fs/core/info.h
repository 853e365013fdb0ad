/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of a mounted object: as much as its texts and writes depend on. */
#ifndef _BPFFS_INFO_H
#define _BPFFS_INFO_H

#include "text.h"
#include "types.h"

struct seq_file;

/* Beyond it an element file gives EFBIG. */
#define BPFFS_VALUE_MAX		(64U << 20)

/* Bytes of text in transit, on the stack. */
#define BPFFS_WINDOW		512

#define BPFFS_ERRORS		16

/**
 * struct bpffs_errors - the last refusals of a mount, for .bpf/error
 * @lock: guards the rest
 * @sentence: a ring
 * @next: the oldest of it
 */
struct bpffs_errors {
	struct mutex lock; /* taken last */
	char *sentence[BPFFS_ERRORS];
	unsigned int next;
};

struct bpffs_short;

/**
 * struct bpffs_shorts - keys of short names that were seen
 * @lock: guards the rest
 * @count: of the keys
 * @list: of them, by the hash in their names; NULL as long as none was seen
 */
struct bpffs_shorts {
	struct mutex lock; /* nothing is taken under it */
	unsigned int count;
	struct bpffs_short **list;
};

/**
 * struct bpffs_info - what is known of a mounted object, or of an inner map
 * @can: bits of enum bpffs_can; 0 of what is no map
 * @map_type: of a map, as the following
 * @map_flags: its flags
 * @key_size: in bytes; as the following
 * @value_size: of one copy
 * @max_entries: in elements
 * @mode: permissions of the element files
 * @key: layout of keys; NULL for key=none, and where there are no elements
 * @value: layout of values; NULL where there are no elements
 * @shape: how the bytes of a value are laid out for its text
 * @stored: and how the map has them: the same, but for percpu=sum, where it has
 *	a copy for each CPU, and the text shows their sum
 * @no_keys: key=none was given
 * @sum: percpu=sum was given
 * @salt: for the inode numbers of an inner map
 * @errors: the last refusals
 * @shorts: of keys, find-short.c
 *
 * It is part of something larger, which the home of this code has. Constant as soon as
 * there are files, but for @errors and @shorts.
 */
struct bpffs_info {
	u32 can;
	u32 map_type;
	u32 map_flags;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	unsigned short mode;
	bool no_keys;
	bool sum;
	struct bpffs_layout *key;
	struct bpffs_layout *value;
	struct bpffs_shape shape;
	struct bpffs_shape stored;
	u64 salt;
	struct bpffs_errors errors;
	struct bpffs_shorts shorts;
};

/* Any of @what? */
static inline bool bpffs_map_can(const struct bpffs_info *info, u32 what)
{
	return info->can & what;
}

/* Bytes of a key, which in a bloom filter is the value. */
static inline u32 bpffs_key_size(const struct bpffs_info *info)
{
	return info->key ? bpffs_layout_size(info->key) : info->key_size;
}

/* Bytes of a value in all its copies. */
static inline u64 bpffs_shape_bytes(const struct bpffs_shape *shape)
{
	return (u64)shape->copies * shape->stride;
}

/* Bytes of a value as batch operations have it. */
static inline u64 bpffs_batch_value_bytes(const struct bpffs_info *info)
{
	return bpffs_map_can(info, BPFFS_PERCPU) ? bpffs_shape_bytes(&info->stored) :
						   info->value_size;
}

/* Permissions of a directory, by those of its files: who may read may also pass. */
static inline unsigned short bpffs_dir_mode(unsigned short mode)
{
	return mode | (mode & 0444) >> 2;
}

/* refuse.c: sentences for .bpf/error */
#define UNCHANGED "; nothing was changed"

void bpffs_errors_init(struct bpffs_errors *errors);
void bpffs_errors_free(struct bpffs_errors *errors);
void bpffs_errors_show(struct bpffs_errors *errors, struct seq_file *seq);
__printf(2, 3)
void bpffs_refuse(struct bpffs_info *info, const char *fmt, ...);
__printf(3, 0)
void bpffs_refuse_within(struct bpffs_info *info, const char *before, const char *fmt,
			 va_list args, const char *after);
__printf(3, 4)
void bpffs_refuse_element(struct bpffs_info *info, const void *key, const char *fmt, ...);
void bpffs_refuse_text(struct bpffs_info *info, const void *key,
		       const struct bpffs_reason *why);

/* The bytes of a name of which a sentence has not more than these, escaped. */
#define BPFFS_QUOTED_MAX	64

const char *bpffs_quote_name(char to[4 * BPFFS_QUOTED_MAX + 1], const char *name, size_t len);

#endif
