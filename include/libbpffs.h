/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/*
 * libbpffs: mount one BPF object as a file system of type bpffs.
 *
 *	int map_fd = bpf_map__fd(skel->maps.conns);
 *
 *	if (bpf_mount_fd(map_fd, "/mnt/conns", NULL))
 *		fprintf(stderr, "%s\n", bpf_mount_error());
 *
 * or, with addresses and numbers in place of hexadecimal bytes:
 *
 *	struct bpf_mount_opts opts = {
 *		.sz = sizeof(opts),
 *		.key = "ip4:be16",
 *		.value = "u64",
 *		.options = "uid=1000,mode=0640,ro",
 *	};
 *
 *	if (bpf_mount_fd(map_fd, "/mnt/conns", &opts))
 *		...
 *
 * The mount keeps the object: afterwards the descriptor can be closed, and the
 * process can exit. bpf_umount(), or umount(8), lets the object go.
 *
 * Errors: functions that return int return a negative errno, and set errno to
 * its positive value too. bpf_mount_error() says in words what was refused.
 *
 * Threads: every function may be called from several threads at once; errors
 * are kept per thread. None is safe in a signal handler.
 *
 * Descriptors: all that the library opens are close-on-exec, and closed when
 * a function fails. Descriptors passed in stay the caller's, and open.
 */
#ifndef LIBBPFFS_H
#define LIBBPFFS_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef LIBBPFFS_API
#define LIBBPFFS_API __attribute__((visibility("default")))
#endif

/**
 * struct bpf_mount_opts - how to mount; what is zero or NULL has its default,
 *	so all of it must be zeroed before anything is set, as an initializer does
 * @sz: sizeof(struct bpf_mount_opts), so that the struct can grow: a caller
 *	and a library of different versions go together as long as the caller
 *	asks for nothing that the library does not know
 * @source: shown as the source in /proc/mounts, less than 256 bytes; default
 *	"none"
 * @options: more options, separated by commas as for mount -o; see below
 * @key: layout of the keys, such as "ip4:be16", or "hex"; default "auto": what
 *	bpffs_map_layouts() gives, or the kernel's default if it refuses that
 * @value: layout of the values, likewise
 * @backend: "kernel": by the module bpffs; "fuse": without it, by the program bpffs-fuse,
 *	which runs until the mount goes; default "auto": by the module if there is
 *	one and the caller may mount by it, else by FUSE
 *
 * The strings stay the caller's; they are not looked at after the call.
 *
 * @options may hold the file system's own, like "uid=1000,mode=0444", which the
 * kernel checks, and the generic ones:
 *
 * - ro makes both the file system and the mount read-only.
 * - nosuid, nodev and noexec are always set; suid, dev and exec change nothing.
 * - [no]atime, [no]relatime, [no]strictatime, [no]diratime, [no]symfollow.
 * - as=key.server:ip4 and as=value.last.sec:x64, with layouts by BTF, give the
 *   type of one member of the key or the value; may come several times. Of a map
 *   of maps, there are as=inner_key. and as=inner_value. too.
 * - snapshot mounts a frozen copy of the map: of a hash, array, LPM trie and
 *   their LRU and per-CPU kinds. -EOPNOTSUPP: it is of another type or has
 *   timers or pointers of the kernel in its values; -EAGAIN: it changes too fast.
 * - pinonly mounts a file system of the kernel's own type "bpf" with a pin of
 *   the object, "map", "prog" or "link", for kernels without bpffs. Options other
 *   than ro and the generic ones are refused, and so is ro for a link, whose
 *   pin can only be opened read-write; umount2(2) unmounts it, while
 *   bpf_umount() and bpf_mount_open() refuse, as it is not bpffs.
 * - backend=kernel, backend=fuse, backend=auto: as @backend.
 * - What only fstab and mount(8) mean something by (defaults, noauto, user,
 *   nofail, _netdev, x-*, X-*, ...) is accepted and ignored.
 *
 * As everywhere, the last one wins if an option is given several times, or
 * contradicts another; @options win over @key, @value and @backend. A value with a comma
 * goes in double quotes: key="a,b". fd= is refused: the descriptor is an argument.
 */
struct bpf_mount_opts {
	size_t sz;
	const char *source;
	const char *options;
	const char *key;
	const char *value;
	const char *backend;
	size_t :0;
};

#define bpf_mount_opts__last_field backend

/**
 * bpf_mount_fd() - mount a BPF object on a directory
 * @fd: a map, program or link; what this descriptor may not do (a read-only
 *	one: writing), the files of the mount may not do either
 * @target: an existing directory; a symbolic link is followed, as by mount(2)
 * @opts: NULL for the defaults
 *
 * Needs CAP_SYS_ADMIN, by the module in the first user namespace. Without it, and with
 * bpffs-fuse installed, fusermount3(1) mounts, if @target is the caller's own
 * directory. The mount holds the object itself: @fd remains the caller's, and may be
 * closed at once.
 *
 * Return: 0, or a negative errno, and nothing is mounted:
 *
 * - -E2BIG: @opts asks for what this version of the library does not know
 * - -EBADF: @fd is not an open descriptor, or an O_PATH one
 * - -EINVAL: @fd is no BPF object, an option or a layout is wrong, @target is
 *   NULL, or @opts->sz is not set
 * - -EACCES: @fd is a map's descriptor that is write-only
 * - -ENODEV: the kernel has no bpffs, and could not load the module, or there is no
 *   bpffs-fuse
 * - -ENOSYS: the kernel is too old
 * - -EPERM: no CAP_SYS_ADMIN
 * - -ENAMETOOLONG: the key is too long to have names, or @target is too long
 * - -ENOENT, -ENOTDIR, -ELOOP: @target is no directory
 * - -ENOMEM, or what else fsopen(2), fsconfig(2), fsmount(2) and
 *   move_mount(2) return
 */
LIBBPFFS_API int bpf_mount_fd(int fd, const char *target,
			      const struct bpf_mount_opts *opts);

/**
 * bpf_mount_fd_detached() - mount a BPF object, but on no directory
 * @fd: as for bpf_mount_fd()
 * @opts: as for bpf_mount_fd()
 *
 * The files are reached with openat(2) and the like, relative to the returned
 * descriptor. move_mount(2) gives it a place; if that has not happened by the
 * last close(2) of it, the mount goes then.
 *
 * Return: a descriptor, which the caller closes, or a negative errno, as
 * bpf_mount_fd() does except for those of a target.
 */
LIBBPFFS_API int bpf_mount_fd_detached(int fd,
				       const struct bpf_mount_opts *opts);

/**
 * bpf_mount_open() - the object of a mount, back as a descriptor
 * @target: the root of a mount of type bpffs
 * @flags: O_RDWR, or O_RDONLY (of a map only); O_CLOEXEC is implied
 *
 * It opens the file .bpf/fd there, which is root's, mode 0600. A descriptor is
 * full power over the object, a read-only one too: pinned, a map can be got
 * again writable.
 *
 * Return: a descriptor, which the caller closes, or a negative errno:
 *
 * - -EINVAL: @target is not the root of a bpffs mount, or @flags is neither
 * - -EACCES: no permission; or a program or link and O_RDONLY
 * - -EROFS: the mount is read-only, as that of a read-only descriptor always is:
 *   it hands none out
 * - what else open(2) returns for @target
 */
LIBBPFFS_API int bpf_mount_open(const char *target, int flags);

/**
 * bpf_mount_openat() - the same, of a mount that is open
 * @mount_fd: its root: of bpf_mount_fd_detached(), or of open(2)
 * @flags: as for bpf_mount_open()
 *
 * Return: as bpf_mount_open() does; -EBADF: @mount_fd is not open.
 */
LIBBPFFS_API int bpf_mount_openat(int mount_fd, int flags);

/**
 * bpf_umount() - unmount what bpf_mount_fd() mounted
 * @target: the root of a mount of type bpffs
 * @flags: 0, or of MNT_DETACH, MNT_FORCE, MNT_EXPIRE and UMOUNT_NOFOLLOW, as
 *	for umount2(2)
 *
 * The object goes when nothing else holds it: no other mount of the same
 * superblock, no open file in it, no descriptor, pin or attachment.
 *
 * With MNT_EXPIRE, @target ends in the mount point's own name: no trailing "/"
 * or ".", no symbolic link; to follow these would count as a use of the mount.
 *
 * Anything else than the root of a bpffs mount is refused and left alone. That
 * check looks up @target once, and umount2(2) again: it saves from mistakes,
 * not from somebody who can rename the directories on the way.
 *
 * Return: 0, or a negative errno:
 *
 * - -EINVAL: @target is NULL or not the root of a bpffs mount, or @flags has
 *   others than those above or contradicting ones
 * - -EBUSY: a file or a working directory in it is in use; MNT_DETACH
 *   unmounts nevertheless
 * - -EAGAIN: the first call with MNT_EXPIRE; the second one unmounts unless
 *   the mount has been used in between
 * - -EPERM: no CAP_SYS_ADMIN
 * - what else open(2) or umount2(2) return for @target, like -ENOENT
 */
LIBBPFFS_API int bpf_umount(const char *target, int flags);

/**
 * bpf_mount_error() - why the last call of this thread failed
 *
 * Return: one sentence without a newline, the kernel's if it gave one, cut
 * at 1023 bytes; "" if the call succeeded, or if there was none. It belongs to
 * the library, and stays until the thread's next call of a function that can
 * fail, or its end. Never NULL.
 */
LIBBPFFS_API const char *bpf_mount_error(void);

/**
 * bpffs_source_open() - the BPF object that a SOURCE of mount.bpffs(8) names
 * @source: the path of a pinned object (with a "/" in it), or map:NAME,
 *	map:id:7, prog:NAME, prog:id:7, prog:tag:TAG or link:id:7; of a name, the
 *	kernel keeps 15 characters, and BTF has the whole
 *
 * Return: a descriptor, which the caller closes, or a negative errno: -ENOENT
 * (there is none), -ENOTUNIQ (several have the name, or those that begin so are
 * known by 15 characters only; the sentence lists them), -EINVAL, -EACCES, -EPERM, or
 * what bpf(2) returns.
 */
LIBBPFFS_API int bpffs_source_open(const char *source);

/* --- Layouts: keys and values as text; docs/layout.rst has the language --- */

struct bpffs_layout;

/* It is a key's: names must fit into a file's name, and "plen" is allowed. */
#define BPFFS_LAYOUT_KEY	1U

/**
 * bpffs_layout_parse() - a layout from its text
 * @text: like "ip4:be16" or "packets=u64:bytes=u64", or "hex"
 * @size: of the key or the value (of one CPU's) in bytes
 * @flags: BPFFS_LAYOUT_KEY or, for a value, 0
 *
 * A layout can be used by several threads at once.
 *
 * Return: to be given to bpffs_layout_free(), or NULL; then errno says EINVAL
 * (refused), ENAMETOOLONG (a key that has no names), E2BIG (a limit of the
 * language) or ENOMEM, and bpf_mount_error() why, with the column.
 */
LIBBPFFS_API struct bpffs_layout *
bpffs_layout_parse(const char *text, size_t size, unsigned int flags);

/* Takes NULL as well. */
LIBBPFFS_API void bpffs_layout_free(struct bpffs_layout *layout);

/* The canonical text, as snprintf() does: returns the length, ends with NUL. */
LIBBPFFS_API size_t bpffs_layout_text(const struct bpffs_layout *layout,
				      char *buf, size_t size);

/**
 * bpffs_key_encode() - the one name of a key's file
 * @layout: made with BPFFS_LAYOUT_KEY
 * @key: its bytes, as many as the layout was made for
 * @name: 256 bytes are always enough
 * @size: of @name
 *
 * A name that would have more bytes is a short one, as docs/layout.rst says.
 *
 * Return: the length, or -EINVAL (the layout is a value's) or -ENOBUFS.
 */
LIBBPFFS_API int bpffs_key_encode(const struct bpffs_layout *layout,
				  const void *key, char *name, size_t size);

/**
 * bpffs_key_decode() - the key of a name
 * @layout: made with BPFFS_LAYOUT_KEY
 * @name: exactly as bpffs_key_encode() spells it, or whole as in .bpf/table; but a
 *	short one does not say all of its key
 * @key: filled on success only
 *
 * Return: 0, or -EINVAL: not the name of any key.
 */
LIBBPFFS_API int bpffs_key_decode(const struct bpffs_layout *layout,
				  const char *name, void *key);

/**
 * struct bpffs_value_opts - what is not usual about a value; as of struct
 *	bpf_mount_opts, all of it must be zeroed first
 * @sz: sizeof(struct bpffs_value_opts)
 * @cpus: of a per-CPU value: the possible CPUs, ascending; else NULL. The bytes
 *	are then those of all CPUs, each rounded up to a multiple of 8 bytes, as
 *	bpf(2) has them.
 * @cpu_count: of @cpus
 * @separator: between fields and after the last one: '\n' (default) or ' '; not a
 *	char, after which an initializer would leave bytes as they are
 */
struct bpffs_value_opts {
	size_t sz;
	const unsigned int *cpus;
	unsigned int cpu_count;
	unsigned int separator;
	size_t :0;
};

/**
 * bpffs_value_encode() - a value as text, as the file of the element has it
 * @layout: made for a value
 * @value: its bytes
 * @text: ends with NUL, cut if need be; may be NULL if @size is 0
 * @size: of @text
 * @opts: or NULL
 *
 * Return: the length of the whole text, or a negative errno: -EINVAL or -E2BIG
 * (@opts), -EFBIG (beyond 1 GiB).
 */
LIBBPFFS_API ssize_t bpffs_value_encode(const struct bpffs_layout *layout,
					const void *value, char *text, size_t size,
					const struct bpffs_value_opts *opts);

/**
 * bpffs_value_decode() - fields of a value from text
 * @layout: made for a value
 * @text: fields as "packets=12", separated by newlines or blanks
 * @value: the fields in @text are set, others stay; if all are, padding is
 *	zeroed. Unchanged if @text is refused.
 * @opts: or NULL
 *
 * Return: 0, or a negative errno: -EINVAL (the sentence names field and column),
 * -E2BIG (@opts), -EFBIG, -ENOMEM.
 */
LIBBPFFS_API int bpffs_value_decode(const struct bpffs_layout *layout,
				    const char *text, void *value,
				    const struct bpffs_value_opts *opts);

/**
 * bpffs_map_layouts() - the layouts that the BTF of a map gives
 * @map_fd: of the map
 * @key: to be freed; NULL if a map of this type shows no keys. Without BTF it is
 *	"hex", or "none" if names could be too long. Of a bloom filter, whose values
 *	are the names, it is the layout of these.
 * @value: likewise, but never "none"; NULL of a bloom filter
 *
 * Of a map of maps, @key is that of the slots, and @value NULL: the maps inside, which
 * may differ in their BTF, are directories, and have the options inner_key= and
 * inner_value=, which a mount chooses likewise.
 *
 * Return: 0, or -EINVAL (not a map), -EBADF or -ENOMEM.
 */
LIBBPFFS_API int bpffs_map_layouts(int map_fd, char **key, char **value);

/**
 * bpffs_version_string() - the version of the library in use
 *
 * Return: a string like "0.1.0", which is static.
 */
LIBBPFFS_API const char *bpffs_version_string(void);

#ifdef __cplusplus
}
#endif

#endif
