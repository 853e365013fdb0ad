// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the object is, a file each: .bpf of a map, the root of the others. */
#include "attributes.h"

enum attr_flags {
	ATTR_HAS_KEY	= 1U << 0,	/* only with a layout of keys */
	ATTR_HAS_VALUE	= 1U << 1,	/* only with one of values */
	ATTR_LISTS	= 1U << 2,	/* only if keys can be listed, even if hidden */
	ATTR_STREAMS	= 1U << 3,	/* only if the map has batch operations */
	ATTR_MAPS	= 1U << 4,	/* only if the map can be mapped */
	ATTR_HOME	= 1U << 5,	/* only if it is served here */
	ATTR_WRITE	= 1U << 6,	/* can be written */
	ATTR_ROOT_ONLY	= 1U << 7,	/* root's, whatever mode was given */
	ATTR_LINK_TOLD	= 1U << 8,	/* only of links of which the kernel tells this */
	ATTR_RAW_TP	= 1U << 9,	/* only of links to raw tracepoints */
	ATTR_ITER	= 1U << 10,	/* only of iterators */
};

/**
 * struct attr - one file
 * @name: of it
 * @kinds: of the objects that have it
 * @flags: of enum attr_flags
 * @show: prints it, with a newline; returns 0 or an errno
 * @label: of the line in the object's own description that is shown instead
 * @file: what serves it, if it is not just shown
 */
struct attr {
	const char *name;
	unsigned int kinds;
	unsigned int flags;
	int (*show)(struct seq_file *seq, struct bpffs_info *info);
	const char *label;
	enum bpffs_attr_file file;
};

static int show_id(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", bpffs_object_id(info));
	return 0;
}

static const char *type_word(const struct bpffs_info *info)
{
	u32 type = bpffs_object_type(info);

	switch (bpffs_object_kind(info)) {
	case BPFFS_MAP:
		return bpffs_map_word(type);
	case BPFFS_PROG:
		return bpffs_prog_word(type);
	case BPFFS_LINK:
		break;
	}
	return bpffs_link_word(type);
}

static int show_type(struct seq_file *seq, struct bpffs_info *info)
{
	const char *word = type_word(info);

	if (word)
		seq_printf(seq, "%s\n", word);
	else
		seq_printf(seq, "%u\n", bpffs_object_type(info));
	return 0;
}

static int show_name(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%s\n", bpffs_object_name(info));
	return 0;
}

static int show_key_size(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", info->key_size);
	return 0;
}

static int show_value_size(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", info->value_size);
	return 0;
}

static int show_max_entries(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", info->max_entries);
	return 0;
}

/* Not "%#x", of which C libraries make "0" where the kernel makes "0x0". */
static int show_flags(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "0x%x\n", info->map_flags);
	return 0;
}

static int show_frozen(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", bpffs_object_frozen(info));
	return 0;
}

static int show_count(struct seq_file *seq, struct bpffs_info *info)
{
	u64 count;
	int err = bpffs_count(info, &count);

	if (!err)
		seq_printf(seq, "%llu\n", count);
	return err;
}

static int show_layout(struct seq_file *seq, const struct bpffs_layout *layout)
{
	char *text = bpffs_layout_string(layout);

	if (!text)
		return -ENOMEM;
	seq_printf(seq, "%s\n", text);
	bpffs_free(text);
	return 0;
}

static int show_key(struct seq_file *seq, struct bpffs_info *info)
{
	return show_layout(seq, info->key);
}

static int show_value(struct seq_file *seq, struct bpffs_info *info)
{
	return show_layout(seq, info->value);
}

/* The descriptor's own description, as /proc/PID/fdinfo has it. */
static int show_info(struct seq_file *seq, struct bpffs_info *info)
{
	return bpffs_object_describe(info, seq);
}

/* One line of that description: every kernel has its own way to the number. */
static int show_line(struct seq_file *seq, struct bpffs_info *info, const char *label)
{
	size_t from = seq->count, label_len = strlen(label), len, left;
	char *line, *end;
	int err;

	err = show_info(seq, info);
	if (err || seq_has_overflowed(seq))
		return err;
	for (line = seq->buf + from; (left = seq->buf + seq->count - line); line = end + 1) {
		end = memchr(line, '\n', left);
		if (!end)
			break;
		len = end + 1 - line;
		if (len <= label_len || memcmp(line, label, label_len))
			continue;
		memmove(seq->buf + from, line + label_len, len - label_len);
		seq->count = from + len - label_len;
		return 0;
	}
	return -EOPNOTSUPP;
}

/* Of the maps that a program uses, one a line. */
static int show_map_ids(struct seq_file *seq, struct bpffs_info *info)
{
	u32 i, id;

	for (i = 0; bpffs_object_map_id(info, i, &id); i++)
		seq_printf(seq, "%u\n", id);
	return 0;
}

/* Why a map has no files, though it may have elements: first of all that. */
static void show_why_empty(struct seq_file *seq, const struct bpffs_info *info)
{
	const char *word = type_word(info) ?: "unknown";

	if (bpffs_object_kind(info) != BPFFS_MAP)
		return;
	if (bpffs_map_can(info, BPFFS_IS_SET))
		seq_puts(seq, "a bloom_filter lists nothing; test -e asks for a name, touch adds one\n");
	if (bpffs_map_can(info, BPFFS_HAS_ELEMENTS))
		return;
	seq_printf(seq, "a map of this type (%s) shows no elements; ", word);
	if (!bpffs_map_can(info, BPFFS_HAS_MEMORY))
		seq_printf(seq, "try bpftool map dump id %u\n", bpffs_object_id(info));
	else if (bpffs_object_serves(info, BPFFS_ATTR_MEMORY))
		seq_puts(seq, "map .bpf/memory\n");
	else
		seq_puts(seq, "to map its memory, mount it by itself with backend=kernel\n");
}

static int show_error(struct seq_file *seq, struct bpffs_info *info)
{
	show_why_empty(seq, info);
	bpffs_errors_show(&info->errors, seq);
	return 0;
}

#define ALL		(BPFFS_MAP | BPFFS_PROG | BPFFS_LINK)

static const struct attr attrs[] = {
	{ "id",		 ALL,			 0, .show = show_id },
	{ "type",	 ALL,			 0, .show = show_type },
	{ "name",	 BPFFS_MAP | BPFFS_PROG, 0, .show = show_name },
	{ "key_size",	 BPFFS_MAP,		 0, .show = show_key_size },
	{ "value_size",	 BPFFS_MAP,		 0, .show = show_value_size },
	{ "max_entries", BPFFS_MAP,		 0, .show = show_max_entries },
	{ "flags",	 BPFFS_MAP,		 0, .show = show_flags },
	{ "frozen",	 BPFFS_MAP,		 0, .show = show_frozen },
	{ "memlock",	 BPFFS_MAP | BPFFS_PROG, 0, .label = "memlock:\t" },
	{ "count",	 BPFFS_MAP, ATTR_LISTS,	    .show = show_count },
	{ "key",	 BPFFS_MAP, ATTR_HAS_KEY,   .show = show_key },
	{ "value",	 BPFFS_MAP, ATTR_HAS_VALUE, .show = show_value },
	{ "table",	 BPFFS_MAP, ATTR_HAS_KEY | ATTR_HAS_VALUE | ATTR_WRITE,
	  .file = BPFFS_ATTR_TABLE },
	{ "tag",	 BPFFS_PROG,		 0, .label = "prog_tag:\t" },
	{ "jited",	 BPFFS_PROG,		 0, .label = "prog_jited:\t" },
	{ "run_cnt",	 BPFFS_PROG,		 0, .label = "run_cnt:\t" },
	{ "run_time_ns", BPFFS_PROG,		 0, .label = "run_time_ns:\t" },
	{ "recursion_misses", BPFFS_PROG,	 0, .label = "recursion_misses:\t" },
	{ "verified_insns", BPFFS_PROG,		 0, .label = "verified_insns:\t" },
	{ "map_ids",	 BPFFS_PROG,		 0, .show = show_map_ids },
	{ "prog_id",	 BPFFS_LINK,		 0, .label = "prog_id:\t" },
	{ "prog_tag",	 BPFFS_LINK,		 0, .label = "prog_tag:\t" },
	{ "tp_name",	 BPFFS_LINK, ATTR_RAW_TP, .label = "tp_name:\t" },
	{ "target_name", BPFFS_LINK, ATTR_ITER,	  .label = "target_name:\t" },
	{ "attach_type", BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "target_obj_id", BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "target_btf_id", BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "cgroup_id",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "netns_ino",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "ifindex",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "map_id",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "perf_type",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "pf",		 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "hooknum",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "priority",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "flags",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "count",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "missed",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "pid",	 BPFFS_LINK, .flags = ATTR_LINK_TOLD },
	{ "raw",	 BPFFS_MAP, ATTR_STREAMS | ATTR_WRITE, .file = BPFFS_ATTR_RAW },
	{ "memory",	 BPFFS_MAP, ATTR_MAPS | ATTR_HOME | ATTR_WRITE,
	  .file = BPFFS_ATTR_MEMORY },
	{ "fd",		 ALL, ATTR_HOME | ATTR_ROOT_ONLY, .file = BPFFS_ATTR_FD },
	{ "pin",	 ALL, ATTR_HOME | ATTR_ROOT_ONLY, .file = BPFFS_ATTR_PIN },
	{ "info",	 ALL,			 0, .show = show_info },
	{ "error",	 ALL,			 0, .show = show_error },
};

static_assert(ARRAY_SIZE(attrs) == BPFFS_ATTRS);
static_assert(BPFFS_INO_ATTR + BPFFS_ATTRS <= BPFFS_INO_QUEUE);

const char *bpffs_attr_name(unsigned int attr)
{
	return attrs[attr].name;
}

enum bpffs_attr_file bpffs_attr_file(unsigned int attr)
{
	return attrs[attr].file;
}

bool bpffs_attr_has(const struct bpffs_info *info, unsigned int attr)
{
	unsigned int flags = attrs[attr].flags;

	if (!(attrs[attr].kinds & bpffs_object_kind(info)))
		return false;
	if (flags & ATTR_HAS_KEY && !info->key)
		return false;
	if (flags & ATTR_HAS_VALUE && !info->value)
		return false;
	if (flags & ATTR_LISTS && !bpffs_map_can(info, BPFFS_CAN_LIST))
		return false;
	if (flags & ATTR_STREAMS && !bpffs_map_can(info, BPFFS_CAN_STREAM))
		return false;
	if (flags & ATTR_MAPS && !bpffs_map_can(info, BPFFS_HAS_MEMORY))
		return false;
	if (flags & ATTR_HOME && !bpffs_object_serves(info, attrs[attr].file))
		return false;
	if (flags & ATTR_LINK_TOLD)
		return bpffs_link_tells(info, attrs[attr].name);
	if (flags & ATTR_RAW_TP)
		return bpffs_object_type(info) == BPFFS_LINK_RAW_TRACEPOINT;
	if (flags & ATTR_ITER)
		return bpffs_object_type(info) == BPFFS_LINK_ITER;
	return true;
}

/* Names are not unique: a map's count is not a link's. */
unsigned int bpffs_attr_find(const struct bpffs_info *info, const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < BPFFS_ATTRS; i++)
		if (len == strlen(attrs[i].name) && !memcmp(name, attrs[i].name, len) &&
		    bpffs_attr_has(info, i))
			break;
	return i;
}

unsigned short bpffs_attr_mode(const struct bpffs_info *info, unsigned int attr)
{
	if (attrs[attr].flags & ATTR_ROOT_ONLY)
		return attrs[attr].file == BPFFS_ATTR_PIN ? 0700 : 0600;
	return info->mode & (attrs[attr].flags & ATTR_WRITE ? 0666 : 0444);
}

bool bpffs_attr_is_roots(unsigned int attr)
{
	return attrs[attr].flags & ATTR_ROOT_ONLY;
}

u64 bpffs_attr_ino(const struct bpffs_info *info, unsigned int attr)
{
	return bpffs_salted_ino(info, BPFFS_INO_ATTR + attr);
}

int bpffs_attr_show(struct bpffs_info *info, unsigned int attr, struct seq_file *seq)
{
	if (attrs[attr].label)
		return show_line(seq, info, attrs[attr].label);
	if (attrs[attr].flags & ATTR_LINK_TOLD)
		return bpffs_link_show(info, attrs[attr].name, seq);
	return attrs[attr].show(seq, info);
}
