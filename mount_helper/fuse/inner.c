// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * The inner maps of a map of maps, each a directory that is only read.
 *
 * bpf(2) tells nothing of them before there is one: so their layouts are compiled for
 * each, and refused at mount only if there is one then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object.h"

/* The map at @key; an error pointer of -ENOENT: the slot is empty. */
static struct object *open_inner(struct object *outer, const void *key,
				 const struct refusal *refusal)
{
	int fd = map_open_inner(&outer->map, key, true);
	struct object *object;
	int err;

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
	err = set_layouts(object, &outer->inner, true, refusal);
	if (!err)
		return object;
	object_put(object);
	return ERR_PTR(err);
}

int inner_item(struct object *outer, const void *key, struct item *item)
{
	char text[256] = "";
	struct object *object = open_inner(outer, key, &(struct refusal){ text, sizeof(text) });

	if (IS_ERR(object)) {
		if (*text)
			bpffs_refuse(&outer->info, "%s", text);
		return PTR_ERR(object);
	}
	root_item(object, item);
	item->identity = object->id;
	return 0;
}

int inner_check(struct object *outer, const struct refusal *refusal)
{
	struct bpffs_keys *keys = bpffs_keys_get(&outer->info);
	struct object *object;
	const void *key;
	int err = 0;

	/* It is not the mount's to say that there is no right to look. */
	if (IS_ERR(keys))
		return 0;
	key = bpffs_keys_at(keys, 0);
	if (key) {
		object = open_inner(outer, key, refusal);
		if (!IS_ERR(object))
			object_put(object);
		else if (PTR_ERR(object) != -ENOENT && PTR_ERR(object) != -EPERM)
			err = PTR_ERR(object);
	}
	bpffs_keys_free(keys);
	return err;
}
