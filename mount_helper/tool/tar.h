/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* The head of a file in a tar, as POSIX has it (ustar). */
#ifndef LIBBPFFS_TAR_H
#define LIBBPFFS_TAR_H

#include <stdbool.h>

/* What a file is rounded up to. */
#define TAR_BLOCK	512

struct tar_head {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};

/* False: the name or the file is too long. */
bool tar_make(struct tar_head *head, const char *name, unsigned long long size);

/* Is it one? Its size then. */
bool tar_check(const struct tar_head *head, unsigned long long *size);

#endif
