/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* The elements of a map as JSON Lines. */
#ifndef LIBBPFFS_JSON_H
#define LIBBPFFS_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct bpffs_layout;
struct bpffs_shape;
struct json_plan;

/**
 * struct json_out - text on its way to a descriptor; all zero at first, but for @fd
 * @fd: the descriptor
 * @err: of the first write that failed, positive
 * @rest: what is behind the NULs of strings, of the key or value that is being put out
 * @rest_len: of it
 * @rest_size: of the memory
 * @begin: what a line begins with, in a map of maps; NULL: what it always does
 * @before_key: what stands between the name and the key there
 * @percpu: the value is that of one CPU of several
 * @cpu: its number
 * @len: of @buf
 * @buf: what has not been written yet
 */
struct json_out {
	int fd;
	int err;
	char *rest;
	size_t rest_len;
	size_t rest_size;
	char *begin;
	char *before_key;
	bool percpu;
	unsigned int cpu;
	size_t len;
	char buf[262144];
};

void json_flush(struct json_out *out);

/* The same, and @out needs no memory but its own any more. */
void json_end(struct json_out *out);

/**
 * json_slot() - the elements that follow are those of a map in a map of maps
 * @out: of the elements
 * @key: the layout of the names in the outer map
 * @name: of the slot
 *
 * Return: 0, -EINVAL: the layout has no such name, or -ENOMEM.
 */
int json_slot(struct json_out *out, const struct bpffs_layout *key, const char *name);

/**
 * json_line() - one element, as an object that is left open
 * @out: its JSON goes there, without the last brace, as more may stand beside it
 * @key: the layout of the names
 * @value: the layout of the values
 * @percpu: the value is one of each CPU: fields begin with "cpuN"
 * @line: of .bpf/table, without its newline
 * @len: of it
 *
 * Return: 0, or -EINVAL: the line is not of these layouts.
 */
int json_line(struct json_out *out, const struct bpffs_layout *key,
	      const struct bpffs_layout *value, int percpu, const char *line,
	      size_t len);

/* How to write a layout's JSON. It refers to the layout. NULL: no memory. */
struct json_plan *json_plan_new(const struct bpffs_layout *layout);
void json_plan_free(struct json_plan *plan);

/**
 * json_element() - the same of its bytes
 * @out: its JSON goes there, likewise open
 * @key: of the layout of the names
 * @value: of the layout of the values
 * @shape: of the value; with CPU numbers, it is one of each CPU
 * @key_bytes: of the key
 * @value_bytes: of the value
 *
 * Return: 0, or -EINVAL: the layout has no such name, which cannot be.
 */
int json_element(struct json_out *out, const struct json_plan *key,
		 const struct json_plan *value, const struct bpffs_shape *shape,
		 const void *key_bytes, const void *value_bytes);

/* A value that has no key: {"value":..., likewise. */
void json_value(struct json_out *out, const struct json_plan *value, const void *bytes);

/* The brace that is still open, and a newline. */
void json_close(struct json_out *out);

/* JSON that is there already. */
void json_text(struct json_out *out, const char *text);

/* Bytes as a string; what is not UTF-8 is an object with their hex. */
void json_string(struct json_out *out, const char *text, size_t len);

/* Are these bytes text? */
bool json_is_utf8(const char *text, size_t len);

#endif
