//! Places of blobs: a directory, and a bucket of a real object store that runs inside of the test.

#[cfg(test)]
mod beds;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod faults;
