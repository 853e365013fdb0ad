/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test programs share: maps, mounts, files. */
#ifndef _BPFFS_TESTS_UTIL_H
#define _BPFFS_TESTS_UTIL_H

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libbpffs.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"

/* A guard against hanging, not a measurement: the debug kernel is slow. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

/* Where tests mount; a directory of the guest. */
#define MNT	"/mnt"

/* The hex text of a number below 256, as two digits, of four and of eight bytes. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HEX32(digits)	digits "000000"
#define HEX64(digits)	digits "00000000000000"
#else
#define HEX32(digits)	"000000" digits
#define HEX64(digits)	"00000000000000" digits
#endif

/*
 * Of so many elements or tries, those that there is time for: a kernel that looks for
 * mistakes needs ten times as long for each.
 */
static inline long scaled(long many)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ? many : many / 10;
}

/* The next number of those that the seed in *@state makes, which is not 0: xorshift. */
static inline __u32 random_below(__u64 *state, __u32 below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % below;
}

/* The sentences of the last fs_context, one a line. */
static char refusal[2048];

/* A mount namespace of one's own, whose mounts nobody else sees. */
static inline int private_mounts(void)
{
	if (unshare(CLONE_NEWNS))
		return -errno;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -errno : 0;
}

static inline int make_map(enum bpf_map_type type, __u32 key, __u32 value,
			   __u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);

	return bpf_map_create(type, "conns", key, value, entries, &opts);
}

static inline int make_hash(__u32 entries)
{
	return make_map(BPF_MAP_TYPE_HASH, 4, 8, entries, 0);
}

static inline int put(int map, __u32 key, __u64 value)
{
	return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

/* The value, or ~0 if there is no such element. */
static inline __u64 get(int map, __u32 key)
{
	__u64 value;

	return bpf_map_lookup_elem(map, &key, &value) ? ~0ULL : value;
}

static inline __u32 map_id(int map)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(map, &info, &len) ? 0 : info.id;
}

/* A program that only returns. */
static inline int make_prog(enum bpf_prog_type type)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, "pass", "GPL", insns, 2, NULL);
}

/* Of a program that nothing else holds, in a network of its own. */
static inline int make_xdp_link(void)
{
	int prog = unshare(CLONE_NEWNET) ? -1 : make_prog(BPF_PROG_TYPE_XDP);
	int link = prog < 0 ? -1 : bpf_link_create(prog, 1, BPF_XDP, NULL);

	if (prog >= 0)
		close(prog);
	return link;
}

/* The last reference may be dropped a moment after umount: wait for it. */
static inline bool is_gone(int (*get_fd_by_id)(__u32 id), __u32 id)
{
	int tries, fd;

	for (tries = 0; tries < 500; tries++) {
		fd = get_fd_by_id(id);
		if (fd < 0 && errno == ENOENT)
			return true;
		if (fd >= 0)
			close(fd);
		usleep(10000);
	}
	return false;
}

static inline bool map_is_gone(__u32 id)
{
	return is_gone(bpf_map_get_fd_by_id, id);
}

static inline void read_refusal(int fs)
{
	char line[1024];
	ssize_t len;

	refusal[0] = '\0';
	while ((len = read(fs, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		strncat(refusal, line, sizeof(refusal) - strlen(refusal) - 1);
	}
}

/* Give the options "name=value,flag" to a context. */
static inline int set_options(int fs, const char *options)
{
	char copy[1024], *rest = copy, *name, *value;

	snprintf(copy, sizeof(copy), "%s", options);
	while ((name = strsep(&rest, ","))) {
		if (!*name)
			continue;
		value = strchr(name, '=');
		if (value)
			*value++ = '\0';
		if (fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			     name, value, 0))
			return -errno;
	}
	return 0;
}

/* Do the tests run against FUSE, and not against the module? */
static inline bool is_fuse(void)
{
	const char *backend = getenv("BACKEND");

	return backend && !strcmp(backend, "fuse");
}

/* As /proc/mounts has it. */
static inline const char *fs_type(void)
{
	return is_fuse() ? "fuse.bpffs" : "bpffs";
}

/* By the library, as every program does it. */
static inline int mount_fd_fuse(int fd, const char *target, const char *options)
{
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .options = options, .backend = "fuse" };
	int err = bpf_mount_fd(fd, target, &opts);

	snprintf(refusal, sizeof(refusal), "%s\n", bpf_mount_error());
	return err;
}

/* By the system calls; of a negative @fd, the number is in @options. */
static inline int mount_fd_kernel(int fd, const char *target, const char *options)
{
	int fs = fsopen("bpffs", FSOPEN_CLOEXEC);
	int mnt = -1;
	int err = 0;

	if (fs < 0)
		return -errno;
	if (fd >= 0 && fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, fd))
		err = -errno;
	if (!err)
		err = set_options(fs, options);
	if (!err && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		err = -errno;
	read_refusal(fs);
	if (!err) {
		mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		if (mnt < 0)
			err = -errno;
	}
	if (!err && move_mount(mnt, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH))
		err = -errno;
	if (mnt >= 0)
		close(mnt);
	close(fs);
	return err;
}

/* Mount @fd at @target; fills refusal. */
static inline int mount_fd(int fd, const char *target, const char *options)
{
	return is_fuse() ? mount_fd_fuse(fd, target, options) :
			   mount_fd_kernel(fd, target, options);
}

static inline const char *at(const char *fmt, ...)
{
	static char path[4][512];
	static int next;
	char *buf = path[next++ % 4];
	va_list args;
	int len;

	len = snprintf(buf, sizeof(path[0]), "%s/", MNT);
	va_start(args, fmt);
	vsnprintf(buf + len, sizeof(path[0]) - len, fmt, args);
	va_end(args);
	return buf;
}

/* The text of a file, "ERRNO NAME" if it cannot be read. */
static inline const char *text_of(const char *path)
{
	static char text[65536];
	ssize_t len;
	int fd = open(path, O_RDONLY);

	if (fd < 0) {
		snprintf(text, sizeof(text), "open: %s", strerror(errno));
		return text;
	}
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		snprintf(text, sizeof(text), "read: %s", strerror(errno));
	else
		text[len] = '\0';
	close(fd);
	return text;
}

/* As a shell's > does it; the errno of the first step that fails, negative. */
static inline int write_to(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | flags, 0644);
	ssize_t len;
	int err = 0;

	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	if (len < 0)
		err = -errno;
	else if ((size_t)len != strlen(text))
		err = -EIO;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static inline int errno_of(int result)
{
	return result < 0 ? errno : 0;
}

static inline int file_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

/* How many names a directory lists; -1 if it cannot be listed. */
static inline long count_names(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	long count = 0;

	if (!dir)
		return -1;
	errno = 0;
	while ((entry = readdir(dir)))
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	if (errno)
		count = -1;
	closedir(dir);
	return count;
}

/* Run a shell command; its exit status. */
static inline int sh(const char *fmt, ...)
{
	char command[2048];
	va_list args;
	int status;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	fflush(stdout);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#endif
