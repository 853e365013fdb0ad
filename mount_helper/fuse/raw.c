// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* .bpf/raw, whose bytes core/raw.c makes and takes, as front.c asks for them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "../../fs/core/raw.h"
#include "object.h"

/* An open stream; the lock serializes what is done to it. */
struct raw_file {
	struct object *object;
	pthread_mutex_t lock;
	struct bpffs_raw raw;
};

int raw_open(struct object *object, void **open)
{
	struct raw_file *opened = calloc(1, sizeof(*opened));
	int err;

	if (!opened)
		return -ENOMEM;
	err = bpffs_raw_begin(&object->info, &opened->raw, NULL);
	if (err) {
		free(opened);
		return err;
	}
	opened->object = object;
	pthread_mutex_init(&opened->lock, NULL);
	*open = opened;
	return 0;
}

ssize_t raw_read(void *open, void *buf, size_t size, off_t offset)
{
	struct raw_file *opened = open;
	ssize_t ret;

	(void)offset;
	pthread_mutex_lock(&opened->lock);
	ret = bpffs_raw_read(&opened->object->info, &opened->raw, buf, size);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

ssize_t raw_write(void *open, const void *buf, size_t size, off_t offset)
{
	struct raw_file *opened = open;
	ssize_t ret;

	(void)offset;
	pthread_mutex_lock(&opened->lock);
	ret = bpffs_raw_write(&opened->object->info, &opened->raw, buf, size);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

/* To the process that has written last, that the stream has no end. */
int raw_flush(void *open, bool by_user)
{
	struct raw_file *opened = open;
	int err = 0;

	pthread_mutex_lock(&opened->lock);
	if (by_user)
		err = bpffs_raw_flush(&opened->object->info, &opened->raw);
	pthread_mutex_unlock(&opened->lock);
	return err;
}

void raw_close(void *open)
{
	struct raw_file *opened = open;

	bpffs_raw_end(&opened->object->info, &opened->raw);
	pthread_mutex_destroy(&opened->lock);
	free(opened);
}
