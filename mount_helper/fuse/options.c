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

static bool is_twice(const struct front_options *options, size_t i, size_t len)
{
	size_t n;

	for (n = 0; n < i; n++)
		if (!strncmp(options->option[n], options->option[i], len) &&
		    strcspn(options->option[n], "=") == len)
			return true;
	return false;
}

static int check_known(const struct front_options *options, const struct refusal *refusal)
{
	static const char * const known[] = {
		"id", "name", "key", "value", "inner_key", "inner_value", "percpu", "uid", "gid", "mode", "ro",
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
		if (strcmp(known[n], "ro") && is_twice(options, i, len))
			return refuse(refusal, EINVAL, "%s: given twice", known[n]);
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

static int set_key(struct bpffs_info *info, const char *name, const char *text,
		   const struct refusal *refusal)
{
	int err;

	info->no_keys = text && !strcmp(text, "none");
	if (info->no_keys)
		return 0;
	err = compile(&info->key, name, text,
		      bpffs_map_can(info, BPFFS_IS_SET) ? info->value_size : info->key_size,
		      BPFFS_KEY, refusal);
	if (err)
		return err;
	if (bpffs_layout_has_plen(info->key) && !bpffs_map_can(info, BPFFS_IS_TRIE))
		return refuse(refusal, EINVAL, "%s: plen is for maps of type lpm_trie", name);
	return 0;
}

/* How many copies of a value there are, and how they lie. */
static int set_shapes(struct object *object, bool percpu, const struct refusal *refusal)
{
	struct bpffs_info *info = &object->info;
	bool of_cpus = bpffs_map_can(info, BPFFS_PERCPU);

	if (percpu && !of_cpus && !bpffs_map_can(info, BPFFS_OF_MAPS))
		return refuse(refusal, EINVAL, "percpu: a value of this map is not per CPU");
	if (of_cpus && !info->sum && info->value && bpffs_layout_bare(info->value) > 1)
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

/* The name of an option that was given, NULL if none was. */
static const char *layouts_option(const struct layouts *given)
{
	if (given->key)
		return "key";
	if (given->value)
		return "value";
	if (given->inner_key)
		return "inner_key";
	if (given->inner_value)
		return "inner_value";
	return given->percpu ? "percpu" : NULL;
}

int set_layouts(struct object *object, const struct layouts *given, bool inner,
		const struct refusal *refusal)
{
	const char *key = inner ? "inner_key" : "key", *value = inner ? "inner_value" : "value";
	const char *useless = layouts_option(given);
	struct bpffs_info *info = &object->info;
	int err;

	if (!bpffs_map_can(info, BPFFS_HAS_ELEMENTS)) {
		/* percpu= is the inner maps', where there are such. */
		if (useless && !(inner && given->percpu))
			return refuse(refusal, EINVAL, "%s: a map of this type shows no elements",
				      useless);
		return 0;
	}
	if (bpffs_map_can(info, BPFFS_IS_QUEUE)) {
		if (given->key)
			return refuse(refusal, EINVAL, "%s: a queue or stack has no keys", key);
	} else {
		err = set_key(info, key, given->key, refusal);
		if (err)
			return err;
	}
	if (bpffs_map_can(info, BPFFS_OF_MAPS)) {
		if (given->value)
			return refuse(refusal, EINVAL,
				      "%s: values are maps; give inner_key, inner_value", value);
		object->inner = (struct layouts) {
			.key = given->inner_key,
			.value = given->inner_value,
			.percpu = given->percpu,
		};
		return set_shapes(object, given->percpu, refusal) ?:
		       inner_check(object, refusal);
	}
	if (given->inner_key || given->inner_value)
		return refuse(refusal, EINVAL, "%s: for a map of maps only",
			      given->inner_key ? "inner_key" : "inner_value");
	if (bpffs_map_can(info, BPFFS_IS_SET)) {
		if (given->value || given->percpu)
			return refuse(refusal, EINVAL, "%s: a bloom filter has keys only",
				      given->value ? value : "percpu");
		return 0;
	}
	err = compile(&info->value, value, given->value, info->value_size, BPFFS_VALUE, refusal);
	info->sum = given->percpu && !strcmp(given->percpu, "sum");
	return err ?: set_shapes(object, given->percpu, refusal);
}

/* What the mounter knows of the object must be true. */
static int check_assertions(const struct object *object, const struct front_options *options,
			    const struct refusal *refusal)
{
	const char *name = option(options, "name");
	unsigned int id = object->id;
	int err;

	err = set_number(options, "id", 10, ~0U, &id, refusal);
	if (err)
		return err;
	if (id != object->id)
		return refuse(refusal, EINVAL, "id: the object's id is %u, not %u", object->id, id);
	if (name && strcmp(name, object->name))
		return refuse(refusal, EINVAL, "name: the object's name is \"%s\", not \"%s\"",
			      object->name, name);
	return 0;
}

int set_options(struct object *object, const struct front_options *options,
		const struct refusal *refusal)
{
	const struct layouts given = {
		.key = option(options, "key"),
		.value = option(options, "value"),
		.inner_key = option(options, "inner_key"),
		.inner_value = option(options, "inner_value"),
		.percpu = option(options, "percpu"),
	};
	const char *useless = layouts_option(&given);
	unsigned int mode = 0600;
	int err;

	object->uid = getuid();
	object->gid = getgid();
	err = check_known(options, refusal) ?:
	      set_number(options, "uid", 10, ~0U, &object->uid, refusal) ?:
	      set_number(options, "gid", 10, ~0U, &object->gid, refusal) ?:
	      set_number(options, "mode", 8, ~0U, &mode, refusal);
	if (err)
		return err;
	if (object->uid == ~0U)
		return refuse(refusal, EINVAL, "uid: %u is no user here", object->uid);
	if (object->gid == ~0U)
		return refuse(refusal, EINVAL, "gid: %u is no group here", object->gid);
	if (mode & ~0777U)
		return refuse(refusal, EINVAL, "mode: %#o has more than permission bits", mode);
	object->info.mode = mode;
	if (given.percpu && strcmp(given.percpu, "each") && strcmp(given.percpu, "sum"))
		return refuse(refusal, EINVAL, "Bad value for 'percpu'");
	err = check_assertions(object, options, refusal);
	if (err)
		return err;
	if (object->kind == BPFFS_MAP)
		return set_layouts(object, &given, false, refusal);
	if (!useless)
		return 0;
	return refuse(refusal, EINVAL, "%s: only a map has keys and values", useless);
}
