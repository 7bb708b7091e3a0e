/* SPDX-License-Identifier: MIT */
/*
 * rules: field lines that the operator adds per path: --header 'PATTERN: Name: value' and --cache
 * 'PATTERN=max-age=60'.
 *
 * A pattern is matched against the decoded path of the request's file below the root, with its leading slash:
 * "*" matches any octets but "/", "**" any at all, "?" one that is not "/"; a pattern without a slash is
 * matched against the last segment only ("*.css").
 */
#ifndef STET_SERVE_RULES_H
#define STET_SERVE_RULES_H

#include <stet/span.h>
#include <stet/status.h>

enum stet__rule_kind {
    STET__RULE_HEADER, /* adds a field line; of a singleton that stet makes itself, the rule's value wins */
    STET__RULE_CACHE,  /* Cache-Control, and Expires if it has a max-age; the last one that matches wins */
};

struct stet__rule {
    enum stet__rule_kind kind;
    struct stet_span pattern;
    struct stet_span name;  /* of a HEADER */
    struct stet_span value; /* field value, or the Cache-Control value */
    int64_t max_age_s;      /* of a CACHE; -1 if it has none: then no Expires */
};

/*
 * Spans borrow from `text`. STET_E_SYNTAX, or STET_E_FIELD_NAME / STET_E_FIELD_VALUE for what may not be
 * sent: framing and connection fields, validators, range fields, Date and Age, which stet makes itself.
 */
int stet__rule_parse_header(struct stet_span text, struct stet__rule *out);
int stet__rule_parse_cache(struct stet_span text, struct stet__rule *out);

bool stet__rule_matches(const struct stet__rule *rule, struct stet_span path);

#endif
