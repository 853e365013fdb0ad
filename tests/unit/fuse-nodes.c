// SPDX-License-Identifier: GPL-2.0-only
/* The nodes of bpffs-fuse: who shares one, and when they go. As TAP. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "nodes.h"

static unsigned int count, failed;

static void check(bool ok, const char *name)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++count, name);
	failed += !ok;
}

static void test_sharing(void)
{
	struct nodes *nodes = nodes_new(free);
	struct node *root = nodes_root(nodes), *first, *second, *third;
	bool is_new;

	first = nodes_look_up(nodes, root, "a", false, 0, NULL, &is_new);
	check(is_new && nodes_node(nodes, nodes_number(nodes, first)) == first &&
	      nodes_node(nodes, 1) == root && nodes_number(nodes, root) == 1,
	      "a name that is looked up has a node and a number");
	second = nodes_look_up(nodes, root, "a", false, 0, NULL, &is_new);
	check(!is_new && second == first, "looked up again, the same");
	check(nodes_look_up(nodes, root, "b", false, 0, NULL, &is_new) != first && is_new,
	      "another name has another");
	nodes_open(nodes, first);
	second = nodes_look_up(nodes, root, "a", false, 0, NULL, &is_new);
	check(is_new && second != first, "while it is open, a new one");
	third = nodes_look_up(nodes, root, "a", false, 0, NULL, &is_new);
	check(!is_new && third == second, "which is that of all who look");
	nodes_open(nodes, second);
	third = nodes_look_up(nodes, root, "a", false, 0, NULL, &is_new);
	check(is_new && third != second && third != first, "and each open file has its own");
	check(nodes_open(nodes, third) == 1 && nodes_open(nodes, third) == 2 &&
	      nodes_close(nodes, third) == 1, "it is known how many have one open");
	nodes_close(nodes, second);
	check(nodes_look_up(nodes, root, "a", false, 0, NULL, &is_new) == second && !is_new,
	      "closed, it is anybody's again");
	second = nodes_look_up(nodes, root, "a", true, 0, NULL, &is_new);
	check(is_new && second != first, "a directory is another node than a file of its name");
	nodes_free(nodes);
}

static void test_directories(void)
{
	struct nodes *nodes = nodes_new(NULL);
	struct node *root = nodes_root(nodes), *dir, *file;
	bool is_new;

	dir = nodes_look_up(nodes, root, "d", true, 0, NULL, &is_new);
	nodes_open(nodes, dir);
	check(nodes_look_up(nodes, root, "d", true, 0, NULL, &is_new) == dir && !is_new,
	      "a directory that is open has one node");
	check(nodes_look_up(nodes, root, "d", true, 5, NULL, &is_new) != dir && is_new,
	      "and another that takes its name has another");
	nodes_forget(nodes, nodes_look_up(nodes, root, "d", true, 5, NULL, &is_new), 2);
	nodes_close(nodes, dir);
	file = nodes_look_up(nodes, dir, "a", false, 0, NULL, &is_new);
	nodes_forget(nodes, dir, 2);
	check(nodes_count(nodes) == 2, "it stays as long as something in it is known");
	nodes_forget(nodes, file, 1);
	check(nodes_count(nodes) == 0, "and goes then");
	nodes_free(nodes);
}

static void test_forgetting(void)
{
	struct nodes *nodes = nodes_new(free);
	struct node *root = nodes_root(nodes), *node;
	bool is_new;

	node = nodes_look_up(nodes, root, "a", false, 0, malloc(10), &is_new);
	nodes_look_up(nodes, root, "a", false, 0, NULL, &is_new);
	nodes_forget(nodes, node, 1);
	check(nodes_count(nodes) == 1, "each look-up is forgotten by itself");
	nodes_open(nodes, node);
	nodes_forget(nodes, node, 1);
	check(nodes_count(nodes) == 1, "what is open stays");
	nodes_close(nodes, node);
	check(nodes_count(nodes) == 0, "until it is closed");
	nodes_forget(nodes, root, 1);
	check(nodes_root(nodes) == root, "the root is for ever");
	nodes_free(nodes);
}

static void test_many(void)
{
	struct nodes *nodes = nodes_new(NULL);
	struct node *root = nodes_root(nodes), *first, *open;
	bool is_new, ok = true;
	char name[16];
	int i;

	open = nodes_look_up(nodes, root, "7", false, 0, NULL, &is_new);
	nodes_open(nodes, open);
	first = nodes_look_up(nodes, root, "7", false, 0, NULL, &is_new);
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ok = ok && nodes_look_up(nodes, root, name, false, 0, NULL, &is_new) && is_new == (i != 7);
	}
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		ok = ok && nodes_look_up(nodes, root, name, false, 0, NULL, &is_new) && !is_new;
	}
	check(ok && nodes_count(nodes) == 100001, "100000 names");
	check(nodes_look_up(nodes, root, "7", false, 0, NULL, &is_new) == first && !is_new,
	      "the open one among them is nobody else's");
	nodes_free(nodes);
}

static void *use(void *arg)
{
	struct nodes *nodes = arg;
	struct node *dir, *file;
	char name[16];
	bool is_new;
	int i;

	for (i = 0; i < 20000; i++) {
		dir = nodes_look_up(nodes, nodes_root(nodes), "d", true, 0, NULL, &is_new);
		snprintf(name, sizeof(name), "%d", i % 7);
		file = nodes_look_up(nodes, dir, name, false, 0, NULL, &is_new);
		nodes_open(nodes, file);
		nodes_forget(nodes, file, 1);
		nodes_forget(nodes, dir, 1);
		nodes_close(nodes, file);
	}
	return NULL;
}

static void test_threads(void)
{
	struct nodes *nodes = nodes_new(NULL);
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use, nodes);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	check(nodes_count(nodes) == 0, "four threads leave nothing");
	nodes_free(nodes);
}

int main(void)
{
	test_sharing();
	test_directories();
	test_forgetting();
	test_many();
	test_threads();
	printf("1..%u\n", count);
	return failed > 0;
}
