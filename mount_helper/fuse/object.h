/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* The map of a mount: what core knows of it, and what bpf(2) does with it. */
#ifndef BPFFS_FUSE_OBJECT_H
#define BPFFS_FUSE_OBJECT_H

#include "../../fs/core/element.h"
#include "bpf-map.h"

/**
 * struct object - the map
 * @info: core's
 * @map: by bpf(2)
 * @uid: owner of the files
 * @gid: their group
 * @born: when it was mounted
 */
struct object {
	struct bpffs_info info;
	struct map map;
	unsigned int uid;
	unsigned int gid;
	struct timespec born;
};

static inline struct object *object_of(const struct bpffs_info *info)
{
	return (struct object *)((char *)info - offsetof(struct object, info));
}

#endif
