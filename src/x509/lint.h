/*
 * The lint: every rule that a certificate, a CRL or a request can break, a row each, over to-be-signed bytes and over
 * finished objects. tbs_lint() of cert.h and crl_tbs_lint() of crl.h are the same rows before a signature, stopping at
 * the first error; the functions here are for whoever wants to see everything, of foreign objects too.
 *
 * Errors block a signature. Warnings (SHOULD) and notices do not, and are not asked before one.
 *
 * A finding's code is the rule's id, or a more exact one (NAME_TOO_LONG for LINT_NAME) of whoever looked.
 */
#ifndef X509_LINT_H
#define X509_LINT_H

#include "x509/issuer.h"
#include "x509/profile.h"

enum lint_severity { LINT_ERROR, LINT_WARNING, LINT_NOTICE };

/* What a rule is asked of; all that are set must hold, but for CA and leaf, root and issued. */
enum lint_where {
    ON_EVERY = 0,
    ON_PROFILED = 1,   /* certificates judged by a profile, CRLs of our own */
    ON_FOREIGN = 2,    /* those that are not: against a profile another rule says the same, or more */
    ON_READABLE = 4,   /* all its known extensions can be read */
    ON_KEYED = 8,      /* its key is of a kind we know */
    ON_CA = 16,        /* cA TRUE, or without basicConstraints self-issued */
    ON_LEAF = 32,      /* all others */
    ON_ROOT = 64,      /* self-issued */
    ON_ISSUED = 128,   /* not self-issued */
    ON_FINISHED = 256, /* with its signature */
    ON_BELOW = 512,    /* the issuer's certificate is at hand */
    ON_CRL = 1024,     /* a CRL, not a certificate */
    ON_ENTRY = 2048,   /* each entry of a CRL */
    ON_CSR = 4096,     /* a request */
    ON_FIXED = 8192,   /* no profile may skip it */
    ON_OCSP = 16384    /* an OCSP response, or one of its answers */
};

struct lint;

struct lint_rule {
    const char *id, *source, *field;
    enum lint_severity severity;
    unsigned where; /* ON_* */
    unsigned rules; /* RULES_*: only for those who ask for one of them; 0: for all */
    bool (*check)(struct lint *l);
};

/* Every rule, in the order in which they are asked; NULL past the end. */
const struct lint_rule *lint_rule_at(size_t i);

/* NULL when there is none of this id. */
const struct lint_rule *lint_rule_find(const char *id);
bool lint_rule_exists(const char *id);

/* "error", "warning", "notice" */
const char *lint_severity_text(enum lint_severity severity);

/* "certificate, issued CA, br" */
#define LINT_APPLIES 128
const char *lint_applies_text(const struct lint_rule *rule, char dst[LINT_APPLIES]);

/* RULES_* by the names of the families, "br,matter"; P11CA_USAGE. lint_family_at() gives the names, NULL past the end. */
P11CA_CHECK int lint_families(const char *names, unsigned *ret, struct p11ca_err *err);
const char *lint_family_at(size_t i);

/* The RULES_* of one name, 0 for none. */
unsigned lint_family(const char *name, size_t len);

/*
 * Whether a profile may skip what it skips: an existing rule that is not among those nobody may skip, once, and with a
 * reason. P11CA_CONFIG, code PROFILE.
 */
P11CA_CHECK int lint_check_skips(const struct profile *p, struct p11ca_err *err);

/* "RULE: reason", for ledger and transcript; escaped, a long reason is cut. */
#define LINT_SKIP_TEXT 512
const char *lint_skip_text(const struct lint_skip *skip, char dst[LINT_SKIP_TEXT]);

struct lint_question {
    const struct profile *
        profile; /* NULL: only what holds for every certificate; else CRLs and OCSP responses are judged as ours */
    unsigned rules;              /* RULES_* beside those of the profile */
    const struct issuer *issuer; /* NULL: not at hand; to be signed by a profile: self-signed */
};

/* One call for each rule that is broken. finding: kind P11CA_REFUSED, message with profile, source and field. */
typedef void lint_finding_fn(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding);

/*
 * DER of a whole object, whatever is in it: what cannot be read breaks LINT_SYNTAX, CRL_SYNTAX, LINT_CSR or
 * OCSP_SYNTAX, and then nothing else is asked. Thread safe.
 */
void lint_cert(struct der cert, const struct lint_question *q, lint_finding_fn *fn, void *arg);
void lint_tbs(struct der tbs, const struct lint_question *q, lint_finding_fn *fn, void *arg);
void lint_crl(struct der crl, const struct lint_question *q, lint_finding_fn *fn, void *arg);
void lint_csr(struct der csr, const struct lint_question *q, lint_finding_fn *fn, void *arg);
void lint_ocsp(struct der response, const struct lint_question *q, lint_finding_fn *fn, void *arg);

#endif
