/* SPDX-License-Identifier: MIT */
#include "net/deadline.h"

void stet__deadlines_init(struct stet__deadlines *deadlines, int64_t now_s)
{
    deadlines->now_s = now_s;
    for (unsigned i = 0; i < STET__DEADLINE_SLOTS; i++)
        stet__list_init(&deadlines->slots[i]);
}

void stet__deadline_init(struct stet__deadline *deadline)
{
    stet__list_init(&deadline->node);
    deadline->at_s = deadline->look_s = INT64_MAX;
}

void stet__deadline_clear(struct stet__deadline *deadline)
{
    stet__list_remove(&deadline->node);
    deadline->look_s = INT64_MAX;
}

void stet__deadline_move(struct stet__deadlines *deadlines, struct stet__deadline *deadline)
{
    int64_t first = deadlines->now_s + 1, last = deadlines->now_s + STET__DEADLINE_SLOTS - 1;
    int64_t look = deadline->at_s < first ? first : deadline->at_s > last ? last : deadline->at_s;
    deadline->look_s = look;
    stet__list_remove(&deadline->node);
    stet__list_append(&deadlines->slots[look % STET__DEADLINE_SLOTS], &deadline->node);
}

static void look_at(struct stet__deadlines *deadlines, struct stet__list *slot,
                    void (*passed)(struct stet__deadline *deadline))
{
    while (!stet__list_empty(slot)) {
        struct stet__deadline *deadline = stet__list_entry(slot->next, struct stet__deadline, node);
        stet__deadline_clear(deadline);
        if (deadline->at_s <= deadlines->now_s)
            passed(deadline);
        else
            stet__deadline_move(deadlines, deadline);
    }
}

void stet__deadlines_advance(struct stet__deadlines *deadlines, int64_t now_s,
                             void (*passed)(struct stet__deadline *deadline))
{
    /* After a long sleep one turn of the wheel sees everything. */
    if (now_s - deadlines->now_s > STET__DEADLINE_SLOTS)
        deadlines->now_s = now_s - STET__DEADLINE_SLOTS;
    while (deadlines->now_s < now_s) {
        deadlines->now_s++;
        look_at(deadlines, &deadlines->slots[deadlines->now_s % STET__DEADLINE_SLOTS], passed);
    }
}
