//! Ports of workspaces: which there are, and the addresses at which browsers see them.

use crate::accounts::Owner;
use crate::body::Path;
use crate::identity::Caller;
use crate::previews::{PortInUse, PreviewName};
use crate::{Api, ApiError};
use axum::Json;
use axum::extract::{Path as Paths, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, StatusCode};
use pierhead_controller::{SiteContainer, WorkspaceSite};
use pierhead_wire::{PortView, PreviewView, format_timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// The ports on which something listens, found just now, and those that the environment declares.
pub(super) async fn ports(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<PortView>>, ApiError> {
    let site = api.controller.workspace_site(&caller.actor(), &id)?;
    let engine = site.engine.as_ref().filter(|_| !site.containers.is_empty()).ok_or_else(|| not_running(&site))?;
    let away = |why: String| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "workspace_away", why);
    let ports = api.previews.ports.as_ref().ok_or_else(|| away("this server takes no agents".to_owned()))?;
    let (mut all, mut silent) = (Vec::new(), Vec::new());
    for container in &site.containers {
        let listening = ports.listening(engine, &site.id, &container.id).await;
        // One that stands still has no port in use; the others have theirs.
        let listening = listening.unwrap_or_else(|why| {
            silent.push(why);
            Vec::new()
        });
        all.extend(views(container, &listening));
    }
    if silent.len() == site.containers.len() {
        return Err(away(silent.swap_remove(0)));
    }
    all.sort_by(|one, other| (one.port, &one.container).cmp(&(other.port, &other.container)));
    say_what_is_shown(&site, &mut all);
    Ok(Json(all))
}

/// Says of ports that are in use in several containers which of these their address shows.
fn say_what_is_shown(site: &WorkspaceSite, all: &mut [PortView]) {
    let answers = |view: &PortView| view.listening && !view.only_inside;
    let open: BTreeSet<(u16, String)> =
        all.iter().filter(|view| answers(view)).map(|view| (view.port, view.container.clone())).collect();
    for view in all.iter_mut().filter(|view| answers(view)) {
        let names = site.candidates(view.port).into_iter().map(|container| container.name.to_string());
        let first = names.into_iter().find(|name| open.contains(&(view.port, name.clone())));
        view.shows = first.filter(|name| *name != view.container);
    }
}

fn views(container: &SiteContainer, listening: &[PortInUse]) -> impl Iterator<Item = PortView> {
    let name = container.name.to_string();
    let view = |port: u16| PortView {
        port,
        container: name.clone(),
        declared: false,
        listening: false,
        only_inside: false,
        shows: None,
    };
    let mut views: BTreeMap<u16, PortView> = BTreeMap::new();
    for port in &container.ports {
        views.insert(*port, PortView { declared: true, ..view(*port) });
    }
    for found in listening {
        let known = views.entry(found.port).or_insert_with(|| view(found.port));
        (known.listening, known.only_inside) = (true, found.only_inside);
    }
    views.into_values()
}

fn not_running(site: &WorkspaceSite) -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "not_running", format!("workspace {} does not run", site.id))
}

/// The address at which a browser sees a port, as who asks for it.
pub(super) async fn preview(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, port)): Paths<(String, String)>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<PreviewView>), ApiError> {
    let is_plain = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse::<u16>().ok().filter(|port| is_plain && *port != 0);
    let port = port.ok_or_else(|| ApiError::field("port", "port must be a number from 1 to 65535"))?;
    let site = api.controller.workspace_site(&caller.actor(), &id)?;
    let owner = Owner { token_hash: caller.token_hash, kind: caller.kind };
    let (url, expires) = api.give_preview(&PreviewName { port, workspace: site.id }, owner).await?;
    let view = PreviewView { url, expires: format_timestamp(expires) };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(view)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{ContainerId, MemberName};

    #[test]
    fn of_a_port_in_several_containers_one_is_shown_and_the_others_say_which() {
        let container = |name: &str, digits: &str, ports: &[u16]| SiteContainer {
            name: MemberName::parse(name).unwrap(),
            id: ContainerId::parse(digits.repeat(32)).unwrap(),
            ports: ports.to_vec(),
        };
        let site = WorkspaceSite {
            id: pierhead_model::WorkspaceId::parse("abcdefgh23").unwrap(),
            right: pierhead_model::WorkspaceRight::Viewer,
            engine: None,
            containers: vec![container("app", "0a", &[]), container("db", "0b", &[8080]), container("web", "0c", &[])],
        };
        let found = |port, only_inside| PortInUse { port, only_inside };
        let mut all: Vec<PortView> = [
            (0, vec![found(8080, false), found(9000, true), found(7000, false)]),
            (1, vec![found(8080, false), found(9000, false)]),
            (2, vec![found(8080, true), found(9000, false)]),
        ]
        .iter()
        .flat_map(|(at, found)| views(&site.containers[*at], found))
        .collect();
        say_what_is_shown(&site, &mut all);
        let told: Vec<_> =
            all.iter().filter_map(|view| Some((view.container.as_str(), view.port, view.shows.as_deref()?))).collect();
        assert_eq!(told, [("app", 8080, "db"), ("web", 9000, "db")], "who declares it comes first, and who is reached");
    }

    #[test]
    fn what_is_declared_and_what_is_found_are_one_list() {
        let container = SiteContainer {
            name: MemberName::parse("main").unwrap(),
            id: ContainerId::parse("0f".repeat(32)).unwrap(),
            ports: vec![8000, 80],
        };
        let found = [(80, false), (5000, true)].map(|(port, only_inside)| PortInUse { port, only_inside });
        let listed: Vec<_> =
            views(&container, &found).map(|it| (it.port, it.declared, it.listening, it.only_inside)).collect();
        assert_eq!(listed, [(80, true, true, false), (5000, false, true, true), (8000, true, false, false)]);
    }
}
