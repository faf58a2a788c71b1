//! Commands and how they are rendered: a client of the HTTP API for people and scripts.
//!
//! One module for each noun says what its commands take and do; `render` says how answers look. Nothing here knows
//! more of the pool than the API tells.

mod account;
mod app;
mod cluster;
mod command;
mod connection;
mod container;
mod credentials;
mod description;
mod engine;
mod error;
mod escape;
mod event;
mod explain;
mod flags;
mod follow;
mod json;
mod login;
mod logs;
mod operation;
mod output;
mod progress;
mod render;
mod role;
mod run;
mod scale;
mod target;
mod token;

pub use command::{AFTER_HELP, Cli, ClientCommand, execute, report, run};
pub use connection::Connection;
pub use error::CliError;
pub use output::{Output, Terminals};
