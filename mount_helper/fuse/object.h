/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/*
 * What a mount holds: what core knows of it, what bpf(2) does with it, and the files
 * that it is.
 *
 *	object.c	the object of the mount, from its descriptor to the last file
 *	options.c	the mount's options
 *	root.c		the directory of a map: names, keys, listings
 *	element.c	the file of an element
 *	queue.c		the files of a queue or stack
 *	attributes.c	.bpf, and what is in it; table.c .bpf/table
 *	core-map.c	what core asks of a map, and keys.c the keys of a moment
 */
#ifndef BPFFS_FUSE_OBJECT_H
#define BPFFS_FUSE_OBJECT_H

#include "../../fs/core/element.h"
#include "../../fs/core/key.h"
#include "bpf-map.h"
#include "items.h"

/**
 * struct object - a map
 * @info: core's
 * @map: by bpf(2)
 * @users: items and whoever else has it; object_get(), object_put()
 * @uid: owner of the files
 * @gid: their group
 * @born: when it was mounted
 */
struct object {
	struct bpffs_info info;
	struct map map;
	unsigned int users;
	unsigned int uid;
	unsigned int gid;
	struct timespec born;
};

static inline struct object *object_of(const struct bpffs_info *info)
{
	return (struct object *)((char *)info - offsetof(struct object, info));
}

/* object.c */
struct object *object_get(struct object *object);
void object_put(struct object *object);
/* Attributes of a file; @ino as it is without salt. */
void object_stat(const struct object *object, struct stat *st, mode_t mode, u64 ino);

/* A sentence of why there is no mount. */
struct refusal {
	char *text;
	size_t size;
};

/* Returns -@err. */
__attribute__((format(printf, 3, 4)))
int refuse(const struct refusal *refusal, int err, const char *format, ...);

/* options.c; of a map that is open */
int set_options(struct object *object, const struct front_options *options,
		const struct refusal *refusal);

/* Items of them have a reference, but for the root. */
/* root.c */
extern const struct dir_kind root_kind;

/* element.c */
int element_item(struct object *object, const void *key, struct item *item);

/* queue.c */
extern const struct dir_kind queue_kind;

/* table.c: the functions of a struct file_kind, but for open() */
int table_open(struct object *object, void **open);
ssize_t table_read(void *open, void *buf, size_t size, off_t offset);
ssize_t table_write(void *open, const void *buf, size_t size, off_t offset);
int table_flush(void *open, bool by_user);
void table_close(void *open);

/* attributes.c */
void attributes_item(struct object *object, struct item *item);

#endif
