// SPDX-License-Identifier: GPL-2.0-only
/* Maps of other keys, values and types; and of other sizes. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench.h"

#define ELEMENTS	20000
#define MANY		5000

static int file;
static char text[1 << 16];
static long text_len;

/* Some element's. */
static void open_file(void)
{
	DIR *dir = opendir(DIR_OURS);
	struct dirent *entry;

	while ((entry = readdir(dir)) && entry->d_name[0] == '.')
		;
	file = check(openat(dirfd(dir), entry->d_name, O_RDWR));
	closedir(dir);
	text_len = check(pread(file, text, sizeof(text), 0));
}

static void preads(void)
{
	static char buffer[sizeof(text)];
	int i;

	for (i = 0; i < MANY; i++)
		if (pread(file, buffer, sizeof(buffer), 0) <= 0)
			exit(1);
}

static void pwrites(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		if (check(pwrite(file, text, text_len, 0)) != text_len)
			exit(1);
}

static void lookups(void)
{
	char key[64], *value = malloc(on.values);
	int i;

	map_key(&on, 1, key);
	for (i = 0; i < MANY; i++)
		check(bpf_map_lookup_elem(on.fd, key, value));
	free(value);
}

static void updates(void)
{
	char key[64], *value = calloc(1, on.values);
	int i;

	map_key(&on, 1, key);
	check(bpf_map_lookup_elem(on.fd, key, value));
	for (i = 0; i < MANY; i++)
		check(bpf_map_update_elem(on.fd, key, value, BPF_ANY));
	free(value);
}

static const struct row of_all[] = {
	{ { "list", list_ours }, { "BPF_MAP_LOOKUP_BATCH", batch }, IN_BOTH },
	{ { ".bpf/raw", raw }, { "BPF_MAP_LOOKUP_BATCH", batch }, IN_BOTH },
	{ { ".bpf/table", table }, { "BPF_MAP_LOOKUP_BATCH", batch }, IN_BOTH },
};

static const struct row of_a_file[] = {
	{ { "pread", preads }, { "BPF_MAP_LOOKUP_ELEM", lookups }, IN_BOTH },
	{ { "pwrite", pwrites }, { "BPF_MAP_UPDATE_ELEM", updates }, IN_BOTH },
};

static void bench_shape(const char *title, const struct map *shape)
{
	size_t i;

	on = *shape;
	on.elements = ELEMENTS;
	if (on.type == BPF_MAP_TYPE_LRU_HASH)
		on.max_entries = 2 * ELEMENTS;	/* it evicts before it is full */
	map_make(&on);
	map_fill(&on);
	mount_ours(DIR_OURS);
	open_file();
	part("shapes", ELEMENTS, title);
	for (i = 0; i < sizeof(of_all) / sizeof(*of_all); i++)
		compare(&of_all[i], ELEMENTS);
	for (i = 0; i < sizeof(of_a_file) / sizeof(*of_a_file); i++)
		compare(&of_a_file[i], MANY);
	close(file);
	check(umount2(DIR_OURS, 0));
	map_close(&on);
}

/* @count fields of 8 bytes each, at most 40: fsconfig() takes a string of 255 bytes. */
static const char *fields(int count)
{
	static const char names[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
	static char layout[256];
	int i, len = 0;

	for (i = 0; i < count; i++)
		len += snprintf(layout + len, sizeof(layout) - len, "%s%c=u64", i ? ":" : "",
				names[i]);
	return layout;
}

void bench_shapes(void)
{
	static const struct {
		const char *title;
		struct map map;
	} shapes[] = {
#define HASH BPF_MAP_TYPE_HASH
		{ "keys of 4 bytes, u32", { HASH, 0, 4, 8, "u32", "u64" } },
		{ "keys of 8 bytes, u64", { HASH, 0, 8, 8, "u64", "u64" } },
		{ "keys of 8 bytes, hex", { HASH, 0, 8, 8, "hex", "u64" } },
		{ "keys and values of 8 bytes, hex", { HASH, 0, 8, 8, "hex", "hex" } },
		{ "keys of 16 bytes, ip6", { HASH, 0, 16, 8, "ip6", "u64" } },
		{ "keys of 40 bytes, hex", { HASH, 0, 40, 8, "hex", "u64" } },
		{ "values of 64 bytes, hex", { HASH, 0, 4, 64, "u32", "hex" } },
		{ "values of 1024 bytes, hex", { HASH, 0, 4, 1024, "u32", "hex" } },
		{ "values of one field", { HASH, 0, 4, 8, "u32", NULL } },
		{ "values of four fields", { HASH, 0, 4, 32, "u32", NULL } },
		{ "values of forty fields", { HASH, 0, 4, 320, "u32", NULL } },
		{ "percpu_hash", { BPF_MAP_TYPE_PERCPU_HASH, 0, 4, 8, "u32", "u64" } },
		{ "lru_hash", { BPF_MAP_TYPE_LRU_HASH, 0, 4, 8, "u32", "u64" } },
		{ "lpm_trie", { BPF_MAP_TYPE_LPM_TRIE, BPF_F_NO_PREALLOC, 8, 8, "plen:ip4",
				"u64" } },
		{ "array", { BPF_MAP_TYPE_ARRAY, 0, 4, 8, "u32", "u64" } },
#undef HASH
	};
	struct map map;
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		map = shapes[i].map;
		if (!map.value)
			map.value = fields(map.value_size / 8);
		bench_shape(shapes[i].title, &map);
	}
}

/* --------------------------------------------------------------------------- sizes */

static void bench_size(__u32 elements)
{
	const struct row of_json = {
		{ "bpffs json", json }, { "BPF_MAP_LOOKUP_BATCH", batch }, IN_BOTH
	};
	char title[64];
	size_t i;

	map_counters(&on, elements);
	mount_ours(DIR_OURS);
	snprintf(title, sizeof(title), "%u elements", elements);
	part("sizes", elements, title);
	for (i = 0; i < sizeof(of_all) / sizeof(*of_all); i++)
		compare(&of_all[i], elements);
	compare(&of_json, elements);
	check(umount2(DIR_OURS, 0));
	map_close(&on);
}

void bench_sizes(bool largest)
{
	__u32 elements;

	for (elements = 1000; elements <= 1000000; elements *= 10)
		bench_size(elements);
	if (largest)
		bench_size(10000000);
}
