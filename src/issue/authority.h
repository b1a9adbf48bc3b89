/*
 * An authority at work: its token, its checked key as a signer, what the ledger has recorded of it.
 */
#ifndef ISSUE_AUTHORITY_H
#define ISSUE_AUTHORITY_H

#include "base/scope.h"
#include "issue/home.h"
#include "token/signer.h"
#include "x509/issuer.h"

struct authority {
    const struct authority_conf *conf;
    struct token *token;
    struct key key;
    struct signer *signer;
    struct spki spki;
    struct ledger_authority *record; /* NULL: nothing recorded yet */
};

#define AUTO_AUTHORITY __attribute__((cleanup(authority_done))) struct authority

/*
 * Opens the token, logs in, finds the key, checks it against the policy and then against the record. A key that is
 * not recorded yet is taken as it is; record it with authority_record(). Stays where it is: the signer points into it.
 */
P11CA_CHECK int authority_open(struct authority *ret, const struct p11ca_home *home, struct ledger *l,
    const struct authority_conf *conf, struct p11ca_err *err);
void authority_done(struct authority *a);

/* The key in the token must be the one that was recorded, by ID and by public key: KEY_MISMATCH. None recorded: fine. */
P11CA_CHECK int authority_check_record(const struct authority *a, struct p11ca_err *err);

/* Records the open key in the ledger, in a transaction of its own. The same key again changes nothing. */
P11CA_CHECK int authority_record(const struct authority *a, struct ledger *l, struct p11ca_err *err);

/* The CA certificate as an issuer; *ret NULL when none is installed. */
P11CA_CHECK int authority_issuer(
    struct ledger *l, const struct authority_conf *conf, struct issuer **ret, struct p11ca_err *err);

/* As authority_issuer(), an authority without one refused - after its key was looked at: one that breaks the policy is
 * the more urgent news. */
P11CA_CHECK int authority_need_issuer(const struct p11ca_home *home, struct ledger *l,
    const struct authority_conf *conf, struct issuer **ret, struct p11ca_err *err);

/*
 * Which of the authority's CRLs tells of the certificate with this serial: 1 + (its last two octets, as a number, modulo
 * crl-partitions); 0: there is one for all. And the URL that the certificate names; NULL: none.
 */
unsigned authority_crl_part(const struct authority_conf *conf, const uint8_t *serial, size_t len);
const char *authority_crl_url(const struct authority_conf *conf, const uint8_t *serial, size_t len);

/* A profile that the authority may issue; PROFILE_NOT_ALLOWED. */
P11CA_CHECK int authority_profile(const struct p11ca_home *home, const struct authority_conf *conf,
    const char *name, const struct profile **ret, struct p11ca_err *err);

SCOPE_DEFINE(issuer, struct issuer *, issuer_free)
#define AUTO_ISSUER SCOPED(issuer) struct issuer *
SCOPE_DEFINE(ledger, struct ledger *, ledger_close)
#define AUTO_LEDGER SCOPED(ledger) struct ledger *
SCOPE_DEFINE(ledger_cert, struct ledger_cert *, ledger_cert_free)
#define AUTO_LEDGER_CERT SCOPED(ledger_cert) struct ledger_cert *
SCOPE_DEFINE(ledger_crl, struct ledger_crl *, ledger_crl_free)
SCOPE_DEFINE(record, struct ledger_authority *, ledger_authority_free)
#define AUTO_RECORD SCOPED(record) struct ledger_authority *

#endif
