/* SPDX-License-Identifier: MIT */
/*
 * Removal shifts what follows back, so there are no tombstones and a probe ends at the first free slot. The
 * old slots shrink by the same removal: moving a slot away is a removal there and an insertion here, and
 * every state in between is a table in order. At most half of the slots are used when it grows, so that the
 * old ones have all moved (MOVES of them with each change) long before the new ones are half full.
 */
#include "store/table.h"

#include <stdlib.h>

#include "base/assert.h"

#define SLOTS_MIN 64u
#define MOVES 8u

size_t stet__table_wants(const struct stet__table *table)
{
    if (!table->now.at)
        return SLOTS_MIN;
    size_t slots = table->now.mask + 1;
    return !table->old.at && table->now.count >= slots / 2 ? slots * 2 : 0;
}

void stet__table_grow(struct stet__table *table, struct stet__table_slot *slots, size_t count)
{
    stet__assert(!table->old.at);
    table->old = table->now;
    table->now = (struct stet__table_slots){slots, count - 1, 0};
    table->cursor = 0;
}

bool stet__table_has_room(const struct stet__table *table)
{
    size_t used = table->now.count + table->old.count;
    return table->now.at && used < table->now.mask / 8 * 7;
}

struct stet__table_slot *stet__table_retired(struct stet__table *table)
{
    if (!table->old.at || table->old.count > 0)
        return NULL;
    struct stet__table_slot *slots = table->old.at;
    table->old = (struct stet__table_slots){.at = NULL};
    return slots;
}

size_t stet__table_bytes(const struct stet__table *table)
{
    size_t slots = table->now.at ? table->now.mask + 1 : 0;
    if (table->old.at)
        slots += table->old.mask + 1;
    return slots * sizeof(struct stet__table_slot);
}

static struct stet__table_slot *find_in(const struct stet__table_slots *slots, uint64_t hash,
                                        struct stet_span key)
{
    if (slots->count == 0)
        return NULL;
    for (size_t i = hash & slots->mask; slots->at[i].object; i = (i + 1) & slots->mask) {
        struct stet__object *object = slots->at[i].object;
        if (slots->at[i].hash != hash)
            continue;
        /* The key stands behind the object (object.c): both are fetched at once, not one after the other. */
        __builtin_prefetch(object + 1);
        __builtin_prefetch(&object->place.queue, 1);
        if (stet_span_equal(object->key, key))
            return &slots->at[i];
    }
    return NULL;
}

struct stet__table_slot *stet__table_find(const struct stet__table *table, uint64_t hash,
                                          struct stet_span key)
{
    struct stet__table_slot *slot = find_in(&table->now, hash, key);
    return slot ? slot : find_in(&table->old, hash, key);
}

static void insert_in(struct stet__table_slots *slots, struct stet__table_slot slot)
{
    size_t i = slot.hash & slots->mask;
    while (slots->at[i].object)
        i = (i + 1) & slots->mask;
    slots->at[i] = slot;
    slots->count++;
}

static void remove_from(struct stet__table_slots *slots, size_t hole)
{
    for (size_t i = (hole + 1) & slots->mask; slots->at[i].object; i = (i + 1) & slots->mask) {
        size_t home = slots->at[i].hash & slots->mask;
        /* It may move back unless its home lies behind the hole. */
        if (((i - home) & slots->mask) >= ((i - hole) & slots->mask)) {
            slots->at[hole] = slots->at[i];
            hole = i;
        }
    }
    slots->at[hole] = (struct stet__table_slot){0, NULL};
    slots->count--;
}

static void move_some(struct stet__table *table)
{
    if (!table->old.at)
        return;
    unsigned moves = 0;
    for (unsigned seen = 0; moves < MOVES && seen < 4 * MOVES && table->old.count > 0; seen++) {
        size_t i = table->cursor;
        if (!table->old.at[i].object) {
            table->cursor = (i + 1) & table->old.mask;
            continue;
        }
        insert_in(&table->now, table->old.at[i]);
        remove_from(&table->old, i);
        moves++;
    }
}

void stet__table_insert(struct stet__table *table, struct stet__object *object)
{
    move_some(table);
    insert_in(&table->now, (struct stet__table_slot){object->hash, object});
}

void stet__table_remove(struct stet__table *table, struct stet__table_slot *slot)
{
    bool old = table->old.at && slot >= table->old.at && slot <= table->old.at + table->old.mask;
    struct stet__table_slots *slots = old ? &table->old : &table->now;
    remove_from(slots, (size_t)(slot - slots->at));
    move_some(table);
}
