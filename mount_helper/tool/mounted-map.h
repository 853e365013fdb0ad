/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* A mounted map: what its files say, without any right but to read them. */
#ifndef LIBBPFFS_MOUNTED_MAP_H
#define LIBBPFFS_MOUNTED_MAP_H

#include <stdbool.h>

#include "command.h"
#include "object.h"
#include "text.h"

/* --- Files of a mount --- */

/* The root of it, or of a map inside, for openat(2); -1 after a sentence. */
int open_mount(const char *dir);

/* A file, without its last newline; to be freed. NULL: errno. */
char *read_file(int root, const char *name);

/* 0 if there is none, or it cannot be read. */
unsigned long read_number(int root, const char *name);

/* DONE, or FAILED after a sentence; @dir is for that. @name: to be freed; empty: it has none */
enum status take_name(const char *dir, int root, char **name);
enum status take_number(const char *dir, int root, const char *name, u64 *number);
/* Is there such a file? */
enum status see_file(const char *dir, int root, const char *name, bool *there);
/* Does the type of the map have this word? That of what is no map has not. */
enum status see_type(const char *dir, int root, const char *word, bool *has);

/* What is mounted, as the kernel describes the held descriptor. None: errno. */
enum libbpffs_kind mounted_kind(int root);

/* --- Its elements --- */

/**
 * struct map - a mounted map whose keys are shown
 * @dir: as given
 * @root: of the mount
 * @key: layout of the names
 * @value: layout of the values
 * @percpu: of a per-CPU type
 * @sum: its values are shown added up
 * @shape: of a value as it is shown: of each CPU, or one
 * @cpus: numbers of the possible CPUs, if it is a per-CPU type
 * @cpu_count: of @cpus
 */
struct map {
	const char *dir;
	int root;
	struct bpffs_layout *key;
	struct bpffs_layout *value;
	bool percpu;
	bool sum;
	struct bpffs_shape shape;
	u32 *cpus;
	u32 cpu_count;
};

/**
 * open_map() - the layouts of what is mounted
 * @map: filled; close_map() is due in any case
 * @dir: for sentences, stays the caller's
 * @root: of the mount, or of a map inside; becomes that of @map
 *
 * Return: DONE, or FAILED after a sentence.
 */
enum status open_map(struct map *map, const char *dir, int root);
void close_map(struct map *map);

/* Of the name of a slot of a map of maps there, too. */
enum status read_layout(const struct map *map, const char *name, const char *size_name,
			unsigned int flags, struct bpffs_layout **layout);

/* How many bytes a value has as it is shown. */
static inline size_t shown_size(const struct map *map)
{
	return (size_t)map->shape.copies * map->shape.stride;
}

/* What is done with an element, or a line of .bpf/table; anything but DONE ends it all. */
typedef enum status (*element_action)(void *context, const void *key, const void *value);
typedef enum status (*line_action)(void *context, const char *line, size_t len);

/**
 * each_element() - the elements of a map, as bytes
 * @map: of them
 * @action: gets the key and the value as @map->shape says
 * @line: gets the line instead, where there are no bytes to be had; NULL: @action gets
 *	what the line says
 * @context: for both
 *
 * Return: DONE, FAILED after a sentence, or what an action returned.
 */
enum status each_element(struct map *map, element_action action, line_action line,
			 void *context);

/* --- A map of maps --- */

typedef enum status (*slot_action)(void *context, const char *name, const char *dir, int root);

/* The maps inside, each with its @root for the action to close. */
enum status each_slot(const char *dir, int root, slot_action action, void *context);

#endif
