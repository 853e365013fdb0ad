// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Elements of a map by bpf(2). */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf-map.h"
#include "place.h"

/* The kernel's own, which bpf(2) returns nevertheless. */
#ifndef ENOTSUPP
#define ENOTSUPP	524
#endif

/* Keys and values of a batch; the least is one bucket's elements. */
#define BATCH_BYTES	(128 * 1024)

/* A bucket's lock is taken, again and again. */
#define BUSY_MAX	1000

/* Looking at what changes, until it has not. */
#define TRIES_MAX	64

/* What bpf(2) returns, in the words of a file system. */
static int file_error(int err)
{
	switch (err) {
	case -E2BIG:
		return -ENOSPC;
	case -ENOTSUPP:
		return -EOPNOTSUPP;
	case -EDEADLK:
	case -ETIMEDOUT:
		return -EBUSY;
	default:
		return err;
	}
}

static int result(int ret)
{
	return ret ? file_error(-errno) : 0;
}

/* --- Opening --- */

static bool is_percpu(__u32 type)
{
	switch (type) {
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		return true;
	default:
		return false;
	}
}

/* Types whose elements have bytes that programs store, too. */
static bool has_places(__u32 type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
		return true;
	default:
		return false;
	}
}

/*
 * "0-3,8": the copies of a value are in this order. They are read once, by the first map
 * that has copies, or may have inner maps that do: later, no file can be opened.
 */
static __u32 *possible;
static __u32 possible_count;

static int read_cpus(void)
{
	int max = libbpf_num_possible_cpus();
	unsigned int first, last;
	FILE *file;
	int n;

	if (possible)
		return 0;
	if (max < 0)
		return max;
	file = fopen("/sys/devices/system/cpu/possible", "re");
	if (!file)
		return -errno;
	possible = calloc(max, sizeof(*possible));
	while (possible && (n = fscanf(file, "%u-%u", &first, &last)) > 0) {
		for (last = n == 2 ? last : first; first <= last; first++)
			if (possible_count < (__u32)max)
				possible[possible_count++] = first;
		if (fgetc(file) != ',')
			break;
	}
	fclose(file);
	if (!possible)
		return -ENOMEM;
	return possible_count ? 0 : -EIO;
}

static int set_copies(struct map *map)
{
	bool of_maps = map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
		       map->type == BPF_MAP_TYPE_HASH_OF_MAPS;
	int err;

	map->copies = 1;
	map->stride = map->value_size;
	if (!is_percpu(map->type) && !of_maps)
		return 0;
	err = read_cpus();
	if (err || of_maps)
		return err;
	map->stride = ((size_t)map->value_size + 7) & ~(size_t)7;
	map->copies = possible_count;
	map->cpus = possible;
	return 0;
}

int map_open(struct map *map, int fd, bool read_only)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int err;

	memset(map, 0, sizeof(*map));
	map->count = -1;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	map->fd = fd;
	map->type = info.type;
	map->key_size = info.key_size;
	map->value_size = info.value_size;
	map->max_entries = info.max_entries;
	map->flags = info.map_flags;
	map->id = info.id;
	err = set_copies(map);
	if (!err)
		err = map_find_special(map);
	if (!err && has_places(map->type) && !read_only) {
		map->place = place_open(map);
		map->place_error = map->place ? 0 : -errno;
	}
	if (!err && !read_only)
		map->count = count_open(map);
	if (err)
		map_close(map);
	return err;
}

void map_close(struct map *map)
{
	place_close(map->place);
	if (map->count >= 0)
		close(map->count);
	free(map->special);
	map->special = NULL;
	map->place = NULL;
	map->count = -1;
}

/*
 * An update without a key: bpf(2) asks first whether there may be one, and reads the
 * key then.
 */
int map_check_writable(const struct map *map)
{
	union bpf_attr attr = { .map_fd = map->fd };

	errno = 0;
	syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
	return errno == EPERM ? -EPERM : 0;
}

/* --- One element --- */

/*
 * Asked for what follows a key that is not there, a trie gives its first key, as a hash
 * does, which follows none that is.
 */
static int has_by_next(const struct map *map, const void *key)
{
	__u8 *first = malloc(3 * (size_t)map->key_size), *next, *again;
	int ret = -EBUSY, tries, err;

	if (!first)
		return -ENOMEM;
	next = first + map->key_size;
	again = next + map->key_size;
	for (tries = 0; ret == -EBUSY && tries < TRIES_MAX; tries++) {
		err = map_next_key(map, NULL, first);
		if (err) {
			ret = err == -ENOENT ? 0 : err;
			break;
		}
		err = map_next_key(map, key, next);
		if (err && err != -ENOENT) {
			ret = err;
			break;
		}
		/* Only if the first one has not changed meanwhile. */
		if (!map_next_key(map, NULL, again) && !memcmp(first, again, map->key_size))
			ret = err == -ENOENT || (!err && memcmp(first, next, map->key_size));
	}
	free(first);
	return ret;
}

/* bpf(2) gives the value of the longest prefix that matches. */
static int read_trie(const struct map *map, const void *key, void *value)
{
	__u32 length;
	int there, err;

	memcpy(&length, key, sizeof(length));
	if (length > 8 * (map->key_size - sizeof(length)))
		return -ENOENT;
	if (map->place && place_reads(map))
		return place_read(map, key, value);
	there = has_by_next(map, key);
	if (there <= 0)
		return there ?: -ENOENT;
	err = result(bpf_map_lookup_elem(map->fd, key, value));
	if (err)
		return err;
	there = has_by_next(map, key);
	return there > 0 ? 0 : there ?: -ENOENT;
}

/* The last bytes of a key of 16 do not count: one element would have many names. */
static bool is_storage_key(const struct map *map, const void *key)
{
	const size_t end = offsetof(struct bpf_cgroup_storage_key, attach_type) + sizeof(__u32);
	const __u8 *byte = key;
	size_t i;

	for (i = end; i < map->key_size; i++)
		if (byte[i])
			return false;
	return true;
}

int map_read(const struct map *map, const void *key, void *value)
{
	if (map->type == BPF_MAP_TYPE_CGROUP_STORAGE && !is_storage_key(map, key))
		return -ENOENT;
	if (map->type == BPF_MAP_TYPE_LPM_TRIE)
		return read_trie(map, key, value);
	return result(bpf_map_lookup_elem(map->fd, key, value));
}

/* Not what bpf(2) has no value of; any other refusal says nothing of it. */
static int is_there(int err)
{
	return err == -ENOENT || err == -EOPNOTSUPP ? 0 : err ?: 1;
}

int map_has(const struct map *map, const void *key)
{
	void *value;
	int err;

	if (map->type == BPF_MAP_TYPE_LPM_TRIE)
		return has_by_next(map, key);
	value = malloc(map_value_bytes(map));
	if (!value)
		return -ENOMEM;
	err = map_read(map, key, value);
	free(value);
	return is_there(err);
}

/*
 * An LRU map would make room for a new element, at another's cost, before it drops the
 * old one: what exists is written where it lies. -ENOENT: it does not.
 */
static int update_in_place(const struct map *map, const void *key, const void *value)
{
	struct map_field field = { .size = map->value_size };
	int err = 0;

	for (; field.copy < map->copies && !err; field.copy++)
		err = map_store(map, key, &field, value + field.copy * map->stride);
	return err;
}

int map_update(const struct map *map, const void *key, const void *value, __u64 flags)
{
	int err;

	/* Before 6.13, a trie takes no notice of them. */
	if (map->type == BPF_MAP_TYPE_LPM_TRIE && flags != BPF_ANY) {
		int there = map_has(map, key);

		if (there < 0)
			return there;
		if (there != (flags == BPF_EXIST))
			return there ? -EEXIST : -ENOENT;
	}
	if (map->place && flags != BPF_NOEXIST &&
	    (map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH)) {
		err = update_in_place(map, key, value);
		if (err != -ENOENT || flags == BPF_EXIST)
			return err;
	}
	return result(bpf_map_update_elem(map->fd, key, value, flags));
}

int map_delete(const struct map *map, const void *key)
{
	return result(bpf_map_delete_elem(map->fd, key));
}

int map_peek(const struct map *map, void *value)
{
	return result(bpf_map_lookup_elem(map->fd, NULL, value));
}

int map_pop(const struct map *map, void *value)
{
	return result(bpf_map_lookup_and_delete_elem(map->fd, NULL, value));
}

int map_push(const struct map *map, const void *value)
{
	return result(bpf_map_update_elem(map->fd, NULL, value, BPF_ANY));
}

/* What is asked for is where the answer would go. */
int map_maybe_has(const struct map *map, const void *value)
{
	return is_there(result(bpf_map_lookup_elem(map->fd, NULL, (void *)value)));
}

int map_open_inner(const struct map *map, const void *key, bool read_only)
{
	union bpf_attr attr = { .open_flags = read_only ? BPF_F_RDONLY : 0 };
	int err, fd;

	err = result(bpf_map_lookup_elem(map->fd, key, &attr.map_id));
	if (err)
		return err;
	fd = syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

/* --- All elements --- */

int map_next_key(const struct map *map, const void *key, void *next)
{
	return result(bpf_map_get_next_key(map->fd, key, next));
}

void map_batch_free(struct map_batch *batch)
{
	free(batch->keys);
	free(batch->values);
	free(batch->token);
	memset(batch, 0, sizeof(*batch));
}

static int set_capacity(const struct map *map, struct map_batch *batch, __u64 capacity)
{
	/* A trie's token is a key, a hash's the number of a bucket. */
	size_t token = map->key_size > sizeof(__u32) ? map->key_size : sizeof(__u32);

	if (!batch->token)
		batch->token = calloc(1, token);
	free(batch->keys);
	free(batch->values);
	batch->keys = NULL;
	batch->values = NULL;
	batch->capacity = 0;
	if (capacity > ~0U)
		return -EFBIG;
	batch->keys = calloc(capacity, map->key_size);
	batch->values = calloc(capacity, map_value_bytes(map));
	if (!batch->token || !batch->keys || !batch->values)
		return -ENOMEM;
	batch->capacity = capacity;
	return 0;
}

static __u64 first_capacity(const struct map *map)
{
	__u64 capacity = BATCH_BYTES / (map->key_size + map_value_bytes(map));

	if (capacity > map->max_entries + 1ULL)
		capacity = map->max_entries + 1ULL;
	return capacity ?: 1;
}

int map_batch_into(const struct map *map, bool begun, void *token, void *keys, void *values,
		   __u32 *count)
{
	const __u32 capacity = *count;
	int err, busy = 0;

	do {
		*count = capacity;
		err = result(bpf_map_lookup_batch(map->fd, begun ? token : NULL, token, keys,
						  values, count, NULL));
		/* After all others, it is not told. */
		if (err && err != -ENOENT && err != -ENOSPC && err != -EBUSY && err != -EINTR)
			*count = 0;
	} while ((err == -EBUSY || err == -EINTR) && !*count && ++busy < BUSY_MAX);
	/* What there is, before what is said again next time. */
	return err == -ENOENT || !*count ? err : 0;
}

int map_batch_next(const struct map *map, struct map_batch *batch)
{
	int err;

	if (batch->at_end)
		return -ENOENT;
	err = batch->capacity ? 0 : set_capacity(map, batch, first_capacity(map));
	while (!err) {
		batch->count = batch->capacity;
		err = map_batch_into(map, batch->begun, batch->token, batch->keys,
				     batch->values, &batch->count);
		/* A bucket that has more elements than there is room. */
		if (err != -ENOSPC)
			break;
		err = set_capacity(map, batch, 2ULL * batch->capacity);
	}
	batch->at_end = err == -ENOENT;
	if (err && err != -ENOENT)
		return err;
	batch->begun = true;
	return 0;
}
