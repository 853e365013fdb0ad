// SPDX-License-Identifier: GPL-2.0-only
/* Keys and values of the soak as text, and what may be seen of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

void soak_name(__u32 key, char *name)
{
	struct soak_prefix prefix = soak_prefix(key);
	__u8 *data = prefix.data;

	if (soak.can & HAS_PREFIXES)
		snprintf(name, SOAK_NAME, "%u.%u.%u.%u-%u", data[0], data[1], data[2], data[3],
			 prefix.length);
	else
		snprintf(name, SOAK_NAME, "%u", key);
}

int soak_key_of(const char *name)
{
	char want[SOAK_NAME];
	unsigned int high, low, key;

	if (!(soak.can & HAS_PREFIXES))
		key = strtoul(name, NULL, 10);
	else if (sscanf(name, "10.%u.%u.", &high, &low) == 2)
		key = high << 8 | low;
	else
		return -1;
	if (key >= SOAK_KEYS)
		return -1;
	soak_name(key, want);
	return strcmp(name, want) ? -1 : (int)key;
}

void soak_key(__u32 key, void *bytes)
{
	struct soak_prefix prefix = soak_prefix(key);

	if (soak.can & HAS_PREFIXES)
		memcpy(bytes, &prefix, sizeof(prefix));
	else
		memcpy(bytes, &key, sizeof(key));
}

int soak_key_number(const void *bytes)
{
	struct soak_prefix prefix, want;
	__u32 key;

	if (soak.can & HAS_PREFIXES) {
		memcpy(&prefix, bytes, sizeof(prefix));
		key = prefix.data[1] << 8 | prefix.data[2];
		want = soak_prefix(key);
		if (memcmp(&prefix, &want, sizeof(want)))
			return -1;
	} else {
		memcpy(&key, bytes, sizeof(key));
	}
	return key < SOAK_KEYS ? (int)key : -1;
}

int soak_text(struct soak_value value, char separator, char *text, size_t size)
{
	unsigned int cpu;
	int len = 0;

	if (!(soak.can & HAS_CPUS))
		return snprintf(text, size, "a=%llu%cb=%llu\n", value.a, separator, value.b);
	for (cpu = 0; cpu < soak.cpus; cpu++)
		len += snprintf(text + len, size - len, "cpu%u.a=%llu%ccpu%u.b=%llu%c", cpu,
				value.a, separator, cpu, value.b,
				cpu + 1 < soak.cpus ? separator : '\n');
	return len;
}

/* Zeros are what a file makes that is not written, and the copies of other CPUs. */
static bool is_word(__u32 key, __u64 word)
{
	return !word || word == soak_word(key, (__u32)word);
}

static bool is_words(__u32 key, __u64 a, __u64 b)
{
	return is_word(key, a) && is_word(key + SOAK_KEYS, b);
}

enum soak_seen soak_judge(__u32 key, __u64 a, __u64 b)
{
	bool has_a = false, has_b = false;
	__u32 other;

	if (is_words(key, a, b))
		return (__u32)a == (__u32)b ? SEEN_WHOLE : SEEN_MIXED;
	for (other = 0; other < SOAK_KEYS; other++) {
		has_a |= is_word(other, a);
		has_b |= is_word(other + SOAK_KEYS, b);
	}
	return has_a && has_b ? SEEN_FOREIGN : SEEN_NEVER;
}

enum soak_seen soak_judge_text(__u32 key, const char *text)
{
	enum soak_seen worst = SEEN_WHOLE, seen;
	unsigned int copies = 0;
	const char *field;
	__u64 a, b;

	for (field = text; (field = strchr(field, 'a')); copies++) {
		if (sscanf(field, "a=%llu", &a) != 1)
			return SEEN_NEVER;
		field = strchr(field, 'b');
		if (!field || sscanf(field, "b=%llu", &b) != 1)
			return SEEN_NEVER;
		seen = soak_judge(key, a, b);
		if (seen > worst)
			worst = seen;
	}
	return copies == soak.cpus ? worst : SEEN_NEVER;
}

void soak_list_key(struct soak_list *list, int key)
{
	if (key < 0)
		soak_fault("%s: a key that never was", list->what);
	else
		list->times[key]++;
}

void soak_list_name(struct soak_list *list, const char *name)
{
	int key = soak_key_of(name);

	if (key < 0)
		soak_fault("%s: \"%s\", which never was", list->what, name);
	else
		list->times[key]++;
}

void soak_listed(const struct soak_list *list, bool exact, bool complete)
{
	__u32 key;

	soak.lists++;
	for (key = 0; key < SOAK_KEYS; key++) {
		if (list->times[key] > 1) {
			soak.list_doubled++;
			if (exact)
				soak_fault("%s: key %u is listed %u times", list->what, key,
					   list->times[key]);
		} else if (!list->times[key] && key < SOAK_STAY) {
			soak.list_lost++;
			if (complete)
				soak_fault("%s: key %u, which stays, is lost", list->what, key);
		}
	}
}

long soak_read_file(const char *path, char *text, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	if (file < 0)
		return -errno;
	while ((got = read(file, text + len, size - 1 - len)) > 0)
		len += got;
	if (got < 0)
		got = -errno;
	close(file);
	text[len] = '\0';
	if (len == size - 1)
		return -EFBIG;
	return got ? got : (long)len;
}

int soak_write_file(const char *path, int flags, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC | flags, 0600);
	size_t len = strlen(text);
	ssize_t put;
	int err = 0;

	if (file < 0)
		return -errno;
	put = len ? write(file, text, len) : 0;
	if (put < 0)
		err = -errno;
	else if ((size_t)put != len)
		err = -EIO;
	if (close(file) && !err)
		err = -errno;
	return err;
}

static atomic_ulong seed;
static _Thread_local __u64 state;

__u32 soak_random(void)
{
	if (!state)
		state = (atomic_fetch_add(&seed, 1) + 1) * 0x9e3779b97f4a7c15ULL;
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}
