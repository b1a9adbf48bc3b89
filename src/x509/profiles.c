#include "x509/profiles.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "x509/profile_read.h"

#define PROFILES_MAX 128

/* profiles.conf, put there by the Makefile. */
extern const char profiles_text[];

struct profiles {
    struct arena arena;
    const struct profile *v[PROFILES_MAX];
    size_t n;
};

static struct conf builtin_conf;
static struct profiles builtin;
static bool builtin_made;
static struct p11ca_err builtin_why;

int profile_err(const struct said *said, const char *key, const config_setting_t *at, struct p11ca_err *err,
    const char *fmt, ...)
{
    char text[700];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return conf_err(said->conf, at, err, "profiles.%s: %s: %s", said->by->name, key, text);
}

const struct profile *profiles_find(const struct profiles *set, const char *name)
{
    size_t i;

    for (i = 0; set && i < set->n; i++) {
        if (strcmp(set->v[i]->name, name) == 0)
            return set->v[i];
    }
    return NULL;
}

const struct profile *profiles_at(const struct profiles *set, size_t i)
{
    return set && i < set->n ? set->v[i] : NULL;
}

void profiles_free(struct profiles *set)
{
    if (!set)
        return;
    arena_done(&set->arena);
    free(set);
}

/* --- one profile --- */

/* All but the line for people: it changes no certificate. */
static void add_digested(void *arg, const struct profile_value *v)
{
    if (strcmp(v->key, "about") == 0)
        return;
    buf_addf(arg, "%s = ", v->key);
    buf_adds(arg, v->value);
    buf_addc(arg, '\n');
}

static int digest(struct profile *p, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (profile_values(p, add_digested, &text, err) != 0)
        return -1;
    if (!buf_ok(&text))
        return err_nomem(err);
    return hash_sha256(text.p, text.len, p->sha256) == 0 ? 0 : err_nomem(err);
}

/* Names become words on a command line and in the ledger. */
static bool name_ok(const char *name)
{
    return strlen(name) <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) &&
           name[0] != '-';
}

/* What the base says, then what the group says. */
static int gather(const struct conf *conf, config_setting_t *group, const struct profile *base,
    struct profile *p, struct profile_text *text, struct p11ca_err *err)
{
    int i, k, n = config_setting_length(group);

    if (base)
        *text = *base->text;
    text->said[profile_key_find("about")] = (struct said){NULL, NULL, NULL}; /* it is another one */
    for (i = 0; i < n; i++) {
        config_setting_t *s = config_setting_get_elem(group, (unsigned)i);

        if (strcmp(config_setting_name(s), "base") == 0)
            continue;
        k = profile_key_find(config_setting_name(s));
        if (k < 0)
            return conf_err(conf, s, err, "unknown key '%s' in profiles.%s", config_setting_name(s), p->name);
        text->said[k] = (struct said){conf, s, p};
    }
    return 0;
}

static int find_base(const struct profiles *set, const struct conf *conf, config_setting_t *group,
    const struct profile **ret, struct p11ca_err *err)
{
    config_setting_t *s = config_setting_get_member(group, "base");
    const char *name = s ? config_setting_get_string(s) : NULL;

    *ret = NULL;
    if (!s)
        return 0;
    *ret = name ? profiles_find(set, name) : NULL;
    if (*ret)
        return 0;
    return conf_err(conf, s, err, "profiles.%s: base: want a built-in profile or one above, have '%s'",
        config_setting_name(group), name ? name : "");
}

static int check_group(
    const struct profiles *set, const struct conf *conf, const config_setting_t *group, struct p11ca_err *err)
{
    const char *name = config_setting_name(group);

    if (!name_ok(name))
        return conf_err(
            conf, group, err, "profiles.%.64s: name: want lower-case letters, digits and '-'", name);
    if (!config_setting_is_group(group))
        return conf_err(conf, group, err, "profiles.%s: want a group { ... }", name);
    if (profiles_find(set, name))
        return conf_err(conf, group, err, "profiles.%s: there is a built-in profile of the name", name);
    if (set->n == PROFILES_MAX)
        return conf_err(conf, group, err, "profiles: want at most %d", PROFILES_MAX);
    return 0;
}

static int add_profile(
    struct profiles *set, const struct conf *conf, config_setting_t *group, struct p11ca_err *err)
{
    struct profile *p = arena_alloc(&set->arena, sizeof(*p));
    struct profile_text *text = arena_alloc(&set->arena, sizeof(*text));
    const struct profile *base;

    if (!p || !text)
        return err_nomem(err);
    if (check_group(set, conf, group, err) != 0 || find_base(set, conf, group, &base, err) != 0)
        return -1;
    p->name = config_setting_name(group);
    p->base = base ? base->name : NULL;
    p->builtin = conf == &builtin_conf;
    p->text = text;
    if (gather(conf, group, base, p, text, err) != 0)
        return -1;
    if (profile_compile(p, &set->arena, err) != 0) {
        struct p11ca_err why = *err;

        /* What no single line is to blame for, the group is. */
        return strcmp(why.code, "PROFILE") == 0 ? conf_err(conf, group, err, "%s", why.msg) : -1;
    }
    set->v[set->n++] = p;
    return digest(p, err);
}

static int add_all(
    struct profiles *set, const struct conf *conf, const config_setting_t *group, struct p11ca_err *err)
{
    int i, n = group ? config_setting_length(group) : 0;

    if (group && !config_setting_is_group(group))
        return conf_err(conf, group, err, "profiles: want a group { ... }");
    for (i = 0; i < n; i++) {
        if (add_profile(set, conf, config_setting_get_elem(group, (unsigned)i), err) != 0)
            return -1;
    }
    return 0;
}

/* --- the built-in ones --- */

static void make_builtin(void)
{
    struct p11ca_err *err = &builtin_why;

    builtin_made = conf_parse(&builtin_conf, "built-in profiles", profiles_text, err) == 0 &&
                   add_all(&builtin, &builtin_conf, config_lookup(&builtin_conf.cfg, "profiles"), err) == 0;
}

const struct profiles *profiles_builtin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_builtin);
    return builtin_made ? &builtin : NULL;
}

const struct profile *profile_find(const char *name)
{
    return profiles_find(profiles_builtin(), name);
}

const struct profile *profile_at(size_t i)
{
    return profiles_at(profiles_builtin(), i);
}

int profiles_read(
    const struct conf *conf, const config_setting_t *group, struct profiles **ret, struct p11ca_err *err)
{
    const struct profiles *base = profiles_builtin();
    struct profiles *set;

    if (!base) {
        *err = builtin_why;
        return -1;
    }
    set = calloc(1, sizeof(*set));
    if (!set)
        return err_nomem(err);
    memcpy(set->v, base->v, sizeof(set->v));
    set->n = base->n;
    if (add_all(set, conf, group, err) != 0) {
        profiles_free(set);
        return -1;
    }
    *ret = set;
    return 0;
}

/* --- text --- */

static void add_string(struct buf *b, const char *s)
{
    buf_addc(b, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_addc(b, '\\');
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            buf_addf(b, "\\x%02x", (unsigned char)*s);
        else
            buf_addc(b, (uint8_t)*s);
    }
    buf_addc(b, '"');
}

static void add_value(struct buf *b, const config_setting_t *s);

static void add_elements(struct buf *b, const config_setting_t *s, const char *open, const char *close)
{
    bool group = config_setting_is_group(s);
    int i, n = config_setting_length(s);

    buf_adds(b, open);
    for (i = 0; i < n; i++) {
        const config_setting_t *e = config_setting_get_elem(s, (unsigned)i);

        buf_adds(b, i && !group ? ", " : " ");
        if (group)
            buf_addf(b, "%s = ", config_setting_name(e));
        add_value(b, e);
        if (group)
            buf_addc(b, ';');
    }
    buf_adds(b, n ? " " : "");
    buf_adds(b, close);
}

static void add_value(struct buf *b, const config_setting_t *s)
{
    if (config_setting_get_string(s))
        add_string(b, config_setting_get_string(s));
    else if (config_setting_type(s) == CONFIG_TYPE_INT)
        buf_addf(b, "%d", config_setting_get_int(s));
    else if (config_setting_type(s) == CONFIG_TYPE_BOOL)
        buf_adds(b, config_setting_get_bool(s) ? "true" : "false");
    else if (config_setting_is_group(s))
        add_elements(b, s, "{", "}");
    else if (config_setting_is_list(s))
        add_elements(b, s, "(", ")");
    else if (config_setting_is_array(s))
        add_elements(b, s, "[", "]");
}

int profile_values(const struct profile *p, profile_value_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;
    size_t i;

    for (i = 0; profile_key(i); i++) {
        const struct said *said = &p->text->said[i];
        const char *file;

        if (!said->at)
            continue;
        buf_reset(&text);
        add_value(&text, said->at);
        if (!buf_str(&text))
            return err_nomem(err);
        file = config_setting_source_file(said->at);
        fn(arg, &(struct profile_value){.key = profile_key(i),
                    .value = (char *)text.p,
                    .by = said->by->name,
                    .file = said->by->builtin ? NULL
                            : file            ? file
                                              : said->conf->path,
                    .line = config_setting_source_line(said->at)});
    }
    return 0;
}

static void add_line(void *arg, const struct profile_value *v)
{
    buf_addf(arg, "    %s = ", v->key);
    buf_adds(arg, v->value);
    buf_adds(arg, ";\n");
}

int profile_to_conf(const struct profile *p, struct buf *ret, struct p11ca_err *err)
{
    buf_addf(ret, "  %s = {\n", p->name);
    if (profile_values(p, add_line, ret, err) != 0)
        return -1;
    buf_adds(ret, "  };\n");
    return buf_ok(ret) ? 0 : err_nomem(err);
}
