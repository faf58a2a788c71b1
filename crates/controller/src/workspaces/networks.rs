//! Which networks of workspaces there are on the hosts. The leader looks from time to time, so that nothing outlives its
//! record.

use crate::Controller;
use futures_util::future::join_all;
use pierhead_model::EngineId;
use std::time::Duration;

/// How often the hosts are asked.
const LOOK: Duration = Duration::from_secs(10);
/// How long a host may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lists them, for ever.
pub(crate) async fn list_networks(controller: Controller) {
    loop {
        tokio::time::sleep(LOOK).await;
        if controller.standing.term().is_some() {
            look(&controller).await;
        }
    }
}

async fn look(controller: &Controller) {
    let hosts: Vec<EngineId> = {
        let known = controller.known();
        let usable =
            known.world.engines().values().filter(|engine| engine.is_usable() && engine.record.agent.is_some());
        usable.map(|engine| engine.record.id.clone()).collect()
    };
    let asked = hosts.into_iter().map(|host| async move {
        let link = controller.engines.link(&host)?;
        let listed = tokio::time::timeout(PATIENCE, link.engine.networks()).await;
        Some((host, listed.ok()?.ok()?))
    });
    for (host, listed) in join_all(asked).await.into_iter().flatten() {
        let is_news = !controller.known().world.networks(&host).eq(listed.iter());
        if is_news {
            controller.shared.change(|known| known.world.set_networks(&host, listed));
        }
    }
}
