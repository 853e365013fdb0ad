/* SPDX-License-Identifier: GPL-2.0-only */
/* What the map "conns" holds; mounted, each element is a file. */
#ifndef CONNS_H
#define CONNS_H

#include <linux/types.h>

struct conn {
	__be32 saddr;
	__be16 sport;		/* 0 where the protocol has no ports */
	__u8 proto;
	__u8 pad;		/* always zero: padding is part of a key */
};

struct traffic {
	__u64 packets;
	__u64 bytes;		/* of whole frames, link layer header included */
};

#endif
