//! Sessions over streams that stand for processes.

#[cfg(test)]
mod ends;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod process;
