/* One end of a real SCTP association (usrsctp over raw IP): what `ztsms lab` and the tests send through the filter and receive behind it.
 *
 *   ztsms-lab-peer send ADDRESS PORT    messages from standard input, each behind its length (4 octets, little-endian)
 *   ztsms-lab-peer recv PORT            the same to standard output
 *
 * "ready" on standard error says that it listens or is connected; the last line there is what was counted, as JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <usrsctp.h>

#define M3UA 3
#define MOST 65536

static unsigned char message[MOST];

static void die(const char *what)
{
    fprintf(stderr, "ztsms-lab-peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int all(int fd, unsigned char *to, size_t len)
{
    size_t have = 0;
    while (have < len) {
        ssize_t n = read(fd, to + have, len - have);
        if (n <= 0)
            return 0;
        have += n;
    }
    return 1;
}

static void put(int fd, const unsigned char *from, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, from, len);
        if (n <= 0)
            exit(0);
        from += n;
        len -= n;
    }
}

static struct socket *open_socket(void)
{
    struct socket *s = usrsctp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (!s)
        die("socket");
    int on = 1, room = 4 << 20;
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
    usrsctp_setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    usrsctp_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    /* Signalling networks do not wait the general second for a repetition. */
    struct sctp_rtoinfo rto = {.srto_initial = 500, .srto_max = 2000, .srto_min = 100};
    usrsctp_setsockopt(s, IPPROTO_SCTP, SCTP_RTOINFO, &rto, sizeof rto);
    return s;
}

static void told(unsigned long messages)
{
    struct sctpstat stat;
    usrsctp_get_stat(&stat);
    fprintf(stderr, "{\"messages\":%lu,\"retransmitted\":%u,\"fast_retransmitted\":%u,\"timeouts\":%u,\"bad_checksums\":%u,\"duplicates\":%u}\n",
            messages, stat.sctps_sendretransdata, stat.sctps_sendfastretrans, stat.sctps_timodata, stat.sctps_checksumerrors,
            stat.sctps_recvdupdata);
}

static void send_all(const char *to, int port)
{
    struct socket *s = open_socket();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, to, &address.sin_addr);
    if (usrsctp_connect(s, (struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    fprintf(stderr, "ready\n");
    struct sctp_sndinfo info = {.snd_ppid = htonl(M3UA)};
    unsigned char head[4];
    unsigned long messages = 0;
    while (all(0, head, 4)) {
        uint32_t len = head[0] | head[1] << 8 | head[2] << 16 | (uint32_t)head[3] << 24;
        if (len > MOST || !all(0, message, len))
            break;
        if (usrsctp_sendv(s, message, len, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0)
            die("send");
        messages++;
    }
    /* Returns at once: the association goes down when everything was acknowledged, and the other end then sees its end. */
    usrsctp_shutdown(s, SHUT_WR);
    struct sctp_recvv_rn info_in;
    socklen_t info_len = sizeof info_in, from_len = sizeof address;
    unsigned kind = 0;
    int flags = 0;
    while (usrsctp_recvv(s, message, MOST, (struct sockaddr *)&address, &from_len, &info_in, &info_len, &kind, &flags) > 0)
        ;
    told(messages);
}

static void receive_all(int port)
{
    struct socket *s = open_socket();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (usrsctp_bind(s, (struct sockaddr *)&address, sizeof address) < 0 || usrsctp_listen(s, 1) < 0)
        die("listen");
    fprintf(stderr, "ready\n");
    struct socket *peer = usrsctp_accept(s, NULL, NULL);
    if (!peer)
        die("accept");
    unsigned long messages = 0;
    size_t have = 0;
    for (;;) {
        struct sctp_rcvinfo info;
        socklen_t info_len = sizeof info, from_len = sizeof address;
        unsigned kind = 0;
        int flags = 0;
        ssize_t n = usrsctp_recvv(peer, message + have, MOST - have, (struct sockaddr *)&address, &from_len, &info, &info_len, &kind, &flags);
        if (n <= 0)
            break;
        have += n;
        if (!(flags & MSG_EOR))
            continue;
        unsigned char head[4] = {have, have >> 8, have >> 16, have >> 24};
        put(1, head, 4);
        put(1, message, have);
        messages++;
        have = 0;
    }
    told(messages);
    usrsctp_close(peer);
}

int main(int argc, char **argv)
{
    usrsctp_init(0, NULL, NULL);
    if (argc == 4 && !strcmp(argv[1], "send"))
        send_all(argv[2], atoi(argv[3]));
    else if (argc == 3 && !strcmp(argv[1], "recv"))
        receive_all(atoi(argv[2]));
    else
        return fprintf(stderr, "usage: ztsms-lab-peer send ADDRESS PORT | recv PORT\n"), 2;
    /* usrsctp's threads would wait for timers of what is gone. */
    _exit(0);
}
