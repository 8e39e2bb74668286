//! The program itself, in the small Internet.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use ztsms_fetch::client::Client;

use crate::world::World;

impl World {
    /// Starts the fetcher in the box and connects to it.
    pub(crate) fn fetcher(&mut self, args: &[&str]) -> Client {
        let socket = self.fetcher_at(args);
        Client::connect(&socket).unwrap()
    }

    /// Starts the fetcher in the box, and gives the socket that it listens on.
    pub(crate) fn fetcher_at(&mut self, args: &[&str]) -> PathBuf {
        let socket = self.fresh("fetch.sock");
        let ca = self.dir().join("ca.pem");
        let mut all = vec!["--socket", socket.to_str().unwrap(), "--resolver", "11.0.0.53", "--roots", ca.to_str().unwrap()];
        all.extend(args);
        self.start("box", env!("CARGO_BIN_EXE_ztsms-fetch"), &all);
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match Client::connect(&socket) {
                Ok(_) => return socket,
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}
