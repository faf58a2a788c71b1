//! Servers of databases for one test each: in a directory of their own, reached by a socket there, killed at the end.

use pierhead_identity::DatabaseAddress;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take to be there.
const PATIENCE: Duration = Duration::from_secs(90);

/// A process that goes with its test.
struct Process(Child);

impl Process {
    fn start(command: &mut Command, log: &Path) -> Self {
        let log = std::fs::File::create(log).unwrap();
        let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let name = command.get_program().to_owned();
        Self(command.spawn().unwrap_or_else(|error| panic!("{name:?}: {error}; 'make deps' installs it")))
    }

    fn kill(&mut self) {
        let _gone = self.0.kill();
        let _waited = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn done(command: &mut Command) {
    let name = command.get_program().to_owned();
    let output = command.output().unwrap_or_else(|error| panic!("{name:?}: {error}; 'make deps' installs it"));
    assert!(
        output.status.success(),
        "{name:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Tries to connect until the server is there.
async fn until<C, F: Future<Output = sqlx::Result<C>>>(log: &Path, connect: impl Fn() -> F) -> C {
    let began = Instant::now();
    loop {
        match connect().await {
            Ok(connection) => return connection,
            Err(error) if began.elapsed() > PATIENCE => {
                panic!("no server: {error}\n{}", std::fs::read_to_string(log).unwrap_or_default())
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// A MariaDB with the database `school`, its root (password `root`) and a user `pier` who may read.
pub struct MariaDb {
    process: Process,
    directory: TempDir,
}

impl MariaDb {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let of = |name: &str, value: &Path| format!("--{name}={}", value.display());
        done(
            Command::new("mariadb-install-db")
                .args(["--no-defaults", "--user=root", "--auth-root-authentication-method=normal", "--skip-test-db"])
                .arg(of("datadir", &data))
                // A server that starts removes what looks like a temporary table of its own.
                .arg(of("tmpdir", directory.path())),
        );
        let log = directory.path().join("log");
        let process = Process::start(
            Command::new("mariadbd")
                .args(["--no-defaults", "--user=root", "--skip-networking", "--innodb-flush-log-at-trx-commit=0"])
                .args(["--log-bin-trust-function-creators=1", "--max-allowed-packet=64M"])
                .arg(of("datadir", &data))
                .arg(of("tmpdir", directory.path()))
                .arg(of("socket", &directory.path().join("socket")))
                .arg(of("pid-file", &directory.path().join("pid"))),
            &log,
        );
        let server = Self { process, directory };
        let bare = MySqlConnectOptions::new().username("root").socket(server.socket()).disable_statement_logging();
        let mut connection = until(&log, || bare.connect()).await;
        for statement in [
            "CREATE DATABASE school CHARACTER SET utf8mb4",
            "CREATE USER 'pier'@'localhost' IDENTIFIED BY 'open sesame'",
            "GRANT SELECT ON school.* TO 'pier'@'localhost'",
            "ALTER USER 'root'@'localhost' IDENTIFIED BY 'root'",
        ] {
            connection.execute(statement).await.unwrap();
        }
        server
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    pub fn address(&self, user: &str, password: &str) -> DatabaseAddress {
        let url = format!("mysql://{user}@localhost/school?tls=off&socket={}", self.socket().display());
        DatabaseAddress::parse(&url).unwrap().with_password(password.to_owned())
    }

    async fn root(&self) -> MySqlConnection {
        let options = MySqlConnectOptions::new().username("root").password("root").database("school");
        options.socket(self.socket()).disable_statement_logging().connect().await.unwrap()
    }

    /// Runs a statement as root.
    pub async fn run(&self, statement: &str) {
        let mut connection = self.root().await;
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{}: {error}", &statement[..statement.len().min(200)]));
        connection.close().await.unwrap();
    }

    /// Returns when somebody asks something that holds a word.
    pub async fn is_asked(&self, word: &str) {
        let (began, mut connection) = (Instant::now(), self.root().await);
        let running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND COMMAND \
                       IN ('Query', 'Execute') AND INSTR(INFO, ?) > 0";
        while began.elapsed() < PATIENCE {
            let found = sqlx::query(running).bind(word).fetch_one(&mut connection).await.unwrap();
            if found.get::<i64, _>(0) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nobody asks {word}");
    }

    /// Kills it as a power cut would.
    pub async fn kill(&mut self) {
        self.process.kill();
    }
}

/// A PostgreSQL whose user is `postgres`, without a password: its socket is for nobody else.
pub struct Postgres {
    _process: Process,
    directory: TempDir,
}

impl Postgres {
    pub async fn start() -> Self {
        // PostgreSQL runs as nobody, and the folder of a test run may be closed to all but root.
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        // It refuses to run as root.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let (data, log) = (directory.path().join("data"), directory.path().join("log"));
        done(
            Self::program("initdb")
                .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
                .arg(&data),
        );
        let process = Process::start(
            Self::program("postgres")
                .args(["-c", "listen_addresses=", "-c", "fsync=off", "-D"])
                .arg(&data)
                .arg("-k")
                .arg(directory.path()),
            &log,
        );
        let server = Self { _process: process, directory };
        until(&log, || server.connect()).await.close().await.unwrap();
        server
    }

    /// One of its programs, as somebody who is not root.
    fn program(name: &str) -> Command {
        let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .expect("PostgreSQL is missing; 'make deps' installs it")
            .map(|version| version.unwrap().path().join("bin").join(name))
            .filter(|path| path.exists())
            .collect();
        found.sort();
        let program = found.pop().expect("PostgreSQL is missing; 'make deps' installs it");
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program).current_dir("/");
        command
    }

    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass().username("postgres").database("postgres");
        options.socket(self.directory.path()).disable_statement_logging().connect().await
    }

    pub fn address(&self) -> DatabaseAddress {
        let socket = self.directory.path().display();
        DatabaseAddress::parse(&format!("postgres://postgres@localhost/postgres?tls=off&socket={socket}")).unwrap()
    }

    pub async fn run(&self, statement: &str) {
        let mut connection = self.connect().await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        connection.close().await.unwrap();
    }
}
