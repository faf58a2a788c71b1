//! The API over HTTP, before a whole pool of fake hosts.
#![cfg(test)]

mod accounts;
mod app_logs;
mod bad_input;
mod browsers;
mod canary;
mod console;
mod disk;
mod hosts;
mod leaks;
mod limits;
mod lists;
mod logs;
mod matrix;
mod measurements;
mod openapi;
mod operations;
mod ownership;
mod parts;
mod raw;
mod retries;
mod roles;
mod routes;
mod sessions;
mod stats;
mod streams;
mod terminals;
mod tokens;
mod watchers;
