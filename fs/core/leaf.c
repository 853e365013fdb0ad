// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Leaves of a layout by number: where they are, and how they are called. */
#include "field.h"

/*
 * A layout of not more leaves keeps them, so that no text begins with a search.
 * Every key's does.
 */
#define KEPT_MAX	256

/* The fields from the root's kid down, each with its index. */
struct place {
	const struct bpffs_field *field;
	u32 offset;
	u32 steps;
	struct {
		const struct bpffs_field *field;
		u32 index;
	} step[BPFFS_LAYOUT_DEPTH_MAX + 2];
};

/* The kid of a group that has the group's leaf @n. */
static const struct bpffs_field *kid_of_leaf(const struct bpffs_field *group, u32 n)
{
	u32 low = 0, high = group->kids;

	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (group->kid[middle]->leaf <= n)
			low = middle;
		else
			high = middle;
	}
	return group->kid[low];
}

static void locate(const struct bpffs_layout *layout, u32 n, struct place *place)
{
	const struct bpffs_field *field = layout->root;
	u32 index;

	place->offset = 0;
	place->steps = 0;
	while (field->type == BPFFS_GROUP) {
		field = kid_of_leaf(field, n);
		n -= field->leaf;
		index = n / field->leaves;
		n %= field->leaves;
		place->offset += field->offset + index * field->size;
		place->step[place->steps].field = field;
		place->step[place->steps++].index = index;
	}
	place->field = field;
}

/* --- How it is called --- */

/* Names and indices are joined by "."; there is one before all but the first. */
static u32 put_dot(char *to, u32 len)
{
	if (len)
		to[len++] = '.';
	return len;
}

static u32 put_index(char *to, u32 len, u32 index)
{
	len = put_dot(to, len);
	return len + bpffs_put_number(to + len, index);
}

static u32 put_path(const struct place *place, char to[BPFFS_PATH_MAX])
{
	const struct bpffs_field *field;
	u32 len = 0, i, d;

	if (bpffs_is_pad(place->field)) {
		to[len++] = '~';
		len += bpffs_put_number(to + len, place->offset);
		if (place->field->type == BPFFS_BITS)
			len = put_index(to, len, place->field->bit);
		return len;
	}
	for (i = 0; i < place->steps; i++) {
		u32 index = place->step[i].index, rest;

		field = place->step[i].field;
		if (field->name) {
			len = put_dot(to, len);
			memcpy(to + len, field->name, field->name_len);
			len += field->name_len;
		}
		for (d = 0, rest = field->count; d < field->dims; d++) {
			rest /= field->dim[d];
			len = put_index(to, len, index / rest);
			index %= rest;
		}
	}
	return len;
}

/* --- All of them at once, or each when it is asked for --- */

static u32 text_max(const struct bpffs_found *found)
{
	const struct bpffs_field *field = found->field;

	if (field->type == BPFFS_STR || bpffs_is_pad(field) || field->size > U32_MAX / 4)
		return 0;
	return bpffs_prefix_len(found) + bpffs_word_max(field) + 1;
}

/* Its path, and "=", go to @path. */
static void find(const struct bpffs_layout *layout, u32 n, struct bpffs_found *found,
		 char path[BPFFS_PATH_MAX + 1])
{
	struct place place __uninitialized;

	locate(layout, n, &place);
	found->field = place.field;
	found->offset = place.offset;
	found->path = path;
	found->path_len = put_path(&place, path);
	path[found->path_len] = '=';
}

/* At the end of compilation. Return: 0, -ENOMEM. */
int bpffs_keep_leaves(struct bpffs_layout *layout, enum bpffs_use use)
{
	u32 leaves = bpffs_layout_leaves(layout), n;
	struct bpffs_found_room room __uninitialized;
	size_t paths = 0;
	char *path;

	if (use == BPFFS_VALUE && leaves > KEPT_MAX)
		return 0;
	for (n = 0; use == BPFFS_VALUE && n < leaves; n++) {
		find(layout, n, &room.found, room.path);
		paths += bpffs_prefix_len(&room.found);
	}
	layout->leaf = bpffs_zalloc(leaves * sizeof(*layout->leaf) + paths);
	if (!layout->leaf)
		return -ENOMEM;
	path = (char *)&layout->leaf[leaves];
	for (n = 0; n < leaves; n++) {
		struct bpffs_found *found = &layout->leaf[n];

		find(layout, n, found, room.path);
		found->path = path;
		if (use == BPFFS_KEY)
			found->path_len = 0;
		found->text_max = text_max(found);
		memcpy(path, room.path, bpffs_prefix_len(found));
		path += bpffs_prefix_len(found);
	}
	return 0;
}

/* Leaf @n, in @room unless it is kept. */
const struct bpffs_found *bpffs_find_leaf(const struct bpffs_layout *layout, u32 n,
					  struct bpffs_found_room *room)
{
	if (layout->leaf)
		return &layout->leaf[n];
	find(layout, n, &room->found, room->path);
	return &room->found;
}

/* Only what leaf @n is, and where. */
const struct bpffs_field *bpffs_leaf_field(const struct bpffs_layout *layout, u32 n,
					   u32 *offset)
{
	struct place place __uninitialized;

	if (layout->leaf) {
		*offset = layout->leaf[n].offset;
		return layout->leaf[n].field;
	}
	locate(layout, n, &place);
	*offset = place.offset;
	return place.field;
}

void bpffs_layout_leaf(const struct bpffs_layout *layout, u32 n,
		       struct bpffs_leaf *leaf)
{
	const struct bpffs_field *field = bpffs_leaf_field(layout, n, &leaf->offset);

	leaf->size = field->size;
	leaf->bit = field->bit;
	leaf->width = field->width;
	leaf->big_endian = field->base && field->base->big_endian;
	leaf->pad = bpffs_is_pad(field);
	leaf->numeric = bpffs_is_numeric(field);
}
