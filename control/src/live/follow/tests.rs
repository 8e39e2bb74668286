use super::*;
use crate::build::{Source, What};
use crate::verdicts_cmd::{build, lookup};
use dataplane::verdict::Verdict;

struct Directory {
    dir: PathBuf,
    suffixes: Suffixes,
    follow: Follow,
    /// The table in force, as the control thread would have it.
    table: Option<Box<Table>>,
    refused: Vec<String>,
}

impl Directory {
    fn new(name: &str, limits: ChangeLimits) -> Self {
        let dir = std::env::temp_dir().join(format!("ztsms-follow-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let suffixes = Suffixes::built_in();
        let follow = Follow::new(&dir, suffixes.clone(), limits);
        Self { dir, suffixes, follow, table: None, refused: Vec::new() }
    }

    fn build(&self, entries: &[&str]) {
        let own = self.dir.join("own.csv");
        fs::write(&own, format!("pattern,verdict\n{}\n", entries.join("\n"))).unwrap();
        build(&[Source { path: own, what: What::Own }], &self.dir, 1, &self.suffixes).unwrap();
        let _ = fs::remove_file(self.dir.join("overlay"));
    }

    fn decide(&self, pattern: &str, verdict: Verdict) {
        crate::build::overlay::decide(&self.dir, pattern, verdict, "", &self.suffixes).unwrap();
    }

    fn look(&mut self) -> usize {
        let (table, refused, mut news) = (&mut self.table, &mut self.refused, 0);
        self.follow.look(|what| {
            news += 1;
            match what {
                News::Table(new, _) => *table = Some(new),
                News::Refused(_, why) => refused.push(why),
                News::Well(_) => {}
            }
        });
        news
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
fn an_overlay_of_another_snapshot_or_half_a_line_changes_nothing_until_it_is_whole() {
    let mut at = Directory::new("half", ChangeLimits::default());
    at.build(&["bank.example,safe"]);
    at.decide("evil.example", Verdict::Dangerous);
    at.look();
    let overlay = at.dir.join("overlay");
    let whole = fs::read_to_string(&overlay).unwrap();
    fs::write(&overlay, format!("{whole}\"half")).unwrap();
    at.look();
    assert_eq!(at.says("evil.example"), "dangerous");
    fs::write(&overlay, format!("{whole}half.example,safe,,,decided,,\n")).unwrap();
    at.look();
    assert_eq!(at.says("half.example"), "safe");
    let (head, rest) = whole.split_once('\n').unwrap();
    let (id, last) = head.split_at(head.len() - 1);
    fs::write(&overlay, format!("{id}{}\n{rest}", if last == "0" { 1 } else { 0 })).unwrap();
    at.look();
    assert!(at.refused.last().unwrap().contains("overlay of snapshot"), "{:?}", at.refused);
    assert_eq!(at.says("half.example"), "safe");
}
