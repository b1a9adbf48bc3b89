/*
 * Killed inside a token's call, by the fault-injecting module, and run again: initialisation, key generation and
 * destruction go on where they were. Every run is a process of its own; this one never loads a module.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "issue/ca.h"
#include "token/inventory.h"

static char *own;    /* where this program is */
static char dir[64]; /* the PKI home of the row at hand */
static bool later;   /* the token's user PIN is set later */
static bool refuse;  /* the hooks refuse the key */
static const uint8_t fixed_id[KEY_ID_LEN] = "0123456789abcde", other_id[KEY_ID_LEN] = "another-one....";
static const uint8_t *id = fixed_id;

/* What a run has to say; in shared memory. */
static struct report {
    struct p11ca_err err;
    size_t n;
    unsigned evidence; /* how often the hooks were called */
    bool adopted;
} * report;

static int set_up(void **state)
{
    (void)state;
    own = path_of_program();
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    setenv("P11CA_TEST_PIN", "unit-test-pin", 1);
    unsetenv("P11CA_FAULT_MODULE");
    unsetenv("P11CA_FAULT_LOG");
    return own && report != MAP_FAILED ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(own);
    munmap(report, sizeof(*report));
    return 0;
}

static void write_text(const char *name, const char *text)
{
    AUTO_STR path = path_join(dir, name);
    struct p11ca_err err;

    assert_int_equal(file_write(path, FILE_REPLACE, 0600, text, strlen(text), &err), 0);
}

/* A home with one token, behind the module that kills, and one authority. */
static void fresh_home(void)
{
    char text[1024];
    AUTO_STR kinds = NULL;
    struct p11ca_err err;

    snprintf(dir, sizeof(dir), "/tmp/p11ca-kill.XXXXXX");
    assert_int_equal(file_mkdtemp(dir, &err), 0);
    kinds = path_join(dir, "tokens");
    assert_int_equal(file_mkdir(kinds, 0700, &err), 0);
    snprintf(text, sizeof(text),
        "description = \"faults\";\nmodule = \"%s/fault.so\";\nstore-env = \"SOFTHSM2_CONF\";\n", own);
    write_text("tokens/fault.conf", text);
    snprintf(text, sizeof(text),
        "ledger = \"ledger.db\";\n"
        "tokens = { t = { kind = \"fault\"; uri = \"pkcs11:token=kill\"; pin = \"%s\";\n"
        "  so-pin = \"env:P11CA_TEST_PIN\"; store = \"store\"; }; };\n"
        "authorities = { ca = { token = \"t\"; key = \"k\"; subject = \"CN=Kill\"; profile = \"root-ca\"; }; "
        "};\n",
        later ? "shares" : "env:P11CA_TEST_PIN");
    write_text("p11ca.conf", text);
}

static void drop_home(void)
{
    file_remove_tree(dir);
}

typedef int run_fn(struct p11ca_home *home, struct p11ca_err *err);

static void run_in_child(const char *fault, run_fn *fn)
{
    struct p11ca_options options = {.program_dir = own};
    struct p11ca_home *home;
    int rc;

    setenv("P11CA_FAULT", fault, 1);
    rc = p11ca_home_open(&home, dir, &options, &report->err);
    if (rc == 0)
        rc = fn(home, &report->err);
    _exit(rc == 0 ? 0 : 1);
}

/* Exit status of a run; 137 for a killed one. */
static int run(const char *fault, run_fn *fn)
{
    pid_t pid;
    int status;

    memset(report, 0, sizeof(*report));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_in_child(fault, fn);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void succeeds(run_fn *fn)
{
    if (run("", fn) != 0)
        fail_msg("%s", report->err.msg);
}

static void is_killed(const char *fault, run_fn *fn)
{
    if (run(fault, fn) != 128 + SIGKILL)
        fail_msg("want it killed by %s: %s", fault, report->err.msg);
}

static void fails(run_fn *fn, const char *code)
{
    assert_int_equal(run("", fn), 1);
    assert_string_equal(report->err.code, code);
}

static int init(struct p11ca_home *home, struct p11ca_err *err)
{
    return token_init(&home->tokens[0], &home->env, false, err);
}

static int init_again(struct p11ca_home *home, struct p11ca_err *err)
{
    return token_init(&home->tokens[0], &home->env, true, err);
}

static int on_token(
    struct p11ca_home *home, bool login, int (*fn)(struct token *, struct p11ca_err *), struct p11ca_err *err)
{
    struct token *t;
    int rc;

    if (token_open(&t, &home->tokens[0], &home->env, true, err) != 0)
        return -1;
    rc = login ? token_login(t, err) : 0;
    if (rc == 0)
        rc = fn(t, err);
    token_close(t);
    return rc;
}

static int count_objects(struct token *t, struct p11ca_err *err)
{
    struct inventory inv;

    if (inventory(t, NULL, NULL, &inv, err) != 0)
        return -1;
    report->n = inv.n;
    return 0;
}

static int look(struct p11ca_home *home, struct p11ca_err *err)
{
    return on_token(home, true, count_objects, err);
}

static int look_from_outside(struct p11ca_home *home, struct p11ca_err *err)
{
    return on_token(home, false, count_objects, err);
}

static void has_objects(size_t n)
{
    succeeds(look);
    assert_int_equal(report->n, n);
}

static int set_drawn_pin(struct token *t, struct p11ca_err *err)
{
    AUTO_SECRET pin = SECRET_INIT;

    return token_draw_pin(t, &pin, err) == 0 ? token_set_pin(t, &pin, err) : -1;
}

static int set_pin(struct p11ca_home *home, struct p11ca_err *err)
{
    return on_token(home, false, set_drawn_pin, err);
}

static int generate_on(struct token *t, struct p11ca_err *err)
{
    struct key k;

    if (key_generate(&k, t, "k", id, "P-256", err) != 0)
        return -1;
    report->adopted = k.adopted;
    key_done(&k);
    return 0;
}

static int generate(struct p11ca_home *home, struct p11ca_err *err)
{
    return on_token(home, true, generate_on, err);
}

static int destroy_on(struct token *t, struct p11ca_err *err)
{
    return key_destroy(t, "k", fixed_id, KEY_ID_LEN, &report->n, err);
}

static int destroy(struct p11ca_home *home, struct p11ca_err *err)
{
    return on_token(home, true, destroy_on, err);
}

static void initialisation_goes_on(void **state)
{
    static const struct {
        const char *fault;
        bool exists; /* there is a token of that label when it is killed */
    } rows[] = {
        {"C_InitToken:1=kill", false},
        {"C_InitToken:1=kill-after", true},
        {"C_OpenSession:1=kill", true},
        {"C_Login:1=kill", true},
        {"C_InitPIN:1=kill", true},
        {"C_InitPIN:1=kill-after", true},
        {"C_Login:2=kill", true},
    };
    size_t i;

    (void)state;
    later = false;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fresh_home();
        is_killed(rows[i].fault, init);
        if (rows[i].exists)
            fails(init, "TOKEN_EXISTS");
        is_killed("C_InitToken:1=kill;C_Login:1=kill-after", init_again);
        succeeds(init_again);
        succeeds(init_again);
        has_objects(0);
        drop_home();
    }
}

static void initialisation_without_a_user_pin_goes_on(void **state)
{
    static const char *const faults[] = {"C_InitToken:1=kill", "C_InitToken:1=kill-after"};
    size_t i;

    (void)state;
    later = true;
    for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        fresh_home();
        is_killed(faults[i], init);
        succeeds(init_again);
        fails(look, "USER_PIN_NOT_INITIALIZED");
        is_killed("C_InitPIN:1=kill", set_pin);
        fails(look, "USER_PIN_NOT_INITIALIZED");
        is_killed("C_InitPIN:1=kill-after", set_pin);
        succeeds(set_pin);
        fails(look, "PIN_MISSING"); /* nobody is there to type shares */
        drop_home();
    }
    later = false;
}

static void generation_goes_on(void **state)
{
    static const struct {
        const char *fault;
        bool adopted;
    } rows[] = {
        {"C_GenerateKeyPair:1=kill", false},
        {"C_GenerateKeyPair:1=kill-after", true},
        {"C_GetAttributeValue:1=kill", true},
        {"C_SignInit:1=kill", true},
        {"C_Sign:1=kill-after", true},
    };
    size_t i;

    (void)state;
    fresh_home();
    succeeds(init);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        is_killed(rows[i].fault, generate);
        succeeds(generate);
        assert_int_equal(report->adopted, rows[i].adopted);
        has_objects(2);
        succeeds(look_from_outside);
        assert_int_equal(report->n, 1); /* the public one */
        id = other_id;
        fails(generate, "KEY_EXISTS");
        id = fixed_id;
        has_objects(2);
        succeeds(destroy);
        assert_int_equal(report->n, 2);
        has_objects(0);
    }
    drop_home();
}

static void destruction_goes_on(void **state)
{
    static const struct {
        const char *fault;
        size_t left;
    } rows[] = {
        {"C_DestroyObject:1=kill", 2},
        {"C_DestroyObject:1=kill-after", 1},
        {"C_DestroyObject:2=kill", 1},
        {"C_DestroyObject:2=kill-after", 0},
    };
    size_t i;

    (void)state;
    fresh_home();
    succeeds(init);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        succeeds(generate);
        is_killed(rows[i].fault, destroy);
        has_objects(rows[i].left);
        succeeds(destroy);
        assert_int_equal(report->n, rows[i].left);
        has_objects(0);
    }
    /* Half a pair is no obstacle to generating it again. */
    succeeds(generate);
    is_killed("C_DestroyObject:1=kill-after", destroy);
    is_killed("C_DestroyObject:1=kill-after", generate);
    has_objects(0);
    succeeds(generate);
    assert_false(report->adopted);
    has_objects(2);
    drop_home();
}

static int note_evidence(void *arg, const struct key *k, struct p11ca_err *err)
{
    struct report *r = arg;

    r->evidence++;
    r->adopted = k->adopted;
    return refuse ? err_set(err, P11CA_FILE, "NO_EVIDENCE", "no evidence") : 0;
}

static int ca_generate(struct p11ca_home *home, struct p11ca_err *err)
{
    const struct key_hooks hooks = {note_evidence, report};

    return ca_generate_key(home, "ca", "P-256", id, &hooks, err);
}

static int ca_destroy(struct p11ca_home *home, struct p11ca_err *err)
{
    return ca_destroy_key(home, "ca", false, err);
}

static int ca_destroy_again(struct p11ca_home *home, struct p11ca_err *err)
{
    return ca_destroy_key(home, "ca", true, err);
}

static int count_event(void *arg, const struct ledger_event *e, struct p11ca_err *err)
{
    (void)err;
    if (strcmp(e->kind, arg) == 0)
        report->n++;
    return 0;
}

static int count_events(struct p11ca_home *home, const char *kind, struct p11ca_err *err)
{
    AUTO_LEDGER l = NULL;

    return home_ledger_read(home, &l, err) == 0
               ? ledger_each_event(l, count_event, (void *)(uintptr_t)kind, err)
               : -1;
}

static int count_keys(struct p11ca_home *home, struct p11ca_err *err)
{
    return count_events(home, "key", err);
}

static int count_destroyed(struct p11ca_home *home, struct p11ca_err *err)
{
    return count_events(home, "destroy", err);
}

static void has_events(run_fn *count, size_t n)
{
    succeeds(count);
    assert_int_equal(report->n, n);
}

static void key_of_an_authority_goes_on(void **state)
{
    static const struct {
        const char *fault;
        bool adopted;
    } rows[] = {
        {"C_GenerateKeyPair:1=kill", false}, {"C_GenerateKeyPair:1=kill-after", true},
        {"C_Sign:1=kill-after", true}, {"C_CloseSession:1=kill", true}, /* recorded */
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fresh_home();
        succeeds(init);
        is_killed(rows[i].fault, ca_generate);
        succeeds(ca_generate);
        assert_int_equal(report->adopted, rows[i].adopted);
        assert_int_equal(report->evidence, 1);
        succeeds(ca_generate);
        assert_true(report->adopted);
        assert_int_equal(report->evidence, 1);
        has_events(count_keys, 1);
        has_objects(2);
        id = other_id;
        fails(ca_generate, "AUTHORITY_HAS_KEY");
        id = fixed_id;
        drop_home();
    }
}

static void refused_key_is_nobodys(void **state)
{
    (void)state;
    fresh_home();
    succeeds(init);
    refuse = true;
    fails(ca_generate, "NO_EVIDENCE");
    assert_false(report->adopted);
    has_objects(0);
    /* One that was there stays. */
    succeeds(generate);
    fails(ca_generate, "NO_EVIDENCE");
    assert_true(report->adopted);
    has_objects(2);
    has_events(count_keys, 0);
    fails(ca_destroy, "AUTHORITY_UNKNOWN");
    refuse = false;
    succeeds(ca_generate);
    /* Recorded: what is missing of it is not made anew. */
    refuse = true;
    fails(ca_generate, "NO_EVIDENCE");
    has_objects(2);
    refuse = false;
    is_killed("C_DestroyObject:1=kill-after", destroy);
    fails(ca_generate, "KEY_NOT_FOUND");
    has_objects(1);
    drop_home();
}

static void destruction_of_an_authority_goes_on(void **state)
{
    static const struct {
        const char *fault;
        bool gone; /* the private half */
    } rows[] = {
        {"C_DestroyObject:1=kill", false},
        {"C_DestroyObject:1=kill-after", true},
        {"C_DestroyObject:2=kill-after", true},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fresh_home();
        succeeds(init);
        succeeds(ca_generate);
        is_killed(rows[i].fault, ca_destroy);
        has_events(count_destroyed, 0);
        if (rows[i].gone)
            fails(ca_destroy, "KEY_NOT_FOUND");
        succeeds(ca_destroy_again);
        has_events(count_destroyed, 1);
        has_objects(0);
        succeeds(ca_destroy);
        succeeds(ca_destroy_again);
        has_events(count_destroyed, 1);
        drop_home();
    }
}

static void only_the_recorded_key_is_destroyed(void **state)
{
    (void)state;
    fresh_home();
    succeeds(init);
    succeeds(ca_generate);
    succeeds(destroy);
    id = other_id;
    succeeds(generate);
    id = fixed_id;
    fails(ca_destroy_again, "KEY_MISMATCH");
    has_objects(2);
    has_events(count_destroyed, 0);
    drop_home();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initialisation_goes_on),
        cmocka_unit_test(initialisation_without_a_user_pin_goes_on),
        cmocka_unit_test(generation_goes_on),
        cmocka_unit_test(destruction_goes_on),
        cmocka_unit_test(key_of_an_authority_goes_on),
        cmocka_unit_test(refused_key_is_nobodys),
        cmocka_unit_test(destruction_of_an_authority_goes_on),
        cmocka_unit_test(only_the_recorded_key_is_destroyed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
