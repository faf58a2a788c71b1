//! The API over HTTP, before a whole pool of fake hosts.
#![cfg(test)]

mod accounts;
mod app_logs;
mod bad_input;
mod browsers;
mod canary;
mod console;
mod disk;
mod environments;
mod files;
mod hosts;
mod lab;
mod labs;
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
mod previews;
mod raw;
mod retries;
mod roles;
mod routes;
mod saves;
mod sessions;
mod stats;
mod streams;
mod terminals;
mod tokens;
mod watchers;
mod workspaces;
