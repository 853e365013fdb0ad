// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * What the name of a member tells about its bytes: BTF knows that six bytes are
 * six bytes, and only the name that they are a MAC address.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "btf-layout.h"

#define WORD_MAX	16

/* With digits, as words are compared; and "*addr". */
static const char * const address_words[] = {
	"address", "ip", "ip4", "ip6", "ipv4", "ipv6", "v4", "v6", "sip", "dip", "tip",
	"vip", "srcip", "dstip", "ip4src", "ip4dst", "ip6src", "ip6dst", "src", "dst",
	"source", "dest", "gw", "gw4", "gw6", "gateway", "nexthop", "nh", "prefsrc", NULL
};

/* Also "*addr", "*mac". */
static const char * const mac_words[] = {
	"address", "hw", "eth", "ether", "src", "dst", "source", "dest", "shost",
	"dhost", "bssid", NULL
};

/*
 * Of numbers whose type does not say that they are big-endian. Not ipv4: that of
 * struct bpf_tunnel_key is a number of the machine.
 */
static const char * const sure_words[] = {
	"saddr", "daddr", "ip4", "ip6", NULL
};

/* hw_addr, block_address: of something else. */
static const char * const other_words[] = {
	"hw", "mac", "eth", "block", NULL
};

static const char * const pad_words[] = {
	"pad", "padding", NULL
};

static bool is_word(const char *word, const char * const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

static bool ends_with(const char *word, const char *end)
{
	size_t len = strlen(word), end_len = strlen(end);

	return len >= end_len && !strcmp(word + len - end_len, end);
}

/* The next part of a name between "_", in lower case. */
static bool next_word(const char **name, char word[WORD_MAX])
{
	size_t len = 0;

	*name += strspn(*name, "_");
	if (!**name)
		return false;
	for (; **name && **name != '_'; (*name)++)
		if (len < WORD_MAX - 1)
			word[len++] = tolower((unsigned char)**name);
	word[len] = '\0';
	return true;
}

static bool is_number(const char *word)
{
	return !word[strspn(word, "0123456789")];
}

/* "addr1" is "addr", but "ip4" is more than "ip". */
static void drop_number(char *word, const char * const *list)
{
	size_t len = strlen(word);

	while (len && isdigit((unsigned char)word[len - 1]) && !is_word(word, list))
		word[--len] = '\0';
}

/*
 * What a name says it is, comes last: src_ip is an address, ip_proto is not. A number
 * behind it, and the "t" of a typedef, say nothing.
 */
static bool last_word(const char *name, char last[WORD_MAX])
{
	char word[WORD_MAX];

	*last = '\0';
	while (name && next_word(&name, word))
		if (!is_number(word) && strcmp(word, "t"))
			memcpy(last, word, sizeof(word));
	return *last;
}

static bool has_word(const char *name, const char * const *list)
{
	char word[WORD_MAX];

	while (name && next_word(&name, word))
		if (is_word(word, list))
			return true;
	return false;
}

bool libbpffs_is_address_name(const char *name)
{
	char last[WORD_MAX];

	if (!last_word(name, last) || has_word(name, other_words))
		return false;
	drop_number(last, address_words);
	return is_word(last, address_words) || ends_with(last, "addr");
}

bool libbpffs_is_sure_address_name(const char *name)
{
	char last[WORD_MAX];

	if (!last_word(name, last))
		return false;
	/* saddr_v4 */
	if (!strcmp(last, "v4") || !strcmp(last, "v6"))
		return has_word(name, sure_words);
	return is_word(last, sure_words);
}

bool libbpffs_is_mac_name(const char *name)
{
	char last[WORD_MAX];

	if (!last_word(name, last))
		return false;
	drop_number(last, mac_words);
	return is_word(last, mac_words) || ends_with(last, "addr") || ends_with(last, "mac");
}

/* All of it must be that word: "pad", "__pad2", but not "pad_count". */
bool libbpffs_is_pad_name(const char *name)
{
	char word[WORD_MAX];

	if (!name || !next_word(&name, word))
		return false;
	drop_number(word, pad_words);
	if (!is_word(word, pad_words))
		return false;
	while (next_word(&name, word))
		if (!is_number(word))
			return false;
	return true;
}
