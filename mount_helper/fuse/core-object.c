// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What an object tells of itself, as core asks it (core/object.h), by bpf(2). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "daemon.h"
#include "object.h"
#include "serve.h"

/* The kernel's own, which bpf(2) returns nevertheless. */
#ifndef ENOTSUPP
#define ENOTSUPP	524
#endif

enum bpffs_kind bpffs_object_kind(const struct bpffs_info *info)
{
	return object_of(info)->kind;
}

/* FUSE maps a copy, and hands out no descriptors. */
bool bpffs_object_serves(const struct bpffs_info *info, enum bpffs_attr_file file)
{
	(void)info;
	(void)file;
	return false;
}

u32 bpffs_object_id(const struct bpffs_info *info)
{
	return object_of(info)->id;
}

u32 bpffs_object_type(const struct bpffs_info *info)
{
	return object_of(info)->type;
}

const char *bpffs_object_name(const struct bpffs_info *info)
{
	return object_of(info)->name;
}

/* --- Its description --- */

/*
 * The file of descriptor DESCRIBED in /proc, opened before that becomes impossible. It
 * tells of what the descriptor is when it is read, so inner maps are put there.
 */
static pthread_mutex_t describing = PTHREAD_MUTEX_INITIALIZER;
static int description = -1;

int describe_begin(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", DESCRIBED);
	/* EBADF: RLIMIT_NOFILE is below it. */
	if (dup3(DAEMON_OBJECT, DESCRIBED, O_CLOEXEC) < 0)
		return errno == EBADF ? -EMFILE : -errno;
	description = open(path, O_RDONLY | O_CLOEXEC);
	return description < 0 ? -errno : 0;
}

#define DESCRIPTION_ROOM	4096

/* In memory that is to be freed. */
static int read_description(char **text)
{
	size_t room = DESCRIPTION_ROOM, len = 0;
	char *more;
	ssize_t n;

	for (;; room *= 2) {
		more = realloc(*text, room + 1);
		if (!more)
			return -ENOMEM;
		*text = more;
		do {
			n = pread(description, *text + len, room - len, len);
			len += n > 0 ? n : 0;
		} while (n > 0 && len < room);
		(*text)[len] = '\0';
		if (n <= 0)
			return n ? -errno : 0;
	}
}

/* Behind what there is of every descriptor. */
static const char *skip_common(const char *text)
{
	static const char * const labels[] = { "pos:", "flags:", "mnt_id:", "ino:" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(labels); i++)
		if (!strncmp(text, labels[i], strlen(labels[i]))) {
			text += strcspn(text, "\n");
			text += *text == '\n';
		}
	return text;
}

static int describe(const struct object *object, char **text)
{
	int err = 0;

	*text = NULL;
	pthread_mutex_lock(&describing);
	if (object->fd != DAEMON_OBJECT && dup3(object->fd, DESCRIBED, O_CLOEXEC) < 0)
		err = -ENFILE;
	if (!err)
		err = read_description(text);
	/* An inner map is not held by it. */
	if (object->fd != DAEMON_OBJECT)
		dup3(DAEMON_OBJECT, DESCRIBED, O_CLOEXEC);
	pthread_mutex_unlock(&describing);
	return err;
}

int bpffs_object_describe(const struct bpffs_info *info, struct seq_file *seq)
{
	char *text;
	int err = describe(object_of(info), &text);

	if (!err)
		seq_puts(seq, skip_common(text));
	free(text);
	return err;
}

bool bpffs_object_frozen(const struct bpffs_info *info)
{
	bool frozen = false;
	char *text;

	if (!describe(object_of(info), &text))
		frozen = strstr(text, "\nfrozen:\t1\n");
	free(text);
	return frozen;
}

/* --- A program --- */

bool bpffs_object_map_id(const struct bpffs_info *info, u32 n, u32 *id)
{
	struct bpf_prog_info prog = { .nr_map_ids = n + 1 };
	__u32 len = sizeof(prog), *ids = calloc(n + 1, sizeof(*ids));
	bool has = false;

	prog.map_ids = (uintptr_t)ids;
	if (ids && !bpf_obj_get_info_by_fd(object_of(info)->fd, &prog, &len) &&
	    n < prog.nr_map_ids) {
		*id = ids[n];
		has = true;
	}
	free(ids);
	return has;
}

/* --- A link --- */

int bpffs_object_link_info(const struct bpffs_info *info, void *bytes)
{
	__u32 len = BPFFS_LINK_INFO_MAX;
	int err;

	/* No more than this kernel's, or what is behind must be zero, as it is. */
	err = bpf_obj_get_info_by_fd(object_of(info)->fd, bytes, &len);
	return err && errno == ENOTSUPP ? -EOPNOTSUPP : err ? -errno : 0;
}

/*
 * What the kernel does not fill in stays as it was given: a number of which there is
 * none, or one that it refuses, as it does not go with the others.
 */
bool bpffs_object_has_link_info(const struct bpffs_info *info)
{
	const __u32 odd = 0x5a5a5a5a;
	union {
		struct bpf_link_info info;
		__u8 bytes[BPFFS_LINK_INFO_MAX];
	} told = {};
	__u32 len = sizeof(told), at;

	switch (object_of(info)->type) {
	case BPFFS_LINK_RAW_TRACEPOINT:
	case BPFFS_LINK_ITER:
		return true;
	case BPFFS_LINK_KPROBE_MULTI:
		at = 24;
		break;
	case BPFFS_LINK_UPROBE_MULTI:
		at = 52;
		break;
	default:
		at = 16;
	}
	memcpy(told.bytes + at, &odd, sizeof(odd));
	if (bpf_obj_get_info_by_fd(object_of(info)->fd, &told, &len))
		return errno == EINVAL;
	return memcmp(told.bytes + at, &odd, sizeof(odd));
}
