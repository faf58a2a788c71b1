//! The API of a controller, asked directly and waited for.

use pierhead_client::{Addresses, Change, Client, ClientError, RunOptions, Started, Wait};
use pierhead_devhosts::{Host, sample};
use pierhead_wire::{EngineRequest, ImageDescription, LogIn, OperationView};
use tokio::runtime::{Builder, Runtime};

pub struct Api {
    runtime: Runtime,
    pub client: Client,
}

impl Api {
    pub fn new(url: &str, token: Option<&str>) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = Client::new(Addresses::parse(url).unwrap(), token.map(str::to_owned)).unwrap();
        Self { runtime, client }
    }

    /// Waits for an answer.
    pub fn wait<F: Future>(&self, asked: F) -> F::Output {
        self.runtime.block_on(asked)
    }

    /// A token of the administrator.
    pub fn log_in(&self, password: &str) -> Result<String, ClientError> {
        let log_in = LogIn { username: "admin".to_owned(), password: password.to_owned() };
        Ok(self.wait(self.client.log_in(&log_in))?.into_value().token)
    }

    pub fn add_engine(&self, host: &Host) {
        let engine = EngineRequest {
            id: Some(host.name().to_owned()),
            addr: Some(host.docker_host().to_owned()),
            ..EngineRequest::default()
        };
        self.wait(self.client.add_engine(&engine)).unwrap();
    }

    /// The state of an engine's health, and why.
    pub fn health(&self, engine: &str) -> (String, String) {
        let engines = self.wait(self.client.engines()).unwrap().into_value();
        let health = engines.into_iter().find(|found| found.id == engine).unwrap().health;
        (health.status, health.reason)
    }

    /// Asks for containers of the sample; the answer is the operation's id.
    pub fn run_sample(&self, app: &str, count: u32, key: &str) -> Result<String, ClientError> {
        let image = ImageDescription {
            name: sample::IMAGE.to_owned(),
            cpus: Some(0.05),
            memory: Some(16.0),
            ..ImageDescription::default()
        };
        let options = RunOptions { count: Some(count), app: Some(app.to_owned()), ..RunOptions::default() };
        let change = Change::with_key(key, Wait::Seconds(0));
        self.wait(self.client.run(&image, &options, &change)).map(|started| id_of(&started))
    }

    /// Asks for an app's size; the answer is the operation's id.
    pub fn scale(&self, app: &str, count: u32, key: &str) -> Result<String, ClientError> {
        let change = Change::with_key(key, Wait::Seconds(0));
        self.wait(self.client.scale_app(app, count, &change)).map(|started| id_of(&started))
    }

    /// An operation once it has ended, or as it is after so many seconds.
    pub fn ended(&self, operation: &str, seconds: u32) -> Result<OperationView, ClientError> {
        Ok(self.wait(self.client.operation(operation, Some(seconds)))?.into_value())
    }
}

fn id_of<T>(started: &Started<T>) -> String {
    started.operation().expect("it is one").to_owned()
}
