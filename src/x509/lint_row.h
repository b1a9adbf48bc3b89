/* What the files of the lint share: one question's state, the words of a check, readers of foreign values, the tables. */
#ifndef X509_LINT_ROW_H
#define X509_LINT_ROW_H

#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/lint.h"
#include "x509/ocsp.h"

/* Of an object with its signature; all empty while it is to be signed. */
struct lint_whole {
    struct der der;    /* the object */
    struct der alg_id; /* outer signatureAlgorithm, TLV */
    struct der sig;    /* octets of signatureValue */
};

struct lint {
    struct lint_question q;
    unsigned rules;   /* of the question and of its profile */
    bool errors_only; /* before a signature, which warnings and notices do not block: they are not asked */
    struct lint_whole whole;
    struct der tbs; /* of a certificate or a CRL */

    /* of a certificate */
    struct tbs t;
    struct cert_facts f;
    bool facts_ok, self_issued, is_ca;
    struct spki spki;
    bool spki_ok;
    struct p11ca_err facts_why, spki_why; /* what their readers said */

    /* of a CRL */
    struct crl_tbs crl;
    struct crl_item item;            /* the entry at hand, for the rows of entries */
    struct der before;               /* serial of the entry before, empty for the first */
    char serial[2 * SERIAL_LEN + 1]; /* of the entry, for people; empty for other rows */

    /* of a request */
    const struct csr *csr;

    /* of an OCSP response */
    struct ocsp ocsp;
    struct ocsp_single single;        /* the answer at hand, for their rows */
    const struct ocsp_signer *signer; /* NULL: not to be found, or none that may sign */
    struct p11ca_err signer_why;      /* then: why */

    struct p11ca_err why; /* what another function of this layer found */
    char text[512];       /* want ..., have ... */
    bool told;            /* why holds the whole finding, with source and field */
};

/* Each returns false, so that a check reads well: return ok || lint_have(l, "want it, have none"). */
bool lint_have(struct lint *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool lint_because(struct lint *l); /* what is in l->why: its code, its words */

/* Tables; each ends with a row without id. */
extern const struct lint_rule lint_rows_rfc5280[], lint_rows_ext[], lint_rows_profile[], lint_rows_br[],
    lint_rows_device[], lint_rows_services[], lint_rows_crl[], lint_rows_entry[], lint_rows_csr[],
    lint_rows_ocsp[], lint_rows_single[];

/* Asks every row of a table; false from fn ends it. */
typedef bool lint_tell_fn(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding);
bool lint_ask(struct lint *l, const struct lint_rule *rows, lint_tell_fn *fn, void *arg);
void lint_tell(struct lint *l, const struct lint_rule *rule, struct p11ca_err *ret);

/* Whether the signature, by what the signed part says is its algorithm, is this key's. True when that is none of ours. */
bool lint_verify(struct lint *l, struct der alg_id, const struct spki *key);

/* What is wrong with the signature algorithm of an object; NULL: nothing. */
const char *lint_weak_digest(struct der alg_id, char dst[OID_TEXT]);

/* --- lint_read.c: values as RFC 5280 has them, more of them than we would issue --- */

/* Takes the next GeneralName off in: tag (class and number, without the bit for constructed) and content. */
P11CA_CHECK int lint_next_name(struct der *in, unsigned *ret_number, struct der *ret_content);

/* The number of names of this kind in the SAN (GeneralName tag), and the last of them. */
size_t lint_sans(const struct lint *l, unsigned number, struct der *ret);

/* The same of otherNames: content of the [0]. */
size_t lint_other_names(const struct lint *l, enum oid type, struct der *ret);

/* NULL, or what is wanted and was not found. */
const char *lint_general_names(struct der content);
const char *lint_general_name(unsigned number, struct der content);

/* Attributes of this type in a name, and the value (TLV) of the last of them. */
size_t lint_attrs(struct der name, enum oid type, struct der *ret);

/* Whether extKeyUsage or certificatePolicies name this OID (content octets). */
bool lint_has_eku(const struct lint *l, struct der oid);
bool lint_has_policy(const struct lint *l, struct der oid);

/* Days of validity; a part of one counts as one (BR 6.3.2). */
int64_t lint_days(const struct lint *l);

#define LINT_OID(literal) DER_OF((const uint8_t *)(literal), sizeof(literal) - 1)

#define LINT_PIV_NACI LINT_OID("\x60\x86\x48\x01\x65\x03\x06\x09\x01") /* 2.16.840.1.101.3.6.9.1 */

/* The value of the extension when it is there. */
bool lint_ext(const struct lint *l, enum oid id, struct der *ret_value);

#endif
