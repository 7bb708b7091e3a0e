/* SPDX-License-Identifier: MIT */
/*
 * The page is read by libxml2's HTML parser, which takes what browsers take. No network is used on the way.
 *
 * What scripts add and what style sheets import is not seen.
 */
#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>

#include <stet/uri.h>

#include "check/asset.h"

enum { URI_MAX = 8192 };

struct gathering {
    struct stet__assets *assets;
    unsigned max;
    bool failed;             /* there is no memory for one */
    char base_room[URI_MAX]; /* of <base href> */
    struct stet_uri base;
};

/* The attributes that make a browser fetch something. */
static const struct source {
    const char *element, *attribute;
} sources[] = {
    {"img", "src"},    {"script", "src"}, {"source", "src"}, {"video", "src"},   {"video", "poster"},
    {"audio", "src"},  {"track", "src"},  {"embed", "src"},  {"object", "data"}, {"input", "src"},
    {"iframe", "src"}, {"image", "href"}, {"use", "href"},
};
static const struct source sets[] = {{"img", "srcset"}, {"source", "srcset"}, {"link", "imagesrcset"}};

/* What <link> is fetched for at once. */
static const char *const relations[] = {"stylesheet", "icon",    "shortcut",      "apple-touch-icon",
                                        "manifest",   "preload", "modulepreload", "mask-icon"};

static bool known(const struct stet__assets *assets, const char *uri)
{
    for (size_t i = 0; i < assets->count; i++)
        if (strcmp(assets->at[i], uri) == 0)
            return true;
    return false;
}

static void add(struct gathering *to, struct stet_span reference)
{
    char uri[URI_MAX];
    reference = stet_span_trim(reference);
    if (reference.len == 0 || reference.ptr[0] == '#' || to->assets->count >= to->max)
        return;
    size_t len = stet_uri_resolve(&to->base, reference, uri, sizeof uri - 1);
    uri[len] = '\0';
    if (len == 0 || known(to->assets, uri))
        return;
    char *copy = strdup(uri);
    if (copy)
        to->assets->at[to->assets->count++] = copy;
    else
        to->failed = true;
}

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* "a.png 1x, b.png 2x": the URL of a candidate ends at a space, and may end in commas. */
static void add_set(struct gathering *to, const char *set)
{
    while (*set != '\0') {
        set += strspn(set, " \t\n\r\f,");
        const char *end = set;
        while (*end != '\0' && !space(*end))
            end++;
        size_t len = (size_t)(end - set);
        bool comma = len > 0 && set[len - 1] == ',';
        while (len > 0 && set[len - 1] == ',')
            len--;
        add(to, stet_span_of(set, len));
        set = comma ? end : end + strcspn(end, ",");
    }
}

static char *attribute(xmlNode *node, const char *name)
{
    return (char *)xmlGetProp(node, (const xmlChar *)name);
}

static bool same(const char *a, const char *b)
{
    return stet_span_equal_nocase(stet_span_of(a, strlen(a)), stet_span_of(b, strlen(b)));
}

static bool is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && same((const char *)node->name, name);
}

/* Whether some word of rel is one of those above. */
static bool fetched(const char *rel)
{
    while (*rel != '\0') {
        rel += strspn(rel, " \t\n\r\f");
        size_t len = strcspn(rel, " \t\n\r\f");
        for (size_t i = 0; i < sizeof relations / sizeof *relations; i++)
            if (stet_span_equal_nocase(stet_span_of(rel, len),
                                       stet_span_of(relations[i], strlen(relations[i]))))
                return true;
        rel += len;
    }
    return false;
}

static void add_attribute(struct gathering *to, xmlNode *node, const char *name, bool set)
{
    char *text = attribute(node, name);
    if (text && set)
        add_set(to, text);
    else if (text)
        add(to, stet_span_of(text, strlen(text)));
    xmlFree(text);
}

static void read_element(struct gathering *to, xmlNode *node)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (is(node, sources[i].element))
            add_attribute(to, node, sources[i].attribute, false);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        if (is(node, sets[i].element))
            add_attribute(to, node, sets[i].attribute, true);
    if (is(node, "link")) {
        char *rel = attribute(node, "rel");
        if (rel && fetched(rel))
            add_attribute(to, node, "href", false);
        xmlFree(rel);
    }
}

/* <base href> counts for all of the page. */
static void read_base(struct gathering *to, xmlNode *node)
{
    char *href = attribute(node, "href");
    if (href) {
        size_t len = stet_uri_resolve(&to->base, stet_span_of(href, strlen(href)), to->base_room, URI_MAX);
        if (len > 0)
            (void)stet_uri_parse(stet_span_of(to->base_room, len), &to->base);
    }
    xmlFree(href);
}

/* The node that comes next in the document; NULL at its end. No recursion: pages may be nested at will. */
static xmlNode *next(xmlNode *node)
{
    if (node->children && node->type == XML_ELEMENT_NODE)
        return node->children;
    while (node && !node->next)
        node = node->parent;
    return node ? node->next : NULL;
}

static bool is_html(const struct stet_lint_exchange *page)
{
    static const struct stet_span html = {"text/html", 9}, xhtml = {"application/xhtml+xml", 21};
    const struct stet_field *type = stet_fields_find(&page->response.fields, STET_FIELD_CONTENT_TYPE, 0);
    if (!type)
        return false;
    struct stet_span value = type->value;
    return (value.len >= html.len && stet_span_equal_nocase(stet_span_of(value.ptr, html.len), html)) ||
           (value.len >= xhtml.len && stet_span_equal_nocase(stet_span_of(value.ptr, xhtml.len), xhtml));
}

bool stet__assets_find(const struct stet_lint_exchange *page, unsigned max, struct stet__assets *out)
{
    *out = (struct stet__assets){NULL, 0};
    if (!page->content.ptr || page->content.len > INT32_MAX || !is_html(page))
        return true;
    struct gathering *to = calloc(1, sizeof *to);
    htmlDocPtr document =
        htmlReadMemory(page->content.ptr, (int)page->content.len, NULL, NULL,
                       HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    out->at = calloc(max, sizeof *out->at);
    if (to && document && out->at && stet_uri_parse(page->uri, &to->base) == STET_OK) {
        to->assets = out;
        to->max = max;
        for (xmlNode *node = xmlDocGetRootElement(document); node; node = next(node))
            if (is(node, "base"))
                read_base(to, node);
            else
                read_element(to, node);
    }
    bool done = to && out->at && !to->failed;
    xmlFreeDoc(document);
    free(to);
    return done;
}

void stet__assets_release(struct stet__assets *assets)
{
    for (size_t i = 0; i < assets->count; i++)
        free(assets->at[i]);
    free(assets->at);
    *assets = (struct stet__assets){NULL, 0};
}
