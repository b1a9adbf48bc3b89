/* What is in the folder: every file the lines speak of, SHA256SUMS over them, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/report.h"
#include "ceremony/verify.h"

/* --- what should be there --- */

static void expect(struct verify *v, const char *file, const char *sha256, size_t line)
{
    json_t *have = json_object_get(v->expected, file);
    char what[FINDING_WHAT];

    if (have && strcmp(transcript_str(have, "sha256"), sha256) != 0) {
        snprintf(what, sizeof(what), TRANSCRIPT_FILE ":%zu", line);
        finding_bad(&v->f, "TRANSCRIPT_BAD", what, "%s: line %zu has another hash for it", file,
            verify_number(have, "line"));
        return;
    }
    if (!have && json_object_set_new(v->expected, file,
                     json_pack("{s:s,s:I}", "sha256", sha256, "line", (json_int_t)line)) != 0)
        v->nomem = true;
}

/* "artefacts/07-root.crt" for step 7: nothing that leads elsewhere. */
static bool is_artefact_of(const char *file, size_t step)
{
    const char *name = file + strlen(VERIFY_ARTEFACTS "/");
    char *end;

    return strncmp(file, VERIFY_ARTEFACTS "/", strlen(VERIFY_ARTEFACTS "/")) == 0 && *name >= '0' &&
           *name <= '9' && strtoul(name, &end, 10) == step && end >= name + 2 && *end == '-' && end[1] &&
           !strchr(name, '/');
}

/* "artefacts/approval-ROLE.pem" */
static void approval_file(const json_t *line, char dst[FINDING_WHAT])
{
    snprintf(dst, FINDING_WHAT, VERIFY_ARTEFACTS "/approval-%.64s.pem", transcript_str(line, "role"));
}

/* The key of somebody who has approved the plan: it belongs to no step, the first one that wants approvals has it. */
static bool is_approvers(const struct verify *v, const char *file)
{
    char name[FINDING_WHAT];
    const json_t *line;
    size_t at = 0;

    while ((line = transcript_find(v->lines, &at, "approval", 0))) {
        approval_file(line, name);
        if (strcmp(name, file) == 0 && !strchr(transcript_str(line, "role"), '/'))
            return true;
    }
    return false;
}

static void expect_done(struct verify *v, const json_t *line)
{
    char what[FINDING_WHAT];
    const json_t *file;
    size_t i;

    json_array_foreach(json_object_get(line, "files"), i, file)
    {
        const char *name = transcript_str(file, "artefact");

        if (is_artefact_of(name, verify_number(line, "step")) || is_approvers(v, name))
            expect(v, name, transcript_str(file, "sha256"), verify_number(line, "line"));
        else
            finding_bad(&v->f, "TRANSCRIPT_BAD", verify_line(line, what),
                "files: '%s': want artefacts/%02zu-NAME", name, verify_number(line, "step"));
    }
}

/* Bytes that were shown are kept when they are shown; the done line knows them unless the run was killed in between. */
static void expect_tbs(struct verify *v, const json_t *line)
{
    char file[64];

    snprintf(file, sizeof(file), VERIFY_ARTEFACTS "/%02zu-%stbs.der", verify_number(line, "step"),
        verify_is_series(line) ? "series-" : "");
    if (!json_object_get(v->expected, file))
        expect(v, file, transcript_str(line, "sha256"), verify_number(line, "line"));
}

/* The line has the hash of the key and not of the file: verify_approvals() looks into it. */
static void expect_approval(struct verify *v, const json_t *line)
{
    char file[FINDING_WHAT];

    approval_file(line, file);
    if (!strchr(transcript_str(line, "role"), '/') && !json_object_get(v->expected, file) &&
        json_object_set_new(v->expected, file,
            json_pack("{s:n,s:I}", "sha256", "line", (json_int_t)verify_number(line, "line"))) != 0)
        v->nomem = true;
}

static void expect_all(struct verify *v)
{
    static const struct {
        const char *type;
        void (*expect)(struct verify *v, const json_t *line);
        bool last; /* the last one of a step counts */
    } rows[] = {
        {"done", expect_done, false}, {"tbs", expect_tbs, true}, {"approval", expect_approval, false}};
    const json_t *line;
    size_t i, n;

    expect(v, FOLDER_SCRIPT, transcript_str(json_object_get(v->begin, "script"), "sha256"), 1);
    expect(v, FOLDER_PLAN, transcript_str(v->begin, "plan"), 1);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (n = 0; n < json_array_size(v->lines); n++) {
            line = json_array_get(v->lines, rows[i].last ? json_array_size(v->lines) - 1 - n : n);
            if (strcmp(transcript_str(line, "type"), rows[i].type) == 0)
                rows[i].expect(v, line);
        }
    }
}

/* --- what is there --- */

static int hash_file(struct verify *v, const char *name, char ret[TRANSCRIPT_HEX])
{
    AUTO_BUF b = BUF_INIT;
    uint8_t sha256[SHA256_LEN];

    if (verify_read(v, name, &b) != 0)
        return -1;
    if (hash_sha256(b.p, b.len, sha256) != 0) {
        v->nomem = true;
        return -1;
    }
    text_hex_lower(sha256, sizeof(sha256), ret);
    if (verify_has_private_key(&b) && strncmp(name, VERIFY_ARTEFACTS, 9) == 0)
        finding_bad(&v->f, "PRIVATE_KEY_SEEN", name, "holds a private key: treat it as disclosed");
    if (json_object_set_new(v->actual, name, json_string(ret)) != 0)
        v->nomem = true;
    return 0;
}

static bool exists(struct verify *v, const char *name)
{
    AUTO_STR path = path_join(v->dir, name);

    if (!path)
        v->nomem = true;
    return path && file_exists(path);
}

/* A step that was never done may have left no file. */
static bool is_optional(const struct verify *v, const json_t *row)
{
    const json_t *line = json_array_get(v->lines, verify_number(row, "line") - 1);

    return strcmp(transcript_str(line, "type"), "tbs") == 0;
}

static void check_file(struct verify *v, const char *name, const json_t *row)
{
    const char *want = transcript_str(row, "sha256");
    char have[TRANSCRIPT_HEX];

    if (is_optional(v, row) && !exists(v, name))
        return;
    if (hash_file(v, name, have) == 0 && want[0] && strcmp(want, have) != 0)
        finding_bad(&v->f, "FILE_CHANGED", name, "SHA-256: want %s (" TRANSCRIPT_FILE ":%zu), have %s", want,
            verify_number(row, "line"), have);
}

static void check_expected(struct verify *v)
{
    size_t before = v->f.n_faults;
    const char *name;
    json_t *row;

    json_object_foreach(v->expected, name, row) check_file(v, name, row);
    if (v->f.n_faults == before)
        finding_good(&v->f, "files", "all %zu are those of the transcript", json_object_size(v->actual));
}

/* --- the end line --- */

/* Whether the end has to list it: what the begin and done lines name. */
static bool is_listed(const struct verify *v, const json_t *row)
{
    return json_is_string(json_object_get(row, "sha256")) && !is_optional(v, row);
}

static void check_end_file(struct verify *v, const char *what, const json_t *file, json_t *seen)
{
    const char *name = transcript_str(file, "file"), *want;
    const json_t *row = json_object_get(v->expected, name);

    if (!row) {
        finding_bad(&v->f, "TRANSCRIPT_BAD", what, "files: '%s': no line before speaks of it", name);
        return;
    }
    want = transcript_str(row, "sha256");
    if (want[0] && strcmp(want, transcript_str(file, "sha256")) != 0)
        finding_bad(&v->f, "TRANSCRIPT_BAD", what, "files: '%s': line %zu has another hash for it", name,
            verify_number(row, "line"));
    if (json_object_set_new(seen, name, json_true()) != 0)
        v->nomem = true;
}

static void check_end_files(struct verify *v)
{
    AUTO_JSON seen = json_object();
    char what[FINDING_WHAT];
    const json_t *file;
    const char *name;
    json_t *row;
    size_t i;

    verify_line(v->end, what);
    json_array_foreach(json_object_get(v->end, "files"), i, file) check_end_file(v, what, file, seen);
    json_object_foreach(v->expected, name, row)
    {
        if (is_listed(v, row) && !json_object_get(seen, name))
            finding_bad(&v->f, "TRANSCRIPT_BAD", what, "files: does not list '%s', which line %zu speaks of",
                name, verify_number(row, "line"));
    }
}

/* --- SHA256SUMS --- */

/* Whether it belongs into SHA256SUMS: the transcript, its report, and what the end line lists. */
static bool is_summed(const struct verify *v, const char *name)
{
    const json_t *file;
    size_t i;

    if (strcmp(name, TRANSCRIPT_FILE) == 0 || strcmp(name, FOLDER_REPORT) == 0)
        return true;
    json_array_foreach(json_object_get(v->end, "files"), i, file)
    {
        if (strcmp(transcript_str(file, "file"), name) == 0)
            return true;
    }
    return false;
}

/* The chain fixes every line but the last one: a hash that is wrong all the same says which it was. */
static void sum_differs(
    struct verify *v, const char *what, const char *name, const char *want, const char *have)
{
    const char *known = transcript_str(json_object_get(v->expected, name), "sha256");

    if (strcmp(name, TRANSCRIPT_FILE) == 0)
        finding_bad(&v->f, "FILE_CHANGED", what,
            TRANSCRIPT_FILE ": SHA-256: want %s, have %s: the last line, all lines or this one was changed",
            want, have);
    else if (strcmp(known, have) == 0)
        finding_bad(&v->f, "SUMS_BAD", what, "%s: SHA-256: want %s, as the transcript says, have %s", name,
            have, want);
    else
        finding_bad(&v->f, "FILE_CHANGED", what, "%s: SHA-256: want %s, have %s", name, want, have);
}

static void check_sum(struct verify *v, const char *what, const char *name, const char *want, json_t *seen)
{
    const char *known = transcript_str(v->actual, name);
    char have[TRANSCRIPT_HEX];

    if (json_object_get(seen, name))
        finding_bad(&v->f, "SUMS_BAD", what, "%s: stands there twice", name);
    else if (v->end && !is_summed(v, name))
        finding_bad(&v->f, "SUMS_BAD", what, "'%s': is no file of this ceremony", name);
    else if (known[0] && strcmp(known, want) != 0)
        sum_differs(v, what, name, want, known);
    else if (!known[0] && !json_object_get(v->expected, name) && hash_file(v, name, have) == 0 &&
             strcmp(have, want) != 0)
        sum_differs(v, what, name, want, have);
    if (json_object_set_new(seen, name, json_true()) != 0)
        v->nomem = true;
}

/* A name that does not lead out of the folder. */
static bool is_inside(const char *name)
{
    return name[0] && name[0] != '/' && strcmp(name, "..") != 0 && strncmp(name, "../", 3) != 0 &&
           !strstr(name, "/../");
}

/* "HEX  NAME", as sha256sum writes it. */
static void check_sums_line(struct verify *v, char *line, size_t number, json_t *seen)
{
    char what[FINDING_WHAT];
    uint8_t sha256[SHA256_LEN];
    size_t hex = strspn(line, "0123456789abcdef");

    snprintf(what, sizeof(what), FOLDER_SUMS ":%zu", number);
    if (hex != 2 * SHA256_LEN || strncmp(line + hex, "  ", 2) != 0 || !is_inside(line + hex + 2)) {
        finding_bad(&v->f, "SUMS_BAD", what, "want 64 hex digits, two spaces and a name in this folder");
        return;
    }
    line[hex] = '\0';
    if (text_unhex(line, sha256, sizeof(sha256)) == SHA256_LEN)
        check_sum(v, what, line + hex + 2, line, seen);
}

static void check_all_summed(struct verify *v, const json_t *seen)
{
    static const char *const always[] = {TRANSCRIPT_FILE, FOLDER_REPORT};
    const json_t *file;
    size_t i;

    for (i = 0; i < 2; i++) {
        if (!json_object_get(seen, always[i]))
            finding_bad(&v->f, "SUMS_BAD", FOLDER_SUMS, "does not list %s", always[i]);
    }
    json_array_foreach(json_object_get(v->end, "files"), i, file)
    {
        if (!json_object_get(seen, transcript_str(file, "file")))
            finding_bad(&v->f, "SUMS_BAD", FOLDER_SUMS, "does not list %s", transcript_str(file, "file"));
    }
}

static void read_sums(struct verify *v, char *text, size_t len)
{
    AUTO_JSON seen = json_object();
    char *line = text, *end;
    size_t number;

    if (strlen(text) != len || len == 0 || text[len - 1] != '\n') {
        finding_bad(&v->f, "SUMS_BAD", FOLDER_SUMS, "want lines of text, the last one ended as well");
        return;
    }
    for (number = 1; *line && (end = strchr(line, '\n')); number++, line = end + 1) {
        *end = '\0';
        check_sums_line(v, line, number, seen);
    }
    check_all_summed(v, seen);
}

/* before: how many faults there were without those of the files; what is missing was told with them. */
static void check_sums(struct verify *v, size_t before)
{
    AUTO_BUF b = BUF_INIT;

    if (verify_read(v, FOLDER_SUMS, &b) != 0)
        return;
    if (!buf_str(&b)) {
        v->nomem = true;
        return;
    }
    read_sums(v, (char *)b.p, b.len);
    if (v->f.n_faults == before)
        finding_good(&v->f, FOLDER_SUMS, "lists every file, and all are as it says");
}

/* --- nothing else --- */

/* An abandoned ceremony may have been in the middle of a step. */
static bool is_of_open_step(const struct verify *v, const char *file)
{
    const json_t *line;
    size_t at = 0, step;

    while ((line = transcript_find(v->lines, &at, "start", 0))) {
        size_t from = at;

        step = verify_number(line, "step");
        if (is_artefact_of(file, step) && !transcript_find(v->lines, &from, "done", step))
            return true;
    }
    return false;
}

static void check_entry(struct verify *v, const char *file)
{
    static const char *const fixed[] = {TRANSCRIPT_FILE, FOLDER_REPORT, FOLDER_SUMS, FOLDER_SCRIPT,
        FOLDER_PLAN, VERIFY_ARTEFACTS, VERIFY_COUNTERSIGNED};
    char shown[FINDING_WHAT];
    size_t i;

    for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (strcmp(fixed[i], file) == 0)
            return;
    }
    if (json_object_get(v->expected, file))
        return;
    text_escape(file, strlen(file), shown, sizeof(shown));
    if (v->end && is_of_open_step(v, file))
        finding_good(&v->f, shown, "of a step that was not done: no line has its hash");
    else
        finding_bad(&v->f, "FILE_UNLISTED", shown, "nothing lists it: it is no part of the ceremony");
}

static void check_directory(struct verify *v, const char *under)
{
    AUTO_STR path = path_join(v->dir, under);
    struct p11ca_err why;
    char **names;
    size_t n, i;

    if (!path) {
        v->nomem = true;
        return;
    }
    if (file_list_all(path, &names, &n, &why) != 0) {
        finding_bad(&v->f, "FILE_MISSING", under, "%s", why.msg);
        return;
    }
    for (i = 0; i < n; i++) {
        AUTO_STR file = *under ? path_join(under, names[i]) : strdup(names[i]);

        if (file)
            check_entry(v, file);
        else
            v->nomem = true;
    }
    file_list_free(names);
}

void verify_files(struct verify *v)
{
    size_t before = v->f.n_faults;

    if (v->lines) {
        expect_all(v);
        check_expected(v);
    }
    if (v->end)
        check_end_files(v);
    if (v->end || !v->lines)
        check_sums(v, before);
    if (v->lines) {
        check_directory(v, "");
        check_directory(v, VERIFY_ARTEFACTS);
    }
}

/* --- the report --- */

/* The page says nothing that the transcript does not: it is made again and compared. */
void verify_report(struct verify *v)
{
    AUTO_BUF want = BUF_INIT, have = BUF_INIT;
    struct p11ca_err why;

    if (!v->end || !exists(v, FOLDER_REPORT) || verify_read(v, FOLDER_REPORT, &have) != 0)
        return;
    if (!verify_same_version(v)) {
        finding_good(&v->f, FOLDER_REPORT,
            "was written by another version than this one (" P11CA_VERSION "): only its hash is checked");
        return;
    }
    if (report_html(v->lines, v->sha256, &want, &why) != 0)
        finding_bad(&v->f, "REPORT_CHANGED", FOLDER_REPORT, "the transcript gives no report: %s", why.msg);
    else if (want.len != have.len || (want.len && memcmp(want.p, have.p, want.len) != 0))
        finding_bad(&v->f, "REPORT_CHANGED", FOLDER_REPORT, "is not the report that the transcript gives");
    else
        finding_good(&v->f, FOLDER_REPORT, "says what the transcript says");
}
