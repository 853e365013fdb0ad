// SPDX-License-Identifier: GPL-2.0-only
/* What the object is, a file each: .bpf of a map, the root of the others. */
#include <linux/seq_file.h>

#include "bpffs.h"

/**
 * struct attr - one attribute
 * @name: of its file
 * @kinds: of the objects that have it
 * @flags: ATTR_*
 * @show: prints it, with a newline; returns 0 or an errno
 * @label: of the line in the object's own description that is shown instead
 * @fops: of a file that is not just shown; NULL for the others
 */
struct attr {
	const char *name;
	unsigned int kinds;
	unsigned int flags;
	int (*show)(struct seq_file *seq, struct bpffs_info *info);
	const char *label;
	const struct file_operations *fops;
};

#define ATTR_HAS_KEY	BIT(0)	/* only with a layout of keys */
#define ATTR_HAS_VALUE	BIT(1)	/* only with one of values */
#define ATTR_LISTS	BIT(2)	/* only if keys can be listed, even if hidden */
#define ATTR_STREAMS	BIT(3)	/* only if the map has batch operations */
#define ATTR_MAPS	BIT(4)	/* only if the map can be mapped */
#define ATTR_MOUNTED	BIT(5)	/* not of an inner map */
#define ATTR_WRITE	BIT(6)	/* can be written */
#define ATTR_ROOT_ONLY	BIT(7)	/* root's, mode 0600, whatever was given */
#define ATTR_PIN	BIT(8)	/* a directory, only with -o pin */
#define ATTR_LINK_TOLD	BIT(9)	/* only of links of which the kernel tells this */
#define ATTR_RAW_TP	BIT(10)	/* only of links to raw tracepoints */
#define ATTR_ITER	BIT(11)	/* only of iterators */

static int show_id(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", bpffs_object_id(bpffs_object(info)));
	return 0;
}

static int show_type(struct seq_file *seq, struct bpffs_info *info)
{
	const char *word = NULL;
	u32 type = bpffs_object_type(bpffs_object(info), &word);

	if (word)
		seq_printf(seq, "%s\n", word);
	else
		seq_printf(seq, "%u\n", type);
	return 0;
}

static int show_name(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%s\n", bpffs_object_name(bpffs_object(info)));
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

static int show_flags(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%#x\n", info->map_flags);
	return 0;
}

static int show_frozen(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", READ_ONCE(bpffs_bpf_map(info)->frozen));
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
	char *text = bpffs_layout_text(layout);

	if (!text)
		return -ENOMEM;
	seq_printf(seq, "%s\n", text);
	kvfree(text);
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
	return bpffs_object_describe(bpffs_object(info), seq);
}

/* One line of that description: every kernel has its own way to the number. */
static int show_line(struct seq_file *seq, struct bpffs_info *info, const char *label)
{
	size_t from = seq->count, len;
	char *line, *end;
	int err;

	err = show_info(seq, info);
	if (err || seq_has_overflowed(seq))
		return err;
	line = strnstr(seq->buf + from, label, seq->count - from);
	end = line ? memchr(line, '\n', seq->buf + seq->count - line) : NULL;
	if (!end)
		return -EOPNOTSUPP;
	line += strlen(label);
	len = end + 1 - line;
	memmove(seq->buf + from, line, len);
	seq->count = from + len;
	return 0;
}

/* Of the maps that a program uses, one a line. */
static int show_map_ids(struct seq_file *seq, struct bpffs_info *info)
{
	struct bpf_prog_aux *aux = bpffs_object(info)->prog->aux;
	u32 i;

	mutex_lock(&aux->used_maps_mutex);
	for (i = 0; i < aux->used_map_cnt; i++)
		seq_printf(seq, "%u\n", aux->used_maps[i]->id);
	mutex_unlock(&aux->used_maps_mutex);
	return 0;
}

/* Why a map has no files, though it may have elements: first of all that. */
static void show_why_empty(struct seq_file *seq, const struct bpffs_info *info)
{
	const char *word = NULL;

	if (bpffs_object(info)->kind != BPFFS_MAP)
		return;
	bpffs_object_type(bpffs_object(info), &word);
	if (bpffs_map_can(info, BPFFS_IS_SET))
		seq_puts(seq, "a bloom_filter lists nothing; test -e asks for a name, touch adds one\n");
	else if (bpffs_map_can(info, BPFFS_HAS_ELEMENTS))
		return;
	else if (bpffs_map_can(info, BPFFS_HAS_MEMORY))
		seq_printf(seq, "a map of this type (%s) shows no elements; map .bpf/memory\n",
			   word ?: "unknown");
	else
		seq_printf(seq, "a map of this type (%s) shows no elements; try bpftool map dump id %u\n",
			   word ?: "unknown", bpffs_object_id(bpffs_object(info)));
}

static int show_error(struct seq_file *seq, struct bpffs_info *info)
{
	show_why_empty(seq, info);
	bpffs_errors_show(&info->errors, seq);
	return 0;
}

#define ALL		(BPFFS_MAP | BPFFS_PROG | BPFFS_LINK)

static const struct attr attrs[] = {
	{ "id",		 ALL,			 0, show_id },
	{ "type",	 ALL,			 0, show_type },
	{ "name",	 BPFFS_MAP | BPFFS_PROG, 0, show_name },
	{ "key_size",	 BPFFS_MAP,		 0, show_key_size },
	{ "value_size",	 BPFFS_MAP,		 0, show_value_size },
	{ "max_entries", BPFFS_MAP,		 0, show_max_entries },
	{ "flags",	 BPFFS_MAP,		 0, show_flags },
	{ "frozen",	 BPFFS_MAP,		 0, show_frozen },
	{ "memlock",	 BPFFS_MAP | BPFFS_PROG, 0, .label = "memlock:\t" },
	{ "count",	 BPFFS_MAP, ATTR_LISTS,	    show_count },
	{ "key",	 BPFFS_MAP, ATTR_HAS_KEY,   show_key },
	{ "value",	 BPFFS_MAP, ATTR_HAS_VALUE, show_value },
	{ "table",	 BPFFS_MAP, ATTR_HAS_KEY | ATTR_HAS_VALUE | ATTR_WRITE,
	  .fops = &bpffs_table_fops },
	{ "tag",	 BPFFS_PROG,		 0, .label = "prog_tag:\t" },
	{ "jited",	 BPFFS_PROG,		 0, .label = "prog_jited:\t" },
	{ "run_cnt",	 BPFFS_PROG,		 0, .label = "run_cnt:\t" },
	{ "run_time_ns", BPFFS_PROG,		 0, .label = "run_time_ns:\t" },
	{ "recursion_misses", BPFFS_PROG,	 0, .label = "recursion_misses:\t" },
	{ "verified_insns", BPFFS_PROG,		 0, .label = "verified_insns:\t" },
	{ "map_ids",	 BPFFS_PROG,		 0, show_map_ids },
	{ "prog_id",	 BPFFS_LINK,		 0, .label = "prog_id:\t" },
	{ "prog_tag",	 BPFFS_LINK,		 0, .label = "prog_tag:\t" },
	{ "tp_name",	 BPFFS_LINK, ATTR_RAW_TP, .label = "tp_name:\t" },
	{ "target_name", BPFFS_LINK, ATTR_ITER,	  .label = "target_name:\t" },
	{ "attach_type", BPFFS_LINK, ATTR_LINK_TOLD },
	{ "target_obj_id", BPFFS_LINK, ATTR_LINK_TOLD },
	{ "target_btf_id", BPFFS_LINK, ATTR_LINK_TOLD },
	{ "cgroup_id",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "netns_ino",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "ifindex",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "map_id",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "perf_type",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "pf",		 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "hooknum",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "priority",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "flags",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "count",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "missed",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "pid",	 BPFFS_LINK, ATTR_LINK_TOLD },
	{ "raw",	 BPFFS_MAP, ATTR_STREAMS | ATTR_WRITE, .fops = &bpffs_raw_fops },
	{ "memory",	 BPFFS_MAP, ATTR_MAPS | ATTR_MOUNTED | ATTR_WRITE,
	  .fops = &bpffs_memory_fops },
	{ "fd",		 ALL, ATTR_MOUNTED | ATTR_ROOT_ONLY, .fops = &bpffs_fd_fops },
	{ "pin",	 ALL, ATTR_PIN | ATTR_ROOT_ONLY },
	{ "info",	 ALL,			 0, show_info },
	{ "error",	 ALL,			 0, show_error },
};

static_assert(BPFFS_INO_ATTR + ARRAY_SIZE(attrs) <= BPFFS_INO_QUEUE);

static bool has_attr(const struct bpffs_info *info, const struct attr *attr)
{
	unsigned int flags = attr->flags;

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
	if (flags & ATTR_MOUNTED && !bpffs_object(info)->file)
		return false;
	if (flags & ATTR_PIN && !bpffs_instance(info)->pin)
		return false;
	if (!(attr->kinds & bpffs_object(info)->kind))
		return false;
	if (flags & ATTR_LINK_TOLD)
		return bpffs_link_has(bpffs_object(info)->link, attr->name);
	if (flags & ATTR_RAW_TP)
		return bpffs_object(info)->link->type == BPF_LINK_TYPE_RAW_TRACEPOINT;
	if (flags & ATTR_ITER)
		return bpffs_object(info)->link->type == BPF_LINK_TYPE_ITER;
	return true;
}

static umode_t attr_mode(const struct bpffs_info *info, const struct attr *attr)
{
	if (attr->flags & ATTR_PIN)
		return S_IFDIR | 0700;
	if (attr->flags & ATTR_ROOT_ONLY)
		return S_IFREG | 0600;
	return S_IFREG | (info->mode & (attr->flags & ATTR_WRITE ? 0666 : 0444));
}

/* --- A file --- */

static int attr_show(struct seq_file *seq, void *unused)
{
	struct inode *inode = seq->private;
	const struct attr *attr = inode->i_private;

	if (attr->label)
		return show_line(seq, bpffs_info(inode), attr->label);
	if (attr->flags & ATTR_LINK_TOLD)
		return bpffs_link_show(seq, bpffs_object(bpffs_info(inode))->link, attr->name);
	return attr->show(seq, bpffs_info(inode));
}

static int attr_open(struct inode *inode, struct file *file)
{
	return single_open(file, attr_show, inode);
}

static const struct file_operations attr_fops = {
	.owner		= THIS_MODULE,
	.open		= attr_open,
	.read_iter	= seq_read_iter,
	.splice_read	= copy_splice_read,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* Owner, mode and times are the mount's; > truncates nothing. */
int bpffs_fixed_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	return setattr_prepare(idmap, dentry, attr);
}

static int fixed_getattr(struct mnt_idmap *idmap, const struct path *path,
			 struct kstat *stat, u32 request_mask, unsigned int flags)
{
	bpffs_fillattr(idmap, request_mask, d_inode(path->dentry), stat);
	/* As files of /proc have it. */
	if (stat->size == BPFFS_SIZE_UNKNOWN)
		stat->size = 0;
	return 0;
}

/* Of files that have no size, and of .bpf/memory, which has one. */
const struct inode_operations bpffs_fixed_iops = {
	.getattr	= fixed_getattr,
	.setattr	= bpffs_fixed_setattr,
};

static struct inode *attr_inode(struct super_block *sb, struct bpffs_info *info,
				const struct attr *attr)
{
	struct inode *inode;

	inode = bpffs_new_inode(sb, info,
				bpffs_salted_ino(info, BPFFS_INO_ATTR + (attr - attrs)),
				attr_mode(info, attr));
	if (IS_ERR(inode))
		return inode;
	inode->i_private = (void *)attr;
	inode->i_op = &bpffs_fixed_iops;
	inode->i_fop = attr->fops ?: &attr_fops;
	if (attr->flags & ATTR_PIN) {
		inode->i_fop = &simple_dir_operations;
		inode->i_flags |= S_AUTOMOUNT;
	}
	if (S_ISREG(inode->i_mode))
		inode->i_size = BPFFS_SIZE_UNKNOWN;
	if (attr->flags & ATTR_MAPS) {
		/* Python's mmap, for one, asks first. */
		inode->i_size = bpffs_map_memory_size(info);
		/* Page faults do not change the times. */
		inode->i_flags |= S_NOCMTIME;
	}
	/* A descriptor is full power over the object: it is root's to take. */
	if (attr->flags & ATTR_ROOT_ONLY) {
		inode->i_uid = GLOBAL_ROOT_UID;
		inode->i_gid = GLOBAL_ROOT_GID;
	}
	return inode;
}

/* --- Their directory --- */

static struct dentry *attr_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags)
{
	struct bpffs_info *info = bpffs_info(dir);
	const struct qstr *name = &dentry->d_name;
	struct inode *inode = NULL;
	unsigned int i;

	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		if (strlen(attrs[i].name) == name->len &&
		    !memcmp(attrs[i].name, name->name, name->len) &&
		    has_attr(info, &attrs[i])) {
			inode = attr_inode(dir->i_sb, info, &attrs[i]);
			break;
		}
	}
	if (!IS_ERR_OR_NULL(inode) && IS_AUTOMOUNT(inode))
		bpffs_pin_watch(dentry);
	return d_splice_alias(inode, dentry);
}

/* Position 2 + i is attribute i, whether or not the object has it. */
static int attr_iterate(struct file *file, struct dir_context *ctx)
{
	const struct bpffs_info *info = bpffs_info(file_inode(file));
	const struct attr *attr;

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < ARRAY_SIZE(attrs); ctx->pos++) {
		attr = &attrs[ctx->pos - 2];
		if (has_attr(info, attr) &&
		    !dir_emit(ctx, attr->name, strlen(attr->name),
			      bpffs_salted_ino(info, BPFFS_INO_ATTR + (attr - attrs)),
			      attr->flags & ATTR_PIN ? DT_DIR : DT_REG))
			break;
	}
	return 0;
}

static const struct file_operations attr_dir_fops = {
	.owner		= THIS_MODULE,
	.read		= generic_read_dir,
	.iterate_shared	= attr_iterate,
	.llseek		= generic_file_llseek,
	.fsync		= noop_fsync,
};

static const struct inode_operations attr_dir_iops = {
	.lookup		= attr_lookup,
	.setattr	= bpffs_fixed_setattr,
};

/* The directory of the attributes. They are only read, whoever may list it. */
struct inode *bpffs_attr_root(struct super_block *sb, struct bpffs_info *info,
			      u64 ino)
{
	umode_t mode = info->mode & 0444;
	struct inode *inode;

	inode = bpffs_new_inode(sb, info, bpffs_salted_ino(info, ino),
				S_IFDIR | mode | mode >> 2);
	if (IS_ERR(inode))
		return inode;
	inode->i_op = &attr_dir_iops;
	inode->i_fop = &attr_dir_fops;
	return inode;
}
