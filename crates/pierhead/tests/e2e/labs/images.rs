//! Images that stand for those of registries: made of this machine's own programs, and given to all hosts of a pool under
//! their names. What can't be made here says why.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use pierhead_devhosts::http::{Body, request};

use crate::bed::Bed;
use crate::program::PROGRAM;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/labs/stand_in.sh");
const PATIENCE: Duration = Duration::from_secs(300);

/// What an image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Busybox,
    Git,
    Python,
    MariaDb,
    Pierhead,
    Docker,
}

impl Kind {
    /// What the script calls it, the image's name and tag, and what is run in it.
    fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Busybox => ("busybox", "busybox", "1.37", "/bin/sh"),
            Self::Git => ("git", "buildpack-deps", "trixie-scm", "/bin/sh"),
            Self::Python => ("python", "python", "3.13-alpine", "/bin/sh"),
            Self::MariaDb => ("mariadb", "mariadb", "11", "/bin/start-mariadb"),
            Self::Pierhead => ("pierhead", "pierhead/lab", "1", "/bin/sh"),
            Self::Docker => ("docker", "docker", "28-dind", "/bin/sh"),
        }
    }
}

/// Gives an image to all hosts.
///
/// # Errors
/// What this machine lacks for it.
pub fn give(bed: &Bed, kind: Kind) -> Result<(), String> {
    let (name, repository, tag, program) = kind.parts();
    let root = bed.place.beside(&format!("root-{name}"));
    std::fs::create_dir(&root).map_err(|error| error.to_string())?;
    let made = Command::new("sh").arg(SCRIPT).arg(&root).arg(name).arg(PROGRAM).output().unwrap();
    let said = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    if made.status.code() == Some(3) {
        return Err(said);
    }
    assert!(made.status.success(), "{name}: {made:?}");
    let archive = Command::new("tar").arg("-C").arg(&root).args(["--numeric-owner", "-c", "."]).output().unwrap();
    assert!(archive.status.success(), "{name}: {}", String::from_utf8_lossy(&archive.stderr));
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let query = BTreeMap::from([("repo", repository), ("tag", tag)]);
    let query: String = query.iter().map(|(key, value)| format!("&{key}={}", encoded(value))).collect();
    let changes = [format!("ENV {path}"), format!("CMD [\"{program}\"]")];
    let changes: String = changes.iter().map(|change| format!("&changes={}", encoded(change))).collect();
    for host in &bed.hosts {
        let path = format!("/images/create?fromSrc=-{query}{changes}");
        let answer = request(host.docker_host(), "POST", &path, Body::Tar(&archive.stdout), PATIENCE).unwrap();
        assert!(answer.status == 200 && !answer.text().contains("\"error\""), "{name}: {}", answer.text());
    }
    Ok(())
}

/// Text as it stands in an address.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
