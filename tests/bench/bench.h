/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the bench share. */
#ifndef BENCH_H
#define BENCH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define DIR_OURS	"/mnt/bench/bpffs"
#define DIR_TMPFS	"/mnt/bench/tmpfs"
#define DIR_SMALLEST	"/mnt/bench/smallest"
#define DIR_MOUNTS	"/mnt/bench/mounts"

/* Which home of bpffs is measured; and is its clock a count of instructions? */
extern bool by_fuse;
extern bool by_icount;
/* Is each row profiled, too? */
extern bool with_profile;

/* Ends the program, with a message, if @what is negative. */
#define check(what) check_at((long)(what), #what)
long check_at(long result, const char *what);

/* --- report.c: rows are measured, printed, and kept for the JSON --- */

/* In which home there is such a row. */
#define IN_MODULE	1
#define IN_FUSE		2
#define IN_BOTH		(IN_MODULE | IN_FUSE)

/**
 * struct side - one of the two that a row compares
 * @name: for the reader
 * @work: what is timed
 * @before: what it needs beforehand, not timed; or NULL
 * @after: what puts everything back, not timed; or NULL
 */
struct side {
	const char *name;
	void (*work)(void);
	void (*before)(void);
	void (*after)(void);
};

/**
 * struct row - what is compared with what
 * @ours: of bpffs
 * @theirs: of what does the same without it
 * @homes: in which there is such a row
 * @goal: times as fast, at least, with the module; 0: none is set
 * @fuse_goal: the same, by FUSE
 */
struct row {
	struct side ours, theirs;
	int homes;
	double goal, fuse_goal;
};

double now_ms(void);
double median(double *times, int n);

/* What follows is of @title, which has so many elements. */
void part(const char *name, __u32 elements, const char *title);

/* @each: how often one turn of the work does what the row is of. */
void compare(const struct row *row, __u32 each);

/* The same of two figures in ms that each are of one time. */
void report_times(const char *what, const char *against, double ours, double theirs,
		  double goal, int rounds);

/* A figure in @unit, which shall be at most @most; @theirs: to compare with, or -1. */
void report_size(const char *what, const char *against, double ours, double theirs,
		 const char *unit, double most);

/* All rows, as one line of JSON. @about: NAME=VALUE for its header. */
void report_json(char *const *about, int count);

/* --- profile.c: the functions of the kernel that the work is in --- */

/* @each: what one turn takes, in all. */
void profile(const struct side *side, double each);

/* --- maps.c --- */

/**
 * struct map - a map, and how it is mounted
 * @type: BPF_MAP_TYPE_*
 * @flags: BPF_F_*
 * @key_size: bytes
 * @value_size: bytes, a multiple of 8
 * @key: layout
 * @value: layout
 * @elements: that it has
 * @max_entries: 0 stands for a few more than @elements
 * @fd: of the map
 * @id: of the map
 * @values: bytes of a value in bpf(2): of all CPUs
 */
struct map {
	int type;
	__u32 flags;
	__u32 key_size, value_size;
	const char *key, *value;
	__u32 elements, max_entries;
	int fd;
	__u32 id;
	__u32 values;
};

/* The map that the work is done on. */
extern struct map on;

/* Beyond @on.elements, so many can be made. */
#define SOME		2000
#define NAME_SIZE	16

/* Element @index's. */
void map_key(const struct map *map, __u32 index, void *key);
void map_make(struct map *map);
void map_fill(const struct map *map);
void map_close(struct map *map);
/* Keys of a u32, values of packets and bytes, two u64. */
void map_counters(struct map *map, __u32 elements);

/* All elements of @on, by BPF_MAP_LOOKUP_BATCH. */
void batch(void);

void mount_on(const char *type, int fd, const char *options, const char *dir);
void mount_ours(const char *dir);
void mount_tmpfs(const char *dir);

/* --- what reads @on, for several parts: streams.c --- */

void list(const char *path);
void list_ours(void);
void raw(void);
void table(void);
void cat_table(void);
void json(void);
void bpftool(void);
/* It, without output. */
void run(char *const *argv);

/* --- mounts.c --- */

/* Of /proc/meminfo: slab and per-CPU memory. */
long memory_kib(void);
/* What is freed by RCU and by workers takes a moment. */
void settle(void);

/* --- the parts --- */

void bench_mounts(void);
void bench_elements(__u32 elements);
void bench_shapes(void);
void bench_sizes(bool largest);
void bench_tools(__u32 elements);
void bench_hold(__u32 elements, __u32 sparse);

#endif
