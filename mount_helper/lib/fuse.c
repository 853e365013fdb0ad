// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * Mounting without the module: a FUSE mount, which is made here, as it belongs to
 * whoever calls, and bpffs-fuse, which serves it. Who may not mount leaves that to
 * fusermount3(1), which bpffs-fuse calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "internal.h"
#include "object.h"

/* Descriptors from here on are above those that the daemon is started with. */
#define ABOVE_DAEMON	16

const char *libbpffs_fuse_daemon(void)
{
	/* For tests; never of a set-uid program's user. */
	const char *path = secure_getenv("BPFFS_FUSE_DAEMON");

	return path ?: LIBEXECDIR "/bpffs-fuse";
}

bool libbpffs_has_fuse(void)
{
	return !access(libbpffs_fuse_daemon(), X_OK);
}

static void close_quietly(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* --- The daemon --- */

static int write_string(FILE *file, const char *text)
{
	return fwrite(text, strlen(text) + 1, 1, file) == 1 ? 0 : -EIO;
}

static int write_option(FILE *file, const struct libbpffs_param *param)
{
	if (!strcmp(param->name, "source"))
		return 0;
	if (fputs(param->name, file) < 0 || (param->value && fputc('=', file) < 0))
		return -EIO;
	return write_string(file, param->value ?: "");
}

static const char *source_of(const struct libbpffs_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!strcmp(plan->params[i].name, "source"))
			return plan->params[i].value ?: "";
	return "none";
}

/* A descriptor of a file with what daemon.h says. */
static int write_options(const struct libbpffs_plan *plan, const char *device,
			 const char *directory)
{
	int fd = memfd_create("bpffs-options", MFD_CLOEXEC);
	int copy = fd >= 0 ? dup(fd) : -1;
	FILE *file = copy >= 0 ? fdopen(copy, "w") : NULL;
	int err = file ? 0 : -1;
	size_t i;

	if (!file)
		close_quietly(copy);
	else
		err = write_string(file, source_of(plan)) ?: write_string(file, device) ?:
		      write_string(file, directory);
	for (i = 0; !err && i < plan->count; i++)
		err = write_option(file, &plan->params[i]);
	if (file && fclose(file))
		err = -1;
	if (!err && !lseek(fd, 0, SEEK_SET))
		return fd;
	err = libbpffs_refuse(errno ?: EIO, "options: %s", strerror(errno ?: EIO));
	close_quietly(fd);
	return err;
}

/* Each is put where the daemon looks for it; @from: -1 is none */
static int place(posix_spawn_file_actions_t *actions, int from, int to, int *copy)
{
	if (from < 0)
		return 0;
	*copy = fcntl(from, F_DUPFD_CLOEXEC, ABOVE_DAEMON);
	/* EINVAL: RLIMIT_NOFILE is not above it. */
	if (*copy < 0)
		return errno == EINVAL ? EMFILE : errno;
	return posix_spawn_file_actions_adddup2(actions, *copy, to);
}

/* Nothing of the caller's: neither what is blocked nor what is ignored. */
static int set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	return posix_spawnattr_setsigmask(attr, &none) ?:
	       posix_spawnattr_setsigdefault(attr, &all) ?:
	       posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* @fds: by their numbers for the daemon, from DAEMON_OBJECT on. A positive errno. */
static int start(pid_t *pid, const char *source, const int fds[4])
{
	const char * const argv[] = { "bpffs-fuse", source, NULL };
	int copies[4] = { -1, -1, -1, -1 };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int err, i;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return err;
	err = posix_spawnattr_init(&attr);
	if (!err) {
		err = set_signals(&attr);
		for (i = 0; !err && i < 4; i++)
			err = place(&actions, fds[i], DAEMON_OBJECT + i, &copies[i]);
		if (!err)
			err = posix_spawn(pid, libbpffs_fuse_daemon(), &actions, &attr,
					  (char **)argv, environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&actions);
	for (i = 0; i < 4; i++)
		close_quietly(copies[i]);
	return err;
}

/* Until the mount stands, or was refused. */
static int hear(int report_fd, char note[LIBBPFFS_NOTE])
{
	struct daemon_report report;
	ssize_t n;

	do {
		n = read(report_fd, &report, sizeof(report));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(report))
		return libbpffs_refuse(EIO, "%s ended before the mount stood",
				       libbpffs_fuse_daemon());
	report.sentence[sizeof(report.sentence) - 1] = '\0';
	if (!report.err) {
		snprintf(note, LIBBPFFS_NOTE, "%.*s", LIBBPFFS_NOTE - 1, report.sentence);
		return 0;
	}
	return libbpffs_refuse(report.err, "%s", report.sentence);
}

/* It has gone on in the background, or has ended. */
static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* @fuse: -1 if the daemon is to mount */
static int run_daemon(int object, int fuse, struct libbpffs_plan *plan,
		      const char *device, const char *directory)
{
	int options, report[2], err;
	pid_t pid;

	options = write_options(plan, device, directory);
	if (options < 0)
		return options;
	if (pipe2(report, O_CLOEXEC)) {
		err = libbpffs_refuse(errno, "pipe: %s", strerror(errno));
		close_quietly(options);
		return err;
	}
	err = start(&pid, source_of(plan), (int []){ object, report[1], options, fuse });
	close(report[1]);
	close(options);
	if (err) {
		err = libbpffs_refuse(err, "%s: %s", libbpffs_fuse_daemon(), strerror(err));
	} else {
		err = hear(report[0], plan->note);
		reap(pid);
	}
	close_quietly(report[0]);
	return err;
}

/* --- The mount --- */

static int open_device(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	int err = errno;

	if (fd >= 0)
		return fd;
	if (err == ENOENT || err == ENODEV || err == ENXIO)
		return libbpffs_refuse(err, "the kernel has no FUSE (modprobe fuse)");
	return libbpffs_refuse_path(err, "/dev/fuse");
}

static int set_number(int fs, const char *name, const char *format, unsigned int number)
{
	struct libbpffs_param param = { .name = name };
	char text[16];

	snprintf(text, sizeof(text), format, number);
	param.value = text;
	return libbpffs_set_param(fs, &param) ? libbpffs_refuse_step(fs, errno, name) : 0;
}

static int set_option(int fs, const char *name, const char *value)
{
	const struct libbpffs_param param = { name, value };

	return libbpffs_set_param(fs, &param) ? libbpffs_refuse_step(fs, errno, name) : 0;
}

/* Who may do what is in the permissions of the files, as with the module. */
static int configure(int fs, int fuse, const struct libbpffs_plan *plan)
{
	int err;

	err = set_option(fs, "source", source_of(plan)) ?:
	      set_option(fs, "subtype", FS_TYPE) ?:
	      set_number(fs, "fd", "%u", fuse) ?:
	      set_number(fs, "rootmode", "%o", S_IFDIR) ?:
	      set_number(fs, "user_id", "%u", geteuid()) ?:
	      set_number(fs, "group_id", "%u", getegid()) ?:
	      set_option(fs, "default_permissions", NULL) ?:
	      set_option(fs, "allow_other", NULL);
	if (!err && plan->attr & MOUNT_ATTR_RDONLY)
		err = set_option(fs, "ro", NULL);
	if (!err && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		err = libbpffs_refuse_step(fs, errno, "making the file system");
	return err;
}

/* "0:52", without asking whoever serves it */
static int device_of(int mnt, char *text, size_t size)
{
	struct statx stx;

	if (statx(mnt, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &stx))
		return libbpffs_refuse(errno, "statx: %s", strerror(errno));
	snprintf(text, size, "%u:%u", stx.stx_dev_major, stx.stx_dev_minor);
	return 0;
}

/* Takes @fs. Returns the mount's descriptor. */
static int make_mount(int fs, int object, struct libbpffs_plan *plan)
{
	int fuse = open_device();
	int mnt, err = fuse < 0 ? fuse : configure(fs, fuse, plan);
	char device[32];

	mnt = err ?: fsmount(fs, FSMOUNT_CLOEXEC, plan->attr);
	if (!err && mnt < 0)
		mnt = libbpffs_refuse_step(fs, errno, "fsmount");
	close_quietly(fs);
	if (mnt >= 0) {
		err = device_of(mnt, device, sizeof(device)) ?:
		      run_daemon(object, fuse, plan, device, "");
		if (err) {
			close_quietly(mnt);
			mnt = err;
		}
	}
	close_quietly(fuse);
	return mnt;
}

static bool is_frozen(int object)
{
	char path[40], *line = NULL;
	bool frozen = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", object);
	file = fopen(path, "re");
	while (file && !frozen && getline(&line, &size, file) > 0)
		frozen = !strcmp(line, "frozen:\t1\n");
	free(line);
	if (file)
		fclose(file);
	return frozen;
}

/* Whatever the mount's options say, as with the module. */
static bool only_reads(int object)
{
	return libbpffs_kind_of(object) == LIBBPFFS_MAP &&
	       ((fcntl(object, F_GETFL) & O_ACCMODE) == O_RDONLY || is_frozen(object));
}

/* fusermount3(1) mounts on a directory, and nowhere else. */
static int mount_on_directory(int object, struct libbpffs_plan *plan)
{
	char *directory;
	int err;

	if (!plan->directory)
		return libbpffs_refuse(EPERM, NEEDS_CAP);
	directory = realpath(plan->directory, NULL);
	if (!directory)
		return libbpffs_refuse_path(errno, plan->directory);
	err = run_daemon(object, -1, plan, "", directory);
	free(directory);
	plan->mounted = !err;
	return err;
}

int libbpffs_mount_fuse(int object, struct libbpffs_plan *plan)
{
	int fs;

	if (plan->pin)
		return libbpffs_refuse(EOPNOTSUPP,
				       "pin: only the module has .bpf/pin; without it there is pinonly");
	if (!libbpffs_has_fuse())
		return libbpffs_refuse(ENODEV, "backend=fuse: there is no %s (package bpffs-fuse)",
				       libbpffs_fuse_daemon());
	if (only_reads(object)) {
		plan->attr |= MOUNT_ATTR_RDONLY;
		libbpffs_plan_add(plan, "ro", NULL);
	}
	fs = fsopen("fuse", FSOPEN_CLOEXEC);
	if (fs >= 0)
		return make_mount(fs, object, plan);
	switch (errno) {
	case EPERM:
		return mount_on_directory(object, plan);
	case ENODEV:
		return libbpffs_refuse(ENODEV, "the kernel has no FUSE (modprobe fuse)");
	default:
		return libbpffs_refuse(errno, "fsopen of type fuse: %s", strerror(errno));
	}
}
