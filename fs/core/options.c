// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the options of a mount mean for its object, and why some are refused. */
#include "options.h"

__printf(2, 3)
static int refuse(char why[BPFFS_WHY_MAX], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(why, BPFFS_WHY_MAX, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* The name of an option that was given, NULL if none was. */
static const char *any_of(const struct bpffs_layouts *given)
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

/* Compile what @option gives, by default hex. */
static int compile(struct bpffs_layout **layout, const char *option, enum bpffs_use use,
		   const char *text, u32 size, char why[BPFFS_WHY_MAX])
{
	struct bpffs_reason reason = {};
	int err;

	if (!text)
		text = "hex";
	err = bpffs_layout_compile(layout, text, strlen(text), size, use, &reason);
	if (err && reason.column)
		refuse(why, "%s: %s (column %u)", option, reason.text, reason.column);
	else if (err)
		refuse(why, "%s: %s", option, reason.text);
	return err;
}

/* How many copies of a value there are, and how they lie. */
static int set_shapes(struct bpffs_info *info, bool percpu, char why[BPFFS_WHY_MAX])
{
	info->stored.layout = info->value;
	info->stored.stride = (info->value_size + 7) / 8 * 8;
	info->stored.separator = '\n';
	if (!bpffs_map_can(info, BPFFS_PERCPU)) {
		if (percpu)
			return refuse(why, "percpu: a value of this map is not per CPU");
		info->stored.copies = 1;
	} else if (!info->sum && info->value && bpffs_layout_bare(info->value) > 1) {
		return refuse(why, "value: several fields of a per-CPU value need names");
	}
	info->shape = info->stored;
	if (info->sum) {
		info->shape.copies = 1;
		info->shape.cpus = NULL;
	}
	return 0;
}

static int set_key(struct bpffs_info *info, const char *option, const char *text,
		   char why[BPFFS_WHY_MAX])
{
	int err;

	info->no_keys = text && !strcmp(text, "none");
	if (info->no_keys)
		return 0;
	err = compile(&info->key, option, BPFFS_KEY, text,
		      bpffs_map_can(info, BPFFS_IS_SET) ? info->value_size : info->key_size,
		      why);
	if (!err && bpffs_layout_has_plen(info->key) && !bpffs_map_can(info, BPFFS_IS_TRIE))
		return refuse(why, "%s: plen is for maps of type lpm_trie", option);
	return err;
}

/* @is_inner: of inner maps. Nothing of it is for a map of maps. */
static int set_map(struct bpffs_info *info, bool is_inner, const struct bpffs_layouts *given,
		   char why[BPFFS_WHY_MAX])
{
	const char *value = is_inner ? "inner_value" : "value";
	int err;

	if (bpffs_map_can(info, BPFFS_IS_SET)) {
		if (given->value || given->percpu)
			return refuse(why, "%s: a bloom filter has keys only",
				      given->value ? value : "percpu");
		return 0;
	}
	err = compile(&info->value, value, BPFFS_VALUE, given->value, info->value_size, why);
	return err ?: set_shapes(info, given->percpu, why);
}

static int set_layouts(struct bpffs_info *info, struct bpffs_info *inner, bool is_inner,
		       const struct bpffs_layouts *given, char why[BPFFS_WHY_MAX])
{
	const struct bpffs_layouts of_inner = {
		.key = given->inner_key,
		.value = given->inner_value,
		.percpu = given->percpu,
	};
	const char *key = is_inner ? "inner_key" : "key";
	const char *useless = any_of(given);
	int err;

	if (!bpffs_map_can(info, BPFFS_HAS_ELEMENTS)) {
		/* percpu= is the inner maps', where there are such. */
		if (useless && !(is_inner && given->percpu))
			return refuse(why, "%s: a map of this type shows no elements", useless);
		return 0;
	}
	if (bpffs_map_can(info, BPFFS_IS_QUEUE)) {
		if (given->key)
			return refuse(why, "%s: a queue or stack has no keys", key);
	} else {
		err = set_key(info, key, given->key, why);
		if (err)
			return err;
	}
	if (bpffs_map_can(info, BPFFS_OF_MAPS)) {
		if (given->value)
			return refuse(why, "%s: values are maps; give inner_key, inner_value",
				      is_inner ? "inner_value" : "value");
		inner->sum = info->sum;
		info->sum = false;
		err = set_layouts(inner, NULL, true, &of_inner, why);
		return err ?: set_shapes(info, false, why);
	}
	if (given->inner_key || given->inner_value)
		return refuse(why, "%s: for a map of maps only",
			      given->inner_key ? "inner_key" : "inner_value");
	return set_map(info, is_inner, given, why);
}

int bpffs_set_layouts(struct bpffs_info *info, struct bpffs_info *inner,
		      const struct bpffs_layouts *given, char why[BPFFS_WHY_MAX])
{
	if (bpffs_object_kind(info) == BPFFS_MAP)
		return set_layouts(info, inner, false, given, why);
	if (any_of(given))
		return refuse(why, "%s: only a map has keys and values", any_of(given));
	return 0;
}

int bpffs_cannot_change(const char *option, char why[BPFFS_WHY_MAX])
{
	return refuse(why, BPFFS_CANNOT_CHANGE, option);
}

/* Is @text a spelling of the layout that @option has set? */
static int same_layout(const struct bpffs_layout *layout, const char *option,
		       enum bpffs_use use, const char *text, char why[BPFFS_WHY_MAX])
{
	struct bpffs_layout *other;
	char *was, *now;
	int err;

	if (!text)
		return 0;
	if (!layout)
		return bpffs_cannot_change(option, why);
	err = compile(&other, option, use, text, bpffs_layout_size(layout), why);
	if (err)
		return err;
	was = bpffs_layout_string(layout);
	now = bpffs_layout_string(other);
	if (!was || !now)
		err = -ENOMEM;
	else if (strcmp(was, now))
		err = bpffs_cannot_change(option, why);
	bpffs_free(was);
	bpffs_free(now);
	bpffs_layout_release(other);
	return err;
}

/* key=none is no layout, but what was given. */
static int same_key(const struct bpffs_info *info, const char *option, const char *text,
		    char why[BPFFS_WHY_MAX])
{
	if (info && info->no_keys && text && !strcmp(text, "none"))
		return 0;
	return same_layout(info ? info->key : NULL, option, BPFFS_KEY, text, why);
}

int bpffs_same_layouts(const struct bpffs_info *info, const struct bpffs_info *inner,
		       const struct bpffs_layouts *given, char why[BPFFS_WHY_MAX])
{
	int err;

	err = same_key(info, "key", given->key, why);
	if (!err)
		err = same_layout(info->value, "value", BPFFS_VALUE, given->value, why);
	if (!err)
		err = same_key(inner, "inner_key", given->inner_key, why);
	if (!err)
		err = same_layout(inner ? inner->value : NULL, "inner_value", BPFFS_VALUE,
				  given->inner_value, why);
	return err;
}

int bpffs_set_mode(struct bpffs_info *info, u32 mode, char why[BPFFS_WHY_MAX])
{
	if (mode & ~0777)
		return refuse(why, "mode: %#o has more than permission bits", mode);
	info->mode = mode;
	return 0;
}

int bpffs_check_object(const struct bpffs_info *info, const u32 *id, const char *name,
		       char why[BPFFS_WHY_MAX])
{
	if (id && *id != bpffs_object_id(info))
		return refuse(why, "id: the object's id is %u, not %u", bpffs_object_id(info),
			      *id);
	if (name && strcmp(name, bpffs_object_name(info)))
		return refuse(why, "name: the object's name is \"%s\", not \"%s\"",
			      bpffs_object_name(info), name);
	return 0;
}
