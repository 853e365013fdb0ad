/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an object tells of itself: below core, beside map.h. The module has it by the
 * object (fs/object.c), user space by bpf(2), a unit test by a few lines of C.
 */
#ifndef _BPFFS_OBJECT_H
#define _BPFFS_OBJECT_H

#include "info.h"

enum bpffs_kind {
	BPFFS_MAP	= 1U << 0,
	BPFFS_PROG	= 1U << 1,
	BPFFS_LINK	= 1U << 2,
};

/* What serves one of the files that say what the object is (attributes.h). */
enum bpffs_attr_file {
	BPFFS_ATTR_TEXT,	/* bpffs_attr_show() */
	BPFFS_ATTR_TABLE,	/* table.h */
	BPFFS_ATTR_RAW,
	BPFFS_ATTR_MEMORY,	/* the front, as the following */
	BPFFS_ATTR_FD,
	BPFFS_ATTR_PIN,		/* a directory */
};

enum bpffs_kind bpffs_object_kind(const struct bpffs_info *info);
/* Has it, here, a memory, fd or pin? Never that of an inner map. */
bool bpffs_object_serves(const struct bpffs_info *info, enum bpffs_attr_file file);
u32 bpffs_object_id(const struct bpffs_info *info);
/* Of enum bpf_map_type, bpf_prog_type or bpf_link_type. */
u32 bpffs_object_type(const struct bpffs_info *info);
/* Of a map or program, as the kernel has it: "" if it has none. Valid as long as @info. */
const char *bpffs_object_name(const struct bpffs_info *info);
/* Of a map: is it frozen by now? */
bool bpffs_object_frozen(const struct bpffs_info *info);

/*
 * Print its description, as /proc/PID/fdinfo has it behind what every descriptor has:
 * lines of "LABEL:\tVALUE". Return: 0, -ENFILE, -ENOMEM.
 */
int bpffs_object_describe(const struct bpffs_info *info, struct seq_file *seq);

/* The id of the @n-th map that a program uses; false behind the last. */
bool bpffs_object_map_id(const struct bpffs_info *info, u32 n, u32 *id);

/* Bytes of struct bpf_link_info; no kernel has so many of it. */
#define BPFFS_LINK_INFO_MAX	128

/* Does the kernel tell anything of such a link? */
bool bpffs_object_has_link_info(const struct bpffs_info *info);
/*
 * Fill what it tells, a struct bpf_link_info with no room for names, into @bytes, which
 * are zeroed and aligned. May sleep. Return: 0 or an errno, -EOPNOTSUPP among them.
 */
int bpffs_object_link_info(const struct bpffs_info *info, void *bytes);

#endif
