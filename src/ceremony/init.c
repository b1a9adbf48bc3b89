/* A new PKI home. */
#include <p11ca/ceremony.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/secret.h"

/* @NAME@ the organisation, @SLUG@ the same as a label, @YEAR@; @PIN:x@ and @STORE@ differ with --softhsm. */
static const char home_template[] =
    "# The PKI home of @NAME@. Every key is explained in `man p11ca`.\n"
    "\n"
    "# The truth about what was issued. Back it up.\n"
    "ledger = \"ledger.db\";\n"
    "\n"
    "# Which physical token a name means: found by label (and serial, when two have the same label), never "
    "by slot.\n"
    "# kind names tokens/KIND.conf. pin: \"prompt\", \"file:PATH\" (mode 0600), \"fd:N\", \"env:NAME\", or "
    "in "
    "shares of several people\n"
    "# \"shares\", \"shares:PATH\" - never the PIN itself.\n"
    "tokens = {\n"
    "  root    = { kind = \"softhsm2\"; uri = \"pkcs11:token=@SLUG@-root\";\n"
    "              pin = \"@PIN:root@\"; so-pin = \"@PIN:root-so@\";@STORE@ };\n"
    "  factory = { kind = \"softhsm2\"; uri = \"pkcs11:token=@SLUG@-factory\";\n"
    "              pin = \"@PIN:factory@\"; so-pin = \"@PIN:factory-so@\";@STORE@ };\n"
    "};\n"
    "\n"
    "# An authority is a key in a token, a CA certificate and a policy: what it may issue.\n"
    "authorities = {\n"
    "  root    = { token = \"root\"; key = \"root-@YEAR@\"; subject = \"CN=@NAME@ Root CA "
    "@YEAR@,O=@NAME@\";\n"
    "              profile = \"root-ca\"; };\n"
    "  factory = { token = \"factory\"; key = \"factory-@YEAR@\"; subject = \"CN=@NAME@ Factory CA "
    "@YEAR@,O=@NAME@\";\n"
    "              profile = \"issuing-ca\"; issuer = \"root\"; issues = [ \"server\", \"client\", "
    "\"device\" ];\n"
    "              # crl-url = \"http://pki.example/factory.crl\";    # goes into what it issues\n"
    "              # device-uri = \"urn:example:device:\";            # names of devices that bring none\n"
    "              # ticket-from = \"root\";                         # issues only on lot tickets signed by "
    "root\n"
    "            };\n"
    "};\n"
    "\n"
    "# Kinds of certificates of one's own (p11ca profile list shows those that are built in).\n"
    "# @include \"profiles.conf\"\n";

static int check_name(const char *name, struct p11ca_err *err)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .&'-";

    if (!*name || strlen(name) > 40 || strspn(name, set) != strlen(name) || *name == ' ' ||
        name[strlen(name) - 1] == ' ')
        return err_set(
            err, P11CA_USAGE, "NAME", "name '%s': want 1 to 40 letters, digits, spaces and . & ' -", name);
    return 0;
}

/* A token label has 32 bytes and goes into a URI: letters, digits, dashes; "-factory" must still fit. */
static void make_slug(const char *name, char dst[24])
{
    size_t n = 0;

    for (; *name && n < 20; name++) {
        char c = *name;

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            dst[n++] = c;
        else if (n && dst[n - 1] != '-')
            dst[n++] = '-';
    }
    while (n && dst[n - 1] == '-')
        n--;
    dst[n] = '\0';
    if (n == 0)
        memcpy(dst, "p11ca", 6);
}

struct words {
    const char *name;
    char slug[24], year[8];
    bool softhsm;
};

static void add_word(struct buf *b, const struct words *w, const char *word, size_t len)
{
    if (len == 4 && memcmp(word, "NAME", 4) == 0)
        buf_adds(b, w->name);
    else if (len == 4 && memcmp(word, "SLUG", 4) == 0)
        buf_adds(b, w->slug);
    else if (len == 4 && memcmp(word, "YEAR", 4) == 0)
        buf_adds(b, w->year);
    else if (len == 5 && memcmp(word, "STORE", 5) == 0)
        buf_adds(b, w->softhsm ? " store = \"softhsm\";" : "");
    else if (len > 4 && memcmp(word, "PIN:", 4) == 0 && w->softhsm)
        buf_addf(b, "file:pins/%.*s", (int)(len - 4), word + 4);
    else if (len > 4 && memcmp(word, "PIN:", 4) == 0)
        buf_adds(b, "prompt");
}

static void expand(struct buf *b, const char *text, const struct words *w)
{
    const char *at, *end;

    while ((at = strchr(text, '@')) && (end = strchr(at + 1, '@'))) {
        buf_add(b, text, (size_t)(at - text));
        add_word(b, w, at + 1, (size_t)(end - at - 1));
        text = end + 1;
    }
    buf_adds(b, text);
}

static int write_conf(const char *dir, const struct words *w, struct p11ca_err *err)
{
    AUTO_STR path = path_join(dir, "p11ca.conf");
    AUTO_BUF text = BUF_INIT;

    expand(&text, home_template, w);
    if (!path || !buf_ok(&text))
        return err_nomem(err);
    return file_write(path, FILE_NEW, 0644, text.p, text.len, err);
}

/* PINs in files are for tests: the store beside them is, too. */
static int write_pins(const char *dir, struct p11ca_err *err)
{
    static const char *const names[] = {"root", "root-so", "factory", "factory-so"};
    AUTO_STR folder = path_join(dir, "pins");
    size_t i;

    if (!folder)
        return err_nomem(err);
    if (file_mkdir(folder, 0700, err) != 0)
        return -1;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTO_STR path = path_join(folder, names[i]);
        AUTO_SECRET pin = SECRET_INIT;

        if (!path)
            return err_nomem(err);
        if (secret_random(&pin, 16, err) != 0 || file_write(path, FILE_NEW, 0600, pin.p, pin.len, err) != 0)
            return -1;
    }
    return 0;
}

static bool say_yes(void *ctx, const char *question)
{
    (void)ctx, (void)question;
    return true;
}

static int run_script(const char *dir, const char *name, const struct p11ca_options *options,
    p11ca_step_fn *fn, void *arg, struct p11ca_err *err)
{
    AUTO_STR own = options && options->program_dir ? strdup(options->program_dir) : path_of_program();
    AUTO_STR folder = own ? path_join(own, "../share/p11ca/ceremonies") : NULL;
    AUTO_STR script = folder ? path_join(folder, name) : NULL;
    struct p11ca_options mine = options ? *options : (struct p11ca_options){0};
    struct p11ca_ui ui = mine.ui ? *mine.ui : (struct p11ca_ui){0};
    struct p11ca_ceremony ceremony;
    struct p11ca_home *home;
    int rc;

    if (!script)
        return err_nomem(err);
    ui.confirm = say_yes; /* --softhsm is the yes */
    ui.ask = NULL;
    mine.ui = &ui;
    if (p11ca_home_open(&home, dir, &mine, err) != 0)
        return -1;
    rc = p11ca_ceremony_run(home, script, NULL, fn, arg, &ceremony, err);
    p11ca_home_close(home);
    return rc;
}

static int check_result(const char *dir, const struct p11ca_options *options, struct p11ca_err *err)
{
    struct p11ca_home *home;

    if (p11ca_home_open(&home, dir, options, err) != 0)
        return -1;
    p11ca_home_close(home);
    return 0;
}

int p11ca_init(const char *dir, const struct p11ca_init *init, const struct p11ca_options *options,
    p11ca_step_fn *fn, void *arg, struct p11ca_err *err)
{
    time_t now = options && options->now ? (time_t)options->now : time(NULL);
    struct words w = {.name = init->name ? init->name : "Example", .softhsm = init->softhsm};
    AUTO_STR conf = path_join(dir, "p11ca.conf");
    struct tm tm;

    if (!conf || !gmtime_r(&now, &tm))
        return err_nomem(err);
    if (check_name(w.name, err) != 0)
        return -1;
    strftime(w.year, sizeof(w.year), "%Y", &tm);
    make_slug(w.name, w.slug);
    if (file_mkdir(dir, 0755, err) != 0 || file_check_new(conf, err) != 0)
        return -1;
    if ((w.softhsm && write_pins(dir, err) != 0) || write_conf(dir, &w, err) != 0)
        return -1;
    if (!w.softhsm)
        return check_result(dir, options, err);
    if (run_script(dir, "root.conf", options, fn, arg, err) != 0)
        return -1;
    return run_script(dir, "intermediate.conf", options, fn, arg, err);
}
