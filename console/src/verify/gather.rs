//! Who asks the network: `ztsms-fetch`, since the console itself never goes out.

use std::path::PathBuf;
use std::time::Duration;

use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Evidence, EvidenceOf};

use crate::{Error, Result};

/// Time that all the evidence about a name may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Whoever can collect evidence.
pub trait Gather {
    /// What the network says.
    ///
    /// # Errors
    /// It could not be asked at all.
    fn evidence(&self, of: &EvidenceOf) -> Result<Evidence>;
}

/// The fetcher behind a socket.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Where it listens.
    pub socket: PathBuf,
}

impl Gather for Fetcher {
    fn evidence(&self, of: &EvidenceOf) -> Result<Evidence> {
        let no = |why: String| Error::Refused(format!("{}: {why}", self.socket.display()));
        let mut client = Client::connect(&self.socket).map_err(|error| no(format!("{error} (does ztsms-fetch run?)")))?;
        client.patience(PATIENCE).map_err(|error| no(error.to_string()))?;
        client.evidence(of).map_err(|error| no(error.to_string()))?.into_result().map_err(|failure| no(failure.to_string()))
    }
}
