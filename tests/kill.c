// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long work in the kernel ends when whoever wants it is killed.
 *
 * What is measured is CPU time of the work itself, against its own whole: when a
 * process that has used a part of it is killed, it uses not much more.
 */
#include "util.h"

#include <bpf/btf.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#define PARTS	4
#define NSEC	1000000000ULL

FIXTURE(kill) {
	int map;
};

FIXTURE_SETUP(kill)
{
	ASSERT_EQ(0, private_mounts());
}

FIXTURE_TEARDOWN(kill)
{
}

/*
 * CPU time of a process that does the work, and is killed @limit ns after it began,
 * by a timer: so nobody has to get a CPU for that. 0 if the work failed by itself.
 */
static __u64 work_killed_at(int (*work)(void), __u64 limit)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value = { limit / NSEC, limit % NSEC } };
	struct rusage usage;
	timer_t timer;
	pid_t child;
	int status;

	child = fork();
	if (!child) {
		if (limit && (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
			      timer_settime(timer, 0, &when, NULL)))
			_exit(1);
		_exit(work() ? 1 : 0);
	}
	wait4(child, &status, 0, &usage);
	if (WIFEXITED(status) && WEXITSTATUS(status))
		return 0;
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NSEC +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ULL;
}

/*
 * How much of the work, in percent, is at most done after SIGKILL, whenever it
 * comes? The best of three counts.
 */
static int percent_after_kill(int (*work)(void))
{
	__u64 whole = work_killed_at(work, 0), at, used, after, worst = 0;
	int part, tries;

	if (!whole)
		return -1;
	for (part = 1; part < PARTS; part++) {
		at = whole * part / PARTS;
		after = ~0ULL;
		for (tries = 0; tries < 3 && after > whole / 50; tries++) {
			used = work_killed_at(work, at);
			if (used < at)
				after = 0;
			else if (used - at < after)
				after = used - at;
		}
		if (after > worst)
			worst = after;
	}
	printf("# %llu ms of work, at most %llu ms after SIGKILL\n", whole / 1000000,
	       worst / 1000000);
	return worst * 100 / whole;
}

/* --- Many slots, all empty --- */

static int make_slots(__u32 count)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int map;

	opts.inner_map_fd = make_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "slots", 4, 4, count, &opts);
	close(opts.inner_map_fd);
	return map;
}

static int list(void)
{
	return count_names(MNT) ? -1 : 0;
}

TEST_F(kill, list_of_slots)
{
	int map = make_slots(scaled(8000000));
	int percent;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32"));
	percent = percent_after_kill(list);
	EXPECT_LE(0, percent);
	EXPECT_GT(10, percent);
}

static int count(void)
{
	return strcmp(text_of(at(".bpf/count")), "0\n");
}

TEST_F(kill, count_of_slots)
{
	int map = make_slots(scaled(8000000));
	int percent;

	ASSERT_LE(0, map);
	ASSERT_EQ(0, mount_fd(map, MNT, "key=u32"));
	percent = percent_after_kill(count);
	EXPECT_LE(0, percent);
	EXPECT_GT(10, percent);
}

/* --- Many fields --- */

#define FIELDS	400000

static char *text;
static size_t text_len;

/* All fields but one are named: each is stored on its own. */
static int name_fields(const char *prefix)
{
	int i;

	text = malloc(FIELDS * 16);
	if (!text)
		return -ENOMEM;
	text_len = 0;
	for (i = 1; i < FIELDS; i++)
		text_len += sprintf(text + text_len, "%s%d=1\n", prefix, i);
	return 0;
}

static int write_fields(void)
{
	int fd = open(at("0"), O_WRONLY);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = write(fd, text, text_len);
	close(fd);
	return len == (ssize_t)text_len ? 0 : -1;
}

TEST_F(kill, write_of_fields)
{
	int map = make_map(BPF_MAP_TYPE_ARRAY, 4, FIELDS, 1, 0);
	char options[64];
	int percent;

	ASSERT_LE(0, map);
	snprintf(options, sizeof(options), "key=u32,value=u8[%u]", FIELDS);
	ASSERT_EQ(0, mount_fd(map, MNT, options));
	ASSERT_EQ(0, name_fields(""));
	percent = percent_after_kill(write_fields);
	EXPECT_LE(0, percent);
	EXPECT_GT(10, percent);
}

/* None of them may be a lock's. */
TEST_F(kill, write_of_fields_beside_a_lock)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	struct btf *btf = btf__new_empty();
	int number, byte, lock, array, map, percent;
	char options[64];

	number = btf__add_int(btf, "unsigned int", 4, 0);
	byte = btf__add_int(btf, "unsigned char", 1, 0);
	lock = btf__add_struct(btf, "bpf_spin_lock", 4);
	btf__add_field(btf, "val", number, 0, 0);
	array = btf__add_array(btf, number, byte, FIELDS);
	opts.btf_value_type_id = btf__add_struct(btf, "value", FIELDS + 4);
	btf__add_field(btf, "a", array, 0, 0);
	btf__add_field(btf, "lock", lock, 8 * FIELDS, 0);
	ASSERT_EQ(0, btf__load_into_kernel(btf));
	opts.btf_fd = btf__fd(btf);
	opts.btf_key_type_id = number;
	map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "locked", 4, FIELDS + 4, 1, &opts);
	ASSERT_LE(0, map);
	snprintf(options, sizeof(options), "key=u32,value=a=u8[%u]:hex4", FIELDS);
	ASSERT_EQ(0, mount_fd(map, MNT, options));
	ASSERT_EQ(0, name_fields("a."));
	percent = percent_after_kill(write_fields);
	EXPECT_LE(0, percent);
	EXPECT_GT(10, percent);
}

TEST_HARNESS_MAIN
