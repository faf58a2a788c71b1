//! Checks the rules of this repository that no compiler checks, and names every place that breaks one.
//!
//! Run it with `make lint`. It reads source files and `cargo metadata`, and writes nothing.

mod directions;
mod licences;
mod metadata;
mod npm;
mod rules;
mod sizes;
mod source;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = match std::env::args_os().nth(1) {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from("."),
    };
    match check(&root) {
        Ok(findings) if findings.is_empty() => {
            println!("guard: every rule is kept");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            for finding in &findings {
                println!("guard: {finding}");
            }
            println!("guard: {} rules broken", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("guard: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything that breaks a rule, in words.
fn check(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let sources = source::rust_files(root)?;
    let metadata = metadata::read(root)?;
    let measured: Vec<sizes::Measured> = sources.iter().map(sizes::measure).collect();
    for line in sizes::by_crate(&measured) {
        println!("guard: {line}");
    }
    println!("guard: {}", sizes::summary(&measured));
    let mut findings = sizes::check(&measured);
    findings.extend(sources.iter().flat_map(rules::check_source));
    findings.extend(source::texts(root)?.iter().flat_map(|(path, text)| rules::check_text(path, text)));
    findings.extend(directions::check(&metadata));
    findings.extend(licences::check(&metadata));
    findings.extend(npm::read(root)?.iter().flat_map(npm::check));
    Ok(findings)
}
