/* The files of OCSP responses: their names, and what may be there already. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/text.h"
#include "issue/ocsp.h"

char *ocsp_path(const char *dir, const struct ocsp_plan *plan)
{
    char serial[2 * SERIAL_LEN + 1], *path;

    text_hex(plan->serial, plan->serial_len, serial);
    return asprintf(&path, "%s/%s.%s.ors", dir, serial, ocsp_hash_name(plan->hash)) < 0 ? NULL : path;
}

/* Good under the CA: by the CA itself, or by a responder of whatever day. */
static bool is_signed(const struct ocsp *o, const struct issuer *ca)
{
    struct der certs = o->certs, cert;
    struct ocsp_signer *signer = NULL;
    struct p11ca_err ignored;
    bool good;
    int rc;

    if (certs.len && der_next_any(&certs, &cert) == 0)
        rc = ocsp_signer_read(ca, cert, &signer, &ignored);
    else
        rc = ocsp_signer_ca(ca, &signer, &ignored);
    good = rc == 0 && ocsp_verify(o, signer, &ignored) == 0;
    ocsp_signer_free(signer);
    return good;
}

static bool is_answer_to(const struct ocsp *o, const struct ocsp_plan *plan, struct ocsp_single *ret)
{
    struct der in = o->t.singles;
    enum ocsp_hash hash;

    return o->status == 0 && o->t.n_singles == 1 && ocsp_next_single(&in, ret) == 0 &&
           ocsp_single_is_of(ret, plan->signer->ids, &hash) && hash == plan->hash &&
           der_equal(ret->serial, DER_OF(plan->serial, plan->serial_len));
}

static bool says_the_same(const struct ocsp_single *s, const struct ocsp_plan *plan)
{
    if (s->status != plan->status)
        return false;
    return s->status != OCSP_REVOKED ||
           (s->revoked_at == plan->revoked_at && s->reason == (plan->reason > 0 ? plan->reason : -1));
}

/* By this very signer: its certificate is in it, and its key has signed. */
static bool is_by(const struct ocsp *o, const struct ocsp_signer *signer)
{
    struct p11ca_err ignored;

    return der_equal(o->certs, der_buf(&signer->cert.der)) && ocsp_verify(o, signer, &ignored) == 0;
}

static bool is_fresh(
    const struct ocsp *o, const struct ocsp_single *s, const struct ocsp_plan *plan, int64_t until)
{
    return says_the_same(s, plan) && s->this_update <= plan->this_update && s->has_next_update &&
           s->next_update >= until && is_by(o, plan->signer);
}

int ocsp_look(const char *path, const struct ocsp_plan *plan, int64_t until, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;
    struct p11ca_err ignored;
    struct ocsp_single single;
    struct ocsp o;

    if (!file_exists(path))
        return 0;
    if (file_read(path, LIMIT_OCSP, &file, &ignored) != 0 || !ocsp_is_canonical(der_buf(&file)) ||
        ocsp_read(der_buf(&file), &o, &ignored) != 0 || !is_answer_to(&o, plan, &single) ||
        !is_signed(&o, plan->signer->ca))
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS",
            "%s: exists, and is no OCSP response for this certificate (--force replaces it)", path);
    return is_fresh(&o, &single, plan, until) ? 1 : 0;
}

/* Its folders are where base64 has a slash; two in a row are one to a web server, and to a file system. Where it ends in
 * one, it names a folder, and a server looks for an index in there. */
static int make_folders(char *path, size_t from, struct p11ca_err *err)
{
    char *slash;

    for (slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (file_mkdir(path, 0755, err) != 0)
            return -1;
        *slash = '/';
    }
    return 0;
}

int ocsp_get_path(const char *dir, const struct ocsp_plan *plan, char **ret, struct p11ca_err *err)
{
    char text[4 * (256 + 2) / 3 + 1];
    AUTO_BUF request = BUF_INIT;
    AUTO_STR path = NULL;

    if (ocsp_request_build(plan, &request, err) != 0)
        return -1;
    if (request.len > 256)
        return err_set(
            err, P11CA_BUG, "OCSP_REQUEST", "OCSP request: want at most 256 octets, have %zu", request.len);
    EVP_EncodeBlock((unsigned char *)text, request.p, (int)request.len);
    if (asprintf(&path, "%s/get/%s%s", dir, text, text[strlen(text) - 1] == '/' ? "index.ors" : "") < 0)
        path = NULL;
    if (!path)
        return err_nomem(err);
    if (make_folders(path, strlen(dir) + 1, err) != 0)
        return -1;
    *ret = str_take(&path);
    return 0;
}
