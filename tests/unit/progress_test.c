/* What is shown of a lot while it runs; the time is told, not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/progress.h"

/* What a call writes. */
static char *text;
static size_t text_len;

static FILE *capture(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &text_len);
}

static void assert_written(FILE *f, const char *want)
{
    assert_int_equal(fflush(f), 0);
    assert_string_equal(text, want);
}

static void update(struct progress *p, const char *what, size_t done, size_t total, double seconds)
{
    const struct p11ca_progress at = {.what = what, .done = done, .total = total, .seconds = seconds};

    progress_update(p, &at);
}

static void draws_a_bar(void **state)
{
    static const struct {
        unsigned columns;
        size_t done, total;
        double seconds;
        const char *want;
    } rows[] = {
        {79, 5120, 10000, 2,
            "\r\033[K[###############...............] issuing: 5120 of 10000 rows, 2560/s, 2 s left"},
        {120, 5000, 10000, 2,
            "\r\033[K[####################....................] issuing: 5000 of 10000 rows, 2500/s, 2 s "
            "left"},
        {90, 10000, 10000, 4,
            "\r\033[K[########################################] issuing: 10000 of 10000 rows, 2500/s"},
        {90, 11000, 10000, 4,
            "\r\033[K[########################################] issuing: 11000 of 10000 rows, 2750/s"},
        {49, 5120, 10000, 2, "\r\033[Kissuing: 5120 of 10000 rows, 2560/s, 2 s left"},
        {20, 5120, 10000, 2, "\r\033[Kissuing: 5120 of 10"},
        {80, 0, 10, 1, "\r\033[K[........................................] issuing: 0 of 10 rows, 0/s"},
        {80, 512, 0, 2, "\r\033[Kissuing: 512 rows, 256/s"},
        {90, 1, 1000, 1,
            "\r\033[K[........................................] issuing: 1 of 1000 rows, 1/s, 17 min left"},
        {90, 1, 100000, 1,
            "\r\033[K[........................................] issuing: 1 of 100000 rows, 1/s, 27.8 h left"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct progress p = {.out = capture(), .tty = true, .columns = rows[i].columns};

        update(&p, "issuing", rows[i].done, rows[i].total, rows[i].seconds);
        assert_written(p.out, rows[i].want);
        assert_true(strlen(rows[i].want) - 4 < rows[i].columns);
        fclose(p.out);
    }
}

static size_t lines_of(bool tty, double from, double step, double to)
{
    struct progress p = {.out = capture(), .tty = tty, .columns = 80};
    size_t n = 0;
    char *at;

    for (; from < to; from += step)
        update(&p, "issuing", 10, 20, from);
    fclose(p.out);
    for (at = text; *at; at++)
        n += *at == (tty ? '\r' : '\n');
    return n;
}

static void is_not_drawn_too_often(void **state)
{
    (void)state;
    assert_in_range(lines_of(true, 1, 0.001, 2), 5, 6);
    assert_int_equal(lines_of(false, 0, 0.25, 35), 3);
    assert_int_equal(lines_of(false, 0, 0.25, 9), 0);
}

static void writes_plain_lines(void **state)
{
    struct progress p = {.out = capture(), .columns = 80};

    (void)state;
    update(&p, "issuing", 43100, 100000, 10);
    assert_written(p.out, "issuing: 43100 of 100000 rows, 4310/s, 13 s left\n");
    progress_clear(&p);
    assert_written(p.out, "issuing: 43100 of 100000 rows, 4310/s, 13 s left\n");
    fclose(p.out);
}

/* What is begun behind something else has a time of its own. */
static void goes_on_with_the_next(void **state)
{
    struct progress p = {.out = capture(), .columns = 80};

    (void)state;
    update(&p, "checking", 1000, 9000, 100);
    update(&p, "issuing", 1, 9000, 1);
    update(&p, "issuing", 200, 9000, 10);
    update(&p, "issuing", 300, 9000, 15);
    assert_written(p.out,
        "checking: 1000 of 9000 rows, 10/s, 13 min left\nissuing: 200 of 9000 rows, 20/s, 7 min left\n");
    fclose(p.out);
}

/* Once, and only when there is something. */
static void clears_the_line(void **state)
{
    struct progress p = {.out = capture(), .tty = true, .columns = 80};

    (void)state;
    progress_clear(NULL);
    progress_clear_for_result(NULL);
    progress_clear(&p);
    update(&p, "issuing", 1, 0, 1);
    progress_clear_for_result(&p);
    assert_written(p.out, "\r\033[Kissuing: 1 row, 1/s");
    p.shared = true;
    progress_clear_for_result(&p);
    progress_clear(&p);
    assert_written(p.out, "\r\033[Kissuing: 1 row, 1/s\r\033[K");
    fclose(p.out);
}

static void says_nothing_to_nobody(void **state)
{
    struct progress p = {.out = NULL, .tty = true};

    (void)state;
    update(&p, "issuing", 1, 2, 100);
    assert_false(p.drawn);
}

static int free_text(void **state)
{
    (void)state;
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_a_bar),
        cmocka_unit_test(is_not_drawn_too_often),
        cmocka_unit_test(writes_plain_lines),
        cmocka_unit_test(goes_on_with_the_next),
        cmocka_unit_test(clears_the_line),
        cmocka_unit_test(says_nothing_to_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, free_text);
}
