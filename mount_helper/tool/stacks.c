// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* Stacks by id, of a mounted stack_trace map. */
#include <unistd.h>

#include <linux/bpf.h>

#include "field.h"
#include "internal.h"
#include "mounted-map.h"
#include "stacks.h"
#include "symbols.h"

/**
 * struct stacks - a mounted stack_trace map
 * @map: of it
 * @parser: of its values
 * @name: room for the name of a key
 */
struct stacks {
	struct map map;
	struct bpffs_parser *parser;
	char *name;
};

/* Addresses alone; there may be build ids and offsets instead. */
static bool has_addresses(int root)
{
	char *type = read_file(root, ".bpf/type"), *flags = read_file(root, ".bpf/flags");
	bool has = type && !strcmp(type, "stack_trace") && flags &&
		   !(strtoul(flags, NULL, 16) & BPF_F_STACK_BUILD_ID);

	free(type);
	free(flags);
	return has;
}

enum status open_stacks(struct stacks **to, const char *dir)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));
	int root;

	*to = stacks;
	if (!stacks)
		return fail("%s", strerror(ENOMEM));
	stacks->map.root = -1;
	root = open_mount(dir);
	if (root < 0)
		return FAILED;
	if (!has_addresses(root)) {
		close(root);
		return fail("%s: no map of type stack_trace that has addresses", dir);
	}
	if (open_map(&stacks->map, dir, root))
		return FAILED;
	stacks->parser = bpffs_parser_new(&stacks->map.shape);
	stacks->name = malloc(stacks->map.key->name_max + 1);
	return stacks->parser && stacks->name ? DONE : fail("%s", strerror(ENOMEM));
}

void close_stacks(struct stacks *stacks)
{
	if (!stacks)
		return;
	bpffs_parser_free(stacks->parser);
	free(stacks->name);
	close_map(&stacks->map);
	free(stacks);
}

/* Up to the first that is 0. */
static void put_frames(struct line *text, const void *value, size_t size)
{
	u64 address;
	size_t at;

	for (at = 0; at + sizeof(address) <= size; at += sizeof(address)) {
		memcpy(&address, value + at, sizeof(address));
		if (!address)
			break;
		if (at)
			line_put(text, "", 1);
		if (!put_symbol(text, address))
			line_print(text, "0x%llx", (unsigned long long)address);
	}
}

bool put_stack(struct line *text, struct stacks *stacks, u64 id)
{
	struct bpffs_reason why;
	u32 key = id;
	char *value;
	bool parsed;

	/* A negative one is the error that there was instead. */
	if (id > INT32_MAX)
		return false;
	bpffs_name_whole(stacks->map.key, &key, stacks->name);
	value = read_file(stacks->map.root, stacks->name);
	if (!value)
		return false;
	bpffs_parse_begin(stacks->parser);
	parsed = !bpffs_parse_piece(stacks->parser, value, strlen(value), &why) &&
		 !bpffs_parse_piece(stacks->parser, "\n", 1, &why);
	free(value);
	if (parsed)
		put_frames(text, bpffs_parse_value(stacks->parser), shown_size(&stacks->map));
	return parsed;
}
