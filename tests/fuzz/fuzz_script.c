/* Ceremony scripts: loading, and planning against a home with two roots, an issuing CA and one from outside. */
#include <stdlib.h>
#include <string.h>

#include "ceremony/plan.h"
#include "ceremony/steps.h"
#include "fuzz.h"
#include "x509/csr.h"
#include "x509/name.h"

static const char conf[] =
    "tokens = {\n"
    "  root = { kind = \"softhsm2\"; uri = \"pkcs11:token=root\"; };\n"
    "  next = { kind = \"softhsm2\"; uri = \"pkcs11:token=next\"; };\n"
    "  factory = { kind = \"softhsm2\"; uri = \"pkcs11:token=factory\"; pin = \"shares\"; };\n"
    "};\n"
    "authorities = {\n"
    "  root = { token = \"root\"; key = \"root\"; subject = \"CN=Acme Root CA,O=Acme\"; profile = "
    "\"root-ca\";\n"
    "    issues = [ \"issuing-ca\", \"intermediate-ca\", \"cross-ca\" ]; crl-url = "
    "\"http://pki.example/r.crl\"; };\n"
    "  root-next = { token = \"next\"; key = \"next\"; subject = \"CN=Acme Root CA 2,O=Acme\"; profile = "
    "\"root-ca\";\n"
    "    issues = [ \"issuing-ca\", \"cross-ca\", \"ocsp-signer\" ]; };\n"
    "  factory = { token = \"factory\"; key = \"factory\"; subject = \"CN=Acme Factory CA,O=Acme\";\n"
    "    profile = \"issuing-ca\"; issuer = \"root\"; issues = [ \"server\", \"client\", \"device\", "
    "\"ocsp-signer\" ]; ticket-from = \"root\"; };\n"
    "  outside = { subject = \"CN=Acme Outside CA,O=Acme\"; profile = \"issuing-ca\"; issuer = \"root\"; };\n"
    "};\n";

/* A request that is there before the ceremony, as of an authority whose key is elsewhere. */
static void write_request(void)
{
    AUTO_BUF subject = BUF_INIT, der = BUF_INIT;
    struct p11ca_err err;
    struct spki spki;

    REQUIRE(TAKES(name_from_text("CN=Acme Outside CA,O=Acme", &subject, &err)));
    REQUIRE(TAKES(spki_of_key(fuzz_key(), &spki, &err)));
    REQUIRE(TAKES(csr_make(fuzz_key(), der_buf(&subject), &spki, &der, &err)));
    fuzz_write("there.csr", der.p, der.len);
}

static struct p11ca_home *the_home(void)
{
    static struct p11ca_home *home;
    const struct p11ca_options options = {.now = FUZZ_NOW};
    struct p11ca_err err;

    if (home)
        return home;
    fuzz_write("p11ca.conf", conf, strlen(conf));
    REQUIRE(TAKES(p11ca_home_open(&home, fuzz_dir(), &options, &err)));
    write_request();
    return home;
}

static bool plan(const struct script *script, bool lenient, struct buf *ret_text)
{
    AUTO_PLAN plan = {0};
    struct p11ca_err err;

    if (!TAKES(plan_make(&plan, script, the_home(), lenient, &err)))
        return false;
    REQUIRE(json_is_array(plan.steps));
    fuzz_require_text(plan.text.p, plan.text.len, "\n");
    buf_add(ret_text, plan.text.p, plan.text.len);
    return true;
}

/* What a transcript takes. */
static void require_json(const char *text)
{
    AUTO_JSON string = json_string(text);

    REQUIRE(string);
}

static void describe(const struct script *script)
{
    size_t i;

    REQUIRE(script->title && script->n_roles >= 1 && script->n_steps >= 1);
    require_json(script->title);
    for (i = 0; i < script->n_steps; i++) {
        const struct step *step = &script->steps[i];
        AUTO_BUF text = BUF_INIT;

        REQUIRE(step->number == i + 1 && script_actor(script, step));
        step->kind->describe(step, &text);
        REQUIRE(buf_ok(&text) && text.len);
        require_json(buf_str(&text));
    }
}

/* The plan is the same every time, and what is good for a ceremony is good for going on with one. */
static void plan_twice(const struct script *script)
{
    AUTO_BUF strict = BUF_INIT, lenient = BUF_INIT, again = BUF_INIT;

    if (!plan(script, false, &strict)) {
        (void)plan(script, true, &lenient);
        return;
    }
    REQUIRE(plan(script, true, &lenient) && plan(script, false, &again));
    REQUIRE(der_equal(der_buf(&strict), der_buf(&lenient)) && der_equal(der_buf(&strict), der_buf(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    static struct script script; /* large */
    struct p11ca_err err;

    if (fuzz_includes_elsewhere(p, len))
        return 0;
    (void)the_home();
    fuzz_write("script.conf", p, len);
    if (!TAKES(script_load(&script, fuzz_path("script.conf"), &err)))
        return 0;
    describe(&script);
    plan_twice(&script);
    script_done(&script);
    return 0;
}
