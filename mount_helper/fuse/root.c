// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The directory of a map: which element a name is, and the names that there are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

static int stat_root(const struct item *item, struct stat *st)
{
	const struct object *object = item->data;
	const struct bpffs_info *info = &object->info;

	object_stat(object, st, S_IFDIR | bpffs_dir_mode(info->mode), root_ino(info));
	return 0;
}

/* The key that a name is to be, in memory that is to be freed. */
static int key_of(struct bpffs_info *info, const char *name, void **key)
{
	int err;

	*key = malloc(bpffs_key_size(info));
	if (!*key)
		return -ENOMEM;
	err = bpffs_file_to_key(info, name, strlen(name), *key);
	return err == -EINVAL || err == -EOPNOTSUPP ? -ENOENT : err;
}

static int look_up(const struct item *dir, const char *name, struct item *found)
{
	struct object *object = dir->data;
	void *key;
	int err;

	if (!strcmp(name, ".bpf")) {
		attributes_item(object, found);
		return 0;
	}
	err = key_of(&object->info, name, &key);
	if (!err && bpffs_map_can(&object->info, BPFFS_OF_MAPS)) {
		err = inner_item(object, key, found);
	} else if (!err) {
		err = bpffs_map_has(&object->info, key);
		if (err >= 0)
			err = err ? element_item(object, key, found) : -ENOENT;
	}
	free(key);
	return err;
}

static int create(const struct item *dir, const char *name, struct item *made)
{
	struct object *object = dir->data;
	void *key = malloc(bpffs_key_size(&object->info));
	int err = key ? object_check_writer(object) : -ENOMEM;

	if (!err)
		err = bpffs_may_create(&object->info, name, strlen(name), key);
	if (!err)
		err = element_item(object, key, made);
	free(key);
	return err;
}

static int remove_element(const struct item *dir, const char *name)
{
	struct object *object = dir->data;
	void *key;
	int err;

	if (!strcmp(name, ".bpf"))
		return -EISDIR;
	err = key_of(&object->info, name, &key);
	if (!err)
		err = object_check_writer(object);
	if (!err)
		err = bpffs_element_delete(&object->info, key);
	free(key);
	return err;
}

/* The slot is emptied, whatever is inside; the inner map itself stays as it is. */
static int remove_inner(const struct item *dir, const char *name)
{
	struct object *object = dir->data;
	void *key;
	int err;

	if (!bpffs_map_can(&object->info, BPFFS_OF_MAPS) || !strcmp(name, ".bpf"))
		return -EPERM;
	err = key_of(&object->info, name, &key);
	if (!err)
		err = object_check_writer(object);
	if (!err)
		err = bpffs_map_delete(&object->info, key);
	free(key);
	return err;
}

/* --- Listing --- */

/*
 * The names of a moment: of an array, all indices, and else @keys. There are none where
 * they are hidden.
 */
struct names {
	struct object *object;
	struct bpffs_keys *keys;
	uint64_t count;
};

static void end_list(void *data)
{
	struct names *names = data;

	bpffs_keys_free(names->keys);
	object_put(names->object);
	free(names);
}

static int take_names(struct names *names)
{
	const struct bpffs_info *info = &names->object->info;
	struct bpffs_keys *keys;

	if (!info->key || !bpffs_map_can(info, BPFFS_CAN_LIST))
		return 0;
	if (bpffs_map_can(info, BPFFS_IS_ARRAY)) {
		names->count = info->max_entries;
		return 0;
	}
	keys = bpffs_keys_get(info);
	if (IS_ERR(keys))
		return PTR_ERR(keys);
	names->keys = keys;
	names->count = bpffs_keys_count(keys);
	return 0;
}

static void *begin_list(const struct item *dir, int *err)
{
	struct names *names = calloc(1, sizeof(*names));

	*err = -ENOMEM;
	if (!names)
		return NULL;
	names->object = object_get(dir->data);
	*err = take_names(names);
	if (!*err)
		return names;
	end_list(names);
	return NULL;
}

static void list(void *data, uint64_t from, item_found found, void *to)
{
	struct names *names = data;
	struct bpffs_info *info = &names->object->info;
	mode_t type = bpffs_map_can(info, BPFFS_OF_MAPS) ? S_IFDIR : S_IFREG;
	char name[BPFFS_NAME_MAX + 1];
	const void *key;
	u32 index;
	int len;

	for (; from < names->count; from++) {
		index = from;
		key = names->keys ? bpffs_keys_at(names->keys, from) : &index;
		len = bpffs_name_encode(info->key, key, name);
		if (len >= BPFFS_SHORT_NAME_MIN)
			bpffs_short_note(info, name, len, key);
		if (!found(to, name, bpffs_key_ino(info, key), type))
			return;
	}
}

/* Inodes are elements. */
static void stat_file_system(const struct item *root, struct statvfs *st)
{
	const struct object *object = root->data;
	const struct bpffs_info *info = &object->info;
	u64 free;

	if (!bpffs_count_free(info, &free))
		return;
	st->f_files = info->max_entries;
	st->f_ffree = free;
	st->f_favail = st->f_ffree;
}

const struct dir_kind root_kind = {
	.stat = stat_root,
	.look_up = look_up,
	.begin_list = begin_list,
	.list = list,
	.end_list = end_list,
	.create = create,
	.unlink = remove_element,
	.rmdir = remove_inner,
	.statfs = stat_file_system,
	.forget = object_forget,
};

void root_item(struct object *object, struct item *item)
{
	if (object->kind != BPFFS_MAP)
		item->dir = &attributes_root_kind;
	else if (bpffs_map_can(&object->info, BPFFS_IS_QUEUE))
		item->dir = &queue_kind;
	else
		item->dir = &root_kind;
	item->data = object;
}
