/*
 * A service of the mesh: mesh NAME PORT CERT KEY POLICY
 *
 * The policy's authenticator says who gets through the handshake, its rules for the service whose requests are
 * answered: 200, all others 403. PORT 0 is any. SIGHUP reads CRLs and rules anew, SIGTERM ends. What happens is told on
 * stdout, a line each; "answers" is told by the application alone.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <p11ca/auth_openssl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 4096
#define PATIENCE    10 /* seconds that a silent client may take */

struct service {
    const char *name, *path; /* of the policy */
    SSL_CTX *ctx;
    struct p11ca_auth *clients;
    struct p11ca_policy *policy;
    int door;
};

struct call {
    struct service *service;
    int fd;
};

static volatile sig_atomic_t hup, term;

static void on_signal(int number)
{
    if (number == SIGHUP)
        hup = 1;
    else
        term = 1;
}

/* One line, whole: threads tell, too. */
__attribute__((format(printf, 2, 3))) static void tell(const struct service *s, const char *fmt, ...)
{
    char line[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    printf("%s: %s\n", s->name, line);
    fflush(stdout);
}

/* --- the application --- */

/* Method and path of a request without a body. */
static int read_request(SSL *ssl, char method[16], char path[256])
{
    char text[REQUEST_MAX + 1];
    size_t len = 0;
    int n;

    do {
        n = SSL_read(ssl, text + len, (int)(REQUEST_MAX - len));
        if (n <= 0)
            return -1;
        len += (size_t)n;
        text[len] = '\0';
    } while (!strstr(text, "\r\n\r\n") && len < REQUEST_MAX);
    return sscanf(text, "%15[A-Z] %255[^ \r\n] HTTP/1.", method, path) == 2 ? 0 : -1;
}

static void respond(SSL *ssl, const char *status, const char *text)
{
    char answer[2048];
    int n = snprintf(answer, sizeof(answer),
        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
        status, strlen(text) + 1, text);

    SSL_write(ssl, answer, n < (int)sizeof(answer) ? n : (int)sizeof(answer) - 1);
}

static void answer(
    struct service *s, SSL *ssl, const struct p11ca_identity *id, const struct p11ca_name *caller)
{
    char method[16], path[256];
    struct p11ca_request request = {.service = s->name, .id = id, .method = method, .path = path};
    struct p11ca_verdict verdict;
    struct p11ca_err err;

    if (read_request(ssl, method, path) != 0) {
        tell(s, "answers 400 to %s", caller->text);
        respond(ssl, "400 Bad Request", "want a request");
    } else if (p11ca_policy_check(s->policy, &request, &verdict, &err) == 0) {
        tell(s, "answers 200 to %s: %s %s, by rule %s", caller->text, method, path, verdict.rule);
        respond(ssl, "200 OK", caller->text);
    } else {
        tell(s, "answers 403 to %s: %s %s: %s", caller->text, method, path, err.msg);
        respond(ssl, "403 Forbidden", "forbidden");
    }
}

/* --- TLS --- */

static void serve(struct service *s, SSL *ssl)
{
    struct p11ca_identity *id = NULL;
    struct p11ca_decision d;
    struct p11ca_err err;

    if (SSL_accept(ssl) != 1) {
        p11ca_tls_why(ssl, &err);
        tell(s, "refuses in the handshake: %s: %s", err.code, err.msg);
        return;
    }
    if (p11ca_tls_peer(ssl, &id, &d, &err) == 0) {
        tell(s, "accepts %s, %s", d.principal->text, SSL_session_reused(ssl) ? "resumed" : "new");
        answer(s, ssl, id, d.principal);
    } else {
        tell(s, "refuses behind the handshake: %s: %s", err.code, err.msg);
    }
    p11ca_identity_free(id);
    SSL_shutdown(ssl);
}

static void *run_call(void *arg)
{
    struct call *call = arg;
    SSL *ssl = SSL_new(call->service->ctx);

    if (ssl && SSL_set_fd(ssl, call->fd) == 1)
        serve(call->service, ssl);
    SSL_free(ssl);
    ERR_clear_error();
    close(call->fd);
    free(call);
    return NULL;
}

static void take_call(struct service *s)
{
    const struct timeval patience = {.tv_sec = PATIENCE};
    struct call *call = malloc(sizeof(*call));
    pthread_t thread;
    int fd = accept(s->door, NULL, NULL);

    if (fd < 0 || !call) {
        if (fd >= 0)
            close(fd);
        free(call);
        return;
    }
    *call = (struct call){s, fd};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (pthread_create(&thread, NULL, run_call, call) == 0) {
        pthread_detach(thread);
    } else {
        close(fd);
        free(call);
    }
}

/* --- the process --- */

static void reload(struct service *s)
{
    struct p11ca_err err;

    hup = 0;
    if (p11ca_auth_reload(s->clients, &err) == 0)
        tell(s, "read its CRLs anew");
    else
        tell(s, "keeps the CRLs it has: %s", err.msg);
    if (p11ca_policy_load(s->policy, s->path, &err) != 0)
        tell(s, "keeps the rules it has: %s", err.msg);
}

/* Signals are let in while it waits and at no other time: none is missed between a look and the wait. */
static void loop(struct service *s, const sigset_t *waiting)
{
    while (!term) {
        struct pollfd door = {.fd = s->door, .events = POLLIN};
        int n = ppoll(&door, 1, NULL, waiting);

        if (hup)
            reload(s);
        if (n > 0)
            take_call(s);
    }
}

static void catch_signals(sigset_t *ret_waiting)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t block;

    sigaction(SIGHUP, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&block);
    sigaddset(&block, SIGHUP);
    sigaddset(&block, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &block, ret_waiting);
    sigdelset(ret_waiting, SIGHUP);
    sigdelset(ret_waiting, SIGTERM);
}

static int open_door(const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    const int yes = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 64) != 0)
        return -1;
    return fd;
}

static void tell_door(const struct service *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);

    getsockname(s->door, (struct sockaddr *)&at, &len);
    tell(s, "listens on %u", ntohs(at.sin_port));
}

static int set_up(struct service *s, char **argv, struct p11ca_err *err)
{
    s->name = argv[1];
    s->path = argv[5];
    s->ctx = SSL_CTX_new(TLS_server_method());
    s->policy = p11ca_policy_new();
    if (!s->ctx || !s->policy || SSL_CTX_use_certificate_chain_file(s->ctx, argv[3]) != 1 ||
        SSL_CTX_use_PrivateKey_file(s->ctx, argv[4], SSL_FILETYPE_PEM) != 1) {
        snprintf(err->msg, sizeof(err->msg), "%.200s, %.200s: cannot be used", argv[3], argv[4]);
        return -1;
    }
    if (p11ca_auth_load(s->path, NULL, NULL, &s->clients, err) != 0 ||
        p11ca_policy_load(s->policy, s->path, err) != 0 ||
        p11ca_tls_server(s->ctx, s->clients, s->name, err) != 0)
        return -1;
    s->door = open_door(argv[2]);
    if (s->door < 0)
        snprintf(err->msg, sizeof(err->msg), "port %.20s: %s", argv[2], strerror(errno));
    return s->door < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct service s = {.name = "mesh"};
    struct p11ca_err err = {0};
    sigset_t waiting;

    if (argc != 6) {
        fprintf(stderr, "usage: mesh NAME PORT CERT KEY POLICY\n");
        return 2;
    }
    catch_signals(&waiting);
    if (set_up(&s, argv, &err) != 0) {
        fprintf(stderr, "%s: %s\n", s.name, err.msg);
        return 2;
    }
    tell_door(&s);
    loop(&s, &waiting);
    /* Threads may still be in there: the system tidies up. */
    return 0;
}
