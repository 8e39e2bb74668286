//! Every record is as its schema says, and no field is unknown to it.

use serde_json::Value;

use super::{GENERATED, PYCRATE, Room, lines, root, shared, ztsms};

fn validator(name: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(root().join("docs/schema").join(name)).expect("it ships with the project");
    jsonschema::validator_for(&serde_json::from_str::<Value>(&text).expect("JSON")).expect("a schema")
}

fn all_hold(validator: &jsonschema::Validator, records: &[Value], from: &str) {
    assert!(!records.is_empty(), "{from}: nothing to check");
    for record in records {
        let errors: Vec<String> =
            validator.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{from}: {errors:?}\n{record}");
    }
}

#[test]
fn records_of_the_samples_hold() {
    let validator = validator("ztsms.sms.v1.json");
    for options in [&["replay", "--json"][..], &["replay", "--json", "--redact"]] {
        for file in [PYCRATE, GENERATED] {
            all_hold(&validator, &lines(&ztsms(&[options, &[file]].concat()).out), file);
        }
    }
}

#[test]
fn records_of_captures_by_another_hand_hold() {
    let validator = validator("ztsms.sms.v1.json");
    for name in ["gen_procedures.pcap", "gen_lower.pcap", "gen_tpdu_all.pcap"] {
        let Some(file) = shared(&format!("ss7/pcaps/{name}")) else { return };
        all_hold(&validator, &lines(&ztsms(&["replay", "--json", &file]).out), name);
    }
}

#[test]
fn records_of_generated_traffic_hold() {
    let room = Room::new("generated");
    let file = room.file("out.pcapng");
    assert_eq!(ztsms(&["generate", &file, "--messages", "2000", "--seed", "11"]).status, 0);
    all_hold(&validator("ztsms.sms.v1.json"), &lines(&ztsms(&["replay", "--json", &file]).out), "generated");
}

#[test]
fn scans_and_trees_hold() {
    let scan = ztsms(&["scan", "--json", "no link", "bit.ly/x whatsapp://send?phone=1 evil dot com", "@bank.example #123456"]);
    all_hold(&validator("ztsms.scan.v1.json"), &lines(&scan.out), "scan");
    let tree = ztsms(&["explain", "--json", &format!("{PYCRATE}:3")]);
    all_hold(&validator("ztsms.explain.v1.json"), &lines(&tree.out), "explain");
}

#[test]
fn an_unknown_field_does_not_hold() {
    let mut record = lines(&ztsms(&["replay", "--json", PYCRATE]).out).remove(0);
    record["surprise"] = Value::Null;
    assert!(!validator("ztsms.sms.v1.json").is_valid(&record));
}
