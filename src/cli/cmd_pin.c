/* pin add, remove, list: files of pins for services with libp11ca-auth. */
#include <p11ca/auth.h>
#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/commands.h"

static const struct cli_option add_options[] = {
    {"label", 'l', "TEXT", "what the pin is called", true},
    {"key", 0, NULL, "pin the key, which may be certified again, instead of the certificate", false},
    {"not-before", 0, "TIME", "counts from then on, 2027-01-01T00:00:00Z", false},
    {"not-after", 0, "TIME", "counts until then", false},
};

static void free_pins(struct p11ca_pins **pins)
{
    p11ca_pins_free(*pins);
}

static int read_time(const struct cli *cli, const char *option, int64_t *ret, struct p11ca_err *err)
{
    const char *text = cli_value(cli, option);

    if (text && text_time_read(text, ret) != 0)
        return err_set(err, P11CA_USAGE, "USAGE",
            "option --%s: want a time like 2027-01-01T00:00:00Z, have '%s'", option, text);
    return 0;
}

static int add(void *arg, struct p11ca_pins *pins, struct p11ca_err *err)
{
    return p11ca_pins_add(pins, arg, err);
}

/* What is wrong with the pin itself is said before its file, or a lock beside it, is there. */
static int check_pin(const struct p11ca_pin *pin, struct p11ca_err *err)
{
    __attribute__((cleanup(free_pins))) struct p11ca_pins *none = p11ca_pins_new();

    return none ? p11ca_pins_add(none, pin, err) : err_nomem(err);
}

static int run_add(struct cli *cli, struct p11ca_err *err)
{
    struct p11ca_pin pin = {.label = cli_value(cli, "label")};
    enum p11ca_pin_kind kind = cli_flag(cli, "key") ? P11CA_PIN_KEY : P11CA_PIN_CERT;
    char hex[2 * P11CA_SHA256 + 1];

    if (read_time(cli, "not-before", &pin.not_before, err) != 0 ||
        read_time(cli, "not-after", &pin.not_after, err) != 0 ||
        p11ca_pin_of_file(cli->args[1], kind, &pin, err) != 0 || check_pin(&pin, err) != 0 ||
        p11ca_pins_change(cli->args[0], true, add, &pin, err) != 0)
        return -1;
    text_hex_lower(pin.sha256, sizeof(pin.sha256), hex);
    if (cli->json)
        cli_print_json(json_pack("{s:o,s:s}", "label", cli_text(pin.label), "sha256", hex));
    else
        cli_print("%s: pin '%s' added, SHA-256 %s", cli->args[0], pin.label, hex);
    return 0;
}

struct removal {
    const char *label;
};

static int take_out(void *arg, struct p11ca_pins *pins, struct p11ca_err *err)
{
    const struct removal *r = arg;

    return p11ca_pins_remove(pins, r->label, err);
}

static int run_remove(struct cli *cli, struct p11ca_err *err)
{
    struct removal r = {cli->args[1]};

    if (p11ca_pins_change(cli->args[0], false, take_out, &r, err) != 0)
        return -1;
    if (cli->json)
        cli_print_json(json_pack("{s:o}", "label", cli_text(r.label)));
    else
        cli_print("%s: pin '%s' removed", cli->args[0], r.label);
    return 0;
}

/* --- list --- */

static const char *const kinds[] = {[P11CA_PIN_CERT] = "cert", [P11CA_PIN_KEY] = "key"};

static json_t *json_of(const struct p11ca_pin *pin, const char *hex)
{
    return json_pack("{s:o,s:s,s:s,s:o,s:o}", "label", cli_text(pin->label), "kind", kinds[pin->kind],
        "sha256", hex, "not_before", cli_time(pin->not_before), "not_after", cli_time(pin->not_after));
}

static void show(const struct p11ca_pin *pin, const char *hex)
{
    char from[TEXT_TIME] = "-", until[TEXT_TIME] = "-";

    if (pin->not_before)
        text_time(pin->not_before, from);
    if (pin->not_after)
        text_time(pin->not_after, until);
    cli_print("%-4s %s %-20s %-20s %s", kinds[pin->kind], hex, from, until, pin->label);
}

static int run_list(struct cli *cli, struct p11ca_err *err)
{
    __attribute__((cleanup(free_pins))) struct p11ca_pins *pins = NULL;
    json_t *list = NULL;
    char hex[2 * P11CA_SHA256 + 1];
    size_t i;

    if (p11ca_pins_load(cli->args[0], &pins, err) != 0)
        return -1;
    list = cli->json ? json_array() : NULL;
    for (i = 0; i < p11ca_pins_count(pins); i++) {
        const struct p11ca_pin *pin = p11ca_pins_at(pins, i);

        text_hex_lower(pin->sha256, sizeof(pin->sha256), hex);
        if (list)
            json_array_append_new(list, json_of(pin, hex));
        else
            show(pin, hex);
    }
    if (list)
        cli_print_json(list);
    return 0;
}

const struct command cmd_pin_add = {"pin add", "FILE CERT", 2, 2,
    "pin a client's certificate or key in a file of pins",
    "The file is made when it is not there, and replaced as a whole. Services with libp11ca-auth load it.",
    CLI_OPTIONS(add_options), run_add};

const struct command cmd_pin_remove = {
    "pin remove", "FILE LABEL", 2, 2, "take a pin out of a file of pins", NULL, NULL, 0, run_remove};

const struct command cmd_pin_list = {"pin list", "FILE", 1, 1, "the pins of a file", NULL, NULL, 0, run_list};
