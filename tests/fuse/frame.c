// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file system for the frame of bpffs-fuse, so that start, confinement and end can be
 * tested by themselves: "first" is the element 0 of an array as a number, "calls" says
 * what is left to a process that was broken into.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "daemon.h"
#include "serve.h"

enum { ROOT = FUSE_ROOT_ID, FIRST, CALLS };

struct front {
	int object;
	uid_t uid;
	gid_t gid;
};

int front_open(struct front **front, const struct front_options *options, char *refusal,
	       size_t size)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	size_t i;

	if (bpf_obj_get_info_by_fd(DAEMON_OBJECT, &info, &len)) {
		snprintf(refusal, size, "fd: not a BPF map, program or link");
		return -EINVAL;
	}
	for (i = 0; i < options->count; i++)
		if (!strncmp(options->option[i], "mode=9", 6)) {
			snprintf(refusal, size, "mode: \"%s\" is refused", options->option[i]);
			return -EINVAL;
		}
	if (getenv("FRONT_DIES"))
		abort();
	*front = malloc(sizeof(**front));
	(*front)->object = DAEMON_OBJECT;
	(*front)->uid = getuid();
	(*front)->gid = getgid();
	return 0;
}

void front_forget_names(struct front *front, struct fuse_session *session)
{
	(void)front;
	(void)session;
}

void front_over(struct front *front)
{
	(void)front;
}

void front_close(struct front *front)
{
	free(front);
}

uint64_t front_capabilities(const struct front *front)
{
	(void)front;
	return 0;
}

static void fill(fuse_req_t req, fuse_ino_t ino, struct stat *st)
{
	const struct front *front = fuse_req_userdata(req);

	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = ino == ROOT ? S_IFDIR | 0755 : S_IFREG | 0644;
	st->st_nlink = 1;
	st->st_uid = front->uid;
	st->st_gid = front->gid;
}

static void front_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {};

	entry.ino = !strcmp(name, "first") ? FIRST : !strcmp(name, "calls") ? CALLS : 0;
	if (parent != ROOT || !entry.ino) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	fill(req, entry.ino, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static void front_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
	struct stat st;

	(void)file;
	fill(req, ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void front_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int what,
			  struct fuse_file_info *file)
{
	(void)attr;
	(void)what;
	front_getattr(req, ino, file);
}

static void front_open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
	(void)ino;
	file->direct_io = 1;
	fuse_reply_open(req, file);
}

static const char *word(long ret)
{
	return ret >= 0 ? "works" : errno == ENOSYS ? "ENOSYS" : strerror(errno);
}

static int show_calls(char *text, size_t size)
{
	union bpf_attr attr = {};
	void *memory;
	int len;

	len = snprintf(text, size, "openat %s\n", word(open("/etc/passwd", O_RDONLY)));
	len += snprintf(text + len, size - len, "socket %s\n",
			word(socket(AF_INET, SOCK_STREAM, 0)));
	len += snprintf(text + len, size - len, "fork %s\n", word(syscall(SYS_fork)));
	len += snprintf(text + len, size - len, "execve %s\n",
			word(syscall(SYS_execve, "/bin/true", NULL, NULL)));
	len += snprintf(text + len, size - len, "kill %s\n", word(kill(1, 0)));
	len += snprintf(text + len, size - len, "ptrace %s\n", word(syscall(SYS_ptrace, 0)));
	len += snprintf(text + len, size - len, "umount2 %s\n",
			word(syscall(SYS_umount2, "/", 0)));
	len += snprintf(text + len, size - len, "bpf-map-create %s\n",
			word(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr))));
	len += snprintf(text + len, size - len, "bpf-prog-load %s\n",
			word(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr))));
	memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	len += snprintf(text + len, size - len, "mmap-exec %s\n",
			word(memory == MAP_FAILED ? -1 : 0));
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	len += snprintf(text + len, size - len, "mmap %s\n",
			word(memory == MAP_FAILED ? -1 : 0));
	munmap(memory, 4096);
	return len;
}

static void front_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		       struct fuse_file_info *file)
{
	struct front *front = fuse_req_userdata(req);
	unsigned long long value = 0;
	char text[1024];
	__u32 key = 0;
	int len;

	(void)file;
	if (ino == FIRST && bpf_map_lookup_elem(front->object, &key, &value)) {
		fuse_reply_err(req, errno);
		return;
	}
	len = ino == CALLS ? show_calls(text, sizeof(text)) :
			     snprintf(text, sizeof(text), "%llu\n", value);
	if (off >= len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, text + off, len - off < (off_t)size ? len - off : (off_t)size);
}

static void front_write(fuse_req_t req, fuse_ino_t ino, const char *text, size_t size,
			off_t off, struct fuse_file_info *file)
{
	struct front *front = fuse_req_userdata(req);
	unsigned long long value = strtoull(text, NULL, 10);
	__u32 key = 0;

	(void)file;
	if (ino != FIRST || off || bpf_map_update_elem(front->object, &key, &value, BPF_ANY))
		fuse_reply_err(req, ino != FIRST || off ? EINVAL : errno);
	else
		fuse_reply_write(req, size);
}

const struct fuse_lowlevel_ops front_ops = {
	.lookup = front_lookup,
	.getattr = front_getattr,
	.setattr = front_setattr,
	.open = front_open_file,
	.read = front_read,
	.write = front_write,
};
