/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the soak share: the map that is soaked, and what was seen of it.
 * Each job is a thread, which works until it is stopped.
 */
#ifndef _SOAK_H
#define _SOAK_H

#include <linux/bpf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "keys.h"

/* Where the map is mounted all the time, and where now and then. */
#define SOAK_MNT	"/mnt"
#define SOAK_OTHER	"/tmp/soak"

/* What a type of map can do, and what it promises to who looks while it changes. */
enum soak_can {
	CAN_READ	= 1 << 0,	/* its elements are files */
	CAN_WRITE	= 1 << 1,	/* and can be written */
	CAN_CREATE	= 1 << 2,
	CAN_DELETE	= 1 << 3,
	HAS_TABLE	= 1 << 4,
	HAS_RAW		= 1 << 5,
	HAS_MAPS	= 1 << 6,	/* its elements are maps */
	HAS_PREFIXES	= 1 << 7,
	HAS_CPUS	= 1 << 8,
	/* A key that stays is listed, whatever comes and goes meanwhile. */
	LOSES_NOTHING	= 1 << 9,
	/* .bpf/raw has no key twice. */
	DOUBLES_NOTHING	= 1 << 10,
	/* Table and raw have values as they were written: that key's, both words at once. */
	IS_WHOLE	= 1 << 11,
	/* Written where it lies: two words of two writers may be mixed. */
	IN_PLACE	= 1 << 12,
	/* So is a word, as the kernel may copy it byte by byte; BPF_MAP_LOOKUP_ELEM sees it, too. */
	BY_BYTES	= 1 << 13,
};

/**
 * struct soak - the map that is soaked
 * @name: of its kind
 * @can: enum soak_can
 * @map: its descriptor
 * @key_size: of it
 * @cpus: copies of a value
 * @inner: of a map of maps: what its elements can be, each with the value of its number
 * @stop: all jobs end soon
 * @faults: how often something was seen that must not be
 * @walks, @lost, @doubled: of BPF_MAP_GET_NEXT_KEY: keys that stay, missing or twice
 * @lookups, @foreign: of BPF_MAP_LOOKUP_ELEM: values of another key
 * @lists: what we have listed, by readdir, table or raw
 * @list_lost, @list_doubled: where that is no fault
 * @reads, @read_foreign: files of elements; of them, those with another key's value (of a
 *	trie, also the values in a table or raw; there, and BY_BYTES, what nobody has written)
 * @pushed, @popped: of a queue, by bpf(2) and files; the sums of first words
 */
struct soak {
	const char *name;
	unsigned int can;
	int map;
	__u32 key_size;
	unsigned int cpus;
	int inner[SOAK_CONST];

	atomic_bool stop;
	atomic_long faults;
	atomic_long walks, lost, doubled, lookups, foreign;
	atomic_long lists, list_lost, list_doubled, reads, read_foreign;
	atomic_ullong pushed, popped, sum_pushed, sum_popped;
};

extern struct soak soak;

/* A line of what must not be; the first few are printed. */
void soak_fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- names.c: keys and values as text --- */

#define SOAK_NAME	32

void soak_name(__u32 key, char *name);
/* The key of a name; -1 if no key was ever named so. */
int soak_key_of(const char *name);
/* The bytes of a key as bpf(2) has them, and back. */
void soak_key(__u32 key, void *bytes);
int soak_key_number(const void *bytes);
/* A value for each copy, as the text of a file; @separator is '\n' or ' '. */
int soak_text(struct soak_value value, char separator, char *text, size_t size);

enum soak_seen {
	SEEN_WHOLE,	/* as it was written */
	SEEN_MIXED,	/* words of two values of this key */
	SEEN_FOREIGN,	/* a word of another key's */
	SEEN_NEVER,	/* nobody has written that */
};

enum soak_seen soak_judge(__u32 key, __u64 a, __u64 b);
/* The worst of all copies in a text. */
enum soak_seen soak_judge_text(__u32 key, const char *text);

/* How often each key was seen in a listing of the kind @what; ends with soak_listed(). */
struct soak_list {
	const char *what;
	unsigned int times[SOAK_KEYS];
};

void soak_list_name(struct soak_list *list, const char *name);
void soak_list_key(struct soak_list *list, int key);
/* @exact: it promises that nothing is listed twice; @complete: nor lost. */
void soak_listed(const struct soak_list *list, bool exact, bool complete);

/* All of a file, with a NUL behind it; its length, or -errno. */
long soak_read_file(const char *path, char *text, size_t size);
int soak_write_file(const char *path, int flags, const char *text);

/* Not rand(): each thread has its own. */
__u32 soak_random(void);

/* --- look.c and change.c: jobs, each of one round --- */

void soak_list_directory(void);
void soak_read_table(void);
void soak_read_raw(void);
void soak_read_files(void);
void soak_read_maps(void);
void soak_walk(void);

void soak_change_by_bpf(void);
void soak_change_maps(void);
void soak_write_own(void);
void soak_create_and_remove(void);
void soak_remove_maps(void);
void soak_queue_by_bpf(void);
void soak_queue_by_files(void);

#endif
