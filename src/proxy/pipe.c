/* SPDX-License-Identifier: MIT */
#include "proxy/pipe.h"

void stet__pipe_init(struct stet__pipe *pipe)
{
    *pipe = (struct stet__pipe){.owner = NULL};
    stet__buffer_init(&pipe->filling, STET__PIPE_BYTES);
    stet__buffer_init(&pipe->out, STET__PIPE_BYTES);
}

void stet__pipe_release(struct stet__pipe *pipe)
{
    stet__buffer_release(&pipe->filling);
    stet__buffer_release(&pipe->out);
}

static void tell(struct stet__pipe *pipe)
{
    if (!pipe->waiting)
        return;
    pipe->waiting = false;
    pipe->ready(pipe->owner);
}

size_t stet__pipe_put(struct stet__pipe *pipe, struct stet_span octets)
{
    size_t len = pipe->filling.len, room = len < STET__PIPE_BYTES ? STET__PIPE_BYTES - len : 0;
    size_t taken = octets.len < room ? octets.len : room;
    if (taken > 0 && !stet__buffer_append(&pipe->filling, stet_span_of(octets.ptr, taken))) {
        /* There is no memory: the message cannot be passed on whole. */
        pipe->cut = true;
        taken = octets.len;
    }
    pipe->held = taken < octets.len;
    tell(pipe);
    return taken;
}

void stet__pipe_end(struct stet__pipe *pipe, bool complete)
{
    pipe->ended = true;
    pipe->cut |= !complete;
    tell(pipe);
}

enum stet__supply stet__pipe_next(struct stet__pipe *pipe, struct stet__part *part)
{
    struct stet__buffer swap = pipe->out;
    stet__buffer_clear(&swap);
    pipe->out = pipe->filling;
    pipe->filling = swap;
    if (pipe->out.len > 0) {
        *part = stet__part_memory(stet__buffer_span(&pipe->out));
        if (pipe->held) {
            pipe->held = false;
            pipe->drained(pipe->owner);
        }
        return STET__SUPPLY_PART;
    }
    if (pipe->cut)
        return STET__SUPPLY_CUT;
    if (pipe->ended)
        return STET__SUPPLY_END;
    pipe->waiting = true;
    return STET__SUPPLY_WAIT;
}
