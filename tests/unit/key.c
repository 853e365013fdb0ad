// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Keys by short names, and how many there are, of a map that is a few lines of C. */
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "tap.h"

/* Of find-short.c. */
#define SHORTS_MAX	16384

/* Elements of which the names are too long for files. */
static struct map *filled(u32 type)
{
	struct map *map = map_new(type, LONG_KEY, 4, "u32", 4, 0, false);
	u32 i;

	for (i = 0; i < map->info.max_entries; i++) {
		map->there[i] = true;
		memcpy(map->key[i], &i, sizeof(i));
	}
	return map;
}

static char *name_of(const struct map *map, u32 key)
{
	static char name[BPFFS_NAME_MAX + 1];

	bpffs_name_encode(map->info.key, &key, name);
	return name;
}

static int find(struct map *map, const char *name, u32 *key)
{
	*key = ~0U;
	return bpffs_file_to_key(&map->info, name, strlen(name), key);
}

static const u32 types[] = { BPFFS_TYPE_HASH, BPFFS_TYPE_ARRAY };

static void test_short(void)
{
	u32 i, n, key;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct map *map = filled(types[i]);

		for (n = map->info.max_entries; n--;) {
			CHECK(bpffs_name_is_short(name_of(map, n), strlen(name_of(map, n))));
			CHECK(!find(map, name_of(map, n), &key) && key == n);
		}
		CHECK(map->info.shorts.count == map->info.max_entries);
		/* Seen before: nothing is looked through, so nothing can be missing. */
		stop = 1;
		fail_alloc = 1;
		CHECK(!find(map, name_of(map, 2), &key) && key == 2);
		CHECK(stop == 1 && fail_alloc == 1);
		stop = 0;
		fail_alloc = 0;
		CHECK(find(map, name_of(map, 77), &key) == -EINVAL);
		/* The whole name is a file's of no element, but a line's in a table. */
		CHECK(find(map, "5," LONG_WORD, &key) == -EINVAL);
		CHECK(!find(map, "5," LONG_WORD "," LONG_WORD "," LONG_WORD, &key) && key == 5);
		map_free(map);
	}
}

/* Where no name is too long, none is short; nor where names cannot be listed. */
static void test_none(void)
{
	struct map *map = map_new(BPFFS_TYPE_HASH, "u32", 4, "u32", 4, 0, false);
	struct map *filter = map_new(BPFFS_TYPE_BLOOM_FILTER, LONG_KEY, 4, NULL, 4, 0, false);
	u32 key;

	CHECK(find(map, name_of(filter, 1), &key) == -EINVAL);
	CHECK(find(filter, name_of(filter, 1), &key) == -EINVAL);
	map_free(map);
	map_free(filter);
}

/* Without memory, nothing is kept, and what is there is found; or it is said. */
static void test_no_memory(void)
{
	unsigned long at;
	u32 i, key;
	int err;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (at = 1; at < 100; at++) {
			struct map *map = filled(types[i]);

			has_failed = false;
			fail_alloc = at;
			err = find(map, name_of(map, 3), &key);
			fail_alloc = 0;
			CHECK(err ? err == -ENOMEM && has_failed : key == 3);
			CHECK(!find(map, name_of(map, 3), &key) && key == 3);
			bpffs_short_note(&map->info, name_of(map, 1),
					 strlen(name_of(map, 1)), map->key[1]);
			CHECK(!find(map, name_of(map, 1), &key) && key == 1);
			map_free(map);
			if (!has_failed)
				break;
		}
		CHECK(at > 3 && at < 100);
	}
}

static void test_killed(void)
{
	unsigned long at;
	u32 i, key;
	int err;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct map *map = filled(types[i]);

		for (at = 1; at < 100; at++) {
			stop = at;
			err = find(map, name_of(map, 77), &key);
			stop = 0;
			CHECK(err == (has_stopped ? -EINTR : -EINVAL));
			if (!has_stopped)
				break;
			has_stopped = false;
		}
		CHECK(at > 1 && at < 100);
		map_free(map);
	}
}

/* More than are kept: all are forgotten; those that a search sees are not even kept then. */
static void test_many(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH);
	char name[BPFFS_NAME_MAX + 1];
	u32 i, key, len;

	len = sprintf(name, "%s", name_of(map, 1));
	for (i = 0; i < SHORTS_MAX; i++) {
		sprintf(name + len - 8, "%08x", i);
		bpffs_short_note(&map->info, name, len, map->key[1]);
	}
	CHECK(map->info.shorts.count == SHORTS_MAX);
	/* They were not that key's. */
	CHECK(find(map, name, &key) == -EINVAL);
	CHECK(!find(map, name_of(map, 2), &key) && key == 2);
	CHECK(map->info.shorts.count == SHORTS_MAX);
	bpffs_short_note(&map->info, name_of(map, 3), len, map->key[3]);
	CHECK(map->info.shorts.count == 1);
	/* What is no short name is not kept. */
	bpffs_short_note(&map->info, "1", 1, map->key[1]);
	CHECK(map->info.shorts.count == 1);
	CHECK(!find(map, name_of(map, 3), &key) && key == 3);
	map_free(map);
}

static void test_count(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH), *array = filled(BPFFS_TYPE_ARRAY);
	struct map *lru = filled(BPFFS_TYPE_LRU_HASH);
	struct map *outer = map_new(BPFFS_TYPE_ARRAY_OF_MAPS, "u32", 4, NULL, 4, 0, false);
	struct bpffs_evictions evictions = {};
	unsigned long at;
	u32 key = 77;
	u64 count;

	CHECK(!bpffs_count(&map->info, &count) && count == 4);
	CHECK(bpffs_count_free(&map->info, &count) && !count);
	map->there[2] = false;
	CHECK(bpffs_count_free(&map->info, &count) && count == 1);
	CHECK(!bpffs_count_free(&array->info, &count) && !bpffs_count_free(&lru->info, &count));
	/* By a walk; which statfs(2) never waits for. */
	map->uncounted = true;
	CHECK(!bpffs_count(&map->info, &count) && count == 3);
	CHECK(!bpffs_count_free(&map->info, &count));
	fail_alloc = 1;
	CHECK(bpffs_count(&map->info, &count) == -ENOMEM);
	/* Slots, at each turn of the walk over which somebody may be killed. */
	outer->there[1] = true;
	outer->key[1][0] = 1;
	for (at = 1; at < 100; at++) {
		stop = at;
		if (!bpffs_count(&outer->info, &count))
			break;
		CHECK(has_stopped);
		has_stopped = false;
	}
	stop = 0;
	CHECK(at == outer->info.max_entries + 1 && count == 1);
	/* Of what cannot be counted, it is not known what was evicted. */
	lru->uncounted = true;
	fail_alloc = 1;
	CHECK(bpffs_evictions_expect(&evictions, &lru->info, &key) == -ENOMEM);
	CHECK(!evictions.created);
	CHECK(bpffs_evictions_expect(&evictions, &lru->info, lru->key[0]) == 0);
	CHECK(bpffs_evictions_expect(&evictions, &lru->info, &key) == 1);
	fail_alloc = 1;
	CHECK(bpffs_evictions_check(&evictions, &lru->info, "table") == -ENOMEM);
	CHECK(bpffs_evictions_expect(&evictions, &lru->info, &key) == 1);
	CHECK(bpffs_evictions_check(&evictions, &lru->info, "table") == -ENOSPC);
	CHECK(said(lru, "table: 1 elements are gone: the map evicts to make room; it has 4"));
	map_free(map);
	map_free(array);
	map_free(lru);
	map_free(outer);
}

/* As a trie's walk has them; what is behind a prefix does not count. */
static void test_prefixes(void)
{
	static const struct {
		u32 plen;
		u8 data[2];
	} keys[] = {
		{ 16, { 0x0a, 0x00 } },
		{ 16, { 0x0a, 0x01 } },
		{ 15, { 0x0a, 0x01 } },
		{ 16, { 0x0a, 0x80 } },
		{ 9, { 0x0a, 0xff } },
		{ 8, { 0x0a, 0x70 } },
		{ 2, { 0xc0, 0xc0 } },
		{ 0, { 0x55, 0xaa } },
	};
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		for (j = 0; j < ARRAY_SIZE(keys); j++)
			CHECK(bpffs_prefix_follows((const u8 *)&keys[i], (const u8 *)&keys[j],
						   6) == (j > i));
}

int main(void)
{
	run("key: short", test_short);
	run("key: none", test_none);
	run("key: no_memory", test_no_memory);
	run("key: killed", test_killed);
	run("key: many", test_many);
	run("key: count", test_count);
	run("key: prefixes", test_prefixes);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
