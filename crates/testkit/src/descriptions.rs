//! Descriptions of containers, and the images that fake hosts have for them.

use pierhead_engine::{FakeImage, LogLine};
use pierhead_wire::{ImageDescription, PortDescription, PortNumber, RestartDescription};

/// An image whose containers run until they are stopped.
pub const SAMPLE: &str = "pierhead/sample:1";
/// An image whose containers do their work and exit with 0.
const JOB: &str = "pierhead/job:1";
/// An image whose containers do not start.
const FAILING: &str = "pierhead/failing:1";

/// An image whose containers say why, and exit with 3.
const CRASHING: &str = "pierhead/crashing:1";

/// What every fake host has.
#[must_use]
pub fn fake_images() -> Vec<FakeImage> {
    let says = |line: &str| LogLine { is_stderr: true, bytes: format!("{line}\n").into_bytes() };
    let prints = vec![says("reading /etc/app.toml"), says("\u{1b}[31mno such key: port\u{1b}[0m")];
    vec![
        FakeImage { prints, ..FakeImage::new(CRASHING).exiting(3) },
        // Environments' images are named by its digits.
        FakeImage { id: format!("sha256:{}", "5a".repeat(32)), ..FakeImage::new(SAMPLE) },
        FakeImage::new(JOB).exiting(0),
        FakeImage::new(FAILING).failing("exec: \"nothing\": executable file not found in $PATH"),
    ]
}

/// A quarter of a core and 64 MB of an image.
#[must_use]
pub fn described(image: &str) -> ImageDescription {
    ImageDescription { name: image.to_owned(), cpus: Some(0.25), memory: Some(64.0), ..ImageDescription::default() }
}

/// A container that runs, its port 80 published on a port that the planner chooses.
#[must_use]
pub fn sample() -> ImageDescription {
    let port = PortDescription { container_port: Some(PortNumber::Number(80)), ..PortDescription::default() };
    ImageDescription { bind_ports: vec![port], ..described(SAMPLE) }
}

/// A container that exits with 0 and is not run again.
#[must_use]
pub fn job() -> ImageDescription {
    let once = RestartDescription { name: "no".to_owned(), maximum_retry_count: None };
    ImageDescription { restart_policy: Some(once), ..described(JOB) }
}

/// A container that does not start on any host.
#[must_use]
pub fn failing() -> ImageDescription {
    described(FAILING)
}

/// A container that says why it fails, and exits with 3, again and again.
#[must_use]
pub fn crashing() -> ImageDescription {
    let again = RestartDescription { name: "on-failure".to_owned(), maximum_retry_count: None };
    ImageDescription { restart_policy: Some(again), ..described(CRASHING) }
}
