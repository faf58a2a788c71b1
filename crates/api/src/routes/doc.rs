//! What each route takes and answers, noun by noun.

pub(super) mod access;
pub(super) mod apps;
pub(super) mod attempts;
pub(super) mod cluster;
pub(super) mod containers;
pub(super) mod courses;
pub mod coursework;
pub(super) mod engines;
pub(super) mod enter;
pub(super) mod events;
pub(super) mod files;
pub(super) mod images;
pub(super) mod labs;
pub(super) mod operations;
pub(super) mod previews;
pub mod recordings;
pub(super) mod saves;
pub(super) mod session;
pub(super) mod stats;
pub(super) mod terminals;
pub(super) mod usage;
pub(super) mod wall;
pub(super) mod workspaces;
