#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/text.h"

static const struct cli_option globals[] = {
    {"home", 'C', "HOME", "the PKI home (default: $P11CA_HOME, then the current directory)", false},
    {"json", 0, NULL, "the result as JSON", false},
    {"quiet", 'q', NULL, "no talk on stderr", false},
    {"verbose", 'v', NULL, "more talk on stderr", false},
    {"help", 'h', NULL, "help for the command", false},
    {"version", 0, NULL, "the version", false},
};
#define N_GLOBALS (sizeof(globals) / sizeof(globals[0]))

static const struct cli_option *find_in(
    const struct cli_option *o, size_t n, const char *name, size_t len, char letter)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (letter ? o[i].letter == letter : strlen(o[i].name) == len && strncmp(o[i].name, name, len) == 0)
            return &o[i];
    }
    return NULL;
}

static const struct cli_option *find_option(const struct cli *cli, const char *name, size_t len, char letter)
{
    const struct cli_option *o = NULL;

    if (cli->command)
        o = find_in(cli->command->options, cli->command->n_options, name, len, letter);
    return o ? o : find_in(globals, N_GLOBALS, name, len, letter);
}

static int add_value(struct cli *cli, const struct cli_option *o, const char *value, struct p11ca_err *err)
{
    if (cli->n_values == CLI_MAX_VALUES)
        return err_set(err, P11CA_USAGE, "USAGE", "want at most %d options", CLI_MAX_VALUES);
    cli->values[cli->n_values++] = (struct cli_value){o, value};
    return 0;
}

/* --name, --name=value, --name value, -x value, -xvalue. Moves *i past what it took. */
static int parse_option(struct cli *cli, int argc, char **argv, int *i, struct p11ca_err *err)
{
    const char *word = argv[*i], *value = NULL, *name = word + 2;
    bool is_long = word[1] == '-';
    size_t len = is_long ? strcspn(name, "=") : 0;
    const struct cli_option *o = find_option(cli, name, len, is_long ? 0 : word[1]);

    if (!o)
        return err_set(err, P11CA_USAGE, "USAGE", "unknown option %s%s%s", word, cli->command ? " for " : "",
            cli->command ? cli->command->name : "");
    if (is_long && name[len] == '=')
        value = name + len + 1;
    else if (!is_long && word[2])
        value = word + 2;
    if (!o->arg && value)
        return err_set(err, P11CA_USAGE, "USAGE", "option --%s takes no value", o->name);
    if (o->arg && !value) {
        if (*i + 1 >= argc)
            return err_set(err, P11CA_USAGE, "USAGE", "option --%s wants a value: %s", o->name, o->arg);
        value = argv[++*i];
    }
    return add_value(cli, o, value, err);
}

/* "token list" is two words on the command line. */
static bool match_command(const struct command *c, int argc, char **argv, int i, int *ret_words)
{
    const char *space = strchr(c->name, ' ');
    size_t first = space ? (size_t)(space - c->name) : strlen(c->name);

    if (strlen(argv[i]) != first || strncmp(argv[i], c->name, first) != 0)
        return false;
    if (space && (i + 1 >= argc || strcmp(argv[i + 1], space + 1) != 0))
        return false;
    *ret_words = space ? 2 : 1;
    return true;
}

static int find_command(struct cli *cli, int argc, char **argv, int *i, struct p11ca_err *err)
{
    const struct command *const *c;
    int words;

    for (c = cli_commands; *c; c++) {
        if (match_command(*c, argc, argv, *i, &words)) {
            cli->command = *c;
            *i += words - 1;
            return 0;
        }
    }
    return err_set(err, P11CA_USAGE, "USAGE", "unknown command '%s%s%s'; see p11ca help", argv[*i],
        *i + 1 < argc && argv[*i + 1][0] != '-' ? " " : "",
        *i + 1 < argc && argv[*i + 1][0] != '-' ? argv[*i + 1] : "");
}

static int add_arg(struct cli *cli, const char *word, struct p11ca_err *err)
{
    if (cli->n_args == cli->command->max_args || cli->n_args == sizeof(cli->args) / sizeof(cli->args[0]))
        return err_set(err, P11CA_USAGE, "USAGE", "%s: too many arguments: '%s'", cli->command->name, word);
    cli->args[cli->n_args++] = word;
    return 0;
}

static int check_given(const struct cli *cli, struct p11ca_err *err)
{
    size_t i;

    if (!cli->command || cli_flag(cli, "help"))
        return 0;
    if (cli->n_args < cli->command->min_args)
        return err_set(
            err, P11CA_USAGE, "USAGE", "usage: p11ca %s %s", cli->command->name, cli->command->synopsis);
    for (i = 0; i < cli->command->n_options; i++) {
        const struct cli_option *o = &cli->command->options[i];

        if (o->required && !cli_value(cli, o->name))
            return err_set(err, P11CA_USAGE, "USAGE", "%s: option --%s %s is missing", cli->command->name,
                o->name, o->arg);
    }
    return 0;
}

int cli_parse(struct cli *cli, int argc, char **argv, struct p11ca_err *err)
{
    bool only_args = false;
    int i, rc = 0;

    for (i = 1; i < argc && rc == 0; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0)
            only_args = true;
        else if (!only_args && argv[i][0] == '-' && argv[i][1])
            rc = parse_option(cli, argc, argv, &i, err);
        else if (!cli->command)
            rc = find_command(cli, argc, argv, &i, err);
        else
            rc = add_arg(cli, argv[i], err);
    }
    cli->json = cli_flag(cli, "json");
    cli->quiet = cli_flag(cli, "quiet");
    cli->verbose = cli_flag(cli, "verbose");
    cli->home = cli_value(cli, "home");
    if (!cli->home)
        cli->home = getenv("P11CA_HOME");
    cli->home_named = cli->home && *cli->home;
    if (!cli->home_named)
        cli->home = ".";
    return rc == 0 ? check_given(cli, err) : -1;
}

const char *cli_value(const struct cli *cli, const char *name)
{
    size_t i = cli->n_values;

    while (i--) {
        if (strcmp(cli->values[i].option->name, name) == 0)
            return cli->values[i].value ? cli->values[i].value : "";
    }
    return NULL;
}

bool cli_flag(const struct cli *cli, const char *name)
{
    return cli_value(cli, name) != NULL;
}

int cli_number(const struct cli *cli, const char *name, unsigned max, unsigned *ret, struct p11ca_err *err)
{
    const char *text = cli_value(cli, name);
    unsigned long n;
    char *end;

    if (!text)
        return 0;
    n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > max)
        return err_set(err, P11CA_USAGE, "USAGE", "option --%s: want a whole number from 0 to %u, have '%s'",
            name, max, text);
    *ret = (unsigned)n;
    return 0;
}

int cli_home(struct cli *cli, struct p11ca_home **ret, struct p11ca_err *err)
{
    return p11ca_home_open(ret, cli->home, &cli->options, err);
}

int cli_home_if_any(struct cli *cli, struct p11ca_home **ret, struct p11ca_err *err)
{
    *ret = NULL;
    if (cli_home(cli, ret, err) == 0)
        return 0;
    return !cli->home_named && strcmp(err->code, "NO_HOME") == 0 ? 0 : -1;
}

static void print_options(const struct cli_option *o, size_t n)
{
    char left[64];
    size_t i;

    for (i = 0; i < n; i++) {
        snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o[i].letter ? "-" : "",
            o[i].letter ? o[i].letter : ' ', o[i].letter ? ", " : "   ", o[i].name, o[i].arg ? " " : "",
            o[i].arg ? o[i].arg : "");
        printf("  %-26s %s%s\n", left, o[i].help, o[i].required ? " (required)" : "");
    }
}

void cli_help(const struct command *c)
{
    printf("usage: p11ca [-C HOME] [--json] [-q|-v] %s%s%s%s\n\n%s\n", c->name,
        c->n_options ? " [OPTION]..." : "", *c->synopsis ? " " : "", c->synopsis, c->summary);
    if (c->text)
        printf("\n%s\n", c->text);
    if (c->n_options) {
        printf("\nOptions:\n");
        print_options(c->options, c->n_options);
    }
}

void cli_help_all(void)
{
    const struct command *const *c;

    printf("p11ca %s: an offline certificate authority with its keys in PKCS#11 tokens\n\n"
           "usage: p11ca [-C HOME] [--json] [-q|-v] COMMAND ...\n\nCommands:\n",
        P11CA_VERSION);
    for (c = cli_commands; *c; c++)
        printf("  %-18s %s\n", (*c)->name, (*c)->summary);
    printf("\nOptions of every command:\n");
    print_options(globals, N_GLOBALS);
    printf("\nExit codes: 0 done, 1 a negative answer, 2 usage, 3 configuration, 4 request refused, 5 PIN or "
           "login,\n"
           "6 token, 7 ledger, 8 file, 70 bug in p11ca. `p11ca help COMMAND` and `man p11ca` say more.\n");
}

/* Lines quote labels, subjects, paths: escaped here, once, and not by everybody who prints. */
static void print_line(FILE *f, const char *fmt, va_list ap, const char *end)
    __attribute__((format(printf, 2, 0)));

static void print_line(FILE *f, const char *fmt, va_list ap, const char *end)
{
    char raw[2048], safe[sizeof(raw) * 2];

    vsnprintf(raw, sizeof(raw), fmt, ap);
    text_escape(raw, strlen(raw), safe, sizeof(safe));
    fprintf(f, "%s%s", safe, end);
}

void cli_say(const struct cli *cli, const char *fmt, ...)
{
    va_list ap;

    if (cli->quiet)
        return;
    progress_clear(cli->progress);
    va_start(ap, fmt);
    print_line(stderr, fmt, ap, "\n");
    va_end(ap);
}

void cli_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_line(stdout, fmt, ap, "\n");
    va_end(ap);
}

void cli_print_json(json_t *object)
{
    if (!object) {
        fprintf(stderr, "p11ca: result: cannot be written as JSON\n");
        exit(p11ca_exit_code(P11CA_BUG));
    }
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

json_t *cli_text(const char *text)
{
    size_t size = text ? 4 * strlen(text) + 1 : 0;
    char *safe = text ? malloc(size) : NULL;
    json_t *string;

    if (!text)
        return json_null();
    if (!safe)
        return NULL;
    text_escape(text, strlen(text), safe, size);
    string = json_string(safe);
    free(safe);
    return string;
}

json_t *cli_time(int64_t t)
{
    char text[TEXT_TIME];

    if (!t)
        return json_null();
    text_time(t, text);
    return json_string(text);
}

int cli_date(const struct cli *cli, const char *name, int64_t *ret, struct p11ca_err *err)
{
    static const char *const shapes[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"};
    const char *text = cli_value(cli, name);
    size_t i;

    if (!text)
        return 0;
    for (i = 0; i < 2; i++) {
        struct tm tm = {0};
        char back[TEXT_TIME];
        const char *end = strptime(text, shapes[i], &tm);

        if (!end || *end)
            continue;
        *ret = (int64_t)timegm(&tm);
        text_time(*ret, back);
        /* strptime() takes blanks, short numbers and 31 February. */
        if (*ret > 0 && strlen(text) == (i == 0 ? 10 : 20) && strncmp(back, text, strlen(text)) == 0)
            return 0;
    }
    return err_set(err, P11CA_USAGE, "USAGE",
        "option --%s: want a date as 2026-11-21 or 2026-11-21T03:05:00Z, have '%s'", name, text);
}
