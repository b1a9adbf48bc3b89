/*
 * libp11ca-auth: who is calling. For services that accept client certificates: TLS proves that the client holds the key,
 * this library answers who it is and whether it may. It needs libcrypto, and libconfig where a file is read; no token,
 * no ledger. pkg-config calls it p11ca-auth.
 *
 * Order of calls:
 *
 *   p11ca_identity_read()     what the certificate says, or why it says nothing
 *   p11ca_auth_check()        whether that is one of those who are let in
 *
 * Everything fails closed: an error is a refusal. Codes are stable words for programs, messages are sentences for
 * people; neither repeats what is secret. The calling thread's queue of libcrypto errors is emptied where libcrypto
 * refuses something.
 *
 * Text is UTF-8 without control characters. Sizes are octets, times seconds since 1970 UTC. All pointers given out are
 * borrowed from the object they were asked of and good until it is freed.
 */
#ifndef P11CA_AUTH_H
#define P11CA_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <p11ca/err.h>

/* --- identity --- */

/* What names a client. The order is of no meaning. */
enum p11ca_name_kind {
    P11CA_NAME_DNS,      /* dNSName */
    P11CA_NAME_IP,       /* iPAddress */
    P11CA_NAME_URI,      /* uniformResourceIdentifier, of none of the two schemes below */
    P11CA_NAME_SPIFFE,   /* spiffe://TRUST-DOMAIN/PATH */
    P11CA_NAME_UUID,     /* urn:uuid:..., in lower case */
    P11CA_NAME_EMAIL,    /* rfc822Name */
    P11CA_NAME_SMTPUTF8, /* SmtpUTF8Mailbox, RFC 9598 */
    P11CA_NAME_SRV,      /* SRVName, RFC 4985 */
    P11CA_NAME_UPN,      /* userPrincipalName */
    P11CA_NAME_HW,       /* HardwareModuleName, RFC 4108 5, as TYPE:SERIAL */
    P11CA_NAME_PERMID,   /* permanentIdentifier, RFC 4043, as [ASSIGNER]:[VALUE] */
    P11CA_NAME_FASCN,    /* FASC-N of a PIV card, its fields with dashes between */
    P11CA_NAME_RID,      /* registeredID */
    P11CA_NAME_DIRNAME,  /* directoryName, RFC 4514 */
    P11CA_NAME_OTHER,    /* an otherName of another type, as TYPE:#HEX of its DER; never a principal */
    P11CA_NAME_CN,       /* the subject's commonName */
    P11CA_NAME_SERIAL,   /* the subject's serialNumber attribute */
    P11CA_NAME_SUBJECT,  /* the whole subject, RFC 4514 */
    P11CA_NAME_KINDS
};

/* "DNS", "IP", "URI", "SPIFFE", "UUID", "email", "smtputf8", "SRV", "UPN", "hw", "permid", "FASC-N", "RID", "dirname",
 * "other", "CN", "serialNumber", "subject". Never NULL for a kind of the table. */
P11CA_API const char *p11ca_name_kind(enum p11ca_name_kind kind);

/* The kind of that name, without regard to case; P11CA_NAME_KINDS: none. */
P11CA_API enum p11ca_name_kind p11ca_name_kind_find(const char *name);

struct p11ca_name {
    enum p11ca_name_kind kind;
    const char *text; /* canonical */
};

#define P11CA_SHA256     32
#define P11CA_THUMBPRINT 44 /* 43 characters and a NUL */

/* What a certificate says of whom it was given to. */
struct p11ca_identity_facts {
    unsigned version;               /* 1 to 3 */
    const char *subject, *issuer;   /* RFC 4514; the subject may be empty */
    const char *serial;             /* hexadecimal digits, as OpenSSL prints it */
    int64_t not_before, not_after;  /* both included */
    const char *key;                /* "EC P-256"; empty: of a kind this library does not verify with */
    const struct p11ca_name *names; /* the SAN in its order, then CN, serialNumber, subject */
    size_t n_names;
    const char *trust_domain, *path; /* of the SPIFFE ID; NULL: it has none. The path begins with a slash. */
    const char *const *policies;     /* dotted */
    size_t n_policies;
    const char *const *ekus; /* dotted */
    size_t n_ekus;
    bool has_key_usage;
    const char *key_usage;             /* "digitalSignature, keyAgreement"; empty when there is none */
    uint8_t sha256[P11CA_SHA256];      /* of the certificate's DER */
    uint8_t spki_sha256[P11CA_SHA256]; /* of its SubjectPublicKeyInfo */
    char thumbprint[P11CA_THUMBPRINT]; /* RFC 8705 3.1 x5t#S256: base64url of sha256 without padding */
};

/* Immutable: threads may share it. */
struct p11ca_identity;

/*
 * The identity in one DER certificate, which is copied. Nothing is verified but the form: p11ca_auth_check() does the
 * rest. P11CA_REFUSED with the true reason: a name that does not parse is never passed over, nor an extension that is
 * there twice or critical and unknown. Codes: INPUT_TYPE (PEM, other objects), INPUT_TOO_LARGE, DER_*, CERT_SYNTAX,
 * CERT_ALG_MISMATCH, CERT_VERSION, CERT_SERIAL, CERT_EXT_TWICE, CERT_EXT_CRITICAL, CERT_EXT_BAD, CERT_PATHLEN,
 * CERT_KEY_USAGE, CERT_NAMELESS, IDENT_CA (an authority authenticates nobody), NAME_*, SAN_*, SPIFFE_ID, and by
 * X509-SVID 4 and 5.2 SPIFFE_URIS, SPIFFE_PATH, SPIFFE_KEY_USAGE, SPIFFE_EKU. Caller frees.
 */
P11CA_API P11CA_CHECK int p11ca_identity_read(
    const void *der, size_t len, struct p11ca_identity **ret, struct p11ca_err *err);

/* The same from a file, PEM or DER; P11CA_FILE when it cannot be read. */
P11CA_API P11CA_CHECK int p11ca_identity_load(
    const char *path, struct p11ca_identity **ret, struct p11ca_err *err);

/* NULL is taken. */
P11CA_API void p11ca_identity_free(struct p11ca_identity *id);

P11CA_API const struct p11ca_identity_facts *p11ca_identity_facts(const struct p11ca_identity *id);

/*
 * Who the certificate names, when names of these n kinds count, in this order: the first kind that is there decides.
 * P11CA_NEGATIVE: IDENT_NONE, none is there; IDENT_AMBIGUOUS, more than one is; IDENT_WILDCARD, a wildcard is nobody;
 * IDENT_KIND, "other" is no principal; and of the subject's attributes IDENT_CN_AMBIGUOUS, IDENT_CN_TYPE (neither
 * UTF8String nor PrintableString), IDENT_CN_TEXT (characters no name has), IDENT_CN_LENGTH (1 to 64), the same with
 * IDENT_SERIAL_ in front, whose type is PrintableString. What is there and wrong never leads to the next kind.
 */
P11CA_API P11CA_CHECK int p11ca_identity_principal(const struct p11ca_identity *id,
    const enum p11ca_name_kind *kinds, size_t n, const struct p11ca_name **ret, struct p11ca_err *err);

/* --- binding: RFC 8705, RFC 9440 --- */

/*
 * RFC 8705 3.1 x5t#S256 of a DER certificate, whoever it was given to. Of a file: PEM or DER. Errors as by
 * p11ca_identity_read(), those of the form alone.
 */
P11CA_API P11CA_CHECK int p11ca_thumbprint(
    const void *der, size_t len, char ret[P11CA_THUMBPRINT], struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_thumbprint_load(
    const char *path, char ret[P11CA_THUMBPRINT], struct p11ca_err *err);

/*
 * Whether a token with this confirmation ("cnf": {"x5t#S256": text}) is bound to the client's certificate; compared in
 * constant time. P11CA_NEGATIVE, THUMBPRINT_MISMATCH: it is another's (answer 401, invalid_token). P11CA_REFUSED,
 * THUMBPRINT_SYNTAX: not exactly 43 characters of base64url. Neither message has the values.
 */
P11CA_API P11CA_CHECK int p11ca_thumbprint_verify(
    const struct p11ca_identity *id, const char *text, size_t len, struct p11ca_err *err);

/*
 * The identity in the value of a Client-Cert field (RFC 9440 2.2), one Byte Sequence (RFC 8941 3.3.5) and nothing
 * beside it. Only from a proxy that is trusted to have removed what the client sent. P11CA_REFUSED: HEADER_SYNTAX
 * (lists, parameters, PEM, URL-encoding, spaces, missing colons, base64 that is not canonical), HEADER_TOO_LONG, and
 * those of p11ca_identity_read().
 */
P11CA_API P11CA_CHECK int p11ca_client_cert_read(
    const char *value, size_t len, struct p11ca_identity **ret, struct p11ca_err *err);

/* Certificates in TLS order, from the one that signed the client's. Immutable: threads may share it. */
struct p11ca_chain;

/*
 * The value of a Client-Cert-Chain field (RFC 9440 2.3), a List of Byte Sequences; one value, when the field was there
 * more than once joined with commas (RFC 9110 5.3). P11CA_REFUSED as above, and for more than 10. Caller frees.
 */
P11CA_API P11CA_CHECK int p11ca_client_cert_chain_read(
    const char *value, size_t len, struct p11ca_chain **ret, struct p11ca_err *err);
P11CA_API size_t p11ca_chain_count(const struct p11ca_chain *chain);

/* DER of one of them, from 0; NULL past the end. */
P11CA_API const void *p11ca_chain_at(const struct p11ca_chain *chain, size_t i, size_t *ret_len);
P11CA_API void p11ca_chain_free(struct p11ca_chain *chain);

/* --- pins --- */

enum p11ca_pin_kind {
    P11CA_PIN_CERT, /* SHA-256 of one certificate: a renewed one is another */
    P11CA_PIN_KEY   /* SHA-256 of the SubjectPublicKeyInfo: stays when the same key is certified again */
};

struct p11ca_pin {
    enum p11ca_pin_kind kind;
    uint8_t sha256[P11CA_SHA256];
    const char *label;             /* 1 to 64 octets of visible text, no other pin of the set has it */
    int64_t not_before, not_after; /* both included; 0: without bound */
};

/* Changed by one thread at a time; when nobody changes it, any number may ask. */
struct p11ca_pins;

/* An empty set; caller frees. NULL: no memory. */
P11CA_API struct p11ca_pins *p11ca_pins_new(void);
P11CA_API void p11ca_pins_free(struct p11ca_pins *pins);

/*
 * A copy of the pin joins the set. P11CA_REFUSED: PIN_KIND, PIN_LABEL, PIN_DATES (ends before it begins), PIN_THERE (the
 * label, or kind and digest), PIN_TOO_MANY (4,096).
 */
P11CA_API P11CA_CHECK int p11ca_pins_add(
    struct p11ca_pins *pins, const struct p11ca_pin *pin, struct p11ca_err *err);

/* P11CA_NEGATIVE, PIN_UNKNOWN: no pin has the label. */
P11CA_API P11CA_CHECK int p11ca_pins_remove(
    struct p11ca_pins *pins, const char *label, struct p11ca_err *err);

P11CA_API size_t p11ca_pins_count(const struct p11ca_pins *pins);

/* From 0, in the order in which they were added; NULL past the end. Good until the set is changed. */
P11CA_API const struct p11ca_pin *p11ca_pins_at(const struct p11ca_pins *pins, size_t i);

/*
 * The set in a file that p11ca_pins_save() wrote. P11CA_CONFIG, PIN_FILE, names file and line; P11CA_FILE. Caller frees.
 * Saved, the file is replaced as a whole, or stays as it was. Two processes that load, change and save take
 * p11ca_pins_change(), which does the three under a lock (FILE.lock, beside the file) and waits for it; create: the file
 * need not be there. What fn (0 or -1 with err) refuses is not saved.
 */
P11CA_API P11CA_CHECK int p11ca_pins_load(const char *path, struct p11ca_pins **ret, struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_pins_save(
    const struct p11ca_pins *pins, const char *path, struct p11ca_err *err);
typedef int p11ca_pins_fn(void *arg, struct p11ca_pins *pins, struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_pins_change(
    const char *path, bool create, p11ca_pins_fn *fn, void *arg, struct p11ca_err *err);

/*
 * Whether the client's certificate or key is pinned at this time; every digest is compared, each in constant time.
 * ret (may be NULL) is the pin. P11CA_NEGATIVE: PIN_NONE; PIN_EARLY, PIN_EXPIRED, when all that fit are.
 */
P11CA_API P11CA_CHECK int p11ca_pins_check(const struct p11ca_pins *pins, const struct p11ca_identity *id,
    int64_t now, const struct p11ca_pin **ret, struct p11ca_err *err);

/* The pin of a kind for a certificate's file, PEM or DER, anybody's. label and dates are left as they are. */
P11CA_API P11CA_CHECK int p11ca_pin_of_file(
    const char *path, enum p11ca_pin_kind kind, struct p11ca_pin *ret, struct p11ca_err *err);

/* --- revocation --- */

enum p11ca_status {
    P11CA_STATUS_UNKNOWN, /* nothing is loaded for who signed the certificate */
    P11CA_STATUS_GOOD,    /* a CRL in force does not list it */
    P11CA_STATUS_REVOKED, /* a CRL lists it, in force or not */
    P11CA_STATUS_STALE    /* not listed, but by a CRL that is past its nextUpdate, or of the future */
};

/* "unknown", "good", "revoked", "stale" */
P11CA_API const char *p11ca_status_text(enum p11ca_status status);

struct p11ca_revocation {
    enum p11ca_status status;
    int reason;         /* CRLReason, RFC 5280 5.3.1, of what is revoked; 0: unspecified */
    int64_t revoked_at; /* of what is revoked */
    int64_t this_update,
        next_update; /* of the CRL, with a delta the later and the earlier of both; 0: there is none */
};

/* "keyCompromise"; "unspecified" for numbers that mean nothing. */
P11CA_API const char *p11ca_reason_text(int reason);

/*
 * The CRLs of some authorities. Any number of threads may ask while one loads: they see what was there before or what
 * is there after, and never wait for files. Asking takes the logarithm of the number of entries.
 */
struct p11ca_crls;

/* Caller frees, when no thread asks any more. NULL: no memory. */
P11CA_API struct p11ca_crls *p11ca_crls_new(void);
P11CA_API void p11ca_crls_free(struct p11ca_crls *crls);

/*
 * An authority (certificate, PEM or DER) whose CRLs count; before anybody asks or loads. P11CA_REFUSED: ISSUER_BAD and
 * others for what is no CA, CRL_USAGE for one that may not sign CRLs, TOO_MANY_CAS for more than 32.
 */
P11CA_API P11CA_CHECK int p11ca_crls_add_ca(
    struct p11ca_crls *crls, const void *cert, size_t len, struct p11ca_err *err);

/*
 * In place of all that was loaded: the CRLs, complete and delta, of n files (PEM, also several, or DER) and directories
 * (their files *.crl, *.pem, *.der). Of complete ones of one authority the one with the highest number counts. All or
 * nothing: when one is refused, what was loaded before stays. A CRL belongs to the authority whose name has the same
 * octets and whose key signed it; in a directory, those of others are passed over. P11CA_REFUSED: CRL_ISSUER,
 * CRL_SIGNATURE, CRL_NUMBER, CRL_OLDER (than what is loaded: somebody plays an old one back), CRL_NEXT_UPDATE,
 * CRL_SCOPE (one for some certificates only), CRL_ENTRY, CRL_EXT_CRITICAL, CRL_EXT_TWICE, CRL_DELTA (no complete one
 * that it belongs to), CRL_SYNTAX, DER_*, PEM_*, INPUT_*; P11CA_FILE. One thread at a time.
 */
P11CA_API P11CA_CHECK int p11ca_crls_load(
    struct p11ca_crls *crls, const char *const *paths, size_t n, struct p11ca_err *err);

/* Entries that are loaded, of all authorities. */
P11CA_API size_t p11ca_crls_count(struct p11ca_crls *crls);

/* What is known at this time of the certificate, of which it is verified who signed it. */
P11CA_API void p11ca_crls_check(
    struct p11ca_crls *crls, const struct p11ca_identity *id, int64_t now, struct p11ca_revocation *ret);

/* --- authenticator --- */

/*
 * Who is let in. Made by one thread, in any order, until p11ca_auth_seal(); from then on nothing changes it, and any
 * number of threads may ask. Nothing is let in that no rule names: an authenticator without a trusted issuer, a kind of
 * principal, a rule, or a word on revocation cannot be sealed, and one that is not sealed refuses everybody.
 *
 * What these functions take is refused with P11CA_CONFIG and AUTH_CONFIG, but for certificates and keys, which say
 * themselves what is wrong with them; AUTH_SEALED after p11ca_auth_seal().
 */
struct p11ca_auth;

/* Caller frees. NULL: no memory. */
P11CA_API struct p11ca_auth *p11ca_auth_new(void);
P11CA_API void p11ca_auth_free(struct p11ca_auth *auth);

/*
 * Who may have signed the client's certificate: an authority's certificate (PEM or DER; name, key and validity count),
 * or a public key (PEM or DER of a SubjectPublicKeyInfo; whatever name it has). At most 32 of both. The signature is
 * verified: a name alone could be had from any other authority that TLS trusts. That the signature of these very octets is
 * right is remembered of the last few thousand certificates, and nothing else.
 */
P11CA_API P11CA_CHECK int p11ca_auth_trust_cert(
    struct p11ca_auth *auth, const void *cert, size_t len, struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_auth_trust_key(
    struct p11ca_auth *auth, const void *spki, size_t len, struct p11ca_err *err);

/*
 * What the certificate must have, each of what is named: extended key usages ("clientAuth", or dotted; none named:
 * clientAuth), key usages ("digitalSignature"; none named: that), policies (dotted). One without the extension has none;
 * anyExtendedKeyUsage and anyPolicy are no others than themselves.
 */
P11CA_API P11CA_CHECK int p11ca_auth_require_eku(
    struct p11ca_auth *auth, const char *usage, struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_auth_require_key_usage(
    struct p11ca_auth *auth, const char *usage, struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_auth_require_policy(
    struct p11ca_auth *auth, const char *dotted, struct p11ca_err *err);

/* One more kind of name, behind those that are there: see p11ca_identity_principal(). */
P11CA_API P11CA_CHECK int p11ca_auth_principal(
    struct p11ca_auth *auth, enum p11ca_name_kind kind, struct p11ca_err *err);

/*
 * A principal that is let in: this very name, in the way names of its kind are the same (hosts without regard to case).
 * In a URI and a SPIFFE ID a segment of the path that is "*" stands for any one segment; "*" is nothing special
 * elsewhere, and refused in a part of a segment. allow_any: every principal of the kind.
 */
P11CA_API P11CA_CHECK int p11ca_auth_allow(
    struct p11ca_auth *auth, enum p11ca_name_kind kind, const char *text, struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_auth_allow_any(
    struct p11ca_auth *auth, enum p11ca_name_kind kind, struct p11ca_err *err);

/*
 * Revocation: either by CRLs, borrowed, or not at all. Unknown is refused unless it is accepted here; stale is refused
 * unless the CRL was in force at most so many seconds ago. A CRL of the future stays refused.
 */
P11CA_API P11CA_CHECK int p11ca_auth_use_crls(struct p11ca_auth *auth, struct p11ca_crls *crls,
    bool accept_unknown, int64_t stale_seconds, struct p11ca_err *err);
P11CA_API P11CA_CHECK int p11ca_auth_no_revocation(struct p11ca_auth *auth, struct p11ca_err *err);

/* The client's certificate or key must also be pinned. Borrowed, and not changed as long as the authenticator lives. */
P11CA_API P11CA_CHECK int p11ca_auth_use_pins(
    struct p11ca_auth *auth, const struct p11ca_pins *pins, struct p11ca_err *err);

/* Verify the chain again, to this root (PEM or DER; more calls, more roots, at most 10). */
P11CA_API P11CA_CHECK int p11ca_auth_verify_chain(
    struct p11ca_auth *auth, const void *root, size_t len, struct p11ca_err *err);

/* Where the time comes from; without, from the system's clock. What is not after 1970 is refused, AUTH_CLOCK. */
typedef int64_t p11ca_clock_fn(void *arg);
P11CA_API P11CA_CHECK int p11ca_auth_clock(
    struct p11ca_auth *auth, p11ca_clock_fn *fn, void *arg, struct p11ca_err *err);

P11CA_API P11CA_CHECK int p11ca_auth_seal(struct p11ca_auth *auth, struct p11ca_err *err);

/*
 * A sealed one from a libconfig file; names of files in it are relative to its folder.
 *
 *   trust = [ "factory.crt" ];            # or trust-keys = [ "factory.pub" ];
 *   principal = [ "SPIFFE", "DNS" ];
 *   allow = [ "SPIFFE:spiffe://acme.example/web", "DNS:a.example" ];     # or allow-any = [ "SPIFFE" ];
 *   revocation = "crls";                  # or "none"
 *   crls = [ "crls/" ];                   # files, folders; they are of the CAs in trust
 *   unknown = "refuse";                   # or "accept"
 *   stale-seconds = 0;
 *   extended-key-usage = [ "clientAuth" ];
 *   key-usage = [ "digitalSignature" ];
 *   policies = [ "1.3.6.1.4.1.32473.1.3" ];
 *   pins = "clients.pins";
 *   verify-chain = [ "root.crt" ];
 *
 * P11CA_CONFIG names file and line. fn as by p11ca_auth_clock(), may be NULL. Caller frees.
 */
P11CA_API P11CA_CHECK int p11ca_auth_load(
    const char *path, p11ca_clock_fn *fn, void *arg, struct p11ca_auth **ret, struct p11ca_err *err);

/* The CRLs that p11ca_auth_load() was told of, read anew (p11ca_crls_load()); one thread at a time, others may ask. */
P11CA_API P11CA_CHECK int p11ca_auth_reload(struct p11ca_auth *auth, struct p11ca_err *err);

struct p11ca_decision {
    const struct p11ca_name *principal; /* of the identity */
    const char *rule;                   /* that lets it in, of the authenticator: "SPIFFE:spiffe://a/ns/b" */
    const char *pin;                    /* label of the pin, NULL: none is asked for */
    struct p11ca_revocation revocation; /* status unknown when nobody asked */
};

/*
 * Whether the client is let in: 0, or -1, whatever the kind of error. chain (may be NULL) is what the client sent beside
 * its certificate; it is needed when the chain is verified again. ret (may be NULL) is filled on 0. Codes: AUTH_OPEN,
 * AUTH_CLOCK, CERT_EARLY, CERT_EXPIRED, ISSUER_UNTRUSTED, ISSUER_EXPIRED, SIGNATURE_BAD, CERT_SIG_WEAK, CERT_ALG,
 * CERT_ALG_PARAMS, KEY_*, EKU_MISSING, KEY_USAGE_MISSING, POLICY_MISSING, REVOKED, REVOCATION_UNKNOWN,
 * REVOCATION_STALE, PIN_NONE, PIN_EARLY, PIN_EXPIRED, IDENT_*, NOT_ALLOWED, CHAIN_BAD.
 */
P11CA_API P11CA_CHECK int p11ca_auth_check(const struct p11ca_auth *auth, const struct p11ca_identity *id,
    const struct p11ca_chain *chain, struct p11ca_decision *ret, struct p11ca_err *err);

/* --- policy: services, who they accept, methods and paths --- */

/*
 * What callers may do. A libconfig file:
 *
 *   authenticator = { trust = [ "factory.crt" ]; principal = [ "SPIFFE" ]; allow-any = [ "SPIFFE" ]; ... };
 *   services = {
 *       orders = { rules = (
 *           { name = "web"; effect = "allow"; who = [ "SPIFFE:spiffe://acme.example/web" ];
 *             methods = [ "GET", "POST" ]; paths = [ "/orders", "/health" ]; },
 *           { name = "no-admin"; effect = "deny"; who = "any"; paths = [ "/admin" ]; } ); };
 *   };
 *
 * The authenticator is that of p11ca_auth_load(), which takes this file, too; without one, principal = [ KIND, ... ]
 * beside services says which names count. Unknown keys and empty lists are errors with file and line.
 *
 * A rule fits when all of who, methods and paths do, a list when one of its members does. who must be there: names
 * "KIND:TEXT" as by p11ca_auth_allow(), or "any", whoever the authenticator lets in. Without methods or paths a rule is
 * for all of them. In SPIFFE IDs, URIs and paths a segment "*" stands for any one segment, and "**", the last one, for
 * all that is below (of a path: and for what it is below of).
 *
 * Denied is what a rule with effect "deny" fits, then what no rule with effect "allow" does. What is not known fits a
 * denial: without a path in the request, every denial fits that is for certain paths. A denial of /a is one of /a/.
 */
struct p11ca_policy;

#define P11CA_RULE_NAME 65 /* 64 of A-Z a-z 0-9 . _ - and a NUL */

/* An empty one, which denies everything; caller frees, when no thread asks any more. NULL: no memory. */
P11CA_API struct p11ca_policy *p11ca_policy_new(void);
P11CA_API void p11ca_policy_free(struct p11ca_policy *policy);

/*
 * In place of what was loaded, all or nothing: when the file is refused, what was loaded before stays. Any number of
 * threads may ask meanwhile, and see what was there before or what is there after; any number may load. P11CA_CONFIG,
 * CONFIG, names file and line.
 */
P11CA_API P11CA_CHECK int p11ca_policy_load(
    struct p11ca_policy *policy, const char *path, struct p11ca_err *err);

/*
 * What is asked for. Methods and paths are those of the request line as they were received, the path without a query;
 * NULL where there is none. Only an identity that an authenticator, or TLS, found to be true.
 */
struct p11ca_request {
    const char *service;
    const struct p11ca_identity *id;
    const char *method, *path;
};

struct p11ca_verdict {
    char rule[P11CA_RULE_NAME]; /* that allows it */
};

/*
 * Whether it is allowed: 0, or -1, whatever the kind of error. ret (may be NULL) is filled on 0. P11CA_NEGATIVE:
 * POLICY_NONE (nothing is loaded), IDENT_* (the certificate names nobody of the kinds that count), SERVICE_UNKNOWN,
 * RULE_DENIES, NO_RULE; REQUEST_METHOD, other than 1 to 32 of A-Z and dashes; REQUEST_PATH, one that a service could
 * take for another than is compared here: not beginning with a slash; empty, "." or ".." segments; octets that
 * RFC 3986 3.3 does not have in a path, "?" and "#" among them; ";", behind which some see parameters; percent-encoded
 * what may stand for itself, "/", "\", "%", ";", controls, or with lower-case digits; longer than 2,048 octets.
 */
P11CA_API P11CA_CHECK int p11ca_policy_check(struct p11ca_policy *policy, const struct p11ca_request *request,
    struct p11ca_verdict *ret, struct p11ca_err *err);

struct p11ca_rule_answer {
    const char *name, *where; /* "file:line" */
    bool deny, fits, decides;
    const char *why; /* "fits", or which condition does not */
};

/* The same with fn called for each rule of the service in the file's order; what it is given is good until it returns. */
typedef void p11ca_explain_fn(void *arg, const struct p11ca_rule_answer *answer);
P11CA_API P11CA_CHECK int p11ca_policy_explain(struct p11ca_policy *policy,
    const struct p11ca_request *request, p11ca_explain_fn *fn, void *arg, struct p11ca_err *err);

/* The kinds of names that count, in their order, and how many there are; 0: nothing is loaded. */
P11CA_API size_t p11ca_policy_kinds(struct p11ca_policy *policy, enum p11ca_name_kind ret[P11CA_NAME_KINDS]);

/* Whether the file has an authenticator: then the certificate is to be asked about there, before the policy is. */
P11CA_API bool p11ca_policy_has_authenticator(struct p11ca_policy *policy);

/*
 * What is likely a mistake: SHADOWED (a denial is for all that the rule allows), CONTRADICTION (and for no more),
 * REDUNDANT (another rule of the same effect is for the same and more), CANNOT_FIT (a name of a kind that does not
 * count), NOBODY (no rule lets anybody call the service). Each rule is compared with each other one, not with
 * what several do together.
 */
struct p11ca_policy_finding {
    const char *code;
    const char *where; /* "file:line" */
    const char *service;
    const char *message; /* without where */
};
typedef void p11ca_policy_finding_fn(void *arg, const struct p11ca_policy_finding *finding);

/* P11CA_NEGATIVE, POLICY_FINDINGS, when there are any: fn is called for each, in the file's order. */
P11CA_API P11CA_CHECK int p11ca_policy_review(
    struct p11ca_policy *policy, p11ca_policy_finding_fn *fn, void *arg, struct p11ca_err *err);

/*
 * The policy as others ask it; caller frees with free(). "nginx": for each service a map of a variable
 * $p11ca_SERVICE, 1 or 0, by $ssl_client_verify, $ssl_client_s_dn, $request_method and $request_uri; names are CNs or
 * whole subjects. "envoy": for each service two RBAC filters, JSON; names are SPIFFE IDs, URIs or DNS names.
 * P11CA_REFUSED, EXPORT_FORMAT, and EXPORT_RULE, EXPORT_KINDS, EXPORT_SERVICE for what cannot be said there: nothing
 * is left out silently.
 */
P11CA_API P11CA_CHECK int p11ca_policy_export(
    struct p11ca_policy *policy, const char *format, char **ret, struct p11ca_err *err);

#endif
