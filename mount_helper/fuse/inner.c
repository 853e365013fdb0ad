// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * The inner maps of a map of maps, each a directory that is only read. Layouts are compiled
 * for each.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object.h"

/* The map at @key, without layouts; an error pointer of -ENOENT: the slot is empty. */
static struct object *open_inner(struct object *outer, const void *key)
{
	int fd = map_open_inner(&outer->map, key, true);
	struct object *object;

	if (fd < 0)
		return ERR_PTR(fd);
	object = object_new(BPFFS_MAP, fd);
	if (IS_ERR(object)) {
		close(fd);
		return object;
	}
	object->uid = outer->uid;
	object->gid = outer->gid;
	object->born = outer->born;
	object->info.mode = outer->info.mode & 0444;
	object->info.salt = bpffs_key_ino(&outer->info, key);
	return object;
}

/* As the mount has set them, with the same map of maps once more. */
static int set_layouts(struct object *outer, struct object *inner)
{
	struct object again = { .kind = BPFFS_MAP };
	char why[BPFFS_WHY_MAX] = "";
	int err;

	again.info.can = outer->info.can;
	again.info.key_size = outer->info.key_size;
	again.info.value_size = outer->info.value_size;
	again.info.sum = outer->given_sum;
	err = bpffs_set_layouts(&again.info, &inner->info, &outer->given, why);
	bpffs_layout_release(again.info.key);
	bpffs_layout_release(again.info.value);
	if (err && *why)
		bpffs_refuse(&outer->info, "%s", why);
	return err;
}

int inner_item(struct object *outer, const void *key, struct item *item)
{
	struct object *object = open_inner(outer, key);
	int err;

	if (IS_ERR(object) && PTR_ERR(object) == -EPERM)
		bpffs_refuse(&outer->info, "opening an inner map needs CAP_SYS_ADMIN");
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = set_layouts(outer, object);
	if (err) {
		object_put(object);
		return err;
	}
	root_item(object, item);
	item->identity = object->id;
	return 0;
}

struct object *inner_any(struct object *outer)
{
	struct object *object = NULL;
	struct bpffs_keys *keys;
	const void *key;
	u64 n = 0;

	if (!bpffs_map_can(&outer->info, BPFFS_OF_MAPS))
		return NULL;
	keys = bpffs_keys_get(&outer->info);
	/* It is not the mount's to say that there is no right to look. */
	if (IS_ERR(keys))
		return NULL;
	while (!object && (key = bpffs_keys_at(keys, n++))) {
		object = open_inner(outer, key);
		if (IS_ERR(object))
			object = NULL;
	}
	bpffs_keys_free(keys);
	return object;
}
