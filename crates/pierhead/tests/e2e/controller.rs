//! A controller that the test starts by itself, so that it can end it in every way and start it anew.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::api::Api;
use crate::ports;
use crate::program::{Background, program, signal, text_of};
use crate::wait::{PATIENCE, until, until_some};

pub const PASSWORD: &str = "a password for tests only";

pub struct Controller {
    dir: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    process: Option<Background>,
}

impl Controller {
    /// One that keeps everything in a folder; it does not run yet.
    pub fn new(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        fs::create_dir_all(dir).unwrap();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let controller = Self { dir: dir.to_owned(), args, env, process: None };
        fs::write(controller.password_file(), format!("{PASSWORD}\n")).unwrap();
        controller
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub fn password_file(&self) -> PathBuf {
        self.dir.join("password")
    }

    /// What it printed in all its lives.
    pub fn output(&self) -> String {
        text_of(&self.dir.join("output"))
    }

    /// Starts it at a free port and waits until it answers at the address that is returned.
    pub fn start(&mut self) -> String {
        self.start_at(&ports::free(Ipv4Addr::LOCALHOST.into()).to_string())
    }

    /// Starts it where it was in its last life.
    pub fn start_again(&mut self) -> String {
        let url = text_of(&self.data_dir().join("url"));
        self.start_at(url.trim_start_matches("http://"))
    }

    fn start_at(&mut self, listen: &str) -> String {
        let url = self.data_dir().join("url");
        // Of its last life: it would be somebody else's by now.
        let _ = fs::remove_file(&url);
        let output = fs::OpenOptions::new().create(true).append(true).open(self.dir.join("output")).unwrap();
        let mut serve = program();
        serve.args(["serve", "--listen", listen, "--data-dir"]).arg(self.data_dir()).args(&self.args);
        serve.envs(self.env.iter().cloned()).stdout(output.try_clone().unwrap()).stderr(Stdio::from(output));
        let process = self.process.insert(Background::start(&mut serve));
        let told = |process: &mut Background| {
            assert_eq!(process.has_ended(), None, "{}", text_of(&self.dir.join("output")));
            let url = text_of(&url);
            (!url.is_empty() && Api::new(&url, None).wait_for_health()).then_some(url)
        };
        until_some("the controller answers", PATIENCE, || told(process)).0
    }

    pub fn process(&mut self) -> &mut Background {
        self.process.as_mut().unwrap()
    }

    /// In good order.
    pub fn end(&mut self) {
        signal(self.process().pid(), "TERM");
        until("the controller has ended", PATIENCE, || self.process().has_ended().is_some());
    }

    /// Without any warning.
    pub fn kill(&mut self) {
        self.process().kill();
    }
}

impl Api {
    fn wait_for_health(&self) -> bool {
        self.wait(self.client.health()).is_ok()
    }
}
