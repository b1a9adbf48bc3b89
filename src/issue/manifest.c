/* What the columns of a manifest mean, whatever it is written in. */
#include "issue/manifest.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "issue/manifest_err.h"

enum meaning { IS_TEXT, IS_DAYS, IS_MATERIAL, IS_NAME, IS_ANY_NAME };

static const struct column {
    const char *name;
    enum meaning meaning;
    unsigned which; /* offset of the string, enum material, enum san_type */
} columns[] = {
    {"id", IS_TEXT, offsetof(struct manifest_row, id)},
    {"subject", IS_TEXT, offsetof(struct manifest_row, subject)},
    {"profile", IS_TEXT, offsetof(struct manifest_row, profile)},
    {"days", IS_DAYS, 0},
    {"csr", IS_MATERIAL, MATERIAL_CSR},
    {"csr-file", IS_MATERIAL, MATERIAL_CSR_FILE},
    {"spki", IS_MATERIAL, MATERIAL_SPKI},
    {"spki-file", IS_MATERIAL, MATERIAL_SPKI_FILE},
    {"dns", IS_NAME, SAN_DNS},
    {"ip", IS_NAME, SAN_IP},
    {"uri", IS_NAME, SAN_URI},
    {"email", IS_NAME, SAN_EMAIL},
    {"san", IS_ANY_NAME, 0},
};

static const struct column *find_column(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    }
    return NULL;
}

static bool is_name_column(const struct column *c)
{
    return c && c->meaning >= IS_NAME;
}

static int check_name(const char *name, struct p11ca_err *err)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(name);

    if (len == 0 || len > 32 || name[0] < 'a' || name[0] > 'z' || strspn(name, set) != len)
        return manifest_err(err,
            "'%.64s': want a name of 1 to 32 of a-z 0-9 _ -, a letter first (is the header missing?)", name);
    return 0;
}

int manifest_check_names(const char *const *names, size_t n, struct p11ca_err *err)
{
    size_t i, k;

    for (i = 0; i < n; i++) {
        if (check_name(names[i], err) != 0)
            return -1;
        for (k = 0; k < i; k++) {
            if (strcmp(names[i], names[k]) == 0 && !is_name_column(find_column(names[i])))
                return manifest_err(err, "'%s': want it once, have it twice", names[i]);
        }
    }
    return 0;
}

int manifest_csv_header(const char *const *names, size_t n, struct p11ca_err *err)
{
    const struct column *c;
    size_t i;

    if (manifest_check_names(names, n, err) != 0)
        return -1;
    for (i = 0; i < n; i++) {
        c = find_column(names[i]);
        if (c && c->meaning == IS_MATERIAL)
            return 0;
    }
    return manifest_err(
        err, "want a header with a column csr, csr-file, spki or spki-file (is the header missing?)");
}

int manifest_check_text(const void *line, size_t len, struct p11ca_err *err)
{
    const uint8_t *p = line;
    size_t at = 0, step;
    uint32_t c = 0;

    for (; at < len; at += step) {
        step = text_utf8(p + at, len - at, &c);
        if (step == 0)
            return manifest_err(err, "octet %zu: want UTF-8, have another encoding", at + 1);
        if (c == 0)
            return manifest_err(err, "octet %zu: want text, have NUL", at + 1);
    }
    return 0;
}

static int read_days(const struct cell *cell, unsigned *ret, struct p11ca_err *err)
{
    size_t len = strlen(cell->value), i;
    unsigned n = 0;

    if (cell->type == CELL_STRING)
        return manifest_err(err, "days: want a number, have a string");
    if (strspn(cell->value, "0123456789") != len || len > 6)
        return manifest_err(err, "days: want a whole number of at most 6 digits, have '%.64s'", cell->value);
    for (i = 0; i < len; i++)
        n = n * 10 + (unsigned)(cell->value[i] - '0');
    if (n == 0)
        return manifest_err(err, "days: want at least 1, have 0");
    *ret = n;
    return 0;
}

static int set_material(
    struct manifest_row *row, const struct column *c, const char *value, struct p11ca_err *err)
{
    if (row->material)
        return manifest_err(err, "%s: want one of csr, csr-file, spki and spki-file, have two", c->name);
    row->material = (enum material)c->which;
    row->source = value;
    return 0;
}

static int set_cell(struct manifest_row *row, const struct cell *cell, struct p11ca_err *err)
{
    const struct column *c = find_column(cell->name);

    if (c && c->meaning == IS_DAYS)
        return read_days(cell, &row->days, err);
    if (cell->type == CELL_NUMBER)
        return manifest_err(err, "%s: want a string, have a number", cell->name);
    if (!c)
        row->fields[row->n_fields++] = (struct p11ca_field){cell->name, cell->value};
    else if (c->meaning == IS_TEXT)
        *(const char **)((char *)row + c->which) = cell->value;
    else if (c->meaning == IS_MATERIAL)
        return set_material(row, c, cell->value, err);
    return 0;
}

static int add_name(struct san_list *sans, const struct cell *cell, struct p11ca_err *err)
{
    const struct column *c = find_column(cell->name);
    const char *text = cell->value;
    enum san_type type;

    if (!is_name_column(c))
        return 0;
    type = (enum san_type)c->which;
    if (c->meaning == IS_ANY_NAME) {
        size_t len = strcspn(text, ":");

        type = text[len] ? san_type_find(text, len) : SAN_TYPES;
        if (type == SAN_TYPES)
            return err_set(err, P11CA_REFUSED, "SAN_KIND", "san: want KIND:NAME, have '%.300s'", text);
        text += len + 1;
    }
    return san_add(sans, type, text, err);
}

static bool is_there(const struct cell *cell)
{
    return cell->value && cell->value[0];
}

int manifest_row(const struct cells *cells, struct manifest_row *ret, struct p11ca_err *err)
{
    struct manifest_row row = {.material = MATERIAL_NONE};
    size_t i;

    for (i = 0; i < cells->n; i++) {
        if (is_there(&cells->v[i]) && set_cell(&row, &cells->v[i], err) != 0)
            return -1;
    }
    if (!row.material)
        return err_set(err, P11CA_REFUSED, "MANIFEST_MISMATCH",
            "want a request or a public key (csr, csr-file, spki, spki-file), have none");
    *ret = row;
    return 0;
}

int manifest_names(const struct cells *cells, struct san_list *ret, struct p11ca_err *err)
{
    size_t i;

    for (i = 0; i < cells->n; i++) {
        if (is_there(&cells->v[i]) && add_name(ret, &cells->v[i], err) != 0)
            return -1;
    }
    return 0;
}

void manifest_row_done(struct manifest_row *row)
{
    san_list_done(&row->sans);
}
