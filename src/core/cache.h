/* SPDX-License-Identifier: MIT */
/*
 * What the files of cache, update and partial have in common.
 */
#ifndef STET_CORE_CACHE_H
#define STET_CORE_CACHE_H

#include <stet/cache.h>
#include <stet/coded_tag.h>

static inline uint64_t stet__bit(size_t i)
{
    return UINT64_C(1) << i;
}

/* The entity tag as the origin knows it: one that was synthesised is none (RFC 9111 section 4.3.1). */
static inline struct stet_etag stet__origin_etag(const struct stet_stored *stored)
{
    return stored->synthesised ? STET_NO_ETAG : stored->selected.etag;
}

/* The tag that the origin knows: of one of ours its base. */
struct stet_etag stet__origin_tag(struct stet_etag tag);

/* Whether the request selects `stored`, by method (RFC 9111 section 4) and Vary (section 4.1). */
bool stet__stored_selected(const struct stet_request *request, const struct stet_stored *stored);

/* Whether the content of a stored response may be handed to this client: RFC 9111 section 3.5. */
bool stet__stored_permitted(const struct stet_request *request, const struct stet_stored *stored,
                            const struct stet_cache_policy *policy);

/*
 * The one that answers the request, were it fresh: selected, permitted and with all octets that are asked
 * for; else the best that lacks octets; `count` if there is none. Only those in `among`.
 */
size_t stet__stored_choose(const struct stet_cache_question *question, uint64_t among);

/* The request's Cache-Control; without any, a constant empty one. `room` holds what is read. */
const struct stet_cache_control *stet__request_control(const struct stet_request *request,
                                                       struct stet_cache_control *room);

/* Whether the request asks for validation, by Cache-Control or by the Pragma of HTTP/1.0, and is obeyed. */
bool stet__request_no_cache(const struct stet_request *request, const struct stet_cache_control *control,
                            const struct stet_cache_policy *policy);

/* Whether the directives of the response forbid to use it stale: RFC 9111 section 4.2.4. */
bool stet__stored_never_stale(const struct stet_stored *stored, const struct stet_cache_policy *policy);

/* Whether it is fresh, or stale since less than `window_s` seconds. */
bool stet__stale_within(int64_t ttl_s, int64_t window_s);

/* Whether a shared cache may not keep the response because of its Set-Cookie: section 7.3. */
bool stet__cookie_forbidden(const struct stet_stored *stored, const struct stet_cache_policy *policy);

/* Tells the trace why each candidate was chosen or not, and if none was that nothing is stored: of a decision
 * that has chosen. */
__attribute__((cold, noinline)) void stet__tell_candidates(const struct stet_cache_question *question,
                                                           const struct stet_cache_decision *decision);

/* Whether stored[i] has a tag that the origin may be offered for this request: section 4.3.2. */
bool stet__stored_offered(const struct stet_cache_question *question, size_t i);

#endif
