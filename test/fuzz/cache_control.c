/* SPDX-License-Identifier: MIT */
/*
 * Cache directives, and what is decided by them: RFC 9111 sections 3, 4.2 and 5.2, RFC 9213.
 *
 * The input is the lines of a response head, LF between them: "c" begins a line of Cache-Control, "t" one of
 * a targeted field, "e", "d", "l" and "a" Expires, Date, Last-Modified and Age, anything else another field.
 * What must hold: numbers are in their range and lists name fields; one more line that forbids is always
 * heard and one more that is unknown never; a targeted field counts if it is a dictionary and not empty; ages
 * and lifetimes stay in their range; what says no-store or private is not stored.
 */
#include <stdlib.h>

#include <stet/field.h>
#include <stet/sf.h>
#include <stet/stored.h>

#define INPUT_MAX 4096
#define LINES_MAX 64
#define NOW INT64_C(1783425600)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const struct stet_span target = {"CDN-Cache-Control", 17};

static struct stet_span name_of(char letter)
{
    switch (letter) {
    case 'c':
        return STET_SPAN("Cache-Control");
    case 't':
        return target;
    case 'e':
        return STET_SPAN("Expires");
    case 'd':
        return STET_SPAN("Date");
    case 'l':
        return STET_SPAN("Last-Modified");
    case 'a':
        return STET_SPAN("Age");
    default:
        return STET_SPAN("X-Other");
    }
}

static void add(struct stet_fields *fields, struct stet_field *lines, struct stet_span name,
                struct stet_span value)
{
    enum stet_field_id id = stet_field_id(name);
    lines[fields->count++] = (struct stet_field){name, stet_span_trim(value), id};
    if (id != STET_FIELD_OTHER)
        fields->present |= 1ull << id;
}

static struct stet_fields lines_of(const uint8_t *data, size_t size, struct stet_field lines[LINES_MAX])
{
    struct stet_fields fields = {lines, 0, 0};
    size_t from = 0;
    while (from < size && fields.count < LINES_MAX - 1) {
        size_t to = from;
        while (to < size && data[to] != '\n')
            to++;
        if (to > from)
            add(&fields, lines, name_of((char)data[from]),
                stet_span_of((const char *)data + from + 1, to - from - 1));
        from = to + 1;
    }
    return fields;
}

static void check_number(const struct stet_cache_control *c, enum stet_cache_directive directive, int64_t n)
{
    require(n >= 0 && n <= STET_SECONDS_MAX);
    require(stet_cache_control_has(c, directive) || n == 0);
}

static void check_list(const struct stet_cache_control *c, enum stet_cache_directive directive,
                       struct stet_span list)
{
    struct stet_field line = {STET_SPAN("Vary"), list, STET_FIELD_VARY};
    struct stet_fields fields = {&line, 1, 1ull << STET_FIELD_VARY};
    struct stet_list names;
    struct stet_span name;
    size_t count = 0;
    require(stet_cache_control_unqualified(c, directive) ==
            (stet_cache_control_has(c, directive) && !list.ptr));
    if (!list.ptr)
        return;
    require(stet_cache_control_has(c, directive));
    stet_list_begin(&names, &fields, STET_FIELD_VARY);
    for (; stet_list_next(&names, &name) == STET_OK; count++)
        require(stet_is_token(name) && stet_cache_control_names(list, name));
    require(count > 0);
}

static void check_directives(const struct stet_cache_control *c)
{
    const uint32_t numbers = UINT32_C(1) << STET_CC_MAX_AGE | UINT32_C(1) << STET_CC_S_MAXAGE |
                             UINT32_C(1) << STET_CC_MIN_FRESH | UINT32_C(1) << STET_CC_MAX_STALE |
                             UINT32_C(1) << STET_CC_STALE_IF_ERROR |
                             UINT32_C(1) << STET_CC_STALE_WHILE_REVALIDATE;
    require(c->present >> STET_CC_COUNT == 0);
    require((c->invalid & ~(c->present & numbers)) == 0);
    check_number(c, STET_CC_MAX_AGE, c->max_age);
    check_number(c, STET_CC_S_MAXAGE, c->s_maxage);
    check_number(c, STET_CC_MIN_FRESH, c->min_fresh);
    check_number(c, STET_CC_MAX_STALE, c->max_stale);
    check_number(c, STET_CC_STALE_IF_ERROR, c->stale_if_error);
    check_number(c, STET_CC_STALE_WHILE_REVALIDATE, c->stale_while_revalidate);
    check_list(c, STET_CC_PRIVATE, c->private_fields);
    check_list(c, STET_CC_NO_CACHE, c->no_cache_fields);
}

/* What another line of Cache-Control does: `lines` has room for it. */
static void check_more(struct stet_fields fields, struct stet_field *lines,
                       const struct stet_cache_control *before)
{
    static const struct stet_span values[] = {{"x=\"max-age=0, no-store\", y", 26},
                                              {"no-store, max-age=0", 19}};
    for (size_t i = 0; i < 2; i++) {
        struct stet_fields longer = fields;
        struct stet_cache_control after;
        add(&longer, lines, STET_SPAN("Cache-Control"), values[i]);
        stet_cache_control_read(&longer, &after);
        if (i == 0) {
            require(after.present == before->present && after.invalid == before->invalid);
            require(after.max_age == before->max_age &&
                    after.no_cache_fields.ptr == before->no_cache_fields.ptr);
        } else {
            require(after.present ==
                    (before->present | UINT32_C(1) << STET_CC_NO_STORE | UINT32_C(1) << STET_CC_MAX_AGE));
            require(after.invalid == before->invalid);
            require(after.max_age == 0 || !stet_cache_control_valid(&after, STET_CC_MAX_AGE));
        }
    }
}

static void check_target(const struct stet_fields *fields)
{
    struct stet_cache_control c;
    struct stet_sf sf;
    struct stet_sf_member member;
    stet_cache_control_read_targeted(fields, &target, 1, &c);
    check_directives(&c);
    stet_sf_begin(&sf, STET_SF_DICTIONARY, fields, STET_FIELD_OTHER, target);
    bool usable = stet_sf_check(&sf) == STET_OK && stet_sf_next(&sf, &member) == STET_OK;
    require(c.targeted == usable);
}

static void check_decisions(const struct stet_fields *fields, bool targeted)
{
    struct stet_request request = {.method = STET_METHOD_GET};
    struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    struct stet_stored stored = {.response = {.status = 200, .fields = *fields}, .held.complete = true};
    stored.times = (struct stet_times){NOW, NOW, stet_message_age(fields)};
    policy.targets = &target;
    policy.target_count = targeted;
    stet_stored_read(&stored, &policy);
    const struct stet_freshness *f = &stored.freshness;
    require(f->lifetime_s >= 0 && f->lifetime_s <= STET_SECONDS_MAX);
    require(f->initial_age_s >= stored.times.age && f->initial_age_s <= STET_SECONDS_MAX);
    require(!(f->explicit_expiry && f->heuristic));
    require(stet_freshness_ttl(f, NOW) == f->lifetime_s - f->initial_age_s);
    struct stet_storable storable = stet_storable_judge(&request, STET_SPAN("/"), &stored, &policy);
    const struct stet_cache_control *c = &stored.control;
    if (stet_cache_control_has(c, STET_CC_NO_STORE) && !stet_cache_control_has(c, STET_CC_MUST_UNDERSTAND))
        require(!storable.storable);
    if (stet_cache_control_unqualified(c, STET_CC_PRIVATE))
        require(!storable.storable);
    for (size_t i = 0; i < fields->count; i++)
        if (stet_cache_control_names(c->private_fields, fields->at[i].name) ||
            stet_cache_control_names(c->no_cache_fields, fields->at[i].name))
            require(!stet_stored_keeps(&fields->at[i], fields, c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet_field lines[LINES_MAX];
    struct stet_cache_control control;
    if (size > INPUT_MAX)
        return 0;
    struct stet_fields fields = lines_of(data, size, lines);
    stet_cache_control_read(&fields, &control);
    check_directives(&control);
    require(!control.targeted);
    check_more(fields, lines, &control);
    check_target(&fields);
    check_decisions(&fields, false);
    check_decisions(&fields, true);
    return 0;
}
