/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What a descriptor is of. */
#ifndef LIBBPFFS_OBJECT_H
#define LIBBPFFS_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>

/* --- describe.c --- */

enum libbpffs_kind {
	LIBBPFFS_NO_OBJECT,
	LIBBPFFS_MAP,
	LIBBPFFS_PROG,
	LIBBPFFS_LINK,
};

enum libbpffs_kind libbpffs_kind_of(int fd);

/* 0: nobody knows. */
unsigned int libbpffs_id_of(int fd);

/*
 * "map:id:7 (hash, 65536 entries)", with the full name before the type where that
 * is longer than what the kernel has; returns 0 or a negative errno.
 */
int libbpffs_describe(int fd, char *buf, size_t size);

/* --- full-name.c --- */

/**
 * struct libbpffs_full_name - of a map or a program
 * @kept: what the kernel has of it
 * @name: what it can be: none if nobody knows, several if BTF does not tell which
 * @count: of @name
 */
struct libbpffs_full_name {
	char kept[BPF_OBJ_NAME_LEN];
	char **name;
	size_t count;
};

/* Returns 0, and libbpffs_full_name_free() is due, or a negative errno. */
int libbpffs_full_name(struct libbpffs_full_name *full, int fd);
void libbpffs_full_name_free(struct libbpffs_full_name *full);

enum libbpffs_named {
	LIBBPFFS_NOT_NAMED,
	LIBBPFFS_MAYBE_NAMED,
	LIBBPFFS_NAMED,
};

/* Is @name its name, or what the kernel has kept of it? */
enum libbpffs_named libbpffs_is_named(const struct libbpffs_full_name *full,
				      const char *name);

/* --- source.c --- */

/*
 * bpffs_source_open(); @read_only: of a map, a descriptor that may only read, for
 * which the right to read a pin is enough.
 */
int libbpffs_source_open(const char *source, bool read_only);

#endif
