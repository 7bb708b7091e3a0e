/* SPDX-License-Identifier: MIT */
/*
 * Subjects of forward.h and cache_status.h: what an intermediary changes, and what it says about itself.
 *
 * What is written is read back as a structured field, and every room that is too small has to be refused.
 */
#include "markdown.h"
#include "spec.h"

#include <stet/cache.h>
#include <stet/cache_status.h>
#include <stet/forward.h>

#define ROOM 4096

/* The fields that go on, one name a line. */
static void run_forwards(struct spec_run *run)
{
    struct stet_request message;
    size_t count = 0;
    if (!spec_fields(run, &message))
        return;
    for (size_t i = 0; i < message.fields.count; i++) {
        const struct stet_field *field = &message.fields.at[i];
        if (!stet_forward_keeps(field, &message.fields))
            continue;
        fprintf(run->out, "%.*s\n", (int)field->name.len, field->name.ptr);
        count++;
    }
    fprintf(run->out, "%zu in all\n", count);
}

/* Whether the pseudonym of the detail is in Via. */
static void run_via(struct spec_run *run)
{
    struct stet_request message;
    if (spec_fields(run, &message))
        fputs(stet_via_names(&message.fields, run->detail) ? "yes\n" : "no\n", run->out);
}

/* For the method of the detail. */
static void run_max_forwards(struct spec_run *run)
{
    struct stet_request request;
    uint64_t left;
    if (!spec_fields(run, &request))
        return;
    request.method = stet_method_id(run->detail);
    int status = stet_max_forwards(&request, &left);
    if (status == STET_OK)
        fprintf(run->out, "left %llu\n", (unsigned long long)left);
    else
        fputs(status == STET_END ? "answer\n" : "none\n", run->out);
}

static void put_written(struct spec_run *run, const char *text, size_t len)
{
    markdown_encode(len > 0 ? stet_span_of(text, len) : STET_SPAN("none"), run->out);
    putc('\n', run->out);
}

/* "PEER HOST PROTO", a hyphen for what is absent. */
static void run_forwarded(struct spec_run *run)
{
    char out[ROOM];
    struct stet_span rest = run->input, parts[3];
    for (size_t i = 0; i < 3; i++) {
        parts[i] = markdown_word(&rest);
        run->bad = run->bad || parts[i].len == 0;
        if (stet_span_equal(parts[i], STET_SPAN("-")))
            parts[i] = STET_SPAN_NONE;
    }
    size_t len = stet_forwarded_write(parts[0], parts[1], parts[2], out, sizeof(out));
    for (size_t room = 0; room < len; room++)
        if (stet_forwarded_write(parts[0], parts[1], parts[2], out, room) != 0)
            fputs("the room is not minded: ", run->out);
    stet_forwarded_write(parts[0], parts[1], parts[2], out, len);
    put_written(run, out, len);
}

/* The octets of all lines of Forwarded. */
static size_t forwarded_octets(const struct stet_fields *fields)
{
    size_t octets = 0;
    for (size_t i = 0; i < fields->count; i++)
        octets += fields->at[i].id == STET_FIELD_FORWARDED ? fields->at[i].value.len : 0;
    return octets;
}

static void put_told(struct spec_run *run, const char *name, struct stet_span value)
{
    if (!value.ptr)
        return;
    fprintf(run->out, " %s%s", name, value.len > 0 ? " " : "");
    markdown_encode(value, run->out);
}

/* What proxies before this one tell; "unclear" if no key can stand for it. */
static void run_told(struct spec_run *run)
{
    static struct guard guard;
    struct stet_request message;
    struct stet_forwarded told = {.scheme = STET_SPAN("untouched")};
    if (!spec_fields(run, &message))
        return;
    char *room = guard_room(&guard, forwarded_octets(&message.fields));
    fputs(stet_forwarded_read(&message.fields, room, &told) ? "told" : "unclear", run->out);
    put_told(run, "scheme", told.scheme);
    put_told(run, "authority", told.authority);
    putc('\n', run->out);
}

/* Whether what else is told agrees with the key of the detail, if there is one. */
static void run_agrees(struct spec_run *run)
{
    struct stet_request message;
    struct stet_span key = run->detail.len > 0 ? run->detail : STET_SPAN_NONE;
    if (spec_fields(run, &message))
        fputs(stet_forwarded_agrees(&message.fields, key) ? "yes\n" : "no\n", run->out);
}

/* Whether each line goes on from a client, and from a proxy that is trusted. */
static void run_dropped(struct spec_run *run)
{
    struct stet_request message;
    if (!spec_fields(run, &message))
        return;
    for (size_t i = 0; i < message.fields.count; i++) {
        bool always = stet_forwarded_drops(&message.fields.at[i], true);
        bool of_client = stet_forwarded_drops(&message.fields.at[i], false);
        fputs(always ? "always" : of_client ? "of a client" : "never", run->out);
        fputs(always && !of_client ? ", but not of a client\n" : "\n", run->out);
    }
}

/* Whether a request with the fields asks for more than a key can stand for, without content. */
static void run_exceeds_key(struct spec_run *run)
{
    struct stet_request message;
    if (!spec_fields(run, &message))
        return;
    fputs(stet_cache_exceeds_key(&message.fields, false) ? "yes\n" : "no\n", run->out);
    if (!stet_cache_exceeds_key(&message.fields, true))
        fputs("not even with content\n", run->out);
}

/* The next part of "a | b | c"; its name up to the first "=", and its value, absent if there is none. */
static bool next_part(struct stet_span *rest, struct stet_span *name, struct stet_span *value)
{
    static const struct stet_span mark = {" | ", 3};
    size_t len = 0;
    if (rest->len == 0)
        return false;
    while (len < rest->len && !stet_span_starts(stet_span_skip(*rest, len), mark))
        len++;
    struct stet_span part = stet_span_of(rest->ptr, len);
    *rest = stet_span_skip(*rest, len < rest->len ? len + mark.len : len);
    const char *equals = part.len > 0 ? memchr(part.ptr, '=', part.len) : NULL;
    size_t name_len = equals ? (size_t)(equals - part.ptr) : part.len;
    *name = stet_span_of(part.ptr, name_len);
    *value = equals ? stet_span_skip(part, name_len + 1) : STET_SPAN_NONE;
    return true;
}

static bool is(struct stet_span name, const char *literal)
{
    return stet_span_equal(name, stet_span_of(literal, strlen(literal)));
}

static bool reason_of(struct stet_span name, enum stet_reason *out)
{
    for (unsigned i = 0; i < STET_REASON_COUNT; i++)
        if (is(name, stet_reason_row((enum stet_reason)i)->name)) {
            *out = (enum stet_reason)i;
            return true;
        }
    return false;
}

static bool cause_of(struct stet_span name, enum stet_forward_cause *out)
{
    for (unsigned i = STET_FWD_BYPASS; i <= STET_FWD_PARTIAL; i++)
        if (stet_span_equal(name, stet_forward_cause_name((enum stet_forward_cause)i))) {
            *out = (enum stet_forward_cause)i;
            return true;
        }
    return false;
}

static bool status_of(struct stet_span value, unsigned *out)
{
    uint64_t n = 0;
    bool good = stet_span_to_u64(value, &n) == STET_OK && n < 1000;
    *out = (unsigned)n;
    return good;
}

static bool seconds_of(struct stet_span value, int64_t *out)
{
    uint64_t n;
    bool minus = stet_span_starts(value, STET_SPAN("-"));
    if (stet_span_to_u64(minus ? stet_span_skip(value, 1) : value, &n) != STET_OK)
        return false;
    if (n > INT64_MAX)
        *out = minus ? INT64_MIN : INT64_MAX;
    else
        *out = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

/* Whether it parses as a list of one Token or String. */
static bool parses(const char *text, size_t len)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    stet_sf_begin_value(&sf, STET_SF_LIST, stet_span_of(text, len));
    return stet_sf_check(&sf) == STET_OK && stet_sf_next(&sf, &member) == STET_OK &&
           (member.item.type == STET_SF_TOKEN || member.item.type == STET_SF_STRING) &&
           stet_sf_next(&sf, &member) == STET_END;
}

static bool set_cache_status(struct stet_cache_status *status, struct stet_span name, struct stet_span value)
{
    if (is(name, "hit"))
        status->hit = true;
    else if (is(name, "stored"))
        status->stored = true;
    else if (is(name, "collapsed"))
        status->has_collapsed = true, status->collapsed = value.len == 0;
    else if (is(name, "key"))
        status->key = value;
    else if (is(name, "fwd"))
        return cause_of(value, &status->forward);
    else if (is(name, "fwd-status"))
        return status_of(value, &status->forward_status);
    else if (is(name, "ttl"))
        return status->has_ttl = seconds_of(value, &status->ttl_s);
    else if (is(name, "detail"))
        return reason_of(value, &status->detail);
    else
        return false;
    return true;
}

/* "NAME | hit | ttl=12 | detail=fresh" and so on. */
static void run_cache_status(struct spec_run *run)
{
    char out[ROOM];
    struct stet_cache_status status = {.hit = false};
    struct stet_span rest = run->input, name, value;
    if (next_part(&rest, &status.cache, &value))
        while (next_part(&rest, &name, &value))
            run->bad = run->bad || !set_cache_status(&status, name, value);
    size_t len = stet_cache_status_write(&status, out, sizeof(out));
    for (size_t room = 0; room < len; room++)
        if (stet_cache_status_write(&status, out, room) != 0)
            fputs("the room is not minded: ", run->out);
    stet_cache_status_write(&status, out, len);
    if (len > STET_CACHE_STATUS_MAX + 2 * status.cache.len + 2 * status.key.len)
        fputs("longer than promised: ", run->out);
    if (len > 0 && !parses(out, len))
        fputs("no structured field: ", run->out);
    put_written(run, out, len);
}

static bool set_proxy_status(struct stet_proxy_status *status, struct stet_span name, struct stet_span value)
{
    if (is(name, "next-hop"))
        status->next_hop = value;
    else if (is(name, "received-status"))
        return status_of(value, &status->received_status);
    else if (is(name, "reason")) {
        bool good = reason_of(value, &status->detail);
        status->error = stet_proxy_error_type(status->detail);
        return good;
    } else
        return false;
    return true;
}

/* "NAME | reason=upstream-refused | next-hop=10.0.0.1" and so on; the error type is that of the reason. */
static void run_proxy_status(struct spec_run *run)
{
    char out[ROOM];
    struct stet_proxy_status status = {.received_status = 0};
    struct stet_span rest = run->input, name, value;
    if (next_part(&rest, &status.proxy, &value))
        while (next_part(&rest, &name, &value))
            run->bad = run->bad || !set_proxy_status(&status, name, value);
    size_t len = stet_proxy_status_write(&status, out, sizeof(out));
    for (size_t room = 0; room < len; room++)
        if (stet_proxy_status_write(&status, out, room) != 0)
            fputs("the room is not minded: ", run->out);
    stet_proxy_status_write(&status, out, len);
    if (len > STET_CACHE_STATUS_MAX + 2 * status.proxy.len + 2 * status.next_hop.len)
        fputs("longer than promised: ", run->out);
    if (len > 0 && !parses(out, len))
        fputs("no structured field: ", run->out);
    put_written(run, out, len);
}

/* The error type of a reason. */
static void run_proxy_error(struct spec_run *run)
{
    enum stet_reason reason = STET_REASON_OK;
    run->bad = !reason_of(run->input, &reason);
    struct stet_span type = stet_proxy_error_type(reason);
    put_written(run, type.ptr, type.len);
}

const struct spec_subject spec_forward_subjects[] = {
    {"forwards", SPEC_INPUT_FIELDS, false, run_forwards},
    {"via", SPEC_INPUT_FIELDS, false, run_via},
    {"max-forwards", SPEC_INPUT_FIELDS, false, run_max_forwards},
    {"forwarded", SPEC_INPUT_ROW, false, run_forwarded},
    {"told", SPEC_INPUT_FIELDS, false, run_told},
    {"agrees", SPEC_INPUT_FIELDS, false, run_agrees},
    {"dropped", SPEC_INPUT_FIELDS, false, run_dropped},
    {"exceeds-key", SPEC_INPUT_FIELDS, false, run_exceeds_key},
    {"cache-status", SPEC_INPUT_ROW, false, run_cache_status},
    {"proxy-status", SPEC_INPUT_ROW, false, run_proxy_status},
    {"proxy-error", SPEC_INPUT_ROW, false, run_proxy_error},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
