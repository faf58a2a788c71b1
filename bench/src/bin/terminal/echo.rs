//! What is typed and comes back.

use crate::bare::Bare;
use crate::bed::Bed;
use crate::ours::{self, Ours};
use crate::peer::Peer;
use anyhow::Result;
use pierhead_bench::spread::Spread;
use std::time::Duration;

const WARM_UP: usize = 50;
/// Says what it hears, key by key.
pub(crate) const LISTENER: [&str; 3] = ["sh", "-c", "stty raw -echo; echo ready; exec cat"];
/// Prints 20 kB each second.
const PRINTER: [&str; 3] = ["sh", "-c", "while :; do printf '%20000s\\n' x; sleep 1; done"];

pub(crate) async fn measure(bed: &Bed, rounds: usize, keys: usize, others: usize) -> Result<()> {
    let mut printers = Vec::new();
    for _ in 0..others {
        let id = ours::open(bed, &PRINTER).await?;
        let looker = tokio::spawn(Ours::attach(bed, &id, None).await?.look());
        printers.push((id, looker));
    }
    let id = ours::open(bed, &LISTENER).await?;
    let (mut bare, mut ours) = (Bare::open(bed, &LISTENER).await?, Ours::attach(bed, &id, None).await?);
    let mut peer = if others == 0 { Peer::start().await } else { None };
    bare.wait_for("ready").await?;
    ours.wait_for("ready").await?;
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..rounds {
        for key in 0..keys + WARM_UP {
            let taken = bare.key().await?;
            times[0].extend((key >= WARM_UP).then_some(taken));
        }
        for key in 0..keys + WARM_UP {
            let taken = ours.key().await?;
            times[1].extend((key >= WARM_UP).then_some(taken));
        }
        let Some(peer) = &mut peer else { continue };
        for key in 0..keys + WARM_UP {
            let taken = peer.key().await?;
            times[2].extend((key >= WARM_UP).then_some(taken));
        }
    }
    report(others, &times);
    ours::end(bed, &id).await?;
    for (id, looker) in printers {
        looker.abort();
        ours::end(bed, &id).await?;
    }
    Ok(())
}

fn report(others: usize, times: &[Vec<Duration>; 3]) {
    let [bare, ours, peer] = times.each_ref().map(|times| Spread::of(times.iter().map(Duration::as_secs_f64)));
    println!("echo of a key, ms; {others} other terminals print 20 kB/s each");
    println!("{:<8} {:>10} {:>10} {:>10} {:>10}", "", "bare exec", "pierhead", "added", "terminado");
    for per_cent in [50, 95, 99] {
        let [bare, ours, peer] = [&bare, &ours, &peer].map(|spread| spread.at(per_cent) * 1000.0);
        println!("p{per_cent:<7} {bare:>10.3} {ours:>10.3} {:>10.3} {peer:>10.3}", ours - bare);
    }
    let wanted = if others == 0 { "p50 <= 0.3 ms and p95 <= 2 ms added" } else { "p95 <= 10 ms" };
    println!("Wanted: {wanted}. terminado's shell is a process of its own machine, with no engine between.\n");
}
