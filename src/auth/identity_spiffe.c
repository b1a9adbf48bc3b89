/* X509-SVID: what a certificate with a SPIFFE ID must be. The grammar of the ID is checked with the other names. */
#include <string.h>

#include "auth/identity.h"

#define SCHEME "spiffe://"

static int refuse(struct p11ca_err *err, const char *code, const char *text)
{
    return err_set(err, P11CA_REFUSED, code, "certificate: X509-SVID %s", text);
}

/* One URI SAN, of whatever scheme: then nobody has to say which one counts. */
static int check_uris(const struct p11ca_identity *id, struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < id->pub.n_names; i++) {
        enum p11ca_name_kind kind = id->names[i].kind;

        n += kind == P11CA_NAME_URI || kind == P11CA_NAME_SPIFFE || kind == P11CA_NAME_UUID;
    }
    return n == 1
               ? 0
               : err_set(err, P11CA_REFUSED, "SPIFFE_URIS",
                     "certificate: X509-SVID 2: SAN: want one URI and no other beside a SPIFFE ID, have %zu "
                     "of them",
                     n);
}

static int check_key_usage(const struct p11ca_identity *id, struct p11ca_err *err)
{
    const struct cert_ext *ext = tbs_ext(&id->cert.t, OID_KEY_USAGE);

    if (!ext || !ext->critical)
        return refuse(err, "SPIFFE_KEY_USAGE",
            ext ? "4.3: keyUsage: want it critical, have it not" : "4.3: keyUsage: want it, have none");
    if (!(id->facts.key_usage & USAGE_DIGITAL_SIGNATURE))
        return refuse(err, "SPIFFE_KEY_USAGE", "4.3: keyUsage: want digitalSignature, have it not");
    if (id->facts.key_usage & (USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN))
        return refuse(err, "SPIFFE_KEY_USAGE",
            "5.2: keyUsage: want neither keyCertSign nor cRLSign in a leaf, have one of them");
    return 0;
}

static int check_eku(const struct p11ca_identity *id, struct p11ca_err *err)
{
    const unsigned both = EKU_SERVER | EKU_CLIENT;

    if (id->facts.has_eku && (id->facts.eku & both) != both)
        return refuse(err, "SPIFFE_EKU",
            "4.4: extKeyUsage: want both serverAuth and clientAuth when it is there, have not both");
    return 0;
}

static int split(struct p11ca_identity *id, const char *text, struct p11ca_err *err)
{
    const char *domain = text + strlen(SCHEME), *path = strchr(domain, '/');

    if (!path)
        return refuse(err, "SPIFFE_PATH", "5.2: SPIFFE ID: want a path in a leaf, have none");
    id->pub.trust_domain = identity_text(id, domain, (size_t)(path - domain));
    id->pub.path = path;
    return id->pub.trust_domain ? 0 : err_nomem(err);
}

int identity_read_spiffe(struct p11ca_identity *id, struct p11ca_err *err)
{
    size_t i = 0;

    while (i < id->pub.n_names && id->names[i].kind != P11CA_NAME_SPIFFE)
        i++;
    if (i == id->pub.n_names)
        return 0;
    if (check_uris(id, err) != 0 || split(id, id->names[i].text, err) != 0 || check_key_usage(id, err) != 0)
        return -1;
    return check_eku(id, err);
}
