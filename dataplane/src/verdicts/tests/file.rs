//! The file of a snapshot: what is in it, and what is refused.

use super::*;

#[test]
fn every_key_is_found_and_the_file_is_small() {
    for count in [0, 1, 7, 9, 100, 5_000, 200_000] {
        let hosts = many(count);
        let built = built(&hosts.iter().map(|host| rule(host, Dangerous, Feed)).collect::<Vec<_>>());
        let snapshot = Snapshot::from_bytes(&built.bytes).expect("opens");
        snapshot.verify().expect("whole");
        assert!(
            hosts
                .iter()
                .all(|host| snapshot.find(key().hash(host)).is_some_and(|(slot, _)| snapshot.entry(slot).pattern == host))
        );
        assert!((0..10_000).all(|n| snapshot.find(key().hash(&format!("no{n}.example"))).is_none()));
        assert_eq!(snapshot.words().count(), count);
        assert!(snapshot.header().reach <= 8, "reach {}", snapshot.header().reach);
        if count >= 5_000 {
            let (octets, load) = snapshot.density();
            assert!(octets <= 13.4 && load > 0.59 && load < 0.61, "{octets} octets an entry at load {load}");
        }
    }
}

#[test]
fn one_flipped_bit_is_refused_in_the_header_and_found_in_the_body() {
    let file = built(&[rule("bank.example", Safe, Feed), rule("evil.example", Dangerous, Feed)]).bytes;
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut bad = file.clone();
            bad[at] ^= 1 << bit;
            match Snapshot::from_bytes(&bad) {
                Ok(snapshot) => assert!(at >= 4096 && snapshot.verify() == Err(Refused::Body), "byte {at} bit {bit}"),
                Err(_) => assert!(at < 4096, "byte {at}"),
            }
        }
    }
}

#[test]
fn file_cut_or_grown_anywhere_is_refused() {
    let file = built(&[rule("bank.example", Safe, Feed)]).bytes;
    assert!((0..file.len()).all(|end| Snapshot::from_bytes(&file[..end]).is_err()));
    let grown = [file.as_slice(), &[0]].concat();
    assert_eq!(Snapshot::from_bytes(&grown).unwrap_err(), Refused::Size(file.len() as u64, grown.len() as u64));
}

#[test]
fn mapped_file_and_memory_say_the_same() {
    let path = std::env::temp_dir().join(format!("ztsms-verdicts-{}", std::process::id()));
    std::fs::write(&path, built(&[rule("bank.example", Safe, Feed)]).bytes).expect("a temporary file");
    let (mapped, read) = (Snapshot::open(&path).expect("maps"), Snapshot::read_into_memory(&path).expect("reads"));
    std::fs::write(path.with_extension("cut"), b"ZTSVERD\n").expect("a temporary file");
    let cut = Snapshot::open(&path.with_extension("cut"));
    std::fs::remove_file(&path).expect("removes");
    std::fs::remove_file(path.with_extension("cut")).expect("removes");
    assert!(mapped.is_mapped() && !read.is_mapped() && mapped.verify().is_ok());
    assert_eq!(mapped.find(key().hash("bank.example")), read.find(key().hash("bank.example")));
    assert!(matches!(cut, Err(OpenError::Refused(Refused::Size(4096, 8)))));
}

#[test]
fn table_of_another_key_or_suffix_list_is_refused() {
    let bytes = built(&[rule("bank.example", Safe, Feed)]).bytes;
    let open = || Snapshot::from_bytes(&bytes).expect("opens");
    let refused = |key: Key, overlay| Table::new(open(), overlay, key, &Suffixes::built_in()).err();
    assert_eq!(refused(Key::new(&[0; 16]), None), Some(Refused::Key));
    assert_eq!(refused(key(), Some(Overlay::new(1, 8))), Some(Refused::Overlay(1, open().id())));
    assert_eq!(open().fits(key().check(), 0, 0), Err(Refused::Rules(canonical::RULES_VERSION.into(), 0)));
    assert!(matches!(open().fits(key().check(), canonical::RULES_VERSION.into(), 0), Err(Refused::SuffixList(_, 0))));
}
