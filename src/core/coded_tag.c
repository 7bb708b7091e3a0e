/* SPDX-License-Identifier: MIT */
/*
 * The tags of coded copies: RFC 9110 sections 8.8.1, 8.8.3.2 and 8.8.3.3.
 *
 * A tag is taken apart from its end, because its base may hold anything, another suffix too: where one stet
 * stands before another, the tag of a copy of one is the base of the other.
 */
#include <stet/coded_tag.h>

#include "core/text.h"

static const struct {
    struct stet_span suffix;
    enum stet_coding coding;
} foreign[] = {
#define X(suffix, coding, who) {{suffix, sizeof(suffix) - 1}, coding},
#include <stet/coded_tag.def>
#undef X
};

static const bool made[] = {
#define X(symbol, name, made, rank, clause) made,
#include <stet/coding.def>
#undef X
};

#define FINGERPRINT_DIGITS 8
#define NONCE_DIGITS 16

/* Lower-case hexadecimal digits, all of `s`. */
static bool read_hex(struct stet_span s, uint64_t *out)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c >= '0' && c <= '9')
            n = n << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = n;
    return true;
}

static bool ends(struct stet_span s, struct stet_span suffix)
{
    return s.len >= suffix.len && stet_span_equal(stet_span_skip(s, s.len - suffix.len), suffix);
}

/* The made coding whose name, after a semicolon, ends `s`; UNKNOWN if there is none. */
static enum stet_coding named_at_end(struct stet_span s)
{
    for (enum stet_coding coding = 0; coding < STET_CODING_COUNT; coding++) {
        struct stet_span name = stet_coding_name(coding);
        if (made[coding] && s.len > name.len && ends(s, name) && s.ptr[s.len - name.len - 1] == ';')
            return coding;
    }
    return STET_CODING_UNKNOWN;
}

/* `opaque` ends in ";coding", `mark` and `digits` digits. */
static bool read_ours(struct stet_span opaque, struct stet_span mark, size_t digits,
                      struct stet_coded_tag *out)
{
    if (opaque.len < digits + mark.len)
        return false;
    struct stet_span front = stet_span_of(opaque.ptr, opaque.len - digits);
    if (!ends(front, mark) || !read_hex(stet_span_skip(opaque, front.len), &out->mark))
        return false;
    front.len -= mark.len;
    enum stet_coding coding = named_at_end(front);
    if (coding == STET_CODING_UNKNOWN)
        return false;
    out->coding = coding;
    out->base.opaque.len = front.len - stet_coding_name(coding).len - 1;
    out->kind = mark.len == 1 ? STET_CODED_TAG_KEPT : STET_CODED_TAG_PASSING;
    return true;
}

static void read_foreign(struct stet_span opaque, struct stet_coded_tag *out)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (opaque.len <= foreign[i].suffix.len || !ends(opaque, foreign[i].suffix))
            continue;
        out->kind = STET_CODED_TAG_FOREIGN;
        out->coding = foreign[i].coding;
        out->base.opaque.len = opaque.len - foreign[i].suffix.len;
        return;
    }
}

void stet_coded_tag_read(struct stet_etag tag, struct stet_coded_tag *out)
{
    *out = (struct stet_coded_tag){.base = tag, .kind = STET_CODED_TAG_NONE, .coding = STET_CODING_UNKNOWN};
    if (read_ours(tag.opaque, STET_SPAN("-"), FINGERPRINT_DIGITS, out) ||
        read_ours(tag.opaque, STET_SPAN("-~"), NONCE_DIGITS, out))
        return;
    out->mark = 0;
    read_foreign(tag.opaque, out);
}

bool stet_coded_tag_ours(struct stet_etag tag)
{
    struct stet_coded_tag read;
    stet_coded_tag_read(tag, &read);
    return read.kind == STET_CODED_TAG_KEPT || read.kind == STET_CODED_TAG_PASSING;
}

size_t stet_coded_tag_write(const struct stet_coded_tag *tag, char *out, size_t room)
{
    struct stet__text text = {.out = out, .room = room};
    bool kept = tag->kind == STET_CODED_TAG_KEPT;
    if (!stet_etag_present(tag->base))
        return 0;
    stet__text_put(&text, tag->base.weak ? STET_SPAN("W/\"") : STET_SPAN("\""));
    stet__text_put(&text, tag->base.opaque);
    stet__text_put_octet(&text, ';');
    stet__text_put(&text, stet_coding_name(tag->coding));
    stet__text_put(&text, kept ? STET_SPAN("-") : STET_SPAN("-~"));
    for (unsigned digits = kept ? FINGERPRINT_DIGITS : NONCE_DIGITS; digits > 0; digits--)
        stet__text_put_octet(&text, "0123456789abcdef"[tag->mark >> (digits - 1) * 4 & 15]);
    stet__text_put_octet(&text, '"');
    return stet__text_end(&text);
}

enum stet_coded_likeness stet_coded_tag_compare(struct stet_etag tag, struct stet_etag base,
                                                enum stet_coding own, enum stet_coding *coding)
{
    struct stet_coded_tag read;
    if (!stet_etag_present(tag) || !stet_etag_present(base))
        return STET_CODED_UNLIKE;
    if (stet_etag_weak_equal(tag, base)) {
        *coding = own;
        return STET_CODED_SAME;
    }
    if (tag.opaque.len <= base.opaque.len || !stet_span_starts(tag.opaque, base.opaque))
        return STET_CODED_UNLIKE;
    stet_coded_tag_read(tag, &read);
    if (read.kind == STET_CODED_TAG_NONE || !stet_etag_weak_equal(read.base, base))
        return STET_CODED_UNLIKE;
    *coding = read.coding;
    return STET_CODED_EQUIVALENT;
}

/* The tag without a suffix of others. */
static struct stet_etag plain(struct stet_etag tag)
{
    struct stet_coded_tag read;
    stet_coded_tag_read(tag, &read);
    return read.kind == STET_CODED_TAG_FOREIGN ? read.base : tag;
}

bool stet_coded_tag_variation(struct stet_etag then, struct stet_etag now)
{
    if (!stet_etag_present(then) || !stet_etag_present(now))
        return false;
    if (stet_etag_weak_equal(then, now))
        return then.weak != now.weak;
    return stet_etag_weak_equal(plain(then), plain(now));
}
