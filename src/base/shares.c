#include "base/shares.h"

#include <libgfshare.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/hash.h"
#include "base/scope.h"

SCOPE_DEFINE(gf, gfshare_ctx *, gfshare_ctx_free)
#define AUTO_GF SCOPED(gf) gfshare_ctx *

/*
 * A share: version, set, one octet of threshold and number, data, checksum. Five octets are eight characters: the data is
 * filled up to a multiple of five, so that a share is whole groups and no bits are left over.
 */
#define VERSION   1
#define HEAD      (1 + SHARE_SET_LEN + 1)
#define CHECK     4
#define GROUP     4
#define FILLED(n) (((n) + 4) / 5 * 5)
/* What is shared: length, secret, zeros, checksum of the set and all of this. */
#define BOX_MAX   FILLED(1 + SHARES_SECRET_MAX + CHECK)
#define SHARE_MAX (HEAD + BOX_MAX + CHECK)
#define TEXT_MAX  (SHARE_MAX / 5 * 8 / GROUP * (GROUP + 1))

struct box {
    uint8_t p[BOX_MAX];
    size_t len;
};

struct raw {
    uint8_t p[SHARE_MAX];
    size_t len;
};

static void box_wipe(struct box *b)
{
    OPENSSL_cleanse(b, sizeof(*b));
}
#define AUTO_BOX __attribute__((cleanup(box_wipe))) struct box

static void raw_wipe(struct raw *r)
{
    OPENSSL_cleanse(r, sizeof(*r));
}
#define AUTO_RAW __attribute__((cleanup(raw_wipe))) struct raw

static _Thread_local bool random_failed;

/* libgfshare cannot be told that there is no randomness; it also calls this to wipe what it frees. */
static void fill_random(unsigned char *p, unsigned len)
{
    if (RAND_bytes(p, (int)len) == 1)
        return;
    OPENSSL_cleanse(p, len);
    random_failed = true;
}

/* Its own default is random(). */
static void use_our_random(void)
{
    gfshare_fill_rand = fill_random;
    random_failed = false;
}

/* Truncated SHA-256 over two strings, the second up to the checksum. */
static int checksum(
    const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, uint8_t ret[CHECK], struct p11ca_err *err)
{
    uint8_t text[SHARE_SET_LEN + SHARE_MAX], sum[SHA256_LEN];
    int rc;

    memcpy(text, a, a_len);
    memcpy(text + a_len, b, b_len);
    rc = hash_sha256(text, a_len + b_len, sum);
    memcpy(ret, sum, CHECK);
    OPENSSL_cleanse(text, sizeof(text));
    OPENSSL_cleanse(sum, sizeof(sum));
    return rc == 0 ? 0 : err_openssl(err, P11CA_BUG, "share: SHA-256");
}

/* Crockford's base 32: no I, L, O and U. */
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int digit_value(char c)
{
    char up = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    const char *at;

    if (up == 'I' || up == 'L')
        up = '1';
    else if (up == 'O')
        up = '0';
    at = memchr(digits, up, 32);
    return at ? (int)(at - digits) : -1;
}

static int encode(const struct raw *r, struct secret *ret, struct p11ca_err *err)
{
    char text[TEXT_MAX];
    size_t i, at = 0, n = r->len / 5 * 8;
    int rc;

    for (i = 0; i < n; i++) {
        size_t bit = i * 5;
        unsigned two = (unsigned)r->p[bit / 8] << 8 | (bit / 8 + 1 < r->len ? r->p[bit / 8 + 1] : 0U);

        if (i && i % GROUP == 0)
            text[at++] = '-';
        text[at++] = digits[two >> (11 - bit % 8) & 31];
    }
    rc = secret_set(ret, text, at, err);
    OPENSSL_cleanse(text, sizeof(text));
    return rc;
}

static int syntax(struct p11ca_err *err, const char *what)
{
    return err_set(err, P11CA_LOGIN, "SHARE_SYNTAX", "share: %s", what);
}

/* Characters to octets; what they say is not looked at. */
static int decode(const struct secret *share, struct raw *ret, struct p11ca_err *err)
{
    unsigned long long bits = 0;
    size_t i, n = 0;

    *ret = (struct raw){.len = 0};
    for (i = 0; i < share->len; i++) {
        int v = digit_value(share->p[i]);

        if (share->p[i] == ' ' || share->p[i] == '-')
            continue;
        if (v < 0)
            return err_set(err, P11CA_LOGIN, "SHARE_SYNTAX",
                "share: group %zu: want letters (but U) and digits, have another character", n / GROUP + 1);
        if (n >= SHARE_MAX / 5 * 8)
            return syntax(err, "it is too long");
        bits = bits << 5 | (unsigned)v;
        if (++n % 8 != 0)
            continue;
        for (size_t k = 0; k < 5; k++)
            ret->p[ret->len++] = (uint8_t)(bits >> (32 - 8 * k));
    }
    OPENSSL_cleanse(&bits, sizeof(bits));
    if (n % 8 != 0 || ret->len < HEAD + FILLED(1 + 1 + CHECK) + CHECK)
        return err_set(err, P11CA_LOGIN, "SHARE_SYNTAX",
            "share: want an even number of groups of %d characters, have %zu characters", GROUP, n);
    return 0;
}

static int read_raw(const struct secret *share, struct raw *ret, struct p11ca_err *err)
{
    uint8_t sum[CHECK];

    if (!share->p)
        return syntax(err, "it is empty");
    if (decode(share, ret, err) != 0 ||
        checksum(ret->p, HEAD, ret->p + HEAD, ret->len - HEAD - CHECK, sum, err) != 0)
        return -1;
    if (CRYPTO_memcmp(sum, ret->p + ret->len - CHECK, CHECK) != 0)
        return syntax(err, "its checksum does not fit: at least one character is not as it was written");
    if (ret->p[0] != VERSION)
        return err_set(
            err, P11CA_LOGIN, "SHARE_SYNTAX", "share: version: want %d, have %u", VERSION, ret->p[0]);
    return 0;
}

static struct share_info info_of(const struct raw *r)
{
    struct share_info info = {
        .threshold = (r->p[HEAD - 1] >> 4) + 1U,
        .number = (r->p[HEAD - 1] & 15) + 1U,
    };

    memcpy(info.set, r->p + 1, SHARE_SET_LEN);
    return info;
}

int share_read(const struct secret *share, struct share_info *ret, struct p11ca_err *err)
{
    AUTO_RAW raw;

    if (read_raw(share, &raw, err) != 0)
        return -1;
    *ret = info_of(&raw);
    return 0;
}

int share_fits(const struct secret *one, const struct secret *have, size_t n, struct p11ca_err *err)
{
    struct share_info new, old;
    size_t i;

    if (share_read(one, &new, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        if (share_read(&have[i], &old, err) != 0)
            return -1;
        if (memcmp(new.set, old.set, SHARE_SET_LEN) != 0 || new.threshold != old.threshold)
            return err_set(
                err, P11CA_LOGIN, "SHARE_SET", "share: it belongs to another set than the first one");
        if (new.number == old.number)
            return err_set(err, P11CA_LOGIN, "SHARE_TWICE", "share: number %u was given before", new.number);
    }
    return 0;
}

static int fill_box(
    const struct secret *s, const uint8_t set[SHARE_SET_LEN], struct box *ret, struct p11ca_err *err)
{
    *ret = (struct box){.len = FILLED(1 + s->len + CHECK)};
    ret->p[0] = (uint8_t)s->len;
    memcpy(ret->p + 1, s->p, s->len);
    return checksum(set, SHARE_SET_LEN, ret->p, ret->len - CHECK, ret->p + ret->len - CHECK, err);
}

static int open_box(
    const struct box *b, const uint8_t set[SHARE_SET_LEN], struct secret *ret, struct p11ca_err *err)
{
    uint8_t sum[CHECK];
    size_t len = b->p[0];

    if (checksum(set, SHARE_SET_LEN, b->p, b->len - CHECK, sum, err) != 0)
        return -1;
    if (CRYPTO_memcmp(sum, b->p + b->len - CHECK, CHECK) != 0 || FILLED(1 + len + CHECK) != b->len)
        return err_set(err, P11CA_LOGIN, "SHARE_CHECK",
            "shares: together they give no secret: one of them is not what was handed out");
    return secret_set(ret, (const char *)b->p + 1, len, err);
}

static int check_split(const struct secret *s, unsigned m, unsigned n, struct p11ca_err *err)
{
    if (m < 2 || m > n || n > SHARES_MAX)
        return err_set(err, P11CA_CONFIG, "SHARE_COUNT",
            "shares: want a threshold of 2 or more and at most %d shares, have %u of %u", SHARES_MAX, m, n);
    if (s->len == 0 || s->len > SHARES_SECRET_MAX)
        return err_set(err, P11CA_REFUSED, "SHARE_SECRET",
            "shares: want a secret of 1 to %d characters, have %zu", SHARES_SECRET_MAX, s->len);
    return 0;
}

static int make_share(gfshare_ctx *gf, const uint8_t set[SHARE_SET_LEN], unsigned m, unsigned i, size_t len,
    struct secret *ret, struct p11ca_err *err)
{
    AUTO_RAW raw = {.len = HEAD + len + CHECK};

    raw.p[0] = VERSION;
    memcpy(raw.p + 1, set, SHARE_SET_LEN);
    raw.p[HEAD - 1] = (uint8_t)((m - 1) << 4 | i);
    gfshare_ctx_enc_getshare(gf, (unsigned char)i, raw.p + HEAD);
    if (checksum(raw.p, HEAD, raw.p + HEAD, len, raw.p + HEAD + len, err) != 0)
        return -1;
    return encode(&raw, ret, err);
}

static int make_shares(
    const struct secret *s, unsigned m, unsigned n, struct secret *ret, struct p11ca_err *err)
{
    uint8_t numbers[SHARES_MAX], set[SHARE_SET_LEN];
    AUTO_BOX box;
    AUTO_GF gf = NULL;
    unsigned i;

    for (i = 0; i < n; i++)
        numbers[i] = (uint8_t)(i + 1);
    if (RAND_bytes(set, sizeof(set)) != 1)
        return err_openssl(err, P11CA_BUG, "random generator");
    if (fill_box(s, set, &box, err) != 0)
        return -1;
    use_our_random();
    gf = gfshare_ctx_init_enc(numbers, n, (unsigned char)m, (unsigned)box.len);
    if (!gf)
        return err_nomem(err);
    gfshare_ctx_enc_setsecret(gf, box.p);
    if (random_failed)
        return err_openssl(err, P11CA_BUG, "random generator");
    for (i = 0; i < n; i++) {
        if (make_share(gf, set, m, i, box.len, &ret[i], err) != 0)
            return -1;
    }
    return 0;
}

static void wipe_all(struct secret *s, size_t n)
{
    while (n--)
        secret_done(&s[n]);
}

int shares_split(const struct secret *s, unsigned m, unsigned n, struct secret *ret, struct p11ca_err *err)
{
    struct secret made[SHARES_MAX] = {SECRET_INIT};

    if (check_split(s, m, n, err) != 0)
        return -1;
    if (make_shares(s, m, n, made, err) != 0) {
        wipe_all(made, n);
        return -1;
    }
    wipe_all(ret, n);
    memcpy(ret, made, n * sizeof(*ret));
    return 0;
}

/* All of them fit together, and they are enough. */
static int check_all(
    const struct secret *shares, size_t n, struct share_info *ret_first, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (share_fits(&shares[i], shares, i, err) != 0)
            return err_prefix(err, "share %zu of %zu", i + 1, n);
    }
    if (n && share_read(&shares[0], ret_first, err) != 0)
        return -1;
    if (n == 0 || n < ret_first->threshold)
        return err_set(
            err, P11CA_LOGIN, "SHARE_MISSING", "shares: want %u, have %zu", n ? ret_first->threshold : 2, n);
    return 0;
}

struct parts {
    struct raw raw[SHARES_MAX];
    uint8_t numbers[SHARES_MAX];
    size_t len; /* of the data, the same in all */
};

static void parts_wipe(struct parts *p)
{
    OPENSSL_cleanse(p, sizeof(*p));
}
#define AUTO_PARTS __attribute__((cleanup(parts_wipe))) struct parts

static int read_parts(const struct secret *shares, unsigned m, struct parts *ret, struct p11ca_err *err)
{
    unsigned i;

    for (i = 0; i < m; i++) {
        if (read_raw(&shares[i], &ret->raw[i], err) != 0)
            return -1;
        if (ret->raw[i].len != ret->raw[0].len)
            return err_set(err, P11CA_LOGIN, "SHARE_SET", "share: it is not as long as the first one");
        ret->numbers[i] = (uint8_t)info_of(&ret->raw[i]).number;
    }
    ret->len = ret->raw[0].len - HEAD - CHECK;
    return 0;
}

/* libgfshare interpolates over all it has: as many as the threshold, no more. */
static int interpolate(const struct secret *shares, unsigned m, struct box *ret, struct p11ca_err *err)
{
    AUTO_PARTS parts = {.len = 0};
    AUTO_GF gf = NULL;
    unsigned i;

    if (read_parts(shares, m, &parts, err) != 0)
        return -1;
    use_our_random();
    gf = gfshare_ctx_init_dec(parts.numbers, m, (unsigned)parts.len);
    if (!gf)
        return err_nomem(err);
    for (i = 0; i < m; i++)
        gfshare_ctx_dec_giveshare(gf, (unsigned char)i, parts.raw[i].p + HEAD);
    ret->len = parts.len;
    gfshare_ctx_dec_extract(gf, ret->p);
    return 0;
}

int shares_combine(const struct secret *shares, size_t n, struct secret *ret, struct p11ca_err *err)
{
    struct share_info first;
    AUTO_BOX box;

    if (check_all(shares, n, &first, err) != 0 || interpolate(shares, first.threshold, &box, err) != 0)
        return -1;
    return open_box(&box, first.set, ret, err);
}
