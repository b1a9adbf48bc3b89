/* A PKI home from the inside: its configuration, and where things are. */
#ifndef ISSUE_HOME_H
#define ISSUE_HOME_H

#include <p11ca/home.h>

#include "base/conf.h"
#include "base/hash.h"
#include "ledger/ledger.h"
#include "token/token.h"
#include "x509/profiles.h"
#include "x509/weak_list.h"

struct authority_conf {
    const char *name;
    const config_setting_t *at; /* for errors */
    const char *token_name;
    const struct token_binding *token; /* NULL: its key is at another machine, only the certificate is here */
    const char *key;                   /* label; NULL like token */
    const char *key_exception; /* why a key that was not generated in its token is used; NULL: it is not */
    const char *subject;
    const char *profile_name;
    const struct profile *profile;
    const char *issuer;      /* name of an authority; NULL: outside this home, or self-signed */
    struct conf_strs issues; /* profiles it may issue */
    const char *crl_url, *ocsp_url, *ca_issuers_url; /* NULL: none */
    int crl_partitions;                              /* 0: one list for all */
    char **crl_urls;                                 /* of each partition, crl_url with its number in it */
    const char *ticket_from; /* name of the authority whose key signs lot tickets; NULL: none is wanted */
    const char *device_uri;  /* a device without names gets this URI with its ID behind */
};

/* Whether its key signs OCSP responses for its issuer, and no certificates. */
static inline bool authority_is_responder(const struct authority_conf *a)
{
    return a->profile->ocsp_nocheck;
}

struct p11ca_home {
    char *dir;
    struct conf conf;
    uint8_t conf_sha256[SHA256_LEN];
    char *ledger_path;
    struct weak_list *weak_keys; /* NULL: none */
    struct profiles *profiles;   /* the built-in ones, and its own */
    struct token_binding *tokens;
    size_t n_tokens;
    struct authority_conf *authorities;
    size_t n_authorities;
    char *program_dir; /* NULL: beside this executable */
    char *kind_dir_own, *kind_dir_shared, *gate;
    const char *kind_dirs[3];
    struct token_env env;
    int64_t fixed_now;
    const struct p11ca_home *rehearsed; /* of a rehearsal: the home that it stands in for */
};

int64_t home_now(const struct p11ca_home *home);

/* A line to whoever listens. */
void home_say(const struct p11ca_home *home, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for whoever wants to see every step. */
void home_detail(const struct p11ca_home *home, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* How far a long work has come; as in struct p11ca_ui. */
void home_progress(const struct p11ca_home *home, const struct p11ca_progress *p);

/* P11CA_USAGE when p11ca.conf has none of the name. */
P11CA_CHECK int home_authority(const struct p11ca_home *home, const char *name,
    const struct authority_conf **ret, struct p11ca_err *err);
P11CA_CHECK int home_token(
    const struct p11ca_home *home, const char *name, const struct token_binding **ret, struct p11ca_err *err);

/* For writing: created when absent, a changed configuration is noted. */
P11CA_CHECK int home_ledger_write(const struct p11ca_home *home, struct ledger **ret, struct p11ca_err *err);
P11CA_CHECK int home_ledger_read(const struct p11ca_home *home, struct ledger **ret, struct p11ca_err *err);

/* HOME/NAME.crt; caller frees. NULL when out of memory. */
char *home_cert_path(const struct p11ca_home *home, const char *authority);

#endif
