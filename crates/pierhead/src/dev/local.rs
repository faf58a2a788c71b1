//! The demonstration on this machine's own Docker engine, where hosts of our own can't be made.

use super::pool::{ready, run_sample};
use super::show;
use super::stop::Stop;
use anyhow::{Context, Result, bail};
use pierhead_client::{Addresses, Change, Client, Wait};
use pierhead_devhosts::sample;
use pierhead_wire::{ContainerView, EngineRequest, LogIn};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The local engine's usual socket.
const SOCKET: &str = "unix:///var/run/docker.sock";

/// Runs the sample app on the local engine until somebody wants it to stop.
pub(super) async fn run(mut stop: Stop) -> Result<()> {
    eprintln!("Using this machine's own Docker engine at {SOCKET} instead.");
    sample::load_into(SOCKET)
        .context("this machine's Docker engine does not answer either; install Docker and try again")?;
    let dir = std::env::temp_dir().join(format!("pierhead-local-{}", std::process::id()));
    let mut controller = Controller::start(dir)?;
    let result = demonstrate(&controller, &mut stop).await;
    controller.stop();
    result
}

async fn demonstrate(controller: &Controller, stop: &mut Stop) -> Result<()> {
    let url = ready(&controller.dir.join("data")).await?;
    let log_in = LogIn { username: "admin".to_owned(), password: controller.password.clone() };
    let token = Client::new(Addresses::parse(&url)?, None)?.log_in(&log_in).await?.into_value().token;
    let client = Client::new(Addresses::parse(&url)?, Some(token.clone()))?;
    let engine =
        EngineRequest { id: Some("local".to_owned()), addr: Some(SOCKET.to_owned()), ..EngineRequest::default() };
    client.add_engine(&engine).await?;
    let sample = deploy(&client, stop).await;
    if let Some(sample) = sample.as_ref().ok().and_then(Option::as_ref) {
        println!("\n    URL        {url}\n    user name  admin\n    password   {}\n", controller.password);
        show::containers(sample);
        show::try_next(&url, &token, sample);
        stop.asked().await;
    }
    eprintln!("Removing everything …");
    for app in client.apps().await?.into_value() {
        client.delete_app(&app.name, &Change::new(Wait::Seconds(60))).await?;
    }
    sample.map(|_| ())
}

/// The sample app, unless somebody wants to stop before it runs.
async fn deploy(client: &Client, stop: &mut Stop) -> Result<Option<Vec<ContainerView>>> {
    tokio::select! {
        sample = run_sample(client) => sample.map(Some),
        () = stop.asked() => Ok(None),
    }
}

/// A controller of our own, with a directory of its own.
struct Controller {
    child: Child,
    dir: PathBuf,
    password: String,
}

impl Controller {
    fn start(dir: PathBuf) -> Result<Self> {
        let password = pierhead_api::random_password();
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        let file = dir.join("password");
        std::fs::write(&file, &password)?;
        let log = std::fs::File::create(dir.join("log"))?;
        let child = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(dir.join("data"))
            .arg("--admin-password-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        match child {
            Ok(child) => Ok(Self { child, dir, password }),
            Err(error) => bail!("the controller could not be started: {error}"),
        }
    }

    fn stop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
