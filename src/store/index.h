/* SPDX-License-Identifier: MIT */
/*
 * index: objects in the order of their keys, for purges by prefix, and by group. It has a lock of its own, so
 * that no hit waits for it; what is looked up here may have left the store meanwhile, and who purges looks
 * again.
 *
 *   keys     a treap: a binary tree by (key, order of arrival) and a heap by a random number
 *   groups   a hash table of names, each with a list of its members
 *
 * An object enters after it is in the table and leaves after it is out of it. The two may overtake one
 * another in two threads; so one that has left never enters (state).
 */
#ifndef STET_STORE_INDEX_H
#define STET_STORE_INDEX_H

#include <pthread.h>
#include <stdatomic.h>

#include <stet/span.h>

#include "base/list.h"

struct stet__object;
struct stet__index_member;

enum stet__index_state { STET__INDEX_OUT, STET__INDEX_IN, STET__INDEX_GONE };

/* Part of an object. */
struct stet__index_node {
    struct stet__index_node *parent, *left, *right;
    uint64_t priority;
    uint64_t order;
    struct stet__index_member *members; /* as many as it has groups */
    unsigned char state;
};

struct stet__index_group;

struct stet__index {
    pthread_mutex_t lock;
    struct stet__index_node *root;
    uint64_t order;
    uint64_t random;
    struct stet__index_group **groups;
    size_t group_mask, group_count; /* the mask is meaningless without groups */
    const void *secret;             /* of the hash */
    size_t secret_len;
    atomic_size_t *used; /* what it allocates is counted here */
};

void stet__index_init(struct stet__index *index, const void *secret, size_t secret_len, atomic_size_t *used);
void stet__index_release(struct stet__index *index);

/* False if there is no memory: then it has not entered. True, and nothing done, if it has left already. */
bool stet__index_enter(struct stet__index *index, struct stet__object *object);
void stet__index_leave(struct stet__index *index, struct stet__object *object);

/* A walk that takes a batch at a time; each object comes with a reference. */
struct stet__index_walk {
    uint64_t order;            /* of the last that was given */
    struct stet__object *last; /* a reference: its key is where the walk goes on */
};

/* The next at most `room` objects whose keys begin with `prefix`. 0: that was all, and nothing is held. */
size_t stet__index_prefix(struct stet__index *index, struct stet_span prefix, struct stet__index_walk *walk,
                          struct stet__object **out, size_t room);

/*
 * Calls `visit` for each member of the group, with a reference and without the lock, those that enter
 * meanwhile maybe among them.
 */
void stet__index_group(struct stet__index *index, struct stet_span group,
                       void (*visit)(void *arg, struct stet__object *object), void *arg);

#endif
