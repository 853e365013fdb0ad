// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * bpffs list: the maps, programs and links that there are, and what holds them. The kernel
 * tells all of them to who may ask it; others see what is mounted where they are.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libmount.h>
#include <libsmartcols.h>

#include "internal.h"
#include "json.h"
#include "mounted-map.h"
#include "objects.h"

/* What serves a mount without the module. */
#define FUSE_PROCESS	"bpffs-fuse"

/* --- The columns --- */

enum column {
	COL_KIND,
	COL_ID,
	COL_TYPE,
	COL_NAME,
	COL_SIZE,
	COL_USED,
	COL_FILL,
	COL_MEMORY,
	COL_MOUNTED,
	COL_PINNED,
	COL_PROCESSES,
	COL_PROGRAMS,
	COLUMNS,
};

/* A list has a line each. */
static const struct {
	const char *name;
	int flags;
	int json;
	bool list;
} column_info[COLUMNS] = {
	[COL_KIND] = { "KIND", 0, SCOLS_JSON_STRING, false },
	[COL_ID] = { "ID", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER, false },
	[COL_TYPE] = { "TYPE", 0, SCOLS_JSON_STRING, false },
	[COL_NAME] = { "NAME", 0, SCOLS_JSON_STRING, false },
	[COL_SIZE] = { "SIZE", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER, false },
	[COL_USED] = { "USED", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER, false },
	[COL_FILL] = { "FILL", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER, false },
	[COL_MEMORY] = { "MEMORY", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER, false },
	[COL_MOUNTED] = { "MOUNTED", SCOLS_FL_WRAP, SCOLS_JSON_ARRAY_STRING, true },
	[COL_PINNED] = { "PINNED", SCOLS_FL_WRAP, SCOLS_JSON_ARRAY_STRING, true },
	[COL_PROCESSES] = { "PROCESSES", SCOLS_FL_WRAP, SCOLS_JSON_ARRAY_STRING, true },
	[COL_PROGRAMS] = { "PROGRAMS", SCOLS_FL_WRAP, SCOLS_JSON_ARRAY_STRING, true },
};

/* --- The objects --- */

/**
 * struct object - a map, a program or a link
 * @kind: which of them
 * @id: of its kind
 * @text: of each column; NULL: there is nothing
 */
struct object {
	enum libbpffs_kind kind;
	u32 id;
	char *text[COLUMNS];
};

/**
 * struct list - what is printed
 * @object: by kind and id
 * @count: of @object
 * @chosen: columns
 * @columns: how many
 * @json: as it is
 * @bytes: no shorter numbers of memory
 * @raw: no columns of one width
 * @noheadings: nor their names
 * @err: the first thing that could not be seen, a positive errno
 */
struct list {
	struct object *object;
	size_t count;
	enum column chosen[COLUMNS];
	size_t columns;
	bool json;
	bool bytes;
	bool raw;
	bool noheadings;
	int err;
};

static void cannot_see(struct list *list, int err)
{
	if (!list->err)
		list->err = err;
}

/*
 * What went, or is not for who asks, is no part of the list: in /proc, in a mount, or a mount
 * whose server is gone.
 */
static void cannot_look(struct list *list, int err)
{
	if (err != ENOENT && err != ESRCH && err != EACCES && err != EPERM &&
	    err != ENOTCONN && err != ECONNABORTED)
		cannot_see(list, err);
}

static bool is_chosen(const struct list *list, enum column number)
{
	size_t i;

	for (i = 0; i < list->columns; i++)
		if (list->chosen[i] == number)
			return true;
	return false;
}

static struct object *find_object(struct list *list, enum libbpffs_kind kind, u32 id)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->object[i].kind == kind && list->object[i].id == id)
			return &list->object[i];
	return NULL;
}

static struct object *add_object(struct list *list, enum libbpffs_kind kind, u32 id)
{
	struct object *more = reallocarray(list->object, list->count + 1, sizeof(*more));

	if (!more) {
		cannot_see(list, ENOMEM);
		return NULL;
	}
	list->object = more;
	more += list->count++;
	memset(more, 0, sizeof(*more));
	more->kind = kind;
	more->id = id;
	return more;
}

/* The text of a column; @fmt: or NULL, if there is none. */
__attribute__((format(printf, 4, 5)))
static void set_text(struct list *list, struct object *object, enum column number,
		     const char *fmt, ...)
{
	va_list args;

	free(object->text[number]);
	va_start(args, fmt);
	if (vasprintf(&object->text[number], fmt, args) < 0) {
		object->text[number] = NULL;
		cannot_see(list, ENOMEM);
	}
	va_end(args);
}

/* One more line, unless it is there. What nobody else would print as one is changed. */
__attribute__((format(printf, 4, 5)))
static void add_line(struct list *list, struct object *object, enum column number,
		     const char *fmt, ...)
{
	char *old = object->text[number], *line, *more, *at;
	va_list args;
	size_t len;
	bool bytes;

	va_start(args, fmt);
	if (vasprintf(&line, fmt, args) < 0)
		line = NULL;
	va_end(args);
	if (!line) {
		cannot_see(list, ENOMEM);
		return;
	}
	len = strlen(line);
	/* The kernel cuts the name of a process within a character. */
	bytes = list->json && !json_is_utf8(line, len);
	for (at = line; *at; at++)
		if (*at == '\n' || (bytes && *at & 0x80))
			*at = '?';
	for (at = old; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strcspn(at, "\n") == len && !memcmp(at, line, len))
			goto out;
	if (asprintf(&more, "%s%s%s", old ?: "", old ? "\n" : "", line) < 0) {
		cannot_see(list, ENOMEM);
		goto out;
	}
	free(old);
	object->text[number] = more;
out:
	free(line);
}

static void set_memory(struct list *list, struct object *object, u64 bytes)
{
	static const char units[] = "BKMGTPE";
	const char *unit = units;
	double size = bytes;

	if (list->json || list->bytes) {
		set_text(list, object, COL_MEMORY, "%llu", bytes);
		return;
	}
	for (; size >= 1000 && unit[1]; unit++)
		size /= 1024;
	set_text(list, object, COL_MEMORY, size < 10 && unit != units ? "%.1f%c" : "%.0f%c",
		 size, *unit);
}

static void set_fill(struct list *list, struct object *object, u64 used, u64 size)
{
	set_text(list, object, COL_USED, "%llu", used);
	if (size)
		set_text(list, object, COL_FILL, list->json ? "%llu" : "%llu%%",
			 used * 100 / size);
}

/* --- All of them, from the kernel --- */

/* Is the number of its elements worth a question? Not of an array, which has all. */
static bool can_be_full(u32 type)
{
	switch (type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_SOCKHASH:
		return true;
	}
	return false;
}

/* By its keys, as the kernel keeps no number of them. */
static void count_keys(struct list *list, struct object *object, int fd,
		       const struct bpf_map_info *info)
{
	char *key = calloc(2, info->key_size);
	char *next = key ? key + info->key_size : NULL;
	u64 count = 0;
	int err;

	if (!key) {
		cannot_see(list, ENOMEM);
		return;
	}
	for (err = bpf_map_get_next_key(fd, NULL, next); !err;
	     err = bpf_map_get_next_key(fd, key, next)) {
		memcpy(key, next, info->key_size);
		/* While keys are deleted, it begins again and again. */
		if (++count > info->max_entries)
			break;
	}
	if (err && errno == ENOENT)
		set_fill(list, object, count, info->max_entries);
	else if (err)
		cannot_see(list, errno);
	free(key);
}

static void set_name(struct list *list, struct object *object, int fd)
{
	int err = name_of(fd, &object->text[COL_NAME]);

	if (err)
		cannot_see(list, -err);
}

static void set_type(struct list *list, struct object *object, const char *name, u32 type)
{
	if (name)
		set_text(list, object, COL_TYPE, "%s", name);
	else
		set_text(list, object, COL_TYPE, "%u", type);
}

/* What the kernel counts for an open object, which bpf(2) does not tell of programs. */
static u64 memlock_of(struct list *list, int fd)
{
	char path[32], line[128];
	unsigned long long bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	else
		cannot_see(list, errno);
	return bytes;
}

static void see_map(struct list *list, struct object *object, int fd)
{
	struct bpf_map_info info = {};
	u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len)) {
		cannot_see(list, errno);
		return;
	}
	set_type(list, object, libbpf_bpf_map_type_str(info.type), info.type);
	set_name(list, object, fd);
	set_text(list, object, COL_SIZE, "%u", info.max_entries);
	set_memory(list, object, memlock_of(list, fd));
	if (can_be_full(info.type) && (is_chosen(list, COL_USED) || is_chosen(list, COL_FILL)))
		count_keys(list, object, fd, &info);
}

static void see_prog(struct list *list, struct object *object, int fd)
{
	struct bpf_prog_info info = {};
	u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len)) {
		cannot_see(list, errno);
		return;
	}
	set_type(list, object, libbpf_bpf_prog_type_str(info.type), info.type);
	set_name(list, object, fd);
	set_memory(list, object, memlock_of(list, fd));
}

/* False: there is none to be had. */
static bool link_info(struct list *list, int fd, struct bpf_link_info *info)
{
	u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (!bpf_obj_get_info_by_fd(fd, info, &len))
		return true;
	/* Of some links of perf events, the kernel tells nothing. */
	if (errno != EOPNOTSUPP)
		cannot_see(list, errno);
	return false;
}

static void see_link(struct list *list, struct object *object, int fd)
{
	struct bpf_link_info info;

	if (link_info(list, fd, &info))
		set_type(list, object, libbpf_bpf_link_type_str(info.type), info.type);
}

static const struct {
	const char *name;
	int (*next)(u32 id, u32 *next);
	int (*open)(u32 id);
	void (*see)(struct list *list, struct object *object, int fd);
} kinds[] = {
	[LIBBPFFS_MAP] = { "map", bpf_map_get_next_id, bpf_map_get_fd_by_id, see_map },
	[LIBBPFFS_PROG] = { "prog", bpf_prog_get_next_id, bpf_prog_get_fd_by_id, see_prog },
	[LIBBPFFS_LINK] = { "link", bpf_link_get_next_id, bpf_link_get_fd_by_id, see_link },
};

static int see_kind(struct list *list, enum libbpffs_kind kind)
{
	struct object *object;
	u32 id = 0;
	int fd;

	while (!kinds[kind].next(id, &id)) {
		fd = kinds[kind].open(id);
		/* It may have gone meanwhile. */
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		object = add_object(list, kind, id);
		if (object)
			kinds[kind].see(list, object, fd);
		close(fd);
	}
	return errno == ENOENT ? 0 : -errno;
}

/* --- Which programs use them --- */

/* Is it one of bpffs-fuse, which is no use of the map but that it is mounted? */
static bool is_servers(const struct object *prog)
{
	const char *at = prog->text[COL_PROCESSES];

	for (; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, FUSE_PROCESS "[", strlen(FUSE_PROCESS "[")))
			return false;
	return at;
}

static void add_program(struct list *list, enum libbpffs_kind kind, u32 id,
			const struct object *prog)
{
	struct object *object = find_object(list, kind, id);

	if (object && prog && !is_servers(prog))
		add_line(list, object, COL_PROGRAMS, "%s[%u]", prog->text[COL_NAME] ?: "",
			 prog->id);
}

static void see_maps_of(struct list *list, const struct object *prog, int fd)
{
	u32 *ids;
	int count = maps_of(fd, &ids), i;

	if (count < 0)
		cannot_see(list, -count);
	for (i = 0; i < count; i++)
		add_program(list, LIBBPFFS_MAP, ids[i], prog);
	free(ids);
}

static void see_programs(struct list *list)
{
	struct bpf_link_info info;
	size_t i;
	int fd;

	for (i = 0; i < list->count; i++) {
		const struct object *object = &list->object[i];

		if (object->kind == LIBBPFFS_MAP)
			continue;
		fd = kinds[object->kind].open(object->id);
		if (fd < 0) {
			if (errno != ENOENT)
				cannot_see(list, errno);
			continue;
		}
		if (object->kind == LIBBPFFS_PROG)
			see_maps_of(list, object, fd);
		else if (link_info(list, fd, &info))
			add_program(list, LIBBPFFS_LINK, object->id,
				    find_object(list, LIBBPFFS_PROG, info.prog_id));
		close(fd);
	}
}

/* --- Where they are pinned --- */

static void see_pin(struct list *list, const char *path)
{
	int fd = bpf_obj_get(path);
	enum libbpffs_kind kind;
	struct object *object;
	u32 id;

	/* Not all that is there is an object. */
	if (fd < 0) {
		if (errno != EACCES && errno != ENOENT)
			cannot_see(list, errno);
		return;
	}
	kind = libbpffs_kind_of(fd);
	id = kind == LIBBPFFS_NO_OBJECT ? 0 : libbpffs_id_of(fd);
	if (kind != LIBBPFFS_NO_OBJECT && !id)
		cannot_see(list, errno);
	object = id ? find_object(list, kind, id) : NULL;
	if (object)
		add_line(list, object, COL_PINNED, "%s", path);
	close(fd);
}

/* Not in what is mounted there. By readdir(3): without memory, fts_open(3) crashes. */
static void see_pins(struct list *list, const char *path, dev_t dev)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat st;
	char *name;

	if (!dir) {
		cannot_look(list, errno);
		return;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (asprintf(&name, "%s/%s", path, entry->d_name) < 0) {
			cannot_see(list, ENOMEM);
			continue;
		}
		if (lstat(name, &st))
			cannot_look(list, errno);
		else if (S_ISDIR(st.st_mode) && st.st_dev == dev)
			see_pins(list, name, dev);
		else if (S_ISREG(st.st_mode))
			see_pin(list, name);
		free(name);
	}
	if (errno)
		cannot_look(list, errno);
	closedir(dir);
}

/* --- Where they are mounted --- */

static char *look(struct list *list, int root, const char *name)
{
	char *text = read_file(root, name);

	if (!text)
		cannot_look(list, errno);
	return text;
}

static u64 look_number(struct list *list, int root, const char *name)
{
	char *text = look(list, root, name);
	u64 number = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return number;
}

/* What its files say, for who may not ask the kernel. */
static void see_files(struct list *list, struct object *object, int root)
{
	bool is_map = object->kind == LIBBPFFS_MAP;
	char *type = look(list, root, is_map ? ".bpf/type" : "type");
	char *name = look(list, root, is_map ? ".bpf/name" : "name");
	char *count = is_map ? look(list, root, ".bpf/count") : NULL;
	u64 size = look_number(list, root, ".bpf/max_entries");

	if (type)
		set_type(list, object, type, 0);
	if (name && *name)
		set_text(list, object, COL_NAME, "%s", name);
	if (is_map)
		set_text(list, object, COL_SIZE, "%llu", size);
	if (object->kind != LIBBPFFS_LINK)
		set_memory(list, object,
			   look_number(list, root, is_map ? ".bpf/memlock" : "memlock"));
	if (count && type && !strstr(type, "array"))
		set_fill(list, object, strtoull(count, NULL, 10), size);
	free(type);
	free(name);
	free(count);
}

/* Not of another mount above it; whoever serves it is not asked. */
static int open_root(struct libmnt_fs *fs)
{
	int root = open(mnt_fs_get_target(fs), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statx stx;

	if (root < 0)
		return -1;
	if (!statx(root, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) &&
	    (int)stx.stx_mnt_id == mnt_fs_get_id(fs))
		return root;
	close(root);
	return -1;
}

static void see_mount(struct list *list, struct libmnt_fs *fs, bool all)
{
	int root = open_root(fs);
	enum libbpffs_kind kind;
	struct object *object;
	u32 id;

	/* Not ours to see. */
	if (root < 0)
		return;
	kind = mounted_kind(root);
	if (kind == LIBBPFFS_NO_OBJECT) {
		cannot_look(list, errno);
	} else {
		id = look_number(list, root, kind == LIBBPFFS_MAP ? ".bpf/id" : "id");
		object = find_object(list, kind, id);
		if (!object && !all) {
			object = add_object(list, kind, id);
			if (object)
				see_files(list, object, root);
		}
		if (object)
			add_line(list, object, COL_MOUNTED, "%s", mnt_fs_get_target(fs));
	}
	close(root);
}

/* A line that cannot be read is passed over, but not for lack of memory. */
static int bad_line(struct libmnt_table *table, const char *file, int line)
{
	(void)table;
	(void)file;
	(void)line;
	return errno == ENOMEM ? -ENOMEM : 1;
}

static struct libmnt_table *read_mounts(void)
{
	struct libmnt_table *table = mnt_new_table();

	if (!table)
		return NULL;
	mnt_table_set_parser_errcb(table, bad_line);
	errno = 0;
	if (!mnt_table_parse_file(table, "/proc/self/mountinfo") && errno != ENOMEM)
		return table;
	mnt_unref_table(table);
	return NULL;
}

static enum status see_mounts(struct list *list, bool all)
{
	struct libmnt_table *table = read_mounts();
	struct libmnt_iter *iter = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	enum status status = DONE;
	dev_t last = 0;

	if (!table || !iter)
		status = fail("/proc/self/mountinfo: %s", strerror(errno ?: ENOMEM));
	while (!status && !mnt_table_next_fs(table, iter, &fs)) {
		if (mnt_fs_match_fstype(fs, FS_TYPE "," FUSE_TYPE)) {
			see_mount(list, fs, all);
		} else if (all && mnt_fs_match_fstype(fs, "bpf") &&
			   /* Not the same again, by a bind mount. */
			   mnt_fs_get_devno(fs) != last) {
			see_pins(list, mnt_fs_get_target(fs), mnt_fs_get_devno(fs));
			last = mnt_fs_get_devno(fs);
		}
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return status;
}

/* --- Which processes have them open --- */

/* A process that is looked at. */
struct process {
	struct list *list;
	const char *pid;
	const char *name;
};

static void add_process(void *context, enum libbpffs_kind kind, u32 id)
{
	const struct process *process = context;
	struct object *object = find_object(process->list, kind, id);

	if (object)
		add_line(process->list, object, COL_PROCESSES, "%s[%s]", process->name,
			 process->pid);
}

/* One that may not be looked into, or has ended meanwhile, is passed over. */
static void see_process(struct list *list, int proc, const char *pid)
{
	char path[64], *name;

	snprintf(path, sizeof(path), "%.20s/comm", pid);
	name = look(list, proc, path);
	if (name)
		cannot_look(list, -each_open_object(proc, pid, add_process,
						    &(struct process){ list, pid, name }));
	free(name);
}

static void see_processes(struct list *list)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		cannot_see(list, errno);
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    strtol(entry->d_name, NULL, 10) != getpid())
			see_process(list, dirfd(proc), entry->d_name);
	if (proc)
		closedir(proc);
}

/* --- Output --- */

static int add_column(const struct list *list, struct libscols_table *table, enum column number)
{
	struct libscols_column *column;
	int err = 0;

	column = scols_table_new_column(table, column_info[number].name, 0,
					list->raw ? 0 : column_info[number].flags);
	if (!column)
		return -ENOMEM;
	if (list->json)
		err = scols_column_set_json_type(column, column_info[number].json);
	if (!err && column_info[number].list && !list->raw)
		err = scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
						scols_wrapnl_nextchunk, NULL);
	if (!err && column_info[number].list && !list->raw)
		err = scols_column_set_safechars(column, "\n");
	return err;
}

/* In one word, as each column has in raw output. */
static char *text_of(const struct list *list, const struct object *object, enum column number)
{
	char *text = object->text[number] ? strdup(object->text[number]) : NULL, *at;

	for (at = text; list->raw && at && (at = strchr(at, '\n'));)
		*at = ',';
	return text;
}

static int add_line_of(const struct list *list, struct libscols_table *table,
		       const struct object *object)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	int err = line ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < list->columns && !err; i++) {
		char *text = text_of(list, object, list->chosen[i]);

		if (!text && object->text[list->chosen[i]])
			err = -ENOMEM;
		else if (text)
			err = scols_line_refer_data(line, i, text);
	}
	return err;
}

static enum status print(const struct list *list)
{
	struct libscols_table *table = scols_new_table();
	int err = table ? 0 : -ENOMEM;
	size_t i;

	if (!err && list->json)
		err = scols_table_set_name(table, "objects") ?:
		      scols_table_enable_json(table, 1);
	if (!err && list->raw)
		err = scols_table_enable_raw(table, 1);
	if (!err && list->noheadings)
		err = scols_table_enable_noheadings(table, 1);
	for (i = 0; i < list->columns && !err; i++)
		err = add_column(list, table, list->chosen[i]);
	for (i = 0; i < list->count && !err; i++)
		err = add_line_of(list, table, &list->object[i]);
	errno = 0;
	if (!err)
		err = scols_print_table(table);
	/* It leaves out what it has no memory for, of which only malloc(3) tells. */
	if (!err && errno == ENOMEM)
		err = -ENOMEM;
	scols_unref_table(table);
	if (err || list->err)
		return fail("list: %s", strerror(list->err ?: err < 0 ? -err : ENOMEM));
	return end_output();
}

/* --- The command --- */

static enum status choose(struct list *list, const char *text)
{
	size_t len, i;

	list->columns = 0;
	do {
		len = strcspn(text, ",");
		for (i = 0; i < COLUMNS; i++)
			if (strlen(column_info[i].name) == len &&
			    !strncasecmp(column_info[i].name, text, len))
				break;
		if (i == COLUMNS)
			return fail("list: \"%.*s\" is no column: kind, id, type, name, size, used, fill, memory, mounted, pinned, processes, programs",
				    (int)len, text);
		if (is_chosen(list, i))
			return fail("list: the column %.*s comes twice", (int)len, text);
		list->chosen[list->columns++] = i;
		text += len;
	} while (*text++);
	return DONE;
}

static enum status read_options(struct list *list, int argc, char **argv)
{
	static const struct option options[] = {
		{ "bytes", no_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'J' },
		{ "noheadings", no_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ "raw", no_argument, NULL, 'r' },
		{}
	};
	enum status status = choose(list, "kind,id,type,name,size,fill,memory,mounted,pinned,processes,programs");
	int option;

	while (!status && (option = next_option(argc, argv, ":bJno:r", options)) != -1) {
		switch (option) {
		case '?':
			return FAILED;
		case 'b':
			list->bytes = true;
			break;
		case 'J':
			list->json = true;
			break;
		case 'n':
			list->noheadings = true;
			break;
		case 'o':
			status = choose(list, optarg);
			break;
		case 'r':
			list->raw = true;
			break;
		}
	}
	if (!status && optind < argc)
		return fail("list: \"%s\" is an argument, and there are none (see bpffs --help)",
			    argv[optind]);
	if (!status && list->json && list->raw)
		return fail("list: --json and --raw are two forms");
	return status;
}

static enum status see_all(struct list *list)
{
	enum libbpffs_kind kind;
	u32 first;
	/* The right to ask for one is that to ask for all. */
	bool all = !bpf_map_get_next_id(0, &first) || errno != EPERM;
	int err = 0;
	size_t i;

	for (kind = LIBBPFFS_MAP; all && kind <= LIBBPFFS_LINK && !err; kind++)
		err = see_kind(list, kind);
	if (err)
		return fail("list: %s", strerror(-err));
	if (see_mounts(list, all))
		return FAILED;
	if (is_chosen(list, COL_PROCESSES) || is_chosen(list, COL_PROGRAMS))
		see_processes(list);
	if (all && is_chosen(list, COL_PROGRAMS))
		see_programs(list);
	for (i = 0; i < list->count; i++) {
		set_text(list, &list->object[i], COL_KIND, "%s", kinds[list->object[i].kind].name);
		set_text(list, &list->object[i], COL_ID, "%u", list->object[i].id);
	}
	return DONE;
}

enum status list_command(int argc, char **argv)
{
	struct list list = {};
	enum status status = read_options(&list, argc, argv);
	size_t i, number;

	/* Else libsmartcols writes what is not ASCII in hex. */
	setlocale(LC_CTYPE, "");
	if (!status)
		status = see_all(&list);
	if (!status)
		status = print(&list);
	for (i = 0; i < list.count; i++)
		for (number = 0; number < COLUMNS; number++)
			free(list.object[i].text[number]);
	free(list.object);
	return status;
}
