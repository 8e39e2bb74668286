//! From lists to a snapshot in the verdict directory.
//!
//! ```text
//! DIR/key            16 secret octets in hexadecimal, mode 0600, made at the first build and kept
//! DIR/overlay        what was decided since, bound to the snapshot in force
//! DIR/snapshot       the snapshot in force, replaced by renaming     DIR/snapshot.1 … .3   those before it
//! DIR/senders        protected senders     DIR/*.sig   signatures     DIR/observe   while it stands there, filters observe
//! ```

pub mod overlay;
pub mod senders;
pub mod signed;
pub mod suspended;

use crate::lists::{self, Format, Item, Lends, Summary};
use dataplane::canonical::RULES_VERSION;
use dataplane::suffix::{BadList, Suffixes};
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::{BuildError, Builder, Built, Happened};
use dataplane::verdicts::pattern::BadPattern;
use dataplane::verdicts::{Key, Layer, NotTaken, OpenError, Refused, Snapshot, Table, regular};
use serde::Serialize;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Snapshots kept for going back.
pub const KEPT: usize = 3;

/// A list to build from, and what it lends.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// What its entries are.
    pub what: What,
}

/// What the entries of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The operator's own CSV.
    Own,
    /// A feed with that verdict.
    Verdict(Verdict),
    /// A list of platforms.
    Platform,
    /// Ranks for triage.
    Rank,
}

/// What went wrong, and where.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
    /// A snapshot was refused.
    #[error("{0}: {1}")]
    Open(PathBuf, #[source] OpenError),
    /// The table was refused.
    #[error("{0}: {1}")]
    Refused(PathBuf, #[source] Refused),
    /// The built-in set was refused.
    #[error(transparent)]
    BuiltIn(#[from] crate::builtin::Error),
    /// The key file is not a key.
    #[error("{0}: not a key of 32 hexadecimal digits")]
    Key(PathBuf),
    /// The suffix list beside a snapshot cannot be read.
    #[error("{0}: {1}")]
    Suffixes(PathBuf, #[source] BadList),
    /// The builder gave up.
    #[error("{0}")]
    Build(#[from] BuildError),
    /// Lists that would leave a table without what was in force: why, list by list, and what was read of all.
    #[error("{}", .0.join("\n"))]
    Unfit(Vec<String>, Vec<ListReport>),
    /// A word that is no pattern.
    #[error("pattern {0:?}: {1}")]
    Pattern(String, #[source] BadPattern),
    /// There is no decision to take back.
    #[error("{0}: nothing was decided about {1:?} since the snapshot was built")]
    NotDecided(PathBuf, String),
    /// There is none to go back to.
    #[error("{0}: no earlier snapshot to go back to")]
    NoEarlier(PathBuf),
    /// A list that says no verdict: the option that lends one is `verdicts build`'s.
    #[error("{0}: neither a verdict directory, a snapshot, nor a list with `pattern,verdict,…` in its first line")]
    NoVerdicts(PathBuf),
    /// The overlay's first line does not name its snapshot.
    #[error("{0}: not an overlay: its first line does not name a snapshot")]
    NotAnOverlay(PathBuf),
    /// A line of the overlay cannot be read.
    #[error("{0}: line {1}: {2}")]
    OverlayLine(PathBuf, u64, String),
    /// A file that holds no signing key.
    #[error("{0}: not a key of 64 hexadecimal digits")]
    SigningKey(PathBuf),
    /// No signature of the console's key fits a file.
    #[error("{0}: not signed by the console's key")]
    NotSigned(PathBuf),
    /// An older one than was in force: file, its number, the number that was in force.
    #[error("{0}: signed as number {1}, and number {2} was in force: an older file was put back")]
    Older(PathBuf, u64, u64),
    /// A file that was in force is gone: file, its number.
    #[error("{0}: is gone, and number {1} was in force: the console never takes it away")]
    Gone(PathBuf, u64),
    /// A decision does not fit the overlay.
    #[error("{0}: {1}: {2}")]
    NotTaken(PathBuf, String, #[source] NotTaken),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |error| Error::Io(path.to_owned(), error)
}

/// What reading one list came to.
#[derive(Clone, Debug, Serialize)]
pub struct ListReport {
    /// The file.
    pub file: String,
    /// What was read of it.
    #[serde(flatten)]
    pub summary: Summary,
}

/// A rule for triage, or one that was not taken as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemarkReport {
    /// Its pattern.
    pub pattern: String,
    /// Its list.
    pub source: String,
    /// What happened.
    pub what: String,
    /// Rank of its host, where a ranked list has it.
    pub rank: Option<u64>,
}

/// Reads all sources and builds. `now` is Unix seconds.
///
/// # Errors
/// A file that cannot be read, or the builder's.
pub fn build(
    sources: &[Source],
    now: u64,
    key: &Key,
    suffixes: &Suffixes,
) -> Result<(Built, Vec<ListReport>, Vec<RemarkReport>), Error> {
    let (mut builder, mut ranks, mut reports) = (Builder::new(), HashMap::new(), Vec::new());
    for source in sources {
        let name = source.path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (verdict, layer) = match source.what {
            What::Own => (None, Layer::Local),
            What::Verdict(verdict) => (Some(verdict), Layer::Feed),
            What::Platform | What::Rank => (None, Layer::Feed),
        };
        let lends = Lends { verdict, platform: source.what == What::Platform, layer, source: &name, category: &name };
        let mut give = |item: Item<'_>| match item {
            Item::Rule(rule) => builder.add(&rule),
            Item::Rank(rank, host) => {
                ranks.insert(host.to_owned(), rank);
            }
        };
        let file = File::open(&source.path).map_err(at(&source.path))?;
        let summary = lists::read(file, lends, &mut give).map_err(at(&source.path))?;
        reports.push(ListReport { file: source.path.display().to_string(), summary });
    }
    let built = builder.build(now, key, suffixes)?;
    let mut remarks: Vec<_> = built
        .remarks
        .iter()
        .map(|remark| {
            let host = remark.pattern.trim_start_matches(['=', '@']).split('/').next().unwrap_or_default();
            let rank = ranks.get(suffixes.registrable(host).unwrap_or(host)).copied();
            RemarkReport { pattern: remark.pattern.clone(), source: remark.source.clone(), what: what(&remark.what), rank }
        })
        .collect();
    remarks.sort_by_key(|remark| remark.rank.unwrap_or(u64::MAX));
    Ok((built, reports, remarks))
}

/// Why a list is not taken unasked: with it, or what is left of it, a table would lose what it said before.
pub(crate) fn unfit(source: &Source, summary: &Summary) -> Option<String> {
    let Summary { format, entries, rules, bad, .. } = *summary;
    let given = if source.what == What::Rank { entries.saturating_sub(bad) } else { rules };
    let why = match (source.what, format) {
        (What::Rank, Format::Ranked) if given > 0 => return None,
        (What::Rank, other) if entries > 0 && other != Format::Ranked => {
            format!("a ranked list is rank,domain a line, this is {other:?}")
        }
        (What::Verdict(_) | What::Platform, Format::Ranked) => {
            "rank,domain a line lends no verdict: popular is not safe. Name it with --rank, for triage".to_owned()
        }
        (What::Own, other) if entries > 0 && other != Format::Own => format!(
            "a list of our own begins with pattern,verdict,…; this is {other:?}, which says no verdict: lend it one by --dangerous, --platform or --safe"
        ),
        _ if given == 0 && bad > 0 => format!("not one of {entries} lines can be read"),
        _ if given == 0 => "not one entry in it".to_owned(),
        // Half of a list in a format of tomorrow is as good as none.
        _ if bad > entries / 2 => format!("{bad} of {entries} lines cannot be read: has the list another format now?"),
        _ => return None,
    };
    Some(format!("{}: {why}", source.path.display()))
}

fn what(happened: &Happened) -> String {
    match happened {
        Happened::DangerousBelowLocalSafe(local) => format!("a feed calls dangerous what the local safe {local} covers"),
        Happened::DeepPath => "path too deep: holds for exactly this path".to_owned(),
        Happened::NoVerdict => "no verdict".to_owned(),
        Happened::TooLong => "pattern too long".to_owned(),
    }
}

/// The key of a verdict directory.
///
/// # Errors
/// The file cannot be read or is no key.
pub fn read_key(dir: &Path) -> Result<Key, Error> {
    let path = dir.join("key");
    let text = regular::text(&path).map_err(at(&path))?;
    let number = u128::from_str_radix(text.trim(), 16).ok().filter(|_| text.trim().len() == 32);
    number.map(|number| Key::new(&number.to_be_bytes())).ok_or(Error::Key(path))
}

/// The key of a verdict directory, made if there is none.
///
/// # Errors
/// As [`read_key`], or it cannot be written.
pub fn key_of(dir: &Path) -> Result<Key, Error> {
    let path = dir.join("key");
    if path.exists() {
        return read_key(dir);
    }
    let secret = secret()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(at(&path))?;
    writeln!(file, "{:032x}", u128::from_be_bytes(secret)).and_then(|()| file.sync_all()).map_err(at(&path))?;
    read_key(dir)
}

fn secret() -> Result<[u8; 16], Error> {
    let mut secret = [0; 16];
    let random = Path::new("/dev/urandom");
    File::open(random).and_then(|mut file| file.read_exact(&mut secret)).map_err(at(random))?;
    Ok(secret)
}

fn earlier(dir: &Path, n: usize) -> PathBuf {
    dir.join(format!("snapshot.{n}"))
}

/// Puts a snapshot in force: written whole under another name, synced, renamed. The one before it is kept.
///
/// # Errors
/// The directory cannot be written; what was in force stays so.
pub fn install(dir: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (new, current) = (dir.join("snapshot.new"), dir.join("snapshot"));
    let written = File::create(&new).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    if let Err(error) = written {
        // Half a snapshot would take the room that decisions need.
        let _ = fs::remove_file(&new);
        return Err(Error::Io(new, error));
    }
    if current.exists() {
        for n in (1..KEPT).rev().filter(|n| earlier(dir, *n).exists()) {
            fs::rename(earlier(dir, n), earlier(dir, n + 1)).map_err(at(dir))?;
        }
        // A second name, not a move: there is a snapshot in force at every moment.
        fs::hard_link(&current, earlier(dir, 1)).map_err(at(dir))?;
    }
    fs::rename(&new, &current).map_err(at(&current))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

/// The snapshot that [`go_back`] puts in force: whole, and made with this key, these rules and this suffix list.
///
/// # Errors
/// There is none, or it is refused.
pub fn before(dir: &Path, key: &Key, suffixes: &Suffixes) -> Result<Snapshot, Error> {
    let path = earlier(dir, 1);
    if !path.exists() {
        return Err(Error::NoEarlier(dir.to_owned()));
    }
    let snapshot = Snapshot::open(&path).map_err(|error| Error::Open(path.clone(), error))?;
    let fits = snapshot.fits(key.check(), RULES_VERSION.into(), suffixes.id()).and_then(|()| snapshot.verify());
    fits.map(|()| snapshot).map_err(|why| Error::Refused(path, why))
}

/// The ids of the snapshot in force and of those kept, as far as they can be read.
fn kept(dir: &Path) -> Vec<u64> {
    let files = core::iter::once(dir.join("snapshot")).chain((1..=KEPT).map(|n| earlier(dir, n)));
    files.filter_map(|file| Snapshot::open(&file).ok()).map(|snapshot| snapshot.id()).collect()
}

/// Puts the snapshot before the present one ([`before`]) in force again.
///
/// # Errors
/// There is none, or the directory cannot be written.
pub fn go_back(dir: &Path) -> Result<(), Error> {
    fs::rename(earlier(dir, 1), dir.join("snapshot")).map_err(at(dir))?;
    for n in (2..=KEPT).filter(|n| earlier(dir, *n).exists()) {
        fs::rename(earlier(dir, n), earlier(dir, n - 1)).map_err(at(dir))?;
    }
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

/// The suffix list that a verdict directory, or a snapshot in one, was built with: the file `suffixes` in it, else the one compiled in.
///
/// # Errors
/// The file cannot be read, or is no such list.
pub fn suffixes(path: Option<&Path>) -> Result<Suffixes, Error> {
    let dir = path.map(|path| if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) });
    let file = dir.map(|dir| dir.join("suffixes")).filter(|file| file.is_file());
    file.map_or_else(|| Ok(Suffixes::built_in()), |file| read_suffixes(&file).map(|(suffixes, _)| suffixes))
}

/// A suffix list out of a file, and the file's text.
///
/// # Errors
/// As [`suffixes`].
pub fn read_suffixes(file: &Path) -> Result<(Suffixes, String), Error> {
    let text = fs::read_to_string(file).map_err(at(file))?;
    let suffixes = Suffixes::from_file(&text).map_err(|why| Error::Suffixes(file.to_owned(), why))?;
    Ok((suffixes, text))
}

/// Opens what `--verdicts` names: a verdict directory, or a snapshot with its key beside it. What was decided since (`overlay`) counts, and what is `suspended`
/// does not.
///
/// # Errors
/// A file cannot be read or is refused, or the overlay is of another snapshot.
pub fn open(path: &Path, suffixes: &Suffixes) -> Result<Table, Error> {
    open_as_of(path, unix_seconds(), suffixes)
}

pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The same as of `now`, Unix seconds: decisions that have ended by then are left out.
///
/// # Errors
/// As [`open`].
pub fn open_as_of(path: &Path, now: u64, suffixes: &Suffixes) -> Result<Table, Error> {
    let (dir, file) =
        if path.is_dir() { (path, path.join("snapshot")) } else { (path.parent().unwrap_or(Path::new(".")), path.to_owned()) };
    let snapshot = Snapshot::open(&file).map_err(|error| Error::Open(file.clone(), error))?;
    let key = read_key(dir)?;
    let overlay = if path.is_dir() { overlay::read(dir, now, &snapshot, &key, suffixes)? } else { None };
    let table = Table::new(snapshot, overlay, key, suffixes).map_err(|why| Error::Refused(file, why))?;
    Ok(if path.is_dir() { suspended::read(dir)?.table(table) } else { table })
}

/// Opens a verdict directory, a snapshot, or one list in our own format, which is built in memory with a key of the moment.
///
/// # Errors
/// As [`open`] and [`build`]; a list of another format, since it says no verdict.
pub fn open_any(path: &Path, now: u64, suffixes: &Suffixes) -> Result<Table, Error> {
    let mut start = Vec::new();
    if !path.is_dir() {
        File::open(path).and_then(|file| file.take(LIST_START).read_to_end(&mut start)).map_err(at(path))?;
    }
    if path.is_dir() || start.starts_with(b"ZTSVERD\n") {
        return open(path, suffixes);
    }
    if lists::detect(&String::from_utf8_lossy(&start)) != lists::Format::Own {
        return Err(Error::NoVerdicts(path.to_owned()));
    }
    let key = new_key()?;
    let (built, ..) = build(&[Source { path: path.to_owned(), what: What::Own }], now, &key, suffixes)?;
    let refused = |why| Error::Refused(path.to_owned(), why);
    Table::new(Snapshot::from_bytes(&built.bytes).map_err(refused)?, None, key, suffixes).map_err(refused)
}

/// Octets by which a list's format is told.
const LIST_START: u64 = 64 * 1024;

fn new_key() -> Result<Key, Error> {
    secret().map(|secret| Key::new(&secret))
}
