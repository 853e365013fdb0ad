// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of values: it is the same in whatever pieces it is read, gives the
 * same bytes back, and is understood alike in whatever pieces it comes.
 *
 * input: a layout, a newline, "1" to "3" copies ("1" is no per-CPU value), and
 * either "b" and the bytes of a value, or "t" and a text in which
 *
 *	|	ends a write(): pause, then commit
 *	^	ends a piece
 *	!	pauses only
 *	&	begins a new text
 *	\	takes the next byte as it is
 */
#include "fuzz.h"

#define VALUE_MAX	2048
#define COPIES_MAX	3

static const u32 cpus[COPIES_MAX] = { 0, 2, 4000000000 };

static char *text_of(const struct bpffs_shape *shape, const u8 *value, size_t *len)
{
	u64 size = bpffs_text_size(shape, value);
	struct bpffs_text_pos pos = {};
	char *text = malloc(size + 1);

	*len = bpffs_text_read(shape, value, 0, &pos, text, size + 1);
	law(*len == size, "a size of %llu, a text of %zu", (unsigned long long)size, *len);
	law(is_safe(text, *len, "/\n "), "unsafe: %.*s", (int)*len, text);
	law(!bpffs_text_read(shape, value, size, &pos, text + size, 1), "no end");
	return text;
}

/* Reads at odd places, with the position of the last and without. */
static void check_reads(const struct bpffs_shape *shape, const u8 *value, const char *text,
			size_t len, u32 random)
{
	struct bpffs_text_pos pos = {}, none;
	size_t at = 0, want, got, i;
	char *part;

	for (i = 0; i < 16 && len; i++) {
		random = random * 1664525 + 1013904223;
		want = 1 + (random >> 8) % (i & 1 ? 16 : 700);
		if (random >> 30 == 0)
			at = (random >> 4) % len;
		part = malloc(want);
		got = bpffs_text_read(shape, value, at, &pos, part, want);
		law(got == min(want, len - at) && !memcmp(part, text + at, got),
		    "a read of %zu at %zu", want, at);
		memset(&none, 0, sizeof(none));
		law(bpffs_text_read(shape, value, at, &none, part, want) == got &&
		    !memcmp(part, text + at, got), "a first read of %zu at %zu", want, at);
		free(part);
		at += got;
	}
}

static struct bpffs_parser *parser_of(const struct bpffs_shape *shape)
{
	struct bpffs_parser *parser = bpffs_parser_new(shape);

	law(parser, "no memory");
	bpffs_parse_begin(parser);
	return parser;
}

/* Bytes to text, and back. */
static void check_bytes(const struct bpffs_shape *shape, const u8 *value)
{
	size_t bytes = (size_t)shape->copies * shape->stride, len;
	struct bpffs_parser *parser = parser_of(shape);
	char *text = text_of(shape, value, &len);
	struct bpffs_reason why = {};
	u8 *sum;

	check_reads(shape, value, text, len, value[0] | value[bytes / 2] << 8);
	law(!bpffs_parse_piece(parser, text, len, &why), "refused: %s", why.text);
	law(bpffs_parse_all_fresh(parser) && bpffs_parse_all_named(parser) &&
	    !bpffs_parse_unfinished(parser, &why), "unfinished: %.*s", (int)len, text);
	law(!memcmp(bpffs_parse_value(parser), value, bytes), "another value: %.*s",
	    (int)len, text);
	bpffs_parser_free(parser);
	free(text);

	sum = malloc(bpffs_layout_size(shape->layout));
	bpffs_value_sum(shape, value, sum);
	law(shape->copies > 1 || !memcmp(sum, value, bpffs_layout_size(shape->layout)),
	    "the sum of one");
	free(sum);
}

/**
 * struct script - a text that comes in pieces
 * @shape: of the value
 * @parser: gets the pieces
 * @all: the text since it has begun, or since the last error
 * @len: of @all
 * @piece: where in @all the current piece begins
 * @added: a piece of it has added
 * @effect: what the text so far, as far as it is committed, has made of zeros
 */
struct script {
	const struct bpffs_shape *shape;
	struct bpffs_parser *parser;
	char *all;
	size_t len;
	size_t piece;
	bool added;
	u8 *effect;
};

static size_t bytes_of(const struct bpffs_shape *shape)
{
	return (size_t)shape->copies * shape->stride;
}

/* The byte of a bit of a leaf, counted from the least significant one of its unit. */
static u32 byte_of(const struct bpffs_leaf *leaf, u32 bit)
{
	bool swapped = leaf->big_endian || __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	return leaf->offset + (swapped ? leaf->size - 1 - bit / 8 : bit / 8);
}

/* What storing the fresh leaves of @parser makes of @value. */
static void apply(const struct bpffs_shape *shape, const struct bpffs_parser *parser,
		  u8 *value)
{
	const u8 *from = bpffs_parse_value(parser);
	struct bpffs_leaf leaf;
	u32 bit, at, mask;
	u64 n;

	for (n = bpffs_parse_next_fresh(parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(parser, n + 1)) {
		bpffs_shape_leaf(shape, n, &leaf);
		if (bpffs_parse_is_added(parser, n)) {
			law(leaf.numeric, "leaf %llu is no number", (unsigned long long)n);
			bpffs_shape_add(shape, n, from, value);
		} else if (!leaf.width) {
			memcpy(value + leaf.offset, from + leaf.offset, leaf.size);
		}
		for (bit = leaf.bit; leaf.width && bit < leaf.bit + leaf.width; bit++) {
			if (bpffs_parse_is_added(parser, n))
				break;
			at = byte_of(&leaf, bit);
			mask = 1 << bit % 8;
			value[at] = (value[at] & ~mask) | (from[at] & mask);
		}
	}
}

/* The fresh leaves are stored. */
static void commit(struct script *s)
{
	apply(s->shape, s->parser, s->effect);
	bpffs_parse_commit(s->parser);
	law(!bpffs_parse_adds(s->parser), "an addition would be done again");
}

/* Between fields, pieces and pauses have made no difference. */
static void check_whole(struct script *s, const struct bpffs_parser *whole)
{
	size_t bytes = bytes_of(s->shape);
	u8 *once = calloc(1, bytes), *pieces = exact(s->effect, bytes);
	u64 n;

	apply(s->shape, whole, once);
	apply(s->shape, s->parser, pieces);
	law(!memcmp(once, pieces, bytes), "another value in one piece: %.*s", (int)s->len, s->all);
	free(once);
	free(pieces);
	law(!bpffs_parse_unfinished(s->parser, NULL), "unfinished between fields");
	law(bpffs_parse_all_named(whole) == bpffs_parse_all_fresh(whole), "all of one piece");
	/* What is set and then added to is set, if it was not stored in between. */
	law(bpffs_parse_all_named(whole) >= bpffs_parse_all_named(s->parser),
	    "other leaves in one piece: %.*s", (int)s->len, s->all);
	if (!s->added)
		law(bpffs_parse_all_named(whole) == bpffs_parse_all_named(s->parser),
		    "fewer leaves in pieces: %.*s", (int)s->len, s->all);
	for (n = bpffs_parse_next_fresh(s->parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(s->parser, n + 1))
		law(bpffs_parse_next_fresh(whole, n) == n, "leaf %llu is not of %.*s",
		    (unsigned long long)n, (int)s->len, s->all);
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\n';
}

/* What comes is another text. */
static void begin_text(struct script *s)
{
	s->len = 0;
	s->piece = 0;
	s->added = false;
	memset(s->effect, 0, bytes_of(s->shape));
}

/* The piece ends: parse it, and then its text from the begin as one. */
static void end_piece(struct script *s)
{
	size_t size = s->len - s->piece;
	char *piece = exact(s->all + s->piece, size);
	struct bpffs_reason why = {}, once = {};
	struct bpffs_parser *whole = parser_of(s->shape);
	int err, err2;

	err = bpffs_parse_piece(s->parser, piece, size, &why);
	err2 = bpffs_parse_piece(whole, s->all, s->len, &once);
	law(err == err2, "%s%s of %.*s in one piece only", why.text, once.text,
	    (int)s->len, s->all);
	s->piece = s->len;
	s->added |= bpffs_parse_adds(s->parser) || bpffs_parse_adds(whole);
	if (err) {
		law(err == -EINVAL, "error %d", err);
		check_reason(&why, s->len);
		law(why.column == once.column && !strcmp(why.text, once.text),
		    "%u: %s, in one piece %u: %s", why.column, why.text, once.column,
		    once.text);
		law(bpffs_parse_next_fresh(s->parser, 0) == U64_MAX, "fresh after an error");
		law(!bpffs_parse_unfinished(s->parser, &why), "unfinished after an error");
		begin_text(s);
	} else if (s->len && is_blank(s->all[s->len - 1])) {
		check_whole(s, whole);
	}
	bpffs_parser_free(whole);
	free(piece);
}

/* What pause has completed has a text, which gives the same bytes. */
static void pause_text(struct script *s)
{
	u64 leaves = (u64)bpffs_layout_leaves(s->shape->layout) * s->shape->copies;
	struct bpffs_leaf leaf;
	struct bpffs_reason why = {};
	u64 n, last = 0;

	if (bpffs_parse_pause(s->parser, &why)) {
		check_reason(&why, s->len);
		law(bpffs_parse_next_fresh(s->parser, 0) == U64_MAX, "fresh after a refusal");
		begin_text(s);
		return;
	}
	for (n = bpffs_parse_next_fresh(s->parser, 0); n != U64_MAX;
	     n = bpffs_parse_next_fresh(s->parser, n + 1)) {
		law(n < leaves && n >= last, "fresh leaf %llu", (unsigned long long)n);
		bpffs_shape_leaf(s->shape, n, &leaf);
		law((u64)leaf.offset + leaf.size <= (u64)s->shape->copies * s->shape->stride,
		    "leaf %llu is outside", (unsigned long long)n);
		last = n;
	}
	check_bytes(s->shape, bpffs_parse_value(s->parser));
}

/* The text ends, maybe in the middle of a field. */
static void end_text(struct script *s)
{
	struct bpffs_reason why = {};

	if (bpffs_parse_unfinished(s->parser, &why))
		check_reason(&why, s->len);
}

static void check_text(const struct bpffs_shape *shape, const uint8_t *data, size_t size)
{
	struct script s = {
		.shape = shape,
		.parser = parser_of(shape),
		.all = malloc(size + 1),
		.effect = calloc(1, bytes_of(shape)),
	};
	size_t i;

	for (i = 0; i < size; i++) {
		switch (data[i]) {
		case '^':
			end_piece(&s);
			break;
		case '!':
		case '|':
			end_piece(&s);
			pause_text(&s);
			if (data[i] == '|')
				commit(&s);
			break;
		case '&':
			end_piece(&s);
			end_text(&s);
			bpffs_parse_begin(s.parser);
			begin_text(&s);
			break;
		case '\\':
			i += i + 1 < size;
			/* fallthrough */
		default:
			s.all[s.len++] = data[i];
		}
	}
	end_piece(&s);
	pause_text(&s);
	end_text(&s);
	bpffs_parser_free(s.parser);
	free(s.effect);
	free(s.all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = data;
	size_t len = take_line(&data, &size);
	struct bpffs_layout *layout;
	struct bpffs_shape shape;
	u32 copy, each;
	u8 *value;

	if (size < 2 || data[0] < '1' || data[0] > '3' || (data[1] != 'b' && data[1] != 't'))
		return -1;
	layout = layout_of(line, len, VALUE_MAX, BPFFS_VALUE);
	if (!layout)
		return 0;
	shape.layout = layout;
	shape.copies = data[0] - '0';
	shape.cpus = shape.copies > 1 ? cpus : NULL;
	shape.separator = size & 1 ? '\n' : ' ';
	each = bpffs_layout_size(layout);
	shape.stride = shape.cpus ? (each + 7) & ~7U : each;
	if (shape.cpus && bpffs_layout_bare(layout) > 1) {
		bpffs_layout_release(layout);
		return 0;
	}
	if (data[1] == 't') {
		check_text(&shape, data + 2, size - 2);
	} else {
		value = calloc(shape.copies, shape.stride);
		for (copy = 0, data += 2, size -= 2; copy < shape.copies; copy++) {
			len = min(size, each);
			memcpy(value + (size_t)copy * shape.stride, data, len);
			data += len;
			size -= len;
		}
		check_bytes(&shape, value);
		free(value);
	}
	bpffs_layout_release(layout);
	return 0;
}
