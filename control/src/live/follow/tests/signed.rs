use super::*;

fn signed(dir: &Path, signer: &crate::build::signed::Signer, what: crate::build::signed::What, file: &str) {
    signer.sign(dir, what, &fs::read(dir.join(file)).unwrap()).unwrap();
}

#[test]
fn what_the_consoles_key_did_not_sign_is_refused() {
    let mut at = Directory::new("signed", ChangeLimits::default());
    let signer = crate::build::signed::Signer::read_or_make(&at.dir.join("secret")).unwrap();
    fs::write(at.dir.join("public"), signer.public()).unwrap();
    let verifier = Some(Verifier::from_file(&at.dir.join("public")).unwrap());
    at.follow = Follow::new(&at.dir, at.suffixes.clone(), Terms { verifier, ..Terms::default() });
    at.build(&["bank.example,safe"]);
    at.look();
    assert!(at.table.is_none() && at.refused[0].contains("snapshot.sig"), "{:?}", at.refused);
    signed(&at.dir, &signer, crate::build::signed::What::Snapshot, "snapshot");
    std::thread::sleep(AGAIN);
    at.look();
    assert_eq!(at.says("bank.example"), "safe");
    at.decide("bank.example", Verdict::Dangerous);
    at.look();
    assert_eq!(at.says("bank.example"), "safe", "an overlay of another hand");
    signed(&at.dir, &signer, crate::build::signed::What::Overlay, "overlay");
    std::thread::sleep(AGAIN);
    at.look();
    assert_eq!(at.says("bank.example"), "dangerous");
    fs::write(at.dir.join("senders"), "sender,hosts\n\"MyBank\",evil.example\n").unwrap();
    at.look();
    assert!(at.senders.is_empty() && at.refused.last().unwrap().contains("senders"), "{:?}", at.refused);
}

#[test]
fn an_older_overlay_that_was_signed_is_refused_over_a_restart_too_and_going_back_works() {
    let mut at = Directory::new("older", ChangeLimits::default());
    let signer = crate::build::signed::Signer::read_or_make(&at.dir.join("secret")).unwrap();
    fs::write(at.dir.join("public"), signer.public()).unwrap();
    let verifier = Some(Verifier::from_file(&at.dir.join("public")).unwrap());
    let terms = Terms { verifier, state_dir: Some(at.dir.join("state")), ..Terms::default() };
    let start = |at: &Directory| Follow::new(&at.dir, at.suffixes.clone(), terms.clone());
    let sign = |at: &Directory, what, file: &str| signed(&at.dir, &signer, what, file);
    use crate::build::signed::What as Signed;
    at.follow = start(&at);
    at.build(&["bank.example,safe"]);
    sign(&at, Signed::Snapshot, "snapshot");
    at.decide("evil.example", Verdict::Safe);
    sign(&at, Signed::Overlay, "overlay");
    senders::write(&at.dir, &senders::to_text(&[])).unwrap();
    sign(&at, Signed::Senders, "senders");
    at.look();
    assert_eq!(at.says("evil.example"), "safe");
    let files = ["overlay", "overlay.sig", "senders", "senders.sig"];
    let old: Vec<Vec<u8>> = files.iter().map(|name| fs::read(at.dir.join(name)).unwrap()).collect();
    at.decide("evil.example", Verdict::Dangerous);
    sign(&at, Signed::Overlay, "overlay");
    let protected = Protected { sender: "MyBank".to_owned(), domains: vec!["bank.example".to_owned()] };
    senders::write(&at.dir, &senders::to_text(&[protected])).unwrap();
    sign(&at, Signed::Senders, "senders");
    at.look();
    assert_eq!((at.says("evil.example"), at.senders.len()), ("dangerous", 1));
    let new: Vec<Vec<u8>> = files.iter().map(|name| fs::read(at.dir.join(name)).unwrap()).collect();
    let put = |at: &Directory, which: std::ops::Range<usize>, of: &[Vec<u8>]| {
        which.for_each(|n| fs::write(at.dir.join(files[n]), &of[n]).unwrap());
    };
    for (what, which) in [("overlay", 0..2), ("senders", 2..4)] {
        put(&at, 0..4, &new);
        put(&at, which, &old);
        at.look();
        assert_eq!((at.says("evil.example"), at.senders.len()), ("dangerous", 1));
        let why = at.refused.last().unwrap();
        assert!(why.contains(what) && why.contains("an older file was put back"), "{why}");
    }
    // A filter that begins anew knows what was in force, and takes what it kept.
    put(&at, 0..4, &new);
    put(&at, 0..2, &old);
    at.follow = start(&at);
    (at.table, at.refused) = (None, Vec::new());
    at.look();
    assert_eq!(at.says("evil.example"), "dangerous");
    assert!(at.refused[0].contains("an older file was put back"), "{:?}", at.refused);
    fs::remove_file(at.dir.join("overlay")).unwrap();
    at.look();
    assert_eq!(at.says("evil.example"), "dangerous");
    assert!(at.refused.last().unwrap().contains("is gone"), "{:?}", at.refused);
    // The desk says the same again: that is news, and so is what comes after going back.
    put(&at, 0..4, &new);
    sign(&at, Signed::Overlay, "overlay");
    std::thread::sleep(AGAIN);
    at.look();
    let before = at.refused.len();
    at.build(&["bank.example,dangerous"]);
    sign(&at, Signed::Snapshot, "snapshot");
    let ids = ["snapshot", "snapshot.1"].map(|name| Snapshot::open(&at.dir.join(name)).unwrap().id());
    overlay::write(&at.dir, &overlay::to_text(&ids, &[])).unwrap();
    sign(&at, Signed::Overlay, "overlay");
    at.look();
    assert_eq!((at.says("bank.example"), at.says("evil.example")), ("dangerous", "unknown"));
    let mut table = None;
    let give = |news| {
        if let News::Table(new, _) = news {
            table = Some(new);
        }
    };
    at.follow.go_back(give).unwrap();
    at.table = table;
    assert_eq!((at.says("bank.example"), at.says("evil.example")), ("safe", "unknown"));
    assert_eq!(at.refused.len(), before, "{:?}", at.refused);
}
