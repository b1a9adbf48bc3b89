#include "issue/record.h"

#include <p11ca/ledger.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "x509/cert.h"

void record_view(struct record_view *v, const struct ledger_cert *c)
{
    memset(v, 0, sizeof(*v));
    if (c->serial.len <= 20)
        text_hex(c->serial.p, c->serial.len, v->serial);
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
        .key_sha256 = v->key_sha256,
        .sha256 = c->cert.p ? v->sha256 : NULL,
        .not_before = c->not_before,
        .not_after = c->not_after,
        .reserved_at = c->reserved_at,
        .issued_at = c->issued_at,
        .published_at = c->published_at,
        .revoked_at = c->revoked_at,
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
    int64_t last_id;
};

static int show_row(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct walk *w = arg;
    struct record_view v;

    (void)err;
    w->n++;
    w->last_id = c->id;
    record_view(&v, c);
    return w->fn ? w->fn(w->arg, &v.record) : 0;
}

int record_read_serial(const char *hex, uint8_t ret[20], size_t *ret_len)
{
    char plain[64];
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
    len = text_unhex(plain, ret, 20);
    if (len <= 0)
        return -1;
    *ret_len = (size_t)len;
    return 0;
}

static int find_after(struct ledger *l, const char *serial, int64_t *ret_id, struct p11ca_err *err)
{
    struct ledger_filter f = LEDGER_ANY;
    struct walk w = {0};
    uint8_t bytes[20];

    f.serial.p = bytes;
    if (record_read_serial(serial, bytes, &f.serial.len) != 0)
        return err_set(err, P11CA_USAGE, "SERIAL", "serial '%s': want hex, at most 20 octets", serial);
    if (ledger_each_cert(l, &f, show_row, &w, err) != 0)
        return -1;
    if (!w.n)
        return err_set(err, P11CA_NEGATIVE, "SERIAL_UNKNOWN", "serial %s: not in the ledger", serial);
    *ret_id = w.last_id;
    return 0;
}

int p11ca_list(struct p11ca_home *home, const struct p11ca_filter *filter, p11ca_record_fn *fn, void *arg,
    struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    struct walk w = {.fn = fn, .arg = arg};
    struct ledger_filter f = LEDGER_ANY;

    f.authority = filter->authority;
    f.profile = filter->profile;
    f.device = filter->device;
    f.limit = filter->limit;
    if (filter->expiring)
        f.expiring = home_now(home) + (int64_t)filter->expiring * PROFILE_DAY;
    if (filter->status && (f.status = ledger_status_from_name(filter->status)) < 0)
        return err_set(err, P11CA_USAGE, "STATUS",
            "status '%s': want reserved, issued, superseded or revoked", filter->status);
    if (home_ledger_read(home, &l, err) != 0)
        return -1;
    if (filter->after && find_after(l, filter->after, &f.after_id, err) != 0)
        return -1;
    return ledger_each_cert(l, &f, show_row, &w, err) < 0 ? -1 : 0;
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
    if (record_read_serial(what, serial, &f.serial.len) != 0)
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
