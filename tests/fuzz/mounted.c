// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sequences of system calls on mounted maps, where a kernel says which of the module's code
 * runs (KCOV): those that reach new code are kept, and changed further.
 *
 *	mounted [-s SECONDS] [-r NUMBER] [-q] [FILE...]
 *	mounted -x HEX
 *
 * FILE has the sequences to begin with, in hex, a line each, as they are printed at the
 * end: "seed HEX", the fewest that reach as much. -x runs one of them, and says what it
 * does. Without KCOV, sequences are kept at random; -q only runs those of FILE.
 *
 * A sequence is bytes: the map, and then calls, whose arguments are the bytes that follow.
 * Whatever the bytes are, it is one. Each runs in a process of its own; when that has ended
 * and nothing is mounted any more, the objects of it are gone. What the kernel has to say of
 * it is on the console, after the sequence.
 */
#include "../util.h"

#include <linux/bpf.h>
#include <linux/bpffs.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/kcov.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <time.h>

/* libbpf's headers are older. */
#define MAP_TYPE_ARENA		33
#define IORING_FTRUNCATE	55
#define DEBUGFS		"/sys/kernel/debug"
#define LONGEST		192	/* bytes of a sequence */
#define SEEDS		16384
#define COVER		(1 << 16)
#define SIGNALS		(1 << 20)
#define BUFFER		(1 << 18)
#define HANGS		60	/* seconds */

struct sequence {
	int len;
	unsigned char bytes[LONGEST];
};

static struct sequence *seeds[SEEDS];
static int nr_seeds;

/* --- What has been reached --- */

static int kcov = -1;
static unsigned long *cover;
static unsigned char reached[SIGNALS / 8], places[SIGNALS / 8];
static unsigned int nr_reached, nr_places;

static void open_kcov(void)
{
	kcov = open(DEBUGFS "/kcov", O_RDWR | O_CLOEXEC);
	if (kcov < 0 || ioctl(kcov, KCOV_INIT_TRACE, COVER)) {
		kcov = -1;
		return;
	}
	cover = mmap(NULL, COVER * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, kcov, 0);
	if (cover == MAP_FAILED) {
		cover = NULL;
		kcov = -1;
	}
}

static bool mark(unsigned char *bits, unsigned long what)
{
	unsigned int bit = what * 0x9e3779b97f4a7c15UL >> 44;
	bool is_new = !(bits[bit / 8] & 1 << bit % 8);

	bits[bit / 8] |= 1 << bit % 8;
	return is_new;
}

/* How much of what has just run had not been reached: places, and ways between two. */
static int count_new(void)
{
	unsigned long n, i, last = 0;
	int found = 0;

	if (!cover)
		return 0;
	n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < COVER; i++) {
		nr_places += mark(places, cover[i]);
		if (mark(reached, cover[i] ^ last << 1))
			found++;
		last = cover[i];
	}
	nr_reached += found;
	return found;
}

/* --- The bytes --- */

static const unsigned char *now, *end;
static bool says;

#define say(...) do { if (says) { printf(__VA_ARGS__); fflush(stdout); } } while (0)

static unsigned int take8(void)
{
	return now < end ? *now++ : 0;
}

static unsigned int take16(void)
{
	unsigned int low = take8();

	return low | take8() << 8;
}

/* Small numbers, and those at which something changes. */
static unsigned long take_size(void)
{
	static const unsigned long marks[] = {
		1, 4, 8, 16, 4095, 4096, 4097, 8192, 65535, 65536, 131072, BUFFER,
		INT_MAX, 1UL << 31, UINT_MAX, 1UL << 32, LONG_MAX, ~0UL, ~4095UL,
	};
	unsigned int byte = take8();

	return byte < 192 ? byte : byte < 192 + ARRAY_SIZE(marks) ? marks[byte - 192] : take16();
}

static size_t up_to(size_t most)
{
	unsigned long size = take_size();

	return size > most ? most : size;
}

/* --- The objects --- */

enum { MAP_OF_MAPS = 1, IS_PROG, IS_LINK };

static const struct kind {
	__u32 type, key, value, entries, flags;
	const char *options;
	int is;
} kinds[] = {
	{ BPF_MAP_TYPE_HASH, 4, 16, 64, 0, "key=u32,value=packets=u64:bytes=u64" },
	{ BPF_MAP_TYPE_HASH, 4, 8, 64, BPF_F_NO_PREALLOC, "" },
	{ BPF_MAP_TYPE_HASH, 8, 24, 1000, 0,
	  "key=ip4:be16:u8{tcp=6/udp=17}:pad1,value=a=u16{x.3/y.5/.8}:b=s16[3]:s=str8:{m=mac:u8:bool}" },
	{ BPF_MAP_TYPE_HASH, 200, 4, 8, 0, "key=hex" },
	{ BPF_MAP_TYPE_HASH, 5000, 4, 4, 0, "key=none" },
	{ BPF_MAP_TYPE_HASH, 4, 70000, 4, 0, "key=u32,value=u32[17500]" },
	{ BPF_MAP_TYPE_HASH, 16, 3, 8, 0, "key=str16,value=u8:be16" },
	{ BPF_MAP_TYPE_LRU_HASH, 4, 8, 64, 0, "key=u32,value=u64" },
	{ BPF_MAP_TYPE_ARRAY, 4, 8, 8, 0, "key=u32,value=u64,mode=0644" },
	{ BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_MMAPABLE, "key=u32,value=x32" },
	{ BPF_MAP_TYPE_ARRAY, 4, 4096, 3, BPF_F_MMAPABLE, "" },
	{ BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 64, 0, "key=u32,value=u64" },
	{ BPF_MAP_TYPE_PERCPU_HASH, 4, 16, 64, 0, "key=u32,value=a=u64:b=u32:c=s32,percpu=sum" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 8, 0, "key=u32,value=u64,percpu=sum" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, 4, 12, 4, 0, "key=u32,value=u32[3]" },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 64, 0, "key=u32" },
	{ BPF_MAP_TYPE_LPM_TRIE, 8, 8, 64, BPF_F_NO_PREALLOC, "key=plen:ip4,value=u64" },
	{ BPF_MAP_TYPE_LPM_TRIE, 20, 4, 64, BPF_F_NO_PREALLOC, "key=plen:ip6,value=u32" },
	{ BPF_MAP_TYPE_QUEUE, 0, 8, 8, 0, "value=u64" },
	{ BPF_MAP_TYPE_STACK, 0, 5, 8, 0, "" },
	{ BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 8, 0, "key=u32" },
	{ BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0, "" },
	{ BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, 0, "" },
	{ BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4, 0, "" },
	{ BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4, 0, "" },
	{ BPF_MAP_TYPE_STACK_TRACE, 4, 16, 16, 0, "" },
	{ BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 0, 0, "key=u64:u32:pad4,value=u64" },
	{ BPF_MAP_TYPE_DEVMAP, 4, 4, 4, 0, "" },
	{ BPF_MAP_TYPE_SOCKHASH, 4, 8, 4, 0, "" },
	{ MAP_TYPE_ARENA, 0, 0, 4, BPF_F_MMAPABLE, "" },
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 4, 0, "key=u32,inner_key=u32,inner_value=u64",
	  MAP_OF_MAPS },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, 4, 4, 4, 0, "key=u32,inner_key=u32,inner_value=u64,percpu=each",
	  MAP_OF_MAPS },
	{ 0, 0, 0, 0, 0, "", IS_PROG },
	{ 0, 0, 0, 0, 0, "", IS_LINK },
};

static const struct kind *kind;
static int object = -1;
static unsigned char key[8192], value[1 << 20];

static int load_prog(enum bpf_prog_type type)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, "one", "GPL", insns, ARRAY_SIZE(insns), NULL);
}

static int make_link(void)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int cgroup = open("/sys/fs/cgroup", O_RDONLY | O_CLOEXEC);
	int prog = load_prog(BPF_PROG_TYPE_CGROUP_SKB);
	int link = bpf_link_create(prog, cgroup, BPF_CGROUP_INET_INGRESS, &opts);

	close(prog);
	close(cgroup);
	return link;
}

static void set_key(unsigned int n)
{
	memset(key, 0, kind->key);
	if (kind->type == BPF_MAP_TYPE_LPM_TRIE) {
		key[0] = n % 33;
		key[4] = 10;
		key[7] = n;
	} else if (kind->key) {
		key[0] = n;
		key[kind->key > 4 ? 4 : 0] += n >> 4;
	}
}

static int make_object(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = kind->flags);
	int inner = -1, map;
	unsigned int i;

	if (kind->is == IS_PROG)
		return load_prog(BPF_PROG_TYPE_SOCKET_FILTER);
	if (kind->is == IS_LINK)
		return make_link();
	if (kind->is == MAP_OF_MAPS) {
		inner = make_map(BPF_MAP_TYPE_HASH, 4, 8, 8, 0);
		put(inner, 1, 1);
		put(inner, 2, 77);
		opts.inner_map_fd = inner;
	}
	map = bpf_map_create(kind->type, "conns", kind->key, kind->value, kind->entries, &opts);
	for (i = 0; map >= 0 && i < 4; i++) {
		set_key(i);
		value[0] = i;
		if (inner >= 0)
			memcpy(value, &inner, sizeof(inner));
		if (i < 3 || inner < 0)
			bpf_map_update_elem(map, kind->key ? key : NULL, value, BPF_ANY);
	}
	if (inner >= 0)
		close(inner);
	return map;
}

/* How many maps, programs and links there are. */
static int count_objects(void)
{
	__u32 id;
	int n = 0;

	for (id = 0; !bpf_map_get_next_id(id, &id); n++)
		;
	for (id = 0; !bpf_prog_get_next_id(id, &id); n++)
		;
	for (id = 0; !bpf_link_get_next_id(id, &id); n++)
		;
	return n;
}

/* --- Names and texts --- */

static const char *const names[] = {
	"", "0", "1", "2", "3", "4", "9", "70", "00000000", "01000000", "10.0.0.0-8", "10.0.0.1-32",
	"0.0.0.0,0,0", "10.0.0.1,443,tcp", "a", "a-b", "%00", "%2Ehidden", "0.0.0.0-0", "::-0", "1,0,0",
	".bpf", ".bpf/table", ".bpf/raw", ".bpf/error", ".bpf/memory", ".bpf/fd", ".bpf/count",
	".bpf/id", ".bpf/type", ".bpf/name", ".bpf/info", ".bpf/key", ".bpf/value", ".bpf/flags",
	".bpf/max_entries", ".bpf/frozen", ".bpf/evicted", ".bpf/pin", ".bpf/pin/map", ".bpf/mode",
	"pop", "push", "peek", "fd", "id", "error", "table", "info", "0/1", "0/2", "0/.bpf/table", "0/.bpf/raw",
	"0/.bpf", "0/.bpf/fd", "0/.bpf/error", "1/.bpf/memory", "0/3", ".", "..", ".bpf/..", "0/..",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~~0000",
	"/tmp/fuzz", "/tmp", "/proc/self/mounts", "/proc/self/mountinfo",
};

static const char *const texts[] = {
	"1\n", "5", "0x1f\n", "-1\n", "+3\n", "\n", "", "a=1\n", "a=+1\n", "b=2 3 4\n", "packets=7\n",
	"packets=7\nbytes=8\n", "bytes=+18446744073709551615\n", "packets=", "99999999999999999999\n",
	"cpu0=5\ncpu1=6\n", "cpu0.a=1\n", "cpu9=1\n", "0100000000000000\n", "00", "zz\n", "%00\n",
	"1\t2\n", "0\t5\n9\t8\n", "key\tvalue\n", "0\tpackets=1 bytes=2\n", "m=02:00:00:00:00:01\n",
	"s=abc\n", "x=7 y=31\n", "1 2 3\n", "true\n", "10.0.0.0-8\t5\n", "-\t0\n", "0\n1\n2\n", "b[1]=5\n",
	"sum=5\n",
};

static const char *const layouts[] = {
	"hex", "none", "u32", "u64", "u8:u8:u8:u8", "be32", "x32", "ip4", "str4", "hex4", "{u16:u16}",
	"u16[2]", "u8{a=0/b=1}:pad3", "u32{x.4/y.4/.24}", "plen:ip4", "plen:ip6", "a=u64", "a=u64:b=u64",
	"u64[2]", "ip6", "str16", "u32[17500]", "mac:pad2", "a={b=u8[2][2]:c=s16}", "bool:hex3", "u31",
	"u8[4294967295]", "{{{{{{{{{{u8}}}}}}}}}}", "u32{.s5{in=0}/.27}", "pad4", "", "auto",
};

static const char *take_text(size_t *len)
{
	static char room[2][LONGEST];
	static int next;
	unsigned int n = take8();
	char *text = room[next++ % 2];

	if (n < 200) {
		*len = strlen(texts[n % ARRAY_SIZE(texts)]);
		return texts[n % ARRAY_SIZE(texts)];
	}
	*len = n % 40;
	for (n = 0; n < *len; n++)
		text[n] = take8();
	text[n] = '\0';
	return text;
}

static const char *take_path(void)
{
	static char paths[4][PATH_MAX];
	static int next;
	unsigned int n = take8();
	char *path = paths[next++ % 4];
	struct dirent *entry;
	DIR *dir;

	if (n < 200) {
		const char *name = names[n % ARRAY_SIZE(names)];

		snprintf(path, PATH_MAX, "%s%s%s", *name == '/' ? "" : MNT,
			 *name && *name != '/' ? "/" : "", name);
	} else if (n < 230) {
		/* One of those that are listed. */
		n -= 200;
		snprintf(path, PATH_MAX, MNT "/none");
		dir = opendir(MNT);
		while (dir && (entry = readdir(dir)))
			if (entry->d_name[0] != '.' && n-- < 2)
				snprintf(path, PATH_MAX, MNT "/%s", entry->d_name);
		if (dir)
			closedir(dir);
	} else if (n < 240) {
		/* Too long, or nearly. */
		n = 250 + n % 8;
		snprintf(path, PATH_MAX, MNT "/%0*d", (int)n, 0);
	} else {
		n %= 16;
		snprintf(path, PATH_MAX, MNT "/");
		while (n--) {
			char byte[2] = { take8() };

			strcat(path, byte);
		}
	}
	return path;
}

/* --- What a sequence has open --- */

#define SLOTS	6

static int slots[SLOTS] = { -1, -1, -1, -1, -1, -1 };
static int temp = -1, pipes[2] = { -1, -1 };
static char *mapped = MAP_FAILED;
static size_t mapped_size;
static long cookies[8];
static char buffer[BUFFER];

static int slot(void)
{
	unsigned int n = take8(), i;

	if (n >= 240)
		return temp;
	/* Or else the next one that is open. */
	for (i = 0; i < SLOTS && slots[(n + i) % SLOTS] < 0; i++)
		;
	return slots[(n + i) % SLOTS];
}

static void keep_fd(int fd)
{
	static int next;

	if (fd < 0)
		return;
	if (slots[next % SLOTS] >= 0)
		close(slots[next % SLOTS]);
	slots[next++ % SLOTS] = fd;
}

static sigjmp_buf faulted;
static bool may_fault;

static void on_fault(int signal)
{
	if (__atomic_load_n(&may_fault, __ATOMIC_RELAXED))
		siglongjmp(faulted, 1);
	_exit(128 + signal);
}

static void touch_mapped(bool write)
{
	size_t i;

	if (mapped == MAP_FAILED)
		return;
	__atomic_store_n(&may_fault, true, __ATOMIC_SEQ_CST);
	if (!sigsetjmp(faulted, 1)) {
		for (i = 0; i < mapped_size && i < 1 << 16; i += 1024) {
			if (write)
				__atomic_store_n(&mapped[i], i, __ATOMIC_SEQ_CST);
			else
				(void)__atomic_load_n(&mapped[i], __ATOMIC_SEQ_CST);
		}
	}
	__atomic_store_n(&may_fault, false, __ATOMIC_SEQ_CST);
}

/* --- Calls: each takes its arguments from the bytes --- */

static long do_mount_default(void)
{
	say("mount %s\n", kind->options);
	return mount_fd_kernel(object, MNT, kind->options);
}

static void set_option(int fs)
{
	static const char *const options[] = {
		"fd", "key", "value", "mode", "uid", "gid", "percpu", "inner_key", "inner_value", "id",
		"name", "pinroot", "source", "ro", "rw", "bogus",
	};
	static const char *const others[] = {
		"0", "0600", "0644", "07777", "1000", "4294967295", "-1", "sum", "each", "conns",
		"no such", "",
	};
	const char *option = options[take8() % ARRAY_SIZE(options)];
	unsigned int n = take8();
	size_t len;
	const char *text;

	switch (n % 8) {
	case 0:
	case 1:
	case 2:
		text = layouts[take8() % ARRAY_SIZE(layouts)];
		break;
	case 3:
	case 4:
		text = others[take8() % ARRAY_SIZE(others)];
		break;
	case 5:
		text = take_text(&len);
		break;
	case 6:
		say("option %s: fd\n", option);
		fsconfig(fs, FSCONFIG_SET_FD, option, NULL, n & 8 ? object : slot());
		return;
	default:
		text = take_text(&len);
		say("option %s: %s of %zu bytes\n", option, n & 8 ? "flag" : "blob", len);
		if (n & 8)
			fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
		else
			fsconfig(fs, FSCONFIG_SET_BINARY, option, text, len);
		return;
	}
	say("option %s=%s\n", option, text);
	fsconfig(fs, FSCONFIG_SET_STRING, option, text, 0);
}

static long do_mount_options(void)
{
	int fs = fsopen("bpffs", FSOPEN_CLOEXEC);
	unsigned int n = take8();
	int mnt;
	long err;

	if (fs < 0)
		return -errno;
	if (!(n & 8))
		fsconfig(fs, FSCONFIG_SET_FD, "fd", NULL, object);
	if (n & 16)
		set_options(fs, kind->options);
	for (n %= 8; n; n--)
		set_option(fs);
	err = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, take8() & 7 ? 0 : MOUNT_ATTR_RDONLY);
	if (mnt >= 0)
		err = move_mount(mnt, "", AT_FDCWD, MNT, MOVE_MOUNT_F_EMPTY_PATH);
	read_refusal(fs);
	say("mount: %s", refusal);
	close(mnt);
	close(fs);
	return err;
}

static long do_umount(void)
{
	return umount2(MNT, take8() & 1 ? MNT_DETACH : 0);
}

static long do_remount(void)
{
	unsigned int n = take8();
	int fs;
	long err;

	if (n & 1)
		return mount(NULL, MNT, NULL, MS_REMOUNT | (n & 2 ? MS_BIND : 0) |
			     (n & 4 ? MS_RDONLY : 0), n & 8 ? kind->options : NULL);
	if (n & 2)
		return mount(MNT, "/srv", NULL, MS_BIND | (n & 4 ? MS_REC : 0), NULL) ?:
		       umount2("/srv", MNT_DETACH);
	fs = fspick(AT_FDCWD, MNT, FSPICK_CLOEXEC);
	for (n >>= 4; n; n--)
		set_option(fs);
	err = fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
	close(fs);
	return err;
}

static long do_open(void)
{
	static const int common[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_WRONLY | O_CREAT, O_RDWR | O_CREAT, O_DIRECTORY,
		O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_CREAT | O_EXCL, O_WRONLY | O_TRUNC,
		O_RDWR | O_CREAT | O_APPEND, O_PATH, O_WRONLY | O_APPEND,
	};
	const char *path = take_path();
	unsigned int n = take8();
	int flags = n < 200 ? common[n % ARRAY_SIZE(common)] : take16() << 6 | take8();
	int fd = open(path, flags | O_NONBLOCK, 0644);

	say("open %s %#x: %d\n", path, flags, fd);
	keep_fd(fd);
	return fd;
}

static long do_read(void)
{
	struct iovec iov[2] = { { buffer, 7 }, { buffer + 64, 0 } };
	int fd = slot();
	unsigned int n = take8();
	size_t size = up_to(BUFFER);

	iov[1].iov_len = size > BUFFER - 64 ? BUFFER - 64 : size;
	switch (n % 4) {
	case 0:
		return read(fd, buffer, size);
	case 1:
		return pread(fd, buffer, size, take_size());
	case 2:
		return readv(fd, iov, 2);
	default:
		return preadv2(fd, iov, 2, n & 8 ? -1 : (off_t)take_size(), n & 4 ? RWF_NOWAIT : 0);
	}
}

static long do_write(void)
{
	struct iovec iov[2] = {};
	int fd = slot();
	unsigned int n = take8();
	size_t len;
	const char *text = take_text(&len);

	iov[0].iov_base = iov[1].iov_base = (void *)text;
	iov[0].iov_len = iov[1].iov_len = len;
	say("write \"%s\"\n", text);
	switch (n % 6) {
	case 0:
	case 1:
		return write(fd, text, len);
	case 2:
		return pwrite(fd, text, len, take_size());
	case 3:
		return writev(fd, iov, 2);
	case 4:
		return write(fd, buffer, up_to(BUFFER));
	default:
		return pwritev2(fd, iov, 2, n & 8 ? -1 : (off_t)take_size(),
				n & 16 ? RWF_APPEND : n & 32 ? RWF_NOWAIT : 0);
	}
}

static long do_seek(void)
{
	int fd = slot();
	unsigned int n = take8();

	if (n >= 128)
		return lseek(fd, cookies[n % 8], SEEK_SET);
	return lseek(fd, take_size(), n % 6);
}

static long do_truncate(void)
{
	int fd = slot();
	unsigned int n = take8();

	if (n % 4 == 3)
		return truncate(take_path(), take_size());
	return n % 4 == 2 ? fallocate(fd, n >> 4, take_size(), take_size()) :
			    ftruncate(fd, take_size());
}

static long do_stat(void)
{
	unsigned int n = take8();
	const char *path = take_path();
	struct statfs fs;
	struct statx stx;
	struct stat st;

	switch (n % 8) {
	case 0:
		return fstat(slot(), &st);
	case 1:
		return stat(path, &st);
	case 2:
		return statfs(path, &fs);
	case 3:
		return statx(AT_FDCWD, path, n & 8 ? AT_STATX_FORCE_SYNC : 0, STATX_ALL, &stx);
	case 4:
		return access(path, n >> 5);
	case 5:
		return readlink(path, buffer, 100);
	case 6:
		return getxattr(path, n & 8 ? "security.x" : "user.x", buffer, 100);
	default:
		return n & 8 ? setxattr(path, "user.x", "1", 1, 0) : listxattr(path, buffer, 100);
	}
}

static long do_ioctl(void)
{
	int fd = slot();
	unsigned int n = take8();
	__u32 arg = take16();
	int got;

	if (n & 1)
		return ioctl(fd, n & 2 ? FIONREAD : n & 4 ? FS_IOC_GETFLAGS : (n & 8) ? FIOCLEX :
			     (unsigned long)arg, n & 16 ? NULL : buffer);
	arg = n & 2 ? O_RDONLY : n & 4 ? O_RDWR : arg;
	got = ioctl(fd, BPFFS_IOC_GET_FD, n & 128 ? NULL : &arg);
	if (got >= 0)
		close(got);
	return got;
}

static long do_mmap(void)
{
	static const int shares[] = { MAP_SHARED, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE };
	int fd = slot();
	unsigned int n = take8();
	size_t size = 4096 * (1 + take8() % 20);

	switch (n % 4) {
	case 0:
	case 1:
		if (mapped != MAP_FAILED)
			munmap(mapped, mapped_size);
		mapped_size = size;
		mapped = mmap(NULL, size, n >> 5, shares[n >> 2 & 3], fd,
			      n & 16 ? take_size() & ~4095L : 0);
		say("mmap: %p\n", mapped);
		break;
	case 2:
		if (mapped != MAP_FAILED && mprotect(mapped, mapped_size, n >> 5))
			return -errno;
		break;
	default:
		if (mapped != MAP_FAILED) {
			void *moved = mremap(mapped, mapped_size, size, MREMAP_MAYMOVE);

			if (moved != MAP_FAILED) {
				mapped = moved;
				mapped_size = size;
			}
		}
	}
	touch_mapped(n & 16);
	return 0;
}

static long do_splice(void)
{
	int fd = slot();
	unsigned int n = take8();
	size_t size = up_to(BUFFER), len;
	const char *text;
	loff_t off = n & 64 ? take_size() : 0;
	struct iovec iov;

	switch (n % 6) {
	case 0:
		return splice(fd, n & 64 ? &off : NULL, pipes[1], NULL, size, SPLICE_F_NONBLOCK);
	case 1:
		return splice(pipes[0], NULL, fd, n & 64 ? &off : NULL, size, SPLICE_F_NONBLOCK);
	case 2:
		return sendfile(slot(), fd, n & 64 ? &off : NULL, size);
	case 3:
		text = take_text(&len);
		return write(pipes[1], text, len);
	case 4:
		iov.iov_base = buffer;
		iov.iov_len = size;
		return vmsplice(pipes[1], &iov, 1, SPLICE_F_NONBLOCK);
	default:
		return read(pipes[0], buffer, size);
	}
}

static long do_copy(void)
{
	int in = slot(), out = slot();
	unsigned int n = take8();
	loff_t from = take_size(), to = take_size();

	if (n & 128)
		return ioctl(out, FICLONE, in);
	return copy_file_range(in, n & 1 ? &from : NULL, out, n & 2 ? &to : NULL,
			       up_to(LONG_MAX), 0);
}

static long do_getdents(void)
{
	int fd = slot();
	unsigned int n = take8();
	long len, pos;

	if (n & 128)
		lseek(fd, cookies[n % 8], SEEK_SET);
	len = syscall(SYS_getdents64, fd, buffer, n & 64 ? take_size() : 24 + n % 64 * 16);
	for (pos = 0, n = 0; len > 0 && pos < len; n++) {
		struct dirent64 *entry = (void *)(buffer + pos);

		cookies[n % 8] = entry->d_off;
		pos += entry->d_reclen;
	}
	return len;
}

static long do_close(void)
{
	unsigned int n = take8() % SLOTS;
	int fd = slots[n];

	slots[n] = -1;
	return close(fd);
}

static long do_names(void)
{
	unsigned int n = take8();
	const char *path = take_path(), *to = n % 8 == 3 || n % 8 == 4 ? take_path() : NULL;

	switch (n % 8) {
	case 0:
		return unlink(path);
	case 1:
		return rmdir(path);
	case 2:
		return mkdir(path, 0700);
	case 3:
		return renameat2(AT_FDCWD, path, AT_FDCWD, to, n >> 5);
	case 4:
		return link(path, to);
	case 5:
		return symlink("x", path);
	case 6:
		return mknod(path, n & 8 ? S_IFREG : S_IFIFO, 0);
	default:
		return open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	}
}

static long do_setattr(void)
{
	struct timespec times[2] = { { 1, UTIME_NOW }, { 2, UTIME_OMIT } };
	unsigned int n = take8();

	times[1].tv_nsec = n & 64 ? UTIME_NOW : n & 32 ? 5 : UTIME_OMIT;
	switch (n % 6) {
	case 0:
		return chmod(take_path(), n << 1);
	case 1:
		return chown(take_path(), n & 8 ? 1000 : 0, -1);
	case 2:
		return utimensat(AT_FDCWD, take_path(), times, 0);
	case 3:
		return futimens(slot(), n & 16 ? times : NULL);
	case 4:
		return fchmod(slot(), n << 1);
	default:
		return fchown(slot(), -1, n & 8 ? 1000 : 0);
	}
}

static long do_bpf(void)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	unsigned int n = take8();
	__u32 count = 64, token;
	int inner, err;

	if (kind->is && kind->is != MAP_OF_MAPS)
		return 0;
	set_key(take8());
	memset(value, take8(), 64);
	switch (n % 8) {
	case 0:
	case 1:
		if (kind->is != MAP_OF_MAPS)
			return bpf_map_update_elem(object, kind->key ? key : NULL, value, n >> 6);
		inner = make_map(n & 8 ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY, 4, 8, 8, 0);
		put(inner, 0, n);
		err = bpf_map_update_elem(object, key, &inner, BPF_ANY);
		close(inner);
		return err;
	case 2:
		return bpf_map_delete_elem(object, key);
	case 3:
		return bpf_map_lookup_elem(object, kind->key ? key : NULL, value);
	case 4:
		return bpf_map_lookup_and_delete_elem(object, kind->key ? key : NULL, value);
	case 5:
		return bpf_map_get_next_key(object, n & 8 ? key : NULL, key);
	case 6:
		if (kind->key * 64 > sizeof(key) || kind->value * 64 * 8 > sizeof(value))
			return 0;
		return bpf_map_lookup_batch(object, NULL, &token, key, value, &count, &opts);
	default:
		/* Mostly it would be in the way of the rest. */
		return n >= 248 ? bpf_map_freeze(object) : 0;
	}
}

/* Beside the calls that follow. */
static void *race(void *arg)
{
	unsigned char room[5000] = {}, bytes[64 * 1024] = {};
	unsigned int n = (long)arg;

	for (;;) {
		room[0] = ++n % 5;
		if (kind->type == BPF_MAP_TYPE_LPM_TRIE)
			memcpy(room + 4, "\x0a", 1);
		memset(bytes, n, 16);
		if (n & 8)
			bpf_map_delete_elem(object, room);
		else if (kind->value <= sizeof(bytes) / 8)
			bpf_map_update_elem(object, kind->key ? room : NULL, bytes, BPF_ANY);
	}
	return NULL;
}

static long do_race(void)
{
	static bool runs;
	pthread_t thread;
	unsigned int n = take8();

	if (runs || kind->is)
		return 0;
	runs = true;
	return -pthread_create(&thread, NULL, race, (void *)(long)n);
}

static long do_poll(void)
{
	struct pollfd fds = { .fd = slot(), .events = take8() };

	return poll(&fds, 1, 0);
}

static long do_fcntl(void)
{
	static const int commands[] = {
		F_SETFL, F_GETFL, F_SETLEASE, F_SETLK, F_OFD_SETLK, F_NOTIFY, F_SETPIPE_SZ, F_GETLK,
		F_ADD_SEALS, F_GET_RW_HINT,
	};
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = slot();
	unsigned int n = take8();
	int command = commands[n % ARRAY_SIZE(commands)];

	if (command == F_SETLK || command == F_OFD_SETLK || command == F_GETLK)
		return fcntl(fd, command, &lock);
	return fcntl(fd, command, command == F_SETFL ? take16() | O_NONBLOCK :
		     command == F_NOTIFY || command == F_GET_RW_HINT ? (long)buffer : take8());
}

static long do_sync(void)
{
	int fd = slot();
	unsigned int n = take8();

	switch (n % 6) {
	case 0:
		return fsync(fd);
	case 1:
		return posix_fadvise(fd, 0, 0, n >> 4);
	case 2:
		return readahead(fd, 0, 4096);
	case 3:
		return syncfs(fd);
	case 4:
		return sync_file_range(fd, 0, 0, 7);
	default:
		return fdatasync(fd);
	}
}

static long do_handle(void)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} it = { .handle.handle_bytes = MAX_HANDLE_SZ };
	const char *path = take_path();
	int mount, watch;

	if (take8() & 1) {
		watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
		inotify_add_watch(watch, path, IN_ALL_EVENTS);
		keep_fd(watch);
		return watch;
	}
	if (name_to_handle_at(AT_FDCWD, path, &it.handle, &mount, 0))
		return -errno;
	keep_fd(open_by_handle_at(AT_FDCWD, &it.handle, O_RDONLY));
	return 0;
}

/* Of the calls that follow, the nth chance to fail does so. */
static int fail_nth = -1;

static long do_fail(void)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", take8() % 64);

	return pwrite(fail_nth, text, len, 0);
}

static long do_who(void)
{
	unsigned int n = take8();
	struct rlimit limit = { take_size(), RLIM_INFINITY };

	if (n & 64)
		return setrlimit(n & 1 ? RLIMIT_AS : n & 2 ? RLIMIT_NOFILE : RLIMIT_FSIZE, &limit);
	return setfsuid(n & 1 ? 1000 : 0);
}

/* One request of io_uring, and what comes of it at once. */
static long do_uring(void)
{
	struct io_uring_params params = {};
	int fd = slot(), ring;
	unsigned int n = take8();
	struct io_uring_sqe *sqes;
	const char *text;
	char *queue;
	size_t len, size;
	long err;

	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0)
		return -errno;
	size = params.sq_off.array + params.sq_entries * sizeof(__u32);
	queue = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	sqes = mmap(NULL, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
		    ring, IORING_OFF_SQES);
	if (queue == MAP_FAILED || sqes == MAP_FAILED) {
		close(ring);
		return -ENOMEM;
	}
	sqes->fd = fd;
	sqes->addr = (unsigned long)buffer;
	sqes->len = up_to(BUFFER);
	sqes->off = n & 64 ? take_size() : n & 32 ? -1 : 0;
	sqes->flags = n & 128 ? IOSQE_ASYNC : 0;
	switch (n % 10) {
	case 0:
		sqes->opcode = IORING_OP_READ;
		break;
	case 1:
		text = take_text(&len);
		memcpy(buffer, text, len);
		sqes->opcode = IORING_OP_WRITE;
		sqes->len = len;
		break;
	case 2:
		sqes->opcode = IORING_OP_OPENAT;
		sqes->fd = AT_FDCWD;
		sqes->addr = (unsigned long)take_path();
		sqes->open_flags = take16() & ~(O_CREAT << 8);
		sqes->len = 0600;
		break;
	case 3:
		sqes->opcode = IORING_OP_FSYNC;
		sqes->addr = sqes->len = 0;
		break;
	case 4:
		sqes->opcode = IORING_OP_POLL_ADD;
		sqes->poll32_events = POLLIN;
		sqes->addr = sqes->len = 0;
		break;
	case 5:
		sqes->opcode = IORING_OP_SPLICE;
		sqes->fd = pipes[1];
		sqes->splice_fd_in = fd;
		sqes->splice_off_in = -1;
		sqes->off = -1;
		break;
	case 6:
		sqes->opcode = IORING_OP_UNLINKAT;
		sqes->fd = AT_FDCWD;
		sqes->addr = (unsigned long)take_path();
		sqes->len = sqes->off = 0;
		break;
	case 7:
		sqes->opcode = IORING_OP_STATX;
		sqes->fd = AT_FDCWD;
		sqes->addr = (unsigned long)take_path();
		sqes->off = (unsigned long)buffer;
		sqes->len = STATX_ALL;
		break;
	case 8:
		sqes->opcode = IORING_OP_FALLOCATE;
		break;
	default:
		sqes->opcode = IORING_FTRUNCATE;
		sqes->addr = sqes->len = 0;
	}
	((__u32 *)(queue + params.sq_off.array))[0] = 0;
	__atomic_store_n((__u32 *)(queue + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	err = syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0);
	munmap(sqes, params.sq_entries * sizeof(*sqes));
	munmap(queue, size);
	close(ring);
	return err;
}

static const struct {
	const char *name;
	long (*call)(void);
	int often;
} calls[] = {
	{ "mount", do_mount_default, 3 }, { "fsopen", do_mount_options, 3 }, { "umount", do_umount, 1 },
	{ "remount", do_remount, 2 }, { "open", do_open, 8 }, { "read", do_read, 4 },
	{ "write", do_write, 6 }, { "lseek", do_seek, 2 }, { "truncate", do_truncate, 2 },
	{ "stat", do_stat, 3 }, { "ioctl", do_ioctl, 2 }, { "mmap", do_mmap, 3 },
	{ "splice", do_splice, 3 }, { "copy_file_range", do_copy, 2 }, { "getdents", do_getdents, 3 },
	{ "close", do_close, 2 }, { "names", do_names, 3 }, { "setattr", do_setattr, 2 },
	{ "bpf", do_bpf, 4 }, { "race", do_race, 1 }, { "poll", do_poll, 1 }, { "fcntl", do_fcntl, 1 },
	{ "fsync", do_sync, 1 }, { "handle", do_handle, 1 }, { "fail", do_fail, 3 }, { "who", do_who, 1 },
	{ "io_uring", do_uring, 3 },
};

static unsigned int call_of(unsigned int byte)
{
	int all = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		all += calls[i].often;
	byte %= all;
	for (i = 0; byte >= (unsigned int)calls[i].often; i++)
		byte -= calls[i].often;
	return i;
}

/* --- A sequence --- */

static void set_up(void)
{
	signal(SIGSEGV, on_fault);
	signal(SIGBUS, on_fault);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	alarm(10);
	temp = open("/tmp/fuzz", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (write(temp, "1\n", 2) != 2 || pipe2(pipes, O_NONBLOCK | O_CLOEXEC))
		_exit(2);
	fail_nth = open("/proc/thread-self/fail-nth", O_WRONLY | O_CLOEXEC);
}

static void run(const struct sequence *s)
{
	unsigned int n;
	long ret;

	set_up();
	now = s->bytes;
	end = now + s->len;
	kind = &kinds[take8() % ARRAY_SIZE(kinds)];
	object = make_object();
	if (object < 0) {
		say("no object: %s\n", strerror(errno));
		_exit(0);
	}
	if (kcov >= 0) {
		if (ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC))
			_exit(2);
		__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
	}
	while (now < end) {
		n = call_of(take8());
		errno = 0;
		ret = calls[n].call();
		say("%s: %ld %s\n", calls[n].name, ret, errno ? strerror(errno) : "");
	}
	_exit(0);
}

static char hex[2 * LONGEST + 1];

static const char *to_hex(const struct sequence *s)
{
	int i;

	for (i = 0; i < s->len; i++)
		sprintf(hex + 2 * i, "%02x", s->bytes[i]);
	hex[2 * i] = '\0';
	return hex;
}

static bool from_hex(const char *text, struct sequence *s)
{
	unsigned int byte;

	for (s->len = 0; s->len < LONGEST && sscanf(text + 2 * s->len, "%2x", &byte) == 1; s->len++)
		s->bytes[s->len] = byte;
	return s->len;
}

static int objects, console = -1;
static unsigned long runs, overdue;

/* Return: how much it reached that nothing had, or -1 if something is wrong. */
static int try(const struct sequence *s)
{
	char line[sizeof(hex) + 16];
	int status, tries, len;
	pid_t pid;

	/* What the kernel then says follows it. stdio would seek there, which is an error. */
	len = snprintf(line, sizeof(line), "<6>fuzz: %s\n", to_hex(s));
	if (write(console, line, len) < 0)
		fprintf(stderr, "/dev/kmsg: %s\n", strerror(errno));
	if (cover)
		cover[0] = 0;
	fflush(stdout);
	pid = fork();
	if (!pid)
		run(s);
	if (pid < 0)
		return 0;
	for (tries = 0; waitpid(pid, &status, WNOHANG) != pid; tries++) {
		usleep(tries < 100 ? 200 : 5000);
		if (tries > HANGS * 200) {
			printf("not ok hangs: %s\n", to_hex(s));
			return -1;
		}
	}
	runs++;
	overdue += WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
		printf("not ok cannot begin: %s\n", to_hex(s));
		return -1;
	}
	while (!umount2(MNT, MNT_DETACH) || !umount2("/srv", MNT_DETACH))
		;
	for (tries = 0; count_objects() != objects; tries++) {
		if (tries > 2000) {
			printf("not ok %d objects are left: %s\n", count_objects() - objects,
			       to_hex(s));
			return -1;
		}
		usleep(tries < 100 ? 500 : 10000);
	}
	return count_new();
}

/* --- New ones from old ones --- */

static __u64 state = 1;

static unsigned int any(unsigned int below)
{
	return random_below(&state, below);
}

static void insert(struct sequence *s, int pos, const unsigned char *bytes, int len)
{
	if (len > LONGEST - s->len)
		len = LONGEST - s->len;
	memmove(s->bytes + pos + len, s->bytes + pos, s->len - pos);
	memcpy(s->bytes + pos, bytes, len);
	s->len += len;
}

static void change(struct sequence *s)
{
	const struct sequence *other = seeds[any(nr_seeds)];
	unsigned char some[8];
	int pos = any(s->len), len, i;

	switch (any(8)) {
	case 0:
	case 1:
		s->bytes[pos] = any(256);
		break;
	case 2:
		s->bytes[pos] += any(9) - 4;
		break;
	case 3:
		for (i = 0; i < 8; i++)
			some[i] = any(256);
		insert(s, pos, some, 1 + any(8));
		break;
	case 4:
		len = 1 + any(8);
		if (s->len - pos <= len)
			break;
		memmove(s->bytes + pos, s->bytes + pos + len, s->len - pos - len);
		s->len -= len;
		break;
	case 5:
		/* A part of another one, whose map it is not. */
		i = 1 + any(other->len);
		insert(s, pos ?: 1 % s->len, other->bytes + i, any(other->len - i + 1));
		break;
	case 6:
		insert(s, s->len, other->bytes + 1, other->len - 1);
		break;
	default:
		s->bytes[0] = any(ARRAY_SIZE(kinds));
	}
}

static void keep(const struct sequence *s)
{
	if (nr_seeds == SEEDS)
		return;
	seeds[nr_seeds] = malloc(sizeof(*s));
	*seeds[nr_seeds++] = *s;
}

static int by_length(const void *a, const void *b)
{
	return (*(struct sequence **)a)->len - (*(struct sequence **)b)->len;
}

static int load(const char *file)
{
	struct sequence s;
	char line[4096];
	FILE *from = fopen(file, "r");
	int err = 0;

	while (from && !err && fgets(line, sizeof(line), from)) {
		if (line[0] == '#' || !from_hex(strncmp(line, "seed ", 5) ? line : line + 5, &s))
			continue;
		/* A kernel that does not say what it reaches gets all of them. */
		err = try(&s);
		if (err > 0 || (!err && !cover))
			keep(&s);
		err = err < 0;
	}
	if (from)
		fclose(from);
	return err;
}

static void add(struct sequence *s, const char *name, int len, ...)
{
	unsigned int i, byte = 0;
	va_list args;

	for (i = 0; strcmp(calls[i].name, name); i++)
		byte += calls[i].often;
	s->bytes[s->len++] = byte;
	va_start(args, len);
	while (len--)
		s->bytes[s->len++] = va_arg(args, int);
	va_end(args);
}

static int named(const char *name)
{
	int i;

	for (i = 0; strcmp(names[i], name); i++)
		;
	return i;
}

/* A map, mounted, listed; elements, .bpf/table and .bpf/raw read and written. */
static void begin_with(int n)
{
	struct sequence s = { .len = 1, .bytes = { n } };

	add(&s, "mount", 0);
	add(&s, "open", 2, named(""), 5);
	add(&s, "getdents", 2, 0, 60);
	keep(&s);
	add(&s, "open", 2, 200, 2);
	add(&s, "read", 3, 1, 0, 100);
	add(&s, "write", 3, 1, 0, 1);
	keep(&s);
	add(&s, "open", 2, named(".bpf/table"), 2);
	add(&s, "read", 3, 2, 0, 192 + 9);
	add(&s, "write", 3, 2, 0, 28);
	add(&s, "open", 2, named(".bpf/raw"), 2);
	add(&s, "read", 3, 3, 0, 192 + 11);
	keep(&s);
	add(&s, "open", 2, named("4"), 3);
	add(&s, "write", 3, 4, 0, 0);
	add(&s, "names", 2, 0, named("4"));
	add(&s, "umount", 1, 0);
	keep(&s);
}

/* Short ones first, and those that add something. */
static int print_seeds(void)
{
	int i;

	if (!cover)
		return 0;
	qsort(seeds, nr_seeds, sizeof(*seeds), by_length);
	memset(reached, 0, sizeof(reached));
	for (i = 0; i < nr_seeds; i++) {
		int found = try(seeds[i]);

		if (found < 0)
			return 1;
		if (found)
			printf("seed %s\n", to_hex(seeds[i]));
	}
	return 0;
}

static int fuzz(time_t seconds)
{
	time_t until = time(NULL) + seconds, told = 0;
	int found = 0, i;

	while (found >= 0 && time(NULL) < until) {
		struct sequence s = *seeds[any(nr_seeds)];

		for (i = 1 + any(6); i; i--)
			change(&s);
		found = try(&s);
		if (found > 0 || (!cover && !any(50)))
			keep(&s);
		if (time(NULL) - told >= 60) {
			told = time(NULL);
			printf("# %lu sequences, %u places, %u ways, %d kept\n", runs, nr_places,
			       nr_reached, nr_seeds);
			fflush(stdout);
		}
	}
	return found < 0;
}

static void set_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	close(fd);
}

int main(int argc, char **argv)
{
	struct sequence s = {};
	long seconds = 60;
	bool replays = false;
	unsigned int i;
	int opt, err = 0;

	while ((opt = getopt(argc, argv, "s:r:qx:")) != -1) {
		switch (opt) {
		case 's':
			seconds = atol(optarg);
			break;
		case 'r':
			state = strtoull(optarg, NULL, 0) ?: 1;
			break;
		case 'q':
			replays = true;
			break;
		case 'x':
			says = true;
			if (!from_hex(optarg, &s))
				return 2;
			break;
		default:
			return 2;
		}
	}
	if (!getenv("VIRTUAL_MACHINE")) {
		fprintf(stderr, "mounted: not on a machine that is used\n");
		return 2;
	}
	open_kcov();
	console = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	set_file(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	set_file(DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N");
	set_file(DEBUGFS "/fail_page_alloc/min-order", "0");
	set_file(DEBUGFS "/failslab/verbose", "0");
	set_file(DEBUGFS "/fail_page_alloc/verbose", "0");
	set_file(DEBUGFS "/fail_usercopy/verbose", "0");
	set_file("/proc/sys/kernel/printk_devkmsg", "on\n");
	objects = count_objects();
	if (private_mounts())
		return 2;
	if (says) {
		err = try(&s) < 0;
		printf("%u places\n", nr_places);
		return err;
	}

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		begin_with(i);
	for (i = 0; !err && i < (unsigned int)nr_seeds; i++)
		err = try(seeds[i]) < 0;
	for (i = optind; !err && i < (unsigned int)argc; i++)
		err = load(argv[i]);
	if (!err && !replays)
		err = fuzz(seconds);
	if (!err && !replays)
		err = print_seeds();
	printf("# %lu sequences, %u places of the module, %u ways between two, %lu ended by the alarm\n",
	       runs, nr_places, nr_reached, overdue);
	printf("%sok fuzz-mounted\n", err ? "not " : "");
	return err;
}
