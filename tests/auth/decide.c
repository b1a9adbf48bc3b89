/*
 * How long a decision takes: decide CA CRL CLIENT POLICY COUNT. A service knows from TLS who signed the certificate;
 * what it does for each request is timed COUNT times: the identity from the certificate's DER, the CRL's answer, and
 * the policy's. Prints microseconds of all three, of each, and of p11ca_auth_check(): the first one, which verifies the
 * signature, and those after it, which remember that it was right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/crls.h"
#include "auth/identity.h"
#include "base/file.h"
#include "x509/issuer.h"
#include "x509/pem.h"

#define DIE(call)                                                                                            \
    do {                                                                                                     \
        if ((call) != 0)                                                                                     \
            die(&err);                                                                                       \
    } while (0)

struct service {
    struct p11ca_crls *crls;
    struct p11ca_policy *policy;
    struct p11ca_auth *auth;
    const struct spki *issuer;
    struct buf der;
    int64_t now;
};

static struct p11ca_err err;

static void die(const struct p11ca_err *e)
{
    fprintf(stderr, "decide: %s: %s\n", e->code, e->msg);
    exit(1);
}

static double now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The leaf's DER, as TLS hands it over. */
static void read_der(const char *path, struct buf *ret)
{
    AUTO_IDENTITY id = NULL;

    DIE(p11ca_identity_load(path, &id, &err));
    buf_add(ret, id->cert.der.p, id->cert.der.len);
}

static void prepare(struct service *s, char **argv)
{
    AUTO_BUF ca = BUF_INIT;
    const char *const crl[] = {argv[2]};

    *s = (struct service){.crls = p11ca_crls_new(),
        .policy = p11ca_policy_new(),
        .auth = p11ca_auth_new(),
        .der = BUF_INIT,
        .now = (int64_t)time(NULL)};
    DIE(file_read(argv[1], LIMIT_CERT, &ca, &err));
    DIE(p11ca_crls_add_ca(s->crls, ca.p, ca.len, &err));
    DIE(p11ca_crls_load(s->crls, crl, 1, &err));
    DIE(p11ca_auth_trust_cert(s->auth, ca.p, ca.len, &err));
    DIE(p11ca_auth_principal(s->auth, P11CA_NAME_CN, &err));
    DIE(p11ca_auth_allow_any(s->auth, P11CA_NAME_CN, &err));
    DIE(p11ca_auth_use_crls(s->auth, s->crls, false, 0, &err));
    DIE(p11ca_auth_seal(s->auth, &err));
    DIE(p11ca_policy_load(s->policy, argv[4], &err));
    read_der(argv[3], &s->der);
    s->issuer = &s->crls->cas[0]->spki;
}

static void ask_crls(const struct service *s, const struct p11ca_identity *id)
{
    struct p11ca_revocation r;

    crls_check_by(s->crls, s->issuer, id, s->now, &r);
    if (r.status != P11CA_STATUS_GOOD) {
        fprintf(stderr, "decide: want it good, have %s\n", p11ca_status_text(r.status));
        exit(1);
    }
}

static void ask_policy(const struct service *s, const struct p11ca_identity *id)
{
    const struct p11ca_request q = {"orders", id, "GET", "/orders/7"};

    DIE(p11ca_policy_check(s->policy, &q, NULL, &err));
}

static void decide(const struct service *s)
{
    AUTO_IDENTITY id = NULL;

    DIE(p11ca_identity_read(s->der.p, s->der.len, &id, &err));
    ask_crls(s, id);
    ask_policy(s, id);
}

int main(int argc, char **argv)
{
    AUTO_IDENTITY id = NULL;
    struct service s;
    double at[7];
    long n, i;

    if (argc != 6 || (n = strtol(argv[5], NULL, 10)) < 1)
        return 2;
    prepare(&s, argv);
    decide(&s);
    at[0] = now_us();
    for (i = 0; i < n; i++)
        decide(&s);
    at[1] = now_us();
    for (i = 0; i < n; i++) {
        p11ca_identity_free(id);
        id = NULL;
        DIE(p11ca_identity_read(s.der.p, s.der.len, &id, &err));
    }
    at[2] = now_us();
    for (i = 0; i < n; i++)
        ask_crls(&s, id);
    at[3] = now_us();
    for (i = 0; i < n; i++)
        ask_policy(&s, id);
    at[4] = now_us();
    DIE(p11ca_auth_check(s.auth, id, NULL, NULL, &err));
    at[5] = now_us();
    for (i = 0; i < n; i++)
        DIE(p11ca_auth_check(s.auth, id, NULL, NULL, &err));
    at[6] = now_us();
    for (i = 0; i < 6; i++)
        printf("%.3f\n", (at[i + 1] - at[i]) / (i == 4 ? 1.0 : (double)n));
    p11ca_policy_free(s.policy);
    p11ca_auth_free(s.auth);
    p11ca_crls_free(s.crls);
    buf_done(&s.der);
    return 0;
}
