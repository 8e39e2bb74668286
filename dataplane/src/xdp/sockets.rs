//! Memory and sockets of one line: one UMEM, one or two ports, every queue of each.
//!
//! A descriptor is in one place at a time: a ring of the kernel, the list of free chunks, or the batch at hand. Everything that moves one
//! is in this file, and nothing outside sees one.

use std::num::NonZeroU32;
use std::os::fd::{AsRawFd as _, RawFd};
use std::time::{Duration, Instant};

use xsk_rs::config::{BindFlags, FrameSize, Interface, LibxdpFlags, QueueSize, SocketConfig, UmemConfig};
use xsk_rs::{CompQueue, FillQueue, FrameDesc, RxQueue, Socket, TxQueue, Umem};

use super::error::{Error, chain, errno};
use super::port::Port;
use super::program::{Program, QUEUES};
use super::record::Record;
use super::worker::{Counts, Inspect};
use crate::live::Queue as Level;

/// Frames that are worked at once.
pub const BATCH: usize = 64;
/// A chunk of memory, and what the kernel keeps free in front of a frame.
const CHUNK: u32 = 4096;
const HEADROOM: u32 = 256;
/// Octets of a frame that fit a chunk.
pub(super) const ROOM: u32 = CHUNK - HEADROOM;
/// Ethernet and three tags.
const LINK: u32 = 14 + 3 * 4;
/// How long the kernel may take to let go of a socket whose process is gone: more than a second where a machine has no time for it.
const RELEASED: Duration = Duration::from_secs(5);
/// The largest MTU of a port.
pub const MTU: u32 = ROOM - LINK;

/// How the rings are made.
#[derive(Clone, Copy, Debug)]
pub struct Rings {
    /// Descriptors in each ring: a power of two.
    pub size: u32,
    /// Huge pages where there are some.
    pub huge_pages: bool,
    /// The kernel is asked for frames for so many microseconds before it sleeps.
    pub busy_poll_us: Option<u32>,
}

impl Default for Rings {
    fn default() -> Self {
        Self { size: 2048, huge_pages: true, busy_poll_us: None }
    }
}

/// What is asked for.
pub struct Want<'a> {
    /// One port, or two.
    pub ports: &'a [Port],
    /// Number of the first port in the program.
    pub first: u32,
    /// Frames go on to the other port. Else they are looked at and given back.
    pub forward: bool,
    /// Its rings.
    pub rings: Rings,
}

/// One queue of one port.
struct Queue {
    key: u32,
    interface: u32,
    number: u32,
    /// Its port's number in the program.
    port: u32,
    tx: TxQueue,
    rx: RxQueue,
    fill: FillQueue,
    comp: CompQueue,
    record: Record,
    /// The queue, in this line, that its frames leave by.
    target: Option<usize>,
    zero_copy: bool,
    /// Chunks handed to the fill ring; frames received; frames sent; of those, not yet reclaimed.
    filled: u64,
    received: u64,
    sent: u64,
    in_flight: u64,
    /// By XDP_STATISTICS: frames that were handed over and found no room, each once; how often the fill ring was found empty.
    dropped: [u64; 2],
    fill_empty: u64,
}

/// See the module.
pub struct Line {
    umem: Umem,
    free: Vec<FrameDesc>,
    batch: Vec<FrameDesc>,
    out: Vec<FrameDesc>,
    queues: Vec<Queue>,
    size: u32,
    /// What was chosen, a line each, for whoever starts it.
    pub choices: Vec<String>,
    busy_poll: bool,
}

/// Octets of a frame that the line takes.
pub(super) const fn max_len() -> u32 {
    ROOM
}

impl Line {
    /// Takes the memory and binds a socket to every queue of every port.
    pub fn new(want: &Want<'_>, program: &Program) -> Result<Self, Error> {
        Self::fits(want.ports, want.forward)?;
        let size = want.rings.size;
        let counts: Vec<u32> = want.ports.iter().map(|port| port.queues().0).collect();
        // Each queue: what its fill ring and its transmit ring hold, and a batch besides.
        let chunks = counts.iter().sum::<u32>() * (2 * size + 2 * BATCH as u32);
        let (umem, free, huge) = memory(size, chunks, want.rings.huge_pages)?;
        let mut line = Self {
            umem,
            free,
            batch: Vec::with_capacity(BATCH),
            out: Vec::with_capacity(2 * BATCH),
            queues: Vec::new(),
            size,
            choices: Vec::new(),
            busy_poll: want.rings.busy_poll_us.is_some(),
        };
        let mebibytes = u64::from(chunks) * u64::from(CHUNK) / (1 << 20);
        let pages = if huge { "huge pages" } else { "pages of 4 KiB (no huge ones free: vm.nr_hugepages)" };
        line.choices
            .push(format!("{chunks} chunks of {CHUNK} octets, {mebibytes} MiB in {pages}; rings of {size}, batches of {BATCH}"));
        let records = program.records()?;
        for (side, (port, &queues)) in want.ports.iter().zip(&counts).enumerate() {
            for number in 0..queues {
                let key = (want.first + side as u32) * QUEUES + number;
                let target = want.forward.then(|| {
                    // The queues of the first port come first.
                    let (others_begin, others) = if side == 0 { (queues, counts.get(1)) } else { (0, counts.first()) };
                    (others_begin + number % others.copied().unwrap_or(1)) as usize
                });
                line.queue(port, number, want, target, (key, want.first + side as u32, records.of(key)))?;
            }
        }
        Ok(line)
    }

    fn queue(
        &mut self,
        port: &Port,
        number: u32,
        want: &Want<'_>,
        target: Option<usize>,
        (key, of, record): (u32, u32, Record),
    ) -> Result<(), Error> {
        let name = &port.name;
        // The sockets of one UMEM are in one mode, which the first one takes: with XDP_SHARED_UMEM none may ask for another.
        let taken = want.ports.first().filter(|first| first.name != *name && self.is_zero_copy());
        let doing = |error: &(dyn std::error::Error + 'static)| {
            let why = match (errno(error), taken) {
                (Some(libc::EBUSY), _) => ": another AF_XDP socket holds it (a second instance?)".to_owned(),
                (Some(libc::EOPNOTSUPP), Some(Port { name: first, .. })) => format!(
                    ": {first} has zero-copy and {name} has not, and the two share their memory: name {name} first, so that both copy \
                     (`--between {name} {first}`; after `--remove` where a filter is pinned)"
                ),
                _ => String::new(),
            };
            Error::new(format_args!("cannot bind a socket to {name}, queue {number}: {}{why}", chain(error)))
        };
        let ring = QueueSize::new(self.size).map_err(|error| doing(&error))?;
        let config = SocketConfig::builder()
            .rx_queue_size(ring)
            .tx_queue_size(ring)
            .libxdp_flags(LibxdpFlags::XSK_LIBXDP_FLAGS_INHIBIT_PROG_LOAD)
            .bind_flags(BindFlags::XDP_USE_NEED_WAKEUP)
            .build();
        let interface: Interface = name.parse().map_err(|error: std::ffi::NulError| doing(&error))?;
        // A filter that was here a moment ago is gone before the kernel has let go of its sockets.
        let end = Instant::now() + RELEASED;
        let (tx, rx, rings) = loop {
            // SAFETY: libxdp is told to load no program, which is all that the contract asks for.
            match unsafe { Socket::new(config, &self.umem, &interface, number) } {
                Ok(all) => break all,
                Err(error) if Instant::now() > end || errno(&error) != Some(libc::EBUSY) => return Err(doing(&error)),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        let (fill, comp) = rings.ok_or_else(|| Error::new(format_args!("{name}, queue {number} is bound already")))?;
        let fd = tx.fd().as_raw_fd();
        let zero_copy = options::is_zero_copy(fd);
        if let Some(microseconds) = want.rings.busy_poll_us {
            options::busy_poll(fd, microseconds).map_err(|error| Error::system(format_args!("poll {name} busily"), &error))?;
        }
        record.reset();
        if number == 0 {
            let copy = if zero_copy { "zero-copy" } else { "copy mode (the driver has no zero-copy)" };
            let (queues, mtu) = (port.queues().0, port.mtu()?);
            let driver = port.driver();
            self.choices
                .push(format!("{name}: driver {driver}, MTU {mtu}, {queues} queue(s), each with a socket, {copy}, need_wakeup"));
        }
        self.queues.push(Queue {
            key,
            interface: port.index,
            number,
            port: of,
            tx,
            rx,
            fill,
            comp,
            record,
            target,
            zero_copy,
            filled: 0,
            received: 0,
            sent: 0,
            in_flight: 0,
            dropped: [0; 2],
            fill_empty: 0,
        });
        self.refill(self.queues.len() - 1);
        Ok(())
    }

    /// Each queue's key in the program and its socket.
    pub(super) fn sockets(&self) -> Vec<(u32, RawFd)> {
        self.queues.iter().map(|queue| (queue.key, queue.tx.fd().as_raw_fd())).collect()
    }

    pub(super) const fn len(&self) -> usize {
        self.queues.len()
    }

    /// Whether all of its sockets share memory with the device.
    pub fn is_zero_copy(&self) -> bool {
        self.queues.iter().all(|queue| queue.zero_copy)
    }

    pub(super) fn beat(&self, now_ns: u64) {
        self.queues.iter().for_each(|queue| queue.record.beat(now_ns));
    }

    /// Frames whose transmission has not been confirmed.
    pub(super) fn in_flight(&self) -> u64 {
        self.queues.iter().map(|queue| queue.in_flight).sum()
    }

    /// Chunks that were sent are free again.
    pub(super) fn reclaim(&mut self, at: usize) {
        let Self { queues, free, .. } = self;
        let Some(queue) = queues.get_mut(at) else { return };
        if queue.in_flight == 0 {
            return;
        }
        let start = free.len();
        // As many as a batch sends, so that nothing piles up; room is written before it is filled, and costs.
        let wanted = (2 * BATCH).min(queue.in_flight as usize).min(free.capacity() - start);
        free.resize(start + wanted, FrameDesc::default());
        let room = free.get_mut(start..).unwrap_or_default();
        // SAFETY: what comes back was sent by this queue, of this UMEM, and is in no other place.
        let n = unsafe { queue.comp.consume(room) };
        free.truncate(start + n);
        queue.in_flight = queue.in_flight.saturating_sub(n as u64);
    }

    /// The fill ring gets what it holds, and the program credit for it.
    fn refill(&mut self, at: usize) {
        let Self { queues, free, size, .. } = self;
        let Some(queue) = queues.get_mut(at) else { return };
        let n = (queue.fill.nb_free(*size) as usize).min(free.len());
        let start = free.len() - n;
        // SAFETY: free chunks are in no ring; those taken leave the list with the next line.
        let n = unsafe { queue.fill.produce(free.get(start..).unwrap_or_default()) };
        free.truncate(free.len() - n);
        queue.filled += n as u64;
        // A frame dropped for want of room took a credit and no chunk.
        let dropped = queue.dropped.iter().sum::<u64>();
        queue.record.grant((queue.filled).min(queue.received + u64::from(*size)) + dropped);
        // XDP_USE_NEED_WAKEUP: in zero-copy a driver that found the ring empty looks again when it is told. In copy mode none asks.
        if queue.fill.needs_wakeup() {
            options::receive(queue.tx.fd().as_raw_fd());
        }
    }

    /// Everything that lies in the receive ring is thrown away: the peers have repeated it. How many frames.
    pub(super) fn throw_away(&mut self) -> u64 {
        let mut thrown = 0;
        for at in 0..self.queues.len() {
            // What arrives while this runs is new: no more than lay there.
            let lay = self.queues.get_mut(at).map_or(0, |queue| queue.rx.nb_avail_exact() as usize);
            let mut left = lay;
            while left > 0 {
                let n = self.take(at, left.min(BATCH));
                if n == 0 {
                    break;
                }
                self.free.append(&mut self.batch);
                left -= n;
                thrown += n as u64;
            }
            self.refill(at);
        }
        thrown
    }

    fn take(&mut self, at: usize, most: usize) -> usize {
        let Self { queues, batch, .. } = self;
        let Some(queue) = queues.get_mut(at) else { return 0 };
        let there = queue.rx.nb_avail(u32::try_from(most).unwrap_or(u32::MAX)) as usize;
        batch.resize(there.min(most), FrameDesc::default());
        // SAFETY: what comes was filled by this queue, of this UMEM, and is in no other place.
        let n = unsafe { queue.rx.consume(batch) };
        batch.truncate(n);
        queue.received += n as u64;
        n
    }

    /// One batch of one queue. How many frames there were.
    #[inline]
    pub(super) fn serve<I: Inspect>(&mut self, at: usize, down: u32, inspect: &mut I, counts: &mut Counts) -> usize {
        let target = self.queues.get(at).and_then(|queue| queue.target);
        let mut room = BATCH;
        let mut is_down = false;
        if let Some(target) = target {
            self.reclaim(target);
            if let Some(queue) = self.queues.get_mut(target) {
                is_down = down & (1 << (queue.port & 31)) != 0;
                let free = queue.tx.nb_free(self.size) as usize;
                let tight = free < self.size as usize / 4;
                counts.tight += u64::from(tight);
                inspect.pressure(tight);
                // What cannot leave stays in the receive ring; when that is full, credits end, and the kernel forwards by itself.
                room = if is_down { BATCH } else { free.min(BATCH) };
            }
        }
        let n = self.take(at, room);
        if n == 0 {
            self.refill(at);
            self.kick(target);
            return 0;
        }
        match target {
            Some(_) if is_down => {
                counts.no_carrier += n as u64;
                self.free.append(&mut self.batch);
            }
            Some(target) => {
                self.rewrite(inspect, counts, target);
                self.send(target);
            }
            None => {
                for desc in &self.batch {
                    // SAFETY: a frame just received, in no other place.
                    inspect.frame(unsafe { self.umem.data(desc) }.contents());
                }
                self.free.append(&mut self.batch);
            }
        }
        self.refill(at);
        n
    }

    fn rewrite<I: Inspect>(&mut self, inspect: &mut I, counts: &mut Counts, target: usize) {
        let Self { umem, batch, out, free, queues, size, .. } = self;
        // Places in the transmit ring beyond one for each frame.
        let mut spare = queues.get_mut(target).map_or(0, |queue| queue.tx.nb_free(*size) as usize).saturating_sub(batch.len());
        for mut desc in batch.drain(..) {
            // SAFETY: a frame just received, in no other place.
            inspect.frame(unsafe { umem.data(&desc) }.contents());
            let mut packets = inspect.changed();
            let Some(first) = packets.next() else {
                out.push(desc);
                continue;
            };
            let second = packets.next();
            let fits = |packet: &[u8]| packet.len() <= ROOM as usize;
            let fit = packets.next().is_none() && fits(first) && second.is_none_or(fits);
            match (second, fit) {
                (None, true) => {
                    write(umem, &mut desc, first);
                    out.push(desc);
                    counts.rewritten += 1;
                }
                (Some(second), true) if spare > 0 && !free.is_empty() => {
                    write(umem, &mut desc, first);
                    out.push(desc);
                    if let Some(mut extra) = free.pop() {
                        write(umem, &mut extra, second);
                        out.push(extra);
                        spare -= 1;
                    }
                    counts.rewritten += 1;
                    counts.second += 1;
                }
                // No room: the original passes.
                _ => {
                    counts.no_spare += 1;
                    out.push(desc);
                }
            }
        }
    }

    fn send(&mut self, target: usize) {
        let Self { out, queues, free, .. } = self;
        let Some(queue) = queues.get_mut(target) else { return };
        // SAFETY: each was received or free, is in no other place, and leaves the list below.
        let n = unsafe { queue.tx.produce(out) };
        debug_assert_eq!(n, out.len(), "places were counted before");
        queue.sent += n as u64;
        queue.in_flight += n as u64;
        free.extend_from_slice(out.get(n..).unwrap_or_default());
        out.clear();
        self.kick(Some(target));
    }

    /// Copy mode sends 32 frames a call: until the ring is empty.
    fn kick(&mut self, target: Option<usize>) {
        let size = self.size;
        let Some(queue) = target.and_then(|target| self.queues.get_mut(target)) else { return };
        for _ in 0..=BATCH / 16 {
            if queue.in_flight == 0 || queue.tx.nb_free_exact() == size || !queue.tx.needs_wakeup() {
                return;
            }
            if queue.tx.wakeup().is_err() {
                return;
            }
        }
    }

    /// Wakes the kernel where it waits for us, and asks it for frames where it is polled busily.
    pub(super) fn nudge(&mut self) {
        for at in 0..self.queues.len() {
            self.kick(Some(at));
            self.reclaim(at);
            self.refill(at);
            if self.busy_poll
                && let Some(queue) = self.queues.get(at)
            {
                options::receive(queue.tx.fd().as_raw_fd());
            }
        }
    }

    /// Reads what the kernel dropped at the rings, and tells how each queue is.
    pub(super) fn levels(&mut self, mut tell: impl FnMut(Level)) {
        let size = self.size;
        for queue in &mut self.queues {
            if let Ok(statistics) = queue.tx.fd().xdp_statistics() {
                // In copy mode a frame for which the fill ring has no chunk is among those dropped; in zero-copy none is lost by that.
                queue.dropped = [statistics.rx_ring_full(), statistics.rx_dropped()];
                queue.fill_empty = statistics.rx_fill_ring_empty_descs();
            }
            let in_flight = u32::try_from(queue.in_flight).unwrap_or(size);
            let transmit = size.saturating_sub(queue.tx.nb_free_exact());
            let fill = size.saturating_sub(queue.fill.nb_free_exact());
            let rings =
                [(queue.rx.nb_avail_exact(), size), (transmit, size), (fill, size), (in_flight.saturating_sub(transmit), size)];
            tell(Level {
                interface: queue.interface,
                queue: queue.number,
                rings,
                received: queue.received,
                sent: queue.sent,
                dropped: queue.dropped,
                fill_empty: queue.fill_empty,
            });
        }
    }
}

fn write(umem: &Umem, desc: &mut FrameDesc, packet: &[u8]) {
    // SAFETY: the chunk is at hand and in no other place.
    let mut data = unsafe { umem.data_mut(desc) };
    let mut cursor = data.cursor();
    cursor.set_pos(0);
    // It fits: the caller has looked.
    let _ = std::io::Write::write_all(&mut cursor, packet);
}

fn memory(size: u32, chunks: u32, huge_pages: bool) -> Result<(Umem, Vec<FrameDesc>, bool), Error> {
    let failed =
        |error: &dyn std::error::Error| Error::new(format_args!("cannot make the memory that frames lie in: {}", chain(error)));
    let ring = QueueSize::new(size).map_err(|error| failed(&error))?;
    let config = UmemConfig::builder()
        .frame_size(FrameSize::new(CHUNK).map_err(|error| failed(&error))?)
        .fill_queue_size(ring)
        .comp_queue_size(ring)
        .build()
        .map_err(|error| failed(&error))?;
    let count = NonZeroU32::new(chunks).ok_or_else(|| Error::new("no queues"))?;
    if huge_pages && let Ok((umem, free)) = Umem::new(config, count, true) {
        return Ok((umem, free, true));
    }
    let (umem, free) = Umem::new(config, count, false).map_err(|error| failed(&error))?;
    Ok((umem, free, false))
}

/// Options of the sockets that the library does not know.
mod options;
#[cfg(test)]
mod tests;
