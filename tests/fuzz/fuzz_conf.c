/* p11ca.conf, through p11ca_home_open(), in a home where nothing else is. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "issue/home.h"

SCOPE_DEFINE(home, struct p11ca_home *, p11ca_home_close)

static bool is_word(const char *s)
{
    return *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(s);
}

static void require_tokens(const struct p11ca_home *home)
{
    const struct token_binding *found;
    struct p11ca_err err;
    size_t i;

    for (i = 0; i < home->n_tokens; i++) {
        const struct token_binding *b = &home->tokens[i];

        REQUIRE(is_word(b->name) && b->kind && b->uri && b->pin && b->so_pin);
        REQUIRE(TAKES(home_token(home, b->name, &found, &err)) && found == b);
    }
}

static void require_authorities(const struct p11ca_home *home)
{
    const struct authority_conf *found;
    struct p11ca_err err;
    size_t i;

    for (i = 0; i < home->n_authorities; i++) {
        const struct authority_conf *a = &home->authorities[i];
        AUTO_STR cert = home_cert_path(home, a->name);

        REQUIRE(is_word(a->name) && cert && a->profile && a->profile->is_ca);
        REQUIRE((a->token != NULL) == (a->key != NULL));
        REQUIRE(TAKES(home_authority(home, a->name, &found, &err)) && found == a);
        REQUIRE(!a->issuer || TAKES(home_authority(home, a->issuer, &found, &err)));
    }
}

/* The digest is of the settings, not of how they were written. */
static void require_digest(const struct p11ca_home *home)
{
    SCOPED(home) struct p11ca_home *again = NULL;
    AUTO_BUF text = BUF_INIT;
    struct p11ca_err err;

    REQUIRE(TAKES(conf_text(&home->conf, &text, &err)));
    fuzz_write("p11ca.conf", text.p, text.len);
    REQUIRE(TAKES(p11ca_home_open(&again, fuzz_dir(), NULL, &err)));
    REQUIRE(memcmp(home->conf_sha256, again->conf_sha256, sizeof(home->conf_sha256)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    SCOPED(home) struct p11ca_home *home = NULL;
    struct p11ca_err err;

    if (fuzz_includes_elsewhere(p, len))
        return 0;
    fuzz_write("p11ca.conf", p, len);
    if (!TAKES(p11ca_home_open(&home, fuzz_dir(), NULL, &err))) {
        REQUIRE(!home);
        return 0;
    }
    require_tokens(home);
    require_authorities(home);
    require_digest(home);
    return 0;
}
