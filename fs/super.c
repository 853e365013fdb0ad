// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpffs: one mount, one BPF object.
 *
 * Each mount is a fresh superblock that holds the map, program or link whose
 * descriptor came as fd=N. It lives until the superblock goes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/statfs.h>
#include <uapi/linux/bpffs.h>

#include "bpffs.h"

/* A key's layout longer than this is not shown in /proc/mounts. */
#define SHOWN_LAYOUT_MAX	64

/**
 * struct bpffs_options - what was given, until it is known what it is for
 * @info: becomes the superblock's
 * @key: layout as given, NULL for the default
 * @value: likewise
 * @name: assertion about the object, NULL for none
 * @id: likewise, if it was given
 * @given: bit OPT_* is set when the option was given
 */
struct bpffs_options {
	struct bpffs_info *info;
	char *key;
	char *value;
	char *name;
	u32 id;
	unsigned long given;
};

enum bpffs_param {
	OPT_FD,
	OPT_GID,
	OPT_ID,
	OPT_KEY,
	OPT_MODE,
	OPT_NAME,
	OPT_PERCPU,
	OPT_UID,
	OPT_VALUE,
};

static struct bpffs_options *bpffs_options(struct fs_context *fc)
{
	return fc->fs_private;
}

/* The canonical text of a layout, to be kvfree()d; NULL without memory. */
char *bpffs_layout_text(const struct bpffs_layout *layout)
{
	size_t size = bpffs_layout_print(layout, NULL, 0) + 1;
	char *text = kvmalloc(size, GFP_KERNEL_ACCOUNT);

	if (text)
		bpffs_layout_print(layout, text, size);
	return text;
}

/* --- Inodes and the superblock --- */

struct inode *bpffs_new_inode(struct super_block *sb, u64 ino, umode_t mode)
{
	const struct bpffs_info *info = bpffs_info(sb);
	struct inode *inode = new_inode(sb);

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_ino = ino;
	inode->i_mode = mode;
	inode->i_uid = info->uid;
	inode->i_gid = info->gid;
	bpffs_inode_set_times(inode, info->born);
	if (S_ISDIR(mode))
		inc_nlink(inode);
	return inode;
}

static void bpffs_evict_inode(struct inode *inode)
{
	clear_inode(inode);
	if (bpffs_is_element(inode))
		bpffs_element_free(inode);
}

/*
 * Free inodes are elements that can still be made, where the kernel counts
 * them; never a walk. What cannot be full shows none: no monitor shall call an
 * array or an LRU list full.
 */
static int bpffs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	const struct bpffs_info *info = bpffs_info(dentry->d_sb);
	u64 count;

	buf->f_type = dentry->d_sb->s_magic;
	buf->f_bsize = PAGE_SIZE;
	buf->f_namelen = NAME_MAX;
	buf->f_fsid = u64_to_fsid(huge_encode_dev(dentry->d_sb->s_dev));
	if (!bpffs_map_can(info, BPFFS_IS_ARRAY | BPFFS_EVICTS) &&
	    bpffs_map_count(info, &count)) {
		buf->f_files = info->object.map->max_entries;
		buf->f_ffree = buf->f_files - count;
	}
	return 0;
}

/* Never the descriptor's number, which means nothing to anyone else. */
static int bpffs_show_options(struct seq_file *seq, struct dentry *root)
{
	const struct bpffs_info *info = bpffs_info(root->d_sb);
	const char *name = bpffs_object_name(&info->object);
	char key[SHOWN_LAYOUT_MAX + 1];

	seq_printf(seq, ",id=%u", bpffs_object_id(&info->object));
	if (*name)
		seq_show_option(seq, "name", name);
	if (info->no_keys)
		seq_puts(seq, ",key=none");
	else if (info->key &&
		 bpffs_layout_print(info->key, key, sizeof(key)) < sizeof(key) &&
		 strcmp(key, "hex"))
		seq_show_option(seq, "key", key);
	if (info->sum)
		seq_puts(seq, ",percpu=sum");
	if (!uid_eq(info->uid, GLOBAL_ROOT_UID))
		seq_printf(seq, ",uid=%u", from_kuid_munged(&init_user_ns, info->uid));
	if (!gid_eq(info->gid, GLOBAL_ROOT_GID))
		seq_printf(seq, ",gid=%u", from_kgid_munged(&init_user_ns, info->gid));
	if (info->mode != 0600)
		seq_printf(seq, ",mode=%#o", info->mode);
	return 0;
}

static const struct super_operations bpffs_super_ops = {
	.evict_inode	= bpffs_evict_inode,
	.drop_inode	= generic_delete_inode,
	.statfs		= bpffs_statfs,
	.show_options	= bpffs_show_options,
};

static void bpffs_free_info(struct bpffs_info *info)
{
	if (!info)
		return;
	bpffs_layout_release(info->key);
	bpffs_layout_release(info->value);
	kvfree(info->stored.cpus);
	bpffs_errors_free(&info->errors);
	bpffs_object_release(&info->object);
	kfree(info);
}

static int bpffs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct bpffs_info *info = bpffs_info(sb);
	struct inode *root;

	sb->s_magic = BPFFS_SUPER_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_time_gran = 1;
	/* Nothing here is a program, a device or set-uid. */
	sb->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	sb->s_op = &bpffs_super_ops;
	sb->s_d_op = &bpffs_dentry_ops;

	if (info->object.kind == BPFFS_MAP)
		root = bpffs_map_root(sb);
	else
		root = bpffs_attr_root(sb, BPFFS_INO_ROOT);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static void bpffs_kill_sb(struct super_block *sb)
{
	struct bpffs_info *info = bpffs_info(sb);

	kill_anon_super(sb);
	bpffs_free_info(info);
}

/* --- Options --- */

/* A number from mount(8), or the open file from fsconfig(2). */
static int bpffs_param_is_fd(struct p_log *log, const struct fs_parameter_spec *spec,
			     struct fs_parameter *param,
			     struct fs_parse_result *result)
{
	if (param->type == fs_value_is_file || param->type == fs_value_is_string)
		return 0;
	return inval_plog(log, "%s: needs a descriptor or its number", param->key);
}

/* A text; one too long for a string comes as a blob, with a NUL added. */
static int bpffs_param_is_layout(struct p_log *log,
				 const struct fs_parameter_spec *spec,
				 struct fs_parameter *param,
				 struct fs_parse_result *result)
{
	bool blob = param->type == fs_value_is_blob;
	const char *text = blob ? param->blob : param->string;

	if (!blob && param->type != fs_value_is_string)
		return inval_plog(log, "%s: needs a layout", param->key);
	if (param->size > BPFFS_LAYOUT_TEXT_MAX)
		return inval_plog(log, "%s: the layout is longer than %u bytes",
				  param->key, BPFFS_LAYOUT_TEXT_MAX);
	if (memchr(text, '\0', param->size))
		return inval_plog(log, "%s: the layout has a NUL byte", param->key);
	return 0;
}

enum { PERCPU_EACH, PERCPU_SUM };

static const struct constant_table percpu_words[] = {
	{ "each",	PERCPU_EACH },
	{ "sum",	PERCPU_SUM },
	{}
};

static const struct fs_parameter_spec bpffs_parameters[] = {
	__fsparam(bpffs_param_is_fd, "fd", OPT_FD, 0, NULL),
	fsparam_u32("gid", OPT_GID),
	fsparam_u32("id", OPT_ID),
	__fsparam(bpffs_param_is_layout, "key", OPT_KEY, 0, NULL),
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_string("name", OPT_NAME),
	fsparam_enum("percpu", OPT_PERCPU, percpu_words),
	fsparam_u32("uid", OPT_UID),
	__fsparam(bpffs_param_is_layout, "value", OPT_VALUE, 0, NULL),
	{}
};

/* The caller's descriptor table is certain only here, not at get_tree. */
static int parse_fd(struct fs_context *fc, struct fs_parameter *param)
{
	struct bpffs_object *object = &bpffs_options(fc)->info->object;
	struct file *file;
	int fd = -1;
	int err;

	if (param->type == fs_value_is_file) {
		file = param->file;
		param->file = NULL;
	} else {
		if (kstrtoint(param->string, 10, &fd) || fd < 0)
			return invalfc(fc, "fd: \"%s\" is not a descriptor's number",
				       param->string);
		file = fget_raw(fd);
	}
	if (!file) {
		errorfc(fc, "fd: descriptor %d is not open in the mounting process", fd);
		return -EBADF;
	}
	if (file->f_mode & FMODE_PATH) {
		errorfc(fc, "fd: an O_PATH descriptor gives no access to an object");
		err = -EBADF;
		goto out_file;
	}
	err = bpffs_object_bind(object, file, fd);
	if (err == -EBADF)
		errorfc(fc, "fd: the descriptor was closed meanwhile");
	else if (err)
		errorfc(fc, "fd: not a BPF map, program or link");
	if (!err)
		return 0;
out_file:
	fput(file);
	return err;
}

static int parse_uid(struct fs_context *fc, u32 number)
{
	kuid_t uid = make_kuid(current_user_ns(), number);

	if (!uid_valid(uid))
		return invalfc(fc, "uid: %u is no user here", number);
	bpffs_options(fc)->info->uid = uid;
	return 0;
}

static int parse_gid(struct fs_context *fc, u32 number)
{
	kgid_t gid = make_kgid(current_user_ns(), number);

	if (!gid_valid(gid))
		return invalfc(fc, "gid: %u is no group here", number);
	bpffs_options(fc)->info->gid = gid;
	return 0;
}

static int parse_mode(struct fs_context *fc, u32 mode)
{
	if (mode & ~0777)
		return invalfc(fc, "mode: %#o has more than permission bits", mode);
	bpffs_options(fc)->info->mode = mode;
	return 0;
}

static char *take_text(struct fs_parameter *param)
{
	char *text = param->type == fs_value_is_blob ? param->blob : param->string;

	if (param->type == fs_value_is_blob)
		param->blob = NULL;
	else
		param->string = NULL;
	return text;
}

static int bpffs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct bpffs_options *options = bpffs_options(fc);
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, bpffs_parameters, param, &result);
	if (opt < 0)
		return opt;
	if (opt == OPT_FD && fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return invalfc(fc, "fd: a mount keeps its object; only ro and rw can change");
	if (__test_and_set_bit(opt, &options->given))
		return invalfc(fc, "%s: given twice", param->key);

	switch (opt) {
	case OPT_FD:
		return parse_fd(fc, param);
	case OPT_UID:
		return parse_uid(fc, result.uint_32);
	case OPT_GID:
		return parse_gid(fc, result.uint_32);
	case OPT_MODE:
		return parse_mode(fc, result.uint_32);
	case OPT_PERCPU:
		options->info->sum = result.uint_32 == PERCPU_SUM;
		break;
	case OPT_ID:
		options->id = result.uint_32;
		break;
	case OPT_NAME:
		options->name = take_text(param);
		break;
	case OPT_KEY:
		options->key = take_text(param);
		break;
	case OPT_VALUE:
		options->value = take_text(param);
		break;
	}
	return 0;
}

static bool was_given(const struct bpffs_options *options, enum bpffs_param opt)
{
	return test_bit(opt, &options->given);
}

/* id= and name=: shown, so they can be given back, so they must be true. */
static int check_assertions(struct fs_context *fc, const struct bpffs_object *object)
{
	const struct bpffs_options *options = bpffs_options(fc);

	if (was_given(options, OPT_ID) && options->id != bpffs_object_id(object))
		return invalfc(fc, "id: the object's id is %u, not %u",
			       bpffs_object_id(object), options->id);
	if (was_given(options, OPT_NAME) &&
	    strcmp(options->name, bpffs_object_name(object)))
		return invalfc(fc, "name: the object's name is \"%s\", not \"%s\"",
			       bpffs_object_name(object), options->name);
	return 0;
}

static int compile(struct fs_context *fc, struct bpffs_layout **layout,
		   enum bpffs_use use, const char *text, u32 size)
{
	const char *option = use == BPFFS_KEY ? "key" : "value";
	struct bpffs_reason why = {};
	int err;

	if (!text)
		text = "hex";
	err = bpffs_layout_compile(layout, text, strlen(text), size, use, &why);
	if (err && why.column)
		errorfc(fc, "%s: %s (column %u)", option, why.text, why.column);
	else if (err)
		errorfc(fc, "%s: %s", option, why.text);
	return err;
}

/* The possible CPUs, ascending; to be kvfree()d. */
static u32 *possible_cpus(void)
{
	u32 *cpus = kvmalloc_array(num_possible_cpus(), sizeof(*cpus), GFP_KERNEL_ACCOUNT);
	u32 n = 0;
	int cpu;

	if (!cpus)
		return NULL;
	for_each_possible_cpu(cpu)
		cpus[n++] = cpu;
	return cpus;
}

/* How many copies of a value there are, and how they lie. */
static int set_shapes(struct fs_context *fc, struct bpffs_info *info)
{
	info->stored.layout = info->value;
	info->stored.copies = 1;
	info->stored.stride = round_up(info->object.map->value_size, 8);
	info->stored.separator = '\n';
	if (bpffs_map_can(info, BPFFS_PERCPU)) {
		if (!info->sum && bpffs_layout_bare(info->value) > 1)
			return invalfc(fc, "value: several fields of a per-CPU value need names");
		info->stored.cpus = possible_cpus();
		if (!info->stored.cpus)
			return -ENOMEM;
		info->stored.copies = num_possible_cpus();
	} else if (was_given(bpffs_options(fc), OPT_PERCPU)) {
		return invalfc(fc, "percpu: a value of this map is not per CPU");
	}
	info->shape = info->stored;
	if (info->sum) {
		info->shape.copies = 1;
		info->shape.cpus = NULL;
	}
	return 0;
}

/* Layouts, once it is known which bytes they describe. */
static int set_layouts(struct fs_context *fc, struct bpffs_info *info)
{
	const struct bpffs_options *options = bpffs_options(fc);
	const struct bpf_map *map = info->object.map;
	int err;

	if (!bpffs_map_can(info, BPFFS_CAN_LIST)) {
		if (options->key || options->value || was_given(options, OPT_PERCPU))
			return invalfc(fc, "%s: a map of this type shows no elements",
				       options->key ? "key" :
				       options->value ? "value" : "percpu");
		return 0;
	}
	info->no_keys = options->key && !strcmp(options->key, "none");
	if (!info->no_keys) {
		err = compile(fc, &info->key, BPFFS_KEY, options->key, map->key_size);
		if (err)
			return err;
		if (bpffs_layout_has_plen(info->key) && !bpffs_map_can(info, BPFFS_IS_TRIE))
			return invalfc(fc, "key: plen is for maps of type lpm_trie");
	}
	err = compile(fc, &info->value, BPFFS_VALUE, options->value, map->value_size);
	if (err)
		return err;
	return set_shapes(fc, info);
}

static int set_map(struct fs_context *fc, struct bpffs_info *info)
{
	if (!bpffs_object_readable(&info->object)) {
		errorfc(fc, "fd: the map's descriptor is write-only");
		return -EACCES;
	}
	/* What the held descriptor may not do, the files may not do. */
	if (!bpffs_object_writable(&info->object))
		fc->sb_flags |= SB_RDONLY;
	info->type = bpffs_map_type(info->object.map);
	return set_layouts(fc, info);
}

static int bpffs_get_tree(struct fs_context *fc)
{
	struct bpffs_options *options = bpffs_options(fc);
	struct bpffs_info *info = options->info;
	int err;

	if (!info || !info->object.file)
		return invalfc(fc, "fd: which BPF object? give an open descriptor, fd=N");
	err = check_assertions(fc, &info->object);
	if (err)
		return err;
	if (info->object.kind == BPFFS_MAP) {
		err = set_map(fc, info);
		if (err)
			return err;
	} else if (options->key || options->value || was_given(options, OPT_PERCPU)) {
		return invalfc(fc, "%s: only a map has keys and values",
			       options->key ? "key" : options->value ? "value" : "percpu");
	}
	/* Now the superblock's, also if filling it fails. */
	options->info = NULL;
	fc->s_fs_info = info;
	return get_tree_nodev(fc, bpffs_fill_super);
}

static int cannot_change(struct fs_context *fc, const char *option)
{
	return invalfc(fc, "%s: cannot change; only ro and rw can", option);
}

/* Is @text a spelling of a layout's canonical text? */
static int same_layout(struct fs_context *fc, const struct bpffs_layout *layout,
		       enum bpffs_use use, const char *text)
{
	struct bpffs_layout *other;
	char *was, *now;
	int err;

	err = compile(fc, &other, use, text, bpffs_layout_size(layout));
	if (err)
		return err;
	was = bpffs_layout_text(layout);
	now = bpffs_layout_text(other);
	if (!was || !now)
		err = -ENOMEM;
	else if (strcmp(was, now))
		err = cannot_change(fc, use == BPFFS_KEY ? "key" : "value");
	kvfree(was);
	kvfree(now);
	bpffs_layout_release(other);
	return err;
}

static int same_layouts(struct fs_context *fc, const struct bpffs_info *info)
{
	const struct bpffs_options *options = bpffs_options(fc);
	const char *key = options->key;
	int err = 0;

	if (key && info->key)
		err = same_layout(fc, info->key, BPFFS_KEY, key);
	else if (key && !(info->no_keys && !strcmp(key, "none")))
		err = cannot_change(fc, "key");
	if (err || !options->value)
		return err;
	if (!info->value)
		return cannot_change(fc, "value");
	return same_layout(fc, info->value, BPFFS_VALUE, options->value);
}

/* mount -o remount passes back all options that are shown. */
static int bpffs_reconfigure(struct fs_context *fc)
{
	const struct bpffs_info *info = bpffs_info(fc->root->d_sb);
	const struct bpffs_options *options = bpffs_options(fc);
	bool writable = bpffs_object_writable(&info->object) ||
			info->object.kind != BPFFS_MAP;
	int err;

	err = check_assertions(fc, &info->object);
	if (err)
		return err;
	if (was_given(options, OPT_UID) && !uid_eq(options->info->uid, info->uid))
		return cannot_change(fc, "uid");
	if (was_given(options, OPT_GID) && !gid_eq(options->info->gid, info->gid))
		return cannot_change(fc, "gid");
	if (was_given(options, OPT_MODE) && options->info->mode != info->mode)
		return cannot_change(fc, "mode");
	if (was_given(options, OPT_PERCPU) && options->info->sum != info->sum)
		return cannot_change(fc, "percpu");
	err = same_layouts(fc, info);
	if (err)
		return err;
	if (fc->sb_flags_mask & SB_RDONLY && !(fc->sb_flags & SB_RDONLY) && !writable) {
		errorfc(fc, "rw: the map is frozen or its descriptor read-only");
		return -EROFS;
	}
	return 0;
}

static void bpffs_free_fc(struct fs_context *fc)
{
	struct bpffs_options *options = bpffs_options(fc);

	if (!options)
		return;
	bpffs_free_info(options->info);
	bpffs_free_info(fc->s_fs_info);
	kfree(options->key);
	kfree(options->value);
	kfree(options->name);
	kfree(options);
}

static const struct fs_context_operations bpffs_context_ops = {
	.parse_param	= bpffs_parse_param,
	.get_tree	= bpffs_get_tree,
	.reconfigure	= bpffs_reconfigure,
	.free		= bpffs_free_fc,
};

static struct bpffs_info *new_info(void)
{
	struct bpffs_info *info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);

	if (!info)
		return NULL;
	info->uid = current_fsuid();
	info->gid = current_fsgid();
	info->mode = 0600;
	ktime_get_coarse_real_ts64(&info->born);
	bpffs_errors_init(&info->errors);
	return info;
}

/* fsopen() needs only the root of a user namespace: nothing is parsed for it. */
static int bpffs_init_fs_context(struct fs_context *fc)
{
	struct bpffs_options *options;

	if (!capable(CAP_SYS_ADMIN)) {
		pr_notice_ratelimited("mounting a BPF object needs CAP_SYS_ADMIN\n");
		return -EPERM;
	}
	options = kzalloc(sizeof(*options), GFP_KERNEL_ACCOUNT);
	if (!options)
		return -ENOMEM;
	options->info = new_info();
	if (!options->info) {
		kfree(options);
		return -ENOMEM;
	}
	fc->fs_private = options;
	fc->ops = &bpffs_context_ops;
	return 0;
}

static struct file_system_type bpffs_type = {
	.owner			= THIS_MODULE,
	.name			= "bpffs",
	.init_fs_context	= bpffs_init_fs_context,
	.parameters		= bpffs_parameters,
	.kill_sb		= bpffs_kill_sb,
};

static int __init bpffs_init(void)
{
	return register_filesystem(&bpffs_type);
}

static void __exit bpffs_exit(void)
{
	unregister_filesystem(&bpffs_type);
}

module_init(bpffs_init);
module_exit(bpffs_exit);

MODULE_DESCRIPTION("One mount, one BPF object: keys as files");
MODULE_LICENSE("GPL");
MODULE_ALIAS_FS("bpffs");
BPFFS_IMPORT_NS;
