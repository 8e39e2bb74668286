/* An M3UA application server process (RFC 4666) on the kernel's own SCTP, for the guests of the tests.
 *
 *   asp send ADDRESS PORT POINT-CODE    messages from standard input, each behind its length (4 octets, little-endian); as they are
 *   asp recv ADDRESS PORT POINT-CODE    DATA to standard output in the same form
 *
 * It connects, comes up, registers the point code and becomes active; then it says "ready" on standard output. A sender whose input ends
 * waits until everything was acknowledged and says what the kernel counted, as one line of JSON; a receiver whose input ends goes down.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define M3UA 3
#define MOST 65536

/* Class and type, RFC 4666 section 3.1.1. */
enum { DATA = 0x0101, ASPUP = 0x0301, ASPDN = 0x0302, BEAT = 0x0303, ASPUP_ACK = 0x0304, ASPDN_ACK = 0x0305, BEAT_ACK = 0x0306, ASPAC = 0x0401, ASPAC_ACK = 0x0403,
       REG_REQ = 0x0901, REG_RSP = 0x0902 };
/* Parameters, section 3.2. */
enum { ROUTING_CONTEXT = 0x0006, ROUTING_KEY = 0x0207, REGISTRATION_RESULT = 0x0208, LOCAL_RK = 0x020a, POINT_CODE = 0x020b };

static unsigned char message[MOST];
static int s;

static void die(const char *what)
{
    fprintf(stderr, "asp: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void put16(unsigned char *to, unsigned v) { to[0] = v >> 8, to[1] = v; }
static void put32(unsigned char *to, uint32_t v) { put16(to, v >> 16), put16(to + 2, v); }
static unsigned get16(const unsigned char *from) { return from[0] << 8 | from[1]; }

/* One user message on a stream: 0 for management, 1 for traffic (section 1.4.7). */
static void put(const unsigned char *from, size_t len, int stream)
{
    char control[CMSG_SPACE(sizeof(struct sctp_sndinfo))] = {0};
    struct iovec piece = {(void *)from, len};
    struct msghdr head = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&head);
    c->cmsg_level = IPPROTO_SCTP;
    c->cmsg_type = SCTP_SNDINFO;
    c->cmsg_len = CMSG_LEN(sizeof(struct sctp_sndinfo));
    struct sctp_sndinfo info = {.snd_sid = stream, .snd_ppid = htonl(M3UA)};
    memcpy(CMSG_DATA(c), &info, sizeof info);
    if (sendmsg(s, &head, 0) < 0)
        die("send");
}

/* The next message into `message`; its length, 0 when the association is gone. */
static size_t take(void)
{
    size_t have = 0;
    for (;;) {
        struct iovec piece = {message + have, MOST - have};
        struct msghdr head = {.msg_iov = &piece, .msg_iovlen = 1};
        ssize_t n = recvmsg(s, &head, 0);
        if (n <= 0)
            return 0;
        have += n;
        if (head.msg_flags & MSG_EOR)
            return have;
    }
}

static void ask(int kind, const unsigned char *parameters, size_t len)
{
    unsigned char out[64] = {1, 0};
    put16(out + 2, kind);
    put32(out + 4, 8 + len);
    memcpy(out + 8, parameters, len);
    put(out, 8 + len, 0);
}

/* Waits for an answer; what else comes meanwhile (NTFY, DAVA) is of no interest. */
static size_t await(int kind)
{
    size_t len;
    while ((len = take()) >= 8)
        if (get16(message + 2) == (unsigned)kind)
            return len;
    errno = ENOTCONN;
    die("waiting for an answer");
    return 0;
}

/* The value of a parameter of 4 octets, looked for in what stands from `at` on; REG RSP holds one within another. */
static const unsigned char *find(unsigned tag, size_t at, size_t len)
{
    while (at + 8 <= len) {
        unsigned own = get16(message + at), size = get16(message + at + 2);
        if (own == tag)
            return message + at + 4;
        at += own == REGISTRATION_RESULT ? 4 : (size + 3) & ~3u;
    }
    errno = EPROTO;
    die("a parameter is missing");
    return 0;
}

static void become_active(uint32_t point_code)
{
    ask(ASPUP, 0, 0);
    await(ASPUP_ACK);
    unsigned char key[20];
    put16(key, ROUTING_KEY), put16(key + 2, sizeof key);
    put16(key + 4, LOCAL_RK), put16(key + 6, 8), put32(key + 8, point_code);
    put16(key + 12, POINT_CODE), put16(key + 14, 8), put32(key + 16, point_code);
    ask(REG_REQ, key, sizeof key);
    size_t len = await(REG_RSP);
    unsigned char context[8];
    put16(context, ROUTING_CONTEXT), put16(context + 2, 8);
    memcpy(context + 4, find(ROUTING_CONTEXT, 8, len), 4);
    ask(ASPAC, context, sizeof context);
    await(ASPAC_ACK);
}

static int all(unsigned char *to, size_t len)
{
    while (len > 0) {
        ssize_t n = read(0, to, len);
        if (n <= 0)
            return 0;
        to += n, len -= n;
    }
    return 1;
}

static void out(const void *from, size_t len)
{
    while (len > 0) {
        ssize_t n = write(1, from, len);
        if (n <= 0)
            exit(0);
        from = (const char *)from + n, len -= n;
    }
}

static void send_all(void)
{
    unsigned char head[4];
    unsigned long messages = 0;
    while (all(head, 4)) {
        uint32_t len = head[0] | head[1] << 8 | head[2] << 16 | (uint32_t)head[3] << 24;
        if (len > MOST || !all(message, len))
            break;
        put(message, len, 1);
        messages++;
    }
    struct sctp_status status;
    do {
        usleep(10000);
        socklen_t len = sizeof status;
        memset(&status, 0, len);
        if (getsockopt(s, IPPROTO_SCTP, SCTP_STATUS, &status, &len) < 0)
            die("status");
    } while (status.sstat_unackdata > 0 || status.sstat_penddata > 0);
    struct sctp_assoc_stats stat = {0};
    socklen_t len = sizeof stat;
    if (getsockopt(s, IPPROTO_SCTP, SCTP_GET_ASSOC_STATS, &stat, &len) < 0)
        die("statistics");
    char line[160];
    int n = snprintf(line, sizeof line, "{\"messages\":%lu,\"retransmitted\":%llu}\n", messages, (unsigned long long)stat.sas_rtxchunks);
    out(line, n);
}

static void receive_all(void)
{
    struct pollfd both[2] = {{.fd = s, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    for (;;) {
        poll(both, 2, -1);
        /* Whoever reads says that it has enough by closing its side: the STP is told before the association goes. */
        if (both[1].revents) {
            ask(ASPDN, 0, 0);
            await(ASPDN_ACK);
            return;
        }
        size_t len = take();
        if (len < 8)
            return;
        unsigned kind = get16(message + 2);
        if (kind == BEAT)
            put16(message + 2, BEAT_ACK), put(message, len, 0);
        if (kind != DATA)
            continue;
        unsigned char head[4] = {len, len >> 8, len >> 16, len >> 24};
        out(head, 4);
        out(message, len);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5 || (strcmp(argv[1], "send") && strcmp(argv[1], "recv")))
        return fprintf(stderr, "usage: asp send|recv ADDRESS PORT POINT-CODE\n"), 2;
    s = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
    if (s < 0)
        die("socket");
    int on = 1;
    setsockopt(s, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
    inet_pton(AF_INET, argv[2], &to.sin_addr);
    /* The STP may be a moment behind. */
    for (int tries = 0; connect(s, (struct sockaddr *)&to, sizeof to) < 0; tries++) {
        if (tries > 50)
            die("connect");
        usleep(100000);
    }
    become_active(atoi(argv[4]));
    out("ready\n", 6);
    if (!strcmp(argv[1], "send"))
        send_all();
    else
        receive_all();
    return 0;
}
