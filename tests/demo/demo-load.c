// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load the packet counter, attach it to a network device, mount its map, and
 * exit: the mounts keep the map, the device keeps the program.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <libbpffs.h>

#include "conns.skel.h"

/* @where: DIRECTORY or DIRECTORY,OPTIONS, which is cut at the comma */
static int mount_map(struct conns_bpf *conns, char *where, char **layouts)
{
	char *comma = strchr(where, ',');
	struct bpf_mount_opts opts = {
		.sz = sizeof(opts),
		.source = "conns",
		.key = layouts[0],
		.value = layouts[1],
		.options = comma ? comma + 1 : NULL,
	};
	int err;

	if (comma)
		*comma = '\0';
	err = bpf_mount_fd(bpf_map__fd(conns->maps.conns), where, &opts);
	if (err)
		fprintf(stderr, "demo-load: %s: %s\n", where, bpf_mount_error());
	return err;
}

/* By netlink, not by a link: the attachment outlives the loader. */
static int attach(struct conns_bpf *conns, const char *device)
{
	int err = bpf_xdp_attach(if_nametoindex(device),
				 bpf_program__fd(conns->progs.count),
				 XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);

	if (err)
		fprintf(stderr, "demo-load: %s: XDP: %s\n", device, strerror(-err));
	return err;
}

static void detach(const char *device)
{
	bpf_xdp_detach(if_nametoindex(device), 0, NULL);
}

/* All of them or none. */
static int mount_all(struct conns_bpf *conns, char **where, char **layouts)
{
	int err = 0, n;

	for (n = 0; where[n] && !err; n++)
		err = mount_map(conns, where[n], layouts);
	if (!err)
		return 0;
	for (n -= 2; n >= 0; n--)
		bpf_umount(where[n], 0);
	return err;
}

int main(int argc, char **argv)
{
	struct conns_bpf *conns;
	int err;

	if (argc < 5) {
		fputs("usage: demo-load DEVICE KEY_LAYOUT VALUE_LAYOUT DIRECTORY[,OPTIONS]...\n",
		      stderr);
		return 2;
	}

	conns = conns_bpf__open_and_load();
	if (!conns) {
		perror("demo-load: the BPF program does not load");
		return 1;
	}
	err = attach(conns, argv[1]);
	if (!err)
		err = mount_all(conns, argv + 4, argv + 2);
	if (err)
		detach(argv[1]);
	conns_bpf__destroy(conns);
	return err ? 1 : 0;
}
