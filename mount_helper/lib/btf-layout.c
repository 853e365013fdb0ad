// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * BTF to layouts. BTF may come from anywhere: whatever it says, the result is a
 * layout that covers all bytes, or none, in bounded time and memory. What has
 * no readable form is hex, so that nothing is lost.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "btf-layout.h"
#include "text.h"

/* Types and names of enums looked at for one layout: cyclic BTF ends here. */
#define STEPS_MAX	200000
/* Typedefs, qualifiers and arrays around a type. */
#define CHAIN_MAX	64
/* Structs in one another, those without a name counted. */
#define NEST_MAX	64
/* Groups in one another; the layout's limit, less one for the parts of bits. */
#define GROUPS_MAX	(BPFFS_LAYOUT_DEPTH_MAX - 1)

/* This type or this struct is not to be had, but hex is. Else -errno, the end. */
#define AS_HEX		1

/**
 * struct compiler - the state of one libbpffs_btf_layout()
 * @btf: the types
 * @use: of the layout
 * @labels: enums with names
 * @text: of the layout so far
 * @len: of it
 * @steps: types and names of enums looked at
 * @nest: structs that are open
 * @groups: those of them that are groups of the layout
 * @last_group: number given last
 * @names: taken, by group
 * @tags: of btf_decl_tag()
 * @as: types by the user, which come before those
 * @as_count: of @as
 * @path: of the open groups, "last."
 * @path_len: of @path
 */
struct compiler {
	const struct btf *btf;
	enum libbpffs_btf_use use;
	bool labels;
	char text[BPFFS_LAYOUT_TEXT_MAX + 1];
	size_t len;
	u32 steps;
	u32 nest;
	u32 groups;
	u32 last_group;
	struct libbpffs_names names;
	struct libbpffs_tags tags;
	struct libbpffs_as *as;
	size_t as_count;
	char path[BPFFS_NAME_MAX + 1];
	size_t path_len;
};

/**
 * struct group - a group that is open
 * @number: of it
 * @base: of a struct without a name, where it is in the group that it is part of
 * @pos: where what follows goes, but for padding
 * @empty: nothing has been put into it
 */
struct group {
	u32 number;
	u64 base;
	u64 pos;
	bool empty;
};

/**
 * struct bare_type - a type without what is around it
 * @type: NULL if there is none that could be described
 * @id: of it
 * @size: of one element
 * @alias: the outermost typedef
 * @big_endian: bits of the number, by a typedef that says so; 0: it is none
 * @tag: of the type, or of a typedef around it
 * @dims: of an array
 * @dim: the counts, outermost first
 */
struct bare_type {
	const struct btf_type *type;
	u32 id;
	u64 size;
	const char *alias;
	u32 big_endian;
	const char *tag;
	u32 dims;
	u32 dim[BPFFS_LAYOUT_DEPTH_MAX];
};

/**
 * struct member - of a struct, or a variable of a data section
 * @bare: its type
 * @name: or NULL
 * @tag: or NULL
 * @as: type by the user, or NULL
 * @size: in bytes
 * @from: its first bit
 * @bits: how many; not 8 times @size in a bit-field
 */
struct member {
	struct bare_type bare;
	const char *name;
	const char *tag;
	struct libbpffs_as *as;
	u64 size;
	u64 from;
	u64 bits;
};

/* --- Text --- */

__printf(2, 3)
static int put(struct compiler *c, const char *fmt, ...)
{
	size_t room = sizeof(c->text) - c->len;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(c->text + c->len, room, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		return -E2BIG;
	c->len += len;
	return 0;
}

static int put_dims(struct compiler *c, const struct bare_type *bare, u32 dims)
{
	int err = 0;
	u32 i;

	for (i = 0; i < dims && !err; i++)
		err = put(c, "[%u]", bare->dim[i]);
	return err;
}

static int put_separator(struct compiler *c, struct group *group)
{
	if (!group->empty)
		return put(c, ":");
	group->empty = false;
	return 0;
}

/* Padding up to @pos. */
static int put_hole(struct compiler *c, struct group *group, u64 pos)
{
	int err;

	/* Fields that overlap, or come in another order. */
	if (pos < group->pos)
		return AS_HEX;
	if (pos == group->pos)
		return 0;
	err = put_separator(c, group);
	if (err)
		return err;
	err = put(c, "pad%llu", (unsigned long long)(pos - group->pos));
	group->pos = pos;
	return err;
}

static int put_name(struct compiler *c, struct group *group, const char *name,
		    char own[LIBBPFFS_NAME_MAX])
{
	int err;

	err = libbpffs_name_take(&c->names, group->number, name, group->base + group->pos,
				 own);
	if (err)
		return err == -EEXIST ? AS_HEX : err;
	return put(c, "%s=", own);
}

/* --- Types --- */

static const char *name_of(const struct compiler *c, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(c->btf, t->name_off);

	return name && *name ? name : NULL;
}

static bool is_named(const struct compiler *c, const struct btf_type *t,
		     const char *wanted)
{
	const char *name = name_of(c, t);

	return name && !strcmp(name, wanted);
}

static bool is_one_of(const char *name, const char * const *list)
{
	for (; name && *list; list++)
		if (!strcmp(name, *list))
			return true;
	return false;
}

static bool is_spent(const struct compiler *c)
{
	return c->steps > STEPS_MAX;
}

static const struct btf_type *next_type(struct compiler *c, u32 id)
{
	c->steps++;
	return is_spent(c) ? NULL : btf__type_by_id(c->btf, id);
}

/* The bits of a big-endian number, by the typedef that says so. */
static u32 big_endian_bits(const char *alias)
{
	static const struct {
		const char *name;
		u32 bits;
	} aliases[] = {
		{ "__be16", 16 }, { "__be32", 32 }, { "__be64", 64 },
		{ "in_port_t", 16 }, { "in_addr_t", 32 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(alias, aliases[i].name))
			return aliases[i].bits;
	return 0;
}

static void see_alias(struct bare_type *bare, const char *alias)
{
	if (!alias)
		return;
	if (!bare->alias)
		bare->alias = alias;
	if (!bare->big_endian)
		bare->big_endian = big_endian_bits(alias);
}

/* Take away typedefs, qualifiers and dimensions. */
static int strip(struct compiler *c, u32 id, struct bare_type *bare)
{
	const struct btf_type *t;
	s64 size;
	u32 i;

	memset(bare, 0, sizeof(*bare));
	for (i = 0; i < CHAIN_MAX; i++) {
		t = next_type(c, id);
		if (!t)
			return is_spent(c) ? -E2BIG : AS_HEX;
		if (!bare->tag)
			bare->tag = libbpffs_tag_find(&c->tags, id, LIBBPFFS_NO_MEMBER);
		if (btf_is_array(t)) {
			if (bare->dims == ARRAY_SIZE(bare->dim) || !btf_array(t)->nelems)
				return AS_HEX;
			bare->dim[bare->dims++] = btf_array(t)->nelems;
			id = btf_array(t)->type;
			continue;
		}
		if (btf_is_typedef(t))
			see_alias(bare, name_of(c, t));
		else if (!btf_is_mod(t) && !btf_is_type_tag(t))
			break;
		id = t->type;
	}
	if (i == CHAIN_MAX)
		return AS_HEX;
	size = btf__resolve_size(c->btf, id);
	if (size <= 0)
		return AS_HEX;
	bare->type = t;
	bare->id = id;
	bare->size = size;
	if (!btf_is_int(t) || bare->big_endian != 8 * bare->size)
		bare->big_endian = 0;
	return 0;
}

/* An integer of this size, or hex if there is none. */
static int put_int(struct compiler *c, char kind, u64 size)
{
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return put(c, "hex%llu", (unsigned long long)size);
	return put(c, "%c%llu", kind, (unsigned long long)size * 8);
}

/* Bytes that user space never sees: the kernel's own, always zero here. */
static bool is_kernels(const struct compiler *c, const struct bare_type *bare)
{
	static const char * const structs[] = {
		"bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer", "bpf_wq",
		"bpf_task_work", "bpf_list_head", "bpf_list_node",
		"bpf_rb_root", "bpf_rb_node", "bpf_refcount", NULL
	};
	static const char * const tags[] = {
		"kptr", "kptr_untrusted", "kptr_ref", "percpu_kptr", "uptr", NULL
	};
	const struct btf_type *to;

	if (btf_is_struct(bare->type))
		return is_one_of(name_of(c, bare->type), structs);
	if (!btf_is_ptr(bare->type))
		return false;
	to = btf__type_by_id(c->btf, bare->type->type);
	return to && btf_is_type_tag(to) && is_one_of(name_of(c, to), tags);
}

static bool is_byte(const struct compiler *c, const struct bare_type *bare)
{
	return btf_is_int(bare->type) && bare->size == 1 &&
	       !(btf_int_encoding(bare->type) & (BTF_INT_SIGNED | BTF_INT_BOOL)) &&
	       !is_named(c, bare->type, "char");
}

static bool is_char(const struct compiler *c, const struct bare_type *bare)
{
	return btf_is_int(bare->type) && bare->size == 1 &&
	       (is_named(c, bare->type, "char") ||
		btf_int_encoding(bare->type) & BTF_INT_CHAR);
}

static bool is_u32(const struct bare_type *bare)
{
	return btf_is_int(bare->type) && bare->size == 4 &&
	       !btf_int_encoding(bare->type) && !bare->big_endian;
}

/* Does the member's name, or that of its type, tell? */
static bool tells(bool (*is)(const char *name), const struct bare_type *bare,
		  const char *name)
{
	return is(name) || is(bare->alias);
}

/* --- Enums --- */

struct enum_value {
	const char *name;
	s64 value;
};

/*
 * By the flag, which compilers did not know before there was an ENUM64: then a label
 * that is negative tells, but not one that may be the highest bit of a mask.
 */
static bool enum_is_signed(struct compiler *c, const struct btf_type *t)
{
	u32 i;

	if (btf_kflag(t) || !btf_is_enum(t))
		return btf_kflag(t);
	c->steps += btf_vlen(t);
	for (i = 0; i < btf_vlen(t) && !is_spent(c); i++)
		if (btf_enum(t)[i].val < 0 && btf_enum(t)[i].val != INT_MIN)
			return true;
	return false;
}

/* Of either kind of enum. */
static struct enum_value enum_value(const struct compiler *c,
				    const struct btf_type *t, u32 i, bool is_signed)
{
	struct enum_value v;

	if (btf_is_enum(t)) {
		v.name = btf__name_by_offset(c->btf, btf_enum(t)[i].name_off);
		v.value = btf_enum(t)[i].val;
		if (!is_signed)
			v.value = (u32)btf_enum(t)[i].val;
	} else {
		v.name = btf__name_by_offset(c->btf, btf_enum64(t)[i].name_off);
		v.value = (u64)btf_enum64(t)[i].val_hi32 << 32 |
			  btf_enum64(t)[i].val_lo32;
	}
	return v;
}

/* Whatever the locale is. */
static bool is_letter(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool is_identifier(const char *name)
{
	size_t len = 0;

	for (; name && name[len]; len++)
		if (!is_letter(name[len]) && (!len || name[len] < '0' || name[len] > '9'))
			return false;
	return len && len <= BPFFS_NAME_MAX;
}

static bool fits(s64 value, u32 bits, bool is_signed)
{
	s64 half = bits < 64 ? 1LL << (bits - 1) : 0;

	if (bits == 64)
		return true;
	return is_signed ? value >= -half && value < half :
			   value >= 0 && value - half < half;
}

/* "{NEW=0/OLD=5}", or nothing; in a number of @bits. */
static int put_labels(struct compiler *c, const struct btf_type *t, u32 bits, bool is_signed)
{
	struct libbpffs_names names = {};
	char own[LIBBPFFS_NAME_MAX];
	bool begun = false;
	int err = 0;
	u32 i;

	/* An ENUM of 8 bytes has only the low half of each value in BTF. */
	if (!c->labels || (t->size == 8 && btf_is_enum(t)))
		return 0;
	c->steps += btf_vlen(t);
	if (is_spent(c))
		return -E2BIG;
	for (i = 0; i < btf_vlen(t) && !err; i++) {
		struct enum_value v = enum_value(c, t, i, is_signed);

		if (!is_identifier(v.name) || !fits(v.value, bits, is_signed))
			continue;
		err = libbpffs_name_take(&names, 0, v.name, 0, own);
		/* Twice the same name: which one? */
		if (err == -EEXIST || (!err && strcmp(own, v.name))) {
			err = 0;
			continue;
		}
		if (err)
			break;
		err = is_signed ?
		      put(c, "%c%s=%lld", begun ? '/' : '{', v.name, (long long)v.value) :
		      put(c, "%c%s=%llu", begun ? '/' : '{', v.name,
			  (unsigned long long)v.value);
		begun = true;
	}
	if (!err && begun)
		err = put(c, "}");
	libbpffs_names_free(&names);
	return err;
}

static int put_enum(struct compiler *c, const struct bare_type *bare)
{
	bool is_signed = enum_is_signed(c, bare->type);
	int err;

	err = put_int(c, is_signed ? 's' : 'u', bare->size);
	if (err || bare->size > 8 || bare->size & (bare->size - 1))
		return err;
	return put_labels(c, bare->type, 8 * bare->size, is_signed);
}

/* --- Fields --- */

static int put_members(struct compiler *c, const struct bare_type *bare,
		       struct group *group);

static enum bpffs_use use_of(const struct compiler *c)
{
	return c->use == LIBBPFFS_BTF_VALUE ? BPFFS_VALUE : BPFFS_KEY;
}

/* Return: 0, AS_HEX: it is no layout of @size bytes, -ENOMEM. */
static int check_text(const struct compiler *c, const char *text, size_t len, u32 size)
{
	struct bpffs_layout *layout;
	int err = bpffs_layout_compile(&layout, text, len, size, use_of(c), NULL);

	if (!err)
		bpffs_layout_release(layout);
	return err && err != -ENOMEM ? AS_HEX : err;
}

/* Does the type that a tag gives cover @size bytes? As check_text(). */
static int check_tag(struct compiler *c, const char *tag, u64 size)
{
	size_t len = strlen(tag);

	/* A long one counts like the types that it describes. */
	c->steps += len / 16;
	if (size > U32_MAX || len > BPFFS_LAYOUT_TEXT_MAX || is_spent(c))
		return AS_HEX;
	return check_text(c, tag, len, size);
}

/* Several fields in one tag are a group. */
static bool is_list(const char *tag)
{
	u32 depth = 0;

	for (; *tag; tag++) {
		if (*tag == '{')
			depth++;
		else if (*tag == '}')
			depth--;
		else if (!depth && (*tag == ':' || *tag == '='))
			return true;
	}
	return false;
}

static int put_tag(struct compiler *c, const char *tag, u64 size)
{
	if (!strcmp(tag, "hex"))
		return put(c, "hex%llu", (unsigned long long)size);
	return put(c, is_list(tag) ? "{%s}" : "%s", tag);
}

static int put_group(struct compiler *c, const struct bare_type *bare)
{
	struct group group = { .number = ++c->last_group, .empty = true };
	int err;

	if (c->groups == GROUPS_MAX)
		return AS_HEX;
	c->groups++;
	err = put(c, "{");
	if (!err)
		err = put_members(c, bare, &group);
	if (!err)
		err = put(c, "}");
	c->groups--;
	return err;
}

/* in_addr and in6_addr */
static bool is_address_struct(const struct compiler *c, const struct bare_type *bare)
{
	return (bare->size == 4 && is_named(c, bare->type, "in_addr")) ||
	       (bare->size == 16 && is_named(c, bare->type, "in6_addr"));
}

static int put_record(struct compiler *c, const struct bare_type *bare)
{
	if (is_address_struct(c, bare))
		return put(c, bare->size == 4 ? "ip4" : "ip6");
	return put_group(c, bare);
}

static int put_number(struct compiler *c, const struct bare_type *bare,
		      const char *name)
{
	u32 encoding = btf_int_encoding(bare->type);

	if (bare->big_endian == 32 && tells(libbpffs_is_address_name, bare, name))
		return put(c, "ip4");
	if (bare->big_endian)
		return put(c, "be%u", bare->big_endian);
	if (is_u32(bare) && tells(libbpffs_is_sure_address_name, bare, name))
		return put(c, "ip4");
	if (encoding & BTF_INT_BOOL && bare->size == 1)
		return put(c, "bool");
	return put_int(c, encoding & BTF_INT_SIGNED ? 's' : 'u', bare->size);
}

/*
 * An array whose last dimension is part of the type: a string, an address,
 * bytes. AS_HEX: it is none of these.
 */
static int put_array_type(struct compiler *c, const struct bare_type *bare,
			  const char *name)
{
	bool address = tells(libbpffs_is_address_name, bare, name);
	u32 count = bare->dim[bare->dims - 1];

	if (is_char(c, bare))
		return put(c, "str%u", count);
	if (bare->big_endian == 32 && count == 4 && address)
		return put(c, "ip6");
	if (is_u32(bare) && count == 4 && tells(libbpffs_is_sure_address_name, bare, name))
		return put(c, "ip6");
	if (!is_byte(c, bare))
		return AS_HEX;
	if (count == 6 && tells(libbpffs_is_mac_name, bare, name))
		return put(c, "mac");
	if (count == 4 && address)
		return put(c, "ip4");
	if (count == 16 && address)
		return put(c, "ip6");
	return put(c, "hex%u", count);
}

/* The type itself, without its dimensions. */
static int put_element(struct compiler *c, const struct bare_type *bare,
		       const char *name)
{
	switch (btf_kind(bare->type)) {
	case BTF_KIND_INT:
		return put_number(c, bare, name);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return put_enum(c, bare);
	case BTF_KIND_PTR:
		return put_int(c, 'x', bare->size);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return put_record(c, bare);
	default:
		return AS_HEX;
	}
}

/* What stands behind "NAME=". */
static int put_type(struct compiler *c, const struct member *m)
{
	const struct bare_type *bare = &m->bare;
	int err = m->tag ? check_tag(c, m->tag, m->size) : AS_HEX;

	if (!err)
		return put_tag(c, m->tag, m->size);
	if (err == AS_HEX && m->tag && bare->dims) {
		err = check_tag(c, m->tag, bare->size);
		if (!err)
			err = put_tag(c, m->tag, bare->size) ?: put_dims(c, bare, bare->dims);
	}
	if (err != AS_HEX)
		return err;
	if (m->as)
		m->as->bad_size = m->size;
	if (!bare->type)
		return AS_HEX;
	if (bare->dims) {
		err = put_array_type(c, bare, m->name);
		if (!err)
			return put_dims(c, bare, bare->dims - 1);
		if (err < 0)
			return err;
	}
	err = put_element(c, bare, m->name);
	return err ?: put_dims(c, bare, bare->dims);
}

/* Or else hex. */
static int put_type_or_hex(struct compiler *c, const struct member *m)
{
	size_t mark = c->len;
	int err;

	err = put_type(c, m);
	if (err != AS_HEX)
		return err;
	c->len = mark;
	return put(c, "hex%llu", (unsigned long long)m->size);
}

/* What is called padding, or belongs to the kernel. */
static bool is_padding(const struct compiler *c, const struct member *m)
{
	if (!m->bare.type || m->tag)
		return false;
	return is_kernels(c, &m->bare) ||
	       (btf_is_int(m->bare.type) && libbpffs_is_pad_name(m->name));
}

/* A struct or union whose members are its parent's. */
static bool is_unnamed_record(const struct member *m)
{
	return m->bare.type && btf_is_composite(m->bare.type) && !m->name && !m->tag &&
	       !m->bare.dims;
}

static int splice(struct compiler *c, struct group *group, const struct member *m)
{
	struct group inner = {
		.number = group->number,
		.base = group->base + group->pos,
		.empty = group->empty,
	};
	size_t mark = c->len;
	int err;

	err = put_members(c, &m->bare, &inner);
	if (err) {
		c->len = mark;
		return err;
	}
	group->empty = inner.empty;
	group->pos += m->size;
	return 0;
}

static const char *name_or_kind(const struct member *m)
{
	if (m->name || !m->bare.type)
		return m->name;
	return btf_is_union(m->bare.type) ? "union" : NULL;
}

/* --- Types by the user --- */

/* What follows the path of the open groups in that of @as; NULL: it is another. */
static const char *rest_of_path(const struct compiler *c, const struct libbpffs_as *as,
				size_t *len)
{
	if (as->for_key == (c->use == LIBBPFFS_BTF_VALUE) || as->path_len <= c->path_len ||
	    memcmp(as->path, c->path, c->path_len))
		return NULL;
	*len = as->path_len - c->path_len;
	return as->path + c->path_len;
}

static void see_as_name(struct compiler *c, struct member *m, const char *name)
{
	size_t len, i;

	for (i = 0; i < c->as_count; i++) {
		const char *rest = rest_of_path(c, &c->as[i], &len);

		if (!rest || len != strlen(name) || memcmp(rest, name, len))
			continue;
		c->as[i].seen = true;
		m->as = &c->as[i];
		m->tag = m->as->type;
	}
}

/* Has the user given a type for this member? By the name that it will have. */
static void see_as(struct compiler *c, const struct group *group, struct member *m)
{
	const char *name = name_or_kind(m);
	char own[LIBBPFFS_NAME_MAX];

	libbpffs_name_find(&c->names, group->number, name, group->base + m->from / 8, own);
	see_as_name(c, m, own);
	/* That of a static variable is "function.variable" in BTF. */
	if (!m->as && name && strchr(name, '.'))
		see_as_name(c, m, name);
}

/* Below a member, the paths of its own members begin with its name. */
static void enter_path(struct compiler *c, const char *name)
{
	int len;

	len = snprintf(c->path + c->path_len, sizeof(c->path) - c->path_len, "%s.", name);
	/* What is cut is no member's path. */
	c->path_len = min(c->path_len + len, sizeof(c->path) - 1);
}

static int put_named(struct compiler *c, struct group *group, const struct member *m)
{
	size_t path_len = c->path_len;
	char own[LIBBPFFS_NAME_MAX];
	int err;

	err = put_name(c, group, name_or_kind(m), own);
	if (err)
		return err;
	enter_path(c, own);
	err = put_type_or_hex(c, m);
	c->path_len = path_len;
	return err;
}

/* --- Members --- */

/* A member that is whole bytes. */
static int put_field(struct compiler *c, struct group *group, struct member *m)
{
	int err;

	if (name_or_kind(m))
		see_as(c, group, m);
	/* The next hole includes it. */
	if (is_padding(c, m))
		return 0;
	err = put_hole(c, group, m->from / 8);
	if (err)
		return err;
	if (is_unnamed_record(m)) {
		err = splice(c, group, m);
		if (err != AS_HEX)
			return err;
	}
	/* What is called "field". */
	if (!name_or_kind(m))
		see_as(c, group, m);
	err = put_separator(c, group);
	if (!err)
		err = put_named(c, group, m);
	group->pos += m->size;
	return err;
}

/* --- Bit-fields --- */

static bool is_bits(const struct member *m)
{
	return m->bits != 8 * m->size || m->from % 8;
}

static bool is_enum(const struct member *m)
{
	return m->bare.type && !m->bare.dims && btf_is_any_enum(m->bare.type);
}

static bool is_signed(struct compiler *c, const struct member *m)
{
	if (is_enum(m))
		return enum_is_signed(c, m->bare.type);
	return m->bare.type && btf_is_int(m->bare.type) &&
	       btf_int_encoding(m->bare.type) & BTF_INT_SIGNED;
}

/* Compilers older than the struct's flag: the integer says what bits it has. */
static void see_int_bits(struct member *m)
{
	const struct btf_type *t = m->bare.type;

	if (!t || m->bare.dims || !btf_is_int(t))
		return;
	m->from += btf_int_offset(t);
	if (btf_int_bits(t))
		m->bits = btf_int_bits(t);
}

static int get_member(struct compiler *c, const struct bare_type *bare, u32 i,
		      struct member *m)
{
	const struct btf_type *t = bare->type;
	u32 id = btf_members(t)[i].type;
	s64 size;
	int err;

	err = strip(c, id, &m->bare);
	if (err < 0)
		return err;
	size = btf__resolve_size(c->btf, id);
	if (size < 0)
		return AS_HEX;
	m->as = NULL;
	m->name = btf__name_by_offset(c->btf, btf_members(t)[i].name_off);
	if (m->name && !*m->name)
		m->name = NULL;
	m->tag = libbpffs_tag_find(&c->tags, bare->id, i) ?: m->bare.tag;
	m->size = size;
	m->from = btf_member_bit_offset(t, i);
	m->bits = btf_member_bitfield_size(t, i) ?: 8 * m->size;
	if (!btf_kflag(t))
		see_int_bits(m);
	return (m->from + m->bits + 7) / 8 > bare->size ? AS_HEX : 0;
}

/**
 * struct unit - bytes that hold bit-fields, and none in part
 * @begin: in the struct
 * @size: in bytes
 * @first: member
 * @count: of members
 * @is_signed: are they all?
 * @is_int: an integer of @size
 */
struct unit {
	u64 begin;
	u32 size;
	u32 first;
	u32 count;
	bool is_signed;
	bool is_int;
};

/* Do the members that begin in the unit all end there, and are they bits? */
static int fill_unit(struct compiler *c, const struct bare_type *bare,
		     struct unit *unit)
{
	u64 bit = 8 * unit->begin, end = bit + 8 * unit->size;
	struct member m;
	int err;
	u32 i;

	unit->is_int = false;
	unit->is_signed = true;
	unit->count = 0;
	if (end > 8 * bare->size)
		return 0;
	for (i = unit->first; i < btf_vlen(bare->type); i++) {
		err = get_member(c, bare, i, &m);
		if (err)
			return err;
		if (!m.size)
			continue;
		if (m.from >= end)
			break;
		if (!is_bits(&m) || m.from < bit || m.from + m.bits > end)
			return 0;
		bit = m.from + m.bits;
		unit->is_signed &= is_signed(c, &m);
		unit->count = i + 1 - unit->first;
	}
	unit->is_int = unit->count;
	return 0;
}

/* Bytes as few as possible that no bit-field is in with only a part of it. */
static int find_bytes(struct compiler *c, const struct bare_type *bare,
		      struct unit *unit)
{
	u64 end = unit->begin + 1;
	struct member m;
	int err;
	u32 i;

	for (i = unit->first; i < btf_vlen(bare->type); i++) {
		err = get_member(c, bare, i, &m);
		if (err)
			return err;
		if (m.from >= 8 * end)
			break;
		if (m.from < 8 * unit->begin || !is_bits(&m))
			return AS_HEX;
		end = max(end, (m.from + m.bits + 7) / 8);
	}
	unit->count = i - unit->first;
	unit->size = end - unit->begin;
	return 0;
}

/*
 * The integer that the source has, or else the smallest. BTF counts bits as the
 * compiler does: from the least significant one on, if and only if bytes come in
 * that order too.
 */
static int find_unit(struct compiler *c, const struct bare_type *bare, u64 pos,
		     const struct member *first, struct unit *unit)
{
	u64 begin = first->from / 8;
	int err = 0;

	unit->size = min_t(u64, first->size, 8);
	unit->begin = begin - begin % unit->size;
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
		if (unit->begin >= pos)
			err = fill_unit(c, bare, unit);
		if (err || unit->is_int)
			return err;
		unit->begin = begin;
		for (unit->size = 1; unit->size <= 8; unit->size *= 2) {
			err = fill_unit(c, bare, unit);
			if (err || unit->is_int)
				return err;
		}
	}
	unit->begin = begin;
	return find_bytes(c, bare, unit);
}

/* For some bits there is no other type. */
static void refuse_as(struct compiler *c, const char *name)
{
	struct member m = {};

	see_as_name(c, &m, name);
	if (m.as)
		m.as->of_bits = true;
}

/* In an integer that is signed, all parts are. */
static int put_part(struct compiler *c, struct group *group, const struct unit *unit,
		    const struct member *m)
{
	bool sign = is_signed(c, m);
	char name[LIBBPFFS_NAME_MAX];
	int err;

	if (is_padding(c, m))
		return put(c, ".%llu", (unsigned long long)m->bits);
	err = libbpffs_name_take(&c->names, group->number, m->name,
				 8 * group->base + m->from, name);
	if (err)
		return err == -EEXIST ? AS_HEX : err;
	refuse_as(c, name);
	err = put(c, "%s.%s%llu", name, sign && !unit->is_signed ? "s" : "",
		  (unsigned long long)m->bits);
	return err || !is_enum(m) ? err : put_labels(c, m->bare.type, m->bits, sign);
}

/* "{rx.1/tx.1/.14}" */
static int put_parts(struct compiler *c, struct group *group,
		     const struct bare_type *bare, const struct unit *unit)
{
	u64 bit = 8 * unit->begin, end = bit + 8 * unit->size;
	char before = '{';
	struct member m;
	int err;
	u32 i;

	for (i = unit->first; i < unit->first + unit->count; i++) {
		err = get_member(c, bare, i, &m);
		if (err)
			return err;
		if (!m.size)
			continue;
		if (m.from > bit) {
			err = put(c, "%c.%llu", before, (unsigned long long)(m.from - bit));
			before = '/';
		}
		if (!err)
			err = put(c, "%c", before);
		if (!err)
			err = put_part(c, group, unit, &m);
		if (err)
			return err;
		before = '/';
		bit = m.from + m.bits;
	}
	return bit < end ? put(c, "/.%llu}", (unsigned long long)(end - bit)) : put(c, "}");
}

static int put_unit(struct compiler *c, struct group *group,
		    const struct bare_type *bare, const struct unit *unit,
		    const struct member *first)
{
	bool whole = unit->count == 1 && first->bits == 8 * unit->size;
	struct member m = {
		.name = unit->is_int ? first->name : "bits",
		.from = 8 * unit->begin,
		.size = unit->size,
	};
	char name[LIBBPFFS_NAME_MAX];
	int err;

	err = put_separator(c, group);
	if (!err && (whole || !unit->is_int)) {
		see_as(c, group, &m);
		err = put_name(c, group, m.name, name);
	}
	if (err)
		return err;
	if (m.as) {
		err = check_tag(c, m.tag, m.size);
		if (err != AS_HEX)
			return err ?: put_tag(c, m.tag, m.size);
		m.as->bad_size = m.size;
	}
	if (!unit->is_int)
		return put(c, "hex%u", unit->size);
	err = put_int(c, unit->is_signed ? 's' : 'u', unit->size);
	if (!err && whole && is_enum(first))
		return put_labels(c, first->bare.type, first->bits, unit->is_signed);
	return err || whole ? err : put_parts(c, group, bare, unit);
}

/* The bit-fields from @first, member @*i, on that share bytes with it. */
static int put_bits(struct compiler *c, struct group *group,
		    const struct bare_type *bare, const struct member *first, u32 *i)
{
	struct unit unit = { .first = *i };
	int err;

	err = find_unit(c, bare, group->pos, first, &unit);
	if (!err)
		err = put_hole(c, group, unit.begin);
	if (!err)
		err = put_unit(c, group, bare, &unit, first);
	group->pos += unit.size;
	*i += unit.count - 1;
	return err;
}

/* --- Unions --- */

/**
 * check_whole() - is each byte of it in a field that can be read?
 * @c: the compiler
 * @bare: the type
 *
 * Return: 0, AS_HEX: no, or -errno.
 */
static int check_whole(struct compiler *c, const struct bare_type *bare);

static int check_whole_struct(struct compiler *c, const struct bare_type *bare)
{
	struct member m;
	u64 bit = 0;
	int err;
	u32 i;

	for (i = 0; i < btf_vlen(bare->type); i++) {
		err = get_member(c, bare, i, &m);
		if (err)
			return err;
		if (!m.size)
			continue;
		if (m.from != bit || is_padding(c, &m))
			return AS_HEX;
		err = check_whole(c, &m.bare);
		if (err)
			return err;
		bit += m.bits;
	}
	return bit == 8 * bare->size ? 0 : AS_HEX;
}

/* The first member that is the union, whole. */
static int check_whole_union(struct compiler *c, const struct bare_type *bare,
			     struct member *m)
{
	int err;
	u32 i;

	for (i = 0; i < btf_vlen(bare->type); i++) {
		err = get_member(c, bare, i, m);
		if (err)
			return err;
		if (m->from || m->bits != 8 * bare->size || is_padding(c, m))
			continue;
		err = check_whole(c, &m->bare);
		if (err != AS_HEX)
			return err;
	}
	return AS_HEX;
}

static int check_whole(struct compiler *c, const struct bare_type *bare)
{
	struct member m;
	int err = AS_HEX;

	if (!bare->type || c->nest == NEST_MAX)
		return AS_HEX;
	c->nest++;
	switch (btf_kind(bare->type)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_PTR:
		err = 0;
		break;
	case BTF_KIND_STRUCT:
		err = check_whole_struct(c, bare);
		break;
	case BTF_KIND_UNION:
		err = check_whole_union(c, bare, &m);
		break;
	}
	c->nest--;
	return err;
}

/* Is there a type by the user for a member below, whose parent's path is open? */
static int asks_below(struct compiler *c, const struct bare_type *bare, bool *asks);

static int asks_for(struct compiler *c, const struct member *m, bool *asks)
{
	size_t len, name_len, i;

	if (!m->name)
		return m->bare.type && btf_is_composite(m->bare.type) && !m->bare.dims ?
		       asks_below(c, &m->bare, asks) : 0;
	name_len = strlen(m->name);
	for (i = 0; i < c->as_count; i++) {
		const char *rest = rest_of_path(c, &c->as[i], &len);

		if (rest && len >= name_len && !memcmp(rest, m->name, name_len) &&
		    (len == name_len || rest[name_len] == '.'))
			*asks = true;
	}
	return 0;
}

static int asks_below(struct compiler *c, const struct bare_type *bare, bool *asks)
{
	struct member m;
	int err = 0;
	u32 i;

	if (c->nest == NEST_MAX)
		return 0;
	c->nest++;
	for (i = 0; i < btf_vlen(bare->type) && !err && !*asks; i++) {
		err = get_member(c, bare, i, &m);
		if (!err)
			err = asks_for(c, &m, asks);
	}
	c->nest--;
	return err;
}

/* What a union is: the member that the user has a type for, or one that is whole. */
static int choose_member(struct compiler *c, const struct bare_type *bare, struct member *m)
{
	bool asks;
	int err;
	u32 i;

	for (i = 0; i < btf_vlen(bare->type) && c->as_count; i++) {
		asks = false;
		err = get_member(c, bare, i, m);
		if (!err)
			err = asks_for(c, m, &asks);
		if (err < 0)
			return err;
		if (asks && !err && !m->from && !is_bits(m))
			return 0;
	}
	return check_whole_union(c, bare, m);
}

/* --- Structs and data sections --- */

/* From the group's position to the end of the struct. */
static int put_members(struct compiler *c, const struct bare_type *bare,
		       struct group *group)
{
	u64 begin = group->pos;
	struct member m;
	int err = 0;
	u32 i;

	if (c->nest == NEST_MAX)
		return AS_HEX;
	c->nest++;
	if (btf_is_union(bare->type)) {
		err = choose_member(c, bare, &m);
		if (!err)
			err = put_field(c, group, &m);
		c->nest--;
		return err ?: put_hole(c, group, bare->size);
	}
	for (i = 0; i < btf_vlen(bare->type) && !err; i++) {
		err = get_member(c, bare, i, &m);
		/* An array of no elements, or what has been put already. */
		if (err || !m.size || m.from + m.bits <= 8 * begin)
			continue;
		err = is_bits(&m) ? put_bits(c, group, bare, &m, &i) :
				    put_field(c, group, &m);
	}
	c->nest--;
	return err ?: put_hole(c, group, bare->size);
}

/* The first member is a u32, or a struct of the prefix length and no data. */
static int put_lpm_key(struct compiler *c, const struct bare_type *bare,
		       struct group *group)
{
	char name[LIBBPFFS_NAME_MAX];
	struct member m;
	int err;

	if (!btf_is_struct(bare->type) || !btf_vlen(bare->type))
		return AS_HEX;
	err = get_member(c, bare, 0, &m);
	if (err)
		return err;
	if (m.from || m.bits != 32)
		return AS_HEX;
	err = put_name(c, group, m.name ?: "prefixlen", name);
	if (!err)
		err = put(c, "plen");
	group->empty = false;
	group->pos = 4;
	return err ?: put_members(c, bare, group);
}

static int put_variable(struct compiler *c, struct group *group,
			const struct btf_var_secinfo *info)
{
	const struct btf_type *t = next_type(c, info->type);
	struct member m = { .from = 8ULL * info->offset };
	int err;

	if (!t || !btf_is_var(t))
		return is_spent(c) ? -E2BIG : AS_HEX;
	err = strip(c, t->type, &m.bare);
	if (err < 0)
		return err;
	m.size = info->size;
	m.bits = 8 * m.size;
	m.name = name_of(c, t);
	m.tag = libbpffs_tag_find(&c->tags, info->type, LIBBPFFS_NO_MEMBER) ?: m.bare.tag;
	if (btf__resolve_size(c->btf, t->type) != (s64)m.size)
		m.bare.type = NULL;
	return m.size ? put_field(c, group, &m) : 0;
}

static int put_section(struct compiler *c, const struct btf_type *t, u32 size,
		       struct group *group)
{
	int err = 0;
	u32 i;

	for (i = 0; i < btf_vlen(t) && !err; i++)
		err = put_variable(c, group, &btf_var_secinfos(t)[i]);
	return err ?: put_hole(c, group, size);
}

/* --- The whole --- */

static int put_whole(struct compiler *c, u32 id, u32 size)
{
	struct group group = { .number = ++c->last_group, .empty = true };
	const struct btf_type *t = next_type(c, id);
	struct member m = { .size = size };
	int err;

	if (t && btf_is_datasec(t))
		return put_section(c, t, size, &group);
	err = strip(c, id, &m.bare);
	if (err)
		return err;
	if (btf__resolve_size(c->btf, id) != size)
		return AS_HEX;
	m.tag = m.bare.tag;
	if (!m.tag && !m.bare.dims && c->use == LIBBPFFS_BTF_LPM_KEY)
		return put_lpm_key(c, &m.bare, &group);
	if (is_unnamed_record(&m) && !is_address_struct(c, &m.bare))
		return put_members(c, &m.bare, &group);
	return put_type(c, &m);
}

/* Return: 0, AS_HEX: there is none, or -ENOMEM. */
static int make_text(struct compiler *c, u32 id, u32 size, bool labels)
{
	int err;

	c->labels = labels;
	c->len = 0;
	c->steps = 0;
	c->last_group = 0;
	c->path_len = 0;
	err = put_whole(c, id, size);
	libbpffs_names_free(&c->names);
	memset(&c->names, 0, sizeof(c->names));
	/* The text is checked as the kernel will: this is the promise to the caller. */
	if (!err)
		err = check_text(c, c->text, c->len, size);
	return err && err != -ENOMEM ? AS_HEX : err;
}

int libbpffs_btf_layout(const struct btf *btf, __u32 id, __u32 size,
			enum libbpffs_btf_use use, struct libbpffs_as *as,
			size_t as_count, char **text)
{
	struct compiler *c = calloc(1, sizeof(*c));
	int err;

	*text = NULL;
	if (!c)
		return -ENOMEM;
	c->btf = btf;
	c->use = use;
	c->as = as;
	c->as_count = as_count;
	err = libbpffs_tags_collect(&c->tags, btf);
	if (!err)
		err = make_text(c, id, size, true);
	/* The names of enums may be what makes a name or the text too long. */
	if (err == AS_HEX)
		err = make_text(c, id, size, false);
	if (!err) {
		*text = strndup(c->text, c->len);
		err = *text ? 0 : -ENOMEM;
	}
	libbpffs_tags_free(&c->tags);
	free(c);
	return err == AS_HEX ? 0 : err;
}
