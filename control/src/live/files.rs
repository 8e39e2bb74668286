//! The files that a configuration names and a start needs: looked at without making, opening for long, or changing anything.

use std::path::Path;

use super::admin;
use crate::build::signed::Verifier;
use crate::config::Config;
use crate::record::Redactor;
use crate::spool::ConsoleKey;

/// What a start would fail for, a line each.
pub fn wrong(config: &Config) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut key = |path: Option<&Path>, what: &str, read: fn(&Path) -> Result<(), String>| {
        if let Some(path) = path
            && let Err(error) = read(path)
        {
            let path = path.display().to_string();
            let error = if error.contains(&path) { error } else { format!("{path}: {error}") };
            wrong.push(format!("{error} ({what})"));
        }
    };
    key(config.spool.key_file.as_deref(), "[spool] key_file", |path| {
        Redactor::from_file(path).map(drop).map_err(|error| error.to_string())
    });
    key(config.work.console_key_file.as_deref(), "[work] console_key_file", |path| {
        ConsoleKey::from_file(path).map(drop).map_err(|error| error.to_string())
    });
    key(config.live.verdicts_key_file.as_deref(), "[live] verdicts_key_file", |path| {
        Verifier::from_file(path).map(drop).map_err(|error| error.to_string())
    });
    if let Some(Err(error)) = config.live.verdicts.as_deref().map(is_no_file) {
        wrong.push(super::Error::NoDirectory(error).to_string());
    }
    if config.work.dir.is_some() && config.work.console_key_file.is_none() {
        wrong.push(super::Error::NoConsoleKey.to_string());
    }
    for (dir, what) in [(&config.spool.dir, "[spool] dir"), (&config.work.dir, "[work] dir")] {
        if let Some(dir) = dir
            && let Err(why) = can_be_made(dir)
        {
            wrong.push(format!("{}: {why} ({what})", dir.display()));
        }
    }
    let socket = &config.admin.socket;
    let dir = socket.parent().filter(|dir| !dir.as_os_str().is_empty()).map_or(Ok(()), can_be_made);
    if let Err(why) = dir.and_then(|()| admin::is_no_other(socket).map_err(|error| error.to_string())) {
        wrong.push(format!("{}: {why} ([admin] socket)", socket.display()));
    }
    wrong
}

/// Whether what a filter follows can be a verdict directory: it is one, or is not there yet.
pub(super) fn is_no_file(verdicts: &Path) -> Result<(), String> {
    match verdicts.metadata() {
        Ok(there) if !there.is_dir() => Err(format!(
            "{}: no directory: a filter follows the verdict directory, where new snapshots appear",
            verdicts.display()
        )),
        _ => Ok(()),
    }
}

/// Whether a directory is there, or the nearest one above it is one in which files can be made at all.
fn can_be_made(dir: &Path) -> Result<(), String> {
    let absolute = std::path::absolute(dir).map_err(|error| error.to_string())?;
    let Some(there) = absolute.ancestors().find(|above| above.symlink_metadata().is_ok()) else { return Ok(()) };
    if !there.is_dir() {
        return Err(format!("{} is no directory", there.display()));
    }
    // Whoever starts the filter may have other rights: what nobody can write to is what is told here.
    let nobody = ["/proc", "/sys"].iter().any(|kernel| there.starts_with(kernel));
    if nobody { Err(format!("no directory can be made in {}", there.display())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_start_would_fail_for_is_named_with_its_section() {
        let mut config = Config::default();
        assert_eq!(wrong(&config), Vec::<String>::new());
        config.spool.dir = Some("/proc/nothere".into());
        config.spool.key_file = Some("/nowhere/pseudonyms.key".into());
        config.work.dir = Some(std::env::temp_dir().join("ztsms-not-made/work"));
        config.live.verdicts_key_file = Some("/nowhere/console.pub".into());
        config.live.verdicts = Some("/proc/version".into());
        config.admin.socket = "/proc/nothere/sock".into();
        let said = wrong(&config);
        assert_eq!(said.len(), 6, "{said:?}");
        for (line, says) in said.iter().zip([
            ["/nowhere/pseudonyms.key", "[spool] key_file"],
            ["/nowhere/console.pub", "[live] verdicts_key_file"],
            ["/proc/version: no directory", "[live] verdicts"],
            ["console_key_file", "[work]"],
            ["/proc/nothere", "[spool] dir"],
            ["/proc/nothere/sock", "[admin] socket"],
        ]) {
            assert!(says.iter().all(|says| line.contains(says)), "{line}");
        }
        assert!(!std::env::temp_dir().join("ztsms-not-made").exists());
        let long = format!("/tmp/{}.sock", "s".repeat(108));
        for (socket, says) in [(&*long, "may have 107"), ("/etc/passwd", "no socket")] {
            let mut config = Config::default();
            config.admin.socket = socket.into();
            let said = wrong(&config);
            assert!(said.len() == 1 && said[0].contains(says) && said[0].contains("[admin] socket"), "{said:?}");
        }
    }
}
