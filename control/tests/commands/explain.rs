//! `ztsms explain`.

use super::{PYCRATE, Room, frames, lines, shared, ztsms};

#[test]
fn a_bare_tpdu_needs_its_direction() {
    let hex = "040B911346610089F60000208062917314080CC8F71D14969741F977FD07";
    let ran = ztsms(&["explain", "--layer", "tpdu", "--direction", "mt", hex]);
    assert!(ran.status == 0 && ran.out.contains("How are you?"), "{}", ran.out);
    assert_eq!(ztsms(&["explain", "--layer", "tpdu", hex]).status, 2);
}

#[test]
fn bad_octets_are_named_with_their_place() {
    // A TCAP Begin whose component portion claims 0x40 octets of the 9 that are there.
    let ran = ztsms(&["explain", "--layer", "tcap", "620e48010 76c40a107020101020 2002c"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("! TCAP at octet 6"), "{}", ran.out);
    assert!(ran.err.starts_with("ztsms: octets given: TCAP at octet 6: truncated"), "{}", ran.err);
}

#[test]
fn what_is_odd_and_read_all_the_same_is_no_failure() {
    // A reserved data coding scheme, and a length in more octets than it needs.
    for (layer, hex) in
        [("tpdu", "040B911346610089F6000C208062917314080CC8F71D14969741F977FD07"), ("tcap", "6281064804000000016c00")]
    {
        let ran = ztsms(&["explain", "--layer", layer, "--direction", "mt", hex]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", ran.out);
        assert!(ran.out.contains("! "), "{}", ran.out);
    }
}

#[test]
fn every_frame_of_captures_by_another_hand_has_a_tree() {
    for name in ["gen_procedures.pcap", "gen_lower.pcap"] {
        let Some(file) = shared(&format!("ss7/pcaps/{name}")) else { return };
        for frame in 1..=46 {
            let ran = ztsms(&["explain", "--json", &format!("{file}:{frame}")]);
            assert!(matches!(ran.status, 0 | 1), "{name}:{frame}: {}", ran.err);
            let tree = lines(&ran.out).remove(0);
            assert!(tree["tree"]["children"].as_array().is_some_and(|layers| !layers.is_empty()), "{name}:{frame}");
        }
    }
}

#[test]
fn point_codes_and_addresses_are_read_as_the_option_says() {
    // MTP3: SIO, DPC 3.2.1, OPC 6.5.4, SLS 7 of ANSI; then a UDT whose addresses have the SSN in front of the point code.
    let hex = "83 030201 060504 07 090003 080d 05 c306 030201 05c3 07 06 05 04 05 62 03 48 01 00";
    let ansi = ztsms(&["explain", "--link-type", "141", "--variant", "ansi", hex]);
    assert!(ansi.out.contains("OPC 263430 DPC 66051 SLS 7"), "{}", ansi.out);
    assert!(ansi.out.contains("SSN 6 (HLR), PC 66051") && ansi.out.contains("SSN 7 (VLR), PC 263430"), "{}", ansi.out);
    let itu = ztsms(&["explain", "--link-type", "141", "--variant", "itu", hex]);
    assert!(!itu.out.contains("OPC 263430"), "{}", itu.out);
    assert_eq!(ztsms(&["explain", "--variant", "utopia", hex]).status, 2);
}

#[test]
fn a_frame_that_is_not_there_and_a_file_that_is_not_are_told_apart() {
    let ran = ztsms(&["explain", &format!("{PYCRATE}:99999")]);
    assert!(ran.status == 1 && ran.err.contains("184 frames"), "{}", ran.err);
    let ran = ztsms(&["explain", "no-such-file.pcap:1"]);
    assert!(ran.status == 1 && ran.err.contains("no-such-file.pcap") && ran.err.contains("cannot be opened"), "{}", ran.err);
    assert_eq!(ztsms(&["explain", "neither"]).status, 2);
}

#[test]
fn a_frame_behind_a_damaged_block_has_the_number_that_replay_gives_it() {
    let room = Room::new("explain-damaged");
    let frame = |tsn: u32| frames::deliver("BANK", &format!("Pay at http://evil.example/{tsn} now"), tsn);
    let mut capture = frames::capture(&[frame(1), frame(2), frame(3)]);
    // The first enhanced packet block names an interface that the section has not.
    let at = capture.windows(4).position(|octets| octets == [6, 0, 0, 0]).unwrap();
    capture[at + 8] = 9;
    let file = room.holding("damaged.pcapng", &capture);
    let told = lines(&ztsms(&["replay", "--json", &file]).out);
    let frames: Vec<u64> = told.iter().map(|record| record["frame"].as_u64().unwrap()).collect();
    assert_eq!(frames, [1, 2]);
    for frame in frames {
        let ran = ztsms(&["explain", &format!("{file}:{frame}")]);
        let is_it = ran.out.contains(&format!("http://evil.example/{}", frame + 1));
        assert!(ran.status == 0 && is_it, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("damaged.pcapng: offset") && ran.err.contains("interface 9"), "{}", ran.err);
    }
    let ran = ztsms(&["explain", &format!("{file}:3")]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("2 frames, so there is no frame 3"), "{}", ran.err);
}
