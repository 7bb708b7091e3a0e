/* SPDX-License-Identifier: MIT */
/*
 * option: command lines by table. One row says everything about an option: its name, how its argument is
 * called and read, where the value goes, what the help says. Parser, help and the check of the man page use
 * the same rows.
 *
 *   --name value    --name=value    --switch    --    (after which all is operands)
 *   --port    --port 8443    --port=8443    (of kind PORT: what follows is its argument if it is digits only)
 *   --maybe    --maybe=value    (of kind MAYBE: the word that follows is never its argument)
 *   -n value    -nvalue    -abn value    (of rows that have a letter: switches may stand together)
 *
 * The default that the help shows is read from the settings themselves, so it cannot differ from what is in
 * force.
 */
#ifndef STET_CLI_OPTION_H
#define STET_CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum stet__option_kind {
    STET__OPTION_HEADING, /* no option: a heading of the help */
    STET__OPTION_SWITCH,  /* bool; takes no argument */
    STET__OPTION_NUMBER,  /* unsigned integer of the field's width, min to max */
    STET__OPTION_PORT,    /* unsigned; a TCP port, or `min` if none follows */
    STET__OPTION_SIZE,    /* the same in octets, with K, M or G (powers of 1024) */
    STET__OPTION_TEXT,    /* const char * into argv */
    STET__OPTION_CALL,    /* `set` reads it */
    STET__OPTION_MAYBE,   /* the same; NULL if there is no argument */
    STET__OPTION_DO,      /* `set` is called with NULL; takes no argument */
};

struct stet__option {
    enum stet__option_kind kind;
    const char *name;     /* without the dashes; of a heading its text */
    const char *argument; /* what stands for it in the help: "ADDR"; NULL for switches */
    size_t offset, width; /* of the field in the settings: STET__FIELD */
    uint64_t min, max;    /* of NUMBER and SIZE; PORT has its own */
    const char *initial;  /* default as the help shows it, if the field does not say it by itself */
    /* Of CALL: NULL, or what is wrong in a few words of static storage. */
    const char *(*set)(void *settings, const char *argument);
    const char *help; /* one or more lines, without a full stop */
    char letter;      /* the short form, or 0 */
};

#define STET__FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)

/* What another program has by this name or letter, and what to do instead, without a full stop. */
struct stet__option_lack {
    const char *name;
    char letter; /* or 0 */
    const char *instead;
};

/* Rows that belong together. Commands may share them if their settings begin alike. */
struct stet__option_rows {
    const struct stet__option *at;
    size_t count;
    const struct stet__option_lack *lacks; /* NULL if there are none */
    size_t lack_count;
};

struct stet__option_table {
    const char *command; /* for messages and help: "serve" */
    const struct stet__option_rows *const *parts;
    size_t part_count;
};

/*
 * Makers of rows, for the files that hold them. `field` is STET__FIELD(...) of the settings; of SWITCH a
 * bool, of TEXT a const char *, of NUMBER an unsigned or uint64_t, of SIZE a uint64_t or size_t. Those of
 * STET__SHORT have a letter.
 */
#define STET__SHORT_SWITCH(letter, name, field, help)                          \
    {                                                                          \
        STET__OPTION_SWITCH, name, NULL, field, 0, 0, NULL, NULL, help, letter \
    }
#define STET__SHORT_TEXT(letter, name, argument, field, help)                    \
    {                                                                            \
        STET__OPTION_TEXT, name, argument, field, 0, 0, NULL, NULL, help, letter \
    }
#define STET__SHORT_CALL(letter, name, argument, initial, set, help)              \
    {                                                                             \
        STET__OPTION_CALL, name, argument, 0, 0, 0, 0, initial, set, help, letter \
    }
#define STET__SHORT_DO(letter, name, set, help)                          \
    {                                                                    \
        STET__OPTION_DO, name, NULL, 0, 0, 0, 0, NULL, set, help, letter \
    }
#define STET__ROW_HEADING(text)                                           \
    {                                                                     \
        STET__OPTION_HEADING, text, NULL, 0, 0, 0, 0, NULL, NULL, NULL, 0 \
    }
#define STET__ROW_SWITCH(name, field, help)                               \
    {                                                                     \
        STET__OPTION_SWITCH, name, NULL, field, 0, 0, NULL, NULL, help, 0 \
    }
#define STET__ROW_TEXT(name, argument, field, help)                         \
    {                                                                       \
        STET__OPTION_TEXT, name, argument, field, 0, 0, NULL, NULL, help, 0 \
    }
#define STET__ROW_NUMBER(name, argument, field, min, max, help)                   \
    {                                                                             \
        STET__OPTION_NUMBER, name, argument, field, min, max, NULL, NULL, help, 0 \
    }
#define STET__ROW_SIZE(name, field, min, max, help)                           \
    {                                                                         \
        STET__OPTION_SIZE, name, "SIZE", field, min, max, NULL, NULL, help, 0 \
    }
#define STET__ROW_CALL(name, argument, initial, set, help) \
    STET__SHORT_CALL(0, name, argument, initial, set, help)
#define STET__ROW_MAYBE(name, argument, set, help)                         \
    {                                                                      \
        STET__OPTION_MAYBE, name, argument, 0, 0, 0, 0, NULL, set, help, 0 \
    }
#define STET__ROW_DO(name, set, help) STET__SHORT_DO(0, name, set, help)
#define STET__ROWS(array)                               \
    {                                                   \
        array, sizeof(array) / sizeof *(array), NULL, 0 \
    }
#define STET__LACKS(array)                              \
    {                                                   \
        NULL, 0, array, sizeof(array) / sizeof *(array) \
    }

#define STET__DAY_S 86400
#define STET__KIB (UINT64_C(1) << 10)
#define STET__MIB (UINT64_C(1) << 20)
#define STET__TIB (UINT64_C(1) << 40)

/*
 * Reads the arguments into `settings`; operands are moved to the front of `argv` and counted in `*operands`.
 * False after one line to standard error.
 */
bool stet__options_parse(const struct stet__option_table *table, void *settings, int argc, char **argv,
                         int *operands);

/* The help of all options; `settings` hold the defaults. If any row has a letter, room is left for it in all.
 */
void stet__options_print(const struct stet__option_table *table, const void *settings, FILE *out);

/* "64K", "1G", "1000": STET_OK or STET_E_SYNTAX, STET_E_NUMBER. */
int stet__size_parse(const char *text, uint64_t *out);

#endif
