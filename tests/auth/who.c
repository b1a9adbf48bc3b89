/* Who is calling? who CONF CERT: the answer of an authenticator about a certificate. */
#include <p11ca/auth.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct p11ca_err err = {0};
    struct p11ca_auth *auth = NULL;
    struct p11ca_identity *id = NULL;
    struct p11ca_decision d;
    int rc = 2;

    if (argc != 3)
        return rc;
    if (p11ca_auth_load(argv[1], NULL, NULL, &auth, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        return rc;
    }
    rc = 1;
    if (p11ca_identity_load(argv[2], &id, &err) == 0 && p11ca_auth_check(auth, id, NULL, &d, &err) == 0) {
        printf("%s %s, by rule %s, revocation %s\n", p11ca_name_kind(d.principal->kind), d.principal->text, d.rule,
            p11ca_status_text(d.revocation.status));
        rc = 0;
    } else {
        fprintf(stderr, "%s: %s\n", err.code, err.msg);
    }
    p11ca_identity_free(id);
    p11ca_auth_free(auth);
    return rc;
}
