// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* All elements of a map at a moment, in memory. */
#include <fnmatch.h>
#include <unistd.h>

#include "field.h"
#include "sample.h"

/* For keys that a BPF program takes from the net. */
static siphash_key_t hash_key;

static size_t slot_of(const struct sample *sample, const struct map *map, const void *key)
{
	size_t size = bpffs_layout_size(map->key);
	size_t slot = siphash(key, size, &hash_key) & (sample->slots - 1);

	while (sample->slot[slot] &&
	       memcmp(sample_key(sample, sample->slot[slot] - 1), key, size))
		slot = (slot + 1) & (sample->slots - 1);
	return slot;
}

const void *sample_find(const struct sample *sample, const struct map *map, const void *key)
{
	size_t slot = sample->slots ? slot_of(sample, map, key) : 0;

	return sample->slots && sample->slot[slot] ?
	       sample_value(sample, sample->slot[slot] - 1) : NULL;
}

static bool make_room(struct sample *sample)
{
	/* No more than twice of what there is: a single value may have megabytes. */
	size_t room = sample->room ? 2 * sample->room : 1;
	char *more;

	if (sample->count < sample->room)
		return true;
	if (sample->count == U32_MAX)
		return false;
	more = reallocarray(sample->record, room, sample->record_size);
	if (!more)
		return false;
	sample->record = more;
	sample->room = room;
	return true;
}

struct taking {
	struct sample *sample;
	struct map *map;
};

static enum status take_element(void *context, const void *key, const void *value)
{
	struct taking *taking = context;
	struct sample *sample = taking->sample;
	char *record;

	if (!make_room(sample))
		return fail("%s: %s", taking->map->dir, strerror(ENOMEM));
	record = sample->record + sample->count++ * sample->record_size;
	memset(record, 0, sample->key_size);
	memcpy(record, key, bpffs_layout_size(taking->map->key));
	memcpy(record + sample->key_size, value, shown_size(taking->map));
	return DONE;
}

/* A key may have come twice, if it was made anew meanwhile: the later one stays. */
static enum status index_keys(struct sample *sample, const struct map *map)
{
	size_t slots = 1024, slot, n;

	while (slots < 2 * sample->count)
		slots *= 2;
	free(sample->slot);
	sample->slots = 0;
	sample->slot = calloc(slots, sizeof(*sample->slot));
	if (!sample->slot)
		return fail("%s: %s", map->dir, strerror(ENOMEM));
	sample->slots = slots;
	for (n = 0; n < sample->count;) {
		slot = slot_of(sample, map, sample_key(sample, n));
		if (!sample->slot[slot]) {
			sample->slot[slot] = ++n;
			continue;
		}
		memcpy(sample->record + (sample->slot[slot] - 1) * sample->record_size,
		       sample_key(sample, n), sample->record_size);
		if (n < --sample->count)
			memcpy(sample->record + n * sample->record_size,
			       sample_key(sample, sample->count), sample->record_size);
	}
	return DONE;
}

enum status take_sample(struct sample *sample, struct map *map)
{
	struct taking taking = { .sample = sample, .map = map };
	enum status status;
	struct timespec now;

	if (!hash_key.key[0] && getentropy(&hash_key, sizeof(hash_key)))
		return fail("%s", strerror(errno));
	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->when = now.tv_sec * 1000000000ULL + now.tv_nsec;
	sample->key_size = (bpffs_layout_size(map->key) + 7) & ~7UL;
	sample->record_size = sample->key_size + ((shown_size(map) + 7) & ~7UL);
	sample->count = 0;
	status = each_element(map, take_element, NULL, &taking);
	return status ?: index_keys(sample, map);
}

bool is_one_of(const char *name, char **patterns)
{
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, name, 0))
			return true;
	return false;
}

void wait_after(const struct sample *sample, u64 interval)
{
	u64 until = sample->when + interval;
	struct timespec time = { until / 1000000000, until % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

void free_sample(struct sample *sample)
{
	free(sample->record);
	free(sample->slot);
	memset(sample, 0, sizeof(*sample));
}
