// SPDX-License-Identifier: GPL-2.0-only
/* What the object is, a file each: .bpf of a map, the root of the others. */
#include <linux/seq_file.h>

#include "bpffs.h"

/**
 * struct attr - one attribute
 * @name: of its file
 * @kinds: of the objects that have it
 * @show: prints it, with a newline; returns 0 or an errno
 * @fops: of a file that is not just shown; NULL for the others
 *
 * BPFFS_ELEMENTS in @kinds: only if there are element files; BPFFS_LISTING: only
 * if the map's type lists keys, though key=none may hide them.
 */
struct attr {
	const char *name;
	unsigned int kinds;
	int (*show)(struct seq_file *seq, struct bpffs_info *info);
	const struct file_operations *fops;
};

#define BPFFS_ELEMENTS	BIT(7)
#define BPFFS_LISTING	BIT(8)

static int show_id(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", bpffs_object_id(&info->object));
	return 0;
}

static int show_type(struct seq_file *seq, struct bpffs_info *info)
{
	const char *word = NULL;
	u32 type = bpffs_object_type(&info->object, &word);

	if (word)
		seq_printf(seq, "%s\n", word);
	else
		seq_printf(seq, "%u\n", type);
	return 0;
}

static int show_name(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%s\n", bpffs_object_name(&info->object));
	return 0;
}

static int show_key_size(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", info->object.map->key_size);
	return 0;
}

static int show_value_size(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", info->object.map->value_size);
	return 0;
}

static int show_max_entries(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", info->object.map->max_entries);
	return 0;
}

static int show_flags(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%#x\n", info->object.map->map_flags);
	return 0;
}

static int show_frozen(struct seq_file *seq, struct bpffs_info *info)
{
	seq_printf(seq, "%u\n", READ_ONCE(info->object.map->frozen));
	return 0;
}

/* How many keys are listed: as the kernel counts them, or else by a walk. */
static int show_count(struct seq_file *seq, struct bpffs_info *info)
{
	struct bpffs_keys *keys;
	u64 count;

	if (!bpffs_map_count(info, &count)) {
		keys = bpffs_keys_get(info);
		if (IS_ERR(keys))
			return PTR_ERR(keys);
		count = bpffs_keys_count(keys);
		bpffs_keys_free(keys);
	}
	seq_printf(seq, "%llu\n", count);
	return 0;
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
	struct file *file = info->object.file;

	if (file->f_op->show_fdinfo)
		file->f_op->show_fdinfo(seq, file);
	return 0;
}

/* One number of that description: every kernel has its own way to find it. */
static int show_memlock(struct seq_file *seq, struct bpffs_info *info)
{
	static const char label[] = "memlock:\t";
	size_t from = seq->count, len;
	char *line, *end;

	show_info(seq, info);
	if (seq_has_overflowed(seq))
		return 0;
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

static int show_error(struct seq_file *seq, struct bpffs_info *info)
{
	bpffs_errors_show(&info->errors, seq);
	return 0;
}

#define ALL		(BPFFS_MAP | BPFFS_PROG | BPFFS_LINK)
#define ELEMENTS	(BPFFS_MAP | BPFFS_ELEMENTS)
#define LISTING		(BPFFS_MAP | BPFFS_LISTING)

static const struct attr attrs[] = {
	{ "id",			ALL,			show_id },
	{ "type",		ALL,			show_type },
	{ "name",		BPFFS_MAP | BPFFS_PROG,	show_name },
	{ "key_size",		BPFFS_MAP,		show_key_size },
	{ "value_size",		BPFFS_MAP,		show_value_size },
	{ "max_entries",	BPFFS_MAP,		show_max_entries },
	{ "flags",		BPFFS_MAP,		show_flags },
	{ "frozen",		BPFFS_MAP,		show_frozen },
	{ "memlock",		BPFFS_MAP | BPFFS_PROG,	show_memlock },
	{ "count",		LISTING,		show_count },
	{ "key",		ELEMENTS,		show_key },
	{ "value",		ELEMENTS,		show_value },
	{ "table",		ELEMENTS,		NULL, &bpffs_table_fops },
	{ "info",		ALL,			show_info },
	{ "error",		ALL,			show_error },
};

static bool has_attr(const struct bpffs_info *info, const struct attr *attr)
{
	if (attr->kinds & BPFFS_ELEMENTS && !info->key)
		return false;
	if (attr->kinds & BPFFS_LISTING && !bpffs_map_can(info, BPFFS_CAN_LIST))
		return false;
	return attr->kinds & info->object.kind;
}

/* --- A file --- */

static int attr_show(struct seq_file *seq, void *unused)
{
	struct inode *inode = seq->private;
	const struct attr *attr = inode->i_private;

	return attr->show(seq, bpffs_info(inode->i_sb));
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

static struct inode *attr_inode(struct super_block *sb, const struct attr *attr)
{
	umode_t mode = bpffs_info(sb)->mode & (attr->fops ? 0666 : 0444);
	struct inode *inode;

	inode = bpffs_new_inode(sb, BPFFS_INO_ATTR + (attr - attrs), S_IFREG | mode);
	if (IS_ERR(inode))
		return inode;
	inode->i_private = (void *)attr;
	inode->i_fop = attr->fops ?: &attr_fops;
	return inode;
}

/* --- Their directory --- */

static struct dentry *attr_lookup(struct inode *dir, struct dentry *dentry,
				  unsigned int flags)
{
	const struct bpffs_info *info = bpffs_info(dir->i_sb);
	const struct qstr *name = &dentry->d_name;
	struct inode *inode = NULL;
	unsigned int i;

	if (name->len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	for (i = 0; i < ARRAY_SIZE(attrs); i++) {
		if (strlen(attrs[i].name) == name->len &&
		    !memcmp(attrs[i].name, name->name, name->len) &&
		    has_attr(info, &attrs[i])) {
			inode = attr_inode(dir->i_sb, &attrs[i]);
			break;
		}
	}
	return d_splice_alias(inode, dentry);
}

/* Position 2 + i is attribute i, whether or not the object has it. */
static int attr_iterate(struct file *file, struct dir_context *ctx)
{
	const struct bpffs_info *info = bpffs_info(file_inode(file)->i_sb);
	const struct attr *attr;

	if (!dir_emit_dots(file, ctx))
		return 0;
	for (; ctx->pos - 2 < ARRAY_SIZE(attrs); ctx->pos++) {
		attr = &attrs[ctx->pos - 2];
		if (has_attr(info, attr) &&
		    !dir_emit(ctx, attr->name, strlen(attr->name),
			      BPFFS_INO_ATTR + (attr - attrs), DT_REG))
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
};

/* The directory of the attributes. They are only read, whoever may list it. */
struct inode *bpffs_attr_root(struct super_block *sb, u64 ino)
{
	umode_t mode = bpffs_info(sb)->mode & 0444;
	struct inode *inode;

	inode = bpffs_new_inode(sb, ino, S_IFDIR | mode | mode >> 2);
	if (IS_ERR(inode))
		return inode;
	inode->i_op = &attr_dir_iops;
	inode->i_fop = &attr_dir_fops;
	return inode;
}
