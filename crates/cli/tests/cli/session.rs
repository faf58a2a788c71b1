//! One command line, run in this process, with everything that it wrote.

use crate::scripted::Scripted;
use clap::{CommandFactory, Parser};
use indicatif::TermLike;
use pierhead_cli::{Cli, Output, Terminals, execute, report};
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

/// What a command wrote, and its exit code.
#[derive(Debug)]
pub struct Ran {
    pub code: u8,
    pub out: String,
    pub err: String,
    pub progress: String,
}

/// How the next command is run.
pub struct Session {
    pub server: Scripted,
    pub folder: tempfile::TempDir,
    pub terminals: Terminals,
    pub input: &'static str,
    /// What was drawn while commands ran.
    pub progress: Recorder,
}

/// Bytes that can still be read when their writer is gone.
#[derive(Clone, Default, Debug)]
pub struct Recorder(Arc<Mutex<Vec<u8>>>);

impl Recorder {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TermLike for Recorder {
    fn width(&self) -> u16 {
        120
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(&format!("{text}\n"))
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.clone().write_all(text.as_bytes())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Session {
    /// In a script: nobody sits at any stream.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            server: Scripted::start().await,
            folder,
            terminals: Terminals::default(),
            input: "",
            progress: Recorder::default(),
        }
    }

    /// Runs a command with the address of the server and the token `secret`.
    pub async fn run(&self, line: &str) -> Ran {
        let flags = format!("--url {} --token secret {line}", self.server.url);
        self.run_alone(&flags).await
    }

    /// Runs a command with nothing but the folder of the log-in.
    pub async fn run_alone(&self, line: &str) -> Ran {
        let folder = self.folder.path().join("pierhead");
        let words = ["pierhead", "--config-dir", folder.to_str().unwrap()];
        let mut cli = Cli::parse_from(words.into_iter().chain(line.split_whitespace()));
        // Whoever runs the tests may have these in their environment.
        cli.connection.url = cli.connection.url.filter(|_| line.contains("--url "));
        cli.connection.token = cli.connection.token.filter(|_| line.contains("--token "));
        cli.connection.ca_file = cli.connection.ca_file.filter(|_| line.contains("--ca-file "));
        let (out, err, progress) = (Recorder::default(), Recorder::default(), self.progress.clone());
        let input = Box::new(Cursor::new(self.input));
        let mut output = Output::new(Box::new(out.clone()), Box::new(err.clone()), input, self.terminals);
        if self.terminals.stdout {
            output = output.with_width(Some(120));
        }
        if self.terminals.stderr {
            output = output.with_progress(Box::new({
                let progress = progress.clone();
                move || Box::new(progress.clone())
            }));
        }
        let code = match execute(cli.command, &cli.connection, Cli::command, &mut output).await {
            Ok(()) => 0,
            Err(error) => report(&error, &mut output),
        };
        Ran { code, out: out.text(), err: err.text(), progress: progress.text() }
    }
}

/// An operation as the API shows it.
pub fn operation(state: &str, verdicts: &str, more: &str) -> String {
    format!(
        r#"{{"id":"op1","title":"run 2 of httpd:latest","state":"{state}","verdicts":[{verdicts}],"actor":"admin",
        "app":"web","created_at":"2026-01-01T00:00:00.000Z","deadline":"2026-01-01T00:05:00.000Z"{more}}}"#
    )
}

/// A container as the API shows it.
pub fn container(id: &str, app: &str, slot: u32, port: u16) -> String {
    format!(
        r#"{{"id":"{id}","name":"/{app}-{slot}-1","image":{{"name":"httpd:latest","cpus":0.5,"memory":64.0}},
        "engine":{{"id":"e1","addr":"http://10.0.0.5:2375","cpus":2.0,"memory":1533.0,"labels":[]}},
        "state":"running","status":"running","ports":[{{"proto":"tcp","host_ip":"10.0.0.5","port":{port},
        "container_port":80}}],"app":"{app}","slot":{slot},"created_at":"2026-01-01T00:00:00.000Z","unknown":1}}"#
    )
}

/// An app as the API shows it.
pub fn app(name: &str) -> String {
    format!(
        r#"{{"id":"a1","name":"{name}","owner":"admin","image":{{"name":"httpd:latest"}},"replicas":2,"running":1,
        "version":3,"created_at":"2026-01-01T00:00:00.000Z","slots":[{{"slot":4,"wish":"running","state":"waiting",
        "engine":"e1","ports":[],"message":"pulling httpd:latest"}}]}}"#
    )
}

pub const FIRST: &str = "1111111111111111111111111111111111111111111111111111111111111111";
pub const SECOND: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// A slot that is as asked.
pub fn done(slot: u32, container: &str) -> String {
    format!(r#"{{"slot":{slot},"state":"done","container":"{container}","engine":"e1"}}"#)
}

/// One that is not, with what goes on.
pub fn not_done(slot: u32, state: &str, message: &str) -> String {
    format!(r#"{{"slot":{slot},"state":"{state}","message":"{message}"}}"#)
}
