//! The sample image `pierhead/sample:1`: one web server that tells its host name at `/` and answers `/health`. Made in
//! memory from the system's busybox, without a registry; the same busybox gives the same bytes.

use std::fs;
use std::io;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::command;
use crate::error::{Error, Result};
use crate::http::{self, Body};

/// The name under which engines have the image.
pub const IMAGE: &str = "pierhead/sample:1";

/// Loading two megabytes takes a tenth of a second; a busy machine may need longer.
const LOAD_LIMIT: Duration = Duration::from_secs(60);

const APPLETS: [&str; 40] = [
    "cat", "chmod", "cp", "cut", "date", "dd", "df", "dmesg", "echo", "env", "expr", "false", "find", "free", "grep",
    "head", "hostname", "httpd", "id", "ip", "kill", "ls", "mkdir", "mv", "nc", "ping", "printf", "ps", "rm", "sed",
    "seq", "sh", "sleep", "stty", "tail", "test", "touch", "true", "wc", "wget",
];

/// The page is written when the container starts, as only then its host name is known.
const SERVE: &str = "#!/bin/sh\nhostname >/www/index.html\nexec httpd -f -p 80 -h /www\n";

/// The image as an archive for `docker load`.
///
/// # Errors
/// There is no busybox on this machine.
pub fn image_archive() -> Result<Vec<u8>> {
    let program = command::find("busybox", &command::search_path()).unwrap_or_else(|| "/bin/busybox".into());
    let busybox = fs::read(&program).map_err(Error::file("read", &program))?;
    archive(&busybox).map_err(Error::file("pack", program))
}

/// Gives the image to the engine at `docker_host` (`tcp://ADDRESS:PORT` or `unix:///PATH`).
///
/// # Errors
/// There is no busybox on this machine, or the engine does not take the image.
pub fn load_into(docker_host: &str) -> Result<()> {
    load_archive(docker_host, &image_archive()?)
}

pub(crate) fn load_archive(docker_host: &str, archive: &[u8]) -> Result<()> {
    let answer = http::request(docker_host, "POST", "/images/load?quiet=1", Body::Tar(archive), LOAD_LIMIT)?;
    let message = answer.text();
    // The engine reports a failure in the middle of its work inside of an answer that began with 200.
    if answer.status == 200 && !message.contains("\"errorDetail\"") {
        return Ok(());
    }
    Err(Error::LoadSample {
        docker_host: docker_host.to_owned(),
        status: answer.status,
        message: message.trim().to_owned(),
    })
}

fn archive(busybox: &[u8]) -> io::Result<Vec<u8>> {
    let layer = layer(busybox)?;
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Cmd": ["/bin/serve"],
            "Env": ["PATH=/bin"],
            "WorkingDir": "/",
            "ExposedPorts": { "80/tcp": {} },
            // The kernel shields a container's first process from every signal that it has no handler for, but this.
            "StopSignal": "SIGKILL",
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "pierhead" }],
    })
    .to_string();
    let (config_file, layer_file) = (format!("{}.json", digest(config.as_bytes())), "layer.tar");
    let manifest = json!([{ "Config": config_file, "RepoTags": [IMAGE], "Layers": [layer_file] }]).to_string();
    let mut builder = Builder::new(Vec::new());
    add_file(&mut builder, &config_file, 0o644, config.as_bytes())?;
    add_file(&mut builder, layer_file, 0o644, &layer)?;
    add_file(&mut builder, "manifest.json", 0o644, manifest.as_bytes())?;
    builder.into_inner()
}

fn layer(busybox: &[u8]) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for (folder, mode) in [("bin/", 0o755), ("etc/", 0o755), ("root/", 0o700), ("tmp/", 0o1777), ("www/", 0o755)] {
        builder.append_data(&mut header(EntryType::Directory, mode, 0), folder, io::empty())?;
    }
    add_file(&mut builder, "bin/busybox", 0o755, busybox)?;
    for applet in APPLETS {
        builder.append_link(&mut header(EntryType::Symlink, 0o777, 0), format!("bin/{applet}"), "busybox")?;
    }
    add_file(&mut builder, "bin/serve", 0o755, SERVE.as_bytes())?;
    add_file(&mut builder, "etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/sh\n")?;
    add_file(&mut builder, "etc/group", 0o644, b"root:x:0:\n")?;
    add_file(&mut builder, "www/health", 0o644, b"ok\n")?;
    builder.into_inner()
}

fn add_file(builder: &mut Builder<Vec<u8>>, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    let length = u64::try_from(content.len()).expect("a slice's length fits into 64 bits");
    builder.append_data(&mut header(EntryType::Regular, mode, length), path, content)
}

/// Same content, same bytes: no time, no owner but root.
fn header(kind: EntryType, mode: u32, length: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(length);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;

    fn unpack(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(bytes);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let content = entry.link_name_bytes().map_or(content, |target| target.into_owned());
            (entry.path().unwrap().display().to_string(), content)
        });
        entries.collect()
    }

    #[test]
    fn digests_in_the_archive_are_those_of_its_files() {
        let files = unpack(&archive(b"a program").unwrap());
        let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
        assert_eq!(manifest[0]["RepoTags"][0], IMAGE);
        let config_file = manifest[0]["Config"].as_str().unwrap();
        assert_eq!(config_file, format!("{}.json", digest(&files[config_file])));
        let config: serde_json::Value = serde_json::from_slice(&files[config_file]).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", digest(&files["layer.tar"])));
        assert!(config["config"]["ExposedPorts"]["80/tcp"].is_object());
        let root = unpack(&files["layer.tar"]);
        assert_eq!(root["bin/busybox"], b"a program");
        for applet in ["sh", "httpd", "hostname", "cat", "sleep", "nc", "wget", "seq"] {
            assert_eq!(root[&format!("bin/{applet}")], b"busybox", "{applet}");
        }
        assert_eq!(root["bin/serve"], SERVE.as_bytes());
    }

    #[test]
    fn the_same_busybox_gives_the_same_bytes() {
        assert_eq!(archive(b"one").unwrap(), archive(b"one").unwrap());
        assert_ne!(archive(b"one").unwrap(), archive(b"two").unwrap());
    }

    #[test]
    fn every_applet_is_one_of_busybox() {
        let list = command::run("busybox", &["--list"]).unwrap();
        for applet in APPLETS {
            assert!(list.lines().any(|line| line == applet), "{applet}");
        }
    }
}
