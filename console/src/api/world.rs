//! What is in force, as the API judges by it: the verdict directory followed like a filter follows it, and swapped whole.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use control::build::suspended;
use control::{config, world};
use dataplane::policy::Policy;
use dataplane::world::{Network, World};

use crate::desk::Desk;
use crate::publish::observes;
use crate::{Error, Result, time};

/// Between two looks at the directory.
const LOOK: Duration = Duration::from_millis(50);
/// Looks after which uses of keys are written down.
const USES: u32 = 200;

/// One state, for the whole of a request.
pub(super) struct InForce {
    pub(super) world: Arc<World>,
    /// All filters were told to observe: so is whoever asks here.
    pub(super) observe: bool,
}

/// Inode, time and length of the files that make the world.
type Stamps = [Option<(u64, i64, i64, u64)>; 4];

/// The state, followed.
pub(super) struct Live {
    dir: PathBuf,
    policy_file: Option<PathBuf>,
    policy: Mutex<Policy>,
    now: ArcSwap<InForce>,
    /// Worlds taken.
    pub(super) taken: AtomicU64,
    /// Looks at which what stands in the directory could not be read; the world before it stays.
    pub(super) refused: AtomicU64,
}

impl Live {
    /// Reads what is in force.
    ///
    /// # Errors
    /// The policy or the directory cannot be read.
    pub(super) fn open(dir: &Path, policy_file: Option<PathBuf>) -> Result<Self> {
        let policy = read_policy(policy_file.as_deref())?;
        let world = Arc::new(world::open_as_of(Some(dir), time::now_unsigned(), policy.clone(), Network::default())?);
        let now = ArcSwap::from_pointee(InForce { world, observe: observes(dir) });
        let (taken, refused) = (AtomicU64::new(1), AtomicU64::new(0));
        Ok(Self { dir: dir.to_owned(), policy_file, policy: Mutex::new(policy), now, taken, refused })
    }

    /// The state of this moment.
    pub(super) fn now(&self) -> Guard<Arc<InForce>> {
        self.now.load()
    }

    /// Reads the policy anew; what cannot be read leaves the one before in force.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn reload_policy(&self) -> Result<()> {
        let policy = read_policy(self.policy_file.as_deref())?;
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
        self.take()
    }

    /// Reads the directory and puts it in force.
    fn take(&self) -> Result<()> {
        let policy = self.policy.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let world = Arc::new(world::open_as_of(Some(&self.dir), time::now_unsigned(), policy, Network::default())?);
        self.now.store(Arc::new(InForce { world, observe: self.now().observe }));
        self.taken.fetch_add(1, Relaxed);
        Ok(())
    }

    fn stamps(&self) -> Stamps {
        ["snapshot", "overlay", "senders", suspended::FILE].map(|name| {
            let meta = fs::metadata(self.dir.join(name)).ok()?;
            Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
        })
    }

    fn look(&self, seen: &mut Option<Stamps>) {
        let observe = observes(&self.dir);
        if self.now().observe != observe {
            self.now.store(Arc::new(InForce { world: Arc::clone(&self.now().world), observe }));
        }
        // Taken before reading: what changes meanwhile is seen at the next look.
        let stamps = self.stamps();
        if *seen != Some(stamps) {
            match self.take() {
                Ok(()) => *seen = Some(stamps),
                Err(_) => drop(self.refused.fetch_add(1, Relaxed)),
            }
        }
    }
}

fn read_policy(file: Option<&Path>) -> Result<Policy> {
    config::load(file).map(|config| config.policy).map_err(|error| Error::Refused(error.to_string()))
}

/// The thread that follows; dropped, it ends.
pub(super) struct Follower {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Begins to follow. The thread writes down when keys were used, too.
///
/// # Errors
/// No thread could be made.
pub(super) fn follow(live: Arc<Live>, desk: Arc<Desk>) -> Result<Follower> {
    let (stop, stopped) = channel::<()>();
    let thread = std::thread::Builder::new().name("api-world".to_owned()).spawn(move || {
        let (mut seen, mut looks) = (None, 0u32);
        while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            live.look(&mut seen);
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(USES) {
                // It is tried again, with what was used since.
                let _ = desk.keys().write_uses(desk.store());
            }
        }
        let _ = desk.keys().write_uses(desk.store());
    });
    let thread = thread.map_err(Error::file("".as_ref(), "start a thread for the API"))?;
    Ok(Follower { stop: Some(stop), thread: Some(thread) })
}
