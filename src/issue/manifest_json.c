/* NDJSON: one object a line, of strings, arrays of strings, and a number. */
#include <stdio.h>
#include <string.h>

#include "issue/manifest.h"
#include "issue/manifest_err.h"

static int add(
    struct cells *cells, const char *name, const char *value, enum cell_type type, struct p11ca_err *err)
{
    if (cells->n == LIMIT_COLUMNS)
        return manifest_err(err, "want at most %d values in a row, have more", LIMIT_COLUMNS);
    cells->v[cells->n++] = (struct cell){name, value, type};
    return 0;
}

static int add_array(struct cells *cells, const char *name, const json_t *array, struct p11ca_err *err)
{
    const json_t *value;
    size_t i;

    json_array_foreach(array, i, value)
    {
        if (!json_is_string(value))
            return manifest_err(err, "'%.64s': want an array of strings, have something else in it", name);
        if (add(cells, name, json_string_value(value), CELL_STRING, err) != 0)
            return -1;
    }
    return 0;
}

/* Only names come in arrays; and only one number is wanted, so that there is room for one. */
static int add_value(
    struct cells *cells, const char *name, const json_t *value, char digits[24], struct p11ca_err *err)
{
    static const char *const names[] = {"dns", "ip", "uri", "email", "san"};
    size_t i;

    if (json_is_null(value))
        return 0;
    if (json_is_string(value))
        return add(cells, name, json_string_value(value), CELL_STRING, err);
    if (json_is_integer(value) && strcmp(name, "days") == 0) {
        snprintf(digits, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return add(cells, name, digits, CELL_NUMBER, err);
    }
    for (i = 0; json_is_array(value) && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0)
            return add_array(cells, name, value, err);
    }
    return manifest_err(err, "'%.64s': want a string, have %s", name,
        json_is_number(value)   ? "a number"
        : json_is_array(value)  ? "an array"
        : json_is_object(value) ? "an object"
                                : "true or false");
}

static int parse(const char *line, size_t len, json_t **ret, struct p11ca_err *err)
{
    json_error_t why;
    const char *near;

    *ret = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    if (!*ret) {
        /* What the parser quotes may be a key: only where it stands is said. */
        near = strstr(why.text, " near ");
        return manifest_err(err, "column %d: %.*s", why.column,
            near ? (int)(near - why.text) : (int)strlen(why.text), why.text);
    }
    return json_is_object(*ret) ? 0 : manifest_err(err, "want an object, have an array");
}

int manifest_json(const char *line, size_t len, json_t **ret_json, char ret_digits[24], struct cells *ret,
    struct p11ca_err *err)
{
    const char *name;
    json_t *value;

    ret->n = 0;
    if (parse(line, len, ret_json, err) != 0)
        return -1;
    json_object_foreach(*ret_json, name, value)
    {
        if (manifest_check_names(&name, 1, err) != 0 || add_value(ret, name, value, ret_digits, err) != 0)
            return -1;
    }
    return 0;
}
