//! What an agent uses that has nothing to do but beat.

use anyhow::Result;
use pierhead_bench::dev::Dev;
use pierhead_bench::machine::{cpu_of, load, status_of};
use std::time::{Duration, Instant};

/// How long it gets to become idle.
const SETTLE: Duration = Duration::from_secs(10);

pub(crate) fn measure(time: Duration) -> Result<()> {
    let dev = Dev::up(1, true)?;
    let (agent, controller) = (dev.pid("agent-host-1")?, dev.pid("controller")?);
    std::thread::sleep(SETTLE.min(time));
    let (begun, of_agent, of_controller) = (Instant::now(), cpu_of(agent)?, cpu_of(controller)?);
    std::thread::sleep(time);
    let per_cent = |used: Duration| used.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let (agent_cpu, controller_cpu) =
        (per_cent(cpu_of(agent)? - of_agent), per_cent(cpu_of(controller)? - of_controller));
    println!("\nidle for {} s, load {}\n", time.as_secs(), load());
    println!("{:<30} {:>10} {:>14} {:>9} {:>12}", "", "MB", "of these own", "threads", "% of a core");
    for (name, pid, cpu) in [("agent", agent, agent_cpu), ("controller with one host", controller, controller_cpu)] {
        let megabytes = |line: &str| status_of(pid, line).map(|kilobytes| kilobytes / 1024.0);
        let threads = status_of(pid, "Threads")?;
        println!("{name:<30} {:>10.1} {:>14.1} {threads:>9} {cpu:>12.3}", megabytes("VmRSS")?, megabytes("RssAnon")?);
    }
    println!(
        "\nWanted: an agent in 10 MB and 0.2 % of a core. The rest of its memory is the program's file, which is shared."
    );
    Ok(())
}
