# SPDX-License-Identifier: GPL-2.0-only
# The library as test scripts call it, and maps from u32 to the fields a and b, for them.
import array, ctypes, os, struct, sys

class Opts(ctypes.Structure):
    _fields_ = [("sz", ctypes.c_size_t)] + [(n, ctypes.c_char_p)
        for n in ("source", "options", "key", "value", "backend")]

bpf = ctypes.CDLL("libbpf.so.1", use_errno=True)
lib = ctypes.CDLL("libbpffs.so.0")
lib.bpf_mount_error.restype = ctypes.c_char_p

def must(ret):
    if ret < 0:
        sys.exit(lib.bpf_mount_error().decode() or os.strerror(-ret))
    return ret

def hash_map(name, entries):
    return must(bpf.bpf_map_create(1, name, 4, 16, entries, None))

def put(fd, key, *fields):
    must(bpf.bpf_map_update_elem(fd, struct.pack("I", key), struct.pack("2Q", *fields), 0))

def drop(fd, key):
    bpf.bpf_map_delete_elem(fd, struct.pack("I", key))

# All keys below count, of which each field is the key.
def fill(fd, count):
    keys = array.array("I", range(count))
    values = array.array("Q", (key for key in keys for field in "ab"))
    must(bpf.bpf_map_update_batch(fd, keys.tobytes(), values.tobytes(),
                                  ctypes.byref(ctypes.c_uint32(count)), None))

def get(fd, key):
    value = ctypes.create_string_buffer(16)
    if bpf.bpf_map_lookup_elem(fd, struct.pack("I", key), value):
        return None
    return struct.unpack("2Q", value.raw)

def map_id(fd):
    info = ctypes.create_string_buffer(96)
    size = ctypes.c_uint32(len(info))
    must(bpf.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)))
    return struct.unpack("2I", info.raw[:8])[1]

def mount(fd, directory):
    opts = Opts(ctypes.sizeof(Opts), b"map:acceptance", None, b"u32", b"a=u64:b=u64",
                b"fuse" if os.environ.get("BACKEND") == "fuse" else b"kernel")
    must(lib.bpf_mount_fd(fd, directory, ctypes.byref(opts)))
