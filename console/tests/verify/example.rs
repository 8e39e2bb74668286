//! `docs/example.md`, run as it is written.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use super::world::World;

/// One command of the document, and what it says that comes of it.
struct Step {
    command: String,
    output: Vec<String>,
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let blocks = document.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    for line in blocks.flat_map(str::lines) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), output: Vec::new() }),
            (None, Some(step)) => step.output.push(line.to_owned()),
            (None, None) => panic!("output before any command: {line}"),
        }
    }
    steps
}

/// Whether a line is as it is written, `…` standing for anything.
fn is_like(line: &str, written: &str) -> bool {
    let Some((first, last)) = written.rsplit_once('…') else { return line == written };
    let Some(mut rest) = line.strip_suffix(last) else { return false };
    first.split('…').enumerate().all(|(n, part)| {
        let Some(at) = rest.find(part).filter(|at| n > 0 || *at == 0) else { return false };
        rest = &rest[at + part.len()..];
        true
    })
}

/// Whether the output is as it is written: a line of `…` alone stands for any number of lines.
fn are_like(lines: &[&str], written: &[String]) -> bool {
    match (lines, written) {
        (_, [first, rest @ ..]) if first == "…" => (0..=lines.len()).any(|skip| are_like(&lines[skip..], rest)),
        ([line, lines @ ..], [first, rest @ ..]) => is_like(line, first) && are_like(lines, rest),
        (lines, written) => lines.is_empty() && written.is_empty(),
    }
}

#[test]
fn the_example_of_the_documentation_does_what_it_says() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/example.md")).unwrap();
    let steps = steps(&document);
    assert!(steps.len() > 12, "{} commands", steps.len());
    let programs = Path::new(env!("CARGO_BIN_EXE_ztsms-console")).parent().unwrap().to_owned();
    if let Some(missing) = ["ztsms", "ztsms-fetch"].iter().find(|program| !programs.join(program).exists()) {
        assert!(std::env::var_os("CI").is_none(), "{missing} is not built");
        println!("skipped: {missing} is not built");
        return;
    }
    let Some(mut world) = World::new() else { return };
    world.zone("bank.example.", "@ A 11.0.0.2\nwww A 11.0.0.2");
    world.zone("example.", "rdap A 11.0.0.3");
    world.knot();
    let (certificate, dir) = (world.certificate(&["bank.example", "rdap.example"]), world.dir().to_owned());
    world.nginx(&format!(
        "server {{ listen 11.0.0.2:443 ssl; {certificate} }} server {{ listen 11.0.0.3:443 ssl; {certificate} root {}/rdap; }}",
        dir.display()
    ));
    fs::create_dir_all(dir.join("www/.well-known")).unwrap();
    fs::create_dir_all(dir.join("rdap/domain")).unwrap();
    let record = r#"{"ldhName":"bank.example","events":[{"eventAction":"registration","eventDate":"2001-02-03T00:00:00Z"}]}"#;
    fs::write(dir.join("rdap/domain/bank.example"), record).unwrap();
    // An empty directory, with what the owner and the authority have.
    let empty = dir.join("empty");
    fs::create_dir_all(&empty).unwrap();
    symlink(dir.join("www"), empty.join("site")).unwrap();
    symlink(dir.join("ca.pem"), empty.join("ca.pem")).unwrap();
    // One shell runs all of it; what each command writes goes to a file of its own. What runs behind it ends with it.
    let each = |(n, step): (usize, &Step)| match step.command.strip_suffix('&') {
        Some(command) => format!("{command} &\n: > out.{n}\n"),
        None => format!("{{ {}\n}} > out.{n} 2>&1\n", step.command),
    };
    let script: String = steps.iter().enumerate().map(each).collect();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let status = world.within("box", || {
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("trap 'kill $(jobs -p)' EXIT\nip link set lo up\n{script}")]);
        shell.current_dir(&empty).env("PATH", path).stdin(Stdio::null()).status().unwrap()
    });
    for (n, step) in steps.iter().enumerate() {
        let output = fs::read_to_string(empty.join(format!("out.{n}"))).unwrap_or_default();
        let lines: Vec<&str> = output.lines().collect();
        assert!(
            are_like(&lines, &step.output),
            "$ {}\n{output}\nand the document says\n{}",
            step.command,
            step.output.join("\n")
        );
    }
    assert!(status.success(), "{status}");
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    assert!(is_like("#1 x: open since now", "#1 x: open since …") && is_like("abc", "…b…") && is_like("abc", "abc"));
    assert!(is_like("at 10:05:", "at …:") && !is_like("a", "a…a"));
    assert!(!is_like("abc", "ab") && !is_like("abc", "…b") && !is_like("abc", "b…"));
    let written = ["a".to_owned(), "…".to_owned(), "z".to_owned()];
    assert!(are_like(&["a", "z"], &written) && are_like(&["a", "b", "c", "z"], &written));
    assert!(!are_like(&["a", "b"], &written) && !are_like(&["z"], &written));
}
