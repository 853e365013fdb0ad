// SPDX-License-Identifier: GPL-2.0-only
/* Keys whose names are longer than a file's can be: short names, whole ones. */
#include "util.h"

#include <libbpffs.h>

#define KEY_SIZE	300
#define KEYS		7

FIXTURE(longnames) {
	int map;
	struct bpffs_layout *layout;
	char key[KEYS][KEY_SIZE];
};

/* Of short and long names, some of which differ only where a short name ends. */
static void make_keys(char key[KEYS][KEY_SIZE])
{
	memset(key, 0, KEYS * KEY_SIZE);
	memcpy(key[0], "/usr/bin/curl", 13);
	memset(key[1], 'a', 255);
	memset(key[2], 'a', 256);
	memset(key[3], 'a', 299);
	memcpy(key[4], key[3], KEY_SIZE);
	key[4][298] = 'b';
	memset(key[5], 0xff, KEY_SIZE);
	memset(key[6], '-', 280);
}

FIXTURE_SETUP(longnames)
{
	ASSERT_EQ(0, private_mounts());
	make_keys(self->key);
	self->map = -1;
	self->layout = bpffs_layout_parse("str300", KEY_SIZE, BPFFS_LAYOUT_KEY);
	ASSERT_NE(NULL, self->layout);
}

FIXTURE_TEARDOWN(longnames)
{
	close(self->map);
	bpffs_layout_free(self->layout);
}

static int fill(int map, char key[KEYS][KEY_SIZE])
{
	__u64 value[64] = {};
	int i, err = 0;

	for (i = 0; i < KEYS && !err; i++) {
		value[0] = i;
		err = bpf_map_update_elem(map, key[i], value, BPF_ANY);
	}
	return err;
}

static const char *name_of(const struct bpffs_layout *layout, const char *key)
{
	static char name[256];

	return bpffs_key_encode(layout, key, name, sizeof(name)) < 0 ? "" : name;
}

static const char *number(int i)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d\n", i);
	return text;
}

/* Every key has one name, which is listed, and found. */
TEST_F(longnames, hash)
{
	char name[256];
	struct stat st;
	int i;

	self->map = make_map(BPF_MAP_TYPE_HASH, KEY_SIZE, 8, 16, 0);
	ASSERT_EQ(0, fill(self->map, self->key));
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=str300,value=u64")) TH_LOG("%s", refusal);
	/* Nothing has been listed yet. */
	for (i = 0; i < KEYS; i++)
		EXPECT_STREQ(number(i), text_of(at("%s", name_of(self->layout, self->key[i]))));
	EXPECT_EQ(KEYS, count_names(MNT));
	EXPECT_EQ(0, sh("cd " MNT " && test $(cat * | sort -n | tr '\n' ,) = 0,1,2,3,4,5,6,"));
	EXPECT_EQ(0, sh("test $(ls " MNT " | grep -c '~~') = 5"));
	EXPECT_EQ(0, write_to(at("%s", name_of(self->layout, self->key[4])), O_TRUNC, "44\n"));
	EXPECT_STREQ("44\n", text_of(at("%s", name_of(self->layout, self->key[4]))));
	EXPECT_STREQ("3\n", text_of(at("%s", name_of(self->layout, self->key[3]))));

	/* Other spellings name nothing. */
	snprintf(name, sizeof(name), "%s", name_of(self->layout, self->key[3]));
	for (i = 0; name[i]; i++) {
		char was = name[i];

		name[i] = was == '0' || was == 'a' ? 'b' : '0';
		EXPECT_NE(0, stat(at("%s", name), &st)) TH_LOG("%s", name);
		EXPECT_EQ(ENOENT, errno);
		name[i] = was;
	}
	name[254] = '\0';
	EXPECT_EQ(-ENOENT, write_to(at("%s", name), O_TRUNC, "1\n"));
	EXPECT_EQ(-ENAMETOOLONG, write_to(at("%.256s", self->key[3]), O_TRUNC, "1\n"));

	snprintf(name, sizeof(name), "%s", name_of(self->layout, self->key[3]));
	EXPECT_EQ(0, unlink(at("%s", name)));
	EXPECT_NE(0, stat(at("%s", name), &st));
	EXPECT_EQ(KEYS - 1, count_names(MNT));
	/* What is not there is not to be made: the name does not say what. */
	EXPECT_EQ(-EINVAL, write_to(at("%s", name), O_CREAT, "1\n"));
	EXPECT_EQ(0, sh("tail -n 1 " MNT "/.bpf/error | "
			"grep -q 'a short name does not say all of the key'"));
	EXPECT_EQ(0, umount(MNT));

	/* Another mount has the same names. */
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=str300,value=u64"));
	EXPECT_STREQ("44\n", text_of(at("%s", name_of(self->layout, self->key[4]))));
}

/* Lines have whole names, and are taken back. */
TEST_F(longnames, table)
{
	self->map = make_map(BPF_MAP_TYPE_HASH, KEY_SIZE, 8, 16, 0);
	ASSERT_EQ(0, fill(self->map, self->key));
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=str300,value=u64"));
	EXPECT_EQ(0, sh("cat " MNT "/.bpf/table > /tmp/t; test $(wc -l < /tmp/t) = 7"));
	EXPECT_EQ(0, sh("grep -qx \"$(printf '%%0299d' 0 | tr 0 a) 3\" /tmp/t"));
	EXPECT_EQ(0, sh("grep -qx '\\(%%FF\\)\\{300\\} 5' /tmp/t"));
	EXPECT_EQ(0, sh("grep -qx '%%2D-\\{279\\} 6' /tmp/t"));
	EXPECT_EQ(0, sh("rm " MNT "/* && test -z \"$(ls " MNT ")\""));
	EXPECT_EQ(0, sh("dd status=none bs=100 if=/tmp/t of=" MNT "/.bpf/table"));
	EXPECT_EQ(0, sh("dd status=none bs=7 if=" MNT "/.bpf/table | sort > /tmp/u && "
			"sort /tmp/t | cmp - /tmp/u"));
	EXPECT_STREQ("5\n", text_of(at("%s", name_of(self->layout, self->key[5]))));
	EXPECT_EQ(-EINVAL, write_to(at(".bpf/table"), 0, "aa~~00 5\n"));
	EXPECT_NE(0, sh("printf '%%0903d 5\n' 0 > " MNT "/.bpf/table"));
	EXPECT_EQ(0, sh("bpffs json " MNT " | python3 -c '\n"
			"import json, sys\n"
			"names = {e[\"name\"]: e for e in map(json.loads, sys.stdin)}\n"
			"assert len(names) == 7\n"
			"assert names[\"a\" * 299][\"key\"] == \"a\" * 299\n"
			"assert names[\"%%FF\" * 300][\"key\"] == {\"hex\": \"ff\" * 300}\n"
			"assert names[\"%%2D\" + \"-\" * 279][\"key\"] == \"-\" * 280'"));
}

/* Types that list, and look, each in its own way. */
TEST_F(longnames, types)
{
	static const struct {
		enum bpf_map_type type;
		const char *options;
		__u32 flags;
		bool read;
	} types[] = {
		{ BPF_MAP_TYPE_HASH, "key=str300,value=u64", BPF_F_NO_PREALLOC, true },
		{ BPF_MAP_TYPE_LRU_HASH, "key=str300,value=u64", 0, true },
		{ BPF_MAP_TYPE_PERCPU_HASH, "key=str300,value=u64,percpu=sum", 0, true },
		{ BPF_MAP_TYPE_LRU_PERCPU_HASH, "key=str300,value=u64", 0, false },
	};
	struct stat st;
	int i, n;

	for (n = 0; n < 4; n++) {
		self->map = make_map(types[n].type, KEY_SIZE, 8, 1000, types[n].flags);
		ASSERT_EQ(0, fill(self->map, self->key));
		ASSERT_EQ(0, mount_fd(self->map, MNT, types[n].options));
		for (i = 0; i < KEYS; i++) {
			EXPECT_EQ(0, stat(at("%s", name_of(self->layout, self->key[i])), &st))
				TH_LOG("type %d, key %d", types[n].type, i);
			if (types[n].read)
				EXPECT_STREQ(number(i), text_of(at("%s",
						name_of(self->layout, self->key[i]))));
		}
		EXPECT_EQ(KEYS, count_names(MNT));
		EXPECT_EQ(0, sh("rm " MNT "/* && test -z \"$(ls " MNT ")\""));
		EXPECT_EQ(0, umount(MNT));
		close(self->map);
	}
	self->map = -1;
}

TEST_F(longnames, lpm_trie)
{
	struct { __u32 length; __u8 data[256]; } key = { .length = 2048 };
	__u64 value = 5;

	memset(key.data, 0xab, sizeof(key.data));
	self->map = make_map(BPF_MAP_TYPE_LPM_TRIE, sizeof(key), 8, 8, BPF_F_NO_PREALLOC);
	ASSERT_EQ(0, bpf_map_update_elem(self->map, &key, &value, 0));
	key.length = 2040;
	value = 6;
	ASSERT_EQ(0, bpf_map_update_elem(self->map, &key, &value, 0));
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=plen:hex256,value=u64"));
	EXPECT_EQ(2, count_names(MNT));
	EXPECT_EQ(0, sh("cd " MNT " && test $(cat * | sort | tr -d '\n') = 56"));
	EXPECT_EQ(0, sh("grep -q '^\\(ab\\)\\{255\\}00-2040 6$' " MNT "/.bpf/table"));
	EXPECT_EQ(0, sh("rm " MNT "/* && test -z \"$(ls " MNT ")\""));
}

TEST_F(longnames, hash_of_maps)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int inner = make_hash(4), i;

	opts.inner_map_fd = inner;
	ASSERT_EQ(0, put(inner, 1, 7));
	self->map = bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", KEY_SIZE, 4, 16, &opts);
	ASSERT_LE(0, self->map);
	for (i = 0; i < KEYS; i++)
		ASSERT_EQ(0, bpf_map_update_elem(self->map, self->key[i], &inner, 0));
	ASSERT_EQ(0, mount_fd(self->map, MNT, "key=str300,inner_key=u32,inner_value=u64"));
	for (i = 0; i < KEYS; i++)
		EXPECT_STREQ("7\n", text_of(at("%s/1", name_of(self->layout, self->key[i]))));
	EXPECT_EQ(0, sh("test $(cat " MNT "/*/1 | wc -l) = 7"));
	/* Of a short name, the key of the slot is not known there. */
	EXPECT_EQ(0, sh("bpffs json " MNT " | python3 -c '\n"
			"import json, sys\n"
			"lines = [json.loads(line) for line in sys.stdin]\n"
			"assert len(lines) == 7\n"
			"for line in lines:\n"
			"  assert (line[\"outer\"] is None) == (\"~~\" in line[\"name\"])'"));
	EXPECT_EQ(0, rmdir(at("%s", name_of(self->layout, self->key[4]))));
	EXPECT_EQ(KEYS - 1, count_names(MNT));
	EXPECT_EQ(-ENOENT, -errno_of(rmdir(at("%s", name_of(self->layout, self->key[4])))));
	close(inner);
}

/* So many that some of them are hints in the same list; listed and each looked at. */
TEST_F(longnames, many)
{
	__u32 many = scaled(3000), i;
	__u8 key[200];
	__u64 value = 1;

	self->map = make_map(BPF_MAP_TYPE_HASH, sizeof(key), 8, many, 0);
	for (i = 0; i < many; i++) {
		memset(key, 0xcd, sizeof(key));
		memcpy(key + 150, &i, sizeof(i));
		ASSERT_EQ(0, bpf_map_update_elem(self->map, key, &value, 0));
	}
	ASSERT_EQ(0, mount_fd(self->map, MNT, "value=u64"));
	EXPECT_EQ(0, sh("test $(ls -l " MNT " | grep -c '~~') = %u", many));
	EXPECT_EQ(0, sh("test $(find " MNT " -type f | xargs cat | wc -l) = %u", many));
	EXPECT_EQ(0, sh("find " MNT " -type f | xargs rm; test -z \"$(ls " MNT ")\""));
}

TEST_F(longnames, refused)
{
	self->map = make_map(BPF_MAP_TYPE_HASH, 4097, 8, 2, 0);
	ASSERT_LE(0, self->map);
	EXPECT_EQ(-ENAMETOOLONG, mount_fd(self->map, MNT, ""));
	EXPECT_NE(NULL, strstr(refusal, "key: a key of more than 4096 bytes has no names; "
			       "use key=none")) TH_LOG("%s", refusal);
	EXPECT_EQ(0, mount_fd(self->map, MNT, "key=none"));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(0, umount(MNT));
	close(self->map);
	self->map = make_map(BPF_MAP_TYPE_HASH, 4096, 8, 2, 0);
	EXPECT_EQ(0, mount_fd(self->map, MNT, ""));
	EXPECT_EQ(0, sh("printf '%%08192d 0700000000000000\n' 7 > " MNT "/.bpf/table"));
	EXPECT_EQ(0, sh("test $(cat " MNT "/* ) = 0700000000000000"));
}

TEST_HARNESS_MAIN
