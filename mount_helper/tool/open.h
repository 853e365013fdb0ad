/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/* bpffs open: the object of a mount, as a descriptor for a command. */
#ifndef LIBBPFFS_OPEN_H
#define LIBBPFFS_OPEN_H

/**
 * open_command() - run a command that inherits the object
 * @argc: of @argv
 * @argv: open [-r] DIR -- CMD [ARGS]; ends with NULL
 *
 * Return: only on failure: an exit status.
 */
int open_command(int argc, char **argv);

#endif
