//! A filter's streams, followed by a running console.

use std::time::{Duration, Instant, SystemTime};

use control::spool::{ConsoleKey, Kind, Limits, Plain, Segments, mask, new_secret_key, simhash};
use serde_json::{Value, json};

use super::room::Room;
use super::whole::get;

/// What a link to the host of `n` makes the filter write: a record for the spool and one for `work`.
fn message(n: u32, host: &str) -> [Value; 2] {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let time = jiff::Timestamp::from_second(now.try_into().unwrap()).unwrap().to_string();
    let link = format!("{host}/p?id={n}");
    let sketch = mask(&format!("Your parcel {n} waits at customs, pay the fee here: {link}"), &[&link]);
    let key = format!("{n:016x}{n:016x}");
    let sms = json!({ "schema": "ztsms.sms.v1", "time": time, "type": "deliver", "direction": "mt", "imsi": format!("~{n:016x}"),
        "address": { "digits": "~00000000000000aa", "ton": 1 }, "concat": null, "parts": 1, "verdict": "unknown", "content_key": key,
        "urls": [{ "host": host, "registrable": host, "verdict": "unknown", "reason": "no-entry", "confidence": "high" }] });
    let work = json!({ "schema": "ztsms.work.v1", "time": time, "content_key": key, "sender": "15550100", "recipient": null,
        "verdict": "unknown", "action": "label", "simhash": simhash(&sketch).map(|sum| format!("{sum:016x}")), "sketch": sketch,
        "urls": [{ "text": link, "url": format!("https://{link}"), "verdict": "unknown", "reason": "no-entry", "id": null }] });
    [sms, work]
}

#[test]
fn what_a_filter_writes_waits_in_triage_within_seconds_and_is_not_read_twice_by_the_next_console() {
    let room = Room::empty("followed");
    let (spool, work, key) = (room.path("spool"), room.path("work"), new_secret_key());
    let public = ConsoleKey::of(&key);
    let hex: String = key.to_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    let file = room.list("console.key", hex);
    let [spool_dir, work_dir] = [&spool, &work].map(|dir| dir.display().to_string());
    let args = ["--spool", &spool_dir, "--work", &work_dir, "--work-key", &file];
    let serve = room.serve_with(&args);
    let mut segments =
        [(&spool, Kind::Spool), (&work, Kind::Work)].map(|(dir, kind)| Segments::new(dir, kind, Limits::default()).unwrap());
    let mut write = |n: u32, host: &str| {
        for (segments, (record, seal)) in segments.iter_mut().zip(message(n, host).into_iter().zip([None, Some(&public)])) {
            let mut plain = Plain::default();
            plain.push(record.to_string().as_bytes());
            segments.append(&plain.finish(n.into(), seal)).unwrap();
        }
    };
    write(1, "fee-one.example");
    write(2, "fee-two.example");
    let begun = Instant::now();
    let waiting = |most: usize| loop {
        let list = room.json(&["triage", "list"]);
        if list.as_array().unwrap().len() >= most {
            return list;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing waits: {list}");
        std::thread::sleep(Duration::from_millis(50));
    };
    let list = waiting(2);
    println!("in triage {} ms after it was written", begun.elapsed().as_millis());
    assert_eq!((&list[0]["campaigns"], &list[0]["senders"]), (&list[1]["campaigns"], &json!(["number"])));
    let campaign = format!("#{}", list[0]["campaigns"][0]);
    assert!(room.refused(&["triage", "decide", &campaign, "dangerous", "--reason", "x"]).contains("--yes"));
    room.well(&["triage", "decide", &campaign, "dangerous", "--reason", "parcel fraud", "--yes"]);
    assert_eq!(["fee-one.example", "www.fee-two.example"].map(|host| room.says(host)), ["dangerous"; 2]);
    let counted = |serve: &super::room::Serve, count: u32| {
        let line = format!("ztsms_census_messages{{verdict=\"unknown\"}} {count}\n");
        let begun = Instant::now();
        while !get(&serve.address, "/metrics").contains(&line) {
            assert!(begun.elapsed() < Duration::from_secs(20), "never {line}: {}", get(&serve.address, "/metrics"));
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    counted(&serve, 2);
    assert!(room.well(&["readiness"]).contains("2 messages to phones, 2 with links"));
    drop(serve);
    write(3, "fee-three.example");
    let serve = room.serve_with(&args);
    counted(&serve, 3);
}
