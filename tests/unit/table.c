// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * .bpf/table, both ways, against a map that is a few lines of C; and which keys may be
 * made, and their inode numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "tap.h"
#include "table.h"

#define FIELDS	"a=u32:b=u32"
#define LINES	"1 a=1 b=2\n2 a=3 b=4\n3 a=5 b=6\n"

static struct map *new(u32 type)
{
	return map_new(type, "u32", 4, FIELDS, 8, 0, false);
}

/* Write @text in pieces of @piece bytes; the result of the last write. */
static ssize_t put(struct map *map, const char *text, size_t piece)
{
	struct bpffs_table *table = calloc(1, sizeof(*table));
	size_t left = strlen(text);
	ssize_t ret;
	loff_t pos = 0;

	ret = bpffs_table_begin(&map->info, table, NULL);
	while (!ret && left) {
		struct iov_iter from = {
			.at = (char *)text + pos, .left = left < piece ? left : piece,
		};

		ret = bpffs_table_write(&map->info, table, &pos, &from);
		if (ret < 0)
			break;
		left -= ret;
		if (left)
			ret = 0;
	}
	CHECK(!bpffs_table_flush(&map->info, table));
	bpffs_table_end(&map->info, table);
	free(table);
	return ret;
}

static ssize_t get(struct map *map, char *text, size_t size, size_t piece)
{
	struct bpffs_table *table = calloc(1, sizeof(*table));
	loff_t pos = 0;
	ssize_t ret;

	ret = bpffs_table_begin(&map->info, table, NULL);
	while (!ret && (size_t)pos + piece < size) {
		struct iov_iter to = { .at = text + pos, .left = piece };

		ret = bpffs_table_read(&map->info, table, &pos, &to);
		if (ret <= 0)
			break;
		ret = 0;
	}
	text[pos] = '\0';
	bpffs_table_end(&map->info, table);
	free(table);
	return ret < 0 ? ret : pos;
}

static void test_round_trip(void)
{
	static const u32 types[] = { BPFFS_TYPE_HASH, BPFFS_TYPE_LRU_HASH, BPFFS_TYPE_LPM_TRIE };
	char text[4096];
	size_t piece;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		for (piece = 1; piece < sizeof(LINES); piece++) {
			struct map *map = types[i] == BPFFS_TYPE_LPM_TRIE ?
				map_new(types[i], "hex8", 8, FIELDS, 8, 0, false) : new(types[i]);
			const char *lines = types[i] == BPFFS_TYPE_LPM_TRIE ?
				"2000000000000001 a=1 b=2\n" : LINES;

			CHECK(put(map, lines, piece) > 0);
			CHECK(get(map, text, sizeof(text), piece) == (ssize_t)strlen(lines));
			CHECK(!strcmp(text, lines));
			map_free(map);
		}
	}
}

static void test_refusals(void)
{
	struct map *map = new(BPFFS_TYPE_HASH);
	struct map *array = new(BPFFS_TYPE_ARRAY);

	/* The lines before the bad one are stored. */
	CHECK(put(map, "1 a=1 b=2\nx a=1\n", 64) < 0);
	CHECK(said(map, "table: line 2: \"x\" names no key: "));
	CHECK(map_elements(map) == 1);
	CHECK(put(map, "2 a=1\n", 64) == -ENOENT);
	CHECK(said(map, "table: line 1: there is no such element, and not every field is named"));
	CHECK(put(map, "2 a+=1\n", 64) == -ENOENT);
	CHECK(said(map, "table: line 1: there is no such element to add to; nothing was changed"));
	CHECK(put(map, "1\n1\n", 64) == -EINVAL);
	CHECK(put(map, "1 c=1\n", 64) == -EINVAL);
	CHECK(put(map, "1 a=9\n1 b", 64) == 9);
	CHECK(said(map, "table: closed in the middle of line 2, which was not stored"));
	CHECK(put(map, "1 b=7\n", 64) == 6);
	CHECK(map->value[0][0] == 9 && map->value[0][4] == 7);
	put(map, "5 a=1 b=1\n6 a=1 b=1\n7 a=1 b=1\n8 a=1 b=1\n", 64);
	CHECK(said(map, "8: the map is full (4 elements); nothing was changed"));
	map->frozen = true;
	CHECK(put(map, "1 a=1 b=2\n", 64) == -EPERM);
	CHECK(put(array, "4 a=1 b=1\n", 64) == -ERANGE);
	CHECK(said(array, "table: line 1: 4: the array has 4 elements; nothing was changed"));
	map_free(map);
	map_free(array);
}

static void test_may_create(void)
{
	struct map *map = new(BPFFS_TYPE_HASH);
	struct map *array = new(BPFFS_TYPE_ARRAY);
	unsigned char key[KEY_BYTES];

	CHECK(!bpffs_may_create(&map->info, "1", 1, key));
	CHECK(bpffs_may_create(&map->info, "01", 2, key) == -EINVAL);
	CHECK(said(map, "\"01\" names no key: "));
	CHECK(bpffs_may_create(&array->info, "4", 1, key) == -ERANGE);
	CHECK(bpffs_may_create(&array->info, "3", 1, key) == -EOPNOTSUPP);
	map->frozen = true;
	CHECK(bpffs_may_create(&map->info, "1", 1, key) == -EPERM);
	CHECK(bpffs_element_delete(&array->info, "\0\0\0") == -EPERM);
	CHECK(said(array, "0: an element of an array stays; nothing was changed"));
	map_free(map);
	map_free(array);
}

/* SipHash-2-4's own test vector; and what is below the numbers of elements. */
static void test_inodes(void)
{
	const siphash_key_t seed = { { 0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL } };
	struct map *map = new(BPFFS_TYPE_HASH);
	struct map *wide = map_new(BPFFS_TYPE_HASH, "s64", 8, FIELDS, 8, 0, false);
	unsigned char data[15];
	s64 number, other;
	u32 key = 5, i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i;
	CHECK(siphash(data, sizeof(data), &seed) == 0xa129ca6149be45e5ULL);
	CHECK(bpffs_key_ino(&map->info, &key) == BPFFS_INO_ELEMENT + 5);
	CHECK(bpffs_salted_ino(&map->info, BPFFS_INO_ATTR) == BPFFS_INO_ATTR);
	map->info.salt = 7;
	CHECK(bpffs_key_ino(&map->info, &key) >= BPFFS_INO_ELEMENT);
	CHECK(bpffs_salted_ino(&map->info, BPFFS_INO_ATTR) >= BPFFS_INO_ELEMENT);

	/* Keys on both sides of 0, and what is in neighbouring slots, share none. */
	for (number = -100; number < 200; number++) {
		u64 ino = bpffs_key_ino(&wide->info, &number);

		CHECK(ino >= BPFFS_INO_ELEMENT);
		for (other = -100; other < number; other++)
			CHECK(bpffs_key_ino(&wide->info, &other) != ino);
	}
	CHECK(bpffs_key_ino(&wide->info, &number) == BPFFS_INO_ELEMENT + 200);
	wide->info.salt = 8;
	CHECK(bpffs_salted_ino(&map->info, BPFFS_INO_ATTR) !=
	      bpffs_salted_ino(&wide->info, BPFFS_INO_DOT_BPF));
	map_free(map);
	map_free(wide);
}

static void test_no_memory(void)
{
	char text[4096];
	unsigned long at;
	struct map *map;
	ssize_t ret, got;

	for (at = 1; at < 1000; at++) {
		map = new(BPFFS_TYPE_HASH);
		fail_alloc = at;
		has_failed = false;
		ret = put(map, LINES, 7);
		got = get(map, text, sizeof(text), 100);
		fail_alloc = 0;
		CHECK(ret > 0 || ret == -ENOMEM);
		CHECK(got >= 0 || got == -ENOMEM);
		CHECK(has_failed || !strcmp(text, LINES));
		map_free(map);
		if (!has_failed)
			break;
	}
	CHECK(at > 5 && at < 1000);
}

/* Whether there is a key, the map cannot say. */
static void test_no_answer(void)
{
	struct map *outer = map_new(BPFFS_TYPE_ARRAY_OF_MAPS, "u32", 4, NULL, 4, 0, false);
	struct map *lru = new(BPFFS_TYPE_LRU_HASH);
	u64 count;

	CHECK(!bpffs_count(&outer->info, &count) && !count);
	outer->has_error = -ENOMEM;
	CHECK(bpffs_count(&outer->info, &count) == -ENOMEM);
	lru->has_error = -ENOMEM;
	CHECK(put(lru, LINES, sizeof(LINES)) == -ENOMEM);
	CHECK(!map_elements(lru));
	map_free(outer);
	map_free(lru);
}

int main(void)
{
	run("table: round_trip", test_round_trip);
	run("table: refusals", test_refusals);
	run("table: may_create", test_may_create);
	run("table: inodes", test_inodes);
	run("table: no_memory", test_no_memory);
	run("table: no_answer", test_no_answer);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
