//! What the filter costs on the wire, as ratios in one run on veth: devmap redirect alone, a bare AF_XDP forwarder of the same rings and
//! settings, and the filter between the same two ports. `cargo run --release -p ztsms --example wire_speed [SECONDS [FRAMES A SECOND]]`, as root.
//!
//! Without a rate the sender offers as much as it can, on virtual cards often less than what the worker takes: then rates say little. With
//! one it sends bursts of a batch, and the worker's CPU time a frame is what to compare. What the worker does not take goes by in the
//! kernel and is not counted as its own.

#[cfg(all(feature = "live", target_os = "linux"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    run::run()
}

#[cfg(not(all(feature = "live", target_os = "linux")))]
fn main() {}

#[cfg(all(feature = "live", target_os = "linux"))]
mod run {
    use std::error::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use control::config;
    use control::live::lab::{Nets, frame, messages, renumber};
    use dataplane::lane;
    use dataplane::live::{self, Stage};
    use dataplane::scan::Scanner;
    use dataplane::suffix::Suffixes;
    use dataplane::world::{Network, World};
    use dataplane::xdp::{
        Cause, Counts, Inspect, Judging, Kernel, Line, Nothing, Peer, Port, Program, Raw, Rings, Settings, Setup, Want, start,
    };

    type Result<T> = std::result::Result<T, Box<dyn Error>>;

    fn world() -> Result<World> {
        let suffixes = Suffixes::built_in();
        let table = control::builtin::table(&suffixes)?;
        let policy = config::load_with(None, [])?.policy;
        Ok(World { scanner: Scanner::default(), suffixes, table, policy, network: Network::default() })
    }

    /// Frames of about these many octets, TSNs aside.
    fn frames(octets: usize) -> Result<Vec<Vec<u8>>> {
        let all = messages(4000, 1, 0.25, &world()?)?;
        let payloads: Vec<&[u8]> = all.iter().map(|message| message.sent.as_slice()).collect();
        Ok(match octets {
            64 => vec![frame(&[&[1, 0, 3, 3, 0, 0, 0, 8]], 1)],
            300 => payloads.iter().map(|payload| frame(&[*payload], 1)).collect(),
            _ => payloads.chunks_exact(6).map(|six| frame(six, 1)).filter(|frame| frame.len() <= 1514).collect(),
        })
    }

    /// CPU time of every thread of this name, in clock ticks of 10 ms.
    fn cpu_ms(name: &str) -> u64 {
        let mut sum = 0;
        for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(|entry| entry.ok()) {
            let text = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let Some((head, rest)) = text.rsplit_once(") ") else { continue };
            if head.ends_with(name) {
                let field = |n: usize| rest.split(' ').nth(n).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
                sum += 10 * (field(11) + field(12));
            }
        }
        sum
    }

    struct Measured {
        worker: f64,
        kernel: f64,
        cpu_ns: f64,
        rewritten: u64,
    }

    fn measure(
        octets: usize,
        seconds: u64,
        pace: u64,
        forward: bool,
        inspect: Option<Box<dyn FnOnce() -> Job + Send>>,
    ) -> Result<Measured> {
        let nets = Nets::new("speed")?;
        let stop = Arc::new(AtomicBool::new(false));
        let frames = frames(octets)?;
        thread::scope(|scope| -> Result<Measured> {
            let sending = {
                let (nets, stop) = (&nets, Arc::clone(&stop));
                scope.spawn(move || {
                    let _ = dataplane::pin::to_core(0);
                    let entered = nets.enter('a').map_err(|error| error.to_string());
                    let raw = entered.and_then(|()| Raw::open("a0").map_err(|error| error.to_string()));
                    let Ok(raw) = raw else { return 0_u64 };
                    let (mut frames, mut sent) = (frames, 0_u64);
                    let mut tsn = 1_u32;
                    let begin = Instant::now();
                    while !stop.load(Ordering::Relaxed) {
                        for frame in &mut frames {
                            renumber(frame, tsn);
                            tsn = tsn.wrapping_add(1);
                            sent += u64::from(raw.send(frame).is_ok());
                            // Paced: bursts of a batch, so that what the worker spends is a frame's and not that of looking for one.
                            if pace > 0 && sent.is_multiple_of(64) {
                                let due = Duration::from_nanos(sent * 1_000_000_000 / pace);
                                thread::sleep(due.saturating_sub(begin.elapsed()));
                                if stop.load(Ordering::Relaxed) {
                                    break;
                                }
                            }
                        }
                    }
                    sent
                })
            };
            let result = scope
                .spawn(|| -> std::result::Result<Measured, String> {
                    nets.enter('f').map_err(|error| error.to_string())?;
                    let text = |error: dataplane::xdp::Error| error.to_string();
                    let name = format!("speed{}", nets.suffix());
                    let mut program = Program::load(&name).map_err(text)?;
                    program.configure(&Settings { heartbeat_ns: 1_000_000_000, ..Settings::default() }).map_err(text)?;
                    let ports = [Port::open("a1").map_err(text)?, Port::open("b1").map_err(text)?];
                    for (n, port) in (0..).zip(&ports) {
                        program.port(n, port, if forward { Peer::Port(n ^ 1) } else { Peer::Stack }).map_err(text)?;
                    }
                    let want = Want { ports: &ports, first: 0, forward, rings: Rings::default() };
                    let line = if inspect.is_some() { Some(Line::new(&want, &program).map_err(text)?) } else { None };
                    for port in &ports {
                        program.attach(port).map_err(text)?;
                    }
                    let core = dataplane::pin::cores().last().copied();
                    let setup = Setup { core, heartbeat_ns: 1_000_000_000, spin: false, settled: || () };
                    let mut handle = match (inspect, line) {
                        (Some(job), Some(line)) => Some(job()(line, setup, &mut program).map_err(text)?),
                        _ => None,
                    };
                    thread::sleep(Duration::from_millis(500));
                    let kernel = Kernel::open(&name).map_err(text)?;
                    let counts = || {
                        let port = kernel.port(0);
                        let by = Cause::ALL.iter().zip(port).filter(|(cause, _)| cause.is_unscanned());
                        (port.first().copied().unwrap_or_default(), by.map(|(_, n)| n).sum::<u64>())
                    };
                    let (begin, cpu, before) = (Instant::now(), cpu_ms("ztsms-lane"), counts());
                    thread::sleep(Duration::from_secs(seconds));
                    let (elapsed, cpu, after) = (begin.elapsed().as_secs_f64(), cpu_ms("ztsms-lane") - cpu, counts());
                    stop.store(true, Ordering::Relaxed);
                    let last = handle.as_mut().and_then(|handle| handle.stop(&mut program)).unwrap_or_default();
                    let taken = (after.0 - before.0) as f64;
                    Ok(Measured {
                        worker: taken / elapsed,
                        kernel: (after.1 - before.1) as f64 / elapsed,
                        cpu_ns: cpu as f64 * 1e6 / taken.max(1.0),
                        rewritten: Counts::named(&last).iter().find(|(name, _)| *name == "rewritten").map_or(0, |(_, n)| *n),
                    })
                })
                .join();
            stop.store(true, Ordering::Relaxed);
            let _ = sending.join();
            Ok(result.map_err(|_| "a thread broke down")??)
        })
    }

    type Job = Box<dyn FnOnce(Line, Setup, &mut Program) -> std::result::Result<dataplane::xdp::Handle, dataplane::xdp::Error>>;

    fn job<I: Inspect + Send + 'static>(inspect: I) -> Job {
        Box::new(move |line, setup, program| start(vec![line], inspect, setup, program))
    }

    fn judging(stage: Stage) -> Result<Judging> {
        let worlds = live::Worlds::new(world()?, stage);
        let (side, control) = worlds.channel(&live::Setup { notes: 64, ..live::Setup::default() });
        // Nobody reads the notes here: full rings are counted and dropped, as they would be behind a slow writer.
        std::mem::forget((worlds, control));
        Ok(Judging::new(&lane::Setup::default(), side))
    }

    pub(super) fn run() -> Result<()> {
        let seconds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(3);
        let pace = std::env::args().nth(2).and_then(|n| n.parse().ok()).unwrap_or(0);
        println!("octets  what              worker/s  by kernel/s  CPU ns/frame  rewritten");
        for octets in [64, 300, 1400] {
            let (mut bare, mut bare_cpu) = (0.0, 0.0);
            for what in ["devmap alone", "bare AF_XDP", "inline", "bare AF_XDP", "inline", "tap"] {
                let inspect: Option<Box<dyn FnOnce() -> Job + Send>> = match what {
                    "devmap alone" => None,
                    "bare AF_XDP" => Some(Box::new(|| job(Nothing))),
                    _ => {
                        let judging = judging(Stage::all())?;
                        Some(Box::new(move || job(judging)))
                    }
                };
                let m = measure(octets, seconds, pace, what != "tap", inspect)?;
                if what == "bare AF_XDP" {
                    (bare, bare_cpu) = (m.worker, m.cpu_ns);
                }
                let ratio = if what == "inline" {
                    format!("  {:.2} of bare by rate, {:.2} by CPU", m.worker / bare, bare_cpu / m.cpu_ns)
                } else {
                    String::new()
                };
                println!(
                    "{octets:6}  {what:16}  {:8.0}  {:11.0}  {:12.0}  {:9}{ratio}",
                    m.worker, m.kernel, m.cpu_ns, m.rewritten
                );
            }
        }
        Ok(())
    }
}
