/* Which certificates are there? */
#include <p11ca/ledger.h>

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "issue/authority.h"
#include "issue/record.h"
#include "x509/cert.h"
#include "x509/spki.h"

struct walk {
    p11ca_record_fn *fn;
    void *arg;
};

static int show_row(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    const struct walk *w = arg;
    struct record_view v;

    (void)err;
    record_view(&v, c);
    return w->fn ? w->fn(w->arg, &v.record) : 0;
}

/* --- paging --- */

struct place {
    size_t n;
    int64_t id;
};

static int see_place(void *arg, const struct ledger_cert *c, struct p11ca_err *err)
{
    struct place *p = arg;

    (void)err;
    p->n++;
    p->id = c->id;
    return 0;
}

static int find_after(
    struct ledger *l, const struct p11ca_filter *filter, int64_t *ret_id, struct p11ca_err *err)
{
    struct ledger_filter f = LEDGER_ANY;
    struct place p = {0};
    uint8_t bytes[20];

    f.serial.p = bytes;
    f.authority = filter->authority;
    if (record_serial_read(filter->after, bytes, &f.serial.len) != 0)
        return err_set(err, P11CA_USAGE, "SERIAL", "serial '%s': want hex, at most 20 octets", filter->after);
    if (ledger_each_cert(l, &f, see_place, &p, err) != 0)
        return -1;
    if (p.n > 1)
        return err_set(err, P11CA_USAGE, "SERIAL_AMBIGUOUS",
            "serial %s: want the authority named, have %zu certificates with it", filter->after, p.n);
    if (p.n == 0)
        return err_set(err, P11CA_NEGATIVE, "SERIAL_UNKNOWN", "serial %s: not in the ledger", filter->after);
    *ret_id = p.id;
    return 0;
}

/* --- the key --- */

static int key_of_file(const char *path, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;
    struct p11ca_err ignored;
    struct spki spki;

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    if (cert_read(file.p, file.len, &cert, &ignored) == 0)
        return hash_sha256(cert.t.spki.p, cert.t.spki.len, ret) == 0
                   ? 0
                   : err_openssl(err, P11CA_BUG, "%s: SHA-256", path);
    return spki_read_file(file.p, file.len, &spki, err) == 0 ? spki_sha256(&spki, ret, err)
                                                             : err_prefix(err, "%s", path);
}

static int read_key(const char *key, uint8_t ret[SHA256_LEN], struct p11ca_err *err)
{
    if (text_unhex(key, ret, SHA256_LEN) == SHA256_LEN)
        return 0;
    if (file_exists(key))
        return key_of_file(key, ret, err);
    return err_set(err, P11CA_USAGE, "KEY",
        "'%s': want the SHA-256 of a public key in hex, or a file with a public key or certificate", key);
}

/* --- */

static int read_status(const struct p11ca_filter *filter, struct ledger_filter *f, struct p11ca_err *err)
{
    if (filter->status && (f->status = ledger_status_from_name(filter->status)) < 0)
        return err_set(err, P11CA_USAGE, "STATUS",
            "status '%s': want reserved, issued, superseded or revoked", filter->status);
    /* What was superseded or revoked may end in peace. */
    if (filter->expiring && !filter->status)
        f->status = LEDGER_ISSUED;
    return 0;
}

static void read_times(
    const struct p11ca_home *home, const struct p11ca_filter *filter, struct ledger_filter *f)
{
    int64_t end = filter->expiring ? home_now(home) + (int64_t)filter->expiring * PROFILE_DAY + 1 : 0;

    f->issued_after = filter->issued_after;
    f->issued_before = filter->issued_before;
    f->expires_after = filter->expires_after;
    f->expires_before = filter->expires_before;
    if (end && (!f->expires_before || end < f->expires_before))
        f->expires_before = end;
}

int p11ca_list(struct p11ca_home *home, const struct p11ca_filter *filter, p11ca_record_fn *fn, void *arg,
    struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;
    struct walk w = {.fn = fn, .arg = arg};
    struct ledger_filter f = LEDGER_ANY;
    uint8_t key[SHA256_LEN];

    f.authority = filter->authority;
    f.profile = filter->profile;
    f.device = filter->device;
    f.lot = filter->lot;
    f.subject = filter->subject;
    f.sans = filter->sans;
    f.limit = filter->limit;
    read_times(home, filter, &f);
    if (read_status(filter, &f, err) != 0 || (filter->key && read_key(filter->key, key, err) != 0) ||
        home_ledger_read(home, &l, err) != 0)
        return -1;
    if (filter->key)
        f.spki_sha256 = (struct blob){key, sizeof(key)};
    if (filter->after && find_after(l, filter, &f.after_id, err) != 0)
        return -1;
    return ledger_each_cert(l, &f, show_row, &w, err) < 0 ? -1 : 0;
}
