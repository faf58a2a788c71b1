//! Typed client of the HTTP API: one method for each route, on a list of controllers that are tried in turn.
//!
//! It keeps nothing but the addresses, the token and who is believed about certificates, and decides nothing: what an
//! answer means to a person is the caller's business.

mod account;
mod address;
mod answer;
mod app;
mod attempt;
mod change;
mod cluster;
mod connection;
mod container;
mod course;
mod coursework;
mod engine;
mod error;
mod events;
mod explain;
mod file;
mod image;
mod lab;
mod logs;
mod operation;
mod preview;
mod recording;
mod registry;
mod role;
mod save;
mod session;
mod socket;
mod stats;
mod terminal;
mod token;
mod transport;
mod trust;
mod upload;
mod wall;
mod workspace;

pub use address::Addresses;
pub use answer::Answer;
pub use change::{Change, Started, Wait};
pub use container::{RunOptions, Verb};
pub use error::ClientError;
pub use events::{EventFeed, EventQuery};
pub use file::{FileAt, FileStream};
pub use image::SpreadFeed;
pub use lab::LabBefore;
pub use logs::{LogOptions, LogStream};
pub use socket::{Socket as TerminalSocket, SocketEnd, TerminalReceiver, TerminalSender};
pub use stats::{StatsFeed, StatsQuery};
pub use token::TokensOf;
pub use transport::Client;
pub use trust::{Authority, Fingerprint};
pub use wall::{WallOf, WallSocket};
