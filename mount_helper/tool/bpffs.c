// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs: a small tool for what is mounted, and for what could be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmount.h>
#include <linux/bpffs.h>

#include "internal.h"
#include "json.h"
#include "object.h"
#include "open.h"
#include "text.h"

enum status {
	DONE,
	DIFFERS,	/* check: it is another object */
	FAILED,
};

static const char usage[] =
	"usage: bpffs json DIR        the elements of a mounted map as JSON Lines\n"
	"       bpffs layout SOURCE   the layouts that key=auto,value=auto mean for a map\n"
	"       bpffs check DIR       does the SOURCE of a mount still name its object?\n"
	"                             exit status 0: yes, 1: no, 2: it cannot be said\n"
	"       bpffs open [-r] DIR -- CMD [ARGS]\n"
	"                             run CMD with the mounted object as descriptor 3 (its\n"
	"                             number is in $BPFFS_FD, should 3 be in use); -r: read-only\n"
	"       bpffs --version | --help\n"
	"\n"
	"DIR: the root of a mount of type bpffs. SOURCE: PATH of a pinned object,\n"
	"map:NAME, map:id:7, prog:NAME, prog:id:7, prog:tag:TAG or link:id:7.\n"
	"See bpffs(8).\n";

__attribute__((format(printf, 1, 2)))
static enum status fail(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "bpffs: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return FAILED;
}

/* --- The mount --- */

/* Its root, for openat(2); -1 after a message. */
static int open_mount(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fail("%s: %s", dir, strerror(errno));
		return -1;
	}
	if (!libbpffs_is_ours(fd)) {
		fail("%s: not in a mount of type bpffs", dir);
		close(fd);
		return -1;
	}
	return fd;
}

/* A file of the mount, without its last newline; to be freed. NULL: errno. */
static char *read_file(int root, const char *name)
{
	int fd = openat(root, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0, size = 0;
	char *text = NULL;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	do {
		if (size - len < 4096) {
			char *more = realloc(text, size + 65536);

			if (!more)
				break;
			text = more;
			size += 65536;
		}
		n = read(fd, text + len, size - len - 1);
		len += n > 0 ? n : 0;
	} while (n > 0);
	close(fd);
	if (n) {
		free(text);
		return NULL;
	}
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	return text;
}

static unsigned long read_number(int root, const char *name)
{
	char *text = read_file(root, name);
	unsigned long number = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	return number;
}

/*
 * The row of /proc/self/mountinfo, in a table that is to be freed: of the mount whose
 * root is @dir, or that @dir is in.
 */
static struct libmnt_fs *find_mount(const char *dir, bool root, struct libmnt_table **table)
{
	char *path = realpath(dir, NULL);
	struct libmnt_fs *fs = NULL;

	*table = mnt_new_table();
	if (path && *table && !mnt_table_parse_file(*table, "/proc/self/mountinfo"))
		fs = root ? mnt_table_find_target(*table, path, MNT_ITER_BACKWARD) :
			    mnt_table_find_mountpoint(*table, path, MNT_ITER_BACKWARD);
	free(path);
	return fs && mnt_fs_match_fstype(fs, FS_TYPE "," FUSE_TYPE) ? fs : NULL;
}

/* --- json --- */

/**
 * struct map - a mounted map
 * @dir: as given
 * @root: of the mount
 * @key: layout of the names
 * @value: layout of the values
 * @percpu: of a per-CPU type
 * @sum: its values are shown added up
 */
struct map {
	const char *dir;
	int root;
	struct bpffs_layout *key;
	struct bpffs_layout *value;
	bool percpu;
	bool sum;
};

static struct bpffs_layout *read_layout(const struct map *map, const char *name,
					const char *size_name, unsigned int flags)
{
	char *text = read_file(map->root, name);
	struct bpffs_layout *layout;

	if (!text) {
		fail("%s/%s: %s", map->dir, name, strerror(errno));
		return NULL;
	}
	layout = bpffs_layout_parse(text, read_number(map->root, size_name), flags);
	if (!layout)
		fail("%s/%s: %s", map->dir, name, bpf_mount_error());
	free(text);
	return layout;
}

static void see_percpu(struct map *map)
{
	char *type = read_file(map->root, ".bpf/type");
	struct libmnt_table *table;
	struct libmnt_fs *fs;
	char *value;
	size_t size;

	map->percpu = type && strstr(type, "percpu");
	free(type);
	if (!map->percpu)
		return;
	fs = find_mount(map->dir, false, &table);
	if (fs && !mnt_fs_get_option(fs, "percpu", &value, &size))
		map->sum = size == 3 && !memcmp(value, "sum", 3);
	mnt_unref_table(table);
}

/* Of writing. */
static enum status put_out(struct json_out *out)
{
	return out->err ? fail("standard output: %s", strerror(out->err)) : DONE;
}

/* What is read of the table: whole lines first. */
struct lines {
	char *buf;
	size_t size;
	size_t len;
};

static int make_room(struct lines *lines)
{
	char *more;

	if (lines->len < lines->size)
		return 0;
	more = realloc(lines->buf, lines->size ? 2 * lines->size : 1 << 20);
	if (!more)
		return -ENOMEM;
	lines->size = lines->size ? 2 * lines->size : 1 << 20;
	lines->buf = more;
	return 0;
}

/* The whole lines in @lines; what is left of them moves to the front. */
static int put_lines(const struct map *map, struct lines *lines, struct json_out *out)
{
	const char *line = lines->buf, *end = line + lines->len, *newline;

	for (; (newline = memchr(line, '\n', end - line)); line = newline + 1)
		if (json_line(out, map->key, map->value, map->percpu && !map->sum, line,
			      newline - line))
			return -EINVAL;
	lines->len = end - line;
	memmove(lines->buf, line, lines->len);
	return 0;
}

static enum status put_table_lines(const struct map *map, int table, struct json_out *out)
{
	struct lines lines = {};
	enum status status = DONE;
	ssize_t n;

	do {
		if (make_room(&lines)) {
			status = fail("%s", strerror(ENOMEM));
			break;
		}
		n = read(table, lines.buf + lines.len, lines.size - lines.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			status = fail("%s/.bpf/table: %s", map->dir, strerror(errno));
			break;
		}
		lines.len += n;
		if (put_lines(map, &lines, out))
			status = fail("%s/.bpf/table: a line is not of the layouts", map->dir);
		else	/* nobody may read any more */
			status = put_out(out);
	} while (n && status == DONE);
	if (status == DONE && lines.len)
		status = fail("%s/.bpf/table: ends in the middle of a line", map->dir);
	free(lines.buf);
	return status;
}

static enum status put_table(const struct map *map, struct json_out *out)
{
	int table = openat(map->root, ".bpf/table", O_RDONLY | O_CLOEXEC);
	enum status status;

	if (table < 0)
		return fail("%s/.bpf/table: %s", map->dir, strerror(errno));
	status = put_table_lines(map, table, out);
	close(table);
	return status;
}

/* --- json of .bpf/raw: the same, without a text to make and to read --- */

/* One read() gives one part: the header, a block or the trailer. */
#define RAW_PART	(1 << 20)
/* One bucket of a hash must fit in a block, and of these values it may not. */
#define RAW_ELEMENT	(RAW_PART / 64)

/**
 * struct raw - an open .bpf/raw
 * @fd: of it
 * @part: what was read last, RAW_PART bytes
 * @len: of @part
 * @key: how to write names
 * @value: how to write values
 * @stored: a value as a block has it
 * @cpus: numbers of the possible CPUs, of which @stored has a copy each
 * @sum: room for the copies added up
 * @count: elements so far
 */
struct raw {
	int fd;
	char *part;
	size_t len;
	struct json_plan *key;
	struct json_plan *value;
	struct bpffs_shape stored;
	u32 *cpus;
	void *sum;
	u64 count;
};

/* "0-3,8": the numbers of @count CPUs. False: it is another number of them. */
static bool read_cpus(u32 *cpus, u32 count)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	u32 first, last, n = 0;

	while (file && fscanf(file, "%u", &first) == 1) {
		if (fscanf(file, "-%u", &last) != 1)
			last = first;
		for (; first <= last && n <= count; first++, n++)
			if (n < count)
				cpus[n] = first;
		if (fgetc(file) != ',')
			break;
	}
	if (file)
		fclose(file);
	return n == count;
}

static bool read_part(struct raw *raw)
{
	ssize_t n;

	errno = 0;
	do {
		n = read(raw->fd, raw->part, RAW_PART);
	} while (n < 0 && errno == EINTR);
	raw->len = max(n, 0);
	return n > 0;
}

/* Is it the stream of such a map? */
static bool read_raw_header(const struct map *map, struct raw *raw)
{
	struct bpffs_raw_header header;
	u32 key_size = bpffs_layout_size(map->key);
	u32 value_size = bpffs_layout_size(map->value);

	if (!read_part(raw) || raw->len != sizeof(header))
		return false;
	memcpy(&header, raw->part, sizeof(header));
	if (memcmp(header.magic, BPFFS_RAW_MAGIC, sizeof(header.magic)) ||
	    header.version != BPFFS_RAW_VERSION || header.order != BPFFS_RAW_ORDER ||
	    header.key_size != key_size || header.value_size != value_size ||
	    !header.copies || header.copies > RAW_PART)
		return false;
	raw->stored.layout = map->value;
	raw->stored.copies = header.copies;
	raw->stored.stride = map->percpu ? (value_size + 7) & ~7U : value_size;
	if ((u64)raw->stored.copies * raw->stored.stride + key_size > RAW_ELEMENT)
		return false;
	if (!map->percpu)
		return header.copies == 1;
	raw->cpus = calloc(header.copies, sizeof(*raw->cpus));
	raw->sum = malloc(value_size);
	raw->stored.cpus = raw->cpus;
	return raw->cpus && raw->sum && read_cpus(raw->cpus, header.copies);
}

static bool open_raw(const struct map *map, struct raw *raw)
{
	memset(raw, 0, sizeof(*raw));
	raw->fd = openat(map->root, ".bpf/raw", O_RDONLY | O_CLOEXEC);
	if (raw->fd < 0)
		return false;
	raw->part = malloc(RAW_PART);
	raw->key = json_plan_new(map->key);
	raw->value = json_plan_new(map->value);
	return raw->part && raw->key && raw->value && read_raw_header(map, raw);
}

static void close_raw(struct raw *raw)
{
	if (raw->fd >= 0)
		close(raw->fd);
	free(raw->part);
	json_plan_free(raw->key);
	json_plan_free(raw->value);
	free(raw->cpus);
	free(raw->sum);
}

static int put_raw_element(const struct map *map, const struct raw *raw,
			   const char *key, const char *value, struct json_out *out)
{
	struct bpffs_shape sum = { .layout = map->value, .copies = 1 };

	if (!map->sum)
		return json_element(out, raw->key, raw->value, &raw->stored, key, value);
	bpffs_value_sum(&raw->stored, value, raw->sum);
	return json_element(out, raw->key, raw->value, &sum, key, raw->sum);
}

/* The part is a block. Return: 0, or -EINVAL: it is not. */
static int put_block(const struct map *map, struct raw *raw,
		     const struct bpffs_raw_block *block, struct json_out *out)
{
	size_t key_size = bpffs_layout_size(map->key);
	size_t value_size = (size_t)raw->stored.copies * raw->stored.stride;
	const char *key = raw->part + sizeof(*block), *value;
	u64 i;

	if (block->magic != BPFFS_RAW_BLOCK || block->count > block->capacity ||
	    block->capacity > RAW_PART || (raw->len - sizeof(*block)) / key_size <
	    block->capacity)
		return -EINVAL;
	value = key + ((block->capacity * key_size + 7) & ~7ULL);
	if (value > raw->part + raw->len ||
	    (raw->part + raw->len - value) / value_size < block->count)
		return -EINVAL;
	for (i = 0; i < block->count; i++, key += key_size, value += value_size)
		if (put_raw_element(map, raw, key, value, out))
			return -EINVAL;
	raw->count += block->count;
	return 0;
}

static enum status put_raw(const struct map *map, struct raw *raw, struct json_out *out)
{
	struct bpffs_raw_block block;
	enum status status = DONE;

	while (status == DONE) {
		if (!read_part(raw))
			return fail("%s/.bpf/raw: %s", map->dir,
				    errno ? strerror(errno) : "ends before its end");
		if (raw->len < sizeof(block))
			return fail("%s/.bpf/raw: damaged", map->dir);
		memcpy(&block, raw->part, sizeof(block));
		if (block.magic == BPFFS_RAW_END && block.count == raw->count)
			break;
		if (put_block(map, raw, &block, out))
			return fail("%s/.bpf/raw: damaged", map->dir);
		status = put_out(out);
	}
	return status;
}

static enum status put_map(struct map *map, struct json_out *out)
{
	enum status status;
	struct raw raw;

	see_percpu(map);
	/* Not everybody may read it, and it does not have every map. */
	if (open_raw(map, &raw))
		status = put_raw(map, &raw, out);
	else
		status = put_table(map, out);
	close_raw(&raw);
	return status;
}

/* @root: of the map, closed at the end */
static enum status put_root(const char *dir, int root, struct json_out *out)
{
	struct map map = { .dir = dir, .root = root };
	enum status status = FAILED;

	if (faccessat(root, ".bpf/key", F_OK, 0)) {
		close(root);
		return fail("%s: no keys and values are shown here", dir);
	}
	map.key = read_layout(&map, ".bpf/key", ".bpf/key_size", BPFFS_LAYOUT_KEY);
	if (map.key)
		map.value = read_layout(&map, ".bpf/value", ".bpf/value_size", 0);
	if (map.value)
		status = put_map(&map, out);
	bpffs_layout_free(map.key);
	bpffs_layout_free(map.value);
	close(root);
	return status;
}

/* --- json of a map of maps: all elements of all the maps inside --- */

static enum status put_slot(const struct map *outer, const char *name, struct json_out *out)
{
	int root = openat(outer->root, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum status status;
	char *dir;

	/* It may have gone meanwhile. */
	if (root < 0 && errno == ENOENT)
		return DONE;
	if (root < 0)
		return fail("%s/%s: %s", outer->dir, name, strerror(errno));
	if (asprintf(&dir, "%s/%s", outer->dir, name) < 0) {
		close(root);
		return fail("%s", strerror(ENOMEM));
	}
	if (json_slot(out, outer->key, name)) {
		close(root);
		status = fail("%s: not a name of the layout", dir);
	} else {
		status = put_root(dir, root, out);
	}
	free(dir);
	return status;
}

static enum status put_slots(const struct map *outer, struct json_out *out)
{
	int fd = openat(outer->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *slots = fd < 0 ? NULL : fdopendir(fd);
	enum status status = DONE;
	struct dirent *slot;

	if (!slots) {
		status = fail("%s: %s", outer->dir, strerror(errno));
		if (fd >= 0)
			close(fd);
		return status;
	}
	for (errno = 0; status == DONE && (slot = readdir(slots)); errno = 0)
		if (strcmp(slot->d_name, ".") && strcmp(slot->d_name, ".."))
			status = put_slot(outer, slot->d_name, out);
	if (status == DONE && errno)
		status = fail("%s: %s", outer->dir, strerror(errno));
	closedir(slots);
	return status;
}

static bool is_map_of_maps(int root)
{
	char *type = read_file(root, ".bpf/type");
	bool is = type && strstr(type, "_of_maps");

	free(type);
	return is;
}

static enum status put_outer(const char *dir, int root, struct json_out *out)
{
	struct map outer = { .dir = dir, .root = root };
	enum status status = FAILED;

	outer.key = read_layout(&outer, ".bpf/key", ".bpf/key_size", BPFFS_LAYOUT_KEY);
	if (outer.key)
		status = put_slots(&outer, out);
	bpffs_layout_free(outer.key);
	close(root);
	return status;
}

static enum status json(const char *dir)
{
	int root = open_mount(dir);
	enum status status;
	struct json_out *out;

	if (root < 0)
		return FAILED;
	out = calloc(1, sizeof(*out));
	if (!out) {
		close(root);
		return fail("%s", strerror(ENOMEM));
	}
	out->fd = STDOUT_FILENO;
	if (is_map_of_maps(root) && !faccessat(root, ".bpf/key", F_OK, 0))
		status = put_outer(dir, root, out);
	else
		status = put_root(dir, root, out);
	json_end(out);
	if (status == DONE)
		status = put_out(out);
	free(out);
	return status;
}

/* --- layout --- */

static bool put_layout(const char *name, const char *layout)
{
	if (layout)
		printf("%s=%s\n", name, layout);
	return layout;
}

static enum status layout(const char *source)
{
	int fd = libbpffs_source_open(source, true);
	struct libbpffs_layouts found;
	bool any;
	int err;

	if (fd < 0)
		return fail("%s", bpf_mount_error());
	if (libbpffs_kind_of(fd) != LIBBPFFS_MAP) {
		close(fd);
		return fail("%s: only a map has layouts", source);
	}
	err = libbpffs_map_layouts(fd, &found);
	close(fd);
	if (err)
		return fail("%s: %s", source, bpf_mount_error());
	any = put_layout("key", found.key);
	any |= put_layout("value", found.value);
	any |= put_layout("inner_key", found.inner_key);
	any |= put_layout("inner_value", found.inner_value);
	libbpffs_layouts_free(&found);
	return any ? DONE : fail("%s: a map of this type shows no elements", source);
}

/* --- check --- */

/* Of the mount: as the kernel describes the held descriptor. None: errno. */
static enum libbpffs_kind mounted_kind(int root)
{
	char *info = read_file(root, ".bpf/info");
	enum libbpffs_kind kind = LIBBPFFS_NO_OBJECT;

	/* A program or a link has it in the root. */
	if (!info && errno == ENOENT)
		info = read_file(root, "info");
	if (!info)
		return LIBBPFFS_NO_OBJECT;
	if (strstr(info, "map_type:"))
		kind = LIBBPFFS_MAP;
	else if (strstr(info, "link_type:"))
		kind = LIBBPFFS_LINK;
	else if (strstr(info, "prog_type:"))
		kind = LIBBPFFS_PROG;
	free(info);
	errno = EINVAL;
	return kind;
}

static unsigned int id_of(int fd)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
		struct bpf_link_info link;
	} info;
	__u32 len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	switch (libbpffs_kind_of(fd)) {
	case LIBBPFFS_MAP:
		return info.map.id;
	case LIBBPFFS_PROG:
		return info.prog.id;
	case LIBBPFFS_LINK:
		return info.link.id;
	default:
		return 0;
	}
}

static enum status compare(const char *dir, int root, unsigned int id, const char *source)
{
	int fd = libbpffs_source_open(source, true);
	enum status status = DONE;
	enum libbpffs_kind kind;
	char text[128];

	if (fd == -ENOENT) {
		printf("%s: is id %u, but %s\n", dir, id, bpf_mount_error());
		return DIFFERS;
	}
	if (fd < 0)
		return fail("%s: %s", dir, bpf_mount_error());
	if (libbpffs_describe(fd, text, sizeof(text)))
		status = fail("%s: %s", source, strerror(errno));
	kind = mounted_kind(root);
	if (status == DONE && kind == LIBBPFFS_NO_OBJECT)
		status = fail("%s: of what kind the object is: %s", dir, strerror(errno));
	else if (status == DONE && (libbpffs_kind_of(fd) != kind || id_of(fd) != id))
		status = DIFFERS;
	if (status != FAILED)
		printf("%s: is id %u, and %s is %s%s\n", dir, id, source,
		       status == DIFFERS ? "another object now: " : "", text);
	close(fd);
	return status;
}

static enum status check_mount(const char *dir, int root)
{
	struct libmnt_table *table;
	struct libmnt_fs *fs = find_mount(dir, true, &table);
	const char *source = fs ? mnt_fs_get_source(fs) : NULL;
	enum status status = FAILED;
	char *id;
	size_t size;

	if (!source || mnt_fs_get_option(fs, "id", &id, &size))
		fail("%s: not a mount point of type bpffs", dir);
	else
		status = compare(dir, root, strtoul(id, NULL, 10), source);
	mnt_unref_table(table);
	return status;
}

static enum status check(const char *dir)
{
	int root = open_mount(dir);
	enum status status;

	if (root < 0)
		return FAILED;
	status = check_mount(dir, root);
	close(root);
	return status;
}

/* --- The command line --- */

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum status (*run)(const char *argument);
	} commands[] = {
		{ "json", json },
		{ "layout", layout },
		{ "check", check },
	};
	size_t i;
	int ret;

	libbpf_set_print(NULL);
	for (i = 0; argc == 3 && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argv[2]);
	if (argc >= 2 && !strcmp(argv[1], "open")) {
		ret = open_command(argc - 2, argv + 2);
		if (ret >= 0)
			return ret;
	}
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		fputs(usage, stdout);
		return DONE;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		printf("bpffs %s\n", bpffs_version_string());
		return DONE;
	}
	fputs(usage, stderr);
	return FAILED;
}
