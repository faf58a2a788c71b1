//! A server of this test, and requests to it as anybody can send them.

use crate::program::{Background, Ended, program, text_of};
use crate::wait::{PATIENCE, until_some};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

pub const PASSWORD: &str = "canary-of-a-password";

pub struct Server {
    pub url: String,
    folder: tempfile::TempDir,
    process: Background,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Server {
    pub fn start(args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), args)
    }

    /// Starts it on everything that an earlier one left.
    pub fn start_in(folder: tempfile::TempDir, args: &[&str]) -> Self {
        std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
        let data = folder.path().join("data");
        // Of its last life: it would be somebody else's by now.
        let _ = std::fs::remove_file(data.join("url"));
        let output = std::fs::OpenOptions::new().create(true).append(true).open(folder.path().join("output")).unwrap();
        let mut serve = program();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).args(args);
        serve.arg("--admin-password-file").arg(folder.path().join("password")).env("RUST_LOG", "trace");
        serve.stdout(output.try_clone().unwrap()).stderr(Stdio::from(output));
        let mut process = Background::start(&mut serve);
        let url = until_some("the server answers", PATIENCE, || {
            assert_eq!(process.has_ended(), None, "{}", text_of(&folder.path().join("output")));
            Some(text_of(&data.join("url"))).filter(|url| !url.is_empty())
        });
        Self { url: url.0, folder, process }
    }

    /// Ends it, and leaves what it kept.
    pub fn stop(mut self) -> tempfile::TempDir {
        crate::program::signal(self.process.pid(), "TERM");
        self.process.end();
        self.folder
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn output(&self) -> String {
        text_of(&self.folder.path().join("output"))
    }

    pub fn fingerprint(&self) -> String {
        text_of(&self.data().join("ca-fingerprint"))
    }

    /// The program as a person of this machine.
    pub fn run(&self, args: &[&str], input: &str) -> Ended {
        let folder = self.folder.path().join("login");
        Ended::with_input(program().arg("--config-dir").arg(folder).args(args), input)
    }

    /// One request on a connection of its own, which believes the authority of `pem` only.
    pub fn send(&self, pem: &str, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        send(&self.url, "127.0.0.1", pem, line, headers, body).unwrap()
    }
}

pub fn send(
    url: &str,
    name: &str,
    pem: &str,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, std::io::Error> {
    let host = url.strip_prefix("https://").unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    exchange(StreamOwned::new(connection, TcpStream::connect(host)?), host, line, headers, body)
}

/// One request and its answer, on a connection that is there already.
pub fn exchange(
    mut stream: impl Read + Write,
    host: &str,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer, std::io::Error> {
    let mut request =
        format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n{body}").as_bytes())?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}
