/*
 * lot FILE|DIR N [PREFIX [FILE|DIR...]]: a lot of N devices PREFIX-0000001... (default D), each with a P-256 key of its
 * own, in one form or in several at once, as
 *
 *   DIR            a directory of requests, DER, DEVICE.csr
 *   FILE.pem       the same requests in one bundle
 *   FILE.csv       public keys: id,spki
 *   FILE.ndjson    requests inline: {"id":...,"csr":...}
 *
 * The keys are those of keys.h. Prints nothing; ends with a message and exit status 1 when something cannot be made.
 */
#include "keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sys/stat.h>

#include "x509/csr.h"
#include "x509/name.h"
#include "x509/pem.h"

static EVP_PKEY *pair_of(const struct keys *k)
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *ret = NULL;
    OSSL_PARAM *params;
    uint8_t point[POINT];

    point_of(k, point);
    must(b && ctx && OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
         OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, POINT) == 1 &&
         OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, k->number) == 1);
    params = OSSL_PARAM_BLD_to_param(b);
    must(params && EVP_PKEY_fromdata_init(ctx) == 1 &&
         EVP_PKEY_fromdata(ctx, &ret, EVP_PKEY_KEYPAIR, params) == 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    return ret;
}

static void request_of(const struct keys *k, const char *device, struct buf *ret)
{
    EVP_PKEY *pair = pair_of(k);
    uint8_t der[SPKI_LEN];
    AUTO_BUF subject = BUF_INIT;
    struct p11ca_err err;
    struct spki spki;
    char dn[96];

    snprintf(dn, sizeof(dn), "CN=%s", device);
    buf_reset(ret);
    must(spki_read(der, spki_bytes(k, der), &spki, &err) == 0 && name_from_text(dn, &subject, &err) == 0 &&
         csr_make(pair, der_buf(&subject), &spki, ret, &err) == 0);
    EVP_PKEY_free(pair);
}

static void base64(const uint8_t *p, size_t len, char *dst)
{
    EVP_EncodeBlock((unsigned char *)dst, p, (int)len);
}

/* --- the forms of a lot --- */

static void write_file(const char *dir, const char *device, const struct buf *der)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.csr", dir, device);
    f = fopen(path, "wb");
    must(f && fwrite(der->p, 1, der->len, f) == der->len);
    must(fclose(f) == 0);
}

static void add_pem(FILE *f, const struct buf *der)
{
    AUTO_BUF pem = BUF_INIT;

    pem_encode(PEM_CSR, der_buf(der), &pem);
    must(buf_ok(&pem) && fwrite(pem.p, 1, pem.len, f) == pem.len);
}

static void add_json(FILE *f, const char *device, const struct buf *der)
{
    char text[4096];

    must(der->len < 3000);
    base64(der->p, der->len, text);
    fprintf(f, "{\"id\":\"%s\",\"csr\":\"%s\"}\n", device, text);
}

static void add_csv(FILE *f, const char *device, const struct keys *k)
{
    uint8_t der[SPKI_LEN];
    char text[256];

    base64(der, spki_bytes(k, der), text);
    fprintf(f, "%s,%s\n", device, text);
}

static bool ends(const char *path, const char *ending)
{
    return strlen(path) > strlen(ending) && strcmp(path + strlen(path) - strlen(ending), ending) == 0;
}

/* One form of the lot. */
struct form {
    const char *path;
    FILE *f; /* NULL: a directory */
    bool keys, json;
};

static struct form form_open(const char *path)
{
    struct form form = {.path = path, .keys = ends(path, ".csv"), .json = ends(path, ".ndjson")};

    if (!form.keys && !form.json && !ends(path, ".pem")) {
        must(mkdir(path, 0755) == 0);
        return form;
    }
    must((form.f = fopen(path, "wb")));
    if (form.keys)
        fputs("id,spki\n", form.f);
    return form;
}

static void form_add(const struct form *form, const char *device, const struct keys *k, const struct buf *der)
{
    if (!form->f)
        write_file(form->path, device, der);
    else if (form->keys)
        add_csv(form->f, device, k);
    else if (form->json)
        add_json(form->f, device, der);
    else
        add_pem(form->f, der);
}

static void add(const struct form *forms, size_t n, const char *device, const struct keys *k)
{
    AUTO_BUF der = BUF_INIT;
    size_t i;

    for (i = 0; i < n; i++) {
        if (!forms[i].keys && der.len == 0)
            request_of(k, device, &der);
        form_add(&forms[i], device, k, &der);
    }
}

#define MAX_FORMS 4

int main(int argc, char **argv)
{
    const char *prefix = argc > 3 ? argv[3] : "D";
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 0, i;
    struct form forms[MAX_FORMS];
    size_t n = 0, at;
    struct keys k;
    char device[80];

    must(count > 0 && argc - 3 <= MAX_FORMS);
    forms[n++] = form_open(argv[1]);
    for (at = 4; at < (size_t)argc; at++)
        forms[n++] = form_open(argv[at]);
    first_key(&k);
    for (i = 1; i <= count; i++) {
        snprintf(device, sizeof(device), "%s-%07ld", prefix, i);
        add(forms, n, device, &k);
        next_key(&k);
    }
    while (n--)
        must(!forms[n].f || fclose(forms[n].f) == 0);
    keys_done(&k);
    return 0;
}
