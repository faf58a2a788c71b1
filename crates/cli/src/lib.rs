//! Commands and how they are rendered: a client of the HTTP API for people and scripts.
//!
//! One module for each noun says what its commands take and do; `render` says how answers look. Nothing here knows
//! more of the pool than the API tells.

mod account;
mod app;
mod cluster;
mod command;
mod completion;
mod connection;
mod container;
mod controller;
mod course;
mod credentials;
mod description;
mod dispatch;
mod engine;
mod environment;
mod error;
mod escape;
mod event;
mod exec;
mod explain;
mod file;
mod flags;
mod follow;
mod help;
mod image;
mod interrupt;
mod json;
mod lab;
mod listing;
mod login;
mod logs;
mod man;
mod names;
mod operation;
mod output;
mod preview;
mod progress;
mod recording;
mod registry;
mod render;
mod role;
mod roster;
mod run;
mod save;
mod scale;
mod seat;
mod several;
mod subject;
mod target;
mod terminal;
mod token;
mod top;
mod trust;
mod usage;
mod wall;
mod work;
mod workspace;

pub use command::{Cli, ClientCommand};
pub use completion::answer as answer_completion;
pub use connection::Connection;
pub use dispatch::{Definition, execute, refuse_command_line, report, report_other, run};
pub use error::CliError;
pub use help::AFTER_HELP;
pub use output::{Output, Terminals};
