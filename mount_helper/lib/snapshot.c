// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* -o snapshot: a frozen copy of a map, which is then mounted in its place. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "internal.h"
#include "object.h"
#include "types.h"

/* The kernel's own, which bpf(2) returns nevertheless. */
#ifndef ENOTSUPP
#define ENOTSUPP	524
#endif

/* Bytes of keys and values in one batch; a larger bucket makes it more. */
#define BATCH_BYTES	(1U << 20)

/* A copy that a writer got ahead of is begun again. */
#define COPIES_MAX	8

/* Elements that get no memory at once: 1 ms each time. */
#define WAITS_MAX	1000

void (*libbpffs_on_copy)(unsigned long long count, unsigned long long total);

/**
 * struct copy - a map on its way into another
 * @from: the map
 * @to: the new one
 * @info: of @from
 * @lock: the values have a lock, with which each is read as a whole
 * @elem_size: of a key and a value, those of all CPUs
 * @batch: elements at once
 * @keys: of the batch
 * @values: of the batch
 * @cursor: where the next batch begins
 */
struct copy {
	int from;
	int to;
	struct bpf_map_info info;
	bool lock;
	size_t elem_size;
	__u32 batch;
	char *keys;
	char *values;
	char *cursor;
};

static int refuse(int err, const char *what)
{
	if (err == EPERM)
		return libbpffs_refuse(err, "snapshot: %s: no permission", what);
	return libbpffs_refuse(err, "snapshot: %s: %s", what, strerror(err));
}

/* --- The other map --- */

/*
 * An LRU map may throw elements away long before it is full, and a frozen map
 * takes no new ones: what it holds, the same map without LRU holds as well.
 */
static enum bpf_map_type type_of_copy(const struct copy *copy, __u32 *flags)
{
	/* The node itself is not told. */
	*flags = copy->info.map_flags & ~BPF_F_NUMA_NODE;
	switch (copy->info.type) {
	case BPF_MAP_TYPE_LRU_HASH:
		*flags &= ~BPF_F_NO_COMMON_LRU;
		return BPF_MAP_TYPE_HASH;
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		*flags &= ~BPF_F_NO_COMMON_LRU;
		return BPF_MAP_TYPE_PERCPU_HASH;
	default:
		return copy->info.type;
	}
}

/* A map like @copy->from, with the types of @btf_fd unless that is 0. */
static int create_like(const struct copy *copy, int btf_fd, __u32 max_entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_extra = copy->info.map_extra);
	const struct bpf_map_info *info = &copy->info;
	enum bpf_map_type type;

	type = type_of_copy(copy, &opts.map_flags);
	if (btf_fd) {
		opts.btf_fd = btf_fd;
		opts.btf_key_type_id = info->btf_key_type_id;
		opts.btf_value_type_id = info->btf_value_type_id;
	}
	return bpf_map_create(type, info->name, info->key_size, info->value_size,
			      max_entries, &opts);
}

/*
 * Timers, pointers to kernel objects and the like: that a map has these, and
 * cannot be frozen then, the kernel tells of a small one.
 */
static int check_freezable(const struct copy *copy, int btf_fd)
{
	int fd = create_like(copy, btf_fd, 1);
	int err;

	if (fd < 0)
		return refuse(errno, "making a map");
	err = bpf_map_freeze(fd);
	close(fd);
	return err;
}

/* Return: a descriptor, or 0: none. */
static int open_btf(struct copy *copy)
{
	int fd, err;

	if (!copy->info.btf_id)
		return 0;
	fd = bpf_btf_get_fd_by_id(copy->info.btf_id);
	if (fd < 0)
		return refuse(errno, "the types of the map");
	err = check_freezable(copy, fd);
	if (!err)
		return fd;
	close(fd);
	if (err != -ENOTSUPP)
		return err;
	/* Newer kernels say so of locks; untyped, these are bytes like others. */
	if (copy->lock)
		return 0;
	return libbpffs_refuse(EOPNOTSUPP,
			       "snapshot: the values have timers or pointers of the kernel, which cannot be copied");
}

/* --- Its elements --- */

static int make_room(struct copy *copy, __u32 batch)
{
	size_t key_size = copy->info.key_size;
	char *keys = NULL, *values = NULL;

	if (batch > copy->batch) {
		keys = calloc(batch, key_size);
		values = calloc(batch, copy->elem_size - key_size);
	}
	if (!keys || !values) {
		free(keys);
		free(values);
		return refuse(ENOMEM, "copying");
	}
	free(copy->keys);
	free(copy->values);
	copy->keys = keys;
	copy->values = values;
	copy->batch = batch;
	return 0;
}

/* -EAGAIN, of which the caller makes something: there are more than fit. */
static int put_batch(struct copy *copy, __u32 count)
{
	size_t key_size = copy->info.key_size;
	size_t value_size = copy->elem_size - key_size;
	unsigned int waits = 0;
	__u32 done = 0, n;
	int err;

	while (done < count) {
		n = count - done;
		err = bpf_map_update_batch(copy->to, copy->keys + done * key_size,
					   copy->values + done * value_size, &n, NULL);
		if (!err)
			return 0;
		if (n < count - done)
			done += n;
		if (err == -E2BIG || err == -ENOSPC)
			return -EAGAIN;
		/* Memory for an element is taken without waiting for any. */
		if (err != -ENOMEM || waits++ == WAITS_MAX)
			return refuse(-err, "copying");
		usleep(1000);
	}
	return 0;
}

/* Of others, nobody knows how many elements there are. */
static bool is_full(__u32 type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static void tell(__u64 count, __u64 total)
{
	if (libbpffs_on_copy)
		libbpffs_on_copy(count, total);
}

static int copy_elements(struct copy *copy)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = copy->lock ? BPF_F_LOCK : 0);
	/* Of some types, a key that is deleted makes the walk begin again. */
	__u64 left = 8ULL * copy->info.max_entries + 65536;
	bool begun = false;
	__u32 count;
	int err, ret;

	tell(0, is_full(copy->info.type) ? copy->info.max_entries : 0);
	do {
		count = copy->batch;
		err = bpf_map_lookup_batch(copy->from, begun ? copy->cursor : NULL,
					   copy->cursor, copy->keys, copy->values, &count,
					   &opts);
		if (err == -ENOSPC) {
			ret = make_room(copy, copy->batch * 2);
			if (ret)
				return ret;
			continue;
		}
		/* Older kernels give up where an element goes away. */
		if (err && err != -ENOENT && err != -EINTR)
			return refuse(-err, "copying");
		if (count > left)
			return -EAGAIN;
		left -= count ?: 1;
		begun |= count > 0;
		ret = put_batch(copy, count);
		if (ret)
			return ret;
		if (count)
			tell(count, 0);
	} while (err != -ENOENT);
	return 0;
}

static int copy_map(struct copy *copy, int btf_fd)
{
	int i, err = -EAGAIN;

	for (i = 0; i < COPIES_MAX && err == -EAGAIN; i++) {
		copy->to = create_like(copy, btf_fd, copy->info.max_entries);
		if (copy->to < 0)
			return refuse(errno, "making a map");
		err = copy_elements(copy);
		if (err)
			close(copy->to);
	}
	if (err == -EAGAIN)
		return libbpffs_refuse(EAGAIN, "snapshot: the map changes too fast");
	return err;
}

/* --- What can be copied --- */

static int refuse_type(__u32 type)
{
	const char *name = libbpf_bpf_map_type_str(type);

	if (type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS)
		return libbpffs_refuse(EOPNOTSUPP,
				       "snapshot: of a map of maps, the maps inside would go on changing");
	return libbpffs_refuse(EOPNOTSUPP,
			       "snapshot: a map of type %s cannot be copied in batches here",
			       name ?: "that is unknown");
}

/* With no room for any element, a batch tells only whether it could be done. */
static int check_batches(struct copy *copy)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_F_LOCK);
	__u32 count = 0;
	int err;

	/* Keys, values, and batches of them. */
	if (!(bpffs_type_can(copy->info.type) & BPFFS_CAN_STREAM))
		return refuse_type(copy->info.type);
	err = bpf_map_lookup_batch(copy->from, NULL, copy->cursor, copy->keys, copy->values,
				   &count, &opts);
	copy->lock = !err;
	if (!err || err == -EINVAL)
		return 0;
	if (err == -ENOTSUPP)
		return refuse_type(copy->info.type);
	return refuse(-err, "copying");
}

static int look_at(struct copy *copy)
{
	struct bpf_map_info *info = &copy->info;
	__u32 len = sizeof(*info);
	int cpus = 1;

	if (libbpffs_kind_of(copy->from) != LIBBPFFS_MAP)
		return libbpffs_refuse(EINVAL, "snapshot: only a map can be copied");
	if ((fcntl(copy->from, F_GETFL) & O_ACCMODE) == O_WRONLY)
		return libbpffs_refuse(EACCES, "snapshot: the descriptor is write-only");
	if (bpf_obj_get_info_by_fd(copy->from, info, &len))
		return refuse(errno, "the map");
	copy->elem_size = info->value_size;
	if (bpffs_type_can(info->type) & BPFFS_PERCPU) {
		cpus = libbpf_num_possible_cpus();
		if (cpus < 0)
			return refuse(-cpus, "the number of CPUs");
		copy->elem_size = (copy->elem_size + 7) / 8 * 8 * cpus;
	}
	copy->elem_size += info->key_size;
	return 0;
}

static int prepare(struct copy *copy)
{
	__u32 batch;
	int err;

	err = look_at(copy);
	if (err)
		return err;
	/* The number of a bucket, or a key. */
	copy->cursor = calloc(1, copy->info.key_size + sizeof(__u32));
	if (!copy->cursor)
		return refuse(ENOMEM, "copying");
	err = check_batches(copy);
	if (err)
		return err;
	batch = copy->elem_size < BATCH_BYTES ? BATCH_BYTES / copy->elem_size : 1;
	if (batch > copy->info.max_entries)
		batch = copy->info.max_entries;
	return make_room(copy, batch);
}

static int take_copy(struct copy *copy)
{
	int btf_fd, err;

	btf_fd = open_btf(copy);
	if (btf_fd < 0)
		return btf_fd;
	err = copy_map(copy, btf_fd);
	if (btf_fd)
		close(btf_fd);
	if (err)
		return err;
	err = bpf_map_freeze(copy->to);
	if (!err)
		return copy->to;
	close(copy->to);
	return refuse(-err, "freezing the copy");
}

int libbpffs_snapshot(int fd)
{
	struct copy copy = { .from = fd };
	int ret;

	ret = prepare(&copy);
	if (!ret)
		ret = take_copy(&copy);
	free(copy.keys);
	free(copy.values);
	free(copy.cursor);
	if (ret < 0)
		errno = -ret;
	return ret;
}
