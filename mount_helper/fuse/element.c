// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The file of an element: what core/element.c says, as front.c asks it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "object.h"

/* An item's data is the key, behind the object that it is of. */
struct element {
	struct object *object;
	__u8 key[];
};

/* An open element; the lock serializes what is done to it. */
struct open_element {
	struct object *object;
	const void *key;
	pthread_mutex_t lock;
	struct bpffs_open core;
};

static bool has_size(const struct bpffs_info *info)
{
	return bpffs_map_can(info, BPFFS_CAN_READ) &&
	       bpffs_shape_bytes(&info->shape) <= BPFFS_VALUE_MAX;
}

/* Size and time of an open file are those of its sample. */
static int stat_open(struct open_element *opened, struct stat *st, u64 *size)
{
	int err = bpffs_open_size(&opened->object->info, opened->key, &opened->core, size);

	if (opened->core.sampled) {
		st->st_mtim.tv_sec = opened->core.sampled_at / 1000000000;
		st->st_mtim.tv_nsec = opened->core.sampled_at % 1000000000;
	}
	if (err != -ENOENT)
		return err;
	st->st_nlink = 0;
	return 0;
}

static int stat_element(const struct item *item, void *open, struct stat *st)
{
	const struct element *element = item->data;
	const struct bpffs_info *info = &element->object->info;
	struct open_element *opened = open;
	u64 size = 0;
	int err;

	object_stat(element->object, st, S_IFREG | (info->mode & 0666),
		    bpffs_key_ino(info, element->key));
	clock_gettime(CLOCK_REALTIME_COARSE, &st->st_mtim);
	/* Too big for a text, or not to be read: no size, as files of /proc. */
	if (!has_size(info))
		return 0;
	/* In the middle of a read or write, its sample is about to change anyway. */
	if (opened && !pthread_mutex_trylock(&opened->lock)) {
		err = stat_open(opened, st, &size);
		pthread_mutex_unlock(&opened->lock);
	} else {
		err = bpffs_element_size(info, element->key, &size);
	}
	st->st_size = size;
	st->st_blocks = (size + 511) / 512;
	return err;
}

static int change_element(const struct item *item, void *open, off_t size)
{
	const struct element *element = item->data;
	struct open_element *opened = open;
	bool zero = false;
	int err = 0;

	if (!opened)
		return size > 0 ? -EINVAL : 0;
	pthread_mutex_lock(&opened->lock);
	if (size >= 0)
		err = bpffs_open_truncate(&opened->core, size);
	else
		zero = bpffs_open_claims_zero(&opened->core);
	pthread_mutex_unlock(&opened->lock);
	return zero ? bpffs_store_zero(&element->object->info, element->key) : err;
}

static int open_element(const struct item *item, int flags, void **open)
{
	const struct element *element = item->data;
	struct bpffs_info *info = &element->object->info;
	int there = bpffs_map_has(info, element->key);
	struct open_element *opened;
	int err;

	if (there < 0)
		return there;
	if (!there && !(flags & O_CREAT))
		return -ENOENT;
	/* Others may have made it since it was looked up. */
	if (there && flags & O_CREAT && flags & O_EXCL)
		return -EEXIST;
	if (bpffs_shape_bytes(&info->shape) > BPFFS_VALUE_MAX)
		return -EFBIG;
	err = object_check_open(element->object, flags);
	if (err)
		return err;
	opened = calloc(1, sizeof(*opened) + bpffs_open_room(info));
	if (!opened)
		return -ENOMEM;
	opened->object = element->object;
	opened->key = element->key;
	pthread_mutex_init(&opened->lock, NULL);
	bpffs_open_begin(info, &opened->core, flags, !there);
	*open = opened;
	return 0;
}

static ssize_t read_element(void *open, void *buf, size_t size, off_t offset)
{
	struct open_element *opened = open;
	struct iov_iter to = { buf, size };
	loff_t pos = offset;
	ssize_t ret;

	pthread_mutex_lock(&opened->lock);
	ret = bpffs_open_read(&opened->object->info, opened->key, &opened->core, &pos, &to);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

static ssize_t write_element(void *open, const void *buf, size_t size, off_t offset)
{
	struct open_element *opened = open;
	struct iov_iter from = { (char *)buf, size };
	int err;

	pthread_mutex_lock(&opened->lock);
	err = bpffs_open_write(&opened->object->info, opened->key, &opened->core, offset, &from);
	pthread_mutex_unlock(&opened->lock);
	return err ?: (ssize_t)size;
}

/* What is to be there when close(2) returns. */
static int flush_element(void *open, bool by_user)
{
	struct open_element *opened = open;

	pthread_mutex_lock(&opened->lock);
	if (by_user && opened->core.zero_on_close && bpffs_open_claims_zero(&opened->core))
		bpffs_store_zero(&opened->object->info, opened->key);
	pthread_mutex_unlock(&opened->lock);
	return 0;
}

static void close_element(void *open)
{
	struct open_element *opened = open;

	bpffs_open_end(&opened->object->info, opened->key, &opened->core, false);
	pthread_mutex_destroy(&opened->lock);
	free(opened);
}

static void forget_element(void *data)
{
	struct element *element = data;

	object_put(element->object);
	free(element);
}

static const struct file_kind element_kind = {
	.is_sampled = true,
	.stat = stat_element,
	.change = change_element,
	.open = open_element,
	.read = read_element,
	.write = write_element,
	.flush = flush_element,
	.close = close_element,
	.forget = forget_element,
};

int element_item(struct object *object, const void *key, struct item *item)
{
	u32 size = bpffs_key_size(&object->info);
	struct element *element = malloc(sizeof(*element) + size);

	if (!element)
		return -ENOMEM;
	element->object = object_get(object);
	memcpy(element->key, key, size);
	item->file = &element_kind;
	item->data = element;
	return 0;
}
