// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the time of some work goes: its functions in the kernel, by samples of perf's CPU
 * clock, which is there without hardware counters. Of a process that is run, too; on the
 * first CPU, and ICOUNT=1 has no other.
 * Where interrupts are off, a sample comes only when they are on again.
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define PERIOD_NS	20000
#define PAGES		1024
#define SHOWN		10

struct function {
	unsigned long at;
	__u32 samples;
	char name[48];
};

static struct function *functions;
static size_t count;

static int by_address(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

static int by_samples(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return (y->samples > x->samples) - (y->samples < x->samples);
}

/* The first one stands for user space. */
static void read_functions(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	struct function function = { .name = "(user space)" };
	char line[512], type;

	functions = NULL;
	count = 0;
	do {
		if (count && (sscanf(line, "%lx %c %47s", &function.at, &type,
				     function.name) != 3 || !strchr("tTwW", type)))
			continue;
		if (!(count % 4096))
			functions = realloc(functions, (count + 4096) * sizeof(*functions));
		functions[count++] = function;
	} while (fgets(line, sizeof(line), file));
	fclose(file);
	qsort(functions, count, sizeof(*functions), by_address);
}

static void count_sample(unsigned long at)
{
	size_t low = 0, high = count;

	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (functions[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	functions[low].samples++;
}

/* Nothing is overwritten: what does not fit any more is lost, and nothing is kept of it. */
static __u32 count_samples(const struct perf_event_mmap_page *page)
{
	const char *data = (const char *)page + page->data_offset;
	const struct perf_event_header *header;
	__u32 samples = 0;
	__u64 at, ip;

	for (at = 0; at < page->data_head; at += header->size) {
		header = (const void *)(data + at % page->data_size);
		if (header->type != PERF_RECORD_SAMPLE)
			continue;
		memcpy(&ip, data + (at + sizeof(*header)) % page->data_size, sizeof(ip));
		count_sample(ip);
		samples++;
	}
	return samples;
}

void profile(const struct side *side, double each)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = PERIOD_NS,
		.sample_type = PERF_SAMPLE_IP, .disabled = 1, .inherit = 1,
	};
	size_t bytes = (PAGES + 1) * sysconf(_SC_PAGESIZE), i;
	int fd = check(syscall(SYS_perf_event_open, &attr, 0, 0, -1, PERF_FLAG_FD_CLOEXEC));
	void *ring = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	__u32 samples;

	check(ring == MAP_FAILED ? -1 : 0);
	read_functions();
	if (side->before)
		side->before();
	check(ioctl(fd, PERF_EVENT_IOC_ENABLE, 0));
	side->work();
	check(ioctl(fd, PERF_EVENT_IOC_DISABLE, 0));
	if (side->after)
		side->after();
	samples = count_samples(ring);
	munmap(ring, bytes);
	close(fd);

	qsort(functions, count, sizeof(*functions), by_samples);
	for (i = 0; i < SHOWN && i < count && functions[i].samples; i++)
		printf("#  %5.1f %% %7.0f  %s\n", 100.0 * functions[i].samples / samples,
		       each * functions[i].samples / samples, functions[i].name);
	free(functions);
}
