/* The commands that main.c puts into its table. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command cmd_init;
extern const struct command cmd_token_list, cmd_token_check, cmd_token_init;
extern const struct command cmd_ceremony_check, cmd_ceremony_print, cmd_ceremony_run, cmd_ceremony_resume,
    cmd_ceremony_rehearse;
extern const struct command cmd_ceremony_verify, cmd_ceremony_compare, cmd_ceremony_countersign;
extern const struct command cmd_request, cmd_install;
extern const struct command cmd_profile_list, cmd_profile_show, cmd_profile_check;
extern const struct command cmd_issue;
extern const struct command cmd_batch, cmd_serve;
extern const struct command cmd_import, cmd_bundle;
extern const struct command cmd_list, cmd_show;
extern const struct command cmd_renew, cmd_ocsp;
extern const struct command cmd_verify;
extern const struct command cmd_revoke, cmd_crl;
extern const struct command cmd_lint;
extern const struct command cmd_audit;
extern const struct command cmd_identify, cmd_thumbprint;
extern const struct command cmd_pin_add, cmd_pin_remove, cmd_pin_list;
extern const struct command cmd_authorize, cmd_policy_check, cmd_policy_export;
extern const struct command cmd_bench;
extern const struct command cmd_help;

#define CLI_OPTIONS(table) (table), sizeof(table) / sizeof((table)[0])

#endif
