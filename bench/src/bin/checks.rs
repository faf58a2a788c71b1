//! Labs whose checks run by themselves in many workspaces at once: how soon a student hears that it passed, how late the
//! checks begin, and what that costs the controller; then the same beside workspaces whose checks hang.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use pierhead_bench::dev::{Dev, PATIENCE};
use pierhead_bench::lab::{self, Seat};
use pierhead_bench::machine::{cpu_of, load, status_of};
use pierhead_bench::spread::Spread;
use pierhead_client::{Client, LabBefore};
use pierhead_devhosts::sample;
use pierhead_wire::{AttemptRequest, AttemptView, LabRequest, PublishRequest, WorkspaceView};
use std::io::Cursor;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The labs: one whose check looks for a file, and one whose check never ends by itself.
const LABS: [(&str, &str); 2] = [("looks", "test -e /tmp/done"), ("hangs", "sleep 600")];
/// How often each check runs, in seconds.
const EVERY: u64 = 1;
/// The token with which measurements are read.
const SCRAPER: &str = "bench-scrapes-with-this";
/// How often an attempt is looked at until its check has passed.
const LOOK: Duration = Duration::from_millis(100);

/// Checks that run by themselves in many workspaces.
#[derive(Debug, Parser)]
struct Options {
    /// How many hosts there are. On one of two cores there is room for the workspaces of twenty.
    #[arg(long, default_value_t = 4)]
    hosts: usize,
    /// How many students work, each in a workspace with a check.
    #[arg(long, default_value_t = 60)]
    people: usize,
    /// How many more have a check that hangs, afterwards.
    #[arg(long, default_value_t = 6)]
    hanging: usize,
    /// For how many seconds each part is measured.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        (options.hosts, options.people, options.hanging, options.seconds) = (1, 4, 1, 5);
    }
    println!("load {}; {} people on {} hosts\n", load(), options.people, options.hosts);
    let scraper = tempfile::NamedTempFile::new()?;
    std::fs::write(scraper.path(), SCRAPER)?;
    let scraper = scraper.path().to_str().context("a path that is no text")?;
    let dev = Dev::up_with(options.hosts, true, &[("PIERHEAD_METRICS_TOKEN_FILE", scraper)])?;
    // Of each part, half of the students finish, so that the other half is still checked in the next one.
    let people = dev.runtime.block_on(lab::people(&dev, options.people + options.hanging))?;
    let (students, stuck) = people.split_at(options.people);
    dev.runtime.block_on(write_labs(&dev.client))?;
    let mut working = dev.runtime.block_on(begin(students, LABS[0].0))?;
    let rest = working.split_off(options.people / 2);
    report("none hangs", &measure(&dev, working, options.seconds)?);
    let _stuck = dev.runtime.block_on(begin(stuck, LABS[1].0))?;
    report(&format!("{} hang", options.hanging), &measure(&dev, rest, options.seconds)?);
    println!("\nWanted: heard of within the {EVERY} s between two checks and half a second, beside hanging ones too.");
    println!("load at the end {}", load());
    dev.runtime.block_on(forget(&dev.client))?;
    lab::clear(&dev)
}

async fn write_labs(admin: &Client) -> Result<()> {
    let head = format!("title: Checked\ncontainers: [{{name: main, image: \"{}\", memory: 16}}]\n", sample::IMAGE);
    for (id, script) in LABS {
        let visibility = Some("shared".to_owned());
        admin.add_lab(&LabRequest { id: id.to_owned(), title: None, visibility }).await?;
        let step = format!(
            "---\nchecks:\n  - {{name: done, title: Done, run: \"{script}\", continuous: true, every_seconds: {EVERY}, timeout_seconds: 5}}\n---\n\n# One\n\nDo it.\n"
        );
        for (path, text) in [("lab.yaml", head.clone()), ("steps/01-first.md", step)] {
            let size = text.len() as u64;
            let content = Cursor::new(text.into_bytes());
            admin.write_lab_file(id, path, LabBefore::Any, content, Some(size)).await?;
        }
        admin.publish_lab(id, &PublishRequest::default()).await?;
    }
    Ok(())
}

/// A student in front of the lab.
struct Student {
    client: Client,
    attempt: String,
    workspace: WorkspaceView,
}

/// Everybody begins, and waits for their environment.
async fn begin(people: &[Client], lab: &'static str) -> Result<Vec<Student>> {
    let mut coming = JoinSet::new();
    for client in people.iter().cloned() {
        coming.spawn(async move {
            let attempt = client.begin_attempt(lab, &AttemptRequest::default()).await?.into_value();
            let workspace = attempt.workspace.context("it has no environment")?;
            let workspace = lab::ready(&client, client.workspace(&workspace).await?.into_value()).await?;
            Ok::<_, anyhow::Error>(Student { client, attempt: attempt.id, workspace })
        });
    }
    let mut students = Vec::new();
    while let Some(come) = coming.join_next().await {
        students.push(come??);
    }
    Ok(students)
}

/// What was seen of a part.
struct Part {
    /// Seconds from what a student did to the check that says so.
    heard: Spread,
    /// CPU seconds of the controller in each second, and its memory at the end in megabytes.
    controller: (f64, f64),
    /// Checks that began in each second, and the share of them that began within so many seconds of their time.
    begun: f64,
    lateness: Vec<(f64, f64)>,
}

fn report(what: &str, part: &Part) {
    println!(
        "{what:<12} heard after p50 {:.2} s, p99 {:.2} s of {}; {:.1} checks/s; controller {:.3} CPU-s/s, {:.1} MB",
        part.heard.at(50),
        part.heard.at(99),
        part.heard.count(),
        part.begun,
        part.controller.0,
        part.controller.1,
    );
    let within = part.lateness.iter().map(|(seconds, share)| format!("{seconds} s: {:.1} %", share * 100.0));
    println!("{:<12} begun late by at most {}", "", within.collect::<Vec<_>>().join(", "));
}

/// One after another does what is asked, spread over the time.
fn measure(dev: &Dev, students: Vec<Student>, seconds: u64) -> Result<Part> {
    let (pid, duration) = (dev.pid("controller")?, Duration::from_secs(seconds));
    let (cpu, late, begun) = (cpu_of(pid)?, Lateness::read(dev)?, Instant::now());
    let gap = duration / u32::try_from(students.len().max(1))?;
    let heard = dev.runtime.block_on(async {
        let mut class = JoinSet::new();
        for (number, student) in (0..).zip(students) {
            class.spawn(act(student, gap * number));
        }
        let mut heard = Vec::new();
        while let Some(done) = class.join_next().await {
            heard.push(done??);
        }
        tokio::time::sleep(duration.saturating_sub(begun.elapsed())).await;
        Ok::<_, anyhow::Error>(heard)
    })?;
    let took = begun.elapsed().as_secs_f64();
    let late = Lateness::read(dev)?.since(&late);
    Ok(Part {
        heard: Spread::of(heard),
        controller: (cpu_of(pid)?.saturating_sub(cpu).as_secs_f64() / took, status_of(pid, "RssAnon")? / 1024.0),
        begun: late.all() / took,
        lateness: late.shares(),
    })
}

/// Does what the check looks for, after a while, and waits until it has passed; how long that took, in seconds.
async fn act(student: Student, after: Duration) -> Result<f64> {
    tokio::time::sleep(after).await;
    // Not before: whoever is at a terminal and does not read is shown the door.
    let mut seat = Seat::take(&student.client, &student.workspace).await?;
    seat.see().await?;
    let done = Instant::now();
    seat.write("touch /tmp/done\r").await?;
    while !has_passed(&student.client.attempt(&student.attempt).await?.into_value()) {
        ensure!(done.elapsed() < PATIENCE, "not in time: the check has passed");
        tokio::time::sleep(LOOK).await;
    }
    Ok(done.elapsed().as_secs_f64())
}

fn has_passed(attempt: &AttemptView) -> bool {
    attempt.steps.iter().flat_map(|step| &step.checks).all(|check| check.state.as_deref() == Some("passed"))
}

/// How many checks began within so many seconds of their time, as the controller counts them.
struct Lateness(Vec<(f64, f64)>);

impl Lateness {
    fn read(dev: &Dev) -> Result<Self> {
        let (page, bearer) = (format!("{}/metrics", dev.url), format!("Authorization: Bearer {SCRAPER}"));
        let told = Command::new("curl").args(["-sS", "--fail", "-H", &bearer, &page]).output().context("curl")?;
        ensure!(told.status.success(), "{page}: {}", String::from_utf8_lossy(&told.stderr));
        let told = String::from_utf8(told.stdout)?;
        let bucket = |line: &str| {
            let (bound, count) =
                line.strip_prefix("pierhead_lab_check_lateness_seconds_bucket{le=\"")?.split_once("\"} ")?;
            Some((bound.replace("+Inf", "inf").parse().ok()?, count.trim().parse().ok()?))
        };
        Ok(Self(told.lines().filter_map(bucket).collect()))
    }

    fn since(&self, before: &Self) -> Self {
        Self(self.0.iter().zip(&before.0).map(|(now, before)| (now.0, now.1 - before.1)).collect())
    }

    fn all(&self) -> f64 {
        self.0.last().map_or(0.0, |last| last.1)
    }

    /// From the bound within which half of them are to the one within which nearly all are.
    fn shares(&self) -> Vec<(f64, f64)> {
        let all = self.all().max(1.0);
        let share = self.0.iter().map(|(bound, count)| (*bound, count / all));
        let mut shares: Vec<_> = share.filter(|(bound, share)| *share >= 0.5 && bound.is_finite()).collect();
        if let Some(end) = shares.iter().position(|(_, share)| *share >= 0.999) {
            shares.truncate(end + 1);
        }
        shares
    }
}

/// Removes the attempts and labs, before their workspaces are cleared away.
async fn forget(admin: &Client) -> Result<()> {
    for attempt in admin.attempts(None, true).await?.into_value() {
        admin.delete_attempt(&attempt.id).await?;
    }
    for (id, _) in LABS {
        admin.delete_lab(id).await?;
    }
    Ok(())
}
