/* OCSP responses: the bytes and what OpenSSL's parser says to them, every lint row, reading, damage. */
#include "x509_help.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "x509/lint.h"
#include "x509/ocsp.h"

#define DAY 86400

/* The factory's responder. */
static EVP_PKEY *responder_key;
static struct buf responder_cert;
static struct ocsp_signer *signer;

static void sign_cert(const char *profile, EVP_PKEY *key, const struct test_ca *above, struct buf *ret)
{
    struct cert_plan plan = test_plan(profile, above->issuer);
    struct spki spki = test_spki(key);
    AUTO_BUF name = BUF_INIT;
    AUTO_SANS sans = SAN_LIST_INIT;

    assert_ok(name_from_text("CN=Acme OCSP 1", &name, &err));
    if (strcmp(profile, "server") == 0)
        assert_ok(san_add(&sans, SAN_DNS, "a.example", &err));
    plan.subject = der_buf(&name);
    plan.spki = &spki;
    plan.sans = sans.n ? &sans : NULL;
    plan.crl_url = "http://pki.example/factory.crl";
    plan_sign(&plan, above->key, ret);
}

static int make_signer(void **state)
{
    (void)state;
    assert_ok(key_new(KEY_P256, 0, &responder_key, &err));
    sign_cert("ocsp-signer", responder_key, test_factory(), &responder_cert);
    assert_ok(ocsp_signer_read(test_factory()->issuer, der_buf(&responder_cert), &signer, &err));
    return 0;
}

static int free_signer(void **state)
{
    (void)state;
    ocsp_signer_free(signer);
    buf_done(&responder_cert);
    EVP_PKEY_free(responder_key);
    return 0;
}

static struct ocsp_plan good_plan(void)
{
    return (struct ocsp_plan){.signer = signer,
        .hash = OCSP_SHA1,
        .serial = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 9},
        .serial_len = 9,
        .status = OCSP_GOOD,
        .reason = -1,
        .produced_at = TEST_NOW,
        .this_update = TEST_NOW,
        .next_update = TEST_NOW + 7 * DAY};
}

static void make(const struct ocsp_plan *plan, struct buf *ret)
{
    AUTO_BUF tbs = BUF_INIT;
    AUTO_BUF sig = BUF_INIT;

    assert_ok(ocsp_tbs_build(plan, &tbs, &err));
    assert_ok(ocsp_tbs_lint(der_buf(&tbs), signer, &err));
    assert_ok(sigalg_sign(responder_key, signer->alg, der_buf(&tbs), &sig, &err));
    ocsp_assemble(der_buf(&tbs), signer, der_buf(&sig), ret);
    assert_true(buf_ok(ret));
}

/* --- OpenSSL as the judge of our bytes --- */

static X509 *x509_of(const struct buf *der)
{
    const uint8_t *p = der->p;
    X509 *x = d2i_X509(NULL, &p, (long)der->len);

    assert_non_null(x);
    return x;
}

static OCSP_BASICRESP *judge_form(const struct buf *der)
{
    const uint8_t *p = der->p;
    OCSP_RESPONSE *r = d2i_OCSP_RESPONSE(NULL, &p, (long)der->len);
    OCSP_BASICRESP *basic;
    unsigned char *again = NULL;

    assert_non_null(r);
    assert_ptr_equal(p, der->p + der->len);
    assert_int_equal(i2d_OCSP_RESPONSE(r, &again), der->len);
    assert_memory_equal(again, der->p, der->len);
    assert_int_equal(OCSP_response_status(r), 0);
    basic = OCSP_response_get1_basic(r);
    assert_non_null(basic);
    OPENSSL_free(again);
    OCSP_RESPONSE_free(r);
    return basic;
}

/* What a client would look for: the CertID that OpenSSL makes of certificate and issuer. */
static OCSP_CERTID *id_of(const char *digest, const struct ocsp_plan *plan)
{
    X509 *ca = x509_of(&test_factory()->issuer->cert);
    BIGNUM *n = BN_bin2bn(plan->serial, (int)plan->serial_len, NULL);
    ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(n, NULL);
    OCSP_CERTID *id = OCSP_cert_id_new(
        EVP_get_digestbyname(digest), X509_get_subject_name(ca), X509_get0_pubkey_bitstr(ca), serial);

    assert_non_null(id);
    ASN1_INTEGER_free(serial);
    BN_free(n);
    X509_free(ca);
    return id;
}

static void judge_request(const struct ocsp_plan *plan, OCSP_CERTID *id)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    unsigned char *der = NULL;
    AUTO_BUF have = BUF_INIT;
    int len;

    assert_non_null(OCSP_request_add0_id(request, OCSP_CERTID_dup(id)));
    len = i2d_OCSP_REQUEST(request, &der);
    assert_ok(ocsp_request_build(plan, &have, &err));
    assert_int_equal(len, have.len);
    assert_memory_equal(der, have.p, have.len);
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
}

static void judge(const struct ocsp_plan *plan, int want_status, int want_reason)
{
    static const char *const digests[] = {"SHA1", "SHA256"};
    OCSP_CERTID *id = id_of(digests[plan->hash], plan);
    X509 *ca = x509_of(&test_factory()->issuer->cert);
    ASN1_GENERALIZEDTIME *revoked, *this, *next;
    STACK_OF(X509) *certs = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    OCSP_BASICRESP *basic;
    AUTO_BUF der = BUF_INIT;
    int status, reason = -1;

    make(plan, &der);
    basic = judge_form(&der);
    assert_int_equal(OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &this, &next), 1);
    assert_int_equal(status, want_status);
    assert_int_equal(reason, want_reason);
    assert_int_equal(OCSP_resp_count(basic), 1);
    assert_int_equal(X509_STORE_add_cert(store, ca), 1);
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
    assert_int_equal(OCSP_basic_verify(basic, certs, store, 0), 1);
    judge_request(plan, id);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    X509_STORE_free(store);
    sk_X509_free(certs);
    X509_free(ca);
}

static void openssl_reads_and_verifies(void **state)
{
    struct ocsp_plan plan;
    enum ocsp_hash h;

    (void)state;
    for (h = 0; h < OCSP_HASHES; h++) {
        plan = good_plan();
        plan.hash = h;
        judge(&plan, V_OCSP_CERTSTATUS_GOOD, -1);
        plan.status = OCSP_REVOKED;
        plan.revoked_at = TEST_NOW - DAY;
        judge(&plan, V_OCSP_CERTSTATUS_REVOKED, -1);
        plan.reason = 0; /* unspecified is said by saying nothing */
        judge(&plan, V_OCSP_CERTSTATUS_REVOKED, -1);
        plan.reason = 1;
        judge(&plan, V_OCSP_CERTSTATUS_REVOKED, 1);
    }
}

/* --- the rules, of plans --- */

static void refused_plans(void **state)
{
    static const struct {
        const char *code, *msg;
        size_t serial_len;
        enum ocsp_status status;
        int reason;
        int64_t produced, this, next, revoked; /* from now */
        uint8_t first;
    } rows[] = {
        {"OCSP_KNOWN", "RFC 6960 2.2: certStatus: want good or revoked, have unknown", 9, OCSP_UNKNOWN, -1, 0,
            0, DAY, 0, 1},
        {"OCSP_SERIAL", "RFC 5280 4.1.2.2: serialNumber: want a positive number, have zero", 1, OCSP_GOOD, -1,
            0, 0, DAY, 0, 0},
        {"OCSP_SERIAL", "RFC 5280 4.1.2.2: serialNumber: want a positive number, have a negative one", 9,
            OCSP_GOOD, -1, 0, 0, DAY, 0, 0x80},
        {"OCSP_DER", "X.690 11: encoding: want the one DER form, have another", 9, OCSP_GOOD, -1, 0, 0, DAY,
            0, 0},
        {"OCSP_NEXT_UPDATE",
            "RFC 6960 4.2.2.1: nextUpdate: want a time after thisUpdate, 2026-06-01T00:00:00Z, have "
            "2026-06-01T00:00:00Z",
            9, OCSP_GOOD, -1, 0, 0, 0, 0, 1},
        {"OCSP_NEXT_UPDATE",
            "RFC 6960 4.2.2.1: nextUpdate: want a time up to the signer's notAfter, 2026-06-30T23:54:59Z, "
            "have "
            "2026-07-02T00:00:00Z",
            9, OCSP_GOOD, -1, 0, 0, 31 * DAY, 0, 1},
        {"OCSP_THIS_UPDATE",
            "RFC 6960 2.4: thisUpdate: want a time up to producedAt, 2026-06-01T00:00:00Z, have "
            "2026-06-01T00:00:01Z",
            9, OCSP_GOOD, -1, 0, 1, DAY, 0, 1},
        {"OCSP_PRODUCED",
            "RFC 6960 2.4: producedAt: want a time from the signer's notBefore on, 2026-06-01T00:00:00Z, "
            "have "
            "2026-05-31T00:00:00Z",
            9, OCSP_GOOD, -1, -DAY, -DAY, DAY, 0, 1},
        {"OCSP_PRODUCED",
            "RFC 6960 2.4: producedAt: want a time up to the signer's notAfter, 2026-06-30T23:54:59Z, have "
            "2026-07-11T00:00:00Z",
            9, OCSP_GOOD, -1, 40 * DAY, 0, DAY, 0, 1},
        {"OCSP_REVOKED_AT",
            "RFC 6960 2.2: revocationTime: want a time up to thisUpdate, 2026-06-01T00:00:00Z, have "
            "2026-06-01T00:00:01Z",
            9, OCSP_REVOKED, -1, 0, 0, DAY, 1, 1},
        {"OCSP_REASON", "RFC 5280 5.3.1: revocationReason: want one of the reasons, have 7", 9, OCSP_REVOKED,
            7, 0, 0, DAY, 0, 1},
        {"OCSP_REASON", "RFC 5280 5.3.1: revocationReason: want one of the reasons, have 8", 9, OCSP_REVOKED,
            8, 0, 0, DAY, 0, 1},
        {"OCSP_REASON", "RFC 5280 5.3.1: revocationReason: want one of the reasons, have 11", 9, OCSP_REVOKED,
            11, 0, 0, DAY, 0, 1},
    };
    char want[400];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ocsp_plan plan = good_plan();
        AUTO_BUF tbs = BUF_INIT;

        plan.serial_len = rows[i].serial_len;
        plan.serial[0] = rows[i].first;
        plan.status = rows[i].status;
        plan.reason = rows[i].reason;
        plan.revoked_at = TEST_NOW + rows[i].revoked;
        plan.produced_at = TEST_NOW + rows[i].produced;
        plan.this_update = TEST_NOW + rows[i].this;
        plan.next_update = TEST_NOW + rows[i].next;
        assert_ok(ocsp_tbs_build(&plan, &tbs, &err));
        snprintf(want, sizeof(want), "OCSP response: %s", rows[i].msg);
        assert_refused(ocsp_tbs_lint(der_buf(&tbs), signer, &err), rows[i].code, want);
    }
}

/* --- the rules, of what OpenSSL puts together --- */

struct foreign {
    const char *rules; /* that it breaks as somebody else's, in order */
    const char *own;   /* code of the first that it breaks as ours; NULL: none */
    int answers;       /* as many single responses */
    bool nonce, single_ext, by_name, no_certs, more_certs, sha1, wrong_ca, bad_signature, no_next, server,
        ca_signs;
};

static void add_answer(OCSP_BASICRESP *basic, const struct foreign *f, unsigned n)
{
    struct ocsp_plan plan = good_plan();
    ASN1_TIME *this = ASN1_TIME_set(NULL, TEST_NOW), *next = ASN1_TIME_set(NULL, TEST_NOW + DAY);
    OCSP_SINGLERESP *single;
    OCSP_CERTID *id;

    plan.serial[0] = (uint8_t)(n + 1);
    id = id_of(f->wrong_ca ? "SHA512" : "SHA1", &plan);
    single =
        OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, -1, NULL, this, f->no_next ? NULL : next);
    assert_non_null(single);
    if (f->single_ext)
        assert_int_equal(OCSP_SINGLERESP_add1_ext_i2d(single, NID_invalidity_date, next, 0, 0), 1);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(this);
    ASN1_TIME_free(next);
}

static void put_together(const struct foreign *f, struct buf *ret)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    EVP_PKEY *key = f->ca_signs ? test_factory()->key : responder_key;
    unsigned long flags = (f->by_name ? 0 : OCSP_RESPID_KEY) | (f->no_certs ? OCSP_NOCERTS : 0) | OCSP_NOTIME;
    STACK_OF(X509) *more = sk_X509_new_null();
    X509 *cert, *ca = x509_of(&test_factory()->issuer->cert);
    AUTO_BUF server = BUF_INIT;
    OCSP_RESPONSE *r;
    unsigned char *der = NULL;
    unsigned n;
    int len;

    if (f->server)
        sign_cert("server", responder_key, test_factory(), &server);
    cert =
        f->ca_signs ? x509_of(&test_factory()->issuer->cert) : x509_of(f->server ? &server : &responder_cert);
    for (n = 0; n < (unsigned)f->answers; n++)
        add_answer(basic, f, n);
    if (f->nonce)
        OCSP_basic_add1_nonce(basic, NULL, 16);
    if (f->more_certs)
        sk_X509_push(more, ca);
    assert_non_null(ASN1_GENERALIZEDTIME_set(
        (ASN1_GENERALIZEDTIME *)(uintptr_t)OCSP_resp_get0_produced_at(basic), TEST_NOW));
    assert_int_equal(OCSP_basic_sign(basic, cert, key, f->sha1 ? EVP_sha1() : EVP_sha256(), more, flags), 1);
    r = OCSP_response_create(0, basic);
    len = i2d_OCSP_RESPONSE(r, &der);
    buf_add(ret, der, (size_t)len);
    if (f->bad_signature) /* an octet of the nonce, which is not to be found otherwise */
        ((uint8_t *)memmem(ret->p, ret->len, "\x2b\x06\x01\x05\x05\x07\x30\x01\x02", 9))[14] ^= 1;
    OPENSSL_free(der);
    OCSP_RESPONSE_free(r);
    OCSP_BASICRESP_free(basic);
    sk_X509_free(more);
    X509_free(cert);
    X509_free(ca);
}

static void note(void *arg, const struct lint_rule *rule, const struct p11ca_err *finding)
{
    assert_true(finding->msg[0]);
    buf_addf(arg, "%s%s", ((struct buf *)arg)->len ? " " : "", rule->id);
}

static const struct foreign foreigners[] = {
    {"", NULL, .answers = 1},
    {"", "OCSP_ONE", .answers = 2},
    {"", "OCSP_EXTS", .answers = 1, .nonce = true},
    {"", "OCSP_SINGLE_EXTS", .answers = 1, .single_ext = true},
    {"", NULL, .answers = 1, .by_name = true},
    {"", "OCSP_NEXT_UPDATE", .answers = 1, .no_next = true},
    {"OCSP_CERTS", NULL, .answers = 1, .more_certs = true},
    {"OCSP_WEAK", NULL, .answers = 1, .sha1 = true},
    {"OCSP_ID", "OCSP_ONE", .answers = 3, .wrong_ca = true},
    {"OCSP_SIGNATURE", "OCSP_EXTS", .answers = 1, .bad_signature = true, .nonce = true},
    {"OCSP_SIGNER", NULL, .answers = 1, .server = true},
    /* Without its certificate it can only be the CA, whose certificate does not say digitalSignature. */
    {"OCSP_SIGNER", NULL, .answers = 1, .no_certs = true},
    {"OCSP_SIGNER", "OCSP_RESPONDER", .answers = 1, .ca_signs = true, .no_certs = true},
};

static void foreign_responses(void **state)
{
    const struct lint_question q = {.issuer = test_factory()->issuer};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(foreigners) / sizeof(foreigners[0]); i++) {
        AUTO_BUF der = BUF_INIT;
        AUTO_BUF found = BUF_INIT;
        struct ocsp o;

        put_together(&foreigners[i], &der);
        lint_ocsp(der_buf(&der), &q, note, &found);
        buf_addc(&found, 0);
        assert_string_equal((char *)found.p, foreigners[i].rules);
        assert_ok(ocsp_read(der_buf(&der), &o, &err));
        if (!foreigners[i].own) {
            assert_ok(ocsp_tbs_lint(o.tbs, signer, &err));
            continue;
        }
        assert_int_equal(ocsp_tbs_lint(o.tbs, signer, &err), -1);
        assert_string_equal(err.code, foreigners[i].own);
    }
}

/* tryLater has no bytes to look at. */
static void unsuccessful(void **state)
{
    static const uint8_t later[] = {0x30, 3, 0x0a, 1, 3};
    static const struct lint_question q;
    AUTO_BUF found = BUF_INIT;

    (void)state;
    lint_ocsp(DER_OF(later, sizeof(later)), &q, note, &found);
    assert_string_equal(buf_str(&found), "OCSP_STATUS");
    buf_reset(&found);
    lint_ocsp(DER_OF(later, 4), &q, note, &found);
    assert_string_equal(buf_str(&found), "OCSP_SYNTAX");
}

/* One that has it not would have to be asked about itself. */
static void responder_that_can_be_revoked(void **state)
{
    struct profile bare = *profile_find("ocsp-signer");
    struct cert_plan plan = test_plan("ocsp-signer", test_factory()->issuer);
    const struct lint_question q = {.issuer = test_factory()->issuer};
    struct ocsp_signer *own = signer;
    struct spki spki = test_spki(responder_key);
    struct ocsp_plan answer;
    AUTO_BUF name = BUF_INIT;
    AUTO_BUF cert = BUF_INIT;
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF found = BUF_INIT;

    (void)state;
    bare.ocsp_nocheck = false;
    assert_ok(name_from_text("CN=A", &name, &err));
    plan.profile = &bare;
    plan.subject = der_buf(&name);
    plan.spki = &spki;
    plan_sign(&plan, test_factory()->key, &cert);
    assert_ok(ocsp_signer_read(test_factory()->issuer, der_buf(&cert), &signer, &err));
    answer = good_plan();
    make(&answer, &der);
    lint_ocsp(der_buf(&der), &q, note, &found);
    assert_string_equal(buf_str(&found), "OCSP_NOCHECK");
    ocsp_signer_free(signer);
    signer = own;
}

static void who_may_not_sign(void **state)
{
    struct ocsp_signer *none = NULL;
    AUTO_BUF server = BUF_INIT;

    (void)state;
    sign_cert("server", responder_key, test_factory(), &server);
    assert_refused(ocsp_signer_read(test_factory()->issuer, der_buf(&server), &none, &err), "OCSP_SIGNER",
        "OCSP signer's certificate: RFC 6960 4.2.2.2: extKeyUsage: want OCSPSigning, have it not");
    assert_refused(ocsp_signer_read(test_root()->issuer, der_buf(&responder_cert), &none, &err),
        "OCSP_SIGNER",
        "OCSP signer's certificate: RFC 6960 4.2.2.2: want it issued by the CA that is answered for, have "
        "another "
        "issuer");
    assert_refused(ocsp_signer_read(test_root()->issuer, der_buf(&test_factory()->issuer->cert), &none, &err),
        "OCSP_SIGNER", "OCSP signer's certificate: RFC 6960 4.2.2.2: want an end entity, have a CA");
    assert_refused(ocsp_signer_ca(test_factory()->issuer, &none, &err), "OCSP_SIGNER",
        "OCSP signer's certificate: RFC 5280 4.2.1.3: keyUsage: want digitalSignature in a CA that signs its "
        "own "
        "responses, have it not");
    assert_null(none);
}

/* --- reading --- */

/* Cut off anywhere, one octet changed anywhere: a refusal, or a signature that is not good. */
static void survives_damage(void **state)
{
    struct ocsp_plan plan = good_plan();
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF found = BUF_INIT;
    const struct lint_question q = {.issuer = test_factory()->issuer};
    struct ocsp o;
    size_t i;

    (void)state;
    plan.status = OCSP_REVOKED;
    plan.revoked_at = TEST_NOW;
    plan.reason = 1;
    make(&plan, &der);
    assert_ok(ocsp_read(der_buf(&der), &o, &err));
    assert_ok(ocsp_verify(&o, signer, &err));
    for (i = 0; i < der.len; i++) {
        uint8_t *copy = malloc(der.len);

        assert_non_null(copy);
        memcpy(copy, der.p, der.len);
        assert_int_equal(ocsp_read(DER_OF(copy, i), &o, &err), -1);
        assert_string_equal(err.code, "OCSP_SYNTAX");
        copy[i] ^= 0x41;
        buf_reset(&found);
        lint_ocsp(DER_OF(copy, der.len), &q, note, &found);
        assert_true(found.len > 0);
        free(copy);
    }
}

static void every_rule_was_broken(void **state)
{
    static const char all[] =
        "OCSP_SYNTAX OCSP_STATUS OCSP_DER OCSP_WEAK OCSP_SIGNER OCSP_NOCHECK OCSP_RESPONDER "
        "OCSP_SIGNATURE OCSP_CERTS OCSP_PRODUCED OCSP_EXTS OCSP_ONE OCSP_ID OCSP_SERIAL "
        "OCSP_KNOWN OCSP_THIS_UPDATE OCSP_NEXT_UPDATE OCSP_REVOKED_AT OCSP_REASON "
        "OCSP_SINGLE_EXTS";
    const struct lint_rule *rule;
    AUTO_BUF have = BUF_INIT;
    size_t i;

    (void)state;
    for (i = 0; (rule = lint_rule_at(i)); i++) {
        if (rule->where & ON_OCSP)
            note(&have, rule, &(struct p11ca_err){.msg = "x"});
    }
    assert_string_equal(buf_str(&have), all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_reads_and_verifies),
        cmocka_unit_test(refused_plans),
        cmocka_unit_test(foreign_responses),
        cmocka_unit_test(unsuccessful),
        cmocka_unit_test(responder_that_can_be_revoked),
        cmocka_unit_test(who_may_not_sign),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(every_rule_was_broken),
    };

    return test_done(cmocka_run_group_tests(tests, make_signer, free_signer));
}
