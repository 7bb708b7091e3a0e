/* SPDX-License-Identifier: MIT */
/*
 * table: objects by key. Open addressing with linear probing; a slot holds the whole hash, so a look-up
 * touches one cache line of the table and then the object that is meant.
 *
 * It grows without a pause: while the new slots fill, the old ones are still looked at, and every change
 * moves a few of them. Slots are allocated and freed by the caller, outside of its lock.
 *
 * A slot leads to the latest of the variants that stand under its key; the others follow by place.next.
 */
#ifndef STET_STORE_TABLE_H
#define STET_STORE_TABLE_H

#include "store/object.h"

struct stet__table_slot {
    uint64_t hash;
    struct stet__object *object; /* NULL: the slot is free */
};

struct stet__table_slots {
    struct stet__table_slot *at; /* NULL: none */
    size_t mask, count;
};

struct stet__table {
    struct stet__table_slots now, old;
    size_t cursor; /* old slots below it are free */
};

/* How many slots a larger table needs, or 0 while it need not grow. At first it has none. */
size_t stet__table_wants(const struct stet__table *table);

/* Takes `count` cleared slots, a power of two. Only while stet__table_wants says so. */
void stet__table_grow(struct stet__table *table, struct stet__table_slot *slots, size_t count);

/* Whether one more key fits: false only if the table could not be grown for long. */
bool stet__table_has_room(const struct stet__table *table);

/* Slots that are not used any more, to be freed; NULL if there are none. */
struct stet__table_slot *stet__table_retired(struct stet__table *table);

size_t stet__table_bytes(const struct stet__table *table);

/* The slot of a key, or NULL; good until the table changes. */
struct stet__table_slot *stet__table_find(const struct stet__table *table, uint64_t hash,
                                          struct stet_span key);

/* A key that is not there. */
void stet__table_insert(struct stet__table *table, struct stet__object *object);

/* Takes out what stet__table_find gave. */
void stet__table_remove(struct stet__table *table, struct stet__table_slot *slot);

#endif
