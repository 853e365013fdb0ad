// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that batch operations are given in the caller's address space: nobody
 * inherits it, nothing of it stays, and nobody makes another key of it.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "util.h"

/* Each operation that batches, over and over. */
enum work {
	LIST,
	READ_TABLE,
	READ_RAW,
	WRITE_TABLE,
	CREATE,
	WORKS,
};

static void list(void)
{
	static char entries[65536];
	int dir = open(MNT, O_RDONLY | O_DIRECTORY);

	while (syscall(SYS_getdents64, dir, entries, sizeof(entries)) > 0)
		;
	close(dir);
}

static void read_file(const char *path)
{
	static char bytes[65536];
	int file = open(path, O_RDONLY);

	while (read(file, bytes, sizeof(bytes)) > 0)
		;
	close(file);
}

static void do_work(enum work work)
{
	static char table[8192];
	int i, len = 0, file;

	switch (work) {
	case LIST:
		list();
		break;
	case READ_TABLE:
		read_file(MNT "/.bpf/table");
		break;
	case READ_RAW:
		read_file(MNT "/.bpf/raw");
		break;
	case WRITE_TABLE:
		for (i = 0; i < 400; i++)
			len += sprintf(table + len, "%d %d\n", i, i);
		file = open(MNT "/.bpf/table", O_WRONLY);
		if (write(file, table, len) < 0)
			perror("table");
		close(file);
		break;
	default:
		file = open(MNT "/7", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (write(file, "7\n", 2) < 0)
			perror("element");
		close(file);
		unlink(MNT "/7");
	}
}

/*
 * Where the kernel's memory is mapped; 0 if it is not. Without malloc(), whose memory
 * could come to lie where that was.
 */
static unsigned long find_mapping(unsigned long *end)
{
	char maps[16384], *line;
	unsigned long start = 0;
	size_t len = 0;
	ssize_t got;
	int file;

	file = open("/proc/self/maps", O_RDONLY);
	while (len < sizeof(maps) - 1 &&
	       (got = read(file, maps + len, sizeof(maps) - 1 - len)) > 0)
		len += got;
	close(file);
	maps[len] = '\0';
	line = strstr(maps, "[bpffs]");
	while (line && line > maps && line[-1] != '\n')
		line--;
	if (line)
		sscanf(line, "%lx-%lx", &start, end);
	return start;
}

FIXTURE(batch) {
	int map;
	__u32 entries;
};

/* An LRU hash: also what is written goes by batch. */
FIXTURE_SETUP(batch)
{
	__u32 i;

	ASSERT_EQ(private_mounts(), 0);
	self->entries = scaled(20000);
	self->map = make_map(BPF_MAP_TYPE_LRU_HASH, 4, 8, 2 * self->entries, 0);
	ASSERT_GE(self->map, 0);
	for (i = 0; i < self->entries; i++)
		ASSERT_EQ(put(self->map, i, i), 0);
	ASSERT_EQ(mount_fd(self->map, MNT, "key=u32,value=u64"), 0) TH_LOG("%s", refusal);
}

FIXTURE_TEARDOWN(batch)
{
	umount2(MNT, MNT_DETACH);
}

static atomic_bool stop;

static void *work_on(void *arg)
{
	enum work work = (enum work)(long)arg;

	while (!stop)
		do_work(work);
	return NULL;
}

TEST_F(batch, nobody_inherits_it)
{
	unsigned long end;
	pthread_t thread;
	int i, status;
	pid_t child;
	long work;

	for (work = 0; work < WORKS; work++) {
		stop = false;
		ASSERT_EQ(pthread_create(&thread, NULL, work_on, (void *)work), 0);
		for (i = scaled(60); i; i--) {
			child = fork();
			if (!child)
				_exit(find_mapping(&end) != 0);
			ASSERT_EQ(waitpid(child, &status, 0), child);
			EXPECT_EQ(status, 0) TH_LOG("work %ld, child %d", work, i);
		}
		stop = true;
		pthread_join(thread, NULL);
	}
	EXPECT_EQ(find_mapping(&end), 0);
}

static int work_for_ever(void *arg)
{
	for (;;)
		do_work((enum work)(long)arg);
	return 0;
}

/* Who unmaps memory waits for this, and so does not unmap it if he is killed. */
static void *change_mappings(void *arg)
{
	const size_t size = 8 << 20;
	void *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int prot = PROT_READ;

	while (!stop) {
		mprotect(room, size, prot);
		prot ^= PROT_WRITE;
	}
	munmap(room, size);
	return NULL;
}

/* Whoever is killed in the middle leaves nothing to those who share its memory. */
TEST_F(batch, nothing_stays_of_the_killed)
{
	static char stack[65536] __attribute__((aligned(16)));
	unsigned long end;
	pthread_t thread;
	int i, tries;
	pid_t child;
	long work;

	for (work = 0; work < WORKS; work++) {
		stop = false;
		ASSERT_EQ(pthread_create(&thread, NULL, change_mappings, NULL), 0);
		for (i = 0; i < 30; i++) {
			child = clone(work_for_ever, stack + sizeof(stack), CLONE_VM | SIGCHLD,
				      (void *)work);
			ASSERT_GT(child, 0);
			usleep(2000 + i * 97 % 5000);
			ASSERT_EQ(kill(child, SIGKILL), 0);
			ASSERT_EQ(waitpid(child, NULL, 0), child);
		}
		stop = true;
		pthread_join(thread, NULL);
		/* It is unmapped a moment later. */
		for (tries = 0; tries < 500 && find_mapping(&end); tries++)
			usleep(10000);
		EXPECT_EQ(find_mapping(&end), 0) TH_LOG("work %ld", work);
	}
}

/* Nobody has its faults to handle, and so makes the kernel wait for him. */
TEST_F(batch, nobody_handles_its_faults)
{
	struct uffdio_api api = { .api = UFFD_API };
	int handler = syscall(SYS_userfaultfd, O_CLOEXEC);
	unsigned long start, end = 0;
	int seen = 0, tries;
	pthread_t thread;
	long work;

	if (handler < 0)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(ioctl(handler, UFFDIO_API, &api), 0);
	for (work = 0; work < WORKS; work++) {
		stop = false;
		ASSERT_EQ(pthread_create(&thread, NULL, work_on, (void *)work), 0);
		for (tries = scaled(2000); tries; tries--) {
			struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

			start = find_mapping(&end);
			if (!start)
				continue;
			seen++;
			range.range.start = start;
			range.range.len = end - start;
			EXPECT_NE(ioctl(handler, UFFDIO_REGISTER, &range), 0);
		}
		stop = true;
		pthread_join(thread, NULL);
	}
	TH_LOG("%d times it was mapped", seen);
	close(handler);
}

/*
 * Put other keys where the kernel's memory is: pages of a file, as the kernel may
 * have unmapped them again before something could be stored there.
 */
static void *map_over(void *arg)
{
	unsigned long start, end = 0, at;
	int file = (int)(long)arg;

	while (!stop) {
		start = find_mapping(&end);
		for (at = start; start && at < end; at += 4096)
			mmap((void *)at, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_FIXED | MAP_POPULATE, file, 0);
	}
	return NULL;
}

/* Move it away, or the page that is written to where the keys are. */
static void *move_away(void *arg)
{
	void *room = arg;
	unsigned long start, end = 0;
	bool pages = false;

	while (!stop) {
		start = find_mapping(&end);
		if (!start)
			continue;
		pages = !pages;
		if (pages)
			syscall(SYS_remap_file_pages, start + 4096, 4096, 0, 0, 0);
		else
			mremap((void *)start, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, room);
		mmap(room, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return NULL;
}

/* Of a file of one element, nobody makes another element. */
static void write_beside(struct __test_metadata *_metadata, FIXTURE_DATA(batch) *self,
			 void *(*disturb)(void *), void *arg)
{
	long tries = scaled(1000), i;
	pthread_t thread;

	stop = false;
	ASSERT_EQ(pthread_create(&thread, NULL, disturb, arg), 0);
	for (i = 0; i < tries; i++) {
		int file = open(MNT "/30000", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		ASSERT_GE(file, 0);
		/* Both can be refused while the other is at work. */
		if (write(file, "7\n", 2) == 2)
			unlink(MNT "/30000");
		close(file);
	}
	stop = true;
	pthread_join(thread, NULL);
	unlink(MNT "/30000");
	EXPECT_EQ(get(self->map, 1711), 1711);
	EXPECT_EQ(get(self->map, 30000), ~0ULL);
	for (i = 0; i < self->entries; i++)
		ASSERT_EQ(get(self->map, i), i);
}

TEST_F(batch, no_other_key_of_a_file)
{
	int other = memfd_create("keys", MFD_CLOEXEC);
	__u32 key = 1711;
	int i;

	for (i = 0; i < 1024; i++)
		ASSERT_EQ(write(other, &key, sizeof(key)), sizeof(key));
	write_beside(_metadata, self, map_over, (void *)(long)other);
	close(other);
}

TEST_F(batch, no_other_key_by_moving)
{
	unsigned long end;
	void *room = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(room, MAP_FAILED);
	write_beside(_metadata, self, move_away, room);
	munmap(room, 4096);
	EXPECT_EQ(find_mapping(&end), 0);
}

TEST_HARNESS_MAIN
