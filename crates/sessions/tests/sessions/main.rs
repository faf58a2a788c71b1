//! Sessions over streams that stand for processes.

#[cfg(test)]
mod ends;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod losses;
mod pictures;
#[cfg(test)]
mod process;
