//! The real program with TLS: its certificates, what browsers get, and what its log tells. No Docker host is needed.

mod browser;
mod canary;
mod files;
mod own;
mod server;
