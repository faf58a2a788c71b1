//! From the start of an agent with a fresh token until a container could be placed on its host.

use anyhow::{Context, Result, ensure};
use pierhead_bench::dev::{Dev, PATIENCE, inside, until};
use pierhead_bench::machine::load;
use pierhead_bench::spread::Spread;
use pierhead_devhosts::sample;
use pierhead_wire::{ExplainRequest, ImageDescription, JoinTokenRequest};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(2);

/// A process that ends when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

pub(crate) fn measure(joins: usize) -> Result<()> {
    let dev = Dev::up(1, true)?;
    dev.pool.stop_service("agent-host-1")?;
    dev.runtime.block_on(dev.client.remove_engine("host-1"))?;
    let (mut healthy, mut usable) = (Vec::new(), Vec::new());
    for number in 0..=joins {
        let (first, then) = join(&dev, number)?;
        // The first one warms up.
        if number > 0 {
            healthy.push(first.as_secs_f64() * 1000.0);
            usable.push(then.as_secs_f64() * 1000.0);
        }
    }
    println!("\n{joins} joins, load {}; ms from the agent's start\n", load());
    println!("{:<30} {:>8} {:>8} {:>8}", "", "p50", "p95", "most");
    for (name, spread) in [("healthy", Spread::of(healthy)), ("a container could be placed", Spread::of(usable))] {
        println!("{name:<30} {:>8.1} {:>8.1} {:>8.1}", spread.at(50), spread.at(95), spread.at(100));
    }
    println!("\nWanted: 300 ms at p95.");
    Ok(())
}

/// Until the host was healthy, and until it could be used.
fn join(dev: &Dev, number: usize) -> Result<(Duration, Duration)> {
    let id = format!("joined-{number}");
    let made = dev.runtime.block_on(dev.client.make_join_token(&JoinTokenRequest::default()))?;
    let token = made.into_value().token;
    let state = dev.dir().join("services").join(&id);
    let state = state.to_string_lossy().into_owned();
    let words = ["agent", "--id", &id, "--state-dir", &state, "--join", &token].map(str::to_owned);
    let program = dev.program.to_string_lossy().into_owned();
    let argv = inside(dev.hosts.first().context("a host")?, [vec![program], words.to_vec()].concat())?;
    let begun = Instant::now();
    let agent = Command::new(&argv[0]).args(&argv[1..]).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let agent = Running(agent);
    let mut healthy = None;
    let usable = loop {
        ensure!(begun.elapsed() < PATIENCE, "{id} does not come");
        if healthy.is_none() && dev.health(&id).is_ok_and(|status| status == "healthy") {
            healthy = Some(begun.elapsed());
        }
        if healthy.is_some() && is_usable(dev, &id)? {
            break begun.elapsed();
        }
        std::thread::sleep(LOOK);
    };
    drop(agent);
    dev.runtime.block_on(dev.client.remove_engine(&id))?;
    until("it is gone", || Ok(dev.runtime.block_on(dev.client.engines())?.into_value().is_empty()))?;
    std::fs::remove_dir_all(&state)?;
    Ok((healthy.unwrap_or(usable), usable))
}

fn is_usable(dev: &Dev, id: &str) -> Result<bool> {
    let image = ImageDescription {
        name: sample::IMAGE.to_owned(),
        cpus: Some(0.1),
        memory: Some(16.0),
        ..ImageDescription::default()
    };
    let asked = ExplainRequest { image, count: None };
    let told = dev.runtime.block_on(dev.client.explain(&asked))?.into_value();
    Ok(told.hosts.iter().any(|host| host.engine == id && host.fits))
}
