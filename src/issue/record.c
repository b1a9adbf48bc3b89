#include "issue/record.h"

#include <p11ca/ledger.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "x509/cert.h"

/* The sign octet of an INTEGER is no part of the number. */
void record_serial(const uint8_t *p, size_t len, char dst[41])
{
    size_t skip = len > 1 && p[0] == 0;

    text_hex(p + skip, len - skip, dst);
}

void record_view(struct record_view *v, const struct ledger_cert *c)
{
    memset(v, 0, sizeof(*v));
    if (c->serial.len <= 20)
        record_serial(c->serial.p, c->serial.len, v->serial);
    if (c->spki_sha256.len == SHA256_LEN)
        text_hex(c->spki_sha256.p, SHA256_LEN, v->key_sha256);
    if (c->cert_sha256.len == SHA256_LEN)
        text_hex(c->cert_sha256.p, SHA256_LEN, v->sha256);
    v->record = (struct p11ca_record){
        .id = c->id,
        .serial = v->serial,
        .status = ledger_status_name(c->status),
        .authority = c->authority,
        .profile = c->profile,
        .device = c->device,
        .subject = c->subject,
        .sans = c->sans,
        .signature_algorithm = c->sig_alg,
        .key_sha256 = c->spki_sha256.len ? v->key_sha256 : NULL,
        .sha256 = c->cert.p ? v->sha256 : NULL,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .reserved_at = c->reserved_at,
        .issued_at = c->issued_at,
        .published_at = c->published_at,
        .revoked_at = c->revoked_at,
        .imported_at = c->imported_at,
        .reason = c->reason,
        .ticket = c->ticket_id,
        .path = c->path,
        .invalid_since = c->invalid_since,
        .change = c->change,
        .der = c->cert.p,
        .der_len = c->cert.len,
    };
}

struct walk {
    p11ca_record_fn *fn;
    void *arg;
    size_t n;
};

static int show_row(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct walk *w = arg;
    struct record_view v;

    (void)err;
    w->n++;
    record_view(&v, c);
    return w->fn ? w->fn(w->arg, &v.record) : 0;
}

/* Content of an INTEGER: the shortest form, with a sign octet where the number would read as a negative one. */
static int serial_content(const uint8_t *p, size_t len, uint8_t ret[20], size_t *ret_len)
{
    size_t sign;

    for (; len > 1 && *p == 0; len--)
        p++;
    sign = (*p & 0x80) != 0;
    if (len + sign > 20)
        return -1;
    ret[0] = 0;
    memcpy(ret + sign, p, len);
    *ret_len = len + sign;
    return 0;
}

int record_serial_read(const char *hex, uint8_t ret[20], size_t *ret_len)
{
    char plain[64];
    uint8_t octets[32];
    size_t n = 0;
    int len;

    for (; *hex; hex++) {
        if (*hex == ':')
            continue;
        if (n + 1 >= sizeof(plain))
            return -1;
        plain[n++] = *hex;
    }
    plain[n] = '\0';
    len = text_unhex(plain, octets, sizeof(octets));
    return len > 0 ? serial_content(octets, (size_t)len, ret, ret_len) : -1;
}

static int find_file(struct ledger *l, const char *path, ledger_cert_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;
    AUTO_LEDGER_CERT c = NULL;
    uint8_t sha256[SHA256_LEN];

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (cert_read(file.p, file.len, &cert, err) != 0)
        return err_prefix(err, "%s", path);
    if (hash_sha256(cert.der.p, cert.der.len, sha256) != 0)
        return err_nomem(err);
    if (ledger_find_cert(l, (struct blob){cert.t.serial.p, cert.t.serial.len}, sha256, &c, err) != 0)
        return -1;
    return c ? fn(arg, c, err) : 0;
}

int record_find(struct ledger *l, const char *what, ledger_cert_fn *fn, void *arg, struct p11ca_err *err)
{
    struct ledger_filter f = LEDGER_ANY;
    uint8_t serial[20];

    f.serial.p = serial;
    if (file_exists(what))
        return find_file(l, what, fn, arg, err);
    if (record_serial_read(what, serial, &f.serial.len) != 0)
        return err_set(err, P11CA_USAGE, "SERIAL", "'%s': want a serial in hex, or a certificate file", what);
    return ledger_each_cert(l, &f, fn, arg, err);
}

int p11ca_show(
    struct p11ca_home *home, const char *what, p11ca_record_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    struct walk w = {.fn = fn, .arg = arg};

    if (home_ledger_read(home, &l, err) != 0 || record_find(l, what, show_row, &w, err) < 0)
        return -1;
    return w.n ? 0 : err_set(err, P11CA_NEGATIVE, "NOT_IN_LEDGER", "%s: not in the ledger", what);
}
