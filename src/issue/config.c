#include "issue/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/secret.h"
#include "x509/name.h"
#include "x509/san.h"

#define CRL_PARTITIONS_MAX 1024

#define N(table) (sizeof(table) / sizeof((table)[0]))

struct top {
    const char *ledger;
    struct conf_strs weak_keys;
    config_setting_t *tokens, *authorities, *profiles;
};

static const struct conf_field top_fields[] = {
    {"ledger", CONF_STR, false, offsetof(struct top, ledger)},
    {"weak-keys", CONF_STRS, false, offsetof(struct top, weak_keys)},
    {"tokens", CONF_GROUP, true, offsetof(struct top, tokens)},
    {"authorities", CONF_GROUP, true, offsetof(struct top, authorities)},
    {"profiles", CONF_GROUP, false, offsetof(struct top, profiles)},
};

#define T(key, req, member)                                                                                  \
    {                                                                                                        \
        key, CONF_STR, req, offsetof(struct token_binding, member)                                           \
    }
static const struct conf_field token_fields[] = {
    T("kind", true, kind),
    T("uri", true, uri),
    T("pin", false, pin),
    T("so-pin", false, so_pin),
    T("store", false, store),
};

#define A(key, type, req, member)                                                                            \
    {                                                                                                        \
        key, type, req, offsetof(struct authority_conf, member)                                              \
    }
static const struct conf_field authority_fields[] = {
    A("token", CONF_STR, false, token_name),
    A("key", CONF_STR, false, key),
    A("key-exception", CONF_STR, false, key_exception),
    A("subject", CONF_STR, true, subject),
    A("profile", CONF_STR, true, profile_name),
    A("issuer", CONF_STR, false, issuer),
    A("issues", CONF_STRS, false, issues),
    A("crl-url", CONF_STR, false, crl_url),
    A("crl-partitions", CONF_INT, false, crl_partitions),
    A("ocsp-url", CONF_STR, false, ocsp_url),
    A("ca-issuers-url", CONF_STR, false, ca_issuers_url),
    A("device-uri", CONF_STR, false, device_uri),
    A("ticket-from", CONF_STR, false, ticket_from),
};

/* Names become file names and words on a command line. */
static bool name_ok(const char *name)
{
    return strlen(name) <= 64 && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name);
}

static int read_token(
    struct p11ca_home *home, config_setting_t *s, struct token_binding *b, struct p11ca_err *err)
{
    const struct conf *conf = &home->conf;
    char what[128];

    b->name = config_setting_name(s);
    b->pin = b->so_pin = "prompt";
    snprintf(what, sizeof(what), "tokens.%.64s", b->name);
    if (!name_ok(b->name))
        return conf_err(conf, s, err, "%s: name: want letters, digits, '-' and '_'", what);
    if (!config_setting_is_group(s))
        return conf_err(conf, s, err, "%s: want a group { ... }", what);
    if (conf_fields(conf, s, what, token_fields, N(token_fields), b, err) != 0)
        return -1;
    if (token_check_binding(b, err) != 0)
        return conf_err(conf, s, err, "%s", err->msg);
    if (secret_check_spec(b->pin, err) != 0)
        return conf_err(conf, s, err, "%s: pin: %s", what, err->msg);
    if (secret_check_spec(b->so_pin, err) != 0)
        return conf_err(conf, s, err, "%s: so-pin: %s", what, err->msg);
    if (b->store && !(b->store = path_join(home->dir, b->store)))
        return err_nomem(err);
    return 0;
}

static int read_tokens(struct p11ca_home *home, config_setting_t *group, struct p11ca_err *err)
{
    size_t n = (size_t)config_setting_length(group), i;

    home->tokens = calloc(n + 1, sizeof(*home->tokens));
    if (!home->tokens)
        return err_nomem(err);
    for (i = 0; i < n; i++, home->n_tokens++) {
        if (read_token(home, config_setting_get_elem(group, (unsigned)i), &home->tokens[i], err) != 0) {
            home->tokens[i].store = NULL; /* still the configuration's string */
            return -1;
        }
    }
    return 0;
}

static int check_url(const struct conf *conf, const struct authority_conf *a, const char *key,
    const char *rule, const char *url, struct p11ca_err *err)
{
    AUTO_SANS list = SAN_LIST_INIT;
    struct p11ca_err why;

    if (!url)
        return 0;
    /* A host in U-labels would be another text in the name than here. */
    if (strncmp(url, "http://", 7) != 0 || san_add(&list, SAN_URI, url, &why) != 0 ||
        strcmp(list.v[0].text, url) != 0)
        return conf_err(conf, a->at, err, "authorities.%s: %s: %s: want an http:// URI", a->name, key, rule);
    return 0;
}

/* crl-url with the partition's number for %d; NULL: no memory. */
static char *partition_url(const char *url, int part)
{
    const char *at = strstr(url, "%d");
    char *text = NULL;

    return asprintf(&text, "%.*s%d%s", (int)(at - url), url, part, at + 2) < 0 ? NULL : text;
}

static int make_partition_urls(const struct conf *conf, struct authority_conf *a, struct p11ca_err *err)
{
    int i;

    a->crl_urls = calloc((size_t)a->crl_partitions + 1, sizeof(*a->crl_urls));
    if (!a->crl_urls)
        return err_nomem(err);
    for (i = 0; i < a->crl_partitions; i++) {
        a->crl_urls[i] = partition_url(a->crl_url, i + 1);
        if (!a->crl_urls[i])
            return err_nomem(err);
        if (check_url(conf, a, "crl-url", "RFC 5280 4.2.1.13", a->crl_urls[i], err) != 0)
            return -1;
    }
    return 0;
}

/* A certificate names the list of its partition: the number has a place in the URL, behind the host, and only there. */
static int check_partitions(const struct conf *conf, struct authority_conf *a, struct p11ca_err *err)
{
    const char *at = a->crl_url ? strstr(a->crl_url, "%d") : NULL;
    const char *path = a->crl_url && strlen(a->crl_url) > 7 ? strchr(a->crl_url + 7, '/') : NULL;

    if (!config_setting_get_member(a->at, "crl-partitions"))
        return check_url(conf, a, "crl-url", "RFC 5280 4.2.1.13", a->crl_url, err);
    if (a->crl_partitions < 1 || a->crl_partitions > CRL_PARTITIONS_MAX)
        return conf_err(conf, a->at, err, "authorities.%s: crl-partitions: want 1 to %d, have %d", a->name,
            CRL_PARTITIONS_MAX, a->crl_partitions);
    if (!at || strstr(at + 2, "%d") || !path || at < path)
        return conf_err(conf, a->at, err,
            "authorities.%s: crl-url: with crl-partitions want %%d once, behind the host, for the "
            "partition's "
            "number",
            a->name);
    return make_partition_urls(conf, a, err);
}

static int check_urls(const struct conf *conf, struct authority_conf *a, struct p11ca_err *err)
{
    if (check_partitions(conf, a, err) != 0 ||
        check_url(conf, a, "ocsp-url", "RFC 5280 4.2.2.1", a->ocsp_url, err) != 0)
        return -1;
    return check_url(conf, a, "ca-issuers-url", "RFC 5280 4.2.2.1", a->ca_issuers_url, err);
}

/* A root that says nothing issues intermediates, and only those. */
static int default_issues(struct authority_conf *a, struct p11ca_err *err)
{
    if (a->issues.v || !a->profile->self_signed)
        return 0;
    a->issues.v = calloc(2, sizeof(*a->issues.v));
    if (!a->issues.v)
        return err_nomem(err);
    a->issues.v[a->issues.n++] = "issuing-ca";
    return 0;
}

static int check_issues(const struct p11ca_home *home, struct authority_conf *a, struct p11ca_err *err)
{
    const struct conf *conf = &home->conf;
    size_t i;

    if (default_issues(a, err) != 0)
        return -1;
    for (i = 0; i < a->issues.n; i++) {
        const struct profile *p = profiles_find(home->profiles, a->issues.v[i]);

        if (!p)
            return conf_err(
                conf, a->at, err, "authorities.%s: issues: no profile '%s'", a->name, a->issues.v[i]);
        if (p->self_signed || (p->is_ca && a->profile->pathlen == 0))
            return conf_err(conf, a->at, err,
                "authorities.%s: issues: RFC 5280 4.2.1.9: profile '%s' cannot issue '%s'", a->name,
                a->profile->name, p->name);
        if (a->crl_partitions && (p->is_ca || p->crl_url))
            return conf_err(conf, a->at, err,
                "authorities.%s: crl-partitions: want profiles of end entities without a crl-url of their "
                "own "
                "in issues, have '%s'",
                a->name, p->name);
    }
    return 0;
}

/* Token and key, or neither: then only the CA certificate is here, and the key is at another machine. */
static int check_key(const struct p11ca_home *home, struct authority_conf *a, struct p11ca_err *err)
{
    struct p11ca_err why;

    if (a->key_exception && (!a->token_name || !a->key_exception[0] || strlen(a->key_exception) > 200))
        return conf_err(&home->conf, a->at, err,
            "authorities.%s: key-exception: want a reason of 1 to 200 octets, for a key in a token", a->name);
    if (!a->token_name && !a->key)
        return 0;
    if (!a->token_name || !a->key || !a->key[0])
        return conf_err(
            &home->conf, a->at, err, "authorities.%s: want both token and key, or neither", a->name);
    if (home_token(home, a->token_name, &a->token, &why) != 0)
        return conf_err(
            &home->conf, a->at, err, "authorities.%s: no token '%s' in tokens", a->name, a->token_name);
    return 0;
}

/* RFC 6960 4.2.2.2: it answers for its issuer, and its key signs nothing else. */
static int check_responder(const struct conf *conf, const struct authority_conf *a, struct p11ca_err *err)
{
    if (!a->issuer)
        return conf_err(conf, a->at, err,
            "authorities.%s: issuer: profile '%s' is for an OCSP responder: want the authority it answers "
            "for",
            a->name, a->profile_name);
    if (a->issues.n || a->ticket_from || a->crl_url || a->crl_partitions || a->ocsp_url || a->ca_issuers_url)
        return conf_err(conf, a->at, err,
            "authorities.%s: want token, key, subject, profile and issuer only: an OCSP responder issues "
            "nothing",
            a->name);
    return 0;
}

static int check_authority(struct p11ca_home *home, struct authority_conf *a, struct p11ca_err *err)
{
    const struct conf *conf = &home->conf;
    AUTO_BUF der = BUF_INIT;
    struct p11ca_err why;

    a->profile = profiles_find(home->profiles, a->profile_name);
    if (!a->profile)
        return conf_err(conf, a->at, err, "authorities.%s: no profile '%s'", a->name, a->profile_name);
    if (!a->profile->is_ca && !authority_is_responder(a))
        return conf_err(
            conf, a->at, err, "authorities.%s: profile '%s' is not for a CA", a->name, a->profile_name);
    if (a->profile->cross)
        return conf_err(conf, a->at, err,
            "authorities.%s: profile '%s' is for certificates that cross another", a->name, a->profile_name);
    if (check_key(home, a, err) != 0)
        return -1;
    if (name_from_text(a->subject, &der, &why) != 0)
        return conf_err(conf, a->at, err, "authorities.%s: subject: %s", a->name, why.msg);
    if (authority_is_responder(a) && check_responder(conf, a, err) != 0)
        return -1;
    if (a->profile->self_signed && a->issuer)
        return conf_err(conf, a->at, err, "authorities.%s: issuer: profile '%s' is self-signed", a->name,
            a->profile_name);
    return check_urls(conf, a, err) != 0 ? -1 : check_issues(home, a, err);
}

static int read_authority(
    struct p11ca_home *home, config_setting_t *s, struct authority_conf *a, struct p11ca_err *err)
{
    char what[128];

    a->name = config_setting_name(s);
    a->at = s;
    a->device_uri = "urn:p11ca:device:";
    snprintf(what, sizeof(what), "authorities.%.64s", a->name);
    if (!name_ok(a->name))
        return conf_err(&home->conf, s, err, "%s: name: want letters, digits, '-' and '_'", what);
    if (!config_setting_is_group(s))
        return conf_err(&home->conf, s, err, "%s: want a group { ... }", what);
    if (conf_fields(&home->conf, s, what, authority_fields, N(authority_fields), a, err) != 0)
        return -1;
    return check_authority(home, a, err);
}

/* Whoever signs tickets for itself needs none. */
static int check_ticket_from(
    const struct p11ca_home *home, const struct authority_conf *a, struct p11ca_err *err)
{
    const struct authority_conf *signer;
    struct p11ca_err why;

    if (!a->ticket_from)
        return 0;
    if (home_authority(home, a->ticket_from, &signer, &why) != 0)
        return conf_err(&home->conf, a->at, err, "authorities.%s: ticket-from: no authority '%s'", a->name,
            a->ticket_from);
    if (signer == a)
        return conf_err(
            &home->conf, a->at, err, "authorities.%s: ticket-from: want another authority", a->name);
    if (authority_is_responder(signer))
        return conf_err(&home->conf, a->at, err, "authorities.%s: ticket-from: '%s' is an OCSP responder",
            a->name, a->ticket_from);
    return 0;
}

static int read_authorities(struct p11ca_home *home, config_setting_t *group, struct p11ca_err *err)
{
    size_t n = (size_t)config_setting_length(group), i;
    const struct authority_conf *issuer;

    home->authorities = calloc(n + 1, sizeof(*home->authorities));
    if (!home->authorities)
        return err_nomem(err);
    for (i = 0; i < n; i++) {
        home->n_authorities++; /* counted first: what it read is freed also when it fails */
        if (read_authority(home, config_setting_get_elem(group, (unsigned)i), &home->authorities[i], err) !=
            0)
            return -1;
    }
    for (i = 0; i < n; i++) {
        const struct authority_conf *a = &home->authorities[i];
        struct p11ca_err why;

        if (a->issuer && home_authority(home, a->issuer, &issuer, &why) != 0)
            return conf_err(
                &home->conf, a->at, err, "authorities.%s: issuer: no authority '%s'", a->name, a->issuer);
        if (a->issuer && authority_is_responder(issuer))
            return conf_err(&home->conf, a->at, err, "authorities.%s: issuer: '%s' is an OCSP responder",
                a->name, a->issuer);
        if (check_ticket_from(home, a, err) != 0)
            return -1;
    }
    return 0;
}

/* Read when an RSA key comes; that they are there is looked at now. */
static int read_weak_keys(struct p11ca_home *home, const struct conf_strs *names, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < names->n; i++) {
        AUTO_STR path = path_join(home->dir, names->v[i]);

        if (!path)
            return err_nomem(err);
        if (!file_exists(path))
            return conf_err(&home->conf, config_lookup(&home->conf.cfg, "weak-keys"), err,
                "weak-keys: %s: no such file", path);
    }
    return names->n ? weak_list_new(home->dir, names->v, names->n, &home->weak_keys, err) : 0;
}

static int read_top(struct p11ca_home *home, const struct top *top, struct p11ca_err *err)
{
    home->ledger_path = path_join(home->dir, top->ledger);
    if (!home->ledger_path)
        return err_nomem(err);
    if (read_weak_keys(home, &top->weak_keys, err) != 0 ||
        profiles_read(&home->conf, top->profiles, &home->profiles, err) != 0 ||
        read_tokens(home, top->tokens, err) != 0)
        return -1;
    return read_authorities(home, top->authorities, err);
}

/* The built-in profiles are configuration, too: they change with the version. */
static int hash_settings(struct p11ca_home *home, struct p11ca_err *err)
{
    AUTO_BUF text = BUF_INIT;

    if (conf_text(&home->conf, &text, err) != 0)
        return -1;
    buf_adds(&text, P11CA_VERSION);
    return buf_ok(&text) && hash_sha256(text.p, text.len, home->conf_sha256) == 0 ? 0 : err_nomem(err);
}

int home_config_read(struct p11ca_home *home, struct p11ca_err *err)
{
    struct top top = {.ledger = "ledger.db"};
    AUTO_STR path = path_join(home->dir, "p11ca.conf");
    int rc;

    if (!path)
        return err_nomem(err);
    if (!file_exists(path))
        return err_set(
            err, P11CA_CONFIG, "NO_HOME", "%s: no such file: not a PKI home (-C HOME, or p11ca init)", path);
    if (conf_load(&home->conf, path, err) != 0 || hash_settings(home, err) != 0)
        return -1;
    rc = conf_fields(&home->conf, config_root_setting(&home->conf.cfg), "p11ca.conf", top_fields,
        N(top_fields), &top, err);
    if (rc == 0)
        rc = read_top(home, &top, err);
    free(top.weak_keys.v);
    return rc;
}

void home_config_free(struct p11ca_home *home)
{
    size_t i;
    int k;

    for (i = 0; i < home->n_tokens; i++)
        free((void *)(uintptr_t)home->tokens[i].store);
    for (i = 0; i < home->n_authorities; i++) {
        free(home->authorities[i].issues.v);
        for (k = 0; home->authorities[i].crl_urls && k < home->authorities[i].crl_partitions; k++)
            free(home->authorities[i].crl_urls[k]);
        free(home->authorities[i].crl_urls);
    }
    free(home->tokens);
    free(home->authorities);
    free(home->ledger_path);
    weak_list_free(home->weak_keys);
    profiles_free(home->profiles);
    conf_done(&home->conf);
}
