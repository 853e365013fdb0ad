// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The options of a mount, against an object that is a few lines of C. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "tap.h"

static char why[BPFFS_WHY_MAX];
static struct map *map, *inner;
static u32 key_size = 4;

static struct map *blank(u32 type, u32 key_bytes, u32 value_bytes)
{
	static const u32 cpus[] = { 0, 3 };
	struct map *new = calloc(1, sizeof(*new));

	new->kind = BPFFS_MAP;
	new->info.map_type = type;
	new->info.can = bpffs_type_can(type);
	new->info.key_size = key_bytes;
	new->info.value_size = value_bytes;
	bpffs_errors_init(&new->info.errors);
	bpffs_shorts_init(&new->info.shorts);
	if (bpffs_map_can(&new->info, BPFFS_PERCPU)) {
		new->info.stored.cpus = cpus;
		new->info.stored.copies = 2;
	}
	return new;
}

static void end(void)
{
	if (map)
		map_free(map);
	if (inner)
		map_free(inner);
	map = NULL;
	inner = NULL;
}

/* Values have 12 bytes. */
static int set(u32 type, bool sum, struct bpffs_layouts given)
{
	end();
	map = blank(type, key_size, 12);
	map->info.sum = sum;
	*why = '\0';
	return bpffs_set_layouts(&map->info, NULL, &given, why);
}

static int set_outer(u32 inner_type, bool sum, struct bpffs_layouts given)
{
	end();
	map = blank(BPFFS_TYPE_HASH_OF_MAPS, 4, 4);
	map->info.sum = sum;
	inner = blank(inner_type, key_size, 12);
	*why = '\0';
	return bpffs_set_layouts(&map->info, &inner->info, &given, why);
}

#define SET(type, ...)		set(BPFFS_TYPE_##type, false, (struct bpffs_layouts){ __VA_ARGS__ })
#define SUM(type, ...)		set(BPFFS_TYPE_##type, true, (struct bpffs_layouts){ __VA_ARGS__ })
#define SET_OUTER(type, ...)	\
	set_outer(BPFFS_TYPE_##type, false, (struct bpffs_layouts){ __VA_ARGS__ })

static bool refused(int err, const char *sentence)
{
	if (err == -EINVAL && !strcmp(why, sentence))
		return true;
	printf("# %d, \"%s\"\n", err, why);
	return false;
}

static bool is(const struct bpffs_layout *layout, const char *text)
{
	char *its = layout ? bpffs_layout_string(layout) : NULL;
	bool same = its ? text && !strcmp(its, text) : !text;

	bpffs_free(its);
	return same;
}

static void test_map(void)
{
	CHECK(!SET(HASH, .key = NULL) && !*why);
	CHECK(is(map->info.key, "hex") && is(map->info.value, "hex") && !map->info.no_keys);
	CHECK(map->info.stored.copies == 1 && map->info.stored.stride == 16);
	CHECK(map->info.shape.layout == map->info.value && map->info.shape.separator == '\n');
	CHECK(!SET(HASH, .key = "none", .value = "u64:u32"));
	CHECK(!map->info.key && map->info.no_keys && is(map->info.value, "u64:u32"));
	CHECK(refused(SET(HASH, .key = "u8"),
		      "key: the layout covers 1 of 4 bytes; add \":hex3\", or use key=auto"));
	CHECK(SET(HASH, .value = "u7") == -EINVAL && strstr(why, "value: ") == why);
	CHECK(strstr(why, " (column 1)"));
	key_size = 8;
	CHECK(refused(SET(HASH, .key = "plen:ip4"), "key: plen is for maps of type lpm_trie"));
	CHECK(!SET(LPM_TRIE, .key = "plen:ip4"));
	key_size = 4;
	CHECK(refused(SET(HASH, .percpu = true), "percpu: a value of this map is not per CPU"));
	CHECK(refused(SET(HASH, .inner_value = "u32"), "inner_value: for a map of maps only"));
	CHECK(refused(SET(HASH, .inner_key = "u32"), "inner_key: for a map of maps only"));
	end();
}

static void test_kinds(void)
{
	CHECK(!SET(QUEUE, .key = NULL) && !map->info.key && is(map->info.value, "hex"));
	CHECK(refused(SET(QUEUE, .key = "u32"), "key: a queue or stack has no keys"));
	/* A bloom filter's key is its value. */
	CHECK(!SET(BLOOM_FILTER, .key = "a=u64:b=u32") && is(map->info.key, "a=u64:b=u32"));
	CHECK(!map->info.value);
	CHECK(refused(SET(BLOOM_FILTER, .value = "hex"), "value: a bloom filter has keys only"));
	CHECK(refused(SET(BLOOM_FILTER, .percpu = true), "percpu: a bloom filter has keys only"));
	CHECK(!SET(RINGBUF, .key = NULL) && !map->info.key && !map->info.value);
	CHECK(refused(SET(RINGBUF, .value = "u32"),
		      "value: a map of this type shows no elements"));
	CHECK(refused(SET(RINGBUF, .percpu = true),
		      "percpu: a map of this type shows no elements"));
	end();
	map = blank(0, 0, 0);
	map->kind = BPFFS_PROG;
	CHECK(!bpffs_set_layouts(&map->info, NULL, &(struct bpffs_layouts){}, why));
	CHECK(refused(bpffs_set_layouts(&map->info, NULL,
					&(struct bpffs_layouts){ .inner_key = "hex" }, why),
		      "inner_key: only a map has keys and values"));
	end();
}

static void test_percpu(void)
{
	CHECK(!SET(PERCPU_HASH, .percpu = true) && map->info.shape.copies == 2);
	CHECK(map->info.shape.cpus == map->info.stored.cpus && map->info.shape.stride == 16);
	CHECK(!SUM(PERCPU_HASH, .value = "u64:u32", .percpu = true));
	CHECK(map->info.shape.copies == 1 && !map->info.shape.cpus);
	CHECK(map->info.stored.copies == 2 && map->info.stored.cpus);
	CHECK(!SET(PERCPU_HASH, .value = "a=u64:u32"));
	CHECK(refused(SET(PERCPU_HASH, .value = "u64:u32"),
		      "value: several fields of a per-CPU value need names"));
	end();
}

static void test_inner(void)
{
	CHECK(!SET_OUTER(HASH, .key = "u32", .inner_key = "none", .inner_value = "u64:u32"));
	CHECK(is(map->info.key, "u32") && !map->info.value && inner->info.no_keys);
	CHECK(is(inner->info.value, "u64:u32") && map->info.shape.copies == 1);
	CHECK(refused(SET_OUTER(HASH, .value = "u32"),
		      "value: values are maps; give inner_key, inner_value"));
	CHECK(refused(SET_OUTER(QUEUE, .inner_key = "u32"),
		      "inner_key: a queue or stack has no keys"));
	CHECK(refused(SET_OUTER(HASH, .percpu = true),
		      "percpu: a value of this map is not per CPU"));
	CHECK(!SET_OUTER(RINGBUF, .percpu = true));
	CHECK(refused(SET_OUTER(RINGBUF, .inner_key = "u32"),
		      "key: a map of this type shows no elements"));
	CHECK(SET_OUTER(HASH, .inner_value = "u8:") == -EINVAL);
	CHECK(strstr(why, "inner_value: ") == why);
	/* The sum is of the inner maps' values. */
	CHECK(!set_outer(BPFFS_TYPE_PERCPU_HASH, true,
			 (struct bpffs_layouts){ .percpu = true, .inner_value = "u64:u32" }));
	CHECK(!map->info.sum && inner->info.sum && inner->info.shape.copies == 1);
	end();
}

static int same(struct bpffs_layouts given)
{
	*why = '\0';
	return bpffs_same_layouts(&map->info, inner ? &inner->info : NULL, &given, why);
}

#define SAME(...) same((struct bpffs_layouts){ __VA_ARGS__ })

static void test_remount(void)
{
	CHECK(!SET(HASH, .key = "be32", .value = "a=be32:b=u64"));
	CHECK(!SAME(.key = NULL) && !SAME(.key = "be32", .value = "a=be32:b=u64"));
	CHECK(refused(SAME(.key = "u32"), "key: cannot change; only ro and rw can"));
	CHECK(refused(SAME(.key = "none"), "key: unknown type \"none\" (column 1)"));
	CHECK(refused(SAME(.value = "hex"), "value: cannot change; only ro and rw can"));
	CHECK(refused(SAME(.inner_key = "hex"), "inner_key: cannot change; only ro and rw can"));
	CHECK(!SET(HASH, .key = "none") && !SAME(.key = "none"));
	CHECK(refused(SAME(.key = "hex"), "key: cannot change; only ro and rw can"));
	CHECK(!SET_OUTER(HASH, .inner_key = "none") && !SAME(.inner_key = "none"));
	CHECK(!SAME(.inner_value = "hex"));
	end();
}

static void test_numbers(void)
{
	u32 id = 7, other = 8;

	CHECK(!SET(HASH, .key = NULL));
	CHECK(!bpffs_check_object(&map->info, NULL, NULL, why));
	CHECK(!bpffs_check_object(&map->info, &id, "conns", why));
	CHECK(refused(bpffs_check_object(&map->info, &other, NULL, why),
		      "id: the object's id is 7, not 8"));
	CHECK(refused(bpffs_check_object(&map->info, NULL, "con", why),
		      "name: the object's name is \"conns\", not \"con\""));
	CHECK(!bpffs_set_mode(&map->info, 0640, why) && map->info.mode == 0640);
	CHECK(refused(bpffs_set_mode(&map->info, 01640, why),
		      "mode: 01640 has more than permission bits"));
	CHECK(map->info.mode == 0640);
	end();
}

static void test_no_memory(void)
{
	unsigned long at;
	int err;

	for (at = 1; at < 100; at++) {
		has_failed = false;
		fail_alloc = at;
		err = SET_OUTER(HASH, .key = "u32", .inner_value = "a=u64:b=u32");
		fail_alloc = 0;
		if (!has_failed)
			break;
		CHECK(err == -ENOMEM);
	}
	CHECK(!err && at > 3);
	for (at = 1; at < 100; at++) {
		has_failed = false;
		fail_alloc = at;
		err = SAME(.inner_value = "a=u64:b=u32");
		fail_alloc = 0;
		if (!has_failed)
			break;
		CHECK(err == -ENOMEM);
	}
	CHECK(!err && at > 3);
	end();
}

int main(void)
{
	run("options: map", test_map);
	run("options: kinds", test_kinds);
	run("options: percpu", test_percpu);
	run("options: inner", test_inner);
	run("options: remount", test_remount);
	run("options: numbers", test_numbers);
	run("options: no_memory", test_no_memory);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
