/* SPDX-License-Identifier: MIT */
/*
 * What costs a client next to nothing and this side something, and is right now and then: RFC 9113 section
 * 10.5. Each connection has a budget for a minute; one that overdraws it gets GOAWAY, ENHANCE_YOUR_CALM.
 *
 *   resets     streams that end before their answer is whole, whoever reset them: rapid reset
 *              (CVE-2023-44487), and resets that this side is provoked to (CVE-2025-8671)
 *   controls   frames that ask for no answer of a role: PING, SETTINGS, PRIORITY, PRIORITY_UPDATE, unknown
 *              ones, DATA without content, WINDOW_UPDATE by next to nothing
 *
 * Bounded elsewhere: CONTINUATION frames of one header block (CVE-2024-27316) by nghttp2, eight; answers to
 * PING and SETTINGS that wait to be sent by nghttp2 (http2.c); header lists, after decompression, by
 * http2_head.c.
 */
#include "net/http2_stream.h"

#define MINUTE_MS 60000
#define SMALL_INCREMENT 1024 /* no client that reads at all opens a window by less, again and again */

/* The budget fills again in a minute. True if there was something left. */
static bool spend(struct stet__http2 *http2, struct stet__http2_budget *budget, unsigned limit)
{
    int64_t now_ms = stet__loop_monotonic_ms(http2->connection->worker->loop);
    int64_t passed_ms = now_ms - budget->full_at_ms;
    uint64_t more = passed_ms >= MINUTE_MS ? limit : (uint64_t)passed_ms * limit / MINUTE_MS;
    if (more > 0) {
        budget->left = more < limit - budget->left ? budget->left + (unsigned)more : limit;
        budget->full_at_ms = now_ms;
    }
    if (budget->left == 0)
        return false;
    budget->left--;
    return true;
}

static void end_session(struct stet__http2 *http2, uint32_t error)
{
    if (nghttp2_session_terminate_session(http2->session, error) != 0)
        http2->connection->broken = true;
}

static void charge(struct stet__http2 *http2, struct stet__http2_budget *budget, unsigned limit)
{
    if (spend(http2, budget, limit) || http2->calm)
        return;
    http2->calm = true;
    end_session(http2, NGHTTP2_ENHANCE_YOUR_CALM);
}

int stet__http2_on_unknown_frame(nghttp2_session *session, void **payload, const nghttp2_frame_hd *head,
                                 void *user)
{
    return NGHTTP2_ERR_CANCEL;
}

void stet__http2_flood_begin(struct stet__http2 *http2)
{
    const struct stet__worker *worker = http2->connection->worker;
    int64_t now_ms = stet__loop_monotonic_ms(worker->loop);
    http2->resets = (struct stet__http2_budget){worker->limits->resets, now_ms};
    http2->controls = (struct stet__http2_budget){worker->limits->controls, now_ms};
}

void stet__http2_count_reset(struct stet__http2 *http2)
{
    charge(http2, &http2->resets, http2->connection->worker->limits->resets);
}

void stet__http2_note_refused(struct stet__http2 *http2, int32_t id)
{
    http2->refused[http2->refused_at++ % STET__HTTP2_REFUSED] = id;
}

/*
 * RFC 9113 sections 5.1 and 5.1.1: no second request on a stream that is over. nghttp2 passes over all
 * HEADERS on such, because trailers may be on their way when this side resets a stream; here is known which
 * those are.
 */
static bool is_reused(const struct stet__http2 *http2, int32_t id)
{
    if (id > nghttp2_session_get_last_proc_stream_id(http2->session) ||
        nghttp2_session_get_stream_user_data(http2->session, id))
        return false;
    for (size_t i = 0; i < STET__HTTP2_REFUSED; i++)
        if (http2->refused[i] == id)
            return false;
    return true;
}

/* PING, SETTINGS, PRIORITY, unknown ones; DATA without anything. */
static bool is_control(const nghttp2_frame_hd *head)
{
    switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_RST_STREAM:
    case NGHTTP2_WINDOW_UPDATE:
    case NGHTTP2_CONTINUATION:
        return false;
    case NGHTTP2_DATA:
        return head->length == 0 && !(head->flags & NGHTTP2_FLAG_END_STREAM);
    default:
        return true;
    }
}

int stet__http2_on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
    struct stet__http2 *http2 = user;
    if (head->type == NGHTTP2_HEADERS && head->stream_id % 2 == 1 && is_reused(http2, head->stream_id))
        end_session(http2, NGHTTP2_STREAM_CLOSED);
    /* RFC 9113 section 6.3, of a frame that nghttp2 passes over. */
    if (head->type == NGHTTP2_PRIORITY && head->stream_id == 0)
        end_session(http2, NGHTTP2_PROTOCOL_ERROR);
    if (is_control(head))
        charge(http2, &http2->controls, http2->connection->worker->limits->controls);
    return 0;
}

int stet__http2_on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
    stet__http2_count_reset(user);
    return 0;
}

void stet__http2_count_frame(struct stet__http2 *http2, const nghttp2_frame *frame)
{
    bool padding = frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0 &&
                   frame->hd.length == frame->data.padlen && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
    bool small = frame->hd.type == NGHTTP2_WINDOW_UPDATE &&
                 frame->window_update.window_size_increment < SMALL_INCREMENT;
    if (padding || small)
        charge(http2, &http2->controls, http2->connection->worker->limits->controls);
}
