/* What others are to trust, as files. */
#ifndef P11CA_BUNDLE_H
#define P11CA_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include <p11ca/home.h>

enum p11ca_rotation {
    P11CA_ROTATION_NONE,
    P11CA_ROTATION_NOW,     /* the first authority's root alone */
    P11CA_ROTATION_OVERLAP, /* both */
    P11CA_ROTATION_AFTER    /* the second one's alone */
};

struct p11ca_bundle {
    const char *const *authorities; /* whose roots; none: those of all */
    size_t n_authorities;
    enum p11ca_rotation rotation; /* not NONE: two authorities, the present and the next */
    bool
        chain; /* the CA certificates between them and their roots, too: for servers, and clients that fetch none */
    bool cross; /* what these roots have signed for the other roots given, and is still good */
    bool pkcs7; /* one PKCS #7 envelope (RFC 2315) in DER, not PEM */
    const char *output;
    bool force; /* replace output */
};

/*
 * Writes the bundle: roots first, then cross certificates, then the CA certificates below them. ret_n: how many. The same
 * content already there is left as it is.
 */
P11CA_API P11CA_CHECK int p11ca_bundle(
    struct p11ca_home *home, const struct p11ca_bundle *order, size_t *ret_n, struct p11ca_err *err);

#endif
