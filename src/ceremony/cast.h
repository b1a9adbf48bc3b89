/* What a script wants to find when it begins: keys, CA certificates and files that none of its own steps makes. */
#ifndef CEREMONY_CAST_H
#define CEREMONY_CAST_H

#include "ceremony/script.h"
#include "issue/home.h"
#include "x509/spki.h"

struct cast_member {
    const char *name;
    bool recorded; /* in the real home: the stand-in is of the same kind */
    struct spki spki;
    bool generates, certifies; /* a step makes the key, the certificate */
    bool need_key, need_cert;
    bool key_made, cert_made; /* while the stage is set */
};

enum cast_what { CAST_FILE, CAST_REQUEST, CAST_CERTIFICATE };

struct cast_file {
    enum cast_what what;
    const char *name;
    const char *authority; /* CAST_CERTIFICATE: whose */
    const char *subject;   /* CAST_REQUEST */
};

struct cast {
    struct cast_member *members; /* as in home->authorities */
    size_t n;
    struct cast_file files[LIMIT_STEPS];
    size_t n_files;
    bool outside_made;
};

#define AUTO_CAST __attribute__((cleanup(cast_done))) struct cast

P11CA_CHECK int cast_make(
    struct cast *ret, const struct p11ca_home *real, const struct script *script, struct p11ca_err *err);
void cast_done(struct cast *cast);

/* NULL: none of the name. */
struct cast_member *cast_find(const struct cast *cast, const char *name);

#endif
