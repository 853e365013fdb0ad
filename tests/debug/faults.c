// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module while memory runs out, on a kernel with fault injection.
 *
 * First in order: of each operation the first chance to fail does so, then the
 * second, and so on (/proc/thread-self/fail-nth: slab, pages, and copies from
 * and to user space). Then at random. An operation may fail with an errno, or
 * work; it may not work and give a wrong answer, and the next one, with all
 * the memory there is, has to work. What the kernel says of it, and what it
 * leaks, is for others to see.
 */
#include "../util.h"

#include <linux/bpf.h>
#include <linux/bpffs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#define DEBUGFS		"/sys/kernel/debug"
#define CHANCES		2000	/* more than any operation has */
#define ROUNDS		100	/* at random */
#define MAX_FILES	64

static int failed;
static int nth_fd;

static void result(bool ok, const char *fmt, ...)
{
	va_list args;

	printf("%sok faults: ", ok ? "" : "not ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	failed |= !ok;
}

static int set_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int fault(const char *attr, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), DEBUGFS "/failslab/%s", attr);
	if (set_file(path, text))
		return -1;
	snprintf(path, sizeof(path), DEBUGFS "/fail_page_alloc/%s", attr);
	return set_file(path, text);
}

/* ------------------------------------------------------------------------ */

static struct kind {
	enum bpf_map_type type;
	const char *name;
	__u32 key, value, entries, flags;
	const char *options;
} kinds[] = {
	{ BPF_MAP_TYPE_HASH, "hash", 4, 16, 64, 0,
	  "key=u32,value=packets=u64:bytes=u64" },
	{ BPF_MAP_TYPE_HASH, "hash no_prealloc", 4, 8, 64, BPF_F_NO_PREALLOC, "" },
	{ BPF_MAP_TYPE_HASH, "hash of long keys", 200, 8, 64, 0, "value=u64" },
	{ BPF_MAP_TYPE_LRU_HASH, "lru_hash", 4, 8, 1000, 0, "key=u32,value=u64" },
	{ BPF_MAP_TYPE_ARRAY, "array", 4, 8, 8, 0, "key=u32,value=u64,mode=0644" },
	{ BPF_MAP_TYPE_ARRAY, "mmapable", 4, 8, 8, BPF_F_MMAPABLE, "key=u32,value=u64" },
	{ BPF_MAP_TYPE_PERCPU_HASH, "percpu_hash", 4, 8, 64, 0, "key=u32,value=u64" },
	{ BPF_MAP_TYPE_PERCPU_ARRAY, "percpu_array", 4, 8, 8, 0,
	  "key=u32,value=u64,percpu=sum" },
	{ BPF_MAP_TYPE_LRU_PERCPU_HASH, "lru_percpu_hash", 4, 8, 1000, 0, "" },
	{ BPF_MAP_TYPE_LPM_TRIE, "lpm_trie", 8, 8, 64, BPF_F_NO_PREALLOC,
	  "key=plen:ip4,value=u64" },
	{ BPF_MAP_TYPE_QUEUE, "queue", 0, 8, 8, 0, "value=u64" },
	{ BPF_MAP_TYPE_STACK, "stack", 0, 8, 8, 0, "value=u64" },
	{ BPF_MAP_TYPE_BLOOM_FILTER, "bloom_filter", 0, 4, 8, 0, "" },
	{ BPF_MAP_TYPE_RINGBUF, "ringbuf", 0, 0, 4096, 0, "" },
	{ BPF_MAP_TYPE_ARRAY_OF_MAPS, "array_of_maps", 4, 4, 4, 0, "" },
	{ BPF_MAP_TYPE_HASH_OF_MAPS, "hash_of_maps", 4, 4, 4, 0, "key=u32" },
	{ BPF_MAP_TYPE_PROG_ARRAY, "prog_array", 4, 4, 4, 0, "" },
	{ .name = NULL },
};

/* What the operations work on. */
static struct kind *kind;
static int map;
static char options[256];
static char files[MAX_FILES][PATH_MAX];
static int nr_files;
static const char *path;
static char expected[65536];
static ssize_t expected_len;
static long expected_names;

/* The last listing or text that came without an error was not the right one. */
static bool wrong;

static int do_mount(void)
{
	return mount_fd(map, MNT, options);
}

static bool is_mounted(void)
{
	return !access(MNT "/.bpf/id", F_OK);
}

static void undo_mount(void)
{
	while (!umount2(MNT, 0))
		;
}

static void mount_anew(void)
{
	undo_mount();
	do_mount();
}

static int do_list(void)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	long count = 0;
	int err;

	if (!dir)
		return -errno;
	errno = 0;
	while ((entry = readdir(dir)))
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	err = -errno;
	closedir(dir);
	if (!err)
		wrong = expected_names >= 0 && count != expected_names;
	return err;
}

static ssize_t read_all(char *text, size_t size, int *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t done = 0;
	ssize_t len = 0;

	*err = 0;
	if (fd < 0) {
		*err = -errno;
		return 0;
	}
	while (done < size) {
		/* In two pieces, as tools do that have a small buffer. */
		len = read(fd, text + done, done ? size - done : 7);
		if (len <= 0)
			break;
		done += len;
	}
	if (len < 0)
		*err = -errno;
	close(fd);
	return done;
}

/* Of as many bytes, in whatever order: with less memory a hash is walked otherwise. */
static bool same_lines(const char *a, const char *b, size_t len)
{
	const char *line, *end, *found;

	for (line = a; line < a + len; line = end + 1) {
		end = memchr(line, '\n', a + len - line);
		found = end ? memmem(b, len, line, end + 1 - line) : NULL;
		if (!found || (found > b && found[-1] != '\n'))
			return false;
	}
	return true;
}

static int do_read(void)
{
	static char text[sizeof(expected)];
	ssize_t len;
	int err;

	len = read_all(text, sizeof(text), &err);
	if (!err && expected_len >= 0)
		wrong = len != expected_len ||
			(memcmp(text, expected, len) && !same_lines(text, expected, len));
	return err;
}

static int do_stat(void)
{
	struct stat st;
	struct statfs fs;

	if (stat(path, &st) || statfs(path, &fs))
		return -errno;
	return 0;
}

/* Where the file ends: of an element, by reading its value. */
static int do_seek(void)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = lseek(fd, 0, SEEK_END) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* The object, of a process that may have it. */
static int do_get_fd(void)
{
	int fd = open(MNT "/.bpf/fd", O_RDONLY | O_CLOEXEC);
	__u32 flags = O_RDONLY;
	int object, err;

	if (fd < 0)
		return -errno;
	object = ioctl(fd, BPFFS_IOC_GET_FD, &flags);
	err = object < 0 ? -errno : 0;
	if (object >= 0)
		close(object);
	close(fd);
	return err;
}

/* What was read, given back: nothing may change. */
static int do_write(void)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t done = 0, len = 0;
	int err = 0;

	if (fd < 0)
		return -errno;
	while (done < expected_len) {
		len = write(fd, expected + done, expected_len - done);
		if (len <= 0)
			break;
		done += len;
	}
	if (len < 0)
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int do_create(void)
{
	return write_to(at("9"), O_CREAT | O_TRUNC, expected);
}

static bool has_9(void)
{
	return file_exists(at("9"));
}

static bool has_no_9(void)
{
	return !has_9();
}

static int do_touch(void)
{
	int fd = open(at("9"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	return close(fd) ? -errno : 0;
}

static int do_unlink(void)
{
	return unlink(at("9")) ? -errno : 0;
}

static void make_9(void)
{
	__u64 value[64] = {};
	__u32 key = 9;

	bpf_map_update_elem(map, &key, value, BPF_ANY);
}

static void delete_9(void)
{
	__u32 key = 9;

	bpf_map_delete_elem(map, &key);
}

static int do_remount(void)
{
	return mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL) ? -errno : 0;
}

static void undo_remount(void)
{
	mount(NULL, MNT, NULL, MS_REMOUNT, NULL);
}

static int do_mounts(void)
{
	static char text[65536];
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	while ((len = read(fd, text, sizeof(text))) > 0)
		;
	len = len < 0 ? -errno : 0;
	close(fd);
	return len;
}

/* ------------------------------------------------------------------------ */

/* errnos seen, as a text */
static char seen[256];

static void note(int err)
{
	char text[32];

	snprintf(text, sizeof(text), " %s", strerrorname_np(-err));
	if (!strstr(seen, text) && strlen(seen) + strlen(text) < sizeof(seen))
		strcat(seen, text);
}

/* 0 or -errno; what has to be true if it says that it worked. */
struct op {
	const char *name;
	int (*run)(void);
	bool (*worked)(void);
	void (*before)(void);
	void (*after)(void);
};

static const struct op mount_op = {
	"mount", do_mount, is_mounted, NULL, undo_mount
};
static const struct op remount_op = {
	"remount", do_remount, NULL, NULL, undo_remount
};
static const struct op mounts_op = { "mountinfo", do_mounts };
static const struct op list_op = { "list", do_list };
static const struct op stat_op = { "stat", do_stat };
/* Of what nobody has looked at. */
static const struct op lookup_op = { "lookup", do_stat, NULL, mount_anew };
static const struct op seek_op = { "seek", do_seek };
static const struct op get_fd_op = { "get a descriptor", do_get_fd };
static const struct op read_op = { "read", do_read };
static const struct op write_op = { "write", do_write };
static const struct op create_op = {
	"create", do_create, has_9, delete_9, delete_9
};
/* Made when the file is closed, which cannot say that it failed. */
static const struct op touch_op = {
	"touch", do_touch, NULL, delete_9, delete_9
};
static const struct op unlink_op = {
	"unlink", do_unlink, has_no_9, make_9, delete_9
};

/* With the @nth chance to fail taken; how many of them it did not come to. */
static int run(const struct op *op, int nth, int *err)
{
	char text[16] = "";
	int left;

	if (op->before)
		op->before();
	wrong = false;
	snprintf(text, sizeof(text), "%d", nth);
	if (nth && pwrite(nth_fd, text, strlen(text), 0) < 0) {
		result(false, "fail-nth: %s", strerror(errno));
		exit(1);
	}
	*err = op->run();
	memset(text, 0, sizeof(text));
	left = pread(nth_fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
	if (left)
		pwrite(nth_fd, "0", 1, 0);
	if (!*err && op->worked)
		wrong = !op->worked();
	if (op->after)
		op->after();
	return left;
}

/* Anew for each chance that @op has to fail, then with all the memory. */
static void in_order(const struct op *op, const char *file)
{
	int nth, err, left = 0, errors = 0, bad = 0;

	seen[0] = '\0';
	for (nth = 1; nth < CHANCES && !left; nth++) {
		left = run(op, nth, &err);
		if (err)
			note(err);
		errors += !!err;
		bad += !err && wrong;
	}
	run(op, 0, &err);
	result(!bad && left && !err && !wrong, "%s: %s %s", kind->name, op->name,
	       file);
	printf("# %d chances to fail, %d errors:%s\n", nth - 2, errors, seen);
	if (bad)
		printf("# %d times it worked and gave a wrong answer\n", bad);
	if (err || wrong)
		printf("# does not work afterwards: %s\n",
		       err ? strerror(-err) : "a wrong answer");
	if (!left)
		printf("# something is always left to fail\n");
	fflush(stdout);
}

static bool add_file(const char *dir, const char *name)
{
	int len;

	if (nr_files == MAX_FILES)
		return false;
	len = snprintf(files[nr_files], sizeof(files[0]), "%s/%s", dir, name);
	nr_files += len < sizeof(files[0]);
	return true;
}

/* What these say, and how, is the same for all maps. */
static bool same_for_all(const char *name)
{
	static const char *const names[] = {
		"id", "type", "name", "key_size", "value_size", "max_entries", "flags",
		"frozen", "memlock", "fd", "info", "error",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* .bpf and its files, some of the first kind only; and of the rest two. */
static void find_files(void)
{
	struct dirent *entry;
	int rest = 0;
	DIR *dir;

	nr_files = 0;
	dir = opendir(MNT "/.bpf");
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && (kind == kinds || !same_for_all(entry->d_name)))
			add_file(MNT "/.bpf", entry->d_name);
	}
	if (dir)
		closedir(dir);
	dir = opendir(MNT);
	while (dir && rest < 2 && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			rest += add_file(MNT, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static bool drains(const char *file)
{
	return !strcmp(file, MNT "/pop") || !strcmp(file, MNT "/push");
}

/* The answers with all the memory there is; false if it has none. */
static bool expect(void)
{
	static char again[sizeof(expected)];
	int err;

	expected_len = read_all(expected, sizeof(expected) - 1, &err);
	if (err)
		return false;
	expected[expected_len] = '\0';
	/* Some answers differ each time. */
	if (expected_len != read_all(again, sizeof(again), &err) ||
	    memcmp(expected, again, expected_len))
		expected_len = -1;
	return true;
}

static int make(void)
{
	__u64 value[64] = { 5, 6 };
	__u32 slot;
	__u32 key[50] = { 0, 0x0a00000a };
	int inner = -1;
	__u32 i;

	if (kind->type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	    kind->type == BPF_MAP_TYPE_HASH_OF_MAPS) {
		LIBBPF_OPTS(bpf_map_create_opts, opts);

		inner = make_map(BPF_MAP_TYPE_HASH, 4, 8, 8, 0);
		put(inner, 1, 1);
		opts.inner_map_fd = inner;
		map = bpf_map_create(kind->type, "conns", 4, 4, kind->entries, &opts);
		slot = inner;
		memcpy(value, &slot, sizeof(slot));
	} else {
		map = make_map(kind->type, kind->key, kind->value, kind->entries,
			       kind->flags);
	}
	for (i = 0; map >= 0 && i < 4; i++) {
		key[0] = kind->type == BPF_MAP_TYPE_LPM_TRIE ? 8 + i : i;
		bpf_map_update_elem(map, kind->key ? key : NULL, value, BPF_ANY);
	}
	if (inner >= 0)
		close(inner);
	return map;
}

static void sweep_file(void)
{
	const char *name = path + strlen(MNT "/");
	struct stat st;

	expected_names = -1;
	if (drains(path) || stat(path, &st))
		return;
	in_order(&stat_op, name);
	/* Each mounts anew, which takes its time. */
	if (kind == kinds || strncmp(name, ".bpf", 4))
		in_order(&lookup_op, name);
	if (S_ISDIR(st.st_mode)) {
		expected_names = count_names(path);
		in_order(&list_op, name);
		return;
	}
	if (!expect())
		return;
	in_order(&read_op, name);
	/* Not all files have an end. */
	if (!do_seek())
		in_order(&seek_op, name);
	/* Elements, .bpf/table and .bpf/raw take back what they gave. */
	if ((st.st_mode & 0222) && expected_len > 0 && !do_write())
		in_order(&write_op, name);
}

static void sweep(void)
{
	int i;

	in_order(&mount_op, "");
	if (mount_fd(map, MNT, options))
		return;
	in_order(&remount_op, "");
	in_order(&mounts_op, "");
	in_order(&get_fd_op, "");

	path = MNT;
	expected_names = -1;
	if (!do_list()) {
		expected_names = count_names(MNT);
		in_order(&list_op, "/");
	}
	find_files();
	for (i = 0; i < nr_files; i++) {
		path = files[i];
		sweep_file();
	}
	/* An element that comes and goes. */
	delete_9();
	path = MNT "/0";
	if (strstr(options, "key=u32") && expect() && !do_create()) {
		delete_9();
		if (!has_9()) {
			in_order(&create_op, "9");
			in_order(&touch_op, "9");
			in_order(&unlink_op, "9");
		}
	}
	undo_mount();
}

/* ------------------------------------------------------------------------ */

/* One after another, and whatever comes of it. */
static void any(void)
{
	int i;

	if (!do_mount()) {
		path = MNT;
		do_list();
		do_stat();
		for (i = 0; i < nr_files; i++) {
			path = files[i];
			if (drains(path))
				continue;
			expected_len = read_all(expected, sizeof(expected) - 1, &(int){0});
			if (expected_len > 0)
				do_write();
		}
		do_create();
		do_unlink();
		do_remount();
	}
	umount2(MNT, MNT_DETACH);
}

static void at_random(const char *percent)
{
	int i, status;
	pid_t pid;

	if (mount_fd(map, MNT, options))
		return;
	find_files();
	undo_mount();

	fault("probability", percent);
	pid = fork();
	if (!pid) {
		if (set_file("/proc/self/make-it-fail", "1"))
			_exit(2);
		for (i = 0; i < ROUNDS; i++)
			any();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	fault("probability", "0");
	undo_mount();
	/* As if nothing had been. */
	path = MNT;
	expected_names = -1;
	wrong = false;
	i = do_mount();
	result(!status && !i && !wrong && !do_list(), "%s: at random, %s%%", kind->name,
	       percent);
	if (status)
		printf("# status %#x\n", status);
	undo_mount();
}

/* The programs that people mount with; they run under the same rule. */
static void tools(void)
{
	int status;

	map = make_hash(8);
	put(map, 1, 1);
	mkdir("/tmp/faults", 0700);
	if (bpf_obj_pin(map, "/sys/fs/bpf/faults")) {
		result(false, "pin: %s", strerror(errno));
		return;
	}
	fault("probability", "1");
	status = sh("{ echo 1 > /proc/self/make-it-fail; for i in $(seq 40); do"
		    "  mount -t bpffs /sys/fs/bpf/faults /tmp/faults;"
		    "  ls -l /tmp/faults; cat /tmp/faults/.bpf/*; grep -r . /tmp/faults;"
		    "  umount /tmp/faults; done; true; } > /dev/null 2>&1");
	fault("probability", "0");
	sh("while umount /tmp/faults 2> /dev/null; do :; done");
	status = sh("mount -t bpffs /sys/fs/bpf/faults /tmp/faults && "
		    "[ \"$(ls /tmp/faults | wc -l)\" = 1 ] && umount /tmp/faults");
	result(!status, "the programs, at random, 1%%");
	unlink("/sys/fs/bpf/faults");
	rmdir("/tmp/faults");
	close(map);
}

int main(void)
{
	__u32 id;

	setvbuf(stdout, NULL, _IOLBF, 4096);
	if (private_mounts()) {
		result(false, "a mount namespace: %s", strerror(errno));
		return 1;
	}
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0 || fault("ignore-gfp-wait", "N") || fault("task-filter", "Y") ||
	    fault("verbose", "0") || fault("times", "-1") || fault("probability", "0")) {
		result(false, "this kernel has no fault injection");
		return 1;
	}
	set_file(DEBUGFS "/fail_page_alloc/min-order", "0");
	set_file(DEBUGFS "/fail_page_alloc/ignore-gfp-highmem", "N");
	set_file(DEBUGFS "/fail_usercopy/verbose", "0");

	for (kind = kinds; kind->name; kind++) {
		snprintf(options, sizeof(options), "%s", kind->options);
		if (make() < 0) {
			result(false, "%s: no such map: %s", kind->name, strerror(errno));
			continue;
		}
		id = map_id(map);
		if (mount_fd(map, MNT, options)) {
			printf("# %s: no mount with %s: %s", kind->name, options, refusal);
			snprintf(options, sizeof(options), "key=none");
		} else {
			undo_mount();
		}
		sweep();
		at_random("5");
		close(map);
		result(map_is_gone(id), "%s: nothing holds the map", kind->name);
	}
	tools();
	return failed;
}
