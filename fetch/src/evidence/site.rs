//! What stands on the site itself.

use super::{BOUNDS, tokens};
use crate::guard::{Call, Guard, Target};
use crate::protocol::{Failure, Front, FrontHop, WellKnown, Why};

/// Octets of the file that are read.
const FILE_OCTETS: usize = 16 << 10;
/// Redirects of the file, all on the same host.
const FILE_HOPS: usize = 3;
/// Pages on the way from the front page.
const FRONT_HOPS: usize = 5;

/// Reads `https://HOST/.well-known/ztsms.txt`. Another host's file says nothing about this one, and neither does one that came unprotected.
pub(super) async fn well_known(guard: &Guard, host: &str, expected: Option<&str>) -> Result<WellKnown, Failure> {
    let clock = BOUNDS.start();
    let mut target = guard.target(&format!("https://{host}/.well-known/ztsms.txt"))?;
    for _ in 0..=FILE_HOPS {
        let reply = guard.call(&target, Call::get("text/plain"), &clock).await?;
        if let Some(location) = reply.location() {
            let next = next(guard, &target, &location)?;
            if next.host() != host || !next.is_secure() {
                return Err(Failure::new(Why::Redirect, format_args!("{host} sends to {} for its file", next.host())));
            }
            target = next;
            continue;
        }
        match reply.status.as_u16() {
            200 => {}
            404 | 410 => return Err(Failure::new(Why::Absent, format_args!("{host} has no /.well-known/ztsms.txt"))),
            status => return Err(Failure::new(Why::Status, format_args!("{host} answers {status} for its file"))),
        }
        let text = reply.body.head(FILE_OCTETS).await?;
        let token = tokens(String::from_utf8_lossy(&text).lines(), expected);
        if token.tokens.is_empty() {
            return Err(Failure::new(Why::Absent, format_args!("{host}: no line ztsms-verify= in /.well-known/ztsms.txt")));
        }
        return Ok(WellKnown { token, url: target.url().to_string() });
    }
    Err(Failure::new(Why::Hops, format_args!("{host}: more than {FILE_HOPS} redirects of its file")))
}

/// Looks where the front page leads, over https, else over http. No page is read.
pub(super) async fn front(guard: &Guard, host: &str) -> Result<Front, Failure> {
    match front_of(guard, &format!("https://{host}/")).await {
        Err(failure) if matches!(failure.why, Why::Connect | Why::Tls | Why::Idle) => {
            front_of(guard, &format!("http://{host}/")).await.map_err(|_| failure)
        }
        other => other,
    }
}

async fn front_of(guard: &Guard, url: &str) -> Result<Front, Failure> {
    let clock = BOUNDS.start();
    let mut target = guard.target(url)?;
    let mut front = Front::default();
    loop {
        let reply = match guard.call(&target, Call::get("text/html,*/*;q=0.5"), &clock).await {
            Ok(reply) => reply,
            Err(failure) if front.hops.is_empty() => return Err(failure),
            Err(failure) => return Ok(Front { stopped: Some(failure), ..front }),
        };
        front.hops.push(FrontHop { url: target.url().to_string(), status: reply.status.as_u16() });
        let Some(location) = reply.location() else { return Ok(front) };
        front.stopped = match next(guard, &target, &location) {
            Ok(next) if front.hops.iter().any(|hop| hop.url == next.url().as_str()) => {
                Some(Failure::new(Why::Loop, format_args!("back at {}", next.host())))
            }
            Ok(_) if front.hops.len() > FRONT_HOPS => {
                Some(Failure::new(Why::Hops, format_args!("more than {FRONT_HOPS} redirects")))
            }
            Ok(next) => {
                target = next;
                continue;
            }
            Err(failure) => Some(failure),
        };
        return Ok(front);
    }
}

fn next(guard: &Guard, target: &Target, location: &str) -> Result<Target, Failure> {
    let url = target.url().join(location);
    let url = url.map_err(|error| Failure::new(Why::Redirect, format_args!("{}: {error}", target.host())))?;
    guard.target_of(url).map_err(|failure| failure.at(format_args!("redirect of {}", target.host())))
}
