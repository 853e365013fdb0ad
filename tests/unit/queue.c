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

static ssize_t more(struct map *map, struct bpffs_queue_open *open, loff_t *pos,
		    const char *text)
{
	struct iov_iter from = { .at = (char *)text, .left = strlen(text) };

	return bpffs_queue_write(&map->info, open, pos, &from);
}

/* All of @text by one write, and close. */
static ssize_t push(struct map *map, const char *text, bool killed)
{
	struct bpffs_queue_open open = {};
	loff_t pos = 0;
	ssize_t ret = more(map, &open, &pos, text);

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
	for (way = 0; way < BPFFS_QUEUE_FILES; way++)
		CHECK(bpffs_queue_find(bpffs_queue_name(way), strlen(bpffs_queue_name(way))) ==
		      (enum bpffs_queue_file)way);
	CHECK(bpffs_queue_mode(BPFFS_PEEK) == 0444 && bpffs_queue_mode(BPFFS_POP) == 0666);
	CHECK(bpffs_queue_mode(BPFFS_PUSH) == 0222);
	CHECK(bpffs_queue_find("pop", 3) == BPFFS_POP);
	CHECK(bpffs_queue_find("po", 2) == BPFFS_QUEUE_FILES);
	map->info.shape.stride = BPFFS_VALUE_MAX + 8;
	CHECK(bpffs_queue_may_open(&map->info, BPFFS_PEEK, true, false) == -EFBIG);
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

static void test_map_refuses(void)
{
	struct map *map = new();

	CHECK(push(map, "a=1 b=2\n", false) > 0);
	map->frozen = true;
	CHECK(push(map, "a=3 b=4\n", false) == -EPERM);
	CHECK(said(map, "push: the map refuses the element (error 1)"));
	CHECK(map_elements(map) == 1);
	map_free(map);
}

/* A write that goes on completes a text; one elsewhere begins another. */
static void test_pieces(void)
{
	static const char *const piece[] = { "b=1 ", "a=3\n" };
	struct map *map = new();
	int i, elsewhere;

	for (elsewhere = 0; elsewhere < 2; elsewhere++) {
		struct bpffs_queue_open open = {};
		loff_t pos = 0;

		for (i = 0; i < 2; i++) {
			if (elsewhere)
				pos = 0;
			CHECK(more(map, &open, &pos, piece[i]) == 4);
			CHECK(pos == (elsewhere ? 4 : 4 * (i + 1)));
		}
		bpffs_queue_end(&map->info, &open, false);
		CHECK(gives(map, true, elsewhere ? "" : "a=3\nb=1\n"));
	}
	CHECK(said(map, "push: closed before every field was named; nothing was pushed"));
	map_free(map);
}

/* The rest of a text that a write has failed to go on with is no text of its own. */
static void test_fails_within(void)
{
	struct map *map = map_new(BPFFS_TYPE_QUEUE, NULL, 0, "u32", 4, 0, false);
	struct bpffs_queue_open open = {};
	loff_t pos = 0;

	CHECK(more(map, &open, &pos, "12") == 2);
	map->store_error = -ENOSPC;
	CHECK(more(map, &open, &pos, "34\n") == -ENOSPC);
	map->store_error = 0;
	CHECK(more(map, &open, &pos, "34\n") == -ENOSPC && map_elements(map) == 0);
	CHECK(said(map, "push: a write has failed in this text: open the file anew"));
	/* Elsewhere, a text begins; and a whole one that fails is none before another. */
	pos = 100;
	CHECK(more(map, &open, &pos, "56\n") == 3 && map_elements(map) == 1);
	CHECK(more(map, &open, &pos, "x\n") == -EINVAL);
	CHECK(more(map, &open, &pos, "78\n") == 3 && map_elements(map) == 2);
	bpffs_queue_end(&map->info, &open, false);
	map_free(map);

	/* Nor are fields of two texts one. */
	map = new();
	open = (struct bpffs_queue_open){};
	pos = 0;
	CHECK(more(map, &open, &pos, "a=1\n") == 4);
	CHECK(more(map, &open, &pos, "b=x\n") == -EINVAL);
	CHECK(more(map, &open, &pos, "b=2\n") == -EINVAL);
	bpffs_queue_end(&map->info, &open, false);
	CHECK(map_elements(map) == 0);
	map_free(map);
}

#define TEXTS	"a=1 b=1\na=2 b=2\na=3 b=3\n"
#define EACH	8

/* The elements that are there are the first of TEXTS. */
static bool in_order(const struct map *map)
{
	u32 i, is[2];

	for (i = 0; i < (u32)map_elements(map); i++) {
		memcpy(is, map->value[i], sizeof(is));
		if (is[0] != i + 1 || is[1] != i + 1)
			return false;
	}
	return true;
}

/*
 * The writer's memory ends at each byte, or the writer is killed at each turn: what was
 * pushed is told, by a short write if there was any, and nothing else was.
 */
static void test_push_fails(void)
{
	bool kills = false;
	unsigned long at;
	struct map *map;
	ssize_t ret;

	do {
		for (at = 1; at < 100; at++) {
			map = new();
			has_failed = false;
			*(kills ? &stop : &fail_copy) = at;
			ret = push(map, TEXTS, true);
			stop = 0;
			fail_copy = 0;
			CHECK(in_order(map));
			CHECK(ret == (ssize_t)strlen(TEXTS) ||
			      (map_elements(map) ? ret == map_elements(map) * EACH :
						   ret == (kills ? -EINTR : -EFAULT)));
			CHECK(!has_failed || ret < (ssize_t)strlen(TEXTS));
			map_free(map);
			if (!has_failed && !has_stopped)
				break;
			has_stopped = false;
		}
		CHECK(ret == (ssize_t)strlen(TEXTS) && at > 3 && at < 100);
		kills = !kills;
	} while (kills);
}

/* What was popped is not lost as long as somebody may yet read it, or it is told. */
static void test_pop_fails(void)
{
	static const char text[] = "a=1\nb=1\n";
	unsigned long at;

	for (at = 1; at < sizeof(text); at++) {
		struct map *map = new();
		struct bpffs_queue_open open = { .pops = true };
		char is[64] = "";
		struct iov_iter to = { .at = is, .left = sizeof(is) };
		loff_t pos = 0;
		ssize_t ret;

		CHECK(push(map, TEXTS, false) > 0);
		fail_copy = at;
		ret = bpffs_queue_read(&map->info, &open, &pos, &to);
		CHECK(map_elements(map) == 2);
		CHECK(ret == (at > 1 ? (ssize_t)at - 1 : -EFAULT) && pos == (loff_t)at - 1);
		ret = bpffs_queue_read(&map->info, &open, &pos, &to);
		CHECK(pos == sizeof(text) - 1 && !strcmp(is, text) && ret > 0);
		CHECK(map_elements(map) == 2);
		bpffs_queue_end(&map->info, &open, false);
		/* Nobody comes for the next. */
		memset(&open, 0, sizeof(open));
		open.pops = true;
		pos = 0;
		fail_copy = 1;
		CHECK(bpffs_queue_read(&map->info, &open, &pos, &to) == -EFAULT);
		bpffs_queue_end(&map->info, &open, false);
		CHECK(said(map, "pop: the reader's memory went away; an element is lost"));
		map_free(map);
	}
}

static void test_no_memory(void)
{
	unsigned long at;
	struct map *map;
	ssize_t ret;

	for (at = 1; at < 1000; at++) {
		map = new();
		fail_alloc = at;
		has_failed = false;
		ret = push(map, "a=1 b=2\n", false);
		CHECK(ret == 8 ? map_elements(map) == 1 : ret == -ENOMEM && !map_elements(map));
		gives(map, true, "");
		fail_alloc = 0;
		CHECK(map_elements(map) == (has_failed && ret == 8));
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
	run("queue: map_refuses", test_map_refuses);
	run("queue: pieces", test_pieces);
	run("queue: push_fails", test_push_fails);
	run("queue: fails_within", test_fails_within);
	run("queue: pop_fails", test_pop_fails);
	run("queue: no_memory", test_no_memory);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
