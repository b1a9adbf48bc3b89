#include "base/path.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *path_join(const char *base, const char *name)
{
    char *path;

    if (!base || name[0] == '/')
        return strdup(name);
    return asprintf(&path, "%s/%s", base, name) < 0 ? NULL : path;
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
