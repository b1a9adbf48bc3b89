#include "base/conf.h"

#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"

#define MAX_INCLUDE_DEPTH 10 /* libconfig's own */

static const char *const type_names[] = {
    [CONF_STR] = "a string",
    [CONF_INT] = "a whole number",
    [CONF_BOOL] = "true or false",
    [CONF_STRS] = "strings",
    [CONF_GROUP] = "a group { ... }",
    [CONF_LIST] = "a list ( ... )",
};

int conf_err(const struct conf *conf, const config_setting_t *at, struct p11ca_err *err, const char *fmt, ...)
{
    const char *file = config_setting_source_file(at);
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(err, P11CA_CONFIG, "CONFIG", "%s:%u: %s", file ? file : conf->path,
        config_setting_source_line(at), text);
}

/* What stands behind the next @include, NULL: none. libconfig takes the directive at the start of a line only. */
static const char *find_include(const char *text)
{
    for (; text; text = strchr(text, '\n'), text = text ? text + 1 : NULL) {
        text += strspn(text, " \t");
        if (strncmp(text, "@include", 8) == 0)
            return text + 8;
    }
    return NULL;
}

static int read_text(const char *path, struct buf *ret, struct p11ca_err *err)
{
    if (file_read(path, LIMIT_CONF, ret, err) != 0) {
        if (err->kind == P11CA_FILE)
            err->kind = P11CA_CONFIG;
        return -1;
    }
    if (ret->len && memchr(ret->p, '\0', ret->len))
        return err_set(err, P11CA_CONFIG, "CONFIG", "%s: want text, have a NUL byte", path);
    return buf_str(ret) ? 0 : err_nomem(err);
}

static int check_includes(const char *dir, const char *text, unsigned depth, struct p11ca_err *err);

/* What is not there, libconfig says. */
static int check_include(const char *dir, const char *name, size_t len, unsigned depth, struct p11ca_err *err)
{
    AUTO_STR word = strndup(name, len);
    AUTO_STR path = word ? path_join(dir, word) : NULL;
    AUTO_BUF text = BUF_INIT;

    if (!path)
        return err_nomem(err);
    if (depth == 0 || strchr(word, '\\'))
        return err_set(err, P11CA_CONFIG, "CONFIG", "@include \"%s\": want %s", word,
            depth ? "a name without backslashes" : "files that include one another at most ten deep");
    if (!file_exists(path))
        return 0;
    return read_text(path, &text, err) != 0 ? -1 : check_includes(dir, (char *)text.p, depth - 1, err);
}

/*
 * libconfig opens what it includes by itself: a folder in place of a file would end the process, a FIFO would stop it,
 * and none would be too large.
 */
static int check_includes(const char *dir, const char *text, unsigned depth, struct p11ca_err *err)
{
    const char *end;

    for (text = find_include(text); text; text = find_include(text)) {
        text += strspn(text, " \t");
        end = *text == '"' ? strchr(text + 1, '"') : NULL;
        if (end && check_include(dir, text + 1, (size_t)(end - text - 1), depth, err) != 0)
            return -1;
    }
    return 0;
}

/* Escapes make octets of any kind. What does not go into JSON and onto paper must not come up in the middle of something. */
static int check_strings(const struct conf *conf, const config_setting_t *s, struct p11ca_err *err)
{
    const char *text = config_setting_get_string(s);
    const char *name = config_setting_name(s);
    size_t len = text ? strlen(text) : 0, at, step;
    uint32_t c;
    int i;

    for (at = 0; at < len; at += step) {
        step = text_utf8((const uint8_t *)text + at, len - at, &c);
        if (step == 0)
            return conf_err(conf, s, err, "%s%swant UTF-8", name ? name : "", name ? ": " : "");
    }
    for (i = 0; config_setting_is_aggregate(s) && i < config_setting_length(s); i++) {
        if (check_strings(conf, config_setting_get_elem(s, (unsigned)i), err) != 0)
            return -1;
    }
    return 0;
}

static int parse(struct conf *conf, const char *text, const char *include_dir, struct p11ca_err *err)
{
    const char *file;

    config_init(&conf->cfg);
    conf->open = true;
    if (include_dir)
        config_set_include_dir(&conf->cfg, include_dir);
    if (!config_read_string(&conf->cfg, text)) {
        file = config_error_file(&conf->cfg);
        return err_set(err, P11CA_CONFIG, "CONFIG", "%s:%d: %s", file ? file : conf->path,
            config_error_line(&conf->cfg), config_error_text(&conf->cfg));
    }
    return check_strings(conf, config_root_setting(&conf->cfg), err);
}

int conf_parse(struct conf *conf, const char *name, const char *text, struct p11ca_err *err)
{
    memset(conf, 0, sizeof(*conf));
    conf->path = strdup(name);
    return conf->path ? parse(conf, text, NULL, err) : err_nomem(err);
}

int conf_load(struct conf *conf, const char *path, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_STR copy = strdup(path);
    const char *dir;

    memset(conf, 0, sizeof(*conf));
    conf->path = strdup(path);
    if (!copy || !conf->path)
        return err_nomem(err);
    dir = dirname(copy);
    if (read_text(path, &text, err) != 0)
        return -1;
    if (hash_sha256(text.p, text.len, conf->sha256) != 0)
        return err_nomem(err);
    conf->has_include = find_include((char *)text.p) != NULL;
    if (check_includes(dir, (char *)text.p, MAX_INCLUDE_DEPTH, err) != 0)
        return err_prefix(err, "%s", path);
    return parse(conf, (char *)text.p, dir, err);
}

int conf_text(const struct conf *conf, struct buf *ret, struct p11ca_err *err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (!f)
        return err_nomem(err);
    config_write(&conf->cfg, f);
    if (fclose(f) == 0)
        buf_add(ret, text, len);
    else
        ret->failed = true;
    free(text);
    return buf_ok(ret) ? 0 : err_nomem(err);
}

void conf_done(struct conf *conf)
{
    if (conf->open)
        config_destroy(&conf->cfg);
    free(conf->path);
    memset(conf, 0, sizeof(*conf));
}

static bool type_fits(const config_setting_t *s, enum conf_type type)
{
    switch (type) {
    case CONF_STR:
        return config_setting_type(s) == CONFIG_TYPE_STRING;
    case CONF_INT:
        return config_setting_type(s) == CONFIG_TYPE_INT;
    case CONF_BOOL:
        return config_setting_type(s) == CONFIG_TYPE_BOOL;
    case CONF_STRS:
        return config_setting_type(s) == CONFIG_TYPE_STRING || config_setting_is_array(s) ||
               config_setting_is_list(s);
    case CONF_GROUP:
        return config_setting_is_group(s);
    case CONF_LIST:
        return config_setting_is_list(s);
    }
    return false;
}

static int read_strs(
    const struct conf *conf, const config_setting_t *s, struct conf_strs *ret, struct p11ca_err *err)
{
    size_t n = config_setting_is_aggregate(s) ? (size_t)config_setting_length(s) : 1, i;
    const char **v = calloc(n + 1, sizeof(*v));

    if (!v)
        return err_nomem(err);
    for (i = 0; i < n; i++) {
        v[i] = config_setting_is_aggregate(s) ? config_setting_get_string_elem(s, (int)i)
                                              : config_setting_get_string(s);
        if (!v[i]) {
            free(v);
            return conf_err(conf, s, err, "%s: want strings", config_setting_name(s));
        }
    }
    ret->v = v;
    ret->n = n;
    return 0;
}

static int read_field(const struct conf *conf, config_setting_t *s, const struct conf_field *f, void *dst,
    struct p11ca_err *err)
{
    char *at = (char *)dst + f->offset;

    if (!type_fits(s, f->type))
        return conf_err(conf, s, err, "%s: want %s", f->key, type_names[f->type]);
    switch (f->type) {
    case CONF_STR:
        *(const char **)(void *)at = config_setting_get_string(s);
        break;
    case CONF_INT:
        *(int *)(void *)at = config_setting_get_int(s);
        break;
    case CONF_BOOL:
        *(bool *)(void *)at = config_setting_get_bool(s);
        break;
    case CONF_STRS:
        return read_strs(conf, s, (struct conf_strs *)(void *)at, err);
    case CONF_GROUP:
    case CONF_LIST:
        *(config_setting_t **)(void *)at = s;
        break;
    }
    return 0;
}

int conf_fields(const struct conf *conf, const config_setting_t *group, const char *what,
    const struct conf_field *fields, size_t n, void *dst, struct p11ca_err *err)
{
    int i, len = config_setting_length(group);
    config_setting_t *s;
    size_t k;

    for (i = 0; i < len; i++) {
        s = config_setting_get_elem(group, (unsigned)i);
        for (k = 0; k < n && strcmp(fields[k].key, config_setting_name(s)) != 0; k++)
            ;
        if (k == n)
            return conf_err(conf, s, err, "unknown key '%s' in %s", config_setting_name(s), what);
        if (read_field(conf, s, &fields[k], dst, err) != 0)
            return -1;
    }
    for (k = 0; k < n; k++) {
        if (fields[k].required && !config_setting_get_member(group, fields[k].key))
            return conf_err(conf, group, err, "%s: key '%s' is missing", what, fields[k].key);
    }
    return 0;
}
