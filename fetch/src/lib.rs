//! The one program of Zero Trust SMS that goes out to the Internet, and what others need to ask it.
//!
//! `ztsms-fetch` has no data directory and no secrets. It takes one request at a time from a Unix socket ([`protocol`]), goes
//! out through [`guard`], and answers. Whoever asks uses [`client`].
//!
//! ```no_run
//! use ztsms_fetch::client::Client;
//! use ztsms_fetch::protocol::{Feed, Outcome};
//!
//! let mut client = Client::connect("/run/ztsms-fetch/socket".as_ref())?;
//! let mut body = Vec::new();
//! match client.feed(&Feed::new("https://lists.example/hosts.txt"), &mut body)? {
//!     Outcome::Ok(fetched) => println!("{} octets, SHA-256 {}", fetched.octets, fetched.sha256),
//!     Outcome::Failed(failure) => eprintln!("{failure}"),
//! }
//! # Ok::<(), ztsms_fetch::client::Error>(())
//! ```

mod budget;
pub mod client;
pub mod evidence;
pub mod expand;
pub mod feed;
pub mod guard;
pub mod live;
mod memory;
pub mod protocol;
pub mod serve;
