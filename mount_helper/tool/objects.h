/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What the kernel says of objects: names, what a program uses, what a process has open. */
#ifndef LIBBPFFS_OBJECTS_H
#define LIBBPFFS_OBJECTS_H

#include "object.h"
#include "pure.h"

/*
 * The full name, or what the kernel has kept of it if BTF does not tell which of several
 * it is; to be freed. NULL: it has none. Returns 0 or a negative errno.
 */
int name_of(int fd, char **name);

/* Which maps a program uses: @ids, to be freed; returns how many, or a negative errno. */
int maps_of(int fd, u32 **ids);

typedef void (*open_action)(void *context, enum libbpffs_kind kind, u32 id);

/* Each object that the process @pid, in the directory @proc, has open, again and again. */
int each_open_object(int proc, const char *pid, open_action action, void *context);

#endif
