//! Answers for people: a line a fact.

use serde_json::Value;

use crate::census::gate::NOBODY_YET;
use crate::time;

/// Lines of a list that could not be read, as many as are shown.
const PROBLEMS: usize = 20;

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(super) fn when(value: &Value) -> String {
    value.as_i64().map(time::shown).unwrap_or_default()
}

pub(super) fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn status(answer: &Value) -> String {
    let mut out = match answer["snapshot"].as_str() {
        Some(id) => format!("snapshot {id}: {} entries, built {}", answer["entries"], when(&answer["built"])),
        None => "no snapshot in force".to_owned(),
    };
    if answer["behind"] == true {
        out += ", behind what counts now";
    }
    out += &format!(
        "\n{} decisions in force, {} sources, {} conflicts for triage\naudit log ends at {}\n",
        answer["decisions"],
        answer["sources"],
        answer["conflicts"],
        answer["audit"].as_str().unwrap_or("nothing yet")
    );
    let links = &answer["short_links"];
    out += &match links["platforms"].as_u64() {
        None => "short links are not expanded (`serve --expand`)".to_owned(),
        Some(platforms) => format!("short links of {platforms} platforms are expanded"),
    };
    out += &format!(": {} known, {} wait, {} lead nowhere\n", links["known"], links["waiting"], links["without_target"]);
    let live = &answer["live"];
    out += match live["asked"].as_bool() {
        Some(true) => "a provider of verdicts is asked",
        _ => "no provider of verdicts is asked (`serve --live FILE`)",
    };
    out += &format!(": {} hosts known, {} wait\n", live["known"], live["waiting"]);
    out += &observing(answer);
    out += &rules(&answer["suspended_rules"]);
    out += &unbraked(&answer["unbraked"]);
    for alarm in rows(&answer["alarms"]) {
        out += &format!("ALARM {} since {}: {}\n", text(&alarm["name"]), when(&alarm["since"]), text(&alarm["text"]));
    }
    out
}

pub(super) fn rules(rules: &Value) -> String {
    let one = |rule: &Value| {
        format!(
            "RULE {} ONLY OBSERVES, in each policy that has it, since {}, by {}: {}\n",
            text(&rule["name"]),
            when(&rule["since"]),
            text(&rule["author"]),
            text(&rule["why"])
        )
    };
    rows(rules).map(one).collect()
}

pub(super) fn unbraked(all: &Value) -> String {
    let one = |one: &Value| format!("no brake suspends {}: a person let it act at {}\n", text(&one["what"]), when(&one["since"]));
    rows(all).map(one).collect()
}

pub(super) fn observing(answer: &Value) -> String {
    match answer["observing"].as_str() {
        Some(NOBODY_YET) => format!("ALL FILTERS OBSERVE: {NOBODY_YET}\n"),
        Some(why) => {
            let unsaid = answer["unsaid"].as_str().map(|why| format!("the audit log has no line of it: {why}\n"));
            format!(
                "ALL FILTERS OBSERVE ({why}); `ztsms-console observe --off` lets them act again\n{}",
                unsaid.unwrap_or_default()
            )
        }
        None => "filters act as their configuration says\n".to_owned(),
    }
}

pub(super) fn clock(answer: &Value) -> String {
    let (desk, wall) = (text(&answer["desk"]), text(&answer["wall"]));
    format!("the desk {desk}, the wall clock {wall}: {} s ahead\n", answer["wall_ahead"])
}

pub(super) fn decision(decision: &Value) -> String {
    let mut out = format!("#{} {} {}", decision["id"], text(&decision["pattern"]), text(&decision["verdict"]));
    for (name, words) in [("senders", "for "), ("category", "category "), ("author", "by "), ("reason", "because: ")] {
        if let Some(value) = decision[name].as_str().filter(|value| !value.is_empty()) {
            out += &format!(", {words}{value}");
        }
    }
    out += &format!(", {}", when(&decision["decided"]));
    if !decision["expires"].is_null() {
        out += &format!(", ends {}", when(&decision["expires"]));
    }
    if !decision["ended"].is_null() {
        out +=
            &format!(", ended {} by {}: {}", when(&decision["ended"]), text(&decision["ended_by"]), text(&decision["ended_why"]));
    }
    out + "\n"
}

pub(super) fn effect(answer: &Value) -> String {
    let effect = &answer["effect"];
    let now = &effect["now"];
    let mut out = format!("{} is {} now ({}", text(&effect["pattern"]), text(&now["verdict"]), text(&now["reason"]));
    if let Some(source) = now["source"].as_str() {
        out += &format!(", {} of {source}", text(&now["entry"]));
    }
    out += ")\n";
    if !answer["standing"].is_null() {
        out += &format!("takes the place of {}", decision(&answer["standing"]));
    }
    out + &covers(effect)
}

fn covers(effect: &Value) -> String {
    let mut out = format!("{} entries of feeds at it or below\n", effect["covers"]);
    for entry in rows(&effect["entries"]) {
        out += &format!("  {} {} of {}\n", text(&entry["verdict"]), text(&entry["pattern"]), text(&entry["source"]));
    }
    out
}

pub(super) fn stands(again: &Value) -> String {
    if again.is_null() { String::new() } else { format!("stands again: {}", decision(again)) }
}

pub(super) fn undone(answer: &Value) -> String {
    let stands = stands(&answer["stands_again"]);
    format!("would be taken back: {}{stands}these count again: {}", decision(&answer["decision"]), covers(&answer["effect"]))
}

pub(super) fn source(source: &Value) -> String {
    let mut out = format!("{} ({}) {}", text(&source["name"]), text(&source["lends"]), text(&source["place"]));
    match source.get("version").map(Value::as_i64) {
        Some(Some(version)) => out += &format!(", version {version}"),
        Some(None) => out += ", nothing imported",
        // No list.
        None => {}
    }
    if !source["checked"].is_null() {
        out += &format!(", looked at {}", when(&source["checked"]));
    }
    for (name, word) in [("suspended", "SUSPENDED"), ("trouble", "TROUBLE"), ("held", "NEWEST HELD BACK"), ("note", "NOTE")] {
        if let Some(why) = source[name].as_str() {
            out += &format!(", {word}: {why}");
        }
    }
    out + "\n"
}

pub(super) fn sources(answer: &Value) -> String {
    rows(answer).map(source).collect()
}

pub(super) fn version(version: &Value) -> String {
    let mut out = format!(
        "version {} of {}: {} entries ({}), {} lines not read, +{} -{}",
        version["id"],
        when(&version["imported"]),
        version["entries"],
        text(&version["format"]),
        version["bad"],
        version["added"],
        version["removed"]
    );
    if let Some(why) = version["held"].as_str() {
        out += &format!(", HELD BACK: {why}");
    }
    out + "\n"
}

pub(super) fn history(answer: &Value) -> String {
    source(&answer["source"]) + &rows(&answer["versions"]).map(version).collect::<String>()
}

pub(super) fn imported(answer: &Value) -> String {
    let diff = &answer["diff"];
    let mut out = format!(
        "{}: {} entries ({}), {} lines not read, {}\n",
        text(&answer["source"]),
        answer["entries"],
        text(&answer["format"]),
        answer["bad"],
        if answer["changed"] == true { format!("+{} -{}", diff["added"], diff["removed"]) } else { "nothing new".to_owned() }
    );
    for problem in rows(&answer["problems"]).take(PROBLEMS) {
        out += &format!("  line {}: {}\n", problem["line"], text(&problem["why"]));
    }
    let more = answer["bad"].as_u64().unwrap_or_default().saturating_sub(PROBLEMS as u64);
    if more > 0 {
        out += &format!("  and {more} lines more\n");
    }
    rows(&answer["notes"]).for_each(|note| out += &format!("  note: {}\n", text(note)));
    for (sign, name) in [("-", "first_removed"), ("+", "first_added")] {
        rows(&diff[name]).for_each(|line| out += &format!("  {sign} {}\n", text(line).replace('\t', " ")));
    }
    out
}

pub(super) fn conflicts(answer: &Value) -> String {
    let row = |c: &Value| {
        format!("{} is dangerous to {}, below the protected {}\n", text(&c["pattern"]), text(&c["source"]), text(&c["protected"]))
    };
    rows(answer).map(row).collect()
}

pub(super) fn protected(answer: &Value) -> String {
    let host = |h: &Value| format!("{} by {}: {}\n", text(&h["host"]), text(&h["author"]), text(&h["why"]));
    let sender = |s: &Value| {
        let hosts: Vec<String> = rows(&s["hosts"]).map(text).collect();
        format!("sender {} by {}: {}\n", text(&s["sender"]), text(&s["author"]), hosts.join(" "))
    };
    rows(&answer["hosts"]).map(host).chain(rows(&answer["senders"]).map(sender)).collect()
}

pub(super) fn built(answer: &Value) -> String {
    format!(
        "snapshot {}: {} entries of {} rules, {} beaten by others, {} left for triage, {} octets\n",
        text(&answer["snapshot"]),
        answer["entries"],
        answer["rules"],
        answer["beaten"],
        answer["conflicts"],
        answer["octets"]
    )
}

pub(super) fn audit(answer: &Value) -> String {
    let line = |line: &Value| {
        format!(
            "{} {} {} ({}) {} {} {}\n",
            line["seq"],
            when(&line["time"]),
            text(&line["author"]),
            text(&line["via"]),
            text(&line["verb"]),
            text(&line["subject"]),
            line["detail"]
        )
    };
    rows(answer).map(line).collect()
}

pub(super) fn verified(answer: &Value) -> String {
    match answer["head"].as_str() {
        Some(head) => {
            format!("every line is as it was written; the log ends at {head}; {} anchors are in it\n", answer["anchors"])
        }
        None => "the log is empty\n".to_owned(),
    }
}

pub(super) fn head(answer: &Value) -> String {
    text(&answer["head"]) + "\n"
}

/// A new key: on the first line alone, so that a script takes it from there.
pub(super) fn key(answer: &Value) -> String {
    let mut out = text(&answer["key"]) + "\n";
    if let Some(ends) = answer["old_ends"].as_i64() {
        let new = answer["ends"].as_i64().map_or_else(|| "does not end".to_owned(), |ends| format!("ends {}", time::shown(ends)));
        out += &format!("key {} holds until {}, this one {new}\n", answer["old"], time::shown(ends));
    }
    out
}

pub(super) fn key_line(key: &Value) -> String {
    let settings = &key["settings"];
    let all = |name: &str| rows(&settings[name]).map(text).collect::<Vec<_>>().join(" ");
    let mut out = format!("#{} {}: {}", key["id"], text(&settings["name"]), all("scopes"));
    for (name, words) in [("networks", "from"), ("senders", "for senders")] {
        let all = all(name);
        if !all.is_empty() {
            out += &format!(", {words} {all}");
        }
    }
    if let Some(rate) = settings["rate"].as_u64().filter(|rate| *rate > 0) {
        out += &format!(", {rate} messages a second");
    }
    for (value, words) in [(&settings["expires"], "ends"), (&key["used"], "used"), (&key["revoked"], "REVOKED")] {
        if !value.is_null() {
            out += &format!(", {words} {}", when(value));
        }
    }
    out + "\n"
}

pub(super) fn manifest(answer: &Value) -> String {
    let keys = match answer["sealed_for"].as_str() {
        Some(key) => format!("with keys sealed for {key}"),
        None if answer["keys"] == true => "with sealed keys".to_owned(),
        None => "without keys".to_owned(),
    };
    let out = format!(
        "{} files of {}, {keys}, audit log up to {}\n",
        answer["files"].as_object().map_or(0, serde_json::Map::len),
        when(&answer["made"]),
        answer["audit"].as_str().unwrap_or("nothing yet")
    );
    if answer["observing"].is_null() { out } else { out + &observing(answer) }
}
