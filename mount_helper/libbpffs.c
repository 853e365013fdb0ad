// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * libbpffs: mount one BPF object as a file system of type bpffs.
 *
 * Options are taken apart before the kernel is asked for anything, so that
 * what is refused here is refused on every machine and without privilege.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <libmount.h>
#include <linux/bpffs.h>

#include "libbpffs.h"

#define FS_TYPE		"bpffs"

#define NEEDS_CAP	"mounting needs CAP_SYS_ADMIN (not only in a user namespace)"

/* fsconfig(2) takes shorter strings; others go as a blob, up to a limit. */
#define STRING_MAX	256
#define BLOB_MAX	(1024 * 1024)

/* What fstab and mount(8) use, and the kernel never sees. */
#define FSTAB_ONLY	(MNT_MS_NOAUTO | MNT_MS_USER | MNT_MS_USERS | \
			 MNT_MS_OWNER | MNT_MS_GROUP | MNT_MS_NETDEV | \
			 MNT_MS_COMMENT | MNT_MS_NOFAIL | MNT_MS_UHELPER | \
			 MNT_MS_HELPER | MNT_MS_XCOMMENT | MNT_MS_XFSTABCOMM)

#define ATTR_ALWAYS	(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | \
			 MOUNT_ATTR_NOEXEC)

#define UMOUNT_FLAGS	(MNT_DETACH | MNT_FORCE | MNT_EXPIRE | UMOUNT_NOFOLLOW)

/* One option for fsconfig(2); a flag has no value. */
struct param {
	const char *name;
	const char *value;
};

/**
 * struct plan - what is asked of the kernel
 * @attr: MOUNT_ATTR_* for fsmount(2)
 * @text: a copy of the options, which @params point into
 * @params: for fsconfig(2), in the order given
 * @count: of @params
 */
struct plan {
	unsigned int attr;
	char *text;
	struct param *params;
	size_t count;
};

static __thread char last_error[1024];

/* --- Errors --- */

static int fail(int err)
{
	errno = err;
	return -err;
}

static int refuse(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* One line, whatever names and messages hold. */
static void join_lines(char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			*text = text[1] ? ' ' : '\0';
}

/* @err: positive; returned negative */
static int refuse(int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(last_error, sizeof(last_error), fmt, args);
	va_end(args);
	join_lines(last_error);
	return fail(err);
}

/* Add to the error; what does not fit is cut. */
static void add_text(const char *text)
{
	size_t used = strlen(last_error);
	size_t room = sizeof(last_error) - 1 - used;
	size_t size = strnlen(text, room);

	memcpy(last_error + used, text, size);
	last_error[used + size] = '\0';
}

static int refuse_path(int err, const char *path)
{
	return refuse(err, "%s: %s", path, strerror(err));
}

static int check_target(const char *target)
{
	if (target && *target)
		return 0;
	return refuse(target ? ENOENT : EINVAL, "target: which directory?");
}

static void close_quietly(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

/* Add one message of the log, "e bpffs: fd: ...", if it is an error. */
static void add_message(char *message)
{
	static const char prefix[] = FS_TYPE ": ";

	if (strncmp(message, "e ", 2))
		return;
	message += 2;
	if (!strncmp(message, prefix, strlen(prefix)))
		message += strlen(prefix);
	join_lines(message);
	/* The kernel's parsers of numbers can say the same twice. */
	if (!strcmp(last_error, message))
		return;
	if (last_error[0])
		add_text("; ");
	add_text(message);
}

/* The context's log: each read(2) takes one message out of it. */
static void read_log(int fs)
{
	char message[4096];
	ssize_t n;

	for (;;) {
		n = read(fs, message, sizeof(message) - 1);
		if (n < 0 && (errno == EINTR || errno == EMSGSIZE))
			continue;
		if (n <= 0)
			return;
		message[n] = '\0';
		add_message(message);
	}
}

/* A step with the context failed: in the kernel's words, or in ours. */
static int refuse_step(int fs, int err, const char *step, const char *what)
{
	last_error[0] = '\0';
	read_log(fs);
	if (last_error[0])
		return fail(err);
	if (err == EPERM)
		return refuse(err, NEEDS_CAP);
	return refuse(err, "%s%s: %s", step, what, strerror(err));
}

/* --- Options --- */

static bool entry_is(const struct libmnt_optmap *entry, const char *name)
{
	size_t len = strcspn(entry->name, "=[");

	if (strncmp(entry->name, name, len))
		return false;
	/* Of "comment=" and "shared", libmount says MNT_PREFIX too. */
	return !name[len] || entry->name[len - 1] == '-';
}

static const struct libmnt_optmap *find_entry(int map, const char *name)
{
	const struct libmnt_optmap *entry = mnt_get_builtin_optmap(map);

	for (; entry && entry->name; entry++)
		if (entry_is(entry, name))
			return entry;
	return NULL;
}

static void set_attr(struct plan *plan, unsigned int attr, bool on)
{
	if (on)
		plan->attr |= attr;
	else
		plan->attr &= ~attr;
}

/* noatime, relatime (the default, zero) and strictatime exclude each other. */
static void set_atime(struct plan *plan, unsigned int atime, bool on)
{
	unsigned int now = plan->attr & MOUNT_ATTR__ATIME;

	if (on)
		now = atime;
	else if (now == atime)
		now = MOUNT_ATTR_RELATIME;
	plan->attr = (plan->attr & ~MOUNT_ATTR__ATIME) | now;
}

/* Is it an attribute of the mount? All others are the file system's. */
static bool set_generic(struct plan *plan, const struct libmnt_optmap *entry)
{
	bool on = !(entry->mask & MNT_INVERT);

	switch (entry->id) {
	case MS_RDONLY:
		set_attr(plan, MOUNT_ATTR_RDONLY, on);
		return true;
	case MS_NODIRATIME:
		set_attr(plan, MOUNT_ATTR_NODIRATIME, on);
		return true;
	case MS_NOSYMFOLLOW:
		set_attr(plan, MOUNT_ATTR_NOSYMFOLLOW, on);
		return true;
	case MS_NOATIME:
		set_atime(plan, MOUNT_ATTR_NOATIME, on);
		return true;
	case MS_RELATIME:
		set_atime(plan, MOUNT_ATTR_RELATIME, on);
		return true;
	case MS_STRICTATIME:
		set_atime(plan, MOUNT_ATTR_STRICTATIME, on);
		return true;
	case MS_NOSUID:
	case MS_NODEV:
	case MS_NOEXEC:
	case MS_SILENT:
		return true;
	default:
		return false;
	}
}

static void add_param(struct plan *plan, const char *name, const char *value)
{
	plan->params[plan->count].name = name;
	plan->params[plan->count].value = value;
	plan->count++;
}

static int plan_option(struct plan *plan, const char *name, const char *value)
{
	const struct libmnt_optmap *entry;

	if (!strcmp(name, "fd"))
		return refuse(EINVAL, "fd: is an argument of the call, not an option");
	if (strlen(name) >= STRING_MAX)
		return refuse(EINVAL, "%.32s...: no option has so long a name",
			      name);
	entry = find_entry(MNT_LINUX_MAP, name);
	if (entry && value)
		return refuse(EINVAL, "%s: takes no value", name);
	if (entry && set_generic(plan, entry))
		return 0;
	entry = find_entry(MNT_USERSPACE_MAP, name);
	if (entry && !(entry->id & ~FSTAB_ONLY))
		return 0;
	add_param(plan, name, value);
	return 0;
}

/* key="a,b": the quotes protect the comma, and are not part of the value. */
static char *unquote(char *value, size_t size)
{
	value[size] = '\0';
	if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
		value[size - 1] = '\0';
		value++;
	}
	return value;
}

static int plan_options(struct plan *plan)
{
	char *rest = plan->text, *name, *value;
	size_t name_size, value_size;
	int ret;

	for (;;) {
		ret = mnt_optstr_next_option(&rest, &name, &name_size,
					     &value, &value_size);
		if (ret == 1)
			return 0;
		if (ret < 0)
			return refuse(-ret, "options: cannot be taken apart at \"%s\"",
				      rest);
		name[name_size] = '\0';
		if (value)
			value = unquote(value, value_size);
		ret = plan_option(plan, name, value);
		if (ret)
			return ret;
	}
}

/* A size beyond int, which fsconfig(2) takes, must not come out as a small one. */
static int check_sizes(const struct plan *plan)
{
	const struct param *param = plan->params;

	for (; param < plan->params + plan->count; param++)
		if (param->value && strlen(param->value) > BLOB_MAX)
			return refuse(EINVAL, "%s: longer than %d bytes",
				      param->name, BLOB_MAX);
	return 0;
}

static void plan_free(struct plan *plan)
{
	int saved = errno;

	free(plan->params);
	free(plan->text);
	errno = saved;
}

static size_t count_options(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

/* plan_free() is due in any case. */
static int plan_mount(struct plan *plan, const struct bpf_mount_opts *opts)
{
	const char *source = opts->source ? opts->source : "none";
	const char *options = opts->options ? opts->options : "";
	int err;

	if (strlen(source) >= STRING_MAX)
		return refuse(EINVAL, "source: longer than %d bytes",
			      STRING_MAX - 1);
	plan->attr = ATTR_ALWAYS;
	plan->text = strdup(options);
	/* and source, key, value, ro */
	plan->params = calloc(count_options(options) + 4,
			      sizeof(*plan->params));
	if (!plan->text || !plan->params)
		return refuse(ENOMEM, "options: %s", strerror(ENOMEM));
	add_param(plan, "source", source);
	if (opts->key)
		add_param(plan, "key", opts->key);
	if (opts->value)
		add_param(plan, "value", opts->value);
	err = plan_options(plan);
	if (err)
		return err;
	if (plan->attr & MOUNT_ATTR_RDONLY)
		add_param(plan, "ro", NULL);
	return check_sizes(plan);
}

/* --- Mounting --- */

/*
 * What the caller knows of the struct. Bytes that we do not know must be zero:
 * they would be options whose default is not what is wanted.
 */
static int take_opts(struct bpf_mount_opts *known,
		     const struct bpf_mount_opts *opts)
{
	const size_t end = offsetof(struct bpf_mount_opts,
				    bpf_mount_opts__last_field) +
			   sizeof(opts->bpf_mount_opts__last_field);
	size_t i;

	memset(known, 0, sizeof(*known));
	if (!opts)
		return 0;
	if (opts->sz < sizeof(opts->sz))
		return refuse(EINVAL, "opts: sz is not the struct's size");
	for (i = end; i < opts->sz; i++)
		if (((const char *)opts)[i])
			return refuse(E2BIG, "opts: made for a newer library than %s",
				      LIBBPFFS_VERSION);
	memcpy(known, opts, opts->sz < end ? opts->sz : end);
	return 0;
}

static int open_context(void)
{
	int fs = fsopen(FS_TYPE, FSOPEN_CLOEXEC);
	int err = errno;

	if (fs >= 0)
		return fs;
	switch (err) {
	case ENODEV:
		return refuse(err, "the kernel has no file system bpffs (modprobe bpffs)");
	case ENOSYS:
		return refuse(err, "the kernel has no fsopen(2)");
	case EPERM:
		return refuse(err, NEEDS_CAP);
	default:
		return refuse(err, "fsopen: %s", strerror(err));
	}
}

static int set_param(int fs, const struct param *param)
{
	size_t size;

	if (!param->value)
		return fsconfig(fs, FSCONFIG_SET_FLAG, param->name, NULL, 0);
	size = strlen(param->value);
	if (size < STRING_MAX)
		return fsconfig(fs, FSCONFIG_SET_STRING, param->name,
				param->value, 0);
	return fsconfig(fs, FSCONFIG_SET_BINARY, param->name, param->value,
			size);
}

static int configure(int fs, int fd, const struct plan *plan)
{
	size_t i;

	if (fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, fd)) {
		char number[16];

		snprintf(number, sizeof(number), "%d", fd);
		return refuse_step(fs, errno, "fd: descriptor ", number);
	}
	for (i = 0; i < plan->count; i++)
		if (set_param(fs, &plan->params[i]))
			return refuse_step(fs, errno, plan->params[i].name, "");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return refuse_step(fs, errno, "making the file system", "");
	return 0;
}

static int mount_plan(int fd, const struct plan *plan)
{
	int fs = open_context();
	int mnt;

	if (fs < 0)
		return fs;
	mnt = configure(fs, fd, plan);
	if (!mnt) {
		mnt = fsmount(fs, FSMOUNT_CLOEXEC, plan->attr);
		if (mnt < 0)
			mnt = refuse_step(fs, errno, "fsmount", "");
	}
	close_quietly(fs);
	return mnt;
}

/* Returns the mount's descriptor. */
static int mount_detached(int fd, const struct bpf_mount_opts *opts)
{
	struct bpf_mount_opts known;
	struct plan plan = {};
	int ret;

	if (fd < 0)
		return refuse(EBADF, "fd: %d is not a descriptor", fd);
	ret = take_opts(&known, opts);
	if (ret)
		return ret;
	ret = plan_mount(&plan, &known);
	if (!ret)
		ret = mount_plan(fd, &plan);
	plan_free(&plan);
	return ret;
}

int bpf_mount_fd_detached(int fd, const struct bpf_mount_opts *opts)
{
	last_error[0] = '\0';
	return mount_detached(fd, opts);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int attach(int mnt, const char *target)
{
	int err;

	/* Links are followed, as mount(2) does. */
	if (!move_mount(mnt, "", AT_FDCWD, target,
			MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS))
		return 0;
	err = errno;
	if (err == EPERM)
		return refuse(err, NEEDS_CAP);
	/* Of a file, move_mount(2) says EINVAL, which says nothing. */
	if (err == EINVAL && !is_directory(target))
		err = ENOTDIR;
	return refuse_path(err, target);
}

int bpf_mount_fd(int fd, const char *target, const struct bpf_mount_opts *opts)
{
	int err, mnt;

	last_error[0] = '\0';
	err = check_target(target);
	if (err)
		return err;
	mnt = mount_detached(fd, opts);
	if (mnt < 0)
		return mnt;
	err = attach(mnt, target);
	close_quietly(mnt);
	return err;
}

/* --- Unmounting --- */

/* 1: the root of a bpffs mount; 0: something else; or a negative errno */
static int is_bpffs_root(int fd)
{
	struct statfs fs;
	struct statx stx;

	/* First this one, which asks no server. */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &stx))
		return -errno;
	if (!(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (fstatfs(fd, &fs))
		return -errno;
	return fs.f_type == BPFFS_SUPER_MAGIC;
}

/* In which directory is the mount point @target? To be freed; NULL: errno. */
static char *parent_of(const char *target, const char **name)
{
	const char *slash = strrchr(target, '/');
	char *parent, *real;

	*name = slash ? slash + 1 : target;
	if (!slash)
		return realpath(".", NULL);
	parent = strndup(target, slash == target ? 1 : slash - target);
	real = parent ? realpath(parent, NULL) : NULL;
	free(parent);
	return real;
}

/* What is mounted there, as /proc/self/mountinfo has it? */
static int find_bpffs(const char *path)
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_fs *fs = NULL;
	int err = ENOMEM;

	if (table)
		err = -mnt_table_parse_file(table, "/proc/self/mountinfo");
	if (!err)
		fs = mnt_table_find_target(table, path, MNT_ITER_BACKWARD);
	if (!err && !(fs && mnt_fs_match_fstype(fs, FS_TYPE)))
		err = EINVAL;
	mnt_unref_table(table);
	return err;
}

/*
 * Any look at the mount is a use of it, and takes the mark of MNT_EXPIRE away.
 * So look only at the directory above it, and into the table of mounts.
 */
static int check_expire(const char *target)
{
	const char *name;
	char *parent = parent_of(target, &name);
	int err = 0;
	char *path;

	if (!parent)
		return refuse_path(errno, target);
	if (asprintf(&path, "%s/%s", strcmp(parent, "/") ? parent : "", name) < 0) {
		path = NULL;
		err = refuse_path(ENOMEM, target);
	} else if (!*name || find_bpffs(path)) {
		err = refuse(EINVAL, "%s: with MNT_EXPIRE, not the name of a bpffs mount",
			     target);
	}
	free(parent);
	free(path);
	return err;
}

static int check_open(const char *target, int flags)
{
	int fd, ret;

	fd = open(target, O_PATH | O_CLOEXEC |
		  (flags & UMOUNT_NOFOLLOW ? O_NOFOLLOW : 0));
	if (fd < 0)
		return refuse_path(errno, target);
	ret = is_bpffs_root(fd);
	/* Open, it would make the mount busy. */
	close(fd);
	if (ret < 0)
		return refuse_path(-ret, target);
	if (!ret)
		return refuse(EINVAL, "%s: not the root of a bpffs mount", target);
	return 0;
}

int bpf_umount(const char *target, int flags)
{
	int err;

	last_error[0] = '\0';
	err = check_target(target);
	if (err)
		return err;
	if (flags & ~UMOUNT_FLAGS)
		return refuse(EINVAL, "flags: %#x has unknown ones", flags);
	if (flags & MNT_EXPIRE && flags & (MNT_DETACH | MNT_FORCE))
		return refuse(EINVAL, "flags: MNT_EXPIRE goes with no detaching or forcing");
	err = flags & MNT_EXPIRE ? check_expire(target) :
				   check_open(target, flags);
	if (err)
		return err;
	if (!umount2(target, flags))
		return 0;
	switch (errno) {
	case EAGAIN:
		return refuse(EAGAIN, "%s: marked as expired, not unmounted yet",
			      target);
	case EBUSY:
		return refuse(EBUSY, "%s: in use", target);
	case EPERM:
		return refuse(EPERM, "unmounting needs CAP_SYS_ADMIN");
	default:
		return refuse_path(errno, target);
	}
}

/* --- What was said, and by whom --- */

const char *bpf_mount_error(void)
{
	return last_error;
}

const char *bpffs_version_string(void)
{
	return LIBBPFFS_VERSION;
}
