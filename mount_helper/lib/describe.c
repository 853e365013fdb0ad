// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/* What a descriptor is of, in words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "internal.h"
#include "object.h"

enum libbpffs_kind libbpffs_kind_of(int fd)
{
	static const struct {
		const char *link;
		enum libbpffs_kind kind;
	} kinds[] = {
		{ "anon_inode:bpf-map", LIBBPFFS_MAP },
		{ "anon_inode:bpf-prog", LIBBPFFS_PROG },
		{ "anon_inode:bpf_link", LIBBPFFS_LINK },
		/* Links of perf events can be polled, on newer kernels. */
		{ "anon_inode:bpf-link", LIBBPFFS_LINK },
	};
	char path[32], link[64];
	ssize_t len;
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return LIBBPFFS_NO_OBJECT;
	link[len] = '\0';
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(link, kinds[i].link))
			return kinds[i].kind;
	return LIBBPFFS_NO_OBJECT;
}

unsigned int libbpffs_id_of(int fd)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
		struct bpf_link_info link;
	} info;
	__u32 len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	switch (libbpffs_kind_of(fd)) {
	case LIBBPFFS_MAP:
		return info.map.id;
	case LIBBPFFS_PROG:
		return info.prog.id;
	case LIBBPFFS_LINK:
		return info.link.id;
	default:
		return 0;
	}
}

/* "alloc_calls_total, ": where it is longer than what the kernel keeps. */
static void put_full_name(int fd, char *buf, size_t size)
{
	struct libbpffs_full_name full;
	size_t len = 0, i;

	buf[0] = '\0';
	if (libbpffs_full_name(&full, fd))
		return;
	for (i = 0; i < full.count && strcmp(full.name[0], full.kept) && len < size; i++)
		len += snprintf(buf + len, size - len, "%s%.40s%s", i ? " or " : "",
				full.name[i], i + 1 < full.count ? "" : ", ");
	libbpffs_full_name_free(&full);
}

static int describe_map(int fd, char *buf, size_t size)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	char name[128];
	const char *type;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	put_full_name(fd, name, sizeof(name));
	type = libbpf_bpf_map_type_str(info.type);
	snprintf(buf, size, "map:id:%u (%s%s, %u entries)", info.id, name,
		 type ?: "of an unknown type", info.max_entries);
	return 0;
}

static int describe_prog(int fd, char *buf, size_t size)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	char name[128];
	const char *type;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	put_full_name(fd, name, sizeof(name));
	type = libbpf_bpf_prog_type_str(info.type);
	snprintf(buf, size, "prog:id:%u (%s%s, tag %02x%02x%02x%02x%02x%02x%02x%02x)",
		 info.id, name, type ?: "of an unknown type", info.tag[0], info.tag[1],
		 info.tag[2], info.tag[3], info.tag[4], info.tag[5], info.tag[6],
		 info.tag[7]);
	return 0;
}

static int describe_link(int fd, char *buf, size_t size)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	const char *type;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	type = libbpf_bpf_link_type_str(info.type);
	snprintf(buf, size, "link:id:%u (%s)", info.id, type ?: "of an unknown type");
	return 0;
}

int libbpffs_describe(int fd, char *buf, size_t size)
{
	switch (libbpffs_kind_of(fd)) {
	case LIBBPFFS_MAP:
		return describe_map(fd, buf, size);
	case LIBBPFFS_PROG:
		return describe_prog(fd, buf, size);
	case LIBBPFFS_LINK:
		return describe_link(fd, buf, size);
	default:
		return -EINVAL;
	}
}
