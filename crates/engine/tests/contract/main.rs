//! What every engine must do, run on the fake and on a real Docker engine.
//!
//! One test for each, with the cases in turn: a real engine takes a second to come up, so there is one of it.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod docker;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod images;
#[cfg(test)]
mod life;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod reports;
#[cfg(test)]
mod saves;

use bed::Bed;
use futures_util::future::BoxFuture;

/// A case: its name, and what it does. It leaves nothing behind.
type Case = (&'static str, fn(&Bed) -> BoxFuture<'_, ()>);

/// The cases of both.
fn cases() -> Vec<Case> {
    [life::CASES, reports::CASES, images::CASES, exec::CASES, networks::CASES, saves::CASES, registry::CASES].concat()
}

async fn run(bed: &Bed, cases: &[Case]) {
    for (name, case) in cases {
        println!("case: {name}");
        let done = tokio::time::timeout(bed::PATIENCE, case(bed)).await;
        assert!(done.is_ok(), "the case '{name}' takes too long");
        bed.assert_empty(name).await;
    }
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    run(&Bed::fake(), &cases()).await;
}

#[tokio::test]
async fn a_real_engine_keeps_the_contract() {
    let bed = Bed::real();
    run(&bed, &cases()).await;
    run(&bed, images::REAL).await;
    run(&bed, saves::REAL).await;
    run(&bed, networks::REAL).await;
    run(&bed, docker::CASES).await;
}
