// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the object is, a file each, against one that is a few lines of C. */
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "attributes.h"
#include "tap.h"

static const char *list(const struct map *map)
{
	static char names[1024];
	unsigned int i;

	names[0] = '\0';
	for (i = 0; i < BPFFS_ATTRS; i++) {
		if (!bpffs_attr_has(&map->info, i))
			continue;
		strcat(strcat(names, *names ? " " : ""), bpffs_attr_name(i));
		if (bpffs_attr_find(&map->info, bpffs_attr_name(i),
				    strlen(bpffs_attr_name(i))) != i)
			strcat(names, "?");
	}
	return names;
}

static bool lists(const struct map *map, const char *names)
{
	const char *is = list(map);

	if (!strcmp(is, names))
		return true;
	printf("# %s\n", is);
	return false;
}

static unsigned int find(const struct map *map, const char *name)
{
	return bpffs_attr_find(&map->info, name, strlen(name));
}

/* In room for all of it, and for less. */
static bool shows(struct map *map, const char *name, const char *text)
{
	unsigned int attr = find(map, name);
	struct seq_file seq = {};
	bool ok = false;
	int err = 0;

	if (attr == BPFFS_ATTRS || bpffs_attr_file(attr) != BPFFS_ATTR_TEXT)
		return false;
	while (!err && seq_has_overflowed(&seq)) {
		free(seq.buf);
		seq.size = 2 * seq.size + 1;
		seq.buf = malloc(seq.size);
		seq.count = 0;
		err = bpffs_attr_show(&map->info, attr, &seq);
	}
	ok = !err && seq.count == strlen(text) && !memcmp(seq.buf, text, seq.count);
	if (!ok)
		printf("# %s: error %d, %.*s\n", name, err, (int)seq.count, seq.buf);
	free(seq.buf);
	return ok;
}

static int error_of(struct map *map, const char *name)
{
	char text[256];
	struct seq_file seq = { .buf = text, .size = sizeof(text) };

	return bpffs_attr_show(&map->info, find(map, name), &seq);
}

static void test_map(void)
{
	struct map *map = map_new(BPFFS_TYPE_HASH, "u32", 4, "a=u32:b=u32", 8, 0, false);

	CHECK(lists(map, "id type name key_size value_size max_entries flags frozen memlock count "
			 "key value table raw fd info error"));
	CHECK(shows(map, "id", "7\n") && shows(map, "type", "hash\n"));
	CHECK(shows(map, "name", "conns\n") && shows(map, "key_size", "4\n"));
	CHECK(shows(map, "value_size", "8\n") && shows(map, "max_entries", "4\n"));
	CHECK(shows(map, "flags", "0x0\n"));
	map->info.map_flags = 0x81;
	CHECK(shows(map, "flags", "0x81\n"));
	CHECK(shows(map, "key", "u32\n") && shows(map, "value", "a=u32:b=u32\n"));
	CHECK(shows(map, "count", "0\n") && shows(map, "frozen", "0\n"));
	map->frozen = true;
	map->there[0] = true;
	CHECK(shows(map, "count", "1\n") && shows(map, "frozen", "1\n"));
	CHECK(shows(map, "error", ""));
	bpffs_refuse(&map->info, "7: no");
	CHECK(shows(map, "error", "7: no\n") && said(map, "7: no"));
	CHECK(find(map, "memory") == BPFFS_ATTRS && find(map, "i") == BPFFS_ATTRS);
	CHECK(find(map, "") == BPFFS_ATTRS && find(map, "idx") == BPFFS_ATTRS);
	map->is_inner = true;
	CHECK(find(map, "fd") == BPFFS_ATTRS);
	map_free(map);
	/* Hidden keys, no table. */
	map = map_new(BPFFS_TYPE_HASH, NULL, 4, "u64", 8, 0, false);
	CHECK(lists(map, "id type name key_size value_size max_entries flags frozen memlock count "
			 "value raw fd info error"));
	map_free(map);
}

static void test_mode(void)
{
	struct map *map = map_new(BPFFS_TYPE_HASH, "u32", 4, "u64", 8, 0, false);

	CHECK(bpffs_attr_mode(&map->info, find(map, "id")) == 0400);
	CHECK(bpffs_attr_mode(&map->info, find(map, "table")) == 0600);
	CHECK(bpffs_attr_dir_mode(&map->info) == 0500);
	map->info.mode = 0664;
	CHECK(bpffs_attr_mode(&map->info, find(map, "id")) == 0444);
	CHECK(bpffs_attr_mode(&map->info, find(map, "raw")) == 0664);
	CHECK(bpffs_attr_mode(&map->info, find(map, "fd")) == 0600);
	CHECK(bpffs_attr_is_roots(find(map, "fd")) && !bpffs_attr_is_roots(find(map, "id")));
	CHECK(bpffs_attr_dir_mode(&map->info) == 0555 && bpffs_dir_mode(0664) == 0775);
	CHECK(bpffs_attr_ino(&map->info, 0) == BPFFS_INO_ATTR);
	CHECK(bpffs_attr_ino(&map->info, find(map, "type")) == BPFFS_INO_ATTR + 1);
	map_free(map);
}

static void test_empty(void)
{
	struct map *map = map_new(3, NULL, 4, NULL, 4, 0, false);

	CHECK(lists(map, "id type name key_size value_size max_entries flags frozen memlock "
			 "fd info error"));
	CHECK(shows(map, "error", "a map of this type (prog_array) shows no elements; "
				  "try bpftool map dump id 7\n"));
	map->info.map_type = 999;
	CHECK(shows(map, "type", "999\n"));
	CHECK(shows(map, "error", "a map of this type (unknown) shows no elements; "
				  "try bpftool map dump id 7\n"));
	map_free(map);
	map = map_new(BPFFS_TYPE_RINGBUF, NULL, 0, NULL, 0, 0, false);
	CHECK(lists(map, "id type name key_size value_size max_entries flags frozen memlock "
			 "memory fd info error"));
	CHECK(shows(map, "error", "a map of this type (ringbuf) shows no elements; "
				  "map .bpf/memory\n"));
	map->is_inner = true;
	CHECK(find(map, "memory") == BPFFS_ATTRS);
	CHECK(shows(map, "error", "a map of this type (ringbuf) shows no elements; "
				  "to map its memory, mount it by itself with backend=kernel\n"));
	map_free(map);
	map = map_new(BPFFS_TYPE_BLOOM_FILTER, "u32", 4, NULL, 4, 0, false);
	CHECK(shows(map, "error", "a bloom_filter lists nothing; test -e asks for a name, "
				  "touch adds one\n"));
	map_free(map);
	map = map_new(BPFFS_TYPE_QUEUE, NULL, 0, "u32", 4, 0, false);
	CHECK(shows(map, "error", ""));
	map_free(map);
}

static void test_described(void)
{
	struct map *map = map_new(3, NULL, 4, NULL, 4, 0, false);

	map->kind = BPFFS_PROG;
	map->type = 6;
	CHECK(error_of(map, "memlock") == -ENFILE && error_of(map, "info") == -ENFILE);
	map->described = "prog_type:\t6\nprog_jited:\t1\nfake:\tprog_tag:\t0\nprog_tag:\ta0b1\nrun_cnt:\t";
	CHECK(lists(map, "id type name memlock tag jited run_cnt run_time_ns recursion_misses "
			 "verified_insns map_ids fd info error"));
	CHECK(shows(map, "type", "xdp\n") && shows(map, "error", ""));
	CHECK(shows(map, "jited", "1\n") && shows(map, "tag", "a0b1\n"));
	CHECK(shows(map, "info", map->described));
	CHECK(error_of(map, "memlock") == -EOPNOTSUPP);
	/* Not the whole line. */
	CHECK(error_of(map, "run_cnt") == -EOPNOTSUPP);
	CHECK(shows(map, "map_ids", ""));
	map->map_ids[0] = 5;
	map->map_ids[1] = 4000000000U;
	CHECK(shows(map, "map_ids", "5\n4000000000\n"));
	map_free(map);
}

static void test_link(void)
{
	struct map *map = map_new(3, NULL, 4, NULL, 4, 0, false);
	s32 priority = -3;
	u64 cgroup = 1ULL << 40 | 5;
	u32 attach = 1;

	map->kind = BPFFS_LINK;
	map->type = BPFFS_LINK_CGROUP;
	map->described = "prog_id:\t9\n";
	CHECK(lists(map, "id type prog_id prog_tag attach_type cgroup_id fd info error"));
	memcpy(map->link_info + 16, &cgroup, sizeof(cgroup));
	memcpy(map->link_info + 24, &attach, sizeof(attach));
	CHECK(shows(map, "type", "cgroup\n") && shows(map, "prog_id", "9\n"));
	CHECK(shows(map, "cgroup_id", "1099511627781\n"));
	CHECK(shows(map, "attach_type", "cgroup_inet_egress\n"));
	attach = 1000;
	memcpy(map->link_info + 24, &attach, sizeof(attach));
	CHECK(shows(map, "attach_type", "1000\n"));
	map->link_err = -EOPNOTSUPP;
	CHECK(error_of(map, "cgroup_id") == -EOPNOTSUPP);
	map->link_err = -ENOSYS;
	CHECK(lists(map, "id type prog_id prog_tag fd info error"));
	map->link_err = 0;
	map->type = BPFFS_LINK_NETFILTER;
	memcpy(map->link_info + 24, &priority, sizeof(priority));
	CHECK(lists(map, "id type prog_id prog_tag pf hooknum priority flags fd info error"));
	CHECK(shows(map, "priority", "-3\n"));
	map->type = BPFFS_LINK_RAW_TRACEPOINT;
	CHECK(lists(map, "id type prog_id prog_tag tp_name fd info error"));
	map->type = BPFFS_LINK_PERF_EVENT;
	memcpy(map->link_info + 16, &attach, sizeof(attach));
	CHECK(lists(map, "id type prog_id prog_tag perf_type fd info error"));
	CHECK(shows(map, "type", "perf_event\n") && shows(map, "perf_type", "1000\n"));
	attach = 3;
	memcpy(map->link_info + 16, &attach, sizeof(attach));
	CHECK(shows(map, "perf_type", "kprobe\n"));
	map->type = BPFFS_LINK_XDP;
	CHECK(shows(map, "ifindex", "3\n"));
	map->type = 999;
	CHECK(shows(map, "type", "999\n"));
	map->type = BPFFS_LINK_ITER;
	CHECK(lists(map, "id type prog_id prog_tag target_name fd info error"));
	map_free(map);
}

static void test_no_memory(void)
{
	struct map *map = map_new(BPFFS_TYPE_HASH, "u32", 4, "u64", 8, 0, false);

	fail_alloc = 1;
	CHECK(error_of(map, "key") == -ENOMEM);
	fail_alloc = 1;
	CHECK(error_of(map, "value") == -ENOMEM);
	/* A walk, for how many. */
	map->uncounted = true;
	fail_alloc = 1;
	CHECK(error_of(map, "count") == -ENOMEM);
	CHECK(shows(map, "count", "0\n"));
	map_free(map);
}

static bool same_word(const char *ours, const char *theirs)
{
	if (!theirs || (ours && !strcmp(ours, theirs)))
		return true;
	printf("# %s, libbpf: %s\n", ours ?: "none", theirs);
	return false;
}

/* As many of them as this libbpf knows. */
static void test_words(void)
{
	u32 i;

	for (i = 0; i < 100; i++) {
		CHECK(same_word(bpffs_map_word(i), libbpf_bpf_map_type_str(i)));
		CHECK(same_word(bpffs_prog_word(i), libbpf_bpf_prog_type_str(i)));
		CHECK(same_word(bpffs_link_word(i), libbpf_bpf_link_type_str(i)));
		CHECK(!bpffs_attach_word(i) ||
		      same_word(bpffs_attach_word(i), libbpf_bpf_attach_type_str(i)));
	}
	CHECK(!strcmp(bpffs_perf_word(3), "kprobe") && !bpffs_perf_word(100));
	CHECK(!bpffs_map_word(~0U) && !bpffs_prog_word(~0U) && !bpffs_link_word(~0U) &&
	      !bpffs_attach_word(~0U));
}

int main(void)
{
	run("attributes: map", test_map);
	run("attributes: mode", test_mode);
	run("attributes: empty", test_empty);
	run("attributes: described", test_described);
	run("attributes: link", test_link);
	run("attributes: no_memory", test_no_memory);
	run("attributes: words", test_words);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
