/* Revocation: what is asked, what is loaded, and what is not. */
#include "auth_crl_help.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/p11ca-crls.XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[16][256];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static const char *in_file(const char *name, const char *text)
{
    static char msg[512];

    snprintf(msg, sizeof(msg), "%s: %s", path_of(name), text);
    return msg;
}
#define ONE(text) in_file("one.crl", text)
#define TWO(text) in_file("two.crl", text)

static struct p11ca_crls *factory_crls(void)
{
    struct p11ca_crls *crls = p11ca_crls_new();

    assert_non_null(crls);
    assert_ok(
        p11ca_crls_add_ca(crls, test_factory()->issuer->cert.p, test_factory()->issuer->cert.len, &err));
    return crls;
}

/* One CRL in place of all. */
static int load(struct p11ca_crls *crls, const struct crl_spec *spec)
{
    const char *path = path_of("one.crl");

    put_crl(path, spec);
    memset(&err, 0, sizeof(err));
    return p11ca_crls_load(crls, &path, 1, &err);
}

static int load_two(struct p11ca_crls *crls, const struct crl_spec *a, const struct crl_spec *b)
{
    const char *paths[] = {path_of("one.crl"), path_of("two.crl")};

    put_crl(paths[0], a);
    put_crl(paths[1], b);
    memset(&err, 0, sizeof(err));
    return p11ca_crls_load(crls, paths, 2, &err);
}

static struct p11ca_revocation ask_at(struct p11ca_crls *crls, const struct leaf *l, int64_t now)
{
    AUTO_IDENTITY id = leaf_identity(l);
    struct p11ca_revocation r;

    p11ca_crls_check(crls, id, now, &r);
    return r;
}

static enum p11ca_status ask(struct p11ca_crls *crls, const char *serial)
{
    const struct leaf l = {.serial = serial};

    return ask_at(crls, &l, TEST_NOW).status;
}

/* --- answers --- */

static void good_and_revoked(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct leaf listed = {.serial = "0b"};
    struct p11ca_revocation r;

    (void)state;
    assert_ok(load(crls, &(struct crl_spec){.number = 1, .serials = "00ff 0b:1 0a"}));
    assert_int_equal(p11ca_crls_count(crls), 3);
    r = ask_at(crls, &listed, TEST_NOW);
    assert_int_equal(r.status, P11CA_STATUS_REVOKED);
    assert_int_equal(r.reason, 1);
    assert_string_equal(p11ca_reason_text(r.reason), "keyCompromise");
    assert_int_equal(r.revoked_at, TEST_NOW - 7);
    assert_int_equal(r.this_update, TEST_NOW);
    assert_int_equal(r.next_update, TEST_NOW + 86400);
    assert_int_equal(ask(crls, "0a"), P11CA_STATUS_REVOKED);
    assert_int_equal(ask(crls, "00ff"), P11CA_STATUS_REVOKED);
    assert_int_equal(ask(crls, "0c"), P11CA_STATUS_GOOD);
    assert_int_equal(ask(crls, "0b00"), P11CA_STATUS_GOOD);
    assert_string_equal(p11ca_status_text(P11CA_STATUS_GOOD), "good");
    assert_string_equal(p11ca_reason_text(7), "unspecified");
    assert_string_equal(p11ca_reason_text(-1), "unspecified");
    p11ca_crls_free(crls);
    p11ca_crls_free(NULL);
}

static void stale_is_an_answer_of_its_own(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct leaf other = {.serial = "0c"}, listed = {.serial = "0b"};

    (void)state;
    assert_ok(load(crls, &(struct crl_spec){.number = 1, .serials = "0b"}));
    assert_int_equal(ask_at(crls, &other, TEST_NOW + 86400).status, P11CA_STATUS_GOOD);
    assert_int_equal(ask_at(crls, &other, TEST_NOW + 86401).status, P11CA_STATUS_STALE);
    /* The clock was set back. */
    assert_int_equal(ask_at(crls, &other, TEST_NOW - 1).status, P11CA_STATUS_STALE);
    assert_int_equal(ask_at(crls, &listed, TEST_NOW + 86401).status, P11CA_STATUS_REVOKED);
    assert_int_equal(ask_at(crls, &listed, TEST_NOW - 1).status, P11CA_STATUS_REVOKED);
    p11ca_crls_free(crls);
}

static void fail_open_unknown_issuers_are_not_good(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct leaf of_root = {.by = test_root()};

    (void)state;
    assert_int_equal(ask(crls, "0b"), P11CA_STATUS_UNKNOWN);
    assert_ok(load(crls, &(struct crl_spec){.number = 1}));
    assert_int_equal(ask(crls, "0b"), P11CA_STATUS_GOOD);
    assert_int_equal(ask_at(crls, &of_root, TEST_NOW).status, P11CA_STATUS_UNKNOWN);
    /* Known, but without a CRL. */
    assert_ok(p11ca_crls_load(crls, NULL, 0, &err));
    assert_int_equal(ask(crls, "0b"), P11CA_STATUS_UNKNOWN);
    p11ca_crls_free(crls);
}

/* "CN=Acme Factory CA 1,O=Acme,C=US", the O as PrintableString instead of UTF8String: the same text. */
static const char same_text[] = "3038310b3009060355040613025553310d300b060355040a130441636d65311a301806035504"
                                "030c1141636d6520466163746f72792043412031";

static void fail_open_issuers_are_compared_by_octets_not_text(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    AUTO_BUF name = BUF_INIT;
    AUTO_BUF text = BUF_INIT;

    (void)state;
    add_hex(&name, same_text);
    assert_ok(name_to_text(der_buf(&name), &text, &err));
    assert_string_equal(buf_str(&text), "CN=Acme Factory CA 1,O=Acme,C=US");
    assert_refused(load(crls, &(struct crl_spec){.number = 1, .issuer = same_text}), "CRL_ISSUER",
        ONE("CRL: RFC 5280 5.1.2.3: issuer: want the octets of a known authority's "
            "name, have others"));
    p11ca_crls_free(crls);
}

/* An authority that another one named like the first: neither its CRLs nor its certificates are the first one's. */
static void a_name_without_the_key_is_nobody(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct leaf forged = {.signer = other_key()};

    (void)state;
    assert_refused(load(crls, &(struct crl_spec){.number = 1, .signer = other_key()}), "CRL_SIGNATURE",
        ONE("CRL: RFC 5280 5.1.1.3: want a signature by the authority's key with "
            "ecdsa-with-SHA256, have another"));
    assert_ok(load(crls, &(struct crl_spec){.number = 1}));
    assert_int_equal(ask_at(crls, &forged, TEST_NOW).status, P11CA_STATUS_UNKNOWN);
    p11ca_crls_free(crls);
}

static void each_of_many_is_found(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    AUTO_BUF serials = BUF_INIT;
    char hex[16];
    unsigned i;

    (void)state;
    for (i = 0; i < 1000; i++)
        buf_addf(&serials, "%s5%03x", i ? " " : "", (i * 389) % 1000 * 2);
    assert_ok(load(crls, &(struct crl_spec){.number = 1, .serials = buf_str(&serials)}));
    for (i = 0; i < 2000; i += 37) {
        snprintf(hex, sizeof(hex), "5%03x", i);
        assert_int_equal(ask(crls, hex), i % 2 ? P11CA_STATUS_GOOD : P11CA_STATUS_REVOKED);
    }
    p11ca_crls_free(crls);
}

/* --- deltas --- */

static const struct crl_spec full = {.number = 5, .serials = "0a 0b:6 0c 0c:1", .at = -9};

static void a_delta_adds_and_removes(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct leaf l = {.serial = "0d"}, changed = {.serial = "0a"};
    const struct crl_spec delta = {
        .number = 7, .base = 5, .serials = "0d:4 0b:8 0c:8 0e:8 0a:1", .until = 3600};

    (void)state;
    assert_ok(load_two(crls, &delta, &full));
    assert_int_equal(ask_at(crls, &l, TEST_NOW).reason, 4);
    assert_int_equal(ask_at(crls, &changed, TEST_NOW).reason, 1);
    assert_int_equal(ask(crls, "0b"), P11CA_STATUS_GOOD);
    assert_int_equal(ask(crls, "0c"), P11CA_STATUS_GOOD);
    assert_int_equal(ask(crls, "0e"), P11CA_STATUS_GOOD);
    assert_int_equal(p11ca_crls_count(crls), 2);
    /* In force as long as both are. */
    assert_int_equal(ask_at(crls, &l, TEST_NOW + 3601).status, P11CA_STATUS_REVOKED);
    assert_int_equal(
        ask_at(crls, &(struct leaf){.serial = "0b"}, TEST_NOW + 3601).status, P11CA_STATUS_STALE);
    /* Without the delta what it said would be forgotten. */
    assert_refused(load(crls, &full), "CRL_OLDER",
        "CRL: RFC 5280 5.2.3: cRLNumber, thisUpdate: want none lower than what is loaded, have one");
    p11ca_crls_free(crls);
}

static void deltas_need_their_complete_one(void **state)
{
    struct p11ca_crls *crls = factory_crls();

    (void)state;
    assert_refused(load(crls, &(struct crl_spec){.number = 7, .base = 5}), "CRL_DELTA",
        "CRL: RFC 5280 5.2.4: delta: want a complete CRL of its authority beside it, have none");
    assert_refused(load_two(crls, &full, &(struct crl_spec){.number = 7, .base = 6}), "CRL_DELTA",
        "CRL: RFC 5280 5.2.4: delta: want a complete CRL with its BaseCRLNumber or a higher number, have a "
        "lower one");
    /* All it says is in the complete one already, which has gone on. */
    assert_ok(load_two(crls, &full, &(struct crl_spec){.number = 5, .base = 4, .serials = "0a:8"}));
    assert_int_equal(ask(crls, "0a"), P11CA_STATUS_REVOKED);
    p11ca_crls_free(crls);
}

/* --- loading --- */

static void the_highest_number_counts(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct crl_spec old = {.number = 255, .serials = "0a"}, new = {.number = 256, .serials = "0b"};

    (void)state;
    assert_ok(load_two(crls, &new, &old));
    assert_int_equal(ask(crls, "0b"), P11CA_STATUS_REVOKED);
    assert_int_equal(ask(crls, "0a"), P11CA_STATUS_GOOD);
    assert_refused(load_two(crls, &new, &(struct crl_spec){.number = 256, .serials = "0c"}), "CRL_NUMBER",
        TWO("CRL: RFC 5280 5.2.3: cRLNumber: want one CRL of a number, have two "
            "that differ"));
    p11ca_crls_free(crls);
}

static void what_is_refused_leaves_what_was_there(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const char *none[] = {path_of("one.crl"), path_of("none.crl")};

    (void)state;
    assert_ok(load(crls, &(struct crl_spec){.number = 9, .serials = "0a"}));
    assert_refused(load(crls, &(struct crl_spec){.number = 8}), "CRL_OLDER",
        "CRL: RFC 5280 5.2.3: cRLNumber, thisUpdate: want none lower than what is loaded, have one");
    assert_refused(load(crls, &(struct crl_spec){.number = 10, .at = -1}), "CRL_OLDER",
        "CRL: RFC 5280 5.2.3: cRLNumber, thisUpdate: want none lower than what is loaded, have one");
    assert_int_equal(p11ca_crls_load(crls, none, 2, &err), -1);
    assert_int_equal(err.kind, P11CA_FILE);
    assert_int_equal(ask(crls, "0a"), P11CA_STATUS_REVOKED);
    assert_ok(load(crls, &(struct crl_spec){.number = 9, .serials = "0a"}));
    assert_ok(load(crls, &(struct crl_spec){.number = 10}));
    assert_int_equal(ask(crls, "0a"), P11CA_STATUS_GOOD);
    p11ca_crls_free(crls);
}

static void refuses_lists(void **state)
{
    static const char scope[] = "RFC 5280 5.2.5: issuingDistributionPoint: want every end entity's "
                                "certificate in it, have some of them";
    static const struct {
        const char *code, *msg;
        struct crl_spec spec;
    } rows[] = {
        {"CRL_NUMBER", "RFC 5280 5.2.3: cRLNumber: want a number of at most 20 octets, have none or another",
            {.no_number = true}},
        {"CRL_NEXT_UPDATE",
            "RFC 5280 5.1.2.5: nextUpdate: want a time that is not before thisUpdate, have another or none",
            {.number = 1, .no_next = true}},
        {"CRL_NEXT_UPDATE",
            "RFC 5280 5.1.2.5: nextUpdate: want a time that is not before thisUpdate, have another or none",
            {.number = 1, .until = -1}},
        {"CRL_EXT_CRITICAL",
            "RFC 5280 5.2: extension 1.2.3: want none that is critical and not understood, have one",
            {.number = 1, .more = "300b06022a030101ff04020500"}},
        {"CRL_EXT_TWICE", "RFC 5280 5.2: extension cRLNumber: want it once, have it twice",
            {.number = 1, .more = "300a0603551d140403020101"}},
        /* A part by distribution point; of CA certificates only; indirect. */
        {"CRL_SCOPE", scope, {.number = 1, .more = "30180603551d1c0101ff040e300ca00aa0088606613a2f2f622f"}},
        {"CRL_SCOPE", scope, {.number = 1, .more = "300f0603551d1c0101ff040530038201ff"}},
        {"CRL_SCOPE", scope, {.number = 1, .more = "300f0603551d1c0101ff040530038401ff"}},
        {"CRL_ENTRY", "RFC 5280 5.3: entry: want no critical extension that is not understood, have one",
            {.number = 1, .serials = "0a", .entry_more = "300c0603551d1d0101ff04023000"}},
        {"CRL_ENTRY", "RFC 5280 5.3.1: entry: want removeFromCRL in a delta only, have it in a complete CRL",
            {.number = 1, .serials = "0a:8"}},
        {"CRL_ENTRY", "RFC 5280 5.3.1: entry: reasonCode: want one of ten, have another",
            {.number = 1, .serials = "0a:7"}},
    };
    struct p11ca_crls *crls = factory_crls();
    char msg[512];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(msg, sizeof(msg), "%s: CRL: %s", path_of("one.crl"), rows[i].msg);
        assert_refused(load(crls, &rows[i].spec), rows[i].code, msg);
    }
    /* Every end entity's, and nobody else's. */
    assert_ok(load(crls, &(struct crl_spec){.number = 1, .more = "300f0603551d1c0101ff040530038101ff"}));
    p11ca_crls_free(crls);
}

static void deltas_say_that_they_are(void **state)
{
    struct p11ca_crls *crls = factory_crls();

    (void)state;
    assert_refused(load(crls, &(struct crl_spec){.number = 1, .more = "300a0603551d1b0403020101"}),
        "CRL_NUMBER",
        ONE("CRL: RFC 5280 5.2.4: deltaCRLIndicator: want it critical and a number "
            "of at most 20 octets, have another"));
    p11ca_crls_free(crls);
}

static void put_pem(const char *name, const struct crl_spec *a, const struct crl_spec *b)
{
    AUTO_BUF pem = BUF_INIT;
    AUTO_BUF one = BUF_INIT;
    AUTO_BUF two = BUF_INIT;

    crl_make(a, &one);
    pem_encode(PEM_CRL, der_buf(&one), &pem);
    if (b) {
        crl_make(b, &two);
        pem_encode(PEM_CRL, der_buf(&two), &pem);
    }
    put_file(path_of(name), der_buf(&pem));
}

static void pem_bundles_and_directories(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct crl_spec of_root = {.number = 1, .by = test_root()},
                          delta = {.number = 6, .base = 5, .serials = "0d"};
    const char *bundle = path_of("bundle.pem"), *folder = path_of("folder");
    char msg[256];

    (void)state;
    put_pem("bundle.pem", &full, &delta);
    assert_ok(p11ca_crls_load(crls, &bundle, 1, &err));
    assert_int_equal(p11ca_crls_count(crls), 5);
    put_pem("bundle.pem", &full, &of_root);
    snprintf(msg, sizeof(msg),
        "%s: CRL: RFC 5280 5.1.2.3: issuer: want the octets of a known authority's name, have others",
        bundle);
    assert_refused(p11ca_crls_load(crls, &bundle, 1, &err), "CRL_ISSUER", msg);
    /* Of a folder, others' CRLs and other files are passed over; those with a right name and a wrong key are not. */
    assert_ok(file_mkdir(folder, 0700, &err));
    put_crl(path_of("folder/a.crl"), &full);
    put_pem("folder/b.pem", &delta, NULL);
    put_crl(path_of("folder/c.der"), &of_root);
    put_file(path_of("folder/README"), BYTES("no CRL"));
    assert_ok(p11ca_crls_load(crls, &folder, 1, &err));
    assert_int_equal(p11ca_crls_count(crls), 5);
    put_crl(path_of("folder/d.crl"), &(struct crl_spec){.number = 9, .signer = other_key()});
    assert_int_equal(p11ca_crls_load(crls, &folder, 1, &err), -1);
    assert_string_equal(err.code, "CRL_SIGNATURE");
    put_file(path_of("folder/d.crl"), BYTES("no CRL"));
    assert_int_equal(p11ca_crls_load(crls, &folder, 1, &err), -1);
    assert_string_equal(err.code, "INPUT_TYPE");
    p11ca_crls_free(crls);
}

static void authorities(void **state)
{
    struct p11ca_crls *crls = factory_crls();
    const struct leaf l = {.subject = NULL};
    AUTO_BUF der = BUF_INIT;
    const struct buf *root = &test_root()->issuer->cert;
    int i;

    (void)state;
    leaf_make(&l, &der);
    assert_refused(p11ca_crls_add_ca(crls, der.p, der.len, &err), "ISSUER_BAD",
        "issuer's certificate: RFC 5280 4.2.1.9: want basicConstraints cA TRUE, have an end entity");
    for (i = 1; i < LIMIT_CAS; i++)
        assert_ok(p11ca_crls_add_ca(crls, root->p, root->len, &err));
    assert_refused(p11ca_crls_add_ca(crls, root->p, root->len, &err), "TOO_MANY_CAS",
        "authorities: want at most 32, have more");
    p11ca_crls_free(crls);
}

/* --- threads --- */

struct asking {
    struct p11ca_crls *crls;
    struct p11ca_identity *id;
    atomic_bool stop;
    atomic_uint asked, wrong;
};

/* The certificate is on every list that is ever loaded. */
static void *asker(void *arg)
{
    struct asking *a = arg;
    struct p11ca_revocation r;

    while (!atomic_load(&a->stop)) {
        p11ca_crls_check(a->crls, a->id, TEST_NOW, &r);
        atomic_fetch_add(&a->wrong, r.status != P11CA_STATUS_REVOKED);
        atomic_fetch_add(&a->asked, 1);
    }
    return NULL;
}

static void reloads_while_others_ask(void **state)
{
    struct asking a = {.crls = factory_crls(), .id = leaf_identity(&(struct leaf){.serial = "0a"})};
    pthread_t threads[2];
    unsigned i;

    (void)state;
    assert_ok(load(a.crls, &(struct crl_spec){.number = 1, .serials = "0a"}));
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, asker, &a), 0);
    for (i = 2; i < 40 || atomic_load(&a.asked) < 100; i++)
        assert_ok(load(a.crls, &(struct crl_spec){.number = i, .serials = i % 2 ? "0a" : "0a 0b 0c 0d"}));
    atomic_store(&a.stop, true);
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&a.wrong), 0);
    p11ca_identity_free(a.id);
    p11ca_crls_free(a.crls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_revoked),
        cmocka_unit_test(stale_is_an_answer_of_its_own),
        cmocka_unit_test(fail_open_unknown_issuers_are_not_good),
        cmocka_unit_test(fail_open_issuers_are_compared_by_octets_not_text),
        cmocka_unit_test(a_name_without_the_key_is_nobody),
        cmocka_unit_test(each_of_many_is_found),
        cmocka_unit_test(a_delta_adds_and_removes),
        cmocka_unit_test(deltas_need_their_complete_one),
        cmocka_unit_test(the_highest_number_counts),
        cmocka_unit_test(what_is_refused_leaves_what_was_there),
        cmocka_unit_test(refuses_lists),
        cmocka_unit_test(deltas_say_that_they_are),
        cmocka_unit_test(pem_bundles_and_directories),
        cmocka_unit_test(authorities),
        cmocka_unit_test(reloads_while_others_ask),
    };
    int failed;

    if (!mkdtemp(dir))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    file_remove_tree(dir);
    return test_done(failed);
}
