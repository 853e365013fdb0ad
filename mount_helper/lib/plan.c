// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * Options, taken apart before the kernel is asked for anything: what is refused
 * here is refused on every machine and without privilege.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <libmount.h>

#include "btf-layout.h"
#include "internal.h"

/* What fstab and mount(8) use, and the kernel never sees. */
#define FSTAB_ONLY	(MNT_MS_NOAUTO | MNT_MS_USER | MNT_MS_USERS | \
			 MNT_MS_OWNER | MNT_MS_GROUP | MNT_MS_NETDEV | \
			 MNT_MS_COMMENT | MNT_MS_NOFAIL | MNT_MS_UHELPER | \
			 MNT_MS_HELPER | MNT_MS_XCOMMENT | MNT_MS_XFSTABCOMM)

#define ATTR_ALWAYS	(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | \
			 MOUNT_ATTR_NOEXEC)

/* A field that a caller's older struct does not have is NULL. */
#define OPT_END(opts, field) \
	(offsetof(struct bpf_mount_opts, field) + sizeof((opts)->field))
#define OPT(opts, field) \
	((opts) && (opts)->sz >= OPT_END(opts, field) ? (opts)->field : NULL)

static bool entry_is(const struct libmnt_optmap *entry, const char *name)
{
	size_t len = strcspn(entry->name, "=[");

	if (strncmp(entry->name, name, len))
		return false;
	/* Of "comment=" and "shared", libmount says MNT_PREFIX too. */
	return !name[len] || entry->name[len - 1] == '-';
}

static const struct libmnt_optmap *find_entry(int map, const char *name)
{
	const struct libmnt_optmap *entry = mnt_get_builtin_optmap(map);

	for (; entry && entry->name; entry++)
		if (entry_is(entry, name))
			return entry;
	return NULL;
}

static void set_attr(struct libbpffs_plan *plan, unsigned int attr, bool on)
{
	if (on)
		plan->attr |= attr;
	else
		plan->attr &= ~attr;
}

/* noatime, relatime (the default, zero) and strictatime exclude each other. */
static void set_atime(struct libbpffs_plan *plan, unsigned int atime, bool on)
{
	unsigned int now = plan->attr & MOUNT_ATTR__ATIME;

	if (on)
		now = atime;
	else if (now == atime)
		now = MOUNT_ATTR_RELATIME;
	plan->attr = (plan->attr & ~MOUNT_ATTR__ATIME) | now;
}

/* Is it an attribute of the mount? All others are the file system's. */
static bool set_generic(struct libbpffs_plan *plan, const struct libmnt_optmap *entry)
{
	bool on = !(entry->mask & MNT_INVERT);

	switch (entry->id) {
	case MS_RDONLY:
		set_attr(plan, MOUNT_ATTR_RDONLY, on);
		return true;
	case MS_NODIRATIME:
		set_attr(plan, MOUNT_ATTR_NODIRATIME, on);
		return true;
	case MS_NOSYMFOLLOW:
		set_attr(plan, MOUNT_ATTR_NOSYMFOLLOW, on);
		return true;
	case MS_NOATIME:
		set_atime(plan, MOUNT_ATTR_NOATIME, on);
		return true;
	case MS_RELATIME:
		set_atime(plan, MOUNT_ATTR_RELATIME, on);
		return true;
	case MS_STRICTATIME:
		set_atime(plan, MOUNT_ATTR_STRICTATIME, on);
		return true;
	case MS_NOSUID:
	case MS_NODEV:
	case MS_NOEXEC:
	case MS_SILENT:
		return true;
	default:
		return false;
	}
}

/* Of that name; the one behind the last if there is none. */
static struct libbpffs_param *find_param(struct libbpffs_plan *plan, const char *name)
{
	struct libbpffs_param *param = plan->params;

	while (param < plan->params + plan->count && strcmp(param->name, name))
		param++;
	return param;
}

/* The last one wins, as of mount(8): a command line comes after fstab. */
void libbpffs_plan_add(struct libbpffs_plan *plan, const char *name, const char *value)
{
	struct libbpffs_param *param = find_param(plan, name);

	if (param == plan->params + plan->count)
		plan->count++;
	param->name = name;
	param->value = value;
}

static void drop_param(struct libbpffs_plan *plan, const char *name)
{
	struct libbpffs_param *param = find_param(plan, name);
	struct libbpffs_param *end = plan->params + plan->count;

	if (param == end)
		return;
	memmove(param, param + 1, (end - param - 1) * sizeof(*param));
	plan->count--;
}

/* "auto" is what happens without a layout. */
static void add_layout(struct libbpffs_plan *plan, const char *name, const char *value,
		       bool *has)
{
	*has = !value || strcmp(value, "auto");
	if (*has)
		libbpffs_plan_add(plan, name, value);
	else
		drop_param(plan, name);
}

static void add_param(struct libbpffs_plan *plan, const char *name, const char *value)
{
	if (!strcmp(name, "key"))
		add_layout(plan, name, value, &plan->has_key);
	else if (!strcmp(name, "value"))
		add_layout(plan, name, value, &plan->has_value);
	else if (!strcmp(name, "inner_key"))
		add_layout(plan, name, value, &plan->has_inner_key);
	else if (!strcmp(name, "inner_value"))
		add_layout(plan, name, value, &plan->has_inner_value);
	else
		libbpffs_plan_add(plan, name, value);
}

/* as=key.server:ip4, as=value.last.sec:x64 */
static int add_as(struct libbpffs_plan *plan, const char *text)
{
	const char *colon = text ? strchr(text, ':') : NULL;
	bool inner = text && !strncmp(text, "inner_", 6);
	const char *path = inner ? text + 6 : text;
	struct libbpffs_as *as;

	as = inner ? &plan->inner_as[plan->inner_as_count] : &plan->as[plan->as_count];
	if (colon && !strncmp(path, "key.", 4)) {
		as->for_key = true;
		as->path = path + 4;
	} else if (colon && !strncmp(path, "value.", 6)) {
		as->path = path + 6;
	}
	if (!as->path || as->path >= colon)
		return libbpffs_refuse(EINVAL,
				       "as: \"%.64s\" is not like key.server:ip4 or value.last.sec:x64",
				       text ?: "");
	as->path_len = colon - as->path;
	as->type = colon + 1;
	as->inner = inner;
	if (inner)
		plan->inner_as_count++;
	else
		plan->as_count++;
	return 0;
}

int libbpffs_plan_check_as(const struct libbpffs_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->as_count; i++)
		if (plan->as[i].for_key ? plan->has_key : plan->has_value)
			return libbpffs_refuse(EINVAL, "as: goes with %s=auto only",
					       plan->as[i].for_key ? "key" : "value");
	for (i = 0; i < plan->inner_as_count; i++)
		if (plan->inner_as[i].for_key ? plan->has_inner_key : plan->has_inner_value)
			return libbpffs_refuse(EINVAL, "as: goes with inner_%s=auto only",
					       plan->inner_as[i].for_key ? "key" : "value");
	return 0;
}

/* What the library does, and the kernel never sees. */
static bool *find_own(struct libbpffs_plan *plan, const char *name)
{
	if (!strcmp(name, "snapshot"))
		return &plan->snapshot;
	if (!strcmp(name, "pin"))
		return &plan->pin;
	if (!strcmp(name, "pinonly"))
		return &plan->pinonly;
	return NULL;
}

/* The kernel's own file system takes any option, and ignores most of them. */
static int check_pinonly(const struct libbpffs_plan *plan)
{
	const struct libbpffs_param *param = plan->params;

	for (; param < plan->params + plan->count; param++)
		if (strcmp(param->name, "source") && strcmp(param->name, "ro"))
			return libbpffs_refuse(EINVAL, "%s: would do nothing with pinonly",
					       param->name);
	if (plan->backend != LIBBPFFS_AUTO)
		return libbpffs_refuse(EINVAL, "backend: would do nothing with pinonly");
	if (plan->as_count || plan->inner_as_count || plan->pin)
		return libbpffs_refuse(EINVAL, "%s: would do nothing with pinonly",
				       plan->pin ? "pin" : "as");
	return 0;
}

static int set_backend(struct libbpffs_plan *plan, const char *value)
{
	static const char * const words[] = {
		[LIBBPFFS_AUTO] = "auto",
		[LIBBPFFS_KERNEL] = "kernel",
		[LIBBPFFS_FUSE] = "fuse",
	};
	size_t i;

	for (i = 0; value && i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], value)) {
			plan->backend = i;
			return 0;
		}
	return libbpffs_refuse(EINVAL, "backend: \"%.64s\" is none of auto, kernel and fuse",
			       value ?: "");
}

static int plan_option(struct libbpffs_plan *plan, const char *name, const char *value)
{
	const struct libmnt_optmap *entry;
	bool *own = find_own(plan, name);

	if (!strcmp(name, "fd"))
		return libbpffs_refuse(EINVAL, "fd: is an argument of the call, not an option");
	if (!strcmp(name, "as"))
		return add_as(plan, value);
	if (!strcmp(name, "backend"))
		return set_backend(plan, value);
	if (strlen(name) >= STRING_MAX)
		return libbpffs_refuse(EINVAL, "%.32s...: no option has so long a name",
				       name);
	entry = find_entry(MNT_LINUX_MAP, name);
	if ((entry || own) && value)
		return libbpffs_refuse(EINVAL, "%s: takes no value", name);
	if (own) {
		*own = true;
		return 0;
	}
	if (entry && set_generic(plan, entry))
		return 0;
	entry = find_entry(MNT_USERSPACE_MAP, name);
	if (entry && !(entry->id & ~FSTAB_ONLY))
		return 0;
	add_param(plan, name, value);
	return 0;
}

/* key="a,b": the quotes protect the comma, and are not part of the value. */
static char *unquote(char *value, size_t size)
{
	value[size] = '\0';
	if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
		value[size - 1] = '\0';
		value++;
	}
	return value;
}

int libbpffs_check_end(const char *rest)
{
	if (!rest || !rest[strspn(rest, ",")])
		return 0;
	return libbpffs_refuse(EINVAL, "options: a quote is not closed: %.64s", rest);
}

static int plan_options(struct libbpffs_plan *plan)
{
	char *rest = plan->text, *name, *value;
	size_t name_size, value_size;
	int ret;

	for (;;) {
		ret = mnt_optstr_next_option(&rest, &name, &name_size,
					     &value, &value_size);
		if (ret == 1)
			return libbpffs_check_end(rest);
		if (ret < 0)
			return libbpffs_refuse(-ret, "options: cannot be taken apart at \"%s\"",
					       rest);
		name[name_size] = '\0';
		if (value)
			value = unquote(value, value_size);
		ret = plan_option(plan, name, value);
		if (ret)
			return ret;
	}
}

/* A size beyond int, which fsconfig(2) takes, must not come out as a small one. */
static int check_sizes(const struct libbpffs_plan *plan)
{
	const struct libbpffs_param *param = plan->params;

	for (; param < plan->params + plan->count; param++)
		if (param->value && strlen(param->value) > BLOB_MAX)
			return libbpffs_refuse(EINVAL, "%s: longer than %d bytes",
					       param->name, BLOB_MAX);
	return 0;
}

void libbpffs_plan_free(struct libbpffs_plan *plan)
{
	int saved = errno;

	free(plan->params);
	free(plan->text);
	libbpffs_layouts_free(&plan->found);
	free(plan->as);
	free(plan->inner_as);
	errno = saved;
}

static size_t count_options(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

/*
 * Bytes that we do not know must be zero: they are options of a newer library,
 * whose default is not what is wanted.
 */
static int check_opts(const struct bpf_mount_opts *opts)
{
	size_t i;

	if (!opts)
		return 0;
	if (opts->sz < sizeof(opts->sz))
		return libbpffs_refuse(EINVAL, "opts: sz is not the struct's size");
	for (i = OPT_END(opts, bpf_mount_opts__last_field); i < opts->sz; i++)
		if (((const char *)opts)[i])
			return libbpffs_refuse(E2BIG, "opts: made for a newer library than %s",
					       LIBBPFFS_VERSION);
	return 0;
}

int libbpffs_plan_mount(struct libbpffs_plan *plan, const struct bpf_mount_opts *opts)
{
	const char *source = OPT(opts, source);
	const char *options = OPT(opts, options);
	int err;

	err = check_opts(opts);
	if (err)
		return err;
	if (!source)
		source = "none";
	if (!options)
		options = "";
	if (strlen(source) >= STRING_MAX)
		return libbpffs_refuse(EINVAL, "source: longer than %d bytes",
				       STRING_MAX - 1);
	plan->attr = ATTR_ALWAYS;
	plan->text = strdup(options);
	/* and source, key, value, inner_key, inner_value, ro */
	plan->params = calloc(count_options(options) + 6,
			      sizeof(*plan->params));
	plan->as = calloc(count_options(options), sizeof(*plan->as));
	plan->inner_as = calloc(count_options(options), sizeof(*plan->inner_as));
	if (!plan->text || !plan->params || !plan->as || !plan->inner_as)
		return libbpffs_refuse(ENOMEM, "options: %s", strerror(ENOMEM));
	add_param(plan, "source", source);
	if (OPT(opts, key))
		add_param(plan, "key", OPT(opts, key));
	if (OPT(opts, value))
		add_param(plan, "value", OPT(opts, value));
	err = OPT(opts, backend) ? set_backend(plan, OPT(opts, backend)) : 0;
	if (!err)
		err = plan_options(plan);
	if (!err)
		err = libbpffs_plan_check_as(plan);
	if (!err && plan->pinonly)
		err = check_pinonly(plan);
	if (err)
		return err;
	if (plan->attr & MOUNT_ATTR_RDONLY)
		add_param(plan, "ro", NULL);
	return check_sizes(plan);
}

bool libbpffs_plan_only_reads(const struct libbpffs_plan *plan)
{
	return plan->attr & MOUNT_ATTR_RDONLY || plan->snapshot;
}
