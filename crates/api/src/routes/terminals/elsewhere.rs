//! Who looks at terminals that live in other controllers, and how large these are: it is known there and nowhere else, so
//! it is asked there. A controller that does not answer leaves what the records say.

use crate::Api;
use crate::identity::{Caller, Shown};
use crate::relay::RelayError;
use futures_util::future::join_all;
use pierhead_controller::TerminalNow;
use pierhead_wire::TerminalView;
use std::collections::{BTreeMap, BTreeSet};

/// The views of terminals, with what their homes tell.
pub(super) async fn look(
    api: &Api,
    caller: &Caller,
    terminals: &[TerminalNow],
    mut views: Vec<TerminalView>,
) -> Vec<TerminalView> {
    let urls: BTreeSet<String> = terminals.iter().filter_map(|terminal| url_of(api, caller, terminal)).collect();
    let asked = urls.iter().map(|url| ask(api, caller, url, None));
    let told: BTreeMap<String, TerminalView> =
        join_all(asked).await.into_iter().flatten().map(|view| (view.id.clone(), view)).collect();
    for (terminal, view) in terminals.iter().zip(&mut views) {
        if let Some(there) = told.get(&view.id).filter(|_| terminal.view.is_none()) {
            fill(view, there);
        }
    }
    views
}

/// The view of one.
pub(super) async fn look_at(
    api: &Api,
    caller: &Caller,
    terminal: &TerminalNow,
    mut view: TerminalView,
) -> TerminalView {
    if let Some(url) = url_of(api, caller, terminal)
        && let Some(there) = ask(api, caller, &url, Some(&view.id)).await.first()
    {
        fill(&mut view, there);
    }
    view
}

/// The address of the controller that a terminal lives in, if that is another one. Who asks for another controller gets
/// only what is known here: nothing is passed on twice.
fn url_of(api: &Api, caller: &Caller, terminal: &TerminalNow) -> Option<String> {
    if caller.shown == Shown::Pass {
        return None;
    }
    api.controller.terminal_elsewhere(&terminal.record)
}

async fn ask(api: &Api, caller: &Caller, url: &str, id: Option<&str>) -> Vec<TerminalView> {
    let Some(relay) = &api.relay else { return Vec::new() };
    let path = id.map_or_else(|| "/api/terminals".to_owned(), |id| format!("/api/terminals/{id}"));
    let told = match caller.pass(api, &path) {
        Ok(pass) => relay.terminals(url, id, &pass).await,
        Err(error) => Err(RelayError::Away(error.body.message.clone())),
    };
    told.unwrap_or_else(|error| {
        tracing::debug!(url, %error, "another controller does not tell of its terminals");
        Vec::new()
    })
}

/// What only the home knows.
fn fill(view: &mut TerminalView, there: &TerminalView) {
    view.viewers.clone_from(&there.viewers);
    (view.columns, view.rows) = (there.columns, there.rows);
}
