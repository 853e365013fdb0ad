#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
"""A map as a file system, from Python: mounted by the library, and from then on
used as files. Its keys here are 4 bytes, its values 8.

    ./mount.py /sys/fs/bpf/x /mnt
"""
import ctypes
import os
import sys


class MountOpts(ctypes.Structure):
    """struct bpf_mount_opts: its size first; what is None has its default."""

    _fields_ = [
        ("sz", ctypes.c_size_t),
        ("source", ctypes.c_char_p),
        ("options", ctypes.c_char_p),
        ("key", ctypes.c_char_p),
        ("value", ctypes.c_char_p),
    ]


lib = ctypes.CDLL("libbpffs.so.0", use_errno=True)
lib.bpffs_source_open.argtypes = [ctypes.c_char_p]
lib.bpf_mount_fd.argtypes = [
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.POINTER(MountOpts),
]
lib.bpf_umount.argtypes = [ctypes.c_char_p, ctypes.c_int]
lib.bpf_mount_error.restype = ctypes.c_char_p


def checked(result):
    """Negative is an errno, and the library has a sentence about it."""
    if result < 0:
        raise OSError(-result, lib.bpf_mount_error().decode())
    return result


def mount(source, directory, **layouts):
    fd = checked(lib.bpffs_source_open(source.encode()))
    opts = MountOpts(sz=ctypes.sizeof(MountOpts), source=source.encode(), **layouts)
    try:
        checked(lib.bpf_mount_fd(fd, directory.encode(), ctypes.byref(opts)))
    finally:
        os.close(fd)


def main(source, directory):
    mount(source, directory, key=b"u32", value=b"packets=u64")
    try:
        with open(os.path.join(directory, "9"), "w") as file:
            file.write("packets=44\n")
        for name in sorted(os.listdir(directory), key=int):
            with open(os.path.join(directory, name)) as file:
                print(name, "has", file.read().rstrip("\n"))
        os.unlink(os.path.join(directory, "9"))
    finally:
        checked(lib.bpf_umount(directory.encode(), 0))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} SOURCE DIR")
    main(*sys.argv[1:])
