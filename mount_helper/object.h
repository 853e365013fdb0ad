/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What a descriptor is of. */
#ifndef LIBBPFFS_OBJECT_H
#define LIBBPFFS_OBJECT_H

#include <stddef.h>

enum libbpffs_kind {
	LIBBPFFS_NO_OBJECT,
	LIBBPFFS_MAP,
	LIBBPFFS_PROG,
	LIBBPFFS_LINK,
};

enum libbpffs_kind libbpffs_kind_of(int fd);

/* "map:id:7 (hash, 65536 entries)"; returns 0 or a negative errno. */
int libbpffs_describe(int fd, char *buf, size_t size);

#endif
