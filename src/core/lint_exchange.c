/* SPDX-License-Identifier: MIT */
/*
 * What one exchange says by itself.
 */
#include "core/lint.h"

void stet_lint_exchange(const struct stet_lint_exchange *exchange, struct stet_lint_findings *out)
{
    const struct stet_fields *fields = &exchange->response.fields;
    if (exchange->response.status == 200 && !stet_fields_have(fields, STET_FIELD_ETAG) &&
        !stet_fields_have(fields, STET_FIELD_LAST_MODIFIED))
        stet__lint_add(out, STET_LINT_NO_VALIDATOR);
}
