//! `ztsms generate`: synthetic traffic, the same for the same messages, seed and mix to the octet.

mod mix;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use pcaps::generate::{Mix, Summary, generate_with};

use super::args::Generate;
use super::{Done, Failure};

/// Messages between two looks at the progress bar.
const LOOK: u64 = 1024;

/// Runs the command.
pub(super) fn run(args: &Generate) -> Result<Done, Failure> {
    let mix = match &args.mix {
        None => Mix::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, "read", error))?;
            mix::parse(&text).map_err(|wrong| Failure::Said(format!("{}{wrong}", path.display())))?
        }
    };
    let bar = progress(args.messages);
    let on_message = |truth: &pcaps::generate::Truth<'_>| {
        if truth.number.is_multiple_of(LOOK) {
            bar.set_position(truth.number);
        }
    };
    let made = if args.out.as_os_str() == "-" {
        let made = generate_with(args.messages, args.seed, &mix, io::stdout().lock(), on_message)?;
        io::stdout().lock().flush()?;
        made
    } else {
        let failed = |doing| move |error| Failure::file(&args.out, doing, error);
        let file = File::create(&args.out).map_err(failed("create"))?;
        generate_with(args.messages, args.seed, &mix, BufWriter::new(file), on_message).map_err(failed("write"))?
    };
    bar.finish_and_clear();
    // Standard output is the capture where it was asked for there.
    let _ = writeln!(io::stderr().lock(), "{}", told(args, &made));
    Ok(Done::Well)
}

fn told(args: &Generate, made: &Summary) -> String {
    let Summary { messages, mt, parts, safe, unknown, dangerous, frames, octets, .. } = made;
    format!(
        "{}: {messages} messages ({mt} MT, {} MO) in {parts} TPDUs, {frames} frames, {}\nlinks: {dangerous} dangerous, {unknown} unknown, {safe} safe; \
         {} retransmissions, {} losses, {} frames of garbage",
        args.out.display(),
        messages - mt,
        HumanBytes(*octets),
        made.retransmissions,
        made.losses,
        made.garbage,
    )
}

/// On a terminal only: indicatif hides a bar elsewhere.
fn progress(messages: u64) -> ProgressBar {
    let bar = ProgressBar::new(messages);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} messages {per_sec} {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
