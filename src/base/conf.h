/*
 * Reading libconfig files. A table of keys says what a group may hold; whatever else is there is an
 * error that names file and line.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* A parsed file. Settings stay valid until conf_done(). */
struct conf {
    config_t cfg;
    char *path;
    bool open;
    uint8_t sha256[32]; /* of the very bytes that were parsed, without what they include */
    bool has_include;
};

enum conf_type { CONF_STR, CONF_INT, CONF_BOOL, CONF_STRS, CONF_GROUP, CONF_LIST };

/* One key of a group. Where it goes: offset into the struct that conf_fields() fills. */
struct conf_field {
    const char *key;
    enum conf_type type;
    bool required;
    size_t offset; /* of const char *, int, bool, struct conf_strs, config_setting_t * */
};

/* An array or list of strings; a single string counts as one. */
struct conf_strs {
    const char **v; /* NULL-terminated, caller frees v with free(), not the strings */
    size_t n;
};

/* @include names are relative to the file's own directory. */
P11CA_CHECK int conf_load(struct conf *conf, const char *path, struct p11ca_err *err);

/* The same from text at hand, which includes nothing; name stands for the file in errors. */
P11CA_CHECK int conf_parse(struct conf *conf, const char *name, const char *text, struct p11ca_err *err);
void conf_done(struct conf *conf);

/* Appends the settings in effect, @include and all, in one fixed form: what a digest is made of. */
P11CA_CHECK int conf_text(const struct conf *conf, struct buf *ret, struct p11ca_err *err);

/*
 * Fills dst from the group by the table of n fields; strings stay owned by the conf. what names the group
 * in errors ("tokens.root"). Unknown keys, wrong types and missing required keys are refused.
 */
P11CA_CHECK int conf_fields(const struct conf *conf, const config_setting_t *group, const char *what,
    const struct conf_field *fields, size_t n, void *dst, struct p11ca_err *err);

/* An error at a setting: "file:line: what". */
int conf_err(const struct conf *conf, const config_setting_t *at, struct p11ca_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
