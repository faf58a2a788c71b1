//! The API over HTTP, before a whole pool of fake hosts.
#![cfg(test)]

mod accounts;
mod bad_input;
mod disk;
mod limits;
mod openapi;
mod operations;
mod ownership;
mod raw;
mod retries;
mod roles;
mod routes;
mod sessions;
mod tokens;
