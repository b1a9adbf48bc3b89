#include "base/path.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"

char *path_join(const char *base, const char *name)
{
    char *path;

    if (!base || name[0] == '/')
        return strdup(name);
    return asprintf(&path, "%s/%s", base, name) < 0 ? NULL : path;
}

bool path_is_below(const char *name)
{
    size_t len;

    if (!*name || *name == '/')
        return false;
    for (;; name += len + 1) {
        len = strcspn(name, "/");
        if (len == 2 && strncmp(name, "..", 2) == 0)
            return false;
        if (!name[len])
            return len > 0;
    }
}

/* The directory, without links, and the name in it. */
static char *canonical(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_STR dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    AUTO_STR real = dir ? realpath(dir, NULL) : NULL;

    return real ? path_join(real, slash ? slash + 1 : path) : NULL;
}

bool path_same(const char *a, const char *b)
{
    AUTO_STR one = canonical(a);
    AUTO_STR two = canonical(b);

    return one && two && strcmp(one, two) == 0;
}

char *path_of_program(void)
{
    char path[PATH_MAX], *slash;
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return strdup(path);
}
