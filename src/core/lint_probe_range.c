/* SPDX-License-Identifier: MIT */
/*
 * Probes with Range and If-Range: which status is due, RFC 9110 sections 13.1.5 and 14.2. What a 206 says is
 * judged in lint_probe_part.c.
 *
 * A server may leave Range alone, answer several ranges whole, and refuse an invalid one (14.2), so none of
 * that is a fault.
 */
#include <stet/field.h>
#include <stet/range.h>

#include "core/lint_probe.h"

static void add(const struct stet__probing *p, enum stet_lint lint)
{
    stet__probe_found(p, lint, STET_FIELD_CONTENT_RANGE);
}

/* Accept-Ranges of the base names bytes. */
static bool announced(const struct stet__probing *p)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, &p->base->response.fields, STET_FIELD_ACCEPT_RANGES);
    while (stet_list_next(&list, &member) == STET_OK)
        if (stet_span_equal_nocase(member, STET_SPAN("bytes")))
            return true;
    return false;
}

/* To who accepts a coding, a server may give parts of the plain content under a tag of its own, or none. */
static bool of_another(const struct stet__probing *p)
{
    if (!stet_fields_have(&p->base->response.fields, STET_FIELD_CONTENT_ENCODING))
        return false;
    return p->probe->response.status == 206 ? !stet__probe_tag_kept(p) : !announced(p);
}

static void satisfiable(const struct stet__probing *p)
{
    if (of_another(p) && (p->probe->response.status == 200 || p->probe->response.status == 206))
        return;
    switch (p->probe->response.status) {
    case 206:
        stet__probe_part(p);
        break;
    case 200:
        if (p->kind != STET_PROBE_RANGE_SEVERAL)
            add(p, announced(p) ? STET_LINT_RANGES_ANNOUNCED : STET_LINT_RANGES_NONE);
        break;
    case 416:
        if (!p->base->changing)
            add(p, STET_LINT_416_SATISFIABLE);
        break;
    default:
        stet__probe_unexpected(p);
    }
}

static void told_length(const struct stet__probing *p)
{
    struct stet_content_range told;
    uint64_t length;
    struct stet_span value = stet__lint_value(&p->probe->response.fields, STET_FIELD_CONTENT_RANGE);
    if (!value.ptr || stet_content_range_parse(value, &told) != STET_OK || !told.unsatisfied)
        add(p, STET_LINT_416_NO_LENGTH);
    else if (!p->base->changing && stet__probe_length(p->base, &length) && told.complete_length != length)
        add(p, STET_LINT_416_WRONG_LENGTH);
    else
        add(p, STET_LINT_RANGE_SYNTAX);
}

static void beyond(const struct stet__probing *p)
{
    switch (p->probe->response.status) {
    case 416:
        told_length(p);
        break;
    case 206:
        if (!p->base->changing)
            add(p, STET_LINT_206_BEYOND);
        break;
    case 200:
        if (announced(p))
            add(p, STET_LINT_416_MISSING);
        break;
    default:
        stet__probe_unexpected(p);
    }
}

static void invalid(const struct stet__probing *p)
{
    unsigned status = p->probe->response.status;
    if (status == 206)
        add(p, STET_LINT_206_INVALID);
    else if (status == 416 && p->kind == STET_PROBE_RANGE_UNIT)
        add(p, STET_LINT_416_UNIT);
    else if (status == 200 || status == 416 || status == 400)
        add(p, STET_LINT_RANGE_SYNTAX);
    else
        stet__probe_unexpected(p);
}

static void head(const struct stet__probing *p)
{
    unsigned status = p->probe->response.status;
    if (status == 206 || status == 416)
        add(p, STET_LINT_HEAD_RANGE);
    else if (status == 200)
        add(p, STET_LINT_RANGE_SYNTAX);
    else
        stet__probe_unexpected(p);
}

/* RFC 9110 section 13.2.2: step 3 comes before step 5. */
static void with_tag(const struct stet__probing *p, enum stet_lint bad)
{
    unsigned status = p->probe->response.status;
    if (status == 304)
        add(p, STET_LINT_PRECEDENCE);
    else if (status != 200 && status != 206)
        stet__probe_unexpected(p);
    else if (!p->base->changing && !stet__probe_changed(p))
        add(p, bad);
}

/* If-Range that holds. */
static void holds(const struct stet__probing *p, enum stet_lint whole)
{
    unsigned status = p->probe->response.status;
    if (status == 206) {
        add(p, STET_LINT_IF_RANGE_RIGHT);
        stet__probe_part(p);
    } else if (status != 200) {
        stet__probe_unexpected(p);
    } else if (!p->base->changing && !stet__probe_changed(p)) {
        add(p, whole);
    }
}

/* If-Range that does not. */
static void fails(const struct stet__probing *p, enum stet_lint part)
{
    unsigned status = p->probe->response.status;
    if (status == 206)
        add(p, part);
    else if (status == 200)
        add(p, STET_LINT_IF_RANGE_RIGHT);
    else
        stet__probe_unexpected(p);
}

void stet__probe_ranges(const struct stet__probing *p)
{
    switch (p->kind) {
    case STET_PROBE_RANGE_BEYOND:
        beyond(p);
        break;
    case STET_PROBE_RANGE_INVALID:
    case STET_PROBE_RANGE_UNIT:
        invalid(p);
        break;
    case STET_PROBE_RANGE_HEAD:
        head(p);
        break;
    case STET_PROBE_RANGE_INM:
        /* Who knows which of the two it is: most who fail it take RFC 2616's strong comparison. */
        with_tag(p, stet__probe_tag(p->base).weak ? STET_LINT_RANGE_INM_WEAK : STET_LINT_RANGE_BEFORE_INM);
        break;
    case STET_PROBE_RANGE_INM_WEAK:
        with_tag(p, STET_LINT_RANGE_INM_WEAK);
        break;
    case STET_PROBE_IF_RANGE:
        holds(p, stet__probe_tag(p->base).weak ? STET_LINT_IF_RANGE_RIGHT : STET_LINT_IF_RANGE_WHOLE);
        break;
    case STET_PROBE_IF_RANGE_DATE:
        holds(p, STET_LINT_IF_RANGE_DATE_WHOLE);
        break;
    case STET_PROBE_IF_RANGE_OTHER:
        fails(p, STET_LINT_IF_RANGE_IGNORED);
        break;
    case STET_PROBE_IF_RANGE_WEAK:
        fails(p, STET_LINT_IF_RANGE_WEAK);
        break;
    case STET_PROBE_IF_RANGE_DATE_OTHER:
        fails(p, STET_LINT_IF_RANGE_DATE_INEXACT);
        break;
    default:
        satisfiable(p);
    }
}
