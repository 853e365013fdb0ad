// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * What the name of a member tells about its bytes: BTF knows that six bytes are
 * six bytes, and only the name that they are a MAC address.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "btf.h"

#define WORD_MAX	16

static const char * const address_words[] = {
	"addr", "address", "saddr", "daddr", "laddr", "raddr", "faddr",
	"ipaddr", "ip", "ipv", "v", "sip", "dip", "vip", "srcip", "dstip",
	"src", "dst", "source", "dest", "gw", "gateway", "nexthop", NULL
};

static const char * const mac_words[] = {
	"mac", "smac", "dmac", "macaddr", "hwaddr", "lladdr", "hw", "eth",
	"ether", "addr", "address", "src", "dst", "source", "dest", "shost",
	"dhost", "bssid", NULL
};

/* be32 dst_port is no address. */
static const char * const port_words[] = {
	"port", "sport", "dport", "ports", NULL
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

/* The next part of a name between "_", in lower case, without its digits. */
static bool next_word(const char **name, char word[WORD_MAX])
{
	size_t len = 0;

	*name += strspn(*name, "_");
	if (!**name)
		return false;
	for (; **name && **name != '_'; (*name)++)
		if (!isdigit((unsigned char)**name) && len < WORD_MAX - 1)
			word[len++] = tolower((unsigned char)**name);
	word[len] = '\0';
	return true;
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
	return has_word(name, address_words) && !has_word(name, port_words);
}

bool libbpffs_is_mac_name(const char *name)
{
	return has_word(name, mac_words);
}

/* All of it must be that word: "pad", "__pad2", but not "pad_count". */
bool libbpffs_is_pad_name(const char *name)
{
	char word[WORD_MAX];

	if (!name || !next_word(&name, word) || !is_word(word, pad_words))
		return false;
	while (next_word(&name, word))
		if (*word)
			return false;
	return true;
}
