// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a CPU is held: by how much a real-time thread that wants it every 100 us comes
 * too late, at most, while the same CPU does the work. There is nothing else that
 * the thread could wait for.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bench.h"

#define PERIOD_NS	100000

static atomic_bool stop;
static double latest;		/* in ms */

static void *watch(void *unused)
{
	struct timespec next;
	double late;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!stop) {
		next.tv_nsec += PERIOD_NS;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		late = now_ms() - (next.tv_sec * 1e3 + next.tv_nsec / 1e6);
		if (late > latest)
			latest = late;
		if (late > PERIOD_NS / 1e6)
			clock_gettime(CLOCK_MONOTONIC, &next);
	}
	return unused;
}

/* Both on the first CPU; programs that are run inherit that. */
static double longest(void (*work)(void))
{
	struct sched_param priority = { .sched_priority = 50 };
	pthread_t thread;
	cpu_set_t cpus, all;

	check(sched_getaffinity(0, sizeof(all), &all));
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	check(sched_setaffinity(0, sizeof(cpus), &cpus));
	stop = false;
	latest = 0;
	check(-pthread_create(&thread, NULL, watch, NULL));
	check(-pthread_setschedparam(thread, SCHED_FIFO, &priority));
	usleep(10000);
	work();
	stop = true;
	pthread_join(thread, NULL);
	check(sched_setaffinity(0, sizeof(all), &all));
	return latest;
}

static void nothing(void)
{
	usleep(500000);
}

static void hold(const char *what, const char *against, void (*ours)(void), void (*theirs)(void))
{
	double one = longest(ours);

	report_size(what, against, one, theirs ? longest(theirs) : -1, "ms", 10);
}

static void bench_holds(const char *title)
{
	mount_ours(DIR_OURS);
	part("hold", on.elements, title);
	hold("nothing", "", nothing, NULL);
	hold("list", "BPF_MAP_LOOKUP_BATCH", list_ours, batch);
	hold(".bpf/table", "BPF_MAP_LOOKUP_BATCH", table, batch);
	hold(".bpf/raw", "BPF_MAP_LOOKUP_BATCH", raw, batch);
	hold("bpffs json", "BPF_MAP_LOOKUP_BATCH", json, batch);
	check(umount2(DIR_OURS, 0));
	map_close(&on);
}

/* @sparse: a map that has room for so many, and 1,000. */
void bench_hold(__u32 elements, __u32 sparse)
{
	char title[80];

	if (by_fuse)
		return;
	map_counters(&on, elements);
	snprintf(title, sizeof(title), "longest hold of a CPU, %u elements", elements);
	bench_holds(title);

	on = (struct map){ BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, 4, 16, "u32",
			   "packets=u64:bytes=u64", 1000, sparse };
	map_make(&on);
	map_fill(&on);
	snprintf(title, sizeof(title), "longest hold of a CPU, 1000 elements of %u", sparse);
	bench_holds(title);
}
