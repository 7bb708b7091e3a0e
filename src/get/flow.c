/* SPDX-License-Identifier: MIT */
/*
 * flow: RFC 9110 section 8.4: content codings are listed in the order in which they were applied, so they
 * come off from the last to the first. One that nobody here knows ends that: the octets go on as they are.
 */
#include "get/flow.h"

#include <stet/field.h>

#define PIECE 16384

void stet__flow_init(struct stet__flow *flow, struct stet__get_sink *sink, bool decodes)
{
    *flow = (struct stet__flow){.sink = sink, .decodes = decodes};
}

void stet__flow_release(struct stet__flow *flow)
{
    for (size_t i = 0; i < flow->coder_count; i++)
        stet__coder_free(flow->coders[i]);
    flow->coder_count = 0;
}

static struct stet_span coding_of(const struct stet_stored *stored)
{
    const struct stet_field *field =
        stet_fields_find(&stored->response.fields, STET_FIELD_CONTENT_ENCODING, 0);
    return field ? field->value : STET_SPAN_NONE;
}

bool stet__flow_fits(const struct stet__flow *flow, const struct stet_stored *stored)
{
    const struct stet_representation *now = &stored->selected;
    if (!flow->begun || !stet_span_equal_nocase(flow->coding, coding_of(stored)))
        return false;
    if (stet_etag_present(flow->etag) || stet_etag_present(now->etag))
        return stet_etag_strong_equal(flow->etag, now->etag);
    return flow->last_modified != STET_NO_DATE && flow->last_modified == now->last_modified &&
           now->last_modified_strong;
}

void stet__flow_spoil(struct stet__flow *flow)
{
    flow->etag = STET_NO_ETAG;
    flow->last_modified = STET_NO_DATE;
}

/* Which version it is. */
static bool remember(struct stet__flow *flow, struct stet__arena *arena, const struct stet_stored *stored)
{
    struct stet_span coding = coding_of(stored);
    stet__flow_spoil(flow);
    flow->coding = STET_SPAN_NONE;
    if (coding.ptr && !(flow->coding = stet__arena_copy(arena, coding)).ptr)
        return false;
    if (stet_etag_present(stored->selected.etag)) {
        flow->etag = stored->selected.etag;
        flow->etag.opaque = stet__arena_copy(arena, flow->etag.opaque);
        return flow->etag.opaque.ptr != NULL;
    }
    if (stored->selected.last_modified_strong)
        flow->last_modified = stored->selected.last_modified;
    return true;
}

/* The last coding that was applied becomes the first coder. */
static bool add_coder(struct stet__flow *flow, enum stet_coding coding)
{
    struct stet__coder_options options = {.coding = coding, .decode = true, .output_max = UINT64_MAX};
    struct stet__coder *coder = stet__coder_new(&options);
    if (!coder)
        return false;
    memmove(flow->coders + 1, flow->coders, flow->coder_count * sizeof(struct stet__coder *));
    flow->coders[0] = coder;
    flow->coder_count++;
    return true;
}

static bool add_coders(struct stet__flow *flow, const struct stet_fields *fields)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, fields, STET_FIELD_CONTENT_ENCODING);
    while (stet_list_next(&list, &member) == STET_OK) {
        enum stet_coding coding = stet_coding_id(member);
        if (coding == STET_CODING_IDENTITY)
            continue;
        if (coding == STET_CODING_UNKNOWN || flow->coder_count == STET__FLOW_CODINGS_MAX) {
            stet__flow_release(flow);
            flow->undecoded = true;
            return true;
        }
        if (!add_coder(flow, coding))
            return false;
    }
    return true;
}

static void clear(struct stet__flow *flow)
{
    stet__flow_release(flow);
    flow->undecoded = false;
    flow->raw = flow->out = 0;
}

bool stet__flow_may_go_on(struct stet__flow *flow)
{
    bool known = flow->last_modified != STET_NO_DATE || (stet_etag_present(flow->etag) && !flow->etag.weak);
    if (!flow->sink || !flow->begun || known)
        return true;
    if (!flow->sink->restart(flow->sink->owner))
        return false;
    clear(flow);
    flow->begun = false;
    return true;
}

int stet__flow_open(struct stet__flow *flow, struct stet__arena *arena, const struct stet_stored *stored,
                    const struct stet__get_answer *answer, bool coded)
{
    if (!flow->sink || stet__flow_fits(flow, stored))
        return STET_OK;
    if (flow->begun && !flow->sink->restart(flow->sink->owner))
        return STET_E_GET_SINK;
    clear(flow);
    flow->begun = true;
    enum stet__get_take take = flow->sink->begin(flow->sink->owner, answer);
    flow->skips = take == STET__GET_SKIP;
    if (take == STET__GET_STOP)
        return STET_E_GET_STOPPED;
    if (!remember(flow, arena, stored))
        return STET_E_GET_MEMORY;
    if (coded && flow->decodes && !flow->skips && !add_coders(flow, &stored->response.fields))
        return STET_E_GET_MEMORY;
    return STET_OK;
}

/* Octets that have `level` coders behind them. */
static int pass(struct stet__flow *flow, size_t level, struct stet_span octets, enum stet__coder_step step)
{
    char room[PIECE];
    int status = STET_MORE;
    if (octets.len == 0 && step != STET__CODER_FINISH)
        return STET_OK;
    if (level == flow->coder_count) {
        if (octets.len > 0 && !flow->sink->data(flow->sink->owner, octets))
            return STET_E_GET_SINK;
        flow->out += octets.len;
        return STET_OK;
    }
    while (status == STET_MORE) {
        struct stet__coder_output output = {room, sizeof room, 0};
        status = stet__coder_run(flow->coders[level], &octets, step, &output);
        int passed = pass(flow, level + 1, stet_span_of(room, output.len), STET__CODER_FLUSH);
        if (passed != STET_OK)
            return passed;
    }
    return status;
}

int stet__flow_feed(struct stet__flow *flow, uint64_t offset, struct stet_span octets)
{
    uint64_t known = flow->raw - offset;
    if (known >= octets.len)
        return STET_OK;
    octets = stet_span_skip(octets, (size_t)known);
    flow->raw += octets.len;
    if (!flow->sink || flow->skips)
        return STET_OK;
    return pass(flow, 0, octets, STET__CODER_FLUSH);
}

/* Content without an octet has no coding that could be taken off, whatever the field says. */
int stet__flow_close(struct stet__flow *flow)
{
    int status = STET_OK;
    if (!flow->sink || flow->skips || flow->raw == 0)
        return STET_OK;
    for (size_t level = 0; level < flow->coder_count && status == STET_OK; level++)
        status = pass(flow, level, STET_SPAN(""), STET__CODER_FINISH);
    return status;
}
