//! A caller: HTTP/1.1 by hand, so that nothing is put right on the way.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use super::room::{Room, Serve};

/// A key of a running console, and how it is asked.
pub(crate) struct Asks<'s> {
    pub(crate) serve: &'s Serve,
    pub(crate) key: String,
}

/// Status, headers in lower case, and the body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl<'s> Asks<'s> {
    /// Makes a key as an operator does.
    pub(crate) fn new(room: &Room, serve: &'s Serve, args: &[&str]) -> Self {
        let key = room.well(&[&["key", "create"], args].concat()).trim().to_owned();
        assert!(key.starts_with("ztsms_"), "{key}");
        Self { serve, key }
    }

    pub(crate) fn post(&self, route: &str, body: impl ToString) -> Answer {
        self.ask("POST", route, "Content-Type: application/json\r\n", body.to_string().as_bytes())
    }

    /// Answered well.
    pub(crate) fn well(&self, route: &str, body: impl ToString) -> Value {
        let answer = self.post(route, body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub(crate) fn ask(&self, method: &str, route: &str, headers: &str, body: &[u8]) -> Answer {
        let key = if self.key.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", self.key) };
        self.raw(&format!("{method} {route} HTTP/1.1\r\n{key}{headers}Content-Length: {}\r\n", body.len()), body)
    }

    pub(crate) fn raw(&self, head: &str, body: &[u8]) -> Answer {
        let host = self.serve.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(format!("{head}Host: {host}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        // A body that is refused by its header may not be read to its end.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_lowercase();
        let body = if head.contains("json") { serde_json::from_str(body).unwrap() } else { Value::String(body.to_owned()) };
        Answer { status, head, body }
    }
}

impl Answer {
    /// A problem document of this status and kind, with the field at fault.
    pub(crate) fn is_problem(&self, status: u16, kind: &str, field: Option<&str>) {
        assert_eq!(
            (self.status, self.body["type"].as_str()),
            (status, Some(&*format!("urn:ztsms:problem:{kind}"))),
            "{}",
            self.body
        );
        assert_eq!((self.body["status"].as_u64(), self.body["field"].as_str()), (Some(status.into()), field), "{}", self.body);
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
    }
}
