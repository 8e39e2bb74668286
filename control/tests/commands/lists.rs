//! Lists as others write them, and the table that comes of them.

use super::{Room, lines, shared, ztsms};

/// What `verdicts build` with these arguments makes, in a directory of the room, and what it said.
fn built(room: &Room, name: &str, arguments: &[&str]) -> (String, super::Ran) {
    let out = room.file(name);
    let ran = ztsms(&[&["verdicts", "build"][..], arguments, &["-o", &out]].concat());
    (out, ran)
}

fn verdict(dir: &str, link: &str) -> String {
    let found = lines(&ztsms(&["verdicts", "lookup", "--json", "--verdicts", dir, link]).out);
    found[0]["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn a_host_covers_what_is_below_it_where_a_rule_for_suffixes_lies_deeper_too() {
    let room = Room::new("deeper");
    let own = room.holding("own.csv", b"pattern,verdict\nsalesforce.com,safe\nrender.com,dangerous\n");
    let (dir, ran) = built(&room, "v", &[&own]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    for (link, expected) in [("www.salesforce.com", "safe"), ("evil.render.com", "dangerous"), ("salesforce.com", "safe")] {
        assert_eq!(verdict(&dir, link), expected, "{link}");
    }
    let scan = lines(&ztsms(&["scan", "--json", "http://x.typeform.com/"]).out);
    assert_eq!(scan[0]["urls"][0]["registrable"], "typeform.com");
}

#[test]
fn what_an_operator_forbids_reaches_the_suffixes_below_it() {
    let room = Room::new("suffixes-below");
    let own = room.holding("own.csv", b"pattern,verdict\napp,dangerous\n");
    let feed = room.holding("feed.txt", b"vercel.app\n");
    let (dir, ran) = built(&room, "v", &[&own, "--dangerous", &feed]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    for link in ["vercel.app", "x.vercel.app", "x.app"] {
        assert_eq!(verdict(&dir, link), "dangerous", "{link}");
    }
}

#[test]
fn a_defanged_list_is_read_as_it_is_meant() {
    let room = Room::new("defanged");
    let feed = room.holding("feed.txt", b"hxxp://one.example/a\nhxxps://two[.]example/b\nthree[dot]example\n");
    let own = room.holding("own.csv", b"pattern,verdict\nfour[.]example,dangerous\n");
    let (dir, ran) = built(&room, "v", &[&own, "--dangerous", &feed]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    for link in ["http://one.example/a", "https://two.example/b", "three.example", "four.example"] {
        assert_eq!(verdict(&dir, link), "dangerous", "{link}");
    }
}

#[test]
fn a_decision_and_a_look_up_read_what_lists_read() {
    let room = Room::new("as-lists");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.example,safe\n2001:db8::7,dangerous\n");
    let (dir, ran) = built(&room, "v", &[&own]);
    assert_eq!((ran.status, verdict(&dir, "2001:db8::7")), (0, "dangerous".to_owned()), "{}", ran.err);
    for (pattern, link) in [
        ("hxxp://evilz[.]example", "http://evilz.example/x"),
        ("worse[.]example/a", "hxxps://worse[.]example/a"),
        ("2001:db8::1", "http://[2001:db8::1]/x"),
        ("=fe80::1", "fe80::1"),
    ] {
        let ran = ztsms(&["verdicts", "set", "--verdicts", &dir, pattern, "dangerous"]);
        assert_eq!((ran.status, verdict(&dir, link)), (0, "dangerous".to_owned()), "{pattern}: {}", ran.err);
        let ran = ztsms(&["verdicts", "unset", "--verdicts", &dir, pattern]);
        assert_eq!((ran.status, verdict(&dir, link)), (0, "unknown".to_owned()), "{pattern}: {}", ran.err);
    }
    // As it was decided when such a pattern was read as a scheme without a host.
    let id = lines(&ztsms(&["verdicts", "stats", "--json", &dir]).out)[0]["id"].as_str().unwrap().to_owned();
    let decided = format!(
        "# overlay of snapshot {id}\npattern,verdict,category,senders,source,expires,note\n\"hxxp:evilz[.]example\",dangerous,,,decided,,\"\"\n"
    );
    std::fs::write(format!("{dir}/overlay"), decided).unwrap();
    let ran = ztsms(&["verdicts", "unset", "--verdicts", &dir, "hxxp://evilz[.]example"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
}

#[test]
fn the_table_is_named_in_the_same_way_by_every_command() {
    let room = Room::new("named");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.example,safe\n");
    let (dir, _) = built(&room, "v", &[&own]);
    let _ = built(&room, "v", &[&own]);
    for command in ["stats", "verify", "rollback"] {
        let ran = ztsms(&["verdicts", command, "--verdicts", &dir]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{command}");
    }
    for args in [&["verify"][..], &["rollback"], &["stats", &dir, "--verdicts", &dir]] {
        let ran = ztsms(&[&["verdicts"][..], args].concat());
        assert_eq!(ran.status, 2, "{args:?}: {}", ran.err);
    }
}

#[test]
fn triggers_of_a_policy_zone_that_are_no_names_are_named_and_not_taken() {
    let room = Room::new("triggers");
    let zone =
        b"$TTL 60\n@ SOA a. b. 1 2 3 4 5\nbad.example CNAME .\n32.4.3.2.1.rpz-ip CNAME .\nns.bad.example.rpz-nsdname CNAME .\nworse.example CNAME .\n";
    let (dir, ran) = built(&room, "v", &["--dangerous", &room.holding("zone", zone)]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("zone:4: ") && ran.err.contains("zone:5: "), "{}", ran.err);
    assert_eq!(verdict(&dir, "bad.example"), "dangerous");
    assert_eq!(lines(&ztsms(&["verdicts", "stats", "--json", &dir]).out)[0]["entries"], 2);
}

#[test]
fn a_table_with_a_suffix_list_of_its_own_is_read_with_that_list() {
    let Some(list) = shared("lists/public_suffix_list.dat") else { return };
    let room = Room::new("suffix-list");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.example,safe\n");
    let (dir, ran) = built(&room, "v", &[&own, "--suffixes", &list]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(verdict(&dir, "www.bank.example"), "safe");
    for args in
        [&["scan", "--verdicts", &dir, "http://bank.example/"][..], &["verdicts", "verify", &dir], &["verdicts", "stats", &dir]]
    {
        let ran = ztsms(args);
        assert_eq!(ran.status, 0, "{args:?}: {}", ran.err);
    }
    // Built without it again, the program's own list counts.
    let (dir, ran) = built(&room, "v", &[&own]);
    assert_eq!((ran.status, verdict(&dir, "www.bank.example")), (0, "safe".to_owned()), "{}", ran.err);
}

#[test]
fn a_snapshot_that_would_be_refused_is_not_gone_back_to() {
    let room = Room::new("back-refused");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.example,safe\n");
    // A whole list has thousands of rules.
    let rules: String = (0..2000).map(|n| format!("s{n}.example\n")).collect();
    let list = format!("// ===BEGIN ICANN DOMAINS===\nexample\n{rules}// ===END ICANN DOMAINS===\n");
    let list = room.holding("suffixes.dat", list.as_bytes());
    let (dir, _) = built(&room, "v", &[&own]);
    let (_, ran) = built(&room, "v", &[&own, "--suffixes", &list]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert_eq!(ztsms(&["verdicts", "set", "--verdicts", &dir, "evil.example", "dangerous"]).status, 0);
    let files = || ["snapshot", "snapshot.1", "suffixes", "overlay"].map(|name| std::fs::read(format!("{dir}/{name}")).unwrap());
    let before = files();
    let ran = ztsms(&["verdicts", "rollback", &dir]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("snapshot.1: made with suffix list"), "{}", ran.err);
    assert!(files() == before, "nothing is changed");
    assert_eq!(["bank.example", "evil.example"].map(|link| verdict(&dir, link)), ["safe", "dangerous"]);
    // One whose body is damaged neither.
    let (dir, _) = built(&room, "w", &[&own]);
    let _ = built(&room, "w", &[&own]);
    let earlier = format!("{dir}/snapshot.1");
    let mut octets = std::fs::read(&earlier).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    std::fs::write(&earlier, octets).unwrap();
    let ran = ztsms(&["verdicts", "rollback", &dir]);
    assert!(ran.status == 1 && ran.err.contains("snapshot.1: "), "{}", ran.err);
    assert_eq!(ztsms(&["verdicts", "verify", &dir]).status, 0);
}

#[test]
fn links_without_a_host_are_looked_up_as_the_lists_name_them() {
    for link in ["tg:resolve?domain=x", "market:details?id=a", "bitcoin:abc"] {
        let found = lines(&ztsms(&["verdicts", "lookup", "--json", link]).out);
        assert_eq!((&found[0]["verdict"], found[0]["url"].as_str()), (&"unknown".into(), Some(link)), "{link}");
    }
}

#[test]
fn a_list_without_one_entry_takes_nothing_out_of_force() {
    let room = Room::new("no-entry");
    let own = room.holding("own.csv", b"pattern,verdict\nevil.example,dangerous\n");
    let (dir, ran) = built(&room, "v", &[&own]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    for (name, option, octets, why) in [
        ("empty.txt", "--dangerous", &b""[..], "empty.txt: not one entry in it"),
        ("comments.txt", "--dangerous", b"# nothing\n", "comments.txt: not one entry in it"),
        (
            "page.html",
            "--dangerous",
            b"<!DOCTYPE html>\n<html><body>Log in</body></html>\n",
            "page.html: not one of 2 lines can be read",
        ),
        ("half.txt", "--dangerous", b"a.example\n<b>\n<c>\n", "half.txt: 2 of 3 lines cannot be read"),
        ("head.csv", "", b"pattern,verdict\n", "head.csv: not one entry in it"),
        ("semicolons.csv", "", b"pattern;verdict\na.example;dangerous\n", "columns are parted by commas"),
        ("feed.txt", "", b"a.example\n", "begins with pattern,verdict"),
        ("ranks.csv", "--dangerous", b"1,a.example\n2,b.example\n", "Name it with --rank"),
        ("hosts.txt", "--rank", b"a.example\n", "a ranked list is rank,domain a line"),
    ] {
        let file = room.holding(name, octets);
        let arguments: Vec<&str> = if option.is_empty() { vec![&file] } else { vec![&own, option, &file] };
        let (_, ran) = built(&room, "v", &arguments);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{name}: {}", ran.err);
        assert!(ran.err.contains(why), "{name}: {}", ran.err);
        assert_eq!(verdict(&dir, "evil.example"), "dangerous", "{name}");
        assert!(!std::path::Path::new(&dir).join("snapshot.1").exists(), "{name}");
    }
    // Half of the lines and less are named, and the rest is built; so is what somebody means.
    let half = room.holding("half.txt", b"a.example\n<b>\n");
    let (_, ran) = built(&room, "v", &[&own, "--dangerous", &half]);
    assert_eq!((ran.status, verdict(&dir, "a.example")), (1, "dangerous".to_owned()), "{}", ran.err);
    let (_, ran) = built(&room, "v", &["--dangerous", &room.file("empty.txt"), "--force"]);
    assert_eq!((ran.status, verdict(&dir, "evil.example")), (0, "unknown".to_owned()), "{}", ran.err);
}

#[test]
fn decisions_hold_over_a_build_and_a_way_back_and_are_counted_and_compared() {
    let room = Room::new("carried");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.example,safe\n");
    let (dir, ran) = built(&room, "v", &[&own]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    for (pattern, verdict) in [("bad.example", "unknown"), ("bad.example", "dangerous"), ("bank.example", "dangerous")] {
        let ran = ztsms(&["verdicts", "set", "--verdicts", &dir, pattern, verdict]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    }
    let snapshot = format!("{dir}/snapshot");
    let ran = ztsms(&["verdicts", "diff", &snapshot, &dir]);
    let told: Vec<&str> = ran.out.lines().collect();
    let expected = ["- safe      bank.example", "+ dangerous bad.example", "+ dangerous bank.example", "1 removed, 2 added"];
    assert_eq!(told, expected, "{}", ran.err);
    let stats = &lines(&ztsms(&["verdicts", "stats", "--json", &dir]).out)[0];
    let counted = ["entries", "decisions"].map(|field| stats[field].clone());
    assert_eq!((counted, &stats["verdicts"]), ([2.into(), 2.into()], &serde_json::json!({ "dangerous": 2 })));
    assert_eq!(lines(&ztsms(&["verdicts", "stats", "--json", &snapshot]).out)[0]["verdicts"]["safe"], 1);

    std::fs::write(&own, "pattern,verdict\nbank.example,safe\nnew.example,safe\n").unwrap();
    let (_, ran) = built(&room, "v", &[&own]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("2 decided beside the snapshot"), "{}", ran.out);
    assert_eq!(
        ["bad.example", "bank.example", "new.example"].map(|link| verdict(&dir, link)),
        ["dangerous", "dangerous", "safe"]
    );
    let ran = ztsms(&["verdicts", "rollback", &dir]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert_eq!(
        ["bad.example", "bank.example", "new.example"].map(|link| verdict(&dir, link)),
        ["dangerous", "dangerous", "unknown"]
    );
    assert_eq!(ztsms(&["verdicts", "unset", "--verdicts", &dir, "bank.example"]).status, 0);
    assert_eq!(verdict(&dir, "bank.example"), "safe");
    let ran = ztsms(&["verdicts", "set", "--verdicts", &dir, "=", "safe"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.starts_with("ztsms: pattern \"=\": "), "{}", ran.err);
}

#[test]
fn decisions_that_are_made_at_once_are_all_kept() {
    let room = Room::new("at-once");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.example,safe\n");
    let (dir, _) = built(&room, "v", &[&own]);
    let pattern = |n: usize| format!("bad{n}.example");
    std::thread::scope(|scope| {
        for n in 0..12 {
            let (dir, pattern) = (&dir, pattern(n));
            scope.spawn(move || {
                let ran = ztsms(&["verdicts", "set", "--verdicts", dir, &pattern, "dangerous"]);
                assert_eq!(ran.status, 0, "{}", ran.err);
            });
        }
    });
    for n in 0..12 {
        assert_eq!(verdict(&dir, &pattern(n)), "dangerous", "{n}");
    }
}
