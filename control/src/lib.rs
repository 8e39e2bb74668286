//! The control side of `ztsms`: commands, configuration, lists and the verdict builder.

pub mod builtin;
pub mod lists;
