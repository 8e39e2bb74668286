use super::*;

fn all(text: &str, verdict: Option<Verdict>, platform: bool) -> (Summary, Vec<String>) {
    let mut given = Vec::new();
    let lends = Lends { verdict, platform, layer: Layer::Feed, source: "list", category: "" };
    let mut give = |item: Item<'_>| match item {
        Item::Rule(rule) => given.push(format!("{} {}", rule.pattern, rule.verdict)),
        Item::Rank(rank, name) => given.push(format!("{rank} {name}")),
    };
    let summary = read(text.as_bytes(), lends, &mut give).expect("a slice is always read");
    (summary, given)
}

#[test]
fn each_format_is_told_by_its_content() {
    let url = "a.example/x dangerous";
    let host = "a.example dangerous";
    for (text, format, want) in [
        ("# c\na.example\n", Format::Plain, host),
        ("*.a.example\n", Format::Plain, host),
        ("http://a.example/x\n", Format::Plain, url),
        ("# hosts\n127.0.0.1 localhost\n0.0.0.0 a.example # bad\n", Format::Hosts, host),
        ("address=/a.example/0.0.0.0\n", Format::Dnsmasq, host),
        ("server:\nlocal-zone: \"a.example.\" always_nxdomain\n", Format::Unbound, host),
        ("[Adblock Plus 2.0]\n! t\n||a.example^\n", Format::AdBlock, host),
        ("$TTL 60\n@ IN SOA a. b. 1 2 3 4 5\na.example CNAME .\n", Format::Rpz, host),
        (
            "################\n# id,dateadded,url,url_status\n\"1\",\"2026-01-01 00:00:00\",\"http://a.example/x\",\"online\"\n",
            Format::Urlhaus,
            url,
        ),
        ("phish_id,url,phish_detail_url\n1,\"http://a.example/x\",http://p.example/\n", Format::PhishTankCsv, url),
        ("[\n {\"phish_id\":\"1\",\"url\":\"http://a.example/x\"}]", Format::PhishTankJson, url),
        ("{\"description\":\"d\",\"list\":[\".a.example\"]}", Format::Misp, host),
        ("1,a.example\n", Format::Ranked, "1 a.example"),
        ("pattern,verdict,category,senders,source,expires,note\na.example,dangerous,,,,,\n", Format::Own, host),
    ] {
        let (summary, given) = all(text, Some(Verdict::Dangerous), false);
        assert_eq!(
            (summary.format, given.as_slice(), summary.bad),
            (format, [want.to_owned()].as_slice(), 0),
            "{text} {:?}",
            summary.problems
        );
    }
}

#[test]
fn a_line_that_forwards_answers_or_excepts_blocks_nothing() {
    let dnsmasq = "address=/a.example/b.example/0.0.0.0\naddress=/c.example/#\nlocal=/d.example/\nserver=/e.example/\n\
        address=/f.example/::\nserver=/corp.example/10.0.0.1\nserver=/good.example/#\naddress=/intranet.example/10.0.0.5\n\
        server=/corp.example/127.0.0.1#5353\n";
    let (summary, given) = all(dnsmasq, Some(Verdict::Dangerous), false);
    assert_eq!(given, ["a", "b", "c", "d", "e", "f"].map(|host| format!("{host}.example dangerous")));
    assert_eq!(summary.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [6, 7, 8, 9]);
    let hosts = "0.0.0.0 a.example\n127.0.0.1 b.example\n:: c.example\n10.0.0.5 intranet.example\nfe80::1%lo0 localhost\n255.255.255.255 broadcasthost\n\
        ::1 ip6-localhost ip6-loopback\nfe00::0 ip6-localnet\nff02::1 ip6-allnodes\n0.0.0.0 ip6-login.example\n";
    let (summary, given) = all(hosts, Some(Verdict::Dangerous), false);
    assert_eq!(given, ["a", "b", "c", "ip6-login"].map(|host| format!("{host}.example dangerous")));
    assert_eq!(summary.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [4]);
    let unbound = "server:\nlocal-zone: \"a.example\" always_null\nlocal-zone: \"b.example.\" static\n\
        local-zone: \"c.example\" redirect\nlocal-data: \"c.example A 0.0.0.0\"\nlocal-data: \"d.example. 60 IN AAAA ::1\"\n\
        local-zone: \"good.example\" transparent\nlocal-zone: \"good.example\" typetransparent\n\
        local-data: \"intranet.example A 10.0.0.5\"\nlocal-zone: \"good.example\" always_transparent\n";
    let (summary, given) = all(unbound, Some(Verdict::Dangerous), false);
    assert_eq!(given, ["a", "b", "c", "d"].map(|host| format!("{host}.example dangerous")));
    assert_eq!(summary.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [7, 8, 9, 10]);
}

#[test]
fn word_and_colon_is_a_link_of_an_app_or_has_slashes() {
    let (summary, given) = all("note:this\njavascript:alert(1)\nwhatsapp:send\napp://open/x\n", Some(Verdict::Dangerous), false);
    assert_eq!(
        (summary.bad, given.as_slice()),
        (2, ["whatsapp:send dangerous", "app:open/x dangerous"].map(str::to_owned).as_slice())
    );
}

#[test]
fn broken_line_is_named_and_the_rest_goes_on() {
    let text = "pattern,verdict,expires\ngood.example,safe,\nbad example,safe,\nx.example,sfe,\ny.example,safe,soon\n\"z.example,safe\nlast.example,dangerous,2099-01-01\n";
    let (summary, given) = all(text, None, false);
    assert_eq!(given, ["good.example safe", "last.example dangerous"]);
    let lines: Vec<_> = summary.problems.iter().map(|p| p.line).collect();
    assert_eq!((lines.as_slice(), summary.bad, summary.entries), ([3, 4, 5, 6].as_slice(), 4, 6));
    assert_eq!(summary.problems[1].why, "verdict \"sfe\": safe, dangerous or unknown");
}

#[test]
fn pattern_that_would_match_nothing_is_named_in_every_format() {
    let refused = ["w1.example/*", "10.0.0.0/8", "1.2.3.0/24", "w2.example/a*", "w3.example/login?*", "2001:db8::/32"];
    let own =
        format!("pattern,verdict\n{},dangerous\n1.2.3.4/32,dangerous\nw.example/*/x,dangerous\n", refused.join(",dangerous\n"));
    let plain = format!("w.example\n{}\n1.2.3.4/32\n", refused.join("\n"));
    for (text, given) in
        [(own, ["1.2.3.4 dangerous", "w.example/*/x dangerous"]), (plain, ["w.example dangerous", "1.2.3.4 dangerous"])]
    {
        let (summary, all) = all(&text, Some(Verdict::Dangerous), false);
        assert_eq!((summary.bad, all.as_slice()), (6, given.map(str::to_owned).as_slice()));
        assert_eq!(summary.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7]);
        assert!(summary.problems[0].why.ends_with("write it without `*`"), "{:?}", summary.problems);
        assert!(summary.problems[1].why.contains("a range of addresses"), "{:?}", summary.problems);
    }
    assert_eq!(all("bit.ly/*\n", None, true).1, ["@bit.ly none"]);
}

#[test]
fn senders_without_a_name_are_refused_and_a_comma_is_part_of_one() {
    let senders = |field: &str| {
        let mut given = String::new();
        let lends = Lends { verdict: None, platform: false, layer: Layer::Local, source: "", category: "" };
        let mut give = |item: Item<'_>| {
            if let Item::Rule(rule) = item {
                given = rule.senders.to_owned();
            }
        };
        let text = format!("pattern,verdict,senders\nbank.example,safe,{field}\n");
        let summary = read(text.as_bytes(), lends, &mut give).expect("reads");
        summary.problems.first().map_or(Ok(given), |problem| Err(problem.why.clone()))
    };
    for field in [";", "|", "\" ; | \""] {
        assert!(senders(field).unwrap_err().ends_with("no name in it, `|` and `;` part names"), "{field}");
    }
    for (field, want) in [("", ""), ("BANK; Bank|", "BANK|Bank"), ("\"A,B\"", "A,B")] {
        assert_eq!(senders(field), Ok(want.to_owned()), "{field}");
    }
}

#[test]
fn column_that_is_not_known_is_refused_and_a_field_beyond_the_columns_is_bad() {
    let header = |text: &str| {
        let lends = Lends { verdict: None, platform: false, layer: Layer::Local, source: "", category: "" };
        read(text.as_bytes(), lends, &mut |_| ()).err().map(|why| why.to_string())
    };
    let typo = header("# ours\npattern,verdict,expire\na.example,safe,2020-01-01\n").unwrap();
    assert_eq!(typo, "line 2: column \"expire\": known are pattern, verdict, category, senders, source, expires, note");
    assert!(header("pattern,verdict,verdict\n").unwrap().contains("twice"));
    assert!(header("pattern,verdicts\n").unwrap().contains("\"verdicts\""));
    assert_eq!(header("Pattern,Verdict, Expires ,,\n"), None);
    assert_eq!(all("verdict,\"Pattern\"\nsafe,a.example\n", None, false).1, ["a.example safe"], "in any order");
    for text in ["pattern;verdict\n", "verdict\tpattern\n"] {
        assert!(header(text).unwrap().contains("columns are parted by commas, as in pattern,verdict"), "{text}");
    }
    // An end in a column that the first line does not name would be none.
    let text = "pattern,verdict\na.example,safe,,,,2020-01-01\nb.example,safe,,\n@c.example\n";
    let (summary, given) = all(text, None, false);
    assert_eq!((summary.bad, given.as_slice()), (1, ["b.example safe", "@c.example none"].map(str::to_owned).as_slice()));
    assert_eq!(summary.problems[0].why, "6 fields, and the first line names 2 columns");
}

#[test]
fn long_line_and_bad_octets_are_problems_of_their_own_line() {
    let mut text = format!("a.example\n{}\n", "x".repeat(3 * LONGEST_LINE)).into_bytes();
    text.extend_from_slice(b"\xff\xfe\nb.example\n");
    let mut rules = 0;
    let lends = Lends { verdict: Some(Verdict::Safe), platform: false, layer: Layer::Feed, source: "", category: "" };
    let summary = read(text.as_slice(), lends, &mut |_| rules += 1).expect("reads");
    assert_eq!((rules, summary.bad, summary.problems[0].line, summary.problems[1].line), (2, 2, 2, 3));
}

#[test]
fn list_without_a_verdict_says_that_none_was_lent() {
    assert_eq!(all("a.example\n", None, false).0.bad, 1);
    assert_eq!(all("http://bit.ly/x\n", None, true).1, ["@bit.ly none"]);
}

#[test]
fn dirt_of_real_lists_is_counted_and_the_rest_is_read() {
    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/lists");
    let Ok(files) = std::fs::read_dir(DATA) else { return println!("skipped: ../shared/data is not here") };
    for file in files.map(|file| file.expect("a file").path()).filter(|path| path.extension().is_none_or(|e| e != "dat")) {
        let lends = Lends { verdict: Some(Verdict::Dangerous), platform: false, layer: Layer::Feed, source: "", category: "" };
        let summary = read(std::fs::File::open(&file).expect("opens"), lends, &mut |_| {}).expect("reads");
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        println!(
            "{name}: {:?} {} entries {} bad, first {:?}",
            summary.format,
            summary.entries,
            summary.bad,
            summary.problems.first()
        );
        assert!(summary.entries > 0 && summary.rules + summary.excepted + summary.bad == summary.entries, "{name}");
        let known_bad = name.contains("INVALID") || name.contains("parking");
        let most = if known_bad { summary.entries } else { summary.entries / 50 };
        assert!(summary.bad <= most, "{name}: {} of {} bad: {:?}", summary.bad, summary.entries, summary.problems.first());
    }
}

#[test]
fn name_of_a_zone_is_taken_off_its_owners() {
    let axfr = "; <<>> DiG 9.18 <<>> axfr\nrpz.example.\t300\tIN\tSOA\tlocalhost. root.localhost. 1 2 3 4 5\nrpz.example.\t300\tIN\tNS\tlocalhost.\n\
        a.example.rpz.example.\t300\tIN\tCNAME\t.\n*.a.example.RPZ.Example.\t300\tIN\tCNAME\t*.\nb.example.rpz.example. 300 IN CNAME rpz-drop.\n";
    let dumped = "$ORIGIN .\n$TTL 300\nrpz.example\tIN SOA\tlocalhost. root.localhost. (\n\t\t1 ; serial\n\t\t3600\n\t\t)\n\t\tNS localhost.\n\
        $ORIGIN example.rpz.example.\na\tCNAME .\n$ORIGIN a.example.rpz.example.\n*\tCNAME .\n$ORIGIN rpz.example.\nb.example\tA 0.0.0.0\n\tAAAA 10::5\n";
    let origin =
        "$ORIGIN rpz.example.\n@ SOA a. b. 1 2 3 4 5\na.example CNAME .\n*.a.example cname .\nb.example.rpz.example. CNAME .\n";
    let relative = "@ SOA a. b. 1 2 3 4 5\na.example CNAME .\n*.a.example CNAME .\nb.example. CNAME .\n";
    for (text, bad) in [(axfr, 0), (dumped, 1), (origin, 0), (relative, 0)] {
        let (summary, given) = all(text, Some(Verdict::Dangerous), false);
        let expected = ["a.example dangerous", "a.example dangerous", "b.example dangerous"];
        assert_eq!(
            (summary.format, given.as_slice(), summary.bad),
            (Format::Rpz, expected.map(str::to_owned).as_slice(), bad),
            "{text}"
        );
    }
    let unread = "$TTL 60\n@ IN SOA a. b. (\n1 ; serial (\n  3600 600\n 86400 60 ) ; )\n\tNS a.\n\tTXT \"ours; (\"\nb.example CNAME .\n\
        $GENERATE 1-3 e$ CNAME .\n$INCLUDE other.zone\nc.example DNAME .\n\tTXT \"see (\"\nd.example\n\tRRSIG CNAME 8 2 (\n\
        300 abc= )\ne.example CNAME\nf.example CNAME .\n@ SOA a. b. (\n1 2 3 4 5\ng.example CNAME .\n";
    let (summary, given) = all(unread, Some(Verdict::Dangerous), false);
    assert_eq!(given, ["b", "f", "g"].map(|host| format!("{host}.example dangerous")));
    let lines: Vec<u64> = summary.problems.iter().map(|problem| problem.line).collect();
    assert_eq!((lines.as_slice(), summary.bad), ([9, 10, 11, 12, 13, 16].as_slice(), 6), "{:?}", summary.problems);
    let refused = "rpz.example. SOA a. b. 1 2 3 4 5\na.example. CNAME .\nb.example.rpz.example. CNAME garden.example.\n\
        c.example.rpz.example. CNAME rpz-tcp-only.\n24.0.2.0.192.rpz-ip.rpz.example. CNAME .\nd.example.rpz.example. A 10.0.0.5\n";
    let (summary, given) = all(refused, Some(Verdict::Dangerous), false);
    let lines: Vec<u64> = summary.problems.iter().map(|problem| problem.line).collect();
    assert_eq!((given.len(), lines.as_slice()), (0, [2, 3, 4, 5, 6].as_slice()), "{:?}", summary.problems);
}

#[test]
fn what_a_list_excepts_it_does_not_lend() {
    let told = |text: &str| {
        let (summary, given) = all(text, Some(Verdict::Dangerous), false);
        assert_eq!(summary.rules + summary.excepted + summary.bad, summary.entries, "{text}");
        assert_eq!(summary.rules, given.len() as u64);
        let given: Vec<String> = given.iter().map(|rule| rule.replace(" dangerous", "")).collect();
        (given, summary.excepted, summary.problems.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let covered =
        |line: u64| vec![format!("line {line}: ok.e.example: excepted, and e.example above it is listed: it counts as that")];
    for (text, given, excepted, said) in [
        ("@@||a.example^\n||a.example^\n||x.a.example^\n||b.example^\n", &["b.example"][..], 2, vec![]),
        ("||e.example^\n@@||ok.e.example^$document\n||x.ok.e.example^\n", &["e.example"], 1, covered(2)),
        ("||a.example^$important\n||b.example^$important\n@@||a.example^\n@@||b.example^$important\n", &["a.example"], 1, vec![]),
        (
            "||a.example^$doc\n||b.example^$document,popup\n||c.example^$important,doc,script\n",
            &["a.example", "b.example", "c.example"],
            0,
            vec![],
        ),
        ("||a.example^$badfilter\n||a.example^\n||b.example^\n", &["b.example"], 1, vec![]),
        ("||a.example^$document\n||a.example^$badfilter\n", &["a.example"], 0, vec![]),
        ("||a.example^$important\n||a.example^$badfilter,important\n@@||b.example^$doc\n||b.example^\n", &[], 2, vec![]),
        ("*.e.example CNAME .\nok.e.example CNAME rpz-passthru.\n", &["e.example"], 0, covered(2)),
        ("ok.e.example CNAME .\nok.e.example CNAME rpz-passthru.\nx.ok.e.example CNAME .\n", &["x.ok.e.example"], 1, vec![]),
        ("e.example CNAME .\n*.e.example CNAME rpz-passthru.\n", &["=e.example"], 0, vec![]),
        (
            "@ SOA a. b. 1 2 3 4 5\ne.example CNAME e.example.\n*.e.example CNAME .\n",
            &[],
            1,
            vec!["line 2: e.example: excepted without what is below it, and taken out with that".to_owned()],
        ),
    ] {
        assert_eq!(told(text), (given.iter().map(|&host| host.to_owned()).collect(), excepted, said), "{text}");
    }
    let (given, _, said) = told("||a.example^\n@@||a.example^$badfilter\n||b.example^$script,badfilter\n||c.example^$popup\n");
    assert_eq!((given.as_slice(), said.len()), (["a.example".to_owned()].as_slice(), 3));
    assert!(said[0].contains("takes back an exception (badfilter)"), "{said:?}");
    assert!(said[1].contains("takes back a filter (badfilter) of cases"), "{said:?}");
    let (given, _, said) = told("||a.example^$third-party\n@@||b.example^$domain=c.example\n||b.example^\n/ads/*\n");
    assert_eq!(given, ["b.example"]);
    assert!(said[0].ends_with("its options narrow it to cases that a message does not have"), "{said:?}");
    assert!(said[1].ends_with("its options except cases that a message does not have"), "{said:?}");
    assert!(said[2].contains("line 4: ") && said[2].ends_with("not ||host^: other filters have no host to key by"), "{said:?}");
}

#[test]
fn entry_of_json_is_named_as_that_and_not_as_a_line() {
    let (summary, given) = all("[\n{\"url\":\"http://a.example/x\"},\n{\"url\":5}\n]", Some(Verdict::Dangerous), false);
    assert_eq!((given.len(), summary.problems[0].to_string()), (1, "entry 2: not a text".to_owned()));
    let (summary, _) = all("[{\"url\":\n\n]", Some(Verdict::Dangerous), false);
    assert_eq!(summary.problems[0].line, 3);
}
