//! The guide's samples of links of a school's site, run as they stand there, make links that are taken.
#![cfg(test)]

use pierhead_identity::{RedirectKeys, RedirectLink};
use pierhead_model::Timestamp;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const GUIDE: &str = include_str!("../../../docs/guide.md");
const KEY: &str = "the-key-of-samples-0123456789abcdef";
/// Where the samples look for the key.
const KEY_FILE: &str = "/etc/school/pierhead-key";

/// The block below a line of the guide, with the key where the test put it.
fn sample(heading: &str, key_file: &Path) -> String {
    let (_, rest) = GUIDE.split_once(&format!("\n{heading}:\n\n")).unwrap_or_else(|| panic!("no sample in {heading}"));
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let text: Vec<&str> = lines.map(|line| line.strip_prefix("    ").unwrap_or_default()).collect();
    let text = text.join("\n");
    assert!(text.contains(KEY_FILE), "{text}");
    text.replace(KEY_FILE, key_file.to_str().unwrap())
}

/// What a program prints.
fn printed(program: &str, file: &Path, text: &str) -> String {
    std::fs::write(file, text).unwrap();
    let ran = Command::new(program).arg(file).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

fn taken(link: &str) -> RedirectLink {
    let query = link.strip_prefix("https://pool.example/auth/redirect?").unwrap_or_else(|| panic!("{link}"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let link = RedirectKeys::parse(KEY).unwrap().check(query, Timestamp(u64::try_from(now).unwrap())).unwrap();
    assert_eq!((link.username.as_str(), link.course.as_ref().unwrap().as_str()), ("li", "cs-101"));
    link
}

/// A sample is run twice: its links differ, and both are taken.
fn is_good(heading: &str, program: &str, file: &str, around: impl Fn(&str) -> String) {
    let place = tempfile::tempdir().unwrap();
    let key_file = place.path().join("key");
    std::fs::write(&key_file, format!("{KEY}\n")).unwrap();
    let text = around(&sample(heading, &key_file));
    let link = || printed(program, &place.path().join(file), &text);
    let (one, other) = (link(), link());
    assert_ne!(taken(&one).nonce, taken(&other).nonce);
    let forged = one.replace("user=li", "user=wu");
    let (_, query) = forged.split_once('?').unwrap();
    assert!(RedirectKeys::parse(KEY).unwrap().check(query, Timestamp(0)).is_err(), "{forged}");
}

#[test]
fn the_sample_in_python_makes_links_that_are_taken() {
    is_good("Python", "python3", "sample.py", |text| format!("{text}\nprint(link)\n"));
}

#[test]
fn the_sample_in_php_makes_links_that_are_taken() {
    // At a terminal there are no headers to send.
    let around = |text: &str| format!("<?php\n{}", text.replace("header('Location: ", "echo ('"));
    is_good("PHP", "php", "sample.php", around);
}

#[test]
fn the_sample_in_java_makes_links_that_are_taken() {
    let around = |text: &str| {
        format!(
            "import java.nio.file.*;\nimport java.security.SecureRandom;\nimport java.time.Instant;\nimport java.util.HexFormat;\n\
             import javax.crypto.Mac;\nimport javax.crypto.spec.SecretKeySpec;\n\
             import static java.nio.charset.StandardCharsets.UTF_8;\n\
             class Sample {{\n public static void main(String[] arguments) throws Exception {{\n{text}\n\
             System.out.println(link);\n }}\n}}\n"
        )
    };
    is_good("Java (17 or newer)", "java", "Sample.java", around);
}
