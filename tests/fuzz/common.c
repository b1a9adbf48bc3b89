#include "fuzz.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "x509/name.h"
#include "x509/ossl.h"
#include "x509/stand_in.h"

#define FILLER 0xaa /* no UTF-8, no valid kind of error */

void fuzz_fail(const char *file, int line, const char *promise)
{
    fprintf(stderr, "%s:%d: promise broken: %s\n", file, line, promise);
    abort();
}

/* --- errors and outputs --- */

void fuzz_blank(struct p11ca_err *err)
{
    memset(err, FILLER, sizeof(*err));
    err->code[sizeof(err->code) - 1] = '\0';
    err->msg[sizeof(err->msg) - 1] = '\0';
}

static void require_refusal(const struct p11ca_err *err)
{
    REQUIRE(err->kind > P11CA_OK && err->kind < P11CA_BUG);
    REQUIRE(memchr(err->code, '\0', sizeof(err->code)) && memchr(err->msg, '\0', sizeof(err->msg)));
    REQUIRE(err->code[0]);
    REQUIRE(strspn(err->code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(err->code));
    REQUIRE(err->msg[0]);
    fuzz_require_text(err->msg, strlen(err->msg), "");
}

bool fuzz_judge(int rc, const struct p11ca_err *err)
{
    REQUIRE(rc == 0 || rc == -1);
    if (rc != 0) {
        if (getenv("FUZZ_VERBOSE"))
            fprintf(stderr, "%s: %s\n", err->code, err->msg);
        require_refusal(err);
    }
    return rc == 0;
}

void fuzz_fill(void *p, size_t len)
{
    memset(p, FILLER, len);
}

bool fuzz_untouched(const void *p, size_t len)
{
    const uint8_t *at = p;
    size_t i;

    for (i = 0; i < len && at[i] == FILLER; i++)
        ;
    return i == len;
}

void fuzz_require_text(const void *p, size_t len, const char *also)
{
    size_t at, step;
    uint32_t c = 0;

    for (at = 0; at < len; at += step) {
        step = text_utf8((const uint8_t *)p + at, len - at, &c);
        REQUIRE(step != 0);
        REQUIRE(!text_is_control(c) || (c && c < 0x80 && strchr(also, (int)c)));
    }
}

/* --- what was taken --- */

void fuzz_require_name(struct der name)
{
    struct p11ca_err err;
    AUTO_BUF text = BUF_INIT;

    REQUIRE(TAKES(name_to_text(name, &text, &err)));
    fuzz_require_text(text.p, text.len, "");
    REQUIRE((text.len == 0) == name_is_empty(name));
}

void fuzz_require_sans(const struct san_list *sans)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    AUTO_SANS again = SAN_LIST_INIT;
    AUTO_SANS copy = SAN_LIST_INIT;
    struct p11ca_err err;
    size_t i;

    if (sans->n == 0)
        return;
    san_to_der(sans, &der);
    san_to_text(sans, &text);
    REQUIRE(buf_ok(&der) && buf_ok(&text));
    fuzz_require_text(text.p, text.len, "");
    REQUIRE(TAKES(der_check(der_buf(&der), DER_MAX_DEPTH, "names", &err)));
    REQUIRE(TAKES(san_from_der(der_buf(&der), &again, &err)));
    REQUIRE(san_equal(sans, &again));
    REQUIRE(TAKES(san_copy(sans, &copy, &err)));
    REQUIRE(san_equal(sans, &copy));
    for (i = 0; i < sans->n; i++)
        REQUIRE(san_has(sans, sans->v[i].type, sans->v[i].text));
}

void fuzz_require_spki(const struct spki *spki)
{
    SCOPED(pkey) EVP_PKEY *pub = NULL;
    struct spki again, stand_in;
    struct p11ca_err err;
    char text[SPKI_TEXT];

    REQUIRE(TAKES(spki_read(spki->der, spki->len, &again, &err)));
    REQUIRE(spki_equal(spki, &again));
    spki_text(spki, text);
    fuzz_require_text(text, strlen(text), "");
    if (!TAKES(spki_check_weak(spki, &err)))
        return;
    if (!TAKES(spki_evp1(spki, &pub, &err))) {
        REQUIRE(!pub);
        return;
    }
    REQUIRE(TAKES(spki_of_key(pub, &again, &err)));
    REQUIRE(spki_equal(spki, &again));
    REQUIRE(TAKES(stand_in_for(spki, &stand_in, &err)));
    REQUIRE(stand_in.kind == spki->kind);
}

/* --- files --- */

static char dir[256];

static void remove_dir(void)
{
    file_remove_tree(dir);
}

const char *fuzz_dir(void)
{
    const char *base = getenv("TMPDIR");
    struct p11ca_err err;

    if (dir[0])
        return dir;
    snprintf(dir, sizeof(dir), "%s/p11ca-fuzz.XXXXXX", base ? base : "/tmp");
    REQUIRE(TAKES(file_mkdtemp(dir, &err)));
    atexit(remove_dir);
    return dir;
}

const char *fuzz_path(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", fuzz_dir(), name);
    return path;
}

/* In place: a new file for every input would cost more than what is tested. */
void fuzz_write(const char *name, const void *p, size_t len)
{
    AUTO_FD fd = open(fuzz_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    REQUIRE(fd >= 0);
    REQUIRE(len == 0 || write(fd, p, len) == (ssize_t)len);
}

bool fuzz_includes_elsewhere(const uint8_t *p, size_t len)
{
    return len && memmem(p, len, "@include", 8) && memchr(p, '/', len);
}

/* --- a key --- */

static EVP_PKEY *make_key(void)
{
    SCOPED(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    SCOPED(param_bld) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    SCOPED(params) OSSL_PARAM *params = NULL;
    struct spki generator;
    struct p11ca_err err;
    struct der point;
    EVP_PKEY *key = NULL;

    REQUIRE(TAKES(stand_in_key("P-256", &generator, &err)));
    point = spki_key(&generator);
    REQUIRE(ctx && bld);
    REQUIRE(OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0));
    REQUIRE(OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.len));
    REQUIRE(OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, BN_value_one()));
    params = OSSL_PARAM_BLD_to_param(bld);
    REQUIRE(params && EVP_PKEY_fromdata_init(ctx) == 1);
    REQUIRE(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1);
    return key;
}

EVP_PKEY *fuzz_key(void)
{
    static EVP_PKEY *key;

    if (!key)
        key = make_key();
    return key;
}

/* --- an issuer --- */

static void make_issuer(struct issuer *issuer)
{
    static const uint8_t ski[SKI_LEN] = {
        0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    static struct buf name;
    struct p11ca_err err;

    REQUIRE(TAKES(name_from_text("CN=Acme Issuer,O=Acme,C=US", &name, &err)));
    REQUIRE(TAKES(spki_of_key(fuzz_key(), &issuer->spki, &err)));
    issuer->subject = der_buf(&name);
    memcpy(issuer->ski, ski, sizeof(ski));
    issuer->ski_len = sizeof(ski);
    issuer->not_before = FUZZ_NOW - PROFILE_DAY;
    issuer->not_after = DER_TIME_FOREVER;
    issuer->pathlen = -1;
    issuer->has_ku = true;
    issuer->key_usage = USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN;
    issuer->alg = sigalg_for_key(&issuer->spki);
}

const struct issuer *fuzz_issuer(void)
{
    static struct issuer issuer;

    if (!issuer.alg)
        make_issuer(&issuer);
    return &issuer;
}
