// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* .bpf: what the object is, a file each; and the whole map in one. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../fs/core/attributes.h"
#include "object.h"

/* The first room for a text; it is doubled until the text fits. */
#define TEXT_ROOM	4096

/* An item's data. */
struct attribute {
	struct object *object;
	unsigned int number;
};

static int stat_attribute(const struct item *item, void *open, struct stat *st)
{
	const struct attribute *attribute = item->data;
	const struct bpffs_info *info = &attribute->object->info;

	(void)open;
	object_stat(attribute->object, st, S_IFREG | bpffs_attr_mode(info, attribute->number),
		    bpffs_attr_ino(info, attribute->number));
	return 0;
}

static void forget_attribute(void *data)
{
	struct attribute *attribute = data;

	object_put(attribute->object);
	free(attribute);
}

/* --- Texts: each is that of the moment when its reader begins, or begins again --- */

struct text_file {
	const struct attribute *attribute;
	pthread_mutex_t lock;
	struct seq_file seq;
};

static int open_text(const struct item *item, int flags, void **open)
{
	struct text_file *opened = calloc(1, sizeof(*opened));

	(void)flags;
	if (!opened)
		return -ENOMEM;
	opened->attribute = item->data;
	pthread_mutex_init(&opened->lock, NULL);
	*open = opened;
	return 0;
}

static int make_text(struct text_file *opened)
{
	const struct attribute *attribute = opened->attribute;
	struct seq_file *seq = &opened->seq;
	size_t room;
	int err;

	for (room = TEXT_ROOM;; room *= 2) {
		free(seq->buf);
		*seq = (struct seq_file) { malloc(room), room, 0 };
		if (!seq->buf)
			return -ENOMEM;
		err = bpffs_attr_show(&attribute->object->info, attribute->number, seq);
		if (err || !seq_has_overflowed(seq))
			return err;
	}
}

static ssize_t read_text(void *open, void *buf, size_t size, off_t offset)
{
	struct text_file *opened = open;
	ssize_t ret = 0;

	pthread_mutex_lock(&opened->lock);
	if (!offset || !opened->seq.buf)
		ret = make_text(opened);
	if (!ret && (size_t)offset < opened->seq.count) {
		ret = min(size, opened->seq.count - offset);
		memcpy(buf, opened->seq.buf + offset, ret);
	}
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

static void close_text(void *open)
{
	struct text_file *opened = open;

	free(opened->seq.buf);
	pthread_mutex_destroy(&opened->lock);
	free(opened);
}

static const struct file_kind text_kind = {
	.stat = stat_attribute,
	.open = open_text,
	.read = read_text,
	.close = close_text,
	.forget = forget_attribute,
};

/* --- The whole map --- */

static int open_table(const struct item *item, int flags, void **open)
{
	const struct attribute *attribute = item->data;

	return object_check_open(attribute->object, flags) ?:
	       table_open(attribute->object, open);
}

static const struct file_kind table_kind = {
	.end_error = -ESPIPE,
	.stat = stat_attribute,
	.open = open_table,
	.read = table_read,
	.write = table_write,
	.flush = table_flush,
	.close = table_close,
	.forget = forget_attribute,
};

static int open_raw(const struct item *item, int flags, void **open)
{
	const struct attribute *attribute = item->data;

	return object_check_open(attribute->object, flags) ?:
	       raw_open(attribute->object, open);
}

static const struct file_kind raw_kind = {
	.is_stream = true,
	.stat = stat_attribute,
	.open = open_raw,
	.read = raw_read,
	.write = raw_write,
	.flush = raw_flush,
	.close = raw_close,
	.forget = forget_attribute,
};

/* --- Their directory --- */

static int stat_directory(const struct item *item, struct stat *st)
{
	const struct object *object = item->data;

	object_stat(object, st, S_IFDIR | bpffs_attr_dir_mode(&object->info),
		    bpffs_salted_ino(&object->info, BPFFS_INO_DOT_BPF));
	return 0;
}

static int stat_root(const struct item *item, struct stat *st)
{
	const struct object *object = item->data;

	object_stat(object, st, S_IFDIR | bpffs_attr_dir_mode(&object->info), BPFFS_INO_ROOT);
	return 0;
}

static const struct file_kind * const kinds[] = {
	[BPFFS_ATTR_TEXT]	= &text_kind,
	[BPFFS_ATTR_TABLE]	= &table_kind,
	[BPFFS_ATTR_RAW]	= &raw_kind,
};

static bool is_here(const struct bpffs_info *info, unsigned int number)
{
	enum bpffs_attr_file file = bpffs_attr_file(number);

	return bpffs_attr_has(info, number) && file < ARRAY_SIZE(kinds) && kinds[file];
}

static int look_up(const struct item *dir, const char *name, struct item *found)
{
	struct object *object = dir->data;
	unsigned int number = bpffs_attr_find(&object->info, name, strlen(name));
	struct attribute *attribute;

	if (number == BPFFS_ATTRS || !is_here(&object->info, number))
		return -ENOENT;
	attribute = malloc(sizeof(*attribute));
	if (!attribute)
		return -ENOMEM;
	attribute->object = object_get(object);
	attribute->number = number;
	found->file = kinds[bpffs_attr_file(number)];
	found->data = attribute;
	return 0;
}

static void list(void *data, uint64_t from, item_found found, void *to)
{
	const struct object *object = data;
	unsigned int number;
	uint64_t seen = 0;

	for (number = 0; number < BPFFS_ATTRS; number++)
		if (is_here(&object->info, number) && seen++ >= from &&
		    !found(to, bpffs_attr_name(number), bpffs_attr_ino(&object->info, number),
			   S_IFREG))
			break;
}

const struct dir_kind attributes_kind = {
	.stat = stat_directory,
	.look_up = look_up,
	.begin_list = object_begin_list,
	.list = list,
	.end_list = object_forget,
	.forget = object_forget,
};

const struct dir_kind attributes_root_kind = {
	.stat = stat_root,
	.look_up = look_up,
	.begin_list = object_begin_list,
	.list = list,
	.end_list = object_forget,
	.forget = object_forget,
};

void attributes_item(struct object *object, struct item *item)
{
	item->dir = &attributes_kind;
	/* Of an inner map, another can take its place. */
	item->identity = object->info.salt ? object->id : 0;
	item->data = object_get(object);
}
