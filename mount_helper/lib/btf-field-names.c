// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Names of fields: only what the layout language takes, and each once a group. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf-layout.h"

struct libbpffs_name {
	__u32 group;
	char *text;	/* NULL: the slot is free */
};

static __u64 hash(__u32 group, const char *text)
{
	__u64 h = 0xcbf29ce484222325ULL ^ group;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

/* Where the name is, or would be. */
static struct libbpffs_name *find(const struct libbpffs_names *names,
				  __u32 group, const char *text)
{
	size_t i = hash(group, text) & (names->size - 1);

	while (names->slot[i].text && (names->slot[i].group != group ||
				       strcmp(names->slot[i].text, text)))
		i = (i + 1) & (names->size - 1);
	return &names->slot[i];
}

/* At most half of the slots are in use, so that find() is short. */
static int make_room(struct libbpffs_names *names)
{
	struct libbpffs_names more = { .size = names->size ? 2 * names->size : 64 };
	size_t i;

	if (2 * (names->count + 1) <= names->size)
		return 0;
	more.slot = calloc(more.size, sizeof(*more.slot));
	if (!more.slot)
		return -ENOMEM;
	for (i = 0; i < names->size; i++) {
		const struct libbpffs_name *name = &names->slot[i];

		if (name->text)
			*find(&more, name->group, name->text) = *name;
	}
	free(names->slot);
	names->slot = more.slot;
	names->size = more.size;
	return 0;
}

/* Return: 0, -EEXIST or -ENOMEM. */
static int add(struct libbpffs_names *names, __u32 group, const char *text)
{
	struct libbpffs_name *name;

	if (make_room(names))
		return -ENOMEM;
	name = find(names, group, text);
	if (name->text)
		return -EEXIST;
	name->text = strdup(text);
	if (!name->text)
		return -ENOMEM;
	name->group = group;
	names->count++;
	return 0;
}

/* Static variables are called "function.variable". */
static void sanitize(const char *name, char *out, size_t size)
{
	size_t len = 0;

	if (isdigit((unsigned char)*name))
		out[len++] = '_';
	for (; *name && len < size - 1; name++)
		out[len++] = isascii((unsigned char)*name) &&
			     isalnum((unsigned char)*name) ? *name : '_';
	out[len] = '\0';
}

void libbpffs_name_find(const struct libbpffs_names *names, __u32 group,
			const char *name, __u64 offset, char out[LIBBPFFS_NAME_MAX])
{
	/* Room for "_" and 20 digits. */
	char text[LIBBPFFS_NAME_MAX - 21];

	sanitize(name && *name ? name : "field", text, sizeof(text));
	snprintf(out, LIBBPFFS_NAME_MAX, "%s", text);
	if (names->size && find(names, group, out)->text)
		snprintf(out, LIBBPFFS_NAME_MAX, "%s_%llu", text,
			 (unsigned long long)offset);
}

int libbpffs_name_take(struct libbpffs_names *names, __u32 group,
		       const char *name, __u64 offset,
		       char out[LIBBPFFS_NAME_MAX])
{
	libbpffs_name_find(names, group, name, offset, out);
	return add(names, group, out);
}

void libbpffs_names_free(struct libbpffs_names *names)
{
	size_t i;

	for (i = 0; i < names->size; i++)
		free(names->slot[i].text);
	free(names->slot);
}
