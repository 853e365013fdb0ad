// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The fields of a layout, an array being one. */
#include "columns.h"

/* A copy of @at, as it is for now. */
static int add_column(struct columns *columns, const struct column *at)
{
	struct column *more = reallocarray(columns->column, columns->count + 1, sizeof(*more));
	struct column *column;

	if (!more)
		return -ENOMEM;
	columns->column = more;
	column = &more[columns->count++];
	*column = *at;
	column->name = strdup(at->name);
	column->dim = calloc(at->dims + 1, sizeof(*at->dim));
	if (!column->name || !column->dim)
		return -ENOMEM;
	if (at->dims)
		memcpy(column->dim, at->dim, at->dims * sizeof(*at->dim));
	return 0;
}

/* @at with the dimensions of @field, its memory to be freed. */
static int add_dimensions(struct column *at, const struct bpffs_field *field)
{
	struct dimension *dim = calloc(at->dims + field->dims + 1, sizeof(*dim));
	u32 rest = field->count, d;

	if (!dim)
		return -ENOMEM;
	if (at->dims)
		memcpy(dim, at->dim, at->dims * sizeof(*dim));
	for (d = 0; d < field->dims; d++) {
		rest /= field->dim[d];
		dim[at->dims].count = field->dim[d];
		dim[at->dims++].step = rest * field->size;
	}
	at->dim = dim;
	at->count *= field->count;
	return 0;
}

static int add_group(struct columns *columns, const struct bpffs_field *group,
		     const struct column *in);

static int add_field(struct columns *columns, const struct bpffs_field *field,
		     const struct column *in)
{
	struct column at = *in;
	int err;

	if (bpffs_is_pad(field))
		return 0;
	at.field = field;
	at.offset += field->offset;
	if (asprintf(&at.name, "%s%s%.*s", in->name, *in->name && field->name ? "." : "",
		     (int)field->name_len, field->name ?: "") < 0)
		return -ENOMEM;
	err = add_dimensions(&at, field);
	if (!err) {
		err = field->type == BPFFS_GROUP ? add_group(columns, field, &at) :
						   add_column(columns, &at);
		free(at.dim);
	}
	free(at.name);
	return err;
}

static int add_group(struct columns *columns, const struct bpffs_field *group,
		     const struct column *in)
{
	int err = 0;
	u32 i;

	for (i = 0; i < group->kids && !err; i++)
		err = add_field(columns, group->kid[i], in);
	return err;
}

int make_columns(struct columns *columns, const struct bpffs_layout *layout)
{
	char nothing[] = "";
	struct column all = { .name = nothing, .count = 1 };

	memset(columns, 0, sizeof(*columns));
	columns->layout = layout;
	return add_group(columns, layout->root, &all);
}

void free_columns(struct columns *columns)
{
	size_t i;

	for (i = 0; i < columns->count; i++) {
		free(columns->column[i].name);
		free(columns->column[i].dim);
	}
	free(columns->column);
	memset(columns, 0, sizeof(*columns));
}

struct column *find_column(const struct columns *columns, const char *name)
{
	struct column *found = NULL;
	size_t i;

	for (i = 0; i < columns->count; i++)
		if (!strcmp(field_name(&columns->column[i]), name) &&
		    (!found || !*columns->column[i].name))
			found = &columns->column[i];
	return found;
}

u32 column_offset(const struct column *column, u64 n, u32 *index)
{
	u32 offset = column->offset, d, at;

	for (d = column->dims; d--; n /= column->dim[d].count) {
		at = n % column->dim[d].count;
		offset += at * column->dim[d].step;
		if (index)
			index[d] = at;
	}
	return offset;
}
