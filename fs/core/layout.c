// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The layout language: parse it, check it against a size, print it back. */
#include "field.h"

static const struct bpffs_base bases[] = {
	{ "u8",   1, BPFFS_UNSIGNED, false },
	{ "u16",  2, BPFFS_UNSIGNED, false },
	{ "u32",  4, BPFFS_UNSIGNED, false },
	{ "u64",  8, BPFFS_UNSIGNED, false },
	{ "s8",   1, BPFFS_SIGNED,   false },
	{ "s16",  2, BPFFS_SIGNED,   false },
	{ "s32",  4, BPFFS_SIGNED,   false },
	{ "s64",  8, BPFFS_SIGNED,   false },
	{ "be16", 2, BPFFS_UNSIGNED, true },
	{ "be32", 4, BPFFS_UNSIGNED, true },
	{ "be64", 8, BPFFS_UNSIGNED, true },
	{ "x8",   1, BPFFS_AS_HEX,   false },
	{ "x16",  2, BPFFS_AS_HEX,   false },
	{ "x32",  4, BPFFS_AS_HEX,   false },
	{ "x64",  8, BPFFS_AS_HEX,   false },
};

/* Types of one size. */
static const struct {
	char name[5];
	u8 type;
	u8 size;
} plain[] = {
	{ "bool", BPFFS_BOOL, 1 },
	{ "ip4",  BPFFS_IP4,  4 },
	{ "ip6",  BPFFS_IP6,  16 },
	{ "mac",  BPFFS_MAC,  6 },
	{ "plen", BPFFS_PLEN, 4 },
};

/* Types that a count of bytes follows. */
static const struct {
	char name[4];
	u8 type;
} sized[] = {
	{ "hex", BPFFS_HEX },
	{ "str", BPFFS_STR },
	{ "pad", BPFFS_PAD },
};

/*
 * struct compiler - the state of one bpffs_layout_compile()
 * @text: the layout's own copy
 * @len: of it
 * @at: where the parser is
 * @size: the bytes to be covered
 * @use: of the layout
 * @why: filled on failure
 * @field: pool; likewise the pools that follow, each with its fill
 * @pending: kids of the groups that are still open, innermost last
 * @frame: the open groups
 * @depth: of the innermost
 * @plen: the plen field
 */
struct compiler {
	const char *text;
	u32 len;
	u32 at;
	u32 size;
	enum bpffs_use use;
	struct bpffs_reason *why;

	struct bpffs_field *field;
	u32 fields;
	struct bpffs_field **kid;
	u32 kids;
	struct bpffs_field **named;
	u32 nr_named;
	struct bpffs_label *label;
	struct bpffs_label **label_name;
	u32 labels;
	u32 *dim;
	u32 dims;

	struct bpffs_field **pending;
	u32 nr_pending;
	struct {
		struct bpffs_field *group;
		u32 pending;
		u64 bytes;
	} frame[BPFFS_LAYOUT_DEPTH_MAX + 1];
	u32 depth;
	const struct bpffs_field *plen;
};

int bpffs_reason(struct bpffs_reason *why, unsigned int column,
		 const char *fmt, ...)
{
	va_list args;

	if (!why)
		return -EINVAL;
	why->column = column;
	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	return -EINVAL;
}

#define refuse(c, at, ...)	bpffs_reason((c)->why, (at) + 1, __VA_ARGS__)

static int too_big(struct compiler *c, const char *what, u32 limit)
{
	refuse(c, c->at, "more than %u %s", limit, what);
	return -E2BIG;
}

/* --- Words of the language --- */

static bool is_name_start(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static char peek(const struct compiler *c)
{
	return c->at < c->len ? c->text[c->at] : '\0';
}

static bool take(struct compiler *c, char ch)
{
	if (peek(c) != ch)
		return false;
	c->at++;
	return true;
}

/* Letters, digits and "_", not beginning with a digit; its length, maybe 0. */
static u32 take_word(struct compiler *c)
{
	u32 from = c->at;

	if (!is_name_start(peek(c)))
		return 0;
	while (is_name_start(peek(c)) || is_digit(peek(c)))
		c->at++;
	return c->at - from;
}

static int take_count(struct compiler *c, u32 *count)
{
	u32 from = c->at;
	u64 n = 0;

	while (is_digit(peek(c)) && n <= U32_MAX)
		n = 10 * n + (c->text[c->at++] - '0');
	if (from == c->at)
		return refuse(c, from, "a count is missing");
	if (!n || n > U32_MAX)
		return refuse(c, from, "bad count: it must be 1 to %u", U32_MAX);
	*count = n;
	return 0;
}

static bool word_is(const char *word, u32 len, const char *name)
{
	return strlen(name) == len && !memcmp(word, name, len);
}

/* For messages: what is there, cut. */
static int unexpected(struct compiler *c, const char *wanted)
{
	unsigned char ch = peek(c);

	if (c->at == c->len)
		return refuse(c, c->at, "%s expected at the end", wanted);
	if (ch <= ' ' || ch > '~')
		return refuse(c, c->at, "%s expected, not \\x%02x", wanted, ch);
	return refuse(c, c->at, "%s expected, not \"%c\"", wanted, ch);
}

/* --- Types --- */

static struct bpffs_field *new_field(struct compiler *c)
{
	struct bpffs_field *field;

	/* The root is one more. */
	if (c->fields > BPFFS_LAYOUT_FIELDS_MAX)
		return NULL;
	field = &c->field[c->fields++];
	field->count = 1;
	field->leaves = 1;
	return field;
}

static int take_type(struct compiler *c, struct bpffs_field *field)
{
	const char *word = c->text + c->at;
	u32 from = c->at;
	u32 len = take_word(c);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		if (word_is(word, len, bases[i].name)) {
			field->type = BPFFS_INT;
			field->base = &bases[i];
			field->size = bases[i].size;
			field->sign = bases[i].sign;
			return 0;
		}
	}
	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		if (word_is(word, len, plain[i].name)) {
			field->type = plain[i].type;
			field->size = plain[i].size;
			return 0;
		}
	}
	for (i = 0; i < ARRAY_SIZE(sized); i++) {
		if (len < 3 || memcmp(word, sized[i].name, 3) ||
		    (len > 3 && !is_digit(word[3])))
			continue;
		field->type = sized[i].type;
		c->at = from + 3;
		return take_count(c, &field->size);
	}
	c->at = from;
	if (!len)
		return unexpected(c, "a type");
	return refuse(c, from, "unknown type \"%.*s\"", (int)min(len, 32U), word);
}

/* --- Names of an enum's values --- */

static int compare_text(const char *a, u32 a_len, const char *b, u32 b_len)
{
	int diff = memcmp(a, b, min(a_len, b_len));

	return diff ?: (a_len > b_len) - (a_len < b_len);
}

static int compare_labels(const void *a, const void *b)
{
	const struct bpffs_label *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int compare_label_names(const void *a, const void *b)
{
	const struct bpffs_label *x = *(struct bpffs_label * const *)a;
	const struct bpffs_label *y = *(struct bpffs_label * const *)b;

	return compare_text(x->name, x->len, y->name, y->len);
}

/* "VALUE" behind "NAME=". */
static int take_label_value(struct compiler *c, const struct bpffs_field *field,
			    u64 *value)
{
	struct bpffs_field number = *field;
	u32 from = c->at;
	u8 bytes[8] = {};
	char wanted[64];

	/* Which are not complete yet. */
	number.labels = 0;

	while (is_name_start(peek(c)) || is_digit(peek(c)) || peek(c) == '-')
		c->at++;
	if (bpffs_take_word(&number, c->text + from, c->at - from, bytes, NULL)) {
		bpffs_describe(&number, wanted, sizeof(wanted));
		return refuse(c, from, "\"%.*s\" is not %s", (int)min(c->at - from, 32U),
			      c->text + from, wanted);
	}
	*value = bpffs_load(&number, bytes);
	return 0;
}

/* "{labels}", or nothing. */
static int take_labels(struct compiler *c, struct bpffs_field *field)
{
	u32 i;
	int err;

	if (!take(c, '{'))
		return 0;
	field->label = &c->label[c->labels];
	field->label_name = &c->label_name[c->labels];
	do {
		struct bpffs_label *label = &c->label[c->labels];

		label->name = c->text + c->at;
		label->len = take_word(c);
		label->order = field->labels;
		if (!label->len)
			return unexpected(c, "a name");
		if (label->len > BPFFS_WORD_MAX)
			return too_big(c, "bytes in a name", BPFFS_WORD_MAX);
		if (!take(c, '='))
			return unexpected(c, "\"=\" and a value");
		err = take_label_value(c, field, &label->value);
		if (err)
			return err;
		c->labels++;
		field->labels++;
	} while (take(c, '/'));

	sort(field->label, field->labels, sizeof(*field->label), compare_labels, NULL);
	for (i = 0; i < field->labels; i++)
		field->label_name[i] = &field->label[i];
	sort(field->label_name, field->labels, sizeof(*field->label_name),
	     compare_label_names, NULL);
	for (i = 1; i < field->labels; i++)
		if (!compare_label_names(&field->label_name[i - 1], &field->label_name[i]))
			return refuse(c, max(field->label_name[i - 1]->name,
					     field->label_name[i]->name) - c->text,
				      "the name comes twice");
	return take(c, '}') ? 0 : unexpected(c, "\"/\" or \"}\"");
}

/* --- Groups --- */

static int compare_fields(const void *a, const void *b)
{
	const struct bpffs_field *x = *(struct bpffs_field * const *)a;
	const struct bpffs_field *y = *(struct bpffs_field * const *)b;

	return compare_text(x->name, x->name_len, y->name, y->name_len);
}

static int enter(struct compiler *c, struct bpffs_field *group)
{
	if (c->depth == BPFFS_LAYOUT_DEPTH_MAX)
		return too_big(c, "groups in one another", BPFFS_LAYOUT_DEPTH_MAX);
	c->depth++;
	c->frame[c->depth].group = group;
	c->frame[c->depth].pending = c->nr_pending;
	c->frame[c->depth].bytes = 0;
	return 0;
}

/* A field without a name in a group: its text is named as the group is. */
static int keep_unnamed(struct compiler *c, struct bpffs_field *group,
			const struct bpffs_field *field)
{
	const struct bpffs_field **which;

	if (bpffs_is_pad(field))
		return 0;
	which = field->dims ? &group->anon_array : &group->anon_leaf;
	if (!*which)
		*which = field;
	else if (c->use == BPFFS_VALUE && (field->dims || group != c->frame[0].group))
		return refuse(c, c->at - 1, "two fields without a name cannot be told apart");
	return 0;
}

/* Sort the names, so that they can be found; none may come twice. */
static int sort_names(struct compiler *c, struct bpffs_field *group)
{
	u32 i;
	int err;

	group->named = &c->named[c->nr_named];
	for (i = 0; i < group->kids; i++) {
		if (group->kid[i]->name) {
			c->named[c->nr_named++] = group->kid[i];
			continue;
		}
		err = keep_unnamed(c, group, group->kid[i]);
		if (err)
			return err;
	}
	group->nr_named = &c->named[c->nr_named] - group->named;
	sort(group->named, group->nr_named, sizeof(*group->named), compare_fields, NULL);
	if (c->use == BPFFS_KEY)
		return 0;
	for (i = 1; i < group->nr_named; i++)
		if (!compare_fields(&group->named[i - 1], &group->named[i]))
			return refuse(c, max(group->named[i - 1]->name,
					     group->named[i]->name) - c->text,
				      "a field of this name exists already");
	return 0;
}

/* What waits since the group was entered becomes its kids. */
static int adopt(struct compiler *c, struct bpffs_field *group, u32 from)
{
	u64 leaves = 0;
	u32 i, path = 0;

	group->kid = &c->kid[c->kids];
	group->kids = c->nr_pending - from;
	for (i = 0; i < group->kids; i++) {
		struct bpffs_field *kid = c->pending[from + i];

		kid->leaf = leaves;
		leaves += (u64)kid->leaves * kid->count;
		if (leaves > U32_MAX)
			return too_big(c, "fields, array elements counted", U32_MAX);
		path = max(path, kid->path_max);
		c->kid[c->kids++] = kid;
	}
	c->nr_pending = from;
	group->leaves = leaves;
	group->path_max = path;
	return sort_names(c, group);
}

/* A field is complete: its dimensions, its place, and into its parent. */
static int add_field(struct compiler *c, struct bpffs_field *field)
{
	u64 bytes = field->size;
	u32 path = field->name_len;
	u64 count = 1;
	int err;

	field->plain = field->type == BPFFS_INT && field->sign == BPFFS_UNSIGNED &&
		       !field->base->big_endian && !field->labels;
	field->dim = &c->dim[c->dims];
	while (peek(c) == '[') {
		u32 from = c->at++;
		u32 *dim = &c->dim[c->dims];

		if (field->dims == BPFFS_LAYOUT_DEPTH_MAX)
			return too_big(c, "dimensions", BPFFS_LAYOUT_DEPTH_MAX);
		err = take_count(c, dim);
		if (err)
			return err;
		if (!take(c, ']'))
			return unexpected(c, "\"]\"");
		c->dims++;
		field->dims++;
		count *= *dim;
		path += 11;
		if (count * bytes > U32_MAX)
			return refuse(c, from, "bad count: 4 GiB or more");
	}
	field->count = count;
	field->path_max += path + 1;
	if (field->path_max > BPFFS_PATH_MAX)
		return too_big(c, "bytes in the name of a field", BPFFS_PATH_MAX);
	field->offset = c->frame[c->depth].bytes;
	c->frame[c->depth].bytes += bytes * count;
	if (c->frame[c->depth].bytes > U32_MAX)
		return refuse(c, c->at - 1, "the layout covers 4 GiB or more");
	c->pending[c->nr_pending++] = field;
	return 0;
}

/* "}": back to the parent, with what the group has become. */
static int leave(struct compiler *c)
{
	struct bpffs_field *group = c->frame[c->depth].group;
	u32 from = c->frame[c->depth].pending;
	u32 bytes = c->frame[c->depth].bytes;
	u32 i;
	int err;

	c->depth--;
	if (group->name || peek(c) == '[') {
		group->size = bytes;
		err = adopt(c, group, from);
		return err ?: add_field(c, group);
	}
	for (i = from; i < c->nr_pending; i++)
		c->pending[i]->offset += c->frame[c->depth].bytes;
	c->frame[c->depth].bytes += bytes;
	if (c->frame[c->depth].bytes > U32_MAX)
		return refuse(c, c->at - 1, "the layout covers 4 GiB or more");
	return 0;
}

/* --- Parts of an integer --- */

/* "[sign] WIDTH [{labels}]" behind the name of a part, and ".". */
static int take_part(struct compiler *c, struct bpffs_field *part)
{
	u32 from = c->at, bits = 8 * part->size, width;
	int err;

	part->sign = part->base->sign;
	if (peek(c) == BPFFS_UNSIGNED || peek(c) == BPFFS_SIGNED || peek(c) == BPFFS_AS_HEX)
		part->sign = c->text[c->at++];
	err = take_count(c, &width);
	if (err)
		return err;
	if (width > bits - part->bit)
		return refuse(c, from, "more bits than the %u of a %s", bits, part->base->name);
	part->width = width;
	if (!part->name && (!is_digit(c->text[from]) || peek(c) == '{'))
		return refuse(c, from, "padding has neither sign nor labels");
	return take_labels(c, part);
}

/* "{bits}" */
static int take_bits(struct compiler *c, struct bpffs_field *field)
{
	u32 bit = 0, bits = 8 * field->size;
	int err;

	take(c, '{');
	field->type = BPFFS_GROUP;
	err = enter(c, field);
	if (err)
		return err;
	do {
		struct bpffs_field *part = new_field(c);

		if (!part)
			return too_big(c, "fields", BPFFS_LAYOUT_FIELDS_MAX);
		part->type = BPFFS_BITS;
		part->base = field->base;
		part->size = field->size;
		part->name = c->text + c->at;
		part->name_len = take_word(c);
		if (!part->name_len)
			part->name = NULL;
		if (!take(c, '.'))
			return unexpected(c, "\".\" and a number of bits");
		part->bit = bit;
		err = take_part(c, part);
		if (err)
			return err;
		bit += part->width;
		part->path_max = part->name_len + 1;
		if (part->path_max > BPFFS_PATH_MAX)
			return too_big(c, "bytes in the name of a field", BPFFS_PATH_MAX);
		c->pending[c->nr_pending++] = part;
	} while (take(c, '/'));
	c->frame[c->depth].bytes = field->size;
	if (bit < bits)
		return refuse(c, c->at, "%u of %u bits; add \"/.%u\"", bit, bits, bits - bit);
	return take(c, '}') ? 0 : unexpected(c, "\"/\" or \"}\"");
}

/* Behind an integer's type: is it "{NAME." or "{." rather than "{NAME="? */
static bool bits_follow(const struct compiler *c)
{
	u32 at = c->at + 1;

	if (peek(c) != '{')
		return false;
	while (at < c->len && (is_name_start(c->text[at]) || is_digit(c->text[at])))
		at++;
	return at == c->len || c->text[at] != '=';
}

/* --- Fields --- */

static int take_field(struct compiler *c)
{
	struct bpffs_field *field = new_field(c);
	u32 from = c->at;
	u32 len;
	int err;

	if (!field)
		return too_big(c, "fields", BPFFS_LAYOUT_FIELDS_MAX);
	len = take_word(c);
	if (len && take(c, '=')) {
		field->name = c->text + from;
		field->name_len = len;
	} else {
		c->at = from;
	}
	if (take(c, '{')) {
		field->type = BPFFS_GROUP;
		return enter(c, field);
	}
	from = c->at;
	err = take_type(c, field);
	if (err)
		return err;
	if (field->type == BPFFS_PAD && field->name)
		return refuse(c, from, "padding has no name");
	if (field->type == BPFFS_PLEN)
		c->plen = field;
	if (field->type == BPFFS_INT && bits_follow(c)) {
		err = take_bits(c, field);
		return err ?: leave(c);
	}
	if (field->type == BPFFS_INT)
		err = take_labels(c, field);
	return err ?: add_field(c, field);
}

static int take_layout(struct compiler *c)
{
	int err;

	for (;;) {
		u32 depth = c->depth;

		err = take_field(c);
		if (err)
			return err;
		/* A group has been entered. */
		if (c->depth > depth)
			continue;
		while (c->depth && take(c, '}')) {
			err = leave(c);
			if (err)
				return err;
		}
		if (c->at == c->len && !c->depth)
			return 0;
		if (!take(c, ':'))
			return unexpected(c, c->depth ? "\":\" or \"}\"" : "\":\"");
	}
}

/* --- The whole --- */

/* The parts of the longest name. */
struct extent {
	u64 chars;
	u64 words;
	u64 pad_digits;
	u64 pads;
};

/* Not deeper than BPFFS_LAYOUT_DEPTH_MAX. */
static void measure(const struct bpffs_field *field, struct extent *sum)
{
	struct extent one = {};
	u32 i;

	for (i = 0; field->type == BPFFS_GROUP && i < field->kids; i++)
		measure(field->kid[i], &one);
	if (bpffs_is_pad(field)) {
		one.pad_digits = bpffs_pad_digits(field);
		one.pads = 1;
	} else if (field->type != BPFFS_GROUP) {
		one.chars = bpffs_word_max(field);
		one.words = 1;
	}
	sum->chars += one.chars * field->count;
	sum->words += one.words * field->count;
	sum->pad_digits += one.pad_digits * field->count;
	sum->pads += one.pads * field->count;
}

/* Words with "," between them, "~" and padding; an escape at the begin. */
static u64 longest_name(const struct extent *all)
{
	u64 len = all->chars + all->words - 1 + 2;

	return all->pads ? len + 1 + all->pad_digits : len;
}

static int check_plen(struct compiler *c, struct bpffs_layout *layout)
{
	const struct bpffs_field *root = layout->root;

	if (!c->plen)
		return 0;
	c->at = c->len;
	if (c->use != BPFFS_KEY)
		return bpffs_reason(c->why, 0, "plen is for keys");
	if (root->kid[0] != c->plen || c->plen->dims || root->kids < 2)
		return bpffs_reason(c->why, 0,
				    "plen must be the first of several fields");
	layout->has_plen = true;
	return 0;
}

/* A text does not print as so many times as much: "x8{a=1}" as "x8{a=0x1}". */
#define PRINTED_MAX	8

static int check_whole(struct compiler *c, struct bpffs_layout *layout)
{
	const char *option = c->use == BPFFS_KEY ? "key" : "value";
	u64 bytes = c->frame[0].bytes;
	struct extent all = {};
	u32 key_max = BPFFS_KEY_MAX;
	u64 name_max;
	int err;

	err = check_plen(c, layout);
	if (err)
		return err;
	if (bytes < c->size)
		return bpffs_reason(c->why, 0,
				    "the layout covers %u of %u bytes; add \":hex%u\", or use %s=auto",
				    (u32)bytes, c->size, (u32)(c->size - bytes), option);
	if (bytes > c->size)
		return bpffs_reason(c->why, 0, "the layout covers %u bytes, the %s has %u",
				    (u32)bytes, option, c->size);
	/* What is shown must be accepted again; that of a short text is not printed for it. */
	if (c->len > BPFFS_LAYOUT_TEXT_MAX / PRINTED_MAX &&
	    bpffs_layout_print(layout, NULL, 0) > BPFFS_LAYOUT_TEXT_MAX) {
		bpffs_reason(c->why, 0, "the layout would print as more than %u bytes",
			     BPFFS_LAYOUT_TEXT_MAX);
		return -E2BIG;
	}
	measure(layout->root, &all);
	layout->pads = all.pads;
	layout->sole_bare = all.words == 1 && !all.pads && layout->root->anon_leaf;
	if (c->use == BPFFS_VALUE)
		return 0;
	if (all.words == layout->has_plen)
		return bpffs_reason(c->why, 0, "a key needs a field that is not padding");
	if (layout->has_plen)
		key_max = BPFFS_PREFIX_MAX;
	name_max = longest_name(&all);
	/* Nothing of hex needs an escape. */
	if (layout->root->kid[0]->type == BPFFS_HEX)
		name_max -= 2;
	layout->name_max = min_t(u64, name_max, U32_MAX);
	if (name_max <= BPFFS_WHOLE_NAME_MAX && c->size <= key_max)
		return 0;
	if (c->size > key_max)
		bpffs_reason(c->why, 0, "a %s of more than %u bytes has no names; use key=none",
			     layout->has_plen ? "prefix" : "key", key_max);
	else
		bpffs_reason(c->why, 0,
			     "names could have %llu bytes, more than %u; use key=none, or a layout of fewer characters",
			     (unsigned long long)name_max, BPFFS_WHOLE_NAME_MAX);
	return -ENAMETOOLONG;
}

/* Is a key one leaf whose text, of this kind, is all of its name? */
static bool is_simple(const struct bpffs_layout *layout)
{
	const struct bpffs_field *field = layout->leaf->field;

	if (layout->root->leaves != 1 || layout->name_max > BPFFS_NAME_MAX)
		return false;
	return field->type == BPFFS_HEX || field->plain;
}

static size_t take_room(size_t *total, size_t count, size_t each)
{
	size_t at = *total;

	*total += (count * each + 7) & ~(size_t)7;
	return at;
}

/* One allocation, its size bounded by that of the text. */
static struct bpffs_layout *make_room(struct compiler *c, const char *text)
{
	size_t fields = 2, labels = 0, dims = 0, total = 0;
	size_t field, kid, named, pending, label, label_name, dim, copy;
	void *room;
	u32 i;

	for (i = 0; i < c->len; i++) {
		fields += text[i] == ':' || text[i] == '{' || text[i] == '/';
		labels += text[i] == '{' || text[i] == '/';
		dims += text[i] == '[';
	}
	take_room(&total, 1, sizeof(struct bpffs_layout));
	field = take_room(&total, fields, sizeof(*c->field));
	kid = take_room(&total, fields, sizeof(*c->kid));
	named = take_room(&total, fields, sizeof(*c->named));
	pending = take_room(&total, fields, sizeof(*c->pending));
	label = take_room(&total, labels, sizeof(*c->label));
	label_name = take_room(&total, labels, sizeof(*c->label_name));
	dim = take_room(&total, dims, sizeof(*c->dim));
	copy = take_room(&total, c->len + 1, 1);
	room = bpffs_zalloc(total);
	if (!room)
		return NULL;
	c->field = room + field;
	c->kid = room + kid;
	c->named = room + named;
	c->pending = room + pending;
	c->label = room + label;
	c->label_name = room + label_name;
	c->dim = room + dim;
	c->text = memcpy(room + copy, text, c->len);
	return room;
}

int bpffs_layout_compile(struct bpffs_layout **result, const char *text,
			 size_t len, u32 size, enum bpffs_use use,
			 struct bpffs_reason *why)
{
	struct compiler c = { .use = use, .why = why, .size = size };
	struct bpffs_layout *layout;
	char hex[16];
	int err;

	*result = NULL;
	if (len > BPFFS_LAYOUT_TEXT_MAX) {
		bpffs_reason(why, 0, "a layout has %u bytes at most", BPFFS_LAYOUT_TEXT_MAX);
		return -E2BIG;
	}
	if (word_is(text, len, "hex") && size) {
		len = snprintf(hex, sizeof(hex), "hex%u", size);
		text = hex;
	}
	c.len = len;
	layout = make_room(&c, text);
	if (!layout)
		return -ENOMEM;
	layout->root = new_field(&c);
	layout->root->type = BPFFS_GROUP;
	c.frame[0].group = layout->root;
	err = take_layout(&c);
	if (!err)
		err = adopt(&c, layout->root, 0);
	if (!err)
		err = check_whole(&c, layout);
	if (!err)
		err = bpffs_keep_leaves(layout, use);
	if (err) {
		bpffs_free(layout);
		return err;
	}
	layout->root->size = size;
	layout->simple = use == BPFFS_KEY && is_simple(layout);
	*result = layout;
	return 0;
}

void bpffs_layout_release(struct bpffs_layout *layout)
{
	if (!layout)
		return;
	bpffs_free(layout->leaf);
	bpffs_free(layout);
}

u32 bpffs_layout_size(const struct bpffs_layout *layout)
{
	return layout->root->size;
}

bool bpffs_layout_has_plen(const struct bpffs_layout *layout)
{
	return layout->has_plen;
}

u32 bpffs_layout_name_max(const struct bpffs_layout *layout)
{
	return layout->name_max;
}

u32 bpffs_layout_bare(const struct bpffs_layout *layout)
{
	const struct bpffs_field *root = layout->root;
	u32 bare = 0, i;

	for (i = 0; i < root->kids; i++)
		bare += bpffs_is_bare(root->kid[i]);
	return bare;
}

u32 bpffs_layout_leaves(const struct bpffs_layout *layout)
{
	return layout->root->leaves;
}

/* --- The canonical text --- */

struct printer {
	char *buf;
	size_t size;
	size_t len;
};

__printf(2, 3)
static void put(struct printer *p, const char *fmt, ...)
{
	size_t room = p->len < p->size ? p->size - p->len : 0;
	va_list args;

	va_start(args, fmt);
	p->len += vsnprintf(room ? p->buf + p->len : NULL, room, fmt, args);
	va_end(args);
}

static void print_fields(struct printer *p, const struct bpffs_field *group);

static void print_labels(struct printer *p, const struct bpffs_field *field)
{
	u32 i;

	for (i = 0; i < field->labels; i++) {
		const struct bpffs_label *label = &field->label[i];

		put(p, "%c%.*s=", i ? '/' : '{', (int)label->len, label->name);
		if (field->sign == BPFFS_SIGNED)
			put(p, "%lld", (long long)label->value);
		else if (field->sign == BPFFS_AS_HEX)
			put(p, "0x%llx", (unsigned long long)label->value);
		else
			put(p, "%llu", (unsigned long long)label->value);
	}
	if (i)
		put(p, "}");
}

/* An integer's parts, which begin at @kid; returns how many. */
static u32 print_bits(struct printer *p, struct bpffs_field * const *kid)
{
	u32 i = 0;

	put(p, "%s{", kid[0]->base->name);
	do {
		put(p, "%s%.*s.", i ? "/" : "", (int)kid[i]->name_len, kid[i]->name ?: "");
		if (kid[i]->sign != kid[i]->base->sign)
			put(p, "%c", kid[i]->sign);
		put(p, "%u", kid[i]->width);
		print_labels(p, kid[i]);
	} while (kid[i]->bit + kid[i]->width < 8 * kid[i]->size && ++i);
	put(p, "}");
	return i + 1;
}

static void print_type(struct printer *p, const struct bpffs_field *field)
{
	u32 i;

	if (field->type == BPFFS_GROUP && field->base) {
		print_bits(p, field->kid);
	} else if (field->type == BPFFS_GROUP) {
		put(p, "{");
		print_fields(p, field);
		put(p, "}");
	} else if (field->type == BPFFS_INT) {
		put(p, "%s", field->base->name);
		print_labels(p, field);
	}
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (plain[i].type == field->type)
			put(p, "%s", plain[i].name);
	for (i = 0; i < ARRAY_SIZE(sized); i++)
		if (sized[i].type == field->type)
			put(p, "%s%u", sized[i].name, field->size);
}

/* Recursion not deeper than BPFFS_LAYOUT_DEPTH_MAX. */
static void print_fields(struct printer *p, const struct bpffs_field *group)
{
	const struct bpffs_field *field;
	u32 i, d;

	for (i = 0; i < group->kids; i++) {
		field = group->kid[i];
		if (i)
			put(p, ":");
		if (field->type == BPFFS_BITS) {
			i += print_bits(p, &group->kid[i]) - 1;
			continue;
		}
		if (field->name)
			put(p, "%.*s=", (int)field->name_len, field->name);
		print_type(p, field);
		for (d = 0; d < field->dims; d++)
			put(p, "[%u]", field->dim[d]);
	}
}

size_t bpffs_layout_print(const struct bpffs_layout *layout, char *buf,
			  size_t size)
{
	const struct bpffs_field *root = layout->root;
	struct printer p = { .buf = buf, .size = size };

	if (root->kids == 1 && root->kid[0]->type == BPFFS_HEX &&
	    !root->kid[0]->name && !root->kid[0]->dims)
		put(&p, "hex");
	else
		print_fields(&p, root);
	return p.len;
}

char *bpffs_layout_string(const struct bpffs_layout *layout)
{
	size_t size = bpffs_layout_print(layout, NULL, 0) + 1;
	char *text = bpffs_zalloc(size);

	if (text)
		bpffs_layout_print(layout, text, size);
	return text;
}
