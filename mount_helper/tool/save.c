// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * bpffs save: what the files of mounted maps say, as a tar, to be looked at elsewhere.
 * bpffs restore: the table of one of them, into a map whose values may have new members.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "field.h"
#include "internal.h"
#include "mounted-map.h"
#include "progress.h"
#include "tar.h"

/* --- save --- */

/* Of .bpf; the layouts come before the table. What a map has not is left out. */
static const char * const saved[] = {
	"id", "type", "name", "key_size", "value_size", "max_entries", "flags", "frozen",
	"memlock", "count", "info", "key", "value", "table",
};

static enum status put_bytes(const void *bytes, size_t len)
{
	return fwrite(bytes, 1, len, stdout) == len ? DONE : end_output();
}

/* A file whose contents are in @from. */
static enum status put_member(const char *name, FILE *from)
{
	static const char zeros[TAR_BLOCK];
	enum status status = DONE;
	struct tar_head head;
	char part[65536];
	size_t len;
	long size;

	size = ftell(from);
	rewind(from);
	if (size < 0 || !tar_make(&head, name, size))
		return fail("save: %s: too large for a tar", name);
	status = put_bytes(&head, sizeof(head));
	while (!status && (len = fread(part, 1, sizeof(part), from)))
		status = put_bytes(part, len);
	if (!status && ferror(from))
		status = fail("save: %s: %s", name, strerror(errno));
	return status ?: put_bytes(zeros, -size & (TAR_BLOCK - 1));
}

static size_t count_lines(const char *text, size_t len)
{
	const char *end = text + len;
	size_t count = 0;

	while ((text = memchr(text, '\n', end - text))) {
		count++;
		text++;
	}
	return count;
}

/* As a file of its own first: nobody knows how long it will be. */
static enum status put_file(const char *dir, int root, const char *map, const char *file)
{
	bool is_table = !strcmp(file, "table");
	char path[64], name[128], part[65536];
	enum status status = DONE;
	FILE *copy;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), ".bpf/%s", file);
	snprintf(name, sizeof(name), "%.60s/%s", map, file);
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? DONE : fail("%s/%s: %s", dir, path, strerror(errno));
	copy = tmpfile();
	if (!copy)
		status = fail("save: %s: %s", P_tmpdir, strerror(errno));
	while (!status && (len = read(fd, part, sizeof(part)))) {
		if (len < 0 && errno != EINTR)
			status = fail("%s/%s: %s", dir, path, strerror(errno));
		if (len > 0 && is_table)
			progress_add(count_lines(part, len));
		if (len > 0 && fwrite(part, 1, len, copy) != (size_t)len)
			status = fail("save: %s: %s", P_tmpdir, strerror(errno));
	}
	/* rewind(3) would forget that it failed. */
	if (!status && fflush(copy))
		status = fail("save: %s: %s", P_tmpdir, strerror(errno));
	close(fd);
	status = status ?: put_member(name, copy);
	if (copy)
		fclose(copy);
	return status;
}

static enum status put_map(const char *dir)
{
	int root = open_mount(dir);
	enum status status;
	char *name, *map;
	u64 id = 0;
	size_t i;

	if (root < 0)
		return FAILED;
	status = take_name(dir, root, &name);
	if (!status)
		status = take_number(dir, root, ".bpf/id", &id);
	if (!status && asprintf(&map, "%s-%llu", *name ? name : "map", id) < 0)
		status = fail("%s", strerror(ENOMEM));
	if (!status) {
		if (progress_beside_output())
			progress_begin("bpffs: save", "elements", read_number(root, ".bpf/count"));
		for (i = 0; i < ARRAY_SIZE(saved) && !status; i++)
			status = put_file(dir, root, map, saved[i]);
		free(map);
	}
	free(name);
	close(root);
	return status;
}

/* The arguments: maps, NULL. */
static enum status put_maps(void *context)
{
	static const char zeros[2 * TAR_BLOCK];
	enum status status = DONE;
	char **dir;

	for (dir = context; *dir && !status; dir++)
		status = put_map(*dir);
	status = status ?: put_bytes(zeros, sizeof(zeros));
	return status ?: end_output();
}

enum status save_command(int argc, char **argv)
{
	char *file;

	if (next_option(argc, argv, ":", NULL) != -1)
		return FAILED;
	if (argc - optind < 2)
		return fail("save: DIR and FILE are needed (see bpffs --help)");
	file = argv[argc - 1];
	argv[argc - 1] = NULL;
	if (!strcmp(file, "-"))
		return put_maps(argv + optind);
	/* What is in a map may be nobody's business. */
	umask(077);
	return write_file(file, put_maps, argv + optind);
}

/* --- restore --- */

/**
 * struct restored - a table on its way into a map
 * @file: the tar
 * @tar: of it
 * @wanted: name of the map in it, or NULL: there is only one
 * @found: the one that there is
 * @key: its layouts
 * @value: likewise
 * @count: of its elements
 * @map: where it goes
 * @table: of it
 * @text: lines that are not written yet
 * @len: of @text
 * @defaults: what each line needs to name all fields
 */
struct restored {
	const char *file;
	FILE *tar;
	const char *wanted;
	char *found;
	char *key;
	char *value;
	unsigned long count;
	struct map map;
	int table;
	char text[65536];
	size_t len;
	char *defaults;
};

static enum status refuse_line(const struct restored *r)
{
	int err = errno;
	char *text = read_file(r->map.root, ".bpf/error");
	const char *last = text ? strrchr(text, '\n') : NULL;
	enum status status = fail("%s: %s%s%s", r->map.dir, strerror(err), text ? ": " : "",
				  last ? last + 1 : text ?: "");

	free(text);
	return status;
}

static enum status flush(struct restored *r)
{
	size_t done = 0;
	ssize_t n;

	for (; done < r->len; done += n) {
		n = write(r->table, r->text + done, r->len - done);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return refuse_line(r);
	}
	r->len = 0;
	return DONE;
}

static enum status put_text(struct restored *r, const char *text, size_t len)
{
	enum status status = DONE;
	size_t n;

	for (; len && !status; text += n, len -= n) {
		n = min(len, sizeof(r->text) - r->len);
		memcpy(r->text + r->len, text, n);
		r->len += n;
		if (r->len == sizeof(r->text))
			status = flush(r);
	}
	return status;
}

/* Does the layout have a leaf of that path? -1: some have none. */
static int has_leaf(const struct bpffs_layout *layout, const struct bpffs_found *wanted)
{
	u32 leaves = bpffs_layout_leaves(layout), n;
	struct bpffs_found_room room;

	if (!wanted->path_len)
		return -1;
	for (n = 0; n < leaves; n++) {
		const struct bpffs_found *leaf = bpffs_find_leaf(layout, n, &room);

		if (!bpffs_is_pad(leaf->field) && leaf->path_len == wanted->path_len &&
		    !memcmp(leaf->path, wanted->path, wanted->path_len))
			return 1;
	}
	return 0;
}

/* " cpu0.retries=0", for each copy. */
static void put_default(FILE *to, const struct map *map, const struct bpffs_found *leaf)
{
	static const u8 zeros[16];
	char word[BPFFS_WORD_MAX + 1];
	u32 copy, i;

	for (copy = 0; copy < map->shape.copies; copy++) {
		fputc(' ', to);
		if (map->shape.cpus)
			fprintf(to, "cpu%u.", map->shape.cpus[copy]);
		fprintf(to, "%.*s=", (int)leaf->path_len, leaf->path);
		if (leaf->field->type == BPFFS_HEX)
			for (i = 0; i < leaf->field->size; i++)
				fputs("00", to);
		else if (leaf->field->type != BPFFS_STR)
			fwrite(word, 1, bpffs_put_word(leaf->field, zeros, word), to);
	}
}

/* What has gone is no member any more; what is new is zero. */
static enum status compare_layouts(struct restored *r, const struct bpffs_layout *old)
{
	const struct bpffs_layout *new = r->map.value;
	u32 n, leaves = bpffs_layout_leaves(old);
	struct bpffs_found_room room;
	size_t size;
	FILE *to = open_memstream(&r->defaults, &size);

	if (!to)
		return fail("%s", strerror(errno));
	for (n = 0; n < leaves; n++) {
		const struct bpffs_found *leaf = bpffs_find_leaf(old, n, &room);
		int has = bpffs_is_pad(leaf->field) ? 1 : has_leaf(new, leaf);

		if (has == 1)
			continue;
		fclose(to);
		return has ? fail("%s: the values have other fields, and some have no name",
				  r->map.dir) :
			     fail("%s: the values have no field %.*s any more", r->map.dir,
				  (int)leaf->path_len, leaf->path);
	}
	leaves = bpffs_layout_leaves(new);
	for (n = 0; n < leaves; n++) {
		const struct bpffs_found *leaf = bpffs_find_leaf(new, n, &room);

		if (bpffs_is_pad(leaf->field) || has_leaf(old, leaf) == 1)
			continue;
		if (!leaf->path_len) {
			fclose(to);
			return fail("%s: the values have other fields, and some have no name",
				    r->map.dir);
		}
		put_default(to, &r->map, leaf);
	}
	return fclose(to) ? fail("%s", strerror(ENOMEM)) : DONE;
}

/* Into a map of the same keys, and with fields of the same names. */
static enum status check_layouts(struct restored *r, u32 size)
{
	char *key = read_file(r->map.root, ".bpf/key");
	char *value = read_file(r->map.root, ".bpf/value");
	enum status status = DONE;
	struct bpffs_layout *old;

	if (!key || !value) {
		status = fail("%s: %s", r->map.dir, strerror(errno));
	} else if (strcmp(key, r->key)) {
		status = fail("%s: keys are %s there, and %s here: mount it with key=%s",
			      r->map.dir, r->key, key, r->key);
	} else if (strcmp(value, r->value)) {
		old = bpffs_layout_parse(r->value, size, 0);
		status = old ? compare_layouts(r, old) :
			       fail("%s: %s", r->file, bpf_mount_error());
		bpffs_layout_free(old);
	}
	free(key);
	free(value);
	return status;
}

/* A map that has elements keeps them, and would be a mixture. */
static enum status check_empty(const struct restored *r)
{
	enum status status;
	bool array;
	int table = openat(r->map.root, ".bpf/table", O_RDONLY | O_CLOEXEC);
	char byte;
	ssize_t n = table < 0 ? -1 : read(table, &byte, 1);

	if (table >= 0)
		close(table);
	if (n < 0)
		return fail("%s/.bpf/table: %s", r->map.dir, strerror(errno));
	status = see_type(r->map.dir, r->map.root, "array", &array);
	if (status)
		return status;
	return n && !array ? fail("%s: the map is not empty", r->map.dir) : DONE;
}

static enum status put_lines(struct restored *r, unsigned long long size)
{
	enum status status = DONE;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	while (size && !status) {
		len = getline(&line, &room, r->tar);
		if (len <= 0 || (unsigned long long)len > size || line[len - 1] != '\n') {
			status = fail("%s: the table ends in the middle of a line", r->file);
			break;
		}
		size -= len;
		status = put_text(r, line, len - 1);
		if (!status && r->defaults)
			status = put_text(r, r->defaults, strlen(r->defaults));
		status = status ?: put_text(r, "\n", 1);
		progress_add(1);
	}
	free(line);
	return status ?: flush(r);
}

static enum status put_table(struct restored *r, unsigned long long size, u32 value_size)
{
	enum status status;

	if (!r->key || !r->value)
		return fail("%s: no layouts before the table of %s", r->file, r->found);
	progress_begin("bpffs: restore", "elements", r->count);
	status = check_layouts(r, value_size) ?: check_empty(r);
	if (status)
		return status;
	r->table = openat(r->map.root, ".bpf/table", O_WRONLY | O_CLOEXEC);
	if (r->table < 0)
		return fail("%s/.bpf/table: %s", r->map.dir, strerror(errno));
	status = put_lines(r, size);
	if (close(r->table) && !status)
		status = refuse_line(r);
	return status;
}

/* A short file as text. */
static char *read_text(struct restored *r, unsigned long long size)
{
	char *text = size <= BPFFS_LAYOUT_TEXT_MAX + 1 ? calloc(1, size + 1) : NULL;

	if (text && fread(text, 1, size, r->tar) != size) {
		free(text);
		return NULL;
	}
	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

static enum status skip(struct restored *r, unsigned long long size)
{
	char part[4096];
	size_t n;

	for (; size; size -= n) {
		n = fread(part, 1, size < sizeof(part) ? size : sizeof(part), r->tar);
		if (!n)
			return fail("%s: ends before its end", r->file);
	}
	return DONE;
}

/* Is it a file of the map that is wanted, or of the first one? */
static const char *file_of(struct restored *r, const char *name)
{
	const char *slash;
	size_t len;

	/* As "tar -c ." has it. */
	name += !strncmp(name, "./", 2) ? 2 : 0;
	slash = strchr(name, '/');
	len = slash ? slash - name : 0;
	if (!slash || (r->wanted && (strlen(r->wanted) != len || memcmp(r->wanted, name, len))))
		return NULL;
	if (!r->found)
		r->found = strndup(name, len);
	return r->found && strlen(r->found) == len && !memcmp(r->found, name, len) ?
	       slash + 1 : NULL;
}

/* Which map it is, before anything is written. */
static enum status choose_map(struct restored *r)
{
	unsigned long long size;
	struct tar_head head;

	while (!r->wanted && fread(&head, 1, sizeof(head), r->tar) == sizeof(head) &&
	       *head.name) {
		char name[sizeof(head.name) + 1] = "";

		if (!tar_check(&head, &size))
			return fail("%s: not a tar", r->file);
		memcpy(name, head.name, sizeof(head.name));
		if (head.type == '0' && strchr(name, '/') && !file_of(r, name))
			return fail("%s: there are several maps: --map=NAME chooses one, such as %s",
				    r->file, r->found);
		if (skip(r, size + (-size & (TAR_BLOCK - 1))))
			return FAILED;
	}
	if (!r->wanted && fseek(r->tar, 0, SEEK_SET))
		return fail("%s: it is read once, so --map=NAME must say which map", r->file);
	return DONE;
}

/* All of the tar. What tar(1) has packed may have its layouts behind the table. */
static enum status restore(struct restored *r)
{
	unsigned long long size, padding, table_size = 0;
	enum status status = DONE;
	struct tar_head head;
	bool done = false;
	u32 value_size = 0;
	long table = -1;

	while (!status && fread(&head, 1, sizeof(head), r->tar) == sizeof(head) && *head.name) {
		char name[sizeof(head.name) + 1] = "", *text = NULL;
		const char *file;

		if (!tar_check(&head, &size))
			return fail("%s: not a tar", r->file);
		padding = -size & (TAR_BLOCK - 1);
		memcpy(name, head.name, sizeof(head.name));
		file = head.type == '0' ? file_of(r, name) : NULL;
		if (file && !done && !strcmp(file, "table") &&
		    !(r->key && r->value && value_size) && ftell(r->tar) >= 0) {
			table = ftell(r->tar);
			table_size = size;
		} else if (file && !done && !strcmp(file, "table")) {
			status = put_table(r, size, value_size);
			done = true;
			size = 0;
		} else if (file && !done && (!strcmp(file, "key") || !strcmp(file, "value") ||
					     !strcmp(file, "value_size") ||
					     !strcmp(file, "count"))) {
			text = read_text(r, size);
			if (!text)
				return fail("%s: %s cannot be read", r->file, name);
			size = 0;
			if (!strcmp(file, "value_size"))
				value_size = strtoul(text, NULL, 10);
			else if (!strcmp(file, "count"))
				r->count = strtoul(text, NULL, 10);
			else if (*file == 'k' && !r->key)
				r->key = strdup(text);
			else if (*file == 'v' && !r->value)
				r->value = strdup(text);
			free(text);
		}
		if (!status)
			status = skip(r, size + padding);
	}
	if (!status && !done && table >= 0) {
		status = fseek(r->tar, table, SEEK_SET) ?
			 fail("%s: %s", r->file, strerror(errno)) :
			 put_table(r, table_size, value_size);
		done = true;
	}
	if (!status && !done)
		status = r->wanted ? fail("%s: there is no table of %s", r->file, r->wanted) :
				     fail("%s: there is no table of a map", r->file);
	return status;
}

enum status restore_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "map", required_argument, NULL, 'm' },
		{}
	};
	struct restored r = { .map.root = -1, .table = -1 };
	enum status status = FAILED;
	int option, root;

	while ((option = next_option(argc, argv, ":", options)) != -1) {
		if (option == '?')
			return FAILED;
		r.wanted = optarg;
	}
	if (argc - optind != 2)
		return fail("restore: FILE and DIR are needed (see bpffs --help)");
	r.file = argv[optind];
	r.tar = strcmp(r.file, "-") ? fopen(r.file, "re") : stdin;
	if (!r.tar)
		return fail("%s: %s", r.file, strerror(errno));
	root = open_mount(argv[optind + 1]);
	if (root >= 0)
		status = open_map(&r.map, argv[optind + 1], root) ?: choose_map(&r) ?:
			 restore(&r);
	free(r.found);
	free(r.key);
	free(r.value);
	free(r.defaults);
	close_map(&r.map);
	fclose(r.tar);
	return status;
}
