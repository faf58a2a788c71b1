//! Sessions over streams that stand for processes.

mod ends;
mod lines;
mod losses;
mod process;
