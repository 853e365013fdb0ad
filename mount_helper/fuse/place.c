// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * Fields, where they lie: jobs for the program of place-prog.c. The jobs are in an array
 * that is mapped here, so that one is asked and answered by a single call of bpf(2).
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf-map.h"
#include "place.h"

/* As many as there are threads; more of them wait for each other. */
#define JOBS	8

/* CPUs of a set that sched_setaffinity(2) takes: as many as Linux has at most. */
#define SETS	(8192 / CPU_SETSIZE)

struct job {
	pthread_mutex_t lock;
	struct place_job *ask;
	__u64 number;
};

/**
 * struct place - the program and its jobs
 * @program: its descriptor
 * @memory: of all jobs
 * @size: of @memory
 * @next: which job to try first
 * @job: each for one thread at a time
 */
struct place {
	int program;
	void *memory;
	size_t size;
	unsigned int next;
	struct job job[JOBS];
};

static struct job *take_job(struct place *place)
{
	unsigned int first = __atomic_fetch_add(&place->next, 1, __ATOMIC_RELAXED), i;

	for (i = 0; i < JOBS; i++)
		if (!pthread_mutex_trylock(&place->job[(first + i) % JOBS].lock))
			return &place->job[(first + i) % JOBS];
	pthread_mutex_lock(&place->job[first % JOBS].lock);
	return &place->job[first % JOBS];
}

static void give_back(struct job *job)
{
	pthread_mutex_unlock(&job->lock);
}

/* The prefix that is shorter by a bit; what the trie does not look at may be anything. */
static void set_key(const struct map *map, struct place_job *ask, const void *key)
{
	void *shorter = (void *)ask + place_shorter_at(map);
	__u32 length;

	memcpy(ask->key, key, map->key_size);
	if (map->type != BPF_MAP_TYPE_LPM_TRIE)
		return;
	memcpy(&length, key, sizeof(length));
	ask->has_shorter = length > 0;
	if (!length)
		return;
	length--;
	memcpy(shorter, key, map->key_size);
	memcpy(shorter, &length, sizeof(length));
}

/* @cpu: to run on, or -1 */
static int run(const struct map *map, const struct job *job, int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &job->number,
		    .ctx_size_in = sizeof(job->number));
	int err;

	if (cpu >= 0) {
		opts.flags = BPF_F_TEST_RUN_ON_CPU;
		opts.cpu = cpu;
	}
	err = bpf_prog_test_run_opts(map->place->program, &opts);
	return err ?: -(int)opts.retval;
}

/*
 * On the CPU that this thread runs on, the kernel runs the program in this task; on another by
 * an interrupt, which may come in the middle of somebody's addition. So the thread goes there.
 * Where its cpuset does not let it, the interrupt is what is left.
 */
static int run_on(const struct map *map, const struct job *job, int cpu)
{
	cpu_set_t before[SETS], there[SETS] = {};
	bool went = false;
	int err;

	if (cpu < SETS * CPU_SETSIZE && !sched_getaffinity(0, sizeof(before), before)) {
		CPU_SET_S(cpu, sizeof(there), there);
		went = !sched_setaffinity(0, sizeof(there), there);
	}
	err = run(map, job, cpu);
	/* Of a CPU that is off, another does the work; so does one of a type that cannot. */
	if (err == -ENXIO || err == -EINVAL)
		err = run(map, job, -1);
	if (went)
		sched_setaffinity(0, sizeof(before), before);
	return err;
}

static __u32 cpu_of(const struct map *map, __u32 copy)
{
	return map->cpus ? map->cpus[copy] : 0;
}

static int store_unit(const struct map *map, const struct job *job, __u32 offset, __u32 size,
		      const void *bytes)
{
	struct place_job *ask = job->ask;

	ask->op = PLACE_STORE + size;
	ask->offset = offset;
	ask->value = 0;
	/* The program takes the low bytes of it, as the processor has them. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&ask->value, bytes, size);
#else
	memcpy((char *)(&ask->value + 1) - size, bytes, size);
#endif
	return run(map, job, -1);
}

/* The largest unit that is aligned at @offset and fits. */
static __u32 unit_at(__u32 place, __u32 size)
{
	__u32 unit = 8;

	while (place % unit || unit > size)
		unit /= 2;
	return unit;
}

static int check_field(const struct map *map, const struct map_field *field)
{
	if (!map->place || field->copy >= map->copies)
		return -EOPNOTSUPP;
	if (field->offset > map->value_size || field->size > map->value_size - field->offset)
		return -EINVAL;
	return map_check_writable(map);
}

int map_store(const struct map *map, const void *key, const struct map_field *field,
	      const void *bytes)
{
	__u32 offset = field->offset, left = field->size, unit;
	int err = check_field(map, field);
	struct job *job;

	if (err)
		return err;
	job = take_job(map->place);
	set_key(map, job->ask, key);
	job->ask->cpu = cpu_of(map, field->copy);
	for (; left && !err; offset += unit, bytes += unit, left -= unit) {
		unit = unit_at(map_place(map) + offset, left);
		err = store_unit(map, job, offset, unit, bytes);
	}
	give_back(job);
	return err;
}

int map_exchange(const struct map *map, const void *key, const struct map_field *field,
		 __u64 *expected, __u64 bytes, bool on_cpu)
{
	__u32 cpu = cpu_of(map, field->copy);
	struct job *job;
	int err;

	err = check_field(map, field);
	if (!err && ((field->size != 4 && field->size != 8) || field->offset % field->size ||
		     map_place(map) % field->size))
		err = -EINVAL;
	if (err)
		return err;
	job = take_job(map->place);
	set_key(map, job->ask, key);
	job->ask->op = PLACE_EXCHANGE + field->size;
	job->ask->cpu = cpu;
	job->ask->offset = field->offset;
	job->ask->value = bytes;
	job->ask->expected = *expected;
	err = on_cpu && map->cpus ? run_on(map, job, cpu) : run(map, job, -1);
	if (!err)
		*expected = job->ask->expected;
	give_back(job);
	return err;
}

int place_read(const struct map *map, const void *key, void *value)
{
	struct job *job = take_job(map->place);
	int err;

	set_key(map, job->ask, key);
	job->ask->op = PLACE_READ;
	err = run(map, job, -1);
	if (!err)
		memcpy(value, (void *)job->ask + place_value_at(map), map->value_size);
	give_back(job);
	return err;
}

static int map_jobs(const struct map *map, struct place *place, int jobs)
{
	size_t each = (place_job_size(map) + 7) & ~(size_t)7;
	long page = sysconf(_SC_PAGESIZE);
	int i;

	place->size = (JOBS * each + page - 1) / page * page;
	place->memory = mmap(NULL, place->size, PROT_READ | PROT_WRITE, MAP_SHARED, jobs, 0);
	if (place->memory == MAP_FAILED)
		return -errno;
	for (i = 0; i < JOBS; i++) {
		place->job[i].ask = place->memory + i * each;
		place->job[i].number = i;
		pthread_mutex_init(&place->job[i].lock, NULL);
	}
	return 0;
}

struct place *place_open(const struct map *map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	struct place *place = calloc(1, sizeof(*place));
	int jobs, err;

	if (!place)
		return NULL;
	jobs = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bpffs_place", 4, place_job_size(map), JOBS,
			      &opts);
	err = jobs < 0 ? jobs : map_jobs(map, place, jobs);
	if (!err) {
		place->program = place_load(map, jobs);
		if (place->program < 0) {
			err = place->program;
			munmap(place->memory, place->size);
		}
	}
	/* The program and the mapping hold it. */
	if (jobs >= 0)
		close(jobs);
	if (!err)
		return place;
	free(place);
	errno = -err;
	return NULL;
}

void place_close(struct place *place)
{
	int i;

	if (!place)
		return;
	for (i = 0; i < JOBS; i++)
		pthread_mutex_destroy(&place->job[i].lock);
	munmap(place->memory, place->size);
	close(place->program);
	free(place);
}

/*
 * Where values begin, after keys that are rounded up, or at all: but in the nodes of a
 * trie, they follow the bytes of the prefix.
 */
__u32 map_place(const struct map *map)
{
	return map->type == BPF_MAP_TYPE_LPM_TRIE ? (map->key_size - 4) % 8 : 0;
}
