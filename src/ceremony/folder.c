#include "ceremony/folder.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/transcript.h"

/* The script's file name without its folder and ending, as it may stand in a name. */
static void stem(const char *path, char dst[64])
{
    AUTO_STR copy = strdup(path);
    const char *at = copy ? basename(copy) : "ceremony";
    size_t n = 0;

    for (; *at && n < 60 && strcmp(at, ".conf") != 0; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');

        dst[n++] = plain ? *at : '-';
    }
    dst[n] = '\0';
}

static int make(const char *dir, struct p11ca_err *err)
{
    AUTO_STR artefacts = path_join(dir, "artefacts");

    if (!artefacts)
        return err_nomem(err);
    return file_mkdir(dir, 0755, err) != 0 ? -1 : file_mkdir(artefacts, 0755, err);
}

/* Somebody else's: files of ours that no transcript goes with would be written over. */
static bool is_foreign(const char *dir)
{
    static const char *const names[] = {
        TRANSCRIPT_FILE, FOLDER_SCRIPT, FOLDER_PLAN, FOLDER_REPORT, FOLDER_SUMS};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        AUTO_STR path = path_join(dir, names[i]);

        if (!path || file_exists(path))
            return i > 0;
    }
    return false;
}

/* A folder whose transcript is not begun yet is taken up: nothing happened in it. */
static bool is_free(const char *dir)
{
    return !file_exists(dir) || (!transcript_begun(dir) && !is_foreign(dir));
}

static int find_free(const char *base, const char *name, char **ret, struct p11ca_err *err)
{
    char numbered[96];
    unsigned n;

    for (n = 1; n < 10000; n++) {
        AUTO_STR dir = NULL;

        snprintf(numbered, sizeof(numbered), n > 1 ? "%s-%u" : "%s", name, n);
        dir = path_join(base, numbered);
        if (!dir)
            return err_nomem(err);
        if (is_free(dir)) {
            *ret = str_take(&dir);
            return 0;
        }
    }
    return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s/%s: too many of this name", base, name);
}

static int choose(const char *base, const char *dir, const struct script *script, int64_t now, char **ret,
    struct p11ca_err *err)
{
    char time[TEXT_TIME], name[64], dated[80];

    if (dir && !is_free(dir))
        return err_set(err, P11CA_FILE, "OUTPUT_EXISTS", "%s: exists, nothing is overwritten", dir);
    if (dir) {
        *ret = strdup(dir);
        return *ret ? 0 : err_nomem(err);
    }
    text_time(now, time);
    stem(script->conf.path, name);
    snprintf(dated, sizeof(dated), "%.10s-%s", time, name);
    return file_mkdir(base, 0755, err) != 0 ? -1 : find_free(base, dated, ret, err);
}

int folder_make(const char *base, const char *dir, const struct script *script, int64_t now, char **ret,
    struct p11ca_err *err)
{
    AUTO_STR chosen = NULL;

    if (choose(base, dir, script, now, &chosen, err) != 0 || make(chosen, err) != 0)
        return -1;
    *ret = str_take(&chosen);
    return 0;
}

bool folder_is_unfinished(const char *dir)
{
    AUTO_STR sums = path_join(dir, FOLDER_SUMS);

    return sums && !file_exists(sums) && transcript_begun(dir);
}

int folder_unfinished(const char *base, char **ret, struct p11ca_err *err)
{
    char **names;
    size_t n, i;

    *ret = NULL;
    if (file_list_dirs(base, &names, &n, err) != 0)
        return -1;
    for (i = 0; i < n && !*ret; i++) {
        AUTO_STR dir = path_join(base, names[i]);

        if (dir && folder_is_unfinished(dir))
            *ret = str_take(&dir);
    }
    file_list_free(names);
    return 0;
}

int folder_read(const char *dir, const char *name, struct buf *ret, struct p11ca_err *err)
{
    AUTO_STR path = path_join(dir, name);

    return path ? file_read(path, LIMIT_TRANSCRIPT, ret, err) : err_nomem(err);
}

int folder_write(const char *dir, const char *name, const void *p, size_t len, struct p11ca_err *err)
{
    AUTO_STR path = path_join(dir, name);

    return path ? file_write(path, FILE_REPLACE, 0644, p, len, err) : err_nomem(err);
}
