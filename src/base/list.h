/* SPDX-License-Identifier: MIT */
/*
 * list: an intrusive, circular, doubly linked list. A node sits inside what it links; a list is a node that
 * is the head. A node that is in no list points to itself, so taking it out twice is harmless.
 */
#ifndef STET_BASE_LIST_H
#define STET_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct stet__list {
    struct stet__list *next;
    struct stet__list *prev;
};

/* The struct of type `type` whose member `member` is `*node`. */
#define stet__list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void stet__list_init(struct stet__list *node)
{
    node->next = node->prev = node;
}

static inline bool stet__list_empty(const struct stet__list *list)
{
    return list->next == list;
}

/* The analyser does not see that what is removed here is not found in the list again. */
static inline void stet__list_remove(struct stet__list *node)
{
    node->prev->next = node->next; /* NOLINT(clang-analyzer-unix.Malloc) */
    node->next->prev = node->prev;
    stet__list_init(node);
}

/* Puts `node`, which is in no list, at the end. */
static inline void stet__list_append(struct stet__list *list, struct stet__list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

#endif
