// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * An element as JSON: of its line of .bpf/table, or of its bytes. The text has its
 * fields in the order of the layout, so both are walked side by side, without any
 * bytes in between: what the kernel has put into decimal is only copied. Of bytes,
 * the walk makes each text when it comes there, or it has been made in advance: a
 * plan. Keys are made of their names.
 *
 * Numbers stay exact: of 2^53 and more they are strings, since JSON readers use
 * doubles. Strings end at the first NUL, as those of C, and are strings if they are
 * UTF-8, else {"hex":"ff00"}; what is behind the NUL is beside the value, as
 * "value~":{"OFFSET":"ff00"}, so that it is in nobody's way. What has no name is in an
 * array, in its order. Padding that is not zero is "~OFFSET", and of bits
 * "~OFFSET.BIT".
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "field.h"
#include "json.h"
#include "text.h"

/* --- Output --- */

void json_flush(struct json_out *out)
{
	size_t done = 0;
	ssize_t n;

	while (done < out->len && !out->err) {
		n = write(out->fd, out->buf + done, out->len - done);
		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			out->err = errno;
	}
	out->len = 0;
}

void json_end(struct json_out *out)
{
	json_flush(out);
	free(out->rest);
	free(out->begin);
	free(out->before_key);
	out->rest = NULL;
	out->begin = NULL;
	out->before_key = NULL;
	out->rest_len = 0;
	out->rest_size = 0;
}

/* What does not fit at all goes out in parts. */
static void put_long(struct json_out *out, const char *text, size_t len)
{
	while (len) {
		size_t n = min(len, sizeof(out->buf) - out->len);

		memcpy(out->buf + out->len, text, n);
		out->len += n;
		text += n;
		len -= n;
		if (len)
			json_flush(out);
	}
}

static inline void put(struct json_out *out, const char *text, size_t len)
{
	if (len > sizeof(out->buf) - out->len) {
		put_long(out, text, len);
		return;
	}
	memcpy(out->buf + out->len, text, len);
	out->len += len;
}

/* Whole steps of it are copied: so much room must be behind both. */
#define COPY_STEP	16

/* For a few bytes, quicker than to call memcpy(). */
static inline void copy_short(char *to, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i += COPY_STEP)
		memcpy(to + i, from + i, COPY_STEP);
}

/* @text has COPY_STEP more bytes, which may be anything. */
static inline void put_short(struct json_out *out, const char *text, size_t len)
{
	if (len + COPY_STEP > sizeof(out->buf) - out->len) {
		put_long(out, text, len);
		return;
	}
	copy_short(out->buf + out->len, text, len);
	out->len += len;
}

static inline void put_char(struct json_out *out, char ch)
{
	if (out->len == sizeof(out->buf))
		json_flush(out);
	out->buf[out->len++] = ch;
}

#define put_literal(out, text)	put(out, text, sizeof(text) - 1)

static void put_quoted(struct json_out *out, const char *text, size_t len)
{
	put_char(out, '"');
	put(out, text, len);
	put_char(out, '"');
}

static void put_decimal(struct json_out *out, u64 number)
{
	char digits[20];

	put(out, digits, bpffs_put_number(digits, number));
}

/* --- What is behind the NULs of strings, until it is put out --- */

static bool make_room(struct json_out *out, size_t len)
{
	size_t size = max(2 * out->rest_size, out->rest_len + len);
	char *more;

	if (out->rest_size - out->rest_len >= len)
		return true;
	more = realloc(out->rest, size);
	if (!more) {
		out->err = ENOMEM;
		return false;
	}
	out->rest = more;
	out->rest_size = size;
	return true;
}

/* Room for "cpu4294967295.4294967295":"", in front of the hex. */
#define REST_BEGIN	40

/* @hex: digits of the bytes at @offset */
static char *begin_rest(struct json_out *out, u32 offset, size_t hex)
{
	char *at;

	if (!make_room(out, REST_BEGIN + hex))
		return NULL;
	at = out->rest + out->rest_len;
	*at++ = out->rest_len ? ',' : '{';
	*at++ = '"';
	if (out->percpu) {
		memcpy(at, "cpu", 3);
		at += 3;
		at += bpffs_put_number(at, out->cpu);
		*at++ = '.';
	}
	at += bpffs_put_number(at, offset);
	memcpy(at, "\":\"", 3);
	return at + 3;
}

static void end_rest(struct json_out *out, char *at)
{
	*at++ = '"';
	out->rest_len = at - out->rest;
}

/* What there is of a key or of a value: ,"NAME~":{"OFFSET":"HEX"} */
static void put_rests(struct json_out *out, const char *name)
{
	if (!out->rest_len)
		return;
	put_literal(out, ",\"");
	put(out, name, strlen(name));
	put_literal(out, "~\":");
	put(out, out->rest, out->rest_len);
	put_char(out, '}');
	out->rest_len = 0;
}

/* --- Numbers: most of what there is --- */

/* Is its text a decimal number, always? */
static bool is_decimal(const struct bpffs_field *field)
{
	return (field->type == BPFFS_INT || field->type == BPFFS_BITS) &&
	       !bpffs_is_pad(field) && !field->labels && field->sign != BPFFS_AS_HEX;
}

/* "-9223372036854775808" or "18446744073709551615" */
#define DECIMAL_MAX	20

/* The text of such. @inexact: it is too large for a double. */
static inline u32 format_decimal(const struct bpffs_field *field, const u8 *from, char *to,
				 bool *inexact)
{
	u64 number = bpffs_load(field, from);
	bool negative = field->sign == BPFFS_SIGNED && number >> 63;

	if (negative)
		number = -number;
	*inexact = number >> 53;
	*to = '-';
	return negative + bpffs_put_number(to + negative, number);
}

static void put_decimal_leaf(struct json_out *out, const struct bpffs_field *field,
			     const u8 *from)
{
	bool inexact;
	char *at;
	u32 len;

	if (sizeof(out->buf) - out->len < 1 + DECIMAL_MAX + 1)
		json_flush(out);
	at = out->buf + out->len;
	len = format_decimal(field, from, at, &inexact);
	if (inexact) {
		memmove(at + 1, at, len);
		at[0] = '"';
		at[1 + len] = '"';
		len += 2;
	}
	out->len += len;
}

/* --- Texts of leaves --- */

/* A part of the line; or a string as its bytes are, without escapes. */
struct token {
	const char *text;
	size_t len;
	bool bytes;
};

/* Is a decimal number exact in a double? "9007199254740992" is 2^53. */
static bool is_exact(const struct token *t)
{
	static const char limit[] = "9007199254740992";
	bool negative = t->text[0] == '-';
	const char *digits = t->text + negative;
	size_t len = t->len - negative;

	if (len != sizeof(limit) - 1)
		return len < sizeof(limit) - 1;
	return memcmp(digits, limit, len) < 0;
}

static void put_number(struct json_out *out, const struct token *t)
{
	char first = t->len ? t->text[0] : '\0';
	bool hex = t->len > 1 && first == '0' && t->text[1] == 'x';

	if (((first >= '0' && first <= '9') || first == '-') && !hex && is_exact(t))
		put(out, t->text, t->len);
	else
		put_quoted(out, t->text, t->len);
}

static void put_bool(struct json_out *out, const struct token *t)
{
	put(out, t->text, t->len);
}

/* The next byte of an escaped string; *at moves on. */
static u8 next_byte(const struct token *t, size_t *at)
{
	u8 byte = t->text[(*at)++];

	if (byte != '%' || t->bytes || t->len - *at < 2)
		return byte;
	byte = bpffs_hex_digit(t->text[*at]) << 4 | bpffs_hex_digit(t->text[*at + 1]);
	*at += 2;
	return byte;
}

/* How many bytes follow @first in UTF-8? -1: it begins no character. */
static int utf8_follow(u8 first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	if (first >= 0xf0 && first <= 0xf4)
		return 3;
	return -1;
}

/* The second byte rules out long forms, surrogates and what is beyond Unicode. */
static bool utf8_second_ok(u8 first, u8 second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	}
	return true;
}

static bool is_utf8(const struct token *t)
{
	size_t at = 0;

	while (at < t->len) {
		u8 first = next_byte(t, &at);
		int follow = utf8_follow(first);
		int i;

		if (follow < 0)
			return false;
		for (i = 0; i < follow; i++) {
			u8 byte;

			if (at >= t->len)
				return false;
			byte = next_byte(t, &at);
			if ((byte & 0xc0) != 0x80 || (!i && !utf8_second_ok(first, byte)))
				return false;
		}
	}
	return true;
}

void json_text(struct json_out *out, const char *text)
{
	put(out, text, strlen(text));
}

bool json_is_utf8(const char *text, size_t len)
{
	struct token t = { .text = text, .len = len, .bytes = true };

	return is_utf8(&t);
}

static void put_hex(struct json_out *out, const u8 *from, size_t size)
{
	char text[512];
	size_t n;

	for (; size; size -= n, from += n) {
		n = min(size, sizeof(text) / 2);
		put(out, text, bpffs_put_hex(text, from, n));
	}
}

/* Is it the same in JSON? Without escapes, text has nothing that needs one there. */
static bool is_plain(const struct token *t)
{
	size_t i;

	if (!t->bytes)
		return !memchr(t->text, '%', t->len);
	for (i = 0; i < t->len; i++)
		if (t->text[i] < ' ' || t->text[i] > '~' || t->text[i] == '"' ||
		    t->text[i] == '\\')
			return false;
	return true;
}

static void put_string(struct json_out *out, const struct token *t)
{
	size_t at = 0;
	bool utf8;

	if (is_plain(t)) {
		put_quoted(out, t->text, t->len);
		return;
	}
	utf8 = is_utf8(t);
	if (!utf8)
		put_literal(out, "{\"hex\":");
	put_char(out, '"');
	while (at < t->len) {
		u8 byte = next_byte(t, &at);

		if (!utf8) {
			put_hex(out, &byte, 1);
		} else if (byte < ' ' || byte == 0x7f) {
			put_literal(out, "\\u00");
			put_hex(out, &byte, 1);
		} else {
			if (byte == '"' || byte == '\\')
				put_char(out, '\\');
			put_char(out, byte);
		}
	}
	put_char(out, '"');
	if (!utf8)
		put_char(out, '}');
}

void json_string(struct json_out *out, const char *text, size_t len)
{
	struct token t = { .text = text, .len = len, .bytes = true };

	put_string(out, &t);
}

/* A string is cut at its first NUL, and what is behind it remembered. */
static void cut_string(struct json_out *out, struct token *t, u32 offset)
{
	const char *nul = t->bytes ? memchr(t->text, '\0', t->len) :
				     memmem(t->text, t->len, "%00", 3);
	struct token whole = *t;
	size_t at = 0;
	char *hex;
	u8 byte;

	if (!nul)
		return;
	t->len = nul - t->text;
	/* Up to the NUL, and it. */
	while (at <= t->len) {
		next_byte(&whole, &at);
		offset++;
	}
	/* The empty string alone in a name or a value is "%00". */
	if (at == whole.len)
		return;
	hex = begin_rest(out, offset, 2 * (whole.len - at));
	if (!hex)
		return;
	while (at < whole.len) {
		byte = next_byte(&whole, &at);
		hex += bpffs_put_hex(hex, &byte, 1);
	}
	end_rest(out, hex);
}

static void put_leaf(struct json_out *out, const struct bpffs_field *field,
		     struct token *t, u32 offset)
{
	switch (field->type) {
	case BPFFS_INT:
	case BPFFS_BITS:
	case BPFFS_PLEN:
		put_number(out, t);
		break;
	case BPFFS_BOOL:
		put_bool(out, t);
		break;
	case BPFFS_STR:
		cut_string(out, t, offset);
		put_string(out, t);
		break;
	default:
		put_quoted(out, t->text, t->len);
	}
}

/* The same of the bytes of the leaf; @offset of it is that in the key or value. */
static void put_leaf_bytes(struct json_out *out, const struct bpffs_field *field,
			   const u8 *from, u32 offset)
{
	char word[BPFFS_WORD_MAX];
	struct token t = {};

	if (field->type == BPFFS_STR) {
		t.text = (const char *)from;
		t.len = bpffs_str_end(from, field->size);
		t.bytes = true;
		put_leaf(out, field, &t, offset);
	} else if (field->type == BPFFS_HEX) {
		put_char(out, '"');
		put_hex(out, from, field->size);
		put_char(out, '"');
	} else if (is_decimal(field)) {
		put_decimal_leaf(out, field, from);
	} else {
		t.text = word;
		t.len = bpffs_put_word(field, from, word);
		put_leaf(out, field, &t, offset);
	}
}

/* --- Plans --- */

/* Of more leaves, or more text between them, the layout is walked each time. */
#define STEPS_MAX	4096

/**
 * struct step - a leaf, and what stands before it whatever the bytes are
 * @field: of it
 * @offset: in the value or key
 * @end: of the text before it, which begins where that of the step before ends
 * @names: of padding: it is in an object
 * @decimal: it is a decimal number, as most are
 */
struct step {
	const struct bpffs_field *field;
	u32 offset;
	u32 end;
	bool names;
	bool decimal;
};

/**
 * struct json_plan - a layout, walked once for all
 * @layout: the layout
 * @step: its leaves in their order
 * @steps: how many; 0: it must be walked
 * @text: what stands before, between and behind them
 * @len: of @text
 */
struct json_plan {
	const struct bpffs_layout *layout;
	struct step *step;
	u32 steps;
	char *text;
	size_t len;
};

/* --- Where the text of the next leaf is --- */

/**
 * struct walk - along a layout and a text, or the bytes of a value
 * @out: for the JSON; of a plan, for its text
 * @plan: gets a step for each leaf; else NULL
 * @bytes: of one copy; NULL if it is a text
 * @at: the text that is left
 * @end: of it
 * @is_name: fields without names, joined by ","; else "path=text", by blanks
 * @cpu: of a per-CPU value: length of "cpuN" before each path
 * @plen: of a name: the prefix length
 * @pads: of a name: digits of the padding that are left
 */
struct walk {
	struct json_out *out;
	struct json_plan *plan;
	const u8 *bytes;
	const char *at;
	const char *end;
	bool is_name;
	u32 cpu;
	struct token plen;
	struct token pads;
};

/* Up to @separator, which is taken away. */
static struct token take_until(struct walk *w, char separator)
{
	const char *stop = memchr(w->at, separator, w->end - w->at);
	struct token t = { .text = w->at, .len = (stop ?: w->end) - w->at };

	w->at = stop ? stop + 1 : w->end;
	return t;
}

/* Does "path" end in @name, as its last part but indices? */
static bool leads_to(const struct bpffs_field *field, const char *path, size_t len)
{
	u32 dims = field->dims;

	while (dims--) {
		while (len && path[len - 1] != '.')
			len--;
		if (len)
			len--;
	}
	return len >= field->name_len &&
	       !memcmp(path + len - field->name_len, field->name, field->name_len);
}

/* @path: has the leaf one in this text? */
static int take_leaf(struct walk *w, const struct bpffs_field *field, bool path,
		     struct token *t)
{
	const char *equals;

	if (field->type == BPFFS_PLEN) {
		*t = w->plen;
		return t->len ? 0 : -EINVAL;
	}
	if (w->at == w->end && field->type != BPFFS_STR)
		return -EINVAL;
	*t = take_until(w, w->is_name ? ',' : ' ');
	if (w->is_name || !path)
		return 0;
	equals = memchr(t->text, '=', t->len);
	if (!equals || (field->name && !leads_to(field, t->text, equals - t->text)))
		return -EINVAL;
	t->len -= equals + 1 - t->text;
	t->text = equals + 1;
	return 0;
}

/* The padding at @offset, if the text has it: "~OFFSET=hex", "~OFFSET.BIT=hex". */
static bool take_pad(struct walk *w, const struct bpffs_field *field, u32 offset,
		     struct token *name, struct token *hex)
{
	const char *path = w->at + (w->cpu ? w->cpu + 1 : 0);
	char wanted[32];
	const char *end;
	u32 len = 1;

	wanted[0] = '~';
	len += bpffs_put_number(wanted + len, offset);
	if (field->type == BPFFS_BITS) {
		wanted[len++] = '.';
		len += bpffs_put_number(wanted + len, field->bit);
	}
	wanted[len] = '=';
	if (w->end - path <= (ptrdiff_t)len || memcmp(path, wanted, len + 1))
		return false;
	end = memchr(path, ' ', w->end - path) ?: w->end;
	name->text = path;
	name->len = len;
	hex->text = path + len + 1;
	hex->len = end - hex->text;
	w->at = end == w->end ? end : end + 1;
	return true;
}

static bool take_name_pad(struct walk *w, const struct bpffs_field *field,
			  struct token *hex)
{
	u32 digits = bpffs_pad_digits(field);

	if (w->pads.len < digits)
		return false;
	hex->text = w->pads.text;
	hex->len = digits;
	w->pads.text += digits;
	w->pads.len -= digits;
	return true;
}

/* --- The walk --- */

/* What is open: an object, an array, or neither. */
struct container {
	bool names;
	bool sole;
	bool empty;
	u32 index;
};

static void put_comma(struct walk *w, struct container *in)
{
	if (!in->empty)
		put_char(w->out, ',');
	in->empty = false;
}

/* What stands before a member: its name, or in an object without one, its number. */
static void put_member(struct walk *w, struct container *in, const char *name, size_t len)
{
	if (in->sole)
		return;
	put_comma(w, in);
	if (!in->names)
		return;
	put_char(w->out, '"');
	if (name)
		put(w->out, name, len);
	else
		put_decimal(w->out, in->index);
	put_literal(w->out, "\":");
}

static void begin_pad(struct json_out *out, bool names)
{
	if (!names)
		put_char(out, '{');
	put_literal(out, "\"~");
}

/* OFFSET, or OFFSET.BIT */
static void put_place(struct json_out *out, const struct bpffs_field *field, u32 offset)
{
	put_decimal(out, offset);
	if (field->type != BPFFS_BITS)
		return;
	put_char(out, '.');
	put_decimal(out, field->bit);
}

static void end_pad(struct json_out *out, bool names)
{
	put_char(out, '"');
	if (!names)
		put_char(out, '}');
}

static void put_pad_bytes(struct json_out *out, const struct bpffs_field *field,
			  const u8 *from, u32 offset, bool names)
{
	char digits[16];

	begin_pad(out, names);
	put_place(out, field, offset);
	put_literal(out, "\":\"");
	if (field->type == BPFFS_BITS)
		put(out, digits, bpffs_put_pad(field, from, digits));
	else
		put_hex(out, from, field->size);
	end_pad(out, names);
}

static int add_step(struct walk *w, const struct bpffs_field *field, u32 offset, bool names)
{
	struct json_plan *plan = w->plan;
	struct step *step = &plan->step[plan->steps];

	if (plan->steps == STEPS_MAX)
		return -E2BIG;
	step->field = field;
	step->offset = offset;
	step->end = w->out->len;
	step->names = names;
	step->decimal = is_decimal(field);
	plan->steps++;
	return 0;
}

static int put_pad(struct walk *w, struct container *in, const struct bpffs_field *field,
		   u32 offset)
{
	struct token name = {}, hex = {};

	/* Of a plan, commas do not depend on what comes. */
	if (w->plan)
		return in->empty ? -EINVAL : add_step(w, field, offset, in->names);
	if (w->bytes) {
		if (bpffs_pad_is_zero(field, w->bytes + offset))
			return 0;
		put_comma(w, in);
		put_pad_bytes(w->out, field, w->bytes + offset, offset, in->names);
		return 0;
	}
	if (w->is_name ? !take_name_pad(w, field, &hex) :
			 !take_pad(w, field, offset, &name, &hex))
		return 0;
	put_comma(w, in);
	begin_pad(w->out, in->names);
	if (w->is_name)
		put_place(w->out, field, offset);
	else
		put(w->out, name.text + 1, name.len - 1);
	put_literal(w->out, "\":\"");
	put(w->out, hex.text, hex.len);
	end_pad(w->out, in->names);
	return 0;
}

static int put_group(struct walk *w, const struct bpffs_field *group, u32 offset, bool path);

/* The elements of one dimension; @index counts through all of them. */
static int put_field(struct walk *w, const struct bpffs_field *field, u32 offset, u32 dim,
		     u32 *index, bool path)
{
	struct token t;
	int err = 0;
	u32 i;

	if (dim < field->dims) {
		put_char(w->out, '[');
		for (i = 0; i < field->dim[dim] && !err; i++) {
			if (i)
				put_char(w->out, ',');
			err = put_field(w, field, offset, dim + 1, index, true);
		}
		put_char(w->out, ']');
		return err;
	}
	offset += (*index)++ * field->size;
	if (field->type == BPFFS_GROUP)
		return put_group(w, field, offset, path);
	if (w->plan)
		return add_step(w, field, offset, false);
	if (w->bytes) {
		put_leaf_bytes(w->out, field, w->bytes + offset, offset);
		return 0;
	}
	err = take_leaf(w, field, path, &t);
	if (!err)
		put_leaf(w->out, field, &t, offset);
	return err;
}

static int put_kid(struct walk *w, struct container *in, const struct bpffs_field *kid,
		   u32 offset, bool path)
{
	u32 index = 0;
	int err = 0;
	u32 i;

	offset += kid->offset;
	if (bpffs_is_pad(kid)) {
		for (i = 0; i < kid->count && !err; i++)
			err = put_pad(w, in, kid, offset + i * kid->size);
		return err;
	}
	put_member(w, in, kid->name, kid->name_len);
	in->index++;
	return put_field(w, kid, offset, 0, &index, path || kid->name);
}

static int put_group(struct walk *w, const struct bpffs_field *group, u32 offset, bool path)
{
	struct container in = {
		.names = group->nr_named,
		.sole = group->kids == 1 && !group->nr_named && !bpffs_is_pad(group->kid[0]),
		.empty = true,
	};
	int err = 0;
	u32 i;

	if (!in.sole)
		put_char(w->out, in.names ? '{' : '[');
	for (i = 0; i < group->kids && !err; i++)
		err = put_kid(w, &in, group->kid[i], offset, path);
	if (!in.sole)
		put_char(w->out, in.names ? '}' : ']');
	return err;
}

/* --- The line --- */

/* Cut off what is behind the last @ch. */
static struct token cut(struct token *name, char ch)
{
	const char *last = memrchr(name->text, ch, name->len);
	struct token tail = {};

	if (!last)
		return tail;
	tail.text = last + 1;
	tail.len = name->text + name->len - tail.text;
	name->len = last - name->text;
	return tail;
}

static int put_key(struct json_out *out, const struct bpffs_layout *layout,
		   struct token name)
{
	struct walk w = { .out = out, .is_name = true };
	char *copy = NULL;
	int err;

	if (!name.len)
		return -EINVAL;
	/* The escape of the begin may stand for a sign. */
	if (name.len > 3 && (!memcmp(name.text, "%2D", 3) || !memcmp(name.text, "%2E", 3))) {
		copy = malloc(name.len);
		if (!copy)
			return -ENOMEM;
		copy[0] = name.text[2] == 'D' ? '-' : '.';
		memcpy(copy + 1, name.text + 3, name.len - 3);
		name.text = copy;
		name.len -= 2;
	}
	if (layout->pads)
		w.pads = cut(&name, '~');
	if (layout->has_plen)
		w.plen = cut(&name, '-');
	w.at = name.text;
	w.end = name.text + name.len;
	err = put_group(&w, layout->root, 0, false);
	if (!err && w.at != w.end)
		err = -EINVAL;
	free(copy);
	return err;
}

/* Length of "cpuN" at the begin, or 0. */
static u32 cpu_len(const struct walk *w)
{
	const char *at = w->at + 3;

	if (w->end - w->at < 5 || memcmp(w->at, "cpu", 3))
		return 0;
	while (at < w->end && *at >= '0' && *at <= '9')
		at++;
	return at < w->end && (*at == '.' || *at == '=') ? at - w->at : 0;
}

static int put_cpus(struct walk *w, const struct bpffs_layout *layout)
{
	bool first = true;
	int err = 0;

	w->out->percpu = true;
	put_char(w->out, '{');
	while (w->at < w->end && !err) {
		w->cpu = cpu_len(w);
		if (!w->cpu)
			return -EINVAL;
		if (!first)
			put_char(w->out, ',');
		first = false;
		w->out->cpu = strtoul(w->at + 3, NULL, 10);
		put_quoted(w->out, w->at, w->cpu);
		put_char(w->out, ':');
		err = put_group(w, layout->root, 0, true);
	}
	put_char(w->out, '}');
	w->out->percpu = false;
	return err;
}

static int put_value(struct json_out *out, const struct bpffs_layout *layout, int percpu,
		     struct token text)
{
	struct walk w = { .out = out, .at = text.text, .end = text.text + text.len };
	int err;

	if (percpu)
		return put_cpus(&w, layout);
	err = put_group(&w, layout->root, 0, false);
	return err ?: w.at == w.end ? 0 : -EINVAL;
}

/* What is before the key. @name has COPY_STEP more bytes, which may be anything. */
static inline void put_name(struct json_out *out, const char *name, size_t len)
{
	if (!out->begin) {
		put_literal(out, "{\"name\":\"");
		put_short(out, name, len);
		put_literal(out, "\",\"key\":");
		return;
	}
	put(out, out->begin, strlen(out->begin));
	put(out, name, len);
	put(out, out->before_key, strlen(out->before_key));
}

/* {"name":"7/10.0.0.1","outer":7,"key":...} */
int json_slot(struct json_out *out, const struct bpffs_layout *key, const char *name)
{
	struct json_out *text = calloc(1, sizeof(*text));
	struct token t = { .text = name, .len = strlen(name) };
	int err = -ENOMEM;

	free(out->begin);
	free(out->before_key);
	out->begin = NULL;
	out->before_key = NULL;
	if (!text)
		return err;
	text->fd = -1;
	put_literal(text, "\",\"outer\":");
	err = 0;
	/* A short name does not say its key. */
	if (bpffs_name_is_short(t.text, t.len))
		put_literal(text, "null");
	else
		err = put_key(text, key, t);
	put_rests(text, "outer");
	put_literal(text, ",\"key\":");
	put_char(text, '\0');
	/* A name is short, and so is its key. */
	if (!err && text->err)
		err = -EINVAL;
	if (!err)
		out->before_key = strdup(text->buf);
	if (!err && asprintf(&out->begin, "{\"name\":\"%s/", name) < 0)
		out->begin = NULL;
	if (!err && (!out->begin || !out->before_key))
		err = -ENOMEM;
	json_end(text);
	free(text);
	return err;
}

/* What is before the value. */
static int put_begin(struct json_out *out, const struct bpffs_layout *key,
		     struct token name)
{
	char *text = malloc(name.len + COPY_STEP);
	int err;

	if (!text)
		return -ENOMEM;
	memcpy(text, name.text, name.len);
	put_name(out, text, name.len);
	free(text);
	err = put_key(out, key, name);
	put_rests(out, "key");
	put_literal(out, ",\"value\":");
	return err;
}

int json_line(struct json_out *out, const struct bpffs_layout *key,
	      const struct bpffs_layout *value, int percpu, const char *line,
	      size_t len)
{
	const char *blank = memchr(line, ' ', len);
	struct token name = { .text = line, .len = blank ? (size_t)(blank - line) : len };
	struct token text = { .text = line + len };
	int err;

	if (blank) {
		text.text = blank + 1;
		text.len = line + len - text.text;
	}
	err = put_begin(out, key, name);
	if (!err)
		err = put_value(out, value, percpu, text);
	put_rests(out, "value");
	return err;
}

/* --- The same by plan --- */

struct json_plan *json_plan_new(const struct bpffs_layout *layout)
{
	struct json_plan *plan = calloc(1, sizeof(*plan));
	struct json_out *out = calloc(1, sizeof(*out));
	struct walk w = { .out = out, .plan = plan };

	if (plan)
		plan->step = calloc(STEPS_MAX, sizeof(*plan->step));
	if (!plan || !out || !plan->step)
		goto fail;
	plan->layout = layout;
	/* If the text does not fit, it cannot be flushed. */
	out->fd = -1;
	if (put_group(&w, layout->root, 0, false) || out->err)
		plan->steps = 0;
	plan->len = out->len;
	plan->text = calloc(1, out->len + COPY_STEP);
	if (!plan->text)
		goto fail;
	memcpy(plan->text, out->buf, out->len);
	free(out);
	return plan;
fail:
	free(out);
	json_plan_free(plan);
	return NULL;
}

void json_plan_free(struct json_plan *plan)
{
	if (!plan)
		return;
	free(plan->text);
	free(plan->step);
	free(plan);
}

/* The value, or one copy of it. */
static int put_by_plan(struct json_out *out, const struct json_plan *plan, const u8 *bytes)
{
	struct walk w = { .out = out, .bytes = bytes };
	u32 begin = 0, i;

	if (!plan->steps)
		return put_group(&w, plan->layout->root, 0, false);
	for (i = 0; i < plan->steps; i++) {
		const struct step *step = &plan->step[i];
		const u8 *from = bytes + step->offset;

		put_short(out, plan->text + begin, step->end - begin);
		begin = step->end;
		if (step->decimal) {
			put_decimal_leaf(out, step->field, from);
		} else if (!bpffs_is_pad(step->field)) {
			put_leaf_bytes(out, step->field, from, step->offset);
		} else if (!bpffs_pad_is_zero(step->field, from)) {
			put_char(out, ',');
			put_pad_bytes(out, step->field, from, step->offset, step->names);
		}
	}
	put_short(out, plan->text + begin, plan->len - begin);
	return 0;
}

/* The text of a leaf in a name; returns its length. In JSON it is quoted, or not. */
static u32 put_name_word(const struct step *step, const u8 *from, char *to, bool *number)
{
	const struct bpffs_field *field = step->field;
	u32 len = 0, end, i;

	*number = false;
	if (step->decimal) {
		len = format_decimal(field, from, to, number);
		*number = !*number;
		return len;
	}
	if (field->type == BPFFS_HEX)
		return bpffs_put_hex(to, from, field->size);
	if (field->type != BPFFS_STR)
		return bpffs_put_word(field, from, to);
	end = bpffs_str_end(from, field->size);
	for (i = 0; i < end; i++)
		len += bpffs_put_byte(to + len, from[i], BPFFS_IN_NAME);
	return len;
}

/* "~" and the bytes of all padding, if any of them is not zero; their length. */
static u32 put_name_pads(const struct json_plan *plan, const u8 *key, char *to)
{
	bool zero = true;
	u32 len = 0, i;

	to[len++] = '~';
	for (i = 0; i < plan->steps; i++) {
		const struct step *step = &plan->step[i];

		if (!bpffs_is_pad(step->field))
			continue;
		zero &= bpffs_pad_is_zero(step->field, key + step->offset);
		len += bpffs_put_pad(step->field, key + step->offset, to + len);
	}
	return zero ? 0 : len;
}

/* A number alone: its digits are the name, too. */
static bool put_number_key(struct json_out *out, const struct json_plan *plan, const u8 *key)
{
	const struct step *step = plan->step;
	char digits[DECIMAL_MAX + COPY_STEP];
	bool inexact;
	u32 len = format_decimal(step->field, key + step->offset, digits, &inexact);

	/* This is escaped. */
	if (digits[0] == '-')
		return false;
	put_name(out, digits, len);
	put_short(out, plan->text, step->end);
	if (inexact)
		put_quoted(out, digits, len);
	else
		put_short(out, digits, len);
	put_short(out, plan->text + step->end, plan->len - step->end);
	put_literal(out, ",\"value\":");
	return true;
}

/*
 * The usual key: its name is the texts of the leaves, and padding, and never long.
 * False: nothing has been put out, as it is another.
 */
static bool put_usual_key(struct json_out *out, const struct json_plan *plan,
			  const u8 *key)
{
	struct token word[BPFFS_NAME_MAX];
	bool number[BPFFS_NAME_MAX];
	char name[BPFFS_NAME_MAX + 1 + COPY_STEP];
	u32 words = 0, len = 0, pads = 0, begin = 0, i;

	if (!plan->steps || plan->layout->has_plen || plan->layout->name_max > BPFFS_NAME_MAX)
		return false;
	if (plan->steps == 1 && plan->step->decimal)
		return put_number_key(out, plan, key);
	for (i = 0; i < plan->steps; i++) {
		const struct step *step = &plan->step[i];
		const u8 *from = key + step->offset;
		struct token *t = &word[words];

		if (bpffs_is_pad(step->field))
			continue;
		if (words)
			name[len++] = ',';
		t->text = name + len;
		t->len = put_name_word(step, from, name + len, &number[words]);
		t->bytes = false;
		len += t->len;
		words++;
	}
	/* These are escaped. */
	if (!len || name[0] == '.' || name[0] == '-')
		return false;
	if (plan->layout->pads)
		pads = put_name_pads(plan, key, name + len);
	put_name(out, name, len + pads);
	for (i = 0, words = 0; i < plan->steps; i++) {
		const struct step *step = &plan->step[i];

		put_short(out, plan->text + begin, step->end - begin);
		begin = step->end;
		if (!bpffs_is_pad(step->field)) {
			if (number[words])
				put_short(out, word[words].text, word[words].len);
			else
				put_leaf(out, step->field, &word[words], step->offset);
			words++;
		} else if (pads) {
			put_char(out, ',');
			put_pad_bytes(out, step->field, key + step->offset, step->offset,
				      step->names);
		}
	}
	put_short(out, plan->text + begin, plan->len - begin);
	put_rests(out, "key");
	put_literal(out, ",\"value\":");
	return true;
}

static int put_any_key(struct json_out *out, const struct bpffs_layout *layout,
		       const u8 *key)
{
	char *text = malloc(layout->name_max + 1);
	struct token name = { .text = text };
	int err;

	if (!text)
		return -ENOMEM;
	name.len = bpffs_name_whole(layout, key, text);
	err = put_begin(out, layout, name);
	free(text);
	return err;
}

static int put_copies(struct json_out *out, const struct json_plan *plan,
		      const struct bpffs_shape *shape, const u8 *bytes)
{
	int err = 0;
	u32 i;

	out->percpu = true;
	put_char(out, '{');
	for (i = 0; i < shape->copies && !err; i++) {
		if (i)
			put_char(out, ',');
		put_literal(out, "\"cpu");
		out->cpu = shape->cpus[i];
		put_decimal(out, out->cpu);
		put_literal(out, "\":");
		err = put_by_plan(out, plan, bytes + (size_t)i * shape->stride);
	}
	put_char(out, '}');
	out->percpu = false;
	return err;
}

int json_element(struct json_out *out, const struct json_plan *key,
		 const struct json_plan *value, const struct bpffs_shape *shape,
		 const void *key_bytes, const void *value_bytes)
{
	int err = 0;

	if (!put_usual_key(out, key, key_bytes))
		err = put_any_key(out, key->layout, key_bytes);
	if (err)
		return err;
	if (shape->cpus)
		err = put_copies(out, value, shape, value_bytes);
	else
		err = put_by_plan(out, value, value_bytes);
	put_rests(out, "value");
	return err;
}

void json_close(struct json_out *out)
{
	put_literal(out, "}\n");
}

void json_value(struct json_out *out, const struct json_plan *value, const void *bytes)
{
	put_literal(out, "{\"value\":");
	put_by_plan(out, value, bytes);
	put_rests(out, "value");
}
