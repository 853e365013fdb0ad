// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* The head of a file in a tar, as POSIX has it (ustar). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tar.h"

_Static_assert(sizeof(struct tar_head) == TAR_BLOCK, "a head is a block");

/* Of all bytes, those of the sum itself being blanks. */
static unsigned int sum_of(const struct tar_head *head)
{
	struct tar_head copy = *head;
	const unsigned char *byte = (const unsigned char *)&copy;
	unsigned int sum = 0, i;

	memset(copy.checksum, ' ', sizeof(copy.checksum));
	for (i = 0; i < sizeof(copy); i++)
		sum += byte[i];
	return sum;
}

bool tar_make(struct tar_head *head, const char *name, unsigned long long size)
{
	char number[32];

	memset(head, 0, sizeof(*head));
	if (strlen(name) >= sizeof(head->name) || size >= 1ULL << 33)
		return false;
	memcpy(head->name, name, strlen(name));
	memcpy(head->mode, "0000600", 8);
	memcpy(head->uid, "0000000", 8);
	memcpy(head->gid, "0000000", 8);
	snprintf(number, sizeof(number), "%011llo", size);
	memcpy(head->size, number, sizeof(head->size));
	snprintf(number, sizeof(number), "%011llo", (unsigned long long)time(NULL));
	memcpy(head->mtime, number, sizeof(head->mtime));
	head->type = '0';
	memcpy(head->magic, "ustar", 6);
	memcpy(head->version, "00", 2);
	snprintf(number, sizeof(number), "%06o", sum_of(head));
	memcpy(head->checksum, number, 7);
	head->checksum[7] = ' ';
	return true;
}

static unsigned long long octal(const char *text, size_t size)
{
	char copy[16] = "";

	memcpy(copy, text, size < sizeof(copy) ? size : sizeof(copy) - 1);
	return strtoull(copy, NULL, 8);
}

bool tar_check(const struct tar_head *head, unsigned long long *size)
{
	*size = octal(head->size, sizeof(head->size));
	return !memcmp(head->magic, "ustar", 5) &&
	       octal(head->checksum, sizeof(head->checksum)) == sum_of(head);
}
