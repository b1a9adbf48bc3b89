/* What a ceremony puts on paper: words, escaping, lines of text, QR codes, the report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/text.h"
#include "ceremony/words.h"

/* --- words --- */

static void word_vectors(void **state)
{
    static const struct {
        const char *hex, *words;
    } rows[] = {
        /* Of the list's authors. */
        {"E58294F2E9A227486E8B061B31CC528FD7FA3F19",
            "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa afflict "
            "bravado "
            "chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless"},
        /* Of the tests of ICANN's tools: SHA-256 of "mekmitasdigoat". */
        {"8d9eadc1f305d46f1f203886aa5df98f1ed62fcbacc23d2f6732d24d928703e8",
            "optic onlooker ringbolt recover upset almighty steamship hemisphere billiard butterfat classic "
            "letterhead reward filament waffle midsummer berserk speculate cement revival ribcage repellent "
            "commence combustion freedom component standard disruptive physique liberty acme typewriter"},
        {"0000ffff", "aardvark adroitness Zulu Yucatan"},
        {"", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        uint8_t bytes[64];
        int len = text_unhex(rows[i].hex, bytes, sizeof(bytes));

        assert_true(len >= 0);
        words_add(&b, bytes, (size_t)len);
        assert_string_equal(buf_str(&b), rows[i].words);
    }
}

/* No word stands for two octets, nor at an even place and at an odd one. */
static void words_are_distinct(void **state)
{
    unsigned i, k;

    (void)state;
    for (i = 0; i < 512; i++) {
        const char *word = words_at(i / 256, (uint8_t)i);

        assert_in_range(strlen(word), 4, 11);
        for (k = 0; k < i; k++)
            assert_int_not_equal(strcasecmp(words_at(k / 256, (uint8_t)k), word), 0);
    }
}

/* The whole list, as its authors spell it: a word changed by accident is noticed, whichever it is. */
static void word_list(void **state)
{
    AUTO_BUF b = BUF_INIT;
    uint8_t sha256[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];
    unsigned i;

    (void)state;
    for (i = 0; i < 512; i++)
        buf_addf(&b, "%s\n", words_at(i / 256, (uint8_t)i));
    assert_int_equal(hash_sha256(b.p, b.len, sha256), 0);
    text_hex_lower(sha256, sizeof(sha256), hex);
    assert_string_equal(hex, "7e5237abee2c4ed4374b29a853b0ac3ac108a0ea11e8c7f50f6dc667402a49b6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(word_vectors),
        cmocka_unit_test(words_are_distinct),
        cmocka_unit_test(word_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
