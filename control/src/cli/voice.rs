//! What a filter says on standard error goes through one thread that writes it: a reader that stops reading stops nothing else. What finds no
//! room is dropped, counted, and said so once there is a reader again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};

/// Lines, or alarms of several, that wait to be written.
const WAITING: usize = 1024;

enum Say {
    /// Text with its line breaks.
    Text(String),
    /// Answered once everything before it is written.
    Written(Sender<()>),
}

/// The way to the thread that writes.
struct Voice {
    say: Sender<Say>,
    lost: Arc<AtomicU64>,
}

/// That thread's end.
struct Writer {
    said: Receiver<Say>,
    lost: Arc<AtomicU64>,
}

static VOICE: OnceLock<Voice> = OnceLock::new();

fn voice() -> (Voice, Writer) {
    let (say, said) = bounded(WAITING);
    let lost = Arc::<AtomicU64>::default();
    (Voice { say, lost: Arc::clone(&lost) }, Writer { said, lost })
}

impl Voice {
    fn say(&self, text: String) {
        if self.say.try_send(Say::Text(text)).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    fn settle(&self, patience: Duration) {
        let end = Instant::now() + patience;
        let (done, written) = bounded(1);
        if self.say.send_deadline(Say::Written(done), end).is_ok() {
            // What is not written by then never is.
            let _ = written.recv_deadline(end);
        }
    }
}

impl Writer {
    fn run(self, mut write: impl FnMut(&str)) {
        for say in &self.said {
            match say {
                Say::Text(text) => write(&text),
                // Who does not wait any more needs no answer.
                Say::Written(done) => drop(done.send(())),
            }
            // Only what is full drops anything: what was dropped came after all that waited.
            if self.said.is_empty() {
                let lost = self.lost.swap(0, Relaxed);
                if lost > 0 {
                    write(&format!("ztsms: standard error was not read: {lost} messages were dropped here\n"));
                }
            }
        }
    }
}

/// From now on nothing that is said waits for whoever reads it.
pub(super) fn begin() -> std::io::Result<()> {
    let (voice, writer) = voice();
    Builder::new().name("said".to_owned()).spawn(move || {
        crate::live::privileges::keep_only(&[]);
        writer.run(super::fail::write);
    })?;
    // A second one would end at once: nobody has its way.
    drop(VOICE.set(voice));
    Ok(())
}

/// Says it: by the thread that writes, where there is one.
pub(super) fn say(text: String) {
    match VOICE.get() {
        Some(voice) => voice.say(text),
        None => super::fail::write(&text),
    }
}

/// Waits so long for what has been said to be written.
pub(super) fn settle(patience: Duration) {
    if let Some(voice) = VOICE.get() {
        voice.settle(patience);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_dropped_and_counted_and_nobody_waits_for_ever() {
        let (voice, writer) = voice();
        for n in 0..WAITING + 7 {
            voice.say(format!("{n}\n"));
        }
        // Nobody writes: it comes back all the same.
        voice.settle(Duration::from_millis(20));
        let (written, read) = std::sync::mpsc::channel();
        let writing = std::thread::spawn(move || writer.run(|text| drop(written.send(text.to_owned()))));
        voice.settle(Duration::from_secs(20));
        voice.say("later\n".to_owned());
        drop(voice);
        writing.join().unwrap();
        let all: Vec<String> = read.iter().collect();
        assert_eq!(all.len(), WAITING + 2);
        assert_eq!(all[WAITING - 1], format!("{}\n", WAITING - 1));
        assert!(all[WAITING].contains("7 messages were dropped"), "{}", all[WAITING]);
        assert_eq!(all[WAITING + 1], "later\n");
    }
}
