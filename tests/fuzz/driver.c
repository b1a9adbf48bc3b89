/* A target over stored inputs, without libFuzzer: the files and folders given as arguments, one after the other. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define MAX_BYTES (1024 * 1024)

/* Exactly as long as the input: the address sanitizer sees the first octet behind it that is read. */
static void run_bytes(const uint8_t *p, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    REQUIRE(copy);
    if (len)
        memcpy(copy, p, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void run_file(const char *path)
{
    static uint8_t bytes[MAX_BYTES];
    FILE *f = fopen(path, "rb");
    size_t len;

    /* Said first: the last name is that of the input that broke something. */
    fprintf(stderr, "%s\n", path);
    REQUIRE(f);
    len = fread(bytes, 1, sizeof(bytes), f);
    REQUIRE(!ferror(f) && len < sizeof(bytes));
    fclose(f);
    run_bytes(bytes, len);
}

static size_t run_folder(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort), i;
    size_t count = 0;
    char name[4096];

    REQUIRE(n >= 0);
    for (i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
            run_file(name);
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}

int main(int argc, char **argv)
{
    struct stat st;
    size_t n = 0;
    int i;

    run_bytes(NULL, 0);
    for (i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            n += run_folder(argv[i]);
        else
            run_file(argv[i]), n++;
    }
    printf("%zu inputs\n", n);
    return n ? 0 : 1;
}
