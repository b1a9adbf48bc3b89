/* Distinguished names: text to DER and back, and what may be wrong with one. */
#include "x509_help.h"

static void text_to_der(void **state)
{
    AUTO_BUF der = BUF_INIT;
    AUTO_BUF empty = BUF_INIT;

    (void)state;
    assert_ok(name_from_text("CN=A,O=B,C=US", &der, &err));
    assert_bytes(
        der_buf(&der), "3025310b3009060355040613025553310a3008060355040a0c0142310a300806035504030c0141");
    assert_ok(name_from_text("", &empty, &err));
    assert_bytes(der_buf(&empty), "3000");
    assert_true(name_is_empty(der_buf(&empty)));
}

static void round_trips(void **state)
{
    static const struct {
        const char *text, *canonical;
    } rows[] = {
        {"CN=Acme Root CA 2026,O=Acme,C=US", NULL},
        {"cn = Acme , o= Acme Inc. ,c=US", "CN=Acme,O=Acme Inc.,C=US"},
        {"CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h", NULL},
        {"CN=a=b", NULL},
        {"CN=\\20a\\ ", "CN=\\ a\\ "},
        {"CN=\\#1", NULL},
        {"CN=M\\c3\\bcller", "CN=M\xc3\xbcller"},
        {"CN=#0c0141", "CN=A"},
        {"2.5.4.3=A", "CN=A"},
        {"1.3.6.1.4.1.37244.2.1=FFF1,CN=x", "MatterVID=FFF1,CN=x"},
        {"1.3.6.1.4.1.32473.1=a,CN=x", "1.3.6.1.4.1.32473.1=#0C0161,CN=x"},
        {"MatterPID=8000,MatterVID=FFF1,CN=ACME Matter DAC", NULL},
        {"initials=G.,postalCode=D-10115,organizationIdentifier=VATDE-123456789", NULL},
        {"commonName=a,organizationName=b,countryName=US", "CN=a,O=b,C=US"},
        {"serialNumber=SN-1,title=t,dnQualifier=q,pseudonym=p,DC=example,emailAddress=a@b,GN=g,SN=s,UID=u,"
         "street=r,L=l,"
         "ST=st,OU=o",
            NULL},
        {"DC=pki,DC=example", NULL},
        {"OU=a,OU=b", NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF der = BUF_INIT;
        AUTO_BUF again = BUF_INIT;
        AUTO_BUF text = BUF_INIT;

        assert_ok(name_from_text(rows[i].text, &der, &err));
        assert_ok(der_check(der_buf(&der), 6, "name", &err));
        assert_ok(name_to_text(der_buf(&der), &text, &err));
        assert_string_equal(buf_str(&text), rows[i].canonical ? rows[i].canonical : rows[i].text);
        assert_ok(name_from_text((char *)text.p, &again, &err));
        assert_true(der_equal(der_buf(&der), der_buf(&again)));
    }
}

static void string_types(void **state)
{
    AUTO_BUF der = BUF_INIT;

    (void)state;
    assert_ok(name_from_text("CN=a,serialNumber=b,DC=c", &der, &err));
    assert_bytes(der_buf(&der),
        "302b3111300f060a0992268993f22c640119160163310a30080603550405130162310a300806035504030c0161");
}

#define HEX4 "Matter Core 6.2.2: want 4 hexadecimal digits in upper case, have something else"

static void refuses_text(void **state)
{
    static const struct {
        const char *text, *code, *msg;
    } rows[] = {
        {"CN", "NAME_SYNTAX", "subject: RFC 4514 3: want TYPE=VALUE, at 'CN'"},
        {"CN=a,", "NAME_SYNTAX", "subject: RFC 4514 3: want TYPE=VALUE, at ''"},
        {",CN=a", "NAME_SYNTAX", "subject: RFC 4514 3: want TYPE=VALUE, at ',CN=a'"},
        {"XX=a", "NAME_SYNTAX",
            "subject: RFC 4514 3: want an attribute type (CN, O, OU, C, L, ST, street, postalCode, "
            "serialNumber, title, "
            "dnQualifier, pseudonym, DC, emailAddress, GN, SN, initials, UID, organizationIdentifier, "
            "MatterVID, "
            "MatterPID or a dotted number), have 'XX'"},
        {"CN=\"a\"", "NAME_SYNTAX",
            "subject: RFC 4514 3: want a backslash before this character, at '\"a\"'"},
        {"CN=a;O=b", "NAME_SYNTAX", "subject: RFC 4514 3: want a backslash before this character, at ';O=b'"},
        {"CN=a\\", "NAME_SYNTAX",
            "subject: RFC 4514 3: want a special character or two hexadecimal digits after '\\', at '\\'"},
        {"CN=a\\zz", "NAME_SYNTAX",
            "subject: RFC 4514 3: want a special character or two hexadecimal digits after '\\', at '\\zz'"},
        {"CN=#0c014", "NAME_SYNTAX",
            "subject: RFC 4514 3: want pairs of hexadecimal digits after '#', at '4'"},
        {"CN=#0c0241", "DER_SYNTAX",
            "subject: value after '#': X.690 8.1: want a complete value, have one that ends early, at octet "
            "0"},
        {"CN=#1e020041", "NAME_STRING_TYPE",
            "subject: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have BMPString"},
        {"CN=a+O=b", "NAME_AMBIGUOUS",
            "subject: RFC 5280 4.1.2.4: want one attribute in each part, have '+'"},
        {"CN=a,CN=b", "NAME_AMBIGUOUS", "subject: want one CN, have two"},
        {"CN=", "NAME_EMPTY", "subject: CN: RFC 5280 A.1: want at least one character, have none"},
        {"CN=  ,O=b", "NAME_EMPTY", "subject: CN: RFC 5280 A.1: want at least one character, have none"},
        {"CN=a\\00b", "NAME_NUL", "subject: CN: RFC 5280 4.1.2.4: want text, have a NUL character in it"},
        {"CN=a\nb", "NAME_CONTROL",
            "subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+000A"},
        {"CN=a\x1b[31m", "NAME_CONTROL",
            "subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+001B"},
        {"CN=a\xe2\x80\xae", "NAME_CONTROL",
            "subject: CN: RFC 5280 4.1.2.4: want visible text, have the control character U+202E"},
        {"CN=a\xff", "NAME_UTF8", "subject: CN: RFC 3629 3: want UTF-8, have other octets"},
        {"C=USA", "NAME_COUNTRY", "subject: C: RFC 5280 A.1: want 2 letters, have 3"},
        {"C=U", "NAME_COUNTRY", "subject: C: RFC 5280 A.1: want 2 letters, have 1"},
        {"C=U1", "NAME_COUNTRY", "subject: C: RFC 5280 A.1: want two letters, have another character"},
        {"serialNumber=a_b", "NAME_CHARSET",
            "subject: serialNumber: X.680 41.4: want PrintableString characters (letters, digits, space ' ( "
            ") + , - . / : "
            "= ?), have U+005F"},
        {"serialNumber=a@b", "NAME_CHARSET",
            "subject: serialNumber: X.680 41.4: want PrintableString characters (letters, digits, space ' ( "
            ") + , - . / : "
            "= ?), have U+0040"},
        {"dnQualifier=a_b", "NAME_CHARSET",
            "subject: dnQualifier: X.680 41.4: want PrintableString characters (letters, digits, space ' ( ) "
            "+ , - . / "
            ": = ?), have U+005F"},
        {"serialNumber=a,serialNumber=b", "NAME_AMBIGUOUS", "subject: want one serialNumber, have two"},
        {"organizationIdentifier=a,organizationIdentifier=b", "NAME_AMBIGUOUS",
            "subject: want one organizationIdentifier, have two"},
        {"MatterVID=FFF1,MatterVID=FFF2", "NAME_AMBIGUOUS", "subject: want one MatterVID, have two"},
        {"MatterVID=fff1", "NAME_MATTER", "subject: MatterVID: " HEX4},
        {"MatterVID=FFF", "NAME_MATTER", "subject: MatterVID: " HEX4},
        {"MatterPID=80000", "NAME_MATTER", "subject: MatterPID: " HEX4},
        {"MatterPID=800G", "NAME_MATTER", "subject: MatterPID: " HEX4},
        {"MatterPID=\xc3\xbc"
         "00",
            "NAME_MATTER", "subject: MatterPID: " HEX4},
        {"MatterVID=#160446464631", "NAME_STRING_TYPE",
            "subject: MatterVID: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have IA5String"},
        {"serialNumber=#0c0141", "NAME_STRING_TYPE",
            "subject: serialNumber: RFC 5280 4.1.2.4: want PrintableString, have UTF8String"},
        {"postalCode=12345678901234567890123456789012345678901", "NAME_TOO_LONG",
            "subject: postalCode: X.520 ub-postal-code: want at most 40 characters, have 41"},
        {"DC=1234567890123456789012345678901234567890123456789012345678901234", "NAME_TOO_LONG",
            "subject: DC: RFC 1034 3.1: want at most 63 characters, have 64"},
        {"DC=\xc3\xbc", "NAME_CHARSET", "subject: DC: RFC 5280 A.1: want ASCII characters, have U+00C3"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF der = BUF_INIT;

        assert_refused(name_from_text(rows[i].text, &der, &err), rows[i].code, rows[i].msg);
        assert_int_equal(der.len, 0);
    }
}

/* Characters are counted, not octets. */
static void lengths(void **state)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF der = BUF_INIT;
    int i;

    (void)state;
    buf_adds(&text, "CN=");
    for (i = 0; i < 64; i++)
        buf_adds(&text, "\xc3\xbc");
    assert_ok(name_from_text(buf_str(&text), &der, &err));
    buf_adds(&text, "x");
    assert_refused(name_from_text(buf_str(&text), &der, &err), "NAME_TOO_LONG",
        "subject: CN: RFC 5280 A.1: want at most 64 characters, have 65");
}

static void too_many(void **state)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF der = BUF_INIT;
    int i;

    (void)state;
    for (i = 0; i < 33; i++)
        buf_adds(&text, i ? ",OU=x" : "OU=x");
    assert_refused(
        name_from_text(buf_str(&text), &der, &err), "NAME_TOO_LONG", "subject: want at most 32 attributes");
}

/* Name { SET { SEQUENCE { CN, tag value } } } */
static void cn_of(struct buf *b, uint8_t tag, const void *p, size_t len)
{
    oid_add(b, OID_CN);
    der_add(b, tag, p, len);
    der_close(b, 0, DER_SEQUENCE);
    der_close(b, 0, DER_SET);
    der_close(b, 0, DER_SEQUENCE);
}

static void refuses_foreign(void **state)
{
    static const struct {
        uint8_t tag;
        const char *value;
        size_t len;
        const char *code, *msg;
    } rows[] = {
        {DER_T61_STRING, "a", 1, "NAME_STRING_TYPE",
            "name: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have T61String"},
        {DER_BMP_STRING, "\0a", 2, "NAME_STRING_TYPE",
            "name: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have BMPString"},
        {DER_OCTET_STRING, "a", 1, "NAME_STRING_TYPE",
            "name: CN: RFC 5280 4.1.2.4: want UTF8String or PrintableString, have another type"},
        {DER_PRINTABLE_STRING, "a@b", 3, "NAME_CHARSET",
            "name: CN: X.680 41.4: want PrintableString characters (letters, digits, space ' ( ) + , - . / : "
            "= ?), have "
            "U+0040"},
        {DER_PRINTABLE_STRING, "a\0b", 3, "NAME_NUL",
            "name: CN: RFC 5280 4.1.2.4: want text, have a NUL character in it"},
        {DER_UTF8_STRING, "good.example\0.evil.example", 26, "NAME_NUL",
            "name: CN: RFC 5280 4.1.2.4: want text, have a NUL character in it"},
        {DER_UTF8_STRING, "\xc3", 1, "NAME_UTF8", "name: CN: RFC 3629 3: want UTF-8, have other octets"},
        {DER_UTF8_STRING, "\xed\xa0\x80", 3, "NAME_UTF8",
            "name: CN: RFC 3629 3: want UTF-8, have other octets"},
        {DER_UTF8_STRING, "", 0, "NAME_EMPTY",
            "name: CN: RFC 5280 A.1: want at least one character, have none"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;

        cn_of(&b, rows[i].tag, rows[i].value, rows[i].len);
        assert_refused(name_check(der_buf(&b), "name", &err), rows[i].code, rows[i].msg);
    }
}

/* An attribute type that has no dotted text: a number of 70 bits, and too many numbers. */
static void types_without_text(void **state)
{
    static const char *const rows[] = {"2b0601ffffffffffffffffff7f",
        "2bffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fffffff7fff"
        "ffff7f"
        "ffffff7fffffff7f"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF oid = BUF_INIT, b = BUF_INIT;

        add_hex(&oid, rows[i]);
        der_add(&b, DER_OID, oid.p, oid.len);
        der_add(&b, DER_UTF8_STRING, "x", 1);
        der_close(&b, 0, DER_SEQUENCE);
        der_close(&b, 0, DER_SET);
        der_close(&b, 0, DER_SEQUENCE);
        assert_refused(name_check(der_buf(&b), "name", &err), "NAME_SYNTAX",
            "name: want an attribute type of less than 128 characters, numbers below 2^63");
    }
}

static void a_million_characters(void **state)
{
    static char value[1000000];
    AUTO_BUF b = BUF_INIT;

    (void)state;
    memset(value, 'a', sizeof(value));
    cn_of(&b, DER_UTF8_STRING, value, sizeof(value));
    assert_refused(name_check(der_buf(&b), "name", &err), "NAME_TOO_LONG",
        "name: want at most 16384 octets, have 1000025");
}

static void broken_structures(void **state)
{
    static const char *const rows[] = {"3100", "30023000", "30023100", "300431023000", "3006310430020500"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_BUF b = BUF_INIT;
        AUTO_BUF text = BUF_INIT;
        struct der cn;

        add_hex(&b, rows[i]);
        assert_int_equal(name_check(der_buf(&b), "name", &err), -1);
        assert_string_equal(err.code, "NAME_SYNTAX");
        assert_int_equal(name_to_text(der_buf(&b), &text, &err), -1);
        assert_int_not_equal(name_get(der_buf(&b), NAME_CN, &cn), 1);
    }
}

static void gets_one(void **state)
{
    AUTO_BUF b = BUF_INIT;
    struct der text;

    (void)state;
    assert_ok(name_from_text("CN=leaf,serialNumber=SN1,O=Acme", &b, &err));
    assert_int_equal(name_get(der_buf(&b), NAME_CN, &text), 1);
    assert_memory_equal(text.p, "leaf", 4);
    assert_int_equal(name_get(der_buf(&b), NAME_SERIAL, &text), 1);
    assert_memory_equal(text.p, "SN1", 3);
    buf_reset(&b);
    assert_ok(name_from_text("O=Acme", &b, &err));
    assert_int_equal(name_get(der_buf(&b), NAME_CN, &text), 0);
}

/* What name_check() refuses can still be shown. */
static void shows_what_it_refuses(void **state)
{
    AUTO_BUF b = BUF_INIT;
    AUTO_BUF t61 = BUF_INIT;
    AUTO_BUF text = BUF_INIT;

    (void)state;
    cn_of(&b, DER_UTF8_STRING, "a\n\0b", 4);
    assert_ok(name_to_text(der_buf(&b), &text, &err));
    assert_string_equal(buf_str(&text), "CN=a\\0A\\00b");
    buf_reset(&text);
    cn_of(&t61, DER_T61_STRING, "\xe9", 1);
    assert_ok(name_to_text(der_buf(&t61), &text, &err));
    assert_string_equal(buf_str(&text), "CN=#1401E9");
}

/* The bytes of the standard's example, and what takes them back. */
static void matter(void **state)
{
    AUTO_BUF vid = BUF_INIT;
    AUTO_BUF both = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    struct der found;

    (void)state;
    assert_ok(name_from_text("MatterVID=FFF1", &vid, &err));
    assert_bytes(der_buf(&vid), "301631143012060a2b0601040182a27c02010c0446464631");
    assert_ok(name_from_text("1.3.6.1.4.1.37244.2.2=8000,1.3.6.1.4.1.37244.2.1=#13044646"
                             "4631",
        &both, &err));
    assert_bytes(der_buf(&both),
        "302c31143012060a2b0601040182a27c020113044646463131143012060a2b0601040182a27c02020c0438303030");
    assert_ok(name_to_text(der_buf(&both), &text, &err));
    assert_string_equal(buf_str(&text), "MatterPID=8000,MatterVID=FFF1");
    assert_int_equal(name_get(der_buf(&both), NAME_VID, &found), 1);
    assert_memory_equal(found.p, "FFF1", 4);
    assert_int_equal(name_get(der_buf(&both), NAME_PID, &found), 1);
    assert_memory_equal(found.p, "8000", 4);
    assert_int_equal(name_get(der_buf(&vid), NAME_PID, &found), 0);
}

/* --- names by the thousand --- */

static uint32_t draw(uint32_t below)
{
    static uint64_t x = 20260601;

    x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(x >> 33) % below;
}

/* What the value of an attribute is made of: the characters that mean something in RFC 4514 come first. */
static const char *const any_text[] = {" ", "#", "+", ",", ";", "<", "=", ">", "\\", "\"", "a", "Z", "0",
    "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x94\x91", "'", "/", "@", "_", NULL};
static const char *const ascii[] = {
    " ", "#", "+", ",", ";", "<", "=", ">", "\\", "\"", "a", "Z", "0", "@", "_", NULL};
static const char *const printable[] = {
    " ", "+", ",", "=", "'", "(", ")", "-", ".", "/", ":", "?", "a", "Z", "0", NULL};
static const char *const letters[] = {"A", "b", "Z", NULL};
static const char *const hex[] = {"0", "7", "A", "F", NULL};

static const struct {
    enum oid oid;
    uint8_t type;
    size_t min, max;
    const char *const *set;
    bool once;
} made[] = {
    {OID_CN, DER_UTF8_STRING, 1, 64, any_text, true},
    {OID_ORGANIZATION, DER_UTF8_STRING, 1, 64, any_text, false},
    {OID_UNIT, DER_UTF8_STRING, 1, 64, any_text, false},
    {OID_COUNTRY, DER_PRINTABLE_STRING, 2, 2, letters, true},
    {OID_LOCALITY, DER_UTF8_STRING, 1, 128, any_text, false},
    {OID_STATE, DER_UTF8_STRING, 1, 128, any_text, false},
    {OID_STREET, DER_UTF8_STRING, 1, 128, any_text, false},
    {OID_POSTAL_CODE, DER_UTF8_STRING, 1, 40, any_text, false},
    {OID_SERIAL_NUMBER, DER_PRINTABLE_STRING, 1, 64, printable, true},
    {OID_TITLE, DER_UTF8_STRING, 1, 64, any_text, false},
    {OID_DN_QUALIFIER, DER_PRINTABLE_STRING, 1, 64, printable, false},
    {OID_PSEUDONYM, DER_UTF8_STRING, 1, 128, any_text, false},
    {OID_DOMAIN_COMPONENT, DER_IA5_STRING, 1, 63, ascii, false},
    {OID_EMAIL_ADDRESS, DER_IA5_STRING, 1, 255, ascii, false},
    {OID_GIVEN_NAME, DER_UTF8_STRING, 1, 128, any_text, false},
    {OID_SURNAME, DER_UTF8_STRING, 1, 128, any_text, false},
    {OID_INITIALS, DER_UTF8_STRING, 1, 128, any_text, false},
    {OID_USER_ID, DER_UTF8_STRING, 1, 256, any_text, false},
    {OID_ORGANIZATION_ID, DER_UTF8_STRING, 1, 128, any_text, true},
    {OID_MATTER_VID, DER_UTF8_STRING, 4, 4, hex, true},
    {OID_MATTER_PID, DER_UTF8_STRING, 4, 4, hex, true},
};
#define N_MADE (sizeof(made) / sizeof(made[0]))

static void add_made(struct buf *name, size_t row)
{
    size_t n_set = 0, n = made[row].min + draw((uint32_t)(made[row].max - made[row].min) + 1),
           at = der_open(name);
    AUTO_BUF value = BUF_INIT;

    while (made[row].set[n_set])
        n_set++;
    while (n-- > 0)
        buf_adds(&value, made[row].set[draw((uint32_t)n_set)]);
    oid_add(name, made[row].oid);
    der_add(name, made[row].type, value.p, value.len);
    der_close(name, at, DER_SEQUENCE);
    der_close(name, at, DER_SET);
}

static void make_name(struct buf *name)
{
    uint32_t seen = 0;
    size_t n, row;

    for (n = 1 + draw(8); n > 0; n--) {
        row = draw(N_MADE);
        if (made[row].once && seen & UINT32_C(1) << row)
            continue;
        seen |= UINT32_C(1) << row;
        add_made(name, row);
    }
    der_close(name, 0, DER_SEQUENCE);
}

/* From DER to text and back: the same bytes, whatever characters are in it. */
static void any_name_round_trips(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < 5000; i++) {
        AUTO_BUF name = BUF_INIT;
        AUTO_BUF text = BUF_INIT;
        AUTO_BUF again = BUF_INIT;
        AUTO_BUF text_again = BUF_INIT;

        make_name(&name);
        assert_ok(name_check(der_buf(&name), "name", &err));
        assert_ok(name_to_text(der_buf(&name), &text, &err));
        assert_ok(name_from_text(buf_str(&text), &again, &err));
        if (!der_equal(der_buf(&name), der_buf(&again)))
            fail_msg("other bytes from '%s'", (char *)text.p);
        assert_ok(name_to_text(der_buf(&again), &text_again, &err));
        assert_string_equal(buf_str(&text_again), (char *)text.p);
    }
}

/* Any text at all, changed at random places: refused or taken, and what is taken comes back. */
static void any_text_is_refused_or_taken(void **state)
{
    static const char start[] = "CN=a\\,b\\20,serialNumber=x y,O=#0c0141,1.2.3=z";
    char text[sizeof(start)];
    size_t i, taken = 0;

    (void)state;
    for (i = 0; i < 20000; i++) {
        AUTO_BUF name = BUF_INIT;
        AUTO_BUF shown = BUF_INIT;
        AUTO_BUF again = BUF_INIT;

        memcpy(text, start, sizeof(start));
        text[draw(sizeof(start) - 1)] = "\\#,+=\" \x01\xff"
                                        "a0"[draw(11)];
        text[draw(sizeof(start) - 1)] = (char)(1 + draw(255));
        if (name_from_text(text, &name, &err) != 0)
            continue;
        taken++;
        assert_ok(name_to_text(der_buf(&name), &shown, &err));
        assert_ok(name_from_text(buf_str(&shown), &again, &err));
        assert_true(der_equal(der_buf(&name), der_buf(&again)));
    }
    assert_in_range(taken, 100, 19000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_to_der),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(string_types),
        cmocka_unit_test(refuses_text),
        cmocka_unit_test(lengths),
        cmocka_unit_test(too_many),
        cmocka_unit_test(refuses_foreign),
        cmocka_unit_test(types_without_text),
        cmocka_unit_test(a_million_characters),
        cmocka_unit_test(broken_structures),
        cmocka_unit_test(gets_one),
        cmocka_unit_test(shows_what_it_refuses),
        cmocka_unit_test(matter),
        cmocka_unit_test(any_name_round_trips),
        cmocka_unit_test(any_text_is_refused_or_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
