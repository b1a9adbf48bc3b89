/* A lot on one page. */
#include "files_help.h"

#include "issue/lot_summary.h"

#define NOW INT64_C(1780272000) /* 2026-06-01T00:00:00Z */

static struct p11ca_lot order_of(const char *name)
{
    return (struct p11ca_lot){.authority = "factory",
        .profile = "device",
        .input = "in/<lot> & \"co\".csv",
        .output = "out",
        .summary = path_of(name)};
}

static void add_row(struct lot_summary *s, enum p11ca_verdict verdict, const char *serial, const char *code)
{
    const struct p11ca_row row = {
        .number = 1, .input = "x", .verdict = verdict, .serial = serial, .code = code, .reason = code};

    lot_summary_row(s, &row);
}

/* The page, less its style sheet. */
static void page_of(struct lot_summary *s, const struct lot_total *t, struct buf *ret)
{
    char *style, *end;

    assert_ok(lot_summary_end(s, t, &err));
    assert_ok(file_read(s->order->summary, 1 << 20, ret, &err));
    style = strstr(buf_str(ret), "<style>");
    end = style ? strstr(style, "</style>") : NULL;
    assert_non_null(end);
    memmove(style, end, strlen(end) + 1);
    ret->len = strlen((char *)ret->p);
}

static void assert_has(const struct buf *page, const char *text)
{
    if (!strstr((const char *)page->p, text))
        fail_msg("want %s in %s", text, (const char *)page->p);
}

static void assert_has_not(const struct buf *page, const char *text)
{
    if (strstr((const char *)page->p, text))
        fail_msg("want no %s in %s", text, (const char *)page->p);
}

static void tells_what_came_of_it(void **state)
{
    const struct lot_total t = {.rows = 6,
        .issued = 2,
        .fresh = 2,
        .reused = 1,
        .rejected = 3,
        .seconds = 2,
        .lot = "0123456789abcdef0123456789abcdef",
        .ledger_head = "fedcba9876543210fedcba9876543210"};
    struct p11ca_lot order = order_of("s0.html");
    struct lot_summary s;
    AUTO_BUF page = BUF_INIT;

    (void)state;
    assert_ok(lot_summary_begin(&s, &order, NOW, &err));
    assert_false(file_exists(order.summary));
    add_row(&s, P11CA_ROW_REJECTED, NULL, "KEY_TOO_SMALL");
    add_row(&s, P11CA_ROW_ISSUED, "0A01", NULL);
    add_row(&s, P11CA_ROW_REJECTED, NULL, "CSR_SIG_BAD");
    add_row(&s, P11CA_ROW_REUSED, "0A02", NULL);
    add_row(&s, P11CA_ROW_REJECTED, NULL, "CSR_SIG_BAD");
    add_row(&s, P11CA_ROW_ISSUED, "0A03", NULL);
    page_of(&s, &t, &page);
    assert_has(&page, "<h1>&lt;lot&gt; &amp; &quot;co&quot;.csv</h1>");
    assert_has(&page, "<title>&lt;lot&gt; &amp; &quot;co&quot;.csv</title>");
    assert_has(&page, "<th>Input</th>\n<td><span>in/&lt;lot&gt; &amp; &quot;co&quot;.csv</span>");
    assert_has(&page, "<div class=\"tile \"><b>6</b>\n<span>rows</span>");
    assert_has(&page, "<div class=\"tile issued\"><b>2</b>");
    assert_has(&page, "<div class=\"tile reused\"><b>1</b>");
    assert_has(&page, "<div class=\"tile rejected\"><b>3</b>");
    assert_has_not(&page, "tile rest");
    assert_has(&page, "<i class=\"rejected\" style=\"width: 50.000%\"></i>");
    /* The most frequent first. */
    assert_has(&page,
        "<tbody>\n<tr><td>CSR_SIG_BAD</td>\n<td class=\"n\">2</td>\n<td class=\"n\">66.7 %</td>\n"
        "<td class=\"wide\"><div class=\"bar\"><i style=\"width: 100.00%\"></i></div></td></tr>\n"
        "<tr><td>KEY_TOO_SMALL</td>\n<td class=\"n\">1</td>\n<td class=\"n\">33.3 %</td>\n"
        "<td class=\"wide\"><div class=\"bar\"><i style=\"width: 50.00%\"></i></div></td></tr>\n");
    assert_has(&page, "<th>First serial</th>\n<td><span>0A01</span>");
    assert_has(&page, "<th>Last serial</th>\n<td><span>0A03</span>");
    assert_has(&page, "<th>Begun</th>\n<td><span>2026-06-01T00:00:00Z</span>");
    assert_has(&page, "<span>2.0 s, 3.0 rows a second</span>");
    assert_has(&page, "<span class=\"hex\">0123456789abcdef0123456789abcdef</span>");
    assert_has(&page, "<span class=\"hex\">fedcba9876543210fedcba9876543210</span>");
    assert_has(&page, "over too soon");
}

/* Nothing from elsewhere, no script. */
static void is_of_itself(void **state)
{
    static const char *const foreign[] = {
        "<script", "http:", "https:", "<link", "@import", "url(", "<img", "src="};
    const struct lot_total t = {.rows = 0};
    struct p11ca_lot order = order_of("s1.html");
    struct lot_summary s;
    AUTO_BUF page = BUF_INIT;
    size_t i;

    (void)state;
    order.authority = "<b>\x1b[2J";
    order.profile = "\xff";
    assert_ok(lot_summary_begin(&s, &order, NOW, &err));
    assert_ok(lot_summary_end(&s, &t, &err));
    assert_ok(file_read(order.summary, 1 << 20, &page, &err));
    assert_non_null(buf_str(&page));
    for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        assert_has_not(&page, foreign[i]);
    assert_has(&page, "&lt;b&gt;\\x1b[2J, profile \\xff");
    assert_has(&page, "<p class=\"dim\">None.</p>");
    assert_has(&page, "<b>0</b>\n<span>rows</span>");
}

static void draws_the_rate(void **state)
{
    const struct lot_total t = {.rows = 3500, .not_tried = 500, .seconds = 40};
    struct p11ca_lot order = order_of("s2.html");
    struct lot_summary s;
    AUTO_BUF page = BUF_INIT;

    (void)state;
    assert_ok(lot_summary_begin(&s, &order, NOW, &err));
    lot_summary_sample(&s, 10, 1000);
    lot_summary_sample(&s, 10.2, 1200); /* a turn's other rows: no time has gone by */
    lot_summary_sample(&s, 20, 2500);
    page_of(&s, &t, &page);
    assert_has(
        &page, "<path class=\"rate\" d=\"M 0 50.00 V 50.00 H 250.00 V 25.00 H 500.00 V 87.50 H 1000.00\"/>");
    assert_has(&page, "<span>200</span>\n<span>100</span>\n<span>0</span>");
    assert_has(&page, "<span>0</span>\n<span>20 s</span>\n<span>40 s</span>");
}

/* The last of them is the lot's end, and not so near the one before that a few rows were a rate. */
static void ends_with_the_lot(void **state)
{
    static const struct {
        double end;
        size_t n;
    } rows[] = {{1.0, 1}, {1.12, 1}, {1.2, 2}};
    struct p11ca_lot order = order_of("s5.html");
    struct lot_summary s;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct lot_total t = {.rows = 300, .seconds = rows[i].end};
        AUTO_BUF page = BUF_INIT;

        assert_ok(lot_summary_begin(&s, &order, NOW, &err));
        lot_summary_sample(&s, 0.2, 10);
        lot_summary_sample(&s, 1, 100);
        page_of(&s, &t, &page);
        assert_int_equal(s.n_samples, rows[i].n);
        assert_true(
            s.samples[s.n_samples - 1].seconds == rows[i].end && s.samples[s.n_samples - 1].rows == 300);
        assert_int_equal(unlink(order.summary), 0);
    }
}

/* However long the lot: no more samples than there is room for, evenly, from beginning to end. */
static void thins_samples_out(void **state)
{
    struct p11ca_lot order = order_of("s3.html");
    struct lot_summary s;
    size_t i;

    (void)state;
    assert_ok(lot_summary_begin(&s, &order, NOW, &err));
    for (i = 1; i <= 100000; i++)
        lot_summary_sample(&s, (double)i, i * 10);
    assert_true(s.n_samples > LOT_SUMMARY_SAMPLES / 4 && s.n_samples <= LOT_SUMMARY_SAMPLES);
    assert_true(s.samples[s.n_samples - 1].seconds > 98000);
    for (i = 1; i < s.n_samples; i++) {
        double apart = s.samples[i].seconds - s.samples[i - 1].seconds;

        assert_true(apart > 100000 / 3.0 / LOT_SUMMARY_SAMPLES && apart < 100000 * 6.0 / LOT_SUMMARY_SAMPLES);
        assert_true((double)(s.samples[i].rows - s.samples[i - 1].rows) == apart * 10);
    }
}

static void counts_many_codes(void **state)
{
    const struct lot_total t = {.rows = 300000};
    struct p11ca_lot order = order_of("s4.html");
    struct lot_summary s;
    AUTO_BUF page = BUF_INIT;
    char code[32];
    size_t i;

    (void)state;
    assert_ok(lot_summary_begin(&s, &order, NOW, &err));
    for (i = 0; i < 300000; i++) {
        snprintf(code, sizeof(code), "CODE_%zu", i % 100);
        add_row(&s, P11CA_ROW_REJECTED, NULL, code);
    }
    page_of(&s, &t, &page);
    assert_has(
        &page, "<tbody>\n<tr><td>others</td>\n<td class=\"n\">108,000</td>\n<td class=\"n\">36.0 %</td>");
    assert_has(&page, "<td>CODE_63</td>\n<td class=\"n\">3,000</td>");
    assert_has_not(&page, "CODE_64");
    assert_has(&page, "<b>300,000</b>");
}

static void refuses_early(void **state)
{
    struct p11ca_lot order = order_of("page.txt");
    struct lot_summary s;

    (void)state;
    assert_refused(
        lot_summary_begin(&s, &order, NOW, &err), "USAGE", about("page.txt", "want a summary called *.html"));
    write_text("there.html", "mine");
    order = order_of("there.html");
    assert_refused(lot_summary_begin(&s, &order, NOW, &err), "OUTPUT_EXISTS",
        about("there.html", "exists, nothing is overwritten"));
    order.summary = NULL;
    assert_ok(lot_summary_begin(&s, &order, NOW, &err));
    add_row(&s, P11CA_ROW_ISSUED, "01", NULL);
    assert_ok(lot_summary_end(&s, &(struct lot_total){.rows = 1}, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_came_of_it),
        cmocka_unit_test(is_of_itself),
        cmocka_unit_test(draws_the_rate),
        cmocka_unit_test(ends_with_the_lot),
        cmocka_unit_test(thins_samples_out),
        cmocka_unit_test(counts_many_codes),
        cmocka_unit_test(refuses_early),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
