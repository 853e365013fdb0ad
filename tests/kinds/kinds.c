// SPDX-License-Identifier: GPL-2.0-only
/*
 * kinds load OBJECT DIR SEED: make the maps of the object, each filled with
 * random bytes, and mount it at DIR/NAME; for each one a line "NAME ID TYPE".
 *
 * kinds dump ID: the elements by bpf(2), each as "KEY VALUE" in hex.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libbpffs.h>

/* Elements of each map, but of "many" as many as fit. */
#define ELEMENTS	8

/* Not rand(): the same bytes everywhere. */
static __u64 state;

static __u32 next_random(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

/*
 * Bytes of one style: any, small, text, near the ends of signed numbers. Quotes and
 * backslashes are not among the text: in strings, bpftool does not escape them.
 */
static void fill(__u8 *to, size_t size, unsigned int style)
{
	static const __u8 ends[] = { 0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff };
	static const char text[] = "az09.-_/ ,=~%\n\0";
	size_t i;

	for (i = 0; i < size; i++) {
		__u32 n = next_random();

		switch (style % 6) {
		case 0:
		case 1:
			to[i] = n;
			break;
		case 2:
			to[i] = n % 3 ? 0 : n / 3 % 4;
			break;
		case 3:
			to[i] = text[n % (sizeof(text) - 1)];
			break;
		case 4:
			to[i] = ends[n % sizeof(ends)];
			break;
		case 5:
			to[i] = style / 6 % 2 ? 0xff : 0;
			break;
		}
	}
}

static bool is_percpu(__u32 type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_array(__u32 type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* By bpf(2), each copy of a per-CPU value is rounded up. */
static size_t value_bytes(__u32 type, size_t size)
{
	return is_percpu(type) ? (size + 7) / 8 * 8 * libbpf_num_possible_cpus() : size;
}

/* A valid prefix length, and nothing behind the prefix: names do not show that. */
static void make_prefix(__u8 *key, size_t size)
{
	__u32 length = next_random() % (8 * (size - 4) + 1);
	size_t bit;

	memcpy(key, &length, sizeof(length));
	for (bit = length; bit < 8 * (size - 4); bit++)
		key[4 + bit / 8] &= ~(0x80 >> bit % 8);
}

/* Its keys are as random as can be, so that it has as many elements as fit. */
static bool is_many(const struct bpf_map *map)
{
	return !strcmp(bpf_map__name(map), "many");
}

static void make_key(const struct bpf_map *map, __u8 *key, __u32 i)
{
	if (is_array(bpf_map__type(map)))
		memcpy(key, &i, sizeof(i));
	else
		fill(key, bpf_map__key_size(map), is_many(map) ? 0 : i);
	if (bpf_map__type(map) == BPF_MAP_TYPE_LPM_TRIE)
		make_prefix(key, bpf_map__key_size(map));
}

/* Per CPU, the bytes that round a copy up are no part of the value. */
static void make_value(const struct bpf_map *map, __u8 *value, __u32 i)
{
	size_t size = bpf_map__value_size(map);
	size_t all = value_bytes(bpf_map__type(map), size);
	size_t stride = (size + 7) / 8 * 8;
	__u8 *copy;

	memset(value, 0, all);
	for (copy = value; copy < value + all; copy += stride)
		fill(copy, size, i++);
}

static int fill_map(const struct bpf_map *map)
{
	__u32 type = bpf_map__type(map), count = bpf_map__max_entries(map), i;
	__u8 *key = malloc(bpf_map__key_size(map));
	__u8 *value = malloc(value_bytes(type, bpf_map__value_size(map)));
	int err = key && value ? 0 : -ENOMEM;

	if (count > ELEMENTS && !is_many(map))
		count = ELEMENTS;
	for (i = 0; i < count && !err; i++) {
		make_key(map, key, i);
		make_value(map, value, i);
		err = bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY);
		/* Of a bool there are few different keys. */
		if (err == -E2BIG)
			err = 0;
	}
	free(key);
	free(value);
	return err;
}

/* libbpf makes .rodata read-only when it loads the object. */
static int fill_rodata(struct bpf_map *map)
{
	size_t size;
	void *value = (void *)bpf_map__initial_value(map, &size);

	if (value)
		fill(value, size, 0);
	return value ? 0 : -EINVAL;
}

/* Of "kinds.rodata", what follows the dot. */
static const char *short_name(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return strrchr(name, '.') ? strrchr(name, '.') + 1 : name;
}

static bool is_rodata(const struct bpf_map *map)
{
	return !strcmp(short_name(map), "rodata");
}

static int show(const struct bpf_map *map, const char *dir)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, short_name(map));
	if (mkdir(path, 0755))
		return -errno;
	if (bpf_mount_fd(bpf_map__fd(map), path, NULL)) {
		fprintf(stderr, "%s: %s\n", path, bpf_mount_error());
		return -EINVAL;
	}
	if (bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &len))
		return -errno;
	printf("%s %u %u\n", short_name(map), info.id, info.type);
	return 0;
}

static int load(const char *object, const char *dir)
{
	struct bpf_object *obj = bpf_object__open_file(object, NULL);
	struct bpf_map *map;
	int err = 0;

	if (!obj)
		return -errno;
	bpf_object__for_each_map(map, obj)
		if (!err && is_rodata(map))
			err = fill_rodata(map);
	err = err ?: bpf_object__load(obj);
	bpf_object__for_each_map(map, obj) {
		if (!err && !is_rodata(map))
			err = fill_map(map);
		if (!err)
			err = show(map, dir);
		if (err) {
			fprintf(stderr, "%s: %s\n", bpf_map__name(map), strerror(-err));
			break;
		}
	}
	bpf_object__close(obj);
	return err;
}

static void put_hex(const __u8 *from, size_t size, char end)
{
	while (size--)
		printf("%02x", *from++);
	putchar(end);
}

static int dump(__u32 id)
{
	int fd = bpf_map_get_fd_by_id(id);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	__u8 *key, *value;
	size_t size;
	int err;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	size = value_bytes(info.type, info.value_size);
	key = malloc(info.key_size);
	value = malloc(size);
	err = key && value ? bpf_map_get_next_key(fd, NULL, key) : -ENOMEM;
	for (; !err; err = bpf_map_get_next_key(fd, key, key)) {
		err = bpf_map_lookup_elem(fd, key, value);
		if (err)
			break;
		put_hex(key, info.key_size, ' ');
		put_hex(value, size, '\n');
	}
	free(key);
	free(value);
	return err == -ENOENT ? 0 : err;
}

int main(int argc, char **argv)
{
	int err = -EINVAL;

	if (argc == 5 && !strcmp(argv[1], "load")) {
		state = strtoull(argv[4], NULL, 0);
		err = load(argv[2], argv[3]);
	} else if (argc == 3 && !strcmp(argv[1], "dump")) {
		err = dump(strtoul(argv[2], NULL, 10));
	}
	if (err)
		fprintf(stderr, "kinds: %s\n", strerror(-err));
	return !!err;
}
