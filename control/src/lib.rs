//! The control side of `ztsms`: commands, configuration, lists and the verdict builder.

pub mod build;
pub mod builtin;
pub mod lists;
pub mod verdicts_cmd;
