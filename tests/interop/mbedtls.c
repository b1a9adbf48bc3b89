/* verify PURPOSE HOST ROOT CHAIN KEY: the verdict of mbedTLS, as its TLS comes to it: chain, host, usages. */
#include <stdio.h>
#include <string.h>

#include <mbedtls/oid.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

enum { ACCEPTED = 0, REFUSED = 1, BROKEN = 2 };

/* What ssl_tls.c asks of the other side's certificate after the chain. NULL: nothing is wrong. */
static const char *usages(const mbedtls_x509_crt *leaf, int server)
{
    const char *oid = server ? MBEDTLS_OID_SERVER_AUTH : MBEDTLS_OID_CLIENT_AUTH;
    size_t len =
        server ? MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH) : MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH);

    if (mbedtls_x509_crt_check_key_usage(leaf, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0)
        return "key usage";
    if (mbedtls_x509_crt_check_extended_key_usage(leaf, oid, len) != 0)
        return "extended key usage: another purpose";
    return NULL;
}

static int judge(mbedtls_x509_crt *root, mbedtls_x509_crt *chain, int server, const char *host)
{
    uint32_t flags = 0;
    char why[512];

    if (mbedtls_x509_crt_verify(chain, root, NULL, host, &flags, NULL, NULL) == 0) {
        const char *wrong = usages(chain, server);

        if (wrong)
            puts(wrong);
        return wrong ? REFUSED : ACCEPTED;
    }
    mbedtls_x509_crt_verify_info(why, sizeof(why), "", flags);
    why[strcspn(why, "\n")] = '\0';
    puts(why);
    return REFUSED;
}

/* Less than all of the file is a refusal: mbedTLS does not take what it cannot read. */
static int read_chain(mbedtls_x509_crt *chain, const char *file)
{
    int rc = mbedtls_x509_crt_parse_file(chain, file);

    if (rc == 0)
        return ACCEPTED;
    if (rc == MBEDTLS_ERR_PK_FILE_IO_ERROR)
        return BROKEN;
    if (rc > 0)
        printf("does not parse: %d of the file's certificates\n", rc);
    else
        printf("does not parse: -0x%04x\n", (unsigned)-rc);
    return REFUSED;
}

static int verify(char **arg)
{
    mbedtls_x509_crt root, chain;
    int rc;

    mbedtls_x509_crt_init(&root);
    mbedtls_x509_crt_init(&chain);
    rc = mbedtls_x509_crt_parse_file(&root, arg[3]) == 0 ? read_chain(&chain, arg[4]) : BROKEN;
    if (rc == ACCEPTED)
        rc = judge(&root, &chain, strcmp(arg[1], "server") == 0, strcmp(arg[2], "-") == 0 ? NULL : arg[2]);
    mbedtls_x509_crt_free(&chain);
    mbedtls_x509_crt_free(&root);
    return rc;
}

int main(int argc, char **argv)
{
    char version[32];

    if (argc >= 5)
        return verify(argv);
    mbedtls_version_get_string_full(version);
    puts(version);
    return argc == 1 ? 0 : BROKEN;
}
