// SPDX-License-Identifier: GPL-2.0-only
/* Those who look at the map while it changes. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/bpffs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

/* All of the table, or of raw, with room to spare. */
#define SOAK_BYTES	(256 << 10)

void soak_list_directory(void)
{
	struct soak_list list = { .what = "readdir" };
	struct dirent *entry;
	DIR *dir = opendir(SOAK_MNT);

	if (!dir) {
		soak_fault("readdir: open: %s", strerror(errno));
		return;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			soak_list_name(&list, entry->d_name);
	if (errno)
		soak_fault("readdir: %s", strerror(errno));
	closedir(dir);
	soak_listed(&list, true, soak.can & LOSES_NOTHING);
}

/* A value that changes, seen in the middle of that. */
static bool is_torn(__u32 key, enum soak_seen seen)
{
	return seen == SEEN_NEVER && soak.can & BY_BYTES && key >= SOAK_CONST;
}

/* Those that files write, single fields too, are whole by words only. */
static void judge_element(const char *what, __u32 key, enum soak_seen seen)
{
	bool own = key >= SOAK_OWN && key < SOAK_STAY;
	enum soak_seen worst = soak.can & IS_WHOLE && !own ? SEEN_WHOLE : SEEN_MIXED;

	/* The nodes of a trie are used again beside those who look, as bpf(2) sees, too. */
	if (soak.can & HAS_PREFIXES) {
		soak.reads++;
		soak.read_foreign += seen > worst;
		return;
	}
	if (is_torn(key, seen))
		soak.read_foreign++;
	else if (seen > worst)
		soak_fault("%s: key %u has %s", what, key, seen == SEEN_MIXED ?
			   "words of two of its values" : seen == SEEN_FOREIGN ?
			   "another key's value" : "a value that was never written");
}

void soak_read_table(void)
{
	struct soak_list list = { .what = "table" };
	char *text = malloc(SOAK_BYTES), *rest = text, *line, *value;
	long len = soak_read_file(SOAK_MNT "/.bpf/table", text, SOAK_BYTES);
	int key;

	if (len < 0)
		soak_fault("table: %s", strerror(-len));
	while (len > 0 && (line = strsep(&rest, "\n")) && *line) {
		value = strchrnul(line, ' ');
		if (*value)
			*value++ = '\0';
		soak_list_name(&list, line);
		key = soak_key_of(line);
		if (key >= 0)
			judge_element("table", key, soak_judge_text(key, value));
	}
	if (len >= 0)
		soak_listed(&list, true, soak.can & LOSES_NOTHING);
	free(text);
}

static void judge_bytes(int key, const char *bytes)
{
	const struct soak_value *value = (const void *)bytes;
	unsigned int copy;

	for (copy = 0; key >= 0 && copy < soak.cpus; copy++)
		judge_element("raw", key, soak_judge(key, value[copy].a, value[copy].b));
}

void soak_read_raw(void)
{
	struct soak_list list = { .what = "raw" };
	char *bytes = malloc(SOAK_BYTES);
	long len = soak_read_file(SOAK_MNT "/.bpf/raw", bytes, SOAK_BYTES);
	size_t at = sizeof(struct bpffs_raw_header), keys, values;
	struct bpffs_raw_block *block = NULL;
	__u64 count = 0, i;

	if (len < 0)
		soak_fault("raw: %s", strerror(-len));
	while (len > 0 && at + sizeof(*block) <= (size_t)len) {
		block = (void *)(bytes + at);
		keys = at + sizeof(*block);
		if (block->magic != BPFFS_RAW_BLOCK)
			break;
		values = (keys + (size_t)block->capacity * soak.key_size + 7) & ~7ULL;
		at = values + block->count * soak.cpus * sizeof(struct soak_value);
		if (block->count > block->capacity || at > (size_t)len)
			break;
		count += block->count;
		for (i = 0; i < block->count; i++) {
			int key = soak_key_number(bytes + keys + i * soak.key_size);

			soak_list_key(&list, key);
			judge_bytes(key, bytes + values + i * soak.cpus * sizeof(struct soak_value));
		}
	}
	if (len >= 0 && (!block || block->magic != BPFFS_RAW_END || block->count != count))
		soak_fault("raw: ends in the middle");
	else if (len >= 0)
		soak_listed(&list, soak.can & DOUBLES_NOTHING, soak.can & LOSES_NOTHING);
	free(bytes);
}

/* A file of what @key has; false: there is none, as there may be, or it was a fault. */
static bool read_file_of(__u32 key, const char *path, char *text, size_t size)
{
	long len = soak_read_file(path, text, size);

	if (len < 0 && (len != -ENOENT || key < SOAK_STAY))
		soak_fault("read %s: %s", path, strerror(-len));
	return len >= 0;
}

/* A file of an element: what is in it was written, if not always by this key. */
void soak_read_files(void)
{
	char path[64] = SOAK_MNT "/", text[4096];
	__u32 key = soak_random() % SOAK_KEYS;
	enum soak_seen seen;

	soak_name(key, path + strlen(path));
	if (!read_file_of(key, path, text, sizeof(text)))
		return;
	seen = soak_judge_text(key, text);
	soak.reads++;
	if (seen == SEEN_FOREIGN || (seen == SEEN_NEVER && soak.can & HAS_PREFIXES) ||
	    is_torn(key, seen))
		soak.read_foreign++;
	else if (seen == SEEN_NEVER)
		soak_fault("read %s: never written: %s", path, text);
}

/* An inner map, one of those that there are, whose value says which. */
void soak_read_maps(void)
{
	char path[64], text[256];
	__u32 key = soak_random() % SOAK_KEYS, i;

	snprintf(path, sizeof(path), SOAK_MNT "/%u/0", key);
	if (!read_file_of(key, path, text, sizeof(text)))
		return;
	for (i = 0; i < SOAK_CONST; i++)
		if (soak_judge_text(i, text) == SEEN_WHOLE)
			break;
	if (i == SOAK_CONST || (key < SOAK_CONST && i != key))
		soak_fault("read %s: not what is in that map: %s", path, text);
	soak.reads++;
}

/* The kernel's own way to list, beside ours. */
void soak_walk(void)
{
	struct soak_value values[soak.cpus];
	unsigned int times[SOAK_KEYS] = {};
	char key[8], *from = NULL;
	unsigned int steps;
	int number;

	/* One that goes back to the start may not end. */
	for (steps = 0; steps < 64 * SOAK_KEYS && !bpf_map_get_next_key(soak.map, from, key);
	     steps++) {
		from = key;
		number = soak_key_number(key);
		if (number < 0)
			continue;
		times[number]++;
		if (soak.can & HAS_MAPS || bpf_map_lookup_elem(soak.map, key, values))
			continue;
		soak.lookups++;
		if (soak_judge(number, values[0].a, values[0].b) > SEEN_MIXED)
			soak.foreign++;
	}
	soak.walks++;
	for (number = 0; number < SOAK_KEYS; number++) {
		soak.lost += !times[number] && number < SOAK_STAY;
		soak.doubled += times[number] > 1;
	}
}
