//! The commands against a controller that says what it was told to say.
#![cfg(test)]

#[path = "../../../client/tests/http/scripted.rs"]
mod scripted;
#[path = "../../../client/tests/http/secured.rs"]
mod secured;

mod access;
mod changing;
mod class;
mod courses;
mod environments;
mod events;
mod failing;
mod files;
mod hosts;
mod images;
mod labs;
mod login;
mod logs;
mod own;
mod reading;
mod session;
mod sharing;
mod terminals;
mod top;
mod trust;
mod work;
mod workspaces;
