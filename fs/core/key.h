/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keys: which one a name names, which may be made, and their inode numbers. */
#ifndef _BPFFS_KEY_H
#define _BPFFS_KEY_H

#include "map.h"

/* Inode numbers below it are for directories and attributes. */
#define BPFFS_INO_ROOT		1
#define BPFFS_INO_DOT_BPF	2
#define BPFFS_INO_ATTR		3
#define BPFFS_INO_QUEUE		60
#define BPFFS_INO_ELEMENT	64

u64 bpffs_other_ino(const struct bpffs_info *info, const void *key);
u64 bpffs_salted_ino(const struct bpffs_info *info, u64 ino);

/*
 * The inode number of an element: stable over mounts and boots, as it is a function of
 * the key alone; of an inner map, also of the key of its slot, as a tool may compare
 * inode numbers. A key of up to 8 bytes is a number itself.
 */
static inline u64 bpffs_key_ino(const struct bpffs_info *info, const void *key)
{
	u32 number;

	/* What most keys are. */
	if (info->key_size != sizeof(number) || info->salt)
		return bpffs_other_ino(info, key);
	memcpy(&number, key, sizeof(number));
	return (u64)number + BPFFS_INO_ELEMENT;
}

int bpffs_name_to_key(const struct bpffs_info *info, const char *name, size_t len,
		      void *key, struct bpffs_reason *why);
int bpffs_check_key(const struct bpffs_info *info, const void *key);
int bpffs_may_create(struct bpffs_info *info, const char *name, size_t len, void *key);

/* find-short.c */
void bpffs_shorts_init(struct bpffs_shorts *shorts);
void bpffs_shorts_free(struct bpffs_shorts *shorts);
void bpffs_short_note(struct bpffs_info *info, const char *name, size_t len, const void *key);
int bpffs_file_to_key(struct bpffs_info *info, const char *name, size_t len, void *key);

/**
 * struct bpffs_evictions - new elements given to a map that makes room by itself
 * @before: how many elements there were before the first of them
 * @created: how many were new
 */
struct bpffs_evictions {
	u64 before;
	u64 created;
};

/* count.c */
int bpffs_count(const struct bpffs_info *info, u64 *count);
bool bpffs_count_free(const struct bpffs_info *info, u64 *free);
int bpffs_evictions_expect(struct bpffs_evictions *evictions,
			   const struct bpffs_info *info, const void *key);
int bpffs_evictions_check(struct bpffs_evictions *evictions, struct bpffs_info *info,
			  const char *file);

#endif
