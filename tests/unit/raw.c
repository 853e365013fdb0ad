// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * .bpf/raw, against a map that is a few lines of C: what is read is checked byte by byte,
 * and given back in pieces of each size, damaged in each byte, and cut at each.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/bpffs.h>

#include "map.h"
#include "raw.h"
#include "tap.h"

#define STREAM_MAX	8192

/* Keys of 5 bytes, of which one and three are no multiple of 8. */
static struct map *new(u32 type, u32 cpus)
{
	bool by_index = type == BPFFS_TYPE_ARRAY;

	return map_new(type, by_index ? "u32" : "hex", by_index ? 4 : 5, "hex", 13, cpus,
		       false);
}

static struct map *filled(u32 type, u32 cpus)
{
	struct map *map = new(type, cpus);
	u32 i, copy;

	for (i = 0; i < map->info.max_entries; i++) {
		/* Not side by side. */
		u32 at = type == BPFFS_TYPE_ARRAY ? i : 2 * i + 1;

		map->there[at] = true;
		if (type != BPFFS_TYPE_ARRAY)
			memset(map->key[at], 'a' + i, 5);
		for (copy = 0; copy < map->info.stored.copies; copy++)
			memset(map->value[at] + copy * 16, 'A' + 4 * copy + i, 13);
	}
	return map;
}

static bool same(const struct map *a, const struct map *b)
{
	int i, at;

	for (i = 0; i < MAP_MAX; i++) {
		if (!a->there[i])
			continue;
		at = map_find(b, a->key[i]);
		if (at < 0 || memcmp(a->value[i], b->value[at],
				     bpffs_batch_value_bytes(&a->info)))
			return false;
	}
	return map_elements(a) == map_elements(b);
}

/* An open file reads all, @size bytes at a time. Return: how many, or the first error. */
static ssize_t read_all(struct map *map, struct bpffs_raw *raw, unsigned char *to, size_t size)
{
	ssize_t ret, len = 0;
	char *buf;

	do {
		buf = malloc(size);
		memset(buf, 0xee, size);
		ret = bpffs_raw_read(&map->info, raw, buf, size);
		if (ret > 0 && len + ret <= STREAM_MAX)
			memcpy(to + len, buf, ret);
		len += ret > 0 ? ret : 0;
		free(buf);
	} while (ret > 0);
	return ret ? ret : len;
}

static ssize_t get(struct map *map, unsigned char *to, size_t size)
{
	struct bpffs_raw raw = {};
	ssize_t ret = bpffs_raw_begin(&map->info, &raw, NULL);

	if (ret)
		return ret;
	ret = read_all(map, &raw, to, size);
	bpffs_raw_end(&map->info, &raw);
	return ret;
}

/* An open file gets all, @size bytes at a time. Return: 0, or the first error. */
static ssize_t write_all(struct map *map, struct bpffs_raw *raw, const unsigned char *from,
			 size_t len, size_t size)
{
	ssize_t ret;
	size_t n;
	char *buf;

	for (; len; len -= n, from += n) {
		n = min(len, size);
		buf = malloc(n);
		memcpy(buf, from, n);
		ret = bpffs_raw_write(&map->info, raw, buf, n);
		free(buf);
		if (ret != (ssize_t)n)
			return ret;
	}
	return 0;
}

/* All of it, and close. */
static int put(struct map *map, const unsigned char *from, size_t len, size_t size)
{
	struct bpffs_raw raw = {};
	int err = bpffs_raw_begin(&map->info, &raw, NULL), late;

	if (err)
		return err;
	err = write_all(map, &raw, from, len, size);
	late = bpffs_raw_flush(&map->info, &raw);
	bpffs_raw_end(&map->info, &raw);
	return err ? err : late;
}

static bool zero(const unsigned char *at, const unsigned char *end)
{
	for (; at < end; at++)
		if (*at)
			return false;
	return true;
}

/* What include/uapi/linux/bpffs.h says of a stream. */
static bool well_formed(const struct map *map, const unsigned char *at, size_t len)
{
	u64 bytes = bpffs_batch_value_bytes(&map->info), count = 0;
	const unsigned char *end = at + len;
	u32 key_size = map->info.key_size;
	struct bpffs_raw_header header;
	struct bpffs_raw_block block;

	memcpy(&header, at, sizeof(header));
	if (memcmp(header.magic, "bpffsraw", 8) || header.version != 1 ||
	    header.order != 0x01020304 || header.map_type != map->info.map_type ||
	    header.key_size != key_size || header.value_size != map->info.value_size ||
	    header.copies != map->info.stored.copies ||
	    !zero(at + offsetof(struct bpffs_raw_header, reserved), at + sizeof(header)))
		return false;
	at += sizeof(header);
	while (end - at >= (ssize_t)sizeof(block)) {
		u64 keys, values;

		memcpy(&block, at, sizeof(block));
		at += sizeof(block);
		if (block.magic == BPFFS_RAW_END)
			return at == end && !block.capacity && block.count == count &&
			       count == (u64)map_elements(map);
		keys = (block.capacity * key_size + 7) / 8 * 8;
		values = (block.count * bytes + 7) / 8 * 8;
		if (block.magic != BPFFS_RAW_BLOCK || !block.count ||
		    block.count > block.capacity || end - at < (ssize_t)(keys + values) ||
		    !zero(at + block.count * key_size, at + keys) ||
		    !zero(at + keys + block.count * bytes, at + keys + values))
			return false;
		count += block.count;
		at += keys + values;
	}
	return false;
}

static const struct {
	u32 type;
	u32 cpus;
} kinds[] = {
	{ BPFFS_TYPE_HASH, 0 },
	{ BPFFS_TYPE_ARRAY, 0 },
	{ BPFFS_TYPE_PERCPU_HASH, 3 },
	{ BPFFS_TYPE_LRU_HASH, 0 },
};

/* Buffers that hold nothing, one element, some, all; buckets of one to all. */
static void test_read(void)
{
	unsigned char stream[STREAM_MAX];
	unsigned int i, bucket;
	struct map *map, *copy;
	size_t size;
	ssize_t len;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		map = filled(kinds[i].type, kinds[i].cpus);
		for (bucket = 1; bucket <= MAP_MAX; bucket++) {
			map->bucket = bucket;
			for (size = 1; size < 400; size++) {
				len = get(map, stream, size);
				CHECK(len > 0 && len <= STREAM_MAX);
				CHECK(well_formed(map, stream, len));
				if (size % 50)
					continue;
				copy = new(kinds[i].type, kinds[i].cpus);
				CHECK(!put(copy, stream, len, STREAM_MAX) && same(map, copy));
				map_free(copy);
			}
		}
		map_free(map);
	}
}

static void test_empty(void)
{
	struct map *map = new(BPFFS_TYPE_HASH, 0), *copy = new(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096);

	CHECK(len == sizeof(struct bpffs_raw_header) + sizeof(struct bpffs_raw_block));
	CHECK(well_formed(map, stream, len));
	CHECK(!put(copy, stream, len, 1) && !map_elements(copy));
	CHECK(!put(copy, stream, 0, 1));
	map_free(map);
	map_free(copy);
}

static void test_pieces(void)
{
	unsigned char stream[STREAM_MAX];
	struct map *map, *copy;
	unsigned int i;
	ssize_t len, size;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		map = filled(kinds[i].type, kinds[i].cpus);
		len = get(map, stream, 120);
		for (size = 1; size <= len; size++) {
			copy = new(kinds[i].type, kinds[i].cpus);
			CHECK(!put(copy, stream, len, size) && same(map, copy));
			map_free(copy);
		}
		map_free(map);
	}
}

/* One stream behind another, as cat gives them. */
static void test_two(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0), *copy = new(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096);

	memcpy(stream + len, stream, len);
	CHECK(!put(copy, stream, 2 * len, 100) && same(map, copy));
	map_free(map);
	map_free(copy);
}

/* No byte of a header or of a block's head may be another. */
static void test_damaged(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0), *copy;
	unsigned char stream[STREAM_MAX], bit;
	size_t head = sizeof(struct bpffs_raw_header) + sizeof(struct bpffs_raw_block), i;
	ssize_t len = get(map, stream, 4096);

	for (i = 0; i < (size_t)len; i++) {
		/* Keys and values may be any. */
		if (i == head)
			i = len - sizeof(struct bpffs_raw_block);
		for (bit = 1; bit; bit <<= 1) {
			copy = new(BPFFS_TYPE_HASH, 0);
			stream[i] ^= bit;
			CHECK(put(copy, stream, len, 50) == -EINVAL);
			CHECK(said(copy, "raw: "));
			CHECK(i >= sizeof(struct bpffs_raw_header) || !map_elements(copy));
			stream[i] ^= bit;
			map_free(copy);
		}
	}
	map_free(map);
}

static bool refuses(u32 type, const void *stream, size_t len, int err, const char *sentence)
{
	struct map *map = new(type, 0);
	bool ok = put(map, stream, len, 64) == err && said(map, sentence);

	map_free(map);
	return ok;
}

static void test_sentences(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];
	struct bpffs_raw_header *header = (void *)stream;
	struct bpffs_raw_block *block = (void *)(header + 1), *end;
	ssize_t len = get(map, stream, 4096);

	end = (void *)(stream + len - sizeof(*end));
	CHECK(refuses(BPFFS_TYPE_HASH, "some text", 9, -EINVAL,
		      "raw: this is no stream of a map; 0 elements were stored before"));
	/* Before the header is complete. */
	CHECK(refuses(BPFFS_TYPE_HASH, "a", 1, -EINVAL, "raw: this is no stream of a map"));
	CHECK(refuses(BPFFS_TYPE_LRU_HASH, stream, len, -EINVAL,
		      "raw: the stream is of a map of type 1, not 9"));
	header->order = 0x04030201;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL,
		      "raw: the stream is of another version or byte order"));
	header->order = 0x01020304;
	header->copies = 4;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL,
		      "raw: key size, value size, CPUs: 5, 13, 4; the map has 5, 13, 1"));
	header->copies = 1;
	header->reserved[7] = 1;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL, "raw: reserved bytes are not zero"));
	header->reserved[7] = 0;

	block->count = 5;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL, "raw: the stream is damaged"));
	block->count = 1ULL << 63;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL, "raw: the stream is damaged"));
	block->count = 4;
	block->capacity = 65537;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL,
		      "raw: a block is larger than 67108864 bytes; 0 elements were stored before"));
	block->capacity = 4;

	end->count = 3;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL,
		      "raw: the stream says that it has 3 elements; 4 elements were stored"));
	end->count = 4;
	end->capacity = 1;
	CHECK(refuses(BPFFS_TYPE_HASH, stream, len, -EINVAL,
		      "raw: the stream says that it has 4 elements"));
	end->capacity = 0;

	map->frozen = true;
	CHECK(put(map, stream, len, 64) == -EPERM);
	CHECK(said(map, "raw: the map refuses an element (error 1); 0 elements were stored"));
	map_free(map);
}

static void test_open(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];

	map->owns = true;
	CHECK(get(map, stream, 4096) == -EOPNOTSUPP);
	map->owns = false;
	map->info.value_size = (64U << 20) - 16;
	CHECK(get(map, stream, 4096) == -EFBIG);
	map_free(map);
}

/* Cut at each byte: close says so, once after a write, and who goes on can. */
static void test_ends_early(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0), *copy;
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096), at;
	struct bpffs_raw raw;

	for (at = 1; at < len; at++) {
		copy = new(BPFFS_TYPE_HASH, 0);
		memset(&raw, 0, sizeof(raw));
		CHECK(!bpffs_raw_begin(&copy->info, &raw, NULL));
		CHECK(!write_all(copy, &raw, stream, at, 64));
		CHECK(bpffs_raw_flush(&copy->info, &raw) == -EINVAL);
		CHECK(said(copy, "raw: the stream ends before its end; "));
		CHECK(!bpffs_raw_flush(&copy->info, &raw));
		if (at + 1 < len) {
			CHECK(!write_all(copy, &raw, stream + at, 1, 1));
			CHECK(bpffs_raw_flush(&copy->info, &raw) == -EINVAL);
			at++;
		}
		CHECK(!write_all(copy, &raw, stream + at, len - at, 64));
		CHECK(!bpffs_raw_flush(&copy->info, &raw));
		CHECK(same(map, copy));
		bpffs_raw_end(&copy->info, &raw);
		map_free(copy);

		/* The last close may be the only one to know. */
		copy = new(BPFFS_TYPE_HASH, 0);
		memset(&raw, 0, sizeof(raw));
		CHECK(!bpffs_raw_begin(&copy->info, &raw, NULL));
		CHECK(!write_all(copy, &raw, stream, at, 64));
		bpffs_raw_end(&copy->info, &raw);
		CHECK(said(copy, "raw: the stream ends before its end; "));
		map_free(copy);
	}
	map_free(map);
}

/* After an error nothing more is taken. */
static void test_after_error(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0), *copy = new(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096);
	struct bpffs_raw raw = {};

	CHECK(!bpffs_raw_begin(&copy->info, &raw, NULL));
	CHECK(bpffs_raw_write(&copy->info, &raw, "x", 1) == -EINVAL);
	CHECK(write_all(copy, &raw, stream, len, 64) == -EINVAL);
	CHECK(!bpffs_raw_flush(&copy->info, &raw) && !map_elements(copy));
	bpffs_raw_end(&copy->info, &raw);
	map_free(map);
	map_free(copy);
}

static void test_full(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0), *copy = new(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096);

	copy->there[0] = true;
	CHECK(put(copy, stream, len, 64) == -ENOSPC);
	CHECK(said(copy, "raw: the map is full (4 elements); 3 elements were stored before"));
	map_free(map);
	map_free(copy);

	map = filled(BPFFS_TYPE_LRU_HASH, 0);
	copy = new(BPFFS_TYPE_LRU_HASH, 0);
	len = get(map, stream, 4096);
	copy->there[0] = true;
	CHECK(put(copy, stream, len, 64) == -ENOSPC);
	CHECK(said(copy, "raw: 1 elements are gone: the map evicts to make room; it has 4"));
	map_free(map);
	map_free(copy);
}

/* What goes wrong below: -EINTR loses nothing, another error ends the stream without end. */
static void test_batch_error(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0), *copy = new(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];
	struct bpffs_raw raw = {};
	ssize_t len;

	CHECK(!bpffs_raw_begin(&map->info, &raw, NULL));
	CHECK(bpffs_raw_read(&map->info, &raw, (char *)stream, 0) == 0);
	len = bpffs_raw_read(&map->info, &raw, (char *)stream, 64);
	CHECK(len == 64);
	map->batch_error = -EINTR;
	CHECK(bpffs_raw_read(&map->info, &raw, (char *)stream + len, 64) == -EINTR);
	len += read_all(map, &raw, stream + len, 64);
	CHECK(well_formed(map, stream, len));
	bpffs_raw_end(&map->info, &raw);

	memset(&raw, 0, sizeof(raw));
	CHECK(!bpffs_raw_begin(&map->info, &raw, NULL));
	len = bpffs_raw_read(&map->info, &raw, (char *)stream, 64);
	map->batch_error = -EFAULT;
	CHECK(bpffs_raw_read(&map->info, &raw, (char *)stream + len, 64) == -EFAULT);
	CHECK(read_all(map, &raw, stream + len, 64) == 0);
	CHECK(put(copy, stream, len, 64) == -EINVAL);
	bpffs_raw_end(&map->info, &raw);
	map_free(copy);

	/* More in one bucket than in a map. */
	memset(map->there, true, sizeof(map->there));
	map->bucket = MAP_MAX;
	CHECK(get(map, stream, 64) == -ENOSPC);
	CHECK(said(map, "raw: a bucket has more elements than a block may have"));
	map_free(map);
}

/* Who does not look at errors, @err, and goes on. Return: bytes read. */
static ssize_t read_anyhow(struct map *map, unsigned char *stream, size_t size, int err)
{
	struct bpffs_raw raw = {};
	ssize_t ret, len = 0;
	bool failed = false;

	ret = bpffs_raw_begin(&map->info, &raw, NULL);
	if (ret) {
		CHECK(ret == -ENOMEM);
		return 0;
	}
	while ((ret = bpffs_raw_read(&map->info, &raw, (char *)stream + len, size))) {
		CHECK(ret > 0 || ret == err);
		failed |= ret < 0;
		len += ret > 0 ? ret : 0;
	}
	CHECK(failed == has_failed);
	bpffs_raw_end(&map->info, &raw);
	return len;
}

/* What is missing at a point: our memory, that of the reader or writer. */
static unsigned long *const fails[] = { &fail_alloc, &fail_copy };
static const int errors[] = { -ENOMEM, -EFAULT };

/* What is read is whole, or has no end. */
static void read_fails(u32 type, u32 cpus, size_t size, bool gap, int way)
{
	unsigned char stream[STREAM_MAX];
	struct map *map, *copy;
	unsigned long at;
	ssize_t len;

	for (at = 1; at < 2000; at++) {
		map = filled(type, cpus);
		/* Then fewer elements come than there is room for. */
		map->there[1] = !gap;
		copy = new(type, cpus);
		has_failed = false;
		*fails[way] = at;
		len = read_anyhow(map, stream, size, errors[way]);
		*fails[way] = 0;
		if (!has_failed)
			CHECK(well_formed(map, stream, len));
		else if (len)
			CHECK(put(copy, stream, len, 64) == -EINVAL);
		map_free(map);
		map_free(copy);
		if (!has_failed)
			break;
	}
	CHECK(at > 3 && at < 2000);
}

static void test_read_fails(void)
{
	static const size_t sizes[] = { 30, 60, 100, 200, 4096 };
	unsigned int i, way;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (way = 0; way < ARRAY_SIZE(fails); way++) {
			read_fails(BPFFS_TYPE_HASH, 0, sizes[i], false, way);
			read_fails(BPFFS_TYPE_HASH, 0, sizes[i], true, way);
			read_fails(BPFFS_TYPE_PERCPU_HASH, 3, sizes[i], true, way);
		}
}

/* A write that fails has stored whole elements; one that says it can go on, can. */
static void write_fails(const struct map *map, const unsigned char *stream, ssize_t len,
			unsigned long size, int way)
{
	struct map *copy;
	unsigned long at;
	ssize_t ret, done;

	for (at = 1; at < 2000; at++) {
		struct bpffs_raw raw = {};

		copy = new(BPFFS_TYPE_HASH, 0);
		has_failed = false;
		*fails[way] = at;
		ret = bpffs_raw_begin(&copy->info, &raw, NULL);
		CHECK(!ret || ret == -ENOMEM);
		for (done = 0; ret >= 0 && done < len; done += ret) {
			ret = bpffs_raw_write(&copy->info, &raw, (char *)stream + done,
					      min(size, (unsigned long)(len - done)));
			CHECK(ret > 0 || ret == errors[way]);
			/* Nothing was taken: it is given once more. */
			if (ret == errors[way] && raw.writing != BPFFS_RAW_AT_END)
				ret = 0;
		}
		*fails[way] = 0;
		bpffs_raw_end(&copy->info, &raw);
		CHECK(done < len || same(map, copy));
		CHECK(has_failed || done == len);
		/* The writer's memory is no reason to give up. */
		CHECK(way == 0 || done == len);
		map_free(copy);
		if (!has_failed)
			break;
	}
	CHECK(at > 3 && at < 2000);
}

static void test_write_fails(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0);
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096);
	unsigned long size, way;

	for (size = 7; size < (unsigned long)len + 7; size += 61)
		for (way = 0; way < ARRAY_SIZE(fails); way++)
			write_fails(map, stream, len, size, way);
	map_free(map);
}

/* Whether there is a key, the map cannot say: then what it evicts is not known either. */
static void test_no_answer(void)
{
	struct map *map = filled(BPFFS_TYPE_LRU_HASH, 0), *copy = new(BPFFS_TYPE_LRU_HASH, 0);
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096);
	struct bpffs_raw raw = {};

	copy->has_error = -ENOMEM;
	CHECK(put(copy, stream, len, 64) == -ENOMEM && !map_elements(copy));
	copy->has_error = 0;
	/* Nor if it cannot be said how many there are. */
	copy->uncounted = true;
	CHECK(!bpffs_raw_begin(&copy->info, &raw, NULL));
	has_failed = false;
	CHECK(bpffs_raw_write(&copy->info, &raw, (char *)stream, 60) == 60);
	fail_alloc = 3;
	CHECK(bpffs_raw_write(&copy->info, &raw, (char *)stream + 60, len - 60) == -ENOMEM);
	CHECK(has_failed && !map_elements(copy));
	CHECK(bpffs_raw_write(&copy->info, &raw, (char *)stream, len) == -EINVAL);
	bpffs_raw_end(&copy->info, &raw);
	CHECK(!put(copy, stream, len, 64) && same(map, copy));
	map_free(map);
	map_free(copy);
}

/* Killed after each element: what is stored is whole, and no end is believed. */
static void test_killed(void)
{
	struct map *map = filled(BPFFS_TYPE_HASH, 0), *copy;
	unsigned char stream[STREAM_MAX];
	ssize_t len = get(map, stream, 4096), ret;
	unsigned long at;
	int i;

	for (at = 1; at < 100; at++) {
		struct bpffs_raw raw = {};

		copy = new(BPFFS_TYPE_HASH, 0);
		stop = at;
		has_stopped = false;
		CHECK(!bpffs_raw_begin(&copy->info, &raw, NULL));
		ret = bpffs_raw_write(&copy->info, &raw, (char *)stream, len);
		stop = 0;
		CHECK(ret == (has_stopped ? -EINTR : len));
		CHECK(map_elements(copy) <= (int)at);
		for (i = 0; i < MAP_MAX; i++)
			CHECK(!copy->there[i] || map_find(map, copy->key[i]) >= 0);
		bpffs_raw_end(&copy->info, &raw);
		map_free(copy);
		if (!has_stopped)
			break;
	}
	has_stopped = false;
	CHECK(at > 3 && at < 100);
	map_free(map);
}

int main(void)
{
	run("raw: read", test_read);
	run("raw: empty", test_empty);
	run("raw: pieces", test_pieces);
	run("raw: two", test_two);
	run("raw: damaged", test_damaged);
	run("raw: sentences", test_sentences);
	run("raw: open", test_open);
	run("raw: ends_early", test_ends_early);
	run("raw: after_error", test_after_error);
	run("raw: full", test_full);
	run("raw: batch_error", test_batch_error);
	run("raw: read_fails", test_read_fails);
	run("raw: write_fails", test_write_fails);
	run("raw: no_answer", test_no_answer);
	run("raw: killed", test_killed);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
