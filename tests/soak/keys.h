/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keys and values of the soak, for the BPF program and for who looks. A value says
 * by itself whose it is, and that it was written.
 */
#ifndef _SOAK_KEYS_H
#define _SOAK_KEYS_H

/* Keys from 0 on, of which the first never go. */
#define SOAK_KEYS	256
#define SOAK_STAY	64
/* Of those that stay, the first never change, the last are written by files only. */
#define SOAK_CONST	16
#define SOAK_OWN	48

struct soak_prefix {
	__u32 length;
	__u8 data[4];
};

/* Two words, written together. */
struct soak_value {
	__u64 a;
	__u64 b;
};

static inline __u32 soak_mix(__u32 key, __u32 n)
{
	__u32 x = (key + 1) * 2654435761U ^ n;

	x ^= x >> 15;
	x *= 0x2c1b3c6dU;
	x ^= x >> 12;
	x *= 0x297a2d39U;
	return x ^ x >> 15;
}

static inline __u64 soak_word(__u32 key, __u32 n)
{
	return (__u64)soak_mix(key, n) << 32 | n;
}

static inline struct soak_value soak_value(__u32 key, __u32 n)
{
	struct soak_value value = { soak_word(key, n), soak_word(key + SOAK_KEYS, n) };

	return value;
}

/* Prefixes of several lengths, none the same. */
static inline struct soak_prefix soak_prefix(__u32 key)
{
	struct soak_prefix prefix = {
		.length = 24 + (key & 7),
		.data = { 10, key >> 8, key },
	};

	return prefix;
}

/* What a program counts; of a queue, the sums of what it has put in and taken out. */
struct soak_counts {
	__u64 made;
	__u64 deleted;
	__u64 pushed;
	__u64 popped;
	__u64 sum_pushed;
	__u64 sum_popped;
};

#endif
