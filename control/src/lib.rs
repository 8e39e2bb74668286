//! The control side of `ztsms`: commands, configuration, lists and the verdict builder.

pub mod build;
pub mod builtin;
pub mod cli;
pub mod config;
pub mod explains;
pub mod lists;
pub mod record;
pub mod record_json;
pub mod summary;
pub mod terminal;
pub mod verdicts_cmd;
