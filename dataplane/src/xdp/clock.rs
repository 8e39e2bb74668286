//! The two clocks: the kernel's own, which heartbeats are compared by, and the time of day, which records carry.

fn read(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is ours and lives through the call; both clocks exist on every Linux, so that it cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    let part = |value: i64| u64::try_from(value).unwrap_or_default();
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}

/// What `bpf_ktime_get_ns` tells. No system call: the vDSO answers.
pub fn monotonic_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970, UTC.
pub fn realtime_ns() -> u64 {
    read(libc::CLOCK_REALTIME)
}
