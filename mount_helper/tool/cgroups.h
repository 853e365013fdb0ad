/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* Paths of cgroups of version 2 by id. */
#ifndef LIBBPFFS_CGROUPS_H
#define LIBBPFFS_CGROUPS_H

#include "command.h"
#include "pure.h"

/* Where they are mounted. Return: DONE, or FAILED after a sentence. */
enum status load_cgroups(void);
void free_cgroups(void);

/* As /proc/PID/cgroup has it, until the next call; NULL: there is no such. */
const char *cgroup_path(u64 id);

#endif
