// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Text to values, in pieces that may split the text anywhere.
 *
 * What a field is called is collected in a small buffer until its "=". Then a
 * word is collected likewise, while strings and hex go to the value at once,
 * so that no text is ever held as a whole.
 */
#include "field.h"
#include "text.h"

enum state {
	IN_SPACE,	/* between fields */
	IN_HEAD,	/* in a name, or in a bare text */
	IN_WORD,	/* behind the "=": a text that is taken as a whole */
	IN_BYTES,	/* behind the "=": a string or hex */
};

struct bpffs_parser {
	struct bpffs_shape shape;
	u64 leaves;
	u64 visible;
	u64 fresh_count;
	u64 named_count;
	u64 added_count;
	unsigned long *fresh;
	unsigned long *added;
	unsigned long *named;
	u8 *value;
	void *all;		/* these four */
	u64 bytes;		/* of @all */

	enum state state;
	u64 column;
	u64 fields;	/* completed in this text */
	u32 bare;	/* kids of the root looked at for a bare text */
	u32 kept;	/* leaves whose paths are kept; 0 if names have a CPU, too */
	u64 next;	/* the leaf behind the last that has begun */
	bool new_line;	/* no field has been completed in this line */
	bool applied;	/* bpffs_parse_pause() has completed it as it stands */

	/* The current field. */
	u64 leaf;
	const struct bpffs_field *field;
	u8 *to;
	u32 at;		/* bytes of it that are there */
	u32 escape;	/* characters of a "%HH" that are there */
	u8 partial;	/* the digits of it, or of a byte of hex */
	char add;	/* '+' or '-': its text is added; else NUL */
	u64 word_column;
	u32 len;
	char word[BPFFS_WORD_MAX + 1];
};

/* --- What has been completed --- */

static bool is_visible(const struct bpffs_parser *p, u64 n)
{
	struct bpffs_leaf leaf;

	if (!p->shape.layout->pads)
		return true;
	bpffs_shape_leaf(&p->shape, n, &leaf);
	return !leaf.pad;
}

static void clear_named(struct bpffs_parser *p, u64 n)
{
	if (!test_bit(n, p->named))
		return;
	__clear_bit(n, p->named);
	p->named_count -= is_visible(p, n);
}

static void clear_added(struct bpffs_parser *p, u64 n)
{
	if (!test_bit(n, p->added))
		return;
	__clear_bit(n, p->added);
	p->added_count--;
	__clear_bit(n, p->fresh);
}

static void set_fresh(struct bpffs_parser *p, u64 n)
{
	if (p->added_count)
		clear_added(p, n);
	if (test_bit(n, p->fresh))
		return;
	__set_bit(n, p->fresh);
	p->fresh_count += is_visible(p, n);
}

/* Its bytes are about to change: it is not whole any more. */
static void clear_leaf(struct bpffs_parser *p, u64 n)
{
	if (test_bit(n, p->fresh)) {
		__clear_bit(n, p->fresh);
		p->fresh_count -= is_visible(p, n);
	}
	clear_named(p, n);
}

/* What is set and then added to is set. */
static void set_added(struct bpffs_parser *p, u64 n)
{
	if (test_bit(n, p->fresh))
		return;
	__set_bit(n, p->fresh);
	__set_bit(n, p->added);
	p->added_count++;
	clear_named(p, n);
}

static void forget_fresh(struct bpffs_parser *p)
{
	bitmap_zero(p->fresh, p->leaves);
	if (p->added_count)
		bitmap_zero(p->added, p->leaves);
	p->fresh_count = 0;
	p->added_count = 0;
}

void bpffs_parse_commit(struct bpffs_parser *p)
{
	unsigned long *named = p->named;
	u32 turns = 0;
	u64 n;

	/* Most texts come as a whole. Of padding, it does not matter whether it is named. */
	if (!p->named_count && p->fresh_count == p->visible) {
		p->named = p->fresh;
		p->named_count = p->fresh_count;
		p->fresh = named;
		p->fresh_count = 0;
		if (p->shape.layout->pads)
			bitmap_zero(p->fresh, p->leaves);
		return;
	}
	for (n = bpffs_parse_next_fresh(p, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(p, n + 1)) {
		if (!bpffs_go_on_turn(&turns))
			break;
		if (test_bit(n, p->named) || test_bit(n, p->added))
			continue;
		__set_bit(n, p->named);
		p->named_count += is_visible(p, n);
	}
	forget_fresh(p);
}

bool bpffs_parse_all_fresh(const struct bpffs_parser *p)
{
	return p->fresh_count == p->visible;
}

/* Leaves both named and fresh must not count twice. */
bool bpffs_parse_all_named(const struct bpffs_parser *p)
{
	u64 both = 0, n;
	u32 turns = 0;

	if (p->fresh_count + p->named_count < p->visible)
		return false;
	for (n = bpffs_parse_next_fresh(p, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(p, n + 1)) {
		if (!bpffs_go_on_turn(&turns))
			return false;
		both += test_bit(n, p->named) && !test_bit(n, p->added) && is_visible(p, n);
	}
	return p->fresh_count + p->named_count - both == p->visible;
}

const void *bpffs_parse_value(const struct bpffs_parser *p)
{
	return p->value;
}

u64 bpffs_parse_next_fresh(const struct bpffs_parser *p, u64 n)
{
	u64 next = find_next_bit(p->fresh, p->leaves, n);

	return next < p->leaves ? next : U64_MAX;
}

bool bpffs_parse_any_fresh(const struct bpffs_parser *p)
{
	return p->fresh_count || bpffs_parse_next_fresh(p, 0) != U64_MAX;
}

bool bpffs_parse_adds(const struct bpffs_parser *p)
{
	return p->added_count;
}

bool bpffs_parse_is_added(const struct bpffs_parser *p, u64 n)
{
	return p->added_count && test_bit(n, p->added);
}

/* --- Which field is it? --- */

/* What is left of a name, and the field it has led to. */
struct lookup {
	const struct bpffs_parser *p;
	const char *name;
	u32 len;
	u64 copy;
	u64 leaf;
};

/* The part of a name up to the next ".", which is taken too. */
static u32 take_part(struct lookup *l, const char **part)
{
	const char *dot = memchr(l->name, '.', l->len);
	u32 len = dot ? (u32)(dot - l->name) : l->len;

	*part = l->name;
	l->name += len + !!dot;
	l->len -= len + !!dot;
	return len;
}

static bool take_index(struct lookup *l, u64 limit, u64 *index)
{
	const char *part;
	u32 len = take_part(l, &part);
	bool negative;

	return bpffs_take_number(part, len, index, &negative) && !negative &&
	       *index < limit;
}

/* "cpu3": which copy is it? */
static bool take_cpu(struct lookup *l)
{
	const u32 *cpus = l->p->shape.cpus;
	u32 low = 0, high = l->p->shape.copies;
	u64 cpu;

	if (l->len < 4 || memcmp(l->name, "cpu", 3))
		return false;
	l->name += 3;
	l->len -= 3;
	if (!take_index(l, U32_MAX, &cpu))
		return false;
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if (cpus[middle] <= cpu)
			low = middle;
		else
			high = middle;
	}
	l->copy = low;
	return cpus[low] == cpu;
}

static const struct bpffs_field *find_named(const struct bpffs_field *group,
					    const char *name, u32 len)
{
	u32 low = 0, high = group->nr_named;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct bpffs_field *field = group->named[middle];
		int diff = memcmp(name, field->name, min(len, field->name_len));

		if (!diff && len == field->name_len)
			return field;
		if (diff < 0 || (!diff && len < field->name_len))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* A kid of @group by the next part of the name, its index by the parts that follow. */
static const struct bpffs_field *take_kid(struct lookup *l,
					  const struct bpffs_field *group)
{
	const struct bpffs_field *kid;
	const char *part;
	u64 index, all = 0;
	u32 len, d;

	if (!l->len) {
		kid = group->anon_leaf;
	} else if (l->name[0] >= '0' && l->name[0] <= '9') {
		kid = group->anon_array;
	} else {
		len = take_part(l, &part);
		kid = find_named(group, part, len);
	}
	if (!kid)
		return NULL;
	for (d = 0; d < kid->dims; d++) {
		if (!take_index(l, kid->dim[d], &index))
			return NULL;
		all = all * kid->dim[d] + index;
	}
	l->leaf += kid->leaf + all * kid->leaves;
	return kid;
}

/* "~OFFSET" or "~OFFSET.BIT": padding. */
static bool find_padding(struct lookup *l)
{
	u32 low = 0, high = bpffs_layout_leaves(l->p->shape.layout);
	struct bpffs_leaf leaf;
	u64 offset, bit = 0;
	bool has_bit;

	l->name++;
	l->len--;
	if (!take_index(l, U32_MAX, &offset))
		return false;
	has_bit = l->len;
	if (has_bit && !take_index(l, 64, &bit))
		return false;
	/* The last leaf that begins there or before. */
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		bpffs_layout_leaf(l->p->shape.layout, middle, &leaf);
		if (leaf.offset < offset || (leaf.offset == offset && leaf.bit <= bit))
			low = middle;
		else
			high = middle;
	}
	bpffs_layout_leaf(l->p->shape.layout, low, &leaf);
	l->leaf = low;
	return leaf.pad && leaf.offset == offset && leaf.bit == bit &&
	       !!leaf.width == has_bit;
}

static bool find_leaf(struct lookup *l)
{
	const struct bpffs_field *field = l->p->shape.layout->root;

	if (l->p->shape.cpus && !take_cpu(l))
		return false;
	if (l->len && l->name[0] == '~')
		return find_padding(l) && !l->len;
	do {
		field = take_kid(l, field);
	} while (field && field->type == BPFFS_GROUP);
	return field && !l->len;
}

/* --- The text of a field --- */

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n';
}

static bool is_bytes(const struct bpffs_field *field)
{
	return field->type == BPFFS_HEX || field->type == BPFFS_STR ||
	       field->type == BPFFS_PAD;
}

/* Of a path, in a sentence. */
#define PATH_SHOWN	63U

/* Where the text is wrong, and what it is the text of. */
static int refuse(const struct bpffs_parser *p, u64 column,
		  struct bpffs_reason *why, const char *reason)
{
	u32 leaves = bpffs_layout_leaves(p->shape.layout);
	const struct bpffs_found *leaf;
	struct bpffs_found_room room __uninitialized;
	u64 copy;

	if (!why)
		return -EINVAL;
	copy = div64_u64(p->leaf, leaves);
	leaf = bpffs_find_leaf(p->shape.layout, p->leaf - copy * leaves, &room);
	return bpffs_reason(why, min_t(u64, column, U32_MAX), "%.*s%s%s",
			    (int)min(leaf->path_len, PATH_SHOWN), leaf->path,
			    leaf->path_len ? ": " : "", reason);
}

#define LONG_FIELD	4096

/* Return: 0, -EINTR. */
static int begin_field(struct bpffs_parser *p, u64 leaf)
{
	u32 leaves = bpffs_layout_leaves(p->shape.layout);
	u64 copy = div64_u64(leaf, leaves);
	u32 offset;

	p->leaf = leaf;
	p->next = leaf + 1;
	p->field = bpffs_leaf_field(p->shape.layout, leaf - copy * leaves, &offset);
	p->to = p->value + copy * p->shape.stride + offset;
	p->at = 0;
	p->escape = 0;
	p->len = 0;
	p->add = '\0';
	if (!is_bytes(p->field)) {
		p->state = IN_WORD;
		return 0;
	}
	p->state = IN_BYTES;
	clear_leaf(p, leaf);
	memset(p->to, 0, p->field->size);
	/* A short text can begin a long field many times. */
	return p->field->size < LONG_FIELD || bpffs_go_on() ? 0 : -EINTR;
}

/* Padding in an integer is hex without "0x". */
static int take_pad_bits(struct bpffs_parser *p)
{
	u64 number = 0;
	u32 i;

	if (!p->len || p->len > bpffs_pad_digits(p->field))
		return -EINVAL;
	for (i = 0; i < p->len; i++) {
		if (bpffs_hex_digit(p->word[i]) < 0)
			return -EINVAL;
		number = number << 4 | bpffs_hex_digit(p->word[i]);
	}
	if (p->field->width < 64 && number >> p->field->width)
		return -EINVAL;
	bpffs_save(p->field, p->to, number);
	return 0;
}

/* An amount, in the bytes of the field; what comes again in this text adds up. */
static int take_amount(struct bpffs_parser *p, struct bpffs_reason *reason)
{
	bool again = test_bit(p->leaf, p->fresh);
	u8 bytes[8] = {};
	u64 amount;
	int err;

	err = bpffs_take_word(p->field, p->word, p->len, bytes, reason);
	if (err)
		return err;
	amount = bpffs_load(p->field, bytes);
	if (p->add == '-')
		amount = -amount;
	bpffs_save(p->field, p->to, again ? bpffs_load(p->field, p->to) + amount : amount);
	return 0;
}

static int end_word(struct bpffs_parser *p, struct bpffs_reason *why)
{
	struct bpffs_reason reason = {};
	int err;

	if (p->add) {
		err = take_amount(p, &reason);
	} else if (bpffs_is_pad(p->field)) {
		err = take_pad_bits(p);
		bpffs_reason(&reason, 0, "the padding has %u bits, in hex",
			     p->field->width);
	} else {
		err = bpffs_take_word(p->field, p->word, p->len, p->to, &reason);
	}
	return err ? refuse(p, p->word_column, why, reason.text) : 0;
}

static int end_bytes(struct bpffs_parser *p, struct bpffs_reason *why)
{
	char wanted[64], reason[128];

	if (p->field->type == BPFFS_STR) {
		if (!p->escape)
			return 0;
		return refuse(p, p->column, why, "two hex digits expected behind \"%\"");
	}
	if (p->at == p->field->size && !p->escape)
		return 0;
	bpffs_describe(p->field, wanted, sizeof(wanted));
	snprintf(reason, sizeof(reason), "%llu digits are not %s",
		 2ULL * p->at + p->escape, wanted);
	return refuse(p, p->word_column, why, reason);
}

/* The next leaf without a name, for a text without one; else U64_MAX. */
static u64 next_bare(struct bpffs_parser *p)
{
	const struct bpffs_field *root = p->shape.layout->root;

	if (p->shape.cpus)
		return U64_MAX;
	while (p->bare < root->kids)
		if (bpffs_is_bare(root->kid[p->bare++]))
			return root->kid[p->bare - 1]->leaf;
	return U64_MAX;
}

static int take_byte(struct bpffs_parser *p, char c, struct bpffs_reason *why);

/* A bare text, but no field is left for it. */
static int refuse_bare(const struct bpffs_parser *p, struct bpffs_reason *why)
{
	char head[32];
	u32 shown = min_t(u32, p->len, sizeof(head)), i;

	for (i = 0; i < shown; i++)
		head[i] = p->word[i] > ' ' && p->word[i] <= '~' ? p->word[i] : '?';
	return bpffs_reason(why, min_t(u64, p->word_column, U32_MAX),
			    "\"%.*s\" is for no field; give NAME=TEXT", shown, head);
}

/* The head is no name but a bare text. */
static int begin_bare(struct bpffs_parser *p, struct bpffs_reason *why)
{
	char head[sizeof(p->word)];
	u64 leaf = next_bare(p);
	u32 len = p->len, i;
	int err;

	if (leaf == U64_MAX)
		return refuse_bare(p, why);
	memcpy(head, p->word, len);
	err = begin_field(p, leaf);
	if (err)
		return err;
	if (p->state == IN_WORD) {
		p->len = len;
		return 0;
	}
	for (i = 0; i < len; i++) {
		p->column = p->word_column + i;
		err = take_byte(p, head[i], why);
		if (err)
			return err;
	}
	p->column = p->word_column + len;
	return 0;
}

/* Behind "+=" or "-=": the field is one to be added to. */
static int begin_amount(struct bpffs_parser *p, char sign, struct bpffs_reason *why)
{
	if (sign && !bpffs_is_numeric(p->field))
		return refuse(p, p->column, why, "only to a decimal number can be added");
	p->add = sign;
	p->len = 0;
	p->word_column = p->column + 1;
	return 0;
}

static bool is_sign(char ch)
{
	return ch == '+' || ch == '-';
}

/* "=": the head is a name, and maybe a sign. */
static int end_name(struct bpffs_parser *p, struct bpffs_reason *why)
{
	char sign = p->len && is_sign(p->word[p->len - 1]) ? p->word[p->len - 1] : '\0';
	struct lookup l = { .p = p, .name = p->word, .len = p->len - !!sign };
	u64 leaf = U64_MAX;
	char head[48];
	u32 shown, i;

	if (l.len && find_leaf(&l))
		leaf = l.leaf + l.copy * bpffs_layout_leaves(p->shape.layout);
	else if (p->len == 1 && sign)
		leaf = next_bare(p);
	if (leaf != U64_MAX)
		return begin_field(p, leaf) ?: begin_amount(p, sign, why);
	shown = min_t(u32, p->len, sizeof(head));
	for (i = 0; i < shown; i++)
		head[i] = p->word[i] > ' ' && p->word[i] <= '~' ? p->word[i] : '?';
	return bpffs_reason(why, min_t(u64, p->word_column, U32_MAX),
			    "there is no field \"%.*s\"", shown, head);
}

/* One more character of a text that is collected. */
static int take_head(struct bpffs_parser *p, char c, struct bpffs_reason *why)
{
	int err;

	if (p->len < BPFFS_WORD_MAX) {
		p->word[p->len++] = c;
		return 0;
	}
	if (p->state == IN_HEAD) {
		err = begin_bare(p, why);
		if (err)
			return err;
		if (p->state == IN_BYTES)
			return take_byte(p, c, why);
	}
	return refuse(p, p->word_column, why, "the text is too long");
}

static int store_byte(struct bpffs_parser *p, u8 byte, struct bpffs_reason *why)
{
	char reason[64];

	if (p->at < p->field->size) {
		p->to[p->at++] = byte;
		return 0;
	}
	if (!byte && p->field->type == BPFFS_STR)
		return 0;
	snprintf(reason, sizeof(reason), "longer than %u bytes", p->field->size);
	return refuse(p, p->column, why, reason);
}

/* One more character of a string or of hex. */
static int take_byte(struct bpffs_parser *p, char c, struct bpffs_reason *why)
{
	int digit = bpffs_hex_digit(c);
	bool hex = p->field->type != BPFFS_STR;
	u32 digits = hex ? 2 : 3;

	if (!hex && !p->escape) {
		if (c != '%')
			return store_byte(p, c, why);
		p->escape = 1;
		p->partial = 0;
		return 0;
	}
	if (digit < 0 && hex)
		return refuse(p, p->column, why, "this is not hex");
	if (digit < 0)
		return refuse(p, p->column, why, "two hex digits expected behind \"%\"");
	p->partial = p->partial << 4 | digit;
	if (++p->escape < digits)
		return 0;
	p->escape = 0;
	return store_byte(p, p->partial, why);
}

/* The field, as far as it is there, is complete. */
static int complete_field(struct bpffs_parser *p, struct bpffs_reason *why)
{
	int err = p->state == IN_WORD ? end_word(p, why) : end_bytes(p, why);

	if (!err && p->add)
		set_added(p, p->leaf);
	else if (!err)
		set_fresh(p, p->leaf);
	return err;
}

static int end_field(struct bpffs_parser *p, struct bpffs_reason *why)
{
	int err = 0;

	if (p->state == IN_HEAD)
		err = begin_bare(p, why);
	if (!err)
		err = complete_field(p, why);
	if (err)
		return err;
	p->state = IN_SPACE;
	p->fields++;
	p->new_line = false;
	return 0;
}

static int take_char(struct bpffs_parser *p, char c, struct bpffs_reason *why)
{
	int err = 0;

	p->column++;
	if (is_blank(c)) {
		if (p->state != IN_SPACE)
			err = end_field(p, why);
		if (c == '\n') {
			p->column = 0;
			p->new_line = true;
		}
		return err;
	}
	p->applied = false;
	if (p->state == IN_SPACE) {
		p->word_column = p->column;
		p->len = 0;
		p->state = IN_HEAD;
		/* Then "=" is a character as any other. */
		if (p->shape.layout->sole_bare && !p->shape.cpus) {
			p->bare = 0;
			if (!p->new_line)
				return refuse(p, p->column, why,
					      "there is one field only; a blank is written %20");
			err = begin_field(p, next_bare(p));
			if (err)
				return err;
		}
	}
	if (p->state == IN_BYTES) {
		clear_leaf(p, p->leaf);
		return take_byte(p, c, why);
	}
	if (p->state == IN_HEAD && c == '=')
		return end_name(p, why);
	/* The only field has begun without a name. */
	if (p->state == IN_WORD && c == '=' && p->shape.layout->sole_bare &&
	    !p->shape.cpus && !p->add && p->len == 1 && is_sign(p->word[0]))
		return begin_amount(p, p->word[0], why);
	return take_head(p, c, why);
}

/* Bytes of hex, as far as there are both digits and room. */
static size_t take_hex(struct bpffs_parser *p, const char *text, size_t len)
{
	u32 bytes = bpffs_take_hex(p->to + p->at, text,
				   min_t(size_t, len / 2, p->field->size - p->at));

	p->at += bytes;
	if (bytes)
		clear_leaf(p, p->leaf);
	return 2 * bytes;
}

/* Of a text that is collected, what neither ends it nor might be the end of a name. */
static size_t take_plain(struct bpffs_parser *p, const char *text, size_t len)
{
	size_t done;

	for (done = 0; done < len && p->len < BPFFS_WORD_MAX; done++) {
		char c = text[done];

		if (is_blank(c) || c == '=')
			break;
		p->word[p->len++] = c;
	}
	return done;
}

/* Of a word or a string that a blank ends; else more than there can be. */
static size_t word_len(const char *text, size_t len)
{
	size_t i, most = min_t(size_t, len, BPFFS_WORD_MAX + 1);

	for (i = 0; i < most; i++)
		if (is_blank(text[i]))
			return i;
	return BPFFS_WORD_MAX + 1;
}

/* Of an integer in decimal that a blank follows; else 0. No label consists of digits. */
static size_t take_decimal(const struct bpffs_field *field, const char *text, size_t len,
			   u8 *to)
{
	u32 bits = 8 * field->size - (field->sign == BPFFS_SIGNED);
	u64 number = 0;
	u32 digit;
	size_t i;

	for (i = 0; i < len; i++) {
		digit = text[i] - '0';
		if (digit > 9)
			break;
		number = 10 * number + digit;
	}
	/* More digits could be more than 64 bits. */
	if (!i || i > 19 || i == len || !is_blank(text[i]) || number >> (bits - 1) > 1)
		return 0;
	bpffs_save(field, to, number);
	return i;
}

/* The whole text of a field that a blank follows; 0 if it is not as it is read. */
static size_t take_value(const struct bpffs_field *field, const char *text, size_t len, u8 *to)
{
	size_t size = field->size, end;

	switch (field->type) {
	case BPFFS_INT:
		end = take_decimal(field, text, len, to);
		if (end)
			return end;
		break;
	case BPFFS_HEX:
		end = 2 * size;
		return end < len && bpffs_take_hex(to, text, size) == size ? end : 0;
	}
	end = word_len(text, len);
	if (end > BPFFS_WORD_MAX)
		return 0;
	if (field->type != BPFFS_STR)
		return bpffs_take_word(field, text, end, to, NULL) ? 0 : end;
	if (end > size || size >= LONG_FIELD || memchr(text, '%', end))
		return 0;
	memcpy(to, text, end);
	memset(to + end, 0, size - end);
	return end;
}

/*
 * A whole field at once, if it is the next one of the layout and written as it is read,
 * as nearly all are. If it is not, 0: take_char() then finds what it is, or what is wrong.
 */
static size_t take_field(struct bpffs_parser *p, const char *text, size_t len)
{
	const struct bpffs_found *found = p->shape.layout->leaf;
	size_t name, end;

	while (p->next < p->kept && bpffs_is_pad(found[p->next].field))
		p->next++;
	if (p->next >= p->kept)
		return 0;
	found += p->next;
	name = bpffs_prefix_len(found);
	if (name >= len || memcmp(text, found->path, name))
		return 0;
	/* "=" may follow a bare text, unless there is no name at all. */
	if (!name && !p->shape.layout->sole_bare)
		return 0;
	end = name + take_value(found->field, text + name, len - name, p->value + found->offset);
	if (end == name || !is_blank(text[end]))
		return 0;
	set_fresh(p, p->next++);
	p->fields++;
	p->new_line = text[end] == '\n';
	p->column = p->new_line ? 0 : p->column + end + 1;
	p->applied = false;
	return end + 1;
}

/*
 * The characters that need no more than to be taken, many at once: most of a long text.
 * It does what take_char() does with each.
 */
static size_t take_many(struct bpffs_parser *p, const char *text, size_t len)
{
	size_t done = 0;

	if (p->state == IN_SPACE)
		return take_field(p, text, len);
	if (p->state == IN_BYTES && p->field->type != BPFFS_STR && !p->escape)
		done = take_hex(p, text, len);
	else if (p->state == IN_HEAD || p->state == IN_WORD)
		done = take_plain(p, text, len);
	if (done) {
		p->column += done;
		p->applied = false;
	}
	return done;
}

int bpffs_parse_piece(struct bpffs_parser *p, const char *text, size_t len,
		      struct bpffs_reason *why)
{
	size_t i, done;
	int err;

	for (i = 0; i < len; i += done) {
		done = take_many(p, text + i, len - i);
		if (done)
			continue;
		err = take_char(p, text[i], why);
		if (err) {
			bpffs_parse_begin(p);
			return err;
		}
		done = 1;
	}
	return 0;
}

/* A head may be the begin of a name. */
int bpffs_parse_pause(struct bpffs_parser *p, struct bpffs_reason *why)
{
	if (p->fields || (p->state != IN_WORD && p->state != IN_BYTES))
		return 0;
	if (!p->add) {
		p->applied = !complete_field(p, NULL);
		return 0;
	}
	refuse(p, 0, why, "an addition ends in a newline");
	bpffs_parse_begin(p);
	return -EINVAL;
}

bool bpffs_parse_is_within(const struct bpffs_parser *p)
{
	if (p->state != IN_SPACE)
		return true;
	/* Of the only field, what follows in its line is refused. */
	if (p->shape.layout->sole_bare && !p->shape.cpus)
		return !p->new_line;
	return p->bare;
}

bool bpffs_parse_unfinished(struct bpffs_parser *p, struct bpffs_reason *why)
{
	if (p->state == IN_SPACE || p->applied)
		return false;
	if (p->state == IN_HEAD && next_bare(p) == U64_MAX)
		refuse_bare(p, why);
	else if (p->state == IN_HEAD)
		bpffs_reason(why, 0, "a text of several fields ends in a newline");
	else if (p->add)
		refuse(p, 0, why, "an addition ends in a newline");
	else if (p->fields || !complete_field(p, why))
		refuse(p, 0, why, "a text of several fields ends in a newline");
	return true;
}

/* --- Begin and end --- */

void bpffs_parse_begin(struct bpffs_parser *p)
{
	memset(p->all, 0, p->bytes);
	p->fresh_count = 0;
	p->added_count = 0;
	p->named_count = 0;
	p->state = IN_SPACE;
	p->column = 0;
	p->fields = 0;
	p->bare = 0;
	p->next = 0;
	p->new_line = true;
	p->applied = false;
	p->leaf = 0;
	p->len = 0;
	p->add = '\0';
}

struct bpffs_parser *bpffs_parser_new(const struct bpffs_shape *shape)
{
	u64 leaves = (u64)bpffs_layout_leaves(shape->layout) * shape->copies;
	size_t longs = BITS_TO_LONGS(leaves);
	struct bpffs_parser *p = bpffs_zalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->shape = *shape;
	p->leaves = leaves;
	p->kept = shape->layout->leaf && !shape->cpus ? leaves : 0;
	p->visible = leaves - (u64)shape->layout->pads * shape->copies;
	p->bytes = 3 * longs * sizeof(long) + (u64)shape->copies * shape->stride;
	p->all = bpffs_zalloc(p->bytes);
	if (!p->all) {
		bpffs_free(p);
		return NULL;
	}
	p->fresh = p->all;
	p->added = p->fresh + longs;
	p->named = p->added + longs;
	p->value = (u8 *)(p->named + longs);
	bpffs_parse_begin(p);
	return p;
}

void bpffs_parser_free(struct bpffs_parser *p)
{
	if (!p)
		return;
	bpffs_free(p->all);
	bpffs_free(p);
}
