// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The files of a queue, against one that is a few lines of C. */
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "queue.h"
#include "tap.h"

static struct map *new(void)
{
	return map_new(BPFFS_TYPE_QUEUE, NULL, 0, "a=u32:b=u32", 8, 0, false);
}

/* All of @text by one write, and close. */
static ssize_t push(struct map *map, const char *text, bool killed)
{
	struct iov_iter from = { .at = (char *)text, .left = strlen(text) };
	struct bpffs_queue_open open = {};
	loff_t pos = 0;
	ssize_t ret = bpffs_queue_write(&map->info, &open, &pos, &from);

	bpffs_queue_end(&map->info, &open, killed);
	return ret;
}

static bool gives(struct map *map, bool pops, const char *text)
{
	struct bpffs_queue_open open = { .pops = pops };
	char is[256] = "";
	struct iov_iter to = { .at = is, .left = sizeof(is) - 1 };
	loff_t pos = 0;
	ssize_t ret = bpffs_queue_read(&map->info, &open, &pos, &to);

	bpffs_queue_end(&map->info, &open, false);
	return ret == (ssize_t)strlen(text) && !strcmp(is, text);
}

static void test_open(void)
{
	struct map *map = new();
	int way;

	for (way = 0; way < 4; way++) {
		bool reads = way & 1, writes = way & 2;

		CHECK(!bpffs_queue_may_open(&map->info, BPFFS_PEEK, reads, writes) == !writes);
		CHECK(!bpffs_queue_may_open(&map->info, BPFFS_POP, reads, writes) ==
		      (reads && writes));
		CHECK(!bpffs_queue_may_open(&map->info, BPFFS_PUSH, reads, writes) == !reads);
	}
	CHECK(bpffs_queue_find("pop", 3) == BPFFS_POP);
	CHECK(bpffs_queue_find("po", 2) == BPFFS_QUEUE_FILES);
	map_free(map);
}

static void test_push(void)
{
	struct map *map = new();

	CHECK(gives(map, false, ""));
	CHECK(push(map, "a=1 b=2\na=3\nb=4\n", false) > 0);
	CHECK(map_elements(map) == 2);
	CHECK(gives(map, false, "a=1\nb=2\n"));
	CHECK(gives(map, true, "a=1\nb=2\n"));
	CHECK(gives(map, true, "a=3\nb=4\n"));
	CHECK(gives(map, true, ""));
	/* The end completes a text, unless its writer is killed. */
	CHECK(push(map, "a=1 b=2 ", true) > 0 && map_elements(map) == 0);
	CHECK(said(map, "push: killed before the end of a text; nothing was pushed"));
	CHECK(push(map, "a=1 b=2 ", false) > 0 && map_elements(map) == 1);
	CHECK(push(map, "a=1\n", false) > 0 && map_elements(map) == 1);
	CHECK(said(map, "push: closed before every field was named; nothing was pushed"));
	CHECK(push(map, "a=1 b+=2\n", false) == -EINVAL);
	CHECK(said(map, "push: there is nothing to add to; nothing was pushed"));
	CHECK(push(map, "a=x\n", false) == -EINVAL);
	/* What went in before it was full is told. */
	CHECK(push(map, "a=1 b=1\na=1 b=1\na=1 b=1\na=1 b=1\n", false) == 24);
	CHECK(said(map, "push: full (4 elements); nothing was pushed"));
	map_free(map);
}

static void test_no_memory(void)
{
	unsigned long at;
	struct map *map;

	for (at = 1; at < 1000; at++) {
		map = new();
		fail_alloc = at;
		has_failed = false;
		push(map, "a=1 b=2\n", false);
		gives(map, true, "");
		fail_alloc = 0;
		CHECK(map_elements(map) <= 1);
		map_free(map);
		if (!has_failed)
			break;
	}
	CHECK(at > 3 && at < 1000);
}

int main(void)
{
	run("queue: open", test_open);
	run("queue: push", test_push);
	run("queue: no_memory", test_no_memory);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
