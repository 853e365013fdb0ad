// SPDX-License-Identifier: GPL-2.0-only
/* The object back: as a descriptor, and as memory. */
#include "util.h"

#include <grp.h>
#include <libbpffs.h>
#include <linux/bpffs.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

FIXTURE(descriptor) {
	int map;
};

FIXTURE_SETUP(descriptor)
{
	ASSERT_EQ(0, private_mounts());
	self->map = make_hash(16);
	ASSERT_LE(0, self->map);
	ASSERT_EQ(0, put(self->map, 7, 42));
}

FIXTURE_TEARDOWN(descriptor)
{
}

static int become_service(void)
{
	return setgroups(0, NULL) || setgid(1000) || setuid(1000) ? -errno : 0;
}

TEST_F(descriptor, of_a_map)
{
	__u32 id = map_id(self->map);
	__u32 key = 7;
	int fd;

	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	close(self->map);
	fd = bpf_mount_open(MNT, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(id, map_id(fd));
	EXPECT_EQ(42ULL, get(fd, 7));
	EXPECT_EQ(0, put(fd, 7, 43));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	close(fd);
	fd = bpf_mount_open(MNT, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(43ULL, get(fd, 7));
	EXPECT_EQ(EPERM, errno_of(bpf_map_delete_elem(fd, &key)));
	/* It keeps the map, not the mount. */
	EXPECT_EQ(0, bpf_umount(MNT, 0));
	EXPECT_EQ(43ULL, get(fd, 7));
	close(fd);
	EXPECT_TRUE(map_is_gone(id));
}

TEST_F(descriptor, refused)
{
	int fd;

	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	EXPECT_EQ(-EINVAL, bpf_mount_open(MNT, O_WRONLY));
	EXPECT_EQ(-EINVAL, bpf_mount_open("/proc", O_RDWR));
	EXPECT_EQ(-EINVAL, bpf_mount_open(at(".bpf"), O_RDWR));
	EXPECT_EQ(-ENOENT, bpf_mount_open("/absent", O_RDWR));
	/* What was open for reading gives nothing to write. */
	fd = open(at(".bpf/fd"), O_RDONLY);
	EXPECT_EQ(EACCES, errno_of(ioctl(fd, BPFFS_IOC_GET_FD, &(__u32){ O_RDWR })));
	EXPECT_EQ(EINVAL, errno_of(ioctl(fd, BPFFS_IOC_GET_FD, &(__u32){ O_RDONLY | O_APPEND })));
	EXPECT_EQ(ENOTTY, errno_of(ioctl(fd, 12345)));
	close(fd);
	/* A read-only mount hands none out, to root either. */
	ASSERT_EQ(0, sh("mount -o remount,ro " MNT));
	EXPECT_EQ(-EROFS, bpf_mount_open(MNT, O_RDWR));
	EXPECT_EQ(-EROFS, bpf_mount_open(MNT, O_RDONLY));
	EXPECT_NE(NULL, strstr(bpf_mount_error(), "a read-only mount hands no descriptor out"));
}

TEST_F(descriptor, read_only_bind_mount)
{
	int fd;

	ASSERT_EQ(0, mount_fd(self->map, MNT, ""));
	mkdir("/tmp/bound", 0755);
	ASSERT_EQ(0, mount(MNT, "/tmp/bound", NULL, MS_BIND, NULL));
	ASSERT_EQ(0, mount(NULL, "/tmp/bound", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(-EROFS, bpf_mount_open("/tmp/bound", O_RDONLY));
	fd = bpf_mount_open(MNT, O_RDWR);
	EXPECT_LE(0, fd);
	close(fd);
}

/* Whatever uid= and mode= say: it is root's. */
TEST_F(descriptor, of_root_only)
{
	struct stat st;

	ASSERT_EQ(0, mount_fd(self->map, MNT, "uid=1000,mode=0666"));
	ASSERT_EQ(0, stat(at(".bpf/fd"), &st));
	EXPECT_EQ(0100600U, st.st_mode);
	EXPECT_EQ(0U, st.st_uid);
	ASSERT_EQ(0, become_service());
	EXPECT_EQ(-EACCES, bpf_mount_open(MNT, O_RDONLY));
	EXPECT_EQ(-EACCES, bpf_mount_open(MNT, O_RDWR));
	EXPECT_STREQ(HEX64("2a") "\n", text_of(at(HEX32("07"))));
}

TEST_F(descriptor, of_a_program)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int prog = make_prog(BPF_PROG_TYPE_SOCKET_FILTER);
	int fd;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, mount_fd(prog, MNT, ""));
	close(prog);
	EXPECT_EQ(-EACCES, bpf_mount_open(MNT, O_RDONLY));
	fd = bpf_mount_open(MNT, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bpf_obj_get_info_by_fd(fd, &info, &len));
	EXPECT_STREQ("pass", info.name);
	close(fd);
	EXPECT_EQ(0, umount(MNT));
	EXPECT_TRUE(is_gone(bpf_prog_get_fd_by_id, info.id));
}

TEST_F(descriptor, of_a_link)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int link = make_xdp_link();

	ASSERT_LE(0, link);
	ASSERT_EQ(0, mount_fd(link, MNT, ""));
	close(link);
	link = bpf_mount_open(MNT, O_RDWR);
	ASSERT_LE(0, link);
	ASSERT_EQ(0, bpf_obj_get_info_by_fd(link, &info, &len));
	EXPECT_EQ(info.id, (__u32)atoi(text_of(at("id"))));
	/* It is one as any other, and outlives the mount. */
	EXPECT_EQ(0, umount(MNT));
	EXPECT_FALSE(is_gone(bpf_link_get_fd_by_id, info.id));
	close(link);
	EXPECT_TRUE(is_gone(bpf_link_get_fd_by_id, info.id));
}

TEST_F(descriptor, of_a_detached_mount)
{
	int mnt = bpf_mount_fd_detached(self->map, NULL);
	int fd;

	ASSERT_LE(0, mnt);
	fd = bpf_mount_openat(mnt, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(map_id(self->map), map_id(fd));
	close(fd);
	close(mnt);
}

/* --- Memory --- */

TEST_F(descriptor, memory_of_an_array)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 16, BPF_F_MMAPABLE);
	__u64 *memory;
	__u32 id;
	int fd;

	ASSERT_LE(0, map);
	id = map_id(map);
	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	fd = open(at(".bpf/memory"), O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, read(fd, &id, 4));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 128, PROT_READ, MAP_PRIVATE, fd, 0));
	memory = mmap(NULL, 128, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	memory[3] = 77;
	EXPECT_EQ(77ULL, get(map, 3));
	/* While it is mapped to be written, it cannot be frozen. */
	EXPECT_EQ(EBUSY, errno_of(bpf_map_freeze(map)));
	munmap(memory, 128);
	close(fd);

	fd = open(at(".bpf/memory"), O_RDONLY);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 128, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	memory = mmap(NULL, 128, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_EQ(77ULL, memory[3]);
	ASSERT_EQ(0, put(map, 3, 78));
	EXPECT_EQ(78ULL, memory[3]);
	EXPECT_EQ(EACCES, errno_of(mprotect(memory, 128, PROT_READ | PROT_WRITE)));
	EXPECT_EQ(EACCES, errno_of(mprotect(memory, 128, PROT_READ | PROT_EXEC)));
	EXPECT_EQ(0, bpf_map_freeze(map));
	close(fd);
	/* It keeps the mount busy, or what is left of it. */
	close(map);
	EXPECT_EQ(EBUSY, errno_of(umount(MNT)));
	EXPECT_EQ(0, umount2(MNT, MNT_DETACH));
	EXPECT_EQ(78ULL, memory[3]);
	munmap(memory, 128);
	EXPECT_TRUE(map_is_gone(id));
}

static int remount_read_only(void)
{
	return mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL) ? -errno : 0;
}

/* As with a file of any other file system; also of a part of it, and of a child's. */
TEST_F(descriptor, memory_that_is_written_keeps_the_mount_writable)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 4096, BPF_F_MMAPABLE);
	long page = sysconf(_SC_PAGESIZE);
	char *memory;
	pid_t child;
	int fd;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	fd = open(at(".bpf/memory"), O_RDWR);
	memory = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	close(fd);
	EXPECT_EQ(-EBUSY, remount_read_only());
	munmap(memory, page);
	munmap(memory + 2 * page, page);
	EXPECT_EQ(-EBUSY, remount_read_only());
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	munmap(memory, 4 * page);
	EXPECT_EQ(-EBUSY, remount_read_only());
	EXPECT_EQ(EBUSY, errno_of(umount(MNT)));
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	EXPECT_EQ(0, remount_read_only());
	fd = open(at(".bpf/memory"), O_RDONLY);
	memory = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	close(fd);
	EXPECT_EQ(0, bpf_map_freeze(map));
	munmap(memory, page);
	EXPECT_EQ(0, umount(MNT));
}

/* All mappings of an arena are where its first one is. */
TEST_F(descriptor, memory_of_an_arena)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	size_t size = 4 * sysconf(_SC_PAGESIZE);
	int map = bpf_map_create(33, "arena", 0, 0, 4, &opts);
	__u64 *memory;
	int fd;

	if (map < 0)
		SKIP(return, "no arena here");
	ASSERT_EQ(0, mount_fd(map, MNT, "mode=0644"));
	fd = open(at(".bpf/memory"), O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	close(fd);
	fd = open(at(".bpf/memory"), O_RDWR);
	ASSERT_LE(0, fd);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	memory[3] = 77;
	/* There is nothing to wait for. */
	EXPECT_EQ(1, poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0));
	munmap(memory, size);
	EXPECT_EQ(memory, mmap(memory, size, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(77ULL, memory[3]);
	munmap(memory, size);
	close(fd);
}

/* A producer needs no libbpf: positions, then the data twice. */
TEST_F(descriptor, memory_of_a_user_ring_buffer)
{
	long page = sysconf(_SC_PAGESIZE);
	int map = make_map(BPF_MAP_TYPE_USER_RINGBUF, 0, 0, page, 0);
	struct stat st;
	__u64 *memory;
	int fd;

	if (map < 0)
		SKIP(return, "no user ring buffer here");
	ASSERT_EQ(0, mount_fd(map, MNT, ""));
	fd = open(at(".bpf/memory"), O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(4 * page, st.st_size);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_EQ(0ULL, memory[0]);
	EXPECT_EQ(1, poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 0));
	munmap(memory, 3 * page);
	close(fd);
}

TEST_F(descriptor, memory_of_others)
{
	EXPECT_EQ(0, mount_fd(self->map, MNT, ""));
	EXPECT_FALSE(file_exists(at(".bpf/memory")));
}

TEST_F(descriptor, memory_for_a_reader)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 16, BPF_F_MMAPABLE);

	ASSERT_EQ(0, put(map, 0, 5));
	ASSERT_EQ(0, mount_fd(map, MNT, "mode=0444"));
	ASSERT_EQ(0, become_service());
	EXPECT_EQ(0, sh("python3 -c '\n"
			"import mmap, sys\n"
			"with open(\"" MNT "/.bpf/memory\", \"rb\") as f:\n"
			"    m = mmap.mmap(f.fileno(), 128, mmap.MAP_SHARED, mmap.PROT_READ)\n"
			"    assert int.from_bytes(m[:8], sys.byteorder) == 5, m[:8]\n'"));
	EXPECT_EQ(-1, open(at(".bpf/memory"), O_RDWR));
}

/* lock *(u64 *)map_value += 1 */
static int make_counter(int map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_VALUE,
		  .imm = map },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 1, .src_reg = 2, .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "count", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

static atomic_bool stop;

static void *count(void *arg)
{
	char packet[64] = {};

	while (!stop) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet,
			    .data_size_in = sizeof(packet), .repeat = 100);

		bpf_prog_test_run_opts(*(int *)arg, &run);
	}
	return NULL;
}

/* A program's global counts; Python sees it move, having no right to write. */
TEST_F(descriptor, memory_of_a_counting_program)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE);
	int prog = make_counter(map);
	pthread_t thread;

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, mount_fd(map, MNT, "mode=0444"));
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, count, &prog));
	EXPECT_EQ(0, sh("setpriv --clear-groups --regid 1000 --reuid 1000 python3 -c '\n"
			"import mmap, time\n"
			"with open(\"" MNT "/.bpf/memory\", \"rb\") as f:\n"
			"    m = mmap.mmap(f.fileno(), 8, mmap.MAP_SHARED, mmap.PROT_READ)\n"
			"    seen = set()\n"
			"    while len(seen) < 5:\n"
			"        seen.add(m[:8])\n"
			"        time.sleep(0.01)\n'"));
	stop = true;
	pthread_join(thread, NULL);
}

/* A freeze wins or fails; nothing is written after it has won. */
TEST_F(descriptor, freeze_against_writers)
{
	int round, err;

	for (round = 0; round < 50; round++) {
		int map = make_hash(4);
		pid_t writer;
		__u64 value;

		ASSERT_EQ(0, put(map, 1, 1));
		ASSERT_EQ(0, mount_fd(map, MNT, "key=u32,value=u64"));
		writer = fork();
		if (!writer) {
			char text[32];
			int i;

			for (i = 2; ; i++) {
				snprintf(text, sizeof(text), "%d\n", i);
				if (write_to(at("1"), O_TRUNC, text) == -EPERM)
					_exit(0);
			}
		}
		usleep(500);
		do {
			err = bpf_map_freeze(map);
		} while (err && errno == EBUSY);
		EXPECT_EQ(0, err);
		value = get(map, 1);
		EXPECT_EQ(writer, waitpid(writer, &err, 0));
		EXPECT_EQ(0, err);
		EXPECT_EQ(value, get(map, 1));
		ASSERT_EQ(0, umount(MNT));
		close(map);
	}
}

/* Output of the program test_run: a record of 8 bytes in the ring. */
static int make_producer(int ring)
{
	const struct bpf_insn insns[] = {
		/* *(u64 *)(r10 - 8) = 99 */
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8, .imm = 99 },
		/* r1 = ring; r2 = r10 - 8; r3 = 8; r4 = 0 */
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = ring },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 4 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ringbuf_output },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "produce", "GPL", insns,
			     sizeof(insns) / sizeof(*insns), NULL);
}

TEST_F(descriptor, ring_buffer)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int ring = make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0);
	unsigned long *consumer, *producer;
	char packet[64] = {};
	struct pollfd ready;
	int prog, fd;
	void *data;

	ASSERT_LE(0, ring);
	prog = make_producer(ring);
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, mount_fd(ring, MNT, ""));
	EXPECT_EQ(0, count_names(MNT));
	fd = open(at(".bpf/memory"), O_RDWR);
	ASSERT_LE(0, fd);
	consumer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	producer = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, fd, 4096);
	ASSERT_NE(MAP_FAILED, consumer);
	ASSERT_NE(MAP_FAILED, producer);
	ready.fd = fd;
	ready.events = POLLIN;
	EXPECT_EQ(0, poll(&ready, 1, 0));
	run.data_in = packet;
	run.data_size_in = sizeof(packet);
	EXPECT_EQ(0, bpf_prog_test_run_opts(prog, &run));
	EXPECT_EQ(1, poll(&ready, 1, 5000));
	EXPECT_EQ(16UL, *producer);
	data = (char *)producer + 4096 + 8;
	EXPECT_EQ(99UL, *(unsigned long *)data);
	*consumer = 16;
	EXPECT_EQ(0, poll(&ready, 1, 0));
	close(fd);
}

TEST_HARNESS_MAIN
