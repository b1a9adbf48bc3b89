/* The keys of a profile, one table, and what is made of them; shared by the parts of profiles.h. */
#ifndef X509_PROFILE_READ_H
#define X509_PROFILE_READ_H

#include "base/arena.h"
#include "base/conf.h"
#include "base/limits.h"
#include "x509/profile.h"

#define PROFILE_KEYS_MAX 48
#define PROFILE_LIST_MAX 32 /* slots, policies, extensions, words */

/* Where a key was said. */
struct said {
    const struct conf *conf;
    config_setting_t *at; /* NULL: nowhere */
    const struct profile *by;
};

/* The profile as text: what is in effect of each key, in the order of the table. */
struct profile_text {
    struct said said[PROFILE_KEYS_MAX];
};

/* "FILE:LINE: profiles.NAME: KEY: what", at is a setting below where it was said. */
int profile_err(const struct said *said, const char *key, const config_setting_t *at, struct p11ca_err *err,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* A profile on its way. */
struct profile_making {
    struct profile *p;
    struct arena *arena;
    const struct said *said; /* the key at hand */
    const char *key;
    struct fixed_ext fixed[LIMIT_EXTS]; /* p->n_fixed of them */
};

/* An error at a setting of the key at hand. */
#define profile_refuse(m, at, err, ...) profile_err((m)->said, (m)->key, at, err, __VA_ARGS__)

/* The bytes, in the profile's memory. */
P11CA_CHECK int profile_keep_der(
    struct profile_making *m, const struct buf *b, struct der *ret, struct p11ca_err *err);

struct profile_word {
    const char *name;
    unsigned value;
};

/* One word of a table. */
P11CA_CHECK int profile_read_word(const struct profile_making *m, const config_setting_t *s,
    const struct profile_word *words, size_t n, const char *name, unsigned *ret, struct p11ca_err *err);

/* At most PROFILE_LIST_MAX strings. */
P11CA_CHECK int profile_read_strings(const struct profile_making *m, config_setting_t *s, const char **v,
    size_t *ret_n, struct p11ca_err *err);

/* One more extension that is the same in all; value holds its value. */
P11CA_CHECK int profile_fix_ext(struct profile_making *m, const config_setting_t *s, struct der oid,
    bool critical, struct buf *value, struct p11ca_err *err);

/* Readers of keys: profile_ext.c */
typedef int profile_key_fn(struct profile_making *m, config_setting_t *s, struct p11ca_err *err);
profile_key_fn profile_policies, profile_name_constraints, profile_tls_feature, profile_no_rev_avail,
    profile_masa_url;

/* profile_slot.c */
profile_key_fn profile_subject_slots, profile_san_slots, profile_extensions, profile_skip_lint;

/* Name of the i-th key, NULL past the end. */
const char *profile_key(size_t i);

/* The number of a key, -1 for none. */
int profile_key_find(const char *name);

/* Fills p, whose name, base, builtin and text are there already, from the text. P11CA_CONFIG names file and line. */
P11CA_CHECK int profile_compile(struct profile *p, struct arena *arena, struct p11ca_err *err);

#endif
