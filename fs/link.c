// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a link is attached to, as bpftool shows it: a file each.
 *
 * The link's own operation fills in numbers. Names it gives only to user memory, and
 * is not asked for.
 */
#include "bpffs.h"

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
	{ BPF_LINK_TYPE_TRACING,	"attach_type",	16, ATTACH },
	{ BPF_LINK_TYPE_TRACING,	"target_obj_id", 20, U32 },
	{ BPF_LINK_TYPE_TRACING,	"target_btf_id", 24, U32 },
	{ BPF_LINK_TYPE_CGROUP,		"cgroup_id",	16, U64 },
	{ BPF_LINK_TYPE_CGROUP,		"attach_type",	24, ATTACH },
	{ BPF_LINK_TYPE_NETNS,		"netns_ino",	16, U32 },
	{ BPF_LINK_TYPE_NETNS,		"attach_type",	20, ATTACH },
	{ BPF_LINK_TYPE_XDP,		"ifindex",	16, U32 },
	{ BPF_LINK_TYPE_PERF_EVENT,	"perf_type",	16, PERF },
	{ BPF_LINK_TYPE_KPROBE_MULTI,	"count",	24, U32 },
	{ BPF_LINK_TYPE_KPROBE_MULTI,	"missed",	32, U64 },
	{ BPF_LINK_TYPE_STRUCT_OPS,	"map_id",	16, U32 },
	{ BPF_LINK_TYPE_NETFILTER,	"pf",		16, U32 },
	{ BPF_LINK_TYPE_NETFILTER,	"hooknum",	20, U32 },
	{ BPF_LINK_TYPE_NETFILTER,	"priority",	24, S32 },
	{ BPF_LINK_TYPE_NETFILTER,	"flags",	28, U32 },
	{ BPF_LINK_TYPE_TCX,		"ifindex",	16, U32 },
	{ BPF_LINK_TYPE_TCX,		"attach_type",	20, ATTACH },
	{ BPF_LINK_TYPE_UPROBE_MULTI,	"count",	52, U32 },
	{ BPF_LINK_TYPE_UPROBE_MULTI,	"pid",		60, U32 },
	{ BPF_LINK_TYPE_NETKIT,		"ifindex",	16, U32 },
	{ BPF_LINK_TYPE_NETKIT,		"attach_type",	20, ATTACH },
	{ BPF_LINK_TYPE_SOCKMAP,	"map_id",	16, U32 },
	{ BPF_LINK_TYPE_SOCKMAP,	"attach_type",	20, ATTACH },
};

static const struct field *find_field(const struct bpf_link *link, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].type == link->type && !strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

/* Does the kernel tell this of such a link? */
bool bpffs_link_has(const struct bpf_link *link, const char *name)
{
	return link->ops->fill_link_info && find_field(link, name);
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
 * @seq: where to
 * @link: the link
 * @name: of a field that bpffs_link_has()
 *
 * Context: may sleep, takes what the link's kind needs (rtnl, a cgroup's mutex).
 * Return: 0 or an errno, -EOPNOTSUPP among them.
 */
int bpffs_link_show(struct seq_file *seq, const struct bpf_link *link, const char *name)
{
	const struct field *field = find_field(link, name);
	/* Zeroed, it has no pointer that the operation could write to. */
	union {
		struct bpf_link_info info;
		u8 bytes[128];
	} u = {};
	u64 wide;
	u32 word;
	int err;

	err = link->ops->fill_link_info(link, &u.info);
	if (err)
		return err == -ENOTSUPP ? -EOPNOTSUPP : err;
	memcpy(&word, u.bytes + field->at, sizeof(word));
	memcpy(&wide, u.bytes + field->at, sizeof(wide));
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
