/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* What the parts of libbpffs share. None of it is visible outside. */
#ifndef LIBBPFFS_INTERNAL_H
#define LIBBPFFS_INTERNAL_H

#include <stdbool.h>

#include "array-size.h"
#include "libbpffs.h"

struct libbpffs_as;

/* Layouts of a map; NULL is none. Those of the maps inside are only a map of maps'. */
struct libbpffs_layouts {
	char *key;
	char *value;
	char *inner_key;
	char *inner_value;
};

#define FS_TYPE		"bpffs"
/* Of the same without the module, in /proc/mounts. */
#define FUSE_TYPE	"fuse.bpffs"

#define NEEDS_CAP	"mounting needs CAP_SYS_ADMIN (not only in a user namespace)"

/* fsconfig(2) takes shorter strings; others go as a blob, up to a limit. */
#define STRING_MAX	256
#define BLOB_MAX	(1024 * 1024)

/* --- refuse.c: each refusal sets errno, and returns @err, positive, negated --- */

void libbpffs_clear_error(void);

int libbpffs_refuse(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "/mnt/m: No such file or directory" */
int libbpffs_refuse_path(int err, const char *path);

/* In the words of the log of @fs, a context of fsopen(2), if it has any. */
int libbpffs_refuse_step(int fs, int err, const char *step);

/* Is there a path at all? */
int libbpffs_check_target(const char *target);

/* --- plan.c --- */

/* One option for fsconfig(2); a flag has no value. */
struct libbpffs_param {
	const char *name;
	const char *value;
};

/* Who shows the object as files. */
enum libbpffs_backend {
	LIBBPFFS_AUTO,		/* the module if there is one, else FUSE */
	LIBBPFFS_KERNEL,
	LIBBPFFS_FUSE,
};

/* Bytes of a sentence to the mounter. */
#define LIBBPFFS_NOTE	256

/**
 * struct libbpffs_plan - what is asked of the kernel
 * @attr: MOUNT_ATTR_* for fsmount(2)
 * @text: a copy of the options, which @params point into
 * @params: for fsconfig(2), each name once
 * @count: of @params
 * @given: of them, by the caller; those after it are from @found
 * @has_key: a layout of the keys was given, other than "auto"
 * @has_value: likewise
 * @has_inner_key: likewise
 * @has_inner_value: likewise
 * @found: what "auto" has found
 * @as: types of members by the user, which point into @text
 * @as_count: of @as
 * @inner_as: those of the maps in a map of maps
 * @inner_as_count: of @inner_as
 * @snapshot: mount a frozen copy of the map
 * @pin: with a real pin of the object
 * @pinonly: mount a pin in the kernel's own file system, not bpffs
 * @backend: what was asked for; when it is mounted, what it became
 * @why: that was chosen; NULL if it was asked for
 * @note: what the mounter is to be told of it, or ""
 * @directory: where to mount, for who may do so by fusermount3(1) only; or NULL
 * @mounted: that has happened, there is nothing to attach
 */
struct libbpffs_plan {
	unsigned int attr;
	char *text;
	struct libbpffs_param *params;
	size_t count;
	size_t given;
	bool has_key;
	bool has_value;
	bool has_inner_key;
	bool has_inner_value;
	struct libbpffs_layouts found;
	struct libbpffs_as *as;
	size_t as_count;
	struct libbpffs_as *inner_as;
	size_t inner_as_count;
	bool snapshot;
	bool pin;
	bool pinonly;
	enum libbpffs_backend backend;
	const char *why;
	char note[LIBBPFFS_NOTE];
	const char *directory;
	bool mounted;
};

/* @plan: all zero; libbpffs_plan_free() is due in any case. @opts: or NULL */
int libbpffs_plan_mount(struct libbpffs_plan *plan,
			const struct bpf_mount_opts *opts);

/* Nothing will be written by way of the mount. */
bool libbpffs_plan_only_reads(const struct libbpffs_plan *plan);

/* Instead of one of that name. */
void libbpffs_plan_add(struct libbpffs_plan *plan, const char *name, const char *value);

/* A layout that is given as a whole has no use for types of members. */
int libbpffs_plan_check_as(const struct libbpffs_plan *plan);

/*
 * Where libmount finds no more options, at @rest: of a quote without an end, it
 * would drop all that follows.
 */
int libbpffs_check_end(const char *rest);

/* Leaves errno alone. */
void libbpffs_plan_free(struct libbpffs_plan *plan);

/* --- mount-fd.c --- */

/* -EBADF: not open, or not for any access. */
int libbpffs_check_fd(int fd);

/**
 * struct libbpffs_outcome - of a mount
 * @mnt: its descriptor; -1: it was mounted at once on its directory
 * @backend: who serves it
 * @why: that was chosen, or NULL
 * @note: what the mounter is to be told of it, or ""
 */
struct libbpffs_outcome {
	int mnt;
	enum libbpffs_backend backend;
	const char *why;
	char note[LIBBPFFS_NOTE];
};

/*
 * bpf_mount_fd_detached(); @directory: or NULL, where an ordinary user mounts at once,
 * as there is no other way.
 */
int libbpffs_mount(int fd, const char *directory, const struct bpf_mount_opts *opts,
		   struct libbpffs_outcome *outcome);

/* By fsconfig(2); returns what it does. */
int libbpffs_set_param(int fs, const struct libbpffs_param *param);

/* Put a detached mount on a directory. */
int libbpffs_attach(int mnt, const char *target);

/* --- fuse.c --- */

/* The program that serves a mount without the module, and is it installed? */
const char *libbpffs_fuse_daemon(void);
bool libbpffs_has_fuse(void);

/* Returns the mount's descriptor; 0 with @plan->mounted, if that was @directory. */
int libbpffs_mount_fuse(int fd, struct libbpffs_plan *plan);

/* --- snapshot.c, pinonly.c: both return a descriptor --- */

/* A frozen copy of a map. */
int libbpffs_snapshot(int fd);

/*
 * For a program that shows how far that is: @count more elements are copied; 0: it begins,
 * perhaps once more, with @total of them, or 0 if nobody knows. NULL: it shows nothing.
 */
extern void (*libbpffs_on_copy)(unsigned long long count, unsigned long long total);

int libbpffs_pin_root(int fd);

/* A detached mount of type bpf. */
int libbpffs_mount_pin(int fd, const struct libbpffs_plan *plan);

/* --- mounted.c: is it the root of a mount of ours? --- */

int libbpffs_check_root(const char *target, bool follow);

/* @what: for the sentence of a refusal */
int libbpffs_check_root_fd(int fd, const char *what);

/* Of one that the module does not serve? The one refuses without a sentence. */
bool libbpffs_is_fuse_root(int fd);
int libbpffs_check_fuse_root(const char *target);

/* Anything in such a mount, of either kind. */
bool libbpffs_is_ours(int fd);

/* Of one of type bpf, with a pin? */
int libbpffs_check_pinonly_root(const char *target);

/* --- remount.c --- */

/* @options: as for a mount; the kernel checks that only ro and rw change. */
int libbpffs_remount(const char *target, const char *options);

/* --- map-layouts.c --- */

/* What the BTF of the map @fd means. @layouts: to be freed if it returns 0 */
int libbpffs_map_layouts(int fd, struct libbpffs_layouts *layouts);
void libbpffs_layouts_free(struct libbpffs_layouts *layouts);

/* Is it a map of a type whose elements are no files? Its type, or NULL. */
const char *libbpffs_hidden_type(int fd);

/* Add the layouts that the BTF of the map @fd gives, unless they were given. */
int libbpffs_plan_auto(struct libbpffs_plan *plan, int fd);

/* Take them away again; false: there are none. */
bool libbpffs_plan_drop_auto(struct libbpffs_plan *plan);

#endif
