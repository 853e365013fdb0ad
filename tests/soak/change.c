// SPDX-License-Identifier: GPL-2.0-only
/* Those who change the map: by bpf(2) at full speed, and by its files. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

/* What is out of the way in a moment: memory, or a bucket's lock. */
static bool is_passing(int err)
{
	return err == -ENOMEM || err == -EBUSY;
}

void soak_change_by_bpf(void)
{
	struct soak_value values[soak.cpus];
	__u32 number = SOAK_CONST + soak_random() % (SOAK_KEYS - SOAK_CONST);
	unsigned int copy;
	char key[8];

	if (number >= SOAK_OWN && number < SOAK_STAY)
		return;
	soak_key(number, key);
	if (number >= SOAK_STAY && soak_random() % 2) {
		bpf_map_delete_elem(soak.map, key);
		return;
	}
	for (copy = 0; copy < soak.cpus; copy++)
		values[copy] = soak_value(number, soak_random());
	bpf_map_update_elem(soak.map, key, values, BPF_ANY);
}

void soak_change_maps(void)
{
	__u32 key = SOAK_CONST + soak_random() % (SOAK_KEYS - SOAK_CONST);

	if (key >= SOAK_STAY && soak_random() % 2)
		bpf_map_delete_elem(soak.map, &key);
	else
		bpf_map_update_elem(soak.map, &key, &soak.inner[soak_random() % SOAK_CONST],
				    BPF_ANY);
}

/* Of a key that nobody else writes: what was written is there, or else what was before. */
void soak_write_own(void)
{
	static struct soak_value last[SOAK_STAY];
	struct soak_value values[soak.cpus], value;
	__u32 number = SOAK_OWN + soak_random() % (SOAK_STAY - SOAK_OWN);
	char path[64] = SOAK_MNT "/", name[SOAK_NAME], text[4096], line[4200], key[8];
	unsigned int copy;
	int err, way = soak_random() % 3;

	if (!last[number].a)
		last[number] = soak_value(number, 0);
	value = soak_value(number, soak_random());
	soak_name(number, name);
	strcat(path, name);
	switch (way) {
	case 0:
		soak_text(value, '\n', text, sizeof(text));
		err = soak_write_file(path, O_TRUNC, text);
		break;
	case 1:
		soak_text(value, ' ', text, sizeof(text));
		snprintf(line, sizeof(line), "%s %s", name, text);
		err = soak_write_file(SOAK_MNT "/.bpf/table", 0, line);
		break;
	default:
		/* One field of one copy. */
		value.b = last[number].b;
		snprintf(text, sizeof(text), "%sa=%llu\n", soak.can & HAS_CPUS ? "cpu0." : "",
			 value.a);
		err = soak_write_file(path, O_TRUNC, text);
	}
	if (err && !is_passing(err))
		soak_fault("write %s, way %d: %s", path, way, strerror(-err));
	if (err)
		value = last[number];
	soak_key(number, key);
	if (bpf_map_lookup_elem(soak.map, key, values)) {
		soak_fault("write %s, way %d: the element is gone", path, way);
		return;
	}
	for (copy = 0; copy < (err || way == 2 ? 1 : soak.cpus); copy++)
		if (values[copy].a != value.a || values[copy].b != value.b)
			soak_fault("write %s, way %d: %llx %llx was written, %llx %llx is there",
				   path, way, value.a, value.b, values[copy].a, values[copy].b);
	last[number] = value;
}

void soak_create_and_remove(void)
{
	__u32 number = SOAK_STAY + soak_random() % (SOAK_KEYS - SOAK_STAY);
	char path[64] = SOAK_MNT "/", text[4096];
	int err, excl;

	soak_name(number, path + strlen(path));
	if (soak.can & CAN_CREATE) {
		soak_text(soak_value(number, soak_random()), '\n', text, sizeof(text));
		/*
		 * Now and then as touch(1) does it: an element of zeros. What is written where
		 * it lies may hit another's, if the element goes meanwhile: new ones only.
		 */
		excl = soak.can & IN_PLACE || soak_random() % 2 ? O_EXCL : 0;
		err = soak_write_file(path, O_CREAT | excl, soak_random() % 4 ? text : "");
		if (err && err != -EEXIST && err != -ENOENT && err != -ESTALE && !is_passing(err))
			soak_fault("create %s: %s", path, strerror(-err));
	}
	if (unlink(path) && errno != ENOENT && !is_passing(-errno))
		soak_fault("rm %s: %s", path, strerror(errno));
}

void soak_remove_maps(void)
{
	char path[64];

	snprintf(path, sizeof(path), SOAK_MNT "/%u",
		 SOAK_STAY + soak_random() % (SOAK_KEYS - SOAK_STAY));
	if (rmdir(path) && errno != ENOENT && !is_passing(-errno))
		soak_fault("rmdir %s: %s", path, strerror(errno));
}

/* --- Queues and stacks: what goes in comes out, once --- */

static void count_pushed(__u64 word)
{
	soak.pushed++;
	soak.sum_pushed += word;
}

static void count_popped(__u64 a, __u64 b)
{
	soak.popped++;
	soak.sum_popped += a;
	if (soak_judge(0, a, b) != SEEN_WHOLE)
		soak_fault("pop: %llx %llx was never pushed", a, b);
}

void soak_queue_by_bpf(void)
{
	struct soak_value value = soak_value(0, soak_random());

	if (soak_random() % 2) {
		if (!bpf_map_update_elem(soak.map, NULL, &value, BPF_ANY))
			count_pushed(value.a);
	} else if (!bpf_map_lookup_and_delete_elem(soak.map, NULL, &value)) {
		count_popped(value.a, value.b);
	}
}

void soak_queue_by_files(void)
{
	struct soak_value value = soak_value(0, soak_random());
	char text[4096];
	int err, pop;
	ssize_t len;

	if (soak_random() % 2) {
		soak_text(value, soak_random() % 2 ? '\n' : ' ', text, sizeof(text));
		err = soak_write_file(SOAK_MNT "/push", 0, text);
		if (!err)
			count_pushed(value.a);
		else if (err != -ENOSPC && err != -EBUSY)
			soak_fault("push: %s", strerror(-err));
		return;
	}
	pop = open(SOAK_MNT "/pop", O_RDWR | O_CLOEXEC);
	len = pop < 0 ? -1 : pread(pop, text, sizeof(text) - 1, 0);
	if (len < 0 && errno != EBUSY) {
		soak_fault("pop: %s", strerror(errno));
	} else if (len > 0) {
		text[len] = '\0';
		value = (struct soak_value){};
		if (sscanf(text, "a=%llu b=%llu", &value.a, &value.b) != 2)
			soak_fault("pop: no value: %s", text);
		count_popped(value.a, value.b);
	}
	if (pop >= 0)
		close(pop);
	/* Who only looks takes nothing. */
	if (soak_read_file(SOAK_MNT "/peek", text, sizeof(text)) > 0 &&
	    soak_judge_text(0, text) != SEEN_WHOLE)
		soak_fault("peek: %s was never pushed", text);
}
