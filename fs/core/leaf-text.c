// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The text of one leaf of a layout: bytes to text, and back. */
#include "field.h"

/* --- Numbers in bytes --- */

static inline u64 load_native(const u8 *from, u32 size)
{
	u64 number = 0;
	u16 half;
	u32 word;

	switch (size) {
	case 1:
		return from[0];
	case 2:
		memcpy(&half, from, sizeof(half));
		return half;
	case 4:
		memcpy(&word, from, sizeof(word));
		return word;
	}
	memcpy(&number, from, sizeof(number));
	return number;
}

static u64 load_unit(const u8 *from, u32 size, bool big_endian)
{
	u64 number = 0;
	u32 i;

	if (!big_endian)
		return load_native(from, size);
	for (i = 0; i < size; i++)
		number = number << 8 | from[i];
	return number;
}

static inline void save_native(u8 *to, u32 size, u64 number)
{
	u16 half = number;
	u32 word = number;

	switch (size) {
	case 1:
		to[0] = number;
		break;
	case 2:
		memcpy(to, &half, sizeof(half));
		break;
	case 4:
		memcpy(to, &word, sizeof(word));
		break;
	case 8:
		memcpy(to, &number, sizeof(number));
		break;
	}
}

static void save_unit(u8 *to, u32 size, bool big_endian, u64 number)
{
	u32 i;

	if (!big_endian) {
		save_native(to, size, number);
		return;
	}
	for (i = size; i--; number >>= 8)
		to[i] = number;
}

static u32 bits_of(const struct bpffs_field *field)
{
	return field->type == BPFFS_BITS ? field->width : 8 * field->size;
}

static bool is_signed(const struct bpffs_field *field)
{
	return field->sign == BPFFS_SIGNED;
}

static bool is_big_endian(const struct bpffs_field *field)
{
	return field->base && field->base->big_endian;
}

static u64 low_bits(u32 bits)
{
	return bits < 64 ? (1ULL << bits) - 1 : U64_MAX;
}

/* The number of an integer, a part of one, a bool or a plen; sign-extended. */
u64 bpffs_load(const struct bpffs_field *field, const u8 *from)
{
	u32 bits = bits_of(field);
	u64 number;

	if (field->plain)
		return load_native(from, field->size);
	number = load_unit(from, field->size, is_big_endian(field));
	number = number >> field->bit & low_bits(bits);
	if (is_signed(field) && number >> (bits - 1) & 1)
		number |= ~low_bits(bits);
	return number;
}

/* Its other parts stay. */
void bpffs_save(const struct bpffs_field *field, u8 *to, u64 number)
{
	u64 mask, old;

	if (field->plain) {
		save_native(to, field->size, number);
		return;
	}
	if (field->type == BPFFS_BITS) {
		mask = low_bits(field->width) << field->bit;
		old = load_unit(to, field->size, is_big_endian(field));
		number = (old & ~mask) | (number << field->bit & mask);
	}
	save_unit(to, field->size, is_big_endian(field), number);
}

void bpffs_unit_change(const struct bpffs_leaf *leaf, u8 *unit, const u8 *given, bool add)
{
	u64 mask = low_bits(leaf->width ?: 8 * leaf->size) << leaf->bit;
	u64 number = load_unit(given, leaf->size, leaf->big_endian) & mask;
	u64 old = load_unit(unit, leaf->size, leaf->big_endian);

	if (add)
		number = (old + number) & mask;
	save_unit(unit, leaf->size, leaf->big_endian, (old & ~mask) | number);
}

bool bpffs_bits_of_byte(const struct bpffs_leaf *leaf, u32 i, struct bpffs_leaf *byte)
{
	u8 mask[8], bits;

	save_unit(mask, leaf->size, leaf->big_endian, low_bits(leaf->width) << leaf->bit);
	*byte = (struct bpffs_leaf){ .offset = leaf->offset + i, .size = 1 };
	bits = mask[i];
	if (!bits)
		return false;
	for (; !(bits & 1); bits >>= 1)
		byte->bit++;
	for (; bits; bits >>= 1)
		byte->width++;
	return true;
}

/* --- Bytes to text; each returns the length --- */

static const char hex_digits[] = "0123456789abcdef";

/* To look two digits up costs less than to make them. */
static const char decimal_pairs[100][3] = {
	"00", "01", "02", "03", "04", "05", "06", "07", "08", "09",
	"10", "11", "12", "13", "14", "15", "16", "17", "18", "19",
	"20", "21", "22", "23", "24", "25", "26", "27", "28", "29",
	"30", "31", "32", "33", "34", "35", "36", "37", "38", "39",
	"40", "41", "42", "43", "44", "45", "46", "47", "48", "49",
	"50", "51", "52", "53", "54", "55", "56", "57", "58", "59",
	"60", "61", "62", "63", "64", "65", "66", "67", "68", "69",
	"70", "71", "72", "73", "74", "75", "76", "77", "78", "79",
	"80", "81", "82", "83", "84", "85", "86", "87", "88", "89",
	"90", "91", "92", "93", "94", "95", "96", "97", "98", "99",
};

static u32 decimal_digits(u64 number)
{
	static const u64 least[20] = {
		0, 10ULL, 100ULL, 1000ULL, 10000ULL, 100000ULL, 1000000ULL, 10000000ULL,
		100000000ULL, 1000000000ULL, 10000000000ULL, 100000000000ULL,
		1000000000000ULL, 10000000000000ULL, 100000000000000ULL,
		1000000000000000ULL, 10000000000000000ULL, 100000000000000000ULL,
		1000000000000000000ULL, 10000000000000000000ULL,
	};
	/* 1233 / 4096 is log10(2), so that it is so many digits, or one more. */
	u32 digits = fls64(number) * 1233 >> 12;

	return digits + (number >= least[digits]);
}

/* Decimal; at most 20 bytes. */
u32 bpffs_put_number(char *to, u64 number)
{
	u32 len = decimal_digits(number), two;
	char *at = to + len;

	while (number > 9) {
		number = div_u64_rem(number, 100, &two);
		at -= 2;
		memcpy(at, decimal_pairs[two], 2);
	}
	if (at > to)
		*to = '0' + number;
	return len;
}

static u32 put_signed(char *to, u64 number)
{
	if (number >> 63 == 0)
		return bpffs_put_number(to, number);
	*to = '-';
	return 1 + bpffs_put_number(to + 1, -number);
}

static u32 put_digits(char *to, u64 number, u32 digits)
{
	u32 i;

	for (i = 0; i < digits; i++)
		to[i] = hex_digits[number >> 4 * (digits - 1 - i) & 15];
	return digits;
}

static u32 put_minimal(char *to, u64 number)
{
	u32 digits = 1;

	while (digits < 16 && number >> 4 * digits)
		digits++;
	return put_digits(to, number, digits);
}

static u32 put_x(char *to, u64 number)
{
	to[0] = '0';
	to[1] = 'x';
	return 2 + put_minimal(to + 2, number);
}

u32 bpffs_put_hex(char *to, const u8 *from, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++) {
		*to++ = hex_digits[from[i] >> 4];
		*to++ = hex_digits[from[i] & 15];
	}
	return 2 * size;
}

static bool is_plain(u8 byte, enum bpffs_where where)
{
	if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= 'a' && byte <= 'z'))
		return true;
	switch (byte) {
	case '.':
	case '_':
	case ':':
	case '@':
	case '+':
	case '-':
		return true;
	case '=':
		return where != BPFFS_IN_BARE_VALUE;
	case ',':
	case '~':
	case '/':
		return where != BPFFS_IN_NAME;
	}
	return false;
}

/* A byte of a string: itself or "%HH". */
u32 bpffs_put_byte(char *to, u8 byte, enum bpffs_where where)
{
	static const char upper[] = "0123456789ABCDEF";

	if (is_plain(byte, where)) {
		*to = byte;
		return 1;
	}
	to[0] = '%';
	to[1] = upper[byte >> 4];
	to[2] = upper[byte & 15];
	return 3;
}

static u32 put_ip4(char *to, const u8 *from)
{
	u32 len = 0;
	u32 i;

	for (i = 0; i < 4; i++) {
		if (i)
			to[len++] = '.';
		len += bpffs_put_number(to + len, from[i]);
	}
	return len;
}

/* RFC 5952: the first longest run of two or more zeros is "::". */
static u32 put_ip6(char *to, const u8 *from)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	u32 run = 8, run_len = 1, len = 0, i, n, end = 8;

	for (i = 0; i < 8; i++) {
		for (n = 0; i + n < 8 && !from[2 * (i + n)] && !from[2 * (i + n) + 1];)
			n++;
		if (n > run_len) {
			run = i;
			run_len = n;
		}
	}
	if (!memcmp(from, mapped, sizeof(mapped)))
		end = 6;
	for (i = 0; i < end; i++) {
		if (i == run) {
			to[len++] = ':';
			to[len++] = ':';
			i += run_len - 1;
			continue;
		}
		if (i && i != run + run_len)
			to[len++] = ':';
		len += put_minimal(to + len, load_unit(from + 2 * i, 2, true));
	}
	if (end == 8)
		return len;
	to[len++] = ':';
	return len + put_ip4(to + len, from + 12);
}

static u32 put_mac(char *to, const u8 *from)
{
	u32 i;

	for (i = 0; i < 6; i++) {
		if (i)
			to[3 * i - 1] = ':';
		put_digits(to + 3 * i, from[i], 2);
	}
	return 17;
}

static const struct bpffs_label *label_of(const struct bpffs_field *field, u64 value)
{
	u32 low = 0, high = field->labels;

	/* The first of equal ones. */
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (field->label[middle].value < value)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < field->labels && field->label[low].value == value)
		return &field->label[low];
	return NULL;
}

static u32 put_integer(const struct bpffs_field *field, const u8 *from, char *to)
{
	const struct bpffs_label *label = NULL;
	u64 number = bpffs_load(field, from);

	if (field->labels)
		label = label_of(field, number);
	if (label) {
		memcpy(to, label->name, label->len);
		return label->len;
	}
	if (field->sign == BPFFS_AS_HEX)
		return put_x(to, number);
	return is_signed(field) ? put_signed(to, number) : bpffs_put_number(to, number);
}

/* A leaf that is a plain number. */
u32 bpffs_put_plain(const struct bpffs_field *field, const u8 *from, char *to)
{
	return bpffs_put_number(to, load_native(from, field->size));
}

/* A leaf that is not str, hex or pad; at most BPFFS_WORD_MAX bytes. */
u32 bpffs_put_word(const struct bpffs_field *field, const u8 *from, char *to)
{
	switch (field->type) {
	case BPFFS_INT:
	case BPFFS_BITS:
		return put_integer(field, from, to);
	case BPFFS_BOOL:
		if (*from > 1)
			return bpffs_put_number(to, *from);
		memcpy(to, *from ? "true" : "false", 5);
		return *from ? 4 : 5;
	case BPFFS_IP4:
		return put_ip4(to, from);
	case BPFFS_IP6:
		return put_ip6(to, from);
	case BPFFS_MAC:
		return put_mac(to, from);
	}
	/* A prefix length. */
	return bpffs_put_number(to, bpffs_load(field, from));
}

u32 bpffs_pad_digits(const struct bpffs_field *field)
{
	return field->type == BPFFS_BITS ? (field->width + 3U) / 4 : 2 * field->size;
}

/* For padding in keys, which is short. */
u32 bpffs_put_pad(const struct bpffs_field *field, const u8 *from, char *to)
{
	if (field->type == BPFFS_PAD)
		return bpffs_put_hex(to, from, field->size);
	return put_digits(to, bpffs_load(field, from) & low_bits(field->width),
			  bpffs_pad_digits(field));
}

static bool is_zero(const u8 *from, u32 size)
{
	return !size || (!from[0] && !memcmp(from, from + 1, size - 1));
}

bool bpffs_pad_is_zero(const struct bpffs_field *field, const u8 *from)
{
	return field->type == BPFFS_BITS ? !bpffs_load(field, from) :
					   is_zero(from, field->size);
}

/* Length of a string up to its last byte that is not NUL. */
u32 bpffs_str_end(const u8 *str, u32 size)
{
	u64 word;

	for (; size >= sizeof(word); size -= sizeof(word)) {
		memcpy(&word, str + size - sizeof(word), sizeof(word));
		if (word)
			break;
	}
	while (size && !str[size - 1])
		size--;
	return size;
}

/* The longest text of a leaf of a key. */
u32 bpffs_word_max(const struct bpffs_field *field)
{
	char text[24];
	u32 len, i;

	switch (field->type) {
	case BPFFS_HEX:
		return min(field->size, U32_MAX / 4) * 2;
	case BPFFS_STR:
		return min(field->size, U32_MAX / 4) * 3;
	case BPFFS_BOOL:
		return 5;
	case BPFFS_IP4:
		return 15;
	case BPFFS_IP6:
		return 39;
	case BPFFS_MAC:
		return 17;
	case BPFFS_PLEN:
		return 10;
	}
	if (field->sign == BPFFS_AS_HEX)
		len = 2 + (bits_of(field) + 3) / 4;
	else if (is_signed(field))
		len = 1 + bpffs_put_number(text, 1ULL << (bits_of(field) - 1));
	else
		len = bpffs_put_number(text, low_bits(bits_of(field)));
	for (i = 0; i < field->labels; i++)
		len = max(len, field->label[i].len);
	return len;
}

/* --- Text to bytes --- */

/* What a character is as a digit: -1 of none. */
static const s8 digit_of[256] = {
	[0 ... '0' - 1] = -1,
	['0'] = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	['9' + 1 ... 'A' - 1] = -1,
	['A'] = 10, 11, 12, 13, 14, 15,
	['F' + 1 ... 'a' - 1] = -1,
	['a'] = 10, 11, 12, 13, 14, 15,
	['f' + 1 ... 255] = -1,
};

int bpffs_hex_digit(char c)
{
	return digit_of[(u8)c];
}

/* At most @size bytes of hex; returns how many there are. */
u32 bpffs_take_hex(u8 *to, const char *text, u32 size)
{
	const u8 *from = (const u8 *)text;
	u32 i;

	for (i = 0; i < size; i++, from += 2) {
		int byte = digit_of[from[0]] * 16 | digit_of[from[1]];

		if (byte < 0)
			break;
		to[i] = byte;
	}
	return i;
}

static bool take_digits(const char *text, u32 len, u32 radix, u64 *number)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < len; i++) {
		u32 digit = (u8)digit_of[(u8)text[i]];

		if (digit >= radix)
			return false;
		/* Fewer digits are fewer than 64 bits. */
		if (i > 14 && n > (U64_MAX - digit) / radix)
			return false;
		n = radix * n + digit;
	}
	*number = n;
	return len;
}

/* Decimal, also with leading zeros, or 0x and hexadecimal; a sign before it. */
bool bpffs_take_number(const char *text, u32 len, u64 *number, bool *negative)
{
	*negative = len && text[0] == '-';
	if (*negative) {
		text++;
		len--;
	}
	if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return take_digits(text + 2, len - 2, 16, number);
	return take_digits(text, len, 10, number);
}

static const struct bpffs_label *find_label(const struct bpffs_field *field,
					    const char *text, u32 len)
{
	u32 low = 0, high = field->labels;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct bpffs_label *label = field->label_name[middle];
		int diff = memcmp(text, label->name, min(len, label->len));

		if (!diff && len == label->len)
			return label;
		if (diff < 0 || (!diff && len < label->len))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool take_integer(const struct bpffs_field *field, const char *text,
			 u32 len, u8 *to)
{
	const struct bpffs_label *label = find_label(field, text, len);
	u32 bits = bits_of(field);
	bool negative;
	u64 number;

	if (label) {
		bpffs_save(field, to, label->value);
		return true;
	}
	if (field->type == BPFFS_BOOL && len == 4 && !memcmp(text, "true", 4)) {
		*to = 1;
		return true;
	}
	if (field->type == BPFFS_BOOL && len == 5 && !memcmp(text, "false", 5)) {
		*to = 0;
		return true;
	}
	if (!bpffs_take_number(text, len, &number, &negative))
		return false;
	if (negative) {
		if (!is_signed(field) || number > 1ULL << (bits - 1))
			return false;
		number = -number;
	} else if (number > low_bits(is_signed(field) ? bits - 1 : bits)) {
		return false;
	}
	bpffs_save(field, to, number);
	return true;
}

static bool take_ip4(const char *text, u32 len, u8 *to)
{
	u32 i, at = 0, from;
	u64 number;

	for (i = 0; i < 4; i++) {
		if (i && (at == len || text[at++] != '.'))
			return false;
		from = at;
		while (at < len && text[at] != '.')
			at++;
		if (at - from > 3 || !take_digits(text + from, at - from, 10, &number) ||
		    number > 255)
			return false;
		to[i] = number;
	}
	return at == len;
}

static bool take_ip6(const char *text, u32 len, u8 *to)
{
	u32 words = 0, gap = 9, at = 0, from;
	u8 word[16] = {};
	u64 number;

	if (len >= 2 && text[0] == ':' && text[1] == ':') {
		gap = 0;
		at = 2;
	}
	while (at < len) {
		from = at;
		while (at < len && text[at] != ':')
			at++;
		if (memchr(text + from, '.', at - from)) {
			if (words > 6 || at != len ||
			    !take_ip4(text + from, at - from, word + 2 * words))
				return false;
			words += 2;
			break;
		}
		if (words == 8 || at - from > 4 ||
		    !take_digits(text + from, at - from, 16, &number))
			return false;
		save_unit(word + 2 * words++, 2, true, number);
		if (at == len)
			break;
		/* A ":" stands before a word, a "::" may stand at the end. */
		if (++at == len)
			return false;
		if (text[at] == ':') {
			if (gap < 9)
				return false;
			gap = words;
			at++;
		}
	}
	if (gap == 9 ? words != 8 : words > 7)
		return false;
	gap = min(gap, words);
	memset(to, 0, 16);
	memcpy(to, word, 2 * gap);
	memcpy(to + 16 - 2 * (words - gap), word + 2 * gap, 2 * (words - gap));
	return true;
}

static bool take_mac(const char *text, u32 len, u8 *to)
{
	u64 number;
	u32 i;

	if (len != 17)
		return false;
	for (i = 0; i < 6; i++) {
		if ((i < 5 && text[3 * i + 2] != ':') ||
		    !take_digits(text + 3 * i, 2, 16, &number))
			return false;
		to[i] = number;
	}
	return true;
}

/* For messages: what a text of the leaf, which is no string, is. */
void bpffs_describe(const struct bpffs_field *field, char *to, size_t size)
{
	switch (field->type) {
	case BPFFS_INT:
		snprintf(to, size, field->labels ? "a name of the enum, or a %s" : "a %s",
			 field->base->name);
		break;
	case BPFFS_BITS:
		snprintf(to, size, "%sa %snumber of %u bits",
			 field->labels ? "a name of the enum, or " : "",
			 is_signed(field) ? "signed " : "", field->width);
		break;
	case BPFFS_BOOL:
		snprintf(to, size, "a bool");
		break;
	case BPFFS_IP4:
		snprintf(to, size, "an IPv4 address");
		break;
	case BPFFS_IP6:
		snprintf(to, size, "an IPv6 address");
		break;
	case BPFFS_MAC:
		snprintf(to, size, "a MAC address");
		break;
	case BPFFS_PLEN:
		snprintf(to, size, "a prefix length");
		break;
	case BPFFS_HEX:
	case BPFFS_PAD:
		snprintf(to, size, "hex of %u bytes (%llu digits)", field->size,
			 2ULL * field->size);
		break;
	}
}

/* For messages: a text of a user, cut, its odd bytes escaped. */
static void quote(char to[64], const char *text, u32 len)
{
	u32 at = 0;
	u32 i;

	for (i = 0; i < len && at < 48; i++) {
		unsigned char ch = text[i];

		if (ch > ' ' && ch <= '~' && ch != '"')
			to[at++] = ch;
		else
			at += snprintf(to + at, 5, "\\x%02x", ch);
	}
	snprintf(to + at, 4, i < len ? "..." : "");
}

static int refuse_word(const struct bpffs_field *field, const char *text, u32 len,
		       struct bpffs_reason *why)
{
	char wanted[64], is[64];

	if (!why)
		return -EINVAL;
	bpffs_describe(field, wanted, sizeof(wanted));
	quote(is, text, len);
	return bpffs_reason(why, 0, "\"%s\" is not %s", is, wanted);
}

/*
 * The bytes of a leaf that is not str, hex or pad. Lenient: what is canonical
 * is the caller's question. Return: 0, or -EINVAL with *@why but for the column.
 */
int bpffs_take_word(const struct bpffs_field *field, const char *text, u32 len,
		    u8 *to, struct bpffs_reason *why)
{
	bool ok = false;

	switch (field->type) {
	case BPFFS_INT:
	case BPFFS_BITS:
	case BPFFS_BOOL:
	case BPFFS_PLEN:
		ok = take_integer(field, text, len, to);
		break;
	case BPFFS_IP4:
		ok = take_ip4(text, len, to);
		break;
	case BPFFS_IP6:
		ok = take_ip6(text, len, to);
		break;
	case BPFFS_MAC:
		ok = take_mac(text, len, to);
		break;
	}
	return ok ? 0 : refuse_word(field, text, len, why);
}
