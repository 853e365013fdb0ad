// SPDX-License-Identifier: GPL-2.0-only
/*
 * The names of keys: a name that is accepted is the one that its key has, and
 * every key has one.
 *
 * input: a layout, a newline, bytes that are taken as a name and as a key
 */
#include "fuzz.h"

/* Enough for names that are short, and longer. */
#define KEY_MAX		400

/* Bits behind the prefix are no part of an LPM trie's key. */
static void clear_host_bits(u8 *key, u32 size)
{
	u32 plen, bit;

	memcpy(&plen, key, sizeof(plen));
	for (bit = 0; bit < 8 * (size - sizeof(plen)); bit++)
		if (bit >= plen)
			key[sizeof(plen) + bit / 8] &= ~(0x80 >> bit % 8);
}

/* Of the keys of one prefix, one is called by name, whatever the layout is. */
static void check_prefix(const u8 *key, u32 size)
{
	struct bpffs_reason why = {};
	u8 *named = exact(key, size);
	bool possible, ok;
	u32 plen;

	if (size > sizeof(plen)) {
		memcpy(&plen, key, sizeof(plen));
		possible = plen <= 8 * (size - sizeof(plen));
		clear_host_bits(named, size);
		law(possible == !bpffs_check_prefix(named, size, &why), "%s", why.text);
		ok = !bpffs_check_prefix(key, size, NULL);
		law(ok == (possible && !memcmp(key, named, size)), "host bits");
	}
	free(named);
}

/* A key to its name, and back. */
static void check_key(const struct bpffs_layout *layout, const u8 *key)
{
	u32 size = bpffs_layout_size(layout);
	static char name[BPFFS_WHOLE_NAME_MAX + 1];
	char file[BPFFS_NAME_MAX + 1];
	struct bpffs_reason why = {};
	u8 *back = malloc(size), *want = exact(key, size);
	char *copy;
	int len;

	check_prefix(key, size);
	if (bpffs_layout_has_plen(layout))
		clear_host_bits(want, size);
	len = bpffs_name_whole(layout, key, name);
	law(bpffs_name_encode(layout, key, file) == (int)strlen(file), "a NUL in a name");
	law(bpffs_name_is_short(file, strlen(file)) == (len > BPFFS_NAME_MAX), "%s is short",
	    file);
	law(len > BPFFS_NAME_MAX || !strcmp(file, name), "%s is not %s", file, name);
	law(is_safe(file, strlen(file), "") && *file != '.' && *file != '-', "unsafe: %s", file);
	law(len > 0 && len <= (int)bpffs_layout_name_max(layout), "a name of %d bytes", len);
	law(strlen(name) == (size_t)len, "a NUL in a name");
	law(is_safe(name, len, "") && *name != '.' && *name != '-', "unsafe: %s", name);
	copy = exact(name, len);
	law(!bpffs_name_decode(layout, copy, len, back, &why), "%s is refused: %s", name,
	    why.text);
	law(!memcmp(back, want, size), "%s names another key", name);
	free(copy);
	free(back);
	free(want);
}

/* A name to its key, and back. */
static void check_name(const struct bpffs_layout *layout, const char *name, size_t len)
{
	u32 size = bpffs_layout_size(layout);
	struct bpffs_reason why = {};
	static char again[BPFFS_WHOLE_NAME_MAX + 1];
	u8 *key = malloc(size);
	int err, len2;

	err = bpffs_name_decode(layout, name, len, key, &why);
	law(err == bpffs_name_decode(layout, name, len, key, NULL), "a reason matters");
	if (err) {
		law(err == -EINVAL, "error %d", err);
		check_reason(&why, len);
		free(key);
		return;
	}
	len2 = bpffs_name_whole(layout, key, again);
	law(len2 == (int)len && !memcmp(again, name, len), "%.*s is accepted for %s",
	    (int)len, name, again);
	check_key(layout, key);
	free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = data;
	size_t len = take_line(&data, &size);
	struct bpffs_layout *layout = layout_of(line, len, KEY_MAX, BPFFS_KEY);
	u8 key[KEY_MAX] = {};
	char *name;

	if (!layout)
		return 0;
	name = exact(data, size);
	check_name(layout, name, size);
	memcpy(key, data, min(size, sizeof(key)));
	check_key(layout, key);
	free(name);
	bpffs_layout_release(layout);
	return 0;
}
