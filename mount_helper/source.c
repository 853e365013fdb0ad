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

/* What the kernel keeps of a name. */
#define NAME_LEN	(BPF_OBJ_NAME_LEN - 1)

/* Of those that a name could mean, how many are listed. */
#define LISTED		6

/* How to walk through the objects of a kind, and what to look for. */
struct kind {
	const char *word;
	const char *noun;
	int (*next_id)(__u32 id, __u32 *next);
	int (*open_id)(__u32 id);
	bool (*has_name)(int fd, const char *name);
	bool (*has_tag)(int fd, const char *tag);
};

/* --- Do they match? --- */

static bool same_name(const char *kept, const char *name)
{
	return !strncmp(kept, name, NAME_LEN);
}

static bool map_has_name(int fd, const char *name)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && same_name(info.name, name);
}

static bool prog_has_name(int fd, const char *name)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &len) && same_name(info.name, name);
}

static bool prog_has_tag(int fd, const char *tag)
{
	struct bpf_prog_info info = {};
	char text[2 * BPF_TAG_SIZE + 1];
	__u32 len = sizeof(info);
	size_t i;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return false;
	for (i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", info.tag[i]);
	return !strcasecmp(text, tag);
}

static const struct kind kinds[] = {
	{ "map", "map", bpf_map_get_next_id, bpf_map_get_fd_by_id, map_has_name, NULL },
	{ "prog", "program", bpf_prog_get_next_id, bpf_prog_get_fd_by_id,
	  prog_has_name, prog_has_tag },
	{ "link", "link", bpf_link_get_next_id, bpf_link_get_fd_by_id, NULL, NULL },
};

/* --- By name or tag --- */

/* The objects that match: the first of them open, some in words. */
struct found {
	int fd;
	unsigned int count;
	char text[LISTED][80];
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
static int refuse_found(const struct found *found, const struct kind *kind,
			const char *source)
{
	unsigned int listed = found->count < LISTED ? found->count : LISTED;
	char list[LISTED * (sizeof(found->text[0]) + 5)] = "";
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < listed; i++) {
		const char *before = !i ? "" : i + 1 < found->count ? ", " : " and ";

		len += snprintf(list + len, sizeof(list) - len, "%s%s", before,
				found->text[i]);
	}
	return libbpffs_refuse(ENOTUNIQ, "%s is the name of %u %ss: %s%s; give one of these",
			       source, found->count, kind->noun, list,
			       listed < found->count ? " and more" : "");
}

static int refuse_bpf(int err, const char *source)
{
	if (err == EPERM)
		return libbpffs_refuse(err, "%s: looking for BPF objects needs CAP_SYS_ADMIN",
				       source);
	return libbpffs_refuse(err, "%s: %s", source, strerror(err));
}

static int find(const struct kind *kind, bool (*matches)(int fd, const char *text),
		const char *text, const char *source, struct found *found)
{
	__u32 id = 0;
	int fd;

	while (!kind->next_id(id, &id)) {
		fd = kind->open_id(id);
		/* It may have gone meanwhile. */
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return refuse_bpf(errno, source);
		if (matches(fd, text))
			add_found(found, fd);
		else
			close(fd);
	}
	return errno == ENOENT ? 0 : refuse_bpf(errno, source);
}

static int open_matching(const struct kind *kind,
			 bool (*matches)(int fd, const char *text),
			 const char *text, const char *source)
{
	struct found found = { .fd = -1 };
	int err;

	err = find(kind, matches, text, source, &found);
	if (!err && !found.count)
		err = libbpffs_refuse(ENOENT, "%s: there is no such %s", source, kind->noun);
	else if (!err && found.count > 1)
		err = refuse_found(&found, kind, source);
	if (!err)
		return found.fd;
	if (found.count)
		close(found.fd);
	errno = -err;
	return err;
}

/* --- By id, by path --- */

static int open_id(const struct kind *kind, const char *text, const char *source)
{
	unsigned long id;
	char *end;
	int fd;

	errno = 0;
	id = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || id > UINT32_MAX)
		return libbpffs_refuse(EINVAL, "%s: \"%s\" is not an id", source, text);
	fd = kind->open_id(id);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return libbpffs_refuse(ENOENT, "%s: there is no such %s", source, kind->noun);
	return refuse_bpf(errno, source);
}

static int open_path(const char *path)
{
	int fd = bpf_obj_get(path);
	int err = errno;

	if (fd >= 0)
		return fd;
	/* It says so of files elsewhere, and of an object's own permissions. */
	if (err == EACCES || err == EINVAL)
		return libbpffs_refuse(err, "%s: not a pinned BPF object, or none of yours",
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

static int open_of_kind(const struct kind *kind, const char *text, const char *source)
{
	if (!strncmp(text, "id:", 3))
		return open_id(kind, text + 3, source);
	if (kind->has_tag && !strncmp(text, "tag:", 4))
		return open_matching(kind, kind->has_tag, text + 4, source);
	if (kind->has_name && *text)
		return open_matching(kind, kind->has_name, text, source);
	return libbpffs_refuse(EINVAL, "%s: which %s? give " FORMS, source, kind->noun);
}

int bpffs_source_open(const char *source)
{
	const char *text;
	size_t i;

	libbpffs_clear_error();
	if (!source || !*source)
		return libbpffs_refuse(EINVAL, "source: which BPF object? give " FORMS);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		text = after_kind(source, &kinds[i]);
		if (text)
			return open_of_kind(&kinds[i], text, source);
	}
	if (strchr(source, '/'))
		return open_path(source);
	return libbpffs_refuse(EINVAL,
			       "%s: is no BPF object; give " FORMS
			       ", or -o fd=N (for the kernel's own file system of pinned objects: mount -t bpf)",
			       source);
}
