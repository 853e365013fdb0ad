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
 *	inner.c		the maps in a map of maps
 *	attributes.c	.bpf, and what is in it; table.c .bpf/table, raw.c .bpf/raw
 *	core-map.c	what core asks of a map, and keys.c the keys of a moment
 *	core-object.c	what it asks of any object
 */
#ifndef BPFFS_FUSE_OBJECT_H
#define BPFFS_FUSE_OBJECT_H

#include "../../fs/core/element.h"
#include "../../fs/core/key.h"
#include "../../fs/core/options.h"
#include <linux/bpf.h>

#include "bpf-map.h"
#include "items.h"

/**
 * struct object - a map, program or link
 * @info: core's
 * @kind: which of them
 * @fd: its descriptor
 * @id: as the kernel has it, like the following
 * @type: of enum bpf_map_type, bpf_prog_type or bpf_link_type
 * @name: "" if it has none
 * @map: of a map, by bpf(2)
 * @given: by the mounter; the texts live as long as the mount
 * @given_sum: percpu=sum
 * @users: items and whoever else has it; object_get(), object_put()
 * @only_reads: the descriptor that was mounted may only read
 * @uid: owner of the files
 * @gid: their group
 * @born: when it was mounted
 */
struct object {
	struct bpffs_info info;
	enum bpffs_kind kind;
	int fd;
	u32 id;
	u32 type;
	char name[BPF_OBJ_NAME_LEN];
	struct map map;
	struct bpffs_layouts given;
	bool given_sum;
	unsigned int users;
	bool only_reads;
	unsigned int uid;
	unsigned int gid;
	struct timespec born;
};

static inline struct object *object_of(const struct bpffs_info *info)
{
	return (struct object *)((char *)info - offsetof(struct object, info));
}

/* object.c */
/* Of a descriptor, which is its own from then on; or an error pointer. */
struct object *object_new(enum bpffs_kind kind, int fd);
struct object *object_get(struct object *object);
void object_put(struct object *object);
/*
 * Who writes, whatever mount(8) has made of the mount, is told if the descriptor may only
 * read. Return: 0, -EROFS.
 */
int object_check_writer(struct object *object);
/* Of a file that is opened with @flags, who may write. */
int object_check_open(struct object *object, int flags);
/* Functions of a struct dir_kind whose items and listings have the object as their data. */
void *object_begin_list(const struct item *dir, int *err);
void object_forget(void *object);
/* Attributes of a file. */
void object_stat(const struct object *object, struct stat *st, mode_t mode, u64 ino);

/* core-object.c: before anything is asked */
int describe_begin(void);

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
/* inner.c: an inner map without layouts, if there is one that can be opened, or NULL */
struct object *inner_any(struct object *outer);
/* The directory of the map at @key; -ENOENT: there is none. */
int inner_item(struct object *outer, const void *key, struct item *item);

/* --- Items: each has a reference, but takes over that of the root --- */

/* The directory of the object: of a map its keys or ends, else its attributes. */
void root_item(struct object *object, struct item *item);

static inline u64 root_ino(const struct bpffs_info *info)
{
	return info->salt ?: BPFFS_INO_ROOT;
}

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

/* raw.c: likewise */
int raw_open(struct object *object, void **open);
ssize_t raw_read(void *open, void *buf, size_t size, off_t offset);
ssize_t raw_write(void *open, const void *buf, size_t size, off_t offset);
int raw_flush(void *open, bool by_user);
void raw_close(void *open);

/* attributes.c: .bpf, or the root of a program or link */
extern const struct dir_kind attributes_kind;
extern const struct dir_kind attributes_root_kind;
void attributes_item(struct object *object, struct item *item);

#endif
