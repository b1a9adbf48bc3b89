/*
 * The command line: one table of commands, each with its table of options; parsing and help are loops over them. A command
 * reads its options, makes one public call and shows the result.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <p11ca/home.h>

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/progress.h"

struct cli_option {
    const char *name; /* "subject" for --subject */
    char letter;      /* 'a' for -a, 0 for none */
    const char *arg;  /* "DN"; NULL for a flag */
    const char *help;
    bool required;
};

struct cli_value {
    const struct cli_option *option;
    const char *value;
};

#define CLI_MAX_VALUES 512

struct cli {
    const struct command *command;
    const char *home;
    bool home_named; /* by -C or $P11CA_HOME */
    bool json, quiet, verbose;
    struct cli_value values[CLI_MAX_VALUES]; /* in the order given */
    size_t n_values;
    const char *args[16];
    size_t n_args;
    struct p11ca_ui ui;
    struct progress *progress; /* of who calls */
    struct p11ca_options options;
};

/* Runs with everything parsed; 0 or -1 with err. A result is printed only when it is whole. */
typedef int command_fn(struct cli *cli, struct p11ca_err *err);

struct command {
    const char *name;     /* "ceremony run" */
    const char *synopsis; /* of the arguments: "SCRIPT" */
    size_t min_args, max_args;
    const char *summary; /* one line */
    const char *text;    /* more, for help; NULL */
    const struct cli_option *options;
    size_t n_options;
    command_fn *run;
};

/* The command table, in the order of the help; ends with NULL. */
extern const struct command *const cli_commands[];

/* Value of the last --name, NULL when not given. */
const char *cli_value(const struct cli *cli, const char *name);
bool cli_flag(const struct cli *cli, const char *name);

/* A whole number from 0 to max; *ret stays when the option is not given. */
P11CA_CHECK int cli_number(
    const struct cli *cli, const char *name, unsigned max, unsigned *ret, struct p11ca_err *err);

/* A time in UTC, 2026-11-21 (its first second) or 2026-11-21T03:05:00Z; *ret stays when the option is not given. */
P11CA_CHECK int cli_date(const struct cli *cli, const char *name, int64_t *ret, struct p11ca_err *err);

/* Opens the home of -C. */
P11CA_CHECK int cli_home(struct cli *cli, struct p11ca_home **ret, struct p11ca_err *err);

/* The same, or NULL when none was named and the folder at hand is none. */
P11CA_CHECK int cli_home_if_any(struct cli *cli, struct p11ca_home **ret, struct p11ca_err *err);

/* Help for one command, or for all. */
void cli_help(const struct command *c);
void cli_help_all(void);

/* Parses everything behind the program's name; P11CA_USAGE. */
P11CA_CHECK int cli_parse(struct cli *cli, int argc, char **argv, struct p11ca_err *err);

/* Talk, to stderr, unless -q. */
void cli_say(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A result, to stdout, as it is but for what would harm a terminal. */
void cli_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints the object (and frees it) as one line of JSON. */
void cli_print_json(json_t *object);

/* A JSON string from foreign text: what is not UTF-8 is escaped; NULL is null. */
json_t *cli_text(const char *text);

/* A time as ISO 8601 UTC, null for 0. */
json_t *cli_time(int64_t t);

/* The terminal as struct p11ca_ui. */
void cli_ui_init(struct cli *cli, bool yes);

static inline void cli_scope_home(struct p11ca_home **home)
{
    p11ca_home_close(*home);
}
#define AUTO_HOME __attribute__((cleanup(cli_scope_home))) struct p11ca_home *

#endif
