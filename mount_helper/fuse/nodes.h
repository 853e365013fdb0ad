/* SPDX-License-Identifier: LGPL-2.1 OR BSD-2-Clause */
/*
 * What the kernel knows of the file system: a node for each file that somebody has
 * looked up, until the kernel forgets it.
 *
 * fstat(2) of an open file asks with the node and without the file, and is to be
 * answered from the sample of this file. So a name that somebody has open gets a new
 * node when it is looked up again, and each open file of an element has one to itself;
 * only who opens a file again by /proc shares one. Directories have one node always, as
 * people stand in them.
 */
#ifndef BPFFS_FUSE_NODES_H
#define BPFFS_FUSE_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nodes;

/**
 * struct node - what the kernel calls by a number
 * @parent: the directory, which stays as long as this does; NULL of the root
 * @data: the front's, who frees it when it is told
 * @is_directory: has one node, as long as it is this one
 * @is_alone: nobody else gets it
 * @identity: of a directory: of another, there is another node
 * @name: in @parent, ends with NUL
 * The rest is nodes.c's.
 */
struct node {
	struct node *parent;
	void *data;
	bool is_directory;
	bool is_alone;
	uint64_t identity;
	struct node *next;
	struct node *previous;
	uint64_t lookups;
	unsigned int opens;
	unsigned int children;
	size_t len;
	char name[];
};

/* @free_data: of a node that goes, or NULL. NULL: no memory. */
struct nodes *nodes_new(void (*free_data)(void *data));

/* And all nodes. */
void nodes_free(struct nodes *nodes);

/* The directory that is always there. */
struct node *nodes_root(struct nodes *nodes);

/* By the number in a request. */
struct node *nodes_node(struct nodes *nodes, uint64_t number);
uint64_t nodes_number(const struct nodes *nodes, const struct node *node);

/**
 * nodes_look_up() - a node for a name that is there, which the kernel is told
 * @parent: a directory
 * @is_directory: of the name
 * @identity: of the directory, if another can get its name; else 0
 * @data: for a new node
 * @is_new: it has it, and else the node had its own
 *
 * It counts as one look-up, which the kernel forgets, or nodes_forget() if it has not
 * been told.
 *
 * Return: NULL: no memory.
 */
struct node *nodes_look_up(struct nodes *nodes, struct node *parent, const char *name,
			   bool is_directory, uint64_t identity, void *data, bool *is_new);
/* The same, of a file; nobody who looks up the name later gets it. */
struct node *nodes_look_up_alone(struct nodes *nodes, struct node *parent, const char *name,
				 void *data);
void nodes_forget(struct nodes *nodes, struct node *node, uint64_t lookups);

/* Return: how many have it open, with this one, or still. */
unsigned int nodes_open(struct nodes *nodes, struct node *node);
unsigned int nodes_close(struct nodes *nodes, struct node *node);

/* A name that the kernel has no need of. */
struct idle_name {
	uint64_t parent;
	size_t len;
	char name[256];
};

/**
 * nodes_idle() - files that are known, and that nobody has open
 * @at: where to go on, at first 0
 * @idle: room for @max of them
 *
 * Return: how many; 0: there are no more.
 */
size_t nodes_idle(struct nodes *nodes, size_t *at, struct idle_name *idle, size_t max);

/* How many there are. */
size_t nodes_count(struct nodes *nodes);

#endif
