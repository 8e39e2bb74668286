//! The control side of `ztsms`: commands, configuration, lists and the verdict builder.

pub mod cli;
pub mod record;
pub mod record_json;
pub mod terminal;
