/* Keys and CA certificates of authorities. */
#ifndef ISSUE_CA_H
#define ISSUE_CA_H

#include "issue/authority.h"

/* Appends its CA certificate and those of its issuers in this home, up to the root, in PEM. */
P11CA_CHECK int ca_chain(struct p11ca_home *home, struct ledger *l, const struct authority_conf *conf,
    struct buf *ret, struct p11ca_err *err);

/* Puts the certificate into the ledger, in a transaction of its own. The same again changes nothing. */
P11CA_CHECK int ca_install(
    struct ledger *l, const struct authority_conf *conf, struct der cert, struct p11ca_err *err);

/* p11ca_install() of bytes that were read before; name: what messages call them. */
P11CA_CHECK int ca_take_in(
    struct p11ca_home *home, const char *authority, const char *name, struct der file, struct p11ca_err *err);

/*
 * A request for the authority's CA certificate. AGAIN: an interrupted run may have written it; a file that is the
 * request of this very key and subject is left as it is, and nothing is signed again.
 */
enum ca_request { CA_REQUEST_NEW, CA_REQUEST_FORCE, CA_REQUEST_AGAIN };
P11CA_CHECK int ca_request(struct p11ca_home *home, const char *authority, const char *output,
    enum ca_request how, struct p11ca_err *err);
/* What a ceremony does with a key before it is anybody's: it writes down what can be seen of it. */
struct key_hooks {
    /* Non-zero, with err filled, when the key must not be recorded. k->adopted: an earlier run has generated it. */
    int (*evidence)(void *arg, const struct key *k, struct p11ca_err *err);
    void *arg;
};

/*
 * Generates the key of an authority with an ID that the caller has recorded (key_draw_id()), shows it to the hooks (NULL:
 * none) and records it in the ledger. Called again with the same ID it finishes what was interrupted: a pair that is in
 * the token is adopted as key_generate() does, and when the ledger has this very key already - ID, public key, and it
 * signs - only the hooks are called. Another recorded key: AUTHORITY_HAS_KEY.
 *
 * A pair that the hooks refuse is destroyed if this call has generated it. An adopted one stays: it may stand in what an
 * earlier run has shown to people.
 */
P11CA_CHECK int ca_generate_key(struct p11ca_home *home, const char *authority, const char *algorithm,
    const uint8_t id[KEY_ID_LEN], const struct key_hooks *hooks, struct p11ca_err *err);

/*
 * Destroys the key of an authority in its token, if it is the recorded one, and then appends the event "destroy" with the
 * SHA-256 of its SubjectPublicKeyInfo. Again: no key and the event there is success. No key and no event is refused
 * (KEY_NOT_FOUND) unless resume says that an earlier run may have been interrupted in between; then the event is appended.
 */
P11CA_CHECK int ca_destroy_key(
    struct p11ca_home *home, const char *authority, bool resume, struct p11ca_err *err);

#endif
