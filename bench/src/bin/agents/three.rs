//! Three controllers on three members of etcd, with hosts full of containers and nothing to do: what they use, what they
//! write, and whether anything happens by itself.

use crate::crowd::{Serving, all_healthy, run};
use crate::simulated;
use anyhow::{Context, Result, ensure};
use pierhead_bench::machine::{cpu_of, load, status_of};
use pierhead_client::Client;
use pierhead_devhosts::http::{Body, request};
use pierhead_devhosts::{EtcdMember, EtcdSpec, Pool, PoolSpec};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const HOSTS: usize = 20;
/// How long they get to become idle.
const SETTLE: Duration = Duration::from_secs(20);
const ETCD_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn measure(containers: usize, time: Duration) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let etcd = EtcdSpec { members: 3, ..EtcdSpec::default() };
    let pool = Pool::up(PoolSpec { dir: dir.path().join("pool"), hosts: 0, etcd, ..PoolSpec::default() })?;
    let members = pool.etcd()?;
    let outcome = on(&members, dir.path(), containers, time);
    pool.down()?;
    outcome
}

fn on(members: &[EtcdMember], dir: &std::path::Path, containers: usize, time: Duration) -> Result<()> {
    let addresses: Vec<String> = members.iter().map(|member| member.url().replace("http://", "")).collect();
    let key = dir.join("secret.key").display().to_string();
    let flags = ["--store", &format!("etcd://{}/bench", addresses.join(",")), "--secret-key-file", &key];
    let flags = flags.map(str::to_owned);
    let runtime = tokio::runtime::Runtime::new()?;
    let mut controllers = Vec::new();
    for number in 0..3 {
        let controller = Serving::start(&dir.join(format!("controller-{number}")), &flags)?;
        // One after another: the first makes what they share.
        let client = runtime.block_on(controller.logged_in())?;
        controllers.push((controller, client));
    }
    runtime.block_on(async {
        let client = &controllers[0].1;
        let called: Vec<String> = controllers.iter().map(|(controller, _)| controller.agents_call()).collect();
        let engines = simulated::start(client, &called, HOSTS.min(containers), dir).await?;
        for (_, client) in &controllers {
            all_healthy(client, engines.len()).await?;
        }
        run(client, containers, 0.1, 64.0).await?;
        sleep(SETTLE.min(time)).await;

        let changes = || engines.iter().map(|engine| engine.changes.load(Ordering::Relaxed)).sum::<usize>();
        let running = || engines.iter().map(|engine| engine.running()).sum::<usize>();
        let pids: Vec<u32> = controllers.iter().map(|(controller, _)| controller.pid()).collect();
        let of_etcd = members.iter().map(|member| anyhow::Ok(member.pid()?.context("it does not run")?));
        let of_etcd = of_etcd.collect::<Result<Vec<u32>>>()?;
        let (begun, led, changed) = (Instant::now(), leader(client).await?, changes());
        let (written, cpu) = (Written::read(&members[0])?, cpus(&pids)?);
        let cpu_of_etcd = cpus(&of_etcd)?;
        sleep(time).await;
        let took = begun.elapsed().as_secs_f64();
        let written = Written::read(&members[0])?.since(&written);
        println!(
            "\n{containers} containers on {} hosts, nothing to do for {took:.0} s, load {}\n",
            engines.len(),
            load()
        );
        println!("{:<34} {:>10} {:>14}", "", "MB", "% of a core");
        for (kind, pids, before) in [("controller", &pids, &cpu), ("member of etcd", &of_etcd, &cpu_of_etcd)] {
            for ((pid, before), after) in pids.iter().zip(before).zip(cpus(pids)?) {
                let per_cent = (after - *before).as_secs_f64() / took * 100.0;
                println!("{kind:<34} {:>10.1} {per_cent:>14.2}", status_of(*pid, "VmRSS")? / 1024.0);
            }
        }
        let per_minute = |count: f64| count / took * 60.0;
        println!("\nwrites to etcd a minute            {:>10.1}", per_minute(written.puts));
        println!("proposals of etcd a minute         {:>10.1}", per_minute(written.proposals));
        let elections = usize::from(leader(client).await? != led);
        println!("elections                          {elections:>10}");
        println!("requests that change a host        {:>10}", changes() - changed);
        println!("containers that run                {:>10}", running());
        ensure!(elections == 0 && changes() == changed && running() == containers, "something happened by itself");
        anyhow::Ok(())
    })
}

/// Who leads, and since when.
async fn leader(client: &Client) -> Result<(String, String)> {
    let controllers = client.controllers().await?.into_value();
    let leader = controllers.into_iter().find(|controller| controller.leader).context("nobody leads")?;
    Ok((leader.url, leader.since))
}

fn cpus(pids: &[u32]) -> Result<Vec<Duration>> {
    pids.iter().map(|pid| cpu_of(*pid)).collect()
}

/// What was written to a member of etcd since it was started.
struct Written {
    /// Keys that were put, by whoever.
    puts: f64,
    /// All that the members had to agree on.
    proposals: f64,
}

impl Written {
    fn read(member: &EtcdMember) -> Result<Self> {
        let at = member.url().replace("http://", "tcp://");
        let told = request(&at, "GET", "/metrics", Body::Empty, ETCD_ANSWERS_WITHIN)?.text();
        let figure = |name: &str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|text| text.trim().parse().ok()).with_context(|| format!("etcd does not tell {name}"))
        };
        let puts = figure("etcd_mvcc_put_total").or_else(|_| figure("etcd_debugging_mvcc_put_total"))?;
        Ok(Self { puts, proposals: figure("etcd_server_proposals_committed_total")? })
    }

    fn since(&self, before: &Self) -> Self {
        Self { puts: self.puts - before.puts, proposals: self.proposals - before.proposals }
    }
}
