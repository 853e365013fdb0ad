// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a kernel asks of bpffs-fuse, by the messages that it sends: the front, above the
 * numbers of tests/fuse/items.c. Messages are whole, and name only nodes and open files
 * that the kernel has been told of, as often as it has been told: the rest is the input's.
 *
 * input: a byte that says what is asked, and bytes for what it is asked with.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES	16
#define OPENS	8

static struct {
	uint64_t id, lookups;
	bool is_dir;
} nodes[NODES];

static struct {
	uint64_t fh, node;
	bool is_dir, there;
} opens[OPENS];

static const uint8_t *now, *end;
static struct fuse_session *session;
static uint64_t unique;

/* --- What is answered --- */

static struct {
	int count, error;
	size_t size;
	char bytes[1 << 16];
} reply;

static ssize_t take_reply(int fd, struct iovec *iov, int count, void *userdata)
{
	struct fuse_out_header header;
	char all[sizeof(header) + sizeof(reply.bytes)];
	size_t size = 0;
	int i;

	(void)fd;
	(void)userdata;
	for (i = 0; i < count; i++) {
		if (size + iov[i].iov_len > sizeof(all))
			abort();
		memcpy(all + size, iov[i].iov_base, iov[i].iov_len);
		size += iov[i].iov_len;
	}
	memcpy(&header, all, sizeof(header));
	/* As the kernel checks them: EINVAL. */
	if (size < sizeof(header) || header.len != size || header.unique != unique ||
	    header.error > 0 || header.error <= -512 || (header.error && size > sizeof(header)))
		abort();
	reply.count++;
	reply.error = header.error;
	reply.size = size - sizeof(header);
	memcpy(reply.bytes, all + sizeof(header), reply.size);
	return size;
}

static ssize_t no_read(int fd, void *buf, size_t size, void *userdata)
{
	(void)fd;
	(void)buf;
	(void)size;
	(void)userdata;
	errno = EIO;
	return -1;
}

/* --- What is asked --- */

static unsigned int take(void)
{
	return now < end ? *now++ : 0;
}

static uint64_t take_long(void)
{
	static const uint64_t marks[] = { 0, 1, 2, 4096, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX };
	unsigned int byte = take();

	return byte < 200 ? byte : byte < 248 ? (uint64_t)byte << take() % 56 : marks[byte % 8];
}

static const char *take_name(void)
{
	static const char *const names[] = {
		"turn", "sub", "stream", "number", "a", "0", "1", "file", "new", ".", "..", "x y",
	};
	static char name[256];
	unsigned int byte = take(), len;

	if (byte < 200)
		return names[byte % (sizeof(names) / sizeof(*names))];
	len = byte < 250 ? byte % 8 + 1 : 255;
	memset(name, 'n', sizeof(name));
	name[0] = 'a' + take() % 26;
	name[len] = '\0';
	return name;
}

/* Return: has it been answered, without an error? */
static bool ask(uint32_t opcode, uint64_t node, const void *arg, size_t arg_size,
		const void *more, size_t more_size)
{
	struct fuse_in_header header = {
		.len = sizeof(header) + arg_size + more_size,
		.opcode = opcode,
		.unique = unique + 1,
		.nodeid = node,
		.pid = 1 + unique % 3,
	};
	struct fuse_buf buf = { .size = header.len, .mem = malloc(header.len) };
	bool none = opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET;

	unique++;
	memcpy(buf.mem, &header, sizeof(header));
	if (arg_size)
		memcpy((char *)buf.mem + sizeof(header), arg, arg_size);
	if (more_size)
		memcpy((char *)buf.mem + sizeof(header) + arg_size, more, more_size);
	memset(&reply, 0, offsetof(typeof(reply), bytes));
	fuse_session_process_buf(session, &buf);
	free(buf.mem);
	/* Once, or who asks waits for ever. */
	if (reply.count != !none)
		abort();
	return !none && !reply.error;
}

static int any_node(bool dir)
{
	int i = take() % NODES, tries;

	for (tries = 0; tries < NODES; tries++, i = (i + 1) % NODES)
		if (nodes[i].lookups && nodes[i].is_dir == dir)
			return i;
	return dir ? 0 : -1;
}

static int any_open(bool dir)
{
	int i = take() % OPENS, tries;

	for (tries = 0; tries < OPENS; tries++, i = (i + 1) % OPENS)
		if (opens[i].there && opens[i].is_dir == dir)
			return i;
	return -1;
}

static void forget(int i, uint64_t times)
{
	struct fuse_forget_in in = { .nlookup = times };

	nodes[i].lookups -= times;
	ask(FUSE_FORGET, nodes[i].id, &in, sizeof(in), NULL, 0);
}

/* Where the kernel has no more room, it forgets at once. */
static void knows(const struct fuse_entry_out *out)
{
	struct fuse_forget_in in = { .nlookup = 1 };
	int i, free_one = -1;

	if (!out->nodeid)
		return;
	for (i = 0; i < NODES; i++) {
		if (nodes[i].lookups && nodes[i].id == out->nodeid) {
			nodes[i].lookups++;
			return;
		}
		if (i && !nodes[i].lookups)
			free_one = i;
	}
	if (free_one < 0) {
		ask(FUSE_FORGET, out->nodeid, &in, sizeof(in), NULL, 0);
		return;
	}
	nodes[free_one].id = out->nodeid;
	nodes[free_one].lookups = 1;
	nodes[free_one].is_dir = (out->attr.mode & 0170000) == 0040000;
}

static bool is_open(uint64_t node)
{
	int i;

	for (i = 0; i < OPENS; i++)
		if (opens[i].there && opens[i].node == node)
			return true;
	return false;
}

static void close_one(int i)
{
	struct fuse_release_in release = { .fh = opens[i].fh };

	ask(opens[i].is_dir ? FUSE_RELEASEDIR : FUSE_RELEASE, opens[i].node, &release,
	    sizeof(release), NULL, 0);
	opens[i].there = false;
}

static void has_opened(uint64_t node, bool dir, const struct fuse_open_out *out)
{
	int i;

	for (i = 0; i < OPENS && opens[i].there; i++)
		;
	if (i == OPENS)
		close_one(i = 0);
	opens[i].fh = out->fh;
	opens[i].node = node;
	opens[i].is_dir = dir;
	opens[i].there = true;
}

static void ask_names(unsigned int what)
{
	int dir = any_node(true);
	const char *name = take_name();
	size_t len = strlen(name) + 1;
	struct fuse_create_in create = {};
	struct fuse_entry_out entry;
	struct fuse_open_out out;
	char rename[sizeof(struct fuse_rename2_in) + 600] = {};

	switch (what % 6) {
	case 0:
	case 1:
		if (ask(FUSE_LOOKUP, nodes[dir].id, NULL, 0, name, len))
			knows((void *)memcpy(&entry, reply.bytes, sizeof(entry)));
		break;
	case 2:
		create.flags = take_long() & ~(uint32_t)O_NOCTTY;
		create.mode = S_IFREG | 0644;
		if (ask(FUSE_CREATE, nodes[dir].id, &create, sizeof(create), name, len)) {
			memcpy(&entry, reply.bytes, sizeof(entry));
			memcpy(&out, reply.bytes + sizeof(entry), sizeof(out));
			knows(&entry);
			has_opened(entry.nodeid, false, &out);
		}
		break;
	case 3:
		ask(FUSE_UNLINK, nodes[dir].id, NULL, 0, name, len);
		break;
	case 4:
		ask(FUSE_RMDIR, nodes[dir].id, NULL, 0, name, len);
		break;
	default:
		((struct fuse_rename2_in *)rename)->newdir = nodes[any_node(true)].id;
		memcpy(rename + sizeof(struct fuse_rename2_in), name, len);
		memcpy(rename + sizeof(struct fuse_rename2_in) + len, "to", 3);
		ask(FUSE_RENAME2, nodes[dir].id, rename, sizeof(struct fuse_rename2_in) + len + 3,
		    NULL, 0);
	}
}

static void ask_node(unsigned int what)
{
	int i = any_node(what & 8), open = any_open(false);
	struct fuse_getattr_in getattr = {};
	struct fuse_setattr_in setattr = {};
	struct fuse_open_in in = {};
	struct fuse_open_out out;

	if (i < 0)
		return;
	/* Of the open file, if it is that one's. */
	if (open >= 0 && opens[open].node == nodes[i].id && what & 16) {
		getattr.getattr_flags = FUSE_GETATTR_FH;
		getattr.fh = setattr.fh = opens[open].fh;
		setattr.valid = FATTR_FH;
	}
	switch (what % 4) {
	case 0:
		ask(FUSE_GETATTR, nodes[i].id, &getattr, sizeof(getattr), NULL, 0);
		break;
	case 1:
		setattr.valid |= take_long() & 0x7ff & ~(uint64_t)FATTR_FH;
		setattr.size = take_long();
		setattr.mode = take();
		ask(FUSE_SETATTR, nodes[i].id, &setattr, sizeof(setattr), NULL, 0);
		break;
	case 2:
		in.flags = nodes[i].is_dir ? O_DIRECTORY : take_long() & ~(uint64_t)(O_CREAT | O_EXCL);
		if (ask(nodes[i].is_dir ? FUSE_OPENDIR : FUSE_OPEN, nodes[i].id, &in, sizeof(in),
			NULL, 0))
			has_opened(nodes[i].id, nodes[i].is_dir,
				   memcpy(&out, reply.bytes, sizeof(out)));
		break;
	default:
		/* The kernel keeps what is open. */
		if (i && !is_open(nodes[i].id))
			forget(i, 1 + take() % nodes[i].lookups);
	}
}

static void ask_file(unsigned int what)
{
	int i = any_open(false);
	struct fuse_read_in read = {};
	struct fuse_write_in write = {};
	struct fuse_flush_in flush = {};
	struct fuse_fsync_in fsync = {};
	struct fuse_lseek_in lseek = {};
	char text[64] = "12\n";
	size_t n;

	if (i < 0)
		return;
	switch (what % 6) {
	case 0:
		read.fh = opens[i].fh;
		read.offset = take_long() & INT64_MAX;
		read.size = take_long() % 4097;
		if (ask(FUSE_READ, opens[i].node, &read, sizeof(read), NULL, 0) &&
		    reply.size > read.size)
			abort();
		break;
	case 1:
		write.fh = opens[i].fh;
		write.offset = take() & 3 ? 0 : take_long() & INT64_MAX;
		write.size = 3;
		for (n = take() % sizeof(text); n; n--)
			text[write.size++ % sizeof(text)] = take();
		write.size = write.size > sizeof(text) ? sizeof(text) : write.size;
		if (ask(FUSE_WRITE, opens[i].node, &write, sizeof(write), text, write.size) &&
		    ((struct fuse_write_out *)reply.bytes)->size > write.size)
			abort();
		break;
	case 2:
		flush.fh = opens[i].fh;
		ask(FUSE_FLUSH, opens[i].node, &flush, sizeof(flush), NULL, 0);
		break;
	case 3:
		fsync.fh = opens[i].fh;
		ask(FUSE_FSYNC, opens[i].node, &fsync, sizeof(fsync), NULL, 0);
		break;
	case 4:
		lseek.fh = opens[i].fh;
		lseek.offset = take_long();
		lseek.whence = take() % 6;
		ask(FUSE_LSEEK, opens[i].node, &lseek, sizeof(lseek), NULL, 0);
		break;
	default:
		close_one(i);
	}
}

static void ask_directory(unsigned int what)
{
	int i = any_open(true);
	struct fuse_read_in read = {};

	if (what & 1)
		ask(FUSE_STATFS, FUSE_ROOT_ID, NULL, 0, NULL, 0);
	if (i < 0)
		return;
	read.fh = opens[i].fh;
	read.offset = take_long() & INT64_MAX;
	read.size = take_long() % 4097;
	if (ask(FUSE_READDIR, opens[i].node, &read, sizeof(read), NULL, 0) && reply.size > read.size)
		abort();
	if (!(what & 14))
		close_one(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fuse_custom_io io = { .writev = take_reply, .read = no_read };
	struct fuse_init_in init = {
		.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = 131072,
		.flags = FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_ASYNC_READ | FUSE_POSIX_LOCKS,
	};
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct front_options options = { .source = "none" };
	struct front *front;
	char why[4096] = "";
	unsigned int what;
	int i;

	if (front_open(&front, &options, why, sizeof(why)))
		abort();
	if (fuse_opt_add_arg(&args, "requests"))
		abort();
	session = fuse_session_new(&args, &front_ops, sizeof(front_ops), front);
	fuse_opt_free_args(&args);
	if (!session || fuse_session_custom_io(session, &io, open("/dev/null", O_RDWR | O_CLOEXEC)))
		abort();
	memset(nodes, 0, sizeof(nodes));
	memset(opens, 0, sizeof(opens));
	nodes[0].id = FUSE_ROOT_ID;
	nodes[0].lookups = 1;
	nodes[0].is_dir = true;
	now = data;
	end = data + size;
	if (!ask(FUSE_INIT, 0, &init, sizeof(init), NULL, 0))
		abort();
	while (now < end) {
		what = take();
		switch (what >> 6) {
		case 0:
			ask_names(what);
			break;
		case 1:
			ask_node(what);
			break;
		case 2:
			ask_file(what);
			break;
		default:
			ask_directory(what);
		}
	}
	/* The mount goes: what is open is closed, or not. */
	for (i = 0; i < OPENS; i++)
		if (opens[i].there && !(size & 1))
			close_one(i);
	for (i = 1; i < NODES; i++)
		if (nodes[i].lookups && !is_open(nodes[i].id))
			forget(i, nodes[i].lookups);
	front_over(front);
	fuse_session_destroy(session);
	front_close(front);
	return 0;
}
