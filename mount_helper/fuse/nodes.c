// SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause
/*
 * Nodes, found by their parent and name. Of several of one name, the last one that was
 * made is found first: the others are those of open files.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nodes.h"

/* What the kernel calls the root. */
#define ROOT_NUMBER	1

/* At most as many nodes as there are lists, so that lists are short. */
#define LISTS_MIN	64

struct nodes {
	pthread_mutex_t lock;
	void (*free_data)(void *data);
	struct node **list;
	size_t lists;
	size_t count;
	struct node *root;
};

static size_t hash(const struct node *parent, const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ULL ^ (uintptr_t)parent;

	while (len--)
		h = (h ^ (unsigned char)*name++) * 0x100000001b3ULL;
	return h ^ h >> 32;
}

static struct node **list_of(struct nodes *nodes, const struct node *node)
{
	return &nodes->list[hash(node->parent, node->name, node->len) & (nodes->lists - 1)];
}

/* To the front of its list. */
static void link_node(struct nodes *nodes, struct node *node)
{
	struct node **list = list_of(nodes, node);

	node->previous = NULL;
	node->next = *list;
	if (node->next)
		node->next->previous = node;
	*list = node;
}

static void unlink_node(struct nodes *nodes, struct node *node)
{
	if (node->previous)
		node->previous->next = node->next;
	else
		*list_of(nodes, node) = node->next;
	if (node->next)
		node->next->previous = node->previous;
}

/* Without memory, lists are longer, and that is all. */
static void grow(struct nodes *nodes)
{
	struct node **old = nodes->list, *node, *last;
	size_t lists = nodes->lists, i;
	struct node **list;

	list = calloc(2 * lists, sizeof(*list));
	if (!list)
		return;
	nodes->list = list;
	nodes->lists = 2 * lists;
	for (i = 0; i < lists; i++) {
		/* From its end on, so that the order of a name's nodes stays. */
		for (last = NULL, node = old[i]; node; node = node->next)
			last = node;
		for (node = last; node; node = last) {
			last = node->previous;
			link_node(nodes, node);
		}
	}
	free(old);
}

static struct node *new_node(struct node *parent, const char *name, bool is_directory,
			     uint64_t identity)
{
	size_t len = strlen(name);
	struct node *node = calloc(1, sizeof(*node) + len + 1);

	if (!node)
		return NULL;
	node->parent = parent;
	node->is_directory = is_directory;
	node->identity = identity;
	node->len = len;
	memcpy(node->name, name, len);
	return node;
}

struct nodes *nodes_new(void (*free_data)(void *data))
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	if (!nodes)
		return NULL;
	nodes->free_data = free_data;
	nodes->lists = LISTS_MIN;
	nodes->list = calloc(nodes->lists, sizeof(*nodes->list));
	nodes->root = new_node(NULL, "", true, 0);
	if (!nodes->list || !nodes->root) {
		free(nodes->list);
		free(nodes->root);
		free(nodes);
		return NULL;
	}
	pthread_mutex_init(&nodes->lock, NULL);
	return nodes;
}

static void free_node(struct nodes *nodes, struct node *node)
{
	if (nodes->free_data && node->data)
		nodes->free_data(node->data);
	free(node);
}

void nodes_free(struct nodes *nodes)
{
	struct node *node;
	size_t i;

	for (i = 0; i < nodes->lists; i++)
		while ((node = nodes->list[i])) {
			nodes->list[i] = node->next;
			free_node(nodes, node);
		}
	free_node(nodes, nodes->root);
	pthread_mutex_destroy(&nodes->lock);
	free(nodes->list);
	free(nodes);
}

struct node *nodes_root(struct nodes *nodes)
{
	return nodes->root;
}

struct node *nodes_node(struct nodes *nodes, uint64_t number)
{
	return number == ROOT_NUMBER ? nodes->root : (struct node *)(uintptr_t)number;
}

uint64_t nodes_number(const struct nodes *nodes, const struct node *node)
{
	return node == nodes->root ? ROOT_NUMBER : (uintptr_t)node;
}

/* Nobody's, or a directory's. */
static struct node *find(struct nodes *nodes, const struct node *parent, const char *name,
			 bool is_directory, uint64_t identity)
{
	size_t len = strlen(name);
	struct node *node = nodes->list[hash(parent, name, len) & (nodes->lists - 1)];

	for (; node; node = node->next)
		if (node->parent == parent && node->len == len &&
		    node->is_directory == is_directory && node->identity == identity &&
		    (is_directory || (!node->opens && !node->is_alone)) &&
		    !memcmp(node->name, name, len))
			return node;
	return NULL;
}

static struct node *add_node(struct nodes *nodes, struct node *parent, const char *name,
			     bool is_directory, uint64_t identity, void *data)
{
	struct node *node = new_node(parent, name, is_directory, identity);

	if (!node)
		return NULL;
	node->data = data;
	parent->children++;
	if (++nodes->count > nodes->lists)
		grow(nodes);
	link_node(nodes, node);
	return node;
}

struct node *nodes_look_up(struct nodes *nodes, struct node *parent, const char *name,
			   bool is_directory, uint64_t identity, void *data, bool *is_new)
{
	struct node *node;

	pthread_mutex_lock(&nodes->lock);
	node = find(nodes, parent, name, is_directory, identity);
	*is_new = !node;
	if (!node)
		node = add_node(nodes, parent, name, is_directory, identity, data);
	if (node)
		node->lookups++;
	pthread_mutex_unlock(&nodes->lock);
	return node;
}

struct node *nodes_look_up_alone(struct nodes *nodes, struct node *parent, const char *name,
				 void *data)
{
	struct node *node;

	pthread_mutex_lock(&nodes->lock);
	node = add_node(nodes, parent, name, false, 0, data);
	if (node) {
		node->is_alone = true;
		node->lookups++;
	}
	pthread_mutex_unlock(&nodes->lock);
	return node;
}

/* It, and directories that only stay for what is in them. */
static void drop_unused(struct nodes *nodes, struct node *node)
{
	struct node *parent;

	while (node != nodes->root && !node->lookups && !node->opens && !node->children) {
		parent = node->parent;
		unlink_node(nodes, node);
		free_node(nodes, node);
		nodes->count--;
		parent->children--;
		node = parent;
	}
}

void nodes_forget(struct nodes *nodes, struct node *node, uint64_t lookups)
{
	/* The kernel does not count those of the root. */
	if (node == nodes->root)
		return;
	pthread_mutex_lock(&nodes->lock);
	node->lookups -= lookups < node->lookups ? lookups : node->lookups;
	drop_unused(nodes, node);
	pthread_mutex_unlock(&nodes->lock);
}

unsigned int nodes_open(struct nodes *nodes, struct node *node)
{
	unsigned int opens;

	pthread_mutex_lock(&nodes->lock);
	opens = ++node->opens;
	pthread_mutex_unlock(&nodes->lock);
	return opens;
}

unsigned int nodes_close(struct nodes *nodes, struct node *node)
{
	unsigned int opens;

	pthread_mutex_lock(&nodes->lock);
	opens = --node->opens;
	drop_unused(nodes, node);
	pthread_mutex_unlock(&nodes->lock);
	return opens;
}

size_t nodes_idle(struct nodes *nodes, size_t *at, struct idle_name *idle, size_t max)
{
	const struct node *node;
	size_t count = 0;

	pthread_mutex_lock(&nodes->lock);
	/* What of a list there is no room for is found the next time. */
	for (; *at < nodes->lists && count < max; ++*at)
		for (node = nodes->list[*at]; node && count < max; node = node->next) {
			if (node->is_directory || node->opens || node->len >= sizeof(idle->name))
				continue;
			idle[count].parent = nodes_number(nodes, node->parent);
			idle[count].len = node->len;
			memcpy(idle[count].name, node->name, node->len + 1);
			count++;
		}
	pthread_mutex_unlock(&nodes->lock);
	return count;
}

size_t nodes_count(struct nodes *nodes)
{
	size_t count;

	pthread_mutex_lock(&nodes->lock);
	count = nodes->count;
	pthread_mutex_unlock(&nodes->lock);
	return count;
}
