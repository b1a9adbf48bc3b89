/* Everything that a session can see on a token. */
#ifndef TOKEN_INVENTORY_H
#define TOKEN_INVENTORY_H

#include "token/token.h"

/* One object. Texts are escaped; empty when the object has no such attribute. */
struct object_seen {
    const char *class; /* "private key", "certificate", ...; "class 0x80000001" for one without a name */
    const char *label;
    const char *id;   /* hex */
    const char *type; /* of a key: "EC", "RSA", ... */
    bool is_private;  /* seen by the user only */
};
typedef void object_seen_fn(void *arg, const struct object_seen *seen);

struct inventory {
    size_t n;
    bool logged_in; /* if not, private objects are not seen, and not counted */
};

/* fn may be NULL. Refused: LIMIT_OBJECTS or more (OBJECTS). */
P11CA_CHECK int inventory(
    const struct token *t, object_seen_fn *fn, void *arg, struct inventory *ret, struct p11ca_err *err);

#endif
