#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What programs do to a mount without the module, and what the kernel asks then. It
# needs root, bpf(2) and /dev/fuse of this machine. ITEMS is bpffs-fuse with a few
# numbers for its contents (fuse/items.c). As TAP.

. "$(dirname "$0")/tap.sh"
in_private front /dev/fuse
here=$(mktemp -d)
mnt=$here/mnt
export BPFFS_FUSE_DAEMON=${ITEMS:?}
# What a sanitizer says, which has no terminal.
export ASAN_OPTIONS=log_path=$here/san UBSAN_OPTIONS=log_path=$here/san
export TSAN_OPTIONS=log_path=$here/san

cleanup()
{
	umount -q "$mnt" "$here/pins"
	rm -rf "$here"
}
trap cleanup EXIT

# A test in python, which says what was not as it ought to be. m is the mount.
python() # NAME
{
	output=$(python3 -c "import errno, os, subprocess, sys
m = '$mnt/'
def error(f, *args, **kw):
    try:
        f(*args, **kw)
    except OSError as e:
        return errno.errorcode[e.errno]
    return None
def op(name, flags=os.O_RDWR):
    return os.open(m + name, flags, 0o644)
def put(name, text, flags=os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
    f = op(name, flags)
    os.write(f, text)
    os.close(f)
def get(name):
    return open(m + name).read()
$(cat)" 2>&1)
	result $? "$1"
}

mkdir "$mnt" "$here/pins"
mount -t bpf none "$here/pins"
bpftool map create "$here/pins/map" type array key 4 value 8 entries 1 name front_test
mount.bpffs -o backend=fuse "$here/pins/map" "$mnt" || exit

python 'a file is made, read, changed and removed' << 'EOF'
put('a', b'5\n')
assert get('a') == '5\n' and os.listdir(m) == ['a']
put('a', b'6\n')
assert get('a') == '6\n' and os.stat(m + 'a').st_size == 2
os.unlink(m + 'a')
assert os.listdir(m) == [] and error(os.stat, m + 'a') == 'ENOENT'
assert error(op, 'a') == 'ENOENT' and error(os.unlink, m + 'a') == 'ENOENT'
EOF
python 'until it is written, nobody else sees it' << 'EOF'
f = op('n', os.O_RDWR | os.O_CREAT)
assert error(os.stat, m + 'n') == 'ENOENT' and os.listdir(m) == []
assert os.fstat(f).st_mode & 0o777 == 0o644
os.write(f, b'7\n')
assert get('n') == '7\n'
os.close(f)
os.unlink(m + 'n')
EOF
python 'touch makes a zero by the time it is closed' << 'EOF'
os.close(op('t', os.O_WRONLY | os.O_CREAT))
assert get('t') == '0\n'
os.unlink(m + 't')
EOF
python 'touch makes it when it sets the time' << 'EOF'
f = op('t', os.O_WRONLY | os.O_CREAT)
os.utime(f)
assert get('t') == '0\n'
os.close(f)
os.unlink(m + 't')
EOF
python 'a child that inherits and closes it makes none' << 'EOF'
f = op('c', os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.set_inheritable(f, True)
subprocess.run(['true'], close_fds=False, check=True)
assert error(os.stat, m + 'c') == 'ENOENT'
os.write(f, b'3\n')
os.close(f)
assert get('c') == '3\n'
os.unlink(m + 'c')
EOF
python 'with O_EXCL, the write decides' << 'EOF'
f = op('x', os.O_WRONLY | os.O_CREAT | os.O_EXCL)
g = op('x', os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(g, b'1\n')
assert error(os.write, f, b'2\n') == 'EEXIST'
assert error(op, 'x', os.O_CREAT | os.O_EXCL) == 'EEXIST'
os.close(f)
os.close(g)
assert get('x') == '1\n'
os.unlink(m + 'x')
EOF
python 'fstat of an open file is that of its sample' << 'EOF'
put('s', b'5\n')
f = op('s')
assert os.fstat(f).st_size == 2 and os.pread(f, 100, 0) == b'5\n'
put('s', b'500\n')
assert os.fstat(f).st_size == 2
assert os.stat(m + 's').st_size == 4
g = op('s')
assert os.pread(g, 100, 0) == b'500\n' and os.fstat(g).st_size == 4
assert os.fstat(f).st_size == 2 and os.lseek(f, 0, os.SEEK_END) == 2
assert os.pread(f, 100, 0) == b'500\n' and os.fstat(f).st_size == 4
os.close(f)
os.close(g)
os.unlink(m + 's')
EOF
python 'an open file whose name is gone says so' << 'EOF'
put('g', b'5\n')
f = op('g')
os.unlink(m + 'g')
assert error(os.pread, f, 10, 0) == 'ENOENT'
os.close(f)
EOF
python 'the error of what is closed comes from close' << 'EOF'
f = op('f', os.O_WRONLY | os.O_CREAT)
os.write(f, b'1313\n')
assert error(os.close, f) == 'EIO'
os.unlink(m + 'f')
EOF
python 'a file opened once more by /proc' << 'EOF'
put('p', b'5\n')
f = op('p', os.O_RDONLY)
g = os.open('/proc/self/fd/%d' % f, os.O_RDONLY)
assert os.pread(g, 10, 0) == b'5\n' and os.fstat(g).st_size == 2
os.close(f)
assert os.fstat(g).st_size == 2
os.close(g)
os.unlink(m + 'p')
EOF
python 'truncate to 0 only' << 'EOF'
put('z', b'5\n')
os.truncate(m + 'z', 0)
assert get('z') == '5\n' and error(os.truncate, m + 'z', 1) == 'EINVAL'
f = op('z')
os.ftruncate(f, 0)
assert error(os.ftruncate, f, 3) == 'EINVAL'
os.close(f)
os.unlink(m + 'z')
EOF
python 'what there is not: links, directories, locks, attributes, maps of memory' << 'EOF'
import fcntl, mmap
put('e', b'5\n')
assert error(os.rename, m + 'e', m + 'f') == 'EXDEV'
assert error(os.link, m + 'e', m + 'f') == 'EPERM'
assert error(os.symlink, m + 'e', m + 'f') == 'EPERM'
assert error(os.mkdir, m + 'f') == 'EPERM' and error(os.mkfifo, m + 'f') == 'EPERM'
assert error(os.setxattr, m + 'e', 'user.a', b'1') == 'ENOTSUP'
f = op('e')
assert error(fcntl.flock, f, fcntl.LOCK_EX) == 'ENOTSUP'
assert error(fcntl.lockf, f, fcntl.LOCK_EX) == 'ENOTSUP'
assert error(mmap.mmap, f, 2) == 'ENODEV'
os.close(f)
assert error(op, 'e', os.O_RDONLY | os.O_DIRECT) == 'EINVAL'
os.chmod(m + 'e', 0o400)
os.chown(m + 'e', 5, 5)
os.utime(m + 'e', (1, 1))
assert os.stat(m + 'e').st_mode & 0o777 == 0o644 and os.stat(m + 'e').st_uid == 0
os.unlink(m + 'e')
EOF
python 'SEEK_DATA, SEEK_HOLE' << 'EOF'
put('k', b'55\n')
f = op('k')
assert os.lseek(f, 1, os.SEEK_DATA) == 1 and os.lseek(f, 1, os.SEEK_HOLE) == 3
assert error(os.lseek, f, 3, os.SEEK_DATA) == 'ENXIO'
os.close(f)
os.unlink(m + 'k')
EOF
python 'a stream cannot be sought' << 'EOF'
f = op('stream', os.O_RDONLY)
assert os.read(f, 5) == b'\n' and error(os.lseek, f, 0, os.SEEK_SET) == 'ESPIPE'
os.close(f)
EOF
python 'a listing is that of the moment when it begins' << 'EOF'
import ctypes
names = ['l%02d' % i for i in range(40)]
for name in names:
    put(name, b'1\n')
assert sorted(os.listdir(m)) == names
libc = ctypes.CDLL(None, use_errno=True)
f = os.open(m, os.O_RDONLY)
buf = ctypes.create_string_buffer(200)
parts = []
while True:
    n = libc.syscall(217, f, buf, 200)
    if n <= 0:
        break
    parts.append(n)
    if len(parts) == 2:
        for name in names:
            os.unlink(m + name)
assert n == 0 and len(parts) > 5, (n, parts)
assert os.listdir(m) == []
os.lseek(f, 0, os.SEEK_SET)
assert libc.syscall(217, f, buf, 200) == 48
os.close(f)
EOF
python 'a directory that another takes the place of' << 'EOF'
put('turn', b'1\n')
here = os.getcwd()
os.chdir(m + 'sub')
first = os.stat('.').st_ino
assert os.listdir('.') == [] and first == os.stat(m + 'sub').st_ino
put('turn', b'2\n')
assert os.stat('.').st_ino == first and os.stat(m + 'sub').st_ino == first + 1
os.chdir(here)
os.unlink(m + 'turn')
EOF
python 'sixteen processes at once' << 'EOF'
code = '''
import os, sys
m, me = sys.argv[1:]
for i in range(100):
    with open(m + 'w' + me, 'w') as f:
        f.write('%d\\n' % i)
    assert open(m + 'w' + me).read() == '%d\\n' % i
    os.listdir(m)
    try:
        open(m + 'w' + str((int(me) + 1) % 16)).read()
    except FileNotFoundError:
        pass
    os.unlink(m + 'w' + me)
'''
all = [subprocess.Popen([sys.executable, '-c', code, m, str(i)]) for i in range(16)]
assert [p.wait() for p in all] == [0] * 16 and os.listdir(m) == []
EOF

umount "$mnt"
result $? 'umount'
for _ in {1..50}; do
	pgrep -f "^bpffs-fuse $here/" > /dev/null || break
	sleep 0.1
done
output=$(cat "$here"/san* 2>&-)
[ -z "$output" ]
result $? 'the sanitizers have nothing to say'

finish
