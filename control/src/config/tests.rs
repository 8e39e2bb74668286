use super::*;
use dataplane::policy::Action;

/// A folder of this test's own, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("ztsms-config-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for (file, text) in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        load_with(
            Some(&self.0.join("ztsms.toml")),
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    /// What the error says, from the file's name on.
    fn complaint(&self, variables: &[(&str, &str)]) -> String {
        let error = self.load(variables).unwrap_err().to_string();
        error.strip_prefix(&format!("{}/", self.0.display())).unwrap_or(&error).to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn complaint(name: &str, text: &str) -> String {
    Folder::new(name, &[("ztsms.toml", text)]).complaint(&[])
}

#[test]
fn the_commented_default_is_what_is_built_in() {
    let read = Folder::new("default", &[("ztsms.toml", DEFAULT)]).load(&[]).unwrap();
    let built_in = Config::default();
    assert_eq!(read.policy.spec(), built_in.policy.spec());
    assert_eq!((read.policy.id(), read.network, read.joins), (built_in.policy.id(), built_in.network, built_in.joins));
    assert_eq!(load_with(None, []).unwrap().policy.id(), built_in.policy.id());
}

#[test]
fn every_example_in_the_default_can_be_switched_on() {
    let on: String = DEFAULT
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(example) if example.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => format!("{example}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let folder =
        Folder::new("examples", &[("ztsms.toml", &on), ("pages.key", "000102030405060708090a0b0c0d0e0f\n"), ("plan.toml", "")]);
    let list = folder.0.join("list.csv");
    std::fs::write(&list, "imsi:208011234567890,strict,fr\n").unwrap();
    assert_eq!(crate::recipients::build(&list, &folder.0.join("recipients")).unwrap(), 1);
    let config = folder.load(&[]).unwrap();
    let (of, kind) = (profiles::Subscriber::Imsi, |of| config.policy.profile(Some(of)).map(|profile| profile.kind));
    assert_eq!((kind(of("208011234567890")), kind(of("208010000000000"))), (Some(Kind::Strict), Some(Kind::Warn)));
    assert_eq!(config.policy.spec().rules.len(), 1);
    assert_eq!(config.policy.spec().protected.len(), 1);
    let sets: Vec<_> = config.network.link_sets.iter().map(|set| (set.opc, set.dpc, set.max_sif)).collect();
    assert_eq!((sets, config.network.max_sif), (vec![(Some(4721), Some(2057), 4095)], 272));
    assert!(config.policy.spec().pages.is_some());
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_one() {
    let said = complaint("unknown", "[policy]\npresset = \"warn\"\n");
    assert!(said.starts_with("ztsms.toml:2:1: unknown key `presset`") && said.ends_with("Did you mean `preset`?"), "{said}");
    let said = complaint("section", "# c\n\n[polcy]\npreset = \"warn\"\n");
    assert!(said.starts_with("ztsms.toml:3:2: unknown key `polcy`") && said.ends_with("Did you mean `policy`?"), "{said}");
}

#[test]
fn a_wrong_value_says_what_would_be_right() {
    for (name, text, expected) in [
        (
            "preset",
            "[policy]\npreset = \"warm\"\n",
            "ztsms.toml:2:10: `warm` is not a preset: they are `learn`, `warn`, `quiet`, `strict`, `observe`. Did you mean `warn`?",
        ),
        (
            "action",
            "[policy]\nunknown = [\"lable\"]\n",
            "ztsms.toml:2:11: `lable` is not an action: they are `pass`, `label`, `replace`, `redirect`, `deaden`, `silence`, `reject`, `notify`. Did you mean `label`?",
        ),
        ("type", "[policy]\nsilence = \"no\"\n", "ztsms.toml:2:11: invalid type: string \"no\", expected a boolean"),
        ("imsi", "[never_touch]\nimsi = [\"208x\"]\n", "ztsms.toml:2:8: `208x` is not an IMSI"),
        ("never", "[never_touch]\nsender_prefixes = [\"\"]\n", "ztsms.toml:2:20: never_touch.sender_prefixes: `` is empty"),
        (
            "head",
            "[[policy.rules]]\nname = \"a\"\nsender_prefix = [\"b\", \"\"]\n",
            "ztsms.toml:3:23: rule `a`, sender_prefix: `` is",
        ),
        ("form", "[labels.languages.en]\nsafe = [\"{hots}\"]\n", "ztsms.toml:2:8: `{hots}` is not a placeholder"),
        ("sif", "[network]\nmax_sif = 10\n", "ztsms.toml:2:11: 10 is not a number of octets from 64"),
        ("syntax", "[policy\n", "ztsms.toml:1:8: "),
        ("language", "[labels]\nlanguage = \"xx\"\n", "ztsms.toml:2:12: no language `xx`: there are en, de"),
        (
            "host",
            "[[protected]]\nsender = \"A\"\ndomains = [\"https://a.example\"]\n",
            "ztsms.toml:3:12: protected.domains: `https://a.example` is not a host name",
        ),
        (
            "brand",
            "[labels]\nbrand = \"[SAFE]\"\n",
            "ztsms.toml:2:9: labels.brand: with it a label reads as `[SAFE]`, which is said of",
        ),
        (
            "link",
            "[labels.languages.en]\nsafe = [\"see help.example.com\"]\n",
            "ztsms.toml:2:9: labels.safe of language `en`, form 1: the text holds a link to `help.example.com`",
        ),
    ] {
        let said = complaint(name, text);
        assert!(said.starts_with(expected), "{name}: {said}");
    }
}

#[test]
fn files_beside_it_come_after_and_the_environment_last() {
    let folder = Folder::new(
        "layers",
        &[
            (
                "ztsms.toml",
                "[policy]\npreset = \"quiet\"\n[labels]\nbrand = \"A\"\n[[protected]]\nsender = \"A\"\ndomains = [\"a.example\"]\n",
            ),
            ("ztsms.d/20-b.toml", "[labels]\nbrand = \"C\"\n"),
            ("ztsms.d/10-a.toml", "[labels]\nbrand = \"B\"\n[[protected]]\nsender = \"B\"\ndomains = [\"b.example\"]\n"),
            ("ztsms.d/notes.txt", "not ours"),
        ],
    );
    let config = folder.load(&[("ZTSMS__LABELS__LANGUAGE", "fr"), ("ZTSMS__NETWORK__MAX_SIF", "4000"), ("OTHER", "x")]).unwrap();
    let spec = config.policy.spec();
    assert_eq!((spec.brand.as_str(), spec.language.as_str(), config.network.max_sif), ("C", "fr", 4000));
    assert_eq!(spec.mt.safe, [Action::Pass]);
    assert_eq!(spec.protected.len(), 2);
    assert_eq!(config.sources.len(), 3);
    assert_eq!(folder.load(&[("ZTSMS__LABELS__BRAND", "42")]).unwrap().policy.spec().brand, "42");
    assert_eq!(folder.load(&[("ZTSMS__JOINS__PARTS__ENTRIES", "9")]).unwrap().joins.parts.entries, 9);
    let said = folder.complaint(&[("ZTSMS__POLICY__PRESSET", "warn")]);
    assert!(said.starts_with("environment variable ZTSMS__POLICY__PRESSET: unknown key `presset`"), "{said}");
}

#[test]
fn what_is_wrong_beside_others_is_named_where_it_was_said_last() {
    let language = "[labels]\nlanguage = \"xx\"\n";
    let folder = Folder::new("last", &[("ztsms.toml", "[labels]\nlanguage = \"de\"\n"), ("ztsms.d/1.toml", language)]);
    assert!(folder.complaint(&[]).starts_with("ztsms.d/1.toml:2:12: no language `xx`"), "{}", folder.complaint(&[]));
    let said = folder.complaint(&[("ZTSMS__LABELS__LANGUAGE", "yy")]);
    assert!(said.starts_with("environment variable ZTSMS__LABELS__LANGUAGE: no language `yy`"), "{said}");
    let rule = "[[policy.rules]]\nname = \"a\"\n[[policy.rules]]\nname = \"b\"\nlanguage = \"zz\"\n";
    assert!(complaint("rule", rule).starts_with("ztsms.toml:5:12: no language `zz`"), "{}", complaint("rule", rule));
    let forms = "[labels.languages.en]\nunknown = [\n  \"{host}\",\n  \"evil.com \",\n]\n";
    assert!(complaint("forms", forms).starts_with("ztsms.toml:4:3: labels.unknown of language `en`, form 2"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = Folder::new("absent", &[("other.toml", "")]);
    assert!(folder.complaint(&[]).starts_with("ztsms.toml: No such file"));
}

#[test]
fn a_key_file_is_thirty_two_hexadecimal_digits() {
    assert_eq!(hexadecimal("000102030405060708090a0b0c0d0e0f").map(|key| key[15]), Some(15));
    assert_eq!(hexadecimal("+00102030405060708090a0b0c0d0e0f"), None);
    let text = "[pages]\nhost = \"go.carrier.example\"\nkey_file = \"k\"\n";
    let said = Folder::new("key", &[("ztsms.toml", text), ("k", "short")]).complaint(&[]);
    assert!(
        said.starts_with("ztsms.toml:3:12: pages.key_file ") && said.ends_with("/k: a key is 32 hexadecimal digits"),
        "{said}"
    );
    let said = Folder::new("no-key", &[("ztsms.toml", text)]).complaint(&[]);
    assert!(said.starts_with("ztsms.toml:3:12: pages.key_file ") && said.contains("/k: No such file"), "{said}");
    for (text, place) in [("host = \"go.carrier.example\"\n", ":2:8"), ("key_file = \"k\"\n", ":2:12"), ("", "")] {
        let said = Folder::new("half-pages", &[("ztsms.toml", &format!("[pages]\n{text}"))]).complaint(&[]);
        assert_eq!(said, format!("ztsms.toml{place}: [pages] needs both `host` and `key_file`"));
    }
}

/// The worked example of `docs/policy.md` does what the page says.
#[test]
fn the_example_in_the_manual_holds() {
    use dataplane::policy::{LinkFacts, Message, Scratch, Unbounded};
    use dataplane::verdict::{Confidence, Reason, Verdict};
    let manual = include_str!("../../../docs/policy.md");
    let example =
        manual.split_once("```toml\n").and_then(|(_, rest)| rest.split_once("```")).map(|(example, _)| example).unwrap();
    let config = Folder::new("manual", &[("ztsms.toml", example)]).load(&[]).unwrap();
    assert!(config.policy.impersonation("MyB4nk", "mybank-login.example"));
    for (text, host, verdict, expected) in [
        (
            "http://mybank-login.example",
            "mybank-login.example",
            Verdict::Dangerous,
            "Acme Un message avec un lien dangereux vers mybank-login(.)example a été retiré. N'y répondez pas.",
        ),
        (
            "http://new.example/x",
            "new.example",
            Verdict::Unknown,
            "Acme LIEN NON VÉRIFIÉ new(.)example. N'y saisissez rien, ne payez pas.\nhttp://new.example/x",
        ),
    ] {
        let link = LinkFacts {
            start: 0,
            end: text.len(),
            host,
            registrable: host,
            verdict,
            reason: Reason::Exact,
            category: "",
            confidence: Confidence::High,
            in_this_part: true,
            crosses_parts: false,
        };
        let mut scratch = Scratch::default();
        config.policy.decide(&Message::new(text, &[link]), &mut scratch, &mut Unbounded);
        assert_eq!(scratch.text, expected);
        // The page folds the sentence over lines.
        let page = manual.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = expected.lines().next().unwrap();
        assert!(page.contains(said), "the page does not say: {said}");
    }
}

#[test]
fn a_table_of_recipients_that_does_not_go_with_the_policy_is_named() {
    let table = "[recipients]\ntable = \"t/recipients\"\n";
    let folder = Folder::new(
        "recipients",
        &[("ztsms.toml", table), ("list.csv", "msisdn:+33600000001,off\nimsi:208010000000001,warn,xx\n")],
    );
    assert!(folder.complaint(&[]).contains("t/recipients: No such file"), "{}", folder.complaint(&[]));
    assert_eq!(crate::recipients::build(&folder.0.join("list.csv"), &folder.0.join("t")).unwrap(), 2);
    assert!(folder.complaint(&[]).ends_with("t/recipients: names the language `xx`, which the policy has not"));
    for (line, what) in [
        ("33600000001,off", "list.csv:1: not a subscriber: imsi:208011234567890 or msisdn:33600000001"),
        ("imsi:208011,of", "list.csv:1: not a profile: off, observe, warn, quiet or strict"),
        ("imsi:208011,off\nimsi:208011,warn", "list.csv: `208011` stands twice"),
        ("imsi:208011,off,,,\nimsi:208012,off,fr,extra", "list.csv:2: more than subscriber, profile and language"),
        ("imsi:1,off", "list.csv:1: an IMSI is 6 to 15 digits, as in imsi:208011234567890"),
        ("imsi:2080112345678901,off", "list.csv:1: an IMSI is 6 to 15 digits, as in imsi:208011234567890"),
        ("msisdn:0033600000001,off", "list.csv:1: a number is in international form, 4 to 15 digits, as in msisdn:33600000001"),
        ("msisdn:++33600000001,off", "list.csv:1: a number is in international form, 4 to 15 digits, as in msisdn:33600000001"),
    ] {
        std::fs::write(folder.0.join("list.csv"), line).unwrap();
        let said = crate::recipients::build(&folder.0.join("list.csv"), &folder.0.join("t")).unwrap_err().to_string();
        assert!(said.ends_with(what), "{said}");
    }
    let spelled = "\u{feff}Subscriber,Profile\nIMSI: 208011234567890 ,OFF\nMSISDN:+33600000001,warn\n";
    std::fs::write(folder.0.join("list.csv"), spelled).unwrap();
    assert_eq!(crate::recipients::build(&folder.0.join("list.csv"), &folder.0.join("t")).unwrap(), 2);
    let said = complaint("profile", "[recipients]\ndefault = \"sometimes\"\n");
    assert!(said.ends_with("recipients.default: `sometimes` is not off, observe, warn, quiet or strict"), "{said}");
}
