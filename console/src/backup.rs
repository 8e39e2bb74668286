//! Backups: one `tar.gz` of everything that cannot be made again, taken while the console runs, and put back elsewhere.
//!
//! ```text
//! manifest.json    version, time, head of the audit log, SHA-256 of each file     console.db    a consistent copy
//! lists/xx/…       every list that a version points at                            keys.sealed   only where a key was named for it
//! ```
//!
//! Keys (what signs, what fingerprints are made with, what opens the `work` stream) are not in it, unless they are sealed to a public key whose secret half lies
//! elsewhere: a sealed box as libsodium's `crypto_box_seal` makes it.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use control::record_json::hex;
use control::spool::{ConsoleKey, SecretKey, new_secret_key, secret_key};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::desk::Lock;
use crate::sources::{self, normal};
use crate::store::Store;
use crate::{Error, Result, audit, publish, time};

/// The keys of a data directory, as they lie in it.
const KEYS: [&str; 2] = ["keys/verdicts.key", "verdicts/key"];
/// What a directory may hold into which a backup is put back.
const NOTHING: [&str; 2] = ["lock", "lost+found"];
/// The database of a restore that has not come to its end. Everything beside it is that restore's.
const RESTORED: &str = "restored.db";
/// Where a restored directory has the key of the `work` stream, which lies elsewhere before.
const WORK_KEY: &str = "keys/work.key";
/// The small fact: where that key lies, as the last `serve` was told.
pub(crate) const WORK_KEY_FACT: &str = "work-key";
/// In front of a secret key for backups, so that it is not taken for the public one.
const SECRET: &str = "secret ";
const MANIFEST: &str = "manifest.json";
const SEALED: &str = "keys.sealed";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the program that made it.
    pub version: String,
    /// When, Unix seconds.
    pub made: i64,
    /// The end of the audit log in it.
    pub audit: Option<String>,
    /// Whether keys are in it, sealed.
    pub keys: bool,
    /// The public key that they are sealed for.
    #[serde(default)]
    pub sealed_for: Option<String>,
    /// Why all filters were told to observe, if they were.
    #[serde(default)]
    pub observing: Option<String>,
    /// SHA-256 of each other file.
    pub files: BTreeMap<String, String>,
}

/// Makes a key pair for backups: the secret half into `path`, which must not exist; the public half is returned.
///
/// # Errors
/// The file exists or cannot be written.
pub fn make_key(path: &Path) -> Result<String> {
    let secret = new_secret_key();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(Error::file(path, "make"))?;
    writeln!(file, "{SECRET}{}", hex(&secret.to_bytes())).and_then(|()| file.sync_all()).map_err(Error::file(path, "write"))?;
    Ok(ConsoleKey::of(&secret).to_hex())
}

/// The public key of a file, by its text.
///
/// # Errors
/// It is none, or the secret half.
pub fn public_key(text: &str) -> Result<ConsoleKey> {
    if text.trim().starts_with(SECRET.trim()) {
        return Error::refused("this is the secret half: keys are sealed for the public one, which `backup-key` printed");
    }
    ConsoleKey::parse(text.trim()).map_err(|error| Error::Refused(format!("the key for keys: {error}")))
}

/// Writes a backup of `dir` to `to`, by another name first. The caller keeps lists from being swept meanwhile.
///
/// # Errors
/// `to` exists or cannot be written: nothing of it stays.
pub fn make(store: &Store, dir: &Path, to: &Path, keys_for: Option<&ConsoleKey>) -> Result<Manifest> {
    if to.exists() {
        return Error::refused(format!("{}: exists already", to.display()));
    }
    let (copy, mut new) = (dir.join("backup.db"), to.as_os_str().to_owned());
    new.push(".new");
    let new = PathBuf::from(new);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    let file = file.map_err(Error::file(&new, "make"))?;
    // What a process that was killed left of one.
    let _ = fs::remove_file(&copy);
    let made = store.copy_to(&copy).and_then(|()| write(dir, &copy, (file, &new), keys_for));
    let _ = fs::remove_file(&copy);
    let made = made.and_then(|manifest| fs::rename(&new, to).map(|()| manifest).map_err(Error::file(to, "write")));
    if made.is_err() {
        let _ = fs::remove_file(&new);
    }
    made
}

fn write(dir: &Path, copy: &Path, (file, to): (File, &Path), keys_for: Option<&ConsoleKey>) -> Result<Manifest> {
    let failed = Error::file(to, "write");
    let state = rusqlite::Connection::open(copy)?;
    let sums: Vec<String> = state
        .prepare("SELECT DISTINCT sha256 FROM versions ORDER BY 1")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let head = audit::head(&state)?.map(|head| head.to_string());
    let work_key = sources::fact(&state, WORK_KEY_FACT)?.map(PathBuf::from);
    drop(state);
    let lists = dir.join("lists");
    let mut files: BTreeMap<String, (PathBuf, String)> = BTreeMap::new();
    files.insert("console.db".to_owned(), (copy.to_owned(), sum_of(copy)?));
    for sum in sums {
        let name = format!("lists/{}/{sum}", sum.get(..2).unwrap_or_default());
        files.insert(name, (normal::path(&lists, &sum), sum));
    }
    let manifest = Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made: time::now(),
        audit: head,
        keys: keys_for.is_some(),
        sealed_for: keys_for.map(ConsoleKey::to_hex),
        observing: publish::observing(&dir.join("verdicts")),
        files: files.iter().map(|(name, (_, sum))| (name.clone(), sum.clone())).collect(),
    };
    let sealed = keys_for.map(|key| seal(dir, work_key.as_deref(), key)).transpose()?;
    let pack = move || -> io::Result<Manifest> {
        let mut tar = tar::Builder::new(GzEncoder::new(BufWriter::new(file), Compression::fast()));
        let said = serde_json::to_vec_pretty(&manifest).map_err(io::Error::other)?;
        let texts = [(MANIFEST, Some(said)), (SEALED, sealed)];
        for (name, octets) in texts.iter().filter_map(|(name, octets)| Some((name, octets.as_ref()?))) {
            let mut header = tar::Header::new_gnu();
            header.set_size(octets.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(manifest.made.unsigned_abs());
            tar.append_data(&mut header, name, &octets[..])?;
        }
        for (name, (path, _)) in &files {
            tar.append_path_with_name(path, name)?;
        }
        let file = tar.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(manifest)
    };
    pack().map_err(failed)
}

fn seal(dir: &Path, work_key: Option<&Path>, key: &ConsoleKey) -> Result<Vec<u8>> {
    let own = KEYS.into_iter().map(|name| (name, dir.join(name)));
    let mut keys = BTreeMap::new();
    for (name, path) in own.chain(work_key.map(|path| (WORK_KEY, path.to_owned()))) {
        keys.insert(name, fs::read_to_string(&path).map_err(Error::file(&path, "read"))?);
    }
    let plain = serde_json::to_vec(&keys).map_err(|error| Error::Refused(error.to_string()))?;
    let sealed = key.seal(&plain);
    if sealed.is_empty() { Error::refused("the key for the backup is one that nothing can be sealed for") } else { Ok(sealed) }
}

fn sum_of(path: &Path) -> Result<String> {
    let failed = || Error::file(path, "read");
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed())?);
    let mut sum = Sha256::new();
    io::copy(&mut file, &mut sum).map_err(failed())?;
    Ok(hex(&sum.finalize()))
}

/// Puts a backup back into a directory that holds nothing yet, and compares every file with its sum. Without its keys new ones are made at
/// the first start: filters then need the new `verdicts.pub`.
///
/// # Errors
/// The directory holds something; the backup is damaged or of a later version; its keys are sealed for another key.
pub fn restore(from: &Path, dir: &Path, secret: Option<&Path>) -> Result<Manifest> {
    if dir.join("console.db").exists() {
        return Error::refused(format!("{}: holds a console already; restore into another directory", dir.display()));
    }
    fs::DirBuilder::new().recursive(true).mode(0o750).create(dir).map_err(Error::file(dir, "make"))?;
    let _lock = Lock::take(dir)?;
    if dir.join(RESTORED).exists() {
        clear(dir)?;
    }
    // What another console left would count beside what is restored: SQLite reads a log that lies beside a database of its name.
    for entry in fs::read_dir(dir).map_err(Error::file(dir, "read"))? {
        let name = entry.map_err(Error::file(dir, "read"))?.file_name();
        if !NOTHING.iter().any(|nothing| name == *nothing) {
            let (dir, name) = (dir.display(), name.display());
            return Error::refused(format!("{dir}: holds {name}; restore into a directory that holds nothing"));
        }
    }
    let done = put_back(from, dir, secret);
    if done.is_err() {
        // The next try begins with what this one left, if it cannot be removed.
        let _ = clear(dir);
    }
    done
}

/// Removes what a restore that was broken off left.
fn clear(dir: &Path) -> Result<()> {
    for name in ["lists", "keys", "verdicts", "restored.db-journal", RESTORED] {
        let path = dir.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        if let Err(error) = removed.as_ref()
            && error.kind() != io::ErrorKind::NotFound
        {
            return removed.map_err(Error::file(&path, "remove"));
        }
    }
    Ok(())
}

fn put_back(from: &Path, dir: &Path, secret: Option<&Path>) -> Result<Manifest> {
    let (manifest, sealed) = unpack(from, dir)?;
    for (name, sum) in &manifest.files {
        let path = dir.join(if name == "console.db" { RESTORED } else { name });
        if !path.exists() || sum_of(&path)? != *sum {
            return Error::refused(format!("{}: {name} is not as it was when the backup was made", from.display()));
        }
    }
    let restored = dir.join(RESTORED);
    let state = rusqlite::Connection::open(&restored)?;
    let whole: String = state.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if whole != "ok" {
        return Error::refused(format!("{}: its database is damaged: {whole}", from.display()));
    }
    audit::verify(&state, &manifest.audit.clone().into_iter().collect::<Vec<_>>())?;
    drop(state);
    if let Some(secret) = secret {
        let text = fs::read_to_string(secret).map_err(Error::file(secret, "read"))?;
        let key = secret_key(text.trim()).map_err(|error| Error::Refused(format!("{}: {error}", secret.display())))?;
        unseal(dir, sealed.as_deref(), &key)?;
    }
    // Filters that were told to observe go on to, under the first file that they follow.
    if let Some(why) = &manifest.observing {
        let verdicts = dir.join("verdicts");
        fs::create_dir_all(&verdicts).map_err(Error::file(&verdicts, "make"))?;
        publish::observe(&verdicts, Some(why))?;
    }
    // The database last: until it has its name, the directory holds nothing.
    fs::rename(&restored, dir.join("console.db")).map_err(Error::file(dir, "write"))?;
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::file(dir, "write"))?;
    Ok(manifest)
}

fn unpack(from: &Path, dir: &Path) -> Result<(Manifest, Option<Vec<u8>>)> {
    let damaged = |error: io::Error| Error::File(from.to_owned(), "read", error);
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(File::open(from).map_err(damaged)?)));
    let (mut manifest, mut sealed) = (None, None);
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let name = entry.path().map_err(damaged)?.into_owned();
        let mut octets = Vec::new();
        if name == Path::new(MANIFEST) {
            entry.read_to_end(&mut octets).map_err(damaged)?;
            let read = serde_json::from_slice::<Manifest>(&octets);
            manifest = Some(read.map_err(|error| Error::Refused(format!("{}: {MANIFEST}: {error}", from.display())))?);
        } else if name == Path::new(SEALED) {
            entry.read_to_end(&mut octets).map_err(damaged)?;
            sealed = Some(octets);
        } else {
            // What the manifest, which stands first, does not name is not written anywhere.
            let known = manifest.as_ref().is_some_and(|m: &Manifest| m.files.contains_key(&*name.to_string_lossy()));
            if !known || name.components().any(|part| !matches!(part, Component::Normal(_))) {
                return Error::refused(format!("{}: {} is not in its manifest", from.display(), name.display()));
            }
            let path = dir.join(if name == Path::new("console.db") { Path::new(RESTORED) } else { &name });
            let folder = path.parent().unwrap_or(dir);
            fs::create_dir_all(folder).map_err(Error::file(folder, "make"))?;
            let mut file = File::create(&path).map_err(Error::file(&path, "write"))?;
            io::copy(&mut entry, &mut file).and_then(|_| file.sync_all()).map_err(Error::file(&path, "write"))?;
        }
    }
    let manifest = manifest.ok_or_else(|| Error::Refused(format!("{}: no backup: it has no {MANIFEST}", from.display())))?;
    Ok((manifest, sealed))
}

fn unseal(dir: &Path, sealed: Option<&[u8]>, key: &SecretKey) -> Result<()> {
    let Some(sealed) = sealed else { return Error::refused("this backup holds no keys") };
    let plain = key.unseal(sealed).map_err(|_| Error::Refused("its keys are sealed for another key".to_owned()))?;
    let keys: BTreeMap<String, String> = serde_json::from_slice(&plain).map_err(|error| Error::Refused(error.to_string()))?;
    for name in KEYS.into_iter().chain([WORK_KEY]) {
        let (Some(text), path) = (keys.get(name), dir.join(name)) else { continue };
        let folder = path.parent().unwrap_or(dir);
        // As the publisher makes them: filters read the one, nobody else the other.
        let mode = if name.starts_with("keys/") { 0o700 } else { 0o755 };
        fs::DirBuilder::new().recursive(true).mode(mode).create(folder).map_err(Error::file(folder, "make"))?;
        let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let write = |mut file: File| file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        open.and_then(write).map_err(Error::file(&path, "write"))?;
    }
    Ok(())
}
