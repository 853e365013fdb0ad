// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The options of a mount: what the files are called, show, and whose they are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object.h"
#include "serve.h"

static const char *option(const struct front_options *options, const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < options->count; i++)
		if (!strncmp(options->option[i], name, len) && options->option[i][len] == '=')
			return options->option[i] + len + 1;
	return NULL;
}

static int check_known(const struct front_options *options, const struct refusal *refusal)
{
	static const char * const known[] = {
		"key", "value", "percpu", "uid", "gid", "mode", "ro",
	};
	size_t i, n, len;

	for (i = 0; i < options->count; i++) {
		len = strcspn(options->option[i], "=");
		for (n = 0; n < ARRAY_SIZE(known); n++)
			if (strlen(known[n]) == len && !strncmp(known[n], options->option[i], len))
				break;
		if (n == ARRAY_SIZE(known))
			return refuse(refusal, EINVAL, "Unknown parameter '%.*s'", (int)len,
				      options->option[i]);
	}
	return 0;
}

static int set_number(const struct front_options *options, const char *name, int base,
		      unsigned int max, unsigned int *number, const struct refusal *refusal)
{
	const char *text = option(options, name);
	unsigned long value;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	value = strtoul(text, &end, base);
	if (*text < '0' || *text > '9' || *end || errno || value > max)
		return refuse(refusal, EINVAL, "Bad value for '%s'", name);
	*number = value;
	return 0;
}

static int compile(struct bpffs_layout **layout, const char *name, const char *text, u32 size,
		   enum bpffs_use use, const struct refusal *refusal)
{
	struct bpffs_reason why = {};
	int err;

	if (!text)
		text = "hex";
	err = bpffs_layout_compile(layout, text, strlen(text), size, use, &why);
	if (err && why.column)
		refuse(refusal, 0, "%s: %s (column %u)", name, why.text, why.column);
	else if (err)
		refuse(refusal, 0, "%s: %s", name, why.text);
	return err;
}

static int set_key(struct bpffs_info *info, const char *text, const struct refusal *refusal)
{
	int err;

	info->no_keys = text && !strcmp(text, "none");
	if (info->no_keys)
		return 0;
	err = compile(&info->key, "key", text,
		      bpffs_map_can(info, BPFFS_IS_SET) ? info->value_size : info->key_size,
		      BPFFS_KEY, refusal);
	if (err)
		return err;
	if (bpffs_layout_has_plen(info->key) && !bpffs_map_can(info, BPFFS_IS_TRIE))
		return refuse(refusal, EINVAL, "key: plen is for maps of type lpm_trie");
	/* Which key a short name has is not remembered here yet. */
	if (bpffs_layout_name_max(info->key) > BPFFS_NAME_MAX)
		return refuse(refusal, EOPNOTSUPP,
			      "key: names of more than 255 bytes need the module (backend=kernel)");
	return 0;
}

/* How many copies of a value there are, and how they lie. */
static int set_shapes(struct object *object, bool percpu, const struct refusal *refusal)
{
	struct bpffs_info *info = &object->info;

	if (percpu && !object->map.cpus)
		return refuse(refusal, EINVAL, "percpu: a value of this map is not per CPU");
	if (object->map.cpus && !info->sum && bpffs_layout_bare(info->value) > 1)
		return refuse(refusal, EINVAL,
			      "value: several fields of a per-CPU value need names");
	info->stored = (struct bpffs_shape) {
		.layout = info->value,
		.copies = object->map.copies,
		.stride = (info->value_size + 7) & ~7U,
		.cpus = object->map.cpus,
		.separator = '\n',
	};
	info->shape = info->stored;
	if (info->sum) {
		info->shape.copies = 1;
		info->shape.cpus = NULL;
	}
	return 0;
}

static int set_layouts(struct object *object, const struct front_options *options,
		       const struct refusal *refusal)
{
	const char *key = option(options, "key"), *value = option(options, "value");
	const char *percpu = option(options, "percpu");
	struct bpffs_info *info = &object->info;
	int err;

	if (bpffs_map_can(info, BPFFS_IS_QUEUE)) {
		if (key)
			return refuse(refusal, EINVAL, "key: a queue or stack has no keys");
	} else {
		err = set_key(info, key, refusal);
		if (err)
			return err;
	}
	if (bpffs_map_can(info, BPFFS_IS_SET)) {
		if (value || percpu)
			return refuse(refusal, EINVAL, "%s: a bloom filter has keys only",
				      value ? "value" : "percpu");
		return 0;
	}
	err = compile(&info->value, "value", value, info->value_size, BPFFS_VALUE, refusal);
	return err ?: set_shapes(object, percpu, refusal);
}

int set_options(struct object *object, const struct front_options *options,
		const struct refusal *refusal)
{
	const char *percpu = option(options, "percpu");
	unsigned int mode = 0600;
	int err;

	object->uid = getuid();
	object->gid = getgid();
	err = check_known(options, refusal) ?:
	      set_number(options, "uid", 10, ~0U - 1, &object->uid, refusal) ?:
	      set_number(options, "gid", 10, ~0U - 1, &object->gid, refusal) ?:
	      set_number(options, "mode", 8, ~0U, &mode, refusal);
	if (err)
		return err;
	if (mode & ~0777U)
		return refuse(refusal, EINVAL, "mode: %#o has more than permission bits", mode);
	object->info.mode = mode;
	if (percpu && strcmp(percpu, "each") && strcmp(percpu, "sum"))
		return refuse(refusal, EINVAL, "Bad value for 'percpu'");
	object->info.sum = percpu && !strcmp(percpu, "sum");
	return set_layouts(object, options, refusal);
}
