/* SPDX-License-Identifier: MIT */
/*
 * Probes with If-None-Match, If-Modified-Since, both, If-Match and If-Unmodified-Since: which status is due,
 * RFC 9110 section 13.
 *
 * A 200 where 304 is due is no fault if it has other validators than the base: then it is news. 304 to
 * If-Modified-Since is a SHOULD (section 13.1.3), to If-None-Match a MUST (13.1.2). If-Match and
 * If-Unmodified-Since are for origins; a cache may leave them alone (13.2.1), and with GET little depends on
 * them.
 */
#include "core/lint_probe.h"

struct due {
    unsigned status; /* 200: anything but 304 and 412 */
    enum stet_lint good, bad;
};

/* clang-format off */
static const struct due dues[STET_PROBE_COUNT] = {
    [STET_PROBE_INM] =              {304, STET_LINT_INM_HONOURED, STET_LINT_INM_IGNORED},
    [STET_PROBE_INM_HEAD] =         {304, STET_LINT_INM_HONOURED, STET_LINT_INM_HEAD_IGNORED},
    [STET_PROBE_INM_WEAK] =         {304, STET_LINT_INM_FORMS, STET_LINT_INM_WEAK_IGNORED},
    [STET_PROBE_INM_LIST] =         {304, STET_LINT_INM_FORMS, STET_LINT_INM_LIST_IGNORED},
    [STET_PROBE_INM_LIST_COMMA] =   {304, STET_LINT_INM_FORMS, STET_LINT_INM_LIST_COMMA_IGNORED},
    [STET_PROBE_INM_LINES] =        {304, STET_LINT_INM_FORMS, STET_LINT_INM_LINES_IGNORED},
    [STET_PROBE_INM_ANY] =          {304, STET_LINT_INM_FORMS, STET_LINT_INM_ANY_IGNORED},
    [STET_PROBE_INM_LONG] =         {304, STET_LINT_INM_FORMS, STET_LINT_INM_LONG_IGNORED},
    [STET_PROBE_INM_OTHER] =        {200, STET_LINT_INM_OTHERS_SENT, STET_LINT_INM_OVERMATCH},
    [STET_PROBE_INM_PREFIX] =       {200, STET_LINT_INM_OTHERS_SENT, STET_LINT_INM_PREFIX_MATCHED},
    [STET_PROBE_INM_UNQUOTED] =     {200, STET_LINT_INM_OTHERS_SENT, STET_LINT_INM_UNQUOTED_MATCHED},
    [STET_PROBE_INM_EMPTY] =        {200, STET_LINT_INM_OTHERS_SENT, STET_LINT_INM_EMPTY_MATCHED},
    [STET_PROBE_INM_CODING] =       {304, STET_LINT_CODINGS_MATCH, STET_LINT_CODINGS_DO_NOT_MATCH},
    [STET_PROBE_IMS] =              {304, STET_LINT_IMS_HONOURED, STET_LINT_IMS_IGNORED},
    [STET_PROBE_IMS_LATER] =        {304, STET_LINT_IMS_HONOURED, STET_LINT_IMS_EXACT},
    [STET_PROBE_IMS_EARLIER] =      {200, STET_LINT_IMS_OLDER_SENT, STET_LINT_IMS_EARLIER_MATCHED},
    [STET_PROBE_IMS_RFC850] =       {304, STET_LINT_IMS_HONOURED, STET_LINT_IMS_RFC850_IGNORED},
    [STET_PROBE_IMS_ASCTIME] =      {304, STET_LINT_IMS_HONOURED, STET_LINT_IMS_ASCTIME_IGNORED},
    [STET_PROBE_IMS_INVALID] =      {200, STET_LINT_IMS_OLDER_SENT, STET_LINT_IMS_INVALID_MATCHED},
    [STET_PROBE_IMS_HEAD] =         {304, STET_LINT_IMS_HONOURED, STET_LINT_IMS_HEAD_IGNORED},
    [STET_PROBE_INM_BEATS_IMS] =    {200, STET_LINT_PRECEDENCE, STET_LINT_IMS_BEATS_INM},
    [STET_PROBE_INM_WITH_OLD_IMS] = {304, STET_LINT_PRECEDENCE, STET_LINT_IMS_VETOES_INM},
    [STET_PROBE_IF_MATCH] =         {200, STET_LINT_FAILED_RIGHT, STET_LINT_IF_MATCH_FAILS},
    [STET_PROBE_IF_MATCH_OTHER] =   {412, STET_LINT_FAILED_RIGHT, STET_LINT_IF_MATCH_IGNORED},
    [STET_PROBE_IF_MATCH_WEAK] =    {412, STET_LINT_FAILED_RIGHT, STET_LINT_IF_MATCH_WEAK},
    [STET_PROBE_IF_MATCH_WITH_OLD_IUS] = {200, STET_LINT_FAILED_RIGHT, STET_LINT_IUS_VETOES_IF_MATCH},
    [STET_PROBE_IF_UNMODIFIED_SINCE] = {200, STET_LINT_FAILED_RIGHT, STET_LINT_IUS_FAILS},
    [STET_PROBE_IF_UNMODIFIED_SINCE_OLD] = {412, STET_LINT_FAILED_RIGHT, STET_LINT_IUS_IGNORED},
};
/* clang-format on */

/* The status that shows the fault of a row. */
static unsigned fault(const struct stet__probing *p)
{
    switch (p->kind) {
    case STET_PROBE_IF_MATCH:
    case STET_PROBE_IF_MATCH_WITH_OLD_IUS:
    case STET_PROBE_IF_UNMODIFIED_SINCE:
        return 412;
    default:
        return dues[p->kind].status == 200 ? 304 : 200;
    }
}

/* What was asked about is there no longer, so nothing follows from the status. */
static bool news(const struct stet__probing *p)
{
    /* A 412 may be about the plain form, whose tag is another: Apache. */
    bool coded = stet_fields_have(&p->base->response.fields, STET_FIELD_CONTENT_ENCODING);
    int64_t modified = stet__probe_modified(p->base);
    if (coded && p->probe->response.status == 412 && modified != STET_NO_DATE &&
        stet__probe_modified(p->probe) == modified)
        return p->base->changing;
    return p->base->changing || stet__probe_changed(p);
}

static bool syntax_error_allowed(enum stet_lint_probe_kind kind)
{
    return kind == STET_PROBE_INM_UNQUOTED || kind == STET_PROBE_INM_EMPTY || kind == STET_PROBE_IMS_INVALID;
}

/* 200 to the tag that came with an answer. */
static enum stet_lint ignored(const struct stet__probing *p)
{
    bool coded = stet_fields_have(&p->base->response.fields, STET_FIELD_CONTENT_ENCODING);
    /* That very tag came back, so no other coding excuses it. */
    bool kept = p->kind == STET_PROBE_INM || (p->kind == STET_PROBE_INM_CODING && stet__probe_tag_kept(p));
    if (kept)
        return coded ? STET_LINT_INM_CODED_IGNORED : STET_LINT_INM_IGNORED;
    return dues[p->kind].bad;
}

/* Other tags than the base's are what one expects of another coding. */
static bool excused(const struct stet__probing *p, unsigned status)
{
    if (p->kind == STET_PROBE_INM_CODING)
        return p->base->changing;
    return status != 304 && news(p);
}

static void other_status(const struct stet__probing *p)
{
    unsigned status = p->probe->response.status;
    if (p->kind == STET_PROBE_INM_LONG && (status == 400 || status == 413 || status == 414 || status == 431))
        stet__lint_number(stet__probe_found(p, STET_LINT_INM_LONG_REFUSED, STET_FIELD_OTHER), status);
    /* 412 to If-None-Match is told of the exchange alone. */
    else if (status != 412 && !(status == 400 && syntax_error_allowed(p->kind)))
        stet__probe_unexpected(p);
}

void stet__probe_conditions(const struct stet__probing *p)
{
    const struct due *due = &dues[p->kind];
    unsigned status = p->probe->response.status;
    if (status == due->status)
        stet__probe_found(p, due->good, STET_FIELD_OTHER);
    else if (status != fault(p))
        other_status(p);
    else if (!excused(p, status))
        stet__probe_found(p, status == 200 ? ignored(p) : due->bad, STET_FIELD_ETAG);
}
