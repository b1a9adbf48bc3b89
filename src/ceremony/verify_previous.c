/* Which ceremony was before: folders beside this one are looked at. */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/path.h"
#include "base/scope.h"
#include "base/text.h"
#include "ceremony/verify.h"

/* "": it has no transcript that can be read. */
static void hash_of(const char *dir, char ret[TRANSCRIPT_HEX])
{
    AUTO_STR path = path_join(dir, TRANSCRIPT_FILE);
    AUTO_BUF b = BUF_INIT;
    struct p11ca_err ignored;
    uint8_t sha256[SHA256_LEN];

    ret[0] = '\0';
    if (path && file_read(path, LIMIT_TRANSCRIPT, &b, &ignored) == 0 && hash_sha256(b.p, b.len, sha256) == 0)
        text_hex_lower(sha256, sizeof(sha256), ret);
}

/* Name of the folder beside it whose transcript has the hash; NULL: none. */
static char *find_beside(struct verify *v, const char *want)
{
    AUTO_STR real = realpath(v->dir, NULL);
    const char *above = real ? dirname(real) : NULL;
    char **names = NULL, *found = NULL, have[TRANSCRIPT_HEX];
    struct p11ca_err ignored;
    size_t n, i;

    if (!above || file_list_dirs(above, &names, &n, &ignored) != 0)
        return NULL;
    for (i = 0; i < n && !found; i++) {
        AUTO_STR dir = path_join(above, names[i]);

        hash_of(dir ? dir : "", have);
        if (strcmp(have, want) == 0)
            found = strdup(names[i]);
    }
    file_list_free(names);
    return found;
}

void verify_previous(struct verify *v)
{
    const char *want = transcript_str(v->begin, "previous");
    AUTO_STR found = NULL;

    if (!want[0]) {
        finding_good(&v->f, "previous", "none: the first ceremony of its home");
        return;
    }
    found = find_beside(v, want);
    if (found)
        finding_good(&v->f, "previous", "%s: '%s', beside this folder", want, found);
    else
        finding_good(
            &v->f, "previous", "%s: to be compared with the ceremony before; not beside this folder", want);
}
