//! Whether a log-in tells by the time that it takes if there is such an account: known names with a wrong password and
//! unknown names in turn, against the real program, with its limits off. And what log-ins leave in its memory.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use pierhead_bench::median;

/// Timed log-ins of known and unknown names, and the memory that they leave.
#[derive(Debug, Parser)]
struct Args {
    /// Log-ins of each kind [default: 500, or 10000 with PIERHEAD_SOAK=1]
    #[arg(long)]
    count: Option<usize>,
    /// Log-ins at the same time before the memory is looked at
    #[arg(long, default_value_t = 32)]
    burst: usize,
}

const PASSWORD: &str = "correct horse battery";
/// How often the kinds are exchanged at random within the pairs, to see how large a difference chance makes.
const PERMUTATIONS: usize = 2_000;

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    fn start(directory: &Path) -> Result<(Self, String)> {
        let password = directory.join("password");
        std::fs::write(&password, PASSWORD)?;
        let program = std::env::current_exe()?.with_file_name("pierhead");
        let mut command = Command::new(&program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--login-attempts-per-account", "0"]);
        command.args(["--login-attempts-per-address", "0", "--data-dir"]).arg(directory.join("data"));
        command.arg("--admin-password-file").arg(&password).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let program = Self(child);
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            match std::fs::read_to_string(directory.join("data/url")) {
                Ok(url) if url.starts_with("http://") => {
                    return Ok((program, url.trim_start_matches("http://").to_owned()));
                }
                _ if Instant::now() > end => bail!("the program does not answer"),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes / 1024.0)
    }
}

/// A connection that is used for one log-in after another.
struct Door(BufReader<TcpStream>);

impl Door {
    fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// One log-in; its status, and how long the answer took.
    fn log_in(&mut self, name: &str, password: &str) -> Result<(u16, Duration)> {
        let body = format!(r#"{{"username":"{name}","password":"{password}"}}"#);
        let length = body.len();
        let request = format!("POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{body}");
        let began = Instant::now();
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut status, mut length) = (String::new(), 0, 0);
        loop {
            line.clear();
            ensure!(self.0.read_line(&mut line)? > 0, "the connection ended");
            let head = line.trim().to_ascii_lowercase();
            if head.is_empty() {
                break;
            }
            if let Some(rest) = head.strip_prefix("http/1.1 ") {
                status = rest.split(' ').next().unwrap_or_default().parse()?;
            } else if let Some(rest) = head.strip_prefix("content-length:") {
                length = rest.trim().parse()?;
            }
        }
        self.0.read_exact(&mut vec![0; length])?;
        Ok((status, began.elapsed()))
    }
}

/// A source of numbers that is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }
}

/// How often chance alone makes a median as far from 0 as that of these differences, each of one pair: near 0 if there is
/// a real difference. Whatever changes from pair to pair, as other work on the machine does, counts for nothing.
fn chance(differences: &[f64]) -> f64 {
    let seen = median(differences).abs();
    let mut dice = Dice(42);
    let as_large = (0..PERMUTATIONS).filter(|_| {
        let turned: Vec<f64> = differences.iter().map(|one| if dice.roll(2) == 0 { *one } else { -one }).collect();
        median(&turned).abs() >= seen
    });
    as_large.count() as f64 / PERMUTATIONS as f64
}

fn percentile(figures: &[f64], part: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

fn main() -> Result<()> {
    let args = Args::parse();
    let soak = std::env::var("PIERHEAD_SOAK").is_ok_and(|value| value == "1");
    let count = args.count.unwrap_or(if soak { 10_000 } else { 500 }).max(2);
    let directory = tempfile::tempdir()?;
    let (program, address) = Program::start(directory.path())?;
    let mut door = Door::open(&address)?;
    let baseline = program.resident_mib()?;
    ensure!(door.log_in("admin", PASSWORD)?.0 == 200, "the password is right");
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for at in 0..2 * count {
        // In pairs, each in another order than the one before, so that nothing that drifts counts for one kind only.
        let is_known = (at / 2 + at) % 2 == 0;
        let name = if is_known { "admin".to_owned() } else { format!("user{}", at % 10) };
        let (status, took) = door.log_in(&name, "a wrong password, as long")?;
        ensure!(status == 401, "{name}: {status}");
        if is_known { &mut known } else { &mut unknown }.push(took.as_secs_f64() * 1e3);
    }
    println!("{count} log-ins of each kind, in turn, one at a time:");
    for (kind, figures) in [("known name", &known), ("unknown name", &unknown)] {
        let (p5, p95) = (percentile(figures, 0.05), percentile(figures, 0.95));
        println!("  {kind:<13} median {:8.3} ms   5 % {p5:8.3} ms   95 % {p95:8.3} ms", median(figures));
    }
    let differences: Vec<f64> = known.iter().zip(&unknown).map(|(known, unknown)| known - unknown).collect();
    println!("  median of the differences within pairs {:+.1} µs", median(&differences) * 1e3);
    let chance = 100.0 * chance(&differences);
    println!("  chance alone makes one as large in {chance:.1} % of {PERMUTATIONS} exchanges");
    std::thread::scope(|scope| -> Result<()> {
        let bursts: Vec<_> = (0..args.burst)
            .map(|_| scope.spawn(|| Door::open(&address)?.log_in("admin", "a wrong password").map(drop)))
            .collect();
        bursts.into_iter().try_for_each(|burst| burst.join().unwrap_or_else(|_| bail!("a log-in panicked")))
    })?;
    println!(
        "memory: {baseline:.1} MiB before, {:.1} MiB after all and {} at the same time",
        program.resident_mib()?,
        args.burst
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_tells_a_difference_from_none() {
        let even: Vec<f64> = (0..200).map(|n| f64::from(n % 20) - 9.5).collect();
        let shifted: Vec<f64> = even.iter().map(|figure| figure + 5.0).collect();
        assert!(chance(&shifted) < 0.01);
        assert!(chance(&even) > 0.9);
    }

    #[test]
    fn percentiles_are_figures() {
        let figures = [3.0, 1.0, 2.0];
        assert_eq!((percentile(&figures, 0.0), percentile(&figures, 0.5), percentile(&figures, 1.0)), (1.0, 2.0, 3.0));
    }
}
