/* SPDX-License-Identifier: MIT */
/*
 * Who may keep an answer, and whom it may be given to: RFC 9111 sections 3, 3.5 and 7.3, judged by
 * stet_storable_judge, as stet proxy does.
 */
#include "core/lint.h"

static void cookie(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_SET_COOKIE);
    bool asked = stet__lint_has(look, STET_CC_PUBLIC) ||
                 (stet_cache_control_valid(&look->shared.control, STET_CC_S_MAXAGE) &&
                  look->shared.control.s_maxage > 0);
    const struct stet_field *field = stet_fields_find(look->fields, STET_FIELD_SET_COOKIE, 0);
    if (!field || !look->by_shared.storable || !stet_stored_keeps(field, look->fields, &look->shared.control))
        return;
    stet__lint_came(look->out, asked ? STET_LINT_SET_COOKIE_PUBLIC : STET_LINT_SET_COOKIE_STORABLE, value);
}

static void authorization(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_CACHE_CONTROL);
    if (!look->shared.authorized || !look->reads || look->response->status >= 300)
        return;
    stet__lint_came(look->out,
                    look->by_shared.storable ? STET_LINT_AUTHORIZED_SHARED : STET_LINT_AUTHORIZED_PRIVATE,
                    value);
}

/* What lint_vary.c and lint_freshness.c tell by rows of their own is left out. */
static bool told_elsewhere(enum stet_reason reason)
{
    return reason == STET_REASON_NOT_STORED_VARY || reason == STET_REASON_NOT_STORED_USELESS;
}

static void storable(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_CACHE_CONTROL);
    if (!look->answers)
        return;
    if (look->by_shared.storable)
        stet__lint_came(look->out, STET_LINT_STORABLE, value);
    else if (!look->by_own.storable && !told_elsewhere(look->by_own.reason))
        stet__lint_text(stet__lint_came(look->out, STET_LINT_NOT_STORABLE, value),
                        stet_reason_row(look->by_own.reason)->sentence);
}

void stet__lint_storing(const struct stet__lint_look *look)
{
    storable(look);
    cookie(look);
    authorization(look);
}
