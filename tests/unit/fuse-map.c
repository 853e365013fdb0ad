// SPDX-License-Identifier: GPL-2.0-only
/*
 * What bpffs-fuse does with maps by bpf(2) and by the program that stores a field where
 * it lies, with maps of the running kernel. It needs root. As TAP.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf-map.h"

static unsigned int count, failed;

static void check(bool ok, const char *name)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++count, name);
	failed += !ok;
}

static struct map open_new(enum bpf_map_type type, __u32 key, __u32 value, __u32 entries,
			   __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, "fuse_map", key, value, entries, &opts);
	struct map map;

	if (fd < 0 || map_open(&map, fd, false)) {
		printf("Bail out! no map of type %d: %s\n", type, strerror(errno));
		exit(1);
	}
	return map;
}

static void close_it(struct map *map)
{
	int fd = map->fd;

	map_close(map);
	close(fd);
}

/* --- elements --- */

static void test_elements(enum bpf_map_type type, const char *name)
{
	__u32 flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0;
	struct map map = open_new(type, 8, 12, 64, flags);
	__u8 *value = calloc(1, map_value_bytes(&map)), *out = calloc(1, map_value_bytes(&map));
	__u32 key[2] = { 24, 0x0102030a }, other[2] = { 24, 0x0102050a };
	char title[128];

	memset(value, 7, 12);
	snprintf(title, sizeof(title), "%s: elements", name);
	check(!map_has(&map, key) && map_read(&map, key, out) == -ENOENT &&
	      map_delete(&map, key) == -ENOENT &&
	      map_update(&map, key, value, BPF_EXIST) == -ENOENT &&
	      !map_update(&map, key, value, BPF_NOEXIST) && map_has(&map, key) &&
	      map_update(&map, key, value, BPF_NOEXIST) == -EEXIST &&
	      !map_has(&map, other) &&
	      !map_read(&map, key, out) && !memcmp(value, out, 12) &&
	      !map_update(&map, key, value, BPF_EXIST) &&
	      !map_delete(&map, key) && !map_has(&map, key), title);
	free(value);
	free(out);
	close_it(&map);
}

static void test_full(void)
{
	struct map map = open_new(BPF_MAP_TYPE_HASH, 4, 4, 1, 0);
	__u32 key = 1;

	check(!map_update(&map, &key, &key, BPF_ANY) && (key = 2) &&
	      map_update(&map, &key, &key, BPF_ANY) == -ENOSPC, "a full map is ENOSPC");
	close_it(&map);
}

static void test_queue(void)
{
	struct map queue = open_new(BPF_MAP_TYPE_QUEUE, 0, 4, 2, 0);
	__u32 value = 5, out = 0;

	check(map_peek(&queue, &out) == -ENOENT && !map_push(&queue, &value) && (value = 6) &&
	      !map_push(&queue, &value) && map_push(&queue, &value) == -ENOSPC &&
	      !map_peek(&queue, &out) && out == 5 && !map_pop(&queue, &out) && out == 5 &&
	      !map_pop(&queue, &out) && out == 6 && map_pop(&queue, &out) == -ENOENT,
	      "queue: peek, push and pop");
	close_it(&queue);
}

static void test_bloom(void)
{
	struct map bloom = open_new(BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 100, 0);
	__u32 value = 5, other = 6;

	check(!map_maybe_has(&bloom, &value) && !map_push(&bloom, &value) &&
	      map_maybe_has(&bloom, &value) && !map_maybe_has(&bloom, &other),
	      "bloom_filter: pushed or not");
	close_it(&bloom);
}

static void test_inner(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct map inner = open_new(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0), map, found;
	struct map_batch batch = {};
	__u32 key = 9, none = 8;
	int fd, got;

	opts.inner_map_fd = inner.fd;
	fd = bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", 4, 4, 4, &opts);
	map_open(&map, fd, false);
	bpf_map_update_elem(fd, &key, &inner.fd, BPF_ANY);
	got = map_open_inner(&map, &key, false);
	check(got >= 0 && !map_open(&found, got, false) && found.id == inner.id &&
	      map_open_inner(&map, &none, false) == -ENOENT, "hash_of_maps: the map of a slot");
	check(!map_batch_next(&map, &batch) && batch.count == 1 && batch.at_end &&
	      *(__u32 *)batch.values == inner.id, "hash_of_maps: slots in a batch");
	map_batch_free(&batch);
	map_close(&found);
	close(got);
	close_it(&map);
	close_it(&inner);
}

/* --- all elements --- */

#define STAYING	20000

static bool stop;

static void *change(void *arg)
{
	const struct map *map = arg;
	__u32 key, i = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		key = STAYING + i++ % 4000;
		map_update(map, &key, &key, BPF_ANY);
		key = STAYING + (i + 2000) % 4000;
		map_delete(map, &key);
	}
	return NULL;
}

/* Is each key that stays there once? */
static bool is_complete(const struct map *map)
{
	__u8 *seen = calloc(1, STAYING);
	struct map_batch batch = {};
	bool ok = true;
	__u32 i, key;

	while (ok && !batch.at_end) {
		ok = !map_batch_next(map, &batch);
		for (i = 0; ok && i < batch.count; i++) {
			memcpy(&key, batch.keys + i * map->key_size, sizeof(key));
			if (key < STAYING)
				ok = !seen[key]++;
		}
	}
	for (i = 0; i < STAYING; i++)
		ok = ok && seen[i];
	map_batch_free(&batch);
	free(seen);
	return ok;
}

static void test_batches(enum bpf_map_type type, const char *name)
{
	struct map map = open_new(type, 4, 4, STAYING + 8000, 0);
	__u64 *value = calloc(1, map_value_bytes(&map));
	bool ok = true;
	pthread_t writer;
	char title[128];
	__u32 key;
	int i;

	for (key = 0; key < STAYING; key++)
		ok = ok && !map_update(&map, &key, value, BPF_ANY);
	__atomic_store_n(&stop, false, __ATOMIC_RELAXED);
	if (!map.cpus)
		pthread_create(&writer, NULL, change, &map);
	for (i = 0; i < 20 && ok; i++)
		ok = is_complete(&map);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	if (!map.cpus)
		pthread_join(writer, NULL);
	snprintf(title, sizeof(title), "%s: what stays is listed once%s", name,
		 map.cpus ? "" : ", under a writer");
	check(ok, title);
	free(value);
	close_it(&map);
}

/* Which keys are there, of as many as bits. */
static __u64 keys_of(const struct map *map)
{
	struct map_batch batch = {};
	__u64 keys = 0;
	__u32 i, key;

	while (!batch.at_end && !map_batch_next(map, &batch))
		for (i = 0; i < batch.count; i++) {
			memcpy(&key, batch.keys + i * map->key_size, sizeof(key));
			keys |= 1ULL << key;
		}
	map_batch_free(&batch);
	return keys;
}

/* As full as it gets. */
static void test_lru(enum bpf_map_type type, const char *name)
{
	struct map map = open_new(type, 4, 12, 16, 0);
	__u8 *value = calloc(1, map_value_bytes(&map)), *out = calloc(1, map_value_bytes(&map));
	__u64 before;
	bool ok = true;
	char title[128];
	__u32 key, i;

	for (key = 0; key < 64; key++)
		map_update(&map, &key, value, BPF_ANY);
	before = keys_of(&map);
	for (i = 0; i < 10; i++)
		for (key = 0; key < 64; key++) {
			if (!(before >> key & 1))
				continue;
			value[11] = i + key;
			ok = ok && !map_update(&map, &key, value, i % 2 ? BPF_ANY : BPF_EXIST) &&
			     !map_read(&map, &key, out) && !memcmp(value, out, 12);
		}
	snprintf(title, sizeof(title), "%s: what is written again costs nobody's place", name);
	check(ok && before && keys_of(&map) == before, title);
	free(value);
	free(out);
	close_it(&map);
}

/* A batch begins with room for one, and buckets have more. */
static void test_large_values(void)
{
	struct map map = open_new(BPF_MAP_TYPE_HASH, 4, 300000, 32, BPF_F_NO_PREALLOC);
	void *value = calloc(1, map.value_size);
	struct map_batch batch = {};
	__u32 key, found = 0;
	bool ok = true;

	for (key = 0; key < 32; key++)
		ok = ok && !map_update(&map, &key, value, BPF_ANY);
	while (ok && !batch.at_end) {
		ok = !map_batch_next(&map, &batch);
		found += batch.count;
	}
	check(ok && found == 32 && batch.capacity > 1, "a bucket that needs more room gets it");
	map_batch_free(&batch);
	free(value);
	close_it(&map);
}

/* --- one field --- */

static bool stores(const struct map *map, const void *key, __u32 copy, __u32 offset, __u32 size)
{
	__u8 *before = calloc(1, map_value_bytes(map)), *after = calloc(1, map_value_bytes(map));
	struct map_field field = { copy, offset, size };
	__u8 bytes[64];
	bool ok;

	memset(bytes, 0xa0 + offset + size, sizeof(bytes));
	bytes[0] = offset;
	ok = !map_read(map, key, before) && !map_store(map, key, &field, bytes) &&
	     !map_read(map, key, after);
	memcpy(before + copy * map->stride + offset, bytes, size);
	ok = ok && !memcmp(before, after, map_value_bytes(map));
	free(before);
	free(after);
	return ok;
}

static void test_store(enum bpf_map_type type, const char *name, __u32 key_size)
{
	__u32 flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0;
	struct map map = open_new(type, key_size, 37, 64, flags);
	__u8 *value = calloc(1, map_value_bytes(&map)), key[64] = { 0 }, none[64] = { 1 };
	struct map_field field = { 0, 36, 1 };
	__u32 copy, offset, size;
	char title[128];
	bool ok = true;

	if (!map.place) {
		printf("ok %u - %s: fields # SKIP no program can be loaded: %s\n", ++count, name,
		       strerror(errno));
		free(value);
		close_it(&map);
		return;
	}
	map_update(&map, key, value, BPF_ANY);
	for (copy = 0; copy < map.copies && copy < 3; copy++)
		for (offset = 0; offset < 37; offset++)
			for (size = 1; size <= 37 - offset; size++)
				ok = ok && stores(&map, key, copy, offset, size);
	snprintf(title, sizeof(title), "%s: every field of every size, and nothing else", name);
	check(ok, title);
	ok = !map_store(&map, key, &field, "x");
	field.offset = 37;
	ok = ok && map_store(&map, key, &field, "x") == -EINVAL;
	field.offset = 36;
	field.size = 2;
	ok = ok && map_store(&map, key, &field, "xy") == -EINVAL;
	field.offset = 0xffffffff;
	ok = ok && map_store(&map, key, &field, "xy") == -EINVAL;
	field.offset = 0;
	field.copy = map.copies;
	ok = ok && map_store(&map, key, &field, "xy") == -EOPNOTSUPP;
	field.copy = 0;
	if (type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY)
		none[1] = 1;
	ok = ok && map_store(&map, none, &field, "xy") == -ENOENT;
	snprintf(title, sizeof(title), "%s: no field beyond the value, nor of no element", name);
	check(ok, title);
	ok = !bpf_map_freeze(map.fd) && map_check_writable(&map) == -EPERM &&
	     map_store(&map, key, &field, "xy") == -EPERM;
	snprintf(title, sizeof(title), "%s: none of a frozen map", name);
	check(ok, title);
	free(value);
	close_it(&map);
}

#define WRITERS	4
#define ROUNDS	20000

struct adder {
	const struct map *map;
	__u32 number;
	bool ok;
};

static void *add_up(void *arg)
{
	struct adder *adder = arg;
	struct map_field field = { 0, 4 * adder->number, 4 };
	__u64 old = 0, expected;
	__u32 key = 0;
	int i;

	adder->ok = true;
	for (i = 0; i < ROUNDS && adder->ok; i++) {
		do {
			expected = old;
			adder->ok = !map_exchange(adder->map, &key, &field, &expected, old + 1, false);
		} while (adder->ok && expected != old && (old = expected, true));
		old++;
	}
	return NULL;
}

/* Each adds to a field of its own, while another is stored. */
static void test_adders(enum bpf_map_type type, const char *name)
{
	struct map map = open_new(type, 4, 4 * (WRITERS + 1), 1, 0);
	struct map_field field = { 0, 4 * WRITERS, 4 };
	__u32 value[WRITERS + 1] = {}, key = 0, i;
	struct adder adders[WRITERS];
	pthread_t threads[WRITERS];
	char title[128];
	bool ok = true;

	map_update(&map, &key, value, BPF_ANY);
	for (i = 0; i < WRITERS; i++) {
		adders[i] = (struct adder) { .map = &map, .number = i };
		pthread_create(&threads[i], NULL, add_up, &adders[i]);
	}
	for (i = 0; i < ROUNDS; i++)
		ok = ok && !map_store(&map, &key, &field, &i);
	for (i = 0; i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		ok = ok && adders[i].ok;
	}
	ok = ok && !map_read(&map, &key, value);
	for (i = 0; i < WRITERS; i++)
		ok = ok && value[i] == ROUNDS;
	snprintf(title, sizeof(title), "%s: fields that others add to lose nothing", name);
	check(ok && value[WRITERS] == ROUNDS - 1, title);
	close_it(&map);
}

/* Who has the map's memory counts without atomic operations, in fields of its own. */
static void *count_up(void *arg)
{
	__u32 *field = arg, now;
	int i;

	for (i = 0; i < 100000; i++) {
		now = __atomic_load_n(field, __ATOMIC_RELAXED);
		__atomic_store_n(field, now + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void test_memory(void)
{
	struct map map = open_new(BPF_MAP_TYPE_ARRAY, 4, 4 * (WRITERS + 1), 1, BPF_F_MMAPABLE);
	__u32 *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map.fd, 0);
	struct map_field field = { 0, 4 * WRITERS, 4 };
	__u32 key = 0, i, lost = 0;
	pthread_t threads[WRITERS];
	bool ok = memory != MAP_FAILED;

	for (i = 0; ok && i < WRITERS; i++)
		pthread_create(&threads[i], NULL, count_up, &memory[i]);
	for (i = 0; ok && i < ROUNDS; i++)
		ok = !map_store(&map, &key, &field, &i);
	for (i = 0; ok && i < WRITERS; i++) {
		pthread_join(threads[i], NULL);
		lost += 100000 - memory[i];
	}
	check(ok && !lost, "array: fields that are counted in by mmap lose nothing");
	munmap(memory, 4096);
	close_it(&map);
}

/* A program on that CPU would count so, too. */
static void test_cpus(void)
{
	struct map map = open_new(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, 0);
	__u64 *value = calloc(1, map_value_bytes(&map));
	__u32 key = 0, copy, i;
	bool ok = true;

	for (copy = 0; copy < map.copies; copy++)
		for (i = 0; i < 100; i++) {
			struct map_field field = { copy, 0, 8 };
			__u64 expected = i;

			ok = ok && !map_exchange(&map, &key, &field, &expected, i + 1, true) &&
			     expected == i;
		}
	ok = ok && !map_read(&map, &key, value);
	for (copy = 0; copy < map.copies; copy++)
		ok = ok && value[copy] == 100;
	check(ok, "percpu_array: exchanged on the CPU of the copy");
	free(value);
	close_it(&map);
}

/* --- a trie --- */

static void test_trie(bool with_program)
{
	struct map map = open_new(BPF_MAP_TYPE_LPM_TRIE, 8, 3, 64, BPF_F_NO_PREALLOC);
	struct place *place = map.place;
	__u32 wide[2] = { 8, 0x0a }, narrow[2] = { 24, 0x0102010a }, host[2] = { 32, 0x0302010a };
	__u32 all[2] = { 0, 0 }, beyond[2] = { 33, 0 };
	__u8 out[3] = { 0 };

	if (!with_program)
		map.place = NULL;
	map_update(&map, wide, "abc", BPF_ANY);
	map_update(&map, host, "xyz", BPF_ANY);
	check(map_has(&map, wide) && !map_has(&map, narrow) && map_has(&map, host) &&
	      !map_has(&map, all) && !map_has(&map, beyond) &&
	      map_read(&map, narrow, out) == -ENOENT && map_read(&map, all, out) == -ENOENT &&
	      map_read(&map, beyond, out) == -ENOENT &&
	      !map_read(&map, wide, out) && !memcmp(out, "abc", 3) &&
	      !map_read(&map, host, out) && !memcmp(out, "xyz", 3) &&
	      !map_update(&map, all, "000", BPF_NOEXIST) && !map_read(&map, all, out) &&
	      !memcmp(out, "000", 3),
	      with_program ? "lpm_trie: a prefix of exactly this length" :
			     "lpm_trie: the same without a program");
	map.place = place;
	close_it(&map);
}

int main(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);

	if (fd < 0) {
		printf("1..0 # SKIP fuse-map: no bpf(2) here: %s\n", strerror(errno));
		return 4;
	}
	close(fd);
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_elements(BPF_MAP_TYPE_HASH, "hash");
	test_elements(BPF_MAP_TYPE_LRU_HASH, "lru_hash");
	test_elements(BPF_MAP_TYPE_PERCPU_HASH, "percpu_hash");
	test_elements(BPF_MAP_TYPE_LRU_PERCPU_HASH, "lru_percpu_hash");
	test_elements(BPF_MAP_TYPE_LPM_TRIE, "lpm_trie");
	test_full();
	test_queue();
	test_bloom();
	test_inner();
	test_batches(BPF_MAP_TYPE_HASH, "hash");
	test_batches(BPF_MAP_TYPE_PERCPU_HASH, "percpu_hash");
	test_large_values();
	test_lru(BPF_MAP_TYPE_LRU_HASH, "lru_hash");
	test_lru(BPF_MAP_TYPE_LRU_PERCPU_HASH, "lru_percpu_hash");
	test_store(BPF_MAP_TYPE_ARRAY, "array", 4);
	test_store(BPF_MAP_TYPE_HASH, "hash", 4);
	test_store(BPF_MAP_TYPE_HASH, "hash, long key", 50);
	test_store(BPF_MAP_TYPE_LRU_HASH, "lru_hash", 7);
	test_store(BPF_MAP_TYPE_PERCPU_ARRAY, "percpu_array", 4);
	test_store(BPF_MAP_TYPE_PERCPU_HASH, "percpu_hash", 5);
	test_store(BPF_MAP_TYPE_LPM_TRIE, "lpm_trie", 8);
	test_store(BPF_MAP_TYPE_LPM_TRIE, "lpm_trie, odd", 9);
	test_adders(BPF_MAP_TYPE_ARRAY, "array");
	test_adders(BPF_MAP_TYPE_HASH, "hash");
	test_memory();
	test_cpus();
	test_trie(true);
	test_trie(false);
	printf("1..%u\n", count);
	return failed > 0;
}
