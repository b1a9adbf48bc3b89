/* Identities: what is taken is whole, fit for a terminal, and lets itself be asked. */
#include <p11ca/auth.h>
#include <string.h>

#include "fuzz.h"

static void require(const char *text)
{
    REQUIRE(text);
    fuzz_require_text(text, strlen(text), "");
}

static void require_facts(const struct p11ca_identity_facts *f)
{
    size_t i;

    require(f->subject);
    require(f->issuer);
    require(f->serial);
    require(f->key_usage);
    REQUIRE(f->issuer[0] && f->serial[0] && strlen(f->thumbprint) == P11CA_THUMBPRINT - 1);
    REQUIRE(!f->trust_domain == !f->path && (!f->path || f->path[0] == '/'));
    for (i = 0; i < f->n_names; i++) {
        require(f->names[i].text);
        REQUIRE(p11ca_name_kind_find(p11ca_name_kind(f->names[i].kind)) == f->names[i].kind);
    }
    for (i = 0; i < f->n_ekus; i++)
        require(f->ekus[i]);
    for (i = 0; i < f->n_policies; i++)
        require(f->policies[i]);
}

/* Each kind alone, and all of them: a principal is one of the names. */
static void ask(const struct p11ca_identity *id)
{
    const struct p11ca_identity_facts *f = p11ca_identity_facts(id);
    enum p11ca_name_kind kinds[P11CA_NAME_KINDS];
    const struct p11ca_name *name;
    struct p11ca_err err;
    unsigned k;

    for (k = 0; k < P11CA_NAME_KINDS; k++) {
        kinds[k] = (enum p11ca_name_kind)k;
        if (TAKES(p11ca_identity_principal(id, &kinds[k], 1, &name, &err)))
            REQUIRE(name >= f->names && name < f->names + f->n_names && name->kind == kinds[k]);
    }
    (void)TAKES(p11ca_identity_principal(id, kinds, P11CA_NAME_KINDS, &name, &err));
    REQUIRE(TAKES(p11ca_thumbprint_verify(id, f->thumbprint, P11CA_THUMBPRINT - 1, &err)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    struct p11ca_identity *id = NULL;
    struct p11ca_err err;

    if (!TAKES(p11ca_identity_read(p, len, &id, &err))) {
        REQUIRE(!id);
        return 0;
    }
    require_facts(p11ca_identity_facts(id));
    ask(id);
    p11ca_identity_free(id);
    return 0;
}
