/* A witness signs the final transcript with a key of a token. */
#include <p11ca/ceremony.h>

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/folder.h"
#include "ceremony/transcript.h"
#include "ceremony/verify.h"
#include "issue/home.h"
#include "token/signer.h"
#include "x509/cms.h"

#define NAME_MAX_LEN 32

/* A key in a token, ready to sign. */
struct hand {
    const char *label;
    struct token *token;
    struct key key;
    struct signer *signer;
};

static void hand_done(struct hand *h)
{
    signer_close(h->signer);
    if (h->key.token)
        key_done(&h->key);
    token_close(h->token);
}

static int check_name(const char *name, struct p11ca_err *err)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

    if (*name && strlen(name) <= NAME_MAX_LEN && strspn(name, set) == strlen(name))
        return 0;
    return err_set(
        err, P11CA_USAGE, "NAME", "name '%s': want 1 to %d letters, digits and '-'", name, NAME_MAX_LEN);
}

/* All that can be refused without the token. */
static int prepare(const char *dir, const char *name, char **ret_path, struct p11ca_err *err)
{
    AUTO_STR folder = path_join(dir, VERIFY_COUNTERSIGNED);
    AUTO_STR path = NULL;
    char file[NAME_MAX_LEN + 8];

    if (check_name(name, err) != 0)
        return -1;
    snprintf(file, sizeof(file), "%.32s.p7s", name);
    path = folder ? path_join(folder, file) : NULL;
    if (!path)
        return err_nomem(err);
    if (file_exists(path))
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", path);
    *ret_path = str_take(&path);
    return 0;
}

static int read_cert(const char *path, struct cert *ret, struct p11ca_err *err)
{
    AUTO_BUF file = BUF_INIT;

    if (file_read(path, LIMIT_CERT, &file, err) != 0)
        return -1;
    return cert_read(file.p, file.len, ret, err) == 0 ? 0 : err_prefix(err, "%s", path);
}

/* The very bytes whose hash was verified. */
static int read_transcript(const char *dir, const char *want, struct buf *ret, struct p11ca_err *err)
{
    uint8_t sha256[SHA256_LEN];
    char have[TRANSCRIPT_HEX];

    if (folder_read(dir, TRANSCRIPT_FILE, ret, err) != 0)
        return -1;
    if (hash_sha256(ret->p, ret->len, sha256) != 0)
        return err_nomem(err);
    text_hex_lower(sha256, sizeof(sha256), have);
    if (strcmp(have, want) == 0)
        return 0;
    return err_set(
        err, P11CA_FILE, "FILE_CHANGED", "%s/" TRANSCRIPT_FILE ": was changed while it was read", dir);
}

/* The signer checks the key's attributes: one that could leave its token is no witness. */
static int open_hand(const struct p11ca_home *home, const char *token, const struct cert *cert,
    struct hand *ret, struct p11ca_err *err)
{
    const struct token_binding *binding;

    if (home_token(home, token, &binding, err) != 0 ||
        token_open(&ret->token, binding, &home->env, false, err) != 0 || token_login(ret->token, err) != 0 ||
        key_find(&ret->key, ret->token, ret->label, NULL, 0, err) != 0 ||
        signer_open(&ret->signer, &ret->key, home->gate, err) != 0)
        return -1;
    /* Without a public object there is nothing to compare: what comes out is verified in any case. */
    if (ret->key.spki.len && !der_equal(der_buf(&ret->key.spki), cert->t.spki))
        return err_set(err, P11CA_REFUSED, "CERT_KEY",
            "certificate: public key: want that of key '%s' in token '%s', have another", ret->label, token);
    return 0;
}

static int sign(const struct hand *h, const struct cert *cert, const struct buf *text, int64_t now,
    struct buf *ret, struct p11ca_err *err)
{
    AUTO_BUF who = BUF_INIT;

    if (cms_sign(signer_get0_pkey(h->signer), cert, der_buf(text), now, ret, err) != 0) {
        err->kind = P11CA_TOKEN;
        return signer_explain(h->signer, err);
    }
    return cms_verify(der_buf(ret), der_buf(text), &who, err);
}

static int publish(const char *dir, const char *path, const struct buf *cms, struct p11ca_err *err)
{
    AUTO_STR folder = path_join(dir, VERIFY_COUNTERSIGNED);

    if (!folder)
        return err_nomem(err);
    if (file_mkdir(folder, 0755, err) != 0)
        return -1;
    return file_write(path, FILE_NEW, 0644, cms->p, cms->len, err);
}

int p11ca_ceremony_countersign(struct p11ca_home *home, const char *dir, const char *name, const char *token,
    const char *key, const char *certificate, struct p11ca_err *err)
{
    __attribute__((cleanup(hand_done))) struct hand hand = {.label = key};
    struct p11ca_ceremony verified;
    AUTO_BUF text = BUF_INIT, cms = BUF_INIT;
    AUTO_CERT cert = CERT_INIT;
    AUTO_STR path = NULL;

    if (prepare(dir, name, &path, err) != 0 || read_cert(certificate, &cert, err) != 0 ||
        p11ca_ceremony_verify(dir, NULL, NULL, &verified, err) != 0 ||
        read_transcript(dir, verified.sha256, &text, err) != 0 ||
        open_hand(home, token, &cert, &hand, err) != 0 ||
        sign(&hand, &cert, &text, home_now(home), &cms, err) != 0)
        return -1;
    return publish(dir, path, &cms, err);
}
