#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# The programs while memory runs out, and while bpf(2) fails: of each operation the first
# chance to fail does so, then the second, and so on until it has none left. It works, and the
# result is right; or it fails with one sentence (of who asks a server: with an errno), and
# nothing is left of it: no mount, no process, no map, and nothing else was changed. The next
# one works. As TAP. inject.c takes the chances.
#
# After the first 30 chances, it is each STEPth one, and with STEP=1 all of them. ONLY: of
# operations whose names match it.
import collections, ctypes, difflib, errno, mmap, os, re, signal, struct, subprocess, sys, tempfile, time
sys.path.insert(0, "/usr/libexec/bpffs/tests")
sys.dont_write_bytecode = True
from library import *

here = tempfile.mkdtemp()
mnt, slots, pins = here + "/mnt", here + "/slots", here + "/pins"
fuse = os.environ.get("BACKEND") == "fuse"
step = int(os.environ.get("STEP") or (31 if os.path.isdir("/run/vm") else 13))
libc = ctypes.CDLL("libc.so.6", use_errno=True)
tools = os.path.dirname(os.path.abspath(__file__))
COUNT = 20
OPTIONS = "key=u32,value=a=u64:b=u64"
# A guard against hanging, not a measurement.
LIMIT = 60

# --- What inject.c reads ---

NOTHING, MEMORY, BPF = range(3)
LAYOUT = "iillll16s"

class Control:
    def __init__(self):
        self.path = here + "/control"
        with open(self.path, "wb") as file:
            file.write(bytes(struct.calcsize(LAYOUT)))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    def arm(self, what, err, nth, program, on=0):
        self.disarm()
        self.map[:] = struct.pack(LAYOUT, what, err, nth, on, 0, 0, program.encode())

    def disarm(self):
        self.map[0:4] = struct.pack("i", NOTHING)

    def err(self):
        return struct.unpack(LAYOUT, self.map)[1]

    def nth(self):
        return struct.unpack(LAYOUT, self.map)[2]

    def counts(self):
        return struct.unpack(LAYOUT, self.map)[4:6]

control = Control()
# Without memory there is the C locale anyway.
os.environ["LC_ALL"] = "C"
environment = dict(os.environ, LD_PRELOAD=tools + "/inject.so", FAULTS=control.path)
environment.pop("BACKEND", None)
home = "backend=fuse," if fuse else ""

# --- TAP ---

number = failures = 0

def result(good, name, more=()):
    global number, failures
    number += 1
    failures += not good
    print("%sok %d - %s" % ("" if good else "not ", number, name))
    for line in more:
        print("# " + line)
    sys.stdout.flush()

# --- What is there ---

def mounts():
    return [line.split()[1] for line in open("/proc/mounts") if line.split()[1].startswith(here)]

def servers():
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and
            there("/proc/%s/comm" % pid) == "bpffs-fuse\n"]

def soon(condition):
    for i in range(200):
        if condition():
            return True
        time.sleep(0.05 if i > 20 else 0.005)
    return False

def unmount(directory):
    while not libc.umount2(directory.encode(), 0) or ctypes.get_errno() == errno.EBUSY:
        pass

def there(path):
    try:
        return open(path).read()
    except OSError as e:
        return errno.errorcode[e.errno]

# All keys below COUNT, of which each field is the key.
def elements_right():
    return all(get(fd, key) == (key, key) for key in range(COUNT)) and not get(fd, COUNT)

# What is wrong with a mount of it.
def mount_wrong(directory):
    try:
        names = os.listdir(directory)
    except OSError as e:
        return "listing is " + errno.errorcode[e.errno]
    value, lines = there(directory + "/7"), there(directory + "/.bpf/table")
    if sorted(names) != sorted(str(key) for key in range(COUNT)):
        return "listed: %s" % names
    if value != "a=7\nb=7\n" or len(lines.splitlines()) != COUNT:
        return "value %r, table %r" % (value, lines)
    return None

# --- Each operation, with each of its chances ---

# Names of what fails: an errno, where it is not memory.
KINDS = [("memory", MEMORY, errno.ENOMEM, 0), ("memory from then on", MEMORY, errno.ENOMEM, 1)]
KINDS += [("bpf(2) %s" % errno.errorcode[e], BPF, e, 0)
          for e in (errno.ENOMEM, errno.EPERM, errno.EAGAIN)]
table = collections.OrderedDict()

def sweep(name, program, run):
    """run() is (outcome, what is wrong or None); outcome "ok", or how it failed."""
    if not re.search(os.environ.get("ONLY") or "", name):
        return
    for kind, what, err, on in KINDS:
        outcomes = collections.Counter()
        wrong = []
        injected = nth = 0
        while True:
            nth += 1 if nth < 30 else step
            control.arm(what, err, nth, program, on)
            outcome, bad = run()
            control.disarm()
            taken = control.counts()[1]
            injected += taken
            if not taken:
                # It did not come to it: so it has to work.
                if outcome != "ok" or bad:
                    wrong.append("without a fault: %s, %s" % (outcome, bad))
                break
            outcomes[outcome] += 1
            if bad:
                wrong.append("chance %d: %s: %s" % (nth, outcome, bad))
            if nth > 20000:
                wrong.append("there is always one more")
                break
            # All of the next one works. Each that goes wrong is looked at, of others some.
            if bad or outcome != "ok" and sum(outcomes.values()) % 8 == 1:
                outcome, bad = run()
                if outcome != "ok" or bad:
                    wrong.append("after chance %d: %s, %s" % (nth, outcome, bad))
        chances = sum(outcomes.values())
        row = table.setdefault(kind, collections.Counter())
        row.update({"chances": chances, "injected": injected, "worked": outcomes["ok"],
                    "failed": chances - outcomes["ok"], "wrong": len(wrong)})
        if not chances and not wrong:
            continue
        said = ", ".join("%d %s" % (many, o) for o, many in outcomes.most_common(12))
        result(not wrong, "%s: %s" % (name, kind), ["%d chances: %s" % (chances, said)] + wrong[:20])

BAD_WORDS = re.compile(r"Unknown error|\(null\)|: Success|Traceback|core dumped|libbpf: ")

def sentence(text):
    lines = text.splitlines()
    return len(lines) == 1 and len(lines[0]) > 3 and not BAD_WORDS.search(text)

def command(arguments, verify, good=(0,)):
    """Runs it, with chances; verify(stdout) says what is wrong when it has worked."""
    try:
        done = subprocess.run(arguments, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return "hangs", "it does not end"
    control.disarm()
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if done.returncode in good:
        return "ok", verify(out)
    outcome = "status %d" % done.returncode
    if done.returncode < 0:
        return outcome, "a signal: " + err
    if not sentence(err):
        return outcome, "no sentence: %r" % err
    return outcome, None

# Of who mounts: it stands, or nothing is left.
def mounting(arguments, check=lambda: None):
    def run():
        outcome, bad = command(arguments, lambda out: mount_wrong(mnt), (0, 16))
        if outcome == "ok":
            if not bad and not mounts():
                bad = "no mount"
            bad = bad or check()
        elif mnt in mounts():
            bad = bad or "a mount is left"
        unmount(mnt)
        if not soon(lambda: not servers()):
            bad = bad or "a process is left"
            for pid in servers():
                os.kill(int(pid), signal.SIGKILL)
        if not elements_right():
            bad = bad or "elements have changed"
        return outcome, bad
    return run

# Of who uses a mount that is there.
def using(arguments, wanted=None):
    if wanted is None:
        wanted = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.decode()
    def right(out):
        said = wanted(out) if callable(wanted) else out == wanted
        if said:
            return None
        if callable(wanted):
            return "printed %r" % out[:300]
        lines = list(difflib.unified_diff(wanted.splitlines(), out.splitlines(), lineterm="", n=0))
        return "printed other lines: %r" % lines[2:7]
    def run():
        outcome, bad = command(arguments, right)
        if not elements_right():
            bad = bad or "elements have changed"
        return outcome, bad
    return run

# Of who asks a server: what @ask gives, or an errno.
def asking(ask, wanted, undo=lambda: None):
    def run():
        bad = None
        try:
            got = ask()
            control.disarm()
            outcome = "ok"
            if got != wanted:
                bad = "got %r" % (got,)
        except OSError as e:
            control.disarm()
            outcome = errno.errorcode[e.errno]
            if e.errno in (errno.ENOTCONN, errno.ECONNABORTED):
                bad = "the server has ended"
            elif e.errno == errno.ENOENT:
                bad = "it is there"
        # What it may have done in part is no part of the values.
        undo()
        if not elements_right():
            bad = bad or "elements have changed"
        bad = bad or mount_wrong(mnt)
        return outcome, bad
    return run

# ------------------------------------------------------------------------------

for directory in mnt, slots, pins:
    os.mkdir(directory)
subprocess.run(["mount", "-t", "bpf", "none", pins], check=True)
fd = hash_map(b"acceptance", 1000)
fill(fd, COUNT)
pin = pins + "/map"
must(bpf.bpf_obj_pin(fd, pin.encode()))
number_of_map = map_id(fd)
# Maps with types, and of maps, of which the program has them.
types = pins + "/types"
os.mkdir(types)
subprocess.run(["bpftool", "prog", "load", "/usr/libexec/bpffs/mount/long.bpf.o", types + "/prog",
                "pinmaps", types], check=True)
where = home + OPTIONS

# By read(2): Python's own takes EAGAIN for the end.
def read_all(path):
    file = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(file, 65536), b""))
    finally:
        os.close(file)

def read_lines(path):
    return sorted(read_all(path).splitlines())

def write(path, data, flags=0):
    file = os.open(path, os.O_WRONLY | flags, 0o600)
    try:
        os.write(file, data)
    finally:
        os.close(file)

# What bpf(2) has of @key when @data has been written.
def written(path, data, key, flags=0):
    def ask():
        write(path, data, flags)
        return get(fd, key)
    return ask

def no_more():
    drop(fd, COUNT)

def unlink():
    put(fd, COUNT, 1, 2)
    os.unlink(one_more)
    return get(fd, COUNT)

# Its chances are those of bpffs-fuse, where it answers.
def serving():
    subprocess.run(["mount.bpffs", "-o", where, pin, mnt], env=environment, check=True)
    lines = read_lines(table_file)
    raw = read_all(raw_file)

    def serve(name, *how):
        sweep(name, "bpffs-fuse", asking(*how))
    serve("list", lambda: sorted(os.listdir(mnt)), sorted(str(key) for key in range(COUNT)))
    serve("stat", lambda: os.stat(seven).st_size, 8)
    # 0: not known.
    serve("statfs", lambda: os.statvfs(mnt).f_files in (0, 1000), True)
    serve("read", lambda: read_lines(seven), [b"a=7", b"b=7"])
    serve("read table", lambda: read_lines(table_file), lines)
    serve("read raw", lambda: len(read_all(raw_file)), len(raw))
    serve("read count", lambda: read_lines(mnt + "/.bpf/count"), [b"%d" % COUNT])
    for name in "id", "type", "info", "key", "error":
        serve("read " + name, lambda: len(read_lines(mnt + "/.bpf/" + name)) > (name != "error") - 1,
              True)
    serve("write a field", written(seven, b"a=7\n", 7), (7, 7))
    serve("add to a field", written(seven, b"a+=1 a-=1\n", 7), (7, 7))
    serve("write a value", written(seven, b"a=7 b=7\n", 7), (7, 7))
    serve("create", written(one_more, b"a=1 b=2\n", COUNT, os.O_CREAT | os.O_TRUNC), (1, 2), no_more)
    serve("remove", unlink, None, no_more)
    serve("write table", written(table_file, b"\n".join(lines) + b"\n", 3), (3, 3))
    serve("write raw", written(raw_file, raw, 3), (3, 3))
    one_slot(serve)
    unmount(mnt)
    result(soon(lambda: not servers()), "the servers end with their mounts")

# Of an array of maps, whose slots are looked at one by one.
def one_slot(serve):
    outer = must(bpf.bpf_obj_get((types + "/flows_by_slot").encode()))
    inner = must(bpf.bpf_obj_get((types + "/flows_of_one").encode()))
    must(bpf.bpf_map_update_elem(outer, bytes(4), struct.pack("I", inner), 0))
    subprocess.run(["mount.bpffs", "-o", "backend=fuse", types + "/flows_by_slot", slots],
                   env=environment, check=True)
    serve("read count of slots", lambda: read_lines(slots + "/.bpf/count"), [b"1"])
    unmount(slots)
    must(bpf.bpf_map_delete_elem(outer, bytes(4)))
    os.close(inner)
    os.close(outer)

def other_options():
    good = os.stat(seven).st_uid == 1000 and os.statvfs(mnt).f_flag & os.ST_RDONLY
    return None if good else "other options than were given"

def mounts_of_all_kinds():
    def by(name, options, source=pin, check=lambda: None):
        sweep("mount.bpffs" + name, "",
              mounting(["mount.bpffs", "-o", where + options, source, mnt], check))
    by("", "")
    by(" of a name", "", "map:acceptance")
    by(" with uid and ro", ",ro,uid=1000,mode=0640", pin, other_options)
    by(" of a snapshot", ",snapshot")

def save():
    outcome, bad = command(["bpffs", "save", mnt, saved], lambda out: None)
    if outcome == "ok":
        lines = subprocess.run(["tar", "-xOf", saved, "--wildcards", "*table"],
                               stdout=subprocess.PIPE).stdout.count(b"\n")
        if lines != COUNT:
            bad = "%d lines were saved" % lines
    elif os.path.exists(saved):
        bad = bad or "a file is left"
    if os.path.exists(saved):
        os.unlink(saved)
    return outcome, bad

# Who has no right to ask for the types gets a layout without.
def typed_layout(source):
    arguments = ["bpffs", "layout", source]
    whole = subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout.decode()
    sweep("bpffs layout of types", "bpffs", using(arguments, lambda out: out == whole or
          control.err() == errno.EPERM and out.startswith("key=")))

# A map without a name, with a value for each CPU.
def export_of_copies():
    copies = must(bpf.bpf_map_create(5, None, 4, 8, 4, None))
    must(bpf.bpf_map_update_elem(copies, bytes(4), bytes(8 * 8192), 0))
    must(bpf.bpf_obj_pin(copies, (pins + "/copies").encode()))
    subprocess.run(["mount.bpffs", "-o", home + "key=u32,value=n=u64", pins + "/copies", slots], check=True)
    sweep("bpffs export of copies", "bpffs", using(["bpffs", "export", slots]))
    unmount(slots)
    os.unlink(pins + "/copies")
    os.close(copies)

# The words of the map's lines.
def entry(out):
    lines = iter(out.splitlines())
    words = next((line for line in lines if " acceptance " in line), "").split()
    for line in lines:
        if line[:1].strip():
            break
        words += line.split()
    return words

series = "-n", "2", "-d", "0.1", "-f", "a", mnt, "7"

# How long it took, below the picture, is another number each time.
def right_plot():
    def timeless(out):
        return re.sub(r" +\d+\.?\d* s\n$", " s\n", out)
    wanted = timeless(subprocess.run(["bpffs", "plot", *series], check=True,
                                     stdout=subprocess.PIPE).stdout.decode())
    return lambda out: timeless(out) == wanted

# Who may not even ask for the first map sees what is mounted.
def right_list():
    wanted = entry(subprocess.run(["bpffs", "list"], check=True,
                                  stdout=subprocess.PIPE).stdout.decode())
    return lambda out: entry(out) == wanted or (control.err(), control.nth()) == (errno.EPERM, 1) and \
        mnt in entry(out)

# Their chances are their own, not those of who serves the mount.
def asked_by_tools():
    subprocess.run(["mount.bpffs", "-o", where, pin, mnt], check=True)

    def tool(*arguments, wanted=None):
        sweep("bpffs " + arguments[0], "bpffs", using(["bpffs", *arguments], wanted))
    tool("json", mnt)
    tool("export", mnt)
    export_of_copies()
    tool("top", "-b", "-n", "1", "-d", "0.1", mnt,
         wanted=lambda out: out.count("\n") >= COUNT and "acceptance" in out)
    tool("plot", *series, wanted=right_plot())
    tool("list", wanted=right_list())
    tool("check", mnt)
    tool("layout", "map:acceptance")
    for name in "shared_addresses", "flows_by_tenant", "flows_by_slot":
        typed_layout(types + "/" + name)
    sweep("bpffs save", "bpffs", save)
    unmount(mnt)

seven, one_more = mnt + "/7", mnt + "/%d" % COUNT
table_file, raw_file = mnt + "/.bpf/table", mnt + "/.bpf/raw"
saved = here + "/saved"
try:
    if fuse:
        serving()
    asked_by_tools()
    mounts_of_all_kinds()
finally:
    control.disarm()
    unmount(slots)
    unmount(mnt)
    libc.umount2(pins.encode(), 0)

def no_map():
    again = bpf.bpf_map_get_fd_by_id(number_of_map)
    if again >= 0:
        os.close(again)
    return again < 0

os.close(fd)
result(soon(no_map), "the map goes")
result(sum(row["chances"] for row in table.values()) > 0, "there were chances to fail")
print("# %-22s %8s %8s %8s %8s %8s" % ("what fails", "chances", "injected", "worked", "failed", "wrong"))
for kind, row in table.items():
    print("# %-22s %8d %8d %8d %8d %8d" % (kind, row["chances"], row["injected"], row["worked"],
                                          row["failed"], row["wrong"]))
print("1..%d" % number)
sys.exit(failures != 0)
