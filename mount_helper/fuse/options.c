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
		"id", "name", "key", "value", "inner_key", "inner_value", "percpu",
		"uid", "gid", "mode", "ro",
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
		      unsigned int *number, const struct refusal *refusal)
{
	const char *text = option(options, name);
	unsigned long value;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	value = strtoul(text, &end, base);
	if (*text < '0' || *text > '9' || *end || errno || value > ~0U)
		return refuse(refusal, EINVAL, "Bad value for '%s'", name);
	*number = value;
	return 0;
}

/* A sentence of core's. */
static int pass_on(int err, const char *why, const struct refusal *refusal)
{
	if (err)
		refuse(refusal, 0, "%s", *why ? why : strerror(-err));
	return err;
}

static int set_owner(struct object *object, const struct front_options *options,
		     const struct refusal *refusal)
{
	int err;

	object->uid = getuid();
	object->gid = getgid();
	err = set_number(options, "uid", 10, &object->uid, refusal) ?:
	      set_number(options, "gid", 10, &object->gid, refusal);
	if (err)
		return err;
	if (object->uid == ~0U)
		return refuse(refusal, EINVAL, "uid: %u is no user here", object->uid);
	if (object->gid == ~0U)
		return refuse(refusal, EINVAL, "gid: %u is no group here", object->gid);
	return 0;
}

static int set_mode(struct object *object, const struct front_options *options,
		    const struct refusal *refusal)
{
	char why[BPFFS_WHY_MAX] = "";
	unsigned int mode = 0600;

	return set_number(options, "mode", 8, &mode, refusal) ?:
	       pass_on(bpffs_set_mode(&object->info, mode, why), why, refusal);
}

static int check_object(const struct object *object, const struct front_options *options,
			const struct refusal *refusal)
{
	char why[BPFFS_WHY_MAX] = "";
	u32 id = 0;

	return set_number(options, "id", 10, &id, refusal) ?:
	       pass_on(bpffs_check_object(&object->info, option(options, "id") ? &id : NULL,
					  option(options, "name"), why), why, refusal);
}

/*
 * bpf(2) tells nothing of inner maps before there is one: what is given for them is
 * refused at mount only if there is one then, and else when there is.
 */
static int set_layouts(struct object *object, const struct refusal *refusal)
{
	struct object *inner = inner_any(object), none = { .kind = BPFFS_MAP };
	struct bpffs_layouts given = object->given;
	char why[BPFFS_WHY_MAX] = "";
	int err;

	if (!inner && bpffs_map_can(&object->info, BPFFS_OF_MAPS)) {
		given.inner_key = NULL;
		given.inner_value = NULL;
		given.percpu = false;
	}
	err = bpffs_set_layouts(&object->info, inner ? &inner->info : &none.info, &given, why);
	if (inner)
		object_put(inner);
	return pass_on(err, why, refusal);
}

int set_options(struct object *object, const struct front_options *options,
		const struct refusal *refusal)
{
	const char *percpu = option(options, "percpu");
	int err;

	err = check_known(options, refusal) ?: set_owner(object, options, refusal) ?:
	      set_mode(object, options, refusal);
	if (err)
		return err;
	if (percpu && strcmp(percpu, "each") && strcmp(percpu, "sum"))
		return refuse(refusal, EINVAL, "Bad value for 'percpu'");
	err = check_object(object, options, refusal);
	if (err)
		return err;
	object->given = (struct bpffs_layouts) {
		.key = option(options, "key"),
		.value = option(options, "value"),
		.inner_key = option(options, "inner_key"),
		.inner_value = option(options, "inner_value"),
		.percpu = percpu,
	};
	object->given_sum = percpu && !strcmp(percpu, "sum");
	object->info.sum = object->given_sum;
	return set_layouts(object, refusal);
}
