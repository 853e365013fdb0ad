// SPDX-License-Identifier: GPL-2.0-only
/* Maps of any shape, and their mounts. */
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bench.h"
#include "libbpffs.h"

#define BATCH		4096

struct map on;

/* With types, as the maps of a program have them; for bpftool, and for JSON. */
static void give_types(struct bpf_map_create_opts *opts, struct btf *btf)
{
	int u64;

	opts->btf_key_type_id = check(btf__add_int(btf, "unsigned int", 4, 0));
	u64 = check(btf__add_int(btf, "unsigned long long", 8, 0));
	opts->btf_value_type_id = check(btf__add_struct(btf, "value", 16));
	check(btf__add_field(btf, "packets", u64, 0, 0));
	check(btf__add_field(btf, "bytes", u64, 64, 0));
	check(btf__load_into_kernel(btf));
	opts->btf_fd = btf__fd(btf);
}

static bool by_index(const struct map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_hash(const struct map *map)
{
	return !by_index(map) && map->type != BPF_MAP_TYPE_LPM_TRIE;
}

static bool per_cpu(const struct map *map)
{
	return map->type == BPF_MAP_TYPE_PERCPU_HASH || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

void map_make(struct map *map)
{
	/* Without a random seed, each run has the same buckets. */
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = map->flags | (is_hash(map) ? BPF_F_ZERO_SEED : 0));
	struct btf *btf = btf__new_empty();
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (!strcmp(map->key, "u32") && !strcmp(map->value, "packets=u64:bytes=u64"))
		give_types(&opts, btf);
	if (!map->max_entries)
		map->max_entries = map->elements + (by_index(map) ? 0 : SOME);
	map->fd = check(bpf_map_create(map->type, "bench", map->key_size, map->value_size,
				       map->max_entries, &opts));
	btf__free(btf);
	map->values = map->value_size * (per_cpu(map) ? libbpf_num_possible_cpus() : 1);
	check(bpf_obj_get_info_by_fd(map->fd, &info, &len));
	map->id = info.id;
}

void map_counters(struct map *map, __u32 elements)
{
	*map = (struct map){
		.type = BPF_MAP_TYPE_HASH, .elements = elements,
		.key_size = 4, .key = "u32",
		.value_size = 16, .value = "packets=u64:bytes=u64",
	};
	map_make(map);
	map_fill(map);
}

/* Of a trie, all bits count. */
void map_key(const struct map *map, __u32 index, void *key)
{
	__u32 trie[] = { (map->key_size - 4) * 8, htobe32(index) };

	memset(key, 0, map->key_size);
	if (map->type == BPF_MAP_TYPE_LPM_TRIE)
		memcpy(key, trie, sizeof(trie));
	else
		memcpy(key, &index, sizeof(index));
}

void map_fill(const struct map *map)
{
	char *keys = malloc((size_t)BATCH * map->key_size);
	__u64 *values = malloc((size_t)BATCH * map->values), *word;
	__u32 i, j, from, n;

	for (from = 0; from < map->elements; from += n) {
		n = map->elements - from < BATCH ? map->elements - from : BATCH;
		word = values;
		for (i = 0; i < n; i++) {
			map_key(map, from + i, keys + (size_t)i * map->key_size);
			for (j = 0; j < map->values / sizeof(*word); j++)
				*word++ = (__u64)(from + i) * (j ? 100 : 1);
		}
		j = n;
		check(bpf_map_update_batch(map->fd, keys, values, &j, NULL));
	}
	free(keys);
	free(values);
}

void map_close(struct map *map)
{
	close(map->fd);
}

void batch(void)
{
	char *keys = malloc((size_t)BATCH * on.key_size);
	char *values = malloc((size_t)BATCH * on.values);
	char token[64];
	__u32 count, sum = 0;
	bool first = true;
	int err;

	do {
		count = BATCH;
		err = bpf_map_lookup_batch(on.fd, first ? NULL : token, token, keys,
					   values, &count, NULL);
		first = false;
		sum += count;
	} while (!err);
	free(keys);
	free(values);
	if (sum != on.elements) {
		fprintf(stderr, "bench: BPF_MAP_LOOKUP_BATCH: %u elements\n", sum);
		exit(1);
	}
}

/* ------------------------------------------------------------------------------ */

static int mounted(const char *type, int fd, const char *options)
{
	int fs = check(fsopen(type, FSOPEN_CLOEXEC)), mnt;
	char copy[1024], *rest = copy, *name, *value;

	if (fd >= 0)
		check(fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, fd));
	snprintf(copy, sizeof(copy), "%s", options);
	while ((name = strsep(&rest, ","))) {
		value = strchr(name, '=');
		if (!value)
			continue;
		*value++ = '\0';
		check(fsconfig(fs, FSCONFIG_SET_STRING, name, value, 0));
	}
	check(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	mnt = check(fsmount(fs, FSMOUNT_CLOEXEC, 0));
	close(fs);
	return mnt;
}

void mount_on(const char *type, int fd, const char *options, const char *dir)
{
	int mnt = mounted(type, fd, options);

	check(move_mount(mnt, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH));
	close(mnt);
}

/* With the module, its own mount is measured, not what the library does for it. */
void mount_ours(const char *dir)
{
	LIBBPF_OPTS(bpf_mount_opts, opts, .key = on.key, .value = on.value,
		    .backend = "fuse");
	char options[1024];

	if (by_fuse) {
		check(bpf_mount_fd(on.fd, dir, &opts));
		return;
	}
	snprintf(options, sizeof(options), "key=%s,value=%s", on.key, on.value);
	mount_on("bpffs", on.fd, options, dir);
}

void mount_tmpfs(const char *dir)
{
	mount_on("tmpfs", -1, "", dir);
}
