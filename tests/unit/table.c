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

static void test_open(void)
{
	struct map *queue = map_new(BPFFS_TYPE_QUEUE, NULL, 0, "u32", 4, 0, false);
	struct map *map = new(BPFFS_TYPE_HASH);
	struct bpffs_table table = {};

	CHECK(bpffs_table_begin(&queue->info, &table, NULL) == -EOPNOTSUPP);
	map->info.shape.stride = BPFFS_VALUE_MAX + 8;
	CHECK(bpffs_table_begin(&map->info, &table, NULL) == -EFBIG);
	map_free(queue);
	map_free(map);
}

/* The latest sentence. */
static bool said_last(const struct map *map, const char *sentence)
{
	const struct bpffs_errors *errors = &map->info.errors;

	return strstr(errors->sentence[(errors->next + BPFFS_ERRORS - 1) % BPFFS_ERRORS], sentence);
}

/* Lines and names as nobody should write them. */
static void test_odd_lines(void)
{
	struct map *map = new(BPFFS_TYPE_HASH);
	char text[512];
	size_t piece;

	for (piece = 1; piece < 32; piece++) {
		map->there[0] = false;
		CHECK(put(map, "\n\n \t\n 7  a=1\tb=2\n\n", piece) > 0);
		CHECK(get(map, text, sizeof(text), 64) == 10 && !strcmp(text, "7 a=1 b=2\n"));
		/* Lines are counted, also empty ones. */
		CHECK(put(map, "\n\n7 a=x\n", piece) < 0);
		CHECK(said(map, "table: line 3: 7: a: \"x\" is not a u32"));
		CHECK(put(map, "7 a=1\n\n\n7 a=x\n", piece) < 0);
		CHECK(said_last(map, "table: line 4: 7: a: \"x\" is not a u32"));
		CHECK(put(map, "7\n", piece) < 0);
		CHECK(said(map, "table: line 1: "));
		map_free(map);
		map = new(BPFFS_TYPE_HASH);
		memset(text, '1', 300);
		sprintf(text + 300, " a=1 b=1\n");
		CHECK(put(map, text, piece) == -EINVAL);
		CHECK(said(map, "table: line 1: the name is longer than 255 bytes"));
		CHECK(!map_elements(map));
	}
	map_free(map);
}

/* Where a read or a write goes on, and where not. */
static void test_position(void)
{
	struct map *map = new(BPFFS_TYPE_HASH);
	struct bpffs_table table = {};
	struct iov_iter from = { .at = LINES, .left = 20 };
	char text[64];
	struct iov_iter to = { .at = text, .left = 8 };
	loff_t pos = 0;

	CHECK(!bpffs_table_begin(&map->info, &table, NULL));
	CHECK(bpffs_table_write(&map->info, &table, &pos, &from) == 20 && pos == 20);
	from = (struct iov_iter){ .at = "3 a=1 b=1\n", .left = 10 };
	pos = 21;
	CHECK(bpffs_table_write(&map->info, &table, &pos, &from) == -ESPIPE && pos == 21);
	CHECK(map_elements(map) == 2);
	CHECK(bpffs_table_goes_on_at(&table, 0, false));
	CHECK(bpffs_table_goes_on_at(&table, 20, false));
	CHECK(!bpffs_table_goes_on_at(&table, 21, false));
	pos = 0;
	CHECK(bpffs_table_read(&map->info, &table, &pos, &to) == 8 && pos == 8);
	CHECK(bpffs_table_goes_on_at(&table, 5, true));
	/* Its begin has been given up. */
	table.text_from = 4;
	CHECK(!bpffs_table_goes_on_at(&table, 3, true));
	pos = 3;
	to.left = 8;
	CHECK(bpffs_table_read(&map->info, &table, &pos, &to) == -ESPIPE && pos == 3);
	bpffs_table_end(&map->info, &table);
	map_free(map);
}

static const struct {
	u32 type;
	const char *key;
	u32 key_size;
	u32 value_size;
	u32 cpus;
	bool sum;
} kinds[] = {
	{ BPFFS_TYPE_HASH, "u32", 4, 8, 0, false },
	{ BPFFS_TYPE_HASH, "u32", 4, 952, 0, false },
	{ BPFFS_TYPE_HASH, "u32", 4, 1500, 0, false },
	{ BPFFS_TYPE_PERCPU_HASH, "u32", 4, 300, 3, false },
	{ BPFFS_TYPE_PERCPU_HASH, "u32", 4, 300, 3, true },
	{ BPFFS_TYPE_LPM_TRIE, "hex8", 8, 1500, 0, false },
	{ BPFFS_TYPE_ARRAY, "u32", 4, 16, 0, false },
	{ BPFFS_TYPE_PERCPU_ARRAY, "u32", 4, 300, 3, true },
	{ BPFFS_TYPE_LRU_HASH, "u32", 4, 8, 0, false },
	{ BPFFS_TYPE_HASH, LONG_KEY, 4, 8, 0, false },
};

static struct map *empty(u32 i)
{
	char layout[32];

	sprintf(layout, "n=u32:v=hex%u", kinds[i].value_size - 4);
	return map_new(kinds[i].type, kinds[i].key, kinds[i].key_size, layout,
		       kinds[i].value_size, kinds[i].cpus, kinds[i].sum);
}

static struct map *filled(u32 i)
{
	struct map *map = empty(i);
	u32 n, copy;

	for (n = 0; n < map->info.max_entries; n++) {
		map->there[n] = true;
		map->key[n][0] = n;
		if (kinds[i].type == BPFFS_TYPE_LPM_TRIE)
			memcpy(map->key[n], (u32[]){ 32, n }, 8);
		for (copy = 0; copy < (kinds[i].cpus ?: 1); copy++)
			memset(map->value[n] + copy * map->info.stored.stride, n + 1,
			       kinds[i].value_size);
	}
	return map;
}

#define TEXT_MAX	32768

static unsigned long *const fails[] = { &fail_alloc, &fail_copy, &stop };
static const int errors[] = { -ENOMEM, -EFAULT, -EINTR };

/*
 * Of each kind of map, something is missing at each point: memory, the reader's memory, the
 * reader's life. What was read is the begin of the whole; who can go on reads all of it.
 */
static void test_read_fails(void)
{
	static char whole[TEXT_MAX], text[TEXT_MAX];
	unsigned long at;
	ssize_t len, ret;
	u32 i, way;

	for (i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(fails); i++) {
		struct map *map = filled(i / 3);
		bool failed = true;

		way = i % 3;
		len = get(map, whole, sizeof(whole), 1000);
		CHECK(len > 0);
		for (at = 1; failed && at < TEXT_MAX; at += 1 + (way == 1) * (at / 8)) {
			struct bpffs_table table = {};
			loff_t pos = 0;

			has_failed = false;
			CHECK(!bpffs_table_begin(&map->info, &table, NULL));
			*fails[way] = at;
			do {
				struct iov_iter to = { .at = text + pos, .left = 1000 };

				ret = bpffs_table_read(&map->info, &table, &pos, &to);
				CHECK(ret >= 0 || ret == errors[way]);
				CHECK(pos <= len && !memcmp(text, whole, pos));
				if (way == 1 && has_failed) {
					CHECK(ret < 1000 && pos < len);
					break;
				}
				/* It is read again from there on. */
				if (ret < 0 && has_failed)
					ret = 1;
			} while (ret > 0 && pos < len);
			if (way == 1 && has_failed) {
				struct iov_iter to = { .at = text + pos, .left = len - pos };

				bpffs_table_read(&map->info, &table, &pos, &to);
				CHECK(!memcmp(text, whole, len));
			}
			CHECK(pos == len || has_stopped);
			failed = has_failed || has_stopped;
			*fails[way] = 0;
			has_stopped = false;
			bpffs_table_end(&map->info, &table);
		}
		CHECK(!failed && at > 2 && at < TEXT_MAX);
		map_free(map);
	}
}

/*
 * The same of a writer: the elements are those of the first lines, no line is half stored,
 * and a short write tells how many there are. Who goes on from there stores all.
 */
static void test_write_fails(void)
{
	static char whole[TEXT_MAX], text[TEXT_MAX];
	unsigned long at;
	ssize_t len, ret;
	u32 i, way;

	for (i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(fails); i++) {
		struct map *map = filled(i / 3), *copy;
		bool failed = true;

		way = i % 3;
		len = get(map, whole, sizeof(whole), 1000);
		for (at = 1; failed && at < TEXT_MAX; at += 1 + (way == 1) * (at / 8)) {
			struct bpffs_table table = {};
			int n = 0, tries = 0;
			loff_t pos = 0;

			has_failed = false;
			copy = empty(i / 3);
			CHECK(!bpffs_table_begin(&copy->info, &table, NULL));
			*fails[way] = at;
			do {
				struct iov_iter from = { .at = whole + pos, .left = len - pos };

				ret = bpffs_table_write(&copy->info, &table, &pos, &from);
				CHECK(ret > 0 || ret == errors[way]);
				CHECK(!pos || whole[pos - 1] == '\n');
				CHECK(way > 1 || tries || !has_failed || pos < len);
			} while (pos < len && !has_stopped && ++tries < 3);
			failed = has_failed || has_stopped;
			*fails[way] = 0;
			CHECK(pos == len || has_stopped);
			has_stopped = false;
			bpffs_table_end(&copy->info, &table);
			/* Of an array, the rest is zero: compare lines up to the last one. */
			CHECK(get(copy, text, sizeof(text), 1000) >= pos);
			CHECK(!memcmp(text, whole, pos));
			if (!bpffs_map_can(&copy->info, BPFFS_IS_ARRAY)) {
				for (ret = 0; ret < pos; ret++)
					n += whole[ret] == '\n';
				CHECK(map_elements(copy) == n);
			}
			map_free(copy);
		}
		CHECK(!failed && at > 2 && at < TEXT_MAX);
		map_free(map);
	}
}

static ssize_t more(struct map *map, struct bpffs_table *table, loff_t *pos, const char *text)
{
	struct iov_iter from = { .at = (char *)text, .left = strlen(text) };

	return bpffs_table_write(&map->info, table, pos, &from);
}

/* The rest of a line that a write has failed to go on with is no line of its own. */
static void test_fails_within(void)
{
	struct map *map = new(BPFFS_TYPE_HASH);
	struct bpffs_table table = {};
	loff_t pos = 0;

	CHECK(!bpffs_table_begin(&map->info, &table, NULL));
	CHECK(more(map, &table, &pos, "1 a=1 b=1\n2") == 11);
	map->store_error = -ENOSPC;
	CHECK(more(map, &table, &pos, "0 a=5 b=6\n") == -ENOSPC);
	map->store_error = 0;
	CHECK(more(map, &table, &pos, "0 a=5 b=6\n") == -ENOSPC && map_elements(map) == 1);
	CHECK(pos == 11);
	CHECK(said(map, "table: line 2: a write has failed in it: write from the start of the file"));
	pos = 0;
	CHECK(more(map, &table, &pos, "20 a=5 b=6\n2") == 12 && map_elements(map) == 2);
	/* Nor is it to be tried for ever. */
	fail_copy = 1;
	CHECK(more(map, &table, &pos, "1 a=5 b=6\n") == -EFAULT);
	CHECK(more(map, &table, &pos, "1 a=5 b=6\n") == -EFAULT);
	pos = 0;
	CHECK(more(map, &table, &pos, "2") == 1);
	stop = 1;
	CHECK(more(map, &table, &pos, "1 a=5 ") == -EINTR);
	stop = 0;
	has_stopped = false;
	CHECK(more(map, &table, &pos, "1 a=5 ") == -EIO && map_elements(map) == 2);
	/* A whole line that fails is none before another. */
	pos = 0;
	CHECK(more(map, &table, &pos, "3 a=5 b=6\n") == 10);
	CHECK(more(map, &table, &pos, "4 a=x\n") == -EINVAL);
	CHECK(more(map, &table, &pos, "4 a=5 b=6\n") == 10 && map_elements(map) == 4);
	bpffs_table_end(&map->info, &table);
	map_free(map);
}

/* What the map's own walk fails with: it goes on there. */
static void test_chunk_fails(void)
{
	static char whole[TEXT_MAX], text[TEXT_MAX];
	struct map *map = filled(2);
	ssize_t len = get(map, whole, sizeof(whole), 1000);
	struct bpffs_table table = {};
	bool interrupted = false;
	struct iov_iter to;
	ssize_t ret = 0;
	loff_t pos = 0;

	CHECK(!bpffs_table_begin(&map->info, &table, NULL));
	map->batch_error = -EFAULT;
	to = (struct iov_iter){ .at = text, .left = 1000 };
	CHECK(bpffs_table_read(&map->info, &table, &pos, &to) == -EFAULT);
	do {
		to = (struct iov_iter){ .at = text + pos, .left = 1000 };
		map->batch_error = ret > 0 ? -EINTR : 0;
		ret = bpffs_table_read(&map->info, &table, &pos, &to);
		CHECK(ret >= 0 || ret == -EINTR);
		interrupted |= ret < 0 && pos < len;
	} while (ret);
	CHECK(interrupted);
	CHECK(pos == len && !memcmp(text, whole, len));
	bpffs_table_end(&map->info, &table);

	/* By keys, if there is no memory for more at once. */
	map->batch_error = -EFBIG;
	CHECK(get(map, text, sizeof(text), 1000) == len && !memcmp(text, whole, len));
	map_free(map);
}

/* What goes while it is read is no line. */
static void test_gone(void)
{
	struct map *map = filled(5);
	static char text[TEXT_MAX];
	struct bpffs_table table = {};
	struct iov_iter to = { .at = text, .left = 100 };
	loff_t pos = 0;

	CHECK(!bpffs_table_begin(&map->info, &table, NULL));
	CHECK(bpffs_table_read(&map->info, &table, &pos, &to) == 100);
	map->there[1] = false;
	map->there[3] = false;
	do {
		to = (struct iov_iter){ .at = text + pos, .left = TEXT_MAX - pos };
	} while (bpffs_table_read(&map->info, &table, &pos, &to) > 0);
	text[pos] = '\0';
	CHECK(!strncmp(text, "2000000000000000 n=", 19));
	CHECK(strstr(text, "\n2000000002000000 n="));
	CHECK(!strstr(text, "\n2000000001000000") && !strstr(text, "\n2000000003000000"));
	bpffs_table_end(&map->info, &table);
	map_free(map);
}

int main(void)
{
	run("table: round_trip", test_round_trip);
	run("table: refusals", test_refusals);
	run("table: may_create", test_may_create);
	run("table: inodes", test_inodes);
	run("table: no_memory", test_no_memory);
	run("table: no_answer", test_no_answer);
	run("table: open", test_open);
	run("table: odd_lines", test_odd_lines);
	run("table: position", test_position);
	run("table: read_fails", test_read_fails);
	run("table: write_fails", test_write_fails);
	run("table: fails_within", test_fails_within);
	run("table: chunk_fails", test_chunk_fails);
	run("table: gone", test_gone);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
