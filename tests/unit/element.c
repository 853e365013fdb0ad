// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An open element, against a map that is a few lines of C: what bpffs(5) says of open,
 * read, write, close, truncate; pieces, interruptions, and no memory at every point.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "tap.h"

#define FIELDS	"packets=u64:bytes=u64"

/* An open file, as a front has it. */
struct file {
	struct map *map;
	unsigned char key[KEY_BYTES];
	loff_t pos;
	struct bpffs_open *open;
};

static struct file open_file(struct map *map, const char *name, unsigned int flags)
{
	struct file file = { .map = map };

	if (bpffs_name_decode(map->info.key, name, strlen(name), file.key, NULL))
		abort();
	file.open = calloc(1, sizeof(*file.open) + bpffs_open_room(&map->info));
	bpffs_open_begin(&map->info, file.open, flags, !bpffs_map_has(&map->info, file.key));
	return file;
}

static int put(struct file *file, const char *text)
{
	struct iov_iter from = { .at = (char *)text, .left = strlen(text) };
	int err = bpffs_open_write(&file->map->info, file->key, file->open, file->pos, &from);

	if (!err)
		file->pos += strlen(text);
	return err;
}

/* At most 255 bytes from the file's position on. */
static ssize_t get(struct file *file, char text[256])
{
	struct iov_iter to = { .at = text, .left = 255 };
	ssize_t ret = bpffs_open_read(&file->map->info, file->key, file->open, &file->pos, &to);

	text[ret < 0 ? 0 : ret] = '\0';
	return ret;
}

static bool reads(struct file *file, const char *text)
{
	char is[256];

	file->pos = 0;
	if (get(file, is) == (ssize_t)strlen(text) && !strcmp(is, text))
		return true;
	printf("# reads \"%s\"\n", is);
	return false;
}

static void close_file(struct file *file)
{
	bpffs_open_end(&file->map->info, file->key, file->open, false);
	free(file->open);
}

/* open(O_CREAT | O_TRUNC), write, close: echo TEXT > NAME. */
static int echo(struct map *map, const char *name, const char *text)
{
	struct file file = open_file(map, name, O_WRONLY | O_CREAT | O_TRUNC);
	int err = put(&file, text);

	close_file(&file);
	return err;
}

static bool shows(struct map *map, const char *name, const char *text)
{
	struct file file = open_file(map, name, O_RDONLY);
	bool ok = reads(&file, text);

	close_file(&file);
	return ok;
}

static struct map *hash(void)
{
	return map_new(BPFFS_TYPE_HASH, "u32", 4, FIELDS, 16, 0, false);
}

static void test_read(void)
{
	struct map *map = hash();
	struct file file;
	char text[256];

	CHECK(!echo(map, "1", "packets=7 bytes=9\n"));
	file = open_file(map, "1", O_RDONLY);
	CHECK(reads(&file, "packets=7\nbytes=9\n"));
	CHECK(get(&file, text) == 0);
	/* The sample stays what it was until offset 0 is read again. */
	map->value[0][0] = 8;
	file.pos = 4;
	CHECK(get(&file, text) > 0 && !strncmp(text, "ets=7\n", 6));
	CHECK(reads(&file, "packets=8\nbytes=9\n"));
	map->there[0] = false;
	file.pos = 0;
	CHECK(get(&file, text) == -ENOENT);
	close_file(&file);
	map_free(map);
}

static void test_size(void)
{
	struct map *map = hash();
	struct file file;
	u64 size;

	CHECK(!echo(map, "1", "packets=7 bytes=9\n"));
	file = open_file(map, "1", O_RDONLY);
	CHECK(!bpffs_open_size(&map->info, file.key, file.open, &size) && size == 18);
	map->value[0][0] = 77;
	CHECK(!bpffs_open_size(&map->info, file.key, file.open, &size) && size == 18);
	CHECK(!bpffs_element_size(&map->info, file.key, &size) && size == 19);
	map->there[0] = false;
	CHECK(bpffs_element_size(&map->info, file.key, &size) == -ENOENT);
	close_file(&file);
	file = open_file(map, "2", O_RDWR | O_CREAT | O_TRUNC);
	CHECK(!bpffs_open_size(&map->info, file.key, file.open, &size) && size == 0);
	CHECK(reads(&file, ""));
	close_file(&file);
	CHECK(map_elements(map) == 0);
	map_free(map);
}

static void test_fields(void)
{
	struct map *map = hash();

	CHECK(!echo(map, "1", "packets=7\nbytes=9\n"));
	CHECK(!echo(map, "1", "packets=0\n"));
	CHECK(shows(map, "1", "packets=0\nbytes=9\n"));
	CHECK(!echo(map, "1", "bytes+=5 packets-=1\n"));
	CHECK(shows(map, "1", "packets=18446744073709551615\nbytes=14\n"));
	CHECK(echo(map, "1", "packets=x\n") == -EINVAL);
	CHECK(said(map, "1: packets: \"x\" is not a u64"));
	CHECK(shows(map, "1", "packets=18446744073709551615\nbytes=14\n"));
	CHECK(echo(map, "2", "packets+=1\n") == -ENOENT);
	CHECK(said(map, "2: there is no such element to add to; no element was made"));
	map->unaligned = true;
	CHECK(echo(map, "1", "packets+=1\n") == -EOPNOTSUPP);
	CHECK(said(map, "1: the field at byte 0 is not aligned"));
	map->frozen = true;
	CHECK(echo(map, "1", "packets+=1\n") == -EPERM);
	CHECK(said(map, "1: the map is frozen; nothing was changed"));
	CHECK(echo(map, "1", "packets=1\n") == -EPERM);
	CHECK(echo(map, "1", "packets=1 bytes=1\n") == -EPERM);
	CHECK(said(map, "1: the map is frozen; nothing was changed"));
	map_free(map);
}

static void test_create(void)
{
	struct map *map = hash();
	struct file file, other;

	/* Not before every field is named. */
	file = open_file(map, "1", O_WRONLY | O_CREAT | O_TRUNC);
	CHECK(!put(&file, "packets=1\n"));
	CHECK(map_elements(map) == 0);
	CHECK(!put(&file, "bytes=2\n"));
	CHECK(map_elements(map) == 1);
	close_file(&file);
	CHECK(shows(map, "1", "packets=1\nbytes=2\n"));
	/* Nor if the rest never comes. */
	CHECK(!echo(map, "2", "packets=1\n"));
	CHECK(said(map, "2: closed before every field was named; no element was made"));
	CHECK(map_elements(map) == 1);
	/* > FILE makes none, : <> FILE one of zeros. */
	file = open_file(map, "2", O_WRONLY | O_CREAT | O_TRUNC);
	close_file(&file);
	CHECK(map_elements(map) == 1);
	file = open_file(map, "2", O_RDWR | O_CREAT);
	close_file(&file);
	CHECK(shows(map, "2", "packets=0\nbytes=0\n"));
	/* Unless the writer is killed. */
	file = open_file(map, "3", O_RDWR | O_CREAT);
	bpffs_open_end(&map->info, file.key, file.open, true);
	free(file.open);
	CHECK(map_elements(map) == 2);
	/* touch: the time is set while it is open; once only. */
	file = open_file(map, "3", O_RDWR | O_CREAT);
	CHECK(bpffs_open_claims_zero(file.open) && !bpffs_open_claims_zero(file.open));
	CHECK(!bpffs_store_zero(&map->info, file.key));
	close_file(&file);
	CHECK(map_elements(map) == 3);
	/* With O_EXCL, the write decides. */
	file = open_file(map, "4", O_WRONLY | O_CREAT | O_EXCL);
	other = open_file(map, "4", O_WRONLY | O_CREAT | O_EXCL);
	CHECK(!put(&file, "packets=1 bytes=1\n"));
	CHECK(put(&other, "packets=2 bytes=2\n") == -EEXIST);
	close_file(&file);
	close_file(&other);
	CHECK(shows(map, "4", "packets=1\nbytes=1\n"));
	/* Also after a time has been set. */
	map->there[map_find(map, "\4\0\0")] = false;
	file = open_file(map, "4", O_WRONLY | O_CREAT | O_EXCL);
	CHECK(!bpffs_open_claims_zero(file.open));
	CHECK(!put(&file, "packets=1 bytes=1\n"));
	close_file(&file);
	/* It is full. */
	CHECK(echo(map, "5", "packets=1 bytes=1\n") == -ENOSPC);
	CHECK(said(map, "5: the map is full (4 elements); nothing was changed"));
	CHECK(!echo(map, "4", "packets=3 bytes=3\n"));
	map_free(map);
}

static void test_gone(void)
{
	struct map *map = hash();
	struct file file;

	CHECK(!echo(map, "1", "packets=1 bytes=1\n"));
	file = open_file(map, "1", O_WRONLY);
	map->there[0] = false;
	CHECK(put(&file, "packets=2\n") == -ENOENT);
	CHECK(put(&file, "packets=2 bytes=2\n") == -ENOENT);
	CHECK(said(map, "1: the element is gone; nothing was changed"));
	close_file(&file);
	CHECK(map_elements(map) == 0);
	/* Whoever may create it makes it again. */
	CHECK(!echo(map, "1", "packets=1 bytes=1\n"));
	file = open_file(map, "1", O_WRONLY | O_CREAT);
	map->there[0] = false;
	CHECK(!put(&file, "packets=2\n"));
	CHECK(map_elements(map) == 0);
	CHECK(!put(&file, "bytes=2\n"));
	close_file(&file);
	CHECK(shows(map, "1", "packets=2\nbytes=2\n"));
	map_free(map);
}

/* A text that is split at every byte is what it is as a whole. */
static void test_pieces(void)
{
	static const char text[] = "packets=1234 bytes=5678\n";
	char piece[2] = "";
	struct map *map;
	struct file file;
	size_t at, i;

	for (at = 1; at < sizeof(text) - 1; at++) {
		char begin[sizeof(text)] = "";

		memcpy(begin, text, at);
		map = hash();
		file = open_file(map, "1", O_WRONLY | O_CREAT | O_TRUNC);
		CHECK(!put(&file, begin) && !put(&file, text + at));
		close_file(&file);
		CHECK(shows(map, "1", "packets=1234\nbytes=5678\n"));
		/* Nothing but the begin: no element. */
		file = open_file(map, "2", O_WRONLY | O_CREAT | O_TRUNC);
		CHECK(!put(&file, begin));
		close_file(&file);
		CHECK(map_elements(map) == 1);
		map_free(map);
	}
	map = hash();
	file = open_file(map, "1", O_WRONLY | O_CREAT | O_TRUNC);
	for (i = 0; i < sizeof(text) - 1; i++) {
		piece[0] = text[i];
		CHECK(!put(&file, piece));
	}
	/* A gap, and from the start again. */
	file.pos++;
	CHECK(put(&file, "packets=1\n") == -EINVAL);
	CHECK(said(map, "1: a text is written from its start, without gaps"));
	file.pos = 0;
	CHECK(!put(&file, "bytes=1\n"));
	CHECK(!bpffs_open_truncate(file.open, 0) && !bpffs_open_truncate(file.open, 8));
	CHECK(bpffs_open_truncate(file.open, 9) == -EINVAL);
	CHECK(!put(&file, "packets"));
	close_file(&file);
	CHECK(said(map, "1: closed in the middle of a field, which was not changed: "));
	CHECK(shows(map, "1", "packets=1234\nbytes=1\n"));
	map_free(map);
}

static void test_special(void)
{
	struct map *map = hash();

	map->special = 8;
	map->special_size = 8;
	CHECK(!echo(map, "1", "packets=1 bytes=0\n"));
	CHECK(echo(map, "1", "bytes=1\n") == -EPERM);
	CHECK(said(map, "1: byte 8 is a lock's, timer's or pointer's; nothing was changed"));
	CHECK(echo(map, "1", "packets=1 bytes=1\n") == -EPERM);
	CHECK(said(map, "1: the bytes of a lock are not zero; nothing was changed"));
	map->owns = true;
	CHECK(echo(map, "1", "packets=2 bytes=0\n") == -EPERM);
	CHECK(said(map, "1: an update would destroy a timer or pointer; nothing was changed"));
	CHECK(!echo(map, "1", "packets=3\n"));
	CHECK(shows(map, "1", "packets=3\nbytes=0\n"));
	/* A new one owns nothing yet. */
	CHECK(!echo(map, "2", "packets=2 bytes=0\n"));
	map_free(map);
}

static void test_bits(void)
{
	struct map *map = map_new(BPFFS_TYPE_ARRAY, "u32", 4, "f=be32{a.4/b.28}:c=u32", 8, 0,
				  false);

	CHECK(!echo(map, "0", "f.b=1\n"));
	CHECK(!echo(map, "0", "f.a=15\n"));
	CHECK(shows(map, "0", "f.a=15\nf.b=1\nc=0\n"));
	CHECK(!echo(map, "0", "f.a+=2\n"));
	CHECK(shows(map, "0", "f.a=1\nf.b=1\nc=0\n"));
	/* Every index is there. */
	CHECK(map_elements(map) == MAP_MAX / 2);
	map_free(map);
}

static void test_percpu(void)
{
	struct map *map = map_new(BPFFS_TYPE_PERCPU_HASH, "u32", 4, "n=u64:s=str8", 16, 3, false);
	struct map *sum;

	CHECK(!echo(map, "1", "cpu0.n=1 cpu0.s=a cpu2.n=2 cpu2.s=b cpu5.n=3 cpu5.s=c\n"));
	CHECK(!echo(map, "1", "cpu5.n+=4\n"));
	CHECK(shows(map, "1", "cpu0.n=1\ncpu0.s=a\ncpu2.n=2\ncpu2.s=b\ncpu5.n=7\ncpu5.s=c\n"));
	map_free(map);

	sum = map_new(BPFFS_TYPE_PERCPU_HASH, "u32", 4, "n=u64:s=str8", 16, 3, true);
	CHECK(!echo(sum, "1", "n=5 s=a\n"));
	sum->value[0][16] = 6;
	CHECK(shows(sum, "1", "n=11\ns=a\n"));
	/* To the first CPU; set, the others become zero. */
	CHECK(!echo(sum, "1", "n+=2\n"));
	CHECK(sum->value[0][0] == 7 && sum->value[0][16] == 6);
	CHECK(!echo(sum, "1", "n=1\n"));
	CHECK(sum->value[0][0] == 1 && sum->value[0][16] == 0);
	CHECK(shows(sum, "1", "n=1\ns=a\n"));
	map_free(sum);
}

/* What each type's row says of reading and writing one element. */
static void test_rows(void)
{
	u32 type;

	for (type = 0; type < 64; type++) {
		struct map *map = map_new(type, "u32", 4, FIELDS, 16, 0, false);
		u32 can = map->info.can;
		char text[256];
		struct file file;
		int err;

		err = echo(map, "1", "packets=1 bytes=2\n");
		CHECK(err == (can & BPFFS_CAN_WRITE ?
			      can & (BPFFS_CAN_CREATE | BPFFS_IS_ARRAY) ? 0 : -ENOENT :
			      -EOPNOTSUPP));
		if (!(can & BPFFS_IS_ARRAY))
			map->there[0] = true;
		memset(map->key[0], 0, KEY_BYTES);
		file = open_file(map, "0", O_RDONLY);
		CHECK((get(&file, text) > 0) == !!(can & BPFFS_CAN_READ));
		close_file(&file);
		map_free(map);
	}
}

/* A whole session: an element is made in pieces, read, changed; another is touched. */
static int session(struct map *map)
{
	struct file file = open_file(map, "1", O_RDWR | O_CREAT | O_TRUNC);
	char text[256];
	int err, ret;

	err = put(&file, "packets=1 by");
	ret = put(&file, "tes=2\n");
	err = err ?: ret;
	file.pos = 0;
	ret = get(&file, text);
	err = err ?: ret < 0 ? ret : 0;
	close_file(&file);
	ret = echo(map, "1", "packets+=1\n");
	err = err ?: ret;
	ret = echo(map, "1", "packets=3 bytes=4\n");
	err = err ?: ret;
	file = open_file(map, "2", O_RDWR | O_CREAT);
	close_file(&file);
	return err;
}

/* Whole elements only, whatever happens. */
static void check_whole(struct map *map, unsigned long at)
{
	static const u64 allowed[][2] = { { 1, 2 }, { 2, 2 }, { 3, 4 }, { 0, 0 } };
	unsigned int i, n;
	u64 is[2];

	for (i = 0; i < MAP_MAX; i++) {
		if (!map->there[i])
			continue;
		memcpy(&is[0], map->value[i], 8);
		memcpy(&is[1], map->value[i] + 8, 8);
		for (n = 0; n < ARRAY_SIZE(allowed); n++)
			if (is[0] == allowed[n][0] && is[1] == allowed[n][1])
				break;
		if (n == ARRAY_SIZE(allowed))
			printf("# at %lu: %llu %llu\n", at, is[0], is[1]);
		CHECK(n < ARRAY_SIZE(allowed));
	}
}

static struct map *session_map(bool sum)
{
	return sum ? map_new(BPFFS_TYPE_PERCPU_HASH, "u32", 4, FIELDS, 16, 3, true) : hash();
}

static void test_no_memory(void)
{
	unsigned long at;
	struct file file;
	struct map *map;
	int err, sum;

	/* What could not be written makes no element of zeros either. */
	map = hash();
	file = open_file(map, "1", O_WRONLY | O_CREAT);
	fail_alloc = 1;
	CHECK(put(&file, "packets=1 bytes=1\n") == -ENOMEM);
	close_file(&file);
	CHECK(map_elements(map) == 0);
	map_free(map);
	for (sum = 0; sum < 2; sum++) {
		for (at = 1; at < 1000; at++) {
			map = session_map(sum);
			fail_alloc = at;
			has_failed = false;
			err = session(map);
			fail_alloc = 0;
			/* Without memory for a sentence, only that is lost. */
			CHECK(!err || err == -ENOMEM || err == -ENOENT);
			CHECK(!err || has_failed);
			check_whole(map, at);
			map_free(map);
			if (!has_failed)
				break;
		}
		CHECK(at > 5 && at < 1000);
	}
}

static void test_interrupted(void)
{
	unsigned long at;
	struct map *map;
	int err, sum;

	for (sum = 0; sum < 2; sum++) {
		for (at = 1; at < 1000; at++) {
			map = session_map(sum);
			stop = at;
			has_stopped = false;
			err = session(map);
			CHECK(!err || err == -EINTR);
			CHECK(!err || has_stopped);
			check_whole(map, at);
			map_free(map);
			if (!has_stopped)
				break;
			stop = 0;
		}
		CHECK(at > 5 && at < 1000);
		stop = 0;
		has_stopped = false;
	}
}

/* Of many fields: beyond what an open file has room for. */
static struct map *large(u32 bytes, u32 cpus, bool sum)
{
	char layout[32];

	sprintf(layout, "u8[%u]", bytes);
	return map_new(cpus ? BPFFS_TYPE_PERCPU_HASH : BPFFS_TYPE_HASH, "u32", 4, layout, bytes,
		       cpus, sum);
}

/* A reader whose memory ends at each byte has been given what is before; and can go on. */
static void test_read_fails(void)
{
	char whole[8192], text[8192];
	struct map *map = large(300, 0, false);
	struct file file;
	struct iov_iter to;
	ssize_t len, ret;
	unsigned long at;

	map->there[0] = true;
	memset(map->value[0], 77, 300);
	file = open_file(map, "0", O_RDONLY);
	to = (struct iov_iter){ .at = whole, .left = sizeof(whole) };
	len = bpffs_open_read(&map->info, file.key, file.open, &file.pos, &to);
	CHECK(len > 2 * BPFFS_WINDOW);
	for (at = 1; at <= (unsigned long)len; at++) {
		file.pos = 0;
		fail_copy = at;
		to = (struct iov_iter){ .at = text, .left = sizeof(text) };
		ret = bpffs_open_read(&map->info, file.key, file.open, &file.pos, &to);
		CHECK(ret == (at > 1 ? (ssize_t)at - 1 : -EFAULT) && file.pos == (loff_t)at - 1);
		bpffs_open_read(&map->info, file.key, file.open, &file.pos, &to);
		CHECK(file.pos == len && !memcmp(whole, text, len));
	}
	close_file(&file);
	map_free(map);
}

/* A writer's, of an element that is there and of one that is not: nothing changes. */
static void test_write_fails(void)
{
	static const char text[] = "packets=1234 bytes=5678\n";
	struct map *map = hash();
	unsigned long at;

	CHECK(!echo(map, "1", "packets=7 bytes=9\n"));
	for (at = 1; at < sizeof(text); at++) {
		fail_copy = at;
		CHECK(echo(map, "1", text) == -EFAULT);
		fail_copy = at;
		CHECK(echo(map, "2", text) == -EFAULT);
		CHECK(shows(map, "1", "packets=7\nbytes=9\n") && map_elements(map) == 1);
	}
	CHECK(!echo(map, "1", text) && shows(map, "1", "packets=1234\nbytes=5678\n"));
	map_free(map);
}

/* Of each error of the map: the sentence, and that nothing changes. */
static void test_map_refuses(void)
{
	static const struct {
		int err;
		const char *sentence;
	} errors[] = {
		{ -EPERM, "1: the map is frozen; nothing was changed" },
		{ -ENOENT, "1: the element is gone; nothing was changed" },
		{ -ESTALE, "1: it was deleted or replaced meanwhile; another key's may have changed" },
		{ -EFAULT, "1: the process changed its memory; the element may have changed" },
		{ -ENOSPC, "1: the map is full (4 elements); nothing was changed" },
		{ -EBUSY, "1: the map refuses the update (error 16); nothing was changed" },
	};
	struct file file;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		struct map *map = hash();

		CHECK(!echo(map, "1", "packets=7 bytes=9\n"));
		map->store_error = errors[i].err;
		CHECK(echo(map, "1", "packets=1 bytes=1\n") == errors[i].err);
		CHECK(said(map, errors[i].sentence));
		/* One field, of whoever does not make elements. */
		file = open_file(map, "1", O_WRONLY);
		CHECK(put(&file, "packets=1\n") == errors[i].err);
		CHECK(put(&file, "packets=1 bytes=1\n") == errors[i].err);
		close_file(&file);
		CHECK(shows(map, "1", "packets=7\nbytes=9\n"));
		map_free(map);
	}
}

/* Not to the first of two, either. */
static void test_cannot_add(void)
{
	struct map *map = map_new(BPFFS_TYPE_PERCPU_HASH, "u32", 4, "a=u64:b=u32", 12, 2, false);

	map->there[0] = true;
	map->adds_words = true;
	CHECK(!echo(map, "0", "cpu2.a+=1\n"));
	CHECK(echo(map, "0", "cpu0.a+=1 cpu2.b+=1\n") == -EOPNOTSUPP);
	CHECK(said(map, "0: the field at byte 8 is in no aligned word of the value: nothing can be added to it; nothing was changed"));
	CHECK(shows(map, "0", "cpu0.a=0\ncpu0.b=0\ncpu2.a=1\ncpu2.b=0\n"));
	map_free(map);
}

/* A new element whose string is begun again: it is still to be named. */
static void test_new_twice(void)
{
	struct map *map = map_new(BPFFS_TYPE_HASH, "u32", 4, "n=u32:comm=str8", 12, 0, false);
	struct file file = open_file(map, "1", O_WRONLY | O_CREAT | O_TRUNC);

	CHECK(!put(&file, "comm=long\n") && !put(&file, "comm=ab\n"));
	CHECK(map_elements(map) == 0);
	CHECK(!put(&file, "n=7\n"));
	close_file(&file);
	CHECK(shows(map, "1", "n=7\ncomm=ab\n"));
	map_free(map);
}

/* Without the newline, more digits could follow. */
static void test_addition_without_newline(void)
{
	struct map *map = hash();

	CHECK(!echo(map, "1", "packets=7 bytes=9\n"));
	CHECK(echo(map, "1", "packets+=1") == -EINVAL);
	CHECK(said(map, "1: packets: an addition ends in a newline; nothing was changed"));
	CHECK(shows(map, "1", "packets=7\nbytes=9\n"));
	map_free(map);
}

static struct map *failing;
static int fails_with;

static void fail_behind_first(void)
{
	if (failing->value[0][0] == 1)
		failing->store_error = fails_with;
}

/* Between two fields: nobody is told that nothing was changed. */
static void test_map_refuses_rest(void)
{
	struct map *map = map_new(BPFFS_TYPE_HASH, "u32", 4, "a=u8:b=u8:c=u8", 3, 0, false);

	map->there[0] = true;
	failing = map;
	at_turn = fail_behind_first;
	fails_with = -ENOMEM;
	CHECK(echo(map, "0", "a=1 b=2\n") == -ENOMEM);
	CHECK(map->value[0][0] == 1 && !map->value[0][1]);
	CHECK(said(map, "0: the map refuses the update (error 12); some of it may have changed"));
	map->store_error = 0;
	map->value[0][0] = 0;
	fails_with = -EPERM;
	CHECK(echo(map, "0", "a=1 b=2\n") == -EPERM);
	CHECK(said(map, "0: the map is frozen; some of it may have changed"));
	at_turn = NULL;
	map_free(map);
}

/* Without memory for it, only the sentence is lost. */
static void test_no_sentence(void)
{
	struct map *map = hash();
	struct file file;

	CHECK(!echo(map, "1", "packets=7 bytes=9\n"));
	file = open_file(map, "1", O_WRONLY);
	CHECK(!put(&file, "packets=8\n"));
	fail_alloc = 1;
	has_failed = false;
	CHECK(put(&file, "packets=x\n") == -EINVAL);
	CHECK(has_failed && !map->info.errors.next);
	CHECK(put(&file, "packets=y\n") == -EINVAL && said(map, "1: packets: \"y\""));
	close_file(&file);
	CHECK(shows(map, "1", "packets=8\nbytes=9\n"));
	map_free(map);
}

/* A value with a sample of its own. */
static void test_large(void)
{
	struct map *map = large(100, 3, false), *sum = large(100, 3, true);
	struct file file;
	char text[256];
	u64 size;

	map->there[0] = true;
	file = open_file(map, "0", O_RDONLY);
	fail_alloc = 1;
	CHECK(get(&file, text) == -ENOMEM && !file.pos);
	fail_alloc = 1;
	CHECK(bpffs_open_size(&map->info, file.key, file.open, &size) == -ENOMEM && !size);
	CHECK(!bpffs_open_size(&map->info, file.key, file.open, &size) && size > 600);
	fail_alloc = 1;
	CHECK(bpffs_element_size(&map->info, file.key, &size) == -ENOMEM);
	CHECK(get(&file, text) == 255);
	close_file(&file);
	map->there[0] = false;
	file = open_file(map, "0", O_RDONLY);
	file.open->pending = false;
	CHECK(bpffs_open_size(&map->info, file.key, file.open, &size) == -ENOENT);
	close_file(&file);
	CHECK(bpffs_element_delete(&map->info, file.key) == -ENOENT);
	map->there[0] = true;
	CHECK(!bpffs_element_delete(&map->info, file.key) && !map_elements(map));
	map_free(map);

	/* Whoever is being killed gets neither a size nor a sum that is not the whole. */
	sum->there[0] = true;
	file = open_file(sum, "0", O_RDONLY);
	CHECK(get(&file, text) > 0);
	has_stopped = true;
	CHECK(bpffs_open_size(&sum->info, file.key, file.open, &size) == -EINTR);
	CHECK(bpffs_element_size(&sum->info, file.key, &size) == -EINTR);
	file.pos = 0;
	CHECK(get(&file, text) == -EINTR);
	has_stopped = false;
	file.pos = 0;
	CHECK(get(&file, text) > 0);
	CHECK(!bpffs_open_size(&sum->info, file.key, file.open, &size) && size > 200);
	close_file(&file);
	map_free(sum);
}

#define LONG_FIELDS	"n=u8[1100]:w=u16:x=u8"

/*
 * Killed at each turn of a long text: the fields are stored from the first on. If the last
 * of them is a lock, or cannot be added to, none ever is.
 */
static void test_long_text(void)
{
	static const int refusal[] = { 0, -EPERM, -EOPNOTSUPP };
	static char text[32768];
	unsigned long at;
	struct map *map;
	u32 i, n, way;
	int err;

	for (way = 0; way < ARRAY_SIZE(refusal); way++) {
		text[0] = '\0';
		for (i = 0; i < 1100; i++)
			sprintf(text + strlen(text), "n.%u%s=1\n", i, way == 2 ? "+" : "");
		strcat(text, way == 2 ? "w+=1\n" : "w=1\n");
		for (at = 1; at < 10000; at += at < 100 ? 1 : at / 8) {
			map = map_new(BPFFS_TYPE_HASH, "u32", 4, LONG_FIELDS, 1103, 0, false);
			map->there[0] = true;
			map->special = 1100;
			map->special_size = way == 1;
			map->unaligned = way == 2;
			stop = at;
			err = echo(map, "0", text);
			stop = 0;
			CHECK(err == (has_stopped ? -EINTR : refusal[way]));
			for (n = 0; n < 1100 && map->value[0][n] == 1; n++)
				;
			CHECK(n == 1100 ? map->value[0][1100] <= 1 :
			      !memchr_inv(map->value[0] + n, 0, VALUE_BYTES - n));
			CHECK(way ? !n : has_stopped || n == 1100);
			map_free(map);
			if (!has_stopped)
				break;
			has_stopped = false;
		}
		CHECK(at > 10 && at < 10000);
	}
}

static void test_ring(void)
{
	char before[32], text[8192] = "";
	struct seq_file seq = { .buf = text, .size = sizeof(text) };
	struct map *map = hash();
	char quoted[4 * BPFFS_QUOTED_MAX + 1];
	int i;

	for (i = 0; i < BPFFS_ERRORS + 3; i++)
		bpffs_refuse(&map->info, "sentence %d", i);
	bpffs_errors_show(&map->info.errors, &seq);
	CHECK(!strncmp(text, "sentence 3\n", 11));
	sprintf(before, "sentence %d\n", BPFFS_ERRORS + 2);
	CHECK(!strcmp(text + strlen(text) - strlen(before), before));
	CHECK(!strcmp(bpffs_quote_name(quoted, "a\n\x01\0\"\x7f", 6), "a\\n\\001\\0\"\\177"));
	map_free(map);
}

/* The rest of a text that a write has failed to go on with is no text of its own. */
static void test_fails_within(void)
{
	struct map *map = map_new(BPFFS_TYPE_HASH, "u32", 4, "u64", 8, 0, false);
	struct file file;

	CHECK(!echo(map, "1", "7\n"));
	file = open_file(map, "1", O_WRONLY);
	CHECK(!put(&file, "12"));
	map->store_error = -EBUSY;
	CHECK(put(&file, "34\n") == -EBUSY);
	map->store_error = 0;
	CHECK(put(&file, "34\n") == -EBUSY && shows(map, "1", "12\n"));
	CHECK(said(map, "1: a write has failed in this text: write it from its start"));
	file.pos = 0;
	CHECK(!put(&file, "1234\n") && shows(map, "1", "1234\n"));
	/* A whole text that fails is none before another. */
	CHECK(put(&file, "x\n") == -EINVAL);
	CHECK(!put(&file, "5\n") && shows(map, "1", "5\n"));
	close_file(&file);
	map_free(map);

	/* Of the only field, what follows in its line is refused, however it is written. */
	map = map_new(BPFFS_TYPE_HASH, "u32", 4, "str8", 8, 0, false);
	CHECK(!echo(map, "1", "old\n"));
	file = open_file(map, "1", O_WRONLY);
	CHECK(!put(&file, "a") && !put(&file, " ") && put(&file, "b") == -EINVAL);
	CHECK(put(&file, "c\n") == -EINVAL && shows(map, "1", "a\n"));
	close_file(&file);
	map_free(map);

	/* Nor is what no field was left for another's; but one with a name is the same always. */
	map = map_new(BPFFS_TYPE_HASH, "u32", 4, "u32:u32:n=u32", 12, 0, false);
	CHECK(!echo(map, "1", "1 2 n=3\n"));
	file = open_file(map, "1", O_WRONLY);
	CHECK(!put(&file, "4\n") && put(&file, "x\n") == -EINVAL);
	CHECK(put(&file, "5\n") == -EINVAL && shows(map, "1", "4\n2\nn=3\n"));
	file.pos = 0;
	CHECK(!put(&file, "6\n7\n") && put(&file, "8\n") == -EINVAL);
	CHECK(put(&file, "9\n") == -EINVAL && shows(map, "1", "6\n7\nn=3\n"));
	file.pos = 0;
	CHECK(!put(&file, "n=8\n") && put(&file, "n=x\n") == -EINVAL);
	CHECK(!put(&file, "n=9\n") && shows(map, "1", "6\n7\nn=9\n"));
	close_file(&file);
	map_free(map);
}

/* What was named of a new element before a write failed is no part of what comes then. */
static void test_new_fails_within(void)
{
	struct map *map = hash();
	struct file file = open_file(map, "1", O_WRONLY | O_CREAT | O_TRUNC);

	CHECK(!put(&file, "packets=1\n"));
	map->store_error = -ENOSPC;
	CHECK(put(&file, "bytes=2\n") == -ENOSPC);
	map->store_error = 0;
	CHECK(put(&file, "bytes=2\n") == -ENOSPC && map_elements(map) == 0);
	file.pos = 0;
	CHECK(!put(&file, "packets=1\n") && !put(&file, "bytes=2\n"));
	close_file(&file);
	CHECK(shows(map, "1", "packets=1\nbytes=2\n"));
	map_free(map);
}

int main(void)
{
	run("element: read", test_read);
	run("element: size", test_size);
	run("element: fields", test_fields);
	run("element: create", test_create);
	run("element: gone", test_gone);
	run("element: pieces", test_pieces);
	run("element: special", test_special);
	run("element: bits", test_bits);
	run("element: percpu", test_percpu);
	run("element: rows", test_rows);
	run("element: no_memory", test_no_memory);
	run("element: interrupted", test_interrupted);
	run("element: read_fails", test_read_fails);
	run("element: write_fails", test_write_fails);
	run("element: map_refuses", test_map_refuses);
	run("element: cannot_add", test_cannot_add);
	run("element: new_twice", test_new_twice);
	run("element: addition_without_newline", test_addition_without_newline);
	run("element: map_refuses_rest", test_map_refuses_rest);
	run("element: fails_within", test_fails_within);
	run("element: new_fails_within", test_new_fails_within);
	run("element: no_sentence", test_no_sentence);
	run("element: large", test_large);
	run("element: long_text", test_long_text);
	run("element: ring", test_ring);
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
