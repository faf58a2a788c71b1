//! One program: controller, command line, development hosts.

fn main() {}
