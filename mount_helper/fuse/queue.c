// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The directory of a queue or a stack, and its files: core/queue.c, as front.c asks it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../../fs/core/queue.h"
#include "object.h"

/* An item's data. */
struct queue_item {
	struct object *object;
	enum bpffs_queue_file file;
};

/* An open peek, pop or push; the lock serializes what is done to it. */
struct queue_file {
	struct object *object;
	pthread_mutex_t lock;
	struct bpffs_queue_open open;
};

static mode_t mode_of(const struct bpffs_info *info, enum bpffs_queue_file file)
{
	return S_IFREG | (info->mode & bpffs_queue_mode(file));
}

static int stat_file(const struct item *item, void *open, struct stat *st)
{
	const struct queue_item *queue = item->data;

	(void)open;
	object_stat(queue->object, st, mode_of(&queue->object->info, queue->file),
		    bpffs_salted_ino(&queue->object->info, BPFFS_INO_QUEUE + queue->file));
	return 0;
}

static int open_file(const struct item *item, int flags, void **open)
{
	const struct queue_item *queue = item->data;
	struct queue_file *opened;
	int err;

	err = bpffs_queue_may_open(&queue->object->info, queue->file,
				   (flags & O_ACCMODE) != O_WRONLY,
				   (flags & O_ACCMODE) != O_RDONLY);
	if (err)
		return err;
	err = object_check_open(queue->object, flags);
	if (err)
		return err;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return -ENOMEM;
	opened->object = queue->object;
	opened->open.pops = queue->file == BPFFS_POP;
	pthread_mutex_init(&opened->lock, NULL);
	*open = opened;
	return 0;
}

static ssize_t read_file(void *open, void *buf, size_t size, off_t offset)
{
	struct queue_file *opened = open;
	struct iov_iter to = { buf, size };
	loff_t pos = offset;
	ssize_t ret;

	pthread_mutex_lock(&opened->lock);
	ret = bpffs_queue_read(&opened->object->info, &opened->open, &pos, &to);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

/* What was popped for a reader who was killed before it came. */
static void lose(void *open)
{
	struct queue_file *opened = open;

	pthread_mutex_lock(&opened->lock);
	opened->open.owed = opened->open.pops && opened->open.has;
	pthread_mutex_unlock(&opened->lock);
}

static ssize_t write_file(void *open, const void *buf, size_t size, off_t offset)
{
	struct queue_file *opened = open;
	struct iov_iter from = { (char *)buf, size };
	loff_t pos = offset;
	ssize_t ret;

	pthread_mutex_lock(&opened->lock);
	ret = bpffs_queue_write(&opened->object->info, &opened->open, &pos, &from);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

/*
 * A text without a final newline is complete when it is closed, and its element is to be
 * there then. What is not complete may go on, in another process.
 */
static int flush_file(void *open, bool by_user)
{
	struct queue_file *opened = open;
	struct bpffs_queue_open *queue = &opened->open;

	pthread_mutex_lock(&opened->lock);
	if (by_user && queue->parser) {
		bpffs_parse_pause(queue->parser, NULL);
		if (bpffs_parse_next_fresh(queue->parser, 0) != U64_MAX &&
		    bpffs_parse_all_fresh(queue->parser)) {
			bpffs_queue_end(&opened->object->info, queue, false);
			*queue = (struct bpffs_queue_open) { .next = queue->next };
		}
	}
	pthread_mutex_unlock(&opened->lock);
	return 0;
}

static void close_file(void *open)
{
	struct queue_file *opened = open;

	bpffs_queue_end(&opened->object->info, &opened->open, false);
	pthread_mutex_destroy(&opened->lock);
	free(opened);
}

static void forget_file(void *data)
{
	struct queue_item *queue = data;

	object_put(queue->object);
	free(queue);
}

static const struct file_kind take_kind = {
	.end_error = -EINVAL,
	.stat = stat_file,
	.open = open_file,
	.read = read_file,
	.lose = lose,
	.close = close_file,
	.forget = forget_file,
};

static const struct file_kind push_kind = {
	.stat = stat_file,
	.open = open_file,
	.write = write_file,
	.flush = flush_file,
	.close = close_file,
	.forget = forget_file,
};

/* --- The directory --- */

static int look_up(const struct item *dir, const char *name, struct item *found)
{
	struct object *object = dir->data;
	enum bpffs_queue_file file = bpffs_queue_find(name, strlen(name));
	struct queue_item *queue;

	if (!strcmp(name, ".bpf")) {
		attributes_item(object, found);
		return 0;
	}
	if (file == BPFFS_QUEUE_FILES)
		return -ENOENT;
	queue = malloc(sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->object = object_get(object);
	queue->file = file;
	found->file = file == BPFFS_PUSH ? &push_kind : &take_kind;
	found->data = queue;
	return 0;
}

static void list(void *data, uint64_t from, item_found found, void *to)
{
	const struct object *object = data;
	unsigned int i;

	for (i = from; i < BPFFS_QUEUE_FILES; i++)
		if (!found(to, bpffs_queue_name(i),
			   bpffs_salted_ino(&object->info, BPFFS_INO_QUEUE + i), S_IFREG))
			break;
}

static int stat_directory(const struct item *item, struct stat *st)
{
	const struct object *object = item->data;
	const struct bpffs_info *info = &object->info;

	object_stat(object, st, S_IFDIR | bpffs_dir_mode(info->mode), root_ino(info));
	return 0;
}

const struct dir_kind queue_kind = {
	.stat = stat_directory,
	.look_up = look_up,
	.begin_list = object_begin_list,
	.list = list,
	.end_list = object_forget,
	.forget = object_forget,
};
