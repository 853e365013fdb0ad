// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* .bpf/table, whose lines core/table.c makes and takes, as front.c asks for them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "../../fs/core/table.h"
#include "object.h"

/* An open table; the lock serializes what is done to it. */
struct table_file {
	struct object *object;
	pthread_mutex_t lock;
	struct bpffs_table table;
};

int table_open(struct object *object, void **open)
{
	struct table_file *opened = calloc(1, sizeof(*opened));
	int err;

	if (!opened)
		return -ENOMEM;
	err = bpffs_table_begin(&object->info, &opened->table, NULL);
	if (err) {
		free(opened);
		return err;
	}
	opened->object = object;
	pthread_mutex_init(&opened->lock, NULL);
	*open = opened;
	return 0;
}

ssize_t table_read(void *open, void *buf, size_t size, off_t offset)
{
	struct table_file *opened = open;
	struct iov_iter to = { buf, size };
	loff_t pos = offset;
	ssize_t ret;

	pthread_mutex_lock(&opened->lock);
	ret = bpffs_table_read(&opened->object->info, &opened->table, &pos, &to);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

ssize_t table_write(void *open, const void *buf, size_t size, off_t offset)
{
	struct table_file *opened = open;
	struct iov_iter from = { (char *)buf, size };
	loff_t pos = offset;
	ssize_t ret;

	pthread_mutex_lock(&opened->lock);
	ret = bpffs_table_write(&opened->object->info, &opened->table, &pos, &from);
	pthread_mutex_unlock(&opened->lock);
	return ret;
}

/* What an LRU map evicted, to the process that has written last. */
int table_flush(void *open, bool by_user)
{
	struct table_file *opened = open;
	int err = 0;

	pthread_mutex_lock(&opened->lock);
	if (by_user)
		err = bpffs_table_flush(&opened->object->info, &opened->table);
	pthread_mutex_unlock(&opened->lock);
	return err;
}

void table_close(void *open)
{
	struct table_file *opened = open;

	bpffs_table_end(&opened->object->info, &opened->table);
	pthread_mutex_destroy(&opened->lock);
	free(opened);
}
