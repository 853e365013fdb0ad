// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers and addresses, as the C library reads and writes them: what it takes
 * is taken for the same bytes, and but for leading zeros nothing else is.
 *
 * input: the letter of a type, a text
 */
#include <arpa/inet.h>

#include "fuzz.h"

/**
 * struct kind - a type, and how the C library reads it
 * @layout: of one field
 * @size: of it
 * @take: its bytes of a text; false: it is none
 */
struct kind {
	const char *layout;
	u32 size;
	bool (*take)(const struct kind *kind, const char *text, u8 *to);
};

/* Digits of the right kind only: strtoull() takes blanks, "+" and octal too. */
static bool is_number(const char *text)
{
	bool hex;

	text += *text == '-';
	hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	if (hex)
		text += 2;
	return *text && strspn(text, hex ? "0123456789abcdefABCDEF" : "0123456789") ==
			strlen(text);
}

static bool take_number(const struct kind *kind, const char *text, u8 *to)
{
	bool is_signed = kind->layout[0] == 's';
	u32 shift = 64 - 8 * kind->size;
	unsigned long long number;
	const char *digits = text;
	bool negative;

	if (!is_number(text))
		return false;
	negative = *digits == '-';
	digits += negative;
	errno = 0;
	number = strtoull(digits, NULL, strpbrk(digits, "xX") ? 16 : 10);
	if (errno || (negative && !is_signed))
		return false;
	if (negative && number > 1ULL << (8 * kind->size - 1))
		return false;
	if (!negative && number > UINT64_MAX >> shift >> is_signed)
		return false;
	if (negative)
		number = -number;
	if (kind->layout[0] == 'b')
		number = htobe64(number << shift);
	memcpy(to, &number, kind->size);
	return true;
}

/* Only the C library minds leading zeros in up to three digits. */
static void drop_zeros(const char *text, char *to)
{
	while (*text) {
		size_t digits = strspn(text, "0123456789");

		for (; digits > 1 && digits <= 3 && *text == '0'; digits--)
			text++;
		digits += !digits;
		memcpy(to, text, digits);
		to += digits;
		text += digits;
	}
	*to = '\0';
}

static bool take_ip4(const struct kind *kind, const char *text, u8 *to)
{
	char plain[BPFFS_NAME_MAX + 1];

	drop_zeros(text, plain);
	return inet_pton(AF_INET, plain, to) == 1;
}

static bool take_ip6(const struct kind *kind, const char *text, u8 *to)
{
	const char *colon = strrchr(text, ':');
	char plain[BPFFS_NAME_MAX + 1];

	snprintf(plain, sizeof(plain), "%s", text);
	if (colon && strchr(colon, '.'))
		drop_zeros(colon + 1, plain + (colon + 1 - text));
	return inet_pton(AF_INET6, plain, to) == 1;
}

static const struct kind kinds[] = {
	{ "u8", 1, take_number },
	{ "u16", 2, take_number },
	{ "u32", 4, take_number },
	{ "u64", 8, take_number },
	{ "s8", 1, take_number },
	{ "s16", 2, take_number },
	{ "s32", 4, take_number },
	{ "s64", 8, take_number },
	{ "be16", 2, take_number },
	{ "be32", 4, take_number },
	{ "be64", 8, take_number },
	{ "x8", 1, take_number },
	{ "x64", 8, take_number },
	{ "ip4", 4, take_ip4 },
	{ "ip6", 16, take_ip6 },
};

/* The name of an IPv6 address; the C library shows ::102:304 as ::1.2.3.4. */
static void check_ip6(const char *name, const u8 *bytes)
{
	static const u8 zeros[12];
	char text[INET6_ADDRSTRLEN];

	if (!memcmp(bytes, zeros, sizeof(zeros)))
		return;
	inet_ntop(AF_INET6, bytes, text, sizeof(text));
	law(!strcmp(text, name), "%s is %s", name, text);
}

static void check(const struct kind *kind, const char *text)
{
	struct bpffs_shape shape = { .copies = 1, .stride = kind->size, .separator = '\n' };
	struct bpffs_layout *layout;
	struct bpffs_parser *parser;
	char name[BPFFS_NAME_MAX + 1];
	u8 want[16] = {};
	bool ok, wanted = kind->take(kind, text, want);

	/* The same layout serves for a key. */
	law(!bpffs_layout_compile(&layout, kind->layout, strlen(kind->layout), kind->size,
				  BPFFS_KEY, NULL), "no layout");
	shape.layout = layout;
	parser = bpffs_parser_new(&shape);
	bpffs_parse_begin(parser);
	ok = !bpffs_parse_piece(parser, text, strlen(text), NULL) &&
	     !bpffs_parse_piece(parser, "\n", 1, NULL);
	law(ok == wanted, "%s: \"%s\" is %s", kind->layout, text, ok ? "taken" : "refused");
	if (ok) {
		law(!memcmp(bpffs_parse_value(parser), want, kind->size),
		    "%s: \"%s\" has other bytes", kind->layout, text);
		bpffs_name_encode(layout, want, name);
		if (kind->take == take_ip6)
			check_ip6(name, want);
	}
	bpffs_parser_free(parser);
	bpffs_layout_release(layout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[BPFFS_NAME_MAX + 1] = {};
	u32 kind, len;

	if (size < 2)
		return -1;
	kind = data[0] - 'a';
	len = min(size - 1, sizeof(text) - 1);
	if (kind >= ARRAY_SIZE(kinds))
		return -1;
	memcpy(text, data + 1, len);
	/* Blanks end a text, and an empty one is no text. */
	text[strcspn(text, " \t\n")] = '\0';
	/* Nor is an addition, which these kinds do not know. */
	if (*text && text[1] != '=')
		check(&kinds[kind], text);
	return 0;
}
