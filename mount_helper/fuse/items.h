/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/*
 * What can be found in the file system, as front.c sees it: items, which are files or
 * directories, each of a kind that answers for it. front.c knows what the kernel asks
 * and when; a kind knows what the answer is, and nothing of FUSE.
 *
 * Functions return 0 or a length, or a negative errno. All may be called by several
 * threads at once, also of one item or one open file.
 */
#ifndef BPFFS_FUSE_ITEMS_H
#define BPFFS_FUSE_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

struct front_options;
struct file_kind;
struct dir_kind;

/**
 * struct item - a name that was found
 * @dir: for a directory
 * @file: for a file
 * @identity: of a directory that another can take the place of; else 0
 * @data: the kind's; freed by its forget()
 */
struct item {
	const struct dir_kind *dir;
	const struct file_kind *file;
	uint64_t identity;
	void *data;
};

/* What a listing gives a name to. The name is not looked at after the call. */
typedef bool (*item_found)(void *to, const char *name, ino_t ino, mode_t type);

/**
 * struct dir_kind - a kind of directories; what is NULL, none of it can
 * @stat: its attributes; @st is zeroed
 * @look_up: an item of it, -ENOENT
 * @begin_list: the names of this moment, for list(); NULL and -errno in *@err: none
 * @list: from the @from-th on, until @found returns false
 * @end_list: no more of it
 * @create: may a file be made that is not there? Its open() makes it, now or later
 * @unlink: a file
 * @rmdir: a directory
 * @statfs: f_files, f_ffree and the like, if it is the root
 * @forget: the item is not known any more
 */
struct dir_kind {
	int (*stat)(const struct item *item, struct stat *st);
	int (*look_up)(const struct item *dir, const char *name, struct item *found);
	void *(*begin_list)(const struct item *dir, int *err);
	void (*list)(void *names, uint64_t from, item_found found, void *to);
	void (*end_list)(void *names);
	int (*create)(const struct item *dir, const char *name, struct item *made);
	int (*unlink)(const struct item *dir, const char *name);
	int (*rmdir)(const struct item *dir, const char *name);
	void (*statfs)(const struct item *root, struct statvfs *st);
	void (*forget)(void *data);
};

/**
 * struct file_kind - a kind of files; what is NULL, none of it can
 * @is_stream: no pread(2), and lseek(2) is the kind's
 * @is_sampled: fstat(2) is answered by the open file, so others are to have other nodes
 * @end_error: what lseek(2) to the end says, which nobody knows; 0: there is one
 * @stat: attributes; @open is the file that has the item to itself, or NULL
 * @change: of the size (-1: not asked for), or of the time of modification only, as
 *	touch(1) does; @open as for stat(). Owner and permissions are nobody's to change,
 *	and that is not told
 * @open: by @flags of open(2); with O_CREAT, it was not there. @item stays as it is until
 *	close(), and whatever comes for it then
 * @read: at most @size bytes of it at @offset
 * @write: at @offset
 * @lose: the last read has reached nobody
 * @flush: somebody closes it: the error is that of close(2). @by_user: the process that
 *	has written last, or else the one that has opened it, and not one that has
 *	inherited it
 * @close: nobody has it open; errors go nowhere
 * @fsync: so that all that was written is stored, or why not
 * @forget: the item is not known any more
 */
struct file_kind {
	bool is_stream;
	bool is_sampled;
	int end_error;
	int (*stat)(const struct item *item, void *open, struct stat *st);
	int (*change)(const struct item *item, void *open, off_t size);
	int (*open)(const struct item *item, int flags, void **open);
	ssize_t (*read)(void *open, void *buf, size_t size, off_t offset);
	ssize_t (*write)(void *open, const void *buf, size_t size, off_t offset);
	void (*lose)(void *open);
	int (*flush)(void *open, bool by_user);
	void (*close)(void *open);
	int (*fsync)(void *open);
	void (*forget)(void *data);
};

/**
 * items_open() - the root of the object of DAEMON_OBJECT
 * As front_open() for the rest. @capabilities: to be kept. @refusal: or what the mounter
 * is to be told
 */
int items_open(struct item *root, uint64_t *capabilities, const struct front_options *options,
	       char *refusal, size_t size);

/* Nothing else is known any more. */
void items_close(struct item *root);

#endif
