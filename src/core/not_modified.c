/* SPDX-License-Identifier: MIT */
#include <stet/not_modified.h>

enum kind { OTHER, REPRESENTATION, VALIDATOR, HOP };

static const unsigned char kinds[STET_FIELD_ID_COUNT] = {
#define X(symbol, name, kind, slot) [symbol] = kind,
#include <stet/field_name.def>
#undef X
};

bool stet_not_modified_keeps(const struct stet_field *field, bool has_etag)
{
    switch ((enum kind)kinds[field->id]) {
    case OTHER:
        return true;
    case VALIDATOR:
        return !has_etag;
    case REPRESENTATION:
    case HOP:
        return false;
    }
    return false;
}

size_t stet_not_modified_fields(const struct stet_fields *fields, struct stet_field *room)
{
    bool has_etag = stet_fields_have(fields, STET_FIELD_ETAG);
    size_t kept = 0;
    for (size_t i = 0; i < fields->count; i++)
        if (stet_not_modified_keeps(&fields->at[i], has_etag))
            room[kept++] = fields->at[i];
    return kept;
}
