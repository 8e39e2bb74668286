/* What happens to a frame in the kernel: SCTP to the socket of its queue, all else on its way, and everything on its way where nobody
 * reads. Loaded and pinned by xdp/program.rs, which mirrors the structures below; a change of theirs is a new ABI there.
 *
 *   inline   what is not for us, or cannot be taken, is redirected to the other port
 *   tap      the same is left to the stack
 *
 * Written without libbpf's headers: the few helpers used are named here.
 */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define INLINE static __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define BE16(x) ((__u16)__builtin_bswap16(x))

static void *(*bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static long (*bpf_redirect_map)(void *map, __u64 key, __u64 flags) = (void *)51;

#define PORTS 16
#define QUEUES 64 /* of one port */
#define CAUSES 16
#define LISTED_PORTS 256     /* as in world.rs, which the configuration is held against */
#define LISTED_PREFIXES 1024

enum cause {
    TO_SOCKET,    /* frames for us, handed to the socket of their queue */
    NOT_OURS,     /* frames without SCTP, or outside the lists of ports and prefixes */
    NO_SOCKET,    /* for us, and nobody is there */
    STALE,        /* for us, and the worker's heartbeat is too old */
    NO_CREDIT,    /* for us, and the worker has no room */
    TOO_LONG,     /* for us, and longer than a chunk of memory holds */
    CLOSED,       /* of those four: dropped, since the filter fails closed */
    NOT_SET_UP,   /* on a port that is no port of ours, or before the settings are written */
};

/* One port, by its interface's index. */
struct port {
    __u32 index;    /* from 0: its row in sockets, queues, counters */
    __u32 peer;     /* index of the port where its frames go, PORTS where they are left to the stack */
};

struct settings {
    __u64 heartbeat_ns;
    __u32 fail_closed;
    __u32 max_len;
    __u32 by_port;     /* only SCTP ports of the list */
    __u32 by_prefix;   /* only addresses of the lists */
};

/* One queue, shared with the worker by mmap. Its first line is written by the worker, its second here. */
struct queue {
    __u64 beat_ns;     /* CLOCK_MONOTONIC of the worker's last round */
    __u64 granted;     /* frames that it has had room for since it was bound */
    __u64 pad[6];
    __u64 taken;       /* frames handed over since it was bound: one queue, one CPU at a time */
    __u64 pad2[7];
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, PORTS);
    __type(key, __u32);
    __type(value, struct port);
} ports SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct settings);
} settings SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, PORTS * QUEUES);
    __type(key, __u32);
    __type(value, __u32);
} sockets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __uint(max_entries, PORTS);
    __type(key, __u32);
    __type(value, __u32);
} peers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, PORTS * QUEUES);
    __type(key, __u32);
    __type(value, struct queue);
} queues SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, PORTS * CAUSES);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, LISTED_PORTS);
    __type(key, __u16);
    __type(value, __u8);
} only_ports SEC(".maps");

/* UDP ports that carry SCTP, RFC 6951. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, LISTED_PORTS);
    __type(key, __u16);
    __type(value, __u8);
} udp_ports SEC(".maps");

struct prefix4 { __u32 bits; __u8 address[4]; };
struct prefix6 { __u32 bits; __u8 address[16]; };

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, LISTED_PREFIXES);
    __type(key, struct prefix4);
    __type(value, __u8);
} only_prefixes4 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, LISTED_PREFIXES);
    __type(key, struct prefix6);
    __type(value, __u8);
} only_prefixes6 SEC(".maps");

INLINE void count(const struct port *port, __u32 cause)
{
    __u32 key = port->index * CAUSES + cause;
    __u64 *n = bpf_map_lookup_elem(&counters, &key);
    if (n)
        *n += 1;
}

INLINE int prefix_wanted4(__u8 *address)
{
    struct prefix4 key = {.bits = 32};
    __builtin_memcpy(key.address, address, 4);
    return bpf_map_lookup_elem(&only_prefixes4, &key) != 0;
}

INLINE int prefix_wanted6(__u8 *address)
{
    struct prefix6 key = {.bits = 128};
    __builtin_memcpy(key.address, address, 16);
    return bpf_map_lookup_elem(&only_prefixes6, &key) != 0;
}

/* What stands behind an IP header: its protocol, whether this is a later fragment, and where. 0: not to be told. The verifier looks at
 * each of the functions below once, whoever calls it: inlined, their paths multiply beyond what it follows. */
#define BEHIND(protocol, later, at) ((__u64)(at) << 16 | (later) << 8 | (protocol))
#define MOST 2048 /* no header stands further behind */

NOINLINE __u64 ipv4(struct xdp_md *ctx, __u32 offset)
{
    __u8 *end = (__u8 *)(long)ctx->data_end, *at = (__u8 *)(long)ctx->data;
    if (offset > MOST)
        return 0;
    at += offset;
    if (at + 20 > end || (at[0] >> 4) != 4)
        return 0;
    return BEHIND(at[9], ((at[6] & 0x1f) | at[7]) != 0, offset + (at[0] & 15) * 4);
}

/* Hop-by-hop 0, routing 43, fragment 44, authentication 51, destination 60; mobility 135, HIP 139, Shim6 140: each names the next one in
 * its first octet. By masks: compared one by one each is a path of its own to the verifier, and six rounds of them are too many. */
#define LOW (1ull << 0 | 1ull << 43 | 1ull << 44 | 1ull << 51 | 1ull << 60)
#define HIGH (1ull << (135 - 128) | 1ull << (139 - 128) | 1ull << (140 - 128))
/* More headers than are walked here, or in other fragments: as a later fragment of SCTP, for the worker to say. */
#define DEEP BEHIND(132, 1, 0)

INLINE __u64 is_extension(__u64 next)
{
    __u64 row = next >> 6, at = next & 63;
    return (LOW >> at & ~(row | row >> 1) & 1) | (HIGH >> at & row >> 1 & ~row & 1);
}

NOINLINE __u64 ipv6(struct xdp_md *ctx, __u32 offset)
{
    __u8 *end = (__u8 *)(long)ctx->data_end, *data = (__u8 *)(long)ctx->data, *at;
    if (offset > MOST)
        return 0;
    at = data + offset;
    if (at + 40 > end || (at[0] >> 4) != 6)
        return 0;
    __u8 next = at[6];
    offset += 40;
    for (int i = 0; i < 6; i++) {
        if (offset > MOST)
            return DEEP;
        if (!is_extension(next))
            return BEHIND(next, 0, offset);
        at = data + offset;
        if (at + 8 > end)
            return 0;
        __u32 units = next == 44 ? 0 : at[1];
        if (next == 44 && (at[2] | (at[3] & 0xf8)) != 0)
            return is_extension(at[0]) ? DEEP : BEHIND(at[0], 1, offset + 8);
        offset += next == 51 ? (units + 2) * 4 : (units + 1) * 8;
        next = at[0];
    }
    return offset > MOST || is_extension(next) ? DEEP : BEHIND(next, 0, offset);
}

/* A later fragment names its protocol and no port: SCTP's goes up to be joined, UDP's cannot be told and stays. In IPv6 the name in the first
 * fragment is the one that counts (RFC 8200 4.5): a later one of SCTP that names another protocol stays too, unseen. All of them would have
 * to go up, and would take the worker's room for what is never joined. */
NOINLINE int is_sctp(struct xdp_md *ctx, __u64 behind)
{
    __u8 *end = (__u8 *)(long)ctx->data_end, *at = (__u8 *)(long)ctx->data;
    __u32 zero = 0, protocol = behind & 0xff, later = behind >> 8 & 0xff, offset = behind >> 16;
    struct settings *set = bpf_map_lookup_elem(&settings, &zero);
    if (!set || offset > MOST + 40)
        return 0;
    at += offset;
    if (protocol == 17 && !later) {
        if (at + 8 > end)
            return 0;
        __u16 *udp = (__u16 *)at;
        if (!bpf_map_lookup_elem(&udp_ports, &udp[0]) && !bpf_map_lookup_elem(&udp_ports, &udp[1]))
            return 0;
        at += 8;
    } else if (protocol != 132) {
        return 0;
    }
    /* Too short for ports: that it cannot be understood is for the worker to say. */
    if (!set->by_port || later || at + 4 > end)
        return 1;
    __u16 *sctp = (__u16 *)at;
    return bpf_map_lookup_elem(&only_ports, &sctp[0]) || bpf_map_lookup_elem(&only_ports, &sctp[1]);
}

NOINLINE int is_wanted(struct xdp_md *ctx, __u32 offset, int is_v6)
{
    __u8 *end = (__u8 *)(long)ctx->data_end, *at = (__u8 *)(long)ctx->data;
    if (offset > MOST)
        return 0;
    at += offset;
    if (is_v6)
        return at + 40 <= end && (prefix_wanted6(at + 8) || prefix_wanted6(at + 24));
    return at + 20 <= end && (prefix_wanted4(at + 12) || prefix_wanted4(at + 16));
}

INLINE int is_ours(struct xdp_md *ctx, const struct settings *set)
{
    __u8 *end = (__u8 *)(long)ctx->data_end, *data = (__u8 *)(long)ctx->data;
    if (data + 14 > end)
        return 0;
    __u16 type = *(__u16 *)(data + 12);
    __u32 offset = 14;
    for (int tag = 0; tag < 3; tag++) {
        if (type != BE16(0x8100) && type != BE16(0x88a8) && type != BE16(0x9100))
            break;
        if (data + offset + 4 > end)
            return 0;
        type = *(__u16 *)(data + offset + 2);
        offset += 4;
    }
    __u64 behind;
    if (type == BE16(0x0800))
        behind = ipv4(ctx, offset);
    else if (type == BE16(0x86dd))
        behind = ipv6(ctx, offset);
    else
        return 0;
    if (!behind || !is_sctp(ctx, behind))
        return 0;
    return !set->by_prefix || is_wanted(ctx, offset, type == BE16(0x86dd));
}

INLINE int onward(const struct port *port)
{
    if (port->peer >= PORTS)
        return XDP_PASS;
    return bpf_redirect_map(&peers, port->peer, 0);
}

SEC("xdp")
int ztsms(struct xdp_md *ctx)
{
    __u8 *at = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;
    __u32 zero = 0, interface = ctx->ingress_ifindex;
    struct port *port = bpf_map_lookup_elem(&ports, &interface);
    struct settings *set = bpf_map_lookup_elem(&settings, &zero);
    if (!port || !set)
        return XDP_PASS;
    if (!is_ours(ctx, set)) {
        count(port, NOT_OURS);
        return onward(port);
    }
    __u32 cause, key = port->index * QUEUES + ctx->rx_queue_index;
    struct queue *queue = 0;
    if (ctx->rx_queue_index >= QUEUES || !bpf_map_lookup_elem(&sockets, &key))
        cause = NO_SOCKET;
    else if (end - at > set->max_len)
        cause = TOO_LONG;
    else if (!(queue = bpf_map_lookup_elem(&queues, &key)))
        cause = NO_SOCKET;
    /* The worker may have written its beat after this clock was read: a difference below zero is no age. */
    else if ((__s64)(bpf_ktime_get_ns() - queue->beat_ns) > (__s64)set->heartbeat_ns)
        cause = STALE;
    else if (queue->taken >= queue->granted)
        cause = NO_CREDIT;
    else {
        queue->taken += 1;
        count(port, TO_SOCKET);
        /* Should the socket have gone since it was looked up: dropped where closed, to the stack otherwise. */
        return bpf_redirect_map(&sockets, key, set->fail_closed ? XDP_DROP : XDP_PASS);
    }
    count(port, cause);
    if (set->fail_closed) {
        count(port, CLOSED);
        return XDP_DROP;
    }
    return onward(port);
}

char LICENSE[] SEC("license") = "Apache-2.0";
