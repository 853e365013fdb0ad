// SPDX-License-Identifier: GPL-2.0-only
/* Element files: each row of the table of operations. */
#include "util.h"

#include <bpf/btf.h>
#include <libbpffs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <time.h>
#include <utime.h>

#ifndef FICLONE
#define FICLONE	_IOW(0x94, 9, int)
#endif

struct value {
	__u64 packets;
	__u64 bytes;
};

#define OPTIONS	"key=u32,value=packets=u64:bytes=u64"

FIXTURE(element) {
	int map;
};

FIXTURE_VARIANT(element) {
	enum bpf_map_type type;
	__u32 flags;
};

FIXTURE_VARIANT_ADD(element, hash) { .type = BPF_MAP_TYPE_HASH };
FIXTURE_VARIANT_ADD(element, hash_no_prealloc) {
	.type = BPF_MAP_TYPE_HASH, .flags = BPF_F_NO_PREALLOC
};
FIXTURE_VARIANT_ADD(element, lru_hash) { .type = BPF_MAP_TYPE_LRU_HASH };
FIXTURE_VARIANT_ADD(element, array) { .type = BPF_MAP_TYPE_ARRAY };

static int set(int map, __u32 key, __u64 packets, __u64 bytes)
{
	struct value value = { packets, bytes };

	return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

/* "packets bytes", or "none". */
static const char *is(int map, __u32 key)
{
	static char text[64];
	struct value value;

	if (bpf_map_lookup_elem(map, &key, &value))
		return "none";
	snprintf(text, sizeof(text), "%llu %llu", value.packets, value.bytes);
	return text;
}

static const char *error_log(void)
{
	return text_of(at(".bpf/error"));
}

/* It may be about to be; what never comes takes ten seconds. */
static bool is_logged(const char *text)
{
	int i;

	for (i = 0; i < 1000 && !strstr(error_log(), text); i++)
		usleep(10000);
	return i < 1000;
}

FIXTURE_SETUP(element)
{
	ASSERT_EQ(0, private_mounts());
	/* An LRU list evicts before it is full. */
	self->map = make_map(variant->type, 4, 16,
			     variant->type == BPF_MAP_TYPE_LRU_HASH ? 1000 : 8,
			     variant->flags);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, set(self->map, 1, 10, 20));
	ASSERT_EQ(0, mount_fd(self->map, MNT, OPTIONS));
}

FIXTURE_TEARDOWN(element)
{
}

/* --- Reading --- */

TEST_F(element, read)
{
	EXPECT_STREQ("packets=10\nbytes=20\n", text_of(at("1")));
	EXPECT_STREQ(variant->type == BPF_MAP_TYPE_ARRAY ? "packets=0\nbytes=0\n" :
		     "open: No such file or directory", text_of(at("2")));
}

/* One sample an open file; a read at the start after that samples anew. */
TEST_F(element, sample)
{
	char text[64] = "";
	struct stat st;
	int fd = open(at("1"), O_RDONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(20, st.st_size);
	ASSERT_EQ(0, set(self->map, 1, 1000000, 2000000));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(20, st.st_size);
	EXPECT_EQ(20, read(fd, text, sizeof(text)));
	EXPECT_EQ(0, strncmp(text, "packets=10\nbytes=20\n", 20));
	EXPECT_EQ(0, read(fd, text, sizeof(text)));
	EXPECT_EQ(30, pread(fd, text, sizeof(text), 0));
	EXPECT_EQ(0, strncmp(text, "packets=1000000\nbytes=2000000\n", 30));
	EXPECT_EQ(3, pread(fd, text, 3, 8));
	EXPECT_EQ(0, strncmp(text, "100", 3));
	EXPECT_EQ(30, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(0, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(30, lseek(fd, 0, SEEK_HOLE));
	close(fd);
}

TEST_F(element, stat)
{
	struct stat a, b;

	ASSERT_EQ(0, stat(at("1"), &a));
	usleep(20000);
	ASSERT_EQ(0, stat(at("1"), &b));
	EXPECT_EQ(20, a.st_size);
	EXPECT_EQ(a.st_ino, b.st_ino);
	EXPECT_EQ(1, a.st_nlink);
	EXPECT_EQ(0, a.st_ctim.tv_sec - b.st_ctim.tv_sec);
	EXPECT_EQ(0, a.st_ctim.tv_nsec - b.st_ctim.tv_nsec);
	EXPECT_TRUE(a.st_mtim.tv_sec != b.st_mtim.tv_sec ||
		    a.st_mtim.tv_nsec != b.st_mtim.tv_nsec);
	/* No file is a hole. */
	EXPECT_EQ(1, b.st_blocks);
}

static bool same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Who looks before and after reading, as tar 1.35 does, sees that nothing has changed. */
TEST_F(element, unchanged_while_it_is_read)
{
	struct stat before, after, name;
	char text[64];
	int fd = open(at("1"), O_RDONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &before));
	ASSERT_EQ(0, set(self->map, 1, 1000000, 2000000));
	usleep(20000);
	EXPECT_EQ(20, read(fd, text, sizeof(text)));
	EXPECT_EQ(0, read(fd, text, sizeof(text)));
	ASSERT_EQ(0, fstat(fd, &after));
	EXPECT_TRUE(same_time(&before, &after));
	EXPECT_EQ(before.st_size, after.st_size);
	/* The name is looked at anew, as rsync must see; so is what is read again. */
	ASSERT_EQ(0, stat(at("1"), &name));
	EXPECT_FALSE(same_time(&before, &name));
	EXPECT_EQ(30, name.st_size);
	EXPECT_EQ(30, pread(fd, text, sizeof(text), 0));
	ASSERT_EQ(0, fstat(fd, &after));
	EXPECT_FALSE(same_time(&before, &after));
	EXPECT_EQ(30, after.st_size);
	close(fd);
	/* The first read takes the sample, if nobody has asked before. */
	fd = open(at("1"), O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(30, read(fd, text, sizeof(text)));
	ASSERT_EQ(0, fstat(fd, &before));
	usleep(20000);
	ASSERT_EQ(0, fstat(fd, &after));
	EXPECT_TRUE(same_time(&before, &after));
	close(fd);
	/* Only the time: it has a sample, too. */
	fd = open(at("1"), O_RDONLY);
	ASSERT_LE(0, fd);
	{
		struct statx only = {};

		ASSERT_EQ(0, statx(fd, "", AT_EMPTY_PATH, STATX_MTIME, &only));
		usleep(20000);
		EXPECT_EQ(30, read(fd, text, sizeof(text)));
		ASSERT_EQ(0, fstat(fd, &after));
		EXPECT_EQ(only.stx_mtime.tv_sec, after.st_mtim.tv_sec);
		EXPECT_EQ(only.stx_mtime.tv_nsec, after.st_mtim.tv_nsec);
	}
	close(fd);
}

/* The same under a writer, for as many files as a tar of a map has. */
TEST_F(element, unchanged_under_a_writer)
{
	struct stat before, after;
	int round, fd, status;
	char text[64];
	pid_t writer;
	__u64 n;

	writer = fork();
	if (!writer)
		for (n = 1;; n += 12345)
			set(self->map, 1, n, n);
	ASSERT_LT(0, writer);
	for (round = 0; round < 300; round++) {
		fd = open(at("1"), O_RDONLY);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, fstat(fd, &before));
		ASSERT_EQ(before.st_size, read(fd, text, sizeof(text)));
		sched_yield();
		ASSERT_EQ(0, fstat(fd, &after));
		ASSERT_TRUE(same_time(&before, &after));
		ASSERT_EQ(before.st_size, after.st_size);
		ASSERT_EQ(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
		close(fd);
	}
	kill(writer, SIGKILL);
	ASSERT_EQ(writer, waitpid(writer, &status, 0));
}

/* --- Copies within the kernel, which go by what the VFS takes for the size --- */

static ssize_t copy_range(const char *from, const char *to, int flags)
{
	int in = open(from, O_RDONLY), out = open(to, flags, 0600);
	ssize_t len = in < 0 || out < 0 ? -1 : 0, n;

	/* As a program does it, until there is no more. */
	do {
		n = len < 0 ? len : copy_file_range(in, NULL, out, NULL, 4096, 0);
		len = n < 0 ? -errno : len + n;
	} while (n > 0);
	close(in);
	close(out);
	return len;
}

TEST_F(element, copy_file_range)
{
	EXPECT_EQ(20, copy_range(at("1"), at("3"), O_WRONLY | O_CREAT));
	EXPECT_STREQ("10 20", is(self->map, 3));
	EXPECT_EQ(20, copy_range(at("1"), at("3"), O_WRONLY | O_TRUNC));
	EXPECT_EQ(20, copy_range(at("1"), at("4"), O_RDWR | O_CREAT | O_TRUNC));
	EXPECT_STREQ("10 20", is(self->map, 4));
	EXPECT_EQ(0, sh("cp --reflink=always " MNT "/4 " MNT "/5 2> /dev/null && exit 1; "
			"cp --reflink=auto " MNT "/4 " MNT "/5"));
	EXPECT_STREQ("10 20", is(self->map, 5));
	/* Nothing shows the size that the VFS goes by. */
	EXPECT_EQ(0, sh("test $(stat -c %%s " MNT "/.bpf/table " MNT "/.bpf/type | uniq) = 0"));
}

/* Of what has no size, as there may always be more. */
TEST_F(element, copy_file_range_of_streams)
{
	ASSERT_EQ(20, copy_range(at("1"), at("4"), O_RDWR | O_CREAT | O_TRUNC));
	/* Onto itself: the VFS refuses what overlaps. */
	EXPECT_EQ(-EINVAL, copy_range(at(".bpf/table"), at(".bpf/table"), O_WRONLY));
	/* What is no text of an element is refused, as it is by write(). */
	EXPECT_EQ(-EINVAL, copy_range(at(".bpf/table"), at("4"), O_WRONLY));
	EXPECT_STREQ("10 20", is(self->map, 4));
	/* The stream needs the reader's memory: a program falls back. */
	EXPECT_EQ(-EINVAL, copy_range(at(".bpf/raw"), at("4"), O_WRONLY));
}

/* What else the VFS decides by size: nothing fails that has to work, or does harm. */
TEST_F(element, by_size)
{
	int fd = open(at("1"), O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	EXPECT_EQ(0, readahead(fd, 0, 4096));
	EXPECT_EQ(EOPNOTSUPP, errno_of(fallocate(fd, 0, 0, 4096)));
	EXPECT_EQ(EOPNOTSUPP, errno_of(ioctl(fd, FICLONE, fd)));
	EXPECT_EQ(20, lseek(fd, 0, SEEK_END));
	EXPECT_STREQ("10 20", is(self->map, 1));
	close(fd);
}

/* Where does the text of what is gone end? FUSE's kernel knows a size of before. */
TEST_F(element, seek_of_what_is_gone)
{
	int fd = open(at("1"), O_RDONLY);
	__u32 key = 1;

	ASSERT_LE(0, fd);
	if (is_fuse() || bpf_map_delete_elem(self->map, &key))
		SKIP(return, "FUSE, or elements that stay");
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(ENOENT, errno);
	close(fd);
}

TEST_F(element, sendfile)
{
	int in = open(at("1"), O_RDONLY), out;

	ASSERT_LE(0, in);
	out = open(at("3"), O_WRONLY | O_CREAT, 0600);
	ASSERT_LE(0, out);
	EXPECT_EQ(20, sendfile(out, in, NULL, 4096));
	close(out);
	close(in);
	EXPECT_STREQ("10 20", is(self->map, 3));
}

/* Nobody knows how much there is to read: what the VFS says is no negative number. */
TEST_F(element, fionread)
{
	int fd = open(at("1"), O_RDONLY);
	int left = -1;
	char text[64];

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &left));
	EXPECT_LE(0, left);
	EXPECT_EQ(20, read(fd, text, sizeof(text)));
	EXPECT_EQ(0, ioctl(fd, FIONREAD, &left));
	EXPECT_LE(0, left);
	close(fd);
}

TEST_F(element, fionread_of_a_table)
{
	int table = open(at(".bpf/table"), O_RDONLY);
	int left = -1;
	char text[64];

	ASSERT_LE(0, table);
	EXPECT_LT(0, read(table, text, sizeof(text)));
	EXPECT_EQ(0, ioctl(table, FIONREAD, &left));
	EXPECT_LE(0, left);
	close(table);
}

/* As a lock would, a lease would exclude nobody: each open file has an inode of its own. */
TEST_F(element, no_leases)
{
	int fd = open(at("1"), O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EINVAL, errno_of(fcntl(fd, F_SETLEASE, F_WRLCK)));
	close(fd);
	fd = open(at("1"), O_RDONLY);
	EXPECT_EQ(EINVAL, errno_of(fcntl(fd, F_SETLEASE, F_RDLCK)));
	EXPECT_EQ(F_UNLCK, fcntl(fd, F_GETLEASE));
	close(fd);
}

/* --- Writing --- */

TEST_F(element, write_every_field)
{
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "packets=5\nbytes=6\n"));
	EXPECT_STREQ("5 6", is(self->map, 1));
	/* In any order, separated by blanks, without a newline only if alone. */
	EXPECT_EQ(0, write_to(at("1"), 0, "bytes=0x10 packets=007\n"));
	EXPECT_STREQ("7 16", is(self->map, 1));
}

TEST_F(element, write_one_field)
{
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "packets=0"));
	EXPECT_STREQ("0 20", is(self->map, 1));
	EXPECT_EQ(0, write_to(at("1"), O_APPEND, "bytes=3\n"));
	EXPECT_STREQ("0 3", is(self->map, 1));
}

TEST_F(element, write_in_pieces)
{
	int fd = open(at("1"), O_WRONLY | O_TRUNC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(8, write(fd, "packets=", 8));
	EXPECT_EQ(1, write(fd, "1", 1));
	EXPECT_EQ(6, write(fd, "2\nbyte", 6));
	EXPECT_STREQ("12 20", is(self->map, 1));
	EXPECT_EQ(4, write(fd, "s=34", 4));
	EXPECT_STREQ("12 20", is(self->map, 1));
	EXPECT_EQ(1, write(fd, "\n", 1));
	EXPECT_STREQ("12 34", is(self->map, 1));
	EXPECT_EQ(-1, pwrite(fd, "packets=1\n", 10, 100));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(10, pwrite(fd, "packets=1\n", 10, 0));
	EXPECT_STREQ("1 34", is(self->map, 1));
	close(fd);
}

TEST_F(element, unfinished_tail_is_not_applied)
{
	EXPECT_EQ(0, write_to(at("1"), O_TRUNC, "packets=5\nbytes=6"));
	EXPECT_STREQ("5 20", is(self->map, 1));
	/* By FUSE, whoever serves learns of the last close after it has returned. */
	EXPECT_TRUE(is_logged("1: closed in the middle of a field, which was not changed: bytes:"));
}

TEST_F(element, refused_text)
{
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "packets=1\nbytes=12x\n"));
	EXPECT_STREQ("10 20", is(self->map, 1));
	EXPECT_NE(NULL, strstr(error_log(), "1: bytes: \"12x\" is not a u64 (column 7); "
					    "nothing was changed\n"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "pakets=1\n"));
	EXPECT_NE(NULL, strstr(error_log(), "1: there is no field \"pakets\" (column 1)"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "5\n"));
	EXPECT_NE(NULL, strstr(error_log(), "\"5\" is for no field"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "packets=18446744073709551616\n"));
	EXPECT_EQ(-EINVAL, write_to(at("1"), O_TRUNC, "packets=\n"));
	EXPECT_STREQ("10 20", is(self->map, 1));
}

/* The log keeps the last refusals, oldest first. */
TEST_F(element, error_log_is_bounded)
{
	int i;

	for (i = 0; i < 40; i++) {
		char text[32];

		snprintf(text, sizeof(text), "packets=x%d\n", i);
		EXPECT_EQ(-EINVAL, write_to(at("1"), 0, text));
	}
	EXPECT_EQ(0, sh("test $(wc -l < " MNT "/.bpf/error) = 16"));
	EXPECT_EQ(NULL, strstr(error_log(), "\"x23\""));
	EXPECT_NE(NULL, strstr(error_log(), "\"x24\""));
	EXPECT_NE(NULL, strstr(error_log(), "\"x39\""));
}

TEST_F(element, hex_is_one_field)
{
	int fd;

	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	EXPECT_STREQ(HEX64("0a") HEX64("14") "\n", text_of(at(HEX32("01"))));
	EXPECT_EQ(0, write_to(at(HEX32("01")), O_TRUNC, HEX64("01") HEX64("02") "\n"));
	EXPECT_STREQ("1 2", is(self->map, 1));
	EXPECT_EQ(0, write_to(at(HEX32("01")), O_TRUNC, HEX64("03") HEX64("04")));
	EXPECT_STREQ("3 4", is(self->map, 1));
	fd = open(at(HEX32("01")), O_WRONLY);
	EXPECT_EQ(5, write(fd, HEX64("05"), 5));
	EXPECT_STREQ("3 4", is(self->map, 1));
	EXPECT_EQ(27, write(fd, HEX64("05") HEX64("06") + 5, 27));
	EXPECT_STREQ("5 6", is(self->map, 1));
	close(fd);
	EXPECT_EQ(-EINVAL, write_to(at(HEX32("01")), O_TRUNC, "0100\n"));
	EXPECT_EQ(-EINVAL, write_to(at(HEX32("01")), O_TRUNC, "hello\n"));
	EXPECT_STREQ("5 6", is(self->map, 1));
}

/* --- Creating --- */

TEST_F(element, create)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	EXPECT_EQ(0, write_to(at("2"), O_CREAT | O_TRUNC, "packets=1\nbytes=2\n"));
	EXPECT_STREQ("1 2", is(self->map, 2));
	EXPECT_EQ(0, write_to(at("3"), O_CREAT | O_EXCL, "packets=1\nbytes=2\n"));
	EXPECT_EQ(-EEXIST, write_to(at("3"), O_CREAT | O_EXCL, "packets=1\nbytes=2\n"));
	EXPECT_EQ(-ENOENT, write_to(at("4"), O_TRUNC, "packets=1\nbytes=2\n"));
	EXPECT_EQ(3, count_names(MNT));
}

/* It appears when every field has been named, not before. */
TEST_F(element, create_in_pieces)
{
	struct stat st;
	int fd;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	fd = open(at("2"), O_RDWR | O_CREAT | O_TRUNC, 0644);
	ASSERT_LE(0, fd);
	EXPECT_STREQ("none", is(self->map, 2));
	EXPECT_FALSE(file_exists(at("2")));
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_size);
	EXPECT_EQ(10, write(fd, "packets=1\n", 10));
	EXPECT_STREQ("none", is(self->map, 2));
	EXPECT_EQ(8, write(fd, "bytes=2\n", 8));
	EXPECT_STREQ("1 2", is(self->map, 2));
	EXPECT_TRUE(file_exists(at("2")));
	/* From now on it is an element as any other. */
	EXPECT_EQ(10, write(fd, "packets=7\n", 10));
	EXPECT_STREQ("7 2", is(self->map, 2));
	close(fd);
}

/* Until the element is there, its name is nobody's: the write decides. */
TEST_F(element, name_of_a_file_that_is_not_written)
{
	static const char text[] = "packets=1\nbytes=2\n";
	int a, b;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	a = open(at("2"), O_WRONLY | O_CREAT | O_EXCL, 0644);
	b = open(at("2"), O_WRONLY | O_CREAT | O_EXCL, 0644);
	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	EXPECT_EQ(ENOENT, errno_of(unlink(at("2"))));
	EXPECT_EQ(18, write(a, text, 18));
	EXPECT_EQ(EEXIST, errno_of(write(b, text, 18)));
	close(a);
	close(b);
	EXPECT_STREQ("1 2", is(self->map, 2));
	EXPECT_EQ(EEXIST, errno_of(open(at("2"), O_WRONLY | O_CREAT | O_EXCL, 0644)));
	EXPECT_EQ(0, unlink(at("2")));
	/* Nor does it take the file away from who has it open. */
	a = open(at("2"), O_WRONLY | O_CREAT, 0644);
	EXPECT_EQ(ENOENT, errno_of(unlink(at("2"))));
	close(a);
	EXPECT_STREQ("0 0", is(self->map, 2));
}

/* The status of a child that makes a file and ends, by itself or by a signal. */
static int child_that_makes(const char *name, int signal)
{
	int ready[2], status;
	pid_t child;
	char byte;

	if (pipe(ready))
		return -errno;
	child = fork();
	if (!child) {
		if (open(at("%s", name), O_RDWR | O_CREAT, 0600) < 0)
			_exit(1);
		if (signal && write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(ready[1]);
	if (signal && (read(ready[0], &byte, 1) != 1 || kill(child, signal)))
		return -EIO;
	close(ready[0]);
	return waitpid(child, &status, 0) == child ? status : -errno;
}

/* An element of zeros is for who closes the file, not for who is killed before writing. */
TEST_F(element, killed_before_it_is_written)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	EXPECT_EQ(SIGKILL, child_that_makes("2", SIGKILL));
	EXPECT_STREQ("none", is(self->map, 2));
	EXPECT_EQ(SIGTERM, child_that_makes("2", SIGTERM));
	EXPECT_STREQ("none", is(self->map, 2));
	EXPECT_EQ(0, child_that_makes("2", 0));
	/* An LRU map needs the memory of who makes it, and says that it is gone. */
	if (variant->type == BPF_MAP_TYPE_LRU_HASH) {
		EXPECT_NE(NULL, strstr(error_log(), "2: the map refuses the update"));
		EXPECT_STREQ("none", is(self->map, 2));
	} else {
		EXPECT_STREQ("0 0", is(self->map, 2));
	}
}

TEST_F(element, incomplete_text_creates_nothing)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	EXPECT_EQ(0, write_to(at("2"), O_CREAT | O_TRUNC, "packets=1\n"));
	EXPECT_STREQ("none", is(self->map, 2));
	EXPECT_NE(NULL, strstr(error_log(), "2: closed before every field was named; "
					    "no element was made"));
}

TEST_F(element, failed_command_creates_nothing)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	EXPECT_NE(0, sh("false > " MNT "/2"));
	EXPECT_EQ(0, sh(": > " MNT "/2"));
	EXPECT_EQ(0, sh("dash -c ': > " MNT "/2'"));
	EXPECT_EQ(0, sh("true >> " MNT "/2"));
	EXPECT_EQ(0, sh("cp /dev/null " MNT "/2"));
	EXPECT_STREQ("none", is(self->map, 2));
	EXPECT_EQ(1, count_names(MNT));
}

TEST_F(element, touch)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	EXPECT_EQ(0, sh("touch " MNT "/2"));
	EXPECT_STREQ("0 0", is(self->map, 2));
	/* An element that is there stays as it is. */
	EXPECT_EQ(0, sh("touch " MNT "/1"));
	EXPECT_STREQ("10 20", is(self->map, 1));
	/* As Python's pathlib.touch: only an open. */
	close(open(at("3"), O_WRONLY | O_CREAT, 0644));
	EXPECT_STREQ("0 0", is(self->map, 3));
}

/* --- A key that is gone --- */

TEST_F(element, write_to_what_is_gone)
{
	__u32 key = 1;
	int fd;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	fd = open(at("1"), O_WRONLY | O_TRUNC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bpf_map_delete_elem(self->map, &key));
	EXPECT_EQ(-1, write(fd, "packets=1\nbytes=2\n", 18));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, pwrite(fd, "packets=1\n", 10, 0));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_STREQ("none", is(self->map, 1));
	close(fd);
	/* But the first write of an O_CREAT open inserts. */
	ASSERT_EQ(0, set(self->map, 1, 1, 1));
	fd = open(at("1"), O_WRONLY | O_TRUNC | O_CREAT, 0644);
	ASSERT_EQ(0, bpf_map_delete_elem(self->map, &key));
	EXPECT_EQ(18, write(fd, "packets=3\nbytes=4\n", 18));
	EXPECT_STREQ("3 4", is(self->map, 1));
	ASSERT_EQ(0, bpf_map_delete_elem(self->map, &key));
	EXPECT_EQ(-1, pwrite(fd, "packets=3\nbytes=4\n", 18, 0));
	EXPECT_EQ(ENOENT, errno);
	close(fd);
}

TEST_F(element, read_what_is_gone)
{
	struct stat st;
	__u32 key = 1;
	char text[64];
	int fd;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	fd = open(at("1"), O_RDONLY);
	ASSERT_EQ(0, bpf_map_delete_elem(self->map, &key));
	EXPECT_EQ(-1, read(fd, text, sizeof(text)));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	close(fd);
	EXPECT_FALSE(file_exists(at("1")));
}

TEST_F(element, unlink)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY) {
		EXPECT_EQ(EPERM, errno_of(unlink(at("1"))));
		EXPECT_STREQ("10 20", is(self->map, 1));
		EXPECT_NE(NULL, strstr(error_log(), "1: an element of an array stays"));
		return;
	}
	EXPECT_EQ(0, unlink(at("1")));
	EXPECT_STREQ("none", is(self->map, 1));
	EXPECT_EQ(ENOENT, errno_of(unlink(at("1"))));
	EXPECT_EQ(0, count_names(MNT));
}

TEST_F(element, unlink_of_an_open_file)
{
	char text[64] = "";
	int fd;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	fd = open(at("1"), O_RDONLY);
	EXPECT_EQ(20, read(fd, text, sizeof(text)));
	EXPECT_EQ(0, unlink(at("1")));
	EXPECT_EQ(-1, pread(fd, text, sizeof(text), 0));
	EXPECT_EQ(ENOENT, errno);
	/* The name is free for another. */
	EXPECT_EQ(0, write_to(at("1"), O_CREAT | O_EXCL, "packets=1\nbytes=1\n"));
	close(fd);
}

/* --- Attributes of files --- */

TEST_F(element, truncate)
{
	int fd = open(at("1"), O_WRONLY);

	EXPECT_EQ(0, truncate(at("1"), 0));
	EXPECT_EQ(EINVAL, errno_of(truncate(at("1"), 7)));
	EXPECT_EQ(18, write(fd, "packets=1\nbytes=2\n", 18));
	EXPECT_EQ(0, ftruncate(fd, 18));
	EXPECT_EQ(EINVAL, errno_of(ftruncate(fd, 17)));
	EXPECT_STREQ("1 2", is(self->map, 1));
	close(fd);
}

TEST_F(element, owner_mode_and_times_are_ignored)
{
	struct stat a, b;

	ASSERT_EQ(0, stat(at("1"), &a));
	EXPECT_EQ(0, chmod(at("1"), 0777));
	EXPECT_EQ(0, chown(at("1"), 1000, 1000));
	EXPECT_EQ(0, utime(at("1"), NULL));
	ASSERT_EQ(0, stat(at("1"), &b));
	EXPECT_EQ(a.st_mode, b.st_mode);
	EXPECT_EQ(a.st_uid, b.st_uid);
	EXPECT_STREQ("10 20", is(self->map, 1));
	ASSERT_EQ(0, stat(MNT, &a));
	EXPECT_EQ(0, chmod(MNT, 0777));
	EXPECT_EQ(0, chown(MNT, 1000, 1000));
	ASSERT_EQ(0, stat(MNT, &b));
	EXPECT_EQ(a.st_mode, b.st_mode);
	EXPECT_EQ(a.st_uid, b.st_uid);
}

/* --- Errors --- */

TEST_F(element, full)
{
	int i;

	if (variant->type == BPF_MAP_TYPE_ARRAY || variant->type == BPF_MAP_TYPE_LRU_HASH)
		SKIP(return, "never full");
	for (i = 100; i < 107; i++)
		EXPECT_EQ(0, write_to(at("%d", i), O_CREAT, "packets=1\nbytes=2\n"));
	EXPECT_EQ(-ENOSPC, write_to(at("%d", i), O_CREAT, "packets=1\nbytes=2\n"));
	EXPECT_NE(NULL, strstr(error_log(), "107: the map is full (8 elements)"));
	EXPECT_EQ(8, count_names(MNT));
}

TEST_F(element, out_of_range)
{
	if (variant->type != BPF_MAP_TYPE_ARRAY)
		SKIP(return, "of arrays only");
	EXPECT_STREQ("open: No such file or directory", text_of(at("8")));
	EXPECT_EQ(-ERANGE, write_to(at("8"), O_CREAT, "packets=1\nbytes=2\n"));
	EXPECT_NE(NULL, strstr(error_log(), "8: the array has 8 elements"));
}

TEST_F(element, names_that_name_no_key)
{
	static const char * const names[] = {
		"01", "0x1", "+1", "-1", "1,2", "x", "4294967296", "1~00", "%31",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		EXPECT_FALSE(file_exists(at("%s", names[i])));
		EXPECT_EQ(-EINVAL, write_to(at("%s", names[i]), O_CREAT | O_TRUNC,
					    "packets=1\nbytes=2\n"));
	}
	EXPECT_NE(NULL, strstr(error_log(), "\"01\" names no key: "
					    "the name of this key is spelled \"1\""));
}

TEST_F(element, statfs)
{
	struct statfs fs;

	ASSERT_EQ(0, statfs(MNT, &fs));
	EXPECT_EQ(0x62706673, fs.f_type);
	EXPECT_EQ(255, fs.f_namelen);
	EXPECT_EQ(0U, fs.f_blocks);
	if (variant->type == BPF_MAP_TYPE_HASH && fs.f_files) {
		EXPECT_EQ(8U, fs.f_files);
		EXPECT_EQ(7U, fs.f_ffree);
	} else {
		EXPECT_EQ(0U, fs.f_files);
	}
}

TEST_F(element, locks_are_refused)
{
	struct flock lock = { .l_type = F_WRLCK };
	int fd = open(at("1"), O_RDWR);

	EXPECT_EQ(-1, fcntl(fd, F_SETLK, &lock));
	close(fd);
}

/* --- Tools --- */

TEST_F(element, shells)
{
	EXPECT_EQ(0, sh("bash -c 'echo packets=3 bytes=4 > " MNT "/1'"));
	EXPECT_STREQ("3 4", is(self->map, 1));
	EXPECT_EQ(0, sh("dash -c 'echo packets=5 bytes=6 > " MNT "/1'"));
	EXPECT_STREQ("5 6", is(self->map, 1));
	EXPECT_EQ(0, sh("bash -c \"printf 'packets=7\\nbytes=8\\n' > " MNT "/1\""));
	EXPECT_STREQ("7 8", is(self->map, 1));
	EXPECT_EQ(0, sh("echo packets=9 bytes=1 | tee " MNT "/1 > /dev/null"));
	EXPECT_STREQ("9 1", is(self->map, 1));
	EXPECT_EQ(0, sh("echo packets=2 >> " MNT "/1"));
	EXPECT_STREQ("2 1", is(self->map, 1));
	EXPECT_EQ(0, sh("printf 'packets=8\\nbytes=8\\n' | dd bs=3 of=" MNT "/1 2> /dev/null"));
	EXPECT_STREQ("8 8", is(self->map, 1));
}

TEST_F(element, copies)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	EXPECT_EQ(0, sh("cp " MNT "/1 /tmp/one && cp /tmp/one " MNT "/2"));
	EXPECT_STREQ("10 20", is(self->map, 2));
	EXPECT_EQ(0, sh("cp " MNT "/1 " MNT "/3"));
	EXPECT_STREQ("10 20", is(self->map, 3));
	EXPECT_EQ(0, sh("cp -p /tmp/one " MNT "/4"));
	EXPECT_STREQ("10 20", is(self->map, 4));
	EXPECT_EQ(0, sh("install -m 600 /tmp/one " MNT "/5"));
	EXPECT_STREQ("10 20", is(self->map, 5));
	EXPECT_EQ(0, sh("mv " MNT "/5 " MNT "/6"));
	EXPECT_STREQ("10 20", is(self->map, 6));
	EXPECT_STREQ("none", is(self->map, 5));
	EXPECT_EQ(0, sh("mv /tmp/one " MNT "/7"));
	EXPECT_STREQ("10 20", is(self->map, 7));
}

TEST_F(element, archives)
{
	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	ASSERT_EQ(0, set(self->map, 2, 30, 40));
	EXPECT_EQ(0, sh("tar -C " MNT " -cf /tmp/map.tar . 2>&1 | grep . && exit 1; true"));
	ASSERT_EQ(0, unlink(at("1")));
	ASSERT_EQ(0, unlink(at("2")));
	EXPECT_EQ(0, sh("tar -C " MNT " --overwrite -xf /tmp/map.tar"));
	EXPECT_STREQ("10 20", is(self->map, 1));
	EXPECT_STREQ("30 40", is(self->map, 2));
	ASSERT_EQ(0, set(self->map, 2, 1, 1));
	EXPECT_EQ(0, sh("tar -C " MNT " -xf /tmp/map.tar"));
	EXPECT_STREQ("30 40", is(self->map, 2));

	EXPECT_EQ(0, sh("rm -rf /tmp/backup && rsync -a " MNT "/ /tmp/backup/"));
	ASSERT_EQ(0, unlink(at("1")));
	ASSERT_EQ(0, set(self->map, 2, 100000, 1));
	EXPECT_EQ(0, sh("rsync -a --inplace --ignore-times /tmp/backup/ " MNT "/"));
	EXPECT_STREQ("10 20", is(self->map, 1));
	EXPECT_STREQ("30 40", is(self->map, 2));
	EXPECT_EQ(2, count_names(MNT));
}

/* What the open refuses, the close does not make. */
TEST_F(element, refused_open_makes_nothing)
{
	EXPECT_EQ(-1, open(at("77"), O_CREAT | O_WRONLY | O_DIRECT, 0600));
	EXPECT_FALSE(file_exists(at("77")));
}

/* An enum's name can be as long as a file's, and a field's nearly. */
TEST_F(element, long_names)
{
	static char value[4096], want[4096];
	struct bpf_mount_opts opts = { .sz = sizeof(opts), .key = "u32", .value = value };
	int map = make_map(BPF_MAP_TYPE_HASH, 4, 4, 4, 0);
	int i, len = 0, want_len = 0;
	__u32 key = 1, zero = 0;

	for (i = 0; i < 4; i++) {
		len += sprintf(value + len, "%s%c%0*d=u8{L%0*d=0}", i ? ":" : "", 'a' + i,
			       i == 3 ? 239 : 1, 0, i == 3 ? 254 : 253, 0);
		want_len += sprintf(want + want_len, "%c%0*d=L%0*d\n", 'a' + i,
				    i == 3 ? 239 : 1, 0, i == 3 ? 254 : 253, 0);
	}
	ASSERT_EQ(0, bpf_map_update_elem(map, &key, &zero, BPF_ANY));
	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, bpf_mount_fd(map, MNT, &opts)) TH_LOG("%s", bpf_mount_error());
	EXPECT_STREQ(want, text_of(at("1")));
	EXPECT_EQ(0, sh("test $(stat -c %%s " MNT "/1) = %d", want_len));
	EXPECT_EQ(0, sh("test $(wc -c < " MNT "/.bpf/table) = %d", want_len + 2));
	ASSERT_EQ(0, umount(MNT));
	snprintf(value, sizeof(value), "u8{A%0241d.8}:u8:u8:u8", 0);
	EXPECT_EQ(-E2BIG, bpf_mount_fd(map, MNT, &opts));
	EXPECT_NE(NULL, strstr(bpf_mount_error(), "more than 241 bytes in the name of a field"));
}

/* A value of padding alone has no text, and comes back nevertheless. */
TEST_F(element, table_of_no_text)
{
	int map = make_map(BPF_MAP_TYPE_HASH, 4, 4, 4, 0);

	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=pad4"));
	EXPECT_EQ(0, sh("touch " MNT "/1 && cat " MNT "/.bpf/table > /tmp/table && rm " MNT "/1 && "
			"cat /tmp/table > " MNT "/.bpf/table && test -e " MNT "/1"));
}

/* A file that is open has its sample; stat() of the name has a new one. */
TEST_F(element, stat_beside_an_open_file)
{
	int fd = open(at("1"), O_RDONLY);
	struct stat st, now;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set(self->map, 1, 1, 1));
	ASSERT_EQ(0, fstat(fd, &st));
	ASSERT_EQ(0, set(self->map, 1, 1000000, 1000000));
	ASSERT_EQ(0, stat(at("1"), &now));
	EXPECT_EQ(st.st_size + 12, now.st_size);
	ASSERT_EQ(0, fstat(fd, &now));
	EXPECT_EQ(st.st_size, now.st_size);
	close(fd);
}

/* Who holds a name without having it open keeps no element. */
TEST_F(element, stat_beside_a_held_name)
{
	int fd = open(at("1"), O_PATH);
	__u32 key = 1;
	struct stat st;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array keeps its elements");
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, stat(at("1"), &st));
	ASSERT_EQ(0, bpf_map_delete_elem(self->map, &key));
	EXPECT_EQ(ENOENT, errno_of(stat(at("1"), &st)));
	ASSERT_EQ(0, set(self->map, 1, 1, 1));
	EXPECT_EQ(0, stat(at("1"), &st));
	close(fd);
}

static atomic_bool go_on;

/* The text of 1 is now shorter, now longer. */
static void *change_length(void *arg)
{
	int map = *(int *)arg;
	__u64 value[2] = {};
	__u32 key = 1;

	while (go_on) {
		value[0] = value[0] ? 0 : 1000000;
		bpf_map_update_elem(map, &key, value, BPF_ANY);
	}
	return NULL;
}

/* How often are there more or fewer bytes than fstat() says? */
static void *compare_sizes(void *arg)
{
	long *wrong = arg, tries = scaled(5000), i;
	struct stat st;
	char text[256];
	int fd;

	for (i = 0; i < tries; i++) {
		fd = open(MNT "/1", O_RDONLY);
		if (fd < 0 || fstat(fd, &st) || read(fd, text, sizeof(text)) != st.st_size)
			++*wrong;
		close(fd);
	}
	return NULL;
}

TEST_F(element, opens_at_once)
{
	pthread_t writer, reader[2];
	long wrong[2] = {};
	int i;

	go_on = true;
	ASSERT_EQ(0, pthread_create(&writer, NULL, change_length, &self->map));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&reader[i], NULL, compare_sizes, &wrong[i]));
	for (i = 0; i < 2; i++)
		pthread_join(reader[i], NULL);
	go_on = false;
	pthread_join(writer, NULL);
	EXPECT_EQ(0, wrong[0]);
	EXPECT_EQ(0, wrong[1]);
}

/* With a table of more than an open one keeps of it; the map's descriptor, negative without. */
static int mount_many(__u32 elements)
{
	int map = make_hash(elements), err = private_mounts();
	__u32 i;

	for (i = 0; i < elements && !err; i++)
		err = put(map, i, i);
	return map < 0 || err ? -1 : mount_fd(map, MNT, "key=u32,value=u64") ?: map;
}

/* A table is a stream; but what was read too much can be given back. */
TEST(table_seeks)
{
	char text[16], again[16];
	int map, fd;

	map = mount_many(40000);
	ASSERT_LE(0, map);
	ASSERT_EQ(0, chdir(MNT "/.bpf"));
	EXPECT_EQ(0, sh("cat table > /tmp/table && tac table | tac | cmp - /tmp/table"));
	EXPECT_EQ(0, sh("tail -n 2 table > /tmp/a && tail -n 2 /tmp/table | cmp - /tmp/a"));
	EXPECT_EQ(0, sh("tail -c +5000 table > /tmp/a && tail -c +5000 /tmp/table | cmp - /tmp/a"));
	EXPECT_EQ(0, sh("dd if=table bs=100 skip=7 2> /dev/null > /tmp/a && "
			"tail -c +701 /tmp/table | cmp - /tmp/a"));
	EXPECT_EQ(0, sh("test -z \"$(head -n 2 table 2>&1 > /tmp/a)\" && "
			"head -n 2 /tmp/table | cmp - /tmp/a"));
	/* Those who share an open file take their lines, and no one else's. */
	EXPECT_EQ(0, sh("(head -n 2; cat) < table | cmp - /tmp/table"));
	EXPECT_EQ(0, sh("bash -c 'read -r a; echo \"$a\"; read -r a; echo \"$a\"; cat' < table | "
			"cmp - /tmp/table"));
	EXPECT_EQ(0, sh("(dd bs=128k count=2 iflag=fullblock of=/dev/null; cat) 2> /dev/null "
			"< table > /tmp/a && tail -c +262145 /tmp/table | cmp - /tmp/a"));

	fd = open("table", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, lseek(fd, -1, SEEK_CUR));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
	ASSERT_EQ(16, read(fd, text, 16));
	EXPECT_EQ(16, lseek(fd, 0, SEEK_CUR));
	EXPECT_EQ(7, lseek(fd, 7, SEEK_SET));
	ASSERT_EQ(9, read(fd, again, 9));
	EXPECT_EQ(0, memcmp(again, text + 7, 9));
	EXPECT_EQ(16, pread(fd, again, 16, 0));
	EXPECT_EQ(0, memcmp(again, text, 16));
	/* Forward is read and dropped; too far back is gone. */
	EXPECT_EQ(16, pread(fd, again, 16, 400000));
	EXPECT_EQ(0, pread(fd, again, 16, 10000000));
	EXPECT_EQ(-1, pread(fd, again, 16, 16));
	EXPECT_EQ(ESPIPE, errno);
	/* At 0 it begins again. */
	EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(0, bpf_map_delete_elem(map, (__u32[]){ atoi(text) }));
	ASSERT_EQ(16, read(fd, again, 16));
	EXPECT_NE(0, memcmp(again, text, 16));
	close(fd);
	EXPECT_EQ(0, sh("rm /tmp/a /tmp/table"));
	ASSERT_EQ(0, chdir("/"));
}

/* Where a table cannot go is refused at once, and not by the next read or write. */
TEST(table_refuses_seeks)
{
	char text[16];
	int map, fd;

	map = mount_many(40000);
	ASSERT_LE(0, map);
	fd = open(MNT "/.bpf/table", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EINVAL, errno_of(lseek(fd, 0, SEEK_DATA)));
	EXPECT_EQ(16, pread(fd, text, 16, 400000));
	EXPECT_EQ(ESPIPE, errno_of(lseek(fd, 17, SEEK_SET)));
	EXPECT_EQ(0, lseek(fd, 0, SEEK_SET));
	close(fd);
	fd = open(MNT "/.bpf/table", O_WRONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(ESPIPE, errno_of(lseek(fd, 5, SEEK_SET)));
	EXPECT_EQ(4, write(fd, "1 1\n", 4));
	EXPECT_EQ(4, lseek(fd, 0, SEEK_CUR));
	close(fd);
	EXPECT_EQ(0, umount2(MNT, 0));
}

TEST_F(element, table)
{
	EXPECT_EQ(0, sh("test $(wc -l < " MNT "/.bpf/table) = %d",
			variant->type == BPF_MAP_TYPE_ARRAY ? 8 : 1));
	EXPECT_EQ(0, sh("grep -qx '1 packets=10 bytes=20' " MNT "/.bpf/table"));
	EXPECT_EQ(0, write_to(at(".bpf/table"), 0, "2 packets=3 bytes=4\n1 bytes=6\n"));
	EXPECT_STREQ("3 4", is(self->map, 2));
	EXPECT_STREQ("10 6", is(self->map, 1));
	EXPECT_EQ(-EIO, write_to(at(".bpf/table"), 0, "2 packets=5\n1 bytes=y\n"));
	EXPECT_STREQ("5 4", is(self->map, 2));
	EXPECT_NE(NULL, strstr(error_log(), "table: line 2: 1: bytes: \"y\" is not a u64"));
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/table > /tmp/table && echo packets=0 > " MNT "/1 && "
			"cat /tmp/table > " MNT "/.bpf/table"));
	EXPECT_STREQ("10 6", is(self->map, 1));
	/* A map in use is not emptied by a shell that opens its table. */
	set(self->map, 1, 7, 8);
	EXPECT_EQ(0, sh(": > " MNT "/.bpf/table && truncate -s 0 " MNT "/.bpf/table"));
	EXPECT_STREQ("7 8", is(self->map, 1));
	EXPECT_EQ(0, sh("echo '2 packets=1 bytes=2' > " MNT "/.bpf/table"));
	EXPECT_STREQ("7 8", is(self->map, 1));
}

/* --- What no one may see --- */

static atomic_bool stop;
static int racing_map;

/* Counts values that were never written. */
static void *look(void *arg)
{
	struct value value;
	__u32 key = 2;

	while (!stop)
		if (!bpf_map_lookup_elem(racing_map, &key, &value) &&
		    (value.packets != 11 || value.bytes != 22))
			++*(long *)arg;
	return NULL;
}

TEST_F(element, nobody_sees_a_half_made_element)
{
	pthread_t thread;
	long torn = 0;
	int i;

	if (variant->type == BPF_MAP_TYPE_ARRAY)
		SKIP(return, "an array has all its elements");
	stop = false;
	racing_map = self->map;
	ASSERT_EQ(0, pthread_create(&thread, NULL, look, &torn));
	for (i = 0; i < 500; i++) {
		EXPECT_EQ(0, write_to(at("2"), O_CREAT | O_TRUNC, "packets=11\nbytes=22\n"));
		EXPECT_EQ(0, unlink(at("2")));
	}
	stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, torn);
}

/* --- Special fields --- */

FIXTURE(special) {
	struct btf *btf;
	int key;
	int number;
};

FIXTURE_SETUP(special)
{
	ASSERT_EQ(0, private_mounts());
	self->btf = btf__new_empty();
	self->key = btf__add_int(self->btf, "unsigned int", 4, 0);
	self->number = btf__add_int(self->btf, "unsigned long long", 8, 0);
}

FIXTURE_TEARDOWN(special)
{
}

/* A map of struct value { number a; SPECIAL; number b; }. */
static int make_special(FIXTURE_DATA(special) *self, const char *name, int size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int special, value;

	special = btf__add_struct(self->btf, name, size);
	if (size == 4)
		btf__add_field(self->btf, "val", self->key, 0, 0);
	else
		btf__add_field(self->btf, "__opaque", self->number, 0, 0);
	value = btf__add_struct(self->btf, "value", 32);
	btf__add_field(self->btf, "a", self->number, 0, 0);
	btf__add_field(self->btf, "special", special, 64, 0);
	btf__add_field(self->btf, "b", self->number, 192, 0);
	if (btf__load_into_kernel(self->btf))
		return -errno;
	opts.btf_fd = btf__fd(self->btf);
	opts.btf_key_type_id = self->key;
	opts.btf_value_type_id = value;
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "special", 4, 32, 2, &opts);
}

TEST_F(special, spin_lock)
{
	int map = make_special(self, "bpf_spin_lock", 4);
	__u64 value[4] = { 1, 0, 0, 2 };
	__u32 key = 0;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=a=u64:lock=u32:pad12:b=u64"));
	ASSERT_EQ(0, bpf_map_update_elem(map, &key, value, 0));
	EXPECT_STREQ("a=1\nlock=0\nb=2\n", text_of(at("0")));
	EXPECT_EQ(-EPERM, write_to(at("0"), O_TRUNC, "lock=1\n"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "b=5\n"));
	EXPECT_STREQ("a=1\nlock=0\nb=5\n", text_of(at("0")));
	EXPECT_EQ(-EPERM, write_to(at("0"), O_TRUNC, "a=7\nlock=1\nb=8\n"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "a=7\nlock=0\nb=8\n"));
	EXPECT_STREQ("a=7\nlock=0\nb=8\n", text_of(at("0")));
}

TEST_F(special, timer)
{
	int map = make_special(self, "bpf_timer", 16);

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=a=u64:timer=hex16:b=u64"));
	EXPECT_EQ(0, write_to(at("0"), O_TRUNC, "a=3\n"));
	EXPECT_STREQ("a=3\ntimer=00000000000000000000000000000000\nb=0\n", text_of(at("0")));
	EXPECT_EQ(-EPERM, write_to(at("0"), O_TRUNC,
				   "timer=00000000000000000000000000000001\n"));
	/* An update of the whole would cancel the timer. */
	EXPECT_EQ(-EPERM, write_to(at("0"), O_TRUNC,
				   "a=7\ntimer=00000000000000000000000000000000\nb=8\n"));
	EXPECT_STREQ("a=3\ntimer=00000000000000000000000000000000\nb=0\n", text_of(at("0")));
	EXPECT_NE(NULL, strstr(error_log(), "an update would destroy a timer or pointer"));
}

/* Elements are listed; their texts would be of many times 64 MiB. */
TEST(value_of_more_than_64_mib)
{
	int map;

	ASSERT_EQ(0, private_mounts());
	map = make_map(BPF_MAP_TYPE_ARRAY, 4, (64 << 20) + 8, 1, 0);
	if (map < 0)
		SKIP(return, "this kernel has no such values");
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32"));
	EXPECT_EQ(1, count_names(MNT));
	EXPECT_EQ(-1, open(at("0"), O_RDONLY));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(-1, open(at(".bpf/table"), O_RDONLY));
	EXPECT_EQ(EFBIG, errno);
}

TEST_HARNESS_MAIN
