// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* bpffs watch: what changes in a map, a line each change, from look to look. */
#include <unistd.h>

#include "field.h"
#include "internal.h"
#include "json.h"
#include "resolve.h"
#include "ring.h"
#include "sample.h"

/**
 * struct watcher - two looks at a map
 * @map: of them
 * @now: the later one
 * @before: the one before
 * @patterns: of names to watch, up to a NULL; none: all
 * @name: of the element that is looked at, whole
 * @resolves: bound
 * @out: of JSON; else NULL
 * @key: how to write it
 * @value: likewise
 */
struct watcher {
	struct map map;
	struct sample now;
	struct sample before;
	char **patterns;
	char *name;
	struct resolves resolves;
	struct json_out *out;
	struct json_plan *key;
	struct json_plan *value;
};

/* --- Text --- */

static bool leaf_differs(const struct bpffs_field *field, const u8 *old, const u8 *new)
{
	if (field->type == BPFFS_BITS)
		return bpffs_load(field, old) != bpffs_load(field, new);
	return memcmp(old, new, field->size);
}

/* As the text of the value has it, in whichever layout. */
static void put_leaf(const struct watcher *w, const struct bpffs_found *leaf, const u8 *from)
{
	const struct bpffs_field *field = leaf->field;
	enum bpffs_where where = leaf->path_len || w->map.shape.cpus ||
				 w->map.value->sole_bare ? BPFFS_IN_NAMED_VALUE :
							   BPFFS_IN_BARE_VALUE;
	char text[BPFFS_WORD_MAX + 1];
	u32 size = field->type == BPFFS_STR ? bpffs_str_end(from, field->size) : field->size;
	u32 i;

	if (field->type == BPFFS_STR || field->type == BPFFS_HEX || field->type == BPFFS_PAD) {
		for (i = 0; i < size; i++)
			fwrite(text, 1, field->type != BPFFS_STR ?
			       bpffs_put_hex(text, from + i, 1) :
			       bpffs_put_byte(text, from[i], where), stdout);
	} else if (bpffs_is_pad(field)) {
		fwrite(text, 1, bpffs_put_pad(field, from, text), stdout);
	} else {
		fwrite(text, 1, bpffs_put_word(field, from, text), stdout);
	}
}

/* " cpu0.packets=" */
static void put_path(const struct watcher *w, u32 copy, const struct bpffs_found *leaf)
{
	putchar(' ');
	if (w->map.shape.cpus)
		printf("cpu%u%s", w->map.shape.cpus[copy], leaf->path_len ? "." : "");
	printf("%.*s", (int)leaf->path_len, leaf->path);
	if (leaf->path_len || w->map.shape.cpus)
		putchar('=');
}

/* Its leaves; with @old, those that differ, and from what. */
static void put_leaves(const struct watcher *w, const u8 *old, const u8 *new)
{
	u32 leaves = bpffs_layout_leaves(w->map.value), copy, n;
	struct bpffs_found_room room;

	for (copy = 0; copy < w->map.shape.copies; copy++)
		for (n = 0; n < leaves; n++) {
			const struct bpffs_found *leaf = bpffs_find_leaf(w->map.value, n, &room);
			size_t offset = (size_t)copy * w->map.shape.stride + leaf->offset;

			if (old ? !leaf_differs(leaf->field, old + offset, new + offset) :
			    bpffs_is_pad(leaf->field) &&
			    bpffs_pad_is_zero(leaf->field, new + offset))
				continue;
			put_path(w, copy, leaf);
			if (old) {
				put_leaf(w, leaf, old + offset);
				fputs("->", stdout);
			}
			put_leaf(w, leaf, new + offset);
		}
}

/* --- JSON --- */

static void put_json_part(const struct watcher *w, const char *begin, const u8 *key,
			  const u8 *value)
{
	json_text(w->out, begin);
	json_element(w->out, w->key, w->value, &w->map.shape, key, value);
	json_resolves(w->out, &w->resolves, &w->map.shape, key, value);
	json_text(w->out, "}");
}

static void put_json(const struct watcher *w, char change, const u8 *key, const u8 *old,
		     const u8 *new)
{
	char begin[] = "{\"change\":\"?\"";

	begin[sizeof(begin) - 3] = change;
	json_text(w->out, begin);
	if (old)
		put_json_part(w, ",\"old\":", key, old);
	if (new)
		put_json_part(w, ",\"new\":", key, new);
	json_close(w->out);
}

/* --- Changes --- */

/* Is it one to be watched? Its name is known then. */
static bool is_watched(const struct watcher *w, const u8 *key)
{
	bpffs_name_whole(w->map.key, key, w->name);
	return !*w->patterns || is_one_of(w->name, w->patterns);
}

/* @old: or NULL, it has come; @new: or NULL, it has gone */
static void put_change(const struct watcher *w, const u8 *key, const u8 *old, const u8 *new)
{
	char change = !old ? '+' : !new ? '-' : '~';

	if (!is_watched(w, key))
		return;
	if (w->out) {
		put_json(w, change, key, old, new);
		return;
	}
	printf("%c %s", change, w->name);
	if (new)
		put_leaves(w, old, new);
	print_resolves(&w->resolves, &w->map.shape, key, new);
	putchar('\n');
}

static enum status put_changes(const struct watcher *w)
{
	size_t size = shown_size(&w->map), n;
	const void *key, *old, *new;

	for (n = 0; n < w->before.count; n++) {
		key = sample_key(&w->before, n);
		if (!sample_find(&w->now, &w->map, key))
			put_change(w, key, sample_value(&w->before, n), NULL);
	}
	for (n = 0; n < w->now.count; n++) {
		key = sample_key(&w->now, n);
		new = sample_value(&w->now, n);
		old = sample_find(&w->before, &w->map, key);
		if (!old || memcmp(old, new, size))
			put_change(w, key, old, new);
	}
	if (!w->out)
		return end_output();
	json_flush(w->out);
	return w->out->err ? fail("standard output: %s", strerror(w->out->err)) : DONE;
}

static enum status watch(struct watcher *w, u64 interval, unsigned long count)
{
	enum status status = take_sample(&w->before, &w->map);
	struct sample other;

	while (!status) {
		wait_after(&w->before, interval);
		status = take_sample(&w->now, &w->map) ?: put_changes(w);
		other = w->before;
		w->before = w->now;
		w->now = other;
		if (count && !--count)
			break;
	}
	return status;
}

/* --- The command --- */

static enum status begin_json(struct watcher *w)
{
	w->out = calloc(1, sizeof(*w->out));
	if (!w->out)
		return fail("%s", strerror(ENOMEM));
	w->out->fd = STDOUT_FILENO;
	return DONE;
}

static void free_watcher(struct watcher *w)
{
	free_sample(&w->now);
	free_sample(&w->before);
	free(w->name);
	if (w->out)
		json_end(w->out);
	free(w->out);
	json_plan_free(w->key);
	json_plan_free(w->value);
	free_resolves(&w->resolves);
	close_map(&w->map);
}

static enum status watch_map(struct watcher *w, u64 interval, unsigned long count)
{
	enum status status = open_map(&w->map, w->map.dir, w->map.root) ?:
			     bind_resolves(&w->resolves, w->map.dir, w->map.key, w->map.value);

	if (status)
		return status;
	w->name = malloc(w->map.key->name_max + 1);
	if (w->out) {
		w->key = json_plan_new(w->map.key);
		w->value = json_plan_new(w->map.value);
	}
	if (!w->name || (w->out && (!w->key || !w->value)))
		return fail("%s", strerror(ENOMEM));
	return watch(w, interval, count);
}

/**
 * struct taking - what is said of a ring buffer
 * @take: its records are to be taken
 * @value: layout of them, or NULL
 */
struct taking {
	bool take;
	const char *value;
};

/* What is for another kind of map is refused, lest somebody believes that it does anything. */
static enum status watch_any(struct watcher *w, const struct taking *taking, u64 interval,
			     unsigned long count)
{
	const char *dir = w->map.dir;

	if (!is_ring(w->map.root))
		return taking->take || taking->value ?
		       fail("watch: --take and --value are for ring buffers, and %s is none", dir) :
		       watch_map(w, interval, count);
	if (*w->patterns)
		return fail("watch: %s is a ring buffer, which has no keys", dir);
	if (!taking->take)
		return fail("watch: %s is a ring buffer, and who reads a record takes it from all others: --take does so",
			    dir);
	if (w->resolves.count && !taking->value)
		return fail("watch: --resolve of a ring buffer needs --value, which has the fields");
	return watch_ring(dir, w->map.root, taking->value, &w->resolves, count, w->out);
}

/* How often, and what else is said in front of DIR. */
struct asked {
	struct taking taking;
	u64 interval;
	unsigned long count;
	bool json;
};

static enum status take_option(struct watcher *w, struct asked *asked, const char *command,
			       int option)
{
	switch (option) {
	case 'd':
	case 'i':
		asked->interval = read_seconds(command, optarg);
		return asked->interval ? DONE : FAILED;
	case 'j':
		asked->json = true;
		return DONE;
	case 'n':
		asked->count = read_count(command, optarg);
		return asked->count ? DONE : FAILED;
	case 'r':
		return add_resolve(&w->resolves, command, optarg);
	case 't':
		asked->taking.take = true;
		return DONE;
	case 'v':
		asked->taking.value = optarg;
		return DONE;
	default:
		return FAILED;
	}
}

static enum status watch_dir(struct watcher *w, const struct asked *asked, char **argv)
{
	if (!*argv)
		return fail("watch: DIR is missing (see bpffs --help)");
	w->map.dir = argv[0];
	w->patterns = argv + 1;
	w->map.root = open_mount(w->map.dir);
	if (w->map.root < 0 || (asked->json && begin_json(w)))
		return FAILED;
	return watch_any(w, &asked->taking, asked->interval, asked->count);
}

enum status watch_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "delay", required_argument, NULL, 'd' },
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "resolve", required_argument, NULL, 'r' },
		{ "take", no_argument, NULL, 't' },
		{ "value", required_argument, NULL, 'v' },
		{}
	};
	struct asked asked = { .interval = 1000000000 };
	struct watcher w = { .map.root = -1 };
	enum status status = DONE;
	int option;

	while (!status && (option = next_option(argc, argv, ":d:i:jn:r:t", options)) != -1)
		status = take_option(&w, &asked, argv[0], option);
	status = status ?: watch_dir(&w, &asked, argv + optind);
	free_watcher(&w);
	return status;
}
