// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* .bpf: what the object is, a file each; and the whole map in one, the table. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

/* The texts are longer by far only of a map of many refusals. */
#define TEXT_ROOM	4096

/* An item's data. */
struct attribute {
	struct object *object;
	unsigned int number;
};

static const struct {
	const char *name;
	unsigned short mode;
} attributes[] = {
	{ "table", 0666 },
	{ "error", 0444 },
};

enum { TABLE, ERROR };

static bool has_attribute(const struct bpffs_info *info, unsigned int number)
{
	return number != TABLE || (info->key && info->value);
}

static int stat_attribute(const struct item *item, void *open, struct stat *st)
{
	const struct attribute *attribute = item->data;
	const struct object *object = attribute->object;

	(void)open;
	object_stat(object, st, S_IFREG | (object->info.mode & attributes[attribute->number].mode),
		    BPFFS_INO_ATTR + attribute->number);
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
	struct object *object;
	pthread_mutex_t lock;
	struct seq_file seq;
};

static int open_text(const struct item *item, int flags, void **open)
{
	const struct attribute *attribute = item->data;
	struct text_file *opened = calloc(1, sizeof(*opened));

	(void)flags;
	if (!opened)
		return -ENOMEM;
	opened->object = attribute->object;
	pthread_mutex_init(&opened->lock, NULL);
	*open = opened;
	return 0;
}

static int make_text(struct text_file *opened)
{
	struct seq_file *seq = &opened->seq;
	size_t room = seq->size ?: TEXT_ROOM;

	for (;; room *= 2) {
		free(seq->buf);
		*seq = (struct seq_file) { malloc(room), room, 0 };
		if (!seq->buf)
			return -ENOMEM;
		bpffs_errors_show(&opened->object->info.errors, seq);
		if (seq->count < seq->size)
			return 0;
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

/* --- The table --- */

static int open_table(const struct item *item, int flags, void **open)
{
	const struct attribute *attribute = item->data;

	(void)flags;
	return table_open(attribute->object, open);
}

static const struct file_kind table_kind = {
	.stat = stat_attribute,
	.open = open_table,
	.read = table_read,
	.write = table_write,
	.flush = table_flush,
	.close = table_close,
	.forget = forget_attribute,
};

/* --- Their directory --- */

static int stat_directory(const struct item *item, struct stat *st)
{
	const struct object *object = item->data;
	mode_t mode = object->info.mode & 0444;

	object_stat(object, st, S_IFDIR | mode | mode >> 2, BPFFS_INO_DOT_BPF);
	return 0;
}

static int look_up(const struct item *dir, const char *name, struct item *found)
{
	struct object *object = dir->data;
	struct attribute *attribute;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attributes); i++)
		if (!strcmp(attributes[i].name, name) && has_attribute(&object->info, i))
			break;
	if (i == ARRAY_SIZE(attributes))
		return -ENOENT;
	attribute = malloc(sizeof(*attribute));
	if (!attribute)
		return -ENOMEM;
	attribute->object = object_get(object);
	attribute->number = i;
	found->file = i == TABLE ? &table_kind : &text_kind;
	found->data = attribute;
	return 0;
}

static void *begin_list(const struct item *dir, int *err)
{
	*err = 0;
	return object_get(dir->data);
}

static void list(void *data, uint64_t from, item_found found, void *to)
{
	const struct object *object = data;
	uint64_t seen = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(attributes); i++)
		if (has_attribute(&object->info, i) && seen++ >= from &&
		    !found(to, attributes[i].name, BPFFS_INO_ATTR + i, S_IFREG))
			break;
}

static void put_object(void *data)
{
	object_put(data);
}

static const struct dir_kind directory_kind = {
	.stat = stat_directory,
	.look_up = look_up,
	.begin_list = begin_list,
	.list = list,
	.end_list = put_object,
	.forget = put_object,
};

void attributes_item(struct object *object, struct item *item)
{
	item->dir = &directory_kind;
	item->data = object_get(object);
}
