//! WAP push.

/// The port that handsets take WAP pushes at, without security.
pub const PUSH_PORT: u16 = 2948;
