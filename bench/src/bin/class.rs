//! A class at work, with walls that show everybody and without: what students notice of it, and what it costs.

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use pierhead_bench::dev::{Dev, PATIENCE};
use pierhead_bench::lab::{self, Made, Raw, Seat};
use pierhead_bench::machine::{cpu_of, load, status_of};
use pierhead_bench::spread::Spread;
use pierhead_client::{Client, WallOf, WallSocket};
use pierhead_engine::Stream;
use pierhead_wire::{TerminalRequest, WallSaid, WorkspaceView};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{JoinHandle, JoinSet};

/// What a busy terminal runs: ten lines a second of one process. A `sleep` for each would measure how machines start processes.
const BUSY: &str = "mkfifo /wait && exec 3<>/wait && n=0 && while :; do n=$((n+1)); \
                    echo \"line $n of a program that tells what it does\"; read -t 0.1 -r none <&3; done";
/// How often each student types a key.
const PAUSE: Duration = Duration::from_millis(500);
/// The pause before a key that is typed with nothing between: so few of them shall be seen as well.
const BARE_PAUSE: Duration = Duration::from_millis(50);
/// Empties the line that is being typed.
const KILL_LINE: u8 = 0x15;
/// When everything that was started has come to rest.
const REST: Duration = Duration::from_secs(5);

/// A class at work.
#[derive(Debug, Parser)]
struct Options {
    /// How many hosts there are.
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// How many students work.
    #[arg(long, default_value_t = 60)]
    people: usize,
    /// How many walls show all of them.
    #[arg(long, default_value_t = 2)]
    walls: usize,
    /// For how many seconds each part is measured.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Little of everything: whether the measurement itself works.
    #[arg(long)]
    smoke: bool,
}

/// A student at work.
struct Student {
    types: Seat,
    busy: Seat,
}

/// Somebody at a shell of an engine's own API, on the same host and with nothing between: what the machine itself takes.
struct Bare {
    host: usize,
    made: Made,
    shell: Box<dyn Stream>,
}

/// What was seen of a part.
struct Part {
    /// Milliseconds from a key to its echo.
    echo: Spread,
    /// The same of those with nothing between, meanwhile.
    bare: Spread,
    /// CPU seconds of the controller, and of an agent, in each second.
    cpu: [f64; 2],
    /// Their memory at the end, in megabytes.
    memory: [f64; 2],
}

fn main() -> Result<()> {
    let mut options = Options::parse();
    if options.smoke {
        (options.hosts, options.people, options.seconds) = (1, 4, 5);
    }
    println!("load {}; {} people on {} hosts\n", load(), options.people, options.hosts);
    let settings = [("PIERHEAD_WORKSPACE_PAUSE", "1h"), ("PIERHEAD_WORKSPACE_REFILL", "100ms")];
    let dev = Dev::up_with(options.hosts, true, &settings)?;
    dev.runtime.block_on(lab::describe(&dev.client))?;
    let people = dev.runtime.block_on(lab::people(&dev, options.people))?;
    dev.runtime.block_on(lab::start_ahead(&dev.client, u32::try_from(options.people)?))?;
    lab::wait_for_ahead(&dev, options.people, "running")?;
    std::thread::sleep(REST);
    let (prompts, students) = dev.runtime.block_on(all_come(&people))?;
    dev.runtime.block_on(lab::start_ahead(&dev.client, 0))?;
    println!("all come at once: a prompt after p50 {:.3} s, p95 {:.3} s\n", prompts.median(), prompts.at(95));
    let raw = Raw::all(&dev)?;
    let mut bare = dev.runtime.block_on(sit_at(&raw))?;
    std::thread::sleep(REST);
    let duration = Duration::from_secs(options.seconds);
    let (alone, students) = measure(&dev, students, &mut bare, duration)?;
    report("without a wall", &alone);
    let walls = dev.runtime.block_on(open_walls(&dev, options.walls, 2 * options.people))?;
    std::thread::sleep(REST);
    let painted = walls.iter().map(|wall| wall.painted.swap(0, Ordering::Relaxed)).sum::<usize>();
    ensure!(painted > 0, "the walls show nothing");
    let begun = Instant::now();
    let (watched, students) = measure(&dev, students, &mut bare, duration)?;
    let seconds = begun.elapsed().as_secs_f64();
    report(&format!("{} walls", options.walls), &watched);
    for wall in &walls {
        ensure!(!wall.task.is_finished(), "a wall was closed");
    }
    let painted = walls.iter().map(|wall| wall.painted.load(Ordering::Relaxed)).sum::<usize>();
    let each = painted as f64 / seconds / (2 * options.people * options.walls).max(1) as f64;
    println!(
        "\npictures of each terminal for each wall: {each:.2} a second, of terminals that print and that are typed in"
    );
    println!("Wanted: a prompt within 0.5 s at p95, an echo within 50 ms at p99, at most 2 pictures a second.");
    println!("load at the end {}", load());
    for wall in walls {
        wall.task.abort();
    }
    drop(students);
    dev.runtime.block_on(async {
        for Bare { host, made, shell } in bare {
            drop(shell);
            raw[host].remove(&made).await?;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    lab::clear(&dev)
}

fn report(what: &str, part: &Part) {
    for (whose, echo) in [("a student", &part.echo), ("the engine's own", &part.bare)] {
        let (p50, p95, p99) = (echo.at(50), echo.at(95), echo.at(99));
        println!("{what:<16} echo, {whose:<16} p50 {p50:>6.2} ms, p95 {p95:>6.2}, p99 {p99:>6.2} of {}", echo.count());
    }
    println!(
        "{:<16} controller {:.3} CPU-s/s, {:.1} MB; an agent {:.3} CPU-s/s, {:.1} MB",
        "", part.cpu[0], part.memory[0], part.cpu[1], part.memory[1],
    );
}

/// Everybody asks for a workspace at the same moment; when each sees a prompt, in seconds.
async fn all_come(people: &[Client]) -> Result<(Spread, Vec<Student>)> {
    let begun = Instant::now();
    let mut class = JoinSet::new();
    for person in people {
        let person = person.clone();
        class.spawn(async move {
            let workspace = lab::ready(&person, lab::open(&person).await?).await?;
            let mut types = Seat::take(&person, &workspace).await?;
            types.see().await?;
            Ok::<_, anyhow::Error>((begun.elapsed().as_secs_f64(), person, workspace, types))
        });
    }
    let (mut prompts, mut students) = (Vec::new(), Vec::new());
    while let Some(done) = class.join_next().await {
        let (prompt, person, workspace, types) = done??;
        prompts.push(prompt);
        students.push(Student { types, busy: begin_busy(&person, &workspace).await? });
    }
    Ok((Spread::of(prompts), students))
}

async fn begin_busy(person: &Client, workspace: &WorkspaceView) -> Result<Seat> {
    let command = ["/bin/sh", "-c", BUSY].map(str::to_owned).to_vec();
    let request = TerminalRequest { command, ..TerminalRequest::default() };
    let mut seat = Seat::take_with(person, workspace, &request).await?;
    seat.see().await?;
    Ok(seat)
}

/// One on each host.
async fn sit_at(raw: &[Raw]) -> Result<Vec<Bare>> {
    let mut all = Vec::with_capacity(raw.len());
    for (host, engine) in raw.iter().enumerate() {
        let made = engine.make(host).await?;
        let shell = engine.shell(&made).await?;
        all.push(Bare { host, made, shell });
    }
    Ok(all)
}

/// Everybody types for a while, and looks at what prints.
fn measure(
    dev: &Dev,
    students: Vec<Student>,
    bare: &mut Vec<Bare>,
    duration: Duration,
) -> Result<(Part, Vec<Student>)> {
    let pids = [dev.pid("controller")?, dev.pid("agent-host-1")?];
    let before = [cpu_of(pids[0])?, cpu_of(pids[1])?];
    let begun = Instant::now();
    let (echo, students, alone) = dev.runtime.block_on(async {
        let (mut class, mut others) = (JoinSet::new(), JoinSet::new());
        // People do not type at the same moment.
        let apart = PAUSE / u32::try_from(students.len().max(1))?;
        for (student, at) in students.into_iter().zip(0..) {
            class.spawn(work(student, begun + apart * at, begun + duration));
        }
        for one in bare.drain(..) {
            others.spawn(type_into(one, begun + duration));
        }
        let (mut echo, mut students) = (Vec::new(), Vec::new());
        while let Some(done) = class.join_next().await {
            let (times, student) = done??;
            echo.extend(times);
            students.push(student);
        }
        let mut alone = Vec::new();
        while let Some(done) = others.join_next().await {
            let (times, one) = done??;
            alone.extend(times);
            bare.push(one);
        }
        Ok::<_, anyhow::Error>((echo, students, alone))
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let (mut cpu, mut memory) = ([0.0; 2], [0.0; 2]);
    for (at, pid) in pids.into_iter().enumerate() {
        cpu[at] = cpu_of(pid)?.saturating_sub(before[at]).as_secs_f64() / seconds;
        memory[at] = status_of(pid, "RssAnon")? / 1024.0;
    }
    Ok((Part { echo: Spread::of(echo), bare: Spread::of(alone), cpu, memory }, students))
}

/// Types until a moment; the milliseconds until each echo.
async fn type_into(mut bare: Bare, until: Instant) -> Result<(Vec<f64>, Bare)> {
    let mut times = Vec::new();
    while Instant::now() < until {
        // A shell takes no line that is too long.
        bare.shell.write_all(&[KILL_LINE]).await?;
        for key in b'a'..=b'z' {
            drop(tokio::time::timeout(BARE_PAUSE, read_all(&mut bare.shell)).await);
            let typed = Instant::now();
            lab::key(&mut bare.shell, key).await?;
            times.push(typed.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok((times, bare))
}

/// Reads for as long as it is polled.
async fn read_all(shell: &mut Box<dyn Stream>) -> Result<()> {
    let mut bytes = [0; 1024];
    while shell.read(&mut bytes).await? > 0 {}
    bail!("the shell has ended")
}

/// The same of a student, from a moment on. What the other terminal prints is read all the time.
async fn work(mut student: Student, from: Instant, until: Instant) -> Result<(Vec<f64>, Student)> {
    let mut times = Vec::new();
    tokio::time::sleep_until(from.into()).await;
    // What is left of a prompt is taken for no echo.
    student.types.key().await?;
    while Instant::now() < until {
        let typed = Instant::now();
        student.types.key().await?;
        times.push(typed.elapsed().as_secs_f64() * 1000.0);
        let pause = tokio::time::sleep(PAUSE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                seen = student.busy.see() => seen?,
            }
        }
    }
    Ok((times, student))
}

/// A wall that is looked at.
struct Wall {
    painted: Arc<AtomicUsize>,
    task: JoinHandle<Result<()>>,
}

/// Opens walls that show all terminals, once all of them are there.
async fn open_walls(dev: &Dev, count: usize, terminals: usize) -> Result<Vec<Wall>> {
    let mut walls = Vec::with_capacity(count);
    for _ in 0..count {
        let mut socket = dev.client.wall_socket(&WallOf::default()).await?;
        let shown = tokio::time::timeout(PATIENCE, all_of(&mut socket, terminals))
            .await
            .context("not all terminals are on the wall in time")??;
        if let Err(end) = socket.show(shown.into_iter().collect()).await {
            bail!("the wall ended: {end:?}");
        }
        let painted = Arc::new(AtomicUsize::new(0));
        walls.push(Wall { painted: Arc::clone(&painted), task: tokio::spawn(look(socket, painted)) });
    }
    Ok(walls)
}

/// The terminals on a wall, once there are so many.
async fn all_of(socket: &mut WallSocket, count: usize) -> Result<BTreeSet<String>> {
    let mut terminals = BTreeSet::new();
    while terminals.len() < count {
        match socket.next().await {
            Ok(WallSaid::People { people, .. }) => {
                terminals.extend(people.into_iter().flat_map(|person| person.terminals).map(|shown| shown.id));
            }
            Ok(WallSaid::Pictures { .. }) => {}
            Err(end) => bail!("the wall ended: {end:?}"),
        }
    }
    Ok(terminals)
}

async fn look(mut socket: WallSocket, painted: Arc<AtomicUsize>) -> Result<()> {
    loop {
        match socket.next().await {
            Ok(WallSaid::Pictures { pictures }) => painted.fetch_add(pictures.len(), Ordering::Relaxed),
            Ok(WallSaid::People { .. }) => 0,
            Err(end) => bail!("the wall ended: {end:?}"),
        };
    }
}
