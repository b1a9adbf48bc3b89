#include "x509/csr.h"

#include <string.h>

#include "base/limits.h"
#include "x509/ext.h"
#include "x509/name.h"
#include "x509/ossl.h"
#include "x509/pem.h"
#include "x509/profile.h"

#define MAX_ATTRIBUTES 16 /* of a request; the tools known write one, Windows four */

static int refuse(struct p11ca_err *err, const char *code, const char *text)
{
    return err_set(err, P11CA_REFUSED, code, "request: %s", text);
}

static void note(struct csr *csr, struct der oid)
{
    char name[OID_TEXT];

    if (csr->notes.len)
        buf_adds(&csr->notes, ", ");
    buf_adds(&csr->notes, oid_text(oid, name));
}

/* --- extensions: what is asked for --- */

static int wants_ca(unsigned flags, const char *have, struct p11ca_err *err)
{
    if (flags & CSR_FOR_CA)
        return 0;
    return err_set(err, P11CA_REFUSED, "CSR_WANTS_CA",
        "request: RFC 5280 4.2.1.9: want a request for an end entity, have %s", have);
}

static int bad_ext(struct p11ca_err *err, const char *name)
{
    return err_set(err, P11CA_REFUSED, "CSR_EXT_BAD",
        "request: extension %s: RFC 5280 4.2: want one value of its type, have something else", name);
}

static int take_bc(struct csr *csr, struct der value, unsigned flags, struct p11ca_err *err)
{
    bool ca;
    int pathlen;

    (void)csr;
    if (ext_read_bc(value, &ca, &pathlen) != 0)
        return bad_ext(err, oid_name(OID_BASIC_CONSTRAINTS));
    if (ca)
        return wants_ca(flags, "basicConstraints cA TRUE", err);
    return pathlen < 0 ? 0 : wants_ca(flags, "basicConstraints with a path length", err);
}

static int take_ku(struct csr *csr, struct der value, unsigned flags, struct p11ca_err *err)
{
    unsigned bits;

    (void)csr;
    if (ext_read_ku(value, &bits) != 0)
        return bad_ext(err, oid_name(OID_KEY_USAGE));
    if (bits & USAGE_KEY_CERT_SIGN)
        return wants_ca(flags, "keyUsage keyCertSign", err);
    return bits & USAGE_CRL_SIGN ? wants_ca(flags, "keyUsage cRLSign", err) : 0;
}

static int take_eku(struct csr *csr, struct der value, unsigned flags, struct p11ca_err *err)
{
    unsigned bits;

    (void)csr, (void)flags;
    return ext_read_eku(value, &bits) == 0 ? 0 : bad_ext(err, oid_name(OID_EXT_KEY_USAGE));
}

static int take_ski(struct csr *csr, struct der value, unsigned flags, struct p11ca_err *err)
{
    struct der id;

    (void)csr, (void)flags;
    return ext_read_ski(value, &id) == 0 ? 0 : bad_ext(err, oid_name(OID_SKI));
}

static int take_san(struct csr *csr, struct der value, unsigned flags, struct p11ca_err *err)
{
    (void)flags;
    return san_from_der(value, &csr->sans, err) == 0 ? 0 : err_prefix(err, "request");
}

static const struct {
    enum oid oid;
    bool claim; /* used; all others are noted as ignored */
    int (*take)(struct csr *csr, struct der value, unsigned flags, struct p11ca_err *err);
} known_exts[] = {
    {OID_BASIC_CONSTRAINTS, false, take_bc},
    {OID_KEY_USAGE, false, take_ku},
    {OID_EXT_KEY_USAGE, false, take_eku},
    {OID_SKI, false, take_ski},
    {OID_SAN, true, take_san},
};

/* Known or not: an extnValue is DER (RFC 5280 4.2), and what follows reads it as such. */
static int check_value(const struct cert_ext *ext, struct p11ca_err *err)
{
    char name[OID_TEXT];

    if (der_is_canonical(ext->value, DER_MAX_DEPTH))
        return 0;
    if (der_check(ext->value, DER_MAX_DEPTH, oid_text(ext->oid, name), err) != 0 &&
        strcmp(err->code, "DER_NOT_CANONICAL") == 0)
        return err_prefix(err, "request: extension");
    return bad_ext(err, name);
}

static int take_ext(struct csr *csr, const struct cert_ext *ext, unsigned flags, struct p11ca_err *err)
{
    size_t i;

    if (check_value(ext, err) != 0)
        return -1;
    for (i = 0; i < sizeof(known_exts) / sizeof(known_exts[0]); i++) {
        if (!oid_is(ext->oid, known_exts[i].oid))
            continue;
        if (known_exts[i].take(csr, ext->value, flags, err) != 0)
            return -1;
        if (known_exts[i].claim)
            return 0;
        break;
    }
    note(csr, ext->oid);
    return 0;
}

static bool seen_before(const struct der *seen, size_t n, struct der oid)
{
    while (n-- > 0) {
        if (der_equal(seen[n], oid))
            return true;
    }
    return false;
}

static int take_extensions(struct csr *csr, struct der values, unsigned flags, struct p11ca_err *err)
{
    struct der exts, seen[LIMIT_EXTS];
    struct cert_ext ext;
    char name[OID_TEXT];
    size_t n;

    if (der_whole(values, DER_SEQUENCE, &exts) != 0 || exts.len == 0)
        return refuse(
            err, "CSR_EXT_BAD", "extensionRequest: RFC 2985 5.4.2: want one sequence of extensions");
    for (n = 0; exts.len; n++) {
        if (ext_next(&exts, &ext) != 0)
            return refuse(err, "DER_NOT_CANONICAL",
                "extensionRequest: X.690 11.5: want extensions, critical only when TRUE, have something "
                "else");
        if (n == LIMIT_EXTS)
            return err_set(
                err, P11CA_REFUSED, "CSR_EXT_BAD", "request: want at most %d extensions", LIMIT_EXTS);
        if (seen_before(seen, n, ext.oid))
            return err_set(err, P11CA_REFUSED, "CSR_DUP_EXT",
                "request: RFC 5280 4.2: want each extension once, have %s twice", oid_text(ext.oid, name));
        seen[n] = ext.oid;
        if (take_ext(csr, &ext, flags, err) != 0)
            return -1;
    }
    return 0;
}

/* --- attributes --- */

static int ignore_attribute(struct csr *csr, struct der values, unsigned flags, struct p11ca_err *err)
{
    (void)csr, (void)values, (void)flags, (void)err;
    return 0;
}

/* Those that are ignored tell of whoever asks, and ask for nothing. */
static const struct {
    enum oid oid;
    bool noted;
    int (*take)(struct csr *csr, struct der values, unsigned flags, struct p11ca_err *err);
} known_attrs[] = {
    {OID_EXTENSION_REQUEST, false, take_extensions},
    {OID_CHALLENGE_PASSWORD, true, ignore_attribute},
    {OID_UNSTRUCTURED_NAME, true, ignore_attribute},
    {OID_FRIENDLY_NAME, true, ignore_attribute}, /* certmonger */
    {OID_MS_OS_VERSION, true, ignore_attribute}, /* these three: every request of Windows' certreq */
    {OID_MS_CLIENT_INFO, true, ignore_attribute},
    {OID_MS_ENROLMENT_CSP, true, ignore_attribute},
};
#define N_KNOWN_ATTRS (sizeof(known_attrs) / sizeof(known_attrs[0]))

static int take_attribute(
    struct csr *csr, struct der oid, struct der values, unsigned flags, struct p11ca_err *err)
{
    struct der rest = values, one;
    char name[OID_TEXT];
    size_t i = 0;

    while (i < N_KNOWN_ATTRS && !oid_is(oid, known_attrs[i].oid))
        i++;
    if (i == N_KNOWN_ATTRS)
        return err_set(err, P11CA_REFUSED, "CSR_ATTR",
            "request: want extensionRequest and attributes known to ask for nothing, have %s",
            oid_text(oid, name));
    if (der_next_any(&rest, &one) != 0 || rest.len != 0)
        return err_set(err, P11CA_REFUSED, "CSR_ATTR",
            "request: attribute %s: RFC 2985 5.4: want one value, have none or more", oid_text(oid, name));
    if (known_attrs[i].take(csr, values, flags, err) != 0)
        return -1;
    if (known_attrs[i].noted)
        note(csr, oid);
    return 0;
}

/* RFC 2986 4.1; a SET OF, so in order (der_check() sees only its [0]). */
static int take_attributes(struct csr *csr, struct der attrs, unsigned flags, struct p11ca_err *err)
{
    struct der seq, oid, values, seen[MAX_ATTRIBUTES];
    char name[OID_TEXT];
    size_t n;

    if (!der_in_order(attrs))
        return refuse(err, "DER_NOT_CANONICAL", "attributes: X.690 11.6: want ascending order, have another");
    for (n = 0; attrs.len; n++) {
        if (der_next(&attrs, DER_SEQUENCE, &seq) != 0 || der_next(&seq, DER_OID, &oid) != 0 ||
            der_next(&seq, DER_SET, &values) != 0 || seq.len != 0)
            return refuse(
                err, "CSR_SYNTAX", "attribute: RFC 2986 4.1: want type and values, have something else");
        if (n == MAX_ATTRIBUTES)
            return err_set(
                err, P11CA_REFUSED, "CSR_ATTR", "request: want at most %d attributes", MAX_ATTRIBUTES);
        if (seen_before(seen, n, oid))
            return err_set(err, P11CA_REFUSED, "CSR_DUP_ATTR",
                "request: RFC 2986 4.1: want each attribute once, have %s twice", oid_text(oid, name));
        seen[n] = oid;
        if (take_attribute(csr, oid, values, flags, err) != 0)
            return -1;
    }
    return 0;
}

/* --- the request --- */

struct parts {
    struct der subject, spki, attrs, alg, sig;
};

/* RFC 2986 4.1 and 4.2 */
static int split(struct csr *csr, struct parts *ret, struct p11ca_err *err)
{
    struct der seq, info, version;

    if (der_whole(der_buf(&csr->der), DER_SEQUENCE, &seq) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &csr->info) != 0 ||
        der_next_tlv(&seq, DER_SEQUENCE, &ret->alg) != 0 || der_next_bits(&seq, &ret->sig) != 0 ||
        seq.len != 0 || der_whole(csr->info, DER_SEQUENCE, &info) != 0 ||
        der_next(&info, DER_INTEGER, &version) != 0)
        return refuse(err, "CSR_SYNTAX", "RFC 2986 4.2: want CertificationRequest, have something else");
    if (version.len != 1 || version.p[0] != 0)
        return refuse(err, "CSR_VERSION", "RFC 2986 4.1: version: want 0, have another");
    if (der_next_tlv(&info, DER_SEQUENCE, &ret->subject) != 0 ||
        der_next_tlv(&info, DER_SEQUENCE, &ret->spki) != 0 ||
        der_next_optional(&info, DER_CONTEXT_CONSTRUCTED(0), &ret->attrs) < 0 || info.len != 0)
        return refuse(
            err, "CSR_SYNTAX", "RFC 2986 4.1: want subject, key and attributes, have something else");
    return 0;
}

/* The key first: with some keys anybody can make a signature that verifies. */
static int check_proof(const struct csr *csr, const struct parts *parts, struct p11ca_err *err)
{
    if (spki_check_weak(&csr->spki, err) != 0)
        return err_prefix(err, "request");
    if (sigalg_verify_by(&csr->spki, csr->alg, csr->info, parts->sig, err) == 0)
        return 0;
    if (err->kind != P11CA_NEGATIVE)
        return err_prefix(err, "request");
    return refuse(err, "CSR_SIG_BAD",
        "RFC 2986 4.2: signature: want proof that the key's owner asked, have a signature that does not "
        "verify");
}

static int read_parts(struct csr *csr, unsigned flags, struct p11ca_err *err)
{
    struct parts parts = {.attrs = {NULL, 0}};

    if (der_check(der_buf(&csr->der), DER_MAX_DEPTH, "request", err) != 0 || split(csr, &parts, err) != 0)
        return -1;
    csr->subject = parts.subject;
    csr->sig = parts.sig;
    if (name_check(csr->subject, "request: subject", err) != 0)
        return -1;
    if (spki_read(parts.spki.p, parts.spki.len, &csr->spki, err) != 0)
        return err_prefix(err, "request");
    if (take_attributes(csr, parts.attrs, flags, err) != 0)
        return -1;
    if (name_is_empty(csr->subject) && csr->sans.n == 0 && !(flags & CSR_NAMES_GIVEN))
        return refuse(
            err, "NAME_EMPTY", "subject: RFC 5280 4.1.2.6: want a name or an alternative name, have neither");
    if (sigalg_read(parts.alg, csr->spki.kind, "CSR", &csr->alg, err) != 0)
        return err_prefix(err, "request");
    return flags & CSR_VERIFIED ? 0 : check_proof(csr, &parts, err);
}

int csr_read(const uint8_t *p, size_t len, unsigned flags, struct csr *ret, struct p11ca_err *err)
{
    struct csr csr = CSR_INIT;

    if (len > LIMIT_CSR)
        return err_set(err, P11CA_REFUSED, "INPUT_TOO_LARGE", "request: want at most %d octets, have %zu",
            LIMIT_CSR, len);
    if (pem_decode(p, len, PEM_CSR, &csr.der, err) != 0 || read_parts(&csr, flags, err) != 0) {
        csr_done(&csr);
        return -1;
    }
    if (!buf_str(&csr.notes)) {
        csr_done(&csr);
        return err_nomem(err);
    }
    *ret = csr;
    return 0;
}

void csr_done(struct csr *csr)
{
    buf_done(&csr->der);
    buf_done(&csr->notes);
    san_list_done(&csr->sans);
}

/* --- making one --- */

int csr_make(
    EVP_PKEY *key, struct der subject, const struct spki *spki, struct buf *ret, struct p11ca_err *err)
{
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    const struct sigalg *alg = sigalg_for_key(spki);
    AUTO_BUF info = BUF_INIT;
    AUTO_BUF sig = BUF_INIT;
    size_t at;

    der_add_uint(&info, 0);
    der_add_raw(&info, subject);
    der_add_raw(&info, spki_der(spki));
    der_add(&info, DER_CONTEXT_CONSTRUCTED(0), NULL, 0);
    der_close(&info, 0, DER_SEQUENCE);
    if (!buf_ok(&info))
        return err_nomem(err);
    if (spki_evp1(spki, &pub, err) != 0 || sigalg_sign(key, alg, der_buf(&info), &sig, err) != 0)
        return err_prefix(err, "request");
    if (sigalg_verify(pub, alg, der_buf(&info), der_buf(&sig), err) != 0)
        return err_set(err, P11CA_BUG, "SIGNATURE_BAD",
            "request: want a signature by the key that is asked for, have one that does not verify");
    at = der_open(ret);
    der_add_raw(ret, der_buf(&info));
    der_add_raw(ret, alg->id);
    der_add_bits(ret, sig.p, sig.len);
    der_close(ret, at, DER_SEQUENCE);
    return buf_ok(ret) ? 0 : err_nomem(err);
}
