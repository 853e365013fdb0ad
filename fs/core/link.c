// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a link is attached to, as bpftool shows it: a file each.
 *
 * The kernel is asked for numbers only: names it gives to user memory.
 */
#include "attributes.h"

enum format {
	U32,
	S32,
	U64,
	ATTACH,		/* a u32, shown as the word of a bpf_attach_type */
	PERF,		/* a u32, shown as the word of a bpf_perf_event_type */
};

/**
 * struct field - a number that the kernel tells of a link
 * @type: of the links that have it
 * @name: of its file
 * @at: where it is in struct bpf_link_info, which is UAPI; but the headers of older
 *	kernels do not have all of it
 * @format: what it is
 */
struct field {
	u32 type;
	const char *name;
	u32 at;
	enum format format;
};

static const struct field fields[] = {
	{ BPFFS_LINK_TRACING,	"attach_type",	16, ATTACH },
	{ BPFFS_LINK_TRACING,	"target_obj_id", 20, U32 },
	{ BPFFS_LINK_TRACING,	"target_btf_id", 24, U32 },
	{ BPFFS_LINK_CGROUP,		"cgroup_id",	16, U64 },
	{ BPFFS_LINK_CGROUP,		"attach_type",	24, ATTACH },
	{ BPFFS_LINK_NETNS,		"netns_ino",	16, U32 },
	{ BPFFS_LINK_NETNS,		"attach_type",	20, ATTACH },
	{ BPFFS_LINK_XDP,		"ifindex",	16, U32 },
	{ BPFFS_LINK_PERF_EVENT,	"perf_type",	16, PERF },
	{ BPFFS_LINK_KPROBE_MULTI,	"count",	24, U32 },
	{ BPFFS_LINK_KPROBE_MULTI,	"missed",	32, U64 },
	{ BPFFS_LINK_STRUCT_OPS,	"map_id",	16, U32 },
	{ BPFFS_LINK_NETFILTER,	"pf",		16, U32 },
	{ BPFFS_LINK_NETFILTER,	"hooknum",	20, U32 },
	{ BPFFS_LINK_NETFILTER,	"priority",	24, S32 },
	{ BPFFS_LINK_NETFILTER,	"flags",	28, U32 },
	{ BPFFS_LINK_TCX,		"ifindex",	16, U32 },
	{ BPFFS_LINK_TCX,		"attach_type",	20, ATTACH },
	{ BPFFS_LINK_UPROBE_MULTI,	"count",	52, U32 },
	{ BPFFS_LINK_UPROBE_MULTI,	"pid",		60, U32 },
	{ BPFFS_LINK_NETKIT,		"ifindex",	16, U32 },
	{ BPFFS_LINK_NETKIT,		"attach_type",	20, ATTACH },
	{ BPFFS_LINK_SOCKMAP,	"map_id",	16, U32 },
	{ BPFFS_LINK_SOCKMAP,	"attach_type",	20, ATTACH },
};

static const struct field *find_field(const struct bpffs_info *info, const char *name)
{
	u32 type = bpffs_object_type(info);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].type == type && !strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

/* Does the kernel tell this of such a link? */
bool bpffs_link_tells(const struct bpffs_info *info, const char *name)
{
	return bpffs_object_has_link_info(info) && find_field(info, name);
}

static void show_word(struct seq_file *seq, u32 number, const char *word)
{
	if (word)
		seq_printf(seq, "%s\n", word);
	else
		seq_printf(seq, "%u\n", number);
}

/**
 * bpffs_link_show - print what the kernel tells of a link
 * @info: of the link
 * @name: of a field that bpffs_link_tells()
 * @seq: where to
 *
 * Context: may sleep, takes what the link's kind needs (rtnl, a cgroup's mutex).
 * Return: 0 or an errno, -EOPNOTSUPP among them.
 */
int bpffs_link_show(const struct bpffs_info *info, const char *name, struct seq_file *seq)
{
	const struct field *field = find_field(info, name);
	union {
		u64 align;
		u8 bytes[BPFFS_LINK_INFO_MAX];
	} told = {};
	u64 wide;
	u32 word;
	int err;

	err = bpffs_object_link_info(info, told.bytes);
	if (err)
		return err;
	memcpy(&word, told.bytes + field->at, sizeof(word));
	memcpy(&wide, told.bytes + field->at, sizeof(wide));
	switch (field->format) {
	case U32:
		seq_printf(seq, "%u\n", word);
		break;
	case S32:
		seq_printf(seq, "%d\n", (s32)word);
		break;
	case U64:
		seq_printf(seq, "%llu\n", wide);
		break;
	case ATTACH:
		show_word(seq, word, bpffs_attach_word(word));
		break;
	case PERF:
		show_word(seq, word, bpffs_perf_word(word));
		break;
	}
	return 0;
}
