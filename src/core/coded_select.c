/* SPDX-License-Identifier: MIT */
/*
 * Which copy of a representation answers a request: RFC 9110 sections 12.1 and 12.5.3.
 *
 * What the client holds already outweighs what a server would send to a stranger: a copy in another coding is
 * a transfer, and the one that is held is none. It has to be acceptable to this request all the same, because
 * who presents a tag is not always who reads the content: a cache presents the tags of all its variants.
 */
#include <stet/coded.h>

#include <stet/cache_control.h>
#include <stet/field.h>

static const unsigned char default_rank[STET_CODING_COUNT] = {
#define X(symbol, name, made, rank, clause) [symbol] = rank,
#include <stet/coding.def>
#undef X
};

/* One selection. */
struct selection {
    const struct stet_request *request;
    const struct stet_coded_offer *offer;
    struct stet_accept_encoding accept;
    unsigned base;    /* the set with the base's coding */
    unsigned there;   /* what can be sent */
    unsigned late;    /* what comes after equals: it is not there yet, or not at all */
    bool transformed; /* copies count */
    bool ranged;
};

static bool request_no_transform(const struct stet_request *request)
{
    struct stet_cache_control control;
    if (!stet_fields_have(&request->fields, STET_FIELD_CACHE_CONTROL))
        return false;
    stet_cache_control_read(&request->fields, &control);
    return stet_cache_control_has(&control, STET_CC_NO_TRANSFORM);
}

/* How much a coding is liked: quality, then what costs least, then the rank. 0: not acceptable. */
static unsigned liking(const struct selection *x, enum stet_coding coding)
{
    const unsigned char *rank = x->offer->rank ? x->offer->rank : default_rank;
    unsigned q = stet_accept_encoding_quality(&x->accept, coding);
    bool ready = (x->late & stet_coding_bit(coding)) == 0;
    unsigned order = (ready ? 256u : 0u) + rank[coding];
    if (q == 0)
        return 0;
    /* There is nothing yet that a range could be taken of: what is there wins, whatever its quality. */
    return (x->ranged && ready ? 1u << 20 : 0u) + q * 512 + order;
}

/* The coding of `among` that is liked best; UNKNOWN if none is acceptable. */
static enum stet_coding best_of(const struct selection *x, unsigned among)
{
    enum stet_coding best = STET_CODING_UNKNOWN;
    unsigned most = 0;
    for (enum stet_coding coding = 0; coding < STET_CODING_COUNT; coding++) {
        if ((among & stet_coding_bit(coding)) == 0)
            continue;
        unsigned like = liking(x, coding);
        if (like > most) {
            most = like;
            best = coding;
        }
    }
    return best;
}

/* Whether the resource has variants in more than codings. */
static bool varies(const struct stet_fields *response)
{
    struct stet_list list;
    struct stet_span member;
    if (!response || !stet_fields_have(response, STET_FIELD_VARY))
        return false;
    stet_list_begin(&list, response, STET_FIELD_VARY);
    while (stet_list_next(&list, &member) == STET_OK)
        if (stet_field_id(member) != STET_FIELD_ACCEPT_ENCODING)
            return true;
    return false;
}

/* Whether the tag has a suffix of others, which may be all its own. */
static bool is_foreign(struct stet_etag tag)
{
    struct stet_coded_tag read;
    stet_coded_tag_read(tag, &read);
    return read.kind == STET_CODED_TAG_FOREIGN;
}

/* The coding that a tag of the request names, if it counts. `needs_octets`: it has to be there. */
static bool names(const struct selection *x, struct stet_etag tag, bool needs_octets,
                  enum stet_coding *coding)
{
    const struct stet_coded_offer *offer = x->offer;
    unsigned among = needs_octets ? x->there : (1u << STET_CODING_COUNT) - 1;
    enum stet_coded_likeness likeness = stet_coded_tag_compare(tag, offer->base, offer->own, coding);
    if (likeness == STET_CODED_UNLIKE)
        return false;
    if (likeness == STET_CODED_SAME && !x->transformed)
        return true;
    if (!x->transformed)
        return false;
    if (likeness == STET_CODED_EQUIVALENT && varies(offer->response) && is_foreign(tag))
        return false;
    if (*coding == STET_CODING_UNKNOWN) /* one of them: that which this request would get */
        *coding = best_of(x, among & ~stet_coding_bit(STET_CODING_IDENTITY));
    return *coding != STET_CODING_UNKNOWN && (among & stet_coding_bit(*coding)) != 0 &&
           stet_accept_encoding_quality(&x->accept, *coding) > 0;
}

/* Of what is held so far and `coding`: the one that is liked better. */
static void hold(const struct selection *x, enum stet_coding coding, struct stet_etag tag,
                 struct stet_coded_choice *out)
{
    if (stet_etag_present(out->held) && (!x->transformed || liking(x, coding) <= liking(x, out->coding)))
        return;
    out->coding = coding;
    out->held = tag;
}

static void look_in(const struct selection *x, enum stet_field_id id, struct stet_coded_choice *out)
{
    struct stet_etag_list list;
    struct stet_etag tag;
    enum stet_coding coding;
    enum stet_method method = x->request->method;
    bool reads = method == STET_METHOD_GET || method == STET_METHOD_HEAD;
    bool needs_octets = id != STET_FIELD_IF_NONE_MATCH || !reads;
    if (stet_etag_list_begin(&list, &x->request->fields, id) != STET_ETAG_LIST_TAGS)
        return;
    while (stet_etag_list_next(&list, &tag) == STET_OK)
        if (names(x, tag, needs_octets, &coding))
            hold(x, coding, tag, out);
}

#define BIT(id) (1ull << (id))
#define TAGGED (BIT(STET_FIELD_IF_NONE_MATCH) | BIT(STET_FIELD_IF_MATCH) | BIT(STET_FIELD_IF_RANGE))

/* What If-None-Match names goes before what the others do: it can spare the whole transfer. */
static bool find_held(const struct selection *x, struct stet_coded_choice *out)
{
    if ((x->request->fields.present & TAGGED) == 0 || !stet_etag_present(x->offer->base))
        return false;
    look_in(x, STET_FIELD_IF_NONE_MATCH, out);
    if (!stet_etag_present(out->held))
        look_in(x, STET_FIELD_IF_MATCH, out);
    if (!stet_etag_present(out->held))
        look_in(x, STET_FIELD_IF_RANGE, out);
    return stet_etag_present(out->held);
}

static void negotiate(const struct selection *x, struct stet_coded_choice *out)
{
    enum stet_coding best = best_of(x, x->there);
    bool asked = (x->accept.set & ~stet_coding_bit(STET_CODING_IDENTITY)) != 0;
    bool identity = (x->there & stet_coding_bit(STET_CODING_IDENTITY)) != 0;
    if (best == STET_CODING_UNKNOWN) {
        out->coding = identity ? STET_CODING_IDENTITY : x->offer->own;
        out->reason = STET_REASON_CODING_NOT_ACCEPTABLE;
        return;
    }
    out->coding = best;
    out->reason = STET_REASON_CODING_PREFERRED;
    if (best != STET_CODING_IDENTITY)
        return;
    if (!x->accept.named || x->accept.set == stet_coding_bit(STET_CODING_IDENTITY))
        out->reason = STET_REASON_CODING_NOT_ASKED;
    else if (asked && (x->accept.set & x->there) == stet_coding_bit(STET_CODING_IDENTITY))
        out->reason = STET_REASON_CODING_NOT_THERE;
}

/* Why the base is all that counts; COUNT if it is not. */
static enum stet_reason base_alone(const struct selection *x)
{
    unsigned copies = (x->offer->kept | x->offer->passing | x->offer->possible) & ~x->base;
    if (copies == 0 || x->offer->own == STET_CODING_UNKNOWN)
        return STET_REASON_CODING_ONLY;
    if (x->offer->no_transform)
        return STET_REASON_CODING_NO_TRANSFORM;
    if (request_no_transform(x->request))
        return STET_REASON_CODING_REQUEST_NO_TRANSFORM;
    return STET_REASON_COUNT;
}

void stet_coded_select(const struct stet_request *request, const struct stet_coded_offer *offer,
                       struct stet_coded_choice *out)
{
    struct selection x = {.request = request, .offer = offer, .base = stet_coding_bit(offer->own)};
    enum stet_reason alone = base_alone(&x);
    *out = (struct stet_coded_choice){.coding = offer->own, .reason = alone, .held = STET_NO_ETAG};
    x.transformed = alone == STET_REASON_COUNT;
    if (!x.transformed) {
        (void)find_held(&x, out);
        return;
    }
    stet_accept_encoding_read(&request->fields, &x.accept);
    x.there = x.base | offer->kept | offer->passing;
    x.late = ~(x.base | offer->kept);
    x.ranged = request->method == STET_METHOD_GET && stet_fields_have(&request->fields, STET_FIELD_RANGE);
    if (find_held(&x, out))
        out->reason = STET_REASON_CODING_HELD;
    else
        negotiate(&x, out);
}

struct stet_representation stet_coded_selected(const struct stet_representation *base,
                                               const struct stet_coded_choice *choice, struct stet_etag etag,
                                               uint64_t length)
{
    struct stet_representation selected = *base;
    selected.etag = etag;
    selected.length = length;
    selected.held = choice->held;
    /* RFC 9110 section 8.8.2.2 wants a strong one to be of "the" representation; this one is of several. */
    selected.last_modified_strong =
        base->last_modified_strong &&
        (choice->reason == STET_REASON_CODING_ONLY || choice->reason == STET_REASON_CODING_NO_TRANSFORM);
    return selected;
}
