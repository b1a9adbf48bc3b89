/* The keys of a profile, one table, and what is made of them; shared by the parts of profiles.h. */
#ifndef X509_PROFILE_READ_H
#define X509_PROFILE_READ_H

#include "base/conf.h"
#include "x509/profile.h"

#define PROFILE_KEYS_MAX 48

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

/* Memory of profiles, freed as a whole. */
struct kept;
struct arena {
    struct kept *first;
};
void *arena_keep(struct arena *a, size_t size); /* zeroed; NULL: no memory */
void arena_done(struct arena *a);

/* Name of the i-th key, NULL past the end. */
const char *profile_key(size_t i);

/* The number of a key, -1 for none. */
int profile_key_find(const char *name);

/* Fills p, whose name, base, builtin and text are there already, from the text. P11CA_CONFIG names file and line. */
P11CA_CHECK int profile_compile(struct profile *p, struct arena *arena, struct p11ca_err *err);

#endif
