//! What records, names and labels promise to the parts that share them.

mod environments;
mod records;
mod saves;
mod workspaces;
