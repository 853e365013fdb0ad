/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* BTF to layouts: what the files of the compiler share. */
#ifndef LIBBPFFS_BTF_LAYOUT_H
#define LIBBPFFS_BTF_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct btf;
struct libbpffs_tag;

/* --- btf-layout.c --- */

/* For which use a layout is. */
enum libbpffs_btf_use {
	LIBBPFFS_BTF_VALUE,
	LIBBPFFS_BTF_KEY,
	LIBBPFFS_BTF_LPM_KEY,	/* begins with a prefix length */
};

/**
 * struct libbpffs_as - another type for a member, by the user: as=key.server:ip4
 * @path: "saddr", or "last.sec" of a nested one, as the text of the value has it, but
 *	without indices; or as in BTF. It need not end with NUL
 * @path_len: of it
 * @type: in the layout language
 * @for_key: of the key, not of the value
 * @inner: of the maps in a map of maps
 * @seen: there is such a member
 * @bad_size: of the member in bytes, if @type is none of that size
 * @of_bits: it is a bit-field, of which @type cannot be
 */
struct libbpffs_as {
	const char *path;
	size_t path_len;
	const char *type;
	bool for_key;
	bool inner;
	bool seen;
	__u64 bad_size;
	bool of_bits;
};

/**
 * libbpffs_btf_layout() - the layout of a type
 * @btf: may be hostile
 * @id: of the type
 * @size: of the key or value in bytes
 * @use: of the layout
 * @as: types by the user; seen and bad_size are filled in
 * @as_count: of @as
 * @text: one that bpffs_layout_compile() takes for @size, to be freed; NULL where the
 *	type has none
 *
 * Return: 0 or -ENOMEM.
 */
int libbpffs_btf_layout(const struct btf *btf, __u32 id, __u32 size,
			enum libbpffs_btf_use use, struct libbpffs_as *as,
			size_t as_count, char **text);

/* --- btf-tags.c: btf_decl_tag("bpffs:TYPE") --- */

#define LIBBPFFS_NO_MEMBER	(-1)

struct libbpffs_tags {
	struct libbpffs_tag *tag;
	size_t count;
};

/* Return: 0 or -ENOMEM; in any case libbpffs_tags_free() is due. */
int libbpffs_tags_collect(struct libbpffs_tags *tags, const struct btf *btf);
void libbpffs_tags_free(struct libbpffs_tags *tags);

/* The TYPE for a member of a struct, or for a type or variable; or NULL. */
const char *libbpffs_tag_find(const struct libbpffs_tags *tags, __u32 id,
			      int member);

/* --- btf-field-names.c: each name only once in a group --- */

/**
 * struct libbpffs_names - the names that are taken, of all groups
 * @slot: open hash table
 * @size: of it, a power of 2, or 0
 * @count: slots in use
 */
struct libbpffs_names {
	struct libbpffs_name *slot;
	size_t size;
	size_t count;
};

/* A C identifier. */
#define LIBBPFFS_NAME_MAX	128

/**
 * libbpffs_name_find() - the name that a field would get
 * @names: all zero at first
 * @group: number of the group
 * @name: as in BTF, or NULL; characters that no name can have become "_"
 * @offset: of the field, which tells namesakes apart
 * @out: the name
 */
void libbpffs_name_find(const struct libbpffs_names *names, __u32 group,
			const char *name, __u64 offset, char out[LIBBPFFS_NAME_MAX]);

/* The same, and it gets it. Return: 0; -EEXIST: give it up; -ENOMEM. */
int libbpffs_name_take(struct libbpffs_names *names, __u32 group,
		       const char *name, __u64 offset,
		       char out[LIBBPFFS_NAME_MAX]);
void libbpffs_names_free(struct libbpffs_names *names);

/* --- btf-member-words.c: what a name tells; NULL tells nothing --- */

bool libbpffs_is_address_name(const char *name);
/* So sure that it is an address in network order, whatever its type is called. */
bool libbpffs_is_sure_address_name(const char *name);
bool libbpffs_is_mac_name(const char *name);
bool libbpffs_is_pad_name(const char *name);

#endif
