/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* --resolve: what numbers of elements stand for, such as the name of an interface. */
#ifndef LIBBPFFS_RESOLVE_H
#define LIBBPFFS_RESOLVE_H

#include "columns.h"
#include "command.h"
#include "line.h"
#include "text.h"

enum meaning {
	IFNAME,		/* an interface of the caller's network namespace */
	KTIME,		/* ns of CLOCK_MONOTONIC, of which bpf_ktime_get_ns() is */
	BOOTTIME,	/* of CLOCK_BOOTTIME */
	TAI,		/* of CLOCK_TAI */
	CGROUP,		/* of cgroup v2 */
	KSYM,		/* a function of the kernel */
	STACK,		/* an element of a stack_trace map */
};

/**
 * struct resolve - one option --resolve
 * @name: "value.last": of the field, and of what is shown
 * @is_key: it is a field of the key
 * @field: its name in there; "" if it has none
 * @meaning: of its numbers
 * @dir: where a stack_trace map is mounted, or NULL
 * @stacks: that map, while bound; or NULL
 * @columns: of the key or the value, while bound
 * @column: the field, while bound
 */
struct resolve {
	char *name;
	bool is_key;
	const char *field;
	enum meaning meaning;
	const char *dir;
	struct stacks *stacks;
	struct columns columns;
	const struct column *column;
};

/* All of them; zero at first. */
struct resolves {
	struct resolve *one;
	size_t count;
};

/* @text: FIELD=MEANING, which must stay. Return: DONE, or FAILED after a sentence. */
enum status add_resolve(struct resolves *resolves, const char *command, const char *text);

/**
 * bind_resolves() - find the fields in the layouts of what is shown
 * @resolves: of the command
 * @dir: for sentences
 * @key: which must stay until unbind_resolves(); NULL: there is no key
 * @value: likewise
 *
 * Return: DONE, or FAILED after a sentence: a field is not there, or is no whole
 * number, or it cannot be told what it means; unbind_resolves() is due in any case.
 */
enum status bind_resolves(struct resolves *resolves, const char *dir,
			  const struct bpffs_layout *key, const struct bpffs_layout *value);
void unbind_resolves(struct resolves *resolves);
void free_resolves(struct resolves *resolves);

/**
 * resolve_leaf() - what a number stands for
 * @resolve: bound
 * @bytes: of the key, or of the value of one CPU
 * @n: of the leaf, if the field is an array
 * @text: gets it; of a stack, a text of each function, with NULs between
 *
 * Return: false: for nothing that is known, and @text is as it was.
 */
bool resolve_leaf(const struct resolve *resolve, const void *bytes, u64 n, struct line *text);

/* All of the field as one text: "-" where nothing is known, commas between. */
void put_resolved(struct line *line, const struct resolve *resolve, const void *bytes);

/* Of one CPU of several, the number is in the name, as in that of a field. */
static inline u32 resolve_copies(const struct resolve *resolve, const struct bpffs_shape *shape)
{
	return resolve->is_key ? 1 : shape->copies;
}

void put_resolve_name(struct line *line, const struct resolve *resolve,
		      const struct bpffs_shape *shape, u32 copy);

/**
 * print_resolves() - all of them for an element on standard output: " # NAME=TEXT ..."
 * @resolves: bound
 * @shape: of the value
 * @key: NULL: only what is of the value
 * @value: NULL: only what is of the key
 */
void print_resolves(const struct resolves *resolves, const struct bpffs_shape *shape,
		    const void *key, const void *value);

/* The same as a member of a JSON object that is open: ,"resolved":{"key.ifindex":"lo"} */
struct json_out;
void json_resolves(struct json_out *out, const struct resolves *resolves,
		   const struct bpffs_shape *shape, const void *key, const void *value);

#endif
