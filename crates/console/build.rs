//! Notices when the front end was built anew. It never builds it: compiling the program must not need npm.

use std::path::Path;

fn main() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist");
    // Cargo takes a folder that is not there for one that has changed, and would compile this crate at every build. Where
    // it can't be made, that is all that happens.
    if let Err(error) = std::fs::create_dir_all(&built) {
        println!("cargo:warning=web/dist cannot be made: {error}");
    }
    println!("cargo:rerun-if-changed=../../web/dist");
    println!("cargo:rerun-if-changed=unbuilt");
    println!("cargo:rerun-if-changed=build.rs");
}
