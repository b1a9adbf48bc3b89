#include "cli/records.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

json_t *cli_record_json(const struct p11ca_record *r)
{
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "serial",
        r->serial, "status", r->status, "authority", r->authority, "profile", r->profile, "device",
        cli_text(r->device), "subject", r->subject, "sans", cli_text(r->sans), "signature_algorithm",
        cli_text(r->signature_algorithm), "key_sha256", cli_text(r->key_sha256), "sha256",
        cli_text(r->sha256), "not_before", cli_time(r->not_before), "not_after", cli_time(r->not_after),
        "reserved_at", cli_time(r->reserved_at), "issued_at", cli_time(r->issued_at), "published_at",
        cli_time(r->published_at), "revoked_at", cli_time(r->revoked_at), "imported_at",
        cli_time(r->imported_at), "reason", r->reason < 0 ? json_null() : json_integer(r->reason), "ticket",
        cli_text(r->ticket), "path", cli_text(r->path), "invalid_since", cli_time(r->invalid_since), "change",
        cli_text(r->change));
}

static void line(const char *what, const char *value)
{
    char safe[1024];

    if (!value)
        return;
    text_escape(value, strlen(value), safe, sizeof(safe));
    printf("%-12s %s\n", what, safe);
}

static void time_line(const char *what, int64_t t)
{
    char text[TEXT_TIME];

    if (!t)
        return;
    text_time(t, text);
    line(what, text);
}

void cli_record_print(const struct p11ca_record *r)
{
    line("serial", r->serial);
    line("status", r->status);
    line("authority", r->authority);
    line("profile", r->profile);
    line("device", r->device);
    line("subject", r->subject);
    line("names", r->sans);
    line("algorithm", r->signature_algorithm);
    line("key sha256", r->key_sha256);
    line("sha256", r->sha256);
    time_line("not before", r->not_before);
    time_line("not after", r->not_after);
    time_line("reserved", r->reserved_at);
    time_line("issued", r->issued_at);
    time_line("published", r->published_at);
    time_line("revoked", r->revoked_at);
    time_line("invalid", r->invalid_since);
    line("because", r->change);
    time_line("imported", r->imported_at);
    line("ticket", r->ticket);
    line("file", r->path);
}

void cli_record_pem(const struct p11ca_record *r)
{
    unsigned char out[4 * 48 / 3 + 1];
    size_t at, n;

    if (!r->der)
        return;
    printf("-----BEGIN CERTIFICATE-----\n");
    for (at = 0; at < r->der_len; at += n) {
        n = r->der_len - at < 48 ? r->der_len - at : 48;
        EVP_EncodeBlock(out, r->der + at, (int)n);
        printf("%s\n", (char *)out);
    }
    printf("-----END CERTIFICATE-----\n");
}

/* NAME=TEXT: names into storage, values where they stand. */
int cli_fields(const struct cli *cli, char names[CLI_MAX_FIELDS][33], struct p11ca_field *v, size_t *ret_n,
    struct p11ca_err *err)
{
    size_t i, n = 0;

    for (i = 0; i < cli->n_values; i++) {
        const char *text = cli->values[i].value, *equals;

        if (strcmp(cli->values[i].option->name, "field") != 0)
            continue;
        equals = strchr(text, '=');
        if (!equals || equals == text || equals - text > 32)
            return err_set(err, P11CA_USAGE, "USAGE", "option --field: want NAME=TEXT, have '%s'", text);
        if (n == CLI_MAX_FIELDS)
            return err_set(err, P11CA_USAGE, "USAGE", "want at most %d fields", CLI_MAX_FIELDS);
        snprintf(names[n], sizeof(names[n]), "%.*s", (int)(equals - text), text);
        v[n] = (struct p11ca_field){names[n], equals + 1};
        n++;
    }
    *ret_n = n;
    return 0;
}

int cli_keep_record(void *arg, const struct p11ca_record *r)
{
    struct cli_shown *s = arg;

    if (s->cli->json)
        s->record = cli_record_json(r);
    else
        cli_record_print(r);
    return 0;
}

void cli_show_issued(
    const struct cli *cli, const char *csr, const struct p11ca_issued *issued, json_t *record)
{
    static const char *const outcomes[] = {
        [P11CA_NEW] = "new",
        [P11CA_FINISHED] = "finished",
        [P11CA_REUSED] = "reused",
    };

    if (issued->notes[0])
        cli_say(cli, "%s: asked for and not given: %s", csr, issued->notes);
    if (issued->outcome == P11CA_FINISHED)
        cli_say(cli, "an interrupted run of this order was finished");
    if (issued->outcome == P11CA_REUSED)
        cli_say(cli, "this order was issued before: the same certificate again");
    if (!record)
        return;
    json_object_set_new(record, "outcome", json_string(outcomes[issued->outcome]));
    json_object_set_new(record, "ignored", json_string(issued->notes));
    cli_print_json(record);
}
