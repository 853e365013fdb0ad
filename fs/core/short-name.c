// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Short names, of keys whose names are longer than a file's can be: the begin of
 * the name, "~~", which is in no other name, and a hash of the key's bytes.
 *
 * Two keys of one name would be two keys of one hash. It is BLAKE2b (RFC 7693) of 160
 * bits, for which nobody can find such two, although everybody knows how it is made:
 * "b2sum -l 160" does. Pure code has no other to call in the kernel and in user space.
 */
#include "field.h"
#include "text.h"

#define BLOCK_BYTES	128
#define ROUNDS		12

static const u64 initial[8] = {
	0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL,
	0xa54ff53a5f1d36f1ULL, 0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL,
	0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL,
};

/* In which order a round takes the words of a block; then from the begin again. */
static const u8 order[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static u64 rotate(u64 word, u32 by)
{
	return word >> by | word << (64 - by);
}

static void mix(u64 *a, u64 *b, u64 *c, u64 *d, u64 x, u64 y)
{
	*a += *b + x;
	*d = rotate(*d ^ *a, 32);
	*c += *d;
	*b = rotate(*b ^ *c, 24);
	*a += *b + y;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 63);
}

/* @bytes: up to the end of the block, of all. */
static void take_block(u64 state[8], const u8 block[BLOCK_BYTES], u64 bytes, bool last)
{
	u64 v[16], word[16];
	u32 i, r;

	for (i = 0; i < 16; i++) {
		v[i] = i < 8 ? state[i] : initial[i - 8];
		word[i] = 0;
		for (r = 8; r--;)
			word[i] = word[i] << 8 | block[8 * i + r];
	}
	v[12] ^= bytes;
	if (last)
		v[14] = ~v[14];
	for (r = 0; r < ROUNDS; r++) {
		const u8 *at = order[r % 10];

		/* Columns, then diagonals. */
		for (i = 0; i < 4; i++)
			mix(&v[i], &v[i + 4], &v[i + 8], &v[i + 12],
			    word[at[2 * i]], word[at[2 * i + 1]]);
		for (i = 0; i < 4; i++)
			mix(&v[i], &v[(i + 1) % 4 + 4], &v[(i + 2) % 4 + 8],
			    &v[(i + 3) % 4 + 12], word[at[2 * i + 8]], word[at[2 * i + 9]]);
	}
	for (i = 0; i < 8; i++)
		state[i] ^= v[i] ^ v[i + 8];
}

void bpffs_hash(const u8 *bytes, u32 size, u8 hash[BPFFS_HASH_BYTES])
{
	u8 block[BLOCK_BYTES];
	u32 done = 0, n, i;
	u64 state[8];

	memcpy(state, initial, sizeof(state));
	/* No key, and no tree. */
	state[0] ^= 0x01010000 ^ BPFFS_HASH_BYTES;
	do {
		n = min_t(u32, size - done, BLOCK_BYTES);
		memset(block, 0, sizeof(block));
		memcpy(block, bytes + done, n);
		done += n;
		take_block(state, block, done, done == size);
	} while (done < size);
	for (i = 0; i < BPFFS_HASH_BYTES; i++)
		hash[i] = state[i / 8] >> 8 * (i % 8);
}

#define TAIL	(2 + 2 * BPFFS_HASH_BYTES)

/* Of the key's name, its first BPFFS_NAME_MAX bytes are at @name. */
u32 bpffs_put_short(char name[BPFFS_NAME_MAX + 1], const u8 *key, u32 size)
{
	u32 len = BPFFS_NAME_MAX - TAIL;
	u8 hash[BPFFS_HASH_BYTES];

	/* An escape is not cut. */
	if (name[len - 1] == '%')
		len -= 1;
	else if (name[len - 2] == '%')
		len -= 2;
	bpffs_hash(key, size, hash);
	name[len++] = '~';
	name[len++] = '~';
	len += bpffs_put_hex(name + len, hash, sizeof(hash));
	name[len] = '\0';
	return len;
}

bool bpffs_name_is_short(const char *name, size_t len)
{
	return len >= BPFFS_SHORT_NAME_MIN && len <= BPFFS_NAME_MAX &&
	       !memcmp(name + len - TAIL, "~~", 2);
}
