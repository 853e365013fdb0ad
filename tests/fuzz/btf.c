// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer: whatever BTF says, the result is a layout of just the size asked
 * for, or none. The first bytes choose the type, the size and the use; the rest
 * is raw BTF, or, with the highest bit of the first byte, types and strings for
 * which a header is made, so that more inputs get past libbpf's checks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "btf-layout.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* libbpf tells about every refusal. */
	libbpf_set_print(NULL);
	return 0;
}

#define STRINGS		256

static struct btf *with_header(const unsigned char *data, size_t size)
{
	size_t strings = size < STRINGS ? 0 : STRINGS, types = (size - strings) & ~3UL;
	struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(header),
		.type_len = types,
		.str_off = types,
		.str_len = strings + 2,
	};
	size_t all = sizeof(header) + types + strings + 2;
	char *raw = calloc(1, all);
	struct btf *btf;

	memcpy(raw, &header, sizeof(header));
	memcpy(raw + sizeof(header), data + strings, types);
	memcpy(raw + sizeof(header) + types + 1, data, strings);
	btf = btf__new(raw, all);
	free(raw);
	return btf;
}

/* The first name of the layout is one that the user can give a type for. */
static void check_as(const struct btf *btf, unsigned int id, unsigned int size,
		     enum libbpffs_btf_use use, const char *layout)
{
	size_t len = strcspn(layout, "=:{[");
	struct libbpffs_as as = {
		.path = layout,
		.path_len = len,
		.type = "hex",
		.for_key = use != LIBBPFFS_BTF_VALUE,
	};
	char *text;
	int err;

	if (layout[len] != '=' || !strncmp(layout + len, "=plen", 5))
		return;
	err = libbpffs_btf_layout(btf, id, size, use, &as, 1, &text);
	if (err || !as.seen || as.bad_size || as.of_bits || (text && strncmp(text + len, "=hex", 4)))
		abort();
	free(text);
}

static void check(const struct btf *btf, unsigned int id, unsigned int size,
		  enum libbpffs_btf_use use)
{
	struct bpffs_layout *layout;
	char *text;

	if (libbpffs_btf_layout(btf, id, size, use, NULL, 0, &text) || !text)
		return;
	if (bpffs_layout_compile(&layout, text, strlen(text), size,
				 use == LIBBPFFS_BTF_VALUE ? BPFFS_VALUE : BPFFS_KEY, NULL))
		abort();
	bpffs_layout_release(layout);
	check_as(btf, id, size, use, text);
	free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	unsigned int id, bytes;
	struct btf *btf;
	long long real;

	if (size < 4)
		return 0;
	btf = data[0] & 0x80 ? with_header(data + 4, size - 4) : btf__new(data + 4, size - 4);
	if (!btf)
		return 0;
	bytes = data[2] | data[3] << 8;
	for (id = 1; id < btf__type_cnt(btf) && id < 64; id++) {
		real = btf__resolve_size(btf, id);
		/* Mostly the size that goes with the type. */
		if (real > 0 && real <= 1 << 20 && data[1] & 3)
			check(btf, id, real, data[0] % 3);
		else
			check(btf, id, bytes + 1, data[0] % 3);
	}
	btf__free(btf);
	return 0;
}
