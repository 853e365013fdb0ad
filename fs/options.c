// SPDX-License-Identifier: GPL-2.0-only
/* The mount options: parsed, checked against the object, given back at remount. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>

#include "instance.h"

/**
 * struct bpffs_options - what was given, until it is known what it is for
 * @info: becomes the superblock's
 * @layouts: as given
 * @pinroot: root of the file system with the pin, NULL if none was given
 * @name: assertion about the object, NULL for none
 * @id: likewise, if it was given
 * @given: bit OPT_* is set when the option was given
 */
struct bpffs_options {
	struct bpffs_info *info;
	struct bpffs_layouts layouts;
	struct file *pinroot;
	char *name;
	u32 id;
	unsigned long given;
};

enum bpffs_param {
	OPT_FD,
	OPT_GID,
	OPT_ID,
	OPT_INNER_KEY,
	OPT_INNER_VALUE,
	OPT_KEY,
	OPT_MODE,
	OPT_NAME,
	OPT_PERCPU,
	OPT_PINROOT,
	OPT_UID,
	OPT_VALUE,
};

static struct bpffs_options *bpffs_options(struct fs_context *fc)
{
	return fc->fs_private;
}

/* A number from mount(8), or the open file from fsconfig(2). */
static int bpffs_param_is_fd(struct p_log *log, const struct fs_parameter_spec *spec,
			     struct fs_parameter *param,
			     struct fs_parse_result *result)
{
	if (param->type == fs_value_is_file || param->type == fs_value_is_string)
		return 0;
	return inval_plog(log, "%s: needs a descriptor or its number", param->key);
}

/* Only the open file, which user space has made for this mount. */
static int bpffs_param_is_file(struct p_log *log, const struct fs_parameter_spec *spec,
			       struct fs_parameter *param,
			       struct fs_parse_result *result)
{
	if (param->type == fs_value_is_file)
		return 0;
	return inval_plog(log, "%s: needs a descriptor by FSCONFIG_SET_FD", param->key);
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

const struct fs_parameter_spec bpffs_parameters[] = {
	__fsparam(bpffs_param_is_fd, "fd", OPT_FD, 0, NULL),
	fsparam_u32("gid", OPT_GID),
	fsparam_u32("id", OPT_ID),
	__fsparam(bpffs_param_is_layout, "inner_key", OPT_INNER_KEY, 0, NULL),
	__fsparam(bpffs_param_is_layout, "inner_value", OPT_INNER_VALUE, 0, NULL),
	__fsparam(bpffs_param_is_layout, "key", OPT_KEY, 0, NULL),
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_string("name", OPT_NAME),
	fsparam_enum("percpu", OPT_PERCPU, percpu_words),
	__fsparam(bpffs_param_is_file, "pinroot", OPT_PINROOT, 0, NULL),
	fsparam_u32("uid", OPT_UID),
	__fsparam(bpffs_param_is_layout, "value", OPT_VALUE, 0, NULL),
	{}
};

/* The caller's descriptor table is certain only here, not at get_tree. */
static int parse_fd(struct fs_context *fc, struct fs_parameter *param)
{
	struct bpffs_object *object = bpffs_object(bpffs_options(fc)->info);
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
	bpffs_instance(bpffs_options(fc)->info)->uid = uid;
	return 0;
}

static int parse_gid(struct fs_context *fc, u32 number)
{
	kgid_t gid = make_kgid(current_user_ns(), number);

	if (!gid_valid(gid))
		return invalfc(fc, "gid: %u is no group here", number);
	bpffs_instance(bpffs_options(fc)->info)->gid = gid;
	return 0;
}

/* Log the sentence of a refusal, if there is one, and pass its errno on. */
static int say(struct fs_context *fc, int err, const char *why)
{
	if (*why)
		errorfc(fc, "%s", why);
	return err;
}

static int parse_mode(struct fs_context *fc, u32 mode)
{
	char why[BPFFS_WHY_MAX] = "";

	return say(fc, bpffs_set_mode(bpffs_options(fc)->info, mode, why), why);
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
	if ((opt == OPT_FD || opt == OPT_PINROOT) &&
	    fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		return invalfc(fc, "%s: a mount keeps its object; only ro and rw can change",
			       param->key);
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
		options->layouts.percpu = true;
		break;
	case OPT_PINROOT:
		options->pinroot = param->file;
		param->file = NULL;
		break;
	case OPT_ID:
		options->id = result.uint_32;
		break;
	case OPT_NAME:
		options->name = take_text(param);
		break;
	case OPT_KEY:
		options->layouts.key = take_text(param);
		break;
	case OPT_VALUE:
		options->layouts.value = take_text(param);
		break;
	case OPT_INNER_KEY:
		options->layouts.inner_key = take_text(param);
		break;
	case OPT_INNER_VALUE:
		options->layouts.inner_value = take_text(param);
		break;
	}
	return 0;
}

static bool was_given(const struct bpffs_options *options, enum bpffs_param opt)
{
	return test_bit(opt, &options->given);
}

/* id= and name= */
static int check_assertions(struct fs_context *fc, const struct bpffs_info *info)
{
	const struct bpffs_options *options = bpffs_options(fc);
	char why[BPFFS_WHY_MAX] = "";

	return say(fc, bpffs_check_object(info, was_given(options, OPT_ID) ? &options->id : NULL,
					  options->name, why), why);
}

static int check_map(struct fs_context *fc, struct bpffs_info *info)
{
	if (!bpffs_object_readable(bpffs_object(info))) {
		errorfc(fc, "fd: the map's descriptor is write-only");
		return -EACCES;
	}
	/* What the held descriptor may not do, the files may not do. */
	if (!bpffs_object_writable(bpffs_object(info)))
		fc->sb_flags |= SB_RDONLY;
	return 0;
}

/* A pin is full power over the object: not for a mount that is read-only. */
static int set_pin(struct fs_context *fc, struct bpffs_info *info)
{
	struct file *root = bpffs_options(fc)->pinroot;
	struct vfsmount *pin;

	if (!root)
		return 0;
	if (fc->sb_flags & SB_RDONLY) {
		errorfc(fc, "pinroot: a read-only mount hands the object to nobody");
		return -EROFS;
	}
	pin = bpffs_pin_bind(root, bpffs_object(info));
	if (IS_ERR(pin))
		return invalfc(fc, "pinroot: no root of a bpf file system with a pin of it");
	bpffs_instance(info)->pin = pin;
	return 0;
}

static int bpffs_get_tree(struct fs_context *fc)
{
	struct bpffs_options *options = bpffs_options(fc);
	struct bpffs_info *info = options->info;
	int err;

	if (!info || !bpffs_object(info)->file)
		return invalfc(fc, "fd: which BPF object? give an open descriptor, fd=N");
	err = check_assertions(fc, info);
	if (err)
		return err;
	if (bpffs_object(info)->kind == BPFFS_MAP)
		err = check_map(fc, info);
	if (!err)
		err = bpffs_info_set_layouts(fc, info, &options->layouts);
	if (!err)
		err = set_pin(fc, info);
	if (err)
		return err;
	/* Now the superblock's, also if filling it fails. */
	options->info = NULL;
	fc->s_fs_info = info;
	return get_tree_nodev(fc, bpffs_fill_super);
}

static int cannot_change(struct fs_context *fc, const char *option)
{
	char why[BPFFS_WHY_MAX] = "";

	return say(fc, bpffs_cannot_change(option, why), why);
}

static int same_layouts(struct fs_context *fc, const struct bpffs_info *info)
{
	char why[BPFFS_WHY_MAX] = "";

	return say(fc, bpffs_same_layouts(info, bpffs_instance(info)->inner,
					  &bpffs_options(fc)->layouts, why), why);
}

/* mount -o remount passes back all options that are shown. */
static int bpffs_reconfigure(struct fs_context *fc)
{
	const struct bpffs_info *info = bpffs_sb_info(fc->root->d_sb);
	const struct bpffs_options *options = bpffs_options(fc);
	const struct bpffs_instance *asked = bpffs_instance(options->info);
	const struct bpffs_instance *is = bpffs_instance(info);
	bool writable = bpffs_object_writable(&is->object) || is->object.kind != BPFFS_MAP;
	int err;

	err = check_assertions(fc, info);
	if (err)
		return err;
	if (was_given(options, OPT_UID) && !uid_eq(asked->uid, is->uid))
		return cannot_change(fc, "uid");
	if (was_given(options, OPT_GID) && !gid_eq(asked->gid, is->gid))
		return cannot_change(fc, "gid");
	if (was_given(options, OPT_MODE) && options->info->mode != info->mode)
		return cannot_change(fc, "mode");
	if (was_given(options, OPT_PERCPU) &&
	    options->info->sum != (is->inner ? is->inner->sum : info->sum))
		return cannot_change(fc, "percpu");
	err = same_layouts(fc, info);
	if (err)
		return err;
	if (fc->sb_flags_mask & SB_RDONLY && fc->sb_flags & SB_RDONLY && is->pin) {
		errorfc(fc, "ro: the mount has a pin, which hands the object out");
		return -EBUSY;
	}
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
	bpffs_info_put(options->info);
	bpffs_info_put(fc->s_fs_info);
	if (options->pinroot)
		fput(options->pinroot);
	kfree(options->layouts.key);
	kfree(options->layouts.value);
	kfree(options->layouts.inner_key);
	kfree(options->layouts.inner_value);
	kfree(options->name);
	kfree(options);
}

static const struct fs_context_operations bpffs_context_ops = {
	.parse_param	= bpffs_parse_param,
	.get_tree	= bpffs_get_tree,
	.reconfigure	= bpffs_reconfigure,
	.free		= bpffs_free_fc,
};

/* fsopen() needs only the root of a user namespace: nothing is parsed for it. */
int bpffs_init_fs_context(struct fs_context *fc)
{
	struct bpffs_options *options;

	if (!capable(CAP_SYS_ADMIN)) {
		pr_notice_ratelimited("mounting a BPF object needs CAP_SYS_ADMIN\n");
		return -EPERM;
	}
	options = kzalloc(sizeof(*options), GFP_KERNEL_ACCOUNT);
	if (!options)
		return -ENOMEM;
	options->info = bpffs_info_new();
	if (!options->info) {
		kfree(options);
		return -ENOMEM;
	}
	fc->fs_private = options;
	fc->ops = &bpffs_context_ops;
	return 0;
}
