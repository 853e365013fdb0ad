// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* A mounted map: what its files say, without any right but to read them. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/bpffs.h>

#include "field.h"
#include "internal.h"
#include "mounted-map.h"
#include "progress.h"

/* --- Files of a mount --- */

int open_mount(const char *dir)
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

char *read_file(int root, const char *name)
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

unsigned long read_number(int root, const char *name)
{
	char *text = read_file(root, name);
	unsigned long number = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	return number;
}

enum status take_name(const char *dir, int root, char **name)
{
	*name = read_file(root, ".bpf/name");
	if (*name)
		return DONE;
	return errno == ENOENT ? fail("%s: no map is mounted here", dir) :
				 fail("%s/.bpf/name: %s", dir, strerror(errno));
}

enum status take_number(const char *dir, int root, const char *name, u64 *number)
{
	char *text = read_file(root, name);

	if (!text)
		return fail("%s/%s: %s", dir, name, strerror(errno));
	*number = strtoull(text, NULL, 10);
	free(text);
	return DONE;
}

enum status see_file(const char *dir, int root, const char *name, bool *there)
{
	*there = !faccessat(root, name, F_OK, 0);
	return *there || errno == ENOENT ? DONE : fail("%s/%s: %s", dir, name, strerror(errno));
}

enum status see_type(const char *dir, int root, const char *word, bool *has)
{
	char *type = read_file(root, ".bpf/type");

	*has = type && strstr(type, word);
	if (!type && errno != ENOENT)
		return fail("%s/.bpf/type: %s", dir, strerror(errno));
	free(type);
	return DONE;
}

enum libbpffs_kind mounted_kind(int root)
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

/* --- Its layouts --- */

enum status read_layout(const struct map *map, const char *name, const char *size_name,
			unsigned int flags, struct bpffs_layout **layout)
{
	char *text;
	u64 size;

	if (take_number(map->dir, map->root, size_name, &size))
		return FAILED;
	text = read_file(map->root, name);
	if (!text)
		return fail("%s/%s: %s", map->dir, name, strerror(errno));
	*layout = bpffs_layout_parse(text, size, flags);
	free(text);
	return *layout ? DONE : fail("%s/%s: %s", map->dir, name, bpf_mount_error());
}

/* "0-3,8" */
static enum status read_cpus(struct map *map)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	u32 first, last;
	u32 *more;

	while (file && fscanf(file, "%u", &first) == 1) {
		if (fscanf(file, "-%u", &last) != 1)
			last = first;
		for (; first <= last; first++) {
			more = realloc(map->cpus, (map->cpu_count + 1) * sizeof(*more));
			if (!more) {
				fclose(file);
				return fail("%s", strerror(ENOMEM));
			}
			map->cpus = more;
			map->cpus[map->cpu_count++] = first;
		}
		if (fgetc(file) != ',')
			break;
	}
	if (file)
		fclose(file);
	return map->cpu_count ? DONE : fail("/sys/devices/system/cpu/possible: no CPUs");
}

/* Does the text of a value begin with a CPU? */
static bool begins_with_cpu(const struct map *map, const char *text)
{
	struct bpffs_found_room room;
	const struct bpffs_found *first;
	char *end;

	if (strncmp(text, "cpu", 3))
		return false;
	strtoul(text + 3, &end, 10);
	first = bpffs_find_leaf(map->value, 0, &room);
	/* A field can be called cpu0, too. */
	if (end == text + 3)
		return false;
	return *end == '.' || (*end == '=' && !first->path_len);
}

/*
 * Are its values added up? The options of a mount are not everywhere those of bpffs;
 * an element tells.
 */
static enum status see_sum(struct map *map)
{
	enum status status = DONE;
	int fd = openat(map->root, ".bpf/table", O_RDONLY | O_CLOEXEC);
	size_t room = 65536 + 64;	/* the longest name, and "cpuN." */
	char *text = calloc(1, room), *blank;
	size_t len = 0;
	ssize_t n = text && fd >= 0 ? 1 : -1;

	while (n > 0 && len < room - 1 && !memchr(text, '\n', len)) {
		n = read(fd, text + len, room - 1 - len);
		len += n > 0 ? n : 0;
	}
	if (n < 0)
		status = fail("%s/.bpf/table: %s", map->dir, strerror(errno));
	blank = text ? strchr(text, ' ') : NULL;
	map->sum = blank && !begins_with_cpu(map, blank + 1);
	free(text);
	if (fd >= 0)
		close(fd);
	return status;
}

static enum status see_shape(struct map *map)
{
	u32 size = bpffs_layout_size(map->value);

	if (see_type(map->dir, map->root, "percpu", &map->percpu))
		return FAILED;
	map->shape.layout = map->value;
	map->shape.copies = 1;
	map->shape.stride = size;
	map->shape.separator = ' ';
	if (!map->percpu)
		return DONE;
	if (read_cpus(map) || see_sum(map))
		return FAILED;
	if (map->sum)
		return DONE;
	map->shape.copies = map->cpu_count;
	map->shape.stride = (size + 7) & ~7U;
	map->shape.cpus = map->cpus;
	return DONE;
}

enum status open_map(struct map *map, const char *dir, int root)
{
	enum status status;
	bool of_maps;

	memset(map, 0, sizeof(*map));
	map->dir = dir;
	map->root = root;
	/* A bloom filter has a layout of keys, and no table, as it lists none. */
	if (faccessat(root, ".bpf/table", F_OK, 0))
		return errno == ENOENT ? fail("%s: no keys and values are shown here", dir) :
					 fail("%s: %s", dir, strerror(errno));
	status = see_type(dir, root, "_of_maps", &of_maps);
	if (status)
		return status;
	if (of_maps)
		return fail("%s: a map of maps: name one of the maps inside, %s/KEY", dir, dir);
	status = read_layout(map, ".bpf/key", ".bpf/key_size", BPFFS_LAYOUT_KEY, &map->key);
	if (!status)
		status = read_layout(map, ".bpf/value", ".bpf/value_size", 0, &map->value);
	return status ?: see_shape(map);
}

void close_map(struct map *map)
{
	bpffs_layout_free(map->key);
	bpffs_layout_free(map->value);
	free(map->cpus);
	if (map->root >= 0)
		close(map->root);
}

/* --- Elements by .bpf/raw, without a text to make and to read --- */

/* What is asked for at once: by the module, so large are blocks at most. */
#define RAW_PART	(1 << 20)
/* One bucket of a hash must fit in a block, and of these values it may not. */
#define RAW_ELEMENT	(RAW_PART / 64)
/* No block is larger, whoever makes it. */
#define RAW_BLOCK	(64 << 20)

/**
 * struct raw - an open .bpf/raw
 * @fd: of it
 * @buf: what was read
 * @size: of @buf
 * @len: of what was read
 * @at: what of it was taken
 * @stored: a value as a block has it
 * @sum: room for the copies added up
 * @count: elements so far
 */
struct raw {
	int fd;
	char *buf;
	size_t size;
	size_t len;
	size_t at;
	struct bpffs_shape stored;
	void *sum;
	u64 count;
};

/* The next @n bytes, which stay until more is taken. NULL: errno, or 0 at the end. */
static const char *take_raw(struct raw *raw, size_t n)
{
	ssize_t more;

	if (raw->len - raw->at < n && raw->at) {
		memmove(raw->buf, raw->buf + raw->at, raw->len - raw->at);
		raw->len -= raw->at;
		raw->at = 0;
	}
	if (raw->size < n + RAW_PART) {
		char *buf = realloc(raw->buf, n + RAW_PART);

		if (!buf)
			return NULL;
		raw->buf = buf;
		raw->size = n + RAW_PART;
	}
	while (raw->len - raw->at < n) {
		errno = 0;
		more = read(raw->fd, raw->buf + raw->len, raw->size - raw->len);
		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			return NULL;
		raw->len += more;
	}
	raw->at += n;
	return raw->buf + raw->at - n;
}

/* Is it the stream of such a map? */
static bool read_raw_header(const struct map *map, struct raw *raw)
{
	struct bpffs_raw_header header;
	const char *bytes = take_raw(raw, sizeof(header));
	u32 key_size = bpffs_layout_size(map->key);
	u32 value_size = bpffs_layout_size(map->value);

	if (!bytes)
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (memcmp(header.magic, BPFFS_RAW_MAGIC, sizeof(header.magic)) ||
	    header.version != BPFFS_RAW_VERSION || header.order != BPFFS_RAW_ORDER ||
	    header.key_size != key_size || header.value_size != value_size ||
	    header.copies != (map->percpu ? map->cpu_count : 1))
		return false;
	raw->stored.layout = map->value;
	raw->stored.copies = header.copies;
	raw->stored.stride = map->percpu ? (value_size + 7) & ~7U : value_size;
	raw->stored.cpus = map->cpus;
	if ((u64)raw->stored.copies * raw->stored.stride + key_size > RAW_ELEMENT)
		return false;
	raw->sum = malloc(value_size);
	return raw->sum;
}

static bool open_raw(const struct map *map, struct raw *raw)
{
	memset(raw, 0, sizeof(*raw));
	raw->fd = openat(map->root, ".bpf/raw", O_RDONLY | O_CLOEXEC);
	if (raw->fd < 0)
		return false;
	return read_raw_header(map, raw);
}

static void close_raw(struct raw *raw)
{
	if (raw->fd >= 0)
		close(raw->fd);
	free(raw->buf);
	free(raw->sum);
}

static enum status raw_element(const struct map *map, const struct raw *raw, const char *key,
			       const char *value, element_action action, void *context)
{
	progress_add(1);
	if (!map->sum)
		return action(context, key, value);
	bpffs_value_sum(&raw->stored, value, raw->sum);
	return action(context, key, raw->sum);
}

static enum status raw_block(const struct map *map, struct raw *raw,
			     const struct bpffs_raw_block *block, element_action action,
			     void *context)
{
	size_t key_size = bpffs_layout_size(map->key);
	size_t value_size = (size_t)raw->stored.copies * raw->stored.stride;
	u64 keys = (block->capacity * (u64)key_size + 7) & ~7ULL;
	u64 values = (block->count * value_size + 7) & ~7ULL;
	enum status status = DONE;
	const char *key, *value;
	u64 i;

	if (block->magic != BPFFS_RAW_BLOCK || block->count > block->capacity ||
	    keys + values > RAW_BLOCK)
		return fail("%s/.bpf/raw: damaged", map->dir);
	key = take_raw(raw, keys + values);
	if (!key)
		return fail("%s/.bpf/raw: %s", map->dir,
			    errno ? strerror(errno) : "ends before its end");
	value = key + keys;
	for (i = 0; i < block->count && !status; i++, key += key_size, value += value_size)
		status = raw_element(map, raw, key, value, action, context);
	raw->count += block->count;
	return status;
}

static enum status raw_elements(const struct map *map, struct raw *raw,
				element_action action, void *context)
{
	struct bpffs_raw_block block;
	enum status status = DONE;
	const char *bytes;

	while (!status) {
		bytes = take_raw(raw, sizeof(block));
		if (!bytes)
			return fail("%s/.bpf/raw: %s", map->dir,
				    errno ? strerror(errno) : "ends before its end");
		memcpy(&block, bytes, sizeof(block));
		if (block.magic == BPFFS_RAW_END && block.count == raw->count)
			break;
		status = raw_block(map, raw, &block, action, context);
	}
	return status;
}

/* --- By .bpf/table --- */

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
static enum status take_lines(struct lines *lines, line_action action, void *context)
{
	const char *line = lines->buf, *end = line + lines->len, *newline;
	enum status status = DONE;

	for (; !status && (newline = memchr(line, '\n', end - line)); line = newline + 1) {
		progress_add(1);
		status = action(context, line, newline - line);
	}
	lines->len = end - line;
	memmove(lines->buf, line, lines->len);
	return status;
}

static enum status table_lines(const struct map *map, int table, line_action action,
			       void *context)
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
		status = take_lines(&lines, action, context);
	} while (n && !status);
	if (!status && lines.len)
		status = fail("%s/.bpf/table: ends in the middle of a line", map->dir);
	free(lines.buf);
	return status;
}

/* A line becomes bytes. */
struct parsed {
	const struct map *map;
	struct bpffs_parser *parser;
	char *key;
	element_action action;
	void *context;
};

static enum status parse_line(void *context, const char *line, size_t len)
{
	struct parsed *parsed = context;
	const struct map *map = parsed->map;
	const char *blank = memchr(line, ' ', len);
	size_t name_len = blank ? (size_t)(blank - line) : len;
	struct bpffs_reason why;
	int err;

	bpffs_parse_begin(parsed->parser);
	err = bpffs_name_decode(map->key, line, name_len, parsed->key, &why);
	if (!err && blank)
		err = bpffs_parse_piece(parsed->parser, blank + 1, len - name_len - 1, &why);
	if (!err)
		err = bpffs_parse_piece(parsed->parser, "\n", 1, &why);
	if (err == -EINVAL)
		return fail("%s/.bpf/table: a line is not of the layouts: %s", map->dir,
			    why.text);
	if (err)
		return fail("%s/.bpf/table: %s", map->dir, strerror(-err));
	return parsed->action(parsed->context, parsed->key, bpffs_parse_value(parsed->parser));
}

static enum status parsed_lines(const struct map *map, int table, element_action action,
				void *context)
{
	struct parsed parsed = {
		.map = map,
		.parser = bpffs_parser_new(&map->shape),
		.key = malloc(bpffs_layout_size(map->key)),
		.action = action,
		.context = context,
	};
	enum status status;

	if (!parsed.parser || !parsed.key)
		status = fail("%s", strerror(ENOMEM));
	else
		status = table_lines(map, table, parse_line, &parsed);
	bpffs_parser_free(parsed.parser);
	free(parsed.key);
	return status;
}

static enum status table_elements(const struct map *map, element_action action,
				  line_action line, void *context)
{
	int table = openat(map->root, ".bpf/table", O_RDONLY | O_CLOEXEC);
	enum status status;

	if (table < 0)
		return fail("%s/.bpf/table: %s", map->dir, strerror(errno));
	if (line)
		status = table_lines(map, table, line, context);
	else
		status = parsed_lines(map, table, action, context);
	close(table);
	return status;
}

enum status each_element(struct map *map, element_action action, line_action line,
			 void *context)
{
	enum status status;
	struct raw raw;

	/* Not everybody may read it, and it does not have every map. */
	if (open_raw(map, &raw))
		status = raw_elements(map, &raw, action, context);
	else
		status = table_elements(map, action, line, context);
	close_raw(&raw);
	return status;
}

/* --- A map of maps --- */

static enum status take_slot(const char *dir, int outer, const char *name,
			     slot_action action, void *context)
{
	int root = openat(outer, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum status status;
	char *path;

	/* It may have gone meanwhile. */
	if (root < 0 && errno == ENOENT)
		return DONE;
	if (root < 0)
		return fail("%s/%s: %s", dir, name, strerror(errno));
	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		close(root);
		return fail("%s", strerror(ENOMEM));
	}
	status = action(context, name, path, root);
	free(path);
	return status;
}

enum status each_slot(const char *dir, int root, slot_action action, void *context)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *slots = fd < 0 ? NULL : fdopendir(fd);
	enum status status = DONE;
	struct dirent *slot;

	if (!slots) {
		status = fail("%s: %s", dir, strerror(errno));
		if (fd >= 0)
			close(fd);
		return status;
	}
	for (errno = 0; !status && (slot = readdir(slots)); errno = 0)
		if (strcmp(slot->d_name, ".") && strcmp(slot->d_name, ".."))
			status = take_slot(dir, root, slot->d_name, action, context);
	if (!status && errno)
		status = fail("%s: %s", dir, strerror(errno));
	closedir(slots);
	return status;
}
