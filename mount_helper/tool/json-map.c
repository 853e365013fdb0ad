// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs json: the elements of a mounted map, or of the maps in it, as JSON Lines. */
#include <unistd.h>

#include "internal.h"
#include "json.h"
#include "mounted-map.h"
#include "progress.h"
#include "resolve.h"

/* What an element goes through. */
struct writer {
	struct map map;
	struct json_out *out;
	struct json_plan *key;
	struct json_plan *value;
	struct resolves *resolves;
};

/* Of writing: nobody may read any more. */
static enum status put_out(const struct json_out *out)
{
	return out->err ? fail("standard output: %s", strerror(out->err)) : DONE;
}

static enum status put_element(void *context, const void *key, const void *value)
{
	struct writer *writer = context;

	if (json_element(writer->out, writer->key, writer->value, &writer->map.shape, key, value))
		return fail("%s/.bpf/raw: damaged", writer->map.dir);
	json_resolves(writer->out, writer->resolves, &writer->map.shape, key, value);
	json_close(writer->out);
	return put_out(writer->out);
}

static enum status put_line(void *context, const char *line, size_t len)
{
	struct writer *writer = context;
	const struct map *map = &writer->map;

	if (json_line(writer->out, map->key, map->value, map->percpu && !map->sum, line, len))
		return fail("%s/.bpf/table: a line is not of the layouts", map->dir);
	json_close(writer->out);
	return put_out(writer->out);
}

/* @root: of the map, closed at the end */
static enum status put_root(const char *dir, int root, struct resolves *resolves,
			    struct json_out *out)
{
	struct writer writer = { .resolves = resolves, .out = out };
	enum status status = open_map(&writer.map, dir, root) ?:
			     bind_resolves(resolves, dir, writer.map.key, writer.map.value);

	if (!status) {
		writer.key = json_plan_new(writer.map.key);
		writer.value = json_plan_new(writer.map.value);
		if (!writer.key || !writer.value)
			status = fail("%s", strerror(ENOMEM));
	}
	if (!status)
		status = each_element(&writer.map, put_element,
				      resolves->count ? NULL : put_line, &writer);
	unbind_resolves(resolves);
	json_plan_free(writer.key);
	json_plan_free(writer.value);
	close_map(&writer.map);
	return status;
}

/* A map of maps: all elements of all the maps inside. */
struct outer {
	struct bpffs_layout *key;
	struct resolves *resolves;
	struct json_out *out;
};

static enum status put_slot(void *context, const char *name, const char *dir, int root)
{
	struct outer *outer = context;

	if (!json_slot(outer->out, outer->key, name))
		return put_root(dir, root, outer->resolves, outer->out);
	close(root);
	return fail("%s: not a name of the layout", dir);
}

static enum status put_outer(const char *dir, int root, struct resolves *resolves,
			     struct json_out *out)
{
	struct map map = { .dir = dir, .root = root };
	struct outer outer = { .resolves = resolves, .out = out };
	enum status status = read_layout(&map, ".bpf/key", ".bpf/key_size",
					 BPFFS_LAYOUT_KEY, &outer.key);

	if (!status)
		status = each_slot(dir, root, put_slot, &outer);
	bpffs_layout_free(outer.key);
	close(root);
	return status;
}

static enum status put_json(const char *dir, struct resolves *resolves)
{
	int root = open_mount(dir);
	enum status status;
	struct json_out *out;
	bool of_maps, has_key, outer;

	if (root < 0)
		return FAILED;
	if (see_type(dir, root, "_of_maps", &of_maps) ||
	    see_file(dir, root, ".bpf/key", &has_key)) {
		close(root);
		return FAILED;
	}
	outer = of_maps && has_key;
	out = calloc(1, sizeof(*out));
	if (!out) {
		close(root);
		return fail("%s", strerror(ENOMEM));
	}
	out->fd = STDOUT_FILENO;
	/* How many there are in the maps inside, nobody knows. */
	if (progress_beside_output())
		progress_begin("bpffs: json", "elements",
			       outer ? 0 : read_number(root, ".bpf/count"));
	if (outer)
		status = put_outer(dir, root, resolves, out);
	else
		status = put_root(dir, root, resolves, out);
	json_end(out);
	status = status ?: put_out(out);
	free(out);
	return status;
}

enum status json_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "resolve", required_argument, NULL, 'r' },
		{}
	};
	struct resolves resolves = {};
	enum status status = DONE;
	const char *dir;
	int option;

	while (!status && (option = next_option(argc, argv, ":r:", options)) != -1)
		status = option == 'r' ? add_resolve(&resolves, argv[0], optarg) : FAILED;
	dir = status ? NULL : only_argument(argc, argv, "DIR");
	status = dir ? put_json(dir, &resolves) : FAILED;
	free_resolves(&resolves);
	return status;
}
