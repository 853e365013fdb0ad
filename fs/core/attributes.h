/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the object is, a file each, in .bpf of a map and the root of a program or link: the
 * list of these files, and what their texts say. A file is known by its number in the
 * list, which is the order of the directory: 0 to BPFFS_ATTRS - 1, of which an object has
 * those that bpffs_attr_has().
 */
#ifndef _BPFFS_ATTRIBUTES_H
#define _BPFFS_ATTRIBUTES_H

#include "key.h"
#include "object.h"

#define BPFFS_ATTRS	45

const char *bpffs_attr_name(unsigned int attr);
enum bpffs_attr_file bpffs_attr_file(unsigned int attr);
/* The number of the file of this name that the object has; BPFFS_ATTRS: there is none. */
unsigned int bpffs_attr_find(const struct bpffs_info *info, const char *name, size_t len);
/* Constant of an object, as soon as there are files. */
bool bpffs_attr_has(const struct bpffs_info *info, unsigned int attr);
/* Permissions. */
unsigned short bpffs_attr_mode(const struct bpffs_info *info, unsigned int attr);
/* Does it belong to root, whoever the mount was given to? */
bool bpffs_attr_is_roots(unsigned int attr);
u64 bpffs_attr_ino(const struct bpffs_info *info, unsigned int attr);

/* Permissions of the directory: it is only read, whoever may list it. */
static inline unsigned short bpffs_attr_dir_mode(const struct bpffs_info *info)
{
	return bpffs_dir_mode(info->mode & 0444);
}

/*
 * Print the text of a BPFFS_ATTR_TEXT, as of now. What does not fit is seen by
 * seq_has_overflowed(): then once more, with more room. May sleep.
 *
 * Return: 0; -EOPNOTSUPP: this kernel does not tell; -ENOMEM, -EINTR, or what
 * bpffs_count(), bpffs_object_describe() or bpffs_object_link_info() return.
 */
int bpffs_attr_show(struct bpffs_info *info, unsigned int attr, struct seq_file *seq);

/* link.c: what a link is attached to, by the name of a file */
bool bpffs_link_tells(const struct bpffs_info *info, const char *name);
int bpffs_link_show(const struct bpffs_info *info, const char *name, struct seq_file *seq);

#endif
