//! From the configuration to the stage that lanes obey.

use std::io;

use dataplane::live::Stage;
use dataplane::policy::profiles::Subscriber;

use super::keys;
use crate::config::live::{Live, Recipient};

/// The stage that the configuration asks for. Its key outlives the process: who was in a stage stays in it.
///
/// # Errors
/// The key cannot be read or made. Where nothing is enforced none is needed.
pub fn of(live: &Live) -> io::Result<Stage> {
    if !live.enforce {
        return Ok(Stage::observe());
    }
    let key = keys::number(&keys::read_or_make(None, &live.state_dir, "stage.key")?)?;
    let recipients = live.recipients.iter().map(|recipient| match recipient {
        Recipient::Imsi(digits) => Subscriber::Imsi(digits),
        Recipient::Msisdn(digits) => Subscriber::Msisdn(digits),
    });
    Ok(Stage::new(true, live.stage_percent.hundredths(), key, recipients))
}
