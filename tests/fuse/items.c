// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file system of a few numbers, for the front of bpffs-fuse: what the kernel asks,
 * and when, is what is tested, and not what a map answers. "sub" is a directory, whose
 * identity changes with the number of "turn", and "stream" cannot be sought.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "items.h"
#include "serve.h"

#define SLOTS	128

struct slot {
	char name[32];
	long number;
	bool exists;
};

struct opened {
	struct slot *slot;
	long sample;
	bool sampled;
	bool may_make;
	bool excl;
	bool written;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot slots[SLOTS];
static uid_t uid;
static gid_t gid;

static struct slot *find(const char *name, bool add)
{
	int i;

	for (i = 0; i < SLOTS && *slots[i].name; i++)
		if (!strcmp(slots[i].name, name))
			return &slots[i];
	if (!add || i == SLOTS)
		return NULL;
	snprintf(slots[i].name, sizeof(slots[i].name), "%s", name);
	return &slots[i];
}

static int text_of(long number, char *text, size_t size)
{
	return snprintf(text, size, "%ld\n", number);
}

static int stat_number(const struct item *item, void *open, struct stat *st)
{
	const struct slot *slot = item->data;
	const struct opened *opened = open;
	char text[32];

	pthread_mutex_lock(&lock);
	st->st_mode = S_IFREG | 0644;
	st->st_ino = 64 + (slot - slots);
	st->st_uid = uid;
	st->st_gid = gid;
	st->st_size = text_of(opened && opened->sampled ? opened->sample : slot->number, text,
			      sizeof(text));
	pthread_mutex_unlock(&lock);
	return 0;
}

/* touch(1) sets a time, and makes what is not there. */
static int change_number(const struct item *item, void *open, off_t size)
{
	struct slot *slot = item->data;
	struct opened *opened = open;

	if (size > 0)
		return -EINVAL;
	pthread_mutex_lock(&lock);
	if (size < 0 && opened && opened->may_make && !slot->exists) {
		slot->number = 0;
		slot->exists = true;
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

static int open_number(const struct item *item, int flags, void **open)
{
	struct slot *slot = item->data;
	struct opened *opened;
	bool exists;

	pthread_mutex_lock(&lock);
	exists = slot->exists;
	pthread_mutex_unlock(&lock);
	if (!exists && !(flags & O_CREAT))
		return -ENOENT;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return -ENOMEM;
	opened->slot = slot;
	opened->may_make = flags & O_CREAT;
	opened->excl = flags & O_EXCL;
	*open = opened;
	return 0;
}

static ssize_t read_number(void *open, void *buf, size_t size, off_t offset)
{
	struct opened *opened = open;
	char text[32];
	int len;

	pthread_mutex_lock(&lock);
	if (!offset) {
		opened->sample = opened->slot->number;
		opened->sampled = true;
	}
	len = opened->slot->exists ? text_of(opened->sample, text, sizeof(text)) : -ENOENT;
	pthread_mutex_unlock(&lock);
	if (len < 0 || offset >= len)
		return len < 0 ? len : 0;
	if (size > (size_t)(len - offset))
		size = len - offset;
	memcpy(buf, text + offset, size);
	return size;
}

static ssize_t write_number(void *open, const void *buf, size_t size, off_t offset)
{
	struct opened *opened = open;
	struct slot *slot = opened->slot;
	char text[32] = "";
	ssize_t ret = size;

	if (offset || size >= sizeof(text))
		return -EINVAL;
	memcpy(text, buf, size);
	pthread_mutex_lock(&lock);
	if (slot->exists ? opened->excl && !opened->written : !opened->may_make) {
		ret = slot->exists ? -EEXIST : -ENOENT;
	} else {
		slot->number = strtol(text, NULL, 10);
		slot->exists = true;
		opened->written = true;
	}
	pthread_mutex_unlock(&lock);
	return ret;
}

static int flush_number(void *open, bool by_opener)
{
	struct opened *opened = open;
	int err = 0;

	pthread_mutex_lock(&lock);
	if (by_opener && opened->may_make && !opened->written && !opened->slot->exists) {
		opened->slot->number = 0;
		opened->slot->exists = true;
	}
	if (opened->written && opened->slot->number == 1313)
		err = -EIO;
	pthread_mutex_unlock(&lock);
	return err;
}

static const struct file_kind number_kind = {
	.stat = stat_number,
	.change = change_number,
	.open = open_number,
	.read = read_number,
	.write = write_number,
	.flush = flush_number,
	.close = free,
};

static int stat_stream(const struct item *item, void *open, struct stat *st)
{
	(void)item;
	(void)open;
	st->st_mode = S_IFREG | 0444;
	st->st_ino = 5;
	return 0;
}

static int open_stream(const struct item *item, int flags, void **open)
{
	(void)item;
	(void)flags;
	*open = calloc(1, 1);
	return *open ? 0 : -ENOMEM;
}

static ssize_t read_stream(void *open, void *buf, size_t size, off_t offset)
{
	(void)open;
	(void)offset;
	if (!size)
		return 0;
	*(char *)buf = '\n';
	return 1;
}

static const struct file_kind stream_kind = {
	.is_stream = true,
	.stat = stat_stream,
	.open = open_stream,
	.read = read_stream,
	.close = free,
};

static int stat_dir(const struct item *item, struct stat *st)
{
	st->st_mode = S_IFDIR | 0755;
	st->st_ino = item->identity + 1;
	st->st_nlink = 2;
	st->st_uid = uid;
	st->st_gid = gid;
	return 0;
}

static const struct dir_kind sub_kind = {
	.stat = stat_dir,
};

static int look_up(const struct item *dir, const char *name, struct item *found)
{
	int err = 0;

	(void)dir;
	pthread_mutex_lock(&lock);
	if (!strcmp(name, "stream")) {
		found->file = &stream_kind;
	} else if (!strcmp(name, "sub")) {
		found->dir = &sub_kind;
		found->identity = 1000 + (find("turn", false) ? find("turn", false)->number : 0);
	} else {
		found->file = &number_kind;
		found->data = find(name, false);
		err = found->data && ((struct slot *)found->data)->exists ? 0 : -ENOENT;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

static int create(const struct item *dir, const char *name, struct item *made)
{
	(void)dir;
	if (strlen(name) >= sizeof(slots[0].name))
		return -EINVAL;
	pthread_mutex_lock(&lock);
	made->file = &number_kind;
	made->data = find(name, true);
	pthread_mutex_unlock(&lock);
	return made->data ? 0 : -ENOSPC;
}

static int remove_number(const struct item *dir, const char *name)
{
	struct slot *slot;
	int err = -ENOENT;

	(void)dir;
	pthread_mutex_lock(&lock);
	slot = find(name, false);
	if (slot && slot->exists) {
		slot->exists = false;
		err = 0;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

/* A copy, as a moment's keys are. */
static void *begin_list(const struct item *dir, int *err)
{
	struct slot *copy = malloc(sizeof(slots));
	int i, count = 0;

	(void)dir;
	if (!copy) {
		*err = -ENOMEM;
		return NULL;
	}
	pthread_mutex_lock(&lock);
	for (i = 0; i < SLOTS; i++)
		if (slots[i].exists)
			copy[count++] = slots[i];
	pthread_mutex_unlock(&lock);
	if (count < SLOTS)
		copy[count].name[0] = '\0';
	return copy;
}

static void list(void *names, uint64_t from, item_found found, void *to)
{
	struct slot *copy = names;

	for (; from < SLOTS && *copy[from].name; from++)
		if (!found(to, copy[from].name, 64 + from, S_IFREG))
			return;
}

static const struct dir_kind root_kind = {
	.stat = stat_dir,
	.look_up = look_up,
	.begin_list = begin_list,
	.list = list,
	.end_list = free,
	.create = create,
	.unlink = remove_number,
};

int items_open(struct item *root, uint64_t *capabilities, const struct front_options *options,
	       char *refusal, size_t size)
{
	(void)options;
	(void)refusal;
	(void)size;
	*capabilities = 0;
	root->dir = &root_kind;
	uid = getuid();
	gid = getgid();
	return 0;
}

void items_close(struct item *root)
{
	(void)root;
}
