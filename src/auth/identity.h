/* What the parts of p11ca/auth.h know of an identity. */
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include <p11ca/auth.h>

#include <string.h>

#include "base/arena.h"
#include "base/scope.h"
#include "x509/cert.h"

/* CN, serialNumber, subject */
#define IDENTITY_SUBJECT_NAMES 3
#define IDENTITY_NAMES         (LIMIT_SANS + IDENTITY_SUBJECT_NAMES)

struct p11ca_identity {
    struct cert cert;
    struct cert_facts facts;
    struct p11ca_identity_facts pub;
    struct p11ca_name *names;                /* pub.names */
    struct san_list *sans;                   /* of names[i] */
    struct p11ca_err cn_fault, serial_fault; /* kind P11CA_OK: none */
    struct spki spki;
    struct p11ca_err key_fault; /* why spki is not filled */
    struct arena arena;
};

static inline void identity_scope(struct p11ca_identity **id)
{
    p11ca_identity_free(*id);
}
#define AUTO_IDENTITY __attribute__((cleanup(identity_scope))) struct p11ca_identity *

/* A copy of the text that lives as long as the identity; NULL: no memory. */
const char *identity_text(struct p11ca_identity *id, const void *p, size_t len);

/* Whether the bytes may be DER, which starts with a SEQUENCE and, unlike PEM with something before it, has a NUL. */
static inline bool cert_is_der(const void *p, size_t len)
{
    return len && *(const uint8_t *)p == DER_SEQUENCE && memchr(p, 0, len);
}

/* Of an alternative name: a URI is one of three kinds. */
enum p11ca_name_kind identity_kind_of(const struct san *san);

/* Whether the name is a wildcard, which names nobody. */
bool identity_is_wildcard(const struct p11ca_name *name);

/* The names of id->cert into id->names, ->sans and ->pub (RFC 5280 4.2.1.6, 4.1.2.6). */
P11CA_CHECK int identity_read_names(struct p11ca_identity *id, struct p11ca_err *err);

/* Extensions: none twice, none critical that nobody here reads; usages and policies into id->pub. */
P11CA_CHECK int identity_read_exts(struct p11ca_identity *id, struct p11ca_err *err);

/* With a SPIFFE ID among the names: the rules of X509-SVID 4 and 5.2 for a leaf; trust domain and path into id->pub. */
P11CA_CHECK int identity_read_spiffe(struct p11ca_identity *id, struct p11ca_err *err);

/* Whether the dotted identifier is among them. */
bool identity_has_eku(const struct p11ca_identity *id, const char *dotted);
bool identity_has_policy(const struct p11ca_identity *id, const char *dotted);

#endif
