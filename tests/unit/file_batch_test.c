/* Files that appear together. */
#include "files_help.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file_batch.h"

static struct p11ca_err results[FILE_BATCH];

static void add(struct file_batch *b, const char *name, const char *text)
{
    assert_ok(file_batch_add(b, path_of(name), 0644, text, strlen(text), &err));
}

static void end(struct file_batch *b)
{
    memset(results, 0xaa, sizeof(results));
    assert_ok(file_batch_end(b, results, &err));
    assert_int_equal(b->n, 0);
}

/* Both ways: without a name until they are whole, and with one of their own. */
static void appear_together(void **state)
{
    size_t way, before;

    (void)state;
    for (way = 0; way < 2; way++) {
        AUTO_FILE_BATCH b = {.named = way == 1};
        char name[2][32];
        struct stat st;

        snprintf(name[0], sizeof(name[0]), "d%zu/a", way);
        snprintf(name[1], sizeof(name[1]), "d%zu/b", way);
        assert_ok(file_mkdir(path_of(way ? "d1" : "d0"), 0755, &err));
        before = entries_of(way ? "d1" : "d0");
        add(&b, name[0], "one");
        add(&b, name[1], "two");
        assert_int_equal(entries_of(way ? "d1" : "d0"), before + 2 * way);
        assert_false(file_exists(path_of(name[0])));
        end(&b);
        assert_int_equal(results[0].kind, P11CA_OK);
        assert_int_equal(results[1].kind, P11CA_OK);
        assert_text(name[0], "one");
        assert_text(name[1], "two");
        assert_int_equal(stat(path_of(name[0]), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(entries_of(way ? "d1" : "d0"), before + 2);
    }
}

static void refuse_alone(void **state)
{
    size_t way;

    (void)state;
    for (way = 0; way < 2; way++) {
        AUTO_FILE_BATCH b = {.named = way == 1};
        size_t before;

        assert_ok(file_mkdir(path_of("e"), 0755, &err));
        write_text("e/there", "mine");
        unlink(path_of("e/x"));
        unlink(path_of("e/y"));
        before = entries_of("e");
        add(&b, "e/x", "x");
        add(&b, "e/there", "theirs");
        add(&b, "e/x", "again");
        add(&b, "e/y", "y");
        end(&b);
        assert_int_equal(results[0].kind, P11CA_OK);
        assert_string_equal(results[1].code, "OUTPUT_EXISTS");
        assert_string_equal(results[1].msg, about("e/there", "exists, nothing is overwritten"));
        assert_string_equal(results[2].code, "OUTPUT_EXISTS");
        assert_int_equal(results[3].kind, P11CA_OK);
        assert_text("e/there", "mine");
        assert_text("e/x", "x");
        assert_text("e/y", "y");
        assert_int_equal(entries_of("e"), before + 2);
    }
}

static void give_up(void **state)
{
    size_t way;

    (void)state;
    for (way = 0; way < 2; way++) {
        struct file_batch b = {.named = way == 1};

        assert_ok(file_mkdir(path_of("g"), 0755, &err));
        add(&b, "g/x", "x");
        file_batch_done(&b);
        assert_int_equal(entries_of("g"), 0);
        assert_int_equal(b.n + b.n_dirs, 0);
    }
}

static void refuse_what_cannot_be(void **state)
{
    AUTO_FILE_BATCH b = {.n = 0};
    size_t i;

    (void)state;
    assert_refused(file_batch_add(&b, path_of("no/x"), 0644, "", 0, &err), "IO",
        about("no/x", "create: No such file or directory"));
    assert_int_equal(b.n, 0);
    assert_ok(file_mkdir(path_of("many"), 0755, &err));
    for (i = 0; i < FILE_BATCH; i++) {
        char name[32];

        snprintf(name, sizeof(name), "many/%zu", i);
        add(&b, name, "x");
    }
    assert_refused(file_batch_add(&b, path_of("many/more"), 0644, "", 0, &err), "BATCH",
        about("many/more", "want at most 256 files in a batch"));
    end(&b);
    assert_int_equal(entries_of("many"), FILE_BATCH);
    assert_ok(file_sync_dir(path_of("many"), &err));
    assert_refused(file_sync_dir(path_of("no"), &err), "IO", about("no", "sync: No such file or directory"));
}

/* More directories than are kept open, also in one batch. */
static void use_many_directories(void **state)
{
    AUTO_FILE_BATCH b = {.n = 0};
    char name[64];
    size_t i, k;

    (void)state;
    assert_ok(file_mkdir(path_of("wide"), 0755, &err));
    for (i = 0; i < 400; i++) {
        snprintf(name, sizeof(name), "wide/%zu", i);
        assert_ok(file_mkdir(path_of(name), 0755, &err));
    }
    for (k = 0; k < 4; k++) {
        for (i = k % 2 ? 0 : 150; i < 150 + 100 * k && i < 400; i++) {
            snprintf(name, sizeof(name), "wide/%zu/%zu", i, k);
            add(&b, name, name);
            if (b.n == FILE_BATCH)
                end(&b);
        }
        end(&b);
    }
    assert_int_equal(b.n_dirs, FILE_BATCH);
    assert_text("wide/399/3", "wide/399/3");
    assert_text("wide/0/1", "wide/0/1");
}

/* --- a full disk --- */

enum { SKIPPED = 77, WENT_WRONG = 1 };

/* In a file system of 64 KiB: two files that fit, one that does not, and then another that does. */
static int fill_disk(void)
{
    AUTO_FILE_BATCH b = {.n = 0};
    static char large[128 * 1024];

    if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", path_of("disk"), "tmpfs", 0, "size=64k") != 0)
        return SKIPPED;
    if (file_batch_add(&b, path_of("disk/a"), 0644, "a", 1, &err) != 0 ||
        file_batch_add(&b, path_of("disk/b"), 0644, large, sizeof(large), &err) == 0 ||
        strcmp(err.code, "DISK") != 0 || err.kind != P11CA_FILE ||
        file_batch_add(&b, path_of("disk/c"), 0644, "c", 1, &err) != 0 || file_exists(path_of("disk/a")) ||
        file_batch_end(&b, results, &err) != 0)
        return WENT_WRONG;
    return entries_of("disk") == 2 && results[0].kind == P11CA_OK && results[1].kind == P11CA_OK ? 0
                                                                                                 : WENT_WRONG;
}

static void meet_a_full_disk(void **state)
{
    int status = 0;
    pid_t child;

    (void)state;
    assert_ok(file_mkdir(path_of("disk"), 0755, &err));
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(fill_disk());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED)
        skip(); /* nobody lets us mount anything */
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appear_together),
        cmocka_unit_test(refuse_alone),
        cmocka_unit_test(give_up),
        cmocka_unit_test(refuse_what_cannot_be),
        cmocka_unit_test(use_many_directories),
        cmocka_unit_test(meet_a_full_disk),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
