// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * SOURCE, which names a BPF object: a path of a pinned one, map:NAME, map:id:7,
 * prog:NAME, prog:id:7, prog:tag:TAG, link:id:7.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "internal.h"
#include "object.h"

#define FORMS	"a path of a pinned object, map:NAME, map:id:7, prog:NAME, " \
		"prog:id:7, prog:tag:TAG or link:id:7"

/* Of those that a name could mean, how many are listed. */
#define LISTED		6

/* How to walk through the objects of a kind, and what to look for. */
struct kind {
	const char *word;
	const char *noun;
	int (*next_id)(__u32 id, __u32 *next);
	int (*open_id)(__u32 id, bool read_only);
	int (*has_name)(int fd, const char *name);
	int (*has_tag)(int fd, const char *tag);
};

/* --- Opening --- */

static int open_map(__u32 id, bool read_only)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = read_only ? BPF_F_RDONLY : 0);

	return bpf_map_get_fd_by_id_opts(id, &opts);
}

/* Only of a map there are such descriptors. */
static int open_prog(__u32 id, bool read_only)
{
	(void)read_only;
	return bpf_prog_get_fd_by_id(id);
}

static int open_link(__u32 id, bool read_only)
{
	(void)read_only;
	return bpf_link_get_fd_by_id(id);
}

/* --- Do they match? Return: enum libbpffs_named, or a negative errno. --- */

static int compare_full(int fd, const char *name)
{
	struct libbpffs_full_name full;
	enum libbpffs_named named;
	int err = libbpffs_full_name(&full, fd);

	if (err)
		return err;
	named = libbpffs_is_named(&full, name);
	libbpffs_full_name_free(&full);
	return named;
}

/* BTF is not read of those whose name begins otherwise, or was not cut. */
static int compare_name(int fd, const char *kept, const char *name)
{
	if (strlen(kept) < BPF_OBJ_NAME_LEN - 1)
		return strcmp(kept, name) ? LIBBPFFS_NOT_NAMED : LIBBPFFS_NAMED;
	return strncmp(kept, name, BPF_OBJ_NAME_LEN - 1) ? LIBBPFFS_NOT_NAMED : compare_full(fd, name);
}

static int map_has_name(int fd, const char *name)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	return compare_name(fd, info.name, name);
}

static int prog_has_name(int fd, const char *name)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	return compare_name(fd, info.name, name);
}

static int prog_has_tag(int fd, const char *tag)
{
	struct bpf_prog_info info = {};
	char text[2 * BPF_TAG_SIZE + 1];
	__u32 len = sizeof(info);
	size_t i;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	for (i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", info.tag[i]);
	return strcasecmp(text, tag) ? LIBBPFFS_NOT_NAMED : LIBBPFFS_NAMED;
}

static const struct kind kinds[] = {
	{ "map", "map", bpf_map_get_next_id, open_map, map_has_name, NULL },
	{ "prog", "program", bpf_prog_get_next_id, open_prog,
	  prog_has_name, prog_has_tag },
	{ "link", "link", bpf_link_get_next_id, open_link, NULL, NULL },
};

/* --- By name or tag --- */

/* Some objects: the first of them open, the begin of all in words. */
struct found {
	int fd;
	unsigned int count;
	char text[LISTED][192];
};

static void add_found(struct found *found, int fd)
{
	char *text = found->text[found->count];

	if (found->count < LISTED && libbpffs_describe(fd, text, sizeof(found->text[0])))
		snprintf(text, sizeof(found->text[0]), "one that cannot be looked at");
	if (found->count++)
		close(fd);
	else
		found->fd = fd;
}

/* "A, B and C" */
static void list_found(const struct found *found, char *list, size_t size)
{
	unsigned int listed = found->count < LISTED ? found->count : LISTED;
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < listed && len < size; i++) {
		const char *before = !i ? "" : i + 1 < found->count ? ", " : " and ";

		len += snprintf(list + len, size - len, "%s%s", before, found->text[i]);
	}
	if (listed < found->count && len < size)
		snprintf(list + len, size - len, " and more");
}

static int refuse_several(const struct found *found, const struct kind *kind,
			  const char *source)
{
	char list[900];

	list_found(found, list, sizeof(list));
	return libbpffs_refuse(ENOTUNIQ, "%s is the name of %u %ss: %s; give one of these",
			       source, found->count, kind->noun, list);
}

static int refuse_unknown(const struct found *found, const char *source)
{
	char list[900];

	list_found(found, list, sizeof(list));
	return libbpffs_refuse(ENOTUNIQ,
			       "%s: the kernel keeps only %d characters of a name, and which it is nobody knows; give %s%s",
			       source, BPF_OBJ_NAME_LEN - 1, list,
			       found->count > 1 ? ", whichever is meant" : ", if that is meant");
}

static int refuse_bpf(int err, const char *source)
{
	if (err == EPERM)
		return libbpffs_refuse(err, "%s: looking for BPF objects needs CAP_SYS_ADMIN",
				       source);
	return libbpffs_refuse(err, "%s: %s", source, strerror(err));
}

/* What is named so, and what may be; an LSM can refuse some of the others. */
static int find(const struct kind *kind, bool read_only,
		int (*matches)(int fd, const char *text), const char *text,
		const char *source, struct found *found, struct found *maybe,
		unsigned int *refused)
{
	__u32 id = 0;
	int fd, named;

	while (!kind->next_id(id, &id)) {
		fd = kind->open_id(id, read_only);
		/* It may have gone meanwhile. */
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 && (errno == EPERM || errno == EACCES)) {
			++*refused;
			continue;
		}
		if (fd < 0)
			return refuse_bpf(errno, source);
		named = matches(fd, text);
		if (named == LIBBPFFS_NAMED)
			add_found(found, fd);
		else if (named == LIBBPFFS_MAYBE_NAMED)
			add_found(maybe, fd);
		else
			close(fd);
		if (named < 0)
			return refuse_bpf(-named, source);
	}
	return errno == ENOENT ? 0 : refuse_bpf(errno, source);
}

static int open_matching(const struct kind *kind, bool read_only,
			 int (*matches)(int fd, const char *text),
			 const char *text, const char *source)
{
	struct found found = { .fd = -1 }, maybe = { .fd = -1 };
	unsigned int refused = 0;
	int err;

	err = find(kind, read_only, matches, text, source, &found, &maybe, &refused);
	if (!err && found.count > 1)
		err = refuse_several(&found, kind, source);
	else if (!err && !found.count && maybe.count)
		err = refuse_unknown(&maybe, source);
	else if (!err && !found.count && refused)
		err = libbpffs_refuse(EPERM,
				      "%s: there is no such %s among those that may be opened; %u may not",
				      source, kind->noun, refused);
	else if (!err && !found.count)
		err = libbpffs_refuse(ENOENT, "%s: there is no such %s", source, kind->noun);
	if (maybe.count)
		close(maybe.fd);
	if (!err)
		return found.fd;
	if (found.count)
		close(found.fd);
	errno = -err;
	return err;
}

/* --- By id, by path --- */

static int open_id(const struct kind *kind, bool read_only, const char *text,
		   const char *source)
{
	unsigned long id;
	char *end;
	int fd;

	errno = 0;
	id = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || id > UINT32_MAX)
		return libbpffs_refuse(EINVAL, "%s: \"%s\" is not an id", source, text);
	fd = kind->open_id(id, read_only);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return libbpffs_refuse(ENOENT, "%s: there is no such %s", source, kind->noun);
	return refuse_bpf(errno, source);
}

static int open_pin(const char *path, bool read_only)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = read_only ? BPF_F_RDONLY : 0);

	return bpf_obj_get_opts(path, &opts);
}

static int open_path(const char *path, bool read_only)
{
	int fd = open_pin(path, read_only);
	int err;

	/* A link can be got in no other way than read-write. */
	if (fd < 0 && errno == EINVAL && read_only)
		fd = open_pin(path, false);
	if (fd >= 0)
		return fd;
	err = errno;
	/* It says so of files elsewhere, and of an object's own permissions. */
	if (err == EACCES || err == EINVAL)
		return libbpffs_refuse(err, "%s: not a pinned BPF object, or none of yours",
				       path);
	if (err == EROFS)
		return libbpffs_refuse(err, "%s: lies in a read-only file system, and may only be read: mount it with ro",
				       path);
	return libbpffs_refuse_path(err, path);
}

/* "map:conns" is of a kind: what stands behind the colon? */
static const char *after_kind(const char *source, const struct kind *kind)
{
	size_t len = strlen(kind->word);

	return !strncmp(source, kind->word, len) && source[len] == ':' ?
	       source + len + 1 : NULL;
}

static int open_of_kind(const struct kind *kind, bool read_only, const char *text,
			const char *source)
{
	if (!strncmp(text, "id:", 3))
		return open_id(kind, read_only, text + 3, source);
	if (kind->has_tag && !strncmp(text, "tag:", 4))
		return open_matching(kind, read_only, kind->has_tag, text + 4, source);
	if (kind->has_name && *text)
		return open_matching(kind, read_only, kind->has_name, text, source);
	return libbpffs_refuse(EINVAL, "%s: which %s? give " FORMS, source, kind->noun);
}

int libbpffs_source_open(const char *source, bool read_only)
{
	const char *text;
	size_t i;

	libbpffs_clear_error();
	if (!source || !*source)
		return libbpffs_refuse(EINVAL, "source: which BPF object? give " FORMS);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		text = after_kind(source, &kinds[i]);
		if (text)
			return open_of_kind(&kinds[i], read_only, text, source);
	}
	if (strchr(source, '/'))
		return open_path(source, read_only);
	return libbpffs_refuse(EINVAL,
			       "%s: is no BPF object; give " FORMS
			       ", or -o fd=N (for the kernel's own file system of pinned objects: mount -t bpf)",
			       source);
}

int bpffs_source_open(const char *source)
{
	return libbpffs_source_open(source, false);
}
