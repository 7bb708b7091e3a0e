/* SPDX-License-Identifier: MIT */
/*
 * Subjects of field.h and of the tag lists of etag.h.
 */
#include "markdown.h"
#include "spec.h"

static void put_line(struct spec_run *run, struct stet_span octets)
{
    markdown_encode(octets, run->out);
    putc('\n', run->out);
}

/* The members of the field that `detail` names, one a line. */
static void run_members(struct spec_run *run)
{
    struct stet_request request;
    struct stet_list list;
    struct stet_span member;
    if (!spec_fields(run, &request))
        return;
    enum stet_field_id id = stet_field_id(run->detail);
    if (id == STET_FIELD_OTHER)
        stet_list_begin_named(&list, &request.fields, run->detail);
    else
        stet_list_begin(&list, &request.fields, id);
    size_t count = 0;
    for (; stet_list_next(&list, &member) == STET_OK; count++)
        put_line(run, member);
    fprintf(run->out, "%zu in all\n", count);
}

/* The kind of the list, then its tags. */
static void run_tags(struct spec_run *run)
{
    static const char *const kinds[] = {
        [STET_ETAG_LIST_ABSENT] = "absent",
        [STET_ETAG_LIST_ANY] = "any",
        [STET_ETAG_LIST_TAGS] = "tags",
    };
    struct stet_request request;
    struct stet_etag_list list;
    struct stet_etag tag;
    if (!spec_fields(run, &request))
        return;
    enum stet_etag_list_kind kind = stet_etag_list_begin(&list, &request.fields, stet_field_id(run->detail));
    fprintf(run->out, "%s\n", kinds[kind]);
    while (kind == STET_ETAG_LIST_TAGS && stet_etag_list_next(&list, &tag) == STET_OK) {
        fputs(tag.weak ? "weak" : "strong", run->out);
        fputs(tag.opaque.len > 0 ? " " : "", run->out);
        put_line(run, tag.opaque);
    }
}

static void run_token(struct spec_run *run)
{
    fputs(stet_is_token(run->input) ? "token\n" : "no token\n", run->out);
}

/* "thing | name=value | name" of one member. */
static void run_parameters(struct spec_run *run)
{
    struct stet_span thing, params, name, value;
    stet_member_split(run->input, &thing, &params);
    markdown_encode(thing, run->out);
    for (;;) {
        int status = stet_param_next(&params, &name, &value);
        if (status == STET_END)
            break;
        fputs(" | ", run->out);
        if (status != STET_OK) {
            fputs("malformed", run->out);
            continue;
        }
        markdown_encode(name, run->out);
        if (value.ptr) {
            putc('=', run->out);
            markdown_encode(value, run->out);
        }
    }
    putc('\n', run->out);
}

static void run_unquote(struct spec_run *run)
{
    struct stet_span out;
    char *room = malloc(run->input.len + 1);
    int status = stet_unquote(run->input, room, &out);
    if (status == STET_OK)
        put_line(run, out);
    else
        spec_error(run, status);
    free(room);
}

static void run_qvalue(struct spec_run *run)
{
    unsigned thousandths;
    int status = stet_qvalue_parse(run->input, &thousandths);
    if (status == STET_OK)
        fprintf(run->out, "%u\n", thousandths);
    else
        spec_error(run, status);
}

const struct spec_subject spec_field_subjects[] = {
    {"members", SPEC_INPUT_FIELDS, false, run_members},
    {"tags", SPEC_INPUT_FIELDS, false, run_tags},
    {"token", SPEC_INPUT_ROW, false, run_token},
    {"parameters", SPEC_INPUT_ROW, false, run_parameters},
    {"unquote", SPEC_INPUT_ROW, false, run_unquote},
    {"qvalue", SPEC_INPUT_ROW, false, run_qvalue},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
