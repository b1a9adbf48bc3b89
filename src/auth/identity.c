#include "auth/identity.h"

#include <string.h>
#include <strings.h>

#include "auth/base64.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "x509/name.h"

const char *identity_text(struct p11ca_identity *id, const void *p, size_t len)
{
    char *copy = arena_alloc(&id->arena, len + 1);

    if (copy && len)
        memcpy(copy, p, len);
    return copy;
}

/* --- the certificate as such --- */

static int check_serial(struct der serial, struct p11ca_err *err)
{
    if (serial.p[0] & 0x80)
        return err_set(err, P11CA_REFUSED, "CERT_SERIAL",
            "certificate: RFC 5280 4.1.2.2: serial: want a positive number, have a negative one");
    if (serial.len == 1 && serial.p[0] == 0)
        return err_set(err, P11CA_REFUSED, "CERT_SERIAL",
            "certificate: RFC 5280 4.1.2.2: serial: want a positive number, have zero");
    if (serial.len > SERIAL_LEN)
        return err_set(err, P11CA_REFUSED, "CERT_SERIAL",
            "certificate: RFC 5280 4.1.2.2: serial: want at most %d octets, have %zu", SERIAL_LEN,
            serial.len);
    return 0;
}

/* OpenSSL takes a pathLen on a leaf; with keyCertSign it would be half a CA (RFC 5280 4.2.1.3, 4.2.1.9). */
static int check_leaf(const struct cert_facts *f, struct p11ca_err *err)
{
    if (f->is_ca)
        return err_set(err, P11CA_REFUSED, "IDENT_CA",
            "certificate: RFC 5280 4.2.1.9: basicConstraints: want an end entity, have a CA");
    if (f->pathlen >= 0)
        return err_set(err, P11CA_REFUSED, "CERT_PATHLEN",
            "certificate: RFC 5280 4.2.1.9: basicConstraints: want pathLenConstraint in a CA certificate "
            "only, have it in an end entity's");
    if (f->key_usage & USAGE_KEY_CERT_SIGN)
        return err_set(err, P11CA_REFUSED, "CERT_KEY_USAGE",
            "certificate: RFC 5280 4.2.1.3: keyUsage: want keyCertSign in a CA certificate only, have it in "
            "an end entity's");
    return 0;
}

static int check_form(struct p11ca_identity *id, struct p11ca_err *err)
{
    const struct tbs *t = &id->cert.t;

    if (check_serial(t->serial, err) != 0)
        return -1;
    if (t->n_exts && t->version != 3)
        return err_set(err, P11CA_REFUSED, "CERT_VERSION",
            "certificate: RFC 5280 4.1.2.1: version: want v3 with extensions, have v%u", t->version);
    if (identity_read_exts(id, err) != 0)
        return -1;
    return check_leaf(&id->facts, err);
}

/* --- what is told about it --- */

static int read_subject_and_issuer(struct p11ca_identity *id, struct p11ca_err *err)
{
    AUTO_BUF subject = BUF_INIT;
    AUTO_BUF issuer = BUF_INIT;

    if (name_to_text(id->cert.t.subject, &subject, err) != 0)
        return err_prefix(err, "certificate: subject");
    if (name_to_text(id->cert.t.issuer, &issuer, err) != 0)
        return err_prefix(err, "certificate: issuer");
    if (issuer.len == 0)
        return err_set(err, P11CA_REFUSED, "CERT_NAMELESS",
            "certificate: RFC 5280 4.1.2.4: issuer: want a name, have an empty one");
    id->pub.subject = identity_text(id, subject.p, subject.len);
    id->pub.issuer = identity_text(id, issuer.p, issuer.len);
    return id->pub.subject && id->pub.issuer ? 0 : err_nomem(err);
}

/* A sign octet is no digit of the number. */
static int read_serial(struct p11ca_identity *id, struct p11ca_err *err)
{
    struct der serial = id->cert.t.serial;
    char text[2 * SERIAL_LEN + 1];

    if (serial.len > 1 && serial.p[0] == 0)
        serial = DER_OF(serial.p + 1, serial.len - 1);
    text_hex(serial.p, serial.len, text);
    id->pub.serial = identity_text(id, text, strlen(text));
    return id->pub.serial ? 0 : err_nomem(err);
}

/* A key that we cannot verify with has a digest all the same. */
static int read_key(struct p11ca_identity *id, struct p11ca_err *err)
{
    const struct der spki = id->cert.t.spki;
    char text[SPKI_TEXT] = "";

    if (spki_read(spki.p, spki.len, &id->spki, &id->key_fault) == 0)
        spki_text(&id->spki, text);
    id->pub.key = identity_text(id, text, strlen(text));
    return id->pub.key ? 0 : err_nomem(err);
}

static int read_digests(struct p11ca_identity *id, struct p11ca_err *err)
{
    const struct der spki = id->cert.t.spki;

    if (hash_sha256(id->cert.der.p, id->cert.der.len, id->pub.sha256) != 0 ||
        hash_sha256(spki.p, spki.len, id->pub.spki_sha256) != 0)
        return err_openssl(err, P11CA_BUG, "SHA-256");
    base64url_of_sha256(id->pub.sha256, id->pub.thumbprint);
    return 0;
}

static int fill(struct p11ca_identity *id, struct p11ca_err *err)
{
    id->pub.version = id->cert.t.version;
    id->pub.not_before = id->cert.t.not_before;
    id->pub.not_after = id->cert.t.not_after;
    if (check_form(id, err) != 0 || read_subject_and_issuer(id, err) != 0 || read_serial(id, err) != 0 ||
        identity_read_names(id, err) != 0 || identity_read_spiffe(id, err) != 0 || read_key(id, err) != 0)
        return -1;
    return read_digests(id, err);
}

static int read_any(const uint8_t *p, size_t len, struct p11ca_identity **ret, struct p11ca_err *err)
{
    AUTO_IDENTITY id = calloc(1, sizeof(*id));

    if (!id)
        return err_nomem(err);
    if (cert_read(p, len, &id->cert, err) != 0 || fill(id, err) != 0)
        return -1;
    *ret = id;
    id = NULL;
    return 0;
}

int p11ca_identity_read(const void *der, size_t len, struct p11ca_identity **ret, struct p11ca_err *err)
{
    if (!cert_is_der(der, len))
        return err_set(err, P11CA_REFUSED, "INPUT_TYPE", "want a certificate in DER, have something else");
    return read_any(der, len, ret, err);
}

int p11ca_identity_load(const char *path, struct p11ca_identity **ret, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    return read_any(file.p, file.len, ret, err) == 0 ? 0 : err_prefix(err, "%s", path);
}

void p11ca_identity_free(struct p11ca_identity *id)
{
    size_t i;

    if (!id)
        return;
    for (i = 0; id->sans && i < id->pub.n_names; i++)
        san_list_done(&id->sans[i]);
    cert_done(&id->cert);
    arena_done(&id->arena);
    free(id);
}

const struct p11ca_identity_facts *p11ca_identity_facts(const struct p11ca_identity *id)
{
    return &id->pub;
}
