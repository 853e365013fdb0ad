// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* btf_decl_tag("bpffs:TYPE"), by which a BPF source says what its bytes are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "btf-layout.h"

static const char prefix[] = "bpffs:";

struct libbpffs_tag {
	__u32 id;
	int member;
	const char *type;
};

static int compare(const void *a, const void *b)
{
	const struct libbpffs_tag *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->member > y->member) - (x->member < y->member);
}

static const char *tag_text(const struct btf *btf, const struct btf_type *t)
{
	const char *text = t && btf_is_decl_tag(t) ?
			   btf__str_by_offset(btf, t->name_off) : NULL;

	if (!text || strncmp(text, prefix, strlen(prefix)))
		return NULL;
	return text + strlen(prefix);
}

int libbpffs_tags_collect(struct libbpffs_tags *tags, const struct btf *btf)
{
	__u32 types = btf__type_cnt(btf);
	__u32 id, count = 0;

	for (id = 1; id < types; id++)
		count += !!tag_text(btf, btf__type_by_id(btf, id));
	if (!count)
		return 0;
	tags->tag = calloc(count, sizeof(*tags->tag));
	if (!tags->tag)
		return -ENOMEM;
	for (id = 1; id < types; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *text = tag_text(btf, t);

		if (!text)
			continue;
		tags->tag[tags->count].id = t->type;
		tags->tag[tags->count].member = btf_decl_tag(t)->component_idx;
		tags->tag[tags->count++].type = text;
	}
	qsort(tags->tag, tags->count, sizeof(*tags->tag), compare);
	return 0;
}

void libbpffs_tags_free(struct libbpffs_tags *tags)
{
	free(tags->tag);
}

const char *libbpffs_tag_find(const struct libbpffs_tags *tags, __u32 id,
			      int member)
{
	struct libbpffs_tag wanted = { .id = id, .member = member };
	const struct libbpffs_tag *found = NULL;

	if (tags->count)
		found = bsearch(&wanted, tags->tag, tags->count, sizeof(wanted), compare);
	return found ? found->type : NULL;
}
