//! What courses want started ahead, told to the loop by the leading controller. It is derived from the records at every
//! look, so a successor goes on with the same.

mod wanted;

pub(crate) use wanted::{ClassAhead, classes, lacking, window};

use crate::requests::RequestError;
use crate::{Controller, keys};
use pierhead_model::Event;
use pierhead_planner::AskedAhead;
use pierhead_store::leadership::Standing;
use pierhead_store::{Error, Transaction};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked what courses want.
const TICK: Duration = Duration::from_secs(1);
/// How long a look may take before what was asked for until then is kept.
const PATIENCE: Duration = Duration::from_secs(3);
/// For how long after its beginning it is told that workspaces are started ahead for a class.
const TOLD_MS: u64 = 3_600_000;

/// Goes on as long as this is polled, in the name of a leadership.
pub(crate) async fn keep_asking(controller: Controller, standing: Standing) {
    let mut told = BTreeSet::new();
    loop {
        for class in ask(&controller).await {
            let event = event_of(&controller, &class);
            if controller.clock().now().since(class.window.from) >= TOLD_MS || told.contains(&event.id) {
                continue;
            }
            match tell(&controller, &standing, &event).await {
                // Whoever led before has told it.
                Ok(()) | Err(Error::Conflict { .. }) => drop(told.insert(event.id)),
                Err(error) => tracing::debug!(%error, "that workspaces are started ahead could not be told"),
            }
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Takes note of what courses want now; tells what that is. What can't be found out leaves all as it was.
pub(crate) async fn ask(controller: &Controller) -> Vec<ClassAhead> {
    let classes = classes(&controller.known(), controller.clock().now());
    let asked = async {
        let mut asked = Vec::new();
        for class in &classes {
            asked.push(controller.asked_of(class).await?);
        }
        Ok::<_, RequestError>(asked)
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(asked)) => {
            let is_new = controller.known().world.asked_ahead() != asked;
            if is_new {
                controller.shared.change(|known| known.world.ask_ahead(asked));
            }
        }
        Ok(Err(error)) => tracing::debug!(%error, "what courses want ahead could not be found out"),
        Err(_) => tracing::debug!("what courses want ahead could not be found out in time"),
    }
    classes
}

impl Controller {
    /// The environment of which a class wants workspaces, and how many.
    pub(crate) async fn asked_of(&self, class: &ClassAhead) -> Result<AskedAhead, RequestError> {
        let lab = self.known().labs.get(&class.lab).cloned();
        let older = match lab {
            Some(lab) => self.older_environment(&lab, class.version).await?.map(Arc::new),
            None => None,
        };
        Ok(AskedAhead { environment: class.lab.environment(), older, count: class.count })
    }
}

/// That workspaces are started ahead for a class. Its id says for which window, so that no two leaders tell it.
fn event_of(controller: &Controller, class: &ClassAhead) -> Event {
    let ClassAhead { course, lab, window, count, .. } = class;
    let minutes = window.until.since(controller.clock().now()) / 60_000;
    let message = format!("course={course}, lab={lab}, workspaces={count}, minutes={minutes}");
    let hash = format!("{course}/{lab}")
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    Event { id: format!("{:014x}{hash:08x}", window.from.0 << 12), ..controller.event_of_pool("warm-course", message) }
}

async fn tell(controller: &Controller, standing: &Standing, event: &Event) -> Result<(), Error> {
    let key = keys::event(&event.id);
    let transaction = Transaction::new().absent(key.clone()).put_json(key, event)?;
    let revision = controller.store().commit(standing.fence(transaction)).await?;
    controller.reached(revision).await;
    Ok(())
}
