use super::*;
use crate::build::{Source, What, unix_seconds};
use crate::verdicts_cmd::{build, lookup};
use dataplane::verdict::Verdict;

mod decisions;
mod signed;

struct Directory {
    dir: PathBuf,
    suffixes: Suffixes,
    follow: Follow,
    /// The table in force, as the control thread would have it.
    table: Option<Box<Table>>,
    refused: Vec<String>,
    /// Alarms that stand.
    alarms: std::collections::BTreeSet<&'static str>,
    senders: Vec<Protected>,
}

impl Directory {
    fn new(name: &str, limits: ChangeLimits) -> Self {
        let dir = std::env::temp_dir().join(format!("ztsms-follow-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let suffixes = Suffixes::built_in();
        let follow = Follow::new(&dir, suffixes.clone(), Terms { limits, ..Terms::default() });
        Self { dir, suffixes, follow, table: None, refused: Vec::new(), alarms: Default::default(), senders: Vec::new() }
    }

    fn build(&self, entries: &[&str]) {
        let own = self.dir.join("own.csv");
        fs::write(&own, format!("pattern,verdict\n{}\n", entries.join("\n"))).unwrap();
        build(&[Source { path: own, what: What::Own }], &self.dir, 1, None).unwrap();
        let _ = fs::remove_file(self.dir.join("overlay"));
    }

    fn decide(&self, pattern: &str, verdict: Verdict) {
        crate::build::overlay::decide(&self.dir, pattern, verdict, "", &self.suffixes).unwrap();
    }

    /// Looks until what was begun is read.
    fn look(&mut self) -> usize {
        let (table, refused, senders, mut news) = (&mut self.table, &mut self.refused, &mut self.senders, 0);
        let alarms = &mut self.alarms;
        loop {
            self.follow.look(|what| {
                news += 1;
                match what {
                    News::Table(new, _) => *table = Some(new),
                    News::Refused(alarm, why) => {
                        alarms.insert(alarm);
                        refused.push(why);
                    }
                    News::Well(alarm) => drop(alarms.remove(alarm)),
                    News::Senders(new) => *senders = new,
                    News::Observe(_) | News::Suspended(_) => {}
                }
            });
            if !self.follow.is_loading() {
                return news;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn says(&self, link: &str) -> &'static str {
        lookup(self.table.as_ref().unwrap(), link, "", &self.suffixes).verdict
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

#[test]
fn snapshot_and_decisions_are_in_force_at_the_next_look() {
    let mut at = Directory::new("next", ChangeLimits::default());
    at.look();
    assert!(at.table.is_none() && at.refused.len() == 1, "a directory without a snapshot is said");
    at.build(&["bank.example,safe"]);
    at.look();
    assert_eq!((at.says("bank.example"), at.says("evil.example")), ("safe", "unknown"));
    assert_eq!(at.look(), 0, "nothing changed");
    at.decide("evil.example", Verdict::Dangerous);
    at.look();
    assert_eq!((at.says("bank.example"), at.says("evil.example")), ("safe", "dangerous"));
    at.build(&["bank.example,dangerous"]);
    at.look();
    assert_eq!(at.says("bank.example"), "dangerous");
    assert_eq!(at.refused.len(), 1);
}

#[test]
fn a_change_beyond_the_limit_is_refused_and_what_was_in_force_stays() {
    let mut at = Directory::new("limit", ChangeLimits { snapshot_entries: 3, overlay_a_minute: 2 });
    at.build(&["a.example,safe", "b.example,safe"]);
    at.look();
    at.build(&["a.example,dangerous", "b.example,dangerous", "c.example,dangerous", "d.example,safe"]);
    at.look();
    assert_eq!(at.says("a.example"), "safe");
    assert!(at.refused[0].contains("4 entries changed, the limit is 3"), "{:?}", at.refused);
    at.build(&["a.example,dangerous", "b.example,safe"]);
    at.look();
    assert_eq!((at.says("a.example"), at.refused.len()), ("dangerous", 1));
    ["x.example", "y.example"].iter().for_each(|name| at.decide(name, Verdict::Safe));
    at.look();
    assert_eq!(at.says("x.example"), "safe");
    at.decide("z.example", Verdict::Safe);
    at.look();
    assert_eq!(at.says("z.example"), "unknown");
    assert!(at.refused[1].contains("3 decisions within a minute"), "{:?}", at.refused);
}

#[test]
fn damage_is_refused_and_a_snapshot_gone_back_from_is_not_taken_again() {
    let mut at = Directory::new("back", ChangeLimits::default());
    at.build(&["bank.example,safe"]);
    at.look();
    at.build(&["bank.example,dangerous"]);
    at.look();
    let mut table = None;
    at.follow
        .go_back(|news| {
            if let News::Table(new, _) = news {
                table = Some(new);
            }
        })
        .unwrap();
    at.table = table;
    assert_eq!(at.says("bank.example"), "safe");
    // Touched, and still the one that was gone back from.
    let snapshot = fs::read(at.dir.join("snapshot")).unwrap();
    fs::write(at.dir.join("snapshot.new"), &snapshot).unwrap();
    fs::rename(at.dir.join("snapshot.new"), at.dir.join("snapshot")).unwrap();
    at.look();
    assert_eq!(at.says("bank.example"), "safe");
    let mut damaged = snapshot;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(at.dir.join("snapshot.new"), &damaged).unwrap();
    fs::rename(at.dir.join("snapshot.new"), at.dir.join("snapshot")).unwrap();
    at.look();
    at.build(&["bank.example,unknown"]);
    at.look();
    assert_eq!(at.says("bank.example"), "unknown");
}

#[test]
fn the_right_snapshot_put_back_ends_the_alarm_and_one_that_is_damaged_does_not() {
    let mut at = Directory::new("put-back", ChangeLimits::default());
    at.build(&["bank.example,safe"]);
    at.look();
    let right = fs::read(at.dir.join("snapshot")).unwrap();
    let put = |at: &Directory, octets: &[u8]| {
        fs::write(at.dir.join("snapshot.new"), octets).unwrap();
        fs::rename(at.dir.join("snapshot.new"), at.dir.join("snapshot")).unwrap();
    };
    let other = Directory::new("put-back-other", ChangeLimits::default());
    other.build(&["bank.example,dangerous"]);
    put(&at, &fs::read(other.dir.join("snapshot")).unwrap());
    at.look();
    assert!(at.alarms.contains(SNAPSHOT_ALARM) && at.refused[0].contains("another key"), "{:?}", at.refused);
    // The header is that of the one in force.
    let mut damaged = right.clone();
    *damaged.last_mut().unwrap() ^= 1;
    put(&at, &damaged);
    at.look();
    assert!(at.alarms.contains(SNAPSHOT_ALARM) && at.refused.len() == 2, "{:?}", at.refused);
    put(&at, &right);
    at.look();
    assert_eq!((at.says("bank.example"), at.alarms.len()), ("safe", 0));
    // The same of the key.
    let key = fs::read(at.dir.join("key")).unwrap();
    fs::copy(other.dir.join("key"), at.dir.join("key")).unwrap();
    let id = Snapshot::open(&at.dir.join("snapshot")).unwrap().id();
    overlay::write(&at.dir, &overlay::to_text(&[id], &[])).unwrap();
    at.look();
    assert!(at.alarms.contains(SNAPSHOT_ALARM), "{:?}", at.refused);
    fs::write(at.dir.join("key"), key).unwrap();
    std::thread::sleep(AGAIN);
    at.look();
    assert_eq!(at.alarms.len(), 0);
}

#[test]
fn each_command_goes_one_snapshot_further_back_through_those_that_the_directory_keeps() {
    let mut at = Directory::new("three", ChangeLimits::default());
    for n in 0..5 {
        at.build(&[&format!("s{n}.example,safe")]);
        at.look();
    }
    assert_eq!(at.says("s4.example"), "safe");
    // The directory keeps three besides the present one.
    for n in (1..4).rev() {
        let mut table = None;
        let went = at.follow.go_back(|news| {
            if let News::Table(new, _) = news {
                table = Some(new);
            }
        });
        went.unwrap();
        at.table = table;
        assert_eq!((at.says(&format!("s{n}.example")), at.says("s4.example")), ("safe", "unknown"));
        // Touched: neither it nor one between is taken again.
        let snapshot = fs::read(at.dir.join("snapshot")).unwrap();
        fs::write(at.dir.join("snapshot.new"), &snapshot).unwrap();
        fs::rename(at.dir.join("snapshot.new"), at.dir.join("snapshot")).unwrap();
        at.look();
        assert_eq!(at.says(&format!("s{n}.example")), "safe");
    }
    assert!(at.follow.go_back(|_| ()).unwrap_err().contains("no earlier snapshot"));
    at.build(&["s9.example,safe"]);
    at.look();
    assert_eq!(at.says("s9.example"), "safe");
}

#[test]
fn a_filter_begins_with_what_it_kept_when_the_directory_is_gone_and_stays_where_it_went_back_to() {
    let mut at = Directory::new("kept", ChangeLimits::default());
    let terms = Terms { state_dir: Some(at.dir.join("state")), ..Terms::default() };
    let start = |at: &Directory| Follow::new(&at.dir, at.suffixes.clone(), terms.clone());
    at.follow = start(&at);
    let build = |at: &mut Directory, verdict: &str| {
        at.build(&[&format!("bank.example,{verdict}")]);
        at.look();
        assert_eq!(at.says("bank.example"), verdict);
    };
    ["safe", "dangerous", "unknown", "safe", "dangerous"].iter().for_each(|verdict| build(&mut at, verdict));
    at.decide("evil.example", Verdict::Dangerous);
    at.look();
    // As at the end of the process: what is being kept is written.
    at.follow = start(&at);
    assert_eq!(fs::read_dir(at.dir.join("state/verdicts")).unwrap().count(), 5, "three snapshots, the key, the decisions");
    ["snapshot", "snapshot.1", "snapshot.2", "snapshot.3", "key"]
        .iter()
        .for_each(|name| fs::remove_file(at.dir.join(name)).unwrap());
    at.table = None;
    at.look();
    assert_eq!((at.says("bank.example"), at.says("evil.example")), ("dangerous", "dangerous"));
    assert!(!at.refused.is_empty(), "and it is said");
    let mut table = None;
    at.follow
        .go_back(|news| {
            if let News::Table(new, _) = news {
                table = Some(new)
            }
        })
        .unwrap();
    at.table = table;
    assert_eq!(at.says("bank.example"), "safe");
    at.follow = start(&at);
    at.table = None;
    at.look();
    assert_eq!(at.says("bank.example"), "safe", "gone back from is gone back from");
}

#[test]
fn observe_is_told_once_and_taken_back() {
    let at = Directory::new("observe", ChangeLimits::default());
    let mut observe = Observe::new(&at.dir);
    assert!(observe.look().is_none());
    fs::write(at.dir.join("observe"), "ada: too many complaints\n").unwrap();
    assert!(matches!(observe.look(), Some(News::Observe(Some(why))) if why == "ada: too many complaints"));
    assert!(observe.look().is_none());
    fs::remove_file(at.dir.join("observe")).unwrap();
    assert!(matches!(observe.look(), Some(News::Observe(None))));
}

#[test]
fn what_is_suspended_is_told_once_and_a_line_that_is_wrong_changes_nothing() {
    let at = Directory::new("suspended", ChangeLimits::default());
    let mut suspensions = Suspensions::new(&at.dir);
    assert!(suspensions.look().is_none());
    fs::write(at.dir.join("suspended"), "source phish\nrule by name\n").unwrap();
    let Some(News::Suspended(all)) = suspensions.look() else { panic!("told") };
    assert_eq!((all.sources, all.rules), (vec!["phish".to_owned()], vec!["by name".to_owned()]));
    assert!(suspensions.look().is_none());
    fs::write(at.dir.join("suspended"), "everything\n").unwrap();
    assert!(matches!(suspensions.look(), Some(News::Refused(SUSPENDED_ALARM, why)) if why.contains("line 1")));
    assert!(suspensions.look().is_none());
    fs::remove_file(at.dir.join("suspended")).unwrap();
    assert!(matches!(suspensions.look(), Some(News::Suspended(all)) if all.is_empty()));
}

/// Calls for somebody to write to the pipe that it opens: what waits for that never comes back.
fn within_a_second<T: Send + 'static>(does: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(does()));
    told.recv_timeout(Duration::from_secs(5)).expect("it waits for somebody to write to a pipe")
}

#[test]
fn a_pipe_in_place_of_a_file_is_refused_and_nobody_waits_for_it() {
    let mut directory = Directory::new("pipe", ChangeLimits::default());
    directory.build(&["bank.example,safe"]);
    directory.decide("scam.example", Verdict::Dangerous);
    while directory.look() == 0 {}
    let dir = directory.dir.clone();
    let pipe = |name: &str| {
        let path = dir.join(name);
        let _ = fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    };
    for name in ["overlay", "senders", "overlay.sig", "snapshot", "observe", "suspended"] {
        pipe(name);
    }
    let directory = within_a_second(move || {
        let begun = Instant::now();
        while directory.refused.len() < 2 && begun.elapsed() < Duration::from_secs(4) {
            directory.look();
        }
        directory
    });
    assert!(directory.refused.iter().any(|why| why.contains("overlay: not an ordinary file")), "{:?}", directory.refused);
    assert!(directory.refused.iter().any(|why| why.contains("snapshot: not an ordinary file")), "{:?}", directory.refused);
    assert_eq!(directory.says("https://scam.example/"), "dangerous");
    let (mut observe, mut suspensions) = (observe::Observe::new(&dir), observe::Suspensions::new(&dir));
    let said = within_a_second(move || (observe.look(), suspensions.look()));
    // A brake that cannot be read is on.
    assert!(matches!(&said.0, Some(News::Observe(Some(why))) if why.contains("not an ordinary file")));
    assert!(matches!(&said.1, Some(News::Refused(..))));
    pipe("key");
    let key = dir.clone();
    let said = within_a_second(move || crate::build::read_key(&key).map(drop));
    assert!(said.unwrap_err().to_string().contains("not an ordinary file"));
}
