/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* The fields of a layout, an array being one. */
#ifndef LIBBPFFS_COLUMNS_H
#define LIBBPFFS_COLUMNS_H

#include "field.h"

/* One dimension of an array. */
struct dimension {
	u32 count;
	u32 step;
};

/**
 * struct column - a leaf of a layout, in all elements of the arrays that it is in
 * @field: what it is
 * @name: "last.sec": as in the text of a value, but without indices; "" if it has none
 * @offset: of the first
 * @dim: the arrays, outermost first
 * @dims: how many
 * @count: of leaves, the product of the dimensions
 */
struct column {
	const struct bpffs_field *field;
	char *name;
	u32 offset;
	struct dimension *dim;
	u32 dims;
	u64 count;
};

/**
 * struct columns - of a layout, but for padding
 * @layout: which must stay
 * @column: in the order of the bytes
 * @count: of @column
 */
struct columns {
	const struct bpffs_layout *layout;
	struct column *column;
	size_t count;
};

/* Return: 0, or -ENOMEM; free_columns() is due in any case. */
int make_columns(struct columns *columns, const struct bpffs_layout *layout);
void free_columns(struct columns *columns);

/* What it is called; "value" is that without a name. */
static inline const char *field_name(const struct column *column)
{
	return *column->name ? column->name : "value";
}

/* By that; NULL: there is none. */
struct column *find_column(const struct columns *columns, const char *name);

/* Where leaf @n is; @index, of dims numbers, or NULL */
u32 column_offset(const struct column *column, u64 n, u32 *index);

/* A number that can be added up, or a bool? */
static inline bool is_number(const struct column *column)
{
	return bpffs_is_numeric(column->field) || column->field->type == BPFFS_BOOL;
}

static inline bool is_signed(const struct column *column)
{
	return column->field->sign == BPFFS_SIGNED;
}

#endif
