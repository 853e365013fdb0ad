#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Each kind of type in BTF, end to end: maps of such keys and values, filled with
# random bytes and mounted with the layouts that are made for them. Text, table
# and JSON lose no byte, and say what "bpftool map dump" says. As TAP; the bytes
# are those of bpf(2), and kinds.c, which also makes the maps, gets them.
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

KINDS = '/usr/libexec/bpffs/kinds/'
SEED = sys.argv[1] if len(sys.argv) > 1 else '1'
LPM_TRIE = 11

tests = failures = 0


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


# Each property of a map is a function: it raises if the map does not have it.
def test(name, prove, *arguments):
    global tests, failures
    tests += 1
    try:
        prove(*arguments)
        print(f'ok {tests} - {name}', flush=True)
        return True
    except Exception as error:
        failures += 1
        text = f'{type(error).__name__}: {error}'.replace('\n', '\n# ')
        print(f'not ok {tests} - {name}\n# {text}', flush=True)
        return False


def same(is_, wanted, what):
    if is_ != wanted:
        raise AssertionError(f'{what}: is {is_!r}, not {wanted!r}')


# --- Leaves: (first bit, bits, number, path). Paths are of names and indices. ---


class Pairs(list):
    """An object of JSON, which may have a name twice: () of bpftool does."""


# All bytes as one number, in the order of this machine. Its first bit, and that of a
# bit-field, is the least significant one, or, of a big-endian machine, the most.
def number_of(data):
    return int.from_bytes(data, sys.byteorder)


# By how much a leaf, of so many bytes in all, is shifted there.
def shift_of(bit, bits, size):
    return bit if sys.byteorder == 'little' else 8 * size - bit - bits


# --- What bpftool says, with the BTF ---


class Btf:
    def __init__(self, btf_id):
        types = json.loads(run('bpftool', '-j', 'btf', 'dump', 'id', str(btf_id)))
        self.types = {t['id']: t for t in types['types']}

    def strip(self, number):
        t = self.types[number]
        while t['kind'] in ('TYPEDEF', 'CONST', 'VOLATILE', 'RESTRICT', 'TYPE_TAG', 'VAR'):
            t = self.types[t['type_id']]
        return t

    def find(self, kind, name):
        return next(t for t in self.types.values() if t['kind'] == kind and t['name'] == name)

    # Of the struct that defines the map, its member is a pointer to the type.
    def of_map(self, name, member):
        definition = self.strip(self.find('VAR', name)['id'])
        for m in definition['members']:
            if m['name'] == member:
                return self.types[m['type_id']]['type_id']

    def size(self, number):
        t = self.strip(number)
        if t['kind'] == 'ARRAY':
            return t['nr_elems'] * self.size(t['type_id'])
        return 8 if t['kind'] == 'PTR' else t['size']

    def leaves(self, number, value, bit=0, path=(), bits=None):
        t = self.strip(number)
        kind = t['kind']
        if kind in ('STRUCT', 'UNION'):
            for m, (name, inner) in zip(t['members'], value, strict=True):
                # Without a name, members are the parent's. Of a union we have one.
                unnamed = m['name'] == '(anon)'
                same(name, '' if unnamed else m['name'], 'name')
                at = path if unnamed or path is None else path + (name,)
                yield from self.leaves(m['type_id'], inner, bit + m['bits_offset'],
                                       at if kind == 'STRUCT' else None,
                                       m.get('bitfield_size') or None)
        elif kind == 'ARRAY':
            yield from self.array(t, value, bit, path)
        elif bits:
            # In hex, without a sign.
            yield bit, bits, int(value, 0) if isinstance(value, str) else value, path
        else:
            bits = 8 * self.size(number)
            yield bit, bits, self.number(t, value, bits), path

    def array(self, t, value, bit, path):
        size = 8 * self.size(t['type_id'])
        if isinstance(value, str):
            # What follows the first NUL is not shown.
            data = value.encode('latin-1') + b'\0'
            for i, byte in enumerate(data):
                yield bit + 8 * i, 8, byte, None
            return
        for i, inner in enumerate(value):
            at = path + (i,) if path is not None else None
            yield from self.leaves(t['type_id'], inner, bit + i * size, at)

    def number(self, t, value, bits):
        # An enum is a name, or a number: signed, though the enum may not be. 128
        # bits are hex. A bool that is neither 0 nor 1 is "true": see agrees().
        if isinstance(value, str):
            for v in t.get('values', ()):
                if v['name'] == value:
                    return v['val'] % (1 << bits)
            return int(value, 16)
        return value if isinstance(value, bool) else value % (1 << bits)

    def section_leaves(self, name, value):
        (section, variables), = value
        same(section, name, 'section')
        for info, ((variable, inner),) in zip(self.find('DATASEC', name)['vars'], variables,
                                              strict=True):
            var = self.types[info['type_id']]
            same(variable, var['name'], 'variable')
            yield from self.leaves(info['type_id'], inner, 8 * info['offset'], (variable,))


# --- What we say, with the layout ---

SIZES = {'bool': 1, 'ip4': 4, 'ip6': 16, 'mac': 6, 'plen': 4}


class Field:
    def __init__(self, name, kind, size=0):
        self.name, self.kind, self.size = name, kind, size
        self.dims, self.kids, self.labels = [], [], {}
        self.offset = self.bit = self.width = 0

    def is_pad(self):
        return self.kind == 'pad' or (self.kind == 'bits' and not self.name)


class Layout:
    """See docs/layout.rst, and what has no name at the head of json.c."""

    def __init__(self, text, size):
        self.text, self.at = f'hex{size}' if text == 'hex' else text, 0
        self.root = self.group(Field(None, 'group'), '')

    def take(self, pattern):
        match = re.compile(pattern).match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def group(self, group, end):
        offset = 0
        while True:
            field = self.field()
            size = field.size
            for n in field.dims:
                size *= n
            # Without a name, it is dissolved.
            if field.kids and not field.name and not field.dims:
                for kid in field.kids:
                    kid.offset += offset
                group.kids += field.kids
            else:
                field.offset = offset
                group.kids.append(field)
            offset += size
            if not self.take(':'):
                break
        same(self.text[self.at:self.at + len(end)], end, 'end of the group')
        self.at += len(end)
        group.size = offset
        return group

    def field(self):
        name = self.take('([A-Za-z_][A-Za-z0-9_]*)=')
        field = Field(name and name[1], 'group')
        if self.take('{'):
            self.group(field, '}')
        else:
            self.type(field)
        while (count := self.take(r'\[([0-9]+)\]')):
            field.dims.append(int(count[1]))
        return field

    def type(self, field):
        word = self.take('(bool|ip4|ip6|mac|plen)|(hex|str|pad)([0-9]+)|(be|[usx])([0-9]+)')
        field.kind = word[1] or word[2] or word[4]
        field.size = SIZES.get(word[1]) or int(word[3] or word[5]) // (8 if word[5] else 1)
        if not self.take('{'):
            return
        base = field.kind
        bit = 0
        while part := self.take(r'([A-Za-z_][A-Za-z0-9_]*)?\.([usx]?)([0-9]+)'):
            kid = Field(part[1], 'bits', field.size)
            kid.bit, kid.width, kid.base = bit, int(part[3]), part[2] or base
            bit += kid.width
            field.kids.append(kid)
            if self.take('{'):
                self.labels(kid)
            self.take('/')
        if field.kids:
            field.kind = 'group'
            same(bool(self.take('}')), True, 'end of the bits')
        else:
            self.labels(field)

    def labels(self, field):
        while label := self.take('([A-Za-z_][A-Za-z0-9_]*)=(-?[0-9a-fx]+)/?'):
            field.labels[label[1]] = int(label[2], 0)
        same(bool(self.take('}')), True, 'end of the labels')

    # What is behind the NULs of strings, it does not tell: so that is @rests.
    def leaves(self, value, rests):
        yield from self.group_leaves(self.root, value, 0, ())
        for offset, text in rests:
            data = bytes.fromhex(text)
            yield 8 * int(offset), 8 * len(data), number_of(data), None

    def group_leaves(self, group, value, offset, path):
        named = any(kid.name for kid in group.kids)
        if len(group.kids) == 1 and not named and not group.kids[0].is_pad():
            yield from self.field_leaves(group.kids[0], value, offset, path)
            return
        pads = {}
        members = []
        for item in value:
            # Without names, padding is an object among other values.
            pair = item if named else item[0] if isinstance(item, Pairs) and len(item) == 1 \
                and item[0][0].startswith('~') else None
            if pair and pair[0].startswith('~'):
                pads[pair[0]] = pair[1]
            else:
                members.append(item)
        kids = [kid for kid in group.kids if not kid.is_pad()]
        for i, (kid, item) in enumerate(zip(kids, members, strict=True)):
            at = path
            if named:
                same(item[0], kid.name or str(i), 'name')
                at, item = path + (item[0],), item[1]
            yield from self.field_leaves(kid, item, offset, at)
        for kid in group.kids:
            if kid.is_pad():
                yield from self.pad_leaves(kid, pads, offset)
        same(pads, {}, 'padding')

    # What is zero is not there; in a key, it may be.
    def pad_leaves(self, kid, pads, offset):
        count = 1
        for n in kid.dims:
            count *= n
        for i in range(count):
            at = offset + kid.offset + i * kid.size
            text = pads.pop(f'~{at}.{kid.bit}' if kid.kind == 'bits' else f'~{at}', '')
            if text and kid.kind == 'bits':
                yield 8 * at + kid.bit, kid.width, int(text, 16), None
            elif text:
                yield 8 * at, 8 * kid.size, number_of(bytes.fromhex(text)), None

    def field_leaves(self, field, value, offset, path):
        yield from self.elements(field, field.dims, value, offset + field.offset, path)

    def elements(self, field, dims, value, offset, path):
        if dims:
            same(len(value), dims[0], 'elements')
            step = field.size
            for n in dims[1:]:
                step *= n
            for i, inner in enumerate(value):
                yield from self.elements(field, dims[1:], inner, offset + i * step, path + (i,))
        elif field.kind == 'group':
            yield from self.group_leaves(field, value, offset, path)
        elif field.kind == 'bits':
            number = self.integer(field, value, field.base)
            same(number < 0 and field.base != 's', False, f'a sign of {number}')
            bits = (~number if number < 0 else number).bit_length() + (field.base == 's')
            same(bits > field.width, False, f'more than {field.width} bits: {number}')
            yield 8 * offset + field.bit, field.width, number % (1 << field.width), path
        else:
            data = self.data(field, value)
            yield 8 * offset, 8 * len(data), number_of(data), path

    def integer(self, field, value, base):
        if value in field.labels and isinstance(value, str):
            return field.labels[value]
        if base == 'x':
            same(value[:2], '0x', 'hex')
            return int(value, 16)
        # As exact as a double, or else a string.
        number = int(value)
        same(isinstance(value, str), abs(number) >= 1 << 53, f'string, of {value}')
        return number

    def data(self, field, value):
        kind, size = field.kind, field.size
        if kind in ('u', 's', 'x', 'be', 'plen'):
            number = self.integer(field, value, kind) % (1 << 8 * size)
            return number.to_bytes(size, 'big' if kind == 'be' else sys.byteorder)
        if kind == 'bool':
            same(isinstance(value, bool) or value > 1, True, 'bool')
            return bytes([value])
        if kind == 'hex':
            return bytes.fromhex(value)
        if kind == 'mac':
            return bytes.fromhex(value.replace(':', ''))
        if kind in ('ip4', 'ip6'):
            return address(value)
        text = value.encode() if isinstance(value, str) else bytes.fromhex(dict(value)['hex'])
        same(len(text) <= size and b'\0' not in text, True, 'string')
        # What is behind its NUL, rest_leaves() has.
        return (text + b'\0')[:size]


def address(text):
    family = socket.AF_INET6 if ':' in text else socket.AF_INET
    return socket.inet_pton(family, text)


# --- Both against the bytes ---


# Each leaf is of these bytes; returns the bits that leaves have.
def agree(leaves, data, what):
    number = number_of(data)
    seen = 0
    for bit, bits, value, path in leaves:
        shift = shift_of(bit, bits, len(data))
        wanted = number >> shift & ((1 << bits) - 1)
        # bpftool: any bool that is not 0 is "true".
        if isinstance(value, bool):
            wanted = bool(wanted)
        same(value, wanted, f'{what}: bits {bit} to {bit + bits}, {path}')
        seen |= ((1 << bits) - 1) << shift
    return seen


# What we do not show is zero: padding.
def is_all_of(leaves, data, what):
    seen = agree(leaves, data, what)
    same(number_of(data) & ~seen, 0, f'{what}: not shown')


# The same bits have the same path; around one number, bpftool may have a struct.
def same_paths(ours, theirs):
    paths = {(bit, bits): path for bit, bits, _, path in ours if path is not None}
    for bit, bits, _, path in theirs:
        our = paths.get((bit, bits))
        if our is not None and path is not None:
            same(our, path[:len(our)], f'path of bits {bit} to {bit + bits}')


class Map:
    def __init__(self, top, line):
        self.name, self.id, kind = line.split()
        self.type = int(kind)
        self.dir = f'{top}/{self.name}'
        self.is_section = self.name in ('bss', 'data', 'rodata')
        self.elements = {}

    def info(self, name):
        with open(f'{self.dir}/.bpf/{name}') as file:
            return file.read().rstrip('\n')

    def bytes(self):
        lines = run(KINDS + 'kinds', 'dump', self.id).decode().split('\n')[:-1]
        return {bytes.fromhex(key): bytes.fromhex(value)
                for key, value in (line.split(' ') for line in lines)}

    def json_text(self):
        return run('bpffs', 'json', self.dir)

    def json_lines(self):
        return [json.loads(line, object_pairs_hook=Pairs)
                for line in self.json_text().splitlines()]

    def prepare(self, btf):
        self.btf = btf
        self.key, self.value = (
            Layout(self.info(what), int(self.info(what + '_size'))) for what in ('key', 'value'))
        self.percpu = 'percpu' in self.info('type')
        self.size = self.value.root.size
        self.data = self.bytes()
        # The names, by the bytes of the key, which JSON gives.
        self.names = {}
        for element in self.json_lines():
            element = dict(element)
            key = bytearray(self.key.root.size)
            for bit, bits, value, _ in self.key.leaves(element['key'],
                                                       element.get('key~', ())):
                number = number_of(key) | value << shift_of(bit, bits, len(key))
                key[:] = number.to_bytes(len(key), sys.byteorder)
            self.names[bytes(key)] = element['name']
            self.elements[bytes(key)] = element

    # The copies of a per-CPU value, or the value.
    def copies(self, data):
        if not self.percpu:
            return [data]
        stride = (self.size + 7) // 8 * 8
        return [data[at:at + self.size] for at in range(0, len(data), stride)]

    # Each with what is behind the NULs of its strings.
    def our_values(self, element):
        rests = element.get('value~', ())
        if not self.percpu:
            return [(element['value'], rests)]
        same([name for name, _ in element['value']],
             [f'cpu{cpu}' for cpu in range(len(element['value']))], 'CPUs')
        return [(value, [(at.split('.')[1], text) for at, text in rests
                         if at.split('.')[0] == cpu]) for cpu, value in element['value']]

    def path(self, key):
        return f'{self.dir}/{self.names[key]}'

    def save(self):
        texts = {}
        for key in self.data:
            with open(self.path(key), 'rb') as file:
                texts[key] = file.read()
        return texts

    # As "cat TEXT > FILE" does.
    def store(self, key, text):
        file = os.open(self.path(key), os.O_WRONLY | os.O_TRUNC)
        try:
            same(os.write(file, text), len(text), 'write')
        finally:
            os.close(file)

    # Each element gets the text, and thus all bytes, of the next one.
    def rotate(self, texts):
        keys = list(self.data)
        for key, other in zip(keys, keys[1:] + keys[:1]):
            self.store(key, texts[other])
        same(self.bytes(), {key: self.data[other]
                            for key, other in zip(keys, keys[1:] + keys[:1])}, 'the other bytes')

    def is_restored(self):
        same(self.bytes(), self.data, 'bytes')


# --- The properties ---


def json_has_every_byte(m):
    same(set(m.names), set(m.data), 'keys')
    same(len(m.data) > 0, True, 'elements')
    for key, data in m.data.items():
        element = m.elements[key]
        same(os.path.exists(m.path(key)), True, element['name'])
        is_all_of(m.key.leaves(element['key'], element.get('key~', ())), key, 'key')
        for value, copy in zip(m.our_values(element), m.copies(data), strict=True):
            is_all_of(m.value.leaves(*value), copy, 'value')
    same(set(m.names.values()), set(os.listdir(m.dir)) - {'.bpf'}, 'names')


# bpftool -j: each element has "key" and "value" as bytes, and "formatted".
def bpftool_agrees(m):
    text = run('bpftool', '-j', 'map', 'dump', 'id', m.id)
    dump = json.loads(text, object_pairs_hook=Pairs)
    if not m.is_section:
        key_type, value_type = (m.btf.of_map(m.name, what) for what in ('key', 'value'))
    same(len(dump), len(m.data), 'elements')
    for item in map(dict, dump):
        key = bytes(int(byte, 16) for byte in item['key'])
        ours, theirs = m.elements[key], dict(item['formatted'])
        if not m.is_section:
            leaves = list(m.btf.leaves(key_type, theirs['key']))
            agree(leaves, key, 'key')
            same_paths(m.key.leaves(ours['key'], ()), leaves)
        if m.percpu:
            values = [dict(cpu)['value'] for cpu in theirs['values']]
        else:
            values = [theirs['value']]
        for our, their, copy in zip(m.our_values(ours), values, m.copies(m.data[key]),
                                    strict=True):
            leaves = list(m.btf.section_leaves('.' + m.name, their) if m.is_section else
                          m.btf.leaves(value_type, their))
            agree(leaves, copy, 'value')
            same_paths(m.value.leaves(*our), leaves)


# A device that nothing drives: open(2) fails, and the table is what is left.
def without_raw(directory):
    class Hidden:
        def __enter__(self):
            self.node = tempfile.mktemp()
            os.mknod(self.node, 0o600 | 0o020000, 0)
            run('mount', '--bind', self.node, f'{directory}/.bpf/raw')

        def __exit__(self, *error):
            run('umount', f'{directory}/.bpf/raw')
            os.unlink(self.node)
    return Hidden()


def json_of(directory):
    return run('bpffs', 'json', directory)


def raw_is_as_table(directory):
    of_raw = json_of(directory)
    with without_raw(directory):
        of_table = json_of(directory)
    # In which order they come is no promise.
    same(sorted(of_raw.splitlines()) == sorted(of_table.splitlines()), True, 'JSON of both')


def table_restores(m):
    texts = m.save()
    with open(f'{m.dir}/.bpf/table', 'rb') as file:
        table = file.read()
    m.rotate(texts)
    with tempfile.NamedTemporaryFile() as file:
        file.write(table)
        file.flush()
        run('sh', '-c', f'cat {file.name} > {m.dir}/.bpf/table')
    m.is_restored()


def cat_restores(m):
    texts = m.save()
    m.rotate(texts)
    for key, text in texts.items():
        m.store(key, text)
    m.is_restored()


def cp_restores(m):
    with tempfile.TemporaryDirectory() as backup:
        names = [m.path(key) for key in m.data]
        run('cp', '--', *names, backup)
        run('rm', '--', *names)
        same(m.bytes(), {}, 'all deleted')
        run('sh', '-c', f'cp -- {backup}/* {m.dir}/')
    m.is_restored()


# --- The maps ---

# bpftool 7.1 gives up in the middle of the JSON at a float.
NOT_BPFTOOL = ('floats',)
# Their elements cannot be deleted.
ARRAYS = ('array', 'percpu_array')
# libbpf has frozen the one, a timer forbids to write the other; of the last, the
# kernel cannot look at an element without making it a recent one.
READ_ONLY = ('rodata', 'timed', 'percpu_lru')
NO_TABLE = ('percpu_lru',)


def test_map(m):
    test(f'{m.name}: JSON has every byte', json_has_every_byte, m)
    if m.name not in NOT_BPFTOOL:
        test(f'{m.name}: JSON is what bpftool says', bpftool_agrees, m)
    if m.name not in NO_TABLE:
        test(f'{m.name}: JSON of .bpf/raw and of .bpf/table', raw_is_as_table, m.dir)
    if m.percpu and m.name not in NO_TABLE:
        test(f'{m.name}: percpu=sum, JSON of both', sum_is_as_table, m)
    if m.name in READ_ONLY:
        return
    test(f'{m.name}: cat .bpf/table > t; cat t > .bpf/table', table_restores, m)
    test(f'{m.name}: cat F > x; cat x > F', cat_restores, m)
    if m.info('type') not in ARRAYS:
        test(f'{m.name}: cp * x; rm *; cp x/* .', cp_restores, m)


# Its numbers are doubles, so that larger ones would not come back.
def jq_agrees(maps):
    text = b''.join(m.json_text() for m in maps)
    of_jq = subprocess.run(('jq', '-c', '.'), input=text, check=True, stdout=subprocess.PIPE)
    for our, their in zip(text.splitlines(), of_jq.stdout.splitlines(), strict=True):
        same(json.loads(their), json.loads(our), 'element')


def sum_is_as_table(m):
    directory = tempfile.mkdtemp()
    run('mount', '-t', 'bpffs', '-o', 'percpu=sum', f'map:id:{m.id}', directory)
    try:
        raw_is_as_table(directory)
    finally:
        run('umount', directory)
        os.rmdir(directory)


def main():
    top = tempfile.mkdtemp()
    print(f'# seed {SEED}')
    maps = [Map(top, line) for line in
            run(KINDS + 'kinds', 'load', KINDS + 'kinds.bpf.o', top, SEED).decode().splitlines()]
    shown = json.loads(run('bpftool', '-j', 'map', 'show', 'id', maps[0].id))
    btf = Btf(shown['btf_id'])
    for m in maps:
        if m.name != 'many' and test(f'{m.name}: keys, values, layouts', m.prepare, btf):
            test_map(m)
    test('jq reads what Python reads', jq_agrees, [m for m in maps if m.name != 'many'])
    many = next(m for m in maps if m.name == 'many')
    test('20000 elements: JSON of .bpf/raw and of .bpf/table', raw_is_as_table, many.dir)
    for m in maps:
        run('umount', m.dir)
        os.rmdir(m.dir)
    os.rmdir(top)
    print(f'1..{tests}')
    return failures > 0


sys.exit(main())
