//! The client against a controller that says what it was told to say.
#![cfg(test)]

mod answers;
mod coursework;
mod files;
mod requests;
mod scripted;
mod secured;
mod streams;
mod trust;
mod workspaces;
