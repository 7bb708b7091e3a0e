/* SPDX-License-Identifier: MIT */
/*
 * Reports as JUnit's XML and as a page of HTML, read by libxml2: well formed whatever a server sent, and
 * nothing of that is markup, a script, or an address that a browser would go to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>

#include "check_reports.h"

typedef bool writer(const struct stet__check_report *report, struct stet__buffer *out);

static struct stet__buffer out;
static xmlDoc *document;
static unsigned wrong;

/* libxml2 knows HTML 4: elements that came later are no mistake. */
static void complain(void *owner, xmlError *error)
{
    if (error->code == XML_HTML_UNKNOWN_TAG)
        return;
    wrong++;
    print_message("line %d: %s", error->line, error->message);
}

static void parse(writer *write, const struct stet__check_report *report, bool html)
{
    stet__buffer_release(&out);
    stet__buffer_init(&out, 1 << 24);
    xmlFreeDoc(document);
    assert_true(write(report, &out));
    wrong = 0;
    xmlSetStructuredErrorFunc(NULL, complain);
    document = html ? htmlReadMemory(out.ptr, (int)out.len, NULL, NULL, HTML_PARSE_NONET)
                    : xmlReadMemory(out.ptr, (int)out.len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_HUGE);
    assert_non_null(document);
    assert_int_equal(wrong, 0);
}

/* How many nodes an expression finds. */
static int found(const char *path)
{
    xmlXPathContext *context = xmlXPathNewContext(document);
    xmlXPathObject *object = xmlXPathEvalExpression((const xmlChar *)path, context);
    assert_non_null(object);
    int n = object->type == XPATH_NODESET ? (object->nodesetval ? object->nodesetval->nodeNr : 0)
                                          : object->boolval;
    xmlXPathFreeObject(object);
    xmlXPathFreeContext(context);
    return n;
}

/* UTF-8 without controls but line feed: what both formats may have. */
static void is_clean(void)
{
    for (size_t i = 0; i < out.len; i++) {
        unsigned char c = (unsigned char)out.ptr[i];
        assert_true(c == '\n' || (c >= 0x20 && c != 0x7f));
        assert_false(c == 0xc2 && (unsigned char)out.ptr[i + 1] < 0xa0);
    }
}

static void test_junit(void **state)
{
    parse(stet__check_write_junit, &usual_report, false);
    assert_int_equal(found("/testsuites[@tests='7'][@failures='3'][@errors='1'][@time='0.812']"), 1);
    assert_int_equal(found("/testsuites/testsuite"), 3);
    assert_int_equal(found("//testsuite[1][@name='https://www.example.com/app.js'][@tests='5'][@failures='2']"
                           "[@errors='0'][@timestamp='2026-11-21T18:49:16']"),
                     1);
    assert_int_equal(found("//testcase"), 7);
    assert_int_equal(found("//testcase/failure"), 3);
    assert_int_equal(found("//testcase[@name='coded-tag-not-matched']/failure[@type='error'][contains(., "
                           "'sent: If-None-Match: \"5f3a-61c-gzip\"')]"),
                     2);
    assert_int_equal(found("//testcase[@name='expires-contradicts']/failure[@type='warning']"), 1);
    assert_int_equal(found("//testcase[@name='etag-coding-suffix']/system-out"), 1);
    assert_int_equal(found("//testcase[@name='strong-etag'][not(*)]"), 1);
    assert_int_equal(found("//testsuite[3]/testcase/error[@message='the name leads nowhere']"), 1);
    assert_int_equal(found("//property[@name='grade'][@value='D']"), 2);
    parse(stet__check_write_junit, &empty_report, false);
    assert_int_equal(found("/testsuites[@tests='0']"), 1);
}

static void test_hostile_junit(void **state)
{
    struct chosen chosen;
    for (size_t i = 0; worst_text(i); i++) {
        parse(stet__check_write_junit, chosen_report(&chosen, worst_text(i)), false);
        is_clean();
        assert_int_equal(found("//testcase"), 4);
        assert_int_equal(found("//script"), 0);
    }
    parse(stet__check_write_junit, chosen_report(&chosen, HOSTILE), false);
    assert_int_equal(found("//error[contains(@message, '<script>alert(1)</script> ]]>')]"), 1);
    assert_int_equal(found("//failure[contains(., '\\x1b[31mred')]"), 1);
}

static void test_html(void **state)
{
    parse(stet__check_write_html, &usual_report, true);
    is_clean();
    assert_int_equal(found("//h1[contains(., 'https://www.example.com/app.js')]"), 1);
    assert_int_equal(found("//span[@class='grade D'][@aria-label='Grade D']"), 5);
    assert_int_equal(found("//table//tr"), 4);
    assert_int_equal(found("//section[@class='resource']"), 3);
    assert_int_equal(
        found("//article[@id='r1-coded-tag-not-matched']//pre[contains(., 'If-None-Match: \"5f3a')]"), 1);
    assert_int_equal(found("//article[@id='r1-coded-tag-not-matched']//a[@href='#r1-x3']"), 1);
    assert_int_equal(found("//li[@id='r1-x3']//pre"), 2);
    assert_int_equal(found("//li[@id='r1-x4']//p[@class='failure']"), 1);
    assert_int_equal(
        found("//article[1]//input[@type='radio'][@checked]/following-sibling::label[1][.='Apache']"), 1);
    assert_int_equal(found("//section[3]//p[contains(., 'the name leads nowhere')]"), 1);
    parse(stet__check_write_html, &empty_report, true);
    assert_int_equal(found("//h1[.='Nothing was checked']"), 1);
}

/* Names, labels and targets: what assistive technology and links need. */
static void is_accessible(void)
{
    assert_int_equal(found("//html[@lang='en'][head/title[normalize-space()]]"), 1);
    assert_int_equal(found("count(//h1) = 1"), 1);
    assert_int_equal(found("//*[@id][@id = following::*/@id]"), 0);
    assert_int_equal(found("//input[not(ancestor::label)][not(@id = //label/@for)]"), 0);
    assert_int_equal(found("//label[@for][not(@for = //input/@id)]"), 0);
    assert_int_equal(found("//a[starts-with(@href, '#')][not(substring(@href, 2) = //*/@id)]"), 0);
    assert_int_equal(found("//fieldset[not(legend)]"), 0);
}

/* Nothing runs and nothing is got from elsewhere. */
static void is_self_contained(void)
{
    assert_int_equal(found("//script | //link | //img | //iframe | //object | //embed | //form | //base"), 0);
    assert_int_equal(found("//@src | //@action | //@formaction | //@srcset"), 0);
    assert_int_equal(found("//@*[starts-with(name(), 'on')]"), 0);
    assert_int_equal(
        found("//a[not(starts-with(@href, '#') or starts-with(@href, 'https://www.rfc-editor.org/rfc/rfc') "
              "or starts-with(@href, 'https://datatracker.ietf.org/doc/html/'))]"),
        0);
    assert_int_equal(
        found("//meta[@http-equiv='Content-Security-Policy'][starts-with(@content, \"default-src "
              "'none'\")]"),
        1);
    assert_int_equal(found("//style"), 1);
    assert_int_equal(found("//style[contains(., 'url(') or contains(., '@import')]"), 0);
}

static void test_hostile_html(void **state)
{
    struct chosen chosen;
    parse(stet__check_write_html, &usual_report, true);
    is_accessible();
    is_self_contained();
    for (size_t i = 0; worst_text(i); i++) {
        parse(stet__check_write_html, chosen_report(&chosen, worst_text(i)), true);
        is_clean();
        is_accessible();
        is_self_contained();
        assert_int_equal(found("//article"), 2);
    }
    parse(stet__check_write_html, chosen_report(&chosen, HOSTILE), true);
    assert_int_equal(found("//h1[contains(., '<script>alert(1)</script> ]]> --> \"quoted\"')]"), 1);
    assert_int_equal(found("//title[contains(., '<script>')]"), 1);
    assert_int_equal(found("//dd[contains(., '\\x1b[31mred')]"), 9);
}

static int release(void **state)
{
    stet__buffer_release(&out);
    xmlFreeDoc(document);
    xmlCleanupParser();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_junit),
        cmocka_unit_test(test_hostile_junit),
        cmocka_unit_test(test_html),
        cmocka_unit_test(test_hostile_html),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
