/*
 * Profiles from text: libconfig groups, each named, "base" saying from which it inherits. What a group says stands in
 * place of what its base says, key by key. The keys are in doc of the man page; profiles.c has the one table of them.
 *
 *   profiles = {
 *     sensor = { base = "device"; days = 3650; max-size = 1024; };
 *   };
 */
#ifndef X509_PROFILES_H
#define X509_PROFILES_H

#include "base/conf.h"
#include "x509/profile.h"

struct profiles;

/* The built-in ones; made at the first call, never freed. Thread safe. NULL: no memory. */
const struct profiles *profiles_builtin(void);

/*
 * Those of a group ("profiles = { ... }"; NULL: none) beside the built-in ones. conf has to live as long. P11CA_CONFIG
 * names file and line.
 */
P11CA_CHECK int profiles_read(
    const struct conf *conf, const config_setting_t *group, struct profiles **ret, struct p11ca_err *err);
void profiles_free(struct profiles *set);

/* NULL when there is none of the name. */
const struct profile *profiles_find(const struct profiles *set, const char *name);

/* In order, the built-in ones first; NULL past the end. */
const struct profile *profiles_at(const struct profiles *set, size_t i);

/* profiles_find() and profiles_at() among the built-in ones. */
const struct profile *profile_find(const char *name);
const struct profile *profile_at(size_t i);

/* One call for each key in effect: its value as libconfig text, the profile that says so, and where. */
struct profile_value {
    const char *key, *value;
    const char *by;   /* profile */
    const char *file; /* NULL: built in */
    unsigned line;
};
typedef void profile_value_fn(void *arg, const struct profile_value *value);
P11CA_CHECK int profile_values(
    const struct profile *p, profile_value_fn *fn, void *arg, struct p11ca_err *err);

/* Appends the profile as a group that inherits from nothing: "sensor = { ... };". */
P11CA_CHECK int profile_to_conf(const struct profile *p, struct buf *ret, struct p11ca_err *err);

#endif
